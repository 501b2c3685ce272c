//! A service on its way from facts to a decision: its names, ports, role and health; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Health as WantedHealth, Service as Wanted};
use crate::model::fact::{Build, Evidence, HealthKind, PortSource, Protocol, Purpose, ServiceFacts, What};
use crate::model::inventory::{Health, Role};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};

use super::{names, renames};

/// A service while it is being decided.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) facts: &'a ServiceFacts,
    pub(crate) wanted: Wanted,
    /// Under which its variables, database and volumes are known: the first name that it had.
    pub(crate) own: String,
    /// `ORDER_API`, unique among the services.
    pub(crate) prefix: String,
    /// `order_api`, for databases and users.
    pub(crate) identifier: String,
    pub(crate) role: Role,
    /// Main ports first.
    pub(crate) ports: Vec<Port>,
    pub(crate) health: Option<Health>,
    /// How it is built, preferences included.
    pub(crate) build: Build,
}

/// A port that was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) container: u16,
    pub(crate) protocol: Protocol,
    pub(crate) purpose: Purpose,
}

/// Drafts of all services, in the order of their names.
pub(crate) fn drafts<'a>(
    services: &'a [ServiceFacts],
    config: &Config,
    renamed: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Vec<Draft<'a>> {
    let owns = renames::own_names(services, renamed);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    services
        .iter()
        .map(|facts| {
            let own = owns.get(&facts.name).unwrap_or(&facts.name).clone();
            let known = if config.services.by_name.contains_key(&facts.name) { &facts.name } else { &own };
            let wanted = config.service(known);
            let ports = ports(facts, &wanted, problems);
            let role = role(facts, &ports);
            let health = health(facts, &wanted, &ports, problems);
            let prefix = unique(names::variable(&own), &mut taken);
            let build = build(facts, &wanted, ports.first().map(|port| port.container));
            let identifier = names::identifier(&own);
            Draft { facts, wanted, own, prefix, identifier, role, ports, health, build }
        })
        .collect()
}

fn build(facts: &ServiceFacts, wanted: &Wanted, port: Option<u16>) -> Build {
    let wanted = wanted.build.clone().unwrap_or_default();
    let mut build = facts.build.clone();
    // Without a value for the argument that it names, EXPOSE ends the build, or the server gets an address without port.
    if let (Some(argument), Some(port)) = (port_argument(facts), port) {
        build.args.entry(argument.to_owned()).or_insert_with(|| port.to_string());
    }
    build.target = wanted.target.or(build.target);
    if let Some(context) = wanted.context.and_then(|context| RepoPath::new(&context)) {
        build.context = context;
    }
    build.args.extend(wanted.args.into_iter().map(|(name, value)| (name, value.0)));
    build
}

/// The one build argument that EXPOSE names and to which the Dockerfile gives no value.
fn port_argument(facts: &ServiceFacts) -> Option<&str> {
    let [(name, _)] = facts.image.expose_variables.as_slice() else { return None };
    let mut given = facts.image.args.iter().filter(|(argument, ..)| argument == name).peekable();
    given.peek()?;
    given.all(|(_, default, _)| default.is_none()).then_some(name.as_str())
}

fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut n = 2;
    while taken.contains(&candidate) {
        candidate = format!("{name}_{n}");
        n += 1;
    }
    taken.insert(candidate.clone());
    candidate
}

/// A port as some source gives it.
struct Claim<'a> {
    port: u16,
    protocol: Protocol,
    purpose: Purpose,
    source: PortSource,
    at: &'a Evidence,
}

fn claims(facts: &ServiceFacts) -> Vec<Claim<'_>> {
    let mut claims: Vec<Claim<'_>> = facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Port { port, protocol, purpose, source, .. } => Some(Claim {
                port: *port,
                protocol: *protocol,
                purpose: *purpose,
                source: *source,
                at: &fact.at,
            }),
            _ => None,
        })
        .collect();
    claims.sort_by(|a, b| (a.source, a.at, a.port).cmp(&(b.source, b.at, b.port)));
    claims
}

