//! Whole plans from small monorepos: what is decided, and what is said about it.

mod addresses;
mod databases;
mod evidence;
mod kinds;
mod libraries;
mod migrations;
mod own;
mod ports;
mod preferences;
mod releases;

use super::*;
use crate::model::inventory::{Service, Strength};
use crate::model::stack::{Mount, SecretForm, Variable};
use xtask_base::repo::Repo;
use xtask_discover::discover::{Scope, discover};

fn try_plan(fixture: &str, config: &str) -> Result<Stack> {
    let catalog = Catalog::load(&[]).expect("the catalogue parses");
    let config = Config::parse("config.yaml", config).expect("the config parses");
    let facts = discover(&Repo::from_fixture(fixture), &catalog, &Scope::default()).expect("can be read");
    plan(&facts, &catalog, &config, &Context { folder: "My Shop".to_owned(), ..Context::default() })
}

fn planned(fixture: &str) -> Stack {
    try_plan(fixture, "").expect("can be planned")
}

fn service<'a>(stack: &'a Stack, name: &str) -> &'a Service {
    stack.inventory.services.iter().find(|service| service.name == name).expect("is a service")
}

/// What a service cannot run without.
fn requires(stack: &Stack, of: &str) -> Vec<String> {
    let required = |need: &&crate::model::inventory::Requirement| need.strength == Strength::Required;
    service(stack, of).requires.iter().filter(required).map(|need| need.target.clone()).collect()
}

fn value(stack: &Stack, service: &str, variable: &str) -> Option<String> {
    let container =
        stack.containers.iter().find(|container| container.name == service).expect("is a container");
    container.environment.iter().find(|(name, _)| name == variable).map(|(_, value)| value.clone())
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.inventory.problems.iter().map(|problem| problem.code).collect()
}

fn node(name: &str, files: &str) -> String {
    format!("//- /{name}/Dockerfile\nFROM node:22-slim\nCOPY {name} .\nCMD [\"node\", \"x.js\"]\n{files}")
}

const API: &str = "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"app.py\"]\n";

#[test]
fn the_project_is_named_after_the_folder() {
    assert_eq!(planned(API).name, "my-shop");
}

#[test]
fn expose_loses_when_two_other_sources_agree() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 3000\nCMD [\"uvicorn\", \"app:app\", \"--port\", \"8000\"]\n\
         //- /api/.env.example\nPORT=8000\n",
    );
    assert_eq!(service(&stack, "api").ports[0].container, 8000);
    assert!(codes(&stack).contains(&"port-disagreement"));
}

#[test]
fn argument_that_expose_names_is_given_the_port() {
    let args = |dockerfile: &str| {
        let tree = format!(
            "//- /api/Dockerfile\nFROM node:22\n{dockerfile}CMD [\"node\", \"x.js\"]\n//- /api/.env.example\nPORT=8087\n"
        );
        let stack = planned(&tree);
        let api = stack.containers.into_iter().find(|container| container.name == "api").expect("is there");
        api.build.expect("is built").args
    };
    assert_eq!(
        args("ARG PORT\nENV URL=http://+:$PORT\nEXPOSE $PORT\n"),
        [("PORT".to_owned(), "8087".to_owned())]
    );
    assert_eq!(args("ARG PORT=80\nEXPOSE $PORT\n"), []);
    assert_eq!(args("EXPOSE $PORT\n"), []);
}

#[test]
fn one_source_against_expose_is_said_and_expose_taken() {
    let stack = planned(&format!("{API}//- /api/.env.example\nPORT=9000\n"));
    assert_eq!(service(&stack, "api").ports[0].container, 8000);
    assert!(codes(&stack).contains(&"port-disagreement"));
    assert_eq!(value(&stack, "api", "PORT").as_deref(), Some("8000"), "everybody else is told 8000");
}

