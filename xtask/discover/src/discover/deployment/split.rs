//! Services that share a Dockerfile: told apart by commands, targets and arguments in deployment files, or by its stages.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dockerfile::Dockerfile;
use super::super::names::{Names, valid_name};
use super::super::services::{self, Found};
use super::{Deployment, Unit, UnitBuild, is_chore};
use crate::catalog::Catalog;
use crate::model::fact::{Build, ComponentFacts, Evidence, Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::model::start::belongs_to_init;
use crate::repo::Repo;

/// One Dockerfile that a compose file starts with several commands, targets or arguments is several services.
pub(super) fn by_build(repo: &Repo, found: &mut Found, units: &[Unit]) {
    let mut groups: BTreeMap<&RepoPath, Vec<(&Unit, &UnitBuild)>> = BTreeMap::new();
    for unit in units.iter().filter(|unit| !is_chore(&unit.name)) {
        if let Some(build) = &unit.build {
            groups.entry(&build.dockerfile).or_default().push((unit, build));
        }
    }
    for (dockerfile, group) in groups {
        let mine: Vec<usize> =
            (0..found.services.len()).filter(|at| found.services[*at].dockerfile == *dockerfile).collect();
        let [at] = mine[..] else { continue };
        found.services[at].build.context = group[0].1.context.clone();
        let name = found.services[at].name.clone();
        found
            .problems
            .retain(|problem| !problem.code.starts_with("build-") || problem.services != [name.as_str()]);
        let differs = |(unit, build): &(&Unit, &UnitBuild)| {
            let (first, first_build) = group[0];
            unit.command != first.command
                || build.target != first_build.target
                || build.args != first_build.args
        };
        if group.len() < 2 || !group.iter().any(differs) {
            continue;
        }
        let Some(parsed) = repo.text(dockerfile).ok().and_then(|text| Dockerfile::parse(&text.text).ok())
        else {
            continue;
        };
        let whole = found.services.remove(at);
        for (unit, build) in group {
            let mut part = whole.clone();
            part.aliases.retain(|alias| *alias != unit.name);
            // What answers requests is what others call by the names of the whole.
            if unit.process.as_deref().is_some_and(|process| !process.is_empty()) {
                if !takes_commands(&whole.image) {
                    continue;
                }
                part.aliases.clear();
            }
            part.name = name_of(&whole, unit);
            part.command.clone_from(&unit.command);
            part.is_worker = unit.is_worker;
            part.build.context = build.context.clone();
            part.build.target = build.target.clone().or_else(|| parsed.product());
            part.build.args.clone_from(&build.args);
            part.image = found.image(&parsed, build.target.as_deref(), &build.args);
            part.origins = found.bases.origins(dockerfile, &parsed, &build.args);
            found.services.push(part);
        }
    }
}

/// A process is called after its image, which may be the only one.
fn name_of(whole: &ServiceFacts, unit: &Unit) -> String {
    match unit.process.as_deref() {
        None => valid_name(&unit.name),
        Some("") => whole.name.clone(),
        Some(process) => valid_name(&format!("{}-{process}", whole.name)),
    }
}

/// Whether another command is started as it stands there: nothing, a script or an init comes first.
fn takes_commands(image: &Image) -> bool {
    let is_wrapper = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        belongs_to_init(word) || name.ends_with(".sh") || name.contains("entrypoint")
    };
    image.entrypoint.iter().all(is_wrapper)
}

/// The context that a file says for a Dockerfile, where all that it says about that Dockerfile agrees.
pub(super) fn take_contexts(found: &mut Found, units: &[Unit]) {
    let mut said: BTreeMap<&RepoPath, BTreeSet<&RepoPath>> = BTreeMap::new();
    for build in units.iter().filter_map(|unit| unit.build.as_ref()) {
        said.entry(&build.dockerfile).or_default().insert(&build.context);
    }
    for service in &mut found.services {
        let Some(contexts) = said.get(&service.dockerfile).filter(|contexts| contexts.len() == 1) else {
            continue;
        };
        if let Some(context) = contexts.first().filter(|context| **context != &service.build.context) {
            service.build.context = (**context).clone();
            let name = service.name.clone();
            found
                .problems
                .retain(|problem| !problem.code.starts_with("build-") || problem.services != [name.as_str()]);
        }
    }
}

