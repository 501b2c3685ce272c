//! Whom a variable is about, from the most certain sign to the least: its value, its name, what lies around it; pure.

use std::collections::BTreeSet;
use std::ops::ControlFlow::{self, Break, Continue};

use crate::catalog::{Class, Entry};
use crate::model::fact::{Evidence, ServiceFacts, What};
use crate::model::inventory::Role;
use crate::model::stack::External;

use super::address::{Address, address, first_label, is_local};
use super::draft::Draft;
use super::names::folded;
use super::needs::{BY_NAME, BY_VALUE, Finder, Gathered, Target};
use super::settings::settings;
use super::variables::{About, Part, classify, is_for_browsers, names_inside, without_bundler};
use super::whom::nearest;

/// Whom a variable is about, how certain that is, and which part of the address it is.
type Found = ((Target, u8), Part);

/// A step on the way: whom the variable is about, that it is about nobody (`None`), or that later steps may know.
type Step = ControlFlow<Option<Found>>;

/// One variable of a service, and what its value and its name say by themselves.
struct Seen<'a> {
    draft: &'a Draft<'a>,
    name: &'a str,
    value: Option<&'a str>,
    at: &'a Evidence,
    /// The address in the value.
    address: Option<Address>,
    /// Whom the name is about.
    named: Option<(About, Part)>,
    /// Whether the name says that a host is meant.
    means_host: bool,
}

impl Seen<'_> {
    fn part(&self) -> Option<Part> {
        self.named.as_ref().map(|(_, part)| *part)
    }

    /// The words of the name that stand for somebody, where an address or a part of one follows them.
    fn prefix(&self) -> &str {
        match &self.named {
            Some((About::Other(prefix), Part::Url | Part::Host | Part::HostPort | Part::Port)) => prefix,
            _ => "",
        }
    }

    fn service(&self, name: String, certainty: u8) -> Step {
        Break(Some(((Target::Service(name), certainty), self.part().unwrap_or(Part::Url))))
    }
}

fn kind(kind: String, part: Part) -> Step {
    Break(Some(((Target::Kind(kind), BY_VALUE), part)))
}

