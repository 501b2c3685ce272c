//! The screens of what `up` finds out before it starts anything, and of the second `up`, against a scripted docker.

use std::os::unix::fs::PermissionsExt;

use crate::assert_ends;
use crate::fake::Fake;

/// A container as `docker ps` shows it.
fn ps(service: &str, role: &str, status: &str) -> String {
    let state = if status.starts_with("Up") { "running" } else { "exited" };
    format!(
        r#"echo '{{"id":"{service}-id","name":"shop-{service}-1","image":"{service}","state":"{state}","status":"{status}","ports":"","created":"","service":"{service}","depends_on":"","role":"{role}","kind":"","main":"","health":""}}'"#
    )
}

/// A database and its one-shot, as `docker compose config` shows them.
const CONFIG: &str = r#"{"services":{
    "db":{"image":"postgres:17","labels":{"xtask.role":"component"}},
    "setup":{"image":"postgres:17","labels":{"xtask.role":"one-shot"},"depends_on":{"db":{"condition":"service_healthy"}}}}}"#;

fn machine(config: &str) -> Fake {
    Fake::new()
        .on("compose version --short", "echo 2.26.1-4")
        .on("version --format*", "echo 26.1.5")
        .on("image inspect*", "for image in postgres postgres; do echo sha256:1; done")
        .on("*config --format json", &format!("echo '{config}'"))
        .on("inspect*", "echo '[]'")
        .file("docker-compose.yml", "name: shop\nservices:\n  db:\n    image: postgres:17\n")
        .file(".env", "COMPOSE_PROJECT_NAME=shop\n")
}

fn running() -> Fake {
    let both = format!(
        "{}; {}",
        ps("db", "component", "Up 2 seconds (healthy)"),
        ps("setup", "one-shot", "Exited (0) now")
    );
    machine(CONFIG).on("ps --all*", &both).on("wait *", "echo 0")
}

#[test]
fn an_unchanged_system_only_runs_its_one_shots_again() {
    let fake = running();
    assert_eq!(fake.run_here(&["up"]).code, 0);
    let first = fake.run_here(&["up"]).calls;
    let calls: Vec<&str> = first.lines().collect();
    let starts = |calls: &[&str]| calls.iter().filter(|call| call.contains(" up --detach")).count();
    assert_eq!(starts(&calls), 1, "{first}");
    assert!(calls.contains(&"start setup-id") && calls.contains(&"wait setup-id"), "{first}");
    assert!(!calls.iter().any(|call| call.starts_with("start db")), "{first}");
}

#[test]
fn another_image_another_container_or_a_failing_one_shot_asks_compose() {
    for (pattern, does) in [
        ("image inspect*", "echo sha256:2; echo sha256:2"),
        ("*config --format json", &format!("echo '{}'", CONFIG.replace("postgres:17", "postgres:18"))),
        ("wait *", "echo 3"),
    ] {
        let fake = running();
        assert_eq!(fake.run_here(&["up"]).code, 0);
        let fake = fake.on(pattern, does);
        let calls = fake.run_here(&["up"]).calls;
        assert_eq!(calls.matches(" up --detach").count(), 2, "{pattern}: {calls}");
    }
}

#[test]
fn two_services_on_one_port_are_both_named() {
    let config = r#"{"services":{
        "api":{"image":"a","ports":[{"host_ip":"127.0.0.1","target":80,"published":"41730"}]},
        "web":{"image":"b","ports":[{"host_ip":"127.0.0.1","target":81,"published":"41730"}]}}}"#;
    let yaml = "services:\n  api:\n    ports:\n      - \"${API_PORT:-41730}:80\"\n  web:\n    ports:\n      - \"${WEB_PORT:-41730}:81\"\n";
    let screen = machine(config).file("docker-compose.yml", yaml).run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: `api` and `web` both want the host port 41730\n  at integration/docker-compose.yml:4\n  \
         at integration/docker-compose.yml:7\n  fix: set WEB_PORT=41731 in integration/.env, port 41731 is free\n\
         1 error, nothing was started\n",
    );
    let fixed = machine(config).file("docker-compose.yml", "services: {}\n").run(&["up"]);
    assert_ends(
        &fixed,
        1,
        "error: `api` and `web` both want the host port 41730\n  at integration/docker-compose.yml\n  \
         fix: give one of them another host port, as \"${WEB_PORT:-41731}:81\"\n1 error, nothing was started\n",
    );
}

