//! Builds the services' images through Compose and says of a failure which service, which line and why.

use std::time::{Duration, Instant};

use regex::Regex;

use crate::error::{Failure, Result};
use crate::run::diagnose::causes::disk;
use crate::run::docker::{Docker, Invocation, begun, is_loss, last_lines};
use crate::run::images::{self, Refused};
use crate::run::setup::{Setup, read_text};
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::{bases, duration, signals};
use crate::ui::{Ui, Verbosity, count};

/// How many of the failing step's last lines are shown.
const SHOWN: usize = 20;

/// Builds those of the services that are built here; `no_cache` builds every step anew.
///
/// # Errors
/// When a build fails.
pub fn build(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[&ServiceSpec],
    no_cache: bool,
    ui: Ui,
) -> Result<()> {
    let started = Instant::now();
    let mut built = 0;
    for wave in spec.builds(services) {
        build_wave(docker, setup, spec, &wave, no_cache, ui)?;
        built += wave.len();
    }
    if built > 0 {
        let took = duration::show(started.elapsed());
        ui.status("Built", format_args!("{} in {took}", count(built, "image")));
    }
    Ok(())
}

/// Builds what needs nothing of each other: what is built from another image comes after it, whatever Compose knows of
/// that.
fn build_wave(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    services: &[&ServiceSpec],
    no_cache: bool,
    ui: Ui,
) -> Result<()> {
    let built: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    ui.status("Building", crate::ui::list(&built));
    let command = compose_build(docker, setup, no_cache).args(built.iter().copied());
    let lost = |(code, lines): &(i32, Vec<String>)| *code != 0 && lines.iter().any(|line| is_loss(line));
    let (code, lines) = begun(lost, || to_its_end(&command, ui))?;
    if code == 0 {
        return Ok(());
    }
    if let Some(refused) = unobtainable_base(&lines) {
        // BuildKit stops at the first one.
        let mut all = bases::unobtainable(docker, setup, services)?;
        if !all.iter().any(|other| other.image == refused.image) {
            let bases = services.iter().flat_map(|service| bases::of(setup, service));
            let at = bases.into_iter().find(|base| base.image == refused.image).map(|base| base.at);
            all.push(Refused { at, ..refused });
        }
        return Err(images::unobtainable(setup, &all).into());
    }
    Err(failure(setup, spec, &lines, &command.to_string()).into())
}

/// Runs a command and shows what it prints with `-v`; its exit code and its lines.
fn to_its_end(command: &Invocation, ui: Ui) -> Result<(i32, Vec<String>)> {
    let child = command.start()?;
    let mut lines = Vec::new();
    loop {
        let new = child.new_lines(Duration::from_millis(100));
        let quiet = new.is_empty();
        if ui.verbosity == Verbosity::Verbose {
            new.iter().for_each(|line| ui.note(line));
        }
        lines.extend(new);
        signals::check()?;
        if let Some(code) = child.ended()
            && quiet
        {
            return Ok((code, lines));
        }
    }
}

fn compose_build(docker: &Docker, setup: &Setup, no_cache: bool) -> Invocation {
    // `--progress` belongs to `docker compose` itself.
    let command = setup.compose_with(docker, &["--progress", "plain"]).arg("build");
    if no_cache { command.arg("--no-cache") } else { command }
}

/// The step that failed, as BuildKit prints it: `#5 [api builder 2/5] RUN make` and later `#5 ERROR: …`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Step {
    service: String,
    instruction: String,
    output: Vec<String>,
}

fn failed_step(lines: &[String]) -> Option<Step> {
    let number = lines.iter().find_map(|line| {
        let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
        rest.starts_with("ERROR").then_some(number)
    })?;
    let prefix = format!("#{number} ");
    let mut step = Step::default();
    for line in lines.iter().filter_map(|line| line.strip_prefix(&prefix)) {
        if let Some((inside, instruction)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
            step.service = inside.split(' ').next().unwrap_or_default().to_owned();
            step.instruction = instruction.to_owned();
        } else if !line.starts_with("ERROR") && !line.starts_with("CANCELED") {
            // `0.206 text`: the seconds say nothing to the reader, of an empty line there is nothing else.
            let (time, text) = line.split_once(' ').unwrap_or((line, ""));
            let text = if time.parse::<f64>().is_ok() { text } else { line };
            step.output.push(text.to_owned());
        }
    }
    Some(step)
}

