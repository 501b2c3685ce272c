//! Puts a snapshot back: every database is loaded beside the one it replaces first, so that a dump that does not load
//! changes nothing. Starts and stops no service.

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, Output};
use crate::run::setup::Setup;
use crate::run::snapshot::manifest::{Entry, Manifest};
use crate::run::snapshot::server::{Names, Server, failed};
use crate::run::snapshot::store::Store;
use crate::run::state::PROJECT_LABEL;
use crate::ui::Ui;

/// A dump, where it goes, and the names on the way there.
struct Job<'a> {
    entry: &'a Entry,
    server: &'a Server,
    names: Names,
}

impl Job<'_> {
    /// Only a stopped server takes these data.
    fn is_offline(&self) -> bool {
        !self.server.tools.replace.is_empty()
    }
}

/// Whether each dump has a server of its kind here; the servers in the order of their names.
///
/// # Errors
/// When one has not.
pub fn check(manifest: &Manifest, servers: &[Server]) -> Result<Vec<Server>> {
    let mut failures = Vec::new();
    let mut found: Vec<Server> = Vec::new();
    for service in manifest.services() {
        let kind = manifest.entries.iter().find(|entry| entry.service == service).map(|entry| &entry.kind);
        match servers.iter().find(|server| server.service == service) {
            Some(server) if Some(&server.kind) == kind => found.push(server.clone()),
            other => {
                let kind = kind.map_or("", String::as_str);
                let failure = Failure::new(format!("the snapshot `{}` does not fit", manifest.name));
                failures.push(match other {
                    Some(server) => {
                        failure.why(format!("`{service}` was {kind} then, and is {} now", server.kind))
                    }
                    None => failure.why(format!("there is no `{service}` ({kind}) any more")),
                });
            }
        }
    }
    crate::error::Failures::check(failures, "nothing was restored")?;
    Ok(found)
}

/// Replaces the databases of these servers, which run, by those of a snapshot.
///
/// # Errors
/// When a dump does not load: then no database has changed. When one cannot be put in its place: the failure says
/// which ones were.
pub fn restore(
    docker: &Docker,
    setup: &Setup,
    manifest: &Manifest,
    servers: &[Server],
    ui: Ui,
) -> Result<()> {
    let store = Store::of(setup);
    let jobs: Vec<Job<'_>> = manifest
        .entries
        .iter()
        .enumerate()
        .filter_map(|(n, entry)| {
            let server = servers.iter().find(|server| server.service == entry.service)?;
            let names = Names::of(entry.database.as_deref().unwrap_or_default(), n).with_roles(&entry.roles);
            Some(Job { entry, server, names })
        })
        .collect();
    let (offline, online): (Vec<&Job<'_>>, Vec<&Job<'_>>) = jobs.iter().partition(|job| job.is_offline());
    for job in &online {
        ui.status("Loading", job.entry.shown());
        if let Err(why) = load(docker, &store, manifest, job) {
            discard(docker, &online);
            return Err(why);
        }
    }
    let mut done: Vec<String> = Vec::new();
    for job in offline.iter().chain(&online) {
        let replaced = match job.is_offline() {
            true => replace(docker, &store, setup, manifest, job),
            false => swap(docker, job),
        };
        if let Err(why) = replaced {
            discard(docker, &online);
            if !done.is_empty() {
                ui.warn(Failure::new(format!("already restored: {}", crate::ui::list(&done))));
            }
            return Err(why);
        }
        ui.status("Restored", job.entry.shown());
        done.push(job.entry.shown());
    }
    Ok(())
}

fn load(docker: &Docker, store: &Store, manifest: &Manifest, job: &Job<'_>) -> Result<()> {
    let dump = store.open(&manifest.name, &job.entry.file)?;
    let command = job.server.exec(docker, job.names.fill(&job.server.tools.load))?;
    let output = command.stream(Some(dump), None)?;
    answer(&output, || format!("cannot load {}; nothing has changed", job.entry.shown()))
}

fn swap(docker: &Docker, job: &Job<'_>) -> Result<()> {
    let output = job.server.exec(docker, job.names.fill(&job.server.tools.swap))?.stream(None, None)?;
    answer(&output, || format!("cannot replace {}", job.entry.shown()))
}

/// The databases that were loaded and did not take their place. What stays is removed by the next restore.
fn discard(docker: &Docker, jobs: &[&Job<'_>]) {
    for job in jobs {
        if let Ok(command) = job.server.exec(docker, job.names.fill(&job.server.tools.discard)) {
            let _ = command.output();
        }
    }
}

/// Stops the server, replaces its data in one step, and starts it again in any case.
fn replace(docker: &Docker, store: &Store, setup: &Setup, manifest: &Manifest, job: &Job<'_>) -> Result<()> {
    let dump = store.open(&manifest.name, &job.entry.file)?;
    let id = job.server.id()?;
    let words = job.names.fill(&job.server.tools.replace);
    let (program, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let label = format!("{PROJECT_LABEL}={}", setup.project);
    // With the project's labels, so that `down` removes it should it stay.
    let command = docker
        .command(["run", "--rm", "--interactive", "--network", "none", "--volumes-from", id])
        .args(["--label", &label, "--label", "com.docker.compose.oneoff=True"])
        .args(["--entrypoint", program, &job.server.image])
        .args(rest.iter().cloned());
    docker.command(["stop", id]).read()?;
    let output = command.stream(Some(dump), None);
    docker.command(["start", id]).read()?;
    answer(&output?, || format!("cannot restore {}; its data have not changed", job.entry.shown()))
}

fn answer(output: &Output, what: impl Fn() -> String) -> Result<()> {
    if output.code == 0 { Ok(()) } else { Err(failed(what(), output).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::data::DataTools;

    fn server(service: &str, kind: &str) -> Server {
        Server {
            service: service.to_owned(),
            kind: kind.to_owned(),
            image: String::new(),
            tools: DataTools::default(),
            container: None,
        }
    }

    #[test]
    fn a_snapshot_fits_servers_of_the_same_name_and_kind_only() {
        let mut manifest = Manifest::new("mine", String::new(), "shop", false);
        for (service, database) in [("db", "a"), ("db", "b"), ("cache", "")] {
            manifest.entries.push(Entry {
                service: service.to_owned(),
                kind: if service == "db" { "postgres".to_owned() } else { "redis".to_owned() },
                image: String::new(),
                database: Some(database.to_owned()),
                roles: Vec::new(),
                file: String::new(),
                bytes: 1,
            });
        }
        let fitting = check(&manifest, &[server("db", "postgres"), server("cache", "redis")]).unwrap();
        assert_eq!(fitting.iter().map(|server| server.service.as_str()).collect::<Vec<_>>(), ["cache", "db"]);
        assert_eq!(
            check(&manifest, &[server("db", "mariadb")]).unwrap_err().to_string(),
            "the snapshot `mine` does not fit\n  why: there is no `cache` (redis) any more\n\
             error: the snapshot `mine` does not fit\n  why: `db` was postgres then, and is mariadb now\n\
             2 errors, nothing was restored"
        );
    }
}
