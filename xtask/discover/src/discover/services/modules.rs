//! One Dockerfile for several programs that each are its whole context: it copies everything, and there is no code beside
//! it but in folders that all hold what it copies by name. Looks at paths only.

use super::{aside, context, files, language};
use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Manifests from which the folders below may be built together.
const OF_ALL: &[&str] =
    &["Cargo.toml", "go.mod", "go.work", "package.json", "pom.xml", "settings.gradle", "settings.gradle.kts"];

/// Folders of libraries that a package manager keeps beside a manifest.
const LIBRARIES: &[&str] = &["node_modules", "vendor", "venv"];

/// The folders from which the image in `home` is built once each; fewer than two are none.
pub(super) fn of(repo: &Repo, home: &RepoPath, image: &Image) -> Vec<RepoPath> {
    let has = |name: &&str| home.join(name).is_some_and(|file| repo.is_file(&file));
    let copies_all = image.copies.iter().any(|(source, _)| context::is_everything(source));
    if !copies_all || OF_ALL.iter().any(has) {
        return Vec::new();
    }
    let named = || image.copies.iter().map(|(source, _)| source.as_str());
    let plain =
        named().filter(|source| !source.contains(['*', '?', '[', '$']) && !context::is_everything(source));
    let sources: Vec<&str> = plain.collect();
    let is_child = |folder: &&RepoPath| folder.depth() == home.depth() + 1 && folder.is_in(home);
    let children = repo
        .folders_in(home)
        .iter()
        .filter(is_child)
        .filter(|folder| aside::hidden_or_test(folder).is_none() && !LIBRARIES.contains(&folder.name()));
    let is_program = |folder: &&RepoPath| {
        language::is_module(repo, folder)
            && language::has_code(repo, folder)
            && sources.iter().all(|source| context::exists(repo, folder, source))
            && !repo.files_in(folder).iter().any(|file| files::docker_name(file.name()).is_some())
    };
    let (programs, others): (Vec<&RepoPath>, Vec<&RepoPath>) = children.partition(is_program);
    let own = repo.files_in(home).iter().filter(|file| file.depth() == home.depth() + 1);
    let has_own_code = own.into_iter().any(language::is_source)
        || others.iter().any(|folder| language::has_code(repo, folder));
    // `CMD ["python", "orders/main.py"]` starts one of them from the folder above.
    let says = |folder: &RepoPath| {
        let words = image.runs.iter().chain(&image.command).chain(&image.entrypoint);
        words.into_iter().any(|word| word.contains(folder.name()))
    };
    if programs.len() < 2 || has_own_code || programs.iter().any(|folder| says(folder)) {
        return Vec::new();
    }
    programs.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::services::Roots;

    fn built(dockerfile: &str, more: &str) -> Vec<String> {
        let tree = format!(
            "//- /Dockerfile\n{dockerfile}\n//- /orders/composer.json\n{{}}\n//- /orders/public/index.php\n<?php\n\
             //- /users/composer.json\n{{}}\n//- /users/public/index.php\n<?php\n{more}"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        let one = |service: &crate::model::fact::ServiceFacts| {
            format!("{} in {}", service.name, service.build.context)
        };
        found.services.iter().map(one).collect()
    }

    #[test]
    fn image_without_code_beside_it_is_built_of_each_program_below() {
        let php = "FROM php:8.4-apache\nCOPY composer.json composer.lock* ./\nCOPY . .";
        assert_eq!(built(php, ""), ["orders in orders", "users in users"]);
        assert_eq!(
            built(php, "//- /composer.json\n{}\n//- /vendor/a/b.php\n<?php\n"),
            ["orders in orders", "users in users"]
        );
    }

    #[test]
    fn image_of_a_whole_tree_is_one_service() {
        let php = "FROM php:8.4-apache\nCOPY composer.json ./\nCOPY . .";
        let one = |dockerfile: &str, more: &str| {
            assert_eq!(built(dockerfile, more).len(), 1, "{dockerfile} {more}")
        };
        one(php, "//- /index.php\n<?php\n//- /composer.json\n{}\n");
        one(php, "//- /src/shop.php\n<?php\n//- /composer.json\n{}\n");
        one("FROM php:8.4-cli\nCOPY . .\nCMD [\"php\", \"orders/public/index.php\"]", "");
        one("FROM php:8.4-cli\nCOPY orders orders\nCOPY users users", "");
        one(php, "//- /package.json\n{}\n//- /composer.json\n{}\n");
    }
}
