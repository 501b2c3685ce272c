//! The facts that an image states: ports, values, health, addresses; decides nothing.

use super::{expand, flags};
use crate::discover::{ports, url};
use crate::model::fact::{
    EnvSource, Evidence, Fact, HealthKind, Image, PortSource, Protocol, Purpose, Subject, What,
};
use crate::model::path::RepoPath;

/// All facts of an image that is built from the Dockerfile at `path`; `command` replaces the image's.
pub(in crate::discover) fn facts(path: &RepoPath, image: &Image, command: Option<&[String]>) -> Vec<Fact> {
    let mut out = Out { path, facts: Vec::new() };
    exposed(image, &mut out);
    values(image, &mut out);
    health(image, &mut out);
    started(image, command, &mut out);
    defaults(image, &mut out);
    out.facts
}

/// The rule for a variable in EXPOSE: wherever it gets its value, that is the service's own port.
pub(in crate::discover) const EXPOSED_VARIABLE: &str = "dockerfile-expose-variable";

struct Out<'a> {
    path: &'a RepoPath,
    facts: Vec<Fact>,
}

impl Out<'_> {
    fn add(&mut self, rule: &'static str, line: u32, what: What) {
        let at = Evidence { path: self.path.clone(), line, rule };
        self.facts.push(Fact { what, at, subject: Subject::Here });
    }

    fn port(&mut self, rule: &'static str, line: u32, port: u16, source: PortSource) {
        let (protocol, purpose) = ports::kind(port);
        self.add(rule, line, What::Port { port, protocol, purpose, source, variable: None });
    }
}

fn exposed(image: &Image, out: &mut Out<'_>) {
    for (port, line) in &image.expose {
        out.port("dockerfile-expose", *line, *port, PortSource::Expose);
    }
    for (name, line) in &image.expose_variables {
        let what = What::EnvRead { name: name.clone(), default: None, required: false };
        out.add(EXPOSED_VARIABLE, *line, what);
    }
}

fn values(image: &Image, out: &mut Out<'_>) {
    for (name, value, line) in &image.env {
        if let Some(found) = ports::of_variable(name, value) {
            let what = What::Port {
                port: found.port,
                protocol: found.protocol,
                purpose: found.purpose,
                source: PortSource::ImageEnv,
                variable: Some(name.clone()),
            };
            out.add("dockerfile-env", *line, what);
        }
        for reference in url::references(value, Some(name)) {
            out.add("dockerfile-env", *line, What::Reference(reference));
        }
        let (name, value) = (name.clone(), value.clone());
        let what = What::EnvValue { name, value, comment: String::new(), source: EnvSource::Image };
        out.add("dockerfile-env", *line, what);
    }
}

fn health(image: &Image, out: &mut Out<'_>) {
    let Some(check) = &image.healthcheck else { return };
    let text = check.test.get(1..).unwrap_or_default().join(" ");
    if text.is_empty() {
        return;
    }
    let text = expand::value(&text, &|name| of_env(image, name));
    let (kind, path, port) = health_of(&text);
    out.add("dockerfile-healthcheck", check.line, What::Health { kind, path, port });
}

/// What a check's command asks for, with path and port.
fn health_of(text: &str) -> (HealthKind, Option<String>, Option<u16>) {
    // `grpcurl localhost:9000 grpc.health.v1.Health/Check` has an address, too, and no path.
    let is_grpc = text.contains("grpc.health.v1") || text.contains("grpcurl");
    match health_address(text) {
        Some((_, port)) if is_grpc => (HealthKind::Grpc, None, port),
        Some((path, port)) => (HealthKind::Http, Some(path), port),
        None if text.contains("grpc_health_probe") || text.contains("grpc-health-probe") => {
            (HealthKind::Grpc, None, None)
        }
        None => (HealthKind::Command, None, None),
    }
}

fn of_env(image: &Image, name: &str) -> Option<String> {
    image.env.iter().find(|(known, _, _)| known == name).map(|(_, value, _)| value.clone())
}

