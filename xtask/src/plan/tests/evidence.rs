//! Plans from small monorepos: which evidence makes a need, and whom a variable means.

use super::*;

fn requires(stack: &Stack, of: &str) -> Vec<String> {
    let required = |need: &&crate::model::inventory::Requirement| need.strength == Strength::Required;
    service(stack, of).requires.iter().filter(required).map(|need| need.target.clone()).collect()
}

fn node(name: &str, files: &str) -> String {
    format!("//- /{name}/Dockerfile\nFROM node:22-slim\nCOPY {name} .\nCMD [\"node\", \"x.js\"]\n{files}")
}

#[test]
fn variable_that_bears_the_whole_name_of_a_service_is_about_it() {
    let services = ["s3-service", "email-service"].map(|name| node(name, "")).concat();
    let caller = "//- /web/x.js\nf(process.env.S3_SERVICE_URL, process.env.EMAIL_SERVICE_HOST, process.env.S3_BUCKET)\n";
    let stack = planned(&format!("{services}{}", node("web", caller)));
    assert_eq!(requires(&stack, "web"), ["email-service", "s3-service"]);
}

#[test]
fn grpc_server_beside_the_web_server_has_a_port_of_its_own() {
    let users = "//- /users/main.js\nlisten(process.env.GRPC_PORT || 5001)\n";
    let caller = "//- /web/x.js\nf(process.env.USERS_SERVICE_GRPC || 'localhost:5001')\n";
    let users = node("users", users).replace("CMD", "EXPOSE 3000\nCMD");
    let stack = planned(&format!("{users}{}", node("web", caller)));
    let ports: Vec<u16> = service(&stack, "users").ports.iter().map(|port| port.container).collect();
    assert_eq!(ports, [3000, 5001]);
    assert_eq!(value(&stack, "web", "USERS_SERVICE_GRPC").as_deref(), Some("users:5001"));
}

#[test]
fn what_a_library_reads_for_others_is_not_needed_by_who_documents_his_own() {
    let library = "//- /libs/clients.js\nf(process.env.USERS_HOST, process.env.ORDERS_HOST)\n";
    let with = |name: &str, env: &str| {
        node(name, &format!("//- /{name}/.env.example\n{env}\n")).replace("CMD", "COPY libs libs\nCMD")
    };
    let tree = [
        library.to_owned(),
        with("orders", "USERS_HOST=users"),
        with("users", "LEVEL=info"),
        node("stock", "").replace("CMD", "COPY libs libs\nCMD"),
    ];
    let stack = planned(&tree.concat());
    assert_eq!(requires(&stack, "orders"), ["users"]);
    assert_eq!(requires(&stack, "users"), Vec::<String>::new());
    assert_eq!(requires(&stack, "stock"), ["orders", "users"], "nothing says what it needs of them");
}

#[test]
fn who_does_without_an_address_needs_no_server_for_a_port() {
    let go = |reads: &str| {
        format!(
            "//- /otp/Dockerfile\nFROM golang:1.24\nCOPY . .\nCMD [\"x\"]\n//- /otp/main.go\npackage main\n{reads}"
        )
    };
    let needs = |reads: &str| planned(&go(reads)).inventory.infrastructure.len();
    let read = "func getEnv(k, d string) string { if v := os.Getenv(k); v != \"\" { return v }; return d }\n";
    assert_eq!(
        needs(&format!(
            "{read}var p = getEnv(\"SMTP_PORT\", \"587\")\nvar h = getEnv(\"SMTP_HOST\", \"\")\n"
        )),
        0
    );
    assert_eq!(
        needs(&format!(
            "{read}var p = getEnv(\"SMTP_PORT\", \"587\")\nvar h = getEnv(\"SMTP_HOST\", \"mail\")\n"
        )),
        1
    );
}

#[test]
fn queue_of_the_framework_says_nothing_about_a_client_beside_it() {
    let php = |package: &str| {
        format!(
            "//- /web/Dockerfile\nFROM php:8.4-cli\nCOPY . .\nCMD php artisan serve\n//- /web/composer.json\n{{ \"require\": {{ \"{package}\": \"1\" }} }}\n\
             //- /web/config/broker.php\n<?php return ['host' => env('RABBIT_MQ_HOST', 'localhost')];\n//- /web/.env.example\nQUEUE_CONNECTION=database\nRABBIT_MQ_HOST=\n"
        )
    };
    assert_eq!(requires(&planned(&php("php-amqplib/php-amqplib")), "web"), ["rabbitmq"]);
    let queue = php("vladimir-yuldashev/laravel-queue-rabbitmq");
    assert_eq!(requires(&planned(&queue), "web"), Vec::<String>::new());
}

#[test]
fn what_a_switch_turns_off_is_not_started() {
    let python = "//- /api/x.py\nos.environ['NEO4J_URI']\n//- /api/requirements.txt\nneo4j\nredis\n";
    let needs = |env: &str| {
        let stack =
            planned(&format!("{API}{python}//- /api/.env.example\nNEO4J_URI=bolt://neo4j:7687\n{env}\n"));
        requires(&stack, "api")
    };
    assert_eq!(needs("NEO4J_ENABLED=True"), ["neo4j"]);
    assert_eq!(needs("NEO4J_ENABLED=False"), Vec::<String>::new());
    assert_eq!(needs("USE_NEO4J=0"), Vec::<String>::new());
}

#[test]
fn what_a_host_hands_out_and_only_the_library_of_all_reads_is_possible() {
    let package = |name: &str| format!("<PackageReference Include=\"{name}\" Version=\"1.0.0\" />");
    let library = ["MongoDB.Driver", "Npgsql", "StackExchange.Redis"].map(package).concat();
    let tree = |own: &str| {
        format!(
            "//- /src/Api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:9.0\nCOPY src/Api src/Api\nCOPY src/Common src/Common\nCMD [\"dotnet\", \"x.dll\"]\n\
             //- /src/Api/Api.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\">{own}<ProjectReference Include=\"../Common/Common.csproj\" /></Project>\n\
             //- /src/Common/Common.csproj\n<Project Sdk=\"Microsoft.NET.Sdk\">{library}</Project>\n\
             //- /src/Common/Mongo.cs\nvar url = configuration.GetConnectionString(\"mongo\");\n\
             //- /src/AppHost/Program.cs\nvar builder = DistributedApplication.CreateBuilder(args);\nvar mongo = builder.AddMongoDB(\"mongo\");\n\
             builder.AddProject<Projects.Api>(\"api\").WithReference(mongo);\n"
        )
    };
    assert_eq!(requires(&planned(&tree("")), "api"), Vec::<String>::new());
    assert_eq!(requires(&planned(&tree(&package("MongoDB.Driver"))), "api"), ["mongodb"]);
}
