//! Recorded traces of every family, through the whole table: each finds its cause, and an unknown fault finds none.

use super::*;
use crate::run::diagnose::anatomy::Mount;
use crate::run::diagnose::facts::{Member, Program};
use crate::run::diagnose::places::Places;
use crate::run::diagnose::tests::facts;
use crate::run::listeners::Listener;
use crate::run::wait::Cause;

const COMPOSE: &str = "services:\n  api:\n    build: ../api\n    environment:\n      PORT: \"3000\"\n      DB_HOST: dbb\n    ports:\n      - \"3000:3000\"\n    healthcheck:\n      test: x\n    mem_limit: 32m\n";

/// A service `api` of the monorepo that ended with this code after it printed this.
fn ended(code: i32, log: &str) -> Facts {
    let mut facts = facts(Some(Cause::Exited(code)));
    facts.log = log.lines().map(str::to_owned).collect();
    facts.anatomy.folder = "/app".to_owned();
    facts.anatomy.env = [("PORT", "3000"), ("DB_HOST", "dbb"), ("EMPTY_KEY", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let file = ("integration/docker-compose.yml".to_owned(), COMPOSE.to_owned());
    let dockerfile = "FROM a\nCOPY . .\nRUN pip install x\nCMD [\"run\"]\n".to_owned();
    let dockerfile = Some(("api/Dockerfile".to_owned(), dockerfile));
    facts.places = Places::new("api", vec![file], dockerfile, Some("integration/config.yaml".to_owned()));
    facts.system.push(Member { service: "db".to_owned(), kind: "postgres".to_owned(), ..Member::default() });
    facts
}

/// A service that runs and whose check failed with this output.
fn unhealthy(output: &str) -> Facts {
    let mut facts = ended(0, "listening");
    facts.cause = Some(Cause::Unhealthy);
    facts.details.check_exit_code = Some(1);
    facts.details.check_output = output.to_owned();
    facts.details.failing_streak = 3;
    facts.port = Some(3000);
    if let Some(container) = &mut facts.container {
        container.labels.health = Some(crate::run::labels::Health::Http(3000, "/health".to_owned()));
    }
    facts
}

fn what(facts: &Facts) -> String {
    known(facts).map(|known| known.what).unwrap_or_default()
}

#[track_caller]
fn assert_all(cases: &[(Facts, &str)]) {
    for (facts, wanted) in cases {
        assert_eq!(what(facts), *wanted, "{:?} {:?}", facts.log, facts.details.error);
    }
}

#[test]
fn variables_are_missed_in_every_language() {
    let not_set = "the variable `DATABASE_URL` is not set";
    for log in [
        "  File \"/app/a.py\", line 3, in <module>\n    os.environ[\"DATABASE_URL\"]\n  File \"<frozen os>\", line 685, in __getitem__\nKeyError: 'DATABASE_URL'",
        "Error: DATABASE_URL is not set\n    at Object.<anonymous> (/app/server.js:3:9)\n\nNode.js v20.1.0",
        "Error: Missing required environment variable: DATABASE_URL",
        "Error: missing environment variable DATABASE_URL",
        "thread 'main' panicked at src/main.rs:5:10:\nDATABASE_URL must be set: NotPresent",
        "panic: environment variable DATABASE_URL is not set",
        "2026/11/22 10:00:00 DATABASE_URL is required",
        "/entrypoint.sh: line 3: DATABASE_URL: unbound variable",
        "sh: DATABASE_URL: parameter not set",
        "/usr/lib/ruby/env.rb:3:in `fetch': key not found: \"DATABASE_URL\" (KeyError)",
        "** (RuntimeError) could not fetch environment variable \"DATABASE_URL\" because it is not set",
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndatabase_url\n  Field required [type=missing, input_value={}, input_type=dict]",
        "Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'DATABASE_URL' in value \"${DATABASE_URL}\"",
        "Could not resolve placeholder 'database.url' in value \"${database.url}\"",
    ] {
        assert_eq!(what(&ended(1, log)), not_set, "{log}");
    }
    assert_eq!(what(&ended(1, "EMPTY_KEY must be set")), "the variable `EMPTY_KEY` is empty");
    let known = known(&ended(1, "DATABASE_URL is not set")).unwrap();
    assert_eq!(known.at, ["integration/docker-compose.yml:4"]);
    assert_eq!(
        known.fix,
        "set services.api.env.DATABASE_URL in integration/config.yaml, then: cargo xtask integrate && cargo xtask up"
    );
}

#[test]
fn what_only_looks_like_a_missing_variable_is_none() {
    for log in [
        "KeyError: 'DATABASE_URL'",
        "PORT is not set",
        "code: 'MODULE_NOT_FOUND' is required",
        "Error [ERR_REQUIRE_ESM]: require() of ES Module is not supported",
        "constraint FK_ORDERS_USER is missing",
        "TLS is required",
    ] {
        assert_eq!(what(&ended(1, log)), "", "{log}");
    }
    assert_eq!(what(&ended(0, "DATABASE_URL is not set")), "", "it ended well");
}

#[test]
fn programs_that_cannot_be_run_are_told_apart() {
    let tini = |error: &str| format!("[FATAL tini (7)] exec /app/run.sh failed: {error}");
    let with = |mut facts: Facts, program: Program| {
        facts.program = program;
        facts
    };
    let script =
        |interpreter: &str, windows| Program::Script { interpreter: interpreter.to_owned(), windows };
    let mut created = ended(127, "");
    created.cause = Some(Cause::NotStarted);
    created.details.error = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: \
        unable to start container process: exec: \"gunicorn\": executable file not found in $PATH: unknown".to_owned();
    let mut arm = ended(255, "exec /usr/local/bin/node: exec format error");
    arm.anatomy.architecture = "arm64".to_owned();
    assert_all(&[
        (created, "the command `gunicorn` is not in its image"),
        (
            with(ended(127, &tini("No such file or directory")), Program::Missing),
            "the command `/app/run.sh` is not in its image",
        ),
        (
            with(ended(127, &tini("No such file or directory")), script("/bin/bash", false)),
            "`/app/run.sh` is a script for `/bin/bash`, which is not in its image",
        ),
        (
            with(ended(127, &tini("No such file or directory")), script("/bin/sh", true)),
            "`/app/run.sh` has the line ends of Windows, so that its first line names no program",
        ),
        (
            with(ended(127, "exec /app/run: no such file or directory"), Program::Compiled(Some("amd64"))),
            "`/app/run` needs a C library that its image does not have",
        ),
        (ended(126, &tini("Permission denied")), "`/app/run.sh` is not executable"),
        (ended(126, "/bin/sh: 1: /app/run.sh: Permission denied"), "`/app/run.sh` is not executable"),
        (ended(127, "/bin/sh: 1: gunicorn: not found"), "the command `gunicorn` is not in its image"),
        (ended(127, "sh: gunicorn: not found"), "the command `gunicorn` is not in its image"),
        (
            ended(127, "bash: line 1: gunicorn: command not found"),
            "the command `gunicorn` is not in its image",
        ),
        (
            with(ended(126, &tini("Exec format error")), Program::Other),
            "`/app/run.sh` is no program: its first line does not say what runs it",
        ),
        (
            with(ended(255, "exec /app/run: exec format error"), Program::Compiled(Some("arm64"))),
            "`/app/run` is made for arm64, and this engine runs on amd64",
        ),
        (arm, "its image is made for arm64, and this engine runs on amd64"),
        (ended(1, "gunicorn: not found"), ""),
    ]);
}

#[test]
fn libraries_files_and_modules_are_missed() {
    assert_all(&[
        (
            ended(
                127,
                "/app/run: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
            ),
            "the shared library `libpq.so.5` is not in its image",
        ),
        (
            ended(
                127,
                "Error loading shared library libssl.so.3: No such file or directory (needed by /app/run)",
            ),
            "the shared library `libssl.so.3` is not in its image",
        ),
        (
            ended(1, "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"),
            "the shared library `libGL.so.1` is not in its image",
        ),
        (
            ended(
                1,
                "/app/run: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /app/run)",
            ),
            "it was built against glibc 2.38, and its image has an older one",
        ),
        (
            ended(2, "python3: can't open file '/app/main.py': [Errno 2] No such file or directory"),
            "the file `/app/main.py` is not in its image",
        ),
        (
            ended(1, "Error: Cannot find module '/app/server.js'\n  code: 'MODULE_NOT_FOUND',"),
            "the file `/app/server.js` is not in its image",
        ),
        (
            ended(1, "FileNotFoundError: [Errno 2] No such file or directory: 'config.yml'"),
            "the file `/app/config.yml` is not in its image",
        ),
        (
            ended(1, "2026/11/22 open config.json: no such file or directory"),
            "the file `/app/config.json` is not in its image",
        ),
        (ended(1, "Error: Unable to access jarfile app.jar"), "the file `/app/app.jar` is not in its image"),
        (ended(1, "ModuleNotFoundError: No module named 'flask'"), "the module `flask` is not in its image"),
        (ended(1, "Error: Cannot find module 'express'"), "the module `express` is not in its image"),
    ]);
    let mut mounted = ended(1, "FileNotFoundError: [Errno 2] No such file or directory: '/data/seed.csv'");
    let mount = Mount { kind: "bind".into(), source: "/nowhere/seeds".into(), target: "/data".into() };
    mounted.anatomy.mounts.push(mount);
    let found = known(&mounted).unwrap();
    assert_eq!(found.what, "the file `/data/seed.csv` is not in what is mounted there");
    assert_eq!(found.fix, "put it into seeds, then: cargo xtask up");
}

#[test]
fn a_program_that_is_mounted_is_mended_on_this_machine_and_not_in_an_image() {
    for (code, log, what, fix) in [
        (
            126,
            "sh: /code/run.sh: Permission denied",
            "`/code/run.sh` is not executable",
            "chmod +x scripts/run.sh",
        ),
        (
            127,
            "sh: /code/run.sh: not found",
            "the command `/code/run.sh` is not in what is mounted there",
            "make scripts/run.sh, or correct the command",
        ),
    ] {
        let mut facts = ended(code, log);
        let mount = Mount { kind: "bind".into(), source: "/nowhere/scripts".into(), target: "/code".into() };
        facts.anatomy.mounts.push(mount);
        let found = known(&facts).unwrap();
        assert_eq!((found.what.as_str(), found.fix), (what, format!("{fix}, then: cargo xtask up")));
    }
}

#[test]
fn memory_is_blamed_only_where_it_ran_out() {
    let mut killed = ended(137, "");
    assert_eq!(what(&killed), "", "137 alone says nothing");
    killed.details.out_of_memory = true;
    killed.anatomy.memory = 32 << 20;
    let found = known(&killed).unwrap();
    assert_eq!(found.what, "its memory ran out");
    assert_eq!(found.at, ["integration/docker-compose.yml:11"]);
    assert_eq!(found.why, ["the kernel killed it (SIGKILL) at its limit of 32 MiB"]);
    assert_all(&[
        (
            ended(134, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
            "the heap of Node.js ran out",
        ),
        (
            ended(3, "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space"),
            "the heap of Java ran out",
        ),
    ]);
}

/// `api` waits for `db`, whose volume is older than its container.
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

#[test]
fn scripts_are_named_with_file_and_line() {
    let bind = |target: &str| Mount {
        kind: "bind".into(),
        source: "/nowhere/integration/init-scripts/db".into(),
        target: target.into(),
    };
    let with = |log: &str, target: &str| {
        let mut facts = ended(3, log);
        facts.anatomy.mounts.push(bind(target));
        known(&facts).unwrap()
    };
    let psql = with(
        "psql:/init-scripts/02-create-users.sql:5: ERROR:  syntax error at or near \"CREAT\"\nLINE 1: CREAT",
        "/init-scripts",
    );
    assert_eq!(psql.what, "`02-create-users.sql` failed at line 5");
    assert_eq!(psql.at, ["integration/init-scripts/db/02-create-users.sql:5"]);
    assert_eq!(psql.why, ["| ERROR:  syntax error at or near \"CREAT\""]);
    assert_eq!(psql.fix, "correct it, then: cargo xtask up");
    let maria = with(
        "--------------\nCREAT TABLE x\n--------------\n\nERROR 1064 (42000) at line 3: You have an error\nin /init-scripts/01-create.sql",
        "/init-scripts",
    );
    assert_eq!(maria.at, ["integration/init-scripts/db/01-create.sql:3"]);
    let first = with(
        "2026-11-22 [Note] [Entrypoint]: /usr/local/bin/docker-entrypoint.sh: running /docker-entrypoint-initdb.d/seed.sql\nERROR 1146 (42S02) at line 2: Table 'x' doesn't exist",
        "/docker-entrypoint-initdb.d/",
    );
    assert_eq!(first.at, ["integration/init-scripts/db/seed.sql:2"]);
    assert_eq!(first.fix, "correct it, then: cargo xtask reset api");
    let shell = with(
        "/docker-entrypoint-initdb.d/a.sh: line 3: creatdb: command not found",
        "/docker-entrypoint-initdb.d",
    );
    assert_eq!(shell.what, "`a.sh` failed at line 3");
    assert_eq!(
        what(&ended(1, "psql:/tmp/x.sql:5: ERROR: no")),
        "",
        "a file of the image is none of the setup"
    );
}

#[test]
fn space_hosts_and_rights_are_missed() {
    let mut tmpfs = ended(1, "OSError: [Errno 28] No space left on device: '/scratch/a'");
    tmpfs.anatomy.mounts.push(Mount {
        kind: "tmpfs".into(),
        source: String::new(),
        target: "/scratch".into(),
    });
    let mut owned = ended(1, "Error: EACCES: permission denied, mkdir '/data/x'");
    owned.anatomy.user = "node".to_owned();
    owned.anatomy.mounts.push(Mount {
        kind: "volume".into(),
        source: "shop_data".into(),
        target: "/data".into(),
    });
    assert_all(&[
        (tmpfs, "no space is left in `/scratch`, which lies in memory"),
        (ended(1, "sh: write error: No space left on device"), "it found no space left on the disk"),
        (
            ended(1, "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'"),
            "this machine's limit of watched files is reached",
        ),
        (owned, "its user `node` has no right to `/data/x`"),
        (
            ended(1, "Error: getaddrinfo ENOTFOUND dbb"),
            "it looks for the host `dbb`, which its networks do not know",
        ),
        (
            ended(1, "nginx: [emerg] host not found in upstream \"apj\" in /etc/nginx/conf.d/default.conf:3"),
            "it looks for the host `apj`, which its networks do not know",
        ),
    ]);
    let host = known(&ended(
        1,
        "psycopg2: could not translate host name \"dbb\" to address: Name or service not known",
    ))
    .unwrap();
    assert_eq!(host.at, ["integration/docker-compose.yml:6"]);
    assert_eq!(
        host.fix,
        "name a service of integration/docker-compose.yml instead (did you mean `db`?), then: cargo xtask up"
    );
}

#[test]
fn answers_and_listeners_are_read_from_outside() {
    let listener = |address: &str, port| Listener { address: address.parse().unwrap(), port };
    let listening = |mut facts: Facts, listeners: &[Listener]| {
        facts.listeners = Some(listeners.to_vec());
        facts
    };
    let refused = "wget: can't connect to remote host (127.0.0.1): Connection refused";
    let mut late_once = unhealthy("Health check exceeded timeout (3s)");
    late_once.details.earlier_checks = vec!["HTTP 404".to_owned()];
    assert_all(&[
        (late_once, "its health check gets 404 from `/health`"),
        (unhealthy("HTTP 404"), "its health check gets 404 from `/health`"),
        (
            unhealthy("curl: (22) The requested URL returned error: 500"),
            "its health check gets 500 from `/health`",
        ),
        (
            unhealthy("Health check exceeded timeout (3s)"),
            "its health check gets no answer in time from `/health`",
        ),
        (unhealthy(refused), ""),
        (listening(unhealthy(refused), &[]), ""),
        (
            listening(unhealthy(refused), &[listener("0.0.0.0", 8080)]),
            "it listens on port 8080 and not on 3000",
        ),
        (
            listening(unhealthy(refused), &[listener("127.0.0.1", 3000)]),
            "it listens on 127.0.0.1:3000 in its container, where nobody else reaches it",
        ),
        (listening(unhealthy(refused), &[listener("127.0.0.1", 3000), listener("::", 3000)]), ""),
        (listening(unhealthy(refused), &[listener("127.0.0.1", 9229)]), ""),
        (listening(unhealthy(refused), &[listener("0.0.0.0", 8080), listener("::", 8081)]), ""),
    ]);
}

#[test]
fn what_a_running_service_has_complained_of_long_ago_is_no_cause() {
    let complaint = "Error: getaddrinfo ENOTFOUND dbb";
    let mut facts = unhealthy("");
    facts.log = vec![complaint.to_owned()];
    assert_eq!(what(&facts), "it looks for the host `dbb`, which its networks do not know");
    facts.log.extend((0..10).map(|n| format!("served {n}")));
    assert_eq!(what(&facts), "");
}

#[test]
fn what_keeps_the_engine_from_starting_a_container_is_named() {
    let not_started = |error: &str| {
        let mut facts = ended(128, "");
        facts.cause = Some(Cause::NotStarted);
        facts.details.error = error.to_owned();
        facts
    };
    assert_all(&[
        (
            not_started(
                "driver failed programming external connectivity on endpoint shop-api-1 (1): Bind for 127.0.0.1:3000 failed: port is already allocated",
            ),
            "the host port 3000 is taken by another program",
        ),
        (
            not_started(
                "driver failed programming external connectivity: Error starting userland proxy: listen tcp4 127.0.0.1:3000: bind: address already in use",
            ),
            "the host port 3000 is taken by another program",
        ),
        (
            not_started(
                "error mounting \"/nowhere/nginx.conf\" to rootfs at \"/etc/nginx.conf\": mount: not a directory: unknown",
            ),
            "`nginx.conf`, which is mounted into it, is not the file that is expected",
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

#[test]
fn an_unknown_fault_gets_no_cause() {
    for log in [
        "",
        "boom",
        "Error: something is wrong\n    at main (/app/server.js:1:1)",
        "panic: runtime error: index out of range [3] with length 3",
        "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in <module>\nZeroDivisionError: division by zero",
        "thread 'main' panicked at src/main.rs:2:5:\nexplicit panic",
        "java.lang.NullPointerException\n\tat Main.main(Main.java:3)",
        "Segmentation fault",
        "connect ECONNREFUSED 172.18.0.2:5432",
        "ERROR: relation \"users\" does not exist",
        "404 not found",
    ] {
        for code in [1, 2, 126, 127, 137, 139, 143, 255] {
            assert_eq!(what(&ended(code, log)), "", "{code} {log}");
        }
    }
}

#[test]
fn every_known_cause_says_what_to_do() {
    for facts in
        [ended(1, "DATABASE_URL is not set"), unhealthy("HTTP 404"), ended(1, "Cannot find module 'a'")]
    {
        let found = known(&facts).unwrap();
        assert!(found.fix.contains("cargo xtask"), "{found:?}");
        assert!(found.why.len() + found.at.len() <= 4, "{found:?}");
    }
}
