//! Services that share a Dockerfile: told apart by commands, targets and arguments in deployment files, or by its stages.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dockerfile::Dockerfile;
use super::super::names::{Names, valid_name};
use super::super::services::Found;
use super::{Deployment, Unit, UnitBuild, is_chore};
use crate::model::fact::{Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::model::start::belongs_to_init;
use crate::repo::Repo;

/// One Dockerfile that a compose file starts with several commands, targets or arguments is several services.
pub(super) fn by_build(repo: &Repo, found: &mut Found, units: &[Unit]) {
    let mut groups: BTreeMap<&RepoPath, Vec<(&Unit, &UnitBuild)>> = BTreeMap::new();
    for unit in units.iter().filter(|unit| !is_chore(&unit.name)) {
        if let Some(build) = &unit.build {
            groups.entry(&build.dockerfile).or_default().push((unit, build));
        }
    }
    for (dockerfile, group) in groups {
        let mine: Vec<usize> =
            (0..found.services.len()).filter(|at| found.services[*at].dockerfile == *dockerfile).collect();
        let [at] = mine[..] else { continue };
        found.services[at].build.context = group[0].1.context.clone();
        let name = found.services[at].name.clone();
        found
            .problems
            .retain(|problem| !problem.code.starts_with("build-") || problem.services != [name.as_str()]);
        let differs = |(unit, build): &(&Unit, &UnitBuild)| {
            let (first, first_build) = group[0];
            unit.command != first.command
                || build.target != first_build.target
                || build.args != first_build.args
        };
        if group.len() < 2 || !group.iter().any(differs) {
            continue;
        }
        let Some(parsed) = repo.text(dockerfile).ok().and_then(|text| Dockerfile::parse(&text.text).ok())
        else {
            continue;
        };
        let whole = found.services.remove(at);
        for (unit, build) in group {
            let mut part = whole.clone();
            part.aliases.retain(|alias| *alias != unit.name);
            // What answers requests is what others call by the names of the whole.
            if unit.process.as_deref().is_some_and(|process| !process.is_empty()) {
                if !takes_commands(&whole.image) {
                    continue;
                }
                part.aliases.clear();
            }
            part.name = name_of(&whole, unit);
            part.command.clone_from(&unit.command);
            part.is_worker = unit.is_worker;
            part.build.context = build.context.clone();
            part.build.target = build.target.clone().or_else(|| parsed.product());
            part.build.args.clone_from(&build.args);
            part.image = found.image(&parsed, build.target.as_deref(), &build.args);
            part.origins = found.bases.origins(dockerfile, &parsed, &build.args);
            found.services.push(part);
        }
    }
}

/// A process is called after its image, which may be the only one.
fn name_of(whole: &ServiceFacts, unit: &Unit) -> String {
    match unit.process.as_deref() {
        None => valid_name(&unit.name),
        Some("") => whole.name.clone(),
        Some(process) => valid_name(&format!("{}-{process}", whole.name)),
    }
}

/// Whether another command is started as it stands there: nothing, a script or an init comes first.
fn takes_commands(image: &Image) -> bool {
    let is_wrapper = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        belongs_to_init(word) || name.ends_with(".sh") || name.contains("entrypoint")
    };
    image.entrypoint.iter().all(is_wrapper)
}

/// The context that a file says for a Dockerfile, where all that it says about that Dockerfile agrees.
pub(super) fn take_contexts(found: &mut Found, units: &[Unit]) {
    let mut said: BTreeMap<&RepoPath, BTreeSet<&RepoPath>> = BTreeMap::new();
    for build in units.iter().filter_map(|unit| unit.build.as_ref()) {
        said.entry(&build.dockerfile).or_default().insert(&build.context);
    }
    for service in &mut found.services {
        let Some(contexts) = said.get(&service.dockerfile).filter(|contexts| contexts.len() == 1) else {
            continue;
        };
        if let Some(context) = contexts.first().filter(|context| **context != &service.build.context) {
            service.build.context = (**context).clone();
            let name = service.name.clone();
            found
                .problems
                .retain(|problem| !problem.code.starts_with("build-") || problem.services != [name.as_str()]);
        }
    }
}

