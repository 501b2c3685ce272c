//! What `integrate` and `inventory` say about a monorepo that they cannot read as it is: each message whole.
//! Nothing here needs an engine.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use place::{Place, Screen};

/// A folder that goes with the test.
struct Monorepo(Place);

impl std::ops::Deref for Monorepo {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.0
    }
}

impl Drop for Monorepo {
    fn drop(&mut self) {
        self.remove();
    }
}

fn empty() -> Monorepo {
    Monorepo(Place::new("shop"))
}

/// One service of which nothing has to be said.
fn shop() -> Monorepo {
    let shop = empty();
    let health = "HEALTHCHECK CMD [\"python\", \"-c\", \"import app; app.check()\"]";
    let text = format!("FROM python:3.13-slim\n{health}\nEXPOSE 8000\nCMD [\"python\", \"-m\", \"app\"]\n");
    shop.write("api/Dockerfile", text);
    shop
}

/// What `inventory` shows of [`shop`] when nothing else is found.
const SHOP: &str = "SERVICE  PORT  DATABASE  HEALTH CHECK  DEPENDENCIES\n\
                    api      8000  -         command       -\n";

#[track_caller]
fn assert_screen(screen: &Screen, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(screen.stdout, stdout);
    assert_eq!(screen.stderr, stderr);
    assert_eq!(screen.code, code);
}

/// The program refuses, says this, and the monorepo is as before.
#[track_caller]
fn assert_refused(place: &Place, command: &str, stderr: &str) {
    let before = place.files();
    let screen = place.xtask(&[command]);
    assert_screen(&screen, 1, "", stderr);
    assert!(place.files() == before, "a file was written");
}

#[test]
fn a_monorepo_that_is_well_has_nothing_said_about_it() {
    assert_screen(&shop().xtask(&["inventory"]), 0, SHOP, "");
}

#[test]
fn an_empty_folder_is_told_what_was_looked_for_and_stays_empty() {
    let folder = empty();
    let words = "error: no service was found\n  \
         why: looked for Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile in workspace/code/* and, \
         where there is no such folder, the whole tree\n  \
         fix: add a Dockerfile to each service's folder, pass the monorepo with --root, \
         or set services.roots in config.yaml\n";
    for command in ["integrate", "inventory", "up"] {
        assert_refused(&folder, command, words);
        assert_eq!(fs::read_dir(&folder.root).expect("is there").count(), 0);
    }
}

