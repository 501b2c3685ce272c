//! How sure a need is: required, or only possible; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Class;
use crate::model::fact::{EnvSource, Evidence, Fact, ServiceFacts, What};
use crate::model::inventory::Strength;
use crate::model::path::RepoPath;

use super::address::{address, is_local};
use super::needs::{Finder, Target};
use super::settings::{Setting, settings};

/// A library with drivers for that many kinds is one for all services, of which each uses some.
const MANY_KINDS: usize = 3;

/// Where fewer variables of an example file are seen to be read, the way in which they are may not be known.
pub(super) const MANY_READ: usize = 5;

impl Finder<'_> {
    /// The kinds that settings choose by a word: `DB_CONNECTION=pgsql`, `DB_DIALECT=mysql`, `QUEUE_CONNECTION=redis`.
    pub(super) fn selected(&self, facts: &ServiceFacts) -> BTreeSet<String> {
        const ENDINGS: &[&str] =
            &["CONNECTION", "DIALECT", "TYPE", "CLIENT", "ENGINE", "DRIVER", "VENDOR", "STORE"];
        settings(facts)
            .iter()
            .filter(|(name, _)| ENDINGS.iter().any(|ending| name.ends_with(ending)))
            .filter_map(|(_, setting)| self.catalog.by_scheme(setting.value()?))
            .map(|entry| entry.kind.clone())
            .collect()
    }

    /// A name in an example file that neither a driver nor a read confirms may be a framework's default.
    pub(super) fn strength(
        &self,
        facts: &ServiceFacts,
        target: &Target,
        (name, setting): (&str, &Setting<'_>),
        value: Option<&str>,
    ) -> Strength {
        let uses = matches!(target, Target::Kind(kind) if uses(facts, kind));
        if is_for_others(facts, setting) && !uses || is_unused(facts, name) {
            return Strength::Possible;
        }
        let Target::Kind(kind) = target else {
            if is_only_listed(facts, setting) {
                return Strength::Possible;
            }
            let address = beside_port(facts, name);
            let is_left_out = is_left_out(facts, address.as_ref().unwrap_or(setting));
            return if is_left_out { Strength::Possible } else { Strength::Required };
        };
        if is_unlinked(facts, kind, setting) || self.is_without_client(facts, kind, setting, value) && !uses {
            return Strength::Possible;
        }
        if self.does_without(facts, kind, setting) || self.is_ruled_out(facts, kind, setting) {
            return Strength::Possible;
        }
        let was_read = facts.facts.iter().any(|fact| {
            matches!(fact.what, What::Driver { .. } | What::EnvRead { .. } | What::Framework { .. })
        });
        let driver = self.drivers(facts).iter().any(|(driver, _)| driver == kind);
        let scheme = value.and_then(address).and_then(|address| address.scheme);
        let by_scheme = scheme.is_some_and(|scheme| self.catalog.by_scheme(&scheme).is_some());
        let by_path = value.is_some_and(|value| self.catalog.by_path(value).is_some());
        // The service's own configuration names a host that is no part of this machine.
        let configured = setting.values.iter().any(|given| {
            let is_own_example = given.source == EnvSource::Example
                // A bare host may be what the framework's template says.
                && given.value.contains("://")
                && !facts.path.is_root()
                && given.at.path.is_in(&facts.path);
            (given.source == EnvSource::FrameworkConfig || is_own_example)
                && (given.at.path.is_in(&facts.path) || !given.at.path.name().starts_with("application"))
                && address(given.value).is_some_and(|address| !is_local(&address.host))
        });
        // PHP frameworks ship files that read a variable for each engine they could use.
        let is_boilerplate =
            |at: &Evidence| at.path.extension() == "php" && at.path.parts().any(|part| part == "config");
        let read_by_code = setting.reads.iter().any(|(_, _, at)| !is_boilerplate(at));
        if driver
            || by_scheme
            || by_path
            || configured
            || read_by_code
            || !was_read
            || self.selected(facts).contains(kind)
        {
            Strength::Required
        } else {
            Strength::Possible
        }
    }

    /// Whether a service that documents its own variables leaves this one to the file for all, only a library reads it, and
    /// neither of them has a client of that kind: other users of the library have.
    fn is_without_client(
        &self,
        facts: &ServiceFacts,
        kind: &str,
        setting: &Setting<'_>,
        value: Option<&str>,
    ) -> bool {
        let is_own = |at: &Evidence| at.path.is_in(&facts.path);
        let documents = |fact: &Fact| {
            matches!(fact.what, What::EnvValue { source: EnvSource::Example, .. }) && is_own(&fact.at)
        };
        !setting.reads.is_empty()
            && !setting.reads.iter().any(|(_, _, at)| is_own(at))
            && !setting.values.iter().any(|given| is_own(given.at))
            && value.is_none_or(|value| !value.contains("://"))
            && !self.drivers(facts).iter().any(|(driver, _)| driver == kind)
            && facts.facts.iter().any(documents)
    }

    /// Whether all variables that could hold the address of a kind may be left out: a port or a user alone demands nothing.
    pub(super) fn may_be_left_out(
        &self,
        facts: &ServiceFacts,
        kind: &str,
        addresses: &[&Setting<'_>],
    ) -> bool {
        !addresses.is_empty() && addresses.iter().all(|setting| self.does_without(facts, kind, setting))
    }

    /// Whether the address of a store is documented as empty: then clients go to the provider of the protocol.
    pub(super) fn is_the_providers_own(&self, kind: &str, addresses: &[&Setting<'_>]) -> bool {
        let is_empty = |setting: &&Setting<'_>| {
            let by_default = setting.reads.iter().all(|(default, ..)| default.is_none_or(str::is_empty));
            by_default
                && !setting.values.is_empty()
                && setting.values.iter().all(|given| given.value.is_empty())
        };
        let is_store = self.catalog.get(kind).is_some_and(|entry| entry.class == Class::Storage);
        is_store && !addresses.is_empty() && addresses.iter().all(is_empty)
    }

    /// Whether none of the values means the emulator of that kind: then an account at the provider is meant.
    pub(super) fn is_an_account<'v>(&self, kind: &str, mut values: impl Iterator<Item = &'v str>) -> bool {
        let words = self.catalog.get(kind).map_or(&[][..], |entry| &entry.recognise.emulated);
        let is_emulated = |value: &str| {
            words.iter().any(|word| value.contains(word.as_str()))
                || address(value).is_some_and(|address| is_local(&address.host))
        };
        !words.is_empty() && !values.any(is_emulated)
    }

    /// Whether a setting chooses what needs no server, a database in a file (`DB_CONNECTION=sqlite`) or no queue at all
    /// (`QUEUE_CONNECTION=sync`), and nobody gives the address of one.
    fn is_ruled_out(&self, facts: &ServiceFacts, kind: &str, setting: &Setting<'_>) -> bool {
        const CHOICES: &[&str] = &["CONNECTION", "DIALECT", "ENGINE", "DRIVER"];
        let (start, choices): (_, &[&str]) = match self.catalog.get(kind).map(|entry| entry.class) {
            Some(Class::Database) if self.means_a_server(facts, kind) => return false,
            Some(Class::Database) => ("DB_", &["sqlite", "sqlite3"]),
            // The framework's queue says nothing about a client that the program uses beside it.
            Some(Class::Queue) if !has_own_client(facts, kind) => ("QUEUE_", &["sync", "null", "database"]),
            _ => return false,
        };
        // A word alone, as a database's name is, gives no address.
        let is_server = |value: &str| {
            address(value).is_some_and(|address| {
                (address.scheme.is_some() || address.port.is_some()) && !is_local(&address.host)
            })
        };
        !setting.values.iter().any(|given| is_server(given.value))
            && settings(facts).iter().any(|(name, setting)| {
                name.starts_with(start)
                    && CHOICES.iter().any(|ending| name.ends_with(ending))
                    && setting.value().is_some_and(|value| choices.contains(&value))
            })
    }

    /// Whether the service runs without that kind as far as this setting goes: nobody gives it a value, and the code has
    /// another way where it is not set, or only a library reads it that serves many kinds.
    fn does_without(&self, facts: &ServiceFacts, kind: &str, setting: &Setting<'_>) -> bool {
        // What a host hands to a program, the library of all programs may be the only one to take.
        let is_given = setting
            .values
            .iter()
            .any(|given| !given.value.is_empty() && given.at.rule != "aspire-environment");
        let is_said = is_given || uses(facts, kind) || self.selected(facts).contains(kind);
        if is_said || setting.reads.is_empty() {
            return false;
        }
        // An empty text in JavaScript only satisfies the type checker.
        let nothing = |(default, required, at): &(Option<&str>, bool, &Evidence)| match default {
            // The schema of the environment says outright that it may be missing.
            None if at.rule == "node-env-optional" => Some(true),
            Some("") => Some(!at.rule.starts_with("node-")),
            Some(text) => Some(["false", "False", "null", "nil"].contains(text)),
            None => (*required).then_some(false),
        };
        let said: BTreeSet<bool> = setting.reads.iter().filter_map(nothing).collect();
        if said.len() == 1 && said.contains(&true) {
            return true;
        }
        let is_own = |at: &Evidence| at.path.is_in(&facts.path);
        let drivers = self.drivers(facts);
        let own_driver = drivers.iter().any(|(driver, at)| driver == kind && is_own(at));
        // A package of Go is linked because the program imports it: what other packages beside it are for says nothing.
        let packages: BTreeSet<RepoPath> = drivers
            .iter()
            .filter(|(driver, at)| driver == kind && at.rule == "go-import")
            .filter_map(|(_, at)| at.path.parent())
            .collect();
        let is_linked = |at: &Evidence| {
            packages.is_empty() || at.path.parent().is_some_and(|folder| packages.contains(&folder))
        };
        let of_library: BTreeSet<&str> = drivers
            .iter()
            .filter(|(_, at)| !is_own(at) && is_linked(at))
            .map(|(driver, _)| driver.as_str())
            .collect();
        // A layer of this program alone is no library for others, but where it brings the many kinds itself.
        let brought = |at: &Evidence| {
            let of = |driver: &Evidence| driver.path.parent().is_some_and(|folder| at.path.is_in(&folder));
            let kinds = drivers.iter().filter(|(_, driver)| !is_own(driver) && of(driver));
            kinds.map(|(kind, _)| kind.as_str()).collect::<BTreeSet<_>>().len()
        };
        let is_layer = |at: &Evidence| self.of_one.contains(&at.path) && brought(at) < MANY_KINDS;
        // A Dockerfile that lies apart from all code has no other program than the one that it copies.
        let is_apart = !facts.facts.iter().any(|fact| is_own(&fact.at) && fact.at.path != facts.dockerfile);
        let reads_itself = is_apart || setting.reads.iter().any(|(_, _, at)| is_own(at) || is_layer(at));
        !own_driver && of_library.len() >= MANY_KINDS && !reads_itself
    }
}

