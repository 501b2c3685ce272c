//! Follows the chain of FROMs to one stage and sums up what its image is; knows nothing of the build stages beside it.

use std::collections::BTreeMap;

use super::steps::{Step, What};
use super::{expand, install};
use crate::model::fact::{Brought, Image, ImageHealth, Placed};

/// A stage: where it begins and ends in the list of steps.
struct Stage<'a> {
    line: u32,
    base: String,
    platform: Option<&'a str>,
    name: String,
    steps: &'a [Step],
}

/// Finds the image that another Dockerfile of the repository makes, by what FROM names.
pub(in crate::discover) type Known<'a> = &'a dyn Fn(&str) -> Option<Image>;

/// What is built from the stage `target`, or from the last one.
pub(super) fn build(
    steps: &[Step],
    target: Option<&str>,
    args: &BTreeMap<String, String>,
    known: Known<'_>,
) -> Image {
    let globals = global_args(steps, args);
    let stages = stages(steps, &globals);
    let mut image = Image { args: all_args(steps), ..Image::default() };
    image.stages = stages.iter().map(|stage| stage.name.clone()).collect();
    image.copies = all_copies(steps, &globals, args);
    let named = |name: &str, before: usize| {
        stages[..before].iter().rposition(|stage| stage.name.eq_ignore_ascii_case(name))
    };
    let last = target.and_then(|name| named(name, stages.len())).or(stages.len().checked_sub(1));
    let Some(last) = last else { return image };
    let mut chain = vec![last];
    while let Some(base) = chain.last().and_then(|at| named(&stages[*at].base, *at)) {
        chain.push(base);
    }
    let mut state = State::default();
    let root = &stages[chain.last().copied().unwrap_or(last)];
    if let Some(from) = known(&root.base) {
        inherit(&mut image, from, root.line);
        state.env = image.env.iter().map(|(name, value, _)| (name.clone(), value.clone())).collect();
        state.inherited = std::mem::take(&mut image.installs);
        state.exposed = std::mem::take(&mut image.expose);
    }
    for stage in chain.iter().rev().map(|at| &stages[*at]) {
        if image.base.is_empty() {
            image.base.clone_from(&stage.base);
        }
        image.base_line = stage.line;
        if let Some(platform) = stage.platform {
            image.notes.push((format!("the platform is fixed to `{platform}`"), stage.line));
        }
        state.enter(args);
        for step in stage.steps {
            state.apply(step, &globals, args, &mut image);
        }
    }
    image.installs = state.installs.into_names();
    image.installs.extend(state.inherited);
    // Where it says itself where it listens, that counts.
    if image.expose.is_empty() {
        image.expose = state.exposed;
    }
    image
}

/// The images that a Dockerfile needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::discover) struct Origins {
    /// What stages are built FROM.
    pub(in crate::discover) from: Vec<String>,
    /// What is only copied out of.
    pub(in crate::discover) copied: Vec<String>,
}

/// The images that stages are built FROM or copy out of.
pub(super) fn origins(steps: &[Step], args: &BTreeMap<String, String>) -> Origins {
    let globals = global_args(steps, args);
    let stages = stages(steps, &globals);
    let mut origins = Origins::default();
    for (at, stage) in stages.iter().enumerate() {
        let is_stage = |name: &str| {
            stages[..at].iter().any(|stage| stage.name.eq_ignore_ascii_case(name))
                || name.parse::<usize>().is_ok()
        };
        let is_image =
            |name: &str| !name.is_empty() && name != "scratch" && !name.contains('$') && !is_stage(name);
        if is_image(&stage.base) && !origins.from.contains(&stage.base) {
            origins.from.push(stage.base.clone());
        }
        for step in stage.steps {
            let What::Bring { from, .. } = &step.what else { continue };
            let from = expand::value(from, &|name| globals.get(name).cloned());
            if is_image(&from) && !origins.copied.contains(&from) {
                origins.copied.push(from);
            }
        }
    }
    origins.copied.retain(|image| !origins.from.contains(image));
    origins
}

/// What a stage inherits from the image that it is built FROM and that another Dockerfile here makes. It stands on the
/// line of FROM; what the other one copies and runs is nothing of this one's.
fn inherit(image: &mut Image, from: Image, line: u32) {
    let Image {
        base, expose, env, healthcheck, user, workdir, entrypoint, command, volumes, installs, ..
    } = from;
    image.base = base;
    image.expose = expose.into_iter().map(|(port, _)| (port, line)).collect();
    image.env = env.into_iter().map(|(name, value, _)| (name, value, line)).collect();
    image.healthcheck = healthcheck.map(|check| ImageHealth { line, ..check });
    image.user = user;
    image.workdir = workdir;
    image.entrypoint = entrypoint;
    image.command = command;
    image.command_line = line;
    image.volumes = volumes.into_iter().map(|(path, _)| (path, line)).collect();
    image.installs = installs;
}

