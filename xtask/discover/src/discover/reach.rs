//! Which folders outside its own a service is built from: what its Dockerfile copies, its manifests name and its
//! sources import. Adds facts only where the reading of a name is spread over two of them.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Sources;
use super::services;
use super::workspace::Modules;
use crate::model::fact::{BaseFacts, Fact, Origin, ServiceFacts};
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;

/// A library may use another one, which uses another one; longer chains are not followed.
const MAX_STEPS: usize = 4;

/// More manifests below one folder are no module any more.
const MAX_MANIFESTS: usize = 40;

/// What services are built from outside their own folders.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Folders and single files, each with the positions of the services that are built from it.
    pub(super) folders: BTreeMap<RepoPath, Vec<usize>>,
    /// These folders, and those from which services take single files.
    pub(super) libraries: BTreeMap<RepoPath, Vec<usize>>,
    /// Facts of the services at these positions.
    pub(super) facts: Vec<(usize, Fact)>,
}

/// Looks at all services.
pub(super) fn shared(services: &[ServiceFacts], sources: &Sources<'_>) -> Shared {
    let repo = sources.repo;
    let homes: BTreeSet<RepoPath> = services.iter().map(|service| service.path.clone()).collect();
    let modules = Modules::of(repo);
    let positions: Vec<usize> = (0..services.len()).collect();
    let reached = in_parallel(positions, |at| of(&services[*at], &homes, &modules, sources));
    let mut shared = Shared::default();
    for (at, (folders, libraries, facts)) in reached.into_iter().enumerate() {
        for library in libraries.union(&folders) {
            shared.libraries.entry(library.clone()).or_default().push(at);
        }
        for folder in folders {
            shared.folders.entry(folder).or_default().push(at);
        }
        shared.facts.extend(facts.into_iter().map(|fact| (at, fact)));
    }
    shared
}

fn of(
    service: &ServiceFacts,
    homes: &BTreeSet<RepoPath>,
    modules: &Modules,
    sources: &Sources<'_>,
) -> (BTreeSet<RepoPath>, BTreeSet<RepoPath>, Vec<Fact>) {
    let repo = sources.repo;
    // A folder that holds services is the monorepo, or a part of it, and no library; one that is copied and holds this
    // service alone is the service with its layers.
    let is_outside = |folder: &RepoPath| !folder.is_root() && !folder.is_in(&service.path);
    let is_library = |folder: &RepoPath| is_outside(folder) && !homes.iter().any(|home| home.is_in(folder));
    let is_its_own = |folder: &RepoPath| {
        is_outside(folder) && !homes.iter().any(|home| home.is_in(folder) && *home != service.path)
    };
    let copied = service.image.copies.iter().filter_map(|(source, _)| service.build.context.join(source));
    let copied = copied.chain(handed_on(repo, service)).chain(inherited(sources.bases, &service.origins));
    let copied: Vec<RepoPath> = copied.collect();
    let folders = copied.iter().filter(|path| repo.is_folder(path) && is_its_own(path));
    let mut reached: BTreeSet<RepoPath> = folders.cloned().collect();
    let mut next: Vec<RepoPath> = reached.iter().cloned().chain([service.path.clone()]).collect();
    for _ in 0..MAX_STEPS {
        let named = next.iter().flat_map(|folder| named(repo, folder, modules));
        let new: BTreeSet<RepoPath> =
            named.filter(|folder| is_library(folder) && !reached.contains(folder)).collect();
        if new.is_empty() {
            break;
        }
        next = new.iter().cloned().collect();
        reached.extend(new);
    }
    // What lies with a service further in, and is copied by name all the same, is of both.
    // In the order of the set, paths that begin alike follow each other: `orders`, `orders-worker`, `orders/worker`.
    let begins =
        |home: &&RepoPath| service.path.is_root() || home.as_str().starts_with(service.path.as_str());
    let alike = homes.range(&service.path..).take_while(begins);
    let within: Vec<&RepoPath> =
        alike.filter(|home| home.is_in(&service.path) && **home != service.path).collect();
    let is_of_both = |path: &&RepoPath| within.iter().any(|home| path.is_in(home));
    reached.extend(copied.iter().filter(is_of_both).cloned());
    let imported = sources.of(service);
    reached.retain(|folder| !imported.decide(repo, folder));
    reached.extend(imported.folders.into_iter().filter(|path| is_library(path)));
    let mut taken = sources.taken(service);
    taken.files.retain(|file| is_library(file) && !reached.iter().any(|folder| file.is_in(folder)));
    taken.libraries.retain(is_library);
    reached.extend(taken.files);
    (reached, taken.libraries, imported.reads)
}

