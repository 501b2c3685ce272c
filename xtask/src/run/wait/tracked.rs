//! How far one service of a start is, judged from what was seen of its container; knows no other service.

use std::time::Duration;

use super::second_chance::SecondChance;
use super::{Cause, Expected, Phase};
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
    /// Whether its container has been unhealthy all the time since before this start; true until a look shows otherwise.
    pub(super) sick: bool,
    second_chance: Option<SecondChance>,
}

/// A container as it was when the wait began.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) running: bool,
    unhealthy: bool,
    finished_at: String,
    restarts: u32,
}

/// What one look at the engine gave of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) container: Option<&'a Container>,
    pub(super) details: Option<&'a Details>,
    /// What its container was when the wait began.
    pub(super) before: Option<&'a Before>,
}

/// How far the start as a whole was at a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub(super) at: Duration,
    /// The exit code of Compose, once it has ended.
    pub(super) compose: Option<i32>,
    /// Whether all is started that will be.
    pub(super) settled: bool,
    /// Whether this start has started anything that stays.
    pub(super) begun: bool,
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
            sick: true,
            second_chance: None,
        }
    }

    /// How far it is by this look.
    pub(super) fn judge(&mut self, look: &Look<'_>, stage: &Stage) -> Phase {
        let Some(container) = look.container else { return Phase::Waiting };
        if container.state != State::Running {
            self.running_since = None;
            self.code = container.exit_code.or(self.code);
        }
        match container.state {
            State::Created => match look.details {
                Some(details) if stage.compose.is_some() && !details.error.is_empty() => {
                    Phase::Failed(Cause::NotStarted)
                }
                _ => Phase::Waiting,
            },
            State::Dead => Phase::Failed(Cause::NotStarted),
            State::Exited => self.judge_exited(container, look, stage),
            State::Restarting => self.judge_restarts(container, look).unwrap_or(Phase::Starting),
            State::Paused => Phase::Starting,
            State::Running => {
                self.down_since = None;
                let restarts = look.details.map_or(self.restarts, |details| details.restarts);
                if restarts != self.restarts {
                    // It was down between two looks.
                    self.restarts = restarts;
                    self.running_since = None;
                }
                let since = *self.running_since.get_or_insert(stage.at);
                let running = stage.at.saturating_sub(since);
                self.hear(container, look, stage);
                self.judge_restarts(container, look)
                    .unwrap_or_else(|| self.judge_running(container, running, look, stage))
            }
        }
    }

    /// Sees whether its container still is as unhealthy as it was before this start; whether it has got well.
    pub(super) fn see_recovery(&mut self, look: &Look<'_>) -> bool {
        let was_sick = self.sick;
        let check = look.container.filter(|container| container.state == State::Running);
        let check = check.map(|container| container.check);
        let before = look.before.is_some_and(|before| before.unhealthy);
        self.sick &= before && check == Some(Check::Unhealthy);
        was_sick && before && check == Some(Check::Healthy)
    }

    /// Whether this start has begun it, and it is meant to stay.
    pub(super) fn is_begun(&self, look: &Look<'_>) -> bool {
        let runs = look.container.is_some_and(|container| container.state == State::Running);
        runs && !self.expected.one_shot && !look.before.is_some_and(|before| before.running)
    }

    /// Whether all waits for its next check: it was unhealthy before this start, and nothing else is left to do.
    pub(super) fn has_second_chance(&self) -> bool {
        self.sick && self.second_chance.is_some() && self.phase == Phase::Starting
    }

    /// Remembers what a check that fails says.
    fn hear(&mut self, container: &Container, look: &Look<'_>, stage: &Stage) {
        if container.check != Check::Starting {
            self.said = None;
        }
        let Some(details) = look.details.filter(|_| container.check == Check::Starting) else { return };
        let failed = details.check_exit_code.is_some_and(|code| code != 0);
        let said = check_output::read(&details.check_output).filter(|_| failed);
        // A busy machine is late now and then; that takes back no answer.
        if said == Some(Said::Late) && self.said.is_some_and(|(said, _)| matches!(said, Said::Status(_))) {
            return;
        }
        if said != self.said.map(|(said, _)| said) {
            self.said = said.map(|said| (said, stage.at));
        }
    }

    /// Whether its server has been saying no to its check for so long that it means it.
    fn is_refused(&self, at: Duration) -> bool {
        self.said.is_some_and(|(said, since)| said.is_refusal() && at.saturating_sub(since) >= REFUSED_FOR)
    }

    fn judge_running(
        &mut self,
        container: &Container,
        running: Duration,
        look: &Look<'_>,
        stage: &Stage,
    ) -> Phase {
        if self.expected.one_shot {
            return Phase::Starting;
        }
        // Without a check, nothing but time shows that what has ended before does not end again.
        let again = self.restarts > 0 && container.is_young();
        let steady = if again { STEADY_AGAIN } else { STEADY };
        let here_before = look.before.is_some_and(|before| before.running) && !again;
        match container.check {
            Check::Healthy => Phase::Ready,
            Check::None if here_before || running >= steady => Phase::Ready,
            Check::Starting if self.is_refused(stage.at) => Phase::Failed(Cause::Refused),
            Check::None | Check::Starting => Phase::Starting,
            Check::Unhealthy if self.sick && !self.is_second_chance_lost(look, stage) => Phase::Starting,
            Check::Unhealthy => Phase::Failed(Cause::Unhealthy),
        }
    }

    /// Where nothing has been started, its next check tells; where it may have to find something again that was, as many
    /// as a new container gets.
    fn is_second_chance_lost(&mut self, look: &Look<'_>, stage: &Stage) -> bool {
        let (Some(details), Some(_)) = (look.details, stage.compose) else { return false };
        let checks = if stage.begun { details.check_retries } else { 1 };
        let chance = self.second_chance.get_or_insert_with(|| SecondChance::new(details, stage.at));
        chance.is_lost(checks, details, stage.at)
    }

    fn judge_exited(&mut self, container: &Container, look: &Look<'_>, stage: &Stage) -> Phase {
        let code = look.details.map(|details| details.exit_code).or(container.exit_code).unwrap_or_default();
        if let Some(before) = look.before
            && !stage.settled
        {
            let is_same_end = |details: &Details| details.finished_at == before.finished_at;
            if !before.running && look.details.is_none_or(is_same_end) {
                return Phase::Waiting;
            }
            let down_since = *self.down_since.get_or_insert(stage.at);
            if before.running && stage.at.saturating_sub(down_since) < REPLACING {
                return Phase::Waiting;
            }
        }
        match code {
            0 if self.expected.one_shot => Phase::Ready,
            code => Phase::Failed(Cause::Exited(code)),
        }
    }

    fn judge_restarts(&self, container: &Container, look: &Look<'_>) -> Option<Phase> {
        let details = look.details?;
        let restarts = details.restarts.saturating_sub(look.before.map_or(0, |before| before.restarts));
        if restarts < LOOP || container.check == Check::Healthy {
            return None;
        }
        let code = self.code.unwrap_or(details.exit_code);
        Some(Phase::Failed(Cause::Loop { code, restarts: details.restarts }))
    }
}
