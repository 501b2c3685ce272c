//! A service on its way from facts to a decision: its names, ports, role and health; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Health as WantedHealth, Service as Wanted};
use crate::model::fact::{Build, HealthKind, Protocol, Purpose, ServiceFacts, What};
use crate::model::inventory::{Health, Role};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};

use super::{names, ports, probe, renames};

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

impl Draft<'_> {
    /// Whether its container only hands out files: what is built from its code runs in browsers.
    pub(crate) fn hands_out_files(&self) -> bool {
        self.role == Role::Frontend && is_web_server(base_name(self.facts))
    }
}

/// `nginx` of `docker.io/library/nginx:1.29-alpine`.
fn base_name(facts: &ServiceFacts) -> &str {
    let base = facts.image.base.split(':').next().unwrap_or_default();
    base.rsplit('/').next().unwrap_or_default()
}

fn is_web_server(base: &str) -> bool {
    ["nginx", "caddy", "httpd"].contains(&base)
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
    let confirmed = ports::confirmed(services);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    services
        .iter()
        .map(|facts| {
            let own = owns.get(&facts.name).unwrap_or(&facts.name).clone();
            let known = if config.services.by_name.contains_key(&facts.name) { &facts.name } else { &own };
            let wanted = config.service(known);
            let others =
                |port: u16| confirmed.get(&port).is_some_and(|by| by.iter().any(|by| *by != facts.name));
            let ports = ports::of(facts, &wanted, &others, problems);
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

/// The one build argument that EXPOSE names and to which the Dockerfile gives no value, or one for all of its services.
fn port_argument(facts: &ServiceFacts) -> Option<&str> {
    let [(name, _)] = facts.image.expose_variables.as_slice() else { return None };
    let mut given = facts.image.args.iter().filter(|(argument, ..)| argument == name).peekable();
    given.peek()?;
    let is_of_several = !facts.build.args.is_empty();
    (is_of_several || given.all(|(_, default, _)| default.is_none())).then_some(name.as_str())
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

/// Frameworks that build pages for a browser.
const BUNDLED: &[&str] = &["angular", "svelte", "next", "nuxt", "vite"];

/// Libraries of pages.
const PAGES: &[&str] = &["react", "vue"];

/// Frameworks of servers in the same language.
const SERVERS: &[&str] = &["express", "fastify", "hapi", "hono", "koa", "nestjs"];

fn role(facts: &ServiceFacts, ports: &[Port]) -> Role {
    // How far below the root the manifest stands that names one of them.
    let depth = |names: &[&str]| {
        let named = facts
            .facts
            .iter()
            .filter(|fact| matches!(&fact.what, What::Framework { name } if names.contains(&name.as_str())));
        named.map(|fact| fact.at.path.depth()).min()
    };
    // A server beside a package of mails that a library of pages renders is a server.
    let has_pages = depth(BUNDLED).is_some()
        || depth(PAGES).is_some_and(|pages| depth(SERVERS).is_none_or(|server| pages <= server));
    let base = base_name(facts);
    let proxy = is_web_server(base) || ["traefik", "envoy", "haproxy"].contains(&base);
    let gateway = ["gateway", "proxy", "ingress", "edge", "bff"].iter().any(|word| facts.name.contains(word));
    // A server in another language has a bundler for the few pages of its own; each new project of Laravel has one.
    let serves_pages = matches!(facts.language.as_str(), "" | "node");
    if gateway && !ports.is_empty() {
        Role::Gateway
    } else if proxy || serves_pages && has_pages {
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

/// The port on which a service answers HTTP: the one whose variable says so, else the first.
fn web(facts: &ServiceFacts, ports: &[Port]) -> Option<u16> {
    let is_web = |port: &&Port| port.purpose != Purpose::Debug && port.protocol == Protocol::Http;
    let is_called_so = |port: &&Port| {
        facts.facts.iter().any(|fact| {
            matches!(&fact.what, What::Port { port: said, variable: Some(name), .. }
                if *said == port.container && name.ends_with("HTTP_PORT"))
        })
    };
    let mut all = ports.iter().filter(is_web);
    let first = all.clone().next();
    all.find(is_called_so).or(first).map(|port| port.container)
}

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
    let own = probe::own(facts).and_then(|check| check.test.first());
    if own.is_some_and(|word| word != "NONE") {
        // The image's own check is kept; a path in it is what the host can ask.
        let path = routes(facts).into_iter().find(|route| route.2 == "dockerfile-healthcheck");
        return Some(match path {
            Some((Some(path), port, _)) => decided(HealthKind::Http, Some(&path), port.or(main), true),
            _ => decided(HealthKind::Command, None, None, true),
        });
    }
    let routes = below_context(routes(facts), ports);
    let rank =
        |path: &str| HEALTH_PATHS.iter().position(|known| *known == path).unwrap_or(HEALTH_PATHS.len());
    let best = routes.iter().filter(|route| route.0.is_some()).min_by_key(|route| {
        let path = route.0.as_deref().unwrap_or_default();
        // What the code says is worth more than what a document says.
        (route.2.starts_with("document"), rank(path), path.len())
    });
    // Whatever speaks another protocol, as PHP's process manager does, answers no HTTP.
    let web = web(facts, ports);
    let speaks_http = web.is_some() || ports.first().is_some_and(|port| port.protocol != Protocol::Tcp);
    if let (Some((Some(path), port, rule)), true) = (best, speaks_http) {
        // What Spring's actuator serves moves with the management port.
        let management = ports.iter().find(|port| port.purpose == Purpose::Management);
        let management = management.filter(|_| path.starts_with("/actuator")).map(|port| port.container);
        let port = port.or(management).or(web).or(main);
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

/// The routes of a program of Spring that are there: with a path for all of it, what the actuator serves stands below that,
/// unless it has a port of its own, and so does every page.
fn below_context(routes: Vec<Route>, ports: &[Port]) -> Vec<Route> {
    let is = |wanted: &str| routes.iter().any(|(.., rule)| *rule == wanted);
    if !is("java-context-path") {
        return routes;
    }
    let is_apart = ports.iter().any(|port| port.purpose == Purpose::Management);
    let has_actuator = is("java-health-library");
    let is_there = |(.., rule): &Route| match *rule {
        "java-context-path" => has_actuator && !is_apart,
        "java-health-library" => is_apart,
        "java-route" => false,
        _ => true,
    };
    routes.into_iter().filter(is_there).collect()
}

/// Path, port and rule.
type Route = (Option<String>, Option<u16>, &'static str);

/// Path, port and rule of every HTTP health route.
fn routes(facts: &ServiceFacts) -> Vec<Route> {
    facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Health { kind: HealthKind::Http, path, port } => Some((path.clone(), *port, fact.at.rule)),
            _ => None,
        })
        .collect()
}
