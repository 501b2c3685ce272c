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

/// The assembly of .NET that a word of a command names: `Shop.Orders` of `bin/Shop.Orders.dll`.
pub(super) fn assembly(word: &str) -> Option<&str> {
    word.rsplit('/').next()?.strip_suffix(".dll")
}

/// Whether a file of that name is a project of .NET.
pub(super) fn is_project(name: &str) -> bool {
    ENDINGS.iter().any(|(_, ending)| name.ends_with(ending))
}

/// Names of the projects of which an assembly may be made, in each language of .NET.
pub(super) fn projects(assembly: &str) -> impl Iterator<Item = String> {
    ENDINGS.iter().map(move |(_, ending)| format!("{assembly}{ending}"))
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
pub(in crate::discover) fn of(repo: &Repo, module: &RepoPath, context: &RepoPath, image: &Image) -> String {
    let mut folders = module.ancestors().take_while(|folder| folder.is_in(context));
    if let Some(language) = of_folder(repo, module).or_else(|| of_base(&image.base)) {
        return language.to_owned();
    }
    let above = folders.find_map(|folder| of_folder(repo, &folder));
    let sources = || repo.files_in(module).iter().filter_map(of_source).find(|language| !language.is_empty());
    above.or_else(sources).unwrap_or_default().to_owned()
}

/// Whether an image of that base runs code of a language, or whatever is installed in it.
pub(in crate::discover) fn is_runtime(base: &str) -> bool {
    let name = base.split(['@', ':']).next().unwrap_or_default();
    of_base(base).is_some()
        || ["alpine", "debian", "ubuntu"].contains(&name.rsplit('/').next().unwrap_or_default())
}

fn of_base(base: &str) -> Option<&'static str> {
    let last = base.rsplit('/').next().unwrap_or_default();
    let words: Vec<&str> = last.split([':', '-', '.', '@', '_']).collect();
    let found = BASES
        .iter()
        .find(|(word, _)| words.iter().any(|known| known.trim_end_matches(char::is_numeric) == *word));
    found.map(|(_, language)| *language).or_else(|| base.contains("dotnet").then_some("dotnet"))
}

/// The name that the manifest in a folder gives to the project, without scope or group.
pub(super) fn project_name(repo: &Repo, folder: &RepoPath) -> Option<String> {
    const NAMED: &[(&str, &str, &str)] = &[
        ("package.json", "\"name\":", "\""),
        ("composer.json", "\"name\":", "\""),
        ("Cargo.toml", "name =", "\""),
        ("pyproject.toml", "name =", "\""),
        ("go.mod", "module ", ""),
        ("settings.gradle", "rootProject.name =", "'\""),
        ("settings.gradle.kts", "rootProject.name =", "\""),
    ];
    let named = NAMED.iter().find_map(|(file, key, quotes)| {
        let path = folder.join(file).filter(|path| repo.is_file(path))?;
        let text = repo.text(&path).ok()?.text;
        // JSON may stand on one line.
        let anywhere = key.starts_with('"');
        let at = |line: &str| line.find(key).filter(|at| anywhere || *at == 0);
        let line = text.lines().map(str::trim).find_map(|line| at(line).map(|at| &line[at + key.len()..]))?;
        let value = line.trim().trim_start_matches(|c| quotes.contains(c));
        let value = value.split(|c: char| quotes.contains(c) || c == ',').next().unwrap_or_default().trim();
        let name = value.rsplit('/').next().unwrap_or_default();
        (!name.is_empty() && !name.contains('$')).then(|| name.to_owned())
    });
    named.or_else(|| {
        let pom = folder.join("pom.xml").filter(|path| repo.is_file(path))?;
        artifact(&repo.text(&pom).ok()?.text).map(|(name, _)| name)
    })
}

/// The name and the version that a POM gives to what is built, the version perhaps from its parent; what stands there
/// with `${…}` counts as not known.
pub(super) fn artifact(pom: &str) -> Option<(String, Option<String>)> {
    let document = roxmltree::Document::parse(pom).ok()?;
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        let of_name = node.children().find(|child| child.tag_name().name() == name)?;
        of_name.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let is_known = |text: &String| !text.contains('$');
    let project = document.root_element();
    let parent = || child(project.children().find(|child| child.tag_name().name() == "parent")?, "version");
    let version = child(project, "version").or_else(parent).filter(is_known);
    Some((child(project, "artifactId").filter(is_known)?, version))
}

/// Source files by language.
const SOURCES: &[(&str, &[&str])] = &[
    ("go", &["go"]),
    ("rust", &["rs"]),
    ("java", &["java", "kt", "scala"]),
    ("dotnet", &["cs", "fs"]),
    ("elixir", &["ex", "exs"]),
    ("python", &["py"]),
    ("php", &["php"]),
    ("ruby", &["rb"]),
    ("node", &["js", "jsx", "mjs", "ts", "tsx", "vue"]),
    ("", &["html"]),
];

/// Whether a folder holds a program: a manifest or source files, in it or below it.
pub(in crate::discover) fn has_code(repo: &Repo, folder: &RepoPath) -> bool {
    repo.files_in(folder).iter().any(|file| is_manifest(file.name()) || of_source(file).is_some())
}

/// Whether a file is a program's source.
pub(super) fn is_source(file: &RepoPath) -> bool {
    of_source(file).is_some()
}

fn of_source(file: &RepoPath) -> Option<&'static str> {
    let found = SOURCES.iter().find(|(_, endings)| endings.contains(&file.extension()));
    found.map(|(language, _)| *language)
}
