//! What the installation plans on each system.

use super::super::system::Mirror;
use super::super::{Engine, Machine, System};
use super::*;
use crate::run::version::Version;

fn machine(id: &str, version: &str) -> Machine {
    let system = System {
        id: id.to_owned(),
        version: version.to_owned(),
        name: format!("{id} {version}"),
        ..System::default()
    };
    Machine { system, root: true, engine: Engine::Silent("nothing listens".to_owned()), ..Machine::default() }
}

fn ready(id: &str, version: &str) -> Machine {
    Machine {
        client: Some(Version(28, 2, 2)),
        compose: Some(Version(2, 26, 1)),
        buildx: Some(Version(0, 13, 1)),
        daemon: true,
        engine: Engine::Answers(Version(26, 1, 5)),
        ..machine(id, version)
    }
}

/// The steps as a person would type them.
fn typed(machine: &Machine) -> Vec<String> {
    match plan(machine) {
        Plan::Run(steps) => shown(&steps),
        other => panic!("{other:?}"),
    }
}

const APT: &str = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends";

#[test]
fn debian_12_takes_the_next_release_pinned_low() {
    let client_only = Machine { client: Some(Version(28, 2, 2)), ..machine("debian", "12") };
    assert_eq!(
        typed(&client_only),
        [
            "tee /etc/apt/sources.list.d/docker-engine-trixie.sources <<'END'\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\nEND",
            "tee /etc/apt/preferences.d/docker-engine-trixie <<'END'\nPackage: *\nPin: release n=trixie\nPin-Priority: 100\nEND",
            "apt-get update",
            &format!("{APT} iptables"),
            &format!("{APT} -t trixie docker.io docker-compose docker-buildx"),
            "setsid dockerd >> /var/log/dockerd.log 2>&1 < /dev/null &",
            "docker info",
        ]
    );
}

#[test]
fn debian_12_uses_its_own_mirror_and_keys() {
    let mirror = Mirror { url: "http://mirror.example/debian".to_owned(), keyring: "/k.gpg".to_owned() };
    let mut machine = machine("debian", "12");
    machine.system.mirror = Some(mirror);
    let first = &typed(&machine)[0];
    assert!(
        first.contains("\nURIs: http://mirror.example/debian\n") && first.contains("\nSigned-By: /k.gpg\n"),
        "{first}"
    );
}

#[test]
fn debian_13_takes_its_own_packages_with_the_client() {
    assert_eq!(
        typed(&Machine { systemd: true, ..machine("debian", "13") }),
        [
            "apt-get update".to_owned(),
            format!("{APT} iptables"),
            format!("{APT} -t trixie docker.io docker-cli docker-compose docker-buildx"),
            "systemctl enable --now docker".to_owned(),
            "docker info".to_owned(),
        ]
    );
}

#[test]
fn ubuntu_has_compose_under_another_name() {
    for version in ["22.04", "24.04"] {
        assert_eq!(
            typed(&machine("ubuntu", version))[2],
            format!("{APT} docker.io docker-compose-v2 docker-buildx"),
            "{version}"
        );
    }
}

#[test]
fn only_what_is_missing_is_installed() {
    assert_eq!(plan(&ready("debian", "12")), Plan::Nothing);
    let old = Machine { compose: Some(Version(2, 20, 2)), ..ready("ubuntu", "22.04") };
    assert_eq!(typed(&old), ["apt-get update".to_owned(), format!("{APT} docker-compose-v2")]);
    let stopped = Machine { engine: Engine::Silent("x".to_owned()), ..ready("debian", "12") };
    assert_eq!(typed(&stopped), ["setsid dockerd >> /var/log/dockerd.log 2>&1 < /dev/null &", "docker info"]);
}

#[test]
fn another_user_gets_into_the_docker_group() {
    let denied = Machine {
        engine: Engine::Denied,
        root: false,
        sudo: true,
        user: "ann".to_owned(),
        ..ready("debian", "13")
    };
    assert_eq!(typed(&denied), ["usermod -aG docker ann"]);
    let without = Machine { sudo: false, ..denied };
    assert_eq!(
        plan(&without),
        Plan::Print(
            "this needs root, and there is no `sudo`".to_owned(),
            vec!["usermod -aG docker ann".to_owned()]
        )
    );
}

#[test]
fn other_systems_get_the_commands_and_nothing_is_run() {
    for (id, like, first) in [
        ("macos", "", "brew install --cask docker"),
        ("fedora", "", "sudo dnf install moby-engine docker-compose docker-buildx"),
        ("linuxmint", "ubuntu", "curl -fsSL https://get.docker.com | sudo sh"),
        ("ubuntu", "debian", "curl -fsSL https://get.docker.com | sudo sh"),
    ] {
        let mut machine = machine(id, "20.04");
        machine.system.like = vec![like.to_owned()];
        let Plan::Print(why, lines) = plan(&machine) else { panic!("{id}") };
        assert_eq!(
            (why, lines[0].as_str()),
            (format!("{id} 20.04 is not installed on by this command"), first)
        );
    }
}

#[test]
fn an_engine_elsewhere_is_not_installed_here() {
    let remote = Machine { remote: Some("DOCKER_HOST".to_owned()), ..ready("debian", "12") };
    assert_eq!(plan(&remote), Plan::Nothing);
    let silent = Machine { engine: Engine::Silent("x".to_owned()), ..remote };
    assert!(matches!(plan(&silent), Plan::Print(..)));
}
