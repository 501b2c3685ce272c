//! The chance of a container that was unhealthy before the start: its next check may pass, as on a laptop that has
//! just woken; judges its checks only.

use std::time::Duration;

use crate::run::state::Details;

/// Counts the checks that fail once Compose has done all that it can.
#[derive(Debug, Clone)]
pub(super) struct SecondChance {
    since: Duration,
    /// How many had failed in a row that do not count.
    failed: u32,
}

impl SecondChance {
    /// Begins at this look.
    pub(super) fn new(details: &Details, at: Duration) -> SecondChance {
        SecondChance { since: at, failed: details.failing_streak }
    }

    /// Whether so many checks have failed that began after this chance.
    pub(super) fn is_lost(&mut self, checks: u32, details: &Details, at: Duration) -> bool {
        // What ends so soon may have begun before.
        if at.saturating_sub(self.since) <= details.check_timeout {
            self.failed = details.failing_streak;
        }
        details.failing_streak.saturating_sub(self.failed) >= checks
    }
}
