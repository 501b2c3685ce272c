//! What would make a machine ready: commands as data, decided from the facts alone; runs none of them.

use std::fmt;

use super::{Engine, Machine};
use crate::run::docker::quoted;
use crate::run::version::{OLDEST_COMPOSE, OLDEST_ENGINE};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian";
const SOURCES: &str = "/etc/apt/sources.list.d/docker-engine-trixie.sources";
const PIN: &str = "/etc/apt/preferences.d/docker-engine-trixie";
/// Where an engine that no service manager runs writes its log.
pub const LOG: &str = "/var/log/dockerd.log";

/// What to do about what is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Docker is installed, and its engine answers.
    Nothing,
    /// In this order.
    Run(Vec<Step>),
    /// Not ours to do on this system: why, and what a person would type.
    Print(String, Vec<String>),
}

/// A step that changes the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A program and its arguments, as root.
    Run(Vec<String>),
    /// A file with this text, as root.
    Write(&'static str, String),
    /// The engine in the background, where no service manager does it; as root.
    Detach,
    /// Until the engine answers.
    Wait,
}

/// The step as a person would type it, without `sudo`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Run(words) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                f.write_str(&words.join(" "))
            }
            Step::Write(path, text) => write!(f, "tee {path} <<'END'\n{text}END"),
            Step::Detach => write!(f, "setsid dockerd >> {LOG} 2>&1 < /dev/null &"),
            Step::Wait => f.write_str("docker info"),
        }
    }
}

/// Where a system's packages with Docker are, and how they are called.
struct Recipe {
    /// The release to take them from, where the system's own is too old; apt's `-t`.
    suite: Option<&'static str>,
    /// That release has to be added to apt's sources.
    add: bool,
    client: &'static str,
    compose: &'static str,
}

fn recipe(machine: &Machine) -> Option<Recipe> {
    let debian = |suite, add| Recipe { suite, add, client: "docker-cli", compose: "docker-compose" };
    match (machine.system.id.as_str(), machine.system.release()) {
        // Engine 20.10 and Compose 1.29 of its own; Debian 13's packages run on it.
        ("debian", Some((12, _))) => Some(debian(Some("trixie"), true)),
        // By name, because a machine that was raised from 12 may still prefer 12's packages.
        ("debian", Some((13, _))) => Some(debian(Some("trixie"), false)),
        ("debian", None | Some((14.., _))) => Some(debian(None, false)),
        // Its updates bring new engines; `docker-compose-v2` and `docker-buildx` are in universe.
        ("ubuntu", Some((22.., _))) => {
            Some(Recipe { suite: None, add: false, client: "docker.io", compose: "docker-compose-v2" })
        }
        _ => None,
    }
}

/// What would make Docker work on this machine.
pub fn plan(machine: &Machine) -> Plan {
    let installed = packages_missing(machine);
    if installed.is_empty() && matches!(machine.engine, Engine::Answers(_)) {
        return Plan::Nothing;
    }
    if let Some(by) = &machine.remote {
        let why = format!("the engine is on another machine ({by})");
        return Plan::Print(why, vec!["docker info".to_owned()]);
    }
    let Some(recipe) = recipe(machine) else { return elsewhere(machine) };
    if !machine.root && !machine.sudo {
        return Plan::Print(
            "this needs root, and there is no `sudo`".to_owned(),
            shown(&steps(machine, &recipe)),
        );
    }
    Plan::Run(steps(machine, &recipe))
}

/// The parts of Docker that have to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Engine,
    Client,
    Compose,
    Buildx,
}

fn packages_missing(machine: &Machine) -> Vec<Part> {
    let old_engine = matches!(machine.engine, Engine::Answers(version) if version < OLDEST_ENGINE);
    let no_engine =
        !machine.daemon && matches!(machine.engine, Engine::Silent(_)) && machine.remote.is_none();
    let mut parts = Vec::new();
    for (missing, part) in [
        (old_engine || no_engine, Part::Engine),
        (machine.client.is_none(), Part::Client),
        (machine.compose.is_none_or(|version| version < OLDEST_COMPOSE), Part::Compose),
        (machine.buildx.is_none(), Part::Buildx),
    ] {
        if missing {
            parts.push(part);
        }
    }
    parts
}

