//! A service's environment as it has to be when the service runs on the host and the rest in containers: names of
//! services become the host, container ports the published ones. Pure; where it is not sure, it leaves the value.

use std::collections::BTreeMap;

/// Where a service of the setup answers on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// The Compose service.
    pub service: String,
    /// Container port and host port.
    pub ports: Vec<(u16, u16)>,
}

/// An environment for the host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostEnv {
    /// By name.
    pub values: BTreeMap<String, String>,
    /// Variables that name a port which is not published: name and service.
    pub unreachable: Vec<(String, String)>,
}

/// Rewrites the variables of the service `own`.
pub fn rewrite(
    own: &str,
    environment: &BTreeMap<String, Option<String>>,
    services: &[Reachable],
    host: &str,
) -> HostEnv {
    let mut result = HostEnv::default();
    let mut hosts: Vec<(String, &Reachable)> = Vec::new();
    for (name, value) in environment {
        let Some(value) = value else { continue };
        let names = Names { services, host, variable: name };
        let rewritten = names.value(value);
        if let Some(service) = rewritten.closed {
            result.unreachable.push((name.clone(), service));
        }
        if let Some(prefix) = name.strip_suffix("HOST")
            && let Some(service) = services.iter().find(|service| service.service == *value)
        {
            hosts.push((prefix.to_owned(), service));
        }
        result.values.insert(name.clone(), rewritten.text);
    }
    for (prefix, service) in hosts {
        let name = format!("{prefix}PORT");
        let Some(port) = result.values.get_mut(&name) else { continue };
        match port.parse().ok().and_then(|port| published(service, port)) {
            Some(published) => *port = published.to_string(),
            None => result.unreachable.push((name, service.service.clone())),
        }
    }
    // Others find the service where its container was published, so it has to listen there.
    if let Some(own) = services.iter().find(|service| service.service == own)
        && let Some(port) = result.values.get_mut("PORT")
        && let Some(published) = port.parse().ok().and_then(|port| published(own, port))
    {
        *port = published.to_string();
    }
    result
}

fn published(service: &Reachable, port: u16) -> Option<u16> {
    service.ports.iter().find(|(container, _)| *container == port).map(|(_, host)| *host)
}

struct Names<'a> {
    services: &'a [Reachable],
    host: &'a str,
    variable: &'a str,
}

struct Rewritten {
    text: String,
    /// A service that the value names and that the host cannot reach.
    closed: Option<String>,
}

