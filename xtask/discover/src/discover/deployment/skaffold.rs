//! The images that Skaffold builds: which folder each is built from, and its name. Deploys nothing.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_yaml::Value;

use super::{Unit, UnitBuild};
use crate::model::path::RepoPath;

/// Whether a file of that path is Skaffold's.
pub(super) fn may_be(file: &RepoPath) -> bool {
    file.name().starts_with("skaffold") && matches!(file.extension(), "yaml" | "yml")
}

/// One unit for each artifact that a Dockerfile makes.
pub(super) fn units(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let Ok(document) = Value::deserialize(document) else { break };
        let artifacts =
            document.get("build").and_then(|build| build.get("artifacts")).and_then(Value::as_sequence);
        units.extend(artifacts.into_iter().flatten().filter_map(|artifact| unit(artifact, folder)));
    }
    units
}

fn unit(artifact: &Value, folder: &RepoPath) -> Option<Unit> {
    let image = artifact.get("image")?.as_str()?;
    let builders = ["jib", "buildpacks", "ko", "bazel", "custom"];
    if builders.iter().any(|builder| artifact.get(*builder).is_some()) {
        return None;
    }
    let docker = artifact.get("docker");
    let of_docker = |key: &str| docker.and_then(|docker| docker.get(key));
    let context = folder.join(artifact.get("context").and_then(Value::as_str).unwrap_or("."))?;
    let dockerfile = context.join(of_docker("dockerfile").and_then(Value::as_str).unwrap_or("Dockerfile"))?;
    let arguments = of_docker("buildArgs").and_then(Value::as_mapping).into_iter().flatten();
    let argument = |(name, value): (&Value, &Value)| {
        // A template is filled in by Skaffold.
        let value = value.as_str().filter(|value| !value.contains("{{"))?;
        Some((name.as_str()?.to_owned(), value.to_owned()))
    };
    let args: BTreeMap<String, String> = arguments.filter_map(argument).collect();
    let target = of_docker("target").and_then(Value::as_str).map(str::to_owned);
    Some(Unit {
        name: image.rsplit('/').next()?.split([':', '@']).next()?.to_owned(),
        image: image.to_owned(),
        build: Some(UnitBuild { context, dockerfile, target, args }),
        ..Unit::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_name_context_dockerfile_and_image() {
        let text = "apiVersion: skaffold/v4beta6\nbuild:\n  artifacts:\n    - image: registry.example.org/shop/orders\n      context: src\n      \
            docker: { dockerfile: orders/Dockerfile, buildArgs: { APP: orders, TAG: '{{.X}}' } }\n    - image: users\n      jib: {}\n";
        let units = units(text, &RepoPath::root());
        assert_eq!(units.len(), 1);
        let build = units[0].build.as_ref().expect("is built");
        assert_eq!((build.context.as_str(), build.dockerfile.as_str()), ("src", "src/orders/Dockerfile"));
        assert_eq!(units[0].name, "orders");
        assert_eq!(build.args, BTreeMap::from([("APP".to_owned(), "orders".to_owned())]));
    }
}
