//! Keeps the documents true: the commands, paths, links and modules that they name are there.

#![allow(clippy::disallowed_methods, reason = "a test reads the documents and looks at the tree")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use xtask::catalog::Catalog;
use xtask::discover::{Scope, discover};
use xtask::repo::Repo;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/discovery.md",
    "docs/update.md",
];

/// Where the packages that make the library have their sources.
const SOURCES: [&str; 4] = ["xtask/src", "xtask/base/src", "xtask/discover/src", "xtask/plan/src"];

/// Words that stand for a name in the paths of the documents.
const PLACEHOLDERS: &[&str] = &["KIND", "NAME", "ROOT", "ANY_MONOREPO"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// What a document says, as far as it can be checked.
#[derive(Debug, Default)]
struct Document {
    spans: Vec<String>,
    links: Vec<String>,
    /// The lines of code blocks for a shell.
    shell: Vec<String>,
    /// Heading above, and the code spans of the first cell if it begins with one.
    rows: Vec<(String, Vec<String>)>,
}

#[derive(Default)]
struct Reader {
    document: Document,
    heading: String,
    in_heading: bool,
    in_shell: bool,
    /// The first cell of the row at hand: its spans, and whether something else came first.
    cell: Option<(Vec<String>, bool)>,
    cells: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                self.heading.clear();
                self.in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => self.in_heading = false,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                self.in_shell = matches!(&*language, "sh" | "console");
            }
            Event::End(TagEnd::CodeBlock) => self.in_shell = false,
            Event::Start(Tag::Link { dest_url, .. }) => self.document.links.push(dest_url.to_string()),
            Event::Start(Tag::TableRow) => self.cells = 0,
            Event::Start(Tag::TableCell) => {
                self.cell = (self.cells == 0).then(Default::default);
                self.cells += 1;
            }
            Event::End(TagEnd::TableCell) => {
                if let Some((spans, false)) = self.cell.take() {
                    self.document.rows.push((self.heading.clone(), spans));
                }
            }
            Event::Text(text) => self.text(&text),
            Event::Code(span) => {
                if let Some((spans, _)) = &mut self.cell {
                    spans.push(span.to_string());
                }
                self.document.spans.push(span.to_string());
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_heading {
            self.heading.push_str(text);
        }
        if self.in_shell {
            self.document.shell.extend(text.lines().map(str::to_owned));
        }
        if let Some((spans, other_first)) = &mut self.cell {
            *other_first |= spans.is_empty();
        }
    }
}

