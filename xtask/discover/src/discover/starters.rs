//! Clients that Spring Boot makes by itself because a starter is there, without a word of configuration: the variables
//! by which they are told where their servers are. Without them they look on their own machine, and the health that the
//! actuator answers is down.

use std::collections::BTreeSet;

use crate::model::fact::{Fact, ServiceFacts, Subject, What};

/// A client, by what makes it.
struct Starter {
    kind: &'static str,
    /// Ends of the artifacts that make it, versions for reactive programs included.
    artifacts: &'static [&'static str],
    /// Words of variables and keys by which a program configures it otherwise.
    words: &'static [&'static str],
    variables: &'static [&'static str],
}

const STARTERS: &[Starter] = &[
    Starter {
        kind: "redis",
        artifacts: &[
            ":spring-boot-starter-data-redis",
            ":spring-boot-starter-data-redis-reactive",
            ":redisson-spring-boot-starter",
        ],
        words: &["REDIS", "VALKEY", "CACHE"],
        variables: &["SPRING_DATA_REDIS_HOST", "SPRING_DATA_REDIS_PORT"],
    },
    Starter {
        kind: "rabbitmq",
        artifacts: &[
            ":spring-boot-starter-amqp",
            ":spring-cloud-stream-binder-rabbit",
            ":spring-cloud-starter-stream-rabbit",
        ],
        words: &["RABBIT", "AMQP", "BROKER"],
        variables: &[
            "SPRING_RABBITMQ_HOST",
            "SPRING_RABBITMQ_PORT",
            "SPRING_RABBITMQ_USERNAME",
            "SPRING_RABBITMQ_PASSWORD",
        ],
    },
    Starter {
        kind: "kafka",
        artifacts: &[":spring-cloud-stream-binder-kafka", ":spring-cloud-starter-stream-kafka"],
        words: &["KAFKA", "BROKER", "BOOTSTRAP"],
        variables: &["SPRING_KAFKA_BOOTSTRAP_SERVERS"],
    },
];

/// Connects only when the program sends or listens, so its own code has to show that it does.
const KAFKA: Starter = Starter {
    kind: "kafka",
    artifacts: &[":spring-kafka", ":spring-boot-starter-kafka"],
    words: &["KAFKA", "BROKER", "BOOTSTRAP"],
    variables: &["SPRING_KAFKA_BOOTSTRAP_SERVERS"],
};

/// Of a pool of connections to a database; flyway and liquibase, which open one at the start, make it needed.
const DATA_SOURCE: Starter = Starter {
    kind: "",
    artifacts: &[
        ":postgresql",
        ":mysql-connector-j",
        ":mysql-connector-java",
        ":mariadb-java-client",
        ":mssql-jdbc",
    ],
    words: &["DATASOURCE", "DATABASE", "JDBC", "R2DBC", "POSTGRES", "MYSQL", "MARIADB", "SQLSERVER", "DB"],
    variables: &["SPRING_DATASOURCE_URL", "SPRING_DATASOURCE_USERNAME", "SPRING_DATASOURCE_PASSWORD"],
};

