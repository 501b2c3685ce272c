//! What Compose says where it gave up before any container could show why; judges its words only.

use crate::error::Failure;
use crate::run::diagnose::causes::disk;
use crate::run::diagnose::words;
use crate::run::docker::last_lines;
use crate::run::setup::Setup;

/// How many of its last lines are shown where the cause is not known.
const SHOWN: usize = 20;

/// The failure of `docker compose up` that ended with this code and printed these lines.
pub fn failure(setup: &Setup, code: i32, lines: &[String], command: &str) -> Failure {
    let said: Vec<String> = lines.iter().filter(|line| !is_progress(line)).cloned().collect();
    if let Some(failure) = known(setup, &said) {
        return failure;
    }
    let mut failure = Failure::new(format!("Compose could not start the services (exit code {code})"));
    for line in last_lines(&said.join("\n"), SHOWN) {
        failure = failure.why(line);
    }
    failure.why(format!("$ {command}")).fix(setup.xtask("status"))
}

fn is_progress(line: &str) -> bool {
    ["Container ", "Network ", "Volume "].iter().any(|word| line.trim().starts_with(word))
}

/// Causes that show in Compose's words alone.
fn known(setup: &Setup, said: &[String]) -> Option<Failure> {
    no_addresses(setup, said)
        .or_else(|| overlap(setup, said))
        .or_else(|| no_file(setup, said))
        .or_else(|| disk_full(setup, said))
}

fn no_addresses(setup: &Setup, said: &[String]) -> Option<Failure> {
    let trace = words::last(
        said,
        r"non-overlapping IPv4 address pool|all predefined address pools have been fully subnetted",
    )?;
    Some(
        Failure::new(format!("the engine has no addresses left for a network of `{}`", setup.project))
            .why(trace.line.trim())
            .fix(format!(
                "docker network prune removes the networks that no container uses; then: {}",
                setup.xtask("up")
            )),
    )
}

fn overlap(setup: &Setup, said: &[String]) -> Option<Failure> {
    let trace = words::last(said, r"failed to create network (\S+):.*[Pp]ool overlaps with other one")?;
    let network = trace.group(1);
    Some(
        Failure::new(format!("the addresses of the network `{network}` belong to another network already"))
            .at(setup.shown_file(&setup.out.join(crate::run::setup::COMPOSE_FILE)))
            .why("the file fixes its `subnet`, and a network of this engine has some of those addresses")
            .fix(format!(
                "remove `ipam` of that network, or choose another `subnet`; then: {}",
                setup.xtask("up")
            )),
    )
}

fn no_file(setup: &Setup, said: &[String]) -> Option<Failure> {
    let trace = words::last(said, r"bind source path does not exist: (\S+)")?;
    let path = setup.shown_outside(trace.group(1));
    Some(
        Failure::new(format!("`{path}`, which a service mounts, does not exist"))
            .why("a `bind` mount with `create_host_path: false` needs its source")
            .fix(format!("create {path}, then: {}", setup.xtask("up"))),
    )
}

fn disk_full(setup: &Setup, said: &[String]) -> Option<Failure> {
    let trace = words::last(said, disk::FULL)?;
    Some(
        Failure::new("the engine found no space left on the disk")
            .why(trace.line.trim())
            .why(disk::room())
            .fix(format!("docker builder prune, then: {}", setup.xtask("up"))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::diagnose::tests::setup;

    fn shown(text: &str) -> String {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        failure(&setup(), 1, &lines, "docker compose up").to_string()
    }

    #[test]
    fn an_engine_without_addresses_is_told_from_a_subnet_that_is_taken() {
        assert_eq!(
            shown(
                " Network shop_a  Creating\nfailed to create network shop_a: Error response from daemon: could not find an \
                 available, non-overlapping IPv4 address pool among the defaults to assign to the network"
            ),
            "the engine has no addresses left for a network of `shop-1a2b`\n  \
             why: failed to create network shop_a: Error response from daemon: could not find an available, \
             non-overlapping IPv4 address pool among the defaults to assign to the network\n  \
             fix: docker network prune removes the networks that no container uses; then: cargo xtask up"
        );
        assert_eq!(
            shown(
                "failed to create network shop_a: Error response from daemon: Pool overlaps with other one on this address space"
            ),
            "the addresses of the network `shop_a` belong to another network already\n  at integration/docker-compose.yml\n  \
             why: the file fixes its `subnet`, and a network of this engine has some of those addresses\n  \
             fix: remove `ipam` of that network, or choose another `subnet`; then: cargo xtask up"
        );
    }

    #[test]
    fn a_missing_source_of_a_mount_and_a_full_disk_are_named() {
        assert_eq!(
            shown(
                "Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: /nowhere/x.conf"
            ),
            "`x.conf`, which a service mounts, does not exist\n  \
             why: a `bind` mount with `create_host_path: false` needs its source\n  fix: create x.conf, then: cargo xtask up"
        );
        assert_eq!(
            shown("Error response from daemon: mkdir /var/lib/docker/x: no space left on device"),
            "the engine found no space left on the disk\n  \
             why: Error response from daemon: mkdir /var/lib/docker/x: no space left on device\n       \
             docker system df shows what Docker holds, docker builder prune frees what builds have kept\n  \
             fix: docker builder prune, then: cargo xtask up"
        );
    }

    #[test]
    fn words_that_are_not_known_are_shown_as_they_are() {
        assert_eq!(
            shown(" Container shop-a-1  Creating\nError response from daemon: something new"),
            "Compose could not start the services (exit code 1)\n  why: Error response from daemon: something new\n       \
             $ docker compose up\n  fix: cargo xtask status"
        );
    }
}
