//! Durations as people write them: `90s`, `5m`, `1h30m`; reads and writes text only.

use std::time::Duration;

use crate::error::{Failure, Result};

/// Reads `500ms`, `90s`, `5m`, `1h`, `1h30m`.
///
/// # Errors
/// When a unit is missing or unknown, or a number is.
pub fn parse(text: &str) -> Result<Duration> {
    scan(text).ok_or_else(|| {
        let failure = Failure::new(format!("`{text}` is not a duration"))
            .why("a duration is a number with a unit: 90s, 5m, 1h, 1h30m");
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return failure.fix(format!("write {text}s for seconds, {text}m for minutes")).into();
        }
        failure.into()
    })
}

fn scan(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = rest.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// As it would be written as an argument: `90s`, `5m`, `1h30m`.
pub fn plain(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        _ if duration.subsec_millis() > 0 => format!("{}ms", duration.as_millis()),
        (0, minutes, 0) if minutes > 0 => format!("{minutes}m"),
        (hours, 0, 0) if hours > 0 => format!("{hours}h"),
        (hours, minutes, 0) if hours > 0 => format!("{hours}h{minutes}m"),
        _ => format!("{seconds}s"),
    }
}

/// `0.4s`, `12s`, `2m 05s`, `1h 02m`.
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, seconds) in
            [("90s", 90.0), ("5m", 300.0), ("1h", 3600.0), ("1h30m", 5400.0), ("500ms", 0.5)]
        {
            assert_eq!(parse(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_both_readings() {
        assert_eq!(
            parse("90").unwrap_err().to_string(),
            "`90` is not a duration\n  why: a duration is a number with a unit: 90s, 5m, 1h, 1h30m\n  \
             fix: write 90s for seconds, 90m for minutes"
        );
        for text in ["", "5 m", "m", "-5s", "5d", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_plainly_reads_back_the_same() {
        for text in ["3s", "90s", "5m", "1h", "1h30m", "500ms"] {
            assert_eq!(plain(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn durations_are_shown_no_finer_than_people_read() {
        let shown: Vec<String> =
            [400, 9_900, 12_345, 125_000, 3_725_000].map(|ms| show(Duration::from_millis(ms))).into();
        assert_eq!(shown, ["0.4s", "9.9s", "12s", "2m 05s", "1h 02m"]);
    }
}
