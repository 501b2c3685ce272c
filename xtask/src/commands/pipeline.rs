//! discover → plan → render, as every command that reads the monorepo needs it; writes nothing.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::apply::current;
use crate::apply::folder::Folder;
use crate::catalog::Catalog;
use crate::cli::Context;
use crate::config::Config;
use crate::discover::{Scope, discover};
use crate::error::{Failure, Result};
use crate::model::files::Files;
use crate::model::path::RepoPath;
use crate::model::stack::{Assignments, Stack};
use crate::plan;
use crate::render::{self, Layout};
use crate::repo::Repo;

/// What was read and decided.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) stack: Stack,
    pub(crate) folder: Folder,
    pub(crate) layout: Layout,
}

impl Pipeline {
    /// Reads the monorepo and decides.
    pub(crate) fn run(context: &Context) -> Result<Pipeline> {
        let folder = Folder::new(&context.out, context.out_name());
        let config_name = folder.show("config.yaml");
        let config = match current::file(&folder, "config.yaml")? {
            Some(text) => Config::parse(&config_name, &text)?,
            None => Config::default(),
        };
        let extra: Vec<(String, String)> = current::files_below(&folder, "catalog")?
            .into_iter()
            .filter(|(name, _)| name.ends_with(".yaml"))
            .map(|(name, text)| (folder.show(&name), text))
            .collect();
        let catalog = Catalog::load(&extra)?;
        let recorded = match current::state(&folder)? {
            Some(text) => assignments(&folder, &text)?,
            None => Assignments::default(),
        };
        let repo = Repo::open(&context.root)?;
        let mut scope =
            Scope { roots: config.services.roots.clone(), exclude: config.services.exclude.clone() };
        if let Ok(own) = context.out.strip_prefix(&context.root) {
            scope.exclude.push(own.display().to_string());
        }
        let facts = discover(&repo, &catalog, &scope)?;
        if facts.services.is_empty() && facts.components.is_empty() {
            return Err(nothing_found(&config, &facts));
        }
        let folder_name = context.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = manifest_name(&repo).or(folder_name).unwrap_or_default();
        let known = plan::Context { folder: name, recorded };
        let stack = plan::plan(&facts, &catalog, &config, &known)?;
        let layout = Layout { root: relative(&context.out, &context.root), out: context.out_name() };
        Ok(Pipeline { stack, folder, layout })
    }

    /// The files of the setup.
    pub(crate) fn files(&self) -> Files {
        render::render(&self.stack, &self.layout)
    }
}

/// The monorepo's name as its root manifest has it, so that every checkout gives the same bytes:
/// `[workspace.metadata.xtask] name` in `Cargo.toml`, else `name` in `package.json`.
fn manifest_name(repo: &Repo) -> Option<String> {
    let text = |name: &str| Some(repo.text(&RepoPath::new(name)?).ok()?.text);
    let cargo = || {
        let manifest: toml::Table = text("Cargo.toml")?.parse().ok()?;
        let own = manifest.get("workspace")?.get("metadata")?.get("xtask")?.get("name")?;
        own.as_str().map(str::to_owned)
    };
    let node = || {
        let manifest: serde_json::Value = serde_json::from_str(&text("package.json")?).ok()?;
        manifest.get("name")?.as_str().map(str::to_owned)
    };
    cargo().or_else(node)
}

fn nothing_found(config: &Config, facts: &crate::model::fact::Facts) -> anyhow::Error {
    let places = if config.services.roots.is_empty() {
        "workspace/code/* and, where there is no such folder, the whole tree".to_owned()
    } else {
        config.services.roots.join(", ")
    };
    let mut failure = Failure::new("no service was found")
        .why(format!("looked for Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile in {places}"));
    for aside in facts.set_aside.iter().take(5) {
        failure = failure.why(format!("`{}` was set aside: {}", aside.path, aside.reason));
    }
    for problem in facts.problems.iter().take(5) {
        failure = failure.why(&problem.message);
        for place in &problem.at {
            failure = failure.at(place);
        }
    }
    failure
        .fix("add a Dockerfile to each service's folder, pass the monorepo with --root, or set services.roots in config.yaml")
        .into()
}

/// What `.generated/state.yaml` holds.
#[derive(Debug, Default, Deserialize)]
struct State {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    ports: Option<std::collections::BTreeMap<String, u16>>,
    #[serde(default)]
    services: Option<std::collections::BTreeMap<String, String>>,
}

fn assignments(folder: &Folder, text: &str) -> Result<Assignments> {
    let state: Option<State> = serde_yaml::from_str(text).map_err(|why| {
        Failure::new("cannot read what earlier runs assigned")
            .at(folder.show(render::STATE))
            .why(why)
            .fix(format!("git checkout -- {}", folder.show(render::STATE)))
    })?;
    let state = state.unwrap_or_default();
    Ok(Assignments {
        name: state.name,
        ports: state.ports.unwrap_or_default(),
        services: state.services.unwrap_or_default(),
    })
}

/// `to` as seen from `from`, both absolute: `..` where `from` lies in it.
fn relative(from: &Path, to: &Path) -> String {
    let from: Vec<Component<'_>> = from.components().collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(Component::ParentDir, from.len() - shared);
    let path: PathBuf = up.chain(to[shared..].iter().copied()).collect();
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_seen_from_the_setup() {
        assert_eq!(relative(Path::new("/a/b/integration"), Path::new("/a/b")), "..");
        assert_eq!(relative(Path::new("/tmp/out"), Path::new("/a/b")), "../../a/b");
        assert_eq!(relative(Path::new("/a/b"), Path::new("/a/b")), ".");
    }
}
