//! Collects one file's facts with their places; knows which fact follows from which, and nothing of any language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::catalog::{Catalog, Tenancy};
use crate::model::fact::{
    Evidence, Fact, HealthKind, PortSource, Protocol, Purpose, Reference, Subject, What,
};
use crate::model::path::RepoPath;

use super::url::{is_public, references};
use super::{Source, ports};

/// The rule of a name that is a service of gRPC which the program implements.
pub const GRPC_SERVICE: &str = "grpc-service";

/// The rule of the services of gRPC that a program calls, which are an address once somebody here implements them.
pub const GRPC_CLIENT: &str = "grpc-client";

/// Where a detector puts what it finds in one file.
pub struct Findings<'a, 's> {
    /// The file.
    pub source: &'a Source<'s>,
    facts: &'a mut Vec<Fact>,
    subject: Subject,
    /// The file came with the framework: its defaults say nothing about this service.
    pub template: bool,
    /// The file describes the program's own API: its addresses are none of others.
    own: bool,
    /// What names stand for in this file: each is looked up once, however often it is used.
    numbers: BTreeMap<String, Option<(u32, u16)>>,
}

/// A read of an environment variable, as far as the code says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Read<'t> {
    /// As written.
    pub name: &'t str,
    /// The default, without quotes.
    pub default: Option<&'t str>,
    /// The program cannot do without it.
    pub required: bool,
}

impl<'a, 's> Findings<'a, 's> {
    /// Facts of `source` about the service whose folder holds it.
    pub fn new(source: &'a Source<'s>, facts: &'a mut Vec<Fact>) -> Self {
        let own = describes_the_api(source.path);
        Findings { source, facts, subject: Subject::Here, template: false, own, numbers: BTreeMap::new() }
    }

    /// From here on the facts are about the service of that name.
    pub fn about(&mut self, subject: Subject) {
        self.subject = subject;
    }

    /// The line and the number that a name stands for, as `look` finds it in the file's text.
    pub fn number_of(
        &mut self,
        name: &str,
        look: fn(&str, &str, &Catalog) -> Option<(u32, u16)>,
    ) -> Option<(u32, u16)> {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        let found = look(self.source.text, name, self.source.catalog);
        self.numbers.insert(name.to_owned(), found);
        found
    }

    /// Adds a fact, unless the same stands on the same line already.
    pub fn add(&mut self, line: u32, rule: &'static str, what: What) {
        let at = Evidence { path: self.source.path.clone(), line, rule };
        let mine = self.facts.iter().rev().take_while(|fact| fact.at.path == at.path);
        if mine.take(64).any(|fact| fact.at.line == line && fact.what == what && fact.subject == self.subject)
        {
            return;
        }
        self.facts.push(Fact { what, at, subject: self.subject.clone() });
    }

    /// A read of a variable, with the port or the address that its default is.
    pub fn env(&mut self, line: u32, rule: &'static str, read: Read<'_>) {
        self.env_below("", line, rule, read);
    }

    /// A read of the variable `prefix` and `read.name`, where all variables of the program begin like this: the rest says
    /// what it is about.
    pub fn env_below(&mut self, prefix: &str, line: u32, rule: &'static str, read: Read<'_>) {
        let name = format!("{prefix}{}", read.name);
        if !is_variable(&name) {
            return;
        }
        let default = read.default.filter(|default| default.len() <= 2000);
        self.add(
            line,
            rule,
            What::EnvRead {
                name: name.clone(),
                // The address of the own API is no address of others.
                default: default.filter(|text| !(self.own && text.contains("://"))).map(str::to_owned),
                required: read.required && default.is_none(),
            },
        );
        let Some(default) = default.filter(|_| !self.template && !self.own) else { return };
        match ports::of_variable(read.name, default.trim().trim_start_matches(':')) {
            Some(found) => {
                let how = (Some(name.as_str()), found.protocol, found.purpose);
                self.port_as(line, rule, found.port, PortSource::Listen, how);
            }
            None => self.references(line, rule, default, Some(&name)),
        }
    }

    /// A key of the program's configuration, of that library; `read.name` is the key, parts joined by `.`.
    pub fn config_key(&mut self, line: u32, rule: &'static str, library: &'static str, read: Read<'_>) {
        if read.name.is_empty() || read.name.len() > 200 {
            return;
        }
        let default = read.default.filter(|default| default.len() <= 2000).map(str::to_owned);
        let required = read.required && default.is_none();
        self.add(line, rule, What::ConfigKey { library, key: read.name.to_owned(), default, required });
    }

