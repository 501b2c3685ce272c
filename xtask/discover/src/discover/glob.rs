//! Patterns over paths: `*` and `?` within a part, `**` over parts; knows no braces and no classes.

use std::str::Chars;

use crate::model::path::RepoPath;

/// A pattern that many paths are compared with.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    parts: Vec<String>,
    /// What it names, where nothing in it stands for anything else.
    plain: Option<RepoPath>,
}

impl Glob {
    /// The pattern `text`, seen from the root.
    pub(super) fn new(text: &str) -> Glob {
        let parts: Vec<String> = parts(text).into_iter().map(str::to_owned).collect();
        let is_plain = parts.iter().all(|part| part != ".." && !part.contains(['*', '?']));
        let plain = RepoPath::new(&parts.join("/")).filter(|_| is_plain);
        Glob { parts, plain }
    }

    /// Whether `path` is what the pattern names, or lies below it.
    pub(super) fn covers(&self, path: &RepoPath) -> bool {
        if let Some(plain) = &self.plain {
            return path.is_in(plain);
        }
        let pattern: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        let path: Vec<&str> = path.parts().collect();
        (0..=path.len()).any(|end| matches_parts(&pattern, &path[..end]))
    }
}

/// Whether `path` is what `pattern` names, or lies below it.
pub(super) fn covers(pattern: &str, path: &RepoPath) -> bool {
    Glob::new(pattern).covers(path)
}

/// Whether `path` is what `pattern` names.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    // Most of the files that are compared with `*.json` lie deeper: that much is seen without taking them apart.
    let may_be = pattern.contains("**") || each_part(pattern).count() == each_part(path).count();
    may_be && matches_parts(&parts(pattern), &parts(path))
}

fn parts(text: &str) -> Vec<&str> {
    each_part(text).collect()
}

fn each_part(text: &str) -> impl Iterator<Item = &str> {
    text.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// Without recursion, as for one part: many `**` in one pattern must not cost more than one.
fn matches_parts(pattern: &[&str], path: &[&str]) -> bool {
    let (mut p, mut n, mut stars) = (0, 0, None);
    while n < path.len() {
        match pattern.get(p) {
            Some(&"**") => {
                stars = Some((p, n));
                p += 1;
            }
            Some(part) if matches_part(part, path[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, seen)) = stars else { return false };
                stars = Some((at, seen + 1));
                p = at + 1;
                n = seen + 1;
            }
        }
    }
    pattern[p..].iter().all(|part| *part == "**")
}

/// Without recursion: patterns come from other people's files.
fn matches_part(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    // What stands behind the last `*`, and where the name goes on if the `*` takes one character more.
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    while let Some(c) = name.clone().next() {
        let mut rest = pattern.clone();
        match rest.next() {
            Some('*') => {
                pattern = rest;
                star = Some((pattern.clone(), name.clone()));
            }
            Some(wanted) if wanted == '?' || wanted == c => {
                pattern = rest;
                name.next();
            }
            _ => {
                let Some((behind, taken)) = &mut star else { return false };
                taken.next();
                (pattern, name) = (behind.clone(), taken.clone());
            }
        }
    }
    pattern.all(|c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_lies_below() {
        let path = RepoPath::new("workspace/code/trading/src").expect("inside the root");
        let covers = |pattern: &str| Glob::new(pattern).covers(&path);
        assert!(covers("workspace/code/*"));
        assert!(covers("**/trading"));
        assert!(!covers("workspace/code/t?"));
        assert!(covers("./workspace//code/") && covers(""));
        assert!(!covers("workspace/cod") && !covers("../workspace"));
        assert!(covers("**/code/**") && covers("**/**/src") && !covers("**/x/**"));
        assert!(matches("a*b/**", "axxb/c/d") && !matches("*.jar", "a/b.jar"));
        assert!(matches("./a/*?.txt", "a/\u{e4}.txt") && !matches("a/??.txt", "a/\u{e4}.txt"));
        assert!(matches("*ab*c", "aabxabxc") && !matches("*ab*c", "aabxabx") && matches("a**", "a"));
    }

    #[test]
    fn many_stars_do_not_multiply() {
        let path = RepoPath::new(&"a/".repeat(200)).expect("inside the root");
        let started = std::time::Instant::now();
        assert!(!covers(&format!("{}b", "**/a/".repeat(60)), &path));
        assert!(!covers(
            &format!("{}b", "*a".repeat(200)),
            &RepoPath::new(&"a".repeat(200)).expect("inside")
        ));
        assert!(started.elapsed().as_secs() < 5);
    }
}
