//! `db url`: the address of a database as a program on the host has to write it.

use clap::ArgMatches;

use crate::cli::Context;
use crate::commands::db::servers::catalog;
use crate::commands::db::target::Target;
use crate::commands::db::{service, target};
use crate::commands::project::Project;
use crate::error::{Failure, Outcome, Result};
use crate::run::remote;
use crate::run::state;

/// Runs `db url`.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::existing(context)?;
    let (spec, catalog) = (project.spec()?, catalog(context)?);
    let target = target::find(&project, &spec, &catalog, &service(matches))?;
    let port = host_port(&project, &target)?;
    let password = target.password(&project.setup.env_text);
    context.ui.data(address(
        &target,
        &remote::host().unwrap_or_else(|| "localhost".to_owned()),
        port,
        &password,
    ));
    Ok(Outcome::Done)
}

fn address(target: &Target<'_>, host: &str, port: u16, password: &str) -> String {
    let url = target.entry.url.replace("{host}", host).replace("{port}", &port.to_string());
    let url = match &target.entry.databases.common {
        // What an address means that names none.
        Some(common) if [common.as_str(), ""].contains(&target.database.as_str()) => {
            url.replace("/{database}", "")
        }
        Some(_) => url.replace("{database}", &encoded(&target.database)),
        None => url,
    };
    target.fill(&url).replace("{password}", &encoded(password))
}

/// The port of the container that runs, else the one in the files.
fn host_port(project: &Project, target: &Target<'_>) -> Result<u16> {
    let name = &target.server.name;
    let inside = target.entry.published.unwrap_or(target.entry.port);
    let running = state::containers(&project.docker, &project.setup.project).unwrap_or_default();
    let mut own = running.iter().filter(|container| container.service == *name);
    let now = own.find_map(|container| container.host_port(inside)).map(|port| port.host);
    let mut written = target.server.ports.iter().filter(|port| port.target == inside);
    now.or_else(|| written.find_map(|port| port.published)).ok_or_else(|| {
        Failure::new(format!("`{name}` is not published on this machine"))
            .why(format!("no file publishes its port {inside}"))
            .fix(format!(
                "{}, or publish it in docker-compose.override.yml",
                project.setup.xtask("db shell SERVICE")
            ))
            .into()
    })
}

/// As RFC 3986 wants what is not unreserved.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_password_cannot_break_an_address() {
        assert_eq!(encoded("aZ9-._~"), "aZ9-._~");
        assert_eq!(encoded("a@b:c/é"), "a%40b%3Ac%2F%C3%A9");
    }
}
