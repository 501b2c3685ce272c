//! The sample as `dev` and as `test` at the same time: apart in everything, and `test` forgets without being broken.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lab::{Own, docker, lab, until};
use crate::place::Place;

/// The images that it starts or builds from.
const IMAGES: &[&str] =
    &["postgres:17", "redis:8", "busybox:1.37-musl", "node:20-slim", "python:3.13-slim", "rust:1.85-slim"];

/// One of the systems: the files are those of the lab, the rest is its own.
struct System<'a> {
    lab: &'a Own,
    env: &'static str,
}

impl System<'_> {
    #[track_caller]
    fn run(&self, args: &[&str]) -> String {
        let args: Vec<&str> = args.iter().copied().chain(["--env", self.env]).collect();
        let screen = self.lab.xtask(&args).exits(0);
        screen.stderr + &screen.stdout
    }

    /// What `status` says of each container, by service.
    fn status(&self) -> BTreeMap<String, Value> {
        let report = self.lab.xtask(&["status", "--json", "--env", self.env]).exits(0);
        let mut report: Value = serde_json::from_str(&report.stdout).expect("it is JSON");
        let containers = report["containers"].as_array_mut().expect("a list");
        let named =
            containers.drain(..).map(|each| (each["service"].as_str().expect("a name").to_owned(), each));
        named.collect()
    }

    /// The host port of a service's only published port, as the engine has it now.
    fn port(&self, service: &str) -> u64 {
        let port = &self.status()[service]["ports"][0]["host"];
        port.as_u64().unwrap_or_else(|| panic!("{service} is published: {:?}", self.status()[service]))
    }

    /// The id of a service's container, from its label.
    fn container(&self, service: &str) -> String {
        let file = if self.env == "dev" {
            "integration/.env".to_owned()
        } else {
            format!("integration/.env.{}", self.env)
        };
        let text = self.lab.read(&file);
        let project =
            text.lines().find_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).expect("is named");
        let project = format!("label=com.docker.compose.project={project}");
        let service = format!("label=com.docker.compose.service={service}");
        docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &project, "--filter", &service])
    }

    fn add_user(&self, email: &str) {
        let body = json!({ "email": email, "name": "Ada", "password": "long enough" });
        let request = minreq::post(format!("http://127.0.0.1:{}/users", self.port("accounts")))
            .with_header("Content-Type", "application/json")
            .with_body(body.to_string());
        assert_eq!(request.send().expect("accounts answers").status_code, 201);
    }

    fn users(&self) -> Vec<String> {
        let answer = minreq::get(format!("http://127.0.0.1:{}/users", self.port("accounts"))).send();
        let users: Vec<Value> =
            serde_json::from_slice(answer.expect("accounts answers").as_bytes()).expect("a list");
        users.iter().filter_map(|user| user["email"].as_str()).map(str::to_owned).collect()
    }
}

#[test]
fn test_runs_beside_dev_with_its_data_in_memory_and_heals_when_an_engine_forgets() {
    let Some(lab) = lab(IMAGES, || Place::clone_of_this_project("environments")) else { return };
    lab.keep_apart();
    let (dev, test) = (System { lab: &lab, env: "dev" }, System { lab: &lab, env: "test" });

    dev.run(&["up"]);
    test.run(&["up"]);

    both_run_apart(&dev, &test);
    a_restarted_engine_is_set_up_again(&dev, &test);
    test.run(&["down"]);
    assert_eq!(test.container("postgres"), "");
    assert_eq!(dev.users(), ["dev@example.org"]);
}

fn both_run_apart(dev: &System<'_>, test: &System<'_>) {
    for service in ["accounts", "market", "trading", "postgres", "redis"] {
        assert_ne!(dev.container(service), test.container(service));
        assert_ne!(dev.port(service), test.port(service), "{service}");
    }
    dev.add_user("dev@example.org");
    test.add_user("test@example.org");
    assert_eq!(
        (dev.users(), test.users()),
        (vec!["dev@example.org".into()], vec!["test@example.org".into()])
    );

    let mounts = |system: &System<'_>| {
        let format = "{{range .Mounts}}{{.Type}} {{.Destination}}\n{{end}}{{json .HostConfig.Tmpfs}}";
        docker(&["inspect", "--format", format, &system.container("postgres")])
    };
    assert!(mounts(dev).contains("volume /var/lib/postgresql/data"), "{}", mounts(dev));
    assert!(!mounts(test).contains("volume /var/lib/postgresql/data"), "{}", mounts(test));
    assert!(mounts(test).contains("{\"/var/lib/postgresql/data\":\"\"}"), "{}", mounts(test));
    let filesystem =
        ["exec", &test.container("postgres"), "stat", "-f", "-c", "%T", "/var/lib/postgresql/data"];
    assert_eq!(docker(&filesystem), "tmpfs");
}

fn a_restarted_engine_is_set_up_again(dev: &System<'_>, test: &System<'_>) {
    let before = (dev.container("postgres"), dev.container("trading"));
    let postgres = test.container("postgres");
    docker(&["restart", &postgres]);
    let tables = "select count(*) from pg_database where datname = 'trading'";
    let query = ["exec", &postgres, "psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", tables];
    until("an empty server", || {
        std::process::Command::new("docker").args(query).output().is_ok_and(|output| output.stdout == b"0\n")
    });

    let screen = test.run(&["up"]);

    assert!(screen.contains("Stopping accounts and trading (postgres has lost its data)"), "{screen}");
    assert_eq!(test.users(), Vec::<String>::new());
    // Orders need what trading's own migrations made.
    test.run(&["smoke"]);

    assert_eq!((dev.container("postgres"), dev.container("trading")), before);

    let screen = test.run(&["up"]);
    assert!(!screen.contains("Stopping"), "nothing was forgotten since:\n{screen}");
}
