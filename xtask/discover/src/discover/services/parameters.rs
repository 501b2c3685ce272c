//! One Dockerfile for several services, told apart by a build argument: which argument, and which values it takes.

use std::collections::BTreeMap;

use super::super::dockerfile::{Dockerfile, MARK};
use super::{context, dotnet, jvm, language};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Services that one Dockerfile builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The build argument.
    pub(super) name: String,
    /// Its values.
    pub(super) values: Vec<Value>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) value: String,
    /// Where the code lies.
    pub(super) path: RepoPath,
    /// The build context that goes with it.
    pub(super) context: RepoPath,
}

/// The build argument that chooses among folders here; `None` where there is none.
pub(super) fn of(repo: &Repo, file: &RepoPath, dockerfile: &Dockerfile) -> Option<Parameter> {
    let folder = file.parent().unwrap_or_default();
    // What is built, and what a pattern finds, is no folder with a program.
    let is_choice = |name: &String| {
        dockerfile.defaults(name).all(|value| !value.contains(['*', '?']) && !context::is_built(value))
    };
    dockerfile.arguments().into_iter().filter(is_choice).find_map(|name| {
        let used = dockerfile.uses(&name);
        let copied = copied(repo, &folder, &used.sources);
        // A folder that is copied by the argument's name is the service's, also where there is only one yet.
        let is_certain = copied.is_some();
        let values = copied
            .or_else(|| compiled(repo, &folder, (&name, dockerfile), &used.paths))
            .or_else(|| worked_in(repo, &folder, &used.paths))
            .or_else(|| packaged(repo, &folder, &used.sources))?;
        let values = without_shared(repo, (&name, dockerfile), values);
        let is_choice = (is_certain || values.len() > 1)
            && !repeats_its_folder(repo, &folder, (&name, dockerfile), &values);
        is_choice.then_some(Parameter { name, values })
    })
}

/// Without the folders that the Dockerfile copies by name, whatever the argument says: `COPY kafka-utils/src kafka-utils/src`
/// is a library of all. Manifests of all are copied for the sake of the cache. A module that starts nothing is a library too.
fn without_shared(repo: &Repo, (name, dockerfile): (&str, &Dockerfile), values: Vec<Value>) -> Vec<Value> {
    // Its default is one of its values.
    let unknown = BTreeMap::from([(name.to_owned(), "$".to_owned())]);
    let image = dockerfile.image(None, &unknown);
    let is_shared = |value: &Value| {
        if jvm::is_library(repo, &value.path) {
            return true;
        }
        let named = image.copies.iter().filter(|(source, _)| !source.contains('$'));
        let mut folders = named.filter_map(|(source, _)| value.context.join(source));
        folders.any(|path| path.is_in(&value.path) && repo.is_folder(&path))
    };
    let (shared, own): (Vec<Value>, Vec<Value>) = values.into_iter().partition(is_shared);
    if own.is_empty() { shared } else { own }
}

/// `ARG APP=orders` and `COPY apps/${APP}/mix.exs ./` in `apps/orders/Dockerfile`, with such a file in `apps/users` too:
/// the argument saves its author from writing the folder's name again and again.
fn repeats_its_folder(
    repo: &Repo,
    folder: &RepoPath,
    (name, dockerfile): (&str, &Dockerfile),
    values: &[Value],
) -> bool {
    let is_own = |default: &str| default == folder.name();
    let mut others = values.iter().filter(|value| value.path != *folder);
    dockerfile.defaults(name).any(is_own) && others.any(|value| is_built_elsewhere(repo, value))
}

/// Whether a Dockerfile lies with the code.
fn is_built_elsewhere(repo: &Repo, value: &Value) -> bool {
    repo.files_in(&value.path).iter().any(|file| super::files::docker_name(file.name()).is_some())
}