/// Path and port of the first URL of this machine in a command.
pub(in crate::discover) fn health_address(text: &str) -> Option<(String, Option<u16>)> {
    let starts = text.match_indices("://").map(|(at, _)| at + 3).chain(
        // curl and wget take addresses without a scheme.
        ["localhost", "127.0.0.1"].into_iter().flat_map(|host| text.match_indices(host).map(|(at, _)| at)),
    );
    for start in starts {
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || "'\"`;|)&,".contains(c)).unwrap_or(rest.len());
        let (host, path) = rest[..end].split_at(rest[..end].find('/').unwrap_or(end));
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        if matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "$HOSTNAME" | "host") {
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let path = if path.is_empty() { "/" } else { path };
            return Some((path.to_owned(), port.parse().ok()));
        }
    }
    None
}

fn started(image: &Image, command: Option<&[String]>, out: &mut Out<'_>) {
    let given = command.unwrap_or(&image.command);
    let whole: Vec<String> = match image.entrypoint.as_slice() {
        // Shell form ignores the command.
        [shell, flag, _] if shell == "sh" && flag == "-c" => image.entrypoint.clone(),
        entrypoint => entrypoint.iter().chain(given).cloned().collect(),
    };
    let start = if image.entrypoint.len() < whole.len() && given.first().is_some_and(|word| word == "sh") {
        given
    } else {
        &whole
    };
    let found = flags::listening(start, &|name| of_env(image, name));
    if let Some(port) = found.port {
        // Whether it stays where it is when all variables say something else.
        let moved = flags::listening(start, &|_| Some("1".to_owned())).port;
        let rule = if moved == Some(port) { "dockerfile-command" } else { "dockerfile-command-variable" };
        out.port(rule, image.command_line.max(1), port, PortSource::Command);
    }
    if found.port.is_none() {
        commands_in_variables(image, out);
    }
    if let Some(address) = found.address {
        out.add("dockerfile-command", image.command_line.max(1), What::Listens { address });
    }
}

/// `ENV SUPERVISOR_PHP_COMMAND="php artisan serve --port=80"`: what a supervisor starts.
fn commands_in_variables(image: &Image, out: &mut Out<'_>) {
    let is_command = |name: &str| name.ends_with("_COMMAND") || name.ends_with("_CMD");
    for (_, value, line) in image.env.iter().filter(|(name, ..)| is_command(&name.to_ascii_uppercase())) {
        if let Some(port) = flags::listening(&expand::words(value), &|name| of_env(image, name)).port {
            out.port("dockerfile-command", *line, port, PortSource::Command);
        }
    }
}

/// Where the base image alone decides the port.
fn defaults(image: &Image, out: &mut Out<'_>) {
    if let Some(port) = ports::of_base_image(&image.base) {
        let (protocol, purpose) =
            if port == ports::FASTCGI { (Protocol::Tcp, Purpose::Main) } else { ports::kind(port) };
        let source = PortSource::FrameworkDefault;
        let what = What::Port { port, protocol, purpose, source, variable: None };
        out.add("base-image-port", image.base_line.max(1), what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_of_grpc_are_no_pages() {
        for (text, wanted) in [
            (
                "grpcurl -plaintext localhost:9000 grpc.health.v1.Health/Check",
                (HealthKind::Grpc, None, Some(9000)),
            ),
            ("grpc_health_probe -addr=:50051", (HealthKind::Grpc, None, None)),
            ("curl localhost:80/up", (HealthKind::Http, Some("/up".to_owned()), Some(80))),
            ("test -f /tmp/alive", (HealthKind::Command, None, None)),
        ] {
            assert_eq!(health_of(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_address_is_read_from_the_command() {
        for (text, wanted) in [
            ("curl -f http://localhost:8080/health || exit 1", Some(("/health", Some(8080)))),
            ("wget -qO- 127.0.0.1:3000/ready?x=1", Some(("/ready", Some(3000)))),
            (
                "python -c \"import urllib.request as r; r.urlopen('http://127.0.0.1:8000/up')\"",
                Some(("/up", Some(8000))),
            ),
            ("curl --fail http://localhost", Some(("/", None))),
            ("pg_isready", None),
        ] {
            let wanted = wanted.map(|(path, port)| (path.to_owned(), port));
            assert_eq!(health_address(text), wanted, "{text}");
        }
    }
}
