//! Plans from small monorepos: what of the servers of a library a service gets.

use super::*;

#[test]
fn service_gets_the_servers_of_the_parts_of_a_library_that_it_switches_on() {
    let library = "//- /libs/app/package.json\n{\"name\":\"@shop/app\",\"dependencies\":{\"ioredis\":\"5\",\"kafkajs\":\"2\",\"mongodb\":\"6\"}}\n\
        //- /libs/app/app.js\nf(process.env.REDIS_URL, process.env.KAFKA_BROKERS, process.env.MONGODB_URI)\n";
    let with = |name: &str, code: &str| {
        let files = format!(
            "//- /{name}/package.json\n{{\"dependencies\":{{\"@shop/app\":\"workspace:*\"}}}}\n//- /{name}/x.js\n{code}\n"
        );
        node(name, &files).replace("CMD", "COPY libs libs\nCMD")
    };
    let orders = with("orders", "start({ redis: { enabled: true }, kafka: { enabled: false } })");
    let mails = with("mails", "new App().withKafka().withMongoDB()");
    let stack = planned(&format!("{orders}{mails}{library}"));
    assert_eq!(requires(&stack, "orders"), ["redis"]);
    assert_eq!(requires(&stack, "mails"), ["kafka", "mongodb"]);
    assert_eq!(value(&stack, "orders", "REDIS_URL").as_deref(), Some("redis://redis:6379/0"));
}

#[test]
fn clients_of_springs_that_only_a_library_brings_are_told_where_their_servers_are() {
    let common = |clients: &str| {
        format!(
            "//- /common/build.gradle\ndependencies {{\n{clients}}}\n//- /common/src/main/java/C.java\nclass C {{}}\n"
        )
    };
    let orders = |code: &str| {
        format!(
            "//- /settings.gradle\ninclude 'orders', 'common'\n//- /orders/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n\
             //- /orders/build.gradle\ndependencies {{\n    implementation project(':common')\n    implementation 'org.springframework.boot:spring-boot-starter-web'\n}}\n\
             //- /orders/src/main/java/O.java\n{code}\n"
        )
    };
    let lazy = "    api 'org.springframework.boot:spring-boot-starter-data-redis'\n    api 'org.springframework.kafka:spring-kafka'\n";
    let listens = orders("import org.springframework.kafka.annotation.KafkaListener;\nclass O {}");
    let stack = planned(&format!("{listens}{}", common(lazy)));
    assert_eq!(requires(&stack, "orders"), ["kafka"]);
    assert_eq!(value(&stack, "orders", "SPRING_KAFKA_BOOTSTRAP_SERVERS").as_deref(), Some("kafka:9092"));
    let stack = planned(&format!("{}{}", orders("class O {}"), common(lazy)));
    assert_eq!(requires(&stack, "orders"), Vec::<String>::new());
    let eager = "    api 'org.redisson:redisson-spring-boot-starter:3.27.2'\n";
    let stack = planned(&format!("{}{}", orders("class O {}"), common(eager)));
    assert_eq!(value(&stack, "orders", "SPRING_DATA_REDIS_HOST").as_deref(), Some("redis"));
}

#[test]
fn code_beside_a_dockerfile_that_lies_apart_is_the_program_and_no_library() {
    let tree = |own: &str| {
        format!(
            "//- /deploy/orders/Dockerfile\nFROM python:3.13-slim\nCOPY orders orders\nCOPY common common\n{own}//- /common/requirements.txt\nredis\naio-pika\nasyncpg\n\
             //- /common/app.py\nimport os\nurl = os.environ.get(\"REDIS_URL\")\n//- /orders/main.py\nx = 1\n\
             //- /deploy/users/Dockerfile\nFROM python:3.13-slim\nCOPY common common\n"
        )
    };
    assert_eq!(requires(&planned(&tree("")), "orders"), ["redis"]);
    let own = "//- /deploy/orders/requirements.txt\nfastapi\n";
    assert_eq!(requires(&planned(&tree(own)), "orders"), Vec::<String>::new());
}
