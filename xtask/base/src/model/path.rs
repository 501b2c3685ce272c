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
        if is_normal(text) {
            return Some(RepoPath(if self.is_root() { text.to_owned() } else { format!("{self}/{text}") }));
        }
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
        Some(match memchr::memrchr(b'/', self.0.as_bytes()) {
            Some(at) => RepoPath(self.0[..at].to_owned()),
            None => RepoPath::root(),
        })
    }

    /// The last part; empty for the root.
    pub fn name(&self) -> &str {
        match memchr::memrchr(b'/', self.0.as_bytes()) {
            Some(at) => &self.0[at + 1..],
            None if self.is_root() => "",
            None => &self.0,
        }
    }

    /// The part of the name behind its last dot, without it; empty where there is none.
    pub fn extension(&self) -> &str {
        let name = self.name();
        memchr::memrchr(b'.', name.as_bytes()).map_or("", |at| &name[at + 1..])
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

/// Whether `text` needs no normalising: no part of it is empty or begins with a dot.
fn is_normal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins_part = |at: usize| bytes.get(at).is_some_and(|byte| !matches!(byte, b'/' | b'.'));
    begins_part(0) && memchr::memchr_iter(b'/', bytes).all(|at| begins_part(at + 1))
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
        assert_eq!(path("a/.b/..c").as_str(), "a/.b/..c");
        assert_eq!(path("").as_str(), ".");
        assert_eq!(path("a").join("b/c").map(|path| path.to_string()).as_deref(), Some("a/b/c"));
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
