//! An engine without room: few addresses for networks, and a disk that is full.

use crate::nested::{Nested, Options, nested};
use crate::place::Place;

const ENGINE: &str = "docker:26-dind";
const BUSYBOX: &str = "busybox:1.37-musl";

const SERVICES: &str = "services:
  api:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    healthcheck: { test: [CMD, \"true\"], interval: 500ms }
    networks: [front, back]
  page:
    build: ../page
    networks: [front]
networks:
  front:
  back:
";

fn place() -> Place {
    let place = Place::new("cramped");
    place.write("integration/docker-compose.yml", SERVICES);
    place.write("page/Dockerfile", "FROM busybox:1.37-musl\nRUN dd if=/dev/zero of=/big bs=1M count=80\n");
    place
}

#[test]
fn address_pools_and_a_disk_without_room_are_named_with_what_makes_room() {
    let options = Options {
        container: &["--tmpfs", "/var/lib/docker:size=64m"],
        // Four networks, of which the engine's own bridge takes one.
        engine: &["--default-address-pool", "base=10.231.77.0/24,size=26"],
        images: &[BUSYBOX],
    };
    let Some(engine) = nested(ENGINE, &options, place) else { return };
    address_pools(&engine);
    disk(&engine);
}

/// The error that `up` prints, without the lines that follow the first one of a log, and without commands.
fn up_says(engine: &Nested, service: &str) -> String {
    let up = engine.xtask(&["up", service]).exits(1);
    let lines = up.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    let lines = lines.filter(|line| !line.trim_start().starts_with(['|', '$']) && !line.contains(": $ "));
    lines.collect::<Vec<_>>().join("\n")
}

fn address_pools(engine: &Nested) {
    engine.docker(&["network", "create", "used"]).exits(0);
    engine.docker(&["run", "--detach", "--network", "used", BUSYBOX, "sleep", "1000"]).exits(0);
    engine.docker(&["network", "create", "idle"]).exits(0);
    let project = engine.lab.project();
    assert_eq!(
        up_says(engine, "page"),
        format!(
            "error: 2 new networks of `{project}` do not fit: the engine has 1 address pool free
  why: the engine has 5 networks already
       no container uses idle
  fix: docker network rm idle"
        )
    );
    let container = ["run", "--detach", "--network", "idle", "--name", "guest", BUSYBOX, "sleep", "1000"];
    engine.docker(&container).exits(0);
    assert_eq!(
        up_says(engine, "api"),
        format!(
            "error: 2 new networks of `{project}` do not fit: the engine has 1 address pool free
  why: the engine has 5 networks already
       containers use all of them
  fix: stop another system (`docker compose ls` shows them), or widen `default-address-pools` in daemon.json"
        )
    );
    engine.docker(&["rm", "--force", "guest"]).exits(0);
    engine.docker(&["network", "rm", "idle"]).exits(0);
    engine.xtask(&["up", "api"]).exits(0);
    engine.xtask(&["down"]).exits(0);
}

fn disk(engine: &Nested) {
    let room = "docker system df shows what Docker holds, docker builder prune frees what builds have kept";
    assert_eq!(
        up_says(engine, "page"),
        format!(
            "error: the build of `page` failed: no space is left on the disk
  at page/Dockerfile:2
  why: | dd: error writing '/big': No space left on device
  fix: {room}; then: cargo xtask build page"
        )
    );
    engine.inside("dd if=/dev/zero of=/var/lib/docker/full bs=1M || true");
    let api = up_says(engine, "api");
    assert!(api.starts_with("error: the engine found no space left on the disk\n"), "{api}");
    assert!(
        api.ends_with(&format!(
            ": no space left on device\n       {room}\n  fix: docker builder prune, then: cargo xtask up"
        )),
        "{api}"
    );
    engine.inside("rm /var/lib/docker/full");
    engine.xtask(&["up", "api"]).exits(0);
}
