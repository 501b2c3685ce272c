//! `bench update`: whether anything of a user's is lost where a setup is edited, the code changes and it is updated.
//!
//! For each monorepo of a folder: a copy is integrated, a simulated user edits the generated files, the repository
//! changes, and the setup is generated again. What the user wrote must be there, what was deleted must stay away, the
//! files must parse, Compose must accept them, and another run must change nothing. Starts no container.

mod edits;
mod repository;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::numbers::{Targets, Verdict};
use crate::scratch::{Scratch, copy, write};
use crate::{Bench, process};

pub(crate) use edits::Dice;

/// The setup's folder.
const SETUP: &str = "integration";

/// What is done to which monorepos.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Holds a folder for each monorepo, or for each case with its monorepo in `input`.
    pub(crate) folder: PathBuf,
    /// Another one makes other edits.
    pub(crate) seed: u64,
    /// Where the copies with problems stay.
    pub(crate) keep: Option<PathBuf>,
}

/// What one monorepo came to.
#[derive(Debug, Default)]
struct Came {
    edits: usize,
    /// What was changed in the repository.
    changes: Vec<String>,
    problems: Vec<String>,
}

/// Tries all of them, `--runs` times each with other edits.
pub(crate) fn run(bench: &Bench, options: &Options) -> Result<Verdict> {
    let monorepos = monorepos(&options.folder)?;
    let has_compose = process::run(Command::new("docker").args(["compose", "version"])).is_ok();
    if !has_compose {
        println!("Compose is not installed: whether it accepts the files is not tried");
    }
    println!("\n{:<30} {:>5} {:>6} {:>9}  CHANGED", "MONOREPO", "SEED", "EDITS", "PROBLEMS");
    let (mut edits, mut problems, mut tried) = (0, 0, 0);
    for (name, path) in &monorepos {
        for seed in (0..bench.runs as u64).map(|run| options.seed + run) {
            let Some(came) = one(bench, path, name, seed, has_compose, options.keep.as_deref())? else {
                println!("{name:<30} {seed:>5} {:>6} {:>9}  no setup can be generated for it", "-", "-");
                break;
            };
            println!(
                "{name:<30} {seed:>5} {:>6} {:>9}  {}",
                came.edits,
                came.problems.len(),
                came.changes.join(", ")
            );
            came.problems.iter().for_each(|problem| println!("    {problem}"));
            edits += came.edits;
            problems += came.problems.len();
            tried += 1;
        }
    }
    println!("\n{tried} updates with {edits} edits");
    let mut targets = Targets::new();
    targets.at_most("lost, broken or restless", problems as f64, 0.0, "problems");
    Ok(targets.verdict())
}

/// Names and folders, in order.
fn monorepos(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut all: Vec<(String, PathBuf)> = folders
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let input = path.join("input");
            Some((name, if input.is_dir() { input } else { path }))
        })
        .collect();
    all.sort();
    if all.is_empty() {
        bail!("no folder in {}", folder.display());
    }
    Ok(all)
}

fn one(
    bench: &Bench,
    monorepo: &Path,
    name: &str,
    seed: u64,
    has_compose: bool,
    keep: Option<&Path>,
) -> Result<Option<Came>> {
    let scratch = Scratch::new("update")?;
    let root = scratch.path().join(name);
    copy(monorepo, &root)?;
    let integrate = || process::run_any(Command::new(&bench.xtask).arg("--root").arg(&root).arg("integrate"));
    if integrate()?.code != Some(0) {
        return Ok(None);
    }
    let mut dice = Dice::new(seed);
    let mut came = Came::default();
    let wrote = edit(&root, &mut dice)?;
    came.edits = wrote.iter().map(|(_, edits)| edits.count()).sum();
    let accepted = |came: &mut Came, when: &str| -> Result<()> {
        if has_compose {
            came.problems.extend(refused(&root)?.map(|why| format!("Compose refuses it {when}: {why}")));
        }
        Ok(())
    };
    accepted(&mut came, "with the user's edits")?;
    let services = repository::services(&bench.xtask, &root)?;
    came.changes = repository::change(&root, &services, &mut dice)?;
    let second = integrate()?;
    if !matches!(second.code, Some(0 | 1)) || second.stderr.contains("error:") {
        came.problems.push(format!("integrate failed: {}", first_error(&second.stderr)));
    }
    let after = texts(&root.join(SETUP))?;
    for (file, edits) in &wrote {
        came.problems.extend(edits.missed(after.get(file).map(String::as_str), file));
    }
    let compose = after.get("docker-compose.yml").map(String::as_str).unwrap_or_default();
    if !compose.contains(&format!("\n  {}:", repository::ADDED)) {
        came.problems.push(format!("the new service `{}` is not in the Compose file", repository::ADDED));
    }
    accepted(&mut came, "after the update")?;
    integrate()?;
    let again = texts(&root.join(SETUP))?;
    let restless = again.iter().filter(|(file, text)| after.get(*file) != Some(text)).map(|(file, _)| file);
    came.problems.extend(restless.map(|file| format!("{file}: the next run changes it again")));
    if let (Some(keep), false) = (keep, came.problems.is_empty()) {
        copy(&root, &keep.join(format!("{name}-{seed}")))?;
        write(&keep.join(format!("{name}-{seed}.txt")), &second.stderr)?;
    }
    Ok(Some(came))
}

/// Lets the user edit every generated file that people may edit.
fn edit(root: &Path, dice: &mut Dice) -> Result<Vec<(String, edits::Edits)>> {
    let mut all = Vec::new();
    for (file, text) in texts(&root.join(SETUP))? {
        if file.starts_with(".generated/") || file == ".env" {
            continue;
        }
        let (text, edits) = edits::edit(&file, &text, dice);
        write(&root.join(SETUP).join(&file), text)?;
        all.push((file, edits));
    }
    Ok(all)
}

/// Texts of all files by their path below the folder.
fn texts(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for entry in ignore::WalkBuilder::new(folder).hidden(false).git_ignore(false).build() {
        let entry = entry?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let name = entry.path().strip_prefix(folder)?.display().to_string();
            all.insert(name, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(all)
}

/// Why Compose does not take the files as they are.
fn refused(root: &Path) -> Result<Option<String>> {
    let setup = root.join(SETUP);
    for second in ["docker-compose.override.yml", "docker-compose.test.yml"] {
        let mut command = Command::new("docker");
        command.arg("compose").arg("--env-file").arg(setup.join(".env.example"));
        command.arg("-f").arg(setup.join("docker-compose.yml"));
        if setup.join(second).is_file() {
            command.arg("-f").arg(setup.join(second));
        }
        let ran = process::run_any(command.args(["config", "-q"]))?;
        if ran.code != Some(0) {
            return Ok(Some(format!("with {second}: {}", ran.stderr.trim().replace('\n', " "))));
        }
    }
    Ok(None)
}

fn first_error(stderr: &str) -> String {
    let from = stderr.find("error:").unwrap_or_default();
    stderr[from..].lines().take(4).collect::<Vec<_>>().join(" ")
}
