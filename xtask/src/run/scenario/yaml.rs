//! YAML with the line of every key and value, for messages that point at them; knows nothing of scenarios.
//!
//! `serde_yaml` reads plain scalars here, so that `1e3`, `~` and `yes` mean what they mean elsewhere; the tree
//! itself comes from the events of `granit_parser`, because serde stops at the first problem and knows lines
//! only where something is wrong.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::Value;

use crate::error::Failure;

/// A value and the line on which it begins, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// Null, a boolean, a number or a string.
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Node,
}

impl Node {
    /// The value as JSON, keys in their order.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    /// `a list`, `a string`, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar(Value::Null) => "nothing",
            Data::Scalar(Value::Bool(_)) => "a boolean",
            Data::Scalar(Value::Number(_)) => "a number",
            Data::Scalar(_) => "a string",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
        }
    }
}

/// Reads the one document of a file; an empty file is null.
///
/// # Errors
/// With the line in `file`: malformed YAML, and what scenarios do not use: several documents, anchors, aliases,
/// tags, keys that are no strings, and a key twice.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { events: Parser::new_from_str(text), file, at_end: 1 };
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if document.is_some() => {
                return Err(reader.refuse("more than one document in a scenario file", &span));
            }
            event => document = Some(reader.node(event, &span)?),
        }
    }
    Ok(document.unwrap_or(Node { line: 1, data: Data::Scalar(Value::Null) }))
}

struct Reader<'a, P> {
    events: P,
    file: &'a str,
    at_end: usize,
}

impl<'i, P: Iterator<Item = Result<(Event<'i>, Span), ScanError>>> Reader<'_, P> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<(Event<'i>, Span), Failure> {
        loop {
            let Some(next) = self.events.next() else {
                return Err(self.failure("the YAML ends too early", self.at_end));
            };
            let (event, span) = next
                .map_err(|error| self.failure("malformed YAML", error.marker().line()).why(error.info()))?;
            self.at_end = span.start.line();
            if !matches!(event, Event::Comment(..)) {
                return Ok((event, span));
            }
        }
    }

    fn node(&mut self, event: Event<'i>, span: &Span) -> Result<Node, Failure> {
        let line = span.start.line();
        let data = match event {
            Event::Scalar(text, style, 0, None) => Data::Scalar(scalar(&text, style)),
            Event::SequenceStart(_, 0, None) => Data::List(self.list()?),
            Event::MappingStart(_, 0, None) => Data::Map(self.map()?),
            Event::Alias(_) => return Err(self.refuse("a YAML alias, which scenarios do not use", span)),
            _ => return Err(self.refuse("a YAML anchor or tag, which scenarios do not use", span)),
        };
        Ok(Node { line, data })
    }

    fn list(&mut self) -> Result<Vec<Node>, Failure> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Vec<Entry>, Failure> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                _ => return Err(self.refuse("a key that is no plain text", &span)),
            };
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let first = first.line;
                return Err(self
                    .failure(format!("the key `{key}` stands twice"), line)
                    .why(format!("the first one is on line {first}")));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, &span)?;
            entries.push(Entry { key, line, value });
        }
    }

    fn refuse(&self, what: &str, span: &Span) -> Failure {
        self.failure(what, span.start.line())
    }

    fn failure(&self, what: impl Into<String>, line: usize) -> Failure {
        Failure::new(what).at(format_args!("{}:{line}", self.file))
    }
}

/// Only a plain scalar can be something else than a string.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match serde_yaml::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_of(text: &str) -> Value {
        parse(text, "a.yaml").unwrap().to_json()
    }

    fn error_of(text: &str) -> String {
        parse(text, "a.yaml").unwrap_err().to_string()
    }

    #[test]
    fn scalars_mean_what_yaml_says() {
        assert_eq!(
            json_of("[1, 1.5, true, ~, '1', 2024-01-01, 1_000, abc, \"x: y\"]"),
            json!([1, 1.5, true, null, "1", "2024-01-01", "1_000", "abc", "x: y"])
        );
        assert_eq!(json_of("# nothing\n"), Value::Null);
    }

    #[test]
    fn keys_and_values_know_their_lines() {
        let node = parse("\n# comment\na:\n  - b: |\n      text\n    c: 1\n", "a.yaml").unwrap();
        let Data::Map(entries) = &node.data else { panic!("{node:?}") };
        assert_eq!(entries[0].line, 3);
        let Data::List(items) = &entries[0].value.data else { panic!("{node:?}") };
        let Data::Map(inner) = &items[0].data else { panic!("{node:?}") };
        assert_eq!((items[0].line, inner[0].line, inner[1].line), (4, 4, 6));
    }

    #[test]
    fn what_scenarios_do_not_use_is_refused_with_its_line() {
        assert_eq!(
            error_of("a: 1\na: 2\n"),
            "the key `a` stands twice\n  at a.yaml:2\n  why: the first one is on line 1"
        );
        assert_eq!(
            error_of("a: &x 1\nb: *x\n"),
            "a YAML anchor or tag, which scenarios do not use\n  at a.yaml:1"
        );
        assert_eq!(error_of("a: 1\n---\nb: 1\n"), "more than one document in a scenario file\n  at a.yaml:3");
        assert_eq!(error_of("[a]: 1\n"), "a key that is no plain text\n  at a.yaml:1");
        let broken = error_of("a: 1\nb: [1\n");
        assert!(broken.starts_with("malformed YAML\n  at a.yaml:"), "{broken}");
    }
}
