//! The command for an image that says none, as teams keep it in each developer's compose file: the script beside the
//! program that starts its server, or the server of its framework, where the whole program is copied. Looks at scripts and
//! at the files in which programs of Python keep what is served.

use std::collections::BTreeMap;

use super::{Found, context};
use crate::model::fact::{Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

/// Where everybody reaches Django's own server.
const DJANGO: &[&str] = &["manage.py", "runserver", "0.0.0.0:8000"];

/// What the scripts are called that start a server in a container; the first that is there counts.
const SCRIPTS: &[&str] =
    &["docker-entrypoint", "entrypoint-docker", "start-docker", "run-docker", "entrypoint", "start", "run"];

/// Words by which they start one.
const SERVERS: &[&[&str]] = &[
    &["gunicorn"],
    &["uvicorn"],
    &["hypercorn"],
    &["daphne"],
    &["uwsgi"],
    &["waitress-serve"],
    &["flask", "run"],
    &["manage.py", "runserver"],
    &["npm", "start"],
    &["npm", "run", "start"],
    &["yarn", "start"],
];

/// Longer ones are programs of their own.
const MAX_LINES: usize = 500;

/// Where a program of Python keeps the object that a server serves, by file.
const APPLICATIONS: &[&str] = &[
    "main.py",
    "app.py",
    "server.py",
    "api.py",
    "asgi.py",
    "wsgi.py",
    "run.py",
    "application.py",
    "app/main.py",
];

/// Classes of frameworks, what serves them, and how it is started there.
const FRAMEWORKS: &[(&str, &str, &str)] = &[
    ("FastAPI(", "uvicorn", "uvicorn {factory}{object} --host 0.0.0.0 --port $PORT"),
    ("Starlette(", "uvicorn", "uvicorn {factory}{object} --host 0.0.0.0 --port $PORT"),
    ("Flask(", "flask", "env FLASK_APP={object} flask run --host 0.0.0.0 --port $PORT"),
];

/// Functions that make such an object.
const MAKERS: &[&str] = &["create_app", "create_application", "get_app", "get_application", "make_app"];

/// Gives images that start nothing but an interpreter or a shell the command that the repository has for them, and says so.
pub(in crate::discover) fn settle(repo: &Repo, found: &mut Found) {
    let mut images: BTreeMap<RepoPath, usize> = BTreeMap::new();
    for service in &found.services {
        *images.entry(service.path.clone()).or_default() += 1;
    }
    for service in &mut found.services {
        let starts_nothing = service.start().next().is_none() && service.origins.is_empty();
        let Some(runtime) = Runtime::of(&service.image).filter(|_| starts_nothing) else { continue };
        // Of several images of one program, the others work off a queue, or do what has to be done once.
        let is_main = images.get(&service.path) == Some(&1) || is_plain(&service.dockerfile);
        let home = home(repo, service).filter(|_| is_main);
        let started = home.and_then(|home| command(repo, &home, runtime));
        let message = match &started {
            Some((_, what)) => {
                format!("the image of `{}` starts nothing; {what} is started in it", service.name)
            }
            None => format!("the image of `{}` starts nothing", service.name),
        };
        let severity = if started.is_some() { Severity::Note } else { Severity::Warning };
        let at = format!("{}:{}", service.dockerfile, service.image.base_line.max(1));
        let problem = Problem::new("image-starts-nothing", severity, message)
            .service(&service.name)
            .at(at)
            .fix(format!("start the program with CMD in {}", service.dockerfile));
        found.problems.push(problem);
        if let Some((command, _)) = started {
            service.command = Some(command);
        }
    }
}

fn is_plain(dockerfile: &RepoPath) -> bool {
    matches!(dockerfile.name(), "Dockerfile" | "Containerfile")
}

/// What an image without a command starts: an interpreter, or the shell of a system in which one is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runtime {
    Node,
    /// The program's name.
    Python(&'static str),
}

impl Runtime {
    fn of(image: &Image) -> Option<Runtime> {
        let installs = |name: &str| image.installs.iter().any(|package| package.starts_with(name));
        match image.base.split(['@', ':']).next()? {
            "node" => Some(Runtime::Node),
            "python" => Some(Runtime::Python("python")),
            "debian" | "ubuntu" if installs("python3") => Some(Runtime::Python("python3")),
            _ => None,
        }
    }
}

/// What is to be started, and its name for people.
fn command(repo: &Repo, home: &RepoPath, runtime: Runtime) -> Option<(Vec<String>, String)> {
    script(repo, home).or_else(|| match runtime {
        Runtime::Python(program) if is_django(repo, home) => {
            let words = std::iter::once(program).chain(DJANGO.iter().copied()).map(str::to_owned);
            Some((words.collect(), "Django's own server".to_owned()))
        }
        Runtime::Python(_) => application(repo, home),
        Runtime::Node => None,
    })
}

/// The script in that very folder that starts a server, and the words that start the script.
fn script(repo: &Repo, home: &RepoPath) -> Option<(Vec<String>, String)> {
    let depth = home.depth() + 1;
    let own = repo.files_in(home).iter().filter(|file| file.depth() == depth && file.extension() == "sh");
    let rank = |file: &RepoPath| {
        let stem = file.name().trim_end_matches(".sh").to_ascii_lowercase().replace('_', "-");
        SCRIPTS.iter().position(|known| stem == *known)
    };
    let mut scripts: Vec<(usize, &RepoPath)> = own.filter_map(|file| Some((rank(file)?, file))).collect();
    scripts.sort();
    scripts.into_iter().find_map(|(_, file)| {
        let text = repo.text(file).ok().filter(|file| serves(&file.text))?.text;
        let shell = if text.lines().next().is_some_and(|line| line.contains("bash")) { "bash" } else { "sh" };
        let words = vec![shell.to_owned(), format!("./{}", file.name())];
        Some((words, format!("`{}` beside it", file.name())))
    })
}

fn serves(script: &str) -> bool {
    let lines = script.lines().take(MAX_LINES).map(str::trim).filter(|line| !line.starts_with('#'));
    lines.into_iter().any(|line| {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
        SERVERS.iter().any(|server| words.windows(server.len()).any(|some| some == *server))
    })
}

fn is_django(repo: &Repo, home: &RepoPath) -> bool {
    home.join("manage.py").is_some_and(|file| {
        // Flask's scripts are called so too.
        repo.text(&file).is_ok_and(|text| text.text.contains("django") || text.text.contains("DJANGO"))
    })
}

/// The server of the framework whose object a file of the program makes. Where it listens is for the setup to choose: the
/// command takes it from a variable.
fn application(repo: &Repo, home: &RepoPath) -> Option<(Vec<String>, String)> {
    let manifests = ["requirements.txt", "pyproject.toml", "Pipfile"];
    let text = |name: &str| Some(repo.text(&home.join(name)?).ok()?.text);
    let needs: String = manifests.into_iter().filter_map(text).collect::<String>().to_ascii_lowercase();
    APPLICATIONS.iter().find_map(|name| {
        let source = text(name)?;
        let (class, server, start) = FRAMEWORKS.iter().find(|(class, ..)| source.contains(class))?;
        let is_there = needs.contains(server) || *server == "uvicorn" && needs.contains("fastapi[");
        let (object, is_made) = object(&source, class).filter(|_| is_there)?;
        let module = name.trim_end_matches(".py").replace('/', ".");
        let factory = if is_made { "--factory " } else { "" };
        let start = start.replace("{factory}", factory).replace("{object}", &format!("{module}:{object}"));
        let words = ["sh".to_owned(), "-c".to_owned(), format!("exec {start}")];
        Some((words.into(), format!("`{name}` by {server}")))
    })
}

/// The object of that class in a source, or the function that makes one, which says so.
fn object<'s>(source: &'s str, class: &str) -> Option<(&'s str, bool)> {
    let assigned = source.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next().unwrap_or_default().trim_end();
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
        (is_name && value.trim_start().starts_with(class)).then_some(name)
    });
    let made = || {
        source.lines().find_map(|line| {
            let name = line.strip_prefix("def ")?.split('(').next()?;
            MAKERS.contains(&name).then_some(name)
        })
    };
    assigned.map(|name| (name, false)).or_else(|| made().map(|name| (name, true)))
}

