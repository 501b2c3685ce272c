//! Whether the host ports of the setup can be had: moves the whole block away from another checkout, names a
//! stranger; frees nothing.

use crate::error::{Failure, Failures, Result};
use crate::run::docker::Docker;
use crate::run::holder::{self, Holder};
use crate::run::setup::{COMPOSE_FILE, Setup, read_text};
use crate::run::spec::ServiceSpec;
use crate::run::state::{self, Container, Publisher};
use crate::run::{dotenv, engine, env_file};
use crate::ui::Ui;

/// How far the block of ports moves at a time.
const STEP: u16 = 100;

/// A host port that a service wants.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    service: String,
    address: String,
    port: u16,
    container: u16,
}

/// A variable that holds a host port: `${TRADING_PORT:-3000}` in front of a container port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortVariable {
    /// `TRADING_PORT`
    pub name: String,
    /// The service below which it stands.
    pub service: String,
    /// What counts where nothing sets it.
    pub default: Option<u16>,
    /// `integration/docker-compose.yml:12`
    pub at: String,
}

/// Whether the ports were moved, so that what was read before is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The env file has new ports.
    Yes,
    /// All ports can be had.
    No,
}

/// Checks the ports of the services about to start; `own` are the containers of the project that are there already.
///
/// # Errors
/// When two services claim the same port, or a stranger holds one; all such ports at once.
pub fn check(
    docker: &Docker,
    setup: &mut Setup,
    services: &[&ServiceSpec],
    own: &[Container],
    ui: Ui,
) -> Result<Moved> {
    let claims = claims(services);
    let variables = variables(setup)?;
    let twice =
        clashes(&claims).into_iter().map(|(one, other)| clash(setup, one, other, &variables, &claims));
    Failures::check(twice.collect(), "nothing was started")?;
    if engine::remote().is_some() {
        return Ok(Moved::No);
    }
    let mine = |port: u16| own.iter().flat_map(|container| &container.ports).any(|own| own.host == port);
    let taken: Vec<&Claim> = claims
        .iter()
        .filter(|claim| !mine(claim.port) && !holder::is_free(&claim.address, claim.port))
        .collect();
    if taken.is_empty() {
        return Ok(Moved::No);
    }
    let publishers = state::publishers(docker)?;
    let taken: Vec<(&Claim, Holder)> =
        taken.into_iter().map(|claim| (claim, holder::of(claim.port, &publishers))).collect();
    let sibling = taken.iter().find_map(|(_, holder)| match holder {
        Holder::Container(publisher) if is_sibling(publisher, &setup.project) => Some(publisher.clone()),
        _ => None,
    });
    if let Some(sibling) = sibling
        && let Some((distance, values)) = moved(&variables, &setup.env_text, &claims)
    {
        let why = format!("Moved by {distance}: `{}` holds the ports before these.", sibling.project);
        let text = dotenv::set(&setup.env_text, &values, &why);
        env_file::write(setup, text)?;
        let shown = setup.shown_file(&setup.env_file);
        ui.status(
            "Moved",
            format_args!("all host ports by {distance} in {shown} (`{}` holds them)", sibling.project),
        );
        return Ok(Moved::Yes);
    }
    // Each proposal takes its port away from the next one.
    let mut spoken_for = spoken_for(&claims);
    let failures =
        taken.iter().map(|(claim, holder)| stranger(setup, claim, holder, &variables, &mut spoken_for));
    Failures::check(failures.collect(), "nothing was started").map(|()| Moved::No)
}

fn claims(services: &[&ServiceSpec]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for service in services {
        for port in service.ports.iter().filter(|port| port.protocol == "tcp") {
            let Some(published) = port.published else { continue };
            claims.push(Claim {
                service: service.name.clone(),
                address: port.host_ip.clone(),
                port: published,
                container: port.target,
            });
        }
    }
    claims
}

