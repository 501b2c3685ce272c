//! Setups against real servers: `init-scripts/` create databases and users, whatever ran before.

use std::time::Duration;

use crate::one_shot::{Service, case, lone_case};
use crate::server::Server;

const POSTGRES: (&str, &str) = ("postgres", "17");
const MARIADB: (&str, &str) = ("mariadb", "11.8");
const MYSQL: (&str, &str) = ("mysql", "9");

/// Every character that means something to a shell, to SQL, to Compose or in a URL.
pub(crate) const HARD_PASSWORD: &str = r#"a'b"c\d$e%f`g@h:i/j k#l;é"#;

/// Runs a test's body on each engine. MySQL's only where somebody has built its image: it comes from a suite of Debian
/// that moves, which must not break a fresh machine.
macro_rules! on_each_engine {
    ($($name:ident),+ $(,)?) => {
        mod postgres { $(#[test] fn $name() { super::$name(super::POSTGRES) })+ }
        mod mariadb { $(#[test] fn $name() { super::$name(super::MARIADB) })+ }
        mod mysql { $(
            #[test]
            #[ignore = "needs the image of `.ci/setup mysql:9`"]
            fn $name() { super::$name(super::MYSQL) }
        )+ }
    };
}

on_each_engine!(
    each_service_reaches_its_own_database_and_no_other,
    a_second_run_is_quiet_and_quick,
    a_changed_password_is_applied,
    a_service_added_later_gets_its_database_beside_the_data,
    a_schema_file_is_applied_once,
    a_schema_file_that_fails_leaves_nothing_behind_and_is_tried_again,
    services_that_share_a_database_work_on_the_same_tables,
);

fn each_service_reaches_its_own_database_and_no_other(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    let shop = Service::new("shop", HARD_PASSWORD);
    // The underscore is a wildcard in MySQL's grants: the first must not reach the second.
    let wild = Service::new("my_db", "one");
    let near = Service::new("myxdb", "two");
    case.set_up(&[&shop, &wild, &near]).succeeds();

    case.query(&shop, "shop", "CREATE TABLE items (id INT PRIMARY KEY)").succeeds();
    case.query(&shop, "shop", "INSERT INTO items VALUES (7)").succeeds();
    assert_eq!(case.query(&shop, "shop", "SELECT id FROM items").succeeds(), "7");
    for other in ["my_db", "myxdb", case.system_database()] {
        case.query(&shop, other, "SELECT 1").is_denied();
    }
    case.query(&wild, "my_db", "SELECT 1").succeeds();
    case.query(&wild, "myxdb", "SELECT 1").is_denied();
    case.query(&Service::new("shop", "wrong"), "shop", "SELECT 1").is_denied();
}

fn a_second_run_is_quiet_and_quick(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    let shop = Service::new("shop", "one").with_schema("1.sql", "CREATE TABLE items (id INT);");
    let stock = Service::new("stock", "two");
    case.set_up(&[&shop, &stock]).succeeds();

    let again = case.set_up(&[&shop, &stock]);
    assert_eq!((again.succeeds(), again.errors()), (String::new(), String::new()));
    // Measured in starts of an empty container (0.4 s on an idle machine), since other tests run beside this one.
    let best = |run: &dyn Fn() -> Duration| (0..3).map(|_| run()).min().expect("three runs");
    let empty = best(&|| case.empty_one_shot().took);
    let setup = best(&|| case.set_up(&[&shop, &stock]).took);
    assert!(setup < 3 * empty, "took {setup:?}, an empty container {empty:?}");
}

fn a_changed_password_is_applied(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    case.set_up(&[&Service::new("shop", "old")]).succeeds();
    let shop = Service::new("shop", "new");
    case.query(&shop, "shop", "SELECT 1").is_denied();

    case.set_up(&[&shop]).succeeds();

    case.query(&shop, "shop", "SELECT 1").succeeds();
    case.query(&Service::new("shop", "old"), "shop", "SELECT 1").is_denied();
}

#[test]
fn postgres_takes_a_new_password_for_its_administrator() {
    let changed = |server: &mut Server| server.secret = HARD_PASSWORD.to_owned();
    let Some(case) = lone_case(POSTGRES, changed) else { return };

    case.set_up(&[&Service::new("shop", "one")]).succeeds();

    let administrator = Service::new("postgres", HARD_PASSWORD);
    case.query(&administrator, "postgres", "SELECT 1").succeeds();
}

fn a_service_added_later_gets_its_database_beside_the_data(engine: (&str, &str)) {
    let Some(case) = lone_case(engine, |_| ()) else { return };
    let shop = Service::new("shop", "one");
    case.set_up(&[&shop]).succeeds();
    case.query(&shop, "shop", "CREATE TABLE items (id INT)").succeeds();
    case.query(&shop, "shop", "INSERT INTO items VALUES (7)").succeeds();
    case.server.start_again();

    let stock = Service::new("stock", "two");
    case.set_up(&[&shop, &stock]).succeeds();

    case.query(&stock, "stock", "CREATE TABLE places (id INT)").succeeds();
    assert_eq!(case.query(&shop, "shop", "SELECT id FROM items").succeeds(), "7");
}

fn a_schema_file_is_applied_once(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    let shop = Service::new("shop", HARD_PASSWORD)
        .with_schema("1.sql", "CREATE TABLE items (id INT);")
        .with_schema("2.sql", "INSERT INTO items VALUES (7);");
    case.set_up(&[&shop]).succeeds();
    case.set_up(&[&shop]).succeeds();

    let shop = shop.with_schema("3.sql", "INSERT INTO items VALUES (8);");
    case.set_up(&[&shop]).succeeds();

    assert_eq!(case.query(&shop, "shop", "SELECT id FROM items ORDER BY id").succeeds(), "7\n8");
    case.query(&shop, "shop", "DROP TABLE items").succeeds();
}

fn a_schema_file_that_fails_leaves_nothing_behind_and_is_tried_again(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    let first = "CREATE TABLE items (id INT);";
    let broken = Service::new("shop", "one")
        .with_schema("1.sql", first)
        .with_schema("2.sql", "CREATE TABLE places (id INT);\nINSERT INTO nowhere VALUES (1);");
    let message = case.set_up(&[&broken]).fails();
    assert!(message.contains("/schemas/shop/2.sql") && message.contains("nowhere"), "{message}");
    case.query(&broken, "shop", "SELECT * FROM places").is_denied();

    let mended = Service::new("shop", "one")
        .with_schema("1.sql", first)
        .with_schema("2.sql", "CREATE TABLE places (id INT);\nINSERT INTO places VALUES (7);");
    case.set_up(&[&mended]).succeeds();

    assert_eq!(case.query(&mended, "shop", "SELECT id FROM places").succeeds(), "7");
    case.query(&mended, "shop", "INSERT INTO items VALUES (1)").succeeds();
}

fn services_that_share_a_database_work_on_the_same_tables(engine: (&str, &str)) {
    let Some(case) = case(engine) else { return };
    let shop = Service::new("shop", "one");
    let own = Service::new("web", "two");
    case.set_up(&[&shop, &own]).succeeds();
    case.query(&shop, "shop", "CREATE TABLE items (id INT)").succeeds();

    // A second service joins the first one's database, and keeps its own.
    let web = Service::new("web", "two").on("shop");
    case.set_up(&[&shop, &own, &web]).succeeds();
    case.set_up(&[&shop, &own, &web]).succeeds();

    case.query(&web, "shop", "ALTER TABLE items ADD COLUMN name VARCHAR(10)").succeeds();
    case.query(&web, "shop", "CREATE TABLE pages (id INT)").succeeds();
    case.query(&shop, "shop", "ALTER TABLE pages ADD COLUMN name VARCHAR(10)").succeeds();
    case.query(&own, "web", "CREATE TABLE visits (id INT)").succeeds();
    case.query(&shop, "web", "SELECT * FROM visits").is_denied();
}
