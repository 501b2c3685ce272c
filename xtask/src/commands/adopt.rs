//! `adopt`: puts these commands into another monorepo; decides nothing itself and overwrites nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::adopt::{self, Adoption, Ci, FOLDER, Found, Home, Source, Wish, lock as lock_file};
use crate::apply::folder::Folder;
use crate::apply::plan::{Action, Base, Plan, Step};
use crate::apply::text::Text;
use crate::apply::{current, diff, lock, write};
use crate::cli::Context;
use crate::commands::pipeline::relative;
use crate::discover::root_builds;
use crate::error::{Failure, Outcome, Result};
use crate::repo::Repo;
use crate::run::docker::{Invocation, path_arg};
use crate::ui::Ui;

const HELP: &str = "Put these commands into another monorepo.

Writes a small package `xtask` that calls this library, the alias `cargo xtask`, and the membership in the monorepo's \
Cargo workspace. Where there is none, or images are built from it, the package gets a workspace of its own: cargo \
would want the library in those images, too. Nothing that is there is overwritten; where a place is taken, nothing is \
written at all, and the answer says what to write there by hand.

In a package with a workspace of its own, `cargo xtask` works from the monorepo's root only.";

/// The arguments.
pub fn command() -> Command {
    Command::new("adopt")
        .about("Put these commands into another monorepo")
        .long_about(HELP)
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("The other monorepo"),
        )
        .arg(
            Arg::new("git").long("git").value_name("URL").help(
                "Compile the commands from a git repository [default: from the folder of this checkout]",
            ),
        )
        .arg(Arg::new("rev").long("rev").value_name("COMMIT").requires("git").help("Which commit of it"))
        .arg(
            Arg::new("ci")
                .long("ci")
                .value_parser(Ci::WORDS)
                .help("Add a job that runs `integrate --check` and `test`"),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Write nothing; print what would change, as a diff"),
        )
}

/// Runs it.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let ui = context.ui;
    let shown = arguments.get_one::<PathBuf>("dir").cloned().unwrap_or_default();
    let dir = open(&shown)?;
    let folder = Folder::new(&dir, shown.display().to_string());
    let within = Folder::new(dir.join(FOLDER), folder.show(FOLDER));
    let _lock = lock::take(&within, || ui.status("Waiting", format!("for another run in {}", folder.shown)))?;
    let found = read(&folder, &dir)?;
    let wish = Wish {
        source: source(&dir, arguments)?,
        ci: arguments.get_one::<String>("ci").and_then(|word| Ci::of(word)),
        lock: tested_versions()?,
    };
    let adoption = adopt::adopt(&found, &wish)?;
    let plan = plan(&folder, &adoption);
    let has_lock = lock_file::knows(current::file(&folder, adoption.lock())?.as_deref(), &adoption.package);
    if arguments.get_flag("dry-run") {
        show(ui, &folder, &plan, true);
        ui.data(diff::unified(&folder, &without_lock(plan)).trim_end());
        ui.note("nothing was written");
        return Ok(Outcome::Done);
    }
    write::write(&folder, &plan)?;
    show(ui, &folder, &plan, false);
    if !has_lock {
        complete_lock(ui, &folder, &adoption)?;
    }
    finish(ui, &folder, &wish, plan.changes_anything() || !has_lock);
    Ok(Outcome::Done)
}

fn open(shown: &Path) -> Result<PathBuf> {
    let name = shown.display();
    let dir = shown.canonicalize().map_err(|why| {
        Failure::new(format!("cannot open the monorepo `{name}`")).why(why).fix("pass an existing folder")
    })?;
    if !dir.is_dir() {
        return Err(Failure::new(format!("`{name}` is not a folder"))
            .fix("pass the monorepo's folder")
            .into());
    }
    if ours().parent() == Some(&dir) {
        return Err(Failure::new(format!("`{name}` has the commands: they are developed there"))
            .fix("pass another monorepo's folder")
            .into());
    }
    Ok(dir)
}

/// The folder of the library, as it was compiled.
fn ours() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(dir: &Path, arguments: &ArgMatches) -> Result<Source> {
    let argument = |name: &str| arguments.get_one::<String>(name).cloned();
    if let Some(url) = argument("git") {
        return Ok(Source::Git { url, rev: argument("rev") });
    }
    let is_lasting = ours().join("Cargo.toml").is_file()
        && !ours().components().any(|part| part.as_os_str() == "checkouts");
    if !is_lasting {
        return Err(Failure::new("the sources of these commands are not here to stay")
            .why(format!("they were compiled in `{}`", ours().display()))
            .fix("name their repository with `--git URL`")
            .into());
    }
    let inside = ours().parent().and_then(|home| home.strip_prefix(dir).ok());
    let shared = ours().ancestors().find(|folder| dir.starts_with(folder));
    // From a common folder on, the way is the same on machines with the same checkouts.
    let is_near = shared.is_some_and(|shared| shared.components().count() > 1);
    let path = if is_near { relative(&dir.join(FOLDER), ours()) } else { path_arg(ours()) };
    Ok(Source::Path { path, inside: inside.map(path_arg) })
}

