//! Containers from decisions: components, one-shots and services as Compose will see them; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Entry;
use crate::config::Health as WantedHealth;
use crate::model::fact::{Build, HealthKind, Purpose};
use crate::model::inventory::{Health, Role};
use crate::model::path::RepoPath;
use crate::model::stack::{
    Condition, Container, ContainerBuild, ContainerRole, Dependency, HealthCheck, InTests, Mount, Published,
};

use super::components::Component;
use super::draft::Draft;
use super::environment::{Environment, escape, port_variable};
use super::known;
use super::names;
use super::needs::{Need, Target};
use super::networks::SERVICES;
use super::probe;
use super::reload;
use super::setup;

/// The one-shot that brings the static busybox.
pub(crate) const PROBE: &str = "probe";

/// A container with nothing decided but its name.
pub(crate) fn container(name: &str, role: ContainerRole, kind: &str) -> Container {
    Container {
        name: name.to_owned(),
        role,
        kind: kind.to_owned(),
        image: None,
        build: None,
        entrypoint: None,
        command: None,
        user: None,
        working_dir: None,
        environment: Vec::new(),
        ports: Vec::new(),
        local_ports: Vec::new(),
        volumes: Vec::new(),
        tmpfs: Vec::new(),
        networks: Vec::new(),
        depends_on: Vec::new(),
        health_check: None,
        init: false,
        restart: None,
        stop_grace_period: None,
        extra_hosts: Vec::new(),
        labels: Vec::new(),
        in_tests: InTests::default(),
        reload: None,
    }
}

/// `build:` from a Dockerfile and how to build it.
pub(crate) fn build((dockerfile, build): &(RepoPath, Build)) -> ContainerBuild {
    ContainerBuild {
        context: build.context.clone(),
        dockerfile: dockerfile.clone(),
        target: build.target.clone(),
        args: build.args.iter().map(|(name, value)| (name.clone(), escape(value))).collect(),
        contexts: Vec::new(),
        tags: Vec::new(),
    }
}

/// A text of the catalogue as Compose reads it: `{secret:NAME}` becomes a variable of `.env`, `{host}` the component's
/// name, `{host_port}` its port on the host, and `$` is kept.
pub(crate) fn with_secrets(text: &str, component: &Component<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{secret:") {
        let (before, found) = rest.split_at(at);
        out.push_str(&escape(before));
        let Some(end) = found.find('}') else { break };
        out.push_str(&component.secret_value(&found["{secret:".len()..end]));
        rest = &found[end + 1..];
    }
    out.push_str(&escape(rest));
    let host_port = format!("${{{}_PORT:-{}}}", names::variable(&component.name), component.entry.port);
    out.replace("{host_port}", &host_port).replace("{host}", &component.name)
}

/// The secrets that an entry's texts name, in order.
pub(crate) fn secrets_of(entry: &Entry) -> BTreeSet<String> {
    let texts = entry
        .environment
        .values()
        .chain(&entry.command)
        .chain(entry.versions.values().flat_map(|v| v.environment.values()));
    let mut found: BTreeSet<String> = texts
        .flat_map(|text| text.split("{secret:").skip(1).filter_map(|rest| rest.split('}').next()))
        .map(str::to_owned)
        .collect();
    found.extend(entry.login.as_ref().map(|login| login.secret.clone()));
    found
}

