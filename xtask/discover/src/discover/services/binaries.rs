//! One image that holds several programs and starts none of them: which they are, and where their code lies. Reads the
//! manifests of Cargo alone.

use super::{aside, language, place};
use crate::model::fact::{Brought, Image};
use crate::model::path::RepoPath;
use crate::model::start::belongs_to_init;
use crate::repo::Repo;

/// A program that lies in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: String,
    /// Where it lies in the image.
    pub(super) command: String,
    /// Where its code lies.
    pub(super) path: RepoPath,
    pub(super) language: &'static str,
}

/// The programs that the last stage takes from those that built them, each by its own name; fewer than two are none.
pub(super) fn of(repo: &Repo, image: &Image) -> Vec<Program> {
    let starts_nothing = image.start().all(|word| belongs_to_init(word));
    if !(starts_nothing && aside::is_bare(image)) {
        return Vec::new();
    }
    let built = image.brought.iter().filter(|one| image.stages.contains(&one.from));
    let programs: Vec<Program> = built.filter_map(|one| program(repo, one)).collect();
    if programs.len() < 2 { Vec::new() } else { programs }
}

fn program(repo: &Repo, brought: &Brought) -> Option<Program> {
    let name = brought.source.rsplit('/').next().filter(|name| !name.is_empty() && *name != ".")?;
    let command = match brought.to.strip_suffix('/') {
        Some(folder) => format!("{folder}/{name}"),
        None => brought.to.clone(),
    };
    let (path, language) =
        of_cargo(repo, name).map(|path| (path, "rust")).or_else(|| Some((of_go(repo, name)?, "go")))?;
    Some(Program { name: name.to_owned(), command, path, language })
}

/// The package of Cargo that has a program of that name: by its folder, by a file in `src/bin`, or by its manifest.
fn of_cargo(repo: &Repo, name: &str) -> Option<RepoPath> {
    let manifests =
        || repo.files().filter(|file| file.name() == "Cargo.toml" && !file.parts().any(place::is_holder));
    let package = |manifest: &RepoPath| {
        let folder = manifest.parent()?;
        let has = |file: &str| folder.join(file).is_some_and(|file| repo.is_file(&file));
        let is_called = folder.name() == name && has("src/main.rs");
        (is_called || has(&format!("src/bin/{name}.rs")) || has(&format!("src/bin/{name}/main.rs")))
            .then_some(folder)
    };
    let named = |manifest: &RepoPath| {
        let text = repo.text(manifest).ok()?.text.parse::<toml::Table>().ok()?;
        let is_it = |bin: &toml::Value| bin.get("name").and_then(toml::Value::as_str) == Some(name);
        let is_package = text.get("package").is_some_and(is_it);
        let bins = text.get("bin").and_then(toml::Value::as_array);
        (is_package || bins.is_some_and(|bins| bins.iter().any(is_it))).then(|| manifest.parent()).flatten()
    };
    manifests().find_map(package).or_else(|| manifests().find_map(named))
}

/// The only folder of that name with a `main.go`: `cmd/orders`.
fn of_go(repo: &Repo, name: &str) -> Option<RepoPath> {
    let is_program = |folder: &&RepoPath| {
        folder.name() == name
            && folder.join("main.go").is_some_and(|file| repo.is_file(&file))
            && aside::hidden_or_test(folder).is_none()
    };
    let mut folders = repo.folders().filter(is_program);
    let only = folders.next()?;
    (folders.next().is_none() && language::has_code(repo, only)).then(|| only.clone())
}

#[cfg(test)]
mod tests {
    use super::super::{Roots, find};
    use super::*;
    use crate::catalog::Catalog;

    fn found(last: &str) -> Vec<String> {
        let tree = format!(
            "//- /ci/Dockerfile.all\nFROM rust AS build\nCOPY . .\nRUN cargo build --release\n{last}\n//- /Cargo.toml\n[workspace]\n\
             //- /crates/api/Cargo.toml\n[package]\nname = \"api\"\n//- /crates/api/src/main.rs\n\n\
             //- /crates/jobs/Cargo.toml\n[package]\nname = \"jobs\"\n[[bin]]\nname = \"clean_up\"\npath = \"src/clean.rs\"\n//- /crates/jobs/src/clean.rs\n\n\
             //- /cmd/mailer/main.go\n\n"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        let one = |one: crate::model::fact::ServiceFacts| {
            format!("{} in {}: {}", one.name, one.path, one.command.unwrap_or_default().join(" "))
        };
        found.services.into_iter().map(one).collect()
    }

    const BOTH: &str = "FROM alpine\nCOPY --from=build /target/release/api /api\nCOPY --from=build /target/release/clean_up /target/release/mailer /usr/bin/\n";

    #[test]
    fn programs_of_an_image_that_starts_none_are_services() {
        assert_eq!(
            found(BOTH),
            [
                "api in crates/api: /api",
                "clean-up in crates/jobs: /usr/bin/clean_up",
                "mailer in cmd/mailer: /usr/bin/mailer"
            ]
        );
    }

    #[test]
    fn init_that_waits_for_a_command_starts_no_program() {
        assert_eq!(found(&format!("{BOTH}ENTRYPOINT [\"/usr/bin/tini\", \"-s\", \"--\"]\n")).len(), 3);
        assert_eq!(found(&format!("{BOTH}ENTRYPOINT [\"tini\", \"--\", \"/api\"]\n")).len(), 1);
    }

    #[test]
    fn image_that_starts_one_of_its_programs_is_one_service() {
        assert_eq!(found(&format!("{BOTH}CMD [\"/api\"]\n")).len(), 1);
        assert_eq!(found("FROM alpine\nCOPY --from=build /target/release/api /api\n").len(), 1);
    }
}
