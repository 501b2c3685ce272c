//! For the tests of detectors: a file's text in, its facts as short lines out.

use std::sync::LazyLock;

use crate::catalog::Catalog;
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, Subject, What};
use crate::model::path::RepoPath;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load(&[]).expect("the built-in entries parse"));

/// The facts that `detectors` find in one file, in the order in which they stand there.
pub(crate) fn facts_of(detectors: &[Detector], path: &str, text: &str) -> Vec<Fact> {
    let path = RepoPath::new(path).expect("inside the root");
    let source = Source { path: &path, text, catalog: &CATALOG };
    let mut facts = Vec::new();
    let wants = |one: &&Detector| one.is_for(path.extension()) && (one.wants)(&path);
    for detector in detectors.iter().filter(wants) {
        (detector.read)(&source, &mut facts);
    }
    facts
}

/// The same as lines such as `3 node-listen port 3000 Listen`.
pub(crate) fn say(detectors: &[Detector], path: &str, text: &str) -> Vec<String> {
    let mut lines: Vec<(u32, String)> =
        facts_of(detectors, path, text).iter().map(|fact| (fact.at.line, show(fact))).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Only what they say, without line and rule.
pub(crate) fn what(detectors: &[Detector], path: &str, text: &str) -> Vec<String> {
    let lines = say(detectors, path, text);
    lines.iter().map(|line| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned()).collect()
}

fn show(fact: &Fact) -> String {
    let subject = match &fact.subject {
        Subject::Here => String::new(),
        Subject::Named(name) => format!("[{name}] "),
    };
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let what = match &fact.what {
        What::Port { port, protocol, purpose, source, variable } => {
            let mut line = format!("port {port} {source:?}");
            if *protocol != crate::model::fact::Protocol::Http {
                line += &format!(" {protocol:?}");
            }
            if *purpose != crate::model::fact::Purpose::Main {
                line += &format!(" {purpose:?}");
            }
            if let Some(variable) = variable {
                line += &format!(" by {variable}");
            }
            line
        }
        What::Listens { address } => format!("listens {address}"),
        What::Health { kind, path, port } => {
            format!(
                "health {kind:?} {}{}",
                or_dash(path),
                port.map_or_else(String::new, |port| format!(" on {port}"))
            )
        }
        What::EnvRead { name, default, required } => {
            format!("env {name} {}{}", or_dash(default), if *required { " required" } else { "" })
        }
        What::ConfigKey { key, default, required, .. } => {
            format!("key {key} {}{}", or_dash(default), if *required { " required" } else { "" })
        }
        What::KeysFromVariables(naming) => {
            let replaced: Vec<String> =
                naming.replaced.iter().map(|(from, to)| format!("{from}>{to}")).collect();
            format!("keys {} {}", naming.prefix, replaced.join(" ")).trim_end().to_owned()
        }
        What::EnvValue { name, value, source, .. } => format!("value {name}={value} {source:?}"),
        What::Driver { kind, package, dev_only } => {
            format!("driver {kind} {package}{}", if *dev_only { " dev" } else { "" })
        }
        What::Reference(r) => format!(
            "ref {}|{}|{}|{} via {}",
            r.scheme,
            r.host,
            r.port.map_or_else(|| "-".to_owned(), |port| port.to_string()),
            or_dash(&r.database),
            or_dash(&r.via)
        ),
        What::Database { name, kind } => format!("database {name} {}", or_dash(kind)),
        What::Mention { target, detail } => format!("mention {target} {}", or_dash(detail)),
        What::Framework { name } => format!("framework {name}"),
        What::Migration { tool, command } => format!("migration {tool} [{}]", command.join(" ")),
        What::SchemaFile => "schema".to_owned(),
        What::DevelopmentPort { port } => format!("development port {port}"),
        What::Alias { name } => format!("alias {name}"),
        #[allow(unreachable_patterns, reason = "facts are added by others")]
        other => format!("{other:?}"),
    };
    format!("{} {} {subject}{what}", fact.at.line, fact.at.rule)
}

/// Texts that nobody wrote by hand must neither hang nor panic.
pub(crate) fn survives(detectors: &[Detector], paths: &[&str]) {
    let hostile = [
        String::new(),
        "\u{feff}\u{0}\u{1}\u{7f}".to_owned(),
        "\"".repeat(50_000),
        "process.env.".repeat(20_000),
        format!("x = \"{}", "http://a:1/".repeat(10_000)),
        "env::var(\"A\nos.environ[\"B\nlisten(\n".repeat(3_000),
        "{".repeat(20_000),
        "host: '".repeat(10_000),
        "/*".repeat(10_000),
        "\"\"\"\n".repeat(9_001),
        "é\u{2028}http://ü:80 .listen(é".repeat(2_000),
        format!("function f(n) {{ return process.env[n]; }}\n{}", "f(\"AA\")\n".repeat(30_000)),
        format!("{}p.listen(p)\n", "app.listen(p)\n".repeat(20_000)),
        format!("{{\"dependencies\":{{{}\"z\":\"1\"}}}}", "\"pg\":\"1\",\n".repeat(30_000)),
        "[dependencies]\n<project><dependency>\n".repeat(2_000),
    ];
    for path in paths {
        for text in &hostile {
            let started = std::time::Instant::now();
            let _ = facts_of(detectors, path, text);
            assert!(
                started.elapsed().as_secs() < 20,
                "{path} took {:?} for {:.20}…",
                started.elapsed(),
                text
            );
        }
    }
}
