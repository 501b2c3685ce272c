//! Where a Dockerfile's code lies and what its service is called; looks at paths only.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::files::{self, DockerName, Rank};
use super::{aside, language};
use crate::discover::names::{self, valid_name};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// A module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder with the code.
    pub(super) path: RepoPath,
    /// Valid for Compose.
    pub(super) name: String,
    /// Other names, lower case.
    pub(super) aliases: Vec<String>,
}

/// Folders that hold Dockerfiles, not code.
const HOLDERS: &[&str] = &[
    ".docker",
    "ci",
    "compose",
    "container",
    "containers",
    "deploy",
    "deployment",
    "deployments",
    "docker",
    "docker-files",
    "dockerfile",
    "dockerfiles",
    "docker_files",
    "image",
    "images",
    "infra",
    "infrastructure",
    "ops",
];

/// Folders whose names say what lies in them, and not whose it is.
const SOURCES: &[&str] = &["src", "source"];

/// Folders of a holder whose names say what runs the program, and not which one: `orders/docker/php/Dockerfile`.
const RUNTIMES: &[&str] = &[
    "app",
    "application",
    "django",
    "dotnet",
    "fpm",
    "laravel",
    "node",
    "php",
    "php-fpm",
    "python",
    "rails",
    "ruby",
    "symfony",
];

/// Folders that only lead to a holder: `build/package/Dockerfile`, `src/main/docker/Dockerfile`.
const LEADS: &[&[&str]] = &[
    &["src", "main", "resources"],
    &["src", "main"],
    &["build", "package"],
    &["build"],
    &["package"],
    &["scripts"],
    &["config"],
    &["etc"],
    &["tools"],
];

/// The folders in which code may lie, by what their names have in common with others that mean the same; gathered when
/// the first Dockerfile asks, because many monorepos have none that lies apart from its code.
#[derive(Debug)]
pub(super) struct Folders<'r> {
    repo: &'r Repo,
    by_name: OnceLock<BTreeMap<String, Vec<&'r RepoPath>>>,
}

impl<'r> Folders<'r> {
    pub(super) fn of(repo: &'r Repo) -> Self {
        Folders { repo, by_name: OnceLock::new() }
    }

    /// Those that may be called `name`, by path.
    fn called(&self, name: &str) -> &[&'r RepoPath] {
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name: BTreeMap<String, Vec<&RepoPath>> = BTreeMap::new();
            let holds_code =
                |path: &&RepoPath| !path.parts().any(is_holder) && aside::hidden_or_test(path).is_none();
            for folder in self.repo.folders().filter(holds_code) {
                by_name.entry(names::loose(&valid_name(folder.name()))).or_default().push(folder);
            }
            by_name
        });
        by_name.get(&names::loose(name)).map_or(&[], Vec::as_slice)
    }
}

/// What the name of the Dockerfile at `file` says, where `name` is what its words say one by one: beside the code of
/// `integration_worker`, `Dockerfile.integration_worker` is no variant of a worker for tests.
pub(super) fn whole_name(folders: &Folders<'_>, file: &RepoPath, name: &DockerName) -> DockerName {
    let is_module = |whole: &String| {
        let called = folders.called(whole).iter();
        let mut called = called.filter(|path| valid_name(path.name()) == *whole);
        called.any(|path| language::is_module(folders.repo, path))
    };
    match files::whole(file.name()).filter(is_module) {
        Some(whole) => DockerName { stem: Some(whole), rank: Rank::Plain },
        None => name.clone(),
    }
}

