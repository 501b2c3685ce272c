//! The one-shot that creates databases and users on every `up`, from the catalogue's templates; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Setup, SetupFile};
use crate::model::path::RepoPath;
use crate::model::stack::{Condition, Container, ContainerRole, Dependency, Mount};

use super::assemble::{container, volume};
use super::components::{Binding, Component};
use super::environment::{escape, secret_reference};
use super::named::Wish;

/// Where the scripts lie in the one-shot.
const SCRIPTS: &str = "/init-scripts";

/// The name of a component's one-shot.
pub(crate) fn name(component: &Component<'_>) -> String {
    format!("{}-setup", component.name)
}

/// Whether a component gets a one-shot at all.
pub(crate) fn wanted(component: &Component<'_>) -> bool {
    let has_something_to_do = !component.bindings.is_empty() || component.makes_named;
    component.entry.setup.is_some() && component.external.is_none() && has_something_to_do
}

/// The one-shot of a component and its files, names relative to the setup's folder.
pub(crate) fn setup(
    component: &Component<'_>,
    network: &str,
    wishes: &[Wish],
) -> Option<(Container, Vec<(String, String)>)> {
    let setup = component.entry.setup.as_ref().filter(|_| wanted(component))?;
    let folder = format!("init-scripts/{}", component.name);
    let files: Vec<(String, String)> = setup
        .files
        .iter()
        .filter_map(|file| Some((file.name.clone(), text(file, component, wishes)?)))
        .collect();
    let mut one_shot = container(&name(component), ContainerRole::OneShot, "setup");
    one_shot.image = Some(component.image.clone()).filter(|_| component.build.is_none());
    one_shot.build = component.build.as_ref().map(super::assemble::build);
    one_shot.entrypoint = setup
        .entrypoint
        .as_ref()
        .map(|words| words.iter().map(|word| escape(&server(word, component))).collect());
    one_shot.command = Some(command(setup, component, &files));
    one_shot.user.clone_from(&setup.user);
    one_shot.environment = environment(setup, component, wishes);
    one_shot.volumes.push(Mount::Setup { source: folder.clone(), target: SCRIPTS.to_owned() });
    if let Some(shared) = &setup.shared {
        one_shot.volumes.push(Mount::Volume {
            name: shared_volume(component),
            target: shared.clone(),
            read_only: false,
        });
    }
    for binding in &component.bindings {
        for schema in &binding.schemas {
            one_shot
                .volumes
                .push(Mount::Repo { source: schema.clone(), target: schema_target(binding, schema) });
        }
    }
    let folders = &component.version.volumes;
    if setup.reads_data {
        one_shot.volumes.extend(folders.iter().map(|target| Mount::Volume {
            name: volume(&component.name, target, folders),
            target: target.clone(),
            read_only: true,
        }));
    } else {
        one_shot.tmpfs.clone_from(folders);
    }
    one_shot.tmpfs.extend(setup.tmpfs.iter().cloned());
    one_shot.networks.push((network.to_owned(), Vec::new()));
    if !component.bindings.is_empty() {
        one_shot.labels.push(("xtask.databases".to_owned(), escape(&databases(component))));
    }
    one_shot.labels.push(("xtask.kind".to_owned(), "setup".to_owned()));
    one_shot.labels.push(("xtask.role".to_owned(), "one-shot".to_owned()));
    let condition = if setup.waits { Condition::Started } else { Condition::Healthy };
    one_shot.depends_on.push(Dependency { target: component.name.clone(), condition });
    let scripts = files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)).collect();
    Some((one_shot, scripts))
}

/// Who gets what, as the commands read it.
fn databases(component: &Component<'_>) -> String {
    let items = component.bindings.iter().map(|binding| {
        let Binding { service, owner, database, user, password_variable, .. } = binding;
        let first = if owner == service { String::new() } else { format!(":{owner}") };
        format!("{service}:{database}:{user}:{password_variable}{first}")
    });
    items.collect::<Vec<_>>().join(" ")
}

