//! Reads hand-written compose files, Kubernetes manifests, values of Helm charts and Skaffold's files as further
//! evidence; they never start or stop a service that has no Dockerfile here.

mod bake;
mod compose;
mod helm;
mod kubernetes;
mod skaffold;
mod tested;

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::Dockerfile;
use super::names::{Names, valid_name};
use super::services::{self, Found, Roots, Tagged};
use super::{placeholder, ports, url};
use crate::catalog::Catalog;
use crate::model::fact::{
    ComponentFacts, EnvSource, Evidence, Fact, HealthKind, PortSource, Purpose, Subject, What,
};
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;

/// A container as a deployment file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Unit {
    name: String,
    /// As written; empty where it is built only.
    image: String,
    build: Option<UnitBuild>,
    command: Option<Vec<String>>,
    environment: Vec<(String, String)>,
    ports: Vec<u16>,
    needs: Vec<String>,
    /// Path and port of an HTTP check.
    health: Option<(String, Option<u16>)>,
}

/// `build:` of a compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnitBuild {
    context: RepoPath,
    dockerfile: RepoPath,
    target: Option<String>,
    args: BTreeMap<String, String>,
}

/// A deployment file, read.
struct Deployment {
    file: RepoPath,
    text: String,
    units: Vec<Unit>,
    format: Format,
}

/// What a deployment file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Compose,
    Helm,
    Kubernetes,
    Skaffold,
}

impl Format {
    fn of(file: &RepoPath, repo: &Repo) -> Option<Format> {
        if compose::is_main(file, repo) {
            Some(Format::Compose)
        } else if skaffold::may_be(file) {
            Some(Format::Skaffold)
        } else if helm::may_be(file, repo) {
            Some(Format::Helm)
        } else {
            kubernetes::may_be(file).then_some(Format::Kubernetes)
        }
    }

    /// The rules for ports, variables, needs and health.
    fn rules(self) -> [&'static str; 4] {
        match self {
            Format::Compose => {
                ["compose-port", "compose-environment", "compose-depends-on", "compose-health"]
            }
            Format::Helm => ["helm-port", "helm-environment", "helm-needs", "helm-probe"],
            _ => ["kubernetes-port", "kubernetes-environment", "kubernetes-needs", "kubernetes-probe"],
        }
    }
}

/// Whether a file names images and what each is built from.
pub(super) fn lists_images(file: &RepoPath) -> bool {
    bake::may_be(file) || skaffold::may_be(file) || compose::may_be(file)
}

/// The images that such a file names, and what they are built from.
pub(super) fn images(file: &RepoPath, text: &str) -> Vec<Tagged> {
    let folder = file.parent().unwrap_or_default();
    let units = match () {
        () if bake::may_be(file) => bake::units(text, &folder),
        () if skaffold::may_be(file) => skaffold::units(text, &folder),
        () => compose::units(text, &folder),
    };
    let tagged = |unit: Unit| {
        let UnitBuild { context, dockerfile, target, .. } = unit.build?;
        (!unit.image.is_empty()).then_some(Tagged { reference: unit.image, dockerfile, context, target })
    };
    units.into_iter().filter_map(tagged).collect()
}

/// The images of infrastructure that continuous integration and development containers start.
pub(super) fn tested(repo: &Repo, catalog: &Catalog) -> Vec<ComponentFacts> {
    tested::components(repo, catalog)
}

