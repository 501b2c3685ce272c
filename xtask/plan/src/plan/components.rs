//! Which servers are started, in which version, and who gets which database on them; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Entry, Tenancy, Version};
use crate::config::Config;
use crate::error::{Failure, Result, nearest};
use crate::model::fact::{Build, ComponentFacts, Evidence, Fact, Facts, What};
use crate::model::inventory::{Role, Strength};
use crate::model::path::RepoPath;

use super::address;
use super::apart;
use super::draft::Draft;
use super::environment::{escape, secret_reference};
use super::external::Address;
use super::named;
use super::names;
use super::needs::{Need, Needs, Target, Wire};
use super::variables::{Part, is_for_tests};
use super::{Context, Handwritten};

/// A server, or the address of one that runs elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Component<'a> {
    /// The Compose service name, which is its host name too.
    pub(crate) name: String,
    pub(crate) entry: &'a Entry,
    pub(crate) version: &'a Version,
    /// The key of `version` in the catalogue.
    pub(crate) version_key: &'a str,
    pub(crate) image: String,
    pub(crate) build: Option<(RepoPath, Build)>,
    /// Runs elsewhere: its address.
    pub(crate) external: Option<Address>,
    /// Host names that code and configuration use and no variable moves.
    pub(crate) aliases: BTreeSet<String>,
    /// The services that need it, by name.
    pub(crate) clients: BTreeSet<String>,
    /// By service; empty where everybody shares one login.
    pub(crate) bindings: Vec<Binding>,
    /// Clients name something that its setup makes.
    pub(crate) makes_named: bool,
    pub(crate) host_port: Option<u16>,
    /// Secrets of a server that was written by hand, as it has them: in place of variables of ours.
    pub(crate) given: BTreeMap<String, String>,
    /// Why nothing can be set up on it, which was written by hand.
    pub(crate) foreign: Option<Foreign>,
    /// The image that the repository names and that does not run with what is generated; the catalogue's runs in its place.
    pub(crate) replaces: Option<(String, Evidence)>,
}

/// What keeps a server that was written by hand from being set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// Its administrator is another one than the catalogue's.
    Administrator,
    /// This image of it is of a release that is too old.
    Release(String),
}

/// A service's own database and user on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) service: String,
    /// The service's first name, under which its schema files were applied.
    pub(crate) owner: String,
    pub(crate) database: String,
    pub(crate) user: String,
    /// In `.env`.
    pub(crate) password_variable: String,
    /// A password that stands in the code.
    pub(crate) literal_password: Option<String>,
    /// The service's own schema files, in order.
    pub(crate) schemas: Vec<RepoPath>,
}

impl Component<'_> {
    /// The variable of one of the entry's secrets: as the catalogue names it, or with the name of a second server.
    pub(crate) fn secret(&self, name: &str) -> String {
        if self.name == self.entry.kind {
            name.to_owned()
        } else {
            format!("{}_{name}", names::variable(&self.name))
        }
    }

    /// A secret's value as Compose composes it: in the form that the engine accepts.
    pub(crate) fn secret_value(&self, name: &str) -> String {
        if let Some(value) = self.given.get(name) {
            return value.clone();
        }
        let reference = secret_reference(&self.secret(name));
        match self.entry.secret_forms.get(name) {
            Some(form) => escape(form).replace("{hex}", &reference),
            None => reference,
        }
    }

    /// Where clients reach it: host and port.
    pub(crate) fn address(&self) -> (String, u16) {
        match &self.external {
            None => (self.name.clone(), self.entry.port),
            Some(address) => (address.host.clone(), address.port),
        }
    }

    /// The binding of a service.
    pub(crate) fn binding(&self, service: &str) -> Option<&Binding> {
        // In the order of the services' names, as a rule.
        let at = self.bindings.binary_search_by(|binding| binding.service.as_str().cmp(service)).ok();
        at.and_then(|at| self.bindings.get(at))
            .or_else(|| self.bindings.iter().find(|binding| binding.service == service))
    }
}

