//! Images that the setup takes from a registry: had before anything is built or started, or all named at once.

use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, last_lines};
use crate::run::setup::{Setup, read_text};
use crate::run::spec::ServiceSpec;
use crate::run::{bases, duration, signals};
use crate::ui::{Ui, count};

/// An image that no registry gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As it was asked for.
    pub image: String,
    /// The registry's answer, or why there was none.
    pub why: String,
    /// Where it is named, when that is known.
    pub at: Option<String>,
}

/// Pulls, side by side, the images of these services that are not here.
///
/// # Errors
/// When some cannot be had; all of them at once, those that Dockerfiles begin with too.
pub fn ensure(docker: &Docker, setup: &Setup, services: &[&ServiceSpec], ui: Ui) -> Result<()> {
    let mut wanted: Vec<&str> = services
        .iter()
        .filter(|service| service.build.is_none())
        .map(|service| service.image.as_str())
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let missing = missing(docker, &wanted)?;
    let answers = side_by_side(&missing, |image| pull(docker, image, ui));
    let mut refused = Vec::new();
    for (image, answer) in missing.iter().zip(answers) {
        if let Some(why) = answer? {
            refused.push(Refused { image: (*image).to_owned(), why, at: place(setup, image) });
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    refused.extend(bases::unobtainable(docker, setup, services)?);
    Err(unobtainable(setup, &refused).into())
}

/// The line of the setup's files that names an image.
fn place(setup: &Setup, image: &str) -> Option<String> {
    setup.files.iter().find_map(|file| {
        let text = read_text(file).ok().flatten()?;
        let names = |line: &str| {
            line.trim()
                .strip_prefix("image:")
                .is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == image)
        };
        let line = text.lines().position(names)?;
        Some(format!("{}:{}", setup.shown_file(file), line + 1))
    })
}

/// The failure that names the images that no registry gives.
pub fn unobtainable(setup: &Setup, refused: &[Refused]) -> Failure {
    let unreachable = refused.iter().filter(|refused| is_unreachable(&refused.why)).count();
    let cause = match (unreachable, refused.len()) {
        (0, 1) => "there is none of this name, or it needs a login",
        (0, _) => "there are none of these names, or they need a login",
        (n, all) if n == all => "the registry cannot be reached",
        _ => "some registries cannot be reached, some have none of this name",
    };
    let mut failure = match refused {
        [one] => Failure::new(format!("the image `{}` cannot be had: {cause}", one.image)),
        all => Failure::new(format!("{} cannot be had: {cause}", count(all.len(), "image"))),
    };
    for refused in refused {
        failure = refused.at.iter().fold(failure, Failure::at);
    }
    for Refused { image, why, at: _ } in refused {
        failure = failure.why(format!("{image}: {why}"));
    }
    if unreachable == 0 {
        return failure
            .fix(format!("correct the name, or log in: docker login; then: {}", setup.xtask("up")));
    }
    let stand_ins = setup.out.parent().is_some_and(|root| root.join(".ci/setup").is_file());
    let stand_ins = if stand_ins {
        "\nwithout a registry: `.ci/setup all` builds stand-ins from `.ci/images/`"
    } else {
        ""
    };
    failure
        .fix(format!("let this machine reach the registry, or load the images with `docker load`{stand_ins}"))
}

/// Whether there was no answer at all, as Docker's client and BuildKit say it.
fn is_unreachable(why: &str) -> bool {
    const SAID: [&str; 13] = [
        "no such host",
        "dial tcp",
        "i/o timeout",
        "connection refused",
        "TLS handshake",
        "x509",
        "Client.Timeout",
        "network is unreachable",
        "failed to do request",
        "server misbehaving",
        "no answer",
        "deadline exceeded",
        "EOF",
    ];
    SAID.iter().any(|said| why.contains(said))
}

/// Ids of these images in the same order; `None` where an image is not here.
///
/// # Errors
/// When the engine does not answer.
pub fn ids(docker: &Docker, images: &[&str]) -> Result<Vec<Option<String>>> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let inspect = |images: &[&str]| {
        docker.command(["image", "inspect", "--format", "{{.Id}}"]).args(images.iter().copied()).output()
    };
    let all = inspect(images)?;
    if all.code == 0 {
        return Ok(all.stdout.lines().map(|id| Some(id.to_owned())).collect());
    }
    // Which of them is missing stands only in words; so one by one.
    let single = side_by_side(images, |image| inspect(&[image]));
    single
        .into_iter()
        .map(|output| {
            let output = output?;
            Ok((output.code == 0).then(|| output.stdout.trim().to_owned()))
        })
        .collect()
}

