//! Reads `.env.example` and its siblings: names, values and comments; expands nothing and keeps every value as written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ports, url};
use crate::model::fact::{EnvSource, Evidence, Fact, PortSource, Subject, What};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};

/// Words of file names that mark an example.
const EXAMPLES: &[&str] = &[
    "default",
    "defaults",
    "dist",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "templates",
    "tmpl",
    "tpl",
];

/// Words that name an environment in which the file is used as it is.
const PLACES: &[&str] = &["dev", "development", "docker", "local", "compose", "container"];

/// Endings of programs, pages and data: `env.template.js` is a script that somebody fills in, and holds no assignments.
const OTHERS: &[&str] = &[
    "cjs", "go", "htm", "html", "js", "json", "jsx", "md", "mjs", "php", "py", "rb", "rs", "toml", "ts",
    "tsx", "vue", "xml", "yaml", "yml",
];

/// Words that say that the file is for the program, or for all: `config.env`, `variables.env`.
const PLAIN: &[&str] = &["app", "base", "common", "config", "global", "settings", "variables", "vars"];

/// How much a file's values count; examples over files in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// `.env.example`, `example.env`.
    Example,
    /// `.env.docker`, `.env.development`.
    Place,
    /// A committed `.env`.
    Real,
}

/// What kind of environment file the name says; `None` for any other file, and for the files of tests and production.
pub(super) fn rank(path: &RepoPath) -> Option<Rank> {
    // Asked of every file: first without making a text.
    let bytes = path.name().as_bytes();
    let is_env = |at: usize| bytes[at..].get(..3).is_some_and(|three| three.eq_ignore_ascii_case(b"env"));
    if !memchr::memchr2_iter(b'e', b'E', bytes).any(is_env) {
        return None;
    }
    let name = path.name().to_ascii_lowercase();
    let words: Vec<&str> = name.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
    // `.env.example.json` holds nothing but variables, `env.json` anything.
    let is_other = |last: &&str| OTHERS.contains(last) && !(*last == "json" && name.starts_with(".env"));
    if !words.contains(&"env") || words.len() > 4 || words.last().is_some_and(is_other) {
        return None;
    }
    let of = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let is_known =
        |word: &&str| *word == "env" || [EXAMPLES, PLACES, PLAIN].iter().any(|words| words.contains(word));
    let only = words.iter().all(is_known);
    // `.env.orders.example` and `orders.example.env`: the rest says whose it is.
    if of(EXAMPLES) && (only || words.first() == Some(&"env") || words.last() == Some(&"env")) {
        Some(Rank::Example)
    } else if only && (of(PLACES) || of(PLAIN) && name.ends_with(".env")) {
        Some(Rank::Place)
    } else {
        (name == ".env").then_some(Rank::Real)
    }
}

/// Where two files of one folder give one variable, the better file speaks: an example over a file in use.
pub(super) fn drop_weaker(facts: &mut Vec<Fact>) {
    let crowded = crowded(facts);
    if crowded.is_empty() {
        return;
    }
    let mut best: BTreeMap<(RepoPath, String), (Rank, RepoPath)> = BTreeMap::new();
    let keyed = |fact: &Fact| {
        let rank = crowded.get(&fact.at.path)?.to_owned();
        let name = match &fact.what {
            What::EnvValue { name, .. } => name,
            What::Port { variable: Some(name), .. } => name,
            What::Reference(reference) => reference.via.as_ref()?,
            _ => return None,
        };
        Some(((fact.at.path.parent()?, name.clone()), (rank, fact.at.path.clone())))
    };
    for (key, file) in facts.iter().filter_map(keyed) {
        match best.get(&key) {
            Some(known) if *known <= file => {}
            _ => {
                best.insert(key, file);
            }
        }
    }
    facts
        .retain(|fact| keyed(fact).is_none_or(|(key, file)| best.get(&key).is_none_or(|best| *best == file)));
}

/// The environment files that do not lie alone in their folder. Facts of one file come one after the other.
fn crowded(facts: &[Fact]) -> BTreeMap<RepoPath, Rank> {
    let mut folders: BTreeMap<RepoPath, BTreeMap<RepoPath, Rank>> = BTreeMap::new();
    for of_file in facts.chunk_by(|a, b| a.at.path == b.at.path) {
        let path = &of_file[0].at.path;
        if let Some(rank) = rank(path) {
            folders.entry(path.parent().unwrap_or_default()).or_default().insert(path.clone(), rank);
        }
    }
    folders.into_values().filter(|files| files.len() > 1).flatten().collect()
}

