//! An update of a system that runs and holds data: services added, renamed and removed, a port moved, a database and a
//! broker new, and not a row lost. `docs/update.md` shows the same as a person sees it.

use crate::lab::{Own, docker, free_ports, lab};
use crate::place::Place;

const IMAGES: &[&str] = &["postgres:17", "redis:8", "python:3.13-slim"];

const APP: &str = r#"import http.server
import os


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()


http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// A service without any package; each Dockerfile is one of its kind, as its port stands in it.
fn service(place: &Place, name: &str, port: u16, environment: &str) {
    let folder = format!("services/{name}");
    place.write(&format!("{folder}/app.py"), APP);
    place.write(
        &format!("{folder}/Dockerfile"),
        format!("FROM python:3.13-slim\nWORKDIR /app\nCOPY app.py ./\nEXPOSE {port}\nCMD [\"python\", \"app.py\"]\n"),
    );
    place.write(&format!("{folder}/.env.example"), format!("PORT={port}\n{environment}"));
}

fn shop(port: u16) -> Place {
    let place = Place::new("shop");
    service(&place, "orders", port, "DATABASE_URL=postgresql://localhost:5432/orders\n");
    place.write(
        "services/orders/schema.sql",
        "CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);\n",
    );
    let environment =
        format!("ORDERS_URL=http://localhost:{port}\nMAIL_FROM=shop@example.org\nLEGACY_FLAG=1\n");
    service(&place, "mailer", port + 1, &environment);
    service(&place, "audit", port + 2, "DATABASE_URL=postgresql://localhost:5432/audit\n");
    place.write(
        "services/audit/schema.sql",
        "CREATE TABLE entries (id serial PRIMARY KEY, what text NOT NULL);\n",
    );
    place
}

/// What the developers do: rename orders, move mailer's port and change its variables, remove audit, add billing.
fn develop(place: &Place, port: u16) {
    let folder = |name: &str| place.root.join("services").join(name);
    std::fs::rename(folder("orders"), folder("purchases")).expect("the folder is ours");
    place.write(
        "services/purchases/.env.example",
        format!("PORT={port}\nDATABASE_URL=postgresql://localhost:5432/orders\nREDIS_URL=redis://localhost:6379/0\n"),
    );
    std::fs::remove_dir_all(folder("audit")).expect("the folder is ours");
    let environment = format!(
        "PURCHASES_URL=http://localhost:{port}\nMAIL_FROM=shop@example.org\nMAIL_REPLY_TO=help@example.org\n"
    );
    service(place, "mailer", port + 3, &environment);
    service(place, "billing", port + 4, "DATABASE_URL=postgresql://localhost:5432/billing\n");
    place.write(
        "services/billing/schema.sql",
        "CREATE TABLE invoices (id serial PRIMARY KEY, amount int NOT NULL);\n",
    );
}

/// A query in a database with the address that a service itself was given.
#[track_caller]
fn query(lab: &Own, service: &str, sql: &str) -> String {
    let url = docker(&["exec", &container(lab, service), "printenv", "DATABASE_URL"]);
    docker(&["exec", &container(lab, "postgres"), "psql", &url, "-qAtc", sql])
}

#[track_caller]
fn container(lab: &Own, service: &str) -> String {
    let lines = lab.containers("{{.Label \"com.docker.compose.service\"}} {{.ID}}");
    let found = lines.iter().find_map(|line| line.strip_prefix(&format!("{service} ")));
    found.unwrap_or_else(|| panic!("{service} has a container: {lines:?}")).to_owned()
}

fn answers(port: u16) -> bool {
    minreq::get(format!("http://127.0.0.1:{port}/health"))
        .send()
        .is_ok_and(|answer| answer.status_code == 200)
}

#[test]
fn an_update_of_a_running_system_loses_no_row_and_no_edit() {
    let port = free_ports(7);
    let Some(lab) = lab(IMAGES, || shop(port)) else { return };
    lab.xtask(&["integrate"]).exits(0);
    let folder = lab.base.file_name().expect("has a name").to_string_lossy().into_owned();
    let env = format!("COMPOSE_PROJECT_NAME={folder}\nPOSTGRES_PORT={}\nREDIS_PORT={}\n", port + 5, port + 6);
    lab.write("integration/.env", env);
    lab.xtask(&["up"]).exits(0);
    query(&lab, "orders", "INSERT INTO orders (item) VALUES ('book'), ('lamp'), ('desk')");
    query(&lab, "audit", "INSERT INTO entries (what) VALUES ('seen')");
    let compose = lab.read("integration/docker-compose.yml");
    let (before, behind) = compose.split_once("  orders:\n").expect("is a service");
    let edited = behind.replacen("    init: true\n", "    mem_limit: 256m # mine\n    init: true\n", 1);
    lab.write("integration/docker-compose.yml", format!("{before}  orders:\n{edited}"));
    let (env, postgres) = (lab.read("integration/.env"), container(&lab, "postgres"));

    develop(&lab, port);
    let update = lab.xtask(&["integrate"]).exits(0);

    assert!(
        update.stderr.contains(&format!(
            "Renamed orders to purchases (it keeps port {port} and the variables ORDERS_* and the database orders)\n"
        )),
        "{}",
        update.stderr
    );
    let kept = lab.read("integration/docker-compose.yml");
    let purchases = kept.split("\n  purchases:\n").nth(1).expect("is a service");
    assert!(
        purchases.split("\n\n").next().is_some_and(|own| own.contains("mem_limit: 256m # mine")),
        "{kept}"
    );

    lab.xtask(&["up"]).exits(0);

    lab.assert_all_healthy(&["billing", "mailer", "postgres", "purchases", "redis"]);
    assert_eq!(
        query(&lab, "purchases", "SELECT string_agg(item, ' ' ORDER BY id) FROM orders"),
        "book lamp desk"
    );
    query(&lab, "purchases", "INSERT INTO orders (item) VALUES ('chair')");
    query(&lab, "billing", "INSERT INTO invoices (amount) VALUES (12)");
    assert_eq!(query(&lab, "billing", "SELECT amount FROM invoices"), "12");
    // Nobody uses it any more, and nobody said that it may go.
    let audit =
        ["exec", &postgres, "psql", "-U", "postgres", "-d", "audit", "-Atc", "SELECT what FROM entries"];
    assert_eq!(docker(&audit), "seen");
    assert_eq!(container(&lab, "postgres"), postgres, "the server itself went on");
    assert!(lab.read("integration/.env").starts_with(&env), "what stood in `.env` stays byte for byte");
    assert!(!lab.variable("BILLING_DB_PASSWORD").is_empty());
    // The port on the host stays where it was; in the container it has moved.
    assert!(answers(port) && answers(port + 1) && answers(port + 4));
    let mailer = docker(&["exec", &container(&lab, "mailer"), "printenv"]);
    assert!(
        mailer.contains(&format!("PORT={}\n", port + 3)) && mailer.contains("MAIL_REPLY_TO="),
        "{mailer}"
    );
    assert!(!mailer.contains("LEGACY_FLAG"), "{mailer}");
    lab.xtask(&["integrate", "--check"]).exits(0);
}
