//! `integrate`: reads the monorepo and brings the setup up to date; never overwrites an edit.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::apply::decide::{Action, Options, Plan, Side, Take, decide};
use crate::apply::{current, diff, lock, write};
use crate::cli::Context;
use crate::commands::pipeline::Pipeline;
use crate::commands::settings::{self, Changed};
use crate::commands::{compatibility, report, review};
use crate::error::{Failure, Outcome, Result};
use crate::ui::count;

/// The arguments.
pub fn command() -> Command {
    Command::new("integrate")
        .about("Generate or update the Docker Compose setup")
        .arg(Arg::new("mode").long("mode").value_parser(["new", "update", "review"]).help(
            "new where there is no setup, else update; review explains and asks [default: new or update]",
        ))
        .arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("Write nothing; exit 1 with the diff when anything would change"),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .conflicts_with("check")
                .help("Write nothing; print what would change and why"),
        )
        .arg(
            Arg::new("take")
                .long("take")
                .num_args(2)
                .action(ArgAction::Append)
                .value_names(["mine|generated", "FILE:KEY"])
                .help("Settle a conflict for one side"),
        )
        .args(settings::arguments())
}

/// Runs it.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let ui = context.ui;
    let take = takes(arguments)?;
    let settings = settings::given(arguments)?;
    let mode = arguments.get_one::<String>("mode").map(String::as_str);
    let (check, dry) = (arguments.get_flag("check"), arguments.get_flag("dry-run"));
    refuse_wrong_mode(context, mode)?;
    let folder = crate::apply::folder::Folder::new(&context.out, context.out_name());
    let _lock = lock::take(&folder, || ui.status("Waiting", format!("for another run on {}", folder.shown)))?;
    if mode == Some("review") && !check {
        return review::run(context, &take, settings, dry);
    }
    let Changed { pipeline, config } = settings::read(context, &settings)?;
    let plan = plan(&pipeline, &Options { take, config, ..Options::default() })?;
    if check {
        return Ok(checked(context, &pipeline, &plan));
    }
    carry_out(context, &pipeline, &plan, dry)
}

/// Writes what was planned and reports it; with `dry`, only says what it would be.
///
/// # Errors
/// Where the setup's folder cannot be written to.
pub(super) fn carry_out(context: &Context, pipeline: &Pipeline, plan: &Plan, dry: bool) -> Result<Outcome> {
    let ui = context.ui;
    if !dry {
        write::write(&pipeline.folder, plan)?;
    }
    show_steps(context, plan, dry);
    compatibility::report(context, pipeline, plan);
    report::problems(ui, &pipeline.stack);
    if dry {
        ui.note("nothing was written");
        return Ok(Outcome::Done);
    }
    ui.note(report::summary(&pipeline.stack, &pipeline.folder.shown, plan.changes_anything()));
    Ok(conflicts(context, plan))
}

/// Generates the setup where there is none, and warns where it is stale; changes no existing setup.
///
/// # Errors
/// When there is none and none can be generated.
pub fn ensure(context: &Context) -> Result<()> {
    let ui = context.ui;
    let folder = crate::apply::folder::Folder::new(&context.out, context.out_name());
    let exists = context.out.join("docker-compose.yml").exists();
    let _lock = lock::take(&folder, || ui.status("Waiting", format!("for another run on {}", folder.shown)))?;
    let pipeline = match Pipeline::run(context) {
        // What lies there can run though the repository cannot be read just now.
        Err(error) if exists => {
            ui.warn(format!("cannot tell whether the setup is up to date\n  why: {error:#}"));
            return Ok(());
        }
        result => result?,
    };
    let plan = plan(&pipeline, &Options::default())?;
    if exists {
        if plan.changes_anything() {
            ui.warn(Failure::new("the setup is not up to date with the code").fix("cargo xtask integrate"));
        }
        return Ok(());
    }
    write::write(&pipeline.folder, &plan)?;
    show_steps(context, &plan, false);
    report::problems(ui, &pipeline.stack);
    Ok(())
}

