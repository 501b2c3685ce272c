//! The module of a workspace that an image starts, where the image is made of the whole workspace and its Dockerfile lies
//! above the modules: `CMD pnpm --filter api start`, `turbo prune api`, `WORKDIR /repo/apps/api`. Reads the scripts of the
//! workspace's own `package.json`, and no source.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::migrating::npm;
use super::{context, language};
use crate::model::fact::ServiceFacts;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Programs that run scripts of a workspace's modules.
const RUNNERS: &[&str] =
    &["bun", "lerna", "moon", "npm", "npx", "nx", "pnpm", "pnpx", "rush", "turbo", "uv", "yarn"];

/// Options of theirs that name a module.
const OPTIONS: &[&str] =
    &["--filter", "--package", "--project", "--projects", "--scope", "--to", "--workspace", "-F", "-p", "-w"];

/// Options of theirs that name its folder.
const FOLDERS: &[&str] = &["--cwd", "--dir", "--directory", "--prefix", "-C"];

/// Words in front of a module's name.
const BEFORE: &[&[&str]] =
    &[&["yarn", "workspace"], &["nx", "serve"], &["nx", "run"], &["nx", "build"], &["turbo", "prune"]];

/// Gives services that lie above all modules of a workspace the folder of the one that they start.
pub(in crate::discover) fn settle(repo: &Repo, services: &mut [ServiceFacts]) {
    let mut below: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
    for service in services {
        // Whatever it copies, an assembly has one project.
        if !is_of_all(service) && !starts_assembly(service) {
            continue;
        }
        let home = service.path.clone();
        let found = below.entry(home.clone()).or_insert_with(|| modules_below(repo, &home));
        if found.len() < 2 {
            continue;
        }
        let workspace = Workspace { repo, home: &home, modules: found };
        if let Some(module) = workspace.started_by(service) {
            let language = language::of(repo, &module, &service.build.context, &service.image);
            service.language = language;
            service.path = module;
        }
    }
}

/// Whether the whole folder gets into the image, or into a stage of it.
fn is_of_all(service: &ServiceFacts) -> bool {
    let is_home = |source: &str| service.build.context.join(source).is_some_and(|path| path == service.path);
    service.image.copies.iter().any(|(source, _)| context::is_everything(source) || is_home(source))
}

fn starts_assembly(service: &ServiceFacts) -> bool {
    service.image.start().any(|word| language::assembly(word).is_some())
}

fn modules_below(repo: &Repo, home: &RepoPath) -> Vec<RepoPath> {
    let manifests = repo.files_in(home).iter().filter(|file| language::is_manifest(file.name()));
    let folders: BTreeSet<RepoPath> = manifests.filter_map(RepoPath::parent).collect();
    folders.into_iter().filter(|folder| folder != home).collect()
}

struct Workspace<'a> {
    repo: &'a Repo,
    home: &'a RepoPath,
    /// Folders with a manifest below it.
    modules: &'a [RepoPath],
}