/// The precedence of design §4: the strongest source names the main ports; EXPOSE loses when two others agree against it.
fn ports(facts: &ServiceFacts, wanted: &Wanted, problems: &mut Vec<Problem>) -> Vec<Port> {
    let claims = claims(facts);
    let mains: Vec<&Claim<'_>> = claims.iter().filter(|claim| claim.purpose == Purpose::Main).collect();
    let protocol = |port: u16| {
        let said: Vec<Protocol> =
            mains.iter().filter(|claim| claim.port == port).map(|claim| claim.protocol).collect();
        // EXPOSE and environment values say nothing about the protocol: whatever is more exact wins.
        *said
            .iter()
            .find(|p| **p == Protocol::Grpc)
            .or_else(|| said.iter().find(|p| **p == Protocol::Tcp))
            .unwrap_or(&Protocol::Http)
    };
    let mut ports: Vec<Port> = Vec::new();
    if let Some(port) = wanted.port {
        ports.push(Port { container: port, protocol: protocol(port), purpose: Purpose::Main });
    } else if let Some(strongest) = strongest(&mains) {
        let others = mains.iter().filter(|claim| claim.source == strongest);
        for claim in others {
            if !ports.iter().any(|port| port.container == claim.port) {
                ports.push(Port {
                    container: claim.port,
                    protocol: protocol(claim.port),
                    purpose: Purpose::Main,
                });
            }
        }
        // A gRPC listener says nothing about the port on which the web framework beside it listens.
        if strongest == PortSource::Listen && ports.iter().all(|port| port.protocol == Protocol::Grpc) {
            let of_framework = |claim: &&&Claim<'_>| {
                claim.source == PortSource::FrameworkDefault && claim.at.rule == "java-framework-port"
            };
            if let Some(claim) = mains.iter().find(of_framework)
                && !ports.iter().any(|port| port.container == claim.port)
            {
                let port = Port { container: claim.port, protocol: Protocol::Http, purpose: Purpose::Main };
                ports.insert(0, port);
            }
        }
        add_grpc(facts, &mains, &mut ports);
        disagreement(facts, &claims, strongest, &ports, problems);
    }
    for claim in claims.iter().filter(|claim| claim.purpose != Purpose::Main) {
        match ports.iter_mut().find(|port| port.container == claim.port) {
            // EXPOSE lists them all; the source that knows the purpose is right.
            Some(port) if port.purpose == Purpose::Main && wanted.port != Some(port.container) => {
                port.purpose = claim.purpose;
            }
            Some(_) => {}
            None => {
                ports.push(Port { container: claim.port, protocol: claim.protocol, purpose: claim.purpose })
            }
        }
    }
    if !ports.is_empty() && ports.iter().all(|port| port.purpose != Purpose::Main) {
        ports[0].purpose = Purpose::Main;
    }
    ports.sort_by_key(|port| port.purpose);
    ports
}

/// A gRPC server beside the web server has a port of its own, which EXPOSE often forgets: the one that the service's own
/// files give it.
fn add_grpc(facts: &ServiceFacts, mains: &[&Claim<'_>], ports: &mut Vec<Port>) {
    let is_own = |claim: &&&Claim<'_>| {
        claim.protocol == Protocol::Grpc
            && claim.source > PortSource::Expose
            && claim.source < PortSource::FrameworkDefault
            && claim.at.path.is_in(&facts.path)
    };
    let Some(claim) = mains.iter().find(is_own) else { return };
    let known = |port: &Port| port.container == claim.port || port.protocol == Protocol::Grpc;
    if !ports.iter().any(known) {
        ports.push(Port { container: claim.port, protocol: Protocol::Grpc, purpose: Purpose::Main });
    }
}

