//! Ports that the setup chooses for a program that takes them from variables to which nobody gives a value; pure.

use std::collections::BTreeSet;

use crate::model::fact::{Protocol, Purpose, ServiceFacts, What};

use super::draft::{Draft, Port};
use super::readiness;

/// Variables that move a program's own port, the usual ones first, and what listens there.
const VARIABLES: &[(&str, Protocol)] = &[
    ("PORT", Protocol::Http),
    ("HTTP_PORT", Protocol::Http),
    ("APP_PORT", Protocol::Http),
    ("SERVER_PORT", Protocol::Http),
    ("GRPC_PORT", Protocol::Grpc),
    ("TCP_PORT", Protocol::Tcp),
];

/// One for each protocol, in the order of [`VARIABLES`]; none where anything says where the service listens, or where its
/// image starts no program.
pub(super) fn of(facts: &ServiceFacts) -> Vec<(&'static str, Port)> {
    if readiness::idle(facts).is_some() {
        return Vec::new();
    }
    if facts.facts.iter().any(|fact| matches!(fact.what, What::Port { purpose: Purpose::Main, .. })) {
        return Vec::new();
    }
    let mut read = BTreeSet::new();
    let mut valued = BTreeSet::new();
    for fact in &facts.facts {
        match &fact.what {
            What::EnvRead { name, default: None, .. } if fact.at.path.is_in(&facts.path) => {
                read.insert(name.as_str());
            }
            What::EnvRead { name, default: Some(_), .. } => drop(valued.insert(name.as_str())),
            What::EnvValue { name, value, .. } if !value.trim().is_empty() => {
                valued.insert(name.as_str());
            }
            _ => {}
        }
    }
    // `SERVER_HOST` beside `SERVER_PORT` is where somebody else listens.
    let is_of_another = |name: &str| {
        name.strip_suffix("_PORT").is_some_and(|whose| read.contains(format!("{whose}_HOST").as_str()))
    };
    let mut given: Vec<(&'static str, Port)> = Vec::new();
    for (name, protocol) in VARIABLES {
        let is_free = read.contains(name) && !valued.contains(name) && !is_of_another(name);
        if is_free && !given.iter().any(|(_, port)| port.protocol == *protocol) {
            let container = number(*protocol, &facts.language);
            given.push((name, Port { container, protocol: *protocol, purpose: Purpose::Main }));
        }
    }
    given
}

/// What such programs listen on by custom.
fn number(protocol: Protocol, language: &str) -> u16 {
    match (protocol, language) {
        (Protocol::Grpc, _) => 50051,
        (Protocol::Tcp, _) => 4000,
        (_, "node" | "ruby") => 3000,
        (_, "python" | "php") => 8000,
        _ => 8080,
    }
}

/// The port that the variable `name` has to hold; `config.yaml` may have moved it.
pub(super) fn told(draft: &Draft<'_>, name: &str) -> Option<u16> {
    let (_, given) = of(draft.facts).into_iter().find(|(variable, _)| *variable == name)?;
    let own = draft.ports.iter().find(|port| port.protocol == given.protocol);
    own.map(|port| port.container)
}
