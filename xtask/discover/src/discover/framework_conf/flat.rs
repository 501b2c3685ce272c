//! Properties, YAML and JSON as flat lists of keys and values with their lines; no meaning.

use std::borrow::Cow;

use serde_json::Value;

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// `spring.datasource.url`, list items by `[0]`; in JSON `ConnectionStrings:Default`.
    pub(super) key: String,
    /// Without quotes.
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: u32,
    /// The profile that the document of the file is for.
    pub(super) profile: Option<String>,
}

/// More is data.
const MAX_ENTRIES: usize = 5000;
/// Deeper is no configuration that a person wrote.
const MAX_DEPTH: usize = 40;

/// A Java properties file.
pub(super) fn properties(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (line, content) in (1..).zip(text.lines()).take(MAX_ENTRIES) {
        let content = content.trim();
        if content.starts_with(['#', '!']) || content.len() > 4000 {
            continue;
        }
        if let Some((key, value)) = content.split_once(['=', ':']) {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            entries.push(Entry { key, value, line, profile: None });
        }
    }
    in_profiles(entries)
}

/// TOML and INI: sections and keys line by line.
pub(super) fn sections(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut section = String::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.starts_with(['#', ';']) || content.len() > 4000 || entries.len() > MAX_ENTRIES {
            continue;
        }
        if content.starts_with('[') {
            let name = content.trim_start_matches('[').split(']').next().unwrap_or_default();
            section = name.trim().to_owned();
        } else if let Some((key, value)) = content.split_once('=') {
            let key = key.trim().trim_matches('"');
            let key = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            entries.push(Entry { key, value: scalar(value).to_owned(), line, profile: None });
        }
    }
    entries
}

/// YAML as people write configuration: block mappings and lists, flow lists of scalars, several documents. Read line by
/// line, because the lines are wanted and because templates in such files are often no valid YAML.
pub(super) fn yaml(text: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut reader = Yaml::default();
    for (line, content) in (1..).zip(text.lines()) {
        if all.len() + reader.entries.len() > MAX_ENTRIES {
            break;
        }
        if content.starts_with("---") || content.starts_with("...") {
            all.extend(in_profiles(std::mem::take(&mut reader).entries));
            continue;
        }
        reader.line(content, line);
    }
    all.extend(in_profiles(reader.entries));
    all
}

/// Marks the entries of a document that is only for a profile.
fn in_profiles(mut entries: Vec<Entry>) -> Vec<Entry> {
    const KEYS: &[&str] = &["spring.config.activate.on-profile", "spring.profiles"];
    let profile =
        entries.iter().find(|entry| KEYS.contains(&entry.key.as_str())).map(|entry| entry.value.clone());
    for entry in &mut entries {
        entry.profile.clone_from(&profile);
    }
    entries
}

#[derive(Default)]
struct Yaml {
    entries: Vec<Entry>,
    /// The keys around the current line with their indents; a list item's key is its index.
    path: Vec<(usize, String)>,
    /// The indent of a block scalar's key, whose lines are text.
    block: Option<usize>,
    items: Vec<(usize, usize)>,
}

impl Yaml {
    fn line(&mut self, content: &str, line: u32) {
        let indent = content.len() - content.trim_start_matches(' ').len();
        let text = content.trim();
        if text.is_empty() || text.starts_with('#') || content.len() > 4000 {
            return;
        }
        if let Some(block) = self.block {
            if indent > block {
                return;
            }
            self.block = None;
        }
        self.entry(indent, text, line, 0);
    }

