//! JavaScript and TypeScript: what the source says; manifests are read by `node_manifest`.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::Fact;
use crate::model::path::RepoPath;

use super::mounted;
use super::node_env;
use super::node_manifest;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern, Words, line_at, line_of, unquoted};

/// Source files.
pub const SOURCE: Detector = Detector {
    name: "node",
    extensions: &["js", "ts", "mjs", "cjs", "mts", "cts", "jsx", "tsx", "vue", "svelte", "astro"],
    wants: wants_source,
    read: read_source,
};
/// `package.json`.
pub const MANIFEST: Detector = Detector {
    name: "node-manifest",
    extensions: &["json"],
    wants: |path| path.name() == "package.json",
    read: node_manifest::read,
};
/// Prisma's schema and migrations.
pub const PRISMA: Detector = Detector {
    name: "node-prisma",
    extensions: &["prisma", "toml"],
    wants: |path| path.extension() == "prisma" || path.as_str().ends_with("migrations/migration_lock.toml"),
    read: read_prisma,
};

fn wants_source(path: &RepoPath) -> bool {
    matches!(
        path.extension(),
        "js" | "ts" | "mjs" | "cjs" | "mts" | "cts" | "jsx" | "tsx" | "vue" | "svelte" | "astro"
    ) && !is_noise(path)
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Script,
        ("node-literal", "node-env-call"),
        r#"process\.env|import\.meta|(?:Deno|Bun)\.env|\benv\.get\(|\.listen\(|bindAsync\(|serve\(|[cC]onfig\w*\.get|nconf\.|(?:dialect|provider|client|type)\s*:\s*["']|migrat|sync\(|createClient\(|@Controller\(|new Sequelize\(|\.db\("#,
        &[
            (
                "node-env",
                "env",
                r#"(?:process|import\.meta|Bun|import\.meta as any\))\.env\??\.(?P<name><key>)(?P<fails>!)?(?:\s*(?:,\s*10\s*)?\)?\s*(?:\|\||\?\?)\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "node-env",
                "env[",
                r#"process\.env\[\s*["'`](?P<name><key>)["'`]\s*\](?P<fails>!)?(?:\s*(?:\|\||\?\?)\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "node-env",
                "env.get(",
                r#"(?:Deno\.env|\benv)\.get\(\s*["'](?P<name><KEY>)["']\s*\)(?:\s*(?:\|\||\?\?)\s*(?P<default><lit>)|(?:\s*\.(?:default\(\s*(?P<default2><lit>)\s*\)|(?P<fails>required)\(\s*\)|\w+\([^()\n]*\)))+)?"#,
                Says::Env,
            ),
            ("node-env-function", "env[", r"process\.env\[\s*(?P<argument><key>)\s*\]", Says::Wrapper),
            (
                "node-config-get",
                "onfig",
                r#"\b\w*[cC]onfig\w*\.get(?:<[^>\n]*>)?\(\s*["'](?P<name><KEY>)["']\s*(?:,\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "node-config-get",
                "nconf",
                r#"\bnconf\.(?:get|(?P<fails>required))\(\s*\[?\s*["'](?P<name><KEY>)["']"#,
                Says::Env,
            ),
            (
                "node-config-get",
                "getOrThrow",
                r#"\.getOrThrow(?:<[^>\n]*>)?\(\s*["'](?P<name><KEY>)["']"#,
                Says::EnvOrFail,
            ),
            (
                "node-listen",
                ".listen(",
                r#"\.listen\(\s*(?:(?:\+|Number\(|parseInt\()?\s*process\.env\.(?P<variable><key>)\s*\)?\s*(?:\|\||\?\?)\s*)?(?P<port><lit>|[\w.]+)\s*(?:,\s*(?P<host><str>))?"#,
                Says::Listen,
            ),
            (
                "node-listen",
                ".listen(",
                r#"\.listen\(\s*\{[^}]*?\bport\s*:\s*(?P<port><lit>|[\w.]+)"#,
                Says::Listen,
            ),
            (
                "node-listen",
                ".listen(",
                r#"\.listen\(\s*\{[^}]*?\bhost(?:name)?\s*:\s*(?P<host><str>)"#,
                Says::Listen,
            ),
            (
                "node-listen",
                "serve(",
                r#"\bserve\(\s*(?:[\w.]+\s*,\s*)?\{[^}]*?\bport\s*:\s*(?P<port><lit>|[\w.]+)"#,
                Says::Listen,
            ),
            ("node-grpc-listen", "bindAsync(", r#"bindAsync\(\s*(?P<port><str>)"#, Says::ListenGrpc),
            (
                "node-route",
                ".get(|.all(|.use(|.head(",
                r#"\b(?:app|server|fastify|api|instance|express|hono|web)\.(?:get|all|use|head)\(\s*["'`](?P<path>/[^"'`\n]*)["'`]"#,
                Says::Route,
            ),
            (
                "node-route",
                "url",
                r#"\b(?:url|pathname|path)\s*={2,3}\s*["'](?P<path>/[^"'\n]*)["']"#,
                Says::Route,
            ),
            ("node-route", "case", r#"\bcase\s+["'](?:GET )?(?P<path>/[^"'\n]*)["']"#, Says::Route),
            (
                "node-route-mounted",
                ".get(|.all(|.use(",
                r#"\b\w*[rR]out(?:er|es?)\w*\.(?:get|all|use)\(\s*["'`](?P<path>/[^"'`\n]*)["'`]"#,
                Says::MountedRoute,
            ),
            (
                "node-route-mounted",
                ":",
                r#"\b(?:url|path)\s*:\s*["'](?P<path>/[^"'\n]*)["']"#,
                Says::MountedRoute,
            ),
            ("nest-route", "@Controller", r#"@Controller\(\s*["'](?P<path>[^"'\n]*)["']"#, Says::Route),
            ("nest-route", "@Get", r#"@Get\(\s*["'](?P<path>[^"'\n]*)["']"#, Says::MountedRoute),
            (
                "node-literal",
                "createClient(",
                r#"createClient\(\s*(?P<port>\d{3,5})\s*,\s*["'](?P<host>[\w.-]+)["']"#,
                Says::Host,
            ),
            (
                "node-literal",
                "Redis(",
                r#"new Redis\(\s*(?P<port>\d{3,5})\s*,\s*["'](?P<host>[\w.-]+)["']"#,
                Says::Host,
            ),
            (
                "node-dialect",
                ":",
                r#"\b(?:dialect|provider|client|type)\s*:\s*["'](?P<dialect>postgres|postgresql|pg|mysql2?|mariadb|mongodb|mongo|redis|cockroachdb|mssql)["']"#,
                Says::Dialect,
            ),
            (
                "node-database",
                "host",
                r#"\bhost\s*:[^{}]{0,400}?\bdatabase\s*:\s*["'](?P<database>[\w-]+)["']"#,
                Says::Database,
            ),
            (
                "node-database",
                "new Sequelize(",
                r#"\bnew Sequelize\(\s*["'](?P<database>[\w-]+)["']\s*,"#,
                Says::Database,
            ),
            (
                "node-mongo-database",
                ".db(",
                r#"(?i:mongo|client|conn)\w*\.db\(\s*["'`](?P<database>[\w-]+)["'`]"#,
                Says::DatabaseOf("mongodb"),
            ),
            (
                "node-grpc-health",
                "ealth",
                r"grpc-health-check|HealthImplementation|grpc\.health\.v1",
                Says::GrpcHealth,
            ),
            ("node-self-migration", "migrationsRun", r"migrationsRun\s*:\s*true", Says::Migrates("typeorm")),
            ("node-self-migration", "synchronize", r"synchronize\s*:\s*true", Says::Migrates("typeorm")),
            (
                "node-self-migration",
                "sync(",
                r"\bsequelize\.sync\(|\.sequelize\.sync\(",
                Says::Migrates("sequelize"),
            ),
            ("node-self-migration", "latest(", r"\.migrate\.latest\(", Says::Migrates("knex")),
        ],
    )
    .below(mounted::node)
});

/// `const { PORT = 3000, DATABASE_URL: url } = process.env`.
static DESTRUCTURED: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\{(?P<body>[^{}]+)\}\s*=\s*(?:process|import\.meta)\.env\b"));
static PRISMA_ENV: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r#"env\(\s*"(?P<name><key>)"\s*\)"#));
static PRISMA_PROVIDER: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"provider\s*=\s*"(?P<dialect>\w+)""#));

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    /// The variables under another name.
    static NAMED: Words = Words::new(&["= process.env", "= import.meta.env"]);
    let mut findings = Findings::new(source, facts);
    page_route(&mut findings);
    GRAMMAR.read(&mut findings);
    node_env::read(&mut findings);
    if NAMED.any(source.text) {
        destructured(&mut findings);
    }
}

fn destructured(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for found in DESTRUCTURED.all(text, usize::MAX).take(20) {
        let Some(body) = found.name("body") else { continue };
        let mut at = body.start();
        for item in body.as_str().split(',').take(200) {
            let line = line_at(text, at + (item.len() - item.trim_start().len()));
            at += item.len() + 1;
            let (name, default) =
                item.split_once('=').map_or((item, None), |(name, default)| (name, Some(default)));
            let name = name.split(':').next().unwrap_or_default().trim();
            let read = Read { name, default: default.and_then(unquoted), required: false };
            findings.env(line, "node-env", read);
        }
    }
}

/// Routes that are files: `app/api/health/route.ts`, `pages/api/health.ts`, `server/api/health.get.ts`.
fn page_route(findings: &mut Findings<'_, '_>) {
    let path = findings.source.path.as_str();
    let Some(at) = path.rfind("/api/") else { return };
    let (before, rest) = (&path[..at], &path[at..]);
    let folder = before.rsplit('/').next().unwrap_or_default();
    let stem = rest.split('.').next().unwrap_or_default();
    let route = match folder {
        "app" => stem.strip_suffix("/route"),
        "pages" | "server" => Some(stem.strip_suffix("/index").unwrap_or(stem)),
        _ => None,
    };
    if let Some(route) = route {
        findings.route(1, "node-page-route", route);
    }
}

fn read_prisma(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    if source.path.name() == "migration_lock.toml" {
        findings.migration(1, "prisma-migrations", "prisma", &["npx", "prisma", "migrate", "deploy"]);
        return;
    }
    let Some(start) = source.text.find("datasource ") else { return };
    let block = source.text[start..].split('}').next().unwrap_or_default();
    let first = line_at(source.text, start);
    if let Some(provider) = PRISMA_PROVIDER.first(block).and_then(|found| found.name("dialect")) {
        findings.dialect(first + line_of(block, "provider") - 1, "prisma-provider", provider.as_str());
    }
    for found in PRISMA_ENV.all(block, usize::MAX) {
        let Some(name) = found.name("name") else { continue };
        let line = first + line_at(block, name.start()) - 1;
        findings.env(line, "prisma-env", Read { name: name.as_str(), default: None, required: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST, PRISMA];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/src/server.ts", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(
            GRAMMAR.is_valid()
                && DESTRUCTURED.is_valid()
                && PRISMA_ENV.is_valid()
                && PRISMA_PROVIDER.is_valid()
        );
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("x = process.env.LEVEL;", "env LEVEL -"),
            ("x = process.env.LEVEL!;", "env LEVEL - required"),
            ("x = process.env.LEVEL || 'info';", "env LEVEL info"),
            ("x = process.env['LEVEL'] ?? \"info\";", "env LEVEL info"),
            ("x = import.meta.env.VITE_NAME", "env VITE_NAME -"),
            ("x = (import.meta as any).env?.VITE_NAME || 'a'", "env VITE_NAME a"),
            ("x = Deno.env.get('LEVEL') ?? 'info'", "env LEVEL info"),
            ("this.configService.get<string>('LEVEL', 'info')", "env LEVEL info"),
            ("config.getOrThrow('LEVEL')", "env LEVEL - required"),
            ("x = nconf.get('LEVEL')", "env LEVEL -"),
            ("nconf.required(['LEVEL'])", "env LEVEL - required"),
            ("const { LEVEL = 'info' } = process.env;", "env LEVEL info"),
            ("x = parseInt(process.env.MAX, 10) || 10", "env MAX 10"),
            ("x = env.get('LEVEL').default('info').asString()", "env LEVEL info"),
            ("x = env.get('LEVEL').required().asString()", "env LEVEL - required"),
            ("x = getEnv('LEVEL', 'info')", "env LEVEL info"),
            ("x = mustGetEnv('LEVEL')", "env LEVEL - required"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn calls_of_the_programs_own_reader_count() {
        let text = "function need(name) {\n  return process.env[name] || fail(name);\n}\nconst a = need('KEY_A');\n// need('KEY_B')\n";
        assert_eq!(say(ALL, "a/c.js", text), ["4 node-env-call env KEY_A - required"]);
    }

    #[test]
    fn ports_are_found() {
        for (text, wanted) in [
            ("app.listen(3000)", &["port 3000 Listen"][..]),
            ("app.listen(3000, '127.0.0.1')", &["listens 127.0.0.1", "port 3000 Listen"]),
            ("const p = 3001;\napp.listen(p, () => {})", &["port 3001 Listen"]),
            ("app.listen(process.env.PORT || 3000)", &["env PORT 3000", "port 3000 Listen by PORT"]),
            (
                "app.listen(process.env.HOOKS_PORT || 3006)",
                &["env HOOKS_PORT 3006", "port 3006 Listen by HOOKS_PORT"],
            ),
            (
                "app.listen(Number(process.env.HOOKS_PORT) || 3006)",
                &["env HOOKS_PORT 3006", "port 3006 Listen by HOOKS_PORT"],
            ),
            (
                "await fastify.listen({ port: 3000, host: '0.0.0.0' })",
                &["listens 0.0.0.0", "port 3000 Listen"],
            ),
            ("server.bindAsync('0.0.0.0:50051', creds)", &["listens 0.0.0.0", "port 50051 Listen Grpc"]),
            ("// app.listen(3000)", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_routes_are_found() {
        for (text, wanted) in [
            ("app.get('/health', h)", &["health Http /health"][..]),
            ("router.get(\"/healthz\", h)", &["health Http /healthz"]),
            ("@Controller('health')", &["health Http /health"]),
            ("if (req.url === '/ready') {", &["health Http /ready"]),
            ("app.post('/health', h)", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
        assert_eq!(what(ALL, "w/app/api/health/route.ts", ""), ["health Http /api/health"]);
    }

    #[test]
    fn addresses_in_the_code_are_found() {
        for (text, wanted) in [
            ("axios.get('http://accounts:3001/users')", &["ref http|accounts|3001|- via -"][..]),
            ("axios.get(`http://accounts:3001/users/${id}`)", &["ref http|accounts|3001|- via -"]),
            ("createClient({ host: 'cache', port: 6379 })", &["ref |cache|6379|- via -"]),
            ("redis.createClient(6379, 'cache')", &["ref |cache|6379|- via -"]),
            ("see('https://www.w3.org/2000/svg')", &[]),
            (
                "x = process.env.A_URL || 'http://a:80'",
                &["env A_URL http://a:80", "ref http|a|80|- via A_URL"],
            ),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn prisma_names_its_database_and_variable() {
        let text = "generator client {\n}\ndatasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n";
        assert_eq!(
            say(ALL, "a/prisma/schema.prisma", text),
            ["4 prisma-provider driver postgres postgresql", "5 prisma-env env DATABASE_URL - required"]
        );
        assert_eq!(
            what(ALL, "a/prisma/migrations/migration_lock.toml", ""),
            ["migration prisma [npx prisma migrate deploy]"]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.js", "a/package.json", "a/schema.prisma"]);
    }
}
