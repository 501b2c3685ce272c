//! Takes a snapshot: one dump for each database, streamed out of the server's container; deletes nothing but its own.

use crate::error::Result;
use crate::run::clock::Moment;
use crate::run::docker::Docker;
use crate::run::setup::Setup;
use crate::run::snapshot::manifest::{Entry, Manifest};
use crate::run::snapshot::server::{Names, Server, failed};
use crate::run::snapshot::size;
use crate::run::snapshot::store::{Draft, Store};
use crate::ui::{Ui, count};

/// How a snapshot is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// By its owner; kept until its owner deletes it.
    Given(&'a str),
    /// By the time, after this word; only the newest few are kept.
    Automatic(&'a str),
}

/// Dumps all databases of these servers, which run.
///
/// # Errors
/// When one cannot be dumped or written; then there is no snapshot.
pub fn take(docker: &Docker, setup: &Setup, servers: &[Server], name: Name<'_>, ui: Ui) -> Result<Manifest> {
    let now = Moment::now();
    let (name, automatic) = match name {
        Name::Given(name) => (name.to_owned(), false),
        Name::Automatic(word) => (free_name(&Store::of(setup), &format!("{word}-{}", now.compact()))?, true),
    };
    let draft = Store::of(setup).begin(&name)?;
    let mut manifest = Manifest::new(&name, now.text(), &setup.project, automatic);
    for server in servers {
        for database in server.databases(docker)? {
            let entry = dump(docker, server, database, &manifest, &draft)?;
            ui.status("Dumped", format_args!("{} ({})", entry.shown(), size(entry.bytes)));
            manifest.entries.push(entry);
        }
    }
    draft.finish(&manifest)?;
    let databases = count(manifest.entries.len(), "dump");
    let bytes = size(manifest.bytes());
    ui.status("Saved", format_args!("{}/snapshots/{name} ({databases}, {bytes})", setup.shown));
    Ok(manifest)
}

/// Two in one second are two.
fn free_name(store: &Store, name: &str) -> Result<String> {
    let taken: Vec<String> = store.list()?.into_iter().map(|known| known.name).collect();
    let mut names = (2..).map(|n| format!("{name}-{n}"));
    let mut free = name.to_owned();
    while taken.contains(&free) {
        free = names.next().unwrap_or_default();
    }
    Ok(free)
}

fn dump(
    docker: &Docker,
    server: &Server,
    database: Option<String>,
    manifest: &Manifest,
    draft: &Draft,
) -> Result<Entry> {
    let file = manifest.file_name(&server.service, database.as_deref(), &server.tools.extension);
    let names = Names::of(database.as_deref().unwrap_or_default(), 0);
    let roles = server.roles(docker, &names)?;
    let command = server.exec(docker, names.fill(&server.tools.dump))?;
    let output = command.stream(None, Some(draft.file(&file)?))?;
    let bytes = draft.settled(&file)?;
    let entry = Entry {
        service: server.service.clone(),
        kind: server.kind.clone(),
        image: server.image.clone(),
        database,
        roles,
        file,
        bytes,
    };
    if output.code != 0 || bytes == 0 {
        return Err(failed(format!("cannot dump {}", entry.shown()), &output).into());
    }
    Ok(entry)
}
