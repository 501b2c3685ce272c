//! Each folder of `tests/generate` is a case: the files generated for its `input` must be those of its `expected`.
//! `UPDATE=1 cargo test --test generate` writes the expected side; read the difference.
//! Where Compose is installed it must accept every one of them, and each entry of the catalogue on its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use xtask::catalog::Catalog;
use xtask::config::Config;
use xtask::discover::{Scope, discover};
use xtask::model::files::Files;
use xtask::model::stack::{Condition, ContainerRole, Stack};
use xtask::plan::{self, plan};
use xtask::render::{Layout, render};
use xtask::repo::Repo;

fn catalog() -> Catalog {
    Catalog::load(&[]).expect("the built-in entries parse")
}

fn stack(repo: &Repo, config: &str) -> Stack {
    let catalog = catalog();
    let config = Config::parse("config.yaml", config).expect("the case's config parses");
    let scope = Scope { roots: config.services.roots.clone(), exclude: config.services.exclude.clone() };
    let facts = discover(repo, &catalog, &scope).expect("the input can be read");
    let context = plan::Context { folder: "case".to_owned(), ..plan::Context::default() };
    plan(&facts, &catalog, &config, &context).expect("the input can be planned")
}

fn cases() -> Vec<PathBuf> {
    let mut all = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generate"));
    all.sort();
    assert!(!all.is_empty());
    all
}

fn stack_of_case(case: &Path) -> Stack {
    let repo = Repo::open(&case.join("input")).expect("the case has an input");
    stack(&repo, &read(&case.join("config.yaml")).unwrap_or_default())
}

/// What is worth reading in a case: not what is the same in all of them.
fn shown(stack: &Stack) -> BTreeMap<String, String> {
    let same = [".gitignore", ".gitattributes", "config.yaml", "README.md"];
    let mut files: BTreeMap<String, String> = render(stack, &Layout::default())
        .iter()
        .filter(|(name, _)| !same.contains(name) && !name.starts_with(".generated/"))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let problems: Vec<String> = stack
        .inventory
        .problems
        .iter()
        .map(|problem| {
            let severity = serde_json::to_value(problem.severity).expect("a word");
            let severity = severity.as_str().expect("a word");
            format!(
                "{severity}[{}] {}\n  at {:?}\n  fix: {}\n",
                problem.code, problem.message, problem.at, problem.fix
            )
        })
        .collect();
    files.insert("problems.txt".to_owned(), problems.concat());
    files
}

