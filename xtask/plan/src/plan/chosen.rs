//! The database of a program of Laravel whose example is still the framework's own, which names a file; pure.

use std::collections::BTreeSet;

use crate::catalog::Class;
use crate::model::fact::{EnvSource, Fact, ServiceFacts, What};
use crate::model::inventory::Strength;

use super::needs::{Finder, Needs, Target};
use super::settings::settings;

/// The variable that chooses one of the framework's connections.
const CHOICE: &str = "DB_CONNECTION";

/// The framework's connections by kind.
const CONNECTIONS: &[(&str, &str)] =
    &[("mariadb", "mariadb"), ("mysql", "mysql"), ("postgres", "pgsql"), ("sqlserver", "sqlsrv")];

/// What the framework's own example chooses since its release 11.
const FILE: &str = "sqlite";

impl Finder<'_> {
    /// Whether a program of Laravel that has tables of its own means a server of that kind, though its example chooses a
    /// file: the image installs the extension for that one alone, and nobody has touched the example, whose lines about a
    /// server are comments.
    pub(super) fn means_a_server(&self, facts: &ServiceFacts, kind: &str) -> bool {
        is_as_made(facts) && self.extensions(facts) == BTreeSet::from([kind])
    }

    /// The databases for which the image installs extensions of PHP.
    pub(super) fn extensions<'f>(&self, facts: &'f ServiceFacts) -> BTreeSet<&'f str> {
        let is_database =
            |kind: &str| self.catalog.get(kind).is_some_and(|entry| entry.class == Class::Database);
        let kind = |fact: &'f Fact| match &fact.what {
            What::Driver { kind, .. } if fact.at.rule == "php-extension" => Some(kind.as_str()),
            _ => None,
        };
        facts.facts.iter().filter_map(kind).filter(|kind| is_database(kind)).collect()
    }
}

/// Whether a program with tables of its own has the example that the framework came with.
fn is_as_made(facts: &ServiceFacts) -> bool {
    let has = |is: &dyn Fn(&Fact) -> bool| facts.facts.iter().any(is);
    let makes_tables =
        has(&|fact| matches!(&fact.what, What::Framework { name } if name == "laravel-tables"));
    let gives_a_server = has(&|fact| {
        matches!(&fact.what, What::EnvValue { name, source: EnvSource::Example, .. }
            if matches!(name.as_str(), "DB_HOST" | "DB_URL" | "DB_DATABASE"))
    });
    makes_tables
        && !gives_a_server
        && settings(facts).get(CHOICE).is_some_and(|setting| setting.value() == Some(FILE))
}

/// What the variable has to hold where the program gets a server instead of the file that its example chooses.
pub(super) fn connection(facts: &ServiceFacts, needs: &Needs, name: &str) -> Option<&'static str> {
    if name != CHOICE || !is_as_made(facts) {
        return None;
    }
    let needed = |kind: &str| {
        let is_it = |target: &Target| matches!(target, Target::Kind(needed) if needed == kind);
        needs.all.iter().any(|need| need.strength == Strength::Required && is_it(&need.target))
    };
    CONNECTIONS.iter().find(|(kind, _)| needed(kind)).map(|(_, connection)| *connection)
}
