//! The setup's folder and the safe way from a name to a path in it; reads only metadata.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};

/// The part of the folder that belongs to the generator.
pub const GENERATED: &str = ".generated";
/// The project's name, port assignments and renames of the last run.
pub const STATE: &str = ".generated/state.yaml";
/// Copies of the files as they were last generated.
pub const BASE: &str = ".generated/base";
/// Conflicts that nobody resolved yet, a line `FILE:KEY` each.
pub const CONFLICTS: &str = ".generated/conflicts";

/// The setup's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Absolute; need not exist.
    pub path: PathBuf,
    /// As people see it: `integration`.
    pub shown: String,
}

impl Folder {
    /// The folder at `path`, named `shown` in messages.
    pub fn new(path: impl Into<PathBuf>, shown: impl Into<String>) -> Self {
        Folder { path: path.into(), shown: shown.into() }
    }

    /// A file in it as people see it: `integration/docker-compose.yml`.
    pub fn show(&self, name: &str) -> String {
        format!("{}/{name}", self.shown.trim_end_matches('/'))
    }

    /// The path of a file, existing or not, with the links on the way resolved.
    ///
    /// # Errors
    /// Where a link leads out of the folder or nowhere, or a part of the way is no folder.
    pub fn locate(&self, name: &str) -> Result<PathBuf> {
        let home = match self.path.canonicalize() {
            Ok(home) => home,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(self.path.join(name)),
            Err(why) => {
                let what = format!("cannot open the setup's folder `{}`", self.shown);
                return Err(Failure::new(what).why(why).into());
            }
        };
        let mut path = home.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            match path.symlink_metadata() {
                Err(why) if why.kind() == ErrorKind::NotFound => {
                    path.extend(parts);
                    return Ok(path);
                }
                Err(why) => return Err(self.unreadable(name, why).into()),
                Ok(meta) if meta.is_symlink() => path = self.follow(name, &path, &home)?,
                Ok(_) => {}
            }
            if parts.peek().is_some() && !path.is_dir() {
                let shown = path.strip_prefix(&home).unwrap_or(&path).display().to_string();
                return Err(Failure::new(format!("`{}` is not a folder", self.show(&shown)))
                    .why(format!("`{}` has its place in it", self.show(name)))
                    .fix("move it away")
                    .into());
            }
        }
        Ok(path)
    }

    /// The failure to read a file.
    pub fn unreadable(&self, name: &str, why: impl std::fmt::Display) -> Failure {
        Failure::new(format!("cannot read `{}`", self.show(name))).at(self.show(name)).why(why)
    }

    fn follow(&self, name: &str, link: &Path, home: &Path) -> Result<PathBuf> {
        let failure = |why: String| {
            Failure::new(format!("`{}` is behind a symbolic link that is not followed", self.show(name)))
                .at(self.show(name))
                .why(why)
                .fix("replace the link by a file, or remove it")
        };
        let target = link.canonicalize().map_err(|why| failure(why.to_string()))?;
        if !target.starts_with(home) {
            return Err(failure("it leads out of the setup's folder".to_owned()).into());
        }
        Ok(target)
    }
}
