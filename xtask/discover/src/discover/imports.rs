//! Follows the imports of a Go program inside the modules here, its own and those that `replace` and `go.work` put beside
//! it: the packages that it is built from, and the variables whose names these keep as constants. Says nothing about
//! modules that lie elsewhere.

mod aliases;
mod idle;
pub(super) mod scripts;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use self::scripts::{Import, Libraries, Taken};
use super::findings::is_variable;
use super::lang::{Pattern, holds, is_noise, line_at};
use crate::model::fact::{BaseFacts, Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::repo::Repo;

pub(super) use idle::leave_out as leave_out_idle;

/// A program of more packages or files is a monorepo of its own.
const MAX_PACKAGES: usize = 400;
const MAX_FILES: usize = 3_000;

/// More modules beside one are not looked at.
const MAX_MODULES: usize = 200;

/// What a program takes from other folders of the modules here.
#[derive(Debug, Default)]
pub(super) struct Imported {
    /// Its packages outside its own folder; of one that is a module's root, its files.
    pub(super) folders: BTreeSet<RepoPath>,
    /// Reads of variables through constants of other packages.
    pub(super) reads: Vec<Fact>,
    /// The modules whose packages it could import.
    modules: Vec<RepoPath>,
}

impl Imported {
    /// Whether a folder holds code of Go of which the program takes what it imports, and no more: the compiler does not
    /// look at the rest.
    pub(super) fn decide(&self, repo: &Repo, folder: &RepoPath) -> bool {
        self.modules.iter().any(|module| folder.is_in(module)) && sources(repo, folder).next().is_some()
    }
}

static IMPORT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?m)^[ \t]*(?:import[ \t]+)?(?:(?P<alias>\w+)[ \t]+)?"(?P<path>[^"\n]+)"[ \t\r]*(?://.*)?$"#,
    )
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
    /// The file is one of a program, not of a package for others.
    is_program: bool,
}

/// An imported package.
#[derive(Debug, Clone)]
struct Package {
    /// The folder of its module.
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
            for (module, path) in modules.seen_from(&folder) {
                packages.extend(packages_of(repo, module, path, text));
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
        let is_program = is_program(text);
        Imports { packages, reads, is_program }
    }
}

/// Whether a file of Go is one of the package that a program is: no other line of it can begin so.
fn is_program(text: &str) -> bool {
    const PACKAGE: &str = "package main";
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, PACKAGE).any(|at| {
        let is_line = at == 0 || bytes[at - 1] == b'\n';
        is_line && bytes.get(at + PACKAGE.len()).is_none_or(u8::is_ascii_whitespace)
    })
}

fn packages_of(repo: &Repo, module: &RepoPath, path: &str, text: &str) -> Vec<Package> {
    if !holds(text, path) {
        return Vec::new();
    }
    let one = |found: regex::Captures<'_>| {
        let inside = found.name("path")?.as_str().strip_prefix(&path[1..])?;
        let inside = if inside.is_empty() { inside } else { inside.strip_prefix('/')? };
        let folder = module.join(inside).filter(|folder| repo.is_folder(folder))?;
        let alias = found.name("alias").map_or(folder.name(), |alias| alias.as_str()).to_owned();
        Some(Package { module: module.clone(), folder, alias })
    };
    IMPORT.all(text, usize::MAX).filter_map(one).collect()
}

/// The modules of the repository, by their folders.
#[derive(Debug, Default)]
pub(super) struct Modules(BTreeMap<RepoPath, Module>);

/// One of them.
#[derive(Debug, Default)]
struct Module {
    /// Under which its packages are imported, with the quote in front; `None` where the module does not say it.
    path: Option<String>,
    /// The folders of others that it takes in place of those elsewhere.
    beside: Vec<RepoPath>,
}

impl Modules {
    /// All of them.
    pub(super) fn of(repo: &Repo) -> Modules {
        let files = |name: &'static str| repo.files().filter(move |file| file.name() == name);
        let one = |file: &RepoPath| {
            let (folder, text) = (file.parent()?, repo.text(file).ok()?.text);
            let beside = local_paths(repo, &folder, &text);
            Some((folder, Module { path: path(&text), beside }))
        };
        let mut modules = Modules(files("go.mod").filter_map(one).collect());
        for workspace in files("go.work") {
            let (Some(folder), Ok(text)) = (workspace.parent(), repo.text(workspace)) else { continue };
            let used = local_paths(repo, &folder, &text.text);
            for module in &used {
                let Some(module) = modules.0.get_mut(module) else { continue };
                module.beside.extend(used.iter().cloned());
            }
        }
        modules
    }

    /// The folder of the module that a folder belongs to.
    fn above(&self, folder: &RepoPath) -> Option<RepoPath> {
        let module = folder.ancestors().find(|folder| self.0.contains_key(folder))?;
        self.0[&module].path.is_some().then_some(module)
    }

    /// The module in that very folder and those beside it: where they lie, and under which paths they are imported.
    fn seen_from(&self, folder: &RepoPath) -> BTreeMap<&RepoPath, &str> {
        let Some((folder, module)) = self.0.get_key_value(folder) else { return BTreeMap::new() };
        let beside = module.beside.iter().take(MAX_MODULES);
        let all = std::iter::once(folder).chain(beside);
        all.filter_map(|folder| Some((folder, self.0.get(folder)?.path.as_deref()?))).collect()
    }
}

fn path(manifest: &str) -> Option<String> {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = line.split("//").next().unwrap_or_default().trim().trim_matches('"');
    (!path.is_empty()).then(|| format!("\"{path}"))
}

