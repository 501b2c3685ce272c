//! The images of infrastructure against which the code is tested or written: continuous integration's services and
//! development containers. They tell the version that the code is made for, never that it is needed.

use serde_yaml::Value;

use crate::catalog::Catalog;
use crate::model::fact::{ComponentFacts, Evidence};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Deeper files are no configuration of these.
const MAX_DEPTH: usize = 6;

/// By kind, then by place.
pub(super) fn components(repo: &Repo, catalog: &Catalog) -> Vec<ComponentFacts> {
    let files = repo.files().filter(|file| may_be(file));
    let mut found: Vec<ComponentFacts> = files.flat_map(|file| of_file(repo, catalog, file)).collect();
    found.sort_by(|a, b| (&a.kind, &a.at).cmp(&(&b.kind, &b.at)));
    found
}

fn may_be(file: &RepoPath) -> bool {
    // Asked of every file: what costs least comes first.
    if !matches!(file.extension(), "yml" | "yaml") || file.depth() > MAX_DEPTH {
        return false;
    }
    let folder = file.parent().unwrap_or_default();
    let in_folder = |name: &str| folder.parts().any(|part| part == name);
    in_folder(".github") && folder.name() == "workflows"
        || in_folder(".circleci")
        || in_folder(".devcontainer") && file.name().contains("compose")
        || matches!(file.name(), ".gitlab-ci.yml" | "bitbucket-pipelines.yml" | ".drone.yml")
}

fn of_file(repo: &Repo, catalog: &Catalog, file: &RepoPath) -> Vec<ComponentFacts> {
    let Ok(text) = repo.text(file) else { return Vec::new() };
    let Ok(value) = serde_yaml::from_str::<Value>(&text.text) else { return Vec::new() };
    let mut images = Vec::new();
    collect(&value, false, &mut images);
    let known = images.into_iter().filter_map(|image| Some((catalog.by_image(&image)?.kind.clone(), image)));
    known
        .map(|(kind, image)| {
            let line = (1..).zip(text.text.lines()).find(|(_, line)| line.contains(&image));
            let line = line.map_or(1, |(number, _)| number);
            let at = Evidence { path: file.clone(), line, rule: "ci-service" };
            ComponentFacts { name: kind.clone(), kind, image, build: None, at }
        })
        .collect()
}

/// The images below keys called `services` or `docker`, however deep those stand.
fn collect(value: &Value, inside: bool, images: &mut Vec<String>) {
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or_default();
                match value.as_str() {
                    Some(image) if inside && matches!(key, "image" | "name") => images.push(image.to_owned()),
                    _ => collect(value, inside || matches!(key, "services" | "docker"), images),
                }
            }
        }
        Value::Sequence(list) => {
            for item in list {
                match item.as_str() {
                    Some(image) if inside => images.push(image.to_owned()),
                    _ => collect(item, inside, images),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_pipelines_tell_versions() {
        let tree = "//- /.github/workflows/test.yml\njobs:\n  test:\n    container: node:20\n    services:\n      db:\n        image: postgres:15-alpine\n\
            //- /.gitlab-ci.yml\ntest:\n  image: ruby:3\n  services:\n    - redis:7\n    - name: mysql:8.4\n\
            //- /api/docker-compose.yml\nservices: { x: { image: 'rabbitmq:3' } }\n";
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let found = components(&Repo::from_fixture(tree), &catalog);
        let shown: Vec<String> =
            found.iter().map(|one| format!("{} {} {}", one.kind, one.image, one.at)).collect();
        assert_eq!(
            shown,
            [
                "mysql mysql:8.4 .gitlab-ci.yml:5",
                "postgres postgres:15-alpine .github/workflows/test.yml:6",
                "redis redis:7 .gitlab-ci.yml:4",
            ]
        );
    }
}