/// A server's container.
pub(crate) fn server(
    component: &Component<'_>,
    network: &str,
    host_ports: &BTreeMap<String, u16>,
) -> Container {
    let entry = component.entry;
    let mut out = container(&component.name, ContainerRole::Component, &entry.kind);
    out.image = Some(component.image.clone()).filter(|_| component.build.is_none());
    out.build = component.build.as_ref().map(build);
    if !entry.command.is_empty() {
        out.command = Some(entry.command.iter().map(|word| with_secrets(word, component)).collect());
    }
    let mut environment = entry.environment.clone();
    environment.extend(component.version.environment.clone());
    out.environment =
        environment.into_iter().map(|(name, value)| (name, with_secrets(&value, component))).collect();
    out.volumes = component
        .version
        .volumes
        .iter()
        .map(|target| Mount::Volume {
            name: volume(&component.name, target, &component.version.volumes),
            target: target.clone(),
            read_only: false,
        })
        .collect();
    if let Some(shared) =
        entry.setup.as_ref().and_then(|setup| setup.shared.clone()).filter(|_| setup::wanted(component))
    {
        out.volumes.push(Mount::Volume {
            name: setup::shared_volume(component),
            target: shared,
            read_only: false,
        });
    }
    for port in component_ports(component) {
        let host = host_ports.get(&port.variable).copied().unwrap_or(port.host);
        out.local_ports.push(Published { host, ..port });
    }
    out.networks.push((network.to_owned(), component.aliases.iter().cloned().collect()));
    let busybox = format!("{}/busybox", probe::PROBE_FOLDER);
    if entry.health.test.iter().any(|word| word.contains("{busybox}")) {
        mount_probe(&mut out);
    }
    out.health_check = Some(HealthCheck {
        test: entry
            .health
            .test
            .iter()
            .map(|word| with_secrets(word, component).replace("{busybox}", &busybox))
            .collect(),
        interval: entry.health.interval.clone(),
        timeout: entry.health.timeout.clone(),
        retries: 5,
        start_period: entry.health.start_period.clone(),
        start_interval: entry.health.start_interval.clone(),
    });
    out.labels = vec![
        label("health", &format!("tcp {}", entry.published.unwrap_or(entry.port))),
        label("kind", &entry.kind),
        label("role", "component"),
    ];
    out.in_tests = server_in_tests(component, &out.local_ports);
    let ours = entry.remembers.iter().filter(|secret| !component.given.contains_key(*secret));
    let remembered: Vec<String> = ours.map(|secret| component.secret(secret)).collect();
    if !remembered.is_empty() {
        out.labels.insert(2, label("remembers", &remembered.join(" ")));
    }
    out
}

fn server_in_tests(component: &Component<'_>, ports: &[Published]) -> InTests {
    let entry = component.entry;
    // Clients on the host are told a port by such a server, and a free one is known only once it runs.
    let told = entry.published.is_some();
    let ports =
        ports.iter().map(|port| port.container).filter(|port| !told || Some(*port) != entry.published);
    InTests {
        tmpfs: if entry.tmpfs { component.version.volumes.clone() } else { Vec::new() },
        ports: ports.collect(),
    }
}

/// The ports of a component that the override file publishes, each with the host port that it would like.
pub(crate) fn component_ports(component: &Component<'_>) -> Vec<Published> {
    let entry = component.entry;
    let prefix = names::variable(&component.name);
    let main = Published {
        variable: format!("{prefix}_PORT"),
        host: entry.port,
        container: entry.published.unwrap_or(entry.port),
    };
    let extra = entry.extra_ports.iter().map(|port| Published {
        variable: format!("{prefix}_{}_PORT", port.name),
        host: port.port,
        container: port.port,
    });
    std::iter::once(main).chain(extra).collect()
}

/// `postgres-data` for the only folder, else named after each.
pub(crate) fn volume(owner: &str, target: &str, all: &[String]) -> String {
    if all.len() == 1 {
        return format!("{owner}-data");
    }
    let last = target.rsplit('/').find(|part| !part.is_empty()).unwrap_or("data");
    format!("{owner}-{}", names::project(last))
}

pub(crate) fn label(name: &str, value: &str) -> (String, String) {
    (format!("xtask.{name}"), escape(value))
}

/// The one-shot that copies the static busybox to a volume, under a temporary name so that a second run never writes
/// a file that is being executed.
pub(crate) fn probe_container() -> Container {
    let mut out = container(PROBE, ContainerRole::OneShot, "probe");
    let folder = probe::PROBE_FOLDER;
    out.image = Some(probe::PROBE_IMAGE.to_owned());
    out.command = Some(vec![
        "sh".to_owned(),
        "-c".to_owned(),
        format!("cp /bin/busybox {folder}/.new && mv -f {folder}/.new {folder}/busybox"),
    ]);
    out.volumes.push(Mount::Volume { name: PROBE.to_owned(), target: folder.to_owned(), read_only: false });
    out.networks.push((SERVICES.to_owned(), Vec::new()));
    out.labels = vec![label("kind", "probe"), label("role", "one-shot")];
    out
}

