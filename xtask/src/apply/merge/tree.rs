//! A text as blocks of whole lines with keys, so that a merge can take each block verbatim from one side.
//!
//! Every byte of the text belongs to exactly one range; joining them in order gives the text back. Knows no format:
//! [`super::yaml`] and [`super::env`] make trees.

use std::ops::Range;

/// What a text says, apart from how it is written.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// An explicit tag: `!override`.
    pub tag: Option<String>,
    /// The rest.
    pub data: Data,
}

/// The content of a [`Value`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// A string, in whatever quotes.
    Text(String),
    /// A plain scalar that is no string: number, boolean, null, as written.
    Other(String),
    /// `*name`, as written.
    Alias(String),
    /// In order.
    List(Vec<Value>),
    /// In the order of the text, which does not count.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Untagged.
    pub(super) fn plain(data: Data) -> Self {
        Value { tag: None, data }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) | Data::Other(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a map or a list without entries.
    pub(super) fn is_empty(&self) -> bool {
        match &self.data {
            Data::Map(pairs) => pairs.is_empty(),
            Data::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        match &self.data {
            Data::Map(pairs) => pairs.iter().find(|(k, _)| k.scalar() == Some(key)).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.data, &other.data) {
            (Data::Map(a), Data::Map(b)) => a.len() == b.len() && a.iter().all(|pair| b.contains(pair)),
            (a, b) => a == b,
        };
        same && self.tag == other.tag
    }
}

/// A whole text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Doc<'t> {
    /// What the ranges point into.
    pub text: &'t str,
    /// What stands above everything and belongs to no entry.
    pub prologue: Range<usize>,
    /// The rest.
    pub root: Block,
}

/// Entries below each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    /// Map or list; they do not mix.
    pub kind: BlockKind,
    /// In the order of the text; keys differ.
    pub entries: Vec<Entry>,
    /// Comments and blank lines below the last entry.
    pub tail: Range<usize>,
}

/// What the entries of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Keys with values.
    Map,
    /// Items, their keys made from what they hold.
    List,
}

/// One key or item with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key, or what identifies the item.
    pub key: String,
    /// The key as a value.
    pub name: Value,
    /// What the entry says.
    pub value: Value,
    /// Columns before it.
    pub indent: usize,
    /// Comments and blank lines above it.
    pub lead: Range<usize>,
    /// From the start of its line to its value.
    pub head: Range<usize>,
    /// The value.
    pub body: Body,
    /// Behind the entry.
    pub end: usize,
}

/// The value of an entry in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// Taken as one.
    Leaf {
        /// Without the white space around it.
        value: Range<usize>,
        /// A comment behind it and the line end, or further lines of comment.
        rest: Range<usize>,
    },
    /// Merged entry by entry.
    Block(Block),
}

impl Doc<'_> {
    /// A range as text.
    pub(super) fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// What the whole text says.
    pub(super) fn value(&self) -> Value {
        let pairs = self.root.entries.iter().map(|entry| (entry.name.clone(), entry.value.clone()));
        Value::plain(Data::Map(pairs.collect()))
    }

    /// An entry with its value, without what stands above it.
    pub(super) fn own(&self, entry: &Entry) -> &str {
        self.slice(&(entry.head.start..entry.end))
    }

    /// An entry by its keys from the root; keys may contain dots.
    pub(super) fn find(&self, path: &str) -> Option<&Entry> {
        find(&self.root, path)
    }
}

fn find<'a>(block: &'a Block, path: &str) -> Option<&'a Entry> {
    block.entries.iter().find_map(|entry| {
        let rest = path.strip_prefix(entry.key.as_str())?;
        if rest.is_empty() {
            return Some(entry);
        }
        match &entry.body {
            Body::Block(block) => find(block, rest.strip_prefix('.')?),
            Body::Leaf { .. } => None,
        }
    })
}

impl Entry {
    /// Its entries, where it has some.
    pub(super) fn block(&self) -> Option<&Block> {
        match &self.body {
            Body::Block(block) => Some(block),
            Body::Leaf { .. } => None,
        }
    }
}

impl Block {
    /// An entry by its key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The column of the entries.
    pub(super) fn indent(&self) -> usize {
        self.entries.first().map_or(0, |entry| entry.indent)
    }
}

/// Lines moved to the right (or left, where negative); blank lines stay blank.
pub(super) fn shift(text: &str, by: isize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            out.push_str(line);
        } else if by >= 0 {
            out.extend(std::iter::repeat_n(' ', by.unsigned_abs()));
            out.push_str(line);
        } else {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            out.push_str(&line[blanks.min(by.unsigned_abs())..]);
        }
    }
    out
}
