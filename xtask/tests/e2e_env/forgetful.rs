//! Every way in which a database of the test environment can lose its data, and that the next command mends it.

use crate::lab::{Own, docker, free_ports, lab};
use crate::place::Place;

const IMAGES: &[&str] = &["postgres:17", "python:3.13-slim"];

fn shop(port: u16) -> Place {
    let place = Place::new("forgetful");
    place.write(
        "orders/Dockerfile",
        format!(
            "FROM python:3.13-slim\nEXPOSE {port}\nCMD [\"python\", \"-m\", \"http.server\", \"{port}\"]\n"
        ),
    );
    place.write("orders/.env.example", "DATABASE_URL=postgresql://localhost:5432/orders\n");
    place.write(
        "orders/schema.sql",
        "CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);\nCREATE TABLE sizes (name text);\n",
    );
    place.write("integration/init-scripts/seed/orders/01.sql", "INSERT INTO sizes VALUES ('large');\n");
    place
}

/// The test environment's container of a service.
fn container(lab: &Own, service: &str) -> String {
    let text = lab.read("integration/.env.test");
    let project = text.lines().find_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).expect("is named");
    format!("{project}-{service}-1")
}

fn started(lab: &Own, service: &str) -> String {
    docker(&["inspect", "--format", "{{.State.StartedAt}}", &container(lab, service)])
}

/// The table is there and empty, the seed file was applied once, and the service was started when it was.
#[track_caller]
fn assert_mended(lab: &Own, started_before: &str) {
    let postgres = container(lab, "postgres");
    let sql = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM sizes)";
    let count = ["exec", &postgres, "psql", "-U", "postgres", "-d", "orders", "-Atc", sql];
    assert_eq!(docker(&count), "0|1");
    let insert = "INSERT INTO orders (item) VALUES ('lost with the next stop')";
    docker(&["exec", &postgres, "psql", "-qU", "postgres", "-d", "orders", "-c", insert]);
    assert_ne!(started(lab, "orders"), started_before, "the service went on with a database that is gone");
    assert!(started(lab, "orders") > started(lab, "postgres-setup"));
}

#[test]
fn a_database_in_memory_is_set_up_before_its_clients_however_it_stopped() {
    let port = free_ports(1);
    let Some(lab) = lab(IMAGES, || shop(port)) else { return };
    let first = lab.xtask(&["up", "--env", "test"]).exits(0).stderr;
    // The seed file comes between two starts of the servers; to the user it is one.
    for change in ["Healthy postgres ", "Done postgres-setup ", "Seeded orders "] {
        assert_eq!(first.matches(change).count(), 1, "{change}\n{first}");
    }
    assert_mended(&lab, "");
    let postgres = container(&lab, "postgres");
    let says = "Stopping orders (postgres has lost its data)";

    let ways: [(&[&str], &[&str]); 3] = [
        (&["stop", &postgres], &["up", "--env", "test"]),
        (&["rm", "--force", &postgres], &["up", "--env", "test"]),
        (&["ps"], &["restart", "postgres", "--env", "test"]),
    ];
    for (lost, mended) in ways {
        let before = started(&lab, "orders");
        docker(lost);
        let screen = lab.xtask(mended).exits(0);
        assert!(screen.stderr.contains(says), "{lost:?} {mended:?}\n{}", screen.stderr);
        assert_mended(&lab, &before);
    }

    let refused = lab.xtask(&["reset", "--env", "test"]).exits(1);
    assert!(
        refused.stderr.contains("error: the data of postgres in memory would be deleted"),
        "{}",
        refused.stderr
    );
    let before = started(&lab, "orders");
    let reset = lab.xtask(&["reset", "postgres", "--yes", "--env", "test"]).exits(0);
    assert!(reset.stderr.contains("Deleted the data of postgres in memory\n"), "{}", reset.stderr);
    assert_mended(&lab, &before);

    let calm = lab.xtask(&["up", "--env", "test"]).exits(0);
    assert!(!calm.stderr.contains("Stopping"), "nothing was lost since:\n{}", calm.stderr);
}
