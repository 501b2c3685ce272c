//! Quotes, escapes and variables as Dockerfile instructions know them; knows nothing of a shell's other powers.

/// Splits at white space outside quotes; quotes and escapes stay in the words.
pub(in crate::discover) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', q) if q != Some('\'') => {
                word.push(c);
                word.extend(chars.next());
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                word.push(c);
            }
            (c, Some(q)) if c == q => {
                quote = None;
                word.push(c);
            }
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `NAME=value` pairs of ENV, values still quoted; also the old form `ENV NAME value with = and spaces`.
pub(super) fn assignments(text: &str) -> Vec<(String, String)> {
    if let Some((name, value)) = text.trim().split_once(char::is_whitespace)
        && !name.contains('=')
    {
        return vec![(name.to_owned(), value.trim().to_owned())];
    }
    declarations(text).into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
}

/// Names of ARG with their defaults, still quoted.
pub(super) fn declarations(text: &str) -> Vec<(String, Option<String>)> {
    let words = words(text);
    let one = |word: &String| match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.clone(), None),
    };
    words.iter().map(one).collect()
}

/// The value of a word: quotes and escapes taken off, `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:+d}`, `${X+d}` replaced.
/// A variable that nobody sets becomes nothing, as in a build.
pub(in crate::discover) fn value(word: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    expand(word, lookup, 0)
}

/// Deeper than any file that a person wrote.
const MAX_DEPTH: u32 = 16;

fn expand(word: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: u32) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match (c, quote) {
            ('\\', q) if q != Some('\'') => {
                if let Some(next) = rest.chars().next() {
                    rest = &rest[next.len_utf8()..];
                    out.push(next);
                }
            }
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            ('$', q) if q != Some('\'') => rest = variable(rest, lookup, depth, &mut out),
            (c, _) => out.push(c),
        }
    }
    out
}

/// Expands what follows a `$` and returns what follows that.
fn variable<'a>(
    rest: &'a str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: u32,
    out: &mut String,
) -> &'a str {
    if let Some(inner) = rest.strip_prefix('{')
        && let Some(end) = closing_brace(inner)
        && depth < MAX_DEPTH
    {
        out.push_str(&braced(&inner[..end], lookup, depth));
        return &inner[end + 1..];
    }
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if length == 0 {
        out.push('$');
        return rest;
    }
    out.push_str(&lookup(&rest[..length]).unwrap_or_default());
    &rest[length..]
}

fn closing_brace(inner: &str) -> Option<usize> {
    let mut open = 0u32;
    for (at, c) in inner.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn braced(inner: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: u32) -> String {
    let length = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let (name, operation) = inner.split_at(length);
    let value = lookup(name);
    let (empty_counts, operation) = match operation.strip_prefix(':') {
        Some(operation) => (false, operation),
        None => (true, operation),
    };
    let set = value.as_ref().is_some_and(|value| empty_counts || !value.is_empty());
    match operation.chars().next() {
        Some('-' | '=') if !set => expand(&operation[1..], lookup, depth + 1),
        Some('+') => {
            if set {
                expand(&operation[1..], lookup, depth + 1)
            } else {
                String::new()
            }
        }
        _ => value.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(word: &str) -> String {
        value(word, &|name| match name {
            "X" => Some("x".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_as_a_build_does() {
        for (word, wanted) in [
            ("$X/${X}", "x/x"),
            ("${N:-d}${EMPTY:-e}${EMPTY-f}", "de"),
            ("${X:+y}${N:+y}${EMPTY+z}", "yz"),
            ("${N:-${X:-w}}", "x"),
            ("'$X' \"$X\" \\$X", "$X x $X"),
            ("$N", ""),
            ("100$", "100$"),
            ("${X", "${X"),
        ] {
            assert_eq!(expanded(word), wanted, "{word}");
        }
    }

    #[test]
    fn assignments_have_an_old_form() {
        let shown =
            |text: &str| assignments(text).into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>();
        assert_eq!(shown("A=1 B=\"two words\""), ["A=1", "B=\"two words\""]);
        assert_eq!(shown("GREETING hello there"), ["GREETING=hello there"]);
        assert_eq!(shown("JAVA_OPTS -Dx=y"), ["JAVA_OPTS=-Dx=y"]);
        assert_eq!(declarations("A B=2"), [("A".to_owned(), None), ("B".to_owned(), Some("2".to_owned()))]);
    }
}