/// Splits and completes the services that deployment files describe, and returns what else the files say.
pub(super) fn read(repo: &Repo, catalog: &Catalog, roots: &Roots, found: &mut Found) -> Vec<Fact> {
    let deployments = deployments(repo, roots);
    // Where both say how an image is built, the compose file is what people start here.
    let has_compose = deployments.iter().any(|deployment| deployment.format == Format::Compose);
    for deployment in &deployments {
        match deployment.format {
            Format::Compose => {
                split(repo, found, &deployment.units);
                add_components(catalog, found, deployment);
            }
            Format::Skaffold if !has_compose => split(repo, found, &deployment.units),
            _ => {}
        }
    }
    split_by_stage(repo, found, &deployments);
    services::name_uniquely(&mut found.services);
    found.services.sort_by(|a, b| a.name.cmp(&b.name));
    found.components.sort_by(|a, b| (&a.name, &a.at).cmp(&(&b.name, &b.at)));
    found.components.dedup_by(|a, b| a.name == b.name);
    let mut facts = Vec::new();
    for deployment in &deployments {
        for unit in &deployment.units {
            if let Some(service) = owner(found, unit) {
                let name = found.services[service].name.clone();
                found.services[service].aliases.extend(alias(unit, &name));
                // A variant for development listens where its own server does.
                let is_other = |build: &UnitBuild| build.dockerfile != found.services[service].dockerfile;
                let is_other = unit.build.as_ref().is_some_and(is_other);
                let nothing = Unit { ports: Vec::new(), health: None, ..unit.clone() };
                say(deployment, if is_other { &nothing } else { unit }, &name, &mut facts);
            }
        }
    }
    facts
}

fn deployments(repo: &Repo, roots: &Roots) -> Vec<Deployment> {
    let wanted = |file: &&RepoPath| {
        matches!(file.extension(), "yml" | "yaml")
            && !roots.excludes(file)
            && !file.parent().is_some_and(|folder| folder.parts().any(is_put_away))
            // Charts keep their manifests in a folder of that name.
            && services::hidden_or_test(file).is_none_or(|reason| reason == services::TEMPLATE)
            && Format::of(file, repo).is_some()
    };
    let files: Vec<RepoPath> = repo.files().filter(wanted).cloned().collect();
    let read = in_parallel(files, |file| {
        let text = repo.text(file).ok()?.text;
        let format = Format::of(file, repo)?;
        let folder = file.parent().unwrap_or_default();
        let units = match format {
            Format::Compose => compose::units(&text, &folder),
            Format::Helm => helm::units(&text, file, repo),
            Format::Kubernetes => kubernetes::units(&text),
            Format::Skaffold => skaffold::units(&text, &folder),
        };
        (!units.is_empty()).then(|| Deployment { file: file.clone(), text, units, format })
    });
    read.into_iter().flatten().collect()
}

/// Folders in which people keep what is no longer so.
fn is_put_away(folder: &str) -> bool {
    const NAMES: &[&str] =
        &["archive", "archived", "bak", "deprecated", "legacy", "obsolete", "old", "unused"];
    NAMES.contains(&folder.trim_matches(['_', '.']).to_ascii_lowercase().as_str())
}

/// Containers that run once for people or tests, not as a part of the system.
fn is_chore(name: &str) -> bool {
    const CHORES: &[&str] = &[
        "bash",
        "console",
        "e2e",
        "init",
        "lint",
        "migrate",
        "migration",
        "migrations",
        "migrator",
        "seed",
        "setup",
        "shell",
        "test",
        "tests",
        "tools",
    ];
    valid_name(name).split('-').any(|word| CHORES.contains(&word))
}

/// One Dockerfile that a compose file starts with several commands, targets or arguments is several services.
fn split(repo: &Repo, found: &mut Found, units: &[Unit]) {
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
            part.name = valid_name(&unit.name);
            part.command.clone_from(&unit.command);
            part.build.context = build.context.clone();
            part.build.target.clone_from(&build.target);
            part.build.args.clone_from(&build.args);
            part.image = found.image(&parsed, build.target.as_deref(), &build.args);
            part.origins = found.bases.origins(dockerfile, &parsed, &build.args);
            found.services.push(part);
        }
    }
}

