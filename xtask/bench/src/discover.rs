//! `bench discover`: `inventory` on a large generated monorepo, against walking it and reading what counts in it.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use ignore::{WalkBuilder, WalkState};

use crate::numbers::{Targets, Verdict, seconds, series};
use crate::scratch::Scratch;
use crate::tree::{self, Size};
use crate::{Bench, process};

/// What a megabyte is in the targets.
const MEGABYTE: f64 = 1_000_000.0;

/// Measures it.
pub(crate) fn run(bench: &Bench, size: Size, keep: Option<&Path>) -> Result<Verdict> {
    let scratch = Scratch::new("discover")?;
    let whole = keep.unwrap_or(scratch.path()).join("whole");
    let half = scratch.path().join("half");
    eprintln!("generating {} services in {} files", size.services, size.files);
    tree::generate(&whole, size)?;
    tree::generate(&half, size.half())?;
    let (mut walks, mut times, mut halves, mut peaks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // The first round fills the system's cache and does not count.
    for round in 0..=bench.runs {
        let walk = walk_and_read(&whole)?;
        let (time, peak) = inventory(bench, &whole, size.services)?;
        let (half_time, _) = inventory(bench, &half, size.half().services)?;
        if round > 0 {
            eprintln!("{round}/{}: inventory {time:.2} s, walk and read {walk:.2} s", bench.runs);
            walks.push(walk);
            times.push(time);
            halves.push(half_time);
            peaks.push(peak);
        }
    }
    println!("\n{} services, {} files", size.services, size.files);
    let walk = series("walk and read what counts", &walks, "s");
    let time = series("inventory --json", &times, "s");
    let half = series("inventory --json, half of the tree", &halves, "s");
    let peak = series("peak memory", &peaks, "MB");
    let mut targets = Targets::new();
    targets.at_most("inventory", time, 2.0, "s");
    targets.at_most("inventory against walk and read", time / walk, 3.0, "x");
    targets.at_most("all files against half of them", time / half, 2.3, "x");
    targets.at_most("peak memory", peak, 200.0, "MB");
    Ok(targets.verdict())
}

fn inventory(bench: &Bench, root: &Path, services: usize) -> Result<(f64, f64)> {
    let mut command = Command::new(&bench.xtask);
    command.arg("--root").arg(root).args(["inventory", "--json"]);
    let ran = process::run(&mut command)?;
    let found = ran.stdout.matches("\"dockerfile\":").count();
    ensure!(found == services, "inventory found {found} of {services} services, so its time means nothing");
    #[allow(clippy::cast_precision_loss, reason = "bytes of memory, shown in megabytes")]
    Ok((seconds(ran.wall), ran.peak as f64 / MEGABYTE))
}

/// Seconds to walk the tree with the same walker on all cores and to read what counts, and nothing else.
fn walk_and_read(root: &Path) -> Result<f64> {
    let started = Instant::now();
    let read = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).git_ignore(true).require_git(false).parents(false).threads(threads);
    walk.build_parallel().run(|| {
        Box::new(|entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
                && tree::counts(entry.path())
                && let Ok(text) = std::fs::read(entry.path())
            {
                read.fetch_add(text.len() as u64, Ordering::Relaxed);
            }
            WalkState::Continue
        })
    });
    ensure!(read.into_inner() > 0, "nothing was read below {}", root.display());
    Ok(seconds(started.elapsed()))
}
