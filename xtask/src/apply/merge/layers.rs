//! Services that the user deleted from the base file, taken out of what is generated for the files on top of it: one
//! that a layer names and no file makes lets Compose refuse them all. Merges nothing.

use std::collections::BTreeSet;

use super::tree::{Block, Doc, Entry};
use super::yaml;

/// The services of `base` that `current` no longer has; none where one of them is no Compose file.
pub fn deleted_services(base: &str, current: &str) -> BTreeSet<String> {
    let names = |text: &str| -> Option<BTreeSet<String>> {
        let doc = yaml::parse(text).ok()?;
        Some(services(&doc)?.entries.iter().map(|service| service.key.clone()).collect())
    };
    let (Some(before), Some(now)) = (names(base), names(current)) else { return BTreeSet::new() };
    before.difference(&now).cloned().collect()
}

/// The text of a layer without these services.
pub fn without_services(text: &str, gone: &BTreeSet<String>) -> String {
    let Ok(doc) = yaml::parse(text) else { return text.to_owned() };
    let (Some(section), Some(all)) = (doc.root.get("services"), services(&doc)) else {
        return text.to_owned();
    };
    let (cut, left): (Vec<&Entry>, Vec<&Entry>) =
        all.entries.iter().partition(|service| gone.contains(&service.key));
    if cut.is_empty() {
        return text.to_owned();
    }
    let Some(first) = left.first() else {
        let head = text[..section.head.end].trim_end();
        return format!("{head} {{}}\n{}", &text[section.end..]);
    };
    let mut out = text[..section.head.end].to_owned();
    // What stood above the first one that is left is only the blank line that kept it from those before.
    out.push_str(&text[first.head.start..first.end]);
    for service in &left[1..] {
        out.push_str(&text[service.lead.start..service.end]);
    }
    out.push_str(&text[all.tail.start.min(section.end)..]);
    out
}

fn services<'a>(doc: &'a Doc<'_>) -> Option<&'a Block> {
    doc.root.get("services").and_then(Entry::block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: &str = "# Mine.\nservices:\n  a:\n    ports: !override\n      - \"1\"\n\n  b:\n    tmpfs:\n      - /x\n\n  c: {}\n";

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_deleted_service_leaves_a_layer_without_a_trace() {
        let without = |gone: &[&str]| without_services(LAYER, &names(gone));
        assert_eq!(without(&["a"]), "# Mine.\nservices:\n  b:\n    tmpfs:\n      - /x\n\n  c: {}\n");
        assert_eq!(
            without(&["b"]),
            "# Mine.\nservices:\n  a:\n    ports: !override\n      - \"1\"\n\n  c: {}\n"
        );
        assert_eq!(without(&["b", "c"]), "# Mine.\nservices:\n  a:\n    ports: !override\n      - \"1\"\n");
        assert_eq!(without(&["a", "b", "c"]), "# Mine.\nservices: {}\n");
        assert_eq!(without(&["d"]), LAYER);
    }

    #[test]
    fn only_what_was_there_can_be_deleted() {
        let deleted = |base: &str, current: &str| deleted_services(base, current);
        assert_eq!(deleted("services:\n  a: {}\n  b: {}\n", "services:\n  b: {}\n  c: {}\n"), names(&["a"]));
        assert_eq!(deleted("services:\n  a: {}\n", "services: [\n"), names(&[]));
        assert_eq!(deleted("", "services:\n  a: {}\n"), names(&[]));
    }
}
