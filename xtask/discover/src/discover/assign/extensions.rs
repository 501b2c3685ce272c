//! Extension methods of .NET: what a shared library reads in one, the services read that call it, and those alone are sure
//! to need. Adds the read to them, at the place of the call; the others have no use for it, unless the libraries call it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::model::fact::{Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::noise::is_noise;
use crate::parallel::in_parallel;
use crate::repo::Repo;
use crate::search::line_at;

const RULE: &str = "dotnet-extension";

/// In larger programs somebody is likely to call it.
const MAX_FILES: usize = 2_000;

/// `public static IServiceCollection AddCache(this IServiceCollection services`.
static METHOD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bstatic\s+[\w<>\[\], ?.]+?\s(\w+)(?:<[^>(]*>)?\(\s*this\s").ok());

/// An extension method of a library.
struct Method {
    name: String,
    /// Its last line.
    end: u32,
    /// The names of the methods that it calls.
    calls: BTreeSet<String>,
}

/// What a file of a library holds.
#[derive(Default)]
struct Library {
    /// Its extension methods by the lines on which they begin.
    methods: BTreeMap<u32, Method>,
    /// The methods that the rest of it calls.
    calls: BTreeSet<String>,
}

/// A read in a library, and the methods through which a call reaches it.
struct Hidden<'f> {
    methods: &'f BTreeSet<&'f str>,
    fact: &'f Fact,
}

/// Adds the reads that the services' calls reach, and says which of the others no call does.
pub(super) fn settle(repo: &Repo, services: &mut [ServiceFacts], libraries: &BTreeMap<RepoPath, Vec<usize>>) {
    let shared = |path: &RepoPath| {
        path.ancestors().any(|folder| libraries.get(&folder).is_some_and(|by| by.len() > 1))
    };
    let reads = |service: &ServiceFacts| -> Vec<Fact> {
        let is_hidden = |fact: &&Fact| {
            matches!(fact.what, What::EnvRead { .. })
                && fact.at.path.extension() == "cs"
                && !fact.at.path.is_in(&service.path)
                && shared(&fact.at.path)
        };
        service.facts.iter().filter(is_hidden).cloned().collect()
    };
    let hidden: Vec<(usize, Vec<Fact>)> =
        services.iter().map(reads).enumerate().filter(|(_, facts)| !facts.is_empty()).collect();
    let of_hidden = |by: &[usize]| by.len() > 1 && hidden.iter().any(|(at, _)| by.contains(at));
    let folders: Vec<&RepoPath> =
        libraries.iter().filter(|(_, by)| of_hidden(by)).map(|(folder, _)| folder).collect();
    let mut files: BTreeSet<&RepoPath> =
        folders.iter().flat_map(|folder| sources(repo, folder).take(MAX_FILES)).collect();
    files.extend(hidden.iter().flat_map(|(_, facts)| facts).map(|fact| &fact.at.path));
    let parsed: BTreeMap<&RepoPath, Library> = files
        .iter()
        .copied()
        .zip(in_parallel(files.iter().copied().collect(), |file| library(repo, file)))
        .collect();
    let callers = callers(parsed.values().flat_map(|library| library.methods.values()));
    let loose: BTreeSet<&str> =
        parsed.values().flat_map(|library| &library.calls).map(String::as_str).collect();
    let found = in_parallel(hidden.iter().collect(), |(at, facts)| {
        let with_methods = |fact: &'_ Fact| {
            let (_, method) = parsed.get(&fact.at.path)?.methods.range(..=fact.at.line).next_back()?;
            callers.get(method.name.as_str()).filter(|_| fact.at.line <= method.end)
        };
        let hidden: Vec<Hidden<'_>> =
            facts.iter().filter_map(|fact| Some(Hidden { methods: with_methods(fact)?, fact })).collect();
        let own = libraries.iter().filter(|(_, by)| ***by == [*at]).map(|(folder, _)| folder);
        let folders: Vec<&RepoPath> = own.chain([&services[*at].path]).collect();
        let (mut found, called) = calls(repo, &folders, &hidden);
        let is_idle = |one: &&Hidden<'_>| one.methods.is_disjoint(&called) && one.methods.is_disjoint(&loose);
        let idle: Vec<&Fact> = hidden.iter().filter(is_idle).map(|one| one.fact).collect();
        found.extend(unused(&services[*at], &idle));
        (*at, found)
    });
    for (at, facts) in found {
        services[at].facts.extend(facts);
    }
}