/// One Dockerfile with a stage for each of several programs is several services, where nobody says which of them runs.
fn split_by_stage(repo: &Repo, found: &mut Found, deployments: &[Deployment]) {
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

fn add_components(catalog: &Catalog, found: &mut Found, deployment: &Deployment) {
    for unit in deployment.units.iter().filter(|unit| unit.build.is_none()) {
        let Some(entry) = catalog.by_image(&unit.image) else { continue };
        if found.components.iter().any(|known| known.name == unit.name) {
            continue;
        }
        let at = deployment.at(&unit.name, &unit.image, "compose-image");
        let (name, kind, image) = (unit.name.clone(), entry.kind.clone(), unit.image.clone());
        found.components.push(ComponentFacts { name, kind, image, build: None, at });
    }
}

/// The service that a unit runs.
fn owner(found: &Found, unit: &Unit) -> Option<usize> {
    let all = &found.services;
    if is_chore(&unit.name) {
        return None;
    }
    if let Some(build) = &unit.build {
        let same = |at: &usize| all[*at].dockerfile == build.dockerfile;
        let mine: Vec<usize> = (0..all.len()).filter(same).collect();
        let exact = mine.iter().copied().find(|at| all[*at].name == valid_name(&unit.name));
        let args = || mine.iter().copied().find(|at| all[*at].build.args == build.args);
        let lone = || mine.first().copied().filter(|_| mine.len() == 1);
        // Its Dockerfile may be a variant of the one that was taken.
        let folder = build.dockerfile.parent().unwrap_or_default();
        let beside = || (0..all.len()).find(|at| !folder.is_root() && all[*at].path == folder);
        return exact.or_else(args).or_else(lone).or_else(|| beside().filter(|_| mine.is_empty()));
    }
    let names = Names::of(all);
    let image = unit.image.split(['@', ':']).next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    names.find(&unit.name).or_else(|| names.find(last))
}

fn alias(unit: &Unit, name: &str) -> Option<String> {
    let lower = unit.name.to_lowercase();
    (lower != name && !lower.is_empty()).then_some(lower)
}

impl Deployment {
    /// The line on which `what` stands in the part about `name`.
    fn at(&self, name: &str, what: &str, rule: &'static str) -> Evidence {
        let lines = || self.text.lines().zip(1u32..);
        let begins = |line: &str| {
            let line = line.trim().trim_start_matches("- ").trim();
            line.trim_end_matches(':').trim_matches('"') == name || line == format!("name: {name}")
        };
        let start = lines().find(|(line, _)| begins(line)).map_or(1, |(_, number)| number);
        let line = lines().find(|(line, number)| *number >= start && line.contains(what));
        Evidence { path: self.file.clone(), line: line.map_or(start, |(_, number)| number), rule }
    }
}

/// What a unit says about the service that it runs.
fn say(deployment: &Deployment, unit: &Unit, service: &str, facts: &mut Vec<Fact>) {
    let rules = deployment.format.rules();
    let mut add = |rule: &'static str, near: &str, what: What| {
        let at = deployment.at(&unit.name, near, rule);
        facts.push(Fact { what, at, subject: Subject::Named(service.to_owned()) });
    };
    for port in &unit.ports {
        let (protocol, purpose) = ports::kind(*port);
        if purpose != Purpose::Debug {
            let (port, source, variable) = (*port, PortSource::Deployment, None);
            add(rules[0], &port.to_string(), What::Port { port, protocol, purpose, source, variable });
        }
    }
    for (name, value) in &unit.environment {
        for reference in url::references(value, Some(name)) {
            add(rules[1], name, What::Reference(reference));
        }
        let resolved = placeholder::resolve(value);
        let value = if resolved.contains(placeholder::UNKNOWN) { String::new() } else { resolved };
        let what = What::EnvValue {
            name: name.clone(),
            value,
            comment: String::new(),
            source: EnvSource::Deployment,
        };
        add(rules[1], name, what);
    }
    for target in &unit.needs {
        add(rules[2], target, What::Mention { target: target.clone(), detail: None });
    }
    if let Some((path, port)) = &unit.health {
        let what = What::Health { kind: HealthKind::Http, path: Some(path.clone()), port: *port };
        add(rules[3], path, what);
    }
}
