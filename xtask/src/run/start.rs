//! Starts the services through Compose and waits until all are well, or the first failure is certain.

use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::run::docker::{Child, Docker, Invocation, RESTARTS, is_loss};
use crate::run::live::Live;
use crate::run::setup::Setup;
use crate::run::spec::Spec;
use crate::run::state::{self, Container};
use crate::run::timings::{Clock, Timings};
use crate::run::wait::{self, Cause, Change, Observation, Phase, Verdict, Watch};
use crate::run::{diagnose, duration, signals};
use crate::ui::Ui;

/// How often the loop looks at Compose and at the signals.
const TICK: Duration = Duration::from_millis(100);
/// Events come in swarms: looks are at least that far apart, unless Compose has ended.
const APART: Duration = Duration::from_millis(250);
/// How often it looks at the containers when no event comes.
const LOOK: Duration = Duration::from_secs(1);
/// How long the last lines of a Compose that has ended may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Start {
    /// The services that should be up in the end, by name.
    pub services: Vec<String>,
    /// Those of them that were started a moment ago, as part of the same start.
    pub early: Vec<String>,
    /// Those of them that the same start has brought up and said so: of them, only a failure is news.
    pub up: Vec<String>,
    /// When the start as a whole began: the times on the screen count from there.
    pub since: Instant,
    /// How long they may take.
    pub timeout: Duration,
}

impl Start {
    fn is_news(&self, change: &Change) -> bool {
        matches!(change.phase, Phase::Failed(_)) || !self.up.contains(&change.service)
    }
}

/// Runs a command of Compose that starts services and waits until they are well; returns when each came up.
///
/// # Errors
/// When one fails, when the time is over, or on Ctrl-C. What has started keeps running.
pub fn start(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    what: &Start,
    command: &Invocation,
    ui: Ui,
) -> Result<Timings> {
    let started = Instant::now();
    let earlier = started.saturating_duration_since(what.since);
    let mut before = observe(docker, setup, started, None, Watch::unclear)?;
    before.containers.retain(|container| !what.early.contains(&container.service));
    let expected = wait::expected(spec, &what.services);
    let mut clock = Clock::new(&expected, &before);
    let mut watch = Watch::new(expected, &before, what.timeout);
    let events = events(docker, setup)?;
    let mut compose = Compose::start(command)?;
    let mut restarts = RESTARTS;
    let mut live = Live::new(ui);
    let mut looked: Option<Instant> = None;
    let mut ended = None;
    let mut event = false;
    let (verdict, containers) = loop {
        let code = compose.poll();
        if restarts > 0 && compose.has_lost_a_program(code) {
            restarts -= 1;
            compose = Compose::start(command)?;
            continue;
        }
        event |= !events.new_lines(TICK).is_empty();
        signals::check()?;
        let since = looked.map_or(LOOK, |at| at.elapsed());
        let due = code != ended || since >= LOOK || (event && since >= APART);
        if !due && started.elapsed() < what.timeout {
            continue;
        }
        event = false;
        looked = Some(Instant::now());
        ended = code;
        let seen = observe(docker, setup, started, ended, |containers| watch.unclear_now(containers, ended))?;
        let (mut changes, verdict) = watch.step(&seen);
        changes.retain(|change| what.is_news(change));
        clock.note(&seen, &changes);
        live.show(&watch, &changes, earlier, seen.at);
        match verdict {
            Verdict::Wait => {}
            Verdict::Again => (compose, ended) = (Compose::start(command)?, None),
            verdict => break (verdict, seen.containers),
        }
    };
    live.end();
    if verdict == Verdict::Ready {
        let timings = clock.finish(started.elapsed());
        return diagnose::reach::check(docker, setup, spec, &what.services, &containers).map(|()| timings);
    }
    compose.child.stop();
    compose.poll();
    Err(explain(docker, setup, spec, what, &verdict, &compose)?.into())
}

