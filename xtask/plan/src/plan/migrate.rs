//! The one-shots that bring databases up to date before their services start: who gets one, what it runs, and who waits
//! for it; pure.
//!
//! A one-shot that fails keeps the system from starting, so there is one only where every part of it was seen.

mod container;
mod tools;

use std::collections::BTreeSet;

use crate::config::Migrate as Wanted;
use crate::model::fact::{MigrationRun, What};
use crate::model::inventory::Role;
use crate::model::problem::{Problem, Severity};
use crate::model::stack::{Condition, Container, Dependency};
use crate::model::words::list;

use super::components::Component;
use super::draft::Draft;
use super::needs::{Needs, Target};
use super::order::Edge;
pub(crate) use container::container;
use tools::own_image;

/// Kinds whose tables the tools of the field make.
const SQL: &[&str] = &["postgres", "mysql", "mariadb", "sqlserver"];

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
    /// A job of the repository does it: there is a container for it already.
    pub(crate) by_job: bool,
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
    for run in migrations.iter().filter(|migration| migration.waiting.contains(&service.name)) {
        service.depends_on.retain(|on| on.target != run.name);
        service.depends_on.push(Dependency { target: run.name.clone(), condition: Condition::Completed });
    }
}

/// Decides all runs, in the order of their names.
pub(crate) fn decide(
    drafts: &[Draft<'_>],
    needs: &[Needs],
    components: &[Component<'_>],
    problems: &mut Vec<Problem>,
) -> Vec<Migration> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    // Of several services with one code base, the one that runs what the image is made for stands for all.
    order.sort_by_key(|at| (drafts[*at].facts.command.is_some(), drafts[*at].ports.is_empty(), *at));
    let jobs = |at: usize| Some((at, job(&drafts[at], &needs[at], drafts, components)?));
    let mut found: Vec<(usize, Migration)> = (0..drafts.len()).filter_map(jobs).collect();
    for at in order {
        let draft = &drafts[at];
        let Some(run) = run(draft, &needs[at], drafts, components, problems) else { continue };
        let has_job = |(_, one): &(usize, Migration)| one.by_job && one.waiting.contains(&run.service);
        if draft.wanted.migrate.is_none() && found.iter().any(has_job) {
            continue;
        }
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
    problems: &mut Vec<Problem>,
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
    let mut databases = databases(draft, &tool, needs, components, asked);
    if !asked {
        if tools::is_told(&tool) && databases.len() > 1 {
            let dialect = draft.facts.migration.as_ref().and_then(|run| run.dialect);
            let suits = |(server, _): &(String, String)| speaks(dialect, kind_of(server, components));
            match databases.iter().filter(|one| suits(one)).collect::<Vec<_>>().as_slice() {
                [one] => databases = vec![(*one).clone()],
                _ => {
                    problems.extend(undecided(draft, &databases));
                    return None;
                }
            }
        }
        let kind = databases.first().map_or("", |(server, _)| kind_of(server, components));
        let migrated = |other: &&Draft<'_>| {
            runs_itself(other) && shares_code(other, draft) && uses(other, &databases, components)
        };
        let unknown = files.is_some() && own_image(&tool, kind).is_none();
        if databases.is_empty() || draft.role == Role::Job || unknown || drafts.iter().any(|d| migrated(&d)) {
            return None;
        }
    }
    let mut waiting = users(drafts, &databases, components);
    waiting.insert(service.clone());
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
        by_job: false,
    })
}

/// A job of the repository that calls its tool and ends, before the services on the same databases.
fn job(
    draft: &Draft<'_>,
    needs: &Needs,
    drafts: &[Draft<'_>],
    components: &[Component<'_>],
) -> Option<Migration> {
    if draft.role != Role::Job || !runs_itself(draft) {
        return None;
    }
    let databases = databases(draft, "", needs, components, false);
    let waiting = users(drafts, &databases, components);
    (!waiting.is_empty()).then(|| Migration {
        name: draft.facts.name.clone(),
        service: draft.facts.name.clone(),
        tool: String::new(),
        command: Vec::new(),
        folder: None,
        files: None,
        databases,
        waiting,
        after: Vec::new(),
        because: String::new(),
        by_job: true,
    })
}

/// The services, jobs left out, that work on one of these databases.
fn users(
    drafts: &[Draft<'_>],
    databases: &[(String, String)],
    components: &[Component<'_>],
) -> BTreeSet<String> {
    let is_user = |draft: &&Draft<'_>| draft.role != Role::Job && uses(draft, databases, components);
    drafts.iter().filter(is_user).map(|draft| draft.facts.name.clone()).collect()
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

fn kind_of<'a>(server: &str, components: &'a [Component<'_>]) -> &'a str {
    let component = components.iter().find(|component| component.name == server);
    component.map_or("", |component| component.entry.kind.as_str())
}

/// Whether an engine understands a dialect; which one it is may not be known.
fn speaks(dialect: Option<&str>, kind: &str) -> bool {
    match dialect {
        None => true,
        Some("mysql") => matches!(kind, "mysql" | "mariadb"),
        Some(dialect) => dialect == kind,
    }
}

/// A service uses several engines, and nothing shows for which of them its migrations are.
fn undecided(draft: &Draft<'_>, databases: &[(String, String)]) -> Option<Problem> {
    let (run, name) = (draft.facts.migration.as_ref()?, &draft.facts.name);
    let servers: Vec<String> = databases.iter().map(|(server, _)| format!("`{server}`")).collect();
    let message = format!(
        "`{name}` keeps migrations for {}, and nothing seen runs them: for which of {} they are is not seen",
        run.tool,
        list(&servers)
    );
    let fix = format!(
        "run them when the program starts, or set services.{name}.migrate in config.yaml to {{ command: [...] }}, or to none"
    );
    Some(Problem::new("migrations-not-run", Severity::Note, message).service(name).at(&run.at).fix(fix))
}

/// Whether two services are built from the same code.
pub(super) fn shares_code(a: &Draft<'_>, b: &Draft<'_>) -> bool {
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
