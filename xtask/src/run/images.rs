//! Images that the setup takes from a registry: had before anything is built or started, or all named at once.

use std::time::{Duration, Instant};

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, last_lines};
use crate::run::duration;
use crate::run::signals;
use crate::run::spec::ServiceSpec;
use crate::ui::{Ui, count};

/// Pulls, side by side, the images of these services that are not here.
///
/// # Errors
/// When some cannot be had; all of them at once, with the registry's answers.
pub fn ensure(docker: &Docker, services: &[&ServiceSpec], ui: Ui) -> Result<()> {
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
            refused.push((*image, why));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(unobtainable(&refused).into())
}

/// The failure that names the images that no registry gives.
pub fn unobtainable(refused: &[(&str, String)]) -> Failure {
    let mut failure = match refused {
        [(image, _)] => Failure::new(format!("the image `{image}` cannot be had")),
        all => Failure::new(format!("{} cannot be had", count(all.len(), "image"))),
    };
    for (image, why) in refused {
        failure = failure.why(format!("{image}: {why}"));
    }
    failure.fix(
        "let this machine reach the registry, or load the images with `docker load`\n\
         without a registry: `.ci/setup` builds stand-ins from `.ci/images/`",
    )
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
        let ended = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Failure::new("a thread of ours panicked").into()))
        });
        ended.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_cannot_be_had_are_named_all_at_once() {
        let refused = [("a:1", "no such host".to_owned()), ("b:2", "denied".to_owned())];
        assert_eq!(
            unobtainable(&refused).to_string(),
            "2 images cannot be had\n  why: a:1: no such host\n       b:2: denied\n  \
             fix: let this machine reach the registry, or load the images with `docker load`\n       \
             without a registry: `.ci/setup` builds stand-ins from `.ci/images/`"
        );
    }
}
