//! What a line of a shell script says about others: whom it waits for or calls, and which variables it reads. Decides
//! nothing, and runs nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::discover::findings::{Findings, Read};

use super::RULE;

/// `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$NAME`, of names in capitals: what comes from outside is called
/// so by custom (POSIX, "Environment Variables"), what a script keeps to itself is not.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$(?:\{([A-Z][A-Z0-9_]+)(?:(:?[-?=+])((?:[^{}]|\$\{[^{}]*\})*))?\}|([A-Z][A-Z0-9_]+))").ok()
});

/// `NAME=value` at the beginning of a command.
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|;\s*|&&\s*|\b(?:export|local|readonly|declare)\s+)([A-Z][A-Z0-9_]*)=(\S*)|\b(?:for|read(?: -\w+)*)\s+([A-Z][A-Z0-9_]*)\b").ok()
});

/// Bash's way to open a connection.
static DEV_TCP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"/dev/tcp/([A-Za-z][A-Za-z0-9._-]*)/(\d{1,5})\b").ok());

/// What the shell itself sets.
const SHELLS: &[&str] = &[
    "BASH_SOURCE",
    "EUID",
    "FUNCNAME",
    "IFS",
    "LINENO",
    "OPTARG",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "UID",
];

/// Clients that ask a server, and the scheme of its addresses.
const CLIENTS: &[(&str, &str)] = &[
    ("mariadb", "mariadb"),
    ("mariadb-admin", "mariadb"),
    ("mongo", "mongodb"),
    ("mongosh", "mongodb"),
    ("mysql", "mysql"),
    ("mysqladmin", "mysql"),
    ("pg_isready", "postgres"),
    ("psql", "postgres"),
    ("redis-cli", "redis"),
];

/// The variables to which the script itself gives a value that is not made of what they held before.
pub(super) fn assigned<'t>(lines: impl Iterator<Item = &'t str>) -> BTreeSet<&'t str> {
    let Some(assigned) = ASSIGNED.as_ref() else { return BTreeSet::new() };
    let own = |found: regex::Captures<'t>| {
        let name = found.get(1).or_else(|| found.get(3))?.as_str();
        let value = found.get(2).map_or("", |value| value.as_str());
        let keeps = value.contains(&format!("${name}")) || value.contains(&format!("${{{name}"));
        (!keeps).then_some(name)
    };
    lines.flat_map(|line| assigned.captures_iter(line)).filter_map(own).collect()
}

