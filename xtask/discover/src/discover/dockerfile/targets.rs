//! The stages of a Dockerfile that are programs of their own: `FROM base AS api`, `FROM base AS worker`. Decides nothing
//! about services.

use std::collections::BTreeSet;

use super::steps::{Step, What};

/// Words of the names of stages that are made for people, tests or the build itself.
const BESIDE: &[&str] = &[
    "base",
    "build",
    "builder",
    "ci",
    "debug",
    "debugger",
    "deps",
    "dev",
    "devcontainer",
    "develop",
    "development",
    "docs",
    "e2e",
    "envs",
    "init",
    "lint",
    "local",
    "maintenance",
    "migrate",
    "migration",
    "migrations",
    "migrator",
    "seed",
    "seeder",
    "shell",
    "test",
    "testing",
    "tests",
    "tools",
    "watch",
];

/// Words of the names of stages that are one program in another form: then the last stage is what is built.
const FORMS: &[&str] = &[
    "all",
    "alpine",
    "amd64",
    "arm64",
    "cpu",
    "cuda",
    "debian",
    "default",
    "deploy",
    "distroless",
    "final",
    "gpu",
    "image",
    "main",
    "minimal",
    "nonroot",
    "prod",
    "production",
    "release",
    "rocm",
    "rootless",
    "run",
    "runner",
    "runtime",
    "scratch",
    "slim",
    "standalone",
    "ubuntu",
];

/// Words of the names of stages that check the program, or that run it beside an editor.
const NO_PRODUCT: &[&str] = &[
    "ci",
    "debug",
    "debugger",
    "dev",
    "devcontainer",
    "develop",
    "development",
    "e2e",
    "lint",
    "test",
    "testing",
    "tests",
];

/// A stage as far as it matters here.
struct Stage<'s> {
    name: Option<&'s str>,
    steps: &'s [Step],
}

/// Names of the stages that start a program of their own and that nothing else is made from, in order; none where there
/// are not at least two, or where the last stage, which is built when nobody chooses, is no such one and no server beside
/// them.
pub(super) fn programs(steps: &[Step]) -> Vec<String> {
    let stages = stages(steps);
    let is_free = |at: usize, name: &str| !is_used(&stages, at, name);
    let found = starting(&stages, is_free);
    let is_beside = |stage: &Stage<'_>| {
        is_server(&stages, stage)
            || stage.name.is_some_and(|name| found.iter().any(|one| is_form(name, one.name)))
    };
    let last = found.last().map_or(0, |one| one.at + 1);
    if stages[last..].iter().all(is_beside) { names(found) } else { Vec::new() }
}

/// Those of the stages that somebody builds images of, in order; none where there are not at least two.
pub(super) fn programs_among(steps: &[Step], built: &BTreeSet<&str>) -> Vec<String> {
    names(starting(&stages(steps), |_, name| built.contains(name)))
}

/// What a stage starts.
struct Program<'s> {
    at: usize,
    name: &'s str,
    /// What tells it from others.
    started: &'s [String],
    /// What the stage itself takes out of others: stage and path there.
    taken: BTreeSet<(&'s str, &'s str)>,
}

impl Program<'_> {
    /// Whether two stages start the same words in the same files; where one takes more than the other, it has more with it.
    fn is(&self, other: &Program<'_>) -> bool {
        self.started == other.started
            && (self.taken.is_subset(&other.taken) || other.taken.is_subset(&self.taken))
    }
}

/// Each wanted stage that starts a program, where all of them are programs of their own; one program in another form
/// counts once.
fn starting<'s>(stages: &[Stage<'s>], is_wanted: impl Fn(usize, &str) -> bool) -> Vec<Program<'s>> {
    let program = |(at, stage): (usize, &Stage<'s>)| {
        let name = stage.name.filter(|name| !has_word(name, BESIDE) && is_wanted(at, name))?;
        Some(Program { at, name, started: started(stages, at)?, taken: taken(stage) })
    };
    let mut found: Vec<Program<'s>> = stages.iter().enumerate().filter_map(program).collect();
    let all: Vec<&str> = found.iter().map(|one| one.name).collect();
    found.retain(|one| !all.iter().any(|plain| is_form(one.name, plain)));
    let is_choice = found.len() > 1
        && found.iter().all(|one| !has_word(one.name, FORMS))
        && (1..found.len()).all(|at| found[..at].iter().all(|other| !other.is(&found[at])));
    if is_choice { found } else { Vec::new() }
}

