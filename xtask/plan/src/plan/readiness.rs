//! The integration checklist: what would keep a service from running, said before it does; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Entry};
use crate::config::Config;
use crate::model::fact::{Evidence, Fact, Facts, ServiceFacts, Subject, What};
use crate::model::problem::{Problem, Severity};
use crate::model::words::list;

use super::Context;
use super::components::{Component, Foreign};
use super::draft::Draft;
use super::environment::Environment;
use super::host_ports::Moved;
use super::known;
use super::needs::Needs;

/// A listener that nobody outside its container reaches.
pub(crate) fn loopback(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let bound = draft.facts.facts.iter().find_map(|fact| match &fact.what {
        What::Listens { address } if is_loopback(address) => Some((address, &fact.at)),
        _ => None,
    });
    // Also bound elsewhere to all addresses (another mode, a default that a variable moves): then nothing is wrong.
    let open = draft
        .facts
        .facts
        .iter()
        .any(|fact| matches!(&fact.what, What::Listens { address } if !is_loopback(address)));
    if let (Some((address, at)), false) = (bound, open) {
        problems.push(
            Problem::new(
                "listens-on-loopback",
                Severity::Warning,
                format!(
                    "`{}` listens on {address}, where nothing outside its container reaches it",
                    draft.facts.name
                ),
            )
            .service(&draft.facts.name)
            .at(at)
            .fix("listen on 0.0.0.0"),
        );
    }
}

/// A program that the image does not hold: its author mounts it.
pub(crate) fn code(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let (facts, image) = (draft.facts, &draft.facts.image);
    // A proxy runs what its configuration says, and that is copied.
    let is_configured = |name: &str| name.ends_with("-proxy") && !image.copies.is_empty();
    let is_of_program = |what: &What| match what {
        What::EnvRead { .. } | What::Driver { .. } => true,
        What::Framework { name } => !is_configured(name),
        _ => false,
    };
    let has_program = facts.facts.iter().any(|fact| {
        is_of_program(&fact.what) && fact.at.path.is_in(&facts.path) && fact.at.path != facts.dockerfile
    });
    // An image of somebody's own may hold the program already; the official ones hold none.
    let is_official = !image.base.contains('/') && facts.origins.is_empty();
    if !image.without_code || !image.brought.is_empty() || !is_official || !has_program {
        return;
    }
    let mount = image.workdir.as_deref().filter(|folder| *folder != "/").map(|folder| {
        format!(", or mount it in docker-compose.override.yml: `volumes: [\"../{}:{folder}\"]`", facts.path)
    });
    problems.push(
        Problem::new(
            "image-without-code",
            Severity::Warning,
            format!("the image of `{}` holds none of its code", facts.name),
        )
        .service(&facts.name)
        .at(format!("{}:{}", facts.dockerfile, image.base_line.max(1)))
        .fix(format!("copy the code in {}{}", facts.dockerfile, mount.unwrap_or_default())),
    );
}

/// The command of an image that starts no program: it keeps the image up for somebody who starts one by hand, or is the
/// shell for which the image is run with other commands.
pub(crate) fn idle(facts: &ServiceFacts) -> Option<String> {
    const IDLE: &[&str] = &["tail -f /dev/null", "sleep infinity", "sleep inf", "sh", "bash", "ash"];
    let words = facts.image.start().map(String::as_str);
    let started = words.collect::<Vec<_>>().join(" ");
    let plain = started.trim_start_matches("sh -c ").trim_start_matches("/bin/");
    (facts.command.is_none() && IDLE.contains(&plain)).then(|| plain.to_owned())
}

/// An image whose command starts no program.
pub(crate) fn command(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let (facts, image) = (draft.facts, &draft.facts.image);
    let Some(plain) = idle(facts) else { return };
    problems.push(
        Problem::new(
            "image-starts-nothing",
            Severity::Warning,
            format!("the image of `{}` starts nothing: its command is `{plain}`", facts.name),
        )
        .service(&facts.name)
        .at(format!("{}:{}", facts.dockerfile, image.command_line.max(1)))
        .fix("start the program with CMD, or with `command` in docker-compose.override.yml"),
    );
}

fn is_loopback(address: &str) -> bool {
    matches!(address, "localhost" | "::1" | "[::1]") || address.starts_with("127.")
}

/// Variables without a value, and databases of an unknown kind.
pub(crate) fn environment(
    draft: &Draft<'_>,
    environment: &Environment,
    needs: &Needs,
    problems: &mut Vec<Problem>,
) {
    let name = &draft.facts.name;
    // Many say as much in one as in a screen of their own.
    let at_once = if environment.missing.len() > MANY_MISSING { environment.missing.len() } else { 1 };
    for missing in environment.missing.chunks(at_once) {
        problems.push(missing_values(draft, missing));
    }
    for (variable, at) in &needs.unclear {
        problems.push(
            Problem::new(
                "database-unclear",
                Severity::Warning,
                format!("`{name}` has `{variable}`, and nothing says which kind of database it means"),
            )
            .service(name)
            .at(at)
            .fix(format!("add its kind to services.{name}.requires in config.yaml, for example [+postgres]")),
        );
    }
}

