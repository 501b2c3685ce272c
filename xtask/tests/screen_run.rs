//! The screens of the commands that run the system, whole, against a `docker` that is a script: no engine needed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test plays the user at the same disk")]

#[path = "screen/exec.rs"]
mod exec;
#[path = "screen/fake.rs"]
mod fake;
#[path = "screen/preflight.rs"]
mod preflight;
#[path = "screen/remote.rs"]
mod remote;
#[path = "screen/terminal.rs"]
mod terminal;

use std::net::TcpListener;

use fake::{Fake, Screen};

/// A setup of two services, one built and one pulled, as `docker compose config` shows it.
const CONFIG: &str = r#"echo '{"services":{"api":{"build":{"context":"/nowhere","dockerfile":"Dockerfile"},"depends_on":{"db":{"condition":"service_healthy"}},"ports":[{"host_ip":"127.0.0.1","target":3000,"published":"PORT"}]},"db":{"image":"postgres:17"}}}'"#;
/// What `docker ps` shows of one container.
fn ps(service: &str, state: &str, status: &str) -> String {
    format!(
        r#"echo '{{"id":"{service}-id","name":"shop-{service}-1","image":"{service}","state":"{state}","status":"{status}","ports":"","created":"","service":"{service}","depends_on":"","role":"service","kind":"","main":"","health":""}}'"#
    )
}

fn machine() -> Fake {
    Fake::new()
        .on("compose version --short", "echo 2.26.1-4")
        .on("version --format*", "echo 26.1.5+dfsg1")
        .file(
            "docker-compose.yml",
            "name: shop\nservices:\n  api:\n    build: ../api\n  db:\n    image: postgres:17\n",
        )
        .file(".env", "COMPOSE_PROJECT_NAME=shop\n")
}

fn assert_screen(screen: &Screen, code: i32, stderr: &str) {
    assert_eq!((screen.stderr.as_str(), screen.code), (stderr, code), "stdout: {}", screen.stdout);
}

/// `up` first says of this folder without code that it cannot tell whether the setup is fresh.
fn assert_ends(screen: &Screen, code: i32, stderr: &str) {
    assert!(screen.stderr.ends_with(stderr), "{}\n--- does not end with\n{stderr}", screen.stderr);
    assert_eq!(screen.code, code);
}

#[test]
fn without_docker_it_says_how_to_get_it() {
    let screen = Fake::without_docker().run(&["down"]);
    assert_screen(
        &screen,
        1,
        "error: `docker` is not installed\n  why: no program of this name on the PATH\n  fix: cargo xtask doctor --install\n",
    );
}

#[test]
fn an_engine_that_does_not_run_is_told_from_one_that_may_not_be_asked() {
    let refused = |words: &str| {
        Fake::new().on("version --format*", &format!("echo '{words}' >&2; exit 1")).run(&["down"])
    };
    assert_screen(
        &refused("Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
        1,
        "error: the Docker engine does not answer\n  \
         why: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n       \
         $ docker version --format '{{.Server.Version}}'\n  fix: cargo xtask doctor --install\n",
    );
    assert_screen(
        &refused("permission denied while trying to connect"),
        1,
        "error: the Docker engine does not answer\n  why: permission denied while trying to connect\n       \
         $ docker version --format '{{.Server.Version}}'\n  fix: sudo usermod -aG docker \"$USER\", then log in again\n",
    );
}

#[test]
fn a_question_that_no_engine_answers_is_no_failed_command() {
    let gone =
        "Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?";
    let screen = machine().on("ps --all*", &format!("echo '{gone}' >&2; exit 1")).run(&["health"]);
    assert_screen(
        &screen,
        1,
        &format!(
            "error: the Docker engine does not answer\n  why: {gone}\n  fix: cargo xtask doctor --install\n"
        ),
    );
}

#[test]
fn old_versions_are_named_together() {
    let screen = machine()
        .on("compose version --short", "echo 2.23.0")
        .on("version --format*", "echo 19.03.1")
        .run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: Docker Compose 2.23.0 is too old\n  why: the setup needs 2.24.4 or newer\n  fix: cargo xtask doctor --install\n\
         error: Docker Engine 19.03.1 is too old\n  why: the setup needs 20.10.0 or newer\n  fix: cargo xtask doctor --install\n\
         2 errors, nothing was started\n",
    );
}

