//! What a start has come to: a pure function over observations. Asks nobody, waits for nothing, prints nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::run::check_output::Said;
use crate::run::labels::Role;
use crate::run::spec::Spec;
use crate::run::state::{Check, Container, Details, State};

mod second_chance;
mod tracked;

use tracked::{Before, Look, Stage, Tracked};

/// Once a check has failed for that long, what it says is worth a line.
const NOTE_AFTER: Duration = Duration::from_secs(5);

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
    /// Compose gave up over something unhealthy that has got well since: it has to be run again.
    Again,
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
    /// Whether something has got well over which Compose may have given up.
    recovered: bool,
}

impl Watch {
    /// A wait for these services; `before` is what was there when it began.
    pub fn new(expected: Vec<Expected>, before: &Observation, timeout: Duration) -> Watch {
        let was = |container: &Container| {
            (container.id.clone(), Before::of(container, before.details.get(&container.id)))
        };
        Watch {
            services: expected.into_iter().map(Tracked::new).collect(),
            before: before.containers.iter().map(was).collect(),
            timeout,
            at: Duration::ZERO,
            recovered: false,
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

    /// Whether a service has been unhealthy since before this start, and nothing but its next check is waited for.
    pub fn has_second_chance(&self, service: &str) -> bool {
        self.services.iter().any(|tracked| tracked.expected.name == service && tracked.has_second_chance())
    }

    /// Whether a service runs and nothing checks it.
    pub fn is_unchecked(&self, service: &str) -> bool {
        self.services.iter().any(|tracked| tracked.expected.name == service && tracked.unchecked)
    }

    /// Takes in one look: what has changed by it, and what to do next.
    pub fn step(&mut self, seen: &Observation) -> (Vec<Change>, Verdict) {
        let mut changes = Vec::new();
        self.at = seen.at;
        let looks = looks(&self.services, &self.before, seen);
        for (tracked, look) in self.services.iter_mut().zip(&looks) {
            self.recovered |= tracked.see_recovery(look);
        }
        let stage = Stage {
            at: seen.at,
            compose: seen.compose,
            settled: seen.compose.is_some() && !self.is_held_up(seen),
            begun: self.services.iter().zip(&looks).any(|(tracked, look)| tracked.is_begun(look)),
        };
        for (tracked, look) in self.services.iter_mut().zip(looks) {
            let phase = tracked.judge(&look, &stage);
            tracked.unchecked = look.container.is_some_and(Container::is_unchecked);
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
                    && look.before.is_some_and(|before| before.running),
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

    /// Whether Compose gave up while something that was unhealthy before, and that others wait for, had its second chance
    /// still before it.
    fn is_held_up(&self, seen: &Observation) -> bool {
        let waited_for =
            |name: &String| self.services.iter().any(|tracked| tracked.expected.waits_for.contains(name));
        let mut sick = self.services.iter().filter(|tracked| tracked.sick);
        seen.compose.is_some_and(|code| code != 0) && sick.any(|tracked| waited_for(&tracked.expected.name))
    }

    fn verdict(&mut self, seen: &Observation) -> Verdict {
        let held_up = self.is_held_up(seen);
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
            Some(code) if code != 0 && !held_up => match std::mem::take(&mut self.recovered) {
                true => Verdict::Again,
                false => Verdict::ComposeFailed(code),
            },
            Some(_) if open().next().is_none() => Verdict::Ready,
            _ if seen.at >= self.timeout => Verdict::TimedOut(open().collect()),
            _ => Verdict::Wait,
        }
    }
}

/// What this look gave of each service.
fn looks<'a>(
    services: &[Tracked],
    before: &'a BTreeMap<String, Before>,
    seen: &'a Observation,
) -> Vec<Look<'a>> {
    let look = |tracked: &Tracked| {
        let container = current(&seen.containers, &tracked.expected.name, before);
        Look {
            container,
            details: container.and_then(|container| seen.details.get(&container.id)),
            before: container.and_then(|container| before.get(&container.id)),
        }
    };
    services.iter().map(look).collect()
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
