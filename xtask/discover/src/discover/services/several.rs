//! The services of a Dockerfile: one, or several, whoever told them apart.

use std::collections::BTreeMap;

use super::super::dockerfile::Dockerfile;
use super::place::Place;
use super::{Found, binaries, ignored, language, parameters, place};
use crate::model::fact::{Build, Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

impl Found {
    /// The service that is built so, with what is wrong with its build.
    pub(super) fn add_built(
        &mut self,
        repo: &Repo,
        (file, dockerfile): (&RepoPath, &Dockerfile),
        place: Place,
        (image, build): (Image, Build),
    ) {
        let missing = ignored::missing(repo, file, &image, &build.context).into_iter();
        self.problems.extend(missing.map(|problem| problem.service(place.name.clone())));
        let language = language::of(repo, &place.path, &build.context, &image);
        let service = self.service((file, dockerfile), place, (image, build), language);
        self.services.push(service);
    }

    /// One service for each program that is the image's whole context.
    pub(super) fn add_modules(
        &mut self,
        repo: &Repo,
        from: (&RepoPath, &Dockerfile),
        image: &Image,
        programs: Vec<RepoPath>,
    ) {
        for context in programs {
            let place = place::plain(repo, &context);
            let build = Build { context, target: None, args: BTreeMap::new() };
            self.add_built(repo, from, place, (image.clone(), build));
        }
    }

    /// One service for each program that an image holds and does not start by itself.
    pub(super) fn add_binaries(
        &mut self,
        from: (&RepoPath, &Dockerfile),
        (image, context): (&Image, &RepoPath),
        programs: Vec<binaries::Program>,
    ) {
        for program in programs {
            let place = place::called(program.path, &program.name);
            let build = Build { context: context.clone(), target: None, args: BTreeMap::new() };
            let service = self.service(from, place, (image.clone(), build), program.language.to_owned());
            self.services.push(ServiceFacts { command: Some(vec![program.command]), ..service });
        }
    }

    /// One service for each value of a build argument.
    pub(super) fn add_each(
        &mut self,
        repo: &Repo,
        from: (&RepoPath, &Dockerfile),
        parameter: parameters::Parameter,
    ) {
        let unknown = if parameter.values.len() > 1 { from.1.exposed_arguments() } else { Vec::new() };
        for value in parameter.values {
            let args = BTreeMap::from([(parameter.name.clone(), value.value)]);
            let unknown = unknown.iter().map(|name| (name.clone(), String::new()));
            let image = self.image(from.1, None, &unknown.chain(args.clone()).collect());
            let place = place::plain(repo, &value.path);
            let build = Build { context: value.context, target: None, args };
            self.add_built(repo, from, place, (image, build));
        }
    }

    fn service(
        &self,
        (file, dockerfile): (&RepoPath, &Dockerfile),
        place: Place,
        (image, build): (Image, Build),
        language: String,
    ) -> ServiceFacts {
        let build = Build { target: build.target.or_else(|| dockerfile.product()), ..build };
        ServiceFacts {
            aliases: place.aliases,
            command: None,
            dockerfile: file.clone(),
            facts: Vec::new(),
            image,
            inputs: Vec::new(),
            is_worker: false,
            language,
            migration: None,
            name: place.name,
            origins: self.bases.origins(file, dockerfile, &build.args),
            path: place.path,
            build,
        }
    }
}
