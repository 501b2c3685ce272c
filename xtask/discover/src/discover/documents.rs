//! Reads what people wrote about services: tables, lists and Mermaid graphs in Markdown; only fills gaps, decides nothing.

mod blocks;
mod mermaid;
mod topics;
mod values;

use crate::model::fact::{Fact, Subject};
use crate::model::path::RepoPath;
use crate::search::split_once;

use self::blocks::{Block, Row, blocks};
use self::topics::is_topic;
use self::values::{Meaning, meaning, name_of};
use super::findings::Findings;
use super::{Detector, Source};

/// Architecture documents, service documents and READMEs.
pub const ALL: &[Detector] = &[Detector { name: "documents", extensions: &["md", "markdown"], wants, read }];

fn wants(path: &RepoPath) -> bool {
    let name = path.name();
    if !(name.ends_with(".md") || name.ends_with(".markdown")) {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    let whole = path.as_str();
    whole.starts_with("workspace/output/")
        || whole == "prompts/develop/guideline.md"
        || stem == "readme"
        || stem == "architecture"
        || (stem.starts_with("architecture") && path.parts().any(|part| matches!(part, "docs" | "doc")))
}

fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    // The README of a whole repository tells stories in its lists: only its tables and graphs are taken at their word.
    let tells = !(source.path.depth() == 1 && source.path.name().to_ascii_lowercase().starts_with("readme"));
    let mut reader = Reader { owner: owner(source.path), tells, headings: Vec::new(), items: Vec::new() };
    for block in blocks(source.text) {
        reader.block(&block, &mut findings);
    }
}

/// Whom the whole document is about: a service's own README, or a folder below `workspace/output/services`.
fn owner(path: &RepoPath) -> Option<Subject> {
    let parts: Vec<&str> = path.parts().collect();
    match parts.as_slice() {
        ["workspace", "output", "services", name, _, ..] => Some(Subject::Named((*name).to_owned())),
        ["workspace", "output", "services", file] => {
            Some(Subject::Named(file.split('.').next().unwrap_or_default().to_owned()))
        }
        ["workspace", "output", ..] | ["prompts" | "docs" | "doc", ..] | [_] => None,
        _ => Some(Subject::Here),
    }
}

/// What was read so far of one document.
struct Reader {
    owner: Option<Subject>,
    /// Whether headings and lists name services.
    tells: bool,
    /// The headings above that could be a service's name, with their levels.
    headings: Vec<(u8, String)>,
    /// The list items around the current one, by depth, where they could be names.
    items: Vec<Option<String>>,
}

impl Reader {
    fn block(&mut self, block: &Block, findings: &mut Findings<'_, '_>) {
        match block {
            Block::Heading { level, text, line } => {
                self.items.clear();
                self.title(*level, text, *line, findings);
            }
            Block::Text { text, line } => {
                self.items.clear();
                self.line(text, *line, findings);
            }
            Block::Item { depth, text, line } => self.item(*depth, text, *line, findings),
            Block::Table { header, rows } => {
                self.items.clear();
                self.table(header, rows, findings);
            }
            Block::Mermaid { text, line } => {
                findings.about(Subject::Here);
                mermaid::say(text, *line, findings);
            }
        }
    }

    /// A heading names a service until the next one of its level or above: `### trading (port 3000)`. The first level is
    /// the document's title.
    fn title(&mut self, level: u8, text: &str, line: u32, findings: &mut Findings<'_, '_>) {
        self.headings.retain(|(above, _)| *above < level);
        // `### Common (library)` runs nowhere.
        let is_library =
            text.split_once('(').is_some_and(|(_, rest)| rest.to_lowercase().contains("library"));
        let is_name = |name: &String| self.tells && level > 1 && !is_library && !is_topic(name);
        let name = name_of(text).filter(is_name);
        let Some(name) = name else { return };
        self.headings.push((level, name));
        if self.owner.is_none() {
            self.about(findings);
            for port in values::ports_in_name(text) {
                values::say_port(findings, line, port, "document-heading");
            }
        }
    }

    /// Sets the subject; `false` where nobody knows whom the text is about.
    fn about(&self, findings: &mut Findings<'_, '_>) -> bool {
        let item = self.items.iter().rev().flatten().next();
        let subject = match (&self.owner, item, self.headings.last()) {
            (Some(owner), ..) => owner.clone(),
            (None, Some(name), _) | (None, None, Some((_, name))) => Subject::Named(name.clone()),
            (None, None, None) => return false,
        };
        findings.about(subject);
        true
    }

    fn item(&mut self, depth: usize, text: &str, line: u32, findings: &mut Findings<'_, '_>) {
        self.items.truncate(depth);
        while self.items.len() < depth {
            self.items.push(None);
        }
        if self.owner.is_none() && self.tells && values::say_sentence(findings, line, text) {
            return;
        }
        self.line(text, line, findings);
        let name = name_of(text.split([':', '–', '—']).next().unwrap_or_default());
        let name = name.filter(|name| meaning(name) == Meaning::Nothing && !is_topic(name));
        if self.owner.is_none() && self.tells && name.is_some() {
            self.items.push(name);
            self.about(findings);
            for port in values::ports_in_name(text) {
                values::say_port(findings, line, port, "document-list");
            }
        }
    }

