//! Reads Mermaid's flowcharts and sequence diagrams as nodes and arrows, and says which service needs which.

use std::collections::BTreeMap;

use crate::discover::findings::Findings;
use crate::model::fact::{Subject, What};

use super::values::{is_person, known_words, name_of, ports_in_name, say_port};

/// More nodes or arrows are no drawing.
const MAX_ARROWS: usize = 2000;

/// A node of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    /// The text in its brackets, `<br/>` as line ends; its id where it has none.
    pub(super) label: String,
    /// Drawn as a cylinder.
    pub(super) database: bool,
    /// Where its label stands, counted from 0.
    pub(super) line: u32,
}

/// An arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrow {
    from: String,
    to: String,
    line: u32,
}

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Graph {
    /// By id.
    pub(super) nodes: BTreeMap<String, Node>,
    /// In their order.
    pub(super) arrows: Vec<Arrow>,
}

/// Adds the ports in the labels, and a mention for each arrow.
pub(super) fn say(text: &str, first_line: u32, findings: &mut Findings<'_, '_>) {
    let graph = parse(text);
    for (id, node) in &graph.nodes {
        let known = known_words(findings, &node.label);
        let Some(name) = service_name(id, node).filter(|_| !node.database && known.is_empty()) else {
            continue;
        };
        findings.about(Subject::Named(name));
        for port in ports_in_name(&node.label.replace('\n', " ")) {
            say_port(findings, first_line + node.line, port, "document-graph");
        }
    }
    for arrow in &graph.arrows {
        let (Some(from), Some(to)) = (graph.nodes.get(&arrow.from), graph.nodes.get(&arrow.to)) else {
            continue;
        };
        let line = first_line + arrow.line;
        let (from_known, to_known) =
            (!known_words(findings, &from.label).is_empty(), !known_words(findings, &to.label).is_empty());
        // What a queue or database gives to a service is drawn away from it.
        let turned = (from.database || from_known) && !(to.database || to_known);
        let ((from_id, from), (to_id, to)) = if turned {
            ((&arrow.to, to), (&arrow.from, from))
        } else {
            ((&arrow.from, from), (&arrow.to, to))
        };
        if from.database || (from_known && !turned) {
            continue;
        }
        mention((from_id, from), (to_id, to), line, findings);
    }
}

fn mention(
    (from_id, from): (&str, &Node),
    (to_id, to): (&str, &Node),
    line: u32,
    findings: &mut Findings<'_, '_>,
) {
    let Some(name) = service_name(from_id, from).filter(|name| !is_person(name)) else { return };
    let known = known_words(findings, &to.label).into_iter().next();
    let (target, detail) = match known {
        Some(word) => {
            let rest = to.label.replace(&word, "").replace('\n', " ");
            let rest = rest.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
            (word, (!rest.is_empty() && !rest.contains(' ')).then_some(rest))
        }
        None => match service_name(to_id, to).filter(|name| !is_person(name)) {
            Some(target) => (target, None),
            None => return,
        },
    };
    findings.about(Subject::Named(name));
    findings.add(line, "document-graph", What::Mention { target, detail });
}

/// The label's name, or the id where the label is a sentence or says the same with a port.
fn service_name(id: &str, node: &Node) -> Option<String> {
    let first = node.label.lines().next().unwrap_or_default();
    let first = first.split(" :").next().unwrap_or_default();
    name_of(first).or_else(|| name_of(id))
}

/// The drawing in `text`; other kinds of diagrams are empty.
pub(super) fn parse(text: &str) -> Graph {
    let mut graph = Graph::default();
    let mut kind = None;
    for (number, line) in (0..).zip(text.lines()) {
        let line = line.split("%%").next().unwrap_or_default().trim();
        if line.is_empty() || graph.arrows.len() > MAX_ARROWS || line.len() > 4000 {
            continue;
        }
        match kind {
            None => {
                kind =
                    Some(line.split_whitespace().next().unwrap_or_default().trim_end_matches(';').to_owned())
            }
            Some(ref kind) if kind == "graph" || kind == "flowchart" || kind == "flowchart-elk" => {
                for statement in statements(line) {
                    graph.flow(statement, number);
                }
            }
            Some(ref kind) if kind == "sequenceDiagram" => graph.message(line, number),
            Some(_) => {}
        }
    }
    graph
}

