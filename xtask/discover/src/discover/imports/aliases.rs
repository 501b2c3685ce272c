//! The aliases that `tsconfig.json` gives to folders (`"@app/common/*": ["libs/common/src/*"]`); resolves them and reads
//! nothing else.

use std::collections::BTreeSet;

use crate::discover::lang::holds;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// More of them are written by a machine.
const MAX_ALIASES: usize = 300;

/// All aliases of folders beside services, the longest first.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    all: Vec<Alias>,
    /// What a text holds that uses one: what they begin with, each once.
    keys: BTreeSet<String>,
}

#[derive(Debug)]
struct Alias {
    /// The folder of the configuration: what lies in it may use the alias.
    home: RepoPath,
    /// What a path begins with, and whether more follows: `@app/common/`.
    start: String,
    is_open: bool,
    /// From where the target is seen, and what stands in it before and behind what follows.
    base: RepoPath,
    target: (String, String),
}

impl Aliases {
    /// Those of the repository whose targets lie in one of these folders.
    pub(super) fn of(repo: &Repo, folders: &[RepoPath]) -> Aliases {
        let is_configuration = |file: &&RepoPath| {
            let name = file.name();
            name.ends_with(".json") && (name.starts_with("tsconfig") || name.starts_with("jsconfig"))
        };
        let mut aliases = Vec::new();
        for file in repo.files().filter(is_configuration) {
            // One inside a service is that service's own.
            let is_near = |folder: &RepoPath| folder.parent().is_some_and(|above| file.is_in(&above));
            if !folders.iter().any(is_near) || aliases.len() > MAX_ALIASES {
                continue;
            }
            let (Some(home), Ok(text)) = (file.parent(), repo.text(file)) else { continue };
            aliases.extend(of_file(&home, &text.text));
        }
        let leads_there = |alias: &Alias| {
            let target = alias.base.join(alias.target.0.trim_end_matches('/'));
            target.is_some_and(|target| folders.iter().any(|one| target.is_in(one) || one.is_in(&target)))
        };
        aliases.retain(|alias| !alias.start.trim_matches('/').is_empty() && leads_there(alias));
        aliases.sort_by_key(|alias| std::cmp::Reverse((alias.home.depth(), alias.start.len())));
        let keys = aliases.iter().map(|alias| key(&alias.start).to_owned()).collect();
        Aliases { all: aliases, keys }
    }

    /// Where a text may hold one.
    pub(super) fn in_text<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.keys.iter().flat_map(|key| memchr::memmem::find_iter(text.as_bytes(), key.as_bytes()))
    }

    /// What a path means in a file of the folder `home`, without its ending.
    pub(super) fn resolve(&self, home: &RepoPath, path: &str) -> Option<RepoPath> {
        self.all.iter().filter(|alias| home.is_in(&alias.home)).find_map(|alias| {
            let rest = path.strip_prefix(alias.start.as_str());
            let rest = rest.filter(|rest| alias.is_open || rest.is_empty())?;
            let (before, behind) = &alias.target;
            alias.base.join(&format!("{before}{rest}{behind}"))
        })
    }
}

/// The first part of an alias, where that is more than a mark: `@app` of `@app/common`.
fn key(start: &str) -> &str {
    match start.split('/').next() {
        Some(first) if first.len() > 2 => first,
        _ => start.trim_end_matches('/'),
    }
}

fn of_file(home: &RepoPath, text: &str) -> Vec<Alias> {
    let Some(settings) = read(text) else { return Vec::new() };
    let options = settings.get("compilerOptions").unwrap_or(&serde_json::Value::Null);
    let base = options.get("baseUrl").and_then(serde_json::Value::as_str).unwrap_or(".");
    let Some(base) = home.join(base) else { return Vec::new() };
    let paths = options.get("paths").and_then(serde_json::Value::as_object);
    let one = |(pattern, targets): (&String, &serde_json::Value)| {
        let (start, is_open) =
            pattern.strip_suffix('*').map_or((pattern.as_str(), false), |start| (start, true));
        let target = targets.as_array()?.first()?.as_str()?;
        let (before, behind) = target.split_once('*').unwrap_or((target, ""));
        let target = (before.to_owned(), behind.to_owned());
        Some(Alias { home: home.clone(), start: start.to_owned(), is_open, base: base.clone(), target })
    };
    paths.into_iter().flatten().filter_map(one).collect()
}

/// JSON, in which comments and commas at the ends of lists may stand.
fn read(text: &str) -> Option<serde_json::Value> {
    if !holds(text, "\"paths\"") {
        return None;
    }
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&plain(text)).ok())
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            let mut escaped = false;
            let ends = |c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            };
            let end = rest[1..].find(ends).map_or(rest.len(), |end| end + 2);
            plain.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            if matches!(c, ']' | '}') && plain.trim_end().ends_with(',') {
                plain.truncate(plain.trim_end().len() - 1);
            }
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    plain
}
