//! PHP: what the source and `composer.json` say.

use std::sync::LazyLock;

use serde_json::Value;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, PortSource};
use crate::model::path::RepoPath;

use super::mounted;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern, holds, line_at, line_of, unquoted};

/// Source files.
pub const SOURCE: Detector =
    Detector { name: "php", extensions: &["php"], wants: wants_source, read: read_source };
/// `composer.json`, and Laravel's `artisan`.
pub const MANIFEST: Detector = Detector {
    name: "php-manifest",
    extensions: &["json", ""],
    wants: |path| matches!(path.name(), "composer.json" | "artisan"),
    read: read_manifest,
};

/// Symfony's configuration, whose values may be variables.
pub const SYMFONY: Detector = Detector {
    name: "php-symfony",
    extensions: &["yaml", "yml", "php", "xml"],
    wants: wants_symfony,
    read: read_symfony,
};

/// The extensions that an image installs.
pub const IMAGE: Detector = Detector {
    name: "php-image",
    extensions: &[],
    wants: |path| holds(path.name(), "Dockerfile"),
    read: read_image,
};

/// Package, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("laravel/framework", "laravel", None),
    ("laravel/lumen-framework", "lumen", None),
    ("laravel/octane", "octane", Some(8000)),
    ("laravel/horizon", "horizon", None),
    ("symfony/framework-bundle", "symfony", None),
    ("symfony/messenger", "messenger", None),
    ("slim/slim", "slim", None),
    ("hyperf/hyperf", "hyperf", Some(9501)),
    ("hyperf/http-server", "hyperf", Some(9501)),
];

fn wants_source(path: &RepoPath) -> bool {
    path.extension() == "php"
        && !is_noise(path)
        && !path.name().ends_with(".blade.php")
        && !path.as_str().contains("resources/lang/")
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Php,
        ("php-literal", "php-env-call"),
        r#"\benv\(|getenv|\$_ENV|\$_SERVER\[|Route(?:::\w+)?\(<route>|->get\(\s*["'][^"'\n]*<health>|health:|new PDO\(|mysqli|\bHttp::"#,
        &[
            (
                "php-env",
                "env",
                r#"\b(?:env|getenv)\(\s*["'](?P<name><key>)["']\s*(?:,\s*(?P<default><lit>))?[^)\n]*\)(?:\s*(?:\?:|\?\?)\s*(?P<default2><lit>))?"#,
                Says::Env,
            ),
            (
                "php-env",
                "$_ENV",
                r#"\$_ENV\[\s*["'](?P<name><key>)["']\s*\](?:\s*\?\?\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "php-env",
                "$_SERVER",
                r#"\$_SERVER\[\s*["'](?P<name>(?:APP|DB|DATABASE|REDIS|MAIL|KAFKA|RABBITMQ|AMQP|API|MYSQL|POSTGRES)_[A-Z0-9_]+)["']\s*\]"#,
                Says::Env,
            ),
            ("php-env-function", "env", r"\bgetenv\(\s*\$(?P<argument><key>)\s*\)", Says::Wrapper),
            (
                "php-route",
                "Route",
                r#"Route::(?:get|any|match)\(\s*["'](?P<path>/?[^"'\n]*)["']"#,
                Says::Route,
            ),
            ("php-route", "Route(", r#"#\[Route\(\s*(?:path:\s*)?["'](?P<path>/[^"'\n]*)["']"#, Says::Route),
            (
                "php-route",
                "->get(",
                r#"\$(?:app|router|r|group)->get\(\s*["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            ("laravel-health", "health:", r#"\bhealth:\s*["'](?P<path>/[^"'\n]*)["']"#, Says::Route),
            (
                "php-literal",
                "mysqli",
                r#"mysqli(?:_connect)?\(\s*["'](?P<host>[a-z][\w.-]*)["']"#,
                Says::Host,
            ),
            (
                "php-database",
                "mysqli",
                r#"mysqli(?:_connect)?\(\s*[^,;]+,\s*[^,;]+,\s*[^,;]+,\s*["'](?P<database>[\w-]+)["']"#,
                Says::Database,
            ),
            // Without a scheme, Laravel's client calls a host: `Http::get("stock/api/items")`.
            (
                "php-literal",
                "Http::",
                r#"\bHttp::(?:get|post|put|patch|delete|head)\(\s*["'](?P<host>[a-z][\w-]*)/"#,
                Says::Host,
            ),
            (
                "laravel-default",
                "'default'",
                r#"'default'\s*=>\s*env\(\s*'DB_CONNECTION'\s*,\s*'(?P<dialect>\w+)'"#,
                Says::Dialect,
            ),
        ],
    )
    .below(mounted::php)
});

