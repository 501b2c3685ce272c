//! Below which path a route stands: that of its class, its group or its router, as far as the file of the route says.
//! Follows no imports.

use std::sync::LazyLock;

use crate::discover::Source;

use super::scan::Pattern;

/// The path below which the route stands that begins at that byte of the file, empty where it is none; nothing where the
/// file does not say it.
pub(super) type Below = fn(&Source<'_>, usize) -> Option<String>;

/// Bytes in front of a route in which what it stands in is looked for.
const MAX_BEFORE: usize = 20_000;
/// Calls that mount a router in one file.
const MAX_CALLS: usize = 500;
/// Groups in groups, routers made of routers.
const MAX_DEPTH: usize = 6;

/// A route without a path of its own in front of it.
const ROOT: Option<String> = Some(String::new());

/// A language whose routes are all written in full.
pub(super) fn nowhere(_: &Source<'_>, _: usize) -> Option<String> {
    ROOT
}

/// A path and what stands below it.
pub(in crate::discover) fn joined(below: &str, path: &str) -> String {
    let below = below.trim_matches('/');
    if below.is_empty() { path.to_owned() } else { format!("/{below}/{}", path.trim_start_matches('/')) }
}

/// Spring, JAX-RS and Micronaut: the path of the class around a method. What a client says are routes of somebody else.
pub(super) fn java(source: &Source<'_>, at: usize) -> Option<String> {
    static CLASS: LazyLock<Pattern> =
        LazyLock::new(|| Pattern::new(r"(?m)^[^\n*/]*?\b(?:class|interface|object|record)\s+[A-Z]\w*"));
    static PATH: LazyLock<Pattern> = LazyLock::new(|| {
        Pattern::new(
            r#"@(?:RequestMapping|Path|Controller)\(\s*(?:(?:value|path)\s*=\s*)?(?:[\[{]\s*|arrayOf\(\s*)?(?:"(?P<path>[^"\n]*)"|(?P<other>[A-Z$][\w.]*|[a-z]+\s*=))"#,
        )
    });
    if !source.text[at..].starts_with('@') {
        return ROOT;
    }
    let before = before(source.text, at);
    let Some(class) = CLASS.all(before, before.len()).last().and_then(|found| found.get(0)) else {
        return ROOT;
    };
    // The annotation of another class behind that one.
    if opening(&before.as_bytes()[class.end()..], before.len() - class.end()).is_none() {
        return ROOT;
    }
    let head = &before[..class.start()];
    // A path of somewhere above belongs to another class.
    let from = ["\n}", "\nimport ", "\npackage "].iter().filter_map(|end| head.rfind(end)).max();
    let head = &head[from.unwrap_or_default()..];
    if head.contains("@FeignClient") || head.contains("@RegisterRestClient") || head.contains("@HttpExchange")
    {
        return None;
    }
    match PATH.all(head, head.len()).last() {
        Some(found) if found.name("other").is_some() => named(&head[found.get(0)?.start()..]),
        // Spring's controllers are given the names of beans so.
        Some(found) => {
            let path = found.name("path").map(|path| path.as_str()).unwrap_or_default();
            let is_bean = found.get(0)?.as_str().starts_with("@Controller") && !path.starts_with('/');
            (!path.contains("${")).then(|| if is_bean { String::new() } else { path.to_owned() })
        }
        None => ROOT,
    }
}

/// The path among the named arguments of an annotation, which it may have none of.
fn named(annotation: &str) -> Option<String> {
    static NAMED: LazyLock<Pattern> = LazyLock::new(|| {
        Pattern::new(r#"\b(?:value|path)\s*=\s*(?:[\[{]\s*|arrayOf\(\s*)?(?:"(?P<path>[^"\n]*)")?"#)
    });
    let arguments = annotation.split(')').next().unwrap_or_default();
    match NAMED.first(arguments) {
        Some(found) => found.name("path").map(|path| path.as_str().to_owned()),
        // `produces = "…"` alone is no path; a constant is one that stands elsewhere.
        None => arguments.contains('=').then(String::new),
    }
}

/// NestJS: the path of the controller around a method, and Express: that under which the same file mounts the router.
pub(super) fn node(source: &Source<'_>, at: usize) -> Option<String> {
    static CONTROLLER: LazyLock<Pattern> = LazyLock::new(|| {
        Pattern::new(
            r#"@Controller\(\s*(?:["'`](?P<path>[^"'`\n]*)["'`]\s*\)|\{[^}]*?\bpath\s*:\s*["'`](?P<path2>[^"'`\n]*)["'`]|(?P<none>\)))?"#,
        )
    });
    let text = source.text;
    if text[at..].starts_with("@Get") {
        let before = before(text, at);
        let Some(found) = CONTROLLER.all(before, before.len()).last() else { return ROOT };
        let path = found.name("path").or_else(|| found.name("path2"));
        return path
            .map(|path| path.as_str().to_owned())
            .or_else(|| found.name("none").map(|_| String::new()));
    }
    let name: &str = text[at..].split(|c: char| !is_name(c)).next().unwrap_or_default();
    if !name.to_ascii_lowercase().contains("rout") {
        return ROOT;
    }
    let used = text.match_indices(".use(").take(MAX_CALLS).find_map(|(found, call)| {
        let arguments = text[found + call.len()..].split([';', '\n']).next()?;
        let (path, rest) = literal(arguments)?;
        rest.split(|c: char| !is_name(c)).any(|word| word == name).then(|| path.to_owned())
    });
    Some(used.unwrap_or_default())
}

/// ASP.NET: the path of the controller around a method, and that of a group of routes.
pub(super) fn dotnet(source: &Source<'_>, at: usize) -> Option<String> {
    static CLASS: LazyLock<Pattern> =
        LazyLock::new(|| Pattern::new(r#"\[Route\(\s*"(?P<path>[^"\n]*)"[^\]]*\]|\bclass\s+(?P<class>\w+)"#));
    let text = source.text;
    let before = before(text, at);
    if text[at..].starts_with(".Map") {
        return of_group(before, "MapGroup", 0);
    }
    if !text[at..].starts_with("[Http")
        || literal(&text[at..][text[at..].find('(')? + 1..])?.0.starts_with(['/', '~'])
    {
        return ROOT;
    }
    let (mut path, mut found) = (None, None);
    for one in CLASS.all(before, before.len()) {
        match (one.name("path"), one.name("class")) {
            (Some(route), _) => path = Some(route.as_str()),
            (_, Some(class)) => found = Some((class.as_str(), path.take())),
            _ => {}
        }
    }
    let Some((class, Some(path))) = found else { return ROOT };
    let class = class.strip_suffix("Controller").unwrap_or(class);
    let path = path.trim_start_matches('~').replace("[controller]", &class.to_ascii_lowercase());
    (!path.contains(['[', '{'])).then_some(path)
}

/// FastAPI and Flask: the prefix with which the same file makes the router of a decorator.
pub(super) fn python(source: &Source<'_>, at: usize) -> Option<String> {
    static PREFIX: LazyLock<Pattern> =
        LazyLock::new(|| Pattern::new(r#"\b(?:url_)?prefix\s*=\s*(?:["'](?P<path>[^"'\n]*)["'])?"#));
    let text = source.text;
    let Some(decorator) = text[at..].strip_prefix('@') else { return ROOT };
    let name = decorator.split(|c: char| !is_name(c)).next().unwrap_or_default();
    let Some(made) = assigned(before(text, at), name) else { return ROOT };
    let class = made.split('(').next().unwrap_or_default();
    if !["Router", "Blueprint"].iter().any(|word| class.trim_end().ends_with(word)) {
        return ROOT;
    }
    let arguments = made.find('(').map_or("", |open| inside(&made[open..]));
    match PREFIX.first(arguments) {
        Some(found) => found.name("path").map(|path| path.as_str().to_owned()),
        None => ROOT,
    }
}

/// Gin, Echo, Fiber, chi and gorilla: the groups that a route's router is made of, or in whose function it stands.
pub(super) fn go(source: &Source<'_>, at: usize) -> Option<String> {
    let before = before(source.text, at);
    let mut below = of_group(before, "Group", 0)?;
    // `r.Route("/api", func(r chi.Router) {`: the block stands among the arguments of the call.
    for head in heads(before).filter(|head| before[..head.start].ends_with(".Route(")) {
        below = joined(literal(head.text)?.0, &below);
    }
    Some(below)
}

/// The path of the group in which the router of a call was made: `v1 := api.Group("/v1")`, `api := r.Group("/api")`.
/// `before` ends where the call's point stands.
fn of_group(before: &str, makes: &str, depth: usize) -> Option<String> {
    let name = before.rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
    if name.is_empty() || depth > MAX_DEPTH {
        return ROOT;
    }
    let Some(made) = assigned(before, name) else { return ROOT };
    let line = made.split(['\n', ';']).next().unwrap_or_default();
    let calls = [format!(".{makes}("), ".PathPrefix(".to_owned()];
    let Some((at, call)) = calls.iter().find_map(|call| Some((line.find(call.as_str())?, call))) else {
        return ROOT;
    };
    let arguments = &line[at + call.len()..];
    let path = if arguments.trim_start().starts_with([')', 'f']) { "" } else { literal(arguments)?.0 };
    let start = made.as_ptr() as usize - before.as_ptr() as usize;
    let above = of_group(&before[..start + at], makes, depth + 1)?;
    Some(joined(&above, path))
}

/// Laravel and Lumen: the groups around a route, and the path below which Laravel serves a file of that name.
pub(super) fn php(source: &Source<'_>, at: usize) -> Option<String> {
    static PREFIX: LazyLock<Pattern> = LazyLock::new(|| {
        Pattern::new(r#"(?:\bprefix\(|["']prefix["']\s*=>)\s*(?:["'](?P<path>[^"'\n]*)["'])?"#)
    });
    let mut below = String::new();
    for head in heads(before(source.text, at)) {
        if let Some(found) = PREFIX.first(head.text) {
            below = joined(found.name("path")?.as_str(), &below);
        }
    }
    let is_facade = source.text[at..].starts_with("Route::");
    let is_api = source.path.as_str().ends_with("routes/api.php") && is_facade;
    Some(if is_api { joined("api", &below) } else { below })
}

/// Actix and axum: the scopes and nested routers in whose brackets a route stands.
pub(super) fn rust(source: &Source<'_>, at: usize) -> Option<String> {
    static SCOPE: LazyLock<Pattern> =
        LazyLock::new(|| Pattern::new(r#"\bscope\(\s*(?:"(?P<path>[^"\n]*)")?"#));
    let before = before(source.text, at);
    let mut below = String::new();
    for head in heads(before) {
        if head.text.trim_end().ends_with(".nest") {
            let path = literal(&before[head.end + 1..])?.0;
            below = joined(path, &below);
            continue;
        }
        let chain = flat(head.text);
        if let Some(found) = SCOPE.all(&chain, chain.len()).last() {
            below = joined(found.name("path")?.as_str(), &below);
        }
    }
    Some(below)
}

/// What stands in front of a bracket that is open at the end of a text, from the last statement or bracket on.
struct Head<'t> {
    text: &'t str,
    start: usize,
    /// Where the bracket stands.
    end: usize,
}

/// The brackets that are open at the end of a text, the innermost first.
fn heads(before: &str) -> impl Iterator<Item = Head<'_>> {
    let bytes = before.as_bytes();
    let mut at = bytes.len();
    std::iter::from_fn(move || {
        let open = opening(bytes, at)?;
        at = open;
        // The head begins behind the end of a statement, or behind the next open bracket.
        let mut from = open;
        let mut depth = 0usize;
        while from > 0 {
            match bytes[from - 1] {
                b')' | b']' | b'}' => depth += 1,
                b'(' | b'[' | b'{' if depth == 0 => break,
                b'(' | b'[' | b'{' => depth -= 1,
                b';' if depth == 0 => break,
                _ => {}
            }
            from -= 1;
        }
        Some(Head { text: before.get(from..open)?, start: from, end: open })
    })
    .take(2 * MAX_DEPTH)
}

/// The last bracket before `end` that is still open there.
fn opening(bytes: &[u8], end: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..end).rev() {
        match bytes[at] {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => return Some(at),
            b'(' | b'[' | b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A chain of calls without the arguments that have brackets themselves: those are chains of their own.
fn flat(chain: &str) -> String {
    let mut out = String::with_capacity(chain.len());
    let mut starts: Vec<usize> = Vec::new();
    for c in chain.chars() {
        out.push(c);
        match c {
            '(' => starts.push(out.len()),
            ')' => {
                if let Some(start) = starts.pop()
                    && out[start..].contains('(')
                {
                    out.truncate(start);
                    out.push(')');
                }
            }
            _ => {}
        }
    }
    out
}

/// What is assigned last to a name in a text.
pub(in crate::discover) fn assigned<'t>(before: &'t str, name: &str) -> Option<&'t str> {
    let is_apart = |at: usize| before[..at].chars().next_back().is_none_or(|c| !is_name(c) && c != '.');
    let mut found = before.rmatch_indices(name).filter(|(at, _)| is_apart(*at)).take(500);
    found.find_map(|(at, name)| {
        let rest = before[at + name.len()..].trim_start_matches(' ');
        // `name: Type = …`
        let rest = match rest.strip_prefix(": ") {
            Some(typed) => typed.trim_start_matches(|c: char| is_name(c) || matches!(c, '.' | ' ')),
            None => rest,
        };
        let value = rest.strip_prefix(":=").or_else(|| rest.strip_prefix('='))?;
        (!value.starts_with('=')).then(|| value.trim_start())
    })
}

/// The string with which arguments begin, and what stands behind it.
pub(in crate::discover) fn literal(arguments: &str) -> Option<(&str, &str)> {
    let arguments = arguments.trim_start();
    let quote = arguments.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    arguments[1..].split_once(quote).filter(|(text, _)| !text.contains(['\n', '$', '%']))
}

/// What stands in the brackets that a text begins with.
pub(in crate::discover) fn inside(text: &str) -> &str {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return &text[..at];
                }
            }
            _ => {}
        }
    }
    text
}

pub(in crate::discover) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The last part of the text in front of a byte.
fn before(text: &str, at: usize) -> &str {
    let from = (at.saturating_sub(MAX_BEFORE)..=at).find(|from| text.is_char_boundary(*from));
    &text[from.unwrap_or(at)..at]
}

#[cfg(test)]
#[path = "mounted_tests.rs"]
mod tests;
