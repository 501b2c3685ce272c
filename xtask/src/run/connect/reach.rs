//! The ways that have to work: each tried as the service itself would go, by what its environment says.

use std::collections::BTreeMap;

use crate::error::Failure;

use super::address::Address;
use super::file::{self, ClientImage, HTTP, TCP};
use super::helpers::{Helpers, Place, Said};
use super::members::Member;
use super::{CONNECTIVITY, Finding, System, masked, shown};

/// The connection is opened and given to a program that ends at once.
pub(super) const CONNECT: &str = r#"exec nc -w 3 "$XTASK_HOST" "$XTASK_PORT" -e true"#;
/// The body is of no interest, the head is.
const GET: &str = r#"exec wget -S -O /dev/null -T 3 "$XTASK_URL""#;

/// A way from a service to something that it needs.
pub(super) struct Edge<'s> {
    pub(super) from: &'s str,
    pub(super) to: &'s str,
    pub(super) wanted: &'s file::Edge,
    at: String,
    /// The command that shows what it is told.
    show: String,
    way: Result<Way, NoWay>,
}

/// All that an attempt needs.
pub(super) struct Way {
    pub(super) place: Place,
    pub(super) address: Address,
    pub(super) script: String,
    /// For `http`: the URL, and whether it is the health endpoint, which has to answer well.
    url: Option<(String, bool)>,
}

enum NoWay {
    Skipped(String),
    Broken(String),
}

/// Every edge of the file.
pub(super) fn edges<'s>(system: &'s System<'s>) -> Vec<Edge<'s>> {
    let all =
        system.wanted.reaches.iter().flat_map(|(from, to)| to.iter().map(move |(to, edge)| (from, to, edge)));
    all.map(|(from, to, wanted)| Edge {
        from,
        to,
        wanted,
        at: system.wanted.place(&["reaches", from, to]),
        show: system.setup.xtask(&format!("env show {from}")),
        way: way(system, from, to, wanted),
    })
    .collect()
}

fn way(system: &System<'_>, from: &str, to: &str, edge: &file::Edge) -> Result<Way, NoWay> {
    let find = |service: &str| {
        system.member(service).ok_or_else(|| NoWay::Skipped(format!("`{service}` has no container")))
    };
    let (from, to) = (find(from)?, find(to)?);
    if from.on_host {
        return Err(NoWay::Skipped(format!("`{}` runs on the host", from.service)));
    }
    if !from.running {
        return Err(NoWay::Broken(format!("`{}` does not run", from.service)));
    }
    let address = address(from, to, edge).map_err(NoWay::Broken)?;
    let (image, script) = match system.wanted.clients.get(&edge.client) {
        Some(client) if client.image == ClientImage::Server => (to.image.clone(), client.script.clone()),
        Some(client) => (system.wanted.busybox.clone(), client.script.clone()),
        None if edge.client == HTTP => (system.wanted.busybox.clone(), GET.to_owned()),
        None => (system.wanted.busybox.clone(), CONNECT.to_owned()),
    };
    let url = (edge.client == HTTP).then(|| {
        let path =
            to.health.as_ref().filter(|(port, _)| Some(*port) == address.port).map(|(_, path)| path.as_str());
        let port = address.port.unwrap_or_default();
        (format!("http://{}:{port}{}", address.host, path.unwrap_or("/")), path.is_some())
    });
    Ok(Way { place: Place { network: from.id.clone(), image }, address, script, url })
}

/// A variable of a service, where one is named: its name and what it holds.
fn value<'a>(of: &'a Member, name: &'a Option<String>) -> Result<Option<(&'a str, &'a str)>, String> {
    let Some(name) = name else { return Ok(None) };
    match of.environment.get(name) {
        Some(value) => Ok(Some((name, value))),
        None => Err(format!("`{name}` is not in the environment of `{}`", of.service)),
    }
}

/// What the environment says, and the target's own name and port where it says nothing.
fn address(from: &Member, to: &Member, edge: &file::Edge) -> Result<Address, String> {
    let mut address = Address::default();
    let whole = match value(from, &edge.url)? {
        Some(found) => Some(found),
        None => value(from, &edge.host)?,
    };
    if let Some((name, text)) = whole {
        address = Address::parse(text).ok_or_else(|| format!("`{name}` holds no address"))?;
    }
    if let Some((name, port)) = value(from, &edge.port)? {
        address.port = Some(port.parse().map_err(|_| format!("`{name}` holds no port: {port}"))?);
    }
    let parts = [
        (&edge.user, &mut address.user),
        (&edge.password, &mut address.password),
        (&edge.database, &mut address.database),
    ];
    for (name, part) in parts {
        if let Some((_, text)) = value(from, name)? {
            text.clone_into(part);
        }
    }
    if address.host.is_empty() {
        address.host.clone_from(&to.service);
    }
    address.port = address.port.or(to.port);
    if address.port.is_none() {
        return Err(format!("nothing says on which port `{}` listens", to.service));
    }
    Ok(address)
}

impl Way {
    /// What a script reads, with another database where one is given.
    pub(super) fn values(&self) -> Vec<(&'static str, String)> {
        let Address { host, port, user, password, database } = &self.address;
        let mut values = vec![
            ("XTASK_HOST", host.clone()),
            ("XTASK_PORT", port.unwrap_or_default().to_string()),
            ("XTASK_USER", user.clone()),
            ("XTASK_PASSWORD", password.clone()),
            ("XTASK_DATABASE", database.clone()),
        ];
        values.extend(self.url.as_ref().map(|(url, _)| ("XTASK_URL", url.clone())));
        values
    }
}

