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

#[test]
#[allow(clippy::disallowed_methods, reason = "a test sets up its own files")]
fn a_program_that_the_runtime_lost_before_it_began_is_started_again_with_all_of_its_input() {
    let folder = std::env::temp_dir().join(format!("xtask-stream-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (input, mark) = (folder.join("input"), folder.join("mark"));
    std::fs::write(&input, "all of it").unwrap();
    let lost =
        "OCI runtime exec failed: waiting for init preliminary setup: read init-p: connection reset by peer";
    let script =
        format!("cat; [ -e '{0}' ] || {{ touch '{0}'; echo '{lost}' >&2; exit 126; }}", mark.display());
    let output = invocation(&["-c", &script]).stream(Some(File::open(&input).unwrap()), None).unwrap();
    assert_eq!((output.code, output.stdout.as_str()), (0, "all of it"));
    // Whatever else ends with that code has begun, or never will.
    let other = invocation(&["-c", "echo x >> \"$0\"; exit 126", &mark.display().to_string()]);
    assert_eq!(other.stream(None, None).unwrap().code, 126);
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "x\n");
    std::fs::remove_dir_all(&folder).unwrap();
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
