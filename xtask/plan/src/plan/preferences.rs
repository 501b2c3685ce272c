//! Obeys `config.yaml`: services that do not exist are refused, `requires` is applied; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::{Failure, Result};
use crate::model::fact::ServiceFacts;
use crate::model::inventory::Strength;
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};

use super::components::Component;
use super::draft::Draft;
use super::needs::{Need, Needs, Target};

/// Refuses preferences for services that do not exist, and folders outside of the monorepo. Preferences under a
/// service's earlier name count, and it is said that they should move.
pub(crate) fn check(
    config: &Config,
    services: &[ServiceFacts],
    renamed: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    for name in config.services.by_name.keys() {
        if names.contains(&name.as_str()) {
            continue;
        }
        if let Some((new, _)) = renamed.iter().find(|(_, old)| *old == name) {
            problems.push(
                Problem::new(
                    "preference-under-old-name",
                    Severity::Warning,
                    format!("config.yaml speaks of `services.{name}`, which is called `{new}` now"),
                )
                .service(new)
                .at(config.place(&["services", name]))
                .fix(format!("call it `{new}` there")),
            );
            continue;
        }
        let failure = Failure::new(format!("`services.{name}` is no service of this monorepo"))
            .at(config.place(&["services", name]))
            .why(format!("there are: {}", names.join(", ")))
            .did_you_mean(name, names.iter().copied());
        return Err(failure.into());
    }
    for (name, wanted) in &config.services.by_name {
        let context = wanted.build.as_ref().and_then(|build| build.context.as_deref());
        if let Some(context) = context.filter(|context| RepoPath::new(context).is_none()) {
            let what = format!("`services.{name}.build.context: {context}` is no folder of this monorepo");
            return Err(Failure::new(what)
                .at(config.place(&["services", name, "build", "context"]))
                .fix("write the folder relative to the root, for example services/market")
                .into());
        }
    }
    Ok(())
}

/// Says which preferences for infrastructure change nothing because nobody needs that kind.
pub(crate) fn without_effect(config: &Config, components: &[Component<'_>], problems: &mut Vec<Problem>) {
    for kind in config.infrastructure.keys() {
        if components.iter().any(|component| component.entry.kind == *kind) {
            continue;
        }
        problems.push(
            Problem::new(
                "preference-without-effect",
                Severity::Warning,
                format!("`infrastructure.{kind}` in config.yaml changes nothing: no service needs {kind}"),
            )
            .at(config.place(&["infrastructure", kind]))
            .fix(format!("if one does, add +{kind} to its services.NAME.requires; else remove the key")),
        );
    }
}

/// Says where a service is given infrastructure that no variable of it leads to.
pub(crate) fn unwired(draft: &Draft<'_>, config: &Config, needs: &Needs, problems: &mut Vec<Problem>) {
    if draft.wanted.requires.is_none() {
        return;
    }
    let name = &draft.facts.name;
    for need in needs.all.iter().filter(|need| need.strength == Strength::Required && need.wires.is_empty()) {
        let Target::Kind(kind) = &need.target else { continue };
        if !need.hosts.is_empty() {
            continue;
        }
        problems.push(
            Problem::new(
                "requirement-without-variable",
                Severity::Note,
                format!("`{name}` requires {kind}, and no variable tells it where that is"),
            )
            .service(name)
            .at(config.place(&["services", name, "requires"]))
            .fix(format!("if it does not find it by itself, set services.{name}.env.NAME")),
        );
    }
}

/// `requires: [a, b]` means exactly these; `+a` adds and `-b` removes.
pub(crate) fn requires(
    draft: &Draft<'_>,
    drafts: &[Draft<'_>],
    catalog: &Catalog,
    config: &Config,
    needs: &mut Needs,
) -> Result<()> {
    let Some(wanted) = &draft.wanted.requires else { return Ok(()) };
    let relative = wanted.iter().all(|item| item.starts_with(['+', '-']));
    let mut kept = Vec::new();
    for item in wanted {
        let (sign, name) = match (item.strip_prefix('+'), item.strip_prefix('-')) {
            (Some(name), _) => ('+', name),
            (_, Some(name)) => ('-', name),
            _ => ('=', item.as_str()),
        };
        let target = target(draft, name, drafts, catalog, config)?;
        if sign == '-' {
            needs.all.retain(|need| need.target != target);
            continue;
        }
        match needs.all.iter_mut().find(|need| need.target == target) {
            Some(need) => need.strength = Strength::Required,
            None => needs.all.push(Need {
                target: target.clone(),
                strength: Strength::Required,
                weight: u8::MAX,
                wires: Vec::new(),
                database: None,
                hosts: BTreeSet::new(),
                literal: None,
                at: None,
                seen: BTreeSet::new(),
            }),
        }
        kept.push(target);
    }
    if !relative {
        needs.all.retain(|need| kept.contains(&need.target));
    }
    needs.all.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(())
}

fn target(
    draft: &Draft<'_>,
    name: &str,
    drafts: &[Draft<'_>],
    catalog: &Catalog,
    config: &Config,
) -> Result<Target> {
    if drafts.iter().any(|other| other.facts.name == name) {
        return Ok(Target::Service(name.to_owned()));
    }
    if catalog.get(name).is_some() {
        return Ok(Target::Kind(name.to_owned()));
    }
    let services = drafts.iter().map(|other| other.facts.name.as_str());
    let kinds = catalog.iter().map(|entry| entry.kind.as_str());
    let place = format!("services.{}.requires", draft.facts.name);
    let failure = Failure::new(format!(
        "`{place}` names `{name}`, which is neither a service nor a kind of infrastructure"
    ))
    .at(config.place(&["services", &draft.facts.name, "requires"]))
    .did_you_mean(name, services.chain(kinds));
    Err(failure.into())
}
