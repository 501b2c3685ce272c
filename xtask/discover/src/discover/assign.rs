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
mod tests {
    use super::*;
    use crate::discover::imports::Modules;
    use crate::discover::imports::scripts::Libraries;
    use crate::discover::{Scope, services};

    use crate::model::fact::Evidence;

    const TREE: &str = "//- /outer/Dockerfile\nFROM x\nCOPY libs/common /c\nCOPY outer /o\n//- /outer/go.mod\n\
        //- /outer/inner/Dockerfile\nFROM x\n//- /outer/inner/go.mod\n//- /orders-service/Dockerfile\nFROM x\n\
        //- /orders-service/go.mod\n//- /libs/common/a.go\n";

    fn assigned(repo: &Repo, services: &mut [ServiceFacts], facts: Vec<Fact>) -> Vec<Fact> {
        let modules = Modules::of(repo);
        let sources = Sources {
            repo,
            modules: &modules,
            bases: &[],
            known: BTreeMap::new(),
            libraries: &Libraries::default(),
            scripts: BTreeMap::new(),
        };
        assign(&sources, &Catalog::default(), services, facts)
    }

    fn given(what: What, path: &str, subject: Subject) -> (Vec<String>, usize) {
        let repo = Repo::from_fixture(TREE);
        let mut services = services::find(&repo, &Catalog::default(), &services::Roots::default()).services;
        let at = Evidence { path: RepoPath::new(path).expect("inside the root"), line: 1, rule: "test" };
        let read = What::EnvRead { name: "SHARED".to_owned(), default: None, required: true };
        let reads =
            Evidence { path: RepoPath::new("outer/inner/main.go").expect("inside the root"), ..at.clone() };
        let reads = Fact { what: read, at: reads, subject: Subject::Here };
        let facts = vec![reads, Fact { what: what.clone(), at, subject }];
        let orphans = assigned(&repo, &mut services, facts);
        let has = |service: &&ServiceFacts| service.facts.iter().any(|fact| fact.what == what);
        (services.iter().filter(has).map(|service| service.name.clone()).collect(), orphans.len())
    }

    #[test]
    fn facts_go_to_the_nearest_service_above() {
        assert_eq!(given(What::SchemaFile, "outer/inner/x.sql", Subject::Here).0, ["inner"]);
        assert_eq!(given(What::SchemaFile, "outer/x.sql", Subject::Here).0, ["outer"]);
        assert_eq!(given(What::SchemaFile, "x.sql", Subject::Here), (Vec::new(), 0));
    }

    #[test]
    fn configuration_apart_from_the_code_is_that_of_the_service_that_it_is_called_after() {
        for path in ["configs/orders-service/config.toml", "deploy/config/orders_service.yaml"] {
            assert_eq!(given(What::SchemaFile, path, Subject::Here).0, ["orders-service"], "{path}");
        }
        for path in ["configs/all/config.toml", "config/app.yaml", "docs/outer/config.yaml"] {
            assert_eq!(given(What::SchemaFile, path, Subject::Here), (Vec::new(), 0), "{path}");
        }
    }

    #[test]
    fn configuration_of_others_is_no_part_of_the_service_at_the_root() {
        let tree = "//- /Dockerfile\nFROM ruby\nCOPY . .\n//- /Gemfile\n\n//- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/go.mod\nmodule x\n\
                    //- /config/deploy.yaml\ndb:\n  url: mysql://far:3306/x\n//- /config/orders.yaml\ndb:\n  url: mysql://db:3306/x\n";
        let facts =
            crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let refers = |service: &ServiceFacts| {
            let host = |fact: &Fact| match &fact.what {
                What::Reference(reference) => Some(reference.host.clone()),
                _ => None,
            };
            (service.path.to_string(), service.facts.iter().filter_map(host).collect::<Vec<_>>())
        };
        let found: Vec<_> = facts.expect("is read").services.iter().map(refers).collect();
        assert!(found.contains(&("orders".to_owned(), vec!["db".to_owned()])), "{found:?}");
        assert!(found.iter().all(|(_, hosts)| !hosts.contains(&"far".to_owned())), "{found:?}");
    }

