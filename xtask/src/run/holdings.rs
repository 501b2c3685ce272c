//! What the volumes hold (engine and version) against the servers that are about to start on them; changes nothing.
//!
//! A server of another major refuses its data, or worse, takes them half. What is known of a volume is remembered, so
//! that only a volume or an image that is new is looked into.

use std::path::PathBuf;

use regex::Regex;

use crate::error::{Failure, Failures, Result};
use crate::model::data::Mark;
use crate::run::cache;
use crate::run::diagnose::places::Places;
use crate::run::docker::Docker;
use crate::run::setup::{COMPOSE_FILE, Setup, read_text};
use crate::run::state::PROJECT_LABEL;
use crate::ui::Ui;

/// Where what is known of the volumes is remembered. Git-ignored.
const CACHE: &str = ".cache";
/// Before each file's text in what the look prints.
const HEAD: &str = "== ";

/// A kind of server, as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// `postgres`
    pub kind: String,
    /// `PostgreSQL`
    pub title: String,
    /// By which its volumes are known.
    pub marks: Vec<Mark>,
    /// How many numbers of a version make a major one: 1 for `17`, 2 for `11.8`.
    pub numbers: usize,
    /// Whose data a newer version opens by itself.
    pub opens: Opens,
}

/// Whose data a newer version opens by itself. An older one opens those of a newer one nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Those of its own major.
    Own,
    /// Also those of the major before it, by the first number.
    Previous,
    /// Those of any older one.
    Older,
}

/// A server that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The Compose service.
    pub service: String,
    /// One of the engines.
    pub kind: String,
    /// As it is pulled.
    pub image: String,
    /// Real names.
    pub volumes: Vec<String>,
}

/// What a volume turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held<'a> {
    engine: &'a Engine,
    version: Option<String>,
}

/// What a difference means.
#[derive(Debug)]
enum Answer {
    /// The server opens the data by itself, and no older one does afterwards.
    Upgrade(String),
    /// It would not, or not well.
    Refused(Failure),
}

/// Compares the volumes that exist with the servers. What a server takes along by itself is said.
///
/// # Errors
/// When one holds data of another engine or of a major version that the server does not open, all at once with the
/// choices.
pub fn check(docker: &Docker, setup: &Setup, engines: &[Engine], wanted: &[Wanted], ui: Ui) -> Result<()> {
    let there = existing(docker, wanted)?;
    if there.is_empty() || read_text(&file(setup))?.as_deref() == Some(lines(wanted, &there).as_str()) {
        return Ok(());
    }
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    // Where it cannot be looked into them, the server itself says what it does not like.
    let Some(text) = look(docker, setup, engines, wanted, &names)? else { return Ok(()) };
    let (mut failures, mut upgrades) = (Vec::new(), Vec::new());
    for (n, name) in names.iter().enumerate() {
        let owner = wanted.iter().find(|server| server.volumes.iter().any(|volume| volume == name));
        let held = held(engines, &text, n);
        let own = owner.and_then(|server| engines.iter().find(|engine| engine.kind == server.kind));
        if let (Some(server), Some(held), Some(own)) = (owner, held, own) {
            match difference(setup, server, own, &held, name) {
                Some(Answer::Refused(failure)) => failures.push(failure),
                Some(Answer::Upgrade(text)) => upgrades.push(text),
                None => {}
            }
        }
    }
    Failures::check(failures, "nothing was started")?;
    for text in upgrades {
        ui.status("Upgrading", text);
    }
    Ok(())
}

/// Remembers that these servers run on their volumes.
pub fn remember(docker: &Docker, setup: &Setup, wanted: &[Wanted]) {
    if wanted.is_empty() {
        return;
    }
    if let Ok(there) = existing(docker, wanted) {
        cache::write(&file(setup), &lines(wanted, &there));
    }
}

fn file(setup: &Setup) -> PathBuf {
    setup.out.join(CACHE).join(format!("volumes-{}", setup.env))
}

/// The servers' volumes that exist, with the time of their making: one that was made anew is another one.
fn existing(docker: &Docker, wanted: &[Wanted]) -> Result<Vec<(String, String)>> {
    let names: Vec<String> = wanted.iter().flat_map(|server| server.volumes.iter().cloned()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let command = docker.command(["volume", "inspect", "--format", "{{.Name}}\t{{.CreatedAt}}"]);
    // Its exit code says that one is missing; the others are printed all the same.
    let output = command.args(names).output()?;
    let pairs = output.stdout.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs.map(|(name, made)| (name.to_owned(), made.to_owned())).collect())
}

fn lines(wanted: &[Wanted], there: &[(String, String)]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for server in wanted {
        for volume in &server.volumes {
            let made = there.iter().find(|(name, _)| name == volume).map(|(_, made)| made.as_str());
            lines.extend(made.map(|made| format!("{volume} {made} {}\n", server.image)));
        }
    }
    lines.sort_unstable();
    lines.concat()
}

