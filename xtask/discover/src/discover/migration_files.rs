//! Files that only a migration tool keeps: they tell the tool and its folder, and with them the command. Reads what is
//! in the files as far as it names the tool.

use crate::model::fact::Fact;
use crate::model::path::RepoPath;

use super::findings::Findings;
use super::{Detector, Source};

/// Migrations of goose and golang-migrate, snapshots of Entity Framework, configurations of Flyway and Liquibase.
pub(super) const MIGRATIONS: Detector = Detector {
    name: "migration-files",
    extensions: &["conf", "toml", "properties", "cs", "sql"],
    wants,
    read,
};

fn wants(path: &RepoPath) -> bool {
    let name = path.name();
    matches!(name, "flyway.conf" | "flyway.toml" | "liquibase.properties")
        || name.ends_with("ModelSnapshot.cs")
        || path.extension() == "sql"
            && path.parent().is_some_and(|folder| folder.as_str().contains("migration"))
}

fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    let name = source.path.name();
    let folder = source.path.parent().unwrap_or_default().to_string();
    if name.ends_with("ModelSnapshot.cs") {
        findings.migration(1, "ef-core-snapshot", "ef-core", &["dotnet", "ef", "database", "update"]);
    } else if name.starts_with("flyway.") {
        findings.migration(1, "flyway-conf", "flyway", &["flyway", "migrate"]);
    } else if name == "liquibase.properties" {
        findings.migration(1, "liquibase-properties", "liquibase", &["liquibase", "update"]);
    } else if let Some(line) = (1..).zip(source.text.lines()).find(|(_, line)| line.contains("-- +goose Up"))
    {
        findings.migration(line.0, "goose-migration", "goose", &["goose", "-dir", &folder, "up"]);
    } else if name.ends_with(".up.sql") {
        findings.migration(1, "golang-migrate-file", "golang-migrate", &["migrate", "-path", &folder, "up"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{survives, what};

    #[test]
    fn files_tell_tool_and_folder() {
        for (path, text, wanted) in [
            (
                "a/db/migrations/001_x.sql",
                "-- +goose Up\n",
                "migration goose [goose -dir a/db/migrations up]",
            ),
            ("a/migrations/1_x.up.sql", "", "migration golang-migrate [migrate -path a/migrations up]"),
            ("a/Migrations/ShopModelSnapshot.cs", "", "migration ef-core [dotnet ef database update]"),
            ("a/flyway.conf", "", "migration flyway [flyway migrate]"),
            ("a/liquibase.properties", "", "migration liquibase [liquibase update]"),
        ] {
            assert_eq!(what(&[MIGRATIONS], path, text), [wanted], "{path}");
        }
        assert!(what(&[MIGRATIONS], "a/migrations/x.sql", "CREATE TABLE x;").is_empty());
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(&[MIGRATIONS], &["a/migrations/x.sql", "a/flyway.conf"]);
    }
}
