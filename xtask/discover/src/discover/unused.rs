//! The addresses that a library reads for some of the services that are built from it: a package of clients for all others,
//! or one file of settings for the whole system. Says of each service which of them its code has no use for; takes nothing
//! away.

mod listed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::names::Names;
use super::services::is_test_path;
use crate::model::fact::{Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::noise::is_noise;
use crate::parallel::in_parallel;
use crate::repo::Repo;

const RULE: &str = "library-of-many";

/// A library that reads the addresses of fewer services is written for those that need them.
const MANY: usize = 3;

/// In larger programs somebody is likely to use it.
const MAX_FILES: usize = 2_000;

/// The languages whose names are followed, by the endings of their files.
const SOURCES: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "py", "ts", "tsx"];

/// The last words of variables that hold an address or a part of one, longest first.
const ENDINGS: &[&str] = &["_BASE_URL", "_API_URL", "_ENDPOINT", "_HOST", "_ADDR", "_PORT", "_URI", "_URL"];

/// What a file makes known to others.
static EXPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^(?:export\s+(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:class|function|const|let|enum)\s+(\w+)|(?:class|(?:async\s+)?def)\s+(\w+)|(?:module\.)?exports\.(\w+)\s*=|([A-Za-z]\w*)\s*(?::[^=\n]+)?=[^=])",
    )
    .ok()
});

/// One file of sources: its words, and those of them that others know it by.
struct File {
    path: RepoPath,
    words: BTreeSet<String>,
    /// The words, folded, each with whether it is written as a constant.
    folded: BTreeSet<(String, bool)>,
    exports: BTreeSet<String>,
}

/// What several services look at, read once.
struct Read<'f> {
    /// The files of services and libraries by folder; `None` where they are too many.
    folders: BTreeMap<RepoPath, Option<Vec<File>>>,
    /// By file and variable, what the file calls it.
    called: BTreeMap<(&'f RepoPath, &'f str), BTreeSet<String>>,
}

impl<'f> Read<'f> {
    fn of(repo: &Repo, folders: BTreeSet<RepoPath>, reads: BTreeSet<(&'f RepoPath, &'f str)>) -> Read<'f> {
        let folders: Vec<RepoPath> = folders.into_iter().collect();
        let files = in_parallel(folders.iter().collect(), |folder| files(repo, folder));
        let mut by_file: BTreeMap<&RepoPath, Vec<&str>> = BTreeMap::new();
        for (path, name) in reads {
            by_file.entry(path).or_default().push(name);
        }
        let called = in_parallel(by_file.into_iter().collect(), |(path, names)| {
            let text = repo.text(path).map(|file| file.text).unwrap_or_default();
            names.iter().map(|name| ((*path, *name), called(&text, name))).collect::<Vec<_>>()
        });
        Read {
            folders: folders.into_iter().zip(files).collect(),
            called: called.into_iter().flatten().collect(),
        }
    }
}

/// A variable that only a library reads, and the words before its ending, joined: `ORDERS_SERVICE_URL`, `ordersservice`.
struct Foreign<'f> {
    name: &'f str,
    /// The whole name, folded.
    folded: String,
    stem: String,
    at: &'f Evidence,
}

