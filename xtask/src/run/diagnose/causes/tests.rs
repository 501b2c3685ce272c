//! Recorded traces of every family, through the whole table: each finds its cause, and an unknown fault finds none.

mod data;
mod outside;
mod programs;

use super::*;
use crate::run::diagnose::facts::Member;
use crate::run::diagnose::places::Places;
use crate::run::diagnose::tests::facts;
use crate::run::wait::Cause;

const COMPOSE: &str = "services:\n  api:\n    build: ../api\n    environment:\n      PORT: \"3000\"\n      DB_HOST: dbb\n    ports:\n      - \"3000:3000\"\n    healthcheck:\n      test: x\n    mem_limit: 32m\n";

/// A service `api` of the monorepo that ended with this code after it printed this.
fn ended(code: i32, log: &str) -> Facts {
    let mut facts = facts(Some(Cause::Exited(code)));
    facts.log = log.lines().map(str::to_owned).collect();
    facts.anatomy.folder = "/app".to_owned();
    facts.anatomy.env = [("PORT", "3000"), ("DB_HOST", "dbb"), ("EMPTY_KEY", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let file = ("integration/docker-compose.yml".to_owned(), COMPOSE.to_owned());
    let dockerfile = "FROM a\nCOPY . .\nRUN pip install x\nCMD [\"run\"]\n".to_owned();
    let dockerfile = Some(("api/Dockerfile".to_owned(), dockerfile));
    facts.places = Places::new("api", vec![file], dockerfile, Some("integration/config.yaml".to_owned()));
    facts.system.push(Member { service: "db".to_owned(), kind: "postgres".to_owned(), ..Member::default() });
    facts
}

/// A service that runs and whose check failed with this output.
fn unhealthy(output: &str) -> Facts {
    let mut facts = ended(0, "listening");
    facts.cause = Some(Cause::Unhealthy);
    facts.details.check_exit_code = Some(1);
    facts.details.check_output = output.to_owned();
    facts.details.failing_streak = 3;
    facts.port = Some(3000);
    if let Some(container) = &mut facts.container {
        container.labels.health = Some(crate::run::labels::Health::Http(3000, "/health".to_owned()));
    }
    facts
}

fn what(facts: &Facts) -> String {
    known(facts).map(|known| known.what).unwrap_or_default()
}

#[track_caller]
fn assert_all(cases: &[(Facts, &str)]) {
    for (facts, wanted) in cases {
        assert_eq!(what(facts), *wanted, "{:?} {:?}", facts.log, facts.details.error);
    }
}

#[test]
fn what_a_running_service_has_complained_of_long_ago_is_no_cause() {
    let complaint = "Error: getaddrinfo ENOTFOUND dbb";
    let mut facts = unhealthy("");
    facts.log = vec![complaint.to_owned()];
    assert_eq!(what(&facts), "it looks for the host `dbb`, which its networks do not know");
    facts.log.extend((0..10).map(|n| format!("served {n}")));
    assert_eq!(what(&facts), "");
}

#[test]
fn an_unknown_fault_gets_no_cause() {
    for log in [
        "",
        "boom",
        "Error: something is wrong\n    at main (/app/server.js:1:1)",
        "panic: runtime error: index out of range [3] with length 3",
        "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in <module>\nZeroDivisionError: division by zero",
        "thread 'main' panicked at src/main.rs:2:5:\nexplicit panic",
        "java.lang.NullPointerException\n\tat Main.main(Main.java:3)",
        "Segmentation fault",
        "connect ECONNREFUSED 172.18.0.2:5432",
        "ERROR: relation \"users\" does not exist",
        "404 not found",
    ] {
        for code in [1, 2, 126, 127, 137, 139, 143, 255] {
            assert_eq!(what(&ended(code, log)), "", "{code} {log}");
        }
    }
}

#[test]
fn every_known_cause_says_what_to_do() {
    for facts in
        [ended(1, "DATABASE_URL is not set"), unhealthy("HTTP 404"), ended(1, "Cannot find module 'a'")]
    {
        let found = known(&facts).unwrap();
        assert!(found.fix.contains("cargo xtask"), "{found:?}");
        assert!(found.why.len() + found.at.len() <= 4, "{found:?}");
    }
}
