//! Seed files of people: `init-scripts/seed/SERVICE/*.sql`, applied in the order of their names to that service's
//! database, once each, when the service is up and its tables are there. What was applied is recorded in the server.
//! Never changes a file, and knows no engine: how one takes a file stands in the catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::error::{Failure, Result, nearest};
use crate::model::data::SeedTools;
use crate::run::docker::{Docker, Invocation, Output, last_lines};
use crate::run::setup::{Setup, fnv1a, read_text};
use crate::ui::{Ui, list};

/// In the setup's folder.
pub const FOLDER: &str = "init-scripts/seed";

/// A database that takes seed files.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service whose it is.
    pub service: String,
    /// The service's first name, under which the server records its files: others may share login and database, and come
    /// and go.
    pub first: String,
    /// The Compose service of the server.
    pub server: String,
    /// The server's container.
    pub container: String,
    /// Who logs in.
    pub user: String,
    /// With which password.
    pub password: String,
    /// Where.
    pub database: String,
    /// How the server takes a file.
    pub tools: SeedTools,
}

/// A file of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    name: String,
    path: PathBuf,
    digest: String,
}

/// The services that have seed files, in the order of their names; empty where nobody has any.
///
/// # Errors
/// When the folder cannot be read.
pub fn services(setup: &Setup) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, path) in entries(&setup.out.join(FOLDER))? {
        if path.is_dir() && !files_of(&path)?.is_empty() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Warns of seed files that nobody takes: `known` are the services with a database of their own.
pub fn warn_of_strangers(setup: &Setup, names: &[String], known: &[&str], ui: Ui) {
    for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
        let failure = Failure::new(format!("seed files of `{name}` are not applied"))
            .at(setup.shown_file(&setup.out.join(FOLDER).join(name)))
            .why("no service of this name has a database here that takes such files");
        ui.warn(match nearest(name, known.iter().copied()) {
            Some(near) => failure.fix(format!("did you mean `{FOLDER}/{near}`?")),
            None => failure,
        });
    }
}

/// Applies what was not applied yet.
///
/// # Errors
/// When a file fails, or a server does not say what it has.
pub fn apply(docker: &Docker, setup: &Setup, targets: &[Target], ui: Ui) -> Result<()> {
    for target in targets {
        let files = files_of(&setup.out.join(FOLDER).join(&target.service))?;
        if let Some(file) = files.iter().find(|file| !is_plain(&file.name)) {
            return Err(Failure::new(format!("`{}` is no name for a seed file", file.name))
                .at(setup.shown_file(&file.path))
                .why("a name has letters, digits, `.`, `_` and `-`")
                .fix("rename it")
                .into());
        }
        let applied = applied(docker, target)?;
        let mut done = Vec::new();
        for file in &files {
            match applied.get(&record(target, file)) {
                None => {
                    apply_one(docker, setup, target, file)?;
                    done.push(file.name.as_str());
                }
                Some(digest) if *digest == file.digest => {}
                Some(_) => ui.warn(changed(setup, target, file)),
            }
        }
        if !done.is_empty() {
            ui.status("Seeded", format_args!("{} ({})", target.service, list(&done)));
        }
    }
    Ok(())
}

