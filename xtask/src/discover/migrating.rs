//! Which migration tool a command calls, by the words of the call, and whether a service's image has it; runs nothing.

use std::collections::BTreeSet;

use crate::model::fact::{Evidence, Image, ServiceFacts, What};
use crate::model::problem::{Problem, Severity};

/// Words of a call, and the tool.
const CALLS: &[(&str, &str)] = &[
    ("alembic upgrade", "alembic"),
    ("artisan migrate", "laravel"),
    ("diesel migration run", "diesel"),
    ("doctrine:migrations:migrate", "doctrine"),
    ("dotnet ef database update", "ef-core"),
    ("drizzle-kit migrate", "drizzle"),
    ("drizzle-kit push", "drizzle"),
    ("ecto.migrate", "ecto"),
    ("Release.migrate", "ecto"),
    ("flask db upgrade", "alembic"),
    ("flyway migrate", "flyway"),
    ("goose up", "goose"),
    ("knex migrate:latest", "knex"),
    ("liquibase update", "liquibase"),
    ("manage.py migrate", "django"),
    ("migrate -path", "golang-migrate"),
    ("migrate-mongo up", "migrate-mongo"),
    ("prisma db push", "prisma"),
    ("prisma migrate deploy", "prisma"),
    ("rails db:migrate", "rails"),
    ("rails db:prepare", "rails"),
    ("rake db:migrate", "rails"),
    ("sea-orm-cli migrate up", "sea-orm"),
    ("sequelize db:migrate", "sequelize"),
    ("sequelize-cli db:migrate", "sequelize"),
    ("sqlx migrate run", "sqlx"),
    ("typeorm migration:run", "typeorm"),
];

/// The tool, and where in the text its call stands.
pub(super) fn called(text: &str) -> Option<(&'static str, usize)> {
    let calls = CALLS.iter().filter_map(|(call, tool)| Some((*tool, text.find(call)?)));
    calls.min_by_key(|(_, at)| *at)
}

/// Programs that a runtime brings, with the words by which the base images of that runtime are known.
const RUNTIMES: &[(&[&str], &[&str])] = &[
    (&["npx", "npm", "yarn", "pnpm"], &["node", "bun"]),
    (&["python", "alembic", "flask", "aerich", "yoyo"], &["python", "uv"]),
    (&["php"], &["php", "frankenphp"]),
    (&["bin/rails"], &["ruby", "rails"]),
    (&["mix"], &["elixir"]),
];

/// Base images of which it is known that they bring no tools beside their runtime; others may bring anything.
const KNOWN: &[&str] = &[
    "alpine",
    "aspnet",
    "busybox",
    "bun",
    "debian",
    "distroless",
    "elixir",
    "golang",
    "jdk",
    "jre",
    "nginx",
    "node",
    "openjdk",
    "php",
    "python",
    "ruby",
    "runtime",
    "rust",
    "scratch",
    "sdk",
    "static",
    "temurin",
    "ubuntu",
];

/// Keeps each tool's command once, and says what nothing can run: where a service neither calls its tool nor holds it,
/// somebody has to.
pub(super) fn settle(services: &mut [ServiceFacts]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for service in services {
        let mut seen = BTreeSet::new();
        let mut missing: Option<(String, String, Evidence)> = None;
        let (image, name) = (&service.image, &service.name);
        let migrates_itself = service
            .facts
            .iter()
            .any(|fact| matches!(&fact.what, What::Migration { command, .. } if command.is_empty()));
        service.facts.retain(|fact| {
            let What::Migration { tool, command } = &fact.what else { return true };
            let lacks = command.first().is_some_and(|_| lacks(image, command));
            if lacks {
                missing.get_or_insert_with(|| (tool.clone(), command.join(" "), fact.at.clone()));
            }
            !lacks && (command.is_empty() || seen.insert((tool.clone(), command.clone())))
        });
        if let (Some((tool, command, at)), false) = (missing, migrates_itself) {
            let message = format!("`{name}` keeps migrations for {tool}, and nothing in its image runs them");
            problems.push(
                Problem::new("migrations-not-run", Severity::Note, message).service(name).at(&at).fix(
                    format!(
                        "run them when the program starts, or install what `{command}` needs in the image"
                    ),
                ),
            );
        }
    }
    problems
}

/// Whether an image certainly cannot run a command.
fn lacks(image: &Image, command: &[String]) -> bool {
    let program = command[0].as_str();
    let base = image.base.to_ascii_lowercase();
    let words: Vec<&str> = base
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
        .collect();
    let runtime = RUNTIMES.iter().find(|(programs, _)| programs.contains(&program)).map(|(_, words)| *words);
    if runtime.is_some_and(|runtime| runtime.iter().any(|word| words.contains(word))) {
        return false;
    }
    let wanted: Vec<&str> = match (runtime, program) {
        (Some(runtime), _) => runtime.to_vec(),
        (None, "dotnet") => vec!["dotnet-ef"],
        (None, program) => vec![program],
    };
    let installed = |word: &&str| {
        image.installs.iter().any(|package| package.starts_with(*word))
            || image.runs.iter().any(|run| run.contains(*word))
            || image.copies.iter().any(|(source, _)| source.ends_with(*word))
    };
    KNOWN.iter().any(|known| words.contains(known)) && !wanted.iter().any(installed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    #[test]
    fn tools_that_the_image_lacks_are_said_and_not_run() {
        let told = |dockerfile: &str, more: &str| {
            let tree = format!(
                "//- /api/Dockerfile\n{dockerfile}\n//- /api/db/migrations/1.sql\n-- +goose Up\n//- /api/db/migrations/2.sql\n-- +goose Up\n{more}"
            );
            let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default())
                .expect("is read");
            let runs = facts.services[0]
                .facts
                .iter()
                .filter(|fact| matches!(fact.what, What::Migration { .. }))
                .count();
            (runs, facts.problems.iter().filter(|problem| problem.code == "migrations-not-run").count())
        };
        assert_eq!(told("FROM alpine:3\nCMD [\"/api\"]", ""), (0, 1));
        assert_eq!(told("FROM alpine:3\nRUN wget -O /bin/goose x\nCMD [\"/api\"]", ""), (1, 0));
        assert_eq!(told("FROM example.org/tools\nCMD [\"/api\"]", ""), (1, 0));
        let itself = "//- /api/main.go\npackage main\nfunc main() { goose.Up(db, \"x\") }\n";
        assert_eq!(told("FROM alpine:3\nCMD [\"/api\"]", itself), (1, 0));
    }

    #[test]
    fn calls_are_told_by_their_words() {
        assert_eq!(called("cd api && alembic upgrade head").map(|(tool, _)| tool), Some("alembic"));
        assert_eq!(called("bundle exec rails db:migrate RAILS_ENV=x").map(|(tool, _)| tool), Some("rails"));
        assert_eq!(called("npm start"), None);
    }
}
