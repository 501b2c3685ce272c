//! A volume that another major version of the server has written.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// A server, the words with which it refuses its data, and which bracket holds the version of the data and its own.
struct Refusal {
    server: &'static str,
    pattern: &'static str,
    data: usize,
    own: usize,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        server: "PostgreSQL",
        pattern: r"data directory was initialized by PostgreSQL version ([\d.]+), which is not compatible with this version ([\d.]+)",
        data: 1,
        own: 2,
    },
    Refusal { server: "PostgreSQL", pattern: r"there appears to be PostgreSQL data in", data: 0, own: 0 },
    Refusal { server: "MariaDB", pattern: r"redo log was created with MariaDB ([\d.]+)", data: 1, own: 0 },
    Refusal {
        server: "MySQL",
        pattern: r"Invalid MySQL server (?:upgrade|downgrade): Cannot (?:upgrade|downgrade) from (\d+) to (\d+)",
        data: 1,
        own: 2,
    },
    Refusal { server: "MySQL", pattern: r"redo log file was created by MySQL ([\d.]+)", data: 1, own: 0 },
    Refusal {
        server: "MongoDB",
        pattern: r"(?:Wrong mongod version|Invalid featureCompatibilityVersion document)",
        data: 0,
        own: 0,
    },
    Refusal { server: "the server", pattern: r"Can't handle RDB format version (\d+)", data: 0, own: 0 },
    Refusal {
        server: "Elasticsearch",
        pattern: r"cannot (?:upgrade|downgrade) a node from version \[([\d.]+)\].* to version \[([\d.]+)\]",
        data: 1,
        own: 2,
    },
];

/// The server's words about its data.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() {
        return None;
    }
    let (refusal, trace) = REFUSALS
        .iter()
        .find_map(|refusal| words::last(&facts.log, refusal.pattern).map(|trace| (refusal, trace)))?;
    let group = |n: usize| if n == 0 { "" } else { trace.group(n).trim_end_matches('.') };
    let (data, own) = (group(refusal.data), group(refusal.own));
    let server = refusal.server;
    let what = match (data, own) {
        ("", _) => format!("its volume holds data of another version of {server}"),
        (data, "") => format!("its volume holds data of {server} {data}, which this version cannot read"),
        (data, own) => format!("its volume holds data of {server} {data}, and it runs {own}"),
    };
    let volume = facts.anatomy.mounts.iter().find(|mount| mount.kind == "volume");
    let known = Known::new(what).at(facts.places.key(&["image"]));
    let known = match volume {
        Some(volume) => known.why(format!("the volume `{}` outlives its containers", volume.source)),
        None => known,
    };
    let back = match data {
        "" => "go back to the version that wrote it".to_owned(),
        data => format!("go back to version {data} in {}", facts.places.file()),
    };
    let reset = facts.setup.xtask(&format!("reset {}", facts.service));
    Some(known.said(&trace.line).fix(format!("{back}, or delete that data: {reset}")))
}
