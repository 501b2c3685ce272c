//! A server whose databases can be dumped: commands in its container, and its start where it does not run.
//! Knows no engine; what to run comes from the catalogue.

use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::model::data::DataTools;
use crate::run::docker::{Docker, Invocation, Output, last_lines};
use crate::run::setup::Setup;
use crate::run::state::{self, Container, State};
use crate::run::{pause, signals};

/// Names of ours begin so; a database that does is the leftover of a restore that was killed.
pub const OURS: [&str; 2] = ["xtask_restore_", "xtask_before_"];

/// How often a server that starts is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A server of the setup.
#[derive(Debug, Clone)]
pub struct Server {
    /// The Compose service.
    pub service: String,
    /// Of the catalogue.
    pub kind: String,
    /// What it runs.
    pub image: String,
    /// How it is dumped.
    pub tools: DataTools,
    /// Its container's id; `None` where it has none.
    pub container: Option<String>,
}

/// The names that a command of the catalogue is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// `{database}`
    pub database: String,
    /// `{fresh}`
    pub fresh: String,
    /// `{old}`
    pub old: String,
    /// `{roles}`, none or several arguments.
    pub roles: Vec<String>,
}

impl Names {
    /// For the database that is the n-th to be restored.
    pub fn of(database: &str, n: usize) -> Names {
        let [fresh, old] = OURS.map(|prefix| format!("{prefix}{n}"));
        Names { database: database.to_owned(), fresh, old, roles: Vec::new() }
    }

    /// With the roles that the dump names.
    #[must_use]
    pub fn with_roles(self, roles: &[String]) -> Names {
        Names { roles: roles.to_vec(), ..self }
    }

    /// A command with its placeholders filled.
    pub fn fill(&self, words: &[String]) -> Vec<String> {
        let fill = |word: &String| match word.as_str() {
            "{database}" => vec![self.database.clone()],
            "{fresh}" => vec![self.fresh.clone()],
            "{old}" => vec![self.old.clone()],
            "{roles}" => self.roles.clone(),
            _ => vec![word.clone()],
        };
        words.iter().flat_map(fill).collect()
    }
}

impl Server {
    /// `docker exec` of these words, with a stdin.
    ///
    /// # Errors
    /// When it has no container.
    pub fn exec(&self, docker: &Docker, words: Vec<String>) -> Result<Invocation> {
        Ok(docker.command(["exec", "--interactive", self.id()?]).args(words))
    }

    /// Its container.
    ///
    /// # Errors
    /// When it has none.
    pub fn id(&self) -> Result<&str> {
        let id = self.container.as_deref();
        Ok(id.ok_or_else(|| {
            Failure::new(format!("`{}` has no container", self.service)).fix("cargo xtask up")
        })?)
    }

    /// The databases with somebody's data, in its own order; one without a name where it is dumped as one.
    ///
    /// # Errors
    /// When the server does not tell.
    pub fn databases(&self, docker: &Docker) -> Result<Vec<Option<String>>> {
        if self.tools.databases.is_empty() {
            return Ok(vec![None]);
        }
        let names = self.lines(docker, self.tools.databases.clone(), || {
            format!("cannot list the databases of `{}`", self.service)
        })?;
        let theirs = names.into_iter().filter(|name| !OURS.iter().any(|prefix| name.starts_with(prefix)));
        Ok(theirs.map(Some).collect())
    }

    /// The roles that a dump of this database names and does not hold.
    ///
    /// # Errors
    /// When the server does not tell.
    pub fn roles(&self, docker: &Docker, names: &Names) -> Result<Vec<String>> {
        if self.tools.roles.is_empty() {
            return Ok(Vec::new());
        }
        let what = || format!("cannot list the roles of {} on `{}`", names.database, self.service);
        self.lines(docker, names.fill(&self.tools.roles), what)
    }

    /// What a command of the catalogue prints, without empty lines.
    fn lines(&self, docker: &Docker, words: Vec<String>, what: impl Fn() -> String) -> Result<Vec<String>> {
        let output = self.exec(docker, words)?.stream(None, None)?;
        if output.code != 0 {
            return Err(failed(what(), &output).into());
        }
        Ok(output.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }
}

/// A command of the catalogue that failed, with its last words.
pub fn failed(what: String, output: &Output) -> Failure {
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    let failure = Failure::new(what).why(format!("exit code {}", output.code));
    last_lines(said, 10).into_iter().fold(failure, Failure::why)
}

/// Starts those of the servers that do not run, and waits until all of them are healthy; returns the services that
/// were started. A container that is there is started as it is: it is the one that knows its data.
///
/// # Errors
/// When one does not become healthy in time.
pub fn ensure_running(
    docker: &Docker,
    setup: &Setup,
    servers: &mut [Server],
    limit: Duration,
) -> Result<Vec<String>> {
    let containers = state::containers(docker, &setup.project)?;
    let own = |service: &str| containers.iter().find(|container| container.service == service);
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for server in servers.iter() {
        match own(&server.service) {
            Some(container) if container.state == State::Running => {}
            Some(container) => there.push(container.id.clone()),
            None => missing.push(server.service.clone()),
        }
    }
    if !there.is_empty() {
        docker.command(["start"]).args(there.clone()).read()?;
    }
    if !missing.is_empty() {
        let command = setup.compose(docker).args(["up", "--detach", "--no-deps", "--no-build"]);
        command.args(missing.iter().cloned()).read()?;
    }
    let containers = wait(docker, setup, servers, limit)?;
    for server in servers.iter_mut() {
        let own = containers.iter().find(|container| container.service == server.service);
        server.container = own.map(|container| container.id.clone());
    }
    let started = servers.iter().filter(|server| {
        missing.contains(&server.service) || server.container.as_ref().is_some_and(|id| there.contains(id))
    });
    Ok(started.map(|server| server.service.clone()).collect())
}

fn wait(docker: &Docker, setup: &Setup, servers: &[Server], limit: Duration) -> Result<Vec<Container>> {
    let end = Instant::now() + limit;
    loop {
        signals::check()?;
        let containers = state::containers(docker, &setup.project)?;
        let mut open = servers.iter().filter_map(|server| {
            let own = containers.iter().find(|container| container.service == server.service);
            match own {
                Some(container) if container.is_well() => None,
                own => Some((server, own)),
            }
        });
        let Some((server, own)) = open.next() else {
            drop(open);
            return Ok(containers);
        };
        let gone = own.is_none_or(|container| matches!(container.state, State::Exited | State::Dead));
        if gone || Instant::now() > end {
            let status = own.map_or("it has no container", |container| container.status.as_str());
            return Err(Failure::new(format!("`{}` does not run", server.service))
                .why(format!("its container says: {status}"))
                .fix(setup.xtask(&format!("logs {}", server.service)))
                .into());
        }
        drop(open);
        pause::pause(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_arguments_of_their_own() {
        let words = ["sh", "-c", "x {database}", "{database}", "{fresh}", "{old}"].map(str::to_owned);
        assert_eq!(
            Names::of("a b", 2).fill(&words),
            ["sh", "-c", "x {database}", "a b", "xtask_restore_2", "xtask_before_2"]
        );
        let roles = ["the owner".to_owned(), "clerk".to_owned()];
        let words = ["load", "{roles}"].map(str::to_owned);
        assert_eq!(Names::of("a", 0).fill(&words), ["load"]);
        assert_eq!(Names::of("a", 0).with_roles(&roles).fill(&words), ["load", "the owner", "clerk"]);
    }
}