/// From so many on, variables without a value are one problem.
const MANY_MISSING: usize = 3;
/// So many of them are named.
const NAMED: usize = 8;

fn missing_values(draft: &Draft<'_>, missing: &[String]) -> Problem {
    let name = &draft.facts.name;
    // A single one more takes no more room than its number.
    let shown = if missing.len() == NAMED + 1 { missing.len() } else { NAMED };
    let mut named: Vec<String> = missing.iter().take(shown).map(|one| format!("`{one}`")).collect();
    named.extend((missing.len() > shown).then(|| format!("{} others", missing.len() - shown)));
    let (values, them, empty) = if missing.len() == 1 {
        ("a value", "it", "it is empty")
    } else {
        ("their values", "them", "they are empty")
    };
    let message =
        format!("`{name}` demands {}, and nothing says {values}; {empty} in the setup", list(&named));
    let mut problem = Problem::new("variable-without-value", Severity::Warning, message).service(name).fix(format!(
        "set {them} below services.{name}.env in config.yaml, or document {them} in the service's .env.example"
    ));
    let read = |missing: &String| {
        let reads = |fact: &&Fact| matches!(&fact.what, What::EnvRead { name, .. } if name == missing);
        draft.facts.facts.iter().find(reads).map(|fact| fact.at.to_string())
    };
    problem.at.extend(missing.iter().take(NAMED).filter_map(read));
    problem
}

/// Two services that wanted one port of the host. Solved, so a warning.
pub(crate) fn port_conflicts(moved: &[Moved], drafts: &[Draft<'_>], problems: &mut Vec<Problem>) {
    for moved in moved {
        let mut problem = Problem::new(
            "port-conflict",
            Severity::Warning,
            format!(
                "`{}` and `{}` both want port {} of the host; `{}` is published on {}",
                moved.holder, moved.owner, moved.wanted, moved.owner, moved.given
            ),
        )
        .service(&moved.holder)
        .service(&moved.owner)
        .fix(format!("to choose yourself, set services.{}.host_port in config.yaml", moved.owner));
        for name in [&moved.holder, &moved.owner] {
            let draft = known::draft(drafts, name);
            if let Some(at) = draft.and_then(port_place) {
                problem = problem.at(at);
            }
        }
        problems.push(problem);
    }
}

/// Where a service's main port is said best.
fn port_place<'a>(draft: &Draft<'a>) -> Option<&'a Evidence> {
    let main = draft.ports.first()?.container;
    let said = draft.facts.facts.iter().filter_map(|fact| match fact.what {
        What::Port { port, source, .. } if port == main => Some((source, &fact.at)),
        _ => None,
    });
    said.min().map(|(_, at)| at)
}

