//! A database server and its one-shot as the catalogue describes them, in containers that go with the last test.

use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use xshell::{Cmd, Shell};
use xtask::catalog::{Entry, Version};

/// Where `{busybox}` lies in a server's container.
const BUSYBOX: &str = "/probe/busybox";

/// Makes names unique among the runs on one engine.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a command with the words of further lists behind it.
macro_rules! docker {
    ($words:tt $(, $more:expr)*) => {{
        let shell = $crate::server::shell();
        $crate::server::Run::of(xshell::cmd!(shell, $words)$(.args($more))*)
    }};
}
pub(crate) use docker;

/// What a command did.
pub(crate) struct Run {
    output: Output,
    pub(crate) took: Duration,
}

impl Run {
    pub(crate) fn of(command: Cmd<'_>) -> Run {
        let start = Instant::now();
        let output = command.quiet().ignore_status().output().expect("`docker` can be started");
        Run { output, took: start.elapsed() }
    }

    /// Its output without the last line break.
    pub(crate) fn succeeds(&self) -> String {
        assert!(self.is_success(), "{}", self.errors());
        String::from_utf8_lossy(&self.output.stdout).trim_end().to_owned()
    }

    /// What it says about its failure.
    pub(crate) fn fails(&self) -> String {
        assert!(!self.is_success(), "{}", String::from_utf8_lossy(&self.output.stdout));
        self.errors()
    }

    /// It fails because of a right or a name, not because nobody answers.
    pub(crate) fn is_denied(&self) {
        let message = self.fails();
        let known =
            ["permission denied", "denied", "authentication failed", "does not exist", "doesn't exist"];
        assert!(known.iter().any(|words| message.contains(words)), "{message}");
    }

    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.output.status.success()
    }
}

pub(crate) fn shell() -> Shell {
    Shell::new().expect("the current folder can be read")
}

/// Whether the engine has an image.
pub(crate) fn is_here(image: &str) -> bool {
    docker!("docker image inspect {image}").is_success()
}

/// A server with a network and volumes of its own.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) entry: Entry,
    pub(crate) version: Version,
    /// Below the target folder, for the files that containers mount.
    pub(crate) folder: PathBuf,
    /// What stands for each of the entry's secrets.
    pub(crate) secret: String,
}

