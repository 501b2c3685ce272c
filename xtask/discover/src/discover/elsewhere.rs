//! Ports that a program takes from a constant or a setting in another file: `app.listen(config.port)`. Looks only where
//! nothing stronger says the port, and only in files that the listening one names.

use super::lang::value_of;
use super::services::is_test_path;
use crate::catalog::Catalog;
use crate::model::fact::{Evidence, Fact, PortSource, Protocol, Purpose, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::parallel::in_parallel;
use crate::repo::Repo;

/// In larger programs nobody is sure which file is meant.
const MAX_FILES: usize = 2_000;

/// Replaces each name by the port that it stands for, where the files that can be meant agree.
pub(super) fn settle(repo: &Repo, catalog: &Catalog, services: &mut [ServiceFacts]) {
    let found = in_parallel(services.iter().collect(), |service| {
        if is_known(service) { Vec::new() } else { ports(repo, catalog, service) }
    });
    for (service, ports) in services.iter_mut().zip(found) {
        service.facts.retain(|fact| !matches!(fact.what, What::ListensBy { .. }));
        service.facts.extend(ports);
    }
}

/// Whether something else says where the service listens.
fn is_known(service: &ServiceFacts) -> bool {
    let says = |fact: &Fact| matches!(fact.what, What::Port { source, .. } if source <= PortSource::Listen);
    service.facts.iter().any(says)
}

fn ports(repo: &Repo, catalog: &Catalog, service: &ServiceFacts) -> Vec<Fact> {
    let names = service.facts.iter().filter_map(|fact| match &fact.what {
        What::ListensBy { name, protocol } => Some((name, *protocol, &fact.at)),
        _ => None,
    });
    names.filter_map(|(name, protocol, at)| port(repo, catalog, service, name, protocol, at)).collect()
}

fn port(
    repo: &Repo,
    catalog: &Catalog,
    service: &ServiceFacts,
    name: &str,
    protocol: Protocol,
    at: &Evidence,
) -> Option<Fact> {
    let listening = repo.text(&at.path).ok()?.text;
    let wanted = |file: &&RepoPath| {
        **file != at.path
            && extension(file) == extension(&at.path)
            && !is_test_path(file)
            && is_named(&listening, file)
    };
    let mut found: Option<(u16, Evidence)> = None;
    for file in repo.files_in(&service.path).iter().take(MAX_FILES).filter(wanted) {
        let Ok(text) = repo.text(file) else { continue };
        let Some((line, port)) = value_of(&text.text, name, catalog) else { continue };
        // In another file, also what speaks HTTP is more often somebody else.
        if catalog.by_port(port).is_some() {
            continue;
        }
        match &found {
            Some((known, _)) if *known != port => return None,
            Some(_) => {}
            None => found = Some((port, Evidence { path: file.clone(), line, rule: at.rule })),
        }
    }
    let (port, at) = found?;
    let (source, purpose, variable) = (PortSource::Listen, Purpose::Main, None);
    Some(Fact { what: What::Port { port, protocol, purpose, source, variable }, at, subject: Subject::Here })
}

/// One language, whatever its dialect.
fn extension(file: &RepoPath) -> &str {
    match file.extension() {
        "ts" | "mts" | "cts" | "mjs" | "cjs" => "js",
        other => other,
    }
}

/// Whether the listening file speaks of that file, or of its folder, as of a module: `./config`, `settings`, `config.Port`.
fn is_named(listening: &str, file: &RepoPath) -> bool {
    const NAMELESS: &[&str] = &["index", "mod", "lib", "__init__", "main"];
    let stem = file.name().split('.').next().unwrap_or_default();
    let folder = file.parent().unwrap_or_default();
    let is_go = file.extension() == "go";
    let word = match stem {
        // The library of a crate is called like the crate, and that mostly like its folder.
        "lib" if folder.name() == "src" => folder.parent().unwrap_or_default().name().replace('-', "_"),
        _ if is_go || NAMELESS.contains(&stem) => folder.name().to_owned(),
        _ => stem.to_owned(),
    };
    !word.is_empty() && !folder.is_root() && holds_word(listening, &word)
}

fn holds_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .take(200)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Scope, discover};

    fn ports(files: &[(&str, &str)]) -> Vec<String> {
        let files: String = files.iter().map(|(path, text)| format!("//- /app/{path}\n{text}\n")).collect();
        let tree = format!("//- /app/Dockerfile\nFROM x\nCOPY . .\n{files}");
        let catalog = Catalog::default();
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
        let port = |fact: &Fact| match fact.what {
            What::Port { port, .. } => Some(format!("{port} {}", fact.at)),
            What::ListensBy { .. } => Some("a name is left".to_owned()),
            _ => None,
        };
        facts.services[0].facts.iter().filter_map(port).collect()
    }

    #[test]
    fn names_get_their_value_in_the_file_that_is_imported() {
        let main = "import { config } from './config';\napp.listen(config.port);";
        assert_eq!(
            ports(&[("src/main.ts", main), ("src/config.ts", "export const config = {\n  port: 3001,\n};")]),
            ["3001 app/src/config.ts:2"]
        );
        let go = "package main\nimport \"app/config\"\nfunc main() { http.ListenAndServe(config.Addr, nil) }";
        assert_eq!(
            ports(&[("main.go", go), ("config/values.go", "package config\nconst Addr = \":8085\"")]),
            ["8085 app/config/values.go:2"]
        );
        let rust = "use app::HTTP_PORT;\nfn main() {\n  let address = format!(\"0.0.0.0:{HTTP_PORT}\");\n  TcpListener::bind(address);\n}";
        assert_eq!(
            ports(&[("src/main.rs", rust), ("src/lib.rs", "pub const HTTP_PORT: u16 = 3000;")]),
            ["3000 app/src/lib.rs:1"]
        );
        let python = "import settings\napp.run(host='0.0.0.0', port=settings.PORT)";
        assert_eq!(ports(&[("main.py", python), ("settings.py", "PORT = 8002")]), ["8002 app/settings.py:1"]);
    }

    #[test]
    fn other_files_and_values_that_differ_say_nothing() {
        let main = "import { config } from './config';\napp.listen(config.port);";
        assert!(ports(&[("src/main.ts", main), ("src/other.ts", "const o = { port: 3001 };")]).is_empty());
        assert!(
            ports(&[
                ("src/main.ts", main),
                ("src/config.ts", "const c = { port: 3001 };"),
                ("src/config/index.ts", "const c = { port: 3002 };")
            ])
            .is_empty()
        );
    }
}
