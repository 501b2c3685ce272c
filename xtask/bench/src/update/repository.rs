//! What developers do to a monorepo between two updates: a port moves, a service comes, a service goes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Dice;
use crate::process;
use crate::scratch::write;

/// The service that comes.
pub(super) const ADDED: &str = "bench-added";

/// A service as `inventory` shows it.
#[derive(Debug, Clone)]
pub(super) struct Service {
    name: String,
    path: String,
    dockerfile: String,
}

/// The services of a monorepo.
pub(super) fn services(xtask: &Path, root: &Path) -> Result<Vec<Service>> {
    let ran = process::run(Command::new(xtask).arg("--root").arg(root).args(["inventory", "--json"]))?;
    let inventory: Value = serde_json::from_str(&ran.stdout).context("inventory prints no JSON")?;
    let all = inventory["services"].as_array().into_iter().flatten();
    let text = |service: &Value, key: &str| service[key].as_str().unwrap_or_default().to_owned();
    Ok(all
        .map(|service| Service {
            name: text(service, "name"),
            path: text(service, "path"),
            dockerfile: text(service, "dockerfile"),
        })
        .collect())
}

/// Changes it, and says what.
pub(super) fn change(root: &Path, services: &[Service], dice: &mut Dice) -> Result<Vec<String>> {
    let mut said = Vec::new();
    let moved = dice.of(services);
    if let Some(service) = moved
        && move_port(&root.join(&service.dockerfile))?
    {
        said.push(format!("the port of {}", service.name));
    }
    let shared =
        |one: &Service| services.iter().filter(|other| other.dockerfile == one.dockerfile).count() > 1;
    let others: Vec<&Service> = services
        .iter()
        .filter(|one| moved.is_some_and(|moved| moved.name != one.name) && !shared(one))
        .collect();
    if let (Some(service), true) = (dice.of(&others), services.len() > 2) {
        std::fs::remove_file(root.join(&service.dockerfile))?;
        said.push(format!("{} went", service.name));
    }
    add(root, services)?;
    said.push(format!("{ADDED} came"));
    Ok(said)
}

/// Moves the first port of EXPOSE by a thousand.
fn move_port(dockerfile: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(dockerfile)?;
    let port = text.lines().find_map(|line| {
        let port = line.trim().strip_prefix("EXPOSE ")?.split_whitespace().next()?;
        port.parse::<u16>().ok().filter(|port| *port < 60_000)
    });
    let Some(port) = port else { return Ok(false) };
    let moved = text.replacen(&format!("EXPOSE {port}"), &format!("EXPOSE {}", port + 1000), 1);
    write(dockerfile, moved)?;
    Ok(true)
}

/// A service beside the others, with a database and a cache.
fn add(root: &Path, services: &[Service]) -> Result<()> {
    let beside = services.first().map(|service| Path::new(&service.path));
    let home = beside.and_then(Path::parent).unwrap_or(Path::new("")).join(ADDED);
    let files = [
        (
            "Dockerfile",
            "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nEXPOSE 4321\nCMD [\"node\", \"server.js\"]\n",
        ),
        (
            "package.json",
            "{ \"name\": \"bench-added\", \"dependencies\": { \"pg\": \"^8\", \"redis\": \"^4\" } }\n",
        ),
        (
            "server.js",
            "require('http').createServer((_, r) => r.end('ok')).listen(process.env.PORT || 4321);\n",
        ),
        (
            ".env.example",
            "PORT=4321\nDATABASE_URL=postgres://added:secret@localhost:5432/added\nREDIS_URL=redis://localhost:6379\n",
        ),
    ];
    for (name, text) in files {
        write(&root.join(&home).join(name), text)?;
    }
    Ok(())
}
