//! Rust: what the source, `Cargo.toml` and `Rocket.toml` say.

use std::borrow::Cow;
use std::sync::LazyLock;

use toml::{Table, Value};

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, PortSource};
use crate::model::path::RepoPath;

use super::mounted;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::rust_env;
use super::scan::{Comments, Words, cut, find, line_at, line_of, newlines};

/// Source files.
pub const SOURCE: Detector =
    Detector { name: "rust", extensions: &["rs"], wants: wants_source, read: read_source };
/// `Cargo.toml`, `Rocket.toml`, `diesel.toml`.
pub const MANIFEST: Detector =
    Detector { name: "rust-manifest", extensions: &["toml"], wants: wants_manifest, read: read_manifest };

/// Crate, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("axum", "axum", None),
    ("actix-web", "actix-web", None),
    ("rocket", "rocket", Some(8000)),
    ("warp", "warp", None),
    ("tonic", "tonic", None),
    ("poem", "poem", None),
    ("salvo", "salvo", None),
    ("tide", "tide", None),
    ("hyper", "hyper", None),
    ("async-graphql", "async-graphql", None),
    ("apalis", "apalis", None),
];

fn wants_source(path: &RepoPath) -> bool {
    path.extension() == "rs" && !is_noise(path) && path.name() != "build.rs"
}

