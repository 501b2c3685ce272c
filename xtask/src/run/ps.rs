//! Reads what `docker ps` prints of containers, and how it is asked to; asks nobody.

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::run::labels::{Labels, Role};
use crate::run::state::{Check, Container, HostPort, State};

/// A template instead of `json`: labels come one by one, so that a comma in a value cannot hide the next one.
pub(super) fn format() -> String {
    let label = |name: &str| format!("{{{{json (.Label \"{name}\")}}}}");
    let field = |name: &str| format!("{{{{json .{name}}}}}");
    let fields = [
        ("id", field("ID")),
        ("name", field("Names")),
        ("image", field("Image")),
        ("state", field("State")),
        ("status", field("Status")),
        ("ports", field("Ports")),
        ("created", field("CreatedAt")),
        ("service", label("com.docker.compose.service")),
        ("depends_on", label("com.docker.compose.depends_on")),
        ("role", label("xtask.role")),
        ("kind", label("xtask.kind")),
        ("main", label("xtask.main")),
        ("health", label("xtask.health")),
    ];
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[derive(Deserialize)]
struct PsLine {
    id: String,
    name: String,
    image: String,
    state: String,
    status: String,
    ports: String,
    created: String,
    service: String,
    depends_on: String,
    role: String,
    kind: String,
    main: String,
    health: String,
}

/// Reads one JSON object a line, as `format` asks for it.
///
/// # Errors
/// When a line is something else.
pub fn parse_ps(text: &str) -> Result<Vec<Container>> {
    let mut containers = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: PsLine = serde_json::from_str(line)
            .map_err(|why| Failure::new("cannot understand what `docker ps` prints").why(why).why(line))?;
        containers.push(container(line));
    }
    mark_one_shots(&mut containers);
    containers.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
    Ok(containers)
}

/// Without a label, a container is a one-shot when another one waits for its end.
fn mark_one_shots(containers: &mut [Container]) {
    let waited_for: Vec<String> = containers
        .iter()
        .flat_map(|container| &container.depends_on)
        .filter(|(_, condition)| condition == "service_completed_successfully")
        .map(|(name, _)| name.clone())
        .collect();
    for container in containers {
        if container.labels.role.is_none() && waited_for.contains(&container.service) {
            container.labels.role = Some(Role::OneShot);
        }
    }
}

fn container(line: PsLine) -> Container {
    let labels = Labels::read(|name| match name {
        "xtask.role" => Some(line.role.as_str()),
        "xtask.kind" => Some(line.kind.as_str()),
        "xtask.main" => Some(line.main.as_str()),
        "xtask.health" => Some(line.health.as_str()),
        _ => None,
    });
    Container {
        labels,
        state: State::parse(&line.state),
        check: check(&line.status),
        exit_code: exit_code(&line.status),
        ports: host_ports(&line.ports),
        depends_on: depends_on(&line.depends_on),
        id: line.id,
        service: line.service,
        name: line.name,
        image: line.image,
        status: line.status,
        created: line.created,
    }
}

/// From `Up 3 seconds (healthy)`.
fn check(status: &str) -> Check {
    if status.ends_with("(healthy)") {
        Check::Healthy
    } else if status.ends_with("(unhealthy)") {
        Check::Unhealthy
    } else if status.contains("(health: starting)") {
        Check::Starting
    } else {
        Check::None
    }
}