/// Decides the servers for what the services require, in the order of their names.
///
/// # Errors
/// A version or kind in `config.yaml` that the catalogue does not have.
pub(crate) fn components<'a>(
    catalog: &'a Catalog,
    config: &Config,
    facts: &Facts,
    drafts: &[Draft<'_>],
    needs: &[Needs],
    context: &Context,
) -> Result<Vec<Component<'a>>> {
    check(catalog, config)?;
    let found = &facts.components;
    let tested =
        |entry: &Entry| facts.tested.iter().find(|one| one.kind == entry.kind).map(|one| one.image.as_str());
    let services: BTreeSet<&str> = drafts.iter().map(|draft| draft.facts.name.as_str()).collect();
    let apart = apart::kinds(catalog, needs);
    let mut by_name: BTreeMap<String, Component<'a>> = BTreeMap::new();
    for (draft, needs) in drafts.iter().zip(needs) {
        for need in needs.all.iter().filter(|need| need.strength == Strength::Required) {
            let Target::Kind(kind) = &need.target else { continue };
            let Some(entry) = catalog.get(kind) else { continue };
            let made = found.iter().filter(|made| made.kind == *kind);
            let by_host = made.clone().find(|made| need.hosts.contains(&made.name));
            let own = by_host
                .or_else(|| made.clone().find(|made| is_for(made, draft)))
                .or_else(|| made.clone().next());
            let is_apart = own.is_none() && apart.contains(kind.as_str());
            let name = name(entry, config, draft, own, (&services, is_apart));
            if !by_name.contains_key(&name) {
                by_name.insert(
                    name.clone(),
                    component(entry, config, name.clone(), own, (context, tested(entry)))?,
                );
            }
            let Some(component) = by_name.get_mut(&name) else { continue };
            component.clients.insert(draft.facts.name.clone());
            component
                .aliases
                .extend(need.hosts.iter().filter(|host| **host != name && !host.contains('.')).cloned());
            let has_its_own = context.handwritten.contains_key(&name)
                && (component.foreign.is_some() || context.handwritten.contains_key(&draft.facts.name));
            if entry.tenancy == Tenancy::Database && component.external.is_none() && !has_its_own {
                let admin = entry.login.as_ref().map(|login| component.secret(&login.secret));
                component.bindings.push(binding(draft, need, entry, admin));
            }
        }
    }
    // A server that the repository defines itself is part of the system also where no client was seen.
    for made in found {
        let known = by_name
            .values()
            .any(|component| component.entry.kind == made.kind && component.name == made.name);
        let served = by_name.values().any(|component| component.entry.kind == made.kind);
        if let (false, false, Some(entry)) = (known, served, catalog.get(&made.kind)) {
            let name = names::project(&made.name);
            by_name.insert(name.clone(), component(entry, config, name, Some(made), (context, None))?);
        }
    }
    let mut all: Vec<Component<'a>> = by_name.into_values().collect();
    for component in &mut all {
        work_at_home(component, drafts);
        component.makes_named = named::any(component, drafts);
    }
    Ok(all)
}

/// Whether a server that the repository builds is called after a service: `orders-db` of `orders-service`.
fn is_for(made: &ComponentFacts, draft: &Draft<'_>) -> bool {
    let own = address::core(&made.name);
    let ends = ["database", "db", made.kind.as_str()];
    let bare = ends.iter().find_map(|end| own.strip_suffix(end)).unwrap_or(&own);
    !bare.is_empty() && bare == address::core(&draft.facts.name)
}