/// Pairs of claims of which only one can be had.
fn clashes(claims: &[Claim]) -> Vec<(&Claim, &Claim)> {
    let everywhere = |claim: &Claim| matches!(claim.address.as_str(), "" | "0.0.0.0" | "::");
    let mut pairs = Vec::new();
    for (index, one) in claims.iter().enumerate() {
        let same = claims[index + 1..].iter().filter(|other| other.port == one.port);
        let meets = |other: &&Claim| everywhere(one) || everywhere(other) || one.address == other.address;
        pairs.extend(same.filter(meets).map(|other| (one, other)));
    }
    pairs
}

fn clash(setup: &Setup, one: &Claim, other: &Claim, variables: &[PortVariable], claims: &[Claim]) -> Failure {
    let Claim { service, address, port, container } = other;
    let failure = Failure::new(format!("`{}` and `{service}` both want the host port {port}", one.service));
    let holds = |variable: &&PortVariable| current(variable, &setup.env_text) == Some(*port);
    let failure = variables.iter().filter(holds).fold(failure, |failure, variable| failure.at(&variable.at));
    let named = format!("{}_PORT", service.to_uppercase().replace(['-', '.'], "_"));
    let mut candidates = variables.iter().filter(holds);
    let variable =
        candidates.clone().find(|variable| variable.name == named).or_else(|| candidates.next_back());
    match (variable, free_port(address, *port, &spoken_for(claims))) {
        (Some(variable), Some(free)) => failure.fix(set_port(setup, variable, free)),
        _ => failure.at(setup.shown_file(&setup.out.join(COMPOSE_FILE))).fix(format!(
            "give one of them another host port, as \"${{{named}:-{}}}:{container}\"",
            free_port(address, *port, &spoken_for(claims)).unwrap_or(*port)
        )),
    }
}

fn set_port(setup: &Setup, variable: &PortVariable, free: u16) -> String {
    format!("set {}={free} in {}, port {free} is free", variable.name, setup.shown_file(&setup.env_file))
}

fn spoken_for(claims: &[Claim]) -> Vec<u16> {
    claims.iter().map(|claim| claim.port).collect()
}

/// The next port that nobody holds and that is not spoken for.
pub fn free_port(address: &str, port: u16, spoken_for: &[u16]) -> Option<u16> {
    (port.saturating_add(1)..u16::MAX)
        .find(|free| !spoken_for.contains(free) && holder::is_free(address, *free))
}

