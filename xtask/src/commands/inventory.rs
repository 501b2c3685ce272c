//! `inventory`: everything that was found, without writing.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::pipeline::Pipeline;
use crate::commands::report;
use crate::error::{Failure, Outcome, Result};

/// The arguments.
pub fn command() -> Command {
    Command::new("inventory")
        .about("Show the services, what they need, and every problem found")
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON, version 1"))
}

/// Runs it.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    let pipeline = Pipeline::run(context)?;
    let inventory = &pipeline.stack.inventory;
    if arguments.get_flag("json") {
        let written = context.ui.document(|out| inventory.write_json(out));
        written.map_err(|why| Failure::new("the inventory cannot be written to stdout").why(why))?;
        // The process ends: see where the pipeline keeps its facts.
        std::mem::forget(pipeline);
        return Ok(Outcome::Done);
    }
    context.ui.data(report::services(inventory));
    for (severity, text) in report::alike::texts(&inventory.problems) {
        context.ui.data(format!("\n{}: {text}", word(severity)));
    }
    Ok(Outcome::Done)
}

fn word(severity: crate::model::problem::Severity) -> &'static str {
    use crate::model::problem::Severity;
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
