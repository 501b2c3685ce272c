//! What of the repository an image is made from, and where it lies in it; decides nothing about it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::glob;
use super::language;
use crate::model::fact::{Input, Landing, Placed, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Names of files that say which packages are installed, beside the manifests themselves.
const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "Gemfile.lock",
    "composer.lock",
    "Cargo.lock",
    "go.sum",
    "mix.lock",
    "gradle.properties",
    "settings.gradle",
    "settings.gradle.kts",
    "Directory.Build.props",
    "Directory.Packages.props",
];

/// How many files are looked at for a pattern over folders: a large tree is not read through.
const LOOKED_AT: usize = 5_000;

/// By path: the Dockerfile, the manifests of the module and the context, and every source of COPY and ADD.
pub(in crate::discover) fn of(repo: &Repo, service: &ServiceFacts) -> Vec<Input> {
    let (file, module, context) = (&service.dockerfile, &service.path, &service.build.context);
    let image = &service.image;
    let mut inputs = Inputs { repo, context, module, found: BTreeMap::new() };
    inputs.add(file.clone(), false, None);
    for folder in [module, context] {
        let manifests = children(repo.files_in(folder), folder).filter(|file| is_manifest(file));
        manifests.for_each(|file| inputs.add(file.clone(), false, None));
    }
    for (source, _) in &image.copies {
        for (path, is_folder) in inputs.resolve(source) {
            inputs.add(path, is_folder, None);
        }
    }
    for placed in &image.placed {
        let found = inputs.resolve(&placed.source);
        let many = found.len() > 1;
        for (path, is_folder) in found {
            let target = inputs.target(placed, &path, is_folder, many);
            let runs = image.runs[placed.after..].to_vec();
            inputs.add(path, is_folder, Some(Landing { target, runs }));
        }
    }
    let mut found = inputs.found;
    if let Some((input, _)) = found.get_mut(file) {
        input.is_manifest = true;
    }
    found.into_values().map(|(input, _)| input).collect()
}

/// Whether a path ends in the name of a manifest, or of a file that says which packages are installed.
pub(super) fn is_manifest_or_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let requirements = name.starts_with("requirements") && name.ends_with(".txt");
    requirements || LOCKS.contains(&name) || language::is_manifest(name)
}

fn is_manifest(file: &RepoPath) -> bool {
    is_manifest_or_lock(file.as_str())
}

/// What lies in the folder itself, of everything in and below it, in order; what is below its folders is leapt over.
fn children<'a>(all: &'a [RepoPath], folder: &'a RepoPath) -> impl Iterator<Item = &'a RepoPath> {
    let depth = folder.depth() + 1;
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(path) = all.get(at) {
            let parts: Vec<&str> = path.parts().take(depth + 1).collect();
            if parts.len() > depth {
                let inside = RepoPath::new(&parts[..depth].join("/")).unwrap_or_default();
                at += all[at..].partition_point(|path| path.is_in(&inside)).max(1);
                continue;
            }
            at += 1;
            if parts.len() == depth {
                return Some(path);
            }
        }
        None
    })
}

struct Inputs<'a> {
    repo: &'a Repo,
    context: &'a RepoPath,
    module: &'a RepoPath,
    /// With how often it was placed.
    found: BTreeMap<RepoPath, (Input, usize)>,
}

