//! Services that name one and the same database and do not mean the same one, and those that mean one and name none; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Entry, Tenancy};
use crate::model::fact::{EnvSource, Fact, ServiceFacts, What};
use crate::model::inventory::{Role, Strength};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::model::words::list;

use super::address::{first_label, host_of, is_local};
use super::components::{Binding, Component};
use super::draft::Draft;
use super::migrate;
use super::names;
use super::needs::{Need, Needs, Target, Wire};
use super::settings::settings;
use super::variables::Part;

/// The kinds of which services name one and the same database on different hosts, in code that no variable moves: on one
/// server their tables would meet.
pub(super) fn kinds<'n>(catalog: &Catalog, needs: &'n [Needs]) -> BTreeSet<&'n str> {
    let mut hosts: BTreeMap<(&str, &str), Vec<&BTreeSet<String>>> = BTreeMap::new();
    for need in needs.iter().flat_map(|needs| &needs.all) {
        let (Target::Kind(kind), Some(database)) = (&need.target, &need.database) else { continue };
        let tenants = catalog.get(kind).is_some_and(|entry| entry.tenancy == Tenancy::Database);
        let is_literal =
            need.strength == Strength::Required && need.wires.is_empty() && !need.hosts.is_empty();
        if tenants && is_literal {
            hosts.entry((kind, database)).or_default().push(&need.hosts);
        }
    }
    let differ = |all: &Vec<&BTreeSet<String>>| {
        all.iter().any(|hosts| all.iter().any(|other| hosts.is_disjoint(other)))
    };
    hosts.into_iter().filter(|(_, all)| differ(all)).map(|((kind, _), _)| kind).collect()
}

/// Words in the names of servers that say nothing about what they hold.
const SERVERS: &[&str] = &[
    "cluster", "database", "db", "headless", "main", "master", "primary", "r", "read", "reader", "replica",
    "ro", "rw", "server", "service", "slave", "sql", "svc", "write", "writer",
];

/// A service that has a database on a server.
struct Tenant<'a, 'd> {
    /// Its place among the component's bindings.
    at: usize,
    draft: &'a Draft<'d>,
    need: &'a Need,
}