fn document(path: &str) -> Document {
    let text = read(path);
    let mut reader = Reader::default();
    Parser::new_ext(&text, Options::ENABLE_TABLES).for_each(|event| reader.event(event));
    reader.document
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// The first words of the spans in the first column of the table below a heading.
fn named_below(heading: &str) -> BTreeSet<String> {
    let rows = document("README.md").rows;
    let below = rows.iter().filter(|(above, _)| above == heading);
    below.flat_map(|(_, spans)| spans).map(|span| first_word(span)).collect()
}

fn known_commands() -> BTreeSet<String> {
    xtask::cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn readme_has_a_row_for_each_command() {
    assert_eq!(named_below("The commands"), known_commands());
}

/// Discovery reads documents too, also those of the tool itself.
#[test]
fn no_document_is_taken_for_a_description_of_services() {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let repo = Repo::open(&root()).expect("the repository can be read");
    let facts = discover(&repo, &catalog, &Scope::default()).expect("the repository can be read");
    let services = facts.services.iter().flat_map(|service| &service.facts);
    let said = services.chain(&facts.orphans).map(|fact| fact.at.path.as_str());
    let ours: Vec<&str> = said.filter(|path| DOCUMENTS.contains(path)).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn what_is_not_there_yet_is_not_there() {
    let known = known_commands();
    let rows = document("README.md").rows;
    let planned: Vec<&String> =
        rows.iter().filter(|(above, _)| above == "Not there yet").flat_map(|(_, spans)| spans).collect();
    let there: Vec<&&String> =
        planned.iter().filter(|span| known.contains(&first_word(span)) && !span.contains(" --")).collect();
    assert!(there.is_empty(), "move them to the table of commands: {there:?}");
}

/// The arguments of `cargo xtask …` in a line of a shell or in a span; none for a line that shows the grammar.
fn invocations(line: &str) -> Vec<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ");
    let line = line.split(" #").next().unwrap_or_default();
    let each = line.split("&&").map(str::trim).filter_map(|command| command.strip_prefix("cargo xtask "));
    let shown = each.filter(|rest| !rest.contains(['[', '…', '|']) && !rest.contains("COMMAND"));
    shown.map(|rest| rest.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn every_command_line_of_the_documents_is_understood() {
    let mut seen = 0;
    let mut refused = Vec::new();
    for path in DOCUMENTS {
        let document = document(path);
        for words in document.shell.iter().chain(&document.spans).flat_map(|line| invocations(line)) {
            seen += 1;
            let line = std::iter::once("cargo xtask".to_owned()).chain(words.clone());
            match xtask::cli::command().try_get_matches_from(line) {
                Err(why) if why.exit_code() != 0 => {
                    refused.push(format!("{path}: cargo xtask {}\n{why}", words.join(" ")));
                }
                _ => {}
            }
        }
    }
    assert!(seen > 10, "the documents show {seen} command lines");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for path in DOCUMENTS {
        let home = root().join(path).parent().expect("a document lies in a folder").to_owned();
        for link in document(path).links {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !home.join(target).exists() {
                broken.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Whether a span names one file or folder of this repository: no pattern, no placeholder, nothing git-ignored.
fn is_path(span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let placeholder = span.split(['/', '.']).any(|part| PLACEHOLDERS.contains(&part));
    let file = [".md", ".toml", ".rs"].iter().any(|end| span.ends_with(end));
    plain
        && !placeholder
        && (span.contains('/') || file)
        && !span.ends_with("/.env")
        && !span.starts_with('/')
}

#[test]
fn every_path_of_the_documents_exists() {
    let homes = ["", "xtask", "integration"]
        .into_iter()
        .chain(SOURCES)
        .map(|home| root().join(home))
        .collect::<Vec<_>>();
    let mut missing = Vec::new();
    for path in DOCUMENTS {
        for span in document(path).spans.into_iter().filter(|span| is_path(span)) {
            if !homes.iter().any(|home| home.join(&span).exists()) {
                missing.push(format!("{path}: {span}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The modules at the top of the library and of what it stands on.
fn modules() -> Vec<String> {
    let lines = SOURCES.map(|home| read(&format!("{home}/lib.rs"))).concat();
    let names = lines.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// Whether `apply::merge::three_way` is a module, or an item that is named in the file of one.
fn resolves(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut item = None;
    loop {
        let file = SOURCES
            .into_iter()
            .flat_map(|home| {
                let module = root().join(home).join(parts.join("/"));
                [module.with_extension("rs"), module.join("mod.rs")]
            })
            .find(|file| file.is_file());
        if let Some(file) = file {
            let text = fs::read_to_string(file).expect("sources are UTF-8");
            return item.is_none_or(|item| {
                let kinds = ["fn", "struct", "enum", "const", "trait"];
                kinds.iter().any(|kind| text.contains(&format!("{kind} {item}")))
            });
        }
        if parts.len() < 2 || item.is_some() {
            return false;
        }
        item = parts.pop();
    }
}

#[test]
fn every_module_of_the_architecture_exists_and_none_is_left_out() {
    let modules = modules();
    let spans = document("docs/architecture.md").spans;
    let ours = |span: &&String| {
        let first = span.split("::").next().unwrap_or_default();
        span.contains("::") && modules.iter().any(|module| module == first)
    };
    let wrong: Vec<&String> = spans.iter().filter(ours).filter(|span| !resolves(span)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let unnamed: Vec<&String> = modules.iter().filter(|module| !spans.contains(module)).collect();
    assert!(unnamed.is_empty(), "docs/architecture.md does not name {unnamed:?}");
}
