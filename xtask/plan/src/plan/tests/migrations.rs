//! Who runs the migrations of a service, and who waits for that.

use super::*;
use crate::model::stack::Condition;

const ALEMBIC: &str = "RUN pip install -r requirements.txt\nCOPY . .\n";
const FILES: &str = "//- /api/requirements.txt\nalembic\npsycopg\n//- /api/alembic.ini\nscript_location = alembic\nprepend_sys_path = .\n\
    //- /api/alembic/env.py\nurl = os.environ['DATABASE_URL']\n//- /api/.env.example\nDATABASE_URL=postgres://u:p@localhost:5432/shop\n";

/// A service `api` with Alembic; more lines of its Dockerfile, more files.
fn api(dockerfile: &str, files: &str) -> String {
    format!(
        "//- /api/Dockerfile\nFROM python:3.13-slim\nWORKDIR /app\n{ALEMBIC}EXPOSE 8000\n{dockerfile}CMD [\"python\", \"app.py\"]\n{FILES}{files}"
    )
}

fn container<'a>(stack: &'a Stack, name: &str) -> &'a Container {
    stack.containers.iter().find(|container| container.name == name).expect(name)
}

fn migrations(stack: &Stack) -> Vec<&str> {
    let runs = stack.containers.iter().filter(|container| container.kind == "migrate");
    runs.map(|container| container.name.as_str()).collect()
}

fn waits_for(stack: &Stack, name: &str) -> Vec<String> {
    let completed = container(stack, name)
        .depends_on
        .iter()
        .filter(|on| on.condition == Condition::Completed && on.target != assemble::PROBE);
    completed.map(|on| on.target.clone()).collect()
}

#[test]
fn a_service_waits_for_its_migrations_and_they_for_the_database() {
    let stack = planned(&api("", ""));
    assert_eq!(migrations(&stack), ["api-migrate"]);
    let (run, service) = (container(&stack, "api-migrate"), container(&stack, "api"));
    assert_eq!(run.command.as_deref(), Some(&["alembic", "upgrade", "head"].map(str::to_owned)[..]));
    assert_eq!((&run.build, &run.environment), (&service.build, &service.environment));
    assert!(run.ports.is_empty() && run.health_check.is_none() && run.reload.is_none());
    assert_eq!(run.networks, [("postgres".to_owned(), Vec::new())]);
    assert_eq!(waits_for(&stack, "api-migrate"), ["postgres-setup"]);
    assert_eq!(waits_for(&stack, "api"), ["postgres-setup", "api-migrate"]);
    let waves = &stack.inventory.startup_order;
    assert_eq!(*waves, [vec!["postgres"], vec!["api-migrate"], vec!["api"]]);
}

#[test]
fn one_code_base_on_one_database_migrates_once() {
    let worker = "//- /docker-compose.yml\nservices:\n  api:\n    build: ./api\n  work:\n    build: ./api\n    command: [python, work.py]\n";
    let stack = planned(&api("", worker));
    assert_eq!(migrations(&stack), ["api-migrate"]);
    for service in ["api", "work"] {
        assert!(waits_for(&stack, service).contains(&"api-migrate".to_owned()), "{service}");
    }
}

#[test]
fn who_migrates_at_its_start_gets_no_run() {
    let script = "//- /api/start.sh\nalembic upgrade head\nexec python app.py\n";
    let stack = planned(&api("ENTRYPOINT [\"./start.sh\"]\n", script));
    assert_eq!(migrations(&stack), Vec::<&str>::new());
    let by = service(&stack, "api").migrations.as_ref().map(|migrations| migrations.by.as_str());
    assert_eq!(by, Some("it runs them itself when it starts"));
}

#[test]
fn an_entry_point_that_does_more_than_to_pass_on_is_left_out() {
    let words = ["alembic", "upgrade", "head"].map(str::to_owned);
    let stack = planned(&api("ENTRYPOINT [\"./wait.sh\"]\n", "//- /api/wait.sh\nexec \"$@\"\n"));
    let run = container(&stack, "api-migrate");
    assert_eq!((run.entrypoint.as_deref(), run.command.as_deref()), (Some(&words[..]), None));
    let stack = planned(&api("ENTRYPOINT [\"/usr/bin/tini\", \"--\"]\n", ""));
    let run = container(&stack, "api-migrate");
    assert_eq!((run.entrypoint.as_deref(), run.command.as_deref()), (None, Some(&words[..])));
}

