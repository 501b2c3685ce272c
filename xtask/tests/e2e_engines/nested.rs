//! An engine in a container of the machine's own engine, and the program run against it. Reached over TCP, as an
//! engine on another machine is: its published ports answer at the container's address.

use std::process::{Command, Stdio};

use crate::lab::{Lab, docker, until};
use crate::place::{Place, Screen};

/// Restarts the engine as a service manager does, also after SIGKILL.
const SUPERVISED: &str = "while :; do dockerd-entrypoint.sh dockerd --host=unix:///var/run/docker.sock \
    --host=tcp://0.0.0.0:2375 --tls=false \"$@\"; done";

/// The monorepo and the engine for its system; both go with the value, also when the test is killed.
pub(crate) struct Nested {
    pub(crate) lab: Lab,
    container: String,
    /// Where the engine's published ports answer.
    pub(crate) address: String,
}

/// What an engine is started with.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// Of the container that it runs in.
    pub(crate) container: &'a [&'a str],
    /// Of the engine.
    pub(crate) engine: &'a [&'a str],
    /// What it is given of the images of the machine's own engine.
    pub(crate) images: &'a [&'a str],
}

/// An engine of this image for the system of a monorepo; `None`, with a word, where no engine has these images.
pub(crate) fn nested(image: &str, options: &Options<'_>, place: impl FnOnce() -> Place) -> Option<Nested> {
    if !crate::engine::has(&[&[image], options.images].concat()) {
        return None;
    }
    let lab = Lab::new(place());
    let project = lab.base.file_name().expect("has a name").to_string_lossy().into_owned();
    lab.write("integration/.env", format!("COMPOSE_PROJECT_NAME={project}\nBIND_ADDR=0.0.0.0\n"));
    // With the project's label, what removes the rest removes them too.
    let label = format!("com.docker.compose.project={project}");
    let network = format!("{project}-engine");
    // Whoever reaches the engine rules this machine: nobody else is in its network.
    docker(&["network", "create", "--label", &label, &network]);
    let container = network.clone();
    let run = ["run", "--detach", "--privileged", "--init", "--name", &container, "--label", &label];
    let program = ["--network", &network, "--entrypoint", "sh", image, "-c", SUPERVISED, "engine"];
    docker(&[&run, options.container, &program, options.engine].concat());
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = docker(&["inspect", "--format", format, &container]);
    let nested = Nested { lab, container, address };
    nested.wait();
    nested.load(options.images);
    Some(nested)
}

impl Nested {
    /// `cargo xtask ARGS…` with this engine.
    pub(crate) fn xtask(&self, args: &[&str]) -> Screen {
        self.lab.run(self.lab.command(args).env("DOCKER_HOST", self.host()))
    }

    /// `docker ARGS…` with this engine.
    pub(crate) fn docker(&self, args: &[&str]) -> Screen {
        self.lab.run(&mut self.client(args))
    }

    /// As [`Nested::docker`], not started yet.
    pub(crate) fn client(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(args).env("DOCKER_HOST", self.host()).stdin(Stdio::null());
        command
    }

    /// The engine and nothing else gets SIGKILL; returns once it answers again.
    pub(crate) fn kill(&self) {
        let old = self.pid();
        self.inside(&format!("kill -s KILL {old}"));
        until("a new engine", || self.pid_now().is_some_and(|pid| pid != old));
        self.wait();
    }

    /// The engine ends in order and everything in its machine with it; returns once it answers again.
    pub(crate) fn restart(&self) {
        docker(&["restart", &self.container]);
        self.wait();
    }

    /// What happens to the engine's machine.
    pub(crate) fn inside(&self, script: &str) {
        docker(&["exec", &self.container, "sh", "-c", script]);
    }

    fn pid(&self) -> String {
        self.pid_now().expect("the engine has said which process it is")
    }

    fn pid_now(&self) -> Option<String> {
        let output =
            Command::new("docker").args(["exec", &self.container, "cat", "/run/docker.pid"]).output();
        let output = output.expect("docker is installed");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn host(&self) -> String {
        format!("tcp://{}:2375", self.address)
    }

    fn wait(&self) {
        until("an answer of the engine in a container", || self.docker(&["version"]).code == 0);
    }

    fn load(&self, images: &[&str]) {
        let mut save = Command::new("docker");
        let save = save.arg("save").args(images).stdout(Stdio::piped()).spawn();
        let mut save = save.expect("docker is installed");
        let images = save.stdout.take().expect("is piped");
        self.lab.run(self.client(&["load", "--quiet"]).stdin(images)).exits(0);
        assert!(save.wait().expect("was started").success(), "the images can be saved");
    }
}
