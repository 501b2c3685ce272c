//! The images that the services' Dockerfiles begin with, for the moment when one of them cannot be had: then all of
//! that kind are named at once. Asks registries, and pulls nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::run::docker::{Docker, last_lines};
use crate::run::images::{self, Refused};
use crate::run::setup::{Setup, read_text};
use crate::run::spec::ServiceSpec;

/// How long a registry may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// A base image and where a Dockerfile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// `node:20-slim`
    pub image: String,
    /// `workspace/code/api/Dockerfile:1`
    pub at: String,
}

/// The base images of these services that are not here and that no registry gives.
///
/// # Errors
/// When the engine does not answer.
pub fn unobtainable(docker: &Docker, setup: &Setup, services: &[&ServiceSpec]) -> Result<Vec<Refused>> {
    let mut bases: Vec<Base> = services.iter().flat_map(|service| of(setup, service)).collect();
    bases.sort_by(|one, other| one.image.cmp(&other.image));
    bases.dedup_by(|one, other| one.image == other.image);
    let names: Vec<&str> = bases.iter().map(|base| base.image.as_str()).collect();
    let ids = images::ids(docker, &names)?;
    let missing: Vec<&Base> =
        bases.iter().zip(ids).filter(|(_, id)| id.is_none()).map(|(base, _)| base).collect();
    let answers = images::side_by_side(&missing, |base| refusal(docker, &base.image));
    let mut refused = Vec::new();
    for (base, answer) in missing.into_iter().zip(answers) {
        if let Some(why) = answer? {
            refused.push(Refused { image: base.image.clone(), why, at: Some(base.at.clone()) });
        }
    }
    Ok(refused)
}

/// A registry's no; `None` where it has the image.
fn refusal(docker: &Docker, image: &str) -> Result<Option<String>> {
    let answer = docker.command(["manifest", "inspect", image]).output_within(LIMIT)?;
    Ok(match answer {
        None => Some(format!("no answer from the registry within {} s", LIMIT.as_secs())),
        Some(output) if output.code == 0 => None,
        Some(output) => Some(last_lines(&output.stderr, 1).concat()),
    })
}

/// The base images of a service that is built here.
pub fn of(setup: &Setup, service: &ServiceSpec) -> Vec<Base> {
    let Some(build) = &service.build else { return Vec::new() };
    let file = Path::new(&build.context).join(&build.dockerfile);
    let text = read_text(&file).ok().flatten().unwrap_or_default();
    let shown = setup.shown_outside(&file.to_string_lossy());
    let base = |(image, line)| Base { image, at: format!("{shown}:{line}") };
    // What another service builds comes from no registry.
    let is_built = |image: &str| {
        let plain = image.trim_start_matches("docker.io/").trim_end_matches(":latest");
        build.contexts.iter().any(|(reference, _)| reference == plain)
    };
    bases(&text).into_iter().filter(|(image, _)| !is_built(image)).map(base).collect()
}

/// What FROM names, with its line; earlier stages, `scratch` and what only a build argument decides left out.
fn bases(dockerfile: &str) -> Vec<(String, usize)> {
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    let mut stages: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for (index, line) in dockerfile.lines().enumerate() {
        let mut words = line.split_whitespace().filter(|word| !word.starts_with("--"));
        match words.next().map(str::to_uppercase).as_deref() {
            Some("ARG") if stages.is_empty() => {
                let pairs = words.filter_map(|word| word.split_once('='));
                arguments
                    .extend(pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())));
            }
            Some("FROM") => {
                let image = words.next().and_then(|image| expanded(image, &arguments));
                let name = words.nth(1).map(str::to_lowercase);
                if let Some(image) = image
                    && image != "scratch"
                    && !stages.contains(&image.to_lowercase())
                {
                    found.push((image, index + 1));
                }
                stages.push(name.unwrap_or_default());
            }
            _ => {}
        }
    }
    found
}

/// `node:${VERSION:-20}` and `$BASE` with their defaults; `None` where one has none.
fn expanded(word: &str, arguments: &BTreeMap<String, String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        let (name, default, tail) = match after.strip_prefix('{') {
            Some(braced) => {
                let (inside, tail) = braced.split_once('}')?;
                let (name, default) = inside.split_once(":-").map_or((inside, None), |(n, d)| (n, Some(d)));
                (name, default, tail)
            }
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], None, &after[end..])
            }
        };
        text.push_str(arguments.get(name).map(String::as_str).or(default)?);
        rest = tail;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_read_with_their_lines_and_stages_left_out() {
        let text = "ARG V=20\nARG NONE\nFROM --platform=linux/amd64 node:${V}-slim AS Build\nRUN x\nFROM build AS test\n\
                    FROM scratch\nFROM ${BASE:-debian:12}\nfrom $NONE\nFROM build\n";
        assert_eq!(bases(text), [("node:20-slim".to_owned(), 3), ("debian:12".to_owned(), 7)]);
    }
}