/// One image that several workloads start with commands of their own is several services. The one that starts the image
/// as it is, or is called like it, stays what it was.
pub(super) fn by_command<'u>(found: &mut Found, units: impl Iterator<Item = &'u Unit>) {
    let names = Names::of(&found.services);
    let mut groups: BTreeMap<usize, BTreeMap<&str, &Unit>> = BTreeMap::new();
    for unit in units.filter(|unit| !is_chore(&unit.name)) {
        let image = unit.image.split(['@', ':']).next().unwrap_or_default();
        let last = image.rsplit('/').next().unwrap_or_default();
        if let Some(at) = names.find(last).filter(|_| !last.is_empty()) {
            // Overlays say the same again.
            groups.entry(at).or_default().entry(&unit.name).or_insert(unit);
        }
    }
    let mut parts = Vec::new();
    for (at, group) in groups {
        let whole = &found.services[at];
        let is_whole = |unit: &Unit| {
            unit.command.is_none() || names.find(&unit.name) == Some(at) && names.is_exact(&unit.name)
        };
        let commands: BTreeSet<_> = group.values().map(|unit| &unit.command).collect();
        if commands.len() < 2 || whole.command.is_some() || !group.values().any(|unit| is_whole(unit)) {
            continue;
        }
        for unit in group.values().filter(|unit| !is_whole(unit)) {
            // Another service of that name is started by another image.
            let fits = if unit.replaces_entrypoint {
                whole.image.entrypoint.is_empty()
            } else {
                takes_commands(&whole.image)
            };
            if !fits || found.services.iter().any(|service| service.name == valid_name(&unit.name)) {
                continue;
            }
            let mut part = whole.clone();
            part.name = valid_name(&unit.name);
            part.aliases.clear();
            part.command.clone_from(&unit.command);
            // Manifests name the ports on which a program listens.
            part.is_worker = unit.ports.is_empty()
                && group.values().any(|other| is_whole(other) && !other.ports.is_empty());
            parts.push(part);
        }
    }
    found.services.extend(parts);
}

/// One Dockerfile with a stage for each of several programs is several services, where nobody says which of them runs, or
/// where a file builds an image of each.
pub(super) fn by_stage(repo: &Repo, catalog: &Catalog, found: &mut Found, deployments: &[Deployment]) {
    let builds = deployments.iter().flat_map(|one| &one.units).filter_map(|unit| unit.build.as_ref());
    let mut said: BTreeMap<&RepoPath, BTreeSet<&str>> = BTreeMap::new();
    for build in builds {
        said.entry(&build.dockerfile).or_default().extend(build.target.as_deref());
    }
    for whole in std::mem::take(&mut found.services) {
        let is_plain = whole.build.target.is_none() && whole.build.args.is_empty() && whole.command.is_none();
        let built = said.get(&whole.dockerfile);
        let is_open = is_plain && whole.image.stages.len() > 1 && built.is_none_or(|built| built.len() > 1);
        let parsed =
            is_open.then(|| Dockerfile::parse(&repo.text(&whole.dockerfile).ok()?.text).ok()).flatten();
        let programs = parsed.as_ref().map(|parsed| match built {
            Some(built) => parsed.programs_among(built),
            None => parsed.programs(),
        });
        let (Some(parsed), Some([_, ..])) = (&parsed, programs.as_deref()) else {
            found.services.push(whole);
            continue;
        };
        let programs = without_servers(catalog, found, (&whole, parsed), programs.unwrap_or_default());
        split(repo, found, (whole, parsed), &programs);
    }
}

