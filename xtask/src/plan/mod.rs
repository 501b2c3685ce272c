//! Turns facts, catalogue and config into a stack; pure: no disk, no clock, no network, no processes.

mod address;
mod assemble;
mod bases;
mod components;
mod connectivity;
mod cycles;
mod draft;
mod environment;
mod external;
mod host_ports;
mod inventory;
mod known;
mod migrate;
mod named;
mod names;
mod needs;
mod networks;
mod order;
mod ports;
mod preferences;
mod probe;
mod readiness;
mod reload;
mod renames;
mod secrets;
mod settings;
mod setup;
mod strength;
mod value;
mod variables;
mod whom;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::Result;
use crate::model::fact::{Facts, Purpose};
use crate::model::inventory::Inventory;
use crate::model::problem::{Problem, Severity};
use crate::model::stack::{
    Assignments, Container, ContainerRole, External, Mount, Network, SecretForm, Stack, Variable,
    VariableGroup,
};
use crate::parallel::in_parallel;

use self::components::Component;
use self::draft::Draft;
use self::environment::{Environment, Surroundings, port_variable};
use self::host_ports::Request;
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
    let needs = needs(catalog, config, &drafts, &mut problems)?;
    let components = components::components(catalog, config, facts, &drafts, &needs, context)?;
    preferences::without_effect(config, &components, &mut problems);
    readiness::handwritten_servers(&components, context, &mut problems);
    readiness::replaced_images(&components, &mut problems);
    named::check(&components, &drafts, &mut problems);
    readiness::older_versions(&components, &context.recorded.versions, config, &mut problems);
    let networks = networks::of_components(&components, config.isolated());
    let requests = requests(&drafts, &components);
    let (host_ports, moved) = host_ports::assign(&requests, &context.recorded.ports);
    let environments = environments(&drafts, &needs, &components, &host_ports);
    let migrations = migrate::decide(&drafts, &needs, &components, &mut problems);
    problems.retain(|problem| !migrate::decided_by_hand(problem, &drafts, &migrations));
    let order = start_order(&drafts, &needs, &components, &migrations);

    for ((draft, needs), environment) in drafts.iter().zip(&needs).zip(&environments) {
        readiness::loopback(draft, &mut problems);
        readiness::volumes_over_code(draft, &mut problems);
        readiness::code(draft, &mut problems);
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

    let (mut containers, mut scripts) =
        containers(&drafts, &needs, &components, &networks, &host_ports, &environments, &order, &migrations);
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
        networks: used_networks(&containers),
        volumes: used_volumes(&containers),
        variables: variables(config, &drafts, &components, &environments, &containers, &name),
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
        external: external(config, &drafts, &needs, &components),
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

fn answers_on_the_host(containers: &[Container], service: &str) -> bool {
    containers.iter().any(|container| container.name == service && !container.ports.is_empty())
}

fn needs(
    catalog: &Catalog,
    config: &Config,
    drafts: &[Draft<'_>],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Needs>> {
    let finder = Finder::new(catalog, drafts);
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

/// Connections that leave the monorepo: those that were found, and those to infrastructure that runs elsewhere.
fn external(
    config: &Config,
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
) -> Vec<External> {
    let mut all = Vec::new();
    for (draft, needs) in drafts.iter().zip(needs) {
        all.extend(needs.external.clone());
        let name = &draft.facts.name;
        for component in components.iter().filter(|component| component.clients.contains(name)) {
            let Some(address) = &component.external else { continue };
            let kind = &component.entry.kind;
            let need = needs.all.iter().find(|need| need.target == Target::Kind(kind.clone()));
            all.push(External {
                from: name.clone(),
                address: address.shown(),
                via: need.and_then(|need| need.wires.first()).map(|wire| wire.name.clone()),
                at: config.place(&["infrastructure", kind]),
            });
        }
    }
    all
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

fn requests(drafts: &[Draft<'_>], components: &[Component<'_>]) -> Vec<Request> {
    let mut requests = Vec::new();
    for draft in drafts {
        for (i, port) in draft.ports.iter().filter(|port| port.purpose == Purpose::Main).enumerate() {
            requests.push(Request {
                variable: port_variable(draft, port.container),
                owner: draft.facts.name.clone(),
                container: port.container,
                fixed: draft.wanted.host_port.filter(|_| i == 0),
            });
        }
        let owner = &draft.facts.name;
        requests.extend(assemble::debug_ports(draft).into_iter().map(|port| Request {
            variable: port.variable,
            owner: owner.clone(),
            container: port.container,
            fixed: None,
        }));
    }
    for component in components.iter().filter(|component| component.external.is_none()) {
        for (i, port) in assemble::component_ports(component).into_iter().enumerate() {
            let fixed = component.host_port.filter(|_| i == 0);
            let owner = component.name.clone();
            requests.push(Request { variable: port.variable, owner, container: port.host, fixed });
        }
    }
    requests
}

fn environments(
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
    host_ports: &BTreeMap<String, u16>,
) -> Vec<Environment> {
    let shared_secrets = shared_secrets(drafts);
    let around = Surroundings { drafts, components, host_ports, shared_secrets: &shared_secrets };
    in_parallel(drafts.iter().zip(needs).collect(), |(draft, needs)| {
        let required: Vec<_> = inventory::required(needs).collect();
        environment::environment(draft, &required, &needs.links, &around)
    })
}

/// Secrets that several services hold together: one name, and one example value or the name of a token's key.
fn shared_secrets(drafts: &[Draft<'_>]) -> BTreeSet<String> {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for draft in drafts {
        for (name, setting) in settings::settings(draft.facts) {
            let value = setting.value().unwrap_or_default();
            let form = secrets::form(name, value, setting.comment());
            if matches!(form, Some(SecretForm::Hex(_))) && (!value.is_empty() || name.contains("JWT")) {
                let value = if name.contains("JWT") { "" } else { value };
                *seen.entry((name.to_owned(), value.to_owned())).or_default() += 1;
            }
        }
    }
    seen.into_iter().filter(|(_, services)| *services > 1).map(|((name, _), _)| name).collect()
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

#[allow(clippy::too_many_arguments, reason = "the one place where all decisions meet")]
fn containers(
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
    networks: &BTreeMap<String, String>,
    host_ports: &BTreeMap<String, u16>,
    environments: &[Environment],
    order: &Order,
    migrations: &[Migration],
) -> (Vec<Container>, Vec<(String, String)>) {
    let mut containers = Vec::new();
    let mut scripts = Vec::new();
    for component in components.iter().filter(|component| component.external.is_none()) {
        let network = networks.get(&component.name).map_or(networks::SERVICES, String::as_str);
        containers.push(assemble::server(component, network, host_ports));
        let wishes = named::wishes(component, drafts, environments);
        if let Some((one_shot, files)) = setup::setup(component, network, &wishes) {
            containers.push(one_shot);
            scripts.extend(files);
        }
    }
    let broken = order.broken().collect();
    let aliases = aliases(needs);
    let parts: Vec<_> = drafts.iter().zip(needs).zip(environments).collect();
    let mut services = in_parallel(parts, |((draft, own), environment)| {
        assemble::service(&assemble::Parts {
            draft,
            environment,
            needs: inventory::required(own).collect(),
            drafts,
            components,
            networks,
            host_ports,
            broken: &broken,
            aliases: aliases.get(draft.facts.name.as_str()).cloned().unwrap_or_default(),
        })
    });
    let waits = |container: &Container| container.depends_on.iter().any(|on| on.target == assemble::PROBE);
    let probed = containers.iter().chain(&services).any(waits);
    if probed {
        containers.push(assemble::probe_container());
    }
    for migration in migrations.iter().filter(|migration| !migration.by_job) {
        let service = drafts.iter().zip(&services).find(|(draft, _)| draft.facts.name == migration.service);
        if let Some((draft, service)) = service {
            let image = &draft.facts.image;
            containers.push(migrate::container(migration, service, image, components, networks));
        }
    }
    services.iter_mut().for_each(|service| migrate::wait(service, migrations));
    containers.extend(services);
    (containers, scripts)
}

/// Host names by which others call each service and that no variable moves.
fn aliases(needs: &[Needs]) -> BTreeMap<&str, Vec<String>> {
    let mut aliases: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for need in needs.iter().flat_map(inventory::required) {
        let Target::Service(name) = &need.target else { continue };
        aliases.entry(name).or_default().extend(need.hosts.iter().filter(|host| *host != name));
    }
    aliases.into_iter().map(|(name, hosts)| (name, hosts.into_iter().cloned().collect())).collect()
}

fn used_networks(containers: &[Container]) -> Vec<Network> {
    let names: BTreeSet<&String> =
        containers.iter().flat_map(|c| c.networks.iter().map(|(name, _)| name)).collect();
    names.into_iter().map(|name| Network { name: name.clone() }).collect()
}

fn used_volumes(containers: &[Container]) -> Vec<String> {
    let names: BTreeSet<&String> = containers
        .iter()
        .flat_map(|container| &container.volumes)
        .filter_map(|mount| match mount {
            Mount::Volume { name, .. } => Some(name),
            Mount::Setup { .. } | Mount::Repo { .. } => None,
        })
        .collect();
    names.into_iter().cloned().collect()
}

/// `.env.example` by groups: general, components, then services.
fn variables(
    config: &Config,
    drafts: &[Draft<'_>],
    components: &[Component<'_>],
    environments: &[Environment],
    containers: &[Container],
    project: &str,
) -> Vec<VariableGroup> {
    let bind = config.bind.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
    let mut groups = vec![VariableGroup {
        title: "General".to_owned(),
        variables: vec![
            optional(
                "COMPOSE_PROJECT_NAME",
                project,
                "Keeps this checkout's containers and data apart; `up` chooses it.",
            ),
            optional("BIND_ADDR", &bind, "The address of this machine on which all ports are published."),
        ],
    }];
    let mut by_name: BTreeMap<&str, &Container> = BTreeMap::new();
    for container in containers.iter().filter(|container| container.role != ContainerRole::OneShot) {
        by_name.entry(&container.name).or_insert(container);
    }
    let ports = |owner: &str| {
        let published = by_name.get(owner).into_iter().flat_map(|c| c.ports.iter().chain(&c.local_ports));
        let line = |port: &crate::model::stack::Published| {
            optional(
                &port.variable,
                &port.host.to_string(),
                &format!("The port on this machine for {} in the container.", port.container),
            )
        };
        published.map(line).collect::<Vec<_>>()
    };
    for component in components.iter().filter(|component| component.external.is_none()) {
        let mut variables = ports(&component.name);
        variables.extend(component_secrets(component));
        groups.push(VariableGroup {
            title: format!("{} ({})", component.name, component.entry.title),
            variables,
        });
    }
    for component in components {
        let Some(address) = &component.external else { continue };
        let about = format!("In the address of {}, which runs elsewhere.", component.entry.title);
        let theirs = |name: String| Variable {
            name,
            value: String::new(),
            comment: vec![about.clone()],
            secret: Some(SecretForm::ThirdParty),
            optional: false,
        };
        groups.push(VariableGroup {
            title: format!("{} ({})", component.name, component.entry.title),
            variables: address.variables().into_iter().map(theirs).collect(),
        });
    }
    let mut shared: BTreeMap<String, Variable> = BTreeMap::new();
    for (draft, environment) in drafts.iter().zip(environments) {
        let mut variables = ports(&draft.facts.name);
        for component in components {
            variables.extend(
                component.binding(&draft.facts.name).and_then(|binding| binding_secret(binding, component)),
            );
        }
        let prefix = format!("{}_", draft.prefix);
        for variable in &environment.variables {
            if variable.name.starts_with(&prefix) {
                variables.push(variable.clone());
            } else {
                shared.entry(variable.name.clone()).or_insert_with(|| variable.clone());
            }
        }
        groups.push(VariableGroup { title: draft.facts.name.clone(), variables });
    }
    groups[0].variables.extend(shared.into_values());
    say_once(&mut groups);
    groups.retain(|group| !group.variables.is_empty());
    groups
}

/// A file in which a variable stands twice cannot be merged: where one name serves two (a password on two servers), it
/// stands where it came first, with what both say. A value that the code has wins over a made up one.
fn say_once(groups: &mut [VariableGroup]) {
    let mut known: BTreeMap<String, Variable> = BTreeMap::new();
    for variable in groups.iter().flat_map(|group| &group.variables) {
        match known.get_mut(&variable.name) {
            None => {
                known.insert(variable.name.clone(), variable.clone());
            }
            Some(first) => {
                if first.secret.is_some() && variable.secret.is_none() {
                    first.value.clone_from(&variable.value);
                    first.secret = None;
                }
                let new = variable.comment.iter().filter(|line| !first.comment.contains(line));
                let new: Vec<String> = new.cloned().collect();
                first.comment.extend(new);
            }
        }
    }
    for group in groups {
        let mut once = Vec::new();
        for variable in &group.variables {
            once.extend(known.remove(&variable.name));
        }
        group.variables = once;
    }
}

fn optional(name: &str, value: &str, comment: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        value: value.to_owned(),
        comment: vec![comment.to_owned()],
        secret: None,
        optional: true,
    }
}

fn component_secrets(component: &Component<'_>) -> Vec<Variable> {
    let literal = component.bindings.iter().find_map(|binding| {
        let admin = component.entry.login.as_ref()?;
        (binding.user == admin.user).then(|| binding.literal_password.clone()).flatten()
    });
    assemble::secrets_of(component.entry)
        .into_iter()
        .filter(|secret| !component.given.contains_key(secret))
        .map(|secret| {
            let admin = component.entry.login.as_ref().is_some_and(|login| login.secret == secret);
            let about = match (admin, &component.entry.login) {
                (true, Some(login)) => format!("Password of the administrator `{}`.", login.user),
                _ => format!("Used by {} itself.", component.entry.title),
            };
            own_secret(component.secret(&secret), about, literal.clone().filter(|_| admin))
        })
        .collect()
}

fn binding_secret(binding: &components::Binding, component: &Component<'_>) -> Option<Variable> {
    let admin = component.entry.login.as_ref().map(|login| login.user.as_str());
    if admin == Some(binding.user.as_str()) {
        return None;
    }
    let databases = &component.entry.databases;
    let role = if databases.common.is_some() { "who works in" } else { "the owner of" };
    let about = format!(
        "Password of `{}`, {role} the {} `{}` on {}.",
        binding.user, databases.title, binding.database, component.name
    );
    Some(own_secret(binding.password_variable.clone(), about, binding.literal_password.clone()))
}

/// A secret of ours; one that stands in the code as a literal has to be what the code says.
fn own_secret(name: String, about: String, literal: Option<String>) -> Variable {
    match literal {
        Some(value) => Variable {
            name,
            value,
            comment: vec![about, "The code has it as a literal, so it is no secret.".to_owned()],
            secret: None,
            optional: false,
        },
        None => Variable {
            value: environment::placeholder(&name, SecretForm::Hex(32)),
            name,
            comment: vec![about],
            secret: Some(SecretForm::Hex(32)),
            optional: false,
        },
    }
}

#[cfg(test)]
mod tests;
