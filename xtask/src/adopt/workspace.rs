//! Whether the package joins the monorepo's Cargo workspace, and what that changes in its manifest.

use toml_edit::{Array, DocumentMut, Item, Value};

use super::{Edit, FOLDER, Found, Home, Source, package, toml_file};
use crate::error::Failure;
use crate::model::words::list;

pub(super) const MANIFEST: &str = "Cargo.toml";

/// Which workspace the package belongs to; the one that it has chosen already, if it is there.
pub(super) fn home(found: &Found) -> Home {
    let own = |why: &str| Home::Own(why.to_owned());
    // What is no TOML is said where it would be edited.
    let parsed = |name: &str| toml_file::parse(found, name).unwrap_or_default();
    if found.text(package::MANIFEST).is_some() {
        return match parsed(package::MANIFEST).get("workspace") {
            Some(_) => own("it is one already"),
            None => Home::Joined,
        };
    }
    let root = parsed(MANIFEST);
    if found.text(MANIFEST).is_none() {
        return own("the monorepo is no Cargo workspace");
    }
    if root.get("workspace").is_none() {
        return own("the monorepo's `Cargo.toml` has none");
    }
    if excludes(&root, FOLDER) {
        return own("the monorepo's workspace excludes the folder");
    }
    match found.builds.as_slice() {
        [] => Home::Joined,
        [first, second, third, _, ..] => {
            let more = found.builds.len() - 3;
            own(&format!(
                "images are built from that of the root: {first}, {second}, {third} and {more} more"
            ))
        }
        builds => own(&format!("images are built from that of the root: {}", list(builds))),
    }
}

/// The manifest with the package as a member, or without it where it would be one by accident; `None` where there is
/// no workspace.
pub(super) fn edit(found: &Found, home: &Home, source: &Source) -> Result<Option<Edit>, Failure> {
    let Some(before) = found.text(MANIFEST) else { return Ok(None) };
    let mut manifest = toml_file::parse(found, MANIFEST)?;
    if manifest.get("workspace").is_none() {
        return Ok(None);
    }
    let mut cause = "nothing to change";
    // cargo takes a package by path for a member, if it lies inside.
    let inside = match source {
        Source::Path { inside: Some(folder), .. } if !excludes(&manifest, folder) => Some(folder.as_str()),
        _ => None,
    };
    match home {
        Home::Joined => {
            if let Some(folder) = inside {
                add(found, &mut manifest, "exclude", folder)?;
            }
            if !is_member(&manifest, FOLDER) {
                add(found, &mut manifest, "members", FOLDER)?;
                cause = "the package is a member";
            }
        }
        Home::Own(_) => {
            if is_member(&manifest, FOLDER) && !excludes(&manifest, FOLDER) {
                add(found, &mut manifest, "exclude", FOLDER)?;
                cause = "the package has a workspace of its own";
            }
        }
    }
    let after = manifest.to_string();
    Ok(Some(Edit {
        name: MANIFEST.to_owned(),
        before: Some(before.to_owned()),
        after,
        cause: cause.to_owned(),
    }))
}

fn add(found: &Found, manifest: &mut DocumentMut, key: &str, folder: &str) -> Result<(), Failure> {
    let place = toml_file::place(found, MANIFEST, &["workspace", key]);
    let workspace = manifest.get_mut("workspace").and_then(Item::as_table_like_mut);
    let array = workspace
        .map(|workspace| workspace.entry(key).or_insert(Item::Value(Value::Array(Array::new()))))
        .and_then(Item::as_array_mut);
    let Some(array) = array else {
        return Err(Failure::new(format!("`workspace.{key}` is no list"))
            .at(place)
            .fix(format!("write below `[workspace]`: {key} = [\"{folder}\"]")));
    };
    toml_file::push(array, folder);
    Ok(())
}

fn entries<'a>(manifest: &'a DocumentMut, key: &str) -> Vec<&'a str> {
    manifest
        .get("workspace")
        .and_then(|workspace| toml_file::strings(workspace.get(key)?))
        .unwrap_or_default()
}

fn tidy(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

/// Whether cargo leaves the folder out, or one above it; it takes no patterns there.
fn excludes(manifest: &DocumentMut, folder: &str) -> bool {
    entries(manifest, "exclude")
        .into_iter()
        .map(tidy)
        .any(|entry| folder == entry || folder.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/')))
}

/// Whether a folder of the root is a member, by name or by a pattern.
fn is_member(manifest: &DocumentMut, folder: &str) -> bool {
    entries(manifest, "members").into_iter().map(tidy).any(|entry| match entry.split_once('*') {
        _ if entry == folder => true,
        Some((head, tail)) => {
            !tail.contains('*') && !entry.contains('/') && folder.starts_with(head) && folder.ends_with(tail)
        }
        None => false,
    })
}
