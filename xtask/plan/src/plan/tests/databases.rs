//! Which services that name one database share it.

use super::{planned, try_plan};
use crate::model::stack::Stack;

/// A service with migrations of its own, which it runs itself, and these files beside.
fn migrated(name: &str, files: &str) -> String {
    format!(
        "//- /{name}/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"npm\", \"start\"]\n\
         //- /{name}/package.json\n{{\"scripts\":{{\"start\":\"prisma migrate deploy && node x.js\"}},\"dependencies\":{{\"prisma\":\"5\",\"pg\":\"8\"}}}}\n\
         //- /{name}/x.js\nprocess.env.DB_NAME; process.env.DB_HOST\n{files}"
    )
}

fn example(folder: &str) -> String {
    format!("//- {folder}/.env.example\nDB_HOST=localhost\nDB_PORT=5432\nDB_NAME=app\n")
}

/// Service and database, in the order of the services.
fn databases(stack: &Stack) -> Vec<(&str, &str)> {
    let services = stack.inventory.services.iter();
    services
        .flat_map(|service| {
            let named = service.requires.iter().filter_map(|one| one.database.as_deref());
            named.map(|database| (service.name.as_str(), database))
        })
        .collect()
}

#[test]
fn code_that_makes_its_tables_itself_does_not_share_what_only_its_example_names() {
    let both = migrated("orders", &example("/orders")) + &migrated("users", &example("/users"));
    let stack = planned(&both);
    assert_eq!(databases(&stack), [("orders", "orders"), ("users", "users")]);
    let told = stack.inventory.problems.iter().find(|problem| problem.code == "databases-apart");
    assert_eq!(told.map(|problem| problem.services.join(" ")).as_deref(), Some("orders users"));
}

#[test]
fn a_database_is_shared_where_anything_but_examples_says_so() {
    let shared = [("orders", "app"), ("users", "app")];
    let both =
        |of: fn(&str) -> String| migrated("orders", &of("/orders")) + &migrated("users", &of("/users"));
    // One example for all.
    let root = both(|_| String::new()) + &example("");
    assert_eq!(databases(&planned(&root)), shared);
    let compose = both(example)
        + "//- /docker-compose.yml\nservices:\n  orders: { build: ./orders, environment: { DB_NAME: app, DB_HOST: db } }\n  \
           users: { build: ./users, environment: { DB_NAME: app, DB_HOST: db } }\n  db: { image: postgres:17 }\n";
    assert_eq!(databases(&planned(&compose)), shared);
    let config = "services:\n  orders: { env: { DB_NAME: app } }\n";
    assert_eq!(databases(&try_plan(&both(example), config).expect("can be planned")), shared);
    // Somebody works on tables that it does not make.
    let reader = "//- /reader/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"x.js\"]\n\
                  //- /reader/package.json\n{\"dependencies\":{\"pg\":\"8\"}}\n//- /reader/x.js\nprocess.env.DB_NAME; process.env.DB_HOST\n";
    let all = both(example) + reader + &example("/reader");
    assert_eq!(databases(&planned(&all)), [("orders", "app"), ("reader", "app"), ("users", "app")]);
}

#[test]
fn services_that_name_one_database_on_servers_of_their_own_share_none() {
    let service = |name: &str, host: &str| {
        format!(
            "//- /{name}/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n//- /{name}/pom.xml\n<project><dependencies><dependency>\
             <groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-data-mongodb</artifactId></dependency></dependencies></project>\n\
             //- /{name}/src/main/resources/application.yml\nspring:\n  data:\n    mongodb:\n      host: {host}\n      database: shop\n"
        )
    };
    let of = |orders: &str, users: &str| service("orders", orders) + &service("users", users);
    let apart = planned(&of("orders-mongo", "users-mongo"));
    assert_eq!(databases(&apart), [("orders", "orders"), ("users", "users")]);
    let told = apart.inventory.problems.iter().find(|problem| problem.code == "databases-apart");
    assert_eq!(
        told.map(|problem| problem.message.as_str()),
        Some(
            "`orders` and `users` all name the database `shop` on `mongodb`, each on a server of its own, which is one here, so \
             each gets a database of its own"
        )
    );
    let shared = [("orders", "shop"), ("users", "shop")];
    for (orders, users) in
        [("mongo", "mongodb"), ("shop-mongo-primary", "shop-mongo-replica"), ("orders-mongo", "localhost")]
    {
        assert_eq!(databases(&planned(&of(orders, users))), shared, "{orders} {users}");
    }
    let config = "services:\n  orders: { env: { SPRING_DATA_MONGODB_DATABASE: shop } }\n";
    let wanted = try_plan(&of("orders-mongo", "users-mongo"), config).expect("can be planned");
    assert_eq!(databases(&wanted), shared);
}

