//! Which services facts are given to.

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
    let facts = crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
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
    let facts = crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
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
        let mut services = services::find(&repo, &Catalog::default(), &services::Roots::default()).services;
        let what = What::EnvRead { name: "ConnectionStrings__A".to_owned(), default: None, required: true };
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
    let command = service("stock-command", "config.get('STOCK_QUERY_GRPC_URL'); config.get('GRPC_PORT');");
    let query = service("stock-query", "config.get('STOCK_QUERY_GRPC_URL'); config.get('GRPC_PORT');");
    let example = "//- /shop/.env.example\nSTOCK_QUERY_GRPC_URL = 0.0.0.0:50001\nGRPC_PORT=50009\n";
    let repo = Repo::from_fixture(&format!("{command}{query}{example}"));
    let facts = crate::discover::discover(&repo, &Catalog::default(), &Scope::default()).expect("is read");
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
    let facts = crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
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
    let facts = crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
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
    let facts = crate::discover::discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
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
        service.facts.iter().any(|fact| matches!(&fact.what, What::Driver { kind, .. } if kind == "mysql"))
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
