//! Sources of Rust that no `mod` names: the compiler does not look at them, and what they say is about nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::Fact;
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;

/// Files and folders that Cargo compiles by themselves.
const ROOTS: &[&str] = &["build.rs", "lib.rs", "main.rs"];
const FOLDERS: &[&str] = &["benches", "bin", "examples", "tests"];

/// The facts without those of such sources.
pub(super) fn leave_out(repo: &Repo, facts: Vec<Fact>) -> Vec<Fact> {
    let sources = facts.iter().map(|fact| &fact.at.path).filter(|path| path.extension() == "rs");
    let sources: Vec<&RepoPath> = sources.collect::<BTreeSet<_>>().into_iter().collect();
    if sources.is_empty() {
        return facts;
    }
    let declared = in_parallel(sources.clone(), |path| is_compiled(repo, path));
    let known: BTreeMap<RepoPath, bool> = sources.into_iter().cloned().zip(declared).collect();
    facts.into_iter().filter(|fact| known.get(&fact.at.path).copied().unwrap_or(true)).collect()
}

/// Whether something names the file; also where nothing is there that could.
fn is_compiled(repo: &Repo, path: &RepoPath) -> bool {
    let Some(folder) = path.parent() else { return true };
    if ROOTS.contains(&path.name()) || FOLDERS.contains(&folder.name()) {
        return true;
    }
    let (module, folder) = match path.name() {
        "mod.rs" => (folder.name().to_owned(), folder.parent().unwrap_or_default()),
        name => (name.trim_end_matches(".rs").to_owned(), folder),
    };
    let beside = folder.parent().and_then(|above| above.join(&format!("{}.rs", folder.name())));
    let inside = ["mod.rs", "lib.rs", "main.rs"].into_iter().filter_map(|name| folder.join(name));
    let texts: Vec<String> = inside
        .chain(beside)
        .filter(|file| file != path && repo.is_file(file))
        .filter_map(|file| Some(repo.text(&file).ok()?.text))
        .collect();
    // A manifest may name the file of a program, and a macro the files of a folder.
    let manifest = || {
        let manifests = path.ancestors().skip(1).filter_map(|folder| folder.join("Cargo.toml"));
        let text = manifests.filter_map(|file| repo.text(&file).ok()).next();
        text.is_some_and(|text| text.text.contains(path.name()))
    };
    let names = |text: &String| {
        declares(text, &module) || ["#[path", "include!", "automod"].iter().any(|other| text.contains(other))
    };
    texts.is_empty() || texts.iter().any(names) || manifest()
}

/// Whether a line declares the module: `pub mod orders;`, `mod r#type;`.
fn declares(text: &str, module: &str) -> bool {
    let after = text.split("mod ").skip(1).map(|rest| rest.trim_start().trim_start_matches("r#"));
    let mut names = after.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
    names.any(|name| name == Some(module))
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    #[test]
    fn sources_that_no_module_names_say_nothing() {
        let read = |name: &str| format!("fn f() {{ std::env::var(\"{name}\").expect(\"set\"); }}");
        let tree = format!(
            "//- /api/Dockerfile\nFROM rust\nCOPY . .\n//- /api/Cargo.toml\n[package]\nname = \"api\"\n[[bin]]\nname = \"x\"\npath = \"src/tool.rs\"\n\
             //- /api/src/main.rs\nmod config;\npub mod r#type;\nfn main() {{}}\n//- /api/src/config.rs\nmod inner;\n{}\n\
             //- /api/src/config/inner.rs\n{}\n//- /api/src/config/old.rs\n{}\n//- /api/src/type/mod.rs\n{}\n\
             //- /api/src/gone/mod.rs\n{}\n//- /api/src/tool.rs\n{}\n//- /api/src/bin/job.rs\n{}\n//- /api/other/a.rs\n{}\n",
            read("A"),
            read("B"),
            read("NOT_C"),
            read("D"),
            read("NOT_E"),
            read("F"),
            read("G"),
            read("H"),
        );
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let mut names: Vec<String> = facts.expect("is read").services[0]
            .facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::EnvRead { name, .. } => Some(name.clone()),
                _ => None,
            })
            .collect();
        names.sort();
        assert_eq!(names, ["A", "B", "D", "F", "G", "H"]);
    }
}