#[test]
fn missing_compose_is_named() {
    let screen = machine()
        .on("compose version --short", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1");
    assert_ends(
        &screen.run(&["up"]),
        1,
        "error: Docker Compose is not installed\n  why: docker: 'compose' is not a docker command.\n       \
         $ docker compose version --short\n  fix: cargo xtask doctor --install\n",
    );
}

#[test]
fn a_command_that_needs_a_setup_says_how_to_make_one() {
    assert_screen(
        &Fake::new().run(&["restart"]),
        1,
        "error: there is no setup in `integration`\n  at integration/docker-compose.yml\n  fix: cargo xtask integrate\n",
    );
}

#[test]
fn variables_that_nothing_sets_are_named_at_once() {
    let screen = machine()
        .file("docker-compose.yml", "services:\n  api:\n    image: ${TAG:?which}\n    command: [\"${MODE:?how}\", \"${TAG:?which}\"]\n")
        .run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: the variable `TAG` is not set\n  at integration/docker-compose.yml:3\n  fix: add a line TAG=… to integration/.env\n\
         error: the variable `MODE` is not set\n  at integration/docker-compose.yml:4\n  fix: add a line MODE=… to integration/.env\n\
         2 errors, nothing was started\n",
    );
}

#[test]
fn a_file_that_compose_refuses_is_shown_with_its_words() {
    let screen = machine()
        .on("*config --format json", "echo 'services.api Additional property x is not allowed' >&2; exit 15");
    let screen = screen.run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: Compose refuses the setup\n  at integration/docker-compose.yml\n  \
         why: services.api Additional property x is not allowed\n       \
         $ docker compose --project-directory ROOT/integration -f ROOT/integration/docker-compose.yml \
         --env-file ROOT/integration/.env -p shop config --format json\n",
    );
}

#[test]
fn an_unknown_service_is_answered_with_the_nearest() {
    let screen = machine().on("ps --all*", &ps("api", "running", "Up 1 second")).run(&["logs", "apii"]);
    assert_screen(
        &screen,
        1,
        "error: there is no service `apii`\n  why: 1 service: api\n  fix: did you mean `api`?\n",
    );
}

#[test]
fn a_duration_without_a_unit_is_refused() {
    assert_screen(
        &machine().run(&["up", "--timeout", "90"]),
        1,
        "error: `90` is not a duration\n  why: a duration is a number with a unit: 90s, 5m, 1h, 1h30m\n  \
         fix: write 90s for seconds, 90m for minutes\n",
    );
}

#[test]
fn data_is_not_deleted_when_nobody_can_be_asked() {
    let screen = machine()
        .on("volume ls*", "echo shop_data")
        .on("system df*", "printf 'shop_data\\t47.2MB\\n'")
        .run(&["reset"]);
    assert_screen(
        &screen,
        1,
        "      Delete shop_data (47.2MB, in no snapshot)\nerror: 1 volume would be deleted, and nobody can be asked\n  \
         why: there is no terminal\n  fix: add --yes to delete them without asking\n",
    );
    assert!(!screen.calls.contains("volume rm"), "{}", screen.calls);
}

#[test]
fn images_that_cannot_be_had_are_named_before_anything_starts() {
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "exit 1")
        .on("pull*", "echo 'Error response from daemon: no such host' >&2; exit 1")
        .run(&["up"]);
    assert_ends(
        &screen,
        1,
        "     Pulling postgres:17\nerror: the image `postgres:17` cannot be had: the registry cannot be reached\n  \
         at integration/docker-compose.yml:6\n  why: postgres:17: no such host\n  \
         fix: let this machine reach the registry, or load the images with `docker load`\n",
    );
    assert!(!screen.calls.contains(" build ") && !screen.calls.contains(" up "), "{}", screen.calls);
}