/// Whether a stage is called after another with the form in which it holds the same: `api-alpine` beside `api`.
fn is_form(name: &str, plain: &str) -> bool {
    let rest = name.get(plain.len()..).filter(|_| name.is_char_boundary(plain.len()));
    rest.is_some_and(|rest| {
        name[..plain.len()].eq_ignore_ascii_case(plain)
            && rest.len() > 1
            && rest
                .split(['-', '_', '.'])
                .skip(1)
                .all(|word| FORMS.contains(&word.to_ascii_lowercase().as_str()))
            && rest.starts_with(['-', '_', '.'])
    })
}

/// Whether a stage only puts settings into somebody else's image, which starts what it holds.
fn is_server(stages: &[Stage<'_>], stage: &Stage<'_>) -> bool {
    let is_ours =
        |image: &str| stages.iter().filter_map(|one| one.name).any(|name| name.eq_ignore_ascii_case(image));
    let only_settings = stage.steps.iter().all(|step| match &step.what {
        What::From { image, .. } => !is_ours(image),
        What::Bring { .. } | What::Run(_) | What::Cmd(_) | What::Entrypoint(_) => false,
        _ => true,
    });
    let is_named = stage.name.is_some_and(|name| !has_word(name, FORMS) && !has_word(name, BESIDE));
    is_named && only_settings
}

fn taken<'s>(stage: &Stage<'s>) -> BTreeSet<(&'s str, &'s str)> {
    let of_step = |step: &'s Step| match &step.what {
        What::Bring { from, sources, .. } => {
            sources.iter().map(|source| (from.as_str(), source.as_str())).collect()
        }
        _ => Vec::new(),
    };
    stage.steps.iter().flat_map(of_step).collect()
}

fn names(programs: Vec<Program<'_>>) -> Vec<String> {
    programs.into_iter().map(|one| one.name.to_owned()).collect()
}

/// The stage of the program, where the last one is for its tests or its development: nobody who runs it wants that one.
pub(super) fn product(steps: &[Step]) -> Option<String> {
    let stages = stages(steps);
    let (last, earlier) = stages.split_last()?;
    if !has_word(last.name?, NO_PRODUCT) {
        return None;
    }
    let is_product = |stage: &&Stage<'_>| {
        stage.name.is_some_and(|name| has_word(name, FORMS) && !has_word(name, BESIDE))
            && command(stage.steps).is_some()
    };
    earlier.iter().rev().find(is_product).and_then(|stage| stage.name).map(str::to_owned)
}

fn stages(steps: &[Step]) -> Vec<Stage<'_>> {
    let starts: Vec<usize> =
        (0..steps.len()).filter(|at| matches!(steps[*at].what, What::From { .. })).collect();
    let ends = starts.iter().skip(1).copied().chain([steps.len()]);
    let stage = |(start, end): (&usize, usize)| {
        let What::From { name, .. } = &steps[*start].what else { return None };
        Some(Stage { name: name.as_deref(), steps: &steps[*start..end] })
    };
    starts.iter().zip(ends).filter_map(stage).collect()
}

/// The words with which the stage itself, not what it is built from, starts its program.
fn command(steps: &[Step]) -> Option<&[String]> {
    let said =
        |wanted: fn(&What) -> Option<&Vec<String>>| steps.iter().rev().find_map(|step| wanted(&step.what));
    let cmd = said(|what| if let What::Cmd(words) = what { Some(words) } else { None });
    let entrypoint = said(|what| if let What::Entrypoint(words) = what { Some(words) } else { None });
    cmd.or(entrypoint).map(Vec::as_slice)
}

