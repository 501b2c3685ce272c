//! A three-way merge by line for files whose format is not known; keeps the user's side of a conflict.

use super::{Conflict, Merged};

/// So long that no file holds it by chance.
const MARKER: usize = 47;

/// Merges by line; all conflicts of a file are one, with an empty key.
///
/// # Errors
/// Where the text itself holds what looks like a conflict marker.
pub(super) fn merge(base: &str, current: &str, new: &str) -> Result<Merged, String> {
    let marker = "<".repeat(MARKER);
    if [base, current, new].iter().any(|text| text.contains(&marker)) {
        return Err("it holds lines that look like conflict markers".to_owned());
    }
    let mut options = diffy::MergeOptions::new();
    options.set_conflict_marker_length(MARKER).set_conflict_style(diffy::ConflictStyle::Merge);
    match options.merge(base, current, new) {
        Ok(text) => Ok(Merged { text, ..Merged::default() }),
        Err(marked) => Ok(keep_mine(&marked)),
    }
}

fn keep_mine(marked: &str) -> Merged {
    let (open, middle, close) = ("<".repeat(MARKER), "=".repeat(MARKER), ">".repeat(MARKER));
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
