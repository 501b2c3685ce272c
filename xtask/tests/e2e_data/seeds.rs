//! Seed files that people drop into the setup: applied once each, in order, and nothing half done.

use crate::lab::lab;
use crate::place::Place;
use crate::shop::{maria, psql, psql_as, shop};

const ORDER: &str = "SELECT string_agg(name, ',' ORDER BY id) FROM colours";

#[test]
fn seed_files_are_applied_once_in_the_order_of_their_names() {
    let Some(shop) = shop() else { return };
    let colours = || psql_as(&shop, "shop", "shop", ORDER).exits(0).stdout.trim_end().to_owned();
    let file = |name: &str| format!("integration/init-scripts/seed/{name}");
    let calm = shop.xtask(&["up"]).exits(0);
    assert!(!calm.stderr.contains("Seeded"), "{}", calm.stderr);

    shop.xtask(&["db", "snapshot", "unseeded"]).exits(0);

    shop.write(&file("shop/02-more.sql"), "INSERT INTO colours (name) VALUES ('blue')");
    shop.write(
        &file("shop/01-first.sql"),
        "CREATE TABLE colours (id serial, name text);\nINSERT INTO colours (name) VALUES ('red');\n",
    );
    shop.write(
        &file("stock/01-first.sql"),
        "CREATE TABLE colours (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9));\nINSERT INTO colours (name) VALUES ('red')",
    );
    shop.write(&file("shopp/01.sql"), "SELECT 1;\n");
    let seeded = shop.xtask(&["up"]).exits(0);
    assert!(
        seeded.stderr.contains("      Seeded shop (01-first.sql and 02-more.sql)\n"),
        "{}",
        seeded.stderr
    );
    assert!(seeded.stderr.contains("      Seeded stock (01-first.sql)\n"), "{}", seeded.stderr);
    assert!(
        seeded.stderr.contains(
            "warning: seed files of `shopp` are not applied\n  at integration/init-scripts/seed/shopp\n  \
             why: no service of this name has a database here that takes such files\n  \
             fix: did you mean `init-scripts/seed/shop`?\n"
        ),
        "{}",
        seeded.stderr
    );
    std::fs::remove_dir_all(shop.root.join(file("shopp"))).expect("it was just made");
    assert_eq!(colours(), "red,blue");

    // A snapshot from before the seeds brings their record back as well, also where it is kept beside the databases.
    let restored = shop.xtask(&["db", "restore", "unseeded", "--yes"]).exits(0);
    let again = format!("{}{}", restored.stderr, shop.xtask(&["up"]).exits(0).stderr);
    assert!(again.contains("      Seeded stock (01-first.sql)\n"), "{again}");
    assert_eq!(
        (colours(), maria(&shop, "SELECT name FROM colours")),
        ("red,blue".to_owned(), "red".to_owned())
    );

    // What fails is named with its line, and leaves no rows behind; the one before it stays.
    shop.write(&file("shop/03-bad.sql"), "CREATE TABLE half (id int);\n\nINSERT INTO nowhere VALUES (1);\n");
    let failed = shop.xtask(&["up"]).exits(1);
    assert!(
        failed.stderr.ends_with(
            "error: the seed file `03-bad.sql` of `shop` failed at line 3\n  \
             at integration/init-scripts/seed/shop/03-bad.sql:3\n  \
             why: | ERROR:  relation \"nowhere\" does not exist\n       nothing of it was applied\n  \
             fix: correct it, then: cargo xtask up\n"
        ),
        "{}",
        failed.stderr
    );
    assert_eq!(psql_as(&shop, "shop", "shop", "SELECT to_regclass('half') IS NULL").exits(0).stdout, "t\n");
    std::fs::remove_file(shop.root.join(file("shop/03-bad.sql"))).expect("it was just made");
    shop.write(
        &file("stock/02-bad.sql"),
        "INSERT INTO colours (name) VALUES ('lost');\nINSERT INTO nowhere VALUES (1);\n",
    );
    let failed = shop.xtask(&["up"]).exits(1);
    assert!(
        failed.stderr.contains(
            "error: the seed file `02-bad.sql` of `stock` failed at line 2\n  \
             at integration/init-scripts/seed/stock/02-bad.sql:2\n  \
             why: | Table 'stock.nowhere' doesn't exist\n       \
             its changes of rows since its last change of a table were taken back; what stands before stays\n"
        ),
        "{}",
        failed.stderr
    );
    assert_eq!(maria(&shop, "SELECT name FROM colours"), "red");

    // An edited file has its say no second time.
    shop.write(&file("stock/02-bad.sql"), "INSERT INTO colours (name) VALUES ('green');\n");
    shop.write(&file("shop/02-more.sql"), "INSERT INTO colours (name) VALUES ('black');\n");
    let edited = shop.xtask(&["up"]).exits(0);
    assert!(
        edited.stderr.contains(
            "warning: the seed file `02-more.sql` has changed since it was applied, and is not applied again\n  \
             at integration/init-scripts/seed/shop/02-more.sql\n  \
             fix: put what is new into a file of its own, or begin anew: cargo xtask reset postgres\n"
        ),
        "{}",
        edited.stderr
    );
    assert_eq!(
        (colours(), maria(&shop, "SELECT COUNT(*) FROM colours")),
        ("red,blue".to_owned(), "2".to_owned())
    );

    // With the data gone, all of them count anew.
    shop.spoil();
    let reset = shop.xtask(&["reset", "postgres", "--yes", "--no-snapshot"]).exits(0);
    assert!(reset.stderr.contains("      Seeded shop (01-first.sql and 02-more.sql)\n"), "{}", reset.stderr);
    assert_eq!(colours(), "red,black");
    std::fs::remove_dir_all(shop.root.join(file(""))).expect("it was just made");
}

/// A service with this login in its code.
fn with_a_fixed_login(place: &Place, name: &str) {
    place.write(
        &format!("{name}/Dockerfile"),
        "FROM busybox:1.37-musl\nCOPY . /app\nCMD [\"sleep\", \"1000000\"]\n",
    );
    place.write(&format!("{name}/requirements.txt"), "psycopg==3.2\n");
    place.write(
        &format!("{name}/main.py"),
        "import psycopg\n\npsycopg.connect(\"postgresql://app:secret@postgres:5432/shop\")\n",
    );
}

#[test]
fn an_edited_file_is_not_applied_again_when_another_service_comes_to_its_database() {
    let made = lab(&["postgres:17", "busybox:1.37-musl"], || {
        let place = Place::new("login");
        with_a_fixed_login(&place, "api");
        place
    });
    let Some(lab) = made else { return };
    let file = |service: &str| format!("integration/init-scripts/seed/{service}/01.sql");
    lab.xtask(&["integrate"]).exits(0);
    lab.keep_apart();
    lab.write(
        &file("api"),
        "CREATE TABLE colours (id serial, name text);\nINSERT INTO colours (name) VALUES ('red');\n",
    );
    lab.xtask(&["up"]).exits(0);

    lab.write(&file("api"), "INSERT INTO colours (name) VALUES ('black');\n");
    with_a_fixed_login(&lab, "desk");
    lab.write(&file("desk"), "INSERT INTO colours (name) VALUES ('green');\n");
    lab.xtask(&["integrate"]).exits(0);
    let up = lab.xtask(&["up"]).exits(0).stderr;

    assert!(up.contains("      Seeded desk (01.sql)\n") && !up.contains("Seeded api"), "{up}");
    assert!(up.contains("warning: the seed file `01.sql` has changed since it was applied"), "{up}");
    assert_eq!(psql(&lab, "shop", ORDER), "red,green");
}
