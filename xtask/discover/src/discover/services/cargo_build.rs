//! Which images are built from the Cargo workspace in the root; builds nothing.

use std::collections::BTreeMap;

use super::super::dockerfile::Dockerfile;
use super::{context, files};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// What Dockerfiles take from the root; all of them count, also those that are set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RootBuilds {
    /// `path:line` of what brings the root's `Cargo.toml` into an image in which cargo runs.
    pub manifest: Vec<String>,
    /// `path:line` of the first COPY of everything.
    pub everything: Option<String>,
}

/// Reads them.
pub fn root_builds(repo: &Repo) -> RootBuilds {
    let mut found = RootBuilds::default();
    let is_one = |file: &&RepoPath| files::docker_name(file.name()).is_some();
    for file in repo.files().filter(is_one) {
        let Ok(text) = repo.text(file) else { continue };
        let Ok(dockerfile) = Dockerfile::parse(&text.text) else { continue };
        let home = file.parent().unwrap_or_default();
        let image = dockerfile.image(None, &BTreeMap::new());
        let (context, _) = context::of(repo, file, &home, &image, &dockerfile);
        if !context.is_root() && !needs_workspace(repo, &home) {
            continue;
        }
        let place = |line: u32| format!("{file}:{line}");
        let copy = |wanted: fn(&str) -> bool| image.copies.iter().find(|(source, _)| wanted(source));
        let everything = copy(context::is_everything).map(|(_, line)| place(*line));
        let runs_cargo = dockerfile.commands().any(|command| command.contains("cargo"));
        let mounted =
            text.text.lines().zip(1..).find(|(line, _)| is_mount(line)).map(|(_, line)| place(line));
        let taken = copy(is_manifest).map(|(_, line)| place(*line)).or_else(|| everything.clone());
        let taken = taken.or(mounted);
        found.manifest.extend(taken.filter(|_| runs_cargo));
        if context.is_root() {
            found.everything = found.everything.or(everything);
        }
    }
    found
}

/// Whether a folder holds a package that is no workspace of its own: whatever builds it needs the one above.
fn needs_workspace(repo: &Repo, folder: &RepoPath) -> bool {
    let has = |name: &str| folder.join(name).is_some_and(|path| repo.is_file(&path));
    has("Cargo.toml") && !has("Cargo.lock")
}

/// `RUN --mount=type=bind,source=Cargo.toml,target=Cargo.toml`, also on a line of its own.
fn is_mount(line: &str) -> bool {
    line.contains("--mount=type=bind") && (line.contains("=Cargo.") || line.contains("source=.,"))
}

fn is_manifest(source: &str) -> bool {
    let name = source.trim_start_matches("./").trim_start_matches('/');
    name.starts_with("Cargo.") || name.starts_with("Cargo*") || name == "*.toml"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(tree: &str) -> RootBuilds {
        root_builds(&Repo::from_fixture(tree))
    }

    #[test]
    fn image_that_cargo_builds_from_the_root_is_found() {
        let tree = "//- /Cargo.toml\n[workspace]\n//- /Cargo.lock\nversion = 4\n//- /api/Cargo.toml\n[package]\n\
                    //- /api/Dockerfile\nFROM rust\nCOPY Cargo.toml Cargo.lock ./\nCOPY api api\nRUN cargo build --locked\n";
        assert_eq!(builds(tree).manifest, ["api/Dockerfile:2"]);
        assert_eq!(builds(tree).everything, None);
    }

    #[test]
    fn image_that_copies_everything_is_found_where_it_is_set_aside_too() {
        let tree = "//- /Cargo.toml\n[workspace]\n//- /Dockerfile.test\nFROM rust\nWORKDIR /x\nCOPY . .\nRUN cargo test\n";
        let all = builds(tree);
        assert_eq!(all.manifest, ["Dockerfile.test:3"]);
        assert_eq!(all.everything.as_deref(), Some("Dockerfile.test:3"));
    }

    #[test]
    fn manifest_that_is_mounted_is_found() {
        let tree = "//- /Cargo.toml\n[workspace]\n//- /Dockerfile\nFROM rust\n\
                    RUN --mount=type=bind,source=Cargo.toml,target=Cargo.toml cargo build --locked --release\n";
        assert_eq!(builds(tree).manifest, ["Dockerfile:2"]);
    }

    #[test]
    fn service_that_is_a_workspace_of_its_own_does_not_count() {
        let tree = "//- /Cargo.toml\n[workspace]\n//- /a/Cargo.toml\n[package]\n//- /a/Cargo.lock\nversion = 4\n\
                    //- /a/src/main.rs\nfn main() {}\n//- /a/Dockerfile\nFROM rust\nCOPY . .\nRUN cargo build\n\
                    //- /b/package.json\n{}\n//- /b/Dockerfile\nFROM node\nCOPY . .\nRUN npm ci\n";
        assert_eq!(builds(tree), RootBuilds::default());
    }
}
