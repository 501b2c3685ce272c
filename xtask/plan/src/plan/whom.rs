//! Whom an address or a variable means: a service here, a kind of the catalogue, somebody outside; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Class, Entry};
use crate::model::fact::{Evidence, ServiceFacts, What};
use crate::model::path::RepoPath;
use crate::model::stack::External;

use super::address::{self, Address, is_local, is_remote};
use super::draft::Draft;
use super::names::folded;
use super::needs::{BY_NAME, Finder, Gathered, Target};
use super::settings::{Setting, settings};
use super::variables::{About, Part, classify, without_bundler};

impl Finder<'_> {
    /// The service whose very name, or other name that it alone has, is the host of an address, where that is no name of
    /// a kind too.
    pub(super) fn called(&self, draft: &Draft<'_>, address: &Address) -> Option<String> {
        let host = &address.host;
        if is_local(host) || self.catalog.by_host(host).is_some() {
            return None;
        }
        let named = self.known.named(host).or_else(|| self.known.only_called(host));
        named.filter(|name| *name != draft.facts.name).map(str::to_owned)
    }

    /// Whether a variable is about a mail server or a store outside, as its host or the host beside it says. Others have
    /// to be there for development; these are somebody's accounts.
    pub(super) fn is_outside(
        &self,
        draft: &Draft<'_>,
        named: Option<&(About, Part)>,
        name: &str,
        address: Option<&Address>,
        at: &Evidence,
        gathered: &mut Gathered,
    ) -> bool {
        let class = match named {
            Some((About::Class(class), _)) => Some(*class),
            Some((About::Kind(kind), _)) => self.catalog.get(kind).map(|entry| entry.class),
            _ => None,
        };
        if class != Some(Class::Mail) {
            return false;
        }
        if let Some(address) = address.filter(|address| is_remote(&address.host)) {
            gathered.external.entry(address.host.clone()).or_insert_with(|| External {
                from: draft.facts.name.clone(),
                address: address.host.clone(),
                via: Some(name.to_owned()),
                at: at.to_string(),
            });
            return true;
        }
        settings(draft.facts).iter().any(|(other, setting)| {
            let is_mail = match classify(other, self.catalog) {
                Some((About::Class(class), Part::Host | Part::HostPort | Part::Url)) => class == Class::Mail,
                Some((About::Kind(kind), Part::Host | Part::HostPort | Part::Url)) => {
                    self.catalog.get(&kind).is_some_and(|entry| entry.class == Class::Mail)
                }
                _ => false,
            };
            is_mail
                && setting.value().and_then(address::address).is_some_and(|address| is_remote(&address.host))
        })
    }

    /// The kind whose login or virtual host a variable of .NET holds that is called after no kind: `Bus__Username` beside
    /// `Bus__Host`, with the port of RabbitMQ.
    pub(super) fn login_beside(&self, facts: &ServiceFacts, name: &str) -> Option<(String, Part)> {
        let (section, last) = name.rsplit_once("__")?;
        let part = match last.to_ascii_lowercase().as_str() {
            "user" | "username" => Part::User,
            "pass" | "password" => Part::Password,
            "vhost" | "virtualhost" => Part::Database,
            _ => return None,
        };
        let all = settings(facts);
        let host = ["Host", "HostName", "Hostname"].map(|last| format!("{section}__{last}"));
        let (host, setting) = host.iter().find_map(|name| Some((name, all.get(name.as_str())?)))?;
        let address = address::address(setting.value()?);
        let address = self.with_reference(facts, (host, setting.value()), address)?;
        let kind = self.driven(facts, &address).filter(|_| is_local(&address.host))?;
        Some((kind, part))
    }

    /// The service that .NET's service discovery finds under a name, where its section says its port on the developer's
    /// machine: `Services__orders__http__0=http://localhost:5101` is `http://orders`.
    pub(super) fn discovered(&self, draft: &Draft<'_>, host: &str) -> Option<String> {
        let all = settings(draft.facts);
        let names = ["__http__0", "__https__0", ""].map(|end| format!("Services__{host}{end}"));
        let value = names.iter().find_map(|name| all.get(name.as_str())?.value())?;
        let address = address::address(value).filter(|address| is_local(&address.host))?;
        self.by_port(draft, address.port?)
    }

    /// The kind that alone has such paths in its addresses, where the address is not one outside.
    pub(super) fn by_path(&self, address: Option<&Address>, value: Option<&str>) -> Option<String> {
        let address = address.filter(|address| !is_remote(&address.host))?;
        let is_page = address.scheme.as_ref().is_some_and(|scheme| scheme.starts_with("http"));
        self.catalog.by_path(value.filter(|_| is_page)?).map(|entry| entry.kind.clone())
    }

    /// What a configuration file says about the variable's address beyond its text: keywords, a port under another key.
    pub(super) fn with_reference(
        &self,
        facts: &ServiceFacts,
        (name, value): (&str, Option<&str>),
        address: Option<Address>,
    ) -> Option<Address> {
        let all = || {
            facts.facts.iter().filter_map(|fact| match &fact.what {
                What::Reference(reference) if reference.via.as_deref() == Some(name) => Some(reference),
                _ => None,
            })
        };
        // Of a file for each environment, the one that counts.
        let said = all().find(|said| value == Some(said.raw.as_str())).or_else(|| all().next());
        match (address, said) {
            (Some(address), Some(said)) => {
                let port = address.port.or(said.port.filter(|_| said.host == address.host));
                Some(Address { port, ..address })
            }
            (None, Some(said)) if said.raw.contains('=') && !said.host.is_empty() => Some(Address {
                scheme: Some(said.scheme.clone()).filter(|scheme| !scheme.is_empty()),
                host: said.host.clone(),
                port: said.port,
            }),
            (address, _) => address,
        }
    }

    /// The kind on whose port the variable's neighbour stands: `ORDERS_DB_HOST` beside `ORDERS_DB_PORT=5432`.
    pub(super) fn by_port_beside(&self, facts: &ServiceFacts, name: &str, class: Class) -> Option<String> {
        let (prefix, last) = name.rsplit_once('_')?;
        let beside = format!("{prefix}_PORT");
        let all = settings(facts);
        let port = all.get(beside.as_str()).filter(|_| last != "PORT")?.value()?.trim().parse().ok()?;
        let entry = self.catalog.by_port(port).filter(|entry| entry.class == class)?;
        self.may_speak(facts, entry).then(|| entry.kind.clone())
    }

    /// The kind of a server that the variables call by what it holds (`SHOP_CATALOG_HOST`, `SHOP_CATALOG_PORT`,
    /// `SHOP_CATALOG_USER`), where the program's own default for its port is that of a kind of which it has a client.
    pub(super) fn by_default_beside(&self, draft: &Draft<'_>, name: &str) -> Option<(String, Part)> {
        let (prefix, last) = name.rsplit_once('_')?;
        let part = match last {
            "HOST" | "HOSTNAME" => Part::Host,
            "PORT" => Part::Port,
            "USER" | "USERNAME" => Part::User,
            "PASSWORD" | "PASS" => Part::Password,
            "DATABASE" | "DB" | "DBNAME" => Part::Database,
            _ => return None,
        };
        let all = settings(draft.facts);
        let host = ["HOST", "HOSTNAME"].iter().find_map(|end| all.get(format!("{prefix}_{end}").as_str()))?;
        let port = all.get(format!("{prefix}_PORT").as_str())?;
        let number = port.reads.iter().find_map(|(default, ..)| default.as_ref()?.trim().parse().ok())?;
        let entry = self.catalog.by_port(number)?;
        let address = host.value().and_then(address::address);
        let is_elsewhere = address
            .is_some_and(|address| is_remote(&address.host) || self.service(draft, &address.host).is_some());
        let has_client = self.drivers(draft.facts).iter().any(|(kind, _)| *kind == entry.kind);
        (has_client && !is_elsewhere).then(|| (entry.kind.clone(), part))
    }

    /// Whether a number that means a kind may be right: a client of another kind of its class that is there knows better.
    pub(super) fn may_speak(&self, facts: &ServiceFacts, entry: &Entry) -> bool {
        let is_of_class = |kind: &str| self.catalog.get(kind).is_some_and(|other| other.class == entry.class);
        let drivers = self.drivers(facts);
        let mut of_class = drivers.iter().filter(|(kind, _)| is_of_class(kind)).peekable();
        of_class.peek().is_none() || of_class.any(|(kind, _)| *kind == entry.kind)
    }

    /// The kind whose database `ORDERS_DB_NAME` names beside `ORDERS_DB_HOST` and `ORDERS_DB_PORT=5432`.
    pub(super) fn database_beside(&self, facts: &ServiceFacts, name: &str) -> Option<String> {
        let prefix = name.strip_suffix("_NAME").filter(|prefix| prefix.ends_with("_DB"))?;
        settings(facts).contains_key(format!("{prefix}_HOST").as_str()).then_some(())?;
        self.by_port_beside(facts, name, Class::Database)
    }

    /// The one database whose extension a PHP image installs, where it has none for `kind`: what a framework's own file
    /// says about another one cannot work there.
    pub(super) fn installed(&self, facts: &ServiceFacts, kind: &str) -> Option<String> {
        let is_database = self.catalog.get(kind).is_some_and(|entry| entry.class == Class::Database);
        let installed = self.extensions(facts);
        let only = installed.first().filter(|only| installed.len() == 1 && **only != kind)?;
        is_database.then(|| (*only).to_owned())
    }

    /// The kind behind a port of the own machine, where the service has a driver for it.
    pub(super) fn driven(&self, facts: &ServiceFacts, address: &Address) -> Option<String> {
        let pages = address.scheme.as_ref().is_some_and(|scheme| scheme.starts_with("http"));
        let entry = address.port.and_then(|port| self.catalog.by_port(port))?;
        // Pages are served on any port; a search engine is spoken to like that, too.
        if pages && entry.class != Class::Search {
            return None;
        }
        self.drivers(facts).iter().any(|(kind, _)| *kind == entry.kind).then(|| entry.kind.clone())
    }

    /// The kind after which a host is called, or on whose port a host of the own machine listens that the service has
    /// a driver for, whatever the scheme.
    pub(super) fn named_or_driven(&self, facts: &ServiceFacts, address: Option<&Address>) -> Option<String> {
        let address = address?;
        if let Some(entry) = self.catalog.by_host(&address.host) {
            return Some(entry.kind.clone());
        }
        let plain = Address { scheme: None, host: address.host.clone(), port: address.port };
        self.driven(facts, &plain).filter(|_| is_local(&address.host))
    }

    /// The other service that a host name or a variable's prefix means, if there is exactly one.
    pub(super) fn service(&self, draft: &Draft<'_>, text: &str) -> Option<String> {
        let wanted = folded(text);
        if wanted.is_empty() {
            return None;
        }
        // `GATEWAY_URL` means the gateway, whatever it is called.
        let is_gateway = ["gateway", "apigateway"].contains(&wanted.as_str());
        let found = self.known.meant(text).or_else(|| self.known.nearest(text, &draft.facts.path));
        let found = found.or_else(|| self.known.only_gateway().filter(|_| is_gateway));
        found.filter(|name| *name != draft.facts.name).map(str::to_owned)
    }

    /// The one other service that the comment of a variable without a value names: `MAIN_URL= # orders-service URL`.
    pub(super) fn told(
        &self,
        draft: &Draft<'_>,
        name: &str,
        setting: &Setting<'_>,
    ) -> Option<((Target, u8), Part)> {
        let part = match classify(name, self.catalog)? {
            (About::Other(_), part @ (Part::Url | Part::Host | Part::HostPort)) => part,
            _ => return None,
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let words = setting.comment().split(|c| !is_word(c)).filter(|word| word.contains(['-', '_']));
        let named: BTreeSet<&str> = words.filter_map(|word| self.known.exactly(word)).collect();
        let only = named.first().filter(|_| named.len() == 1 && setting.value().is_none())?;
        (**only != draft.facts.name).then(|| ((Target::Service((*only).to_owned()), BY_NAME), part))
    }

    /// The other service whose whole name stands in the variable's: `S3_SERVICE_URL` is about `s3-service`, whatever its
    /// first word means elsewhere.
    pub(super) fn called_in_full(&self, draft: &Draft<'_>, name: &str) -> Option<String> {
        let upper = without_bundler(name).to_ascii_uppercase();
        let (starts, ends) = ["_SERVICE_", "_SVC_"].iter().find_map(|word| {
            let starts = upper.find(word)?;
            Some((starts, starts + word.len() - 1))
        })?;
        // One word may be a kind, of which a service that speaks to it is called, too.
        let short = upper.get(..starts).filter(|name| name.contains('_'));
        let found = self.known.exactly(&upper[..ends]);
        let found = found.or_else(|| self.known.only_called(short?))?;
        (found != draft.facts.name).then(|| found.to_owned())
    }

    /// The other service that the last words of a prefix mean, where the variable says that it is about a service.
    pub(super) fn service_at_the_end(&self, draft: &Draft<'_>, name: &str, prefix: &str) -> Option<String> {
        if !name.to_ascii_uppercase().contains("_SERVICE_") {
            return None;
        }
        let words = prefix.match_indices('_').map(|(at, _)| &prefix[at + 1..]);
        words.filter(|words| words.len() > 2).find_map(|words| self.service(draft, words))
    }

    pub(super) fn service_of_variable(&self, draft: &Draft<'_>, name: &str) -> Option<String> {
        self.known.first_called(name).filter(|name| *name != draft.facts.name).map(str::to_owned)
    }

    /// The other service that an address of the own machine means, by the port on which it listens there.
    pub(super) fn by_port(&self, draft: &Draft<'_>, port: u16) -> Option<String> {
        if let Some(name) = self.known.developed_on(port) {
            return Some(name.to_owned()).filter(|name| *name != draft.facts.name);
        }
        if draft.ports.iter().any(|own| own.container == port) {
            return None;
        }
        self.known.with_port(port).filter(|name| *name != draft.facts.name).map(str::to_owned)
    }
}

/// The one kind whose driver stands nearest to the program: a library of many has what each of them may need, that of the
/// program and its own layers is its choice.
pub(super) fn nearest<'d>(
    drivers: impl Iterator<Item = &'d (String, &'d Evidence)>,
    to: &RepoPath,
) -> Option<String> {
    let mut by_distance: BTreeMap<usize, BTreeSet<&String>> = BTreeMap::new();
    for (kind, at) in drivers {
        let shared = at.path.ancestors().skip(1).find(|folder| to.is_in(folder));
        let depth = shared.map_or(0, |folder| folder.depth());
        by_distance.entry(depth).or_default().insert(kind);
    }
    let (_, nearest) = by_distance.pop_last()?;
    nearest.first().filter(|_| nearest.len() == 1).map(|kind| (*kind).clone())
}