/// Another checkout has the same name with other hex digits behind it, or the bare name when started by hand.
fn is_sibling(publisher: &Publisher, project: &str) -> bool {
    let base = |project: &str| {
        let mut parts: Vec<&str> = project.split('-').collect();
        let hex =
            parts.iter().rposition(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(hex) = hex {
            parts.truncate(hex);
        }
        parts.join("-")
    };
    !publisher.project.is_empty() && publisher.project != project && base(&publisher.project) == base(project)
}

/// The port variables of all files of the setup, each name once.
///
/// # Errors
/// When a file cannot be read.
pub fn variables(setup: &Setup) -> Result<Vec<PortVariable>> {
    let mut all: Vec<PortVariable> = Vec::new();
    for file in &setup.files {
        let shown = setup.shown_file(file);
        let text = read_text(file)?.unwrap_or_default();
        let replaced = replaced(&text);
        all.retain(|known| !replaced.contains(&known.service.as_str()));
        for variable in port_variables(&text, &shown) {
            if !all.iter().any(|known| known.name == variable.name) {
                all.push(variable);
            }
        }
    }
    Ok(all)
}

/// The service of each line: the last key that is indented as those below `services:` are.
fn with_services(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut service = "";
    text.lines().enumerate().map(move |(index, line)| {
        let key = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#', '-']));
        if let Some((name, _)) = key.and_then(|rest| rest.split_once(':')) {
            service = name.trim_matches(['"', '\'']);
        }
        (index, service, line)
    })
}

/// The services whose ports this file gives instead of those that the files before it give.
fn replaced(text: &str) -> Vec<&str> {
    let replaces = |line: &str| {
        let tag = line.trim_start().strip_prefix("ports:").map(str::trim_start);
        tag.is_some_and(|tag| tag.starts_with("!override") || tag.starts_with("!reset"))
    };
    with_services(text).filter(|(_, _, line)| replaces(line)).map(|(_, service, _)| service).collect()
}

/// Reads `${NAME:-3000}:3000` and `published: "${NAME:-3000}"`.
fn port_variables(text: &str, shown: &str) -> Vec<PortVariable> {
    let mut found = Vec::new();
    for (index, service, line) in with_services(text) {
        let long_form = line.trim_start().trim_start_matches("- ").starts_with("published:");
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("${") {
            let Some((inside, behind)) = after.split_once('}') else { break };
            let container_port =
                behind.strip_prefix(':').is_some_and(|tail| tail.starts_with(|c: char| c.is_ascii_digit()));
            if container_port || long_form {
                let (name, default) = match inside.split_once('-') {
                    Some((name, default)) => (name.trim_end_matches(':'), default.parse().ok()),
                    None => (inside, None),
                };
                found.push(PortVariable {
                    name: name.to_owned(),
                    service: service.to_owned(),
                    default,
                    at: format!("{shown}:{}", index + 1),
                });
            }
            rest = behind;
        }
    }
    found
}

/// The port that a variable stands for now.
pub fn current(variable: &PortVariable, env_text: &str) -> Option<u16> {
    match dotenv::value(env_text, &variable.name) {
        Some(value) if !value.is_empty() => value.parse().ok(),
        _ => variable.default,
    }
}

/// The nearest place where every port of the block is free, and the variables' new values.
fn moved(
    variables: &[PortVariable],
    env_text: &str,
    claims: &[Claim],
) -> Option<(u16, Vec<(String, String)>)> {
    let block: Vec<(&str, u16)> = variables
        .iter()
        .filter_map(|variable| Some((variable.name.as_str(), current(variable, env_text)?)))
        .collect();
    // A fixed port cannot move, so moving the others would not help.
    if claims.iter().any(|claim| !block.iter().any(|(_, port)| *port == claim.port)) {
        return None;
    }
    let address = claims.first().map(|claim| claim.address.as_str()).unwrap_or_default();
    (1..=300u16).find_map(|steps| {
        let distance = STEP.checked_mul(steps)?;
        let values: Option<Vec<(String, u16)>> = block
            .iter()
            .map(|(name, port)| Some(((*name).to_owned(), port.checked_add(distance)?)))
            .collect();
        let values = values?;
        let stays_apart = |port: &u16| !block.iter().any(|(_, old)| old == port);
        let free = values.iter().all(|(_, port)| stays_apart(port) && holder::is_free(address, *port));
        free.then(|| (distance, values.into_iter().map(|(name, port)| (name, port.to_string())).collect()))
    })
}

fn stranger(
    setup: &Setup,
    claim: &Claim,
    holder: &Holder,
    variables: &[PortVariable],
    spoken_for: &mut Vec<u16>,
) -> Failure {
    let Claim { service, address, port, container: _ } = claim;
    let failure = Failure::new(format!("port {port} of `{service}` is taken by {holder}"));
    let free = free_port(address, *port, spoken_for);
    spoken_for.extend(free);
    let variable = variables.iter().find(|variable| current(variable, &setup.env_text) == Some(*port));
    match (variable, free) {
        (Some(variable), Some(free)) => failure.at(&variable.at).fix(set_port(setup, variable, free)),
        _ => match holder {
            Holder::Container(publisher) => failure.fix(format!("docker stop {}", publisher.name)),
            Holder::Process { pid, .. } => failure.fix(format!("kill {pid}")),
            Holder::Unknown => failure.fix(format!("lsof -nP -iTCP:{port} -sTCP:LISTEN")),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn two_taken_ports_get_two_proposals() {
        let setup = Setup {
            out: PathBuf::from("/s"),
            shown: "integration".to_owned(),
            env: "dev".to_owned(),
            files: Vec::new(),
            env_file: PathBuf::from("/s/.env"),
            env_text: String::new(),
            project: "shop".to_owned(),
            overlay: None,
        };
        let claim = |service: &str, port| Claim {
            service: service.to_owned(),
            address: "127.0.0.1".to_owned(),
            port,
            container: port,
        };
        let variable = |name: &str, port| PortVariable {
            name: name.to_owned(),
            service: String::new(),
            default: Some(port),
            at: "c.yml:1".to_owned(),
        };
        let claims = [claim("one", 41_300), claim("two", 41_301)];
        let variables = [variable("ONE_PORT", 41_300), variable("TWO_PORT", 41_301)];
        let mut spoken_for = spoken_for(&claims);
        let proposals = claims
            .each_ref()
            .map(|claim| stranger(&setup, claim, &Holder::Unknown, &variables, &mut spoken_for).fix);
        assert!(
            proposals[0].is_some()
                && proposals[0].as_deref().map(port_of) != proposals[1].as_deref().map(port_of)
        );
    }

    /// The port that `set NAME=PORT in …` proposes.
    fn port_of(fix: &str) -> &str {
        fix.split_once('=').and_then(|(_, rest)| rest.split_once(' ')).map_or(fix, |(port, _)| port)
    }

    #[test]
    fn port_variables_are_read_in_both_forms_and_others_left() {
        let text = "  web:\n    ports:\n      - \"${BIND_ADDR:-127.0.0.1}:${API_PORT:-3000}:3000\"\n      - target: 80\n        \
                    published: \"${WEB_PORT}\"\n    environment:\n      X: ${HOST:-a}:b\n";
        let variable = |name: &str, default, line| PortVariable {
            name: name.to_owned(),
            service: "web".to_owned(),
            default,
            at: format!("c.yml:{line}"),
        };
        assert_eq!(
            port_variables(text, "c.yml"),
            [variable("API_PORT", Some(3000), 3), variable("WEB_PORT", None, 5)]
        );
    }

    #[test]
    fn a_later_file_replaces_the_ports_of_a_service() {
        let text = "services:\n  api:\n    ports: !override\n      - \"127.0.0.1::3000\"\n\n  \"web\":\n    ports:\n      - \"80\"\n";
        assert_eq!(replaced(text), ["api"]);
        assert_eq!(port_variables(text, "c.yml"), []);
    }

    #[test]
    fn two_services_on_one_address_and_port_clash() {
        let claim = |service: &str, address: &str, port| Claim {
            service: service.to_owned(),
            address: address.to_owned(),
            port,
            container: 80,
        };
        let claims = [
            claim("a", "127.0.0.1", 3000),
            claim("b", "127.0.0.2", 3000),
            claim("c", "", 3000),
            claim("d", "127.0.0.1", 3001),
        ];
        let pairs: Vec<(&str, &str)> =
            clashes(&claims).iter().map(|(a, b)| (a.service.as_str(), b.service.as_str())).collect();
        assert_eq!(pairs, [("a", "c"), ("b", "c")]);
    }

    #[test]
    fn siblings_are_other_checkouts_of_the_same_name() {
        let publisher = |project: &str| Publisher { project: project.to_owned(), ..Publisher::default() };
        for (other, sibling) in [
            ("shop-1a2b", false),
            ("shop-ffff", true),
            ("shop", true),
            ("shop-ffff-test", true),
            ("stop-ffff", false),
            ("", false),
        ] {
            assert_eq!(is_sibling(&publisher(other), "shop-1a2b"), sibling, "{other}");
        }
    }

    #[test]
    fn a_block_with_a_fixed_port_does_not_move() {
        let variables = port_variables("- \"${A_PORT:-41000}:80\"\n", "c.yml");
        let claim = |port| Claim { service: "a".into(), address: "127.0.0.1".into(), port, container: 80 };
        assert_eq!(moved(&variables, "", &[claim(41000), claim(42000)]), None);
        let (distance, values) = moved(&variables, "A_PORT=41500\n", &[claim(41500)]).unwrap();
        assert_eq!(values, [("A_PORT".to_owned(), (41500 + distance).to_string())]);
    }
}