fn wants_manifest(path: &RepoPath) -> bool {
    matches!(path.name(), "Cargo.toml" | "Rocket.toml" | "diesel.toml")
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Slash,
        ("rust-literal", "rust-env-call"),
        r#"env::var|\bvar(?:_os)?\(|env\s*[=,)]|from\s*=\s*"|bind\(\s*&?(?:\(|"[^"\n]*:|[\w.]*(?i:addr|port|listen|socket))|SocketAddr|\.run\(|\.serve\(|(?:\.route|#\[get|\.at|path!?|resource)\(<route>|0\.0\.0\.0|\b(?:Pg|MySql|Sqlite)(?:Pool|Connection)|diesel::(?:pg|mysql)|migrat|Migrat|tonic_health"#,
        &[
            (
                "rust-env",
                "var",
                r#"\b(?:env|dotenvy|dotenv|std::env)::var(?:_os)?\(\s*"(?P<name><key>)"\s*,?\s*\)(?:\s*\.(?:ok|map|and_then|as_deref|filter|parse)\([^;{}]*?\))*?(?:\s*\.unwrap_or(?:_else)?\(\s*(?:\|[^|\n]*\|\s*)?\{?\s*(?:String::from\(\s*|format!\(\s*)?&?(?P<default><lit>)|(?P<fails>\s*(?:\?|\.expect\(|\.unwrap\(\)|\.context\(|\.with_context\(|\.map_err\()))?"#,
                Says::Env,
            ),
            (
                "rust-env",
                "var(",
                r#"[^:\w.]var\(\s*"(?P<name><KEY>)"\s*\)(?:\s*\.unwrap_or(?:_else)?\(\s*(?:\|[^|\n]*\|\s*)?&?(?P<default><lit>)|(?P<fails>\s*(?:\?|\.expect\(|\.unwrap\(\))))?"#,
                Says::Env,
            ),
            ("rust-env-function", "var", r"\benv::var(?:_os)?\(\s*&?(?P<argument><key>)\s*\)", Says::Wrapper),
            (
                "rust-clap-env",
                "env",
                r#"#\[(?:arg|clap|structopt|envconfig|envar|config)\([^\]]*?(?:\bdefault(?:_value)?(?:_t)?\s*=\s*(?P<default2><lit>)\s*,[^\]]*?)?\benv\s*=\s*"(?P<name><key>)"(?:[^\]]*?\bdefault(?:_value)?(?:_t)?\s*=\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "rust-clap-env",
                "env",
                r#"#\[(?:arg|clap|structopt)\((?:[^\]"]|"[^"]*")*?(?:\bdefault_value(?:_t)?\s*=\s*(?P<default2><lit>)\s*,[^\]]*?)?\benv\b\s*(?:,[^\]]*?(?:default_value(?:_t)?\s*=\s*(?P<default><lit>)[^\]]*?)?)?\)\]\s*(?:pub(?:\([a-z]+\))?\s+)?(?P<name>[a-z]\w*)\s*:"#,
                Says::EnvField,
            ),
            (
                "rust-envconfig",
                "from",
                r#"#\[envconfig\(\s*from\s*=\s*"(?P<name><key>)"(?:\s*,\s*default\s*=\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            // A statement of SQL binds its parameters by the same word.
            (
                "rust-listen",
                "bind(",
                r#"\bbind\(\s*&?(?P<port>"[^"\n]*:[^"\n]*"|[\w.]*(?i:addr|port|listen|socket)[\w.]*)"#,
                Says::Listen,
            ),
            (
                "rust-listen",
                "bind(",
                r#"\bbind\(\s*&?\(\s*(?P<host>"[^"\n]*")\s*,\s*(?P<port>[\w.]+)"#,
                Says::Listen,
            ),
            ("rust-listen", "format!", r#"format!\(\s*(?P<port>"0\.0\.0\.0:\{\w*\}")"#, Says::Listen),
            (
                "rust-listen",
                "format!",
                r#"format!\(\s*"(?P<host>0\.0\.0\.0):\{\}"\s*,\s*(?P<port>[\w.]+)"#,
                Says::Listen,
            ),
            (
                "rust-listen",
                "0",
                r"\(?\[\s*(?P<host>0\s*,\s*0\s*,\s*0\s*,\s*0|127\s*,\s*0\s*,\s*0\s*,\s*1)\s*\]\s*,\s*(?P<port>[\w.]+)\s*\)",
                Says::Listen,
            ),
            (
                "rust-listen",
                "Ipv4Addr::",
                r"Ipv4Addr::(?:UNSPECIFIED|LOCALHOST)(?:\.into\(\))?\)?\s*,\s*(?P<port>[\w.]+)\s*\)",
                Says::Listen,
            ),
            ("rust-grpc-listen", "parse()", r#"(?P<port>"\[::1?\]:\d{2,5}")\s*\.parse\("#, Says::ListenGrpc),
            (
                "rust-route",
                ".route(|.at(|web::resource(|.service_at(",
                r#"(?:\.route|\.at|web::resource|\.service_at)\(\s*"(?P<path>/[^"\n]*)""#,
                Says::Route,
            ),
            ("rust-route", "#[get(", r#"#\[get\(\s*"(?P<path>/[^"\n]*)""#, Says::Route),
            ("rust-route", "path", r#"\bpath!?\(\s*"(?P<path>[^"\n/]*)"\s*\)"#, Says::Route),
            ("rust-sql-driver", "Pg", r"\b(?P<dialect>Pg)(?:Pool|Connection)(?:Options)?\b", Says::Dialect),
            (
                "rust-sql-driver",
                "MySql",
                r"\b(?P<dialect>MySql)(?:Pool|Connection)(?:Options)?\b",
                Says::Dialect,
            ),
            ("rust-sql-driver", "diesel::", r"\bdiesel::(?P<dialect>pg|mysql)\b", Says::Dialect),
            ("rust-grpc-health", "tonic_health", r"\btonic_health\b", Says::GrpcHealth),
            ("rust-self-migration", "sqlx::migrate!", r"\bsqlx::migrate!", Says::Migrates("sqlx")),
            (
                "rust-self-migration",
                "migrat",
                r"\brun_pending_migrations\b|\bembed_migrations!",
                Says::Migrates("diesel"),
            ),
            ("rust-self-migration", "Migrator", r"\bMigrator::up\(", Says::Migrates("sea-orm")),
        ],
    )
    .below(mounted::rust)
});

/// The text without the modules of the file's own tests, whatever other attributes those have; each line keeps its number.
fn without_tests(text: &str) -> Cow<'_, str> {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut taken, mut from) = (String::new(), 0, 0);
    while let Some(found) = find(&text[from..], MARK) {
        let (start, after) = (from + found, from + found + MARK.len());
        from = after;
        if !is_module(&text[after..]) {
            continue;
        }
        // As `rustfmt` leaves it, the first bracket at the margin closes it.
        let end = find(&text[after..], "\n}").map_or(text.len(), |end| after + end + 2);
        if kept.is_empty() && text[end..].trim().is_empty() {
            return Cow::Borrowed(&text[..start]);
        }
        kept.push_str(&text[taken..start]);
        kept.extend(std::iter::repeat_n('\n', newlines(&text[start..end]) as usize));
        (taken, from) = (end, end);
    }
    if taken == 0 { Cow::Borrowed(text) } else { Cow::Owned(kept + &text[taken..]) }
}

/// Whether an attribute is a module's that stands in the file itself, behind other attributes perhaps.
fn is_module(behind: &str) -> bool {
    /// Bytes of other attributes between the mark and the module.
    const MAX_ATTRIBUTES: usize = 1000;
    let mut lines = cut(behind, MAX_ATTRIBUTES).lines().map(str::trim).skip(1);
    let first = lines.find(|line| !line.starts_with("#["));
    first.is_some_and(|line| {
        (line.starts_with("mod ") || line.starts_with("pub mod ")) && !line.ends_with(';')
    })
}

/// What sets the log's level by a variable.
static LOGGERS: Words = Words::new(&["EnvFilter::", "env_logger::"]);

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = without_tests(source.text);
    let source = Source { text: &text, ..*source };
    let mut findings = Findings::new(&source, facts);
    GRAMMAR.read(&mut findings);
    rust_env::read(&mut findings);
    if LOGGERS.any(source.text)
        && let Some(at) = find(source.text, "EnvFilter::").or_else(|| find(source.text, "env_logger::"))
    {
        findings.env(line_at(source.text, at), "rust-log", Read { name: "RUST_LOG", ..Read::default() });
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    if source.path.name() == "diesel.toml" {
        findings.migration(1, "diesel-toml", "diesel", &["diesel", "migration", "run"]);
        return;
    }
    let Ok(manifest) = source.text.parse::<Table>() else { return };
    if source.path.name() == "Rocket.toml" {
        rocket(&mut findings, &manifest);
        return;
    }
    if let Some(name) =
        manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str)
    {
        findings.alias(line_of(source.text, &format!("\"{name}\"")), "cargo-package-name", name);
    }
    for binary in manifest.get("bin").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = binary.get("name").and_then(Value::as_str) {
            findings.alias(line_of(source.text, &format!("\"{name}\"")), "cargo-bin-name", name);
        }
    }
    dependencies(&mut findings, &manifest);
    for (_, target) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        if let Some(target) = target.as_table() {
            dependencies(&mut findings, target);
        }
    }
}

