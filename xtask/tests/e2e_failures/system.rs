//! A system written by hand, as people write them: services without labels, images built beside the setup. Knows how
//! to read a screen, and no fault.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use crate::lab::{Lab, docker};
use crate::place::{Place, Screen};

/// How many lines a user should have to read.
const FIRST: usize = 6;

/// A monorepo with a setup of these services, and these files beside it.
pub(crate) fn system(name: &str, services: &str, files: &[(&str, &str)]) -> Place {
    let place = Place::new(name);
    let folder = place.base.file_name().expect("has a name").to_string_lossy().into_owned();
    place.write("integration/docker-compose.yml", services);
    place.write("integration/.env", format!("COMPOSE_PROJECT_NAME={folder}\n"));
    for (path, text) in files {
        place.write(path, text);
    }
    place
}

/// The first lines of the first error on a screen.
pub(crate) fn first_lines(screen: &str) -> String {
    let lines = screen.lines().skip_while(|line| !line.starts_with("error: "));
    lines.take(FIRST).collect::<Vec<_>>().join("\n")
}

/// Starts a service, which fails, and compares the first lines that are said of it.
#[track_caller]
pub(crate) fn assert_up_says(lab: &Lab, args: &[&str], wanted: &str) {
    let up = up_fails(lab, args);
    let said = first_lines(&up.stderr);
    assert_eq!(said, wanted, "\n--- the whole screen\n{}", up.stderr);
}

/// `up`, which has to fail, with the seconds until it was said kept beside the test.
#[track_caller]
pub(crate) fn up_fails(lab: &Lab, args: &[&str]) -> Screen {
    let up = lab.xtask(&[&["up"], args].concat()).exits(1);
    keep_time(args, &up);
    up
}

/// Keeps beside the test what was said of a fault and after how many seconds: one line each.
fn keep_time(args: &[&str], up: &Screen) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-failures.tsv");
    let said = first_lines(&up.stderr).lines().next().unwrap_or_default().to_owned();
    let line = format!("{}\t{:.1}\t{said}\n", args.join(" "), up.took.as_secs_f64());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the folder is the build's own");
}

/// As [`assert_up_says`] for each of these services, whose images are built before.
#[track_caller]
pub(crate) fn assert_each_says(lab: &Lab, wanted: &[(&str, &str)]) {
    for (service, wanted) in wanted {
        assert_up_says(lab, &["--no-build", service], wanted);
    }
}

/// How long ago the container of a service has ended, in seconds, by this machine's clock.
pub(crate) fn ended_ago(lab: &Lab, service: &str) -> f64 {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set").as_secs_f64();
    let filter = format!("label=com.docker.compose.service={service}");
    let project = format!("label=com.docker.compose.project={}", lab.project());
    let id = docker(&["ps", "--all", "--quiet", "--filter", &filter, "--filter", &project]);
    let finished = docker(&["inspect", "--format", "{{.State.FinishedAt}}", &id]);
    let (_, time) = finished.trim_end_matches('Z').split_once('T').expect("is RFC 3339");
    let parts: Vec<f64> = time.split(':').map(|part| part.parse().expect("is a number")).collect();
    let ended = parts[0] * 3600.0 + parts[1] * 60.0 + parts[2];
    (now.rem_euclid(86_400.0) - ended).rem_euclid(86_400.0)
}
