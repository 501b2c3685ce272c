//! The containers of Kubernetes manifests, also of those with template marks in them; resolves no values of charts.

use serde::Deserialize as _;
use serde_yaml::Value;

use super::Unit;
use super::config_maps::{self, Map, Taken};
use crate::model::path::RepoPath;

/// Folders in which manifests lie.
const FOLDERS: &[&str] = &[
    "base",
    "chart",
    "charts",
    "deploy",
    "deployment",
    "deployments",
    "helm",
    "infra",
    "infrastructure",
    "k8s",
    "k8s-specifications",
    "kube",
    "kubernetes",
    "kustomize",
    "manifest",
    "manifests",
    "overlays",
    "templates",
];

/// Whether a file of that path may be a manifest; its `kind` decides.
pub(super) fn may_be(file: &RepoPath) -> bool {
    let folders = file.parent().unwrap_or_default();
    let named =
        ["deployment", "statefulset", "k8s", "kubernetes"].iter().any(|word| file.name().contains(word));
    named || folders.parts().any(|part| FOLDERS.contains(&part) || part.contains("k8s"))
}

/// The containers of all workloads in a file, and the variables that it keeps apart from them.
pub(super) fn read(text: &str, file: &RepoPath) -> (Vec<Unit>, Vec<Map>) {
    let holds_maps = config_maps::may_hold(text);
    let runs = text.contains("containers:") && text.contains("kind:");
    if !holds_maps && !runs {
        return (Vec::new(), Vec::new());
    }
    let plain = without_templates(text);
    // A document that is not understood ends the file: what stands behind it cannot be told apart.
    let documents: Vec<Value> = serde_yaml::Deserializer::from_str(&plain)
        .map_while(|document| Value::deserialize(document).ok())
        .collect();
    let units = documents.iter().flat_map(|document| of_workload(document, &documents)).collect();
    (units, if holds_maps { config_maps::of(file, text, &documents) } else { Vec::new() })
}

/// The files that a container finds where its volumes of configuration are mounted, as far as `documents` hold them.
fn mounted(pod: &Value, container: &Value, documents: &[Value]) -> Vec<String> {
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_sequence).cloned().unwrap_or_default();
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let volumes: Vec<String> =
        list(container, "volumeMounts").iter().filter_map(|mount| text(mount, "name")).collect();
    let is_mounted = |volume: &&Value| text(volume, "name").is_some_and(|name| volumes.contains(&name));
    let all = list(pod, "volumes");
    let maps: Vec<String> =
        all.iter().filter(is_mounted).filter_map(|volume| text(volume.get("configMap")?, "name")).collect();
    let is_named = |document: &&Value| {
        text(document, "kind").is_some_and(|kind| kind == "ConfigMap")
            && document
                .get("metadata")
                .and_then(|metadata| text(metadata, "name"))
                .is_some_and(|name| maps.contains(&name))
    };
    let data = documents.iter().filter(is_named).filter_map(|document| document.get("data")?.as_mapping());
    data.flatten().filter_map(|(_, file)| file.as_str().map(str::to_owned)).collect()
}

/// Template marks taken out: lines that only steer vanish, values become nothing.
fn without_templates(text: &str) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.lines() {
        if !line.trim_start().starts_with("{{") {
            let mut rest = line;
            while let Some((before, after)) = rest.split_once("{{") {
                out.push_str(before);
                rest = after.split_once("}}").map_or("", |(_, behind)| behind);
            }
            out.push_str(rest);
        }
        out.push('\n');
    }
    out
}

fn of_workload(document: &Value, documents: &[Value]) -> Vec<Unit> {
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    let at = |path: &[&str]| path.iter().try_fold(document, |value, key| value.get(*key));
    let pod = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => at(&["spec", "template", "spec"]),
        "Pod" => at(&["spec"]),
        _ => None,
    };
    let containers = pod.and_then(|pod| pod.get("containers")).and_then(Value::as_sequence);
    let workload = at(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    let (Some(pod), Some(containers)) = (pod, containers) else { return Vec::new() };
    // Beside the program, others may run for it: only a lone container bears the workload's name.
    let lone = containers.len() == 1 && !bare(workload).is_empty();
    let unit = |container: &Value| Unit {
        files: mounted(pod, container, documents),
        ..of_container(container, lone.then_some(workload))
    };
    containers.iter().map(unit).collect()
}

/// `worker` of `{{ .Release.Name }}-worker`, from which the template mark has been taken out.
fn bare(name: &str) -> String {
    name.trim_matches(['-', '.', '_', ' ']).to_owned()
}

