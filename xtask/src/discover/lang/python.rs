//! Python: what the source says; manifests are read by `python_manifest`.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::Fact;
use crate::model::path::RepoPath;

use super::noise::is_noise;
use super::python_manifest;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern, holds, line_at, unquoted};

/// Source files.
pub const SOURCE: Detector = Detector { name: "python", wants: wants_source, read: read_source };
/// Requirements, `pyproject.toml`, `Pipfile`, `setup.py`, `alembic.ini`.
pub const MANIFEST: Detector =
    Detector { name: "python-manifest", wants: python_manifest::wants, read: python_manifest::read };

fn wants_source(path: &RepoPath) -> bool {
    path.extension() == "py" && !is_noise(path) && path.name() != "setup.py"
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Hash,
        ("python-literal", "python-env-call"),
        r#"environ|getenv|\benv\.\w+\(|config\(|\brun\w*\(|serve\(|\.listen\(|(?m:^)bind\s*=|Server\(|insecure_port|path\(|url\(|[rR]oute\(|\.get\(\s*["']/|django\.db|create_all|upgrade|health"#,
        &[
            ("python-env", "environ", r#"environ\[\s*["'](?P<name><key>)["']\s*\]"#, Says::EnvOrFail),
            (
                "python-env",
                "env",
                r#"(?:\benviron\.get|getenv)\(\s*["'](?P<name><key>)["']\s*(?:,\s*(?:default\s*=\s*)?(?P<default><lit>))?[^)\n]*\)(?:\s*or\s*(?P<default2><lit>))?"#,
                Says::Env,
            ),
            (
                "python-env-function",
                "env",
                r"(?:environ\.get\(|getenv\(|environ\[)\s*(?P<argument><key>)\s*[,\])]",
                Says::Wrapper,
            ),
            (
                "python-env",
                "env",
                r#"\benv(?:\.\w+)?\(\s*["'](?P<name><KEY>)["']\s*(?:,\s*(?:default\s*=\s*)?(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "python-config",
                "config(",
                r#"\bconfig\(\s*["'](?P<name><KEY>)["'](?:\s*,\s*cast\s*=\s*[\w.]+)?\s*(?:,\s*default\s*=\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "python-listen",
                "run",
                r"\b(?:uvicorn\.run|app\.run|run_app|socketio\.run|\w+\.run|run_simple|serve|run)\([^)]*?\bport\s*=\s*(?:int\()?\s*(?P<port><lit>|[\w.]+)",
                Says::Listen,
            ),
            ("python-listen", "serve", r"\bserve\([^)]*?\bport\s*=\s*(?P<port><lit>|[\w.]+)", Says::Listen),
            ("python-listen", "run", r"\b\w+\.run\([^)]*?\bhost\s*=\s*(?P<host><str>)", Says::Listen),
            ("python-listen", ".listen(", r"\.listen\(\s*(?P<port><lit>|[\w.]+)", Says::Listen),
            (
                "python-listen",
                "Server(",
                r#"Server\(\s*\(\s*(?P<host><str>)\s*,\s*(?P<port>[\w.]+)\s*\)"#,
                Says::Listen,
            ),
            ("python-gunicorn-bind", "bind", r"^\s*bind\s*=\s*\[?\s*f?(?P<port><str>)", Says::Listen),
            (
                "python-grpc-listen",
                "_port(",
                r"add_(?:in)?secure_port\(\s*f?(?P<port><str>)",
                Says::ListenGrpc,
            ),
            (
                "python-route",
                "@",
                r#"@(?:app|api|application|server|bp_root)\.(?:get|route|api_route)\(\s*r?["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            (
                "python-route",
                "(",
                r#"(?:add_api_route|add_get|add_route|add_url_rule|web\.get|Route)\(\s*["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            ("python-route", "(r", r#"\(\s*r["'](?P<path>/[\w/-]+)/?\??["']\s*,\s*\w*Handler"#, Says::Route),
            (
                "django-route",
                "(",
                r#"\b(?:path|re_path|url)\(\s*r?["']\^?(?P<path>[\w/-]+)\$?["']"#,
                Says::MountedRoute,
            ),
            (
                "python-route-mounted",
                "@",
                r#"@\w+\.(?:get|route)\(\s*r?["'](?P<path>/[^"'\n]*)["']"#,
                Says::MountedRoute,
            ),
            (
                "django-database",
                "django.db",
                r#"["']django\.db\.backends\.(?P<dialect>postgresql|mysql)"#,
                Says::Dialect,
            ),
            ("python-grpc-health", "ealth", r"grpc_health\.v1|HealthServicer", Says::GrpcHealth),
            ("python-self-migration", "create_all", r"\bcreate_all\b", Says::Migrates("sqlalchemy")),
            ("python-self-migration", "upgrade", r"\bcommand\.upgrade\(", Says::Migrates("alembic")),
            ("python-worker", "Celery(", r"\bCelery\(", Says::Framework("celery")),
        ],
    )
});