/// Whether a program of Go, whose imports say with which clients it is built, imports none of that kind, and only code
/// outside its folder reads the variable: a configuration for all programs of a module names the servers of all.
fn is_unlinked(facts: &ServiceFacts, kind: &str, setting: &Setting<'_>) -> bool {
    let mut clients = facts.facts.iter().filter_map(|fact| match &fact.what {
        What::Driver { kind, .. } => Some((kind.as_str(), fact.at.rule)),
        _ => None,
    });
    let mut is_seen = false;
    facts.language == "go"
        && clients.all(|(of, rule)| {
            is_seen |= rule == "go-import";
            of != kind
        })
        && is_seen
        && !setting.reads.is_empty()
        && setting.reads.iter().all(|(_, _, at)| !at.path.is_in(&facts.path))
}

/// The address beside a port: `ORDERS_URL` of `ORDERS_PORT`.
fn beside_port<'f>(facts: &'f ServiceFacts, name: &str) -> Option<Setting<'f>> {
    let about = name.strip_suffix("_PORT")?;
    let mut settings = settings(facts);
    ["URL", "HOST", "ADDR", "ADDRESS"]
        .iter()
        .find_map(|ending| settings.remove(format!("{about}_{ending}").as_str()))
}

/// Whether only code that others share reads the variable, and all files leave it empty: a configuration for all holds the
/// addresses of all, of which each uses some.
fn is_left_out(facts: &ServiceFacts, setting: &Setting<'_>) -> bool {
    !setting.values.is_empty()
        && setting.values.iter().all(|given| given.value.trim().is_empty())
        && !setting.reads.is_empty()
        && setting
            .reads
            .iter()
            .all(|(default, _, at)| default.is_none_or(str::is_empty) && !at.path.is_in(&facts.path))
}

