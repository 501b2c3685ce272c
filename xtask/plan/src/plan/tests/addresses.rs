//! Whom an address means that names nobody by its host: by a port of the own machine, a key or a path.

use super::*;

/// A gateway of .NET with settings, and two services that say where they listen on their developers' machines.
fn gateway(settings: &str) -> Stack {
    let project = |name: &str, port: u16| {
        format!(
            "//- /src/{name}/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:9.0\nEXPOSE 8080\nENTRYPOINT [\"dotnet\", \"{name}.dll\"]\n\
             //- /src/{name}/{name}.csproj\n<Project/>\n\
             //- /src/{name}/Properties/launchSettings.json\n{{ \"profiles\": {{ \"http\": {{ \"commandName\": \"Project\", \"applicationUrl\": \"http://localhost:{port}\" }} }} }}\n"
        )
    };
    let all = ["Gateway", "Orders", "Stock"].into_iter().zip([5100, 5101, 5102]);
    let all: String = all.map(|(name, port)| project(name, port)).collect();
    planned(&format!("{all}//- /src/Gateway/appsettings.json\n{settings}\n"))
}

#[test]
fn port_of_a_developers_machine_means_the_project_that_listens_there() {
    let stack =
        gateway(r#"{ "Urls": { "First": "http://localhost:5101/api", "Second": "http://localhost:5102" } }"#);
    assert_eq!(value(&stack, "gateway", "Urls__First").as_deref(), Some("http://orders:8080/api"));
    assert_eq!(value(&stack, "gateway", "Urls__Second").as_deref(), Some("http://stock:8080"));
}

#[test]
fn clusters_of_a_proxy_mean_the_services_they_are_called_after() {
    let stack = gateway(
        r#"{ "ReverseProxy": { "Clusters": {
            "orders": { "Destinations": { "a": { "Address": "http://localhost:8081/" } } },
            "stock-cluster": { "Destinations": { "a": { "Address": "http://stock-clusterip-service:80" } } } } } }"#,
    );
    let address = |cluster: &str| {
        value(&stack, "gateway", &format!("ReverseProxy__Clusters__{cluster}__Destinations__a__Address"))
    };
    assert_eq!(address("orders").as_deref(), Some("http://orders:8080/"));
    assert_eq!(address("stock-cluster").as_deref(), Some("http://stock:8080"));
}

#[test]
fn server_of_dotnet_is_told_to_listen_where_all_call_it() {
    let project = |name: &str, more: &str| {
        format!(
            "//- /src/{name}/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:9.0\nENTRYPOINT [\"dotnet\", \"{name}.dll\"]\n\
             //- /src/{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n{more}"
        )
    };
    let calls = |url: &str| {
        format!("//- /src/Gateway/appsettings.json\n{{ \"Urls\": {{ \"Orders\": \"{url}\" }} }}\n")
    };
    let stack = |url: &str| planned(&(project("Orders", "") + &project("Gateway", &calls(url))));
    let called = stack("http://orders:16100");
    assert_eq!(service(&called, "orders").ports[0].container, 16100);
    assert_eq!(value(&called, "orders", "ASPNETCORE_URLS").as_deref(), Some("http://+:16100"));
    // Whoever calls without a port means the usual one.
    let usual = stack("http://orders");
    assert_eq!(service(&usual, "orders").ports[0].container, 8080);
    assert_eq!(value(&usual, "orders", "ASPNETCORE_URLS"), None);
}

#[test]
fn address_of_a_page_means_the_web_server_and_not_the_grpc_one_beside_it() {
    let users = "//- /users/Dockerfile\nFROM golang:1\nEXPOSE 50051 8080\n//- /users/main.go\npackage main\n";
    let stack = planned(&format!(
        "{users}//- /web/Dockerfile\nFROM node:22-slim\n//- /web/x.js\nf(process.env.USERS_URL || 'http://localhost:1', process.env.USERS_GRPC_ADDR)\n"
    ));
    assert_eq!(value(&stack, "web", "USERS_URL").as_deref(), Some("http://users:8080"));
    assert_eq!(value(&stack, "web", "USERS_GRPC_ADDR").as_deref(), Some("users:50051"));
}

