//! What each service needs, with the variables that tell it where that is; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Class};
use crate::model::fact::{Evidence, Reference, ServiceFacts, What};
use crate::model::inventory::{Role, Strength};
use crate::model::stack::External;

use super::address::{Address, address, database_of, first_label, is_local, is_remote, space_of};
use super::draft::Draft;
use super::known::Known;
use super::settings::{Setting, settings};
use super::strength::is_switched_off;
use super::variables::{About, Part, classify, without_bundler};
use super::whom::nearest;

/// What a service talks to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A service of the monorepo, by name.
    Service(String),
    /// A kind of the catalogue.
    Kind(String),
}

/// A variable that holds an address or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) name: String,
    pub(crate) part: Part,
    /// As the repository gives it.
    pub(crate) value: Option<String>,
}

/// A login that stands in the code and has to be honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) at: Evidence,
}

/// One thing that a service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) target: Target,
    pub(crate) strength: Strength,
    /// How good the evidence is; a cycle breaks at the lowest.
    pub(crate) weight: u8,
    pub(crate) wires: Vec<Wire>,
    /// The database's name, where one is written down.
    pub(crate) database: Option<String>,
    /// Host names by which code and configuration call it and that no variable moves.
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) literal: Option<Literal>,
    pub(crate) at: Option<Evidence>,
    /// Everywhere where it shows.
    pub(crate) seen: BTreeSet<Evidence>,
}

/// The needs of one service and its connections to the outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    pub(crate) all: Vec<Need>,
    pub(crate) external: Vec<External>,
    /// Variables with the address at which a browser finds a frontend, for links and CORS: name and service.
    pub(crate) links: Vec<(String, String)>,
    /// Variables about a database of which nobody says the kind.
    pub(crate) unclear: Vec<(String, Evidence)>,
}

/// How sure a sighting is, which is also its weight.
const BY_DOCUMENT: u8 = 1;
pub(super) const BY_NAME: u8 = 2;
const BY_VALUE: u8 = 3;
const BY_LITERAL: u8 = 4;

/// Finds the needs of the services among each other and of the catalogue's kinds.
pub(crate) struct Finder<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) known: Known<'a>,
}

/// A service's needs while they are gathered.
pub(super) struct Gathered {
    by_target: BTreeMap<Target, Need>,
    pub(super) external: BTreeMap<String, External>,
    links: Vec<(String, String)>,
    unclear: Vec<(String, Evidence)>,
    /// The word with which the service's variables begin, with its `_`; empty where they have none in common.
    common: String,
}

impl Gathered {
    fn need(&mut self, target: Target, strength: Strength, weight: u8, at: &Evidence) -> &mut Need {
        let need = self.by_target.entry(target.clone()).or_insert_with(|| Need {
            target,
            strength,
            weight,
            wires: Vec::new(),
            database: None,
            hosts: BTreeSet::new(),
            literal: None,
            at: Some(at.clone()),
            seen: BTreeSet::new(),
        });
        need.seen.insert(at.clone());
        need.strength = need.strength.min(strength);
        if weight > need.weight {
            need.weight = weight;
            need.at = Some(at.clone());
        }
        need
    }
}

