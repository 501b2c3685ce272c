//! Gives each fact to the services that it is about; changes no fact, and adds what a call says of a read elsewhere.

mod aliases;
mod extensions;
mod undeclared;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::imports::{self, Sources};
use super::names::{Names, loose, valid_name};
use super::{config_keys, deployment, derive, env_file, framework_conf, ports, reach, services, unused};
use crate::catalog::Catalog;
use crate::model::fact::{EnvSource, Fact, PortSource, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::parallel::each;
use crate::repo::Repo;

/// Gives the facts away; returns those that are about nobody here.
///
/// A fact of a file goes to the service whose folder is the nearest above it (several services may share one); what lies
/// in a shared folder goes to the services that are built from it, and a value of an environment file that several
/// services share goes to those that read it.
pub(super) fn assign(
    sources: &Sources<'_>,
    catalog: &Catalog,
    services: &mut [ServiceFacts],
    facts: Vec<Fact>,
) -> Vec<Fact> {
    let repo = sources.repo;
    let facts = undeclared::leave_out(repo, facts);
    let (here, named): (Vec<_>, Vec<_>) = facts.into_iter().partition(|fact| fact.subject == Subject::Here);
    let shared = reach::shared(services, sources);
    let held = services::Held::of(repo, services);
    let rest = give_by_folder(services, here, &shared.folders, &held);
    let rest = give_configuration(services, rest);
    let (values, code): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|fact| env_file::rank(&fact.at.path).is_some());
    for (at, fact) in shared.facts {
        services[at].facts.push(fact);
    }
    give_shared_code(services, &shared.folders, code);
    let is_shared = |path: &RepoPath| {
        path.ancestors().any(|folder| shared.folders.get(&folder).is_some_and(|by| by.len() > 1))
    };
    each(services, |service| {
        config_keys::settle(service, catalog, &is_shared);
        derive::add_variables_of_telemetry(service);
    });
    imports::leave_out_idle(sources, services);
    give_shared_values(services, values);
    aliases::learn(services);
    extensions::settle(repo, services, &shared.folders);
    unused::settle(repo, services, &shared.libraries);
    let mut orphans = give_by_name(services, named);
    orphans.retain(|fact| tells_of_the_system(services, fact) && !is_part(repo, services, fact));
    orphans
}

/// The README of a folder draws what happens in that folder, and a document in a service's folder what happens in that
/// service; which services there are, those above all of them say.
fn tells_of_the_system(services: &[ServiceFacts], fact: &Fact) -> bool {
    let path = &fact.at.path;
    let of_a_service = |service: &ServiceFacts| !service.path.is_root() && path.is_in(&service.path);
    let is_document = path.extension().eq_ignore_ascii_case("md");
    if is_document && services.iter().any(of_a_service) {
        return false;
    }
    !path.name().to_ascii_lowercase().starts_with("readme")
        || path.parent().is_none_or(|folder| folder.is_root() || folder.name() == "docs")
}

/// What documents call a service may be a folder inside one: a part of its program, or one of its commands.
fn is_part(repo: &Repo, services: &[ServiceFacts], fact: &Fact) -> bool {
    let Subject::Named(name) = &fact.subject else { return false };
    let wanted = valid_name(name);
    let is_module = |folder: &RepoPath| {
        let own = repo.files_in(folder).iter().filter(|file| file.depth() == folder.depth() + 1);
        own.into_iter().any(|file| services::is_manifest(file.name()))
    };
    let inside = |service: &ServiceFacts| {
        let mut folders = repo.folders_in(&service.path).iter();
        folders.any(|folder| {
            valid_name(folder.name()) == wanted && *folder != service.path && !is_module(folder)
        })
    };
    services.iter().any(inside)
}

/// Returns what no service holds, and what the one that holds it shares with others.
fn give_by_folder(
    services: &mut [ServiceFacts],
    facts: Vec<Fact>,
    shared: &BTreeMap<RepoPath, Vec<usize>>,
    held: &services::Held,
) -> Vec<Fact> {
    let mut homes: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        homes.entry(service.path.clone()).or_default().push(at);
    }
    // What a Dockerfile says is about whom it builds, wherever it lies.
    let mut makers: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        makers.entry(service.dockerfile.clone()).or_default().push(at);
    }
    let mut rest = Vec::new();
    // The owners of the last fact's file: those of one file come one after the other.
    let mut last: Option<(RepoPath, Option<Cow<'_, [usize]>>)> = None;
    for fact in facts {
        if last.as_ref().is_none_or(|(path, _)| *path != fact.at.path) {
            let path = &fact.at.path;
            let above = || path.ancestors().skip(1).find_map(|folder| homes.get(&folder));
            let owners = makers.get(path).or_else(above).map(|owners| match owners.as_slice() {
                [_, _, ..] => Cow::Owned(held.owners(owners, path)),
                only => Cow::Borrowed(only),
            });
            last = Some((path.clone(), owners));
        }
        match last.as_ref().and_then(|(_, owners)| owners.as_deref()) {
            Some(_) if framework_conf::is_of_one(&fact) => rest.push(fact),
            Some(owners) => {
                let is_value = env_file::rank(&fact.at.path).is_some();
                // What stands at the root is for all, also where a service lies there; where that listens is its own.
                let at_root = fact.at.path.depth() == 1 && is_value && !is_about_a_port(&fact.what);
                let is_shared =
                    !is_value && fact.at.path.ancestors().any(|folder| shared.contains_key(&folder));
                if at_root || is_shared {
                    give(services, owners, &fact);
                    rest.push(fact);
                } else if let [owner] = owners[..] {
                    services[owner].facts.push(fact);
                } else {
                    give(services, owners, &fact);
                }
            }
            None => rest.push(fact),
        }
    }
    rest
}

