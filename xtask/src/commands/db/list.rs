//! `db list`: the snapshots that are there.

use crate::cli::Context;
use crate::error::{Outcome, Result};
use crate::run::setup::Setup;
use crate::run::snapshot::manifest::Manifest;
use crate::run::snapshot::size;
use crate::run::snapshot::store::Store;
use crate::ui::table;

/// Runs `db list`. It asks no engine.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    let setup = Setup::read(&context.out, &context.out_name(), &context.env)?;
    let snapshots = Store::of(&setup).list()?;
    if snapshots.is_empty() {
        let take = setup.xtask("db snapshot");
        context.ui.status("Finished", format_args!("there is no snapshot; `{take}` takes one"));
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = snapshots.iter().map(row).collect();
    context.ui.data(table(&["Snapshot", "Taken", "Project", "Size", "Databases"], &rows));
    Ok(Outcome::Done)
}

fn row(snapshot: &Manifest) -> Vec<String> {
    let held: Vec<String> = snapshot.entries.iter().map(|entry| entry.shown()).collect();
    vec![
        snapshot.name.clone(),
        snapshot.taken.clone(),
        snapshot.project.clone(),
        size(snapshot.bytes()),
        held.join(", "),
    ]
}
