//! The one-shots that bring databases up to date before their services start: who gets one, what it runs, and who waits
//! for it; pure.
//!
//! A one-shot that fails keeps the system from starting, so there is one only where every part of it was seen.

mod tools;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Class;
use crate::config::Migrate as Wanted;
use crate::model::fact::{Image, MigrationRun, What};
use crate::model::inventory::Role;
use crate::model::problem::Problem;
use crate::model::stack::{Condition, Container, ContainerRole, Dependency, HealthCheck, InTests, Mount};

use super::assemble;
use super::components::{Binding, Component};
use super::draft::Draft;
use super::environment::{escape, secret_reference};
use super::needs::{Needs, Target};
use super::networks::SERVICES;
use super::order::Edge;
use super::setup;
use tools::{own_image, told, url};

/// Kinds whose tables the tools of the field make.
const SQL: &[&str] = &["postgres", "mysql", "mariadb", "sqlserver"];

/// Where the files lie in a tool's own image.
const MOUNTED: &str = "/migrations";

/// One run of migrations, before the services that wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Migration {
    /// `accounts-migrate`
    pub(crate) name: String,
    /// Whose image and variables it has.
    pub(crate) service: String,
    tool: String,
    command: Vec<String>,
    folder: Option<String>,
    files: Option<crate::model::path::RepoPath>,
    /// The servers whose databases it changes, with the database.
    databases: Vec<(String, String)>,
    /// Services that work on the same databases.
    pub(crate) waiting: BTreeSet<String>,
    /// Other runs on the same databases, which come first.
    after: Vec<String>,
    /// Why, for people.
    pub(crate) because: String,
}

impl Migration {
    /// Who waits for whom; nothing of it can be given up for a cycle.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let edge = |from: &String, to: &String| Edge { from: from.clone(), to: to.clone(), weight: u8::MAX };
        let waiting = self.waiting.iter().map(|service| edge(service, &self.name));
        let servers = self.databases.iter().map(|(server, _)| edge(&self.name, server));
        waiting.chain(servers).chain(self.after.iter().map(|other| edge(&self.name, other))).collect()
    }

    /// For people: what it runs, ready to paste.
    pub(crate) fn shown(&self) -> String {
        self.command.join(" ")
    }

    /// Where it runs it: in the service's image, or in the tool's own.
    pub(crate) fn is_in_service_image(&self) -> bool {
        self.files.is_none()
    }
}

/// Makes a service wait for the runs on its databases.
pub(crate) fn wait(service: &mut Container, migrations: &[Migration]) {
    let own = migrations.iter().filter(|migration| migration.waiting.contains(&service.name));
    service
        .depends_on
        .extend(own.map(|run| Dependency { target: run.name.clone(), condition: Condition::Completed }));
}

/// Decides all runs, in the order of their names.
pub(crate) fn decide(drafts: &[Draft<'_>], needs: &[Needs], components: &[Component<'_>]) -> Vec<Migration> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    // Of several services with one code base, the one that runs what the image is made for stands for all.
    order.sort_by_key(|at| (drafts[*at].facts.command.is_some(), drafts[*at].ports.is_empty(), *at));
    let mut found: Vec<(usize, Migration)> = Vec::new();
    for at in order {
        let draft = &drafts[at];
        let Some(run) = run(draft, &needs[at], drafts, components) else { continue };
        let same = found
            .iter()
            .any(|(other, one)| one.databases == run.databases && shares_code(&drafts[*other], draft));
        if !same {
            found.push((at, run));
        }
    }
    let mut runs: Vec<Migration> = found.into_iter().map(|(_, run)| run).collect();
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    for at in 1..runs.len() {
        let shares = |other: &&Migration| other.databases.iter().any(|one| runs[at].databases.contains(one));
        runs[at].after = runs[..at].iter().filter(shares).map(|other| other.name.clone()).collect();
    }
    runs
}

