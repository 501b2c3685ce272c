//! Where a Dockerfile's code lies and what its service is called; looks at paths only.

use super::files::{self, DockerName};
use super::language;
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

/// The place of the Dockerfile at `file`.
pub(super) fn of(repo: &Repo, file: &RepoPath, name: &DockerName) -> Place {
    let folder = file.parent().unwrap_or_default();
    let parts: Vec<&str> = folder.parts().collect();
    let inner = strip(&parts, repo);
    let rest = &parts[..inner];
    let holder = rest.iter().rposition(|part| is_holder(part));
    let module = path_of(rest);
    match (&name.stem, holder) {
        // `deploy/docker/orders.Dockerfile`, `services/Dockerfile.orders`.
        (Some(stem), _) => named(repo, stem, &module, &folder),
        // `docker/orders/Dockerfile`: the folder is the name, the code lies elsewhere or right there.
        (None, Some(_)) => {
            let stem = module.name().to_owned();
            if language::is_module(repo, &module) {
                plain(repo, &module)
            } else {
                named(repo, &stem, &module, &folder)
            }
        }
        (None, None) => plain(repo, &module),
    }
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

fn is_holder(part: &str) -> bool {
    HOLDERS.contains(&part.to_ascii_lowercase().as_str())
}

fn path_of(parts: &[&str]) -> RepoPath {
    RepoPath::root().join(&parts.join("/")).unwrap_or_default()
}

/// A module whose folder names it.
fn plain(repo: &Repo, module: &RepoPath) -> Place {
    let written = if module.is_root() {
        repo.root().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    } else {
        module.name().to_owned()
    };
    place(module.clone(), &written)
}

/// A module that the Dockerfile's own name, or its folder, names: its code lies in a folder of that name, if there is one.
fn named(repo: &Repo, stem: &str, module: &RepoPath, folder: &RepoPath) -> Place {
    let wanted = valid_name(stem);
    let same = |path: &&RepoPath| valid_name(path.name()) == wanted && !path.parts().any(is_holder);
    let near = repo.folders_in(module).iter().filter(same).min_by_key(|path| path.depth());
    let far = || repo.folders().filter(same).min_by_key(|path| path.depth());
    let own = || repo.files_in(folder).iter().any(|file| language::is_manifest(file.name()));
    let path = match near.or_else(far) {
        Some(path) => path.clone(),
        None if !module.is_root() && own() => folder.clone(),
        None => module.clone(),
    };
    place(path, stem)
}

fn place(path: RepoPath, written: &str) -> Place {
    let name = valid_name(written);
    let name = if name.is_empty() { "app".to_owned() } else { name };
    let mut aliases: Vec<String> = [written.to_lowercase(), path.name().to_lowercase()].into();
    aliases.retain(|alias| !alias.is_empty() && *alias != name);
    aliases.sort();
    aliases.dedup();
    Place { path, name, aliases }
}

/// A name as Compose takes it and people write it: `Orders API` is `orders-api`.
pub(in crate::discover) fn valid_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(tree: &str, file: &str) -> (String, String) {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new(file).expect("inside the root");
        let name = files::docker_name(file.name()).expect("is a Dockerfile");
        let place = of(&repo, &file, &name);
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
        ] {
            let tree = format!("//- /{file}\n//- /orders/pom.xml\n//- /billing/pom.xml\n");
            assert_eq!(placed(&tree, file), ("orders".to_owned(), "orders".to_owned()), "{file}");
        }
    }

    #[test]
    fn names_are_valid_for_compose() {
        assert_eq!(valid_name("Orders API (new)"), "orders-api-new");
        assert_eq!(valid_name("Catalog.API"), "catalog-api");
    }
}
