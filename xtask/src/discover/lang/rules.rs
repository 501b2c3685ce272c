//! What all languages share: rules as patterns with named groups, and the facts that a match means.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::relaxed;
use crate::model::fact::{PortSource, Protocol, Purpose};
use crate::model::path::RepoPath;

use super::scan::{Comments, Line, Pattern, holds, lines, newlines, strings, unquoted};

/// What a match of a rule's pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Groups `name`, `default` and `fails` (what ends the program where the variable is not set), where it has them.
    Env,
    /// Groups `name` and `value`, a default that stands without quotes; required where there is none.
    EnvText,
    /// Groups `name` and `value`: a property of Spring, which a variable overrides.
    Property,
    /// Likewise, of a field that is named like its variable in small letters.
    EnvField,
    /// Likewise, but the program ends where the variable is not set and no default stands there.
    EnvOrFail,
    /// Groups `port` (a number, an address `host:port` or a name that is looked up in the file) and `host`.
    Listen,
    /// Like [`Says::Listen`], for gRPC.
    ListenGrpc,
    /// Group `path`: a GET route of the program.
    Route,
    /// A route of something that is mounted below a path which stands elsewhere.
    MountedRoute,
    /// Groups `host` and, where it has one, `port`: somebody else's address.
    Host,
    /// Group `package`: the program uses a library of that language.
    Package(&'static str),
    /// Group `name`: a configuration key `A:B`, which the variable `A__B` overrides; and `default`.
    ConfigKey,
    /// Group `name`: a connection string of .NET's configuration; the program fails without it.
    ConnectionString,
    /// Group `host`: another service by its name in a registry.
    Discovery,
    /// The gRPC health service.
    GrpcHealth,
    /// Group `dialect`: the kind of database that a library is told to speak.
    Dialect,
    /// The service runs this migration tool itself.
    Migrates(&'static str),
    /// A framework.
    Framework(&'static str),
    /// Groups `name`: a function whose argument of the name in group `argument` is a variable's name.
    Wrapper,
}

/// One rule of a language.
#[derive(Debug)]
pub(super) struct Rule {
    /// For the evidence.
    pub name: &'static str,
    /// A line without it cannot match; empty where there is no such text.
    pub needle: &'static str,
    /// Runs over the line and what follows it; the match must begin in the line.
    pub pattern: Pattern,
    /// What it means.
    pub says: Says,
}

/// A language's way to write source files.
#[derive(Debug)]
pub(super) struct Grammar {
    /// Its comments.
    pub comments: Comments,
    /// What any rule needs; lines without it are not looked at.
    pub needles: Pattern,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// The rule's name for addresses in strings.
    pub literal: &'static str,
    /// The rule's name for reads of variables through a function of the program.
    pub wrapper: &'static str,
}

impl Grammar {
    /// A grammar of `(name, needle, pattern, meaning)`, with the needles of the language beside the common ones.
    pub(super) fn new(
        comments: Comments,
        (literal, wrapper): (&'static str, &'static str),
        needles: &str,
        rules: &[(&'static str, &'static str, &str, Says)],
    ) -> Grammar {
        let rules = rules
            .iter()
            .map(|&(name, needle, pattern, says)| Rule { name, needle, pattern: Pattern::new(pattern), says })
            .collect();
        Grammar { comments, needles: Pattern::new(&format!("{COMMON}|{needles}")), rules, literal, wrapper }
    }

    /// Adds everything that the rules, and the strings, of a file say.
    pub(super) fn read(&self, findings: &mut Findings<'_, '_>) {
        let text = findings.source.text;
        let mut wrappers = Vec::new();
        for line in lines(text, &self.needles, self.comments) {
            for rule in &self.rules {
                if holds(line.text, rule.needle) {
                    self.apply(rule, &line, findings, &mut wrappers);
                }
            }
            self.strings(&line, findings);
            self.env_calls(&line, findings);
        }
        for (name, required) in wrappers {
            self.wrapped(&name, required, findings);
        }
    }

    /// Whether all patterns are right.
    #[cfg(test)]
    pub(super) fn is_valid(&self) -> bool {
        self.needles.is_valid() && self.rules.iter().all(|rule| rule.pattern.is_valid())
    }

    fn apply(
        &self,
        rule: &Rule,
        line: &Line<'_>,
        findings: &mut Findings<'_, '_>,
        wrappers: &mut Vec<(String, bool)>,
    ) {
        for found in rule.pattern.all(line.window, line.text.len()) {
            let group = |name: &str| found.name(name).map(|group| group.as_str());
            match rule.says {
                Says::Env | Says::EnvOrFail => {
                    let raw = group("default").or_else(|| group("default2"));
                    let fails = rule.says == Says::EnvOrFail || group("fails").is_some();
                    let required = fails && raw.is_none();
                    let Some(name) = group("name") else { continue };
                    findings.env(
                        line.number,
                        rule.name,
                        Read { name, default: raw.and_then(unquoted), required },
                    );
                }
                Says::EnvText => {
                    let default = group("value");
                    let name = group("name").unwrap_or_default();
                    findings.env(line.number, rule.name, Read { name, default, required: default.is_none() });
                }
                Says::Property => {
                    let name = relaxed::java(group("name").unwrap_or_default(), true);
                    findings.env(
                        line.number,
                        rule.name,
                        Read { name: &name, default: group("value"), required: false },
                    );
                }
                Says::EnvField => {
                    let name = group("name").unwrap_or_default().to_ascii_uppercase();
                    let default = group("default").and_then(unquoted);
                    findings.env(
                        line.number,
                        rule.name,
                        Read { name: &name, default, required: default.is_none() },
                    );
                }
                Says::Listen | Says::ListenGrpc => {
                    let protocol =
                        if rule.says == Says::ListenGrpc { Protocol::Grpc } else { Protocol::Http };
                    listen(findings, line.number, rule.name, (group("port"), group("host")), protocol);
                }
                Says::Route | Says::MountedRoute => {
                    if let Some(path) = group("path") {
                        findings.route(line.number, rule.name, path);
                    }
                }
                Says::Host => {
                    if let Some(host) = group("host") {
                        let port = group("port").and_then(|port| port.parse().ok());
                        findings.host(line.number, rule.name, host, port.or_else(|| near_port(line)));
                    }
                }
                Says::Dialect => {
                    if let Some(dialect) = group("dialect") {
                        findings.dialect(line.number, rule.name, dialect);
                    }
                }
                Says::Package(language) => {
                    if let Some(package) = group("package") {
                        used_package(findings, line.number, rule.name, language, package);
                    }
                }
                Says::ConfigKey => {
                    let name = group("name").unwrap_or_default().replace(':', "__");
                    let default = group("default").and_then(unquoted);
                    findings.env(line.number, rule.name, Read { name: &name, default, required: false });
                }
                Says::ConnectionString => {
                    let name = format!("ConnectionStrings__{}", group("name").unwrap_or_default());
                    findings.env(line.number, rule.name, Read { name: &name, default: None, required: true });
                }
                Says::Discovery => {
                    if let Some(host) = group("host") {
                        findings.literal(line.number, rule.name, &format!("lb://{host}"));
                    }
                }
                Says::GrpcHealth => findings.grpc_health(line.number, rule.name),
                Says::Migrates(tool) => findings.migration(line.number, rule.name, tool, &[]),
                Says::Framework(name) => findings.framework(line.number, rule.name, name),
                Says::Wrapper => {
                    let start = line.window.as_ptr() as usize - findings.source.text.as_ptr() as usize;
                    if let Some(argument) = group("argument")
                        && let Some(wrapper) = enclosing(findings.source.text, start, argument)
                    {
                        wrappers.push(wrapper);
                    }
                }
            }
        }
    }

    /// Addresses in the line's strings, and hosts behind keys such as `host:`.
    fn strings(&self, line: &Line<'_>, findings: &mut Findings<'_, '_>) {
        for text in strings(line.text) {
            if text.starts_with("0.0.0.0:") || text.starts_with("[::]:") {
                if !findings.has_port(line.number, None) {
                    listen(findings, line.number, self.literal, (Some(text), None), Protocol::Http);
                }
            } else if text.contains("://") || (text.len() <= 400 && text.contains([':', '='])) {
                findings.literal(line.number, self.literal, text);
            }
        }
        for found in HOST_KEY.all(line.window, line.text.len()) {
            if let Some(host) = found.name("host").or_else(|| found.name("host2")) {
                findings.host(line.number, self.literal, host.as_str(), near_port(line));
            }
        }
        for found in CONNECT_CALL.all(line.window, line.text.len()) {
            if let Some(host) = found.name("host")
                && findings.source.catalog.by_host(host.as_str()).is_some()
            {
                findings.host(line.number, self.literal, host.as_str(), near_port(line));
            }
        }
        for found in HOST_AND_PORT.all(line.window, line.text.len()) {
            if let (Some(host), Some(port)) = (found.name("host"), found.name("port")) {
                findings.host(line.number, self.literal, host.as_str(), port.as_str().parse().ok());
            }
        }
    }

    /// `getEnv("X", "default")`, whatever the function is called as long as `env` stands in its name.
    fn env_calls(&self, line: &Line<'_>, findings: &mut Findings<'_, '_>) {
        if !line.text.contains("nv") && !line.text.contains("NV") {
            return;
        }
        for found in ENV_CALL.all(line.window, line.text.len()) {
            let (Some(function), Some(name)) = (found.name("function"), found.name("name")) else { continue };
            let lower = function.as_str().to_ascii_lowercase();
            if ["set", "put", "clear", "delete", "with", "patch", "remove", "mock", "parse"]
                .iter()
                .any(|verb| lower.contains(verb))
            {
                continue;
            }
            if findings.has_env(line.number, name.as_str()) {
                continue;
            }
            let default = found.name("default").and_then(|default| unquoted(default.as_str()));
            let required = lower.contains("must") || lower.contains("require");
            findings.env(line.number, self.wrapper, Read { name: name.as_str(), default, required });
        }
    }

    /// Calls of a function of this file that reads a variable.
    fn wrapped(&self, function: &str, required: bool, findings: &mut Findings<'_, '_>) {
        let text = findings.source.text;
        let mut from = 0;
        while let Some(at) = text[from..].find(function) {
            let start = from + at;
            from = start + function.len();
            let Some(call) = WRAPPED.first(window_of(&text[from..])) else { continue };
            if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
            let commented =
                super::scan::uncommented(&text[line_start..start], self.comments).len() < start - line_start;
            if let Some(name) = call.name("name")
                && !commented
            {
                let default = call.name("default").and_then(|default| unquoted(default.as_str()));
                let number = newlines(&text[..start]) + 1;
                findings.env(number, self.wrapper, Read { name: name.as_str(), default, required });
            }
        }
    }
}

/// What every language's files are searched for.
const COMMON: &str = concat!(
    r#"://|:\d{2,5}["'`/,)]|(?i:server|host|source)\s*=\s*[\w{$.]+[; ]|["']\s*,\s*\d{3,5}\b"#,
    r#"|(?i:host|hostname|host_name|server|servers|addr|address|broker|brokers|endpoint|upstream|url|uri)["'\])]*\s*(?::|=>|=|,)\s*\[?["']"#,
    r#"|(?i:env)\w*\s*[(<]"#,
    r#"|(?i:connect|dial|redis|rabbit|mongo|kafka)\w*\(\s*["']"#,
    r#"|(?i:health|/ready|/live|/ping|/status|/up\b)"#
);

static HOST_KEY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?i)(?:host|hostname|host_name|server|servers|addr|address|brokers?|bootstrap[._]?servers|endpoint|upstream|sethost|contactpoints?)["'\])]*\s*(?::|=>|=|\()\s*[\[{]?\s*(?:"(?P<host>[a-z][\w.-]*(?::\d{2,5})?)"|'(?P<host2>[a-z][\w.-]*(?::\d{2,5})?)')"#,
    )
});
static HOST_AND_PORT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"[(,=]\s*["'](?P<host>[a-z][\w-]*)["']\s*,\s*["']?(?P<port>\d{3,5})["']?\s*[,)]"#)
});
/// A call that connects to something, by a name that means a kind of infrastructure.
static CONNECT_CALL: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b\w*(?i:connect|connection|dial|redis|rabbit|mongo|kafka)\w*\(\s*["'](?P<host>[a-z][a-z0-9-]*)["']\s*[,)]"#,
    )
});
static NEAR_PORT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"(?i)port["'\])]*\s*(?::|=>|=|,|\()\s*["']?(?P<port>\d{3,5})\b"#));
static ENV_CALL: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?P<function>[\w.:]*(?i:env)\w*)!?\s*(?:<[\w\s|]+>)?\(\s*(?:&?[\w.]+\s*,\s*)?["'](?P<name><KEY>)["']\s*(?:,\s*(?:default\s*=\s*|defaultValue\s*=\s*)?(?P<default><lit>))?"#,
    )
});
static WRAPPED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"^\s*(?:<[\w\s|]+>)?\(\s*["'`](?P<name><KEY>)["'`]\s*(?:,\s*(?:default\s*=\s*)?(?P<default><lit>))?"#,
    )
});
static FUNCTION: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"(?:\b(?:function|def|fn|func|fun|sub|defp|static|public|private|String|string|int)\s+(?P<name>\w+)(?:<[^>()]*>)?|\b(?:const|let|var)\s+(?P<name2>\w+)\s*=\s*(?:async\s*)?)\s*\((?P<parameters>[^)]*)\)",
    )
});

/// A library by the path under which it is imported: the longest beginning that the catalogue knows.
fn used_package(
    findings: &mut Findings<'_, '_>,
    line: u32,
    rule: &'static str,
    language: &str,
    package: &str,
) {
    let mut path = package;
    loop {
        if findings.package(line, rule, language, (path, &[]), false) {
            return;
        }
        match path.rsplit_once('/') {
            Some((shorter, _)) if shorter.contains('/') || path.starts_with('@') => path = shorter,
            _ => return,
        }
    }
}

/// The function around byte `at` whose parameter `argument` is, and whether its body ends the program.
fn enclosing(text: &str, at: usize, argument: &str) -> Option<(String, bool)> {
    let mut from = at.saturating_sub(1500);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = at + text[at..].find('\n').unwrap_or(text.len() - at);
    let found = FUNCTION.all(&text[from..end], usize::MAX).last()?;
    let parameters = found.name("parameters")?.as_str();
    let is_one =
        parameters.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == argument);
    let name = found.name("name").or_else(|| found.name("name2"))?;
    let body = window_of(&text[from + name.start()..]);
    let required = ["throw ", "panic", "exit", "fail", "raise ", "fatal", "Fatal", "expect("]
        .iter()
        .any(|end| body.contains(end));
    is_one.then(|| (name.as_str().to_owned(), required))
}

fn window_of(text: &str) -> &str {
    cut(text, 800)
}

/// At most `length` bytes.
fn cut(text: &str, length: usize) -> &str {
    let mut end = text.len().min(length);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A port beside a host: `host: 'db', port: 3306`, on the same or one of the next lines.
fn near_port(line: &Line<'_>) -> Option<u16> {
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
    protocol: Protocol,
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
        if is_address {
            if let Some(address) = address {
                findings.listens(line, rule, address);
            }
            findings.port_as(line, rule, number, PortSource::Listen, (None, protocol, Purpose::Main));
        }
        return;
    }
    if let Some(address) = address {
        findings.listens(line, rule, address);
    }
    if let Some((at, number)) = findings.number_of(number, value_of) {
        findings.port_as(at, rule, number, PortSource::Listen, (None, protocol, Purpose::Main));
    }
}

/// The port that a name stands for in this file: the first number on a line that gives it a value.
fn value_of(text: &str, name: &str) -> Option<(u32, u16)> {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = name.rsplit(['.', ':']).next()?;
    if name.is_empty() || name.len() > 60 || name.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut from = 0;
    while let Some(at) = text[from..].find(name) {
        let start = from + at;
        from = start + name.len();
        let end = text[from..].find('\n').map_or(text.len(), |end| from + end);
        let rest = cut(&text[from..end], 200);
        if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        if let Some(found) = ASSIGNED.first(rest)
            && let Some(port) = found.name("port")
        {
            return Some((newlines(&text[..start]) + 1, port.as_str().replace('_', "").parse().ok()?));
        }
    }
    None
}

static ASSIGNED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"^["']?\s*(?::\s*[\w<>| ]+)?(?:\s\w+)?\s*(?::=|=|:)\s*["']?:?(?:[^=>\n].*?[^\w.])??(?P<port>\d[\d_]{1,5})\b"#,
    )
});

/// Whether a file is a test, a fixture or a machine's work, and says nothing about how the service runs.
pub(super) fn is_noise(path: &RepoPath) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "__tests__",
        "spec",
        "specs",
        "e2e",
        "testdata",
        "fixtures",
        "__mocks__",
        "mocks",
        "cypress",
        "dist",
        "third_party",
        "testing",
        "integration-tests",
        "integration_tests",
        "androidTest",
        ".storybook",
        "benches",
    ];
    let name = path.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    path.parts()
        .rev()
        .skip(1)
        .any(|part| FOLDERS.contains(&part) || part.ends_with(".Tests") || part.ends_with(".Test"))
        || [
            "_test",
            "_tests",
            ".test",
            ".spec",
            "_spec",
            "Test",
            "Tests",
            "IT",
            ".min",
            ".bundle",
            ".d",
            ".stories",
            "-test",
            ".pb",
            "_pb2",
            ".generated",
            ".designer",
        ]
        .iter()
        .any(|end| stem.ends_with(end) && stem.len() > end.len())
        || stem.starts_with("test_")
        || stem == "conftest"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_patterns_are_valid() {
        for pattern in
            [&CONNECT_CALL, &HOST_KEY, &HOST_AND_PORT, &NEAR_PORT, &ENV_CALL, &WRAPPED, &FUNCTION, &ASSIGNED]
        {
            assert!(pattern.is_valid());
        }
        assert!(Pattern::new(COMMON).is_valid());
    }

    #[test]
    fn tests_and_bundles_are_noise() {
        for (path, wanted) in [
            ("a/tests/x.py", true),
            ("a/main_test.go", true),
            ("a/app.spec.ts", true),
            ("a/src/test/java/X.java", true),
            ("a/UserTest.java", true),
            ("a/jquery.min.js", true),
            ("tests-service/app.js", false),
            ("a/test.go", false),
            ("a/latest.go", false),
        ] {
            assert_eq!(is_noise(&RepoPath::new(path).expect("inside")), wanted, "{path}");
        }
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
            assert_eq!(
                value_of(text, if text.contains("PORT:") { "PORT" } else { "port" }),
                Some((1, 3001)),
                "{text}"
            );
        }
        assert_eq!(value_of("if (port === 3001)", "port"), None);
    }
}
