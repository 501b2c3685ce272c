//! Which of several programs in one folder a file belongs to: those whose images hold it. Looks at paths only.

use super::{context, inputs, language};
use crate::discover::migrating;
use crate::model::fact::ServiceFacts;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// What the image of each service holds of the sources here; nothing where that is not known.
pub(in crate::discover) struct Held(Vec<Option<Vec<RepoPath>>>);

impl Held {
    pub(in crate::discover) fn of(repo: &Repo, services: &[ServiceFacts]) -> Self {
        Held(services.iter().map(|service| parts(repo, service)).collect())
    }

    /// Those of `owners` whose images hold a source or a manifest, or may hold it; all, of every other file.
    pub(in crate::discover) fn owners(&self, owners: &[usize], file: &RepoPath) -> Vec<usize> {
        let is_code = language::is_source(file)
            || inputs::is_manifest_or_lock(file.as_str())
            || file.parent().is_some_and(|folder| folder.name() == "requirements");
        let holds = |at: &&usize| {
            let parts = self.0.get(**at).and_then(Option::as_ref);
            parts.is_none_or(|parts| parts.iter().any(|part| file.is_in(part)))
        };
        owners.iter().filter(|at| !is_code || holds(at)).copied().collect()
    }
}

/// The files and folders that an image copies, where it names each of them. Not of a migration tool: it needs the
/// database of the program beside it, whose sources say which one that is.
fn parts(repo: &Repo, service: &ServiceFacts) -> Option<Vec<RepoPath>> {
    let start: Vec<&str> = service.start().map(String::as_str).collect();
    if migrating::called(&start.join(" ")).is_some() {
        return None;
    }
    let copies = &service.image.copies;
    let is_named = |(source, _): &(String, u32)| {
        let plain = !source.contains(['$', '*', '?', '[']) && !context::is_built(source);
        let path = service.build.context.join(source.trim_start_matches('/')).filter(|_| plain)?;
        (path != service.build.context && (repo.is_file(&path) || repo.is_folder(&path))).then_some(path)
    };
    let parts: Option<Vec<RepoPath>> = copies.iter().map(is_named).collect();
    let is_mounted = service.image.runs.iter().any(|run| run.contains("--mount=type=bind"));
    parts.filter(|parts| {
        let has_code = |part: &&RepoPath| repo.is_folder(part) && part.is_in(&service.path);
        !is_mounted
            && !parts.iter().any(|part| service.path.is_in(part))
            && parts.iter().any(|part| has_code(&part))
    })
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    fn reads(copies_of_models: &str) -> Vec<String> {
        let tree = format!(
            "//- /backend/Dockerfile\nFROM python:3.13\nCOPY requirements/default.txt r.txt\nCOPY ./shop ./shop\nCOPY ./shared ./shared\nCMD [\"python\", \"-m\", \"shop\"]\n\
             //- /backend/Dockerfile.models\nFROM python:3.13\n{copies_of_models}CMD [\"python\", \"-m\", \"models\"]\n\
             //- /backend/requirements/default.txt\nredis==5.0\n//- /backend/requirements/models.txt\ntorch==2.0\n\
             //- /backend/shop/__init__.py\nimport os\nHOST = os.environ[\"REDIS_HOST\"]\n\
             //- /backend/shop/log.py\nimport os\nLEVEL = os.environ[\"LOG_LEVEL\"]\n\
             //- /backend/shared/settings.py\nimport os\nPORT = os.environ[\"MODEL_PORT\"]\n\
             //- /backend/models/__init__.py\nimport os\nDEVICE = os.environ[\"DEVICE\"]\n"
        );
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
        let one = |service: &crate::model::fact::ServiceFacts| {
            let mut said: Vec<&str> = service
                .facts
                .iter()
                .filter_map(|fact| match &fact.what {
                    What::EnvRead { name, .. } => Some(name.as_str()),
                    What::Driver { kind, .. } => Some(kind.as_str()),
                    _ => None,
                })
                .collect();
            said.sort_unstable();
            format!("{}: {}", service.name, said.join(" "))
        };
        facts.services.iter().map(one).collect()
    }

    #[test]
    fn programs_of_one_folder_have_what_their_images_hold() {
        let named = "COPY requirements/models.txt r.txt\nCOPY ./shop/log.py ./shop/\nCOPY ./shared ./shared\nCOPY ./models ./models\n";
        assert_eq!(
            reads(named),
            ["backend: LOG_LEVEL MODEL_PORT REDIS_HOST redis", "backend-models: DEVICE LOG_LEVEL MODEL_PORT"]
        );
    }

    #[test]
    fn migration_tool_needs_what_the_program_beside_it_does() {
        let only = "COPY ./models ./models\nENTRYPOINT [\"alembic\", \"upgrade\", \"head\"]\n";
        assert_eq!(reads(only)[1], "backend-models: DEVICE LOG_LEVEL MODEL_PORT REDIS_HOST redis");
    }

    #[test]
    fn image_that_copies_all_has_all() {
        assert_eq!(reads("COPY . .\n")[1], "backend-models: DEVICE LOG_LEVEL MODEL_PORT REDIS_HOST redis");
        // Which of the files that a pattern means are code of the program is not known.
        assert_eq!(reads("COPY m*/ ./\n")[1], "backend-models: DEVICE LOG_LEVEL MODEL_PORT REDIS_HOST redis");
    }
}
