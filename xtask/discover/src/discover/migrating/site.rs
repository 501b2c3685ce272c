//! What of the repository lies where in a service's final image, and what its builds have installed there, through all
//! stages; follows what a Dockerfile says and guesses nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dockerfile::Dockerfile;
use super::super::glob;
use crate::model::fact::{Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Stages that take from stages that take from stages: longer chains are not followed.
const MAX_STEPS: usize = 6;

/// Places of a file in a stage: more than that nobody means, and each is multiplied by the copies of the next stage.
const MAX_PLACES: usize = 50;

/// The places of a file by stage and steps left, each worked out once.
type Places = BTreeMap<(String, usize), Vec<String>>;

/// A service with all stages of its image.
pub(super) struct Site<'a> {
    pub(super) repo: &'a Repo,
    pub(super) service: &'a ServiceFacts,
    stages: BTreeMap<String, Image>,
}

/// A stage whose files are in the final image, and what was taken from it.
pub(super) struct Source<'a> {
    pub(super) image: &'a Image,
    /// Paths in that stage; empty for the final stage, all of which is there.
    pub(super) taken: Vec<&'a str>,
}

impl Source<'_> {
    /// Whether a folder or file of the stage is in the final image.
    pub(super) fn has(&self, path: &str) -> bool {
        let holds = |taken: &&str| below(path, taken).is_some();
        self.taken.is_empty() || self.taken.iter().any(holds)
    }
}

impl<'a> Site<'a> {
    /// `None` where the Dockerfile cannot be read.
    pub(super) fn of(repo: &'a Repo, service: &'a ServiceFacts) -> Option<Site<'a>> {
        let dockerfile = Dockerfile::parse(&repo.text(&service.dockerfile).ok()?.text).ok()?;
        let image = |name: &String| (name.clone(), dockerfile.image(Some(name), &service.build.args));
        let stages = service.image.stages.iter().map(image).collect();
        Some(Site { repo, service, stages })
    }

    pub(super) fn image(&self) -> &Image {
        &self.service.image
    }

    /// The folder in which the image's command runs.
    pub(super) fn workdir(&self) -> &str {
        self.image().workdir.as_deref().unwrap_or("/")
    }

    fn stage(&self, name: &str) -> Option<&Image> {
        let by_number = || self.image().stages.get(name.parse::<usize>().ok()?);
        let known = self.image().stages.iter().find(|stage| stage.eq_ignore_ascii_case(name));
        self.stages.get(known.or_else(by_number)?)
    }

    /// Where a file of the repository lies in the final image: below the working folder where it lies there too.
    pub(super) fn place(&self, path: &RepoPath) -> Option<String> {
        let places = self.places(self.image(), path, MAX_STEPS, &mut Places::new());
        let inside = places.iter().find(|place| below(place, self.workdir()).is_some());
        inside.or(places.first()).cloned()
    }

    /// Whether a file or folder of the repository is in the final image at all.
    pub(super) fn holds(&self, path: &RepoPath) -> bool {
        self.place(path).is_some()
    }

    fn places(&self, stage: &Image, path: &RepoPath, steps: usize, known: &mut Places) -> Vec<String> {
        let mut found = Vec::new();
        for placed in &stage.placed {
            found.extend(self.placed(&placed.source, &placed.to, path));
        }
        for brought in stage.brought.iter().filter(|_| steps > 0) {
            let Some(from) = self.stage(&brought.from) else { continue };
            let key = (brought.from.clone(), steps - 1);
            if !known.contains_key(&key) {
                let places = self.places(from, path, steps - 1, known);
                known.insert(key.clone(), places);
            }
            for place in &known[&key] {
                let Some(rest) = below(place, &brought.source) else { continue };
                found.push(match rest {
                    // A file by its own name.
                    "" if brought.to.ends_with('/') && self.repo.is_file(path) => {
                        join(&brought.to, place.rsplit('/').next().unwrap_or_default())
                    }
                    rest => join(&brought.to, rest),
                });
            }
        }
        let mut distinct = BTreeSet::new();
        found.retain(|place| distinct.insert(place.clone()));
        found.truncate(MAX_PLACES);
        found
    }

    /// Where a COPY from the context puts a file or folder.
    fn placed(&self, source: &str, to: &str, path: &RepoPath) -> Option<String> {
        let source = source.trim_start_matches('/');
        let named = path.ancestors().find(|above| self.names(source, above))?;
        let rest = path.relative_to(&named)?;
        Some(match rest.as_str() {
            "." if self.repo.is_file(path) && to.ends_with('/') => join(to, path.name()),
            "." => join(to, ""),
            rest => join(to, rest),
        })
    }

    fn names(&self, source: &str, path: &RepoPath) -> bool {
        let context = &self.service.build.context;
        match source.contains(['*', '?']) {
            false => context.join(source).as_ref() == Some(path),
            true => path.relative_to(context).is_some_and(|path| glob::matches(source, &path)),
        }
    }

    /// The final stage, then those from which it has taken something, and so on.
    pub(super) fn sources(&self) -> Vec<Source<'_>> {
        let mut found = vec![Source { image: self.image(), taken: Vec::new() }];
        let mut at = 0;
        while let Some(source) = found.get(at).filter(|_| at < MAX_STEPS) {
            let mut by_stage: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for brought in &source.image.brought {
                by_stage.entry(&brought.from).or_default().push(&brought.source);
            }
            let new = by_stage
                .into_iter()
                .filter_map(|(from, taken)| Some(Source { image: self.stage(from)?, taken }));
            let new: Vec<Source<'_>> = new.collect();
            found.extend(new);
            at += 1;
        }
        found
    }

    /// Whether the image is built on an official image of that name, or one that is called after it.
    pub(super) fn is_built_on(&self, names: &[&str]) -> bool {
        let base = self.image().base.to_ascii_lowercase();
        let mut words = base
            .split(|c: char| !c.is_ascii_alphanumeric())
            .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
        words.any(|word| names.contains(&word))
    }

    /// The words of the start command, and the text of the scripts that it names.
    pub(super) fn start(&self) -> String {
        let words: Vec<&str> = self.service.start().map(String::as_str).collect();
        let scripts = super::super::start_script::scripts(self.repo, self.service);
        let texts = scripts.iter().filter_map(|path| self.repo.text(path).ok());
        texts.fold(words.join(" "), |all, text| format!("{all}\n{}", text.text))
    }

    /// The text of a file; empty where there is none.
    pub(super) fn text(&self, path: &RepoPath) -> String {
        self.repo.text(path).map(|text| text.text).unwrap_or_default()
    }
}

/// What of `path` lies below `folder`; empty where they are the same.
pub(super) fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let folder = folder.trim_end_matches("/.").trim_end_matches('/');
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn join(folder: &str, rest: &str) -> String {
    let folder = folder.trim_end_matches('/');
    match (folder, rest) {
        ("", "") => "/".to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, rest) => format!("{folder}/{rest}"),
    }
}

/// The folder of a path in an image.
pub(super) fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}