impl Workspace<'_> {
    /// By the start command, then by the folder in which it is started, then by what is built for it.
    fn started_by(&self, service: &ServiceFacts) -> Option<RepoPath> {
        let image = &service.image;
        let start: Vec<&str> = words(service.start());
        let scripts = self.scripts(&start);
        let run: Vec<&str> = start.iter().copied().chain(words([&scripts])).collect();
        let assembly = self.only(start.iter().filter_map(|word| self.assembly(word)));
        if assembly.is_some() || !is_of_all(service) {
            return assembly;
        }
        self.only(self.chosen(&run))
            .or_else(|| self.only(start.iter().filter_map(|word| self.above(word, service))))
            .or_else(|| self.at(image.workdir.as_deref()?, service))
            .or_else(|| self.only(image.runs.iter().flat_map(|run| self.chosen(&words([run])))))
    }

    /// The scripts of the workspace's `package.json` that the start command calls.
    fn scripts(&self, start: &[&str]) -> String {
        let manifest = self.home.join("package.json").and_then(|file| self.repo.text(&file).ok());
        let Some(manifest) = manifest.and_then(|text| serde_json::from_str::<Value>(&text.text).ok()) else {
            return String::new();
        };
        let start = start.join(" ");
        npm::called_scripts(&start).map(|name| npm::scripts(&manifest, name, 2)).collect()
    }

    /// The one module that is named, however often.
    fn only(&self, found: impl IntoIterator<Item = RepoPath>) -> Option<RepoPath> {
        let mut found: Vec<RepoPath> = found.into_iter().collect();
        found.dedup();
        if let [_] = found[..] { found.pop() } else { None }
    }

    /// The modules that a command's words choose from a workspace.
    fn chosen(&self, words: &[&str]) -> Vec<RepoPath> {
        let Some(runner) = words.iter().position(|word| RUNNERS.contains(word)) else { return Vec::new() };
        let words = &words[runner..];
        let mut found = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let next = || words.get(at + 1).copied();
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (*word, next()),
            };
            let module = match value {
                Some(value) if OPTIONS.contains(&option) => self.called(value),
                Some(value) if FOLDERS.contains(&option) => self.folder(value),
                _ if BEFORE.iter().any(|before| words[..at].ends_with(before)) => self.called(word),
                _ => None,
            };
            found.extend(module);
        }
        found
    }

    /// By the name in its manifest, with or without scope, or by its folder: `@shop/api...`, `api:serve`, `./apps/api`.
    fn called(&self, name: &str) -> Option<RepoPath> {
        let name = name.trim_matches(['{', '}', '.', '^', '"', '\'']);
        let plain = if name.starts_with('@') { name } else { name.split(':').next().unwrap_or(name) };
        let last = plain.rsplit('/').next().unwrap_or(plain);
        let named =
            |folder: &&RepoPath| language::project_name(self.repo, folder).is_some_and(|name| name == last);
        let is_called = |folder: &&RepoPath| folder.name() == last;
        self.folder(plain)
            .or_else(|| self.only(self.modules.iter().filter(named).cloned()))
            .or_else(|| self.only(self.modules.iter().filter(is_called).cloned()))
    }

    fn folder(&self, path: &str) -> Option<RepoPath> {
        self.home.join(path.trim_matches('/')).filter(|folder| self.modules.contains(folder))
    }

    /// The project of .NET that is built to this: `Shop.Orders.dll` of `src/Shop.Orders/Shop.Orders.csproj`.
    fn assembly(&self, word: &str) -> Option<RepoPath> {
        let named: Vec<String> = language::projects(language::assembly(word)?).collect();
        let has = |folder: &&RepoPath| {
            let mut files = named.iter().filter_map(|name| folder.join(name));
            files.any(|file| self.repo.is_file(&file))
        };
        self.only(self.modules.iter().filter(has).cloned())
    }

    /// The module in which a file of the image lies: `apps/api/dist/main.js`, `/repo/apps/api/run.sh`.
    fn above(&self, word: &str, service: &ServiceFacts) -> Option<RepoPath> {
        let folder = word.rsplit_once('/')?.0;
        match folder.starts_with('/') {
            true => self.at(folder, service),
            false => self.nearest(folder),
        }
    }

    /// The module that lies at a folder of the image, or above it.
    fn at(&self, folder: &str, service: &ServiceFacts) -> Option<RepoPath> {
        let is_whole = |source: &str| {
            let path = service.build.context.join(source);
            path.is_some_and(|path| path == *self.home)
        };
        let places = service.image.placed.iter().filter(|placed| is_whole(&placed.source));
        let taken = service.image.brought.iter().map(|brought| brought.to.as_str());
        let places = places.map(|placed| placed.to.as_str()).chain(taken);
        let below = |place: &str| {
            let rest = folder.strip_prefix(place.trim_end_matches('/'))?;
            rest.strip_prefix('/').and_then(|rest| self.nearest(rest))
        };
        places.filter_map(below).next()
    }

    /// The module at a folder of the workspace, or the nearest above it.
    fn nearest(&self, folder: &str) -> Option<RepoPath> {
        let folder = self.home.join(folder)?;
        folder.ancestors().find(|above| self.modules.contains(above))
    }
}

