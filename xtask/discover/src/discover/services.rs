//! Finds the services: which Dockerfiles are one, what they are called, where their code lies and how they are built.

mod alike;
mod aside;
mod bases;
mod binaries;
mod cargo_build;
mod context;
mod copied;
mod dotnet;
mod files;
mod held;
mod ignored;
mod inputs;
mod jvm;
mod language;
mod modules;
mod naming;
mod parameters;
mod place;
mod roots;
mod set_aside;
mod several;
mod started;
mod tags;
mod tasks;
mod unstarted;
mod workers;

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::Dockerfile;
use super::names::valid_name;
use crate::catalog::{Catalog, Class};
use crate::model::fact::{Build, ComponentFacts, Evidence, Image, ServiceFacts, SetAside};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::parallel::in_parallel;
use crate::repo::Repo;

use bases::Bases;
use files::{DockerName, Rank};
use place::Place;

pub use cargo_build::{RootBuilds, root_builds};

pub(super) use crate::noise::{is_test_file, is_test_folder, is_test_path};
pub(super) use aside::{TEMPLATE, hidden_or_test, holds_images};
pub(super) use copied::built_for;
pub(super) use held::Held;
pub(super) use inputs::of as inputs;
pub(super) use language::{has_code, is_manifest, is_runtime, of as language_of};
pub(super) use naming::name_uniquely;
pub(super) use place::is_holder;
pub(super) use roots::Roots;
pub(super) use started::settle as settle_started;
pub(super) use tags::Tagged;
pub(super) use tasks::settle as settle_tasks;
pub(super) use unstarted::settle as settle_unstarted;
pub(super) use workers::add as add_workers;

/// Whether a folder's name says for what its Dockerfiles are, and not for whom: `dev`, `release`.
pub(super) fn is_variant(name: &str) -> bool {
    files::variant(&name.to_ascii_lowercase()).is_some()
}

/// What the Dockerfiles say, without the facts of other files.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) services: Vec<ServiceFacts>,
    pub(super) components: Vec<ComponentFacts>,
    pub(super) set_aside: Vec<SetAside>,
    pub(super) problems: Vec<Problem>,
    /// What Dockerfiles make for others.
    pub(super) bases: Bases,
}

/// A Dockerfile that may be a service.
#[derive(Debug)]
struct Candidate {
    file: RepoPath,
    rank: Rank,
    place: Place,
    /// `Err` with the problem where it cannot be read.
    read: Result<Dockerfile, Problem>,
}

impl Candidate {
    /// Whether somebody only made the file: the one that is written is not a variant of it.
    fn is_empty(&self, repo: &Repo) -> bool {
        self.read.is_err() && repo.text(&self.file).is_ok_and(|file| file.text.trim().is_empty())
    }

    /// Whether the code is mounted into the image, which runs nowhere but beside its author's editor.
    fn is_mounted(&self) -> bool {
        self.read.as_ref().is_ok_and(|dockerfile| !dockerfile.copies_code())
    }

    /// Whether the image is that of a server, which holds no code wherever it runs.
    fn is_server(&self, catalog: &Catalog) -> bool {
        let image = self.read.as_ref().ok().map(|dockerfile| dockerfile.image(None, &BTreeMap::new()));
        image.is_some_and(|image| infrastructure(catalog, &image).is_some())
    }

    /// Whether the image copies a file that lies nowhere above its Dockerfile, and that no pattern or variable names.
    fn lacks_a_file(&self, repo: &Repo) -> bool {
        let Ok(dockerfile) = &self.read else { return false };
        let image = dockerfile.image(None, &BTreeMap::new());
        let is_there = |source: &str| {
            let mut above = self.file.ancestors().skip(1);
            above.any(|folder| {
                folder.join(source).is_some_and(|path| repo.is_file(&path) || repo.is_folder(&path))
            })
        };
        let is_plain =
            |source: &str| !source.contains(['*', '$', '?', '[']) && !context::is_everything(source);
        image.copies.iter().any(|(source, _)| is_plain(source) && !is_there(source.trim_start_matches('/')))
    }
}

