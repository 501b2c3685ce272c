//! The system as Compose understands its files (`docker compose config`): what should run, and who waits for whom.

use std::collections::BTreeMap;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
use crate::run::labels::{Labels, Role};
use crate::run::setup::Setup;

mod json;

/// What an entry of `depends_on` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `service_started`
    Started,
    /// `service_healthy`
    Healthy,
    /// `service_completed_successfully`
    Completed,
}

/// A port published on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPort {
    /// The address it is bound to; empty for all of them.
    pub host_ip: String,
    /// On the host; `None` where Docker picks one.
    pub published: Option<u16>,
    /// Inside the container.
    pub target: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// Where an image is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSpec {
    /// Absolute.
    pub context: String,
    /// Relative to the context.
    pub dockerfile: String,
    /// What FROM names and another service builds, and that service.
    pub contexts: Vec<(String, String)>,
}

/// One service of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// The Compose service.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// From the label, else from how others wait for it.
    pub role: Role,
    /// The image it runs, also where Compose names what it builds.
    pub image: String,
    /// `None` where the image is pulled.
    pub build: Option<BuildSpec>,
    /// In the order of their names.
    pub depends_on: Vec<(String, Condition)>,
    /// In the order of the file.
    pub ports: Vec<PublishedPort>,
    /// `healthcheck.test` with `$$` unescaped; empty where the image's own counts.
    pub health_test: Vec<String>,
    /// Whether its check has a `start_interval`, which older engines refuse.
    pub start_interval: bool,
    /// Real names of the named volumes it mounts.
    pub volumes: Vec<String>,
    /// Those of them that it only reads.
    pub reads: Vec<String>,
    /// What it mounts of the engine's machine: absolute paths.
    pub binds: Vec<String>,
    /// Whether it has rules under `develop.watch`.
    pub watched: bool,
    /// Folders that lie on tmpfs, without options.
    pub tmpfs: Vec<String>,
    /// Its variables; `None` where the value comes from the shell.
    pub environment: BTreeMap<String, Option<String>>,
    /// Where something is mounted into it.
    pub mounts: Vec<String>,
    /// Its environment, command and check in one text, to look for a value in.
    pub values: String,
}

/// The whole system, in the order of the service names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// In the order of their names.
    pub services: Vec<ServiceSpec>,
    /// Images that others are built from, likewise; nothing of them runs.
    pub bases: Vec<ServiceSpec>,
    /// Real names of the networks that take their addresses from the engine's pools.
    pub networks: Vec<String>,
    /// Of all that Compose said: another one means that something is to be done.
    pub fingerprint: u64,
}

impl Spec {
    /// Asks Compose, with every profile off.
    ///
    /// # Errors
    /// When Compose refuses the files; its own words are the cause.
    pub fn read(docker: &Docker, setup: &Setup) -> Result<Spec> {
        let command = setup.compose(docker).args(["config", "--format", "json"]);
        let output = command.output()?;
        if output.code != 0 {
            let mut failure = Failure::new("Compose refuses the setup");
            for file in &setup.files {
                failure = failure.at(setup.shown_file(file));
            }
            return Err(failure.why(output.stderr.trim()).why(format!("$ {command}")).into());
        }
        Spec::parse(&output.stdout, &setup.project)
    }

