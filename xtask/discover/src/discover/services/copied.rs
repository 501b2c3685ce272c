//! The module that an image is made of, where neither its Dockerfile's name nor its folder says it: the one that it copies.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, context, language};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Gives Dockerfiles that lie apart from all code the folder of the one module that they copy. One that stands beside
/// that module's own Dockerfile is a variant of it.
pub(super) fn settle(repo: &Repo, candidates: &mut [Candidate]) {
    let mut homes: BTreeMap<RepoPath, BTreeSet<String>> = BTreeMap::new();
    let mut makers: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let place = &candidate.place;
        let apart = place.path.is_root() && candidate.file.depth() > 1;
        match only_module(repo, candidate).filter(|_| apart) {
            Some(module) => makers.entry(module).or_default().push(at),
            None => drop(homes.entry(place.path.clone()).or_default().insert(place.name.clone())),
        }
    }
    for (module, made) in makers {
        let own = homes.get(&module).filter(|names| names.len() == 1).and_then(BTreeSet::first);
        for at in &made {
            let place = &mut candidates[*at].place;
            place.path = module.clone();
            if let (Some(own), [_]) = (own, made.as_slice()) {
                place.aliases.push(std::mem::replace(&mut place.name, own.clone()));
            }
        }
    }
}

/// Nothing where an image is made of all, of several modules, or of none.
fn only_module(repo: &Repo, candidate: &Candidate) -> Option<RepoPath> {
    let image = candidate.read.as_ref().ok()?.image(None, &BTreeMap::new());
    let mut only = None;
    for (source, _) in &image.copies {
        if source.contains('$') || context::is_everything(source) {
            return None;
        }
        // The root's manifests and locks come with each module of a workspace.
        let Some(path) =
            RepoPath::root().join(source).filter(|path| path.depth() > 1 || repo.is_folder(path))
        else {
            continue;
        };
        let module = path.ancestors().find(|above| !above.is_root() && language::is_module(repo, above))?;
        if only.get_or_insert_with(|| module.clone()) != &module {
            return None;
        }
    }
    only
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::services::Roots;

    fn found(tree: &str) -> Vec<String> {
        let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
        let services = found.services.into_iter();
        services.map(|one| format!("{} in {}: {}", one.name, one.path, one.dockerfile)).collect()
    }

    const CODE: &str = "//- /frontend/package.json\n{}\n//- /frontend/index.js\n\n//- /go.mod\nmodule x\n";
    const IMAGE: &str = "//- /infra/docker.prod/Dockerfile.fe\nFROM nginx\nCOPY ./frontend/package.json ./\nCOPY ./frontend ./\n";

    #[test]
    fn image_apart_from_the_code_is_a_variant_of_the_module_that_it_copies() {
        let own = "//- /frontend/Dockerfile.dev\nFROM node\nCOPY . .\nCMD [\"npm\", \"start\"]\n";
        assert_eq!(
            found(&format!("{CODE}{IMAGE}{own}")),
            ["frontend in frontend: infra/docker.prod/Dockerfile.fe"]
        );
    }

    #[test]
    fn alone_it_keeps_its_name_and_gets_the_code() {
        assert_eq!(found(&format!("{CODE}{IMAGE}")), ["fe in frontend: infra/docker.prod/Dockerfile.fe"]);
        let all = IMAGE.replace("COPY ./frontend ./", "COPY . .");
        assert_eq!(found(&format!("{CODE}{all}")), ["fe in .: infra/docker.prod/Dockerfile.fe"]);
    }

    #[test]
    fn two_of_one_module_stay_two() {
        let api = "//- /app/pyproject.toml\n\n//- /app/Dockerfile\nFROM x\nCOPY . .\n//- /deploy/Dockerfile.one\nFROM x\nCOPY app .\n\
                   //- /deploy/Dockerfile.two\nFROM x\nCOPY app .\n";
        assert_eq!(
            found(api),
            [
                "app in app: app/Dockerfile",
                "one in app: deploy/Dockerfile.one",
                "two in app: deploy/Dockerfile.two"
            ]
        );
    }
}