#[test]
fn volumes_and_checks_of_the_service_are_not_the_runs() {
    let stack = planned(&api("VOLUME /app/files\nHEALTHCHECK CMD python check.py\n", ""));
    let run = container(&stack, "api-migrate");
    assert!(run.volumes.is_empty());
    assert_eq!(run.tmpfs, ["/app/files"]);
    assert_eq!(run.health_check.as_ref().map(|check| check.test.clone()), Some(vec!["NONE".to_owned()]));
}

#[test]
fn a_database_that_runs_elsewhere_is_not_changed() {
    let external = "infrastructure:\n  postgres: { url: \"postgres://u:p@db.example.org/shop\" }\n";
    assert_eq!(migrations(&try_plan(&api("", ""), external).unwrap()), Vec::<&str>::new());
}

#[test]
fn config_says_another_command_or_none() {
    let with = |migrate: &str| {
        try_plan(&api("", ""), &format!("services:\n  api: {{ migrate: {migrate} }}\n"))
            .expect("can be planned")
    };
    let none = with("none");
    assert_eq!(migrations(&none), Vec::<&str>::new());
    assert_eq!(waits_for(&none, "api"), ["postgres-setup"]);
    let own = with("{ command: [python, migrate.py, \"$HOME\"] }");
    let words = container(&own, "api-migrate").command.clone();
    assert_eq!(words, Some(["python", "migrate.py", "$$HOME"].map(str::to_owned).to_vec()));
}

#[test]
fn what_config_decides_is_no_problem_any_more() {
    let lacking = api("", "").replace("alembic\npsycopg", "psycopg");
    let code = |stack: &Stack| codes(stack).contains(&"migrations-not-run");
    assert!(code(&planned(&lacking)));
    let decided = "services:\n  api: { migrate: none }\n";
    assert!(!code(&try_plan(&lacking, decided).expect("can be planned")));
}

#[test]
fn plain_files_are_mounted_into_the_image_of_their_tool() {
    let ledger = "//- /ledger/Dockerfile\nFROM scratch\nEXPOSE 9000\nCMD [\"/ledger\"]\n//- /ledger/migrations/1_x.up.sql\n-\n\
        //- /ledger/.env.example\nDATABASE_URL=postgres://u:p@localhost:5432/ledger\n";
    let stack = planned(ledger);
    let run = container(&stack, "ledger-migrate");
    assert!(
        run.build.is_none()
            && run.image.as_deref().is_some_and(|image| image.starts_with("migrate/migrate:"))
    );
    assert!(run.environment.is_empty(), "it is told by its command");
    let url = "postgres://ledger:${LEDGER_DB_PASSWORD:?set it in .env}@postgres:5432/ledger?sslmode=disable";
    assert!(
        run.command.as_ref().is_some_and(|words| words.iter().any(|word| word == url)),
        "{:?}",
        run.command
    );
    assert_eq!(waits_for(&stack, "ledger"), ["postgres-setup", "ledger-migrate"]);
}

#[test]
fn services_wait_for_the_job_that_migrates_their_database() {
    let job = "//- /migrator/Dockerfile\nFROM python:3.13-slim\nRUN pip install alembic\nCOPY . .\nCMD [\"alembic\", \"upgrade\", \"head\"]\n\
        //- /migrator/.env.example\nDATABASE_URL=postgres://u:p@localhost:5432/shop\n";
    let stack = planned(&api("", job));
    assert_eq!(migrations(&stack), Vec::<&str>::new(), "one of them is enough");
    assert_eq!(waits_for(&stack, "api"), ["postgres-setup", "migrator"]);
    assert_eq!(stack.inventory.startup_order, [vec!["postgres"], vec!["migrator"], vec!["api"]]);
    let by = service(&stack, "api").migrations.as_ref().map(|migrations| migrations.by.as_str());
    assert_eq!(by, Some("`migrator` runs them"));
}

