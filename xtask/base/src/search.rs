//! Finds the lines of a source file that are worth a closer look; cost is one search plus the lines that it hits. Knows
//! no language and no rule.

mod keys;
pub mod needles;

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Captures, Match, Regex};

use keys::Keys;

/// Longer lines were written by a machine.
const MAX_LINE: usize = 2000;
/// How far a call may go on over the following lines.
const MAX_WINDOW: usize = 1200;
/// A file with more hits is data.
const MAX_HITS: usize = 5000;

/// How a language writes comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// `//` and `/* */`; `'` delimits single characters (or lifetimes).
    Slash,
    /// `//` and `/* */`; `'` delimits strings.
    Script,
    /// `#`, and documentation between `"""`.
    Hash,
    /// `#`, `//` and `/* */`.
    Php,
}

/// A line that holds a needle.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u32,
    /// Without the comment at its end.
    pub text: &'a str,
    /// From the line's start over the following lines, where a call may go on.
    pub window: &'a str,
}

/// A pattern that is checked by a test instead of at run time, and compiled when it is first used: most patterns of a
/// language are never needed in one repository.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    regex: OnceLock<Option<Regex>>,
    /// For [`lines`].
    keys: OnceLock<Option<Keys>>,
}

impl Pattern {
    /// The pattern `text`, in which `\w`, `\d`, `\s` and `\b` mean ASCII (their Unicode tables cost much to compile), and
    /// `<str>` is a quoted string, `<lit>` a string, number, truth value or Python's nothing, `<key>` a name and `<KEY>` one in capitals.
    pub fn new(text: &str) -> Pattern {
        Pattern { text: text.to_owned(), regex: OnceLock::new(), keys: OnceLock::new() }
    }

    /// As the library for regular expressions takes it.
    fn expanded(&self) -> String {
        self.text
            .replace("<lit>", r#"(?:<str>|\d[\d_]*|true|false|True|False|None\b)"#)
            .replace("<str>", r#"(?:"[^"\n]*"|'[^'\n]*'|`[^`\n]*`)"#)
            .replace("<key>", "[A-Za-z_][A-Za-z0-9_]*")
            .replace("<KEY>", "[A-Z][A-Z0-9_]+")
            .replace(r"\w", "[0-9A-Za-z_]")
            .replace(r"\d", "[0-9]")
            .replace(r"\s", r"[\t\r\n ]")
            .replace(r"\b", r"(?-u:\b)")
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(&self.expanded()).ok()).as_ref()
    }

    fn keys(&self) -> Option<&Keys> {
        self.keys.get_or_init(|| Keys::of(&self.expanded())).as_ref()
    }

    /// Matches that begin in the first `limit` bytes.
    pub fn all<'p, 't>(
        &'p self,
        text: &'t str,
        limit: usize,
    ) -> impl Iterator<Item = Captures<'t>> + use<'p, 't> {
        let begins = move |found: &Captures<'_>| found.get(0).is_some_and(|whole| whole.start() < limit);
        // Where there is no match, as almost everywhere, this is much cheaper than to prepare for groups.
        let regex = self.regex().filter(|regex| regex.is_match(text));
        regex.into_iter().flat_map(|regex| regex.captures_iter(text)).take_while(begins)
    }

    /// The next match that begins from `from` on in the first `limit` bytes.
    pub fn next<'t>(&self, text: &'t str, from: usize, limit: usize) -> Option<Match<'t>> {
        let regex = self.regex().filter(|_| from < limit.min(text.len()))?;
        regex.find_at(text, from).filter(|found| found.start() < limit)
    }

    /// The groups of the match that begins at byte `at`.
    pub fn groups<'t>(&self, text: &'t str, at: usize) -> Option<Captures<'t>> {
        self.regex()?.captures_at(text, at)
    }

    /// The first match.
    pub fn first<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex().filter(|regex| regex.is_match(text))?.captures(text)
    }

    /// Whether the text of the pattern is right.
    pub fn is_valid(&self) -> bool {
        self.regex().is_some()
    }
}

