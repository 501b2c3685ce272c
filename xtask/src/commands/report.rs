//! The summary after `integrate` (design §9) and problems as people read them; decides nothing.

pub(crate) mod alike;

use std::collections::BTreeMap;

use crate::model::inventory::{Inventory, Service, Strength};
use crate::model::problem::{Problem, Severity};
use crate::model::stack::Stack;
use crate::ui::{Ui, count, list, table};

/// All problems on stderr, in the form of every message.
pub(crate) fn problems(ui: Ui, stack: &Stack) {
    let worth_a_look = stack.inventory.problems.iter().filter(|problem| problem.severity != Severity::Note);
    for (severity, text) in alike::texts(worth_a_look) {
        match severity {
            Severity::Error => ui.error(text),
            _ => ui.warn(text),
        }
    }
}

/// A problem as text: what, where, fix.
pub(crate) fn problem_text(problem: &Problem) -> String {
    let mut text = format!("{} [{}]", problem.message, problem.code);
    for place in &problem.at {
        text.push_str(&format!("\n  at {place}"));
    }
    if !problem.fix.is_empty() {
        text.push_str(&format!("\n  fix: {}", problem.fix));
    }
    text
}

/// Services, ports, databases, networks, start order, problems, and what to run next.
pub(crate) fn summary(stack: &Stack, out: &str, changed: bool) -> String {
    let inventory = &stack.inventory;
    let mut text = String::new();
    text.push_str(&services(inventory));
    text.push_str("\n\n");
    let databases = databases(inventory);
    text.push_str(&format!(
        "{} with {} and {} on {}\n",
        count(inventory.services.len(), "service"),
        count(inventory.infrastructure.len(), "component"),
        count(databases.len(), "database"),
        count(stack.networks.len(), "network"),
    ));
    for ((server, database), services) in databases.iter().filter(|(_, services)| services.len() > 1) {
        text.push_str(&format!("shared: {database} ({server}) by {}\n", list(services)));
    }
    let waves: Vec<String> = inventory.startup_order.iter().map(|wave| wave.join(", ")).collect();
    text.push_str(&format!("start order: {}\n", waves.join(" → ")));
    text.push_str(&format!("problems: {}\n", severities(&inventory.problems)));
    if !stack.external.is_empty() {
        text.push_str(&format!("external: {}\n", count(stack.external.len(), "connection")));
    }
    let done = if changed { "written to" } else { "up to date in" };
    text.push_str(&format!("the setup is {done} {out}/; next: cargo xtask up"));
    text
}

/// The services that work in each database, by server and database.
fn databases(inventory: &Inventory) -> BTreeMap<(&str, &str), Vec<&str>> {
    let mut databases: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for service in &inventory.services {
        for need in service.requires.iter().filter(|need| need.strength == Strength::Required) {
            if let Some(database) = &need.database {
                databases.entry((&need.target, database)).or_default().push(&service.name);
            }
        }
    }
    databases
}

/// Service | Port | Database | Health check | Dependencies.
pub(crate) fn services(inventory: &Inventory) -> String {
    let rows: Vec<Vec<String>> = inventory.services.iter().map(row).collect();
    table(&["Service", "Port", "Database", "Health check", "Dependencies"], &rows)
}

fn row(service: &Service) -> Vec<String> {
    let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let ports: Vec<String> = service
        .ports
        .iter()
        .map(|port| match port.host {
            Some(host) if host != port.container => format!("{} (host {host})", port.container),
            _ => port.container.to_string(),
        })
        .collect();
    let required = || service.requires.iter().filter(|r| r.strength == Strength::Required);
    let databases: Vec<String> =
        required().filter_map(|r| Some(format!("{} ({})", r.database.as_ref()?, r.target))).collect();
    let others: Vec<String> = required()
        .filter(|r| r.database.is_none())
        .map(|r| r.target.clone())
        .chain(
            service
                .requires
                .iter()
                .filter(|r| r.strength == Strength::Possible)
                .map(|r| format!("{}?", r.target)),
        )
        .collect();
    vec![
        service.name.clone(),
        dash(ports.join(", ")),
        dash(databases.join(", ")),
        dash(health(service)),
        dash(others.join(", ")),
    ]
}

/// `GET /health`, `TCP 5432 (not proven)`; `-` where nothing is asked.
pub(crate) fn health(service: &Service) -> String {
    use crate::model::fact::HealthKind;
    let Some(health) = &service.health else { return String::new() };
    let text = match (&health.kind, &health.path, health.port) {
        (HealthKind::Http, Some(path), _) => format!("GET {path}"),
        (HealthKind::Grpc, _, Some(port)) => format!("gRPC {port}"),
        (HealthKind::Tcp, _, Some(port)) => format!("TCP {port}"),
        (HealthKind::Command, ..) => "command".to_owned(),
        _ => return "-".to_owned(),
    };
    if health.proven { text } else { format!("{text} (not proven)") }
}

fn severities(problems: &[Problem]) -> String {
    let n = |severity: Severity| problems.iter().filter(|problem| problem.severity == severity).count();
    if problems.is_empty() {
        return "none".to_owned();
    }
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(severity, _)| n(*severity) > 0)
        .map(|(severity, word)| count(n(*severity), word))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Config;
    use crate::discover::{Scope, discover};
    use crate::plan::{Context, plan};
    use crate::repo::Repo;

    #[test]
    fn summary_counts_a_shared_database_once_and_names_who_shares_it() {
        let service = |name: &str, database: &str| {
            format!(
                "//- /{name}/Dockerfile\nFROM python:3.13-slim\n//- /{name}/.env.example\n\
                 DATABASE_URL=postgres://u:p@db:5432/{database}\n"
            )
        };
        let tree =
            ["reader", "writer"].map(|name| service(name, "votes")).concat() + &service("users", "users");
        let catalog = Catalog::load(&[]).unwrap();
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).unwrap();
        let stack = plan(&facts, &catalog, &Config::default(), &Context::default()).unwrap();
        let summary = summary(&stack, "integration", true);
        let lines: Vec<&str> =
            summary.lines().skip_while(|line| !line.contains("services with")).take(2).collect();
        assert_eq!(
            lines,
            [
                "3 services with 1 component and 2 databases on 2 networks",
                "shared: votes (postgres) by reader and writer"
            ]
        );
    }
}