/// Folders for the configuration of all services.
const CONFIGURATION: &[&str] = &["conf", "config", "configs", "configuration", "etc", "settings"];

/// What lies apart from all code in a folder of its configuration that is called after a service, or in a file there, is
/// that service's: `configs/orders/config.toml`, `config/orders.yaml`. Returns the rest.
fn give_configuration(services: &mut [ServiceFacts], facts: Vec<Fact>) -> Vec<Fact> {
    let names = Names::of(services);
    let mut rest = Vec::new();
    for fact in facts {
        let owner = configured(&fact.at.path).filter(|name| names.is_exact(name));
        match owner.and_then(|name| names.find(name)) {
            Some(owner) => services[owner].facts.push(fact),
            None => rest.push(fact),
        }
    }
    rest
}

/// The name behind the first folder for configuration.
fn configured(path: &RepoPath) -> Option<&str> {
    let mut parts = path.parts().skip_while(|part| !CONFIGURATION.contains(part)).skip(1);
    let name = parts.next()?;
    match parts.next() {
        Some(_) => Some(name),
        None => name.rsplit_once('.').map(|(stem, _)| stem),
    }
}

fn give_shared_code(
    services: &mut [ServiceFacts],
    shared: &BTreeMap<RepoPath, Vec<usize>>,
    facts: Vec<Fact>,
) {
    for mut fact in facts {
        let path = &fact.at.path;
        let folder = path.ancestors().skip(1).find_map(|folder| shared.get(&folder));
        // One may take a single file out of a folder that another one takes as a whole.
        let owners: BTreeSet<usize> = shared.get(path).into_iter().chain(folder).flatten().copied().collect();
        let owners: Vec<usize> = owners.into_iter().collect();
        if owners.is_empty() {
            continue;
        }
        // A library of several .NET projects demands its connection strings of those that call it.
        if let What::EnvRead { required, .. } = &mut fact.what
            && fact.at.rule == "dotnet-connection-string"
            && owners.len() > 1
        {
            *required = false;
        }
        // A library does not decide what the services are called that use it, nor where they listen; code of which one
        // service is built is that service's own. Names that it keeps as constants are read where they are used.
        let not_theirs = match fact.what {
            What::Alias { .. } | What::Framework { .. } => true,
            What::Port { source, .. } => source != PortSource::Listen || owners.len() > 1,
            What::Listens { .. } => owners.len() > 1,
            _ => fact.at.rule == "go-env-constant",
        };
        if !not_theirs {
            give(services, &owners, &fact);
        }
    }
}

/// One environment file for several services does not say who uses what; the code that reads a name does.
fn give_shared_values(services: &mut [ServiceFacts], facts: Vec<Fact>) {
    let mut readers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        for fact in &service.facts {
            match &fact.what {
                What::EnvRead { name, .. } => drop(readers.entry(name).or_default().insert(at)),
                // `ENV API_URL=$API_URL`: the image hands on what it is told.
                What::EnvValue { name, value, source: EnvSource::Image, .. } if value.is_empty() => {
                    readers.entry(name).or_default().insert(at);
                }
                _ => {}
            }
        }
    }
    let mut given: Vec<(Vec<usize>, Fact)> = Vec::new();
    for fact in facts {
        let Some(readers) = variable(&fact.what).and_then(|name| readers.get(name)) else { continue };
        let folder = spoken_for(&fact.at.path);
        let below = readers.iter().copied().filter(|at| services[*at].path.is_in(&folder));
        // Those that lie there have it already, and a file of one's own is nearer.
        let below =
            below.filter(|at| services[*at].path != folder && !has_own_value(&services[*at], &fact.what));
        let owners: Vec<usize> = below.collect();
        // Two services cannot both mean the one `PORT`; `ORDERS_PORT` is where that one listens and others call it.
        let is_port = matches!(fact.what, What::Port { source: PortSource::EnvExample, .. });
        let owners =
            if is_port && owners.len() > 1 { called_after(services, &owners, &fact) } else { owners };
        if !is_port || owners.len() == 1 {
            given.push((owners, fact));
        }
    }
    for (owners, fact) in given {
        give(services, &owners, &fact);
    }
}

