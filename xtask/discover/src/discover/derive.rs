//! Facts that follow from those of other files: what callers and images say about where a service listens.

use std::collections::{BTreeMap, BTreeSet};

use super::dockerfile::EXPOSED_VARIABLE;
use super::names::Names;
use super::{idle_settings, ports, starters, url};
use crate::catalog::Catalog;
use crate::model::fact::{EnvSource, Fact, PortSource, Purpose, ServiceFacts, Subject, What};
use crate::parallel::{each, in_parallel};

/// Adds what follows, and takes away what the image shows to be about something else.
pub(super) fn derive(services: &mut [ServiceFacts], catalog: &Catalog) {
    each(services, |service| {
        drop_ports_of_build_tools(service);
        drop_ports_of_the_server_in_front(service);
        drop_code_of_others(service);
        idle_settings::drop_idle(service, catalog);
        starters::add_variables(service);
        add_own_ports(service);
        drop_ports_of_servers_beside(service);
    });
    learn_host_names(services, catalog);
    add_registries(services);
    add_ports_of_callers(services, catalog);
    each(services, idle_settings::drop_of_other_proxies);
}

/// Others call a service by a host name that is not quite its own: `orders` for `orders-service`, `web1` for `web`.
fn learn_host_names(services: &mut [ServiceFacts], catalog: &Catalog) {
    let names = Names::of(services);
    let listeners = listeners(services);
    let found = in_parallel(services.iter().enumerate().collect(), |(caller, service)| {
        let mut found: Vec<(usize, String)> = Vec::new();
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
            let only = || match listeners.get(&reference.port?)?.as_slice() {
                [only] => Some(*only).filter(|only| is_shortened(host, &services[*only].name)),
                _ => None,
            };
            let called = called.or_else(only);
            found
                .extend(called.filter(|called| called != caller).map(|called| (called, host.to_lowercase())));
        }
        found
    });
    for (called, host) in found.into_iter().flatten() {
        let aliases = &mut services[called].aliases;
        if !aliases.contains(&host) {
            aliases.push(host);
            aliases.sort();
        }
    }
}

/// Who says of itself that it listens on a port.
fn listeners(services: &[ServiceFacts]) -> BTreeMap<u16, Vec<usize>> {
    let mut listeners: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        for fact in &service.facts {
            if let What::Port { port, source, .. } = fact.what
                && source < PortSource::FrameworkDefault
            {
                let all = listeners.entry(port).or_default();
                if !all.contains(&at) {
                    all.push(at);
                }
            }
        }
    }
    listeners
}

/// The fewest letters that make an abbreviation.
const SHORTEST: usize = 3;

