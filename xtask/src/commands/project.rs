//! What the commands that touch containers share: the setup at hand, known names, and the words after Ctrl-C.

use clap::{Arg, ArgAction, ArgMatches};

use crate::cli::Context;
use crate::error::{Failure, Interrupted, Result};
use crate::run::docker::{Docker, Invocation};
use crate::run::env_file;
use crate::run::setup::Setup;
use crate::run::spec::Spec;
use crate::run::state::{self, State};
use crate::ui::{Ui, count, list};

/// The setup of this call and the docker to run it with.
#[derive(Debug, Clone)]
pub struct Project {
    /// The `docker` of this machine.
    pub docker: Docker,
    /// What lies in the setup's folder; its files may be broken or missing.
    pub setup: Setup,
}

impl Project {
    /// Reads the setup as it lies there.
    ///
    /// # Errors
    /// When docker is not installed, or a file cannot be read.
    pub fn open(context: &Context) -> Result<Project> {
        let docker = Docker::find(context.ui)?;
        let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
        Ok(Project { docker, setup })
    }

    /// Completes the variables and asks Compose what its files mean; the first half of all that builds or starts.
    ///
    /// # Errors
    /// When there are no files, a variable is missing, or Compose refuses.
    pub fn prepare(&mut self, ui: Ui) -> Result<Spec> {
        env_file::prepare(&self.docker, &mut self.setup, ui)?;
        env_file::check_complete(&self.setup)?;
        Spec::read(&self.docker, &self.setup)
    }

    /// As [`Project::open`], for what cannot work without files.
    ///
    /// # Errors
    /// When docker is not installed or there is no setup.
    pub fn existing(context: &Context) -> Result<Project> {
        let docker = Docker::find(context.ui)?;
        let setup = Setup::existing(&context.out, &context.out_name(), &context.env)?;
        Ok(Project { docker, setup })
    }

    /// What the files mean, even where the env file is lost: then with the example's values.
    ///
    /// # Errors
    /// When Compose refuses the files.
    pub fn spec(&self) -> Result<Spec> {
        if self.setup.env_file.is_file() {
            return Spec::read(&self.docker, &self.setup);
        }
        let env_file = self.setup.out.join(env_file::EXAMPLE);
        Spec::read(&self.docker, &Setup { env_file, ..self.setup.clone() })
    }

    /// `docker compose` that knows the project by its containers alone: no file, no variable can be in its way.
    pub fn by_label(&self) -> Invocation {
        let args = ["compose", "--ansi", "never", "--project-directory", "/", "-p", &self.setup.project];
        self.docker.command(args)
    }

    /// The services that the files or the containers know, for `logs`, `exec` and the like.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn running_services(&self) -> Result<Vec<String>> {
        let containers = state::containers(&self.docker, &self.setup.project)?;
        let mut names: Vec<String> = containers.into_iter().map(|container| container.service).collect();
        names.dedup();
        Ok(names)
    }

    /// Adds to an interruption what still runs and how to stop it; leaves other errors alone.
    pub fn after_interruption<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error.downcast_ref::<Interrupted>() {
            Some(_) => Interrupted(self.still_running()).into(),
            None => error,
        })
    }

    fn still_running(&self) -> String {
        let Ok(containers) = state::containers(&self.docker, &self.setup.project) else {
            return "interrupted".to_owned();
        };
        let alive = containers
            .iter()
            .filter(|container| matches!(container.state, State::Running | State::Restarting));
        let mut alive: Vec<&str> = alive.map(|container| container.service.as_str()).collect();
        alive.dedup();
        match alive.len() {
            0 => format!("interrupted; nothing of `{}` runs", self.setup.project),
            1 => format!("interrupted; {} still runs, `{}` stops it", alive[0], self.setup.xtask("down")),
            _ => {
                format!("interrupted; {} still run, `{}` stops them", list(&alive), self.setup.xtask("down"))
            }
        }
    }
}

/// `[SERVICE…]`
pub fn services_arg(help: &'static str) -> Arg {
    Arg::new("service").value_name("SERVICE").action(ArgAction::Append).num_args(0..).help(help)
}

/// The values of an argument that may come many times.
pub fn values(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

/// Refuses names that are none, all at once.
///
/// # Errors
/// When a name is not known; with the nearest one and the list.
pub fn check_names(names: &[String], known: &[&str], word: &str) -> Result<()> {
    let unknown = names.iter().filter(|name| !known.contains(&name.as_str()));
    let mut failures: Vec<Failure> = unknown.map(|name| unknown_name(name, known, word)).collect();
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0).into()),
        _ => crate::error::Failures::check(failures, "nothing was done"),
    }
}

fn unknown_name(name: &str, known: &[&str], word: &str) -> Failure {
    let failure = Failure::new(format!("there is no {word} `{name}`"));
    if known.is_empty() {
        return failure.why(format!("there is no {word} at all"));
    }
    let failure = failure.why(format!("{}: {}", count(known.len(), word), list(known)));
    failure.did_you_mean(name, known.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_service_is_answered_with_the_nearest_and_the_list() {
        let error = check_names(&["tradng".to_owned()], &["accounts", "trading"], "service").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no service `tradng`\n  why: 2 services: accounts and trading\n  fix: did you mean `trading`?"
        );
        assert!(check_names(&["trading".to_owned()], &["accounts", "trading"], "service").is_ok());
    }
}
