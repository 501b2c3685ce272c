//! An env file as a tree of variables, the comments above each with it; changes no text.

use super::tree::{Block, BlockKind, Body, Data, Doc, Entry, Value};

/// Reads an env file; a commented-out variable (`# PORT=3000`) counts as one.
///
/// # Errors
/// Why it cannot be merged, in words.
pub(super) fn parse(text: &str) -> Result<Doc<'_>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut at, mut lead) = (0, 0);
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        let Some((name, value)) = variable(&text[at..line_end]) else {
            at = line_end;
            continue;
        };
        let start = at + value;
        let end = start + quoted(&text[start..]);
        let below = text[end..].find('\n').map_or(text.len(), |next| end + next + 1);
        if entries.iter().any(|entry| entry.key == name) {
            return Err(format!("`{name}` stands in it twice"));
        }
        let stop = start + text[start..below].trim_end().len();
        entries.push(Entry {
            key: name.to_owned(),
            name: Value::plain(Data::Text(name.to_owned())),
            value: Value::plain(Data::Text(text[at..stop].to_owned())),
            indent: 0,
            lead: lead..at,
            head: at..at,
            body: Body::Leaf { value: at..stop, rest: stop..below },
            end: below,
        });
        (at, lead) = (below, below);
    }
    let root = Block { kind: BlockKind::Map, entries, tail: lead..text.len() };
    Ok(Doc { text, prologue: 0..0, root })
}

/// The name of the variable on a line and where its value starts.
fn variable(line: &str) -> Option<(&str, usize)> {
    let text = line.strip_prefix("# ").or(line.strip_prefix('#')).unwrap_or(line);
    let text = text.strip_prefix("export ").unwrap_or(text);
    let (name, value) = text.split_once('=')?;
    let trimmed = name.trim();
    let valid = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let is_name = trimmed.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && trimmed.chars().all(valid);
    // "# see FOO=1" is prose; so is "# a=b" in lower case.
    let prose = line.starts_with('#') && trimmed.chars().any(|sign| sign.is_ascii_lowercase());
    (is_name && !prose).then(|| (trimmed, line.len() - value.len()))
}

/// How far a quoted value goes, over line ends; 0 where it is not quoted or not closed.
fn quoted(text: &str) -> usize {
    let body = text.trim_start_matches(' ');
    let start = text.len() - body.len();
    let Some(quote) = body.chars().next().filter(|quote| ['"', '\''].contains(quote)) else { return 0 };
    let mut escaped = false;
    for (at, sign) in body.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if sign == quote => return start + at + 1,
            _ => {}
        }
    }
    0
}
