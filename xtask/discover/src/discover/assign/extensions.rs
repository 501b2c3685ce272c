//! Extension methods of .NET: what a shared library reads in one, the services read that call it, and those alone are sure
//! to need. Adds the read to them, at the place of the call.

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

/// A read in a library, and the method in which it stands.
struct Hidden<'f> {
    method: &'f str,
    fact: &'f Fact,
}

/// Adds the reads that the services' calls reach.
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
    let files: BTreeSet<&RepoPath> =
        hidden.iter().flat_map(|(_, facts)| facts).map(|fact| &fact.at.path).collect();
    let methods: BTreeMap<&RepoPath, BTreeMap<u32, String>> = files
        .iter()
        .copied()
        .zip(in_parallel(files.iter().copied().collect(), |file| methods(repo, file)))
        .collect();
    let found = in_parallel(hidden.iter().collect(), |(at, facts)| {
        let with_method = |fact: &'_ Fact| {
            let of_file = methods.get(&fact.at.path)?;
            of_file.range(..=fact.at.line).next_back().map(|(_, method)| method.as_str())
        };
        let hidden: Vec<Hidden<'_>> =
            facts.iter().filter_map(|fact| Some(Hidden { method: with_method(fact)?, fact })).collect();
        let own = libraries.iter().filter(|(_, by)| ***by == [*at]).map(|(folder, _)| folder);
        let folders: Vec<&RepoPath> = own.chain([&services[*at].path]).collect();
        (*at, calls(repo, &folders, &hidden))
    });
    for (at, facts) in found {
        services[at].facts.extend(facts);
    }
}

/// The extension methods of a file by the lines on which they begin.
fn methods(repo: &Repo, file: &RepoPath) -> BTreeMap<u32, String> {
    let Ok(text) = repo.text(file) else { return BTreeMap::new() };
    let name = |line: &str| {
        // Far cheaper than the pattern, and few lines have it.
        if !line.contains("this ") {
            return None;
        }
        let found = METHOD.as_ref().and_then(|method| method.captures(line));
        found.and_then(|found| found.get(1)).map(|name| name.as_str().to_owned())
    };
    (1u32..).zip(text.text.lines()).filter_map(|(at, line)| Some((at, name(line)?))).collect()
}

/// The reads, each at the first place where its method is called.
fn calls<'h>(repo: &Repo, folders: &[&RepoPath], hidden: &[Hidden<'h>]) -> Vec<Fact> {
    let mut left: BTreeMap<&'h str, String> =
        hidden.iter().map(|one| (one.method, format!(".{}", one.method))).collect();
    let mut found = Vec::new();
    let files = folders.iter().flat_map(|folder| repo.files_in(folder));
    for file in files.filter(|file| file.extension() == "cs" && !is_noise(file)).take(MAX_FILES) {
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
            let reads = hidden.iter().filter(|one| one.method == method);
            found.extend(reads.map(|one| Fact {
                what: one.fact.what.clone(),
                at: Evidence { path: file.clone(), line, rule: RULE },
                subject: Subject::Here,
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

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
