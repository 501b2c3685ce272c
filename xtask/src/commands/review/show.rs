//! Decisions as text, for people and for `--set`; decides nothing.

use super::decisions::{Decision, SECTIONS};

/// What to do where nobody can be asked.
pub(super) const HOW: &str = "nothing was written; to decide otherwise: cargo xtask integrate --set KEY=VALUE \
    (--dry-run shows the effect first), and --unset KEY to go back to what is found";

/// How many reasons are shown of each decision.
const REASONS: usize = 3;

/// All decisions by section.
pub(super) fn all(decisions: &[Decision]) -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let of_section: Vec<&Decision> = decisions.iter().filter(|one| one.section == *section).collect();
        if of_section.is_empty() {
            continue;
        }
        out.push_str(&format!("{section}\n"));
        for decision in of_section {
            out.push_str(&indented(&one(decision)));
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// One decision with its reasons and what can be had instead.
pub(super) fn one(decision: &Decision) -> String {
    let mut out = decision.line();
    for (i, why) in decision.why.iter().take(REASONS).enumerate() {
        out.push_str(&format!("\n  {} {why}", if i == 0 { "why:" } else { "    " }));
    }
    if decision.why.len() > REASONS {
        let more = decision.why.len() - REASONS;
        out.push_str(&format!("\n       and {more} more: cargo xtask explain {}", decision.about));
    }
    for (i, one) in decision.alternatives.iter().enumerate() {
        out.push_str(&format!("\n  {} --set {}", if i == 0 { "or: " } else { "    " }, one.shown()));
    }
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
