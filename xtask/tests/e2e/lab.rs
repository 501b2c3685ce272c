//! A monorepo whose system runs on a real engine; containers, volumes, networks and images go with the test,
//! also when it is killed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::place::Place;

/// Waits until its stdin closes, so also for a test that was killed; then removes all that belongs to the project.
const REAPER: &str = r#"
cat > /dev/null
for env in "$1"/integration/.env "$1"/integration/.env.*; do
    project=$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' "$env" | tail -n 1)
    if [ -n "$project" ]; then
        filter="label=com.docker.compose.project=$project"
        docker ps --all --quiet --filter "$filter" | xargs -r docker rm --force --volumes
        docker volume ls --quiet --filter "$filter" | xargs -r docker volume rm --force
        docker network ls --quiet --filter "$filter" | xargs -r docker network rm
        docker images --all --quiet --filter "$filter" | sort -u | xargs -r docker rmi --force
    fi
done
rm -rf "$2"
"#;

/// One system at a time: two cores and the engine are shared.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for this test's turn; a test that failed in its turn does not end the others.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The monorepo and what removes its system.
pub(crate) struct Lab {
    place: Place,
    reaper: Child,
}

/// A lab that only its own test uses.
pub(crate) struct Own {
    lab: Lab,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Own {
    type Target = Lab;
    fn deref(&self) -> &Lab {
        &self.lab
    }
}

impl Deref for Lab {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

/// A lab for this test alone; `None`, with a word, where no engine has these images.
pub(crate) fn lab(images: &[&str], place: impl FnOnce() -> Place) -> Option<Own> {
    let turn = turn();
    crate::engine::has(images).then(|| Own { lab: Lab::new(place()), _turn: turn })
}

/// As [`lab`], beside another one of its kind: for suites whose tests mostly wait, and which never call [`turn`].
#[allow(dead_code, reason = "not every suite can")]
pub(crate) fn beside(images: &[&str], place: impl FnOnce() -> Place) -> Option<Own> {
    static SEATS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let seat = &SEATS[NEXT.fetch_add(1, Ordering::Relaxed) % SEATS.len()];
    let turn = seat.lock().unwrap_or_else(PoisonError::into_inner);
    crate::engine::has(images).then(|| Own { lab: Lab::new(place()), _turn: turn })
}

impl Lab {
    pub(crate) fn new(place: Place) -> Lab {
        let mut command = Command::new("sh");
        command.args(["-c", REAPER, "reaper"]).arg(&place.root).arg(&place.base);
        // A group of its own: Ctrl-C on the terminal ends the test, not what cleans up behind it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let reaper = command.spawn().expect("there is a shell");
        Lab { place, reaper }
    }

    /// The Compose project, once there is a `.env`.
    pub(crate) fn project(&self) -> String {
        let text = self.read("integration/.env");
        let name = text.lines().filter_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).next_back();
        name.expect("`.env` names the project").to_owned()
    }

    /// Free ports for every port variable of the setup, as a user whose ports are taken would set them.
    pub(crate) fn moved_ports(&self) -> String {
        let example = self.read("integration/.env.example");
        let names: Vec<&str> = example
            .lines()
            .filter_map(|line| line.strip_prefix("# ")?.split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.ends_with("_PORT"))
            .collect();
        let first = free_ports(u16::try_from(names.len()).expect("few"));
        names.iter().zip(first..).map(|(name, port)| format!("{name}={port}\n")).collect()
    }

    /// A `.env` with other ports than the defaults, and a name of the test's.
    pub(crate) fn keep_apart(&self) {
        let folder = self.place.base.file_name().expect("has a name").to_string_lossy();
        let text = format!("COMPOSE_PROJECT_NAME={folder}\n{}", self.moved_ports());
        self.write("integration/.env", text);
    }

    /// A variable of `.env`.
    pub(crate) fn variable(&self, name: &str) -> String {
        let text = self.read("integration/.env");
        let mut values = text.lines().filter_map(|line| line.split_once('=').filter(|(key, _)| *key == name));
        values.next_back().unwrap_or_else(|| panic!("`.env` has no {name}:\n{text}")).1.to_owned()
    }

