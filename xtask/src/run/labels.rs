//! The labels by which a container says what it is; works without them too, and invents nothing.

use std::fmt;

/// What a container is for: `xtask.role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// An image that others are built from; nothing of it runs.
    Base,
    /// A database, queue or the like.
    Component,
    /// Ends with exit code 0 and is waited for.
    OneShot,
    /// A service of the monorepo.
    Service,
}

/// A container port and what is spoken on it: `xtask.main`, `http 3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Main {
    /// `http`, `grpc` or `tcp`.
    pub protocol: String,
    /// Inside the container.
    pub port: u16,
}

/// How readiness is seen: `xtask.health`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// `http 3000 /health`
    Http(u16, String),
    /// `tcp 5432`
    Tcp(u16),
    /// `grpc 50051`
    Grpc(u16),
    /// `command`: only the container's own check knows.
    Command,
    /// `process`: it runs, and no more is known.
    Process,
}

/// Who got which database from a setup, and with which password: an item of `xtask.databases`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The service that uses it.
    pub service: String,
    /// Its name on the server.
    pub database: String,
    /// Its owner.
    pub user: String,
    /// The variable of the env file that holds the owner's password.
    pub password_variable: String,
    /// The first name of the service, by which the server remembers what it was given.
    pub first: String,
}

/// All labels of ours on one container; what is missing or unknown is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// `xtask.role`
    pub role: Option<Role>,
    /// `xtask.kind`: `postgres`, `setup`, `worker` …; empty where it is missing.
    pub kind: String,
    /// `xtask.main`
    pub main: Option<Main>,
    /// `xtask.health`
    pub health: Option<Health>,
    /// `xtask.remembers`: variables of the env file whose first value the volume keeps.
    pub remembers: Vec<String>,
    /// `xtask.databases`, of a setup: `service:database:user:VARIABLE`, separated by blanks; of a service that was renamed,
    /// `:` and its first name behind it.
    pub databases: Vec<Database>,
}

impl Labels {
    /// Reads the labels through a function from name to value.
    pub fn read<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Labels {
        Labels {
            role: label("xtask.role").and_then(role),
            kind: label("xtask.kind").unwrap_or_default().to_owned(),
            main: label("xtask.main").and_then(main),
            health: label("xtask.health").and_then(health),
            remembers: words(label("xtask.remembers").unwrap_or_default()),
            databases: words(label("xtask.databases").unwrap_or_default())
                .iter()
                .filter_map(|word| database(word))
                .collect(),
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn database(word: &str) -> Option<Database> {
    let parts: Vec<&str> = word.split(':').collect();
    let (service, database, user, password_variable, first) = match parts[..] {
        [service, database, user, variable] => (service, database, user, variable, service),
        [service, database, user, variable, first] => (service, database, user, variable, first),
        _ => return None,
    };
    Some(Database {
        first: first.to_owned(),
        service: service.to_owned(),
        database: database.to_owned(),
        user: user.to_owned(),
        password_variable: password_variable.to_owned(),
    })
}

fn role(text: &str) -> Option<Role> {
    match text {
        "base" => Some(Role::Base),
        "component" => Some(Role::Component),
        "one-shot" => Some(Role::OneShot),
        "service" => Some(Role::Service),
        _ => None,
    }
}

fn main(text: &str) -> Option<Main> {
    let (protocol, port) = text.split_once(' ')?;
    Some(Main { protocol: protocol.to_owned(), port: port.trim().parse().ok()? })
}

fn health(text: &str) -> Option<Health> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["http", port, path] => Some(Health::Http(port.parse().ok()?, (*path).to_owned())),
        ["http", port] => Some(Health::Http(port.parse().ok()?, "/".to_owned())),
        ["tcp", port] => Some(Health::Tcp(port.parse().ok()?)),
        ["grpc", port] => Some(Health::Grpc(port.parse().ok()?)),
        ["command"] => Some(Health::Command),
        ["process"] => Some(Health::Process),
        _ => None,
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Base => "base",
            Role::Component => "component",
            Role::OneShot => "one-shot",
            Role::Service => "service",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_and_unknown_ones_ignored() {
        let labels = Labels::read(|name| match name {
            "xtask.role" => Some("one-shot"),
            "xtask.kind" => Some("setup"),
            "xtask.main" => Some("http 3000"),
            "xtask.health" => Some("http 3000 /health"),
            "xtask.remembers" => Some("A_PASSWORD B_KEY"),
            "xtask.databases" => {
                Some("web:shop:web_user:WEB_DB_PASSWORD nonsense core:core:api:API_DB_PASSWORD:api")
            }
            _ => None,
        });
        assert_eq!(labels.role, Some(Role::OneShot));
        assert_eq!(labels.main, Some(Main { protocol: "http".into(), port: 3000 }));
        assert_eq!(labels.health, Some(Health::Http(3000, "/health".into())));
        assert_eq!(labels.remembers, ["A_PASSWORD", "B_KEY"]);
        let [web, core] = labels.databases.as_slice() else { panic!("two are well formed: {labels:?}") };
        assert_eq!([web.first.as_str(), core.first.as_str()], ["web", "api"]);
        let parts = [&web.service, &web.database, &web.user, &web.password_variable];
        assert_eq!(parts, ["web", "shop", "web_user", "WEB_DB_PASSWORD"]);
        let nonsense = Labels::read(|name| (name != "xtask.remembers").then_some("nonsense here 1"));
        assert_eq!(nonsense, Labels { kind: "nonsense here 1".into(), ..Labels::default() });
    }
}