/// Gives a container the static busybox.
fn mount_probe(out: &mut Container) {
    let target = probe::PROBE_FOLDER.to_owned();
    out.volumes.push(Mount::Volume { name: PROBE.to_owned(), target, read_only: true });
    out.depends_on.push(Dependency { target: PROBE.to_owned(), condition: Condition::Completed });
}

/// What a service's container is assembled from.
pub(crate) struct Parts<'a> {
    pub(crate) draft: &'a Draft<'a>,
    pub(crate) environment: &'a Environment,
    /// Required ones only.
    pub(crate) needs: Vec<&'a Need>,
    pub(crate) drafts: &'a [Draft<'a>],
    pub(crate) components: &'a [Component<'a>],
    pub(crate) networks: &'a BTreeMap<String, String>,
    pub(crate) host_ports: &'a BTreeMap<String, u16>,
    /// Edges given up for a cycle.
    pub(crate) broken: &'a BTreeSet<(String, String)>,
    /// Host names by which others call it.
    pub(crate) aliases: Vec<String>,
}

/// A service's container.
pub(crate) fn service(parts: &Parts<'_>) -> Container {
    let draft = parts.draft;
    let facts = draft.facts;
    let mut out = container(&facts.name, ContainerRole::Service, role_word(draft.role));
    out.build = Some(build(&(facts.dockerfile.clone(), draft.build.clone())));
    out.command = facts.command.as_ref().map(|words| words.iter().map(|word| escape(word)).collect());
    out.environment = parts.environment.compose.clone().into_iter().collect();
    if out.environment.iter().any(|(_, value)| value.contains("host.docker.internal")) {
        out.extra_hosts.push("host.docker.internal:host-gateway".to_owned());
    }
    for port in draft.ports.iter().filter(|port| port.purpose == Purpose::Main) {
        let variable = port_variable(draft, port.container);
        let host = parts.host_ports.get(&variable).copied().unwrap_or(port.container);
        out.ports.push(Published { variable, host, container: port.container });
        out.in_tests.ports.push(port.container);
    }
    for port in debug_ports(draft) {
        let host = parts.host_ports.get(&port.variable).copied().unwrap_or(port.host);
        out.local_ports.push(Published { host, ..port });
    }
    // What the builder does not resolve to a folder is no place to mount at, and Compose refuses one that stands twice.
    let is_folder = |path: &&String| path.starts_with('/') && !path.contains(['$', ':']);
    let mut folders: Vec<String> = Vec::new();
    for path in facts.image.volumes.iter().map(|(path, _)| path).filter(is_folder) {
        if !folders.contains(path) {
            folders.push(path.clone());
        }
    }
    for target in &folders {
        out.volumes.push(Mount::Volume {
            name: volume(&draft.own, target, &folders),
            target: target.clone(),
            read_only: false,
        });
    }
    out.networks.push((SERVICES.to_owned(), parts.aliases.clone()));
    depend(parts, &mut out);
    out.health_check = health_check(parts, &mut out);
    out.init = !probe::has_init(&facts.image);
    out.labels = labels(draft);
    out.reload = reload::of(draft);
    out
}

/// The ports on which a service waits for a debugger, as far as the repository says; in the override file only.
pub(crate) fn debug_ports(draft: &Draft<'_>) -> Vec<Published> {
    let ports = draft.ports.iter().filter(|port| port.purpose == Purpose::Debug).map(|port| port.container);
    let published = ports.enumerate().map(|(i, port)| {
        let which = if i == 0 { String::new() } else { format!("_{port}") };
        Published { variable: format!("{}_DEBUG{which}_PORT", draft.prefix), host: port, container: port }
    });
    published.collect()
}

