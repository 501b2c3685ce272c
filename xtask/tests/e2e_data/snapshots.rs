//! `db` and `reset`: what was dumped comes back whole, and what does not load changes nothing.

use std::io::Write;
use std::process::Stdio;

use crate::docker_that::with_docker_that;
use crate::lab::docker;
use crate::shop::{Shop, maria, psql, psql_as, shop};

/// The snapshots whose names begin so, the newest first.
fn snapshots(shop: &Shop, prefix: &str) -> Vec<String> {
    let list = shop.xtask(&["db", "list"]).exits(0).stdout;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
}

/// Free for a snapshot of this name, whatever ran before.
fn forget(shop: &Shop, name: &str) {
    let _ = std::fs::remove_dir_all(shop.root.join("integration/snapshots").join(name));
}

#[test]
fn a_snapshot_brings_everything_back_and_so_does_the_one_before_the_restore() {
    let Some(shop) = shop() else { return };
    let before = shop.contents();
    forget(&shop, "good");
    let taken = shop.xtask(&["db", "snapshot", "good"]).exits(0);
    for dumped in ["shop on postgres", "desk on postgres", "stock on mariadb", "redis ("] {
        assert!(taken.stderr.contains(&format!("Dumped {dumped}")), "{}", taken.stderr);
    }
    shop.damage();

    let restored = shop.xtask(&["db", "restore", "good", "--yes"]).exits(0);

    assert_eq!(shop.contents(), before, "{}", restored.stderr);
    assert_eq!(shop.junk(), [false; 3]);
    // The owners can write as before, the trigger included.
    psql_as(&shop, "shop", "shop", "INSERT INTO items (name) VALUES ('new')").exits(0);
    maria(&shop, "INSERT INTO items VALUES (2000, 'new', 7)");
    assert_eq!(maria(&shop, "SELECT id FROM log"), "2000");
    assert!(psql_as(&shop, "desk", "shop", "SELECT 1").stderr.contains("permission denied"));

    let automatic = snapshots(&shop, "before-restore-").remove(0);
    shop.xtask(&["db", "restore", &automatic, "--yes"]).exits(0);
    assert_eq!(shop.junk(), [true; 3]);
}

