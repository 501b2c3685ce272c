//! The containers of the stack, put together from all that was decided; decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::stack::{Container, Mount, Network};
use crate::parallel::in_parallel;

use super::components::Component;
use super::draft::Draft;
use super::environment::Environment;
use super::migrate::{self, Migration};
use super::needs::{Needs, Target};
use super::order::Order;
use super::{assemble, inventory, named, networks, setup};

/// Servers with their setups, then migrations and services; and the setups' scripts, by their path in the setup.
#[allow(clippy::too_many_arguments, reason = "the one place where all decisions meet")]
pub(crate) fn containers(
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

/// Those that a container joins, sorted.
pub(crate) fn used_networks(containers: &[Container]) -> Vec<Network> {
    let names: BTreeSet<&String> =
        containers.iter().flat_map(|c| c.networks.iter().map(|(name, _)| name)).collect();
    names.into_iter().map(|name| Network { name: name.clone() }).collect()
}

/// The named ones that a container mounts, sorted.
pub(crate) fn used_volumes(containers: &[Container]) -> Vec<String> {
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
