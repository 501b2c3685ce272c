//! Finds the services: which Dockerfiles are one, what they are called, where their code lies and how they are built.

mod aside;
mod context;
mod files;
mod language;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::Dockerfile;
use super::{Scope, glob, in_parallel};
use crate::catalog::{Catalog, Class};
use crate::model::fact::{Build, ComponentFacts, Evidence, Image, ServiceFacts, SetAside};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

use files::DockerName;
use place::Place;

pub(super) use aside::is_test_path;
pub(super) use place::valid_name;

/// What the Dockerfiles say, without the facts of other files.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) services: Vec<ServiceFacts>,
    pub(super) components: Vec<ComponentFacts>,
    pub(super) set_aside: Vec<SetAside>,
    pub(super) problems: Vec<Problem>,
}

/// A Dockerfile that may be a service.
struct Candidate {
    file: RepoPath,
    name: DockerName,
    place: Place,
}

/// One Dockerfile, read.
struct Reading {
    candidate: Candidate,
    parsed: Option<(Dockerfile, Image)>,
    problems: Vec<Problem>,
}

/// All services below the roots of `scope`.
pub(super) fn find(repo: &Repo, catalog: &Catalog, scope: &Scope) -> Found {
    let mut found = Found::default();
    let scope = Roots::of(repo, scope);
    let chosen = choose(candidates(repo, &scope, &mut found));
    let (kept, variants): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|(_, better)| better.is_none());
    for (candidate, better) in variants {
        let better = better.map(|better| better.to_string()).unwrap_or_default();
        let reason = format!("a variant of `{better}`");
        found.set_aside.push(SetAside { path: candidate.file, reason });
    }
    let kept: Vec<Candidate> = kept.into_iter().map(|(candidate, _)| candidate).collect();
    let readings = in_parallel(kept, |candidate| read(repo, candidate));
    for reading in readings {
        found.problems.extend(reading.problems);
        if let Some((dockerfile, image)) = reading.parsed {
            found.add(repo, catalog, reading.candidate, &dockerfile, image);
        }
    }
    found.problems.extend(folders_called_dockerfile(repo, &scope));
    name_uniquely(&mut found.services);
    found.services.sort_by(|a, b| a.name.cmp(&b.name));
    found.components.sort_by(|a, b| (&a.name, &a.at).cmp(&(&b.name, &b.at)));
    found.set_aside.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Where services are looked for.
pub(super) struct Roots {
    roots: Vec<String>,
    exclude: Vec<String>,
}

impl Roots {
    pub(super) fn of(repo: &Repo, scope: &Scope) -> Roots {
        let mut roots = scope.roots.clone();
        let usual = RepoPath::root().join("workspace/code").filter(|folder| repo.is_folder(folder));
        if let (true, Some(folder)) = (roots.is_empty(), usual) {
            roots.push(format!("{folder}/*"));
        }
        // A setup that this program wrote is no evidence for what it should write.
        let setups = repo.files().filter_map(|file| file.as_str().strip_suffix("/.generated/state.yaml"));
        let exclude = scope.exclude.iter().cloned().chain(setups.map(str::to_owned)).collect();
        Roots { roots, exclude }
    }

    pub(super) fn excludes(&self, path: &RepoPath) -> bool {
        self.exclude.iter().any(|pattern| glob::covers(pattern, path))
    }

    pub(super) fn holds(&self, path: &RepoPath) -> bool {
        (self.roots.is_empty() || self.roots.iter().any(|pattern| glob::covers(pattern, path)))
            && !self.excludes(path)
    }
}

fn candidates(repo: &Repo, scope: &Roots, found: &mut Found) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for file in repo.files() {
        let Some(name) = files::docker_name(file.name()) else { continue };
        if !scope.holds(file) {
            continue;
        }
        if let Some(reason) = aside::by_path(file, &name) {
            found.set_aside.push(SetAside { path: file.clone(), reason: reason.to_owned() });
            continue;
        }
        let place = place::of(repo, file, &name);
        candidates.push(Candidate { file: file.clone(), name, place });
    }
    candidates
}

/// The best Dockerfile of each place; beside every other one, the better one.
fn choose(candidates: Vec<Candidate>) -> Vec<(Candidate, Option<RepoPath>)> {
    let mut groups: BTreeMap<(RepoPath, String), Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups
            .entry((candidate.place.path.clone(), candidate.place.name.clone()))
            .or_default()
            .push(candidate);
    }
    let mut chosen = Vec::new();
    for (_, mut group) in groups {
        group.sort_by_key(|one| (one.name.rank, one.file.depth(), one.file.clone()));
        let best = group.first().map(|best| best.file.clone());
        let with = group.into_iter().enumerate().map(|(at, one)| (one, best.clone().filter(|_| at > 0)));
        chosen.extend(with);
    }
    chosen
}