/// The stages but for those that only start the server of a kind, which are components: `FROM redis AS cache`.
fn without_servers(
    catalog: &Catalog,
    found: &mut Found,
    (whole, parsed): (&ServiceFacts, &Dockerfile),
    programs: Vec<String>,
) -> Vec<String> {
    let mut rest = Vec::new();
    for program in programs {
        let image = found.image(parsed, Some(&program), &BTreeMap::new());
        let Some(kind) = services::infrastructure(catalog, &image) else {
            rest.push(program);
            continue;
        };
        let file = whole.dockerfile.clone();
        let at = Evidence { path: file.clone(), line: image.base_line.max(1), rule: "dockerfile-from" };
        let build = Build { target: Some(program.clone()), ..whole.build.clone() };
        let name = valid_name(&program);
        found.components.push(ComponentFacts {
            name,
            kind,
            image: image.base,
            build: Some((file, build)),
            at,
        });
    }
    rest
}

/// The services of a Dockerfile whose stages start these programs.
fn split(repo: &Repo, found: &mut Found, (whole, parsed): (ServiceFacts, &Dockerfile), programs: &[String]) {
    let images = programs.iter().map(|program| found.image(parsed, Some(program), &BTreeMap::new()));
    let images: Vec<Image> = images.collect();
    // What answers requests, or else what is built when nobody chooses, is what the whole was known as.
    let mut answering = (0..images.len()).filter(|at| !images[*at].expose.is_empty());
    let heir = match (answering.next(), answering.next()) {
        (Some(only), None) => only,
        _ => images.len().saturating_sub(1),
    };
    // A folder that holds Dockerfiles for some purpose says nothing about their programs.
    let is_apart = whole.path.is_root()
        || services::is_variant(whole.path.name()) && !services::has_code(repo, &whole.path);
    for (at, (program, image)) in programs.iter().zip(images).enumerate() {
        let mut part = whole.clone();
        part.name = match &whole.name {
            _ if is_apart => valid_name(program),
            name if valid_name(program).starts_with(name.as_str()) => valid_name(program),
            name => valid_name(&format!("{name}-{program}")),
        };
        if is_apart {
            let called = || folder_of(repo, &part.build.context, program);
            part.path = services::built_for(repo, parsed, &image).or_else(called).unwrap_or_default();
            part.language = services::language_of(repo, &part.path, &part.build.context, &image);
        }
        if at != heir {
            part.aliases.clear();
        }
        let known_as = [Some(program), (at == heir).then_some(&whole.name)];
        let known_as = known_as.into_iter().flatten().map(|name| name.to_lowercase());
        part.aliases.extend(known_as.filter(|alias| *alias != part.name));
        part.build.target = Some(program.clone());
        part.image = image;
        if at == heir {
            for service in found.problems.iter_mut().flat_map(|problem| &mut problem.services) {
                if *service == whole.name {
                    service.clone_from(&part.name);
                }
            }
        }
        found.services.push(part);
    }
}

