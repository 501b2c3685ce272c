//! Sets or removes one value in a YAML text and leaves every other byte as it is; knows nothing of what keys mean.

use std::ops::Range;

use super::tree::{Data, Value};
use super::yaml::{self, Node, Shape};

/// `text` with the value at `path` (keys from the root) replaced by `value`, YAML that fits on a line; keys that are
/// missing are added below the last one of their block, in its style. Quotes stay as the user wrote them.
///
/// # Errors
/// Why the text cannot be edited, in words.
pub fn set(text: &str, path: &[&str], value: &str) -> Result<String, String> {
    let meant = yaml::value(&format!("x: {value}"))?.get("x").cloned().ok_or("there is no value")?;
    let text = closed(text);
    let root = yaml::node(&text)?;
    let edit = match &root {
        None => appended(&text, path, value, 2),
        Some(root) => Editor { text: &text, step: step(&text, root) }.set(root, path, value, true)?,
    };
    let mut whole = root.map_or_else(|| Value::plain(Data::Map(Vec::new())), |root| root.value);
    put(&mut whole, path, &meant);
    checked(edit.applied(&text), &whole)
}

/// `text` without the value at `path`, and without the maps that would be empty then; as it is where there is none.
///
/// # Errors
/// Why the text cannot be edited, in words.
pub fn unset(text: &str, path: &[&str]) -> Result<String, String> {
    let text = closed(text);
    let Some(root) = yaml::node(&text)? else { return Ok(text) };
    let Some(length) = removable(&root, path) else { return Ok(text) };
    let editor = Editor { text: &text, step: 2 };
    let edit = editor.unset(&root, &path[..length])?;
    let mut whole = root.value.clone();
    take(&mut whole, &path[..length]);
    checked(edit.applied(&text), &whole)
}

/// Whether the text says anything at `path`.
///
/// # Errors
/// Where the text is no YAML.
pub fn has(text: &str, path: &[&str]) -> Result<bool, String> {
    let whole = yaml::value(text)?;
    Ok(path.iter().try_fold(&whole, |value, key| value.get(key)).is_some())
}

fn checked(edited: String, meant: &Value) -> Result<String, String> {
    match yaml::value(&edited) {
        Ok(says) if says == *meant => Ok(edited),
        Ok(_) => Err("it could not be edited safely".to_owned()),
        Err(why) => Err(format!("it could not be edited: {why}")),
    }
}

/// A last line without its end would join what is added below it.
fn closed(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// A range of the text and what takes its place.
struct Edit {
    at: Range<usize>,
    text: String,
}

impl Edit {
    fn applied(&self, text: &str) -> String {
        format!("{}{}{}", &text[..self.at.start], self.text, &text[self.at.end..])
    }
}

/// A new top-level key at the end of the file, where people look for what was added.
fn appended(text: &str, path: &[&str], value: &str, step: usize) -> Edit {
    let airy = path.len() > 1 || text.trim().contains("\n\n");
    let gap = if airy && !text.is_empty() && !text.ends_with("\n\n") { "\n" } else { "" };
    Edit { at: text.len()..text.len(), text: format!("{gap}{}", block(path, value, 0, step)) }
}

/// `a:`, `  b:`, `    c: value`
fn block(path: &[&str], value: &str, indent: usize, step: usize) -> String {
    let mut out = String::new();
    for (depth, key) in path.iter().enumerate() {
        out.push_str(&" ".repeat(indent + depth * step));
        out.push_str(&scalar(key));
        out.push(':');
        if depth + 1 == path.len() {
            out.push_str(&format!(" {value}"));
        }
        out.push('\n');
    }
    out
}

/// `a: { b: value }`
fn flow(path: &[&str], value: &str) -> String {
    match path {
        [] => value.to_owned(),
        [key] => format!("{}: {value}", scalar(key)),
        [key, rest @ ..] => format!("{}: {{ {} }}", scalar(key), flow(rest, value)),
    }
}

/// Columns by which this file's blocks are moved to the right.
fn step(text: &str, root: &Node) -> usize {
    let Shape::Map(pairs) = &root.shape else { return 2 };
    let first = pairs.iter().find_map(|(_, value)| match &value.shape {
        Shape::Map(pairs) => pairs.first().map(|(key, _)| column(text, key.start)),
        _ => None,
    });
    first.filter(|step| *step > 0).unwrap_or(2)
}

fn line(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

fn column(text: &str, at: usize) -> usize {
    at - line(text, at)
}

/// Behind the line that holds the byte before `at`.
fn line_end(text: &str, at: usize) -> usize {
    if at > 0 && text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn find<'n>(pairs: &'n [(Node, Node)], key: &str) -> Option<&'n (Node, Node)> {
    pairs.iter().find(|(name, _)| name.value.scalar() == Some(key))
}

fn is_empty(node: &Node) -> bool {
    node.end <= node.start
}

/// How many keys of the path go: the last one, and the maps of which it is the only one. `None` where it is not there.
fn removable(root: &Node, path: &[&str]) -> Option<usize> {
    let (mut node, mut length) = (root, 0);
    for (depth, key) in path.iter().enumerate() {
        let (Shape::Map(pairs) | Shape::Flow(pairs)) = &node.shape else { return None };
        node = &find(pairs, key)?.1;
        if pairs.len() > 1 || depth == 0 {
            length = depth + 1;
        }
    }
    Some(length)
}

struct Editor<'t> {
    text: &'t str,
    step: usize,
}