/// Adds to each service what the libraries that it is built from read for others.
pub(super) fn settle(repo: &Repo, services: &mut [ServiceFacts], libraries: &BTreeMap<RepoPath, Vec<usize>>) {
    let names = Names::of(services);
    let foreign = in_parallel(services.iter().collect(), |service| foreign(service, &names, libraries));
    let all: Vec<(usize, BTreeMap<RepoPath, Vec<Foreign<'_>>>)> =
        foreign.into_iter().enumerate().filter(|(_, libraries)| !libraries.is_empty()).collect();
    let home = |at: usize| &services[at].path;
    let folders = all.iter().flat_map(|(at, libraries)| libraries.keys().chain([home(*at)]));
    let reads = all.iter().flat_map(|(_, libraries)| libraries.values().flatten());
    let reads = reads.map(|read| (&read.at.path, read.name)).collect();
    let read = Read::of(repo, folders.cloned().collect(), reads);
    let found = in_parallel(all, |(at, foreign)| {
        let of_one = |(library, reads): (&RepoPath, &Vec<_>)| of_library(&read, (home(*at), library), reads);
        (*at, foreign.iter().flat_map(of_one).collect::<Vec<_>>())
    });
    let listed = listed::settle(services, &names, libraries);
    for (at, unused) in found.into_iter().chain(listed) {
        services[at].facts.extend(unused);
    }
}

/// What an address is about, as its name says: `ORDERS_SERVICE` of `ORDERS_SERVICE_URL`.
fn stem(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// By library, the addresses of other services that it reads for this one, where they are many.
fn foreign<'f>(
    service: &'f ServiceFacts,
    names: &Names,
    libraries: &BTreeMap<RepoPath, Vec<usize>>,
) -> BTreeMap<RepoPath, Vec<Foreign<'f>>> {
    let mut all: BTreeMap<RepoPath, Vec<Foreign<'f>>> = BTreeMap::new();
    let mut own: BTreeSet<&str> = BTreeSet::new();
    for fact in &service.facts {
        let What::EnvRead { name, .. } = &fact.what else { continue };
        if fact.at.path.is_in(&service.path) {
            own.insert(name);
            continue;
        }
        let Some(stem) = stem(name) else { continue };
        let is_source = SOURCES.contains(&fact.at.path.extension());
        // A file of settings may name services that are no longer there, or are called otherwise.
        if !is_source || names.find(stem).is_none() && !stem.ends_with("_SERVICE") {
            continue;
        }
        let library = fact.at.path.ancestors().skip(1).find(|folder| libraries.contains_key(folder));
        if let Some(library) = library {
            let one = Foreign { name, folded: folded(name), stem: folded(stem), at: &fact.at };
            all.entry(library).or_default().push(one);
        }
    }
    all.retain(|_, reads| {
        reads.retain(|read| !own.contains(read.name));
        reads.iter().map(|read| read.stem.as_str()).collect::<BTreeSet<_>>().len() >= MANY
    });
    all
}

/// The facts about those of the variables that neither the service nor what it takes from the library has a use for.
fn of_library(
    read_once: &Read<'_>,
    (service, library): (&RepoPath, &RepoPath),
    reads: &[Foreign<'_>],
) -> Vec<Fact> {
    let files = |folder: &RepoPath| read_once.folders.get(folder).and_then(Option::as_ref);
    let (Some(own), Some(theirs)) = (files(service), files(library)) else { return Vec::new() };
    let taken = taken(own, theirs);
    let together = |read: &Foreign<'_>| {
        let same = reads.iter().filter(|other| other.at.path == read.at.path);
        same.map(|other| other.stem.as_str()).collect::<BTreeSet<_>>().len() >= MANY
    };
    let is_used = |read: &Foreign<'_>| {
        if !together(read) {
            return taken.iter().any(|file| file.path == read.at.path);
        }
        let called = read_once.called.get(&(&read.at.path, read.name));
        let others = taken.iter().copied().filter(|file| file.path != read.at.path).chain(own);
        let mut others = others.into_iter();
        others.any(|file| {
            called.is_some_and(|called| !file.words.is_disjoint(called))
                || file.folded.iter().any(|word| names(word, read))
        })
    };
    let unused = reads.iter().filter(|read| !is_used(read));
    let fact = |read: &Foreign<'_>| Fact {
        what: What::Unused { variable: read.name.to_owned() },
        at: Evidence { rule: RULE, ..read.at.clone() },
        subject: Subject::Here,
    };
    unused.map(fact).collect()
}

/// Whether a word in the code means what the variable holds: `FULL_ORDERS_SERVICE_URL`, `ordersServiceUrl`,
/// `OrdersServiceClient`; `ORDERS_SERVICE_DB` is another setting beside it, and `orders_service` may be any word.
fn names((word, is_constant): &(String, bool), read: &Foreign<'_>) -> bool {
    const OTHERS: &[&str] =
        &["address", "api", "client", "endpoint", "host", "http", "proxy", "stub", "uri", "url"];
    word.ends_with(&read.folded)
        || !is_constant
            && word
                .split_once(&read.stem)
                .is_some_and(|(_, rest)| OTHERS.iter().any(|other| rest.starts_with(other)))
}

/// What a file of settings calls a variable: the key to which it gives it, and the function around.
fn called(text: &str, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut function: Option<&str> = None;
    for line in text.lines() {
        let words =
            || line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        if let Some((_, after)) = KEYWORDS.iter().find_map(|word| line.trim_start().split_once(word)) {
            function =
                after.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| !word.is_empty());
        }
        if words().any(|word| word == name) {
            let key = words().next().filter(|key| *key != name && !LEADING.contains(key));
            let function = function.filter(|function| !MAKERS.contains(function));
            found.extend(key.into_iter().chain(function).filter(|key| key.len() > 2).map(str::to_owned));
        }
    }
    found
}