/// Whether only a library reads the variable, and the service's own environment file, which says what this one needs, does
/// not name it: other users of the library need it.
fn is_for_others(facts: &ServiceFacts, setting: &Setting<'_>) -> bool {
    let own_file = |fact: &Fact| {
        matches!(fact.what, What::EnvValue { source: EnvSource::Example, .. })
            && fact.at.path.is_in(&facts.path)
    };
    setting.values.is_empty()
        && !setting.reads.is_empty()
        && setting.reads.iter().all(|(_, _, at)| !at.path.is_in(&facts.path))
        && facts.facts.iter().any(own_file)
}

/// Whether an example file or a document names the variable and no code reads it, which reads others of those that are
/// named there: such files are handed from service to service with the addresses of all, and documents tell of plans.
fn is_only_listed(facts: &ServiceFacts, setting: &Setting<'_>) -> bool {
    let is_list = |source: EnvSource| matches!(source, EnvSource::Example | EnvSource::Document);
    let is_word = |at: &Evidence| at.rule.starts_with("document-");
    let is_read = |setting: &Setting<'_>| setting.reads.iter().any(|(_, _, at)| !is_word(at));
    let is_listed = |setting: &Setting<'_>| {
        setting.values.iter().any(|given| is_list(given.source))
            || setting.reads.iter().any(|(_, _, at)| is_word(at))
    };
    if is_read(setting) || setting.values.iter().any(|given| !is_list(given.source)) {
        return false;
    }
    let all = settings(facts);
    all.values().filter(|other| is_read(other) && is_listed(other)).count() >= MANY_READ
}

