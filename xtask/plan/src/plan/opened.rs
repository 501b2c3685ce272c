//! The databases that the code opens by names of its own, which no variable moves: they have to be called so; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Class, Tenancy};
use crate::model::fact::{Fact, ServiceFacts, What};
use crate::model::inventory::Strength;

use super::needs::{Finder, Need, Target};
use super::variables::{Part, is_for_tests};

/// Databases that every server has, which clients open for its own sake.
const SERVERS: &[&str] = &["admin", "config", "information_schema", "local", "master", "mysql", "postgres"];

/// The end of the rules of names that clients open whatever the address names.
const BESIDE_ADDRESS: &str = "-mongo-database";

impl Finder<'_> {
    /// Gives a need the name that all of the service's code agrees on. A name that a variable gives counts more, but where
    /// the client opens a database apart from its address.
    pub(super) fn opened(&self, facts: &ServiceFacts, needs: &mut BTreeMap<Target, Need>) {
        let names = facts.facts.iter().filter_map(|fact| match &fact.what {
            What::Database { name, kind } if !SERVERS.contains(&name.as_str()) && !is_for_tests(name) => {
                Some((name.as_str(), kind.as_deref(), fact))
            }
            _ => None,
        });
        let mut opened: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut beside: BTreeSet<String> = BTreeSet::new();
        for (name, kind, fact) in names {
            let Some(kind) = kind.map(str::to_owned).or_else(|| self.only_database(needs)) else { continue };
            if is_beside_its_address(fact) {
                beside.insert(kind.clone());
            }
            opened.entry(kind).or_default().insert(name);
        }
        for (kind, names) in opened {
            let is_beside = beside.contains(&kind);
            let Some(need) = needs.get_mut(&Target::Kind(kind)) else { continue };
            let is_named = need.wires.iter().any(|wire| wire.part == Part::Database)
                || need.database.is_some() && !is_beside;
            if let (Some(name), 1, false) = (names.first(), names.len(), is_named) {
                need.database = Some((*name).to_owned());
            }
        }
    }

    /// The one database that is needed, where there is no other.
    fn only_database(&self, needs: &BTreeMap<Target, Need>) -> Option<String> {
        let kind = |need: &Need| match &need.target {
            Target::Kind(kind) if need.strength == Strength::Required => {
                let entry = self.catalog.get(kind)?;
                (entry.class == Class::Database && entry.tenancy == Tenancy::Database).then(|| kind.clone())
            }
            _ => None,
        };
        let mut kinds = needs.values().filter_map(kind);
        kinds.next().filter(|_| kinds.next().is_none())
    }
}

fn is_beside_its_address(fact: &Fact) -> bool {
    fact.at.rule.ends_with(BESIDE_ADDRESS)
}
