//! What was decided, why, and what could be had instead, one entry each; decides nothing itself.

use crate::commands::explain::{fact_text, facts_about, facts_for, facts_of_variable, in_container};
use crate::commands::pipeline::Pipeline;
use crate::config::keys::shell;
use crate::model::inventory::{Component, Env, EnvFrom, FactLine, Requirement, Service, Strength};
use crate::model::words::list;

/// In the order in which they are shown.
pub(super) const SECTIONS: &[&str] =
    &["Services", "Ports", "Networks", "Databases", "Environment", "Images", "Isolation", "Hot reload"];

/// One value of the setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    /// One of [`SECTIONS`].
    pub(super) section: &'static str,
    /// The service or component; empty where it is about all.
    pub(super) about: String,
    /// What was decided: `3000 in the container`.
    pub(super) value: String,
    /// One sentence each, the best first.
    pub(super) why: Vec<String>,
    /// What else there is.
    pub(super) alternatives: Vec<Alternative>,
    /// The key in `config.yaml`.
    pub(super) key: String,
    /// Whether `config.yaml` says it.
    pub(super) configured: bool,
}

/// Something that `--set` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    /// `services.market.port`
    pub(super) key: String,
    /// `None` where people write what they want.
    pub(super) value: Option<String>,
    /// What it means, or what to write: `PORT`.
    pub(super) about: String,
}

impl Alternative {
    /// `KEY=VALUE`, where the value is known.
    pub(super) fn setting(&self) -> String {
        format!("{}={}", self.key, self.value.as_deref().unwrap_or_default())
    }

    /// As a shell takes it, with a word in capitals where people write what they want.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Some(value) if self.about.is_empty() => format!("{}={}", self.key, shell(value)),
            Some(value) => format!("{}={}  ({})", self.key, shell(value), self.about),
            None => format!("{}={}", self.key, self.about),
        }
    }

    /// As a list offers it.
    pub(super) fn line(&self) -> String {
        match (&self.value, self.about.as_str()) {
            (Some(value), "") => value.clone(),
            (Some(value), about) => format!("{value}: {about}"),
            (None, about) => format!("{about} for {}", self.key),
        }
    }
}

impl Decision {
    /// `market: 3002 in the container`
    pub(super) fn line(&self) -> String {
        if self.about.is_empty() { self.value.clone() } else { format!("{}: {}", self.about, self.value) }
    }
}

/// All decisions, in the order of the sections.
pub(super) fn decisions(pipeline: &Pipeline) -> Vec<Decision> {
    let from = From { pipeline };
    let services = &pipeline.stack.inventory.services;
    let components = &pipeline.stack.inventory.infrastructure;
    let mut all: Vec<Decision> = services.iter().flat_map(|service| from.service(service)).collect();
    all.extend(services.iter().flat_map(|service| from.ports(service)));
    all.extend(components.iter().filter_map(|component| from.component_port(component)));
    all.push(from.bind());
    all.extend(from.networks());
    all.extend(services.iter().flat_map(|service| from.databases(service)));
    all.extend(services.iter().filter_map(|service| from.migrations(service)));
    all.extend(components.iter().map(|component| from.server(component)));
    all.extend(services.iter().flat_map(|service| from.environment(service)));
    all.extend(components.iter().filter_map(|component| from.image(component)));
    all.extend(services.iter().map(|service| from.build(service)));
    all.push(from.isolation());
    all.push(from.hot_reload());
    all
}

struct From<'a> {
    pipeline: &'a Pipeline,
}

fn open(key: &str, about: &str) -> Alternative {
    Alternative { key: key.to_owned(), value: None, about: about.to_owned() }
}

fn fixed(key: &str, value: impl Into<String>, about: &str) -> Alternative {
    Alternative { key: key.to_owned(), value: Some(value.into()), about: about.to_owned() }
}

fn evidence(facts: Vec<&FactLine>) -> Vec<String> {
    facts.into_iter().map(fact_text).collect()
}

