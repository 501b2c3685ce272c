//! What all languages share: rules as patterns with named groups, and the facts that a match means.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, HEALTH_WORDS, Read, may_hold_health_path};
use crate::discover::relaxed;
use crate::model::fact::Protocol;

use super::listen::{listen, near_port};
use super::mounted::{self, Below};
use super::needles::{Asked, Needles, Set, alternatives};
use super::otherwise::{Otherwise, otherwise};
use super::scan::{
    Comments, Line, Pattern, before_strings, holds, lines, newlines, strings, uncommented, unquoted,
    window_of,
};

/// What a match of a rule's pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Groups `name`, `default` and `fails` (what ends the program where the variable is not set), where it has them.
    Env,
    /// Groups `name` and `value`, a default that stands without quotes; required where there is none.
    EnvText,
    /// Groups `name` and `value`: a property of Spring, which a variable overrides.
    Property,
    /// Likewise, of MicroProfile and Micronaut, where dashes are underscores.
    PropertyOfMicroProfile,
    /// Likewise, of a field that is named like its variable in small letters.
    EnvField,
    /// Likewise, but the program ends where the variable is not set and no default stands there.
    EnvOrFail,
    /// Groups `port` (a number, an address `host:port` or a name that is looked up in the file), `host` and, where one
    /// moves the port, `variable`.
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
    /// Group `name`: a configuration key `A:B`, which the variable `A__B` overrides; `default` and `fails`.
    ConfigKey,
    /// Group `name`: a connection string of .NET's configuration; the program fails without it.
    ConnectionString,
    /// Likewise, of a client of the kind of infrastructure in group `dialect`.
    Client,
    /// The framework reads that variable.
    Variable(&'static str),
    /// Group `host`: another service by its name in a registry.
    Discovery,
    /// The gRPC health service.
    GrpcHealth,
    /// Group `dialect`: the kind of database that a library is told to speak.
    Dialect,
    /// Group `database`: the name of a database that the code opens; group `dialect`, where it has one: of which kind.
    Database,
    /// Group `database`: likewise, of that kind.
    DatabaseOf(&'static str),
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
    /// A line without one of these texts, between which `|` stands, cannot match; empty where there are no such texts.
    pub needle: &'static str,
    /// Its bit among those of the grammar.
    asks: Set,
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
    /// The needles of the rules, and what stands in every line in which the common patterns match.
    there: Needles,
    common: Common,
    /// The rule's name for addresses in strings.
    pub literal: &'static str,
    /// The rule's name for reads of variables through a function of the program.
    pub wrapper: &'static str,
    /// Functions with `env` in their names that are read with all their arguments elsewhere.
    pub read_elsewhere: &'static [&'static str],
    /// Below which path a route stands.
    below: Below,
}

impl Grammar {
    /// A grammar of `(name, needle, pattern, meaning)`, with the needles of the language beside the common ones: in
    /// them, `<health>` is what the path of a health check holds, and `<route>` what stands behind the bracket of a call
    /// with such a path.
    pub(super) fn new(
        comments: Comments,
        (literal, wrapper): (&'static str, &'static str),
        needles: &str,
        rules: &[(&'static str, &'static str, &str, Says)],
    ) -> Grammar {
        let mut asked = Asked::default();
        let common = Common::of(&mut asked);
        let rules = rules
            .iter()
            .map(|&(name, needle, pattern, says)| {
                let asks = asked.exact(needle);
                Rule { name, needle, asks, pattern: Pattern::new(pattern), says }
            })
            .collect();
        let health = format!("(?i:{})", HEALTH_WORDS.join("|"));
        let needles = needles.replace("<route>", ROUTE).replace("<health>", &health);
        let needles = Pattern::new(&format!("{COMMON}|{needles}"));
        let there = asked.needles();
        Grammar {
            comments,
            needles,
            rules,
            there,
            common,
            literal,
            wrapper,
            read_elsewhere: &[],
            below: mounted::nowhere,
        }
    }

    /// The same of a language whose routes stand below others.
    pub(super) fn below(self, below: Below) -> Grammar {
        Grammar { below, ..self }
    }

