//! Gathers what is known about this machine and its setup; changes nothing and judges nothing.

use std::path::Path;
use std::time::Duration;

use super::system::Mirror;
use super::{Disk, Engine, Machine, SetupFacts, System, Taken};
use crate::error::{Failures, Result};
use crate::run::docker::{self, Docker, Invocation, Output, path_arg};
use crate::run::engine as run_engine;
use crate::run::setup::{self, Setup};
use crate::run::version::Version;
use crate::run::{dotenv, env_file, holder, ports, state};
use crate::ui::Ui;

/// How long one question may take; an engine that hangs must not stop the rest.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks everything about the machine, the slow questions at the same time; `folder` is where the setup lies.
pub fn machine(ui: Ui, folder: &Path) -> Machine {
    let ask = move |program: &str, args: &[&str]| ask(ui, program, args);
    std::thread::scope(|scope| {
        let rust = scope.spawn(move || version(ask("rustc", &["--version"])));
        let compose = scope.spawn(move || version(ask("docker", &["compose", "version", "--short"])));
        let buildx = scope.spawn(move || version(ask("docker", &["buildx", "version"])));
        let engine =
            scope.spawn(move || engine(ask("docker", &["version", "--format", "{{.Server.Version}}"])));
        let disk = scope.spawn(move || disk(ui, folder));
        let id = ask("id", &["-un"]).map(|output| output.stdout.trim().to_owned()).unwrap_or_default();
        Machine {
            system: system(),
            root: id == "root",
            user: id,
            sudo: docker::installed("sudo").is_some(),
            systemd: Path::new("/run/systemd/system").is_dir(),
            client: version(ask("docker", &["--version"])),
            daemon: docker::installed("dockerd").is_some() || Path::new("/usr/sbin/dockerd").is_file(),
            remote: run_engine::remote().map(|engine| engine.by.clone()),
            rust: rust.join().ok().flatten(),
            rustup: docker::installed("rustup").is_some(),
            compose: compose.join().ok().flatten(),
            buildx: buildx.join().ok().flatten(),
            engine: engine.join().unwrap_or_default(),
            disk: disk.join().ok().flatten(),
        }
    })
}

/// `None` where there is no such program or it does not answer.
fn ask(ui: Ui, program: &str, args: &[&str]) -> Option<Output> {
    Invocation::program(ui, program).ok()?.args(args.iter().copied()).output_within(LIMIT).ok()?
}

/// The first word of an answer that is a version: `Docker version 28.2.2, build e6534b4`.
fn version(output: Option<Output>) -> Option<Version> {
    let output = output.filter(|output| output.code == 0)?;
    output.stdout.split_whitespace().find_map(Version::parse)
}

/// What the engine says; asked again after it was started.
pub fn engine_now(ui: Ui) -> Engine {
    engine(ask(ui, "docker", &["version", "--format", "{{.Server.Version}}"]))
}

fn engine(output: Option<Output>) -> Engine {
    let Some(output) = output else { return Engine::Silent("no answer".to_owned()) };
    if output.code == 0 {
        let text = output.stdout.trim();
        return match Version::parse(text) {
            Some(version) => Engine::Answers(version),
            None => Engine::Silent(format!("it calls itself `{text}`")),
        };
    }
    if output.stderr.contains("permission denied") {
        return Engine::Denied;
    }
    let said = docker::last_lines(&output.stderr, 1).first().copied().unwrap_or("no answer");
    Engine::Silent(said.to_owned())
}

fn system() -> System {
    if cfg!(target_os = "macos") {
        return System { id: "macos".to_owned(), name: "macOS".to_owned(), ..System::default() };
    }
    let text = setup::read_text(Path::new("/etc/os-release")).ok().flatten();
    System { mirror: mirror(), ..System::from_os_release(&text.unwrap_or_default()) }
}

#[allow(clippy::disallowed_methods, reason = "apt's sources, not the monorepo")]
fn mirror() -> Option<Mirror> {
    let mut files = vec![Path::new("/etc/apt/sources.list").to_owned()];
    let folder = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(folder.map(|entry| entry.path()));
    files.sort();
    let is_source = |path: &Path| path.extension().is_some_and(|end| end == "list" || end == "sources");
    let texts = files.iter().filter(|path| is_source(path)).filter_map(|path| setup::read_text(path).ok()?);
    texts.filter_map(|text| Mirror::from_source(&text)).next()
}

/// Where the engine keeps its images, when that is on this machine; else where the setup lies.
fn disk(ui: Ui, folder: &Path) -> Option<Disk> {
    let root = ask(ui, "docker", &["info", "--format", "{{.DockerRootDir}}"]);
    let root = root.filter(|output| output.code == 0).map(|output| output.stdout.trim().to_owned());
    let existing = folder.ancestors().find(|folder| folder.is_dir()).map(path_arg);
    let path = root.filter(|root| Path::new(root).is_dir()).or(existing)?;
    let output = ask(ui, "df", &["-Pk", &path]).filter(|output| output.code == 0)?;
    Some(Disk { free_mib: free_mib(&output.stdout)?, path })
}