#[test]
fn a_root_that_does_not_exist_is_refused() {
    let folder = empty();
    let root = folder.root.join("nowhere");
    let screen =
        folder.run(Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--root").arg(root).arg("integrate"));
    assert_screen(
        &screen,
        1,
        "",
        "error: cannot open the monorepo `ROOT/nowhere`\n  why: No such file or directory (os error 2)\n  \
         fix: pass an existing folder to --root\n",
    );
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let shop = shop();
    let root = shop.root.join("api/Dockerfile");
    let screen = shop.run(Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--root").arg(root).arg("integrate"));
    assert_screen(
        &screen,
        1,
        "",
        "error: `ROOT/api/Dockerfile` is not a folder\n  fix: pass the monorepo's folder to --root\n",
    );
}

#[test]
fn a_dockerfile_that_is_a_folder_leaves_the_others_alone() {
    let shop = shop();
    fs::create_dir_all(shop.root.join("web/Dockerfile")).expect("the folder is ours");
    let problem = "a Dockerfile is a folder, so its service is left out";
    assert_screen(
        &shop.xtask(&["inventory"]),
        0,
        &format!(
            "{SHOP}\nerror: {problem} [dockerfile-unreadable]\n  at web/Dockerfile\n  \
             fix: remove the folder and write the file: `rmdir web/Dockerfile`\n"
        ),
        "",
    );
    let integrate = shop.xtask(&["integrate"]).exits(0);
    assert!(integrate.stderr.contains(&format!("\nerror: {problem} [dockerfile-unreadable]\n")));
}

#[test]
fn a_monorepo_whose_only_dockerfile_is_a_folder_has_no_service() {
    let folder = empty();
    fs::create_dir_all(folder.root.join("web/Dockerfile")).expect("the folder is ours");
    assert_refused(
        &folder,
        "integrate",
        "error: no service was found\n  at web/Dockerfile\n  \
         why: looked for Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile in workspace/code/* and, \
         where there is no such folder, the whole tree\n       \
         a Dockerfile is a folder, so its service is left out\n  \
         fix: add a Dockerfile to each service's folder, pass the monorepo with --root, \
         or set services.roots in config.yaml\n",
    );
}

#[test]
fn a_dockerfile_that_is_not_utf8_is_named_with_its_line() {
    let shop = shop();
    shop.write("web/Dockerfile", b"FROM python:3.13-slim\nLABEL by=\xff\xfe\nEXPOSE 8001\n");
    assert_screen(
        &shop.xtask(&["inventory"]),
        0,
        &format!(
            "{SHOP}\nerror: a Dockerfile cannot be read (it is not UTF-8), so its service is left out \
             [dockerfile-unreadable]\n  at web/Dockerfile:2\n  fix: mend it, or leave its folder out with `services.exclude` in `config.yaml`\n"
        ),
        "",
    );
}

#[test]
fn an_environment_file_that_is_not_utf8_is_read_and_named_with_its_line() {
    let shop = shop();
    shop.write("api/.env.example", b"PORT=8000\nGREETING=gr\xfc\xdf\n");
    assert_screen(
        &shop.xtask(&["inventory"]),
        0,
        &format!(
            "{SHOP}\nwarning: bytes that are not UTF-8 are read as `\u{fffd}` [not-utf8]\n  \
             at api/.env.example:2\n  fix: save the file as UTF-8\n"
        ),
        "",
    );
}

#[test]
fn an_environment_file_of_50_megabytes_is_not_read() {
    let shop = shop();
    let file = fs::File::create(shop.root.join("api/.env.example")).expect("the folder is ours");
    file.set_len(50 << 20).expect("the file system takes sparse files");
    let screen = shop.xtask(&["inventory"]);
    assert_screen(
        &screen,
        0,
        &format!(
            "{SHOP}\nwarning: a file is not read: it has 50 MiB, more than 1 MiB are not read [unreadable]\n  \
             at api/.env.example\n  fix: mend it, or leave it out with `services.exclude` in `config.yaml`\n"
        ),
        "",
    );
    assert!(screen.took < Duration::from_secs(5), "took {:?}", screen.took);
}

#[test]
fn files_that_may_not_be_read_are_named() {
    let shop = shop();
    shop.write("api/.env.example", "PORT=8000\n");
    forbid(&shop, "api/.env.example");
    shop.write("web/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8001\n");
    forbid(&shop, "web/Dockerfile");
    shop.write("worker/Dockerfile", "FROM python:3.13-slim\n");
    forbid(&shop, "worker");

    let screen = as_somebody(&shop, &["inventory"]);

    forgive(&shop, "worker");
    assert_screen(
        &screen,
        0,
        &format!(
            "{SHOP}\nerror: a Dockerfile cannot be read (Permission denied (os error 13)), so its service is left out \
             [dockerfile-unreadable]\n  at web/Dockerfile\n  fix: mend it, or leave its folder out with `services.exclude` in `config.yaml`\n\n\
             warning: a file is not read: Permission denied (os error 13) [unreadable]\n  at api/.env.example\n  \
             fix: mend it, or leave it out with `services.exclude` in `config.yaml`\n\n\
             warning: a part of the tree cannot be read (Permission denied (os error 13)), so nothing in it counts \
             [unreadable]\n  at worker\n  \
             fix: make it readable for you, or leave it out with `services.exclude` in `config.yaml`\n"
        ),
        "",
    );
}

#[test]
fn a_configuration_that_may_not_be_read_stops_everything() {
    let shop = shop();
    shop.write("integration/config.yaml", "name: shop\n");
    forbid(&shop, "integration/config.yaml");

    let screen = as_somebody(&shop, &["inventory"]);

    assert_screen(
        &screen,
        1,
        "",
        "error: cannot read `integration/config.yaml`\n  at integration/config.yaml\n  \
         why: Permission denied (os error 13)\n",
    );
}

#[test]
fn a_folder_that_may_not_be_written_to_gets_nothing() {
    let shop = shop();
    fs::set_permissions(&shop.root, fs::Permissions::from_mode(0o555)).expect("the folder is ours");

    let screen = as_somebody(&shop, &["integrate"]);

    fs::set_permissions(&shop.root, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
    assert_screen(
        &screen,
        1,
        "",
        "error: cannot make the folder of `integration/.env.example`\n  at integration/.env.example\n  \
         why: Permission denied (os error 13)\n  fix: make `integration` writable for you\n",
    );
}

/// Takes the right to read a file or folder away.
fn forbid(place: &Place, path: &str) {
    fs::set_permissions(place.root.join(path), fs::Permissions::from_mode(0o000))
        .expect("the folder is ours");
}

/// Gives it back, so that the folder can be removed.
fn forgive(place: &Place, path: &str) {
    fs::set_permissions(place.root.join(path), fs::Permissions::from_mode(0o755))
        .expect("the folder is ours");
}

/// Runs the program as a user for whom permissions count: nobody, where this is root.
fn as_somebody(place: &Place, args: &[&str]) -> Screen {
    if !rustix::process::geteuid().is_root() {
        return place.xtask(args);
    }
    // The checkout may lie where only root may go.
    let program = place.base.join("xtask");
    fs::copy(env!("CARGO_BIN_EXE_xtask"), &program).expect("the folder is ours");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    place.run(command.arg(program).arg("--root").arg(&place.root).args(args))
}

/// The whole message for a `config.yaml` with this text.
#[track_caller]
fn assert_config_refused(config: impl AsRef<[u8]>, stderr: &str) {
    let shop = shop();
    shop.write("integration/config.yaml", config);
    assert_refused(&shop, "integrate", stderr);
}

#[test]
fn malformed_yaml_in_the_configuration_is_shown_with_its_line() {
    assert_config_refused(
        "name: shop\n\tbind: 127.0.0.1\n",
        "error: cannot read the configuration\n  at integration/config.yaml:2\n  \
         why: found a tab character that violates indentation\n       \
         the line is `bind: 127.0.0.1`\n",
    );
}

#[test]
fn an_unclosed_quote_in_the_configuration_is_found() {
    assert_config_refused(
        "name: \"shop\nbind: 127.0.0.1\n",
        "error: cannot read the configuration\n  at integration/config.yaml:3\n  why: found unexpected end of stream\n",
    );
}

#[test]
fn a_configuration_of_another_shape_is_refused() {
    assert_config_refused(
        "- name\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:1\n  \
         why: invalid type: sequence, expected keys such as `services:`\n       the line is `- name`\n",
    );
    assert_config_refused(
        "services:\n  api: [8000]\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:2\n  \
         why: services.api: invalid type: sequence, expected a service's keys such as `port:`\n       \
         the line is `api: [8000]`\n",
    );
}

#[test]
fn a_wrong_value_in_the_configuration_is_shown_with_its_line() {
    assert_config_refused(
        "services:\n  api:\n    port: eighty\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:3\n  \
         why: services.api.port: invalid type: string \"eighty\", expected a port, a number up to 65535\n       \
         the line is `port: eighty`\n",
    );
}

#[test]
fn an_unknown_key_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "nmae: shop\n",
        "error: unknown key `nmae`\n  at integration/config.yaml:1\n  \
         why: known here: name, services, infrastructure, bind, isolation, hot_reload\n  fix: did you mean `name`?\n",
    );
    assert_config_refused(
        "services:\n  api:\n    prot: 8001\n",
        "error: unknown key `services.api.prot`\n  at integration/config.yaml:3\n  \
         why: known here: port, host_port, health, requires, env, build\n  fix: did you mean `port`?\n",
    );
}

#[test]
fn an_unknown_service_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "# ours\nservices:\n  roots: [\"*\"]\n  apy:\n    port: 8001\n",
        "error: `services.apy` is no service of this monorepo\n  at integration/config.yaml:4\n  \
         why: there are: api\n  fix: did you mean `api`?\n",
    );
}

