//! What looks like a service and is none beside the others: examples, collections, build tools, other packings.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::Names;
use super::{Found, aside, files, inputs, language};
use crate::model::fact::{Fact, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

impl Found {
    /// Examples and tools are services only where there is nothing else.
    pub(super) fn set_examples_aside(&mut self) {
        let example = |service: &ServiceFacts| aside::example(&service.dockerfile, &service.path);
        let folder = |service: &ServiceFacts| service.dockerfile.parent();
        let used: BTreeSet<Option<RepoPath>> =
            self.services.iter().filter(|one| example(one).is_none()).map(folder).collect();
        if used.is_empty() {
            return;
        }
        // The image of the whole may lie beside those of its parts.
        let is_whole = |service: &ServiceFacts| {
            let name = files::docker_name(service.dockerfile.name());
            used.contains(&folder(service)) && name.is_some_and(|name| name.stem.is_none())
        };
        for service in std::mem::take(&mut self.services) {
            match example(&service).filter(|_| !is_whole(&service)) {
                Some(reason) => self.aside(service.dockerfile, reason.to_owned()),
                None => self.services.push(service),
            }
        }
    }

    /// An image whose last stage holds all services in one is none where there are others.
    pub(super) fn set_collections_aside(&mut self, repo: &Repo) {
        let homes: Vec<RepoPath> = self.services.iter().map(|service| service.path.clone()).collect();
        let is_one = |service: &ServiceFacts| {
            service.image.stages.last().is_some_and(|stage| aside::is_all_in_one(stage))
                || aside::holds_a_system(&service.image)
                || aside::collects(repo, service, &homes)
        };
        if self.services.iter().all(is_one) {
            return;
        }
        for service in std::mem::take(&mut self.services) {
            if is_one(&service) {
                self.aside(service.dockerfile, aside::ALL_IN_ONE.to_owned());
            } else {
                self.services.push(service);
            }
        }
    }

    /// What lies beside the Dockerfile of an image of the whole system is about that one: there, everybody is on one machine.
    pub(in crate::discover) fn leave_out_collections(&self, facts: &mut Vec<Fact>) {
        let of_all = self.set_aside.iter().filter(|aside| aside.reason == aside::ALL_IN_ONE);
        let holds_a_service =
            |folder: &RepoPath| self.services.iter().any(|service| service.dockerfile.is_in(folder));
        let folders: BTreeSet<RepoPath> = of_all
            .filter_map(|aside| aside.path.parent())
            .filter(|folder| !folder.is_root() && !holds_a_service(folder))
            .collect();
        if !folders.is_empty() {
            facts.retain(|fact| !fact.at.path.ancestors().any(|folder| folders.contains(&folder)));
        }
    }

    /// In the folder of another service, an image that starts nothing makes a part of that service: generated code, an
    /// archive. One that only installs something, beside no code, is a tool.
    pub(super) fn set_build_tools_aside(&mut self, repo: &Repo) {
        let homes: Vec<RepoPath> = self.services.iter().map(|service| service.path.clone()).collect();
        for service in std::mem::take(&mut self.services) {
            let image = &service.image;
            let starts = !image.command.is_empty() || !image.entrypoint.is_empty();
            let is_inside =
                |home: &RepoPath| !home.is_root() && *home != service.path && service.dockerfile.is_in(home);
            // What is installed by manifests alone is no program either.
            let is_list = |(source, _): &(String, u32)| inputs::is_manifest_or_lock(source);
            let installs = image.copies.iter().all(is_list) && !image.runs.is_empty();
            if aside::is_tool_of_deployment(image) {
                self.aside(
                    service.dockerfile,
                    "a tool of deployment, with nothing of this repository".to_owned(),
                );
            } else if !starts && installs && aside::is_bare(image) && !language::has_code(repo, &service.path)
            {
                self.aside(
                    service.dockerfile,
                    "it starts nothing, and holds nothing of this repository".to_owned(),
                );
            } else if !starts && aside::is_bare(image) && homes.iter().any(is_inside) {
                self.aside(service.dockerfile, "it starts nothing, and lies in another service".to_owned());
            } else {
                self.services.push(service);
            }
        }
    }

    /// A folder without code that has the name of a service with code packs that service for another platform.
    pub(super) fn set_doubles_aside(&mut self, repo: &Repo) {
        let has_code = |service: &ServiceFacts| language::has_code(repo, &service.path);
        let (coded, bare): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.services).into_iter().partition(has_code);
        self.services = coded;
        let names = Names::of(&self.services);
        for service in bare {
            let all = std::iter::once(&service.name).chain(&service.aliases);
            let same =
                all.filter_map(|name| names.find(name)).next().map(|at| self.services[at].dockerfile.clone());
            // Two Dockerfiles for one folder of code are two services.
            match same.filter(|_| !service.path.is_root() && service.dockerfile.is_in(&service.path)) {
                Some(same) => self.aside(service.dockerfile, format!("another packing of `{same}`")),
                None => self.services.push(service),
            }
        }
    }

    /// One Dockerfile for whatever an argument names is not built for what has one of its own.
    pub(super) fn set_unified_aside(&mut self) {
        let of_all = |service: &ServiceFacts| !service.build.args.is_empty();
        let own = self.services.iter().filter(|service| !of_all(service));
        let own: BTreeMap<(RepoPath, String), RepoPath> = own
            .map(|service| ((service.path.clone(), service.name.clone()), service.dockerfile.clone()))
            .collect();
        let mut doubles = BTreeMap::new();
        self.services.retain(|service| {
            let place = (service.path.clone(), service.name.clone());
            let Some(better) = own.get(&place).filter(|_| of_all(service)) else { return true };
            doubles.entry(service.dockerfile.clone()).or_insert_with(|| better.clone());
            false
        });
        for (unified, better) in doubles {
            // It may be built for others all the same.
            if self.services.iter().all(|service| service.dockerfile != unified) {
                self.aside(unified, format!("another packing of `{better}` and others"));
            }
        }
    }
}
