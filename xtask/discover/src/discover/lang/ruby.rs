//! Ruby: what the source, `Gemfile` and `config/database.yml` say.

use std::sync::LazyLock;

use crate::discover::findings::Findings;
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, PortSource};
use crate::model::path::RepoPath;

use super::noise::is_noise;
use super::ruby_database;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern};

/// Source files, `database.yml` with its ERB included.
pub const SOURCE: Detector = Detector {
    name: "ruby",
    extensions: &["rb", "ru", "rake", "yml", "example", "sample"],
    wants: wants_source,
    read: read_source,
};
/// `Gemfile`, and the schema that migrations leave behind.
pub const MANIFEST: Detector = Detector {
    name: "ruby-manifest",
    extensions: &["", "rb", "sql"],
    wants: wants_manifest,
    read: read_manifest,
};

/// Gem, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("rails", "rails", Some(3000)),
    ("sinatra", "sinatra", Some(4567)),
    ("grape", "grape", None),
    ("hanami", "hanami", Some(2300)),
    ("roda", "roda", None),
    ("sidekiq", "sidekiq", None),
    ("resque", "resque", None),
    ("puma", "puma", None),
    ("grpc", "grpc", None),
];

fn wants_source(path: &RepoPath) -> bool {
    let yaml = matches!(
        as_used(path.name()),
        "database.yml"
            | "cable.yml"
            | "cache.yml"
            | "elasticsearch.yml"
            | "mongoid.yml"
            | "queue.yml"
            | "redis.yml"
            | "secrets.yml"
            | "settings.yml"
            | "sidekiq.yml"
            | "storage.yml"
    );
    (matches!(path.extension(), "rb" | "ru" | "rake") || yaml) && !is_noise(path)
}

fn wants_manifest(path: &RepoPath) -> bool {
    path.name() == "Gemfile"
        || path.as_str().ends_with("db/schema.rb")
        || path.as_str().ends_with("db/structure.sql")
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Hash,
        ("ruby-literal", "ruby-env-call"),
        r#"ENV[\[.]|(?m:^)[ \t]*port\b|:port\b|\bget\s*\(?\s*["':]|adapter:|(?m:^)[ \t]*host:|url:|bind\s|//0\.0\.0\.0:|auto_migrate"#,
        &[
            (
                "ruby-env",
                "ENV[",
                r#"\bENV\[\s*["'](?P<name><key>)["']\s*\](?:\.presence)?(?:\s*(?:\|\||\bor)\s*(?:(?P<default><lit>)|(?P<fails>raise\b|abort\b)))?"#,
                Says::Env,
            ),
            (
                "ruby-env",
                "ENV.fetch",
                r#"\bENV\.fetch\(?\s*["'](?P<name><key>)["']\s*(?:,\s*(?:(?P<default><lit>)|nil\b)?|\)\s*(?:(?:\{|do\b)\s*(?P<default2><lit>)?|(?P<fails>)))"#,
                Says::Env,
            ),
            (
                "ruby-env",
                "ENV.",
                r#"\bENV\.(?:key\?|has_key\?|include\?)\(?\s*["'](?P<name><KEY>)["']"#,
                Says::Env,
            ),
            ("ruby-listen", "port", r"^\s*port\s+(?P<port>\d{2,5})", Says::Listen),
            ("ruby-listen", ":port", r"\bset\s+:port\s*,\s*(?P<port>\d{2,5})", Says::Listen),
            ("ruby-listen", "bind", r#"^\s*bind\s+["']tcp://(?P<port>[^"'\n]+)["']"#, Says::Listen),
            (
                "ruby-listen",
                "0.0.0.0",
                r#"["'](?:druby|ssl|tcp)://0\.0\.0\.0:(?P<port>\d{2,5})/?["']"#,
                Says::Listen,
            ),
            ("ruby-listen", ":bind", r#"\bset\s+:bind\s*,\s*(?P<host><str>)"#, Says::Listen),
            ("ruby-route", "get", r#"(?m)^[ \t]*get\s*\(?\s*["'](?P<path>/?[^"'\n]*)["']"#, Says::Route),
            (
                "rails-adapter",
                "adapter",
                r"\badapter:\s*(?P<dialect>postgresql|mysql2|trilogy|mysql)\b",
                Says::Dialect,
            ),
        ],
    )
});

static GEM: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"^\s*gem\s*\(?\s*["'](?P<gem>[\w-]+)["'](?P<rest>.*)$"#));