    #[test]
    fn config_server_tells_all_programs_of_a_name_the_same() {
        let program = |folder: &str, name: &str| {
            format!(
                "//- /{folder}/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n//- /{folder}/pom.xml\n<project/>\n\
                 //- /{folder}/src/main/resources/application.yml\nspring:\n  application:\n    name: {name}\n"
            )
        };
        let tree = program("payments", "payment-service")
            + &program("fake-payments", "payment-service")
            + &program("orders", "order-service")
            + "//- /config/src/main/resources/configurations/payment-service.yml\nserver:\n  port: 8074\n";
        let facts =
            crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let listens = |service: &ServiceFacts| {
            service.facts.iter().any(|fact| matches!(fact.what, What::Port { port: 8074, .. }))
        };
        let services = facts.expect("is read").services;
        let told = services.iter().filter(|service| listens(service)).map(|service| service.name.as_str());
        assert_eq!(told.collect::<Vec<_>>(), ["fake-payments", "payments"]);
    }

    #[test]
    fn shared_code_belongs_to_those_who_copy_it() {
        assert_eq!(given(What::SchemaFile, "libs/common/x.sql", Subject::Here).0, ["outer"]);
    }

    #[test]
    fn connection_strings_of_a_library_are_demanded_of_nobody() {
        let read = |path: &str| {
            let tree = "//- /orders/Dockerfile\nFROM x\nCOPY libs/common /c\n//- /users/Dockerfile\nFROM x\nCOPY libs/common /c\n//- /libs/common/a.cs\n";
            let repo = Repo::from_fixture(tree);
            let mut services =
                services::find(&repo, &Catalog::default(), &services::Roots::default()).services;
            let what =
                What::EnvRead { name: "ConnectionStrings__A".to_owned(), default: None, required: true };
            let path = RepoPath::new(path).expect("inside the root");
            let at = Evidence { path, line: 1, rule: "dotnet-connection-string" };
            let facts = vec![Fact { what, at, subject: Subject::Here }];
            assigned(&repo, &mut services, facts);
            let demanded = |fact: &Fact| match fact.what {
                What::EnvRead { required, .. } => Some(required),
                _ => None,
            };
            services.iter().flat_map(|service| service.facts.iter().filter_map(demanded)).collect::<Vec<_>>()
        };
        assert_eq!(read("libs/common/a.cs"), [false, false]);
        assert_eq!(read("orders/a.cs"), [true]);
    }

    #[test]
    fn shared_values_belong_to_those_who_read_them() {
        let value = |name: &str| What::EnvValue {
            name: name.to_owned(),
            value: String::new(),
            comment: String::new(),
            source: EnvSource::Example,
        };
        assert_eq!(given(value("SHARED"), ".env.example", Subject::Here).0, ["inner"]);
        assert_eq!(given(value("OTHER"), ".env.example", Subject::Here).0, Vec::<String>::new());
    }

    #[test]
    fn port_that_several_read_is_of_the_one_that_the_variable_is_called_after() {
        let service = |name: &str, code: &str| {
            format!(
                "//- /shop/apps/{name}/Dockerfile\nFROM node\nCOPY . .\n//- /shop/apps/{name}/main.ts\n{code}\n"
            )
        };
        let command =
            service("stock-command", "config.get('STOCK_QUERY_GRPC_URL'); config.get('GRPC_PORT');");
        let query = service("stock-query", "config.get('STOCK_QUERY_GRPC_URL'); config.get('GRPC_PORT');");
        let example = "//- /shop/.env.example\nSTOCK_QUERY_GRPC_URL = 0.0.0.0:50001\nGRPC_PORT=50009\n";
        let repo = Repo::from_fixture(&format!("{command}{query}{example}"));
        let facts =
            crate::discover::discover(&repo, &Catalog::default(), &Scope::default()).expect("is read");
        let ports = |service: &ServiceFacts| {
            let ports = service.facts.iter().filter_map(|fact| match &fact.what {
                What::Port { port, .. } => Some(*port),
                _ => None,
            });
            (service.name.clone(), ports.collect::<Vec<_>>())
        };
        let found: Vec<_> = facts.services.iter().map(ports).collect();
        assert_eq!(found, [("stock-command".to_owned(), vec![]), ("stock-query".to_owned(), vec![50001])]);
    }