#[test]
fn a_driver_that_nothing_configures_is_only_possible() {
    let stack = planned(&format!("{API}//- /api/requirements.txt\npsycopg==3.2\n"));
    assert!(stack.inventory.infrastructure.is_empty());
    let needs = &service(&stack, "api").requires;
    assert_eq!(
        (needs[0].target.as_str(), needs[0].strength),
        ("postgres", crate::model::inventory::Strength::Possible)
    );
}

#[test]
fn external_infrastructure_is_addressed_and_not_started() {
    let stack = try_plan(
        &format!("{API}//- /api/.env.example\nKAFKA_BROKERS=localhost:9092\n"),
        "infrastructure:\n  kafka: { external: true, url: \"kafka.example.org:9093\" }\n",
    )
    .expect("can be planned");
    assert_eq!(value(&stack, "api", "KAFKA_BROKERS").as_deref(), Some("kafka.example.org:9093"));
    assert!(stack.containers.iter().all(|container| container.name != "kafka"));
}

#[test]
fn one_server_for_each_service_where_that_is_wanted() {
    let other = "//- /web/Dockerfile\nFROM python:3.13-slim\n//- /web/.env.example\nDATABASE_URL=postgres://localhost/web\n";
    let stack = try_plan(
        &format!("{API}//- /api/.env.example\nDATABASE_URL=postgres://localhost/api\n{other}"),
        "infrastructure:\n  postgres: { shared: false }\n",
    )
    .expect("can be planned");
    let names: Vec<&str> =
        stack.inventory.infrastructure.iter().map(|component| component.name.as_str()).collect();
    assert_eq!(names, ["api-postgres", "web-postgres"]);
    let url = value(&stack, "web", "DATABASE_URL").expect("is wired");
    assert_eq!(url, "postgres://web:${WEB_DB_PASSWORD:?set it in .env}@web-postgres:5432/web");
}

#[test]
fn a_token_key_that_two_services_name_is_one_secret() {
    let other = "//- /web/Dockerfile\nFROM python:3.13-slim\n//- /web/.env.example\nJWT_SECRET=x\n";
    let stack = planned(&format!("{API}//- /api/.env.example\nJWT_SECRET=y\n{other}"));
    assert_eq!(value(&stack, "api", "JWT_SECRET"), value(&stack, "web", "JWT_SECRET"));
    assert!(value(&stack, "api", "JWT_SECRET").expect("is set").starts_with("${JWT_SECRET:?"));

    // Whatever one of them says about it.
    let theirs = "//- /admin/Dockerfile\nFROM python:3.13-slim\n//- /admin/.env.example\n# See the dashboard.\nJWT_SECRET=\n";
    let stack = planned(&format!("{API}//- /api/.env.example\nJWT_SECRET=y\n{theirs}{other}"));
    let variables = stack.variables.iter().flat_map(|group| &group.variables);
    let forms: Vec<_> = variables.filter(|one| one.name == "JWT_SECRET").map(|one| &one.secret).collect();
    assert_eq!(forms, [&Some(SecretForm::Hex(32))]);
}

#[test]
fn secrets_never_reach_the_inventory() {
    let stack = planned(&format!(
        "{API}//- /api/.env.example\nSESSION_KEY=hunter2-hunter2\nDATABASE_URL=postgres://u:hunter2@h/d\n"
    ));
    let json = serde_json::to_string(&stack.inventory).expect("serialises");
    assert!(!json.contains("hunter2"), "{json}");
}

#[test]
fn unknown_services_versions_and_kinds_are_refused_with_a_suggestion() {
    let refused = |config: &str| try_plan(API, config).expect_err("is refused").to_string();
    assert_eq!(
        refused("services:\n  apu: { port: 1 }\n"),
        "`services.apu` is no service of this monorepo\n  at config.yaml:2\n  why: there are: api\n  \
         fix: did you mean `api`?"
    );
    assert!(refused("infrastructure:\n  postgers: {}\n").contains("did you mean `postgres`?"));
    assert!(refused("services:\n  api: { requires: [reddis] }\n").contains("did you mean `redis`?"));
    let version = try_plan(
        &format!("{API}//- /api/.env.example\nDATABASE_URL=postgres://localhost/api\n"),
        "infrastructure:\n  postgres: { version: 3 }\n",
    );
    assert!(version.expect_err("is refused").to_string().starts_with("unknown version `3` of PostgreSQL"));
}

