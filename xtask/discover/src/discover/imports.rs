//! Follows the imports of a Go program inside its own module: the packages that it is built from, and the variables
//! whose names these keep as constants. Says nothing about other modules.

use std::borrow::Cow;
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

/// The packages of its own modules that a source file imports, and the reads that may be through one of their constants.
#[derive(Debug, Clone, Default)]
pub(super) struct Imports {
    packages: Vec<Package>,
    reads: Vec<Through>,
}

/// An imported package.
#[derive(Debug, Clone)]
struct Package {
    /// The folder of the module that both belong to.
    module: RepoPath,
    folder: RepoPath,
    /// Its name in the file that imports it.
    alias: String,
}

/// A read of the variable whose name a package keeps as a constant.
#[derive(Debug, Clone)]
struct Through {
    alias: String,
    constant: String,
    line: u32,
}

impl Imports {
    /// Those of the file with this text.
    pub(super) fn of(repo: &Repo, modules: &Modules, file: &RepoPath, text: &str) -> Imports {
        let mut packages = Vec::new();
        for folder in file.ancestors().skip(1) {
            if let Some(Some(prefix)) = modules.prefixes.get(&folder) {
                packages.extend(packages_of(repo, &folder, prefix, text));
            }
        }
        let through = |found: regex::Captures<'_>| {
            let (package, constant) = (found.name("package")?, found.name("constant")?);
            let line = line_at(text, constant.start());
            Some(Through { alias: package.as_str().to_owned(), constant: constant.as_str().to_owned(), line })
        };
        let reads = if packages.is_empty() {
            Vec::new()
        } else {
            READ.all(text, usize::MAX).filter_map(through).collect()
        };
        Imports { packages, reads }
    }
}

fn packages_of(repo: &Repo, module: &RepoPath, prefix: &str, text: &str) -> Vec<Package> {
    if !holds(text, prefix) {
        return Vec::new();
    }
    let one = |found: regex::Captures<'_>| {
        let inside = found.name("path")?.as_str().strip_prefix(&prefix[1..])?;
        let folder = module.join(inside).filter(|folder| repo.is_folder(folder))?;
        let alias = found.name("alias").map_or(folder.name(), |alias| alias.as_str()).to_owned();
        Some(Package { module: module.clone(), folder, alias })
    };
    IMPORT.all(text, usize::MAX).filter_map(one).collect()
}

/// The modules of the repository.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Under which paths their packages are imported, with the quote in front and the slash behind, by the modules'
    /// folders; `None` where a module does not say it.
    prefixes: BTreeMap<RepoPath, Option<String>>,
}

impl Modules {
    /// All of them.
    pub(super) fn of(repo: &Repo) -> Modules {
        let files = repo.files().filter(|file| file.name() == "go.mod");
        let one = |file: &RepoPath| Some((file.parent()?, prefix(&repo.text(file).ok()?.text)));
        Modules { prefixes: files.filter_map(one).collect() }
    }

    /// The folder of the module that a folder belongs to.
    fn above(&self, folder: &RepoPath) -> Option<RepoPath> {
        let module = folder.ancestors().find(|folder| self.prefixes.contains_key(folder))?;
        self.prefixes[&module].is_some().then_some(module)
    }
}

fn prefix(manifest: &str) -> Option<String> {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = line.split("//").next().unwrap_or_default().trim().trim_matches('"');
    (!path.is_empty()).then(|| format!("\"{path}/"))
}

/// What all source files import.
pub(super) struct Sources<'r> {
    pub(super) repo: &'r Repo,
    pub(super) modules: &'r Modules,
    /// Of the files that have been read already.
    pub(super) known: BTreeMap<RepoPath, Imports>,
}

impl Sources<'_> {
    fn imports(&self, file: &RepoPath) -> Option<Cow<'_, Imports>> {
        self.known.get(file).map(Cow::Borrowed).or_else(|| {
            let text = self.repo.text(file).ok()?.text;
            Some(Cow::Owned(Imports::of(self.repo, self.modules, file, &text)))
        })
    }

    /// What the program in a service's folder imports; nothing where no module lies above it.
    pub(super) fn of(&self, service: &ServiceFacts) -> Imported {
        let mut found = Imported::default();
        let Some(module) = self.modules.above(&service.path) else { return found };
        let mut names = Constants { repo: self.repo, known: BTreeMap::new() };
        let mut next: Vec<RepoPath> = sources(self.repo, &service.path).take(MAX_FILES).cloned().collect();
        while let Some(file) = next.pop() {
            let Some(imports) = self.imports(&file) else { continue };
            for package in imports.packages.iter().filter(|package| package.module == module) {
                let folder = &package.folder;
                found.reads.extend(names.read(&file, &imports.reads, package));
                let is_new = !folder.is_in(&service.path) && !found.folders.contains(folder);
                if is_new && found.folders.len() < MAX_PACKAGES {
                    let depth = folder.depth() + 1;
                    next.extend(sources(self.repo, folder).filter(|file| file.depth() == depth).cloned());
                    found.folders.insert(folder.clone());
                }
            }
        }
        found
    }
}

/// Whether a file may be one of those.
pub(super) fn is_source(file: &RepoPath) -> bool {
    file.extension() == "go"
}

fn sources<'r>(repo: &'r Repo, folder: &RepoPath) -> impl Iterator<Item = &'r RepoPath> {
    repo.files_in(folder).iter().filter(|file| is_source(file) && !is_noise(file))
}

/// The constants of packages that hold the names of variables.
struct Constants<'r> {
    repo: &'r Repo,
    known: BTreeMap<RepoPath, BTreeMap<String, String>>,
}

impl Constants<'_> {
    fn read(&mut self, file: &RepoPath, reads: &[Through], package: &Package) -> Vec<Fact> {
        let mut facts = Vec::new();
        for read in reads.iter().filter(|read| read.alias == package.alias) {
            let Some(name) = self.of(&package.folder).get(&read.constant) else { continue };
            facts.push(Fact {
                what: What::EnvRead { name: name.clone(), default: None, required: false },
                at: Evidence { path: file.clone(), line: read.line, rule: "go-env-constant" },
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