fn wants_symfony(path: &RepoPath) -> bool {
    matches!(path.extension(), "yaml" | "yml" | "php" | "xml")
        && path.parts().any(|part| part == "config")
        && !path.as_str().contains("/test/")
}

/// `%env(int:PORT)%`, `%env(default:other:PORT)%`, and defaults such as `env(PORT): 8080`.
static IN_PERCENT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"%env\((?:[a-z_]+:)*(?:[\w.]+:)?(?P<name><KEY>)\)%|\benv\((?P<of><KEY>)\)["']?\s*:\s*(?P<default><lit>|[\w./:@-]+)"#,
    )
});

fn read_symfony(source: &Source<'_>, facts: &mut Vec<Fact>) {
    if !holds(source.text, "env(") {
        return;
    }
    let mut findings = Findings::new(source, facts);
    for found in IN_PERCENT.all(source.text, usize::MAX).take(1000) {
        let Some(name) = found.name("name").or_else(|| found.name("of")) else { continue };
        let default = found.name("default").map(|default| default.as_str());
        let default = default.map(|default| unquoted(default).unwrap_or(default));
        let read = Read { name: name.as_str(), default, required: false };
        findings.env(line_at(source.text, name.start()), "php-symfony-env", read);
    }
}

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    findings.template = is_template(source);
    if makes_tables(source.path) {
        findings.framework(1, "laravel-migration-file", LARAVELS_TABLES);
    }
    GRAMMAR.read(&mut findings);
}

/// The name of what a program of Laravel has that makes tables of its own.
const LARAVELS_TABLES: &str = "laravel-tables";

/// `database/migrations/2026_01_31_120000_create_orders_table.php`; those of the framework are dated to the year 1, or
/// known by what they make.
fn makes_tables(path: &RepoPath) -> bool {
    const FRAMEWORKS: &[&str] = &[
        "cache",
        "failed_jobs",
        "jobs",
        "password_reset_tokens",
        "password_resets",
        "personal_access_tokens",
        "sessions",
        "users",
    ];
    let name = path.name();
    let is_framework = || {
        let about = name.split_once("_create_").and_then(|(_, rest)| rest.strip_suffix("_table.php"));
        about.is_some_and(|about| FRAMEWORKS.contains(&about))
    };
    name.starts_with("20")
        && path.parent().is_some_and(|folder| folder.as_str().ends_with("database/migrations"))
        && !is_framework()
}

/// Laravel's own configuration names every database, cache and queue that it could use.
fn is_template(source: &Source<'_>) -> bool {
    const FILES: &[&str] = &[
        "app.php",
        "auth.php",
        "broadcasting.php",
        "cache.php",
        "database.php",
        "filesystems.php",
        "logging.php",
        "mail.php",
        "queue.php",
        "session.php",
        "scout.php",
        "horizon.php",
        "sanctum.php",
        "hashing.php",
        "services.php",
        "telescope.php",
        "octane.php",
    ];
    FILES.contains(&source.path.name())
        && source.path.parent().is_some_and(|folder| folder.name() == "config")
}

