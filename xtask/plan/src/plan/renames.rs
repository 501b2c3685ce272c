//! Which services are known under an earlier name, so that their ports, variables and data stay theirs; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::ServiceFacts;
use crate::model::stack::Assignments;

/// Present name → the name under which its port, variables and data were made.
///
/// A service is the same one if its Dockerfile stayed where it was, or if a Dockerfile of the same content is gone
/// elsewhere; where several are alike, nothing is concluded. `digests` are those of the Dockerfiles, by path.
pub(crate) fn renames(
    services: &[ServiceFacts],
    recorded: &Assignments,
    digests: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let present: BTreeSet<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let paths: BTreeMap<String, &str> =
        services.iter().map(|service| (service.dockerfile.to_string(), service.name.as_str())).collect();
    let mut found: BTreeMap<String, String> = recorded
        .renamed
        .iter()
        .filter(|(name, _)| present.contains(name.as_str()))
        .map(|(name, first)| (name.clone(), first.clone()))
        .collect();
    let first = |name: &str| recorded.renamed.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let gone: Vec<(&String, &String)> =
        recorded.services.iter().filter(|(_, name)| !present.contains(name.as_str())).collect();
    for (path, old) in &gone {
        let moved = match paths.get(*path) {
            Some(name) => Some(*name),
            None => moved(path, &gone, &paths, recorded, digests),
        };
        if let Some(name) = moved
            && !found.contains_key(name)
        {
            found.insert(name.to_owned(), first(old));
        }
    }
    found
}

/// The only new service whose Dockerfile is that of the only one of its kind that is gone.
fn moved<'a>(
    path: &str,
    gone: &[(&String, &String)],
    paths: &BTreeMap<String, &'a str>,
    recorded: &Assignments,
    digests: &BTreeMap<String, String>,
) -> Option<&'a str> {
    let digest = recorded.dockerfiles.get(path)?;
    let alike = gone
        .iter()
        .filter(|(path, _)| !paths.contains_key(*path) && recorded.dockerfiles.get(*path) == Some(digest))
        .count();
    let mut new = paths
        .iter()
        .filter(|(path, _)| !recorded.services.contains_key(*path) && digests.get(*path) == Some(digest));
    match (alike, new.next(), new.next()) {
        (1, Some((_, name)), None) => Some(name),
        _ => None,
    }
}

/// The name under which each service's data and variables are known: the first one it had, its own, or, where a
/// renamed service still holds that, its own with a number.
pub(crate) fn own_names(
    services: &[ServiceFacts],
    renamed: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = renamed.values().cloned().collect();
    let mut names = BTreeMap::new();
    for service in services {
        let name = &service.name;
        let own = renamed.get(name).cloned().unwrap_or_else(|| {
            let free = |candidate: &String| !taken.contains(candidate);
            std::iter::once(name.clone())
                .chain((2..).map(|n| format!("{name}-{n}")))
                .find(free)
                .unwrap_or_default()
        });
        taken.insert(own.clone());
        names.insert(name.clone(), own);
    }
    names
}