/// The place of the Dockerfile at `file`, beside which the Dockerfiles `siblings` lie in the same folder.
pub(super) fn of(
    folders: &Folders<'_>,
    file: &RepoPath,
    name: &DockerName,
    siblings: &[DockerName],
) -> Place {
    let repo = folders.repo;
    let folder = file.parent().unwrap_or_default();
    let parts: Vec<&str> = folder.parts().collect();
    let inner = strip(&parts, repo);
    let module = path_of(&parts[..inner]);
    let in_holder = parts[..inner].iter().any(|part| is_holder(part));
    let own = inner == parts.len() && !in_holder && !module.is_root();
    match stem_of(name, &module) {
        Some(stem) if own => beside(repo, stem, &module, siblings),
        // `deploy/docker/orders-migrations.Dockerfile`: what is done for `orders`.
        Some(stem) if files::without_task(stem).is_some_and(|whose| !whose.is_empty()) => {
            let whose = files::without_task(stem).unwrap_or_default();
            place(named(folders, whose, &module, &folder).path, stem)
        }
        // `deploy/docker/orders.Dockerfile`, `Dockerfile.orders` at the root.
        Some(stem) => named(folders, stem, &module, &folder),
        // `docker/orders/Dockerfile`: the folder is the name, the code lies elsewhere or right there.
        None if in_holder && !language::is_module(repo, &module) => {
            if let Some(program) = program_of(repo, &parts[..inner]) {
                return plain(repo, &program);
            }
            named(folders, &without_variant(module.name()), &module, &folder)
        }
        None => plain(repo, &module),
    }
}

/// The module in whose holder a Dockerfile lies that is called after a runtime only. The root has no name of its own.
fn program_of(repo: &Repo, parts: &[&str]) -> Option<RepoPath> {
    let (last, above) = parts.split_last()?;
    let holder = above.last().filter(|part| is_holder(part) && RUNTIMES.contains(last));
    let module = holder.map(|_| path_of(&above[..above.len() - 1]))?;
    (!module.is_root() && language::is_module(repo, &module)).then_some(module)
}

/// `app-prod` is a variant of `app`.
pub(super) fn without_variant(name: &str) -> String {
    let words: Vec<&str> = name.split(['-', '_']).collect();
    let kept = words.iter().take_while(|word| files::variant(&word.to_ascii_lowercase()).is_none()).count();
    if kept == 0 { name.to_owned() } else { words[..kept].join("-") }
}

/// The word that tells a Dockerfile from others; `apps/web/Dockerfile.web` says nothing that its folder does not.
fn stem_of<'a>(name: &'a DockerName, module: &RepoPath) -> Option<&'a str> {
    name.stem
        .as_deref()
        .filter(|stem| !module.is_root() && !same_name(stem, module.name()) || module.is_root())
}

/// A Dockerfile with a word of its own in a folder with code: one of several services there, or the only one.
fn beside(repo: &Repo, stem: &str, module: &RepoPath, siblings: &[DockerName]) -> Place {
    let is_task = |stem: &str| files::without_task(stem).is_some();
    let is_plain = |one: &DockerName| one.rank < files::Rank::Development && stem_of(one, module).is_none();
    // What is done once for the service is not the service, also where no other Dockerfile lies there.
    let has_plain = is_task(stem) || siblings.iter().any(is_plain);
    let others =
        siblings.iter().filter_map(|one| stem_of(one, module)).any(|other| other != stem && !is_task(other));
    if !has_plain && !others {
        let mut place = plain(repo, module);
        place.aliases.push(stem.to_owned());
        return place;
    }
    let inner = repo.folders_in(module).iter().find(|folder| {
        folder.depth() <= module.depth() + 2
            && same_name(folder.name(), stem)
            && language::is_module(repo, folder)
    });
    let written = if has_plain && !stem.starts_with(&format!("{}-", valid_name(module.name()))) {
        format!("{}-{stem}", module.name())
    } else {
        stem.to_owned()
    };
    let mut place = place(inner.unwrap_or(module).clone(), &written);
    if has_plain {
        place.aliases.retain(|alias| *alias != module.name().to_lowercase());
        place.aliases.push(stem.to_owned());
    }
    place
}

