//! Who has to reach whom and by which variables, and who must not: what `test` tries on the running system; pure.

use std::collections::BTreeMap;

use crate::model::fact::{Protocol, Purpose};
use crate::model::inventory::Role;
use crate::model::stack::{Client, Connectivity, Container, ContainerRole, Reach};
use crate::parallel::in_parallel;

use super::components::Component;
use super::draft::Draft;
use super::environment::Environment;
use super::inventory::required;
use super::known;
use super::needs::{Need, Needs, Target};
use super::probe::PROBE_IMAGE;
use super::variables::{Part, is_for_browsers};

/// What the edges are taken from; the first four belong together by position, as in the rest of the plan.
pub(crate) struct Parts<'a> {
    pub(crate) drafts: &'a [Draft<'a>],
    pub(crate) needs: &'a [Needs],
    pub(crate) environments: &'a [Environment],
    pub(crate) components: &'a [Component<'a>],
    pub(crate) containers: &'a [Container],
    pub(crate) bind: Option<&'a str>,
}

/// Decides what is tried.
pub(crate) fn connectivity(parts: &Parts<'_>) -> Connectivity {
    // A job has ended when the tests run, and with it its network.
    let all = parts.drafts.iter().zip(parts.needs).zip(parts.environments);
    let clients = all.filter(|((draft, _), _)| draft.role != Role::Job).collect();
    let reaches = in_parallel(clients, |((draft, needs), environment)| {
        required(needs).filter_map(|need| reach(parts, draft, need, environment)).collect::<Vec<_>>()
    });
    let mut reaches: Vec<Reach> = reaches.into_iter().flatten().collect();
    reaches.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    let used = |component: &&Component<'_>| reaches.iter().any(|reach| reach.client == component.entry.kind);
    let clients: BTreeMap<&str, Client> = parts
        .components
        .iter()
        .filter(used)
        .filter_map(|component| Some((component.entry.kind.as_str(), client(component)?)))
        .collect();
    Connectivity {
        loopback: parts
            .bind
            .is_none_or(|bind| bind.starts_with("127.") || bind == "::1" || bind == "localhost"),
        busybox: PROBE_IMAGE.to_owned(),
        apart: apart(parts.containers),
        clients: clients.into_values().collect(),
        reaches,
    }
}

fn client(component: &Component<'_>) -> Option<Client> {
    let connect = component.entry.connect.as_ref()?;
    Some(Client {
        name: component.entry.kind.clone(),
        busybox: connect.busybox,
        script: connect.script.clone(),
        refused: connect.refused.clone(),
        common: component.entry.databases.common.clone(),
    })
}

fn reach(parts: &Parts<'_>, draft: &Draft<'_>, need: &Need, environment: &Environment) -> Option<Reach> {
    let from = draft.facts.name.clone();
    let variables = variables(need, environment);
    let reach = |to: &str, client: &str, variables| Reach {
        from: from.clone(),
        to: to.to_owned(),
        client: client.to_owned(),
        variables,
    };
    match &need.target {
        Target::Service(service) => {
            let target = known::draft(parts.drafts, service)?;
            let main = target.ports.iter().find(|port| port.purpose == Purpose::Main)?;
            // A variable may name another port than the main one, on which something else is spoken.
            let told = variables.iter().filter_map(|(_, name)| environment.compose.get(name));
            let told = told.flat_map(|value| {
                target.ports.iter().filter(move |port| value.contains(&format!(":{}", port.container)))
            });
            let client = match told.last().unwrap_or(main).protocol {
                Protocol::Http => "http",
                Protocol::Grpc | Protocol::Tcp => "tcp",
            };
            Some(reach(service, client, variables))
        }
        Target::Kind(kind) => {
            let mut served = parts.components.iter().filter(|component| component.external.is_none());
            let component = served.find(|c| c.entry.kind == *kind && c.clients.contains(&from))?;
            let entry = component.entry;
            let can_log_in = entry.login.is_none() || logs_in(&variables, environment);
            let client = if entry.connect.is_some() && can_log_in { kind.as_str() } else { "tcp" };
            Some(reach(&component.name, client, variables))
        }
    }
}

/// The variables that make up one address: a whole one where there is, else its parts.
fn variables(need: &Need, environment: &Environment) -> Vec<(&'static str, String)> {
    let known = |name: &str| environment.compose.contains_key(name) && !is_for_browsers(name);
    let find = |part: Part| {
        let mut wires: Vec<&str> = need
            .wires
            .iter()
            .filter(|wire| wire.part == part && known(&wire.name))
            .map(|w| w.name.as_str())
            .collect();
        wires.sort_unstable();
        wires.first().map(|name| (*name).to_owned())
    };
    let mut found = Vec::new();
    match find(Part::Url).or_else(|| find(Part::HostPort)) {
        Some(url) => {
            let whole = environment.compose.get(&url).is_some_and(|value| has_login(value));
            found.push(("url", url));
            if whole {
                return found;
            }
        }
        None => {
            found.extend(find(Part::Host).map(|name| ("host", name)));
            found.extend(find(Part::Port).map(|name| ("port", name)));
        }
    }
    found.extend(find(Part::User).map(|name| ("user", name)));
    found.extend(find(Part::Password).map(|name| ("password", name)));
    found.extend(find(Part::Database).map(|name| ("database", name)));
    found
}

fn has_login(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.contains('@') || lower.contains("password=") || lower.contains("pwd=")
}

fn logs_in(variables: &[(&'static str, String)], environment: &Environment) -> bool {
    variables.iter().any(|(part, name)| {
        *part == "password" || environment.compose.get(name).is_some_and(|value| has_login(value))
    })
}

/// The components with which a service shares no network.
fn apart(containers: &[Container]) -> Vec<(String, Vec<String>)> {
    let of_role = |role| containers.iter().filter(move |container: &&Container| container.role == role);
    let meet = |a: &Container, b: &Container| {
        a.networks.iter().any(|(name, _)| b.networks.iter().any(|(other, _)| other == name))
    };
    let mut all: Vec<(String, Vec<String>)> = of_role(ContainerRole::Service)
        .filter(|service| service.kind != "job")
        .map(|service| {
            let strangers = of_role(ContainerRole::Component).filter(|component| !meet(service, component));
            let mut strangers: Vec<String> = strangers.map(|component| component.name.clone()).collect();
            strangers.sort();
            (service.name.clone(), strangers)
        })
        .filter(|(_, strangers)| !strangers.is_empty())
        .collect();
    all.sort();
    all
}
