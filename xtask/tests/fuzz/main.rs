//! Feeds each family of parsers with mutations of real files: a bounded run of what `cargo fuzz` does without bounds.
//!
//! `FUZZ_RUNS=100000` tries more, `FUZZ_SEED=7` others, `FUZZ_CORPUS=DIR` takes the files below a folder, too, and
//! `FUZZ_TARGET=url` runs one alone. The same numbers give the same inputs.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads its own cases and its settings"
)]

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutate::Random;
use targets::{ALL, Target};

/// Linear work on the largest input is far below it, also in a debug build on a busy machine; quadratic work is not.
const LIMIT: Duration = Duration::from_secs(20);
/// The largest input.
const LARGE: usize = 128 * 1024;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn wanted() -> impl Iterator<Item = &'static Target> {
    let only = std::env::var("FUZZ_TARGET").ok();
    ALL.iter().filter(move |target| only.as_ref().is_none_or(|only| only == target.name))
}

/// Runs it, with the input in the message of a panic.
fn run(target: &Target, input: &[u8]) -> Duration {
    let started = Instant::now();
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let shown = String::from_utf8_lossy(&input[1.min(input.len())..]).into_owned();
        let path = target.paths[usize::from(input.first().copied().unwrap_or_default()) % target.paths.len()];
        panic!("{} fails on {path}:\n{:?}", target.name, shown.chars().take(20_000).collect::<String>());
    }
    let took = started.elapsed();
    let shown = String::from_utf8_lossy(&input[..input.len().min(300)]).into_owned();
    assert!(took < LIMIT, "{} took {took:?} for {} bytes: {shown:?}", target.name, input.len());
    took
}

#[test]
fn mutated_files_are_survived() {
    let files = files();
    assert!(files.len() > 50, "the tests' cases are not where they were");
    let runs = number("FUZZ_RUNS", 60);
    for target in wanted() {
        let seeds = seeds(target, &files);
        let mut random = Random::new(number("FUZZ_SEED", 1), target.name);
        let (started, mut slowest) = (Instant::now(), Duration::ZERO);
        for seed in seeds.iter().take(runs.try_into().unwrap_or(usize::MAX)) {
            slowest = slowest.max(run(target, seed));
        }
        for _ in 0..runs {
            slowest = slowest.max(run(target, &mutate::input(&seeds, &mut random)));
        }
        eprintln!(
            "{:>12}: {runs} inputs from {} files in {:.1?}, the slowest {slowest:.1?}",
            target.name,
            seeds.len(),
            started.elapsed()
        );
    }
}

#[test]
fn indexes_of_git_are_mutated_from_ones_that_are_understood() {
    for version in [2, 4] {
        let found = xtask::repo::git_index::paths(&mutate::index(version)[1..]);
        assert_eq!(found.expect("is an index"), ["a/Dockerfile", "a/b.env"], "version {version}");
    }
}

#[test]
fn long_files_cost_what_they_are_long() {
    let files = files();
    let tries = number("FUZZ_LONG", 2);
    for target in wanted() {
        let seeds = seeds(target, &files);
        let mut random = Random::new(number("FUZZ_SEED", 1), target.name);
        let mut slowest = Duration::ZERO;
        for _ in 0..tries {
            slowest = slowest.max(run(target, &mutate::long(&seeds, LARGE, &mut random)));
        }
        eprintln!("{:>12}: {tries} inputs of {LARGE} bytes, the slowest {slowest:.1?}", target.name);
    }
}

/// Inputs for a target: each file in the place of the path that is most like its own.
fn seeds(target: &Target, files: &[PathBuf]) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let Some(at) = place(target.paths, file) else { continue };
        let Ok(mut text) = std::fs::read(file) else { continue };
        text.truncate(16 * 1024);
        text.insert(0, u8::try_from(at).unwrap_or_default());
        seeds.push(text);
    }
    if target.name == "url" {
        seeds.extend(mutate::ADDRESSES.iter().map(|address| format!("\u{1}{address}").into_bytes()));
    }
    if target.name == "git_index" {
        seeds.extend([2, 4].map(mutate::index));
    }
    if target.name.starts_with("merge") || target.name == "dotenv" {
        let edited = |seed: &Vec<u8>| [&seed[..], b"\n====\n", &seed[1..], b"\n====\n", &seed[1..]].concat();
        seeds = seeds.iter().filter(|seed| seed.len() < 6_000).map(edited).collect();
    }
    assert!(!seeds.is_empty(), "{} has no files", target.name);
    seeds
}

fn place(paths: &[&str], file: &Path) -> Option<usize> {
    let name = |path: &Path| path.file_name().map(std::ffi::OsStr::to_owned);
    let extension = |path: &Path| path.extension().map(std::ffi::OsStr::to_owned);
    let by = |same: &dyn Fn(&Path) -> bool| paths.iter().position(|path| same(Path::new(path)));
    by(&|path| name(path) == name(file))
        .or_else(|| by(&|path| path.extension().is_some() && extension(path) == extension(file)))
}

/// The files of the tests' own cases, and of another folder where one is given.
fn files() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let folders =
        ["tests/discover", "tests/generate", "tests/apply", "catalog", "../workspace", "../integration"];
    for folder in folders {
        below(&own.join(folder), &mut files);
    }
    if let Ok(more) = std::env::var("FUZZ_CORPUS") {
        below(Path::new(&more), &mut files);
    }
    files.sort();
    files
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && entry.file_name() != "target" => below(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}