impl Inputs<'_> {
    fn add(&mut self, path: RepoPath, is_folder: bool, landing: Option<Landing>) {
        match self.found.entry(path.clone()) {
            Entry::Vacant(place) => {
                let is_manifest = !is_folder && is_manifest(&path);
                let times = usize::from(landing.is_some());
                place.insert((Input { path, is_folder, is_manifest, landing }, times));
            }
            Entry::Occupied(mut place) => {
                let (input, times) = place.get_mut();
                *times += usize::from(landing.is_some());
                if landing.is_some() {
                    input.landing = landing.filter(|_| *times == 1);
                }
            }
        }
    }

    /// The files and folders that a source names; of a context around the service, only the service's own folder.
    fn resolve(&self, source: &str) -> Vec<(RepoPath, bool)> {
        let source = source.trim_start_matches('/').replace("../", "");
        if source.contains('$') {
            return Vec::new();
        }
        if source.contains(['*', '?', '[']) {
            return self.matching(&source);
        }
        let Some(path) = self.context.join(&source) else { return Vec::new() };
        if self.repo.is_file(&path) {
            return vec![(path, false)];
        }
        if !self.repo.is_folder(&path) && path != *self.context {
            return Vec::new();
        }
        let around = path == *self.context && self.module.is_in(&path);
        vec![(if around { self.module.clone() } else { path }, true)]
    }

    fn matching(&self, pattern: &str) -> Vec<(RepoPath, bool)> {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let first = parts.iter().position(|part| part.contains(['*', '?', '[']));
        let Some(first) = first else { return Vec::new() };
        let Some(base) = self.context.join(&parts[..first].join("/")) else { return Vec::new() };
        let fits = |path: &&RepoPath| {
            path.depth() == self.context.depth() + parts.len()
                && path.relative_to(self.context).is_some_and(|path| glob::matches(pattern, &path))
        };
        let found = |all: &[RepoPath], is_folder: bool| -> Vec<(RepoPath, bool)> {
            let one = |path: &RepoPath| (path.clone(), is_folder);
            match first + 1 == parts.len() {
                true => children(all, &base).filter(fits).map(one).collect(),
                false => all.iter().take(LOOKED_AT).filter(fits).map(one).collect(),
            }
        };
        [found(self.repo.files_in(&base), false), found(self.repo.folders_in(&base), true)].concat()
    }

    /// Where a source lies: a folder's content in the place itself, a file below it or as it.
    fn target(&self, placed: &Placed, path: &RepoPath, is_folder: bool, many: bool) -> String {
        let place = placed.to.trim_end_matches('/');
        let whole = if is_folder {
            // The folder of the service stands for the whole context around it.
            let around = self.context.join(&placed.source).is_some_and(|source| source == *self.context);
            let below = path.relative_to(self.context).filter(|below| around && below != ".");
            below.map_or_else(|| place.to_owned(), |below| format!("{place}/{below}"))
        } else if many || placed.to.ends_with('/') {
            format!("{place}/{}", path.name())
        } else {
            place.to_owned()
        };
        if whole.is_empty() { "/".to_owned() } else { whole }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::dockerfile::Dockerfile;
    use super::*;
    use crate::model::fact::Build;

    /// `path -> target`, `path/` for folders, `!` in front of manifests.
    fn inputs(tree: &str, module: &str, context: &str) -> Vec<String> {
        let repo = Repo::from_fixture(tree);
        let path = |text: &str| RepoPath::new(text).expect("inside the root");
        let dockerfile = path(module).join("Dockerfile").expect("inside the root");
        let text = repo.text(&dockerfile).expect("is there").text;
        let service = ServiceFacts {
            origins: Vec::new(),
            name: String::new(),
            path: path(module),
            dockerfile,
            build: Build { context: path(context), target: None, args: BTreeMap::new() },
            command: None,
            aliases: Vec::new(),
            language: String::new(),
            image: Dockerfile::parse(&text).expect("parses").image(None, &BTreeMap::new()),
            inputs: Vec::new(),
            is_worker: false,
            facts: Vec::new(),
            migration: None,
        };
        let shown = |input: Input| {
            let (lead, end) =
                (if input.is_manifest { "!" } else { "" }, if input.is_folder { "/" } else { "" });
            let landing = input.landing.map(|landing| format!(" -> {} {:?}", landing.target, landing.runs));
            format!("{lead}{}{end}{}", input.path, landing.unwrap_or_default())
        };
        of(&repo, &service).into_iter().map(shown).collect()
    }

    #[test]
    fn sources_are_found_in_the_context_and_in_the_image() {
        let tree = "//- /a/Dockerfile\nFROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY src ./src\n\
                    COPY run.sh /bin/run\nCOPY gone ./\n//- /a/package.json\n{}\n//- /a/package-lock.json\n{}\n\
                    //- /a/src/main.js\n//- /a/run.sh\n//- /a/notes.txt\n";
        assert_eq!(
            inputs(tree, "a", "a"),
            [
                "!a/Dockerfile",
                "!a/package-lock.json -> /app/package-lock.json [\"npm ci\"]",
                "!a/package.json -> /app/package.json [\"npm ci\"]",
                "a/run.sh -> /bin/run []",
                "a/src/ -> /app/src []",
            ]
        );
    }

    #[test]
    fn patterns_reach_files_folders_and_over_folders() {
        let tree = "//- /a/Dockerfile\nFROM x\nCOPY *.py conf* /app/\nCOPY mods/*/run.sh /bin/\n//- /a/b.py\n//- /a/c/d.py\n\
                    //- /a/config/x\n//- /a/e.py\n//- /a/mods/one/run.sh\n//- /a/mods/one/deep/run.sh\n//- /a/c.txt\n";
        assert_eq!(
            inputs(tree, "a", "a"),
            [
                "!a/Dockerfile",
                "a/b.py -> /app/b.py []",
                "a/config/ -> /app []",
                "a/e.py -> /app/e.py []",
                "a/mods/one/run.sh -> /bin/run.sh []",
            ]
        );
    }

    #[test]
    fn of_a_context_around_the_service_only_its_own_folder_counts() {
        let tree = "//- /s/api/Dockerfile\nFROM python\nWORKDIR /app\nCOPY . .\n//- /s/api/main.py\n//- /s/web/main.py\n//- /pyproject.toml\n";
        assert_eq!(
            inputs(tree, "s/api", "."),
            ["!pyproject.toml", "s/api/ -> /app/s/api []", "!s/api/Dockerfile"]
        );
    }

    #[test]
    fn build_stages_and_repeated_copies_have_no_one_place() {
        let tree = "//- /a/Dockerfile\nFROM go AS build\nCOPY cmd /src\nFROM scratch\nCOPY web /web\nCOPY web /old\n\
                    //- /a/cmd/main.go\n//- /a/web/i.html\n";
        assert_eq!(inputs(tree, "a", "a"), ["!a/Dockerfile", "a/cmd/", "a/web/"]);
    }
}
