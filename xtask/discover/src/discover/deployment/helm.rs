//! The values of Helm charts: ports and variables of the containers that a chart runs, where they stand under their
//! usual keys. Renders no template.

use serde_yaml::Value;

use super::Unit;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Folders that are called after the tool and not after what it deploys.
const HOLDERS: &[&str] = &["chart", "charts", "helm", "deploy", "deployment"];

/// Whether a file of that path holds the values of a chart.
pub(super) fn may_be(file: &RepoPath, repo: &Repo) -> bool {
    let chart = || file.parent().and_then(|folder| folder.join("Chart.yaml"));
    file.name() == "values.yaml" && chart().is_some_and(|chart| repo.is_file(&chart))
}

/// The container of a chart for one program, or those of a chart for several, which keep theirs under their names.
pub(super) fn units(text: &str, file: &RepoPath, repo: &Repo) -> Vec<Unit> {
    let Ok(values) = serde_yaml::from_str::<Value>(text) else { return Vec::new() };
    let Some(all) = values.as_mapping() else { return Vec::new() };
    let mut units: Vec<Unit> = all
        .iter()
        .filter(|(_, body)| body.get("image").is_some())
        .filter_map(|(name, body)| Some(unit(name.as_str()?, body)))
        .collect();
    if values.get("image").is_some() {
        units.extend(name(file, repo).map(|name| unit(&name, &values)));
    }
    units
}

/// The chart's name: its folder's, or the one that it gives itself.
fn name(file: &RepoPath, repo: &Repo) -> Option<String> {
    let folder = file.parent()?;
    if !HOLDERS.contains(&folder.name()) {
        return Some(folder.name().to_owned());
    }
    let chart = repo.text(&folder.join("Chart.yaml")?).ok()?.text;
    let name = chart.lines().find_map(|line| line.strip_prefix("name:"))?;
    Some(name.trim().trim_matches(['"', '\'']).to_owned())
}

fn unit(name: &str, body: &Value) -> Unit {
    let image = body.get("image");
    let repository = image.and_then(|image| image.as_str().or_else(|| image.get("repository")?.as_str()));
    let service = body.get("service");
    let targets = [
        body.get("containerPort"),
        body.get("targetPort"),
        service.and_then(|service| service.get("targetPort")),
        service.and_then(|service| service.get("containerPort")),
    ];
    let port =
        |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    let variables = ["env", "environment", "envVars", "extraEnv"].iter().filter_map(|key| body.get(*key));
    Unit {
        name: name.to_owned(),
        image: repository.unwrap_or_default().to_owned(),
        environment: variables.flat_map(environment).collect(),
        ports: targets.into_iter().flatten().find_map(port).into_iter().collect(),
        ..Unit::default()
    }
}

/// A map, or a list of names and values.
fn environment(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    match value {
        Value::Mapping(map) => {
            map.iter().filter_map(|(name, value)| Some((name.as_str()?.to_owned(), text(value)?))).collect()
        }
        Value::Sequence(list) => list
            .iter()
            .filter_map(|entry| Some((entry.get("name")?.as_str()?.to_owned(), text(entry.get("value")?)?)))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units_of(tree: &str, file: &str) -> Vec<Unit> {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new(file).expect("inside the root");
        assert!(may_be(&file, &repo));
        units(&repo.text(&file).expect("is there").text, &file, &repo)
    }

    #[test]
    fn chart_of_one_program_names_its_port_and_variables() {
        let tree = "//- /charts/orders/Chart.yaml\nname: x\n//- /charts/orders/values.yaml\nimage: { repository: shop/orders }\n\
            service: { port: 80, targetPort: 8080 }\nenv:\n  USERS_URL: http://users:3000\n  ON: true\n";
        let units = units_of(tree, "charts/orders/values.yaml");
        assert_eq!((units[0].name.as_str(), units[0].ports.as_slice()), ("orders", [8080].as_slice()));
        let variable = ("USERS_URL".to_owned(), "http://users:3000".to_owned());
        assert_eq!(units[0].environment, [variable, ("ON".to_owned(), "true".to_owned())]);
    }

    #[test]
    fn chart_of_several_programs_keeps_them_apart() {
        let tree = "//- /helm/Chart.yaml\nname: shop\n//- /helm/values.yaml\norders:\n  image: shop/orders\n  containerPort: 8080\n\
            users:\n  image: { repository: shop/users }\n  env:\n    - { name: A, value: b }\nreplicas: 2\n";
        let units = units_of(tree, "helm/values.yaml");
        let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["orders", "users"]);
        assert_eq!(units[1].environment, [("A".to_owned(), "b".to_owned())]);
    }
}
