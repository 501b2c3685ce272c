//! Recorded traces of what a program says of itself, and of what ends it: variables, programs, libraries, memory, scripts.

use super::*;
use crate::run::diagnose::anatomy::Mount;
use crate::run::diagnose::facts::Program;

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
