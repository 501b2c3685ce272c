//! An engine on another machine: how its ports are reached from here, and what of this machine it cannot have. Starts
//! nothing.

use std::net::IpAddr;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
use crate::run::engine;
use crate::run::images::side_by_side;
use crate::run::setup::{COMPOSE_FILE, Setup, read_text};
use crate::run::spec::ServiceSpec;
use crate::run::state::Container;
use crate::ui::count;

/// The variable of generated setups for the address of published ports.
const BIND: &str = "BIND_ADDR";

/// The engine's host, as a URL writes it; `None` where it answers on a socket of this machine.
pub fn host() -> Option<String> {
    engine::remote().and_then(|engine| host_of(&engine.address))
}

fn host_of(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    if !matches!(scheme, "tcp" | "ssh" | "http" | "https") {
        return None;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

/// As [`host`], where that is surely not this machine: a tunnel ends here too.
fn elsewhere() -> Option<String> {
    host().filter(|host| {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        name != "localhost" && !is_loopback(name)
    })
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses a start whose services mount what does not lie on the engine's machine: Docker would make empty folders
/// there, and nobody would see why the files are missing. Asks nothing where the engine is on this machine, or where
/// it has none of the services' images yet.
///
/// # Errors
/// When something is missing there, all at once.
pub fn check_mounts(docker: &Docker, setup: &Setup, services: &[&ServiceSpec]) -> Result<()> {
    let Some(host) = elsewhere() else { return Ok(()) };
    let by = engine::remote().map_or("", |engine| engine.by.as_str());
    let mut wanted: Vec<(&str, &str)> = services
        .iter()
        .flat_map(|service| service.binds.iter().map(|source| (source.as_str(), service.name.as_str())))
        // What is nowhere yet, Docker makes on either machine.
        .filter(|(source, _)| std::path::Path::new(source).exists())
        .collect();
    wanted.sort_unstable();
    wanted.dedup_by_key(|(source, _)| *source);
    let Some(image) = services.iter().find(|service| service.build.is_none()).map(|service| &service.image)
    else {
        return Ok(());
    };
    let answers = side_by_side(&wanted, |(source, _)| is_missing(docker, image, source));
    let mut missing = Vec::new();
    for ((source, service), answer) in wanted.iter().zip(answers) {
        if answer? {
            missing.push(format!("{} ({service})", setup.shown_outside(source)));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let failure =
        Failure::new(format!("{} {verb} not on the engine's machine", count(missing.len(), "mounted path")))
            .why(format!("the engine is on {host} ({by}) and mounts from its own disk"));
    let failure = missing.iter().fold(failure, Failure::why);
    Err(failure
        .fix(format!("bring this checkout to the same path on {host}, or run {} there", setup.xtask("up")))
        .into())
}

/// Whether the engine's machine has nothing at a path. A container that is made and never started tells: with
/// `--mount`, unlike with `--volume`, a source that does not exist is refused.
fn is_missing(docker: &Docker, image: &str, source: &str) -> Result<bool> {
    let mount = format!("type=bind,source={source},target=/xtask-mount");
    let made = docker.command(["create", "--pull", "never", "--mount", &mount, image, "true"]).output()?;
    if made.code == 0 {
        docker.command(["rm", "--volumes", made.stdout.trim()]).output()?;
    }
    Ok(made.stderr.contains("bind source path does not exist"))
}

/// A warning where ports are published for the engine's machine alone, and that is another one.
pub fn unreachable(setup: &Setup, containers: &[Container]) -> Option<Failure> {
    let own = containers.iter().any(is_for_its_machine_alone);
    let host = elsewhere().filter(|_| own)?;
    let failure = Failure::new(format!("from here no port answers that is published on 127.0.0.1 of {host}"));
    Some(failure.fix(way(setup, &host)))
}

/// Completes the failure of a service that does not answer, where nobody on this machine could have got an answer.
pub fn explain(failure: Failure, setup: &Setup, container: &Container) -> Failure {
    match elsewhere().filter(|_| is_for_its_machine_alone(container)) {
        Some(host) => failure
            .why(format!("it is published on 127.0.0.1 of {host}, so for that machine alone"))
            .fix(way(setup, &host)),
        None => failure,
    }
}

fn is_for_its_machine_alone(container: &Container) -> bool {
    container.ports.iter().any(|port| is_loopback(&port.address))
}

fn way(setup: &Setup, host: &str) -> String {
    let base = setup.out.join(COMPOSE_FILE);
    let variable = read_text(&base).ok().flatten().is_some_and(|text| text.contains(BIND));
    let publish = match variable {
        true => format!("set {BIND}=0.0.0.0 in {}", setup.shown_file(&setup.env_file)),
        false => format!("publish it on 0.0.0.0 in {}", setup.shown_file(&base)),
    };
    format!(
        "{publish}, then: {}; every machine that reaches {host} can use the ports then",
        setup.xtask("up")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_that_of_an_address_on_the_network() {
        for (text, wanted) in [
            ("tcp://10.0.0.1:2376", Some("10.0.0.1")),
            ("ssh://me@build.example", Some("build.example")),
            ("ssh://me@build.example:22/run/docker.sock", Some("build.example")),
            ("tcp://[::1]:2375", Some("[::1]")),
            ("unix:///var/run/docker.sock", None),
            ("", None),
        ] {
            assert_eq!(host_of(text).as_deref(), wanted, "{text}");
        }
    }
}