/// The variables that the line reads, with the default that it gives.
pub(super) fn variables(
    findings: &mut Findings<'_, '_>,
    (number, rule): (u32, &'static str),
    line: &str,
    own: &BTreeSet<&str>,
) {
    let Some(variable) = VARIABLE.as_ref().filter(|_| line.contains('$')) else { return };
    for found in variable.captures_iter(line) {
        let Some(name) = found.get(1).or_else(|| found.get(4)).map(|name| name.as_str()) else { continue };
        if own.contains(name) || SHELLS.contains(&name) {
            continue;
        }
        let operator = found.get(2).map_or("", |operator| operator.as_str());
        let word = found.get(3).map(|word| word.as_str().trim_matches(['"', '\'']));
        // A default that is made of other variables is none that could be written down.
        let default = word.filter(|word| operator.ends_with(['-', '=']) && !word.contains(['$', '`']));
        findings.env(number, rule, Read { name, default, required: operator.ends_with('?') });
    }
}

/// The addresses that the line calls or waits for.
pub(super) fn others(findings: &mut Findings<'_, '_>, number: u32, line: &str, words: &[String]) {
    for word in words.iter().filter(|word| word.contains("://")) {
        findings.literal(number, RULE, word.trim_matches(['"', '\'', '(', ')', ';', '`']));
    }
    for found in DEV_TCP.iter().filter(|_| line.contains("/dev/tcp/")).flat_map(|tcp| tcp.captures_iter(line))
    {
        findings.host(number, RULE, &found[1], found[2].parse().ok());
    }
    for word in words {
        replaced(findings, number, word);
    }
    awaited(findings, (number, RULE), words);
}

/// The addresses for which commands wait.
pub(super) fn awaited(findings: &mut Findings<'_, '_>, at: (u32, &'static str), words: &[String]) {
    for command in words.split(|word| is_end(word)) {
        waits(findings, at, command);
    }
}

/// `sed -i s|localhost:8080|orders:8080|`: the address that is put into a file.
fn replaced(findings: &mut Findings<'_, '_>, number: u32, word: &str) {
    let word = word.trim_matches(['"', '\'']);
    let Some(rest) = word.strip_prefix('s') else { return };
    let Some(mark) = rest.chars().next().filter(|mark| matches!(mark, '/' | '|' | '#' | ',' | '@')) else {
        return;
    };
    let parts: Vec<&str> = rest.split(mark).collect();
    let [_, _, to, _] = parts[..] else { return };
    // With `://` it has been seen as a word.
    if let Some((host, port)) = to.rsplit_once(':').filter(|(host, _)| !host.contains(['/', ':', '$'])) {
        let port = port.trim_end_matches('/').parse().ok();
        if port.is_some() {
            findings.host(number, RULE, host, port);
        }
    }
}

/// Where one command of a line ends and the next begins.
fn is_end(word: &str) -> bool {
    matches!(word, ";" | "&&" | "||" | "|" | "do" | "then" | "else" | "!" | "until" | "while" | "if" | "exec")
}

/// One command that asks whether a server is there.
fn waits(findings: &mut Findings<'_, '_>, (number, rule): (u32, &'static str), command: &[String]) {
    let Some((program, arguments)) = command.split_first() else { return };
    let program = program.rsplit('/').next().unwrap_or_default();
    if let Some((_, scheme)) = CLIENTS.iter().find(|(client, _)| *client == program) {
        let Some(host) = flag(arguments, &["-h", "--host"]) else { return };
        // To MySQL's clients `-p` is the password.
        let short = if matches!(*scheme, "mysql" | "mariadb") { "-P" } else { "-p" };
        let port = flag(arguments, &[short, "--port"]).filter(|port| is_port(port));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        findings.literal(number, rule, &format!("{scheme}://{host}{port}"));
        return;
    }
    let is_netcat = matches!(program, "nc" | "ncat" | "netcat") && arguments.iter().any(|word| is_scan(word));
    let is_waiter = program.starts_with("wait-for") || program.starts_with("wait_for");
    if !is_netcat && !is_waiter {
        return;
    }
    let mut places = arguments.iter().take_while(|word| *word != "--").filter(|word| !word.starts_with('-'));
    let is_host = |word: &&String| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let Some(host) = places.find(is_host) else { return };
    match host.split_once(':') {
        Some((host, port)) => findings.host(number, rule, host, port.parse().ok()),
        // Without a port it may be anything: the name of a function's argument, a word of a message.
        None => {
            let Some(port) = places.find_map(|word| word.trim_end_matches(';').parse().ok()) else { return };
            findings.host(number, rule, host, Some(port));
        }
    }
}

/// `-z`, also among other letters: `-vz`, `-zw1`.
fn is_scan(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains('z')
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// The value of a flag: `-h db`, `-hdb`, `--host db`, `--host=db`.
fn flag<'w>(arguments: &'w [String], names: &[&str]) -> Option<&'w str> {
    arguments.iter().enumerate().find_map(|(at, word)| {
        names.iter().find_map(|name| match word.strip_prefix(name)? {
            "" => arguments.get(at + 1).map(String::as_str),
            rest if name.starts_with("--") => rest.strip_prefix('='),
            rest => Some(rest),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::what;
    use crate::discover::{Detector, Source, dockerfile};
    use crate::model::fact::Fact;

    const LINES: Detector = Detector { name: "lines", extensions: &[], wants: |_| true, read };

    fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
        let own = assigned(source.text.lines());
        for (number, line) in (1..).zip(source.text.lines()) {
            let mut findings = Findings::new(source, facts);
            variables(&mut findings, (number, RULE), line, &own);
            others(&mut findings, number, line, &dockerfile::words(line));
        }
    }

    fn said(text: &str) -> Vec<String> {
        what(&[LINES], "api/start.sh", text)
    }

    #[test]
    fn whom_a_script_waits_for_or_calls_is_needed() {
        for (line, reference) in [
            ("ab -n 1000 -p posta http://vote/", "ref http|vote|-|- via -"),
            ("curl -fsS \"http://config:8888/api/default\" | tee conf", "ref http|config|8888|- via -"),
            ("while ! nc -z -w 1 broker 5672; do sleep 1; done", "ref |broker|5672|- via -"),
            ("./wait-for-it.sh -t 60 db:3306 -- node server.js", "ref |db|3306|- via -"),
            ("until pg_isready -h db -p 5433 -U app; do sleep 1; done", "ref postgres|db|5433|- via -"),
            ("mysqladmin ping --host=users-db --silent", "ref mysql|users-db|-|- via -"),
            ("mysqladmin ping -h db -uroot -p12345", "ref mysql|db|-|- via -"),
            ("mariadb -h db -p 12345 -P 3307", "ref mariadb|db|3307|- via -"),
            ("(echo > /dev/tcp/queue/4222) 2> /dev/null", "ref |queue|4222|- via -"),
        ] {
            assert_eq!(said(line), [reference], "{line}");
        }
    }

    #[test]
    fn what_a_script_only_prints_or_does_to_itself_is_no_need() {
        for line in [
            "echo waiting for the database",
            "nc -l 8080",
            "wait-for-nothing",
            "psql -f schema.sql",
            "curl -fsS https://deb.nodesource.com/setup_20.x",
        ] {
            assert_eq!(said(line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn variables_are_read_with_the_default_that_stands_there() {
        let text = "WORKERS=\"${WORKERS:-4}\"\n: \"${DATABASE_HOST:?has to be set}\"\nDIR=$(pwd)\necho $DIR $i $RANDOM\nenvsubst '$BACKEND_NAME' < a > b\n";
        assert_eq!(said(text), ["env WORKERS 4", "env DATABASE_HOST - required", "env BACKEND_NAME -"]);
    }
}
