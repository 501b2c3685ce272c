//! Creates and completes `.env` on disk; never rewrites what a person or an earlier run has put there.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use crate::error::{Failure, Failures, Result};
use crate::run::docker::{Docker, environment};
use crate::run::labels::Role;
use crate::run::setup::{Setup, read_text};
use crate::run::spec::Spec;
use crate::run::{dotenv, state};
use crate::ui::{Ui, list};

/// The file that every `.env` starts from.
pub const EXAMPLE: &str = ".env.example";

/// Brings the env file of the setup up to date: created at first, later completed; nothing where there is no example.
///
/// # Errors
/// When data exists that new passwords would lock out, or when a file cannot be read or written.
pub fn prepare(docker: &Docker, setup: &mut Setup, ui: Ui) -> Result<()> {
    let example_file = setup.out.join(EXAMPLE);
    if let Some(example) = read_text(&example_file)? {
        if setup.env_file.is_file() {
            let (text, added) = dotenv::complete(&setup.env_text, &example, &setup.project, random_hex)?;
            if !added.is_empty() {
                write(setup, text)?;
                let shown = setup.shown_file(&setup.env_file);
                ui.status("Updated", format_args!("{shown} (new: {})", list(&added)));
            }
        } else {
            refuse_to_lock_out(docker, setup, &example)?;
            let text = dotenv::create(&example, &setup.project, random_hex)?;
            let made_up =
                dotenv::entries(&example).iter().filter(|entry| entry.generated().is_some()).count();
            write(setup, text)?;
            let shown = setup.shown_file(&setup.env_file);
            ui.status("Created", format_args!("{shown} ({} made up)", crate::ui::count(made_up, "secret")));
        }
    }
    warn_of_shadows(setup, ui);
    Ok(())
}

/// Replaces the env file by this text: for its owner only, whole or not at all.
///
/// # Errors
/// When the folder cannot be written to.
#[allow(
    clippy::disallowed_methods,
    reason = "the one file that run owns, with a mode that apply::write does not give"
)]
pub fn write(setup: &mut Setup, text: String) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = &setup.env_file;
    let temporary = file.with_file_name(format!(".env.tmp-{}", std::process::id()));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut open| {
            open.write_all(text.as_bytes())?;
            open.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, file));
    if let Err(why) = written {
        let _ = std::fs::remove_file(&temporary);
        return Err(Failure::new("cannot write the variables").at(setup.shown_file(file)).why(why).into());
    }
    setup.env_text = text;
    Ok(())
}

/// All variables that the files demand (`${NAME:?…}`) and nothing gives.
///
/// # Errors
/// When there are such.
pub fn check_complete(setup: &Setup) -> Result<()> {
    Failures::check(missing(setup)?, "nothing was started")
}

/// One failure for each variable that the files demand and nothing gives.
///
/// # Errors
/// When a file cannot be read.
pub fn missing(setup: &Setup) -> Result<Vec<Failure>> {
    let mut missing = Vec::new();
    for file in &setup.files {
        let text = read_text(file)?.unwrap_or_default();
        for (name, line) in demanded(&text) {
            let value = environment(&name).or_else(|| dotenv::value(&setup.env_text, &name));
            if value.is_some_and(|value| !value.is_empty()) {
                continue;
            }
            let known = missing.iter().any(|failure: &Failure| failure.what.contains(&format!("`{name}`")));
            if !known {
                let env_file = setup.shown_file(&setup.env_file);
                missing.push(
                    Failure::new(format!("the variable `{name}` is not set"))
                        .at(format!("{}:{line}", setup.shown_file(file)))
                        .fix(format!("add a line {name}=… to {env_file}")),
                );
            }
        }
    }
    Ok(missing)
}

/// Names of all variables that the files take: `${NAME…}` and `$NAME`.
///
/// # Errors
/// When a file cannot be read.
pub fn used(setup: &Setup) -> Result<BTreeSet<String>> {
    let mut used = BTreeSet::new();
    for file in &setup.files {
        let text = read_text(file)?.unwrap_or_default();
        for (start, _) in text.match_indices('$') {
            let rest = text[start + 1..].trim_start_matches('{');
            let length =
                rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            used.insert(rest[..length].to_owned());
        }
    }
    Ok(used)
}

