//! What was decided before this run: by earlier runs in `.generated/state.yaml`, or by the person who wrote a Compose
//! file by hand; decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_yaml::Value;

use crate::apply::current;
use crate::apply::folder::{BASE, Folder};
use crate::catalog::Catalog;
use crate::error::{Failure, Result};
use crate::model::stack::Assignments;
use crate::plan::Handwritten;
use crate::render;
use crate::run::dotenv;
use crate::run::setup::COMPOSE_FILE;

/// What `.generated/state.yaml` holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    name: Option<String>,
    ports: Option<BTreeMap<String, u16>>,
    services: Option<BTreeMap<String, String>>,
    adopted: BTreeSet<String>,
    dockerfiles: Option<BTreeMap<String, String>>,
    renamed: Option<BTreeMap<String, String>>,
    versions: Option<BTreeMap<String, String>>,
}

/// Everything that earlier runs assigned; without them, what the Compose file that lies there has decided.
///
/// # Errors
/// Where the recorded state cannot be read.
pub(super) fn assignments(folder: &Folder, catalog: &Catalog) -> Result<Assignments> {
    let Some(text) = current::state(folder)? else { return found(folder, catalog) };
    let state: Option<State> = serde_yaml::from_str(&text).map_err(|why| {
        Failure::new("cannot read what earlier runs assigned")
            .at(folder.show(render::STATE))
            .why(why)
            .fix(format!("git checkout -- {}", folder.show(render::STATE)))
    })?;
    let state = state.unwrap_or_default();
    Ok(Assignments {
        name: state.name,
        ports: state.ports.unwrap_or_default(),
        services: state.services.unwrap_or_default(),
        adopted: state.adopted,
        dockerfiles: state.dockerfiles.unwrap_or_default(),
        renamed: state.renamed.unwrap_or_default(),
        versions: match state.versions {
            Some(versions) => versions,
            // From before they were recorded.
            None => versions(&compose(folder, &format!("{BASE}/{COMPOSE_FILE}"))?, catalog),
        },
    })
}

/// What a Compose file without a recorded state has decided: the project under which containers and data exist, and
/// the versions that opened them. Without `name:`, Compose takes the variable of `.env`, else the folder's name.
fn found(folder: &Folder, catalog: &Catalog) -> Result<Assignments> {
    let compose = compose(folder, COMPOSE_FILE)?;
    if compose.is_null() {
        return Ok(Assignments::default());
    }
    let declared = compose.get("name").and_then(Value::as_str).map(str::to_owned);
    let versions = versions(&compose, catalog);
    let ours = services(&compose).any(|(_, service)| label(service, "xtask.role").is_some());
    if ours {
        // Generated, and the record was lost.
        return Ok(Assignments { name: declared, versions, ..Assignments::default() });
    }
    let env = current::file(folder, ".env")?.unwrap_or_default();
    let name = dotenv::value(&env, dotenv::PROJECT_VARIABLE).or(declared);
    let name =
        name.filter(|name| !name.is_empty() && !name.contains('$')).unwrap_or_else(|| of_folder(folder));
    Ok(Assignments {
        name: Some(name).filter(|name| !name.is_empty()),
        adopted: services(&compose).map(|(name, _)| name.to_owned()).collect(),
        versions,
        ..Assignments::default()
    })
}

/// The project's name that Compose makes of a folder.
fn of_folder(folder: &Folder) -> String {
    let name = folder.path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c);
    let name: String = name.chars().filter(kept).collect();
    name.trim_start_matches(['-', '_']).to_owned()
}

/// These services as the Compose file has them.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn handwritten(
    folder: &Folder,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Handwritten>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let compose = compose(folder, COMPOSE_FILE)?;
    let kept = services(&compose).filter(|(name, _)| names.contains(*name));
    let image = |service: &Value| service.get("image").and_then(Value::as_str).map(str::to_owned);
    let written = |service| Handwritten { image: image(service), environment: environment(service) };
    Ok(kept.map(|(name, service)| (name.to_owned(), written(service))).collect())
}

/// A map, or a list of `NAME=value`.
fn environment(service: &Value) -> BTreeMap<String, String> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    match service.get("environment") {
        Some(Value::Mapping(pairs)) => {
            let pair = |(name, value): (&Value, &Value)| Some((name.as_str()?.to_owned(), scalar(value)?));
            pairs.iter().filter_map(pair).collect()
        }
        Some(Value::Sequence(items)) => {
            let items = items.iter().filter_map(|item| item.as_str()?.split_once('='));
            items.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// The versions of the catalogue that a Compose file runs, by service.
fn versions(compose: &Value, catalog: &Catalog) -> BTreeMap<String, String> {
    let version = |(name, service): (&str, &Value)| {
        let image = service.get("image")?.as_str()?;
        if label(service, "xtask.role").is_some_and(|role| role != "component") {
            return None;
        }
        let (version, _) = catalog.by_image(image)?.version_for(image.rsplit_once(':')?.1)?;
        Some((name.to_owned(), version.to_owned()))
    };
    services(compose).filter_map(version).collect()
}

/// A file of the setup as YAML; null where there is none or it is none.
fn compose(folder: &Folder, name: &str) -> Result<Value> {
    let text = current::file(folder, name)?;
    Ok(text.and_then(|text| serde_yaml::from_str(&text).ok()).unwrap_or_default())
}

/// Names and bodies below `services:`.
fn services(compose: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let services = compose.get("services").and_then(Value::as_mapping);
    services.into_iter().flatten().filter_map(|(name, service)| Some((name.as_str()?, service)))
}

fn label<'a>(service: &'a Value, name: &str) -> Option<&'a str> {
    service.get("labels")?.get(name)?.as_str()
}
