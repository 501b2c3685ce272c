//! The module that an image is made of, where neither its Dockerfile's name nor its folder says it: the one that it
//! starts, or the only one that it copies.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Dockerfile, context, language, place};
use crate::model::fact::Image;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Gives Dockerfiles that lie apart from all code the folder of the one module that they copy. One that stands beside
/// that module's own Dockerfile is a variant of it.
pub(super) fn settle(repo: &Repo, candidates: &mut [Candidate]) {
    let mut homes: BTreeMap<RepoPath, BTreeSet<String>> = BTreeMap::new();
    let mut makers: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    let mut started: Vec<(usize, RepoPath)> = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let place = &candidate.place;
        let apart = place.path.is_root() && candidate.file.depth() > 1;
        let program = || built_program(repo, candidate);
        let project = if apart {
            started_project(repo, candidate).or_else(program)
        } else {
            program().filter(|_| lies_alone(repo, candidate))
        };
        if let Some(project) = project {
            started.push((at, project));
            continue;
        }
        // `docker/orders.dockerfile` that builds `cmd/orders-service`: a folder `api/orders` has its name by chance.
        let is_by_name = !place.path.is_root() && !candidate.file.is_in(&place.path);
        if is_by_name
            && let Some(program) =
                built_program(repo, candidate).filter(|program| !program.is_in(&place.path))
        {
            started.push((at, program));
            continue;
        }
        let only = || only_module(repo, candidate).filter(|_| apart);
        let taken = || taken_module(repo, candidate).filter(|_| place.path.is_root());
        match only().or_else(taken) {
            Some(module) => makers.entry(module).or_default().push(at),
            None => drop(homes.entry(place.path.clone()).or_default().insert(place.name.clone())),
        }
    }
    let mut variants: BTreeMap<(Option<RepoPath>, String), RepoPath> = BTreeMap::new();
    for (at, project) in started {
        variants.insert((candidates[at].file.parent(), candidates[at].place.name.clone()), project.clone());
        let place = &mut candidates[at].place;
        // `ci/Dockerfile.dotnet`: what runs the program is no name for it.
        let name = project.name().to_owned();
        if place::is_runtime(&place.name) {
            *place = place::called(project, &name);
        } else {
            place.path = project;
        }
    }
    // One beside it that only packs what was built elsewhere packs the same.
    for candidate in candidates.iter_mut().filter(|_| !variants.is_empty()) {
        let is_apart =
            candidate.file.depth() > 1 && (candidate.place.path.is_root() || lies_alone(repo, candidate));
        if is_apart && let Some(path) = variants.get(&(candidate.file.parent(), candidate.place.name.clone()))
        {
            candidate.place.path = path.clone();
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
    settle_runtimes(repo, candidates);
}

/// Whether no code lies in a Dockerfile's folder, which its service is called after.
fn lies_alone(repo: &Repo, candidate: &Candidate) -> bool {
    candidate
        .file
        .parent()
        .is_some_and(|folder| folder == candidate.place.path && !language::has_code(repo, &folder))
}

/// Gives an image of a runtime that copies nothing but settings, all beside it, the module above it, for whose code it is
/// made: `orders/apache/Dockerfile`. Not where that has an image of its own, or several of these.
fn settle_runtimes(repo: &Repo, candidates: &mut [Candidate]) {
    let mut made: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        if let Some(module) = module_of_runtime(repo, candidate) {
            made.entry(module).or_default().push(at);
        }
    }
    for (module, made) in made {
        let [at] = made[..] else { continue };
        let is_inside =
            |(other, candidate): (usize, &Candidate)| other != at && candidate.place.path.is_in(&module);
        if !candidates.iter().enumerate().any(is_inside) {
            let mut place = place::plain(repo, &module);
            place.aliases.push(candidates[at].place.name.clone());
            candidates[at].place = place;
        }
    }
}