#[test]
fn a_stranger_on_a_port_is_named_and_nothing_starts() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("PORT", &port))
        .on("ps --no-trunc*", &format!("printf 'other\\tfarm\\t127.0.0.1:{port}->80/tcp\\n'"))
        .run(&["up"]);
    assert_ends(
        &screen,
        1,
        &format!(
            "error: port {port} of `api` is taken by the container `other` of the project `farm`\n  fix: docker stop other\n\
             1 error, nothing was started\n"
        ),
    );
    assert!(!screen.calls.contains(" build ") && !screen.calls.contains(" up "), "{}", screen.calls);
}

#[test]
fn a_failed_build_names_service_and_reason() {
    let log = "printf '#5 [api 2/2] RUN make\\n#5 0.2 no such lib\\n#5 ERROR: process \"/bin/sh -c make\" did not complete\\n\
               failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\\n'; exit 17";
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "echo sha256:1")
        .on("*build api", log)
        .run(&["up"]);
    assert_ends(
        &screen,
        1,
        "    Building api\n     Running db (to stop: cargo xtask down)\nerror: the build of `api` failed: `make` ended with exit code 2\n  why: | no such lib\n       \
         $ docker compose --progress plain --project-directory ROOT/integration -f ROOT/integration/docker-compose.yml \
         --env-file ROOT/integration/.env -p shop build api\n  fix: after mending it: cargo xtask build api\n",
    );
}

#[test]
fn a_service_that_dies_is_shown_with_its_log_and_who_waits() {
    let log = "echo one; echo two >&2";
    // On a busy machine, the engine writes it down a moment after it has seen the end.
    let late = format!("if [ -e \"$HOME/asked\" ]; then {log}; else touch \"$HOME/asked\"; fi");
    for log in [log, &late] {
        assert_is_shown_with_its_log(log);
    }
}

fn assert_is_shown_with_its_log(log: &str) {
    let inspect = r#"echo '[{"Id":"db-id","Image":"i","RestartCount":0,"State":{"ExitCode":137,"StartedAt":"now","FinishedAt":"later"}}]'"#;
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "echo sha256:1")
        .on("events*", "exec sleep 20")
        .on("*up --detach*", "touch \"$HOME/started\"; exec sleep 20")
        .on(
            "ps --all*",
            &format!("[ ! -e \"$HOME/started\" ] || {}", ps("db", "exited", "Exited (137) 1 second ago")),
        )
        .on("inspect --type container*", inspect)
        .on("logs*", log)
        .run(&["up", "--no-build"]);
    assert_ends(
        &screen,
        1,
        "error: `db` ended with exit code 137\n  at integration/docker-compose.yml:5\n  \
         why: exit code 137: it was killed (SIGKILL): memory ran out, or it did not end when asked to\n       \
         api waits for it\n       its last log lines:\n       | one\n       | two\n  fix: cargo xtask logs db\n",
    );
}

#[test]
fn ctrl_c_during_a_build_ends_it_and_says_what_runs() {
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "echo sha256:1")
        .on("*build api", "exec sleep 60")
        .on("ps --all*", &ps("db", "running", "Up 1 second"))
        .interrupt_at("Building api", &["up"]);
    assert_ends(&screen, 130, "    Building api\ninterrupted; db still runs, `cargo xtask down` stops it\n");
    assert!(!screen.calls.contains(" up "), "{}", screen.calls);
}

#[test]
fn ctrl_c_during_the_wait_stops_waiting_and_says_what_runs() {
    let starting = ps("db", "running", "Up 1 second (health: starting)");
    let screen = machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "echo sha256:1")
        .on("events*", "exec sleep 60")
        .on("*up --detach*", "exec sleep 60")
        .on("ps --all*", &format!("{starting}; {}", starting.replace("db", "api")))
        .interrupt_at("Starting db", &["up", "--no-build"]);
    assert_eq!(screen.code, 130);
    assert!(
        screen.stderr.ends_with("\ninterrupted; api and db still run, `cargo xtask down` stops them\n"),
        "{}",
        screen.stderr
    );
}