/// From `Exited (137) 2 seconds ago` and `Restarting (1) 3 seconds ago`.
fn exit_code(status: &str) -> Option<i32> {
    let rest = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

/// From `127.0.0.1:13000->3000/tcp, [::]:80->80/tcp, 9000-9001/tcp`; ranges are spread out.
pub(super) fn host_ports(text: &str) -> Vec<HostPort> {
    let mut ports = Vec::new();
    for part in text.split(", ") {
        let Some((host, container)) = part.split_once("->") else { continue };
        let Some(container) = container.strip_suffix("/tcp") else { continue };
        let Some((address, host)) = host.rsplit_once(':') else { continue };
        let (Some(host), Some(container)) = (range(host), range(container)) else { continue };
        let address = address.trim_matches(['[', ']']);
        for (host, container) in host.zip(container) {
            ports.push(HostPort { address: address.to_owned(), host, container });
        }
    }
    ports.sort_by_key(|port| (port.container, port.address.contains(':'), port.host));
    ports.dedup_by_key(|port| (port.container, port.host));
    ports
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    match text.split_once('-') {
        Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
        None => text.parse().ok().map(|port| port..=port),
    }
}

/// From `postgres:service_healthy:false,seed:service_completed_successfully:false`.
fn depends_on(label: &str) -> Vec<(String, String)> {
    let entries = label.split(',').filter_map(|entry| entry.split_once(':'));
    entries
        .map(|(name, rest)| (name.to_owned(), rest.split(':').next().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PS: &str = r#"{"id":"a1","name":"p-web-1","image":"p-web","state":"running","status":"Up 3 seconds (health: starting)","ports":"127.0.0.1:13001->3000/tcp, 9000/tcp","created":"2026-11-22 20:48:06 +0000 UTC","service":"web","depends_on":"api:service_healthy:false,seed:service_completed_successfully:true","role":"service","kind":"worker","main":"http 3000","health":"http 3000 /health"}
{"id":"b2","name":"p-seed-1","image":"postgres:17","state":"exited","status":"Exited (0) 2 seconds ago","ports":"","created":"","service":"seed","depends_on":"","role":"one-shot","kind":"setup","main":"","health":""}
"#;

    #[test]
    fn containers_are_read_from_ps() {
        let all = parse_ps(PS).unwrap();
        assert_eq!(all.iter().map(|c| c.service.as_str()).collect::<Vec<_>>(), ["seed", "web"]);
        let (seed, web) = (&all[0], &all[1]);
        assert_eq!((seed.state, seed.exit_code, seed.is_well()), (State::Exited, Some(0), true));
        assert_eq!((web.state, web.check, web.is_well()), (State::Running, Check::Starting, false));
        assert_eq!(web.host_port(3000).map(|port| port.host), Some(13001));
        assert_eq!(web.labels.kind, "worker");
        assert_eq!(
            web.depends_on,
            [("api", "service_healthy"), ("seed", "service_completed_successfully")]
                .map(|(a, b)| (a.into(), b.into()))
        );
    }

    #[test]
    fn a_container_whose_end_is_waited_for_is_a_one_shot_without_a_label() {
        let all = parse_ps(&PS.replace("\"role\":\"one-shot\"", "\"role\":\"\"")).unwrap();
        assert_eq!(all.iter().map(Container::is_one_shot).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn published_ports_are_read_in_every_form() {
        let port = |address: &str, host, container| HostPort { address: address.to_owned(), host, container };
        assert_eq!(
            host_ports(
                "0.0.0.0:80->80/tcp, :::80->80/tcp, 127.0.0.1:7000-7001->9000-9001/tcp, 53/udp, 0.0.0.0:53->53/udp"
            ),
            [port("0.0.0.0", 80, 80), port("127.0.0.1", 7000, 9000), port("127.0.0.1", 7001, 9001)]
        );
        assert_eq!(host_ports("[::1]:8080->80/tcp"), [port("::1", 8080, 80)]);
        assert_eq!(host_ports(""), []);
    }

    #[test]
    fn status_text_gives_check_and_exit_code() {
        assert_eq!(check("Up 2 minutes (unhealthy)"), Check::Unhealthy);
        assert_eq!(check("Up 2 minutes"), Check::None);
        assert_eq!(exit_code("Restarting (137) 1 second ago"), Some(137));
        assert_eq!(exit_code("Up 1 second"), None);
    }

    #[test]
    fn foreign_output_is_an_error_and_not_an_empty_list() {
        assert!(parse_ps("Cannot connect").is_err());
    }
}