    /// A port on which the service listens over HTTP.
    pub fn port(
        &mut self,
        line: u32,
        rule: &'static str,
        port: u16,
        source: PortSource,
        variable: Option<&str>,
    ) {
        self.port_as(line, rule, port, source, (variable, Protocol::Http, Purpose::Main));
    }

    /// A port with everything known about it.
    pub fn port_as(
        &mut self,
        line: u32,
        rule: &'static str,
        port: u16,
        source: PortSource,
        (variable, protocol, purpose): (Option<&str>, Protocol, Purpose),
    ) {
        if port > 0 {
            let variable = variable.map(str::to_owned);
            self.add(line, rule, What::Port { port, protocol, purpose, source, variable });
        }
    }

    /// The address that a listener binds.
    pub fn listens(&mut self, line: u32, rule: &'static str, address: &str) {
        let address = match address.trim().trim_matches(['[', ']']) {
            "" | "*" | "+" | "::" => "0.0.0.0",
            address => address,
        };
        if address == "localhost" || address.parse::<std::net::IpAddr>().is_ok() {
            self.add(line, rule, What::Listens { address: address.to_owned() });
        }
    }

    /// A route that says whether the service is ready, where `path` looks like one.
    pub fn route(&mut self, line: u32, rule: &'static str, path: &str) {
        if let Some(path) = health_path(path) {
            self.add(line, rule, What::Health { kind: HealthKind::Http, path: Some(path), port: None });
        }
    }

    /// The gRPC health service.
    pub fn grpc_health(&mut self, line: u32, rule: &'static str) {
        self.add(line, rule, What::Health { kind: HealthKind::Grpc, path: None, port: None });
    }

    /// The addresses in a named value.
    pub fn references(&mut self, line: u32, rule: &'static str, value: &str, via: Option<&str>) {
        for reference in references(value, via) {
            self.add(line, rule, What::Reference(reference));
        }
    }

    /// The addresses in a named value beside which a port stands.
    pub fn references_at(
        &mut self,
        line: u32,
        rule: &'static str,
        (value, port): (&str, Option<u16>),
        via: &str,
    ) {
        for mut reference in references(value, Some(via)) {
            reference.port = reference.port.or(port);
            self.add(line, rule, What::Reference(reference));
        }
    }

    /// The addresses in a string of the code: public pages are left out, they are documentation more often than not.
    pub fn literal(&mut self, line: u32, rule: &'static str, text: &str) {
        if self.template || self.own {
            return;
        }
        for reference in references(text, None) {
            // `Ordering:1001` is the code of an error; who writes a host so writes a scheme in front.
            let is_capital = reference.host.bytes().any(|byte| byte.is_ascii_uppercase());
            if is_capital && reference.scheme.is_empty() && !reference.raw.contains('=') {
                continue;
            }
            // A template says which driver is used, and which database, and no more.
            if reference.host.is_empty() {
                self.dialect(line, rule, &reference.scheme);
                if let Some(name) = &reference.database {
                    self.database(line, rule, name, Some(&reference.scheme));
                }
                continue;
            }
            let own = matches!(reference.host.as_str(), "localhost" | "127.0.0.1" | "::1")
                && self.has_port(line, reference.port);
            if is_worth_saying(&reference) && !own && !self.is_default(line, &reference.raw) {
                self.add(line, rule, What::Reference(reference));
            }
        }
    }

    /// Whether that line says on which port (or on any port) the service listens.
    pub fn has_port(&self, line: u32, wanted: Option<u16>) -> bool {
        let here = self.facts.iter().rev().take(16).filter(|fact| fact.at.line == line);
        here.into_iter().any(|fact| match &fact.what {
            What::Port { port, .. } => {
                wanted.is_none_or(|wanted| wanted == *port) && fact.at.path == *self.source.path
            }
            _ => false,
        })
    }

    /// Whether that line was already seen to name the host.
    fn has_host(&self, line: u32, wanted: &str) -> bool {
        let mut here = self.facts.iter().rev().take(16).filter(|fact| fact.at.line == line);
        here.any(|fact| {
            matches!(&fact.what, What::Reference(known) if known.host == wanted)
                && fact.at.path == *self.source.path
        })
    }

    /// Whether that line was already seen to read the variable.
    pub fn has_env(&self, line: u32, wanted: &str) -> bool {
        let mut here = self.facts.iter().rev().take(16).filter(|fact| fact.at.line == line);
        here.any(|fact| {
            matches!(&fact.what, What::EnvRead { name, .. } if name == wanted)
                && fact.at.path == *self.source.path
        })
    }