/// The folders by which a module replaces others (`replace example.org/x => ../x`), or that a workspace uses (`use ./x`).
fn local_paths(repo: &Repo, folder: &RepoPath, text: &str) -> Vec<RepoPath> {
    let path = |line: &str| {
        let line = line.split("//").next().unwrap_or_default();
        let last = line.split_whitespace().next_back()?.trim_matches('"');
        let is_path = last == "." || last.starts_with("./") || last.starts_with("../");
        folder.join(last.trim_end_matches('/')).filter(|path| is_path && repo.is_folder(path))
    };
    text.lines().filter_map(path).collect()
}

/// What all source files import.
pub(super) struct Sources<'r> {
    pub(super) repo: &'r Repo,
    pub(super) modules: &'r Modules,
    /// The images that services are built from.
    pub(super) bases: &'r [BaseFacts],
    /// Of the files that have been read already.
    pub(super) known: BTreeMap<RepoPath, Imports>,
    /// The folders from which scripts may import.
    pub(super) libraries: &'r Libraries,
    /// What those import from there that have been read already.
    pub(super) scripts: BTreeMap<RepoPath, Vec<Import>>,
}

impl Sources<'_> {
    fn imports(&self, file: &RepoPath) -> Option<Cow<'_, Imports>> {
        self.known.get(file).map(Cow::Borrowed).or_else(|| {
            let text = self.repo.text(file).ok()?.text;
            Some(Cow::Owned(Imports::of(self.repo, self.modules, file, &text)))
        })
    }

    /// What the scripts in a service's folder import from folders beside it.
    pub(super) fn taken(&self, service: &ServiceFacts) -> Taken {
        if self.scripts.is_empty() || service.path.is_root() {
            return Taken::default();
        }
        let own = self.repo.files_in(&service.path).iter();
        self.libraries.follow(self.repo, own.filter_map(|file| self.scripts.get(file)).flatten().collect())
    }

    /// What the program in a service's folder imports; nothing where no module lies above it.
    pub(super) fn of(&self, service: &ServiceFacts) -> Imported {
        let mut found = Imported::default();
        let Some(module) = self.modules.above(&service.path) else { return found };
        let mut names = Constants { repo: self.repo, known: BTreeMap::new() };
        let mut next: Vec<RepoPath> = sources(self.repo, &service.path).take(MAX_FILES).cloned().collect();
        if next.is_empty() {
            return found;
        }
        found.modules = self.modules.seen_from(&module).into_keys().cloned().collect();
        let mut packages: BTreeSet<RepoPath> = BTreeSet::new();
        while let Some(file) = next.pop() {
            let Some(imports) = self.imports(&file) else { continue };
            let known = |package: &&Package| found.modules.contains(&package.module);
            for package in imports.packages.iter().filter(known) {
                let folder = &package.folder;
                found.reads.extend(names.read(&file, &imports.reads, package));
                let is_new = !folder.is_in(&service.path) && !packages.contains(folder);
                if is_new && packages.len() < MAX_PACKAGES {
                    let depth = folder.depth() + 1;
                    let own = sources(self.repo, folder).filter(|file| file.depth() == depth).cloned();
                    let own: Vec<RepoPath> = own.collect();
                    // Below the root of a module lie packages that are not imported with it.
                    if *folder == package.module {
                        found.folders.extend(own.iter().cloned());
                    } else {
                        found.folders.insert(folder.clone());
                    }
                    next.extend(own);
                    packages.insert(folder.clone());
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

    /// What a service reads, each with its place.
    fn reads(tree: &str, name: &str) -> Vec<String> {
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let service = facts.services.iter().find(|service| service.name == name).expect("is found");
        let read = |fact: &Fact| match &fact.what {
            What::EnvRead { name, .. } => Some(format!("{name} {}", fact.at)),
            _ => None,
        };
        service.facts.iter().filter_map(read).collect()
    }

    /// Two modules beside one that both are built with, `more` in the folder above.
    fn beside(orders_mod: &str, more: &str) -> String {
        let service = |name: &str, manifest: &str, import: &str| {
            format!(
                "//- /{name}/Dockerfile\nFROM golang\nCOPY common common\nCOPY {name} {name}\n//- /{name}/go.mod\nmodule example.org/{name}\n{manifest}\n\
                 //- /{name}/main.go\npackage main\nimport \"example.org/{import}\"\n"
            )
        };
        let orders = service("orders", orders_mod, "common/queue");
        let users = service("users", orders_mod, "common");
        format!(
            "{orders}{users}//- /common/go.mod\nmodule example.org/common\n\
             //- /common/common.go\npackage common\nvar region = os.Getenv(\"REGION\")\n\
             //- /common/queue/queue.go\npackage queue\nvar url = os.Getenv(\"QUEUE_URL\")\n\
             //- /common/vault/vault.go\npackage vault\nvar url = os.Getenv(\"VAULT_ADDR\")\n{more}"
        )
    }

    #[test]
    fn program_takes_of_a_module_beside_it_what_it_imports() {
        let replaced = beside("replace example.org/common => ../common // as it is here", "");
        let used = beside("", "//- /go.work\ngo 1.24\nuse (\n\t./common\n\t./orders\n\t./users\n)\n");
        for tree in [replaced, used] {
            assert_eq!(reads(&tree, "orders"), ["QUEUE_URL common/queue/queue.go:2"]);
            assert_eq!(reads(&tree, "users"), ["REGION common/common.go:2"]);
        }
    }

    #[test]
    fn module_to_which_nothing_points_is_taken_as_a_whole() {
        assert_eq!(reads(&beside("", ""), "orders").len(), 3);
    }

    #[test]
    fn program_reads_what_its_packages_read_and_no_other() {
        let reads = |name: &str| reads(TREE, name);
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
