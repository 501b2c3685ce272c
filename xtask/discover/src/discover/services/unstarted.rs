//! The command of a framework for an image that says none, as teams keep it in the compose file of each developer: the
//! server of Django, where the whole program is copied.

use super::{Found, context};
use crate::model::fact::{Image, ServiceFacts};
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

/// Django's own server, where everybody reaches it.
const DJANGO: &[&str] = &["python", "manage.py", "runserver", "0.0.0.0:8000"];

/// Gives images that start nothing but an interpreter the command of the framework, and says so.
pub(in crate::discover) fn settle(repo: &Repo, found: &mut Found) {
    for service in &mut found.services {
        if !is_django(repo, service) {
            continue;
        }
        service.command = Some(DJANGO.iter().map(|word| (*word).to_owned()).collect());
        let message =
            format!("the image of `{}` starts nothing; Django's own server is started in it", service.name);
        let at = format!("{}:{}", service.dockerfile, service.image.base_line.max(1));
        let problem = Problem::new("image-starts-nothing", Severity::Note, message)
            .service(&service.name)
            .at(at)
            .fix(format!("start the program with CMD in {}", service.dockerfile));
        found.problems.push(problem);
    }
}

fn is_django(repo: &Repo, service: &ServiceFacts) -> bool {
    let starts_nothing = service.start().next().is_none() && service.origins.is_empty();
    starts_nothing
        && is_interpreter(&service.image)
        && is_whole(&service.image)
        && service.build.context.join("manage.py").is_some_and(|file| {
            // Flask's scripts are called so too.
            repo.text(&file).is_ok_and(|text| text.text.contains("django") || text.text.contains("DJANGO"))
        })
}

/// Whether an image stands on the official one of Python, which starts the interpreter.
fn is_interpreter(image: &Image) -> bool {
    image.base.split(['@', ':']).next() == Some("python")
}

/// Whether the context is copied to where the image starts.
fn is_whole(image: &Image) -> bool {
    let plain = |folder: &str| folder.trim_end_matches('/').to_owned();
    let start = image.workdir.as_deref().map(plain);
    let mut placed = image.placed.iter();
    placed.any(|one| context::is_everything(&one.source) && start.as_deref() == Some(&*plain(&one.to)))
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
}
