//! Reads what `docker compose config` prints; asks nobody.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{BuildSpec, Condition, PublishedPort, ServiceSpec, Spec};
use crate::error::{Failure, Result};
use crate::run::labels::{Labels, Role};
use crate::run::setup::fnv1a;

impl Spec {
    /// Reads the JSON that `docker compose config` prints.
    ///
    /// # Errors
    /// When it is not that.
    pub fn parse(json: &str, project: &str) -> Result<Spec> {
        let raw: RawConfig = serde_json::from_str(json)
            .map_err(|why| Failure::new("cannot understand what `docker compose config` prints").why(why))?;
        let completed: Vec<&String> = raw
            .services
            .values()
            .flat_map(|service| service.depends_on.iter())
            .filter(|(_, dependency)| condition(&dependency.condition) == Condition::Completed)
            .map(|(name, _)| name)
            .collect();
        let services = raw.services.iter().map(|(name, service)| {
            let waited_for_to_end = completed.contains(&name);
            service_spec(name, service, waited_for_to_end, &raw.volumes, project)
        });
        let networks =
            raw.networks.iter().filter(|(_, network)| network.as_ref().is_none_or(RawNetwork::takes_a_pool));
        let networks = networks.map(|(key, network)| {
            network
                .as_ref()
                .and_then(|network| network.name.clone())
                .unwrap_or_else(|| format!("{project}_{key}"))
        });
        let (bases, services) = services.partition(|service| service.role == Role::Base);
        Ok(Spec { services, bases, networks: networks.collect(), fingerprint: fnv1a(json.as_bytes()) })
    }
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default)]
    services: BTreeMap<String, RawService>,
    #[serde(default)]
    volumes: BTreeMap<String, RawVolume>,
    #[serde(default)]
    networks: BTreeMap<String, Option<RawNetwork>>,
}

#[derive(Deserialize)]
struct RawNetwork {
    name: Option<String>,
    driver: Option<String>,
    #[serde(default)]
    external: bool,
    ipam: Option<RawIpam>,
}

impl RawNetwork {
    /// A bridge of our own, for which nobody has chosen the addresses.
    fn takes_a_pool(&self) -> bool {
        let bridge = self.driver.as_deref().is_none_or(|driver| driver.is_empty() || driver == "bridge");
        let chosen = self.ipam.as_ref().is_some_and(|ipam| !ipam.config.is_empty());
        bridge && !self.external && !chosen
    }
}

#[derive(Deserialize)]
struct RawIpam {
    #[serde(default)]
    config: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawVolume {
    name: Option<String>,
}

#[derive(Deserialize)]
struct RawService {
    image: Option<String>,
    build: Option<RawBuild>,
    #[serde(default)]
    depends_on: BTreeMap<String, RawDependency>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    ports: Vec<RawPort>,
    healthcheck: Option<RawHealth>,
    #[serde(default)]
    volumes: Vec<RawMount>,
    #[serde(default)]
    tmpfs: Vec<String>,
    develop: Option<RawDevelop>,
    environment: Option<BTreeMap<String, Option<String>>>,
    command: Option<serde_json::Value>,
    entrypoint: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawBuild {
    #[serde(default)]
    context: String,
    #[serde(default)]
    dockerfile: String,
    #[serde(default)]
    additional_contexts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawDependency {
    #[serde(default)]
    condition: String,
}

#[derive(Deserialize)]
struct RawPort {
    #[serde(default)]
    host_ip: String,
    published: Option<String>,
    target: u16,
    #[serde(default)]
    protocol: String,
}

#[derive(Deserialize)]
struct RawDevelop {
    #[serde(default)]
    watch: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawHealth {
    test: Option<Vec<String>>,
    #[serde(default)]
    disable: bool,
    start_interval: Option<String>,
}

#[derive(Deserialize)]
struct RawMount {
    #[serde(rename = "type")]
    kind: String,
    source: Option<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    read_only: bool,
}

fn service_spec(
    name: &str,
    raw: &RawService,
    waited_for_to_end: bool,
    volumes: &BTreeMap<String, RawVolume>,
    project: &str,
) -> ServiceSpec {
    let labels = Labels::read(|label| raw.labels.get(label).map(String::as_str));
    let role = labels.role.unwrap_or(match (waited_for_to_end, &raw.build) {
        (true, _) => Role::OneShot,
        (false, Some(_)) => Role::Service,
        (false, None) => Role::Component,
    });
    let health_test =
        raw.healthcheck.as_ref().filter(|check| !check.disable).and_then(|check| check.test.as_ref());
    let real = |mount: &RawMount| {
        let key = mount.source.as_ref().filter(|_| mount.kind == "volume")?;
        Some(volumes.get(key).and_then(|volume| volume.name.clone()).unwrap_or_else(|| key.clone()))
    };
    ServiceSpec {
        name: name.to_owned(),
        role,
        image: raw.image.clone().unwrap_or_else(|| format!("{project}-{name}")),
        build: raw.build.as_ref().map(build_spec),
        depends_on: raw
            .depends_on
            .iter()
            .map(|(name, on)| (name.clone(), condition(&on.condition)))
            .collect(),
        ports: raw.ports.iter().map(published).collect(),
        health_test: health_test.into_iter().flatten().map(|word| word.replace("$$", "$")).collect(),
        volumes: raw.volumes.iter().filter_map(real).collect(),
        binds: raw
            .volumes
            .iter()
            .filter(|mount| mount.kind == "bind")
            .filter_map(|mount| mount.source.clone())
            .collect(),
        reads: raw.volumes.iter().filter(|mount| mount.read_only).filter_map(real).collect(),
        watched: raw.develop.as_ref().is_some_and(|develop| !develop.watch.is_empty()),
        tmpfs: raw.tmpfs.iter().filter_map(|mount| mount.split(':').next()).map(str::to_owned).collect(),
        start_interval: raw.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some()),
        mounts: raw.volumes.iter().map(|mount| mount.target.clone()).collect(),
        values: format!("{:?} {:?} {:?} {health_test:?}", raw.environment, raw.command, raw.entrypoint),
        environment: raw.environment.clone().unwrap_or_default(),
        labels,
    }
}

fn build_spec(raw: &RawBuild) -> BuildSpec {
    let of_service = |(reference, context): (&String, &String)| {
        Some((reference.clone(), context.strip_prefix("service:")?.to_owned()))
    };
    BuildSpec {
        context: raw.context.clone(),
        dockerfile: raw.dockerfile.clone(),
        contexts: raw.additional_contexts.iter().filter_map(of_service).collect(),
    }
}

fn published(raw: &RawPort) -> PublishedPort {
    PublishedPort {
        host_ip: raw.host_ip.clone(),
        published: raw.published.as_deref().and_then(|port| port.parse().ok()).filter(|port| *port != 0),
        target: raw.target,
        protocol: if raw.protocol.is_empty() { "tcp".to_owned() } else { raw.protocol.clone() },
    }
}

fn condition(text: &str) -> Condition {
    match text {
        "service_healthy" => Condition::Healthy,
        "service_completed_successfully" => Condition::Completed,
        _ => Condition::Started,
    }
}