/// All services below the roots.
pub(super) fn find(repo: &Repo, catalog: &Catalog, roots: &Roots) -> Found {
    let mut found = Found::default();
    let candidates = candidates(repo, roots, &mut found);
    let read = candidates.iter().filter_map(|one| Some((&one.file, one.read.as_ref().ok()?)));
    found.bases = Bases::of(repo, roots, read);
    let is_base = |one: &Candidate| one.read.as_ref().is_ok_and(|read| found.bases.is_base(&one.file, read));
    let (bases, mut candidates): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_base);
    bases.into_iter().for_each(|base| found.aside(base.file, aside::BASE.to_owned()));
    copied::settle(repo, &mut candidates);
    alike::settle(&mut candidates);
    let chosen = choose(repo, candidates);
    let has_programs = chosen.iter().any(|(one, better)| better.is_none() && !one.is_mounted());
    for (candidate, better) in chosen {
        match better {
            Some(better) => found.aside(candidate.file, format!("a variant of `{better}`")),
            None if has_programs
                && candidate.rank == Rank::Development
                && candidate.is_mounted()
                && !candidate.is_server(catalog) =>
            {
                found.aside(candidate.file, aside::MOUNTED.to_owned());
            }
            None => found.add(repo, catalog, candidate),
        }
    }
    found.problems.extend(folders_called_dockerfile(repo, roots));
    found.set_examples_aside();
    found.set_collections_aside(repo);
    found.set_build_tools_aside(repo);
    found.set_unmade_aside(repo);
    found.set_unified_aside();
    naming::names_in_common(&mut found.services);
    naming::programs(&mut found.services);
    found.set_doubles_aside(repo);
    name_uniquely(&mut found.services);
    // What is no service needs no advice.
    let aside: BTreeSet<&str> = found.set_aside.iter().map(|aside| aside.path.as_str()).collect();
    found.problems.retain(|problem| {
        let place =
            problem.at.first().map_or("", |place| place.rsplit_once(':').map_or(place, |(file, _)| file));
        !aside.contains(place)
    });
    found.services.sort_by(|a, b| a.name.cmp(&b.name));
    found.components.sort_by(|a, b| (&a.name, &a.at).cmp(&(&b.name, &b.at)));
    found.set_aside.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn candidates(repo: &Repo, roots: &Roots, found: &mut Found) -> Vec<Candidate> {
    let mut by_folder: BTreeMap<RepoPath, Vec<(RepoPath, DockerName)>> = BTreeMap::new();
    for file in repo.files() {
        let Some(name) = files::docker_name(file.name()) else { continue };
        if !roots.holds(file) {
            continue;
        }
        let reason = aside::by_path(file, &name);
        // `ci/Dockerfile.orders` may be the image of the orders, which lies where it is built.
        let is_product =
            || read(repo, file).is_ok_and(|read| aside::holds_a_product(&read.image(None, &BTreeMap::new())));
        match reason {
            Some(aside::INTEGRATION) if name.stem.is_some() && is_product() => {
                by_folder.entry(file.parent().unwrap_or_default()).or_default().push((file.clone(), name))
            }
            Some(reason) => found.aside(file.clone(), reason.to_owned()),
            None => {
                by_folder.entry(file.parent().unwrap_or_default()).or_default().push((file.clone(), name))
            }
        }
    }
    let folders = place::Folders::of(repo);
    let read = in_parallel(by_folder.into_values().collect(), |files: &Vec<(RepoPath, DockerName)>| {
        let names: Vec<DockerName> =
            files.iter().map(|(file, name)| place::whole_name(&folders, file, name)).collect();
        let one = |((file, _), name): (&(RepoPath, DockerName), &DockerName)| Candidate {
            file: file.clone(),
            rank: place::rank_of_holders(file).map_or(name.rank, |rank| rank.max(name.rank)),
            place: place::of(&folders, file, name, &names),
            read: read(repo, file),
        };
        files.iter().zip(&names).map(one).collect::<Vec<_>>()
    });
    read.into_iter().flatten().collect()
}