#[test]
fn a_dump_that_does_not_load_changes_nothing() {
    let Some(shop) = shop() else { return };
    forget(&shop, "broken");
    shop.xtask(&["db", "snapshot", "broken"]).exits(0);
    let before = shop.contents();
    // As long as it was, and nonsense: after the other engine's dump has loaded.
    let dump = "integration/snapshots/broken/postgres.shop.dump";
    let length = std::fs::metadata(shop.root.join(dump)).expect("it was just written").len();
    shop.write(dump, vec![b'x'; usize::try_from(length).expect("is small")]);

    let restored = shop.xtask(&["db", "restore", "broken", "--yes"]).exits(1);

    let head = "error: cannot load shop on postgres; nothing has changed\n  why: exit code 1\n";
    assert!(restored.stderr.contains(head), "{}", restored.stderr);
    assert_eq!(shop.contents(), before);
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'xtask_%'";
    assert_eq!(psql(&shop, "postgres", left), "0");
    let root = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'xtask%'";
    let script = format!("MYSQL_PWD=\"$MARIADB_ROOT_PASSWORD\" exec mariadb --user=root -Ne \"{root}\"");
    assert_eq!(crate::shop::exec(&shop, "mariadb", &[], &["sh", "-c", &script]).exits(0).stdout, "");
    // Those that were stopped for it run again.
    let stopped = shop.long_running("{{.State.Status}}").into_iter().filter(|(_, state)| state != "running");
    assert_eq!(stopped.collect::<Vec<_>>(), []);

    // Where they cannot be started again, that does not take the place of why nothing was restored.
    let case = "start\\ *) echo 'Error response from daemon: no' >&2; exit 1 ;;";
    let restored = with_docker_that(&shop, &["db", "restore", "broken", "--yes"], case).exits(1);
    assert!(restored.stderr.contains(head), "{}", restored.stderr);
    assert!(
        restored.stderr.contains("warning: cannot start cart, desk, shop and stock again\n"),
        "{}",
        restored.stderr
    );
    shop.xtask(&["up"]).exits(0);
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_restore_asks_first_and_knows_what_is_there() {
    let Some(shop) = shop() else { return };
    forget(&shop, "asked");
    shop.xtask(&["db", "snapshot", "asked"]).exits(0);
    let before = shop.contents();
    let refused = shop.xtask(&["db", "restore", "asked"]).exits(1);
    // Where seed files were applied to MariaDB before, what was applied stands in a fifth database.
    let replaced = refused.stderr.lines().filter(|line| line.trim_start().starts_with("Replace ")).count();
    assert!((4..=5).contains(&replaced), "{}", refused.stderr);
    let end = format!(
        "error: {replaced} databases would be replaced, and nobody can be asked\n  why: there is no terminal\n  \
         fix: add --yes to replace them without asking\n"
    );
    assert!(refused.stderr.ends_with(&end), "{}", refused.stderr);
    let unknown = shop.xtask(&["db", "restore", "askd", "--yes"]).exits(1);
    assert!(unknown.stderr.ends_with("fix: did you mean `asked`?\n"), "{}", unknown.stderr);
    assert_eq!(shop.contents(), before);
}

#[test]
fn reset_takes_a_snapshot_that_brings_the_data_back() {
    let Some(shop) = shop() else { return };
    let before = shop.contents();
    shop.spoil();
    // A database of a service that has gone: nothing makes its role again.
    psql(&shop, "postgres", "CREATE ROLE clerk");
    psql(&shop, "postgres", "CREATE ROLE \"the owner\"");
    psql(&shop, "postgres", "CREATE DATABASE left_over OWNER \"the owner\"");
    let table = "CREATE TABLE things (id int); ALTER TABLE things OWNER TO \"the owner\"; GRANT SELECT ON things TO clerk";
    psql(&shop, "left_over", table);
    // Also where nothing runs: what holds data is started for it.
    shop.xtask(&["down"]).exits(0);

    let reset = shop.xtask(&["reset", "--yes"]).exits(0);

    assert!(reset.stderr.contains("Deleted 3 volumes"), "a socket is no data: {}", reset.stderr);
    assert_eq!(psql(&shop, "shop", "SELECT to_regclass('items') IS NULL"), "t");
    let taken = snapshots(&shop, "before-reset-");
    shop.xtask(&["db", "restore", &taken[0], "--yes", "--no-snapshot"]).exits(0);
    assert_eq!(shop.contents(), before);
    let rights = "SELECT tableowner, has_table_privilege('clerk', 'things', 'SELECT') FROM pg_tables WHERE tablename = 'things'";
    assert_eq!(psql(&shop, "left_over", rights), "the owner|t");
    psql(&shop, "postgres", "DROP DATABASE left_over");
}

#[test]
fn a_service_is_enough_to_find_its_database() {
    let Some(shop) = shop() else { return };
    for (service, url) in [
        (
            "shop",
            format!(
                "postgresql://shop:{}@localhost:{}/shop",
                secret(&shop, "SHOP_DB"),
                port(&shop, "POSTGRES")
            ),
        ),
        (
            "stock",
            format!("mysql://stock:{}@localhost:{}/stock", secret(&shop, "STOCK_DB"), port(&shop, "MARIADB")),
        ),
        ("cart", format!("redis://localhost:{}/0", port(&shop, "REDIS"))),
        (
            "postgres",
            format!(
                "postgresql://postgres:{}@localhost:{}/postgres",
                secret(&shop, "POSTGRES"),
                port(&shop, "POSTGRES")
            ),
        ),
    ] {
        assert_eq!(shop.xtask(&["db", "url", service]).exits(0).stdout, format!("{url}\n"));
    }
    for (service, question, answer) in [
        ("shop", "SELECT current_user || '/' || current_database();", "shop/shop"),
        ("stock", "SELECT DATABASE();", "stock"),
        ("mariadb", "SELECT DATABASE();", "mysql"),
        ("cart", "GET greeting", "hello"),
    ] {
        let said = typed(&shop, service, question);
        assert!(said.contains(answer), "{service}: {said}");
    }
}

/// What the client prints for a line on its stdin.
fn typed(shop: &Shop, service: &str, line: &str) -> String {
    let mut command = shop.command(&["db", "shell", service]);
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = shell.stdin.take().expect("is piped");
    stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
    drop(stdin);
    let output = shell.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn secret(shop: &Shop, owner: &str) -> String {
    shop.variable(&format!("{owner}_PASSWORD"))
}

fn port(shop: &Shop, server: &str) -> String {
    shop.variable(&format!("{server}_PORT"))
}

#[test]
fn a_snapshot_of_what_does_not_run_is_refused() {
    let Some(shop) = shop() else { return };
    docker(&["stop", "--time", "2", &format!("{}-redis-1", shop.project())]);
    let refused = shop.xtask(&["db", "snapshot"]).exits(1);
    assert!(
        refused.stderr.ends_with(
            "error: redis does not run\n  why: a server that runs dumps its own databases\n  fix: cargo xtask up\n"
        ),
        "{}",
        refused.stderr
    );
}