/// `res-server` of `reservations-service`, `notifications` of `notification`: one begins with the other.
fn is_shortened(host: &str, name: &str) -> bool {
    let (host, name) = (super::names::loose(host), super::names::loose(name));
    host.len().min(name.len()) >= SHORTEST && (name.starts_with(&host) || host.starts_with(&name))
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
    if ports::of_base_image(&service.image.base).is_none()
        || !matches!(service.language.as_str(), "node" | "php")
    {
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

/// PHP's process manager speaks FastCGI alone: where nothing puts a web server beside it, the configuration of one that
/// lies with the program is for another container.
fn drop_ports_of_the_server_in_front(service: &mut ServiceFacts) {
    let image = &service.image;
    let is_fpm = ports::of_base_image(&image.base) == Some(ports::FASTCGI);
    let has_server = image.installs.iter().chain(&image.runs).any(|text| text.contains("nginx"));
    if is_fpm && !has_server {
        service
            .facts
            .retain(|fact| !(fact.at.rule == "nginx-listen" && matches!(fact.what, What::Port { .. })));
    }
}

/// A worker shares its image and its code with a server, and listens nowhere itself.
fn drop_ports_of_servers_beside(service: &mut ServiceFacts) {
    if service.is_worker {
        let is_of_server = |what: &What| {
            matches!(
                what,
                What::Port { .. } | What::Listens { .. } | What::DevelopmentPort { .. } | What::Health { .. }
            )
        };
        service.facts.retain(|fact| !is_of_server(&fact.what));
    }
}

/// What every SDK of OpenTelemetry reads, by its specification; it works without any of them.
pub(super) fn add_variables_of_telemetry(service: &mut ServiceFacts) {
    const READ: &[&str] = &[
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_SERVICE_NAME",
    ];
    let is_sdk = |fact: &&Fact| matches!(&fact.what, What::Driver { kind, dev_only: false, .. } if kind == "otel-collector");
    let Some(at) = service.facts.iter().find(is_sdk).map(|fact| fact.at.clone()) else { return };
    for name in READ {
        let (name, default) = ((*name).to_owned(), Some(String::new()));
        let what = What::EnvRead { name, default, required: false };
        service.facts.push(Fact { what, at: at.clone(), subject: Subject::Here });
    }
}

/// Images of web servers run no program: what sources in other languages beside them read is for another service that is
/// built from the same folder.
fn drop_code_of_others(service: &mut ServiceFacts) {
    const SERVERS: &[&str] =
        &["nginx", "nginx-unprivileged", "caddy", "httpd", "haproxy", "envoy", "traefik"];
    const PROGRAMS: &[&str] =
        &["python-", "django-", "go-", "java-", "dotnet-", "ruby-", "rust-", "elixir-", "php-"];
    let name = service.image.base.split([':', '@']).next().unwrap_or_default();
    let is_server = SERVERS.contains(&name.rsplit('/').next().unwrap_or_default());
    if is_server && !matches!(service.language.as_str(), "php" | "node") {
        service.facts.retain(|fact| !PROGRAMS.iter().any(|own| fact.at.rule.starts_with(own)));
        let read: Vec<String> = service
            .facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::EnvRead { name, .. } => Some(name.clone()),
                What::EnvValue { name, source, .. } if *source != EnvSource::Example => Some(name.clone()),
                _ => None,
            })
            .collect();
        service.facts.retain(|fact| match &fact.what {
            What::EnvValue { name, source: EnvSource::Example, .. } => read.contains(name),
            What::Reference(reference) if fact.at.rule.starts_with("env-") => {
                reference.via.as_ref().is_some_and(|via| read.contains(via))
            }
            _ => true,
        });
    }
}

/// The property that tells a client of Eureka where its registry is, as a variable.
const REGISTRY: &str = "EUREKA_CLIENT_SERVICEURL_DEFAULTZONE";
const REGISTRY_PORT: u16 = 8761;

/// A client of Eureka looks for it on its own machine when nobody says otherwise; the one here is meant.
fn add_registries(services: &mut [ServiceFacts]) {
    let uses = |service: &ServiceFacts, framework: &str| {
        let of = |fact: &&Fact| matches!(&fact.what, What::Framework { name } if name == framework);
        service.facts.iter().find(of).map(|fact| fact.at.clone())
    };
    let mut servers = services.iter().filter(|service| uses(service, "eureka-server").is_some());
    let (Some(server), None) = (servers.next(), servers.next()) else { return };
    let (name, said) = (server.name.clone(), |fact: &Fact| match fact.what {
        What::Port { port, purpose: Purpose::Main, .. } => Some(port),
        _ => None,
    });
    let port = server.facts.iter().find_map(said).unwrap_or(REGISTRY_PORT);
    for service in services.iter_mut().filter(|service| service.name != name) {
        let Some(at) = uses(service, "eureka-client") else { continue };
        let is_told = |fact: &Fact| matches!(&fact.what, What::EnvValue { name, .. } if name.replace('_', "").starts_with("EUREKACLIENTSERVICEURL"));
        if service.facts.iter().any(is_told) {
            continue;
        }
        let value = format!("http://{name}:{port}/eureka/");
        let comment = String::new();
        let what =
            What::EnvValue { name: REGISTRY.to_owned(), value, comment, source: EnvSource::FrameworkConfig };
        service.facts.push(Fact { what, at, subject: Subject::Here });
    }
}

