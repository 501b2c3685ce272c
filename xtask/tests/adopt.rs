//! `adopt` on real monorepos, and then their own `cargo xtask`: what one writes, cargo must compile and run.
//!
//! Compiling is dear: one target folder for all, that of this build, and the library by path.
#![allow(clippy::disallowed_methods, reason = "a test sets up its own monorepos and starts the program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What makes the compiled dependencies of this build fit.
fn profile() -> String {
    let fast =
        |package: &str| format!("[profile.dev.package.{package}]\nopt-level = 3\ndebug-assertions = false\n");
    let packages = ["aho-corasick", "globset", "ignore", "memchr", "regex-automata", "xtask-base"].map(fast);
    let patterns = "[profile.dev.package.regex-syntax]\nopt-level = 1\ndebug-assertions = false\n";
    let documents = "[profile.dev.package.pulldown-cmark]\nopt-level = 2\ndebug-assertions = false\n";
    let stages = ["xtask-discover", "xtask-plan"].map(|package| {
        format!(
            "[profile.dev.package.{package}]\nopt-level = 2\ncodegen-units = 16\ndebug-assertions = false\n"
        )
    });
    format!("[profile.dev]\ndebug = 0\n{}{patterns}{documents}{}", packages.concat(), stages.concat())
}

const NODE_SERVICE: &[(&str, &str)] = &[
    (
        "api/Dockerfile",
        "FROM node:20-slim\nWORKDIR /app\nCOPY . .\nEXPOSE 3000\nCMD [\"node\", \"server.js\"]\n",
    ),
    ("api/package.json", "{ \"name\": \"api\", \"dependencies\": { \"pg\": \"^8\" } }\n"),
    ("api/server.js", "require('http').createServer((_, r) => r.end('ok')).listen(3000);\n"),
    ("api/.env.example", "PORT=3000\nDATABASE_URL=postgres://api:secret@localhost:5432/api\n"),
];

/// A monorepo of the test's own, removed when it is done with.
struct Monorepo {
    path: PathBuf,
}

impl Monorepo {
    fn new(name: &str, files: &[(&str, &str)]) -> Monorepo {
        let path = std::env::temp_dir().join(format!("xtask-adopt-{}", std::process::id())).join(name);
        let _ = fs::remove_dir_all(&path);
        let monorepo = Monorepo { path };
        for (name, text) in files {
            monorepo.write(name, text);
        }
        monorepo
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("lies in a folder")).expect("can be made");
        fs::write(path, text).expect("can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// Names and texts of all files.
    fn all(&self) -> Vec<(String, String)> {
        let walk = ignore::WalkBuilder::new(&self.path).hidden(false).git_ignore(false).build();
        let files = walk.flatten().filter(|entry| entry.path().is_file());
        let mut all: Vec<(String, String)> = files
            .map(|entry| {
                let name = entry.path().strip_prefix(&self.path).expect("below").display().to_string();
                let text = self.read(&name);
                (name, text)
            })
            .collect();
        all.sort();
        all
    }

    fn adopt(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("adopt").arg(&self.path).args(more).env("CARGO_NET_OFFLINE", "true");
        command.output().expect("starts")
    }

    /// The monorepo's own `cargo xtask`, from one of its folders.
    fn xtask(&self, from: &str, words: &[&str]) -> Output {
        let target = Path::new(env!("CARGO_BIN_EXE_xtask")).ancestors().nth(2).expect("target/debug/xtask");
        let mut command = Command::new(env!("CARGO"));
        command.arg("xtask").args(words).current_dir(self.path.join(from));
        command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
        command.env_remove("CARGO_MANIFEST_DIR");
        command.output().expect("cargo starts")
    }
}

impl Drop for Monorepo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        if let Some(home) = self.path.parent() {
            let _ = fs::remove_dir(home);
        }
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    let said = said(output);
    assert!(output.status.success(), "{said}");
    said
}