    #[test]
    fn values_in_a_folder_of_the_deployment_are_for_the_system() {
        let tree = |folder: &str| {
            format!(
                "//- /services/a/Dockerfile\nFROM x\n//- /services/a/index.js\nf(process.env.SHARED)\n\
                 //- /{folder}/.env.examples\nSHARED=one\n"
            )
        };
        let given = |folder: &str| variables(&tree(folder)).contains(&"a:SHARED=one".to_owned());
        for folder in ["infrastructure/docker", "deploy", "services/docker"] {
            assert!(given(folder), "{folder}");
        }
        for folder in ["tools", "other/docker"] {
            assert!(!given(folder), "{folder}");
        }
    }

    #[test]
    fn values_at_the_root_are_for_all_but_for_those_with_their_own() {
        let tree = "//- /Dockerfile\nFROM x\n//- /main.go\n//- /.env.example\nSHARED=root\nPORT=1000\n\
            //- /a/Dockerfile\nFROM x\n//- /a/index.js\nf(process.env.SHARED, process.env.PORT)\n\
            //- /b/Dockerfile\nFROM x\n//- /b/index.js\nf(process.env.SHARED)\n//- /b/.env.example\nSHARED=own\n";
        let facts =
            crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let given = |service: &ServiceFacts| {
            let value = |fact: &Fact| match &fact.what {
                What::EnvValue { name, value, .. } => Some(format!("{}.{name}={value}", service.name)),
                _ => None,
            };
            service.facts.iter().filter_map(value).collect::<Vec<_>>()
        };
        let all: Vec<String> = facts.expect("is read").services.iter().flat_map(given).collect();
        let nested: Vec<&str> =
            all.iter().map(String::as_str).filter(|one| one.starts_with(['a', 'b'])).collect();
        assert_eq!(nested, ["a.SHARED=root", "b.SHARED=own"]);
    }

    /// The variables that each service reads or is told.
    fn variables(tree: &str) -> Vec<String> {
        let facts =
            crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        let of = |service: &ServiceFacts| {
            let name = |fact: &Fact| match &fact.what {
                What::EnvRead { name, .. } => Some(format!("{}:{name}", service.name)),
                What::EnvValue { name, value, .. } if !value.is_empty() => {
                    Some(format!("{}:{name}={value}", service.name))
                }
                _ => None,
            };
            service.facts.iter().filter_map(name).collect::<Vec<_>>()
        };
        facts.expect("is read").services.iter().flat_map(of).collect()
    }

    #[test]
    fn service_at_the_root_leaves_shared_code_to_those_who_are_built_from_it() {
        let tree = "//- /Dockerfile\nFROM x\nCOPY . .\n//- /main.go\n//- /libs/common/a.js\nf(process.env.SHARED)\n\
            //- /orders/Dockerfile\nFROM x\nCOPY orders .\nCOPY libs/common common\n//- /orders/index.js\n";
        let found = variables(tree);
        assert!(found.iter().any(|one| one == "orders:SHARED"), "{found:?}");
    }

