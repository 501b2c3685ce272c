//! What is fed with texts that nobody wrote by hand: one function for each family of parsers of our own. The bounded test
//! beside this file and the targets of `cargo fuzz` in `fuzz/` call the same functions; nothing here is random.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use xtask::apply::merge::{Kind, three_way};
use xtask::catalog::Catalog;
use xtask::config::Config;
use xtask::discover::url::references;
use xtask::discover::{Scope, discover};
use xtask::model::files::Files;
use xtask::plan::{self, plan};
use xtask::render::{Layout, render};
use xtask::repo::{Repo, git_index};
use xtask::run::dotenv;
use xtask::run::scenario::parse;

/// One family of parsers.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// As `cargo fuzz run` takes it.
    pub(crate) name: &'static str,
    /// Takes any bytes; panics where something is wrong.
    pub(crate) run: fn(&[u8]),
    /// The files that it reads; the first byte of an input chooses one.
    pub(crate) paths: &'static [&'static str],
}

/// All of them.
pub(crate) const ALL: &[Target] = &[
    Target { name: "dockerfile", run: dockerfile, paths: DOCKERFILES },
    Target { name: "env_file", run: env_file, paths: ENV_FILES },
    Target { name: "documents", run: documents, paths: DOCUMENTS },
    Target { name: "proxies", run: proxies, paths: PROXIES },
    Target { name: "frameworks", run: frameworks, paths: FRAMEWORKS },
    Target { name: "deployments", run: deployments, paths: DEPLOYMENTS },
    Target { name: "sources", run: sources, paths: SOURCES },
    Target { name: "manifests", run: manifests, paths: MANIFESTS },
    Target { name: "url", run: url, paths: &["url"] },
    Target { name: "git_index", run: index_of_git, paths: &["index"] },
    Target { name: "merge_yaml", run: merge_yaml, paths: &["docker-compose.yml"] },
    Target { name: "merge_env", run: merge_env, paths: &[".env.example"] },
    Target { name: "dotenv", run: env_of_the_setup, paths: &[".env.example"] },
    Target { name: "config", run: config, paths: &["config.yaml"] },
    Target { name: "scenario", run: scenario, paths: &["smoke.yaml"] },
    Target { name: "catalog", run: catalog, paths: &["postgres.yaml"] },
];

const DOCKERFILES: &[&str] = &["api/Dockerfile", "other/build.Dockerfile", "api/.dockerignore"];
const ENV_FILES: &[&str] = &["api/.env.example", ".env.example", "api/.env.docker"];
const DOCUMENTS: &[&str] = &[
    "workspace/output/architecture/architecture.md",
    "api/README.md",
    "README.md",
    "docs/architecture.md",
    "prompts/develop/guideline.md",
    "workspace/output/services/api/service.md",
];
const PROXIES: &[&str] = &[
    "gate/nginx.conf",
    "gate/Caddyfile",
    "gate/haproxy.cfg",
    "gate/httpd.conf",
    "gate/envoy.yaml",
    "gate/traefik.yml",
    "gate/krakend.json",
    "gate/vite.config.ts",
    "gate/src/setupProxy.js",
    "gate/prometheus.yml",
];
const FRAMEWORKS: &[&str] = &[
    "api/src/main/resources/application.yml",
    "api/src/main/resources/application.properties",
    "api/src/main/resources/bootstrap.yml",
    "api/appsettings.json",
    "api/config/default.json",
    "api/config/config.yaml",
    "api/config.toml",
    "api/src/main/resources/application.conf",
    "api/config/custom-environment-variables.json",
    "api/config/packages/doctrine.yaml",
];
const DEPLOYMENTS: &[&str] = &[
    "docker-compose.yml",
    "k8s/api.yaml",
    "chart/values.yaml",
    "skaffold.yaml",
    "Procfile",
    ".devcontainer/devcontainer.json",
    ".github/workflows/ci.yml",
];
const SOURCES: &[&str] = &[
    "api/main.py",
    "api/server.ts",
    "api/index.js",
    "api/main.go",
    "api/config.go",
    "api/main.cpp",
    "api/src/main.rs",
    "api/src/configuration.rs",
    "api/settings.py",
    "api/src/Main.java",
    "api/src/Main.kt",
    "api/Program.cs",
    "api/config/database.php",
    "api/app.rb",
    "api/config/runtime.exs",
];
const MANIFESTS: &[&str] = &[
    "api/package.json",
    "api/requirements.txt",
    "api/pyproject.toml",
    "api/go.mod",
    "api/Cargo.toml",
    "api/pom.xml",
    "api/build.gradle",
    "api/Api.csproj",
    "api/composer.json",
    "api/Gemfile",
    "api/mix.exs",
    "api/prisma/schema.prisma",
    "api/schema.sql",
];

