//! Recorded traces of databases: refused passwords, data of another version, migrations.

use super::*;

fn with_old_volume(mut facts: Facts, kind: &str) -> Facts {
    facts.system = vec![
        Member { service: "api".into(), kind: String::new(), waits_for: vec!["db".into()], old_volume: None },
        Member {
            service: "db".into(),
            kind: kind.into(),
            waits_for: Vec::new(),
            old_volume: Some(("shop_db-data".into(), "2026-11-21 10:00".into())),
        },
    ];
    facts
}

#[test]
fn refused_passwords_name_the_server_and_its_old_volume() {
    for (kind, log, of) in [
        (
            "postgres",
            "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"",
            " of the user `app`",
        ),
        (
            "mariadb",
            "ERROR 1045 (28000): Access denied for user 'app'@'172.18.0.3' (using password: YES)",
            " of the user `app`",
        ),
        (
            "rabbitmq",
            "pika.exceptions.ProbableAuthenticationError: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused'",
            "",
        ),
        ("mongodb", "MongoServerError: Authentication failed.", ""),
    ] {
        let found = known(&with_old_volume(ended(1, log), kind)).unwrap();
        assert_eq!(found.what, format!("`db` refuses the password{of}"));
        assert_eq!(
            found.why[0],
            "the volume `shop_db-data` is older than its container (2026-11-21 10:00) and remembers the password it was made with"
        );
        assert_eq!(
            found.fix,
            "put the old password back into integration/.env, or delete that data: cargo xtask reset db"
        );
    }
    let redis = with_old_volume(ended(1, "redis.exceptions.AuthenticationError: WRONGPASS invalid"), "redis");
    assert_eq!(known(&redis).unwrap().why[0], "what `api` logs in with is not what `db` was given");
    let log = "FATAL:  password authentication failed for user \"app\"";
    let mut mended = with_old_volume(ended(1, log), "postgres");
    let setup = Member {
        service: "setup".into(),
        kind: "setup".into(),
        waits_for: vec!["db".into()],
        old_volume: None,
    };
    mended.system.push(setup);
    assert!(!known(&mended).unwrap().why[0].contains("volume"), "its setup sets the password on each start");
    let mut server = with_old_volume(ended(1, log), "postgres");
    server.service = "db".to_owned();
    assert_eq!(what(&server), "", "the server's own log shows what others did");
}

#[test]
fn data_of_another_version_are_named() {
    assert_all(&[
        (
            ended(
                1,
                "FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 15, which is not compatible with this version 17.2 (Debian 17.2-1).",
            ),
            "its volume holds data of PostgreSQL 15, and it runs 17.2",
        ),
        (
            ended(
                1,
                "[ERROR] InnoDB: Unsupported redo log format. The redo log was created with MariaDB 11.8.2.",
            ),
            "its volume holds data of MariaDB 11.8.2, which this version cannot read",
        ),
        (
            ended(
                1,
                "[ERROR] [MY-014060] [Server] Invalid MySQL server downgrade: Cannot downgrade from 80036 to 80035. Target MySQL version 8.0.35",
            ),
            "its volume holds data of MySQL 80036, and it runs 80035",
        ),
        (
            ended(1, "1:M 22 Nov 2026 # Can't handle RDB format version 12"),
            "its volume holds data of another version of the server",
        ),
    ]);
}

/// A one-shot `api-migrate` that failed after it printed this: the cause, and what is quoted.
fn migrating(log: &str) -> (String, String) {
    let mut facts = ended(1, log);
    facts.service = "api-migrate".to_owned();
    facts.system.push(Member {
        service: facts.service.clone(),
        kind: "migrate".to_owned(),
        ..Member::default()
    });
    let found = known(&facts).unwrap_or_default();
    (found.what, found.why.first().cloned().unwrap_or_default())
}