#[test]
fn a_document_names_a_service_without_a_dockerfile() {
    let stack = planned(&format!(
        "{API}//- /docs/architecture.md\n| Service | Port |\n|---|---|\n| api | 8000 |\n| billing | 8001 |\n"
    ));
    let problem = stack
        .inventory
        .problems
        .iter()
        .find(|problem| problem.code == "dockerfile-missing")
        .expect("is said");
    assert_eq!((problem.services[0].as_str(), problem.at[0].as_str()), ("billing", "docs/architecture.md:4"));
}

#[test]
fn a_listener_on_loopback_is_said() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8000\nCMD [\"uvicorn\", \"app:app\", \"--host\", \"127.0.0.1\", \"--port\", \"8000\"]\n",
    );
    assert!(codes(&stack).contains(&"listens-on-loopback"));
}

#[test]
fn own_port_is_nobody_elses_address() {
    let stack = planned(
        "//- /email/Dockerfile\nFROM ruby:3\nEXPOSE ${EMAIL_PORT}\nCMD [\"ruby\", \"email.rb\"]\n//- /email/Gemfile\ngem 'pony'\n\
         //- /email/.env.example\nEMAIL_PORT=6060\n",
    );
    assert_eq!(service(&stack, "email").ports[0].container, 6060);
    assert_eq!(value(&stack, "email", "EMAIL_PORT").as_deref(), Some("6060"));
    assert!(stack.inventory.infrastructure.is_empty());
}

#[test]
fn mail_server_outside_stays_outside() {
    let stack = planned(&format!(
        "{API}//- /api/requirements.txt\naiosmtplib\n//- /api/.env.example\nSMTP_HOST=smtp.mail.com\nSMTP_PORT=465\nSMTP_USER=shop\n"
    ));
    assert!(stack.inventory.infrastructure.is_empty());
    assert_eq!(stack.external[0].address, "smtp.mail.com");
}

#[test]
fn settings_that_a_program_can_do_without_are_only_possible() {
    let stack = planned(&format!(
        "{API}//- /api/requirements.txt\npymongo\nredis\n//- /api/app.py\nimport os\nmongo = os.environ.get(\"MONGO_URL\", False)\nredis = os.environ[\"REDIS_URL\"]\n"
    ));
    let needs: Vec<(&str, crate::model::inventory::Strength)> =
        service(&stack, "api").requires.iter().map(|need| (need.target.as_str(), need.strength)).collect();
    assert_eq!(
        needs,
        [
            ("mongodb", crate::model::inventory::Strength::Possible),
            ("redis", crate::model::inventory::Strength::Required)
        ]
    );
}

#[test]
fn connection_strings_of_keywords_are_wired_under_the_variable_of_their_key() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n//- /api/Api.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\">\
         <ItemGroup><PackageReference Include=\"Npgsql\" /></ItemGroup></Project>\n//- /api/appsettings.json\n\
         { \"StoreOptions\": { \"ConnectionString\": \"Server=localhost;Port=5432;Database=shop;User Id=u;Password=p\" } }\n",
    );
    let value = value(&stack, "api", "StoreOptions__ConnectionString").expect("is wired");
    assert!(value.starts_with("Server=postgres;Port=5432;Database=shop;User Id=api;"), "{value}");
}

#[test]
fn a_client_that_names_no_database_opens_that_of_its_user() {
    let stack = planned(
        "//- /tally/Dockerfile\nFROM mcr.microsoft.com/dotnet/runtime:8.0\n\
         //- /tally/Tally.csproj\n<Project><ItemGroup><PackageReference Include=\"Npgsql\" Version=\"8.0.0\" /></ItemGroup></Project>\n\
         //- /tally/Program.cs\nvar db = new NpgsqlConnection(\"Server=db;Username=votes;Password=votes;\");\n",
    );
    let required = &service(&stack, "tally").requires[0];
    assert_eq!(required.database.as_deref(), Some("votes"));
}

