//! Turns facts, catalogue and config into a stack; pure: no disk, no clock, no network, no processes.

mod address;
mod apart;
mod assemble;
mod bases;
mod chosen;
mod components;
mod connectivity;
mod containers;
mod cycles;
mod draft;
mod env_example;
mod environment;
mod external;
mod given_port;
mod host_ports;
mod inventory;
mod known;
mod migrate;
mod named;
mod names;
mod needs;
mod networks;
mod opened;
mod order;
mod ports;
mod preferences;
mod probe;
mod readiness;
mod references;
mod reload;
mod renames;
mod secrets;
mod settings;
mod setup;
mod sight;
mod strength;
mod value;
mod variables;
mod whom;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::Result;
use crate::model::fact::{ComponentFacts, Facts};
use crate::model::inventory::Inventory;
use crate::model::problem::{Problem, Severity};
use crate::model::stack::{Assignments, Container, Stack};
use crate::parallel::in_parallel;

use self::components::Component;
use self::draft::Draft;
use self::environment::{Environment, Surroundings};
use self::migrate::Migration;
use self::needs::{Finder, Needs, Target};
use self::order::{Edge, Order};

/// What is known beside the facts.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The name of the root's folder, for the project's name.
    pub folder: String,
    /// What earlier runs assigned.
    pub recorded: Assignments,
    /// Digests of the services' Dockerfiles, by path.
    pub dockerfiles: BTreeMap<String, String>,
    /// Services that were written by hand, as they stand in the Compose file.
    pub handwritten: BTreeMap<String, Handwritten>,
}

