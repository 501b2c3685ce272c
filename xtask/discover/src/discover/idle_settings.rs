//! Takes away what files of frameworks say without any effect: another file overrides it, or no client is there for it.

use std::collections::{BTreeMap, BTreeSet};

use super::services;
use crate::catalog::Catalog;
use crate::model::fact::{EnvSource, Fact, PortSource, ServiceFacts, What};
use crate::model::path::RepoPath;

/// Takes the facts of such settings from a service.
pub(super) fn drop_idle(service: &mut ServiceFacts, catalog: &Catalog) {
    drop_overridden(service);
    drop_moved(service);
    drop_those_without_client(service, catalog);
}

/// A web server's configuration beside a program whose image holds no such server is that of a container of its own, into
/// which it is mounted: whom it forwards to, the program does not call. Of an image built FROM one of this repository, or
/// FROM something unknown, nobody here sees what it holds. Where the others listen, it tells all the same.
pub(super) fn drop_of_other_proxies(service: &mut ServiceFacts) {
    const SERVERS: &[(&str, &[&str])] = &[
        ("nginx-", &["nginx", "openresty"]),
        ("caddy-", &["caddy"]),
        ("haproxy-", &["haproxy"]),
        ("apache-", &["apache", "httpd"]),
        ("envoy-", &["envoy"]),
        ("traefik-", &["traefik"]),
    ];
    let is_of = |fact: &Fact, rules: &[&str]| rules.iter().any(|rule| fact.at.rule.starts_with(rule));
    let rules: Vec<&str> = SERVERS.iter().map(|(rule, _)| *rule).collect();
    let image = &service.image;
    if !service.facts.iter().any(|fact| is_of(fact, &rules))
        || !service.origins.is_empty()
        || !services::is_runtime(&image.base)
    {
        return;
    }
    let words = [&image.runs, &image.installs, &image.command, &image.entrypoint].into_iter().flatten();
    let sources = image.copies.iter().map(|(source, _)| source);
    let brought = image.brought.iter().flat_map(|brought| [&brought.from, &brought.source]);
    let texts: Vec<&str> =
        words.chain(sources).chain(brought).map(String::as_str).chain([image.base.as_str()]).collect();
    let is_there = |names: &[&str]| names.iter().any(|name| texts.iter().any(|text| text.contains(name)));
    let missing: Vec<&str> =
        SERVERS.iter().filter(|(_, names)| !is_there(names)).map(|(rule, _)| *rule).collect();
    let is_called = |fact: &Fact| matches!(fact.what, What::Port { source: PortSource::Caller, .. });
    service.facts.retain(|fact| is_called(fact) || !is_of(fact, &missing));
}

/// Spring reads `application.properties` after the `application.yml` beside it: what both say, the first says last.
fn drop_overridden(service: &mut ServiceFacts) {
    let is = |fact: &Fact, ending: &str| {
        fact.at.path.name().strip_prefix("application.").is_some_and(|found| found == ending)
    };
    let key = |fact: &Fact| match &fact.what {
        What::Port { purpose, source: PortSource::FrameworkConfig, .. } => Some(format!("port {purpose:?}")),
        What::EnvValue { name, source: EnvSource::FrameworkConfig, .. } => Some(name.clone()),
        What::Reference(reference) => reference.via.clone(),
        _ => None,
    };
    let last = service.facts.iter().filter(|fact| is(fact, "properties"));
    let last: BTreeSet<(RepoPath, String)> =
        last.filter_map(|fact| Some((fact.at.path.parent()?, key(fact)?))).collect();
    service.facts.retain(|fact| {
        let said = || Some((fact.at.path.parent()?, key(fact)?));
        !((is(fact, "yml") || is(fact, "yaml")) && said().is_some_and(|said| last.contains(&said)))
    });
}

/// `@Value("${shop.url:http://localhost:8095}")` beside `shop.url=${SHOP_URL:http://localhost:8090}`: the file counts.
fn drop_moved(service: &mut ServiceFacts) {
    let moved = |fact: &Fact| match &fact.what {
        What::Moved { variable, default } => Some((variable.clone(), default.clone())),
        _ => None,
    };
    let moved: BTreeMap<String, Option<String>> = service.facts.iter().filter_map(moved).collect();
    let is_default = |fact: &Fact| match &fact.what {
        What::Reference(reference) => {
            fact.at.rule == "java-value" && reference.via.as_ref().is_some_and(|via| moved.contains_key(via))
        }
        _ => false,
    };
    service.facts.retain(|fact| !matches!(fact.what, What::Moved { .. }) && !is_default(fact));
    for fact in &mut service.facts {
        if let What::EnvRead { name, default, .. } = &mut fact.what
            && let Some(of_file) = moved.get(name).filter(|_| fact.at.rule == "java-value")
        {
            default.clone_from(of_file);
        }
    }
}

