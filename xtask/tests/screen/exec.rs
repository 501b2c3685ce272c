//! `exec` against a `docker` that is a script: shells, exit codes, and programs that never began.

use std::fs::File;
use std::process::{Child, Stdio};

use crate::{assert_screen, machine, ps};

#[test]
fn an_image_without_a_shell_gets_one_beside_it() {
    for asked in [&["exec", "api"][..], &["exec", "api", "sh"]] {
        let screen = machine()
            .on("ps --all*", &ps("api", "running", "Up 1 second"))
            .on("exec shop-api-1 sh*", "echo 'exec: \"sh\": executable file not found' >&2; exit 127")
            .on("inspect*", r#"echo '["KEY=hush hush","PATH=/app"]'"#)
            .on("run --rm*", r#"[ "$KEY" = "hush hush" ] && exit 5"#)
            .run(asked);
        assert_screen(
            &screen,
            5,
            "   Debugging api with the shell of busybox:1.37-musl, as its own image has none: its network and \
             processes, its files in /proc/1/root\n",
        );
        let last = screen.calls.lines().last().unwrap_or_default();
        assert!(last.starts_with("run --rm --network container:"), "{last}");
        assert!(last.ends_with(" --interactive --env KEY busybox:1.37-musl sh"), "{last}");
    }
}

#[test]
fn a_commands_exit_code_is_passed_on() {
    let screen = machine()
        .on("ps --all*", &ps("api", "running", "Up 1 second"))
        .on("exec --interactive shop-api-1 false", "exit 7")
        .run(&["exec", "api", "false"]);
    assert_screen(&screen, 7, "");
}

#[test]
fn a_program_that_never_began_is_started_again_unless_its_input_is_gone() {
    let said =
        "OCI runtime exec failed: waiting for init preliminary setup: read init-p: connection reset by peer";
    let lost = format!(
        "read -r line; [ -e \"$HOME/mark\" ] || {{ touch \"$HOME/mark\"; echo '{said}'; exit 126; }}; echo \"$line\""
    );
    let fake = || {
        machine()
            .on("ps --all*", &ps("api", "running", "Up 1 second"))
            .on("exec --interactive shop-api-1 cat", &lost)
            .file("input", "all of it\n")
    };
    for (input, stdout, code) in [
        ("null", "\n".to_owned(), 0),
        ("file", "all of it\n".to_owned(), 0),
        ("pipe", format!("{said}\n"), 126),
    ] {
        let fake = fake();
        let mut command = fake.ready(&["exec", "api", "cat"]);
        match input {
            "null" => command.stdin(Stdio::null()),
            "file" => command.stdin(File::open(fake.setup().join("input")).unwrap()),
            _ => command.stdin(Stdio::piped()),
        };
        let output = command.stdout(Stdio::piped()).spawn().and_then(Child::wait_with_output);
        let output = output.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{input}");
        assert_eq!(output.status.code(), Some(code), "{input}");
    }
}

#[test]
fn a_service_without_a_database_is_told_which_servers_there_are() {
    let config = |server: &str| {
        format!(r#"echo '{{"services":{{"web":{{"image":"web:1"}},"db":{{"image":"{server}:17"}}}}}}'"#)
    };
    for (server, last) in [
        ("postgres", "  fix: name a server or one of its clients: db\n"),
        ("unheard-of", "  why: there is none\n"),
    ] {
        let screen = machine().on("*config --format json", &config(server)).run(&["db", "url", "web"]);
        assert_screen(&screen, 1, &format!("error: `web` uses no database of this setup\n{last}"));
    }
}
