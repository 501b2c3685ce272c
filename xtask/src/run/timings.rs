//! When each service of a start came up, and the chain that made it take so long; looks at nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::run::duration;
use crate::run::wait::{Change, Expected, Observation, Phase};

/// A service's way up, in milliseconds since the start began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ServiceTimes {
    /// The Compose service.
    pub service: String,
    /// Whether it is meant to end.
    pub one_shot: bool,
    /// Its container was there; null where it was there before.
    pub created_ms: Option<u64>,
    /// Its process ran.
    pub started_ms: Option<u64>,
    /// It was healthy, or had ended well if it is meant to end.
    pub ready_ms: Option<u64>,
    /// What it waited for.
    pub waits_for: Vec<String>,
}

/// All that `--timings` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timings {
    /// Always 1.
    pub version: u32,
    /// Until everything was ready.
    pub total_ms: u64,
    /// Those that this start brought up, in the order in which they were ready.
    pub services: Vec<ServiceTimes>,
    /// Each waited for the one before it, and the last one was ready last.
    pub critical_path: Vec<Link>,
}

/// A service in the chain that took longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The Compose service.
    pub service: String,
    /// What it added: from the moment in which the one before it was ready.
    pub ms: u64,
}

/// Gathers the times while a start goes on.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    services: BTreeMap<String, ServiceTimes>,
    /// Had a container when the start began; whether that is replaced is not seen, so nothing is said of its making.
    old: BTreeSet<String>,
}

impl Clock {
    /// For these services; `before` are the containers that were there when the start began.
    pub fn new(expected: &[Expected], before: &Observation) -> Clock {
        let times = |one: &Expected| ServiceTimes {
            service: one.name.clone(),
            one_shot: one.one_shot,
            waits_for: one.waits_for.clone(),
            ..ServiceTimes::default()
        };
        Clock {
            services: expected.iter().map(|one| (one.name.clone(), times(one))).collect(),
            old: before.containers.iter().map(|container| container.service.clone()).collect(),
        }
    }

    /// Takes in a look at the engine and what has changed by it.
    pub fn note(&mut self, seen: &Observation, changes: &[Change]) {
        let at = millis(seen.at);
        for container in seen.containers.iter().filter(|container| !self.old.contains(&container.service)) {
            if let Some(times) = self.services.get_mut(&container.service) {
                times.created_ms.get_or_insert(at);
            }
        }
        for change in changes.iter().filter(|change| !change.from_before) {
            let Some(times) = self.services.get_mut(&change.service) else { continue };
            match change.phase {
                Phase::Starting => times.started_ms = Some(at),
                Phase::Ready => {
                    times.started_ms = times.started_ms.or(Some(at.saturating_sub(millis(change.took))));
                    times.ready_ms = Some(at);
                }
                Phase::Waiting | Phase::Failed(_) => {}
            }
        }
    }

    /// What it comes to.
    pub fn finish(self, took: Duration) -> Timings {
        let mut services: Vec<ServiceTimes> =
            self.services.into_values().filter(|times| times.ready_ms.is_some()).collect();
        services.sort_by_key(|times| (times.ready_ms, times.service.clone()));
        let critical_path = critical_path(&services);
        Timings { version: 1, total_ms: millis(took), services, critical_path }
    }
}