/// The folder with code in what the build sees that is called as a stage.
fn folder_of(repo: &Repo, context: &RepoPath, stage: &str) -> Option<RepoPath> {
    context.join(stage).filter(|folder| repo.is_folder(folder) && services::has_code(repo, folder))
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    #[test]
    fn stage_that_only_starts_a_server_is_a_component() {
        let tree = "//- /flows/requirements.txt\ncelery\n//- /flows/run.sh\nx\n//- /flows/Dockerfile\nFROM python:3.12 AS base\nCOPY . /app\n\
            FROM redis:7.2 AS cache\nUSER root\nCMD [\"redis-server\"]\nFROM base AS worker\nCMD [\"celery\", \"worker\"]\n\
            FROM base AS scheduler\nCMD [\"celery\", \"beat\"]\n";
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(tree), &catalog, &Scope::default()).expect("is read");
        let services: Vec<&str> = facts.services.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(services, ["flows-scheduler", "flows-worker"]);
        let built = facts.components.iter().map(|one| {
            let target = one.build.as_ref().and_then(|(_, build)| build.target.as_deref());
            (one.name.as_str(), one.kind.as_str(), one.image.as_str(), target)
        });
        assert_eq!(built.collect::<Vec<_>>(), [("cache", "redis", "redis:7.2", Some("cache"))]);
    }

    /// Name, folder, stage and other names of each service.
    fn found(tree: &str) -> Vec<String> {
        let facts = discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let services = facts.expect("is read").services.into_iter();
        services
            .map(|one| {
                let target = one.build.target.unwrap_or_default();
                format!("{} in {} from {target} as {}", one.name, one.path, one.aliases.join(" "))
            })
            .collect()
    }

    const FLOW: &str = "//- /flow/go.mod\nmodule shop\n//- /flow/main.go\npackage main\n//- /docker/flow.Dockerfile\nFROM golang AS build\nCOPY flow .\n\
        FROM alpine AS base\nCOPY --from=build /flow /flow\nFROM base AS flow-api\nEXPOSE 8112\nCMD [\"/flow\", \"api\"]\n\
        FROM base AS flow-worker\nCMD [\"/flow\", \"worker\"]\nFROM base AS flow-maintenance\nCMD [\"/flow\", \"tidy\"]\n";

    #[test]
    fn stages_that_a_bake_file_builds_are_services_and_the_one_that_answers_keeps_the_name() {
        let target = |name: &str| {
            format!(
                "target \"{name}\" {{\n context = \".\"\n dockerfile = \"docker/flow.Dockerfile\"\n target = \"{name}\"\n}}\n"
            )
        };
        let bake = ["flow-api", "flow-worker", "flow-maintenance"].map(target).concat();
        assert_eq!(
            found(&format!("{FLOW}//- /docker-bake.hcl\n{bake}")),
            ["flow-api in flow from flow-api as flow shop", "flow-worker in flow from flow-worker as shop"]
        );
        let one = target("flow-api");
        assert_eq!(
            found(&format!("{FLOW}//- /docker-bake.hcl\n{one}")),
            ["flow in flow from  as flow-api shop"]
        );
    }

    #[test]
    fn stages_of_a_folder_for_development_are_the_programs_that_they_take() {
        let tree = "//- /go.mod\nmodule shop\n//- /build/api/main.go\npackage main\n//- /build/jobs/main.go\npackage main\n\
            //- /dev/Dockerfile\nFROM golang AS build\nCOPY go.mod ./\nCOPY build ./build\nRUN go build -o /out/ \\\n  ./build/api \\\n  ./build/jobs\n\
            FROM busybox AS runtime\nENTRYPOINT [\"/app\"]\nFROM runtime AS api\nCOPY --from=build /out/api /app\n\
            FROM runtime AS jobs\nCOPY --from=build /out/jobs /app\n";
        assert_eq!(found(tree), ["api in build/api from api as ", "jobs in build/jobs from jobs as dev"]);
    }

    #[test]
    fn programs_beside_a_server_in_the_last_stage_are_services() {
        let stage = |name: &str| {
            format!(
                "FROM eclipse-temurin AS {name}\nCOPY --from=build /w/{name}/* /w/\nENTRYPOINT [\"java\", \"Launcher\"]\n"
            )
        };
        let module = |name: &str| {
            format!("//- /{name}/build.gradle\n\n//- /{name}/src/main/java/A.java\nclass A {{}}\n")
        };
        let tree = format!(
            "{}{}//- /prometheus.yml\n\n//- /Dockerfile\nFROM gradle AS build\nCOPY . .\n{}{}FROM prom/prometheus AS metrics\nCOPY prometheus.yml /etc/\n",
            module("orders"),
            module("users"),
            stage("orders"),
            stage("users")
        );
        assert_eq!(
            found(&tree),
            ["orders in orders from orders as ", "users in users from users as fixture"]
        );
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
        assert_eq!(facts.services.len(), 2);
        let [metrics] = &facts.components[..] else { panic!("{:?}", facts.components) };
        let target = metrics.build.as_ref().and_then(|(_, build)| build.target.as_deref());
        assert_eq!(
            (metrics.name.as_str(), metrics.kind.as_str(), target),
            ("metrics", "prometheus", Some("metrics"))
        );
    }
}
