//! On a sound system everything passes, and nothing of the tests stays behind.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::lab::{docker, rest};
use crate::shop::{rows, shop};

#[test]
fn a_sound_system_passes_every_test_and_no_list_of_processes_shows_a_password() {
    let Some(shop) = shop() else { return };
    let secrets: Vec<String> = [
        "BILLING_DB_PASSWORD",
        "ORDERS_DB_PASSWORD",
        "GOODS_DB_PASSWORD",
        "STOCK_DB_PASSWORD",
        "ORDERS_RABBITMQ_PASSWORD",
        "GOODS_RABBITMQ_PASSWORD",
        "RABBITMQ_PASSWORD",
    ]
    .map(|name| shop.variable(name))
    .to_vec();
    let report = shop.base.join("test.xml");
    let mut command = shop.command(&["-v", "test", "--junit", &report.to_string_lossy()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let reader = child.stderr.take();
    let said = std::thread::spawn(move || rest(reader));

    let mut shown = BTreeSet::new();
    let mut looked = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        looked += 1;
        shown.extend(
            command_lines().into_iter().filter(|line| secrets.iter().any(|secret| line.contains(secret))),
        );
    }

    let (stdout, stderr) = (rest(child.stdout.take()), said.join().expect("it can be read"));
    let code = child.wait().expect("it has ended").code();
    assert_eq!(code, Some(0), "\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    assert!(looked > 5, "the list of processes was looked at {looked} times");
    assert_eq!(shown, BTreeSet::new());
    assert!(!secrets.iter().any(|secret| stderr.contains(secret)), "{stderr}");
    let screen = crate::place::Screen { code: 0, stdout, stderr, took: std::time::Duration::ZERO };
    let rows = rows(&screen);
    for wanted in [
        "health orders passed",
        "connectivity billing to postgres passed",
        "connectivity goods to mariadb passed",
        "connectivity goods to rabbitmq passed",
        "connectivity orders to billing passed",
        "connectivity orders to postgres passed",
        "connectivity orders to rabbitmq passed",
        "connectivity stock to mariadb passed",
        "connectivity stock to redis passed",
        "isolation billing not to mariadb passed",
        "isolation billing not to postgres/orders passed",
        "isolation goods not to mariadb/stock passed",
        "isolation goods not to rabbitmq// passed",
        "isolation orders not to postgres/billing passed",
        "isolation orders not to rabbitmq/shelf passed",
        "isolation orders not to redis passed",
        "isolation ports on this machine only passed",
        "isolation stock not to rabbitmq passed",
        "smoke billing answers what its API document lists passed",
    ] {
        assert!(rows.iter().any(|row| row == wanted), "no row `{wanted}` in\n{}", screen.stdout);
    }
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    let mut order = kinds.clone();
    order.dedup();
    assert_eq!(order, ["health", "connectivity", "isolation", "smoke"]);
    let xml = std::fs::read_to_string(&report).expect("the report was written");
    let document = roxmltree::Document::parse(&xml).expect("it is XML");
    let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
    let suites: Vec<&str> = suites.filter_map(|suite| suite.attribute("name")).take(3).collect();
    assert_eq!(suites, ["health", "connectivity", "isolation"]);
    let label = format!("label=xtask.tests={}", shop.project());
    assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &label]), "");
}

/// Of all processes of this machine, those in containers included.
fn command_lines() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("this is Linux").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

#[test]
fn a_scenario_made_from_an_api_document_is_the_users_from_then_on() {
    let Some(shop) = shop() else { return };
    let name = "integration/tests/smoke/openapi-billing.yaml";
    let text = shop.read(name);
    assert!(text.contains("path: /bills }"), "{text}");
    assert!(!text.contains("{id}"), "{text}");
    let document = shop.read("billing/openapi.yaml");
    shop.write("billing/openapi.yaml", document.replace("/bills:", "/invoices:"));

    shop.xtask(&["integrate"]).exits(0);

    let after = shop.read(name);
    shop.write("billing/openapi.yaml", document);
    assert_eq!(after, text);
}