#[test]
fn the_port_of_all_callers_beats_a_frameworks_default() {
    let pom = "<project><dependencies><dependency><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    let tree = format!(
        "//- /stock/Dockerfile\nFROM eclipse-temurin:21\n//- /stock/pom.xml\n{pom}\n{API}//- /api/app.py\nurl = \"http://stock:8087/x\"\n"
    );
    assert_eq!(service(&planned(&tree), "stock").ports[0].container, 8087);
}

#[test]
fn a_password_on_two_servers_stands_once_in_the_examples() {
    let stack = planned(&format!(
        "{API}//- /api/.env.example\nDATABASE_URL=postgres://api:x@localhost:5432/api\n\
         MONGO_URL=mongodb://api:x@localhost:27017/api\n"
    ));
    let all = stack.variables.iter().flat_map(|group| &group.variables);
    let ours: Vec<&Variable> = all.filter(|variable| variable.name == "API_DB_PASSWORD").collect();
    assert_eq!(
        ours[0].comment,
        [
            "Password of `api`, the owner of the database `api` on mongodb.",
            "Password of `api`, the owner of the database `api` on postgres."
        ]
    );
    assert_eq!(ours.len(), 1);
}

#[test]
fn grpc_beside_a_web_framework_leaves_it_its_port() {
    let pom = "<project><dependencies><dependency><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    let stack = planned(&format!(
        "//- /stock/Dockerfile\nFROM eclipse-temurin:21\n//- /stock/pom.xml\n{pom}\n//- /stock/src/main/java/App.java\n\
         class App {{ Object a = ServerBuilder.forPort(9090); Object h = new HealthStatusManager(); }}\n"
    ));
    let stock = service(&stack, "stock");
    let ports: Vec<u16> = stock.ports.iter().map(|port| port.container).collect();
    assert_eq!(ports, [8080, 9090]);
    let health = stock.health.as_ref().expect("is decided");
    assert_eq!((health.port, health.proven), (Some(9090), true), "the health service answers over gRPC");
}

#[test]
fn gateway_and_service_variables_mean_their_services() {
    let stack = planned(&format!(
        "{API}//- /api/app.py\nimport os\ngateway = os.environ[\"GATEWAY_URL\"]\nreader = os.environ[\"READER_SERVICE\"]\n\
         //- /shop-gateway/Dockerfile\nFROM node:20-slim\nEXPOSE 4000\n//- /reader_service/Dockerfile\nFROM golang:1.24\nEXPOSE 5003\n"
    ));
    assert_eq!(value(&stack, "api", "GATEWAY_URL").as_deref(), Some("http://shop-gateway:4000"));
    assert_eq!(value(&stack, "api", "READER_SERVICE").as_deref(), Some("reader-service:5003"));
}

#[test]
fn variables_of_frontends_mean_services_whatever_the_bundler_demands() {
    let web = "//- /web/Dockerfile\nFROM node:22-slim\nEXPOSE 5000\n//- /web/src/x.js\n\
        f(import.meta.env.VITE_API_URL, import.meta.env.VITE_STOCK_API_URL, import.meta.env.VITE_API_GATEWAY)\n";
    let stock = "//- /stock/Dockerfile\nFROM node:22-slim\nEXPOSE 5001\n";
    let gateway = "//- /gateway/Dockerfile\nFROM node:22-slim\nEXPOSE 5002\n";
    let stack = planned(&format!("{API}{web}{stock}{gateway}"));
    let needs: Vec<&str> = service(&stack, "web").requires.iter().map(|need| need.target.as_str()).collect();
    assert_eq!(needs, ["api", "gateway", "stock"]);
}

