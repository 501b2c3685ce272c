//! What the measurements with containers share: is there an engine, projects that go when done with, free ports.

use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The label by which Compose marks what belongs to a project.
const PROJECT_LABEL: &str = "com.docker.compose.project";

/// `docker ARGS…`
pub(crate) fn docker<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("docker");
    command.args(args);
    command
}

/// An error that says so where no engine answers.
pub(crate) fn require(measurement: &str) -> Result<()> {
    match process::run_any(&mut docker(["version", "--format", "{{.Server.Version}}"])) {
        Ok(ran) if ran.code == Some(0) => Ok(()),
        Ok(ran) => bail!(
            "`bench {measurement}` needs a Docker engine, and none answers here\n  why: {}",
            ran.stderr.trim()
        ),
        Err(why) => bail!("`bench {measurement}` needs a Docker engine\n  why: {why:#}"),
    }
}

/// A Compose project of this run; on drop its containers, volumes, networks and images go.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
}

impl Project {
    /// A name that no other run has.
    pub(crate) fn new(name: &str) -> Project {
        Project { name: format!("xtask-bench-{}-{name}", std::process::id()) }
    }

    /// `docker compose -p NAME down`, by the containers alone.
    pub(crate) fn down(&self) -> Command {
        docker(["compose", "--project-directory", "/", "-p", &self.name, "down", "--remove-orphans"])
    }

    /// Deletes the volumes, so that the next start begins with none.
    pub(crate) fn forget_data(&self) -> Result<()> {
        let volumes = self.listed(&["volume", "ls", "--quiet"])?;
        if !volumes.is_empty() {
            process::run(docker(["volume", "rm", "--force"]).args(volumes))?;
        }
        Ok(())
    }

    fn listed(&self, list: &[&str]) -> Result<Vec<String>> {
        let filter = format!("label={PROJECT_LABEL}={}", self.name);
        let ran = process::run(docker(list.iter().copied()).args(["--filter", &filter]))?;
        Ok(ran.stdout.split_whitespace().map(str::to_owned).collect())
    }

    fn images(&self) -> Result<Vec<String>> {
        let reference = format!("reference={}-*", self.name);
        let format = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter"];
        let ran = process::run(docker(format).arg(reference))?;
        Ok(ran.stdout.split_whitespace().map(str::to_owned).collect())
    }
}

impl Drop for Project {
    /// After Ctrl-C, too: these commands do not look at the mark.
    fn drop(&mut self) {
        crate::scratch::forgive();
        let _ = process::run(&mut self.down());
        let _ = self.forget_data();
        if let Ok(images) = self.images()
            && !images.is_empty()
        {
            let _ = process::run(docker(["image", "rm"]).args(images));
        }
    }
}

/// So many TCP ports of the loopback address that nobody holds at this moment.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    let held: Result<Vec<TcpListener>, _> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let held = held.context("cannot find free ports")?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
