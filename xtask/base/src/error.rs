//! What went wrong, in the one form every message of this program has; never prints and never exits.

use std::fmt;

/// The result of everything that can fail.
pub type Result<T, E = anyhow::Error> = anyhow::Result<T, E>;

/// One thing that is wrong: what, where, why, and what to do.
///
/// Displayed as
/// ```text
/// unknown key `services.billing.prot`
///   at integration/config.yaml:12
///   why: a service takes port, host_port, health, requires, env
///   fix: did you mean `port`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One line, lower case, names in backticks, no final dot.
    pub what: String,
    /// `path:line` relative to the root, one per line.
    pub at: Vec<String>,
    /// The cause, one line each.
    pub why: Vec<String>,
    /// An exact command or key, where one is known.
    pub fix: Option<String>,
}

impl Failure {
    /// A failure of which only the headline is known so far.
    pub fn new(what: impl Into<String>) -> Self {
        Failure { what: what.into(), at: Vec::new(), why: Vec::new(), fix: None }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.at.push(place.to_string());
        self
    }

    /// Adds a cause.
    #[must_use]
    pub fn why(mut self, cause: impl fmt::Display) -> Self {
        self.why.extend(cause.to_string().lines().map(str::to_owned));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Asks for the candidate that a typing error most likely meant, where there is one.
    #[must_use]
    pub fn did_you_mean<'a>(self, word: &str, candidates: impl Iterator<Item = &'a str>) -> Self {
        match nearest(word, candidates) {
            Some(near) => self.fix(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// A thread of ours ended in a panic, which has said why.
    pub fn panicked() -> Self {
        Failure::new("a thread of ours panicked")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for place in &self.at {
            write!(f, "\n  at {place}")?;
        }
        for (i, cause) in self.why.iter().enumerate() {
            write!(f, "\n  {} {cause}", if i == 0 { "why:" } else { "    " })?;
        }
        if let Some(fix) = &self.fix {
            for (i, line) in fix.lines().enumerate() {
                write!(f, "\n  {} {line}", if i == 0 { "fix:" } else { "    " })?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Several failures found in one pass, and the line that sums them up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// In the order of the places.
    pub all: Vec<Failure>,
    /// For example `nothing was written`.
    pub consequence: String,
}

impl Failures {
    /// `Err` with all of them, or `Ok` where there are none.
    pub fn check(all: Vec<Failure>, consequence: &str) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        Err(Failures { all, consequence: consequence.to_owned() }.into())
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, failure) in self.all.iter().enumerate() {
            let lead = if i == 0 { "" } else { "error: " };
            writeln!(f, "{lead}{failure}")?;
        }
        let errors = if self.all.len() == 1 { "error" } else { "errors" };
        write!(f, "{} {errors}, {}", self.all.len(), self.consequence)
    }
}

impl std::error::Error for Failures {}

/// The user pressed Ctrl-C (or the process got SIGTERM); the message says what still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted(pub String);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// How a command that ran to its end answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0; warnings included.
    Done,
    /// Exit code 1: stale, unhealthy, a test failed.
    No,
    /// The exit code of a command that was run for the user (`exec`).
    Code(u8),
}

/// The text of an error as the user sees it: ours in its own form, others as a chain of causes.
pub fn render(error: &anyhow::Error) -> String {
    let mut chain = error.chain();
    let mut text = chain.next().map(ToString::to_string).unwrap_or_default();
    let mut lead = "why:";
    for cause in chain {
        for line in cause.to_string().lines() {
            text.push_str(&format!("\n  {lead} {}", line.trim()));
            lead = "    ";
        }
    }
    text
}

/// The candidate that a typing error most likely meant: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3 + 1)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, a swap of neighbours counted as one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_what_where_why_and_fix() {
        let failure = Failure::new("unknown key `services.billing.prot`")
            .at("integration/config.yaml:12")
            .why("a service takes port, host_port\nand health")
            .fix("did you mean `port`?");
        assert_eq!(
            failure.to_string(),
            "unknown key `services.billing.prot`\n  at integration/config.yaml:12\n  \
             why: a service takes port, host_port\n       and health\n  fix: did you mean `port`?"
        );
    }

    #[test]
    fn foreign_errors_show_their_causes() {
        let error = anyhow::anyhow!("permission denied").context("cannot read `a.txt`");
        assert_eq!(render(&error), "cannot read `a.txt`\n  why: permission denied");
    }

    #[test]
    fn swapped_letters_are_one_slip() {
        assert_eq!(nearest("prot", ["port", "env"].into_iter()), Some("port"));
        assert_eq!(nearest("zzzzzz", ["port", "env"].into_iter()), None);
    }
}
