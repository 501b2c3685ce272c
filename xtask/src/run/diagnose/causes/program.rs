//! A program that cannot be run: not in the image, not executable, or not made for this processor.

use crate::run::diagnose::facts::{Facts, Known, Program};
use crate::run::diagnose::words::{self, Trace};

/// What the engine, an init or a shell says of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It, or what should run it, is not there.
    Absent,
    /// No right to run it.
    Denied,
    /// It is a folder.
    Folder,
    /// Not in a form that the kernel runs.
    Format,
}

/// What says what: in the engine's error.
const OF_ENGINE: [(&str, Trouble); 4] = [
    (
        r#"exec: "([^"]+)": (?:executable file not found|stat \S+: no such file|no such file)"#,
        Trouble::Absent,
    ),
    (r#"exec: "([^"]+)": permission denied"#, Trouble::Denied),
    (r#"exec: "([^"]+)": is a directory"#, Trouble::Folder),
    (r"exec:? (\S+): exec format error", Trouble::Format),
];

/// In the log, by runc itself or by the init that starts the program.
const OF_INIT: [(&str, Trouble); 9] = [
    (r"^exec (\S+): no such file or directory$", Trouble::Absent),
    (r"^exec (\S+): permission denied$", Trouble::Denied),
    (r"^exec (\S+): exec format error$", Trouble::Format),
    (r"^\[FATAL tini \(\d+\)\] exec (\S+) failed: No such file or directory", Trouble::Absent),
    (r"^\[FATAL tini \(\d+\)\] exec (\S+) failed: Permission denied", Trouble::Denied),
    (r"^\[FATAL tini \(\d+\)\] exec (\S+) failed: Exec format error", Trouble::Format),
    (r"^\[dumb-init\] ([^:]+): No such file or directory", Trouble::Absent),
    (r"^\[dumb-init\] ([^:]+): Permission denied", Trouble::Denied),
    (r"^\[dumb-init\] ([^:]+): Exec format error", Trouble::Format),
];

/// In the log of a shell; only together with the exit code that shells give for it.
const OF_SHELL: [(&str, i32, Trouble); 6] = [
    (r"env: [‘'`]?([^\s’':]+)\\?r?[’']?: No such file or directory", 127, Trouble::Absent),
    (r"env: can't execute '([^']+)'", 127, Trouble::Absent),
    (r"([^\s:]+): (?:command )?not found$", 127, Trouble::Absent),
    (r"([^\s:]+): No such file or directory$", 127, Trouble::Absent),
    (r"([^\s:]+): Permission denied$", 126, Trouble::Denied),
    (r"([^\s:]+): (?:cannot execute binary file: )?Exec format error$", 126, Trouble::Format),
];

fn trouble(facts: &Facts) -> Option<(Trouble, Trace)> {
    if !facts.is_down() {
        return None;
    }
    let error = [facts.details.error.clone()];
    let of_engine = OF_ENGINE.iter().map(|(pattern, trouble)| (&error[..], *pattern, *trouble));
    let of_init = OF_INIT.iter().map(|(pattern, trouble)| (&facts.log[..], *pattern, *trouble));
    let of_shell = OF_SHELL.iter().filter(|(_, code, _)| facts.exit_code() == Some(*code));
    let of_shell = of_shell.map(|(pattern, _, trouble)| (&facts.log[..], *pattern, *trouble));
    let mut all = of_engine.chain(of_init).chain(of_shell);
    all.find_map(|(lines, pattern, trouble)| words::last(lines, pattern).map(|trace| (trouble, trace)))
}

/// The path in the container that is worth a look before anything is said; `None` where nothing is, or where only a
/// name is known.
pub fn wanted(facts: &Facts) -> Option<String> {
    let (_, trace) = trouble(facts)?;
    let program = trace.group(1);
    program.contains('/').then(|| facts.anatomy.absolute(program))
}

/// Says what is wrong with the program.
pub fn find(facts: &Facts) -> Option<Known> {
    let (trouble, trace) = trouble(facts)?;
    let program = trace.group(1);
    let known = match trouble {
        Trouble::Absent => absent(facts, program),
        Trouble::Denied => denied(facts, program),
        Trouble::Folder => Known::new(format!("its command `{program}` is a folder")).fix(format!(
            "name the program in it in {}, {}",
            facts.image_place(),
            facts.then_up()
        )),
        Trouble::Format => format(facts, program),
    };
    let line = engines_words(&trace.line);
    Some(known.at(facts.command_place()).said(line))
}

fn denied(facts: &Facts, program: &str) -> Known {
    let then = facts.then_up();
    Known::new(format!("`{program}` is not executable")).fix(match mounted(facts, program) {
        Some(file) => format!("chmod +x {file}, {then}"),
        None => {
            let path = facts.anatomy.absolute(program);
            format!("add `RUN chmod +x {path}` to {}, {then}", facts.image_place())
        }
    })
}

/// Where a program lies on this machine, if it is mounted from it and not only a name.
fn mounted(facts: &Facts, program: &str) -> Option<String> {
    let path = program.contains('/').then(|| facts.anatomy.absolute(program))?;
    facts.on_this_machine(&path)
}

fn absent(facts: &Facts, program: &str) -> Known {
    let place = facts.image_place();
    let then = facts.then_up();
    match &facts.program {
        Program::Script { windows: true, .. } => Known::new(format!(
            "`{program}` has the line ends of Windows, so that its first line names no program"
        ))
        .fix(format!("sed -i 's/\\r$//' on that file, `*.sh text eol=lf` in .gitattributes, {then}")),
        Program::Script { interpreter, .. } => Known::new(format!(
            "`{program}` is a script for `{interpreter}`, which is not in its image"
        ))
        .fix(format!("install `{interpreter}` in {place}, or let the script begin with #!/bin/sh, {then}")),
        Program::Compiled(_) => {
            Known::new(format!("`{program}` needs a C library that its image does not have")).fix(format!(
                "build and run on the same base in {place} (glibc or musl), or link it statically, {then}"
            ))
        }
        Program::Unknown | Program::Missing | Program::Other => match mounted(facts, program) {
            Some(file) => Known::new(format!("the command `{program}` is not in what is mounted there"))
                .fix(format!("make {file}, or correct the command, {then}")),
            None => Known::new(format!("the command `{program}` is not in its image"))
                .fix(format!("install `{program}` in {place}, or correct the command there, {then}")),
        },
    }
}

fn format(facts: &Facts, program: &str) -> Known {
    let engine = facts.engine.as_str();
    let then = facts.then_up();
    let image = facts.anatomy.architecture.as_str();
    let other = |made_for: &str| !made_for.is_empty() && !engine.is_empty() && made_for != engine;
    match &facts.program {
        Program::Compiled(Some(processor)) if other(processor) => {
            Known::new(format!("`{program}` is made for {processor}, and this engine runs on {engine}"))
                .fix(format!("build it for {engine} in {}, {then}", facts.image_place()))
        }
        Program::Other | Program::Script { .. } => {
            Known::new(format!("`{program}` is no program: its first line does not say what runs it"))
                .fix(format!("let the file begin with `#!/bin/sh`, or what else should run it, {then}"))
        }
        _ if other(image) => {
            Known::new(format!("its image is made for {image}, and this engine runs on {engine}"))
                .fix(format!("take an image for {engine} in {}, {then}", facts.image_place()))
        }
        _ => Known::new(format!("`{program}` cannot be run on this processor ({engine})"))
            .fix(format!("build it for {engine} in {}, {then}", facts.image_place())),
    }
}

/// The engine says the same thing several times, from the outside in, and an init puts its own name in front: the
/// part about the program is what happened.
fn engines_words(line: &str) -> &str {
    let start = line.find("exec: \"").or_else(|| line.find("] exec ").map(|at| at + 2));
    start.map_or(line, |at| &line[at..])
}