#[test]
fn words_of_the_own_name_may_stand_before_another_services() {
    let search = "//- /search/Dockerfile\nFROM node:22-slim\n//- /search/x.js\nf(process.env.SEARCH_CONTENT_ORDERS_SERVICE_URL || 'http://localhost:8101')\n";
    let orders = "//- /orders-service/Dockerfile\nFROM node:22-slim\nEXPOSE 8000\n";
    let stack = planned(&format!("{search}{orders}"));
    assert_eq!(
        value(&stack, "search", "SEARCH_CONTENT_ORDERS_SERVICE_URL").as_deref(),
        Some("http://orders-service:8000")
    );
}

#[test]
fn layers_that_are_copied_with_a_service_are_its_own() {
    let stack = planned(
        "//- /src/Orders/Orders.Api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY src/Orders/ Orders/\n//- /src/Orders/Orders.Api/Program.cs\n\n\
         //- /src/Orders/Orders.Api/appsettings.json\n{ \"ConnectionStrings\": { \"Main\": \"Server=localhost;Database=o\" } }\n\
         //- /src/Orders/Orders.Data/Orders.Data.csproj\n<Project><ItemGroup><PackageReference Include=\"Microsoft.EntityFrameworkCore.SqlServer\" /></ItemGroup></Project>\n",
    );
    let kinds: Vec<&str> =
        stack.inventory.infrastructure.iter().map(|component| component.kind.as_str()).collect();
    assert_eq!(kinds, ["sqlserver"]);
}

#[test]
fn address_on_the_own_machine_means_the_only_service_with_its_port() {
    let caller = "//- /shop/Dockerfile\nFROM eclipse-temurin:21\n//- /shop/src/main/resources/application.properties\n\
        quarkus.http.port=8081\nquarkus.stork.prices.service-discovery.address-list=localhost:8000\n";
    let stack = planned(&format!("{API}{caller}"));
    assert_eq!(
        value(&stack, "shop", "QUARKUS_STORK_PRICES_SERVICE_DISCOVERY_ADDRESS_LIST").as_deref(),
        Some("api:8000")
    );
}

#[test]
fn connection_string_may_be_the_address_of_another_kind() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n//- /api/appsettings.json\n\
         { \"ConnectionStrings\": { \"Search\": \"http://elasticsearch:9200\", // local\n \"Shop\": \"Server=sql-server;Database=s\" } }\n\
         //- /api/appsettings.Development.json\n{ \"ConnectionStrings\": { \"Shop\": \"Server=localhost,1434;Database=s\" } }\n",
    );
    let kinds: Vec<&str> =
        stack.inventory.infrastructure.iter().map(|component| component.kind.as_str()).collect();
    assert_eq!(kinds, ["elasticsearch", "sqlserver"]);
}

#[test]
fn who_keeps_data_in_a_file_needs_no_server() {
    let php = "//- /web/Dockerfile\nFROM php:8.4-fpm\nRUN docker-php-ext-install pdo_mysql\n//- /web/config/database.php\n\
        <?php return ['url' => env('DB_URL'), 'host' => env('DB_HOST', '127.0.0.1'), 'name' => env('DB_DATABASE', 'laravel')];\n";
    let needs =
        |env: &str| planned(&format!("{php}//- /web/.env.example\n{env}\n")).inventory.infrastructure.len();
    assert_eq!(needs("DB_CONNECTION=mysql"), 1);
    assert_eq!(needs("DB_CONNECTION=sqlite"), 0);
}

