//! The container of a run of migrations: that of its service with another command, or the tool's own image; pure.

use std::collections::BTreeMap;

use crate::catalog::Class;
use crate::model::fact::Image;
use crate::model::stack::{Condition, Container, ContainerRole, Dependency, HealthCheck, InTests, Mount};
use crate::model::start::is_init;

use super::super::assemble;
use super::super::components::{Binding, Component};
use super::super::environment::{escape, secret_reference};
use super::super::networks::SERVICES;
use super::super::reload;
use super::super::setup;
use super::Migration;
use super::tools::{own_image, told, url};

/// Where the files lie in a tool's own image.
const MOUNTED: &str = "/migrations";

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
    let code = [image.workdir.as_deref(), run.folder.as_deref()];
    out.tmpfs = emptied(&service.volumes, &code);
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

/// Whatever the image keeps in volumes is not the migrations' to write. One that holds the code stays: Docker fills it
/// from the image, and `up` makes the container anew for each start.
fn emptied(volumes: &[Mount], code: &[Option<&str>]) -> Vec<String> {
    let holds = |target: &str, folder: &str| {
        folder
            .strip_prefix(target.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let targets = volumes.iter().filter_map(|mount| match mount {
        Mount::Volume { name, target, .. } if name != assemble::PROBE => Some(target.clone()),
        _ => None,
    });
    targets.filter(|target| !code.iter().flatten().any(|folder| holds(target, folder))).collect()
}

/// Whether an image's ENTRYPOINT runs what it is given, and does nothing else; of other base images than the official
/// ones it is not known.
fn passes_on(image: &Image) -> bool {
    let is_runner = |word: &str| is_init(word) || word.rsplit('/').next() == Some("docker-php-entrypoint");
    match image.entrypoint.first() {
        Some(first) => is_runner(first) && image.entrypoint.len() <= 2,
        None => reload::is_official(&image.base),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_that_holds_the_code_is_not_emptied() {
        let of = |target: &str, code: &[Option<&str>]| {
            let volume =
                Mount::Volume { name: "data".to_owned(), target: target.to_owned(), read_only: false };
            !emptied(&[volume], code).is_empty()
        };
        let code = [Some("/app"), Some("/srv/api")];
        assert!(of("/app/uploads", &code) && of("/ap", &code) && of("/app", &[None, None]));
        assert!(!of("/app", &code) && !of("/srv/", &code) && !of("/srv/api", &code) && !of("/", &code));
    }
}
