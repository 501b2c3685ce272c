//! Asks the engine for all that it knows of a service that is not well; judges nothing.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::run::diagnose::anatomy::{self, Anatomy};
use crate::run::diagnose::causes::program;
use crate::run::diagnose::facts::{Facts, Member, Program};
use crate::run::diagnose::head;
use crate::run::diagnose::places::Places;
use crate::run::docker::{Docker, last_lines};
use crate::run::inspect;
use crate::run::labels::Health;
use crate::run::listeners;
use crate::run::pause::pause;
use crate::run::setup::{Setup, read_text};
use crate::run::spec::{Condition, Spec};
use crate::run::state::{self, Container, Details, State};
use crate::run::wait::Cause;

/// How long the log of what has ended is looked for, where it is empty.
const LATE: Duration = Duration::from_millis(250);
const LATE_LOOKS: u8 = 4;
/// The exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;
/// How many of the last log lines are looked through.
const LOG_LINES: usize = 200;
/// Seconds that may lie between a volume and its container when both are new.
const MADE_TOGETHER: i64 = 10;
/// How long a shell may take to start.
const SHELL_LIMIT: Duration = Duration::from_secs(3);
/// How long an answer that only makes the screen better may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Gathers what the engine knows of a service. Without a `spec`, what the containers say of each other has to do.
///
/// # Errors
/// When the engine does not answer.
pub fn gather(
    docker: &Docker,
    setup: &Setup,
    spec: Option<&Spec>,
    service: &str,
    cause: Option<Cause>,
) -> Result<Facts> {
    let containers = state::containers(docker, &setup.project)?;
    let container = containers.iter().find(|container| container.service == service).cloned();
    let (details, anatomy) = match &container {
        Some(container) => inspect(docker, &container.id)?,
        None => Default::default(),
    };
    let mut facts = Facts {
        system: members(spec, &containers),
        places: places(setup, spec, service),
        port: port(spec, service, container.as_ref()),
        setup: setup.clone(),
        service: service.to_owned(),
        cause,
        container,
        details,
        anatomy,
        log: Vec::new(),
        program: Program::Unknown,
        listeners: None,
        engine: String::new(),
        has_shell: false,
    };
    let Some(container) = facts.container.clone() else { return Ok(facts) };
    let looping = matches!(cause, Some(Cause::Loop { .. }));
    let since = if looping { "" } else { &facts.details.started_at };
    let helper = helper(spec);
    let running = container.state == State::Running;
    let volumes = facts.system.clone();
    std::thread::scope(|scope| {
        let members = scope.spawn(|| with_volumes(docker, &containers, volumes));
        let listeners = running.then(|| {
            scope
                .spawn(|| listeners::of(docker, &[&container.id], helper.as_deref()).map(|mut all| all.pop()))
        });
        let shell = running.then(|| scope.spawn(|| has_shell(docker, &container.id)));
        // What was killed had no last words; only what it said just before can come late.
        let late_looks = match (running, facts.details.exit_code) {
            (true, _) => 0,
            (false, KILLED) => 1,
            (false, _) => LATE_LOOKS,
        };
        facts.log = log(docker, &container.id, since, late_looks)?;
        facts.listeners = listeners.and_then(|thread| thread.join().ok()?.ok()??);
        facts.has_shell = shell.is_some_and(|thread| thread.join().unwrap_or_default());
        facts.system = members.join().unwrap_or_default();
        Ok::<(), anyhow::Error>(())
    })?;
    look_at_the_program(docker, &container, &mut facts);
    Ok(facts)
}

fn inspect(docker: &Docker, id: &str) -> Result<(Details, Anatomy)> {
    let json = inspect::ask(docker, [id])?;
    let details = inspect::parse_inspect(&json)?.pop().unwrap_or_default();
    Ok((details, anatomy::parse(&json).unwrap_or_default()))
}

/// Only decides which command is suggested, so that no answer is as good as a no.
fn has_shell(docker: &Docker, id: &str) -> bool {
    let answer = docker.command(["exec", id, "sh", "-c", "exit 0"]).output_within(SHELL_LIMIT);
    matches!(answer, Ok(Some(output)) if output.code == 0)
}