/// What stands in front of the name of a function.
const KEYWORDS: &[&str] = &["def ", "function ", "get "];

/// Functions that every class has: their names say nothing about what they hold.
const MAKERS: &[&str] = &["__init__", "__new__", "__post_init__", "constructor"];

/// First words of lines that are no names.
const LEADING: &[&str] = &["const", "export", "if", "let", "process", "return", "self", "this", "var"];

fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

/// The files of the library that the service's code takes something from, also through others of them.
fn taken<'t>(own: &[File], library: &'t [File]) -> Vec<&'t File> {
    let mut words: BTreeSet<&str> = own.iter().flat_map(|file| &file.words).map(String::as_str).collect();
    let mut left: Vec<&File> = library.iter().collect();
    let mut taken = Vec::new();
    loop {
        let is_known = |file: &&File| file.exports.iter().any(|name| words.contains(name.as_str()));
        let (new, rest): (Vec<&File>, Vec<&File>) = left.into_iter().partition(is_known);
        if new.is_empty() {
            return taken;
        }
        words.extend(new.iter().flat_map(|file| &file.words).map(String::as_str));
        taken.extend(new);
        left = rest;
    }
}

/// The sources below a folder; `None` where they are too many.
fn files(repo: &Repo, folder: &RepoPath) -> Option<Vec<File>> {
    let wanted =
        |file: &&RepoPath| SOURCES.contains(&file.extension()) && !is_noise(file) && !is_test_path(file);
    let paths: Vec<&RepoPath> = repo.files_in(folder).iter().filter(wanted).take(MAX_FILES + 1).collect();
    if folder.is_root() || paths.len() > MAX_FILES {
        return None;
    }
    let file = |path: &RepoPath| {
        let text = repo.text(path).ok()?.text;
        let words = words(path, &text);
        let is_constant = |word: &str| !word.contains(|c: char| c.is_ascii_lowercase());
        let folded = words.iter().map(|word| (folded(word), is_constant(word))).collect();
        Some(File { path: path.clone(), words, folded, exports: exports(&text) })
    };
    Some(paths.into_iter().filter_map(file).collect())
}

/// The words of a file without the lines that only hand on what others export.
fn words(path: &RepoPath, text: &str) -> BTreeSet<String> {
    let hands_on = |line: &str| {
        line.starts_with("export") && line.contains(" from ")
            || path.name() == "__init__.py" && (line.starts_with("from ") || line.starts_with("import "))
    };
    let is_comment = |line: &str| ["//", "#", "*", "/*"].iter().any(|mark| line.starts_with(mark));
    let lines = text.lines().map(str::trim).filter(|line| !hands_on(line) && !is_comment(line));
    let words = lines.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words.filter(|word| word.len() > 2 && word.len() < 80).map(str::to_owned).collect()
}