/// What a Compose file says of a service that was written by hand.
#[derive(Debug, Clone, Default)]
pub struct Handwritten {
    /// The image, where it has one.
    pub image: Option<String>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

/// Decides everything.
///
/// # Errors
/// Preferences that cannot be met: a version that the catalogue does not have, a service that does not exist.
pub fn plan(facts: &Facts, catalog: &Catalog, config: &Config, context: &Context) -> Result<Stack> {
    let mut problems = facts.problems.clone();
    let renamed = renames::renames(&facts.services, &context.recorded, &context.dockerfiles);
    preferences::check(config, &facts.services, &renamed, &mut problems)?;
    let drafts = draft::drafts(&facts.services, config, &renamed, &mut problems);
    let needs = needs(catalog, config, (&drafts, &facts.components), &mut problems)?;
    let mut components = components::components(catalog, config, facts, &drafts, &needs, context)?;
    apart::databases(&mut components, &drafts, &needs, &mut problems);
    apart::shared(&mut components, &drafts, &needs);
    preferences::without_effect(config, &components, &mut problems);
    readiness::handwritten_servers(&components, context, &mut problems);
    readiness::replaced_images(&components, &mut problems);
    named::check(&components, &drafts, &mut problems);
    readiness::older_versions(&components, &context.recorded.versions, config, &mut problems);
    let networks = networks::of_components(&components, config.isolated());
    let requests = host_ports::requests(&drafts, &components);
    let (host_ports, moved) = host_ports::assign(&requests, &context.recorded.ports);
    let environments = environments(&drafts, &needs, &components, &host_ports);
    let migrations = migrate::decide(&drafts, &needs, &components, &mut problems);
    problems.retain(|problem| !migrate::decided_by_hand(problem, &drafts, &migrations));
    let order = start_order(&drafts, &needs, &components, &migrations);

    for ((draft, needs), environment) in drafts.iter().zip(&needs).zip(&environments) {
        readiness::loopback(draft, &mut problems);
        readiness::volumes_over_code(draft, &mut problems);
        readiness::code(draft, &mut problems);
        readiness::command(draft, &mut problems);
        readiness::environment(draft, environment, needs, &mut problems);
    }
    readiness::port_conflicts(&moved, &drafts, &mut problems);
    cycles::report(&order, &drafts, &needs, &mut problems);
    readiness::orphans(facts, catalog, &mut problems);
    for aside in &facts.set_aside {
        problems.push(
            Problem::new(
                "set-aside",
                Severity::Note,
                format!("`{}` is no service: {}", aside.path, aside.reason),
            )
            .at(&aside.path)
            .fix("to take it as one, name its folder below services.roots in config.yaml"),
        );
    }
    problems.sort_by(|a, b| {
        (a.severity, a.code, &a.services, &a.at).cmp(&(b.severity, b.code, &b.services, &b.at))
    });
    problems.dedup();

    let (mut containers, mut scripts) = containers::containers(
        &drafts,
        &needs,
        &components,
        &networks,
        &host_ports,
        &environments,
        &order,
        &migrations,
    );
    scripts.extend(
        facts.scenarios.iter().map(|(path, text)| (format!("tests/smoke/{}", path.name()), text.clone())),
    );
    if config.hot_reload.is_some_and(|switch| !switch.0) {
        containers.iter_mut().for_each(|container| container.reload = None);
    }
    bases::add(&mut containers, facts);
    let connectivity = connectivity::connectivity(&connectivity::Parts {
        drafts: &drafts,
        needs: &needs,
        components: &components,
        environments: &environments,
        containers: &containers,
        bind: config.bind.as_deref(),
    });
    let inventory = Inventory {
        version: 1,
        root: ".".to_owned(),
        services: in_parallel(
            drafts.iter().zip(&needs).zip(&environments).collect(),
            |((draft, needs), env)| {
                inventory::service(draft, needs, env, &components, &host_ports, &migrations)
            },
        ),
        infrastructure: components.iter().map(inventory::component).collect(),
        startup_order: order.waves.clone(),
        problems,
    };
    let name = config
        .name
        .clone()
        .or_else(|| context.recorded.name.clone())
        .unwrap_or_else(|| context.folder.clone());
    let name = if names::is_project(&name) { name } else { names::project(&name) };
    Ok(Stack {
        networks: containers::used_networks(&containers),
        volumes: containers::used_volumes(&containers),
        variables: env_example::variables(config, &drafts, &components, &environments, &containers, &name),
        scripts,
        takes_seeds: components.iter().any(|one| one.entry.seed.is_some() && setup::wanted(one)),
        bind: config.bind.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
        broken_edges: order.broken().collect(),
        apis: facts
            .apis
            .iter()
            .filter(|api| answers_on_the_host(&containers, &api.service))
            .cloned()
            .collect(),
        connectivity,
        external: external::connections(config, &drafts, &needs, &components),
        assignments: Assignments {
            name: Some(name.clone()),
            ports: host_ports,
            services: drafts.iter().map(|d| (d.facts.dockerfile.to_string(), d.facts.name.clone())).collect(),
            adopted: context.recorded.adopted.clone(),
            dockerfiles: context.dockerfiles.clone(),
            renamed,
            versions: versions(&components),
        },
        name,
        containers,
        inventory,
    })
}

fn needs(
    catalog: &Catalog,
    config: &Config,
    (drafts, components): (&[Draft<'_>], &[ComponentFacts]),
    problems: &mut Vec<Problem>,
) -> Result<Vec<Needs>> {
    let finder = Finder::new(catalog, drafts, components);
    let found = in_parallel(drafts.iter().collect(), |draft| finder.needs(draft));
    drafts
        .iter()
        .zip(found)
        .map(|(draft, mut needs)| {
            preferences::requires(draft, drafts, catalog, config, &mut needs)?;
            preferences::unwired(draft, config, &needs, problems);
            Ok(needs)
        })
        .collect()
}

/// The versions of what holds data, where the catalogue's image runs.
fn versions(components: &[Component<'_>]) -> BTreeMap<String, String> {
    let holds_data = |component: &&Component<'_>| {
        component.external.is_none()
            && component.build.is_none()
            && component.image == component.version.image
            && !component.version.volumes.is_empty()
    };
    let of = |component: &Component<'_>| (component.name.clone(), component.version_key.to_owned());
    components.iter().filter(holds_data).map(of).collect()
}

fn answers_on_the_host(containers: &[Container], service: &str) -> bool {
    containers.iter().any(|container| container.name == service && !container.ports.is_empty())
}

fn environments(
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
    host_ports: &BTreeMap<String, u16>,
) -> Vec<Environment> {
    let shared_secrets = secrets::shared(drafts);
    let around = Surroundings { drafts, components, host_ports, shared_secrets: &shared_secrets };
    in_parallel(drafts.iter().zip(needs).collect(), |(draft, needs)| {
        environment::environment(draft, needs, &around)
    })
}

fn start_order(
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
    migrations: &[Migration],
) -> Order {
    let started = components.iter().filter(|component| component.external.is_none());
    let mut names: BTreeSet<String> =
        drafts.iter().map(|draft| draft.facts.name.clone()).chain(started.map(|c| c.name.clone())).collect();
    let mut edges = Vec::new();
    for migration in migrations {
        names.insert(migration.name.clone());
        edges.extend(migration.edges());
    }
    for (draft, needs) in drafts.iter().zip(needs) {
        for need in inventory::required(needs) {
            let to = match &need.target {
                Target::Service(service) => Some(service.clone()),
                Target::Kind(kind) => components
                    .iter()
                    .find(|c| c.entry.kind == *kind && c.clients.contains(&draft.facts.name))
                    .map(|c| c.name.clone()),
            };
            edges.extend(to.map(|to| Edge { from: draft.facts.name.clone(), to, weight: need.weight }));
        }
    }
    order::order(&names, &edges)
}

#[cfg(test)]
mod tests;
