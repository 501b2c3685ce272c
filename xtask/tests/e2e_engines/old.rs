//! The oldest engine that is supported, which knows no `start_interval`.

use crate::nested::{Options, nested};
use crate::place::Place;

const ENGINE: &str = "docker:20.10-dind";
const BUSYBOX: &str = "busybox:1.37-musl";

fn monorepo() -> Place {
    let place = Place::new("old");
    place.write(
        "web/Dockerfile",
        "FROM busybox:1.37-musl\nRUN mkdir /w && echo ok > /w/health\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/w\"]\n",
    );
    place.xtask(&["integrate"]).exits(0);
    place
}

#[test]
fn an_old_engine_runs_the_generated_setup_though_it_refuses_its_files() {
    let options = Options { images: &[BUSYBOX], ..Options::default() };
    let Some(old) = nested(ENGINE, &options, monorepo) else { return };
    assert!(old.lab.read("integration/docker-compose.yml").contains("start_interval:"));
    let file = old.lab.root.join("integration/docker-compose.yml");
    let by_hand = old.docker(&["compose", "-f", &file.to_string_lossy(), "-p", "by-hand", "up", "--detach"]);
    assert!(by_hand.code != 0 && by_hand.stderr.contains("start_interval"), "{}", by_hand.stderr);
    old.docker(&["compose", "-p", "by-hand", "down"]);

    let up = old.xtask(&["up"]).exits(0);

    assert!(up.stdout.contains(&format!("  http://{}:8080", old.address)), "{}", up.stdout);
    let health = old.xtask(&["health"]).exits(0);
    let answer = format!("  tcp://{}:8080  accepts connections", old.address);
    assert!(health.stdout.contains(&answer), "{}", health.stdout);
    old.xtask(&["down"]).exits(0);
    assert_eq!(old.docker(&["ps", "--all", "--quiet"]).stdout, "");
}