/// The lines of `text` that hold `needles` outside comments, each once.
pub fn lines<'a>(text: &'a str, needles: &Pattern, comments: Comments) -> Vec<Line<'a>> {
    let Some(regex) = needles.regex() else { return Vec::new() };
    let mut hits_by_key = needles.keys().map(|keys| keys.hits(regex, text));
    let mut found = Vec::new();
    let mut skipped = None;
    let (mut number, mut counted, mut at, mut hits) = (1, 0, 0, 0);
    while let Some(hit) = match &mut hits_by_key {
        Some(hits) => hits.next(at),
        None => regex.find_at(text, at).map(|hit| hit.start()),
    } {
        let start = memchr::memrchr(b'\n', &text.as_bytes()[..hit]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &text.as_bytes()[hit..]).map_or(text.len(), |end| hit + end);
        number += newlines(&text[counted..start]);
        counted = start;
        at = end;
        hits += 1;
        if hits > MAX_HITS {
            break;
        }
        let blocks = skipped.get_or_insert_with(|| blocks(text, comments));
        let in_block = blocks.binary_search_by(|(from, to)| {
            if start < *from {
                std::cmp::Ordering::Greater
            } else if start >= *to {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Equal
            }
        });
        if end - start > MAX_LINE || in_block.is_ok() {
            continue;
        }
        let line = uncommented(&text[start..end], comments);
        let is_before = |hit: usize| hit - start < line.len();
        let first = || hits_by_key.as_ref().and_then(|hits| hits.first(start, end));
        if is_before(hit) || !line.is_empty() && first().is_some_and(is_before) {
            found.push(Line { number, text: line, window: window(text, start, line.len()) });
        }
    }
    found
}

/// Where `needle` begins in `text`; for what is asked of every file: the standard library's search is compiled with who
/// calls it, and only this package is optimised in the development profile.
pub fn find(text: &str, needle: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes())
}

/// Whether `needle` stands in `text`; else as [`find`].
pub fn holds(text: &str, needle: &str) -> bool {
    find(text, needle).is_some()
}

/// Texts of which a file has to hold one to be looked at more closely; all are looked for in one pass.
#[derive(Debug)]
pub struct Words {
    words: &'static [&'static str],
    searcher: OnceLock<Option<AhoCorasick>>,
}

impl Words {
    /// These.
    pub const fn new(words: &'static [&'static str]) -> Words {
        Words { words, searcher: OnceLock::new() }
    }

    /// Whether one of them stands in `text`.
    pub fn any(&self, text: &str) -> bool {
        let searcher = self.searcher.get_or_init(|| {
            // Of the kinds of matches, only this one lets it search with vector instructions.
            AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(self.words).ok()
        });
        searcher.as_ref().is_none_or(|searcher| searcher.is_match(text))
    }
}

/// Whether a name in capitals stands before a `:` somewhere in `text`.
pub fn has_capital_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Most stand right behind a small letter: that is seen first.
    let is_small = |at: usize| at > 0 && bytes[at - 1].is_ascii_lowercase();
    memchr::memchr_iter(b':', bytes).filter(|at| !is_small(*at)).any(|at| {
        let before = bytes[..at].trim_ascii_end();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let word = before.iter().rev().take_while(|byte| is_word(byte)).count();
        let word = &before[before.len() - word..];
        word.len() > 1 && word[0].is_ascii_uppercase() && !word.iter().any(u8::is_ascii_lowercase)
    })
}

/// What stands before and behind the first of `separators`; else as [`find`].
pub fn split_once<'t>(text: &'t str, separators: &[char]) -> Option<(&'t str, &'t str)> {
    text.split_once(separators)
}

/// How many lines end in `text`.
pub fn newlines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// The number of the line that holds byte `at`.
pub fn line_at(text: &str, at: usize) -> u32 {
    newlines(&text[..at.min(text.len())]) + 1
}

/// The number of the first line that holds `needle`; 1 where none does.
pub fn line_of(text: &str, needle: &str) -> u32 {
    text.find(needle).map_or(1, |at| line_at(text, at))
}

/// From `start` on; where the first line had a comment at its end, only that line.
fn window(text: &str, start: usize, length: usize) -> &str {
    let rest = &text[start..];
    if !matches!(rest.as_bytes().get(length), None | Some(b'\n' | b'\r')) {
        return &rest[..length];
    }
    cut(rest, MAX_WINDOW)
}