    #[test]
    fn file_of_a_service_further_in_is_also_of_the_one_that_copies_it_by_name() {
        let conf = "server { location / { proxy_pass http://orders:3000; } }\n";
        let tree = format!(
            "//- /gateway/Dockerfile\nFROM nginx\nCOPY nginx/nginx.conf /etc/nginx/nginx.conf\n\
             //- /gateway/nginx/Dockerfile\nFROM nginx\nCOPY nginx.conf /etc/nginx/nginx.conf\n//- /gateway/nginx/nginx.conf\n{conf}\
             //- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/index.js\n"
        );
        let facts =
            crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let calls = |service: &&ServiceFacts| {
            service.facts.iter().any(|fact| matches!(&fact.what, What::Reference(to) if to.host == "orders"))
        };
        let facts = facts.expect("is read");
        let callers: Vec<&str> =
            facts.services.iter().filter(calls).map(|service| service.name.as_str()).collect();
        assert_eq!(callers, ["gateway", "nginx"]);
    }

    #[test]
    fn what_a_dockerfile_says_is_about_whom_it_builds_wherever_it_lies() {
        let tree = "//- /Dockerfile\nFROM php:8.4-apache\nRUN docker-php-ext-install pdo_mysql\nCOPY . .\n\
            //- /orders/composer.json\n{}\n//- /orders/a.php\n<?php\n//- /users/composer.json\n{}\n//- /users/a.php\n<?php\n";
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = crate::discover::discover(&Repo::from_fixture(tree), &catalog, &Scope::default());
        let has = |service: &ServiceFacts| {
            service
                .facts
                .iter()
                .any(|fact| matches!(&fact.what, What::Driver { kind, .. } if kind == "mysql"))
        };
        let told: Vec<bool> = facts.expect("is read").services.iter().map(has).collect();
        assert_eq!(told, [true, true]);
    }

    #[test]
    fn image_that_hands_a_variable_on_is_told_its_value() {
        let tree = "//- /.env.example\nAPI_URL=http://api:8000\nOTHER=x\n//- /web/Dockerfile\nFROM x\nARG API_URL\nENV API_URL=${API_URL}\nCOPY . .\n\
            //- /web/index.js\n//- /api/Dockerfile\nFROM x\nCOPY . .\n//- /api/index.js\n";
        assert_eq!(variables(tree), ["web:API_URL=http://api:8000"]);
    }

    #[test]
    fn parts_of_a_service_are_no_missing_services() {
        let tree =
            "//- /Dockerfile\nFROM x\n//- /main.go\n//- /services/rate/rate.go\n//- /services/geo/go.mod\n";
        let repo = Repo::from_fixture(tree);
        let mut services = services::find(&repo, &Catalog::default(), &services::Roots::default()).services;
        let told = |name: &str, path: &str| Fact {
            what: What::SchemaFile,
            at: Evidence { path: RepoPath::new(path).expect("inside the root"), line: 1, rule: "test" },
            subject: Subject::Named(name.to_owned()),
        };
        let facts = vec![
            told("rate", "README.md"),
            told("geo", "README.md"),
            told("Parse", "libs/indexer/README.md"),
            told("billing", "docs/architecture.md"),
        ];
        let orphans = assigned(&repo, &mut services, facts);
        let left: Vec<&Subject> = orphans.iter().map(|fact| &fact.subject).collect();
        assert_eq!(left, [&Subject::Named("geo".to_owned()), &Subject::Named("billing".to_owned())]);
    }

    #[test]
    fn names_are_matched_without_the_words_that_people_leave_out() {
        let named = |name: &str| given(What::SchemaFile, "doc.md", Subject::Named(name.to_owned()));
        assert_eq!(named("Orders API").0, ["orders-service"]);
        assert_eq!(named("Shipping"), (Vec::new(), 1));
    }

    #[test]
    fn folder_of_environment_files_speaks_for_what_lies_beside_it() {
        let service = |name: &str| {
            format!(
                "//- /{name}/{name}-api/Dockerfile\nFROM x\n//- /{name}/{name}-api/index.js\nf(process.env.SHARED)\n\
                 //- /{name}/envs/api.default.env\nSHARED={name}\n"
            )
        };
        let mut given = variables(&(service("orders") + &service("users")));
        given.retain(|value| value.contains('='));
        assert_eq!(given, ["orders-api:SHARED=orders", "users-api:SHARED=users"]);
    }
}
