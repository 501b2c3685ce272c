//! Which Dockerfile makes the image of which name: `docker build -t`, steps of workflows, compose files, those of Skaffold,
//! Tilt and bake; runs none of them.

use serde_yaml::Value;

use super::super::deployment;
use super::super::dockerfile::words;
use super::Roots;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// An image, its name and what it is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::discover) struct Tagged {
    /// As written.
    pub(in crate::discover) reference: String,
    pub(in crate::discover) dockerfile: RepoPath,
    pub(in crate::discover) context: RepoPath,
    pub(in crate::discover) target: Option<String>,
}

/// Longer ones are no build scripts.
const MAX_LINES: usize = 2_000;

/// All that the repository says, in the order of the files.
pub(super) fn of(repo: &Repo, roots: &Roots) -> Vec<Tagged> {
    let mut all = Vec::new();
    for file in repo.files() {
        let is_list = deployment::lists_images(file);
        if !is_list && !is_script(file) || roots.excludes(file) {
            continue;
        }
        let Ok(text) = repo.text(file) else { continue };
        if is_list {
            all.extend(deployment::images(file, &text.text));
        } else if text.text.contains("build") {
            all.extend(commands(repo, file, &text.text));
            all.extend(steps(&text.text));
        }
    }
    all.retain(|tagged: &Tagged| repo.is_file(&tagged.dockerfile));
    all
}

/// Scripts, Makefiles and the like, and workflows of continuous integration.
fn is_script(file: &RepoPath) -> bool {
    let name = file.name();
    match file.extension() {
        "sh" | "bash" | "mk" => true,
        "yml" | "yaml" => {
            file.as_str().starts_with(".github/workflows/")
                || matches!(name, ".gitlab-ci.yml" | "Taskfile.yml" | "Taskfile.yaml" | "azure-pipelines.yml")
        }
        "json" => name == "package.json" && file.depth() <= 2,
        _ => matches!(
            name.to_ascii_lowercase().as_str(),
            "makefile" | "gnumakefile" | "justfile" | ".justfile"
        ),
    }
}

/// The step of a workflow that builds and pushes an image.
const ACTION: &str = "docker/build-push-action";

/// The steps of a workflow that build images; paths are relative to the repository.
fn steps(text: &str) -> Vec<Tagged> {
    let workflow = Some(text).filter(|text| text.contains(ACTION));
    let Some(workflow) = workflow.and_then(|text| serde_yaml::from_str::<Value>(text).ok()) else {
        return Vec::new();
    };
    let jobs = workflow.get("jobs").and_then(Value::as_mapping).into_iter().flatten();
    let steps = jobs.filter_map(|(_, job)| job.get("steps")?.as_sequence()).flatten();
    steps.flat_map(of_step).collect()
}

fn of_step(step: &Value) -> Vec<Tagged> {
    let is_build = step.get("uses").and_then(Value::as_str).is_some_and(|uses| uses.starts_with(ACTION));
    let Some(with) = step.get("with").filter(|_| is_build) else { return Vec::new() };
    // An expression is filled in when the workflow runs.
    let text = |key: &str| with.get(key).and_then(Value::as_str).filter(|text| !text.contains("${{"));
    let context = RepoPath::root().join(text("context").unwrap_or("."));
    let Some(context) = context.filter(|_| text("context").is_some() || with.get("context").is_none()) else {
        return Vec::new();
    };
    let dockerfile = match text("file") {
        Some(file) => RepoPath::root().join(file),
        None => context.join("Dockerfile"),
    };
    let (Some(dockerfile), Some(tags)) = (dockerfile, with.get("tags").and_then(Value::as_str)) else {
        return Vec::new();
    };
    let target = text("target").map(str::to_owned);
    // The registry may be an expression; the name behind it counts.
    let tags = tags.split([',', '\n']).map(str::trim).filter(|tag| !tag.is_empty());
    let tagged = |tag: &str| Tagged {
        reference: tag.to_owned(),
        dockerfile: dockerfile.clone(),
        context: context.clone(),
        target: target.clone(),
    };
    tags.map(tagged).collect()
}

/// The commands that build images.
fn commands(repo: &Repo, file: &RepoPath, text: &str) -> Vec<Tagged> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = joined.lines().take(MAX_LINES).filter(|line| line.contains("build") && line.len() <= 4_000);
    lines.flat_map(|line| of_line(repo, file, line)).collect()
}

const PROGRAMS: &[&str] = &["docker", "podman", "nerdctl", "buildah"];

