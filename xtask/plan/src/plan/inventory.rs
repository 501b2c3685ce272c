//! The inventory from decisions: what `inventory`, `explain` and the report show; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::{HealthKind, Purpose, ServiceFacts, What};
use crate::model::inventory::{
    Build, Component as Listed, FactLine, Migrations, Port, Requirement, Service, Strength, Volume,
};

use super::components::Component;
use super::draft::Draft;
use super::environment::{Environment, port_variable};
use super::migrate::Migration;
use super::needs::{Needs, Target};
use super::variables::Part;

/// A service as `inventory --json` shows it.
pub(crate) fn service(
    draft: &Draft<'_>,
    needs: &Needs,
    environment: &Environment,
    components: &[Component<'_>],
    host_ports: &BTreeMap<String, u16>,
    runs: &[Migration],
) -> Service {
    let facts = draft.facts;
    Service {
        name: facts.name.clone(),
        path: facts.path.to_string(),
        dockerfile: facts.dockerfile.to_string(),
        build: build(&draft.build),
        command: facts.command.clone(),
        aliases: facts.aliases.clone(),
        language: facts.language.clone(),
        role: draft.role,
        ports: draft
            .ports
            .iter()
            .map(|port| Port {
                container: port.container,
                host: host_ports
                    .get(&port_variable(draft, port.container))
                    .copied()
                    .filter(|_| port.purpose == Purpose::Main),
                protocol: port.protocol,
                purpose: port.purpose,
            })
            .collect(),
        volumes: facts
            .image
            .volumes
            .iter()
            .map(|(path, _)| Volume { path: path.clone(), from: "dockerfile".to_owned() })
            .collect(),
        health: draft.health.clone(),
        requires: requirements(draft, needs, components),
        env: environment.inventory.clone(),
        migrations: migrations(facts, runs),
        evidence: evidence(facts, environment),
    }
}

/// How the service's tables are made, and who sees to it.
fn migrations(facts: &ServiceFacts, runs: &[Migration]) -> Option<Migrations> {
    let of = |fact: &crate::model::fact::Fact| match &fact.what {
        What::Migration { tool, command } => Some((tool.clone(), command.clone())),
        _ => None,
    };
    let all: Vec<(String, Vec<String>)> = facts.facts.iter().filter_map(of).collect();
    let itself = all.iter().find(|(_, command)| command.is_empty());
    let (tool, command) = match (&facts.migration, itself.or(all.first())) {
        (Some(run), _) if run.files.is_none() => (run.tool.clone(), run.command.clone()),
        (Some(run), None) => (run.tool.clone(), Vec::new()),
        (_, Some((tool, command))) => (tool.clone(), command.clone()),
        (None, None) => return None,
    };
    let run = runs.iter().find(|run| run.service == facts.name);
    let run = run.or_else(|| runs.iter().find(|run| run.waiting.contains(&facts.name)));
    let by = match (run, itself) {
        (Some(run), _) if run.by_job && run.service != facts.name => format!("`{}` runs them", run.name),
        (Some(run), _) if !run.by_job => {
            let image = if run.is_in_service_image() { "" } else { " in the tool's own image" };
            format!("`{}` runs `{}`{image}: {}", run.name, run.shown(), run.because)
        }
        (_, Some(_)) => "it runs them itself when it starts".to_owned(),
        (_, None) => "nobody runs them".to_owned(),
    };
    Some(Migrations { tool, command, by })
}

fn build(build: &crate::model::fact::Build) -> Build {
    Build { context: build.context.to_string(), target: build.target.clone(), args: build.args.clone() }
}

fn requirements(draft: &Draft<'_>, needs: &Needs, components: &[Component<'_>]) -> Vec<Requirement> {
    let name = &draft.facts.name;
    needs
        .all
        .iter()
        .map(|need| {
            // The variable for a whole address says it best.
            let best = need.wires.iter().min_by_key(|wire| (wire.part != Part::Url, wire.part, &wire.name));
            let via = best.map(|wire| wire.name.clone()).or_else(|| need.hosts.iter().next().cloned());
            let (target, kind, database) = match &need.target {
                Target::Service(service) => (service.clone(), "service".to_owned(), None),
                Target::Kind(kind) => {
                    let component =
                        components.iter().find(|c| c.entry.kind == *kind && c.clients.contains(name));
                    // Where several meet in one, it is no database.
                    let separate = component.filter(|one| one.entry.databases.common.is_none());
                    let binding = separate.and_then(|component| component.binding(name));
                    let target = component.map_or_else(|| kind.clone(), |component| component.name.clone());
                    (target, kind.clone(), binding.map(|binding| binding.database.clone()))
                }
            };
            let seen = need.seen.iter().map(|at| (at.path.to_string(), at.line)).collect();
            Requirement { target, kind, database, via, strength: need.strength, seen }
        })
        .collect()
}

