//! What a service needs that is no longer generated and stays because the user edited it: kept in the generated text
//! before it is merged.

use std::collections::BTreeSet;

use super::references::{names, volumes};
use super::tree::{Block, Doc, Entry, Value, shift};
use crate::model::words::list;

/// The sections in which such things stand.
const SECTIONS: [&str; 3] = ["services", "networks", "volumes"];

/// The generated text with them, and a sentence for each service; as it is where no such service stays.
pub(super) fn with_needed(
    base: &Doc<'_>,
    current: &Doc<'_>,
    new: &Doc<'_>,
    generated: &BTreeSet<String>,
) -> (String, Vec<String>) {
    let mut text = new.text.to_owned();
    let mut notes = Vec::new();
    let mut all: BTreeSet<(usize, String)> = BTreeSet::new();
    for name in kept(base, current, new, generated) {
        let needed = closure(&name, base, current, new);
        let kinds = ["", "the network ", "the volume "];
        let things: Vec<String> = needed.iter().map(|(at, thing)| format!("{}{thing}", kinds[*at])).collect();
        if !things.is_empty() {
            notes.push(format!(
                "{name} is no longer generated and stays since you edited it, and with it {}",
                list(&things)
            ));
        }
        all.extend(needed);
    }
    for (at, title) in SECTIONS.iter().enumerate().rev() {
        let Some(old) = section(base, title) else { continue };
        let entries = all.iter().filter(|(section, _)| *section == at);
        let entries: Vec<&Entry> = entries.filter_map(|(_, name)| old.get(name)).collect();
        if !entries.is_empty() {
            text = inserted(base, new, title, &entries, &text);
        }
    }
    (text, notes)
}

fn section<'d>(doc: &'d Doc<'_>, title: &str) -> Option<&'d Block> {
    doc.root.get(title).and_then(Entry::block)
}

/// Services that the generator dropped and the user changed.
fn kept(base: &Doc<'_>, current: &Doc<'_>, new: &Doc<'_>, generated: &BTreeSet<String>) -> Vec<String> {
    let (Some(old), Some(mine)) = (section(base, "services"), section(current, "services")) else {
        return Vec::new();
    };
    let theirs = section(new, "services");
    let stays = |entry: &&Entry| {
        let dropped = theirs.is_none_or(|theirs| theirs.get(&entry.key).is_none());
        let edited = old.get(&entry.key).is_some_and(|old| old.value != entry.value);
        dropped && edited && !generated.contains(&format!("services.{}", entry.key))
    };
    mine.entries.iter().filter(stays).map(|entry| entry.key.clone()).collect()
}

/// Everything unedited that a service names, and what that names, as far as it would go: section and name.
fn closure(name: &str, base: &Doc<'_>, current: &Doc<'_>, new: &Doc<'_>) -> BTreeSet<(usize, String)> {
    let mut needed = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let Some(service) = section(current, "services").and_then(|services| services.get(&name)) else {
            continue;
        };
        for (at, target) in named(&service.value) {
            let held =
                |doc| section(doc, SECTIONS[at]).is_some_and(|block: &Block| block.get(&target).is_some());
            if held(base) && held(current) && !held(new) && needed.insert((at, target.clone())) && at == 0 {
                open.push(target);
            }
        }
    }
    needed
}

fn named(service: &Value) -> Vec<(usize, String)> {
    let parts =
        [names(service.get("depends_on")), names(service.get("networks")), volumes(service.get("volumes"))];
    let parts = parts.into_iter().enumerate();
    parts.flat_map(|(at, names)| names.into_iter().map(move |name| (at, name.to_owned()))).collect()
}

/// The text with entries of the last generated version at the end of a section; `text` is that of `new` up to there.
fn inserted(base: &Doc<'_>, new: &Doc<'_>, title: &str, entries: &[&Entry], text: &str) -> String {
    let block = section(new, title).filter(|block| !block.entries.is_empty());
    let indent = block.map_or(2, Block::indent);
    let body: String = entries
        .iter()
        .map(|entry| {
            let by = isize::try_from(indent).unwrap_or(2) - isize::try_from(entry.indent).unwrap_or(2);
            shift(&base.text[entry.lead.start..entry.end], by)
        })
        .collect();
    match block.and_then(|block| block.entries.last()) {
        Some(last) => format!("{}{body}{}", &text[..last.end], &text[last.end..]),
        None if new.root.get(title).is_none() => format!("{text}\n{title}:\n{body}"),
        // `services: {}` and the like: what is missing is said by the merge.
        None => text.to_owned(),
    }
}