/// Adds what the file says.
pub(super) fn read(path: &RepoPath, text: &str, facts: &mut Vec<Fact>, problems: &mut Vec<Problem>) {
    if path.extension() == "json" {
        return read_json(path, text, facts);
    }
    let mut comment: Vec<String> = Vec::new();
    let mut lines = text.lines().zip(1u32..);
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            comment.clear();
            continue;
        }
        if let Some(text) = line.strip_prefix('#') {
            let text = text.trim_start_matches('#').trim();
            // A variable that is switched off says nothing about the next one.
            if !is_switched_off(text) {
                comment.push(text.to_owned());
            }
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, value)) = split(assignment) else {
            problems.push(malformed(path, number, line));
            comment.clear();
            continue;
        };
        let mut value = value.trim_start().to_owned();
        if let Some((whole, more)) = over_lines(&value, lines.clone().map(|(line, _)| line)) {
            value = whole;
            lines.by_ref().take(more).for_each(drop);
        }
        let (value, behind) = unquoted(&value);
        comment.extend(behind);
        comment.retain(|text| !text.is_empty());
        let comment_text = comment.join(" ");
        comment.clear();
        add(path, number, name, value, comment_text, facts);
    }
    facts.extend(listeners(path, facts));
}

/// `.env.example.json`: the variables as the members of one object. What else is called so is no such file.
fn read_json(path: &RepoPath, text: &str, facts: &mut Vec<Fact>) {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return };
    for (name, value) in members.into_iter().take(1000) {
        let value = match value {
            Value::String(value) => value,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => continue,
        };
        let key = format!("\"{name}\"");
        let line = (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with(&key));
        add(path, line.map_or(1, |(line, _)| line), &name, value, String::new(), facts);
    }
    facts.extend(listeners(path, facts));
}

/// `USERS_GRPC_PORT` beside `USERS_GRPC_HOST=0.0.0.0`, whatever it is called: what binds all addresses is this program.
fn listeners(path: &RepoPath, facts: &[Fact]) -> Vec<Fact> {
    let values: BTreeMap<&str, (&str, u32)> = facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::EnvValue { name, value, .. } if fact.at.path == *path => {
                Some((name.as_str(), (value.as_str(), fact.at.line)))
            }
            _ => None,
        })
        .collect();
    let one = |(name, (host, _)): (&&str, &(&str, u32))| {
        let prefix = name.strip_suffix("_HOST").filter(|_| matches!(*host, "0.0.0.0" | "::" | "[::]"))?;
        let variable = format!("{prefix}_PORT");
        let (value, line) = values.get(variable.as_str())?;
        if ports::of_variable(&variable, value).is_some() {
            return None;
        }
        let port = value.trim().parse().ok().filter(|port| *port > 0)?;
        let (protocol, purpose) = ports::of_name(prefix, port);
        let what =
            What::Port { port, protocol, purpose, source: PortSource::EnvExample, variable: Some(variable) };
        let at = Evidence { path: path.clone(), line: *line, rule: "env-listener" };
        Some(Fact { what, at, subject: Subject::Here })
    };
    values.iter().filter_map(one).collect()
}

fn add(path: &RepoPath, line: u32, name: &str, value: String, comment: String, facts: &mut Vec<Fact>) {
    let at = |rule| Evidence { path: path.clone(), line, rule };
    if let Some(found) = ports::of_variable(name, &value) {
        let what = What::Port {
            port: found.port,
            protocol: found.protocol,
            purpose: found.purpose,
            source: PortSource::EnvExample,
            variable: Some(name.to_owned()),
        };
        facts.push(Fact { what, at: at("env-example"), subject: Subject::Here });
    }
    for reference in url::references(&value, Some(name)) {
        let what = What::Reference(reference);
        facts.push(Fact { what, at: at("env-example"), subject: Subject::Here });
    }
    let what = What::EnvValue { name: name.to_owned(), value, comment, source: EnvSource::Example };
    facts.push(Fact { what, at: at("env-example"), subject: Subject::Here });
}

