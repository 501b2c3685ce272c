//! Obeys `config.yaml`: services that do not exist are refused, `requires` is applied; pure.

use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::{Failure, Result, nearest};
use crate::model::fact::ServiceFacts;
use crate::model::inventory::Strength;

use super::draft::Draft;
use super::needs::{Need, Needs, Target};

/// Refuses preferences for services that do not exist.
pub(crate) fn check(config: &Config, services: &[ServiceFacts]) -> Result<()> {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    for name in config.services.by_name.keys() {
        if names.contains(&name.as_str()) {
            continue;
        }
        let mut failure = Failure::new(format!("`services.{name}` is no service of this monorepo"))
            .at(config.place(&["services", name]))
            .why(format!("there are: {}", names.join(", ")));
        if let Some(near) = nearest(name, names.iter().copied()) {
            failure = failure.fix(format!("did you mean `{near}`?"));
        }
        return Err(failure.into());
    }
    Ok(())
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
                hosts: std::collections::BTreeSet::new(),
                literal: None,
                at: None,
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
    let mut failure = Failure::new(format!(
        "`{place}` names `{name}`, which is neither a service nor a kind of infrastructure"
    ))
    .at(config.place(&["services", &draft.facts.name, "requires"]));
    if let Some(near) = nearest(name, services.chain(kinds)) {
        failure = failure.fix(format!("did you mean `{near}`?"));
    }
    Err(failure.into())
}