/// Looks once more at services that have come up: one without a check may have ended right after.
///
/// # Errors
/// With the first in the order of the dependencies that does not run any more, explained.
pub fn still_up(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
) -> Result<()> {
    let mut ended = wait::ended(&wait::expected(spec, services), containers).into_iter();
    let Some((first, code)) = ended.next() else { return Ok(()) };
    let others: Vec<String> = ended.map(|(name, _)| name).collect();
    let failure = diagnose::explain(docker, setup, spec, &first, Some(Cause::Exited(code)), None, &others)?;
    Err(failure.into())
}

/// `docker compose up`, and what it has printed.
struct Compose {
    child: Child,
    lines: Vec<String>,
}

impl Compose {
    fn start(command: &Invocation) -> Result<Compose> {
        Ok(Compose { child: command.start()?, lines: Vec::new() })
    }

    fn poll(&mut self) -> Option<i32> {
        let ended = self.child.ended();
        self.lines.extend(self.child.new_lines(Duration::ZERO));
        ended
    }

    /// Whether it gave up, with this code, over a container whose program the runtime lost before it began.
    fn has_lost_a_program(&mut self, code: Option<i32>) -> bool {
        if code.is_none_or(|code| code == 0) {
            return false;
        }
        self.lines.extend(self.child.last_lines(LAST_WORDS));
        self.lines.iter().any(|line| is_loss(line))
    }
}

/// `docker compose up` for these services; with no container wanted of those left out, nobody waits for them.
pub fn compose_up(docker: &Docker, setup: &Setup, services: &[String], without: &[String]) -> Invocation {
    let mut command = setup.compose_with(docker, &["--ansi", "never"]);
    command = command.args(["up", "--detach", "--no-build", "--remove-orphans"]);
    for service in without {
        command = command.args(["--scale".to_owned(), format!("{service}=0")]);
    }
    command.args(services.iter().cloned())
}

/// The events after which it is worth to look; health checks themselves make many more.
fn events(docker: &Docker, setup: &Setup) -> Result<Child> {
    let mut command = docker.command(["events", "--format", "{{.Action}}"]);
    command =
        command.args(["--filter".to_owned(), format!("label={}={}", state::PROJECT_LABEL, setup.project)]);
    for event in ["create", "start", "die", "oom", "health_status"] {
        command = command.args(["--filter".to_owned(), format!("event={event}")]);
    }
    command.start()
}

fn observe(
    docker: &Docker,
    setup: &Setup,
    started: Instant,
    compose: Option<i32>,
    unclear: impl Fn(&[Container]) -> Vec<&str>,
) -> Result<Observation> {
    let containers = state::containers(docker, &setup.project)?;
    let details = state::details(docker, unclear(&containers))?;
    let details = details.into_iter().map(|details| (details.id.clone(), details)).collect();
    Ok(Observation { containers, details, at: started.elapsed(), compose })
}

fn explain(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    what: &Start,
    verdict: &Verdict,
    compose: &Compose,
) -> Result<Failure> {
    let (first, cause, waited, others) = match verdict {
        Verdict::Failed(failed) => match failed.split_first() {
            Some(((first, cause), others)) => {
                (first.clone(), Some(*cause), None, others.iter().map(|(name, _)| name.clone()).collect())
            }
            None => return Ok(compose_failure(setup, compose, 1)),
        },
        Verdict::TimedOut(open) => match open.split_first() {
            Some((first, others)) => {
                (first.clone(), None, Some(duration::plain(what.timeout)), others.to_vec())
            }
            None => return Ok(compose_failure(setup, compose, 1)),
        },
        Verdict::ComposeFailed(code) => return Ok(compose_failure(setup, compose, *code)),
        Verdict::Ready | Verdict::Again | Verdict::Wait => return Ok(compose_failure(setup, compose, 0)),
    };
    diagnose::explain(docker, setup, spec, &first, cause, waited.as_deref(), &others)
}

/// Compose gave up before any container could show why: its own words.
fn compose_failure(setup: &Setup, compose: &Compose, code: i32) -> Failure {
    diagnose::compose::failure(setup, code, &compose.lines, compose.child.line())
}