/// `integrate` makes a setup of the services and of nothing else, and finds it fresh then.
#[track_caller]
fn integrates(monorepo: &Monorepo, from: &str, services: &[&str]) {
    succeeds(&monorepo.xtask("", &["integrate"]));
    let compose: serde_yaml::Value =
        serde_yaml::from_str(&monorepo.read("integration/docker-compose.yml")).expect("is YAML");
    let compose = compose["services"].as_mapping().expect("has services");
    let names: Vec<&str> = compose
        .iter()
        .filter(|(_, service)| service["labels"]["xtask.role"].as_str() == Some("service"))
        .filter_map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, services);
    let fresh = succeeds(&monorepo.xtask(from, &["integrate", "--check"]));
    assert!(fresh.contains("integration is up to date"), "{fresh}");
}

#[test]
fn monorepo_without_cargo_gets_the_commands_and_integrates() {
    let monorepo = Monorepo::new("plain", NODE_SERVICE);
    monorepo.write(".cargo/config.toml", "# ours\n[net]\nretry = 3\n");
    let before = monorepo.all();

    succeeds(&monorepo.adopt(&["--dry-run"]));
    assert_eq!(monorepo.all(), before, "a dry run writes nothing");

    let first = succeeds(&monorepo.adopt(&[]));
    assert!(first.contains("Finished"), "{first}");
    assert!(monorepo.read(".cargo/config.toml").starts_with("# ours\n[net]\nretry = 3\n"));
    integrates(&monorepo, "", &["api"]);

    let adopted = monorepo.all();
    let second = succeeds(&monorepo.adopt(&[]));
    assert!(second.contains("Fresh"), "{second}");
    assert_eq!(monorepo.all(), adopted, "a second run changes nothing");
}

#[test]
fn rust_workspace_gets_a_member_and_integrates_from_a_sub_folder() {
    let root =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\n    \"lib\", # shared\n]\n\n{}", profile());
    let monorepo = Monorepo::new("rust", NODE_SERVICE);
    monorepo.write("Cargo.toml", &root);
    monorepo.write("lib/Cargo.toml", "[package]\nname = \"lib\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    monorepo.write("lib/src/lib.rs", "");
    monorepo.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"lib\"\nversion = \"0.1.0\"\n");

    succeeds(&monorepo.adopt(&[]));
    assert_eq!(monorepo.read("Cargo.toml"), root.replace("# shared\n", "# shared\n    \"xtask\",\n"));
    let lock = monorepo.read("Cargo.lock");
    assert!(lock.contains("name = \"rust-xtask\"") && lock.contains("name = \"lib\""), "{lock}");
    integrates(&monorepo, "lib/src", &["api"]);
    assert_eq!(monorepo.read("Cargo.lock"), lock, "the lock file was complete");
}

#[test]
fn workspace_that_an_image_is_built_from_is_not_touched() {
    let monorepo = Monorepo::new("image", &[]);
    let root = "[workspace]\nmembers = [\"api\"]\n";
    monorepo.write("Cargo.toml", root);
    monorepo.write("api/Cargo.toml", "[package]\nname = \"api\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    monorepo.write("api/src/main.rs", "fn main() {}\n");
    monorepo.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"api\"\nversion = \"0.1.0\"\n");
    monorepo.write(
        "api/Dockerfile",
        "FROM rust:1.85-slim\nWORKDIR /w\nCOPY Cargo.toml Cargo.lock ./\nCOPY api api\nRUN cargo build --locked\n",
    );
    let lock = monorepo.read("Cargo.lock");

    let said = succeeds(&monorepo.adopt(&[]));
    assert!(said.contains("images are built from that of the root: api/Dockerfile:3"), "{said}");
    assert_eq!((monorepo.read("Cargo.toml"), monorepo.read("Cargo.lock")), (root.to_owned(), lock));
    let manifest = monorepo.path.join("Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(manifest);
    let metadata = cargo.output().expect("cargo starts");
    assert!(metadata.status.success() && !String::from_utf8_lossy(&metadata.stdout).contains("xtask\""));
}

#[test]
fn taken_place_stops_before_anything_is_written() {
    let monorepo = Monorepo::new("taken", &[(".cargo/config.toml", "[alias]\nxtask = \"run -p mine --\"\n")]);
    let before = monorepo.all();
    let output = monorepo.adopt(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the alias `xtask` is taken"), "{}", said(&output));
    assert_eq!(monorepo.all(), before);
}
