//! Which modules of Maven and Gradle start a program, and which are libraries of others; reads their sources.

use super::language;
use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Ends of the names of classes that start a program.
const STARTS: &[&str] = &["Application.java", "Application.kt", "App.java", "App.kt", "Main.java", "Main.kt"];

/// How a program's first method is written.
const FIRST: &[&str] = &["void main(", "fun main(", "def main(", "extends App"];

/// Words of manifests by which what is packed starts without such a method, or in a server.
const STARTED: &[&str] = &["io.quarkus", "<packaging>war", "mainClass", "main-class"];

/// Whether the name of a file in a folder's sources is one of a class that starts a program.
pub(super) fn has_class_that_starts(repo: &Repo, sources: &RepoPath) -> bool {
    repo.files_in(sources).iter().any(|file| STARTS.iter().any(|end| file.name().ends_with(end)))
}

/// Whether an image is that of a tool that builds, and starts nothing of its own.
pub(super) fn only_builds(image: &Image) -> bool {
    let name = image.base.rsplit('/').next().unwrap_or_default();
    let tool = name.split(':').next().unwrap_or_default();
    matches!(tool, "gradle" | "maven") && image.start().next().is_none()
}

/// Whether a module has sources, and nothing in it starts a program: `java -jar` of its archive fails.
pub(super) fn is_library(repo: &Repo, module: &RepoPath) -> bool {
    let manifests = ["pom.xml", "build.gradle", "build.gradle.kts"];
    let manifests = manifests.iter().filter_map(|name| module.join(name)).filter(|file| repo.is_file(file));
    let text = |file: &RepoPath| repo.text(file).map(|text| text.text).unwrap_or_default();
    let manifests: Vec<String> = manifests.map(|file| text(&file)).collect();
    let is_started = |manifest: &String| STARTED.iter().any(|word| manifest.contains(word));
    let Some(sources) = module.join("src/main").filter(|sources| repo.is_folder(sources)) else {
        return false;
    };
    if manifests.is_empty() || manifests.iter().any(is_started) || has_class_that_starts(repo, &sources) {
        return false;
    }
    let mut written = repo.files_in(&sources).iter().filter(|file| language::is_source(file)).peekable();
    let starts = |file: &RepoPath| {
        let text = text(file);
        FIRST.iter().any(|first| text.contains(first))
    };
    written.peek().is_some() && !written.any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(pom: &str, file: &str, source: &str) -> bool {
        let tree =
            format!("//- /m/pom.xml\n<project>{pom}</project>\n//- /m/src/main/java/shop/{file}\n{source}\n");
        is_library(&Repo::from_fixture(&tree), &RepoPath::new("m").expect("inside the root"))
    }

    #[test]
    fn module_with_sources_that_start_nothing_is_a_library() {
        assert!(is("", "Money.java", "public record Money(long cents) {}"));
        assert!(!is("", "OrdersApplication.java", "class OrdersApplication {}"));
        assert!(!is("", "Tool.java", "class Tool { public static void main(String[] args) {} }"));
        assert!(!is("<groupId>io.quarkus</groupId>", "Orders.java", "class Orders {}"));
        assert!(!is("<packaging>war</packaging>", "Orders.java", "class Orders {}"));
        assert!(!is("", "readme.txt", "no source"));
    }
}