/// The folder that is copied to where the image starts.
fn home(repo: &Repo, service: &ServiceFacts) -> Option<RepoPath> {
    let image = &service.image;
    let plain = |folder: &str| folder.trim_end_matches(['/', '.']).to_owned();
    let start = plain(image.workdir.as_deref().unwrap_or("/"));
    let context = &service.build.context;
    image.placed.iter().filter(|one| plain(&one.to) == start).find_map(|one| {
        if context::is_everything(&one.source) {
            return Some(context.clone());
        }
        context.join(&one.source).filter(|folder| repo.is_folder(folder))
    })
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::{PortSource, What};
    use crate::repo::Repo;

    /// What is started in the image of a Django project, the ports that this says, and the codes of problems.
    fn started(dockerfile: &str) -> (Option<String>, Vec<u16>, Vec<&'static str>) {
        let tree = format!(
            "//- /shop/Dockerfile\n{dockerfile}//- /shop/manage.py\nfrom django.core.management import execute_from_command_line\n//- /shop/requirements.txt\ndjango\n"
        );
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(&tree), &catalog, &Scope::default()).expect("is read");
        let shop = &facts.services[0];
        let ports = shop.facts.iter().filter_map(|fact| match fact.what {
            What::Port { port, source: PortSource::Command, .. } => Some(port),
            _ => None,
        });
        let command = shop.command.as_ref().map(|words| words.join(" "));
        (command, ports.collect(), facts.problems.iter().map(|problem| problem.code).collect())
    }

    #[test]
    fn program_of_django_is_started_by_an_image_that_says_no_command() {
        let (command, ports, problems) =
            started("FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nCOPY . .\n");
        assert_eq!(command.as_deref(), Some("python manage.py runserver 0.0.0.0:8000"));
        assert_eq!(
            (ports.as_slice(), problems.as_slice()),
            ([8000].as_slice(), ["migrations-not-run", "image-starts-nothing"].as_slice())
        );
    }

    #[test]
    fn script_of_another_framework_is_no_server_of_django() {
        let tree = "//- /shop/Dockerfile\nFROM python:3.12\nWORKDIR /app\nCOPY . .\n//- /shop/requirements.txt\nflask\n\
                    //- /shop/manage.py\nfrom flask.cli import FlaskGroup\n";
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(tree), &catalog, &Scope::default()).expect("is read");
        assert_eq!(facts.services[0].command, None);
    }

    #[test]
    fn image_with_a_command_or_without_the_program_is_left_alone() {
        for dockerfile in [
            "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD [\"gunicorn\", \"shop.wsgi\"]\n",
            "FROM python:3.12\nWORKDIR /app\nCOPY . .\nENTRYPOINT [\"./run.sh\"]\n",
            "FROM python:3.12\nWORKDIR /app\nCOPY . /srv\n",
            "FROM someone/django:3\nWORKDIR /app\nCOPY . .\n",
        ] {
            assert_eq!(started(dockerfile).0, None, "{dockerfile}");
        }
    }

    #[test]
    fn script_beside_the_program_that_starts_its_server_is_started() {
        let started = |base: &str, files: &str| {
            let tree = format!(
                "//- /shop/Dockerfile\n{base}\nWORKDIR /app\nCOPY . .\n//- /shop/requirements.txt\nflask\n{files}"
            );
            let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
            let shop = &facts.services[0];
            let port = |fact: &crate::model::fact::Fact| match fact.what {
                What::Port { port, source: PortSource::Command, .. } => Some(port),
                _ => None,
            };
            (shop.command.as_ref().map(|words| words.join(" ")), shop.facts.iter().find_map(port))
        };
        let python = "FROM python:3.12";
        let system = "FROM ubuntu:24.04\nRUN apt-get install -y python3-pip";
        let script = "//- /shop/entrypoint.sh\n#!/bin/bash\npython3 manage.py migrate\npython3 manage.py runserver 0.0.0.0:8080\n";
        let ours = (Some("bash ./entrypoint.sh".to_owned()), Some(8080));
        assert_eq!(started(python, script), ours);
        assert_eq!(started(system, script), ours);
        let two = "//- /shop/start.sh\nflask run -p 5001\n//- /shop/start-Docker.sh\ngunicorn -b 0.0.0.0:5000 app:app\n";
        assert_eq!(started(python, two), (Some("sh ./start-Docker.sh".to_owned()), Some(5000)));
        for (base, files) in [
            // It hands on to a command, and there is none.
            (python, "//- /shop/entrypoint.sh\nnc -z db 5432\nexec \"$@\"\n"),
            (python, "//- /shop/start.sh\n# gunicorn app:app\ndocker compose up\n"),
            (python, "//- /shop/deploy.sh\ngunicorn app:app\n"),
            ("FROM ubuntu:24.04", script),
        ] {
            assert_eq!(started(base, files), (None, None), "{base} {files}");
        }
    }

    #[test]
    fn object_of_a_framework_is_served_where_the_setup_says() {
        let command = |manifest: &str, file: &str| {
            let tree = format!(
                "//- /shop/Dockerfile\nFROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\n//- /shop/requirements.txt\n{manifest}\n//- /shop/{file}"
            );
            let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
            facts.services[0].command.as_ref().map(|words| words.join(" "))
        };
        let uvicorn = |what: &str| Some(format!("sh -c exec uvicorn {what} --host 0.0.0.0 --port $PORT"));
        let api = "from fastapi import FastAPI\napi: FastAPI = FastAPI(title=\"x\")\n";
        assert_eq!(command("uvicorn", &format!("main.py\n{api}")), uvicorn("main:api"));
        assert_eq!(command("fastapi[standard]", &format!("app/main.py\n{api}")), uvicorn("app.main:api"));
        let made = "main.py\ndef create_app(settings=None):\n    app = FastAPI()\n    return app\n";
        assert_eq!(command("uvicorn", made), uvicorn("--factory main:create_app"));
        let flask = "app.py\nfrom flask import Flask\napp = Flask(__name__)\n";
        let wanted = "sh -c exec env FLASK_APP=app:app flask run --host 0.0.0.0 --port $PORT";
        assert_eq!(command("Flask==3", flask).as_deref(), Some(wanted));
        // Nothing that serves it is installed, and nothing is made.
        assert_eq!(command("fastapi", &format!("main.py\n{api}")), None);
        assert_eq!(command("uvicorn", "main.py\nfrom fastapi import FastAPI\nrun(FastAPI())\n"), None);
    }

    #[test]
    fn of_several_images_of_one_folder_the_plain_one_serves() {
        let dockerfile = "FROM python:3.12\nWORKDIR /app\nCOPY . .\n";
        let tree = format!(
            "//- /shop/Dockerfile\n{dockerfile}//- /shop/Dockerfile.worker\n{dockerfile}//- /shop/requirements.txt\nflask\n\
             //- /shop/app.py\nfrom flask import Flask\napp = Flask(__name__)\n"
        );
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let started: Vec<(&str, bool)> =
            facts.services.iter().map(|one| (one.dockerfile.name(), one.command.is_some())).collect();
        assert_eq!(started.len(), 2);
        assert!(
            started.contains(&("Dockerfile", true)) && started.contains(&("Dockerfile.worker", false)),
            "{started:?}"
        );
    }
}
