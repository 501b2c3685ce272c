//! `tests/connectivity.yaml` as data: who has to reach whom, and who must not; tries nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::error::{Failure, Failures, Result};
use crate::run::setup;

/// The file's name in the setup.
pub const FILE: &str = "tests/connectivity.yaml";
/// Where tools come from where no file says it.
const TOOLS: &str = "busybox:1.37-musl";
/// The only version of the format.
const VERSION: u32 = 1;
/// Clients that need no entry below `clients`.
pub(super) const TCP: &str = "tcp";
pub(super) const HTTP: &str = "http";

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Of the format.
    pub version: u32,
    /// Where published ports may listen.
    #[serde(default)]
    pub published: Published,
    /// The image with the tools that a server's own image may lack.
    pub busybox: String,
    /// By service, then target.
    #[serde(default, deserialize_with = "or_nothing")]
    pub reaches: BTreeMap<String, BTreeMap<String, Edge>>,
    /// By service, the components that it must not reach.
    #[serde(default, deserialize_with = "or_nothing")]
    pub apart: BTreeMap<String, Vec<String>>,
    /// How the kinds are tried.
    #[serde(default, deserialize_with = "or_nothing")]
    pub clients: BTreeMap<String, Client>,
    /// The file as people see it, with the line of each entry of two levels: `reaches.trading.postgres`.
    #[serde(skip)]
    places: BTreeMap<String, String>,
}

/// Where published ports may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Published {
    /// On this machine alone.
    #[default]
    Loopback,
    /// Anywhere.
    Any,
}

/// How a service finds something that it needs: names of variables in its environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// `http`, `tcp`, or one of [`Wanted::clients`].
    pub client: String,
    /// Holds a whole address.
    pub url: Option<String>,
    /// Holds the host, where there is no `url`.
    pub host: Option<String>,
    /// Holds the port.
    pub port: Option<String>,
    /// Holds the user.
    pub user: Option<String>,
    /// Holds the password.
    pub password: Option<String>,
    /// Holds the database.
    pub database: Option<String>,
}

/// How a client proves that it can work with the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Whose programs the script uses.
    #[serde(rename = "in")]
    pub image: ClientImage,
    /// For `sh`.
    pub script: String,
    /// Words by which the server refuses another's database.
    #[serde(default)]
    pub refused: Vec<String>,
    /// The database that an address means which names none.
    #[serde(default)]
    pub common: String,
}

/// Whose programs a script uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientImage {
    /// Those of [`Wanted::busybox`].
    Busybox,
    /// Those of the image that the server runs.
    Server,
}

/// `reaches:` with nothing below it is as good as no `reaches`.
fn or_nothing<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Wanted {
    /// Reads the file of a setup; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read, is malformed, or names a client that it does not have; all of these at once.
    pub fn load(out: &Path, shown: &str) -> Result<Option<Wanted>> {
        let Some(text) = setup::read_text(&out.join(FILE))? else { return Ok(None) };
        Wanted::parse(&text, &format!("{shown}/{FILE}")).map(Some)
    }

    /// As [`Wanted::load`], from a text.
    ///
    /// # Errors
    /// The same.
    pub fn parse(text: &str, shown: &str) -> Result<Wanted> {
        let mut wanted: Wanted = serde_yaml::from_str(text).map_err(|why| {
            let line = why.location().map(|location| format!(":{}", location.line())).unwrap_or_default();
            Failure::new("cannot read who has to reach whom").at(format!("{shown}{line}")).why(why)
        })?;
        if wanted.version != VERSION {
            return Err(Failure::new(format!("version {} of the format is not known", wanted.version))
                .at(shown)
                .why(format!("this program knows version {VERSION}"))
                .into());
        }
        wanted.places = places(text, shown);
        let edges =
            wanted.reaches.iter().flat_map(|(from, to)| to.iter().map(move |(to, edge)| (from, to, edge)));
        let unknown = edges.filter(|(_, _, edge)| !wanted.knows(&edge.client));
        let failures = unknown.map(|(from, to, edge)| {
            Failure::new(format!("there is no client `{}`", edge.client))
                .at(wanted.place(&["reaches", from, to]))
                .why("a client is `http`, `tcp` or stands below `clients`")
        });
        Failures::check(failures.collect(), "nothing was tried")?;
        Ok(wanted)
    }

    /// The image with the tools that a setup uses, also where its file is broken or missing.
    pub fn tools(out: &Path, shown: &str) -> String {
        match Wanted::load(out, shown) {
            Ok(Some(wanted)) => wanted.busybox,
            Ok(None) | Err(_) => TOOLS.to_owned(),
        }
    }

    fn knows(&self, client: &str) -> bool {
        [TCP, HTTP].contains(&client) || self.clients.contains_key(client)
    }

    /// Where an entry stands: `integration/tests/connectivity.yaml:12`.
    pub(super) fn place(&self, keys: &[&str]) -> String {
        let known = (1..=keys.len()).rev().find_map(|count| self.places.get(&keys[..count].join(" ")));
        known.or_else(|| self.places.get("")).cloned().unwrap_or_default()
    }
}

