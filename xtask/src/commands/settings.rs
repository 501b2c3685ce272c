//! `--set` and `--unset`: puts decisions into the text of `config.yaml` and reads the monorepo with it; writes nothing.

use clap::{Arg, ArgAction, ArgMatches};

use crate::apply::current;
use crate::apply::folder::Folder;
use crate::apply::merge::edit;
use crate::apply::text::{Text, body};
use crate::cli::Context;
use crate::commands::pipeline::Pipeline;
use crate::config::keys::Setting;
use crate::config::{self};
use crate::error::{Failure, Failures, Result};
use crate::ui::list;

/// The name of the file in the setup's folder.
pub(crate) const CONFIG: &str = "config.yaml";

/// `--set KEY=VALUE` and `--unset KEY`.
pub(crate) fn arguments() -> [Arg; 2] {
    let repeated = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
    [
        repeated("set")
            .value_name("KEY=VALUE")
            .help("Set a key of config.yaml and apply it; can be repeated"),
        repeated("unset").value_name("KEY").help("Remove a key from config.yaml: back to what is found"),
    ]
}

/// All of them, those that set first.
///
/// # Errors
/// Every unknown key and every wrong value at once.
pub(crate) fn given(arguments: &ArgMatches) -> Result<Vec<Setting>> {
    let values = |name: &str| arguments.get_many::<String>(name).into_iter().flatten();
    let read =
        values("set").map(|text| Setting::set(text)).chain(values("unset").map(|text| Setting::unset(text)));
    let (mut settings, mut failures) = (Vec::new(), Vec::new());
    for setting in read {
        match setting {
            Ok(setting) => settings.push(setting),
            Err(error) => failures.push(failure(error)),
        }
    }
    Failures::check(failures, "nothing was written")?;
    Ok(settings)
}

/// The monorepo as read with the settings, and the text of `config.yaml` with them; `None` where they change nothing.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) pipeline: Pipeline,
    pub(crate) config: Option<(String, String)>,
}

/// Reads the monorepo as if `config.yaml` said what is set.
///
/// # Errors
/// Where `config.yaml` cannot be edited, or the monorepo cannot be planned with it.
pub(crate) fn read(context: &Context, settings: &[Setting]) -> Result<Changed> {
    if settings.is_empty() {
        return Ok(Changed { pipeline: Pipeline::run(context)?, config: None });
    }
    let folder = Folder::new(&context.out, context.out_name());
    let old = current::file(&folder, CONFIG)?;
    let name = folder.show(CONFIG);
    let text = edited(&name, old.as_deref().unwrap_or_default(), settings)?;
    let pipeline = Pipeline::with_config(context, Some(&text))
        .map_err(|error| blame(error, settings, &name, old.as_deref().unwrap_or_default(), &text))?;
    let text = match old {
        Some(_) => text,
        // The first one comes with everything commented out, as it would without `--set`.
        None => edited(&name, pipeline.files().get(CONFIG).unwrap_or_default(), settings)?,
    };
    let words: Vec<String> = settings.iter().map(said).collect();
    Ok(Changed { pipeline, config: Some((text, format!("you {}", list(&words)))) })
}

fn said(setting: &Setting) -> String {
    match &setting.value {
        Some(value) => format!("set {} to {value}", setting.key()),
        None => format!("unset {}", setting.key()),
    }
}

/// The text with all settings, in the line ends that it has.
///
/// # Errors
/// Where the text cannot be edited safely.
pub(crate) fn edited(name: &str, old: &str, settings: &[Setting]) -> Result<String> {
    let style = Text::new(old);
    let mut text = style.body.clone();
    for setting in settings {
        let path: Vec<&str> = setting.path.iter().map(String::as_str).collect();
        let next = match &setting.value {
            Some(value) => edit::set(&text, &path, value),
            None => edit::unset(&text, &path),
        };
        text = next.map_err(|why| {
            Failure::new(format!("`{}` cannot be set in {name}", setting.key()))
                .at(config::place(name, &text, &path))
                .why(why)
                .fix("write it there by hand")
        })?;
    }
    Ok(style.write_like(&body(&text)))
}

/// What is wrong with a line that a setting has put there is wrong with the setting: the file has no such line yet.
fn blame(error: anyhow::Error, settings: &[Setting], name: &str, old: &str, new: &str) -> anyhow::Error {
    let mut failure = match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => return error,
    };
    for place in &mut failure.at {
        for setting in settings {
            let path: Vec<&str> = setting.path.iter().map(String::as_str).collect();
            let new_above =
                (1..=path.len()).filter(|n| *n == path.len() || !edit::has(old, &path[..*n]).unwrap_or(true));
            if new_above.into_iter().any(|n| config::place(name, new, &path[..n]) == *place) {
                place.clone_from(&setting.given);
            }
        }
    }
    failure.into()
}

fn failure(error: anyhow::Error) -> Failure {
    error.downcast().unwrap_or_else(|error| Failure::new("cannot read the settings").why(error))
}
