//! Reads a Dockerfile into what is built from one of its stages; runs nothing and never looks at the context.

pub(super) mod expand;
mod flags;
mod heredoc;
mod image;
mod install;
mod says;
mod steps;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::Image;

pub(super) use expand::words;
pub(super) use flags::{listening, of_server};
pub(super) use image::{Known, Origins};
pub(super) use says::{EXPOSED_VARIABLE, facts, health_address};
use steps::Step;

/// Stands for a build argument whose value is sought.
pub(super) const MARK: &str = "\u{2}";

/// Where a build argument is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Uses {
    /// Sources of COPY and ADD.
    pub(super) sources: Vec<String>,
    /// Working folders and words of commands, relative to the context where that is known.
    pub(super) paths: Vec<String>,
}

/// A Dockerfile's instructions, in order.
#[derive(Debug, Clone)]
pub(super) struct Dockerfile {
    steps: Vec<Step>,
    /// The first line that is not understood and why; what stands above it is kept.
    pub(super) broken: Option<(u32, String)>,
}

/// Whether a path of the image ends with the name of a file: `/app/app.jar`.
fn names_a_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.trim_start_matches('.').contains('.')
}

impl Dockerfile {
    /// Reads the text.
    ///
    /// # Errors
    /// The line and the reason, where there is no stage to build.
    pub(super) fn parse(text: &str) -> Result<Dockerfile, (u32, String)> {
        let (steps, broken) = steps::read(text);
        if steps.iter().any(|step| matches!(step.what, steps::What::From { .. })) {
            return Ok(Dockerfile { steps, broken });
        }
        Err(broken.unwrap_or_else(|| (1, "it has no FROM".to_owned())))
    }

    /// What is built from the stage `target`, or from that of the program, with build arguments `args`.
    pub(super) fn image(&self, target: Option<&str>, args: &BTreeMap<String, String>) -> Image {
        self.image_on(target, args, &|_| None)
    }

    /// The same, with what it inherits from an image that `known` has.
    pub(super) fn image_on(
        &self,
        target: Option<&str>,
        args: &BTreeMap<String, String>,
        known: Known<'_>,
    ) -> Image {
        let product = target.is_none().then(|| self.product()).flatten();
        let target = target.or(product.as_deref());
        Image { without_code: !self.copies_code(), ..image::build(&self.steps, target, args, known) }
    }

    /// The images that its stages are built FROM, or copy out of; stages of its own and `scratch` left out.
    pub(super) fn origins(&self, args: &BTreeMap<String, String>) -> Origins {
        image::origins(&self.steps, args)
    }