impl Finder<'_> {
    /// Whom a variable is about. Notes connections to the outside and unclear ones on the way.
    pub(super) fn see(
        &self,
        draft: &Draft<'_>,
        name: &str,
        value: Option<&str>,
        at: &Evidence,
        gathered: &mut Gathered,
    ) -> Option<Found> {
        // What a bundler writes into pages is read by a browser, which speaks to services and to no database or store.
        let named = classify(name, self.catalog)
            .filter(|(about, _)| matches!(about, About::Other(_)) || !is_for_browsers(name));
        // A word alone is a host only where the name says that a host is meant: `DB_CONNECTION=mysql` is none.
        let means_host = matches!(named, Some((_, Part::Host | Part::HostPort | Part::Url)));
        let address = value
            .and_then(address)
            .filter(|address| means_host || address.scheme.is_some() || address.port.is_some());
        let address = self.with_reference(draft.facts, (name, value), address);
        let seen = Seen { draft, name, value, at, address, named, means_host };
        match self.steps(&seen, gathered) {
            Break(found) => found,
            Continue(()) => None,
        }
    }

    fn steps(&self, seen: &Seen<'_>, gathered: &mut Gathered) -> Step {
        if is_of_tokens(seen.name) {
            return Break(None);
        }
        self.by_scheme(seen)?;
        self.by_full_names(seen)?;
        let (facts, address) = (seen.draft.facts, seen.address.as_ref());
        if self.is_outside(seen.draft, seen.named.as_ref(), seen.name, address, seen.at, gathered) {
            return Break(None);
        }
        if let Some(found) = self.database_beside(facts, seen.name) {
            return kind(found, Part::Database);
        }
        if let Some(found) = self.by_path(address, seen.value) {
            return kind(found, Part::Url);
        }
        if let Some((found, part)) = self.login_beside(facts, seen.name).filter(|_| seen.named.is_none()) {
            return kind(found, part);
        }
        // `METRICS_LISTEN_ADDR`, `REDIS_PROXY_BIND_ADDRESS`: where the program itself listens.
        if seen.part().is_some() && seen.name.split('_').any(|word| matches!(word, "LISTEN" | "BIND")) {
            return Break(None);
        }
        self.by_class(seen, gathered)?;
        // Where a program binds all addresses, it listens; a `URL` of that kind is a call on the developer's machine.
        let is_bound = ends_with(seen.name, &["ADDR", "ADDRESS", "BIND", "LISTEN"]);
        if is_bound && address.is_some_and(|address| matches!(address.host.as_str(), "0.0.0.0" | "::")) {
            return Break(None);
        }
        self.by_host(seen, gathered)?;
        self.by_words(seen, gathered)?;
        if let Some((found, part)) = self.by_default_beside(seen.draft, seen.name) {
            return kind(found, part);
        }
        self.by_local_port(seen)?;
        self.by_what_pages_call(seen)
    }

    /// `postgres://…`.
    fn by_scheme(&self, seen: &Seen<'_>) -> Step {
        let Some(Address { scheme: Some(scheme), host, .. }) = &seen.address else { return Continue(()) };
        // Symfony's queues without a server: the service's own database, memory, none.
        if matches!(scheme.as_str(), "doctrine" | "in-memory" | "sync") {
            return Break(None);
        }
        let Some(entry) = self.catalog.by_scheme(scheme) else { return Continue(()) };
        // `bolt:///data/x.db` is a file.
        if host.is_empty() && seen.value.is_some_and(|value| value.contains(":///") && !value.contains('{')) {
            return Break(None);
        }
        // `mqtts://broker.${DOMAIN}:8883` where a broker is built here: the system as others see it.
        let port = seen.address.as_ref().and_then(|address| address.port).filter(|_| host.contains('.'));
        if port.and_then(|port| self.known.with_port(port)).is_some_and(|own| own != seen.draft.facts.name) {
            return Break(None);
        }
        let installed = self.installed(seen.draft.facts, &entry.kind).filter(|_| is_local(host));
        kind(installed.unwrap_or(entry.kind.clone()), Part::Url)
    }

    /// A service by its whole name. What a value says outright is worth more than what the variable's name seems to say.
    fn by_full_names(&self, seen: &Seen<'_>) -> Step {
        if let Some(called) = seen.address.as_ref().and_then(|address| self.called(seen.draft, address)) {
            return seen.service(called, BY_VALUE);
        }
        if let Some(Part::Url | Part::Host | Part::HostPort | Part::Port) = seen.part()
            && let Some(called) = self.called_in_full(seen.draft, seen.name)
        {
            return seen.service(called, BY_NAME);
        }
        Continue(())
    }

    /// `REDIS_HOST`, `DATABASE_URL`.
    fn by_class(&self, seen: &Seen<'_>, gathered: &mut Gathered) -> Step {
        let (facts, address) = (seen.draft.facts, seen.address.as_ref());
        let (class, part) = match &seen.named {
            // `TEMPORAL_HOST_PORT=localhost:7233` holds both.
            Some((About::Kind(named), Part::Port)) if address.is_some() => {
                return kind(named.clone(), Part::HostPort);
            }
            Some((About::Kind(named), part)) => return kind(named.clone(), *part),
            Some((About::Class(class), part)) => (*class, *part),
            _ => return Continue(()),
        };
        if let (Class::Mail, Some(address)) = (class, address.filter(|address| is_page(address))) {
            let port = address.port.filter(|_| is_local(&address.host));
            let frontend = port.and_then(|port| self.by_port(seen.draft, port));
            return match frontend.filter(|name| self.known.is_frontend(name)) {
                Some(frontend) => Break(Some(((Target::Service(frontend), BY_NAME), part))),
                None => Break(None),
            };
        }
        let sibling = self.by_port_beside(facts, seen.name, class);
        let found = sibling.or_else(|| self.of_class(facts, class, address, seen.value));
        // `ORDERS_QUEUE_NAME` says that there is a queue, and not that a cache holds it.
        let is_of_class = |kind: &String| self.catalog.get(kind).is_some_and(|entry| entry.class == class);
        let is_name = class == Class::Queue && part == Part::Database;
        if let Some(found) = found.filter(|kind| !is_name || is_of_class(kind)) {
            return kind(found, part);
        }
        if class == Class::Database && matches!(part, Part::Url | Part::Host) {
            // `ConnectionStrings:Search` may be the address of a search engine.
            if let Some(found) = self.named_or_driven(facts, address) {
                return kind(found, part);
            }
            // What only a library reads, its other users may need.
            if seen.at.path.is_in(&facts.path) {
                gathered.unclear.push((seen.name.to_owned(), seen.at.clone()));
            }
        }
        Break(None)
    }

    /// Whoever is called like the host in the value.
    fn by_host(&self, seen: &Seen<'_>, gathered: &mut Gathered) -> Step {
        let Some(address) = &seen.address else { return Continue(()) };
        // `AUTH_PASSWORD_BROKER=users`: a broker is a queue's server or something inside the program, and no service.
        let is_broker = ends_with(seen.name, &["BROKER", "BROKERS"]);
        let service = self.service(seen.draft, &address.host);
        let service = service.or_else(|| self.discovered(seen.draft, &address.host));
        if let Some(service) = service.filter(|_| !is_broker) {
            return seen.service(service, BY_VALUE);
        }
        if is_local(&address.host) {
            return Continue(());
        }
        let part = seen.part().unwrap_or(Part::HostPort);
        if let Some(entry) = self.catalog.by_host(&address.host) {
            return kind(entry.kind.clone(), part);
        }
        if let Some(built) = self.built.get(address.host.as_str()) {
            return kind((*built).to_owned(), part);
        }
        if let Some(service) = self.published(seen, address) {
            return seen.service(service, BY_NAME);
        }
        if address.host.contains('.') && address.scheme.is_some() {
            gathered.external.entry(address.host.clone()).or_insert_with(|| External {
                from: seen.draft.facts.name.clone(),
                address: seen.value.unwrap_or_default().to_owned(),
                via: Some(seen.name.to_owned()),
                at: seen.at.to_string(),
            });
            return Break(None);
        }
        match address.port.and_then(|port| self.catalog.by_port(port)).filter(|_| !is_page(address)) {
            Some(entry) => kind(entry.kind.clone(), part),
            None => Continue(()),
        }
    }

    /// A service by words of the variable's name.
    fn by_words(&self, seen: &Seen<'_>, gathered: &Gathered) -> Step {
        let (draft, name, prefix) = (seen.draft, seen.name, seen.prefix());
        if prefix == "API" && is_its_own(draft, name, seen.address.as_ref()) {
            return Break(None);
        }
        let below = Some(gathered.common.as_str()).filter(|common| !common.is_empty());
        let below = below.and_then(|common| prefix.strip_prefix(common));
        let mut named = [Some(prefix), below].into_iter().flatten().filter(|prefix| !prefix.is_empty());
        if let Some(service) = named.find_map(|prefix| self.service(draft, prefix)) {
            return seen.service(service, BY_NAME);
        }
        // `SEARCH_ORDERS_SERVICE_URL` of the search: words of its own stand in front of the other's name.
        if let Some(service) = self.service_at_the_end(draft, name, prefix) {
            return seen.service(service, BY_NAME);
        }
        let by_name = |service: String, part: Part| Break(Some(((Target::Service(service), BY_NAME), part)));
        if let Some(service) = cluster(name).and_then(|cluster| self.service(draft, cluster)) {
            return by_name(service, Part::Url);
        }
        // `API_GATEWAY`, whatever the bundler demands in front.
        if name.ends_with("GATEWAY")
            && let Some(service) = self.service(draft, without_bundler(name))
        {
            return by_name(service, Part::Url);
        }
        // `ORDERS_SERVICE`: a variable that is called like a service and nothing else holds its address.
        if ends_with(name, &["_SERVICE", "_SVC", "_BACKEND", "_SERVER"])
            && seen.address.as_ref().is_none_or(|address| address.port.is_some())
            && let Some(service) = self.service_of_variable(draft, name)
        {
            return by_name(service, Part::HostPort);
        }
        Continue(())
    }

    /// Whoever has that port on the developer's machine.
    fn by_local_port(&self, seen: &Seen<'_>) -> Step {
        let Some(address) = seen.address.as_ref().filter(|address| is_local(&address.host)) else {
            return Continue(());
        };
        if let Some(found) = self.driven(seen.draft.facts, address) {
            return kind(found, seen.part().unwrap_or(Part::HostPort));
        }
        let port = address.port.filter(|_| address.scheme.is_some() || seen.means_host);
        // `APP_KEYCLOAK_ADMIN_SERVERURL=http://localhost:8080`: the name says whose port that is.
        if let Some(found) = names_inside(seen.name, self.catalog).filter(|_| port.is_some()) {
            return kind(found, seen.part().unwrap_or(Part::HostPort));
        }
        match port.and_then(|port| self.by_port(seen.draft, port)) {
            Some(service) => seen.service(service, BY_NAME),
            None => Continue(()),
        }
    }

    /// The service that both the variable of pages and the public address call by one name:
    /// `API_URL=https://dev-api.shop.example`.
    /// With another service's name in front, as in `PAYMENTS_API_URL=https://api.payments.example`, it is somebody else's.
    fn published(&self, seen: &Seen<'_>, address: &Address) -> Option<String> {
        const STAGES: &[&str] =
            &["dev", "development", "local", "prod", "production", "stage", "staging", "test"];
        let label = first_label(&address.host);
        let words: Vec<&str> = label.split('-').filter(|word| !STAGES.contains(word)).collect();
        let is_page = address.scheme.is_some() && address.host.contains('.');
        let name = words.join("-");
        let prefix = seen.prefix();
        let is_own = seen.draft.role == Role::Frontend && folded(prefix) == folded(&name);
        if !is_page || name.is_empty() || !is_own {
            return None;
        }
        self.service(seen.draft, prefix)
    }

    /// The one server of a system, or its gateway, where pages have a variable for "the API" of which nothing says more
    /// than an address on the developer's machine.
    fn by_what_pages_call(&self, seen: &Seen<'_>) -> Step {
        const WORDS: &[&str] = &["API", "API_BASE", "API_SERVER", "BACKEND", "BACKEND_API", "SERVER"];
        let is_open = seen.address.as_ref().map_or(seen.value.is_none_or(str::is_empty), |address| {
            address.scheme.is_some() && is_local(&address.host)
        });
        let about = seen.prefix();
        if seen.draft.role != Role::Frontend
            || !is_open
            || !WORDS.contains(&about)
            || seen.part() == Some(Part::Port)
        {
            return Continue(());
        }
        match self.known.only_gateway().or_else(|| self.known.only_server()) {
            Some(server) if server != seen.draft.facts.name => seen.service(server.to_owned(), BY_NAME),
            _ => Continue(()),
        }
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
        let by_number = |entry: &&Entry| self.may_speak(facts, entry);
        if let Some(entry) = [by_port.filter(by_number), by_host, by_value.filter(by_number)]
            .into_iter()
            .flatten()
            .find(|entry| entry.class == class)
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
}

