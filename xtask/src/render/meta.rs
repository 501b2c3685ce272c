//! What git must know about the setup, and what later runs must know.

use crate::model::stack::Assignments;

use super::yaml::Writer;

pub(crate) const GITIGNORE: &str = "# Secrets, data and what the commands leave behind.\n\
    .env\n.env.*\n!.env.example\n/.cache/\n.*.xtask-new\n/reports/\n/snapshots/\n";

pub(crate) const GITATTRIBUTES: &str =
    "# The same bytes on every machine: scripts run in Linux containers.\n* text=auto eol=lf\n";

pub(crate) fn state(assignments: &Assignments) -> String {
    let Assignments { name, ports, services, adopted, dockerfiles, renamed, versions } = assignments;
    let mut out = Writer::default();
    if let Some(name) = name {
        out.pair(0, "name", name);
    }
    if !adopted.is_empty() {
        let names: Vec<String> = adopted.iter().cloned().collect();
        out.flow(0, "adopted", &names);
    }
    out.line(0, "ports:");
    for (variable, port) in ports {
        out.line(1, &format!("{variable}: {port}"));
    }
    out.line(0, "services:");
    for (dockerfile, service) in services {
        out.pair(1, dockerfile, service);
    }
    for (title, pairs) in [("dockerfiles", dockerfiles), ("renamed", renamed), ("versions", versions)] {
        if !pairs.is_empty() {
            out.line(0, &format!("{title}:"));
        }
        for (key, value) in pairs {
            out.pair(1, key, value);
        }
    }
    format!(
        "# What `cargo xtask integrate` decided once and keeps: the project's name, host ports, names of services and what\n\
         # they were called before, versions of what holds data.\n{}",
        out.finish()
    )
}