/// What it takes out of ConfigMaps and Secrets.
fn taken(container: &Value) -> Vec<Taken> {
    let list = |key: &str| container.get(key).and_then(Value::as_sequence).into_iter().flatten();
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let one = list("env").filter_map(|entry| {
        let from = entry.get("valueFrom")?;
        let of = from.get("configMapKeyRef").or_else(|| from.get("secretKeyRef"))?;
        let one = Some((text(entry, "name")?, text(of, "key")?));
        Some(Taken { map: text(of, "name")?, one, prefix: String::new() })
    });
    let all = list("envFrom").filter_map(|entry| {
        let of = entry.get("configMapRef").or_else(|| entry.get("secretRef"))?;
        let prefix = text(entry, "prefix").unwrap_or_default();
        Some(Taken { map: text(of, "name")?, one: None, prefix })
    });
    all.chain(one).collect()
}

fn of_container(container: &Value, workload: Option<&str>) -> Unit {
    let text = |key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |key: &str| container.get(key).and_then(Value::as_sequence).cloned().unwrap_or_default();
    let number =
        |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    let environment = list("env").into_iter().filter_map(|entry| {
        let name = entry.get("name")?.as_str()?.to_owned();
        let value = entry.get("value").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some((name, value))
    });
    let ports: Vec<(Option<String>, u16)> = list("ports")
        .iter()
        .filter(|port| port.get("protocol").and_then(Value::as_str) != Some("UDP"))
        .filter_map(|port| {
            let name = port.get("name").and_then(Value::as_str).map(str::to_owned);
            Some((name, port.get("containerPort").and_then(number)?))
        })
        .collect();
    let health = ["readinessProbe", "livenessProbe"].iter().find_map(|probe| {
        let get = container.get(*probe)?.get("httpGet")?;
        let path = get.get("path")?.as_str().filter(|path| path.starts_with('/'))?;
        let port = get.get("port")?;
        let named =
            port.as_str().and_then(|name| ports.iter().find(|(known, _)| known.as_deref() == Some(name)));
        Some((path.to_owned(), number(port).or(named.map(|(_, port)| *port))))
    });
    let words = |key: &str| list(key).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let replaces_entrypoint = !words("command").is_empty();
    let command: Vec<String> = words("command").into_iter().chain(words("args")).collect();
    // `$(NAME)` is filled in by Kubernetes.
    let is_plain = command.iter().all(|word| !word.contains("$("));
    Unit {
        command: (!command.is_empty() && is_plain).then_some(command),
        replaces_entrypoint,
        name: bare(&workload.map_or_else(|| text("name"), str::to_owned)),
        image: text("image"),
        environment: environment.collect(),
        taken: taken(container),
        health,
        ports: plain(ports.into_iter().map(|(_, port)| port).collect()),
        ..Unit::default()
    }
}

/// Beside a plain port, that of TLS has its certificates from the cluster.
fn plain(ports: Vec<u16>) -> Vec<u16> {
    let (encrypted, plain): (Vec<u16>, Vec<u16>) =
        ports.into_iter().partition(|port| matches!(port, 443 | 8443));
    if plain.is_empty() { encrypted } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_configuration_are_those_that_a_container_mounts() {
        let map = |name: &str| {
            format!(
                "kind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  app.toml: |\n    url = \"http://{name}:80\"\n---\n"
            )
        };
        let workload = "kind: Deployment\nmetadata:\n  name: orders\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n          \
            image: orders\n          volumeMounts: [{ name: config, mountPath: /etc/orders }]\n      volumes:\n        \
            - { name: config, configMap: { name: of-orders } }\n        - { name: rest, configMap: { name: of-others } }\n";
        let (units, _) =
            read(&format!("{}{}{workload}", map("of-orders"), map("of-others")), &RepoPath::root());
        assert_eq!(units[0].files, ["url = \"http://of-orders:80\"\n"]);
    }

    #[test]
    fn containers_are_read_also_from_templates() {
        let text = "{{- if .Values.on }}\nkind: Deployment\nmetadata:\n  name: orders\nspec:\n  template:\n    spec:\n      containers:\n        \
            - name: main\n          image: {{ .Values.image }}\n          ports:\n            - name: http\n              containerPort: 8080\n            - containerPort: 8443\n          \
            env:\n            - name: DB_HOST\n              value: db\n            - name: TOKEN\n          \
            readinessProbe:\n            httpGet: { path: /ready, port: http }\n{{- end }}\n";
        let (units, _) = read(text, &RepoPath::root());
        assert_eq!(units.len(), 1);
        assert_eq!((units[0].name.as_str(), units[0].ports.as_slice()), ("orders", [8080].as_slice()));
        assert_eq!(units[0].health, Some(("/ready".to_owned(), Some(8080))));
        let names: Vec<&str> = units[0].environment.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["DB_HOST", "TOKEN"]);
    }

    #[test]
    fn names_of_charts_lose_what_stands_for_the_release() {
        let names = |name: &str| {
            let text = format!(
                "kind: Deployment\nmetadata:\n  name: {name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n"
            );
            read(&text, &RepoPath::root()).0.into_iter().map(|unit| unit.name).collect::<Vec<_>>()
        };
        assert_eq!(names("{{ .Release.Name }}-worker"), ["worker"]);
        assert_eq!(names("'{{ .Release.Name }}-{{ .Values.suffix }}'"), ["main"]);
    }
}
