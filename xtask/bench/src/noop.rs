//! `bench noop`: how long `integrate` takes on the sample when nothing has changed.

use std::process::Command;

use anyhow::Result;

use crate::numbers::{Targets, Verdict, millis, series};
use crate::scratch::{Scratch, copy};
use crate::{Bench, process};

/// Measures it on a copy of the sample.
pub(crate) fn run(bench: &Bench) -> Result<Verdict> {
    let scratch = Scratch::new("noop")?;
    copy(&bench.root.join("workspace"), &scratch.path().join("workspace"))?;
    let integrate = || {
        let mut command = Command::new(&bench.xtask);
        command.arg("--root").arg(scratch.path()).arg("integrate");
        command
    };
    process::run(&mut integrate())?;
    let times: Result<Vec<f64>> =
        (0..bench.runs).map(|_| Ok(millis(process::run(&mut integrate())?.wall))).collect();
    let middle = series("integrate, nothing changed", &times?, "ms");
    let mut targets = Targets::new();
    targets.at_most("integrate on the sample, nothing changed", middle, 300.0, "ms");
    Ok(targets.verdict())
}
