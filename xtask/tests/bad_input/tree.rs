//! Trees that cannot be read as they are: empty, forbidden, too large, not UTF-8.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::place::{Place, Screen};
use crate::{SHOP, assert_refused, assert_screen, empty, shop};

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
fn a_comment_that_is_not_utf8_takes_no_service_away() {
    let shop = shop();
    let before = shop.xtask(&["inventory"]);
    let mut text = fs::read(shop.root.join("api/Dockerfile")).expect("the shop has it");
    text.extend(b"\n  # usu\xe1rio\n");
    shop.write("api/Dockerfile", &text);
    assert_screen(&shop.xtask(&["inventory"]), 0, &before.stdout, "");
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
    // The checkout may lie where only root may go. A process of its own copies: what another test starts meanwhile would
    // hold the copy open for writing, and it could not be run ("Text file busy").
    let program = place.base.join("xtask");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_xtask")).arg(&program).status();
    assert!(copied.expect("cp is everywhere").success(), "the folder is ours");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    place.run(command.arg(program).arg("--root").arg(&place.root).args(args))
}
