//! The sample under other names and ports: nothing in the program knows the sample.

use crate::lab::lab;
use crate::place::Place;
use crate::sample::IMAGES;

/// In this order, so that no replacement meets what an earlier one wrote.
const OTHER: &[(&str, &str)] = &[
    ("trading", "desk"),
    ("Trading", "Desk"),
    ("TRADING", "DESK"),
    ("accounts", "people"),
    ("Accounts", "People"),
    ("ACCOUNTS", "PEOPLE"),
    ("market", "quotes"),
    ("Market", "Quotes"),
    ("MARKET", "QUOTES"),
    ("3000", "4100"),
    ("3001", "4101"),
    ("3002", "4102"),
    // The name of a build cache: kept, so that the dependencies are not compiled a second time.
    ("id=quotes-target", "id=market-target"),
];

fn renamed(text: &str) -> String {
    OTHER.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The sample's own files alone, with every name and port replaced in texts and paths.
fn copy() -> Place {
    let sample = Place::clone_of_this_project("original");
    let copy = Place::new("shop");
    for (path, bytes) in sample.files_below("workspace") {
        let text = String::from_utf8(bytes).expect("the sample is text");
        // Checksums hold digits of every kind; nothing in the lock files is a port.
        let is_lock = path.ends_with("package-lock.json") || path.ends_with(".lock");
        let names: &[(&str, &str)] = if is_lock { &OTHER[..9] } else { OTHER };
        let text = names.iter().fold(text, |text, (from, to)| text.replace(from, to));
        copy.write(&renamed(&path), text);
    }
    copy
}

#[test]
fn the_sample_under_other_names_and_ports_comes_up_just_so() {
    let Some(shop) = lab(IMAGES, copy) else { return };
    assert!(shop.read("workspace/code/desk/.env.example").contains("PEOPLE_URL=http://localhost:4101"));
    shop.xtask(&["integrate"]).exits(0);
    shop.keep_apart();

    shop.xtask(&["up"]).exits(0);

    shop.assert_all_healthy(&["desk", "people", "postgres", "quotes", "redis"]);
    shop.xtask(&["smoke"]).exits(0);
}
