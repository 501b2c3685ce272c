//! Workers that a script beside a program starts, where nothing else says so: `celery.sh` beside a server of Python. Reads
//! scripts in the folders of services, and no other files.

use super::super::start_script;
use super::{Found, context, files, tasks};
use crate::discover::names::valid_name;
use crate::model::fact::ServiceFacts;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Words by which programs of Python that work off a queue are started.
const STARTS: &[&[&str]] = &[
    &["celery", "worker"],
    &["rq", "worker"],
    &["taskiq", "worker"],
    &["dramatiq"],
    &["manage.py", "rqworker"],
    &["manage.py", "qcluster"],
];

/// Words of scripts' names that every script may have.
const PLAIN: &[&str] = &["docker", "entrypoint", "run", "start"];

/// Longer ones are programs of their own.
const MAX_LINES: usize = 500;

/// Adds a service for the worker of each program whose image holds the script that starts it: without it, what the
/// program puts into its queue stays there.
pub(in crate::discover) fn add(repo: &Repo, found: &mut Found) {
    let known = &found.services;
    let worker = |service: &ServiceFacts| {
        let is_other =
            |other: &ServiceFacts| other.dockerfile == service.dockerfile && other.name != service.name;
        // A deployment that starts the image with several commands says which there are.
        let is_root = service.path.is_root();
        if service.language != "python" || is_root || tasks::is_task(service) || known.iter().any(is_other) {
            return None;
        }
        let script = script(repo, service)?;
        let text = repo.text(&script).ok()?.text;
        let shell = if text.lines().next().is_some_and(|line| line.contains("bash")) { "bash" } else { "sh" };
        let stem = script.name().trim_end_matches(".sh");
        let words: Vec<&str> = stem.split(['-', '_', '.']).filter(|word| !PLAIN.contains(word)).collect();
        let what = if words.is_empty() { stem.to_owned() } else { words.join("-") };
        let name = valid_name(&format!("{}-{what}", service.name));
        let is_free = known.iter().all(|other| other.name != name);
        is_free.then(|| ServiceFacts {
            command: Some(vec![shell.to_owned(), format!("./{}", script.name())]),
            name,
            aliases: Vec::new(),
            is_worker: true,
            ..service.clone()
        })
    };
    let workers: Vec<ServiceFacts> = known.iter().filter_map(worker).collect();
    found.services.extend(workers);
    found.services.sort_by(|a, b| a.name.cmp(&b.name));
}

/// The only script in the service's folder that starts a worker, where its image can be told to start it.
fn script(repo: &Repo, service: &ServiceFacts) -> Option<RepoPath> {
    let depth = service.path.depth() + 1;
    let own = repo.files_in(&service.path).iter().filter(|file| file.depth() == depth);
    let is_plain = |file: &&RepoPath| {
        let words = file.name().trim_end_matches(".sh").split(['-', '_', '.']);
        file.extension() == "sh" && words.into_iter().all(|word| files::variant(word).is_none())
    };
    let starting = |file: &RepoPath| repo.text(file).is_ok_and(|file| starts_a_worker(&file.text));
    let mut scripts = own.filter(is_plain).filter(|file| starting(file));
    let script = scripts.next().filter(|_| scripts.next().is_none())?;
    let image = &service.image;
    let is_all = |source: &str| context::is_everything(source) && service.build.context == service.path;
    let workdir = image.workdir.as_deref()?.trim_end_matches('/');
    let is_there = image
        .placed
        .iter()
        .any(|placed| is_all(&placed.source) && placed.to.trim_end_matches('/') == workdir);
    // Neither is it started already, nor does the image start something else whatever it is told.
    let started = start_script::scripts(repo, service);
    let texts = started.iter().filter_map(|file| Some(repo.text(file).ok()?.text));
    let texts: Vec<String> = texts.chain(service.start().cloned()).collect();
    let is_started = started.contains(script)
        || texts.iter().any(|text| text.contains(script.name()) || starts_a_worker(text));
    let takes_commands = image.entrypoint.is_empty() || texts.iter().any(|text| text.contains("exec \"$@\""));
    (is_there && takes_commands && !is_started).then(|| script.clone())
}

fn starts_a_worker(text: &str) -> bool {
    let lines = text.lines().take(MAX_LINES).map(str::trim).filter(|line| !line.starts_with('#'));
    lines.into_iter().any(|line| {
        // `commands+="celery -A shop worker"`: some are put together first.
        let words = line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '='));
        let words: Vec<&str> = words.map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
        STARTS.iter().any(|start| {
            let program = words.iter().position(|word| *word == start[0]);
            program.is_some_and(|at| start[1..].iter().all(|word| words[at..].contains(word)))
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    /// Names and commands of what is found beside the server of such an image and script.
    fn found(dockerfile: &str, script: &str) -> Vec<(String, Option<Vec<String>>)> {
        let tree = format!(
            "//- /orders/Dockerfile\nFROM python:3.13\nWORKDIR /app\nCOPY . .\nEXPOSE 5000\n{dockerfile}\n//- /orders/requirements.txt\ncelery\n\
             //- /orders/Dockerfile.migrate\nFROM python:3.13\nWORKDIR /app\nCOPY . .\nCMD [\"alembic\", \"upgrade\", \"head\"]\n\
             //- /orders/app.py\nimport celery\n//- /orders/{script}\n//- /orders/entrypoint.sh\nexec \"$@\"\n//- /orders/init.sh\nflask run\n"
        );
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let services = facts.expect("is read").services.into_iter();
        services.filter(|one| one.is_worker).map(|one| (one.name, one.command)).collect()
    }

    const SCRIPT: &str = "celery.sh\n#!/bin/bash\ncd /app\ncelery -A app.tasks worker -n core@%h -B\n";

    #[test]
    fn script_of_a_worker_beside_a_server_is_a_service_of_its_image() {
        let worker = |shell: &str, script: &str| {
            let command = [shell, script].map(str::to_owned).to_vec();
            vec![(format!("orders-{}", &script[2..script.len() - 3]), Some(command))]
        };
        assert_eq!(found("CMD [\"flask\", \"run\"]", SCRIPT), worker("bash", "./celery.sh"));
        let together = "celery-entrypoint.sh\n#!/bin/bash\nall+=\"celery -A app worker &\"\neval \"$all\"\n";
        let command = ["bash", "./celery-entrypoint.sh"].map(str::to_owned).to_vec();
        assert_eq!(
            found("CMD [\"flask\", \"run\"]", together),
            vec![("orders-celery".to_owned(), Some(command))]
        );
        let rq = "jobs.sh\nrq worker high\n";
        assert_eq!(
            found("ENTRYPOINT [\"./entrypoint.sh\"]\nCMD [\"flask\", \"run\"]", rq),
            worker("sh", "./jobs.sh")
        );
    }

    #[test]
    fn script_that_is_started_or_cannot_be_is_none() {
        for (dockerfile, script) in [
            ("CMD [\"./celery.sh\"]", SCRIPT),
            ("CMD celery -A app.tasks worker & flask run", SCRIPT),
            ("ENTRYPOINT [\"./init.sh\"]", SCRIPT),
            ("CMD [\"flask\", \"run\"]", "celery-dev.sh\ncelery -A app worker\n"),
            ("CMD [\"flask\", \"run\"]", "celery.sh\n# celery -A app worker\nflask routes\n"),
        ] {
            assert_eq!(found(dockerfile, script), [], "{dockerfile} {script}");
        }
    }
}
