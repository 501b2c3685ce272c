//! Which parts of a library a line switches on or off, as its own words say; knows no library.

use crate::catalog::{Class, Entry};

/// How far behind a word its value is looked for.
const MAX_VALUE: usize = 200;

/// First words of names that switch on what follows them.
const PREFIXES: &[&str] = &["with", "enable", "use"];

/// What people call a kind.
pub(super) struct Words {
    /// Small letters and digits alone.
    kind: Vec<String>,
    /// What it is for.
    class: &'static [&'static str],
    /// Whether no other client of that class is there, so that the class means this one.
    is_only: bool,
}

impl Words {
    /// Those of an entry; `is_only` where no other client is of its class.
    pub(super) fn of(entry: &Entry, is_only: bool) -> Words {
        let known = &entry.recognise;
        let all = known.words.iter().chain(&known.hosts).chain(&known.variables).chain([&entry.kind]);
        let mut kind: Vec<String> = all.map(|word| folded(word)).filter(|word| word.len() > 2).collect();
        kind.sort();
        kind.dedup();
        let class: &[&str] = match entry.class {
            Class::Queue => &["broker", "consumer", "eventbus", "messaging", "producer", "queue"],
            Class::Database => &["data", "database", "db"],
            Class::Cache => &["cache"],
            Class::Search => &["search"],
            Class::Storage => &["storage"],
            _ => &[],
        };
        Words { kind, class, is_only }
    }

    /// Whether a name has one of them in it: `getRedisClient`, `@shop/queue`, `@shop/data-access`.
    pub(super) fn are_in(&self, name: &str) -> bool {
        let name = folded(name);
        self.kind.iter().any(|word| name.contains(word.as_str()))
            || self.class.iter().any(|word| name.contains(word))
    }

    /// What a line must hold, in any case, to be worth a look.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.kind.iter().map(String::as_str).chain(self.class.iter().copied())
    }

    /// Whether a line switches the kind on or off; `rest` is the text from the line's start on.
    pub(super) fn switch(&self, line: &str, rest: &str, extension: &str) -> Option<bool> {
        let mut on = None;
        let mut at = 0;
        while let Some(start) = line[at..].find(is_of_name).map(|found| at + found) {
            let end = line[start..].find(|c| !is_of_name(c)).map_or(line.len(), |found| start + found);
            at = end;
            let before = line[..start].chars().next_back();
            let said = self.said(&line[start..end], before, cut(&rest[end..]), extension);
            on = on.max(said);
        }
        on
    }

    fn said(&self, name: &str, before: Option<char>, after: &str, extension: &str) -> Option<bool> {
        let is_kind = |word: &str| self.kind.iter().any(|known| known == word);
        let whole = folded(name);
        if is_kind(&whole) {
            return value(after);
        }
        if self.is_only && self.class.contains(&whole.as_str()) {
            return enabled(after);
        }
        let words = words(name);
        let (first, last) = (words.first()?.as_str(), words.last()?.as_str());
        if last == "enabled" && is_kind(&words[..words.len() - 1].concat()) {
            return value(after);
        }
        let is_prefix = PREFIXES.contains(&first) || first == "add" && extension == "cs";
        let is_about_it = || (2..=words.len()).any(|end| is_kind(&words[1..end].concat()));
        if !is_prefix || !is_about_it() {
            return None;
        }
        match after.trim_start().strip_prefix('(') {
            Some(given) => Some(!is_word(given.trim_start(), "false")),
            None if before == Some('@') => Some(true),
            None => value(after),
        }
    }
}

/// `: true`, `= False`, `: { enabled: true`.
fn value(after: &str) -> Option<bool> {
    truth(given(after)?).or_else(|| enabled(after))
}

/// `: { enabled: true`.
fn enabled(after: &str) -> Option<bool> {
    let inside = given(after)?.strip_prefix('{')?;
    let inside = inside.split('}').next().unwrap_or_default();
    let (_, rest) = inside.split_once("nabled")?;
    truth(given(rest)?)
}

/// What stands behind `:` or `=`.
fn given(after: &str) -> Option<&str> {
    let after = after.trim_start_matches(['"', '\'']).trim_start();
    let after = after.strip_prefix(':').or_else(|| after.strip_prefix('='))?;
    Some(after.trim_start())
}

fn truth(text: &str) -> Option<bool> {
    [("true", true), ("false", false)].iter().find(|(word, _)| is_word(text, word)).map(|(_, value)| *value)
}

/// Whether a text begins with a word, in any case, and nothing that belongs to it follows.
fn is_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        && !text[word.len()..].starts_with(is_of_name)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn folded(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// `WithRedisCache`, `with_redis_cache`: `with`, `redis`, `cache`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_new = true;
    for c in name.chars() {
        if c == '_' {
            is_new = true;
            continue;
        }
        let begins = c.is_ascii_uppercase()
            && words.last().and_then(|word| word.chars().next_back()).is_none_or(|c| !c.is_ascii_uppercase());
        if is_new || begins {
            words.push(String::new());
        }
        is_new = false;
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.into_iter().map(|word| word.to_ascii_lowercase()).collect()
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_VALUE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
