//! What is found before anything starts: ports, variables, images, builds, networks, the engine itself.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use crate::docker_that::with_docker_that;
use crate::lab::{beside, docker, free_ports};
use crate::system::{assert_up_says, first_lines, system, up_fails};

const BUSYBOX: &str = "busybox:1.37-musl";
const PYTHON: &str = "python:3.13-slim";
const NODE: &str = "node:20-slim";

#[test]
fn a_port_that_a_stranger_holds_is_named_before_the_build() {
    let port = free_ports(4);
    let services = format!(
        "services:
  api:
    build: ../api
    ports: [\"127.0.0.1:${{API_PORT:-{port}}}:80\"]
  web:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    ports: [\"127.0.0.1:{}:80\"]
",
        port + 2
    );
    let files = [("api/Dockerfile", "FROM busybox:1.37-musl\nRUN echo built\n")];
    let Some(lab) = beside(&[BUSYBOX], || system("taken", &services, &files)) else { return };
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it was free a moment ago");
    let name = std::fs::read_to_string("/proc/self/comm").expect("this is Linux");
    assert_up_says(
        &lab,
        &["api"],
        &format!(
            "error: port {port} of `api` is taken by the process `{}` (pid {})
  at integration/docker-compose.yml:4
  fix: set API_PORT={} in integration/.env, port {} is free
1 error, nothing was started",
            name.trim(),
            std::process::id(),
            port + 1,
            port + 1
        ),
    );
    drop(stranger);
    let container = format!("{}-stranger", lab.project());
    let publish = format!("127.0.0.1:{}:80", port + 2);
    docker(&["run", "--detach", "--rm", "--name", &container, "--publish", &publish, BUSYBOX, "sleep", "60"]);
    let up = up_fails(&lab, &["web"]);
    docker(&["rm", "--force", &container]);
    assert_eq!(
        first_lines(&up.stderr),
        format!(
            "error: port {} of `web` is taken by the container `{container}`\n  fix: docker stop {container}\n1 error, nothing was started",
            port + 2
        )
    );
}

#[test]
fn variables_that_the_files_demand_are_named_before_anything_else() {
    let services = "services:
  api:
    image: ${TAG:?which}
    environment:
      TOKEN: \"${API_TOKEN:?set it in .env}\"
";
    let Some(lab) = beside(&[], || system("variables", services, &[])) else { return };
    assert_up_says(
        &lab,
        &[],
        "error: the variable `TAG` is not set
  at integration/docker-compose.yml:3
  fix: add a line TAG=… to integration/.env
error: the variable `API_TOKEN` is not set
  at integration/docker-compose.yml:5
  fix: add a line API_TOKEN=… to integration/.env",
    );
}

#[test]
fn a_build_that_fails_is_named_with_its_line_and_cause() {
    let services = "services:
  run:
    build: ../run
  copy:
    build: ../copy
  syntax:
    build: ../syntax
  script:
    build: ../script
  full:
    build: ../full
";
    let files = [
        (
            "run/Dockerfile",
            "FROM python:3.13-slim\nRUN echo installing && \\\n    python -c 'raise SystemExit(\"no such package\")'\n",
        ),
        ("copy/Dockerfile", "FROM busybox:1.37-musl\nWORKDIR /app\nCOPY package.json .\n"),
        ("syntax/Dockerfile", "FROM busybox:1.37-musl\n\nRUNN echo\n"),
        (
            "script/Dockerfile",
            "FROM node:20-slim\nWORKDIR /app\nRUN node -e \"for (let n = 1; n < 31; n++) console.log('line', n); process.exit(7)\"\n",
        ),
        ("full/Dockerfile", "FROM busybox:1.37-musl\nRUN echo hello > /dev/full\n"),
    ];
    let Some(lab) = beside(&[BUSYBOX, PYTHON, NODE], || system("builds", services, &files)) else { return };
    let compare = |service: &str, wanted: &str| {
        let up = up_fails(&lab, &[service]);
        let said = first_lines(&up.stderr);
        assert!(said.starts_with(wanted), "{}", up.stderr);
        assert!(up.stderr.ends_with(&format!(": cargo xtask build {service}\n")), "{}", up.stderr);
        up.stderr
    };
    compare(
        "run",
        "error: the build of `run` failed: `echo installing && python -c 'raise SystemExit(\"no such pack…` ended with exit code 1
  at run/Dockerfile:2
  why: | installing
       | no such package
",
    );
    compare(
        "copy",
        "error: the build of `copy` failed: `package.json` is not in its build context (or .dockerignore leaves it out)
  at copy/Dockerfile:3
",
    );
    compare(
        "syntax",
        "error: the build of `syntax` failed: unknown instruction: RUNN (did you mean RUN?)
  at syntax/Dockerfile:3
",
    );
    let script = compare(
        "script",
        "error: the build of `script` failed: `node -e \"for (let n = 1; n < 31; n++) console.log('line', n)…` ended with exit code 7
  at script/Dockerfile:3
",
    );
    let shown = script.lines().filter_map(|line| line.split_once("| line ")).map(|(_, n)| n);
    assert_eq!(shown.collect::<Vec<_>>(), (11..31).map(|n| n.to_string()).collect::<Vec<_>>(), "{script}");
    compare(
        "full",
        "error: the build of `full` failed: no space is left on the disk
  at full/Dockerfile:2
",
    );
}

/// A registry that answers, and has no image.
fn empty_registry() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let ping = request[..read].starts_with(b"GET /v2/ ");
            let (status, body) = match ping {
                true => ("200 OK", "{}"),
                false => (
                    "404 Not Found",
                    "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}",
                ),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    port
}

#[test]
fn images_that_cannot_be_had_are_named_all_at_once_before_anything_starts() {
    let nobody = free_ports(1);
    let registry = empty_registry();
    let services = format!(
        "services:
  cache:
    image: 127.0.0.1:{nobody}/cache:1
  queue:
    image: 127.0.0.1:{nobody}/queue:1
  api:
    build: ../api
  lost:
    image: 127.0.0.1:{registry}/lost:1
  web:
    build: ../web
"
    );
    let dockerfile = format!("ARG TAG=3\nFROM 127.0.0.1:{nobody}/base:${{TAG}}\n");
    let web = format!("FROM 127.0.0.1:{registry}/gone:1\n");
    let files = [("api/Dockerfile", dockerfile.as_str()), ("web/Dockerfile", web.as_str())];
    let Some(lab) = beside(&[], || system("images", &services, &files)) else { return };
    let all = up_fails(&lab, &["cache", "queue", "api"]);
    let lines = first_lines(&all.stderr);
    assert_eq!(
        lines.lines().take(4).collect::<Vec<_>>(),
        [
            "error: 3 images cannot be had: the registry cannot be reached",
            "  at integration/docker-compose.yml:3",
            "  at integration/docker-compose.yml:5",
            "  at api/Dockerfile:2",
        ],
        "{}",
        all.stderr
    );
    assert!(lines.contains(&format!("  why: 127.0.0.1:{nobody}/cache:1: ")), "{lines}");
    assert!(
        all.stderr
            .contains("fix: let this machine reach the registry, or load the images with `docker load`\n")
    );
    for (service, image, place) in
        [("lost", "lost:1", "integration/docker-compose.yml:9"), ("web", "gone:1", "web/Dockerfile:1")]
    {
        let one = up_fails(&lab, &[service]);
        let lines = first_lines(&one.stderr);
        let image = format!("127.0.0.1:{registry}/{image}");
        assert!(
            lines.starts_with(&format!(
                "error: the image `{image}` cannot be had: there is none of this name, or it needs a login\n  at {place}\n  why: {image}: "
            )),
            "{}",
            one.stderr
        );
        assert!(
            lines.ends_with("fix: correct the name, or log in: docker login; then: cargo xtask up"),
            "{lines}"
        );
    }
    assert_eq!(lab.containers("{{.Names}}"), Vec::<String>::new());
}

#[test]
fn a_subnet_that_another_network_has_is_named() {
    let services = "services:
  api:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    networks: [own]
networks:
  own:
    ipam: { config: [ { subnet: SUBNET } ] }
";
    let taken = || {
        let format = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
        services.replace("SUBNET", &docker(&["network", "inspect", "bridge", "--format", format]))
    };
    let Some(lab) = beside(&[BUSYBOX], || system("subnet", &taken(), &[])) else { return };
    let network = format!("{}_own", lab.project());
    assert_up_says(
        &lab,
        &[],
        &format!(
            "error: the addresses of the network `{network}` belong to another network already
  at integration/docker-compose.yml
  why: the file fixes its `subnet`, and a network of this engine has some of those addresses
  fix: remove `ipam` of that network, or choose another `subnet`; then: cargo xtask up"
        ),
    );
}

#[test]
fn an_engine_or_compose_that_is_too_old_is_named() {
    let services = "services:\n  api:\n    image: busybox:1.37-musl\n";
    let Some(lab) = beside(&[], || system("old", services, &[])) else { return };
    for (question, answer, wanted) in [
        (
            "version --format*",
            "19.03.15",
            "error: Docker Engine 19.03.15 is too old\n  why: the setup needs 20.10.0 or newer\n  fix: cargo xtask doctor --install",
        ),
        (
            "compose version*",
            "2.20.0",
            "error: Docker Compose 2.20.0 is too old\n  why: the setup needs 2.24.4 or newer\n  fix: cargo xtask doctor --install",
        ),
    ] {
        let case = format!("{}) echo '{answer}'; exit ;;", question.replace(' ', "\\ "));
        let up = with_docker_that(&lab, &["up"], &case).exits(1);
        assert_eq!(first_lines(&up.stderr), wanted, "{}", up.stderr);
    }
}