/// Ids of the images of these services, in their order.
///
/// # Errors
/// When the engine does not answer.
pub fn ids_of(docker: &Docker, services: &[&ServiceSpec]) -> Result<Vec<Option<String>>> {
    let names: Vec<&str> = services.iter().map(|service| service.image.as_str()).collect();
    ids(docker, &names)
}

fn missing<'a>(docker: &Docker, wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let ids = ids(docker, wanted)?;
    Ok(wanted.iter().zip(ids).filter(|(_, id)| id.is_none()).map(|(image, _)| *image).collect())
}

/// `None` when it is here now, else the registry's answer.
fn pull(docker: &Docker, image: &str, ui: Ui) -> Result<Option<String>> {
    ui.status("Pulling", image);
    let started = Instant::now();
    let child = docker.command(["pull", "--quiet", image]).start()?;
    let mut lines = Vec::new();
    loop {
        lines.extend(child.new_lines(Duration::from_millis(100)));
        signals::check()?;
        match child.ended() {
            Some(0) => break,
            Some(_) => {
                lines.extend(child.new_lines(Duration::from_millis(100)));
                let said = last_lines(&lines.join("\n"), 1).concat();
                return Ok(Some(said.trim_start_matches("Error response from daemon: ").to_owned()));
            }
            None => {}
        }
    }
    ui.status("Pulled", format_args!("{image} ({})", duration::show(started.elapsed())));
    Ok(None)
}

/// Does the same with each item at once; the answers come in the items' order.
pub fn side_by_side<I: Sync, A: Send>(items: &[I], work: impl Fn(&I) -> Result<A> + Sync) -> Vec<Result<A>> {
    std::thread::scope(|scope| {
        let running: Vec<_> = items.iter().map(|item| scope.spawn(|| work(item))).collect();
        let ended = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(Failure::panicked().into())));
        ended.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::diagnose::tests::setup;

    fn refused(image: &str, why: &str, at: &str) -> Refused {
        Refused { image: image.to_owned(), why: why.to_owned(), at: Some(at.to_owned()) }
    }

    #[test]
    fn images_that_cannot_be_had_are_named_all_at_once() {
        let all = [
            refused("a:1", "dial tcp: no such host", "c.yml:3"),
            refused("b:2", "i/o timeout", "b/Dockerfile:1"),
        ];
        assert_eq!(
            unobtainable(&setup(), &all).to_string(),
            "2 images cannot be had: the registry cannot be reached\n  at c.yml:3\n  at b/Dockerfile:1\n  \
             why: a:1: dial tcp: no such host\n       b:2: i/o timeout\n  \
             fix: let this machine reach the registry, or load the images with `docker load`"
        );
    }

    #[test]
    fn a_name_that_no_registry_knows_is_told_from_a_registry_that_does_not_answer() {
        let all = [refused("b:2", "no such manifest: docker.io/library/b:2", "c.yml:3")];
        assert_eq!(
            unobtainable(&setup(), &all).to_string(),
            "the image `b:2` cannot be had: there is none of this name, or it needs a login\n  at c.yml:3\n  \
             why: b:2: no such manifest: docker.io/library/b:2\n  fix: correct the name, or log in: docker login; then: cargo xtask up"
        );
    }
}
