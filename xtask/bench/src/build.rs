//! `bench build`: the CPU that compiling the commands costs everybody once, and what `cargo xtask` adds each time.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::numbers::{Targets, Verdict, series};
use crate::process::{self, Ran};
use crate::scratch::Scratch;
use crate::{Bench, numbers};

/// Measures it; with `just`, what the well-known task runner costs to install from source.
pub(crate) fn run(bench: &Bench, with_just: bool) -> Result<Verdict> {
    let scratch = Scratch::new("build")?;
    let manifest = bench.root.join("Cargo.toml");
    // What comes over the network is not what is measured.
    process::run(cargo(scratch.path(), &manifest, "fetch").arg("--locked"))?;
    eprintln!("building everything");
    let all = process::run(&mut build(scratch.path(), &manifest))?;
    eprintln!("building our own crates again");
    let ours = [
        "--package",
        "xtask",
        "--package",
        "xtask-base",
        "--package",
        "xtask-discover",
        "--package",
        "xtask-plan",
    ];
    process::run(cargo(scratch.path(), &manifest, "clean").args(ours))?;
    let own = process::run(&mut build(scratch.path(), &manifest))?;
    let user = |ran: &Ran| numbers::seconds(ran.user);
    let dependencies = user(&all) - user(&own);
    println!("\nCOLD BUILD, user CPU");
    println!("{:<44} {:>9.1} s", "dependencies", dependencies);
    println!("{:<44} {:>9.1} s", "our own crates", user(&own));
    println!("{:<44} {:>9.1} s  ({:.1} s on the clock)", "together", user(&all), numbers::seconds(all.wall));
    let overhead = warm(bench, scratch.path(), &manifest)?;
    let just = if with_just { Some(just(scratch.path())?) } else { None };
    let mut targets = Targets::new();
    targets.at_most("dependencies, user CPU", dependencies, 60.0, "s");
    targets.at_most("warm `cargo xtask` over the program itself", overhead, 150.0, "ms");
    if let Some(just) = just {
        println!("{:<44} {:>9.1} s", "installing `just` from source", just);
        targets.at_most("all against installing `just`", user(&all) / just, 1.0 / 3.0, "x");
    }
    Ok(targets.verdict())
}

/// Milliseconds that `cargo run` adds to the program when nothing has to be compiled.
fn warm(bench: &Bench, target: &Path, manifest: &Path) -> Result<f64> {
    let (mut through_cargo, mut direct) = (Vec::new(), Vec::new());
    let program = target.join("debug/xtask");
    for _ in 0..bench.runs.max(5) {
        let mut run = cargo(target, manifest, "run");
        run.args(["--quiet", "--package", "xtask", "--", "--version"]);
        through_cargo.push(numbers::millis(process::run(&mut run)?.wall));
        direct.push(numbers::millis(process::run(Command::new(&program).arg("--version"))?.wall));
    }
    println!("\nWARM");
    let through_cargo = series("cargo xtask --version", &through_cargo, "ms");
    let direct = series("the program itself", &direct, "ms");
    Ok(through_cargo - direct)
}

fn just(target: &Path) -> Result<f64> {
    eprintln!("installing `just` from source");
    let mut command = clean_cargo();
    command.args(["install", "just", "--locked", "--force", "--root"]).arg(target.join("just"));
    command.arg("--target-dir").arg(target.join("just-target"));
    Ok(numbers::seconds(process::run(&mut command)?.user))
}

fn build(target: &Path, manifest: &Path) -> Command {
    let mut command = cargo(target, manifest, "build");
    command.args(["--locked", "--package", "xtask", "--bin", "xtask"]);
    command
}

fn cargo(target: &Path, manifest: &Path, subcommand: &str) -> Command {
    let mut command = clean_cargo();
    command.arg(subcommand).arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", target);
    command
}

/// Cargo as a shell starts it: without what the cargo that started us has set, which it would take for a change.
fn clean_cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && text != "CARGO_HOME" && text != "CARGO_NET_OFFLINE"
            || text == "CARGO"
        {
            command.env_remove(&name);
        }
    }
    command
}