fn run(
    draft: &Draft<'_>,
    needs: &Needs,
    drafts: &[Draft<'_>],
    components: &[Component<'_>],
) -> Option<Migration> {
    let service = &draft.facts.name;
    let name = format!("{service}-migrate");
    if drafts.iter().any(|other| other.facts.name == name) {
        return None;
    }
    let (tool, command, folder, files, because) = match &draft.wanted.migrate {
        Some(Wanted::None) => return None,
        Some(Wanted::Command(words)) => {
            (String::new(), words.clone(), None, None, "config.yaml says so".to_owned())
        }
        None => {
            let MigrationRun { tool, command, folder, files, because, .. } = draft.facts.migration.clone()?;
            (tool, command, folder, files, because)
        }
    };
    let asked = draft.wanted.migrate.is_some();
    let databases = databases(draft, &tool, needs, components, asked);
    if !asked {
        let migrated = |other: &&Draft<'_>| {
            runs_itself(other) && shares_code(other, draft) && uses(other, &databases, components)
        };
        let unknown = files.is_some() && own_image(&tool, kind_of(&databases, components)).is_none();
        if databases.is_empty() || draft.role == Role::Job || unknown || drafts.iter().any(|d| migrated(&d)) {
            return None;
        }
    }
    let waits = |other: &&Draft<'_>| other.role != Role::Job && uses(other, &databases, components);
    let waiting = drafts.iter().filter(waits).map(|other| other.facts.name.clone());
    let waiting = waiting.chain([service.clone()]).collect();
    let service = service.clone();
    Some(Migration {
        name,
        service,
        tool,
        command,
        folder,
        files,
        databases,
        waiting,
        after: Vec::new(),
        because,
    })
}

/// The databases of a service's own that a tool works on: those that are started here, and whose address the service
/// is told. What runs elsewhere is not ours to change.
fn databases(
    draft: &Draft<'_>,
    tool: &str,
    needs: &Needs,
    components: &[Component<'_>],
    asked: bool,
) -> Vec<(String, String)> {
    let suits =
        |kind: &str| asked || if tool == "migrate-mongo" { kind == "mongodb" } else { SQL.contains(&kind) };
    let told = |kind: &str| {
        needs.all.iter().any(|need| {
            need.target == Target::Kind(kind.to_owned())
                && (!need.wires.is_empty() || !need.hosts.is_empty() || need.literal.is_some())
        })
    };
    let of = |component: &Component<'_>| {
        let binding = component.binding(&draft.facts.name)?;
        Some((component.name.clone(), binding.database.clone()))
    };
    let ours =
        components.iter().filter(|component| suits(&component.entry.kind) && told(&component.entry.kind));
    ours.filter_map(of).collect()
}

fn uses(draft: &Draft<'_>, databases: &[(String, String)], components: &[Component<'_>]) -> bool {
    databases.iter().any(|(server, database)| {
        let component = components.iter().find(|component| component.name == *server);
        component
            .and_then(|component| component.binding(&draft.facts.name))
            .is_some_and(|binding| binding.database == *database)
    })
}

