//! Medians, targets and the tables that show them; measures nothing itself.

use std::time::Duration;

/// Whether everything that has a target reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reached,
    Missed,
}

/// The middle of the values; of an even number the mean of the two in the middle, of none 0.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The targets of one measurement, judged as they are added.
#[derive(Debug)]
pub(crate) struct Targets {
    verdict: Verdict,
}

impl Targets {
    /// None yet.
    pub(crate) fn new() -> Targets {
        println!("\n{:<52} {:>10} {:>12}", "TARGET", "MEASURED", "AT MOST");
        Targets { verdict: Verdict::Reached }
    }

    /// Judges and prints one: `unit` stands behind both numbers.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        let reached = value <= limit;
        let word = if reached { "reached" } else { "MISSED" };
        println!("{what:<52} {:>10} {:>12}  {word}", shown(value, unit), shown(limit, unit));
        if !reached {
            self.verdict = Verdict::Missed;
        }
    }

    /// The verdict over all.
    pub(crate) fn verdict(self) -> Verdict {
        self.verdict
    }
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "x" => format!("{value:.3} x"),
        "ms" => format!("{value:.0} ms"),
        "MB" | "problems" => format!("{value:.0} {unit}"),
        _ => format!("{value:.2} {unit}"),
    }
}

/// Prints the name, every run and the median: `a  7.1 7.0 7.3 | 7.1 s`.
pub(crate) fn series(name: &str, values: &[f64], unit: &str) -> f64 {
    let middle = median(values);
    let digits = if unit == "ms" { 0 } else { 2 };
    let each: Vec<String> = values.iter().map(|value| format!("{value:.digits$}")).collect();
    println!("{name:<44} {:>9} {unit:<2}  of {}", format!("{middle:.digits$}"), each.join(" "));
    middle
}

/// The machine and how busy it is, because a number without them says little.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let load = if load.is_empty() { "unknown".to_owned() } else { load.join(" ") };
    format!("{cores} cores, {} {}, load before {load}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Seconds, as a number.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// Milliseconds, as a number.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_an_outlier() {
        assert!((median(&[3.0, 1.0, 99.0]) - 3.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
