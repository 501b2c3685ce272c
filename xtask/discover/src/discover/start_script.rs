//! The shell scripts that start a service: where the server that they run listens, whether they bring the database up to
//! date first, whom they wait for and call, and which variables they read. Follows no script that another one calls.

mod needs;

use crate::catalog::Catalog;
use crate::model::fact::{Evidence, Fact, PortSource, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::repo::Repo;

use super::findings::Findings;
use super::{Source, dockerfile, migrating, proxy_conf};

const RULE: &str = "start-script";
/// The rule for what the start command reads without a script.
const COMMAND: &str = "dockerfile-command-reads";

/// Longer ones are programs of their own.
const MAX_LINES: usize = 500;

/// Facts of the scripts that a service's image starts, and of the start command itself.
pub(super) fn facts(repo: &Repo, catalog: &Catalog, service: &ServiceFacts) -> Vec<Fact> {
    let words: Vec<String> = service.start().cloned().collect();
    let mut facts = Vec::new();
    let line = service.image.command_line.max(1);
    if let Some((tool, _)) = migrating::called(&words.join(" ")) {
        facts.push(migrates(tool, &service.dockerfile, line, "dockerfile-migrates"));
    }
    facts.extend(of_command(catalog, service, &words));
    for script in scripts(repo, service) {
        facts.extend(of_script(repo, catalog, service, &script));
    }
    facts
}

/// Whom the start command itself waits for, and the variables that the shell replaces in it.
fn of_command(catalog: &Catalog, service: &ServiceFacts, words: &[String]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let shell = words.windows(2).find(|two| two[0] == "-c").map(|two| two[1].as_str());
    let text = shell.unwrap_or_default();
    let source = Source { path: &service.dockerfile, text, catalog };
    let line = service.image.command_line.max(1);
    let mut findings = Findings::new(&source, &mut facts);
    match shell {
        None => needs::awaited(&mut findings, (line, COMMAND), words),
        Some(text) => text.lines().for_each(|text| {
            needs::awaited(&mut findings, (line, COMMAND), &dockerfile::words(text));
        }),
    }
    if text.contains('$') {
        let own = needs::assigned(text.lines());
        text.lines().for_each(|text| needs::variables(&mut findings, (line, COMMAND), text, &own));
    }
    facts
}

/// The scripts that the start command names, in order.
pub(super) fn scripts(repo: &Repo, service: &ServiceFacts) -> Vec<RepoPath> {
    let mut seen: Vec<RepoPath> = Vec::new();
    for word in service.start().flat_map(|word| word.split([' ', ';', '&', '|'])) {
        seen.extend(find(repo, service, word).filter(|script| !seen.contains(script)));
    }
    seen
}

/// The file that a word of the start command names: the nearest to the service's folder in what the build sees.
fn find(repo: &Repo, service: &ServiceFacts, word: &str) -> Option<RepoPath> {
    let word = word.trim_matches(['"', '\'']);
    let name = word.rsplit('/').next()?;
    let is_script = name.ends_with(".sh") || name.contains("entrypoint");
    if !is_script || name.contains('$') {
        return None;
    }
    let named = |folder: &RepoPath| {
        let files = repo.files_in(folder).iter().filter(|file| {
            file.name() == name || file.name().strip_suffix(".sh").is_some_and(|stem| stem == name)
        });
        files.min_by_key(|file| (file.depth(), (*file).clone())).cloned()
    };
    let copied = || {
        let sources =
            service.image.copies.iter().filter_map(|(source, _)| service.build.context.join(source));
        sources.into_iter().find(|path| path.name() == name && repo.is_file(path))
    };
    // `COPY entrypoint.sh /docker-entrypoint.sh`.
    let placed = || {
        let placed = service.image.placed.iter().rev().find(|placed| placed.to == word)?;
        service.build.context.join(&placed.source).filter(|path| repo.is_file(path))
    };
    copied().or_else(placed).or_else(|| named(&service.path)).or_else(|| named(&service.build.context))
}

fn of_script(repo: &Repo, catalog: &Catalog, service: &ServiceFacts, script: &RepoPath) -> Vec<Fact> {
    let Ok(text) = repo.text(script) else { return Vec::new() };
    let mut facts = Vec::new();
    let environment = |name: &str| {
        service.image.env.iter().rev().find(|(known, ..)| known == name).map(|(_, value, _)| value.clone())
    };
    let lines = || {
        let lines = (1..).zip(text.text.lines().map(str::trim).take(MAX_LINES));
        lines.filter(|(_, line)| !line.starts_with('#') && line.len() <= 2000)
    };
    let source = Source { path: script, text: &text.text, catalog };
    // A proxy's configuration that the script writes.
    proxy_conf::read_nginx(&source, &mut facts);
    let own = needs::assigned(lines().map(|(_, line)| line));
    for (number, line) in lines() {
        if let Some((tool, _)) = migrating::called(line) {
            facts.push(migrates(tool, script, number, "start-script-migrates"));
        }
        let mut findings = Findings::new(&source, &mut facts);
        let words = dockerfile::words(line.strip_prefix("exec ").unwrap_or(line));
        let expanded: Vec<String> =
            words.iter().map(|word| dockerfile::expand::value(word, &environment)).collect();
        let listening = dockerfile::of_server(&expanded);
        if let Some(port) = listening.port {
            findings.port(number, RULE, port, PortSource::Command, None);
        }
        if let Some(address) = listening.address {
            findings.listens(number, RULE, &address);
        }
        needs::variables(&mut findings, (number, RULE), line, &own);
        needs::others(&mut findings, number, line, &words);
    }
    facts
}

fn migrates(tool: &str, path: &RepoPath, line: u32, rule: &'static str) -> Fact {
    let what = What::Migration { tool: tool.to_owned(), command: Vec::new() };
    Fact { what, at: Evidence { path: path.clone(), line, rule }, subject: Subject::Here }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};

    #[test]
    fn scripts_that_start_a_service_are_read() {
        let tree = "//- /api/Dockerfile\nFROM python:3.13-slim\nENV PORT=8002\nCOPY docker/start.sh /start.sh\nENTRYPOINT [\"/start.sh\"]\n\
            //- /api/docker/start.sh\n#!/bin/sh\nalembic upgrade head\nnc -z db -p 5432\nexec gunicorn app:app --bind 0.0.0.0:${PORT}\n\
            //- /api/other.sh\nflask db upgrade\n//- /api/requirements.txt\nflask\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let said: Vec<String> = facts.services[0]
            .facts
            .iter()
            .filter(|fact| fact.at.rule.starts_with("start-script"))
            .map(|fact| match &fact.what {
                What::Port { port, .. } => format!("port {port} {}", fact.at),
                What::Migration { tool, .. } => format!("{tool} {}", fact.at),
                What::Listens { address } => format!("on {address}"),
                What::EnvRead { name, .. } => format!("reads {name}"),
                What::Reference(reference) => format!("calls {} {:?}", reference.host, reference.port),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            said,
            [
                "alembic api/docker/start.sh:2",
                "calls db Some(5432)",
                "port 8002 api/docker/start.sh:4",
                "on 0.0.0.0",
                "reads PORT",
            ]
        );
    }

    #[test]
    fn command_may_wait_for_others_itself() {
        for command in [
            "ENTRYPOINT [\"/wait-for.sh\", \"users:8081\", \"--timeout=90\", \"--\", \"java\", \"-jar\", \"x.jar\"]",
            "ENTRYPOINT [\"./wait-for-it.sh\", \"-t\", \"60\", \"users:8081\", \"--\"]\nCMD [\"java\", \"-jar\", \"x.jar\"]",
            "CMD ./wait-for users:8081 && java -jar x.jar",
            "CMD [\"sh\", \"-c\", \"until nc -z users 8081; do sleep 1; done; exec java -jar x.jar\"]",
        ] {
            let tree = format!("//- /api/Dockerfile\nFROM eclipse-temurin:21\nCOPY x.jar .\n{command}\n");
            let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
            let called = |fact: &Fact| match &fact.what {
                What::Reference(reference) => Some((reference.host.clone(), reference.port)),
                _ => None,
            };
            let called: Vec<_> = facts.services[0].facts.iter().filter_map(called).collect();
            assert_eq!(called, [("users".to_owned(), Some(8081))], "{command}");
        }
    }

    #[test]
    fn script_may_be_called_otherwise_in_the_image() {
        let tree = "//- /web/Dockerfile\nFROM nginx:alpine\nCOPY docker/env.sh /docker-entrypoint.sh\nENTRYPOINT [\"/docker-entrypoint.sh\"]\n\
            //- /web/docker/env.sh\nenvsubst '${API_URL}' < /a.js > /b.js\nexec nginx\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let read = |fact: &Fact| match &fact.what {
            What::EnvRead { name, .. } => Some(format!("{name} {}", fact.at)),
            _ => None,
        };
        let read: Vec<String> = facts.services[0].facts.iter().filter_map(read).collect();
        assert_eq!(read, ["API_URL web/docker/env.sh:1"]);
    }

    #[test]
    fn upstreams_that_a_script_writes_are_called() {
        let tree = "//- /proxy/Dockerfile\nFROM nginx:alpine\nCOPY run.sh /\nENTRYPOINT [\"/run.sh\"]\n\
            //- /proxy/run.sh\n#!/bin/sh\ncat > /etc/nginx/conf.d/default.conf <<END\nserver {\n  listen 8080;\n  location /api {\n    \
            proxy_pass http://orders:3000;\n  }\n}\nEND\nsed -i 's|localhost:9000|users:9000|g' /etc/nginx/nginx.conf\nsed -i s/a/b/ /x\nexec nginx\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let said = |fact: &Fact| match &fact.what {
            What::Reference(reference) => {
                Some(format!("{} {:?} {}", reference.host, reference.port, fact.at))
            }
            What::Port { port, source: PortSource::FrameworkConfig, .. } => {
                Some(format!("{port} {}", fact.at))
            }
            _ => None,
        };
        let said: Vec<String> = facts.services[0].facts.iter().filter_map(said).collect();
        assert_eq!(
            said,
            ["8080 proxy/run.sh:4", "orders Some(3000) proxy/run.sh:6", "users Some(9000) proxy/run.sh:10"]
        );
    }
}
