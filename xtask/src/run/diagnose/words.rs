//! Finds traces in what a program has printed; knows no cause.

use regex::Regex;

/// A line that holds a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The whole line.
    pub line: String,
    /// Its place among the lines.
    pub at: usize,
    groups: Vec<String>,
}

impl Trace {
    /// What the n-th bracket of the pattern has matched; empty where it has matched nothing.
    pub fn group(&self, n: usize) -> &str {
        self.groups.get(n).map(String::as_str).unwrap_or_default()
    }
}

/// The last line that a pattern matches: what a program says last is why it ended.
pub fn last(lines: &[String], pattern: &str) -> Option<Trace> {
    let compiled = Regex::new(pattern);
    debug_assert!(compiled.is_ok(), "{pattern}");
    let compiled = compiled.ok()?;
    lines.iter().enumerate().rev().find_map(|(at, line)| {
        let found = compiled.captures(line)?;
        let groups = found.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned());
        Some(Trace { line: line.clone(), at, groups: groups.collect() })
    })
}

/// The trace of the first pattern that matches.
pub fn last_of(lines: &[String], patterns: &[&str]) -> Option<Trace> {
    patterns.iter().find_map(|pattern| last(lines, pattern))
}

/// Whether any line holds one of these texts.
pub fn any(lines: &[String], texts: &[&str]) -> bool {
    lines.iter().any(|line| texts.iter().any(|text| line.contains(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_matches_counts() {
        let lines: Vec<String> = ["no a", "no b", "yes"].map(str::to_owned).to_vec();
        let trace = last(&lines, r"no (\w)(x)?").unwrap();
        assert_eq!((trace.line.as_str(), trace.at, trace.group(1), trace.group(2)), ("no b", 1, "b", ""));
        assert_eq!(last(&lines, "z"), None);
    }
}
