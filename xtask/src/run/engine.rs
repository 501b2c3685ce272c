//! Which engine Docker's client talks to: what `DOCKER_HOST`, `DOCKER_CONTEXT` or `docker context use` have chosen. Reads
//! the client's own files, as asking it would cost each command a process; starts nothing.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::run::docker::environment;
use crate::run::setup::read_text;

/// An engine that was chosen, and is not just the one at the usual socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// `tcp://10.0.0.1:2376`
    pub address: String,
    /// What has chosen it, for people: "DOCKER_HOST", "the context `build`".
    pub by: String,
    /// How that choice is taken back.
    pub undo: &'static str,
}

/// The engine that was chosen; `None` where nobody has, or where the client's files do not tell.
pub fn chosen() -> Option<&'static Engine> {
    static CHOSEN: OnceLock<Option<Engine>> = OnceLock::new();
    CHOSEN.get_or_init(|| choice(|name| environment(name).filter(|value| !value.is_empty()))).as_ref()
}

/// As [`chosen`], where it answers somewhere else than on a socket of this machine.
pub fn remote() -> Option<&'static Engine> {
    let local =
        |engine: &&Engine| ["unix:", "npipe:", "fd:"].iter().any(|kind| engine.address.starts_with(kind));
    chosen().filter(|engine| !local(engine))
}

/// In the order of the client ("Docker contexts" in Docker's documentation).
fn choice(variable: impl Fn(&str) -> Option<String>) -> Option<Engine> {
    if let Some(address) = variable("DOCKER_HOST") {
        return Some(Engine { address, by: "DOCKER_HOST".to_owned(), undo: "unset it" });
    }
    let own = || Some(PathBuf::from(variable("HOME")?).join(".docker"));
    let folder = variable("DOCKER_CONFIG").map(PathBuf::from).or_else(own)?;
    let by_variable = variable("DOCKER_CONTEXT");
    let undo = if by_variable.is_some() { "unset DOCKER_CONTEXT" } else { "docker context use default" };
    let name = by_variable.or_else(|| text(&json(&folder.join("config.json"))?, &["currentContext"]))?;
    let address = (name != "default").then(|| address(&folder.join("contexts/meta"), &name))??;
    Some(Engine { address, by: format!("the context `{name}`"), undo })
}

/// The address of a context, whose file lies in a folder that is named by a checksum.
#[allow(clippy::disallowed_methods, reason = "the client's own folder, not the monorepo's")]
fn address(contexts: &Path, name: &str) -> Option<String> {
    let folders = std::fs::read_dir(contexts).ok()?.flatten();
    let mut all = folders.filter_map(|folder| json(&folder.path().join("meta.json")));
    let context = all.find(|context| text(context, &["Name"]).as_deref() == Some(name))?;
    text(&context, &["Endpoints", "docker", "Host"])
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_str(&read_text(path).ok()??).ok()
}

fn text(value: &Value, keys: &[&str]) -> Option<String> {
    let found = keys.iter().try_fold(value, |value, key| value.get(key))?;
    found.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test plays Docker's client")]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_the_one_that_the_client_would_ask() {
        let home = std::env::temp_dir().join(format!("xtask-engine-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("is ours");
            std::fs::write(path, text).expect("is ours");
        };
        let context = |name: &str, host: &str| {
            format!(
                r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
            )
        };
        write(".docker/contexts/meta/1f/meta.json", &context("desk", "unix:///run/user/1/docker.sock"));
        write(".docker/contexts/meta/2e/meta.json", &context("build", "ssh://me@build.example"));
        write(".docker/contexts/meta/3d/meta.json", "broken");
        let chosen = |current: &str, variables: &[(&str, &str)]| {
            write(".docker/config.json", &format!(r#"{{"auths":{{}}{current}}}"#));
            let found = choice(|name| {
                let given = variables.iter().find(|(known, _)| *known == name);
                given
                    .map(|(_, value)| (*value).to_owned())
                    .or_else(|| (name == "HOME").then(|| home.display().to_string()))
            });
            found.map(|engine| format!("{} by {}", engine.address, engine.by))
        };
        let build = r#","currentContext":"build""#;
        for (current, variables, wanted) in [
            ("", &[][..], None),
            (r#","currentContext":"default""#, &[], None),
            (r#","currentContext":"lost""#, &[], None),
            (build, &[], Some("ssh://me@build.example by the context `build`")),
            (
                build,
                &[("DOCKER_CONTEXT", "desk")],
                Some("unix:///run/user/1/docker.sock by the context `desk`"),
            ),
            (build, &[("DOCKER_CONTEXT", "default")], None),
            (
                build,
                &[("DOCKER_HOST", "tcp://10.0.0.1:2376"), ("DOCKER_CONTEXT", "desk")],
                Some("tcp://10.0.0.1:2376 by DOCKER_HOST"),
            ),
            (build, &[("DOCKER_CONFIG", "/nowhere")], None),
        ] {
            assert_eq!(chosen(current, variables).as_deref(), wanted, "{current} {variables:?}");
        }
        let _ = std::fs::remove_dir_all(home);
    }
}
