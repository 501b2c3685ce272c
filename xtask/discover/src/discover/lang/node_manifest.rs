//! `package.json`: libraries, frameworks, scripts and the package's name.

use std::sync::LazyLock;

use serde_json::Value;

use crate::discover::Source;
use crate::discover::findings::Findings;
use crate::model::fact::{Fact, PortSource};

use super::scan::{Pattern, line_of};

/// Package, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("express", "express", None),
    ("fastify", "fastify", None),
    ("koa", "koa", None),
    ("hono", "hono", None),
    ("@hapi/hapi", "hapi", None),
    ("restify", "restify", None),
    ("@nestjs/core", "nestjs", None),
    ("@nestjs/microservices", "nestjs-microservices", None),
    ("moleculer", "moleculer", None),
    ("apollo-server", "apollo", Some(4000)),
    ("@apollo/server", "apollo", None),
    ("@apollo/gateway", "apollo-gateway", None),
    ("socket.io", "socket.io", None),
    ("@grpc/grpc-js", "grpc", None),
    ("express-gateway", "express-gateway", None),
    ("http-proxy-middleware", "http-proxy", None),
    ("http-proxy", "http-proxy", None),
    ("bull", "bull", None),
    ("bullmq", "bullmq", None),
    ("agenda", "agenda", None),
    ("next", "next", Some(3000)),
    ("nuxt", "nuxt", Some(3000)),
    ("@remix-run/node", "remix", Some(3000)),
    ("@sveltejs/kit", "sveltekit", Some(3000)),
    ("gatsby", "gatsby", None),
    ("astro", "astro", None),
    ("react-scripts", "react", Some(3000)),
    ("react", "react", None),
    ("vue", "vue", None),
    ("svelte", "svelte", None),
    ("@angular/core", "angular", None),
    ("@angular/cli", "angular", Some(4200)),
    ("@vue/cli-service", "vue", Some(8080)),
    ("vite", "vite", Some(5173)),
    ("@strapi/strapi", "strapi", Some(1337)),
    ("json-server", "json-server", Some(3000)),
];

/// Package, tool and the command that brings the database up to date.
const MIGRATIONS: &[(&str, &str, &[&str])] = &[
    ("knex", "knex", &["npx", "knex", "migrate:latest"]),
    ("sequelize-cli", "sequelize", &["npx", "sequelize-cli", "db:migrate"]),
    ("node-pg-migrate", "node-pg-migrate", &["npx", "node-pg-migrate", "up"]),
    ("db-migrate", "db-migrate", &["npx", "db-migrate", "up"]),
    ("migrate-mongo", "migrate-mongo", &["npx", "migrate-mongo", "up"]),
    ("drizzle-kit", "drizzle", &["npx", "drizzle-kit", "migrate"]),
    ("@mikro-orm/cli", "mikro-orm", &["npx", "mikro-orm", "migration:up"]),
];

/// Names of scripts that bring the database up to date.
const MIGRATION_SCRIPTS: &[&str] = &[
    "migrate",
    "db:migrate",
    "migrate:up",
    "migrate:latest",
    "migration:run",
    "migrations:run",
    "typeorm:migrate",
    "migrate:deploy",
    "db:deploy",
    "prisma:migrate:deploy",
];

/// More dependencies or scripts are no manifest that a person wrote.
const MAX_ITEMS: usize = 1000;

static SCRIPT_PORT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"(?:(?:^|\s)(?:-p|--port)[= ]|\bPORT=)(?P<port>\d{2,5})\b"));

/// Adds what a `package.json` says.
pub(super) fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let Ok(manifest) = serde_json::from_str::<Value>(source.text) else { return };
    let mut findings = Findings::new(source, facts);
    if let Some(name) = manifest.get("name").and_then(Value::as_str) {
        let line = line_of(source.text, "\"name\"");
        findings.alias(line, "node-package-name", name.rsplit('/').next().unwrap_or(name));
    }
    // The development server of a frontend passes requests on.
    let proxies = manifest.get("proxy").into_iter().flat_map(|proxy| match proxy {
        Value::Object(map) => map.values().filter_map(|to| to.get("target").or(Some(to))).collect(),
        other => vec![other],
    });
    for proxy in proxies.filter_map(Value::as_str).take(50) {
        findings.literal(line_of(source.text, "\"proxy\""), "node-dev-proxy", proxy);
    }
    let scripts = texts(&manifest, "scripts");
    for (section, dev_only) in
        [("dependencies", false), ("optionalDependencies", false), ("devDependencies", true)]
    {
        for (package, _) in texts(&manifest, section).into_iter().take(MAX_ITEMS) {
            dependency(&mut findings, package, dev_only, &scripts);
        }
    }
    for (name, script) in scripts.into_iter().take(MAX_ITEMS) {
        read_script(&mut findings, name, script);
    }
}