/// A job that lies in the folder of one service, and names no database of its own, works on that service's.
fn work_at_home(component: &mut Component<'_>, drafts: &[Draft<'_>]) {
    for job in drafts.iter().filter(|draft| draft.role == Role::Job && !draft.facts.path.is_root()) {
        let lives_there = |draft: &&Draft<'_>| draft.role != Role::Job && draft.facts.path == job.facts.path;
        let mut homes = drafts.iter().filter(lives_there);
        let (Some(home), None) = (homes.next(), homes.next()) else { continue };
        let database = component.binding(&home.facts.name).map(|binding| binding.database.clone());
        let own = component.bindings.iter_mut().find(|binding| binding.service == job.facts.name);
        if let (Some(database), Some(own)) = (database, own.filter(|own| own.database == job.identifier)) {
            own.database = database;
        }
    }
}

fn name(
    entry: &Entry,
    config: &Config,
    draft: &Draft<'_>,
    made: Option<&ComponentFacts>,
    (services, is_apart): (&BTreeSet<&str>, bool),
) -> String {
    let wanted = config.infrastructure.get(&entry.kind).and_then(|wanted| wanted.shared);
    if !wanted.unwrap_or(!is_apart) {
        return format!("{}-{}", draft.own, entry.kind);
    }
    let name = made.map_or_else(|| entry.kind.clone(), |made| names::project(&made.name));
    if services.contains(name.as_str()) { format!("{name}-server") } else { name }
}

fn component<'a>(
    entry: &'a Entry,
    config: &Config,
    name: String,
    made: Option<&ComponentFacts>,
    (context, tested): (&Context, Option<&str>),
) -> Result<Component<'a>> {
    let wanted = config.infrastructure.get(&entry.kind).cloned().unwrap_or_default();
    let asked = wanted.version.as_ref().map(|version| version.0.clone());
    let tag = made.and_then(|made| tag(&made.image));
    let is_too_old = |tag: Option<&str>| tag.is_some_and(|tag| entry.is_too_old(tag));
    let exactly =
        |key: &String| entry.versions.get_key_value(key).map(|(key, version)| (key.as_str(), version));
    // A newer default of the catalogue must not start on data that it cannot open.
    let kept = || {
        let recorded = context.recorded.versions.get(&name).and_then(exactly);
        recorded.filter(|(_, version)| !version.volumes.is_empty())
    };
    let by_test = || entry.version_for(tested?.rsplit_once(':')?.1);
    let version = match &asked {
        None => tag
            .and_then(|tag| entry.version_for(tag))
            .or_else(kept)
            .or_else(|| entry.oldest_version().filter(|_| is_too_old(tag)))
            .or_else(by_test)
            .or_else(|| exactly(&entry.default)),
        Some(asked) => entry.version_for(asked),
    };
    let Some((version_key, version)) = version else {
        return Err(unknown_version(entry, config, &asked.unwrap_or_default()).into());
    };
    // An image of another make takes other variables and mounts, and one that is too old does not know what the setup
    // asks of it: the catalogue's own runs in its place.
    let runs = |made: &&ComponentFacts| {
        made.build.is_some() || (entry.runs_as_written(&made.image) && !is_too_old(tag))
    };
    let made_image = made.filter(|_| asked.is_none()).filter(runs).map(|made| made.image.clone());
    let is_ours =
        wanted.image.is_none() && wanted.elsewhere().is_none() && !context.handwritten.contains_key(&name);
    let replaces = made.filter(|made| asked.is_none() && is_ours && !runs(made));
    let (given, foreign) = handwritten(entry, context.handwritten.get(&name));
    Ok(Component {
        name,
        given,
        foreign,
        replaces: replaces.map(|made| (made.image.clone(), made.at.clone())),
        entry,
        version,
        version_key,
        external: wanted.elsewhere().map(|url| Address::new(url, entry.port)),
        image: wanted.image.or(made_image).unwrap_or_else(|| version.image.clone()),
        build: made.and_then(|made| made.build.clone()),
        aliases: BTreeSet::new(),
        clients: BTreeSet::new(),
        bindings: Vec::new(),
        makes_named: false,
        host_port: wanted.host_port,
    })
}

