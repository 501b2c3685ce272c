//! The short texts of which one stands wherever a pattern matches: they are looked for with vector instructions, and the
//! pattern only where one stands. Small letters and capitals are one to them, and so are all digits.

use std::collections::BTreeSet;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

mod around;

use around::Around;

/// More of them at once are not looked for fast, and shorter ones stand in every line.
const MAX_KEYS: usize = 64;
const MIN_LENGTH: usize = 3;
/// How many texts a part of a pattern may stand for.
const MAX_CHOICES: usize = 16;
/// A class with more characters is not taken apart.
const MAX_CLASS: usize = 40;
/// More blanks or letters, and more behind blanks, are not looked at for the end of a match that goes on over the next lines.
const MAX_BLANKS: usize = 80;
const BEHIND_BLANKS: usize = 3;

/// The keys of a pattern.
#[derive(Debug)]
pub(super) struct Keys {
    searcher: Searcher,
    /// In the order of the searcher's.
    keys: Vec<Key>,
    /// What stands from a key on.
    tail: Regex,
    /// The parts of the pattern that have no key.
    others: Option<Regex>,
}

impl Keys {
    /// Those of `pattern`; `None` where looking for them is no faster.
    pub(super) fn of(pattern: &str) -> Option<Keys> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let mut keys: Vec<Key> = Vec::new();
        let mut others = Vec::new();
        for branch in branches(&hir) {
            match keys_of(branch).filter(|found| shortest(found) >= MIN_LENGTH) {
                // A pattern that begins with a look at what stands before it sees that in the whole text only.
                Some(found) if branch.properties().look_set_prefix_any().is_empty() => keys.extend(found),
                Some(found) => keys.extend(inside(found)),
                None => others.push(format!("(?:{branch})")),
            }
        }
        let keys = like_ones_together(without_longer(keys));
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return None;
        }
        let others = if others.is_empty() { None } else { Some(Regex::new(&others.join("|")).ok()?) };
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        builder.extend(keys.iter().map(|key| &key.text));
        // Many keys are the beginnings of one part of the pattern.
        let tails: BTreeSet<&str> =
            keys.iter().flat_map(|key| &key.around.tails).map(String::as_str).collect();
        let tail = Regex::new(&format!(r"\A(?:{})", Vec::from_iter(tails).join("|"))).ok()?;
        Some(Keys { searcher: builder.build()?, keys, tail, others })
    }

    /// The matches of `whole`, of which these are the keys, in `text`: one a line.
    pub(super) fn hits<'a>(&'a self, whole: &'a Regex, text: &'a str) -> Hits<'a> {
        let other = self.others.as_ref().and_then(|others| Some(others.find(text)?.start()));
        Hits { keys: self, whole, text, plain: text.bytes().map(plain).collect(), other }
    }
}

/// The matches in one text.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    keys: &'a Keys,
    whole: &'a Regex,
    text: &'a str,
    /// The text as the keys are written.
    plain: Vec<u8>,
    /// The next match of what has no key.
    other: Option<usize>,
}

