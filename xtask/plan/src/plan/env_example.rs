//! What `.env.example` holds: the variables of everything, by groups; decides no value but placeholders.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::stack::{Container, ContainerRole, Published, SecretForm, Variable, VariableGroup};

use super::assemble;
use super::components::{Binding, Component};
use super::draft::Draft;
use super::environment::{self, Environment};

/// All groups in their order: general, components, then services; without those that are empty.
pub(crate) fn variables(
    config: &Config,
    drafts: &[Draft<'_>],
    components: &[Component<'_>],
    environments: &[Environment],
    containers: &[Container],
    project: &str,
) -> Vec<VariableGroup> {
    let bind = config.bind.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
    let mut groups = vec![VariableGroup {
        title: "General".to_owned(),
        variables: vec![
            optional(
                "COMPOSE_PROJECT_NAME",
                project,
                "Keeps this checkout's containers and data apart; `up` chooses it.",
            ),
            optional("BIND_ADDR", &bind, "The address of this machine on which all ports are published."),
        ],
    }];
    let mut by_name: BTreeMap<&str, &Container> = BTreeMap::new();
    for container in containers.iter().filter(|container| container.role != ContainerRole::OneShot) {
        by_name.entry(&container.name).or_insert(container);
    }
    let ports = |owner: &str| {
        let published = by_name.get(owner).into_iter().flat_map(|c| c.ports.iter().chain(&c.local_ports));
        let line = |port: &Published| {
            optional(
                &port.variable,
                &port.host.to_string(),
                &format!("The port on this machine for {} in the container.", port.container),
            )
        };
        published.map(line).collect::<Vec<_>>()
    };
    for component in components.iter().filter(|component| component.external.is_none()) {
        let mut variables = ports(&component.name);
        variables.extend(component_secrets(component));
        groups.push(VariableGroup {
            title: format!("{} ({})", component.name, component.entry.title),
            variables,
        });
    }
    for component in components {
        let Some(address) = &component.external else { continue };
        let about = format!("In the address of {}, which runs elsewhere.", component.entry.title);
        let theirs = |name: String| Variable {
            name,
            value: String::new(),
            comment: vec![about.clone()],
            secret: Some(SecretForm::ThirdParty),
            optional: false,
        };
        groups.push(VariableGroup {
            title: format!("{} ({})", component.name, component.entry.title),
            variables: address.variables().into_iter().map(theirs).collect(),
        });
    }
    let mut shared: BTreeMap<String, Variable> = BTreeMap::new();
    for (draft, environment) in drafts.iter().zip(environments) {
        let mut variables = ports(&draft.facts.name);
        for component in components {
            variables.extend(
                component.binding(&draft.facts.name).and_then(|binding| binding_secret(binding, component)),
            );
        }
        let prefix = format!("{}_", draft.prefix);
        for variable in &environment.variables {
            if variable.name.starts_with(&prefix) {
                variables.push(variable.clone());
            } else {
                let known = shared.entry(variable.name.clone()).or_insert_with(|| variable.clone());
                // What one service's example takes for somebody else's is made up where another one demands it.
                let is_theirs = |one: &Variable| one.secret == Some(SecretForm::ThirdParty);
                if is_theirs(known) && known.value.is_empty() && !is_theirs(variable) {
                    known.clone_from(variable);
                }
            }
        }
        groups.push(VariableGroup { title: draft.facts.name.clone(), variables });
    }
    groups[0].variables.extend(shared.into_values());
    say_once(&mut groups);
    groups.retain(|group| !group.variables.is_empty());
    groups
}

/// A file in which a variable stands twice cannot be merged: where one name serves two (a password on two servers), it
/// stands where it came first, with what both say. A value that the code has wins over a made up one.
fn say_once(groups: &mut [VariableGroup]) {
    let mut known: BTreeMap<String, Variable> = BTreeMap::new();
    for variable in groups.iter().flat_map(|group| &group.variables) {
        match known.get_mut(&variable.name) {
            None => {
                known.insert(variable.name.clone(), variable.clone());
            }
            Some(first) => {
                if first.secret.is_some() && variable.secret.is_none() {
                    first.value.clone_from(&variable.value);
                    first.secret = None;
                }
                let new = variable.comment.iter().filter(|line| !first.comment.contains(line));
                let new: Vec<String> = new.cloned().collect();
                first.comment.extend(new);
            }
        }
    }
    for group in groups {
        let mut once = Vec::new();
        for variable in &group.variables {
            once.extend(known.remove(&variable.name));
        }
        group.variables = once;
    }
}

fn optional(name: &str, value: &str, comment: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        value: value.to_owned(),
        comment: vec![comment.to_owned()],
        secret: None,
        optional: true,
    }
}

fn component_secrets(component: &Component<'_>) -> Vec<Variable> {
    let literal = component.bindings.iter().find_map(|binding| {
        let admin = component.entry.login.as_ref()?;
        (binding.user == admin.user).then(|| binding.literal_password.clone()).flatten()
    });
    assemble::secrets_of(component.entry)
        .into_iter()
        .filter(|secret| !component.given.contains_key(secret))
        .map(|secret| {
            let admin = component.entry.login.as_ref().is_some_and(|login| login.secret == secret);
            let about = match (admin, &component.entry.login) {
                (true, Some(login)) => format!("Password of the administrator `{}`.", login.user),
                _ => format!("Used by {} itself.", component.entry.title),
            };
            own_secret(component.secret(&secret), about, literal.clone().filter(|_| admin))
        })
        .collect()
}

fn binding_secret(binding: &Binding, component: &Component<'_>) -> Option<Variable> {
    let admin = component.entry.login.as_ref().map(|login| login.user.as_str());
    if admin == Some(binding.user.as_str()) {
        return None;
    }
    let databases = &component.entry.databases;
    let role = if databases.common.is_some() { "who works in" } else { "the owner of" };
    let about = format!(
        "Password of `{}`, {role} the {} `{}` on {}.",
        binding.user, databases.title, binding.database, component.name
    );
    Some(own_secret(binding.password_variable.clone(), about, binding.literal_password.clone()))
}

/// A secret of ours; one that stands in the code as a literal has to be what the code says.
fn own_secret(name: String, about: String, literal: Option<String>) -> Variable {
    match literal {
        Some(value) => Variable {
            name,
            value,
            comment: vec![about, "The code has it as a literal, so it is no secret.".to_owned()],
            secret: None,
            optional: false,
        },
        None => Variable {
            value: environment::placeholder(&name, SecretForm::Hex(32)),
            name,
            comment: vec![about],
            secret: Some(SecretForm::Hex(32)),
            optional: false,
        },
    }
}