/// The tag of an image, where it has one.
fn tag(image: &str) -> Option<&str> {
    image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))
}

/// The secrets of a server that was written by hand, and why nothing can be set up on it.
fn handwritten(entry: &Entry, written: Option<&Handwritten>) -> (BTreeMap<String, String>, Option<Foreign>) {
    let Some(written) = written else { return (BTreeMap::new(), None) };
    let admin = entry.login.as_ref().map(|login| login.user.as_str());
    let is_too_old = |image: &&String| tag(image).is_some_and(|tag| entry.is_too_old(tag));
    let mut foreign = written.image.as_ref().filter(is_too_old).cloned().map(Foreign::Release);
    let mut given = BTreeMap::new();
    for (name, value) in &entry.environment {
        let Some(theirs) = written.environment.get(name) else { continue };
        if let Some(secret) = value.strip_prefix("{secret:").and_then(|rest| rest.strip_suffix('}')) {
            given.insert(secret.to_owned(), theirs.clone());
        }
        if Some(value.as_str()) == admin && theirs != value {
            foreign.get_or_insert(Foreign::Administrator);
        }
    }
    (given, foreign)
}

/// `secret` is the variable of the administrator's password on that server.
fn binding(draft: &Draft<'_>, need: &Need, entry: &Entry, secret: Option<String>) -> Binding {
    let admin = entry.login.as_ref().map(|login| login.user.as_str()).unwrap_or_default();
    let literal = need.literal.as_ref().filter(|literal| literal.user.as_deref().is_none_or(is_plain_user));
    let user = literal.and_then(|literal| literal.user.clone()).unwrap_or_else(|| draft.identifier.clone());
    let is_admin = user == admin;
    let by_user = || literal.filter(|_| entry.database_by_user)?.user.as_deref();
    let asked = asked(draft, need);
    let named = asked.as_deref().or(need.database.as_deref()).or_else(by_user);
    Binding {
        service: draft.facts.name.clone(),
        owner: draft.own.clone(),
        database: match &entry.databases.common {
            Some(common) => named.map_or_else(|| common.clone(), space),
            None => {
                // An administrator's database belongs to nobody; so does one whose name only the engine gives, and that of
                // tests is theirs.
                let nobody = [admin, "postgres", "mysql", "root", "admin"];
                let is_nobodys = |name: &str| nobody.contains(&name) || is_for_tests(name);
                let named = named.filter(|name| !is_nobodys(name) || literal.is_some());
                let named = named.filter(|name| !is_file(name));
                named.map_or_else(|| held(need).unwrap_or_else(|| draft.identifier.clone()), database)
            }
        },
        password_variable: match secret {
            Some(secret) if is_admin => secret,
            _ => format!("{}_{}", draft.prefix, entry.databases.password),
        },
        user,
        literal_password: literal.and_then(|literal| literal.password.clone()),
        schemas: schemas(&draft.facts.facts),
    }
}

/// What a database is called after that variables call by what it holds (`SHOP_CATALOG_DATABASE`): whoever reads them
/// means the same one.
fn held(need: &Need) -> Option<String> {
    const KINDS: &[&str] =
        &["DATABASE", "DB", "MONGO", "MONGODB", "MYSQL", "PG", "POSTGRES", "POSTGRESQL", "SQL"];
    let ends = ["_DATABASE", "_DBNAME"];
    let names = need.wires.iter().filter(|wire| wire.part == Part::Database).map(|wire| wire.name.as_str());
    let mut about = names.filter_map(|name| ends.iter().find_map(|end| name.strip_suffix(end)));
    let is_own = |about: &&str| !about.split('_').any(|word| KINDS.contains(&word));
    about.find(is_own).map(|about| names::identifier(&about.to_ascii_lowercase()))
}

/// Whether a default is about SQLite: tests and developers have a file where the system has a server.
fn is_file(database: &str) -> bool {
    let endings = [".db", ".db3", ".sqlite", ".sqlite3"];
    database.contains('/') || endings.iter().any(|ending| database.ends_with(ending))
}

