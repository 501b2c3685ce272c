//! Follows what programs of Python, JavaScript and TypeScript import from folders beside their own, which no manifest
//! names: by the name of the folder, by a relative path, by an alias of `tsconfig.json`. Says which files a program takes
//! from there; it knows no packages of package managers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use super::aliases::Aliases;
use crate::discover::lang::{Pattern, is_noise};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// A program that takes more files from elsewhere is not followed any further.
const MAX_FILES: usize = 1_000;

/// More folders beside services are a layout of its own.
const MAX_FOLDERS: usize = 60;

/// A list that hands on what others export may hand on another one.
const MAX_LISTS: usize = 8;

static PYTHON: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"(?m)^[ \t]*(?:from[ \t]+(?P<from>\.*[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#]*)|import[ \t]+(?P<modules>[\w., \t]+))",
    )
});

/// No list of names in front of a path is longer.
const MAX_STATEMENT: usize = 4_000;

/// A file that another one imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::discover) struct Import {
    /// Perhaps without its ending.
    target: RepoPath,
    /// What it is imported for, as it is called there and here; `None` for all that it holds.
    names: Option<Vec<(String, String)>>,
    /// Whether it is only handed on.
    handed_on: bool,
}

/// The folders beside services that they may import from.
#[derive(Debug, Default)]
pub(in crate::discover) struct Libraries {
    folders: Vec<RepoPath>,
    aliases: Aliases,
    /// What was read on the way, for all programs; `None` where no file is meant.
    read: Mutex<BTreeMap<RepoPath, Option<Arc<Module>>>>,
    /// Likewise where the names come from that files are asked for.
    origins: Mutex<BTreeMap<Wanted, Option<Wanted>>>,
}

/// A file and what it is imported for; `None` for all that it holds.
type Wanted = (RepoPath, Option<String>);

/// A file of a library.
#[derive(Debug)]
struct Module {
    file: RepoPath,
    text: String,
    imports: Vec<Import>,
}

/// What a program takes from there.
#[derive(Debug, Default)]
pub(in crate::discover) struct Taken {
    pub(in crate::discover) files: BTreeSet<RepoPath>,
    /// The folders beside the services in which these lie.
    pub(in crate::discover) libraries: BTreeSet<RepoPath>,
}

impl Libraries {
    /// Those of the repository; none where there is one Dockerfile, whose code is all its own.
    pub(in crate::discover) fn of(repo: &Repo) -> Libraries {
        let folders = folders(repo);
        let aliases = if folders.is_empty() { Aliases::default() } else { Aliases::of(repo, &folders) };
        Libraries { folders, aliases, ..Libraries::default() }
    }

    /// What the file with this text imports from there.
    pub(in crate::discover) fn imports(&self, repo: &Repo, file: &RepoPath, text: &str) -> Vec<Import> {
        if self.folders.is_empty() || !is_script(file) {
            return Vec::new();
        }
        let mut imports = if file.extension() == "py" {
            let may_import = importing(text).any(|line| modules_of(line).any(|name| self.has(name)));
            if may_import { self.of_python(repo, file, text) } else { Vec::new() }
        } else {
            let leads_there = |path: &str| {
                self.folders.iter().any(|folder| lies_in(file, path, folder) && !file.is_in(folder))
            };
            self.of_script(file, text, leads_there)
        };
        imports.retain(|import| self.above(&import.target).is_some_and(|folder| !file.is_in(folder)));
        imports
    }

