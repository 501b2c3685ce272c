//! A database server and its one-shot as the catalogue describes them, in containers that go with the test.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use xshell::{Shell, cmd};
use xtask::catalog::{Catalog, Entry, Setup, SetupFile, Version};

const ADMINISTRATOR_PASSWORD: &str = "administrator";

/// A service as a setup sees it: its database is named after it unless it shares another's.
pub(crate) struct Service {
    name: String,
    database: String,
    password: String,
    schemas: Vec<(String, String)>,
}

impl Service {
    pub(crate) fn new(name: &str, password: &str) -> Service {
        Service {
            name: name.to_owned(),
            database: name.to_owned(),
            password: password.to_owned(),
            schemas: Vec::new(),
        }
    }

    pub(crate) fn on(mut self, database: &str) -> Service {
        self.database = database.to_owned();
        self
    }

    pub(crate) fn with_schema(mut self, file: &str, text: &str) -> Service {
        self.schemas.push((file.to_owned(), text.to_owned()));
        self
    }

    /// Over the network, as another container would.
    pub(crate) fn query(&self, server: &Server, database: &str, sql: &str) -> Run {
        let (container, user) = (&server.name, &self.name);
        match server.entry.kind.as_str() {
            "postgres" => {
                let password = format!("PGPASSWORD={}", self.password);
                server.run(cmd!(
                    server.shell,
                    "docker exec -e {password} {container} psql -h {container} -U {user} -d {database} -qtAc {sql}"
                ))
            }
            _ => {
                let password = format!("MYSQL_PWD={}", self.password);
                server.run(cmd!(
                    server.shell,
                    "docker exec -e {password} {container} mariadb --skip-ssl -h {container} -u {user} -D {database} -Ne {sql}"
                ))
            }
        }
    }

    fn password_variable(&self) -> String {
        format!("{}_DB_PASSWORD", self.name.to_uppercase())
    }
}

/// What a command did.
pub(crate) struct Run {
    output: Output,
    pub(crate) took: Duration,
}

impl Run {
    /// Its output without the last line break.
    pub(crate) fn succeeds(&self) -> String {
        assert!(self.output.status.success(), "{}", self.errors());
        String::from_utf8_lossy(&self.output.stdout).trim_end().to_owned()
    }

    /// What it says about its failure.
    pub(crate) fn fails(&self) -> String {
        assert!(!self.output.status.success(), "{}", String::from_utf8_lossy(&self.output.stdout));
        self.errors()
    }

