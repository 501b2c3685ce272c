//! Reads hand-written compose files, Kubernetes manifests, values of Helm charts, the files of Skaffold, Tilt, bake, Tye
//! and .NET Aspire, and those of platforms as further evidence; they never start or stop a service that has no Dockerfile
//! here.

mod aspire;
mod bake;
mod compose;
mod config_maps;
mod constants;
mod helm;
mod kubernetes;
mod processes;
mod skaffold;
mod split;
mod tested;
mod tilt;
mod tye;

use std::collections::BTreeMap;

pub(super) use config_maps::SHARED;

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
    /// The folder of the program, where the file says that instead of an image.
    code: Option<RepoPath>,
    /// Which of an image's processes it is, where the file lists these; empty for the one that answers requests.
    process: Option<String>,
    command: Option<Vec<String>>,
    /// Whether the file says that it listens nowhere.
    is_worker: bool,
    /// Whether that stands in the place of the image's ENTRYPOINT too.
    replaces_entrypoint: bool,
    environment: Vec<(String, String)>,
    /// What it takes from other documents, and what these say.
    taken: Vec<config_maps::Taken>,
    given: Vec<config_maps::Given>,
    /// Texts of the files of configuration that it is given.
    files: Vec<String>,
    ports: Vec<u16>,
    /// Where these are published on the host.
    published: Vec<u16>,
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
    Aspire,
    Bake,
    Blueprint,
    Compose,
    Helm,
    Kubernetes,
    Processes,
    Skaffold,
    Tilt,
    Tye,
}

impl Format {
    fn of(file: &RepoPath, repo: &Repo) -> Option<Format> {
        match file.extension() {
            "yml" | "yaml" => Format::of_yaml(file, repo),
            _ => Format::by_name(file),
        }
    }

    fn by_name(file: &RepoPath) -> Option<Format> {
        match file.extension() {
            "cs" => aspire::may_be(file).then_some(Format::Aspire),
            "hcl" | "json" => bake::may_be(file).then_some(Format::Bake),
            "" | "toml" if processes::may_be(file) => Some(Format::Processes),
            "" | "tiltfile" => tilt::may_be(file).then_some(Format::Tilt),
            _ => None,
        }
    }

    fn of_yaml(file: &RepoPath, repo: &Repo) -> Option<Format> {
        if compose::is_main(file, repo) {
            Some(Format::Compose)
        } else if skaffold::may_be(file) {
            Some(Format::Skaffold)
        } else if tye::may_be(file) {
            Some(Format::Tye)
        } else if processes::may_be_blueprint(file) {
            Some(Format::Blueprint)
        } else if helm::may_be(file, repo) {
            Some(Format::Helm)
        } else {
            kubernetes::may_be(file).then_some(Format::Kubernetes)
        }
    }

    /// What it runs, and the variables that it keeps apart from that.
    fn read(self, text: &str, file: &RepoPath, repo: &Repo) -> (Vec<Unit>, Vec<config_maps::Map>) {
        let folder = file.parent().unwrap_or_default();
        let units = match self {
            Format::Aspire => aspire::units(text, file, repo),
            Format::Bake => bake::units(text, &folder),
            Format::Blueprint => processes::of_blueprint(text, &folder),
            Format::Compose => compose::units(text, &folder),
            Format::Helm => helm::units(text, file, repo),
            Format::Kubernetes => return kubernetes::read(text, file),
            Format::Processes => processes::units(text, file),
            Format::Skaffold => skaffold::units(text, &folder),
            Format::Tilt => tilt::units(text, &folder),
            Format::Tye => tye::units(text, &folder),
        };
        (units, Vec::new())
    }

    /// The rules for ports, variables, needs and health.
    fn rules(self) -> [&'static str; 4] {
        match self {
            Format::Aspire => ["aspire-port", "aspire-environment", "aspire-needs", "aspire-health"],
            Format::Blueprint | Format::Processes => {
                ["platform-port", "platform-environment", "platform-needs", "platform-health"]
            }
            Format::Compose => {
                ["compose-port", "compose-environment", "compose-depends-on", "compose-health"]
            }
            Format::Helm => ["helm-port", "helm-environment", "helm-needs", "helm-probe"],
            Format::Tye => ["tye-port", "tye-environment", "tye-needs", "tye-health"],
            _ => ["kubernetes-port", "kubernetes-environment", "kubernetes-needs", "kubernetes-probe"],
        }
    }
}

/// Whether a file names images and what each is built from.
pub(super) fn lists_images(file: &RepoPath) -> bool {
    bake::may_be(file) || skaffold::may_be(file) || compose::may_be(file) || tilt::may_be(file)
}