fn texts<'m>(manifest: &'m Value, section: &str) -> Vec<(&'m str, &'m str)> {
    let section = manifest.get(section).and_then(Value::as_object);
    section
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
        .collect()
}

fn dependency(findings: &mut Findings<'_, '_>, package: &str, dev_only: bool, scripts: &[(&str, &str)]) {
    let line = line_of(findings.source.text, &format!("\"{package}\":"));
    findings.package(line, "node-dependency", "node", (package, &[]), dev_only);
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| *known == package) {
        findings.framework(line, "node-framework", framework);
        if let Some(port) = port {
            findings.port(line, "node-framework-port", *port, PortSource::FrameworkDefault, Some("PORT"));
        }
    }
    if let Some((_, tool, command)) = MIGRATIONS.iter().find(|(known, ..)| *known == package) {
        // Knex is a query builder too: only a script says that it migrates.
        let used = scripts.iter().any(|(_, script)| script.contains("migrat"));
        if used && !scripts.iter().any(|(name, _)| MIGRATION_SCRIPTS.contains(name)) {
            findings.migration(line, "node-migration-tool", tool, command);
        }
    }
}

fn read_script(findings: &mut Findings<'_, '_>, name: &str, script: &str) {
    let line = line_of(findings.source.text, &format!("\"{name}\":"));
    let starts = matches!(
        name,
        "start" | "serve" | "start:prod" | "prod" | "production" | "dev" | "start:dev" | "preview"
    );
    if starts
        && let Some(port) =
            SCRIPT_PORT.first(script).and_then(|found| found.name("port")?.as_str().parse().ok())
    {
        let variable = script.contains("PORT=").then_some("PORT");
        let source = if name.contains("dev") || name == "preview" {
            PortSource::FrameworkDefault
        } else {
            PortSource::FrameworkConfig
        };
        findings.port(line, "node-script-port", port, source, variable);
    }
    if name == "start"
        && ["migrate deploy", "migrate:latest", "db:migrate", "migration:run", "db push"]
            .iter()
            .any(|does| script.contains(does))
    {
        findings.migration(line, "node-start-migrates", tool_of(script), &[]);
    } else if MIGRATION_SCRIPTS.contains(&name)
        && !script.contains("migrate dev")
        && !script.contains("create")
    {
        findings.migration(line, "node-migration-script", tool_of(script), &["npm", "run", name]);
    }
}

/// The tool that a script calls.
fn tool_of(script: &str) -> &'static str {
    const TOOLS: &[&str] = &[
        "prisma",
        "knex",
        "typeorm",
        "sequelize",
        "drizzle",
        "node-pg-migrate",
        "db-migrate",
        "migrate-mongo",
        "mikro-orm",
    ];
    TOOLS.iter().find(|tool| script.contains(**tool)).copied().unwrap_or("npm")
}

#[cfg(test)]
mod tests {
    use crate::discover::lang::node::MANIFEST;
    use crate::discover::lang::testing::{say, what};

    #[test]
    fn manifest_names_libraries_frameworks_and_the_package() {
        let text = r#"{
  "name": "@shop/accounts",
  "dependencies": {
    "express": "^4",
    "pg": "8"
  },
  "devDependencies": { "ioredis": "5" }
}"#;
        assert_eq!(
            say(&[MANIFEST], "a/package.json", text),
            [
                "2 node-package-name alias accounts",
                "4 node-framework framework express",
                "5 node-dependency driver postgres pg",
                "7 node-dependency driver redis ioredis dev",
            ]
        );
    }

    #[test]
    fn a_development_proxy_names_its_target() {
        for text in
            [r#"{"proxy":"http://backend:3000"}"#, r#"{"proxy":{"/api":{"target":"http://backend:3000"}}}"#]
        {
            assert_eq!(what(&[MANIFEST], "a/package.json", text), ["ref http|backend|3000|- via -"]);
        }
    }

    #[test]
    fn scripts_name_ports_and_migrations() {
        let text = r#"{"dependencies":{"next":"14"},"scripts":{"start":"next start -p 3100","db:migrate":"knex migrate:latest"}}"#;
        assert_eq!(
            what(&[MANIFEST], "a/package.json", text),
            [
                "framework next",
                "port 3000 FrameworkDefault by PORT",
                "migration knex [npm run db:migrate]",
                "port 3100 FrameworkConfig",
            ]
        );
    }
}
