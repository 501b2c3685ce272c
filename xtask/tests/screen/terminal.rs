//! `up` on a terminal that belongs to another job, against a scripted docker.

use std::process::{Command, Stdio};

use crate::everything_starts;

/// What a terminal shows of a line of the shell, whose jobs are the shell's to control.
fn on_a_terminal(line: &str) -> String {
    let line = format!("stty cols 80 rows 24; set -m; {line}");
    let mut command = Command::new("script");
    command.args(["--quiet", "--flush", "--command", &line, "/dev/null"]).env("SHELL", "/bin/sh");
    // Open as long as it runs: at the end of it, `script` types Ctrl-D.
    let script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is in Debian");
    let output = script.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_job_in_the_background_leaves_the_terminal_alone_and_goes_on() {
    // Each has a system of its own: a second `up` finds all as it was, and shows no table.
    let run = |around: &str| {
        let fake = everything_starts();
        let mut up = fake.ready(&["up", "--no-build"]);
        on_a_terminal(&around.replace("UP", &format!("{:?}", up.env("TERM", "xterm"))))
    };

    let front = run("UP; echo ended $?");
    // To change the terminal from the background stops a job: the shell sees 128 + SIGTTOU, and it goes on when someone
    // takes it to the front.
    let back = run("UP & wait $!; echo ended $?; kill -KILL $! 2>/dev/null");

    for screen in [front, back] {
        assert!(screen.contains(" 2 containers healthy in ") && screen.contains("ended 0"), "{screen}");
        assert!(
            screen.contains("Healthy db") && !screen.contains("(at "),
            "there is a table on a terminal: {screen}"
        );
    }
}
