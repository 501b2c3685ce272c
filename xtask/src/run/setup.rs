//! What lies in the setup's folder: which files count, which project it is, and the `docker compose` for it.
//! Never reads the monorepo and never writes.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};
use crate::run::docker::{Docker, Invocation, path_arg};
use crate::run::dotenv;

/// The base file's name.
pub const COMPOSE_FILE: &str = "docker-compose.yml";
/// A setup on disk, as far as it can be known without asking Compose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The folder, absolute.
    pub out: PathBuf,
    /// The folder as people see it.
    pub shown: String,
    /// `dev`, `test` or a name of the user's.
    pub env: String,
    /// Compose files in the order in which they override each other; empty where there is no base file.
    pub files: Vec<PathBuf>,
    /// `.env` or `.env.NAME`; it may not exist yet.
    pub env_file: PathBuf,
    /// The text of the env file; empty where there is none.
    pub env_text: String,
    /// The Compose project.
    pub project: String,
    /// An overlay that `compose` reads from stdin, for engines that lack a feature.
    pub overlay: Option<String>,
}

impl Setup {
    /// Reads the folder. Also works where the files are broken or missing, so that `down` and `logs` always can.
    ///
    /// # Errors
    /// When a file exists and cannot be read, or `env` cannot be part of a file's name.
    pub fn read(out: &Path, shown: &str, env: &str) -> Result<Setup> {
        check_env_name(env)?;
        let base = out.join(COMPOSE_FILE);
        let layer = if env == "dev" { "override" } else { env };
        let layer = out.join(format!("docker-compose.{layer}.yml"));
        let files: Vec<PathBuf> = match base.is_file() {
            true => [base.clone(), layer].into_iter().filter(|file| file.is_file()).collect(),
            false => Vec::new(),
        };
        let env_file = out.join(env_file_name(env));
        let env_text = read_text(&env_file)?.unwrap_or_default();
        let compose = read_text(&base)?.unwrap_or_default();
        let project = dotenv::value(&env_text, dotenv::PROJECT_VARIABLE)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| project_name(out, &compose, env));
        Ok(Setup {
            out: out.to_owned(),
            shown: shown.to_owned(),
            env: env.to_owned(),
            files,
            env_file,
            env_text,
            project,
            overlay: None,
        })
    }

    /// As [`Setup::read`], for what cannot work without a base file.
    ///
    /// # Errors
    /// When there is no `docker-compose.yml`.
    pub fn existing(out: &Path, shown: &str, env: &str) -> Result<Setup> {
        let setup = Setup::read(out, shown, env)?;
        if setup.files.is_empty() {
            return Err(Failure::new(format!("there is no setup in `{shown}`"))
                .at(format!("{shown}/{COMPOSE_FILE}"))
                .fix("cargo xtask integrate")
                .into());
        }
        Ok(setup)
    }

    /// A file of the folder as people see it.
    pub fn shown_file(&self, file: &Path) -> String {
        let name = file.strip_prefix(&self.out).unwrap_or(file).display();
        format!("{}/{name}", self.shown)
    }

    /// A path of this machine as people see it: relative to the monorepo where it lies in it.
    pub fn shown_outside(&self, path: &str) -> String {
        let out = self.out.to_string_lossy();
        let root = out.strip_suffix(self.shown.as_str()).unwrap_or_default();
        path.strip_prefix(root).filter(|_| !root.is_empty()).unwrap_or(path).to_owned()
    }

    /// A command of ours for this setup, ready to paste: `cargo xtask logs api --env test`.
    pub fn xtask(&self, command: &str) -> String {
        match self.env.as_str() {
            "dev" => format!("cargo xtask {command}"),
            env => format!("cargo xtask {command} --env {env}"),
        }
    }

    /// `docker compose` with the files, the variables and the project of this setup; add the subcommand.
    pub fn compose(&self, docker: &Docker) -> Invocation {
        self.compose_with(docker, &[])
    }

    /// As [`Setup::compose`], with more options of `docker compose` itself.
    pub fn compose_with(&self, docker: &Docker, options: &[&str]) -> Invocation {
        let mut args = vec!["compose".to_owned()];
        args.extend(options.iter().map(|option| (*option).to_owned()));
        args.extend(["--project-directory".to_owned(), path_arg(&self.out)]);
        for file in &self.files {
            args.extend(["-f".to_owned(), path_arg(file)]);
        }
        if self.overlay.is_some() {
            args.extend(["-f".to_owned(), "-".to_owned()]);
        }
        if self.env_file.is_file() {
            args.extend(["--env-file".to_owned(), path_arg(&self.env_file)]);
        }
        args.extend(["-p".to_owned(), self.project.clone()]);
        let command = docker.command(args);
        match &self.overlay {
            Some(overlay) => command.stdin(overlay),
            None => command,
        }
    }
}

