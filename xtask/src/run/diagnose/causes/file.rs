//! A file or a package that the program needs and its container does not have.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// What says that a file is missing; the bracket holds its path.
const FILES: [&str; 14] = [
    r"can't open file '([^']+)': \[Errno 2\]",
    r"FileNotFoundError: \[Errno 2\] No such file or directory: '([^']+)'",
    r"Cannot find module '(\.{0,2}/[^']+)'",
    r"ENOENT: no such file or directory, \w+ '([^']+)'",
    r"(?:open|stat|read|lstat) ([^\s:]+): no such file or directory",
    r"Unable to access jarfile (\S+)",
    r"No such file or directory @ rb_sysopen - (\S+)",
    r"Could not open input file: (\S+)",
    r"(?:Failed opening required|Failed to open stream).*'([^']+)'",
    r"The application to execute does not exist: '([^']+)'",
    r#"open\(\) "([^"]+)" failed \(2: No such file"#,
    r"(?:can't open|cannot open|can't cd to) '?([^':\s]+)'?: No such file",
    r"java\.(?:io\.FileNotFoundException|nio\.file\.NoSuchFileException): (\S+)",
    r#"[Ff]ailed to (?:open|read|load) [`"']?(/[^`"'\s:]+)[`"']?: (?:No such file|entity not found)"#,
];

/// What says that a package or a module is missing; the bracket holds its name.
const PACKAGES: [&str; 6] = [
    r"ModuleNotFoundError: No module named '([^']+)'",
    r"Cannot find module '([^'./][^']*)'",
    r"Cannot find package '([^']+)'",
    r"cannot load such file -- (\S+)",
    r"Could not find or load main class (\S+)",
    r#"Class "([^"]+)" not found"#,
];

/// Only where the process has ended of it.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() || facts.exit_code() == Some(0) {
        return None;
    }
    file(facts).or_else(|| package(facts))
}

fn file(facts: &Facts) -> Option<Known> {
    let trace = words::last_of(&facts.log, &FILES)?;
    let path = facts.anatomy.absolute(trace.group(1));
    let known = match facts.anatomy.mount_of(&path) {
        Some(mount) if !mount.source.is_empty() => {
            let source = facts.setup.shown_outside(&mount.source);
            Known::new(format!("the file `{path}` is not in what is mounted there"))
                .at(facts.places.key(&["volumes"]))
                .fix(format!("put it into {source}, {}", facts.then_up()))
        }
        _ => Known::new(format!("the file `{path}` is not in its image"))
            .at(facts.places.instruction(&["COPY", "ADD"]).or_else(|| facts.command_place()))
            .fix(copy(facts, &path)),
    };
    Some(known.said(&trace.line))
}

fn copy(facts: &Facts, path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    match facts.places.dockerfile() {
        Some(dockerfile) => {
            format!("COPY `{name}` in {dockerfile} (.dockerignore may leave it out), {}", facts.then_up())
        }
        None => {
            format!("mount it, or take an image that has it, in {}, {}", facts.places.file(), facts.then_up())
        }
    }
}

fn package(facts: &Facts) -> Option<Known> {
    let trace = words::last_of(&facts.log, &PACKAGES)?;
    Some(
        Known::new(format!("the module `{}` is not in its image", trace.group(1)))
            .at(facts.places.instruction(&["RUN"]).or_else(|| facts.command_place()))
            .said(&trace.line)
            .fix(format!("install it, or COPY it, in {}, {}", facts.image_place(), facts.then_up())),
    )
}
