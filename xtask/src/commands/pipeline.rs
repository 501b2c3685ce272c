//! discover → plan → render, as every command that reads the monorepo needs it; writes nothing.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::apply::current;
use crate::apply::folder::Folder;
use crate::catalog::Catalog;
use crate::cli::Context;
use crate::commands::recorded;
use crate::config::Config;
use crate::discover::{Scope, discover};
use crate::error::{Failure, Result};
use crate::model::fact::{Facts, ServiceFacts};
use crate::model::files::Files;
use crate::model::path::RepoPath;
use crate::model::stack::{Assignments, Stack};
use crate::parallel::{both, in_parallel};
use crate::plan;
use crate::render::{self, Layout};
use crate::repo::Repo;
use crate::run::setup::fnv1a;

/// What was read and decided.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) stack: Stack,
    pub(crate) folder: Folder,
    pub(crate) layout: Layout,
    pub(crate) config: Config,
    pub(crate) catalog: Catalog,
    /// What earlier runs assigned.
    pub(crate) recorded: Assignments,
}

impl Pipeline {
    /// Reads the monorepo and decides.
    pub(crate) fn run(context: &Context) -> Result<Pipeline> {
        let folder = Folder::new(&context.out, context.out_name());
        let config = current::file(&folder, "config.yaml")?;
        Pipeline::with_config(context, config.as_deref())
    }

    /// As [`Pipeline::run`], with this text of `config.yaml` in place of the one that lies there.
    pub(crate) fn with_config(context: &Context, config: Option<&str>) -> Result<Pipeline> {
        let folder = Folder::new(&context.out, context.out_name());
        let config = match config {
            Some(text) => Config::parse(&folder.show("config.yaml"), text)?,
            None => Config::default(),
        };
        // The catalogue is parsed while the tree is walked.
        let (repo, catalog) = both(|| Repo::open(&context.root), || catalog(&folder));
        let (catalog, repo) = (catalog?, repo?);
        let recorded = recorded::assignments(&folder, &catalog)?;
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
        let known = plan::Context {
            folder: name,
            recorded: recorded.clone(),
            dockerfiles: digests(&repo, &facts),
            handwritten: recorded::handwritten(&folder, &recorded.adopted)?,
        };
        let stack = plan::plan(&facts, &catalog, &config, &known)?;
        // The process ends soon: to free a hundred thousand paths and facts one by one would only take time.
        std::mem::forget((facts, repo));
        let layout = Layout { root: relative(&context.out, &context.root), out: context.out_name() };
        Ok(Pipeline { stack, folder, layout, config, catalog, recorded })
    }

    /// The files of the setup.
    pub(crate) fn files(&self) -> Files {
        render::render(&self.stack, &self.layout)
    }

    /// The files as they are if nothing else has changed since the last run: an edited Dockerfile alone is no reason
    /// to write what is recorded of it.
    pub(crate) fn quiet_files(&self) -> Files {
        let mut stack = self.stack.clone();
        stack.assignments.dockerfiles.clone_from(&self.recorded.dockerfiles);
        render::render(&stack, &self.layout)
    }

    /// Services that have another name since the last run: old and new.
    pub(crate) fn renamed(&self) -> Vec<(String, String)> {
        let now = &self.stack.assignments;
        let before = |first: &String| {
            let last = self.recorded.renamed.iter().find(|(_, known)| *known == first).map(|(name, _)| name);
            last.unwrap_or(first).clone()
        };
        let pairs = now.renamed.iter().map(|(name, first)| (before(first), name.clone()));
        pairs.filter(|(old, new)| old != new).collect()
    }

    /// Every earlier name of a service that a generated file may still have, also after a run that was killed.
    pub(crate) fn earlier_names(&self) -> Vec<(String, String)> {
        let first = self.stack.assignments.renamed.iter().map(|(name, first)| (first.clone(), name.clone()));
        self.renamed().into_iter().chain(first).collect()
    }
}

/// What the Dockerfiles of the services hold, in short, whatever their line ends.
fn digests(repo: &Repo, facts: &Facts) -> BTreeMap<String, String> {
    let digest = |service: &&ServiceFacts| {
        let text = repo.text(&service.dockerfile).ok()?.text.replace('\r', "");
        Some((service.dockerfile.to_string(), format!("{:016x}", fnv1a(text.as_bytes()))))
    };
    in_parallel(facts.services.iter().collect(), digest).into_iter().flatten().collect()
}

/// The catalogue with the setup's own entries.
///
/// # Errors
/// When one of those cannot be read.
pub(crate) fn catalog(folder: &Folder) -> Result<Catalog> {
    let extra: Vec<(String, String)> = current::files_below(folder, "catalog")?
        .into_iter()
        .filter(|(name, _)| name.ends_with(".yaml"))
        .map(|(name, text)| (folder.show(&name), text))
        .collect();
    Catalog::load(&extra)
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

fn nothing_found(config: &Config, facts: &Facts) -> anyhow::Error {
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

/// `to` as seen from `from`, both absolute: `..` where `from` lies in it.
pub(super) fn relative(from: &Path, to: &Path) -> String {
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
