//! What the scripts of a package.json call, and whether a stage of an image installs its packages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::fact::Image;

/// The text of a script of the nearest package.json, with those that run before and after it, and that they call; each
/// once.
pub(in crate::discover) fn scripts(manifest: &Value, name: &str, steps: usize) -> String {
    let text = |name: &str| -> &str {
        manifest
            .get("scripts")
            .and_then(|scripts| scripts.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let mut seen = BTreeSet::from([name]);
    let mut level = vec![name];
    let mut all = String::new();
    for _ in 0..=steps {
        let mut next = Vec::new();
        for name in level {
            for part in [text(&format!("pre{name}")), text(name), text(&format!("post{name}"))] {
                all.push_str(part);
                all.push('\n');
                next.extend(called_scripts(part).filter(|called| seen.insert(called)));
            }
        }
        level = next;
    }
    all
}

/// The names behind `npm run`, `yarn` and their like in a command.
pub(in crate::discover) fn called_scripts(text: &str) -> impl Iterator<Item = &str> {
    let words: Vec<&str> =
        text.split([' ', '\n', '\t', '"', '\'', ',']).filter(|word| !word.is_empty()).collect();
    let found: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(_, word)| matches!(**word, "npm" | "yarn" | "pnpm"))
        .filter_map(|(at, _)| {
            let next = *words.get(at + 1)?;
            if next == "run" { words.get(at + 2).copied() } else { Some(next) }
        })
        .collect();
    found.into_iter()
}

/// Whether the modules of a stage, wherever they lie there, are among what was taken.
pub(super) fn brings(taken: &[&str], modules: &str) -> bool {
    let is_modules = |path: &&str| path.trim_end_matches('/').ends_with("node_modules");
    let is_whole = |path: &&str| {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        !path.contains("node_modules")
            && (modules.starts_with(path.trim_end_matches('/'))
                || ["app", "src", ".", "workspace"].contains(&last))
    };
    taken.iter().any(|path| is_modules(path) || is_whole(path))
}

/// Whether a stage installs packages: `Some(true)` where those for development are among them.
pub(super) fn installs(image: &Image) -> Option<bool> {
    const INSTALL: &[&str] = &[
        "npm ci",
        "npm install",
        "npm i ",
        "yarn install",
        "yarn --",
        "pnpm install",
        "pnpm i ",
        "pnpm deploy",
    ];
    let is_install = |run: &&String| {
        let global = run.contains("-g ") || run.contains("--global");
        let bare =
            run.trim_end().ends_with("yarn") || run.trim_end().ends_with("npm i") || run.contains("yarn &&");
        !global && (bare || INSTALL.iter().any(|install| run.contains(install)))
    };
    let run = image.runs.iter().rfind(is_install)?;
    let left_out = ["--omit=dev", "--omit dev", "--production", "--only=prod", "--prod", " -P", "--no-dev"];
    let asked = run.contains("--include=dev") || run.contains("--production=false");
    let by_environment = image.env.iter().any(|(name, value, _)| name == "NODE_ENV" && value == "production");
    let pruned = image.runs.iter().any(|run| run.contains(" prune"));
    Some(asked || !(left_out.iter().any(|flag| run.contains(flag)) || by_environment || pruned))
}
