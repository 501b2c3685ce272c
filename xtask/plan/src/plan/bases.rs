//! Images that others of the monorepo are built from: built before them, and never started; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::{Facts, Origin};
use crate::model::path::RepoPath;
use crate::model::stack::{Container, ContainerRole};

use super::assemble::{build, container, label};

/// Puts the bases in front of the containers, and tells what is built from them, or from a service, where it comes from.
pub(crate) fn add(containers: &mut Vec<Container>, facts: &Facts) {
    let mut makers: BTreeMap<&RepoPath, &str> = BTreeMap::new();
    for service in &facts.services {
        // The first one stands for several services of one Dockerfile.
        makers.entry(&service.dockerfile).or_insert(&service.name);
    }
    makers.extend(facts.bases.iter().map(|base| (&base.dockerfile, base.name.as_str())));
    let mut origins: BTreeMap<&RepoPath, &[Origin]> = BTreeMap::new();
    origins.extend(facts.services.iter().map(|service| (&service.dockerfile, service.origins.as_slice())));
    origins.extend(facts.bases.iter().map(|base| (&base.dockerfile, base.origins.as_slice())));
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for origin in origins.values().copied().flatten() {
        if let Some(maker) = makers.get(&origin.dockerfile) {
            names.entry(maker).or_default().insert(context(&origin.reference));
        }
    }
    let mut all: Vec<Container> = facts
        .bases
        .iter()
        .map(|base| {
            let mut out = container(&base.name, ContainerRole::Base, "base");
            out.build = Some(build(&(base.dockerfile.clone(), base.build.clone())));
            out.labels = vec![label("kind", "base"), label("role", "base")];
            out
        })
        .collect();
    all.append(containers);
    for container in &mut all {
        let Some(build) = &mut container.build else { continue };
        let of = |origin: &Origin| {
            let maker = makers.get(&origin.dockerfile).filter(|maker| **maker != container.name)?;
            Some((context(&origin.reference), (*maker).to_owned()))
        };
        let contexts: BTreeSet<(String, String)> =
            origins.get(&build.dockerfile).copied().into_iter().flatten().filter_map(of).collect();
        build.contexts = contexts.into_iter().collect();
        // By these names FROM finds it where Compose does not know the way from one service to another.
        let mut tags = names.get(container.name.as_str()).into_iter().flatten().cloned();
        if container.role == ContainerRole::Base {
            container.image = tags.next();
        }
        build.tags = tags.collect();
    }
    *containers = all;
}

/// A reference as the builder looks it up: without the registry and the tag that count where none is written.
fn context(reference: &str) -> String {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    short.strip_suffix(":latest").unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builder_knows_no_default_registry_and_tag() {
        for (reference, wanted) in [
            ("shop/base:latest", "shop/base"),
            ("docker.io/shop/base:1", "shop/base:1"),
            ("r.example.org/x:2", "r.example.org/x:2"),
        ] {
            assert_eq!(context(reference), wanted);
        }
    }
}