    /// Whether the address was already said as the default of a variable on that line.
    fn is_default(&self, line: u32, raw: &str) -> bool {
        let here = self.facts.iter().rev().take(16).filter(|fact| fact.at.line == line);
        here.into_iter().any(|fact| match &fact.what {
            What::Reference(known) => {
                known.via.is_some() && known.raw == raw && fact.at.path == *self.source.path
            }
            _ => false,
        })
    }

    /// A host in a string of the code whose neighbourhood says that it is one.
    pub fn host(&mut self, line: u32, rule: &'static str, host: &str, port: Option<u16>) {
        for mut reference in references(host, Some("host_url")) {
            reference.via = None;
            // The name of a variable, or a constant.
            let has = |is: fn(&u8) -> bool| reference.host.as_bytes().iter().any(is);
            if has(u8::is_ascii_uppercase) && !has(u8::is_ascii_lowercase) {
                continue;
            }
            // `get("port", 3306)`: the name of a field with its default.
            if matches!(reference.host.as_str(), "port" | "host" | "hostname" | "db_port" | "db_host") {
                continue;
            }
            reference.port = reference.port.or(port);
            if reference.port.is_none()
                && (reference.host == "localhost" || self.has_host(line, &reference.host))
            {
                continue;
            }
            if self.template || self.is_default(line, &reference.raw) {
                continue;
            }
            if is_worth_saying(&reference) {
                self.add(line, rule, What::Reference(reference));
            }
        }
    }

    /// A client of a service of gRPC, by that one's name.
    pub fn grpc_client(&mut self, line: u32, name: &str) {
        let reference = Reference {
            scheme: "grpc".to_owned(),
            host: name.to_owned(),
            port: None,
            database: None,
            user: None,
            password: None,
            raw: name.to_owned(),
            via: None,
        };
        self.add(line, GRPC_CLIENT, What::Reference(reference));
    }

    /// A client library; whether the catalogue knows it.
    pub fn package(
        &mut self,
        line: u32,
        rule: &'static str,
        language: &str,
        package: (&str, &[String]),
        dev_only: bool,
    ) -> bool {
        let Some(entry) = self.source.catalog.by_package(language, package.0, package.1) else {
            return false;
        };
        let (kind, package) = (entry.kind.clone(), package.0.to_owned());
        self.add(line, rule, What::Driver { kind, package, dev_only });
        true
    }

    /// A driver that the configuration names by a scheme or dialect: `provider = "postgresql"`.
    pub fn dialect(&mut self, line: u32, rule: &'static str, dialect: &str) {
        let catalog = self.source.catalog;
        let known = catalog
            .by_scheme(dialect)
            .or_else(|| catalog.by_word(dialect))
            .or_else(|| catalog.by_host(dialect));
        if let Some(entry) = known {
            let kind = entry.kind.clone();
            self.add(line, rule, What::Driver { kind, package: dialect.to_owned(), dev_only: false });
        }
    }