impl<'a> Finder<'a> {
    pub(crate) fn new(catalog: &'a Catalog, services: &'a [Draft<'a>]) -> Self {
        Finder { catalog, known: Known::new(services) }
    }

    /// Everything that `draft` needs, in the order of the targets.
    pub(crate) fn needs(&self, draft: &Draft<'_>) -> Needs {
        let facts = draft.facts;
        let mut gathered = Gathered {
            by_target: BTreeMap::new(),
            external: BTreeMap::new(),
            links: Vec::new(),
            unclear: Vec::new(),
            common: String::new(),
        };
        let settings = settings(facts);
        gathered.common = common_word(settings.keys().copied(), &facts.name);
        for (name, setting) in &settings {
            self.variable(draft, name, setting, &mut gathered);
        }
        self.weaken(facts, &settings, &mut gathered);
        for fact in &facts.facts {
            match &fact.what {
                What::Reference(reference) if !known_variable(reference, &settings) => {
                    self.literal(draft, reference, &fact.at, &mut gathered);
                }
                What::Mention { target, detail } => {
                    self.mention(draft, target, detail.as_deref(), &fact.at, &mut gathered);
                }
                _ => {}
            }
        }
        for (kind, at) in self.drivers(facts) {
            gathered.need(Target::Kind(kind), Strength::Possible, BY_DOCUMENT, at);
        }
        // What a file of the program says beside a variable for the whole address, the variable overrides.
        for need in gathered.by_target.values_mut() {
            let is_moved = need.wires.iter().any(|wire| wire.part == Part::Url);
            need.literal.take_if(|literal| is_moved && literal.at.rule == "app-config");
        }
        // The login of somebody's mailbox says nothing about a server.
        gathered.by_target.retain(|target, need| {
            let is_mail = matches!(target, Target::Kind(kind)
                if self.catalog.get(kind).is_some_and(|entry| entry.class == Class::Mail));
            let is_login = need
                .wires
                .iter()
                .all(|wire| matches!(wire.part, Part::User | Part::Password | Part::Database));
            !(is_mail && is_login && !need.wires.is_empty() && need.hosts.is_empty())
        });
        let external = gathered.external.into_values().collect();
        Needs {
            all: gathered.by_target.into_values().collect(),
            external,
            links: gathered.links,
            unclear: gathered.unclear,
        }
    }

    /// What the variables for an address leave open, or a switch turns off, is only possible, whatever a port says.
    fn weaken(&self, facts: &ServiceFacts, settings: &BTreeMap<&str, Setting<'_>>, gathered: &mut Gathered) {
        for (target, need) in &mut gathered.by_target {
            let Target::Kind(kind) = target else { continue };
            let is_address = |wire: &&Wire| matches!(wire.part, Part::Url | Part::Host | Part::HostPort);
            let addresses = need.wires.iter().filter(is_address);
            let of_addresses: Vec<&Setting<'_>> =
                addresses.filter_map(|wire| settings.get(wire.name.as_str())).collect();
            let is_off =
                !need.wires.is_empty() && need.wires.iter().all(|wire| is_switched_off(settings, &wire.name));
            let is_optional = self.may_be_left_out(facts, kind, &of_addresses)
                || self.is_the_providers_own(kind, &of_addresses);
            if is_off || is_optional {
                need.strength = Strength::Possible;
            }
        }
    }

    /// The kinds of which a client library stands in the manifest, development dependencies left out.
    pub(super) fn drivers<'f>(&self, facts: &'f ServiceFacts) -> Vec<(String, &'f Evidence)> {
        facts
            .facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::Driver { kind, dev_only: false, .. } if self.catalog.get(kind).is_some() => {
                    Some((kind.clone(), &fact.at))
                }
                _ => None,
            })
            .collect()
    }

    fn variable(&self, draft: &Draft<'_>, name: &str, setting: &Setting<'_>, gathered: &mut Gathered) {
        let Some(at) = setting.at() else { return };
        let value = setting.value();
        // The own port of a service that is called `email` or `redis-proxy` is nobody else's address.
        let is_own_port = draft.facts.facts.iter().any(|fact| {
            matches!(&fact.what, What::Port { variable: Some(variable), port, .. }
                if variable == name && value.is_some_and(|value| value.trim() == port.to_string()))
        });
        if is_own_port {
            return;
        }
        let seen = self.see(draft, name, value, at, gathered);
        let Some((seen, part)) = seen.or_else(|| self.told(draft, name, setting)) else { return };
        let (target, weight) = seen;
        if let Target::Service(service) = &target
            && self.is_a_link(draft, service, value)
        {
            gathered.links.push((name.to_owned(), service.clone()));
            return;
        }
        let strength = self.strength(draft.facts, &target, setting, value);
        let need = gathered.need(target, strength, weight, at);
        if part == Part::Database {
            need.database = value.map(str::to_owned).or(need.database.take());
        } else if let Some(database) = value.and_then(|value| self.named_in(&need.target, value)) {
            need.database.get_or_insert(database);
        }
        need.wires.push(Wire { name: name.to_owned(), part, value: value.map(str::to_owned) });
    }

    /// The database that a value names, in the way of the kind.
    fn named_in(&self, target: &Target, value: &str) -> Option<String> {
        let Target::Kind(kind) = target else { return database_of(value) };
        let shared = self.catalog.get(kind).is_some_and(|entry| entry.databases.common.is_some());
        if !shared || !value.contains("://") {
            return database_of(value);
        }
        Some(space_of(value)).filter(|name| !name.is_empty() && !name.contains(['$', '{', '<']))
    }

    /// No backend calls a frontend on its own machine or by its public name: such an address is written into pages and mails.
    fn is_a_link(&self, draft: &Draft<'_>, service: &str, value: Option<&str>) -> bool {
        let is_link = |address: Address| {
            (address.scheme.is_some() && is_local(&address.host)) || is_remote(&address.host)
        };
        let to_frontend = self.known.is_frontend(service);
        value.and_then(address).is_some_and(is_link) && to_frontend && !matches!(draft.role, Role::Gateway)
    }

    /// Whom a variable is about. Notes connections to the outside and unclear ones on the way.
    fn see(
        &self,
        draft: &Draft<'_>,
        name: &str,
        value: Option<&str>,
        at: &Evidence,
        gathered: &mut Gathered,
    ) -> Option<((Target, u8), Part)> {
        let named = classify(name, self.catalog);
        // A word alone is a host only where the name says that a host is meant: `DB_CONNECTION=mysql` is none.
        let means_host = matches!(named, Some((_, Part::Host | Part::HostPort | Part::Url)));
        let address = value
            .and_then(address)
            .filter(|address| means_host || address.scheme.is_some() || address.port.is_some());
        let address = self.with_reference(draft.facts, (name, value), address);
        // Symfony's queues without a server: the service's own database, memory, none.
        let scheme = address.as_ref().and_then(|address| address.scheme.as_deref());
        if scheme.is_some_and(|scheme| matches!(scheme, "doctrine" | "in-memory" | "sync")) {
            return None;
        }
        if let Some(Address { scheme: Some(scheme), host, .. }) = &address
            && let Some(entry) = self.catalog.by_scheme(scheme)
        {
            // `bolt:///data/x.db` is a file.
            if host.is_empty() && value.is_some_and(|value| value.contains(":///") && !value.contains("{")) {
                return None;
            }
            let kind = self.installed(draft.facts, &entry.kind).filter(|_| is_local(host));
            return Some(((Target::Kind(kind.unwrap_or(entry.kind.clone())), BY_VALUE), Part::Url));
        }
        let part = named.as_ref().map(|(_, part)| *part);
        // What a value says outright is worth more than what the variable's name seems to say.
        if let Some(called) = address.as_ref().and_then(|address| self.called(draft, address)) {
            return Some(((Target::Service(called), BY_VALUE), part.unwrap_or(Part::Url)));
        }
        if let Some(part @ (Part::Url | Part::Host | Part::HostPort | Part::Port)) = part
            && let Some(called) = self.called_in_full(draft, name)
        {
            return Some(((Target::Service(called), BY_NAME), part));
        }
        if self.is_outside(draft, named.as_ref(), name, address.as_ref(), at, gathered) {
            return None;
        }
        if let Some(kind) = self.database_beside(draft.facts, name) {
            return Some(((Target::Kind(kind), BY_VALUE), Part::Database));
        }
        if let Some(kind) = self.by_path(address.as_ref(), value) {
            return Some(((Target::Kind(kind), BY_VALUE), Part::Url));
        }
        match named {
            Some((About::Kind(kind), part)) => return Some(((Target::Kind(kind), BY_VALUE), part)),
            Some((About::Class(class), part)) => {
                let sibling = self.by_port_beside(draft.facts, name, class);
                match sibling.or_else(|| self.of_class(draft.facts, class, address.as_ref(), value)) {
                    Some(kind) => return Some(((Target::Kind(kind), BY_VALUE), part)),
                    None if class == Class::Database && matches!(part, Part::Url | Part::Host) => {
                        // `ConnectionStrings:Search` may be the address of a search engine.
                        if let Some(kind) = self.named_or_driven(draft.facts, address.as_ref()) {
                            return Some(((Target::Kind(kind), BY_VALUE), part));
                        }
                        // What only a library reads, its other users may need.
                        if at.path.is_in(&draft.facts.path) {
                            gathered.unclear.push((name.to_owned(), at.clone()));
                        }
                        return None;
                    }
                    None => return None,
                }
            }
            _ => {}
        }
        let prefix = match &named {
            Some((About::Other(prefix), Part::Url | Part::Host | Part::HostPort | Part::Port)) => {
                prefix.as_str()
            }
            _ => "",
        };
        if let Some(address) = &address {
            if let Some(service) = self.service(draft, &address.host) {
                return Some(((Target::Service(service), BY_VALUE), part.unwrap_or(Part::Url)));
            }
            if !is_local(&address.host) {
                if let Some(entry) = self.catalog.by_host(&address.host) {
                    return Some((
                        (Target::Kind(entry.kind.clone()), BY_VALUE),
                        part.unwrap_or(Part::HostPort),
                    ));
                }
                if address.host.contains('.') && address.scheme.is_some() {
                    gathered.external.entry(address.host.clone()).or_insert_with(|| External {
                        from: draft.facts.name.clone(),
                        address: value.unwrap_or_default().to_owned(),
                        via: Some(name.to_owned()),
                        at: at.to_string(),
                    });
                    return None;
                }
                if let (Some(entry), None | Some(false)) = (
                    address.port.and_then(|port| self.catalog.by_port(port)),
                    address.scheme.as_ref().map(|s| s.starts_with("http")),
                ) {
                    return Some((
                        (Target::Kind(entry.kind.clone()), BY_VALUE),
                        part.unwrap_or(Part::HostPort),
                    ));
                }
            }
        }
        let below = Some(gathered.common.as_str()).filter(|common| !common.is_empty());
        let below = below.and_then(|common| prefix.strip_prefix(common));
        let named = [Some(prefix), below].into_iter().flatten().filter(|prefix| !prefix.is_empty());
        if let Some(service) = named.filter_map(|prefix| self.service(draft, prefix)).next() {
            return Some(((Target::Service(service), BY_NAME), part.unwrap_or(Part::Url)));
        }
        // `SEARCH_ORDERS_SERVICE_URL` of the search: words of its own stand in front of the other's name.
        if let Some(service) = self.service_at_the_end(draft, name, prefix) {
            return Some(((Target::Service(service), BY_NAME), part.unwrap_or(Part::Url)));
        }
        if let Some(service) = cluster(name).and_then(|cluster| self.service(draft, cluster)) {
            return Some(((Target::Service(service), BY_NAME), Part::Url));
        }
        // `API_GATEWAY`, whatever the bundler demands in front.
        if name.ends_with("GATEWAY")
            && let Some(service) = self.service(draft, without_bundler(name))
        {
            return Some(((Target::Service(service), BY_NAME), Part::Url));
        }
        // `ORDERS_SERVICE`: a variable that is called like a service and nothing else holds its address.
        if named_like_a_service(name)
            && address.as_ref().is_none_or(|address| address.port.is_some())
            && let Some(service) = self.service_of_variable(draft, name)
        {
            return Some(((Target::Service(service), BY_NAME), Part::HostPort));
        }
        let address = address.filter(|address| is_local(&address.host))?;
        if let Some(kind) = self.driven(draft.facts, &address) {
            return Some(((Target::Kind(kind), BY_VALUE), part.unwrap_or(Part::HostPort)));
        }
        let service =
            self.by_port(draft, address.port.filter(|_| address.scheme.is_some() || means_host)?)?;
        Some(((Target::Service(service), BY_NAME), part.unwrap_or(Part::Url)))
    }

    /// The kind of a class that this service uses: by port, by a word in its settings, by its only driver.
    fn of_class(
        &self,
        facts: &ServiceFacts,
        class: Class,
        address: Option<&Address>,
        value: Option<&str>,
    ) -> Option<String> {
        let fits = |kind: &str| self.catalog.get(kind).is_some_and(|entry| entry.class == class);
        let host = address.map(|address| address.host.as_str()).or(value);
        let by_port = address.and_then(|address| self.catalog.by_port(address.port?));
        let by_host = host.and_then(|host| self.catalog.by_host(host));
        // `EVENTS_DB_PORT=27017` of a program that keeps its other data in PostgreSQL.
        let port = value.and_then(|value| value.trim().parse().ok());
        let by_value = port.and_then(|port| self.catalog.by_port(port));
        if let Some(entry) =
            [by_port, by_host, by_value].into_iter().flatten().find(|entry| entry.class == class)
        {
            return Some(entry.kind.clone());
        }
        let installed = self.drivers(facts);
        let drivers: BTreeSet<String> = installed.iter().map(|(kind, _)| kind.clone()).collect();
        let mut fitting = drivers.iter().filter(|kind| fits(kind));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => return Some(only.clone()),
            (Some(_), Some(_)) => {
                let of_class = installed.iter().filter(|(kind, _)| fits(kind));
                if let Some(kind) = nearest(of_class, &facts.path) {
                    return Some(kind);
                }
            }
            // `DATABASE_URL` of a program that keeps everything in a search engine.
            (None, _) if class == Class::Database => {
                let searches =
                    |kind: &&String| self.catalog.get(kind).is_some_and(|entry| entry.class == Class::Search);
                let mut engines = drivers.iter().filter(searches);
                if let (Some(only), None) = (engines.next(), engines.next()) {
                    return Some(only.clone());
                }
            }
            _ => {}
        }
        // `DATASOURCE_PASSWORD` beside `DATASOURCE_URL=jdbc:postgresql://…`.
        let spoken: BTreeSet<String> = settings(facts)
            .values()
            .filter_map(|setting| self.catalog.by_scheme(&super::address::address(setting.value()?)?.scheme?))
            .map(|entry| entry.kind.clone())
            .filter(|kind| fits(kind))
            .collect();
        if let (Some(only), 1) = (spoken.first(), spoken.len()) {
            return Some(only.clone());
        }
        let said = self.selected(facts).into_iter().find(|kind| fits(kind));
        said.or_else(|| self.mentioned(facts, class)).or_else(|| {
            // A cache serves as a queue's broker (Celery, Sidekiq).
            let redis_like =
                drivers.iter().find(|kind| self.catalog.get(kind).is_some_and(|e| e.class == Class::Cache));
            redis_like.filter(|_| class == Class::Queue).cloned()
        })
    }

    fn mentioned(&self, facts: &ServiceFacts, class: Class) -> Option<String> {
        facts.facts.iter().find_map(|fact| match &fact.what {
            What::Mention { target, .. } => self
                .catalog
                .by_word(target)
                .filter(|entry| entry.class == class)
                .map(|entry| entry.kind.clone()),
            _ => None,
        })
    }

    fn literal(&self, draft: &Draft<'_>, reference: &Reference, at: &Evidence, gathered: &mut Gathered) {
        let by_scheme = self.catalog.by_scheme(&reference.scheme).filter(|_| !reference.scheme.is_empty());
        let local = is_local(&reference.host);
        let target = if let Some(entry) = by_scheme {
            Some(Target::Kind(entry.kind.clone()))
        } else if local {
            // An address on the own machine that no variable moves says nothing about the system.
            None
        } else if let Some(service) = self.service(draft, &reference.host) {
            Some(Target::Service(service))
        } else if let Some(entry) = self.catalog.by_host(&reference.host) {
            Some(Target::Kind(entry.kind.clone()))
        } else if reference.host.contains('.') {
            if !reference.scheme.is_empty() && self.service(draft, first_label(&reference.host)).is_none() {
                gathered.external.entry(reference.host.clone()).or_insert_with(|| External {
                    from: draft.facts.name.clone(),
                    address: reference.raw.clone(),
                    via: reference.via.clone(),
                    at: at.to_string(),
                });
            }
            None
        } else {
            let entry = reference.port.and_then(|port| self.catalog.by_port(port));
            entry
                .filter(|_| !reference.scheme.starts_with("http"))
                .map(|entry| Target::Kind(entry.kind.clone()))
        };
        let Some(target) = target else { return };
        let is_kind = matches!(target, Target::Kind(_));
        let need = gathered.need(target, Strength::Required, BY_LITERAL, at);
        if !local && !reference.host.is_empty() && !reference.host.contains(['$', '{']) {
            need.hosts.insert(reference.host.clone());
        }
        if is_kind {
            need.database = need.database.take().or_else(|| reference.database.clone());
            if reference.user.is_some() || reference.password.is_some() {
                need.literal.get_or_insert_with(|| Literal {
                    user: reference.user.clone(),
                    password: reference.password.clone(),
                    at: at.clone(),
                });
            }
        }
    }

    /// A document's word. It fills a gap only where the code of the service could not be read.
    fn mention(
        &self,
        draft: &Draft<'_>,
        target: &str,
        detail: Option<&str>,
        at: &Evidence,
        gathered: &mut Gathered,
    ) {
        let target = match self.service(draft, target) {
            Some(service) => Target::Service(service),
            None => match self.catalog.by_word(target) {
                Some(entry) => Target::Kind(entry.kind.clone()),
                None => return,
            },
        };
        let was_read = draft.facts.facts.iter().any(|fact| {
            matches!(
                fact.what,
                What::Driver { .. } | What::EnvRead { .. } | What::Framework { .. } | What::EnvValue { .. }
            )
        });
        let strength = if was_read { Strength::Possible } else { Strength::Required };
        let is_kind = matches!(target, Target::Kind(_));
        let need = gathered.need(target, strength, BY_DOCUMENT, at);
        if is_kind {
            need.database = need.database.take().or_else(|| detail.map(str::to_owned));
        }
    }
}

