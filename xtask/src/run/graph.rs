//! The system as a graph, for Mermaid and for Graphviz, with what is known of its health; draws and asks nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How a part of the system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// It runs, and its check says yes or it has none.
    Well,
    /// It is coming up.
    Starting,
    /// It runs badly or has ended.
    Unwell,
    /// It has no container.
    Absent,
}

impl Look {
    const ALL: [Look; 4] = [Look::Well, Look::Starting, Look::Unwell, Look::Absent];

    fn class(self) -> &'static str {
        match self {
            Look::Well => "well",
            Look::Starting => "starting",
            Look::Unwell => "unwell",
            Look::Absent => "absent",
        }
    }

    /// Fill and line, both also distinct in grey.
    fn colours(self) -> (&'static str, &'static str) {
        match self {
            Look::Well => ("#d4f0d4", "#2e7d32"),
            Look::Starting => ("#fff3c4", "#a67c00"),
            Look::Unwell => ("#f8c9c4", "#b3261e"),
            Look::Absent => ("#eeeeee", "#777777"),
        }
    }
}

/// A part of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The Compose service.
    pub name: String,
    /// A database, queue or the like.
    pub component: bool,
    /// `None` where nothing is known.
    pub look: Option<Look>,
}

/// As a Mermaid graph.
pub fn mermaid(nodes: &[Node], edges: &BTreeSet<(String, String)>) -> String {
    let mut out = String::from("graph TD\n");
    for node in nodes {
        let (id, name) = (id(&node.name), &node.name);
        let shape = if node.component { format!("[(\"{name}\")]") } else { format!("[\"{name}\"]") };
        let class = node.look.map(|look| format!(":::{}", look.class())).unwrap_or_default();
        let _ = writeln!(out, "  {id}{shape}{class}");
    }
    for (from, to) in edges {
        let _ = writeln!(out, "  {} --> {}", id(from), id(to));
    }
    for look in Look::ALL.into_iter().filter(|look| nodes.iter().any(|node| node.look == Some(*look))) {
        let (fill, line) = look.colours();
        let _ = writeln!(out, "  classDef {} fill:{fill},stroke:{line},color:#000", look.class());
    }
    out
}

/// As a graph in Graphviz' language.
pub fn dot(nodes: &[Node], edges: &BTreeSet<(String, String)>) -> String {
    let mut out = String::from("digraph system {\n  node [shape=box];\n");
    for node in nodes {
        let mut attributes = Vec::new();
        if node.component {
            attributes.push("shape=cylinder".to_owned());
        }
        if let Some(look) = node.look {
            let (fill, line) = look.colours();
            attributes.push(format!(
                "style=filled, fillcolor=\"{fill}\", color=\"{line}\", tooltip={}",
                look.class()
            ));
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        let _ = writeln!(out, "  {:?}{attributes};", node.name);
    }
    for (from, to) in edges {
        let _ = writeln!(out, "  {from:?} -> {to:?};");
    }
    out.push_str("}\n");
    out
}

/// Mermaid takes some words and all hyphens for its own.
fn id(name: &str) -> String {
    format!("n_{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<Node> {
        let node = |name: &str, component, look| Node { name: name.to_owned(), component, look };
        vec![
            node("my-api", false, Some(Look::Unwell)),
            node("postgres", true, Some(Look::Well)),
            node("end", false, None),
        ]
    }

    fn edges() -> BTreeSet<(String, String)> {
        [("my-api".to_owned(), "postgres".to_owned())].into()
    }

    #[test]
    fn mermaid_shows_shapes_edges_and_health() {
        assert_eq!(
            mermaid(&nodes(), &edges()),
            "graph TD\n  n_my_api[\"my-api\"]:::unwell\n  n_postgres[(\"postgres\")]:::well\n  n_end[\"end\"]\n  \
             n_my_api --> n_postgres\n  classDef well fill:#d4f0d4,stroke:#2e7d32,color:#000\n  \
             classDef unwell fill:#f8c9c4,stroke:#b3261e,color:#000\n"
        );
    }

    #[test]
    fn dot_shows_the_same() {
        assert_eq!(
            dot(&nodes(), &edges()),
            "digraph system {\n  node [shape=box];\n  \
             \"my-api\" [style=filled, fillcolor=\"#f8c9c4\", color=\"#b3261e\", tooltip=unwell];\n  \
             \"postgres\" [shape=cylinder, style=filled, fillcolor=\"#d4f0d4\", color=\"#2e7d32\", tooltip=well];\n  \
             \"end\";\n  \"my-api\" -> \"postgres\";\n}\n"
        );
    }
}