fn read(repo: &Repo, candidate: &Candidate) -> Reading {
    let file = &candidate.file;
    let candidate =
        Candidate { file: file.clone(), name: candidate.name.clone(), place: candidate.place.clone() };
    let failed = |candidate, line: Option<u32>, why: String| {
        let place = line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"));
        let message = format!("a Dockerfile cannot be read ({why}), so its service is left out");
        let problem = Problem::new("dockerfile-unreadable", Severity::Error, message)
            .at(place)
            .fix("mend it, or leave its folder out with `services.exclude` in `config.yaml`");
        Reading { candidate, parsed: None, problems: vec![problem] }
    };
    let text = match repo.text(file) {
        Ok(text) => text,
        Err(why) => return failed(candidate, None, why.to_string()),
    };
    if let Some(line) = text.damaged {
        return failed(candidate, Some(line), "it is not UTF-8".to_owned());
    }
    match Dockerfile::parse(&text.text) {
        Err(_) if text.text.trim().is_empty() => failed(candidate, Some(1), "it is empty".to_owned()),
        Err((line, why)) => failed(candidate, Some(line), why),
        Ok(dockerfile) => {
            let problems = dockerfile.broken.iter().map(|(line, why)| broken(file, *line, why)).collect();
            let image = dockerfile.image(None, &BTreeMap::new());
            Reading { candidate, parsed: Some((dockerfile, image)), problems }
        }
    }
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
    fn add(
        &mut self,
        repo: &Repo,
        catalog: &Catalog,
        from: Candidate,
        dockerfile: &Dockerfile,
        image: Image,
    ) {
        let Candidate { file, place, .. } = from;
        if let Some(reason) = aside::by_image(&image) {
            self.set_aside.push(SetAside { path: file, reason: reason.to_owned() });
            return;
        }
        let (context, problem) = context::of(repo, &file, &place.path, &image, dockerfile);
        self.problems.extend(problem.map(|problem| problem.service(place.name.clone())));
        let build = Build { context, target: None, args: BTreeMap::new() };
        if let Some(kind) = infrastructure(catalog, &image) {
            let at = Evidence { path: file.clone(), line: image.base_line.max(1), rule: "dockerfile-from" };
            let (name, base) = (place.name, image.base);
            self.components.push(ComponentFacts { name, kind, image: base, build: Some((file, build)), at });
            return;
        }
        let language = language::of(repo, &place.path, &build.context, &image);
        self.services.push(ServiceFacts {
            aliases: place.aliases,
            build,
            command: None,
            dockerfile: file,
            facts: Vec::new(),
            image,
            language,
            name: place.name,
            path: place.path,
        });
    }
}

/// The kind of infrastructure of which this is the server itself with a little on top.
fn infrastructure(catalog: &Catalog, image: &Image) -> Option<String> {
    let entry = catalog.by_image(&image.base)?;
    // A service may stand on a server's image for its client; then it brings its own program.
    let own_program = image.copies.iter().any(|(source, _)| language::is_manifest(source));
    (!own_program || entry.class == Class::Observability).then(|| entry.kind.clone())
}

/// Where two services have one name, the folder above is put in front, and a number behind if that is not enough.
fn name_uniquely(services: &mut [ServiceFacts]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for service in services.iter() {
        *count.entry(service.name.clone()).or_default() += 1;
    }
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, number)| **number == 1).map(|(name, _)| name.clone()).collect();
    let mut order: Vec<usize> = (0..services.len()).collect();
    order.sort_by(|a, b| services[*a].dockerfile.cmp(&services[*b].dockerfile));
    for at in order {
        let service = &mut services[at];
        if count.get(&service.name).copied().unwrap_or_default() < 2 {
            continue;
        }
        let above = service.path.parent().map(|folder| valid_name(folder.name())).unwrap_or_default();
        let longer =
            if above.is_empty() { service.name.clone() } else { format!("{above}-{}", service.name) };
        let numbered = (2..).map(|number| format!("{longer}-{number}"));
        let name = std::iter::once(longer.clone()).chain(numbered).find(|name| !taken.contains(name));
        let name = name.unwrap_or(longer);
        taken.insert(name.clone());
        service.aliases.push(std::mem::replace(&mut service.name, name));
    }
}