fn exports(text: &str) -> BTreeSet<String> {
    let found = EXPORT.iter().flat_map(|export| export.captures_iter(text));
    found.filter_map(|one| one.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};

    /// The variables that each of the services has no use for.
    pub(super) fn unused(tree: &str) -> Vec<String> {
        let facts = discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let of = |service: ServiceFacts| {
            let name = service.name.clone();
            let one = move |fact: Fact| match fact.what {
                What::Unused { variable } => Some(format!("{name}:{variable}")),
                _ => None,
            };
            service.facts.into_iter().filter_map(one).collect::<Vec<_>>()
        };
        facts.expect("is read").services.into_iter().flat_map(of).collect()
    }

    fn services(manifest: &str, web: &str, users: &str) -> String {
        let all = [("web", web), ("users", users), ("orders", ""), ("stock", "")];
        let one = |(name, code): (&str, &str)| {
            let (file, rest) = code.split_once('\n').unwrap_or(("x.txt", ""));
            format!(
                "//- /{name}/Dockerfile\nFROM x\nCOPY {name} .\nCOPY shared shared\n//- /{name}/{manifest}\n{{}}\n//- /{name}/{file}\n{rest}\n"
            )
        };
        all.into_iter().map(one).collect()
    }

    #[test]
    fn clients_of_a_library_that_a_service_takes_are_its_own_needs() {
        let client = |name: &str, class: &str| {
            format!(
                "//- /shared/{name}.client.ts\nexport class {class}Client {{\n  url = process.env.{}_SERVICE_URL;\n}}\n",
                name.to_uppercase()
            )
        };
        let library: String = [("users", "Users"), ("orders", "Orders"), ("stock", "Stock")]
            .map(|(a, b)| client(a, b))
            .concat();
        let barrel = "//- /shared/index.ts\nexport { UsersClient } from './users.client';\nexport { OrdersClient } from './orders.client';\n";
        let audit = "//- /shared/audit.ts\nexport function audit() { return new UsersClient(); }\n";
        let web = "main.ts\nimport { OrdersClient, audit } from 'shared';\nnew OrdersClient(); audit();";
        let tree = services("package.json", web, "main.ts\nserve();");
        let found = unused(&format!("{tree}{library}{barrel}{audit}"));
        let of = |name: &str| found.iter().filter(|one| one.starts_with(name)).cloned().collect::<Vec<_>>();
        assert_eq!(of("web:"), ["web:STOCK_SERVICE_URL"]);
        assert_eq!(of("users:").len(), 3);
    }

    #[test]
    fn settings_of_a_whole_system_are_needed_by_those_who_name_them() {
        let settings = "//- /shared/settings.py\nfrom pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    \
            USERS_SERVICE_URL: str\n    ORDERS_SERVICE_URL: str\n    STOCK_SERVICE_URL: str\n    STOCK_SERVICE_DB: str\n\n    \
            @property\n    def FULL_ORDERS_SERVICE_URL(self) -> str:\n        return self.ORDERS_SERVICE_URL + '/v1'\n";
        let web = "main.py\nfrom shared.settings import Settings\n\ncall(Settings().FULL_ORDERS_SERVICE_URL, Settings().STOCK_SERVICE_DB)";
        let tree = services("pyproject.toml", web, "main.py\nfrom shared.settings import Settings");
        let found = unused(&format!("{tree}{settings}"));
        assert!(!found.iter().any(|one| one == "orders:STOCK_SERVICE_DB"), "{found:?}");
        let web: Vec<&String> = found.iter().filter(|one| one.starts_with("web:")).collect();
        assert_eq!(web, ["web:USERS_SERVICE_URL", "web:STOCK_SERVICE_URL"]);
    }

    #[test]
    fn the_function_that_makes_an_object_is_no_name_of_its_settings() {
        let settings = "//- /shared/core.py\nimport os\n\n\nclass Settings:\n    def __init__(self):\n        \
            self.USERS_SERVICE_URL = os.getenv('USERS_SERVICE_URL', 'http://localhost:8001')\n        \
            self.ORDERS_SERVICE_URL = os.getenv('ORDERS_SERVICE_URL', 'http://localhost:8002')\n        \
            self.STOCK_SERVICE_URL = os.getenv('STOCK_SERVICE_URL', 'http://localhost:8003')\n";
        let web = "main.py\nfrom shared.core import Settings\n\nclass Page:\n    def __init__(self):\n        pass\n\ncall(Settings().STOCK_SERVICE_URL)";
        let tree =
            services("requirements.txt", web, "main.py\nclass User:\n    def __init__(self):\n        pass");
        let found = unused(&format!("{tree}{settings}"));
        let of = |name: &str| found.iter().filter(|one| one.starts_with(name)).cloned().collect::<Vec<_>>();
        assert_eq!(of("web:"), ["web:USERS_SERVICE_URL", "web:ORDERS_SERVICE_URL"]);
        assert_eq!(of("users:").len(), 3);
    }

    #[test]
    fn settings_are_also_known_by_their_keys_and_by_the_functions_around_them() {
        let settings = "//- /shared/config.ts\nexport const config = {\n  users: process.env.USERS_SERVICE_URL,\n  \
            store: process.env.STOCK_SERVICE_URL,\n};\nexport function sales() {\n  return process.env.ORDERS_SERVICE_URL;\n}\n";
        let tree =
            services("package.json", "main.ts\nfetch(config.store); fetch(sales());", "main.ts\nserve();");
        let found = unused(&format!("{tree}{settings}"));
        let web: Vec<&String> = found.iter().filter(|one| one.starts_with("web:")).collect();
        assert_eq!(web, ["web:USERS_SERVICE_URL"]);
    }

    #[test]
    fn library_that_reads_few_addresses_is_taken_at_its_word() {
        let library = "//- /shared/a.ts\nexport const a = process.env.USERS_SERVICE_URL;\nexport const b = process.env.ORDERS_SERVICE_URL;\n";
        let tree = services("package.json", "main.ts\nserve();", "main.ts\nserve();");
        assert_eq!(unused(&format!("{tree}{library}")), Vec::<String>::new());
    }
}
