//! The day-to-day commands on a running system: one service on the host, shells, logs, the graph, the list of systems.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lab::{docker, until};
use crate::place::Screen;
use crate::shop::{Shop, not_passed, rows, shop};

#[test]
fn a_service_on_the_host_and_the_rest_in_containers_reach_each_other() {
    let Some(shop) = shop() else { return };

    let up = shop.xtask(&["up", "--without", "billing"]).exits(0);
    let (answer, test) = both_ways(&shop);
    shop.xtask(&["up"]).exits(0);

    assert!(!up.stdout.lines().any(|line| line.starts_with("billing ")), "{}", up.stdout);
    assert_eq!(answer, "from the host");
    let test = test.exits(0);
    assert!(rows(&test).contains(&"connectivity orders to billing passed".to_owned()), "{}", test.stdout);
    assert_eq!(
        not_passed(&test),
        [
            "connectivity billing to postgres skipped",
            "isolation billing not to mariadb skipped",
            "isolation billing not to rabbitmq skipped",
            "isolation billing not to redis skipped",
        ]
    );
    shop.assert_all_healthy(&[
        "billing", "goods", "mariadb", "orders", "postgres", "rabbitmq", "redis", "stock",
    ]);
}

/// What a container gets from the host under the service's name, and what `test` leaves out meanwhile.
fn both_ways(shop: &Shop) -> (String, Screen) {
    let shown = shop.xtask(&["env", "show", "billing", "--host"]).exits(0);
    let variable = |name: &str| {
        let value = shown.stdout.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        value.unwrap_or_else(|| panic!("no {name} in {}", shown.stdout)).to_owned()
    };
    let port: u16 = variable("PORT").parse().expect("a port");
    assert_eq!(port.to_string(), shop.variable("BILLING_PORT"));
    // From here to the containers: the address that the variables give is that of the real database.
    let database = variable("DATABASE_URL");
    let address = format!("127.0.0.1:{}", shop.variable("POSTGRES_PORT"));
    assert!(database.contains(&format!("@{address}/billing")), "{database}");
    std::net::TcpStream::connect(&address).expect("the database answers here");
    // And back: the service is played by this test.
    let listener =
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("`up` leaves the port to the host");
    let open = Arc::new(AtomicBool::new(true));
    let going = Arc::clone(&open);
    let host = std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten().take_while(|_| going.load(Ordering::Relaxed)) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nfrom the host",
            );
        }
    });
    let url = "http://billing:8081/health";
    let answer = docker(&["exec", &shop.container("orders"), "wget", "-q", "-T", "5", "-O", "-", url]);
    let test = shop.xtask(&["test"]);
    // A last connection, so that it sees that it is over.
    open.store(false, Ordering::Relaxed);
    let _ = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    host.join().expect("it ends");
    (answer, test)
}

