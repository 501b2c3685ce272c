//! Images that do something once for the service beside which they lie: `orders/Dockerfile.migrations`.

use std::collections::BTreeSet;

use super::super::migrating;
use super::files;
use crate::catalog::{Catalog, Class};
use crate::model::fact::{Fact, Image, ServiceFacts, SetAside, What};

/// Migration tools that are programs of their own, and do nothing as long as nobody tells them what.
const TOOLS: &[&str] = &[
    "alembic",
    "atlas",
    "dbmate",
    "diesel",
    "flyway",
    "goose",
    "liquibase",
    "migrate",
    "sea-orm-cli",
    "sqlx",
];

/// Words of variables that say where a database is.
const DATABASE: &[&str] = &[
    "database",
    "datasource",
    "db",
    "dsn",
    "jdbc",
    "mariadb",
    "mongo",
    "mongodb",
    "mssql",
    "mysql",
    "pg",
    "pgdatabase",
    "pghost",
    "pgpassword",
    "pgport",
    "pguser",
    "postgres",
    "postgresql",
    "sql",
];

/// Takes away what is about the service and not about its task, and sets tasks aside that nobody here tells what to do.
/// What only brings a database up to date listens nowhere, whatever its image exposes.
pub(in crate::discover) fn settle(
    services: &mut Vec<ServiceFacts>,
    catalog: &Catalog,
    aside: &mut Vec<SetAside>,
) {
    let homes: BTreeSet<_> =
        services.iter().filter(|service| !is_task(service)).map(|service| service.path.clone()).collect();
    services.retain_mut(|service| {
        if !is_task(service) || !homes.contains(&service.path) {
            return true;
        }
        if service.command.is_none() && waits_for_orders(&service.image) {
            let reason = "a migration tool that whoever starts it has to tell what to do".to_owned();
            aside.push(SetAside { path: service.dockerfile.clone(), reason });
            return false;
        }
        let own = service.dockerfile.clone();
        service.facts.retain(|fact| fact.at.path == own || is_about_a_database(fact, catalog));
        true
    });
    aside.sort_by(|a, b| a.path.cmp(&b.path));
    for service in services.iter_mut().filter(|service| only_migrates(service)) {
        service.facts.retain(|fact| !matches!(fact.what, What::Port { .. }));
    }
}

/// Whether all that it starts is a migration tool: `CMD ["flask", "db", "upgrade"]`.
fn only_migrates(service: &ServiceFacts) -> bool {
    let words: Vec<&str> = service.start().map(String::as_str).collect();
    let text = words.join(" ");
    migrating::called(&text).is_some() && !["&&", "||", ";", "|", "\n"].iter().any(|next| text.contains(next))
}

/// Whether its Dockerfile's name says so.
pub(super) fn is_task(service: &ServiceFacts) -> bool {
    let stem = files::docker_name(service.dockerfile.name()).and_then(|name| name.stem);
    stem.is_some_and(|stem| files::without_task(&stem).is_some())
}

/// Whether an image starts a tool without a word more.
fn waits_for_orders(image: &Image) -> bool {
    let words: Vec<&String> = image.start().collect();
    let is_tool = |path: &str| TOOLS.contains(&path.rsplit('/').next().unwrap_or_default());
    match words.as_slice() {
        [] => is_tool(image.base.split([':', '@']).next().unwrap_or_default()),
        [only] => is_tool(only),
        _ => false,
    }
}

fn is_about_a_database(fact: &Fact, catalog: &Catalog) -> bool {
    let by_kind = |kind: &str| catalog.get(kind).is_some_and(|entry| entry.class == Class::Database);
    match &fact.what {
        What::Migration { .. } | What::SchemaFile => true,
        What::Driver { kind, .. } => by_kind(kind),
        What::EnvRead { name, .. } | What::EnvValue { name, .. } => names_a_database(name),
        What::Reference(reference) => match &reference.via {
            Some(name) => names_a_database(name),
            None => catalog.by_scheme(&reference.scheme).is_some_and(|entry| entry.class == Class::Database),
        },
        _ => false,
    }
}

fn names_a_database(variable: &str) -> bool {
    let lower = variable.to_ascii_lowercase();
    lower.split(['_', '.']).any(|word| DATABASE.contains(&word))
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::{Facts, What};
    use crate::repo::Repo;

    const SERVICE: &str = "//- /orders/Dockerfile.dev\nFROM node:22\nCOPY . .\nEXPOSE 8000\nCMD [\"node\", \"app.js\"]\n\
        //- /orders/package.json\n{ \"dependencies\": { \"pg\": \"8\", \"kafkajs\": \"2\" } }\n\
        //- /orders/app.js\nconst db = process.env.DATABASE_URL, k = process.env.KAFKA_URL; app.listen(8000)\n";

    fn found(task: &str) -> Facts {
        let tree = format!("{SERVICE}//- /orders/Dockerfile.migrations\n{task}");
        discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read")
    }

    #[test]
    fn a_task_is_not_the_service_beside_which_it_lies() {
        let facts = found(
            "FROM rust:1\nRUN cargo install diesel_cli\nCOPY migrations /m\nCMD [\"diesel\", \"migration\", \"run\"]\n",
        );
        let names: Vec<(&str, &str)> =
            facts.services.iter().map(|service| (service.name.as_str(), service.dockerfile.name())).collect();
        assert_eq!(names, [("orders", "Dockerfile.dev"), ("orders-migrations", "Dockerfile.migrations")]);
        let read = |at: usize| {
            let name = |what: &What| match what {
                What::EnvRead { name, .. } => Some(name.clone()),
                What::Port { port, .. } => Some(port.to_string()),
                _ => None,
            };
            facts.services[at].facts.iter().filter_map(|fact| name(&fact.what)).collect::<Vec<_>>()
        };
        assert_eq!(read(1), ["DATABASE_URL"]);
        assert!(read(0).contains(&"KAFKA_URL".to_owned()) && read(0).contains(&"8000".to_owned()));
    }

    #[test]
    fn what_only_migrates_listens_nowhere_whatever_it_exposes() {
        let ports = |start: &str| {
            let facts = found(&format!("FROM python:3\nCOPY . .\nEXPOSE 8000\nCMD {start}\n"));
            let ports = facts.services[1].facts.iter().filter(|fact| matches!(fact.what, What::Port { .. }));
            ports.count()
        };
        assert_eq!(ports(r#"["flask", "db", "upgrade"]"#), 0);
        assert_eq!(ports("alembic upgrade head"), 0);
        assert!(ports("alembic upgrade head && gunicorn app:app") > 0);
    }

    #[test]
    fn a_tool_that_nobody_tells_what_to_do_is_set_aside() {
        let facts = found("FROM alpine\nCOPY db /migrations\nENTRYPOINT [\"migrate\"]\n");
        assert_eq!(facts.services.len(), 1);
        let aside: Vec<String> =
            facts.set_aside.iter().map(|one| format!("{}: {}", one.path, one.reason)).collect();
        assert_eq!(
            aside,
            ["orders/Dockerfile.migrations: a migration tool that whoever starts it has to tell what to do"]
        );
    }
}
