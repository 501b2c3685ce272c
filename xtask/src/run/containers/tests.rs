//! What `docker ps` and `inspect` print, read into states.

use super::*;

/// `docker ps` as [`state::containers`] asks for it: service, state, status, ports, role, main, health.
fn containers(lines: &[[&str; 7]]) -> Vec<Container> {
    let text: Vec<String> = lines
        .iter()
        .map(|[service, state, status, ports, role, main, health]| {
            serde_json::json!({
                "id": service, "name": service, "image": "i", "state": state, "status": status, "ports": ports,
                "created": "c", "service": service, "depends_on": "", "role": role, "kind": "", "main": main,
                "health": health,
            })
            .to_string()
        })
        .collect();
    state::parse_ps(&text.join("\n")).unwrap()
}

fn sample() -> Vec<Container> {
    containers(&[
        [
            "api",
            "running",
            "Up 1 second (healthy)",
            "0.0.0.0:3000->8080/tcp",
            "service",
            "http 8080",
            "http 8080 /health",
        ],
        [
            "db",
            "running",
            "Up 1 second (healthy)",
            "127.0.0.1:5433->5432/tcp",
            "component",
            "tcp 5432",
            "command",
        ],
        ["hidden", "running", "Up 1 second", "", "service", "http 80", "http 80 /"],
        [
            "rpc",
            "running",
            "Up 1 second",
            "127.0.0.1:50051->50051/tcp",
            "service",
            "grpc 50051",
            "grpc 50051",
        ],
        ["setup", "exited", "Exited (0) 1 second ago", "", "one-shot", "", ""],
        ["worker", "exited", "Exited (1) 1 second ago", "", "service", "", "process"],
    ])
}

#[test]
fn endpoints_are_the_published_health_ports_of_running_containers() {
    let urls = |remote| endpoints(&sample(), remote).iter().map(Endpoint::url).collect::<Vec<_>>();
    assert_eq!(
        urls(None),
        ["http://127.0.0.1:3000/health", "tcp://127.0.0.1:5433", "grpc://127.0.0.1:50051"]
    );
    assert_eq!(urls(Some("build.example"))[0], "http://build.example:3000/health");
}

#[test]
fn url_of_a_service_or_the_reason_why_there_is_none() {
    let all = sample();
    for (service, port, wanted) in [
        ("api", None, Ok("http://127.0.0.1:3000")),
        ("api", Some(8080), Ok("http://127.0.0.1:3000")),
        ("api", Some(9090), Err("port 9090 of service `api` is not published on the host")),
        ("hidden", None, Err("port 80 of service `hidden` is not published on the host")),
        ("worker", None, Err("service `worker` does not run")),
        ("workers", None, Err("there is no container of service `workers`; did you mean `worker`?")),
        ("something", None, Err("there is no container of service `something`")),
    ] {
        let got = base_url(&all, service, port, None);
        assert_eq!(got, wanted.map(str::to_owned).map_err(str::to_owned), "{service} {port:?}");
    }
}

#[test]
fn report_tells_what_is_not_well() {
    let details = Details {
        id: "worker".to_owned(),
        restarts: 2,
        finished_at: "2026-11-22T20:00:00Z".to_owned(),
        ..Details::default()
    };
    let seen = Seen { containers: sample(), details: vec![details], answers: Vec::new() };
    assert_eq!((seen.healthy(), seen.unwell()), (false, vec!["worker"]));
    let report = serde_json::to_value(seen.report(false)).unwrap();
    assert_eq!(
        report["containers"][5],
        serde_json::json!({"service": "worker", "state": "exited", "health": "none", "exit_code": 1,
            "restarts": 2, "since": "2026-11-22T20:00:00Z"})
    );
    assert_eq!(report["containers"][4]["health"], "healthy");
    let full = serde_json::to_value(seen.report(true)).unwrap();
    assert_eq!(
        full["containers"][0]["ports"][0],
        serde_json::json!({"container": 8080, "host": 3000, "address": "0.0.0.0"})
    );
    assert_eq!(
        (&full["containers"][0]["image"], &full["containers"][0]["created"]),
        (&"i".into(), &"c".into())
    );
}

#[test]
fn nothing_is_not_healthy() {
    assert!(!Seen { containers: Vec::new(), details: Vec::new(), answers: Vec::new() }.healthy());
}