impl Hits<'_> {
    /// The next key from byte `at` on around which stands what its part of the pattern asks for: cheaper to see than
    /// that the pattern matches nowhere in the line.
    fn next_key(&self, mut at: usize) -> Option<(usize, &Key)> {
        loop {
            let found = self.keys.searcher.find_in(&self.plain, Span { start: at, end: self.plain.len() })?;
            let (place, key) = (found.start(), &self.keys.keys[found.pattern().as_usize()]);
            if key.around.may_be(&self.plain, place, found.end())
                && self.text.get(place..).is_none_or(|rest| self.keys.tail.is_match(rest))
            {
                return Some((place, key));
            }
            at = place + 1;
        }
    }

    /// The next line from byte `at` on, at which none goes on, in which a match begins: where that one does, which may
    /// be another than the first.
    pub(super) fn next(&mut self, mut at: usize) -> Option<usize> {
        loop {
            if self.other.is_some_and(|other| other < at) {
                let others = self.keys.others.as_ref();
                self.other = others.and_then(|others| Some(others.find_at(self.text, at)?.start()));
            }
            let (place, lines_before) = match (self.next_key(at), self.other) {
                (Some((place, _)), Some(other)) if other < place => return Some(other),
                (Some((place, key)), _) if key.is_all => return Some(place),
                (Some((place, key)), _) => (place, key.lines_before),
                (None, other) => return other,
            };
            let bytes = self.text.as_bytes();
            let mut start = line_start(bytes, place);
            for _ in 0..lines_before {
                start = line_start(bytes, bytes[..start].trim_ascii_end().len());
            }
            let end = memchr::memchr(b'\n', &bytes[place..]).map_or(bytes.len(), |end| place + end);
            match self.first(start.max(at), end) {
                Some(hit) => return Some(hit),
                None => at = end,
            }
        }
    }

    /// Where the first match begins between byte `start` and `end`, the end of a line.
    pub(super) fn first(&self, start: usize, end: usize) -> Option<usize> {
        let hit = self.whole.find_at(&self.text[..bound(self.text, end)], start)?;
        Some(hit.start()).filter(|hit| *hit < end)
    }
}

/// How far a match that begins before `end`, the end of a line, may go on: over blanks, something short such as `=>`,
/// blanks again, and what follows them, to the end of a word.
fn bound(text: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    let behind_blanks = |from: usize| {
        let blanks = bytes[from..].iter().take(MAX_BLANKS).take_while(|byte| byte.is_ascii_whitespace());
        (from + blanks.count() + BEHIND_BLANKS).min(bytes.len())
    };
    let bound = behind_blanks(behind_blanks(end));
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let mut bound = bound + bytes[bound..].iter().take(MAX_BLANKS).take_while(is_word).count();
    while !text.is_char_boundary(bound) {
        bound -= 1;
    }
    bound
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1)
}

/// How a byte is written in a key.
fn plain(byte: u8) -> u8 {
    let letter = byte | (u8::from(byte.is_ascii_uppercase()) << 5);
    if byte.is_ascii_digit() { b'0' } else { letter }
}

/// A text that has to stand in a match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    text: Vec<u8>,
    /// How many lines further up, without blank ones, the match may begin.
    lines_before: usize,
    /// Whether the match begins with it, so that what stands from it on says all.
    is_all: bool,
    around: Around,
}

fn shortest(keys: &[Key]) -> usize {
    keys.iter().map(|key| key.text.len()).min().unwrap_or_default()
}

/// Where a key stands, those that it holds stand too.
fn without_longer(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_by_key(|key| key.text.len());
    let mut kept: Vec<Key> = Vec::new();
    for key in keys {
        let place = |short: &Key| memchr::memmem::find(&key.text, &short.text);
        match kept.iter_mut().find_map(|short| place(short).map(|at| (short, at))) {
            Some((short, at)) => {
                short.lines_before = short.lines_before.max(key.lines_before);
                short.is_all &= key.is_all && at == 0;
                short.around.add(&key.text, at, short.text.len(), key.around);
            }
            None => kept.push(key),
        }
    }
    kept
}

/// In the order in which the searcher passes by most: it deals the texts in turn into 16 buckets (8, where there are at most
/// 32 of them), and takes a closer look wherever each of three bytes is like one at its place in any text of a bucket, by
/// its lower and its upper half. Texts that begin alike belong into one bucket, then: with them, it looks half as often.
fn like_ones_together(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_by_key(|key| key.text.iter().take(MIN_LENGTH).map(|byte| byte & 0xf).collect::<Vec<u8>>());
    let buckets = if keys.len() > 32 { 16 } else { 8 };
    // The first buckets get what is left over, as by dealing.
    let (each, left_over) = (keys.len() / buckets, keys.len() % buckets);
    let larger = left_over * (each + 1);
    let turn = |at: usize| match at.checked_sub(larger) {
        None => (at % (each + 1), at / (each + 1)),
        Some(at) => (at % each, left_over + at / each),
    };
    let mut dealt: Vec<((usize, usize), Key)> =
        keys.into_iter().enumerate().map(|(at, key)| (turn(at), key)).collect();
    dealt.sort_by_key(|(turn, _)| *turn);
    dealt.into_iter().map(|(_, key)| key).collect()
}