#[test]
fn untouched_example_of_laravel_chooses_no_file_where_tables_and_extension_are_there() {
    let planned = |env: &str, extensions: &str, table: &str| {
        planned(&format!(
            "//- /web/Dockerfile\nFROM php:8.4-fpm\nRUN docker-php-ext-install {extensions}\nCOPY . .\n//- /web/database/migrations/{table}.php\n<?php\n\
             //- /web/config/database.php\n<?php return ['default' => env('DB_CONNECTION', 'sqlite'), 'host' => env('DB_HOST', '127.0.0.1'), 'name' => env('DB_DATABASE', 'laravel')];\n\
             //- /web/.env.example\nDB_CONNECTION=sqlite\n{env}\n"
        ))
    };
    let commented = "# DB_HOST=127.0.0.1";
    let orders = "2026_01_31_120000_create_orders_table";
    let stack = planned(commented, "pdo_pgsql", orders);
    assert_eq!(stack.inventory.infrastructure.len(), 1);
    assert_eq!(value(&stack, "web", "DB_CONNECTION").as_deref(), Some("pgsql"));
    assert_eq!(value(&stack, "web", "DB_HOST").as_deref(), Some("postgres"));
    for (env, extensions, table) in [
        ("DB_HOST=db", "pdo_pgsql", orders),
        (commented, "pdo_pgsql pdo_mysql", orders),
        (commented, "pdo_pgsql", "0001_01_01_000000_create_users_table"),
    ] {
        let stack = planned(env, extensions, table);
        assert_eq!(stack.inventory.infrastructure.len(), 0, "{env} {extensions} {table}");
        assert_ne!(value(&stack, "web", "DB_CONNECTION").as_deref(), Some("pgsql"));
    }
}

#[test]
fn who_does_its_work_at_once_needs_no_queue() {
    let php = "//- /web/Dockerfile\nFROM php:8.4-cli\nCMD php artisan serve --host=0.0.0.0\n//- /web/composer.json\n\
        { \"require\": { \"vladimir-yuldashev/laravel-queue-rabbitmq\": \"1\" } }\n//- /web/src/q.php\n<?php env('RABBITMQ_HOST', '127.0.0.1');\n";
    let stack = |env: &str| planned(&format!("{php}//- /web/.env.example\n{env}\n"));
    assert_eq!(stack("QUEUE_CONNECTION=rabbitmq").inventory.infrastructure.len(), 1);
    assert_eq!(stack("QUEUE_CONNECTION=sync").inventory.infrastructure.len(), 0);
    assert_eq!(service(&stack(""), "web").ports[0].container, 8000, "Laravel's own");
}

#[test]
fn what_a_schema_declares_optional_is_only_possible() {
    let web = |schema: &str| {
        format!(
            "//- /web/Dockerfile\nFROM node:22-slim\n//- /web/src/env.ts\nconst env = z.object({{\n  AUTH_KEYCLOAK_URL: {schema},\n}}).parse(process.env);\n"
        )
    };
    assert_eq!(planned(&web("z.string()")).inventory.infrastructure.len(), 1);
    assert_eq!(planned(&web("z.string().optional()")).inventory.infrastructure.len(), 0);
}

#[test]
fn documents_of_a_service_describe_its_inside() {
    let drawing = "```mermaid\ngraph LR\n  SessionController --> Store\n```\n| Service | Port |\n|---|---|\n| billing | 8001 |\n";
    let missing = |stack: &Stack| codes(stack).iter().filter(|code| **code == "dockerfile-missing").count();
    assert!(missing(&planned(&format!("{API}//- /ARCHITECTURE.md\n{drawing}"))) > 0);
    assert_eq!(missing(&planned(&format!("{API}//- /api/src/ARCHITECTURE.md\n{drawing}"))), 0);
}

#[test]
fn products_in_documents_are_no_missing_services() {
    let rows = "| nginx | 80 |\n| PgBouncer write | 5432 |\n| SQL Server | 1433 |\n| TimescaleDB | 5432 |\n| Vector | 8686 |\n| Api UI | 80 |\n| billing | 8001 |\n";
    let stack = planned(&format!(
        "{API}//- /docs/architecture.md\n| Service | Port |\n|---|---|\n| api | 8000 |\n{rows}"
    ));
    let missing = |problem: &&Problem| problem.code == "dockerfile-missing";
    let said: Vec<&str> = stack
        .inventory
        .problems
        .iter()
        .filter(missing)
        .flat_map(|problem| problem.services.iter().map(String::as_str))
        .collect();
    assert_eq!(said, ["billing"]);
}

