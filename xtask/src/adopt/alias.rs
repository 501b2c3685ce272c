//! The alias `cargo xtask` in the monorepo's cargo configuration; knows no other key of it.

use toml_edit::{Item, Table, Value};

use super::{Edit, Found, package, toml_file};
use crate::error::Failure;

pub(super) const CONFIG: &str = ".cargo/config.toml";
/// cargo still reads it, and prefers it where both are there.
pub(super) const OLD_CONFIG: &str = ".cargo/config";

/// What the alias stands for.
pub fn value(package: &str, own: bool) -> String {
    if own {
        // cargo finds a package of another workspace by its manifest only, seen from the current folder.
        format!("run --quiet --manifest-path {} --", package::MANIFEST)
    } else {
        format!("run --quiet --package {package} --")
    }
}

/// The configuration with the alias.
pub(super) fn edit(found: &Found, wanted: &str) -> Result<Edit, Failure> {
    let name = if found.text(OLD_CONFIG).is_some() { OLD_CONFIG } else { CONFIG };
    let mut document = toml_file::parse(found, name)?;
    let before = found.text(name).map(str::to_owned);
    let edit = |after| Edit {
        name: name.to_owned(),
        before: before.clone(),
        after,
        cause: "the alias `cargo xtask`".to_owned(),
    };
    let failure = |what: &str| {
        Failure::new(what)
            .at(toml_file::place(found, name, &["alias", "xtask"]))
            .fix(format!("write below `[alias]`: xtask = \"{wanted}\""))
    };
    match document.get("alias").and_then(|aliases| aliases.get("xtask")) {
        Some(item) if words(item).is_some_and(|words| words == split(wanted)) => {
            return Ok(edit(before.clone().unwrap_or_default()));
        }
        Some(item) => {
            let said =
                words(item).map_or_else(|| item.to_string().trim().to_owned(), |words| words.join(" "));
            return Err(failure("the alias `xtask` is taken").why(format!("it stands for `cargo {said}`")));
        }
        None => {}
    }
    let aliases = document.entry("alias").or_insert_with(|| Item::Table(Table::new()));
    let Some(aliases) = aliases.as_table_like_mut() else {
        return Err(failure("`alias` is no table"));
    };
    aliases.insert("xtask", Item::Value(Value::from(wanted)));
    Ok(edit(document.to_string()))
}

/// An alias as words, written as a string or as a list.
fn words(item: &Item) -> Option<Vec<String>> {
    match item.as_str() {
        Some(text) => Some(split(text)),
        None => Some(toml_file::strings(item)?.into_iter().map(str::to_owned).collect()),
    }
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
