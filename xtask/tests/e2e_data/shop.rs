//! A monorepo with data in PostgreSQL, MariaDB and Redis, and how a test writes and counts them.

use std::ops::Deref;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{MutexGuard, OnceLock};

use crate::engine;
use crate::lab::{Lab, begun, turn};
use crate::place::{Place, Screen};

/// The images that it starts or builds from.
const IMAGES: &[&str] = &["postgres:17", "mariadb:11.8", "redis:8", "busybox:1.37-musl"];

/// Whether the rows are not the first ones any more.
static SPOILT: AtomicBool = AtomicBool::new(true);

/// The running monorepo during one test.
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

/// A service that only waits, with these lines in its `.env.example`.
pub(crate) fn service(place: &Place, name: &str, environment: &str) {
    place.write(&format!("{name}/Dockerfile"), "FROM busybox:1.37-musl\nCMD [\"sleep\", \"1000000\"]\n");
    place.write(&format!("{name}/.env.example"), environment);
}

/// A `.env` with other ports than the defaults and nothing else: the project's name stays the one of the checkout.
pub(crate) fn only_ports(place: &Place, ports: &str) {
    place.write("integration/.env", ports);
}

/// The monorepo, up and with its rows, whatever ran before; never dropped, so the reaper removes it in the end.
pub(crate) fn shop() -> Option<Shop> {
    static LAB: OnceLock<Lab> = OnceLock::new();
    let turn = turn();
    if !engine::has(IMAGES) {
        return None;
    }
    let lab = LAB.get_or_init(|| {
        let place = Place::new("data");
        service(&place, "shop", "DATABASE_URL=postgresql://shop:x@localhost:5432/shop\n");
        service(&place, "desk", "DATABASE_URL=postgresql://desk:x@localhost:5432/desk\n");
        service(&place, "stock", "DATABASE_URL=mariadb://stock:x@localhost:3306/stock\n");
        service(&place, "cart", "REDIS_URL=redis://localhost:6379/0\n");
        let lab = Lab::new(place);
        lab.xtask(&["integrate"]).exits(0);
        only_ports(&lab, &lab.moved_ports());
        lab
    });
    let shop = Shop { lab, _turn: turn };
    shop.xtask(&["up"]).exits(0);
    if SPOILT.load(Ordering::Relaxed) {
        shop.fill();
        SPOILT.store(false, Ordering::Relaxed);
    }
    Some(shop)
}

/// Runs a command in a server's container.
pub(crate) fn exec(lab: &Lab, service: &str, options: &[&str], words: &[&str]) -> Screen {
    let container = format!("{}-{service}-1", lab.project());
    let says = |screen: &Screen, words: &str| screen.stdout.contains(words) || screen.stderr.contains(words);
    begun(says, || {
        let mut command = Command::new("docker");
        lab.run(command.arg("exec").args(options).arg(&container).args(words))
    })
}