    /// `Port: 3001`, `Depends on: accounts, market`.
    fn line(&self, text: &str, line: u32, findings: &mut Findings<'_, '_>) {
        let Some((key, value)) = split_once(text, &[':', '=', '–', '—']) else { return };
        let key = key.trim();
        if key.len() <= 40 && meaning(key) != Meaning::Nothing && self.about(findings) {
            values::say(findings, line, meaning(key), value, "document-list");
        } else if values::is_variable_cell(key) && text.contains('=') && self.about(findings) {
            values::say_variable(findings, line, key, (value, ""));
        }
    }

    fn table(&self, header: &[String], rows: &[Row], findings: &mut Findings<'_, '_>) {
        let mut columns: Vec<Meaning> = header.iter().map(|cell| meaning(cell)).collect();
        // `Host port` and `Container port` beside each other: what others call is the container's.
        let of_container = |cell: &String| {
            let lower = cell.to_ascii_lowercase();
            ["container", "internal", "target"].iter().any(|word| lower.contains(word))
        };
        let is_of_container: Vec<bool> = header
            .iter()
            .zip(&columns)
            .map(|(cell, is)| *is == Meaning::Port && of_container(cell))
            .collect();
        if is_of_container.contains(&true) {
            for (column, is_ours) in columns.iter_mut().zip(is_of_container) {
                if *column == Meaning::Port && !is_ours {
                    *column = Meaning::Nothing;
                }
            }
        }
        let find = |wanted: Meaning| columns.iter().position(|column| *column == wanted);
        let variables = find(Meaning::Variable).or_else(|| {
            let first_is_name = columns.first() == Some(&Meaning::Service);
            (first_is_name
                && rows.iter().all(|row| values::is_variable_cell(row.cell(0)))
                && !rows.is_empty())
            .then_some(0)
        });
        if let Some(name) = variables {
            self.variables(name, &columns, rows, findings);
        } else if let (Some(from), Some(to)) = (find(Meaning::From), find(Meaning::To)) {
            for row in rows {
                if let Some(name) = name_of(row.cell(from)) {
                    findings.about(Subject::Named(name));
                    values::say(findings, row.line, Meaning::Depends, row.cell(to), "document-table");
                }
            }
        } else if let Some(method) = find(Meaning::Method) {
            self.endpoints(method, &columns, rows, findings);
        } else if let Some(service) = find(Meaning::Service) {
            let says_more =
                columns.iter().any(|column| !matches!(column, Meaning::Nothing | Meaning::Service));
            for row in rows.iter().filter(|_| says_more) {
                Self::service_row(service, &columns, row, findings);
            }
        } else if self.about(findings) {
            self.pairs(header, rows, findings);
        }
    }

    fn service_row(service: usize, columns: &[Meaning], row: &Row, findings: &mut Findings<'_, '_>) {
        let Some(name) = name_of(row.cell(service)) else { return };
        // A row about a component beside the services.
        if !values::known_words(findings, row.cell(service)).is_empty() || is_topic(&name) {
            return;
        }
        findings.about(Subject::Named(name));
        for (at, column) in columns.iter().enumerate().filter(|(at, _)| *at != service) {
            values::say(findings, row.line, *column, row.cell(at), "document-table");
        }
    }

    fn variables(&self, name: usize, columns: &[Meaning], rows: &[Row], findings: &mut Findings<'_, '_>) {
        let find = |wanted: Meaning| columns.iter().position(|column| *column == wanted);
        let cell = |row: &Row, at: Option<usize>| at.map_or("", |at| row.cell(at)).to_owned();
        let service = find(Meaning::Service).filter(|at| *at != name);
        for row in rows.iter().filter(|row| values::is_variable_cell(row.cell(name))) {
            let known = match service.and_then(|at| name_of(row.cell(at))) {
                Some(service) if self.owner.is_none() => {
                    findings.about(Subject::Named(service));
                    true
                }
                _ => self.about(findings),
            };
            if known {
                let (value, text) =
                    (cell(row, find(Meaning::Default)), cell(row, find(Meaning::Description)));
                values::say_variable(findings, row.line, row.cell(name), (&value, &text));
                values::say_required(findings, row.line, row.cell(name), &cell(row, find(Meaning::Required)));
            }
        }
    }

    fn endpoints(&self, method: usize, columns: &[Meaning], rows: &[Row], findings: &mut Findings<'_, '_>) {
        let path = columns.iter().position(|column| *column == Meaning::Path);
        let service = columns.iter().position(|column| *column == Meaning::Service);
        for row in rows.iter().filter(|row| row.cell(method).contains("GET")) {
            let known = match service.and_then(|at| name_of(row.cell(at))) {
                Some(service) if self.owner.is_none() => {
                    findings.about(Subject::Named(service));
                    true
                }
                _ => self.about(findings),
            };
            if known {
                let cell = path.map_or(row.cell(method), |path| row.cell(path));
                values::say(findings, row.line, Meaning::Health, cell, "document-table");
            }
        }
    }

    /// A table of two columns without a service: property and value.
    fn pairs(&self, header: &[String], rows: &[Row], findings: &mut Findings<'_, '_>) {
        if header.len() != 2 {
            return;
        }
        for row in rows {
            let key = meaning(row.cell(0));
            if key != Meaning::Nothing {
                values::say(findings, row.line, key, row.cell(1), "document-table");
            }
        }
    }
}

#[cfg(test)]
#[path = "documents/tests.rs"]
mod tests;