#[test]
fn an_image_without_a_shell_gets_one_with_the_services_network_processes_and_variables() {
    let Some(shop) = shop() else { return };
    // Without its shell the image is one like those from scratch.
    let container = shop.container("goods");
    docker(&["exec", &container, "rm", "/bin/sh"]);
    let mut command = shop.command(&["exec", "goods"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let script = "echo $MARIADB_DATABASE; wget -q -O - http://127.0.0.1:8082/health; cat /proc/1/root/www/health; exit 7\n";
    child.stdin.take().expect("is piped").write_all(script.as_bytes()).expect("it reads");

    let output = child.wait_with_output().expect("it ends");

    docker(&["exec", &container, "/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "goods\nok\nok\n");
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn logs_are_one_stream_by_time_and_grep_takes_what_matches() {
    let Some(shop) = shop() else { return };
    for (service, port, path) in
        [("orders", 8083, "/one"), ("stock", 8084, "/two"), ("orders", 8083, "/three")]
    {
        let url = format!("http://127.0.0.1:{port}{path}");
        let script = format!("wget -q -O /dev/null {url}; true");
        docker(&["exec", &shop.container(service), "sh", "-c", &script]);
    }

    let logs = shop.xtask(&["logs", "orders", "stock", "--grep", "url:/(one|two|three)"]).exits(0);

    let said: Vec<(&str, &str)> = logs
        .stdout
        .lines()
        .map(|line| {
            (line.split(' ').next().unwrap_or_default(), line.rsplit("url:").next().unwrap_or_default())
        })
        .collect();
    assert_eq!(said, [("orders", "/one"), ("stock", "/two"), ("orders", "/three")]);
    let none = shop.xtask(&["logs", "orders", "--grep", "nothing like this"]).exits(0);
    assert_eq!(none.stdout, "");
    assert!(
        shop.xtask(&["logs", "--grep", "("]).exits(1).stderr.contains("--grep holds no regular expression")
    );
}

#[test]
fn followed_logs_go_on_until_they_are_interrupted() {
    let Some(shop) = shop() else { return };
    let mut command = shop.command(&["logs", "goods", "-f", "--tail", "0", "--grep", "url:/followed"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.find_map(Result::ok).map(|line| sender.send(line)));
    let mut line = None;
    until("a line of the log", || {
        let script = "wget -q -O /dev/null http://127.0.0.1:8082/followed; true";
        docker(&["exec", &shop.container("goods"), "sh", "-c", script]);
        line = said.recv_timeout(std::time::Duration::from_secs(1)).ok();
        line.is_some()
    });

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .expect("it runs");

    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let line = line.unwrap_or_default();
    assert!(line.starts_with("goods | ") && line.ends_with("url:/followed"), "{line}");
}

#[test]
fn the_graph_and_the_list_of_systems_show_how_the_system_is() {
    let Some(shop) = shop() else { return };
    docker(&["stop", "--time", "1", &shop.container("stock")]);

    let graph = shop.xtask(&["graph"]).exits(0).stdout;
    let dot = shop.xtask(&["graph", "--format", "dot"]).exits(0).stdout;
    let list = shop.xtask(&["ls"]).exits(0).stdout;

    docker(&["start", &shop.container("stock")]);
    until("stock's return", || shop.xtask(&["health"]).code == 0);
    assert!(graph.contains("  n_stock[\"stock\"]:::unwell\n"), "{graph}");
    assert!(
        graph.contains("  n_orders[\"orders\"]:::well\n") && graph.contains("  n_orders --> n_billing\n"),
        "{graph}"
    );
    assert!(graph.contains("  n_redis[(\"redis\")]:::well\n"), "{graph}");
    assert!(!graph.contains("setup"), "one-shots are only means: {graph}");
    assert!(dot.contains("  \"stock\" -> \"redis\";\n") && dot.contains("tooltip=unwell"), "{dot}");
    let project = shop.project();
    let row =
        list.lines().find(|line| line.starts_with(&project)).unwrap_or_else(|| panic!("not listed:\n{list}"));
    assert!(row.contains("partly running  7 of 8"), "{row}");
    assert!(row.ends_with(&format!("{}/integration", shop.root.display())), "{row}");
}

#[test]
fn the_times_of_a_start_are_written_with_the_chain_that_took_longest() {
    let Some(shop) = shop() else { return };
    docker(&["rm", "--force", &shop.container("orders"), &shop.container("billing")]);
    let report = shop.base.join("timings.json");

    let up = shop.xtask(&["up", "--timings", &report.to_string_lossy()]).exits(0);

    assert!(up.stderr.contains(", then orders "), "{}", up.stderr);
    let text = std::fs::read_to_string(&report).expect("the report was written");
    let timings: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let services = timings["services"].as_array().expect("a list");
    let of = |name: &str, key: &str| {
        let service = services.iter().find(|service| service["service"] == name);
        service.unwrap_or_else(|| panic!("no {name} in {text}"))[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} {key}: {text}"))
    };
    for name in ["billing", "orders"] {
        assert!(of(name, "created_ms") <= of(name, "started_ms"), "{text}");
        assert!(of(name, "started_ms") <= of(name, "ready_ms"), "{text}");
    }
    assert!(of("billing", "ready_ms") <= of("orders", "started_ms"), "orders waits for billing: {text}");
    let path = timings["critical_path"].as_array().expect("a list");
    assert_eq!(path.last().expect("is not empty")["service"], "orders");
    assert!(timings["total_ms"].as_u64() >= Some(of("orders", "ready_ms")), "{text}");
}

#[test]
fn variables_are_checked_with_nothing_in_the_environment_but_a_path() {
    let Some(shop) = shop() else { return };
    let mut command = shop.command(&["env", "check"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());

    let check = shop.run(&mut command).exits(0);

    assert_eq!(check.stderr, "     Checked integration/.env: 0 errors, 0 warnings\n");
}
