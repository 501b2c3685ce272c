//! The modules of one workspace that depend on each other by name: packages of npm, Maven, Cargo and Gradle, umbrellas
//! of Mix. Says where such a module lies, and nothing of what it does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::{Table, Value};

use super::lang::Pattern;
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;

/// More names in one manifest are a lock file.
const MAX_NAMES: usize = 500;

static PACKAGE: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r#""(?P<name>@?[\w./-]+)"\s*:\s*""#));
static GRADLE: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bproject\(\s*(?:path\s*[:=]\s*)?["'](?P<name>:[\w:./-]+)["']"#));
static UMBRELLA: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\{\s*:(?P<name>\w+)\s*,[^}\n]*\bin_umbrella:\s*true"));

/// Where the modules lie, by the names that their manifests give them.
#[derive(Debug, Default)]
pub(super) struct Modules {
    node: BTreeMap<String, RepoPath>,
    maven: BTreeMap<(String, String), RepoPath>,
}

impl Modules {
    /// Reads the names from all manifests.
    pub(super) fn of(repo: &Repo) -> Modules {
        let is_manifest = |path: &&RepoPath| matches!(path.name(), "package.json" | "pom.xml");
        let manifests: Vec<&RepoPath> = repo.files().filter(is_manifest).collect();
        let named = in_parallel(manifests, |manifest| {
            let text = repo.text(manifest).ok()?.text;
            let folder = manifest.parent()?;
            Some((manifest.name() == "pom.xml", names(&text, manifest.name())?, folder))
        });
        let mut modules = Modules::default();
        for (is_maven, (group, name), folder) in named.into_iter().flatten() {
            if is_maven {
                modules.maven.entry((group, name)).or_insert(folder);
            } else {
                modules.node.entry(name).or_insert(folder);
            }
        }
        modules
    }

    /// The folders of the modules that the manifest with this text depends on by name.
    pub(super) fn named(&self, repo: &Repo, manifest: &RepoPath, text: &str) -> Vec<RepoPath> {
        match manifest.name() {
            "package.json" => {
                let names = PACKAGE.all(text, usize::MAX).take(MAX_NAMES);
                names.filter_map(|found| self.node.get(found.name("name")?.as_str()).cloned()).collect()
            }
            "pom.xml" => self.of_maven(text),
            "Cargo.toml" => of_cargo(repo, manifest, text),
            "mix.exs" => {
                let apps = manifest.parent().and_then(|folder| folder.parent()).unwrap_or_default();
                let names = UMBRELLA.all(text, usize::MAX).take(MAX_NAMES);
                names.filter_map(|found| apps.join(found.name("name")?.as_str())).collect()
            }
            name if name.starts_with("build.gradle") => of_gradle(repo, manifest, text),
            _ => Vec::new(),
        }
    }

    fn of_maven(&self, text: &str) -> Vec<RepoPath> {
        let own = names(text, "pom.xml").map(|(group, _)| group).unwrap_or_default();
        let dependencies = text.split("<dependency>").skip(1).take(MAX_NAMES);
        let one = |text: &str| {
            let text = text.split("</dependency>").next()?;
            let group = element(text, "groupId").filter(|group| !group.contains("${")).unwrap_or(&own);
            self.maven.get(&(group.to_owned(), element(text, "artifactId")?.to_owned())).cloned()
        };
        dependencies.filter_map(one).collect()
    }
}

/// Group (empty outside Maven) and name of the module that a manifest describes.
fn names(text: &str, manifest: &str) -> Option<(String, String)> {
    if manifest == "package.json" {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        return Some((String::new(), value.get("name")?.as_str()?.to_owned()));
    }
    let (parent, own) = text.split_once("</parent>").unwrap_or(("", text));
    // What stands in these is about others.
    let ends = ["<dependencies>", "<dependencyManagement>", "<build>", "<profiles>"];
    let own = &own[..ends.iter().filter_map(|end| own.find(end)).min().unwrap_or(own.len())];
    let group = element(own, "groupId").or_else(|| element(parent, "groupId")).unwrap_or_default();
    Some((group.to_owned(), element(own, "artifactId")?.to_owned()))
}

/// The text of the first element of that name.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split('<').next().map(str::trim)
}

/// `log = { workspace = true }`: the path stands in the workspace's own manifest.
fn of_cargo(repo: &Repo, manifest: &RepoPath, text: &str) -> Vec<RepoPath> {
    if !text.contains("workspace") {
        return Vec::new();
    }
    let Ok(own) = text.parse::<Table>() else { return Vec::new() };
    let inherited = |(name, value): (&String, &Value)| {
        (value.get("workspace").and_then(Value::as_bool) == Some(true)).then(|| name.clone())
    };
    let names: Vec<String> = own
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(inherited)
        .collect();
    let folder = manifest.parent().unwrap_or_default();
    let above = folder.ancestors().find_map(|folder| {
        let root = folder.join("Cargo.toml").filter(|root| repo.is_file(root))?;
        let root = repo.text(&root).ok()?.text.parse::<Table>().ok()?;
        let all = root.get("workspace")?.get("dependencies")?.as_table()?.clone();
        Some((folder, all))
    });
    let Some((root, all)) = above else { return Vec::new() };
    let path = |name: &String| root.join(all.get(name)?.get("path")?.as_str()?);
    names.iter().filter_map(path).collect()
}

/// `project(":libs:common")` lies in `libs/common` below the folder with the settings.
fn of_gradle(repo: &Repo, manifest: &RepoPath, text: &str) -> Vec<RepoPath> {
    let folder = manifest.parent().unwrap_or_default();
    let has = |folder: &RepoPath, name: &str| folder.join(name).is_some_and(|file| repo.is_file(&file));
    let root = folder
        .ancestors()
        .find(|folder| has(folder, "settings.gradle") || has(folder, "settings.gradle.kts"))
        .unwrap_or_default();
    let names = GRADLE.all(text, usize::MAX).take(MAX_NAMES);
    names.filter_map(|found| root.join(&found.name("name")?.as_str()[1..].replace(':', "/"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(tree: &str, manifest: &str) -> Vec<String> {
        let repo = Repo::from_fixture(tree);
        let manifest = RepoPath::new(manifest).expect("inside the root");
        let text = repo.text(&manifest).expect("is there").text;
        Modules::of(&repo).named(&repo, &manifest, &text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn patterns_are_valid() {
        assert!(PACKAGE.is_valid() && GRADLE.is_valid() && UMBRELLA.is_valid());
    }

    #[test]
    fn modules_are_found_by_the_names_of_their_tool() {
        let npm = "//- /apps/api/package.json\n{ \"name\": \"api\", \"dependencies\": { \"@shop/log\": \"workspace:*\", \"express\": \"4\" } }\n\
            //- /libs/log/package.json\n{ \"name\": \"@shop/log\" }\n";
        assert_eq!(named(npm, "apps/api/package.json"), ["libs/log"]);
        let maven = "//- /api/pom.xml\n<project><parent><groupId>org.shop</groupId><artifactId>all</artifactId></parent>\n<artifactId>api</artifactId>\n\
            <dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>log</artifactId></dependency>\n\
            <dependency><groupId>org.other</groupId><artifactId>log</artifactId></dependency></dependencies></project>\n\
            //- /libs/log/pom.xml\n<project><groupId>org.shop</groupId><artifactId>log</artifactId></project>\n";
        assert_eq!(named(maven, "api/pom.xml"), ["libs/log"]);
        let cargo = "//- /Cargo.toml\n[workspace.dependencies]\nlog = { path = \"libs/log\" }\n\
            //- /api/Cargo.toml\n[dependencies]\nlog.workspace = true\nserde = { workspace = true }\n";
        assert_eq!(named(cargo, "api/Cargo.toml"), ["libs/log"]);
        let gradle = "//- /settings.gradle\n//- /api/build.gradle\nimplementation project(':libs:log')\n";
        assert_eq!(named(gradle, "api/build.gradle"), ["libs/log"]);
        let mix = "//- /apps/api/mix.exs\n{:log, in_umbrella: true},\n";
        assert_eq!(named(mix, "apps/api/mix.exs"), ["apps/log"]);
    }
}
