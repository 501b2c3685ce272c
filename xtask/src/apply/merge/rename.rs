//! A service under its new name in a text that still has the old one, so that edits of its block move with it; merges
//! nothing.

use std::ops::Range;

use super::tree::{Doc, Entry};
use super::yaml;

/// The text with the service `old` called `new`, and the dependencies on it too; as it is where it has no such
/// service, already has the new one, or cannot be read.
pub(crate) fn service(text: &str, old: &str, new: &str) -> String {
    let closed = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let Ok(doc) = yaml::parse(&closed) else { return text.to_owned() };
    let Some(services) = doc.root.get("services").and_then(Entry::block) else { return text.to_owned() };
    if services.get(new).is_some() {
        return text.to_owned();
    }
    let Some(own) = services.get(old) else { return text.to_owned() };
    let mut places: Vec<Range<usize>> = key(&doc, own, old).into_iter().collect();
    for service in &services.entries {
        let targets = service.block().and_then(|service| service.get("depends_on")).and_then(Entry::block);
        let target = targets.and_then(|targets| targets.get(old));
        places.extend(target.and_then(|target| key(&doc, target, old).or_else(|| item(&doc, target, old))));
    }
    places.sort_by_key(|place| place.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        out.push_str(&closed[at..place.start]);
        out.push_str(new);
        at = place.end;
    }
    out.push_str(&closed[at..]);
    if closed.len() > text.len() {
        out.pop();
    }
    out
}

/// Where the key of an entry stands, without quotes.
fn key(doc: &Doc<'_>, entry: &Entry, name: &str) -> Option<Range<usize>> {
    let start = entry.head.start + entry.indent;
    let line = doc.text.get(start..)?;
    let quote = usize::from(line.starts_with(['"', '\'']));
    let behind = line.get(quote..)?.strip_prefix(name)?;
    behind
        .trim_start_matches(['"', '\''])
        .trim_start()
        .starts_with(':')
        .then_some(start + quote..start + quote + name.len())
}

/// Where the text of a list's item stands.
fn item(doc: &Doc<'_>, entry: &Entry, name: &str) -> Option<Range<usize>> {
    let start = entry.head.start + entry.indent;
    let line = doc.text.get(start..entry.end)?;
    let at = line.find(name)?;
    Some(start + at..start + at + name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# shop\nservices:\n  market: # ours\n    image: market:1\n    environment:\n      A: market\n\n  \
        api:\n    depends_on:\n      market:\n        condition: service_healthy\n\n  web:\n    depends_on:\n      \
        - 'market' # first\n      - markets";

    #[test]
    fn the_key_and_the_dependencies_change_and_nothing_else() {
        let expected = TEXT
            .replace("  market: # ours", "  quotes: # ours")
            .replace("      market:\n", "      quotes:\n")
            .replace("'market'", "'quotes'");
        assert_eq!(service(TEXT, "market", "quotes"), expected);
    }

    #[test]
    fn what_cannot_be_renamed_stays() {
        assert_eq!(service(TEXT, "nobody", "quotes"), TEXT);
        assert_eq!(service(TEXT, "market", "web"), TEXT, "the new name is taken");
        assert_eq!(service("services: [\n", "market", "quotes"), "services: [\n");
        assert_eq!(
            service("services: { market: { image: a } }\n", "market", "q"),
            "services: { market: { image: a } }\n"
        );
    }
}
