//! Plans from small monorepos: variables called after what a server holds, addresses on which a program itself listens.

use super::*;

#[test]
fn default_of_a_port_tells_the_kind_of_a_server_that_is_called_after_what_it_holds() {
    let with = |client: &str| {
        let files = format!(
            "//- /orders/package.json\n{{\"dependencies\":{{\"{client}\":\"8\"}}}}\n//- /orders/x.js\nconst a = process.env.SHOP_CATALOG_HOST || 'localhost', \
             b = process.env.SHOP_CATALOG_PORT || 5432, c = process.env.SHOP_CATALOG_USER || 'postgres';\n\
             //- /orders/.env.example\nSHOP_CATALOG_HOST=host.docker.internal\nSHOP_CATALOG_PORT=9901\nSHOP_CATALOG_USER=postgres\n"
        );
        let stack = planned(&node("orders", &files));
        let value = |name: &str| value(&stack, "orders", name).unwrap_or_default();
        (requires(&stack, "orders"), value("SHOP_CATALOG_HOST"), value("SHOP_CATALOG_PORT"))
    };
    let wired = (vec!["postgres".to_owned()], "postgres".to_owned(), "5432".to_owned());
    assert_eq!(with("pg"), wired);
    assert_eq!(with("express").0, Vec::<String>::new(), "without a client");
}

#[test]
fn where_a_program_listens_is_no_address_of_a_kind_of_that_name() {
    let files = "//- /orders/x.js\nlisten(process.env.PORT || 3000); metrics(process.env.PROMETHEUS_LISTEN_ADDR || '127.0.0.1:8088');\n\
                 //- /orders/.env.example\nPROMETHEUS_LISTEN_ADDR=0.0.0.0:8041\n";
    let stack = planned(&node("orders", files));
    assert_eq!(requires(&stack, "orders"), Vec::<String>::new());
    let told = value(&stack, "orders", "PROMETHEUS_LISTEN_ADDR").expect("is told");
    assert!(told.contains("0.0.0.0:8041"), "{told}");
}

#[test]
fn port_alone_demands_no_server() {
    let orders = |more: &str| {
        let files = format!(
            "//- /orders/x.js\nlisten(process.env.PORT || 3000); metrics(process.env.PROMETHEUS_METRICS_PORT{more});\n"
        );
        requires(&planned(&node("orders", &files)), "orders")
    };
    assert_eq!(orders(""), Vec::<String>::new());
    assert_eq!(orders(", process.env.PROMETHEUS_URL || 'http://prometheus:9090'"), ["prometheus"]);
}

#[test]
fn server_with_a_package_of_pages_below_it_is_called_by_others() {
    let called = |api: &str| {
        let api = format!(
            "//- /api/x.js\nlisten(3001)\n//- /api/package.json\n{{\"dependencies\":{{\"{api}\":\"4\"}}}}\n\
             //- /api/emails/package.json\n{{\"dependencies\":{{\"react\":\"18\"}}}}\n"
        );
        let caller = "//- /router/x.js\nlisten(3002); f(process.env.API_URL)\n//- /router/.env.example\nAPI_URL=http://localhost:3001\n";
        let stack = planned(&format!("{}{}", node("api", &api), node("router", caller)));
        requires(&stack, "router")
    };
    assert_eq!(called("fastify"), ["api"]);
    assert_eq!(called("left-pad"), Vec::<String>::new(), "a frontend");
}

#[test]
fn public_address_of_a_server_that_is_built_here_demands_no_other() {
    let pairing = "//- /pairing/x.js\nf(process.env.BROKER_URL)\n//- /pairing/.env.example\nBROKER_URL=mqtts://broker.${DOMAIN}:8883/\n";
    let broker = "//- /broker/Dockerfile\nFROM x\nCOPY . .\nEXPOSE 1883 8883\nCMD [\"broker\"]\n//- /broker/broker.ex\n\n";
    let required = |tree: &str| requires(&planned(tree), "pairing");
    assert_eq!(required(&node("pairing", pairing)), ["mosquitto"]);
    assert_eq!(required(&format!("{}{broker}", node("pairing", pairing))), Vec::<String>::new());
}

#[test]
fn programs_that_call_a_database_by_what_it_holds_mean_the_same_one() {
    let program = |name: &str, variable: &str| {
        node(
            name,
            &format!(
                "//- /{name}/package.json\n{{\"dependencies\":{{\"pg\":\"8\"}}}}\n//- /{name}/x.js\nf(process.env.{variable}_HOST || 'localhost', \
                 process.env.{variable}_PORT || 5432, process.env.{variable}_DATABASE || 'postgres')\n"
            ),
        )
    };
    let names = |variable: &str| {
        let stack = planned(&format!("{}{}", program("api", variable), program("worker", variable)));
        ["api", "worker"].map(|name| value(&stack, name, &format!("{variable}_DATABASE")).unwrap_or_default())
    };
    assert_eq!(names("SHOP_CATALOG"), ["shop_catalog", "shop_catalog"]);
    assert_eq!(names("SHOP_DB"), ["api", "worker"], "a name that says nothing of what it holds");
}
