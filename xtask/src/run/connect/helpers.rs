//! Containers that live for the tests alone, each in the network of a service and with the programs of an image.
//! They end by themselves soon after the tests, also where those were killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::run::connect::pool::in_parallel;
use crate::run::docker::{Docker, last_lines};

/// Longer than all tests of a system take.
const LIFE_S: &str = "300";
/// Pulling the tools is part of it.
const START: Duration = Duration::from_secs(120);
/// For one check; each has shorter limits of its own.
const LIMIT: Duration = Duration::from_secs(20);

/// Whose network, and whose programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// A container's id.
    pub(super) network: String,
    pub(super) image: String,
}

/// What a script printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) text: String,
    pub(super) took: Duration,
}

/// The containers; they go with the value.
pub(super) struct Helpers<'d> {
    docker: &'d Docker,
    started: BTreeMap<Place, Result<String, String>>,
}

impl<'d> Helpers<'d> {
    /// Starts one for each place, all at once; one that does not start is reported where it is used.
    pub(super) fn start(docker: &'d Docker, project: &str, places: BTreeSet<Place>) -> Helpers<'d> {
        let places: Vec<Place> = places.into_iter().collect();
        let ids = in_parallel(&places, |place| start(docker, project, place));
        Helpers { docker, started: places.into_iter().zip(ids).collect() }
    }

    /// Runs a script; values go by the environment, so that no list of processes shows them.
    ///
    /// # Errors
    /// With the reason in words, where there is no answer.
    pub(super) fn run(&self, place: &Place, script: &str, values: &[(&str, String)]) -> Result<Said, String> {
        let id = self.started.get(place).cloned().unwrap_or_else(|| Err("it was not prepared".to_owned()))?;
        let mut command = self.docker.command(["exec"]);
        for (name, value) in values {
            command = command.args(["--env", name]).env(*name, value);
        }
        let started = Instant::now();
        let output =
            command.args([&id, "sh", "-c", script]).output_within(LIMIT).map_err(|why| why.to_string())?;
        let Some(output) = output else { return Err(format!("no answer within {} s", LIMIT.as_secs())) };
        let text = [output.stdout.trim_end(), output.stderr.trim_end()];
        let text: Vec<&str> = text.into_iter().filter(|text| !text.is_empty()).collect();
        Ok(Said { code: output.code, text: text.join("\n"), took: started.elapsed() })
    }
}

fn start(docker: &Docker, project: &str, place: &Place) -> Result<String, String> {
    let network = format!("container:{}", place.network);
    let label = format!("xtask.tests={project}");
    let command = docker
        .command([
            "run",
            "--detach",
            "--rm",
            "--network",
            &network,
            "--label",
            &label,
            "--entrypoint",
            "sleep",
        ])
        .args([place.image.as_str(), LIFE_S]);
    let output = command.output_within(START).map_err(|why| why.to_string())?;
    match output {
        Some(output) if output.code == 0 => Ok(output.stdout.trim().to_owned()),
        Some(output) => {
            let said = last_lines(&output.stderr, 2).join("\n");
            Err(format!("no container with the tools of {}:\n{said}", place.image))
        }
        None => Err(format!("no container with the tools of {} within {} s", place.image, START.as_secs())),
    }
}

impl Drop for Helpers<'_> {
    fn drop(&mut self) {
        let ids: Vec<&str> = self.started.values().flatten().map(String::as_str).collect();
        if !ids.is_empty() {
            // What cannot be removed now ends by itself.
            let _ = self.docker.command(["rm", "--force", "--volumes"]).args(ids).ask();
        }
    }
}