fn depend(parts: &Parts<'_>, out: &mut Container) {
    let name = &parts.draft.facts.name;
    for need in &parts.needs {
        match &need.target {
            Target::Kind(kind) => {
                let found =
                    parts.components.iter().find(|c| c.entry.kind == *kind && c.clients.contains(name));
                let Some(component) = found.filter(|component| component.external.is_none()) else {
                    continue;
                };
                if let Some(network) = parts.networks.get(&component.name)
                    && !out.networks.iter().any(|(joined, _)| joined == network)
                {
                    out.networks.push((network.clone(), Vec::new()));
                }
                out.depends_on
                    .push(Dependency { target: component.name.clone(), condition: Condition::Healthy });
                if setup::wanted(component) {
                    out.depends_on
                        .push(Dependency { target: setup::name(component), condition: Condition::Completed });
                }
            }
            Target::Service(target) => {
                if parts.broken.contains(&(name.clone(), target.clone())) {
                    continue;
                }
                let checked = known::draft(parts.drafts, target).is_some_and(runs_a_check);
                let condition = if checked { Condition::Healthy } else { Condition::Started };
                out.depends_on.push(Dependency { target: target.clone(), condition });
            }
        }
    }
}

fn runs_a_check(draft: &Draft<'_>) -> bool {
    draft.health.as_ref().is_some_and(|health| health.kind != HealthKind::Process)
}

fn health_check(parts: &Parts<'_>, out: &mut Container) -> Option<HealthCheck> {
    let draft = parts.draft;
    let asks_nothing = draft.wanted.health == Some(WantedHealth::None)
        || draft.facts.is_worker && draft.wanted.health.is_none();
    if asks_nothing && draft.facts.image.healthcheck.is_some() {
        // Without a word the image's own check would run on.
        return Some(times(vec!["NONE".to_owned()]));
    }
    let health = draft.health.as_ref().filter(|health| health.kind != HealthKind::Process)?;
    let own = probe::own(draft.facts).filter(|_| draft.wanted.health.is_none());
    let test = match (&draft.wanted.health, own) {
        (Some(WantedHealth::Command(words)), _) => {
            std::iter::once("CMD".to_owned()).chain(words.iter().map(|word| escape(word))).collect()
        }
        // The image's own check, with our times.
        (None, Some(_)) => Vec::new(),
        _ => {
            let path = health.path.as_deref().unwrap_or("/");
            let check = probe::check(&draft.facts.image, &health.kind, health.port?, path)?;
            if check.mounted {
                mount_probe(out);
            }
            check.test.iter().map(|word| escape(word)).collect()
        }
    };
    Some(times(test))
}

/// A service's check with its times.
fn times(test: Vec<String>) -> HealthCheck {
    HealthCheck {
        test,
        interval: "10s".to_owned(),
        timeout: "3s".to_owned(),
        retries: 5,
        start_period: "60s".to_owned(),
        start_interval: Some("200ms".to_owned()),
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Service => "service",
        Role::Worker => "worker",
        Role::Frontend => "frontend",
        Role::Gateway => "gateway",
        Role::Job => "job",
    }
}

/// What the commands know a service by. Plain words: a changed label recreates the container.
fn labels(draft: &Draft<'_>) -> Vec<(String, String)> {
    let mut labels =
        vec![label("health", &health_words(draft.health.as_ref())), label("kind", role_word(draft.role))];
    if let Some(port) = draft.ports.iter().find(|port| port.purpose == Purpose::Main) {
        let protocol = match port.protocol {
            crate::model::fact::Protocol::Http => "http",
            crate::model::fact::Protocol::Grpc => "grpc",
            crate::model::fact::Protocol::Tcp => "tcp",
        };
        labels.push(label("main", &format!("{protocol} {}", port.container)));
    }
    // A job ends, and that is right: the commands wait for its exit code 0 and do not call it dead.
    labels.push(label("role", if draft.role == Role::Job { "one-shot" } else { "service" }));
    labels
}

fn health_words(health: Option<&Health>) -> String {
    let Some(health) = health else { return "process".to_owned() };
    match (&health.kind, health.port) {
        (HealthKind::Http, Some(port)) => format!("http {port} {}", health.path.as_deref().unwrap_or("/")),
        (HealthKind::Grpc, Some(port)) => format!("grpc {port}"),
        (HealthKind::Tcp, Some(port)) => format!("tcp {port}"),
        (HealthKind::Command, _) => "command".to_owned(),
        _ => "process".to_owned(),
    }
}
