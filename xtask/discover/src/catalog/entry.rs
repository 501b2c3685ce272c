//! The fields of a catalogue entry, and which of its versions is meant; data, no decisions.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::image_name;
use super::setup::{Connect, Setup};
use crate::model::data::{DataTools, Mark, SeedTools};

/// One kind of infrastructure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Lower case, also the default name of its container: `postgres`.
    pub kind: String,
    /// For people: `PostgreSQL`.
    pub title: String,
    /// What it is for.
    pub class: Class,
    /// The key of [`Entry::versions`] taken when nobody asks for another.
    pub default: String,
    /// By major version (or the version that the image's tag pins).
    pub versions: BTreeMap<String, Version>,
    /// The oldest release with which the variables, mounts and scripts of this entry work: `3.8`; absent where any does.
    #[serde(default)]
    pub oldest: Option<String>,
    /// The port that clients use.
    pub port: u16,
    /// The container port that clients on the host use, where it is not [`Entry::port`]: Kafka tells its clients an
    /// address, and that differs inside and outside. It is published as the host port that `port` would get.
    #[serde(default)]
    pub published: Option<u16>,
    /// Published beside it: consoles, management.
    #[serde(default)]
    pub extra_ports: Vec<ExtraPort>,
    /// Of the server's container; `{secret:NAME}` stands for a generated value kept in `.env` as NAME, `{host}` for
    /// the component's name, `{host_port}` for the host port of [`Entry::published`].
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How a secret has to look where 32 hexadecimal characters are refused: `{hex}` stands for them.
    #[serde(default)]
    pub secret_forms: BTreeMap<String, String>,
    /// Secrets that the volume remembers from its first start: another value in `.env` locks everybody out.
    #[serde(default)]
    pub remembers: Vec<String>,
    /// Whose data a newer major opens; absent where nobody has found out.
    #[serde(default)]
    pub upgrade: Option<Upgrade>,
    /// Whether its data can lie on tmpfs, where the test environment puts them: not where the engine opens its files
    /// in ways that tmpfs refuses, or starts programs from its folder.
    #[serde(default = "yes")]
    pub tmpfs: bool,
    /// Overrides the image's command; `{secret:NAME}` works here too.
    #[serde(default)]
    pub command: Vec<String>,
    /// How a volume shows that it belongs to this kind.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// How Compose sees readiness.
    pub health: Health,
    /// Who gets what on one server.
    pub tenancy: Tenancy,
    /// A client that names no database opens the one that is called like its user (libpq, "Parameter Key Words").
    #[serde(default)]
    pub database_by_user: bool,
    /// What a service gets of its own on a server, where that is no plain database.
    #[serde(default)]
    pub databases: Databases,
    /// The login that services use where tenancy is `shared`; also the administrator for `setup`.
    #[serde(default)]
    pub login: Option<Login>,
    /// The address to give where a variable of the service is empty: `postgresql://{user}:{password}@{host}:{port}/{database}`.
    pub url: String,
    /// Other forms by language: `java: "jdbc:postgresql://{host}:{port}/{database}"`.
    #[serde(default)]
    pub urls: BTreeMap<String, String>,
    /// How to see in a repository that it is used.
    pub recognise: Recognise,
    /// How to create databases and users.
    #[serde(default)]
    pub setup: Option<Setup>,
    /// How a client proves that it can work with the server; without it, a TCP connection has to do.
    #[serde(default)]
    pub connect: Option<Connect>,
    /// How its databases are dumped and put back.
    #[serde(default)]
    pub data: Option<DataTools>,
    /// How it takes seed files.
    #[serde(default)]
    pub seed: Option<SeedTools>,
    /// A command in the server's container that proves that it serves.
    #[serde(default)]
    pub smoke: Vec<String>,
    /// An interactive client in the server's container; `{user}` and `{database}` work.
    #[serde(default)]
    pub shell: Vec<String>,
}

/// What a kind of infrastructure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Class {
    Database,
    Cache,
    Queue,
    Search,
    Storage,
    Mail,
    Identity,
    Observability,
    Discovery,
    Cloud,
    Workflow,
}

/// Whose data a newer major of an image opens by itself. An older one opens those of a newer one nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upgrade {
    /// Nobody's but its own: they have to be dumped and loaded.
    Refused,
    /// Those of the major before it.
    Next,
    /// Those of any older one.
    Any,
}

/// Who gets what on one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tenancy {
    /// A database and a user for each service.
    Database,
    /// One login (or none) for all.
    Shared,
}

/// What is called a database here: a broker's virtual host, a store's bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Databases {
    /// For people: `virtual host`.
    pub title: String,
    /// Last words of variables that name one: `VHOST` of `RABBITMQ_VHOST`. Without any, those of a database.
    pub variables: Vec<String>,
    /// The one in which all services meet that name none, where they talk to each other through the server. It is what
    /// an address without a path means. Without it, a service that names none gets one of its own.
    pub common: Option<String>,
    /// Behind the service's name, the variable of `.env` with the password of its user.
    pub password: String,
}

impl Default for Databases {
    fn default() -> Self {
        Databases {
            title: "database".to_owned(),
            variables: Vec::new(),
            common: None,
            password: "DB_PASSWORD".to_owned(),
        }
    }
}

