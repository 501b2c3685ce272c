//! The build context: the nearest folder above the Dockerfile in which everything that it copies exists.

use super::super::dockerfile::Dockerfile;
use super::super::glob;
use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

/// Folders and ends of names that a build makes: their absence says nothing about the context.
const BUILT: &[&str] =
    &["target/", "dist/", "build/", "out/", "bin/", "obj/", "publish/", "node_modules/", ".next/", "vendor/"];
const BUILT_ENDINGS: &[&str] = &[".jar", ".war", ".dll", ".whl", ".tgz", ".tar.gz"];

/// The context, and the problem where something that is copied exists nowhere.
pub(super) fn of(
    repo: &Repo,
    file: &RepoPath,
    module: &RepoPath,
    image: &Image,
    dockerfile: &Dockerfile,
) -> (RepoPath, Option<Problem>) {
    let sources: Vec<(&str, u32)> = image
        .copies
        .iter()
        .map(|(source, line)| (source.as_str(), *line))
        .filter(|(source, _)| !source.contains('$') && !is_everything(source))
        .collect();
    let copies_all = image.copies.iter().any(|(source, _)| is_everything(source));
    let candidates = candidates(file, module, copies_all || sources.is_empty());
    let fits = |folder: &RepoPath| sources.iter().filter(|(source, _)| exists(repo, folder, source)).count();
    let wanted: Vec<&(&str, u32)> = sources.iter().filter(|(source, _)| !is_built(source)).collect();
    let holds_all = |folder: &&RepoPath| wanted.iter().all(|(source, _)| exists(repo, folder, source));
    let fitting: Vec<&RepoPath> = candidates.iter().filter(holds_all).collect();
    if !fitting.is_empty() {
        let hints = dockerfile.commands().flat_map(hints).chain(handed_on(image)).collect::<Vec<_>>();
        return (best(repo, &fitting, &hints, &fits), None);
    }
    // What is missing everywhere cannot tell the folders apart; what exists somewhere can.
    let best =
        candidates.iter().enumerate().max_by_key(|(at, folder)| (fits(folder), std::cmp::Reverse(*at)));
    let context = best.map(|(_, folder)| folder.clone()).unwrap_or_default();
    // A pattern that nothing matches is no error for the builder.
    let plain = |source: &str| !source.contains(['*', '?', '[']);
    let missing = wanted.iter().find(|(source, _)| plain(source) && !exists(repo, &context, source));
    let problem = missing.map(|(source, line)| missing_source(file, *line, source, &context));
    (context, problem)
}

/// Nearest first; a folder that only holds the Dockerfile comes after its module. Where everything is copied, code that
/// lies elsewhere has to be in it.
fn candidates(file: &RepoPath, module: &RepoPath, with_module: bool) -> Vec<RepoPath> {
    let folder = file.parent().unwrap_or_default();
    let both = |one: &RepoPath| !with_module || module.is_in(one) || one.is_in(module);
    let mut all: Vec<RepoPath> = folder.ancestors().filter(both).collect();
    if folder != *module && folder.is_in(module) {
        let (inside, above): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.is_in(module) && one != module);
        let (nearest, rest) =
            above.split_first().map_or((None, [].as_slice()), |(first, rest)| (Some(first), rest));
        all = nearest.cloned().into_iter().chain(inside).chain(rest.iter().cloned()).collect();
    }
    all
}

/// Of the folders that hold all sources, the first in which the paths in RUN lines exist too.
fn best(repo: &Repo, fitting: &[&RepoPath], hints: &[String], fits: &dyn Fn(&RepoPath) -> usize) -> RepoPath {
    let score = |folder: &RepoPath| {
        let known =
            hints.iter().filter(|hint| folder.join(hint).is_some_and(|path| is_there(repo, &path))).count();
        (known > 0, fits(folder))
    };
    let best = fitting.iter().enumerate().max_by_key(|(at, folder)| (score(folder), std::cmp::Reverse(*at)));
    best.map(|(_, folder)| (*folder).clone()).unwrap_or_default()
}