/// Comments over several lines that begin at the start of a line: a `/*` further right may stand in a string.
fn blocks(text: &str, comments: Comments) -> Vec<(usize, usize)> {
    let (open, close): (&[&str], _) = match comments {
        Comments::Hash => (&["\"\"\"", "'''"], ""),
        _ => (&["/*"], "*/"),
    };
    let mut found = Vec::new();
    // Where each of them stands next.
    let mut next: Vec<(&str, Option<usize>)> = open.iter().map(|open| (*open, find(text, open))).collect();
    while let Some((open, hit)) =
        next.iter().filter_map(|(open, hit)| Some((*open, (*hit)?))).min_by_key(|(_, hit)| *hit)
    {
        let start = memchr::memrchr(b'\n', &text.as_bytes()[..hit]).map_or(0, |end| end + 1);
        let before = text[start..hit].trim_start();
        let mut end = hit;
        // A text that is a value (`raise """`) ends where one begins otherwise.
        let is_value = close.is_empty() && !before.is_empty() && !before.starts_with('#');
        if before.is_empty() || is_value {
            let close = if close.is_empty() { open } else { close };
            let body = hit + open.len();
            let closed = find(&text[body..], close).map(|end| body + end + close.len());
            end = closed.unwrap_or(if is_value { hit } else { text.len() });
            if !is_value {
                found.push((start, end));
            }
        }
        let at = memchr::memchr(b'\n', &text.as_bytes()[end..]).map_or(text.len(), |more| end + more + 1);
        for (open, hit) in next.iter_mut().filter(|(_, hit)| hit.is_some_and(|hit| hit < at)) {
            *hit = find(&text[at..], open).map(|hit| at + hit);
        }
    }
    found
}

/// The line up to its comment.
pub fn uncommented(line: &str, comments: Comments) -> &str {
    let slash = comments != Comments::Hash;
    let hash = matches!(comments, Comments::Hash | Comments::Php);
    let first = line.trim_start();
    if slash && (first.starts_with("//") || first.starts_with("/*") || first.starts_with("* "))
        || hash && first.starts_with('#')
    {
        return "";
    }
    let two_slashes =
        || memchr::memchr_iter(b'/', line.as_bytes()).any(|at| line.as_bytes().get(at + 1) == Some(&b'/'));
    if !(slash && two_slashes() || hash && memchr::memchr(b'#', line.as_bytes()).is_some()) {
        return line;
    }
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open && before != b'\\' => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'`') => quote = Some(byte),
            (None, b'\'') if comments != Comments::Slash => quote = Some(byte),
            // `:` before it: a URL without quotes.
            (None, b'/') if slash && before != b':' && line.as_bytes().get(at + 1) == Some(&b'/') => {
                return &line[..at];
            }
            (None, b'#') if hash && (before == b' ' || before == b'\t') => return &line[..at],
            _ => {}
        }
        before = if byte == b'\\' && before == b'\\' { b' ' } else { byte };
    }
    line
}

/// The contents of the string literals in a line; one that does not end is left out.
pub fn strings(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(open) = memchr::memchr3(b'"', b'\'', b'`', rest.as_bytes()) {
        let inner = &rest[open + 1..];
        rest = inner;
        if let Some(end) = string_end(inner, line.as_bytes()[line.len() - inner.len() - 1]) {
            found.push(&inner[..end]);
            rest = &inner[end + 1..];
        }
    }
    found
}

/// Where in `line` an opening bracket, a comma or a `=` stands behind which, there or on the next lines in `window`, a
/// string comes that begins with a small letter.
pub fn before_strings(line: &Line<'_>) -> Vec<usize> {
    memchr::memchr3_iter(b'(', b',', b'=', line.text.as_bytes())
        .filter(|at| line.window.as_bytes().get(at + 1..).is_some_and(string_follows))
        .collect()
}

fn string_follows(text: &[u8]) -> bool {
    let mut bytes = text.iter().skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    matches!(bytes.next(), Some(b'"' | b'\'')) && bytes.next().is_some_and(u8::is_ascii_lowercase)
}