/// `FROM` and a port, so that there is always something to plan.
const AROUND: &str = "//- /api/Dockerfile\nFROM debian:12-slim\nCOPY . /app\nEXPOSE 3000\n\
    //- /gate/Dockerfile\nFROM nginx:1.26\nCOPY . /etc/nginx\n//- /chart/Chart.yaml\nname: api\n";

pub(crate) fn dockerfile(data: &[u8]) {
    in_tree(data, DOCKERFILES);
}

pub(crate) fn env_file(data: &[u8]) {
    in_tree(data, ENV_FILES);
}

pub(crate) fn documents(data: &[u8]) {
    in_tree(data, DOCUMENTS);
}

pub(crate) fn proxies(data: &[u8]) {
    in_tree(data, PROXIES);
}

pub(crate) fn frameworks(data: &[u8]) {
    in_tree(data, FRAMEWORKS);
}

pub(crate) fn deployments(data: &[u8]) {
    in_tree(data, DEPLOYMENTS);
}

pub(crate) fn sources(data: &[u8]) {
    in_tree(data, SOURCES);
}

pub(crate) fn manifests(data: &[u8]) {
    in_tree(data, MANIFESTS);
}

pub(crate) fn url(data: &[u8]) {
    let (via, text) = cut(data);
    for line in text.lines() {
        for reference in references(line, [None, Some("DATABASE_URL"), Some("API_HOST")][via % 3]) {
            assert!(!reference.host.contains(char::is_control), "{reference:?}");
        }
    }
}

pub(crate) fn index_of_git(data: &[u8]) {
    let index = data.get(1..).unwrap_or_default();
    if let Some(paths) = git_index::paths(index) {
        assert!(paths.iter().all(|path| !path.is_empty() && !path.contains('\0')), "{paths:?}");
        assert!(paths.len() <= index.len() / 62, "more paths than entries: {}", paths.len());
    }
}

pub(crate) fn merge_yaml(data: &[u8]) {
    merge(Kind::Yaml, data);
}

pub(crate) fn merge_env(data: &[u8]) {
    merge(Kind::Env, data);
}

/// Reads and completes an environment file; what it says is not lost.
pub(crate) fn env_of_the_setup(data: &[u8]) {
    let (_, text) = cut(data);
    let (text, example) =
        text.split_once("\n====\n").unwrap_or((&text, "A=1\n# [generated: 8 hex characters]\nB=\n"));
    let hex = |digits: usize| Ok("0".repeat(digits.min(64)));
    let made = dotenv::create(example, "shop", hex);
    assert!(made.is_ok());
    if let Ok((completed, _)) = dotenv::complete(text, example, "shop", hex) {
        assert!(completed.starts_with(text.trim_end_matches('\n')), "{completed:?}");
        let (again, added) = dotenv::complete(&completed, example, "shop", hex).unwrap_or_default();
        assert_eq!((again, added), (completed, Vec::new()), "a second run changes nothing");
    }
    let set = dotenv::set(text, &[("NEW_ONE".to_owned(), "1".to_owned())], "Tried.");
    assert_eq!(dotenv::value(&set, "NEW_ONE").as_deref(), Some("1"));
    let _ = dotenv::placeholders(text, example);
}

pub(crate) fn config(data: &[u8]) {
    let _ = Config::parse("integration/config.yaml", &cut(data).1);
}

pub(crate) fn scenario(data: &[u8]) {
    let _ = parse(&cut(data).1, "tests/smoke/x.yaml");
}