fn module_of_runtime(repo: &Repo, candidate: &Candidate) -> Option<RepoPath> {
    // What most folders with a Dockerfile have comes first.
    let folder = candidate.file.parent().filter(|folder| *folder == candidate.place.path)?;
    let module = folder.parent().filter(|module| !module.is_root() && !language::has_code(repo, &folder))?;
    let image = candidate.read.as_ref().ok()?.image(None, &BTreeMap::new());
    let is_beside = |(source, _): &(String, u32)| {
        !context::is_everything(source) && folder.join(source).is_some_and(|file| repo.is_file(&file))
    };
    let is_runtime = language::is_runtime(&image.base) && !image.copies.is_empty();
    let is_runtime = is_runtime && image.copies.iter().all(is_beside);
    Some(module).filter(|module| is_runtime && language::is_module(repo, module))
}

/// The project of .NET that an image starts: `CMD ["bin/Shop.Orders.dll"]` is `Shop.Orders/Shop.Orders.csproj`.
fn started_project(repo: &Repo, candidate: &Candidate) -> Option<RepoPath> {
    let image = candidate.read.as_ref().ok()?.image(None, &BTreeMap::new());
    let named: Vec<String> =
        language::projects(image.start().find_map(|word| language::assembly(word))?).collect();
    let mut projects = repo.files().filter(|file| named.iter().any(|name| name == file.name()));
    let only = projects.next().and_then(RepoPath::parent).filter(|folder| !folder.is_root());
    only.filter(|_| projects.next().is_none())
}

/// The only program of Go that an image builds.
fn built_program(repo: &Repo, candidate: &Candidate) -> Option<RepoPath> {
    let mut programs = go_programs(repo, candidate.read.as_ref().ok()?);
    let only = programs.pop_first()?;
    programs.is_empty().then_some(only)
}

/// The folder of the program of Go that an image takes out of the stage that builds several: `/out/orders` is made of
/// `cmd/orders`.
pub(in crate::discover) fn built_for(
    repo: &Repo,
    dockerfile: &Dockerfile,
    image: &Image,
) -> Option<RepoPath> {
    let taken: Vec<&str> = image.brought.iter().filter_map(|one| one.source.rsplit('/').next()).collect();
    let mut programs = go_programs(repo, dockerfile);
    programs.retain(|program| taken.contains(&program.name()));
    let only = programs.pop_first()?;
    programs.is_empty().then_some(only)
}

/// The folders of the programs of Go that a Dockerfile builds: `RUN go build -o /app ./cmd/orders/main.go` is
/// `cmd/orders`, or `backend/cmd/orders` where it copies `backend` and runs in there.
fn go_programs(repo: &Repo, dockerfile: &Dockerfile) -> BTreeSet<RepoPath> {
    let mut programs = BTreeSet::new();
    let mut homes: Option<Vec<RepoPath>> = None;
    for command in dockerfile.commands().filter(|command| command.contains("go build")) {
        let homes = homes.get_or_insert_with(|| working_folders(repo, dockerfile));
        let words = command.split_whitespace().filter(|word| word.contains('/') && !word.starts_with('-'));
        programs.extend(words.filter_map(|word| {
            let program = |home: &RepoPath| {
                let path = home.join(word.strip_suffix("/main.go").unwrap_or(word))?;
                let is_program = path.join("main.go").is_some_and(|file| repo.is_file(&file));
                (is_program && !path.is_root()).then_some(path)
            };
            homes.iter().find_map(program)
        }));
    }
    programs
}

