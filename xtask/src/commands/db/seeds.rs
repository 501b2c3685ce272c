//! Whose seed files go where: what the setup's labels say, joined with the catalogue; applies nothing itself.

use crate::catalog::Catalog;
use crate::cli::Context;
use crate::commands::db::servers::{self, entry};
use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::dotenv;
use crate::run::seed::{self, Target};
use crate::run::setup::Setup;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::state::{Container, State};

/// Applies the seed files of these services, which are up; costs nothing where there are no files.
///
/// # Errors
/// When a file fails.
pub(crate) fn apply(
    context: &Context,
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
) -> Result<()> {
    let seeded = seed::services(setup)?;
    if seeded.is_empty() {
        return Ok(());
    }
    let all = targets(&servers::catalog(context)?, setup, spec, containers);
    let mut known: Vec<&str> = all.iter().map(|target| target.service.as_str()).collect();
    known.dedup();
    seed::warn_of_strangers(setup, &seeded, &known, context.ui);
    let is_due = |target: &&Target| seeded.contains(&target.service) && services.contains(&target.service);
    let due: Vec<Target> = all.iter().filter(is_due).cloned().collect();
    seed::apply(docker, setup, &due, context.ui)
}

/// Whether a server of these services lacks one of their seed files; the servers run.
///
/// # Errors
/// When the catalogue or the files cannot be read.
pub(crate) fn is_any_due(
    context: &Context,
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
) -> Result<bool> {
    let all = targets(&servers::catalog(context)?, setup, spec, containers);
    let due: Vec<Target> = all.into_iter().filter(|target| services.contains(&target.service)).collect();
    seed::is_any_due(docker, setup, &due)
}

/// Those of these services that have seed files, do not run, and whose tables are made before they start, by schema files
/// or by migrations of one-shots: they find their rows when they start. The others make their tables themselves.
///
/// # Errors
/// When the folder of the seed files cannot be read.
pub(crate) fn before_start(
    setup: &Setup,
    spec: &Spec,
    services: &[String],
    containers: &[Container],
) -> Result<Vec<String>> {
    let mut seeded = seed::services(setup)?;
    let runs = |name: &str| {
        containers.iter().any(|container| container.service == name && container.state == State::Running)
    };
    seeded.retain(|name| services.contains(name) && !runs(name) && makers(spec, name).next().is_some());
    Ok(seeded)
}

/// The one-shots that make a service's tables.
pub(crate) fn makers<'a>(spec: &'a Spec, service: &'a str) -> impl Iterator<Item = &'a ServiceSpec> {
    let waits = spec.service(service).map(|service| service.depends_on.as_slice()).unwrap_or_default();
    let one_shots = waits.iter().filter_map(|(name, _)| spec.service(name));
    one_shots.filter(move |one_shot| {
        let own = one_shot.labels.databases.iter().find(|given| given.service == service);
        let schemas = format!("/schemas/{}/", own.map_or(service, |given| &given.first));
        one_shot.labels.kind == "migrate" || one_shot.mounts.iter().any(|target| target.starts_with(&schemas))
    })
}

/// The databases that take seed files, in the order of their services.
fn targets(catalog: &Catalog, setup: &Setup, spec: &Spec, containers: &[Container]) -> Vec<Target> {
    let mut found = Vec::new();
    for one_shot in spec.services.iter().filter(|service| !service.labels.databases.is_empty()) {
        let mut servers = one_shot.depends_on.iter().filter_map(|(name, _)| spec.service(name));
        let server = servers.find_map(|server| Some((server, entry(catalog, server)?.seed.clone()?)));
        let Some((server, tools)) = server else { continue };
        let Some(container) = containers.iter().find(|container| container.service == server.name) else {
            continue;
        };
        found.extend(one_shot.labels.databases.iter().map(|given| Target {
            service: given.service.clone(),
            first: given.first.clone(),
            server: server.name.clone(),
            container: container.id.clone(),
            user: given.user.clone(),
            password: dotenv::value(&setup.env_text, &given.password_variable).unwrap_or_default(),
            database: given.database.clone(),
            tools: tools.clone(),
        }));
    }
    found.sort_by(|a, b| (&a.service, &a.server).cmp(&(&b.service, &b.server)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_a_service_makes_itself_are_waited_for() {
        let json = r#"{"services":{
            "db":{"image":"d"},
            "setup":{"image":"d","labels":{"xtask.role":"one-shot","xtask.kind":"setup"},
                "volumes":[{"type":"bind","source":"/s","target":"/schemas/files/schema.sql"}]},
            "run":{"image":"r","labels":{"xtask.role":"one-shot","xtask.kind":"migrate"}},
            "named":{"image":"d","labels":{"xtask.role":"one-shot","xtask.kind":"setup",
                    "xtask.databases":"now:d:u:NAMED_DB_PASSWORD:before"},
                "volumes":[{"type":"bind","source":"/s","target":"/schemas/before/schema.sql"}]},
            "now":{"image":"n","depends_on":{"named":{"condition":"service_completed_successfully"}}},
            "files":{"image":"f","depends_on":{"setup":{"condition":"service_completed_successfully"}}},
            "migrated":{"image":"m","depends_on":{"setup":{"condition":"service_completed_successfully"},
                "run":{"condition":"service_completed_successfully"}}},
            "itself":{"image":"i","depends_on":{"setup":{"condition":"service_completed_successfully"}}}}}"#;
        let spec = Spec::parse(json, "p").unwrap();
        let of = |service: &str| makers(&spec, service).map(|maker| maker.name.clone()).collect::<Vec<_>>();
        assert_eq!(of("files"), ["setup"]);
        assert_eq!(of("migrated"), ["run"]);
        assert_eq!(of("itself"), Vec::<String>::new());
        assert_eq!(of("now"), ["named"], "files keep the name that their service had at first");
    }
}
