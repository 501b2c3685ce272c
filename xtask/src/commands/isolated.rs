//! A system that lives for one run of the tests: started beside whatever runs, and removed with all that it made.

use std::time::{Duration, Instant};

use crate::cli::Context;
use crate::commands::project::Project;
use crate::commands::up::{self, Request};
use crate::error::{Interrupted, Result};
use crate::run::{duration, preflight, state, stop};
use crate::ui::{Ui, count};

/// How long the start may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The system, and what was there before it.
pub(super) struct Isolated {
    project: Project,
    volumes: Vec<String>,
    keep: bool,
    ui: Ui,
}

impl Isolated {
    /// Builds and starts the system of an environment other than `dev`; `None` where it runs already: then somebody
    /// else started it, and it stays. What was started goes again where it does not come up.
    ///
    /// # Errors
    /// As those of `up`.
    pub(super) fn start(context: &Context, keep: bool) -> Result<Option<Isolated>> {
        if context.env == "dev" {
            return Ok(None);
        }
        let project = Project::open(context)?;
        preflight::engine(&project.docker)?;
        let name = &project.setup.project;
        if !state::containers(&project.docker, name)?.is_empty() {
            return Ok(None);
        }
        let volumes = state::volumes(&project.docker, name)?;
        let own = Isolated { project, volumes, keep, ui: context.ui };
        let request =
            Request { services: Vec::new(), without: Vec::new(), build: true, timeout: TIMEOUT, urls: false };
        match up::up(context, &request) {
            Ok(_) => Ok(Some(own)),
            Err(why) => own.end(Err(why)),
        }
    }

    /// Removes the system, whatever came of its tests; after Ctrl-C it stays, as the user wants to get away.
    ///
    /// # Errors
    /// What came of the tests; else, when the engine refuses to remove something.
    pub(super) fn end<T>(self, result: Result<T>) -> Result<T> {
        let interrupted = result.as_ref().is_err_and(|why| why.downcast_ref::<Interrupted>().is_some());
        if interrupted {
            return self.project.after_interruption(result);
        }
        if self.keep {
            let down = self.project.setup.xtask("down");
            self.ui.status("Kept", format_args!("{} (to stop: {down})", self.project.setup.project));
            return result;
        }
        let removed = self.project.after_interruption(self.remove());
        let value = result?;
        removed?;
        Ok(value)
    }

    fn remove(&self) -> Result<()> {
        let started = Instant::now();
        let Project { docker, setup } = &self.project;
        let removed = stop::project(docker, &setup.project)?;
        // Only what this run has made itself: a volume that was there before may hold somebody's data.
        let mut volumes = state::volumes(docker, &setup.project)?;
        volumes.retain(|name| !self.volumes.contains(name));
        if !volumes.is_empty() {
            docker.command(["volume", "rm"]).args(volumes.iter().cloned()).read()?;
        }
        let what = [
            count(removed.containers, "container"),
            count(removed.networks, "network"),
            count(volumes.len(), "volume"),
        ];
        let took = duration::show(started.elapsed());
        self.ui.status("Removed", format_args!("{} of {} in {took}", crate::ui::list(&what), setup.project));
        Ok(())
    }
}
