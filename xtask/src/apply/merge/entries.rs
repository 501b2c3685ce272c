//! Merges three trees entry by entry, each block taken verbatim from one side; knows no format.

use std::collections::BTreeSet;

use super::forms;
use super::tree::{Block, BlockKind, Body, Data, Doc, Entry, Value, shift};
use super::{Conflict, Merged};

/// Merges what changed from `base` to `new` into `current`; returns the text and the value that it must have.
pub(super) fn merge(
    base: &Doc<'_>,
    current: &Doc<'_>,
    new: &Doc<'_>,
    generated: &BTreeSet<String>,
) -> (Merged, Value) {
    let mut merger = Merger { base, current, new, generated, path: Vec::new(), merged: Merged::default() };
    let same = !base.text.is_empty() && current.slice(&current.prologue) == base.slice(&base.prologue);
    let prologue = if same { new.slice(&new.prologue) } else { current.slice(&current.prologue) };
    let whole = merger.block(Some(&base.root), &current.root, &new.root);
    let mut merged = merger.merged;
    merged.text = format!("{prologue}{}", whole.text);
    (merged, whole.value)
}

/// A part of the result: its text and what that says.
struct Piece {
    text: String,
    value: Value,
}

/// A piece with the key it stands under; without a value only comments of the user are left of it.
struct Placed {
    key: String,
    text: String,
    says: Option<(Value, Value)>,
}

struct Merger<'a> {
    base: &'a Doc<'a>,
    current: &'a Doc<'a>,
    new: &'a Doc<'a>,
    generated: &'a BTreeSet<String>,
    path: Vec<String>,
    merged: Merged,
}