    /// The names of all ARGs, once each.
    pub(super) fn arguments(&self) -> Vec<String> {
        let pairs = self.steps.iter().filter_map(|step| match &step.what {
            steps::What::Arg(pairs) => Some(pairs),
            _ => None,
        });
        let mut names: Vec<String> = Vec::new();
        for (name, _) in pairs.flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The ARGs that EXPOSE names: one Dockerfile of several services does not know them for each.
    pub(super) fn exposed_arguments(&self) -> Vec<String> {
        let mut names = self.arguments();
        let words = self.steps.iter().filter_map(|step| match &step.what {
            steps::What::Expose(words) => Some(words),
            _ => None,
        });
        let words: Vec<&String> = words.flatten().collect();
        let is_named = |name: &str| {
            words.iter().any(|word| *word == &format!("${{{name}}}") || *word == &format!("${name}"))
        };
        let image = self.image(None, &BTreeMap::new());
        names.retain(|name| is_named(name) && image.env.iter().all(|(known, ..)| known != name));
        names
    }

    /// The values that ARG gives to the argument `name`.
    pub(super) fn defaults(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.steps.iter().filter_map(|step| match &step.what {
            steps::What::Arg(pairs) => Some(pairs),
            _ => None,
        });
        pairs
            .flatten()
            .filter(move |(argument, _)| argument == name)
            .filter_map(|(_, value)| value.as_deref())
    }

    /// Where the argument `name` stands in paths; [`MARK`] stands for it.
    pub(super) fn uses(&self, name: &str) -> Uses {
        let args = BTreeMap::from([(name.to_owned(), MARK.to_owned())]);
        let mark = |known: &str| Some(if known == name { MARK.to_owned() } else { format!("${{{known}}}") });
        // `COPY ${JAR_FILE} app.jar` chooses a file, and no folder.
        let mut files: Vec<String> = Vec::new();
        for step in &self.steps {
            if let steps::What::Copy { sources, to } = &step.what
                && names_a_file(to)
            {
                let sources = sources.iter().map(|source| expand::value(source, &mark));
                files.extend(sources.filter(|source| source.ends_with(MARK)));
            }
        }
        let sources = self.image(None, &args).copies.into_iter().map(|(source, _)| source);
        let sources = sources.filter(|source| source.contains(MARK) && !files.contains(source));
        let mut uses = Uses { sources: sources.collect(), paths: Vec::new() };
        let mut copied_to = String::new();
        for step in &self.steps {
            match &step.what {
                steps::What::Copy { sources, to }
                    if sources.iter().any(|source| source.trim_end_matches('/') == ".") =>
                {
                    copied_to = to.trim_end_matches('/').to_owned();
                }
                steps::What::Workdir(text) | steps::What::Run(text) if text.contains(name) => {
                    let words = expand::words(text).into_iter().map(|word| expand::value(&word, &mark));
                    // A word without a folder is a name or a version.
                    let paths = words.filter(|word| word.contains(MARK) && word.contains('/'));
                    // What was copied is found in the context again, by the path below the place it was copied to.
                    uses.paths
                        .extend(paths.map(|path| path.strip_prefix(&copied_to).unwrap_or(&path).to_owned()));
                }
                _ => {}
            }
        }
        uses
    }

    /// The stage to build when nobody chooses, where that is not the last one.
    pub(super) fn product(&self) -> Option<String> {
        targets::product(&self.steps)
    }

    /// Stages that are programs of their own, of which a build has to choose one; empty where there is no choice.
    pub(super) fn programs(&self) -> Vec<String> {
        targets::programs(&self.steps)
    }

    /// Those of the stages `built` that are programs of their own.
    pub(super) fn programs_among(&self, built: &BTreeSet<&str>) -> Vec<String> {
        targets::programs_among(&self.steps, built)
    }

    /// The commands of all stages: RUN, ENTRYPOINT and CMD.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        self.steps
            .iter()
            .flat_map(|step| match &step.what {
                steps::What::Run(text) => std::slice::from_ref(text),
                steps::What::Entrypoint(words) | steps::What::Cmd(words) => words.as_slice(),
                _ => &[],
            })
            .map(String::as_str)
    }

    /// The folders that its stages work in, as written.
    pub(super) fn workdirs(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.what {
            steps::What::Workdir(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether what it starts is a development server: one that waits for changes of the sources.
    pub(super) fn is_for_development(&self) -> bool {
        let image = self.image(None, &BTreeMap::new());
        flags::is_for_development(&image.entrypoint.into_iter().chain(image.command).collect::<Vec<_>>())
    }

    /// Whether any part of the context gets into an image.
    pub(super) fn copies_code(&self) -> bool {
        self.steps.iter().any(|step| match &step.what {
            steps::What::Copy { sources, .. } => sources.iter().any(|source| !is_setting(source)),
            // Cloned, downloaded or written in place.
            steps::What::Run(text) => text.contains("git clone") || text.contains("--mount=type=bind"),
            _ => false,
        })
    }
}

/// Files that configure what runs; they are no program.
fn is_setting(source: &str) -> bool {
    [".conf", ".cfg", ".ini", ".sh", ".toml", ".yaml", ".yml", ".json", ".lock", ".npmrc", ".yarnrc"]
        .iter()
        .any(|end| source.ends_with(end))
        && !source.contains('*')
        || is_start_script(source)
}

/// `docker-entrypoint`, `start-container`: a script without an ending.
fn is_start_script(source: &str) -> bool {
    let name = source.rsplit('/').next().unwrap_or_default();
    !name.contains(['.', '*']) && (name.ends_with("entrypoint") || name.starts_with("start-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::env_file;
    use crate::model::path::RepoPath;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_taken(lines in prop::collection::vec(
            prop_oneof![
                "(FROM|ARG|ENV|EXPOSE|RUN|CMD|COPY|WORKDIR|HEALTHCHECK|ENTRYPOINT|VOLUME|USER) [ -~]{0,20}",
                "[A-Z_]{1,4}=?[\"'$:#{}<\\\\ a-z0-9é]{0,12}",
                "\\PC{0,12}",
            ],
            0..12,
        )) {
            let text = lines.join("\n");
            if let Ok(dockerfile) = Dockerfile::parse(&text) {
                let image = dockerfile.image(None, &BTreeMap::new());
                facts(&RepoPath::root(), &image, None);
                dockerfile.arguments().iter().for_each(|name| { dockerfile.uses(name); });
            }
            let (mut said, mut problems) = (Vec::new(), Vec::new());
            env_file::read(&RepoPath::root(), &text, &mut said, &mut problems);
        }
    }
}