/// Gives code that makes its tables by its own migrations a database of its own, where only the examples of different
/// services name one alike, as `DB_NAME=app` from a common template: what one has done, the tool of the other would
/// take for its own, or refuse. Likewise those that name one alike on servers of their own, which are one here.
pub(super) fn databases(
    components: &mut [Component<'_>],
    drafts: &[Draft<'_>],
    needs: &[Needs],
    problems: &mut Vec<Problem>,
) {
    for component in components.iter_mut().filter(|one| one.entry.databases.common.is_none()) {
        let mut groups: BTreeMap<&str, Vec<Tenant<'_, '_>>> = BTreeMap::new();
        for tenant in tenants(component, drafts, needs) {
            groups.entry(&component.bindings[tenant.at].database).or_default().push(tenant);
        }
        let mut given: Vec<(usize, String)> = Vec::new();
        for (database, tenants) in groups {
            let by_servers = by_servers(component.entry, &tenants);
            let codes = by_servers.or_else(|| by_migrations(&tenants)).filter(|codes| codes.1.len() > 1);
            let Some((reason, codes)) = codes else { continue };
            problems.push(told(database, &component.name, &tenants, reason));
            for code in codes {
                let Some(first) = code.iter().min_by_key(|one| one.rank()) else { continue };
                given.extend(code.iter().map(|one| (one.at, first.draft.identifier.clone())));
            }
        }
        for (at, database) in given {
            component.bindings[at].database = database;
        }
    }
}

/// Gives services whose tables one package outside all of them makes, and that call its address alike, the database of
/// which at most one of them says the name: each with its own would see none of the others' rows.
pub(super) fn shared(components: &mut [Component<'_>], drafts: &[Draft<'_>], needs: &[Needs]) {
    for component in components.iter_mut().filter(|one| one.entry.databases.common.is_none()) {
        let mut packages: BTreeMap<(&RepoPath, &str), Vec<Tenant<'_, '_>>> = BTreeMap::new();
        for tenant in tenants(component, drafts, needs) {
            let address = tenant.need.wires.iter().find(|wire| wire.part == Part::Url);
            let (Some(address), Some(package)) = (address, tenant.makes_elsewhere()) else { continue };
            packages.entry((package, &address.name)).or_default().push(tenant);
        }
        let mut given: Vec<(usize, String)> = Vec::new();
        for ((path, _), tenants) in packages.into_iter().filter(|(_, tenants)| tenants.len() > 1) {
            let name = |one: &Tenant<'_, '_>| component.bindings[one.at].database.as_str();
            let said: BTreeSet<&str> =
                tenants.iter().filter(|one| name(one) != one.draft.identifier).map(name).collect();
            let unnamed = names::identifier(&package(path));
            let is_taken = || component.bindings.iter().any(|binding| binding.database == unnamed);
            let database = match (said.first(), said.len()) {
                (Some(name), 1) => (*name).to_owned(),
                (None, _) if !is_taken() => unnamed,
                _ => continue,
            };
            given.extend(tenants.iter().map(|one| (one.at, database.clone())));
        }
        for (at, database) in given {
            component.bindings[at].database = database;
        }
    }
}

/// What the folder is called in which a package keeps the files that make its tables.
fn package(path: &RepoPath) -> String {
    const INSIDE: &[&str] = &["alembic", "drizzle", "migrations", "prisma", "sql", "src", "versions"];
    let folders = path.ancestors().skip(1).map(|folder| folder.name().to_owned());
    folders.into_iter().find(|name| !name.is_empty() && !INSIDE.contains(&name.as_str())).unwrap_or_default()
}

/// The services that have databases on a server.
fn tenants<'a, 'd>(
    component: &Component<'_>,
    drafts: &'a [Draft<'d>],
    needs: &'a [Needs],
) -> Vec<Tenant<'a, 'd>> {
    let tenant = |(at, binding): (usize, &Binding)| {
        let service = drafts.iter().zip(needs).find(|(draft, _)| draft.facts.name == binding.service);
        let (draft, needs) = service?;
        let is_it =
            |need: &&Need| matches!(&need.target, Target::Kind(kind) if *kind == component.entry.kind);
        Some(Tenant { at, draft, need: needs.all.iter().find(is_it)? })
    };
    component.bindings.iter().enumerate().filter_map(tenant).collect()
}

/// Services that use one database, with what is said of why others do not.
type Apart<'t, 'a, 'd> = (&'static str, Vec<Vec<&'t Tenant<'a, 'd>>>);

/// Where each makes its tables by its own migrations, and only examples name the database.
fn by_migrations<'t, 'a, 'd>(tenants: &'t [Tenant<'a, 'd>]) -> Option<Apart<'t, 'a, 'd>> {
    let are_apart = tenants.iter().all(|one| one.makes_its_tables() && one.is_only_an_example());
    let reason = "and each makes its tables by its own migrations, so each code";
    are_apart.then(|| (reason, groups(tenants, &Tenant::shares_code)))
}

/// Where each calls a server that is named after what it holds: `orders-db` and `users-db`.
fn by_servers<'t, 'a, 'd>(entry: &Entry, tenants: &'t [Tenant<'a, 'd>]) -> Option<Apart<'t, 'a, 'd>> {
    let are_named = tenants.iter().all(|one| one.can_be_moved() && !one.servers(entry).is_empty());
    let shares = |a: &Tenant<'_, '_>, b: &Tenant<'_, '_>| {
        a.shares_code(b) || !a.servers(entry).is_disjoint(&b.servers(entry))
    };
    let reason = "each on a server of its own, which is one here, so each";
    are_named.then(|| (reason, groups(tenants, &shares))).filter(|(_, groups)| groups.len() > 1)
}

/// The services by what they share.
fn groups<'t, 'a, 'd>(
    tenants: &'t [Tenant<'a, 'd>],
    shares: &dyn Fn(&Tenant<'a, 'd>, &Tenant<'a, 'd>) -> bool,
) -> Vec<Vec<&'t Tenant<'a, 'd>>> {
    let mut codes: Vec<Vec<&Tenant<'_, '_>>> = Vec::new();
    for tenant in tenants {
        let (same, other): (Vec<_>, Vec<_>) =
            codes.into_iter().partition(|code| code.iter().any(|one| shares(one, tenant)));
        codes = other;
        codes.push(same.into_iter().flatten().chain([tenant]).collect());
    }
    codes
}