/// `docker-php-ext-install pdo_pgsql` is a driver as good as one in a manifest.
fn read_image(source: &Source<'_>, facts: &mut Vec<Fact>) {
    if !source.text.contains("php-ext") {
        return;
    }
    let mut findings = Findings::new(source, facts);
    let mut installs = false;
    for (number, line) in (1..).zip(source.text.lines()) {
        installs |=
            ["docker-php-ext-install", "install-php-extensions"].iter().any(|tool| line.contains(tool));
        for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|_| installs) {
            findings.package(number, "php-extension", "php", (&format!("ext-{word}"), &[]), false);
        }
        installs &= line.trim_end().ends_with('\\');
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    if source.path.name() == "artisan" {
        findings.migration(1, "laravel-artisan", "laravel", &["php", "artisan", "migrate", "--force"]);
        return;
    }
    let Ok(manifest) = serde_json::from_str::<Value>(source.text) else { return };
    if let Some(name) = manifest.get("name").and_then(Value::as_str) {
        // What the frameworks' templates are called.
        if !matches!(name, "laravel/laravel" | "laravel/lumen" | "symfony/skeleton") {
            findings.alias(
                line_of(source.text, "\"name\""),
                "composer-name",
                name.rsplit('/').next().unwrap_or(name),
            );
        }
    }
    for (section, dev_only) in [("require", false), ("require-dev", true)] {
        for (package, _) in manifest.get(section).and_then(Value::as_object).into_iter().flatten().take(1000)
        {
            let line = line_of(source.text, &format!("\"{package}\""));
            findings.package(line, "composer-dependency", "php", (package, &[]), dev_only);
            if dev_only {
                continue;
            }
            if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| known == package) {
                findings.framework(line, "php-framework", framework);
                if let Some(port) = port {
                    findings.port(line, "php-framework-port", *port, PortSource::FrameworkDefault, None);
                }
            }
            if package == "doctrine/doctrine-migrations-bundle" {
                let command = ["php", "bin/console", "doctrine:migrations:migrate", "--no-interaction"];
                findings.migration(line, "doctrine-migrations", "doctrine", &command);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST, IMAGE];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/src/index.php", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid());
    }

    #[test]
    fn reads_of_variables_are_found_with_default() {
        for (text, wanted) in [
            ("$x = getenv('LEVEL');", "env LEVEL -"),
            ("$x = getenv('LEVEL') ?: 'info';", "env LEVEL info"),
            ("'x' => env('LEVEL', 'info'),", "env LEVEL info"),
            ("$x = $_ENV['LEVEL'] ?? 'info';", "env LEVEL info"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn a_frameworks_own_configuration_names_no_addresses() {
        let text =
            "'default' => env('DB_CONNECTION', 'mysql'),\n'redis' => ['host' => env('REDIS_HOST', 'redis')],";
        assert_eq!(
            what(ALL, "a/config/database.php", text),
            ["driver mysql mysql", "env DB_CONNECTION mysql", "env REDIS_HOST redis"]
        );
        assert_eq!(
            what(ALL, "a/src/x.php", "env('REDIS_HOST', 'redis')"),
            ["env REDIS_HOST redis", "ref |redis|-|- via REDIS_HOST"]
        );
    }

    #[test]
    fn health_routes_and_addresses_are_found() {
        for (text, wanted) in [
            ("Route::get('/health', fn () => 1);", "health Http /health"),
            ("Route::get(\n    '/heartbeat', fn () => 1);", "health Http /heartbeat"),
            ("    health: '/up',", "health Http /up"),
            ("$pdo = new PDO('mysql:host=db;dbname=app', 'u', 'p');", "ref mysql|db|-|app via -"),
            ("$c->get('http://accounts:3001/users');", "ref http|accounts|3001|- via -"),
            ("$r = Http::get(\"stock/api/items?page={$page}\");", "ref |stock|-|- via -"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn manifest_names_packages() {
        let text = "{\n\"require\": {\n\"laravel/framework\": \"^11\",\n\"predis/predis\": \"2\"\n}}";
        assert_eq!(
            say(ALL, "a/composer.json", text),
            ["3 php-framework framework laravel", "4 composer-dependency driver redis predis/predis"]
        );
        assert_eq!(what(ALL, "a/artisan", ""), ["migration laravel [php artisan migrate --force]"]);
        let tables = |file: &str| what(ALL, &format!("a/database/migrations/{file}"), "<?php");
        assert_eq!(tables("2026_01_31_120000_create_orders_table.php"), ["framework laravel-tables"]);
        assert!(tables("0001_01_01_000000_create_users_table.php").is_empty());
        assert!(tables("2014_10_12_000000_create_users_table.php").is_empty());
    }

    #[test]
    fn extensions_of_the_image_are_drivers() {
        let text = "FROM php:8-fpm\nRUN apt-get install -y libpq-dev \\\n && docker-php-ext-install \\\n  pdo_pgsql zip\nRUN echo pdo_mysql\n";
        assert_eq!(say(ALL, "a/Dockerfile", text), ["4 php-extension driver postgres ext-pdo_pgsql"]);
    }

    #[test]
    fn variables_of_symfonys_configuration_are_read() {
        let text = "parameters:\n  env(LEVEL): info\nservices:\n  a: '%env(resolve:DATABASE_URL)%'\n  b: '%env(default:fallback:MAX_A)%'\n  c: '%env(LEVEL)%'\n";
        assert_eq!(
            what(&[SYMFONY], "a/config/packages/x.yaml", text),
            ["env LEVEL info", "env DATABASE_URL -", "env MAX_A -", "env LEVEL -"]
        );
        assert!(IN_PERCENT.is_valid());
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.php", "a/composer.json"]);
    }
}