/// A docker on which everything starts at once.
fn everything_starts() -> Fake {
    let healthy = |name: &str| ps(name, "running", "Up 1 second (healthy)");
    machine()
        .on("*config --format json", &CONFIG.replace("\"published\":\"PORT\"", "\"published\":\"\""))
        .on("image inspect*", "echo sha256:1")
        .on("events*", "exec sleep 60")
        .on("ps --all*", &format!("{}; {}", healthy("api"), healthy("db")))
}

#[test]
fn the_first_up_makes_the_env_file_and_the_second_leaves_it() {
    let fake = everything_starts().file(
        ".env.example",
        "# The key. [generated: 16 hex characters]\nAPI_KEY=placeholder\n# The bank's. [third party]\nBANK_TOKEN=your-token\n",
    );
    std::fs::remove_file(fake.setup().join(".env")).unwrap();
    let screen = fake.run_here(&["up", "--no-build"]);
    assert!(
        screen.stderr.contains("     Created integration/.env (1 secret made up)\n"),
        "{}",
        screen.stderr
    );
    let warning = "warning: 1 value of a third party is still a placeholder\n  at integration/.env:4 BANK_TOKEN\n  \
                   fix: put the real values there, then: cargo xtask up\n    Finished 2 containers healthy";
    assert!(screen.stderr.contains(warning), "{}", screen.stderr);
    let file = fake.setup().join(".env");
    let text = std::fs::read_to_string(&file).unwrap();
    let key = text.lines().find_map(|line| line.strip_prefix("API_KEY=")).unwrap();
    assert!(key.len() == 16 && key.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(fake.run_here(&["up", "--no-build"]).code, 0);
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_lost_env_file_is_not_replaced_when_that_would_lock_out_of_the_data() {
    let config = r#"echo '{"services":{"queue":{"image":"rabbitmq:4","environment":{"PASSWORD":"placeholder"},"volumes":[{"type":"volume","source":"data","target":"/d"}]}},"volumes":{"data":{"name":"shop_queue-data"}}}'"#;
    let fake = machine().on("*config --format json", config).on("volume ls*", "echo shop_queue-data").file(
        ".env.example",
        "# [generated: 32 hex characters]\nQUEUE_PASSWORD=placeholder\nCOMPOSE_PROJECT_NAME=shop\n",
    );
    std::fs::remove_file(fake.setup().join(".env")).unwrap();
    let screen = fake.run_here(&["up"]);
    let project = screen
        .stderr
        .split("volumes of `")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .unwrap_or_default();
    assert_ends(
        &screen,
        1,
        &format!(
            "error: queue has data that new passwords would lock out\n  at integration/.env\n  \
             why: `integration/.env` is gone, and the volumes of `{project}` remember the old passwords\n  \
             fix: put the old integration/.env back, or delete that data: cargo xtask reset queue\n"
        ),
    );
    assert!(project.starts_with("shop-"), "{project}");
    assert!(!fake.setup().join(".env").exists());
}

#[test]
fn the_end_of_the_time_names_the_first_that_is_not_ready() {
    let starting = ps("db", "running", "Up 1 second (health: starting)");
    let screen = everything_starts()
        .on("*up --detach*", "exec sleep 60")
        .on("ps --all*", &starting)
        .on("inspect --type container*", "echo '[]'")
        .run(&["up", "--no-build", "--timeout", "300ms"]);
    assert_ends(
        &screen,
        1,
        "error: `db` is not ready after 300ms\n  at integration/docker-compose.yml:5\n  why: api waits for it\n       \
         its log is empty\n  fix: cargo xtask exec db\n",
    );
}
