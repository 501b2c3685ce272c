//! Follows the imports of a Go program inside its own module: the packages that it is built from, and the variables
//! whose names these keep as constants. Says nothing about other modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::findings::is_variable;
use super::lang::{Pattern, holds, is_noise, line_at};
use crate::model::fact::{Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// A program of more packages or files is a monorepo of its own.
const MAX_PACKAGES: usize = 400;
const MAX_FILES: usize = 3_000;

/// What a program takes from other folders of its module.
#[derive(Debug, Default)]
pub(super) struct Imported {
    /// Its packages outside its own folder.
    pub(super) folders: BTreeSet<RepoPath>,
    /// Reads of variables through constants of other packages.
    pub(super) reads: Vec<Fact>,
}

static IMPORT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"(?m)^[ \t]*(?:import[ \t]+)?(?:(?P<alias>\w+)[ \t]+)?"(?P<path>[^"\n]+)"[ \t\r]*$"#)
});
/// `os.Getenv(constants.KafkaBrokers)`.
static READ: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"\b(?:Getenv|LookupEnv|BindEnv|viper\.Get\w*)\(\s*(?P<package>\w+)\.(?P<constant>[A-Z]\w*)\s*\)",
    )
});
static CONSTANT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?m)^[ \t]*(?:const[ \t]+)?(?P<constant>[A-Z]\w*)[ \t]*(?:string[ \t]*)?=[ \t]*"(?P<name><KEY>)"[ \t\r]*$"#,
    )
});

/// What the program in a service's folder imports; nothing where no module lies above it.
pub(super) fn of(repo: &Repo, service: &ServiceFacts) -> Imported {
    let mut found = Imported::default();
    let Some(module) = Module::above(repo, &service.path) else { return found };
    let mut names = Constants { repo, known: BTreeMap::new() };
    let mut next: Vec<RepoPath> = sources(repo, &service.path).take(MAX_FILES).cloned().collect();
    while let Some(file) = next.pop() {
        let Ok(text) = repo.text(&file) else { continue };
        for (alias, folder) in module.imported(repo, &text.text) {
            found.reads.extend(names.read(&file, &text.text, &alias, &folder));
            let is_new = !folder.is_in(&service.path) && !found.folders.contains(&folder);
            if is_new && found.folders.len() < MAX_PACKAGES {
                let depth = folder.depth() + 1;
                next.extend(sources(repo, &folder).filter(|file| file.depth() == depth).cloned());
                found.folders.insert(folder);
            }
        }
    }
    found
}

fn sources<'r>(repo: &'r Repo, folder: &RepoPath) -> impl Iterator<Item = &'r RepoPath> {
    repo.files_in(folder).iter().filter(|file| file.extension() == "go" && !is_noise(file))
}

/// A module: where it lies and under which path its packages are imported.
struct Module {
    folder: RepoPath,
    /// With the quote in front of it and the slash behind it.
    prefix: String,
}

impl Module {
    fn above(repo: &Repo, folder: &RepoPath) -> Option<Module> {
        let file = |folder: &RepoPath| folder.join("go.mod").filter(|file| repo.is_file(file));
        let (folder, file) = folder.ancestors().find_map(|folder| Some((folder.clone(), file(&folder)?)))?;
        let text = repo.text(&file).ok()?.text;
        let line = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
        let path = line.split("//").next().unwrap_or_default().trim().trim_matches('"');
        (!path.is_empty()).then(|| Module { folder, prefix: format!("\"{path}/") })
    }

    /// The packages of this module that a file imports, with the names under which it uses them.
    fn imported(&self, repo: &Repo, text: &str) -> Vec<(String, RepoPath)> {
        if !holds(text, &self.prefix) {
            return Vec::new();
        }
        let one = |found: regex::Captures<'_>| {
            let path = found.name("path")?.as_str();
            let inside = path.strip_prefix(&self.prefix[1..])?;
            let folder = self.folder.join(inside).filter(|folder| repo.is_folder(folder))?;
            let alias = found.name("alias").map_or(folder.name(), |alias| alias.as_str()).to_owned();
            Some((alias, folder))
        };
        IMPORT.all(text, usize::MAX).filter_map(one).collect()
    }
}

