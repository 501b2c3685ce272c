//! Arguments and the one match that dispatches; knows no command from the inside.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::commands;
use crate::error::{self, Failure, Interrupted, Outcome, Result};
use crate::ui::{Ui, Verbosity};

/// What every command gets.
#[derive(Debug, Clone)]
pub struct Context {
    /// The monorepo, absolute.
    pub root: PathBuf,
    /// The setup's folder, absolute; `ROOT/integration` unless `--out` says otherwise.
    pub out: PathBuf,
    /// The environment: `dev`, `test` or a name of the user's.
    pub env: String,
    /// The streams.
    pub ui: Ui,
}

impl Context {
    /// The setup's folder as people see it: relative to the root where it lies in it.
    pub fn out_name(&self) -> String {
        self.out.strip_prefix(&self.root).unwrap_or(&self.out).display().to_string()
    }
}

/// Runs the program; prints an error once and sets the exit code.
pub fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let ui = Ui {
        verbosity: match (matches.get_flag("quiet"), matches.get_flag("verbose")) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        },
    };
    match context(&matches, ui).and_then(|context| dispatch(&context, &matches)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Ok(Outcome::Code(code)) => ExitCode::from(code),
        Err(error) => {
            if let Some(Interrupted(text)) = error.downcast_ref() {
                // Over the `^C` that the terminal has written.
                let lead = if ui.is_live() { "\r" } else { "" };
                ui.note(format_args!("{lead}{text}"));
                return ExitCode::from(130);
            }
            ui.error(error::render(&error));
            ExitCode::from(1)
        }
    }
}

/// The whole command line; also what `completions` reads.
pub fn command() -> Command {
    let flag = |name: &'static str, short: char, help: &'static str| {
        Arg::new(name).long(name).short(short).global(true).action(ArgAction::SetTrue).help(help)
    };
    let folder = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .global(true)
            .value_name("DIR")
            .value_parser(clap::value_parser!(PathBuf))
            .help(help)
    };
    Command::new("cargo xtask")
        .bin_name("cargo xtask")
        .about("Turns a monorepo of services into one runnable Docker Compose system, and runs it.")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(folder("root", "The monorepo [default: the workspace that this xtask belongs to]"))
        .arg(folder("out", "The setup's folder [default: ROOT/integration]"))
        .arg(flag("verbose", 'v', "Show each command before it runs").conflicts_with("quiet"))
        .arg(flag("quiet", 'q', "Problems only"))
        .subcommands(commands::ALL.iter().map(|entry| (entry.command)()))
}

fn dispatch(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let found = matches.subcommand().and_then(|(name, arguments)| {
        let entry = commands::ALL.iter().find(|entry| (entry.command)().get_name() == name)?;
        Some((entry, arguments))
    });
    let Some((entry, arguments)) = found else {
        return Err(Failure::new("no command given").fix("cargo xtask --help").into());
    };
    let mut context = context.clone();
    if let Ok(Some(env)) = arguments.try_get_one::<String>("env") {
        context.env = env.clone();
    }
    (entry.run)(&context, arguments)
}

fn context(matches: &ArgMatches, ui: Ui) -> Result<Context> {
    let root = match matches.get_one::<PathBuf>("root") {
        Some(root) => folder(root)?,
        None => workspace()?,
    };
    let out = match matches.get_one::<PathBuf>("out") {
        Some(out) => std::path::absolute(out)?,
        None => root.join("integration"),
    };
    Ok(Context { root, out, env: "dev".to_owned(), ui })
}

fn folder(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let real = path.canonicalize().map_err(|why| {
        Failure::new(format!("cannot open the monorepo `{shown}`"))
            .why(why)
            .fix("pass an existing folder to --root")
    })?;
    if !real.is_dir() {
        return Err(Failure::new(format!("`{shown}` is not a folder"))
            .fix("pass the monorepo's folder to --root")
            .into());
    }
    Ok(real)
}

/// The monorepo of the package that cargo runs; without cargo, the current folder.
fn workspace() -> Result<PathBuf> {
    match std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        Some(package) => folder(monorepo_of(&package)),
        None => folder(Path::new(".")),
    }
}

/// The workspace that a package belongs to. One that is a workspace for itself lies in a monorepo that is none.
fn monorepo_of(package: &Path) -> &Path {
    let workspace = |folder: &Path| manifest(folder)?.get("workspace").cloned();
    if let Some(own) = workspace(package) {
        let is_alone = own.get("members").is_none() && !package.join(".git").exists();
        return package.parent().filter(|_| is_alone).unwrap_or(package);
    }
    let above = || package.ancestors().skip(1);
    above()
        .find(|folder| workspace(folder).is_some())
        .or_else(|| above().find(|folder| folder.join("Cargo.toml").is_file()))
        .unwrap_or(package)
}

/// What cannot be read or is no TOML, cargo has refused already.
#[allow(clippy::disallowed_methods, reason = "the manifest says which folder the monorepo is")]
fn manifest(folder: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `Cargo.toml` files into folders below a temporary one.
    #[allow(clippy::disallowed_methods, reason = "a test writes its fixture")]
    fn tree(name: &str, manifests: &[(&str, &str)]) -> PathBuf {
        let home = std::env::temp_dir().join(format!("xtask-cli-{name}-{}", std::process::id()));
        for (folder, text) in manifests {
            std::fs::create_dir_all(home.join(folder)).unwrap();
            std::fs::write(home.join(folder).join("Cargo.toml"), text).unwrap();
        }
        home
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test removes its fixture")]
    fn the_monorepo_is_found_from_the_package() {
        let package = "[package]\nname = \"x\"\n";
        let own = "[package]\nname = \"x\"\n[workspace]\n";
        let own_with_members = "[package]\nname = \"x\"\n[workspace]\nmembers = [\"a\"]\n";
        let workspace = "[workspace]\nmembers = [\"tools/xtask\"]\n";
        let cases = [
            (
                "member",
                vec![("a", workspace), ("a/tools", package), ("a/tools/xtask", package)],
                "a/tools/xtask",
                "a",
            ),
            ("alone", vec![("a", workspace), ("a/b/xtask", own)], "a/b/xtask", "a/b"),
            ("root", vec![("a", own_with_members)], "a", "a"),
            ("package", vec![("a", package), ("a/xtask", package)], "a/xtask", "a"),
        ];
        for (name, manifests, from, root) in cases {
            let home = tree(name, &manifests);
            let found = monorepo_of(&home.join(from)).to_owned();
            std::fs::remove_dir_all(&home).unwrap();
            assert_eq!(found, home.join(root), "{name}");
        }
    }
}
