//! Which of many short texts stand in a line, all found in one pass; knows nothing of the rules that ask.

use aho_corasick::automaton::OverlappingState;
use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// One bit for each of the texts: those that stand in a line, or the one that a rule asks for; 0 stands everywhere.
pub type Set = u64;

/// The texts, while they are gathered.
#[derive(Debug, Default)]
pub struct Asked {
    /// With `None` for what counts in small letters and capitals.
    texts: Vec<(&'static str, Option<&'static str>, Set)>,
    /// What was asked for as it is written.
    needles: Vec<(&'static str, Set)>,
    sets: u32,
}

/// The texts in the needle of a rule, of which one is enough: `.get(|.head(` are two.
pub fn alternatives(needle: &str) -> impl Iterator<Item = &str> {
    needle.split('|')
}

impl Asked {
    /// Asks for one of the texts in `needle`, as they are written; see [`alternatives`].
    pub fn exact(&mut self, needle: &'static str) -> Set {
        if let Some((_, set)) = self.needles.iter().find(|(known, _)| *known == needle) {
            return *set;
        }
        let set = if needle.is_empty() { 0 } else { self.next() };
        self.needles.push((needle, set));
        self.texts.extend(alternatives(needle).map(|text| (text, Some(text), set)));
        set
    }

    /// Asks for one of `texts`, in small letters or capitals.
    pub fn any_case(&mut self, texts: &[&'static str]) -> Set {
        let set = self.next();
        self.texts.extend(texts.iter().map(|text| (*text, None, set)));
        set
    }

    /// Those for which no bit is left are taken for found.
    fn next(&mut self) -> Set {
        let set = Set::checked_shl(1, self.sets).unwrap_or_default();
        self.sets += 1;
        set
    }

    /// All of them, ready to look for.
    pub fn needles(self) -> Needles {
        // What is one byte long stands in almost every line, often many times: it is asked for once.
        let (bytes, texts): (Vec<_>, Vec<_>) =
            self.texts.into_iter().filter(|(_, _, set)| *set != 0).partition(|(text, ..)| text.len() == 1);
        let searcher = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(texts.iter().map(|(text, ..)| text));
        Needles {
            searcher: searcher.ok(),
            texts: texts.into_iter().map(|(_, exact, set)| (exact, set)).collect(),
            bytes: bytes.into_iter().map(|(text, _, set)| (text.as_bytes()[0], set)).collect(),
        }
    }
}

/// Texts to look for.
#[derive(Debug)]
pub struct Needles {
    searcher: Option<AhoCorasick>,
    /// By the searcher's patterns.
    texts: Vec<(Option<&'static str>, Set)>,
    bytes: Vec<(u8, Set)>,
}

impl Needles {
    /// Which of them stand in `line`.
    pub fn in_line(&self, line: &str) -> Set {
        let Some(searcher) = &self.searcher else { return Set::MAX };
        let mut found = 0;
        for (byte, set) in &self.bytes {
            if memchr::memchr(*byte, line.as_bytes()).is_some() {
                found |= set;
            }
        }
        let mut state = OverlappingState::start();
        loop {
            if searcher.try_find_overlapping(line, &mut state).is_err() {
                return Set::MAX;
            }
            let Some(hit) = state.get_match() else { return found };
            if let Some((exact, set)) = self.texts.get(hit.pattern().as_usize())
                && exact.is_none_or(|text| line.as_bytes()[hit.range()] == *text.as_bytes())
            {
                found |= set;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_wherever_they_stand() {
        let mut asked = Asked::default();
        let mut sets: Vec<Set> = ["env", "", "env[", ":", "env"].map(|text| asked.exact(text)).into();
        sets.extend([asked.any_case(&["host", "addr"]), asked.any_case(&["env"])]);
        sets.push(asked.exact("=|.env"));
        let needles = asked.needles();
        let found = |line: &str| -> String {
            let found = needles.in_line(line);
            sets.iter().map(|set| if found & set == *set { 'x' } else { '-' }).collect()
        };
        assert_eq!(found("a.env[0]: x"), "xxxxx-xx");
        assert_eq!(found("ENV HostName"), "-x---xx-");
        assert_eq!(found("a = b"), "-x-----x");
        assert_eq!(found(""), "-x------");
    }

    #[test]
    fn more_texts_than_bits_are_taken_for_found() {
        let texts: Vec<&'static str> =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-*/=<>"
                .split("")
                .filter(|text| !text.is_empty())
                .collect();
        assert!(texts.len() > 64);
        let mut asked = Asked::default();
        let sets: Vec<Set> = texts.iter().map(|text| asked.exact(text)).collect();
        let needles = asked.needles();
        for (text, set) in texts.iter().zip(&sets) {
            assert_eq!(needles.in_line(text) & set, *set, "{text}");
        }
        assert_eq!(sets.last(), Some(&0));
    }
}
