//! `explain NAME`: every value of a service or component with its evidence and the key that overrides it.

use clap::{Arg, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::pipeline::Pipeline;
use crate::error::{Failure, Outcome, Result};
use crate::model::inventory::{Component, EnvFrom, FactLine, Inventory, Requirement, Service, Strength};
use crate::model::stack::{Container, Reload, ReloadAction, Stack};

/// The arguments.
pub fn command() -> Command {
    Command::new("explain")
        .about("Show where each value of a service or component comes from")
        .arg(Arg::new("name").required(true).value_name("NAME").help("A service or component"))
}

/// Runs it.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let name = arguments.get_one::<String>("name").map(String::as_str).unwrap_or_default();
    let pipeline = Pipeline::run(context)?;
    let inventory = &pipeline.stack.inventory;
    let name = served(&pipeline.stack, name);
    let text = if let Some(found) = inventory.services.iter().find(|service| service.name == name) {
        service(found, &pipeline.stack)
    } else if let Some(found) = inventory.infrastructure.iter().find(|component| component.name == name) {
        component(found, inventory)
    } else {
        return Err(unknown(name, inventory).into());
    };
    context.ui.data(text.trim_end());
    Ok(Outcome::Done)
}

/// A one-shot is explained with what it serves: `accounts-migrate` with `accounts`, `postgres-setup` with `postgres`.
fn served<'n>(stack: &Stack, name: &'n str) -> &'n str {
    let is_one_shot = |container: &Container| {
        container.name == name && matches!(container.kind.as_str(), "migrate" | "setup")
    };
    match name.rsplit_once('-') {
        Some((owner, _)) if stack.containers.iter().any(is_one_shot) => owner,
        _ => name,
    }
}

fn unknown(name: &str, inventory: &Inventory) -> Failure {
    let names: Vec<&str> = inventory
        .services
        .iter()
        .map(|service| service.name.as_str())
        .chain(inventory.infrastructure.iter().map(|component| component.name.as_str()))
        .collect();
    Failure::new(format!("no service or component `{name}`"))
        .why(format!("there are: {}", names.join(", ")))
        .did_you_mean(name, names.iter().copied())
}

fn service(service: &Service, stack: &Stack) -> String {
    let name = &service.name;
    let key = |rest: &str| format!("services.{name}.{rest}");
    let mut out = format!("{name}\n");
    let mut item = |title: &str, value: String, facts: &[&FactLine], key: String| {
        out.push_str(&format!("\n  {title}: {value}\n"));
        for fact in facts {
            out.push_str(&format!("    {}\n", fact_text(fact)));
        }
        if !key.is_empty() {
            out.push_str(&format!("    config.yaml: {key}\n"));
        }
    };
    let about = |fact: &str| facts_about(service, fact);
    let build = &service.build;
    let target = build.target.as_ref().map(|target| format!(", target {target}")).unwrap_or_default();
    item("build", format!("{} in {}{target}", service.dockerfile, build.context), &[], key("build"));
    for port in &service.ports {
        let host = port.host.map(|host| format!(", on the host {host}")).unwrap_or_default();
        let facts: Vec<&FactLine> = about("port");
        item(
            "port",
            format!("{}{host}", port.container),
            &facts,
            format!("{} and {}", key("port"), key("host_port")),
        );
    }
    if let Some(health) = &service.health {
        let word = serde_json::to_value(&health.kind)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default();
        let path = health.path.as_deref().unwrap_or_default();
        let proven = if health.proven { "" } else { " (readiness not proven)" };
        item("health", format!("{word} {path}{proven}"), &about("health"), key("health"));
    }
    if let Some(reload) =
        stack.containers.iter().find(|own| own.name == *name).and_then(|own| own.reload.as_ref())
    {
        let rules = reload.rules.iter().map(|rule| format!("\n    {}", shown_rule(rule)));
        let rules: String = rules.collect();
        item("hot reload", format!("{}{rules}", reload.why), &[], "hot_reload".to_owned());
    }
    for requirement in &service.requires {
        let strength =
            if requirement.strength == Strength::Possible { " (possible: not started for it)" } else { "" };
        let database =
            requirement.database.as_ref().map(|name| format!(", database {name}")).unwrap_or_default();
        let facts = facts_for(service, requirement);
        item("requires", format!("{}{database}{strength}", requirement.target), &facts, key("requires"));
    }
    if let Some(migrations) = &service.migrations {
        item(
            "migrations",
            format!("{}, {}", migrations.tool, migrations.by),
            &about("migration"),
            key("migrate"),
        );
    }
    for env in &service.env {
        let from = match env.from {
            EnvFrom::Wired => "wired",
            EnvFrom::Default => "default",
            EnvFrom::Secret => "secret, from .env",
            EnvFrom::User => "config.yaml",
        };
        let value = in_container(stack, name, &env.name)
            .or(env.value.clone())
            .unwrap_or_else(|| "(not set)".to_owned());
        let facts = facts_of_variable(service, &env.name);
        item(&env.name, format!("{value} [{from}]"), &facts, key(&format!("env.{}", env.name)));
    }
    problems(&mut out, name, &stack.inventory);
    out
}