/// The images that such a file names, and what they are built from.
pub(super) fn images(file: &RepoPath, text: &str) -> Vec<Tagged> {
    let folder = file.parent().unwrap_or_default();
    let units = match () {
        () if bake::may_be(file) => bake::units(text, &folder),
        () if skaffold::may_be(file) => skaffold::units(text, &folder),
        () if tilt::may_be(file) => tilt::units(text, &folder),
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
                split::by_build(repo, found, &deployment.units);
                add_components(catalog, found, deployment);
            }
            Format::Skaffold | Format::Blueprint | Format::Processes if !has_compose => {
                split::by_build(repo, found, &deployment.units);
            }
            Format::Bake | Format::Tilt if !has_compose => split::take_contexts(found, &deployment.units),
            Format::Tye => add_components(catalog, found, deployment),
            _ => {}
        }
    }
    if !has_compose {
        let manifests = deployments.iter().filter(|deployment| deployment.format == Format::Kubernetes);
        split::by_command(found, manifests.flat_map(|deployment| &deployment.units));
    }
    split::by_stage(repo, catalog, found, &deployments);
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
        // Of all but YAML the name alone says it: cheaper than what follows.
        (matches!(file.extension(), "yml" | "yaml") || Format::by_name(file).is_some())
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
        let (units, maps) = format.read(&text, file, repo);
        Some((Deployment { file: file.clone(), text, units, format }, maps))
    });
    let (mut deployments, maps): (Vec<Deployment>, Vec<Vec<config_maps::Map>>) =
        read.into_iter().flatten().unzip();
    deployments.retain(|deployment| !deployment.units.is_empty());
    config_maps::settle(&mut deployments, &maps.concat());
    deployments
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

fn add_components(catalog: &Catalog, found: &mut Found, deployment: &Deployment) {
    for unit in deployment.units.iter().filter(|unit| unit.build.is_none() && unit.code.is_none()) {
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
    let lies_there =
        |at: &usize| unit.code.as_ref().is_some_and(|code| !code.is_root() && all[*at].path == *code);
    // A chore is no other service's container; a program whose code is a service's is that service, whatever it does.
    if is_chore(&unit.name) {
        return (0..all.len()).find(lies_there).filter(|_| unit.build.is_none());
    }
    if let Some(build) = &unit.build {
        let same = |at: &usize| all[*at].dockerfile == build.dockerfile;
        let mine: Vec<usize> = (0..all.len()).filter(same).collect();
        let exact = mine.iter().copied().find(|at| match &unit.process {
            // Several have one name, that of the image.
            Some(_) => all[*at].command == unit.command,
            None => all[*at].name == valid_name(&unit.name),
        });
        // Stages are programs of their own where the services have several.
        let fits = |at: &usize| {
            let stages = [&all[*at].build.target, &build.target];
            stages[0] == stages[1] || stages.iter().any(|stage| stage.is_none())
        };
        let stage = || {
            mine.iter().copied().find(|at| build.target.is_some() && all[*at].build.target == build.target)
        };
        let args = || mine.iter().copied().find(|at| all[*at].build.args == build.args && fits(at));
        let lone = || mine.first().copied().filter(|_| mine.len() == 1);
        // Its Dockerfile may be a variant of the one that was taken.
        let folder = build.dockerfile.parent().unwrap_or_default();
        let beside = || (0..all.len()).find(|at| !folder.is_root() && all[*at].path == folder);
        return exact
            .or_else(stage)
            .or_else(args)
            .or_else(lone)
            .or_else(|| beside().filter(|_| mine.is_empty()));
    }
    if let Some(code) = &unit.code {
        let names = Names::of(all);
        return (0..all.len())
            .find(lies_there)
            .or_else(|| names.find(code.name()))
            .or_else(|| names.find(&unit.name));
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
            line.trim_end_matches(':').trim_matches('"') == name
                || line == format!("name: {name}")
                || self.format == Format::Aspire && line.contains(&format!("(\"{name}\""))
        };
        let start = lines().find(|(line, _)| begins(line)).map_or(1, |(_, number)| number);
        let line = lines().find(|(line, number)| *number >= start && line.contains(what));
        Evidence { path: self.file.clone(), line: line.map_or(start, |(_, number)| number), rule }
    }
}

/// What stands between quotes in a line that is no comment.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let is_comment = line.trim_start().starts_with(['#', ';']);
    let quote = if line.contains('"') { '"' } else { '\'' };
    line.split(quote).skip(1).step_by(2).filter(move |_| !is_comment)
}

/// A container with more variables was written by a machine, to keep another one busy.
const MAX_VARIABLES: usize = 1_000;

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
    for port in &unit.published {
        add(rules[0], &port.to_string(), What::DevelopmentPort { port: *port });
    }
    for (name, value) in unit.environment.iter().take(MAX_VARIABLES) {
        for what in variable(name, value) {
            add(rules[1], name, what);
        }
    }
    for value in unit.files.iter().flat_map(|file| file.lines()).flat_map(quoted) {
        for reference in url::references(value, None) {
            add(rules[1], value, What::Reference(reference));
        }
    }
    for target in &unit.needs {
        add(rules[2], target, What::Mention { target: target.clone(), detail: None });
    }
    if let Some((path, port)) = &unit.health {
        let what = What::Health { kind: HealthKind::Http, path: Some(path.clone()), port: *port };
        add(rules[3], path, what);
    }
    let subject = Subject::Named(service.to_owned());
    for given in unit.given.iter().take(MAX_VARIABLES) {
        let said = variable(&given.name, &given.value);
        facts.extend(said.map(|what| Fact { what, at: given.at.clone(), subject: subject.clone() }));
    }
}

/// What the value of a variable says.
fn variable(name: &str, value: &str) -> impl Iterator<Item = What> {
    let resolved = placeholder::resolve(value);
    let given = What::EnvValue {
        name: name.to_owned(),
        value: if resolved.contains(placeholder::UNKNOWN) { String::new() } else { resolved },
        comment: String::new(),
        source: EnvSource::Deployment,
    };
    let references = url::references(value, Some(name)).into_iter().map(What::Reference);
    references.chain([given])
}