/// `COPY . .` in one stage and `COPY --from=build /app/prisma ./prisma` in another: the folders that the final image has
/// as they are in the context.
fn handed_on<'s>(repo: &'s Repo, service: &'s ServiceFacts) -> impl Iterator<Item = RepoPath> + 's {
    let image = &service.image;
    let is_all = image.copies.iter().any(|(source, _)| matches!(source.trim_end_matches('/'), "." | ""));
    let is_stage = |from: &str| {
        from.parse::<usize>().is_ok() || image.stages.iter().any(|stage| stage.eq_ignore_ascii_case(from))
    };
    let brought = image.brought.iter().filter(move |brought| is_all && is_stage(&brought.from));
    brought.filter_map(|brought| {
        // Where the context lies in the stage is not known; its own folders are.
        let parts: Vec<&str> = brought.source.split('/').filter(|part| !part.is_empty()).collect();
        let ends = (0..parts.len()).filter_map(|at| service.build.context.join(&parts[at..].join("/")));
        ends.into_iter().find(|folder| repo.is_folder(folder))
    })
}

/// What the images that it is built from have copied: its programs run with that code too.
fn inherited(bases: &[BaseFacts], origins: &[Origin]) -> Vec<RepoPath> {
    let mut brought = Vec::new();
    let mut open: Vec<&Origin> = origins.iter().collect();
    for _ in 0..MAX_STEPS {
        let made =
            open.iter().filter_map(|origin| bases.iter().find(|base| base.dockerfile == origin.dockerfile));
        let made: Vec<&BaseFacts> = made.collect();
        brought.extend(made.iter().flat_map(|base| base.brings.iter().cloned()));
        open = made.iter().flat_map(|base| &base.origins).collect();
    }
    brought
}

/// The folders that the manifests in a folder name, by a relative path or as modules of the same workspace.
fn named(repo: &Repo, folder: &RepoPath, modules: &Modules) -> BTreeSet<RepoPath> {
    let manifests = repo.files_in(folder).iter().filter(|file| services::is_manifest(file.name()));
    let mut found = BTreeSet::new();
    for manifest in manifests.take(MAX_MANIFESTS) {
        let Ok(text) = repo.text(manifest) else { continue };
        let base = manifest.parent().unwrap_or_default();
        found.extend(
            modules.named(repo, manifest, &text.text).into_iter().filter(|path| repo.is_folder(path)),
        );
        for path in relative_paths(&text.text) {
            let Some(path) = base.join(&path) else { continue };
            if repo.is_folder(&path) {
                found.insert(path);
            } else if repo.is_file(&path) && services::is_manifest(path.name()) {
                found.extend(path.parent());
            }
        }
    }
    found
}