/// The named volume of a folder that the server and its one-shot share.
pub(crate) fn shared_volume(component: &Component<'_>) -> String {
    format!("{}-run", component.name)
}

/// Where a schema file lies in the one-shot, in letters that need no quotes. Its folder is named where two files share
/// a name; otherwise not, as the record of what was applied goes by this path.
fn schema_target(binding: &Binding, schema: &RepoPath) -> String {
    let alone = binding.schemas.iter().filter(|other| other.name() == schema.name()).count() == 1;
    let folder = schema.parent().filter(|_| !alone).map(|folder| format!("{}-", folder.name()));
    let name = format!("{}{}", folder.unwrap_or_default(), schema.name());
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("/schemas/{}/{}", binding.owner, name.chars().map(plain).collect::<String>())
}

fn command(setup: &Setup, component: &Component<'_>, files: &[(String, String)]) -> Vec<String> {
    let mut words = Vec::new();
    for word in &setup.command {
        if word == "{files}" {
            for (file, _) in files {
                let path = format!("{SCRIPTS}/{file}");
                words.extend(setup.per_file.iter().map(|word| escape(&word.replace("{file}", &path))));
            }
        } else {
            words.push(escape(&server(word, component)));
        }
    }
    words
}

fn environment(setup: &Setup, component: &Component<'_>, wishes: &[Wish]) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = setup
        .environment
        .iter()
        .map(|(name, value)| {
            (name.clone(), super::assemble::with_secrets(&server(value, component), component))
        })
        .collect();
    for binding in &component.bindings {
        let variable = &binding.password_variable;
        environment.push((variable.clone(), secret_reference(variable)));
    }
    environment.extend(wishes.iter().map(|wish| (wish.variable.clone(), wish.value.clone())));
    environment.sort();
    environment.dedup();
    environment
}

/// The placeholders that are about the server.
fn server(text: &str, component: &Component<'_>) -> String {
    text.replace("{host}", &component.name).replace("{port}", &component.entry.port.to_string())
}

/// A file's text; `None` for one that only applies schemas where there are none.
fn text(file: &SetupFile, component: &Component<'_>, wishes: &[Wish]) -> Option<String> {
    let mut text = server(&file.header, component);
    let mut filled = false;
    let mut said: BTreeSet<String> = BTreeSet::new();
    let mut sharers: BTreeMap<&str, usize> = BTreeMap::new();
    for binding in &component.bindings {
        *sharers.entry(&binding.database).or_default() += 1;
    }
    for binding in &component.bindings {
        if !file.each.is_empty() {
            let each = bound(&file.each, binding, component);
            // What services share is there once.
            if said.insert(each.clone()) {
                text.push('\n');
                text.push_str(&each);
            }
            filled = true;
        }
        if !file.each_shared.is_empty() && sharers[binding.database.as_str()] > 1 {
            text.push('\n');
            text.push_str(&bound(&file.each_shared, binding, component));
            filled = true;
        }
        for schema in &binding.schemas {
            if !file.each_schema.is_empty() {
                let path = schema_target(binding, schema);
                text.push('\n');
                text.push_str(&bound(&file.each_schema, binding, component).replace("{file}", &path));
                filled = true;
            }
        }
    }
    if !file.each_named.is_empty() {
        let each = wishes
            .iter()
            .map(|wish| server(&file.each_named, component).replace("{variable}", &wish.variable));
        text.push('\n');
        text.extend(each);
        text.push('\n');
    }
    text.push_str(&server(&file.footer, component));
    let is_about_schemas = file.each.is_empty() && !file.each_schema.is_empty();
    (filled || !is_about_schemas).then_some(text)
}

fn bound(text: &str, binding: &Binding, component: &Component<'_>) -> String {
    server(text, component)
        .replace("{database}", &binding.database)
        .replace("{user}", &binding.user)
        .replace("{password_variable}", &binding.password_variable)
        .replace("{service}", &binding.owner)
}