/// What tells the stage's program from others: the words that start it, or the file that it puts where the stage starts
/// its program from which it is made (`FROM runtime AS api`, `COPY --from=build /out/api /app`).
fn started<'s>(stages: &[Stage<'s>], at: usize) -> Option<&'s [String]> {
    let own = command(stages[at].steps);
    own.or_else(|| {
        let program = inherited(stages, at)?.first()?;
        stages[at].steps.iter().find_map(|step| match &step.what {
            What::Bring { sources, to, .. } if to == program && sources.len() == 1 => {
                Some(sources.as_slice())
            }
            _ => None,
        })
    })
}

/// The words with which the nearest of the stages below starts its program, from which this one is made.
fn inherited<'s>(stages: &[Stage<'s>], at: usize) -> Option<&'s [String]> {
    let mut at = at;
    loop {
        let What::From { image, .. } = &stages[at].steps.first()?.what else { return None };
        let is_below = |stage: &Stage<'_>| stage.name.is_some_and(|name| name.eq_ignore_ascii_case(image));
        at = stages[..at].iter().rposition(is_below)?;
        if let Some(words) = command(stages[at].steps) {
            return Some(words);
        }
    }
}

/// Whether another stage is built from this one, or takes files out of it.
fn is_used(stages: &[Stage<'_>], at: usize, name: &str) -> bool {
    let is_this = |text: &str| text.eq_ignore_ascii_case(name) || text == at.to_string();
    stages[at + 1..].iter().flat_map(|stage| stage.steps).any(|step| match &step.what {
        What::From { image, .. } => image.eq_ignore_ascii_case(name),
        What::Bring { from, .. } => is_this(from),
        What::Run(text) => text.contains(&format!("from={name},")) || text.contains(&format!("from={name} ")),
        _ => false,
    })
}

fn has_word(name: &str, words: &[&str]) -> bool {
    name.to_ascii_lowercase().split(['-', '_', '.']).any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::discover::dockerfile::Dockerfile;

    fn programs(text: &str) -> Vec<String> {
        Dockerfile::parse(text).expect("has a stage").programs()
    }

    const BASE: &str = "FROM python:3.13-slim AS base\nCOPY . .\nCMD [\"python\"]\n";

    #[test]
    fn each_last_stage_with_a_command_of_its_own_is_a_program() {
        let text = format!(
            "{BASE}FROM base AS api\nCMD [\"api\"]\nFROM base AS dev\nCMD [\"dev\"]\nFROM base AS worker\nENTRYPOINT [\"worker\"]\n"
        );
        assert_eq!(programs(&text), ["api", "worker"]);
    }

    #[test]
    fn last_stages_that_put_another_program_where_the_common_one_starts_it_are_programs() {
        let text = |rest: &str| {
            format!(
                "FROM golang AS build\nCOPY . .\nFROM alpine AS runtime\nENTRYPOINT [\"/app\"]\nFROM runtime AS api\n\
                 COPY --from=build /out/api /app\nFROM runtime AS worker\n{rest}\n"
            )
        };
        assert_eq!(programs(&text("COPY --from=build /out/worker /app")), ["api", "worker"]);
        assert_eq!(programs(&text("COPY --from=build /out/api /app")), [""; 0]);
        assert_eq!(programs(&text("COPY --from=build /out/worker /worker")), [""; 0]);
    }

    #[test]
    fn stages_that_start_the_same_words_in_other_files_are_programs() {
        let stage = |name: &str, taken: &str| {
            format!("FROM eclipse-temurin AS {name}\n{taken}ENTRYPOINT [\"java\", \"Launcher\"]\n")
        };
        let of = |name: &str| stage(name, &format!("COPY --from=build /w/{name}/* /w/\n"));
        let build = "FROM gradle AS build\nCOPY . .\n";
        let two = format!("{build}{}{}", of("orders"), of("users"));
        assert_eq!(programs(&two), ["orders", "users"]);
        // A form of one of them, and a server that is built beside them.
        let alpine = stage("users-alpine", "COPY --from=build /w/users/* /w/\n");
        let server = "FROM prom/prometheus AS prometheus\nCOPY prometheus.yml /etc/prometheus/\n";
        assert_eq!(programs(&format!("{two}{alpine}{server}")), ["orders", "users"]);
        for other in [
            // The same with more beside it.
            stage("more", "COPY --from=build /w/users/* /w/\nCOPY --from=build /docs /docs\n"),
            // What is built when nobody chooses may be anything.
            "FROM alpine AS tidy\nRUN apk add curl\n".to_owned(),
            "FROM nginx\nCOPY nginx.conf /etc/nginx/\n".to_owned(),
            "FROM alpine AS final\nCOPY run.sh /\n".to_owned(),
        ] {
            assert_eq!(programs(&format!("{two}{other}")), [""; 0], "{other}");
        }
    }

    #[test]
    fn stages_of_which_images_are_built_are_programs_whichever_stands_last() {
        let text = format!(
            "{BASE}FROM base AS api\nCMD [\"api\"]\nFROM base AS worker\nCMD [\"worker\"]\nFROM base AS maintenance\nCMD [\"tidy\"]\n"
        );
        assert_eq!(programs(&text), [""; 0]);
        let among = |built: &[&str]| {
            let built: BTreeSet<&str> = built.iter().copied().collect();
            Dockerfile::parse(&text).expect("has a stage").programs_among(&built)
        };
        assert_eq!(among(&["worker", "api", "maintenance"]), ["api", "worker"]);
        assert_eq!(among(&["api"]), [""; 0]);
    }

    #[test]
    fn forms_of_one_program_and_stages_that_serve_others_are_none() {
        for rest in [
            // What is built when nobody chooses has no name.
            "FROM base AS api\nCMD [\"api\"]\nFROM base\nCMD [\"worker\"]\n",
            "FROM base AS api\nCMD [\"api\"]\nFROM base AS production\nCMD [\"all\"]\n",
            "FROM base AS alpine\nCMD [\"api\"]\nFROM base AS debian\nCMD [\"api\", \"--slow\"]\n",
            // The same program twice.
            "FROM base AS one\nCMD [\"api\"]\nFROM base AS two\nCMD [\"api\"]\n",
            // The first is a part of the second.
            "FROM base AS assets\nCMD [\"npm\", \"start\"]\nFROM base AS web\nCOPY --from=assets /a /b\nCMD [\"web\"]\n",
            "FROM base AS api\nCMD [\"api\"]\nFROM api AS worker\nCMD [\"worker\"]\n",
            // One ends when its work is done.
            "FROM base AS api-migrate\nCMD [\"migrate\"]\nFROM base AS api\nCMD [\"api\"]\n",
            // The last one only inherits what it starts.
            "FROM base AS api\nCMD [\"api\"]\nFROM base AS worker\nRUN true\n",
        ] {
            assert_eq!(programs(&format!("{BASE}{rest}")), Vec::<String>::new(), "{rest}");
        }
    }
    #[test]
    fn stage_of_the_program_is_built_where_that_of_its_tests_stands_last() {
        let product = |text: &str| Dockerfile::parse(text).expect("has a stage").product();
        let runtime = "FROM python:3.13-slim AS runtime\nEXPOSE 8001\nCMD [\"api\"]\n";
        for (rest, wanted) in [
            ("FROM runtime AS test\nCMD [\"pytest\"]\n", Some("runtime")),
            ("FROM python:3.13 AS development\nCMD [\"api\", \"--reload\"]\n", Some("runtime")),
            ("FROM runtime AS lint\nRUN ruff check\n", Some("runtime")),
            // Another program, and one without a name.
            ("FROM runtime AS worker\nCMD [\"worker\"]\n", None),
            ("FROM runtime\nCMD [\"pytest\"]\n", None),
        ] {
            assert_eq!(product(&format!("{runtime}{rest}")).as_deref(), wanted, "{rest}");
        }
        // No stage is said to be the program.
        assert_eq!(product("FROM a AS builder\nCMD [\"a\"]\nFROM a AS test\nCMD [\"b\"]\n"), None);
    }
}
