//! The services of a `tye.yaml`: which project each is, its variables and what else runs beside it.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{Unit, UnitBuild};
use crate::model::path::RepoPath;

/// Whether a file of that path is one.
pub(super) fn may_be(file: &RepoPath) -> bool {
    matches!(file.name(), "tye.yaml" | "tye.yml")
}

/// One unit for each service that is a project or has a Dockerfile here, and for each image.
pub(super) fn units(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let Ok(file) = serde_yaml::from_str::<Value>(text) else { return Vec::new() };
    let services = file.get("services").and_then(Value::as_sequence);
    services.into_iter().flatten().filter_map(|service| unit(service, folder)).collect()
}

fn unit(service: &Value, folder: &RepoPath) -> Option<Unit> {
    let text = |key: &str| service.get(key).and_then(Value::as_str);
    let code = text("project").and_then(|project| folder.join(&project.replace('\\', "/")));
    let code = code.and_then(|path| if path.name().ends_with("proj") { path.parent() } else { Some(path) });
    let pair = |entry: &Value| {
        let key = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        match entry.as_str().and_then(|line| line.split_once('=')) {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => Some((key("name")?, key("value").unwrap_or_default())),
        }
    };
    let list = |key: &str| service.get(key).and_then(Value::as_sequence).into_iter().flatten();
    let port =
        |binding: &Value, key: &str| binding.get(key)?.as_u64().and_then(|port| u16::try_from(port).ok());
    let join = |key: &str| text(key).and_then(|path| folder.join(&path.replace('\\', "/")));
    let build = join("dockerFile").map(|dockerfile| UnitBuild {
        context: join("dockerFileContext").or_else(|| dockerfile.parent()).unwrap_or_default(),
        dockerfile,
        target: None,
        args: BTreeMap::new(),
    });
    Some(Unit {
        name: text("name")?.to_owned(),
        build,
        image: text("image").unwrap_or_default().to_owned(),
        // A project listens where Tye tells it to, which no image knows.
        published: list("bindings")
            .filter_map(|binding| port(binding, "port"))
            .filter(|_| code.is_some())
            .collect(),
        code,
        // The certificate of the developer's machine, which no image has, and without which the server ends.
        environment: list("env")
            .filter_map(pair)
            .filter(|(name, _)| !name.starts_with("Kestrel__Certificates__"))
            .collect(),
        ..Unit::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_projects_or_images() {
        let text = "name: shop\nservices:\n- name: orders\n  project: src/Orders/Orders.csproj\n  bindings:\n  - port: 5101\n  \
            env:\n  - name: MODE\n    value: fast\n  - A=b\n  - Kestrel__Certificates__Default__Path=../dev.pfx\n- name: cache\n  image: redis:7\n\
            - name: pages\n  dockerFile: ./src/Pages/Dockerfile\n  dockerFileContext: ./src\n";
        let units = units(text, &RepoPath::root());
        assert_eq!(units[0].code.as_ref().map(RepoPath::as_str), Some("src/Orders"));
        assert_eq!(units[0].published, [5101]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(units[0].environment, [pair("MODE", "fast"), pair("A", "b")]);
        assert_eq!((units[1].name.as_str(), units[1].image.as_str()), ("cache", "redis:7"));
        let build = units[2].build.as_ref().map(|build| (build.dockerfile.as_str(), build.context.as_str()));
        assert_eq!(build, Some(("src/Pages/Dockerfile", "src")));
    }
}