/// `COPY ${APP}/mix.exs ./`: each folder in which all these sources exist. Where each of them has a Dockerfile of its own,
/// the argument may be a path, `APP=backend/orders`.
fn copied(repo: &Repo, folder: &RepoPath, sources: &[String]) -> Option<Vec<Value>> {
    let sources: Vec<&String> = sources
        .iter()
        .filter(|source| !source.contains(['*', '?', '$']) && !context::is_built(source))
        .collect();
    let prefix = sources.iter().find_map(|source| before_mark(source))?;
    folder.ancestors().find_map(|context| {
        let base = context.join(&prefix).filter(|base| repo.is_folder(base))?;
        let value = |path: &RepoPath| {
            let value = path.relative_to(&base)?;
            let is_there = |source: &&String| {
                let path = context.join(&source.replace(MARK, &value));
                path.is_some_and(|path| repo.is_file(&path) || repo.is_folder(&path))
            };
            let fits = sources.iter().all(is_there)
                && super::aside::hidden_or_test(path).is_none()
                && is_program(repo, path);
            fits.then(|| Value { value, path: path.clone(), context: context.clone() })
        };
        let near: Vec<Value> = children(repo, &base).filter_map(value).collect();
        if near.iter().any(|value| !is_built_elsewhere(repo, value)) {
            return Some(near);
        }
        let groups = children(repo, &base).filter(|group| near.iter().all(|value| value.path != **group));
        let far: Vec<Value> = groups.flat_map(|group| children(repo, group)).filter_map(value).collect();
        let values = if far.len() > 1 { far } else { near };
        (!values.is_empty()).then_some(values)
    })
}

/// `COPY . /src` and `WORKDIR /src/services/$SERVICE`: each program in that folder.
fn worked_in(repo: &Repo, folder: &RepoPath, paths: &[String]) -> Option<Vec<Value>> {
    let prefixes: Vec<String> = paths.iter().filter_map(|path| before_mark(path)).collect();
    // Else every folder would be looked through in vain.
    if prefixes.is_empty() {
        return None;
    }
    let in_context = |context: &RepoPath| {
        prefixes.iter().find_map(|prefix| {
            let base = context.join(prefix).filter(|base| repo.is_folder(base))?;
            let programs = children(repo, &base).filter(|child| is_program(repo, child));
            let value = |child: &RepoPath| Value {
                value: child.name().to_owned(),
                path: child.clone(),
                context: context.clone(),
            };
            let values: Vec<Value> = programs.map(value).collect();
            (values.len() > 1).then_some(values)
        })
    };
    // A Dockerfile in a folder of its own may be meant for a context beside it.
    let above = folder.ancestors().find_map(|context| in_context(&context));
    above.or_else(|| folder.ancestors().find_map(|above| children(repo, &above).find_map(in_context)))
}

/// Names of Go's programs that end, and of those that are the service's only one.
const ENDING: &[&str] = &["migrate", "migration", "migrations", "migrator", "seed", "seeder", "seeds"];
const PLAIN: &[&str] = &["api", "app", "http", "main", "server", "service", "web"];
/// Deeper below its services no monorepo keeps a program: `orders/cmd/api`.
const MAX_DEPTH: usize = 4;

/// `cd services && go build ./${PROGRAM}`: each program of Go below that folder, by its path.
fn compiled(
    repo: &Repo,
    folder: &RepoPath,
    (name, dockerfile): (&str, &Dockerfile),
    paths: &[String],
) -> Option<Vec<Value>> {
    let builds = |command: &&str| {
        command.contains(name) && (command.contains("go build") || command.contains("go install"))
    };
    let command = dockerfile.commands().find(builds)?;
    let prefix = paths.iter().filter(|path| path.ends_with(MARK)).find_map(|path| before_mark(path))?;
    let copies = dockerfile.image(None, &BTreeMap::new()).copies;
    let holds_all = |context: &RepoPath| {
        let is_there = |source: &str| source.contains('$') || context::exists(repo, context, source);
        copies.iter().all(|(source, _)| context::is_everything(source) || is_there(source))
    };
    let context = folder.ancestors().find(holds_all)?;
    let entered = command.split(['&', ';', '\n']).filter_map(|part| part.trim().strip_prefix("cd ")).next();
    let base = context.join(entered.unwrap_or_default().trim())?.join(&prefix)?;
    let programs = repo.files_in(&base).iter().filter(|file| file.name() == "main.go");
    let programs = programs.filter_map(RepoPath::parent).filter(|program| {
        program.depth() <= base.depth() + MAX_DEPTH
            && super::aside::hidden_or_test(program).is_none()
            && !ENDING.contains(&program.name())
    });
    let value = |program: RepoPath| {
        let value = program.relative_to(&base)?;
        // `orders/cmd/api` is the orders; a second program there is called as itself.
        let parts: Vec<&str> = program.parts().collect();
        let module = parts.iter().rposition(|part| *part == "cmd").map(|at| parts[..at].join("/"));
        let module = module
            .and_then(|module| RepoPath::root().join(&module))
            .filter(|_| PLAIN.contains(&program.name()));
        Some(Value { value, path: module.unwrap_or(program), context: context.clone() })
    };
    let values: Vec<Value> = programs.filter_map(value).collect();
    (values.len() > 1).then_some(values)
}