/// Fewer variables have no word in common but by chance.
const MANY_VARIABLES: usize = 3;

/// `MAIL_` where two thirds of the variables begin so, or where the service itself is called `mail`.
fn common_word<'n>(names: impl Iterator<Item = &'n str>, service: &str) -> String {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for (word, _) in names.filter_map(|name| name.split_once('_')) {
        *words.entry(word).or_default() += 1;
        all += 1;
    }
    let own = words.keys().find(|word| super::names::folded(word) == super::names::folded(service));
    let most = words.iter().max_by_key(|(word, count)| (**count, std::cmp::Reverse(**word)));
    let most =
        most.filter(|(_, count)| all >= MANY_VARIABLES && **count * 3 >= all * 2).map(|(word, _)| word);
    most.or(own).map_or_else(String::new, |word| format!("{word}_"))
}

/// `orders` of `ReverseProxy__Clusters__orders-cluster__Destinations__1__Address`, as YARP calls whom it forwards to.
fn cluster(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("Clusters__")?;
    let (cluster, destination) = rest.split_once("__Destinations__")?;
    let bare = cluster.strip_suffix("cluster").or_else(|| cluster.strip_suffix("Cluster")).unwrap_or(cluster);
    destination.ends_with("__Address").then(|| bare.trim_end_matches(['-', '_']))
}

fn named_like_a_service(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["_SERVICE", "_SVC", "_BACKEND", "_SERVER"].iter().any(|end| upper.ends_with(end))
}

fn known_variable(reference: &Reference, settings: &BTreeMap<&str, Setting<'_>>) -> bool {
    reference.via.as_deref().is_some_and(|via| settings.contains_key(via))
}