/// The constants of packages that hold the names of variables.
struct Constants<'r> {
    repo: &'r Repo,
    known: BTreeMap<RepoPath, BTreeMap<String, String>>,
}

impl Constants<'_> {
    fn read(&mut self, file: &RepoPath, text: &str, alias: &str, folder: &RepoPath) -> Vec<Fact> {
        let mut facts = Vec::new();
        for found in READ.all(text, usize::MAX) {
            let (Some(package), Some(constant)) = (found.name("package"), found.name("constant")) else {
                continue;
            };
            if package.as_str() != alias {
                continue;
            }
            let Some(name) = self.of(folder).get(constant.as_str()) else { continue };
            let line = line_at(text, constant.start());
            facts.push(Fact {
                what: What::EnvRead { name: name.clone(), default: None, required: false },
                at: Evidence { path: file.clone(), line, rule: "go-env-constant" },
                subject: Subject::Here,
            });
        }
        facts
    }

    fn of(&mut self, folder: &RepoPath) -> &BTreeMap<String, String> {
        let repo = self.repo;
        self.known.entry(folder.clone()).or_insert_with(|| {
            let depth = folder.depth() + 1;
            let mut constants = BTreeMap::new();
            for file in sources(repo, folder).filter(|file| file.depth() == depth) {
                let Ok(text) = repo.text(file) else { continue };
                for found in CONSTANT.all(&text.text, usize::MAX).take(500) {
                    let (Some(constant), Some(name)) = (found.name("constant"), found.name("name")) else {
                        continue;
                    };
                    if is_variable(name.as_str()) {
                        constants.insert(constant.as_str().to_owned(), name.as_str().to_owned());
                    }
                }
            }
            constants
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};

    const TREE: &str = "//- /go.mod\nmodule example.org/shop // the shop\n\
        //- /cmd/orders/Dockerfile\nFROM x\n\
        //- /cmd/orders/main.go\npackage main\nimport (\n\t\"os\"\n\t\"example.org/shop/internal/queue\"\n\tnames \"example.org/shop/pkg/constants\"\n)\n\
        var brokers = os.Getenv(names.KafkaBrokers)\n\
        //- /cmd/users/Dockerfile\nFROM x\n//- /cmd/users/main.go\npackage main\n\
        //- /internal/queue/queue.go\npackage queue\nimport \"example.org/shop/internal/log\"\nvar url = os.Getenv(\"QUEUE_URL\")\n\
        //- /internal/log/log.go\npackage log\nvar level = os.Getenv(\"LOG_LEVEL\")\n\
        //- /internal/other/other.go\npackage other\nvar x = os.Getenv(\"OTHER\")\n\
        //- /pkg/constants/constants.go\npackage constants\nconst (\n\tKafkaBrokers = \"KAFKA_BROKERS\"\n\tRedisAddr = \"REDIS_ADDR\"\n)\n";

    #[test]
    fn patterns_are_valid() {
        assert!(IMPORT.is_valid() && READ.is_valid() && CONSTANT.is_valid());
    }

    #[test]
    fn program_reads_what_its_packages_read_and_no_other() {
        let facts =
            discover(&Repo::from_fixture(TREE), &Catalog::default(), &Scope::default()).expect("is read");
        let reads = |name: &str| -> Vec<String> {
            let service = facts.services.iter().find(|service| service.name == name).expect("is found");
            let read = |fact: &Fact| match &fact.what {
                What::EnvRead { name, .. } => Some(format!("{name} {}", fact.at)),
                _ => None,
            };
            service.facts.iter().filter_map(read).collect()
        };
        assert_eq!(
            reads("orders"),
            [
                "KAFKA_BROKERS cmd/orders/main.go:7",
                "LOG_LEVEL internal/log/log.go:2",
                "QUEUE_URL internal/queue/queue.go:3",
            ]
        );
        assert_eq!(reads("users"), Vec::<String>::new());
    }
}
