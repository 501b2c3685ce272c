//! Elixir: what the source, the configuration and `mix.exs` say.

use std::sync::LazyLock;

use crate::discover::findings::Findings;
use crate::discover::url::is_public;
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, PortSource, What};
use crate::model::path::RepoPath;

use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern};

/// Source and configuration files.
pub const SOURCE: Detector =
    Detector { name: "elixir", extensions: &["ex", "exs"], wants: wants_source, read: read_source };
/// `mix.exs`.
pub const MANIFEST: Detector = Detector {
    name: "elixir-manifest",
    extensions: &["exs"],
    wants: |path| path.name() == "mix.exs",
    read: read_manifest,
};

/// Package, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("phoenix", "phoenix", Some(4000)),
    ("plug_cowboy", "plug", None),
    ("bandit", "bandit", None),
    ("oban", "oban", None),
    ("broadway", "broadway", None),
    ("grpc", "grpc", None),
];

fn wants_source(path: &RepoPath) -> bool {
    matches!(path.extension(), "ex" | "exs")
        && path.name() != "mix.exs"
        && !is_noise(path)
        && !(path.name() == "test.exs" && path.parent().is_some_and(|folder| folder.name() == "config"))
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Hash,
        ("elixir-literal", "elixir-env-call"),
        r#"System\.(?:get_env|fetch_env)|:system,|\bos_env:|\bport:|hostname:|url:|adapter:|\bget\s*\(?\s*"|Migrator"#,
        &[
            (
                "elixir-env",
                "get_env",
                r#"System\.get_env\(\s*"(?P<name><key>)"\s*(?:,\s*(?P<default><lit>))?\s*\)(?:\s*\|\|\s*(?:(?P<default2><lit>)|(?P<fails>raise)))?"#,
                Says::Env,
            ),
            ("elixir-env", "fetch_env!", r#"System\.fetch_env!\(\s*"(?P<name><key>)""#, Says::EnvOrFail),
            ("elixir-env", "fetch_env(", r#"System\.fetch_env\(\s*"(?P<name><key>)""#, Says::Env),
            (
                "elixir-env",
                ":system",
                r#"\{:system,\s*"(?P<name><key>)"(?:\s*,\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            // Libraries for configuration, as Skogsra: `app_env :port, :shop, :port, os_env: "SHOP_PORT", default: 4000`.
            (
                "elixir-env-declared",
                "os_env:",
                r#"\bos_env:\s*"(?P<name><key>)"(?:\s*,\s*(?:type|binding_order|binding_skip|cached|env_overrides|namespace|required):\s*(?:\[[^\]]*\]|[\w.:]+))*(?:\s*,\s*default:\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "elixir-listen",
                "port:",
                r"\b(?:http|options|https?_options):\s*\[[^\]]*?\bport:\s*(?P<port>\d{2,5}|[a-z_]+)",
                Says::Listen,
            ),
            (
                "elixir-listen",
                "port:",
                r"\{\s*(?:Plug\.Cowboy|Bandit)\b[^}]*?\bport:\s*(?P<port>\d{2,5}|[a-z_]+)",
                Says::Listen,
            ),
            ("elixir-route", "get", r#"^\s*get\s*\(?\s*"(?P<path>/[^"\n]*)""#, Says::Route),
            ("elixir-route", "path", r#"request_path:\s*"(?P<path>/[^"\n]*)""#, Says::Route),
            (
                "elixir-adapter",
                "adapter",
                r"\badapter:\s*Ecto\.Adapters\.(?P<dialect>Postgres)\b",
                Says::Dialect,
            ),
            (
                "elixir-adapter",
                "adapter",
                r"\badapter:\s*Ecto\.Adapters\.My(?P<dialect>XQL)\b",
                Says::Dialect,
            ),
            (
                "elixir-self-migration",
                "Migrator",
                r"Ecto\.Migrator\.(?:run|with_repo)|\{Ecto\.Migrator",
                Says::Migrates("ecto"),
            ),
        ],
    )
});

static DEPENDENCY: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\{\s*:(?P<package>[a-z_0-9]+)\s*,(?P<rest>[^}\n]*)\}"));
static APP: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"^\s*app:\s*:(?P<name>[a-z_0-9]+)"));

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let before = facts.len();
    GRAMMAR.read(&mut Findings::new(source, facts));
    // What a developer's configuration calls on the internet is no part of the system; releases do not read it.
    if source.path.name() == "dev.exs" && source.path.parent().is_some_and(|folder| folder.name() == "config")
    {
        let is_outside =
            |fact: &Fact| matches!(&fact.what, What::Reference(reference) if is_public(&reference.host));
        let own: Vec<Fact> = facts.drain(before..).filter(|fact| !is_outside(fact)).collect();
        facts.extend(own);
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    for (number, line) in (1..).zip(source.text.lines()).filter(|(_, line)| line.len() < 500) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(name) = APP.first(line).and_then(|found| found.name("name")) {
            findings.alias(number, "mix-app", name.as_str());
        }
        for found in DEPENDENCY.all(line, usize::MAX) {
            let (Some(package), Some(rest)) = (found.name("package"), found.name("rest")) else { continue };
            let rest = rest.as_str();
            let dev_only = rest.contains("only:") && !rest.contains(":prod");
            findings.package(number, "mix-dependency", "elixir", (package.as_str(), &[]), dev_only);
            if let Some((_, framework, port)) =
                FRAMEWORKS.iter().find(|(known, ..)| *known == package.as_str() && !dev_only)
            {
                findings.framework(number, "elixir-framework", framework);
                if let Some(port) = port {
                    findings.port(
                        number,
                        "elixir-framework-port",
                        *port,
                        PortSource::FrameworkDefault,
                        Some("PORT"),
                    );
                }
            }
            if package.as_str() == "ecto_sql" && !dev_only {
                findings.migration(number, "ecto-migrations", "ecto", &["mix", "ecto.migrate"]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid() && DEPENDENCY.is_valid() && APP.is_valid());
    }

    #[test]
    fn source_is_read() {
        for (text, wanted) in [
            ("x = System.get_env(\"LEVEL\")", &["env LEVEL -"][..]),
            ("x = System.get_env(\"LEVEL\", \"info\")", &["env LEVEL info"]),
            ("x = System.get_env(\"LEVEL\") || \"info\"", &["env LEVEL info"]),
            ("x = System.get_env(\"LEVEL\") ||\n  raise \"no\"", &["env LEVEL - required"]),
            ("config :a, level: {:system, \"LEVEL\", \"info\"}", &["env LEVEL info"]),
            (
                "  app_env :level, :shop, :level,\n    os_env: \"LEVEL\",\n    type: :binary,\n    default: \"info\"",
                &["env LEVEL info"],
            ),
            ("    os_env: \"QUEUE_HOST\",\n    type: :binary", &["env QUEUE_HOST -"]),
            ("x = System.fetch_env!(\"LEVEL\")", &["env LEVEL - required"]),
            ("  http: [ip: {0, 0, 0, 0}, port: 4000],", &["port 4000 Listen"]),
            ("  get \"/health\", HealthController, :show", &["health Http /health"]),
            ("  hostname: \"db\",", &["ref |db|-|- via -"]),
            ("url = \"ecto://u:p@db/app\"", &["ref ecto|db|-|app via -"]),
        ] {
            assert_eq!(what(ALL, "a/config/runtime.exs", text), wanted, "{text}");
        }
        assert!(what(ALL, "a/config/test.exs", "hostname: \"db\"").is_empty());
        let broker = "url = \"mqtts://broker.shop.com:8883\"\nhostname: \"db\"";
        assert_eq!(what(ALL, "a/config/dev.exs", broker), ["ref |db|-|- via -"]);
        assert_eq!(what(ALL, "a/config/prod.exs", broker).len(), 2);
    }

    #[test]
    fn manifest_names_packages() {
        let text = "  app: :shop,\n  {:phoenix, \"~> 1.7\"},\n  {:postgrex, \">= 0.0.0\"},\n  {:redix, \"1\", only: :test},\n";
        assert_eq!(
            say(ALL, "a/mix.exs", text),
            [
                "1 mix-app alias shop",
                "2 elixir-framework framework phoenix",
                "2 elixir-framework-port port 4000 FrameworkDefault by PORT",
                "3 mix-dependency driver postgres postgrex",
                "4 mix-dependency driver redis redix dev",
            ]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.ex", "a/mix.exs"]);
    }
}