/// Parts of a line at `;` outside brackets and quotes.
fn statements(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quoted) = (0, 0_usize, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'[' | b'(' | b'{' if !quoted => depth += 1,
            b']' | b')' | b'}' if !quoted => depth = depth.saturating_sub(1),
            b';' if depth == 0 && !quoted => {
                parts.push(line[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(line[start..].trim());
    parts
}

impl Graph {
    /// `a[Label] --> b & c -->|text| d`.
    fn flow(&mut self, statement: &str, line: u32) {
        // Arrows may begin and end at a frame.
        if let Some(frame) = statement.strip_prefix("subgraph ") {
            self.node(frame.trim_start(), line);
            return;
        }
        let first = statement.split_whitespace().next().unwrap_or_default();
        if matches!(
            first,
            "subgraph" | "end" | "style" | "classDef" | "class" | "linkStyle" | "click" | "direction" | ""
        ) {
            return;
        }
        let mut rest = statement;
        let mut before: Vec<String> = Vec::new();
        let mut visible = false;
        loop {
            let Some((group, after)) = self.group(rest, line) else { return };
            if visible {
                for from in &before {
                    for to in &group {
                        self.arrows.push(Arrow { from: from.clone(), to: to.clone(), line });
                    }
                }
            }
            before = group;
            let Some((shown, after)) = link(after) else { return };
            visible = shown && self.arrows.len() < MAX_ARROWS;
            rest = after;
        }
    }

    /// `a & b[Label]`.
    fn group<'t>(&mut self, text: &'t str, line: u32) -> Option<(Vec<String>, &'t str)> {
        let mut ids = Vec::new();
        let mut rest = text.trim_start();
        loop {
            let (id, after) = self.node(rest, line)?;
            ids.push(id);
            match after.trim_start().strip_prefix('&') {
                Some(more) => rest = more.trim_start(),
                None => return Some((ids, after.trim_start())),
            }
        }
    }

    /// `id`, `id[Label]`, `id[(Label)]`, `id((Label))`, `id:::class`.
    fn node<'t>(&mut self, text: &'t str, line: u32) -> Option<(String, &'t str)> {
        let end = id_end(text);
        let (id, rest) = text.split_at(end);
        if id.is_empty() {
            return None;
        }
        let (label, database, mut rest) = shape(rest);
        if let Some(after) = rest.strip_prefix(":::") {
            rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        }
        let node = self.nodes.entry(id.to_owned()).or_insert_with(|| Node {
            label: id.to_owned(),
            database: false,
            line,
        });
        if let Some(label) = label {
            *node = Node { label, database, line };
        }
        Some((id.to_owned(), rest))
    }

    /// `participant A as Accounts`, `A->>B: text`. Answers (`-->>`) go back and say nothing.
    fn message(&mut self, line: &str, number: u32) {
        if let Some(rest) = line.strip_prefix("participant ").or_else(|| line.strip_prefix("actor ")) {
            let (id, label) = rest.split_once(" as ").unwrap_or((rest, rest));
            let node = Node { label: breaks(label.trim()), database: false, line: number };
            self.nodes.insert(id.trim().to_owned(), node);
            return;
        }
        let Some((arrow, text)) = line.split_once(':') else { return };
        let _ = text;
        let Some(at) = arrow.find("->").filter(|_| !arrow.contains("--")) else { return };
        let clean = |id: &str| id.trim().trim_start_matches(['+', '-']).trim().to_owned();
        let (from, to) = (clean(&arrow[..at]), clean(arrow[at..].trim_start_matches(['-', '>', ')', 'x'])));
        if from.is_empty() || to.is_empty() || from == to {
            return;
        }
        for id in [&from, &to] {
            let node = Node { label: id.clone(), database: false, line: number };
            self.nodes.entry(id.clone()).or_insert(node);
        }
        let arrow = Arrow { from, to, line: number };
        if !self.arrows.iter().any(|known| known.from == arrow.from && known.to == arrow.to) {
            self.arrows.push(arrow);
        }
    }
}

/// Where a node's id ends: letters, digits, `_`, `.` and single `-` inside.
fn id_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let inside = bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] >= 0x80;
        let joined = matches!(bytes[at], b'-' | b'.')
            && at > 0
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric())
            && !text[at..].starts_with("-.");
        if !inside && !joined {
            break;
        }
        at += 1;
    }
    at
}

/// A label in its brackets, whether it is a cylinder, and what follows.
fn shape(text: &str) -> (Option<String>, bool, &str) {
    const SHAPES: &[(&str, &str, bool)] = &[
        ("[(", ")]", true),
        ("[[", "]]", false),
        ("([", "])", false),
        ("(((", ")))", false),
        ("((", "))", false),
        ("{{", "}}", false),
        ("[/", "]", false),
        ("[\\", "]", false),
        ("[", "]", false),
        ("(", ")", false),
        ("{", "}", false),
        (">", "]", false),
    ];
    for (open, close, database) in SHAPES {
        let Some(inner) = text.strip_prefix(open) else { continue };
        let from = match inner.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(0, |end| end + 2),
            None => 0,
        };
        let Some(end) = inner.get(from..).and_then(|rest| rest.find(close)).map(|at| from + at) else {
            continue;
        };
        let label = inner[..end].trim_matches(['"', ' ', '/', '\\', '`']);
        return (Some(breaks(label)), *database, &inner[end + close.len()..]);
    }
    (None, false, text)
}

fn breaks(label: &str) -> String {
    let label = ["<br/>", "<br />", "<br>", "\\n"]
        .iter()
        .fold(label.to_owned(), |label, mark| label.replace(mark, "\n"));
    label.trim().to_owned()
}