fn string_end(inner: &str, quote: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(quote, b'\\', inner.as_bytes().get(from..)?)?;
        if inner.as_bytes()[at] == quote {
            return Some(at);
        }
        from = at + 2;
    }
}

/// As far as a call may go on.
pub fn window_of(text: &str) -> &str {
    cut(text, 800)
}

/// At most `length` bytes.
pub fn cut(text: &str, length: usize) -> &str {
    let mut end = text.len().min(length);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A literal without its quotes; `None` where `text` is an expression.
pub fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let inner = ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.or_else(|| {
        (text.starts_with(|c: char| c.is_ascii_digit())
            || matches!(text, "true" | "false" | "True" | "False"))
        .then_some(text)
        .or((text == "None").then_some(""))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hits(text: &str, comments: Comments) -> Vec<(u32, &str)> {
        lines(text, &Pattern::new("needle"), comments)
            .into_iter()
            .map(|line| (line.number, line.text))
            .collect()
    }

    #[test]
    fn lines_with_needles_are_found_once_with_their_number() {
        assert_eq!(
            hits("a\nx needle needle\n\nneedle", Comments::Slash),
            [(2, "x needle needle"), (4, "needle")]
        );
    }

    #[test]
    fn one_of_the_words_is_enough() {
        static WORDS: Words = Words::new(&["env:\"", "viper"]);
        assert!(WORDS.any("import viper") && WORDS.any("`env:\"X\"`") && !WORDS.any("env Viper"));
    }

    #[test]
    fn names_in_capitals_have_values_behind_a_colon() {
        assert!(has_capital_key("{ PORT : 1 }") && has_capital_key("PORT\n: 1") && has_capital_key("A_2: 1"));
        assert!(!has_capital_key("PORT = 1; port: 2, Port: Port, : a, 12: b, A: c"));
    }

    #[test]
    fn comments_do_not_count() {
        let text =
            "// needle\na // needle\n/*\n needle\n*/\nb('/api/*') needle\n * needle\n'http://x' needle\n";
        assert_eq!(hits(text, Comments::Script), [(6, "b('/api/*') needle"), (8, "'http://x' needle")]);
        let text = "\"\"\"\nneedle\n\"\"\"\n# needle\nx # needle\nneedle('#')\n";
        assert_eq!(hits(text, Comments::Hash), [(6, "needle('#')")]);
    }

    #[test]
    fn texts_that_are_values_hide_nothing_behind_them() {
        let text = "raise \"\"\"\n  why\n  \"\"\"\nneedle\nraise \"\"\"\n  why\n  \"\"\"\n";
        assert_eq!(hits(text, Comments::Hash), [(4, "needle")]);
        assert_eq!(hits("x = \"\"\"a\"\"\"\nneedle", Comments::Hash), [(2, "needle")]);
        assert_eq!(hits("x = \"\"\"\nneedle", Comments::Hash), [(2, "needle")]);
        assert_eq!(hits("# \"\"\"\nneedle\n\"\"\"\nneedle\n\"\"\"\n", Comments::Hash), [(2, "needle")]);
    }

    #[test]
    fn lines_of_machines_are_left_out() {
        assert!(hits(&format!("needle{}\n", "x".repeat(MAX_LINE)), Comments::Slash).is_empty());
    }

    #[test]
    fn a_long_line_is_longer_than_its_window() {
        let text = format!("needle(\"{}\", x=1)", "y".repeat(MAX_WINDOW));
        let pattern = Pattern::new("needle");
        let line = lines(&text, &pattern, Comments::Slash)[0];
        assert!(line.text.len() > line.window.len());
        assert!(pattern.next(line.window, line.text.len(), line.text.len()).is_none());
    }

    #[test]
    fn strings_end_where_they_end() {
        assert_eq!(strings(r#"f("a\"b", 'c', "open)"#), [r#"a\"b"#, "c"]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "(\\PC|[\n\"'/#*n]|needle){0,200}") {
            for comments in [Comments::Slash, Comments::Script, Comments::Hash, Comments::Php] {
                for line in lines(&text, &Pattern::new("needle|n"), comments) {
                    let _ = strings(line.text);
                }
            }
        }
    }
}
