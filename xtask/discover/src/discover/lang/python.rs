//! Python: what the source says; manifests are read by `python_manifest`.

use std::sync::LazyLock;

use crate::discover::findings::Findings;
use crate::discover::{Detector, Source};
use crate::model::fact::Fact;
use crate::model::path::RepoPath;

use super::mounted;
use super::noise::is_noise;
use super::python_env;
use super::python_manifest;
use super::rules::{Grammar, Says};
use super::scan::Comments;

/// Source files.
pub const SOURCE: Detector =
    Detector { name: "python", extensions: &["py"], wants: wants_source, read: read_source };
/// Requirements, `pyproject.toml`, `Pipfile`, `setup.py`, `alembic.ini`.
pub const MANIFEST: Detector = Detector {
    name: "python-manifest",
    extensions: &["toml", "", "py", "cfg", "ini", "txt", "in"],
    wants: python_manifest::wants,
    read: python_manifest::read,
};

fn wants_source(path: &RepoPath) -> bool {
    path.extension() == "py" && !is_noise(path) && path.name() != "setup.py"
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let mut grammar = Grammar::new(
        Comments::Hash,
        ("python-literal", "python-env-call"),
        r#"environ|getenv|envvar|\brun\w*\(|serve\(|\.listen\(|(?m:^)bind\s*=|Server\(|insecure_port|(?:path|url|[rR]oute)\(<route>|\.get\(\s*["']/[^"'\n]*<health>|db\.backends|django\.db|get_database\(|\.connect\(|lient\[|create_all|upgrade|health"#,
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
                "environ",
                r#"["'](?P<name><KEY>)["']\s+(?:not\s+)?in\s+(?:os\.)?environ\b"#,
                Says::Env,
            ),
            (
                "python-env",
                "setdefault",
                r#"\benviron\.setdefault\(\s*["'](?P<name><KEY>)["']\s*,\s*(?P<default><lit>)"#,
                Says::Env,
            ),
            ("python-env", "envvar", r#"\benvvar\s*=\s*\[?\s*["'](?P<name><KEY>)["']"#, Says::Env),
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
                "django-database",
                "db.backends.",
                r#"\bdb\.backends\.(?P<dialect>postgresql|mysql)\w*["'][^}]{0,600}?["']NAME["']\s*:\s*["'](?P<database>[\w-]+)["']"#,
                Says::Database,
            ),
            (
                "python-database",
                ".connect(",
                r#"\b(?:psycopg2?|asyncpg|pymysql|aiomysql|MySQLdb|connector)\.connect\([^;]{0,300}?\b(?:database|dbname|db)\s*=\s*["'](?P<database>[\w-]+)["']"#,
                Says::Database,
            ),
            (
                "python-mongo-database",
                "get_database(|lient[",
                r#"(?:\bget_database\(|[cC]lient\[)\s*["'](?P<database>[\w-]+)["']"#,
                Says::DatabaseOf("mongodb"),
            ),
            (
                "python-route",
                ".get(|.route(|.api_route(",
                r#"@(?:app|api|application|server|bp_root)\.(?:get|route|api_route)\(\s*r?["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            (
                "python-route",
                "add_api_route(|add_get(|add_route(|add_url_rule(|web.get(|Route(",
                r#"(?:add_api_route|add_get|add_route|add_url_rule|web\.get|Route)\(\s*["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            ("python-route", "(r", r#"\(\s*r["'](?P<path>/[\w/-]+)/?\??["']\s*,\s*\w*Handler"#, Says::Route),
            (
                "django-route",
                "path(|url(",
                r#"\b(?:path|re_path|url)\(\s*r?["']\^?(?P<path>[\w/-]+)\$?["']"#,
                Says::MountedRoute,
            ),
            (
                "python-route-mounted",
                ".get(|.route(",
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
    );
    grammar.read_elsewhere = &["env"];
    grammar.below(mounted::python)
});

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    GRAMMAR.read(&mut findings);
    python_env::read(&mut findings);
    if source.path.name() == "manage.py" && source.text.contains("django") {
        findings.framework(1, "django-manage", "django");
        findings.migration(1, "django-manage", "django", &["python", "manage.py", "migrate", "--noinput"]);
    }
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
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("x = os.environ['LEVEL']", "env LEVEL - required"),
            ("x = os.environ.get(\"LEVEL\")", "env LEVEL -"),
            ("x = os.getenv('LEVEL', 'info')", "env LEVEL info"),
            ("x = int(os.environ.get('MAX') or 1000)", "env MAX 1000"),
            ("os.environ.setdefault('LEVEL', 'info')", "env LEVEL info"),
            ("if 'LEVEL' in os.environ:", "env LEVEL -"),
            ("@click.option('--level', envvar='LEVEL')", "env LEVEL -"),
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
            ("Application(routes).listen(8888)", &["port 8888 Listen"]),
            ("s = socket.socket()\ns.listen(128)", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_routes_are_found() {
        for (text, wanted) in [
            ("@app.get(\"/health\")", "health Http /health"),
            ("@router.get('/healthz')", "health Http /healthz"),
            ("@app.get(\n    '/hc',\n)", "health Http /hc"),
            ("    path(\n        'heartbeat', views.beat),", "health Http /heartbeat"),
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