/// A link's end and whether it is drawn: `-->`, `---`, `-.->`, `==>`, `--text-->`, `-->|text|`, `<-->`, `--o`, `~~~`.
fn link(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_start();
    let body = text.strip_prefix(['<', 'o', 'x']).filter(|rest| rest.starts_with(['-', '='])).unwrap_or(text);
    if !body.starts_with("--")
        && !body.starts_with("-.")
        && !body.starts_with("==")
        && !body.starts_with("~~~")
    {
        return None;
    }
    let line_end = |text: &str| text.find(|c| !matches!(c, '-' | '.' | '=' | '~')).unwrap_or(text.len());
    let end = line_end(body);
    let (stroke, mut rest) = body.split_at(end);
    let head = rest
        .strip_prefix('>')
        .or_else(|| rest.strip_prefix(['o', 'x']).filter(|after| after.starts_with([' ', '|'])));
    if let Some(after) = head {
        rest = after;
    } else if stroke.len() < 3 {
        // `-- text -->`: the label stands between the two strokes.
        let close =
            ["-->", "---", ".->", "-.-", "==>", "==="].iter().filter_map(|close| rest.find(close)).min()?;
        let tail = &rest[close..];
        rest = tail[line_end(tail)..].trim_start_matches('>');
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('|') {
        Some(label) => label.split_once('|').map_or("", |(_, after)| after),
        None => rest,
    };
    Some((!stroke.starts_with('~'), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arrows(text: &str) -> Vec<String> {
        let graph = parse(text);
        graph.arrows.iter().map(|arrow| format!("{}>{}", arrow.from, arrow.to)).collect()
    }

    #[test]
    fn arrows_of_every_shape_are_read() {
        for line in [
            "a --> b",
            "a-->b",
            "a --- b",
            "a -.-> b",
            "a ==> b",
            "a -->|calls| b",
            "a -- calls --> b",
            "a -. calls .-> b",
            "a == x ==> b",
            "a <--> b",
            "a --o b",
            "a[A service] --> b[(DB)]",
            "a(\"x ] y\") --> b((B))",
            "a:::big --> b",
            "a ---> b; c",
        ] {
            assert_eq!(arrows(&format!("graph TD\n  {line}\n")), ["a>b"], "{line}");
        }
        assert_eq!(arrows("flowchart LR\na & b --> c --> d"), ["a>c", "b>c", "c>d"]);
        assert_eq!(
            arrows("flowchart LR\nsubgraph x\na-api --> b\nend\nstyle a fill:#f00\n%% c --> d\na ~~~ b"),
            ["a-api>b"]
        );
        assert_eq!(arrows("pie\n a --> b"), Vec::<String>::new());
    }

    #[test]
    fn labels_and_cylinders_are_read() {
        let graph = parse("graph TD\ntrading[\"Trading<br/>:3000\"] --> db[(PostgreSQL)]");
        assert_eq!(
            graph.nodes["trading"],
            Node { label: "Trading\n:3000".to_owned(), database: false, line: 1 }
        );
        assert_eq!(graph.nodes["db"], Node { label: "PostgreSQL".to_owned(), database: true, line: 1 });
    }

    #[test]
    fn frames_have_names() {
        let graph = parse("flowchart TD\nsubgraph Edge[API Gateway - .NET]\n  a\nend\nEdge --> a");
        assert_eq!(graph.nodes["Edge"].label, "API Gateway - .NET");
        assert_eq!(graph.arrows.len(), 1);
    }

    #[test]
    fn sequence_diagrams_have_requests_and_answers() {
        let text = "sequenceDiagram\nparticipant T as Trading\nT->>Accounts: GET /users\nAccounts-->>T: 200\nT->>+Accounts: again";
        assert_eq!(arrows(text), ["T>Accounts"]);
        assert_eq!(parse(text).nodes["T"].label, "Trading");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,120}") {
            let _ = parse(&format!("graph TD\n{text}"));
            let _ = parse(&format!("sequenceDiagram\n{text}"));
        }

        #[test]
        fn any_drawing_like_text_is_taken(text in "[ab&|<>=.~\\-\"\\[\\](){}/;:ox% é\n]{0,80}") {
            let graph = parse(&format!("flowchart TD\n{text}"));
            for arrow in &graph.arrows {
                prop_assert!(graph.nodes.contains_key(&arrow.from) && graph.nodes.contains_key(&arrow.to));
            }
        }

        #[test]
        fn a_drawn_arrow_is_read_back(from in "[a-d][a-z_]{0,6}", to in "[p-w][a-z_]{0,6}", label in "[A-Za-z ]{1,12}", stroke in "-->|==>|-\\.->|---") {
            prop_assume!(!["end", "class", "style", "click", "subgraph", "direction"].contains(&from.as_str()) && to != "x");
            let graph = parse(&format!("graph LR\n{from}[{label}] {stroke} {to}"));
            prop_assert_eq!(graph.arrows.len(), 1);
            prop_assert_eq!((&graph.arrows[0].from, &graph.arrows[0].to), (&from, &to));
        }
    }
}
