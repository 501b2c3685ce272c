//! Fits the generated services to services of the same name that were written by hand; merges nothing.
//!
//! A service is what its own keys make it: the generator completes it, but must not change how it is built, which
//! command it runs, or cut it off from the network that its neighbours share.

use super::tree::{BlockKind, Doc, Entry, Value};

/// Keys that say what a service is: never added to a hand-written one.
const OWN: [&str; 6] = ["build", "image", "command", "entrypoint", "user", "restart"];

/// The generated text with only those keys that a hand-written service of the same name can take.
pub(super) fn fitting(current: &Doc<'_>, new: &Doc<'_>) -> String {
    let (Some(mine), Some(theirs)) = (
        current.root.get("services").and_then(Entry::block),
        new.root.get("services").and_then(Entry::block),
    ) else {
        return new.text.to_owned();
    };
    let mut out = String::with_capacity(new.text.len());
    let mut at = 0;
    for service in &theirs.entries {
        let Some(own) = mine.get(&service.key) else { continue };
        for entry in service.block().map(|block| block.entries.as_slice()).unwrap_or_default() {
            match fit(&own.value, entry) {
                Fit::Take => {}
                Fit::Leave => {
                    out.push_str(&new.text[at..entry.lead.start]);
                    at = entry.end;
                }
                Fit::WithDefault => {
                    out.push_str(&new.text[at..entry.head.end]);
                    at = entry.head.end;
                    out.push_str(&default_network(entry));
                }
            }
        }
    }
    out.push_str(&new.text[at..]);
    out
}

enum Fit {
    Take,
    Leave,
    WithDefault,
}

fn fit(own: &Value, entry: &Entry) -> Fit {
    let key = entry.key.as_str();
    if own.get(key).is_some() {
        return Fit::Take;
    }
    match key {
        _ if OWN.contains(&key) => Fit::Leave,
        "networks" | "ports" if own.get("network_mode").is_some() => Fit::Leave,
        "networks" => Fit::WithDefault,
        _ => Fit::Take,
    }
}

/// With any network named, a service no longer joins the one that the others are on.
fn default_network(networks: &Entry) -> String {
    let Some(block) = networks.block() else { return String::new() };
    let indent = " ".repeat(block.indent());
    match block.kind {
        BlockKind::List => format!("{indent}- default\n"),
        BlockKind::Map => format!("{indent}default:\n"),
    }
}