/// That the service has no use for the variables of these reads: nothing else of it reads them, and its own files give
/// them no value.
fn unused(service: &ServiceFacts, idle: &[&Fact]) -> Vec<Fact> {
    let is_idle = |fact: &Fact| idle.iter().any(|read| read.at == fact.at);
    let is_said = |wanted: &str| {
        service.facts.iter().any(|fact| match &fact.what {
            What::EnvRead { name, .. } => name == wanted && !is_idle(fact),
            What::EnvValue { name, .. } => name == wanted && fact.at.path.is_in(&service.path),
            _ => false,
        })
    };
    let one = |read: &&Fact| {
        let What::EnvRead { name, .. } = &read.what else { return None };
        let what = What::Unused { variable: name.clone() };
        let at = Evidence { rule: RULE, ..read.at.clone() };
        (!is_said(name)).then_some(Fact { what, at, subject: Subject::Here })
    };
    idle.iter().filter_map(one).collect()
}

/// The sources below a folder.
fn sources<'r>(repo: &'r Repo, folder: &RepoPath) -> impl Iterator<Item = &'r RepoPath> {
    repo.files_in(folder).iter().filter(|file| file.extension() == "cs" && !is_noise(file))
}

/// For each method itself and all those through which a call of them reaches it.
fn callers<'m>(methods: impl Iterator<Item = &'m Method>) -> BTreeMap<&'m str, BTreeSet<&'m str>> {
    let methods: Vec<&Method> = methods.collect();
    let mut callers: BTreeMap<&str, BTreeSet<&str>> =
        methods.iter().map(|method| (method.name.as_str(), BTreeSet::from([method.name.as_str()]))).collect();
    let size = |callers: &BTreeMap<&str, BTreeSet<&str>>| callers.values().map(BTreeSet::len).sum::<usize>();
    loop {
        let before = size(&callers);
        for method in &methods {
            let outer = callers.get(method.name.as_str()).cloned().unwrap_or_default();
            for called in &method.calls {
                if let Some(inner) = callers.get_mut(called.as_str()) {
                    inner.extend(&outer);
                }
            }
        }
        if size(&callers) == before {
            return callers;
        }
    }
}

/// The extension methods of a file, each up to the next line that is not further in, and what the rest of it calls.
fn library(repo: &Repo, file: &RepoPath) -> Library {
    let Ok(text) = repo.text(file) else { return Library::default() };
    let name = |line: &str| {
        // Far cheaper than the pattern, and few lines have it.
        if !line.contains("this ") {
            return None;
        }
        let found = METHOD.as_ref().and_then(|method| method.captures(line));
        found.and_then(|found| found.get(1)).map(|name| name.as_str().to_owned())
    };
    let mut library = Library::default();
    // How far in the method stands whose lines these are.
    let mut within: Option<usize> = None;
    for (at, line) in (1u32..).zip(text.text.lines()) {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        if let Some(name) = name(line) {
            within = Some(depth);
            library.methods.insert(at, Method { name, end: at, calls: BTreeSet::new() });
        } else if !bare.is_empty() && !bare.starts_with('{') && within.is_some_and(|start| depth <= start) {
            within = None;
        }
        let called = called(line).map(str::to_owned);
        match library.methods.last_entry().filter(|_| within.is_some()) {
            Some(mut method) => {
                method.get_mut().end = at;
                method.get_mut().calls.extend(called);
            }
            None => library.calls.extend(called),
        }
    }
    library
}

/// The methods that a line calls: `x.Name(`.
fn called(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('(').filter_map(|(end, _)| {
        let before = &line[..end];
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let name = before.get(start + 1..)?;
        (before[start..].starts_with('.') && !name.is_empty()).then_some(name)
    })
}