fn steps(machine: &Machine, recipe: &Recipe) -> Vec<Step> {
    let parts = packages_missing(machine);
    let mut steps = Vec::new();
    if !parts.is_empty() {
        steps.extend(sources(machine, recipe));
        steps.push(words(&["apt-get", "update"]));
        steps.extend(install(recipe, &parts));
    }
    if !matches!(machine.engine, Engine::Answers(_) | Engine::Denied) || parts.contains(&Part::Engine) {
        match machine.systemd {
            true => steps.push(words(&["systemctl", "enable", "--now", "docker"])),
            false => steps.push(Step::Detach),
        }
        steps.push(Step::Wait);
    }
    if !machine.root && !machine.user.is_empty() && machine.engine_is_new_to_user() {
        steps.push(words(&["usermod", "-aG", "docker", &machine.user]));
    }
    steps
}

impl Machine {
    /// The user cannot talk to the engine yet.
    fn engine_is_new_to_user(&self) -> bool {
        !matches!(self.engine, Engine::Answers(_))
    }
}

/// Pinned low, so that nothing else is ever taken from the newer release.
fn sources(machine: &Machine, recipe: &Recipe) -> Vec<Step> {
    let (Some(suite), true) = (recipe.suite, recipe.add) else { return Vec::new() };
    let mirror = machine.system.mirror.as_ref();
    let url = mirror.map_or(MIRROR, |mirror| mirror.url.as_str());
    let keyring = mirror.map(|mirror| mirror.keyring.as_str()).filter(|keyring| !keyring.is_empty());
    let keyring = keyring.unwrap_or(KEYRING);
    let source =
        format!("Types: deb\nURIs: {url}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n");
    let pin = format!("Package: *\nPin: release n={suite}\nPin-Priority: 100\n");
    vec![Step::Write(SOURCES, source), Step::Write(PIN, pin)]
}

/// iptables comes from the system's own release.
fn install(recipe: &Recipe, parts: &[Part]) -> Vec<Step> {
    let apt =
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"];
    let mut steps = Vec::new();
    if parts.contains(&Part::Engine) {
        steps.push(words(&[&apt[..], &["iptables"]].concat()));
    }
    let mut names: Vec<&str> = Vec::new();
    for part in parts {
        names.push(match part {
            Part::Engine => "docker.io",
            Part::Client => recipe.client,
            Part::Compose => recipe.compose,
            Part::Buildx => "docker-buildx",
        });
    }
    names.dedup();
    let suite: Vec<&str> = recipe.suite.map_or_else(Vec::new, |suite| vec!["-t", suite]);
    steps.push(words(&[&apt[..], &suite, &names].concat()));
    steps
}

fn words(words: &[&str]) -> Step {
    Step::Run(words.iter().map(|word| (*word).to_owned()).collect())
}

/// The steps as lines to paste.
pub fn shown(steps: &[Step]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

/// What a person does where we do nothing.
fn elsewhere(machine: &Machine) -> Plan {
    let system = &machine.system;
    let name = if system.name.is_empty() { "this system" } else { &system.name };
    let is = |id: &str| system.id == id || system.like.iter().any(|like| like == id);
    let why = format!("{name} is not installed on by this command");
    let lines: &[&str] = if system.id == "macos" {
        &["brew install --cask docker", "open -a Docker"]
    } else if is("fedora") {
        &["sudo dnf install moby-engine docker-compose docker-buildx", "sudo systemctl enable --now docker"]
    } else if is("arch") {
        &["sudo pacman -S docker docker-compose docker-buildx", "sudo systemctl enable --now docker"]
    } else if is("alpine") {
        &["sudo apk add docker docker-cli-compose docker-cli-buildx", "sudo service docker start"]
    } else {
        &["curl -fsSL https://get.docker.com | sudo sh"]
    };
    Plan::Print(why, lines.iter().map(|line| (*line).to_owned()).collect())
}

#[cfg(test)]
mod tests;
