//! The images that a Tiltfile builds: context, Dockerfile and name of each; runs nothing of it.

use std::sync::LazyLock;

use regex::Regex;

use super::{Unit, UnitBuild};
use crate::model::path::RepoPath;

/// Whether a file of that path is one.
pub(super) fn may_be(file: &RepoPath) -> bool {
    file.name() == "Tiltfile" || file.extension() == "tiltfile"
}

static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\bdocker_build(?:_with_restart)?\(\s*(?:ref\s*=\s*)?["'](?P<image>[^"'\n]+)["']\s*,\s*(?:context\s*=\s*)?["'](?P<context>[^"'\n]+)["']"#).ok()
});
static OPTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\b(?P<name>dockerfile|target)\s*=\s*["'](?P<value>[^"'\n]+)["']"#).ok());

/// No call is longer.
const MAX_CALL: usize = 4_000;

/// One unit for each call that builds an image from a folder that is written down.
pub(super) fn units(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let lines = text.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    let (Some(call), Some(option)) = (CALL.as_ref(), OPTION.as_ref()) else { return Vec::new() };
    let calls = call.captures_iter(&text).filter_map(|found| {
        let end = found.get(0)?.end();
        let rest = &text[end..];
        let end = closing(rest);
        let options = || option.captures_iter(&rest[..end]);
        let value = |name: &str| {
            options().find(|found| &found["name"] == name).map(|found| found["value"].to_owned())
        };
        let context = folder.join(&found["context"])?;
        // Both are relative to the Tiltfile.
        let dockerfile = match value("dockerfile") {
            Some(path) => folder.join(&path)?,
            None => context.join("Dockerfile")?,
        };
        let build = UnitBuild { context, dockerfile, target: value("target"), args: Default::default() };
        let image = found["image"].to_owned();
        let name = image.rsplit('/').next()?.split([':', '@']).next()?.to_owned();
        Some(Unit { name, image, build: Some(build), ..Unit::default() })
    });
    calls.collect()
}

/// Where the call ends whose arguments the text continues.
fn closing(text: &str) -> usize {
    let mut open = 1;
    for (at, c) in text.char_indices().take(MAX_CALL) {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_name_image_context_and_dockerfile() {
        let text = "docker_build('shop/orders', './orders',\n  dockerfile='docker/orders.Dockerfile', live_update=[sync('.', '/app')],\n  target='run')\n\
            # docker_build('no', '.')\ndocker_build(\"users\", context=\"users\")\nk8s_resource('users', port_forwards=3000)\n";
        let shown = |unit: Unit| {
            let build = unit.build.expect("is built");
            format!("{} {} {} {:?}", unit.image, build.context, build.dockerfile, build.target)
        };
        let units: Vec<String> = units(text, &RepoPath::root()).into_iter().map(shown).collect();
        assert_eq!(
            units,
            [
                "shop/orders orders docker/orders.Dockerfile Some(\"run\")",
                "users users users/Dockerfile None"
            ]
        );
    }
}
