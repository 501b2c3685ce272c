//! Reads a tree of YAML strictly: unknown keys and wrong kinds of values become failures with line and suggestion,
//! all of them in one pass. Knows no key of a scenario.

use serde_json::Value;

use super::yaml::{Data, Entry, Node};
use crate::error::Failure;

/// The failures of one file so far.
#[derive(Debug)]
pub(super) struct Report<'f> {
    pub(super) file: &'f str,
    pub(super) failures: Vec<Failure>,
}

/// A mapping whose keys are known ones, and its name: `steps[0].request`.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    pub(super) at: String,
    pub(super) line: usize,
    entries: &'n [Entry],
}

impl<'f> Report<'f> {
    pub(super) fn new(file: &'f str) -> Self {
        Report { file, failures: Vec::new() }
    }

    /// Adds a failure with its place.
    pub(super) fn add(&mut self, line: usize, failure: Failure) {
        self.failures.push(failure.at(format_args!("{}:{line}", self.file)));
    }

    /// The mapping at `node`; `what` (`a step`) and `keys` are for the message about an unknown key.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        at: &str,
        what: &str,
        keys: &[&str],
    ) -> Option<Fields<'n>> {
        let Data::Map(entries) = &node.data else {
            self.wrong(node, at, &format!("{what} is a mapping"));
            return None;
        };
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            let failure = Failure::new(format!("unknown key `{}`", join(at, &entry.key)))
                .why(format!("{what} takes {}", crate::ui::list(keys)))
                .did_you_mean(&entry.key, keys.iter().copied());
            self.add(entry.line, failure);
        }
        Some(Fields { at: at.to_owned(), line: node.line, entries })
    }

    /// A value of the wrong kind; `rule` says what belongs there.
    pub(super) fn wrong(&mut self, node: &Node, at: &str, rule: &str) {
        let got = match &node.data {
            Data::Scalar(value) if !value.is_null() => format!("`{}`", super::vars::plain(value)),
            _ => node.kind().to_owned(),
        };
        let place = if at.is_empty() { "the file".to_owned() } else { format!("`{at}`") };
        self.add(node.line, Failure::new(format!("wrong value for {place}: {got}")).why(rule));
    }

    /// The items of a list.
    pub(super) fn list<'n>(&mut self, node: &'n Node, at: &str, rule: &str) -> &'n [Node] {
        if let Data::List(items) = &node.data {
            return items;
        }
        self.wrong(node, at, rule);
        &[]
    }

    /// The entries of a mapping whose keys are the user's own.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, at: &str, rule: &str) -> &'n [Entry] {
        if let Data::Map(entries) = &node.data {
            return entries;
        }
        self.wrong(node, at, rule);
        &[]
    }

    /// A string that is not empty; numbers and booleans are taken as they are written.
    pub(super) fn text(&mut self, node: &Node, at: &str) -> Option<String> {
        if let Data::Scalar(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) = &node.data {
            let text = super::vars::plain(value);
            if !text.is_empty() {
                return Some(text);
            }
        }
        self.wrong(node, at, "a text belongs here");
        None
    }

    /// A whole number in a range.
    pub(super) fn number(
        &mut self,
        node: &Node,
        at: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        if let Data::Scalar(value) = &node.data
            && let Some(number) = value.as_u64().filter(|number| range.contains(number))
        {
            return Some(number);
        }
        let (low, high) = range.into_inner();
        self.wrong(node, at, &format!("a whole number from {low} to {high} belongs here"));
        None
    }

    /// A value read by a function whose error says the rule.
    pub(super) fn read<T>(
        &mut self,
        node: &Node,
        at: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node, at)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.wrong(node, at, &rule);
                None
            }
        }
    }
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The name of a key from the top of the file.
    pub(super) fn name(&self, key: &str) -> String {
        join(&self.at, key)
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, report: &mut Report<'_>, key: &str, what: &str) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() {
            report.add(self.line, Failure::new(format!("`{}` is missing", self.name(key))).why(what));
        }
        node
    }
}

/// `steps[0]` and `name` are `steps[0].name`.
pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