/// Name and raw value; `None` where the line is no assignment.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
    let name = name.trim();
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    valid.then_some((name, value))
}

/// `KEY_FILE=/key.json` in a comment; words in lower case are prose.
fn is_switched_off(comment: &str) -> bool {
    let of = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    comment.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.trim_end().chars().all(of))
}

/// Keys and certificates are the longest values that people write.
const MAX_VALUE_LINES: usize = 100;

/// A value whose quote closes on one of the lines that follow, with the number of these; `None` where it closes on its
/// own line, and where it never does: then it was meant as plain text.
fn over_lines<'a>(value: &str, lines: impl Iterator<Item = &'a str> + Clone) -> Option<(String, usize)> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if closing(value, quote).is_some()
        || !lines.clone().take(MAX_VALUE_LINES).any(|line| line.trim_end().ends_with(quote))
    {
        return None;
    }
    let mut whole = value.to_owned();
    for (line, more) in lines.take(MAX_VALUE_LINES).zip(1..) {
        // What was looked at before held no quote that closes; a `\` at its end would have hidden a line end only.
        let closes = closing(&format!("{quote}{line}"), quote).is_some();
        whole.push('\n');
        whole.push_str(line);
        if closes {
            return Some((whole, more));
        }
    }
    None
}

/// Where the quote that opens `value` closes.
fn closing(value: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    value.char_indices().skip(1).find_map(|(at, c)| {
        if escaped {
            escaped = false;
            return None;
        }
        escaped = c == '\\' && quote == '"';
        (c == quote).then_some(at)
    })
}

/// The value without quotes, and the comment behind it.
fn unquoted(value: &str) -> (String, Option<String>) {
    let value = value.trim();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))
        && let Some(end) = closing(value, quote)
    {
        let inner = &value[1..end];
        let inner =
            if quote == '"' { inner.replace("\\n", "\n").replace("\\\"", "\"") } else { inner.to_owned() };
        return (inner, behind(&value[end + 1..]));
    }
    match value.find(" #").or_else(|| value.find("\t#")) {
        Some(at) => (value[..at].trim_end().to_owned(), behind(&value[at..])),
        None if value.starts_with('#') => (String::new(), behind(value)),
        None => (value.to_owned(), None),
    }
}

fn behind(rest: &str) -> Option<String> {
    rest.trim().strip_prefix('#').map(|text| text.trim().to_owned())
}