fn dependencies(findings: &mut Findings<'_, '_>, manifest: &Table) {
    for (section, dev_only) in [("dependencies", false), ("dev-dependencies", true)] {
        for (name, value) in manifest.get(section).and_then(Value::as_table).into_iter().flatten().take(1000)
        {
            dependency(findings, name, value, dev_only);
        }
    }
}

fn dependency(findings: &mut Findings<'_, '_>, name: &str, value: &Value, dev_only: bool) {
    let text = findings.source.text;
    let table = line_of(text, &format!("dependencies.{name}]"));
    let line = if table > 1 { table } else { key_line(text, name) };
    let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
    let features = value.get("features").and_then(Value::as_array).into_iter().flatten();
    let features: Vec<String> = features.filter_map(Value::as_str).map(str::to_owned).collect();
    findings.package(line, "cargo-dependency", "rust", (package, &features), dev_only);
    if dev_only {
        return;
    }
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| *known == package) {
        findings.framework(line, "cargo-framework", framework);
        if let Some(port) = port {
            findings.port(
                line,
                "cargo-framework-port",
                *port,
                PortSource::FrameworkDefault,
                Some("ROCKET_PORT"),
            );
        }
    }
}

/// The line that begins with a key.
fn key_line(text: &str, key: &str) -> u32 {
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '=', '.']))
        })
        .map(|(number, _)| number)
        .next()
        .unwrap_or(1)
}

