//! Placeholders of templates and shells in values, replaced by their defaults; never looks a variable up.

/// Stands in a value where a placeholder without default stood. It occurs in no address.
pub const UNKNOWN: char = '\u{FFFC}';

/// Deeper nesting is no value that a person wrote.
const MAX_DEPTH: usize = 8;

/// `text` with `${X:-d}`, `${X-d}` and `${X:d}` replaced by `d`, and every other placeholder by [`UNKNOWN`]: `${X}`,
/// `$X`, `{{x}}`, `{x}`, `<x>`, `%s`, `%(x)s`, `%X%`, `#{x}`.
pub fn resolve(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    resolve_into(text, 0, &mut out);
    out
}

/// A placeholder with its name and its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// `DB_HOST`.
    pub name: &'a str,
    /// What counts where the variable is not set.
    pub default: Option<&'a str>,
}

/// The `${NAME…}` placeholders in `text`, outermost only.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some((inner, after)) = braces(&rest[at + 2..]) else { break };
        found.push(split_default(inner));
        rest = after;
    }
    found
}

fn resolve_into(text: &str, depth: usize, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['$', '{', '<', '%', '#']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = one(rest, depth, out);
    }
    out.push_str(rest);
}

/// Takes one placeholder, or one character that begins none, from the front of `rest`.
fn one<'a>(rest: &'a str, depth: usize, out: &mut String) -> &'a str {
    if let Some(inner) = rest.strip_prefix("${{") {
        return unknown_until(inner, "}}", rest, out);
    }
    if let Some(inner) = rest.strip_prefix("${") {
        let Some((inner, after)) = braces(inner) else { return plain(rest, out) };
        match split_default(inner).default {
            Some(default) if depth < MAX_DEPTH => resolve_into(default, depth + 1, out),
            _ => out.push(UNKNOWN),
        }
        return after;
    }
    if let Some(inner) = rest.strip_prefix("{{") {
        return unknown_until(inner, "}}", rest, out);
    }
    if let Some(inner) = rest.strip_prefix("#{").or_else(|| rest.strip_prefix('{')) {
        return unknown_until(inner, "}", rest, out);
    }
    if let Some(inner) = rest.strip_prefix("%(") {
        return unknown_until(inner, ")s", rest, out);
    }
    for (open, close) in [("$(", ")"), ("<", ">"), ("%", "%")] {
        if let Some(inner) = rest.strip_prefix(open)
            && let Some((name, after)) = inner.split_once(close)
            && is_name(name)
        {
            out.push(UNKNOWN);
            return after;
        }
    }
    if let Some(after) = ["%s", "%d", "%v"].iter().find_map(|verb| rest.strip_prefix(verb)) {
        out.push(UNKNOWN);
        return after;
    }
    if let Some(inner) = rest.strip_prefix('$') {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        if inner[..end].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            out.push(UNKNOWN);
            return &inner[end..];
        }
    }
    plain(rest, out)
}

/// The first character as it is.
fn plain<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let mut chars = rest.chars();
    out.extend(chars.next());
    chars.as_str()
}

fn unknown_until<'a>(inner: &'a str, close: &str, rest: &'a str, out: &mut String) -> &'a str {
    match inner.split_once(close) {
        Some((_, after)) => {
            out.push(UNKNOWN);
            after
        }
        None => plain(rest, out),
    }
}

/// Letters, digits, `_`, `-`, `.` and blanks, short.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ' ')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

/// The text up to the brace that closes, and what follows it.
fn braces(inner: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some((&inner[..at], &inner[at + 1..])),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn split_default(inner: &str) -> Placeholder<'_> {
    let end = inner.find([':', '-', '?', '+', '=']).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let default = if let Some(rest) = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-')) {
        Some(rest)
    } else if rest.starts_with(":?") || rest.starts_with(":+") || rest.starts_with(['?', '+']) {
        None
    } else {
        rest.strip_prefix(":=").or_else(|| rest.strip_prefix(':')).or_else(|| rest.strip_prefix('='))
    };
    Placeholder { name: name.trim(), default }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn defaults_stand_for_their_placeholders() {
        for (text, wanted) in [
            ("${DB_HOST:-db}:5432", "db:5432"),
            ("${DB_HOST:db}", "db"),
            ("${A:${B:-c}}", "c"),
            ("http://${X}/y", "http://\u{FFFC}/y"),
            ("{{ .Values.host }}:80", "\u{FFFC}:80"),
            ("$HOST/a", "\u{FFFC}/a"),
            ("%s:%d", "\u{FFFC}:\u{FFFC}"),
            ("<your host>", "\u{FFFC}"),
            ("${X:?missing}", "\u{FFFC}"),
            ("p%40ss@host", "p%40ss@host"),
            ("${open", "${open"),
            ("100%", "100%"),
        ] {
            assert_eq!(resolve(text), wanted, "{text}");
        }
    }

    #[test]
    fn names_and_defaults_are_listed() {
        let found = placeholders("jdbc:mysql://${H:db}:${P}/x");
        let wanted =
            [Placeholder { name: "H", default: Some("db") }, Placeholder { name: "P", default: None }];
        assert_eq!(found, wanted);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_plain_text_stays(text in "\\PC{0,80}", plain in "[a-z0-9:/._-]{0,40}") {
            let _ = (resolve(&text), placeholders(&text));
            prop_assert_eq!(resolve(&plain), plain);
        }
    }
}