/// Of which one has to match.
fn branches(hir: &Hir) -> Vec<&Hir> {
    match hir.kind() {
        HirKind::Alternation(all) => all.iter().flat_map(branches).collect(),
        HirKind::Capture(group) => branches(&group.sub),
        _ => vec![hir],
    }
}

/// Texts of which one stands in every match: the best of the parts of the pattern.
fn keys_of(hir: &Hir) -> Option<Vec<Key>> {
    if let Some(texts) = texts_of(hir) {
        return Some(keys(texts, 0, &Around::of(std::slice::from_ref(hir), 0, &[]), true));
    }
    match hir.kind() {
        HirKind::Capture(group) => keys_of(&group.sub),
        HirKind::Repetition(more) if more.min > 0 => keys_of(&more.sub).map(inside),
        HirKind::Alternation(all) => {
            let all: Option<Vec<Vec<Key>>> = all.iter().map(keys_of).collect();
            Some(all?.concat())
        }
        HirKind::Concat(parts) => keys_of_parts(parts),
        _ => None,
    }
}

fn keys_of_parts(parts: &[Hir]) -> Option<Vec<Key>> {
    let mut found: Vec<Vec<Key>> = Vec::new();
    let mut run = vec![Vec::new()];
    let mut run_start = 0;
    let mut lines_before = 0;
    for (at, part) in parts.iter().enumerate() {
        let texts = texts_of(part);
        if let Some(longer) = texts.as_ref().and_then(|texts| cross(&run, texts)) {
            run = longer;
            continue;
        }
        let (run_with_more, behind) = match at_least(part).and_then(|start| cross(&run, &start)) {
            Some(longer) => {
                (longer, rest_of(part).into_iter().chain(parts[at + 1..].iter().cloned()).collect())
            }
            None => (run, parts[at..].to_vec()),
        };
        found.push(keys(run_with_more, lines_before, &Around::of(parts, run_start, &behind), run_start == 0));
        (run, run_start) = (vec![Vec::new()], at + 1);
        match texts {
            Some(texts) => (run, run_start) = (texts, at),
            None => {
                let own = keys_of(part).map(inside).unwrap_or_default().into_iter();
                let later = |key: Key| Key { lines_before: key.lines_before + lines_before, ..key };
                found.push(own.map(later).collect());
                match ends_of_lines(part) {
                    Some(more) => lines_before += more,
                    None => break,
                }
            }
        }
    }
    found.push(keys(run, lines_before, &Around::of(parts, run_start, &[]), run_start == 0));
    // Of those that are long enough, few are best, and of those the ones at the beginning, then the longest.
    found.into_iter().filter(|keys| shortest(keys) > 0).max_by_key(|keys| {
        let before = keys.iter().map(|key| key.lines_before).max();
        let length = shortest(keys);
        (length.min(MIN_LENGTH), std::cmp::Reverse(before), std::cmp::Reverse(keys.len()), length)
    })
}

/// The texts with which a part begins that may be repeated.
fn at_least(part: &Hir) -> Option<Vec<Vec<u8>>> {
    let HirKind::Repetition(more) = part.kind() else { return None };
    let one = texts_of(&more.sub)?;
    (0..more.min).try_fold(vec![Vec::new()], |before, _| cross(&before, &one))
}

/// What may follow them, that being repeated more often.
fn rest_of(part: &Hir) -> Option<Hir> {
    let HirKind::Repetition(more) = part.kind() else { return None };
    let max = more.max.map(|max| max - more.min);
    Some(Hir::repetition(Repetition { min: 0, max, ..more.clone() }))
}