/// `ORDERS_PORT` is a stranger's port everywhere but in the service that is called so; so are `ORDERS_HTTP_PORT` and,
/// beside one of these, `ORDERS_GRPC_PORT`.
fn add_own_ports(service: &mut ServiceFacts) {
    let known: BTreeSet<String> = service
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::EnvValue { name, .. } | What::EnvRead { name, .. } => Some(name.to_ascii_uppercase()),
            _ => None,
        })
        .filter(|name| name.ends_with("_PORT"))
        .collect();
    let own = |variable: &str| {
        let upper = variable.to_ascii_uppercase();
        let mut prefix = upper.strip_suffix("_PORT").unwrap_or_default().to_owned();
        if let Some(of_web) = prefix.strip_suffix("_HTTP") {
            prefix = of_web.to_owned();
        } else if let Some(of_grpc) = prefix.strip_suffix("_GRPC") {
            let beside = ["PORT", "HTTP_PORT"].map(|ending| format!("{of_grpc}_{ending}"));
            if beside.iter().any(|name| known.contains(name)) {
                prefix = of_grpc.to_owned();
            }
        }
        let mut names = std::iter::once(&service.name).chain(&service.aliases);
        let is_own = |name: &String| super::names::loose(name) == super::names::loose(&prefix);
        let is_exposed = |fact: &Fact| {
            fact.at.rule == EXPOSED_VARIABLE
                && matches!(&fact.what, What::EnvRead { name, .. } if name == variable)
        };
        !prefix.is_empty() && (names.any(is_own) || service.facts.iter().any(is_exposed))
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
        let (protocol, purpose) = ports::of_name(name, port);
        let what = What::Port { port, protocol, purpose, source, variable: Some(name.clone()) };
        found.push(Fact { what, at: fact.at.clone(), subject: Subject::Here });
    }
    service.facts.extend(found);
}