/// The profile that a release build takes, and the one for all.
fn rocket(findings: &mut Findings<'_, '_>, manifest: &Table) {
    for profile in ["release", "production", "default", "global"] {
        let Some(profile) = manifest.get(profile).and_then(Value::as_table) else { continue };
        let port = profile.get("port").and_then(Value::as_integer).and_then(|port| u16::try_from(port).ok());
        if let Some(port) = port {
            let line = key_line(findings.source.text, "port");
            findings.port(line, "rocket-toml", port, PortSource::FrameworkConfig, Some("ROCKET_PORT"));
        }
        if let Some(address) = profile.get("address").and_then(Value::as_str) {
            findings.listens(key_line(findings.source.text, "address"), "rocket-toml", address);
        }
        for (_, database) in profile.get("databases").and_then(Value::as_table).into_iter().flatten() {
            if let Some(url) = database.get("url").and_then(Value::as_str) {
                findings.references(
                    line_of(findings.source.text, url),
                    "rocket-toml",
                    url,
                    Some("databases.url"),
                );
            }
        }
        break;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/src/main.rs", text)
    }

    #[test]
    fn a_default_may_stand_before_the_variable() {
        for text in [
            "#[clap(default_value = \"5002\", env)]\n    pub stock_port: u16,",
            "#[arg(long, default_value = \"5002\", env = \"STOCK_PORT\")]\n    port: u16,",
        ] {
            assert!(src(text).contains(&"env STOCK_PORT 5002".to_owned()), "{text}: {:?}", src(text));
        }
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid());
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("let x = std::env::var(\"LEVEL\").ok();", "env LEVEL -"),
            ("let x = env::var(\"LEVEL\")?;", "env LEVEL - required"),
            ("let x = get_env!(\n    \"LEVEL\",\n    \"LEVEL must be set\"\n);", "env LEVEL - required"),
            ("let x = env_or!(\"LEVEL\", \"info\");", "env LEVEL info"),
            ("let x = env::var(\"LEVEL\").expect(\"set it\");", "env LEVEL - required"),
            ("let x = env::var(\"LEVEL\").unwrap_or_else(|_| \"info\".to_owned());", "env LEVEL info"),
            ("let x = env::var(\"LEVEL\").unwrap_or(String::from(\"info\"));", "env LEVEL info"),
            ("let x = env::var(\"LEVEL\")\n    .map_err(|_| \"LEVEL is not set\")?;", "env LEVEL - required"),
            ("#[arg(long, env = \"LEVEL\", default_value = \"info\")]", "env LEVEL info"),
            ("#[arg(long, env)]\n    pub level: String,", "env LEVEL - required"),
            ("#[config(env = \"LEVEL\", default = \"info\")]", "env LEVEL info"),
            ("#[envconfig(from = \"LEVEL\", default = \"info\")]", "env LEVEL info"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn variables_of_the_build_are_none_of_the_program() {
        assert_eq!(src("let x = option_env!(\"LEVEL\");\nlet y = env!(\"NAME\", \"not set\");"), [""; 0]);
    }

    #[test]
    fn the_log_level_of_the_usual_libraries_is_a_variable() {
        assert_eq!(src("let l = EnvFilter::from_default_env();"), ["env RUST_LOG -"]);
    }

    #[test]
    fn the_files_own_tests_do_not_count() {
        assert!(src("#[cfg(test)]\nmod tests {\n  env::var(\"X\");\n}").is_empty());
        let more = "#[cfg(test)]\nuse a::b;\n#[cfg(test)]\n#[expect(clippy::unwrap_used)]\nmod test {\n  env::var(\"X\");\n}";
        assert!(src(more).is_empty());
        let module = "#[cfg(test)]\nmod tests {\n  env::var(\"X\");\n}\n";
        for before in ["#[cfg(test)]\nmod tests;\n", module, &module.repeat(3)] {
            let text = format!("{before}\nfn main() {{\n  env::var(\"Y\");\n}}\n");
            let line = text.lines().count() - 1;
            let text = text + module;
            assert_eq!(say(ALL, "a/main.rs", &text), [format!("{line} rust-env env Y -")], "{before}");
        }
    }

    #[test]
    fn ports_are_found() {
        for (text, wanted) in [
            ("TcpListener::bind(\"127.0.0.1:3000\")", &["listens 127.0.0.1", "port 3000 Listen"][..]),
            ("HttpServer::new(f).bind((\"0.0.0.0\", 8080))", &["listens 0.0.0.0", "port 8080 Listen"]),
            ("let a = SocketAddr::from(([0, 0, 0, 0], 3000));", &["port 3000 Listen"]),
            (
                "let port = env::var(\"PORT\").unwrap_or_else(|_| \"3002\".to_owned());\nlet a = format!(\"0.0.0.0:{port}\");",
                &["env PORT 3002", "port 3002 Listen by PORT", "port 3002 Listen", "listens 0.0.0.0"],
            ),
            ("let a = \"[::1]:50051\".parse()?;", &["listens ::1", "port 50051 Listen Grpc"]),
            ("let limit = 100;\nsqlx::query(text).bind(limit).bind(\"open\")", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_routes_and_addresses_are_found() {
        for (text, wanted) in [
            (".route(\"/health\", get(health))", "health Http /health"),
            ("#[get(\"/healthz\")]", "health Http /healthz"),
            (".route(\n    \"/heartbeat\", get(beat))", "health Http /heartbeat"),
            ("warp::path!(\"health\")", "health Http /health"),
            ("client.get(\"http://accounts:3001/users\")", "ref http|accounts|3001|- via -"),
            ("let pool = PgPoolOptions::new()", "driver postgres Pg"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn manifest_names_crates_by_feature() {
        let text = "[package]\nname = \"market\"\n\n[dependencies]\naxum = \"0.8\"\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n\n[dev-dependencies]\nredis = \"1\"\n";
        assert_eq!(
            say(ALL, "a/Cargo.toml", text),
            [
                "2 cargo-package-name alias market",
                "5 cargo-framework framework axum",
                "6 cargo-dependency driver postgres sqlx",
                "9 cargo-dependency driver redis redis dev",
            ]
        );
        assert_eq!(
            what(ALL, "a/Rocket.toml", "[default]\nport = 8001\n"),
            ["port 8001 FrameworkConfig by ROCKET_PORT"]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.rs", "a/Cargo.toml", "a/Rocket.toml"]);
        let started = std::time::Instant::now();
        assert_eq!(without_tests(&"#[cfg(test)]\n".repeat(80_000)).len(), 1_040_000);
        assert_eq!(without_tests(&"#[cfg(test)]".repeat(80_000)).len(), 960_000);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