/// Whether a library reads the variable for others, and the service's code has no use for it.
fn is_unused(facts: &ServiceFacts, name: &str) -> bool {
    facts.facts.iter().any(|fact| matches!(&fact.what, What::Unused { variable } if variable == name))
}

/// Whether the service's own code uses the client of that kind that a library brings.
fn uses(facts: &ServiceFacts, kind: &str) -> bool {
    facts.facts.iter().any(|fact| matches!(&fact.what, What::Uses { kind: used } if used == kind))
}

/// Whether the service's settings switch off what a variable is about: `SEARCH_ENABLED=false` beside `SEARCH_URL`.
pub(super) fn is_switched_off(settings: &BTreeMap<&str, Setting<'_>>, name: &str) -> bool {
    const OFF: &[&str] = &["false", "0", "no", "off"];
    let is_off = |switch: &str| {
        let value = settings.get(switch).and_then(Setting::value);
        value.is_some_and(|value| OFF.contains(&value.trim().to_ascii_lowercase().as_str()))
    };
    name.match_indices('_').any(|(at, _)| {
        let about = &name[..at];
        is_off(&format!("{about}_ENABLED"))
            || is_off(&format!("ENABLE_{about}"))
            || is_off(&format!("USE_{about}"))
    })
}

/// Whether the manifest names a client of a kind that is no connector for the queue of a framework.
fn has_own_client(facts: &ServiceFacts, kind: &str) -> bool {
    facts.facts.iter().any(|fact| match &fact.what {
        What::Driver { kind: of, package, dev_only: false } => {
            of == kind && !package.contains("laravel-queue")
        }
        _ => false,
    })
}