impl From<'_> {
    /// A decision under one key. What `config.yaml` says is its own reason.
    fn decision(
        &self,
        section: &'static str,
        about: &str,
        value: String,
        key: &str,
        why: Vec<String>,
    ) -> Decision {
        let path: Vec<&str> = key.split('.').collect();
        let place = self.pipeline.config.said(&path);
        let configured = place.is_some();
        let why = place.map_or(why, |place| vec![format!("{place} says so")]);
        Decision {
            section,
            about: about.to_owned(),
            value,
            why,
            alternatives: Vec::new(),
            key: key.to_owned(),
            configured,
        }
    }

    fn service(&self, service: &Service) -> Vec<Decision> {
        let name = &service.name;
        let language = if service.language.is_empty() { "a service" } else { service.language.as_str() };
        let what = format!("{language}, built by {}", service.dockerfile);
        let mut found = self.decision("Services", name, what, "services.exclude", Vec::new());
        found.configured = false;
        found.why = vec!["it has a Dockerfile where services are looked for".to_owned()];
        found.alternatives = vec![self.exclude(&service.path)];
        let mut all = vec![found, self.health(service)];
        all.extend(service.requires.iter().map(|requirement| self.requirement(service, requirement)));
        all
    }

    fn exclude(&self, path: &str) -> Alternative {
        let mut all = self.pipeline.config.services.exclude.clone();
        all.push(path.to_owned());
        fixed("services.exclude", all.join(","), "leaves it out")
    }

    fn health(&self, service: &Service) -> Decision {
        let key = format!("services.{}.health", service.name);
        let value = match crate::commands::report::health(service).as_str() {
            "" | "-" => "no health check".to_owned(),
            health => format!("ready when {health} answers"),
        };
        let mut why = evidence(facts_about(service, "health"));
        if why.is_empty() {
            why.push("no health endpoint stands anywhere, and none is invented".to_owned());
        }
        let mut decision = self.decision("Services", &service.name, value, &key, why);
        decision.alternatives = vec![
            open(&format!("{key}.http"), "/PATH"),
            open(&format!("{key}.tcp"), "PORT"),
            open(&format!("{key}.command"), "COMMAND"),
            fixed(&key, "none", "nothing is checked"),
        ];
        decision
    }

    fn migrations(&self, service: &Service) -> Option<Decision> {
        let migrations = service.migrations.as_ref()?;
        let key = format!("services.{}.migrate", service.name);
        let value = format!("{} migrations: {}", migrations.tool, migrations.by);
        let why = evidence(facts_about(service, "migration"));
        let mut decision = self.decision("Databases", &service.name, value, &key, why);
        decision.alternatives = vec![open(&key, "COMMAND"), fixed(&key, "none", "no one-shot runs them")];
        Some(decision)
    }

    fn requirement(&self, service: &Service, requirement: &Requirement) -> Decision {
        let key = format!("services.{}.requires", service.name);
        let target = &requirement.target;
        let kind = if requirement.kind == "service" { target } else { &requirement.kind };
        let possible = requirement.strength == Strength::Possible;
        let value = if possible {
            format!("may need {target}, not started for it")
        } else {
            format!("needs {target}")
        };
        let mut decision =
            self.decision("Services", &service.name, value, &key, evidence(facts_for(service, requirement)));
        if decision.why.is_empty() {
            decision.why.push("code or configuration calls it by this name".to_owned());
        }
        let (sign, about) =
            if possible { ('+', "starts and waits for it") } else { ('-', "does without it") };
        // What is said already stays said.
        let said = self.pipeline.config.service(&service.name).requires.unwrap_or_default();
        let relative = said.iter().all(|item| item.starts_with(['+', '-']));
        let mut items: Vec<String> =
            said.into_iter().filter(|item| item.trim_start_matches(['+', '-']) != kind).collect();
        match (relative, sign) {
            (true, _) => items.push(format!("{sign}{kind}")),
            (false, '+') => items.push(kind.clone()),
            (false, _) => {}
        }
        if !items.is_empty() {
            decision.alternatives.push(fixed(&key, items.join(","), about));
        }
        decision
    }

    fn ports(&self, service: &Service) -> Vec<Decision> {
        let name = &service.name;
        let mut all = Vec::new();
        for (i, port) in service.ports.iter().enumerate() {
            let key = format!("services.{name}.port");
            let facts = facts_about(service, "port");
            let number = port.container.to_string();
            let (agree, differ): (Vec<&FactLine>, Vec<&FactLine>) =
                facts.into_iter().partition(|fact| fact.value == number);
            let why = evidence(agree.into_iter().chain(differ).collect());
            let mut inside = self.decision("Ports", name, format!("{number} in the container"), &key, why);
            if i > 0 {
                inside.configured = false;
            } else {
                inside.alternatives = vec![open(&key, "PORT")];
            }
            all.push(inside);
            if let Some(host) = port.host {
                let key = format!("services.{name}.host_port");
                let why = self.why_host(name, port.container, host);
                let mut outside = self.decision("Ports", name, format!("{host} on this machine"), &key, why);
                if i == 0 {
                    outside.alternatives = vec![open(&key, "PORT")];
                }
                all.push(outside);
            }
        }
        all
    }

    fn why_host(&self, owner: &str, container: u16, host: u16) -> Vec<String> {
        let conflict = self.pipeline.stack.inventory.problems.iter().find(|problem| {
            problem.code == "port-conflict" && problem.services.last().is_some_and(|last| last == owner)
        });
        if let Some(problem) = conflict {
            return vec![problem.message.replace('`', "")];
        }
        let why = match container {
            same if same == host => "the same as in the container, and nobody else in this setup wants it",
            low if low < 1024 => "ports below 1024 need rights on the machine",
            _ => "kept from an earlier run, in .generated/state.yaml",
        };
        vec![why.to_owned()]
    }

    fn component_port(&self, component: &Component) -> Option<Decision> {
        let stack = &self.pipeline.stack;
        let container = stack.containers.iter().find(|container| container.name == component.name)?;
        let port = container.local_ports.first()?;
        let key = format!("infrastructure.{}.host_port", component.kind);
        let why = self.why_host(&component.name, port.container, port.host);
        let value = format!("{} on this machine, {} in the container", port.host, port.container);
        let mut decision = self.decision("Ports", &component.name, value, &key, why);
        decision.alternatives = vec![open(&key, "PORT")];
        Some(decision)
    }

    fn bind(&self) -> Decision {
        let bind = &self.pipeline.stack.bind;
        let why = "a published port bypasses the firewall of the machine".to_owned();
        let mut decision = self.decision("Ports", "", format!("published on {bind}"), "bind", vec![why]);
        decision.alternatives = ["127.0.0.1", "0.0.0.0"]
            .iter()
            .filter(|address| *address != bind)
            .map(|address| {
                let about = if *address == "0.0.0.0" {
                    "everybody who reaches the machine"
                } else {
                    "this machine only"
                };
                fixed("bind", *address, about)
            })
            .collect();
        decision
    }

    fn networks(&self) -> Vec<Decision> {
        let stack = &self.pipeline.stack;
        let name = format!("the project is called {}", stack.name);
        let why = match &self.pipeline.recorded.name {
            Some(_) => "as at the first run, in .generated/state.yaml",
            None => "after the root's manifest or folder",
        };
        let mut project = self.decision("Networks", "", name, "name", vec![why.to_owned()]);
        project.alternatives = vec![open("name", "NAME")];
        let mut all = vec![project];
        for network in &stack.networks {
            let joins = |container: &&crate::model::stack::Container| {
                container.networks.iter().any(|(joined, _)| *joined == network.name)
            };
            let members: Vec<&str> =
                stack.containers.iter().filter(joins).map(|container| container.name.as_str()).collect();
            let why = "only they reach each other on it".to_owned();
            let value = format!("{} for {}", network.name, list(&members));
            let mut decision = self.decision("Networks", "", value, "isolation", vec![why]);
            decision.configured = false;
            all.push(decision);
        }
        all
    }

    fn databases(&self, service: &Service) -> Vec<Decision> {
        let own = service.requires.iter().filter(|requirement| requirement.strength == Strength::Required);
        own.filter_map(|requirement| {
            let database = requirement.database.as_ref()?;
            let key = format!("infrastructure.{}.shared", requirement.kind);
            let value = format!("the database {database} on {}, and a user that owns it", requirement.target);
            let mut why = evidence(facts_for(service, requirement));
            why.push("each service has its own, so that none reads another one's tables".to_owned());
            let mut decision = self.decision("Databases", &service.name, value, &key, why);
            decision.configured = false;
            Some(decision)
        })
        .collect()
    }

    fn server(&self, component: &Component) -> Decision {
        let kind = &component.kind;
        let wanted = self.pipeline.config.infrastructure.get(kind).cloned().unwrap_or_default();
        let users = if component.used_by.is_empty() {
            "nobody that was seen".to_owned()
        } else {
            list(&component.used_by)
        };
        let (key, external) = (format!("infrastructure.{kind}"), format!("infrastructure.{kind}.url"));
        if let Some(url) = wanted.elsewhere() {
            let value = format!("runs elsewhere, at {url}, for {users}");
            let key = format!("{key}.external");
            let why = vec!["it has an address in config.yaml".to_owned()];
            let mut decision = self.decision("Databases", &component.name, value, &key, why);
            decision.alternatives = vec![open(&external, "ADDRESS"), fixed(&key, "false", "started here")];
            return decision;
        }
        let key = format!("{key}.shared");
        let one_each = wanted.shared == Some(false);
        let value =
            if one_each { format!("a server for {users} alone") } else { format!("one server for {users}") };
        let why = "one server costs less memory and starts sooner than one for each service".to_owned();
        let mut decision = self.decision("Databases", &component.name, value, &key, vec![why]);
        decision.alternatives = vec![
            match one_each {
                true => fixed(&key, "true", "one server for all"),
                false => fixed(&key, "false", "one server for each service"),
            },
            open(&external, "ADDRESS"),
        ];
        decision
    }

    fn environment(&self, service: &Service) -> Vec<Decision> {
        service.env.iter().filter_map(|env| self.variable(service, env)).collect()
    }

    /// What the container gets; what stands in the image or in the code alone is not decided here.
    fn variable(&self, service: &Service, env: &Env) -> Option<Decision> {
        let name = &service.name;
        let value = in_container(&self.pipeline.stack, name, &env.name)?;
        let key = format!("services.{name}.env.{}", env.name);
        let reason = match env.from {
            EnvFrom::Wired => "points at another part of the system",
            EnvFrom::Default if value.contains("${") => {
                "as the repository has it; the variable in .env moves it"
            }
            EnvFrom::Default => "as the repository has it",
            EnvFrom::Secret => "a secret, from .env",
            EnvFrom::User => "config.yaml says so",
        };
        let mut why = vec![reason.to_owned()];
        why.extend(evidence(facts_of_variable(service, &env.name)));
        let mut decision = self.decision("Environment", name, format!("{} = {value}", env.name), &key, why);
        decision.configured = env.from == EnvFrom::User;
        decision.alternatives = vec![open(&key, "VALUE")];
        Some(decision)
    }

    fn image(&self, component: &Component) -> Option<Decision> {
        let kind = &component.kind;
        let entry = self.pipeline.catalog.get(kind)?;
        if component.image.is_empty() {
            return None;
        }
        let key = format!("infrastructure.{kind}.version");
        let known = entry.versions.iter().find(|(_, version)| version.image == component.image);
        let why = match known {
            Some((version, _)) if *version == entry.default => {
                "the version that the catalogue takes by default"
            }
            Some(_) => "a version of the catalogue, as the repository or an earlier run has it",
            None => "as the repository has it",
        };
        let mut decision =
            self.decision("Images", &component.name, component.image.clone(), &key, vec![why.to_owned()]);
        let others = entry.versions.keys().filter(|version| known.is_none_or(|(taken, _)| taken != *version));
        decision.alternatives = others.map(|version| fixed(&key, version, "")).collect();
        decision.alternatives.push(open(&format!("infrastructure.{kind}.image"), "IMAGE"));
        Some(decision)
    }

    fn build(&self, service: &Service) -> Decision {
        let build = &service.build;
        let stage = build.target.as_ref().map(|target| format!(", stage {target}")).unwrap_or_default();
        let value = format!("built by {} in {}{stage}", service.dockerfile, build.context);
        let key = format!("services.{}.build.context", service.name);
        let why = "the nearest folder in which all that is copied exists".to_owned();
        let mut decision = self.decision("Images", &service.name, value, &key, vec![why]);
        let target = format!("services.{}.build.target", service.name);
        decision.alternatives = vec![open(&key, "FOLDER"), open(&target, "STAGE")];
        decision
    }

    fn isolation(&self) -> Decision {
        let on = self.pipeline.config.isolated();
        let value = if on { "on: a network for each set of clients" } else { "off: one network for all" };
        let why = "who does not use a database does not reach it".to_owned();
        let mut decision = self.decision("Isolation", "", value.to_owned(), "isolation", vec![why]);
        decision.alternatives = vec![match on {
            true => fixed("isolation", "off", "one network for all"),
            false => fixed("isolation", "on", "a network for each set of clients"),
        }];
        decision
    }

    fn hot_reload(&self) -> Decision {
        let on = self.pipeline.config.hot_reload.is_none_or(|switch| switch.0);
        let value = if on { "on" } else { "off" };
        let why = "a change in the code reaches the container with up --watch".to_owned();
        let mut decision = self.decision("Hot reload", "", value.to_owned(), "hot_reload", vec![why]);
        let other = if on { "off" } else { "on" };
        decision.alternatives = vec![fixed("hot_reload", other, "")];
        decision
    }
}