fn keys(texts: Vec<Vec<u8>>, lines_before: usize, around: &Around, is_all: bool) -> Vec<Key> {
    texts.into_iter().map(|text| Key { text, lines_before, is_all, around: around.clone() }).collect()
}

/// Those of a part of something, to which what stands around it belongs too.
fn inside(keys: Vec<Key>) -> Vec<Key> {
    keys.into_iter().map(|key| Key { is_all: false, ..key }).collect()
}

/// All texts that match, as keys are written; `None` where there are many.
fn texts_of(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Vec::new()]),
        HirKind::Literal(text) => Some(vec![text.0.iter().copied().map(plain).collect()]),
        HirKind::Class(Class::Unicode(class)) => {
            let all = class.iter().flat_map(|range| range.start()..=range.end());
            let few: Vec<char> = all.take(MAX_CLASS).collect();
            // Two letters that are not ASCII are taken for ones that are where capitals do not matter.
            let ascii = few.iter().filter_map(|c| u8::try_from(*c).ok().filter(u8::is_ascii));
            let mut texts: Vec<Vec<u8>> = ascii.map(|c| vec![plain(c)]).collect();
            texts.sort();
            texts.dedup();
            let is_few = few.len() < MAX_CLASS && (1..=MAX_CHOICES).contains(&texts.len());
            (is_few && !few.contains(&'\n')).then_some(texts)
        }
        HirKind::Capture(group) => texts_of(&group.sub),
        HirKind::Repetition(more) if more.max == Some(more.min) || more.max == Some(1) => {
            let one = texts_of(&more.sub)?;
            let mut all = vec![Vec::new()];
            for _ in 0..more.max.unwrap_or_default() {
                all = cross(&all, &one)?;
            }
            all.extend((more.min == 0).then(Vec::new));
            Some(all)
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![Vec::new()], |before, part| cross(&before, &texts_of(part)?))
        }
        HirKind::Alternation(all) => {
            let all: Option<Vec<Vec<Vec<u8>>>> = all.iter().map(texts_of).collect();
            all.map(|all| all.concat()).filter(|all| all.len() <= MAX_CHOICES)
        }
        _ => None,
    }
}

fn cross(before: &[Vec<u8>], behind: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let joined = || before.iter().flat_map(|first| behind.iter().map(|second| [&first[..], second].concat()));
    (before.len() * behind.len() <= MAX_CHOICES).then(|| joined().collect())
}

