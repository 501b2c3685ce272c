//! `bench ready`: time until all is healthy, and to stop, of the generated setup beside a plain and a tuned file.
//!
//! The three start the same images of the sample, on empty volumes, and take turns, so that what else happens on
//! the machine meets all of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::engine::{self, Project, docker};
use crate::numbers::{Targets, Verdict, seconds, series};
use crate::scratch::{Scratch, copy, write};
use crate::{Bench, process};

/// The variables of the host ports, in the generated setup and in the committed files.
const PORTS: [&str; 5] = ["TRADING_PORT", "ACCOUNTS_PORT", "MARKET_PORT", "POSTGRES_PORT", "REDIS_PORT"];
/// The services whose images are built.
const BUILT: [&str; 3] = ["accounts", "market", "trading"];

/// Measures it.
pub(crate) fn run(bench: &Bench) -> Result<Verdict> {
    engine::require("ready")?;
    let scratch = Scratch::new("ready")?;
    let generated = Generated::new(bench, scratch.path())?;
    let plain = Committed::new(bench, "plain", &generated)?;
    let tuned = Committed::new(bench, "tuned", &generated)?;
    let contenders: [(&str, &dyn Contender); 5] = [
        ("a   generated, `up`", &generated),
        ("a'  generated, `up --no-build`", &WithoutBuild(&generated)),
        ("a\"  generated, `docker compose up --wait`", &ByHand(&generated)),
        ("b   plain file, `docker compose up --wait`", &plain),
        ("c   tuned file, `docker compose up --wait`", &tuned),
    ];
    eprintln!("building the images");
    measure(&generated)?;
    let mut times = contenders.map(|_| (Vec::new(), Vec::new()));
    for round in 1..=bench.runs {
        for ((name, contender), (ready, stopped)) in contenders.iter().zip(&mut times) {
            let (up, down) = measure(*contender)?;
            eprintln!("{round}/{} {name}: healthy after {up:.2} s, stopped after {down:.2} s", bench.runs);
            ready.push(up);
            stopped.push(down);
        }
    }
    println!("\nUNTIL ALL IS HEALTHY");
    let ready = medians(&contenders, times.iter().map(|(ready, _)| ready));
    println!("\nUNTIL ALL IS STOPPED");
    let stopped = medians(&contenders, times.iter().map(|(_, stopped)| stopped));
    let mut targets = Targets::new();
    targets.at_most("a/b  generated against the plain file", ready[0] / ready[3], 1.0 / 8.0, "x");
    targets.at_most("a/c  generated against the tuned file", ready[0] / ready[4], 1.2, "x");
    targets.at_most("     the generated setup stops", stopped[0], 3.0, "s");
    Ok(targets.verdict())
}

fn medians<'a>(contenders: &[(&str, &dyn Contender)], times: impl Iterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    contenders.iter().zip(times).map(|((name, _), times)| series(name, times, "s")).collect()
}

/// One way to start and to stop the sample.
trait Contender {
    /// The command that returns when all is healthy.
    fn up(&self) -> Command;
    /// The command that returns when all is stopped.
    fn down(&self) -> Command;
    /// Whose volumes must go before the next start.
    fn project(&self) -> &Project;
}

/// Seconds until healthy and until stopped, from empty volumes.
fn measure(contender: &dyn Contender) -> Result<(f64, f64)> {
    contender.project().forget_data()?;
    let up = process::run(&mut contender.up())?;
    let down = process::run(&mut contender.down())?;
    Ok((seconds(up.wall), seconds(down.wall)))
}

/// The sample with the setup that `integrate` makes for it.
struct Generated {
    xtask: PathBuf,
    root: PathBuf,
    project: Project,
}

impl Generated {
    fn new(bench: &Bench, root: &Path) -> Result<Generated> {
        copy(&bench.root.join("workspace"), &root.join("workspace"))?;
        let project = Project::new("generated");
        let ports = PORTS.iter().zip(engine::free_ports(PORTS.len())?);
        let ports: Vec<String> = ports.map(|(name, port)| format!("{name}={port}\n")).collect();
        // `up` adds the secrets.
        let env = format!("COMPOSE_PROJECT_NAME={}\n{}", project.name, ports.concat());
        let generated = Generated { xtask: bench.xtask.clone(), root: root.to_owned(), project };
        process::run(generated.command().arg("integrate"))?;
        write(&generated.out().join(".env"), env)?;
        Ok(generated)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.xtask);
        command.arg("--root").arg(&self.root);
        command
    }

    fn out(&self) -> PathBuf {
        self.root.join("integration")
    }
}

impl Contender for Generated {
    fn up(&self) -> Command {
        let mut command = self.command();
        command.arg("up");
        command
    }

    fn down(&self) -> Command {
        let mut command = self.command();
        command.arg("down");
        command
    }

    fn project(&self) -> &Project {
        &self.project
    }
}

/// The same without asking whether the images are up to date, as the committed files are started.
struct WithoutBuild<'a>(&'a Generated);

impl Contender for WithoutBuild<'_> {
    fn up(&self) -> Command {
        let mut command = self.0.up();
        command.arg("--no-build");
        command
    }

    fn down(&self) -> Command {
        self.0.down()
    }

    fn project(&self) -> &Project {
        self.0.project()
    }
}

/// The same files without the commands.
struct ByHand<'a>(&'a Generated);

impl Contender for ByHand<'_> {
    fn up(&self) -> Command {
        let mut command = docker(["compose", "up", "--detach", "--wait"]);
        command.current_dir(self.0.out());
        command
    }

    fn down(&self) -> Command {
        let mut command = docker(["compose", "down"]);
        command.current_dir(self.0.out());
        command
    }

    fn project(&self) -> &Project {
        self.0.project()
    }
}

/// A file of this package for the same services.
struct Committed {
    file: PathBuf,
    project: Project,
    variables: Vec<(String, String)>,
}

impl Committed {
    fn new(bench: &Bench, name: &str, generated: &Generated) -> Result<Committed> {
        let images = BUILT.iter().map(|service| {
            let image = format!("{}-{service}", generated.project.name);
            (format!("{}_IMAGE", service.to_uppercase()), image)
        });
        let ports = PORTS.iter().zip(engine::free_ports(PORTS.len())?);
        let ports = ports.map(|(name, port)| ((*name).to_owned(), port.to_string()));
        Ok(Committed {
            file: bench.root.join("xtask/bench/ready").join(format!("{name}.yml")),
            project: Project::new(name),
            variables: images.chain(ports).collect(),
        })
    }

    fn compose(&self) -> Command {
        let mut command = docker(["compose", "-p", &self.project.name, "-f"]);
        command.arg(&self.file).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Contender for Committed {
    fn up(&self) -> Command {
        let mut command = self.compose();
        command.args(["up", "--detach", "--wait"]);
        command
    }

    fn down(&self) -> Command {
        let mut command = self.compose();
        command.arg("down");
        command
    }

    fn project(&self) -> &Project {
        &self.project
    }
}