    fn entry(&mut self, indent: usize, text: &str, line: u32, nested: usize) {
        if nested > MAX_DEPTH || self.path.len() > MAX_DEPTH {
            return;
        }
        if let Some(rest) = text.strip_prefix("- ").or_else(|| (text == "-").then_some("")) {
            while self
                .path
                .last()
                .is_some_and(|(at, key)| *at > indent || (*at == indent && key.starts_with('[')))
            {
                self.path.pop();
            }
            self.items.retain(|(at, _)| *at <= indent);
            let index = match self.items.last_mut() {
                Some((at, index)) if *at == indent => {
                    *index += 1;
                    *index
                }
                _ => {
                    self.items.push((indent, 0));
                    0
                }
            };
            self.path.push((indent, format!("[{index}]")));
            let inner = rest.trim_start();
            if inner.is_empty() {
                return;
            }
            let deeper = indent + (text.len() - inner.len());
            if is_mapping(inner) {
                self.entry(deeper, inner, line, nested + 1);
            } else {
                self.value(inner, line);
            }
            return;
        }
        while self.path.last().is_some_and(|(at, _)| *at >= indent) {
            self.path.pop();
        }
        self.items.retain(|(at, _)| *at < indent);
        let Some((key, value)) = split(text) else { return };
        self.path.push((indent, key.trim_matches(['"', '\'']).to_owned()));
        let value = value.trim();
        if value.starts_with(['|', '>']) {
            self.block = Some(indent);
        } else if !value.is_empty() && !value.starts_with('#') {
            self.value(value, line);
        }
    }

    fn value(&mut self, value: &str, line: u32) {
        let mut key = String::new();
        for (_, part) in &self.path {
            if !key.is_empty() && !part.starts_with('[') {
                key.push('.');
            }
            key.push_str(part);
        }
        let value = scalar(value);
        let value =
            value.strip_prefix('[').and_then(|list| list.strip_suffix(']')).map_or(value, |list| list);
        self.entries.push(Entry { key, value: value.trim().to_owned(), line, profile: None });
    }
}

fn is_mapping(text: &str) -> bool {
    !text.starts_with(['"', '\'', '{', '['])
        && split(text).is_some_and(|(key, _)| !key.contains(' ') && !key.contains("${"))
}

/// At the first colon that a blank or the line's end follows.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| matches!(text.as_bytes().get(at + 1), None | Some(b' ' | b'\t')))?;
    Some((text[..at].trim(), &text[at + 1..]))
}

/// Without quotes, anchor, tag and the comment behind it.
fn scalar(value: &str) -> &str {
    let value = value.trim();
    let value = match value.strip_prefix(['&', '!']) {
        Some(marked) => marked.split_once(' ').map_or("", |(_, rest)| rest.trim()),
        None => value,
    };
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.find(quote).map_or(inner, |end| &inner[..end]);
        }
    }
    value.split(" #").next().unwrap_or_default().trim()
}

/// A JSON object's scalars, keys joined by `:`; lines by looking for the keys in their order.
pub(super) fn json(value: &Value, text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut walker = Walker { text, at: 0, line: 1 };
    walk(value, &mut String::new(), &mut walker, &mut entries, 0);
    entries
}

/// JSON as .NET and editors take it, without its comments and without the commas behind last items. All that stays
/// stands where it stood.
pub(super) fn plain_json(text: &str) -> Cow<'_, str> {
    if !text.contains("//") && !text.contains("/*") && !text.contains(",") {
        return Cow::Borrowed(text);
    }
    let mut plain = text.as_bytes().to_vec();
    // The last comma behind which nothing but blanks and comments came yet.
    let mut comma = None;
    let mut at = 0;
    while let Some(byte) = plain.get(at).copied() {
        let end = match (byte, plain.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at = string_end(&plain, at);
                continue;
            }
            (b'/', Some(b'/')) => memchr::memchr(b'\n', &plain[at..]).map_or(plain.len(), |end| at + end),
            (b'/', Some(b'*')) => {
                memchr::memmem::find(&plain[at..], b"*/").map_or(plain.len(), |end| at + end + 2)
            }
            _ => {
                match byte {
                    b',' => comma = Some(at),
                    b'}' | b']' => {
                        if let Some(comma) = comma.take() {
                            plain[comma] = b' ';
                        }
                    }
                    _ if !byte.is_ascii_whitespace() => comma = None,
                    _ => {}
                }
                at += 1;
                continue;
            }
        };
        plain[at..end].iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8(plain).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Behind the string that begins at `at`.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut from = at + 1;
    while let Some(found) = text.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        let end = from + found;
        if text[end] == b'"' {
            return end + 1;
        }
        from = end + 2;
    }
    text.len()
}