    /// One line for each container of the project, in Docker's own format language.
    pub(crate) fn containers(&self, format: &str) -> Vec<String> {
        let filter = format!("label=com.docker.compose.project={}", self.project());
        let text = docker(&["ps", "--all", "--filter", &filter, "--format", format]);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// By service: what `format` shows of each container that is meant to keep running.
    pub(crate) fn long_running(&self, format: &str) -> BTreeMap<String, String> {
        let ids =
            self.containers("{{.Label \"xtask.role\"}} {{.Label \"com.docker.compose.service\"}} {{.ID}}");
        let ids = ids.iter().map(|line| line.split(' ').collect::<Vec<_>>());
        ids.filter(|words| words[0] != "one-shot")
            .map(|words| (words[1].to_owned(), docker(&["inspect", "--format", format, words[2]])))
            .collect()
    }

    /// Every container that keeps running has a health check that says yes.
    #[track_caller]
    pub(crate) fn assert_all_healthy(&self, services: &[&str]) {
        let health = self.long_running("{{.State.Status}} {{.State.Health.Status}}");
        let wanted: BTreeMap<String, String> =
            services.iter().map(|service| ((*service).to_owned(), "running healthy".to_owned())).collect();
        assert_eq!(health, wanted);
    }

    /// Keeps the containers' words beside the test's, where a person or CI finds them.
    pub(crate) fn keep_logs(&self) {
        if !self.root.join("integration/.env").is_file() {
            return;
        }
        let project = self.project();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-logs").join(project);
        let _ = std::fs::create_dir_all(&folder);
        for line in self.containers("{{.Names}} {{.Status}}") {
            let name = line.split(' ').next().unwrap_or_default();
            let said = Command::new("docker").args(["logs", "--timestamps", name]).output();
            let mut text = format!("{line}\n").into_bytes();
            if let Ok(said) = said {
                text.extend([said.stdout, said.stderr].concat());
            }
            let _ = std::fs::write(folder.join(format!("{name}.log")), text);
        }
        let _ = writeln!(std::io::stderr(), "the containers' logs are in {}", folder.display());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_logs();
        }
        drop(self.reaper.stdin.take());
        let _ = self.reaper.wait();
    }
}

/// The first of so many free ports in a row, below those that the system gives to outgoing connections.
pub(crate) fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 200).expect("is small") * 50;
    for _ in 0..200 {
        let first = 20_000 + (own + NEXT.fetch_add(count, Ordering::Relaxed)) % 10_000;
        if (first..first + count).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return first;
        }
    }
    panic!("{count} free ports in a row");
}

/// The stdout of a docker command that has to succeed.
#[track_caller]
pub(crate) fn docker(args: &[&str]) -> String {
    let output = begun(says, || Command::new("docker").args(args).output().expect("docker is installed"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn says(output: &Output, words: &str) -> bool {
    [&output.stdout, &output.stderr].iter().any(|said| String::from_utf8_lossy(said).contains(words))
}

/// What docker answered: a busy machine makes the container's runtime lose a program now and then before it begins.
pub(crate) fn begun<T>(says: impl Fn(&T, &str) -> bool, mut run: impl FnMut() -> T) -> T {
    let lost = |answer: &T| says(answer, "OCI runtime") && says(answer, "init preliminary setup");
    (0..2).map(|_| run()).find(|answer| !lost(answer)).unwrap_or_else(run)
}

/// Asks until the answer is yes, or ends the test after a minute.
#[track_caller]
pub(crate) fn until(what: &str, mut yes: impl FnMut() -> bool) {
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !yes() {
        assert!(std::time::Instant::now() < limit, "{what} did not happen within a minute");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// All that a pipe still holds.
pub(crate) fn rest(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    pipe.expect("is piped").read_to_string(&mut text).expect("the program prints UTF-8");
    text
}
