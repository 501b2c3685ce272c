//! Plans from small monorepos: which evidence makes a need, and whom a variable means.

use super::*;

#[test]
fn variable_that_bears_the_whole_name_of_a_service_is_about_it() {
    let services = ["s3-service", "email-service"].map(|name| node(name, "")).concat();
    let caller = "//- /web/x.js\nf(process.env.S3_SERVICE_URL, process.env.EMAIL_SERVICE_HOST, process.env.S3_BUCKET)\n";
    let stack = planned(&format!("{services}{}", node("web", caller)));
    assert_eq!(requires(&stack, "web"), ["email-service", "s3-service"]);
}

#[test]
fn a_login_elsewhere_sends_the_browser_back_and_calls_nobody() {
    let web = node("web", "//- /web/x.js\nlisten(process.env.PORT || 3000)\n");
    let auth = |name: &str, url: &str| {
        let code = format!("//- /auth/x.js\nlisten(4000); f(process.env.{name} || '{url}')\n");
        let stack = planned(&format!("{web}{}", node("auth", &code)));
        (requires(&stack, "auth"), value(&stack, "auth", name))
    };
    let back = "http://localhost:${WEB_PORT:-3000}/auth/google".to_owned();
    let url = "http://localhost:3000/auth/google";
    assert_eq!(auth("GOOGLE_REDIRECT_URI", url), (vec![], Some(back.clone())));
    assert_eq!(auth("GOOGLE_CALLBACK_URL", url), (vec![], Some(back.clone())));
    assert_eq!(auth("Clients__Web__RootUrl", url), (vec![], Some(back)));
    let called = (vec!["web".to_owned()], Some("http://web:3000/paid".to_owned()));
    assert_eq!(auth("PAY_CALLBACK_URL", "http://web:3000/paid"), called, "a name that no browser knows");
}

#[test]
fn cache_without_a_password_is_given_none() {
    let with = |password: &str| {
        let files = format!(
            "//- /orders/package.json\n{{\"dependencies\":{{\"ioredis\":\"5\"}}}}\n//- /orders/x.js\nf(process.env.REDIS_HOST, process.env.REDIS_PASSWORD)\n\
             //- /orders/.env.example\nREDIS_HOST=localhost\nREDIS_PASSWORD={password}\n"
        );
        value(&planned(&node("orders", &files)), "orders", "REDIS_PASSWORD")
    };
    assert_eq!(with("dragon").as_deref(), Some(""));
    assert_eq!(with("null").as_deref(), Some("null"), "the framework's word for none");
}

#[test]
fn login_of_a_default_for_the_own_machine_is_not_kept() {
    let orders = |login: &str| {
        let code = format!(
            "//- /orders/package.json\n{{\"dependencies\":{{\"pg\":\"8\"}}}}\n//- /orders/x.js\nconst url =\n  process.env.DATABASE_URL ??\n  \
             'postgresql://{login}/orders';\n"
        );
        value(&planned(&node("orders", &code)), "orders", "DATABASE_URL").expect("is wired")
    };
    let with = |user: &str| {
        format!("postgresql://{user}:${{ORDERS_DB_PASSWORD:?set it in .env}}@postgres:5432/orders")
    };
    assert_eq!(orders("user:password@localhost:5435"), with("orders"));
    assert_eq!(orders("user:password@db:5432"), with("user"), "somebody may have made that user");
}