/// A volume that a Dockerfile declares over its program: it is filled by the first image, and hides the later ones.
pub(crate) fn volumes_over_code(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let (facts, image) = (draft.facts, &draft.facts.image);
    let holds = |folder: &str, path: &str| {
        let rest = path.strip_prefix(folder.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let copied = || image.placed.iter().map(|one| &one.to).chain(image.brought.iter().map(|one| &one.to));
    let hides = |folder: &str| {
        image.workdir.as_deref().is_some_and(|workdir| holds(folder, workdir))
            && copied().any(|to| holds(folder, to))
    };
    for (folder, line) in image.volumes.iter().filter(|(folder, _)| hides(folder)) {
        let (name, dockerfile) = (&facts.name, &facts.dockerfile);
        let message = format!(
            "`{name}` declares the volume {folder} over its own program: what is built later is not seen in it"
        );
        problems.push(
            Problem::new("volume-over-code", Severity::Warning, message)
                .service(name)
                .at(format!("{dockerfile}:{line}"))
                .fix(format!("declare a volume for the folder with the data alone, in {dockerfile}")),
        );
    }
}

/// Servers that were written by hand and on which nothing can be set up.
pub(crate) fn handwritten_servers(
    components: &[Component<'_>],
    context: &Context,
    problems: &mut Vec<Problem>,
) {
    for component in components {
        let Some(foreign) = &component.foreign else { continue };
        let (entry, name) = (component.entry, &component.name);
        let why = match foreign {
            Foreign::Administrator => "which has an administrator of yours".to_owned(),
            Foreign::Release(image) => {
                format!("which runs {image}, and its setup needs {} or newer", oldest(entry))
            }
        };
        let new = component.clients.iter().filter(|client| !context.handwritten.contains_key(*client));
        for client in new {
            problems.push(
                Problem::new(
                    "server-written-by-hand",
                    Severity::Warning,
                    format!("`{client}` needs a {} on `{name}`, {why}; none is made", entry.databases.title),
                )
                .service(client)
                .fix(format!(
                    "create it there, and set its address below services.{client}.env in config.yaml"
                )),
            );
        }
    }
}

fn oldest(entry: &Entry) -> &str {
    entry.oldest.as_deref().unwrap_or_default()
}

/// Images of the repository in whose place those of the catalogue run.
pub(crate) fn replaced_images(components: &[Component<'_>], problems: &mut Vec<Problem>) {
    for component in components {
        let (Some((image, at)), entry) = (&component.replaces, component.entry) else { continue };
        let why = match entry.runs_as_written(image) {
            true => format!("what is set up on it needs {} or newer", oldest(entry)),
            false => "which takes other variables and mounts".to_owned(),
        };
        let (name, kind) = (&component.name, &entry.kind);
        let message = format!("`{name}` runs {} in place of {image}: {why}", component.image);
        let fix = format!(
            "where that does not do, run a server of your own and set infrastructure.{kind} to {{ external: true, url: ... }}"
        );
        problems.push(Problem::new("image-replaced", Severity::Note, message).at(at).fix(fix));
    }
}

/// Servers that stay on the version that holds their data though the catalogue's default is another one now.
pub(crate) fn older_versions(
    components: &[Component<'_>],
    recorded: &BTreeMap<String, String>,
    config: &Config,
    problems: &mut Vec<Problem>,
) {
    for component in components {
        let (kind, default) = (&component.entry.kind, &component.entry.default);
        let asked = config.infrastructure.get(kind).is_some_and(|wanted| wanted.version.is_some());
        let kept = recorded.get(&component.name).is_some_and(|version| version == component.version_key);
        if asked || !kept || component.version_key == default || component.image != component.version.image {
            continue;
        }
        problems.push(
            Problem::new(
                "version-kept",
                Severity::Note,
                format!(
                    "`{}` stays on version {}, which may hold data; a new setup would get {default}",
                    component.name, component.version_key
                ),
            )
            .fix(format!("to move on, save the data and set infrastructure.{kind}.version")),
        );
    }
}

/// Whether a document's name is that of a server that nobody builds here.
fn is_a_product(name: &str, catalog: &Catalog) -> bool {
    const PRODUCTS: &[&str] = &[
        "adminer",
        "alertmanager",
        "cadvisor",
        "caddy",
        "dapr",
        "envoy",
        "etcd",
        "filebeat",
        "fluentbit",
        "fluentd",
        "haproxy",
        "istio",
        "kibana",
        "kong",
        "logstash",
        "loki",
        "mailhog",
        "metabase",
        "nginx",
        "pgadmin",
        "pgbouncer",
        "portainer",
        "promtail",
        "seq",
        "tempo",
        "traefik",
        "vector",
        "zookeeper",
    ];
    let lower = name.to_lowercase();
    let first = lower.split([' ', '-', '_']).next().unwrap_or_default();
    let known = |word: &str| catalog.by_word(word).is_some() || catalog.by_host(word).is_some();
    known(&lower) || PRODUCTS.contains(&first)
}

/// Whether the drawings of a document show no services but steps, states or machines: most of what they name is none of
/// the services here.
fn is_of_something_else(facts: &Facts, fact: &Fact) -> bool {
    let drawn = |other: &&Fact| other.at.path == fact.at.path && other.at.rule == fact.at.rule;
    if fact.at.rule != "document-graph" {
        return false;
    }
    let known = facts.services.iter().filter(|service| service.facts.iter().any(|fact| drawn(&fact))).count();
    let unknown: BTreeSet<&str> = facts
        .orphans
        .iter()
        .filter(drawn)
        .filter_map(|fact| match &fact.subject {
            Subject::Named(name) => Some(name.as_str()),
            Subject::Here => None,
        })
        .collect();
    unknown.len() > known.max(1)
}

/// Services that documents or configuration name and that have no Dockerfile.
pub(crate) fn orphans(facts: &Facts, catalog: &Catalog, problems: &mut Vec<Problem>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let has_gateway = facts.services.iter().any(|service| service.name.contains("gateway"));
    let names: BTreeSet<&str> = facts.services.iter().map(|service| service.name.as_str()).collect();
    // `Web UI` is what people call `web`.
    let is_one_of_ours = |name: &str| {
        let lower = name.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        words.len() > 1 && words.iter().any(|word| names.contains(word))
    };
    for fact in &facts.orphans {
        let Subject::Named(name) = &fact.subject else { continue };
        let is_gateway = matches!(super::names::folded(name).as_str(), "gateway" | "apigateway");
        if is_gateway && has_gateway || is_one_of_ours(name) || is_of_something_else(facts, fact) {
            continue;
        }
        // Whatever is scraped may be an exporter or run elsewhere.
        if fact.at.rule == "prometheus-target" || is_a_product(name, catalog) || !seen.insert(name) {
            continue;
        }
        problems.push(
            Problem::new(
                "dockerfile-missing",
                Severity::Warning,
                format!("`{name}` is described as a service, and no Dockerfile for it was found"),
            )
            .service(name)
            .at(&fact.at)
            .fix(format!("add a Dockerfile to the folder of `{name}`, or correct the document")),
        );
    }
}