/// Brings an existing setup up to date, as `integrate` without arguments does, and says only what changed.
///
/// # Errors
/// As [`run`].
pub fn update(context: &Context) -> Result<()> {
    let folder = crate::apply::folder::Folder::new(&context.out, context.out_name());
    let _lock =
        lock::take(&folder, || context.ui.status("Waiting", format!("for another run on {}", folder.shown)))?;
    let pipeline = Pipeline::run(context)?;
    let plan = plan(&pipeline, &Options::default())?;
    if plan.changes_anything() {
        write::write(&pipeline.folder, &plan)?;
        show_steps(context, &plan, false);
    }
    Ok(())
}

/// What would happen to each file.
///
/// # Errors
/// Where a file of the setup cannot be read, or `--take` names nothing.
pub(super) fn plan(pipeline: &Pipeline, options: &Options) -> Result<Plan> {
    let (quiet, new) = (pipeline.quiet_files(), pipeline.files());
    let current = current::read(&pipeline.folder, &new)?;
    let options = &Options { renamed: pipeline.earlier_names(), ..options.clone() };
    let plan = decide(&current, &quiet, options)?;
    if plan.changes_anything() { decide(&current, &new, options) } else { Ok(plan) }
}

fn takes(arguments: &ArgMatches) -> Result<Vec<Take>> {
    let Some(pairs) = arguments.get_occurrences::<String>("take") else { return Ok(Vec::new()) };
    pairs
        .map(|mut pair| {
            let side = pair.next().map(String::as_str).unwrap_or_default();
            let place = pair.next().map(String::as_str).unwrap_or_default();
            let take = Take::parse(side, place)?;
            debug_assert!(matches!(take.side, Side::Mine | Side::Generated));
            Ok(take)
        })
        .collect()
}

fn refuse_wrong_mode(context: &Context, mode: Option<&str>) -> Result<()> {
    let compose = context.out.join("docker-compose.yml");
    let shown = format!("{}/docker-compose.yml", context.out_name());
    match (mode, compose.exists()) {
        (Some("new"), true) => Err(Failure::new("there is a setup already")
            .at(shown)
            .fix("cargo xtask integrate --mode update")
            .into()),
        (Some("update"), false) => Err(Failure::new("there is no setup to update")
            .at(shown)
            .fix("cargo xtask integrate --mode new")
            .into()),
        _ => Ok(()),
    }
}

fn checked(context: &Context, pipeline: &Pipeline, plan: &Plan) -> Outcome {
    if !plan.changes_anything() {
        context.ui.status("Fresh", format!("{} is up to date", pipeline.folder.shown));
        return Outcome::Done;
    }
    context.ui.data(diff::unified(&pipeline.folder, plan).trim_end());
    let changed = plan.steps.iter().filter(|step| step.before != step.after).count();
    context.ui.error(
        Failure::new(format!(
            "{} is not up to date: {} would change",
            pipeline.folder.shown,
            count(changed, "file")
        ))
        .fix("cargo xtask integrate"),
    );
    Outcome::No
}

pub(super) fn show_steps(context: &Context, plan: &Plan, planned: bool) {
    for step in plan.shown().filter(|step| !step.name.starts_with(".generated/")) {
        let verb = if planned { step.action.planned() } else { step.action.done() };
        let name = format!("{}/{}", context.out_name(), step.name);
        let cause = if step.cause.is_empty() { String::new() } else { format!(" ({})", step.cause) };
        context.ui.status(verb, format!("{name}{cause}"));
        for note in &step.notes {
            context.ui.note(format!("             {note}"));
        }
    }
    let quiet = plan.steps.iter().all(|step| step.action == Action::Unchanged);
    if quiet && !plan.changes_anything() {
        context.ui.status("Fresh", format!("{} is up to date", context.out_name()));
    }
}

fn conflicts(context: &Context, plan: &Plan) -> Outcome {
    let mut found = false;
    for (file, conflict) in plan.conflicts() {
        found = true;
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "(deleted)".to_owned());
        context.ui.warn(
            Failure::new(format!("both you and the generator changed `{}`; yours stays", conflict.key))
                .at(format!("{}/{file}", context.out_name()))
                .why(format!("yours: {}", side(&conflict.mine)))
                .why(format!("generated: {}", side(&conflict.generated)))
                .fix(format!("cargo xtask integrate --take generated {}", conflict.place(file))),
        );
    }
    if found { Outcome::No } else { Outcome::Done }
}