    /// A service by its name.
    pub fn service(&self, name: &str) -> Option<&ServiceSpec> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Those of the bases and services that are built before others of these, and these themselves, in waves: each needs
    /// only what stands in earlier ones. What is not built here is left out.
    pub fn builds<'s>(&'s self, services: &[&'s ServiceSpec]) -> Vec<Vec<&'s ServiceSpec>> {
        let known = |name: &str| self.bases.iter().chain(&self.services).find(|service| service.name == name);
        let mut waves: Vec<Vec<&ServiceSpec>> = Vec::new();
        let mut wave: Vec<&ServiceSpec> =
            services.iter().copied().filter(|service| service.build.is_some()).collect();
        // Compose refuses circles, and the rounds end all the same.
        while !wave.is_empty() && waves.len() <= self.bases.len() + self.services.len() {
            let mut before: Vec<&ServiceSpec> = Vec::new();
            let contexts =
                wave.iter().filter_map(|service| service.build.as_ref()).flat_map(|build| &build.contexts);
            for one in contexts.filter_map(|(_, name)| known(name)) {
                if before.iter().all(|other| other.name != one.name) {
                    before.push(one);
                }
            }
            for later in waves.iter_mut().chain([&mut wave]) {
                later.retain(|service| before.iter().all(|one| one.name != service.name));
            }
            waves.insert(0, wave);
            wave = before;
        }
        waves.retain(|wave| !wave.is_empty());
        waves
    }

    /// The names of all services.
    pub fn names(&self) -> Vec<&str> {
        self.services.iter().map(|service| service.name.as_str()).collect()
    }

    /// Those that wait for this one directly.
    pub fn dependants(&self, name: &str) -> Vec<&str> {
        let waits = |service: &&ServiceSpec| service.depends_on.iter().any(|(target, _)| target == name);
        self.services.iter().filter(waits).map(|service| service.name.as_str()).collect()
    }

    /// The named services and all that they depend on; all services where no name is given.
    pub fn closure(&self, names: &[String]) -> Vec<&ServiceSpec> {
        let mut wanted: Vec<&str> = match names {
            [] => self.names(),
            names => names.iter().map(String::as_str).collect(),
        };
        let mut next = 0;
        while let Some(name) = wanted.get(next).copied() {
            let dependencies =
                self.service(name).map(|service| service.depends_on.as_slice()).unwrap_or_default();
            for (target, _) in dependencies {
                if !wanted.contains(&target.as_str()) {
                    wanted.push(target);
                }
            }
            next += 1;
        }
        self.services.iter().filter(|service| wanted.contains(&service.name.as_str())).collect()
    }

    /// How many steps of waiting lie before each service: 0 for those that wait for nothing.
    pub fn depths(&self) -> BTreeMap<&str, usize> {
        let mut depths: BTreeMap<&str, usize> = self.services.iter().map(|s| (s.name.as_str(), 0)).collect();
        // Each round settles at least one more step; Compose refuses cycles, and the rounds end all the same.
        for _ in 0..self.services.len() {
            for service in &self.services {
                let before = service.depends_on.iter().filter_map(|(target, _)| depths.get(target.as_str()));
                let depth = before.map(|depth| depth + 1).max().unwrap_or(0);
                depths.insert(&service.name, depth.min(self.services.len()));
            }
        }
        depths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{ "name": "p",
      "services": {
        "api": { "build": { "context": "/r/api", "dockerfile": "Dockerfile" },
          "depends_on": { "db": { "condition": "service_healthy" }, "seed": { "condition": "service_completed_successfully" } },
          "healthcheck": { "test": ["CMD-SHELL", "echo $$PORT"] },
          "ports": [ { "host_ip": "127.0.0.1", "target": 3000, "published": "3001", "protocol": "tcp" } ],
          "labels": { "xtask.role": "service", "xtask.kind": "worker", "xtask.main": "http 3000" } },
        "db": { "image": "postgres:17", "volumes": [ { "type": "volume", "source": "data", "target": "/d" }, { "type": "bind", "source": "/x", "target": "/y" } ] },
        "seed": { "image": "postgres:17", "depends_on": { "db": { "condition": "service_healthy" } } },
        "lone": { "build": { "context": "/r/lone" } } },
      "networks": { "own": { "name": "p_own", "ipam": {} }, "plain": null, "theirs": { "name": "t", "external": true },
        "host": { "name": "p_host", "driver": "host" }, "chosen": { "name": "p_c", "ipam": { "config": [ { "subnet": "10.9.0.0/24" } ] } } },
      "volumes": { "data": { "name": "p_data" } } }"#;

    fn spec() -> Spec {
        Spec::parse(CONFIG, "p-1a2b").unwrap()
    }

    #[test]
    fn roles_are_known_without_labels() {
        let roles: Vec<Role> = spec().services.iter().map(|service| service.role).collect();
        assert_eq!(roles, [Role::Service, Role::Component, Role::Service, Role::OneShot]);
    }

    #[test]
    fn a_service_is_read_whole() {
        let spec = spec();
        let api = spec.service("api").unwrap();
        assert_eq!(api.image, "p-1a2b-api");
        assert_eq!(api.labels.kind, "worker");
        assert_eq!(
            api.depends_on,
            [("db".to_owned(), Condition::Healthy), ("seed".to_owned(), Condition::Completed)]
        );
        assert_eq!(api.ports[0].published, Some(3001));
        assert_eq!(api.health_test, ["CMD-SHELL", "echo $PORT"]);
        assert_eq!(spec.service("db").unwrap().volumes, ["p_data"]);
    }

    #[test]
    fn networks_that_take_addresses_from_the_engine_are_known() {
        assert_eq!(spec().networks, ["p_own", "p-1a2b_plain"]);
    }

    #[test]
    fn naming_a_service_takes_what_it_waits_for() {
        let spec = spec();
        let names = |of: &[&str]| -> Vec<String> {
            let of: Vec<String> = of.iter().map(|name| (*name).to_owned()).collect();
            spec.closure(&of).iter().map(|service| service.name.clone()).collect()
        };
        assert_eq!(names(&["seed"]), ["db", "seed"]);
        assert_eq!(names(&["api"]), ["api", "db", "seed"]);
        assert_eq!(names(&[]).len(), 4);
    }

    #[test]
    fn order_and_dependants_follow_the_edges() {
        let spec = spec();
        assert_eq!(["db", "seed", "api", "lone"].map(|name| spec.depths()[name]), [0, 1, 2, 0]);
        assert_eq!(spec.dependants("db"), ["api", "seed"]);
    }
}