    /// Adds everything that the rules, and the strings, of a file say.
    pub(super) fn read(&self, findings: &mut Findings<'_, '_>) {
        let text = findings.source.text;
        let mut wrappers = Vec::new();
        for line in lines(text, &self.needles, self.comments) {
            let there = self.there.in_line(line.text);
            for rule in &self.rules {
                if there & rule.asks == rule.asks {
                    self.apply(rule, &line, findings, &mut wrappers);
                }
            }
            self.strings(&line, there, findings);
            if there & self.common.env != 0 {
                self.env_calls(&line, findings);
            }
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
        let mut from = 0;
        while let Some(whole) = rule.pattern.next(line.window, from, line.text.len()) {
            let (start, end) = (whole.start(), whole.end().max(from + 1));
            let text = whole.as_str();
            let rest = line.text.get(end..).unwrap_or_default();
            let may_match_again = alternatives(rule.needle).any(|text| holds(rest, text));
            from = if may_match_again { end } else { line.text.len() };
            // Most routes of a program are no health check: they need not be taken apart.
            if matches!(rule.says, Says::Route | Says::MountedRoute)
                && !may_hold_health_path(from_quote(text))
            {
                continue;
            }
            let Some(found) = rule.pattern.groups(line.window, start) else { continue };
            let group = |name: &str| found.name(name).map(|group| group.as_str());
            match rule.says {
                Says::Env | Says::EnvOrFail => {
                    let raw = group("default").or_else(|| group("default2"));
                    let fails = rule.says == Says::EnvOrFail || group("fails").is_some();
                    let Some(name) = group("name") else { continue };
                    let behind = if raw.is_none() && !fails { otherwise(line, start, end) } else { None };
                    let default = match behind {
                        Some(Otherwise::Default(default)) => Some(default),
                        _ => raw.and_then(unquoted),
                    };
                    let required = raw.is_none() && (fails || behind == Some(Otherwise::Fails));
                    findings.env(line.number, rule.name, Read { name, default, required });
                }
                Says::EnvText => {
                    let default = group("value");
                    let name = group("name").unwrap_or_default();
                    findings.env(line.number, rule.name, Read { name, default, required: default.is_none() });
                }
                Says::Property | Says::PropertyOfMicroProfile => {
                    let spring = rule.says == Says::Property;
                    let name = relaxed::java(group("name").unwrap_or_default(), spring);
                    findings.env(
                        line.number,
                        rule.name,
                        Read { name: &name, default: group("value"), required: false },
                    );
                }
                Says::EnvField => {
                    let name = group("name").unwrap_or_default().to_ascii_uppercase();
                    let default = group("default").or_else(|| group("default2")).and_then(unquoted);
                    findings.env(
                        line.number,
                        rule.name,
                        Read { name: &name, default, required: default.is_none() },
                    );
                }
                Says::Listen | Says::ListenGrpc => {
                    let protocol =
                        if rule.says == Says::ListenGrpc { Protocol::Grpc } else { Protocol::Http };
                    let (how, at) = ((protocol, group("variable")), (group("port"), group("host")));
                    listen(findings, line.number, rule.name, at, how);
                }
                Says::Route | Says::MountedRoute => {
                    let at = line.window.as_ptr() as usize - findings.source.text.as_ptr() as usize + start;
                    if let Some(path) = group("path")
                        && let Some(below) = (self.below)(findings.source, at)
                    {
                        findings.route(line.number, rule.name, &mounted::joined(&below, path));
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
                Says::Database => {
                    if let Some(name) = group("database") {
                        findings.database(line.number, rule.name, name, group("dialect"));
                    }
                }
                Says::DatabaseOf(kind) => {
                    if let Some(name) = group("database") {
                        findings.database(line.number, rule.name, name, Some(kind));
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
                    let required = group("fails").is_some();
                    findings.env(line.number, rule.name, Read { name: &name, default, required });
                }
                Says::ConnectionString | Says::Client => {
                    if let Some(dialect) = group("dialect") {
                        findings.dialect(line.number, rule.name, dialect);
                    }
                    let name = format!("ConnectionStrings__{}", group("name").unwrap_or_default());
                    findings.env(line.number, rule.name, Read { name: &name, default: None, required: true });
                }
                Says::Variable(name) => {
                    findings.env(line.number, rule.name, Read { name, ..Read::default() });
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
                        && wrappers.len() < MAX_WRAPPERS
                        && let Some(wrapper) = enclosing(findings.source.text, start, argument)
                        && !wrappers.contains(&wrapper)
                    {
                        wrappers.push(wrapper);
                    }
                }
            }
        }
    }

    /// Addresses in the line's strings, and hosts behind keys such as `host:`.
    fn strings(&self, line: &Line<'_>, there: Set, findings: &mut Findings<'_, '_>) {
        for text in strings(line.text) {
            if text.starts_with("0.0.0.0:") || text.starts_with("[::]:") {
                if !findings.has_port(line.number, None) {
                    let how = (Protocol::Http, None);
                    listen(findings, line.number, self.literal, (Some(text), None), how);
                }
            } else if (text.len() <= 400 && memchr::memchr2(b':', b'=', text.as_bytes()).is_some())
                || holds(text, "://")
            {
                findings.literal(line.number, self.literal, text);
            }
        }
        if there & self.common.host != 0 {
            for found in HOST_KEY.all(line.window, line.text.len()) {
                if let Some(host) = found.name("host").or_else(|| found.name("host2")) {
                    findings.host(line.number, self.literal, host.as_str(), near_port(line));
                }
            }
        }
        if there & self.common.connect != 0 {
            for found in CONNECT_CALL.all(line.window, line.text.len()) {
                // The name of a connection string is a key of the configuration.
                let is_key = found.get(0).is_some_and(|call| call.as_str().contains("ConnectionString"));
                if let Some(host) = found.name("host").filter(|_| !is_key)
                    && findings.source.catalog.by_host(host.as_str()).is_some()
                {
                    findings.host(line.number, self.literal, host.as_str(), near_port(line));
                }
            }
        }
        let mut done = 0;
        for at in before_strings(line) {
            if at >= done
                && let Some(found) = HOST_AND_PORT.first(&line.window[at..])
                && let (Some(host), Some(port)) = (found.name("host"), found.name("port"))
            {
                findings.host(line.number, self.literal, host.as_str(), port.as_str().parse().ok());
                done = at + found.get(0).map_or(0, |whole| whole.end());
            }
        }
    }

    /// `getEnv("X", "default")`, whatever the function is called as long as `env` stands in its name.
    fn env_calls(&self, line: &Line<'_>, findings: &mut Findings<'_, '_>) {
        for found in ENV_CALL.all(line.window, line.text.len()) {
            let (Some(function), Some(name)) = (found.name("function"), found.name("name")) else { continue };
            let lower = function.as_str().to_ascii_lowercase();
            if ["set", "put", "clear", "delete", "with", "patch", "remove", "mock", "parse", "envvars"]
                .iter()
                .any(|verb| lower.contains(verb))
            {
                continue;
            }
            // `env!("CARGO_PKG_VERSION")` is read while the program is built.
            let is_macro = found.name("macro").is_some();
            if is_macro && matches!(lower.rsplit(':').next(), Some("env" | "option_env")) {
                continue;
            }
            let is_read_elsewhere =
                self.read_elsewhere.contains(&function.as_str().split('.').next().unwrap_or_default());
            if is_read_elsewhere || findings.has_env(line.number, name.as_str()) {
                continue;
            }
            let said = found.name("default");
            // `env!("KEY", "KEY must be set")`: what a macro of Rust says when it fails.
            let message = said.filter(|text| is_macro && text.as_str().contains(' '));
            let said = said.filter(|_| message.is_none());
            let whole = found.get(0).filter(|_| said.is_none());
            let behind = whole.and_then(|whole| otherwise(line, whole.start(), whole.end()));
            let default = match behind {
                Some(Otherwise::Default(default)) => Some(default),
                _ => said.and_then(|default| unquoted(default.as_str())),
            };
            let demands = lower.contains("must") || lower.contains("require");
            let required = demands || message.is_some() || behind == Some(Otherwise::Fails);
            findings.env(line.number, self.wrapper, Read { name: name.as_str(), default, required });
        }
    }

    /// Calls of a function of this file that reads a variable.
    fn wrapped(&self, function: &str, required: bool, findings: &mut Findings<'_, '_>) {
        let text = findings.source.text;
        let (mut number, mut counted) = (1, 0);
        for (start, _) in text.match_indices(function).take(MAX_CALLS) {
            let Some(call) = WRAPPED.first(window_of(&text[start + function.len()..])) else { continue };
            if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            number += newlines(&text[counted..start]);
            counted = start;
            let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
            let before = &text[line_start..start];
            if uncommented(before, self.comments).len() < before.len() {
                continue;
            }
            if let Some(name) = call.name("name") {
                let default = call.name("default").and_then(|default| unquoted(default.as_str()));
                findings.env(number, self.wrapper, Read { name: name.as_str(), default, required });
            }
        }
    }
}

/// From the first quote on; all of it where there is none.
fn from_quote(call: &str) -> &str {
    memchr::memchr3(b'"', b'\'', b'`', call.as_bytes()).map_or(call, |at| &call[at..])
}

/// What must stand in a line in which one of the patterns that all languages share matches.
#[derive(Debug, Clone, Copy)]
struct Common {
    /// For [`HOST_KEY`].
    host: Set,
    /// For [`CONNECT_CALL`].
    connect: Set,
    /// For [`ENV_CALL`].
    env: Set,
}

impl Common {
    fn of(asked: &mut Asked) -> Common {
        Common {
            host: asked.any_case(&[
                "host",
                "server",
                "addr",
                "broker",
                "endpoint",
                "upstream",
                "contactpoint",
            ]),
            connect: asked.any_case(&["connect", "dial", "redis", "rabbit", "mongo", "kafka"]),
            env: asked.any_case(&["env"]),
        }
    }
}

/// More functions that read variables, and more calls of one, are no program that a person wrote.
const MAX_WRAPPERS: usize = 8;
const MAX_CALLS: usize = 5000;

/// A path that may be a health check's, or none before the end of the line: most routes of a program are nobody's
/// business.
const ROUTE: &str = r#"[^"'`\n)]*(?:\n|["'`][^"'`\n]*<health>)"#;

/// What every language's files are searched for.
const COMMON: &str = concat!(
    r#"://|:\d{2,5}["'`/,)]|(?i:server|host|source)\s*=\s*[\w{$.]+[; ]|["']\s*,\s*\d{3,5}\b"#,
    r#"|(?i:host|hostname|host_name|server|servers|addr|address|broker|brokers|endpoint|upstream|url|uri)["'\])]*\s*(?::|=>|=|,)\s*\[?["']"#,
    r#"|(?i:env)\w*!?\s*[(<]"#,
    r#"|(?i:connect|dial|redis|rabbit|mongo|kafka)\w*\(\s*["']"#,
    r#"|(?i:health|/ready|/live|/ping|/status|/up\b)"#
);

static HOST_KEY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?i)(?:host|hostname|host_name|server|servers|addr|address|brokers?|bootstrap[._]?servers|endpoint|upstream|sethost|contactpoints?)["'\])]*\s*(?::|=>|=|\()\s*[\[{]?\s*(?:"(?P<host>[a-z][\w.-]*(?::\d{2,5})?)"|'(?P<host2>[a-z][\w.-]*(?::\d{2,5})?)')"#,
    )
});
static HOST_AND_PORT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"^[(,=]\s*["'](?P<host>[a-z][\w-]*)["']\s*,\s*["']?(?P<port>\d{3,5})["']?\s*[,)]"#)
});
/// A call that connects to something, by a name that means a kind of infrastructure.
static CONNECT_CALL: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b\w*(?i:connect|connection|dial|redis|rabbit|mongo|kafka)\w*\(\s*["'](?P<host>[a-z][a-z0-9-]*)["']\s*[,)]"#,
    )
});
static ENV_CALL: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?P<function>[\w.:]*(?i:env)\w*)(?P<macro>!)?\s*(?:<[\w\s|]+>|\[\w+\])?\(\s*(?:&?[\w.]+\s*,\s*)?["'](?P<name><KEY>)["']\s*(?:,\s*(?:default\s*=\s*|defaultValue\s*=\s*)?(?P<default><lit>))?"#,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_patterns_are_valid() {
        for pattern in [&CONNECT_CALL, &HOST_KEY, &HOST_AND_PORT, &ENV_CALL, &WRAPPED, &FUNCTION] {
            assert!(pattern.is_valid());
        }
        assert!(Pattern::new(COMMON).is_valid());
    }
}
