//! Plans from small monorepos: where a service listens, and how it is asked.

use super::*;
use crate::model::fact::Protocol;

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
fn port_of_the_developers_machine_gives_way_to_the_one_by_which_all_call_the_service() {
    let ports = |url: &str, listen: &str| {
        let users = format!("//- /users/main.js\nlisten({listen})\n//- /users/.env.example\nPORT=3002\n");
        let caller = format!("//- /web/x.js\nget('{url}')\n");
        let stack = planned(&format!("{}{}", node("users", &users), node("web", &caller)));
        let ports = service(&stack, "users").ports.iter().map(|port| port.container).collect::<Vec<_>>();
        (ports, value(&stack, "users", "PORT"))
    };
    let told = |port: &str| Some(port.to_owned());
    assert_eq!(ports("http://users:3000/", "process.env.PORT || 3000"), (vec![3000], told("3000")));
    assert_eq!(ports("http://users:3001/", "process.env.PORT || 3000"), (vec![3002], told("3002")));
    assert_eq!(ports("http://localhost:3002/", "process.env.PORT || 3000"), (vec![3002], told("3002")));
}

#[test]
fn port_in_the_command_of_the_image_beats_what_it_exposes() {
    let port = |command: &str| {
        let tree = format!(
            "//- /items/Dockerfile\nFROM python:3.13\nARG DEFAULT=8000\nENV PORT $DEFAULT\nEXPOSE $PORT\nCMD {command}\n"
        );
        service(&planned(&tree), "items").ports.iter().map(|port| port.container).collect::<Vec<_>>()
    };
    assert_eq!(port(r#"["uvicorn", "main:app", "--port", "8001"]"#), [8001]);
    assert_eq!(port("uvicorn main:app --port ${PORT:-8001}"), [8000]);
    assert_eq!(port("uvicorn main:app --port ${HTTP_PORT:-8001}"), [8000], "a variable may move it");
}

#[test]
fn port_that_a_program_does_not_read_is_no_port_of_it() {
    let ports = |reads: &[&str]| {
        let reads: String = reads.iter().map(|name| format!("    std::env::var(\"{name}\");\n")).collect();
        let tree = format!(
            "//- /mail/Dockerfile\nFROM rust\nCOPY mail .\nCMD [\"mail\"]\n//- /mail/Cargo.toml\n[package]\nname = \"mail\"\n\
             //- /mail/src/main.rs\nfn main() {{\n{reads}}}\n//- /mail/.env.example\nPORT=5000\n"
        );
        service(&planned(&tree), "mail").ports.iter().map(|port| port.container).collect::<Vec<_>>()
    };
    assert_eq!(ports(&["A", "B", "C", "D", "E"]), Vec::<u16>::new());
    assert_eq!(ports(&["A", "B", "C", "D", "PORT"]), [5000]);
    assert_eq!(ports(&["A"]), [5000], "how the program reads its variables is not seen");
}

#[test]
fn expose_that_was_copied_from_another_service_gives_way_to_the_own_file() {
    let with = |name: &str, port: u16| {
        let files =
            format!("//- /{name}/.env.example\nPORT={port}\n//- /{name}/x.js\nlisten(process.env.PORT)\n");
        node(name, &files).replace("CMD", "EXPOSE 4007\nCMD")
    };
    // A file of all is for a developer's machine, where no two may have the same port.
    let shared = "//- /.env.local\nSTOCK_PORT=4006\n";
    let stock = node("stock", shared).replace("CMD", "EXPOSE 4007\nCMD");
    let stack = planned(&[with("chat", 4007), with("mail", 4005), stock].concat());
    let ports = ["chat", "mail", "stock"].map(|name| service(&stack, name).ports[0].container);
    assert_eq!(ports, [4007, 4005, 4007]);
}

#[test]
fn image_whose_expose_and_env_agree_knows_better_than_a_manifest() {
    let manifest = "//- /api/k8s/deployment.yaml\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  template:\n    spec:\n      containers:\n        \
                    - name: api\n          image: api\n          ports: [{ containerPort: 5000 }]\n";
    let port = |env: &str| {
        let image = API.replace("EXPOSE 8000", &format!("EXPOSE 8000\n{env}"));
        service(&planned(&format!("{image}{manifest}")), "api").ports[0].container
    };
    assert_eq!(port("ENV PORT=8000"), 8000);
    assert_eq!(port("ENV LEVEL=info"), 5000);
}

#[test]
fn image_whose_expose_is_what_the_code_says_knows_better_than_a_manifest() {
    let port = |said: u16| {
        let code = format!("//- /users/main.js\napp.listen({said})\n");
        let users = node("users", &code).replace("CMD", "EXPOSE 8086\nCMD");
        let manifest = "//- /k8s/users.yaml\nkind: Deployment\nmetadata:\n  name: users\nspec:\n  template:\n    spec:\n      \
                        containers:\n        - name: users\n          image: users\n          ports: [{ containerPort: 8085 }]\n";
        service(&planned(&format!("{users}{manifest}")), "users").ports[0].container
    };
    assert_eq!((port(8086), port(8087)), (8086, 8085));
}

#[test]
fn callers_who_agree_with_the_configuration_know_better_than_expose() {
    let users = "//- /users/Dockerfile\nFROM eclipse-temurin:21\nEXPOSE 8010\n//- /users/pom.xml\n<project/>\n\
        //- /users/src/main/resources/application.yml\nserver:\n  port: 8086\n";
    let port = |url: &str| {
        let stack = planned(&format!("{users}{}", node("web", &format!("//- /web/x.js\nf('{url}')\n"))));
        (service(&stack, "users").ports[0].container, value(&stack, "users", "SERVER_PORT"))
    };
    assert_eq!(port("http://users:8086"), (8086, Some("8086".to_owned())));
    // Whoever is right: it listens where everybody else is told.
    assert_eq!(port("http://users:8010"), (8010, Some("8010".to_owned())));
    assert_eq!(port("http://users:9000"), (8086, Some("8086".to_owned())), "EXPOSE opens nothing");
}

#[test]
fn port_for_metrics_that_only_an_example_names_is_none_where_nothing_reads_its_variable() {
    let ports = |code: &str| {
        let stack = planned(&format!(
            "//- /api/Dockerfile\nFROM node:22\nCOPY . .\nEXPOSE 3000\nCMD [\"node\", \"app.js\"]\n//- /api/package.json\n{{}}\n\
             //- /api/.env.example\nPORT=3000\nMETRICS_PORT=9090\n//- /api/app.js\napp.listen(process.env.PORT);\n{code}\n"
        ));
        service(&stack, "api").ports.iter().map(|port| port.container).collect::<Vec<u16>>()
    };
    assert_eq!(ports(""), [3000]);
    assert_eq!(ports("metrics.listen(process.env.METRICS_PORT);"), [3000, 9090]);
}

#[test]
fn https_of_a_template_that_nothing_serves_is_no_port() {
    let ports = |more: &str| {
        let stack = planned(&format!(
            "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n{more}EXPOSE 8080\nEXPOSE 8081\nENTRYPOINT [\"dotnet\", \"Api.dll\"]\n\
             //- /api/Api.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n//- /api/Program.cs\n\n"
        ));
        service(&stack, "api").ports.iter().map(|port| port.container).collect::<Vec<u16>>()
    };
    assert_eq!(ports(""), [8080]);
    assert_eq!(ports("ENV ASPNETCORE_HTTPS_PORTS=8081\n"), [8080, 8081]);
}

#[test]
fn server_of_dotnet_is_told_the_port_of_templates_before_the_base_image_listened_elsewhere() {
    let told = |base: &str, code: &str| {
        let stack = planned(&format!(
            "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:{base}\nEXPOSE 80\nEXPOSE 443\nENTRYPOINT [\"dotnet\", \"Api.dll\"]\n\
             //- /api/Api.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n//- /api/Program.cs\n{code}\n"
        ));
        let ports = service(&stack, "api").ports.iter().map(|port| port.container).collect::<Vec<u16>>();
        (ports, value(&stack, "api", "ASPNETCORE_URLS"))
    };
    assert_eq!(told("8.0", ""), (vec![80], Some("http://+:80".to_owned())));
    assert_eq!(told("6.0", ""), (vec![80], None), "that image listens there");
    assert_eq!(told("8.0", "app.Run(\"http://0.0.0.0:80\");"), (vec![80], None), "the code says where");
}

#[test]
fn server_of_python_that_the_setup_starts_is_told_its_port() {
    let told = |url: &str| {
        let stack = planned(&format!(
            "//- /users/Dockerfile\nFROM python:3.13\nCOPY . .\n//- /users/requirements.txt\nfastapi\nuvicorn\n\
             //- /users/main.py\nfrom fastapi import FastAPI\napp = FastAPI()\n\
             //- /web/Dockerfile\nFROM python:3.13\nCOPY . .\nCMD [\"python\", \"web.py\"]\n//- /web/web.py\nimport httpx\nhttpx.get(\"{url}\")\n"
        ));
        let users = service(&stack, "users");
        let ports = users.ports.iter().map(|port| port.container).collect::<Vec<u16>>();
        (ports, value(&stack, "users", "PORT"))
    };
    assert_eq!(told("http://example.org"), (vec![8000], Some("8000".to_owned())));
    assert_eq!(
        told("http://users:8002/users"),
        (vec![8002], Some("8002".to_owned())),
        "its caller says where"
    );
}

#[test]
fn server_of_dotnet_is_told_the_port_that_a_gateway_writes_beside_its_name() {
    let planned = |port: u16| {
        planned(&format!(
            "//- /Orders/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nEXPOSE 8080\nEXPOSE 8081\nENTRYPOINT [\"dotnet\", \"Orders.dll\"]\n\
             //- /Orders/Orders.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n//- /Orders/Program.cs\nWebApplication.CreateBuilder(args);\n\
             //- /Gateway/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT [\"dotnet\", \"Gateway.dll\"]\n\
             //- /Gateway/Gateway.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n//- /Gateway/ocelot.json\n\
             {{ \"Routes\": [ {{ \"DownstreamHostAndPorts\": [ {{ \"Host\": \"orders\", \"Port\": {port} }} ] }} ] }}\n"
        ))
    };
    let stack = planned(80);
    let ports = |stack: &Stack| {
        service(stack, "orders").ports.iter().map(|port| port.container).collect::<Vec<u16>>()
    };
    assert_eq!(ports(&stack), [80]);
    let urls = service(&stack, "orders").env.iter().find(|variable| variable.name == "ASPNETCORE_URLS");
    assert_eq!(urls.and_then(|variable| variable.value.as_deref()), Some("http://+:80"));
    assert_eq!(ports(&planned(8080)), [8080]);
}

#[test]
fn argument_of_one_dockerfile_for_several_services_gets_the_port_of_each() {
    let program = |name: &str, port: u16| {
        format!(
            "//- /{name}/package.json\n{{}}\n//- /{name}/src/main.js\napp.listen(process.env.PORT || {port});\n"
        )
    };
    let tree = format!(
        "//- /Dockerfile\nFROM node:22\nARG SERVICE\nARG SERVICE_PORT=4001\nCOPY ${{SERVICE}}/package.json ./\nCOPY ${{SERVICE}}/src src\nEXPOSE ${{SERVICE_PORT}}\nCMD [\"node\", \"src/main.js\"]\n{}{}",
        program("orders", 4012),
        program("users", 4001)
    );
    let stack = planned(&tree);
    let said = |name: &str| {
        let one = service(&stack, name);
        (one.ports[0].container, one.build.args.get("SERVICE_PORT").cloned())
    };
    assert_eq!(said("orders"), (4012, Some("4012".to_owned())));
    assert_eq!(said("users"), (4001, Some("4001".to_owned())));
}

#[test]
fn command_in_a_variable_of_the_image_says_more_than_expose() {
    let tree = "//- /shop/Dockerfile\nFROM ubuntu:24.04\nENV SUPERVISOR_PHP_COMMAND=\"/usr/bin/php /var/www/html/artisan serve --host=0.0.0.0 --port=80\"\n\
        COPY . .\nEXPOSE 8000\nENTRYPOINT [\"start-container\"]\n//- /shop/composer.json\n{}\n";
    let stack = planned(tree);
    let ports: Vec<u16> = service(&stack, "shop").ports.iter().map(|port| port.container).collect();
    assert_eq!(ports, [80]);
}

#[test]
fn check_that_names_a_build_argument_is_not_left_to_the_image() {
    let tree = |argument: &str| {
        format!(
            "//- /shop/Dockerfile\nFROM node:22\n{argument}EXPOSE 3000\nCOPY . .\nHEALTHCHECK CMD curl -f http://localhost:${{CHECK_PORT}}/health || exit 1\n\
             //- /shop/package.json\n{{}}\n//- /shop/main.js\napp.listen(3000);\n"
        )
    };
    let tests = |argument: &str| {
        let stack = planned(&tree(argument));
        let shop = stack.containers.iter().find(|one| one.name == "shop").expect("is there");
        shop.health_check.as_ref().map(|check| check.test.join(" ")).unwrap_or_default()
    };
    assert_eq!(tests("ENV CHECK_PORT=3000\n"), "");
    assert!(tests("ARG CHECK_PORT=3000\n").contains("http://127.0.0.1:3000/health"));
}

#[test]
fn each_variable_of_a_service_with_several_ports_holds_the_one_it_says() {
    let parts = "//- /parts/x.js\nf(process.env.PARTS_SERVICE_PORT || '3345', process.env.PARTS_SERVICE_HTTP_PORT || '3348')\n";
    let caller = "//- /web/x.js\nf(process.env.PARTS_SERVICE_PORT, process.env.PARTS_SERVICE_HTTP_PORT, process.env.VITE_PARTS_WS_URL)\n\
        //- /web/.env.example\nPARTS_SERVICE_PORT=3345\nPARTS_SERVICE_HTTP_PORT=3348\nVITE_PARTS_WS_URL=ws://localhost:3348/live\n";
    let parts = node("parts", parts).replace("CMD", "EXPOSE 3345 3348\nCMD");
    let stack = planned(&format!("{parts}{}", node("web", caller)));
    assert_eq!(value(&stack, "web", "PARTS_SERVICE_PORT").as_deref(), Some("3345"));
    assert_eq!(value(&stack, "web", "PARTS_SERVICE_HTTP_PORT").as_deref(), Some("3348"));
    let live = "ws://localhost:${PARTS_3348_PORT:-3348}/live";
    assert_eq!(value(&stack, "web", "VITE_PARTS_WS_URL").as_deref(), Some(live));
}

#[test]
fn number_that_only_begins_like_a_port_is_not_that_port() {
    let orders = node("orders", "").replace("CMD", "EXPOSE 80 8080\nCMD");
    let web = node("web", "//- /web/x.js\nf(process.env.ORDERS_URL || 'http://orders:8080')\n");
    let stack = planned(&format!("{orders}{web}"));
    assert_eq!(value(&stack, "web", "ORDERS_URL").as_deref(), Some("http://orders:8080"));
}

#[test]
fn program_with_a_port_for_http_beside_its_own_is_asked_there() {
    let orders = "//- /orders/x.js\nf(process.env.ORDERS_PORT || '5020', process.env.ORDERS_HTTP_PORT || '6020')\napp.get('/health', h)\n";
    let stack = planned(&node("orders", orders).replace("CMD", "EXPOSE 5020\nEXPOSE 6020\nCMD"));
    let orders = service(&stack, "orders");
    let ports: Vec<(u16, Protocol)> =
        orders.ports.iter().map(|port| (port.container, port.protocol)).collect();
    assert_eq!(ports, [(5020, Protocol::Tcp), (6020, Protocol::Http)]);
    assert_eq!(orders.health.as_ref().and_then(|health| health.port), Some(6020));
}

#[test]
fn all_ports_that_two_sources_say_beat_those_that_were_copied() {
    let ports = |more: &str| {
        let code = "f(process.env.PARTS_PORT || '3345', process.env.PARTS_HTTP_PORT || '3348')\n";
        let tree = node("parts", &format!("//- /parts/x.js\n{code}{more}"));
        let stack = planned(&tree.replace("CMD", "EXPOSE 3344\nEXPOSE 3348\nCMD"));
        service(&stack, "parts").ports.iter().map(|port| port.container).collect::<Vec<_>>()
    };
    assert_eq!(ports("//- /parts/.env.example\nPARTS_PORT=3345\nPARTS_HTTP_PORT=3348\n"), [3345, 3348]);
    assert_eq!(ports("//- /parts/.env.example\nPARTS_PORT=3345\n"), [3344, 3348]);
}

#[test]
fn variables_by_which_the_code_moves_its_ports_hold_those_that_are_taken() {
    let told = |expose: &str, code: &str| {
        let users = node("users", &format!("//- /users/main.js\n{code}\n"));
        let stack = planned(&users.replace("CMD", &format!("EXPOSE {expose}\nCMD")));
        let of = |name: &str| value(&stack, "users", name);
        let ports: Vec<u16> = service(&stack, "users").ports.iter().map(|port| port.container).collect();
        (ports, of("HTTP_PORT"), of("GRPC_PORT"))
    };
    let is = |text: &str| Some(text.to_owned());
    let web = "app.listen(process.env.HTTP_PORT || 5000);";
    let both = format!("{web}\nserver.bindAsync(process.env.GRPC_PORT || 5001);");
    assert_eq!(told("80 81", &both), (vec![80, 81], is("80"), is("81")));
    assert_eq!(told("80", web), (vec![80], is("80"), None));
    assert_eq!(told("5000", web).1, is("5000"));
    assert_eq!(told("80", &both), (vec![80, 5001], is("80"), is("5001")));
}

#[test]
fn actuator_of_a_program_with_a_path_for_all_stands_below_it() {
    let path = |pom: &str, settings: &str| {
        let tree = format!(
            "//- /orders/Dockerfile\nFROM eclipse-temurin:21\nCOPY app.jar .\nEXPOSE 8081\nCMD [\"java\", \"-jar\", \"app.jar\"]\n\
             //- /orders/build.gradle\nimplementation \"org.springframework.boot:spring-boot-starter-web\"\n{pom}\n\
             //- /orders/src/main/resources/application.yml\nserver:\n  port: 8081\n{settings}\n"
        );
        let health = service(&planned(&tree), "orders").health.clone();
        health
            .map(|health| format!("{} {}", health.port.unwrap_or_default(), health.path.unwrap_or_default()))
    };
    let actuator = "implementation \"org.springframework.boot:spring-boot-starter-actuator\"";
    let context = "  servlet:\n    context-path: /shop\n";
    assert_eq!(path(actuator, "").as_deref(), Some("8081 /actuator/health"));
    assert_eq!(path(actuator, context).as_deref(), Some("8081 /shop/actuator/health"));
    assert_eq!(path("", context).as_deref(), Some("8081 "));
    let apart = format!("{context}management:\n  server:\n    port: 9090\n");
    assert_eq!(path(actuator, &apart).as_deref(), Some("9090 /actuator/health"));
}

#[test]
fn cycle_is_not_broken_where_the_start_command_itself_waits() {
    let one = |name: &str, start: &str, calls: &str| {
        format!(
            "//- /{name}/Dockerfile\nFROM node:22\nCOPY . .\nEXPOSE 3000\nENTRYPOINT [{start}\"node\", \"main.js\"]\n//- /{name}/package.json\n{{}}\n\
             //- /{name}/main.js\nfetch('http://{calls}:3000/');\n"
        )
    };
    let waits = "\"./wait-for.sh\", \"page:3000\", \"--\", ";
    let stack = planned(&(one("accounts", waits, "elsewhere") + &one("page", "", "accounts")));
    assert_eq!(stack.broken_edges, [("page".to_owned(), "accounts".to_owned())]);
}

#[test]
fn port_that_a_file_of_spring_fixes_counts_more_than_a_copied_expose() {
    let port = |server: &str, env: &str| {
        let stack = planned(&format!(
            "//- /orders/src/main/docker/Dockerfile\nFROM eclipse-temurin:21\n{env}EXPOSE 8080\nCOPY x.jar .\nCMD [\"java\", \"-jar\", \"x.jar\"]\n\
             //- /orders/pom.xml\n<project/>\n//- /orders/src/main/resources/application.properties\nserver.port={server}\n"
        ));
        service(&stack, "orders").ports[0].container
    };
    assert_eq!(port("8081", ""), 8081);
    assert_eq!(port("8081", "ENV SERVER_PORT=8080\n"), 8080, "the image moves it");
}
