//! Data of another major version: named before anything starts, with choices that work.

use crate::lab::{Own, lab};
use crate::place::Place;
use crate::shop::{maria, only_ports, psql, psql_as, service};

const IMAGES: &[&str] = &["postgres:15", "postgres:17", "mariadb:10.11", "mariadb:11.8", "busybox:1.37-musl"];

fn monorepo() -> Place {
    let place = Place::new("majors");
    service(&place, "shop", "DATABASE_URL=postgresql://shop:x@localhost:5432/shop\n");
    service(&place, "stock", "DATABASE_URL=mariadb://stock:x@localhost:3306/stock\n");
    place.xtask(&["integrate"]).exits(0);
    place
}

fn take_versions(place: &Own, postgres: &str, mariadb: &str) {
    let text = format!(
        "infrastructure:\n  postgres: {{ version: \"{postgres}\" }}\n  mariadb: {{ version: \"{mariadb}\" }}\n"
    );
    place.write("integration/config.yaml", text);
    place.xtask(&["integrate"]).exits(0);
}

#[test]
fn another_major_is_stopped_before_the_start_and_the_data_can_be_taken_along() {
    let Some(place) = lab(IMAGES, monorepo) else { return };
    only_ports(&place, &place.moved_ports());
    take_versions(&place, "15", "10.11");
    place.xtask(&["up"]).exits(0);
    psql_as(&place, "shop", "shop", "CREATE TABLE items AS SELECT n FROM generate_series(1, 1000) n")
        .exits(0);
    maria(&place, "CREATE TABLE items AS SELECT seq AS n FROM seq_1_to_1000");
    let started = place.long_running("{{.Id}} {{.State.StartedAt}}");
    take_versions(&place, "17", "11.8");

    let up = place.xtask(&["up"]).exits(1);

    let project = place.project();
    let why = format!(
        "  why: the volume `{project}_postgres-data` was written by PostgreSQL 15, which postgres:17 does not read\n  \
         fix: keep the version: cargo xtask integrate --set infrastructure.postgres.version=15\n"
    );
    let head = "error: `postgres` would run postgres:17 on data of PostgreSQL 15\n  at integration/docker-compose.yml:";
    assert!(up.stderr.contains(head) && up.stderr.contains(&why), "{}", up.stderr);
    assert!(up.stderr.ends_with("1 error, nothing was started\n"), "{}", up.stderr);
    assert_eq!(place.long_running("{{.Id}} {{.State.StartedAt}}"), started, "nothing has changed");

    // The first choice, for the engine that opens older data by itself.
    take_versions(&place, "15", "11.8");
    let up = place.xtask(&["up"]).exits(0);
    let said = "   Upgrading mariadb: data of MariaDB 10.11 by mariadb:11.8, which no older version reads afterwards\n";
    assert!(up.stderr.contains(said), "{}", up.stderr);
    assert_eq!(maria(&place, "SELECT COUNT(*) FROM items"), "1000");

    // The second choice: along with the data.
    place.xtask(&["db", "snapshot", "old"]).exits(0);
    take_versions(&place, "17", "11.8");
    place.xtask(&["reset", "--no-snapshot", "--yes"]).exits(0);
    place.xtask(&["db", "restore", "old", "--yes", "--no-snapshot"]).exits(0);

    assert!(psql(&place, "shop", "SHOW server_version").starts_with("17"));
    assert!(maria(&place, "SELECT VERSION()").starts_with("11.8"));
    let sum = "SELECT COUNT(*) FROM items";
    assert_eq!((psql(&place, "shop", sum), maria(&place, sum)), ("1000".to_owned(), "1000".to_owned()));

    // No MariaDB opens what a newer one has written, though some try.
    take_versions(&place, "17", "10.11");
    let up = place.xtask(&["up"]).exits(1);
    let head = "error: `mariadb` would run mariadb:10.11 on data of MariaDB 11.8\n";
    assert!(up.stderr.contains(head), "{}", up.stderr);
    assert!(up.stderr.ends_with("1 error, nothing was started\n"), "{}", up.stderr);
}