/// ARGs before the first FROM, with the given values in place of their defaults.
fn global_args(steps: &[Step], args: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut globals = predefined();
    for step in steps.iter().take_while(|step| !matches!(step.what, What::From { .. })) {
        if let What::Arg(pairs) = &step.what {
            for (name, default) in pairs {
                let value = args.get(name).cloned().or_else(|| {
                    default.as_ref().map(|default| expand::value(default, &|name| globals.get(name).cloned()))
                });
                if let Some(value) = value {
                    globals.insert(name.clone(), value);
                }
            }
        }
    }
    globals
}

/// What BuildKit sets by itself, as on the most common machine.
fn predefined() -> BTreeMap<String, String> {
    let platform = [("OS", "linux"), ("ARCH", "amd64"), ("PLATFORM", "linux/amd64")];
    let names =
        ["BUILD", "TARGET"].into_iter().flat_map(|side| platform.map(|(part, value)| (side, part, value)));
    names.map(|(side, part, value)| (format!("{side}{part}"), value.to_owned())).collect()
}

fn stages<'a>(steps: &'a [Step], globals: &BTreeMap<String, String>) -> Vec<Stage<'a>> {
    let starts: Vec<usize> =
        (0..steps.len()).filter(|at| matches!(steps[*at].what, What::From { .. })).collect();
    let ends = starts.iter().skip(1).copied().chain([steps.len()]);
    let mut stages = Vec::new();
    for (index, (start, end)) in starts.iter().zip(ends).enumerate() {
        if let What::From { image, platform, name } = &steps[*start].what {
            stages.push(Stage {
                line: steps[*start].line,
                base: expand::value(image, &|name| globals.get(name).cloned()),
                platform: platform.as_deref().filter(|platform| !platform.contains('$')),
                name: name.clone().unwrap_or_else(|| index.to_string()),
                steps: &steps[start + 1..end],
            });
        }
    }
    stages
}

fn all_args(steps: &[Step]) -> Vec<(String, Option<String>, u32)> {
    let mut all = Vec::new();
    for step in steps {
        if let What::Arg(pairs) = &step.what {
            let plain = |value: &String| expand::value(value, &|name| Some(format!("${{{name}}}")));
            all.extend(
                pairs.iter().map(|(name, value)| (name.clone(), value.as_ref().map(plain), step.line)),
            );
        }
    }
    all
}

/// Sources of all stages: the context has to hold those of the build stages too.
fn all_copies(
    steps: &[Step],
    globals: &BTreeMap<String, String>,
    args: &BTreeMap<String, String>,
) -> Vec<(String, u32)> {
    let mut scope = State::default();
    let mut sink = Image::default();
    let mut copies = Vec::new();
    for step in steps {
        match &step.what {
            What::From { .. } => scope = State::default(),
            What::Copy { sources, .. } => copies.extend(sources.iter().map(|source| {
                // What nothing sets stays as written, so that nobody looks for half a path.
                let known = |name: &str| scope.lookup(name).or_else(|| Some(format!("${{{name}}}")));
                (expand::value(source, &known), step.line)
            })),
            What::Arg(_) | What::Env(_) => scope.apply(step, globals, args, &mut sink),
            _ => {}
        }
    }
    copies
}

/// What changes from instruction to instruction.
#[derive(Default)]
struct State {
    args: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    has_command: bool,
    installs: install::Installed,
    /// What the image that this one is built FROM installs.
    inherited: Vec<String>,
    /// What it exposes.
    exposed: Vec<(u16, u32)>,
}

impl State {
    /// A new stage: ENV is inherited, ARG is not.
    fn enter(&mut self, _args: &BTreeMap<String, String>) {
        self.args.clear();
        self.has_command = false;
    }

    fn lookup(&self, name: &str) -> Option<String> {
        self.env.get(name).or_else(|| self.args.get(name)).cloned()
    }

    fn value(&self, word: &str) -> String {
        expand::value(word, &|name| self.lookup(name))
    }

