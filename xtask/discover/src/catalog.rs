//! The infrastructure that can be recognised, started and wired: data files, parsed and checked; no decisions.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::model::data::{DataTools, Mark, SeedTools};

/// The entries that come with the program: file name and text.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// All kinds of infrastructure, by kind.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
}

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
    /// Client libraries per language. `name` matches exactly, `name*` as a prefix, `name[feature]` a Rust feature or
    /// Python extra, `group:artifact` for Java.
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<String>>,
}

/// How databases and users come into being on every `up`, idempotently.
///
/// Placeholders of the texts: `{database}`, `{user}`, `{password_variable}` (a variable of the one-shot's environment),
/// `{service}`, `{host}`, `{port}`, `{file}` (a schema file's path in the one-shot). The texts quote nothing: a name is
/// `[A-Za-z0-9_]`, at most 32 characters for a user and 63 for a database, where [`Databases::common`] is set
/// `[A-Za-z0-9_./-]`, and a file's path is `[A-Za-z0-9._/-]`.
///
/// The one-shot has a tmpfs at each of [`Version::volumes`] (but for [`Setup::reads_data`]) and [`Setup::tmpfs`], so
/// that no anonymous volume stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-shot's command. The item `{files}` is replaced by [`Setup::per_file`] for each file.
    pub command: Vec<String>,
    /// The command waits for the server itself, so that the one-shot can start beside it.
    #[serde(default)]
    pub waits: bool,
    /// Overrides ENTRYPOINT; the official entrypoints would start a server. `{host}` and `{port}` work.
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// For example `["-f", "{file}"]`; `{file}` is the path in the one-shot.
    #[serde(default)]
    pub per_file: Vec<String>,
    /// Environment beside the passwords of the users.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folder of the server that is shared with the one-shot (a socket): a named volume mounted in both.
    #[serde(default)]
    pub shared: Option<String>,
    /// The one-shot gets the server's volumes, read-only: its way in lies there. Asks for [`Entry::tmpfs`] to be `false`.
    #[serde(default)]
    pub reads_data: bool,
    /// What services name in their variables and the setup makes, beside or in place of databases.
    #[serde(default)]
    pub named: Option<Named>,
    /// Further folders that the one-shot gets as tmpfs.
    #[serde(default)]
    pub tmpfs: Vec<String>,
    /// What the one-shot runs as.
    #[serde(default)]
    pub user: Option<String>,
    /// The files below `init-scripts/<kind>/`, in order.
    pub files: Vec<SetupFile>,
}

/// Something that services expect to be there under a name that a variable of theirs holds: a bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// For people: `bucket`.
    pub title: String,
    /// The word of the variables' names: `BUCKET` of `S3_BUCKET`, `UPLOADS_BUCKET_NAME`, `Minio__BucketName`.
    pub word: String,
    /// A regular expression for the whole of a name that the server takes.
    pub pattern: String,
    /// The shortest and the longest, in characters.
    pub lengths: (usize, usize),
    /// The same for people, as a piece of advice.
    pub rule: String,
}

impl Named {
    /// Whether the server takes a name.
    pub fn fits(&self, name: &str) -> bool {
        let whole = regex::Regex::new(&format!("^(?:{})$", self.pattern));
        let (shortest, longest) = self.lengths;
        (shortest..=longest).contains(&name.len())
            && whole.is_ok_and(|pattern| pattern.is_match(name))
            && name.parse::<std::net::Ipv4Addr>().is_err()
    }
}

/// How `test` tries the way from a client to the server: a script for `sh`, run beside the client in its own network
/// namespace. What the client's environment says stands in the variables `XTASK_HOST`, `XTASK_PORT`, `XTASK_USER`,
/// `XTASK_PASSWORD` and `XTASK_DATABASE`, empty where it says nothing. The script must not put the password on a command
/// line, where everybody on the machine can read it, and must end with 0 only when the server has really done something.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Runs in the setup's busybox; without it in the server's own image, which brings its client.
    #[serde(default)]
    pub busybox: bool,
    /// The script.
    pub script: String,
    /// Words by which the server refuses a login to another's database; without any, that is not tried.
    #[serde(default)]
    pub refused: Vec<String>,
}

