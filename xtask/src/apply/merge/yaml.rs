//! YAML text as a tree of blocks by the byte spans of its parser; changes no text.
//!
//! A block is a block mapping or sequence whose entries stand on lines of their own. Everything else (flow style,
//! block scalars, the compact map of a sequence item) is a leaf and taken as one.

use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle};

use super::items;
use super::tree::{Block, BlockKind, Body, Data, Doc, Entry, Value};

/// Reads one document whose root is a block mapping, or nothing at all.
///
/// # Errors
/// Why it cannot be merged, in words.
pub(super) fn parse(text: &str) -> Result<Doc<'_>, String> {
    let Some(root) = Reader::new(text).document()? else {
        let tail = text.len()..text.len();
        let root = Block { kind: BlockKind::Map, entries: Vec::new(), tail };
        return Ok(Doc { text, prologue: 0..text.len(), root });
    };
    let layout = Layout { text };
    let start = layout.prologue(root.start);
    let mut path = Vec::new();
    match layout.block(&root, start..text.len(), &mut path) {
        Some(root) if root.kind == BlockKind::Map => Ok(Doc { text, prologue: 0..start, root }),
        _ => Err("its top level is not a plain block of keys".to_owned()),
    }
}

/// The value of a whole document; null where it holds nothing.
///
/// # Errors
/// As [`parse`].
pub(super) fn value(text: &str) -> Result<Value, String> {
    let root = Reader::new(text).document()?;
    Ok(root.map_or_else(|| Value::plain(Data::Map(Vec::new())), |node| node.value))
}

/// The whole document with the place of each value; `None` where it holds nothing.
///
/// # Errors
/// As [`parse`].
pub(super) fn node(text: &str) -> Result<Option<Node>, String> {
    Reader::new(text).document()
}

/// A value and where its first and last token stand.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shape: Shape,
}

/// How a value is written.
pub(super) enum Shape {
    /// A block mapping.
    Map(Vec<(Node, Node)>),
    /// A flow mapping: `{ a: b }`.
    Flow(Vec<(Node, Node)>),
    /// A block sequence.
    List(Vec<Node>),
    /// Anything else.
    Other,
}

struct Reader<'t> {
    text: &'t str,
    events: Peekable<Parser<'t, StrInput<'t>>>,
}

