//! What a user reads when the machine is in the way: a taken port, an engine that does not answer, Ctrl-C.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::engine;
use crate::lab::{Own, free_ports, lab, rest, turn, until};
use crate::place::Place;

const BUSYBOX: &str = "busybox:1.37-musl";

/// A monorepo of one service with these lines in its Dockerfile.
fn one_service(name: &str, port: u16, lines: &str) -> Place {
    let place = Place::new(name);
    place.write("web/Dockerfile", format!("FROM {BUSYBOX}\nEXPOSE {port}\n{lines}"));
    place
}

#[test]
fn a_taken_port_is_named_with_its_holder_before_anything_is_built() {
    let port = free_ports(2);
    let place = || one_service("taken", port, "RUN echo built > /built\nCMD [\"sleep\", \"1000\"]\n");
    let Some(place) = lab(&[BUSYBOX], place) else { return };
    place.xtask(&["integrate"]).exits(0);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it was free a moment ago");

    let up = place.xtask(&["up"]).exits(1);

    let line = line_of(&place, "integration/docker-compose.yml", "WEB_PORT");
    let name = std::fs::read_to_string("/proc/self/comm").expect("this is Linux");
    let (name, pid, free) = (name.trim(), std::process::id(), port + 1);
    assert_ends(
        &up.stderr,
        &format!(
            "error: port {port} of `web` is taken by the process `{name}` (pid {pid})\n  \
             at integration/docker-compose.yml:{line}\n  \
             fix: set WEB_PORT={free} in integration/.env, port {free} is free\n\
             1 error, nothing was started\n"
        ),
    );
    assert_eq!(place.containers("{{.Names}}"), Vec::<String>::new());
    assert!(!up.stderr.contains("Building"), "{}", up.stderr);
}

#[test]
fn an_engine_that_does_not_run_is_named_with_the_command_that_mends_it() {
    let _turn = turn();
    if !engine::has(&[]) {
        return;
    }
    let place = one_service("unreachable", 8080, "CMD [\"sleep\", \"1000\"]\n");
    let port = free_ports(1);

    let up = place.run(place.command(&["up"]).env("DOCKER_HOST", format!("tcp://127.0.0.1:{port}"))).exits(1);

    assert_ends(
        &up.stderr,
        &format!(
            "error: the Docker engine does not answer\n  \
             why: Cannot connect to the Docker daemon at tcp://127.0.0.1:{port}. Is the docker daemon running?\n       \
             $ docker version --format '{{{{.Server.Version}}}}'\n  \
             fix: correct DOCKER_HOST (tcp://127.0.0.1:{port}), or unset it and: cargo xtask doctor --install\n"
        ),
    );
}

#[test]
fn an_engine_that_never_answers_is_given_up() {
    let _turn = turn();
    if !engine::has(&[]) {
        return;
    }
    let place = one_service("silent", 8080, "CMD [\"sleep\", \"1000\"]\n");
    // The kernel accepts, nobody reads.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = silent.local_addr().expect("is bound").port();

    let up = place.run(place.command(&["up"]).env("DOCKER_HOST", format!("tcp://127.0.0.1:{port}"))).exits(1);

    assert_ends(
        &up.stderr,
        "error: the Docker engine does not answer\n  why: no answer within 10 s\n       \
         $ docker version --format '{{.Server.Version}}'\n  fix: cargo xtask doctor\n",
    );
}

#[test]
fn ctrl_c_during_the_build_ends_it_and_says_that_nothing_runs() {
    let port = free_ports(1);
    let place = || one_service("slow-build", port, "RUN sleep 1000\nCMD [\"sleep\", \"1000\"]\n");
    let Some(place) = lab(&[BUSYBOX], place) else { return };
    let mut up = start(&place, &["-v", "up"]);
    let mut lines = BufReader::new(up.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("RUN sleep 1000")), "the build starts");

    interrupt(&up);

    assert_eq!(up.wait().expect("it ends").code(), Some(130));
    let last = lines.last().unwrap_or_default();
    assert_eq!(last, format!("interrupted; nothing of `{}` runs", place.project()));
    until("the end of Compose's processes", || compose_processes(&place).is_empty());
}

#[test]
fn ctrl_c_during_the_wait_says_what_still_runs() {
    let port = free_ports(1);
    let lines = "HEALTHCHECK --interval=1s CMD false\nCMD [\"sleep\", \"1000\"]\n";
    let Some(place) = lab(&[BUSYBOX], || one_service("slow-start", port, lines)) else { return };
    let mut up = start(&place, &["up"]);
    until("the container's start", || {
        place.root.join("integration/.env").is_file() && place.containers("{{.State}}") == ["running"]
    });

    interrupt(&up);

    assert_eq!(up.wait().expect("it ends").code(), Some(130));
    let screen = rest(up.stderr.take());
    assert_ends(&screen, "\ninterrupted; web still runs, `cargo xtask down` stops it\n");
    assert_eq!(place.containers("{{.State}}"), ["running"]);
    place.xtask(&["down"]).exits(0);
    assert_eq!(place.containers("{{.State}}"), Vec::<String>::new());

    let (code, screen) = ctrl_c_on_a_terminal(&place, "Starting web (");
    assert_eq!(code, Some(130), "{screen}");
    assert_ends(&screen, "interrupted; web still runs, `cargo xtask down` stops it\r\n");
    // Behind the table's last row, at the edge of the screen, these two would move its end by a line.
    assert!(!screen.contains("^C"), "{screen}");
}

/// Starts `up` on a terminal, types Ctrl-C once these words are on it, and returns all that it has shown.
fn ctrl_c_on_a_terminal(place: &Own, words: &str) -> (Option<i32>, String) {
    // Without a name and a size of the terminal there is no table.
    let line = format!("stty cols 80 rows 24; {:?}", place.command(&["up"]).env("TERM", "xterm"));
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
    let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is in Debian");
    let mut screen = script.stdout.take().expect("is piped");
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains(words) {
        let mut some = [0; 1024];
        let read = screen.read(&mut some).expect("can be read");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend(&some[..read]);
    }
    script.stdin.as_mut().expect("is piped").write_all(b"\x03").expect("it reads");
    screen.read_to_end(&mut shown).expect("can be read");
    let code = script.wait().expect("it ends").code();
    (code, String::from_utf8_lossy(&shown).into_owned())
}

fn start(place: &Own, args: &[&str]) -> Child {
    let mut command = place.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// The command lines of this machine that run Compose on this monorepo.
fn compose_processes(place: &Own) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("this is Linux").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains("compose ") && line.contains(&*place.root.to_string_lossy())).collect()
}

/// What the terminal does on Ctrl-C.
fn interrupt(child: &Child) {
    let pid =
        rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("is not 0");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it still runs");
}

#[track_caller]
fn assert_ends(screen: &str, end: &str) {
    assert!(screen.ends_with(end), "{screen}\n--- does not end with\n{end}");
}

fn line_of(place: &Place, file: &str, word: &str) -> usize {
    place.read(file).lines().position(|line| line.contains(word)).expect("the word is there") + 1
}
