//! Creates and completes `.env` on disk; never rewrites what a person or an earlier run has put there.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use crate::error::{Failure, Failures, Result};
use crate::run::docker::{Docker, environment};
use crate::run::labels::{Labels, Role};
use crate::run::setup::{Setup, read_text};
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::{dotenv, state};
use crate::ui::{Ui, count, list};

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
            warn_of_readers(setup, &example, ui);
            let (text, added) = dotenv::complete(&setup.env_text, &example, &setup.project, random_hex)?;
            if !added.is_empty() {
                let mut secrets = made_up(&example);
                secrets.retain(|secret| added.contains(&secret.name));
                refuse_to_lock_out(docker, setup, &secrets)?;
                write(setup, text)?;
                let shown = setup.shown_file(&setup.env_file);
                ui.status("Updated", format_args!("{shown} (new: {})", list(&added)));
            }
        } else {
            let secrets = made_up(&example);
            refuse_to_lock_out(docker, setup, &secrets)?;
            let text = dotenv::create(&example, &setup.project, random_hex)?;
            write(setup, text)?;
            let shown = setup.shown_file(&setup.env_file);
            ui.status("Created", format_args!("{shown} ({} made up)", count(secrets.len(), "secret")));
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

/// The variables whose value `up` makes up.
fn made_up(example: &str) -> Vec<dotenv::Entry> {
    let mut secrets = dotenv::entries(example);
    secrets.retain(|entry| entry.generated().is_some());
    secrets
}

/// A volume may remember the secret it was made with: then these new ones would lock everybody out.
fn refuse_to_lock_out(docker: &Docker, setup: &Setup, secrets: &[dotenv::Entry]) -> Result<()> {
    if secrets.is_empty() || setup.files.is_empty() {
        return Ok(());
    }
    let existing = state::volumes(docker, &setup.project)?;
    if existing.is_empty() {
        return Ok(());
    }
    let example_setup = Setup { env_file: setup.out.join(EXAMPLE), ..setup.clone() };
    let spec = Spec::read(docker, &example_setup)?;
    let locked = locked_out(&spec, &existing, secrets);
    if locked.is_empty() {
        return Ok(());
    }
    let shown = setup.shown_file(&setup.env_file);
    let reset = setup.xtask(&format!("reset {}", locked.join(" ")));
    let failure =
        Failure::new(format!("{} has data that new passwords would lock out", list(&locked))).at(&shown);
    let names: Vec<&String> = secrets.iter().map(|secret| &secret.name).collect();
    let failure = match setup.env_file.is_file() {
        false => failure
            .why(format!(
                "`{shown}` is gone, and the volumes of `{}` remember the old passwords",
                setup.project
            ))
            .fix(format!("put the old {shown} back, or delete that data: {reset}")),
        true => failure
            .why(format!(
                "`{shown}` lacks {}, and the volumes of `{}` remember the old value",
                list(&names),
                setup.project
            ))
            .fix(format!("put the old line back, or delete that data: {reset}")),
    };
    Err(failure.into())
}

/// The services whose existing volumes remember one of these secrets: as their labels say, and where nothing is
/// labelled, all that take one, but PostgreSQL, whose setup sets the passwords anew.
fn locked_out<'a>(spec: &'a Spec, existing: &[String], secrets: &[dotenv::Entry]) -> Vec<&'a str> {
    let labelled = spec.services.iter().any(|service| service.labels != Labels::default());
    let remembers = |service: &&ServiceSpec| match labelled {
        true => secrets.iter().any(|secret| service.labels.remembers.contains(&secret.name)),
        false => {
            let takes = |value: &str| !value.is_empty() && service.values.contains(value);
            let name = service.image.rsplit('/').next().unwrap_or_default();
            service.role == Role::Component
                && name.split(':').next() != Some("postgres")
                && secrets.iter().any(|secret| takes(&secret.value))
        }
    };
    let has_data = |service: &&ServiceSpec| service.volumes.iter().any(|volume| existing.contains(volume));
    let locked = spec.services.iter().filter(has_data).filter(remembers);
    locked.map(|service| service.name.as_str()).collect()
}

/// Where the example marks values as secret, only the owner should be able to read what replaces them.
fn warn_of_readers(setup: &Setup, example: &str, ui: Ui) {
    let secret = |entry: &dotenv::Entry| entry.generated().is_some() || entry.third_party();
    if is_private(&setup.env_file) || !dotenv::entries(example).iter().any(secret) {
        return;
    }
    let shown = setup.shown_file(&setup.env_file);
    ui.warn(
        Failure::new(format!("others on this machine can read the secrets in `{shown}`"))
            .fix(format!("chmod 600 {shown}")),
    );
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
    fn only_data_that_remembers_a_new_secret_locks_out() {
        let secrets = dotenv::entries("ROOT_PASSWORD=root\nAPP_PASSWORD=app\n");
        let config = |labels: &str| {
            let service = |image: &str, labels: &str| {
                format!(
                    r#"{{"image":"{image}","environment":{{"P":"root"}},"labels":{{{labels}}},"volumes":[{{"type":"volume","source":"data"}}]}}"#
                )
            };
            let json = format!(
                r#"{{"services":{{"db":{},"maria":{}}},"volumes":{{"data":{{"name":"p_data"}}}}}}"#,
                service("docker.io/library/postgres:17", ""),
                service("mariadb:11.8", labels)
            );
            Spec::parse(&json, "p").unwrap()
        };
        let existing = ["p_data".to_owned()];
        assert_eq!(locked_out(&config(""), &existing, &secrets), ["maria"]);
        assert_eq!(
            locked_out(&config(r#""xtask.remembers":"A ROOT_PASSWORD""#), &existing, &secrets),
            ["maria"]
        );
        assert_eq!(
            locked_out(&config(r#""xtask.remembers":"A ROOT_PASSWORD""#), &existing, &secrets[1..]),
            Vec::<&str>::new()
        );
        assert_eq!(
            locked_out(&config(r#""xtask.role":"component""#), &existing, &secrets),
            Vec::<&str>::new()
        );
        assert_eq!(locked_out(&config(""), &["other".to_owned()], &secrets), Vec::<&str>::new());
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
