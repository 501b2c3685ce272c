//! Where services are looked for: what the scope says, without this program's own files.

use super::super::Scope;
use super::super::glob::Glob;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Where services are looked for; by default everywhere.
#[derive(Default)]
pub(in crate::discover) struct Roots {
    roots: Vec<Glob>,
    exclude: Vec<Glob>,
}

impl Roots {
    pub(in crate::discover) fn of(repo: &Repo, scope: &Scope) -> Roots {
        let mut roots = scope.roots.clone();
        let usual = RepoPath::root().join("workspace/code").filter(|folder| repo.is_folder(folder));
        if let (true, Some(folder)) = (roots.is_empty(), usual) {
            roots.push(format!("{folder}/*"));
        }
        // A setup that this program wrote is no evidence for what it should write.
        let setups = repo.files().filter_map(|file| file.as_str().strip_suffix("/.generated/state.yaml"));
        let exclude = scope.exclude.iter().map(String::as_str).chain(setups).map(Glob::new);
        let exclude = exclude.chain(tools(repo).iter().map(|tool| Glob::new(tool))).collect();
        Roots { roots: roots.iter().map(|root| Glob::new(root)).collect(), exclude }
    }

    pub(in crate::discover) fn excludes(&self, path: &RepoPath) -> bool {
        self.exclude.iter().any(|pattern| pattern.covers(path))
    }

    pub(in crate::discover) fn holds(&self, path: &RepoPath) -> bool {
        (self.roots.is_empty() || self.roots.iter().any(|pattern| pattern.covers(path)))
            && !self.excludes(path)
    }
}

/// Where the commands of `cargo xtask` lie: the root's own package, and this project's sources with their sample and
/// their fixtures, where they are part of the tree. They run the services and are none.
fn tools(repo: &Repo) -> Vec<String> {
    const SOURCES: &str = "xtask/discover/src/discover/services.rs";
    let is_file = |path: &str| RepoPath::root().join(path).is_some_and(|path| repo.is_file(&path));
    let is_tool = is_file("xtask/Cargo.toml") && !is_file("xtask/Dockerfile");
    let own = is_tool.then(|| "xtask".to_owned());
    let copies = repo.files().filter_map(|file| file.as_str().strip_suffix(SOURCES)?.strip_suffix('/'));
    own.into_iter().chain(copies.map(str::to_owned)).collect()
}
