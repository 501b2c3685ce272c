//! What keeps a build from finding what it copies although the Dockerfile is right: a `.dockerignore` that leaves it
//! out, and archives that have to be built first. Reads nothing else.

use crate::discover::glob;
use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

use super::context::{exists, is_built};

/// More lines are no file that a person wrote.
const MAX_LINES: usize = 1_000;

/// What will be missing in a build of `image` from `context`.
pub(super) fn missing(repo: &Repo, file: &RepoPath, image: &Image, context: &RepoPath) -> Vec<Problem> {
    let rules = Rules::of(repo, file, context);
    let plain = image
        .copies
        .iter()
        .filter(|(source, _)| !source.contains(['$', '*', '?', '[']) && !source.contains(".."));
    let mut problems = Vec::new();
    for (source, line) in plain {
        if let Some(number) = rules.as_ref().and_then(|rules| rules.leaves_out(source)) {
            let by = rules.as_ref().map(|rules| rules.file.to_string()).unwrap_or_default();
            if exists(repo, context, source) {
                problems.push(left_out(source, &format!("{file}:{line}"), &format!("{by}:{number}")));
            }
        }
    }
    let unbuilt = image
        .copies
        .iter()
        .find(|(source, _)| !source.contains('$') && is_built(source) && !exists(repo, context, source));
    problems.extend(unbuilt.map(|(source, line)| unbuilt_source(source, context, &format!("{file}:{line}"))));
    problems
}

fn left_out(source: &str, copied: &str, by: &str) -> Problem {
    let message = format!(
        "`{source}` is copied into the image, and a `.dockerignore` leaves it out; the build will fail"
    );
    Problem::new("build-context", Severity::Warning, message)
        .at(copied)
        .at(by)
        .fix(format!("take the pattern out, or add `!{source}` below it"))
}

fn unbuilt_source(source: &str, context: &RepoPath, at: &str) -> Problem {
    let message = format!("`{source}` is copied into the image, and has to be built in `{context}` first");
    Problem::new("build-output", Severity::Warning, message)
        .at(at)
        .fix("build it before `cargo xtask up`, or let a stage of the Dockerfile do it")
}

/// A `.dockerignore`.
struct Rules {
    file: RepoPath,
    /// Line, pattern, and whether it takes back what others left out.
    lines: Vec<(usize, String, bool)>,
}

impl Rules {
    /// The one beside the Dockerfile that bears its name counts before the one of the context.
    fn of(repo: &Repo, dockerfile: &RepoPath, context: &RepoPath) -> Option<Rules> {
        let own = dockerfile.parent()?.join(&format!("{}.dockerignore", dockerfile.name()));
        let of_context = context.join(".dockerignore");
        let file = [own, of_context].into_iter().flatten().find(|file| repo.is_file(file))?;
        let text = repo.text(&file).ok()?.text;
        let lines = (1..).zip(text.lines().take(MAX_LINES)).filter_map(|(number, line)| {
            let line = line.trim();
            let (pattern, back) = line.strip_prefix('!').map_or((line, false), |rest| (rest.trim(), true));
            let pattern = pattern.trim_start_matches("./").trim_matches('/').to_owned();
            (!pattern.is_empty() && !line.starts_with('#')).then_some((number, pattern, back))
        });
        Some(Rules { lines: lines.collect(), file })
    }

    /// The line that leaves a source out as a whole; a folder of which something is taken back is not.
    fn leaves_out(&self, source: &str) -> Option<usize> {
        let source = source.trim_start_matches("./").trim_matches('/');
        let path = RepoPath::root().join(source).filter(|path| !path.is_root())?;
        let mut out = None;
        for (number, pattern, back) in &self.lines {
            let below = pattern.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'));
            if *back && (below || pattern.starts_with("**") || glob::covers(pattern, &path)) {
                out = None;
            } else if !*back && glob::covers(pattern, &path) {
                out = Some(*number);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::discover::dockerfile::Dockerfile;

    fn said(tree: &str) -> Vec<String> {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new("a/Dockerfile").expect("inside the root");
        let dockerfile = Dockerfile::parse(&repo.text(&file).expect("is there").text).expect("parses");
        let image = dockerfile.image(None, &BTreeMap::new());
        let context = RepoPath::new("a").expect("inside the root");
        let shown = |problem: &Problem| format!("{} {}", problem.code, problem.at.join(" "));
        missing(&repo, &file, &image, &context).iter().map(shown).collect()
    }

    #[test]
    fn source_that_is_left_out_is_reported_with_both_places() {
        let tree = "//- /a/Dockerfile\nFROM x\nCOPY package.json ./\nCOPY dist /srv\nCOPY web/ /web\n\
            //- /a/package.json\n//- /a/dist/index.html\n//- /a/web/x\n//- /a/.dockerignore\n# what is built\n**/dist\nweb\n!web/x\n";
        assert_eq!(said(tree), ["build-context a/Dockerfile:3 a/.dockerignore:2"]);
    }

    #[test]
    fn what_has_to_be_built_first_is_reported_once() {
        let tree =
            "//- /a/Dockerfile\nFROM x\nCOPY target/lib /lib\nCOPY target/app.jar /app.jar\n//- /a/pom.xml\n";
        assert_eq!(said(tree), ["build-output a/Dockerfile:2"]);
        let built = "//- /a/Dockerfile\nFROM x\nCOPY dist /srv\n//- /a/dist/index.html\n";
        assert_eq!(said(built), Vec::<String>::new());
    }
}
