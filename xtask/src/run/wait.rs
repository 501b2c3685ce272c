//! What a start has come to: a pure function over observations. Asks nobody, waits for nothing, prints nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::run::check_output::{self, Said};
use crate::run::labels::Role;
use crate::run::spec::Spec;
use crate::run::state::{Check, Container, Details, State};

/// A container without a check counts as ready when it has run that long without ending.
const STEADY: Duration = Duration::from_secs(3);
/// One that has ended before, in this start, has to show more.
const STEADY_AGAIN: Duration = Duration::from_secs(10);
/// Compose stops a container to replace it; one that stays down longer than this went down by itself.
const REPLACING: Duration = Duration::from_millis(1500);
/// Once a check has failed for that long, what it says is worth a line.
const NOTE_AFTER: Duration = Duration::from_secs(5);
/// A server that runs and has refused its check that long has no such path.
const REFUSED_FOR: Duration = Duration::from_secs(20);
/// So many restarts are a loop, and no hiccup.
const LOOP: u32 = 3;

/// A service that should come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The Compose service.
    pub name: String,
    /// Whether it is meant to end.
    pub one_shot: bool,
    /// How many steps of waiting lie before it.
    pub depth: usize,
    /// The services that it waits for.
    pub waits_for: Vec<String>,
}

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not started yet.
    Waiting,
    /// Started, and not known to be well yet.
    Starting,
    /// Healthy, or ended well if it is meant to end.
    Ready,
    /// It will not come up by waiting.
    Failed(Cause),
}

/// Why a service will not come up by waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ended with this code.
    Exited(i32),
    /// Its check failed as often as it may.
    Unhealthy,
    /// It runs, and has refused its check for so long that no waiting will mend it.
    Refused,
    /// It is started again and again.
    Loop {
        /// The code it last ended with.
        code: i32,
        /// How often it was started again.
        restarts: u32,
    },
    /// The engine could not start it.
    NotStarted,
}

/// All that one look at the engine gave.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The project's containers.
    pub containers: Vec<Container>,
    /// By container id, for those that [`Watch::unclear`] named.
    pub details: BTreeMap<String, Details>,
    /// Since the start of the wait.
    pub at: Duration,
    /// The exit code of `docker compose up`, once it has ended.
    pub compose: Option<i32>,
}

/// A service that is in another phase than at the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The service.
    pub service: String,
    /// Whether it is meant to end.
    pub one_shot: bool,
    /// What it is in now.
    pub phase: Phase,
    /// How long it took from its start.
    pub took: Duration,
    /// It was so before this start began.
    pub from_before: bool,
    /// No check shows that it is ready: it runs, and no more is known.
    pub unchecked: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Look again.
    Wait,
    /// All are ready.
    Ready,
    /// These will not come up, in the order of the dependencies.
    Failed(Vec<(String, Cause)>),
    /// Compose gave up, and no container shows why.
    ComposeFailed(i32),
    /// The time is over; these are not ready, in the order of the dependencies.
    TimedOut(Vec<String>),
}

/// Remembers what was there before and what was seen since.
#[derive(Debug, Clone)]
pub struct Watch {
    services: Vec<Tracked>,
    before: BTreeMap<String, Before>,
    timeout: Duration,
    /// The time of the last look.
    at: Duration,
}

#[derive(Debug, Clone)]
struct Tracked {
    expected: Expected,
    phase: Phase,
    /// When its current container was first seen running.
    running_since: Option<Duration>,
    started: Duration,
    down_since: Option<Duration>,
    /// Whether its container runs without a check.
    unchecked: bool,
    /// How often its container had been started again at the last look.
    restarts: u32,
    /// The code that it has last ended with; while it runs, the engine does not tell.
    code: Option<i32>,
    /// What its failing check says, and since when it says just that.
    said: Option<(Said, Duration)>,
}

#[derive(Debug, Clone)]
struct Before {
    running: bool,
    unhealthy: bool,
    finished_at: String,
    restarts: u32,
}

