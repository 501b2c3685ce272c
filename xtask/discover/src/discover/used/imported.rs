//! By which names sources import a client, or a package of the workspace that is about one kind alone; knows no kind.

use super::switched::Words;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// The names by which a kind's clients are imported, by the language in which they are.
#[derive(Default)]
pub(super) struct Names {
    /// Packages of npm, Python, .NET and Cargo: the client itself.
    clients: Vec<String>,
    /// The same as Python and Rust write them.
    folded: Vec<String>,
    /// Prefixes of Java's packages.
    java: Vec<String>,
    /// Packages of npm here, with whether their names say what they are about. A function is wanted of them: the rest are
    /// types.
    node: Vec<(String, bool)>,
}

impl Names {
    /// Of the client packages, and of the packages here whose manifests name no other kind's.
    pub(super) fn of<'a>(
        repo: &Repo,
        packages: impl Iterator<Item = &'a str>,
        manifests: impl Iterator<Item = &'a RepoPath>,
        words: &Words,
    ) -> Names {
        let mut names = Names::default();
        for package in packages {
            match package.split_once(':') {
                Some((group, artifact)) => names.java.extend(of_java(group, artifact)),
                None => {
                    names.clients.push(package.to_owned());
                    names.folded.push(package.replace('-', "_"));
                }
            }
        }
        let of_npm = manifests.filter(|manifest| manifest.name() == "package.json");
        let named = of_npm.filter_map(|manifest| of_node(repo, manifest));
        names.node.extend(named.map(|name| {
            let is_about_it = words.are_in(&name);
            (name, is_about_it)
        }));
        names
    }

    /// What a line must hold, in any case, to be worth a look.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.clients, &self.folded, &self.java];
        lists.into_iter().flatten().chain(self.node.iter().map(|(name, _)| name)).map(String::as_str)
    }

    /// Whether a line imports one of them; `before` is the text up to the line's end.
    pub(super) fn are_imported(&self, line: &str, before: &str, extension: &str, words: &Words) -> bool {
        let start = line.trim_start();
        match extension {
            "java" | "kt" | "scala" | "groovy" => {
                let imported = start.strip_prefix("import ").map(|rest| rest.trim_start_matches("static "));
                let is_of = |imported: &str| self.java.iter().any(|prefix| is_below(imported, prefix));
                imported.is_some_and(is_of)
            }
            "cs" => {
                let used = start.trim_start_matches("global ").strip_prefix("using ");
                used.is_some_and(|used| self.clients.iter().any(|name| is_below(used, name)))
            }
            "py" => {
                let module = start.strip_prefix("import ").or_else(|| start.strip_prefix("from "));
                module.is_some_and(|module| self.folded.iter().any(|name| is_below(module, name)))
            }
            "rs" => {
                let used = start.trim_start_matches("pub ").strip_prefix("use ");
                used.is_some_and(|used| self.folded.iter().any(|name| is_below(used, name)))
            }
            "go" => false,
            _ => {
                let is_import = ["import", "require(", "from "].iter().any(|word| line.contains(word));
                is_import
                    && (self.clients.iter().any(|name| quotes(line, name) && !is_type(start))
                        || self.node.iter().any(|(name, is_about_it)| {
                            quotes(line, name)
                                && functions(before).any(|name| *is_about_it || words.are_in(name))
                        }))
            }
        }
    }
}

/// `org.springframework.data.redis` of `spring-boot-starter-data-redis`; else packages lie below the group's name.
fn of_java(group: &str, artifact: &str) -> Option<String> {
    let starter = artifact
        .strip_prefix("spring-boot-starter-")
        .or_else(|| artifact.strip_prefix("spring-").filter(|_| group == "org.springframework.data"));
    match (starter, group) {
        (Some(rest), _) => {
            let rest = rest.strip_suffix("-reactive").unwrap_or(rest);
            Some(format!("org.springframework.{}", rest.replace('-', ".")))
        }
        // What these bring is called otherwise.
        (None, "org.springframework.cloud" | "io.quarkus" | "org.postgresql" | "com.mysql") => None,
        (None, group) => Some(group.to_owned()),
    }
}

fn of_node(repo: &Repo, manifest: &RepoPath) -> Option<String> {
    let text = repo.text(manifest).ok()?.text;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(value.get("name")?.as_str()?.to_owned())
}

/// Whether a dotted name is another one, or lies below it.
fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Whether a package or a file in it stands in quotes.
fn quotes(line: &str, package: &str) -> bool {
    line.match_indices(package).any(|(at, _)| {
        line[..at].ends_with(['"', '\'', '`'])
            && line[at + package.len()..].starts_with(['"', '\'', '`', '/'])
    })
}

fn is_type(start: &str) -> bool {
    start.starts_with("import type ") || start.starts_with("export type ")
}

/// The functions, or all there is, that the statement at the end of the text imports: names of types and classes begin
/// with a capital letter.
fn functions(before: &str) -> impl Iterator<Item = &str> {
    let from = ["import", "require(", "export"].iter().filter_map(|word| before.rfind(word)).max();
    let statement = from.map_or("", |from| &before[from..]);
    let names = match statement.split_once("from ") {
        // `const redis = require("@shop/redis")` takes all.
        _ if statement.starts_with("require(") => "*",
        Some((names, _)) => names.trim_start_matches("import").trim(),
        None => "",
    };
    let names = if names.starts_with("type ") { "" } else { names };
    names.split([',', '{', '}']).map(str::trim).filter(|name| {
        !name.starts_with("type ") && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
    })
}