impl Merger<'_> {
    fn block(&mut self, base: Option<&Block>, current: &Block, new: &Block) -> Piece {
        let base = base.filter(|base| base.kind == current.kind);
        let by = shift_by(new.indent(), current.indent());
        let mut out: Vec<Placed> = Vec::new();
        for mine in &current.entries {
            self.path.push(mine.key.clone());
            let theirs = new.get(&mine.key);
            out.push(self.kept(base.and_then(|base| base.get(&mine.key)), mine, theirs, by));
            self.path.pop();
        }
        for (i, theirs) in new.entries.iter().enumerate() {
            self.path.push(theirs.key.clone());
            let known = base.is_some_and(|base| base.get(&theirs.key).is_some());
            if current.get(&theirs.key).is_none() && (!known || self.takes_generated()) {
                let at = place(&out, new, i);
                let mut text = self.added(theirs, by, i == 0 && at > 0, new);
                if text.starts_with('\n') && !spaced(&out[at..]) {
                    text.push('\n');
                }
                let says = Some((theirs.name.clone(), theirs.value.clone()));
                out.insert(at, Placed { key: theirs.key.clone(), text, says });
            }
            self.path.pop();
        }
        let tail = self.three(
            base.map(|base| self.base.slice(&base.tail)),
            self.current.slice(&current.tail),
            self.new.slice(&new.tail),
            by,
        );
        let first = current.entries.first().map_or("", |first| self.current.slice(&first.lead));
        if !first.starts_with('\n')
            && let Some(top) = out.iter_mut().find(|placed| !placed.text.is_empty())
        {
            top.text = top.text.trim_start_matches('\n').to_owned();
        }
        finish(current.kind, out, &tail)
    }

    /// An entry that the user has.
    fn kept(&mut self, base: Option<&Entry>, mine: &Entry, theirs: Option<&Entry>, by: isize) -> Placed {
        let takes = self.takes_generated();
        let (lead, piece) = match (base, theirs) {
            (base, Some(theirs)) => {
                let piece = if takes { self.theirs(theirs, by) } else { self.entry(base, mine, theirs, by) };
                let lead = self.three(
                    base.map(|base| self.base.slice(&base.lead)),
                    self.current.slice(&mine.lead),
                    self.new.slice(&theirs.lead),
                    by,
                );
                (lead, Some(piece))
            }
            (Some(base), None) => (self.current.slice(&mine.lead).to_owned(), self.gone(base, mine, takes)),
            (None, None) if takes => (String::new(), None),
            (None, None) => (self.current.slice(&mine.lead).to_owned(), Some(self.mine(mine))),
        };
        match piece.filter(|piece| mine.block().is_none() || !piece.value.is_empty()) {
            Some(piece) => Placed {
                key: mine.key.clone(),
                text: format!("{lead}{}", piece.text),
                says: Some((mine.name.clone(), piece.value)),
            },
            None => Placed { key: mine.key.clone(), text: self.comments(base, mine), says: None },
        }
    }

    /// An entry that both have.
    fn entry(&mut self, base: Option<&Entry>, mine: &Entry, theirs: &Entry, by: isize) -> Piece {
        let own_base = base.map(|base| shift(self.base.own(base), shift_by(base.indent, mine.indent)));
        if own_base.as_deref() == Some(self.current.own(mine)) {
            return self.theirs(theirs, by);
        }
        let base_block = base.and_then(Entry::block);
        if let (Some(mine_block), Some(theirs_block)) = (mine.block(), theirs.block())
            && mine_block.kind == theirs_block.kind
        {
            let piece = self.block(base_block, mine_block, theirs_block);
            let old = base.map(|base| self.base.slice(&base.head));
            let head = self.current.slice(&mine.head);
            let ours = old.map(|old| shift(old, shift_by(base.map_or(0, |base| base.indent), mine.indent)));
            let (head, tag) = if ours.as_deref() == Some(head) {
                (shift(self.new.slice(&theirs.head), by), &theirs.value.tag)
            } else {
                (head.to_owned(), &mine.value.tag)
            };
            let value = Value { tag: tag.clone(), data: piece.value.data };
            return Piece { text: format!("{head}{}", piece.text), value };
        }
        let unchanged = |value: &Value| base.is_some_and(|base| base.value == *value);
        if mine.value == theirs.value || unchanged(&theirs.value) {
            return self.mine(mine);
        }
        if unchanged(&mine.value) {
            if let Some(piece) = self.reworded(base, mine, theirs, by) {
                return piece;
            }
            if !self.current.own(mine).contains('#') {
                return self.theirs(theirs, by);
            }
        }
        if let Some(piece) = self.other_form(base, mine, theirs) {
            return piece;
        }
        self.conflict(Some(mine), Some(theirs));
        self.mine(mine)
    }

    /// The user wrote as a list what is generated as a map, or the other way round: merged in the user's form.
    fn other_form(&mut self, base: Option<&Entry>, mine: &Entry, theirs: &Entry) -> Option<Piece> {
        let form = mine.block()?.kind;
        let base = base.map_or(Some(String::new()), |base| forms::rewrite(&mine.key, &base.value, form))?;
        let new = forms::rewrite(&mine.key, &theirs.value, form)?;
        let parse = |text| super::yaml::parse(text).ok();
        let above = self.path[..self.path.len() - 1].join(".") + ".";
        let below = self.generated.iter().filter_map(|key| key.strip_prefix(&above)).map(str::to_owned);
        let generated: BTreeSet<String> = below.collect();
        let (merged, whole) =
            merge(&parse(&base)?, &parse(self.current.own(mine))?, &parse(&new)?, &generated);
        let value = whole.get(&mine.key)?.clone();
        let full = |key: String| format!("{above}{key}");
        self.merged.taken.extend(merged.taken.into_iter().map(full));
        let conflicts = merged.conflicts.into_iter();
        self.merged
            .conflicts
            .extend(conflicts.map(|conflict| Conflict { key: full(conflict.key), ..conflict }));
        Some(Piece { text: merged.text, value })
    }

    /// The generator's value in the user's wording around it: spaces before and comments behind.
    fn reworded(&self, base: Option<&Entry>, mine: &Entry, theirs: &Entry, by: isize) -> Option<Piece> {
        let (Body::Leaf { value: old, rest }, Body::Leaf { value, rest: new_rest }) =
            (&mine.body, &theirs.body)
        else {
            return None;
        };
        let (old, value) = (self.current.slice(old), self.new.slice(value));
        let scalar = |text: &str| text.starts_with(['|', '>']);
        // Comments inside the old value would go with it.
        if !scalar(old) && old.lines().skip(1).any(|line| line.trim_start().starts_with('#')) {
            return None;
        }
        let value = match header_comment(old).filter(|_| scalar(old)) {
            None => value.to_owned(),
            Some(comment) if scalar(value) && header_comment(value).is_none() => {
                let (header, lines) = value.split_once('\n').unwrap_or((value, ""));
                format!("{header} {comment}\n{lines}")
            }
            Some(_) => return None,
        };
        let base_rest = match base.map(|base| &base.body) {
            Some(Body::Leaf { rest, .. }) => Some(self.base.slice(rest)),
            _ => None,
        };
        let rest = self.three(base_rest, self.current.slice(rest), self.new.slice(new_rest), by);
        let head = self.current.slice(&mine.head);
        let value = shift(&value, by);
        let value = value.trim_start_matches(' ');
        let gap = if head.ends_with(':') && !value.is_empty() { " " } else { "" };
        Some(Piece { text: format!("{head}{gap}{value}{rest}"), value: theirs.value.clone() })
    }

    /// An entry that is no longer generated; `None` where it goes.
    fn gone(&mut self, base: &Entry, mine: &Entry, takes: bool) -> Option<Piece> {
        if takes || mine.value == base.value {
            return None;
        }
        // Of a section, or of what a service holds, only the generator's part goes. Half a service helps nobody.
        if self.path.len() != 2
            && let (Some(base_block), Some(mine_block)) = (base.block(), mine.block())
            && mine_block.kind == base_block.kind
        {
            let nothing = Block { kind: mine_block.kind, entries: Vec::new(), tail: base_block.tail.clone() };
            let piece = self.block(Some(base_block), mine_block, &nothing);
            let head = self.current.slice(&mine.head);
            let value = Value { tag: mine.value.tag.clone(), data: piece.value.data };
            return Some(Piece { text: format!("{head}{}", piece.text), value });
        }
        self.conflict(Some(mine), None);
        Some(self.mine(mine))
    }

    /// What the user wrote into the comments of an entry that goes, those behind a line on lines of their own.
    fn comments(&self, base: Option<&Entry>, mine: &Entry) -> String {
        let known = base.map_or("", |base| &self.base.text[base.lead.start..base.end]);
        let known: BTreeSet<&str> = known.lines().map(str::trim).collect();
        let text = &self.current.text[mine.lead.start..mine.end];
        let mut lines = String::new();
        for line in text.split_inclusive('\n').filter(|line| !known.contains(line.trim())) {
            let content = line.trim_start();
            let behind = || content.rfind(" #").map(|at| &content[at + 1..]);
            let comment = if content.starts_with('#') { Some(content) } else { behind() };
            if let Some(comment) = comment {
                lines.push_str(&line[..line.len() - content.len()]);
                lines.push_str(comment);
            }
        }
        if !lines.is_empty() && text.starts_with('\n') { format!("\n{lines}") } else { lines }
    }

    /// An entry that only the generator has. The first of a block has no blank line above it like the others;
    /// `moved` says that it does not come first here.
    fn added(&self, theirs: &Entry, by: isize, moved: bool, new: &Block) -> String {
        let text = shift(&self.new.text[theirs.lead.start..theirs.end], by);
        let spaced = new.entries.get(1).is_some_and(|next| self.new.slice(&next.lead).starts_with('\n'));
        if moved && spaced && !text.starts_with('\n') { format!("\n{text}") } else { text }
    }

    fn mine(&self, mine: &Entry) -> Piece {
        Piece { text: self.current.own(mine).to_owned(), value: mine.value.clone() }
    }

    fn theirs(&mut self, theirs: &Entry, by: isize) -> Piece {
        Piece { text: shift(self.new.own(theirs), by), value: theirs.value.clone() }
    }

    /// Comments: the user's wherever the user touched them or the generator did not.
    fn three(&self, base: Option<&str>, mine: &str, theirs: &str, by: isize) -> String {
        let lines = |text: &str| -> Vec<String> { text.lines().map(|line| line.trim().to_owned()).collect() };
        // Where blank lines stand depends on what comes first, which says nothing about the comments.
        let words =
            |text: &str| -> Vec<String> { lines(text).into_iter().filter(|line| !line.is_empty()).collect() };
        let ours = base.is_some_and(|base| lines(base) == lines(mine) && words(base) != words(theirs));
        if ours { shift(theirs, by) } else { mine.to_owned() }
    }

    fn takes_generated(&mut self) -> bool {
        let key = self.path.join(".");
        let takes = self.generated.contains(&key);
        if takes {
            self.merged.taken.insert(key);
        }
        takes
    }

    fn conflict(&mut self, mine: Option<&Entry>, theirs: Option<&Entry>) {
        let conflict = Conflict {
            key: self.path.join("."),
            mine: mine.map(|entry| shown(self.current, entry)),
            generated: theirs.map(|entry| shown(self.new, entry)),
        };
        self.merged.conflicts.push(conflict);
    }
}