/// Third parties' variables that nobody has filled yet.
///
/// # Errors
/// When the example cannot be read.
pub fn open_placeholders(setup: &Setup) -> Result<Vec<dotenv::Entry>> {
    let example = read_text(&setup.out.join(EXAMPLE))?.unwrap_or_default();
    let mut open = dotenv::placeholders(&setup.env_text, &example);
    let mine = dotenv::entries(&setup.env_text);
    for entry in &mut open {
        entry.line = mine.iter().rfind(|own| own.name == entry.name).map_or(0, |own| own.line);
    }
    Ok(open)
}

/// Names and lines of `${NAME:?…}` and `${NAME?…}`.
fn demanded(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line.split(" #").next().unwrap_or_default();
        while let Some((before, after)) = rest.split_once("${") {
            let escaped = before.ends_with('$');
            let length =
                after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let (name, tail) = after.split_at(length);
            if !escaped && (tail.starts_with(":?") || tail.starts_with('?')) {
                found.push((name.to_owned(), index + 1));
            }
            rest = tail;
        }
    }
    found
}

/// A volume remembers the password it was made with. PostgreSQL's setup mends that; others would lock us out.
fn refuse_to_lock_out(docker: &Docker, setup: &Setup, example: &str) -> Result<()> {
    let existing = state::volumes(docker, &setup.project)?;
    if existing.is_empty() || setup.files.is_empty() {
        return Ok(());
    }
    let example_setup = Setup { env_file: setup.out.join(EXAMPLE), ..setup.clone() };
    let spec = Spec::read(docker, &example_setup)?;
    let secrets: Vec<String> = dotenv::entries(example)
        .into_iter()
        .filter(|entry| entry.generated().is_some())
        .map(|entry| entry.value)
        .collect();
    let locked: Vec<&str> = spec
        .services
        .iter()
        .filter(|service| service.role == Role::Component && service.labels.kind != "postgres")
        .filter(|service| service.volumes.iter().any(|volume| existing.contains(volume)))
        .filter(|service| secrets.iter().any(|secret| !secret.is_empty() && service.values.contains(secret)))
        .map(|service| service.name.as_str())
        .collect();
    if locked.is_empty() {
        return Ok(());
    }
    let shown = setup.shown_file(&setup.env_file);
    Err(Failure::new(format!("{} has data that new passwords would lock out", list(&locked)))
        .at(&shown)
        .why(format!("`{shown}` is gone, and the volumes of `{}` remember the old passwords", setup.project))
        .fix(format!(
            "put the old {shown} back, or delete that data: {}",
            setup.xtask(&format!("reset {}", locked.join(" ")))
        ))
        .into())
}

fn warn_of_shadows(setup: &Setup, ui: Ui) {
    let mut shadowed: Vec<String> = dotenv::entries(&setup.env_text)
        .into_iter()
        .filter(|entry| entry.name != dotenv::PROJECT_VARIABLE)
        .filter(|entry| environment(&entry.name).is_some_and(|value| value != entry.value))
        .map(|entry| entry.name)
        .collect();
    shadowed.dedup();
    if shadowed.is_empty() {
        return;
    }
    let shown = setup.shown_file(&setup.env_file);
    let quoted: Vec<String> = shadowed.iter().map(|name| format!("`{name}`")).collect();
    ui.warn(
        Failure::new(format!("the shell's {} counts instead of the one in `{shown}`", list(&quoted)))
            .fix(format!("unset {}", shadowed.join(" "))),
    );
}

/// That many random lower-case hex digits.
fn random_hex(digits: usize) -> Result<String> {
    let mut bytes = vec![0u8; digits.div_ceil(2)];
    getrandom::fill(&mut bytes).map_err(|why| Failure::new("cannot get random bytes").why(why))?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    Ok(text)
}

/// Whether the file is readable by its owner only.
pub fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.permissions().mode().trailing_zeros() >= 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demanded_variables_are_found_with_their_lines() {
        let text = "a: ${A:?set it} ${B:-x}\nb: \"$${NOT:?x}\" # ${C:?comment}\nc: ${D?}${E}\n";
        assert_eq!(demanded(text), [("A".to_owned(), 1), ("D".to_owned(), 3)]);
    }

    #[test]
    fn random_values_have_the_length_asked_for() {
        for digits in [1, 16, 33] {
            let value = random_hex(digits).unwrap();
            assert_eq!(value.len(), digits);
            assert!(value.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
        }
        assert_ne!(random_hex(32).unwrap(), random_hex(32).unwrap());
    }
}
