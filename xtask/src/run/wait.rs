//! What a start has come to: a pure function over observations. Asks nobody, waits for nothing, prints nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::run::labels::Role;
use crate::run::spec::Spec;
use crate::run::state::{Check, Container, Details, State};

/// A container without a check counts as ready when it has run that long without ending.
const STEADY: Duration = Duration::from_secs(1);
/// Compose stops a container to replace it; one that stays down longer than this went down by itself.
const REPLACING: Duration = Duration::from_millis(1500);
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
}

#[derive(Debug, Clone)]
struct Tracked {
    expected: Expected,
    phase: Phase,
    /// When its current container was first seen running.
    running_since: Option<Duration>,
    started: Duration,
    down_since: Option<Duration>,
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
        };
        Watch {
            services: expected.into_iter().map(track).collect(),
            before: before.containers.iter().map(was).collect(),
            timeout,
        }
    }

    /// Ids of the containers of which `docker ps` does not say enough.
    pub fn unclear<'a>(containers: &'a [Container]) -> Vec<&'a str> {
        let unclear = |container: &&'a Container| {
            container.state != State::Running || matches!(container.check, Check::None | Check::Unhealthy)
        };
        containers.iter().filter(unclear).map(|container| container.id.as_str()).collect()
    }

    /// Takes in one look: what has changed by it, and what to do next.
    pub fn step(&mut self, seen: &Observation) -> (Vec<Change>, Verdict) {
        let mut changes = Vec::new();
        for tracked in &mut self.services {
            let container = current(&seen.containers, &tracked.expected.name, &self.before);
            let before = container.and_then(|container| self.before.get(&container.id));
            let phase = tracked.judge(container, before, seen);
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
            State::Restarting => judge_restarts(container, details, before).unwrap_or(Phase::Starting),
            State::Paused => Phase::Starting,
            State::Running => {
                self.down_since = None;
                let since = *self.running_since.get_or_insert(seen.at);
                let looping = judge_restarts(container, details, before);
                looping
                    .unwrap_or_else(|| self.judge_running(container, before, seen.at.saturating_sub(since)))
            }
        }
    }

    fn judge_running(&self, container: &Container, before: Option<&Before>, running: Duration) -> Phase {
        if self.expected.one_shot {
            return Phase::Starting;
        }
        let here_before = before.is_some_and(|before| before.running);
        match container.check {
            Check::Healthy => Phase::Ready,
            Check::None if here_before || running >= STEADY => Phase::Ready,
            Check::None | Check::Starting => Phase::Starting,
            // What it waits for may just have been started again.
            Check::Unhealthy if before.is_some_and(|before| before.unhealthy) => Phase::Starting,
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
}

fn judge_restarts(
    container: &Container,
    details: Option<&Details>,
    before: Option<&Before>,
) -> Option<Phase> {
    let details = details?;
    let restarts = details.restarts.saturating_sub(before.map_or(0, |before| before.restarts));
    if restarts < LOOP || container.check == Check::Healthy {
        return None;
    }
    let code = container.exit_code.unwrap_or(details.exit_code);
    Some(Phase::Failed(Cause::Loop { code, restarts: details.restarts }))
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
mod tests {
    use super::*;
    use crate::run::labels::Labels;

    fn expect(name: &str, depth: usize, one_shot: bool) -> Expected {
        Expected { name: name.to_owned(), one_shot, depth, waits_for: Vec::new() }
    }

    fn container(service: &str, state: State, check: Check, exit_code: Option<i32>) -> Container {
        Container {
            id: format!("id-{service}"),
            service: service.to_owned(),
            name: format!("p-{service}-1"),
            image: String::new(),
            state,
            check,
            exit_code,
            status: String::new(),
            ports: Vec::new(),
            created: String::new(),
            labels: Labels::default(),
            depends_on: Vec::new(),
        }
    }

    fn look(at_ms: u64, compose: Option<i32>, containers: &[Container]) -> Observation {
        Observation {
            containers: containers.to_vec(),
            details: BTreeMap::new(),
            at: Duration::from_millis(at_ms),
            compose,
        }
    }

    fn with(mut seen: Observation, id: &str, details: Details) -> Observation {
        seen.details.insert(id.to_owned(), details);
        seen
    }

    fn watch(before: &Observation) -> Watch {
        let expected = vec![expect("db", 0, false), expect("setup", 1, true), expect("api", 2, false)];
        Watch::new(expected, before, Duration::from_secs(300))
    }

    const RUNNING: State = State::Running;

    #[test]
    fn a_good_start_is_ready_when_all_are_and_compose_has_ended() {
        let mut watch = watch(&Observation::default());
        let db = container("db", RUNNING, Check::Healthy, None);
        let setup = container("setup", State::Exited, Check::None, Some(0));
        let (changes, verdict) = watch.step(&look(0, None, &[]));
        assert_eq!((changes.len(), verdict), (0, Verdict::Wait));
        let starting = container("db", RUNNING, Check::Starting, None);
        let (changes, _) =
            watch.step(&look(100, None, &[starting, container("api", State::Created, Check::None, None)]));
        assert_eq!((changes.len(), &changes[0].phase), (1, &Phase::Starting));
        let (changes, _) = watch.step(&look(900, None, std::slice::from_ref(&db)));
        assert_eq!((changes[0].phase.clone(), changes[0].took), (Phase::Ready, Duration::from_millis(800)));
        let all = [db, setup, container("api", RUNNING, Check::Healthy, None)];
        assert_eq!(watch.step(&look(1000, None, &all)).1, Verdict::Wait);
        assert_eq!(watch.step(&look(1100, Some(0), &all)).1, Verdict::Ready);
    }

    #[test]
    fn failures_come_in_the_order_of_the_dependencies() {
        let mut watch = watch(&Observation::default());
        let seen = [
            container("api", State::Exited, Check::None, Some(1)),
            container("db", State::Exited, Check::None, Some(137)),
        ];
        let (_, verdict) = watch.step(&look(0, None, &seen));
        assert_eq!(
            verdict,
            Verdict::Failed(vec![("db".into(), Cause::Exited(137)), ("api".into(), Cause::Exited(1))])
        );
    }

    #[test]
    fn a_service_that_ends_well_has_failed_and_a_one_shot_has_not() {
        let mut watch = watch(&Observation::default());
        let seen = [
            container("setup", State::Exited, Check::None, Some(0)),
            container("api", State::Exited, Check::None, Some(0)),
        ];
        let (_, verdict) = watch.step(&look(0, None, &seen));
        assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::Exited(0))]));
    }

    #[test]
    fn an_end_from_before_this_start_does_not_count() {
        let old = Details { exit_code: 1, finished_at: "yesterday".into(), ..Details::default() };
        let setup = container("setup", State::Exited, Check::None, Some(1));
        let before = with(look(0, None, std::slice::from_ref(&setup)), "id-setup", old.clone());
        let mut watch = watch(&before);
        assert_eq!(watch.step(&before).1, Verdict::Wait);
        let again = Details { finished_at: "now".into(), ..old };
        let seen = with(look(500, None, &[setup]), "id-setup", again);
        assert_eq!(watch.step(&seen).1, Verdict::Failed(vec![("setup".into(), Cause::Exited(1))]));
    }

    #[test]
    fn a_container_that_compose_replaces_has_not_failed() {
        let mut watch = watch(&look(0, None, &[container("api", RUNNING, Check::Healthy, None)]));
        let stopped = container("api", State::Exited, Check::None, Some(143));
        assert_eq!(watch.step(&look(100, None, std::slice::from_ref(&stopped))).1, Verdict::Wait);
        let new = Container { id: "id-new".into(), ..container("api", RUNNING, Check::Starting, None) };
        assert_eq!(watch.step(&look(200, None, &[stopped.clone(), new])).1, Verdict::Wait);
        assert_eq!(watch.step(&look(300, None, std::slice::from_ref(&stopped))).1, Verdict::Wait);
        let (_, verdict) = watch.step(&look(300 + 1500, None, &[stopped]));
        assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::Exited(143))]));
    }

    #[test]
    fn a_crash_loop_that_looks_running_is_found() {
        let mut watch = watch(&Observation::default());
        let api = container("api", RUNNING, Check::None, None);
        let details = |restarts| Details { restarts, exit_code: 2, ..Details::default() };
        let seen = with(look(0, None, std::slice::from_ref(&api)), "id-api", details(2));
        assert_eq!(watch.step(&seen).1, Verdict::Wait);
        let seen = with(look(10, None, &[api]), "id-api", details(3));
        assert_eq!(
            watch.step(&seen).1,
            Verdict::Failed(vec![("api".into(), Cause::Loop { code: 2, restarts: 3 })])
        );
    }

    #[test]
    fn a_service_without_a_check_must_run_steadily() {
        let mut watch =
            Watch::new(vec![expect("worker", 0, false)], &Observation::default(), Duration::from_secs(9));
        let worker = [container("worker", RUNNING, Check::None, None)];
        assert_eq!(watch.step(&look(0, Some(0), &worker)).1, Verdict::Wait);
        assert_eq!(watch.step(&look(1000, Some(0), &worker)).1, Verdict::Ready);
    }

    #[test]
    fn unhealthy_from_before_gets_its_chance_and_unhealthy_since_does_not() {
        let sick = [container("api", RUNNING, Check::Unhealthy, None)];
        assert_eq!(watch(&look(0, None, &sick)).step(&look(10, None, &sick)).1, Verdict::Wait);
        let (_, verdict) = watch(&Observation::default()).step(&look(10, None, &sick));
        assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::Unhealthy)]));
    }

    #[test]
    fn the_end_of_the_time_names_what_is_open() {
        let mut watch = watch(&Observation::default());
        let db = container("db", RUNNING, Check::Healthy, None);
        let (_, verdict) = watch.step(&look(300_000, None, &[db]));
        assert_eq!(verdict, Verdict::TimedOut(vec!["setup".into(), "api".into()]));
        let (_, verdict) = watch.step(&look(300_001, Some(1), &[]));
        assert_eq!(verdict, Verdict::ComposeFailed(1));
    }

    #[test]
    fn a_container_that_the_engine_could_not_start_has_failed() {
        let mut watch = watch(&Observation::default());
        let seen = look(0, Some(1), &[container("api", State::Created, Check::None, None)]);
        let details = Details { error: "exec: \"nope\": not found".into(), ..Details::default() };
        let (_, verdict) = watch.step(&with(seen, "id-api", details));
        assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::NotStarted)]));
    }
}
