//! What lies on a real disk and would hang, mislead or burst a careless reader; each case in a folder of its own.

#![allow(clippy::disallowed_methods, reason = "the test builds the trees that discovery reads")]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, process};

use xtask::catalog::Catalog;
use xtask::config::Config;
use xtask::discover::{Scope, discover};
use xtask::model::fact::Facts;
use xtask::model::problem::Problem;
use xtask::plan;
use xtask::render::{Layout, render};
use xtask::repo::Repo;

/// A folder that goes away with the test.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Tree {
        let path = std::env::temp_dir().join(format!("xtask-discover-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("api")).expect("can be made");
        let tree = Tree(path);
        tree.write("api/Dockerfile", "FROM node:20-slim\nEXPOSE 3000\n");
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("has a folder")).expect("can be made");
        fs::write(path, text).expect("can be written");
    }

    fn facts(&self) -> Facts {
        let repo = Repo::open(&self.0).expect("can be read");
        discover(&repo, &Catalog::default(), &Scope::default()).expect("can be read")
    }

    fn names(&self) -> Vec<String> {
        self.facts().services.into_iter().map(|service| service.name).collect()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn links_are_followed_to_files_inside_the_root_only() {
    let tree = Tree::new("links");
    let outside = Tree::new("links-outside");
    symlink("../api/Dockerfile", tree.0.join("Dockerfile.linked")).expect("can be linked");
    fs::create_dir_all(tree.0.join("web")).expect("can be made");
    symlink("../api/Dockerfile", tree.0.join("web/Dockerfile")).expect("can be linked");
    fs::create_dir_all(tree.0.join("evil")).expect("can be made");
    symlink(outside.0.join("api/Dockerfile"), tree.0.join("evil/Dockerfile")).expect("can be linked");
    symlink("..", tree.0.join("api/up")).expect("can be linked");
    symlink("loop", tree.0.join("loop")).expect("can be linked");
    assert_eq!(tree.names(), ["api", "web"]);
}

#[test]
fn virtual_environment_of_any_name_is_left_out() {
    let tree = Tree::new("environment");
    tree.write("py310/pyvenv.cfg", "home = /usr/bin\n");
    tree.write("py310/lib/orders/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8000\n");
    tree.write("web/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8000\n");
    assert_eq!(tree.names(), ["api", "web"]);
}

/// An index of git of version 2.
fn index(paths: &[&str]) -> Vec<u8> {
    let mut index = b"DIRC\0\0\0\x02\0\0\0".to_vec();
    index.push(u8::try_from(paths.len()).expect("are few"));
    for path in paths {
        let mut entry = [0; 62].to_vec();
        entry[26..28].copy_from_slice(&[0x81, 0xa4]);
        entry[61] = u8::try_from(path.len()).expect("is short");
        entry.extend_from_slice(path.as_bytes());
        entry.resize((entry.len() + 1).next_multiple_of(8), 0);
        index.extend(entry);
    }
    index.extend([0; 20]);
    index
}

#[test]
fn what_git_tracks_counts_whatever_is_ignored() {
    let tree = Tree::new("tracked");
    tree.write(".gitignore", "Dockerfile\n.env*\n");
    tree.write("shop/web/Dockerfile", "FROM node:20-slim\nEXPOSE 3001\n");
    tree.write("shop/web/.env.example", "DATABASE_URL=postgres://localhost/web\n");
    tree.write("node_modules/x/Dockerfile", "FROM node:20-slim\n");
    let outside = Tree::new("tracked-outside");
    symlink(&outside.0, tree.0.join("evil")).expect("can be linked");
    let tracked = index(&[
        "../tracked-outside/api/Dockerfile",
        "evil/api/Dockerfile",
        "gone/Dockerfile",
        "node_modules/x/Dockerfile",
        "shop/web/.env.example",
        "shop/web/Dockerfile",
    ]);
    fs::create_dir_all(tree.0.join(".git")).expect("can be made");
    fs::write(tree.0.join(".git/index"), &tracked).expect("can be written");
    assert_eq!(tree.names(), ["web"], "the `api` that nobody has added is not there for others");
    let variables = &tree.facts().services[0].facts;
    assert!(variables.iter().any(|fact| fact.at.path.name() == ".env.example"), "{variables:?}");

    // Of another worktree, and from a folder of the repository.
    fs::create_dir_all(tree.0.join("meta")).expect("can be made");
    fs::write(tree.0.join("meta/index"), &tracked).expect("can be written");
    fs::remove_dir_all(tree.0.join(".git")).expect("can be removed");
    tree.write(".git", "gitdir: meta\n");
    let repo = Repo::open(&tree.0.join("shop")).expect("can be read");
    let files: Vec<&str> = repo.files().map(|file| file.as_str()).collect();
    assert_eq!(files, ["web/.env.example", "web/Dockerfile"]);
}

#[test]
fn dockerfiles_count_where_no_index_says_whether_they_are_tracked() {
    let tree = Tree::new("ignored");
    tree.write("web/deploy/Dockerfile.prod", "FROM node:20-slim\nEXPOSE 3001\n");
    tree.write("out/copy/Dockerfile", "FROM node:20-slim\nEXPOSE 3002\n");
    tree.write(".gitignore", "**/Dockerfile\nDockerfile.*\n/out/\n");
    assert_eq!(tree.names(), ["api", "web"]);
    tree.write(".git/index", "DIRC, and nothing that git has written");
    assert_eq!(tree.names(), ["api", "web"]);
    fs::write(tree.0.join(".git/index"), index(&[])).expect("can be written");
    assert_eq!(tree.names(), [""; 0]);
}

#[test]
fn pipes_are_never_opened() {
    let tree = Tree::new("pipes");
    let made =
        process::Command::new("mkfifo").arg(tree.0.join("api/.env.example")).status().expect("can be run");
    assert!(made.success());
    assert_eq!(tree.names(), ["api"]);
}

#[test]
fn huge_environment_file_is_named_and_not_read() {
    let tree = Tree::new("huge");
    let file = fs::File::create(tree.0.join("api/.env.example")).expect("can be made");
    file.set_len(50 << 20).expect("can be grown");
    let problems = tree.facts().problems;
    let unread = problems.iter().filter(|problem| problem.code == "unreadable");
    let shown: Vec<String> =
        unread.map(|problem| format!("{} at {}", problem.message, problem.at.join(" "))).collect();
    assert_eq!(
        shown,
        ["a file is not read: it has 50 MiB, more than 1 MiB are not read at api/.env.example"]
    );
}

#[test]
fn unreadable_folder_is_a_problem_and_the_rest_counts() {
    let tree = Tree::new("unreadable");
    tree.write("secret/Dockerfile", "FROM node:20\n");
    let folder = tree.0.join("secret");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("can be set");
    let readable = fs::read_dir(&folder).is_ok();
    let facts = tree.facts();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("can be set");
    // The administrator reads everything; then there is nothing to see here.
    if !readable {
        let shown: Vec<&str> =
            facts.problems.iter().flat_map(|problem| &problem.at).map(String::as_str).collect();
        assert_eq!(shown, ["secret"]);
    }
    assert!(facts.services.iter().any(|service| service.name == "api"));
}

#[test]
fn names_with_control_characters_are_left_out_and_named() {
    let tree = Tree::new("control");
    tree.write("a\nb/Dockerfile", "FROM node:20\n");
    tree.write("$(touch x)/Dockerfile", "FROM node:20\n");
    let facts = tree.facts();
    let names: Vec<&str> = facts.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["api", "touch-x"]);
    assert!(facts.problems.iter().any(|problem| problem.code == "unusable-name" && problem.at == ["a\\nb"]));
}

