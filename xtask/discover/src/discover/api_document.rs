//! OpenAPI and Swagger documents beside a service: the addresses that can be asked without knowing anything.

use serde_json::Value;

use super::services::is_test_path;
use crate::model::fact::{ApiDocument, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// The document of each service that has one, in the order of the services; of several the one nearest to its folder.
pub(super) fn documents(repo: &Repo, services: &[ServiceFacts]) -> Vec<ApiDocument> {
    let mut found: Vec<&RepoPath> =
        repo.files().filter(|path| is_document(path) && !is_test_path(path)).collect();
    found.sort_by_key(|path| (path.depth(), path.as_str()));
    let of_service = |service: &ServiceFacts| {
        let mut own = found.iter().filter(|path| is_of(path, service, services));
        own.find_map(|path| {
            let text = repo.text(path).ok()?.text;
            let paths = gets(&parsed(path, &text)?);
            let (service, document) = (service.name.clone(), (*path).clone());
            (!paths.is_empty()).then_some(ApiDocument { service, document, paths })
        })
    };
    services.iter().filter_map(of_service).collect()
}

fn is_document(path: &RepoPath) -> bool {
    let stem = path.name().strip_suffix(path.extension()).unwrap_or_default();
    matches!(stem, "openapi." | "swagger.") && matches!(path.extension(), "yaml" | "yml" | "json")
}

/// In its folder, and in no folder of another service below that.
fn is_of(path: &RepoPath, service: &ServiceFacts, services: &[ServiceFacts]) -> bool {
    let nearer = |other: &ServiceFacts| other.path.depth() > service.path.depth() && path.is_in(&other.path);
    path.is_in(&service.path) && !services.iter().any(nearer)
}

fn parsed(path: &RepoPath, text: &str) -> Option<Value> {
    if path.extension() == "json" { serde_json::from_str(text).ok() } else { serde_yaml::from_str(text).ok() }
}

/// The addresses of all GETs that take no parameter which has to be there.
fn gets(document: &Value) -> Vec<String> {
    if document.get("openapi").or(document.get("swagger")).is_none() {
        return Vec::new();
    }
    let base = base(document);
    let Some(paths) = document["paths"].as_object() else { return Vec::new() };
    let asked = |(path, item): (&String, &Value)| {
        let get = item.get("get").filter(|get| get.is_object())?;
        let takes = |value: &Value| {
            value["parameters"].as_array().is_some_and(|all| all.iter().any(|one| must(one, document)))
        };
        let plain = path.starts_with('/') && !path.contains(['{', '$', ' ']);
        (plain && !takes(item) && !takes(get)).then(|| format!("{base}{path}"))
    };
    let mut found: Vec<String> = paths.iter().filter_map(asked).collect();
    found.sort();
    found.dedup();
    found
}

/// Whether a parameter has to be given; one that is described elsewhere than in this document may have to.
fn must(parameter: &Value, document: &Value) -> bool {
    let described = match parameter.get("$ref").and_then(Value::as_str) {
        Some(place) => place.strip_prefix('#').and_then(|pointer| document.pointer(pointer)),
        None => Some(parameter),
    };
    described.is_none_or(|parameter| parameter["required"] == Value::Bool(true) || parameter["in"] == "path")
}

/// What stands before every path: the path of the first server, or Swagger's `basePath`.
fn base(document: &Value) -> String {
    let server = document["servers"][0]["url"].as_str().unwrap_or_default();
    let path = match server.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => server,
    };
    let base = document["basePath"].as_str().unwrap_or(path).trim_end_matches('/');
    if base.starts_with('/') && !base.contains(['{', '$', ' ']) { base.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gets_of(text: &str) -> Vec<String> {
        gets(&serde_yaml::from_str(text).unwrap())
    }

    #[test]
    fn only_what_can_be_asked_without_knowing_anything_is_taken() {
        let text = "openapi: 3.0.3\nservers: [{ url: 'https://shop.example/api/v1/' }]\npaths:\n  /items:\n    get: {}\n    post: {}\n  \
                    /items/{id}:\n    get: {}\n  /search:\n    get: { parameters: [{ name: q, in: query, required: true }] }\n  \
                    /list:\n    get: { parameters: [{ name: page, in: query }, { $ref: '#/components/parameters/Limit' }] }\n  \
                    /odd:\n    get: { parameters: [{ $ref: 'other.yaml#/Key' }] }\n  /write:\n    post: {}\n\
                    components: { parameters: { Limit: { name: limit, in: query } } }\n";
        assert_eq!(gets_of(text), ["/api/v1/items", "/api/v1/list"]);
    }

    #[test]
    fn the_older_format_has_its_own_base() {
        assert_eq!(gets_of("swagger: '2.0'\nbasePath: /v2\npaths: { /a: { get: {} } }\n"), ["/v2/a"]);
    }

    #[test]
    fn another_document_of_that_name_is_none() {
        assert_eq!(gets_of("paths: { /a: { get: {} } }\n"), Vec::<String>::new());
        assert_eq!(gets_of("openapi: 3.1.0\n"), Vec::<String>::new());
        assert_eq!(gets_of("- just a list\n"), Vec::<String>::new());
    }

    #[test]
    fn a_document_belongs_to_the_nearest_service() {
        let repo = Repo::from_fixture(
            "//- /a/Dockerfile\nFROM x:1\nEXPOSE 80\n//- /a/docs/openapi.yaml\nopenapi: 3.0.0\npaths: { /deep: { get: {} } }\n\
             //- /a/swagger.json\n{\"swagger\": \"2.0\", \"paths\": {\"/near\": {\"get\": {}}}}\n\
             //- /a/b/Dockerfile\nFROM x:1\nEXPOSE 80\n//- /a/b/openapi.yml\nopenapi: 3.0.0\npaths: { /inner: { get: {} } }\n",
        );
        let catalog = crate::catalog::Catalog::load(&[]).unwrap();
        let facts = crate::discover::discover(&repo, &catalog, &crate::discover::Scope::default()).unwrap();
        let found: Vec<(&str, &str)> =
            facts.apis.iter().map(|api| (api.service.as_str(), api.paths[0].as_str())).collect();
        assert_eq!(found, [("a", "/near"), ("b", "/inner")]);
    }
}
