//! Waiting between two looks or tries, which Ctrl-C ends at once; decides nothing.

use std::time::{Duration, Instant};

use crate::run::signals;

/// How often a pause looks at the signals.
const TICK: Duration = Duration::from_millis(50);

/// Waits that long; `false` as soon as the user wants to stop.
#[allow(clippy::disallowed_methods, reason = "a pause has its limit as its argument")]
pub fn pause(time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if signals::received() || left.is_zero() {
            return !signals::received();
        }
        std::thread::sleep(left.min(TICK));
    }
}