/// A component as `inventory --json` shows it.
pub(crate) fn component(component: &Component<'_>) -> Listed {
    Listed {
        name: component.name.clone(),
        kind: component.entry.kind.clone(),
        // What runs elsewhere has no image here.
        image: if component.external.is_some() { String::new() } else { component.image.clone() },
        build: component.build.as_ref().map(|(_, made)| build(made)),
        port: Some(component.address().1),
        used_by: component.clients.iter().cloned().collect(),
    }
}

/// Every fact as a line. Values of secrets are left out: evidence names the place, and the place has the value.
fn evidence(facts: &ServiceFacts, environment: &Environment) -> Vec<FactLine> {
    let secrets: BTreeSet<&str> =
        environment.inventory.iter().filter(|env| env.secret).map(|env| env.name.as_str()).collect();
    let mut lines: BTreeSet<FactLine> = BTreeSet::new();
    for fact in &facts.facts {
        let (name, value) = describe(&fact.what, &secrets);
        lines.insert(FactLine {
            fact: name.to_owned(),
            value,
            path: fact.at.path.to_string(),
            line: fact.at.line,
            rule: fact.at.rule.to_owned(),
        });
    }
    lines.into_iter().collect()
}

fn describe(what: &What, secrets: &BTreeSet<&str>) -> (&'static str, String) {
    match what {
        What::Port { port, .. } => ("port", port.to_string()),
        What::ListensBy { name, .. } => ("listens-by", name.clone()),
        What::Moved { variable, .. } => ("moved", variable.clone()),
        What::Listens { address } => ("listens", address.clone()),
        What::Health { kind, path, .. } => ("health", path.clone().unwrap_or_else(|| word(kind).to_owned())),
        What::EnvRead { name, .. } => ("env-read", name.clone()),
        What::ConfigKey { key, .. } => ("config-key", key.clone()),
        What::KeysFromVariables(naming) => ("config-prefix", naming.prefix.clone()),
        What::EnvValue { name, value, .. } if secrets.contains(name.as_str()) || value.is_empty() => {
            ("env", name.clone())
        }
        What::EnvValue { name, value, .. } => ("env", format!("{name}={value}")),
        What::Driver { kind, package, .. } => ("driver", format!("{package} ({kind})")),
        What::Reference(reference) => {
            let port = reference.port.map(|port| format!(":{port}")).unwrap_or_default();
            let scheme =
                if reference.scheme.is_empty() { String::new() } else { format!("{}://", reference.scheme) };
            ("reference", format!("{scheme}{}{port}", reference.host))
        }
        What::Database { name, .. } => ("database", name.clone()),
        What::Mention { target, .. } => ("mention", target.clone()),
        What::Framework { name } => ("framework", name.clone()),
        What::Migration { tool, .. } => ("migration", tool.clone()),
        What::SchemaFile => ("schema-file", String::new()),
        What::Unused { variable } => ("unused", variable.clone()),
        What::Uses { kind } => ("use", kind.clone()),
        What::DevelopmentPort { port } => ("development-port", port.to_string()),
        What::Alias { name } => ("alias", name.clone()),
    }
}

fn word(kind: &HealthKind) -> &'static str {
    match kind {
        HealthKind::Http => "http",
        HealthKind::Grpc => "grpc",
        HealthKind::Tcp => "tcp",
        HealthKind::Command => "command",
        HealthKind::Process => "process",
    }
}

/// Possible needs whose kind no component serves, as problems would be too loud: they stay in the inventory only.
pub(crate) fn required(needs: &Needs) -> impl Iterator<Item = &super::needs::Need> {
    needs.all.iter().filter(|need| need.strength == Strength::Required)
}
