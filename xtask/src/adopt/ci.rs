//! The job that keeps the setup fresh and the system working: for GitHub, or for GitLab; runs nothing.

use super::{Edit, Found, Source, once};
use crate::error::Failure;

pub(super) const GITHUB: &str = ".github/workflows/xtask.yml";
pub(super) const GITLAB: &str = ".gitlab-ci.yml";
pub(super) const GITLAB_JOB: &str = ".gitlab/xtask.gitlab-ci.yml";

/// The systems that jobs are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ci {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
}

impl Ci {
    /// The words of the command line.
    pub const WORDS: [&str; 2] = ["github", "gitlab"];

    /// Of the command line's word.
    pub fn of(word: &str) -> Option<Ci> {
        match word {
            "github" => Some(Ci::Github),
            "gitlab" => Some(Ci::Gitlab),
            _ => None,
        }
    }
}

/// The files of the job.
pub(super) fn edits(found: &Found, ci: Ci, own: bool, source: &Source) -> Result<Vec<Edit>, Failure> {
    if matches!(source, Source::Path { inside: None, .. })
        && !found.files.contains_key(super::package::MANIFEST)
    {
        return Err(Failure::new("a job cannot compile the commands from a folder outside of the monorepo")
            .why("the machine that runs it has the monorepo only")
            .fix("name a repository with `--git URL`"));
    }
    match ci {
        Ci::Github => Ok(vec![job(found, GITHUB, &github(own))?]),
        Ci::Gitlab => {
            let job = job(found, GITLAB_JOB, &gitlab(own, &stage(found.text(GITLAB).unwrap_or_default())));
            Ok(vec![job?, included(found)?])
        }
    }
}

/// The job's own file; one that runs these commands already stays as it is.
fn job(found: &Found, name: &str, text: &str) -> Result<Edit, Failure> {
    match found.text(name) {
        Some(present) if !present.contains("cargo xtask integrate --check") => {
            let lines: String = text.lines().map(|line| format!("\n{line}")).collect();
            Err(Failure::new("there is another job already")
                .at(found.show(name))
                .fix(format!("move it, or write there what is missing:{lines}")))
        }
        _ => Ok(once(found, name, text, "integrate --check, and test")),
    }
}

/// Where cargo puts what it compiles, and the lock file.
fn places(own: bool) -> (&'static str, &'static str) {
    if own { ("xtask/target", "xtask/Cargo.lock") } else { ("target", "Cargo.lock") }
}

fn github(own: bool) -> String {
    let (target, lock) = places(own);
    format!(
        "# Is the Docker Compose setup up to date with the code, and does the system start and answer?
name: xtask
on:
  pull_request:
  push: {{ branches: [main, master] }}
permissions:
  contents: read
jobs:
  system:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with:
          path: |
            ~/.cargo/registry
            ~/.cargo/git
            {target}
          key: xtask-${{{{ runner.os }}}}-${{{{ hashFiles('{lock}', 'rust-toolchain*') }}}}
      - run: cargo xtask integrate --check
      - run: cargo xtask up
      - run: cargo xtask test --junit integration/reports/junit.xml
      - if: failure()
        run: cargo xtask logs --tail 100
      - if: always()
        run: cargo xtask down
"
    )
}

/// A stage that the pipeline has: a job of any other one makes it invalid.
fn stage(pipeline: &str) -> String {
    let pipeline: serde_yaml::Value = serde_yaml::from_str(pipeline).unwrap_or_default();
    let stages = pipeline.get("stages").and_then(serde_yaml::Value::as_sequence);
    let stages: Vec<&str> = stages.into_iter().flatten().filter_map(serde_yaml::Value::as_str).collect();
    match stages.last() {
        Some(last) if !stages.contains(&"test") => (*last).to_owned(),
        _ => "test".to_owned(),
    }
}

fn gitlab(own: bool, stage: &str) -> String {
    let (target, lock) = places(own);
    format!(
        "# Is the Docker Compose setup up to date with the code, and does the system start and answer?
xtask:
  stage: {stage}
  image: docker:28-cli
  services: [\"docker:28-dind\"]
  timeout: 30m
  variables:
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: \"1\"
    DOCKER_CERT_PATH: /certs/client
    # The job reaches published ports through the machine `docker`.
    BIND_ADDR: 0.0.0.0
    # Only what lies in the project can be cached, and only what git ignores stays out of its images.
    CARGO_HOME: $CI_PROJECT_DIR/{target}/cargo
  cache:
    key: {{ files: [{lock}] }}
    paths: [{target}/]
  before_script:
    - apk add --no-cache build-base git rustup
    - rustup-init -y --profile minimal --no-modify-path
    - export PATH=\"$CARGO_HOME/bin:$PATH\"
  script:
    - cargo xtask integrate --check
    - cargo xtask up
    - cargo xtask test --junit integration/reports/junit.xml
  after_script:
    - export PATH=\"$CARGO_HOME/bin:$PATH\"
    - if [ \"$CI_JOB_STATUS\" != success ]; then cargo xtask logs --tail 100; fi
    - cargo xtask down
  artifacts:
    when: always
    reports:
      junit: integration/reports/junit.xml
"
    )
}

/// The pipeline with the job's file included, everything else as it is.
fn included(found: &Found) -> Result<Edit, Failure> {
    let edit = |after: String| Edit {
        name: GITLAB.to_owned(),
        before: found.text(GITLAB).map(str::to_owned),
        after,
        cause: "includes the job".to_owned(),
    };
    let lines = format!("include:\n  - local: {GITLAB_JOB}\n");
    let Some(before) = found.text(GITLAB) else {
        return Ok(edit(lines));
    };
    if before.contains(GITLAB_JOB) {
        return Ok(edit(before.to_owned()));
    }
    let has_include = before.lines().any(|line| line.starts_with("include") || line.starts_with("\"include"));
    if has_include || before.lines().any(|line| matches!(line.trim_end(), "---" | "...")) {
        return Err(Failure::new("the pipeline's own list of files has to be completed by hand")
            .at(found.show(GITLAB))
            .fix(format!("add to `include`:\n  - local: {GITLAB_JOB}")));
    }
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    Ok(edit(format!("{before}{end}\n{lines}")))
}