/// Whether any of the servers, which run, lacks a file. One that does not answer to the login yet has none.
///
/// # Errors
/// When the folder of the files cannot be read, or Docker not be called.
pub fn is_any_due(docker: &Docker, setup: &Setup, targets: &[Target]) -> Result<bool> {
    for target in targets {
        let output = command(docker, target, &target.tools.applied, None).stream(None, None)?;
        let applied = parsed(&output);
        let files = files_of(&setup.out.join(FOLDER).join(&target.service))?;
        if output.code != 0 || files.iter().any(|file| !applied.contains_key(&record(target, file))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name under which a file is recorded.
fn record(target: &Target, file: &File) -> String {
    format!("{}/{}", target.first, file.name)
}

fn changed(setup: &Setup, target: &Target, file: &File) -> Failure {
    Failure::new(format!(
        "the seed file `{}` has changed since it was applied, and is not applied again",
        file.name
    ))
    .at(setup.shown_file(&file.path))
    .fix(format!(
        "put what is new into a file of its own, or begin anew: {}",
        setup.xtask(&format!("reset {}", target.server))
    ))
}

/// What a server has, by file, with the digest of what it was.
fn applied(docker: &Docker, target: &Target) -> Result<BTreeMap<String, String>> {
    let output = command(docker, target, &target.tools.applied, None).stream(None, None)?;
    if output.code != 0 {
        let what = format!("cannot ask `{}` which seed files it has", target.server);
        return Err(crate::run::snapshot::server::failed(what, &output).into());
    }
    Ok(parsed(&output))
}

fn parsed(output: &Output) -> BTreeMap<String, String> {
    let pairs = output.stdout.lines().filter_map(|line| line.trim().split_once(' '));
    pairs.map(|(file, digest)| (file.to_owned(), digest.to_owned())).collect()
}

fn apply_one(docker: &Docker, setup: &Setup, target: &Target, file: &File) -> Result<()> {
    let text = open(&file.path, setup)?;
    let bytes = text.metadata().map_err(|why| unreadable(&file.path, setup, why))?.len().to_string();
    let command = command(docker, target, &target.tools.apply, Some((file, &bytes)));
    let output = command.stream(Some(text), None)?;
    if output.code == 0 {
        return Ok(());
    }
    Err(failure(setup, target, file, &output).into())
}

/// The screen for a file that failed: its line, and what the server said.
fn failure(setup: &Setup, target: &Target, file: &File, output: &Output) -> Failure {
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    let (line, message) = fault(said);
    let place = setup.shown_file(&file.path);
    let (at, place) = match line {
        Some(line) => (format!(" at line {line}"), format!("{place}:{line}")),
        None => (String::new(), place),
    };
    let failure =
        Failure::new(format!("the seed file `{}` of `{}` failed{at}", file.name, target.service)).at(place);
    let failure = match message {
        Some(message) => failure.why(format!("| {message}")),
        None => {
            last_lines(said, 5).into_iter().fold(failure, |failure, line| failure.why(format!("| {line}")))
        }
    };
    let left = match target.tools.atomic {
        true => "nothing of it was applied",
        false => {
            "its changes of rows since its last change of a table were taken back; what stands before stays"
        }
    };
    failure.why(left).fix(format!("correct it, then: {}", setup.xtask("up")))
}

/// The line and the words of `psql:<stdin>:3: ERROR:  …` and `ERROR 1064 (42000) at line 3: …`.
fn fault(said: &str) -> (Option<String>, Option<String>) {
    let patterns =
        [r"^psql:[^:]*:(\d+): (.*)$", r"^(?:ERROR \d+ \(\w+\) at line )(\d+)(?: in file: '[^']*')?: (.*)$"];
    for pattern in patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()) {
        let found = said
            .lines()
            .find_map(|line| pattern.captures(line).filter(|found| !found[2].starts_with("WARNING")));
        if let Some(found) = found {
            return (Some(found[1].to_owned()), Some(found[2].to_owned()));
        }
    }
    (None, None)
}

/// A script of the catalogue in the server's container; the password goes by the environment. A file comes with its
/// size in bytes, by which the script knows that it has all of it.
fn command(docker: &Docker, target: &Target, script: &str, file: Option<(&File, &str)>) -> Invocation {
    let name = file.map(|(file, _)| record(target, file)).unwrap_or_default();
    let mut values = vec![
        ("XTASK_USER", target.user.as_str()),
        ("XTASK_PASSWORD", target.password.as_str()),
        ("XTASK_DATABASE", target.database.as_str()),
    ];
    if let Some((file, bytes)) = file {
        values.extend([
            ("XTASK_FILE", name.as_str()),
            ("XTASK_DIGEST", file.digest.as_str()),
            ("XTASK_BYTES", bytes),
        ]);
    }
    let names = values.iter().flat_map(|(name, _)| ["--env", name]);
    let words: Vec<&str> = ["exec", "--interactive"].into_iter().chain(names).collect();
    let command = docker.command(words).arg(&target.container).args(["sh", "-euc", script]);
    values.into_iter().fold(command, |command, (name, value)| command.env(name, value))
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// The files of a folder that are seeds, in the order of their names.
fn files_of(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (name, path) in entries(folder)? {
        if !name.ends_with(".sql") || !path.is_file() {
            continue;
        }
        let text = read_text(&path)?.unwrap_or_default();
        files.push(File { name, path, digest: format!("{:016x}", fnv1a(text.as_bytes())) });
    }
    Ok(files)
}

/// Names and paths in a folder, in order; none where there is no folder.
#[allow(clippy::disallowed_methods, reason = "files of the setup that people write")]
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let failed =
        |why: std::io::Error| Failure::new("cannot read a folder of the setup").at(folder.display()).why(why);
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(why).into()),
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed)?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

#[allow(clippy::disallowed_methods, reason = "files of the setup that people write")]
fn open(path: &Path, setup: &Setup) -> Result<std::fs::File> {
    std::fs::File::open(path).map_err(|why| unreadable(path, setup, why).into())
}

fn unreadable(path: &Path, setup: &Setup, why: std::io::Error) -> Failure {
    Failure::new("cannot read a seed file").at(setup.shown_file(path)).why(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_say_line_and_reason() {
        let said = |text: &str| {
            let (line, message) = fault(text);
            (line.unwrap_or_default(), message.unwrap_or_default())
        };
        assert_eq!(
            said(
                "psql:<stdin>:2: WARNING:  x\npsql:<stdin>:3: ERROR:  relation \"x\" does not exist\nLINE 1: …"
            ),
            ("3".to_owned(), "ERROR:  relation \"x\" does not exist".to_owned())
        );
        assert_eq!(
            said("ERROR 1146 (42S02) at line 2: Table 'stock.x' doesn't exist"),
            ("2".to_owned(), "Table 'stock.x' doesn't exist".to_owned())
        );
        assert_eq!(said("Error response from daemon"), (String::new(), String::new()));
    }

    #[test]
    fn a_file_is_recorded_under_its_services_first_name_whoever_else_has_the_login() {
        let target = Target {
            service: "core".to_owned(),
            first: "api".to_owned(),
            server: String::new(),
            container: String::new(),
            user: String::new(),
            password: String::new(),
            database: String::new(),
            tools: SeedTools::default(),
        };
        let file = File { name: "01.sql".to_owned(), path: PathBuf::new(), digest: "a".to_owned() };
        assert_eq!(record(&target, &file), "api/01.sql");
    }

    #[test]
    fn names_that_need_quotes_are_none() {
        assert!(is_plain("01-first_rows.v2.sql"));
        assert!(!is_plain("it's.sql") && !is_plain("a b.sql") && !is_plain("a\\b.sql"));
    }
}