/// What one stage hands on to another as it was in the context, `/app/apps/web/public` of a context that lies in `/app`,
/// with what the build makes taken off.
fn handed_on(image: &Image) -> Vec<String> {
    let is_stage = |from: &str| {
        from.parse::<usize>().is_ok() || image.stages.iter().any(|stage| stage.eq_ignore_ascii_case(from))
    };
    let Some(workdir) = image.workdir.as_deref().map(|workdir| workdir.trim_end_matches('/')) else {
        return Vec::new();
    };
    let of_stages = image.brought.iter().filter(|brought| is_stage(&brought.from));
    let inside = of_stages.filter_map(|brought| brought.source.strip_prefix(workdir)?.strip_prefix('/'));
    let plain = inside.map(|path| {
        let ends = BUILT.iter().filter_map(|folder| format!("{path}/").find(&format!("/{folder}")));
        path[..ends.min().unwrap_or(path.len())].trim_end_matches('/').to_owned()
    });
    plain.filter(|path| path.contains('/') && !path.contains(['$', '*'])).collect()
}

/// Relative paths of more than one part in a command, also behind a flag: `./cmd/api`, `--schema=api/db/schema.prisma`.
fn hints(command: &str) -> Vec<String> {
    // A command may stand in quotes inside a command.
    let words = command.replace(['"', '\''], " ");
    let of_flag = |word: &'_ str| word.starts_with("--").then(|| word.find('=')).flatten();
    let words = words.split_whitespace().map(|word| of_flag(word).map_or(word, |at| &word[at + 1..]));
    let paths = words.filter(|word| {
        !word.starts_with(['/', '-', '~'])
            && !word.contains(['$', '*', ':', '=', '@', '<', '>'])
            && !word.contains("..")
    });
    let paths = paths.map(|word| word.trim_start_matches("./").trim_end_matches('/'));
    paths.filter(|word| word.contains('/') && !word.contains("//")).map(str::to_owned).collect()
}

pub(super) fn is_everything(source: &str) -> bool {
    // The builder does not let a source leave the context: `..` is `.`.
    let inside = source.replace("..", ".");
    inside.split('/').all(|part| matches!(part, "" | "." | "*" | "**"))
}

pub(super) fn is_built(source: &str) -> bool {
    let source = source.trim_start_matches("./").trim_start_matches('/');
    BUILT_ENDINGS.iter().any(|ending| source.ends_with(ending))
        || BUILT.iter().any(|folder| {
            let name = folder.trim_end_matches('/');
            source == name
                || source.starts_with(folder)
                || source.contains(&format!("/{folder}"))
                || source.ends_with(&format!("/{name}"))
        })
}

/// Whether a COPY source is there, as seen from `folder`; a leading `/` is the context's root.
pub(super) fn exists(repo: &Repo, folder: &RepoPath, source: &str) -> bool {
    // The builder does not let a source leave the context: `../x` is `x`.
    let inside = source.replace("../", "");
    let source = inside.trim_start_matches('/');
    // A checkout has it, and it is no part of what is looked at.
    if source.trim_start_matches("./").split('/').next() == Some(".git") {
        return folder.is_root();
    }
    if source.contains(['*', '?', '[']) {
        return matches_any(repo, folder, source);
    }
    folder.join(source).is_some_and(|path| is_there(repo, &path))
}

fn is_there(repo: &Repo, path: &RepoPath) -> bool {
    repo.is_file(path) || repo.is_folder(path)
}

fn matches_any(repo: &Repo, folder: &RepoPath, pattern: &str) -> bool {
    // Up to its first wildcard a pattern is a path: only what lies below that is looked through.
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| !part.contains(['*', '?', '['])).collect();
    let Some(base) = folder.join(&fixed.join("/")) else { return false };
    // `[…]` is rare; `*` takes its place.
    let pattern = pattern.split('[').next().map_or_else(String::new, |head| {
        if head.len() == pattern.len() { pattern.to_owned() } else { format!("{head}*") }
    });
    let of = |path: &RepoPath| path.relative_to(folder).is_some_and(|path| glob::matches(&pattern, &path));
    repo.files_in(&base).iter().any(of) || repo.folders_in(&base).iter().any(of)
}

