//! Paths inside the monorepo, always relative to its root and written with `/`; never touches the disk.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A path relative to the root, `/` between its parts, without `.` and `..`; the root itself is `.`.
///
/// Copies share one text, and so does a folder with the file it was asked of: discovery hands on paths a million times.
#[derive(Clone)]
pub struct RepoPath {
    text: Arc<str>,
    /// How much of the text is the path, in bytes; 0 for the root.
    end: u32,
    /// Where its last part begins, in bytes.
    name: u32,
}

impl Default for RepoPath {
    fn default() -> Self {
        RepoPath::root()
    }
}

impl RepoPath {
    /// The root of the monorepo.
    pub fn root() -> Self {
        RepoPath { text: Arc::default(), end: 0, name: 0 }
    }

    /// Normalises `text`: `./a//b/` is `a/b`. `None` where it is absolute or leaves the root.
    pub fn new(text: &str) -> Option<Self> {
        if text.starts_with('/') { None } else { RepoPath::root().join(text) }
    }

    /// `text` as it is, which must be normal; `None` where it is longer than anything that a system takes.
    fn normal(text: impl Into<Arc<str>>) -> Option<Self> {
        let text = text.into();
        let end = u32::try_from(text.len()).ok()?;
        RepoPath { text, end, name: 0 }.named()
    }

    /// With the place of its last part.
    fn named(mut self) -> Option<Self> {
        let slash = memchr::memrchr(b'/', self.whole().as_bytes());
        self.name = slash.map_or(Some(0), |at| u32::try_from(at + 1).ok())?;
        Some(self)
    }

    /// The path; empty for the root.
    fn whole(&self) -> &str {
        &self.text[..self.end as usize]
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        if self.is_root() { "." } else { self.whole() }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.end == 0
    }

    /// `text` seen from here, `..` resolved. `None` where it leaves the root, or has 4 GiB. A leading `/` counts as the
    /// root.
    pub fn join(&self, text: &str) -> Option<Self> {
        if is_normal(text) {
            return if self.is_root() {
                RepoPath::normal(text)
            } else {
                RepoPath::normal(format!("{self}/{text}"))
            };
        }
        let mut parts: Vec<&str> = if text.starts_with('/') { Vec::new() } else { self.parts().collect() };
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        RepoPath::normal(parts.join("/"))
    }

    /// The folder that holds this; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        RepoPath { text: Arc::clone(&self.text), end: self.name.saturating_sub(1), name: 0 }.named()
    }

    /// The last part; empty for the root.
    pub fn name(&self) -> &str {
        &self.whole()[self.name as usize..]
    }

    /// The part of the name behind its last dot, without it; empty where there is none.
    pub fn extension(&self) -> &str {
        let name = self.name();
        name.bytes().rposition(|byte| byte == b'.').map_or("", |at| &name[at + 1..])
    }

    /// Whether this is `folder` or lies below it.
    pub fn is_in(&self, folder: &RepoPath) -> bool {
        folder.is_root()
            || self
                .as_str()
                .strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// This path seen from `folder`, which must hold it: `a/b/c` from `a` is `b/c`; itself is `.`.
    pub fn relative_to(&self, folder: &RepoPath) -> Option<String> {
        if folder.is_root() {
            return Some(self.to_string());
        }
        let rest = self.as_str().strip_prefix(folder.as_str())?;
        if rest.is_empty() {
            return Some(".".to_owned());
        }
        rest.strip_prefix('/').map(str::to_owned)
    }

    /// The parts from the root; empty for the root.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.whole().split('/').filter(|part| !part.is_empty())
    }

    /// How deep it lies: 0 for the root, 1 for `a`, 2 for `a/b`.
    pub fn depth(&self) -> usize {
        if self.is_root() { 0 } else { memchr::memchr_iter(b'/', self.whole().as_bytes()).count() + 1 }
    }

    /// This and every folder above it up to the root, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = RepoPath> {
        std::iter::successors(Some(self.clone()), RepoPath::parent)
    }
}

impl PartialEq for RepoPath {
    fn eq(&self, other: &Self) -> bool {
        self.end == other.end && (Arc::ptr_eq(&self.text, &other.text) || self.as_str() == other.as_str())
    }
}

impl Eq for RepoPath {}

impl PartialOrd for RepoPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Bytewise.
impl Ord for RepoPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for RepoPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RepoPath").field(&self.as_str()).finish()
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
        f.write_str(self.as_str())
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
        let folder = path("a/b.d/c.txt").parent().expect("lies in one");
        assert_eq!(folder, path("a/b.d"), "whatever text they are part of");
        assert_eq!((folder.name(), folder.extension(), folder.depth()), ("b.d", "d", 2));
        assert_eq!((path("a").parent(), RepoPath::root().name()), (Some(RepoPath::root()), ""));
        assert!(path("a/.") == path("a") && RepoPath::root() < path("a") && path("a") < path("a/b"));
    }
}