/// The database that `config.yaml` names in a variable of the service.
fn asked(draft: &Draft<'_>, need: &Need) -> Option<String> {
    let in_value = |wire: &Wire| {
        let value = draft.wanted.env.get(&wire.name)?.0.as_str();
        match wire.part {
            Part::Database => Some(value.to_owned()),
            Part::Url => address::database_of(value),
            _ => None,
        }
    };
    need.wires.iter().find_map(in_value).filter(|name| !name.is_empty() && !name.contains('$'))
}

/// A database's name as written, where it needs no thought; else made so.
fn database(name: &str) -> String {
    let plain = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_owned() } else { names::identifier(name) }
}

/// The name of a space in which several meet, as written where no setup and no label has to quote it; else made so.
fn space(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let is_plain = (1..=63).contains(&name.len()) && name.chars().all(plain);
    if is_plain { name.to_owned() } else { names::identifier(name) }
}

/// Whether a login that stands in code can be made: no setup quotes its name.
fn is_plain_user(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The files that make a service's tables. Where a migration tool does, such a file is only a copy of its result.
fn schemas(facts: &[Fact]) -> Vec<RepoPath> {
    if facts.iter().any(|fact| matches!(fact.what, What::Migration { .. })) {
        return Vec::new();
    }
    let paths: BTreeSet<RepoPath> =
        facts.iter().filter(|fact| fact.what == What::SchemaFile).map(|fact| fact.at.path.clone()).collect();
    paths.into_iter().collect()
}

/// Refuses an image that `config.yaml` asks for and whose setup cannot work.
fn check_image(entry: &Entry, config: &Config, image: &str) -> Result<()> {
    if !tag(image).is_some_and(|tag| entry.is_too_old(tag)) {
        return Ok(());
    }
    let oldest = entry.oldest.as_deref().unwrap_or_default();
    Err(Failure::new(format!("{image} is too old"))
        .at(config.place(&["infrastructure", &entry.kind, "image"]))
        .why(format!("what is set up on {} needs {oldest} or newer", entry.title))
        .fix(format!(
            "name a newer one, or run it elsewhere and set infrastructure.{} to {{ external: true, url: ... }}",
            entry.kind
        ))
        .into())
}

fn unknown_version(entry: &Entry, config: &Config, asked: &str) -> Failure {
    let known: Vec<&str> = entry.versions.keys().map(String::as_str).collect();
    let failure = Failure::new(format!("unknown version `{asked}` of {}", entry.title))
        .at(config.place(&["infrastructure", &entry.kind, "version"]))
        .why(format!("the catalogue has {}", known.join(", ")));
    match nearest(asked, known.iter().copied()) {
        Some(near) => failure.fix(format!("use \"{near}\", or set infrastructure.{}.image", entry.kind)),
        None => failure,
    }
}

/// Refuses kinds and versions that the catalogue does not have, also where nobody uses them.
fn check(catalog: &Catalog, config: &Config) -> Result<()> {
    for (kind, wanted) in &config.infrastructure {
        if let Some(entry) = catalog.get(kind) {
            if let Some(image) = &wanted.image {
                check_image(entry, config, image)?;
            }
            match &wanted.version {
                Some(asked) if entry.version_for(&asked.0).is_none() => {
                    return Err(unknown_version(entry, config, &asked.0).into());
                }
                _ => continue,
            }
        }
        let known: Vec<&str> = catalog.iter().map(|entry| entry.kind.as_str()).collect();
        let failure = Failure::new(format!("unknown kind of infrastructure `{kind}`"))
            .at(config.place(&["infrastructure", kind]))
            .why(format!("the catalogue has {}", known.join(", ")))
            .did_you_mean(kind, known.iter().copied());
        return Err(failure.into());
    }
    Ok(())
}