fn failure(setup: &Setup, spec: &Spec, lines: &[String], command: &str) -> Failure {
    let reason = lines.iter().rev().find(|line| line.starts_with("failed to solve") || line.contains("rror"));
    let reason =
        reason.map(|line| line.trim_start_matches("failed to solve: ").to_owned()).unwrap_or_default();
    let step = failed_step(lines);
    let service =
        step.as_ref().map(|step| step.service.clone()).or_else(|| loading(lines)).unwrap_or_default();
    let what = match service.as_str() {
        "" => "the build failed".to_owned(),
        name => format!("the build of `{name}` failed"),
    };
    let said = step.as_ref().map(|step| step.output.join("\n")).unwrap_or_else(|| lines.join("\n"));
    let cause = cause(&reason, &said);
    let mut failure = match &cause {
        Some(cause) => Failure::new(format!("{what}: {cause}")),
        None => Failure::new(what),
    };
    if let Some((file, line)) = place(spec.service(&service), step.as_ref(), &reason) {
        failure = failure.at(format!("{}:{line}", setup.shown_outside(&file)));
    }
    if !reason.is_empty() && cause.is_none() {
        failure = failure.why(reason);
    }
    for line in last_lines(&said, SHOWN) {
        failure = failure.why(format!("| {line}"));
    }
    let again = if service.is_empty() { String::new() } else { format!(" {service}") };
    let again = setup.xtask(&format!("build{again}"));
    let fix = match &cause {
        Some(cause) if cause == NO_SPACE => format!("{}; then: {again}", disk::room()),
        _ => format!("after mending it: {again}"),
    };
    failure.why(format!("$ {command}")).fix(fix)
}

/// What the engine's disk has to do with it, in words that end the headline.
const NO_SPACE: &str = "no space is left on the disk";

