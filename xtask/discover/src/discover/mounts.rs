//! Health routes of routers that another file mounts below a path: `app.include_router(health.router, prefix="/api")`,
//! `app.use('/api', routes)`, the prefix of a whole program of NestJS, Laravel's path of its API. Looks only in files of
//! the folders above the route, and only for services with such a route.

use std::collections::BTreeSet;

use super::findings::health_path;

use super::lang::mounted::{assigned, inside, is_name, joined, literal};
use crate::model::fact::{HealthKind, ServiceFacts, What};
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;
use crate::search::cut;

/// Files of one folder that are looked at.
const MAX_FILES: usize = 60;
/// What files are called that mount routers.
const MOUNTERS: &[&str] = &[
    "__init__",
    "api",
    "app",
    "application",
    "asgi",
    "express",
    "factory",
    "index",
    "main",
    "router",
    "routers",
    "routes",
    "run",
    "server",
    "setup",
    "urls",
    "v1",
    "v2",
    "web",
    "wsgi",
];
/// Routers in routers.
const MAX_DEPTH: usize = 4;
/// Calls of one file that mount something, and how long the arguments of one may be.
const MAX_CALLS: usize = 500;
const MAX_ARGUMENTS: usize = 4_000;
/// Routes of one service: a program with more has been written by a machine.
const MAX_ROUTES: usize = 200;

/// Where the routes of a file stand.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mount {
    /// Below that path, which may be empty.
    Below(String),
    /// Below a path that is made at run time.
    Unknown,
    /// Nobody says.
    Unsaid,
}

/// Puts each such route where it stands; one whose place is made at run time is none that could be asked.
pub(super) fn settle(repo: &Repo, services: &mut [ServiceFacts]) {
    let moved = in_parallel(services.iter().collect(), |service| {
        let mut left = MAX_ROUTES;
        let facts = service.facts.iter().map(|fact| match &fact.what {
            What::Health { kind: HealthKind::Http, path: Some(path), .. } if left > 0 => {
                left -= 1;
                whole(repo, service, (&fact.at.path, fact.at.rule), path)
            }
            _ => None,
        });
        facts.collect::<Vec<_>>()
    });
    for (service, moved) in services.iter_mut().zip(moved) {
        let mut moved = moved.into_iter();
        service.facts.retain_mut(|fact| match (moved.next().flatten(), &mut fact.what) {
            (Some(whole), What::Health { path, .. }) => {
                *path = whole;
                path.is_some()
            }
            _ => true,
        });
    }
}

/// The path of a route as others ask for it, where that is another one than its file says; `Some(None)` where it is none
/// of a health check then.
#[expect(clippy::option_option, reason = "unchanged, another path, no path")]
fn whole(
    repo: &Repo,
    service: &ServiceFacts,
    (file, rule): (&RepoPath, &str),
    path: &str,
) -> Option<Option<String>> {
    let mount = match rule {
        "python-route-mounted" => below(repo, service, file, &PYTHON, 0),
        "node-route-mounted" => below(repo, service, file, &EXPRESS, 0),
        "nest-route" => nest(repo, service, file, path),
        "php-route" => return laravel(repo, file, path).map(|path| health_path(&path)),
        _ => Mount::Unsaid,
    };
    match mount {
        Mount::Below(below) if below.trim_matches('/').is_empty() => None,
        Mount::Below(below) => Some(health_path(&joined(&below, path))),
        Mount::Unknown => Some(None),
        Mount::Unsaid => None,
    }
}

/// How files of a framework mount routers.
struct Framework {
    extensions: &'static [&'static str],
    /// Calls that do.
    calls: &'static [&'static str],
    /// The path among the arguments of such a call, empty where there is none; else the expression that makes it.
    path: fn(&str) -> Result<&str, &str>,
    /// Whether what a router's variable is given makes it one that is mounted itself.
    is_router: fn(&str) -> bool,
}

const PYTHON: Framework = Framework {
    extensions: &["py"],
    calls: &[".include_router(", ".register_blueprint("],
    path: |arguments| {
        let Some((_, value)) = arguments.split_once("prefix") else { return Ok("") };
        let value = value.trim_start().trim_start_matches('=').trim_start();
        literal(value).map(|(path, _)| path).ok_or(value)
    },
    is_router: |made| {
        made.split('(').next().is_some_and(|class| class.contains("Router") || class.contains("Blueprint"))
    },
};

