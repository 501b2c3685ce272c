//! The machine's own docker with single calls answered otherwise, for faults that cannot be made at will.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::lab::Lab;
use crate::place::Screen;

/// The program with the machine's own docker, but for the calls that these cases of the shell's `case "$*"` match.
pub(crate) fn with_docker_that(lab: &Lab, args: &[&str], cases: &str) -> Screen {
    let path = std::env::var("PATH").expect("there is a PATH");
    let script = format!("#!/bin/sh\ncase \"$*\" in\n{cases}\nesac\nPATH='{path}' exec docker \"$@\"\n");
    lab.write("bin/docker", script);
    let bin = lab.root.join("bin");
    fs::set_permissions(bin.join("docker"), Permissions::from_mode(0o755)).expect("the file is ours");
    let screen = lab.run(lab.command(args).env("PATH", format!("{}:{path}", bin.display())));
    fs::remove_file(bin.join("docker")).expect("the file is ours");
    screen
}