/// `http://orders:8080` in one service is a port of another one.
fn add_ports_of_callers(services: &mut [ServiceFacts], catalog: &Catalog) {
    let names = Names::of(services);
    let found = in_parallel(services.iter().enumerate().collect(), |(caller, service)| {
        let mut found: Vec<(usize, Fact)> = Vec::new();
        for fact in &service.facts {
            let What::Reference(reference) = &fact.what else { continue };
            let (Some(port), false) = (reference.port, reference.host.is_empty()) else { continue };
            if catalog.by_scheme(&reference.scheme).is_some() {
                continue;
            }
            let Some(called) = names.find(&reference.host).filter(|called| called != caller) else {
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
        found
    });
    for (called, fact) in found.into_iter().flatten() {
        services[called].facts.push(fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    #[test]
    fn web_server_in_front_of_php_listens_in_its_own_container() {
        let ports = |install: &str| {
            let tree = format!(
                "//- /shop/Dockerfile\nFROM php:8.4-fpm\nRUN apt-get install -y {install}\nCOPY . .\n//- /shop/composer.json\n{{}}\n\
                 //- /shop/docker/nginx/nginx.conf\nserver {{\n  listen 8000;\n  location / {{\n    fastcgi_pass shop:9000;\n  }}\n}}\n"
            );
            let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
            let of = |fact: &Fact| match fact.what {
                What::Port { port, .. } => Some(port),
                _ => None,
            };
            facts.expect("is read").services[0].facts.iter().filter_map(of).collect::<Vec<u16>>()
        };
        assert_eq!(ports("git"), [9000]);
        assert_eq!(ports("nginx"), [9000, 8000]);
    }

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
    fn variables_that_bear_a_service_s_name_give_its_web_and_grpc_ports() {
        let tree = |variables: &str| {
            format!("//- /orders/Dockerfile\nFROM x\n//- /orders/.env.example\n{variables}\n")
        };
        let ports = |variables: &str| {
            ports_of(&tree(variables), "orders").into_iter().map(|(port, _)| port).collect::<Vec<u16>>()
        };
        assert_eq!(ports("ORDERS_HTTP_PORT=2535\nORDERS_GRPC_PORT=2536\nUSERS_HTTP_PORT=2525"), [2535, 2536]);
        // Where another port may be in the code, that of gRPC is not the only one.
        assert_eq!(ports("ORDERS_GRPC_PORT=2536"), [0; 0]);
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
    fn short_host_name_means_the_only_service_on_its_port() {
        let tree = "//- /reservations-service/Dockerfile\nFROM x\nEXPOSE 8082\n//- /notes/Dockerfile\nFROM x\nEXPOSE 8083\n\
            //- /gateway/Dockerfile\nFROM x\nENV A_URL=http://res-server:8082\nENV B_URL=http://res-server:8083\nENV C_URL=http://other:8083\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let aliases: Vec<String> = facts.services.iter().map(|service| service.aliases.join(" ")).collect();
        assert_eq!(aliases, ["", "", "res-server"]);
    }

    #[test]
    fn variable_with_the_services_name_is_its_own_port() {
        let env = "ORDERS_PORT=4000\nBILLING_PORT=5000\n";
        let tree = format!("//- /orders/Dockerfile\nFROM x\n//- /orders/.env.example\n{env}");
        assert_eq!(ports_of(&tree, "orders"), [(4000, PortSource::EnvExample)]);
    }

    #[test]
    fn web_server_in_a_folder_of_code_reads_none_of_it() {
        let tree = "//- /Dockerfile.site\nFROM nginx:alpine\nCOPY site /srv\n//- /Dockerfile.shop\nFROM python:3.13-slim\nCMD [\"python\", \"shop.py\"]\n\
            //- /shop.py\nimport os\nurl = os.environ[\"SHOP_DB_URL\"]\n//- /site/index.html\n<p>\n";
        let facts =
            discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default()).expect("is read");
        let reads = |service: &ServiceFacts| {
            service.facts.iter().any(|fact| matches!(fact.what, What::EnvRead { .. }))
        };
        let who: Vec<&str> = facts
            .services
            .iter()
            .filter(|service| reads(service))
            .map(|service| service.name.as_str())
            .collect();
        assert_eq!(who, ["shop"]);
    }

    #[test]
    fn clients_of_a_registry_are_told_where_it_is() {
        let pom = |name: &str, library: &str| {
            format!(
                "//- /{name}/Dockerfile\nFROM x\n//- /{name}/pom.xml\n<project><dependencies><dependency><artifactId>spring-cloud-starter-netflix-eureka-{library}</artifactId></dependency></dependencies></project>\n"
            )
        };
        let tree = pom("registry", "server") + &pom("orders", "client");
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let told = |fact: &Fact| match &fact.what {
            What::EnvValue { name, value, .. } => Some(format!("{name}={value}")),
            _ => None,
        };
        let values = |at: usize| facts.services[at].facts.iter().filter_map(told).collect::<Vec<_>>();
        assert_eq!(values(0), ["EUREKA_CLIENT_SERVICEURL_DEFAULTZONE=http://registry:8761/eureka/"]);
        assert_eq!(values(1), Vec::<String>::new());
    }

    #[test]
    fn static_site_listens_where_its_web_server_does() {
        let tree = "//- /web/Dockerfile\nFROM node:20 AS build\nFROM nginx:alpine\nCOPY --from=build /app /x\n\
            //- /web/package.json\n{ \"dependencies\": { \"react-scripts\": \"5\" } }\n";
        assert_eq!(ports_of(tree, "web"), [(80, PortSource::FrameworkDefault)]);
    }
}
