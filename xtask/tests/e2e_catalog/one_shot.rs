//! A setup's one-shot, run for services of a test's own on a server that tests share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use xtask::catalog::{Catalog, Setup, SetupFile};

use crate::engine::skip;
use crate::server::{Run, Server, docker, is_here, shell};

/// Services of one test: their names mean others on the server than those of the next test.
pub(crate) struct Case {
    pub(crate) server: Arc<Server>,
    suffix: String,
}

/// A service as a setup sees it: its database is named after it unless it shares another's.
#[derive(Clone)]
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

    fn password_variable(&self) -> String {
        format!("{}_PASSWORD", self.name.to_uppercase())
    }
}

/// A case on a healthy server; `None`, with a word, where there is no engine. The server goes with its last case.
pub(crate) fn case((kind, version): (&str, &str)) -> Option<Case> {
    static SHARED: Mutex<BTreeMap<String, Weak<Server>>> = Mutex::new(BTreeMap::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = format!("{kind} {version}");
    if let Some(server) = shared.get(&key).and_then(Weak::upgrade) {
        return Some(Case::new(server));
    }
    let server = Arc::new(healthy(kind, version)?);
    shared.insert(key, Arc::downgrade(&server));
    Some(Case::new(server))
}

/// A case on a server of its own, for what disturbs others.
pub(crate) fn lone_case((kind, version): (&str, &str), change: impl FnOnce(&mut Server)) -> Option<Case> {
    let mut server = healthy(kind, version)?;
    change(&mut server);
    Some(Case::new(Arc::new(server)))
}

fn healthy(kind: &str, version: &str) -> Option<Server> {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let entry = catalog.get(kind).expect("the kind is in the catalogue");
    let version = &entry.versions[version];
    let image = &version.image;
    if !is_here(image) && !docker!("docker pull --quiet {image}").is_success() {
        skip(&format!("no engine answers, or it cannot get {image}"));
        return None;
    }
    let server = Server::start(entry, version);
    if let Err(why) = server.wait() {
        panic!("{why}");
    }
    Some(server)
}

impl Case {
    fn new(server: Arc<Server>) -> Case {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Case { server, suffix: format!("{}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// A database that no service may open.
    pub(crate) fn system_database(&self) -> &'static str {
        if self.server.entry.kind == "postgres" { "postgres" } else { "mysql" }
    }

    /// The name on the server.
    fn real(&self, name: &str) -> String {
        let common = self.server.entry.databases.common.as_deref();
        let is_fixed = name == self.system_database() || common == Some(name);
        if is_fixed { name.to_owned() } else { format!("{name}{}", self.suffix) }
    }

    /// What `test` tries for a service: the kind's own script, with the login of the service.
    pub(crate) fn connect(&self, service: &Service, database: &str) -> Run {
        let (user, database) = (self.real(&service.name), self.real(database));
        self.server.log_in(self.server.entry.port, &user, &service.password, &database)
    }

    /// What a service gets for a query over the network, as another container would send it.
    pub(crate) fn query(&self, service: &Service, database: &str, sql: &str) -> Run {
        let (host, user, database) = (&self.server.name, self.real(&service.name), self.real(database));
        let (variable, client) = match self.server.entry.kind.as_str() {
            "postgres" => ("PGPASSWORD", vec!["psql", "-U", &user, "-d", &database, "-h", host, "-qtAc"]),
            "mysql" => ("MYSQL_PWD", vec!["mysql", "-u", &user, "-D", &database, "-h", host, "-Ne"]),
            _ => {
                ("MYSQL_PWD", vec!["mariadb", "--skip-ssl", "-u", &user, "-D", &database, "-h", host, "-Ne"])
            }
        };
        let password = format!("{variable}={}", service.password);
        docker!("docker exec -e {password} {host} {client...} {sql}")
    }

    /// Runs the one-shot for these services; several of one name are one user with several databases.
    pub(crate) fn set_up(&self, services: &[&Service]) -> Run {
        // Like Compose, which runs one at a time for a server.
        static ONE: Mutex<u32> = Mutex::new(0);
        let mut runs = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        *runs += 1;
        let Server { name, version, entry, folder, .. } = &*self.server;
        let setup = entry.setup.as_ref().expect("the kind has a setup");
        let folder = folder.join(runs.to_string());
        let files = self.files(setup, services);
        for (file, text) in &files {
            shell()
                .write_file(folder.join("init-scripts").join(file), text)
                .expect("the target folder is ours");
        }
        let scripts = folder.join("init-scripts");
        let mut options = vec!["-v".to_owned(), format!("{}:/init-scripts:ro", scripts.display())];
        for service in services {
            options
                .extend(["-e".to_owned(), format!("{}={}", service.password_variable(), service.password)]);
            for (file, text) in &service.schemas {
                let path = folder.join("schemas").join(&service.name).join(file);
                shell().write_file(&path, text).expect("the target folder is ours");
                let target = format!("/schemas/{}/{file}", service.name);
                options.extend(["-v".to_owned(), format!("{}:{target}:ro", path.display())]);
            }
        }
        options.extend(self.server.shared());
        for (at, path) in version.volumes.iter().enumerate() {
            match setup.reads_data {
                true => options.extend(["-v".to_owned(), format!("{name}-{at}:{path}:ro")]),
                false => options.push(format!("--tmpfs={path}")),
            }
        }
        for (variable, value) in &setup.environment {
            options.extend(["-e".to_owned(), format!("{variable}={}", self.server.fill(value))]);
        }
        let entrypoint = setup.entrypoint.iter().flatten();
        let mut command: Vec<String> = entrypoint.map(|word| self.server.fill(word)).collect();
        options.extend(["--entrypoint".to_owned(), command.remove(0)]);
        command.extend(self.command(setup, &files));
        let image = &version.image;
        docker!("docker run --rm --network {name} {options...} {image} {command...}")
    }

    /// A container of the same image that does nothing.
    pub(crate) fn empty_one_shot(&self) -> Run {
        let Server { name, version, .. } = &*self.server;
        let tmpfs = version.volumes.iter().map(|path| format!("--tmpfs={path}"));
        docker!("docker run --rm --network {name} --entrypoint true", tmpfs, [&version.image])
    }

    fn command(&self, setup: &Setup, files: &[(String, String)]) -> Vec<String> {
        let per_file = |path: String| setup.per_file.iter().map(move |word| word.replace("{file}", &path));
        let words = setup.command.iter().flat_map(|word| match word.as_str() {
            "{files}" => {
                files.iter().flat_map(|(file, _)| per_file(format!("/init-scripts/{file}"))).collect()
            }
            _ => vec![self.server.fill(word)],
        });
        words.collect()
    }

    /// The texts as `plan` fills them in.
    fn files(&self, setup: &Setup, services: &[&Service]) -> Vec<(String, String)> {
        let has_schemas = services.iter().any(|service| !service.schemas.is_empty());
        let wanted = |file: &&SetupFile| !file.each.is_empty() || file.each_schema.is_empty() || has_schemas;
        setup.files.iter().filter(wanted).map(|file| (file.name.clone(), self.text(file, services))).collect()
    }

    fn text(&self, file: &SetupFile, services: &[&Service]) -> String {
        let mut text = self.server.fill(&file.header);
        for service in services {
            let fill = |text: &str| {
                let text = self.server.fill(text).replace("{database}", &self.real(&service.database));
                let text = text.replace("{user}", &self.real(&service.name));
                let text = text.replace("{password_variable}", &service.password_variable());
                text.replace("{service}", &self.real(&service.name))
            };
            text.push_str(&fill(&file.each));
            if services.iter().filter(|other| other.database == service.database).count() > 1 {
                text.push_str(&fill(&file.each_shared));
            }
            for (schema, _) in &service.schemas {
                let path = format!("/schemas/{}/{schema}", service.name);
                text.push_str(&fill(&file.each_schema).replace("{file}", &path));
            }
        }
        text + &self.server.fill(&file.footer)
    }
}