fn of_line(repo: &Repo, file: &RepoPath, line: &str) -> Vec<Tagged> {
    let line = line.replace("\\\"", "\"").replace("&&", " ; ").replace(';', " ; ");
    let line: Vec<String> =
        words(&line).into_iter().map(|word| word.trim_matches(['"', '\'', ',']).to_owned()).collect();
    let mut folder = String::new();
    let mut found = Vec::new();
    for command in line.split(|word| matches!(word.as_str(), ";" | "|" | "||" | "&")) {
        if let [.., cd, to] = command
            && cd.ends_with("cd")
        {
            folder.clone_from(to);
        }
        let Some(at) = command.iter().position(|word| {
            let program =
                word.rsplit('/').next().unwrap_or_default().trim_start_matches(['@', '-', '$', '(']);
            PROGRAMS.contains(&program)
        }) else {
            continue;
        };
        let rest: Vec<&str> = command[at + 1..].iter().map(String::as_str).collect();
        let rest = match rest.as_slice() {
            ["build" | "bud", rest @ ..]
            | ["buildx" | "image", "build", rest @ ..]
            | ["buildx" | "image", "b", rest @ ..] => rest,
            _ => continue,
        };
        found.extend(build(repo, file, &folder, rest));
    }
    found
}

/// What the words behind `build` say.
fn build(repo: &Repo, file: &RepoPath, folder: &str, rest: &[&str]) -> Vec<Tagged> {
    const VALUED: &[&str] = &[
        "--add-host",
        "--allow",
        "--build-arg",
        "--build-context",
        "--builder",
        "--cache-from",
        "--cache-to",
        "--iidfile",
        "--label",
        "--metadata-file",
        "--network",
        "--output",
        "--platform",
        "--progress",
        "--secret",
        "--ssh",
        "-o",
    ];
    let (mut references, mut written, mut target, mut context) = (Vec::new(), None, None, None);
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => (flag, Some(value)),
            _ => (*word, None),
        };
        let mut value = || inline.or_else(|| rest.next().copied()).unwrap_or_default().to_owned();
        match flag {
            "-t" | "--tag" => references.push(value()),
            "-f" | "--file" => written = Some(value()),
            "--target" => target = Some(value()),
            flag if VALUED.contains(&flag) => drop(value()),
            flag if flag.starts_with('-') => {}
            path => context = Some(path.to_owned()),
        }
    }
    let Some(context) = context.filter(|context| !context.contains('$')) else { return Vec::new() };
    // A script is called from the root, or from its own folder.
    let places = [RepoPath::root(), file.parent().unwrap_or_default()];
    let found = places.iter().find_map(|place| {
        let place = place.join(folder)?;
        let context = place.join(&context)?;
        let dockerfile = match &written {
            Some(written) => place.join(written)?,
            None => context.join("Dockerfile")?,
        };
        repo.is_file(&dockerfile).then_some((context, dockerfile))
    });
    let Some((context, dockerfile)) = found else { return Vec::new() };
    let target = target.filter(|target| !target.contains('$'));
    let tagged = |reference: String| Tagged {
        reference,
        dockerfile: dockerfile.clone(),
        context: context.clone(),
        target: target.clone(),
    };
    references.into_iter().map(tagged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_image_dockerfile_and_context() {
        let tree = "//- /base/Dockerfile\nFROM x\n//- /docker/run.Dockerfile\nFROM x\n";
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new("ci/build.sh").expect("inside the root");
        for (line, wanted) in [
            ("docker build -t shop/base:1 base", "shop/base:1 base/Dockerfile in base"),
            (
                "\t@cd base && docker buildx build --platform linux/amd64 --tag=shop/base .",
                "shop/base base/Dockerfile in base",
            ),
            (
                "podman build --target run --build-arg A=b -f docker/run.Dockerfile -t $(REG)/run:$(TAG) .",
                "$(REG)/run:$(TAG) docker/run.Dockerfile in . to run",
            ),
            ("docker build -t x $DIR", ""),
            ("docker compose build base", ""),
        ] {
            let shown = |one: Tagged| {
                let target = one.target.map(|target| format!(" to {target}")).unwrap_or_default();
                format!("{} {} in {}{target}", one.reference, one.dockerfile, one.context)
            };
            let found: Vec<String> = commands(&repo, &file, line).into_iter().map(shown).collect();
            assert_eq!(found.join("; "), wanted, "{line}");
        }
    }

    #[test]
    fn steps_of_workflows_name_image_dockerfile_and_context() {
        let text = "jobs:\n  images:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: docker/build-push-action@v6\n        with:\n          \
            context: images/base\n          tags: |\n            ghcr.io/${{ github.owner }}/base:latest\n            shop/base:1\n      \
            - uses: docker/build-push-action@v6\n        with: { context: '${{ matrix.folder }}', tags: shop/x }\n";
        let shown = |one: Tagged| format!("{} {} in {}", one.reference, one.dockerfile, one.context);
        let found: Vec<String> = steps(text).into_iter().map(shown).collect();
        assert_eq!(
            found,
            [
                "ghcr.io/${{ github.owner }}/base:latest images/base/Dockerfile in images/base",
                "shop/base:1 images/base/Dockerfile in images/base"
            ]
        );
    }
}