fn missing_source(file: &RepoPath, line: u32, source: &str, context: &RepoPath) -> Problem {
    let message = format!(
        "`{source}` is copied into the image, but no folder above has it; the build will fail in `{context}`"
    );
    Problem::new("build-context", Severity::Warning, message)
        .at(format!("{file}:{line}"))
        .fix("add the file, or build it before `cargo xtask up`")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn context(tree: &str, file: &str, module: &str) -> (String, Option<String>) {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new(file).expect("inside the root");
        let text = repo.text(&file).expect("is there").text;
        let dockerfile = Dockerfile::parse(&text).expect("parses");
        let image = dockerfile.image(None, &BTreeMap::new());
        let module = RepoPath::new(module).expect("inside the root");
        let (context, problem) = of(&repo, &file, &module, &image, &dockerfile);
        (context.to_string(), problem.map(|problem| problem.at.concat()))
    }

    #[test]
    fn nearest_folder_with_all_sources_is_the_context() {
        let tree =
            "//- /a/b/Dockerfile\nFROM x\nCOPY go.mod ./\nCOPY a/b/*.go .\n//- /go.mod\n//- /a/b/main.go\n";
        assert_eq!(context(tree, "a/b/Dockerfile", "a/b"), (".".to_owned(), None));
    }

    #[test]
    fn sources_above_the_context_are_looked_for_inside_it() {
        let tree =
            "//- /a/Dockerfile\nFROM x\nCOPY ../package*.json ./\nCOPY . .\n//- /package.json\n//- /a/a.ts\n";
        assert_eq!(context(tree, "a/Dockerfile", "a"), (".".to_owned(), None));
        let own = format!("{tree}//- /a/package.json\n");
        assert_eq!(context(&own, "a/Dockerfile", "a"), ("a".to_owned(), None));
    }

    #[test]
    fn history_of_the_checkout_is_copied_from_the_root() {
        let tree = "//- /web/Dockerfile\nFROM x\nCOPY web/ /w\nCOPY .git/ /w/.git\n//- /web/a.js\n";
        assert_eq!(context(tree, "web/Dockerfile", "web"), (".".to_owned(), None));
    }

    #[test]
    fn copying_everything_is_the_modules_folder() {
        let tree = "//- /a/docker/Dockerfile\nFROM x\nCOPY . .\n//- /a/main.py\n";
        assert_eq!(context(tree, "a/docker/Dockerfile", "a"), ("a".to_owned(), None));
    }

    #[test]
    fn paths_in_commands_tell_folders_apart() {
        let tree = "//- /a/Dockerfile\nFROM x\nCOPY . .\nRUN go build -o /x ./a/cmd\n//- /a/cmd/main.go\n";
        assert_eq!(context(tree, "a/Dockerfile", "a"), (".".to_owned(), None));
    }

    #[test]
    fn paths_behind_flags_and_between_stages_tell_folders_apart() {
        let stages = |lines: &str| {
            format!(
                "//- /apps/web/Dockerfile\nFROM x AS build\nWORKDIR /app\nCOPY . .\n{lines}\n\
                 //- /apps/web/public/a.png\n//- /apps/web/db/schema.prisma\n//- /package.json\n"
            )
        };
        for (lines, wanted) in [
            ("RUN npx prisma generate --schema=apps/web/db/schema.prisma", "."),
            ("FROM y\nWORKDIR /app\nCOPY --from=build /app/apps/web/public ./public", "."),
            ("FROM y\nWORKDIR /app\nCOPY --from=build /app/apps/web/.next/standalone ./", "."),
            ("FROM y\nWORKDIR /app\nCOPY --from=build /app/public ./public", "apps/web"),
            ("FROM y\nWORKDIR /app\nCOPY --from=build /app/dist/assets ./", "apps/web"),
        ] {
            assert_eq!(context(&stages(lines), "apps/web/Dockerfile", "apps/web").0, wanted, "{lines}");
        }
    }

    #[test]
    fn missing_source_is_reported_with_its_line() {
        let tree = "//- /a/Dockerfile\nFROM x\nCOPY gone.txt .\nCOPY target/*.jar app.jar\n";
        assert_eq!(context(tree, "a/Dockerfile", "a"), ("a".to_owned(), Some("a/Dockerfile:2".to_owned())));
    }
}
