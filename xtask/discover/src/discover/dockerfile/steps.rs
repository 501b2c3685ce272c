//! The instructions of a Dockerfile as plain data with their lines; expands nothing yet.

use parse_dockerfile::{
    Command, HealthcheckArguments, Instruction, JsonOrStringArray, Source, UnescapedString,
};

use super::{expand, heredoc};

/// One instruction.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) line: u32,
    pub(super) what: What,
}

/// The instructions that say something about the running container; words still quoted, variables still in them.
#[derive(Debug, Clone)]
pub(super) enum What {
    From {
        image: String,
        platform: Option<String>,
        name: Option<String>,
    },
    Arg(Vec<(String, Option<String>)>),
    Env(Vec<(String, String)>),
    Expose(Vec<String>),
    Healthcheck(Vec<String>),
    User(String),
    Workdir(String),
    Entrypoint(Vec<String>),
    Cmd(Vec<String>),
    Volume(Vec<String>),
    Copy {
        sources: Vec<String>,
        to: String,
    },
    /// COPY from a stage or another image.
    Bring {
        from: String,
        sources: Vec<String>,
        to: String,
    },
    Run(String),
}

/// All instructions, and the first line that is not one with the reason; what stands above it is kept.
pub(super) fn read(text: &str) -> (Vec<Step>, Option<(u32, String)>) {
    let (text, docs) = heredoc::take_out(text.trim_start_matches('\u{feff}'));
    let text = with_lists(&text);
    let lines = Lines::of(&text);
    let mut steps = Vec::new();
    let parsed = match parse_dockerfile::parse_iter(&text) {
        Ok(parsed) => parsed,
        Err(why) => return (steps, Some(broken(&why))),
    };
    for instruction in parsed {
        match instruction {
            Ok(instruction) => steps.extend(step(&instruction, &lines)),
            Err(why) => return (steps, Some(broken(&why))),
        }
    }
    for step in &mut steps {
        if let What::Run(command) = &mut step.what {
            for doc in docs.iter().filter(|doc| doc.line == step.line) {
                command.push('\n');
                command.push_str(&doc.body);
            }
        }
    }
    (steps, None)
}

/// `ENTRYPOINT []` takes away what the base image starts; the parser wants a word in the list.
fn with_lists(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut words = line.splitn(2, [' ', '\t']);
        let name = words.next().unwrap_or_default();
        let is_command = ["ENTRYPOINT", "CMD"].iter().any(|known| name.eq_ignore_ascii_case(known));
        let list = words.next().filter(|_| is_command).map(str::trim);
        let is_empty = list.and_then(|list| list.strip_prefix('[')?.strip_suffix(']'));
        if is_empty.is_some_and(|inside| inside.trim().is_empty()) {
            out.push_str(name);
            out.push_str(" [\"\"]\n");
        } else {
            out.push_str(line);
        }
    }
    out
}

fn broken(why: &parse_dockerfile::Error) -> (u32, String) {
    let line = u32::try_from(why.line()).unwrap_or(u32::MAX).max(1);
    let text = why.to_string();
    (line, text.split(" at line ").next().unwrap_or_default().to_owned())
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines(std::iter::once(0).chain(breaks).collect())
    }

    fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

fn step(instruction: &Instruction<'_>, lines: &Lines) -> Option<Step> {
    let (at, what) = match instruction {
        Instruction::From(from) => {
            let option = |name: &str| from.options.iter().find(|flag| flag.name.value == name);
            let platform = option("platform").and_then(|flag| flag.value.as_ref()).map(plain);
            let name = from.as_.as_ref().map(|(_, name)| plain(name));
            (from.from.span.start, What::From { image: plain(&from.image), platform, name })
        }
        Instruction::Arg(arg) => (arg.arg.span.start, What::Arg(expand::declarations(&arg.arguments.value))),
        Instruction::Env(env) => (env.env.span.start, What::Env(expand::assignments(&env.arguments.value))),
        Instruction::Expose(it) => {
            (it.expose.span.start, What::Expose(it.arguments.iter().map(plain).collect()))
        }
        Instruction::Healthcheck(it) => {
            (it.healthcheck.span.start, What::Healthcheck(health_test(&it.arguments)))
        }
        Instruction::User(it) => (it.user.span.start, What::User(plain(&it.arguments))),
        Instruction::Workdir(it) => (it.workdir.span.start, What::Workdir(plain(&it.arguments))),
        Instruction::Entrypoint(it) => (it.entrypoint.span.start, What::Entrypoint(exec(&it.arguments))),
        Instruction::Cmd(it) => (it.cmd.span.start, What::Cmd(exec(&it.arguments))),
        Instruction::Volume(it) => {
            let paths = match &it.arguments {
                JsonOrStringArray::Json(list) => list.value.iter().map(plain).collect(),
                JsonOrStringArray::String(list) => list.iter().map(plain).collect(),
            };
            (it.volume.span.start, What::Volume(paths))
        }
        Instruction::Copy(it) => {
            let (sources, to) = (sources(&it.src), plain(&it.dest));
            let from = it.options.iter().find(|flag| flag.name.value == "from");
            let what = match from.map(|flag| flag.value.as_ref().map(plain).unwrap_or_default()) {
                Some(from) => What::Bring { from, sources, to },
                None => What::Copy { sources, to },
            };
            (it.copy.span.start, what)
        }
        Instruction::Add(it) => {
            (it.add.span.start, What::Copy { sources: sources(&it.src), to: plain(&it.dest) })
        }
        Instruction::Run(it) => {
            let text = match &it.arguments {
                Command::Exec(list) => {
                    list.value.iter().map(|word| word.value.as_ref()).collect::<Vec<_>>().join(" ")
                }
                Command::Shell(text) => joined(text.value),
                _ => return None,
            };
            (it.run.span.start, What::Run(text))
        }
        _ => return None,
    };
    Some(Step { line: lines.at(at), what })
}

fn plain(text: &UnescapedString<'_>) -> String {
    text.value.to_string()
}

/// Sources from the context: no URLs, no git repositories, no here-documents.
fn sources(list: &[Source<'_>]) -> Vec<String> {
    let paths = list.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path.value.as_ref()),
        _ => None,
    });
    let foreign =
        |path: &str| path.contains("://") || path.starts_with("git@") || path.starts_with(heredoc::MARK);
    paths.filter(|path| !foreign(path)).map(str::to_owned).collect()
}

/// Exec form; shell form becomes `sh -c text`.
fn exec(command: &Command<'_>) -> Vec<String> {
    match command {
        Command::Exec(list) => list.value.iter().map(plain).filter(|word| !word.is_empty()).collect(),
        Command::Shell(text) => vec!["sh".to_owned(), "-c".to_owned(), joined(text.value)],
        _ => Vec::new(),
    }
}

fn health_test(arguments: &HealthcheckArguments<'_>) -> Vec<String> {
    match arguments {
        HealthcheckArguments::Cmd { arguments: Command::Shell(text), .. } => {
            vec!["CMD-SHELL".to_owned(), joined(text.value)]
        }
        HealthcheckArguments::Cmd { arguments: Command::Exec(list), .. } => {
            std::iter::once("CMD".to_owned()).chain(list.value.iter().map(plain)).collect()
        }
        _ => vec!["NONE".to_owned()],
    }
}

/// A shell command on one line: continuations joined, comment lines between them dropped.
fn joined(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let line = line.strip_suffix(['\\', '`']).map_or(line, str::trim_end);
        if !out.is_empty() && !line.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}
