//! Command lines of this machine's own shell, which stands for docker.

use std::fs::File;
use std::time::Instant;

use super::*;

fn invocation(args: &[&str]) -> Invocation {
    Invocation::program(Ui::default(), "sh").unwrap().args(args.iter().copied())
}

#[test]
fn shown_commands_can_be_pasted() {
    let command = invocation(&["a b", "it's", "", "--filter", "label=x=y"]);
    assert_eq!(command.to_string(), r"sh 'a b' 'it'\''s' '' --filter label=x=y");
}

#[test]
fn failed_command_shows_itself_and_its_last_words() {
    let error = invocation(&["-c", "echo out; echo 'no such thing' >&2; exit 3"]).read().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sh echo out; echo 'no such thing' >&2; exit 3` failed with exit code 3\n  \
         why: $ sh -c 'echo out; echo '\\''no such thing'\\'' >&2; exit 3'\n       no such thing"
    );
}

#[test]
fn headline_names_the_subcommand_without_its_options() {
    let command = invocation(&["compose", "--project-directory", "/x", "-f", "a.yml", "-p", "n", "up", "-d"]);
    assert_eq!(command.brief(), "sh compose up");
}

/// What docker says of a program that runc has lost.
const LOST: &str =
    "OCI runtime exec failed: waiting for init preliminary setup: read init-p: connection reset by peer";

/// What the engine says of a container whose program runc has lost.
const LOST_START: &str = "Error response from daemon: failed to create task for container: failed to create shim task: \
     OCI runtime create failed: runc create failed: unable to start container process: \
     waiting for init preliminary setup: read init-p: connection reset by peer: unknown";

/// A folder of this test's own; the lines of a script that is lost twice, each time with docker's words on this stream.
#[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
fn lost_twice(name: &str, stream: u8) -> (std::path::PathBuf, String) {
    let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let lost = format!("echo '{LOST}' >&{stream}; exit 126");
    let lines = [1, 2].map(|n| {
        let mark = folder.join(format!("mark-{n}"));
        format!("[ -e '{0}' ] || {{ touch '{0}'; {lost}; }}; ", mark.display())
    });
    (folder, lines.concat())
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
fn a_program_that_the_runtime_lost_before_it_began_is_started_again_with_all_of_its_input() {
    for stream in [1, 2] {
        let (folder, lost) = lost_twice(&format!("stream-{stream}"), stream);
        let (input, output) = (folder.join("input"), folder.join("output"));
        std::fs::write(&input, "all of it").unwrap();
        let to = File::options().read(true).write(true).create_new(true).open(&output).unwrap();
        let command = invocation(&["-c", &format!("read -r line; {lost} echo \"$line\"")]);
        let ended = command.stream(Some(File::open(&input).unwrap()), Some(to)).unwrap();
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
        assert_eq!(std::fs::read_to_string(&output).unwrap(), "all of it\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test removes its own files")]
fn questions_too_are_asked_again_where_the_runtime_lost_the_program() {
    let ways: [fn(&Invocation) -> Result<String>; 3] = [Invocation::read, Invocation::ask, |command| {
        let output = command.output_within(Duration::from_secs(60))?.unwrap_or_default();
        Ok(output.stdout.trim_end().to_owned())
    }];
    for (n, run) in ways.into_iter().enumerate() {
        let (folder, lost) = lost_twice(&format!("question-{n}"), 1);
        assert_eq!(run(&invocation(&["-c", &format!("{lost} echo here")])).unwrap(), "here");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test removes its own files")]
fn a_container_whose_program_the_runtime_lost_is_started_again() {
    let (folder, _) = lost_twice("container", 2);
    let mark = folder.join("mark");
    let script = format!(
        "[ -e '{0}' ] || {{ touch '{0}'; echo '{LOST_START}' >&2; exit 1; }}; echo here",
        mark.display()
    );
    assert_eq!(invocation(&["-c", &script]).read().unwrap(), "here");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
fn a_program_that_has_begun_or_never_will_is_started_once() {
    let folder = std::env::temp_dir().join(format!("xtask-once-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mark = folder.join("mark");
    let missing = "OCI runtime exec failed: exec: \"nope\": executable file not found in $PATH";
    for (said, code) in [("", 126), (missing, 126), (LOST, 1), (LOST_START, 1)] {
        let script = format!("echo x >> '{}'; echo '{said}'; exit {code}", mark.display());
        assert_eq!(invocation(&["-c", &script]).output().unwrap().code, code);
        assert_eq!(std::fs::read_to_string(&mark).unwrap(), "x\n", "{said}");
        std::fs::remove_file(&mark).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
fn what_docker_says_in_place_of_a_program_is_not_lost_in_the_file() {
    let file = std::env::temp_dir().join(format!("xtask-said-{}", std::process::id()));
    let to = File::options().read(true).write(true).create_new(true).open(&file).unwrap();
    let output = invocation(&["-c", "echo no such program; exit 127"]).stream(None, Some(to)).unwrap();
    assert_eq!(output.stdout, "no such program\n");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_command_that_does_not_answer_is_given_up() {
    assert_eq!(invocation(&["-c", "sleep 60"]).output_within(TICK).unwrap(), None);
}

#[test]
fn background_command_hands_over_its_lines_and_code() {
    let child = invocation(&["-c", "echo one; echo two >&2; exit 4"]).start().unwrap();
    let mut lines = Vec::new();
    while child.ended().is_none() || lines.len() < 2 {
        lines.extend(child.new_lines(Duration::from_secs(30)));
    }
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(child.ended(), Some(4));
}

#[test]
fn stopping_ends_the_whole_group() {
    let child = invocation(&["-c", "sleep 60 & echo $!; sleep 60"]).start().unwrap();
    let sleeper: i32 = child.new_lines(Duration::from_secs(30))[0].parse().unwrap();
    let started = Instant::now();
    child.stop();
    assert!(child.ended().is_some());
    assert!(started.elapsed() < GRACE);
    let sleeper = rustix::process::Pid::from_raw(sleeper).unwrap();
    let limit = Instant::now() + Duration::from_secs(10);
    while rustix::process::test_kill_process(sleeper).is_ok() {
        assert!(Instant::now() < limit, "the child of the child still runs");
        std::thread::yield_now();
    }
}
