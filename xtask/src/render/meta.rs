//! What git must know about the setup, and what later runs must know.

use crate::model::stack::Assignments;

use super::yaml::Writer;

pub(crate) const GITIGNORE: &str = "# Secrets, data and what the commands leave behind.\n\
    .env\n.env.*\n!.env.example\n/.cache/\n.*.xtask-new\n/reports/\n/snapshots/\n";

pub(crate) const GITATTRIBUTES: &str =
    "# The same bytes on every machine: scripts run in Linux containers.\n* text=auto eol=lf\n";

pub(crate) fn state(assignments: &Assignments) -> String {
    let Assignments { name, ports, services } = assignments;
    let mut out = Writer::default();
    if let Some(name) = name {
        out.pair(0, "name", name);
    }
    out.line(0, "ports:");
    for (variable, port) in ports {
        out.line(1, &format!("{variable}: {port}"));
    }
    out.line(0, "services:");
    for (dockerfile, service) in services {
        out.pair(1, dockerfile, service);
    }
    format!(
        "# What `cargo xtask integrate` decided once and keeps: the project's name, host ports, names of services.\n{}",
        out.finish()
    )
}