type Item<'t> = (Event<'t>, Span);

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let options = granit_parser::options! { emit_anchor_events: true, emit_comments: false };
        Reader { text, events: Parser::new_from_str_with_options(text, options).peekable() }
    }

    fn document(mut self) -> Result<Option<Node>, String> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(root),
                _ if root.is_some() => return Err("it holds more than one document".to_owned()),
                item => root = Some(self.node(item)?).filter(|node| node.end > node.start),
            }
        }
    }

    fn next(&mut self) -> Result<Item<'t>, String> {
        match self.events.next() {
            Some(Ok(item)) => Ok(item),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(format!("line {} is not valid YAML ({})", marker.line(), error.info()))
            }
            None => Err("it ends too early".to_owned()),
        }
    }

    fn node(&mut self, (event, span): Item<'t>) -> Result<Node, String> {
        let at = bytes(span);
        let mut outer = at.clone();
        let tag = span.tag_span().map(|tag| {
            outer = join(&outer, &bytes(tag));
            self.text.get(bytes(tag)).unwrap_or_default().to_owned()
        });
        if let Some(Ok((Event::Anchor(..), anchor))) = self.events.peek() {
            outer = join(&outer, &bytes(*anchor));
            self.events.next();
        }
        let (data, shape, end) = match event {
            Event::Alias(_) => {
                let name = self.text.get(at.clone()).unwrap_or_default();
                (Data::Alias(name.to_owned()), Shape::Other, outer.end)
            }
            Event::Scalar(text, style, ..) => {
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    let scalar = self.block_scalar(at.clone());
                    outer = outer.start.min(scalar.start)..scalar.end;
                }
                (scalar(text, style, at.is_empty()), Shape::Other, outer.end)
            }
            Event::MappingStart(style, ..) => self.map(style, outer.end)?,
            Event::SequenceStart(style, ..) => self.list(style, outer.end)?,
            _ => return Err("it is not understood".to_owned()),
        };
        Ok(Node { value: Value { tag, data }, start: outer.start, end, shape })
    }

    /// A block scalar with its header, which the span leaves out, and without the blank lines behind it, which the
    /// span takes in but which count only where the header keeps them.
    fn block_scalar(&self, content: Range<usize>) -> Range<usize> {
        let above = self.text.get(..content.start).unwrap_or_default().trim_end();
        let line = above.rfind('\n').map_or(0, |end| end + 1);
        let is_header = |at: &usize| {
            let rest =
                above[at + 1..].trim_start_matches(|sign: char| sign.is_ascii_digit() || "+-".contains(sign));
            let blank = above[..*at].ends_with([' ', '\t']);
            blank
                && (rest.is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#')))
        };
        let signs = above[line..].match_indices(['|', '>']).map(|(at, _)| line + at);
        let start = signs.into_iter().find(is_header).unwrap_or(above.len());
        let header = above[start..].split('#').next().unwrap_or_default();
        let text = self.text.get(content.clone()).unwrap_or_default();
        let kept = match text.rfind('\n') {
            Some(end) if header.contains('+') => end + 1,
            _ => text.trim_end().len(),
        };
        start..above.len().max(if kept == 0 { 0 } else { content.start + kept })
    }

    fn map(&mut self, style: StructureStyle, mut end: usize) -> Result<(Data, Shape, usize), String> {
        let mut pairs = Vec::new();
        loop {
            let item = self.next()?;
            if let (Event::MappingEnd, span) = item {
                end = end.max(if style == StructureStyle::Flow { bytes(span).end } else { 0 });
                break;
            }
            let key = self.node(item)?;
            let item = self.next()?;
            let value = self.node(item)?;
            end = end.max(key.end).max(value.end);
            pairs.push((key, value));
        }
        let data =
            Data::Map(pairs.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect());
        Ok((data, if style == StructureStyle::Block { Shape::Map(pairs) } else { Shape::Flow(pairs) }, end))
    }

    fn list(&mut self, style: StructureStyle, mut end: usize) -> Result<(Data, Shape, usize), String> {
        let mut items = Vec::new();
        loop {
            let item = self.next()?;
            if let (Event::SequenceEnd, span) = item {
                end = end.max(if style == StructureStyle::Flow { bytes(span).end } else { 0 });
                break;
            }
            let node = self.node(item)?;
            end = end.max(node.end);
            items.push(node);
        }
        let data = Data::List(items.iter().map(|item| item.value.clone()).collect());
        Ok((data, if style == StructureStyle::Block { Shape::List(items) } else { Shape::Other }, end))
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

fn join(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, empty: bool) -> Data {
    if style != ScalarStyle::Plain {
        return Data::Text(text.into_owned());
    }
    if empty {
        return Data::Other("null".to_owned());
    }
    // YAML 1.1 reads more as numbers and dates than 1.2: 22:22, 1_000, 0x1F, 2024-01-01.
    let number = text.starts_with(|sign: char| sign.is_ascii_digit() || "+-.".contains(sign))
        && text.chars().all(|sign| sign.is_ascii_hexdigit() || "+-._:xo".contains(sign));
    let word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    match text.to_ascii_lowercase().as_str() {
        "~" => Data::Other("null".to_owned()),
        lower if number || word.contains(&lower) => Data::Other(text.into_owned()),
        _ => Data::Text(text.into_owned()),
    }
}

/// Finds the lines that belong to each entry.
struct Layout<'t> {
    text: &'t str,
}

impl Layout<'_> {
    /// The head of the file: up to the last blank line or document marker above the first key.
    fn prologue(&self, first: usize) -> usize {
        let above = &self.text[..self.line(first)];
        let mut end = 0;
        let mut at = 0;
        for line in above.split_inclusive('\n') {
            at += line.len();
            if line.trim().is_empty() || line.starts_with("---") || line.starts_with('%') {
                end = at;
            }
        }
        end
    }

    fn block(&self, node: &Node, region: Range<usize>, path: &mut Vec<String>) -> Option<Block> {
        let (kind, parts) = match &node.shape {
            Shape::Map(pairs) => (BlockKind::Map, self.keys(pairs)?),
            Shape::List(nodes) => (BlockKind::List, self.items(nodes, &node.value, path)?),
            Shape::Flow(_) | Shape::Other => return None,
        };
        let first = parts.first()?;
        let indent = first.start - self.line(first.start);
        let mut entries: Vec<Entry> = Vec::with_capacity(parts.len());
        let mut lead = region.start;
        for (i, part) in parts.iter().enumerate() {
            let line = self.line(part.start);
            if part.start - line != indent || !self.is_blank(line..part.start) || line < lead {
                return None;
            }
            let content = self.line_end(part.end);
            let limit = parts.get(i + 1).map_or(region.end, |next| self.line(next.start));
            if limit < content {
                return None;
            }
            let end = content + self.deeper(content..limit, indent);
            path.push(part.key.clone());
            entries.push(self.entry(part, lead..line, end, path));
            path.pop();
            lead = end;
        }
        Some(Block { kind, entries, tail: lead..region.end })
    }

    fn entry(&self, part: &Part<'_>, lead: Range<usize>, end: usize, path: &mut Vec<String>) -> Entry {
        let line = lead.end;
        let below = self.line_end(part.head_end);
        let (head, body) = match self.block(part.value, below..end, path) {
            Some(block) => (line..below, Body::Block(block)),
            None => {
                let start = part.value_start();
                let stop = part.value.end.max(start);
                (line..start, Body::Leaf { value: start..stop, rest: stop..end })
            }
        };
        Entry {
            key: part.key.clone(),
            name: part.name.clone(),
            value: part.value.value.clone(),
            indent: part.start - line,
            lead,
            head,
            body,
            end,
        }
    }

    fn keys<'n>(&self, pairs: &'n [(Node, Node)]) -> Option<Vec<Part<'n>>> {
        let mut parts: Vec<Part<'n>> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let name = key.value.scalar()?.to_owned();
            let colon = key.end + self.text.get(key.end..)?.find(':')?;
            if !self.is_blank(key.end..colon) || parts.iter().any(|part| part.key == name) {
                return None;
            }
            parts.push(Part {
                key: name,
                name: key.value.clone(),
                start: key.start,
                head_end: self.head_end(colon + 1, value),
                colon: colon + 1,
                end: value.end.max(colon + 1),
                value,
            });
        }
        Some(parts)
    }

    /// Where the properties of a block value end: `key: &anchor !tag`.
    fn head_end(&self, colon: usize, value: &Node) -> usize {
        let first = match &value.shape {
            Shape::Map(pairs) => pairs.first().map(|(key, _)| key.start),
            Shape::List(items) => items.first().map(|item| item.start),
            Shape::Flow(_) | Shape::Other => None,
        };
        let line = self.line(value.start.max(colon));
        let inside = first.is_some_and(|first| line < self.line(first));
        if value.start >= colon && inside { value.start } else { colon }
    }

    fn items<'n>(&self, nodes: &'n [Node], list: &Value, path: &[String]) -> Option<Vec<Part<'n>>> {
        let Data::List(values) = &list.data else { return None };
        let names = items::identities(path.last().map(String::as_str).unwrap_or_default(), values)?;
        nodes
            .iter()
            .zip(names)
            .map(|(value, key)| {
                let line = self.line(value.start);
                let text = self.text.get(line..value.start)?;
                let dash = line + text.find(|sign: char| sign != ' ')?;
                if !self.text[dash..].starts_with('-') || dash == value.start || value.end == value.start {
                    return None;
                }
                Some(Part {
                    name: Value::plain(Data::Text(key.clone())),
                    key,
                    start: dash,
                    head_end: value.end,
                    colon: dash + 1,
                    end: value.end,
                    value,
                })
            })
            .collect()
    }

    /// How much of the comments in `gap` stands deeper than `indent`, and so belongs to what is above.
    fn deeper(&self, gap: Range<usize>, indent: usize) -> usize {
        let (mut at, mut end) = (0, 0);
        for line in self.text[gap].split_inclusive('\n') {
            at += line.len();
            let text = line.trim_start_matches(' ');
            if text.trim().is_empty() {
                continue;
            }
            if !text.starts_with('#') || line.len() - text.len() <= indent {
                break;
            }
            end = at;
        }
        end
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Behind the line that holds the byte before `at`.
    fn line_end(&self, at: usize) -> usize {
        if at > 0 && self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    fn is_blank(&self, range: Range<usize>) -> bool {
        self.text.get(range).is_some_and(|text| text.trim().is_empty())
    }
}

/// An entry before its lines are known.
struct Part<'n> {
    key: String,
    name: Value,
    start: usize,
    colon: usize,
    head_end: usize,
    end: usize,
    value: &'n Node,
}

impl Part<'_> {
    fn value_start(&self) -> usize {
        self.value.start.max(self.colon)
    }
}