/// The fourth column of the second line: POSIX fixes this form of `df -Pk`.
fn free_mib(df: &str) -> Option<u64> {
    let kib: u64 = df.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / 1024)
}

/// Asks everything about the setup. What needs the engine is left out where there is none.
///
/// # Errors
/// When a file of the setup cannot be read.
pub fn setup(ui: Ui, setup: &Setup, machine: &Machine) -> Result<SetupFacts> {
    let env_exists = setup.env_file.is_file();
    let variables = ports::variables(setup)?;
    let taken = if machine.remote.is_some() { Vec::new() } else { taken(ui, setup, &variables, machine) };
    let missing = match env_file::check_complete(setup) {
        Ok(()) => Vec::new(),
        Err(error) => error.downcast_ref::<Failures>().map_or_else(Vec::new, |failures| {
            failures.all.iter().map(|failure| backticked(&failure.what)).collect()
        }),
    };
    Ok(SetupFacts {
        shown: setup.shown.clone(),
        exists: !setup.files.is_empty(),
        taken,
        ports: variables.len(),
        env_file: setup.shown_file(&setup.env_file),
        env_exists,
        env_private: env_exists && env_file::is_private(&setup.env_file),
        missing,
        env_ignored: ignored(ui, setup),
    })
}

/// The name in a message such as "the variable `A` is not set".
fn backticked(text: &str) -> String {
    text.split('`').nth(1).unwrap_or(text).to_owned()
}

fn taken(ui: Ui, setup: &Setup, variables: &[ports::PortVariable], machine: &Machine) -> Vec<Taken> {
    let publishers = match machine.engine {
        Engine::Answers(_) => {
            Docker::find(ui).and_then(|docker| state::publishers(&docker)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let mine = |port: u16| {
        let own = publishers.iter().filter(|publisher| publisher.project == setup.project);
        own.flat_map(|publisher| &publisher.ports).any(|own| own.host == port)
    };
    let address = dotenv::value(&setup.env_text, "BIND_ADDR").unwrap_or_else(|| "127.0.0.1".to_owned());
    let wanted = |variable: &ports::PortVariable| ports::current(variable, &setup.env_text);
    let mut spoken_for: Vec<u16> = variables.iter().filter_map(wanted).collect();
    let mut taken = Vec::new();
    for variable in variables {
        let Some(port) = wanted(variable) else { continue };
        if mine(port) || holder::is_free(&address, port) {
            continue;
        }
        let free = ports::free_port(&address, port, &spoken_for);
        spoken_for.extend(free);
        let holder = holder::of(port, &publishers).to_string();
        taken.push(Taken { variable: variable.name.clone(), port, holder, free });
    }
    taken
}

/// Exit code 0: ignored; 1: not; others: no repository.
fn ignored(ui: Ui, setup: &Setup) -> Option<bool> {
    let folder = path_arg(&setup.out);
    let file = path_arg(&setup.env_file);
    match ask(ui, "git", &["-C", &folder, "check-ignore", "-q", &file])?.code {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32, stdout: &str, stderr: &str) -> Option<Output> {
        Some(Output { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() })
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, wanted) in [
            ("Docker version 28.2.2, build e6534b4", Version(28, 2, 2)),
            ("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", Version(0, 13, 1)),
            ("github.com/docker/buildx v0.17.1 257815a", Version(0, 17, 1)),
            ("rustc 1.95.0 (abc 2026-04-01)", Version(1, 95, 0)),
            ("2.26.1-4", Version(2, 26, 1)),
        ] {
            assert_eq!(version(said(0, text, "")), Some(wanted), "{text}");
        }
        assert_eq!(version(said(1, "2.26.1", "unknown command")), None);
        assert_eq!(version(None), None);
    }

    #[test]
    fn engine_answers_refuses_or_is_silent() {
        assert_eq!(engine(said(0, "26.1.5+dfsg1\n", "")), Engine::Answers(Version(26, 1, 5)));
        let denied = "permission denied while trying to connect to the Docker daemon socket";
        assert_eq!(engine(said(1, "", denied)), Engine::Denied);
        let silent = "Cannot connect to the Docker daemon. Is it running?";
        assert_eq!(engine(said(1, "", silent)), Engine::Silent(silent.to_owned()));
        assert_eq!(engine(None), Engine::Silent("no answer".to_owned()));
    }

    #[test]
    fn free_space_is_the_fourth_column() {
        let df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264212084 30628084 64661652 33% /\n";
        assert_eq!(free_mib(df), Some(63146));
        assert_eq!(free_mib("df: no such file"), None);
    }
}