impl Watch {
    /// A wait for these services; `before` is what was there when it began.
    pub fn new(expected: Vec<Expected>, before: &Observation, timeout: Duration) -> Watch {
        let was = |container: &Container| {
            let details = before.details.get(&container.id);
            let before = Before {
                running: matches!(container.state, State::Running | State::Paused),
                unhealthy: container.check == Check::Unhealthy,
                finished_at: details.map(|details| details.finished_at.clone()).unwrap_or_default(),
                restarts: details.map_or(0, |details| details.restarts),
            };
            (container.id.clone(), before)
        };
        let track = |expected: Expected| Tracked {
            expected,
            phase: Phase::Waiting,
            running_since: None,
            started: Duration::ZERO,
            down_since: None,
            unchecked: false,
            restarts: 0,
            code: None,
            said: None,
        };
        Watch {
            services: expected.into_iter().map(track).collect(),
            before: before.containers.iter().map(was).collect(),
            timeout,
            at: Duration::ZERO,
        }
    }

    /// Ids of the containers of which `docker ps` does not say enough.
    pub fn unclear<'a>(containers: &'a [Container]) -> Vec<&'a str> {
        let unclear = |container: &&'a Container| {
            container.state != State::Running || matches!(container.check, Check::None | Check::Unhealthy)
        };
        containers.iter().filter(unclear).map(|container| container.id.as_str()).collect()
    }

    /// Ids of the containers that have to be inspected in the course of a start: each look costs processes, on a
    /// machine that is busy with starting.
    pub fn unclear_now<'a>(&self, containers: &'a [Container], compose: Option<i32>) -> Vec<&'a str> {
        let unclear = |container: &&'a Container| match container.state {
            State::Created => compose.is_some(),
            State::Exited => container.exit_code.is_none() || self.before.contains_key(&container.id),
            State::Running => match container.check {
                Check::None | Check::Unhealthy => true,
                Check::Starting => self.is_late(&container.service),
                Check::Healthy => false,
            },
            State::Restarting | State::Paused | State::Dead => true,
        };
        containers.iter().filter(unclear).map(|container| container.id.as_str()).collect()
    }

    /// Whether a service has been running for so long that its check should have passed by now.
    fn is_late(&self, service: &str) -> bool {
        let tracked = self.services.iter().find(|tracked| tracked.expected.name == service);
        let since = tracked.and_then(|tracked| tracked.running_since);
        since.is_some_and(|since| self.at.saturating_sub(since) >= NOTE_AFTER)
    }

    /// What the failing check of a service says, where that is known.
    pub fn said(&self, service: &str) -> Option<Said> {
        let tracked = self.services.iter().find(|tracked| tracked.expected.name == service)?;
        tracked.said.filter(|_| tracked.phase == Phase::Starting).map(|(said, _)| said)
    }

    /// Whether a service runs and nothing checks it.
    pub fn is_unchecked(&self, service: &str) -> bool {
        self.services.iter().any(|tracked| tracked.expected.name == service && tracked.unchecked)
    }

    /// Takes in one look: what has changed by it, and what to do next.
    pub fn step(&mut self, seen: &Observation) -> (Vec<Change>, Verdict) {
        let mut changes = Vec::new();
        self.at = seen.at;
        for tracked in &mut self.services {
            let container = current(&seen.containers, &tracked.expected.name, &self.before);
            let before = container.and_then(|container| self.before.get(&container.id));
            let phase = tracked.judge(container, before, seen);
            tracked.unchecked = container.is_some_and(Container::is_unchecked);
            if phase == tracked.phase {
                continue;
            }
            if phase == Phase::Starting || tracked.phase == Phase::Waiting {
                tracked.started = seen.at;
            }
            tracked.phase = phase.clone();
            changes.push(Change {
                service: tracked.expected.name.clone(),
                one_shot: tracked.expected.one_shot,
                took: seen.at.saturating_sub(tracked.started),
                from_before: phase == Phase::Ready
                    && tracked.started == seen.at
                    && before.is_some_and(|b| b.running),
                unchecked: tracked.unchecked,
                phase,
            });
        }
        (changes, self.verdict(seen))
    }

    /// All services with how far they are, in the order of the dependencies.
    pub fn phases(&self) -> Vec<(&Expected, &Phase, Duration)> {
        let mut all: Vec<_> = self
            .services
            .iter()
            .map(|tracked| (&tracked.expected, &tracked.phase, tracked.started))
            .collect();
        all.sort_by_key(|(expected, ..)| (expected.depth, expected.name.clone()));
        all
    }

    fn verdict(&self, seen: &Observation) -> Verdict {
        let all = self.phases();
        let failed: Vec<(String, Cause)> = all
            .iter()
            .filter_map(|(expected, phase, _)| match phase {
                Phase::Failed(cause) => Some((expected.name.clone(), *cause)),
                _ => None,
            })
            .collect();
        let open = || {
            all.iter()
                .filter(|(_, phase, _)| **phase != Phase::Ready)
                .map(|(expected, ..)| expected.name.clone())
        };
        match seen.compose {
            _ if !failed.is_empty() => Verdict::Failed(failed),
            Some(code) if code != 0 => Verdict::ComposeFailed(code),
            Some(_) if open().next().is_none() => Verdict::Ready,
            _ if seen.at >= self.timeout => Verdict::TimedOut(open().collect()),
            _ => Verdict::Wait,
        }
    }
}