fn check_env_name(env: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !env.is_empty() && !["example", "override"].contains(&env) && env.chars().all(plain) {
        return Ok(());
    }
    Err(Failure::new(format!("`{env}` cannot be the name of an environment"))
        .why("it becomes part of file names: lower-case letters, digits, - and _, but not `example` or `override`")
        .into())
}

/// `.env` for `dev`, else `.env.NAME`.
pub fn env_file_name(env: &str) -> String {
    if env == "dev" { ".env".to_owned() } else { format!(".env.{env}") }
}

/// `<name>-<4 hex>`: the same for a checkout as long as it stays where it is, so that a lost `.env` finds its
/// volumes again; environments other than `dev` get their name behind it.
pub fn project_name(out: &Path, compose: &str, env: &str) -> String {
    let real = out.canonicalize().unwrap_or_else(|_| out.to_owned());
    let folder = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = declared_name(compose).unwrap_or_else(|| valid_name(&folder));
    if env == "dev" && is_exact(compose) {
        return name;
    }
    let hash = fnv1a(real.as_os_str().as_encoded_bytes()) & 0xffff;
    match env {
        "dev" => format!("{name}-{hash:04x}"),
        env => format!("{name}-{hash:04x}-{}", valid_name(env)),
    }
}

/// Whether the project is called exactly as declared: a setup that ran under that name before it was adopted.
fn is_exact(compose: &str) -> bool {
    compose.lines().any(|line| line.trim_end() == "x-xtask-project: exact")
}

/// The top-level `name:` of a compose file; read line by line, so that a broken file has one too.
fn declared_name(compose: &str) -> Option<String> {
    let value = compose.lines().find_map(|line| line.strip_prefix("name:"))?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains('$')).then(|| value.to_owned())
}

/// Lower-case letters, digits, `-` and `_`, a letter or digit first, as Compose asks.
fn valid_name(text: &str) -> String {
    let name: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect();
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() { "stack".to_owned() } else { name.to_owned() }
}

/// FNV-1a, 64 bit: stable across versions and machines, which the hasher of the standard library is not.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The text of a file of the setup; `None` where it does not exist.
///
/// # Errors
/// When it exists and cannot be read as text.
#[allow(clippy::disallowed_methods, reason = "the one place of run that reads the setup's files")]
pub fn read_text(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Failure::new("cannot read a file of the setup").at(path.display()).why(why).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_name_is_stable_and_belongs_to_the_folder() {
        let name = |out: &str, env: &str| project_name(Path::new(out), "name: trading-platform\n", env);
        assert_eq!(name("/nowhere/a/integration", "dev"), name("/nowhere/a/integration", "dev"));
        assert_ne!(name("/nowhere/a/integration", "dev"), name("/nowhere/b/integration", "dev"));
        assert!(name("/nowhere/a/integration", "dev").starts_with("trading-platform-"));
        assert!(name("/nowhere/a/integration", "test").ends_with("-test"));
    }

    #[test]
    fn an_adopted_setup_keeps_the_project_under_which_its_data_are() {
        let compose = "name: integration\nx-xtask-project: exact\nservices: {}\n";
        assert_eq!(project_name(Path::new("/nowhere/integration"), compose, "dev"), "integration");
        assert_ne!(project_name(Path::new("/nowhere/integration"), compose, "test"), "integration");
    }

    #[test]
    fn project_name_is_found_without_a_declared_one_and_in_a_broken_file() {
        assert_eq!(declared_name("services: {\nname: \"shop\" # ours\n").as_deref(), Some("shop"));
        assert_eq!(declared_name("x:\n  name: inner\n"), None);
        assert_eq!(valid_name("My Shop (2)"), "my-shop--2");
        assert_eq!(valid_name("___"), "stack");
    }

    #[test]
    fn hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