/// How many parts remain when the folders at the end that only hold Dockerfiles are taken off.
fn strip(parts: &[&str], repo: &Repo) -> usize {
    let mut end = parts.len();
    loop {
        let before = end;
        let holds_code = |end: usize| language::is_module(repo, &path_of(&parts[..end]));
        if end > 0 && !holds_code(end) {
            let last = parts[end - 1];
            let below_holder = parts[..end - 1].iter().any(|part| is_holder(part));
            let is_variant = below_holder && files::variant(&last.to_ascii_lowercase()).is_some();
            if is_holder(last) || is_variant {
                end -= 1;
            } else if before < parts.len() || lead(&parts[..end]).is_some_and(|lead| lead.len() > 1) {
                end -= lead(&parts[..end]).map_or(0, <[&str]>::len);
            }
        }
        if end == before {
            return end;
        }
    }
}

fn lead(parts: &[&str]) -> Option<&'static [&'static str]> {
    LEADS.iter().find(|lead| parts.ends_with(lead)).copied()
}

/// Whether a folder holds Dockerfiles, those for one environment included: `docker`, `docker-dev`, `docker.prod`.
pub(in crate::discover) fn is_holder(part: &str) -> bool {
    // `_docker` stands first in its folder.
    let part = part.trim_start_matches('_').to_ascii_lowercase();
    let holds = |name: &str| HOLDERS.contains(&name);
    holds(&part)
        || part
            .rsplit_once(['-', '_', '.'])
            // `docker_compose` holds a deployment and no Dockerfiles.
            .is_some_and(|(name, last)| holds(name) && last != "compose" && files::variant(last).is_some())
}

/// What the folders that hold a Dockerfile say about its rank: `docker/dev`, `docker-dev`.
pub(super) fn rank_of_holders(file: &RepoPath) -> Option<files::Rank> {
    let folder = file.parent()?;
    let said = |part: &str| {
        part.rsplit(['-', '_', '.']).next().and_then(|last| files::variant(&last.to_ascii_lowercase()))
    };
    let parts: Vec<&str> = folder.parts().collect();
    let (last, above) = parts.split_last()?;
    let holds = is_holder(last) || above.last().is_some_and(|above| is_holder(above));
    holds.then(|| said(last)).flatten()
}

fn path_of(parts: &[&str]) -> RepoPath {
    RepoPath::root().join(&parts.join("/")).unwrap_or_default()
}

/// A module whose folder names it; the root is named by its manifest, because its folder is called as one likes.
pub(super) fn plain(repo: &Repo, module: &RepoPath) -> Place {
    if !module.is_root() {
        // `cart/src`: the folder's name says what lies in it, the one above whose it is.
        let above = module.parent().filter(|above| !above.is_root() && SOURCES.contains(&module.name()));
        return place(module.clone(), above.as_ref().unwrap_or(module).name());
    }
    let folder = repo.root().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut place =
        place(module.clone(), &language::project_name(repo, module).unwrap_or_else(|| folder.clone()));
    let folder = folder.to_lowercase();
    if !folder.is_empty() && folder != place.name && !place.aliases.contains(&folder) {
        place.aliases.push(folder);
    }
    place
}

/// A module that the Dockerfile's own name, or its folder, names: its code lies in a folder of that name, if there is one.
fn named(folders: &Folders<'_>, stem: &str, module: &RepoPath, folder: &RepoPath) -> Place {
    let (repo, wanted) = (folders.repo, valid_name(stem));
    let fit = |path: &RepoPath| {
        let exact = valid_name(path.name()) == wanted;
        let is_module = language::is_module(repo, path);
        // Deep down, `app` or `api` is a layer of some other program.
        let is_near = path.depth() <= 2 && language::has_code(repo, path);
        (is_module || is_near).then(|| (!is_module, !exact, path.depth()))
    };
    let candidates = folders.called(&wanted).iter();
    let best = candidates.filter_map(|path| fit(path).map(|key| (key, *path))).min_by_key(|(key, _)| *key);
    let own = || repo.files_in(folder).iter().any(|file| language::is_manifest(file.name()));
    let path = match best {
        Some((_, path)) => path.clone(),
        None if !module.is_root() && own() => folder.clone(),
        None => module.clone(),
    };
    place(path, stem)
}