const EXPRESS: Framework = Framework {
    extensions: &["js", "ts", "mjs", "cjs", "mts"],
    calls: &[".use("],
    path: |arguments| {
        let begins = arguments.trim_start().trim_start_matches('(').trim_start();
        if !begins.starts_with(['"', '\'', '`']) {
            // `app.use(API_PREFIX, routes)`; what is written otherwise comes between, such as `cors()`.
            let word = begins.split(|c: char| !is_name(c) && c != '.').next().unwrap_or_default();
            return if is_constant(word) { Err(word) } else { Ok("") };
        }
        literal(begins).map(|(path, _)| path).ok_or(begins)
    },
    is_router: |made| made.contains("Router("),
};

/// Below what a file's routers are mounted by the files in the folders above.
fn below(repo: &Repo, service: &ServiceFacts, file: &RepoPath, by: &Framework, depth: usize) -> Mount {
    if depth > MAX_DEPTH {
        return Mount::Unknown;
    }
    let is_in = |folder: &RepoPath| folder == &service.path || folder.is_in(&service.path);
    let folders = file.ancestors().skip(1).take_while(is_in);
    for folder in folders {
        let depth_here = folder.depth() + 1;
        let beside = repo.files_in(&folder).iter().filter(|one| {
            one.depth() == depth_here
                && by.extensions.contains(&one.extension())
                && MOUNTERS.contains(&one.name().split('.').next().unwrap_or_default())
                && *one != file
        });
        for other in beside.take(MAX_FILES) {
            let Ok(text) = repo.text(other) else { continue };
            let Some((receiver, arguments)) = mounting(&text.text, file, by) else { continue };
            let path_of = |arguments: &str| match (by.path)(arguments) {
                Ok(path) => Some(path.to_owned()),
                Err(made) => constant(repo, service, &text.text, by, made),
            };
            let Some(path) = path_of(arguments) else { return Mount::Unknown };
            let made = assigned(&text.text, receiver).unwrap_or_default();
            if !(by.is_router)(made) {
                return Mount::Below(path);
            }
            // A router of Python may have a path of its own.
            let own = made.find('(').map_or("", |open| inside(&made[open..]).trim_start_matches('('));
            let Some(own) = path_of(own) else { return Mount::Unknown };
            let path = joined(&own, &path);
            return match below(repo, service, other, by, depth + 1) {
                Mount::Below(above) => Mount::Below(joined(&above, &path)),
                Mount::Unsaid => Mount::Below(path),
                Mount::Unknown => Mount::Unknown,
            };
        }
    }
    Mount::Unsaid
}

/// The text of a constant: `settings.API_PREFIX`, `f"{settings.API_PREFIX}"`, where the same file or one for settings
/// says it.
fn constant(repo: &Repo, service: &ServiceFacts, text: &str, by: &Framework, made: &str) -> Option<String> {
    const SETTINGS: &[&str] = &["config", "settings", "constants", "core"];
    let whole =
        made.strip_prefix("f\"{").and_then(|made| made.split_once("}\"")).map_or(made, |(name, _)| name);
    let dotted = whole.split(|c: char| !is_name(c) && c != '.').next()?;
    let name = dotted.rsplit('.').next().filter(|name| is_constant(name))?;
    let said = |text: &str| Some(literal(assigned(text, name)?)?.0.to_owned());
    let is_of_settings = |file: &&RepoPath| {
        by.extensions.contains(&file.extension())
            && (file.name().split('.').any(|word| SETTINGS.contains(&word))
                || file.parent().is_some_and(|folder| SETTINGS.contains(&folder.name())))
    };
    let settings = || {
        let files = repo.files_in(&service.path).iter().filter(is_of_settings).take(MAX_FILES);
        files.filter_map(|file| repo.text(file).ok()).find_map(|file| said(&file.text))
    };
    said(text).or_else(settings)
}

/// `API_V1_STR`, `config.API_PREFIX`.
fn is_constant(word: &str) -> bool {
    let name = word.rsplit('.').next().unwrap_or_default();
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The first call in a text that mounts what the module `file` has: on what it is called, and with what.
fn mounting<'t>(text: &'t str, file: &RepoPath, by: &Framework) -> Option<(&'t str, &'t str)> {
    let stem = file.name().rsplit_once('.').map_or(file.name(), |(stem, _)| stem);
    let folder = file.parent().unwrap_or_default();
    let module =
        if matches!(stem, "index" | "__init__") { folder.name().to_owned() } else { stem.to_owned() };
    let imported = imported(text, &module);
    let is_meant = |word: &str| word == module || imported.contains(word);
    for call in by.calls {
        for (at, _) in text.match_indices(call).take(MAX_CALLS) {
            let arguments = inside(cut(&text[at + call.len() - 1..], MAX_ARGUMENTS));
            // Between the strings.
            let code = arguments.split(['"', '\'', '`']).step_by(2);
            let words =
                code.flat_map(|code| code.split(|c: char| !is_name(c))).filter(|word| !word.is_empty());
            if words.take(40).any(is_meant)
                || arguments.contains(&format!("/{module}'"))
                || arguments.contains(&format!("/{module}\""))
            {
                let receiver = text[..at].rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
                return Some((receiver, arguments));
            }
        }
    }
    None
}