#[test]
fn singular_and_plural_mean_the_same_service() {
    let tree = |services: &[&str]| {
        let all: String =
            services.iter().map(|name| format!("//- /{name}/Dockerfile\nFROM x\nEXPOSE 80\n")).collect();
        let gateway = "//- /gateway/Dockerfile\nFROM python:3\n//- /gateway/a.py\nimport os\n\
            os.environ[\"USER_SERVICE_URL\"], os.environ[\"CATEGORIES_URL\"], os.environ[\"ADDRESS_URL\"]\n";
        planned(&format!("{gateway}{all}"))
    };
    let stack = tree(&["users", "category", "address"]);
    assert_eq!(value(&stack, "gateway", "USER_SERVICE_URL").as_deref(), Some("http://users:80"));
    assert_eq!(value(&stack, "gateway", "CATEGORIES_URL").as_deref(), Some("http://category:80"));
    assert_eq!(value(&stack, "gateway", "ADDRESS_URL").as_deref(), Some("http://address:80"));
    // Where both are there, each is itself.
    let both = tree(&["user", "users"]);
    assert_eq!(value(&both, "gateway", "USER_SERVICE_URL").as_deref(), Some("http://user:80"));
}

#[test]
fn port_of_a_second_database_tells_its_kind() {
    let tree = "//- /orders/Dockerfile\nFROM golang:1\nEXPOSE 8000\n\
        //- /orders/go.mod\nmodule orders\nrequire (\n\tgithub.com/lib/pq v1\n\tgo.mongodb.org/mongo-driver v1\n)\n\
        //- /orders/main.go\npackage main\nvar a, b, e, c, d = os.Getenv(\"ORDERS_DB_HOST\"), os.Getenv(\"ORDERS_DB_PORT\"), os.Getenv(\"ORDERS_DB_NAME\"), os.Getenv(\"EVENTS_DB_HOST\"), os.Getenv(\"EVENTS_DB_PORT\")\n\
        //- /orders/.env.example\nORDERS_DB_HOST=orders_db\nORDERS_DB_NAME=orders_main\nORDERS_DB_PORT=5432\nEVENTS_DB_HOST=events_db\nEVENTS_DB_PORT=27017\n";
    let stack = planned(tree);
    assert_eq!(value(&stack, "orders", "ORDERS_DB_PORT").as_deref(), Some("5432"));
    assert_eq!(value(&stack, "orders", "EVENTS_DB_PORT").as_deref(), Some("27017"));
    assert_eq!(value(&stack, "orders", "ORDERS_DB_HOST").as_deref(), Some("postgres"));
    assert_eq!(value(&stack, "orders", "EVENTS_DB_HOST").as_deref(), Some("mongodb"));
    assert_eq!(value(&stack, "orders", "ORDERS_DB_NAME").as_deref(), Some("orders_main"));
    let setup = stack.containers.iter().find(|container| container.name == "postgres-setup");
    let databases = setup.and_then(|setup| setup.labels.iter().find(|(name, _)| name == "xtask.databases"));
    assert_eq!(databases.map(|(_, who)| who.as_str()), Some("orders:orders_main:orders:ORDERS_DB_PASSWORD"));
    let kinds: Vec<&str> =
        stack.inventory.infrastructure.iter().map(|component| component.kind.as_str()).collect();
    assert_eq!(kinds, ["mongodb", "postgres"]);
}

#[test]
fn a_services_own_port_variable_holds_the_port_that_all_are_told() {
    let tree = "//- /orders_service/Dockerfile\nFROM golang:1\nEXPOSE 8000\n//- /orders_service/go.mod\nmodule orders\n\
        //- /orders_service/main.go\npackage main\nvar port = os.Getenv(\"ORDERS_SERVICE_PORT\")\n\
        //- /.env.local\nORDERS_SERVICE_PORT=8001\n";
    let stack = planned(tree);
    assert_eq!(service(&stack, "orders-service").ports[0].container, 8000);
    assert_eq!(value(&stack, "orders-service", "ORDERS_SERVICE_PORT").as_deref(), Some("8000"));
}