impl ServiceTimes {
    fn later(mut self, by_ms: u64) -> ServiceTimes {
        for time in [&mut self.created_ms, &mut self.started_ms, &mut self.ready_ms] {
            *time = time.map(|time| time + by_ms);
        }
        self
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// From the service that was ready last, back through whichever of those it waited for was ready last.
fn critical_path(services: &[ServiceTimes]) -> Vec<Link> {
    let mut path: Vec<Link> = Vec::new();
    let mut next = services.last();
    while let Some(times) = next.filter(|_| path.len() < services.len()) {
        let waited = services.iter().filter(|other| times.waits_for.contains(&other.service));
        let before = waited.max_by_key(|other| other.ready_ms);
        let since = before.and_then(|before| before.ready_ms).unwrap_or_default();
        let ms = times.ready_ms.unwrap_or_default().saturating_sub(since);
        path.push(Link { service: times.service.clone(), ms });
        next = before;
    }
    path.reverse();
    path
}

impl Timings {
    /// Until everything was ready.
    pub fn took(&self) -> Duration {
        Duration::from_millis(self.total_ms)
    }

    /// As one start: where a service came up twice, the second time counts.
    #[must_use]
    pub fn then(self, next: Timings) -> Timings {
        let before = self.total_ms;
        let again = |times: &ServiceTimes| next.services.iter().any(|later| later.service == times.service);
        let mut services: Vec<ServiceTimes> =
            self.services.into_iter().filter(|times| !again(times)).collect();
        services.extend(next.services.iter().cloned().map(|times| times.later(before)));
        services.sort_by_key(|times| (times.ready_ms, times.service.clone()));
        let critical_path = critical_path(&services);
        Timings { version: 1, total_ms: before + next.total_ms, services, critical_path }
    }

    /// As a start that went on for so long: something was done when all was up.
    #[must_use]
    pub fn lasting(self, took: Duration) -> Timings {
        Timings { total_ms: millis(took), ..self }
    }

    /// Nothing had to be started.
    pub fn none(took: Duration) -> Timings {
        Clock::default().finish(took)
    }

    /// `postgres 2.9s, then accounts 5.6s, then trading 7.0s`; nothing where one service alone was started.
    pub fn chain(&self) -> Option<String> {
        let link =
            |link: &Link| format!("{} {}", link.service, duration::show(Duration::from_millis(link.ms)));
        let links: Vec<String> = self.critical_path.iter().map(link).collect();
        (links.len() > 1).then(|| links.join(", then "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(service: &str, ready: u64, waits_for: &[&str]) -> ServiceTimes {
        ServiceTimes {
            service: service.to_owned(),
            ready_ms: Some(ready),
            waits_for: waits_for.iter().map(|name| (*name).to_owned()).collect(),
            ..ServiceTimes::default()
        }
    }

    #[test]
    fn the_chain_leads_back_through_whoever_was_ready_last() {
        let services = [
            times("cache", 400, &[]),
            times("db", 2900, &[]),
            times("setup", 3100, &["db"]),
            times("market", 3500, &["cache"]),
            times("trading", 7000, &["setup", "market", "db"]),
        ];
        let critical_path = critical_path(&services);
        let timings = Timings { version: 1, total_ms: 7100, services: services.to_vec(), critical_path };
        assert_eq!(timings.chain().as_deref(), Some("cache 0.4s, then market 3.1s, then trading 3.5s"));
    }

    #[test]
    fn services_that_wait_for_each_other_end_the_chain() {
        let path = critical_path(&[times("a", 1, &["b"]), times("b", 2, &["a"])]);
        assert_eq!(path.len(), 2);
    }

    #[test]
    fn a_second_round_follows_the_first() {
        let of = |services: Vec<ServiceTimes>, total_ms: u64| Timings {
            version: 1,
            total_ms,
            critical_path: critical_path(&services),
            services,
        };
        let first = of(vec![times("db", 300, &[]), times("api", 900, &["db"])], 1000);
        let both = first.then(of(vec![times("api", 400, &["db"])], 500));
        let ready: Vec<(&str, Option<u64>)> =
            both.services.iter().map(|times| (times.service.as_str(), times.ready_ms)).collect();
        assert_eq!((both.total_ms, ready), (1500, vec![("db", Some(300)), ("api", Some(1400))]));
        assert_eq!(both.chain().as_deref(), Some("db 0.3s, then api 1.1s"));
    }

    #[test]
    fn one_service_alone_makes_no_chain() {
        let services = vec![times("a", 1, &[])];
        let critical_path = critical_path(&services);
        assert_eq!(Timings { version: 1, total_ms: 1, services, critical_path }.chain(), None);
        assert_eq!(Timings::none(Duration::ZERO).services, []);
    }

    #[test]
    fn times_are_those_of_the_first_look_that_shows_them() {
        let expected = Expected { name: "db".into(), one_shot: false, depth: 0, waits_for: Vec::new() };
        let mut clock = Clock::new(&[expected], &Observation::default());
        let change = |phase: Phase, took: u64| Change {
            unchecked: false,
            service: "db".to_owned(),
            one_shot: false,
            phase,
            took: Duration::from_millis(took),
            from_before: false,
        };
        let ps = r#"{"id":"a","name":"p-db-1","image":"x","state":"created","status":"Created","ports":"","created":"","service":"db","depends_on":"","role":"component","kind":"","main":"","health":""}"#;
        let seen = |at: u64| Observation {
            containers: crate::run::state::parse_ps(ps).unwrap(),
            at: Duration::from_millis(at),
            ..Observation::default()
        };
        clock.note(&seen(100), &[]);
        clock.note(&seen(300), &[change(Phase::Starting, 0)]);
        clock.note(&seen(900), &[change(Phase::Ready, 600)]);
        let timings = clock.finish(Duration::from_millis(950));
        let db = &timings.services[0];
        assert_eq!((db.created_ms, db.started_ms, db.ready_ms), (Some(100), Some(300), Some(900)));
    }
}
