//! The servers of a setup that can be dumped: what the files say, joined with the catalogue; runs nothing.

use crate::apply::folder::Folder;
use crate::catalog::{Catalog, Entry, Upgrade};
use crate::cli::Context;
use crate::commands::pipeline;
use crate::error::Result;
use crate::run::holdings::{Engine, Opens, Wanted};
use crate::run::labels::Role;
use crate::run::snapshot::server::Server;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::state::Container;

/// The catalogue with the entries of this setup.
///
/// # Errors
/// When one of those cannot be read.
pub(crate) fn catalog(context: &Context) -> Result<Catalog> {
    pipeline::catalog(&Folder::new(&context.out, context.out_name()))
}

/// The entry of a component: by its label, else by its image.
pub(crate) fn entry<'a>(catalog: &'a Catalog, service: &ServiceSpec) -> Option<&'a Entry> {
    if service.role != Role::Component {
        return None;
    }
    catalog.get(&service.labels.kind).or_else(|| catalog.by_image(&service.image))
}

/// The servers whose kind can be dumped, in the order of their names.
pub(crate) fn servers(catalog: &Catalog, spec: &Spec, containers: &[Container]) -> Vec<Server> {
    let server = |service: &ServiceSpec| {
        let entry = entry(catalog, service)?;
        let own = containers.iter().find(|container| container.service == service.name);
        Some(Server {
            service: service.name.clone(),
            kind: entry.kind.clone(),
            image: own.map_or(&service.image, |container| &container.image).clone(),
            tools: entry.data.clone()?,
            container: own.map(|container| container.id.clone()),
        })
    };
    spec.services.iter().filter_map(server).collect()
}

/// The kinds whose volumes can be told apart.
pub(crate) fn engines(catalog: &Catalog) -> Vec<Engine> {
    let marked = catalog.iter().filter(|entry| !entry.marks.is_empty());
    let engine = |entry: &Entry| Engine {
        kind: entry.kind.clone(),
        title: entry.title.clone(),
        marks: entry.marks.clone(),
        numbers: entry.default.split('.').count(),
        opens: match entry.upgrade {
            Some(Upgrade::Any) => Opens::Older,
            Some(Upgrade::Next) => Opens::Previous,
            Some(Upgrade::Refused) | None => Opens::Own,
        },
    };
    marked.map(engine).collect()
}

/// The servers of these services that are pulled and whose volumes can be told apart.
pub(crate) fn wanted(catalog: &Catalog, services: &[&ServiceSpec]) -> Vec<Wanted> {
    let pulled = services.iter().filter(|service| service.build.is_none() && !service.volumes.is_empty());
    let wanted = |service: &&ServiceSpec| {
        let entry = entry(catalog, service).filter(|entry| !entry.marks.is_empty())?;
        Some(Wanted {
            service: service.name.clone(),
            kind: entry.kind.clone(),
            image: service.image.clone(),
            volumes: service.volumes.clone(),
        })
    };
    pulled.filter_map(wanted).collect()
}
