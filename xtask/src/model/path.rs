//! Paths inside the monorepo, always relative to its root and written with `/`; never touches the disk.

use std::fmt;

use serde::Serialize;

/// A path relative to the root, `/` between its parts, without `.` and `..`; the root itself is `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RepoPath(String);

impl Default for RepoPath {
    fn default() -> Self {
        RepoPath::root()
    }
}

impl RepoPath {
    /// The root of the monorepo.
    pub fn root() -> Self {
        RepoPath(".".to_owned())
    }

    /// Normalises `text`: `./a//b/` is `a/b`. `None` where it is absolute or leaves the root.
    pub fn new(text: &str) -> Option<Self> {
        if text.starts_with('/') { None } else { RepoPath::root().join(text) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// `text` seen from here, `..` resolved. `None` where it leaves the root. A leading `/` counts as the root.
    pub fn join(&self, text: &str) -> Option<Self> {
        let mut parts: Vec<&str> =
            if self.is_root() || text.starts_with('/') { Vec::new() } else { self.0.split('/').collect() };
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(if parts.is_empty() { RepoPath::root() } else { RepoPath(parts.join("/")) })
    }

    /// The folder that holds this; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(match self.0.rsplit_once('/') {
            Some((parent, _)) => RepoPath(parent.to_owned()),
            None => RepoPath::root(),
        })
    }

    /// The last part; empty for the root.
    pub fn name(&self) -> &str {
        if self.is_root() { "" } else { self.0.rsplit('/').next().unwrap_or_default() }
    }

    /// The part of the name behind its last dot, without it; empty where there is none.
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether this is `folder` or lies below it.
    pub fn is_in(&self, folder: &RepoPath) -> bool {
        folder.is_root()
            || self
                .0
                .strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// This path seen from `folder`, which must hold it: `a/b/c` from `a` is `b/c`; itself is `.`.
    pub fn relative_to(&self, folder: &RepoPath) -> Option<String> {
        if folder.is_root() {
            return Some(self.0.clone());
        }
        let rest = self.0.strip_prefix(folder.as_str())?;
        if rest.is_empty() {
            return Some(".".to_owned());
        }
        rest.strip_prefix('/').map(str::to_owned)
    }

    /// The parts from the root; empty for the root.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| *part != ".")
    }

    /// How deep it lies: 0 for the root, 1 for `a`, 2 for `a/b`.
    pub fn depth(&self) -> usize {
        self.parts().count()
    }

    /// This and every folder above it up to the root, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = RepoPath> {
        std::iter::successors(Some(self.clone()), RepoPath::parent)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).expect("inside the root")
    }

    #[test]
    fn paths_are_normalised() {
        assert_eq!(path("./a//b/").as_str(), "a/b");
        assert_eq!(path("a/../").as_str(), ".");
        assert_eq!(RepoPath::new("a/../../b"), None);
        assert_eq!(RepoPath::new("/etc"), None);
    }

    #[test]
    fn relations_hold_at_part_boundaries() {
        assert!(path("a/b").is_in(&path("a")));
        assert!(!path("ab").is_in(&path("a")));
        assert_eq!(path("a/b/c").relative_to(&path("a")).as_deref(), Some("b/c"));
        assert_eq!(path("a").relative_to(&path("a")).as_deref(), Some("."));
        let up: Vec<String> = path("a/b").ancestors().map(|p| p.to_string()).collect();
        assert_eq!(up, ["a/b", "a", "."]);
    }
}
