//! What `up --watch` does for services of many kinds, from their files to the rules.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::model::stack::{HotReload, ReloadAction};
use crate::plan::{Context, plan};
use xtask_base::repo::Repo;
use xtask_discover::discover::{Scope, discover};

/// A service of these files in `api/`.
fn reload(files: &[(&str, &str)]) -> HotReload {
    let tree: String = files.iter().map(|(name, text)| format!("//- /api/{name}\n{text}\n")).collect();
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("can be read");
    let stack = plan(&facts, &catalog, &Config::default(), &Context::default()).expect("can be planned");
    let api = stack.containers.into_iter().find(|container| container.name == "api").expect("is a service");
    api.reload.expect("there is something to watch")
}

/// Path and action of each rule.
fn shown(reload: &HotReload) -> BTreeMap<&str, String> {
    let action = |action: &ReloadAction| match action {
        ReloadAction::Rebuild => "rebuild".to_owned(),
        ReloadAction::Sync { target } => format!("sync {target}"),
        ReloadAction::SyncRestart { target } => format!("sync+restart {target}"),
    };
    reload.rules.iter().map(|rule| (rule.path.as_str(), action(&rule.action))).collect()
}

fn node(dockerfile: &str) -> HotReload {
    reload(&[("Dockerfile", dockerfile), ("package.json", "{}"), ("src/main.js", "x")])
}

const NODE: &str = "FROM node:20-slim\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY src ./src\n";

#[test]
fn an_interpreted_service_gets_its_files_copied_and_a_manifest_builds_anew() {
    let found = node(&format!("{NODE}USER node\nCMD [\"node\", \"src/main.js\"]\n"));
    let rules = shown(&found);
    assert_eq!(rules["api/src"], "sync+restart /app/src");
    assert_eq!(
        (rules["api/package.json"].as_str(), rules["api/Dockerfile"].as_str()),
        ("rebuild", "rebuild")
    );
    assert_eq!(rules.len(), 3);
    assert_eq!(found.why, "its files run as they are copied into the image");
}

#[test]
fn what_sees_changes_by_itself_does_not_restart() {
    for command in ["npx nodemon src/main.js", "node --watch src/main.js", "next dev", "vite --host"] {
        let found = node(&format!("{NODE}CMD {command}\n"));
        assert_eq!(shown(&found)["api/src"], "sync /app/src", "{command}");
    }
    let php = reload(&[
        ("Dockerfile", "FROM php:8.3-apache\nCOPY public/ /var/www/html/\n"),
        ("composer.json", "{}"),
        ("public/index.php", "x"),
    ]);
    assert_eq!(shown(&php)["api/public"], "sync /var/www/html");
    let pages = reload(&[
        (
            "Dockerfile",
            "FROM nginx:1.26\nCOPY nginx.conf /etc/nginx/nginx.conf\nCOPY html /usr/share/nginx/html\n",
        ),
        ("nginx.conf", "x"),
        ("html/index.html", "x"),
    ]);
    assert_eq!(shown(&pages)["api/html"], "sync /usr/share/nginx/html");
    assert_eq!(shown(&pages)["api/nginx.conf"], "sync+restart /etc/nginx/nginx.conf");
}

#[test]
fn a_user_that_the_engine_does_not_find_means_building_anew() {
    let why = |user: &str, base: &str| {
        let text = NODE.replace("node:20-slim", base);
        node(&format!("{text}{user}\nCMD [\"node\", \"src/main.js\"]\n")).why
    };
    let copied = "its files run as they are copied into the image";
    assert_eq!(why("USER node", "registry.example.org/team/base:1"), copied);
    assert_eq!(why("USER 1000", "node:20-slim"), copied);
    assert_eq!(why("RUN adduser --uid 5001 app\nUSER 5001", "docker.io/library/node:20"), copied);
    assert_eq!(why("USER 10001", "node:20-slim"), "the image has no name for the user 10001");
    assert_eq!(
        why("USER 10001:10001", "node:20-slim"),
        "the engine cannot copy files in for the user 10001:10001"
    );
    assert_eq!(
        why("USER node:node", "node:20-slim"),
        "the engine cannot copy files in for the user node:node"
    );
    assert_eq!(
        why("", "cgr.dev/chainguard/node:latest"),
        "whom the base image cgr.dev/chainguard/node:latest runs as is not known"
    );
    assert_eq!(why("USER $APP_USER", "node:20-slim"), copied, "an empty USER is that of the base image");
}

#[test]
fn what_is_worked_on_after_it_was_copied_is_built_anew() {
    let build = node(&format!("{NODE}RUN npm run build\nCMD [\"node\", \"src/main.js\"]\n"));
    assert_eq!(shown(&build)["api/src"], "rebuild");
    assert_eq!(build.why, "`RUN npm run build` works on what was copied");
    let made = node(&format!("{NODE}CMD [\"node\", \"dist/main.js\"]\n"));
    assert_eq!(made.why, "it starts dist/main.js, which is made from the sources");
    let python = |run: &str| {
        let text = format!(
            "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN {run}\nCMD [\"python\", \"main.py\"]\n"
        );
        reload(&[("Dockerfile", &text), ("requirements.txt", "flask"), ("main.py", "x")])
    };
    assert_eq!(
        shown(&python("pip install -r requirements.txt && chown -R 1 /app"))["api"],
        "sync+restart /app"
    );
    assert_eq!(shown(&python("pip install -e ."))["api"], "sync+restart /app");
    let packed = python("pip install .");
    assert_eq!(shown(&packed)["api"], "rebuild");
    assert_eq!(packed.rules.len(), 1, "a folder that is built anew needs no rules for its manifests");
    assert_eq!(packed.rules[0].ignore[0], "**/__pycache__");
}

#[test]
fn a_compiled_service_is_built_anew_from_all_its_stages() {
    let found = reload(&[
        (
            "Dockerfile",
            "FROM golang:1.24 AS build\nCOPY go.mod ./\nCOPY cmd ./cmd\nRUN go build ./cmd\nFROM scratch\nCOPY --from=build /x /x\n",
        ),
        ("go.mod", "module api"),
        ("cmd/main.go", "package main"),
    ]);
    let rules = shown(&found);
    assert_eq!(rules.keys().copied().collect::<Vec<_>>(), ["api/Dockerfile", "api/cmd", "api/go.mod"]);
    assert!(rules.values().all(|action| action == "rebuild"));
    assert_eq!(found.why, "it is compiled");
}