/// Whether two names mean one thing: `api_gateway` and `ApiGatewayService`.
fn same_name(a: &str, b: &str) -> bool {
    valid_name(a) == valid_name(b) || names::loose(a) == names::loose(b)
}

/// Whether a name says what runs a program, and not which one.
pub(super) fn is_runtime(name: &str) -> bool {
    RUNTIMES.contains(&name)
}

/// The place of a program of that name.
pub(super) fn called(path: RepoPath, written: &str) -> Place {
    place(path, written)
}

fn place(path: RepoPath, written: &str) -> Place {
    let name = valid_name(written);
    let name = if name.is_empty() { "app".to_owned() } else { name };
    let mut aliases: Vec<String> = [written.to_lowercase(), path.name().to_lowercase()].into();
    aliases.retain(|alias| !alias.is_empty() && *alias != name && !SOURCES.contains(&alias.as_str()));
    aliases.sort();
    aliases.dedup();
    Place { path, name, aliases }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(tree: &str, file: &str) -> (String, String) {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new(file).expect("inside the root");
        let name = files::docker_name(file.name()).expect("is a Dockerfile");
        let beside = repo.files().filter(|other| other.parent() == file.parent());
        let siblings: Vec<DockerName> = beside.filter_map(|other| files::docker_name(other.name())).collect();
        let place = of(&Folders::of(&repo), &file, &name, &siblings);
        (place.path.to_string(), place.name)
    }

    #[test]
    fn buried_dockerfiles_take_the_name_of_their_module() {
        for file in [
            "orders/Dockerfile",
            "orders/docker/Dockerfile",
            "orders/docker/prod/Dockerfile",
            "orders/src/main/docker/Dockerfile",
            "orders/src/main/resources/docker/Dockerfile",
            "orders/build/package/Dockerfile",
            "deploy/docker/orders.Dockerfile",
            "docker/orders/Dockerfile",
            "build/package/Dockerfile.orders",
            "orders/_docker/app/Dockerfile",
            "orders/docker/php-fpm/Dockerfile",
        ] {
            let tree = format!("//- /{file}\n//- /orders/pom.xml\n//- /billing/pom.xml\n");
            assert_eq!(placed(&tree, file), ("orders".to_owned(), "orders".to_owned()), "{file}");
        }
    }

    #[test]
    fn words_in_file_names_tell_services_apart_only_where_there_are_several() {
        let one = "//- /apps/proxy/Dockerfile.ce\n//- /apps/proxy/Dockerfile.dev\n";
        assert_eq!(placed(one, "apps/proxy/Dockerfile.ce"), ("apps/proxy".to_owned(), "proxy".to_owned()));
        let own = "//- /apps/web/Dockerfile.web\n//- /apps/web/Dockerfile.dev\n//- /apps/web/src/web/a\n";
        assert_eq!(placed(own, "apps/web/Dockerfile.web"), ("apps/web".to_owned(), "web".to_owned()));
        let two = "//- /apps/shop/Dockerfile\n//- /apps/shop/Dockerfile.worker\n";
        assert_eq!(
            placed(two, "apps/shop/Dockerfile.worker"),
            ("apps/shop".to_owned(), "shop-worker".to_owned())
        );
        let split = "//- /back/api.Dockerfile\n//- /back/worker.Dockerfile\n//- /back/worker/go.mod\n";
        assert_eq!(placed(split, "back/worker.Dockerfile"), ("back/worker".to_owned(), "worker".to_owned()));
    }

    #[test]
    fn code_is_found_under_a_longer_name() {
        let tree = "//- /docker/api_gateway.Dockerfile\n//- /api_gateway_service/main.go\n//- /x/api_gateway/a\n//- /x/go.mod\n";
        assert_eq!(placed(tree, "docker/api_gateway.Dockerfile").1, "api-gateway");
    }

    #[test]
    fn root_is_named_by_its_manifest() {
        let tree = "//- /Dockerfile\n//- /package.json\n{ \"name\": \"@shop/Web Site\" }\n";
        assert_eq!(placed(tree, "Dockerfile"), (".".to_owned(), "web-site".to_owned()));
    }
}