/// The best Dockerfile of each place; beside every other one, the better one. One that packs a program which somebody has
/// to build before is worse than one that builds it, and an empty one is worse than any.
fn choose(repo: &Repo, candidates: Vec<Candidate>) -> Vec<(Candidate, Option<RepoPath>)> {
    let mut groups: BTreeMap<(RepoPath, String), Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let path = &candidate.place.path;
        let folder = path.parent().and_then(|above| above.join(&place::without_variant(path.name())));
        groups.entry((folder.unwrap_or_default(), candidate.place.name.clone())).or_default().push(candidate);
    }
    let mut chosen = Vec::new();
    for (_, mut group) in groups {
        let group_size = group.len();
        let rank = |one: &Candidate| match &one.read {
            // `Dockerfile` is the one for development where another is for production.
            Ok(dockerfile) if one.rank < Rank::Development && dockerfile.is_for_development() => {
                Rank::Development
            }
            _ => one.rank,
        };
        let lacks = |one: &Candidate| group_size > 1 && rank(one) < Rank::Aside && one.lacks_a_file(repo);
        // What stands at the root for one module is second to what stands beside that module.
        let apart = |one: &Candidate| one.file.depth() == 1 && !one.place.path.is_root();
        group.sort_by_cached_key(|one| {
            let is_empty = group_size > 1 && one.is_empty(repo);
            (
                is_empty,
                one.is_mounted(),
                lacks(one),
                rank(one),
                apart(one),
                one.file.depth(),
                one.file.clone(),
            )
        });
        let best = group.first().map(|best| best.file.clone());
        let with = group.into_iter().enumerate().map(|(at, one)| (one, best.clone().filter(|_| at > 0)));
        chosen.extend(with);
    }
    chosen
}

fn read(repo: &Repo, file: &RepoPath) -> Result<Dockerfile, Problem> {
    let failed = |line: Option<u32>, why: &str| {
        let place = line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"));
        let message = format!("a Dockerfile cannot be read ({why}), so its service is left out");
        Problem::new("dockerfile-unreadable", Severity::Error, message)
            .at(place)
            .fix("mend it, or leave its folder out with `services.exclude` in `config.yaml`")
    };
    let text = repo.text(file).map_err(|why| failed(None, &why.to_string()))?;
    if let Some(line) = text.damaged.and_then(|first| damaged(&text.text, first)) {
        return Err(failed(Some(line), "it is not UTF-8"));
    }
    if text.text.trim().is_empty() {
        return Err(failed(Some(1), "it is empty"));
    }
    Dockerfile::parse(&text.text).map_err(|(line, why)| failed(Some(line), &why))
}

/// The first line from `first` on that lost a character and is no comment, which the builder does not read either.
fn damaged(text: &str, first: u32) -> Option<u32> {
    let from = (1u32..).zip(text.lines()).skip_while(|(number, _)| *number < first);
    let is_lost =
        |line: &str| line.contains(char::REPLACEMENT_CHARACTER) && !line.trim_start().starts_with('#');
    from.filter(|(_, line)| is_lost(line)).map(|(number, _)| number).next()
}

fn broken(file: &RepoPath, line: u32, why: &str) -> Problem {
    let message =
        format!("a Dockerfile is not understood from this line on ({why}); what stands above it counts");
    Problem::new("dockerfile-syntax", Severity::Warning, message)
        .at(format!("{file}:{line}"))
        .fix("check it with `docker build --check`")
}

/// A bind mount of a file that was missing leaves a folder of its name.
fn folders_called_dockerfile(repo: &Repo, scope: &Roots) -> Vec<Problem> {
    let named = repo.folders().filter(|folder| matches!(folder.name(), "Dockerfile" | "Containerfile"));
    named
        .filter(|folder| scope.holds(folder) && aside::hidden_or_test(folder).is_none())
        .map(|folder| {
            Problem::new(
                "dockerfile-unreadable",
                Severity::Error,
                "a Dockerfile is a folder, so its service is left out",
            )
            .at(folder)
            .fix(format!("remove the folder and write the file: `rmdir {folder}`"))
        })
        .collect()
}