    /// It fails because of a right or a name, not because nobody answers.
    pub(crate) fn is_denied(&self) {
        let message = self.fails();
        let known =
            ["permission denied", "denied", "authentication failed", "does not exist", "doesn't exist"];
        assert!(known.iter().any(|words| message.contains(words)), "{message}");
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// A server with a network and volumes of its own.
pub(crate) struct Server {
    name: String,
    entry: Entry,
    version: Version,
    shell: Shell,
    folder: PathBuf,
    runs: Cell<u32>,
    pub(crate) administrator_password: String,
}

/// Where `{busybox}` lies in a server's container.
const BUSYBOX: &str = "/probe/busybox";

#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("XTASK_REQUIRE_DOCKER").is_none(), "{why}");
    println!("skipped: {why}");
}

/// Whether the engine has an image.
pub(crate) fn is_here(image: &str) -> bool {
    let shell = Shell::new().expect("the current folder can be read");
    cmd!(shell, "docker image inspect {image}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Starts a server and waits until its health check says that it serves; `None`, with a word, where there is no engine.
pub(crate) fn server((kind, version): (&str, &str)) -> Option<Server> {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let entry = catalog.get(kind).expect("the kind is in the catalogue");
    let version = &entry.versions[version];
    let image = &version.image;
    let shell = Shell::new().expect("the current folder can be read");
    if !is_here(image) && cmd!(shell, "docker pull --quiet {image}").quiet().ignore_stdout().run().is_err() {
        skip(&format!("no engine answers, or it cannot get {image}"));
        return None;
    }
    let server = Server::start(entry, version);
    if let Err(why) = server.wait() {
        panic!("{why}");
    }
    Some(server)
}

impl Server {
    pub(crate) fn start(entry: &Entry, version: &Version) -> Server {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("xtask-setup-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let server = Server {
            folder: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&name),
            name,
            entry: entry.clone(),
            version: version.clone(),
            shell: Shell::new().expect("the current folder can be read"),
            runs: Cell::new(0),
            administrator_password: ADMINISTRATOR_PASSWORD.to_owned(),
        };
        let (name, shell) = (&server.name, &server.shell);
        cmd!(shell, "docker network create {name}").quiet().ignore_stdout().run().expect("a network is free");
        let mut options = Vec::new();
        for (at, path) in version.volumes.iter().enumerate() {
            options.extend(["-v".to_owned(), format!("{name}-{at}:{path}")]);
        }
        options.extend(server.shared());
        options.extend(server.busybox());
        for (variable, value) in entry.environment.iter().chain(&version.environment) {
            options.extend(["-e".to_owned(), format!("{variable}={}", server.with_secrets(value))]);
        }
        let image = &version.image;
        let command: Vec<String> = entry.command.iter().map(|word| server.with_secrets(word)).collect();
        cmd!(shell, "docker run -d --name {name} --network {name} {options...} {image} {command...}")
            .quiet()
            .ignore_stdout()
            .run()
            .expect("the server starts");
        server
    }

    /// The static busybox, where the health check asks for it.
    fn busybox(&self) -> Vec<String> {
        if !self.entry.health.test.iter().any(|word| word.contains("{busybox}")) {
            return Vec::new();
        }
        let Server { name, shell, folder, .. } = self;
        shell.create_dir(folder).expect("the target folder is ours");
        let source = format!("{name}-busybox");
        cmd!(shell, "docker create --name {source} busybox:1.37-musl")
            .quiet()
            .ignore_stdout()
            .run()
            .expect("the image that the setup's probe copies from is there");
        let copied =
            cmd!(shell, "docker cp {source}:/bin/busybox {folder}/busybox").quiet().ignore_stderr().run();
        self.run(cmd!(shell, "docker rm {source}"));
        copied.expect("the image has a busybox");
        vec!["-v".to_owned(), format!("{}/busybox:{BUSYBOX}:ro", folder.display())]
    }

    /// The server's restart keeps its volumes.
    pub(crate) fn start_again(&self) {
        let Server { name, shell, .. } = self;
        cmd!(shell, "docker restart {name}").quiet().ignore_stdout().run().expect("the server restarts");
        self.wait().expect("it becomes healthy again");
    }

    /// Until the health check succeeds.
    pub(crate) fn wait(&self) -> Result<(), String> {
        let (kind, words) = self.entry.health.test.split_first().expect("the health check is not empty");
        let shell = if kind == "CMD-SHELL" { &["sh", "-c"][..] } else { &[] };
        let words: Vec<String> = words.iter().map(|word| word.replace("{busybox}", BUSYBOX)).collect();
        let (name, limit) = (&self.name, Instant::now() + Duration::from_secs(90));
        loop {
            let check = self.run(cmd!(self.shell, "docker exec {name} {shell...}").args(&words));
            if check.output.status.success() {
                return Ok(());
            }
            if Instant::now() > limit {
                let log = self.run(cmd!(self.shell, "docker logs --tail 20 {name}"));
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
        let run = self.run(cmd!(self.shell, "docker exec {name} {words...}"));
        if run.output.status.success() { Ok(()) } else { Err(run.errors()) }
    }

    /// A database that no service may open.
    pub(crate) fn system_database(&self) -> &'static str {
        if self.entry.kind == "postgres" { "postgres" } else { "mysql" }
    }

    /// Runs the one-shot for these services; several services of one name are one user with several databases.
    pub(crate) fn set_up(&self, services: &[&Service]) -> Run {
        let setup = self.entry.setup.as_ref().expect("the kind has a setup");
        let (name, shell) = (&self.name, &self.shell);
        let run = self.runs.replace(self.runs.get() + 1);
        let folder = self.folder.join(run.to_string());
        let files = self.files(setup, services);
        for (file, text) in &files {
            shell
                .write_file(folder.join("init-scripts").join(file), text)
                .expect("the target folder is ours");
        }
        let mut options =
            vec!["-v".to_owned(), format!("{}:/init-scripts:ro", folder.join("init-scripts").display())];
        for service in services {
            options
                .extend(["-e".to_owned(), format!("{}={}", service.password_variable(), service.password)]);
            for (file, text) in &service.schemas {
                let path = folder.join("schemas").join(&service.name).join(file);
                shell.write_file(&path, text).expect("the target folder is ours");
                options.extend([
                    "-v".to_owned(),
                    format!("{}:/schemas/{}/{file}:ro", path.display(), service.name),
                ]);
            }
        }
        options.extend(self.shared());
        options.extend(self.version.volumes.iter().map(|path| format!("--tmpfs={path}")));
        for (variable, value) in &setup.environment {
            options.extend(["-e".to_owned(), format!("{variable}={}", self.with_secrets(value))]);
        }
        let mut command = setup.entrypoint.clone().unwrap_or_default();
        options.extend(["--entrypoint".to_owned(), command.remove(0)]);
        for word in &setup.command {
            if word == "{files}" {
                let paths = files.iter().map(|(file, _)| format!("/init-scripts/{file}"));
                command.extend(
                    paths.flat_map(|path| {
                        setup.per_file.iter().map(move |word| word.replace("{file}", &path))
                    }),
                );
            } else {
                command.push(self.about_server(word));
            }
        }
        let image = &self.version.image;
        self.run(cmd!(shell, "docker run --rm --network {name} {options...} {image} {command...}"))
    }

    /// A container of the same image that does nothing.
    pub(crate) fn empty_one_shot(&self) -> Run {
        let (name, image) = (&self.name, &self.version.image);
        let tmpfs = self.version.volumes.iter().map(|path| format!("--tmpfs={path}"));
        self.run(
            cmd!(self.shell, "docker run --rm --network {name} --entrypoint true").args(tmpfs).arg(image),
        )
    }

    /// The texts as `plan` fills them in.
    fn files(&self, setup: &Setup, services: &[&Service]) -> Vec<(String, String)> {
        let wanted = |file: &&SetupFile| {
            !file.each.is_empty()
                || file.each_schema.is_empty()
                || services.iter().any(|s| !s.schemas.is_empty())
        };
        setup.files.iter().filter(wanted).map(|file| (file.name.clone(), self.text(file, services))).collect()
    }

    fn text(&self, file: &SetupFile, services: &[&Service]) -> String {
        let mut text = self.about_server(&file.header);
        for service in services {
            let fill = |text: &str| {
                self.about_server(text)
                    .replace("{database}", &service.database)
                    .replace("{user}", &service.name)
                    .replace("{password_variable}", &service.password_variable())
                    .replace("{service}", &service.name)
            };
            text.push_str(&fill(&file.each));
            if services.iter().filter(|other| other.database == service.database).count() > 1 {
                text.push_str(&fill(&file.each_shared));
            }
            for (schema, _) in &service.schemas {
                text.push_str(
                    &fill(&file.each_schema)
                        .replace("{file}", &format!("/schemas/{}/{schema}", service.name)),
                );
            }
        }
        text + &self.about_server(&file.footer)
    }

    fn about_server(&self, text: &str) -> String {
        text.replace("{host}", &self.name).replace("{port}", &self.entry.port.to_string())
    }

    fn with_secrets(&self, text: &str) -> String {
        let text = self.about_server(text).replace("{host_port}", &self.entry.port.to_string());
        match text.split_once("{secret:").and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{}{after}", self.administrator_password),
            None => text,
        }
    }

    /// The folder that server and one-shot both mount.
    fn shared(&self) -> Vec<String> {
        let shared = self.entry.setup.as_ref().and_then(|setup| setup.shared.as_ref());
        shared.map_or_else(Vec::new, |path| vec!["-v".to_owned(), format!("{}-shared:{path}", self.name)])
    }

    fn run(&self, command: xshell::Cmd<'_>) -> Run {
        let start = Instant::now();
        let output = command.quiet().ignore_status().output().expect("`docker` can be started");
        Run { output, took: start.elapsed() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (name, shell) = (&self.name, &self.shell);
        self.run(cmd!(shell, "docker rm --force {name}"));
        let volumes: Vec<String> = (0..self.version.volumes.len())
            .map(|at| format!("{name}-{at}"))
            .chain([format!("{name}-shared")])
            .collect();
        self.run(cmd!(shell, "docker volume rm --force {volumes...}"));
        self.run(cmd!(shell, "docker network rm {name}"));
        let _ = shell.remove_path(&self.folder);
    }
}
