//! What a snapshot says about itself: which databases of which servers it holds; touches no file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Failure, Result};

/// The manifest's file in the folder of a snapshot.
pub const FILE: &str = "manifest.json";
/// Of the manifest's form.
const VERSION: u32 = 1;

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this form.
    pub version: u32,
    /// Its folder's name.
    pub name: String,
    /// When, in UTC: `2026-11-22T23:45:01Z`.
    pub taken: String,
    /// The Compose project that was dumped.
    pub project: String,
    /// Taken without a name: only the newest few are kept.
    pub automatic: bool,
    /// In the order in which they were dumped.
    pub entries: Vec<Entry>,
}

/// One dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The Compose service of the server.
    pub service: String,
    /// The kind of the server: a dump of one engine is nothing to another.
    pub kind: String,
    /// The server's image.
    pub image: String,
    /// `None` where the server was dumped as one.
    pub database: Option<String>,
    /// The roles that the dump names and does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// In the snapshot's folder.
    pub file: String,
    /// The file's size: a shorter one is not whole.
    pub bytes: u64,
}

impl Manifest {
    /// An empty one.
    pub fn new(name: &str, taken: String, project: &str, automatic: bool) -> Manifest {
        let (name, project) = (name.to_owned(), project.to_owned());
        Manifest { version: VERSION, name, taken, project, automatic, entries: Vec::new() }
    }

    /// Reads what [`Manifest::text`] wrote.
    ///
    /// # Errors
    /// When it is something else, or of a later version of this program.
    pub fn parse(text: &str, place: &str) -> Result<Manifest> {
        let failed = || Failure::new("cannot read a snapshot's manifest").at(place);
        let manifest: Manifest = serde_json::from_str(text).map_err(|why| failed().why(why))?;
        if manifest.version != VERSION {
            let why = format!("it is of version {}, this program reads version {VERSION}", manifest.version);
            return Err(failed().why(why).into());
        }
        match manifest.entries.iter().find(|entry| !is_plain(&entry.file)) {
            Some(entry) => Err(failed().why(format!("`{}` is no name of a file", entry.file)).into()),
            None => Ok(manifest),
        }
    }

    /// As it lies in the folder.
    ///
    /// # Errors
    /// Never, in practice: everything in it is text and numbers.
    pub fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        Ok(text.map_err(|why| Failure::new("cannot write a snapshot's manifest").why(why))? + "\n")
    }

    /// A name for the next dump's file that no other has.
    pub fn file_name(&self, service: &str, database: Option<&str>, extension: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let words: Vec<&str> = std::iter::once(service).chain(database).collect();
        let stem: String = words.join(".").chars().map(plain).collect();
        let taken: BTreeSet<&str> = self.entries.iter().map(|entry| entry.file.as_str()).collect();
        let names = (1..).map(|n| match n {
            1 => format!("{stem}.{extension}"),
            n => format!("{stem}-{n}.{extension}"),
        });
        let mut free = names.filter(|name| !taken.contains(name.as_str()));
        free.next().unwrap_or_default()
    }

    /// How many bytes the dumps have.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }

    /// The servers, each once.
    pub fn services(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|entry| entry.service.as_str()).collect()
    }
}

impl Entry {
    /// For people: `accounts on postgres`, or the server alone.
    pub fn shown(&self) -> String {
        match &self.database {
            Some(database) => format!("{database} on {}", self.service),
            None => self.service.clone(),
        }
    }
}

/// Whether a name is one of a file in the same folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::new("before", "2026-11-22T23:45:01Z".into(), "shop-1a2b", true);
        manifest.entries.push(Entry {
            service: "db".into(),
            kind: "postgres".into(),
            image: "postgres:17".into(),
            database: Some("my shop".into()),
            roles: vec!["clerk".into()],
            file: manifest.file_name("db", Some("my shop"), "dump"),
            bytes: 12,
        });
        manifest
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.text().unwrap(), "x").unwrap(), manifest);
    }

    #[test]
    fn dumps_of_two_databases_never_share_a_file() {
        let manifest = manifest();
        assert_eq!(manifest.entries[0].file, "db.my_shop.dump");
        assert_eq!(manifest.file_name("db", Some("my/shop"), "dump"), "db.my_shop-2.dump");
        assert_eq!(manifest.file_name("cache", None, "rdb"), "cache.rdb");
    }

    #[test]
    fn a_manifest_that_points_elsewhere_or_comes_from_later_is_refused() {
        let text = manifest().text().unwrap();
        for (text, why) in [
            (text.replace("db.my_shop.dump", "../.env"), "`../.env` is no name of a file"),
            (
                text.replace("\"version\": 1", "\"version\": 2"),
                "it is of version 2, this program reads version 1",
            ),
        ] {
            let error = Manifest::parse(&text, "snapshots/x/manifest.json").unwrap_err().to_string();
            assert_eq!(
                error,
                format!("cannot read a snapshot's manifest\n  at snapshots/x/manifest.json\n  why: {why}")
            );
        }
    }
}