/// One image that several workloads start with commands of their own is several services. The one that starts the image
/// as it is, or is called like it, stays what it was.
pub(super) fn by_command<'u>(found: &mut Found, units: impl Iterator<Item = &'u Unit>) {
    let names = Names::of(&found.services);
    let mut groups: BTreeMap<usize, BTreeMap<&str, &Unit>> = BTreeMap::new();
    for unit in units.filter(|unit| !is_chore(&unit.name)) {
        let image = unit.image.split(['@', ':']).next().unwrap_or_default();
        let last = image.rsplit('/').next().unwrap_or_default();
        if let Some(at) = names.find(last).filter(|_| !last.is_empty()) {
            // Overlays say the same again.
            groups.entry(at).or_default().entry(&unit.name).or_insert(unit);
        }
    }
    let mut parts = Vec::new();
    for (at, group) in groups {
        let whole = &found.services[at];
        let is_whole = |unit: &Unit| {
            unit.command.is_none() || names.find(&unit.name) == Some(at) && names.is_exact(&unit.name)
        };
        let commands: BTreeSet<_> = group.values().map(|unit| &unit.command).collect();
        if commands.len() < 2 || whole.command.is_some() || !group.values().any(|unit| is_whole(unit)) {
            continue;
        }
        for unit in group.values().filter(|unit| !is_whole(unit)) {
            // Another service of that name is started by another image.
            let fits = if unit.replaces_entrypoint {
                whole.image.entrypoint.is_empty()
            } else {
                takes_commands(&whole.image)
            };
            if !fits || found.services.iter().any(|service| service.name == valid_name(&unit.name)) {
                continue;
            }
            let mut part = whole.clone();
            part.name = valid_name(&unit.name);
            part.aliases.clear();
            part.command.clone_from(&unit.command);
            // Manifests name the ports on which a program listens.
            part.is_worker = unit.ports.is_empty()
                && group.values().any(|other| is_whole(other) && !other.ports.is_empty());
            parts.push(part);
        }
    }
    found.services.extend(parts);
}

/// One Dockerfile with a stage for each of several programs is several services, where nobody says which of them runs.
pub(super) fn by_stage(repo: &Repo, found: &mut Found, deployments: &[Deployment]) {
    let builds = deployments.iter().flat_map(|one| &one.units).filter_map(|unit| unit.build.as_ref());
    let said: BTreeSet<&RepoPath> = builds.map(|build| &build.dockerfile).collect();
    for whole in std::mem::take(&mut found.services) {
        let is_plain = whole.build.target.is_none() && whole.build.args.is_empty() && whole.command.is_none();
        let parsed = (is_plain && whole.image.stages.len() > 1 && !said.contains(&whole.dockerfile))
            .then(|| Dockerfile::parse(&repo.text(&whole.dockerfile).ok()?.text).ok())
            .flatten();
        let programs = parsed.as_ref().map(Dockerfile::programs).unwrap_or_default();
        let (Some(parsed), Some(last)) = (&parsed, programs.last()) else {
            found.services.push(whole);
            continue;
        };
        for program in &programs {
            let mut part = whole.clone();
            part.name = match &whole.name {
                _ if whole.path.is_root() => valid_name(program),
                name if valid_name(program).starts_with(name.as_str()) => valid_name(program),
                name => valid_name(&format!("{name}-{program}")),
            };
            // What is built when nobody chooses is what the whole was known as.
            if program != last {
                part.aliases.clear();
            }
            let known_as = [Some(program), (program == last).then_some(&whole.name)];
            let known_as = known_as.into_iter().flatten().map(|name| name.to_lowercase());
            part.aliases.extend(known_as.filter(|alias| *alias != part.name));
            part.build.target = Some(program.clone());
            part.image = found.image(parsed, Some(program), &BTreeMap::new());
            found.services.push(part);
        }
        let name = found.services.last().map(|part| part.name.clone()).unwrap_or_default();
        for service in found.problems.iter_mut().flat_map(|problem| &mut problem.services) {
            if *service == whole.name {
                service.clone_from(&name);
            }
        }
    }
}
