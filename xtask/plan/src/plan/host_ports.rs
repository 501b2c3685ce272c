//! Which port of the host each published port gets: stable, without conflicts; pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::Purpose;

use super::assemble;
use super::components::Component;
use super::draft::Draft;
use super::environment::port_variable;

/// A port that wants to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// `TRADING_PORT`; unique.
    pub(crate) variable: String,
    /// For messages: the service or component.
    pub(crate) owner: String,
    /// Inside the container.
    pub(crate) container: u16,
    /// What `config.yaml` says.
    pub(crate) fixed: Option<u16>,
}

/// Two that wanted the same port, and where the second one went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) owner: String,
    pub(crate) wanted: u16,
    pub(crate) holder: String,
    pub(crate) given: u16,
    /// Whether `config.yaml` asked for the same port twice.
    pub(crate) fixed: bool,
}

/// All ports that want to be published: of the services, and of what they debug with, then of the components.
pub(crate) fn requests(drafts: &[Draft<'_>], components: &[Component<'_>]) -> Vec<Request> {
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

/// Ports by variable, and who had to move.
///
/// First what `config.yaml` fixes, then what earlier runs recorded, then each its own container port (the first by
/// name), then the next free one above it: so a new service never moves another one.
pub(crate) fn assign(
    requests: &[Request],
    recorded: &BTreeMap<String, u16>,
) -> (BTreeMap<String, u16>, Vec<Moved>) {
    let mut taken: BTreeMap<u16, &Request> = BTreeMap::new();
    let mut given: BTreeMap<String, u16> = BTreeMap::new();
    let mut moved = Vec::new();
    let mut sorted: Vec<&Request> = requests.iter().collect();
    sorted.sort_by(|a, b| a.variable.cmp(&b.variable));
    for (request, port) in sorted.iter().filter_map(|request| Some((*request, request.fixed?))) {
        if let Some(holder) = taken.get(&port) {
            let next = free(port, &taken);
            moved.push(Moved {
                owner: request.owner.clone(),
                wanted: port,
                holder: holder.owner.clone(),
                given: next,
                fixed: true,
            });
            taken.insert(next, request);
            given.insert(request.variable.clone(), next);
        } else {
            taken.insert(port, request);
            given.insert(request.variable.clone(), port);
        }
    }
    for request in &sorted {
        let Some(port) = recorded.get(&request.variable).copied() else { continue };
        if !given.contains_key(&request.variable) && !taken.contains_key(&port) {
            taken.insert(port, request);
            given.insert(request.variable.clone(), port);
        }
    }
    let mut losers = Vec::new();
    for request in &sorted {
        if given.contains_key(&request.variable) {
            continue;
        }
        let wanted = preferred(request.container);
        match taken.entry(wanted) {
            Entry::Occupied(_) => losers.push(*request),
            Entry::Vacant(place) => {
                place.insert(request);
                given.insert(request.variable.clone(), wanted);
            }
        }
    }
    for request in losers {
        let next = free(preferred(request.container), &taken);
        taken.insert(next, request);
        given.insert(request.variable.clone(), next);
    }
    moved.extend(conflicts(&sorted, &given));
    (given, moved)
}

/// Everybody whose own port went to somebody else, whenever that was decided: the report says so at each run.
fn conflicts(sorted: &[&Request], given: &BTreeMap<String, u16>) -> Vec<Moved> {
    let mut seen = BTreeSet::new();
    sorted
        .iter()
        .filter(|request| request.fixed.is_none())
        .filter_map(|request| {
            let wanted = preferred(request.container);
            let got = given.get(&request.variable).copied().filter(|got| *got != wanted)?;
            let holder = sorted.iter().find(|other| {
                other.owner != request.owner
                    && preferred(other.container) == wanted
                    && given.get(&other.variable) == Some(&wanted)
            })?;
            seen.insert(request.variable.clone()).then(|| Moved {
                owner: request.owner.clone(),
                wanted,
                holder: holder.owner.clone(),
                given: got,
                fixed: false,
            })
        })
        .collect()
}

/// Ports below 1024 need rights on the host: 80 becomes 8080.
fn preferred(container: u16) -> u16 {
    if container < 1024 { container + 8000 } else { container }
}

fn free(from: u16, taken: &BTreeMap<u16, &Request>) -> u16 {
    (from..=u16::MAX).chain(1024..from).find(|port| !taken.contains_key(port)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, container: u16) -> Request {
        Request { variable: format!("{name}_PORT"), owner: name.to_lowercase(), container, fixed: None }
    }

    #[test]
    fn the_first_by_name_keeps_its_port() {
        let (ports, moved) =
            assign(&[request("B", 3000), request("A", 3000), request("C", 3001)], &BTreeMap::new());
        assert_eq!((ports["A_PORT"], ports["B_PORT"], ports["C_PORT"]), (3000, 3002, 3001));
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].owner.as_str(), moved[0].wanted, moved[0].holder.as_str()), ("b", 3000, "a"));
    }

    #[test]
    fn a_new_service_moves_nobody() {
        let recorded = BTreeMap::from([("B_PORT".to_owned(), 3000)]);
        let (ports, moved) = assign(&[request("B", 3000), request("A", 3000)], &recorded);
        assert_eq!((ports["B_PORT"], ports["A_PORT"]), (3000, 3001));
        assert_eq!(moved.len(), 1);
    }

    #[test]
    fn privileged_ports_are_raised_and_fixed_ports_obeyed() {
        let mut fixed = request("A", 80);
        fixed.fixed = Some(9000);
        let (ports, _) = assign(&[fixed, request("B", 80)], &BTreeMap::from([("A_PORT".to_owned(), 8080)]));
        assert_eq!((ports["A_PORT"], ports["B_PORT"]), (9000, 8080));
    }
}