#[test]
fn cases_are_generated_as_expected() {
    let mut different = Vec::new();
    for case in cases() {
        let files = shown(&stack_of_case(&case));
        let expected = case.join("expected");
        if std::env::var_os("UPDATE").is_some() {
            rewrite(&expected, &files);
            continue;
        }
        let mut before = BTreeMap::new();
        collect(&expected, &expected, &mut before);
        let names: std::collections::BTreeSet<&String> = before.keys().chain(files.keys()).collect();
        for name in names {
            let empty = String::new();
            let (old, new) = (before.get(name).unwrap_or(&empty), files.get(name).unwrap_or(&empty));
            if old != new {
                different.push(format!("{}/{name}\n{}", case.display(), diffy::create_patch(old, new)));
            }
        }
    }
    assert!(different.is_empty(), "UPDATE=1 accepts what is right:\n{}", different.join("\n"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for case in cases() {
        let once = render(&stack_of_case(&case), &Layout::default());
        assert_eq!(once, render(&stack_of_case(&case), &Layout::default()), "{}", case.display());
    }
}

#[test]
fn every_one_shot_is_waited_for() {
    let mut seen = 0;
    for stack in cases().iter().map(|case| stack_of_case(case)).chain(alone().into_values()) {
        for one_shot in stack.containers.iter().filter(|container| container.role == ContainerRole::OneShot) {
            seen += 1;
            let waited = stack.containers.iter().any(|other| {
                other
                    .depends_on
                    .iter()
                    .any(|on| on.target == one_shot.name && on.condition == Condition::Completed)
            });
            assert!(waited, "nobody waits for {}", one_shot.name);
        }
    }
    assert!(seen > 3);
}

#[test]
fn every_dependency_and_network_exists() {
    for stack in cases().iter().map(|case| stack_of_case(case)).chain(alone().into_values()) {
        for container in &stack.containers {
            for on in &container.depends_on {
                assert!(
                    stack.containers.iter().any(|other| other.name == on.target),
                    "{} → {}",
                    container.name,
                    on.target
                );
            }
            for (network, _) in &container.networks {
                assert!(stack.networks.iter().any(|known| known.name == *network), "{network}");
            }
        }
    }
}

/// A stack for each entry of the catalogue, with one service that requires it.
fn alone() -> BTreeMap<String, Stack> {
    let repo = Repo::from_fixture(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 7999\nCMD [\"python3\", \"app.py\"]\n",
    );
    let kinds: Vec<String> = catalog().iter().map(|entry| entry.kind.clone()).collect();
    kinds
        .into_iter()
        .map(|kind| {
            let stack = stack(&repo, &format!("services:\n  api:\n    requires: [{kind}]\n"));
            (kind, stack)
        })
        .collect()
}

/// What a named volume holds outlives a test, and a fixed port is taken while another system runs.
#[test]
fn no_component_keeps_data_or_a_fixed_port_in_the_test_environment() {
    let catalog = catalog();
    for (kind, stack) in alone() {
        let files = render(&stack, &Layout::default());
        let text = files.get("docker-compose.test.yml").expect("is always written");
        let service = text.split(&format!("\n  {kind}:\n")).nth(1).unwrap_or_default();
        let service = service.split("\n\n").next().unwrap_or_default();
        let entry = catalog.get(&kind).expect("is an entry");
        for folder in entry.versions[&entry.default].volumes.iter().filter(|_| entry.tmpfs) {
            assert!(service.contains(&format!("\n      - {folder}")), "{kind}: {folder} is not on tmpfs");
            assert!(!service.contains(&format!(":{folder}")), "{kind}: {folder} is still a volume");
        }
        let fixed = text.lines().filter(|line| line.contains("BIND_ADDR") && !line.contains("}::"));
        assert_eq!(fixed.count(), 0, "{text}");
    }
}

#[test]
fn every_entry_of_the_catalogue_renders_alone() {
    for (kind, stack) in alone() {
        let files = render(&stack, &Layout::default());
        let compose = files.get("docker-compose.yml").expect("is always written");
        let parsed: serde_yaml::Value = serde_yaml::from_str(compose).expect("is YAML");
        assert!(parsed["services"][kind.as_str()]["healthcheck"]["test"].is_sequence(), "{kind}");
        for (name, text) in files.iter() {
            let left = [
                "{secret:",
                "{database}",
                "{user}",
                "{password_variable}",
                "{service}",
                "{host}",
                "{host_port}",
                "{busybox}",
                "{file}",
                "{files}",
                "{hex}",
            ];
            for placeholder in left {
                assert!(!text.contains(placeholder), "{kind}: {placeholder} is left in {name}");
            }
        }
    }
}

#[test]
fn compose_accepts_every_setup() {
    let Ok(docker) = which::which("docker") else {
        println!("skipped: there is no docker command to ask");
        return;
    };
    let shell = xshell::Shell::new().expect("there is a current folder");
    if xshell::cmd!(shell, "{docker} compose version").quiet().ignore_stderr().read().is_err() {
        assert!(
            std::env::var_os("XTASK_REQUIRE_DOCKER").is_none(),
            "XTASK_REQUIRE_DOCKER is set and there is no Compose"
        );
        println!("skipped: there is no Compose to ask");
        return;
    }
    let all =
        cases().into_iter().map(|case| (case.display().to_string(), stack_of_case(&case))).chain(alone());
    for (name, stack) in all {
        let folder = shell.create_temp_dir().expect("can be made");
        let files: Files = render(&stack, &Layout::default());
        for (file, text) in files.iter() {
            shell.write_file(folder.path().join(file), text).expect("can be written");
        }
        shell.change_dir(folder.path());
        for layer in ["override", "test"] {
            let layer = format!("docker-compose.{layer}.yml");
            let files = ["-f", "docker-compose.yml", "-f", &layer, "--env-file", ".env.example"];
            let answer = xshell::cmd!(shell, "{docker} compose {files...} config -q").quiet().ignore_status();
            let output = answer.output().expect("can be run");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name} with {layer}: {said}");
            assert!(said.is_empty(), "{name} with {layer} warns: {said}");
        }
    }
}

fn read(path: &Path) -> Option<String> {
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

#[allow(clippy::disallowed_methods, reason = "the test's own cases, not a monorepo")]
fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn collect(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(root, &path, into);
        } else if let (Ok(name), Some(text)) = (path.strip_prefix(root), read(&path)) {
            into.insert(name.display().to_string(), text);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "only on request, to accept what is generated now")]
fn rewrite(expected: &Path, files: &BTreeMap<String, String>) {
    let _ = std::fs::remove_dir_all(expected);
    for (name, text) in files {
        let path = expected.join(name);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    }
}