/// A file of a setup.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupFile {
    /// `01-create-databases.sql`.
    pub name: String,
    /// Once at the top.
    #[serde(default)]
    pub header: String,
    /// Once for each database with its user.
    #[serde(default)]
    pub each: String,
    /// After `each`, once for each user of a database that several services share.
    #[serde(default)]
    pub each_shared: String,
    /// Once for each schema file of a service; a file with this and without `each` is left out where there is none.
    #[serde(default)]
    pub each_schema: String,
    /// Once for each variable with a name of [`Setup::named`]; `{variable}` is that of the one-shot's environment.
    #[serde(default)]
    pub each_named: String,
    /// Once at the end.
    #[serde(default)]
    pub footer: String,
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

impl Catalog {
    /// The built-in entries, then `extra` (file name and text of `integration/catalog/*.yaml`), which may replace them.
    ///
    /// # Errors
    /// A file that does not parse or contradicts itself, with its name and line.
    pub fn load(extra: &[(String, String)]) -> Result<Catalog> {
        let built_in = BUILT_IN.iter().map(|(name, text)| (format!("xtask/catalog/{name}"), *text));
        let extra = extra.iter().map(|(name, text)| (name.clone(), text.as_str()));
        let mut catalog = Catalog::default();
        for (name, text) in built_in.chain(extra) {
            let entry = parse(&name, text)?;
            catalog.entries.insert(entry.kind.clone(), entry);
        }
        Ok(catalog)
    }

    /// An entry by its kind.
    pub fn get(&self, kind: &str) -> Option<&Entry> {
        self.entries.get(kind)
    }

    /// All entries by kind.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The kind that speaks a URL scheme (`postgresql`, `jdbc:mysql`, `postgresql+asyncpg`).
    pub fn by_scheme(&self, scheme: &str) -> Option<&Entry> {
        let scheme = scheme.to_ascii_lowercase();
        let plain = scheme.split('+').next().unwrap_or_default();
        let has = |entry: &&Entry, wanted: &str| entry.recognise.schemes.iter().any(|known| known == wanted);
        self.iter().find(|entry| has(entry, &scheme)).or_else(|| self.iter().find(|entry| has(entry, plain)))
    }

    /// The kind of an image reference: registry, tag, digest and the namespaces `library` and `bitnami*` are ignored.
    pub fn by_image(&self, image: &str) -> Option<&Entry> {
        let name = image_name(image);
        let bare = without_bitnami(&name).unwrap_or(&name);
        self.iter().find(|entry| {
            let known = &entry.recognise;
            known.images.iter().chain(&known.foreign_images).any(|known| known == bare)
        })
    }

    /// The kind that listens on a well-known port.
    pub fn by_port(&self, port: u16) -> Option<&Entry> {
        self.iter().find(|entry| entry.recognise.ports.contains(&port))
    }

    /// The kind that a host name means on its own.
    pub fn by_host(&self, host: &str) -> Option<&Entry> {
        let host = host.to_ascii_lowercase();
        self.iter().find(|entry| entry.recognise.hosts.contains(&host))
    }

    /// The kind whose addresses alone have a path like that of a URL.
    pub fn by_path(&self, url: &str) -> Option<&Entry> {
        let (_, rest) = url.split_once("://")?;
        let path = &rest[rest.find('/')?..];
        self.iter().find(|entry| entry.recognise.paths.iter().any(|known| path.starts_with(known.as_str())))
    }

    /// The kind that a word of a document means.
    pub fn by_word(&self, word: &str) -> Option<&Entry> {
        let word = word.to_ascii_lowercase();
        self.iter().find(|entry| entry.recognise.words.contains(&word))
    }