impl Server {
    pub(crate) fn start(entry: &Entry, version: &Version) -> Server {
        let name = format!("xtask-catalog-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let server = Server {
            folder: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&name),
            name,
            entry: entry.clone(),
            version: version.clone(),
            secret: "administrator".to_owned(),
        };
        let (name, image) = (&server.name, &version.image);
        docker!("docker network create {name}").succeeds();
        let mut options = Vec::new();
        for (at, path) in version.volumes.iter().enumerate() {
            options.extend(["-v".to_owned(), format!("{name}-{at}:{path}")]);
        }
        options.extend(server.shared());
        options.extend(server.busybox());
        for (variable, value) in entry.environment.iter().chain(&version.environment) {
            options.extend(["-e".to_owned(), format!("{variable}={}", server.fill(value))]);
        }
        let command: Vec<String> = entry.command.iter().map(|word| server.fill(word)).collect();
        docker!("docker run -d --name {name} --network {name} {options...} {image} {command...}").succeeds();
        server
    }

    /// The static busybox, where the health check asks for it.
    fn busybox(&self) -> Vec<String> {
        if !self.entry.health.test.iter().any(|word| word.contains("{busybox}")) {
            return Vec::new();
        }
        let (source, folder) = (format!("{}-busybox", self.name), &self.folder);
        shell().create_dir(folder).expect("the target folder is ours");
        docker!("docker create --name {source} busybox:1.37-musl").succeeds();
        let copied = docker!("docker cp {source}:/bin/busybox {folder}/busybox");
        docker!("docker rm {source}").succeeds();
        copied.succeeds();
        vec!["-v".to_owned(), format!("{}/busybox:{BUSYBOX}:ro", folder.display())]
    }

    /// A restart, which keeps the volumes.
    pub(crate) fn start_again(&self) {
        let name = &self.name;
        docker!("docker restart {name}").succeeds();
        self.wait().expect("it becomes healthy again");
    }

    /// Until the health check succeeds.
    pub(crate) fn wait(&self) -> Result<(), String> {
        let (kind, words) = self.entry.health.test.split_first().expect("the health check is not empty");
        let sh = if kind == "CMD-SHELL" { &["sh", "-c"][..] } else { &[] };
        let words: Vec<String> = words.iter().map(|word| word.replace("{busybox}", BUSYBOX)).collect();
        let (name, limit) = (&self.name, Instant::now() + Duration::from_secs(120));
        loop {
            let check = docker!("docker exec {name} {sh...}", &words);
            if check.is_success() {
                return Ok(());
            }
            if Instant::now() > limit {
                let log = docker!("docker logs --tail 20 {name}");
                return Err(format!("never became healthy: {}\n{}", check.errors(), log.errors()));
            }
        }
    }

    /// The command that proves that it serves.
    pub(crate) fn smoke(&self) -> Result<(), String> {
        if self.entry.smoke.is_empty() {
            return Ok(());
        }
        let (name, words) = (&self.name, &self.entry.smoke);
        let run = docker!("docker exec {name} {words...}");
        if run.is_success() { Ok(()) } else { Err(run.errors()) }
    }

    /// From its own network but not by its loopback, which some servers trust: what `test` tries works for the entry's own login, and for no other one; without logins, at no other port.
    pub(crate) fn connect(&self) -> Result<(), String> {
        if self.entry.connect.is_none() {
            return Ok(());
        }
        let (user, password) = match &self.entry.login {
            Some(login) => (login.user.as_str(), self.secret.as_str()),
            None => ("", ""),
        };
        let attempt = |port, password| self.log_in(port, user, password, "");
        let (port, closed) = (self.entry.port, 1);
        let right = attempt(port, password);
        if !right.is_success() {
            return Err(format!("its own client: {}{}", right.output(), right.errors()));
        }
        let wrong = if user.is_empty() { attempt(closed, "") } else { attempt(port, "another") };
        if wrong.is_success() { Err(format!("succeeds without reason: {}", wrong.output())) } else { Ok(()) }
    }

    /// Runs the entry's connection script in the server's network.
    pub(crate) fn log_in(&self, port: u16, user: &str, password: &str, database: &str) -> Run {
        let connect = self.entry.connect.as_ref().expect("the entry says how to connect");
        let (network, script) = (format!("container:{}", self.name), &connect.script);
        let image = if connect.busybox { "busybox:1.37-musl" } else { self.version.image.as_str() };
        let port = port.to_string();
        let values = [
            ("HOST", self.name.as_str()),
            ("PORT", &port),
            ("USER", user),
            ("PASSWORD", password),
            ("DATABASE", database),
        ];
        let options: Vec<String> = values
            .iter()
            .flat_map(|(name, value)| ["-e".to_owned(), format!("XTASK_{name}={value}")])
            .collect();
        docker!("docker run --rm --network {network} {options...} --entrypoint sh {image} -c {script}")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        let name = &self.name;
        docker!("docker logs {name}").output()
    }

    /// Fills in what is about the server.
    pub(crate) fn fill(&self, text: &str) -> String {
        let port = self.entry.port.to_string();
        let text = text.replace("{host}", &self.name).replace("{port}", &port).replace("{host_port}", &port);
        match text.split_once("{secret:").and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{}{after}", self.secret),
            None => text,
        }
    }

    /// The folder that server and one-shot both mount.
    pub(crate) fn shared(&self) -> Vec<String> {
        let shared = self.entry.setup.as_ref().and_then(|setup| setup.shared.as_ref());
        shared.map_or_else(Vec::new, |path| vec!["-v".to_owned(), format!("{}-shared:{path}", self.name)])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let name = &self.name;
        docker!("docker rm --force {name}");
        let volumes: Vec<String> = (0..self.version.volumes.len())
            .map(|at| format!("{name}-{at}"))
            .chain([format!("{name}-shared")])
            .collect();
        docker!("docker volume rm --force {volumes...}");
        docker!("docker network rm {name}");
        let _ = shell().remove_path(&self.folder);
    }
}