    fn apply(
        &mut self,
        step: &Step,
        globals: &BTreeMap<String, String>,
        args: &BTreeMap<String, String>,
        image: &mut Image,
    ) {
        let line = step.line;
        match &step.what {
            What::Arg(pairs) => {
                for (name, default) in pairs {
                    let default = default.as_ref().map(|default| self.value(default));
                    let value = args.get(name).cloned().or(default).or_else(|| globals.get(name).cloned());
                    if let Some(value) = value {
                        self.args.insert(name.clone(), value);
                    }
                }
            }
            What::Env(pairs) => {
                // One instruction sees the values from before it.
                let values: Vec<String> = pairs.iter().map(|(_, value)| self.value(value)).collect();
                for ((name, _), value) in pairs.iter().zip(values) {
                    self.env.insert(name.clone(), value.clone());
                    image.env.retain(|(known, _, _)| known != name);
                    image.env.push((name.clone(), value, line));
                }
            }
            What::Expose(words) => {
                for port in words.iter().flat_map(|word| ports(&self.value(word))) {
                    image.expose.retain(|(known, _)| *known != port);
                    image.expose.push((port, line));
                }
                let variable = |word: &String| {
                    let name = word.split('/').next()?.trim_start_matches("${").trim_start_matches('$');
                    let name = name.trim_end_matches('}');
                    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                    (word.starts_with('$') && plain && self.value(word).is_empty()).then(|| name.to_owned())
                };
                image.expose_variables.extend(words.iter().filter_map(variable).map(|name| (name, line)));
            }
            What::Healthcheck(test) => image.healthcheck = Some(ImageHealth { test: test.clone(), line }),
            What::User(user) => image.user = Some(self.value(user)),
            What::Workdir(folder) => {
                image.workdir = Some(joined(image.workdir.as_deref(), &self.value(folder)))
            }
            What::Entrypoint(command) => {
                image.entrypoint.clone_from(command);
                if !self.has_command {
                    // The builder forgets the CMD that was inherited.
                    image.command.clear();
                    image.command_line = line;
                }
            }
            What::Cmd(command) => {
                image.command.clone_from(command);
                image.command_line = line;
                self.has_command = true;
            }
            What::Volume(paths) => image.volumes.extend(paths.iter().map(|path| (self.value(path), line))),
            What::Run(command) => {
                self.installs.run(command);
                image.runs.push(command.clone());
            }
            What::Copy { sources, to } => {
                let to = destination(image.workdir.as_deref(), &self.value(to), sources.len() > 1);
                let sources = sources.iter().map(|source| self.value(source));
                let after = image.runs.len();
                image.placed.extend(sources.map(|source| Placed { source, to: to.clone(), after }));
            }
            What::Bring { from, sources, to } => {
                let from = self.value(from);
                let to = destination(image.workdir.as_deref(), &self.value(to), sources.len() > 1);
                let brought = sources.iter().map(|source| Brought {
                    from: from.clone(),
                    source: self.value(source),
                    to: to.clone(),
                });
                image.brought.extend(brought);
            }
            What::From { .. } => {}
        }
    }
}

/// The TCP ports of a word of EXPOSE: `80`, `80/tcp`, `8000-8002`.
fn ports(word: &str) -> Vec<u16> {
    let (range, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    if protocol.eq_ignore_ascii_case("udp") {
        return Vec::new();
    }
    // `EXPOSE 8080:80` is refused by the builder; people write it and mean the container's port.
    let range = range.rsplit(':').next().unwrap_or_default();
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
        (Ok(first), Ok(last)) if first > 0 && last >= first && last - first < 64 => (first..=last).collect(),
        (Ok(first), _) if first > 0 => vec![first],
        _ => Vec::new(),
    }
}