/// `COPY ${ARTIFACT}.jar`: what the build tool packs beside the Dockerfile's reach, one for each runnable module.
fn packaged(repo: &Repo, folder: &RepoPath, sources: &[String]) -> Option<Vec<Value>> {
    sources.iter().find(|source| source.contains(MARK) && source.ends_with(".jar"))?;
    let above = folder.parent()?;
    let files = repo.files_in(&above).iter().filter(|file| file.name() == "pom.xml");
    let modules = files.filter_map(|pom| {
        let text = repo.text(pom).ok()?.text;
        let path = pom.parent()?;
        let sources = path.join("src/main")?;
        let runnable = text.contains("<mainClass>") || jvm::has_class_that_starts(repo, &sources);
        let own = repo.files_in(&path).iter().any(|file| super::files::docker_name(file.name()).is_some());
        if !runnable || own || text.contains("<modules>") {
            return None;
        }
        let (name, version) = language::artifact(&text)?;
        let value = version.map_or_else(|| name.clone(), |version| format!("{name}-{version}"));
        Some(Value { value, context: path.join("target")?, path })
    });
    let values: Vec<Value> = modules.collect();
    (!values.is_empty()).then_some(values)
}

/// What stands before the argument where it is one whole part of a path; the context's root is empty.
fn before_mark(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let at = parts.iter().position(|part| *part == MARK)?;
    let before = &parts[..at];
    (!before.iter().any(|part| part.contains(['*', '$']))).then(|| before.join("/"))
}

fn children<'a>(repo: &'a Repo, folder: &RepoPath) -> impl Iterator<Item = &'a RepoPath> {
    let depth = folder.depth() + 1;
    repo.folders_in(folder).iter().filter(move |child| child.depth() == depth)
}