#[test]
fn database_of_the_tests_is_none_of_the_service() {
    let service = |reads: &str, env: &str| {
        planned(&format!(
            "//- /orders/Dockerfile\nFROM node:22\nCOPY . .\n//- /orders/package.json\n{{\"dependencies\":{{\"pg\":\"8\"}}}}\n\
             //- /orders/x.js\n{reads}\n//- /orders/.env.example\n{env}\n"
        ))
    };
    let reads =
        "process.env.DB_HOST; process.env.DB_NAME; process.env.TEST_DB_HOST; process.env.TEST_DB_NAME";
    let both =
        service(reads, "DB_HOST=localhost\nDB_NAME=shop\nTEST_DB_HOST=localhost\nTEST_DB_NAME=shop_test");
    assert_eq!(databases(&both), [("orders", "shop")]);
    assert_eq!(
        super::value(&both, "orders", "TEST_DB_NAME").as_deref(),
        Some("${ORDERS_TEST_DB_NAME:-shop_test}")
    );
    let only = service("process.env.DATABASE_URL", "DATABASE_URL=postgresql://localhost:5432/test_db");
    assert_eq!(databases(&only), [("orders", "orders")]);
}

#[test]
fn database_that_the_code_opens_by_a_name_of_its_own_is_called_so() {
    let named = |manifest: &str, file: &str, code: &str| {
        let tree = format!(
            "//- /api/Dockerfile\nFROM node:22\nCOPY . .\n//- /api/{manifest}\n//- /api/{file}\n{code}\n"
        );
        databases(&planned(&tree)).first().map(|(_, database)| (*database).to_owned())
    };
    let node = "package.json\n{\"dependencies\":{\"pg\":\"8\"}}";
    let django = "requirements.txt\ndjango\npsycopg2";
    let go = "go.mod\nmodule x\n\nrequire github.com/lib/pq v1.10.0";
    let mongo = "package.json\n{\"dependencies\":{\"mongodb\":\"6\"}}";
    for (manifest, file, code) in [
        (
            node,
            "x.js",
            "new Pool({\n  host: process.env.DB_HOST,\n  user: process.env.DB_USER,\n  database: 'shop',\n});",
        ),
        (
            node,
            "x.js",
            "new Sequelize('shop', process.env.DB_USER, process.env.DB_PASS, { host: process.env.DB_HOST });",
        ),
        (
            django,
            "app/settings.py",
            "D = {'default': {\n 'ENGINE': 'django.db.backends.postgresql',\n 'NAME': 'shop',\n 'HOST': os.environ['DB_HOST'],\n}}",
        ),
        (
            go,
            "main.go",
            "dsn := fmt.Sprintf(\"host=%s user=%s dbname=shop sslmode=disable\", os.Getenv(\"DB_HOST\"), os.Getenv(\"DB_USER\"))",
        ),
        (
            mongo,
            "x.js",
            "const c = new MongoClient(process.env.MONGO_URI || 'mongodb://localhost:27017/other');\nclient.db('admin');\nclient.db('shop');",
        ),
    ] {
        assert_eq!(named(manifest, file, code).as_deref(), Some("shop"), "{code}");
    }
    // A name that a variable gives counts more, and of two that the code opens nobody knows which one is meant.
    for code in [
        "new Pool({ host: process.env.DB_HOST, database: process.env.DB_NAME });\nnew Pool({ host: process.env.X, database: 'shop' });",
        "new Pool({ host: process.env.DB_HOST, database: 'shop' });\nnew Pool({ host: process.env.DB_HOST, database: 'stock' });",
    ] {
        assert_eq!(named(node, "x.js", code).as_deref(), Some("api"), "{code}");
    }
}

