//! One TOML file of a person's: parsed, with lines for messages, and edited with its comments kept; decides nothing.

use toml_edit::{Array, Document, DocumentMut, Item, Value};

use super::Found;
use crate::error::Failure;

/// Reads it to be edited; an empty one where there is none.
///
/// # Errors
/// Where it is no TOML.
pub(super) fn parse(found: &Found, name: &str) -> Result<DocumentMut, Failure> {
    found.text(name).unwrap_or_default().parse().map_err(|why: toml_edit::TomlError| {
        let text = found.text(name).unwrap_or_default();
        let line = why.span().map_or(1, |span| line_at(text, span.start));
        Failure::new("a file is no TOML")
            .at(format!("{}:{line}", found.show(name)))
            .why(why.message())
            .fix("mend it, and run the command again")
    })
}

/// `FOLDER/NAME:LINE` of the value at a path of keys, or the file alone.
pub(super) fn place(found: &Found, name: &str, keys: &[&str]) -> String {
    let text = found.text(name).unwrap_or_default();
    let line = Document::parse(text).ok().and_then(|document| {
        let mut item = document.as_item();
        for key in keys {
            item = item.get(key)?;
        }
        item.span().map(|span| line_at(text, span.start))
    });
    match line {
        Some(line) => format!("{}:{line}", found.show(name)),
        None => found.show(name),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The strings of a list; `None` where it is no list.
pub(super) fn strings(item: &Item) -> Option<Vec<&str>> {
    Some(item.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// Adds a string behind the last one, laid out like its neighbours: a comment stays behind what it is about.
pub(super) fn push(array: &mut Array, text: &str) {
    let raw = |raw: Option<&toml_edit::RawString>| {
        raw.and_then(toml_edit::RawString::as_str).unwrap_or_default().to_owned()
    };
    let (end, has_comma) = (raw(Some(array.trailing())), array.trailing_comma());
    let last = array.len().checked_sub(1).and_then(|last| array.get_mut(last));
    let Some(last) = last else { return array.push(text) };
    let lead = raw(last.decor().prefix());
    let behind = if has_comma { end } else { raw(last.decor().suffix()) };
    if !has_comma {
        last.decor_mut().set_suffix("");
    }
    let mut value = Value::from(text);
    match lead.rsplit_once('\n') {
        Some((_, indent)) => {
            value.decor_mut().set_prefix(format!("{}\n{indent}", behind.trim_end()));
            array.push_formatted(value);
            array.set_trailing_comma(true);
            array.set_trailing("\n");
        }
        None => {
            value.decor_mut().set_prefix(" ");
            value.decor_mut().set_suffix(if has_comma { "" } else { &behind });
            array.push_formatted(value);
        }
    }
}