/// The folders of the context in which the commands of a Dockerfile may run, the context first: those that it copies, and
/// those in which a `WORKDIR` or a `cd` ends.
fn working_folders(repo: &Repo, dockerfile: &Dockerfile) -> Vec<RepoPath> {
    let copied = dockerfile.image(None, &BTreeMap::new()).copies.into_iter().map(|(source, _)| source);
    let after_cd = dockerfile
        .commands()
        .flat_map(|text| text.split("cd ").skip(1))
        .filter_map(|rest| rest.split([' ', '&', ';', '|', '\n']).next().map(str::to_owned));
    let entered = dockerfile.workdirs().map(str::to_owned).chain(after_cd);
    // Where the context lies in the stage is not known; its own folders are.
    let ends = entered.flat_map(|path| {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        (0..parts.len()).map(|at| parts[at..].join("/")).collect::<Vec<_>>()
    });
    let folders = copied.chain(ends).filter(|source| !source.contains('$'));
    let folders = folders.filter_map(|source| RepoPath::root().join(&source));
    let folders = folders.filter(|folder| !folder.is_root() && repo.is_folder(folder));
    std::iter::once(RepoPath::root()).chain(folders).collect()
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

/// The one module of which the last stage takes what it needs out of those that built it, also where these copied others
/// with it: `COPY --from=build /repo/services/orders/dist ./dist`.
fn taken_module(repo: &Repo, candidate: &Candidate) -> Option<RepoPath> {
    let image = candidate.read.as_ref().ok()?.image(None, &BTreeMap::new());
    if image.copies.iter().any(|(source, _)| source.contains('$') || context::is_everything(source)) {
        return None;
    }
    let built = image.brought.iter().filter(|one| image.stages.contains(&one.from));
    let modules: BTreeSet<RepoPath> = built.filter_map(|one| module_in(repo, &one.source)).collect();
    if modules.len() == 1 { modules.into_iter().next() } else { None }
}

/// The module that lies at the end of a path of an image, or above it.
fn module_in(repo: &Repo, path: &str) -> Option<RepoPath> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_module = |folder: &RepoPath| folder.depth() > 1 && language::is_module(repo, folder);
    let below = |start: usize| {
        let folder = RepoPath::root().join(&parts[start..].join("/"))?;
        folder.ancestors().find(is_module)
    };
    (0..parts.len()).find_map(below)
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::services::Roots;

    #[test]
    fn program_of_go_that_an_image_builds_is_its_code() {
        let image = |build: &str| {
            found(&format!(
                "//- /docker/Dockerfile-Login\nFROM golang AS build\nCOPY . .\nRUN CGO_ENABLED=0 {build}\nFROM scratch\nCOPY --from=build /app/auth /\nCMD [\"/auth\"]\n\
                 //- /go.mod\nmodule shop\n//- /cmd/auth/main.go\npackage main\n//- /cmd/users/main.go\npackage main\n"
            ))
        };
        assert_eq!(
            image("go build -v -o /app/auth ./cmd/auth/main.go"),
            ["login in cmd/auth: docker/Dockerfile-Login"]
        );
        let by_chance =
            "go build -o /app/auth ./cmd/auth\n//- /api/login/login.pb.go\npackage login\n//- /x\n";
        assert_eq!(image(by_chance), ["login in cmd/auth: docker/Dockerfile-Login"]);
        let packed = "go build -o /app/auth ./cmd/auth\n//- /docker/Dockerfile-Login.prod\nFROM scratch\nCOPY auth /\nCMD [\"/auth\"]\n//- /x\n";
        assert_eq!(image(packed).len(), 1);
        let module = |lines: &str| {
            found(&format!(
                "//- /docker/login/Dockerfile\nFROM golang AS build\n{lines}\nRUN go build -o /auth ./cmd/auth\nFROM scratch\nCOPY --from=build /auth /\nCMD [\"/auth\"]\n\
                 //- /backend/go.mod\nmodule shop\n//- /backend/cmd/auth/main.go\npackage main\n//- /backend/cmd/users/main.go\npackage main\n"
            ))
        };
        let inside = ["login in backend/cmd/auth: docker/login/Dockerfile"];
        assert_eq!(module("WORKDIR /src/backend\nCOPY backend/go.mod ./\nCOPY backend ./"), inside);
        assert_eq!(module("COPY . /src\nWORKDIR /src/backend"), inside);
        assert_eq!(module("COPY . .\nRUN cd backend && go build -o /auth ./cmd/auth"), inside);
        let both = "go build -o /app/ ./cmd/auth && go build -o /app/ ./cmd/users";
        assert_eq!(image(both), ["login in .: docker/Dockerfile-Login"]);
    }

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
    fn image_of_a_whole_solution_is_the_project_that_it_starts() {
        let bot = "//- /ci/Dockerfile.dotnet\nFROM mcr.microsoft.com/dotnet/sdk:9.0 AS build\nCOPY . /app\nRUN dotnet build -o bin\n\
                   FROM mcr.microsoft.com/dotnet/aspnet:9.0\nCOPY --from=build /app ./\nENTRYPOINT [\"dotnet\"]\nCMD [\"bin/Shop.Bot.dll\"]\n\
                   //- /Shop.Bot/Shop.Bot.csproj\n<Project/>\n//- /Shop.Core/Shop.Core.csproj\n<Project/>\n";
        for ending in ["csproj", "fsproj", "vbproj"] {
            let bot = bot.replace("csproj", ending);
            assert_eq!(found(&bot), ["shop-bot in Shop.Bot: ci/Dockerfile.dotnet"], "{ending}");
        }
    }

    #[test]
    fn image_in_which_a_machine_tries_the_code_is_none() {
        let tools = "//- /ci/Dockerfile.lint\nFROM node\nCOPY . .\nRUN npm ci\nCMD [\"npm\", \"test\"]\n//- /ci/Dockerfile\nFROM golang AS tools\nCOPY . .\n\
                     FROM node\nCOPY --from=tools /go/bin/x /usr/bin/\n//- /package.json\n{}\n";
        assert_eq!(found(tools), Vec::<String>::new());
    }

    #[test]
    fn image_at_the_root_that_takes_one_module_is_that_modules_and_its_own_is_built() {
        let root = "//- /Dockerfile\nFROM node AS build\nWORKDIR /repo\nCOPY tsconfig.json ./\nCOPY libs/common ./libs/common\n\
                    COPY services/orders ./services/orders\nRUN npm run build\nFROM node\nCOPY --from=build /repo/services/orders/dist ./dist\n\
                    CMD [\"node\", \"dist/main.js\"]\n//- /tsconfig.json\n{}\n//- /libs/common/package.json\n{}\n//- /services/orders/package.json\n{}\n";
        assert_eq!(found(root).len(), 1);
        assert!(found(root)[0].ends_with("in services/orders: Dockerfile"), "{:?}", found(root));
        let own = "//- /services/orders/Dockerfile\nFROM node\nCOPY . .\nCMD [\"node\", \"main.js\"]\n";
        assert_eq!(found(&format!("{root}{own}")), ["orders in services/orders: services/orders/Dockerfile"]);
    }

    #[test]
    fn alone_it_keeps_its_name_and_gets_the_code() {
        assert_eq!(found(&format!("{CODE}{IMAGE}")), ["fe in frontend: infra/docker.prod/Dockerfile.fe"]);
        let all = IMAGE.replace("COPY ./frontend ./", "COPY . .");
        assert_eq!(found(&format!("{CODE}{all}")), ["fe in .: infra/docker.prod/Dockerfile.fe"]);
    }

    #[test]
    fn image_of_a_runtime_with_settings_beside_it_is_made_for_the_module_above() {
        let image = |folder: &str, base: &str| {
            format!(
                "//- /shop/{folder}/Dockerfile\nFROM {base}\nCOPY php.ini /etc/php/\nCOPY start-container /usr/bin/\n//- /shop/{folder}/php.ini\n\n//- /shop/{folder}/start-container\n\n"
            )
        };
        let code = "//- /shop/composer.json\n{}\n//- /shop/app/Cart.php\n<?php\n";
        let one = |tree: &str| found(&format!("{code}{tree}"));
        assert_eq!(one(&image("apache", "ubuntu:22.04")), ["shop in shop: shop/apache/Dockerfile"]);
        let proxy = image("nginx", "nginx:1.27");
        assert_eq!(one(&proxy), ["nginx in shop/nginx: shop/nginx/Dockerfile"]);
        let own = "//- /shop/Dockerfile\nFROM php:8.4-fpm\nCOPY . .\n";
        assert_eq!(one(&format!("{own}{}", image("apache", "php:8.4-apache"))).len(), 2);
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