/// The value of an entry as a report shows it.
pub(super) fn shown(doc: &Doc<'_>, entry: &Entry) -> String {
    match &entry.body {
        Body::Leaf { value, .. } => doc.slice(value).trim().to_owned(),
        Body::Block(_) => {
            let text = &doc.text[entry.head.end..entry.end];
            let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let least = lines.map(blanks).min().unwrap_or_default();
            shift(text, -isize::try_from(least).unwrap_or_default()).trim_end().to_owned()
        }
    }
}

/// The comment behind the header of a block scalar, with the `#`.
fn header_comment(scalar: &str) -> Option<&str> {
    let header = scalar.lines().next().unwrap_or_default();
    header.find(" #").map(|at| header[at..].trim())
}

fn shift_by(from: usize, to: usize) -> isize {
    isize::try_from(to).unwrap_or_default() - isize::try_from(from).unwrap_or_default()
}

/// Where the `i`-th entry of `new` goes: behind its nearest neighbour above that is there and behind what the user
/// added below that one, else before its nearest neighbour below.
fn place(out: &[Placed], new: &Block, i: usize) -> usize {
    let at = |entry: &Entry| out.iter().position(|placed| placed.key == entry.key);
    let above = new.entries[..i].iter().rev().find_map(at).map(|at| at + 1);
    let below = new.entries[i + 1..].iter().find_map(at);
    match (above, below) {
        (Some(above), Some(below)) if above <= below => {
            let users = out[above..below].iter().all(|placed| new.get(&placed.key).is_none());
            if users { below } else { above }
        }
        (above, below) => above.or(below).unwrap_or(out.len()),
    }
}

/// Whether the first of these that is left has a blank line above it, or none is left.
fn spaced(out: &[Placed]) -> bool {
    let first = out.iter().find(|placed| !placed.text.is_empty());
    first.is_none_or(|placed| placed.text.starts_with('\n'))
}

fn finish(kind: BlockKind, out: Vec<Placed>, tail: &str) -> Piece {
    let mut text = String::new();
    let mut pairs = Vec::new();
    for placed in out {
        text.push_str(&placed.text);
        pairs.extend(placed.says);
    }
    text.push_str(tail);
    let data = match kind {
        BlockKind::Map => Data::Map(pairs),
        BlockKind::List => Data::List(pairs.into_iter().map(|(_, value)| value).collect()),
    };
    Piece { text, value: Value::plain(data) }
}
