//! What keeps the engine from starting a container at all: a port that is taken, a mount that does not fit.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// Read from the engine's own words.
pub fn find(facts: &Facts) -> Option<Known> {
    let said = [facts.details.error.clone()];
    port(facts, &said).or_else(|| mount(facts, &said)).or_else(|| device(facts, &said))
}

fn port(facts: &Facts, said: &[String]) -> Option<Known> {
    const TAKEN: [&str; 2] = [
        r"Bind for \S*?:(\d+) failed: port is already allocated",
        r"listen (?:tcp|udp)\d? \S*?:(\d+): bind: address already in use",
    ];
    let trace = words::last_of(said, &TAKEN)?;
    let port = trace.group(1);
    Some(
        Known::new(format!("the host port {port} is taken by another program"))
            .at(facts.places.key(&["ports"]))
            .why("it was free when `up` looked")
            .fix(format!("{}, which names the program that holds port {port}", facts.setup.xtask("up"))),
    )
}

fn mount(facts: &Facts, said: &[String]) -> Option<Known> {
    let trace = words::last_of(
        said,
        &[
            r#"error mounting "([^"]+)" to rootfs at "([^"]+)".*not a directory"#,
            r"bind source path does not exist: (\S+)",
        ],
    )?;
    let source = facts.setup.shown_outside(trace.group(1));
    Some(
        Known::new(format!("`{source}`, which is mounted into it, is not the file that is expected"))
            .at(facts.places.key(&["volumes"]))
            .why("where a file is missing, Docker makes a folder of that name")
            .fix(format!("remove the folder, put the file there, {}", facts.then_up())),
    )
}

fn device(facts: &Facts, said: &[String]) -> Option<Known> {
    let trace =
        words::last(said, r#"error gathering device information while adding custom device "([^"]+)""#)?;
    Some(
        Known::new(format!("this machine has no device `{}`", trace.group(1)))
            .at(facts.places.key(&["devices"]))
            .fix(format!("remove it from {}, {}", facts.places.file(), facts.then_up())),
    )
}
