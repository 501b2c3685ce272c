//! Each folder of `tests/discover` is a case: what discovery says about its `input` must be `expected.txt`.
//! `UPDATE=1 cargo test --test discover` writes the expected side; read the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use xtask::catalog::Catalog;
use xtask::discover::{Scope, discover};
use xtask::model::fact::{Fact, Facts, Origin, ServiceFacts, Subject, What};
use xtask::repo::Repo;

#[test]
fn cases_are_read_as_expected() {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let mut different = Vec::new();
    for case in cases() {
        let repo = Repo::open(&case.join("input")).expect("the case has an input");
        let facts = discover(&repo, &catalog, &Scope::default()).expect("the input can be read");
        let shown = show(&facts);
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            update(&expected, &shown);
        } else if std::fs::read(&expected).unwrap_or_default() != shown.as_bytes() {
            let before = String::from_utf8_lossy(&std::fs::read(&expected).unwrap_or_default()).into_owned();
            let patch = diffy::create_patch(&before, &shown);
            different.push(format!("{}\n{patch}", case.display()));
        }
    }
    assert!(different.is_empty(), "UPDATE=1 accepts what is right:\n{}", different.join("\n"));
}

#[test]
fn cases_hold_nothing_but_an_input_and_an_expected_side() {
    let mut odd = Vec::new();
    for case in cases() {
        odd.extend(
            entries(&case)
                .into_iter()
                .filter(|path| !(path.ends_with("input") || path.ends_with("expected.txt"))),
        );
    }
    assert_eq!(odd, Vec::<PathBuf>::new());
}

#[allow(clippy::disallowed_methods, reason = "only on request, to accept what discovery says now")]
fn update(expected: &Path, shown: &str) {
    std::fs::write(expected, shown).expect("the case can be written");
}

fn cases() -> Vec<PathBuf> {
    let all = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/discover"));
    assert!(!all.is_empty());
    all
}

#[allow(clippy::disallowed_methods, reason = "the test's own cases, not a monorepo")]
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.expect("can be listed").path()).collect();
    all.sort();
    all
}

fn show(facts: &Facts) -> String {
    let mut out = String::new();
    for service in &facts.services {
        show_service(&mut out, service);
    }
    for component in &facts.components {
        let _ = writeln!(
            out,
            "component {}: {} {} {}",
            component.name, component.kind, component.image, component.at
        );
        if let Some((dockerfile, build)) = &component.build {
            let _ = writeln!(out, "  build {dockerfile} in {}", build.context);
        }
    }
    for base in &facts.bases {
        let _ = writeln!(out, "base {}: {} in {}", base.name, base.dockerfile, base.build.context);
        show_origins(&mut out, &base.origins);
    }
    for aside in &facts.set_aside {
        let _ = writeln!(out, "aside {}: {}", aside.path, aside.reason);
    }
    for orphan in &facts.orphans {
        let _ = writeln!(out, "orphan {}", line(orphan));
    }
    for problem in &facts.problems {
        let places = problem.at.join(" ");
        let _ = writeln!(out, "{:?} {} {places}: {}", problem.severity, problem.code, problem.message);
        let _ = writeln!(out, "  fix: {}", problem.fix);
    }
    out
}

fn show_origins(out: &mut String, origins: &[Origin]) {
    for origin in origins {
        let _ = writeln!(out, "  from {} of {}", origin.reference, origin.dockerfile);
    }
}

fn show_service(out: &mut String, service: &ServiceFacts) {
    let language = if service.language.is_empty() { "unknown" } else { &service.language };
    let _ = writeln!(out, "service {} ({language})", service.name);
    let _ = writeln!(out, "  path {}, {} in {}", service.path, service.dockerfile, service.build.context);
    if let Some(target) = &service.build.target {
        let _ = writeln!(out, "  target {target}");
    }
    for (name, value) in &service.build.args {
        let _ = writeln!(out, "  argument {name}={value}");
    }
    if let Some(command) = &service.command {
        let _ = writeln!(out, "  command {}", command.join(" "));
    }
    if !service.aliases.is_empty() {
        let _ = writeln!(out, "  also {}", service.aliases.join(", "));
    }
    let image = &service.image;
    let _ = writeln!(out, "  from {}", image.base);
    show_origins(out, &service.origins);
    if let Some(user) = &image.user {
        let _ = writeln!(out, "  user {user}");
    }
    for (volume, _) in &image.volumes {
        let _ = writeln!(out, "  volume {volume}");
    }
    if !image.installs.is_empty() {
        let _ = writeln!(out, "  installs {}", image.installs.join(", "));
    }
    for fact in &service.facts {
        let _ = writeln!(out, "  {}", line(fact));
    }
}

fn line(fact: &Fact) -> String {
    let about = match &fact.subject {
        Subject::Here => String::new(),
        Subject::Named(name) => format!(" of {name}"),
    };
    let what = match &fact.what {
        What::Port { port, protocol, purpose, source, variable } => {
            let variable = variable.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("port {port} {protocol:?} {purpose:?} {source:?}{variable}")
        }
        What::EnvValue { name, value, comment, source } => {
            let comment = if comment.is_empty() { String::new() } else { format!(" # {comment}") };
            format!("value {name}={value} {source:?}{comment}")
        }
        What::EnvRead { name, default, required } => {
            let default = default.as_deref().map(|text| format!(" default {text}")).unwrap_or_default();
            format!("reads {name}{default}{}", if *required { " required" } else { "" })
        }
        What::ConfigKey { .. } | What::KeysFromVariables(_) => panic!("{fact:?} has not been settled"),
        What::Health { kind, path, port } => {
            let port = port.map(|port| format!(" on {port}")).unwrap_or_default();
            format!("health {kind:?} {}{port}", path.as_deref().unwrap_or("-"))
        }
        What::Listens { address } => format!("listens on {address}"),
        What::Driver { kind, package, dev_only } => {
            format!("driver {kind} {package}{}", if *dev_only { " for development" } else { "" })
        }
        What::Reference(reference) => {
            let via = reference.via.as_deref().unwrap_or("-");
            let port = reference.port.map(|port| format!(":{port}")).unwrap_or_default();
            let database = reference.database.as_deref().map(|name| format!("/{name}")).unwrap_or_default();
            format!("reference {via} {}://{}{port}{database}", reference.scheme, reference.host)
        }
        What::Mention { target, detail } => {
            format!(
                "mentions {target}{}",
                detail.as_deref().map(|text| format!(" ({text})")).unwrap_or_default()
            )
        }
        What::Framework { name } => format!("framework {name}"),
        What::Migration { tool, command } => format!("migration {tool} {}", command.join(" ")),
        What::SchemaFile => "schema file".to_owned(),
        What::Unused { variable } => format!("no use for {variable}"),
        What::Uses { kind } => format!("uses {kind}"),
        What::DevelopmentPort { port } => format!("development port {port}"),
        What::Database { name, kind } => format!("database {name} {}", kind.as_deref().unwrap_or("-")),
        What::Alias { name } => format!("alias {name}"),
        What::ListensBy { name, .. } => format!("listens by {name}"),
        What::Moved { variable, .. } => format!("moved {variable}"),
    };
    format!("{}{about} [{} {}]", what.trim_end(), fact.at.rule, fact.at)
}
