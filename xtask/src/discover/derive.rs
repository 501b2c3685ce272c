//! Facts that follow from those of other files: what callers and images say about where a service listens.

use super::names::Names;
use super::{ports, url};
use crate::catalog::Catalog;
use crate::model::fact::{Fact, PortSource, Purpose, ServiceFacts, Subject, What};

/// Adds what follows, and takes away what the image shows to be about something else.
pub(super) fn derive(services: &mut [ServiceFacts], catalog: &Catalog) {
    for service in services.iter_mut() {
        drop_ports_of_build_tools(service);
        add_own_ports(service);
    }
    learn_host_names(services, catalog);
    add_ports_of_callers(services, catalog);
}

/// Others call a service by a host name that is not quite its own: `orders` for `orders-service`, `web1` for `web`.
fn learn_host_names(services: &mut [ServiceFacts], catalog: &Catalog) {
    let names = Names::of(services);
    let mut found: Vec<(usize, String)> = Vec::new();
    for (caller, service) in services.iter().enumerate() {
        for fact in &service.facts {
            let What::Reference(reference) = &fact.what else { continue };
            let host = first_label(&reference.host);
            let is_service =
                !catalog_knows(catalog, &reference.scheme, host) && !url::is_public(&reference.host);
            if !is_service || names.is_exact(host) {
                continue;
            }
            let numbered = host.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_']);
            let called = names.find(host).or_else(|| names.find(numbered).filter(|_| numbered != host));
            found.extend(
                called.filter(|called| *called != caller).map(|called| (called, host.to_lowercase())),
            );
        }
    }
    for (called, host) in found {
        let aliases = &mut services[called].aliases;
        if !aliases.contains(&host) {
            aliases.push(host);
            aliases.sort();
        }
    }
}

fn catalog_knows(catalog: &Catalog, scheme: &str, host: &str) -> bool {
    catalog.by_scheme(scheme).is_some() || catalog.by_host(host).is_some()
}

/// `orders` of `orders.shop.svc.cluster.local`.
fn first_label(host: &str) -> &str {
    let inside =
        host.strip_suffix(".local").is_some_and(|rest| rest.contains(".svc")) || host.ends_with(".svc");
    if inside { host.split('.').next().unwrap_or_default() } else { host }
}

/// Where a web server of the image serves what Node has built, Node's development server does not run.
fn drop_ports_of_build_tools(service: &mut ServiceFacts) {
    if ports::of_base_image(&service.image.base).is_none() || service.language != "node" {
        return;
    }
    service.facts.retain(|fact| {
        let tool = matches!(
            fact.what,
            What::Port {
                source: PortSource::FrameworkConfig | PortSource::Listen | PortSource::FrameworkDefault,
                ..
            }
        );
        !(tool && (fact.at.rule.starts_with("node-") || fact.at.rule.starts_with("vite-")))
    });
}

/// `ORDERS_PORT` is a stranger's port everywhere but in the service that is called so.
fn add_own_ports(service: &mut ServiceFacts) {
    let own = |variable: &str| {
        let upper = variable.to_ascii_uppercase();
        let prefix = upper.strip_suffix("_PORT").unwrap_or_default().to_owned();
        let mut names = std::iter::once(&service.name).chain(&service.aliases);
        let is_own = |name: &String| super::names::loose(name) == super::names::loose(&prefix);
        !prefix.is_empty() && names.any(is_own)
    };
    let mut found = Vec::new();
    for fact in &service.facts {
        let (name, value, source) = match &fact.what {
            What::EnvValue { name, value, .. } => (name, value, PortSource::EnvExample),
            What::EnvRead { name, default: Some(default), .. } => (name, default, PortSource::Listen),
            _ => continue,
        };
        let Some(port) = value.trim().parse::<u16>().ok().filter(|port| *port > 0 && own(name)) else {
            continue;
        };
        let (protocol, purpose) = ports::kind(port);
        let what = What::Port { port, protocol, purpose, source, variable: Some(name.clone()) };
        found.push(Fact { what, at: fact.at.clone(), subject: Subject::Here });
    }
    service.facts.extend(found);
}

/// `http://orders:8080` in one service is a port of another one.
fn add_ports_of_callers(services: &mut [ServiceFacts], catalog: &Catalog) {
    let names = Names::of(services);
    let mut found: Vec<(usize, Fact)> = Vec::new();
    for (caller, service) in services.iter().enumerate() {
        for fact in &service.facts {
            let What::Reference(reference) = &fact.what else { continue };
            let (Some(port), false) = (reference.port, reference.host.is_empty()) else { continue };
            if catalog.by_scheme(&reference.scheme).is_some() {
                continue;
            }
            let Some(called) = names.find(&reference.host).filter(|called| *called != caller) else {
                continue;
            };
            let (protocol, _) = ports::kind(port);
            let purpose = Purpose::Main;
            let what = What::Port { port, protocol, purpose, source: PortSource::Caller, variable: None };
            found.push((
                called,
                Fact { what, at: fact.at.clone(), subject: Subject::Named(reference.host.clone()) },
            ));
        }
    }
    for (called, fact) in found {
        services[called].facts.push(fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    fn ports_of(tree: &str, name: &str) -> Vec<(u16, PortSource)> {
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let service = facts.services.iter().find(|service| service.name == name).expect("is found");
        let port = |fact: &Fact| match fact.what {
            What::Port { port, source, .. } => Some((port, source)),
            _ => None,
        };
        service.facts.iter().filter_map(port).collect()
    }

    #[test]
    fn callers_tell_the_port_of_a_service_that_says_nothing() {
        let tree = "//- /orders-service/Dockerfile\nFROM x\n//- /web/Dockerfile\nFROM x\nENV ORDERS_URL=http://orders:8080/v1\n";
        assert_eq!(ports_of(tree, "orders-service"), [(8080, PortSource::Caller)]);
        assert_eq!(ports_of(tree, "web"), []);
    }

    #[test]
    fn host_names_become_aliases() {
        let tree = "//- /orders-service/Dockerfile\nFROM x\n//- /web/Dockerfile\nFROM x\n//- /gateway/Dockerfile\nFROM x\n\
            ENV ORDERS_URL=http://orders.shop.svc.cluster.local:8080\nENV UPSTREAM_URL=http://web1:80\nENV OTHER_URL=http://web.example.com\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let aliases: Vec<String> = facts.services.iter().map(|service| service.aliases.join(" ")).collect();
        assert_eq!(aliases, ["", "orders", "web1"]);
    }

    #[test]
    fn variable_with_the_services_name_is_its_own_port() {
        let env = "ORDERS_PORT=4000\nBILLING_PORT=5000\n";
        let tree = format!("//- /orders/Dockerfile\nFROM x\n//- /orders/.env.example\n{env}");
        assert_eq!(ports_of(&tree, "orders"), [(4000, PortSource::EnvExample)]);
    }

    #[test]
    fn static_site_listens_where_its_web_server_does() {
        let tree = "//- /web/Dockerfile\nFROM node:20 AS build\nFROM nginx:alpine\nCOPY --from=build /app /x\n\
            //- /web/package.json\n{ \"dependencies\": { \"react-scripts\": \"5\" } }\n";
        assert_eq!(ports_of(tree, "web"), [(80, PortSource::FrameworkDefault)]);
    }
}
