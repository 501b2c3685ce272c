//! Which of the clients that only shared code brings a service's own code uses: a part that it switches on
//! (`app.WithRedis()`, `redis: { enabled: true }`), a client that it imports, a function of a package that is about that
//! kind alone. Adds facts; takes nothing away.

mod imported;
mod switched;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;

use self::imported::Names;
use self::switched::Words;
use super::services::is_test_path;
use crate::catalog::{Catalog, Class};
use crate::model::fact::{Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::noise::is_noise;
use crate::parallel::in_parallel;
use crate::repo::Repo;
use crate::search::line_at;

const RULE: &str = "library-part";

/// Clients of fewer kinds are there to be used; a library of many is one for all services, of which each uses some.
const MANY_KINDS: usize = 3;

/// Larger programs are not read once more.
const MAX_FILES: usize = 2_000;

/// Longer lines were written by a machine, and so were longer statements.
const MAX_LINE: usize = 2_000;
const MAX_STATEMENT: usize = 4_000;

/// The languages whose sources are looked at, by the endings of their files.
const SOURCES: &[&str] = &[
    "cjs", "cs", "cts", "go", "groovy", "java", "js", "jsx", "kt", "mjs", "mts", "py", "rs", "scala", "ts",
    "tsx",
];

/// Ends of the artifacts that open their connection when the program starts, whether anybody asks for it or not.
const AT_START: &[&str] = &[":redisson-spring-boot-starter"];

/// Kinds with the packages of their clients, and the manifests that name them.
type Clients<'f> = BTreeMap<&'f str, Vec<(&'f str, &'f Evidence)>>;

/// A kind of which only shared code has a client.
struct Brought<'f> {
    kind: &'f str,
    words: Words,
    names: Names,
}

/// Adds to each service what of the clients in its libraries it uses.
pub(super) fn settle(repo: &Repo, catalog: &Catalog, services: &mut [ServiceFacts]) {
    let found = in_parallel(services.iter().collect(), |service| of(repo, catalog, service));
    for (service, uses) in services.iter_mut().zip(found) {
        service.facts.extend(uses);
    }
}

fn of(repo: &Repo, catalog: &Catalog, service: &ServiceFacts) -> Vec<Fact> {
    let clients = clients(service);
    let has = |wanted: &str| {
        service.facts.iter().any(|fact| matches!(&fact.what, What::Framework { name } if name == wanted))
    };
    // Spring makes each client that is there, also of a library of few.
    if service.path.is_root() || clients.is_empty() || clients.len() < MANY_KINDS && !has("spring-boot") {
        return Vec::new();
    }
    let (open, asked): (Vec<&str>, Vec<&str>) =
        clients.keys().copied().partition(|kind| at_start(&clients, kind).is_some());
    let brought: Vec<Brought<'_>> =
        asked.into_iter().filter_map(|kind| brought(repo, catalog, &clients, kind)).collect();
    let mut uses = read(repo, &service.path, &brought);
    uses.extend(open.into_iter().filter_map(|kind| Some((kind, at_start(&clients, kind)?.clone()))));
    let fact = |(kind, at): (&str, Evidence)| Fact {
        what: What::Uses { kind: kind.to_owned() },
        at: Evidence { rule: RULE, ..at },
        subject: Subject::Here,
    };
    uses.into_iter().map(fact).collect()
}

/// The client of a kind that connects without being asked.
fn at_start<'f>(clients: &Clients<'f>, kind: &str) -> Option<&'f Evidence> {
    let connects = |package: &str| AT_START.iter().any(|end| package.ends_with(end));
    clients.get(kind)?.iter().find(|(package, _)| connects(package)).map(|(_, at)| *at)
}

/// The kinds of which only shared code has clients.
fn clients(service: &ServiceFacts) -> Clients<'_> {
    let mut clients = Clients::new();
    let mut own: BTreeSet<&str> = BTreeSet::new();
    for fact in &service.facts {
        let What::Driver { kind, package, dev_only: false } = &fact.what else { continue };
        if fact.at.path.is_in(&service.path) {
            own.insert(kind);
        } else {
            clients.entry(kind).or_default().push((package, &fact.at));
        }
    }
    clients.retain(|kind, _| !own.contains(kind));
    clients
}

fn brought<'f>(repo: &Repo, catalog: &Catalog, clients: &Clients<'f>, kind: &'f str) -> Option<Brought<'f>> {
    let (entry, packages) = (catalog.get(kind)?, clients.get(kind)?);
    // Telemetry goes nowhere until somebody says where.
    if entry.class == Class::Observability {
        return None;
    }
    let others = clients.keys().filter(|other| **other != kind).filter_map(|other| catalog.get(other));
    let is_only = others.into_iter().all(|other| other.class != entry.class);
    // A manifest with clients of several kinds is that of a library for all.
    let is_about_it = |path: &RepoPath| {
        let is_here = |(_, at): &(&str, &Evidence)| at.path == *path;
        clients.iter().all(|(other, packages)| *other == kind || !packages.iter().any(is_here))
    };
    let manifests: BTreeSet<&RepoPath> =
        packages.iter().map(|(_, at)| &at.path).filter(|path| is_about_it(path)).collect();
    let words = Words::of(entry, is_only);
    let packages = packages.iter().map(|(package, _)| *package);
    Some(Brought { kind, names: Names::of(repo, packages, manifests.into_iter(), &words), words })
}

/// Where the sources below a folder use each of the kinds first.
fn read<'f>(repo: &Repo, folder: &RepoPath, brought: &[Brought<'f>]) -> BTreeMap<&'f str, Evidence> {
    let texts = brought.iter().flat_map(|one| one.words.texts().chain(one.names.texts()));
    let Ok(needles) = AhoCorasick::builder().ascii_case_insensitive(true).build(texts) else {
        return BTreeMap::new();
    };
    let wanted =
        |file: &&RepoPath| SOURCES.contains(&file.extension()) && !is_noise(file) && !is_test_path(file);
    let files = repo.files_in(folder).iter().filter(wanted).take(MAX_FILES);
    let (mut on, mut off, mut imported) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    for file in files {
        let Ok(text) = repo.text(file) else { continue };
        let text = text.text.as_str();
        let mut seen = 0;
        for found in needles.find_iter(text) {
            if found.start() < seen {
                continue;
            }
            let start = text[..found.start()].rfind('\n').map_or(0, |at| at + 1);
            let end = text[found.end()..].find('\n').map_or(text.len(), |at| found.end() + at);
            seen = end;
            let line = &text[start..end];
            if line.len() > MAX_LINE || is_comment(line) {
                continue;
            }
            let at = || Evidence { path: file.clone(), line: line_at(text, start), rule: RULE };
            for one in brought {
                match one.words.switch(line, &text[start..], file.extension()) {
                    Some(true) => drop(on.entry(one.kind).or_insert_with(at)),
                    Some(false) => drop(off.insert(one.kind)),
                    None if one.names.are_imported(
                        line,
                        tail(&text[..end]),
                        file.extension(),
                        &one.words,
                    ) =>
                    {
                        imported.entry(one.kind).or_insert_with(at);
                    }
                    None => {}
                }
            }
        }
    }
    // What is switched off is imported for its types.
    imported.retain(|kind, _| !off.contains(kind));
    imported.extend(on);
    imported
}

/// The end of a text, as long as a statement may be.
fn tail(text: &str) -> &str {
    let from = (text.len().saturating_sub(MAX_STATEMENT)..).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or_default()..]
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "#", "*", "/*"].iter().any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests;