/// The last lines since the last start: the container of a one-shot is started again by each `up`.
fn log(docker: &Docker, id: &str, started: &str, late_looks: u8) -> Result<Vec<String>> {
    let started = if started.starts_with("0001-") { "" } else { started };
    let mut lines = log_since(docker, id, started)?;
    // What runc says of a program that it cannot run comes a moment before the engine counts it as started.
    let early = seconds(started).map_or_else(String::new, |time| (time - 2).to_string());
    if lines.is_empty() && !early.is_empty() {
        lines = log_since(docker, id, &early)?;
    }
    // On a busy machine, the engine knows that a program has ended before it has written down what that said last.
    for _ in 0..late_looks {
        if !lines.is_empty() || !pause(LATE) {
            break;
        }
        lines = log_since(docker, id, &early)?;
    }
    Ok(lines)
}

fn log_since(docker: &Docker, id: &str, since: &str) -> Result<Vec<String>> {
    let mut command = docker.command(["logs", "--tail", &LOG_LINES.to_string()]);
    if !since.is_empty() {
        command = command.args(["--since", since]);
    }
    // Both streams in the order in which they were written.
    let child = command.arg(id).start()?;
    let mut lines = Vec::new();
    loop {
        let new = child.new_lines(Duration::from_millis(100));
        if new.is_empty() && child.ended().is_some() {
            break;
        }
        lines.extend(new);
    }
    let text = lines.join("\n");
    Ok(last_lines(&text, LOG_LINES).into_iter().map(plain).collect())
}

/// A line without the colours that a program gave it.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |at| at + 1);
        rest = after.get(end..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The file at the path that could not be run, and what processor its image and the engine have.
fn look_at_the_program(docker: &Docker, container: &Container, facts: &mut Facts) {
    let Some(path) = program::wanted(facts) else { return };
    facts.program = head::of(docker, &container.id, &path);
    let format = ["image", "inspect", "--format", "{{.Architecture}}", facts.details.image_id.as_str()];
    let said = |args: &[&str]| {
        let output = docker.command(args.iter().copied()).output_within(LIMIT).ok().flatten();
        output
            .filter(|output| output.code == 0)
            .map(|output| output.stdout.trim().to_owned())
            .unwrap_or_default()
    };
    facts.anatomy.architecture = said(&format);
    facts.engine = said(&["version", "--format", "{{.Server.Arch}}"]);
}

/// The container port that should answer: of the health check, else the main one, else the first published one.
pub fn port(spec: Option<&Spec>, service: &str, container: Option<&Container>) -> Option<u16> {
    let spec = spec.and_then(|spec| spec.service(service));
    let labels = container.map(|container| &container.labels).or_else(|| spec.map(|spec| &spec.labels))?;
    let checked = match labels.health {
        Some(Health::Http(port, _) | Health::Tcp(port) | Health::Grpc(port)) => Some(port),
        Some(Health::Command | Health::Process) | None => None,
    };
    let main = || labels.main.as_ref().map(|main| main.port);
    let declared = || spec?.ports.iter().find(|port| port.protocol == "tcp").map(|port| port.target);
    let published = || container?.ports.first().map(|port| port.container);
    checked.or_else(main).or_else(declared).or_else(published)
}

fn members(spec: Option<&Spec>, containers: &[Container]) -> Vec<Member> {
    match spec {
        Some(spec) => spec.services.iter().map(of_spec).collect(),
        None => containers.iter().map(of_container).collect(),
    }
}

fn of_spec(service: &crate::run::spec::ServiceSpec) -> Member {
    let waits = service.depends_on.iter().filter(|(_, condition)| *condition != Condition::Started);
    Member {
        service: service.name.clone(),
        kind: kind(&service.labels.kind, &service.image),
        waits_for: waits.map(|(name, _)| name.clone()).collect(),
        old_volume: None,
    }
}

fn of_container(container: &Container) -> Member {
    let waits = container.depends_on.iter().filter(|(_, condition)| condition != "service_started");
    Member {
        service: container.service.clone(),
        kind: kind(&container.labels.kind, &container.image),
        waits_for: waits.map(|(name, _)| name.clone()).collect(),
        old_volume: None,
    }
}

/// The label, else the image's name: `docker.io/library/postgres:17` is `postgres`.
fn kind(label: &str, image: &str) -> String {
    if !label.is_empty() {
        return label.to_owned();
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split([':', '@']).next().unwrap_or_default().to_owned()
}

/// Adds to each member the volume that is older than its container. Only some causes ask for it, so that no answer
/// is no error.
fn with_volumes(docker: &Docker, containers: &[Container], mut members: Vec<Member>) -> Vec<Member> {
    const FORMAT: &str =
        "{{.Id}}\t{{.Created}}{{range .Mounts}}{{if eq .Type \"volume\"}}\t{{.Name}}{{end}}{{end}}";
    let ask = |args: &[&str], of: &[String]| {
        let command = docker.command(args.iter().copied()).args(of.iter().cloned());
        command.output_within(LIMIT).ok().flatten().map(|output| output.stdout).unwrap_or_default()
    };
    let ids: Vec<String> = containers.iter().map(|container| container.id.clone()).collect();
    let mounted = ask(&["inspect", "--type", "container", "--format", FORMAT], &ids);
    let lines: Vec<Vec<&str>> = mounted.lines().map(|line| line.split('\t').collect()).collect();
    let names: Vec<String> =
        lines.iter().flat_map(|line| line.iter().skip(2)).map(|name| (*name).to_owned()).collect();
    if names.is_empty() {
        return members;
    }
    let made = ask(&["volume", "inspect", "--format", "{{.Name}}\t{{.CreatedAt}}"], &names);
    let made: Vec<(&str, &str)> = made.lines().filter_map(|line| line.split_once('\t')).collect();
    for line in lines {
        let [id, created, volumes @ ..] = line.as_slice() else { continue };
        let Some(container) = containers.iter().find(|container| container.id == *id) else { continue };
        let old = volumes.iter().find_map(|volume| {
            let (_, day) = made.iter().find(|(name, _)| name == volume)?;
            is_older(day, created).then(|| ((*volume).to_owned(), shown_time(day)))
        });
        if let Some(member) = members.iter_mut().find(|member| member.service == container.service) {
            member.old_volume = old;
        }
    }
    members
}

/// Whether a volume was there before its container: Compose makes both at once where both are new. Times as the
/// engine writes them, `2026-11-22T10:00:00.1Z` and `2026-11-22T10:00:00Z`, both in UTC or the volume's with an offset.
fn is_older(volume: &str, container: &str) -> bool {
    let (Some(volume), Some(container)) = (seconds(volume), seconds(container)) else { return false };
    volume + MADE_TOGETHER < container
}

/// Seconds since 1970, of a time in RFC 3339.
fn seconds(time: &str) -> Option<i64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days from civil, after Howard Hinnant's published algorithm.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let tail = time.get(19..).unwrap_or_default();
    let offset = tail.rfind(['+', '-']).and_then(|at| {
        let sign = if tail[at..].starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = tail[at + 1..].split_once(':')?;
        Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
    });
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset.unwrap_or(0))
}

