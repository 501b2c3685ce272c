//! The variables that containers of Kubernetes take from ConfigMaps and Secrets, one by one (`configMapKeyRef`) or all
//! (`envFrom`), whichever manifest holds them, and from the literals of Kustomize's generators. What is encoded is not read.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{Deployment, Format};
use crate::model::fact::Evidence;
use crate::model::path::RepoPath;

const RULE: &str = "kubernetes-config-map";

/// The rule of what several containers take at once: such a map has the addresses of all, of which each uses some.
pub(in crate::discover) const SHARED: &str = "kubernetes-shared-map";

/// What a container takes out of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// The map's name.
    pub(super) map: String,
    /// The variable and the key from which it is; all keys where there is none.
    pub(super) one: Option<(String, String)>,
    /// Stands in front of the keys where all are taken.
    pub(super) prefix: String,
}

/// A variable of a container that stands in another document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) at: Evidence,
}

/// Names and values under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    file: RepoPath,
    name: String,
    /// Keys, values and lines.
    entries: Vec<(String, String, u32)>,
}

/// Whether a manifest may hold such maps, by its text.
pub(super) fn may_hold(text: &str) -> bool {
    ["ConfigMap", "stringData", "configMapGenerator", "secretGenerator"]
        .iter()
        .any(|word| text.contains(word))
}

/// The maps of a manifest; `documents` are its parts.
pub(super) fn of(file: &RepoPath, text: &str, documents: &[Value]) -> Vec<Map> {
    let word = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut maps = Vec::new();
    for document in documents {
        let data = match word(document, "kind").as_deref() {
            Some("ConfigMap") => document.get("data"),
            Some("Secret") => document.get("stringData"),
            _ => None,
        };
        let name = document.get("metadata").and_then(|metadata| word(metadata, "name"));
        if let (Some(Value::Mapping(data)), Some(name)) = (data, name) {
            let entries =
                data.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), plain(value)?)));
            maps.push(Map::new(file, text, name, entries.collect()));
        }
        let generators =
            ["configMapGenerator", "secretGenerator"].iter().filter_map(|key| document.get(*key));
        for generator in generators.filter_map(Value::as_sequence).flatten() {
            let literals = generator.get("literals").and_then(Value::as_sequence);
            let pairs = literals.into_iter().flatten().filter_map(|pair| pair.as_str()?.split_once('='));
            let pairs =
                pairs.map(|(key, value)| (key.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
            maps.extend(word(generator, "name").map(|name| Map::new(file, text, name, pairs.collect())));
        }
    }
    maps
}

/// A value on one line; files are none.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.contains('\n')).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

impl Map {
    fn new<'t>(file: &RepoPath, text: &'t str, name: String, entries: Vec<(String, String)>) -> Map {
        let is_name = |line: &str| {
            let line = line.trim().trim_start_matches("- ");
            line.strip_prefix("name:").is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == name)
        };
        let start = text.lines().position(is_name).unwrap_or_default();
        // What a line is about; the data may stand above the name.
        let key = |line: &'t str| {
            let line = line.trim().trim_start_matches("- ").trim_start_matches(['"', '\'']);
            line.split([':', '=', '"', '\'']).next().unwrap_or_default()
        };
        let mut lines: BTreeMap<&str, (bool, u32)> = BTreeMap::new();
        for (at, (line, number)) in text.lines().zip(1u32..).enumerate() {
            let known = lines.entry(key(line)).or_insert((at > start, number));
            if !known.0 && at > start {
                *known = (true, number);
            }
        }
        let above = u32::try_from(start + 1).unwrap_or(1);
        let entries = entries.into_iter().map(|(key, value)| {
            let line = lines.get(key.as_str()).map_or(above, |(_, line)| *line);
            (key, value, line)
        });
        let entries = entries.collect();
        Map { file: file.clone(), name, entries }
    }

    /// How many folders it shares with a file, counted from the root; itself is nearest.
    fn nearness(&self, file: &RepoPath) -> usize {
        if self.file == *file {
            return usize::MAX;
        }
        self.file.parts().zip(file.parts()).take_while(|(own, other)| own == other).count()
    }
}

/// Gives the containers what they take: of several maps of a name, as overlays have them, the nearest, then the first.
pub(super) fn settle(deployments: &mut [Deployment], maps: &[Map]) {
    let units = deployments.iter().flat_map(|deployment| &deployment.units);
    let whole = units.flat_map(|unit| unit.taken.iter().filter(|taken| taken.one.is_none()));
    let mut takers: BTreeMap<String, usize> = BTreeMap::new();
    for taken in whole {
        *takers.entry(taken.map.clone()).or_default() += 1;
    }
    let manifests = deployments.iter_mut().filter(|deployment| deployment.format == Format::Kubernetes);
    for Deployment { file, units, .. } in manifests {
        for unit in units {
            for taken in std::mem::take(&mut unit.taken) {
                let named = maps.iter().rev().filter(|map| map.name == taken.map);
                let Some(map) = named.max_by_key(|map| map.nearness(file)) else { continue };
                let is_shared =
                    taken.one.is_none() && takers.get(&taken.map).is_some_and(|takers| *takers > 1);
                let rule = if is_shared { SHARED } else { RULE };
                let given = map.entries.iter().filter_map(|(key, value, line)| {
                    let name = match &taken.one {
                        Some((name, wanted)) => (wanted == key).then(|| name.clone()),
                        None => is_variable(key).then(|| format!("{}{key}", taken.prefix)),
                    };
                    let at = Evidence { path: map.file.clone(), line: *line, rule };
                    Some(Given { name: name?, value: value.clone(), at })
                });
                unit.given.extend(given);
            }
            // What the container says itself stands above all that it takes at once.
            let own = |given: &Given| {
                unit.environment.iter().any(|(name, value)| *name == given.name && !value.is_empty())
            };
            unit.given.retain(|given| !own(given));
            unit.environment.retain(|(name, value)| {
                !value.is_empty() || !unit.given.iter().any(|given| given.name == *name)
            });
        }
    }
}