    /// The kind whose client library `package` is in `language`. `features` are Rust features or Python extras.
    pub fn by_package(&self, language: &str, package: &str, features: &[String]) -> Option<&Entry> {
        self.iter().find(|entry| {
            let known = entry.recognise.packages.get(language);
            known.is_some_and(|known| known.iter().any(|pattern| package_matches(pattern, package, features)))
        })
    }
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

/// The name below a namespace of Bitnami, whose images are copies of all kinds with variables of their own.
fn without_bitnami(name: &str) -> Option<&str> {
    let (namespace, rest) = name.split_once('/')?;
    namespace.starts_with("bitnami").then_some(rest)
}

/// An image reference without registry host, the namespace `library`, tag and digest, lower case.
fn image_name(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    let (path, last) = image.rsplit_once('/').map_or(("", image), |(path, last)| (path, last));
    let last = last.split(':').next().unwrap_or_default();
    let path = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        None if path.contains(['.', ':']) || path == "localhost" => "",
        _ => path,
    };
    if path.is_empty() || path == "library" {
        last.to_lowercase()
    } else {
        format!("{path}/{last}").to_lowercase()
    }
}

fn package_matches(pattern: &str, package: &str, features: &[String]) -> bool {
    if let Some((name, feature)) = pattern.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        return name.eq_ignore_ascii_case(package)
            && features.iter().any(|f| f.eq_ignore_ascii_case(feature));
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => package.to_lowercase().starts_with(&prefix.to_lowercase()),
        None => pattern.eq_ignore_ascii_case(package),
    }
}

fn parse(name: &str, text: &str) -> Result<Entry> {
    let entry: Entry = serde_yaml::from_str(text)
        .map_err(|why| Failure::new("cannot read a catalogue entry").at(name).why(why))?;
    if !entry.versions.contains_key(&entry.default) {
        return Err(Failure::new(format!(
            "the default version `{}` of `{}` is not among its versions",
            entry.default, entry.kind
        ))
        .at(name)
        .fix("add it below `versions`, or name one that is there")
        .into());
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        Catalog::load(&[]).expect("the built-in entries parse")
    }

    #[test]
    fn images_are_known_by_their_bare_name() {
        let catalog = catalog();
        for image in [
            "postgres",
            "postgres:16-alpine",
            "registry.example.org:5000/library/postgres@sha256:0",
            "bitnami/redis:7",
        ] {
            assert!(catalog.by_image(image).is_some(), "{image}");
        }
        assert!(catalog.by_image("example/postgres-exporter").is_none());
    }

    #[test]
    fn schemes_with_drivers_are_known() {
        assert_eq!(catalog().by_scheme("postgresql+asyncpg").map(|e| e.kind.as_str()), Some("postgres"));
    }

    #[test]
    fn images_with_another_contract_are_known_but_do_not_run_as_written() {
        let catalog = catalog();
        for (image, as_written) in [
            ("pgvector/pgvector:pg17", true),
            ("docker.io/library/postgres:16", true),
            ("bitnami/postgresql:16", false),
            ("supabase/postgres:15", false),
        ] {
            let entry = catalog.by_image(image).expect(image);
            assert_eq!(
                (entry.kind.as_str(), entry.runs_as_written(image)),
                ("postgres", as_written),
                "{image}"
            );
        }
    }

    #[test]
    fn a_tag_finds_its_version() {
        let catalog = catalog();
        let version = |kind: &str, wanted| Some(catalog.get(kind)?.version_for(wanted)?.0.to_owned());
        assert_eq!(version("postgres", "15.4-alpine3.18").as_deref(), Some("15"));
        assert_eq!(version("mysql", "8.0.36").as_deref(), Some("8.0"));
        assert_eq!(version("mysql", "8").as_deref(), Some("8.4"));
        assert_eq!(version("mailpit", "v1.21.3").as_deref(), Some("1"));
        assert_eq!(version("postgres", "9.6"), None);
        assert_eq!(version("postgres", "alpine"), None);
    }

    #[test]
    fn a_tag_is_too_old_only_where_it_says_so() {
        let catalog = catalog();
        let entry = catalog.get("rabbitmq").expect("is built in");
        for (tag, too_old) in [
            ("3.7.28-management-alpine", true),
            ("2", true),
            ("3.8.3", true),
            ("3.8", false),
            ("3.13-management", false),
            ("3-management", false),
            ("4", false),
            ("management", false),
        ] {
            assert_eq!(entry.is_too_old(tag), too_old, "{tag}");
        }
        assert_eq!(entry.oldest_version().map(|(key, _)| key), Some("3"));
    }
}