    /// Whether one of the folders has that name.
    fn has(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder.name() == name)
    }

    /// The folder of these in which a file lies.
    fn above(&self, file: &RepoPath) -> Option<&RepoPath> {
        self.folders.iter().find(|folder| file.is_in(folder))
    }

    /// What a file of JavaScript or TypeScript imports, of relative paths those that are `wanted`.
    fn of_script(&self, file: &RepoPath, text: &str, wanted: impl Fn(&str) -> bool) -> Vec<Import> {
        let Some(home) = file.parent() else { return Vec::new() };
        let relative = relative_paths(text).filter(|(_, path)| wanted(path));
        let relative = relative.filter_map(|(at, path)| import(text, at, home.join(path)?));
        let aliases = self.aliases.in_text(text);
        let by_alias =
            aliases.filter_map(|at| import(text, at, self.aliases.resolve(&home, quoted(text, at)?)?));
        relative.chain(by_alias).collect()
    }

    /// What the program takes whose own files import `known`, all by path.
    pub(super) fn follow(&self, repo: &Repo, known: Vec<&Import>) -> Taken {
        let mut taken = Taken::default();
        let mut seen: BTreeSet<Wanted> = BTreeSet::new();
        let mut next: Vec<Wanted> = known.into_iter().flat_map(wanted).collect();
        while let Some((target, name)) = next.pop() {
            if seen.len() > MAX_FILES || !seen.insert((target.clone(), name.clone())) {
                continue;
            }
            let Some(module) = self.module(repo, &target) else { continue };
            // One list of all that a library has is asked for each name by itself.
            match name.as_deref().and_then(|name| self.origin(repo, &module, name)) {
                Some(further) => next.push(further),
                None => {
                    let is_own = |import: &&Import| name.is_none() || !import.handed_on;
                    next.extend(module.imports.iter().filter(is_own).flat_map(wanted));
                    taken.files.insert(module.file.clone());
                }
            }
        }
        let above = |file: &RepoPath| self.above(file).cloned().or_else(|| file.parent());
        taken.libraries = taken.files.iter().filter_map(above).collect();
        taken
    }

    /// A file of a library, read once.
    fn module(&self, repo: &Repo, target: &RepoPath) -> Option<Arc<Module>> {
        let known = |read: &BTreeMap<_, Option<Arc<Module>>>| read.get(target).cloned();
        if let Some(module) = self.read.lock().ok().as_deref().and_then(known) {
            return module;
        }
        let module = file_at(repo, target).map(|file| {
            let text = repo.text(&file).map(|text| text.text).unwrap_or_default();
            let is_python = file.extension() == "py";
            let imports = if is_python {
                self.of_python(repo, &file, &text)
            } else {
                self.of_script(&file, &text, |_| true)
            };
            Arc::new(Module { file, text, imports })
        });
        if let Ok(mut read) = self.read.lock() {
            read.insert(target.clone(), module.clone());
        }
        module
    }

    /// As [`Libraries::handed_on`], looked for once.
    fn origin(&self, repo: &Repo, module: &Module, name: &str) -> Option<Wanted> {
        let key = (module.file.clone(), Some(name.to_owned()));
        let known = |origins: &BTreeMap<Wanted, Option<Wanted>>| origins.get(&key).cloned();
        if let Some(origin) = self.origins.lock().ok().as_deref().and_then(known) {
            return origin;
        }
        let origin = self.handed_on(repo, module, name, (MAX_LISTS, &mut BTreeSet::new()));
        if let Ok(mut origins) = self.origins.lock() {
            origins.insert(key, origin.clone());
        }
        origin
    }

    /// Where a name comes from that a file only hands on; `None` where it is the file's own, or nobody knows. Lists that
    /// hand on each other are looked at once.
    fn handed_on(
        &self,
        repo: &Repo,
        module: &Module,
        name: &str,
        (left, seen): (usize, &mut BTreeSet<RepoPath>),
    ) -> Option<Wanted> {
        if left == 0 || !seen.insert(module.file.clone()) || declares(&module.text, name) {
            return None;
        }
        let lists = || module.imports.iter().filter(|import| import.handed_on);
        let by_name = lists().find_map(|list| {
            let (there, _) = list.names.as_ref()?.iter().find(|(_, here)| here == name)?;
            Some((list.target.clone(), Some(there.clone())))
        });
        by_name.or_else(|| {
            lists().filter(|list| list.names.is_none()).find_map(|list| {
                let further = self.module(repo, &list.target)?;
                let is_own = declares(&further.text, name);
                let own = is_own.then(|| (list.target.clone(), Some(name.to_owned())));
                own.or_else(|| self.handed_on(repo, &further, name, (left - 1, &mut *seen)))
            })
        })
    }

    fn of_python(&self, repo: &Repo, file: &RepoPath, text: &str) -> Vec<Import> {
        let one = |found: regex::Captures<'_>| {
            let list = |name: &str| {
                let list = found.name(name).map_or("", |list| list.as_str().trim_matches(['(', ')']));
                let words = list.split(',').filter_map(|one| one.split_whitespace().next());
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            // Other modules are the program's own, or come from elsewhere.
            let is_of_these =
                |module: &str| module.starts_with('.') || module.split('.').any(|part| self.has(part));
            match found.name("from").map(|module| module.as_str()) {
                Some(module) if is_of_these(module) => modules(repo, file, module, &list("names")),
                Some(_) => Vec::new(),
                None => {
                    let list = list("modules");
                    let of_these = list.iter().filter(|module| is_of_these(module));
                    of_these.flat_map(|module| modules(repo, file, module, &[])).collect()
                }
            }
        };
        let import = |target| Import { target, names: None, handed_on: false };
        PYTHON.all(text, usize::MAX).flat_map(one).map(import).collect()
    }
}