/// The facts of one name: `port`, `health`.
pub(super) fn facts_about<'a>(service: &'a Service, fact: &str) -> Vec<&'a FactLine> {
    service.evidence.iter().filter(|line| line.fact == fact).collect()
}

/// The facts from which a requirement follows.
pub(super) fn facts_for<'a>(service: &'a Service, requirement: &Requirement) -> Vec<&'a FactLine> {
    let via = requirement.via.as_deref().unwrap_or_default();
    let says = |line: &&FactLine| {
        let names_it = line.value == via || line.value.starts_with(&format!("{via}="));
        // A variable's value is one line already; the address in it need not be another.
        let is_said = || {
            let same = |other: &&FactLine| other.path == line.path && other.line == line.line;
            service.evidence.iter().filter(same).any(|other| other.fact == "env")
        };
        let is_shown = match line.fact.as_str() {
            "reference" => !is_said(),
            fact => matches!(fact, "env" | "env-read" | "mention"),
        };
        let shows_it = is_shown && requirement.seen.contains(&(line.path.clone(), line.line));
        shows_it
            || (!via.is_empty() && names_it)
            || line.value.contains(&format!("({})", requirement.kind))
            || (line.fact == "mention" && line.value.eq_ignore_ascii_case(&requirement.target))
    };
    service.evidence.iter().filter(says).collect()
}

/// The facts about a variable.
pub(super) fn facts_of_variable<'a>(service: &'a Service, name: &str) -> Vec<&'a FactLine> {
    let assigned = format!("{name}=");
    let says = |line: &&FactLine| {
        line.fact.starts_with("env") && (line.value == name || line.value.starts_with(&assigned))
    };
    service.evidence.iter().filter(says).collect()
}

/// `path:line says 3000 (dockerfile-expose)`
pub(super) fn fact_text(fact: &FactLine) -> String {
    format!("{}:{} says {} ({})", fact.path, fact.line, shown(fact), fact.rule)
}

/// The value as the compose file has it.
pub(super) fn in_container(stack: &Stack, service: &str, variable: &str) -> Option<String> {
    let container = stack.containers.iter().find(|container| container.name == service)?;
    container.environment.iter().find(|(name, _)| name == variable).map(|(_, value)| value.clone())
}

fn shown_rule(rule: &Reload) -> String {
    let path = &rule.path;
    match &rule.action {
        ReloadAction::Rebuild => format!("{path} changes: the image is built anew"),
        ReloadAction::Sync { target } => format!("{path} changes: copied to {target}"),
        ReloadAction::SyncRestart { target } => format!("{path} changes: copied to {target}, and restarted"),
    }
}

fn shown(fact: &FactLine) -> String {
    if fact.value.is_empty() { fact.fact.clone() } else { fact.value.clone() }
}

fn component(component: &Component, inventory: &Inventory) -> String {
    let kind = &component.kind;
    let mut out = match component.image.as_str() {
        "" => format!("{}\n\n  runs elsewhere\n    config.yaml: infrastructure.{kind}.url\n", component.name),
        image => {
            format!(
                "{}\n\n  image: {image}\n    config.yaml: infrastructure.{kind}.version\n",
                component.name
            )
        }
    };
    if let Some(port) = component.port.filter(|_| !component.image.is_empty()) {
        out.push_str(&format!("\n  port: {port}\n    config.yaml: infrastructure.{kind}.host_port\n"));
    }
    for service in inventory.services.iter().filter(|service| component.used_by.contains(&service.name)) {
        out.push_str(&format!("\n  used by {}\n", service.name));
        for requirement in service.requires.iter().filter(|r| r.target == component.name) {
            if let Some(database) = &requirement.database {
                out.push_str(&format!("    database {database}\n"));
            }
            for line in facts_for(service, requirement) {
                out.push_str(&format!("    {}\n", fact_text(line)));
            }
        }
    }
    out.push_str(&format!("\n  config.yaml: infrastructure.{kind} (shared, external, url, image)\n"));
    problems(&mut out, &component.name, inventory);
    out
}

fn problems(out: &mut String, name: &str, inventory: &Inventory) {
    for problem in
        inventory.problems.iter().filter(|problem| problem.services.iter().any(|service| service == name))
    {
        out.push_str(&format!(
            "\n  problem: {}\n",
            super::report::problem_text(problem).replace('\n', "\n  ")
        ));
    }
}
