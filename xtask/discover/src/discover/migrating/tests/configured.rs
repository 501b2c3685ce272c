//! What Flyway and Liquibase are told, and in which dialect migrations are written.

use super::*;

/// What is said of a service with plain files for a tool of their own.
fn plain_files(files: &str) -> String {
    told(&format!("//- /api/Dockerfile\nFROM scratch\nCMD [\"/api\"]\n{files}")).0
}

#[test]
fn flyway_is_told_what_its_file_tells_it_or_does_not_run() {
    let of = |conf: &str| plain_files(&format!("//- /api/flyway.conf\n{conf}\n//- /api/sql/V1__x.sql\n-\n"));
    let run = |options: &str| {
        format!("-locations=filesystem:/migrations -connectRetries=10 {options}migrate over api/sql")
    };
    let refused =
        |key: &str| format!("api/flyway.conf configures `{key}`, which a run from outside cannot take over");
    assert_eq!(
        of("# ours\nflyway.url=jdbc:postgresql://db/x\nflyway.user = x\nflyway.locations=filesystem:sql"),
        run("")
    );
    assert_eq!(
        of("flyway.placeholders.owner=app\nflyway.table=history\nflyway.outOfOrder="),
        run("-placeholders.owner=app -table=history ")
    );
    // Of another container, its variables would be others.
    assert_eq!(of("flyway.placeholders.owner=${OWNER}"), refused("placeholders.owner"));
    assert_eq!(of("flyway.sqlMigrationPrefix=M"), refused("sqlMigrationPrefix"));
    assert_eq!(of("flyway.locations=s3:bucket/x"), refused("locations"));
    assert_eq!(of("flyway.locations=filesystem:elsewhere"), refused("locations"));
    // A schema of PostgreSQL is one, a schema of MySQL is a database, whose name may be another one here.
    assert_eq!(of("flyway.url=jdbc:postgresql://db/x\nflyway.schemas=shop"), run("-schemas=shop "));
    assert_eq!(of("flyway.url=jdbc:mysql://db/x\nflyway.schemas=shop"), refused("schemas"));
}

#[test]
fn the_locations_of_flyway_are_found() {
    let toml = |text: &str| {
        plain_files(&format!(
            "//- /api/flyway.toml\n[flyway]\n{text}\n[flyway.placeholders]\nowner = \"app\"\n\
             [environments.default]\nurl = \"jdbc:postgresql://db/x\"\n[flywayDesktop]\ndevelopmentEnvironment = \"x\"\n\
             //- /api/sql/a/V1__x.sql\n-\n//- /api/sql/b/V2__x.sql\n-\n\
             //- /api/src/main/resources/db/migration/V1__x.sql\n-\n"
        ))
    };
    let run = |locations: &str, over: &str| {
        format!("-locations={locations} -connectRetries=10 -placeholders.owner=app migrate over {over}")
    };
    let one = "filesystem:/migrations";
    assert_eq!(toml("locations = [\"filesystem:sql\"]"), run(one, "api/sql"));
    assert_eq!(
        toml("locations = [\"filesystem:api/sql/b\"]"),
        run(one, "api/sql/b"),
        "from the folder above"
    );
    assert_eq!(toml("locations = [\"filesystem:/flyway/a\"]"), run(one, "api/sql/a"), "in some container");
    assert_eq!(
        toml("locations = [\"classpath:db/migration\"]"),
        run(one, "api/src/main/resources/db/migration")
    );
    assert_eq!(
        toml("locations = [\"filesystem:sql/a\", \"filesystem:sql/b\"]"),
        run("filesystem:/migrations/sql/a,filesystem:/migrations/sql/b", "api")
    );
    assert_eq!(toml(""), "it keeps migrations in several folders");
}

#[test]
fn liquibase_is_told_what_its_properties_tell_it_or_does_not_run() {
    let of = |properties: &str| {
        plain_files(&format!(
            "//- /api/liquibase.properties\nchangeLogFile: log.xml\nurl: jdbc:postgresql://db/x\n{properties}\n\
             //- /api/log.xml\n-\n"
        ))
    };
    let run = |options: &str| {
        format!("--search-path=/migrations --changelog-file=log.xml update{options} over api")
    };
    let refused = |key: &str| {
        format!("api/liquibase.properties configures `{key}`, which a run from outside cannot take over")
    };
    assert_eq!(of("classpath: lib/postgresql-42.7.jar\nreferenceUrl: jdbc:x\nlogLevel: info"), run(""));
    assert_eq!(
        of("contexts: prod\nlabelFilter: v1\nparameter.owner: app"),
        run(" --context-filter=prod --label-filter=v1 -Downer=app")
    );
    assert_eq!(of("liquibase.command.contexts=test,dev"), run(" --context-filter=test,dev"));
    assert_eq!(of("parameter.owner: ${OWNER}"), refused("parameter.owner"));
    assert_eq!(of("defaultSchemaName: shop"), refused("defaultSchemaName"));
    assert_eq!(of("classpath: lib/changes.jar"), refused("classpath"));
}

#[test]
fn the_dialect_of_migrations_is_in_their_place_or_their_words() {
    let of = |path: &str, sql: &str| {
        let tree =
            format!("//- /api/Dockerfile\nFROM scratch\nCMD [\"/api\"]\n//- /api/{path}/1_x.up.sql\n{sql}\n");
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        facts.services[0].migration.as_ref().and_then(|run| run.dialect)
    };
    assert_eq!(of("migrations", "CREATE TABLE x (id BIGSERIAL, at timestamptz);"), Some("postgres"));
    assert_eq!(of("migrations", "CREATE TABLE x (id INT AUTO_INCREMENT);"), Some("mysql"));
    assert_eq!(of("migrations", "CREATE TABLE x (id UNIQUEIDENTIFIER);"), Some("sqlserver"));
    assert_eq!(of("migrations", "CREATE TABLE x (id INT);"), None);
    assert_eq!(of("migrations", "-- jsonb\nCREATE TABLE x (id INT AUTO_INCREMENT);"), None);
    assert_eq!(of("migrations/mysql", "CREATE TABLE x (id INT);"), Some("mysql"));
    assert_eq!(of("postgres/migrations", "CREATE TABLE x (id INT);"), Some("postgres"));
}