fn is_variable(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    /// Names, values and places of what manifests tell the one service, with the container's `more`.
    fn told(more: &str, manifests: &str) -> Vec<String> {
        let tree = format!(
            "//- /orders/Dockerfile\nFROM node\nCOPY . .\nCMD node x.js\n//- /orders/x.js\nlisten(3000)\n\
             //- /k8s/base/orders.yaml\nkind: Deployment\nmetadata:\n  name: orders\nspec:\n  template:\n    spec:\n      containers:\n        \
             - name: main\n          image: orders\n{more}{manifests}"
        );
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let said =
            facts.services.iter().flat_map(|service| &service.facts).filter_map(|fact| match &fact.what {
                What::EnvValue { name, value, .. } => {
                    Some(format!("{name}={value} {}:{}", fact.at.path, fact.at.line))
                }
                _ => None,
            });
        let mut said: Vec<String> = said.collect();
        said.sort();
        said
    }

    fn map(file: &str, kind: &str, data: &str) -> String {
        format!("//- /k8s/{file}\nkind: {kind}\nmetadata:\n  name: settings\n{data}")
    }

    const ALL: &str = "          envFrom:\n            - configMapRef: { name: settings }\n";

    #[test]
    fn key_of_a_map_is_the_value_of_the_variable() {
        let from = |name: &str, map: &str| {
            format!(
                "            - {{ name: {name}, valueFrom: {{ configMapKeyRef: {{ name: {map}, key: users.host }} }} }}\n"
            )
        };
        let one = format!("          env:\n{}{}", from("USERS", "settings"), from("OTHER", "nowhere"));
        let data = map("base/settings.yaml", "ConfigMap", "data:\n  users.host: \"users:8080\"\n  more: x\n");
        assert_eq!(
            told(&one, &data),
            ["OTHER= k8s/base/orders.yaml:12", "USERS=users:8080 k8s/base/settings.yaml:5"]
        );
    }

    #[test]
    fn all_of_a_map_are_variables_but_files_and_what_the_container_says_itself() {
        let own = format!("{ALL}          env:\n            - {{ name: LEVEL, value: debug }}\n");
        let data = "data:\n  LEVEL: info\n  PORT: 3000\n  app.toml: |\n    a = 1\n    b = 2\n";
        let said = told(&own, &map("base/settings.yaml", "ConfigMap", data));
        assert_eq!(said, ["LEVEL=debug k8s/base/orders.yaml:13", "PORT=3000 k8s/base/settings.yaml:6"]);
    }

    #[test]
    fn of_a_map_that_several_take_each_has_what_it_reads() {
        let users = "//- /users/Dockerfile\nFROM node\nCOPY . .\nCMD node x.js\n//- /users/x.js\nlisten(process.env.USERS_PORT)\n\
                     //- /k8s/base/users.yaml\nkind: Deployment\nmetadata:\n  name: users\nspec:\n  template:\n    spec:\n      containers:\n        \
                     - name: main\n          image: users\n";
        let data = map("base/settings.yaml", "ConfigMap", "data:\n  USERS_PORT: \"3000\"\n  OTHER: x\n");
        assert_eq!(told(ALL, &format!("{users}{ALL}{data}")), ["USERS_PORT=3000 k8s/base/settings.yaml:5"]);
    }

    #[test]
    fn secrets_in_plain_text_count_and_encoded_ones_do_not() {
        let taken = ALL.replace("configMapRef", "secretRef");
        let plain = map("base/s.yaml", "Secret", "stringData:\n  KEY: abc\ndata:\n  TOKEN: YWJj\n");
        assert_eq!(told(&taken, &plain), ["KEY=abc k8s/base/s.yaml:5"]);
    }

    #[test]
    fn maps_that_a_machine_wrote_are_read_up_to_a_limit() {
        let data: String = (0..30_000).map(|at| format!("  KEY_{at}: x\n")).collect();
        let said = told(ALL, &map("base/settings.yaml", "ConfigMap", &format!("data:\n{data}")));
        assert_eq!(said.len(), super::super::MAX_VARIABLES);
        assert!(said.contains(&"KEY_999=x k8s/base/settings.yaml:1004".to_owned()), "each at its line");
    }

    #[test]
    fn of_several_maps_of_a_name_the_nearest_counts() {
        let far = map("overlays/dev/settings.yaml", "ConfigMap", "data:\n  A: far\n");
        let near = map("base/settings.yaml", "ConfigMap", "data:\n  A: near\n");
        assert_eq!(told(ALL, &format!("{far}{near}")), ["A=near k8s/base/settings.yaml:5"]);
        let generated = "//- /k8s/base/kustomization.yaml\nconfigMapGenerator:\n  - name: settings\n    literals:\n      - A=made\n";
        assert_eq!(told(ALL, &format!("{far}{generated}")), ["A=made k8s/base/kustomization.yaml:4"]);
    }
}
