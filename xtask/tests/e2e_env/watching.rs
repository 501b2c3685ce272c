//! A service that is edited while it runs: `up --watch` brings the change into the container, and Ctrl-C ends only that.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::lab::{Own, docker, free_ports, lab, until};
use crate::place::Place;

const NODE: &str = "node:20-slim";

/// Answers with a greeting; not as root, so the engine has to find the user in the image.
fn greeter(place: &Place, port: u16, greeting: &str) {
    place.write(
        "hello/src/main.js",
        format!(
            "const http = require('http');\n\
             const server = http.createServer((request, response) => response.end('{greeting}'));\n\
             server.listen({port}, '0.0.0.0');\n"
        ),
    );
}

fn monorepo(port: u16) -> Place {
    let place = Place::new("watched");
    greeter(&place, port, "first");
    place.write("hello/package.json", "{ \"name\": \"hello\" }\n");
    place.write(
        "hello/Dockerfile",
        format!(
            "FROM {NODE}\nWORKDIR /app\nCOPY package.json ./\nCOPY src ./src\nUSER node\nEXPOSE {port}\n\
             CMD [\"node\", \"src/main.js\"]\n"
        ),
    );
    place
}

#[test]
fn a_changed_file_reaches_the_running_container_and_ctrl_c_ends_only_the_watching() {
    let port = free_ports(1);
    let Some(place) = lab(&[NODE], || monorepo(port)) else { return };
    let mut up = watching(&place);
    assert!(says(port, "first"));
    let container = place.containers("{{.ID}} {{.Image}}");

    greeter(&place, port, "second");
    until("the change in the container", || says(port, "second"));

    assert_eq!(place.containers("{{.ID}} {{.Image}}"), container, "the same container, restarted");
    let file = ["exec", &place.containers("{{.ID}}")[0], "stat", "-c", "%U", "/app/src/main.js"];
    assert_eq!(docker(&file), "node");
    interrupt(&up);
    assert_eq!(up.wait().expect("it ends").code(), Some(130));
    assert_eq!(place.containers("{{.State}}"), ["running"]);
    assert!(says(port, "second"), "the service goes on");
}

#[test]
fn a_changed_manifest_builds_the_image_anew() {
    let port = free_ports(1);
    let Some(place) = lab(&[NODE], || monorepo(port)) else { return };
    let mut up = watching(&place);
    let container = place.containers("{{.ID}}");

    let manifest = "{ \"name\": \"hello\", \"private\": true }\n";
    place.write("hello/package.json", manifest);

    until("a container of the new image", || {
        let now = place.containers("{{.ID}}");
        let [id] = now.as_slice() else { return false };
        let held = Command::new("docker").args(["exec", id, "cat", "/app/package.json"]).output();
        now != container && held.is_ok_and(|held| held.stdout == manifest.as_bytes()) && says(port, "first")
    });
    interrupt(&up);
    assert_eq!(up.wait().expect("it ends").code(), Some(130));
}

#[test]
fn without_rules_there_is_nothing_to_watch() {
    let port = free_ports(1);
    let Some(place) = lab(&[NODE], || monorepo(port)) else { return };
    place.xtask(&["integrate"]).exits(0);
    place.write("integration/config.yaml", "hot_reload: off\n");
    place.xtask(&["integrate"]).exits(0);
    assert!(place.read("integration/docker-compose.override.yml").ends_with("services: {}\n"));

    let up = place.xtask(&["up", "--watch"]).exits(1);

    assert!(
        up.stderr.ends_with(
            "error: there is nothing to watch\n  at integration/docker-compose.override.yml\n  \
             why: no service that was started has rules under `develop.watch`, which `hot_reload` in config.yaml makes\n  \
             fix: cargo xtask integrate\n"
        ),
        "{}",
        up.stderr
    );
    assert_eq!(place.containers("{{.State}}"), ["running"]);
}

/// `up --watch`, from the moment on at which Compose watches.
fn watching(place: &Own) -> Child {
    let mut command = place.command(&["up", "--watch"]);
    let mut up = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut said = BufReader::new(up.stdout.take().expect("is piped")).lines().map_while(Result::ok);
    let watching = said.find(|line| line.to_lowercase().contains("watch enabled"));
    assert!(watching.is_some(), "{:?}", up.wait());
    // As long as it is read: a full pipe would stop the child.
    std::thread::spawn(move || said.for_each(drop));
    up
}

fn says(port: u16, text: &str) -> bool {
    let answer = minreq::get(format!("http://127.0.0.1:{port}/")).send();
    answer.is_ok_and(|answer| answer.as_str().is_ok_and(|said| said == text))
}

/// What the terminal does on Ctrl-C.
fn interrupt(child: &Child) {
    let pid =
        rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("is not 0");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it still runs");
}