/// A file and each of the names that it is imported for.
fn wanted(import: &Import) -> Vec<Wanted> {
    match &import.names {
        Some(names) => names.iter().map(|(there, _)| (import.target.clone(), Some(there.clone()))).collect(),
        None => vec![(import.target.clone(), None)],
    }
}

/// Whether a text of JavaScript or TypeScript makes a name known itself.
fn declares(text: &str, name: &str) -> bool {
    const WORDS: &[&str] =
        &["class", "const", "enum", "function", "function*", "interface", "let", "namespace", "type", "var"];
    let is_word = |at: usize| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
    };
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end();
        is_word(at) && WORDS.iter().any(|word| before.ends_with(word))
    })
}

/// `{ a, b as c }`: what is imported by name; `None` for a module as a whole.
fn names(what: &str) -> Option<Vec<(String, String)>> {
    let list = what.strip_prefix('{')?.strip_suffix('}')?;
    let name = |one: &str| {
        let there = one.split_whitespace().next().filter(|name| *name != "type")?;
        Some((there.to_owned(), one.split_whitespace().next_back()?.to_owned()))
    };
    Some(list.split(',').filter_map(name).collect())
}

/// The lines that may import something.
fn importing(text: &str) -> impl Iterator<Item = &str> {
    let mut seen = 0;
    memchr::memmem::find_iter(text.as_bytes(), b"import").filter_map(move |at| {
        // Each line once.
        let line = text.get(seen.min(at)..at).filter(|_| at >= seen)?;
        let start = line.rfind('\n').map_or(seen, |end| seen + end + 1);
        seen = text[at..].find('\n').map_or(text.len(), |end| at + end);
        Some(&text[start..seen])
    })
}

/// The parts of the modules that a line of Python imports.
fn modules_of(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim_start();
    let from = line.strip_prefix("from ").map(|rest| rest.split(" import").next().unwrap_or(rest));
    let modules = from.or_else(|| line.strip_prefix("import ")).unwrap_or("");
    modules.split(['.', ',', ' ', '\t', '\r']).filter(|part| !part.is_empty())
}

/// The paths in quotes that begin with `./` or `../`, and where they begin.
fn relative_paths(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, b"./").filter_map(move |at| {
        let start = if at > 0 && bytes[at - 1] == b'.' { at - 1 } else { at };
        Some((start, quoted(text, start)?))
    })
}

/// What stands in quotes from byte `at` on.
fn quoted(text: &str, at: usize) -> Option<&str> {
    let quote = text.as_bytes()[..at].last().copied().filter(|byte| b"\"'`".contains(byte))?;
    let rest = &text[at..];
    let end = rest.as_bytes().iter().position(|byte| *byte == quote || *byte == b'\n')?;
    Some(&rest[..end])
}

