//! Reads a Dockerfile into what is built from one of its stages; runs nothing and never looks at the context.

pub(super) mod expand;
mod flags;
mod heredoc;
mod image;
mod install;
mod says;
mod steps;

use std::collections::BTreeMap;

use crate::model::fact::Image;

pub(super) use says::facts;
use steps::Step;

/// A Dockerfile's instructions, in order.
#[derive(Debug, Clone)]
pub(super) struct Dockerfile {
    steps: Vec<Step>,
    /// The first line that is not understood and why; what stands above it is kept.
    pub(super) broken: Option<(u32, String)>,
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

    /// What is built from the stage `target`, or from the last one, with build arguments `args`.
    pub(super) fn image(&self, target: Option<&str>, args: &BTreeMap<String, String>) -> Image {
        image::build(&self.steps, target, args)
    }

    /// The commands of all RUN instructions, of all stages, with their lines.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.steps.iter().filter_map(|step| match &step.what {
            steps::What::Run(text) => Some((text.as_str(), step.line)),
            _ => None,
        })
    }
}