/// `database.yml` of `database.yml.example`: the file itself is often left to each machine, and images copy this one.
fn as_used(name: &str) -> &str {
    [".example", ".sample"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    GRAMMAR.read(&mut findings);
    if as_used(source.path.name()) == "database.yml" {
        ruby_database::read(&mut findings);
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    if source.path.name() != "Gemfile" {
        findings.migration(1, "rails-schema", "rails", &["bin/rails", "db:migrate"]);
        return;
    }
    let mut group_is_dev = false;
    for (number, line) in (1..).zip(source.text.lines()).filter(|(_, line)| line.len() < 500) {
        let text = line.trim();
        if text.starts_with("group ") {
            group_is_dev =
                (text.contains(":development") || text.contains(":test")) && !text.contains(":production");
        } else if text == "end" {
            group_is_dev = false;
        }
        let Some(found) = GEM.first(line) else { continue };
        let (Some(gem), Some(rest)) = (found.name("gem"), found.name("rest")) else { continue };
        let rest = rest.as_str();
        let dev_only = group_is_dev
            || (rest.contains("group") && (rest.contains(":test") || rest.contains(":development")));
        findings.package(number, "ruby-gem", "ruby", (gem.as_str(), &[]), dev_only);
        if let Some((_, framework, port)) =
            FRAMEWORKS.iter().find(|(known, ..)| *known == gem.as_str() && !dev_only)
        {
            findings.framework(number, "ruby-framework", framework);
            if let Some(port) = port {
                findings.port(
                    number,
                    "ruby-framework-port",
                    *port,
                    PortSource::FrameworkDefault,
                    Some("PORT"),
                );
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
        assert!(GRAMMAR.is_valid() && GEM.is_valid());
    }

    #[test]
    fn source_is_read() {
        for (text, wanted) in [
            ("x = ENV['LEVEL']", &["env LEVEL -"][..]),
            ("x = ENV['LEVEL'] || 'info'", &["env LEVEL info"]),
            ("x = ENV.fetch('LEVEL')", &["env LEVEL - required"]),
            ("x = ENV.fetch('LEVEL', 'info')", &["env LEVEL info"]),
            ("x = ENV.fetch('LEVEL', nil)", &["env LEVEL -"]),
            ("x = ENV.fetch('LEVEL') { 'info' }", &["env LEVEL info"]),
            ("x = ENV.fetch('LEVEL') { other }", &["env LEVEL -"]),
            ("x = ENV['LEVEL'].presence || 'info'", &["env LEVEL info"]),
            ("x = ENV['LEVEL'] || raise('no level')", &["env LEVEL - required"]),
            ("x = 1 if ENV.key?('LEVEL')", &["env LEVEL -"]),
            ("port ENV.fetch(\"PORT\") { 3000 }", &["env PORT 3000", "port 3000 Listen by PORT"]),
            ("set :port, 4567", &["port 4567 Listen"]),
            ("DRb.start_service('druby://0.0.0.0:8787', Users.new)", &["port 8787 Listen"]),
            ("DRbObject.new_with_uri('druby://users:8787')", &["ref druby|users|8787|- via -"]),
            ("  get '/health' do", &["health Http /health"]),
            ("  get \"up\" => \"rails/health#show\"", &["health Http /up"]),
            ("Net::HTTP.get(URI('http://accounts:3001/users'))", &["ref http|accounts|3001|- via -"]),
        ] {
            assert_eq!(what(ALL, "a/config/app.rb", text), wanted, "{text}");
        }
    }

    #[test]
    fn database_configuration_is_read() {
        let text =
            "default: &default\n  adapter: postgresql\n  host: db\n  password: <%= ENV['DB_PASSWORD'] %>\n";
        // The file itself is often left to each machine.
        for path in ["a/config/database.yml", "a/config/database.yml.example"] {
            assert_eq!(
                say(ALL, path, text),
                [
                    "2 rails-adapter driver postgres postgresql",
                    "3 rails-database-host ref postgresql|db|-|- via -",
                    "4 ruby-env env DB_PASSWORD -"
                ],
                "{path}"
            );
        }
    }

    #[test]
    fn gems_are_read_with_their_groups() {
        let text = "gem 'rails', '~> 7'\ngem 'pg'\ngroup :development, :test do\n  gem 'redis'\nend\n";
        assert_eq!(
            what(ALL, "a/Gemfile", text),
            [
                "framework rails",
                "port 3000 FrameworkDefault by PORT",
                "driver postgres pg",
                "driver redis redis dev"
            ]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.rb", "a/Gemfile", "a/database.yml"]);
    }
}
