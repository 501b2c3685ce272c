//! Rows in PostgreSQL, while the engine under it is killed and restarted.

use std::process::{Command, Stdio};

use crate::lab::{rest, until};
use crate::nested::{Nested, Options, nested};
use crate::place::Place;

const ENGINE: &str = "docker:26-dind";
const IMAGES: &[&str] = &["postgres:17", "busybox:1.37-musl"];

fn monorepo() -> Place {
    let place = Place::new("rows");
    place.write("shop/Dockerfile", "FROM busybox:1.37-musl\nCMD [\"sleep\", \"1000000\"]\n");
    place.write("shop/.env.example", "DATABASE_URL=postgresql://shop:x@localhost:5432/shop\n");
    place.xtask(&["integrate"]).exits(0);
    place
}

#[test]
fn rows_survive_an_engine_that_is_killed_during_writes_and_one_that_is_restarted() {
    // What the setup mounts lies at the same place for this engine, as on a machine of its own.
    let place = monorepo();
    let shared = format!("{0}:{0}:ro", place.base.display());
    let options = Options { container: &["--volume", &shared], images: IMAGES, ..Options::default() };
    let Some(engine) = nested(ENGINE, &options, || place) else { return };
    engine.xtask(&["up"]).exits(0);
    sql(&engine, "CREATE TABLE counter (id serial)");
    let mut writer = writer(&engine).spawn().expect("docker starts");
    until("a hundred rows", || rows(&engine) >= 100);

    engine.kill();

    let said = rest(writer.stdout.take());
    let _ = writer.wait();
    let acknowledged = said.lines().filter(|line| line.trim() == "1").count();
    let down = engine.xtask(&["health"]).exits(1);
    assert!(down.stderr.contains("error: `postgres` "), "{}", down.stderr);
    engine.xtask(&["up"]).exits(0);
    engine.xtask(&["health"]).exits(0);
    let there = rows(&engine);
    assert!(acknowledged >= 100, "only {acknowledged} were acknowledged");
    assert!(there >= acknowledged, "{acknowledged} rows were acknowledged, {there} are there");

    engine.restart();

    engine.xtask(&["health"]).exits(1);
    engine.xtask(&["up"]).exits(0);
    engine.xtask(&["health"]).exits(0);
    assert_eq!(rows(&engine), there);
}

const PSQL: &str = "psql -qtAX -v ON_ERROR_STOP=1 -U postgres -d shop";

/// What PostgreSQL answers to its administrator.
#[track_caller]
fn sql(engine: &Nested, statement: &str) -> String {
    let container = format!("{}-postgres-1", engine.lab.project());
    let words: Vec<&str> = ["exec", &container].into_iter().chain(PSQL.split(' ')).collect();
    let screen = engine.docker(&[&words[..], &["-c", statement]].concat());
    screen.exits(0).stdout.trim_end().to_owned()
}

fn rows(engine: &Nested) -> usize {
    sql(engine, "SELECT count(*) FROM counter").parse().expect("is a number")
}

/// Inserts row after row, each in a transaction of its own, and prints `1` for each that was acknowledged.
fn writer(engine: &Nested) -> Command {
    let container = format!("{}-postgres-1", engine.lab.project());
    let script =
        format!("while true; do echo 'INSERT INTO counter DEFAULT VALUES RETURNING 1;'; done | {PSQL}");
    let mut command = engine.client(&["exec", &container, "bash", "-c", &script]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}