/// The lines of the keys in block style down to the third level; what is written otherwise has that of its parent.
fn places(text: &str, shown: &str) -> BTreeMap<String, String> {
    let mut places = BTreeMap::from([(String::new(), shown.to_owned())]);
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let content = line.trim_start();
        let Some((key, _)) = content.split_once(':').filter(|_| !content.starts_with('#')) else { continue };
        let depth = line.len() - content.len();
        open.retain(|(above, _)| *above < depth);
        if open.len() < 3 {
            open.push((depth, key.trim_matches(['"', '\''])));
            let path: Vec<&str> = open.iter().map(|(_, key)| *key).collect();
            places.entry(path.join(" ")).or_insert_with(|| format!("{shown}:{}", at + 1));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\nbusybox: busybox:1\nreaches:\n  # who\n  api:\n    db:\n      client: pg\n      url: DB_URL\n    \
                        web: { client: http }\napart:\nclients:\n  pg:\n    in: server\n    script: |\n      exit 0\n";

    #[test]
    fn edges_clients_and_their_lines_are_read() {
        let wanted = Wanted::parse(TEXT, "i/c.yaml").unwrap();
        assert_eq!(wanted.reaches["api"]["db"].url.as_deref(), Some("DB_URL"));
        assert_eq!(wanted.clients["pg"].image, ClientImage::Server);
        assert_eq!((wanted.published, wanted.apart.len()), (Published::Loopback, 0));
        assert_eq!(wanted.place(&["reaches", "api", "db"]), "i/c.yaml:6");
        assert_eq!(wanted.place(&["reaches", "api", "gone"]), "i/c.yaml:5");
        assert_eq!(wanted.place(&["nowhere"]), "i/c.yaml");
    }

    #[test]
    fn clients_that_nobody_describes_are_refused_all_at_once() {
        let text = TEXT.replace("client: pg", "client: pgg").replace("client: http", "client: htp");
        assert_eq!(
            Wanted::parse(&text, "i/c.yaml").unwrap_err().to_string(),
            "there is no client `pgg`\n  at i/c.yaml:6\n  why: a client is `http`, `tcp` or stands below `clients`\n\
             error: there is no client `htp`\n  at i/c.yaml:9\n  why: a client is `http`, `tcp` or stands below `clients`\n\
             2 errors, nothing was tried"
        );
    }

    #[test]
    fn unknown_keys_and_versions_are_refused_with_their_place() {
        let error = Wanted::parse(&TEXT.replace("url:", "uri:"), "i/c.yaml").unwrap_err().to_string();
        assert!(error.starts_with("cannot read who has to reach whom\n  at i/c.yaml:"), "{error}");
        assert!(error.contains("unknown field `uri`"), "{error}");
        let error = Wanted::parse(&TEXT.replace("version: 1", "version: 2"), "i/c.yaml").unwrap_err();
        assert!(error.to_string().starts_with("version 2 of the format is not known"), "{error}");
    }

    #[test]
    fn the_schema_knows_the_same_keys() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../schemas/connectivity.schema.json")).unwrap();
        let keys = |object: &serde_json::Value| -> Vec<String> {
            assert_eq!(object["additionalProperties"], false);
            object["properties"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&schema), ["version", "published", "busybox", "reaches", "apart", "clients"]);
        let edge = ["client", "url", "host", "port", "user", "password", "database"];
        assert_eq!(keys(&schema["definitions"]["edge"]), edge);
        assert_eq!(keys(&schema["definitions"]["client"]), ["in", "script", "refused", "common"]);
        // Each key of the schema is one that the parser takes.
        let edges = edge.map(|key| format!("{key}: X")).join(", ").replace("client: X", "client: tcp");
        let text = format!("version: 1\nbusybox: b\nreaches: {{ a: {{ b: {{ {edges} }} }} }}\n");
        Wanted::parse(&text, "c.yaml").unwrap();
    }
}