/// The source whose ports are taken. EXPOSE gives way where two other kinds of sources agree on another port.
fn strongest(mains: &[&Claim<'_>]) -> Option<PortSource> {
    let first = mains.first()?.source;
    if first == PortSource::FrameworkDefault && callers_know_better(mains) {
        return Some(PortSource::Caller);
    }
    if first != PortSource::Expose {
        return Some(first);
    }
    let exposed: Vec<u16> = mains.iter().filter(|c| c.source == PortSource::Expose).map(|c| c.port).collect();
    let against: Vec<&&Claim<'_>> = mains
        .iter()
        .filter(|c| {
            c.source > PortSource::Expose
                && c.source < PortSource::FrameworkDefault
                && !exposed.contains(&c.port)
        })
        .collect();
    let confirmed = mains.iter().any(|c| {
        c.source > PortSource::Expose && c.source < PortSource::FrameworkDefault && exposed.contains(&c.port)
    });
    let agree = against
        .iter()
        .find(|c| against.iter().any(|other| other.port == c.port && other.source != c.source))
        .map(|c| c.source);
    if confirmed { Some(first) } else { agree.or(Some(first)) }
}

/// A framework's default holds as long as nobody sets another port, and that may be set where nobody sees it; those who
/// call the service know. What a base image's server listens on is in the image, and 80 and 443 are where something else
/// stands in front.
fn callers_know_better(mains: &[&Claim<'_>]) -> bool {
    let of = |source: PortSource| mains.iter().filter(move |claim| claim.source == source);
    let mut called = of(PortSource::Caller).map(|claim| claim.port);
    let Some(port) = called.next() else { return false };
    !matches!(port, 80 | 443)
        && called.all(|other| other == port)
        && of(PortSource::FrameworkDefault)
            .all(|claim| claim.at.rule != "base-image-port" && claim.port != port)
}

/// Two sources that contradict each other are said, whichever was taken. A default beaten by a value is none.
fn disagreement(
    facts: &ServiceFacts,
    claims: &[Claim<'_>],
    strongest: PortSource,
    ports: &[Port],
    problems: &mut Vec<Problem>,
) {
    let mains = || claims.iter().filter(|claim| claim.purpose == Purpose::Main);
    // A second port of which somebody says the purpose, as that of the metrics, contradicts nobody.
    let known = |claim: &&Claim<'_>| {
        let same = |other: &Claim<'_>| other.port == claim.port && other.purpose != Purpose::Main;
        let is_taken = |number: u16| ports.iter().any(|port| port.container == number);
        // `EXPOSE 80` and `EXPOSE 443`: whoever also says the port that is taken agrees.
        let agrees = |other: &Claim<'_>| {
            other.source == claim.source && other.at.path == claim.at.path && is_taken(other.port)
        };
        is_taken(claim.port) || claims.iter().any(|other| same(other) || agrees(other))
    };
    let strong = |source: PortSource| source < PortSource::Listen || source == PortSource::Document;
    let Some(other) = mains().find(|claim| strong(claim.source) && !known(claim)) else { return };
    let Some(taken) = mains().find(|claim| claim.source == strongest) else { return };
    // What a document says may be the host's port.
    let severity = if other.source == PortSource::Document { Severity::Note } else { Severity::Warning };
    problems.push(
        Problem::new(
            "port-disagreement",
            severity,
            format!(
                "`{}` listens on {} by one source and on {} by another; {} is taken",
                facts.name, taken.port, other.port, taken.port
            ),
        )
        .service(&facts.name)
        .at(taken.at)
        .at(other.at)
        .fix(format!("correct the wrong place, or set services.{}.port in config.yaml", facts.name)),
    );
}

fn role(facts: &ServiceFacts, ports: &[Port]) -> Role {
    let frameworks: Vec<&str> = facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Framework { name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let has = |names: &[&str]| frameworks.iter().any(|framework| names.contains(framework));
    let base = facts.image.base.split(':').next().unwrap_or_default();
    let base = base.rsplit('/').next().unwrap_or_default();
    let proxy = ["nginx", "caddy", "traefik", "envoy", "haproxy", "httpd"].contains(&base);
    let gateway = ["gateway", "proxy", "ingress", "edge", "bff"].iter().any(|word| facts.name.contains(word));
    if gateway && !ports.is_empty() {
        Role::Gateway
    } else if proxy || has(&["react", "vue", "angular", "svelte", "next", "nuxt", "vite"]) {
        Role::Frontend
    } else if ports.is_empty() {
        let job = ["migrat", "seed", "init"].iter().any(|word| facts.name.contains(word));
        if job { Role::Job } else { Role::Worker }
    } else {
        Role::Service
    }
}

/// Readiness before liveness, the order of the field: the first of these that the repository names is asked.
const HEALTH_PATHS: &[&str] = &[
    "/health/ready",
    "/healthz/ready",
    "/readyz",
    "/ready",
    "/actuator/health/readiness",
    "/q/health/ready",
    "/health",
    "/healthz",
    "/actuator/health",
    "/q/health",
    "/api/health",
    "/livez",
    "/live",
    "/health/live",
    "/up",
    "/status",
    "/ping",
    "/_health",
    "/-/ready",
    "/-/healthy",
];

fn health(
    facts: &ServiceFacts,
    wanted: &Wanted,
    ports: &[Port],
    problems: &mut Vec<Problem>,
) -> Option<Health> {
    let main = ports.first().map(|port| port.container);
    if let (Some(WantedHealth::Http(path)), None) = (&wanted.health, main) {
        problems.push(
            Problem::new(
                "health-without-port",
                Severity::Warning,
                format!(
                    "`{}` is to be asked for {path}, and no port of it is known; nothing is checked",
                    facts.name
                ),
            )
            .service(&facts.name)
            .fix(format!("set services.{}.port in config.yaml", facts.name)),
        );
    }
    let decided =
        |kind, path: Option<&str>, port, proven| Health { kind, path: path.map(str::to_owned), port, proven };
    match &wanted.health {
        Some(WantedHealth::None) => return Some(decided(HealthKind::Process, None, None, true)),
        Some(WantedHealth::Http(path)) => return Some(decided(HealthKind::Http, Some(path), main, true)),
        Some(WantedHealth::Tcp(port)) => return Some(decided(HealthKind::Tcp, None, Some(*port), true)),
        Some(WantedHealth::Grpc(port)) => return Some(decided(HealthKind::Grpc, None, Some(*port), true)),
        Some(WantedHealth::Command(_)) => return Some(decided(HealthKind::Command, None, None, true)),
        // What its image checks is the server beside it.
        None if facts.is_worker => return Some(decided(HealthKind::Process, None, None, true)),
        None => {}
    }
    if facts
        .image
        .healthcheck
        .as_ref()
        .is_some_and(|check| check.test.first().is_some_and(|word| word != "NONE"))
    {
        // The image's own check is kept; a path in it is what the host can ask.
        let path = routes(facts).into_iter().find(|route| route.2 == "dockerfile-healthcheck");
        return Some(match path {
            Some((Some(path), port, _)) => decided(HealthKind::Http, Some(&path), port.or(main), true),
            _ => decided(HealthKind::Command, None, None, true),
        });
    }
    let routes = routes(facts);
    let rank =
        |path: &str| HEALTH_PATHS.iter().position(|known| *known == path).unwrap_or(HEALTH_PATHS.len());
    let best = routes.iter().filter(|route| route.0.is_some()).min_by_key(|route| {
        let path = route.0.as_deref().unwrap_or_default();
        // What the code says is worth more than what a document says.
        (route.2.starts_with("document"), rank(path), path.len())
    });
    // Whatever speaks another protocol, as PHP's process manager does, answers no HTTP.
    let speaks_http = ports.first().is_some_and(|port| port.protocol != Protocol::Tcp);
    if let (Some((Some(path), port, rule)), true) = (best, speaks_http) {
        // What Spring's actuator serves moves with the management port.
        let management = ports.iter().find(|port| port.purpose == Purpose::Management);
        let management = management.filter(|_| path.starts_with("/actuator")).map(|port| port.container);
        let port = port.or(management).or(main);
        return Some(decided(HealthKind::Http, Some(path), port, !rule.starts_with("document")));
    }
    let grpc =
        facts.facts.iter().any(|fact| matches!(&fact.what, What::Health { kind: HealthKind::Grpc, .. }));
    let kind = if grpc { HealthKind::Grpc } else { HealthKind::Tcp };
    let of_grpc = ports.iter().find(|port| grpc && port.protocol == Protocol::Grpc);
    let Some(port) = of_grpc.map(|port| port.container).or(main) else {
        return Some(decided(HealthKind::Process, None, None, false));
    };
    if !grpc {
        problems.push(
            Problem::new(
                "health-missing",
                Severity::Warning,
                format!(
                    "`{}` has no health endpoint that could be found; a TCP connection is checked instead",
                    facts.name
                ),
            )
            .service(&facts.name)
            .at(format!("{}:{}", facts.dockerfile, facts.image.base_line.max(1)))
            .fix(format!("add `GET /health`, or set services.{}.health in config.yaml", facts.name)),
        );
    }
    // That the health service is in the code is the repository's own word.
    Some(decided(kind, None, Some(port), grpc))
}

/// Path, port and rule of every HTTP health route.
fn routes(facts: &ServiceFacts) -> Vec<(Option<String>, Option<u16>, &'static str)> {
    facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Health { kind: HealthKind::Http, path, port } => Some((path.clone(), *port, fact.at.rule)),
            _ => None,
        })
        .collect()
}