/// The marks' files in these volumes, by one container that is gone afterwards.
fn look(
    docker: &Docker,
    setup: &Setup,
    engines: &[Engine],
    wanted: &[Wanted],
    volumes: &[&str],
) -> Result<Option<String>> {
    let Some(first) = wanted.first() else { return Ok(None) };
    let label = format!("{PROJECT_LABEL}={}", setup.project);
    let mut command = docker
        .command(["run", "--rm", "--pull", "never", "--network", "none", "--user", "0", "--read-only"])
        .args(["--label", &label, "--label", "com.docker.compose.oneoff=True"]);
    for (n, volume) in volumes.iter().enumerate() {
        command = command.args(["--volume".to_owned(), format!("{volume}:/held/{n}:ro")]);
    }
    let files: Vec<&str> =
        engines.iter().flat_map(|engine| &engine.marks).map(|mark| mark.file.as_str()).collect();
    let script = format!(
        "cd /held && for v in *; do for f in {}; do for f in $v/$f; do \
         [ -f \"$f\" ] && printf '\\n{HEAD}%s\\n' \"$f\" && head -c 4096 \"$f\"; done; done; done; true",
        files.join(" ")
    );
    let output = command.args(["--entrypoint", "sh", &first.image, "-c", &script]).output()?;
    Ok((output.code == 0).then_some(output.stdout))
}

/// What the n-th volume holds; `None` where no mark is in it.
fn held<'a>(engines: &'a [Engine], text: &str, n: usize) -> Option<Held<'a>> {
    let mut found: Option<Held<'a>> = None;
    for part in text.split(&format!("\n{HEAD}")) {
        let (path, content) = part.split_once('\n').unwrap_or((part, ""));
        let Some(path) = path.strip_prefix(&format!("{n}/")) else { continue };
        for engine in engines {
            for mark in engine.marks.iter().filter(|mark| fits(&mark.file, path)) {
                let Some(version) = version(mark, content) else { continue };
                // A mark with a version says more than one without.
                if found.as_ref().is_none_or(|known| known.version.is_none()) {
                    found = Some(Held { engine, version: Some(version).filter(|text| !text.is_empty()) });
                }
            }
        }
    }
    found
}

/// Whether a pattern of the shell fits a path; a `*` stands for one folder.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, name)| pattern == "*" || pattern == name)
}

/// The version in a mark's text, empty where the mark has none; `None` where the text is another engine's.
fn version(mark: &Mark, content: &str) -> Option<String> {
    if mark.version.is_empty() {
        return Some(String::new());
    }
    let pattern = Regex::new(&mark.version).ok()?;
    let last = pattern.captures_iter(content).last()?;
    last.get(1).map(|group| group.as_str().to_owned())
}

fn difference(setup: &Setup, server: &Wanted, own: &Engine, held: &Held<'_>, volume: &str) -> Option<Answer> {
    let Wanted { service, image, .. } = server;
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    let wanted = tag.map(|tag| major(tag, own.numbers)).unwrap_or_default();
    let there = held.version.as_ref().map(|version| major(version, own.numbers)).unwrap_or_default();
    let is_other_engine = held.engine.kind != own.kind;
    let is_other_major = wanted.iter().zip(&there).any(|(a, b)| a != b);
    if !is_other_engine && !is_other_major {
        return None;
    }
    let of = match held.version.as_ref() {
        Some(version) => format!("{} {}", held.engine.title, shown(&major(version, held.engine.numbers))),
        None => held.engine.title.clone(),
    };
    if !is_other_engine && own.opens(&wanted, &there) {
        let text = format!("{service}: data of {of} by {image}, which no older version reads afterwards");
        return Some(Answer::Upgrade(text));
    }
    let reset = setup.xtask(&format!("reset {service} --no-snapshot"));
    let back = match is_other_engine {
        true => format!("take {} again for this data", held.engine.title),
        false => format!(
            "keep the version: cargo xtask integrate --set infrastructure.{}.version={}",
            own.kind,
            shown(&there)
        ),
    };
    let mut fix = vec![back];
    if !is_other_engine {
        let (snapshot, restore) = (setup.xtask("db snapshot NAME"), setup.xtask("db restore NAME"));
        fix.push(format!("or take the data along: {snapshot} on the old version, then with the new one"));
        fix.push(format!("{reset} and {restore}"));
    }
    fix.push(format!("or delete the data: {reset}"));
    let why = match is_other_engine {
        true => format!("the volume `{volume}` was written by {of}"),
        false => format!("the volume `{volume}` was written by {of}, which {image} does not read"),
    };
    let failure = Failure::new(format!("`{service}` would run {image} on data of {of}"));
    Some(Answer::Refused(failure.at(place(setup, service)).why(why).fix(fix.join("\n"))))
}

impl Engine {
    /// Whether a server of this version opens data of that one.
    fn opens(&self, version: &[u32], data: &[u32]) -> bool {
        let first = |numbers: &[u32]| numbers.first().copied().unwrap_or_default();
        let is_next = first(version) <= first(data) + 1;
        version > data && (self.opens == Opens::Older || (self.opens == Opens::Previous && is_next))
    }
}

/// Where the service's image stands.
fn place(setup: &Setup, service: &str) -> String {
    let base = vec![setup.out.join(COMPOSE_FILE)];
    let files = if setup.files.is_empty() { &base } else { &setup.files };
    let text = |file: &PathBuf| (setup.shown_file(file), read_text(file).ok().flatten().unwrap_or_default());
    let places = Places::new(service, files.iter().map(text).collect(), None, None);
    places.key(&["image"]).unwrap_or_else(|| places.service())
}

/// The first numbers of a version or a tag.
fn major(text: &str, numbers: usize) -> Vec<u32> {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].split('.').map_while(|part| part.parse().ok()).take(numbers).collect()
}

fn shown(major: &[u32]) -> String {
    major.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
