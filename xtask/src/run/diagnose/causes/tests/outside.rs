//! Recorded traces of what lies around a program: space, hosts, rights, listeners, answers, the engine.

use super::*;
use crate::run::diagnose::anatomy::Mount;
use crate::run::listeners::Listener;
use crate::run::state::Check;

#[test]
fn space_hosts_and_rights_are_missed() {
    let mut tmpfs = ended(1, "OSError: [Errno 28] No space left on device: '/scratch/a'");
    tmpfs.anatomy.mounts.push(Mount {
        kind: "tmpfs".into(),
        source: String::new(),
        target: "/scratch".into(),
    });
    let mut owned = ended(1, "Error: EACCES: permission denied, mkdir '/data/x'");
    owned.anatomy.user = "node".to_owned();
    owned.anatomy.mounts.push(Mount {
        kind: "volume".into(),
        source: "shop_data".into(),
        target: "/data".into(),
    });
    assert_all(&[
        (tmpfs, "no space is left in `/scratch`, which lies in memory"),
        (ended(1, "sh: write error: No space left on device"), "it found no space left on the disk"),
        (
            ended(1, "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'"),
            "this machine's limit of watched files is reached",
        ),
        (owned, "its user `node` has no right to `/data/x`"),
        (
            ended(1, "Error: getaddrinfo ENOTFOUND dbb"),
            "it looks for the host `dbb`, which its networks do not know",
        ),
        (
            ended(1, "nginx: [emerg] host not found in upstream \"apj\" in /etc/nginx/conf.d/default.conf:3"),
            "it looks for the host `apj`, which its networks do not know",
        ),
    ]);
    let host = known(&ended(
        1,
        "psycopg2: could not translate host name \"dbb\" to address: Name or service not known",
    ))
    .unwrap();
    assert_eq!(host.at, ["integration/docker-compose.yml:6"]);
    assert_eq!(
        host.fix,
        "name a service of integration/docker-compose.yml instead (did you mean `db`?), then: cargo xtask up"
    );
}

#[test]
fn answers_and_listeners_are_read_from_outside() {
    let listener = |address: &str, port| Listener { address: address.parse().unwrap(), port };
    let listening = |mut facts: Facts, listeners: &[Listener]| {
        facts.listeners = Some(listeners.to_vec());
        facts
    };
    let starting = |mut facts: Facts| {
        facts.cause = None;
        let container = facts.container.as_mut().unwrap();
        (container.check, container.status) = (Check::Starting, "Up 3 seconds (health: starting)".to_owned());
        facts
    };
    let refused = "wget: can't connect to remote host (127.0.0.1): Connection refused";
    let mut late_once = unhealthy("Health check exceeded timeout (3s)");
    late_once.details.earlier_checks =
        vec!["Health check exceeded timeout (3s)".to_owned(), "HTTP 404".to_owned()];
    assert_all(&[
        (late_once, "its health check gets 404 from `/health`"),
        (unhealthy("HTTP 404"), "its health check gets 404 from `/health`"),
        (
            unhealthy("curl: (22) The requested URL returned error: 500"),
            "its health check gets 500 from `/health`",
        ),
        (
            unhealthy("Health check exceeded timeout (3s)"),
            "its health check gets no answer in time from `/health`",
        ),
        (unhealthy(refused), ""),
        (listening(unhealthy(refused), &[]), ""),
        (
            listening(unhealthy(refused), &[listener("0.0.0.0", 8080)]),
            "it listens on port 8080 and not on 3000",
        ),
        (
            listening(unhealthy(refused), &[listener("127.0.0.1", 3000)]),
            "it listens on 127.0.0.1:3000 in its container, where nobody else reaches it",
        ),
        (listening(unhealthy(refused), &[listener("127.0.0.1", 3000), listener("::", 3000)]), ""),
        (listening(starting(unhealthy(refused)), &[listener("0.0.0.0", 4369)]), ""),
        (listening(unhealthy(refused), &[listener("127.0.0.1", 9229)]), ""),
        (listening(unhealthy(refused), &[listener("0.0.0.0", 8080), listener("::", 8081)]), ""),
    ]);
}

#[test]
fn what_keeps_the_engine_from_starting_a_container_is_named() {
    let not_started = |error: &str| {
        let mut facts = ended(128, "");
        facts.cause = Some(Cause::NotStarted);
        facts.details.error = error.to_owned();
        facts
    };
    assert_all(&[
        (
            not_started(
                "driver failed programming external connectivity on endpoint shop-api-1 (1): Bind for 127.0.0.1:3000 failed: port is already allocated",
            ),
            "the host port 3000 is taken by another program",
        ),
        (
            not_started(
                "driver failed programming external connectivity: Error starting userland proxy: listen tcp4 127.0.0.1:3000: bind: address already in use",
            ),
            "the host port 3000 is taken by another program",
        ),
        (
            not_started(
                "error mounting \"/nowhere/nginx.conf\" to rootfs at \"/etc/nginx.conf\": mount: not a directory: unknown",
            ),
            "`nginx.conf`, which is mounted into it, is not the file that is expected",
        ),
    ]);
}
