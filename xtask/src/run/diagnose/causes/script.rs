//! A script of the setup that failed: its file on this machine, the line, and what the client said.

use std::path::Path;

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words::{self, Trace};

/// Where the official images take scripts from that run on an empty volume only.
const FIRST_START: &str = "/docker-entrypoint-initdb.d/";

/// A place in a script, and what is wrong there.
struct Fault {
    path: String,
    line: String,
    message: String,
}

/// Only scripts that are mounted from this machine, or that lie where the image runs them at its first start.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() || facts.exit_code() == Some(0) {
        return None;
    }
    let fault = psql(facts).or_else(|| mysql(facts)).or_else(|| shell(facts))?;
    let mounted = facts.on_this_machine(&fault.path);
    let first_start = fault.path.starts_with(FIRST_START);
    if mounted.is_none() && !first_start {
        return None;
    }
    let shown = mounted.unwrap_or_else(|| fault.path.clone());
    let name = Path::new(&fault.path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let again = match first_start {
        // The image takes a volume that is not empty for one that is complete.
        true => format!("correct it, then: {}", facts.setup.xtask(&format!("reset {}", facts.service))),
        false => format!("correct it, {}", facts.then_up()),
    };
    let known = Known::new(format!("`{name}` failed at line {}", fault.line));
    Some(known.at(Some(format!("{shown}:{}", fault.line))).said(&fault.message).fix(again))
}

/// `psql:/init-scripts/02-create-users.sql:5: ERROR:  syntax error at or near "CREAT"`
fn psql(facts: &Facts) -> Option<Fault> {
    let trace = words::last(&facts.log, r"psql:([^:]+):(\d+): ((?:ERROR|FATAL|error):?.*)")?;
    Some(fault(trace.group(1), trace.group(2), trace.group(3)))
}

/// `ERROR 1064 (42000) at line 3: …`; the file stands in the same line, behind it, or in front.
fn mysql(facts: &Facts) -> Option<Fault> {
    let trace = words::last(&facts.log, r"^ERROR \d+ \(\w+\) at line (\d+)(?: in file: '([^']+)')?")?;
    let after = facts.log.get(trace.at + 1).and_then(|line| line.strip_prefix("in "));
    let after = after.map(|rest| rest.split(" of ").next().unwrap_or(rest));
    let file = match (trace.group(2), after) {
        ("", Some(file)) => file.trim().to_owned(),
        ("", None) => running(facts, &trace)?,
        (file, _) => file.to_owned(),
    };
    Some(fault(&file, trace.group(1), &trace.line))
}

/// `/docker-entrypoint-initdb.d/10-seed.sh: line 3: foo: not found`
fn shell(facts: &Facts) -> Option<Fault> {
    let trace = words::last(&facts.log, r"^(/[^:\s]+\.(?:sh|bash)): (?:line )?(\d+): (.+)")?;
    Some(fault(trace.group(1), trace.group(2), trace.group(3)))
}

/// The script that an image's entry point has announced last before a line.
fn running(facts: &Facts, before: &Trace) -> Option<String> {
    let lines = facts.log.get(..before.at)?;
    Some(words::last(lines, r"running (/docker-entrypoint-initdb\.d/\S+)")?.group(1).to_owned())
}

fn fault(path: &str, line: &str, message: &str) -> Fault {
    Fault { path: path.to_owned(), line: line.to_owned(), message: message.to_owned() }
}