static SETTINGS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"(?:^|\n)class\s+\w+\((?:[\w.]+\s*,\s*)*(?:\w+\.)*\w*BaseSettings\b[^)]*\)\s*:")
});
static PREFIX: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"env_prefix["']?\s*[=:]\s*["'](?P<prefix>\w*)["']"#));
static FIELD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"^[ \t]+(?P<name><key>)\s*:\s*(?P<type>[^=#\n]+?)\s*(?:=\s*(?P<value>[^#\n]+?))?\s*(?:#.*)?$"#,
    )
});
static FIELD_DEFAULT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"(?:^|default\s*=\s*|Field\(\s*)(?P<default><lit>)"));
static FIELD_ENV: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"(?:\benv|validation_alias|alias)\s*=\s*(?:AliasChoices\(\s*)?["'](?P<name><key>)["']"#)
});

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    GRAMMAR.read(&mut findings);
    if holds(source.text, "BaseSettings") {
        settings(&mut findings);
    }
    if source.path.name() == "manage.py" && source.text.contains("django") {
        findings.framework(1, "django-manage", "django");
        findings.migration(1, "django-manage", "django", &["python", "manage.py", "migrate", "--noinput"]);
    }
}

/// The fields of pydantic's settings classes: each is a variable of its name in capitals.
fn settings(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for class in SETTINGS.all(text, usize::MAX).take(50) {
        let Some(head) = class.get(0) else { continue };
        let body = class_body(&text[head.end()..]);
        let prefix =
            PREFIX.first(body).and_then(|found| Some(found.name("prefix")?.as_str())).unwrap_or_default();
        for (number, line) in (line_at(text, head.end())..).zip(body.split('\n')) {
            field(findings, number, line, prefix);
        }
    }
}

/// The lines after a class's head up to the next one that is not indented.
fn class_body(rest: &str) -> &str {
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        let inside = line.trim().is_empty() || line.starts_with([' ', '\t', '#', ')']);
        if end > 0 && !inside {
            break;
        }
        end += line.len();
    }
    &rest[..end]
}

