//! How far one service of a start is, judged from what was seen of its container; knows no other service.

use std::time::Duration;

use super::{Cause, Expected, Observation, Phase};
use crate::run::check_output::{self, Said};
use crate::run::state::{Check, Container, Details, State};

/// A container without a check counts as ready when it has run that long without ending.
const STEADY: Duration = Duration::from_secs(3);
/// One that has ended before, in this start, has to show more.
const STEADY_AGAIN: Duration = Duration::from_secs(10);
/// Compose stops a container to replace it; one that stays down longer than this went down by itself.
const REPLACING: Duration = Duration::from_millis(1500);
/// A server that runs and has refused its check that long has no such path.
const REFUSED_FOR: Duration = Duration::from_secs(20);
/// So many restarts are a loop, and no hiccup.
const LOOP: u32 = 3;

/// A service and what has been seen of it so far.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub(super) expected: Expected,
    pub(super) phase: Phase,
    /// When its current container was first seen running.
    pub(super) running_since: Option<Duration>,
    pub(super) started: Duration,
    down_since: Option<Duration>,
    /// Whether its container runs without a check.
    pub(super) unchecked: bool,
    /// How often its container had been started again at the last look.
    restarts: u32,
    /// The code that it has last ended with; while it runs, the engine does not tell.
    code: Option<i32>,
    /// What its failing check says, and since when it says just that.
    pub(super) said: Option<(Said, Duration)>,
}

/// A container as it was when the wait began.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) running: bool,
    unhealthy: bool,
    finished_at: String,
    restarts: u32,
}

impl Before {
    pub(super) fn of(container: &Container, details: Option<&Details>) -> Before {
        Before {
            running: matches!(container.state, State::Running | State::Paused),
            unhealthy: container.check == Check::Unhealthy,
            finished_at: details.map(|details| details.finished_at.clone()).unwrap_or_default(),
            restarts: details.map_or(0, |details| details.restarts),
        }
    }
}

impl Tracked {
    pub(super) fn new(expected: Expected) -> Tracked {
        Tracked {
            expected,
            phase: Phase::Waiting,
            running_since: None,
            started: Duration::ZERO,
            down_since: None,
            unchecked: false,
            restarts: 0,
            code: None,
            said: None,
        }
    }

    /// How far it is by this look; `before` is what its container was when the wait began.
    pub(super) fn judge(
        &mut self,
        container: Option<&Container>,
        before: Option<&Before>,
        seen: &Observation,
    ) -> Phase {
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
