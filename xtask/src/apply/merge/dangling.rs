//! Dependencies on services that the user deleted, taken out of the generated text before it is merged.

use std::ops::Range;

use super::tree::{Doc, Entry};

/// The generated text without them, and a sentence for each.
pub(super) fn without(base: &Doc<'_>, current: &Doc<'_>, new: &Doc<'_>) -> (String, Vec<String>) {
    let services = |doc: &'_ Doc<'_>| doc.root.get("services").and_then(Entry::block).cloned();
    let (Some(old), Some(mine), Some(theirs)) = (services(base), services(current), services(new)) else {
        return (new.text.to_owned(), Vec::new());
    };
    let deleted =
        |name: &str| old.get(name).is_some() && mine.get(name).is_none() && theirs.get(name).is_some();
    let (mut cuts, mut notes) = (Vec::new(), Vec::new());
    for service in theirs.entries.iter().filter(|service| !deleted(&service.key)) {
        let Some(list) = service.block().and_then(|service| service.get("depends_on")) else { continue };
        let Some(targets) = list.block() else { continue };
        let gone: Vec<&Entry> = targets.entries.iter().filter(|entry| deleted(&entry.key)).collect();
        for entry in &gone {
            let still = mine.get(&service.key).is_none_or(|mine| depends_on(mine, &entry.key));
            if still {
                notes.push(format!("{} no longer depends on {}, which you deleted", service.key, entry.key));
            }
        }
        if gone.len() == targets.entries.len() {
            cuts.push(list.lead.end..list.end);
        } else {
            cuts.extend(gone.iter().map(|entry| entry.lead.start..entry.end));
        }
    }
    (cut(new.text, &cuts), notes)
}

fn depends_on(service: &Entry, target: &str) -> bool {
    let list = service.block().and_then(|service| service.get("depends_on"));
    list.and_then(Entry::block).is_some_and(|targets| targets.get(target).is_some())
}

/// The text without these parts, which are in order.
pub(super) fn cut(text: &str, cuts: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        out.push_str(&text[at..cut.start]);
        at = cut.end;
    }
    out.push_str(&text[at..]);
    out
}