#[test]
fn mails_of_a_component_go_to_the_mail_server_of_those_who_have_a_client() {
    let library = "//- /libs/package.json\n{\"dependencies\":{\"ioredis\":\"5\"}}\n//- /libs/config.js\n\
        f(process.env.KEYCLOAK_SMTP_HOST, process.env.KEYCLOAK_SMTP_PORT, process.env.REDIS_HOST)\n\
        //- /.env.example\nKEYCLOAK_SMTP_HOST=mailpit\nKEYCLOAK_SMTP_PORT=1025\nREDIS_HOST=redis\n";
    let with = |name: &str, files: &str| node(name, files).replace("CMD", "COPY libs libs\nCMD");
    let orders = "//- /orders/package.json\n{}\n//- /orders/.env.example\nLEVEL=info\n";
    let news = "//- /news/package.json\n{\"dependencies\":{\"nodemailer\":\"6\"}}\n";
    let stack = planned(&format!("{library}{}{}", with("orders", orders), with("news", news)));
    assert_eq!(requires(&stack, "orders"), ["redis"]);
    assert_eq!(requires(&stack, "news"), ["mailpit", "redis"]);
    assert_eq!(value(&stack, "news", "KEYCLOAK_SMTP_HOST").as_deref(), Some("mailpit"));
    assert_eq!(value(&stack, "news", "KEYCLOAK_SMTP_PORT").as_deref(), Some("1025"));
}

#[test]
fn bundler_of_a_server_in_another_language_makes_no_frontend() {
    let users = "//- /users/Dockerfile\nFROM php:8.4-cli\nCOPY users .\nEXPOSE 8000\nCMD [\"php\", \"artisan\", \"serve\"]\n\
        //- /users/composer.json\n{}\n//- /users/package.json\n{\"devDependencies\":{\"vite\":\"7\",\"vue\":\"3\"}}\n";
    let web = "//- /web/package.json\n{\"devDependencies\":{\"vite\":\"7\"}}\n//- /web/x.js\nf(import.meta.env.VITE_USERS_URL)\n\
        //- /web/.env.example\nVITE_USERS_URL=http://localhost:8001/api\n";
    let stack = planned(&format!("{users}{}", node("web", web)));
    assert_eq!(requires(&stack, "web"), ["users"]);
}

#[test]
fn library_of_many_kinds_in_which_one_service_alone_is_built_is_a_part_of_it() {
    let project = |name: &str, references: &str, packages: &[&str]| {
        let packages: String =
            packages.iter().map(|one| format!("<PackageReference Include=\"{one}\"/>")).collect();
        let references: String = references
            .split_whitespace()
            .map(|one| format!("<ProjectReference Include=\"../{one}/{one}.csproj\"/>"))
            .collect();
        format!(
            "//- /{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>{packages}{references}</ItemGroup></Project>\n"
        )
    };
    let image = |name: &str| format!("//- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/Program.cs\n\n");
    let all = ["StackExchange.Redis", "Npgsql", "MassTransit.RabbitMQ"];
    let tree = [
        project("Common", "", &all),
        project("Feed.Data", "Common", &["Npgsql"]),
        "//- /Feed.Data/Cache.cs\nUse(config.GetConnectionString(\"Redis\"));\n".to_owned(),
        project("Feed", "Feed.Data Common", &[]) + &image("Feed"),
        project("Stock", "Common", &[]) + &image("Stock"),
    ];
    let stack = planned(&tree.concat());
    assert_eq!(requires(&stack, "feed"), ["redis"]);
    assert_eq!(requires(&stack, "stock"), Vec::<String>::new());
}