/// The lock file of the library's own workspace, where its sources are.
fn tested_versions() -> Result<Option<String>> {
    match ours().parent() {
        Some(home) => current::file(&Folder::new(home, path_arg(home)), "Cargo.lock"),
        None => Ok(None),
    }
}

fn read(folder: &Folder, dir: &Path) -> Result<Found> {
    let mut files = BTreeMap::new();
    for name in adopt::READ {
        if let Some(text) = current::file(folder, name)? {
            // Line ends are no content; they are written as they were.
            files.insert((*name).to_owned(), Text::new(&text).body);
        }
    }
    let builds = root_builds(&Repo::open(dir)?);
    Ok(Found {
        shown: folder.shown.clone(),
        name: dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        files,
        builds: builds.manifest,
        copies_all: builds.everything,
    })
}

fn plan(folder: &Folder, adoption: &Adoption) -> Plan {
    let steps = adoption.edits.iter().map(|edit| {
        let raw = current::file(folder, &edit.name).ok().flatten();
        let after = match &raw {
            Some(raw) => Text::new(raw).write_like(&edit.after),
            None => edit.after.clone(),
        };
        let action = match &raw {
            None => Action::Create,
            Some(raw) if *raw == after => Action::Unchanged,
            Some(_) => Action::Merge,
        };
        Step {
            name: edit.name.clone(),
            action,
            cause: edit.cause.clone(),
            before: raw,
            after: Some(after),
            base: Base::Keep,
            conflicts: Vec::new(),
            notes: Vec::new(),
        }
    });
    let steps: Vec<Step> = steps.collect();
    let leftovers = steps.iter().filter_map(|step| current::leftover(folder, &step.name)).collect();
    Plan { steps, open: None, leftovers }
}

/// A lock file is long, and nobody reads it.
fn without_lock(mut plan: Plan) -> Plan {
    plan.steps.retain(|step| !step.name.ends_with("Cargo.lock"));
    plan
}

fn show(ui: Ui, folder: &Folder, plan: &Plan, planned: bool) {
    for step in plan.shown() {
        let verb = if planned { step.action.planned() } else { step.action.done() };
        ui.status(verb, format!("{} ({})", folder.show(&step.name), step.cause));
    }
}

/// Lets cargo add the package to its lock file: from what this machine has, else from the registry.
fn complete_lock(ui: Ui, folder: &Folder, adoption: &Adoption) -> Result<()> {
    let before = current::file(folder, adoption.lock())?;
    let cargo = Invocation::program(ui, "cargo")?.in_folder(&folder.path).args([
        "update",
        "--workspace",
        "--manifest-path",
        adoption.manifest(),
    ]);
    if cargo.clone().arg("--offline").output()?.code != 0 {
        let output = cargo.output()?;
        if output.code != 0 {
            return Err(Failure::new("the lock file could not be completed; everything else is written")
                .at(folder.show(adoption.lock()))
                .why(format!("$ {cargo}"))
                .why(output.stderr.trim())
                .fix(format!("in {}: {cargo}", folder.shown))
                .into());
        }
    }
    let after = current::file(folder, adoption.lock())?.unwrap_or_default();
    // What a new lock file was begun with is no news.
    if matches!(adoption.home, Home::Joined) {
        let said = lock_file::difference(before.as_deref().unwrap_or_default(), &after);
        ui.status("Updated", format!("{} ({said})", folder.show(adoption.lock())));
    } else if before.is_none() {
        ui.status("Created", folder.show(adoption.lock()));
    }
    Ok(())
}

fn finish(ui: Ui, folder: &Folder, wish: &Wish, changed: bool) {
    if !changed {
        ui.status("Fresh", format!("{} has the commands", folder.shown));
        return;
    }
    if let Source::Path { inside: None, path } = &wish.source {
        ui.warn(
            Failure::new("the commands are compiled from a folder outside of the monorepo")
                .at(folder.show("xtask/Cargo.toml"))
                .why(format!("other machines need it too, at `{path}`"))
                .fix("name a repository with `--git URL`, so that they can fetch it"),
        );
    }
    ui.status("Finished", format!("{} has the commands; next, in its root: cargo xtask up", folder.shown));
}