#[test]
fn config_names_the_database_of_a_service() {
    let one = migrated("orders", &example("/orders"));
    let config = "services:\n  orders: { env: { DB_NAME: shop } }\n";
    assert_eq!(databases(&try_plan(&one, config).expect("can be planned")), [("orders", "shop")]);
}

#[test]
fn services_with_one_code_stay_together_in_a_database_of_their_own() {
    let worker = "//- /orders/Dockerfile.worker\nFROM node:22\nCOPY . .\nCMD [\"node\", \"worker.js\"]\n";
    let orders = migrated("orders", &example("/orders")) + worker;
    let stack = planned(&(orders + &migrated("users", &example("/users"))));
    let all = databases(&stack);
    assert_eq!(
        all.iter().map(|(_, database)| *database).collect::<Vec<_>>(),
        ["orders", "orders", "users"],
        "{all:?}"
    );
}

#[test]
fn file_of_sqlite_is_no_name_of_a_servers_database() {
    let service = |name: &str| {
        format!(
            "//- /{name}/Dockerfile\nFROM python:3.13\n//- /{name}/requirements.txt\nasyncpg\naiosqlite\n\
             //- /{name}/config.py\nfrom pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    DB_HOST: str\n    DB_NAME: str\n\
             class TestSettings(BaseSettings):\n    DB_NAME: str = \"test.sqlite3\"\n"
        )
    };
    let stack = planned(&(service("places") + &service("users")));
    assert_eq!(databases(&stack), [("places", "places"), ("users", "users")]);
}

/// A service of a workspace whose package `packages/store` makes the tables, and these files beside.
fn of_the_package(name: &str, variable: &str, files: &str) -> String {
    format!(
        "//- /apps/{name}/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"x.js\"]\n\
         //- /apps/{name}/package.json\n{{\"name\":\"{name}\",\"dependencies\":{{\"store\":\"workspace:*\",\"pg\":\"8\"}}}}\n\
         //- /apps/{name}/x.js\nimport 'store'; process.env.{variable}\n{files}"
    )
}

const PACKAGE: &str = "//- /package.json\n{\"workspaces\":[\"apps/*\",\"packages/*\"]}\n\
    //- /packages/store/package.json\n{\"name\":\"store\",\"scripts\":{\"migrate\":\"prisma migrate deploy\"},\"dependencies\":{\"prisma\":\"5\"}}\n";

#[test]
fn services_whose_tables_one_package_makes_share_the_database_that_nobody_names() {
    let planned_with = |files: &str| {
        let users = of_the_package("users", "DATABASE_URL", files);
        planned(&format!("{PACKAGE}{}{users}", of_the_package("orders", "DATABASE_URL", "")))
    };
    assert_eq!(databases(&planned_with("")), [("orders", "store"), ("users", "store")]);
    // The name that one of them has is that of all.
    let example = "//- /apps/users/.env.example\nDATABASE_URL=postgresql://localhost:5432/shop\n";
    assert_eq!(databases(&planned_with(example)), [("orders", "shop"), ("users", "shop")]);
    // Who makes tables of its own keeps them apart.
    let own = "//- /apps/users/prisma/migrations/migration_lock.toml\nprovider = \"postgresql\"\n//- /apps/users/prisma/schema.prisma\nmodel A {}\n";
    assert_eq!(databases(&planned_with(own)), [("orders", "orders"), ("users", "users")]);
}

#[test]
fn services_that_call_their_addresses_after_themselves_share_no_database() {
    let orders = of_the_package("orders", "ORDERS_DATABASE_URL", "");
    let users = of_the_package("users", "USERS_DATABASE_URL", "");
    let stack = planned(&format!("{PACKAGE}{orders}{users}"));
    assert_eq!(databases(&stack), [("orders", "orders"), ("users", "users")]);
}