#[test]
fn a_job_beside_a_service_migrates_that_services_database() {
    let tree = "//- /orders/Dockerfile\nFROM rust:1\nCOPY . .\nEXPOSE 8000\nCMD [\"orders\"]\n\
        //- /orders/Cargo.toml\n[package]\nname = \"orders\"\n[dependencies]\ndiesel = { version = \"2\", features = [\"postgres\"] }\n\
        //- /orders/src/main.rs\nfn main() { let url = std::env::var(\"DATABASE_URL\").unwrap(); let url = std::env::var(\"KAFKA_URL\").unwrap(); }\n\
        //- /orders/diesel.toml\n[print_schema]\n\
        //- /orders/Dockerfile.migrations\nFROM rust:1\nRUN cargo install diesel_cli\nCOPY migrations /m\nCMD [\"diesel\", \"migration\", \"run\"]\n";
    let stack = planned(tree);
    let job = container(&stack, "orders-migrations");
    assert!(job.ports.is_empty() && job.environment.iter().all(|(name, _)| name == "DATABASE_URL"));
    let setup = container(&stack, "postgres-setup");
    let databases = setup.labels.iter().find(|(name, _)| name == "xtask.databases");
    assert_eq!(
        databases.map(|(_, who)| who.as_str()),
        Some(
            "orders:orders:orders:ORDERS_DB_PASSWORD orders-migrations:orders:orders_migrations:ORDERS_MIGRATIONS_DB_PASSWORD"
        )
    );
    assert_eq!(waits_for(&stack, "orders"), ["postgres-setup", "orders-migrations"]);
}

#[test]
fn an_entry_point_that_nobody_knows_is_left_out() {
    let stack = planned(&api("", "").replace("FROM python:3.13-slim", "FROM example.org/ours/python:3"));
    let run = container(&stack, "api-migrate");
    assert!(run.entrypoint.is_some() && run.command.is_none());
}

#[test]
fn of_several_engines_the_one_whose_dialect_the_files_speak_is_migrated() {
    let ledger = |sql: &str, config: &str| {
        let tree = format!(
            "//- /ledger/Dockerfile\nFROM scratch\nEXPOSE 9000\nCMD [\"/ledger\"]\n\
             //- /ledger/migrations/1_x.up.sql\n{sql}\n\
             //- /ledger/.env.example\nMYSQL_URL=mysql://u:p@localhost:3306/old\nDATABASE_URL=postgres://u:p@localhost:5432/ledger\n"
        );
        try_plan(&tree, config).expect("can be planned")
    };
    let address = |stack: &Stack| {
        let words = container(stack, "ledger-migrate").command.clone().unwrap_or_default();
        words.into_iter().find(|word| word.contains("://")).unwrap_or_default()
    };
    let postgres = ledger("CREATE TABLE x (id serial);", "");
    assert!(address(&postgres).starts_with("postgres://ledger:"), "{}", address(&postgres));
    assert_eq!(waits_for(&postgres, "ledger-migrate"), ["postgres-setup"]);
    let mysql = ledger("CREATE TABLE x (id INT AUTO_INCREMENT);", "");
    assert!(address(&mysql).starts_with("mysql://ledger:"), "{}", address(&mysql));

    let unclear = ledger("CREATE TABLE x (id INT);", "");
    assert_eq!(migrations(&unclear), Vec::<&str>::new());
    let problem = unclear.inventory.problems.iter().find(|problem| problem.code == "migrations-not-run");
    let problem = problem.expect("it is said");
    assert_eq!(
        problem.message,
        "`ledger` keeps migrations for golang-migrate, and nothing seen runs them: for which of `mysql` and `postgres` they are is not seen"
    );
    assert_eq!(problem.at, ["ledger/migrations/1_x.up.sql:1"]);
    let decided = ledger("CREATE TABLE x (id INT);", "services:\n  ledger: { migrate: none }\n");
    assert!(!codes(&decided).contains(&"migrations-not-run"));
}

#[test]
fn a_volume_over_the_program_is_said_with_its_line() {
    let said = |dockerfile: &str| {
        let stack = planned(&api(dockerfile, ""));
        let found =
            stack.inventory.problems.iter().find(|problem| problem.code == "volume-over-code").cloned();
        found.map(|problem| (problem.message, problem.at))
    };
    assert_eq!(
        said("VOLUME /app\n"),
        Some((
            "`api` declares the volume /app over its own program: what is built later is not seen in it"
                .to_owned(),
            vec!["api/Dockerfile:6".to_owned()]
        ))
    );
    assert_eq!(said("VOLUME /app/files\n"), None);
    assert_eq!(said("VOLUME /data\n"), None);
}
