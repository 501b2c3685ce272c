//! What each service needs, with the variables that tell it where that is; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Class, Entry};
use crate::model::fact::{ComponentFacts, Evidence, Reference, ServiceFacts, What};
use crate::model::inventory::{Role, Strength};
use crate::model::path::RepoPath;
use crate::model::stack::External;

use super::address::{Address, address, database_of, first_label, is_local, is_remote, space_of};
use super::draft::Draft;
use super::known::Known;
use super::settings::{Setting, settings};
use super::strength::is_switched_off;
use super::variables::{Part, is_for_tests, names_a_way_back, names_origins};

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
    /// Whether it stands in an address of the own machine, which is what holds where no variable is set.
    pub(crate) is_default: bool,
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
pub(super) const BY_VALUE: u8 = 3;
const BY_LITERAL: u8 = 4;
/// What starts the program waits for it first: whoever leaves out that wait makes both wait for each other.
const BY_WAIT: u8 = 5;

/// Finds the needs of the services among each other and of the catalogue's kinds.
pub(crate) struct Finder<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) known: Known<'a>,
    /// Files outside the services' folders of which one service alone knows something: parts of that program, and no
    /// library for others.
    pub(super) of_one: BTreeSet<&'a RepoPath>,
    /// The servers that images here are built for, by name, each with its kind.
    pub(super) built: BTreeMap<&'a str, &'a str>,
}

/// The files that lie outside the folder of the only service about which they say something.
fn of_one<'a>(services: &[Draft<'a>]) -> BTreeSet<&'a RepoPath> {
    let mut first: BTreeMap<&RepoPath, (usize, bool)> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        let facts: &'a ServiceFacts = service.facts;
        for fact in facts.facts.iter().filter(|fact| !fact.at.path.is_in(&facts.path)) {
            let (by, others) = first.entry(&fact.at.path).or_insert((at, false));
            *others |= *by != at;
        }
    }
    first.into_iter().filter(|(_, (_, others))| !others).map(|(path, _)| path).collect()
}

