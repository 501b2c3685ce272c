//! Every key of `config.yaml` takes effect, or it is said why not.

use super::*;
use crate::model::stack::{Condition, HealthCheck};

const SHOP: &str = "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"app.py\"]\n\
    //- /api/.env.example\nDATABASE_URL=postgres://u:p@localhost:5432/shop\nREDIS_URL=redis://localhost:6379\n\
    LOG_LEVEL=info\nMODE=a\n\
    //- /web/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8001\nHEALTHCHECK CMD python3 check.py\n\
    CMD [\"python3\", \"web.py\"]\n//- /web/.env.example\nDATABASE_URL=postgres://localhost/web\nAPI_BASE_URL=http://localhost:8000\n\
    UPSTREAM=http://localhost:8000\n\
    //- /worker/Dockerfile\nFROM python:3.13-slim\nCMD [\"python3\", \"work.py\"]\n";

fn shop(config: &str) -> Stack {
    try_plan(SHOP, config).expect("can be planned")
}

fn container<'a>(stack: &'a Stack, name: &str) -> &'a Container {
    stack.containers.iter().find(|container| container.name == name).expect(name)
}

fn waits_for(stack: &Stack, name: &str) -> Vec<String> {
    let targets = container(stack, name).depends_on.iter().map(|on| on.target.clone());
    targets.filter(|target| target != assemble::PROBE && !target.ends_with("-setup")).collect()
}

fn check<'a>(stack: &'a Stack, name: &str) -> Option<&'a HealthCheck> {
    container(stack, name).health_check.as_ref()
}

fn problem<'a>(stack: &'a Stack, code: &str) -> &'a Problem {
    stack.inventory.problems.iter().find(|problem| problem.code == code).expect(code)
}

#[test]
fn name_bind_and_isolation() {
    let stack = shop("name: The Mall\nbind: 0.0.0.0\nisolation: off\n");
    assert_eq!((stack.name.as_str(), stack.bind.as_str()), ("the-mall", "0.0.0.0"));
    let names: Vec<&str> = stack.networks.iter().map(|network| network.name.as_str()).collect();
    assert_eq!(names, ["services"]);
    assert!(shop("").networks.len() > 1);
}

#[test]
fn the_port_in_the_container_and_on_the_host() {
    let stack = shop("services:\n  api: { port: 9000, host_port: 19000 }\n");
    let published = &container(&stack, "api").ports[0];
    assert_eq!((published.container, published.host), (9000, 19000));
    assert_eq!(value(&stack, "web", "API_BASE_URL").as_deref(), Some("http://api:9000"));
    assert_eq!(
        value(&stack, "web", "UPSTREAM").as_deref(),
        Some("http://api:9000"),
        "known by the port that was said"
    );
}

#[test]
fn every_form_of_a_health_check() {
    let test = |health: &str| {
        let stack = shop(&format!("services:\n  api:\n    health: {health}\n"));
        check(&stack, "api").expect("is checked").test.join(" ")
    };
    assert!(test("{ http: /ready }").contains("'GET', '/ready'"));
    assert!(test("{ tcp: 7000 }").contains("create_connection(('127.0.0.1', 7000)"));
    assert!(test("{ grpc: 50051 }").contains("('127.0.0.1', 50051)"));
    assert_eq!(test("{ command: [python3, check.py, $HOME] }"), "CMD python3 check.py $$HOME");
    let stack = shop("services:\n  api: { health: none }\n");
    assert_eq!(check(&stack, "api"), None);
    assert_eq!(
        container(&stack, "web").depends_on.iter().find(|on| on.target == "api").expect("waits").condition,
        Condition::Started
    );
}

#[test]
fn no_health_check_also_switches_off_that_of_the_image() {
    let stack = shop("services:\n  web: { health: none }\n");
    assert_eq!(check(&stack, "web").expect("says so").test, ["NONE"]);
    assert!(check(&shop(""), "web").expect("is checked").test.is_empty(), "the image's own");
}

#[test]
fn a_health_path_without_a_port_is_said() {
    let stack = shop("services:\n  worker: { health: { http: /up } }\n");
    let problem = problem(&stack, "health-without-port");
    assert_eq!(problem.fix, "set services.worker.port in config.yaml");
}

#[test]
fn requirements_are_added_removed_or_exactly_these() {
    assert_eq!(waits_for(&shop(""), "api"), ["postgres", "redis"]);
    assert_eq!(
        waits_for(&shop("services:\n  api: { requires: [-redis, +nats] }\n"), "api"),
        ["nats", "postgres"]
    );
    let stack = shop("services:\n  api: { requires: [worker] }\n");
    assert_eq!(waits_for(&stack, "api"), ["worker"]);
    assert!(stack.inventory.infrastructure.iter().all(|component| component.name != "redis"));
}

#[test]
fn infrastructure_that_no_variable_leads_to_is_noted() {
    let stack = shop("services:\n  worker: { requires: [+nats] }\n");
    let problem = problem(&stack, "requirement-without-variable");
    assert_eq!(problem.message, "`worker` requires nats, and no variable tells it where that is");
    assert_eq!(problem.at, ["config.yaml:2"]);
}

