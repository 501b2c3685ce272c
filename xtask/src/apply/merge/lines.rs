//! A three-way merge by line for files whose format is not known; keeps the user's side of a conflict.

use diffy::{ConflictStyle, MergeOptions};

use super::{Conflict, Merged};

/// Merges by line; all conflicts of a file are one, with an empty key.
pub(super) fn merge(base: &str, current: &str, new: &str) -> Merged {
    // A conflict marker must stand on a line of its own.
    let [base, mine, theirs] = [base, current, new].map(closed);
    let marker =
        [&base, &mine, &theirs].map(|text| longest_run(text)).into_iter().max().unwrap_or_default() + 1;
    let mut options = MergeOptions::new();
    options.set_conflict_marker_length(marker.max(7)).set_conflict_style(ConflictStyle::Merge);
    let mut merged = match options.merge(&base, &mine, &theirs) {
        Ok(text) => Merged { text, ..Merged::default() },
        Err(marked) => keep_mine(&marked, marker.max(7)),
    };
    if !current.ends_with('\n') && merged.text.ends_with('\n') {
        merged.text.pop();
    }
    merged
}

fn closed(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// The longest run of a sign that conflict markers are made of, so that the markers can be longer.
fn longest_run(text: &str) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, '\n');
    for sign in text.chars() {
        run = if sign == last { run + 1 } else { 1 };
        last = sign;
        if "<=>|".contains(sign) {
            longest = longest.max(run);
        }
    }
    longest
}

fn keep_mine(marked: &str, marker: usize) -> Merged {
    let (open, middle, close) = ("<".repeat(marker), "=".repeat(marker), ">".repeat(marker));
    let (mut text, mut mine, mut generated) = (String::new(), String::new(), String::new());
    let (mut in_mine, mut in_theirs) = (false, false);
    for line in marked.split_inclusive('\n') {
        if line.starts_with(&open) {
            in_mine = true;
        } else if in_mine && line.starts_with(&middle) {
            (in_mine, in_theirs) = (false, true);
        } else if in_theirs && line.starts_with(&close) {
            in_theirs = false;
        } else if in_theirs {
            generated.push_str(line);
        } else {
            text.push_str(line);
            if in_mine {
                mine.push_str(line);
            }
        }
    }
    let side = |text: String| (!text.is_empty()).then(|| text.trim_end().to_owned());
    let conflict = Conflict { key: String::new(), mine: side(mine), generated: side(generated) };
    Merged { text, conflicts: vec![conflict], ..Merged::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_look_like_markers_are_content() {
        let mine = format!("a\n{}\nmine\n", "=".repeat(60));
        let merged = merge("a\nb\n", &mine, "a\nc\n");
        assert_eq!(merged.text, mine);
        assert_eq!(merged.conflicts[0].generated.as_deref(), Some("c"));
    }
}