/// A service's needs while they are gathered.
pub(super) struct Gathered {
    by_target: BTreeMap<Target, Need>,
    pub(super) external: BTreeMap<String, External>,
    links: Vec<(String, String)>,
    pub(super) unclear: Vec<(String, Evidence)>,
    /// The word with which the service's variables begin, with its `_`; empty where they have none in common.
    pub(super) common: String,
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
    pub(crate) fn new(
        catalog: &'a Catalog,
        services: &'a [Draft<'a>],
        components: &'a [ComponentFacts],
    ) -> Self {
        let built = components.iter().filter(|component| component.build.is_some());
        let built = built.map(|component| (component.name.as_str(), component.kind.as_str())).collect();
        Finder { catalog, known: Known::new(services), of_one: of_one(services), built }
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
            if let What::Reference(reference) = &fact.what
                && !known_variable(reference, &settings)
            {
                self.literal(draft, reference, &fact.at, &mut gathered);
            }
        }
        self.opened(facts, &mut gathered.by_target);
        for fact in &facts.facts {
            if let What::Mention { target, detail } = &fact.what {
                self.mention(draft, target, detail.as_deref(), &fact.at, &mut gathered);
            }
        }
        for (kind, at) in self.drivers(facts) {
            gathered.need(Target::Kind(kind), Strength::Possible, BY_DOCUMENT, at);
        }
        for fact in &facts.facts {
            if let What::Uses { kind } = &fact.what
                && let Some(need) = gathered.by_target.get_mut(&Target::Kind(kind.clone()))
            {
                need.seen.insert(fact.at.clone());
            }
        }
        // What a file of the program or a default says beside a variable for the whole address, the variable overrides.
        for need in gathered.by_target.values_mut() {
            let is_moved = need.wires.iter().any(|wire| wire.part == Part::Url);
            let is_overridden = |literal: &mut Literal| literal.is_default || literal.at.rule == "app-config";
            need.literal.take_if(|literal| is_moved && is_overridden(literal));
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
            // A port alone is the program's own, as that of its metrics is.
            let is_port_alone = !need.wires.is_empty()
                && need.wires.iter().all(|wire| wire.part == Part::Port)
                && !self.drivers(facts).iter().any(|(driver, _)| driver == kind);
            let is_optional = is_port_alone
                || self.may_be_left_out(facts, kind, &of_addresses)
                || self.is_the_providers_own(kind, &of_addresses)
                || self.is_an_account(kind, need.wires.iter().filter_map(|wire| wire.value.as_deref()));
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
            && self.is_a_link(draft, name, service, value)
        {
            gathered.links.push((name.to_owned(), service.clone()));
            return;
        }
        if names_origins(name) || is_the_tests_own(draft, &target, name) {
            return;
        }
        let strength = self.strength(draft.facts, &target, (name, setting), value);
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

    /// No backend calls a frontend on its own machine or by its public name: such an address is written into pages and mails,
    /// and so is a `LOGIN_URL` of which nothing says a value.
    /// Nor does it call the address to which a login elsewhere sends the browser back.
    fn is_a_link(&self, draft: &Draft<'_>, name: &str, service: &str, value: Option<&str>) -> bool {
        let is_link = |address: Address| {
            (address.scheme.is_some() && is_local(&address.host)) || is_remote(&address.host)
        };
        // A gateway calls the frontend too.
        let calls = matches!(draft.role, Role::Gateway) && !names_origins(name);
        let is_for_pages = self.known.is_frontend(service) && !calls || names_a_way_back(name);
        match value.filter(|value| !value.trim().is_empty()) {
            Some(value) => is_for_pages && address(value).is_some_and(is_link),
            None => {
                is_for_pages && self.known.is_frontend(service) && name.to_ascii_uppercase().ends_with("_URL")
            }
        }
    }

    fn literal(&self, draft: &Draft<'_>, reference: &Reference, at: &Evidence, gathered: &mut Gathered) {
        let by_scheme = self.catalog.by_scheme(&reference.scheme).filter(|_| !reference.scheme.is_empty());
        let local = is_local(&reference.host);
        // Code that a web server hands out runs in browsers: it speaks to no database, and names one in a text.
        if by_scheme.is_some() && draft.hands_out_files() && at.rule == CODE {
            return;
        }
        let target = if let Some(entry) = by_scheme {
            Some(Target::Kind(entry.kind.clone()))
        } else if local {
            // An address on the own machine that no variable moves says nothing about the system, but in pages, which a
            // browser on that machine shows.
            let is_page =
                draft.role == Role::Frontend && is_shown(draft, at) && reference.scheme.starts_with("http");
            let port = reference.port.filter(|_| is_page);
            // Other pages are linked to, and named as origins; only their modules are fetched.
            let is_called = |name: &String| !self.known.is_frontend(name) || reference.raw.ends_with(".js");
            port.and_then(|port| self.by_port(draft, port)).filter(is_called).map(Target::Service)
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
            // Pages are served on any port; `http://shop-minio:9000` says with its host what they are.
            let by_word = || {
                let entry = self.catalog.iter().find(|entry| has_word_of(entry, &reference.host));
                entry.filter(|entry| reference.port == Some(entry.port))
            };
            let by_port = || {
                let entry = reference.port.and_then(|port| self.catalog.by_port(port));
                entry.filter(|_| !reference.scheme.starts_with("http"))
            };
            by_word().or_else(by_port).map(|entry| Target::Kind(entry.kind.clone()))
        };
        let Some(target) = target else { return };
        let is_kind = matches!(target, Target::Kind(_));
        // `s3://bucket/file` names a file wherever it lies; a program that fetches it has a client.
        let is_name_only = by_scheme.is_some_and(|entry| {
            entry.class == Class::Storage
                && reference.port.is_none()
                && !self.drivers(draft.facts).iter().any(|(kind, _)| *kind == entry.kind)
        });
        let strength = if is_name_only { Strength::Possible } else { Strength::Required };
        let is_awaited = matches!(at.rule, "dockerfile-command-reads" | "start-script");
        let weight = if is_awaited { BY_WAIT } else { BY_LITERAL };
        let need = gathered.need(target, strength, weight, at);
        if !local && !reference.host.is_empty() && !reference.host.contains(['$', '{']) {
            need.hosts.insert(reference.host.clone());
        }
        if is_kind {
            need.database = need.database.take().or_else(|| reference.database.clone());
            if reference.user.is_some() || reference.password.is_some() {
                need.literal.get_or_insert_with(|| Literal {
                    user: reference.user.clone(),
                    password: reference.password.clone(),
                    is_default: local && reference.raw.contains("://"),
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

/// The rule of strings in the code of pages and of programs in their language.
const CODE: &str = "node-literal";

/// Whether the frontend's own code says it, and no `vite.config.ts`, which forwards calls for the developer's server.
fn is_shown(draft: &Draft<'_>, at: &Evidence) -> bool {
    at.rule == CODE && at.path.is_in(&draft.facts.path) && !at.path.name().contains(".config.")
}

/// Whether one of the words of a host's name is one of the kind's.
fn has_word_of(entry: &Entry, host: &str) -> bool {
    let mut words = host.split(['-', '_']);
    words.any(|word| entry.recognise.hosts.iter().chain(&entry.recognise.words).any(|known| known == word))
}

/// Whether a variable is about what tests use, which empty its tables, and not about a service that is called so.
fn is_the_tests_own(draft: &Draft<'_>, target: &Target, name: &str) -> bool {
    let is_subject = |service: &str| service.split('-').any(is_for_tests);
    let of_service = matches!(target, Target::Service(service) if is_subject(service));
    is_for_tests(name) && !of_service && !is_subject(&draft.facts.name)
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

fn known_variable(reference: &Reference, settings: &BTreeMap<&str, Setting<'_>>) -> bool {
    reference.via.as_deref().is_some_and(|via| settings.contains_key(via))
}