/// What PostgreSQL answers to its administrator.
#[track_caller]
pub(crate) fn psql(lab: &Lab, database: &str, sql: &str) -> String {
    let words = ["psql", "-qtAX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql];
    exec(lab, "postgres", &[], &words).exits(0).stdout.trim_end().to_owned()
}

/// What PostgreSQL answers to a service over the network.
pub(crate) fn psql_as(lab: &Lab, user: &str, database: &str, sql: &str) -> Screen {
    let password = lab.variable(&format!("{}_DB_PASSWORD", user.to_uppercase()));
    let words = ["psql", "-qtAX", "-h", "postgres", "-U", user, "-d", database, "-c", sql];
    exec(lab, "postgres", &["-e", &format!("PGPASSWORD={password}")], &words)
}

/// What MariaDB answers to a service over the network.
#[track_caller]
pub(crate) fn maria(lab: &Lab, sql: &str) -> String {
    maria_as(lab, "stock", sql).exits(0).stdout.trim_end().to_owned()
}

fn maria_as(lab: &Lab, user: &str, sql: &str) -> Screen {
    let password = lab.variable(&format!("{}_DB_PASSWORD", user.to_uppercase()));
    let words = ["mariadb", "--skip-ssl", "-h", "mariadb", "-u", user, "-D", user, "-Ne", sql];
    exec(lab, "mariadb", &["-e", &format!("MYSQL_PWD={password}")], &words)
}

/// What Redis answers.
#[track_caller]
pub(crate) fn redis(lab: &Lab, words: &[&str]) -> String {
    exec(lab, "redis", &[], &[&["redis-cli"], words].concat()).exits(0).stdout.trim_end().to_owned()
}

impl Shop {
    /// The same rows in each engine, and of each engine what is more than rows.
    fn fill(&self) {
        let tables = "DROP TABLE IF EXISTS items CASCADE; DROP TABLE IF EXISTS junk;
            CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL);
            INSERT INTO items (name) SELECT 'item ' || n FROM generate_series(1, 1000) n;
            CREATE VIEW names AS SELECT name FROM items;
            CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM items'";
        psql_as(self, "shop", "shop", tables).exits(0);
        psql_as(self, "desk", "desk", "CREATE TABLE IF NOT EXISTS notes (id int)").exits(0);
        let tables = "SET foreign_key_checks = 0; DROP VIEW IF EXISTS names; DROP TABLE IF EXISTS items, places, log, junk;
            DROP PROCEDURE IF EXISTS total; SET foreign_key_checks = 1;
            CREATE TABLE places (id INT PRIMARY KEY);
            CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, place INT, FOREIGN KEY (place) REFERENCES places (id));
            CREATE TABLE log (id INT);
            INSERT INTO places VALUES (7);
            INSERT INTO items SELECT seq, CONCAT('item é ', seq), 7 FROM seq_1_to_1000;
            CREATE VIEW names AS SELECT name FROM items;
            CREATE PROCEDURE total() SELECT COUNT(*) FROM items;
            CREATE TRIGGER logged AFTER INSERT ON items FOR EACH ROW INSERT INTO log VALUES (NEW.id)";
        maria(self, tables);
        redis(self, &["FLUSHALL"]);
        redis(self, &["SET", "greeting", "hello"]);
        redis(self, &["RPUSH", "list", "a", "b", "c"]);
    }

    /// Everything that a test has to find again, as one text.
    #[track_caller]
    pub(crate) fn contents(&self) -> String {
        let postgres = "SELECT count(*), sum(id), md5(string_agg(name, ',' ORDER BY id)), (SELECT count(*) FROM names), total()
            FROM items";
        let maria_rows = "SELECT COUNT(*), SUM(id), MD5(GROUP_CONCAT(name ORDER BY id)), (SELECT COUNT(*) FROM names) FROM items;
            CALL total(); SELECT SUM(place) FROM items";
        let owner = "SELECT pg_get_userbyid(datdba), has_database_privilege('desk', 'shop', 'CONNECT')
            FROM pg_database WHERE datname = 'shop'";
        [
            psql_as(self, "shop", "shop", postgres).exits(0).stdout,
            psql(self, "postgres", owner),
            maria(self, maria_rows),
            redis(self, &["GET", "greeting"]),
            redis(self, &["LRANGE", "list", "0", "-1"]),
        ]
        .join("\n")
    }

    /// From here on the rows are others; the next test gets the first ones again.
    pub(crate) fn spoil(&self) {
        SPOILT.store(true, Ordering::Relaxed);
    }

    /// What a careless afternoon does.
    pub(crate) fn damage(&self) {
        self.spoil();
        psql_as(self, "shop", "shop", "DROP TABLE items CASCADE; CREATE TABLE junk (id int)").exits(0);
        maria(self, "DROP VIEW names; DROP TABLE items; CREATE TABLE junk (id INT)");
        redis(self, &["FLUSHALL"]);
        redis(self, &["SET", "junk", "1"]);
    }

    /// Whether what [`Shop::damage`] left is there, in each engine.
    pub(crate) fn junk(&self) -> [bool; 3] {
        let postgres = psql(self, "shop", "SELECT to_regclass('junk') IS NOT NULL");
        let maria = maria(self, "SHOW TABLES LIKE 'junk'");
        [postgres == "t", maria == "junk", redis(self, &["EXISTS", "junk"]) == "1"]
    }
}