/// The words of the lines that import something from that module.
fn imported<'t>(text: &'t str, module: &str) -> BTreeSet<&'t str> {
    let is_import =
        |line: &&str| line.starts_with("from ") || line.starts_with("import ") || line.contains("require(");
    let ends = ["'", "\"", ".js'", ".js\""].map(|end| format!("/{module}{end}"));
    let words = |line: &'t str| line.split(|c: char| !is_name(c));
    let names_module = |line: &&'t str| {
        // A name with points is no word.
        ends.iter().any(|end| line.contains(end))
            || (line.starts_with("from ") && words(line).any(|word| word == module))
    };
    text.lines().filter(is_import).filter(names_module).flat_map(words).collect()
}

/// The prefix that the program gives to all its controllers.
fn nest(repo: &Repo, service: &ServiceFacts, file: &RepoPath, route: &str) -> Mount {
    const CALL: &str = ".setGlobalPrefix(";
    let is_in = |folder: &RepoPath| folder == &service.path || folder.is_in(&service.path);
    let mut mains = file.ancestors().skip(1).take_while(is_in).filter_map(|folder| folder.join("main.ts"));
    let Some(main) = mains.find(|main| repo.is_file(main)) else { return Mount::Unsaid };
    let Ok(text) = repo.text(&main) else { return Mount::Unsaid };
    let Some(at) = text.text.find(CALL) else { return Mount::Unsaid };
    let line = text.text[..at].rsplit('\n').next().unwrap_or_default();
    if line.trim_start().starts_with("//") {
        return Mount::Unsaid;
    }
    let arguments = inside(&text.text[at + CALL.len() - 1..]);
    let arguments = arguments.trim_start_matches('(');
    let first = route.trim_start_matches('/').split('/').next().unwrap_or_default();
    if arguments.split_once("exclude").is_some_and(|(_, excluded)| excluded.contains(first)) {
        return Mount::Below(String::new());
    }
    // `process.env.PREFIX || 'api'`
    let value =
        ["||", "??"].iter().find_map(|or| arguments.split_once(or)).map_or(arguments, |(_, value)| value);
    let path = literal(value).map(|(path, _)| path.to_owned());
    let path = path.or_else(|| constant(repo, service, &text.text, &EXPRESS, value.trim_start()));
    path.map_or(Mount::Unknown, Mount::Below)
}

