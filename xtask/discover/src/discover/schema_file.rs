//! Schema files that belong into a service's database before it starts; reads no SQL beyond what tells one.

use std::sync::LazyLock;

use regex::Regex;

use super::{Detector, Source};
use crate::model::fact::{Evidence, Fact, Subject, What};
use crate::model::path::RepoPath;

/// `schema.sql`, `init.sql` and `db/init/*.sql` of a service.
pub(super) const SCHEMA: Detector = Detector { name: "schema_file", extensions: &["sql"], wants, read };

static CREATES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?im)^\s*create\s+(?:(?:unlogged|temporary)\s+)?(?:table|type|view|function|sequence|extension)\b",
    )
    .expect("a valid pattern")
});

/// Statements that only an administrator may run: such a file is meant for the server, not for a database.
static ADMINISTERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?im)^\s*(?:create\s+(?:database|user|role)|grant\s|use\s|\\c(?:onnect)?\s)")
        .expect("a valid pattern")
});

fn wants(path: &RepoPath) -> bool {
    let name = path.name();
    if !name.ends_with(".sql") {
        return false;
    }
    let folder = path.parent().unwrap_or_default();
    let in_init =
        folder.name() == "init" || folder.name() == "initdb" || folder.name() == "docker-entrypoint-initdb.d";
    matches!(name, "schema.sql" | "init.sql") || in_init
}

fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let Some(found) = CREATES.find(source.text) else { return };
    if ADMINISTERS.is_match(source.text) {
        return;
    }
    let line = source.text[..found.start()].lines().count() + 1;
    let at =
        Evidence { path: source.path.clone(), line: u32::try_from(line).unwrap_or(1), rule: "schema-file" };
    facts.push(Fact { what: What::SchemaFile, at, subject: Subject::Here });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn is_schema(path: &str, text: &str) -> bool {
        let path = RepoPath::new(path).expect("inside");
        let mut facts = Vec::new();
        if wants(&path) {
            read(&Source { path: &path, text, catalog: &Catalog::default() }, &mut facts);
        }
        !facts.is_empty()
    }

    #[test]
    fn tables_of_a_service_are_a_schema() {
        assert!(is_schema("a/schema.sql", "-- x\nCREATE TABLE users (id int);"));
        assert!(is_schema("a/db/init/01.sql", "create type mood as enum ('a');"));
        assert!(!is_schema("a/queries.sql", "CREATE TABLE x ();"));
        assert!(!is_schema("a/init.sql", "CREATE DATABASE x;\nCREATE TABLE y ();"));
        assert!(!is_schema("a/schema.sql", "SELECT 1;"));
    }
}
