//! The variables of one service: every source that names one, gathered by name; pure.

use std::collections::BTreeMap;

use super::address::{self, is_local, is_remote};
use crate::model::fact::{EnvSource, Evidence, ServiceFacts, What};

/// What the sources say about one variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting<'a> {
    /// Values, strongest source first.
    pub(crate) values: Vec<Given<'a>>,
    /// Reads in the source: default, required, place.
    pub(crate) reads: Vec<(Option<&'a str>, bool, &'a Evidence)>,
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) value: &'a str,
    pub(crate) comment: &'a str,
    pub(crate) source: EnvSource,
    pub(crate) at: &'a Evidence,
}

impl<'a> Setting<'a> {
    /// The value to go by: the strongest that is not empty, else the code's default.
    pub(crate) fn value(&self) -> Option<&'a str> {
        let given = self.values.iter().map(|given| given.value).find(|value| !value.is_empty());
        given.or_else(|| {
            self.reads.iter().find_map(|(default, ..)| *default).filter(|value| !value.is_empty())
        })
    }

    /// The strongest source's comment.
    pub(crate) fn comment(&self) -> &'a str {
        self.values.iter().map(|given| given.comment).find(|comment| !comment.is_empty()).unwrap_or_default()
    }

    /// Where it is said best.
    pub(crate) fn at(&self) -> Option<&'a Evidence> {
        self.values.first().map(|given| given.at).or_else(|| self.reads.first().map(|read| read.2))
    }

    /// Whether the program fails without it.
    pub(crate) fn required(&self) -> bool {
        self.reads.iter().any(|(default, required, _)| *required && default.is_none())
    }

    /// Whether a source of that kind names it.
    pub(crate) fn is_from(&self, source: EnvSource) -> bool {
        self.values.iter().any(|given| given.source == source)
    }
}

/// All variables of a service, by name.
pub(crate) fn settings(facts: &ServiceFacts) -> BTreeMap<&str, Setting<'_>> {
    let mut settings: BTreeMap<&str, Setting<'_>> = BTreeMap::new();
    for fact in &facts.facts {
        match &fact.what {
            What::EnvValue { name, value, comment, source } => {
                let given = Given { value, comment, source: *source, at: &fact.at };
                settings.entry(name).or_default().values.push(given);
            }
            // A connection string of keywords in a configuration file: the variable that overrides its key.
            What::Reference(reference) => {
                let via = reference.via.as_deref().filter(|via| is_variable(via));
                let is_keywords = ["=", ";"].iter().all(|mark| reference.raw.contains(mark));
                if let Some(name) = via.filter(|_| is_keywords && fact.at.rule.ends_with("-config")) {
                    let (value, source) = (reference.raw.as_str(), EnvSource::FrameworkConfig);
                    let given = Given { value, comment: "", source, at: &fact.at };
                    settings.entry(name).or_default().values.push(given);
                }
            }
            What::EnvRead { name, default, required } => {
                settings.entry(name).or_default().reads.push((default.as_deref(), *required, &fact.at));
            }
            _ => {}
        }
    }
    let told = told_by_image(&settings);
    for (name, setting) in &mut settings {
        let has_system = setting.values.iter().any(is_inside);
        let is_told = told.iter().any(|about| name.starts_with(about) && name.ends_with("PORT"))
            || is_told_by_image(name, setting).is_some()
            || *name == MODE && setting.is_from(EnvSource::Image);
        setting.values.sort_by_key(|given| {
            let is_for_one_machine = is_told && given.source == EnvSource::Example;
            let is_weak = is_for_one_machine || (has_system && is_outside(given));
            (is_weak, given.source, is_for_development(given), given.at)
        });
        setting.reads.sort();
    }
    settings
}

/// The mode for which an image is built: one for production has no packages for development.
const MODE: &str = "NODE_ENV";

/// The first words of the variables for hosts that the image itself gives: `ORDERS_SERVICE_` of `ORDERS_SERVICE_HOST`.
fn told_by_image<'a>(settings: &BTreeMap<&'a str, Setting<'a>>) -> Vec<&'a str> {
    settings.iter().filter_map(|(name, setting)| is_told_by_image(name, setting)).collect()
}

/// What a variable's name says before `HOST`, where ENV of the image names a host in its network and the example, which
/// is for a developer's machine, that machine.
fn is_told_by_image<'a>(name: &'a str, setting: &Setting<'_>) -> Option<&'a str> {
    let about = name.strip_suffix("HOST").filter(|about| about.ends_with('_'))?;
    let is_here =
        |given: &Given<'_>| address::address(given.value).is_some_and(|address| is_local(&address.host));
    let of = |source: EnvSource| setting.values.iter().filter(move |given| given.source == source);
    let mut image = of(EnvSource::Image).filter(|given| !given.value.is_empty()).peekable();
    (image.peek().is_some() && !image.any(is_here) && of(EnvSource::Example).all(is_here)).then_some(about)
}

/// A profile for the author's own machine counts after those with which a container runs.
fn is_for_development(given: &Given<'_>) -> bool {
    let name = given.at.path.name().to_ascii_lowercase();
    given.source == EnvSource::FrameworkConfig
        && name.split(['.', '-', '_']).any(|word| matches!(word, "development" | "dev" | "local"))
}

/// Whether a deployment calls something that runs beside it.
fn is_inside(given: &Given<'_>) -> bool {
    let address = Some(given).filter(|given| given.source == EnvSource::Deployment);
    let address = address.and_then(|given| address::address(given.value));
    address.is_some_and(|address| !is_remote(&address.host) && !is_local(&address.host))
}

/// Whether it is an address on the internet, which counts after one in a deployment that has the whole system.
fn is_outside(given: &Given<'_>) -> bool {
    given.source <= EnvSource::Deployment
        && address::address(given.value).is_some_and(|address| is_remote(&address.host))
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