impl Editor<'_> {
    fn set(&self, node: &Node, path: &[&str], value: &str, top: bool) -> Result<Edit, String> {
        let [key, rest @ ..] = path else { return Err("there is no key".to_owned()) };
        match &node.shape {
            Shape::Map(pairs) => match find(pairs, key) {
                Some((name, child)) if rest.is_empty() => self.replace(name, child, value),
                Some((name, child)) if is_empty(child) => self.below(name, rest, value),
                Some((_, child)) => self.inside(child, key, rest, value),
                None if top => Ok(appended(self.text, path, value, self.step)),
                None => {
                    let indent = pairs.first().map_or(0, |(first, _)| column(self.text, first.start));
                    let at = line_end(self.text, node.end);
                    Ok(Edit { at: at..at, text: block(path, value, indent, self.step) })
                }
            },
            Shape::Flow(pairs) => match find(pairs, key) {
                Some((_, child)) if is_empty(child) => Err("it is empty inside braces".to_owned()),
                Some((_, child)) if rest.is_empty() => Ok(self.in_place(child, value)),
                Some((_, child)) => self.inside(child, key, rest, value),
                None => Ok(self.inside_braces(node, pairs, &flow(path, value))),
            },
            Shape::List(_) | Shape::Other => match &node.value.data {
                Data::Alias(name) => {
                    Err(format!("it is `*{}`, a copy of another place", name.trim_start_matches('*')))
                }
                _ => Err("it is no map".to_owned()),
            },
        }
    }

    fn inside(&self, child: &Node, key: &str, path: &[&str], value: &str) -> Result<Edit, String> {
        let named =
            |why: String| why.strip_prefix("it ").map_or(why.clone(), |rest| format!("`{key}` {rest}"));
        self.set(child, path, value, false).map_err(named)
    }

    fn inside_braces(&self, node: &Node, pairs: &[(Node, Node)], text: &str) -> Edit {
        match pairs.last() {
            Some((name, child)) => {
                let at = name.end.max(child.end);
                Edit { at: at..at, text: format!(", {text}") }
            }
            None => {
                let start =
                    self.text[node.start..node.end].find('{').map_or(node.start, |at| node.start + at);
                Edit { at: start..node.end, text: format!("{{ {text} }}") }
            }
        }
    }

    /// A key that has no value yet gets a block.
    fn below(&self, name: &Node, path: &[&str], value: &str) -> Result<Edit, String> {
        let at = line_end(self.text, name.end);
        let indent = column(self.text, name.start) + self.step;
        Ok(Edit { at: at..at, text: block(path, value, indent, self.step) })
    }

    fn replace(&self, name: &Node, child: &Node, value: &str) -> Result<Edit, String> {
        let colon = self.text[name.end..].find(':').map(|at| name.end + at + 1).ok_or("it has no colon")?;
        if is_empty(child) {
            return Ok(Edit { at: colon..colon, text: format!(" {value}") });
        }
        if !matches!(child.shape, Shape::Map(_) | Shape::List(_)) {
            return Ok(self.in_place(child, value));
        }
        // The comments inside a block outlive it: above the key, where they are still about it.
        let start = line(self.text, name.start);
        let end = line_end(self.text, child.end);
        let first = line_end(self.text, colon).min(end);
        let indent = " ".repeat(column(self.text, name.start));
        let mut text = String::new();
        for comment in self.text[first..end].lines().filter_map(comment) {
            text.push_str(&format!("{indent}{comment}\n"));
        }
        let behind = self.text[colon..first].trim_end();
        let behind = if behind.trim_start().starts_with('#') { behind } else { "" };
        text.push_str(&format!("{} {value}{behind}\n", &self.text[start..colon]));
        Ok(Edit { at: start..end, text })
    }

    fn in_place(&self, child: &Node, value: &str) -> Edit {
        let old = &self.text[child.start..child.end];
        Edit { at: child.start..child.end, text: restyled(old, value) }
    }

    fn unset(&self, node: &Node, path: &[&str]) -> Result<Edit, String> {
        let [key, rest @ ..] = path else { return Err("there is no key".to_owned()) };
        let (Shape::Map(pairs) | Shape::Flow(pairs)) = &node.shape else {
            return Err("it is no map".to_owned());
        };
        let (name, child) = find(pairs, key).ok_or("it is not there")?;
        if !rest.is_empty() {
            return self.unset(child, rest);
        }
        let end = name.end.max(child.end);
        if matches!(node.shape, Shape::Map(_)) {
            return Ok(Edit {
                at: line(self.text, name.start)..line_end(self.text, end),
                text: String::new(),
            });
        }
        let at = pairs.iter().position(|(other, _)| other.start == name.start).unwrap_or_default();
        let range = match (at.checked_sub(1).map(|before| &pairs[before]), pairs.get(at + 1)) {
            (_, Some((next, _))) => name.start..next.start,
            (Some((before, value)), None) => before.end.max(value.end)..end,
            (None, None) => name.start..end,
        };
        Ok(Edit { at: range, text: String::new() })
    }
}

