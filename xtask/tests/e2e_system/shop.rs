//! A monorepo of five small services on PostgreSQL, MariaDB, Redis and RabbitMQ, started once for all tests.

use std::ops::Deref;
use std::sync::{MutexGuard, OnceLock};

use crate::engine;
use crate::lab::{Lab, docker, turn};
use crate::place::{Place, Screen};

pub(crate) const BUSYBOX: &str = "busybox:1.37-musl";
const IMAGES: &[&str] = &[BUSYBOX, "postgres:17", "mariadb:11.8", "redis:8", "rabbitmq:4-management"];

/// The running shop during one test. A test mends what it broke before it judges.
pub(crate) struct Shop {
    lab: &'static Lab,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Shop {
    type Target = Lab;
    fn deref(&self) -> &Lab {
        self.lab
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lab.keep_logs();
        }
    }
}

/// The shop, up; never dropped, so the reaper removes it when the tests have ended.
pub(crate) fn shop() -> Option<Shop> {
    static LAB: OnceLock<Lab> = OnceLock::new();
    let turn = turn();
    if !engine::has(IMAGES) {
        return None;
    }
    let lab = LAB.get_or_init(|| {
        let lab = Lab::new(monorepo());
        lab.xtask(&["integrate"]).exits(0);
        lab.keep_apart();
        lab.xtask(&["up"]).exits(0);
        lab
    });
    Some(Shop { lab, _turn: turn })
}

fn monorepo() -> Place {
    let place = Place::new("shop");
    let parts = |name: &str| {
        format!(
            "MARIADB_HOST=localhost\nMARIADB_PORT=3306\nMARIADB_USER={name}\nMARIADB_PASSWORD=x\nMARIADB_DATABASE={name}\n"
        )
    };
    service(&place, "billing", 8081, "DATABASE_URL=postgres://billing:x@localhost:5432/billing\n");
    service(&place, "goods", 8082, &format!("{}AMQP_URL=amqp://localhost:5672/shelf\n", parts("goods")));
    service(
        &place,
        "orders",
        8083,
        "DATABASE_URL=postgres://orders:x@localhost:5432/orders\nAMQP_URL=amqp://localhost:5672\n\
         BILLING_URL=http://localhost:8081\n",
    );
    service(&place, "stock", 8084, &format!("{}REDIS_URL=redis://localhost:6379/0\n", parts("stock")));
    place.write(
        "billing/openapi.yaml",
        "openapi: 3.0.3\npaths:\n  /health: { get: {} }\n  /bills: { get: {} }\n  /bills/{id}: { get: {} }\n",
    );
    place
}

/// A web server with a page at `/health`.
pub(crate) fn service(place: &Place, name: &str, port: u16, environment: &str) {
    place.write(
        &format!("{name}/Dockerfile"),
        format!(
            "FROM {BUSYBOX}\nRUN mkdir /www && echo ok > /www/health\nEXPOSE {port}\n\
             HEALTHCHECK CMD wget -q -O /dev/null http://127.0.0.1:{port}/health\n\
             CMD [\"httpd\", \"-f\", \"-vv\", \"-p\", \"{port}\", \"-h\", \"/www\"]\n"
        ),
    );
    place.write(&format!("{name}/.env.example"), format!("PORT={port}\n{environment}"));
}

impl Shop {
    /// The name of a service's container.
    pub(crate) fn container(&self, service: &str) -> String {
        format!("{}-{service}-1", self.project())
    }

    /// The real name of a network.
    pub(crate) fn network(&self, name: &str) -> String {
        format!("{}_{name}", self.project())
    }

    /// `cargo xtask test`, which has to fail.
    #[track_caller]
    pub(crate) fn fails(&self) -> Screen {
        self.xtask(&["test"]).exits(1)
    }

    pub(crate) fn psql(&self, database: &str, statement: &str) {
        docker(&[
            "exec",
            &self.container("postgres"),
            "psql",
            "-qU",
            "postgres",
            "-d",
            database,
            "-c",
            statement,
        ]);
    }

    pub(crate) fn mariadb(&self, statement: &str) {
        let password = format!("MYSQL_PWD={}", self.variable("MARIADB_ROOT_PASSWORD"));
        let client = ["mariadb", "--host=127.0.0.1", "--user=root", "--skip-ssl", "--execute", statement];
        docker(&[&["exec", "--env", &password, &self.container("mariadb")], client.as_slice()].concat());
    }
}

/// The rows of the table without their times: test, of, result.
pub(crate) fn rows(screen: &Screen) -> Vec<String> {
    let without_time = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[..words.len().saturating_sub(2)].join(" ")
    };
    screen.stdout.lines().skip(1).map(without_time).collect()
}

/// The rows that are not passed.
pub(crate) fn not_passed(screen: &Screen) -> Vec<String> {
    rows(screen).into_iter().filter(|row| !row.ends_with(" passed")).collect()
}