/// An engine with two pools, of which the networks `bridge` and `old_default` hold one each.
fn full() -> Fake {
    let networks = r#"[{"Name":"bridge","IPAM":{"Config":[{"Subnet":"10.201.0.0/24"}]}},{"Name":"old_default","IPAM":{"Config":[{"Subnet":"10.201.1.0/24"}]}},{"Name":"host","IPAM":{"Config":null}}]"#;
    let config = r#"{"services":{"db":{"image":"postgres:17"}},"networks":{"a":{"name":"shop_a"},"b":{"name":"shop_b"}}}"#;
    machine(config)
        .on("network ls*", "echo bridge; echo host; echo old_default")
        .on("network inspect*", &format!("echo '{networks}'"))
        .on("info*", r#"echo '[{"Base":"10.201.0.0/23","Size":24}]'"#)
}

#[test]
fn networks_that_do_not_fit_are_said_before_anything_starts() {
    let screen = full().run(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: 2 new networks of `shop` do not fit: the engine has no address pool free\n  \
         why: the engine has 3 networks already\n       no container uses old_default\n  \
         fix: docker network rm old_default\n",
    );
    assert!(!screen.calls.contains(" up --detach"), "{}", screen.calls);
    let used =
        full().on("ps --all --no-trunc --format {{.Networks}}", "echo bridge,old_default").run(&["up"]);
    assert_ends(
        &used,
        1,
        "why: the engine has 3 networks already\n       containers use all of them\n  \
         fix: stop another system (`docker compose ls` shows them), or widen `default-address-pools` in daemon.json\n",
    );
}

#[test]
fn networks_that_fit_or_exist_are_nobodys_concern() {
    for (pattern, does) in [
        ("info*", r#"echo '[{"Base":"10.201.0.0/16","Size":24}]'"#),
        ("network ls*", "echo bridge; echo host; echo shop_a; echo shop_b"),
    ] {
        let screen = full()
            .on(pattern, does)
            .on("ps --all*", &ps("db", "component", "Up 2 seconds (healthy)"))
            .run(&["up"]);
        assert_eq!(screen.code, 0, "{}", screen.stderr);
    }
}

#[test]
fn an_env_file_that_others_can_read_is_warned_of() {
    let example = "# [generated: 32 hex characters]\nA_PASSWORD=x\nCOMPOSE_PROJECT_NAME=shop\n";
    let fake =
        running().file(".env.example", example).file(".env", "A_PASSWORD=y\nCOMPOSE_PROJECT_NAME=shop\n");
    let env_file = fake.setup().join(".env");
    let warning = "warning: others on this machine can read the secrets in `integration/.env`\n  fix: chmod 600 integration/.env\n";
    std::fs::set_permissions(&env_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(fake.run_here(&["up"]).stderr.contains(warning));
    std::fs::set_permissions(&env_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!fake.run_here(&["up"]).stderr.contains("warning: others"));
}

/// Data of a queue that remembers its password, and of a cache that remembers nothing.
fn with_data(env_file: Option<&str>) -> Fake {
    let config = r#"{"services":{
        "cache":{"image":"redis:8","environment":{"P":"y"},"labels":{"xtask.role":"component"},"volumes":[{"type":"volume","source":"cache","target":"/d"}]},
        "queue":{"image":"rabbitmq:4","labels":{"xtask.remembers":"QUEUE_PASSWORD"},"volumes":[{"type":"volume","source":"queue","target":"/d"}]}},
        "volumes":{"cache":{"name":"shop_cache"},"queue":{"name":"shop_queue"}}}"#;
    let healthy = format!("{}; {}", ps("cache", "", "Up 2 seconds"), ps("queue", "", "Up 2 seconds"));
    let example = "# [generated: 32 hex characters]\nQUEUE_PASSWORD=x\n# [generated: 32 hex characters]\nCACHE_PASSWORD=y\n";
    let fake = machine(config).on("ps --all*", &healthy).file(".env.example", example);
    match env_file {
        Some(text) => fake.file(".env", text),
        None => {
            std::fs::remove_file(fake.setup().join(".env")).unwrap();
            fake
        }
    }
}

#[test]
fn a_lost_variable_counts_only_where_a_volume_remembers_its_value() {
    let queue = || with_data(None).on("volume ls*", "echo shop_queue; echo shop_cache").run(&["up"]);
    assert!(
        queue().stderr.contains("error: queue has data that new passwords would lock out\n"),
        "{}",
        queue().stderr
    );
    let cache = with_data(None).on("volume ls*", "echo shop_cache").run(&["up"]);
    assert!(cache.stderr.contains("Created integration/.env (2 secrets made up)"), "{}", cache.stderr);
    let project = "COMPOSE_PROJECT_NAME=shop\n";
    let lacks_it =
        with_data(Some(&format!("{project}CACHE_PASSWORD=b\n"))).on("volume ls*", "echo shop_queue");
    let screen = lacks_it.run_here(&["up"]);
    assert_ends(
        &screen,
        1,
        "error: queue has data that new passwords would lock out\n  at integration/.env\n  \
         why: `integration/.env` lacks QUEUE_PASSWORD, and the volumes of `shop` remember the old value\n  \
         fix: put the old line back, or delete that data: cargo xtask reset queue\n",
    );
    let text = std::fs::read_to_string(lacks_it.setup().join(".env")).unwrap();
    assert_eq!(text, format!("{project}CACHE_PASSWORD=b\n"));
    let has_it = with_data(Some(&format!("{project}QUEUE_PASSWORD=a\n"))).on("volume ls*", "echo shop_queue");
    assert!(has_it.run(&["up"]).stderr.contains("Updated integration/.env (new: CACHE_PASSWORD)"));
}