impl Edge<'_> {
    pub(super) fn place(&self) -> Option<&Place> {
        self.way().map(|way| &way.place)
    }

    pub(super) fn way(&self) -> Option<&Way> {
        self.way.as_ref().ok()
    }

    pub(super) fn name(&self) -> String {
        format!("{} to {}", self.from, self.to)
    }

    /// Goes the way.
    pub(super) fn attempt(&self, helpers: &Helpers<'_>) -> Finding {
        let finding = Finding::new(CONNECTIVITY, self.name(), &[self.from, self.to]);
        let way = match &self.way {
            Ok(way) => way,
            Err(NoWay::Skipped(why)) => return finding.skipped(why),
            Err(NoWay::Broken(why)) => return finding.failed(self.failure().why(why)),
        };
        match helpers.run(&way.place, &way.script, &way.values()) {
            Err(why) => {
                finding.failed(self.failure().why(format!("request:  {}", self.request(way))).why(why))
            }
            Ok(said) if succeeded(way, &said) => finding.took(said.took),
            Ok(said) => {
                let answer = shown(&masked(&said.text, &way.address.password));
                let failure = self
                    .failure()
                    .why(format!("request:  {}", self.request(way)))
                    .why(format!("response: {}", response(&said, &answer)));
                finding.took(said.took).failed(failure)
            }
        }
    }

    fn failure(&self) -> Failure {
        Failure::new(format!("`{}` does not reach `{}`", self.from, self.to)).at(&self.at).fix(&self.show)
    }

    fn request(&self, way: &Way) -> String {
        let Address { host, port, user, password: _, database } = &way.address;
        let port = port.unwrap_or_default();
        let told: Vec<&str> = [&self.wanted.url, &self.wanted.host, &self.wanted.user, &self.wanted.database]
            .into_iter()
            .filter_map(|name| name.as_deref())
            .collect();
        let told = if told.is_empty() { String::new() } else { format!(" (as {} say)", told.join(", ")) };
        let told = if told.contains(',') { told } else { told.replace(" say)", " says)") };
        match (&way.url, self.wanted.client.as_str()) {
            (Some((url, _)), _) => format!("GET {url}{told}"),
            (None, TCP) => format!("a TCP connection to {host}:{port}{told}"),
            (None, client) => {
                let user = if user.is_empty() { String::new() } else { format!(" as {user}") };
                let database = if database.is_empty() { String::new() } else { format!(", {database}") };
                format!("{client} at {host}:{port}{database}{user}{told}")
            }
        }
    }
}

fn response(said: &Said, answer: &str) -> String {
    if answer.is_empty() { format!("none, exit code {}", said.code) } else { answer.to_owned() }
}

/// A health endpoint has to answer well; of another path any answer over HTTP will do.
fn succeeded(way: &Way, said: &Said) -> bool {
    let Some((_, health)) = &way.url else { return said.code == 0 };
    match status(&said.text) {
        Some(status) if *health => (200..400).contains(&status),
        Some(_) => true,
        None => false,
    }
}

/// From `  HTTP/1.1 404 Not Found`, as wget shows it.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("HTTP/1.")?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// The databases that each login opens on one server, by the server.
pub(super) fn by_server<'e, 's>(edges: &'e [Edge<'s>]) -> BTreeMap<&'s str, Vec<&'e Edge<'s>>> {
    let mut by_server: BTreeMap<&str, Vec<&Edge<'_>>> = BTreeMap::new();
    for edge in edges {
        by_server.entry(edge.to).or_default().push(edge);
    }
    by_server
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(service: &str, environment: &[(&str, &str)]) -> Member {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Member {
            service: service.to_owned(),
            environment,
            port: Some(5432),
            running: true,
            ..Member::default()
        }
    }

    fn edge(keys: &str) -> file::Edge {
        serde_yaml::from_str(&format!("{{ client: tcp, {keys} }}")).unwrap()
    }

    #[test]
    fn what_the_environment_says_comes_before_what_the_target_is() {
        let from = member(
            "api",
            &[("URL", "jdbc:postgresql://db:1/shop"), ("U", "ann"), ("HOST", "other"), ("P", "x")],
        );
        let found = |keys: &str| {
            address(&from, &member("db", &[]), &edge(keys)).map(|address| format!("{address:?}"))
        };
        assert_eq!(found("url: URL, user: U").unwrap(), "ann@db:Some(1)/shop");
        assert_eq!(found("host: HOST").unwrap(), "@other:Some(5432)/");
        assert_eq!(found("").unwrap(), "@db:Some(5432)/");
        assert_eq!(found("url: GONE").unwrap_err(), "`GONE` is not in the environment of `api`");
        assert_eq!(found("port: P").unwrap_err(), "`P` holds no port: x");
    }

    #[test]
    fn status_lines_are_found_among_what_wget_says() {
        assert_eq!(status("Connecting to a:1 (1.2.3.4:1)\n  HTTP/1.1 204 No Content\n"), Some(204));
        assert_eq!(status("wget: server returned error: HTTP/1.0 404 Not Found"), Some(404));
        assert_eq!(status("wget: can't connect to remote host (1.2.3.4): Connection refused"), None);
    }
}