/// Rails writes a `config/cable.yml` with Redis for production into every application; until the client is in the
/// Gemfile, nothing can connect.
fn drop_those_without_client(service: &mut ServiceFacts, catalog: &Catalog) {
    const TEMPLATE: &str = "cable.yml";
    let kind_of = |fact: &Fact| match &fact.what {
        What::Reference(reference) => catalog.by_scheme(&reference.scheme),
        _ => None,
    };
    let said = service.facts.iter().filter(|fact| fact.at.path.name() == TEMPLATE);
    let kinds: BTreeSet<&str> =
        said.filter_map(|fact| kind_of(fact).map(|entry| entry.kind.as_str())).collect();
    let is_client =
        |fact: &Fact| matches!(&fact.what, What::Driver { kind, .. } if kinds.contains(kind.as_str()));
    if !kinds.is_empty() && !service.facts.iter().any(is_client) {
        service.facts.retain(|fact| fact.at.path.name() != TEMPLATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    #[test]
    fn default_in_the_code_gives_way_to_the_variable_in_the_file() {
        let tree = |value: &str| {
            format!(
                "//- /pay/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n//- /pay/pom.xml\n<project/>\n\
                 //- /pay/src/main/resources/application.properties\nserver.port=8090\nshop.return-url={value}\n\
                 //- /pay/src/main/java/Pay.java\nclass Pay {{\n  @Value(\"${{shop.return-url:http://localhost:8095/back}}\")\n  String url;\n}}\n"
            )
        };
        let defaults = |value: &str| {
            let read = |fact: &Fact| match &fact.what {
                What::EnvRead { name, default, .. } if name == "SHOP_RETURNURL" => Some(default.clone()),
                _ => None,
            };
            facts(&tree(value)).iter().filter_map(read).collect::<Vec<_>>()
        };
        assert_eq!(
            defaults("${RETURN_URL:http://localhost:8090/back}"),
            [Some("http://localhost:8090/back".to_owned())]
        );
        assert_eq!(defaults("${RETURN_URL}"), [Some("http://localhost:8095/back".to_owned())]);
    }

    fn facts(tree: &str) -> Vec<Fact> {
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(tree), &catalog, &Scope::default()).expect("is read");
        facts.services.into_iter().flat_map(|service| service.facts).collect()
    }

    #[test]
    fn configuration_of_a_web_server_is_of_a_program_whose_image_holds_one() {
        let passes = |dockerfile: &str| {
            let tree = format!(
                "//- /Dockerfile\n{dockerfile}\n//- /package.json\n{{}}\n//- /server.js\nlisten(3000)\n\
                 //- /deploy/nginx.conf\nserver {{ listen 80; server_name x; location / {{ proxy_pass http://web:4100; }} }}\n\
                 //- /web/Dockerfile\nFROM node\nCOPY . .\nCMD node x.js\n//- /web/x.js\nx\n"
            );
            let catalog = Catalog::load(&[]).expect("the catalogue parses");
            let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
            let of = |root: bool, is: fn(&Fact) -> bool| {
                facts
                    .services
                    .iter()
                    .filter(|one| one.path.is_root() == root)
                    .flat_map(|one| &one.facts)
                    .any(is)
            };
            let listens = of(false, |fact| matches!(fact.what, What::Port { port: 4100, .. }));
            (of(true, |fact| fact.at.rule.starts_with("nginx-")), listens)
        };
        let node = "FROM node\nCOPY . .\nCMD [\"node\", \"server.js\"]";
        assert_eq!(passes(node), (false, true), "it tells where the other listens all the same");
        assert!(passes(&node.replace("COPY", "RUN apt-get install -y nginx\nCOPY")).0);
        assert!(passes(&node.replace("CMD", "COPY deploy/nginx.conf /etc/nginx/\nCMD")).0);
        assert!(passes("FROM company/web-base\nCOPY . .").0, "what that holds is not known");
    }

    #[test]
    fn properties_of_spring_win_over_the_yaml_beside_them() {
        let resources = "/orders/src/main/resources";
        let tree = |other: &str| {
            format!(
                "//- /orders/Dockerfile\nFROM eclipse-temurin:21\n//- /orders/pom.xml\n<project/>\n\
                 //- {resources}/application.yml\nserver:\n  port: 8010\nstock:\n  url: http://stock:9000\nusers:\n  url: http://users:9001\n\
                 //- {resources}/{other}\nserver.port=8086\nstock.url=http://stock:9002\n"
            )
        };
        let said = |other: &str| {
            let one = |fact: &Fact| match &fact.what {
                What::Port { port, source: PortSource::FrameworkConfig, .. } => Some(port.to_string()),
                What::Reference(reference) => Some(reference.raw.clone()),
                _ => None,
            };
            let mut said: Vec<String> = facts(&tree(other)).iter().filter_map(one).collect();
            said.sort();
            said
        };
        assert_eq!(said("application.properties"), ["8086", "http://stock:9002", "http://users:9001"]);
        // A file of one environment is read in that environment.
        assert!(said("application-dev.properties").contains(&"8010".to_owned()));
    }

    #[test]
    fn redis_of_a_new_rails_application_counts_with_its_client() {
        let reads = |gems: &str| {
            let tree = format!(
                "//- /web/Dockerfile\nFROM ruby:3.4\nCOPY . .\n//- /web/Gemfile\ngem \"rails\"\n{gems}\n\
                 //- /web/config/cable.yml\nproduction:\n  adapter: redis\n  url: <%= ENV.fetch(\"REDIS_URL\") {{ \"redis://localhost:6379/1\" }} %>\n"
            );
            facts(&tree)
                .iter()
                .any(|fact| matches!(&fact.what, What::EnvRead { name, .. } if name == "REDIS_URL"))
        };
        assert!(!reads(""));
        assert!(reads("gem \"redis\", \">= 5\""));
    }
}