/// The comment on a line, alone or behind something.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim();
    if text.starts_with('#') { Some(text) } else { text.find(" #").map(|at| &text[at + 1..]) }
}

/// A new scalar in the quotes of the old one.
fn restyled(old: &str, new: &str) -> String {
    let Ok(Some(Data::Text(content) | Data::Other(content))) =
        yaml::value(&format!("x: {new}")).map(|value| value.get("x").map(|value| value.data.clone()))
    else {
        return new.to_owned();
    };
    let number = !content.is_empty() && content.chars().all(|sign| sign.is_ascii_digit());
    let one_line = !content.contains(['\n', '\\', '"', '\'']);
    match old.chars().next() {
        Some(quote @ ('"' | '\'')) if one_line => format!("{quote}{content}{quote}"),
        Some(first) if first.is_ascii_digit() && number => content,
        _ => new.to_owned(),
    }
}

fn put(whole: &mut Value, path: &[&str], meant: &Value) {
    let [key, rest @ ..] = path else {
        *whole = meant.clone();
        return;
    };
    if !matches!(whole.data, Data::Map(_)) {
        whole.data = Data::Map(Vec::new());
    }
    let Data::Map(pairs) = &mut whole.data else { return };
    match pairs.iter_mut().find(|(name, _)| name.scalar() == Some(key)) {
        Some((_, value)) => put(value, rest, meant),
        None => {
            let mut value = Value::plain(Data::Map(Vec::new()));
            put(&mut value, rest, meant);
            pairs.push((Value::plain(Data::Text((*key).to_owned())), value));
        }
    }
}

fn take(whole: &mut Value, path: &[&str]) {
    let [key, rest @ ..] = path else { return };
    let Data::Map(pairs) = &mut whole.data else { return };
    if rest.is_empty() {
        pairs.retain(|(name, _)| name.scalar() != Some(key));
    } else if let Some((_, value)) = pairs.iter_mut().find(|(name, _)| name.scalar() == Some(key)) {
        take(value, rest);
    }
}

/// A key as it is written, in quotes wherever YAML would read something else.
fn scalar(key: &str) -> String {
    let plain = key.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && key.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-.".contains(sign));
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if plain && !words.contains(&key.to_ascii_lowercase().as_str()) {
        return key.to_owned();
    }
    // JSON's strings are YAML's in double quotes.
    serde_json::to_string(key).unwrap_or_default()
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