#[test]
fn the_migration_that_failed_is_named_as_its_tool_names_it() {
    let syntax = "syntax error at or near \"CREAT\"";
    for (log, name, said) in [
        (
            "INFO:alembic.runtime.migration:Running upgrade 0001 -> 0002, add prices\nTraceback (most recent call last):\n  File \"/app/alembic/versions/0002_prices.py\", line 9, in upgrade\n    op.execute(\"CREAT\")\nsqlalchemy.exc.ProgrammingError: (psycopg.errors.SyntaxError) syntax error at or near \"CREAT\"\nLINE 1: CREAT\n[SQL: CREAT]",
            "the migration `0002_prices.py` failed at line 9",
            "sqlalchemy.exc.ProgrammingError: (psycopg.errors.SyntaxError) syntax error at or near \"CREAT\"",
        ),
        (
            "INFO  [alembic.runtime.migration] Running upgrade  -> 1a2b3c, first orders\nsqlalchemy.exc.OperationalError: (sqlite3.OperationalError) near \"CREAT\"",
            "the migration `1a2b3c` failed (first orders)",
            "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) near \"CREAT\"",
        ),
        (
            "Running migrations:\n  Applying shop.0001_initial... OK\n  Applying shop.0002_prices...Traceback (most recent call last):\n  File \"/app/manage.py\", line 4, in <module>\ndjango.db.utils.ProgrammingError: syntax error at or near \"CREAT\"",
            "the migration `shop.0002_prices` failed",
            "django.db.utils.ProgrammingError: syntax error at or near \"CREAT\"",
        ),
        (
            "Using environment: development\nmigration file \"0002_prices.js\" failed\nmigration failed with error: CREAT TABLE x - You have an error in your SQL syntax",
            "the migration `0002_prices.js` failed",
            "CREAT TABLE x - You have an error in your SQL syntax",
        ),
        (
            "== 20240102-prices: migrating =======\n\nERROR: syntax error at or near \"CREAT\"",
            "the migration `20240102-prices` failed",
            syntax,
        ),
        (
            "Applying migration `0002_prices`\nError: P3018\n\nA migration failed to apply.\n\nMigration name: 0002_prices\n\nDatabase error code: 42601\n\nDatabase error:\nERROR: syntax error at or near \"CREAT\"",
            "the migration `0002_prices` failed",
            "ERROR: syntax error at or near \"CREAT\"",
        ),
        (
            "Error: P3009\n\nmigrate found failed migrations in the target database\nThe `0002_prices` migration started at 2024-01-02 10:00:00 UTC failed",
            "the migration `0002_prices` failed",
            "The `0002_prices` migration started at 2024-01-02 10:00:00 UTC failed",
        ),
        (
            "Migration \"AddPrices1704189600000\" failed, error: syntax error at or near \"CREAT\"",
            "the migration `AddPrices1704189600000` failed",
            syntax,
        ),
        (
            "ERROR: Script V2__prices.sql failed\n---------\nSQL State  : 42601\nError Code : 0\nMessage    : ERROR: syntax error at or near \"CREAT\"\nLocation   : /migrations/V2__prices.sql\nLine       : 1",
            "the migration `V2__prices.sql` failed",
            "ERROR: syntax error at or near \"CREAT\"",
        ),
        (
            "liquibase.exception.LiquibaseException: Migration failed for changeset db/log.xml::2::ann:\n     Reason: liquibase.exception.DatabaseException: ERROR: syntax error at or near \"CREAT\"",
            "the migration `db/log.xml::2::ann` failed",
            "liquibase.exception.DatabaseException: ERROR: syntax error at or near \"CREAT\"",
        ),
        (
            "2024/01/02 10:00:00 Read and execute 2/u prices\n2024/01/02 10:00:00 error: migration failed: syntax error at or near \"CREAT\" (column 1) in line 1: CREAT",
            "the migration `2/u prices` failed",
            "migration failed: syntax error at or near \"CREAT\" (column 1) in line 1: CREAT",
        ),
        (
            "2024/01/02 10:00:00 error: Dirty database version 2. Fix and force version.",
            "the migration `2` failed",
            "Dirty database version 2. Fix and force version.",
        ),
        (
            "goose run: ERROR 00002_prices.sql: failed to run SQL migration: failed to execute SQL query \"CREAT\": ERROR: syntax error at or near \"CREAT\"",
            "the migration `00002_prices.sql` failed",
            "ERROR: syntax error at or near \"CREAT\"",
        ),
        (
            "error: while executing migration 20240102: error returned from database: syntax error at or near \"CREAT\"",
            "the migration `20240102` failed",
            "error returned from database: syntax error at or near \"CREAT\"",
        ),
        (
            "Running migration 2024-01-02-000000_prices\nFailed to run 2024-01-02-000000_prices with: syntax error at or near \"CREAT\"",
            "the migration `2024-01-02-000000_prices` failed",
            syntax,
        ),
        (
            "  2024_01_02_000000_prices ................ 12.3ms FAIL\n\n   Illuminate\\Database\\QueryException\n\n  SQLSTATE[42601]: Syntax error: 7 ERROR:  syntax error at or near \"CREAT\"",
            "the migration `2024_01_02_000000_prices` failed",
            "SQLSTATE[42601]: Syntax error: 7 ERROR:  syntax error at or near \"CREAT\"",
        ),
        (
            "== 20240102000000 AddPrices: migrating ======\nbin/rails aborted!\nStandardError: An error has occurred, this and all later migrations canceled:\n\nPG::SyntaxError: ERROR:  syntax error at or near \"CREAT\"",
            "the migration `20240102000000 AddPrices` failed",
            "PG::SyntaxError: ERROR:  syntax error at or near \"CREAT\"",
        ),
        (
            "10:00:00.000 [info] == Running 20240102000000 Shop.Repo.Migrations.AddPrices.change/0 forward\n** (Postgrex.Error) ERROR 42601 (syntax_error) syntax error at or near \"CREAT\"",
            "the migration `20240102000000 Shop.Repo.Migrations.AddPrices` failed",
            "(Postgrex.Error) ERROR 42601 (syntax_error) syntax error at or near \"CREAT\"",
        ),
        (
            "Applying migration '20240102_AddPrices'.\nFailed executing DbCommand (3ms)\nNpgsql.PostgresException (0x80004005): 42601: syntax error at or near \"CREAT\"",
            "the migration `20240102_AddPrices` failed",
            "Npgsql.PostgresException (0x80004005): 42601: syntax error at or near \"CREAT\"",
        ),
    ] {
        let (what, why) = migrating(log);
        assert_eq!(what, name, "{log}");
        assert!(why.starts_with(&format!("| {said}")), "{why}\n{said}");
    }
}

#[test]
fn a_migration_that_went_well_is_not_blamed() {
    for log in [
        "== 20240102-prices: migrating =======\n== 20240102-prices: migrated (0.02s)\n\nERROR: something else",
        "Running migrations:\n  Applying shop.0001_initial... OK\nboom",
    ] {
        assert_eq!(migrating(log).0, "", "{log}");
    }
    // A service has done more than that when it ends.
    let log = "INFO:alembic.runtime.migration:Running upgrade 0001 -> 0002, add prices\nstarted\nboom";
    assert_eq!(what(&ended(1, log)), "");
}