impl<'d> Tenant<'_, 'd> {
    /// Where it says how its tables are made.
    fn makers(&self) -> BTreeSet<&RepoPath> {
        let facts = self.draft.facts.facts.iter();
        let makes = |what: &What| matches!(what, What::Migration { .. } | What::SchemaFile);
        let run = self.draft.facts.migration.as_ref().map(|run| &run.at.path);
        facts.filter(|fact| makes(&fact.what)).map(|fact| &fact.at.path).chain(run).collect()
    }

    /// A job works on the tables of others.
    fn makes_its_tables(&self) -> bool {
        self.draft.role != Role::Job && !self.makers().is_empty()
    }

    /// Where a package outside its folder keeps the migrations that make all of its tables.
    fn makes_elsewhere(&self) -> Option<&'d RepoPath> {
        let facts: &'d ServiceFacts = self.draft.facts;
        let own = self.makers().into_iter().any(|path| path.is_in(&facts.path));
        let tool =
            |fact: &&Fact| matches!(&fact.what, What::Migration { command, .. } if !command.is_empty());
        facts.facts.iter().find(tool).filter(|_| !own).map(|fact| &fact.at.path)
    }

    fn shares_code(&self, other: &Self) -> bool {
        migrate::shares_code(self.draft, other.draft) || !self.makers().is_disjoint(&other.makers())
    }

    /// The servers that it calls, by what their names say beyond what every server is called.
    fn servers(&self, entry: &Entry) -> BTreeSet<String> {
        let is_address = |wire: &&Wire| matches!(wire.part, Part::Url | Part::Host | Part::HostPort);
        let wires = self.need.wires.iter().filter(is_address);
        let told = wires.filter_map(|wire| host_of(wire.value.as_deref()?));
        let hosts = told.chain(self.need.hosts.iter().cloned()).filter(|host| !is_local(host));
        let is_common = |word: &str| {
            let known = [&entry.recognise.hosts, &entry.recognise.words, &entry.recognise.schemes];
            SERVERS.contains(&word) || known.into_iter().flatten().any(|known| known == word)
        };
        let about = |host: String| {
            let words = first_label(&host).to_ascii_lowercase();
            let words = words.split(['-', '_']).filter(|word| !is_common(word));
            words.collect::<Vec<_>>().join("-")
        };
        hosts.map(about).filter(|about| !about.is_empty()).collect()
    }

    /// Whether variables name the database that nobody has set in `config.yaml`, and no login in the code holds it to
    /// another one.
    fn can_be_moved(&self) -> bool {
        let names = |wire: &&Wire| matches!(wire.part, Part::Database | Part::Url);
        let mut naming = self.need.wires.iter().filter(names).peekable();
        self.need.literal.is_none()
            && naming.peek().is_some()
            && naming.all(|wire| !self.draft.wanted.env.contains_key(&wire.name))
    }

    /// Whether nothing but its own files, which are no deployment, name the database, and a variable moves it.
    fn is_only_an_example(&self) -> bool {
        let facts = self.draft.facts;
        let settings = settings(facts);
        let names = |wire: &&Wire| matches!(wire.part, Part::Database | Part::Url);
        let mut naming = self.need.wires.iter().filter(names).peekable();
        let is_own = |wire: &Wire| {
            let Some(setting) = settings.get(wire.name.as_str()) else { return false };
            let at = setting.at().is_some_and(|at| at.path.is_in(&facts.path));
            at && !setting.is_from(EnvSource::Deployment) && !self.draft.wanted.env.contains_key(&wire.name)
        };
        !facts.path.is_root() && self.need.literal.is_none() && naming.peek().is_some() && naming.all(is_own)
    }

    /// The one that is called like the code as a whole: it answers.
    fn rank(&self) -> (bool, &str) {
        (self.draft.ports.is_empty(), &self.draft.facts.name)
    }
}

fn told(database: &str, server: &str, tenants: &[Tenant<'_, '_>], reason: &str) -> Problem {
    let mut services: Vec<String> = tenants.iter().map(|one| one.draft.facts.name.clone()).collect();
    services.sort();
    let quoted: Vec<String> = services.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "{} all name the database `{database}` on `{server}`, {reason} gets a database of its own",
        list(&quoted)
    );
    let mut problem = Problem::new("databases-apart", Severity::Note, message)
        .fix("to let them share one, set the variable that names it below services.NAME.env in config.yaml");
    let at = tenants.iter().filter_map(|one| one.need.at.as_ref());
    problem.at = at.map(ToString::to_string).collect();
    problem.services = services;
    problem
}