/// The import of a target whose path begins at byte `at`; `None` where the path stands for something else, and for types,
/// which are gone when the program runs.
fn import(text: &str, at: usize, target: RepoPath) -> Option<Import> {
    let before = text[..at - 1].trim_end();
    let whole = Import { target, names: None, handed_on: false };
    if before.ends_with("import") {
        return Some(whole);
    }
    if let Some(call) = before.strip_suffix('(').map(str::trim_end) {
        return ["require", "import"].iter().any(|word| call.ends_with(word)).then_some(whole);
    }
    let head = before.strip_suffix("from")?;
    let start = (head.len().saturating_sub(MAX_STATEMENT)..).find(|at| head.is_char_boundary(*at))?;
    let head = &head[start..];
    // `{ importUsers }` begins no statement.
    let begins = |word: &str| {
        let mut found = head.rmatch_indices(word).map(|(at, _)| at);
        let ends = |at: &usize| head[at + word.len()..].starts_with([' ', '\t', '\r', '\n', '{', '*']);
        found.find(|at| ends(at) && !head[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let (import, export) = (begins("import"), begins("export"));
    let what = head[import.max(export)? + "import".len()..].trim();
    if what.starts_with("type ") || what.starts_with("type{") {
        return None;
    }
    Some(Import { names: names(what), handed_on: export > import, ..whole })
}

/// Whether a relative path leads from a file into a folder.
fn lies_in(file: &RepoPath, path: &str, folder: &RepoPath) -> bool {
    let mut base = file.as_str().rsplit_once('/').map_or("", |(above, _)| above);
    let mut rest = path.strip_prefix("./").unwrap_or(path);
    while let Some(further) = rest.strip_prefix("../") {
        rest = further;
        base = base.rsplit_once('/').map_or("", |(above, _)| above);
    }
    let Some(below) = folder.as_str().strip_prefix(base) else {
        return base.strip_prefix(folder.as_str()).is_some_and(|below| below.starts_with('/'));
    };
    let is_below = base.is_empty() || below.starts_with('/');
    let below = below.trim_start_matches('/');
    is_below && rest.strip_prefix(below).is_some_and(|end| end.is_empty() || end.starts_with('/'))
}

/// The files that run when a module is imported: those of the packages around it, its own, and those of its modules that
/// are taken from it by name.
fn modules(repo: &Repo, file: &RepoPath, module: &str, names: &[String]) -> Vec<RepoPath> {
    let dots = module.len() - module.trim_start_matches('.').len();
    let mut parts = module[dots..].split('.').filter(|part| !part.is_empty());
    let file_of =
        |folder: &RepoPath, name: &str| folder.join(&format!("{name}.py")).filter(|file| repo.is_file(file));
    let mut above = file.ancestors().skip(1);
    let (home, first) = if dots > 0 {
        (above.nth(dots - 1), None)
    } else {
        let Some(first) = parts.next() else { return Vec::new() };
        let has = |home: &RepoPath| {
            file_of(home, first).is_some() || home.join(first).is_some_and(|folder| repo.is_folder(&folder))
        };
        (above.find(has), Some(first))
    };
    let Some(mut folder) = home else { return Vec::new() };
    let mut found = Vec::new();
    for part in first.into_iter().chain(parts) {
        found.extend(file_of(&folder, part));
        let Some(inner) = folder.join(part).filter(|inner| repo.is_folder(inner)) else { return found };
        folder = inner;
        found.extend(file_of(&folder, "__init__"));
    }
    for name in names {
        found.extend(file_of(&folder, name));
        found.extend(folder.join(name).and_then(|inner| file_of(&inner, "__init__")));
    }
    found
}

/// The file that a path without its ending means.
fn file_at(repo: &Repo, path: &RepoPath) -> Option<RepoPath> {
    const ENDINGS: &[&str] =
        &["", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js"];
    // What is compiled to `x.js` is written as `x.ts`.
    let written = path.as_str().strip_suffix(".js").unwrap_or(path.as_str());
    [path.as_str(), written].iter().find_map(|path| {
        let files = ENDINGS.iter().filter_map(|ending| RepoPath::root().join(&format!("{path}{ending}")));
        files.into_iter().find(|file| repo.is_file(file) && is_script(file))
    })
}

/// Whether a file may hold such imports.
pub(in crate::discover) fn is_script(file: &RepoPath) -> bool {
    matches!(file.extension(), "cjs" | "cts" | "js" | "jsx" | "mjs" | "mts" | "py" | "ts" | "tsx")
}

/// The topmost folders with such code in which no Dockerfile lies, nor above them but at the root.
fn folders(repo: &Repo) -> Vec<RepoPath> {
    let is_dockerfile = |file: &&RepoPath| file.name().contains("ockerfile") && !is_script(file);
    let dockerfiles: Vec<&RepoPath> = repo.files().filter(is_dockerfile).collect();
    if dockerfiles.len() < 2 {
        return Vec::new();
    }
    let homes: BTreeSet<RepoPath> = dockerfiles.iter().filter_map(|file| file.parent()).collect();
    let holding: BTreeSet<RepoPath> = homes.iter().flat_map(RepoPath::ancestors).collect();
    let is_beside = |folder: &RepoPath| {
        let is_above = |above: RepoPath| !above.is_root() && homes.contains(&above);
        let is_topmost = folder.parent().is_some_and(|parent| parent.is_root() || holding.contains(&parent));
        is_topmost && !holding.contains(folder) && !folder.ancestors().any(is_above)
    };
    let mut found: Vec<RepoPath> = Vec::new();
    let mut skip: Option<&RepoPath> = None;
    for folder in repo.folders() {
        if skip.is_some_and(|skip| folder.is_in(skip)) {
            continue;
        }
        let is_found = is_beside(folder);
        if is_found && repo.files_in(folder).iter().any(|file| is_script(file) && !is_noise(file)) {
            found.push(folder.clone());
        }
        skip = Some(folder).filter(|folder| is_found || homes.contains(*folder));
    }
    if found.len() > MAX_FOLDERS { Vec::new() } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;

    #[test]
    fn patterns_are_valid() {
        assert!(PYTHON.is_valid());
    }

    /// The variables that the services read outside their own folders.
    fn reads(tree: &str) -> Vec<String> {
        let facts = discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let mut found = Vec::new();
        for service in facts.expect("is read").services {
            let outside = service.facts.iter().filter(|fact| !fact.at.path.is_in(&service.path));
            let names = outside.filter_map(|fact| match &fact.what {
                What::EnvRead { name, .. } => Some(name.as_str()),
                _ => None,
            });
            found.push(format!("{}: {}", service.name, names.collect::<Vec<_>>().join(" ")));
        }
        found
    }

    /// Two services of one workspace whose images copy all of it.
    fn services(orders: &str, users: &str) -> String {
        let image = "FROM x\nWORKDIR /app\nCOPY . .\n";
        format!(
            "//- /apps/orders/Dockerfile\n{image}//- /apps/orders/src/main.ts\n{orders}\n\
             //- /apps/users/Dockerfile\n{image}//- /apps/users/src/main.ts\n{users}\n"
        )
    }

    const LIBRARY: &str = "//- /libs/common/src/index.ts\nexport * from './queue';\nexport { Cache as Store } from './cache';\nexport const x = 1;\n\
        //- /libs/common/src/queue/index.ts\nexport * from './queue.module';\n\
        //- /libs/common/src/queue/queue.module.ts\nimport { level } from '../log';\nexport class QueueModule {\n  url = process.env.QUEUE_URL;\n}\n\
        //- /libs/common/src/cache.ts\nexport class Cache {\n  url = process.env.CACHE_URL;\n}\n\
        //- /libs/common/src/log.ts\nexport const level = process.env.LOG_LEVEL;\n";

    #[test]
    fn program_takes_of_a_library_the_files_that_have_what_it_imports_by_an_alias() {
        let settings = "//- /tsconfig.json\n{\n  // as the tool writes it\n  \"compilerOptions\": { \"baseUrl\": \"./\", \"paths\": {\n\
            \"@app/common\": [\"libs/common/src\"], /* all */ \"@app/common/*\": [\"libs/common/src/*\"],\n  } },\n}\n";
        let tree = |orders: &str, users: &str| services(orders, users) + LIBRARY + settings;
        let list = tree(
            "import { QueueModule,\n  x } from '@app/common';",
            "import { Store } from \"@app/common\";\nimport type { QueueModule } from '@app/common';",
        );
        assert_eq!(reads(&list), ["orders: LOG_LEVEL QUEUE_URL", "users: CACHE_URL"]);
        let path =
            tree("const { level } = require('@app/common/log');", "import * as all from '@app/common';");
        assert_eq!(reads(&path), ["orders: LOG_LEVEL", "users: CACHE_URL LOG_LEVEL QUEUE_URL"]);
    }

    #[test]
    fn program_takes_what_it_imports_by_a_path_that_leaves_its_folder() {
        let tree = services(
            "import { Cache } from '../../../libs/common/src/cache.js';",
            "import { y } from './other';",
        );
        assert_eq!(reads(&(tree + LIBRARY)), ["orders: CACHE_URL", "users: "]);
    }

    #[test]
    fn program_of_python_takes_the_modules_that_run_when_it_imports_them() {
        let service = |name: &str, code: &str| {
            format!("//- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/app/main.py\n{code}\n")
        };
        let read = |name: &str| format!("import os\nvalue = os.environ[\"{name}\"]\n");
        let library = format!(
            "//- /shared/__init__.py\n\n//- /shared/settings.py\n{}//- /shared/db/__init__.py\nfrom ..settings import value\n{}//- /shared/db/models.py\n{}//- /shared/mail.py\n{}",
            read("REGION"),
            read("DB_URL"),
            read("MODELS"),
            read("MAIL_URL"),
        );
        let orders = service(
            "orders",
            "from fastapi import FastAPI\nfrom shared.db import (\n    models,\n    session,\n)",
        );
        let users = service("users", "import shared.mail as mail");
        let own = service("mailer", "from app import shared\n//- /mailer/app/shared.py\n");
        let tree = format!("{orders}{users}{own}{library}");
        assert_eq!(reads(&tree), ["mailer: ", "orders: DB_URL MODELS REGION", "users: MAIL_URL"]);
    }

    #[test]
    fn paths_lead_into_folders_beside_and_above() {
        let path = |text: &str| RepoPath::new(text).expect("inside the root");
        for (from, to, folder, wanted) in [
            ("apps/a/main.ts", "../../libs/log", "libs", true),
            ("apps/a/main.ts", "../../libs/log", "libs/log", true),
            ("apps/a/main.ts", "../../libs/logs", "libs/log", false),
            ("apps/a/main.ts", "../b/x", "libs", false),
            ("libs/log/src/a.ts", "../b", "libs", true),
            ("a/main.ts", "../shared", "shared", true),
        ] {
            assert_eq!(lies_in(&path(from), to, &path(folder)), wanted, "{from} {to} {folder}");
        }
        let paths: Vec<&str> = relative_paths("x('../../x'); `./y\n`; ../z").map(|(_, path)| path).collect();
        assert_eq!(paths, ["../../x", "./y"]);
        assert_eq!(modules_of("  from shared.db import (").collect::<Vec<_>>(), ["shared", "db"]);
    }

    #[test]
    fn folders_with_images_of_their_own_are_no_libraries() {
        let tree = services(
            "import { user } from '../../users/src/main';",
            "export const user = process.env.USER_KEY;",
        );
        assert_eq!(reads(&tree), ["orders: ", "users: "]);
    }
}