/// `2026-11-22 10:00`
fn shown_time(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// An image of the setup that surely has `cat`: the one of its probe.
pub fn helper(spec: Option<&Spec>) -> Option<String> {
    let probe = spec?.services.iter().find(|service| service.labels.kind == "probe")?;
    Some(probe.image.clone())
}

fn places(setup: &Setup, spec: Option<&Spec>, service: &str) -> Places {
    let text = |file: &Path| read_text(file).ok().flatten();
    let files = setup.files.iter().filter_map(|file| Some((setup.shown_file(file), text(file)?)));
    let build = spec.and_then(|spec| spec.service(service)).and_then(|service| service.build.as_ref());
    let dockerfile = build.and_then(|build| {
        let file = Path::new(&build.context).join(&build.dockerfile);
        Some((setup.shown_outside(&file.to_string_lossy()), text(&file)?))
    });
    let config = setup.out.join("config.yaml");
    let config = config.is_file().then(|| setup.shown_file(&config));
    Places::new(service, files.collect(), dockerfile, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_old_when_it_was_there_before_its_container() {
        for (volume, container, older) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:01.123456789Z", false),
            ("2026-11-21T10:00:00Z", "2026-11-22T10:00:01.123456789Z", true),
            ("2026-11-22T11:00:00+01:00", "2026-11-22T10:00:01.1Z", false),
            ("2026-02-28T23:59:59Z", "2026-03-01T00:00:30.1Z", true),
            ("nonsense", "2026-11-22T10:00:01.1Z", false),
        ] {
            assert_eq!(is_older(volume, container), older, "{volume} {container}");
        }
        assert_eq!(seconds("2026-11-22T10:00:01.5Z"), Some(1_795_341_601));
    }

    #[test]
    fn colours_are_taken_out_of_a_log() {
        assert_eq!(plain("\u{1b}[31mError\u{1b}[0m: x"), "Error: x");
        assert_eq!(plain("plain"), "plain");
    }

    #[test]
    fn the_kind_is_known_without_a_label() {
        assert_eq!(kind("", "docker.io/library/postgres:17@sha256:1"), "postgres");
        assert_eq!(kind("setup", "postgres:17"), "setup");
    }
}
