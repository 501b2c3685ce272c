//! What it takes to put these commands into another monorepo: texts in, texts out; touches no disk.
//!
//! A small package `xtask/` that calls this library, the alias `cargo xtask`, the membership in the Cargo workspace or
//! a workspace of its own, and a job for continuous integration. What people wrote stays byte for byte; where a place
//! is taken, nothing is written and the failure says what to write there by hand.
//!
//! Architecture Invariant: a package that depends on this library joins no workspace that an image is built from: cargo
//! would want the library in the image, too.

pub mod alias;
pub mod ci;
pub mod lock;
pub mod package;
mod toml_file;
mod toolchain;
pub mod workspace;

use std::collections::BTreeMap;

use crate::error::{Failure, Failures, Result};

pub use ci::Ci;
pub use package::Source;

/// The folder of the package, in the monorepo's root.
pub const FOLDER: &str = "xtask";

/// The files that are read, where they are there; relative to the monorepo's root.
pub const READ: &[&str] = &[
    workspace::MANIFEST,
    alias::CONFIG,
    alias::OLD_CONFIG,
    package::MANIFEST,
    package::MAIN,
    package::IGNORE,
    package::LOCK,
    DOCKER_IGNORE,
    toolchain::FILE,
    toolchain::OLD_FILE,
    ci::GITHUB,
    ci::GITLAB,
    ci::GITLAB_JOB,
];

const DOCKER_IGNORE: &str = ".dockerignore";

/// The monorepo as it lies there.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// As people see it: the folder that they named.
    pub shown: String,
    /// The folder's own name.
    pub name: String,
    /// The texts of the files in [`READ`] that are there.
    pub files: BTreeMap<String, String>,
    /// `path:line` of what brings the root's `Cargo.toml` into an image that cargo then builds.
    pub builds: Vec<String>,
    /// `path:line` of a COPY that takes the whole root into an image.
    pub copies_all: Option<String>,
}

impl Found {
    fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// A file as people see it.
    pub fn show(&self, name: &str) -> String {
        format!("{}/{name}", self.shown.trim_end_matches('/'))
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where the library comes from.
    pub source: Source,
    /// Whether there shall be a job, and for which system.
    pub ci: Option<Ci>,
    /// The `Cargo.lock` that the library is tested with.
    pub lock: Option<String>,
}

/// One file, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Relative to the monorepo's root.
    pub name: String,
    /// `None` where there is none yet.
    pub before: Option<String>,
    /// The text then; the same where nothing happens.
    pub after: String,
    /// Why, in a few words.
    pub cause: String,
}

/// Which workspace the package belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// The monorepo's.
    Joined,
    /// One of its own; why.
    Own(String),
}

/// Everything to write.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// In the order in which a report shows them; those in which nothing happens, too.
    pub edits: Vec<Edit>,
    /// The package's name.
    pub package: String,
    /// Which workspace it belongs to.
    pub home: Home,
}

impl Adoption {
    /// The manifest whose lock file has to know the package.
    pub fn manifest(&self) -> &'static str {
        match self.home {
            Home::Joined => workspace::MANIFEST,
            Home::Own(_) => package::MANIFEST,
        }
    }

    /// That lock file.
    pub fn lock(&self) -> &'static str {
        match self.home {
            Home::Joined => lock::ROOT,
            Home::Own(_) => package::LOCK,
        }
    }
}

/// Decides everything.
///
/// # Errors
/// All places at once that are taken by something else, with the lines to write there by hand.
pub fn adopt(found: &Found, wish: &Wish) -> Result<Adoption> {
    let mut failures = Vec::new();
    let mut keep = |edit: Result<Option<Edit>, Failure>, edits: &mut Vec<Edit>| match edit {
        Ok(edit) => edits.extend(edit),
        Err(failure) => failures.push(failure),
    };
    let home = workspace::home(found);
    let package = package::name(found);
    let own = matches!(home, Home::Own(_));
    let mut edits = Vec::new();
    keep(toolchain::check(found).map(|()| None), &mut edits);
    keep(package::manifest(found, &package, &wish.source, &home).map(Some), &mut edits);
    edits.push(package::main(found));
    keep(workspace::edit(found, &home, &wish.source), &mut edits);
    if own {
        edits.push(package::ignored(found));
        edits.extend(package::lock(found, wish.lock.as_deref()));
        edits.extend(docker_ignored(found));
    }
    keep(alias::edit(found, &alias::value(&package, own)).map(Some), &mut edits);
    if let Some(ci) = wish.ci {
        match ci::edits(found, ci, own, &wish.source) {
            Ok(more) => edits.extend(more),
            Err(failure) => failures.push(failure),
        }
    }
    Failures::check(failures, "nothing was written")?;
    Ok(Adoption { edits, package, home })
}

/// What cargo compiles for the package is large, and no image needs it.
fn docker_ignored(found: &Found) -> Option<Edit> {
    const COVERS: &[&str] =
        &["xtask/target", "xtask", "**/target", "*/target", "**/target/**", "*", "**", "xtask/*"];
    let place = found.copies_all.as_ref()?;
    let before = found.text(DOCKER_IGNORE);
    let covered = before.is_some_and(|text| {
        text.lines().any(|line| COVERS.contains(&line.trim().trim_start_matches('/').trim_end_matches('/')))
    });
    if covered {
        return None;
    }
    let mut after = before.unwrap_or_default().to_owned();
    if !after.is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    after.push_str("xtask/target\n");
    let cause = format!("{place} copies the whole folder into an image");
    Some(Edit { name: DOCKER_IGNORE.to_owned(), before: before.map(str::to_owned), after, cause })
}

/// A file that is written once and then its owner's.
fn once(found: &Found, name: &str, text: impl Into<String>, cause: &str) -> Edit {
    let before = found.text(name).map(str::to_owned);
    let after = before.clone().unwrap_or_else(|| text.into());
    Edit { name: name.to_owned(), before, after, cause: cause.to_owned() }
}

#[cfg(test)]
mod tests;
