//! Whom a variable is about, from the most certain sign to the least: its value, its name, what lies around it; pure.

use std::collections::BTreeSet;

use crate::catalog::{Class, Entry};
use crate::model::fact::{Evidence, ServiceFacts, What};
use crate::model::stack::External;

use super::address::{Address, address, is_local};
use super::draft::Draft;
use super::needs::{BY_NAME, BY_VALUE, Finder, Gathered, Target};
use super::settings::settings;
use super::variables::{About, Part, classify, is_for_browsers, without_bundler};
use super::whom::nearest;

impl Finder<'_> {
    /// Whom a variable is about. Notes connections to the outside and unclear ones on the way.
    pub(super) fn see(
        &self,
        draft: &Draft<'_>,
        name: &str,
        value: Option<&str>,
        at: &Evidence,
        gathered: &mut Gathered,
    ) -> Option<((Target, u8), Part)> {
        // What a bundler writes into pages is read by a browser, which speaks to services and to no database or store.
        let named = classify(name, self.catalog)
            .filter(|(about, _)| matches!(about, About::Other(_)) || !is_for_browsers(name));
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
        // Where a program binds all addresses, it listens; a `URL` of that kind is a call on the developer's machine.
        let is_bound =
            ["ADDR", "ADDRESS", "BIND", "LISTEN"].iter().any(|end| name.to_ascii_uppercase().ends_with(end));
        if is_bound
            && address.as_ref().is_some_and(|address| matches!(address.host.as_str(), "0.0.0.0" | "::"))
        {
            return None;
        }
        let prefix = match &named {
            Some((About::Other(prefix), Part::Url | Part::Host | Part::HostPort | Part::Port)) => {
                prefix.as_str()
            }
            _ => "",
        };
        if let Some(address) = &address {
            // `AUTH_PASSWORD_BROKER=users`: a broker is a queue's server or something inside the program, and no service.
            let is_broker = ["BROKER", "BROKERS"].iter().any(|end| name.to_ascii_uppercase().ends_with(end));
            if let Some(service) = self.service(draft, &address.host).filter(|_| !is_broker) {
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

fn named_like_a_service(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["_SERVICE", "_SVC", "_BACKEND", "_SERVER"].iter().any(|end| upper.ends_with(end))
}