/// Those of the services after which the variable of a fact is called.
fn called_after(services: &[ServiceFacts], among: &[usize], fact: &Fact) -> Vec<usize> {
    let variable = variable(&fact.what).map(valid_name).unwrap_or_default();
    let words: Vec<&str> = variable.split('-').collect();
    let begins_with = |name: String| (1..words.len()).any(|end| words[..end].concat() == name);
    let is_called = |at: &&usize| {
        let service = &services[**at];
        let names = [service.name.as_str(), service.path.name()].into_iter();
        let names = names.chain(service.aliases.iter().map(String::as_str));
        names.map(|name| loose(&valid_name(name))).any(begins_with)
    };
    among.iter().filter(is_called).copied().collect()
}

/// The folder for whose services an environment file speaks: what lies in `infrastructure/docker` lies there for the
/// system's compose file, and what lies in `orders/envs` for what lies beside that folder.
fn spoken_for(file: &RepoPath) -> RepoPath {
    let mut folder = file.parent().unwrap_or_default();
    while services::is_holder(folder.name()) || matches!(folder.name(), "env" | "envs") {
        folder = folder.parent().unwrap_or_default();
    }
    folder
}

fn is_about_a_port(what: &What) -> bool {
    match what {
        What::Port { .. } => true,
        What::EnvValue { name, value, .. } => ports::of_variable(name, value).is_some(),
        _ => false,
    }
}

/// Whether an environment file in the service's own folder gives the same variable a value.
fn has_own_value(service: &ServiceFacts, what: &What) -> bool {
    let Some(wanted) = variable(what) else { return false };
    let is_own = |fact: &Fact| match &fact.what {
        What::EnvValue { name, value, source: EnvSource::Example, .. } => {
            name == wanted && !value.is_empty() && fact.at.path.is_in(&service.path)
        }
        _ => false,
    };
    service.facts.iter().any(is_own)
}

/// The variable that a value of an environment file is about.
fn variable(what: &What) -> Option<&str> {
    match what {
        What::EnvValue { name, .. } => Some(name),
        What::Port { variable, .. } => variable.as_deref(),
        What::Reference(reference) => reference.via.as_deref(),
        _ => None,
    }
}

fn give_by_name(services: &mut [ServiceFacts], facts: Vec<Fact>) -> Vec<Fact> {
    let names = Names::of(services);
    let mut orphans = Vec::new();
    for fact in facts {
        let Subject::Named(name) = &fact.subject else { continue };
        if name == framework_conf::CLIENTS {
            give_to_clients(services, &fact);
            continue;
        }
        if let Some(owner) = names.find(name) {
            if fact.at.rule != deployment::SHARED || knows(&services[owner], &fact.what) {
                give(services, &[owner], &fact);
            }
            continue;
        }
        // A config server tells all programs of a name the same.
        let clients = names.all_called(name).filter(|_| framework_conf::is_of_config_server(&fact.at.path));
        let clients: Vec<usize> = clients.collect();
        match clients.as_slice() {
            [] => orphans.push(fact),
            clients => give(services, clients, &fact),
        }
    }
    orphans.sort_by(|a, b| a.at.cmp(&b.at));
    orphans
}

/// Whether a service reads the variable, or its configuration has a key for it.
fn knows(service: &ServiceFacts, what: &What) -> bool {
    let Some(wanted) = variable(what) else { return true };
    service.facts.iter().any(|fact| match &fact.what {
        What::EnvRead { name, .. } => name == wanted,
        What::EnvValue { name, source: EnvSource::FrameworkConfig | EnvSource::Image, .. } => name == wanted,
        _ => false,
    })
}

/// What a config server tells all its clients about the registry, it tells those who look there.
fn give_to_clients(services: &mut [ServiceFacts], fact: &Fact) {
    let wanted = if variable(&fact.what).is_some_and(|name| name.starts_with("EUREKA_")) {
        "eureka-client"
    } else {
        "config-client"
    };
    let uses = |known: &Fact| matches!(&known.what, What::Framework { name } if name == wanted);
    for service in services.iter_mut().filter(|service| service.facts.iter().any(uses)) {
        service.facts.push(Fact { subject: Subject::Here, ..fact.clone() });
    }
}

fn give(services: &mut [ServiceFacts], owners: &[usize], fact: &Fact) {
    for owner in owners {
        services[*owner].facts.push(fact.clone());
    }
}

/// Longer names were written by a machine, and from 1024 characters on YAML has no keys.
const MAX_NAME: usize = 250;

/// By path, line, rule; each once, without variables that nobody can write down.
pub(super) fn tidy(facts: &mut Vec<Fact>) {
    facts.retain(|fact| match &fact.what {
        What::EnvValue { name, .. } | What::EnvRead { name, .. } => name.len() <= MAX_NAME,
        _ => true,
    });
    facts.sort_by(|a, b| a.at.cmp(&b.at));
    let mut kept: Vec<Fact> = Vec::with_capacity(facts.len());
    for fact in facts.drain(..) {
        let mut same = kept.iter().rev().take_while(|known| known.at == fact.at);
        if !same.any(|known| *known == fact) {
            kept.push(fact);
        }
    }
    *facts = kept;
}

#[cfg(test)]
mod tests;