/// Over how many ends of lines, with nothing but blanks between, a part may reach; `None` where over any number.
fn ends_of_lines(hir: &Hir) -> Option<usize> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(text) => (!text.0.contains(&b'\n')).then_some(0),
        HirKind::Class(class) => {
            let is_blank = |c: u32| char::from_u32(c).is_some_and(char::is_whitespace);
            let ranges: Vec<(u32, u32)> = match class {
                Class::Unicode(class) => {
                    class.iter().map(|one| (one.start().into(), one.end().into())).collect()
                }
                Class::Bytes(class) => {
                    class.iter().map(|one| (one.start().into(), one.end().into())).collect()
                }
            };
            let is_in = |c: u8| ranges.iter().any(|(start, end)| (*start..=*end).contains(&c.into()));
            let all_blank = || ranges.iter().all(|(start, end)| (*start..=*end).all(is_blank));
            if is_in(b'\n') { all_blank().then_some(1) } else { Some(0) }
        }
        HirKind::Repetition(more) => match ends_of_lines(&more.sub)? {
            0 => Some(0),
            // Blanks, however many.
            1 if matches!(more.sub.kind(), HirKind::Class(_)) => Some(1),
            _ => None,
        },
        HirKind::Capture(group) => ends_of_lines(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(ends_of_lines).sum(),
        HirKind::Alternation(parts) => {
            let parts: Option<Vec<usize>> = parts.iter().map(ends_of_lines).collect();
            Some(parts?.into_iter().max().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    const PATTERN: &str = concat!(
        r#":[0-9]{2,5}["'`/,)]|["']\s*,\s*[0-9]{3,5}(?-u:\b)|(?i:env)\w*\s*[(<]|(?i:redis|mongo)\w*\(\s*["']"#,
        r#"|(?i:host|addr|url)["'\])]*\s*(?::|=>|=|,)\s*\[?["']|(?m:^)bind\s*=|"[a-z0-9.-]+\.[a-z]+/"#,
        r#"|myRedis =>|v80[0-9]\.|\bget\(\s*"|[cC]onf\w*\.get"#,
    );

    /// The lines in which matches begin, and where the first of each does, without keys.
    fn plainly(pattern: &Regex, text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(hit) = pattern.find_at(text, at) {
            found.push(hit.start());
            at = text[hit.start()..].find('\n').map_or(text.len(), |end| hit.start() + end);
        }
        found
    }

    fn by_keys(keys: &Keys, pattern: &Regex, text: &str) -> Vec<usize> {
        let mut hits = keys.hits(pattern, text);
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(hit) = hits.next(at) {
            let start = line_start(text.as_bytes(), hit);
            at = text[hit..].find('\n').map_or(text.len(), |end| hit + end);
            found.extend(hits.first(start, at));
        }
        found
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_the_pattern_finds(
            text in "(my|v|[Cc]onf|\\.| =>|x?get\\(|:[0-9]{2,4}[\"/]|[0-9]{2,5}|\"a\"|\n?,\n? ?8080|[Ee][Nn]V\\w?\n?\\(|Redis\\(\n?\"|[hH]ost|\"?\\]? ?=?\n+\"|bind ?=|\"x\\.io/|\n|[ .,a-z\u{e4}]){0,80}"
        ) {
            static ONCE: LazyLock<(Keys, Regex)> =
                LazyLock::new(|| (Keys::of(PATTERN).expect("has keys"), Regex::new(PATTERN).expect("is right")));
            let (keys, pattern) = &*ONCE;
            prop_assert_eq!(by_keys(keys, pattern, &text), plainly(pattern, &text));
        }
    }

    fn all(pattern: &str) -> Vec<String> {
        let hir = regex_syntax::parse(pattern).expect("is right");
        let keys: Vec<Key> = branches(&hir).into_iter().filter_map(keys_of).flatten().collect();
        without_longer(keys).into_iter().map(|key| String::from_utf8(key.text).expect("is text")).collect()
    }

    #[test]
    fn keys_that_begin_alike_come_into_one_bucket() {
        let keys = |texts: &str| -> Vec<Key> {
            let around = Around::of(&[], 0, &[]);
            let key = |text: &str| Key {
                text: text.into(),
                lines_before: 0,
                is_all: false,
                around: around.clone(),
            };
            texts.split(' ').map(key).collect()
        };
        let dealt = like_ones_together(keys("bcd xyz abc yza qrs zab rst efg fgh ghi"));
        let shown: Vec<String> =
            dealt.into_iter().map(|key| String::from_utf8(key.text).expect("is text")).collect();
        // Two buckets of two, `abc` and `qrs`, `bcd` and `rst`, and six of one.
        assert_eq!(shown.join(" "), "abc bcd efg fgh ghi xyz yza zab qrs rst");
        assert!(like_ones_together(Vec::new()).is_empty());
    }

    #[test]
    fn each_branch_has_the_key_that_says_most() {
        assert_eq!(all(r"(?i:env)\w*\(|Getenv"), ["env"]);
        assert_eq!(
            all(r#":[0-9]{2,5}["']|sqlx?\.(?:Open|Connect)"#),
            [":00", "sql.open", "sqlx.open", "sql.connect", "sqlx.connect"]
        );
        assert_eq!(all(r#"["']\s*,\s*[0-9]{3,5}\b"#), ["000"]);
        assert_eq!(all(r"(?m:^)bind\s*=|[rR]oute\("), ["bind", "route("]);
    }
}