/// The words of command lines, in exec form or in a shell's.
fn words<'t>(texts: impl IntoIterator<Item = &'t String>) -> Vec<&'t str> {
    let ends = [' ', '\n', '\t', ';', '&', '|', '"', '\''];
    texts.into_iter().flat_map(|text| text.split(ends)).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    const WORKSPACE: &str = "//- /package.json\n{ \"name\": \"shop\", \"scripts\": { \"start:api\": \"turbo run start --filter=@shop/api\" } }\n\
        //- /apps/api/package.json\n{ \"name\": \"@shop/api\", \"dependencies\": { \"@shop/log\": \"*\" } }\n//- /apps/api/main.ts\nprocess.env.API_KEY\n\
        //- /apps/mail/package.json\n{ \"name\": \"mailer\" }\n//- /apps/mail/main.ts\nprocess.env.MAIL_KEY\n\
        //- /libs/log/package.json\n{ \"name\": \"@shop/log\" }\n//- /libs/log/log.ts\nprocess.env.LOG_KEY\n";

    /// Folder and variables of the services of a Dockerfile at the workspace's root.
    fn found(dockerfile: &str) -> Vec<String> {
        let tree = format!("{WORKSPACE}//- /Dockerfile\n{dockerfile}");
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let facts = facts.expect("is read");
        let one = |service: &crate::model::fact::ServiceFacts| {
            let read = service.facts.iter().filter_map(|fact| match &fact.what {
                crate::model::fact::What::EnvRead { name, .. } => Some(name.as_str()),
                _ => None,
            });
            format!("{}: {}", service.path, read.collect::<Vec<_>>().join(" "))
        };
        facts.services.iter().map(one).collect()
    }

    #[test]
    fn module_that_an_image_starts_is_the_service_with_the_modules_that_it_names() {
        let api = "apps/api: API_KEY LOG_KEY";
        for (last, wanted) in [
            ("CMD pnpm --filter @shop/api start", api),
            ("CMD pnpm -F api start", api),
            ("CMD [\"pnpm\", \"--dir\", \"apps/api\", \"start\"]", api),
            ("CMD [\"npm\", \"start\", \"-w\", \"apps/api\"]", api),
            ("CMD [\"npm\", \"run\", \"start:api\"]", api),
            ("CMD yarn workspace mailer start", "apps/mail: MAIL_KEY"),
            ("CMD [\"node\", \"apps/api/dist/main.js\"]", api),
            ("CMD [\"node\", \"/repo/apps/mail/dist/main.js\"]", "apps/mail: MAIL_KEY"),
            ("WORKDIR /repo/apps/api\nCMD [\"node\", \"dist/main.js\"]", api),
            ("RUN npx turbo build --filter=mailer...\nCMD [\"node\", \"run.js\"]", "apps/mail: MAIL_KEY"),
        ] {
            assert_eq!(found(&format!("FROM node\nWORKDIR /repo\nCOPY . .\n{last}\n")), [wanted], "{last}");
        }
    }

    #[test]
    fn project_of_dotnet_whose_assembly_an_image_starts_is_the_service() {
        let project = |name: &str| {
            format!(
                "//- /src/{name}/{name}.csproj\n<Project/>\n//- /src/{name}/Program.cs\nvar x = Environment.GetEnvironmentVariable(\"{name}_KEY\");\n"
            )
        };
        let dockerfile = |name: &str| {
            format!(
                "//- /src/{name}-dockerfile\nFROM mcr.microsoft.com/dotnet/sdk:9.0 AS build\nWORKDIR /src\nCOPY {name} {name}\nRUN dotnet publish {name} -o /out\n\
                 FROM mcr.microsoft.com/dotnet/aspnet:9.0\nCOPY --from=build /out .\nENTRYPOINT [\"dotnet\", \"{name}.dll\"]\n"
            )
        };
        let tree = ["Orders", "Users"].map(|name| project(name) + &dockerfile(name)).concat();
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let facts = facts.expect("is read");
        let mut paths: Vec<String> = facts.services.iter().map(|service| service.path.to_string()).collect();
        paths.sort();
        assert_eq!(paths, ["src/Orders", "src/Users"]);
    }

    #[test]
    fn image_that_starts_several_modules_or_says_none_is_the_whole() {
        for last in [
            "CMD pnpm --filter @shop/api --filter mailer start",
            "CMD [\"npm\", \"start\"]",
            "CMD [\"node\", \"dist/main.js\"]",
        ] {
            let all = ".: API_KEY MAIL_KEY LOG_KEY";
            assert_eq!(found(&format!("FROM node\nWORKDIR /repo\nCOPY . .\n{last}\n")), [all], "{last}");
        }
    }

    #[test]
    fn each_stage_of_a_dockerfile_is_the_module_that_it_starts() {
        let stages = "FROM node AS base\nWORKDIR /repo\nCOPY . .\nFROM base AS api\nCMD pnpm -F api start\n\
                      FROM base AS mail\nCMD pnpm -F mailer start\n";
        assert_eq!(found(stages), ["apps/api: API_KEY LOG_KEY", "apps/mail: MAIL_KEY"]);
    }
}
