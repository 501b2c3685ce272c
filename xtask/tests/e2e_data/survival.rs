//! What survives: `down`, `integrate`, SIGKILL during writes, a restart, and the loss of `.env`.
//!
//! The engine is shared with others, so the containers are killed and restarted here; `e2e_engines` does it to an engine.

use std::process::{Command, Stdio};

use crate::lab::{docker, until};
use crate::shop::{Shop, maria, only_ports, psql, psql_as, shop};

#[test]
fn data_survive_down_and_integrate() {
    let Some(shop) = shop() else { return };
    let before = shop.contents();

    shop.xtask(&["down"]).exits(0);
    crate::shop::service(&shop, "extra", "DATABASE_URL=postgresql://extra:x@localhost:5432/extra\n");
    shop.xtask(&["integrate"]).exits(0);
    shop.xtask(&["up"]).exits(0);

    assert_eq!(shop.contents(), before);
    psql_as(&shop, "extra", "extra", "CREATE TABLE things (id int)").exits(0);
    std::fs::remove_dir_all(shop.root.join("extra")).expect("it was just made");
    shop.xtask(&["integrate"]).exits(0);
    shop.xtask(&["up"]).exits(0);
    assert_eq!(
        psql(&shop, "extra", "SELECT count(*) FROM things"),
        "0",
        "a service that goes leaves its data"
    );
}

#[test]
fn rows_that_were_acknowledged_survive_sigkill_and_a_restart() {
    let Some(shop) = shop() else { return };
    let servers = ["postgres", "mariadb"];
    let containers = servers.map(|server| format!("{}-{server}-1", shop.project()));
    let mut acknowledged = Vec::new();
    for (server, container) in servers.iter().zip(&containers) {
        empty_counter(&shop, server);
        let mut writer = writer(&shop, server).stdout(Stdio::piped()).spawn().expect("docker starts");
        until("a hundred rows", || rows(&shop, server) >= 100);
        docker(&["kill", container]);
        let said = crate::lab::rest(writer.stdout.take());
        let _ = writer.wait();
        acknowledged.push(said.lines().filter(|line| line.trim() == "1").count());
    }
    assert!(acknowledged.iter().all(|count| *count >= 100), "only {acknowledged:?} were acknowledged");

    shop.xtask(&["up"]).exits(0);

    let there = servers.map(|server| rows(&shop, server));
    for (server, (there, acknowledged)) in servers.iter().zip(there.iter().zip(&acknowledged)) {
        assert!(there >= acknowledged, "{server}: {acknowledged} rows were acknowledged, {there} are there");
    }
    docker(&["restart", &containers[0], &containers[1]]);
    shop.xtask(&["up"]).exits(0);
    assert_eq!(servers.map(|server| rows(&shop, server)), there);
}

fn empty_counter(shop: &Shop, server: &str) {
    match server {
        "postgres" => {
            psql_as(shop, "shop", "shop", "DROP TABLE IF EXISTS counter; CREATE TABLE counter (id serial)")
                .exits(0);
        }
        _ => {
            maria(
                shop,
                "DROP TABLE IF EXISTS counter; CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY)",
            );
        }
    }
}

fn rows(shop: &Shop, server: &str) -> usize {
    let sql = "SELECT count(*) FROM counter";
    let text = if server == "postgres" { psql(shop, "shop", sql) } else { maria(shop, sql) };
    text.parse().expect("a number")
}

/// Inserts row after row, each in a transaction of its own, and prints `1` for each that was acknowledged.
fn writer(shop: &Shop, server: &str) -> Command {
    let container = format!("{}-{server}-1", shop.project());
    let client = match server {
        "postgres" => "psql -qtAX -U postgres -d shop",
        _ => {
            "MYSQL_PWD=\"$MARIADB_ROOT_PASSWORD\" mariadb --user=root --batch --skip-column-names --unbuffered stock"
        }
    };
    let statement = match server {
        "postgres" => "INSERT INTO counter DEFAULT VALUES RETURNING 1;",
        _ => "INSERT INTO counter VALUES (); SELECT 1;",
    };
    let script = format!("while true; do echo '{statement}'; done | {client}");
    let mut command = Command::new("docker");
    command.args(["exec", &container, "bash", "-c", &script]).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_lost_env_file_ends_in_a_working_system_with_its_data() {
    let Some(shop) = shop() else { return };
    let before = shop.contents();
    let project = shop.project();
    let old = shop.read("integration/.env");
    let ports: String =
        old.lines().filter(|line| line.contains("_PORT=")).map(|line| format!("{line}\n")).collect();
    only_ports(&shop, &ports);

    shop.xtask(&["up"]).exits(0);

    assert_eq!(shop.project(), project, "the checkout finds its volumes again");
    let new = shop.read("integration/.env");
    for secret in ["POSTGRES_PASSWORD=", "MARIADB_ROOT_PASSWORD=", "SHOP_DB_PASSWORD=", "STOCK_DB_PASSWORD="]
    {
        let line = |text: &str| text.lines().find(|line| line.starts_with(secret)).map(str::to_owned);
        assert_ne!(line(&new), line(&old), "a new secret was made up");
    }
    assert_eq!(shop.contents(), before);
    // The administrators follow too: the next snapshot logs in with the new password.
    shop.xtask(&["db", "snapshot"]).exits(0);
}
