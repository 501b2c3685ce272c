//! What the fake `docker` and small servers answer, and screens without the numbers that differ from run to run.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::fake::Fake;

/// A setup whose `docker ps` shows these: service, state, status, ports, role, main, health.
pub(crate) fn with_containers(fake: Fake, lines: &[[&str; 7]]) -> Fake {
    let line = |[service, state, status, ports, role, main, health]: &[&str; 7]| {
        serde_json::json!({
            "id": service, "name": service, "image": "i", "state": state, "status": status, "ports": ports,
            "created": "c", "service": service, "depends_on": "", "role": role, "kind": "", "main": main,
            "health": health,
        })
        .to_string()
    };
    let lines: Vec<String> = lines.iter().map(line).collect();
    fake.on("ps --all*", &format!("echo '{}'", lines.join("\n")))
}

/// A scenario of the setup.
pub(crate) fn with_scenario(fake: Fake, name: &str, text: &str) -> Fake {
    std::fs::create_dir_all(fake.setup().join("tests/smoke")).unwrap();
    fake.file(&format!("tests/smoke/{name}"), text)
}

/// A server that gives every connection the same answer, until the test ends.
pub(crate) fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // Requests of these tests come in one piece.
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

/// `12 ms` is `N ms`.
pub(crate) fn without_times(text: &str) -> String {
    regex::Regex::new(r"\b\d+ ms").unwrap().replace_all(text, "N ms").into_owned()
}