/// What is done in far less than this does not hang.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn links_to_devices_and_to_folders_above_are_left_alone() {
    let tree = Tree::new("devices");
    for (name, target) in [("zero/Dockerfile", "/dev/zero"), ("api/.env.example", "/dev/random")] {
        fs::create_dir_all(tree.0.join(name).parent().expect("has a folder")).expect("can be made");
        symlink(target, tree.0.join(name)).expect("can be linked");
    }
    fs::create_dir_all(tree.0.join("deep/er")).expect("can be made");
    symlink("../..", tree.0.join("deep/er/up")).expect("can be linked");
    symlink("/", tree.0.join("deep/root")).expect("can be linked");
    symlink("b", tree.0.join("a")).expect("can be linked");
    symlink("a", tree.0.join("b")).expect("can be linked");
    let started = Instant::now();
    assert_eq!(tree.names(), ["api"]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn deep_folders_are_walked() {
    let tree = Tree::new("deep");
    let deep = "d/".repeat(900);
    tree.write(&format!("{deep}Dockerfile"), "FROM node:20-slim\nCOPY . /app\n");
    tree.write(&format!("{deep}.dockerignore"), &format!("{}x\n", "**/d/".repeat(40)));
    let started = Instant::now();
    assert_eq!(tree.names(), ["api", "d"]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn files_of_a_million_lines_cost_no_more_than_their_length() {
    let tree = Tree::new("lines");
    for (path, line) in [
        ("api/.env.example", "A\n"),
        ("api/README.md", "|\n"),
        ("api/main.py", "'\n"),
        ("api/server.ts", ".\n"),
        ("api/nginx.conf", "{\n"),
        ("api/application.properties", "a\n"),
        ("api/go.mod", "(\n"),
        ("docker-compose.yml", "#\n"),
        ("web/Dockerfile", "#\n"),
    ] {
        tree.write(path, &line.repeat(500_000));
    }
    tree.write("api/main.go", &"x := 1\n".repeat(1_000_000));
    let started = Instant::now();
    let facts = tree.facts();
    assert!(started.elapsed() < 2 * PATIENCE, "{:?}", started.elapsed());
    assert!(facts.services.iter().any(|service| service.name == "api"));
    let large: Vec<&Problem> = facts.problems.iter().filter(|one| one.code == "large-files").collect();
    assert_eq!(large.len(), 1);
    assert_eq!(large[0].at, ["api/main.go"]);
}

#[test]
fn aliases_that_multiply_are_not_expanded() {
    let tree = Tree::new("aliases");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
    }
    for path in [
        "docker-compose.yml",
        "api/application.yml",
        "k8s/api.yaml",
        "skaffold.yaml",
        "gate/envoy.yaml",
        "traefik.yml",
        "prometheus.yml",
        "chart/values.yaml",
        ".github/workflows/ci.yml",
    ] {
        let head = "apiVersion: v1\nkind: Service\nmetadata: { name: api }\nservices: { api: { image: x, environment: *a11 } }\n";
        tree.write(path, &format!("{bomb}{head}"));
    }
    tree.write("chart/Chart.yaml", "name: api\n");
    let started = Instant::now();
    assert_eq!(tree.names(), ["api"]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn nothing_of_the_monorepo_is_expanded_or_acts_in_a_generated_file() {
    let tree = Tree::new("expanded");
    tree.write("$(touch x)/Dockerfile", "FROM node:20\nEXPOSE 4000\nENV GREETING=\"$(touch y)`touch z`\"\n");
    tree.write(
        "$(touch x)/.env.example",
        "# \u{1b}[31mred\u{7}\nLEVEL='a$(touch y)\u{1b}]0;t\u{7}'\nKEY=\"${HOME}\"\n",
    );
    tree.write("a b;rm -rf/Dockerfile", "FROM node:20\nEXPOSE 4001\nCMD [\"sh\", \"-c\", \"echo $HOME\"]\n");
    let (facts, catalog) = (tree.facts(), Catalog::load(&[]).expect("the built-in entries parse"));
    let context = plan::Context { folder: "x\n$(touch x)".to_owned(), ..plan::Context::default() };
    let stack = plan::plan(&facts, &catalog, &Config::default(), &context).expect("can be planned");
    let files = render(&stack, &Layout::default());
    assert_eq!(stack.name, "x-touch-x");
    for (name, text) in files.iter() {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{name}: {text:?}");
        if name.starts_with("docker-compose") {
            let plain = text.replace("$$", "").replace("${", "");
            assert!(!plain.contains('$'), "{name}: {text}");
        }
    }
}

#[test]
fn root_that_is_not_there_is_an_error() {
    let error = Repo::open(Path::new("/nowhere/at/all")).expect_err("is not there");
    assert_eq!(
        error.to_string(),
        "cannot read the monorepo `/nowhere/at/all`\n  why: No such file or directory (os error 2)\n  \
         fix: give the monorepo's folder with `--root`"
    );
}