    /// The name of a database, as the code has it, on a server of that scheme or dialect, where it says one.
    pub fn database(&mut self, line: u32, rule: &'static str, name: &str, dialect: Option<&str>) {
        let catalog = self.source.catalog;
        let entry =
            dialect.and_then(|dialect| catalog.by_scheme(dialect).or_else(|| catalog.by_word(dialect)));
        let is_of_others = dialect.is_some_and(|dialect| !dialect.is_empty())
            && entry
                .is_none_or(|entry| entry.tenancy != Tenancy::Database || entry.databases.common.is_some());
        let is_name = (2..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if is_name && !is_of_others && !self.template {
            let kind = entry.map(|entry| entry.kind.clone());
            self.add(line, rule, What::Database { name: name.to_owned(), kind });
        }
    }

    /// A framework.
    pub fn framework(&mut self, line: u32, rule: &'static str, name: &str) {
        self.add(line, rule, What::Framework { name: name.to_owned() });
    }

    /// Another name of the service.
    pub fn alias(&mut self, line: u32, rule: &'static str, name: &str) {
        let name = name.trim();
        if !name.is_empty()
            && name.len() <= 100
            && !name.contains(char::is_whitespace)
            && !name.contains("${")
        {
            self.add(line, rule, What::Alias { name: name.to_owned() });
        }
    }

    /// A migration tool; an empty command where the service migrates itself.
    pub fn migration(&mut self, line: u32, rule: &'static str, tool: &str, command: &[&str]) {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        self.add(line, rule, What::Migration { tool: tool.to_owned(), command });
    }
}

/// Letters, digits and `_`, and nothing that every process has.
pub fn is_variable(name: &str) -> bool {
    const EVERYWHERE: &[&str] = &[
        "PATH",
        "HOME",
        "PWD",
        "OLDPWD",
        "USER",
        "USERNAME",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TEMP",
        "TMP",
        "HOSTNAME",
        "LANG",
        "LC_ALL",
        "CI",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
        "JAVA_HOME",
        "GOPATH",
        "GOROOT",
        "EDITOR",
        "PYTHONPATH",
        "NODE_PATH",
        "HOSTTYPE",
        "SHLVL",
        "_",
        "COLUMNS",
        "NO_COLOR",
        "DISPLAY",
        "XDG_CONFIG_HOME",
    ];
    // No shell can set the connection string `shop-db` of .NET, but Compose can.
    let named_by_a_shell = match name.strip_prefix("ConnectionStrings__") {
        Some(rest) => &rest.replace('-', "_"),
        None => name,
    };
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && named_by_a_shell.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !EVERYWHERE.contains(&name)
        && !["npm_", "CARGO_", "VSCODE_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a class of that name tells the pages of OpenAPI and Swagger where a browser finds the program's own API.
fn describes_the_api(path: &RepoPath) -> bool {
    matches!(path.extension(), "java" | "kt" | "cs") && {
        let name = path.name().to_ascii_lowercase();
        ["openapi", "swagger"].iter().any(|word| name.contains(word))
    }
}

/// Public web pages in code are documentation, namespaces and links.
fn is_worth_saying(reference: &Reference) -> bool {
    if reference.host.is_empty() {
        return !matches!(reference.scheme.as_str(), "" | "http" | "https" | "ws" | "wss" | "tcp");
    }
    let page = matches!(reference.scheme.as_str(), "" | "http" | "https" | "ws" | "wss");
    !(page && is_public(&reference.host))
}

/// Parts of paths that mean health wherever they stand.
const HEALTH: &[&str] = &[
    "health",
    "healthz",
    "healthcheck",
    "health-check",
    "health_check",
    "_health",
    "_healthz",
    "healthy",
    "readyz",
    "readiness",
    "livez",
    "liveness",
    "hc",
    "heartbeat",
];
/// Those that mean it on their own, below `api`, or below one of [`HEALTH`].
const ALONE: &[&str] = &["ready", "live", "alive", "up", "ping", "status", "started", "startup"];

/// What all of them hold, in small letters or capitals.
pub const HEALTH_WORDS: [&str; 9] =
    ["health", "read", "live", "hc", "heartbeat", "up", "ping", "status", "start"];
static HEALTH_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(HEALTH_WORDS).ok());

/// Whether [`health_path`] can be in `text`; for what is asked of each route of a program.
pub fn may_hold_health_path(text: &str) -> bool {
    HEALTH_SEARCH.as_ref().is_none_or(|words| words.is_match(text))
}

/// The path, if it is one at which services say whether they are ready.
pub fn health_path(path: &str) -> Option<String> {
    const PREFIX: &[&str] = &[
        "api",
        "actuator",
        "q",
        "-",
        "internal",
        "_",
        "manage",
        "management",
        "monitoring",
        "probe",
        "probes",
    ];
    let trimmed = path.trim().trim_matches('/');
    if trimmed.is_empty() || trimmed.len() > 80 || !may_hold_health_path(trimmed) {
        return None;
    }
    let lower = trimmed.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let (last, before) = parts.split_last()?;
    let plain =
        |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    if !parts.iter().all(plain) || before.len() > 3 {
        return None;
    }
    let known = HEALTH.contains(last)
        || (ALONE.contains(last)
            && before.iter().all(|part| PREFIX.contains(part) || HEALTH.contains(part) || version(part)));
    let slash = if path.trim().ends_with('/') { "/" } else { "" };
    known.then(|| format!("/{trimmed}{slash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_health_path_may_be_one() {
        for word in HEALTH.iter().chain(ALONE) {
            assert!(may_hold_health_path(&word.to_uppercase()), "{word}");
        }
        assert!(!may_hold_health_path("/orders/{id}"));
    }

    #[test]
    fn health_paths_are_told_from_others() {
        for (path, wanted) in [
            ("/health", Some("/health")),
            ("health/", Some("/health/")),
            ("/api/v1/utils/health-check/", Some("/api/v1/utils/health-check/")),
            ("/actuator/health/readiness", Some("/actuator/health/readiness")),
            ("/health/ready", Some("/health/ready")),
            ("/-/ready", Some("/-/ready")),
            ("/up", Some("/up")),
            ("/orders/status", None),
            ("/health/{id}", None),
            ("/users/:id/health", None),
            ("/", None),
            ("/healthcare", None),
        ] {
            assert_eq!(health_path(path).as_deref(), wanted, "{path}");
        }
    }
}