/// `orders` of `ReverseProxy__Clusters__orders-cluster__Destinations__1__Address`, as YARP calls whom it forwards to.
fn cluster(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("Clusters__")?;
    let (cluster, destination) = rest.split_once("__Destinations__")?;
    let bare = cluster.strip_suffix("cluster").or_else(|| cluster.strip_suffix("Cluster")).unwrap_or(cluster);
    destination.ends_with("__Address").then(|| bare.trim_end_matches(['-', '_']))
}

/// Whether a variable that is called after no API in particular means the program itself: `API_URL=http://localhost:8080`
/// where it listens on that port, `API_PORT` without an `API_HOST` or `API_URL` beside it.
fn is_its_own(draft: &Draft<'_>, name: &str, address: Option<&Address>) -> bool {
    if name.ends_with("_PORT") {
        let all = settings(draft.facts);
        return !["API_HOST", "API_URL"].iter().any(|beside| all.contains_key(beside));
    }
    let here = address.filter(|address| is_local(&address.host)).and_then(|address| address.port);
    here.is_some_and(|port| draft.ports.iter().any(|own| own.container == port))
}

/// `EMAIL_VERIFICATION_URL=https://shop.example/verify`: mails lead to pages, and no mail server is one.
fn is_page(address: &Address) -> bool {
    address.scheme.as_ref().is_some_and(|scheme| scheme.starts_with("http"))
}

/// `Jwt__Issuer`, `JWT_AUDIENCE`: what stands in a token is compared, letter by letter, by those who check it.
fn is_of_tokens(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_of_section = || upper.contains("JWT") || upper.contains("TOKEN");
    upper.ends_with("AUDIENCE") || (upper.ends_with("ISSUER") && is_of_section())
}

fn ends_with(name: &str, ends: &[&str]) -> bool {
    let upper = name.to_ascii_uppercase();
    ends.iter().any(|end| upper.ends_with(end))
}