/// `../common` of `path = "../common"`, `"file:../common"`, `Include="..\Common\Common.csproj"`, `=> ../common`.
fn relative_paths(text: &str) -> BTreeSet<String> {
    let ends = |c: char| c.is_whitespace() || "\"'<>(),;=:".contains(c);
    let text = text.replace('\\', "/");
    text.split(ends).filter(|word| word.starts_with("../")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::Scope;
    use crate::model::fact::What;

    #[test]
    fn folder_that_a_stage_hands_on_is_of_the_service() {
        let service = |name: &str| {
            format!(
                "//- /apps/{name}/Dockerfile\nFROM node AS build\nWORKDIR /app\nCOPY . .\nFROM node\nCOPY package.json ./\n\
                 COPY --from=build /app/dist ./dist\nCOPY --from=build /app/prisma ./prisma\n//- /apps/{name}/main.ts\n"
            )
        };
        let schema = "//- /package.json\n{}\n//- /prisma/schema.prisma\ndatasource db {\n provider = \"postgresql\"\n url = env(\"DATABASE_URL\")\n}\n\
                      //- /other/schema.prisma\ndatasource db {\n url = env(\"OTHER_URL\")\n}\n";
        let tree = format!("{}{}{schema}", service("orders"), service("users"));
        let facts =
            crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
        for service in &facts.services {
            let reads = service.facts.iter().filter_map(|fact| match &fact.what {
                What::EnvRead { name, .. } => Some(name.as_str()),
                _ => None,
            });
            assert_eq!(reads.collect::<Vec<_>>(), ["DATABASE_URL"], "{}", service.name);
        }
        assert_eq!(facts.services.len(), 2);
    }

    #[test]
    fn what_the_image_below_copies_is_of_all_that_are_built_from_it() {
        let service = |name: &str| {
            format!(
                "//- /images/{name}/Dockerfile\nFROM shop/shop-base:latest\nCOPY ./{name}/urls.py /app/\nCMD [\"run\"]\n//- /images/{name}/urls.py\nx = 1\n"
            )
        };
        let tree =
            "//- /images/shop_base/Dockerfile\nFROM python:3.12\nCOPY ./common/ /app/\nENV DB_HOST=db\n\
                    //- /images/common/settings.py\nimport os\nHOST = os.environ[\"DB_HOST\"]\n"
                .to_owned()
                + &service("api")
                + &service("web");
        let facts =
            crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
        let reads = |service: &ServiceFacts| {
            service
                .facts
                .iter()
                .any(|fact| matches!(&fact.what, What::EnvRead { name, .. } if name == "DB_HOST"))
        };
        assert_eq!(facts.services.iter().filter(|service| reads(service)).count(), 2);
    }

    #[test]
    fn what_is_copied_from_a_service_further_in_is_of_both() {
        let tree = "//- /orders/Dockerfile\nFROM python\nCOPY main.py ./\nCOPY worker/tasks ./tasks\nCMD [\"python\", \"main.py\"]\n\
                    //- /orders/main.py\nx = 1\n\
                    //- /orders-admin/Dockerfile\nFROM python\nCOPY main.py ./\nCMD [\"python\", \"main.py\"]\n\
                    //- /orders-admin/main.py\nx = 1\n\
                    //- /orders/worker/Dockerfile\nFROM python\nCOPY . .\nCMD [\"python\", \"run.py\"]\n\
                    //- /orders/worker/run.py\nx = 1\n\
                    //- /orders/worker/tasks/queue.py\nimport os\nQUEUE = os.environ[\"QUEUE_NAME\"]\n";
        let facts =
            crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default())
                .expect("is read");
        let reads = |fact: &Fact| matches!(&fact.what, What::EnvRead { name, .. } if name == "QUEUE_NAME");
        let readers = facts.services.iter().filter(|service| service.facts.iter().any(reads));
        assert_eq!(readers.map(|service| service.name.as_str()).collect::<Vec<_>>(), ["orders", "worker"]);
    }

    #[test]
    fn what_is_copied_from_a_service_by_the_one_at_the_root_is_of_both() {
        let tree = "//- /Dockerfile\nFROM python\nCOPY main.py ./\nCOPY worker/tasks ./tasks\nCMD [\"python\", \"main.py\"]\n//- /main.py\nx = 1\n\
                    //- /worker/Dockerfile\nFROM python\nCOPY . .\nCMD [\"python\", \"run.py\"]\n//- /worker/run.py\nx = 1\n\
                    //- /worker/tasks/queue.py\nimport os\nQUEUE = os.environ[\"QUEUE_NAME\"]\n";
        let facts =
            crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default())
                .expect("is read");
        let reads = |fact: &Fact| matches!(&fact.what, What::EnvRead { name, .. } if name == "QUEUE_NAME");
        assert_eq!(facts.services.iter().filter(|service| service.facts.iter().any(reads)).count(), 2);
    }

    #[test]
    fn paths_in_manifests_are_found_in_all_notations() {
        let text = "shared = { path = \"../shared\" }\n\"common\": \"file:../common\"\n\
                    <ProjectReference Include=\"..\\..\\Core\\Core.csproj\" />\nreplace example.org/x => ../x\n";
        let wanted = ["../../Core/Core.csproj", "../common", "../shared", "../x"].map(str::to_owned);
        assert_eq!(relative_paths(text), BTreeSet::from(wanted));
    }
}