/// Of several containers of a service the one that this start made: Compose keeps the old one until the end.
fn current<'a>(
    containers: &'a [Container],
    service: &str,
    before: &BTreeMap<String, Before>,
) -> Option<&'a Container> {
    let own = containers.iter().filter(|container| container.service == service);
    own.min_by_key(|container| (before.contains_key(&container.id), container.name.clone()))
}

impl Tracked {
    fn judge(&mut self, container: Option<&Container>, before: Option<&Before>, seen: &Observation) -> Phase {
        let Some(container) = container else { return Phase::Waiting };
        let details = seen.details.get(&container.id);
        if container.state != State::Running {
            self.running_since = None;
            self.code = container.exit_code.or(self.code);
        }
        match container.state {
            State::Created => match details {
                Some(details) if seen.compose.is_some() && !details.error.is_empty() => {
                    Phase::Failed(Cause::NotStarted)
                }
                _ => Phase::Waiting,
            },
            State::Dead => Phase::Failed(Cause::NotStarted),
            State::Exited => self.judge_exited(container, details, before, seen),
            State::Restarting => self.judge_restarts(container, details, before).unwrap_or(Phase::Starting),
            State::Paused => Phase::Starting,
            State::Running => {
                self.down_since = None;
                let restarts = details.map_or(self.restarts, |details| details.restarts);
                if restarts != self.restarts {
                    // It was down between two looks.
                    self.restarts = restarts;
                    self.running_since = None;
                }
                let since = *self.running_since.get_or_insert(seen.at);
                let looping = self.judge_restarts(container, details, before);
                let running = seen.at.saturating_sub(since);
                let gave_up = seen.compose.is_some_and(|code| code != 0);
                self.hear(container, details, seen.at);
                looping.unwrap_or_else(|| self.judge_running(container, before, running, gave_up, seen.at))
            }
        }
    }

    /// Remembers what a check that fails says.
    fn hear(&mut self, container: &Container, details: Option<&Details>, at: Duration) {
        if container.check != Check::Starting {
            self.said = None;
        }
        let Some(details) = details.filter(|_| container.check == Check::Starting) else { return };
        let failed = details.check_exit_code.is_some_and(|code| code != 0);
        let said = check_output::read(&details.check_output).filter(|_| failed);
        // A busy machine is late now and then; that takes back no answer.
        if said == Some(Said::Late) && self.said.is_some_and(|(said, _)| matches!(said, Said::Status(_))) {
            return;
        }
        if said != self.said.map(|(said, _)| said) {
            self.said = said.map(|said| (said, at));
        }
    }