#[test]
fn path_that_only_one_kind_has_means_that_kind() {
    let stack = gateway(r#"{ "Jwt": { "Authority": "http://localhost:8086/realms/shop" } }"#);
    assert_eq!(
        value(&stack, "gateway", "Jwt__Authority").as_deref(),
        Some("http://keycloak:8080/realms/shop")
    );
    let outside = gateway(r#"{ "Jwt": { "Authority": "https://login.shop.org/realms/shop" } }"#);
    assert!(outside.containers.iter().all(|container| container.name != "keycloak"));
}

#[test]
fn where_pages_come_from_is_where_a_browser_finds_them_and_no_call() {
    let gateway = |read: &str| {
        planned(&format!(
            "//- /gateway/Dockerfile\nFROM node:22-slim\nEXPOSE 8080\n//- /gateway/x.js\nf({read})\n\
             //- /web/Dockerfile\nFROM node:22-slim\nEXPOSE 3000\n//- /web/package.json\n{{ \"dependencies\": {{ \"next\": \"15\" }} }}\n"
        ))
    };
    let stack = gateway("process.env.CORS_ALLOWED_ORIGINS || 'http://localhost:3000'");
    assert!(service(&stack, "gateway").requires.is_empty());
    assert_eq!(
        value(&stack, "gateway", "CORS_ALLOWED_ORIGINS").as_deref(),
        Some("http://localhost:${WEB_PORT:-3000}")
    );
    let stack = gateway("process.env.ALLOWED_ORIGINS || 'http://web:3000'");
    assert!(service(&stack, "gateway").requires.is_empty());
    // What a gateway passes on is a call.
    let stack = gateway("process.env.WEB_URL || 'http://localhost:3000'");
    assert_eq!(value(&stack, "gateway", "WEB_URL").as_deref(), Some("http://web:3000"));
}

#[test]
fn page_of_which_nothing_says_the_address_is_where_a_browser_finds_it() {
    let login = "//- /login/Dockerfile\nFROM node:22-slim\nEXPOSE 3000\n//- /login/package.json\n{ \"dependencies\": { \"next\": \"15\" } }\n";
    let planned = |variable: &str| {
        let auth = node("auth", &format!("//- /auth/x.js\nconst to = process.env.{variable}\n"));
        planned(&format!("{login}{auth}"))
    };
    let stack = planned("LOGIN_URL");
    assert!(service(&stack, "auth").requires.is_empty());
    assert_eq!(value(&stack, "auth", "LOGIN_URL").as_deref(), Some("http://localhost:${LOGIN_PORT:-3000}"));
    assert_eq!(service(&planned("LOGIN_HOST"), "auth").requires.len(), 1);
}

#[test]
fn client_that_is_there_knows_better_than_a_port() {
    let stack = planned(
        "//- /api/Dockerfile\nFROM python:3.13\nCOPY . .\n//- /api/requirements.txt\npsycopg==3\n\
         //- /api/settings.py\nimport environ\nenv = environ.Env(\n    DB_HOST=(str, \"db\"),\n    DB_PORT=(int, 3306),\n    DB_NAME=(str, \"shop\"),\n)\nx = env(\"DB_HOST\"), env(\"DB_PORT\"), env(\"DB_NAME\")\n",
    );
    let kinds: Vec<&str> =
        stack.inventory.infrastructure.iter().map(|component| component.kind.as_str()).collect();
    assert_eq!(kinds, ["postgres"]);
}

#[test]
fn values_that_refer_to_others_are_passed_on_as_these_say() {
    let stack = planned(
        "//- /shop/Dockerfile\nFROM php:8.4-cli\nCMD php artisan serve\n//- /shop/.env.example\nAPP_NAME=Shop\nMAIL_FROM_NAME=\"${APP_NAME}\"\nTITLE=${UNKNOWN}\n\
         //- /stock/Dockerfile\nFROM eclipse-temurin:21\n//- /stock/pom.xml\n<project><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-data-redis</artifactId></dependency></dependencies></project>\n\
         //- /stock/src/main/resources/application.yml\nspring:\n  data:\n    redis:\n      host: ${REDIS_HOST:localhost}\n      password: ${REDIS_PASSWORD:}\n",
    );
    assert_eq!(value(&stack, "shop", "MAIL_FROM_NAME").as_deref(), Some("${SHOP_MAIL_FROM_NAME:-Shop}"));
    assert_eq!(value(&stack, "shop", "TITLE").as_deref(), Some("$${UNKNOWN}"));
    let stock = stack.containers.iter().find(|container| container.name == "stock").expect("is a container");
    let literal = |(_, value): &&(String, String)| value.contains("$${");
    assert_eq!(stock.environment.iter().find(literal), None);
    assert_eq!(value(&stack, "stock", "REDIS_HOST").as_deref(), Some("redis"));
}

#[test]
fn broker_is_no_service_whatever_it_is_called() {
    let stack = planned(
        "//- /shop/Dockerfile\nFROM php:8.4-cli\nCMD php artisan serve\n//- /shop/composer.json\n{}\n\
         //- /shop/config/auth.php\n<?php return ['passwords' => env('AUTH_PASSWORD_BROKER', 'users')];\n\
         //- /user-service/Dockerfile\nFROM node:22-slim\nEXPOSE 8005\n",
    );
    assert!(service(&stack, "shop").requires.is_empty());
}

#[test]
fn services_that_are_called_after_their_language_are_called_without_it() {
    let tree = |services: &[&str]| {
        let all: String = services
            .iter()
            .map(|name| format!("//- /{name}/Dockerfile\nFROM node:22-slim\nEXPOSE 9090\n"))
            .collect();
        planned(&format!(
            "{all}//- /web/Dockerfile\nFROM node:22-slim\n//- /web/x.js\nf(process.env.LEDGER_ADDR || 'localhost:9999')\n"
        ))
    };
    assert_eq!(value(&tree(&["go-ledger"]), "web", "LEDGER_ADDR").as_deref(), Some("go-ledger:9090"));
    // Of two nobody knows which is meant.
    assert_eq!(value(&tree(&["go-ledger", "rust-ledger"]), "web", "LEDGER_ADDR"), None);
}

#[test]
fn knex_is_told_its_database_by_variables_of_its_own() {
    let stack = planned(
        "//- /portal/Dockerfile\nFROM node:22-slim\n//- /portal/.env.example\nKNEX_HOST=portal-db\nKNEX_PORT=5432\nKNEX_USER=portal\nKNEX_PASSWORD=portal\nKNEX_DATABASE=portal\n\
         //- /portal/package.json\n{\"dependencies\":{\"knex\":\"3\",\"pg\":\"8\"}}\n\
         //- /portal/x.js\nf(process.env.KNEX_HOST, process.env.KNEX_PORT)\n",
    );
    assert_eq!(value(&stack, "portal", "KNEX_HOST").as_deref(), Some("postgres"));
}

#[test]
fn other_port_of_a_component_is_kept_where_the_address_or_the_protocol_beside_it_says_it() {
    let api = "//- /api/Dockerfile\nFROM node:22\nCOPY . .\nEXPOSE 3000\nCMD [\"node\", \"app.js\"]\n\
               //- /api/package.json\n{ \"dependencies\": { \"@opentelemetry/exporter-trace-otlp-http\": \"1\", \"@clickhouse/client\": \"1\" } }\n\
               //- /api/app.js\nf(process.env.OTEL_EXPORTER_OTLP_ENDPOINT, process.env.CLICKHOUSE_URL);\n";
    let with = |example: &str| planned(&format!("{api}//- /api/.env.example\n{example}\n"));
    let endpoint = |example: &str| value(&with(example), "api", "OTEL_EXPORTER_OTLP_ENDPOINT");
    for (example, wanted) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "http://otel-collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:43180", "http://otel-collector:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317", "http://otel-collector:4317"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT=\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            "http://otel-collector:4318",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT=\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", "http://otel-collector:4317"),
    ] {
        assert_eq!(endpoint(example).as_deref(), Some(wanted), "{example}");
    }
    let native = value(&with("CLICKHOUSE_URL=clickhouse://localhost:9000/shop"), "api", "CLICKHOUSE_URL");
    assert!(native.as_ref().is_some_and(|value| value.contains("@clickhouse:9000/")), "{native:?}");
}

#[test]
fn programs_that_take_their_ports_from_variables_alone_are_given_some() {
    let service = |name: &str, module: &str| {
        format!(
            "//- /apps/{name}/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"main.js\"]\n//- /apps/{name}/package.json\n{{ \"name\": \"{name}\" }}\n\
             //- /apps/{name}/main.js\napp.listen(process.env.HTTP_PORT);\n{module}"
        )
    };
    let tree = [
        service("auth", "microservice({ transport: Transport.TCP, port: process.env.TCP_PORT });\n"),
        service("users", "client({ host: process.env.AUTH_HOST, port: process.env.AUTH_TCP_PORT });\n"),
        "//- /apps/worker/Dockerfile\nFROM node:22\nCOPY . .\n//- /apps/worker/package.json\n{}\n//- /apps/worker/main.js\n\
         connect(process.env.SERVER_HOST, process.env.SERVER_PORT);\n"
            .to_owned(),
    ];
    let stack = planned(&tree.concat());
    let ports = |name: &str| service_ports(&stack, name);
    assert_eq!((ports("auth"), ports("users"), ports("worker")), (vec![3000, 4000], vec![3000], vec![]));
    assert_eq!(value(&stack, "auth", "HTTP_PORT").as_deref(), Some("3000"));
    assert_eq!(value(&stack, "auth", "TCP_PORT").as_deref(), Some("4000"));
    assert_eq!(value(&stack, "users", "AUTH_HOST").as_deref(), Some("auth"));
    assert_eq!(value(&stack, "users", "AUTH_TCP_PORT").as_deref(), Some("4000"));
}

#[test]
fn image_that_starts_no_program_is_given_no_port() {
    let tree = |command: &str| {
        format!(
            "//- /tools/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"{command}\"]\n//- /tools/package.json\n{{}}\n\
             //- /tools/main.js\napp.listen(process.env.PORT);\n"
        )
    };
    let ports = |command: &str| service_ports(&planned(&tree(command)), "tools");
    assert_eq!((ports("sh"), ports("tools")), (vec![], vec![3000]));
}

fn service_ports(stack: &Stack, name: &str) -> Vec<u16> {
    service(stack, name).ports.iter().map(|port| port.container).collect()
}

#[test]
fn host_of_a_service_without_a_port_is_its_name() {
    let tree = "//- /jobs/Dockerfile\nFROM node:22\nCOPY . .\n//- /jobs/package.json\n{}\n//- /jobs/main.js\nrun();\n\
        //- /web/Dockerfile\nFROM node:22\nEXPOSE 3000\nCOPY . .\n//- /web/package.json\n{}\n//- /web/main.js\ncall(process.env.JOBS_HOST);\n";
    assert_eq!(value(&planned(tree), "web", "JOBS_HOST").as_deref(), Some("jobs"));
}

#[test]
fn variables_of_an_api_that_nobody_names_are_the_programs_own() {
    let program = |main: &str| {
        format!(
            "//- /api/Dockerfile\nFROM node:22\nEXPOSE 8080\nCOPY . .\n//- /api/package.json\n{{}}\n//- /api/main.js\nrun();\n\
             //- /reports/Dockerfile\nFROM node:22\nEXPOSE 8080\nCOPY . .\n//- /reports/package.json\n{{}}\n//- /reports/main.js\n{main}\n"
        )
    };
    let needs = |main: &str| {
        let stack = planned(&program(main));
        service(&stack, "reports").requires.iter().map(|need| need.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(needs("link(process.env.API_URL || 'http://localhost:8080');"), Vec::<String>::new());
    assert_eq!(needs("app.listen(process.env.API_PORT || 8080);"), Vec::<String>::new());
    assert_eq!(needs("call(process.env.API_URL || 'http://localhost:9999');"), ["api"]);
    assert_eq!(needs("call(process.env.API_HOST, process.env.API_PORT);"), ["api"]);
}

#[test]
fn pages_to_which_mails_lead_are_no_mail_server() {
    let tree = "//- /auth/Dockerfile\nFROM node:22\nEXPOSE 3000\nCOPY . .\n//- /auth/package.json\n{ \"dependencies\": { \"nodemailer\": \"6\" } }\n\
        //- /auth/.env.example\nSMTP_HOST=localhost\nSMTP_PORT=25\nEMAIL_VERIFICATION_URL=http://localhost:5000/verify\n\
        //- /auth/main.js\nsend(process.env.SMTP_HOST, process.env.SMTP_PORT, process.env.EMAIL_VERIFICATION_URL);\n";
    let stack = planned(tree);
    assert_eq!(value(&stack, "auth", "SMTP_HOST").as_deref(), Some("mailpit"));
    assert_eq!(
        value(&stack, "auth", "EMAIL_VERIFICATION_URL").as_deref(),
        Some("${AUTH_EMAIL_VERIFICATION_URL:-http://localhost:5000/verify}")
    );
}

#[test]
fn login_of_dotnet_beside_a_host_is_that_of_its_kind() {
    let bus = "//- /src/Gateway/Gateway.csproj\n<Project><ItemGroup><PackageReference Include=\"MassTransit.RabbitMQ\" Version=\"8\" /></ItemGroup></Project>\n\
        //- /src/Gateway/appsettings.json\n{ \"Bus\": { \"Host\": \"localhost\", \"VHost\": \"shop\", \"Port\": 5672, \"Username\": \"guest\", \"Password\": \"guest\" } }\n";
    let stack = planned(&format!(
        "//- /src/Gateway/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:9.0\nENTRYPOINT [\"dotnet\", \"Gateway.dll\"]\n{bus}"
    ));
    let said = |name: &str| value(&stack, "gateway", name);
    assert_eq!(said("Bus__Host").as_deref(), Some("rabbitmq"));
    assert_eq!(said("Bus__Username").as_deref(), Some("gateway"));
    assert_eq!(said("Bus__Password").as_deref(), Some("${GATEWAY_RABBITMQ_PASSWORD:?set it in .env}"));
    assert_eq!(said("Bus__VHost").as_deref(), Some("shop"));
}

#[test]
fn names_of_dotnets_service_discovery_mean_whom_their_section_says() {
    let stack = gateway(
        r#"{ "Services": { "cart-read": { "http": [ "http://localhost:5101" ] } },
            "ReverseProxy": { "Clusters": { "reads": { "Destinations": { "a": { "Address": "http://cart-read:8080" } } } } } }"#,
    );
    let address = "ReverseProxy__Clusters__reads__Destinations__a__Address";
    assert_eq!(value(&stack, "gateway", address).as_deref(), Some("http://orders:8080"));
}

#[test]
fn issuers_and_audiences_of_tokens_stay_as_they_are() {
    let stack = gateway(r#"{ "Jwt": { "Issuer": "http://orders", "Audience": "http://orders" } }"#);
    assert_eq!(value(&stack, "gateway", "Jwt__Issuer"), None);
    assert_eq!(service(&stack, "gateway").requires, []);
}

#[test]
fn server_that_a_variable_keeps_to_its_machine_listens_on_all_addresses() {
    let stack = |code: &str, example: &str| {
        let tree = node(
            "orders-service",
            &format!("//- /orders-service/x.js\n{code}\n//- /orders-service/.env.example\n{example}"),
        );
        planned(&tree.replace("CMD", "EXPOSE 5001\nCMD"))
    };
    let told = |code: &str, example: &str, name: &str| value(&stack(code, example), "orders-service", name);
    let reads =
        "f(process.env.ORDERS_SERVICE_HOST ?? 'localhost', process.env.ORDERS_SERVICE_PORT ?? '5001')";
    assert_eq!(told(reads, "", "ORDERS_SERVICE_HOST").as_deref(), Some("0.0.0.0"));
    let example = "ORDERS_SERVICE_HOST=localhost\nORDERS_SERVICE_PORT=5001\n";
    assert_eq!(told(reads, example, "ORDERS_SERVICE_HOST").as_deref(), Some("0.0.0.0"));
    let constant = "f(process.env.ORDERS_SERVICE_HOST ?? HERE, process.env.ORDERS_SERVICE_PORT ?? '5001')";
    assert_eq!(told(constant, "", "ORDERS_SERVICE_HOST").as_deref(), Some("0.0.0.0"));
    // Somebody else, on the same port of another machine.
    let other = "f(process.env.LEDGER_HOST ?? 'localhost', process.env.LEDGER_PORT ?? '5001')";
    assert_eq!(told(other, "", "LEDGER_HOST"), None);
    let elsewhere =
        "f(process.env.ORDERS_SERVICE_HOST ?? 'localhost', process.env.ORDERS_SERVICE_PORT ?? '5002')";
    assert_eq!(told(elsewhere, "", "ORDERS_SERVICE_HOST"), None);
}

#[test]
fn host_that_the_image_names_counts_before_the_developers_machine() {
    let web = "//- /apps/web/Dockerfile\nFROM node:22\nENV AUTH_SERVICE_HOST=api-books\nENV AUTH_SERVICE_PORT=5020\nCMD [\"node\", \"x.js\"]\n\
        //- /apps/web/x.js\nf(process.env.AUTH_SERVICE_HOST, process.env.AUTH_SERVICE_PORT, process.env.LOG_LEVEL)\n";
    let example = "//- /apps/web/.env.example\nAUTH_SERVICE_HOST=localhost\nAUTH_SERVICE_PORT=5001\n";
    let books = node("books", "").replace("CMD", "EXPOSE 5020\nCMD");
    let stack = planned(&format!("{web}{example}{books}"));
    assert_eq!(value(&stack, "web", "AUTH_SERVICE_HOST").as_deref(), Some("books"));
    assert_eq!(value(&stack, "web", "AUTH_SERVICE_PORT").as_deref(), Some("${WEB_AUTH_SERVICE_PORT:-5020}"));
    let elsewhere = example.replace("=localhost", "=auth.example.org");
    let stack = planned(&format!("{web}{elsewhere}{books}"));
    assert_eq!(
        value(&stack, "web", "AUTH_SERVICE_HOST").as_deref(),
        Some("${WEB_AUTH_SERVICE_HOST:-auth.example.org}")
    );
}

#[test]
fn service_in_front_of_a_component_is_told_from_the_component() {
    let keys = node("keycloak-api", "").replace("CMD", "EXPOSE 5013\nCMD");
    let stack = |name: &str| {
        let host = format!("//- /web/x.js\nf(process.env.{name} || 'localhost')\n");
        planned(&format!("{keys}{}", node("web", &host)))
    };
    let told = |name: &str| value(&stack(name), "web", name);
    assert_eq!(told("KEYCLOAK_API_SERVICE_HOST").as_deref(), Some("keycloak-api"));
    assert_eq!(told("KEYCLOAK_SERVICE_HOST").as_deref(), Some("keycloak"));
}

#[test]
fn pages_call_the_machine_on_which_they_are_shown() {
    let api = node("api", "").replace("CMD", "EXPOSE 8000\nCMD");
    let page = |base: &str, file: &str, text: &str| {
        let tree = format!(
            "{api}//- /shop/Dockerfile\nFROM {base}\nCOPY shop .\nEXPOSE 80\n\
             //- /shop/package.json\n{{ \"dependencies\": {{ \"vue\": \"3\" }} }}\n//- /shop/{file}\nuse('{text}')\n"
        );
        let stack = planned(&tree);
        service(&stack, "shop").requires.iter().map(|need| need.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(page("nginx:1", "src/api.js", "http://localhost:8000/v1"), ["api"]);
    assert_eq!(page("nginx:1", "vite.config.js", "http://localhost:8000/v1"), [""; 0]);
    assert_eq!(page("nginx:1", "src/api.js", "http://localhost:8001/v1"), [""; 0]);
    // A text field shows what an address of a database looks like.
    assert_eq!(page("nginx:1", "src/form.js", "postgresql://localhost:5432/shop"), [""; 0]);
    assert_eq!(page("node:22", "src/form.js", "postgresql://localhost:5432/shop"), ["postgres"]);
}

#[test]
fn addresses_of_the_developers_machine_lose_the_certificate_that_images_lack() {
    let wired = |server: &str, address: &str| {
        let users = node("users", "").replace("CMD", &format!("EXPOSE {server}\nCMD"));
        let stack = planned(&format!(
            "{users}{}",
            node("web", &format!("//- /web/.env.example\nUSERS_URL={address}\n"))
        ));
        value(&stack, "web", "USERS_URL")
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(wired("3000", "https://localhost:3000/v1"), is("http://users:3000/v1"));
    assert_eq!(wired("3000", "https://users"), is("http://users:3000"));
    assert_eq!(wired("3000", "wss://users:3000/live"), is("ws://users:3000/live"));
    assert_eq!(wired("80 443", "https://users/v1"), is("https://users/v1"));
    assert_eq!(wired("80 443", "http://users:44353"), is("http://users:80"), "443 is no part of it");
}

#[test]
fn kind_in_the_middle_of_a_name_means_more_than_who_else_has_the_port() {
    let config = "app:\n  keycloak:\n    admin:\n      server-url: http://localhost:8080\n";
    let stack = planned(&format!(
        "{}//- /users/Dockerfile\nFROM eclipse-temurin:21\nEXPOSE 9000\n//- /users/pom.xml\n<project/>\n\
         //- /users/src/main/resources/application.yml\n{config}",
        node("pages", "").replace("CMD", "EXPOSE 8080\nCMD")
    ));
    let needs: Vec<_> = service(&stack, "users").requires.iter().map(|need| need.target.clone()).collect();
    assert_eq!(needs, ["keycloak"]);
}

#[test]
fn name_that_several_systems_have_means_the_service_of_the_same_system() {
    let one = |folder: &str, code: &str| {
        format!(
            "//- /{folder}/Dockerfile\nFROM node:22\nCOPY . .\nEXPOSE 3000\nCMD [\"node\", \"main.js\"]\n//- /{folder}/package.json\n{{}}\n\
             //- /{folder}/main.js\n{code}\n"
        )
    };
    let asks = "fetch('http://' + process.env.STORAGE_HOST);";
    let stack = planned(
        &(one("ch04/storage", "")
            + &one("ch05/storage", "")
            + &one("ch05/player", asks)
            + &one("other", asks)),
    );
    let host = |name: &str| value(&stack, name, "STORAGE_HOST");
    assert_eq!(host("player").as_deref(), Some("ch05-storage"));
    assert_eq!(host("other"), None);
}

#[test]
fn name_of_a_queue_says_of_no_cache_that_it_holds_it() {
    let needs = |variables: &str| {
        let stack = planned(&format!(
            "//- /jobs/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"main.js\"]\n//- /jobs/package.json\n{{\"dependencies\":{{\"ioredis\":\"5\"}}}}\n\
             //- /jobs/main.js\n//- /jobs/.env.example\n{variables}\n"
        ));
        stack.containers.iter().any(|one| one.name == "redis")
    };
    assert_eq!((needs("JOBS_QUEUE_NAME=jobs"), needs("JOBS_QUEUE_URL=localhost:6379")), (false, true));
}

/// A page in Next.js with these sources and an example file.
fn page(name: &str, port: u16, files: &str) -> String {
    format!(
        "//- /{name}/Dockerfile\nFROM node:22-slim\nCOPY {name} .\nEXPOSE {port}\nCMD [\"npm\", \"start\"]\n\
         //- /{name}/package.json\n{{ \"dependencies\": {{ \"next\": \"15\" }} }}\n{files}"
    )
}

fn needs(stack: &Stack, of: &str) -> Vec<String> {
    service(stack, of).requires.iter().map(|need| need.target.clone()).collect()
}

#[test]
fn pages_call_the_one_server_where_their_variable_says_no_more() {
    let calls = |read: &str, more: &str| {
        let web = page("web", 3000, &format!("//- /web/app.ts\nconst api = {read};\n"));
        needs(&planned(&format!("{web}{}{more}", node("shop", "").replace("CMD", "EXPOSE 3100\nCMD"))), "web")
    };
    assert_eq!(calls("process.env.API_BASE_URL ?? 'http://localhost:4100'", ""), ["shop"]);
    assert_eq!(calls("process.env.NEXT_PUBLIC_API_URL", ""), ["shop"]);
    let other = node("users", "").replace("CMD", "EXPOSE 3200\nCMD");
    assert!(calls("process.env.NEXT_PUBLIC_API_URL", &other).is_empty(), "it may be either");
    assert!(calls("process.env.API_URL ?? 'https://api.example.com'", "").is_empty(), "it is outside");
    assert!(calls("process.env.CMS_URL ?? 'http://localhost:4100'", "").is_empty(), "it is something else");
}

#[test]
fn public_address_that_is_called_like_its_variable_is_the_systems_own() {
    let calls = |line: &str| {
        let name = line.split('=').next().unwrap_or_default();
        let files =
            format!("//- /web/app.ts\nconst api = process.env.{name};\n//- /web/.env.example\n{line}\n");
        needs(&planned(&format!("{}{API}", page("web", 3000, &files))), "web")
    };
    assert_eq!(calls("NEXT_PUBLIC_API_URL=https://dev-api.shop.example"), ["api"]);
    assert_eq!(calls("API_URL=https://api.shop.example/v1"), ["api"]);
    assert!(calls("MAPS_API_URL=https://api.maps.example").is_empty());
    assert!(calls("API_URL=https://open.bank.example").is_empty());
}

#[test]
fn pages_name_each_other_for_links_and_origins() {
    let needs = |address: &str| {
        let web = page("web", 3000, &format!("//- /web/cors.ts\nconst allowed = ['{address}'];\n"));
        needs(&planned(&format!("{web}{}", page("admin", 3001, ""))), "web")
    };
    assert!(needs("http://localhost:3001").is_empty());
    assert_eq!(needs("http://localhost:3001/remoteEntry.js"), ["admin"], "its modules are fetched");
}