/// One version of a kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// An official image, pinned to a major.
    pub image: String,
    /// Folders that get a named volume (every VOLUME of the image must be here).
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Environment that only this version wants.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// A port beside the main one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraPort {
    /// Inside the container.
    pub port: u16,
    /// Part of the variable's name: `MANAGEMENT` gives `RABBITMQ_MANAGEMENT_PORT`.
    pub name: String,
    /// For the README: `management console`.
    pub purpose: String,
    /// Whether it speaks HTTP, so that a URL is shown.
    #[serde(default)]
    pub http: bool,
}

/// A health check as Compose takes it; a `$` means itself here and is doubled in the Compose file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// `["CMD", …]`; must work in that image and must not be true on a temporary server (rule 5). In an image without
    /// any tool, `{busybox}` is the path of the static one that the setup's `probe` service provides (rule 3).
    pub test: Vec<String>,
    /// Once healthy.
    #[serde(default = "ten_seconds")]
    pub interval: String,
    /// For one check.
    #[serde(default = "three_seconds")]
    pub timeout: String,
    /// Until healthy; absent where a check costs too much.
    #[serde(default)]
    pub start_interval: Option<String>,
    /// How long failures do not count.
    #[serde(default = "sixty_seconds")]
    pub start_period: String,
}

/// A login.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The secret in `.env` that is its password.
    pub secret: String,
    /// The database to log in to where no service's is meant.
    #[serde(default)]
    pub database: String,
}

/// What betrays the use of a kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recognise {
    /// URL schemes, lower case, `jdbc:mysql` included.
    #[serde(default)]
    pub schemes: Vec<String>,
    /// Image names without registry, namespace of the official library and tag: `postgres`, `postgis/postgis`.
    #[serde(default)]
    pub images: Vec<String>,
    /// Images of this kind that take other variables or mounts: recognised, but [`Version::image`] runs in their place.
    #[serde(default)]
    pub foreign_images: Vec<String>,
    /// Well-known client ports.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Host names that mean this kind on their own: `postgres`, `pg`, `rabbit`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What the paths of its addresses begin with, and nobody else's do: `/realms/`.
    #[serde(default)]
    pub paths: Vec<String>,
    /// First words of variable names: `POSTGRES`, `PG`, `SPRING_RABBITMQ`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Names in documents, lower case: `postgresql`, `postgres`.
    #[serde(default)]
    pub words: Vec<String>,
    /// Of an emulator: words of a value that mean it. An address without one is an account at the provider, which
    /// nothing here stands in for unasked.
    #[serde(default)]
    pub emulated: Vec<String>,
    /// Client libraries per language. `name` matches exactly, `name*` as a prefix, `name[feature]` a Rust feature or
    /// Python extra, `group:artifact` for Java.
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<String>>,
}

fn yes() -> bool {
    true
}

fn ten_seconds() -> String {
    "10s".to_owned()
}

fn three_seconds() -> String {
    "3s".to_owned()
}

fn sixty_seconds() -> String {
    "60s".to_owned()
}

impl Entry {
    /// Whether an image that [`Catalog::by_image`] took for this kind can run as written, with the variables and mounts
    /// of this entry.
    pub fn runs_as_written(&self, image: &str) -> bool {
        self.recognise.images.contains(&image_name(image))
    }

    /// Whether a tag names a release before the oldest with which this entry works: before `3.8`, `3.7-alpine` is and
    /// `3` is not, which is the newest `3.x`.
    pub fn is_too_old(&self, tag: &str) -> bool {
        let oldest = self.oldest.as_deref().and_then(numbers).unwrap_or_default();
        let unequal = |(tag, oldest): (u32, u32)| (tag != oldest).then_some(tag < oldest);
        numbers(tag).is_some_and(|tag| tag.into_iter().zip(oldest).find_map(unequal).unwrap_or(false))
    }

    /// The key and the data of the version that a tag or a wish names: `15.4-alpine` is `15`, `8` is the newest `8.x`.
    pub fn version_for(&self, wanted: &str) -> Option<(&str, &Version)> {
        let wanted = numbers(wanted)?;
        let fits = |key: &[u32]| key.iter().zip(&wanted).all(|(a, b)| a == b);
        let (_, key) = self.sorted_versions().into_iter().rev().find(|(key, _)| fits(key))?;
        self.versions.get_key_value(key).map(|(key, version)| (key.as_str(), version))
    }

    /// The key and the data of the oldest version.
    pub fn oldest_version(&self) -> Option<(&str, &Version)> {
        let (_, key) = self.sorted_versions().into_iter().next()?;
        self.versions.get_key_value(key).map(|(key, version)| (key.as_str(), version))
    }

    /// The versions with the numbers of their keys, the oldest first.
    fn sorted_versions(&self) -> Vec<(Vec<u32>, &String)> {
        let mut versions: Vec<(Vec<u32>, &String)> =
            self.versions.keys().filter_map(|key| Some((numbers(key)?, key))).collect();
        versions.sort();
        versions
    }
}

/// The leading numbers of a tag: `v8.0-alpine3.20` is 8 and 0.
fn numbers(tag: &str) -> Option<Vec<u32>> {
    let tag = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let end = tag.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(tag.len());
    let numbers: Vec<u32> = tag[..end].split('.').map_while(|part| part.parse().ok()).collect();
    if numbers.is_empty() { None } else { Some(numbers) }
}
