//! Infrastructure that runs elsewhere: what its address says, and the value of each variable that points at it; pure.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::stack::External;

use super::components::Component;
use super::draft::Draft;
use super::needs::{Needs, Target, Wire};
use super::value::{Wanted, rewrite};
use super::variables::Part;

/// The parts of an address as `config.yaml` gives it: `postgres://user:${PASSWORD}@db.example.org:5432/shop`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Address {
    /// As written, with `$` as Compose wants it: `${NAME}` is a variable of `.env`, any other `$` itself.
    pub(crate) whole: String,
    pub(crate) scheme: String,
    pub(crate) login: Option<(String, String)>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: Option<String>,
}

impl Address {
    /// Reads an address; `port` is the kind's own.
    pub(crate) fn new(url: &str, port: u16) -> Address {
        let whole = for_compose(url);
        let (scheme, rest) = whole.split_once("://").unwrap_or(("", &whole));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login.split_once(':').unwrap_or((login, ""))), hosts),
            None => (None, authority),
        };
        let first = hosts.split(',').next().unwrap_or_default();
        let numbered = first.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = numbered.unwrap_or((first, port));
        let database = path.trim_start_matches('/').split(['?', '#', '/']).next().unwrap_or_default();
        Address {
            scheme: scheme.to_owned(),
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            host: host.to_owned(),
            port,
            database: Some(database.to_owned()).filter(|name| !name.is_empty()),
            whole: whole.clone(),
        }
    }

    /// The address without its password, for lists.
    pub(crate) fn shown(&self) -> String {
        match &self.login {
            Some((user, password)) if !password.is_empty() => {
                self.whole.replacen(&format!("{user}:{password}@"), &format!("{user}:…@"), 1)
            }
            _ => self.whole.clone(),
        }
    }

    /// Variables of `.env` that it names.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        self.whole
            .split("${")
            .skip(1)
            .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
            .collect()
    }

    /// The value of a variable that points at it, in the form that the repository has; `None` where a part is asked
    /// for that the address does not have.
    pub(crate) fn value(&self, wire: &Wire) -> Option<String> {
        let given = wire.value.as_deref().unwrap_or_default();
        match wire.part {
            Part::Port => Some(self.port.to_string()),
            Part::Host => Some(self.host.clone()),
            Part::Database => self.database.clone(),
            Part::User => self.login.as_ref().map(|login| login.0.clone()),
            Part::Password => self.login.as_ref().map(|login| login.1.clone()),
            Part::HostPort if self.scheme.is_empty() && !given.contains("://") => Some(self.whole.clone()),
            Part::HostPort if !given.contains("://") => Some(format!("{}:{}", self.host, self.port)),
            Part::HostPort | Part::Url => Some(self.in_form_of(given)),
        }
    }

    /// The address itself, or the repository's form filled with it where that is another: `jdbc:…`, `Host=…;Port=…`.
    fn in_form_of(&self, given: &str) -> String {
        let scheme = given.split_once("://").map(|(scheme, _)| scheme);
        let other = match scheme {
            Some(scheme) => scheme != self.scheme,
            None => given.contains('=') || given.contains("tcp("),
        };
        let wanted = Wanted {
            host: self.host.clone(),
            port: self.port,
            login: self.login.clone(),
            database: self.database.clone(),
            common: None,
        };
        let rewritten = rewrite(given, &wanted).filter(|_| other);
        rewritten.unwrap_or_else(|| self.whole.clone())
    }
}

/// `${NAME}` stays a variable; any other `$` is doubled.
fn for_compose(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('$') {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        out.push_str(if found.starts_with("${") { "$" } else { "$$" });
        rest = &found[1..];
    }
    out + rest
}

/// Connections that leave the monorepo: those that were found, and those to infrastructure that runs elsewhere.
pub(crate) fn connections(
    config: &Config,
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
) -> Vec<External> {
    let mut all = Vec::new();
    for (draft, needs) in drafts.iter().zip(needs) {
        all.extend(needs.external.clone());
        let name = &draft.facts.name;
        for component in components.iter().filter(|component| component.clients.contains(name)) {
            let Some(address) = &component.external else { continue };
            let kind = &component.entry.kind;
            let need = needs.all.iter().find(|need| need.target == Target::Kind(kind.clone()));
            all.push(External {
                from: name.clone(),
                address: address.shown(),
                via: need.and_then(|need| need.wires.first()).map(|wire| wire.name.clone()),
                at: config.place(&["infrastructure", kind]),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(url: &str, part: Part, given: &str) -> Option<String> {
        let value = Some(given.to_owned()).filter(|given| !given.is_empty());
        Address::new(url, 5432).value(&Wire { name: "X".to_owned(), part, value })
    }

    #[test]
    fn every_part_of_the_address_reaches_its_variable() {
        let url = "postgres://app:${DB_PASSWORD}@db.example.org:6543/shop?sslmode=require";
        let is = |part, given: &str, expected: &str| {
            assert_eq!(value(url, part, given).as_deref(), Some(expected), "{given}");
        };
        is(Part::Url, "postgres://u:p@localhost:5432/dev", url);
        is(Part::Url, "", url);
        is(Part::Url, "jdbc:postgresql://localhost:5432/dev", "jdbc:postgresql://db.example.org:6543/shop");
        is(
            Part::Url,
            "Host=localhost;Port=5432;Database=dev;Username=u;Password=p",
            "Host=db.example.org;Port=6543;Database=shop;Username=app;Password=${DB_PASSWORD}",
        );
        is(Part::Host, "localhost", "db.example.org");
        is(Part::Port, "5432", "6543");
        is(Part::Database, "dev", "shop");
        is(Part::User, "u", "app");
        is(Part::Password, "p", "${DB_PASSWORD}");
        is(Part::HostPort, "localhost:5432", "db.example.org:6543");
    }

    #[test]
    fn a_list_of_hosts_stays_a_list() {
        let url = "a.example.org:9092,b.example.org:9093";
        assert_eq!(value(url, Part::HostPort, "localhost:9092").as_deref(), Some(url));
        let address = Address::new(url, 9092);
        assert_eq!((address.host.as_str(), address.port), ("a.example.org", 9092));
        assert_eq!(value(url, Part::Password, "p"), None);
    }

    #[test]
    fn the_password_is_not_listed_and_its_variable_is_known() {
        let address = Address::new("amqp://app:${MQ_PASSWORD}@mq.example.org", 5672);
        assert_eq!(address.shown(), "amqp://app:…@mq.example.org");
        assert_eq!(address.variables().into_iter().collect::<Vec<_>>(), ["MQ_PASSWORD"]);
        assert_eq!(Address::new("redis://:pa$s@r", 6379).whole, "redis://:pa$$s@r");
    }
}