struct Walker<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl Walker<'_> {
    /// Moves to the next place of `"text"`.
    fn to(&mut self, text: &str) {
        let quoted = format!("\"{text}\"");
        if let Some(found) = self.text[self.at..].find(&quoted) {
            let end = self.at + found;
            self.line += u32::try_from(self.text[self.at..end].matches('\n').count()).unwrap_or(0);
            self.at = end;
        }
    }
}

fn walk(value: &Value, key: &mut String, walker: &mut Walker<'_>, entries: &mut Vec<Entry>, depth: usize) {
    if depth > MAX_DEPTH || entries.len() > MAX_ENTRIES {
        return;
    }
    let length = key.len();
    let mut inside = |part: &str, inner: &Value, walker: &mut Walker<'_>, key: &mut String| {
        if !key.is_empty() {
            key.push(':');
        }
        key.push_str(part);
        walk(inner, key, walker, entries, depth + 1);
        key.truncate(length);
    };
    match value {
        Value::Object(map) => {
            for (part, inner) in map {
                walker.to(part);
                inside(part, inner, walker, key);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                if let Value::String(text) = inner {
                    walker.to(text);
                }
                inside(&index.to_string(), inner, walker, key);
            }
        }
        Value::Null => {}
        scalar => {
            let value = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            entries.push(Entry { key: key.clone(), value, line: walker.line, profile: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{} {}={}", entry.line, entry.key, entry.value)).collect()
    }

    #[test]
    fn yaml_is_flattened_with_lines() {
        let text = "a:\n  b: 'x: y' # why\n  list:\n    - one\n    - id: r1\n      uri: lb://x\n  text: |\n    c: d\n  e: [p, q]\nf: 1\n";
        assert_eq!(
            shown(&yaml(text)),
            [
                "2 a.b=x: y",
                "4 a.list[0]=one",
                "5 a.list[1].id=r1",
                "6 a.list[1].uri=lb://x",
                "9 a.e=p, q",
                "10 f=1"
            ]
        );
    }

    #[test]
    fn documents_have_profiles() {
        let entries = yaml("a: 1\n---\nspring:\n  config:\n    activate:\n      on-profile: docker\na: 2\n");
        assert_eq!(entries[0].profile, None);
        assert_eq!(entries[2].profile.as_deref(), Some("docker"));
    }

    #[test]
    fn json_is_flattened_with_lines() {
        let text = "{\n \"A\": {\n  \"B\": \"x\",\n  \"C\": [1, \"y\"]\n }\n}";
        let value = serde_json::from_str(text).expect("valid");
        assert_eq!(shown(&json(&value, text)), ["3 A:B=x", "4 A:C:0=1", "4 A:C:1=y"]);
    }

    #[test]
    fn json_may_hold_comments_and_commas_behind_last_items() {
        let text = "{ // why\n \"A\": { /* one\n two */ \"B\": \"http://x/*\", }, // }\n \"C\": [1, 2,],\n}";
        let value = serde_json::from_str(&plain_json(text)).expect("valid");
        assert_eq!(shown(&json(&value, text)), ["3 A:B=http://x/*", "4 C:0=1", "4 C:1=2"]);
        assert!(serde_json::from_str::<Value>(&plain_json("{\"a\": \"x")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[ab:,/*\\- \n#'\"|\\[\\]&é{}.=]{0,120}") {
            let _ = (yaml(&text), properties(&text), sections(&text), plain_json(&text));
        }
    }
}