#[test]
fn values_of_variables_win_and_keep_their_dollars() {
    let stack = shop("services:\n  api: { env: { LOG_LEVEL: \"$5\", DATABASE_URL: x, NEW: 3 } }\n");
    assert_eq!(value(&stack, "api", "LOG_LEVEL").as_deref(), Some("$$5"));
    assert_eq!(value(&stack, "api", "DATABASE_URL").as_deref(), Some("x"));
    assert_eq!(value(&stack, "api", "NEW").as_deref(), Some("3"));
}

#[test]
fn how_a_service_is_built() {
    let stack = shop("services:\n  api: { build: { context: ., target: dev, args: { N: 3 } } }\n");
    let build = container(&stack, "api").build.as_ref().expect("is built");
    assert_eq!((build.context.as_str(), build.target.as_deref()), (".", Some("dev")));
    assert_eq!(build.args, [("N".to_owned(), "3".to_owned())]);
    assert_eq!(service(&stack, "api").build.context, ".");
    let refused =
        try_plan(SHOP, "services:\n  api: { build: { context: ../x } }\n").expect_err("leaves the root");
    assert_eq!(
        refused.to_string(),
        "`services.api.build.context: ../x` is no folder of this monorepo\n  at config.yaml:2\n  \
         fix: write the folder relative to the root, for example services/market"
    );
}

#[test]
fn version_image_and_host_port_of_infrastructure() {
    let stack = shop(
        "infrastructure:\n  postgres: { version: 16, host_port: 15432 }\n  redis: { image: \"redis:8-alpine\" }\n",
    );
    assert_eq!(container(&stack, "postgres").image.as_deref(), Some("postgres:16"));
    assert_eq!(container(&stack, "postgres").local_ports[0].host, 15432);
    assert_eq!(container(&stack, "redis").image.as_deref(), Some("redis:8-alpine"));
}

#[test]
fn a_server_for_each_service_has_its_own_volume_and_setup() {
    let stack = shop("infrastructure:\n  postgres: { shared: false }\n");
    for name in ["api", "web"] {
        let server = container(&stack, &format!("{name}-postgres"));
        let volume = format!("{name}-postgres-data");
        assert!(
            server.volumes.iter().any(|mount| matches!(mount, Mount::Volume { name, .. } if *name == volume))
        );
        assert!(stack.containers.iter().any(|one| one.name == format!("{name}-postgres-setup")));
        assert!(waits_for(&stack, name).contains(&format!("{name}-postgres")));
    }
    assert!(stack.containers.iter().all(|one| one.name != "postgres"));
}

#[test]
fn external_infrastructure_has_no_container_and_is_listed() {
    let stack = shop(
        "infrastructure:\n  postgres:\n    external: true\n    url: \"postgres://app:${PROD_PASSWORD}@db.example.org:6000/main\"\n",
    );
    assert!(stack.containers.iter().all(|one| !one.name.contains("postgres")));
    assert_eq!(waits_for(&stack, "api"), ["redis"]);
    let url = "postgres://app:${PROD_PASSWORD}@db.example.org:6000/main";
    assert_eq!(value(&stack, "api", "DATABASE_URL").as_deref(), Some(url));
    let listed: Vec<(&str, &str, &str)> =
        stack.external.iter().map(|one| (one.from.as_str(), one.address.as_str(), one.at.as_str())).collect();
    let shown = "postgres://app:…@db.example.org:6000/main";
    assert_eq!(listed, [("api", shown, "config.yaml:2"), ("web", shown, "config.yaml:2")]);
    assert!(stack.variables.iter().flat_map(|group| &group.variables).any(|one| one.name == "PROD_PASSWORD"));
    assert!(stack.inventory.startup_order.iter().flatten().all(|name| name != "postgres"));
    let env = service(&stack, "api").env.iter().find(|env| env.name == "DATABASE_URL").expect("is there");
    assert!(env.secret && env.value.is_none(), "it may hold a password");
}

#[test]
fn what_has_an_address_runs_elsewhere_unless_it_is_said_not_to() {
    let started = |more: &str| {
        let stack = shop(&format!("infrastructure:\n  redis: {{ url: \"redis.example.org:6379\"{more} }}\n"));
        stack.containers.iter().any(|one| one.name == "redis")
    };
    assert!(!started("") && !started(", external: true") && started(", external: false"));
}

#[test]
fn preferences_for_what_nobody_uses_are_said_and_checked() {
    let stack = shop("infrastructure:\n  kafka: { version: 4 }\n");
    let problem = problem(&stack, "preference-without-effect");
    assert_eq!(
        problem.message,
        "`infrastructure.kafka` in config.yaml changes nothing: no service needs kafka"
    );
    assert_eq!(problem.at, ["config.yaml:2"]);
    let refused = try_plan(SHOP, "infrastructure:\n  kafka: { version: 99 }\n").expect_err("is refused");
    assert!(refused.to_string().starts_with("unknown version `99` of"), "{refused}");
}