/// Adds the reads of a service's starters that nothing in its configuration speaks of.
pub(super) fn add_variables(service: &mut ServiceFacts) {
    let is = |wanted: &str| {
        service.facts.iter().any(|fact| matches!(&fact.what, What::Framework { name } if name == wanted))
    };
    // What another server tells its clients is not seen here.
    if !is("spring-boot") || is("config-client") {
        return;
    }
    let migrates = service
        .facts
        .iter()
        .any(|fact| matches!(&fact.what, What::Migration { .. }) && fact.at.rule.starts_with("java-"));
    let data_source = Some(&DATA_SOURCE).filter(|_| migrates && !is("embedded-database"));
    let uses = |starter: &Starter| {
        service.facts.iter().any(|fact| matches!(&fact.what, What::Uses { kind } if kind == starter.kind))
    };
    let named: BTreeSet<String> = service.facts.iter().filter_map(named).collect();
    let mut added = Vec::new();
    let kafka = Some(&KAFKA).filter(|kafka| uses(kafka));
    for starter in STARTERS.iter().chain(kafka).chain(data_source) {
        // A library's starter makes a client in each service that has the library; not each of them asks it for anything.
        let counts = |fact: &Fact| fact.at.path.is_in(&service.path) || uses(starter);
        let makes = |fact: &&Fact| match &fact.what {
            What::Driver { package, dev_only: false, .. } => {
                starter.artifacts.iter().any(|artifact| package.ends_with(artifact)) && counts(fact)
            }
            _ => false,
        };
        let Some(fact) = service.facts.iter().find(makes) else { continue };
        let speaks = |name: &String| {
            name.split('_').any(|word| starter.words.iter().any(|known| word.contains(known)))
        };
        if named.iter().any(speaks) {
            continue;
        }
        added.extend(starter.variables.iter().map(|name| Fact {
            what: What::EnvRead { name: (*name).to_owned(), default: None, required: false },
            at: fact.at.clone(),
            subject: Subject::Here,
        }));
    }
    service.facts.extend(added);
}

/// The variable or address that a fact is about, in capitals.
fn named(fact: &Fact) -> Option<String> {
    let name = match &fact.what {
        What::EnvRead { name, .. } | What::EnvValue { name, .. } => name.clone(),
        What::Reference(reference) => {
            format!("{}_{}", reference.via.as_deref().unwrap_or_default(), reference.scheme)
        }
        _ => return None,
    };
    Some(name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    fn reads(dependencies: &[&str], configuration: &str) -> Vec<String> {
        let dependencies: String =
            dependencies.iter().map(|one| format!("    implementation '{one}'\n")).collect();
        let tree = format!(
            "//- /orders/Dockerfile\nFROM eclipse-temurin:21\nCOPY . .\n//- /orders/build.gradle\nplugins {{\n    id 'org.springframework.boot' version '3.4.0'\n}}\ndependencies {{\n{dependencies}}}\n\
             //- /orders/src/main/resources/application.yml\n{configuration}\n"
        );
        let catalog = Catalog::load(&[]).expect("is read");
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
        let read = |fact: &Fact| match &fact.what {
            What::EnvRead { name, .. } => Some(name.clone()),
            _ => None,
        };
        let mut names: Vec<String> = facts.services[0].facts.iter().filter_map(read).collect();
        names.retain(|name| name != "SPRING_PROFILES_ACTIVE");
        names
    }

    const REDIS: &str = "org.springframework.boot:spring-boot-starter-data-redis-reactive";
    const POSTGRES: &str = "org.postgresql:postgresql";
    const FLYWAY: &str = "org.flywaydb:flyway-core";

    #[test]
    fn starters_that_nothing_configures_are_told_where_their_servers_are() {
        assert_eq!(reads(&[REDIS], "a: b"), ["SPRING_DATA_REDIS_HOST", "SPRING_DATA_REDIS_PORT"]);
        let binder = "org.springframework.cloud:spring-cloud-stream-binder-kafka:4.1.0";
        assert_eq!(reads(&[binder], "a: b"), ["SPRING_KAFKA_BOOTSTRAP_SERVERS"]);
        assert_eq!(reads(&[POSTGRES, FLYWAY], "spring:\n  jpa:\n    open-in-view: false").len(), 3);
    }

    #[test]
    fn what_is_configured_or_embedded_is_left_alone() {
        assert_eq!(
            reads(&[REDIS], "spring:\n  data:\n    redis:\n      host: ${CACHE_HOST}"),
            ["CACHE_HOST"]
        );
        assert_eq!(reads(&[POSTGRES], "a: b"), [""; 0]);
        assert_eq!(reads(&[POSTGRES, FLYWAY, "com.h2database:h2"], "a: b"), [""; 0]);
        let url = "spring:\n  datasource:\n    url: jdbc:postgresql://db:5432/orders";
        assert_eq!(reads(&[POSTGRES, FLYWAY], url), [""; 0]);
    }
}
