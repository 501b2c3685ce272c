//! The language of a service, from the manifests beside its code or from its base image.

use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Manifests by language; a folder that holds one is a module. The order decides where a folder has several.
const MANIFESTS: &[(&str, &[&str])] = &[
    ("go", &["go.mod"]),
    ("rust", &["Cargo.toml"]),
    ("java", &["pom.xml", "build.gradle", "build.gradle.kts"]),
    ("elixir", &["mix.exs"]),
    ("php", &["composer.json"]),
    ("ruby", &["Gemfile"]),
    ("python", &["pyproject.toml", "requirements.txt", "Pipfile", "setup.py", "manage.py"]),
    ("node", &["package.json"]),
];

/// Ends of manifests' names that differ from project to project.
const ENDINGS: &[(&str, &str)] = &[("dotnet", ".csproj"), ("dotnet", ".fsproj"), ("dotnet", ".vbproj")];

/// Words of base images.
const BASES: &[(&str, &str)] = &[
    ("golang", "go"),
    ("rust", "rust"),
    ("node", "node"),
    ("bun", "node"),
    ("python", "python"),
    ("uv", "python"),
    ("openjdk", "java"),
    ("temurin", "java"),
    ("corretto", "java"),
    ("maven", "java"),
    ("gradle", "java"),
    ("jdk", "java"),
    ("jre", "java"),
    ("tomcat", "java"),
    ("aspnet", "dotnet"),
    ("dotnet", "dotnet"),
    ("php", "php"),
    ("ruby", "ruby"),
    ("elixir", "elixir"),
];

/// Whether a path ends in the name of a manifest.
pub(in crate::discover) fn is_manifest(path: &str) -> bool {
    manifest_language(path.rsplit('/').next().unwrap_or_default()).is_some()
}

fn manifest_language(name: &str) -> Option<&'static str> {
    let plain = MANIFESTS.iter().find(|(_, names)| names.contains(&name));
    let ending = ENDINGS.iter().find(|(_, ending)| name.ends_with(ending));
    plain.map(|(language, _)| *language).or(ending.map(|(language, _)| *language))
}

/// Whether the folder itself holds a manifest.
pub(super) fn is_module(repo: &Repo, folder: &RepoPath) -> bool {
    of_folder(repo, folder).is_some()
}

/// The language of the manifest in that very folder.
fn of_folder(repo: &Repo, folder: &RepoPath) -> Option<&'static str> {
    let depth = folder.depth() + 1;
    for (language, names) in MANIFESTS {
        if names.iter().any(|name| folder.join(name).is_some_and(|file| repo.is_file(&file))) {
            return Some(language);
        }
    }
    // Only the folder's own files: a large tree below it is not read through.
    let own = repo.files_in(folder).iter().take(5_000).filter(|file| file.depth() == depth);
    own.filter_map(|file| manifest_language(file.name())).next()
}

/// Lower case; empty where nothing says it.
pub(super) fn of(repo: &Repo, module: &RepoPath, context: &RepoPath, image: &Image) -> String {
    let mut folders = module.ancestors().take_while(|folder| folder.is_in(context));
    if let Some(language) = of_folder(repo, module).or_else(|| of_base(&image.base)) {
        return language.to_owned();
    }
    folders.find_map(|folder| of_folder(repo, &folder)).unwrap_or_default().to_owned()
}

fn of_base(base: &str) -> Option<&'static str> {
    let last = base.rsplit('/').next().unwrap_or_default();
    let words: Vec<&str> = last.split([':', '-', '.', '@', '_']).collect();
    let found = BASES
        .iter()
        .find(|(word, _)| words.iter().any(|known| known.trim_end_matches(char::is_numeric) == *word));
    found.map(|(_, language)| *language).or_else(|| base.contains("dotnet").then_some("dotnet"))
}