fn field(findings: &mut Findings<'_, '_>, number: u32, line: &str, prefix: &str) {
    let Some(found) = FIELD.first(line).filter(|_| line.len() < 500) else { return };
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    let (Some(name), Some(kind)) = (group("name"), group("type")) else { return };
    let indent = line.len() - line.trim_start().len();
    if indent > 4
        || name == "model_config"
        || name.starts_with('_')
        || kind.contains("ClassVar")
        || kind.contains('(')
    {
        return;
    }
    let value = group("value");
    let own =
        value.and_then(|value| FIELD_ENV.first(value)?.name("name").map(|name| name.as_str().to_owned()));
    let name = own.unwrap_or_else(|| format!("{prefix}{name}")).to_ascii_uppercase();
    let default = value.and_then(|value| {
        let default = FIELD_DEFAULT.first(value)?;
        default.name("default").and_then(|default| unquoted(default.as_str()).map(str::to_owned))
    });
    let optional = kind.contains("Optional") || kind.contains("None");
    let required = !optional && value.is_none_or(|value| value.starts_with("Field(...") || value == "...");
    findings.env(number, "python-settings", Read { name: &name, default: default.as_deref(), required });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/app/main.py", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid());
        for pattern in [&SETTINGS, &PREFIX, &FIELD, &FIELD_DEFAULT, &FIELD_ENV] {
            assert!(pattern.is_valid());
        }
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("x = os.environ['LEVEL']", "env LEVEL - required"),
            ("x = os.environ.get(\"LEVEL\")", "env LEVEL -"),
            ("x = os.getenv('LEVEL', 'info')", "env LEVEL info"),
            ("x = int(os.environ.get('MAX') or 1000)", "env MAX 1000"),
            ("x = env.str('LEVEL', default='info')", "env LEVEL info"),
            ("x = config('LEVEL', cast=str, default='info')", "env LEVEL info"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn calls_of_the_programs_own_reader_count() {
        let text = "def _need(name: str) -> str:\n    value = os.environ.get(name)\n    if not value:\n        sys.exit(1)\n    return value\n\nA = _need(\"KEY_A\")\n";
        assert_eq!(say(ALL, "a/c.py", text), ["7 python-env-call env KEY_A - required"]);
    }

    #[test]
    fn fields_of_settings_classes_are_variables() {
        let text = "from pydantic_settings import BaseSettings\n\nclass Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='APP_')\n    url: str\n    level: str = 'info'\n    key: str = Field(..., env='API_KEY')\n    note: str | None\n\n    def f(self, a: str):\n        b: int = 1\n\nx: int = 1\n";
        assert_eq!(
            say(ALL, "a/c.py", text),
            [
                "5 python-settings env APP_URL - required",
                "6 python-settings env APP_LEVEL info",
                "7 python-settings env API_KEY - required",
                "8 python-settings env APP_NOTE -",
            ]
        );
    }

    #[test]
    fn ports_are_found() {
        for (text, wanted) in [
            ("uvicorn.run(app, host=\"0.0.0.0\", port=8000)", &["listens 0.0.0.0", "port 8000 Listen"][..]),
            (
                "uvicorn.run(\n  app,\n  host='127.0.0.1',\n  port=8000)",
                &["listens 127.0.0.1", "port 8000 Listen"],
            ),
            (
                "app.run(port=int(os.environ.get('PORT', 5000)))",
                &["env PORT 5000", "port 5000 Listen by PORT"],
            ),
            ("bind = '0.0.0.0:8000'", &["listens 0.0.0.0", "port 8000 Listen"]),
            ("server.add_insecure_port('[::]:50051')", &["listens 0.0.0.0", "port 50051 Listen Grpc"]),
            ("HTTPServer(('', 8080), Handler)", &["listens 0.0.0.0", "port 8080 Listen"]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_routes_are_found() {
        for (text, wanted) in [
            ("@app.get(\"/health\")", "health Http /health"),
            ("@router.get('/healthz')", "health Http /healthz"),
            ("    path('health/', views.health),", "health Http /health/"),
            ("app.add_api_route('/ready', ready)", "health Http /ready"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn addresses_in_the_code_are_found() {
        for (text, wanted) in [
            ("requests.get('http://accounts:3001/users')", "ref http|accounts|3001|- via -"),
            ("redis.Redis(host='cache', port=6379)", "ref |cache|6379|- via -"),
            ("Redis('cache', 6379)", "ref |cache|6379|- via -"),
            ("'HOST': 'db',", "ref |db|-|- via -"),
            ("create_engine('postgresql+asyncpg://u:p@db/app')", "ref postgresql+asyncpg|db|-|app via -"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.py", "a/requirements.txt", "a/pyproject.toml", "a/Pipfile", "a/setup.py"]);
    }
}