#[test]
fn an_unknown_requirement_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "services:\n  api:\n    requires: [+postgress]\n",
        "error: `services.api.requires` names `postgress`, which is neither a service nor a kind of infrastructure\n  \
         at integration/config.yaml:3\n  fix: did you mean `postgres`?\n",
    );
}

#[test]
fn an_unknown_version_in_the_configuration_is_answered_with_those_that_are() {
    assert_config_refused(
        "services:\n  api:\n    requires: [+redis]\ninfrastructure:\n  redis: { version: 3 }\n",
        "error: unknown version `3` of Redis\n  at integration/config.yaml:5\n  why: the catalogue has 6, 7, 8\n  \
         fix: use \"6\", or set infrastructure.redis.image\n",
    );
}

#[test]
fn a_configuration_that_is_not_utf8_is_refused() {
    assert_config_refused(
        b"name: sh\xffp\n",
        "error: `integration/config.yaml` is not valid UTF-8\n  at integration/config.yaml\n  \
         fix: save it as UTF-8, or move it away\n",
    );
}

#[test]
fn a_folder_in_place_of_a_file_of_the_setup_is_refused() {
    let shop = shop();
    fs::create_dir_all(shop.root.join("integration/docker-compose.yml")).expect("the folder is ours");
    assert_refused(
        &shop,
        "integrate",
        "error: `integration/docker-compose.yml` is not a file\n  at integration/docker-compose.yml\n  \
         fix: move it away\n1 error, nothing was written\n",
    );
}

#[test]
fn what_earlier_runs_assigned_is_refused_where_it_is_broken() {
    let shop = shop();
    shop.write("integration/.generated/state.yaml", "name: [\n");
    let screen = shop.xtask(&["integrate"]);
    assert!(
        screen.stderr.starts_with(
            "error: cannot read what earlier runs assigned\n  at integration/.generated/state.yaml\n  why: "
        ) && screen.stderr.ends_with("\n  fix: git checkout -- integration/.generated/state.yaml\n"),
        "{}",
        screen.stderr
    );
    assert_eq!(screen.code, 1);
}

#[test]
fn without_docker_up_makes_the_setup_and_says_how_to_get_docker() {
    let shop = shop();
    let nothing = shop.base.join("no-programs");

    let up = shop.run(shop.command(&["up"]).env("PATH", nothing));

    let words = "error: `docker` is not installed\n  why: no program of this name on the PATH\n  \
                 fix: cargo xtask doctor --install\n";
    assert!(
        up.stderr.ends_with(&format!("     Created integration/docker-compose.yml\n{words}")),
        "{}",
        up.stderr
    );
    assert_eq!(up.code, 1);
    shop.xtask(&["integrate", "--check"]).exits(0);
}
