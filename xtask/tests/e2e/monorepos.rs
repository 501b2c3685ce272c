//! Monorepos that are not the sample: each comes up healthy on the first `up`.

use serde_json::Value;

use crate::lab::{Own, free_ports, lab};
use crate::place::Place;

const PYTHON: &str = "python:3.13-slim";

/// A service without any package: the standard library's server, with a health route.
fn python_service(place: &Place, folder: &str, port: u16, environment: &str) {
    place.write(
        &format!("{folder}/app.py"),
        format!(
            "import http.server\nimport os\n\n\n\
             class Handler(http.server.BaseHTTPRequestHandler):\n    \
             def do_GET(self):\n        \
             self.send_response(200 if self.path == \"/health\" else 404)\n        \
             self.end_headers()\n\n\n\
             port = int(os.environ.get(\"PORT\", \"{port}\"))\n\
             http.server.ThreadingHTTPServer((\"0.0.0.0\", port), Handler).serve_forever()\n"
        ),
    );
    place.write(
        &format!("{folder}/Dockerfile"),
        format!("FROM {PYTHON}\nWORKDIR /app\nCOPY app.py .\nEXPOSE {port}\nCMD [\"python\", \"app.py\"]\n"),
    );
    place.write(&format!("{folder}/.env.example"), format!("PORT={port}\n{environment}"));
}

/// The first `up` of a fresh monorepo: makes the setup, `.env` and everything else.
#[track_caller]
fn comes_up(place: &Own, services: &[&str]) {
    let up = place.xtask(&["up"]).exits(0);
    place.assert_all_healthy(services);
    let words =
        if services.len() == 1 { "1 container".to_owned() } else { format!("{} containers", services.len()) };
    assert!(up.stderr.contains(&format!("Finished {words} healthy in ")), "{}", up.stderr);
    place.xtask(&["health"]).exits(0);
    place.xtask(&["smoke"]).exits(0);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &place.root.join("integration/.env").metadata().expect("`up` made it").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "`.env` holds secrets");
}

#[test]
fn one_service_without_documents_comes_up() {
    let port = free_ports(1);
    let Some(place) = lab(&[PYTHON], || Place::new("single")) else { return };
    python_service(&place, "api", port, "");
    comes_up(&place, &["api"]);
}

#[test]
fn a_service_from_scratch_comes_up() {
    let port = free_ports(1);
    let images = ["rust:1.85-slim", "busybox:1.37-musl"];
    let Some(place) = lab(&images, || Place::new("scratch")) else { return };
    place.write("hello/hello.c", C_SERVER.replace("PORT_NUMBER", &port.to_string()));
    // Any image with a C compiler will do; this one is there for the sample.
    place.write(
        "hello/Dockerfile",
        format!(
            "FROM rust:1.85-slim AS build\nCOPY hello.c /\nRUN gcc -O1 -static -o /hello /hello.c\n\n\
             FROM scratch\nCOPY --from=build /hello /hello\nUSER 10001:10001\nEXPOSE {port}\nENTRYPOINT [\"/hello\"]\n"
        ),
    );
    comes_up(&place, &["hello"]);
}

/// Answers every request with 200; it has no handler for SIGTERM.
const C_SERVER: &str = r#"#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

int main(void) {
    struct sockaddr_in address;
    int yes = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(PORT_NUMBER);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 16)) return 1;
    for (;;) {
        char request[4096];
        int client = accept(server, 0, 0);
        if (client < 0) continue;
        if (read(client, request, sizeof request) > 0) write(client, answer, sizeof answer - 1);
        close(client);
    }
}
"#;

#[test]
fn folders_with_spaces_and_capitals_come_up() {
    let port = free_ports(1);
    let Some(place) = lab(&[PYTHON], || Place::new("My Shop")) else { return };
    python_service(&place, "Order Service", port, "");
    comes_up(&place, &["order-service"]);
    assert!(place.project().starts_with("my-shop-"), "{}", place.project());
}

#[test]
fn two_services_on_one_port_that_depend_on_each_other_come_up_and_are_reported() {
    // The second moves to a port after the first one's.
    let port = free_ports(4);
    let Some(place) = lab(&[PYTHON], || Place::new("circle")) else { return };
    python_service(&place, "ping", port, &format!("PONG_URL=http://pong:{port}\n"));
    python_service(&place, "pong", port, &format!("PING_URL=http://ping:{port}\n"));

    comes_up(&place, &["ping", "pong"]);

    let inventory = place.xtask(&["inventory", "--json"]).exits(0);
    let inventory: Value = serde_json::from_str(&inventory.stdout).expect("it is JSON");
    for code in ["port-conflict", "dependency-cycle"] {
        let problems = inventory["problems"].as_array().expect("a list");
        let problem = problems.iter().find(|problem| problem["code"] == code);
        let problem = problem.unwrap_or_else(|| panic!("no {code} in {problems:#?}"));
        assert_eq!(problem["services"], serde_json::json!(["ping", "pong"]), "{problem}");
        assert!(problem["at"].as_array().is_some_and(|places| !places.is_empty()), "{problem}");
        assert!(problem["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{problem}");
    }
}
