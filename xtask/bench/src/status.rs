//! `bench status`: `health` and `status` with 20 containers, against one `docker ps` and the slowest endpoint.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::engine::{self, Project, docker};
use crate::numbers::{Targets, Verdict, median, millis, series};
use crate::scratch::{Scratch, write};
use crate::{Bench, process};

/// How many containers.
const CONTAINERS: usize = 20;
/// What the commands may add of their own.
const OWN_MS: f64 = 100.0;

/// Measures it.
pub(crate) fn run(bench: &Bench) -> Result<Verdict> {
    engine::require("status")?;
    let scratch = Scratch::new("status")?;
    let project = Project::new("status");
    let ports = engine::free_ports(CONTAINERS)?;
    let out = scratch.path().join("integration");
    write(&out.join("docker-compose.yml"), compose_file(&ports))?;
    write(&out.join(".env"), format!("COMPOSE_PROJECT_NAME={}\n", project.name))?;
    eprintln!("starting {CONTAINERS} containers");
    let up = ["compose", "-p", &project.name, "up", "--detach", "--wait"];
    process::run(docker(up).current_dir(&out))?;
    let filter = format!("label=com.docker.compose.project={}", project.name);
    let commands: [(&str, &[&str]); 4] = [
        ("health", &["health"]),
        ("health --json", &["health", "--json"]),
        ("status", &["status"]),
        ("status --json", &["status", "--json"]),
    ];
    let (mut ps, mut slowest) = (Vec::new(), Vec::new());
    let mut times = commands.map(|_| Vec::new());
    for _ in 0..bench.runs {
        let list = ["ps", "--all", "--no-trunc", "--format", "json", "--filter", &filter];
        ps.push(millis(process::run(&mut docker(list))?.wall));
        let answers: Result<Vec<f64>> = ports.iter().map(|port| answer(*port)).collect();
        slowest.push(answers?.into_iter().fold(0.0, f64::max));
        for ((_, arguments), times) in commands.iter().zip(&mut times) {
            times.push(millis(process::run(&mut xtask(bench, scratch.path(), arguments))?.wall));
        }
    }
    println!("\n{CONTAINERS} containers");
    let limit = series("docker ps", &ps, "ms") + series("the slowest endpoint", &slowest, "ms") + OWN_MS;
    for ((name, _), times) in commands.iter().zip(&times) {
        series(name, times, "ms");
    }
    let mut targets = Targets::new();
    for ((name, _), times) in commands.iter().zip(&times) {
        targets.at_most(name, median(times), limit, "ms");
    }
    Ok(targets.verdict())
}

fn xtask(bench: &Bench, root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(&bench.xtask);
    command.arg("--root").arg(root).args(arguments);
    command
}

/// Milliseconds until an endpoint has answered.
fn answer(port: u16) -> Result<f64> {
    let started = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("an endpoint does not answer")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    Ok(millis(started.elapsed()))
}

fn compose_file(ports: &[u16]) -> String {
    let mut text = String::from("name: bench-status\nservices:\n");
    for (index, port) in ports.iter().enumerate() {
        let _ = write!(
            text,
            "  web{index:02}:\n    image: busybox:1.37-musl\n    init: true\n    \
             command: [sh, -c, \"echo ok > /tmp/index.html && exec httpd -f -p 8080 -h /tmp\"]\n    \
             ports: [\"127.0.0.1:{port}:8080\"]\n    healthcheck:\n      \
             test: [CMD, wget, -q, -O, /dev/null, \"http://127.0.0.1:8080/\"]\n      interval: 10s\n      \
             timeout: 3s\n      retries: 5\n      start_period: 60s\n      start_interval: 500ms\n    labels:\n      \
             xtask.health: \"http 8080 /\"\n      xtask.kind: service\n      xtask.main: \"http 8080\"\n      \
             xtask.role: service\n"
        );
    }
    text
}