/// Where COPY puts something: absolute, without `.` and `..`, with `/` at the end where it is a folder in any case.
fn destination(workdir: Option<&str>, to: &str, many: bool) -> String {
    let is_folder =
        many || to.is_empty() || to.ends_with('/') || matches!(to.rsplit('/').next(), Some("." | ".."));
    let mut parts: Vec<&str> = Vec::new();
    let whole = joined(workdir, to);
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if is_folder && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

fn joined(base: Option<&str>, folder: &str) -> String {
    if folder.starts_with('/') {
        return folder.to_owned();
    }
    let base = base.unwrap_or("/").trim_end_matches('/');
    format!("{base}/{}", folder.trim_start_matches("./"))
}

#[cfg(test)]
mod tests {
    use super::super::Dockerfile;
    use super::*;

    fn image(text: &str) -> Image {
        Dockerfile::parse(text).expect("has a stage").image(None, &BTreeMap::new())
    }

    #[test]
    fn only_the_final_chain_is_exposed() {
        let image = image(
            "ARG TAG=20\nFROM node:${TAG}-slim AS base\nEXPOSE 80\nFROM base AS build\nEXPOSE 9999\n\
             FROM base\nARG PORT=3000\nENV PORT=$PORT\nEXPOSE $PORT 53/udp ${METRICS:-9100}/tcp ${ADMIN}\n",
        );
        assert_eq!(image.base, "node:20-slim");
        assert_eq!(image.expose, [(80, 3), (3000, 9), (9100, 9)]);
        assert_eq!(image.expose_variables, [("ADMIN".to_owned(), 9)]);
        assert_eq!(image.stages, ["base", "build", "2"]);
        assert_eq!(image.env, [("PORT".to_owned(), "3000".to_owned(), 8)]);
    }

    #[test]
    fn target_and_arguments_choose_the_image() {
        let file = Dockerfile::parse("FROM a AS one\nARG P=1\nEXPOSE $P\nFROM b AS two\nEXPOSE 2\n")
            .expect("parses");
        let args = BTreeMap::from([("P".to_owned(), "7".to_owned())]);
        let image = file.image(Some("one"), &args);
        assert_eq!((image.base.as_str(), image.expose.as_slice()), ("a", [(7, 3)].as_slice()));
    }

    #[test]
    fn image_of_another_dockerfile_is_inherited_on_the_line_of_from() {
        let base = image(
            "FROM node:22\nENV PORT=8000 A=1\nEXPOSE 9000\nWORKDIR /srv\nUSER app\nCOPY x y\nENTRYPOINT [\"node\"]\nCMD [\"a\"]\n",
        );
        let known = |name: &str| (name == "shop/base").then(|| base.clone());
        let image = |text: &str| {
            Dockerfile::parse(text).expect("has a stage").image_on(None, &BTreeMap::new(), &known)
        };
        let own = image("FROM shop/base AS a\nENV A=2\nFROM a\nCOPY src .\nEXPOSE $PORT\nCMD [\"b\"]\n");
        assert_eq!(
            (own.base.as_str(), own.user.as_deref(), own.expose.as_slice()),
            ("node:22", Some("app"), [(8000, 5)].as_slice())
        );
        assert_eq!(own.env, [("PORT".to_owned(), "8000".to_owned(), 1), ("A".to_owned(), "2".to_owned(), 2)]);
        assert_eq!((own.entrypoint, own.command), (vec!["node".to_owned()], vec!["b".to_owned()]));
        assert_eq!((own.copies.len(), own.placed[0].to.as_str()), (1, "/srv/"));
        let plain = image("FROM shop/base\nENTRYPOINT [\"c\"]\n");
        assert_eq!((plain.command, plain.expose), (Vec::new(), vec![(9000, 1)]));
    }

    #[test]
    fn empty_list_takes_away_what_the_base_starts() {
        for empty in ["ENTRYPOINT []", "entrypoint [ ]", "ENTRYPOINT []\r"] {
            let text =
                format!("FROM x AS a\nENTRYPOINT [\"run\"]\nFROM a\n{empty}\nCMD [\"sleep\"]\nEXPOSE 80\n");
            let image = image(&text);
            assert_eq!((image.entrypoint, image.command), (Vec::new(), vec!["sleep".to_owned()]), "{empty}");
            assert_eq!(image.expose, [(80, 6)], "{empty}");
        }
        assert_eq!(image("FROM x\nCMD []\n").command, Vec::<String>::new());
    }

    #[test]
    fn entrypoint_forgets_an_inherited_command() {
        let image = image("FROM a AS base\nCMD [\"x\"]\nFROM base\nENTRYPOINT [\"y\"]\n");
        assert_eq!((image.entrypoint, image.command), (vec!["y".to_owned()], Vec::new()));
    }

    #[test]
    fn global_arguments_reach_a_stage_only_where_it_asks() {
        let image = image("ARG A=1\nFROM x\nENV SEEN=${A:-no}\nARG A\nENV NOW=$A\n");
        assert_eq!(image.env[0].1, "no");
        assert_eq!(image.env[1].1, "1");
    }

    #[test]
    fn what_is_copied_last_is_known_by_its_place_in_the_image() {
        let image = image(
            "FROM a AS base\nWORKDIR /srv\nFROM c AS other\nCOPY lost ./\nFROM base\nARG DIR=app\nCOPY package*.json ./\n\
             RUN npm ci\nCOPY src $DIR\nCOPY a.py b.py .\nCOPY . /x/../y/\nRUN true\n",
        );
        let placed: Vec<(&str, &str, usize)> =
            image.placed.iter().map(|it| (it.source.as_str(), it.to.as_str(), it.after)).collect();
        assert_eq!(
            placed,
            [
                ("package*.json", "/srv/", 0),
                ("src", "/srv/app", 1),
                ("a.py", "/srv/", 1),
                ("b.py", "/srv/", 1),
                (".", "/y/", 1),
            ]
        );
        assert_eq!(image.runs, ["npm ci", "true"]);
    }

    #[test]
    fn sources_of_other_stages_and_urls_are_not_in_the_context() {
        let image = image(
            "FROM a AS b\nCOPY src/ go.mod ./\nFROM c\nCOPY --from=b /x /x\nADD https://example.org/y /y\nCOPY $DIST/app /app\n",
        );
        let sources: Vec<&str> = image.copies.iter().map(|(source, _)| source.as_str()).collect();
        assert_eq!(sources, ["src/", "go.mod", "${DIST}/app"]);
    }
}