fn malformed(path: &RepoPath, line: u32, text: &str) -> Problem {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    Problem::new("env-line", Severity::Warning, format!("`{shown}` is not an assignment, so it is left out"))
        .at(format!("{path}:{line}"))
        .fix("write `NAME=value`, or begin the line with `#`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).expect("inside the root")
    }

    fn values(text: &str) -> Vec<String> {
        let (mut facts, mut problems) = (Vec::new(), Vec::new());
        read(&path(".env.example"), text, &mut facts, &mut problems);
        let mut shown: Vec<String> = facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::EnvValue { name, value, comment, .. } => {
                    Some(format!("{}:{name}={value}|{comment}", fact.at.line))
                }
                _ => None,
            })
            .collect();
        shown.extend(problems.iter().map(|problem| format!("{} {}", problem.at[0], problem.message)));
        shown
    }

    #[test]
    fn port_beside_a_host_of_all_addresses_is_the_programs_own() {
        let text = "USERS_GRPC_HOST=0.0.0.0\nUSERS_GRPC_PORT=3200\nAUTH_TCP_PORT=3100\nAUTH_TCP_HOST=0.0.0.0\nDB_HOST=db\nDB_PORT=5432\n";
        let (mut facts, mut problems) = (Vec::new(), Vec::new());
        read(&path("users/.env.example"), text, &mut facts, &mut problems);
        let ports = facts.iter().filter_map(|fact| match &fact.what {
            What::Port { port, protocol, variable, .. } => Some(format!("{port} {protocol:?} {variable:?}")),
            _ => None,
        });
        let wanted = ["3100 Tcp Some(\"AUTH_TCP_PORT\")", "3200 Grpc Some(\"USERS_GRPC_PORT\")"];
        assert_eq!(ports.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn names_tell_the_kind_of_file() {
        for name in [
            ".env.example",
            "example.env",
            "env.example",
            ".env.sample",
            ".env.examples",
            ".env.samples",
            ".env.dist",
            ".env.local.example",
            ".env-example",
            ".env.template",
            "sample.env",
            "api.default.env",
            "orders.example.env",
        ] {
            assert_eq!(rank(&path(name)), Some(Rank::Example), "{name}");
        }
        assert_eq!(rank(&path("a/.env.staging.template.json")), Some(Rank::Example));
        assert_eq!(rank(&path(".env.development")), Some(Rank::Place));
        assert_eq!(rank(&path("orders/variables.env")), Some(Rank::Place));
        assert_eq!(rank(&path("config.env.ts")), None);
        assert_eq!(rank(&path("a/.env")), Some(Rank::Real));
        for name in [
            "env.template.js",
            "src/env.sample.ts",
            "env.example.md",
            "env.example.json",
            ".env.production",
            ".env.test",
            "env.go",
            "environment.ts",
            ".envrc",
            "env.py",
            "nodemon-env.example.js",
        ] {
            assert_eq!(rank(&path(name)), None, "{name}");
        }
    }

    #[test]
    fn a_variable_that_is_switched_off_describes_no_other_one() {
        assert_eq!(values("# why: a=b\n#KEY_FILE=/key.json\nMOCK=true\n"), ["3:MOCK=true|why: a=b"]);
    }

    #[test]
    fn values_lose_quotes_and_comments() {
        assert_eq!(
            values(
                "# The\n# port\nPORT=3000 # main\nexport A=\"x # y\"\nB='z' # why\nC=\nD=a#b\n\n# gone\n\nE=${A}/x\n"
            ),
            ["3:PORT=3000|The port main", "4:A=x # y|", "5:B=z|why", "6:C=|", "7:D=a#b|", "11:E=${A}/x|"]
        );
    }

    #[test]
    fn variables_may_be_the_members_of_an_object() {
        let (mut facts, mut problems) = (Vec::new(), Vec::new());
        let text = "{\n  \"PORT\": 3000,\n  \"REDIS_URL\": \"redis://cache:6379\",\n  \"LIST\": [1]\n}\n";
        read(&path("api/.env.staging.template.json"), text, &mut facts, &mut problems);
        let said = facts.iter().filter_map(|fact| match &fact.what {
            What::EnvValue { name, value, .. } => Some(format!("{}:{name}={value}", fact.at.line)),
            What::Port { port, .. } => Some(format!("{}:port {port}", fact.at.line)),
            What::Reference(reference) => Some(format!("{}:to {}", fact.at.line, reference.host)),
            _ => None,
        });
        let wanted = ["2:port 3000", "2:PORT=3000", "3:to cache", "3:REDIS_URL=redis://cache:6379"];
        assert_eq!(said.collect::<Vec<_>>(), wanted);
        read(&path("api/.env.sample.json"), "PORT=1\n", &mut facts, &mut problems);
        assert_eq!(problems, []);
    }

    #[test]
    fn quoted_values_may_span_lines() {
        assert_eq!(values("KEY=\"one\ntwo\"\nNEXT=1\n"), ["1:KEY=one\ntwo|", "3:NEXT=1|"]);
        assert_eq!(values("IT=\"open\nNEXT=1\n"), ["1:IT=\"open|", "2:NEXT=1|"]);
    }

    #[test]
    fn lines_that_assign_nothing_are_reported() {
        assert_eq!(
            values("just words\nA=1\n"),
            ["2:A=1|", ".env.example:1 `just words` is not an assignment, so it is left out"]
        );
    }

    #[test]
    fn quotes_that_never_close_are_text_and_cost_little() {
        let text = "A=\"\\\"\nB=1\n";
        let (mut facts, mut problems) = (Vec::new(), Vec::new());
        let path = RepoPath::new("a/.env.example").expect("inside the root");
        read(&path, text, &mut facts, &mut problems);
        let names: Vec<&str> = facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::EnvValue { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["A", "B"]);
        let started = std::time::Instant::now();
        read(&path, &"A=\"\\\"\n".repeat(40_000), &mut facts, &mut problems);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
