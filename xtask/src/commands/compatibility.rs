//! The compatibility report of an update, as people read it: what the running system and its data will notice.

use std::collections::BTreeMap;

use crate::apply::compatibility::{Compatibility, Major, compare};
use crate::apply::merge::rename;
use crate::apply::plan::Plan;
use crate::catalog::{Catalog, Upgrade};
use crate::cli::Context;
use crate::commands::pipeline::Pipeline;
use crate::error::Failure;
use crate::model::stack::Mount;
use crate::run::dotenv;
use crate::run::setup::{COMPOSE_FILE, Setup};
use crate::ui::list;

/// Says what an update of an existing setup changes for what runs there.
pub(super) fn report(context: &Context, pipeline: &Pipeline, plan: &Plan) {
    let step = plan.steps.iter().find(|step| step.name == COMPOSE_FILE);
    let Some((Some(before), Some(after))) = step.map(|step| (&step.before, &step.after)) else { return };
    // Nothing runs by a setup that cannot be read.
    let Ok(setup) = Setup::read(&context.out, &context.out_name(), "dev") else { return };
    let env: Option<BTreeMap<String, String>> = setup.env_file.is_file().then(|| {
        dotenv::entries(&setup.env_text).into_iter().map(|entry| (entry.name, entry.value)).collect()
    });
    let renamed = pipeline.renamed();
    for (old, new) in &renamed {
        context.ui.status("Renamed", format!("{old} to {new} ({})", kept(pipeline, new)));
    }
    let under_new = |text: &String, (old, new): &(String, String)| rename::service(text, old, new);
    let before_renamed = renamed.iter().fold(before.clone(), |text, pair| under_new(&text, pair));
    let found = compare(&before_renamed, after, env.as_ref());
    let say = Say { context, setup: &setup, catalog: &pipeline.catalog };
    say.changes(&found);
    say.warnings(&found, before != after);
}

/// What a renamed service has from before.
fn kept(pipeline: &Pipeline, name: &str) -> String {
    let stack = &pipeline.stack;
    let service = stack.inventory.services.iter().find(|service| service.name == name);
    let container = stack.containers.iter().find(|container| container.name == name);
    let mut all: Vec<String> = Vec::new();
    if let Some(port) = container.and_then(|container| container.ports.first()) {
        all.push(format!("port {} and the variables {}*", port.host, port.variable.trim_end_matches("PORT")));
    }
    let databases = service.into_iter().flat_map(|service| &service.requires);
    all.extend(databases.filter_map(|one| Some(format!("the database {}", one.database.as_ref()?))));
    let volumes = container.into_iter().flat_map(|container| &container.volumes);
    all.extend(volumes.filter_map(|mount| match mount {
        Mount::Volume { name, read_only: false, .. } => Some(format!("the volume {name}")),
        _ => None,
    }));
    if all.is_empty() { "it holds no data".to_owned() } else { format!("it keeps {}", list(&all)) }
}

struct Say<'a> {
    context: &'a Context,
    setup: &'a Setup,
    catalog: &'a Catalog,
}

impl Say<'_> {
    fn changes(&self, found: &Compatibility) {
        let ui = self.context.ui;
        for (service, new, gone) in &found.dependencies {
            if !new.is_empty() {
                ui.status("Waits", format!("{service} for {} now", list(new)));
            }
            if !gone.is_empty() {
                ui.status("Waits", format!("{service} no longer for {}", list(gone)));
            }
        }
        for (service, container, old, new) in &found.moved_ports {
            ui.status(
                "Moves",
                format!("{service} from port {old} of this machine to {new} ({container} in the container)"),
            );
        }
    }

    fn warnings(&self, found: &Compatibility, changed: bool) {
        let ui = self.context.ui;
        for (port, services) in &found.port_conflicts {
            ui.warn(
                Failure::new(format!("{} are all published on port {port} of this machine", list(services)))
                    .at(self.setup.shown_file(&self.setup.out.join(COMPOSE_FILE)))
                    .fix(format!("change one of them there, or its variable in {}", self.env_file())),
            );
        }
        if !found.missing_variables.is_empty() && changed {
            let names: Vec<String> = found.missing_variables.iter().map(|name| format!("`{name}`")).collect();
            ui.warn(
                Failure::new(format!("{} has no value for {} yet", self.env_file(), list(&names))).fix(
                    "cargo xtask up adds what it can make up; by hand: copy the lines from .env.example",
                ),
            );
        }
        if !found.unused_volumes.is_empty() {
            let names: Vec<String> = found
                .unused_volumes
                .iter()
                .map(|volume| format!("{}_{volume}", self.setup.project))
                .collect();
            ui.warn(
                Failure::new(format!("no service uses {} any more; the data stay", list(&names)))
                    .fix(format!("once nobody needs them: docker volume rm {}", names.join(" "))),
            );
        }
        for (service, old, new) in found.moved_databases.iter().filter(|_| changed) {
            ui.warn(
                Failure::new(format!("`{service}` gets the database `{new}` now; what it has stored stays in `{old}`"))
                    .fix(format!(
                        "to stay with that, set the variable that names it below services.{service}.env in config.yaml"
                    )),
            );
        }
        for major in &found.majors {
            if let Some(failure) = self.major(major) {
                ui.warn(failure);
            }
        }
    }

    /// `None` where that version opens the data by itself.
    fn major(&self, major: &Major) -> Option<Failure> {
        let Major { service, kind, images, majors: (old, new), volume } = major;
        let entry = self.catalog.get(kind);
        let upgrade = entry.and_then(|entry| entry.upgrade);
        let newer = new > old;
        let what = match upgrade {
            Some(Upgrade::Any) if newer => return None,
            Some(Upgrade::Next) if *new == old + 1 => return None,
            Some(_) => format!("`{}` cannot open the data of `{}`", images.1, images.0),
            None => format!("`{}` may not be able to open the data of `{}`", images.1, images.0),
        };
        let why = match upgrade {
            Some(Upgrade::Next) if newer => "it opens those of the major before it only",
            _ if !newer => "an older version does not read what a newer one wrote",
            _ => "the format on disk differs from major to major",
        };
        let volume = format!("{}_{volume}", self.setup.project);
        let failure = Failure::new(what)
            .at(format!(
                "{}: services.{service}.image",
                self.setup.shown_file(&self.setup.out.join(COMPOSE_FILE))
            ))
            .why(format!("{why}, and the volume {volume} keeps them if {service} has run before"));
        let reset = format!("cargo xtask reset {service}");
        Some(match entry {
            Some(_) => failure.fix(format!(
                "stay with cargo xtask integrate --set infrastructure.{kind}.version={old}\n\
                 or, with the old version still running, cargo xtask db snapshot; after the change {reset} and cargo xtask db restore"
            )),
            None => {
                failure.fix(format!("save the data with the old version, then {reset}, and load them again"))
            }
        })
    }

    fn env_file(&self) -> String {
        self.setup.shown_file(&self.setup.env_file)
    }
}
