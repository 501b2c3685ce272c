//! One Dockerfile that is several services: adds them, whoever told them apart.

use std::collections::BTreeMap;

use super::super::dockerfile::Dockerfile;
use super::{Found, binaries, ignored, language, parameters, place};
use crate::model::fact::{Build, Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

impl Found {
    /// One service for each program that is the image's whole context.
    pub(super) fn add_modules(
        &mut self,
        repo: &Repo,
        (file, dockerfile): (&RepoPath, &Dockerfile),
        image: &Image,
        programs: Vec<RepoPath>,
    ) {
        let origins = self.bases.origins(file, dockerfile, &BTreeMap::new());
        for context in programs {
            let place = place::plain(repo, &context);
            let missing = ignored::missing(repo, file, image, &context).into_iter();
            self.problems.extend(missing.map(|problem| problem.service(place.name.clone())));
            self.services.push(ServiceFacts {
                aliases: place.aliases,
                command: None,
                inputs: Vec::new(),
                is_worker: false,
                origins: origins.clone(),
                dockerfile: file.clone(),
                facts: Vec::new(),
                language: language::of(repo, &place.path, &context, image),
                build: Build { context, target: None, args: BTreeMap::new() },
                image: image.clone(),
                migration: None,
                name: place.name,
                path: place.path,
            });
        }
    }

    /// One service for each program that an image holds and does not start by itself.
    pub(super) fn add_binaries(
        &mut self,
        file: &RepoPath,
        dockerfile: &Dockerfile,
        (image, context): (&Image, &RepoPath),
        programs: Vec<binaries::Program>,
    ) {
        let origins = self.bases.origins(file, dockerfile, &BTreeMap::new());
        for program in programs {
            let place = place::called(program.path, &program.name);
            self.services.push(ServiceFacts {
                aliases: place.aliases,
                build: Build { context: context.clone(), target: None, args: BTreeMap::new() },
                command: Some(vec![program.command]),
                dockerfile: file.clone(),
                facts: Vec::new(),
                image: image.clone(),
                inputs: Vec::new(),
                is_worker: false,
                language: program.language.to_owned(),
                migration: None,
                name: place.name,
                origins: origins.clone(),
                path: place.path,
            });
        }
    }

    /// One service for each value of a build argument.
    pub(super) fn add_each(
        &mut self,
        repo: &Repo,
        file: &RepoPath,
        dockerfile: &Dockerfile,
        parameter: parameters::Parameter,
    ) {
        for value in parameter.values {
            let args = BTreeMap::from([(parameter.name.clone(), value.value)]);
            let image = self.image(dockerfile, None, &args);
            let origins = self.bases.origins(file, dockerfile, &args);
            let place = place::plain(repo, &value.path);
            let build = Build { context: value.context, target: None, args };
            let missing = ignored::missing(repo, file, &image, &build.context).into_iter();
            self.problems.extend(missing.map(|problem| problem.service(place.name.clone())));
            self.services.push(ServiceFacts {
                aliases: place.aliases,
                command: None,
                inputs: Vec::new(),
                is_worker: false,
                dockerfile: file.clone(),
                facts: Vec::new(),
                language: language::of(repo, &place.path, &build.context, &image),
                build,
                image,
                migration: None,
                origins,
                name: place.name,
                path: place.path,
            });
        }
    }
}