#[test]
fn who_also_says_the_port_that_is_taken_contradicts_nobody() {
    let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec:\n  template:\n    spec:\n      containers:\n        - { name: api, image: api, ports: [{ containerPort: 80 }] }\n";
    let stack = planned(&format!(
        "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:7.0\nEXPOSE 80\nEXPOSE 443\nENTRYPOINT [\"dotnet\", \"Api.dll\"]\n//- /api/Api.csproj\n<Project/>\n//- /k8s/api.yaml\n{manifest}"
    ));
    assert_eq!(service(&stack, "api").ports[0].container, 80);
    assert!(!codes(&stack).contains(&"port-disagreement"));
}

#[test]
fn port_of_metrics_contradicts_nobody() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nENV METRICS_PORT=9100\nEXPOSE 9100\n//- /api/k8s/deployment.yaml\n\
         kind: Deployment\nmetadata:\n  name: api\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n\
        \x20       image: api\n        ports:\n        - containerPort: 8000\n",
    );
    assert!(!codes(&stack).contains(&"port-disagreement"), "{:?}", stack.inventory.problems);
}

#[test]
fn what_only_a_library_for_all_reads_is_only_possible() {
    let project = |packages: &str| {
        format!("<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>{packages}</ItemGroup></Project>")
    };
    let library = ["Npgsql", "MongoDB.Driver", "RabbitMQ.Client"]
        .map(|name| format!("<PackageReference Include=\"{name}\" />"))
        .concat();
    let stack = planned(&format!(
        "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n//- /api/Api.csproj\n{}\n//- /common/Common.csproj\n{}\n\
         //- /common/Setup.cs\nvar a = configuration.GetConnectionString(\"mongo\");\n",
        project("<ProjectReference Include=\"../common/Common.csproj\" />"),
        project(&library),
    ));
    let needs = &service(&stack, "api").requires;
    assert!(needs.iter().any(|need| need.target == "mongodb"));
    assert!(
        needs.iter().all(|need| need.strength == crate::model::inventory::Strength::Possible),
        "{needs:?}"
    );
}

#[test]
fn names_and_folders_that_compose_cannot_hold_are_not_written() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8000\nVOLUME /data $NOBODY relative /data /d$(touch\n\
         //- /api/.env.example\norders.page-size=5\n",
    );
    let api = stack.containers.iter().find(|container| container.name == "api").expect("is a container");
    let target = |mount: &Mount| match mount {
        Mount::Volume { target, read_only: false, .. } => Some(target.clone()),
        _ => None,
    };
    assert_eq!(api.volumes.iter().filter_map(target).collect::<Vec<_>>(), ["/data"]);
    assert_eq!(value(&stack, "api", "orders.page-size").as_deref(), Some("${API_orders_page_size:-5}"));
}

#[test]
fn names_below_the_programs_own_prefix_mean_services_too() {
    let user = |service: &str, names: &str| {
        let reads: String = names.split(' ').map(|name| format!("x = os.environ['{name}']\n")).collect();
        format!("//- /{service}/Dockerfile\nFROM python:3.13-slim\n//- /{service}/app.py\nimport os\n{reads}")
    };
    let tree = API.replace("/api/", "/orders/")
        + &user("billing", "BILLING_ORDERS_URL")
        + &user("web", "SHOP_ORDERS_URL SHOP_LEVEL SHOP_LIMIT")
        + &user("other", "SHOP_ORDERS_URL LEVEL LIMIT");
    let stack = planned(&tree);
    let url = Some("http://orders:8000");
    assert_eq!(value(&stack, "billing", "BILLING_ORDERS_URL").as_deref(), url);
    assert_eq!(value(&stack, "web", "SHOP_ORDERS_URL").as_deref(), url);
    assert_ne!(value(&stack, "other", "SHOP_ORDERS_URL").as_deref(), url);
}
