//! Migrations of two languages on two engines: run before their services, once, and named when they fail.

use crate::lab::{Own, docker, lab};
use crate::place::Place;
use crate::shop::{exec, psql};

const IMAGES: &[&str] =
    &["postgres:17", "mariadb:11.8", "python:3.13-slim", "node:20-slim", "busybox:1.37-musl"];

/// A service in Python with Alembic on PostgreSQL; it ends where its table is not there.
fn orders(place: &Place) {
    place.write(
        "orders/Dockerfile",
        "FROM python:3.13-slim\nWORKDIR /app\nCOPY requirements.txt .\n\
         RUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\nEXPOSE 8000\nCMD [\"python\", \"server.py\"]\n",
    );
    place.write("orders/requirements.txt", "alembic==1.16.5\npsycopg[binary]==3.2.10\n");
    place.write(
        "orders/.env.example",
        "DATABASE_URL=postgresql://orders:x@localhost:5432/orders\nPORT=8000\n",
    );
    place.write(
        "orders/server.py",
        "import os\nfrom http.server import BaseHTTPRequestHandler, HTTPServer\n\nimport psycopg\n\n\
         with psycopg.connect(os.environ[\"DATABASE_URL\"]) as connection:\n    \
             connection.execute(\"SELECT count(*) FROM orders\")\n\
         HTTPServer((\"0.0.0.0\", int(os.environ[\"PORT\"])), BaseHTTPRequestHandler).serve_forever()\n",
    );
    place.write("orders/alembic.ini", "[alembic]\nscript_location = alembic\nprepend_sys_path = .\n");
    place.write(
        "orders/alembic/env.py",
        "import logging\nimport os\n\nfrom alembic import context\nfrom sqlalchemy import create_engine\n\n\
         logging.basicConfig(level=logging.INFO)\n\
         url = os.environ[\"DATABASE_URL\"].replace(\"postgresql://\", \"postgresql+psycopg://\")\n\
         with create_engine(url).connect() as connection:\n    context.configure(connection=connection)\n    \
             with context.begin_transaction():\n        context.run_migrations()\n",
    );
    revision(place, 1, "CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL)");
}

fn revision(place: &Place, number: u8, sql: &str) {
    let below = if number > 1 { format!("\"{:04}\"", number - 1) } else { "None".to_owned() };
    let text = format!(
        "\"\"\"step {number}\"\"\"\nfrom alembic import op\n\nrevision = \"{number:04}\"\ndown_revision = {below}\n\n\n\
         def upgrade():\n    op.execute(\"{sql}\")\n"
    );
    place.write(&format!("orders/alembic/versions/{number:04}_step.py"), text);
}

/// A service in JavaScript with Knex on MariaDB; it ends where its table is not there.
fn stock(place: &Place) {
    place.write(
        "stock/Dockerfile",
        "FROM node:20-slim\nWORKDIR /app\nCOPY package.json ./\nRUN npm install --omit=dev --no-audit --no-fund\n\
         COPY . .\nEXPOSE 8080\nCMD [\"node\", \"server.js\"]\n",
    );
    place.write(
        "stock/package.json",
        r#"{ "name": "stock", "scripts": { "start": "node server.js", "migrate": "knex migrate:latest" },
            "dependencies": { "knex": "3.1.0", "mysql2": "3.14.1" } }"#,
    );
    place.write("stock/.env.example", "DATABASE_URL=mariadb://stock:x@localhost:3306/stock\nPORT=8080\n");
    place.write(
        "stock/knexfile.js",
        "module.exports = { client: 'mysql2', connection: process.env.DATABASE_URL.replace(/^mariadb/, 'mysql') };\n",
    );
    place.write(
        "stock/server.js",
        "const knex = require('knex')(require('./knexfile'));\n\
         knex('items').count('*').then(() => require('http').createServer((_, answer) => answer.end()).listen(process.env.PORT))\n  \
             .catch(error => { console.error(error.message); process.exit(1); });\n",
    );
    step(place, 1, "CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL)");
}

fn step(place: &Place, number: u8, sql: &str) {
    let text = format!("exports.up = knex => knex.raw('{sql}');\nexports.down = () => {{}};\n");
    place.write(&format!("stock/migrations/{number:04}_step.js"), text);
}

