//! Markdown as a flat list of headings, lines, list items, tables and Mermaid graphs with their lines; no meaning.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading.
    Heading { level: u8, text: String, line: u32 },
    /// A line of a paragraph.
    Text { text: String, line: u32 },
    /// A line of a list item; the outermost list has depth 0.
    Item { depth: usize, text: String, line: u32 },
    /// A table.
    Table { header: Vec<String>, rows: Vec<Row> },
    /// The text of a fenced block `mermaid`, with its first line.
    Mermaid { text: String, line: u32 },
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    cells: Vec<String>,
    /// Counted from 1.
    pub(super) line: u32,
}

impl Row {
    /// A cell's text; empty where the row is shorter.
    pub(super) fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", |cell| cell.trim())
    }
}

/// More would be no document that a person wrote.
const MAX_BLOCKS: usize = 50_000;

/// The blocks of `text` in their order.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line = |at: usize| u32::try_from(starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX);
    let mut builder = Builder::default();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        builder.event(event, line(range.start));
        if builder.blocks.len() > MAX_BLOCKS {
            break;
        }
    }
    builder.blocks
}

#[derive(Default)]
struct Builder {
    blocks: Vec<Block>,
    text: String,
    line: u32,
    depth: usize,
    table: Option<(Vec<String>, Vec<Row>)>,
    row: Row,
    mermaid: Option<u32>,
    code: bool,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u32) {
        match event {
            Event::Start(tag) => self.start(&tag, line),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.mermaid.is_some() => self.text.push_str(&text),
            Event::Text(_) if self.code => {}
            Event::Text(text) | Event::Code(text) => self.push(&text, line),
            Event::SoftBreak | Event::HardBreak => self.flush(),
            Event::Html(html) | Event::InlineHtml(html) if html.starts_with("<br") => {
                if self.table.is_some() { self.text.push_str(", ") } else { self.flush() }
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str, line: u32) {
        if self.text.is_empty() {
            self.line = line;
        }
        self.text.push_str(text);
    }

    fn start(&mut self, tag: &Tag<'_>, line: u32) {
        match tag {
            Tag::List(_) => {
                self.flush();
                self.depth += 1;
            }
            Tag::Item | Tag::Paragraph | Tag::Heading { .. } => self.flush(),
            Tag::CodeBlock(kind) => {
                self.flush();
                let is_mermaid = matches!(kind, CodeBlockKind::Fenced(info) if info.trim().eq_ignore_ascii_case("mermaid"));
                self.mermaid = is_mermaid.then_some(line + 1);
                self.code = true;
            }
            Tag::Table(_) => {
                self.flush();
                self.table = Some((Vec::new(), Vec::new()));
            }
            Tag::TableRow | Tag::TableHead => self.row = Row { cells: Vec::new(), line },
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::List(_) => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
            }
            TagEnd::Item | TagEnd::Paragraph => self.flush(),
            TagEnd::Heading(level) => {
                let text = std::mem::take(&mut self.text);
                self.blocks.push(Block::Heading { level: level as u8, text, line: self.line });
            }
            TagEnd::CodeBlock => {
                if let Some(line) = self.mermaid.take() {
                    self.blocks.push(Block::Mermaid { text: std::mem::take(&mut self.text), line });
                }
                self.code = false;
            }
            TagEnd::TableCell => self.row.cells.push(std::mem::take(&mut self.text)),
            TagEnd::TableHead => {
                if let Some((header, _)) = &mut self.table {
                    *header = std::mem::take(&mut self.row.cells);
                }
            }
            TagEnd::TableRow => {
                if let Some((_, rows)) = &mut self.table {
                    rows.push(std::mem::take(&mut self.row));
                }
            }
            TagEnd::Table => {
                if let Some((header, rows)) = self.table.take() {
                    self.blocks.push(Block::Table { header, rows });
                }
            }
            _ => {}
        }
    }

    /// Ends the current line.
    fn flush(&mut self) {
        if self.table.is_some() || self.mermaid.is_some() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let line = self.line;
        self.blocks.push(match self.depth {
            0 => Block::Text { text, line },
            depth => Block::Item { depth: depth - 1, text, line },
        });
    }
}