/// The reads, each at the first place where one of its methods is called, and the methods that are called.
fn calls<'h>(repo: &Repo, folders: &[&RepoPath], hidden: &[Hidden<'h>]) -> (Vec<Fact>, BTreeSet<&'h str>) {
    let names = hidden.iter().flat_map(|one| one.methods).copied();
    let mut left: BTreeMap<&'h str, String> = names.map(|name| (name, format!(".{name}"))).collect();
    let mut found = Vec::new();
    let mut all = BTreeSet::new();
    for file in folders.iter().flat_map(|folder| sources(repo, folder)).take(MAX_FILES) {
        if left.is_empty() {
            break;
        }
        let Ok(text) = repo.text(file) else { continue };
        let place = |(method, call): (&&'h str, &String)| {
            let is_called = |at: usize| text.text[at + call.len()..].starts_with(['(', '<']);
            let (at, _) = text.text.match_indices(call.as_str()).find(|(at, _)| is_called(*at))?;
            Some((*method, line_at(&text.text, at)))
        };
        let called: Vec<(&'h str, u32)> = left.iter().filter_map(place).collect();
        for (method, line) in called {
            left.remove(method);
            all.insert(method);
            let reads = hidden.iter().filter(|one| one.methods.contains(method));
            found.extend(reads.map(|one| Fact {
                what: one.fact.what.clone(),
                at: Evidence { path: file.clone(), line, rule: RULE },
                subject: Subject::Here,
            }));
        }
    }
    (found, all)
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    #[test]
    fn what_an_extension_method_reads_through_another_those_read_who_call_it() {
        let service = |name: &str, code: &str| {
            format!(
                "//- /{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>\
                 <ProjectReference Include=\"../Common/Common.csproj\"/></ItemGroup></Project>\n\
                 //- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/Program.cs\n{code}\n"
            )
        };
        let tree = service("Orders", "Open(config.GetDatabase());")
            + &service("Stock", "Open(config.GetQueue());")
            + &service("Web", "Open(config.GetQueue(), config[\"DB_HOST\"]);")
            + "//- /Common/Common.csproj\n<Project Sdk=\"Microsoft.NET.Sdk\"/>\n//- /Common/Extensions.cs\n\
               public static class Extensions {\n    static string GetHost(this IConfiguration configuration) =>\n        configuration.GetString(\"DB_HOST\", \"db\");\n\
               public static string GetDatabase(this IConfiguration configuration)\n    {\n        return $\"Host={configuration.GetHost()}\";\n    }\n\
               public static string GetQueue(this IConfiguration configuration) => configuration[\"QUEUE_HOST\"];\n\
               public static string GetCache(this IConfiguration configuration) => configuration[\"CACHE_HOST\"];\n}\n\
               //- /Common/Cache.cs\nclass Cache(IConfiguration configuration)\n{\n    string host = configuration.GetCache();\n}\n";
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let said = facts.expect("is read").services.into_iter().map(|service| {
            let said = |fact: &crate::model::fact::Fact| match &fact.what {
                What::EnvRead { name, .. } if fact.at.path.name() == "Program.cs" => {
                    Some(format!("reads {name}"))
                }
                What::Unused { variable } => Some(format!("no {variable}")),
                _ => None,
            };
            service.facts.iter().filter_map(said).collect::<Vec<_>>()
        });
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                ["no QUEUE_HOST", "reads DB_HOST"],
                ["no DB_HOST", "reads QUEUE_HOST"],
                ["reads DB_HOST", "reads QUEUE_HOST"]
            ]
        );
    }

    #[test]
    fn what_an_extension_method_reads_those_read_who_call_it() {
        let service = |name: &str, code: &str| {
            format!(
                "//- /{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>\
                 <ProjectReference Include=\"../Common/Common.csproj\"/></ItemGroup></Project>\n\
                 //- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/Program.cs\n{code}\n"
            )
        };
        let tree = service("Orders", "services\n    .AddCache(config);")
            + &service("Stock", "// services.AddCaches(config);\nMap();")
            + "//- /Common/Common.csproj\n<Project Sdk=\"Microsoft.NET.Sdk\"/>\n//- /Common/Extensions.cs\n\
               public static class Extensions {\n    public static IServiceCollection AddCache(this IServiceCollection services, IConfiguration config)\n    {\n        \
               Use(config.GetConnectionString(\"Redis\"));\n    }\n}\n";
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let reads = facts.expect("is read").services.into_iter().map(|service| {
            let read = |fact: &crate::model::fact::Fact| {
                matches!(fact.what, What::EnvRead { .. }) && fact.at.path.name() == "Program.cs"
            };
            let at = service.facts.iter().find(|fact| read(fact)).map(|fact| fact.at.line);
            (service.name, at)
        });
        assert_eq!(reads.collect::<Vec<_>>(), [("orders".to_owned(), Some(2)), ("stock".to_owned(), None)]);
    }
}