pub(crate) fn catalog(data: &[u8]) {
    let _ = Catalog::load(&[("integration/catalog/x.yaml".to_owned(), cut(data).1)]);
}

/// The first byte as a number, the others as text.
fn cut(data: &[u8]) -> (usize, String) {
    let (first, rest) = data.split_first().map_or((0, data), |(first, rest)| (*first, rest));
    (usize::from(first), String::from_utf8_lossy(rest).into_owned())
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load(&[]).unwrap_or_default());

/// Reads the text as one of `paths` in a small monorepo, and generates a setup from what it says.
fn in_tree(data: &[u8], paths: &[&str]) {
    let (first, text) = cut(data);
    let path = paths[first % paths.len()];
    // A line that begins like this would begin another file.
    let text = text.replace("//- ", "//. ").replace('\0', "\u{fffd}");
    let repo = Repo::from_fixture(&format!("{AROUND}//- /{path}\n{text}"));
    let Ok(facts) = discover(&repo, &CATALOG, &Scope::default()) else { return };
    let context = plan::Context { folder: "shop".to_owned(), ..plan::Context::default() };
    let Ok(stack) = plan(&facts, &CATALOG, &Config::default(), &context) else { return };
    let files = render(&stack, &Layout::default());
    let containers: BTreeSet<&str> = stack.containers.iter().map(|one| one.name.as_str()).collect();
    check(&files, &containers);
}

/// Nothing of the input has left its place: the file has the containers that were planned and no other.
fn check(files: &Files, containers: &BTreeSet<&str>) {
    let compose = files.get("docker-compose.yml").unwrap_or_default();
    let read: serde_yaml::Value = match serde_yaml::from_str(compose) {
        Ok(read) => read,
        Err(why) => panic!("{why}\n{compose}"),
    };
    let services = read.get("services").and_then(serde_yaml::Value::as_mapping);
    let named: BTreeSet<&str> =
        services.into_iter().flatten().filter_map(|(name, _)| name.as_str()).collect();
    assert_eq!(&named, containers);
    for (name, text) in files.iter() {
        let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(!text.contains(strange) || name.starts_with("tests/smoke/"), "{name}: {text:?}");
        if name.starts_with("docker-compose") {
            assert_eq!(expanded(text), None, "{text}");
        }
        if name.ends_with(".yml") || name.ends_with("connectivity.yaml") {
            assert!(serde_yaml::from_str::<serde_yaml::Value>(text).is_ok(), "{name}: {text}");
        }
        if name == ".env.example" {
            for line in text.lines().filter(|line| !line.is_empty()) {
                let line = line.strip_prefix("# ").unwrap_or(line);
                let is_setting = line
                    .split_once('=')
                    .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
                assert!(
                    is_setting || text.contains(&format!("# {line}")) || line.starts_with('#'),
                    "{line:?}"
                );
            }
        }
    }
}

/// What Compose would not take: a `$` that begins neither a variable of ours nor stands for itself.
fn expanded(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        match rest.as_bytes().get(at + 1) {
            Some(b'$' | b'{') => rest = &rest[at + 2..],
            _ => return Some(rest[at..].lines().next().unwrap_or_default()),
        }
    }
    None
}

/// Merges three parts of the text; where that is possible, the result reads like any file of its kind.
fn merge(kind: Kind, data: &[u8]) {
    let (_, text) = cut(data);
    let mut parts = text.split("\n====\n");
    let mut part = || parts.next().unwrap_or_default();
    let (base, current, new) = (part(), part(), part());
    let none = BTreeSet::new();
    if let Ok(merged) = three_way(kind, base, current, new, &none) {
        // A file that was broken before stays so.
        let reads = |text: &str| serde_yaml::from_str::<serde_yaml::Value>(text).is_ok();
        let is_sound = kind == Kind::Yaml && [base, current, new].into_iter().all(reads);
        assert!(!is_sound || reads(&merged.text), "{}", merged.text);
    }
    // What nobody edited becomes what is new.
    if let Ok(merged) = three_way(kind, base, base, base, &none) {
        assert_eq!(merged.text, base);
        assert!(merged.conflicts.is_empty());
    }
}