#[test]
fn packages_of_go_beside_each_other_are_each_for_one_kind() {
    let package = |name: &str, client: &str, variable: &str| {
        format!(
            "//- /internal/{name}/{name}.go\npackage {name}\nimport (\n\t\"os\"\n\t\"{client}\"\n)\nvar host = os.Getenv(\"{variable}\")\n"
        )
    };
    let program = |imports: &[&str]| {
        let imports: String = imports.iter().map(|one| format!("\t\"shop/internal/{one}\"\n")).collect();
        format!(
            "//- /go.mod\nmodule shop\n//- /docker/orders.Dockerfile\nFROM golang\nCOPY . .\nRUN go build -o /orders ./cmd/orders\nCMD [\"/orders\"]\n\
             //- /cmd/orders/main.go\npackage main\nimport (\n{imports})\nfunc main() {{}}\n{}{}{}",
            package("store", "gorm.io/driver/mysql", "DB_HOST"),
            package("cache", "github.com/redis/go-redis/v9", "REDIS_HOST"),
            package("queue", "github.com/rabbitmq/amqp091-go", "MQ_HOST"),
        )
    };
    let requires = |imports: &[&str]| requires(&planned(&program(imports)), "orders");
    assert_eq!(requires(&["store", "cache", "queue"]), ["mysql", "rabbitmq", "redis"]);
    assert_eq!(requires(&["cache"]), ["redis"]);
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

#[test]
fn comment_of_an_empty_variable_says_whom_it_is_about() {
    let caller = "//- /web/x.js\nf(process.env.MAIN_URL, process.env.OTHER_URL)\n//- /web/.env.example\n\
                  MAIN_URL=   # user-admin URL\nOTHER_URL=  # user-admin or stock-keeper\n";
    let services = ["user-admin", "stock-keeper"].map(|name| node(name, "")).concat();
    let stack = planned(&format!("{services}{}", node("web", caller)));
    assert_eq!(requires(&stack, "web"), ["user-admin"]);
}

#[test]
fn extension_in_a_php_image_decides_over_the_frameworks_own_file() {
    let php = |extension: &str| {
        format!(
            "//- /shop/Dockerfile\nFROM php:8.4-apache\nRUN docker-php-ext-install {extension}\nCOPY . .\n//- /shop/composer.json\n\
             {{ \"require\": {{ \"symfony/framework-bundle\": \"7\" }} }}\n//- /shop/.env\nDATABASE_URL=\"postgresql://app:x@127.0.0.1:5432/app\"\n"
        )
    };
    let stack = planned(&php("pdo_mysql"));
    assert_eq!(requires(&stack, "shop"), ["mysql"]);
    let url = value(&stack, "shop", "DATABASE_URL").expect("is wired");
    assert!(url.starts_with("mysql://") && url.contains("@mysql:3306/app"), "{url}");
    assert_eq!(requires(&planned(&php("pdo_pgsql pdo_mysql")), "shop"), ["postgres"]);
    assert_eq!(requires(&planned(&php("zip")), "shop"), ["postgres"]);
}

#[test]
fn store_without_an_address_is_the_providers() {
    let reads = "//- /api/x.py\nos.environ.get('S3_ENDPOINT')\n//- /api/requirements.txt\nboto3\n";
    let needs = |endpoint: &str| {
        requires(&planned(&format!("{API}{reads}//- /api/.env.example\nS3_ENDPOINT={endpoint}\n")), "api")
    };
    assert_eq!(needs("http://minio:9000"), ["minio"]);
    assert_eq!(needs(""), Vec::<String>::new());
}

#[test]
fn one_database_on_different_hosts_is_one_server_each() {
    let rails = |name: &str, host: &str| {
        format!(
            "//- /{name}/Dockerfile\nFROM ruby:3.4\nCOPY . .\nCMD [\"bin/rails\", \"server\"]\n//- /{name}/Gemfile\ngem 'pg'\n//- /{name}/config/database.yml\n\
             production:\n  adapter: postgresql\n  host: {host}\n  database: app\n  username: app\n  password: secret\n"
        )
    };
    let admins = planned(
        &[rails("cart", "cart_db"), rails("stock", "stock_db")].concat().replace(": app", ": postgres"),
    );
    for setup in admins.containers.iter().filter(|container| container.name.ends_with("-setup")) {
        let mut names: Vec<&str> = setup.environment.iter().map(|(name, _)| name.as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{}: each variable once", setup.name);
    }
    let servers = |second: &str| {
        let stack = planned(&[rails("cart", "cart_db"), rails("stock", second)].concat());
        stack.inventory.infrastructure.iter().map(|server| server.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(servers("stock_db"), ["cart-postgres", "stock-postgres"]);
    assert_eq!(servers("cart_db"), ["postgres"]);
}

#[test]
fn image_that_holds_no_code_is_said_with_what_to_do() {
    let php = |copy: &str| {
        format!(
            "//- /shop/Dockerfile\nFROM php:8.4-fpm\nCOPY php.ini /usr/local/etc/php/\n{copy}WORKDIR /var/www\n//- /shop/php.ini\n\n\
             //- /shop/composer.json\n{{ \"require\": {{ \"laravel/framework\": \"12\" }} }}\n"
        )
    };
    let stack = planned(&php(""));
    let problem = stack.inventory.problems.iter().find(|problem| problem.code == "image-without-code");
    let problem = problem.expect("is said");
    assert_eq!(problem.message, "the image of `shop` holds none of its code");
    assert_eq!(
        problem.fix,
        "copy the code in shop/Dockerfile, or mount it in docker-compose.override.yml: `volumes: [\"../shop:/var/www\"]`"
    );
    assert!(!codes(&planned(&php("COPY . .\n"))).contains(&"image-without-code"));
}

#[test]
fn words_that_many_names_begin_with_are_left_out_by_callers_one_family_after_the_other() {
    let part = |name: &str, files: &str| {
        format!("//- /Shop.{name}/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nEXPOSE 80\n{files}")
    };
    let caller = "//- /Shop.Services.Orders/appsettings.json\n{ \"Grpc\": { \"StockUrl\": \"http://stock-service:80\" },\n\
        \"Clients\": [ { \"Host\": \"mail-service\" } ] }\n";
    let tree = [
        part("Gateway", ""),
        part("Saga", ""),
        part("Services.Orders", caller),
        part("Services.Stock", ""),
        part("Services.Mail", ""),
    ];
    assert_eq!(
        requires(&planned(&tree.concat()), "shop-services-orders"),
        ["shop-services-mail", "shop-services-stock"]
    );
}

#[test]
fn driver_of_a_program_counts_before_those_of_its_library() {
    let program = "//- /src/Orders/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY src/ src/\n\
        //- /src/Orders/Orders.csproj\n<Project><ItemGroup><PackageReference Include=\"Pomelo.EntityFrameworkCore.MySql\" />\n\
        <ProjectReference Include=\"..\\\\Common\\\\Common.csproj\" /></ItemGroup></Project>\n\
        //- /src/Orders/appsettings.json\n{ \"Database\": { \"ConnectionString\": \"Server=localhost;Port=3307;Database=o;Uid=root;Pwd=x\" },\n\
        \"Search\": { \"Uri\": \"http://localhost:9200\" } }\n\
        //- /src/Common/Common.csproj\n<Project><ItemGroup><PackageReference Include=\"MongoDB.Driver\" />\n\
        <PackageReference Include=\"Elastic.Clients.Elasticsearch\" /></ItemGroup></Project>\n";
    assert_eq!(requires(&planned(program), "orders"), ["elasticsearch", "mysql"]);
}

#[test]
fn many_variables_without_a_value_are_said_once() {
    let said = |count: usize| {
        let reads: String = (0..count).map(|at| format!("x{at} = os.environ[\"KEY_{at:02}\"]\n")).collect();
        let stack = planned(&format!(
            "//- /api/Dockerfile\nFROM python:3.13\nCOPY . .\n//- /api/app.py\nimport os\n{reads}"
        ));
        let of = |problem: &&Problem| problem.code == "variable-without-value";
        stack.inventory.problems.iter().filter(of).map(|problem| problem.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(said(2).len(), 2);
    let [ten] = &said(10)[..] else { panic!("one") };
    assert!(ten.contains("`KEY_07` and 2 others, and nothing says their values"), "{ten}");
    let [nine] = &said(9)[..] else { panic!("one") };
    assert!(nine.contains("`KEY_07` and `KEY_08`, and nothing says their values"), "{nine}");
}

#[test]
fn address_that_binds_everything_is_no_call() {
    let users = node("users", "").replace("CMD", "EXPOSE 5000\nCMD");
    let needs = |name: &str, address: &str| {
        let caller = format!("//- /web/x.js\nf(process.env.{name} || '{address}')\n");
        requires(&planned(&format!("{users}{}", node("web", &caller))), "web")
    };
    assert_eq!(needs("USERS_ADDR", "0.0.0.0:5000"), Vec::<String>::new());
    assert_eq!(needs("USERS_ADDR", "localhost:5000"), ["users"]);
    assert_eq!(needs("USERS_URL", "0.0.0.0:5000"), ["users"]);
}

#[test]
fn configuration_for_all_programs_of_a_module_demands_only_what_each_imports() {
    let program = |name: &str, import: &str| {
        format!(
            "//- /cmd/{name}/Dockerfile\nFROM golang\nCOPY . .\nRUN go build -o /{name} ./cmd/{name}\nCMD [\"/{name}\"]\n\
             //- /cmd/{name}/main.go\npackage main\nimport (\n\t\"shop/internal/config\"\n\t\"shop/internal/{import}\"\n)\n"
        )
    };
    let client = |name: &str, package: &str| {
        format!("//- /internal/{name}/client.go\npackage {name}\nimport \"{package}\"\n")
    };
    let stack = planned(&format!(
        "//- /go.mod\nmodule shop\n{}{}{}{}\
         //- /internal/config/config.go\npackage config\nvar x = []string{{os.Getenv(\"CACHE_HOST\"), os.Getenv(\"REDIS_HOST\"), os.Getenv(\"RABBITMQ_HOST\"), os.Getenv(\"USERS_URL\"), os.Getenv(\"USERS_PORT\"), os.Getenv(\"MAILS_URL\")}}\n\
         //- /.env.example\nREDIS_HOST=redis\nRABBITMQ_HOST=rabbitmq\nUSERS_URL=\nUSERS_PORT=2525\nMAILS_URL=http://mails:80\n",
        program("users", "cache"),
        program("mails", "queue"),
        client("cache", "github.com/redis/go-redis/v9"),
        client("queue", "github.com/rabbitmq/amqp091-go"),
    ));
    assert_eq!(requires(&stack, "users"), ["mails", "redis"]);
    // The address of the users is left empty: who needs it fills it in.
    assert_eq!(requires(&stack, "mails"), ["rabbitmq"]);
}

#[test]
fn name_of_a_file_in_a_store_demands_no_store_without_a_client() {
    let requires = |manifest: &str| {
        requires(
            &planned(&node(
                "demo",
                &format!(
                    "//- /demo/package.json\n{manifest}\n//- /demo/x.js\nshow(\"s3://recordings/one.mp4\")\n"
                ),
            )),
            "demo",
        )
    };
    assert_eq!(requires("{}"), [""; 0]);
    assert_eq!(requires("{\"dependencies\": {\"@aws-sdk/client-s3\": \"3\"}}"), ["minio"]);
}

#[test]
fn addresses_that_an_example_file_lists_and_nobody_reads_are_only_possible() {
    let tree = |reads: &str| {
        planned(&format!(
            "//- /search/Dockerfile\nFROM node:22-slim\nCOPY . .\nCMD [\"node\", \"x.js\"]\n//- /search/x.js\nf(process.env.A, process.env.B, process.env.C, process.env.D, process.env.E{reads})\n\
             //- /search/.env.example\nA=1\nB=1\nC=1\nD=1\nE=1\nQUEUE_SERVICE_URL=http://localhost:3011\n\
             //- /queue-service/Dockerfile\nFROM node:22-slim\nEXPOSE 3011\n"
        ))
    };
    let strength = |stack: &Stack| service(stack, "search").requires.first().map(|one| one.strength);
    assert_eq!(strength(&tree("")), Some(Strength::Possible));
    assert_eq!(strength(&tree(", process.env.QUEUE_SERVICE_URL")), Some(Strength::Required));
}

#[test]
fn address_of_a_service_that_is_demanded_and_not_used_is_told_without_a_wait() {
    let service_of = |name: &str| {
        format!(
            "//- /{name}/Dockerfile\nFROM python:3.13-slim\nCOPY {name} .\nCOPY shared shared\nEXPOSE 8000\n//- /{name}/main.py\nimport shared.settings\n//- /{name}/requirements.txt\npydantic-settings\n"
        )
    };
    let all: String = ["web", "users", "orders", "stock"].map(service_of).concat();
    let stack = planned(&format!(
        "{all}//- /shared/settings.py\nfrom pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    \
         USERS_URL: str\n    ORDERS_URL: str\n    STOCK_URL: str\n"
    ));
    assert_eq!(value(&stack, "web", "ORDERS_URL").as_deref(), Some("http://orders:8000"));
    assert_eq!(requires(&stack, "web"), [""; 0]);
}

#[test]
fn browsers_speak_to_no_database_and_no_store() {
    let web = "//- /web/x.js\nf(process.env.REACT_APP_EXPORT_S3_URL, process.env.VITE_REDIS_HOST, process.env.VITE_USERS_URL)\n";
    let stack = planned(&format!("{}{}", node("web", web), node("users", "")));
    let kinds = |name: &str| {
        let all = service(&stack, name).requires.iter();
        all.filter(|need| need.kind != "service").map(|need| need.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("web"), Vec::<String>::new());
    let backend = web.replace("REACT_APP_", "").replace("/web/", "/api/");
    let stack = planned(&node("api", &backend));
    assert!(service(&stack, "api").requires.iter().any(|need| need.target == "minio"));
}

#[test]
fn manifest_that_names_the_system_from_outside_counts_after_the_one_that_runs_it() {
    let manifest = |folder: &str, url: &str| {
        format!(
            "//- /{folder}/web.yaml\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        \
             - name: web\n          image: web\n          env:\n            - name: ORDERS_URL\n              value: {url}\n"
        )
    };
    let planned_with = |more: &str| {
        let tree = [
            manifest("gitops/manifests", "https://shop.herokuapp.com"),
            node("web", &format!("//- /web/x.js\nf(process.env.ORDERS_URL)\n{more}")),
            node("orders", "").replace("CMD", "EXPOSE 8080\nCMD"),
        ];
        let stack = planned(&tree.concat());
        (value(&stack, "web", "ORDERS_URL"), requires(&stack, "web"))
    };
    let inside = manifest("k8s", "http://orders:8080");
    let own = "//- /web/.env.local\nORDERS_URL=https://orders.shop.io\n";
    for more in [inside.clone(), format!("{own}{inside}")] {
        let wanted = (Some("http://orders:8080".to_owned()), vec!["orders".to_owned()]);
        assert_eq!(planned_with(&more), wanted, "{more}");
    }
    assert_eq!(planned_with(own).1, Vec::<String>::new());
}

#[test]
fn proxy_of_which_the_configuration_is_copied_lacks_nothing() {
    let tree = |copy: &str| {
        format!(
            "//- /gate/Dockerfile\nFROM nginx:1.27\n{copy}//- /gate/default.conf\nserver {{\n  listen 80;\n  location / {{ proxy_pass http://shop:3000; }}\n}}\n"
        )
    };
    let copied = "COPY default.conf /etc/nginx/conf.d/default.conf\n";
    assert!(!codes(&planned(&tree(copied))).contains(&"image-without-code"));
    assert!(codes(&planned(&tree(""))).contains(&"image-without-code"));
}

#[test]
fn address_of_a_service_that_only_a_document_names_is_possible() {
    let names = ["A", "B", "C", "D", "E"];
    let table: String = names.iter().map(|name| format!("| `{name}_LEVEL` | a level |\n")).collect();
    let reads: String = names.iter().map(|name| format!("use(process.env.{name}_LEVEL);\n")).collect();
    let tree = |read: &str| {
        format!(
            "//- /stock/Dockerfile\nFROM node:22\nEXPOSE 3000\nCOPY . .\n//- /stock/package.json\n{{}}\n\
             //- /cart/Dockerfile\nFROM node:22\nEXPOSE 3000\nCOPY . .\n//- /cart/package.json\n{{}}\n//- /cart/main.js\n{reads}{read}\n\
             //- /cart/README.md\n# Cart\n\n## Environment variables\n\n| Variable | Meaning |\n|---|---|\n{table}| `STOCK_SERVICE_URL` | where the stock is |\n"
        )
    };
    let strength = |read: &str| {
        let stack = planned(&tree(read));
        let cart = service(&stack, "cart");
        cart.requires.iter().find(|need| need.target == "stock").map(|need| need.strength)
    };
    assert_eq!(strength(""), Some(Strength::Possible));
    assert_eq!(strength("call(process.env.STOCK_SERVICE_URL);"), Some(Strength::Required));
}

#[test]
fn image_that_only_stays_up_is_said() {
    let tree = |command: &str| {
        format!("//- /shop/Dockerfile\nFROM python:3.13\nCOPY . .\nCMD {command}\n//- /shop/main.py\nrun()\n")
    };
    let says = |command: &str| codes(&planned(&tree(command))).contains(&"image-starts-nothing");
    assert!(says("[\"tail\", \"-f\", \"/dev/null\"]") && says("sleep infinity"));
    assert!(says("[\"/bin/sh\"]"));
    assert!(!says("[\"python\", \"main.py\"]"));
}

#[test]
fn no_server_of_the_setup_is_spoken_to_with_a_certificate() {
    let web = "//- /web/x.js\nf(process.env.OTLP_ENDPOINT || 'https://otel-collector:4317')\n";
    let stack = planned(&node("web", web));
    assert_eq!(value(&stack, "web", "OTLP_ENDPOINT").as_deref(), Some("http://otel-collector:4317"));
}

#[test]
fn address_of_rubys_mailers_is_a_host() {
    let told = |image: &str, files: &str| {
        let stack = planned(&format!("//- /web/Dockerfile\nFROM {image}\nCMD [\"x\"]\n{files}"));
        value(&stack, "web", "SMTP_ADDRESS")
    };
    let ruby = "//- /web/Gemfile\ngem 'rails'\n//- /web/x.rb\nf(ENV.fetch('SMTP_ADDRESS'))\n";
    assert_eq!(told("ruby:3.4", ruby).as_deref(), Some("mailpit"));
    let node = "//- /web/x.js\nf(process.env.SMTP_ADDRESS)\n";
    assert_eq!(told("node:22", node).as_deref(), Some("mailpit:1025"));
}

#[test]
fn mode_for_which_an_image_is_built_is_that_of_its_container() {
    let example = "//- /web/.env.example\nNODE_ENV=development\n//- /web/x.js\nf(process.env.NODE_ENV)\n";
    let mode = |of_image: &str| {
        let tree = node("web", example).replace("CMD", &format!("{of_image}CMD"));
        value(&planned(&tree), "web", "NODE_ENV")
    };
    assert_eq!(mode("ENV NODE_ENV=production\n").as_deref(), Some("${WEB_NODE_ENV:-production}"));
    assert_eq!(mode("").as_deref(), Some("${WEB_NODE_ENV:-development}"));
}

#[test]
fn host_of_a_page_that_is_called_after_a_kind_and_has_its_port_is_one() {
    let kinds = |address: &str| {
        let conf = format!("server {{\n  listen 80;\n  location / {{ proxy_pass {address}; }}\n}}\n");
        let stack = planned(&format!(
            "//- /front/Dockerfile\nFROM nginx\nCOPY nginx.conf /etc/nginx/conf.d/default.conf\n//- /front/nginx.conf\n{conf}"
        ));
        stack.inventory.infrastructure.iter().map(|server| server.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("http://shop_minio:9000"), ["minio"]);
    assert_eq!(kinds("http://shop_files:9000"), [""; 0]);
    assert_eq!(kinds("http://minio-pages:8000"), [""; 0]);
}

#[test]
fn public_address_of_a_store_is_where_a_browser_finds_it() {
    let files = "//- /files/x.js\nf(process.env.MINIO_ENDPOINT || 'http://localhost:9000', process.env.MINIO_PUBLIC_URL || 'http://localhost:9000/f')\n\
        //- /files/package.json\n{\"dependencies\":{\"minio\":\"8\"}}\n";
    let stack = planned(&node("files", files));
    assert_eq!(value(&stack, "files", "MINIO_ENDPOINT").as_deref(), Some("http://minio:9000"));
    let public = Some("http://localhost:${MINIO_PORT:-9000}/f");
    assert_eq!(value(&stack, "files", "MINIO_PUBLIC_URL").as_deref(), public);
}
