//! Databases whose volumes remember: an old password, another version; and scripts that fail.

use std::time::{Duration, Instant};

use crate::lab::{Lab, beside, docker, until};
use crate::system::{assert_up_says, first_lines, system, up_fails};

const POSTGRES: [&str; 2] = ["postgres:15", "postgres:17"];
const MARIADB: [&str; 2] = ["mariadb:11.8", "mariadb:10.11"];
const REDIS: &str = "redis:8";
const VALKEY: &str = "valkey/valkey:8";
const PYTHON: &str = "python:3.13-slim";

const SERVICES: &str = "services:
  db:
    image: postgres:15
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: \"${PASSWORD}\" }
    volumes: [db-data:/var/lib/postgresql/data]
    healthcheck: { test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 1s, retries: 60 }
  maria:
    image: mariadb:11.8
    environment: { MARIADB_USER: app, MARIADB_DATABASE: app, MARIADB_PASSWORD: \"${PASSWORD}\", MARIADB_RANDOM_ROOT_PASSWORD: \"1\" }
    volumes: [maria-data:/var/lib/mysql]
    healthcheck: { test: [CMD, healthcheck.sh, --connect, --innodb_initialized], interval: 1s, retries: 60 }
  cache:
    image: redis:8
    command: [redis-server, --requirepass, right]
    healthcheck: { test: [CMD, redis-cli, -a, right, ping], interval: 1s, retries: 60 }
  sessions:
    image: redis:8
    volumes: [sessions-data:/data]
    healthcheck: { test: [CMD-SHELL, redis-cli ping || valkey-cli ping], interval: 1s, retries: 60 }
  ledger:
    image: postgres:17
    command: [psql, \"postgresql://app:${PASSWORD}@db/app\", -c, SELECT 1]
    depends_on: { db: { condition: service_healthy } }
  shop:
    image: mariadb:10.11
    command: [mariadb, --host=maria, --user=app, \"--password=${PASSWORD}\", --skip-ssl, -e, SELECT 1]
    depends_on: { maria: { condition: service_healthy } }
  cart:
    image: redis:8
    command: [redis-cli, -e, -h, cache, -a, wrong, --no-auth-warning, PING]
    depends_on: { cache: { condition: service_healthy } }
  seed:
    image: postgres:17
    command: [psql, --quiet, --set=ON_ERROR_STOP=1, \"postgresql://app:${PASSWORD}@db/app\", --file=/scripts/01-tables.sql]
    volumes: [\"./scripts:/scripts:ro\"]
    depends_on: { db: { condition: service_healthy } }
volumes:
  db-data:
  maria-data:
  sessions-data:
";

fn with_password(lab: &Lab, password: &str) {
    let project = lab.project();
    lab.write("integration/.env", format!("COMPOSE_PROJECT_NAME={project}\nPASSWORD={password}\n"));
}

/// Starts a service by hand, so that nothing is asked before its container has ended.
fn start_by_hand(lab: &Lab, service: &str) {
    let (file, env_file) =
        (lab.root.join("integration/docker-compose.yml"), lab.root.join("integration/.env"));
    let (file, env_file) = (file.to_string_lossy(), env_file.to_string_lossy());
    docker(&[
        "compose",
        "-f",
        &file,
        "--env-file",
        &env_file,
        "-p",
        &lab.project(),
        "up",
        "--detach",
        service,
    ]);
    until("the end of the container", || {
        let format = "{{.Label \"com.docker.compose.service\"}} {{.State}}";
        lab.containers(format).contains(&format!("{service} exited"))
    });
}

#[test]
fn old_volumes_that_refuse_a_password_or_a_version_are_named() {
    let files =
        [("integration/scripts/01-tables.sql", "CREATE TABLE a (id int);\n\nCREAT TABLE b (id int);\n")];
    let images = [POSTGRES[0], POSTGRES[1], MARIADB[0], MARIADB[1], REDIS, VALKEY];
    let Some(lab) = beside(&images, || system("volumes", SERVICES, &files)) else { return };
    let began = Instant::now();
    with_password(&lab, "old");
    lab.xtask(&["up", "db", "maria", "sessions"]).exits(0);
    assert_up_says(
        &lab,
        &["seed"],
        "error: `seed` ended with exit code 3: `01-tables.sql` failed at line 3
  at integration/scripts/01-tables.sql:3
  why: | ERROR:  syntax error at or near \"CREAT\"
  fix: correct it, then: cargo xtask up",
    );
    lab.xtask(&["down"]).exits(0);
    with_password(&lab, "new");
    until("the volumes to be older than what is started together", || {
        began.elapsed() > Duration::from_secs(15)
    });

    for (service, server, code, said) in [
        ("ledger", "db", 2, "FATAL:  password authentication failed for user \"app\""),
        ("shop", "maria", 1, "ERROR 1045 (28000): Access denied for user 'app'@"),
    ] {
        let up = up_fails(&lab, &[service]);
        let first = first_lines(&up.stderr);
        let volume = format!("{}_{server}-data", lab.project());
        let lines: Vec<&str> = first.lines().collect();
        assert_eq!(
            lines[0],
            format!(
                "error: `{service}` ended with exit code {code}: `{server}` refuses the password of the user `app`"
            ),
            "{}",
            up.stderr
        );
        assert!(
            lines[2].starts_with(&format!("  why: the volume `{volume}` is older than its container (")),
            "{first}"
        );
        assert!(lines[2].ends_with(") and remembers the password it was made with"), "{first}");
        assert!(lines[3].contains(said), "{first}");
        assert_eq!(
            lines[4],
            format!(
                "  fix: put the old password back into integration/.env, or delete that data: cargo xtask reset {server}"
            )
        );
    }
    let cart = up_fails(&lab, &["cart"]);
    let first = first_lines(&cart.stderr);
    assert!(
        first.starts_with("error: `cart` ended with exit code 1: `cache` refuses the password\n"),
        "{}",
        cart.stderr
    );
    assert!(first.ends_with("  fix: compare the two: cargo xtask env show cart"), "{first}");

    lab.xtask(&["down"]).exits(0);
    let newer = lab.read("integration/docker-compose.yml").replace(POSTGRES[0], POSTGRES[1]);
    lab.write(
        "integration/docker-compose.yml",
        newer.replacen("sessions:\n    image: redis:8", "sessions:\n    image: valkey/valkey:8", 1),
    );
    start_by_hand(&lab, "sessions");
    let health = lab.xtask(&["health"]).exits(1);
    assert!(
        first_lines(&health.stderr).starts_with(&format!(
            "error: `sessions` ended with exit code 1: its volume holds data of another version of the server
  at integration/docker-compose.yml:17
  why: the volume `{}_sessions-data` outlives its containers
",
            lab.project()
        )),
        "{}",
        health.stderr
    );
    docker(&["rm", "--force", &format!("{}-sessions-1", lab.project())]);
    start_by_hand(&lab, "db");
    let health = lab.xtask(&["health"]).exits(1);
    let first = first_lines(&health.stderr);
    let lines: Vec<&str> = first.lines().collect();
    assert!(
        lines[0].starts_with(
            "error: `db` ended with exit code 1: its volume holds data of PostgreSQL 15, and it runs 17"
        ),
        "{}",
        health.stderr
    );
    assert_eq!(lines[1], "  at integration/docker-compose.yml:3");
    assert_eq!(lines[2], format!("  why: the volume `{}_db-data` outlives its containers", lab.project()));
    assert_eq!(lines[4], "       ledger and seed wait for it");
    assert_eq!(
        lines[5],
        "  fix: go back to version 15 in integration/docker-compose.yml, or delete that data: cargo xtask reset db"
    );
}

#[test]
fn a_script_of_the_first_start_that_fails_is_named_with_its_line() {
    let services = "services:
  db:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: x }
    volumes: [\"./init:/docker-entrypoint-initdb.d:ro\"]
    healthcheck: { test: [CMD, pg_isready, -h, 127.0.0.1], interval: 1s, retries: 60 }
  maria:
    image: mariadb:11.8
    environment: { MARIADB_ROOT_PASSWORD: x, MARIADB_DATABASE: app }
    volumes: [\"./init-maria:/docker-entrypoint-initdb.d:ro\"]
    healthcheck: { test: [CMD, healthcheck.sh, --connect, --innodb_initialized], interval: 1s, retries: 60 }
";
    let files = [
        ("integration/init/01-shop.sql", "CREATE TABLE a (id int);\nINSERT INTO b VALUES (1);\n"),
        ("integration/init-maria/seed.sql", "CREATE TABLE a (id int);\n\n\nINSERT INTO b VALUES (1);\n"),
    ];
    let Some(lab) = beside(&[POSTGRES[1], MARIADB[0]], || system("scripts", services, &files)) else {
        return;
    };
    assert_up_says(
        &lab,
        &["db"],
        "error: `db` ended with exit code 3: `01-shop.sql` failed at line 2
  at integration/init/01-shop.sql:2
  why: | ERROR:  relation \"b\" does not exist
  fix: correct it, then: cargo xtask reset db",
    );
    assert_up_says(
        &lab,
        &["maria"],
        "error: `maria` ended with exit code 1: `seed.sql` failed at line 4
  at integration/init-maria/seed.sql:4
  why: | ERROR 1146 (42S02) at line 4: Table 'app.b' doesn't exist
  fix: correct it, then: cargo xtask reset maria",
    );
}

#[test]
fn a_password_that_was_never_given_and_a_full_file_system_are_named() {
    let services = "services:
  db:
    image: postgres:17
  maria:
    image: mariadb:11.8
  scratch:
    image: redis:8
    command: [sh, -c, \"dd if=/dev/zero of=/scratch/big bs=1M count=8\"]
    tmpfs: [\"/scratch:size=1m\"]
  disk:
    image: python:3.13-slim
    command: [python, -c, \"f = open('/dev/full', 'w'); f.write('hello'); f.close()\"]
";
    let Some(lab) = beside(&[POSTGRES[1], MARIADB[0], REDIS, PYTHON], || system("given", services, &[]))
    else {
        return;
    };
    for (service, line, variable, said) in [
        (
            "db",
            2,
            "POSTGRES_PASSWORD",
            "Error: Database is uninitialized and superuser password is not specified.",
        ),
        (
            "maria",
            4,
            "MARIADB_ROOT_PASSWORD",
            "Database is uninitialized and password option is not specified",
        ),
    ] {
        let up = up_fails(&lab, &[service]);
        let first = first_lines(&up.stderr);
        assert!(
            first.starts_with(&format!(
                "error: `{service}` ended with exit code 1: the variable `{variable}` is not set\n  at integration/docker-compose.yml:{line}\n"
            )),
            "{}",
            up.stderr
        );
        assert!(first.contains(said), "{first}");
    }
    assert_up_says(
        &lab,
        &["scratch"],
        "error: `scratch` ended with exit code 1: no space is left in `/scratch`, which lies in memory
  at integration/docker-compose.yml:9
  why: | dd: error writing '/scratch/big': No space left on device
  fix: raise its size in integration/docker-compose.yml, then: cargo xtask up",
    );
    let disk = up_fails(&lab, &["disk"]);
    let first = first_lines(&disk.stderr);
    assert!(
        first.starts_with("error: `disk` ended with exit code 1: it found no space left on the disk\n"),
        "{}",
        disk.stderr
    );
    assert!(
        first.ends_with(
            "fix: docker system df shows what Docker holds, docker builder prune frees what builds have kept"
        ),
        "{first}"
    );
}