fn items(lab: &Own, sql: &str) -> String {
    let password = format!("MYSQL_PWD={}", lab.variable("STOCK_DB_PASSWORD"));
    let words = ["mariadb", "--skip-ssl", "-h", "mariadb", "-u", "stock", "-D", "stock", "-Ne", sql];
    exec(lab, "mariadb", &["-e", &password], &words).exits(0).stdout.trim_end().to_owned()
}

/// The lines of the screen from the error on.
fn error(screen: &str) -> Vec<String> {
    screen.lines().skip_while(|line| !line.starts_with("error: ")).map(str::to_owned).collect()
}

#[test]
fn migrations_run_before_their_services_once_and_are_named_when_they_fail() {
    let made = lab(IMAGES, || {
        let place = Place::new("migrations");
        orders(&place);
        stock(&place);
        place
    });
    let Some(lab) = made else { return };
    lab.xtask(&["integrate"]).exits(0);
    lab.keep_apart();

    let first = lab.xtask(&["up"]).exits(0);
    for run in ["orders-migrate", "stock-migrate"] {
        assert!(first.stderr.contains(&format!("Done {run} ")), "{}", first.stderr);
    }
    psql(&lab, "orders", "INSERT INTO orders (item) VALUES ('kept')");
    items(&lab, "INSERT INTO items (name) VALUES ('kept')");

    let second = lab.xtask(&["up"]).exits(0);
    assert!(!second.stderr.contains("-migrate (at"), "nothing is left to do:\n{}", second.stderr);
    assert_eq!(psql(&lab, "orders", "SELECT count(*) FROM alembic_version"), "1");

    // What failed is named, nothing is lost, and mended it runs.
    revision(&lab, 2, "CREAT TABLE prices (id int)");
    step(&lab, 2, "SELECT 1");
    let lines = error(&lab.xtask(&["up"]).exits(1).stderr);
    assert_eq!(
        lines[0],
        "error: the one-shot `orders-migrate` failed with exit code 1: the migration `0002_step.py` failed at line 9"
    );
    assert!(lines[2].contains("syntax error at or near \"CREAT\""), "{lines:?}");
    assert_eq!(lines[4], "  fix: correct it, then: cargo xtask up", "{lines:?}");
    assert_eq!(psql(&lab, "orders", "SELECT item FROM orders"), "kept");

    revision(&lab, 2, "ALTER TABLE orders ADD amount int");
    step(&lab, 3, "CREAT TABLE prices (id INT)");
    let lines = error(&lab.xtask(&["up"]).exits(1).stderr);
    assert_eq!(
        lines[0],
        "error: the one-shot `stock-migrate` failed with exit code 1: the migration `0003_step.js` failed"
    );
    assert!(lines[2].contains("You have an error in your SQL syntax"), "{lines:?}");
    assert_eq!(items(&lab, "SELECT name FROM items"), "kept");
    assert_eq!(psql(&lab, "orders", "SELECT item, amount IS NULL FROM orders"), "kept|t");
}

#[test]
fn migrations_run_with_the_code_of_the_image_that_was_built_last_also_where_a_volume_holds_it() {
    let made = lab(&["busybox:1.37-musl"], || {
        let place = Place::new("volumes");
        place.write(
            "notes/Dockerfile",
            "FROM busybox:1.37-musl\nWORKDIR /app\nCOPY . .\nVOLUME /app\nCMD [\"sleep\", \"1000000\"]\n",
        );
        place.write("notes/migrate.sh", "echo the first code\n");
        place.write(
            "integration/config.yaml",
            "services:\n  notes: { migrate: { command: [sh, migrate.sh] } }\n",
        );
        place
    });
    let Some(lab) = made else { return };
    lab.xtask(&["integrate"]).exits(0);
    lab.keep_apart();
    let run = || format!("{}-notes-migrate-1", lab.project());
    let volume = || docker(&["inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", &run()]);

    lab.xtask(&["up"]).exits(0);
    assert_eq!(docker(&["logs", &run()]), "the first code");
    let first = volume();
    lab.write("notes/migrate.sh", "echo the second code\n");
    lab.xtask(&["up"]).exits(0);
    assert_eq!(docker(&["logs", &run()]), "the second code");
    let second = volume();
    lab.xtask(&["down"]).exits(0);

    assert!(!first.is_empty() && !second.is_empty() && first != second, "{first} {second}");
    let left = docker(&["volume", "ls", "--quiet"]);
    assert!(!left.contains(&first) && !left.contains(&second), "{left}");
}
