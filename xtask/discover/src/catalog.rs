//! The infrastructure that can be recognised, started and wired: data files, parsed and checked; no decisions.

mod entry;
mod setup;

use std::collections::BTreeMap;

use crate::error::{Failure, Result};

pub use entry::{Class, Databases, Entry, ExtraPort, Health, Login, Recognise, Tenancy, Upgrade, Version};
pub use setup::{Connect, Named, Setup, SetupFile};

/// The entries that come with the program: file name and text.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// All kinds of infrastructure, by kind.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
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

    /// Whether a database or broker usually listens there; on the ports of kinds that speak HTTP, programs do too.
    pub fn is_port_of_a_server(&self, port: u16) -> bool {
        self.by_port(port).is_some_and(|entry| !entry.url.starts_with("http"))
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