impl Names<'_> {
    fn value(&self, value: &str) -> Rewritten {
        if value.contains(';') && value.contains('=') {
            return self.pairs(value);
        }
        let mut closed = None;
        let parts: Vec<String> = value
            .split(',')
            .map(|part| {
                let rewritten = self.address(part);
                closed = closed.take().or(rewritten.closed);
                rewritten.text
            })
            .collect();
        Rewritten { text: parts.join(","), closed }
    }

    /// `scheme://user:password@host:port/path`, `user:password@tcp(host:port)/name`, `host:port`, `host`.
    fn address(&self, part: &str) -> Rewritten {
        let (scheme, start) = match part.find("://") {
            Some(at) => (&part[..at], at + 3),
            None => ("", 0),
        };
        let end = part[start..].find(['/', '?', '#', ')']).map_or(part.len(), |length| start + length);
        let authority = &part[start..end];
        let skip = authority.rfind(['@', '(']).map_or(0, |at| at + 1);
        let before = &part[..start + skip];
        let address = &authority[skip..];
        let unchanged = || Rewritten { text: part.to_owned(), closed: None };
        let (name, port) = match address.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (address, None),
        };
        let Some(service) = self.services.iter().find(|service| service.service == name) else {
            return unchanged();
        };
        let wanted = match port {
            Some(port) => port.parse().ok(),
            None => default_port(scheme),
        };
        if scheme.is_empty() && skip == 0 && port.is_none() {
            // A word that only is an address where the variable says so: `DB_USER=postgres` is none.
            let text = if self.is_host() { self.host.to_owned() } else { part.to_owned() };
            return Rewritten { text, closed: None };
        }
        let Some(wanted) = wanted else { return unchanged() };
        match published(service, wanted) {
            Some(published) => {
                Rewritten { text: format!("{before}{}:{published}{}", self.host, &part[end..]), closed: None }
            }
            None => Rewritten { text: part.to_owned(), closed: Some(service.service.clone()) },
        }
    }

    /// `Host=db;Port=5432;Database=shop`
    fn pairs(&self, value: &str) -> Rewritten {
        let pairs: Vec<(&str, &str)> =
            value.split(';').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        let is = |key: &str, names: &[&str]| names.contains(&key.trim().to_lowercase().as_str());
        let host = pairs.iter().find(|(key, _)| is(key, &["host", "server", "data source", "address"]));
        let service =
            host.and_then(|(_, host)| self.services.iter().find(|service| service.service == host.trim()));
        let Some(service) = service else { return Rewritten { text: value.to_owned(), closed: None } };
        let port =
            pairs.iter().find(|(key, _)| is(key, &["port"])).and_then(|(_, port)| port.trim().parse().ok());
        let Some(published) = port.and_then(|port| published(service, port)) else {
            return Rewritten { text: value.to_owned(), closed: Some(service.service.clone()) };
        };
        let text: Vec<String> = value
            .split(';')
            .map(|pair| match pair.split_once('=') {
                Some((key, _)) if is(key, &["port"]) => format!("{key}={published}"),
                Some((key, name))
                    if name.trim() == service.service
                        && !is(key, &["database", "username", "user id", "user"]) =>
                {
                    format!("{key}={}", self.host)
                }
                _ => pair.to_owned(),
            })
            .collect();
        Rewritten { text: text.join(";"), closed: None }
    }

    fn is_host(&self) -> bool {
        let words = ["HOST", "SERVER", "ADDR", "ENDPOINT", "NODE"];
        let name = self.variable.to_uppercase();
        words
            .iter()
            .any(|word| name.split(['_', '.']).any(|part| part.starts_with(word)) || name.ends_with(word))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    let scheme = scheme.rsplit(':').next().unwrap_or(scheme);
    Some(match scheme.split('+').next().unwrap_or(scheme) {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "postgres" | "postgresql" => 5432,
        "mysql" | "mariadb" => 3306,
        "mongodb" => 27017,
        "redis" | "valkey" => 6379,
        "amqp" => 5672,
        "nats" => 4222,
        "mqtt" => 1883,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Vec<Reachable> {
        let service =
            |name: &str, ports: &[(u16, u16)]| Reachable { service: name.to_owned(), ports: ports.to_vec() };
        vec![
            service("accounts", &[(3001, 33101)]),
            service("postgres", &[(5432, 5532)]),
            service("redis", &[(6379, 6479)]),
            service("nats-1", &[(4222, 4322)]),
            service("nats-2", &[(4222, 4323)]),
            service("queue", &[]),
            service("trading", &[(3000, 33100)]),
        ]
    }

    fn rewritten(pairs: &[(&str, &str)]) -> HostEnv {
        let environment =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        rewrite("trading", &environment, &services(), "localhost")
    }

    #[test]
    fn addresses_become_those_of_the_host_in_every_form() {
        for (name, inside, outside) in [
            ("A_URL", "http://accounts:3001/v1", "http://localhost:33101/v1"),
            (
                "DATABASE_URL",
                "postgresql://accounts:pw@postgres:5432/accounts",
                "postgresql://accounts:pw@localhost:5532/accounts",
            ),
            (
                "DATABASE_URL",
                "jdbc:postgresql://postgres/accounts",
                "jdbc:postgresql://localhost:5532/accounts",
            ),
            ("REDIS_URL", "redis://redis/0", "redis://localhost:6479/0"),
            (
                "BROKERS",
                "nats://nats-1:4222,nats://nats-2:4222",
                "nats://localhost:4322,nats://localhost:4323",
            ),
            ("DSN", "user:pw@tcp(postgres:5432)/shop", "user:pw@tcp(localhost:5532)/shop"),
            ("ADDR", "redis:6379", "localhost:6479"),
            (
                "CS",
                "Host=postgres;Port=5432;Username=postgres;Database=postgres",
                "Host=localhost;Port=5532;Username=postgres;Database=postgres",
            ),
        ] {
            assert_eq!(rewritten(&[(name, inside)]).values[name], outside);
        }
    }

    #[test]
    fn what_only_looks_like_a_service_stays() {
        for (name, value) in [
            ("DB_USER", "postgres"),
            ("PAIR", "accounts:secret"),
            ("PATH_URL", "https://api.example/accounts"),
            ("OTHER", "http://accounts.example:3001"),
        ] {
            let result = rewritten(&[(name, value)]);
            assert_eq!((result.values[name].as_str(), result.unreachable), (value, vec![]));
        }
    }

    #[test]
    fn host_and_port_in_two_variables_belong_together_and_the_own_port_is_the_published_one() {
        let result = rewritten(&[("DB_HOST", "postgres"), ("DB_PORT", "5432"), ("PORT", "3000")]);
        let values: Vec<&str> = result.values.values().map(String::as_str).collect();
        assert_eq!(values, ["localhost", "5532", "33100"]);
    }

    #[test]
    fn what_the_host_cannot_reach_is_named() {
        let result = rewritten(&[("AMQP_URL", "amqp://u:p@queue:5672/")]);
        assert_eq!(result.unreachable, [("AMQP_URL".to_owned(), "queue".to_owned())]);
        assert_eq!(result.values["AMQP_URL"], "amqp://u:p@queue:5672/");
    }
}