fn kind_of<'a>(databases: &[(String, String)], components: &'a [Component<'_>]) -> &'a str {
    let server = databases.first().map(|(server, _)| server.as_str());
    let component = components.iter().find(|component| Some(component.name.as_str()) == server);
    component.map_or("", |component| component.entry.kind.as_str())
}

fn shares_code(a: &Draft<'_>, b: &Draft<'_>) -> bool {
    let place = |draft: &Draft<'_>| draft.facts.migration.as_ref().map(|run| run.at.path.clone());
    a.facts.path == b.facts.path
        || a.facts.dockerfile == b.facts.dockerfile
        || (place(a).is_some() && place(a) == place(b))
}

/// Whether a service calls its tool when it starts.
fn runs_itself(draft: &Draft<'_>) -> bool {
    let facts = &draft.facts.facts;
    facts.iter().any(|fact| matches!(&fact.what, What::Migration { command, .. } if command.is_empty()))
}

/// What nobody has to be told who has decided it in `config.yaml`.
pub(crate) fn decided_by_hand(problem: &Problem, drafts: &[Draft<'_>], runs: &[Migration]) -> bool {
    problem.code == "migrations-not-run"
        && problem.services.iter().any(|name| {
            let wanted = |draft: &Draft<'_>| draft.facts.name == *name && draft.wanted.migrate.is_some();
            drafts.iter().any(wanted) || runs.iter().any(|run| run.waiting.contains(name))
        })
}

/// The container of a run, made from that of its service.
pub(crate) fn container(
    run: &Migration,
    service: &Container,
    image: &Image,
    components: &[Component<'_>],
    networks: &BTreeMap<String, String>,
) -> Container {
    let component = run
        .databases
        .first()
        .and_then(|(server, _)| components.iter().find(|component| component.name == *server));
    let kind = component.map_or("", |component| component.entry.kind.as_str());
    let filled = |text: &str| {
        let text = text.replace("{url}", url(kind));
        match component.and_then(|component| Some((component, component.binding(&run.service)?))) {
            Some((component, binding)) => fill(&text, component, binding),
            None => escape(&text),
        }
    };
    let words: Vec<String> = run.command.iter().map(|word| filled(word)).collect();
    let own = run.files.as_ref().and_then(|_| own_image(&run.tool, kind));
    let mut out = match &own {
        Some(own) => {
            let mut out = assemble::container(&run.name, ContainerRole::OneShot, "migrate");
            out.image = Some(own.image.to_owned());
            out.environment =
                own.environment.iter().map(|(name, value)| ((*name).to_owned(), filled(value))).collect();
            out.volumes = run
                .files
                .iter()
                .map(|source| Mount::Repo { source: source.clone(), target: MOUNTED.to_owned() })
                .collect();
            out.command = Some(words);
            out.init = true;
            out
        }
        None => in_own_image(run, service, image, words),
    };
    if own.is_none() {
        for (name, value) in told(&run.tool, kind) {
            if !out.environment.iter().any(|(known, _)| known == name) {
                out.environment.push(((*name).to_owned(), filled(value)));
            }
        }
        out.environment.sort();
    }
    // Only what the run itself needs, and never other services: the databases, and the caches that frameworks look for
    // when they load. Queues and the like may still be starting.
    let server = own.as_ref().and(component);
    let is_early =
        |component: &Component<'_>| matches!(component.entry.class, Class::Database | Class::Cache);
    let is_needed = |component: &&Component<'_>| match server {
        Some(server) => component.name == server.name,
        None => is_early(component),
    };
    let needed = |on: &&Dependency| {
        components
            .iter()
            .filter(is_needed)
            .any(|component| component.name == on.target || setup::name(component) == on.target)
    };
    out.depends_on = service.depends_on.iter().filter(needed).cloned().collect();
    let joins = |name: &&String| match server {
        Some(server) => networks.get(&server.name) == Some(*name),
        None => networks.values().any(|network| network == *name),
    };
    let joined = service.networks.iter().map(|(name, _)| name).filter(joins);
    out.networks = joined.map(|name| (name.clone(), Vec::new())).collect();
    if out.networks.is_empty() {
        out.networks.push((SERVICES.to_owned(), Vec::new()));
    }
    out.depends_on.extend(
        run.after.iter().map(|other| Dependency { target: other.clone(), condition: Condition::Completed }),
    );
    out.labels = vec![
        ("xtask.kind".to_owned(), "migrate".to_owned()),
        ("xtask.role".to_owned(), "one-shot".to_owned()),
    ];
    out
}

/// As the service, with another command: what it reads when it starts, the tool reads too.
fn in_own_image(run: &Migration, service: &Container, image: &Image, words: Vec<String>) -> Container {
    let mut out = service.clone();
    out.name.clone_from(&run.name);
    out.role = ContainerRole::OneShot;
    out.kind = "migrate".to_owned();
    out.ports.clear();
    out.local_ports.clear();
    out.in_tests = InTests::default();
    out.reload = None;
    out.working_dir.clone_from(&run.folder);
    // Whatever the image keeps in volumes is not the migrations' to write.
    out.tmpfs = service
        .volumes
        .iter()
        .filter_map(|mount| match mount {
            Mount::Volume { name, target, .. } if name != assemble::PROBE => Some(target.clone()),
            _ => None,
        })
        .collect();
    out.volumes.clear();
    // A check of the server that does not run here would call it unhealthy.
    let check =
        image.healthcheck.as_ref().filter(|check| check.test.first().is_some_and(|word| word != "NONE"));
    out.health_check = check.map(|_| HealthCheck {
        test: vec!["NONE".to_owned()],
        interval: String::new(),
        timeout: String::new(),
        retries: 0,
        start_period: String::new(),
        start_interval: None,
    });
    match passes_on(image) {
        true => out.command = Some(words),
        // The image's own would start the service, or do what the service does first.
        false => (out.entrypoint, out.command) = (Some(words), None),
    }
    out
}

/// Whether an image's ENTRYPOINT runs what it is given, and does nothing else.
fn passes_on(image: &Image) -> bool {
    const RUNNERS: &[&str] =
        &["tini", "dumb-init", "catatonit", "docker-php-entrypoint", "docker-php-serversideup-entrypoint"];
    let first = image.entrypoint.first().map(|word| word.rsplit('/').next().unwrap_or_default());
    first.is_none_or(|first| RUNNERS.contains(&first)) && image.entrypoint.len() <= 2
}

fn fill(text: &str, component: &Component<'_>, binding: &Binding) -> String {
    let (host, port) = component.address();
    escape(text)
        .replace("{user}", &binding.user)
        .replace("{password}", &secret_reference(&binding.password_variable))
        .replace("{host}", &host)
        .replace("{port}", &port.to_string())
        .replace("{database}", &binding.database)
}
