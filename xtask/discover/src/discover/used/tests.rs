//! What services are seen to use of the clients in their libraries.

use super::*;
use crate::discover::{Scope, discover};

/// The kinds that each service uses of its libraries, with the places.
fn uses(tree: &str) -> Vec<String> {
    let catalog = Catalog::load(&[]).expect("the catalogue parses");
    let facts = discover(&Repo::from_fixture(tree), &catalog, &Scope::default()).expect("is read");
    let of = |service: ServiceFacts| {
        let name = service.name.clone();
        let one = move |fact: Fact| match fact.what {
            What::Uses { kind } => Some(format!("{name}:{kind} {}", fact.at)),
            _ => None,
        };
        service.facts.into_iter().filter_map(one).collect::<Vec<_>>()
    };
    let mut uses: Vec<String> = facts.services.into_iter().flat_map(of).collect();
    uses.sort();
    uses
}

/// A service of TypeScript with the library of all services and one package for each kind.
fn node(main: &str) -> Vec<String> {
    let package = |name: &str, client: &str| {
        format!(
            "//- /libs/{name}/package.json\n{{ \"name\": \"@shop/{name}\", \"dependencies\": {{ {client} }} }}\n//- /libs/{name}/index.ts\nexport {{}}\n"
        )
    };
    let all = "\"redis\": \"4\", \"kafkajs\": \"2\", \"pg\": \"8\", \"@temporalio/client\": \"1\"";
    let libraries = package("app", all)
        + &package("redis", "\"redis\": \"4\"")
        + &package("queue", "\"kafkajs\": \"2\"")
        + &package("common", "\"mongodb\": \"6\"");
    uses(&format!(
        "//- /orders/Dockerfile\nFROM node:22\nCOPY orders orders\nCOPY libs libs\n//- /orders/package.json\n\
         {{ \"dependencies\": {{ \"@shop/app\": \"workspace:*\", \"@shop/redis\": \"workspace:*\", \"@shop/queue\": \"workspace:*\", \"@shop/common\": \"workspace:*\" }} }}\n\
         //- /orders/main.ts\n{main}\n{libraries}"
    ))
}

#[test]
fn parts_of_a_library_that_are_switched_on_are_used() {
    let config = "start({\n  producer: {\n    enabled: false,\n  },\n  temporal: {\n    enabled: true,\n  },\n  redis: { enabled: true },\n  postgres: false,\n})";
    assert_eq!(node(config), ["orders:redis orders/main.ts:8", "orders:temporal orders/main.ts:5"]);
    assert_eq!(
        node("new App().withPostgres().enableTemporal(false)\nconst useRedis = true"),
        ["orders:postgres orders/main.ts:1", "orders:redis orders/main.ts:2"]
    );
    assert_eq!(node("start({ producer: { enabled: true } })"), ["orders:kafka orders/main.ts:1"]);
}

#[test]
fn words_that_switch_nothing_are_no_use() {
    for line in [
        "interface Config { redis: { enabled: boolean } }",
        "// redis: true",
        "const redis = config.redis",
        "bundle({ database: true, cache: true })",
        "const withRedis = isTest",
    ] {
        assert_eq!(node(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn function_of_a_package_that_is_about_one_kind_is_a_use_and_its_types_are_none() {
    assert_eq!(
        node("import {\n  RedisClient,\n  getRedisClient,\n} from '@shop/redis'"),
        ["orders:redis orders/main.ts:4"]
    );
    assert_eq!(node("import { RedisClient, type key } from '@shop/redis'"), Vec::<String>::new());
    // What stands in the package for all says nothing about each of its kinds.
    assert_eq!(node("import { start } from '@shop/app'"), Vec::<String>::new());
    let library = |name: &str| format!("import {{ {name} }} from '@shop/common'");
    assert_eq!(node(&library("mongoClient")), ["orders:mongodb orders/main.ts:1"]);
    assert_eq!(node(&library("formatDate")), Vec::<String>::new());
    let off = "import { connect } from '@shop/queue'\nstart({ producer: { enabled: false } })";
    assert_eq!(node(off), Vec::<String>::new());
}

#[test]
fn options_of_a_builder_are_uses_in_each_language() {
    let go = |main: &str| {
        uses(&format!(
            "//- /go.mod\nmodule example.org/shop\nrequire github.com/redis/go-redis/v9 v9.7.0\nrequire github.com/segmentio/kafka-go v0.4.47\n\
             require github.com/jackc/pgx/v5 v5.7.1\n//- /cmd/orders/Dockerfile\nFROM golang\nCOPY . .\n//- /cmd/orders/main.go\npackage main\nimport \"example.org/shop/app\"\n{main}\n\
             //- /app/app.go\npackage app\nimport (\n\t\"github.com/redis/go-redis/v9\"\n\t\"github.com/segmentio/kafka-go\"\n\t\"github.com/jackc/pgx/v5\"\n)\n"
        ))
    };
    assert_eq!(
        go("func main() { app.New(app.WithRedis(), app.WithKafkaConsumer(\"x\")) }"),
        ["orders:kafka cmd/orders/main.go:3", "orders:redis cmd/orders/main.go:3"]
    );
    assert_eq!(
        go("var options = app.Options{EnableRedis: false, KafkaEnabled: true}"),
        ["orders:kafka cmd/orders/main.go:3"]
    );
    let python = |main: &str| {
        uses(&format!(
            "//- /orders/Dockerfile\nFROM python\nCOPY orders orders\nCOPY common common\n//- /orders/requirements.txt\nfastapi\n//- /orders/main.py\n{main}\n\
             //- /common/requirements.txt\nredis\naio-pika\nasyncpg\n//- /common/app.py\nx = 1\n"
        ))
    };
    assert_eq!(python("app = build(use_redis=True, use_rabbitmq=False)"), ["orders:redis orders/main.py:1"]);
    assert_eq!(python("import aio_pika"), ["orders:rabbitmq orders/main.py:1"]);
}

/// A service of Spring with the starters of one library.
fn spring(starters: &[&str], code: &str) -> Vec<String> {
    let starters: String = starters.iter().map(|one| format!("    api '{one}'\n")).collect();
    uses(&format!(
        "//- /settings.gradle\ninclude 'orders', 'common'\n//- /orders/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n\
         //- /orders/build.gradle\ndependencies {{\n    implementation project(':common')\n    implementation 'org.springframework.boot:spring-boot-starter-web'\n}}\n\
         //- /orders/src/main/java/Orders.java\n{code}\n//- /common/build.gradle\ndependencies {{\n{starters}}}\n//- /common/src/main/java/Common.java\nclass Common {{}}\n"
    ))
}

#[test]
fn starters_of_a_library_are_used_by_those_that_import_their_classes() {
    let starters = [
        "org.springframework.boot:spring-boot-starter-data-redis",
        "org.springframework.kafka:spring-kafka:3.1",
    ];
    let listener = "import org.springframework.kafka.annotation.KafkaListener;\nclass Orders {}";
    assert_eq!(spring(&starters, listener), ["orders:kafka orders/src/main/java/Orders.java:1"]);
    let template = "import org.springframework.data.redis.core.RedisTemplate;";
    assert_eq!(spring(&starters, template), ["orders:redis orders/src/main/java/Orders.java:1"]);
    assert_eq!(spring(&starters, "import org.springframework.data.domain.Page;"), Vec::<String>::new());
}

#[test]
fn client_that_connects_when_the_program_starts_is_used_by_all() {
    let starter = ["org.redisson:redisson-spring-boot-starter:3.27.2"];
    assert_eq!(spring(&starter, "class Orders {}"), ["orders:redis common/build.gradle:2"]);
}
