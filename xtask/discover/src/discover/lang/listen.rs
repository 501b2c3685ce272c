//! Where a program listens: a number, an address, or a name that is looked up in the same file.

use std::sync::LazyLock;

use crate::catalog::Catalog;
use crate::discover::findings::Findings;
use crate::discover::ports;
use crate::model::fact::{PortSource, Protocol, Purpose, What};

use super::scan::{Line, Pattern, cut, newlines, unquoted, window_of};

/// A name that stands at more places is no constant.
const MAX_PLACES: usize = 200;

/// Lower numbers are bases of digits, seconds and lengths of queues more often than ports.
const LOWEST: u16 = 80;

static NEAR_PORT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"(?i)port["'\])]*\s*(?::|=>|=|,|\()\s*["']?(?P<port>\d{3,5})\b"#));

/// A port beside a host: `host: 'db', port: 3306`, on the same or one of the next lines.
pub(super) fn near_port(line: &Line<'_>) -> Option<u16> {
    let near = window_of(line.window);
    let cut = near.match_indices('\n').nth(3).map_or(near.len(), |(at, _)| at);
    NEAR_PORT.first(&near[..cut])?.name("port")?.as_str().parse().ok()
}

/// A listen call: a number, an address, or a name whose value stands in the same file.
pub(super) fn listen(
    findings: &mut Findings<'_, '_>,
    line: u32,
    rule: &'static str,
    (port, host): (Option<&str>, Option<&str>),
    (protocol, variable): (Protocol, Option<&str>),
) {
    if let Some(host) = host {
        let host = unquoted(host).unwrap_or(host);
        findings.listens(line, rule, host);
    }
    let Some(port) = port else { return };
    let literal = unquoted(port).unwrap_or(port).trim();
    let (address, number) = match literal.rsplit_once(':') {
        Some((address, number)) => (Some(address), number),
        None => (None, literal),
    };
    let is_address = address.is_none_or(|address| {
        address
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'[' | b']' | b':' | b'*' | b'+'))
    });
    if let Ok(number) = number.replace('_', "").parse::<u16>() {
        let is_other = match address {
            // `Addr: "localhost:6379"` is where a client finds its server.
            Some(_) => findings.source.catalog.is_port_of_a_server(number),
            None => number < LOWEST || is_backlog(findings, rule, number),
        };
        if is_address && !is_other {
            if let Some(address) = address {
                findings.listens(line, rule, address);
            }
            if variable.is_none() || !findings.has_port(line, Some(number)) {
                let how = (variable, protocol, Purpose::Main);
                findings.port_as(line, rule, number, PortSource::Listen, how);
            }
        }
        return;
    }
    if let Some(address) = address {
        findings.listens(line, rule, address);
    }
    let number = interpolated(number);
    if let Some((at, number)) = findings.number_of(number, value_of) {
        findings.port_as(at, rule, number, PortSource::Listen, (None, protocol, Purpose::Main));
    } else if variable.is_none() && is_about_a_port(number) {
        findings.add(line, rule, What::ListensBy { name: number.to_owned(), protocol });
    }
}

/// `sock.listen(128)`: how many calls may wait at a socket of Python's own, which was bound to its address before.
fn is_backlog(findings: &Findings<'_, '_>, rule: &str, number: u16) -> bool {
    number <= 1024 && rule == "python-listen" && findings.source.text.contains("socket.socket(")
}

/// The name that stands in a text: `PORT` of `{PORT}`, `${PORT}`, `#{PORT}`.
fn interpolated(text: &str) -> &str {
    let inner = text.trim_start_matches(['$', '#']).strip_prefix('{');
    inner.and_then(|inner| inner.strip_suffix('}')).unwrap_or(text)
}

/// `PORT`, `config.port`, `settings.HTTP_ADDR`: what is worth looking for in other files.
fn is_about_a_port(name: &str) -> bool {
    let last = name.rsplit(['.', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let plain = name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':'));
    plain
        && !name.contains("env.")
        && (last.contains("port") || last.ends_with("addr") || last.ends_with("address"))
}

/// The port that a name stands for in this file: the first number on a line that gives it a value. That of a database or
/// broker is none on which a program of its own listens, unless its own variable moves it.
pub(in crate::discover) fn value_of(text: &str, name: &str, catalog: &Catalog) -> Option<(u32, u16)> {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = name.rsplit(['.', ':']).next()?;
    if name.is_empty() || name.len() > 60 || name.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    for start in memchr::memmem::find_iter(text.as_bytes(), name).take(MAX_PLACES) {
        let from = start + name.len();
        let end = memchr::memchr(b'\n', &text.as_bytes()[from..]).map_or(text.len(), |end| from + end);
        let rest = cut(&text[from..end], 200);
        if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let Some(found) = ASSIGNED.first(rest).and_then(|found| found.name("port")) else { continue };
        let port: u16 = found.as_str().replace('_', "").parse().ok()?;
        if port >= LOWEST && (!catalog.is_port_of_a_server(port) || moves_the_own(rest, port)) {
            return Some((newlines(&text[..start]) + 1, port));
        }
    }
    None
}

/// Whether the line reads a variable that moves the program's own port: `PORT`, and not `REDIS_PORT`.
fn moves_the_own(line: &str, port: u16) -> bool {
    let words = line.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    words
        .filter(|word| word.ends_with("PORT"))
        .any(|word| ports::of_variable(word, &port.to_string()).is_some())
}

static ASSIGNED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"^["']?\s*(?::\s*[\w<>| ]+)?(?:\s\w+)?\s*(?::=|=|:)\s*["']?:?(?:[^=>\n].*?[^\w.])??(?P<port>\d[\d_]{1,5})\b"#,
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_valid() {
        assert!(NEAR_PORT.is_valid() && ASSIGNED.is_valid());
    }

    #[test]
    fn names_are_looked_up_in_the_file() {
        for text in [
            "const port = 3001;",
            "let PORT: u16 = 3001;",
            "port := getenv(\"PORT\", \"3001\")",
            "port: 3001,",
            "var port int = 3001",
        ] {
            let name = if text.contains("PORT:") { "PORT" } else { "port" };
            assert_eq!(value_of(text, name, &Catalog::default()), Some((1, 3001)), "{text}");
        }
        assert_eq!(value_of("if (port === 3001)", "port", &Catalog::default()), None);
    }

    #[test]
    fn numbers_that_are_no_ports_of_the_program_are_passed_over() {
        let catalog = Catalog::load(&[]).expect("is read");
        for (text, wanted) in [
            ("const port = parseInt(value, 10);\nconst port = 3001;", Some((2, 3001))),
            ("redis({ port: process.env.REDIS_PORT || 6379 });\nconst port = 3001;", Some((2, 3001))),
            ("port := get(\"DB_PORT\", \"5432\")", None),
            ("const port = process.env.PORT || 6379;", Some((1, 6379))),
            ("const port = 8086;", Some((1, 8086))),
        ] {
            assert_eq!(value_of(text, "port", &catalog), wanted, "{text}");
        }
    }
}