    /// Whether its server has been saying no to its check for so long that it means it.
    fn is_refused(&self, at: Duration) -> bool {
        self.said.is_some_and(|(said, since)| said.is_refusal() && at.saturating_sub(since) >= REFUSED_FOR)
    }

    fn judge_running(
        &self,
        container: &Container,
        before: Option<&Before>,
        running: Duration,
        gave_up: bool,
        at: Duration,
    ) -> Phase {
        if self.expected.one_shot {
            return Phase::Starting;
        }
        // Without a check, nothing but time shows that what has ended before does not end again.
        let again = self.restarts > 0 && container.is_young();
        let steady = if again { STEADY_AGAIN } else { STEADY };
        let here_before = before.is_some_and(|before| before.running) && !again;
        match container.check {
            Check::Healthy => Phase::Ready,
            Check::None if here_before || running >= steady => Phase::Ready,
            Check::Starting if self.is_refused(at) => Phase::Failed(Cause::Refused),
            Check::None | Check::Starting => Phase::Starting,
            // What it waits for may just have been started again; where Compose gives up, it was the cause.
            Check::Unhealthy if before.is_some_and(|before| before.unhealthy) && !gave_up => Phase::Starting,
            Check::Unhealthy => Phase::Failed(Cause::Unhealthy),
        }
    }

    fn judge_exited(
        &mut self,
        container: &Container,
        details: Option<&Details>,
        before: Option<&Before>,
        seen: &Observation,
    ) -> Phase {
        let code = details.map(|details| details.exit_code).or(container.exit_code).unwrap_or_default();
        let settled = seen.compose.is_some();
        if let Some(before) = before
            && !settled
        {
            let ended_before =
                !before.running && details.is_none_or(|details| details.finished_at == before.finished_at);
            if ended_before {
                return Phase::Waiting;
            }
            let down_since = *self.down_since.get_or_insert(seen.at);
            if before.running && seen.at.saturating_sub(down_since) < REPLACING {
                return Phase::Waiting;
            }
        }
        match code {
            0 if self.expected.one_shot => Phase::Ready,
            code => Phase::Failed(Cause::Exited(code)),
        }
    }

    fn judge_restarts(
        &self,
        container: &Container,
        details: Option<&Details>,
        before: Option<&Before>,
    ) -> Option<Phase> {
        let details = details?;
        let restarts = details.restarts.saturating_sub(before.map_or(0, |before| before.restarts));
        if restarts < LOOP || container.check == Check::Healthy {
            return None;
        }
        let code = self.code.unwrap_or(details.exit_code);
        Some(Phase::Failed(Cause::Loop { code, restarts: details.restarts }))
    }
}

/// Those of the services that are meant to stay up and have ended all the same, with the exit code, in the order of the
/// dependencies.
pub fn ended(expected: &[Expected], containers: &[Container]) -> Vec<(String, i32)> {
    let mut all: Vec<&Expected> = expected.iter().filter(|expected| !expected.one_shot).collect();
    all.sort_by_key(|expected| (expected.depth, &expected.name));
    let code = |expected: &&Expected| {
        let own = || containers.iter().filter(|container| container.service == expected.name);
        let down = |container: &&Container| {
            matches!(container.state, State::Exited | State::Restarting | State::Dead)
        };
        let last = own().find(down).filter(|_| own().all(|container| down(&container)))?;
        Some((expected.name.clone(), last.exit_code.unwrap_or_default()))
    };
    all.iter().filter_map(code).collect()
}

/// What a start of these services waits for.
pub fn expected(spec: &Spec, services: &[String]) -> Vec<Expected> {
    let depths = spec.depths();
    let wanted = spec.services.iter().filter(|service| services.contains(&service.name));
    wanted
        .map(|service| Expected {
            name: service.name.clone(),
            one_shot: service.role == Role::OneShot,
            depth: depths.get(service.name.as_str()).copied().unwrap_or_default(),
            waits_for: service.depends_on.iter().map(|(name, _)| name.clone()).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