/// A module that can be started; libraries of Go and .NET have manifests too.
fn is_program(repo: &Repo, folder: &RepoPath) -> bool {
    let has = |name: &str| folder.join(name).is_some_and(|path| repo.is_file(&path));
    has("main.go")
        || (language::is_module(repo, folder) && !has("go.mod") && !dotnet::is_library(repo, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(tree: &str, file: &str) -> Vec<String> {
        let repo = Repo::from_fixture(tree);
        let file = RepoPath::new(file).expect("inside the root");
        let dockerfile = Dockerfile::parse(&repo.text(&file).expect("is there").text).expect("parses");
        let found = of(&repo, &file, &dockerfile);
        let shown =
            |name: &str, value: &Value| format!("{name}={} {} in {}", value.value, value.path, value.context);
        found
            .map(|found| found.values.iter().map(|value| shown(&found.name, value)).collect())
            .unwrap_or_default()
    }

    #[test]
    fn argument_in_a_source_takes_the_folders_that_have_it() {
        let tree = "//- /docker/Dockerfile\nARG APP=app\nFROM x\nARG APP\nCOPY shared /s\nCOPY ${APP}/mix.exs ./\nCOPY ${APP}/lock* ./\n\
            //- /auth/mix.exs\n//- /users/mix.exs\n//- /shared/a.ex\n";
        assert_eq!(values(tree, "docker/Dockerfile"), ["APP=auth auth in .", "APP=users users in ."]);
    }

    #[test]
    fn argument_may_be_a_path_where_the_folders_beside_it_have_dockerfiles_of_their_own() {
        let tree = |more: &str| {
            format!(
                "//- /Dockerfile.service\nFROM node\nARG SERVICE_DIR\nCOPY ${{SERVICE_DIR}}/package.json ./\nCOPY ${{SERVICE_DIR}}/src src\n\
                 //- /frontend/Dockerfile\nFROM nginx\n//- /frontend/package.json\n{{}}\n//- /frontend/src/a.ts\n\
                 //- /backend/orders/package.json\n{{}}\n//- /backend/orders/src/a.ts\n\
                 //- /backend/users/package.json\n{{}}\n//- /backend/users/src/a.ts\n{more}"
            )
        };
        assert_eq!(
            values(&tree(""), "Dockerfile.service"),
            [
                "SERVICE_DIR=backend/orders backend/orders in .",
                "SERVICE_DIR=backend/users backend/users in ."
            ]
        );
        let beside = tree("//- /mail/package.json\n{}\n//- /mail/src/a.ts\n");
        assert_eq!(
            values(&beside, "Dockerfile.service"),
            ["SERVICE_DIR=frontend frontend in .", "SERVICE_DIR=mail mail in ."]
        );
    }

    #[test]
    fn libraries_that_are_copied_by_name_are_no_choice() {
        let tree = "//- /Dockerfile\nFROM x\nARG SERVICE\nCOPY events/pom.xml events/pom.xml\nCOPY events/src events/src\n\
            COPY users/pom.xml users/pom.xml\nCOPY ${SERVICE}/pom.xml ./\nCOPY ${SERVICE}/src src\n\
            //- /events/pom.xml\n//- /events/src/A.java\n//- /orders/pom.xml\n//- /orders/src/A.java\n//- /users/pom.xml\n//- /users/src/A.java\n";
        assert_eq!(values(tree, "Dockerfile"), ["SERVICE=orders orders in .", "SERVICE=users users in ."]);
    }

    #[test]
    fn modules_that_start_nothing_are_no_choice() {
        let module = |name: &str, class: &str| {
            format!(
                "//- /{name}/pom.xml\n<project/>\n//- /{name}/src/main/java/{class}.java\nclass {class} {{}}\n"
            )
        };
        let tree = format!(
            "//- /Dockerfile\nFROM x\nARG SERVICE\nCOPY ${{SERVICE}}/target/*.jar app.jar\nCOPY ${{SERVICE}}/pom.xml ./\nCOPY ${{SERVICE}}/src src\n{}{}{}",
            module("orders", "OrdersApplication"),
            module("security-starter", "SecurityConfiguration"),
            module("users", "UsersApplication"),
        );
        assert_eq!(values(&tree, "Dockerfile"), ["SERVICE=orders orders in .", "SERVICE=users users in ."]);
    }

    #[test]
    fn libraries_of_dotnet_are_no_choice() {
        let project =
            |name: &str, sdk: &str| format!("//- /code/{name}/{name}.csproj\n<Project Sdk=\"{sdk}\"/>\n");
        let tree =
            "//- /docker/app/Dockerfile\nFROM x\nARG APP\nCOPY . /code\nWORKDIR /code/$APP\nRUN dotnet publish\n"
                .to_owned()
                + &project("Shop.Orders", "Microsoft.NET.Sdk.Web")
                + &project("Shop.Mail", "Microsoft.NET.Sdk.Worker")
                + &project("Shop.Core", "Microsoft.NET.Sdk");
        assert_eq!(
            values(&tree, "docker/app/Dockerfile"),
            ["APP=Shop.Mail code/Shop.Mail in code", "APP=Shop.Orders code/Shop.Orders in code"]
        );
    }

    #[test]
    fn argument_that_repeats_the_folder_of_its_dockerfile_is_no_choice() {
        let tree = |more: &str| {
            format!(
                "//- /apps/orders/Dockerfile\nARG APP=orders\nFROM x\nARG APP\nCOPY libs libs/\nCOPY apps/${{APP}}/mix.exs ./\n\
                 //- /apps/orders/mix.exs\n//- /apps/users/mix.exs\n//- /libs/a.ex\n{more}"
            )
        };
        let with_own = tree("//- /apps/users/Dockerfile\nFROM x\n");
        assert_eq!(values(&with_own, "apps/orders/Dockerfile"), Vec::<String>::new());
        assert_eq!(values(&tree(""), "apps/orders/Dockerfile").len(), 2);
    }

    #[test]
    fn argument_in_a_folder_of_the_image_takes_the_programs_there() {
        let tree = "//- /docker/app/Dockerfile\nFROM golang\nARG SERVICE\nCOPY . /code\nWORKDIR /code/$SERVICE\nRUN go build .\n\
            //- /code/orders/main.go\n//- /code/users/main.go\n//- /code/common/go.mod\n";
        assert_eq!(
            values(tree, "docker/app/Dockerfile"),
            ["SERVICE=orders code/orders in code", "SERVICE=users code/users in code"]
        );
    }

    #[test]
    fn argument_in_the_path_of_a_program_of_go_takes_the_programs_that_stay() {
        let tree = "//- /Dockerfile\nFROM golang\nARG PROGRAM\nCOPY services ./services\nRUN cd services && go build -o /x ./${PROGRAM}\n\
            //- /web/package.json\n{}\n//- /mail/package.json\n{}\n//- /services/go.mod\n//- /services/orders/cmd/api/main.go\n//- /services/orders/cmd/migrate/main.go\n\
            //- /services/orders/cmd/worker/main.go\n//- /services/users/cmd/api/main.go\n";
        assert_eq!(
            values(tree, "Dockerfile"),
            [
                "PROGRAM=orders/cmd/api services/orders in .",
                "PROGRAM=orders/cmd/worker services/orders/cmd/worker in .",
                "PROGRAM=users/cmd/api services/users in ."
            ]
        );
    }

    #[test]
    fn argument_in_the_name_of_an_archive_takes_the_modules_that_make_one() {
        // The order is free, and dependencies have names too.
        let pom = |name: &str| {
            format!(
                "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><artifactId>{name}</artifactId><parent><artifactId>all</artifactId><version>1.0</version></parent>\
                 <dependencies><dependency><artifactId>starter</artifactId><version>7</version></dependency></dependencies></project>\n"
            )
        };
        let of_parent = "<project>\n<artifactId>visits</artifactId>\n<parent>\n<artifactId>all</artifactId>\n<version>1.0</version>\n</parent>\n\
            <dependencies><dependency>\n<artifactId>web</artifactId>\n</dependency></dependencies></project>\n";
        let tree = format!(
            "//- /docker/Dockerfile\nFROM x\nARG NAME\nCOPY ${{NAME}}.jar app.jar\n//- /vets/pom.xml\n{}//- /vets/src/main/java/VetsApplication.java\n\
             //- /visits/pom.xml\n{}//- /visits/src/main/kotlin/Main.kt\n//- /lib/pom.xml\n<project/>\n//- /lib/src/main/java/Lib.java\n",
            pom("vets"),
            of_parent
        );
        assert_eq!(
            values(&tree, "docker/Dockerfile"),
            ["NAME=vets-1.0 vets in vets/target", "NAME=visits-1.0 visits in visits/target"]
        );
    }

    #[test]
    fn archive_that_is_built_is_no_choice_among_the_modules_beside_it() {
        let tree = |argument: &str, copy: &str| {
            format!(
                "//- /orders/Dockerfile\nFROM eclipse-temurin:21\nARG {argument}\nCOPY {copy}\n//- /orders/pom.xml\n<project/>\n\
                 //- /users/pom.xml\n<project/>\n"
            )
        };
        for (argument, copy) in [
            ("JAR_FILE=target/*.jar", "${JAR_FILE} app.jar"),
            ("JAR_FILE=build/libs/orders.jar", "${JAR_FILE} /app/"),
            ("JAR_FILE", "${JAR_FILE} /app/app.jar"),
        ] {
            assert_eq!(
                values(&tree(argument, copy), "orders/Dockerfile"),
                Vec::<String>::new(),
                "{argument}"
            );
        }
        // A folder that is copied into one of another name is one all the same.
        assert_eq!(values(&tree("APP=orders", "${APP} ./app"), "orders/Dockerfile").len(), 2);
    }

    #[test]
    fn versions_are_no_choice() {
        assert_eq!(
            values("//- /a/Dockerfile\nARG TAG=1\nFROM x:$TAG\nCOPY . .\n//- /a/go.mod\n", "a/Dockerfile"),
            Vec::<String>::new()
        );
    }
}