/// The path of a route in `routes/api.php`, where the program says another one than `api` for that file.
fn laravel(repo: &Repo, file: &RepoPath, path: &str) -> Option<String> {
    let routes = file.parent().filter(|folder| folder.name() == "routes" && file.name() == "api.php")?;
    let root = routes.parent()?;
    let rest = path.strip_prefix("/api")?;
    let text = |name: &str| repo.text(&root.join(name)?).ok().map(|text| text.text);
    if let Some(prefix) = text("bootstrap/app.php").and_then(|text| {
        let (_, value) = text.split_once("apiPrefix:")?;
        literal(value).map(|(prefix, _)| prefix.to_owned())
    }) {
        return Some(joined(&prefix, rest));
    }
    let provider = text("app/Providers/RouteServiceProvider.php")?;
    let (before, _) = provider.split_once("routes/api.php")?;
    let statement = before.rsplit(';').next().unwrap_or_default();
    match statement.split_once("prefix(") {
        Some((_, value)) => literal(value).map(|(prefix, _)| joined(prefix, rest)),
        None => Some(rest.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    /// The paths of the health routes of a service with those files.
    fn paths(files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = "//- /shop/Dockerfile\nFROM x\nCOPY . .\n".to_owned();
        for (path, text) in files {
            tree += &format!("//- /shop/{path}\n{text}\n");
        }
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let facts = facts.services.into_iter().flat_map(|service| service.facts);
        facts
            .filter_map(|fact| match fact.what {
                What::Health { path, .. } => path,
                _ => None,
            })
            .collect()
    }

    const ROUTER: &str =
        "from fastapi import APIRouter\nrouter = APIRouter()\n\n@router.get(\"/health\")\ndef h(): ...\n";

    #[test]
    fn routers_of_python_stand_below_the_prefix_with_which_they_are_included() {
        let main = |call: &str| format!("from app.routers import health\napp = FastAPI()\n{call}\n");
        for (call, wanted) in [
            ("app.include_router(health.router)", vec!["/health"]),
            ("app.include_router(health.router, prefix=\"/api/v1\")", vec!["/api/v1/health"]),
            ("app.include_router(orders.router, prefix=\"/api/v1\")", vec!["/health"]),
            ("app.include_router(health.router, prefix=settings.PREFIX)", vec![]),
            ("app.include_router(health.router, prefix=settings.API_V1_STR)", vec!["/api/v1/health"]),
            ("app.include_router(health.router, prefix=f\"{settings.API_V1_STR}\")", vec!["/api/v1/health"]),
        ] {
            let settings = "class Settings(BaseSettings):\n    API_V1_STR: str = \"/api/v1\"".to_owned();
            let files = [
                ("app/main.py", main(call)),
                ("app/core/config.py", settings),
                ("app/routers/health.py", ROUTER.to_owned()),
            ];
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            assert_eq!(paths(&files), wanted, "{call}");
        }
        let nested = [
            (
                "app/main.py",
                "from app.api.v1 import router as api\napp = FastAPI()\napp.include_router(api, prefix='/api')",
            ),
            (
                "app/api/v1.py",
                "from .health import router as health_router\nrouter = APIRouter(prefix='/v1')\nrouter.include_router(health_router)",
            ),
            ("app/api/health.py", ROUTER),
        ];
        assert_eq!(paths(&nested), ["/api/v1/health"]);
        let flask = [
            (
                "src/app.py",
                "from src.api.routes import api_bp\ndef create_app():\n    app = Flask(__name__)\n    app.register_blueprint(api_bp, url_prefix='/api')",
            ),
            (
                "src/api/routes.py",
                "api_bp = Blueprint('api', __name__)\n\n@api_bp.route('/health')\ndef h(): ...",
            ),
        ];
        assert_eq!(paths(&flask), ["/api/health"]);
    }

    #[test]
    fn routers_of_express_stand_below_the_path_under_which_they_are_used() {
        let routes = (
            "src/routes/health.routes.js",
            "const router = express.Router();\nrouter.get('/health', h);\nmodule.exports = router;",
        );
        for (app, wanted) in [
            ("const health = require('./routes/health.routes');\napp.use('/api', health);", "/api/health"),
            (
                "import health from './routes/health.routes.js';\napp.use('/api/v1', auth, health);",
                "/api/v1/health",
            ),
            ("const health = require('./routes/health.routes');\napp.use(health);", "/health"),
            ("app.use('/api', require('./routes/health.routes'));", "/api/health"),
            ("const orders = require('./routes/orders.routes');\napp.use('/api', orders);", "/health"),
        ] {
            assert_eq!(paths(&[("src/app.js", app), routes]), [wanted], "{app}");
        }
    }

    #[test]
    fn controllers_of_nest_stand_below_the_prefix_of_the_program() {
        let health = (
            "src/health/health.controller.ts",
            "@Controller('health')\nexport class H {\n  @Get()\n  h() {}\n}",
        );
        for (main, wanted) in [
            ("app.listen(3000);", vec!["/health"]),
            ("app.setGlobalPrefix('api');", vec!["/api/health"]),
            ("app.setGlobalPrefix(process.env.PREFIX || 'api/v1');", vec!["/api/v1/health"]),
            ("app.setGlobalPrefix('api', { exclude: ['health'] });", vec!["/health"]),
            ("const GLOBAL_PREFIX = 'shop';\napp.setGlobalPrefix(GLOBAL_PREFIX);", vec!["/shop/health"]),
            ("app.setGlobalPrefix(config.prefix);", vec![]),
        ] {
            assert_eq!(paths(&[("src/main.ts", main), health]), wanted, "{main}");
        }
    }

    #[test]
    fn api_of_laravel_stands_below_the_path_that_the_program_says() {
        let routes = ("routes/api.php", "<?php\nRoute::get('/health', fn () => 1);");
        let provider = |chain: &str| {
            format!("<?php\nRoute::middleware('api'){chain}->group(base_path('routes/api.php'));")
        };
        let file = "app/Providers/RouteServiceProvider.php";
        assert_eq!(paths(&[routes]), ["/api/health"]);
        assert_eq!(paths(&[routes, (file, &provider("->prefix('api/v1')"))]), ["/api/v1/health"]);
        assert_eq!(paths(&[routes, (file, &provider(""))]), ["/health"]);
        assert_eq!(
            paths(&[routes, ("bootstrap/app.php", "<?php\n->withRouting(api: 'x', apiPrefix: 'shop')")]),
            ["/shop/health"]
        );
    }

    #[test]
    fn calls_that_never_end_and_imports_without_end_are_passed_over() {
        let app = format!("{}{}", "import x from 'y';\n".repeat(20_000), "app.use(a\n".repeat(60_000));
        let route = "const router = express.Router();\nrouter.get('/health', h);\n";
        assert_eq!(paths(&[("app.js", &app), ("routes/status.js", route)]), ["/health"]);
    }
}
