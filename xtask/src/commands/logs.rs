//! `logs`: what all or some services print, in the order of time.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use regex::Regex;

use crate::cli::Context;
use crate::commands::env_arg;
use crate::commands::project::{Project, check_names, services_arg, values};
use crate::error::{Failure, Outcome, Result};
use crate::run::docker::Invocation;
use crate::run::log_lines::{self, Line};
use crate::run::{duration, preflight, signals};
use crate::ui::{Ui, tinted};

/// How long `-f` waits for a line before it looks at the signals.
const TICK: Duration = Duration::from_millis(100);

/// The arguments of `logs`.
pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("logs")
        .about("Show what the services print, in the order of time")
        .arg(services_arg("Only these [default: all]"))
        .arg(
            Arg::new("follow")
                .short('f')
                .long("follow")
                .action(ArgAction::SetTrue)
                .help("Go on until Ctrl-C"),
        )
        .arg(text("since", "D", "Only what is younger than 90s, 5m …"))
        .arg(text("tail", "N", "Only the last N lines of each").value_parser(clap::value_parser!(u32)))
        .arg(text("grep", "REGEX", "Only lines that match; `(?i)` in front ignores case"))
        .arg(env_arg())
}

/// Runs `logs`: by the project's label, so that no file and no variable can be in its way.
///
/// # Errors
/// When there is no such service, or the engine does not answer.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let project = Project::open(context)?;
    let names = values(matches, "service");
    let since = matches.get_one::<String>("since").map(|text| duration::parse(text)).transpose()?;
    let pattern = matches.get_one::<String>("grep").map(|text| pattern(text)).transpose()?;
    preflight::engine(&project.docker)?;
    let known = project.running_services()?;
    if known.is_empty() {
        return Err(Failure::new(format!("`{}` has no containers", project.setup.project))
            .fix(project.setup.xtask("up"))
            .into());
    }
    check_names(&names, &known.iter().map(String::as_str).collect::<Vec<_>>(), "service")?;
    let mut command = project.by_label().args(["logs", "--no-color", "--timestamps"]);
    if let Some(since) = since {
        command = command.args(["--since".to_owned(), format!("{}ms", since.as_millis())]);
    }
    if let Some(tail) = matches.get_one::<u32>("tail") {
        command = command.args(["--tail".to_owned(), tail.to_string()]);
    }
    let screen =
        Screen { ui: context.ui, shown: if names.is_empty() { known } else { names.clone() }, pattern };
    if matches.get_flag("follow") {
        return screen.follow(&command.arg("--follow").args(names));
    }
    let command = command.args(names);
    let output = command.output()?;
    if output.code != 0 {
        return Err(command.failure(&output));
    }
    screen.show(output.stdout.lines());
    Ok(Outcome::Done)
}

fn pattern(text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|why| {
        let why = why.to_string();
        let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Failure::new("--grep holds no regular expression")
            .why(last)
            .fix("put a `\\` before what means itself")
            .into()
    })
}

/// How lines are shown.
struct Screen {
    ui: Ui,
    /// The services, for widths and colours.
    shown: Vec<String>,
    pattern: Option<Regex>,
}

impl Screen {
    /// Shows lines as Compose prints them, in the order of their times; whether anybody still reads.
    fn show<'l>(&self, lines: impl Iterator<Item = &'l str>) -> bool {
        let width = self.shown.iter().map(String::len).max().unwrap_or_default();
        let wanted =
            |line: &Line<'_>| self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(line.text));
        log_lines::in_time_order(lines).into_iter().filter(wanted).all(|line| {
            let place = self.shown.iter().position(|name| name == line.service).unwrap_or_default();
            let service = tinted(&format!("{:width$} |", line.service), place);
            self.ui.stream(format_args!("{service} {}", line.text))
        })
    }

    /// Goes on until Ctrl-C, the end of all containers, or until nobody reads any more.
    fn follow(&self, command: &Invocation) -> Result<Outcome> {
        let child = command.start()?;
        loop {
            let lines = child.new_lines(TICK);
            // What was printed before comes container by container: a moment later all of it is there.
            let lines = if lines.is_empty() { lines } else { [lines, child.new_lines(TICK)].concat() };
            // Ctrl-C is how one stops reading: no news about what runs.
            if signals::received() {
                return Ok(Outcome::Code(130));
            }
            if !self.show(lines.iter().map(String::as_str)) {
                return Ok(Outcome::Done);
            }
            if let Some(code) = child.ended().filter(|_| lines.is_empty()) {
                return Ok(if code == 0 {
                    Outcome::Done
                } else {
                    Outcome::Code(u8::try_from(code).unwrap_or(1))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_none_is_refused_with_the_reason() {
        assert_eq!(
            pattern("a(b").unwrap_err().to_string(),
            "--grep holds no regular expression\n  why: unclosed group\n  fix: put a `\\` before what means itself"
        );
        assert!(pattern("(?i)error|warn").unwrap().is_match("an ERROR"));
    }
}
