//! Three texts of one file made into one in which nothing of the user's is lost; touches no disk.
//!
//! Architecture Invariant: a merge either returns a text that it has checked, or says in words why it will not.

mod adopt;
mod dangling;
pub mod edit;
mod entries;
mod env;
mod forms;
mod items;
mod layers;
mod lines;
mod needed;
mod references;
pub(crate) mod rename;
mod tree;
mod yaml;

use std::collections::BTreeSet;

pub use layers::{deleted_services, without_services};
use tree::{Doc, Entry, Value};

/// What a merge made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// The whole file.
    pub text: String,
    /// Where both sides changed the same thing in different ways; the user's side is in the text.
    pub conflicts: Vec<Conflict>,
    /// What else a person should know, a sentence each.
    pub notes: Vec<String>,
    /// The keys of `generated` that were found.
    pub taken: BTreeSet<String>,
}

/// One thing that both sides changed in different ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What `--take` calls it: `services.trading.init`.
    pub key: String,
    /// The user's side; `None` where the user deleted it.
    pub mine: Option<String>,
    /// The generator's side; `None` where it is no longer generated.
    pub generated: Option<String>,
}

impl Conflict {
    /// How `--take` names it: `docker-compose.yml:services.trading.init`; the file alone where that is all there is.
    pub fn place(&self, file: &str) -> String {
        if self.key.is_empty() { file.to_owned() } else { format!("{file}:{}", self.key) }
    }
}

/// How a file is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By key.
    Yaml,
    /// By variable.
    Env,
    /// By line.
    Lines,
}

impl Kind {
    /// By the file's name.
    pub fn of(name: &str) -> Kind {
        let file = name.rsplit('/').next().unwrap_or_default();
        if file.ends_with(".yml") || file.ends_with(".yaml") {
            Kind::Yaml
        } else if file.starts_with(".env") {
            Kind::Env
        } else {
            Kind::Lines
        }
    }
}

/// Merges what the generator changed from `base` to `new` into `current`; `base` is empty for a file that was
/// written by hand. For the keys in `generated` the generator's side is taken whatever the user did.
///
/// # Errors
/// Why the file is better left as it is, in words.
pub fn three_way(
    kind: Kind,
    base: &str,
    current: &str,
    new: &str,
    generated: &BTreeSet<String>,
) -> Result<Merged, String> {
    if kind == Kind::Lines {
        return Ok(lines::merge(base, current, new));
    }
    // A last line without its end would join what is added below it.
    let open = !current.is_empty() && !current.ends_with('\n');
    let closed = if open { format!("{current}\n") } else { current.to_owned() };
    let parse = |text| parse(kind, text);
    let (base, current, new) = (parse(base)?, parse(&closed)?, parse(new)?);
    let (fitted, notes) = match kind {
        Kind::Yaml if base.text.is_empty() => (adopt::fitting(&current, &new), Vec::new()),
        Kind::Yaml => {
            let (complete, mut notes) = needed::with_needed(&base, &current, &new, generated);
            let (fitted, more) = dangling::without(&base, &current, &yaml::parse(&complete)?);
            notes.extend(more);
            (fitted, notes)
        }
        _ => (new.text.to_owned(), Vec::new()),
    };
    let (mut merged, meant) = entries::merge(&base, &current, &parse(&fitted)?, generated);
    merged.notes = notes;
    let broken = references::broken(&current.value(), &new.value(), &meant);
    if !broken.is_empty() {
        return Err(crate::model::words::list(&broken));
    }
    let says = value(kind, &merged.text).map_err(|why| format!("it could not be merged: {why}"))?;
    if says != meant {
        return Err("it could not be merged safely".to_owned());
    }
    if open && merged.text.ends_with('\n') {
        merged.text.pop();
    }
    Ok(merged)
}

/// The names of the variables of an env file; none where it cannot be read.
pub(super) fn variables(text: &str) -> BTreeSet<String> {
    let entries = env::parse(text).map(|doc| doc.root.entries).unwrap_or_default();
    entries.into_iter().map(|entry| entry.key).collect()
}

/// An env file without these variables and the comments above them.
pub(super) fn without_variables(text: &str, names: &BTreeSet<String>) -> String {
    let Ok(doc) = env::parse(text) else { return text.to_owned() };
    let gone = doc.root.entries.iter().filter(|entry| names.contains(&entry.key));
    let cuts: Vec<_> = gone.map(|entry| entry.lead.start..entry.end).collect();
    dangling::cut(text, &cuts)
}

/// The names in `${NAME}`, `${NAME:-…}` and the like.
pub(super) fn interpolated(text: &str) -> impl Iterator<Item = String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    text.split("${").skip(1).map(name)
}

/// A list with one item a line, completed by the items that only `new` has; comments count as none.
pub fn with_missing_lines(current: &str, new: &str) -> String {
    let mut text = current.to_owned();
    for line in new.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if !current.lines().any(|known| known.trim() == line.trim()) {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// What `--take` calls `key`, in two texts: the conflict that is still there, or `None` where they agree.
pub fn still_open(kind: Kind, key: &str, current: &str, new: &str) -> Option<Conflict> {
    if kind == Kind::Lines {
        return None;
    }
    let (current, new) = (parse(kind, current).ok()?, parse(kind, new).ok()?);
    let (mine, theirs) = (current.find(key), new.find(key));
    // In a list, the item holds the key as well: `PORT=3000`.
    let bare = |entry: &&Entry| {
        let text = entry.value.scalar()?;
        Some(text.strip_prefix(&entry.key).and_then(|rest| rest.strip_prefix('=')).unwrap_or(text).to_owned())
    };
    let same = mine.map(|entry| &entry.value) == theirs.map(|entry| &entry.value);
    if same || mine.as_ref().and_then(bare).is_some_and(|text| theirs.as_ref().and_then(bare) == Some(text)) {
        return None;
    }
    Some(Conflict {
        key: key.to_owned(),
        mine: mine.map(|entry| entries::shown(&current, entry)),
        generated: theirs.map(|entry| entries::shown(&new, entry)),
    })
}

fn parse(kind: Kind, text: &str) -> Result<Doc<'_>, String> {
    if kind == Kind::Env { env::parse(text) } else { yaml::parse(text) }
}

fn value(kind: Kind, text: &str) -> Result<Value, String> {
    if kind == Kind::Yaml {
        return yaml::value(text);
    }
    let doc = env::parse(text)?;
    let pairs = doc.root.entries.into_iter().map(|entry| (entry.name, entry.value));
    Ok(Value::plain(tree::Data::Map(pairs.collect())))
}