/// What BuildKit means, in words that end the headline; `None` where its own words have to do.
fn cause(reason: &str, said: &str) -> Option<String> {
    let find = |pattern: &str| Regex::new(pattern).ok()?.captures(reason);
    if said.contains("No space left on device") || reason.contains("no space left on device") {
        return Some(NO_SPACE.to_owned());
    }
    if let Some(found) = find(r#""/?([^"]+)": not found$"#) {
        return Some(format!("`{}` is not in its build context (or .dockerignore leaves it out)", &found[1]));
    }
    if let Some(found) = find(r"parse error on line \d+: (.+)$") {
        return Some(found[1].to_owned());
    }
    let found = find(r#"process "(?:/bin/sh -c )?(.+)" did not complete successfully: exit code: (\d+)"#)?;
    // BuildKit quotes the command as Go does.
    let command = found[1].replace("\\\"", "\"");
    let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = command.chars().take(60).collect();
    let dots = if short.len() < command.len() { "…" } else { "" };
    Some(format!("`{short}{dots}` ended with exit code {}", &found[2]))
}

/// The service whose Dockerfile was read last: what a syntax error belongs to.
fn loading(lines: &[String]) -> Option<String> {
    let line = lines.iter().rev().find(|line| line.contains("load build definition from"))?;
    Some(line.split_once('[')?.1.split(' ').next()?.to_owned())
}

/// A base image that no registry gives, and the answer.
fn unobtainable_base(lines: &[String]) -> Option<Refused> {
    let line = lines.iter().find(|line| line.contains("failed to resolve source metadata for"))?;
    let rest = line.split_once("failed to resolve source metadata for ")?.1;
    let (image, why) = rest.split_once(": ")?;
    let image = image.trim_start_matches("docker.io/").trim_start_matches("library/");
    Some(Refused { image: image.to_owned(), why: why.to_owned(), at: None })
}

/// The Dockerfile and the line of the step that failed.
fn place(service: Option<&ServiceSpec>, step: Option<&Step>, reason: &str) -> Option<(String, usize)> {
    let build = service?.build.as_ref()?;
    let file = std::path::Path::new(&build.context).join(&build.dockerfile);
    let line = match reason.split_once("parse error on line ") {
        Some((_, rest)) => rest.split(':').next()?.parse().ok()?,
        None => instruction_line(&read_text(&file).ok()??, &step?.instruction)?,
    };
    Some((file.to_string_lossy().into_owned(), line))
}

/// The line on which an instruction starts; BuildKit prints it with its continuation lines joined, and with the values
/// of its build arguments.
fn instruction_line(dockerfile: &str, instruction: &str) -> Option<usize> {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = squeeze(instruction);
    let variable = Regex::new(r"\$(?:\{[^}]*\}|\w+)").ok()?;
    let mut best: Option<(usize, usize)> = None;
    for (index, line) in dockerfile.lines().enumerate() {
        let start = squeeze(line.trim_end().trim_end_matches('\\'));
        if start.is_empty() || start.starts_with('#') {
            continue;
        }
        let alike = alike(variable.split(&start), &wanted).unwrap_or_default();
        if alike > best.map_or(0, |(_, alike)| alike) {
            best = Some((index + 1, alike));
        }
    }
    best.map(|(line, _)| line)
}

/// How many bytes of these parts stand in a text that begins with the first and has the others behind it, in order.
fn alike<'a>(mut parts: impl Iterator<Item = &'a str>, text: &str) -> Option<usize> {
    let first = parts.next()?;
    let mut rest = text.strip_prefix(first)?;
    let mut alike = first.len();
    for part in parts {
        rest = rest.get(rest.find(part)? + part.len()..)?;
        alike += part.len();
    }
    Some(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const LOG: &str = "#4 [api one 1/2] FROM docker.io/library/busybox:1.37\n#4 DONE 0.0s\n\n\
        #5 [api one 2/2] RUN echo hello;   false\n#6 [web 1/1] RUN true\n#5 0.206 hello\n#5 0.208\n#5 0.211 fatal: no\n\
        #5 ERROR: process \"/bin/sh -c echo\" did not complete successfully: exit code: 1\n------\n\
        failed to solve: process \"/bin/sh -c echo\" did not complete successfully: exit code: 1\n";

    #[test]
    fn the_failing_step_is_found_among_others() {
        let step = failed_step(&lines(LOG)).unwrap();
        assert_eq!(step.service, "api");
        assert_eq!(step.instruction, "RUN echo hello;   false");
        assert_eq!(step.output, ["hello", "", "fatal: no"]);
    }

    #[test]
    fn the_line_of_an_instruction_is_found_over_its_continuations() {
        let dockerfile = "FROM a\nRUN echo hello; \\\n    false\nRUN echo\n";
        assert_eq!(instruction_line(dockerfile, "RUN echo hello;   false"), Some(2));
        assert_eq!(instruction_line(dockerfile, "COPY . ."), None);
    }

    #[test]
    fn the_line_of_an_instruction_is_found_over_values_of_build_arguments() {
        let dockerfile = "FROM a\nARG FLAGS=--ci\nRUN npm install $FLAGS\nRUN npm install ${FLAGS} --omit=dev && \\\n  ls\nRUN $MORE\n";
        assert_eq!(instruction_line(dockerfile, "RUN npm install --ci"), Some(3));
        assert_eq!(instruction_line(dockerfile, "RUN npm install --ci --omit=dev &&   ls"), Some(4));
        assert_eq!(instruction_line(dockerfile, "RUN make"), Some(6));
    }

    #[test]
    fn a_base_image_that_cannot_be_had_is_named() {
        let log = lines(
            "failed to solve: node:20: failed to resolve source metadata for docker.io/library/node:20: failed to do request: no such host",
        );
        assert_eq!(
            unobtainable_base(&log),
            Some(Refused {
                image: "node:20".to_owned(),
                why: "failed to do request: no such host".to_owned(),
                at: None
            })
        );
    }

    #[test]
    fn buildkits_words_become_a_cause() {
        for (reason, said, wanted) in [
            (
                "failed to compute cache key: failed to calculate checksum of ref a::b: \"/nope.txt\": not found",
                "",
                Some("`nope.txt` is not in its build context (or .dockerignore leaves it out)"),
            ),
            (
                "process \"/bin/sh -c npm ci     && true\" did not complete successfully: exit code: 7",
                "",
                Some("`npm ci && true` ended with exit code 7"),
            ),
            (
                "dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)",
                "",
                Some("unknown instruction: RUNN (did you mean RUN?)"),
            ),
            (
                "process \"/bin/sh -c dd\" did not complete successfully: exit code: 1",
                "dd: error writing 'x': No space left on device",
                Some("no space is left on the disk"),
            ),
            ("something else", "", None),
        ] {
            assert_eq!(cause(reason, said).as_deref(), wanted, "{reason}");
        }
    }
}