impl Found {
    fn aside(&mut self, path: RepoPath, reason: String) {
        self.set_aside.push(SetAside { path, reason });
    }

    fn add(&mut self, repo: &Repo, catalog: &Catalog, from: Candidate) {
        let Candidate { file, place, read, .. } = from;
        let dockerfile = match read {
            Ok(dockerfile) => dockerfile,
            Err(problem) => {
                self.problems.push(problem.service(place.name));
                return;
            }
        };
        self.problems.extend(dockerfile.broken.iter().map(|(line, why)| broken(&file, *line, why)));
        let image = self.image(&dockerfile, None, &BTreeMap::new());
        if let Some(reason) = aside::by_image(&image) {
            return self.aside(file, reason.to_owned());
        }
        if let Some(parameter) = parameters::of(repo, &file, &dockerfile) {
            return self.add_each(repo, (&file, &dockerfile), parameter);
        }
        let programs = modules::of(repo, &place.path, &image);
        if !programs.is_empty() {
            return self.add_modules(repo, (&file, &dockerfile), &image, programs);
        }
        let (context, problem) = context::of(repo, &file, &place.path, &image, &dockerfile);
        if problem.is_some() && aside::lacks_its_code(repo, &place.path, &context, &image) {
            return self.aside(file, aside::NOTHING_HERE.to_owned());
        }
        let programs = binaries::of(repo, &image);
        if !programs.is_empty() {
            return self.add_binaries((&file, &dockerfile), (&image, &context), programs);
        }
        self.problems.extend(problem.map(|problem| problem.service(place.name.clone())));
        if jvm::only_builds(&image) && jvm::is_library(repo, &place.path) {
            return self.aside(file, "it builds a library, and starts nothing".to_owned());
        }
        let build = Build { context, target: None, args: BTreeMap::new() };
        let Some(kind) = infrastructure(catalog, &image) else {
            return self.add_built(repo, (&file, &dockerfile), place, (image, build));
        };
        if aside::loads_data(&image, &file.parent().unwrap_or_default()) {
            return self.aside(file, "it loads data into a server, and is none".to_owned());
        }
        // The last stage may be a server beside programs that have stages of their own.
        let programs = dockerfile.programs();
        let target = programs.last().and_then(|_| image.stages.last().cloned());
        let at = Evidence { path: file.clone(), line: image.base_line.max(1), rule: "dockerfile-from" };
        let name = target.as_deref().map_or_else(|| place.name.clone(), valid_name);
        let own = Build { target, ..build.clone() };
        let made = Some((file.clone(), own));
        self.components.push(ComponentFacts { name, kind, image: image.base, build: made, at });
        if let Some(program) = programs.last() {
            let image = self.image(&dockerfile, Some(program), &BTreeMap::new());
            self.add_built(repo, (&file, &dockerfile), place, (image, build));
        }
    }

    /// What a Dockerfile builds, with what it inherits from others here.
    pub(super) fn image(
        &self,
        dockerfile: &Dockerfile,
        target: Option<&str>,
        args: &BTreeMap<String, String>,
    ) -> Image {
        dockerfile.image_on(target, args, &|reference| self.bases.image(reference))
    }
}

/// The kind of infrastructure of which this is the server itself with a little on top.
pub(super) fn infrastructure(catalog: &Catalog, image: &Image) -> Option<String> {
    let entry = catalog.by_image(&image.base)?;
    // A service may stand on a server's image for its client; then it brings its own program, and starts it.
    let is_script =
        |word: &str| matches!(word.rsplit('/').next(), Some("entrypoint.sh" | "docker-entrypoint.sh"));
    let brings =
        |word: &str| image.copies.iter().any(|(source, _)| source.ends_with(word.trim_start_matches('/')));
    let starts_server = image.start().next().is_none_or(|word| is_script(word) && !brings(word));
    let own_program = !starts_server && image.copies.iter().any(|(source, _)| language::is_manifest(source));
    (!own_program || entry.class == Class::Observability).then(|| entry.kind.clone())
}

#[cfg(test)]
mod tests;
