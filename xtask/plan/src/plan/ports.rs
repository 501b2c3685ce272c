//! Where a service listens, decided between the sources that say so; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Service as Wanted;
use crate::model::fact::{Evidence, Fact, PortSource, Protocol, Purpose, ServiceFacts, What};
use crate::model::problem::{Problem, Severity};

use super::draft::{Draft, Port};
use super::given_port;
use super::strength::MANY_READ;

/// A port as some source gives it.
struct Claim<'a> {
    port: u16,
    protocol: Protocol,
    purpose: Purpose,
    source: PortSource,
    /// The variable that moves it.
    variable: Option<&'a str>,
    at: &'a Evidence,
}

fn claims(facts: &ServiceFacts) -> Vec<Claim<'_>> {
    let mut claims: Vec<Claim<'_>> = facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Port { port, protocol, purpose, source, variable, .. } => Some(Claim {
                port: *port,
                protocol: *protocol,
                purpose: *purpose,
                source: *source,
                variable: variable.as_deref(),
                at: &fact.at,
            }),
            _ => None,
        })
        .collect();
    claims.sort_by(|a, b| (a.source, a.at, a.port).cmp(&(b.source, b.at, b.port)));
    claims
}

/// The precedence of design §4: the strongest source names the main ports; EXPOSE loses when two others agree against it.
pub(super) fn of(
    facts: &ServiceFacts,
    wanted: &Wanted,
    others: &dyn Fn(u16) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Port> {
    let mut claims = claims(facts);
    leave_out_unread(facts, &mut claims);
    let mains: Vec<&Claim<'_>> = claims.iter().filter(|claim| claim.purpose == Purpose::Main).collect();
    let protocol = |port: u16| {
        let said: Vec<Protocol> =
            mains.iter().filter(|claim| claim.port == port).map(|claim| claim.protocol).collect();
        // EXPOSE and environment values say nothing about the protocol: whatever is more exact wins.
        let known = [Protocol::Grpc, Protocol::Tcp].into_iter().find(|known| said.contains(known));
        let beside = if is_beside_web(&mains, port) { Protocol::Tcp } else { Protocol::Http };
        known.unwrap_or(beside)
    };
    let mut ports: Vec<Port> = Vec::new();
    if let Some(port) = wanted.port {
        ports.push(Port { container: port, protocol: protocol(port), purpose: Purpose::Main });
    } else if let Some(strongest) = strongest(facts, &mains, others) {
        let others = mains.iter().filter(|claim| claim.source == strongest);
        for claim in others.filter(|claim| !is_without_server(facts, &claims, claim)) {
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
        if strongest == PortSource::Expose {
            pair(&mains, &mut ports);
        }
        add_grpc(facts, &mains, &mut ports);
        disagreement(facts, &claims, strongest, &ports, problems);
    }
    let beside = claims.iter().filter(|claim| claim.purpose != Purpose::Main);
    for claim in beside.filter(|claim| !is_unread(facts, &claims, claim)) {
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
    if ports.iter().all(|port| port.purpose != Purpose::Main) {
        ports.extend(given_port::of(facts).into_iter().map(|(_, port)| port));
    }
    if !ports.is_empty() && ports.iter().all(|port| port.purpose != Purpose::Main) {
        ports[0].purpose = Purpose::Main;
    }
    ports.sort_by_key(|port| port.purpose);
    ports
}

/// Whether a program has an `ORDERS_HTTP_PORT` beside the `ORDERS_PORT` that this one is: it speaks something else there.
fn is_beside_web(mains: &[&Claim<'_>], port: u16) -> bool {
    let variables = |is: fn(u16, u16) -> bool| {
        mains.iter().filter(move |claim| is(claim.port, port)).filter_map(|claim| claim.variable)
    };
    let own: BTreeSet<&str> = variables(|a, b| a == b).filter_map(|name| name.strip_suffix("PORT")).collect();
    variables(|a, b| a != b)
        .filter_map(|name| name.strip_suffix("HTTP_PORT"))
        .any(|about| own.contains(about))
}

/// Takes the ports away that an example of variables gives to a program that does not read them: such files are handed from
/// service to service. In languages whose frameworks read variables by themselves, that cannot be seen.
fn leave_out_unread(facts: &ServiceFacts, claims: &mut Vec<Claim<'_>>) {
    let read: BTreeSet<&str> = facts
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::EnvRead { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if !matches!(facts.language.as_str(), "go" | "rust") || read.len() < MANY_READ {
        return;
    }
    let elsewhere: BTreeSet<u16> =
        claims.iter().filter(|c| c.source != PortSource::EnvExample).map(|c| c.port).collect();
    claims.retain(|claim| {
        claim.source != PortSource::EnvExample
            || claim.variable.is_none_or(|variable| read.contains(variable))
            || elsewhere.contains(&claim.port)
    });
}

/// Whether a port stands in an example of variables alone, and nothing here reads its variable: `METRICS_PORT`.
fn is_unread(facts: &ServiceFacts, claims: &[Claim<'_>], claim: &Claim<'_>) -> bool {
    let reads = |fact: &Fact| matches!(&fact.what, What::EnvRead { name, .. } if Some(name.as_str()) == claim.variable);
    claim.source == PortSource::EnvExample
        && claim.variable.is_some()
        && !facts.facts.iter().any(reads)
        && claims.iter().all(|other| other.port != claim.port || other.source == PortSource::EnvExample)
}

/// Whether EXPOSE names the port that templates of .NET give to HTTPS beside the plain one, where nothing else says that
/// anybody listens there: it takes a certificate and a variable, which the image lacks.
fn is_without_server(facts: &ServiceFacts, claims: &[Claim<'_>], claim: &Claim<'_>) -> bool {
    let plain = match claim.port {
        443 => 80,
        8081 => 8080,
        _ => return false,
    };
    let base = |other: &Claim<'_>| other.at.rule == BASE;
    let sets_https = |(name, value, _): &(String, String, u32)| {
        name.ends_with("HTTPS_PORTS") || (name.ends_with("URLS") && value.contains("https://"))
    };
    claim.source == PortSource::Expose
        && facts.language == "dotnet"
        && claims.iter().any(base)
        && claims.iter().any(|other| other.source == PortSource::Expose && other.port == plain)
        && claims.iter().all(|other| other.port != claim.port || other.source == PortSource::Expose)
        && !facts.image.env.iter().any(sets_https)
}

/// EXPOSE names two ports and not what they are for: those of the two variables that the code listens on, the web server's
/// first, unless one has the other's number.
fn pair(mains: &[&Claim<'_>], ports: &mut [Port]) {
    let [first, second] = ports else { return };
    let by_variable = |protocol: Protocol| {
        let mut found = mains.iter().filter(|claim| {
            claim.source == PortSource::Listen && claim.variable.is_some() && claim.protocol == protocol
        });
        found.next().map(|claim| claim.port)
    };
    let (Some(web), Some(grpc)) = (by_variable(Protocol::Http), by_variable(Protocol::Grpc)) else { return };
    let is_open = |port: &Port| port.protocol == Protocol::Http && ![web, grpc].contains(&port.container);
    if is_open(first) && is_open(second) {
        second.protocol = Protocol::Grpc;
    }
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

/// The ports that EXPOSE and another source of the same service agree on, with the services' names.
pub(super) fn confirmed(services: &[ServiceFacts]) -> BTreeMap<u16, Vec<&str>> {
    let mut all: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for facts in services {
        let claims = claims(facts);
        for exposed in claims.iter().filter(|claim| claim.source == PortSource::Expose) {
            if claims.iter().any(|claim| claim.port == exposed.port && says_more_than_expose(claim)) {
                all.entry(exposed.port).or_default().push(&facts.name);
            }
        }
    }
    all
}

fn says_more_than_expose(claim: &Claim<'_>) -> bool {
    claim.source > PortSource::Expose && claim.source < PortSource::FrameworkDefault
}

/// The source whose ports are taken. EXPOSE gives way to a literal in the command that the image starts, where two other
/// kinds of sources agree on another port, all callers being one, where a program on the JVM fixes another one, and where it
/// was copied from the Dockerfile of another service, whose port it is, and the service's own environment file says another.
fn strongest(facts: &ServiceFacts, mains: &[&Claim<'_>], others: &dyn Fn(u16) -> bool) -> Option<PortSource> {
    let first = mains.first()?.source;
    if first == PortSource::FrameworkDefault && callers_know_better(facts, mains) {
        return Some(PortSource::Caller);
    }
    if first == PortSource::Deployment && image_knows_better(mains) {
        return Some(PortSource::Expose);
    }
    if first == PortSource::EnvExample && is_for_one_machine(mains) {
        return Some(PortSource::Listen);
    }
    if first != PortSource::Expose {
        return Some(first);
    }
    let exposed: Vec<u16> = mains.iter().filter(|c| c.source == PortSource::Expose).map(|c| c.port).collect();
    if is_started_elsewhere(mains, &exposed) {
        return Some(PortSource::Command);
    }
    if is_called_elsewhere(facts, mains) {
        return Some(PortSource::Caller);
    }
    let against: Vec<&&Claim<'_>> = mains
        .iter()
        .filter(|c| {
            c.source > PortSource::Expose
                && c.source < PortSource::FrameworkDefault
                && !exposed.contains(&c.port)
        })
        .collect();
    if let Some(source) = told_by_others(mains, &exposed) {
        return Some(source);
    }
    let confirmed = mains.iter().any(|c| {
        c.source > PortSource::Expose && c.source < PortSource::FrameworkDefault && exposed.contains(&c.port)
    });
    let agree = against
        .iter()
        .find(|c| against.iter().any(|other| other.port == c.port && other.source != c.source))
        .or_else(|| against.iter().find(|c| is_called_by_all(mains, c.port)))
        .map(|c| c.source);
    let is_copied = exposed.iter().all(|port| others(*port));
    // A file of many may be for the developer's own machine, where each needs another port.
    let is_own = |c: &Claim<'_>| c.source == PortSource::EnvExample && c.at.path.is_in(&facts.path);
    let own = against.iter().find(|c| is_copied && is_own(c)).map(|c| c.source);
    if confirmed {
        Some(first)
    } else {
        agree.or(own).or_else(|| configured(facts, mains, &exposed)).or(Some(first))
    }
}

/// EXPOSE opens nothing: a program on the JVM whose own file says its port, and names no variable of its own for it,
/// listens there, unless others are told to call it where EXPOSE says.
fn configured(facts: &ServiceFacts, mains: &[&Claim<'_>], exposed: &[u16]) -> Option<PortSource> {
    const OF_FRAMEWORKS: &[&str] = &["SERVER_PORT", "QUARKUS_HTTP_PORT", "MICRONAUT_SERVER_PORT"];
    let is_fixed = |claim: &&Claim<'_>| {
        claim.at.rule == "java-config-port"
            && claim.variable.is_none_or(|variable| OF_FRAMEWORKS.contains(&variable))
            && claim.at.path.is_in(&facts.path)
            && !exposed.contains(&claim.port)
    };
    let mut called = mains.iter().filter(|claim| claim.source == PortSource::Caller);
    let fixed = mains.iter().copied().find(is_fixed).map(|claim| claim.source);
    fixed.filter(|_| !called.any(|claim| exposed.contains(&claim.port)))
}

/// The source that says as many ports as EXPOSE and not the same, where another one says just these.
fn told_by_others(mains: &[&Claim<'_>], exposed: &[u16]) -> Option<PortSource> {
    let mut said: BTreeMap<PortSource, BTreeSet<u16>> = BTreeMap::new();
    for claim in mains.iter().filter(|claim| says_more_than_expose(claim)) {
        said.entry(claim.source).or_default().insert(claim.port);
    }
    let exposed: BTreeSet<u16> = exposed.iter().copied().collect();
    let is_other = |ports: &BTreeSet<u16>| ports.len() == exposed.len() && *ports != exposed;
    let mut others = said.iter().filter(|(_, ports)| ports.len() > 1 && is_other(ports));
    let (source, ports) = others.next()?;
    others.any(|(_, other)| other == ports).then_some(*source)
}

/// Whether the example of variables gives the service a port of its own on a machine that all share, and the code, which
/// listens elsewhere unless told, agrees with all who call the service by its name but for other such examples.
fn is_for_one_machine(mains: &[&Claim<'_>]) -> bool {
    let of = |source: PortSource| mains.iter().filter(move |claim| claim.source == source);
    let Some(listen) = of(PortSource::Listen).next() else { return false };
    let said: Vec<&Claim<'_>> = mains.iter().filter(|c| c.at.rule != EXAMPLE).copied().collect();
    said.iter().all(|claim| claim.port == listen.port && claim.source >= PortSource::Listen)
        && is_called_by_all(&said, listen.port)
}

/// The rule of what the server of a base image listens on.
const BASE: &str = "base-image-port";

/// The rule of what stands in an example of variables.
const EXAMPLE: &str = "env-example";

/// EXPOSE only documents, and a program may leave PORT unread; with a port in the command that the image starts, and no
/// variable that could move it, its program can do nothing else.
fn is_started_elsewhere(mains: &[&Claim<'_>], exposed: &[u16]) -> bool {
    let mut started = mains.iter().filter(|claim| claim.source == PortSource::Command).peekable();
    started.peek().is_some()
        && started.all(|claim| claim.at.rule == "dockerfile-command" && !exposed.contains(&claim.port))
}

/// Whether others call the service, and all of them on that port.
fn is_called_by_all(mains: &[&Claim<'_>], port: u16) -> bool {
    let mut called = mains.iter().filter(|claim| claim.source == PortSource::Caller).peekable();
    called.peek().is_some() && called.all(|claim| claim.port == port)
}

/// A cluster's manifest may move the port by a variable of its own, or be out of date; where EXPOSE agrees on another one
/// with ENV of the image, with the framework's file or with the code, that is where the image listens.
fn image_knows_better(mains: &[&Claim<'_>]) -> bool {
    let of = |source: PortSource| mains.iter().filter(move |claim| claim.source == source);
    let deployed = || of(PortSource::Deployment);
    deployed().all(|claim| claim.at.rule == "kubernetes-port")
        && of(PortSource::Expose).any(|claim| {
            let sources = [PortSource::ImageEnv, PortSource::FrameworkConfig, PortSource::Listen];
            sources.into_iter().flat_map(of).any(|other| other.port == claim.port)
                && deployed().all(|other| other.port != claim.port)
        })
}

/// A framework's default holds as long as nobody sets another port, and that may be set where nobody sees it; those who
/// call the service know. What a base image's server listens on is in the image, but where a variable moves it; 80 and
/// 443 are where something else stands in front.
fn callers_know_better(facts: &ServiceFacts, mains: &[&Claim<'_>]) -> bool {
    let of = |source: PortSource| mains.iter().filter(move |claim| claim.source == source);
    let mut called = of(PortSource::Caller).map(|claim| claim.port);
    let Some(port) = called.next() else { return false };
    !matches!(port, 80 | 443)
        && called.all(|other| other == port)
        && of(PortSource::FrameworkDefault)
            .all(|claim| (claim.at.rule != BASE || is_moved_by_urls(facts)) && claim.port != port)
}

/// Whether EXPOSE only repeats what the base image of .NET listens on, as templates do, and all who call the service write
/// another port beside its name: where that is a file's number, the server is told and not the callers.
fn is_called_elsewhere(facts: &ServiceFacts, mains: &[&Claim<'_>]) -> bool {
    let Some(called) = mains.iter().find(|claim| claim.source == PortSource::Caller) else { return false };
    let base = mains.iter().find(|claim| claim.at.rule == BASE).map(|claim| claim.port);
    let is_template = |port: u16| Some(port) == base || matches!(port, 443 | 8081);
    is_moved_by_urls(facts)
        && is_called_by_all(mains, called.port)
        && mains.iter().all(|claim| match claim.source {
            PortSource::Caller => true,
            PortSource::Expose => is_template(claim.port) && claim.port != called.port,
            _ => claim.at.rule == BASE,
        })
}

/// The variable that says where the server of .NET listens.
const URLS: &str = "ASPNETCORE_URLS";

/// Whether the service is a program of .NET that this variable moves.
fn is_moved_by_urls(facts: &ServiceFacts) -> bool {
    facts.facts.iter().any(|fact| matches!(&fact.what, What::EnvRead { name, .. } if name == URLS))
}

/// What the variable `name` has to hold where only those who call the service say that it listens on `main`, or EXPOSE
/// alone does: since .NET 8 the base image listens elsewhere than the templates before it expose.
pub(super) fn told(facts: &ServiceFacts, name: &str, main: u16) -> Option<String> {
    if name != URLS || !is_moved_by_urls(facts) {
        return None;
    }
    let claims = claims(facts);
    let first = claims.iter().find(|claim| claim.port == main)?.source;
    let base = claims.iter().find(|claim| claim.at.rule == BASE).map(|claim| claim.port);
    let says_more = |claim: &Claim<'_>| claim.purpose == Purpose::Main && says_more_than_expose(claim);
    let is_exposed = || {
        first == PortSource::Expose && base.is_some_and(|base| base != main) && !claims.iter().any(says_more)
    };
    (first >= PortSource::Caller || is_exposed()).then(|| format!("http://+:{main}"))
}

/// The port that a variable has to hold by which the service's own is moved, where it listens on one: `ORDERS_SERVICE_PORT`;
/// of a framework's own, `SERVER_PORT`, where its file says another port than the one that is taken; likewise of the code's
/// own, for the one port of that protocol.
pub(super) fn moved_by(draft: &Draft<'_>, name: &str) -> Option<u16> {
    let mains = || draft.ports.iter().filter(|port| port.purpose == Purpose::Main);
    let only = |is: &dyn Fn(&Port) -> bool| {
        let mut found = mains().filter(|port| is(port));
        found.next().map(|port| port.container).filter(|_| found.next().is_none())
    };
    let main = only(&|_| true);
    let is_taken = |number: u16| draft.ports.iter().any(|port| port.container == number);
    draft.facts.facts.iter().find_map(|fact| match &fact.what {
        What::Port { variable: Some(variable), purpose: Purpose::Main, source, port, protocol }
            if variable == name =>
        {
            match source {
                PortSource::EnvExample => main,
                PortSource::FrameworkConfig => main.filter(|main| main != port),
                PortSource::Listen if !is_taken(*port) => only(&|own| own.protocol == *protocol),
                _ => None,
            }
        }
        _ => None,
    })
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
