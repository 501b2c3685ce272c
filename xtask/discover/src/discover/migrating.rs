//! Which migration tool a command calls, by the words of the call, and whether a service's image has it; runs nothing.

mod configured;
mod dialect;
mod node;
pub(super) mod npm;
mod others;
mod python;
mod site;

use std::collections::BTreeSet;

use crate::model::fact::{Evidence, Fact, Image, MigrationRun, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::repo::Repo;

use site::Site;

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

/// How migrations can be run, where every part of that is seen.
struct Found {
    command: Vec<String>,
    /// In the service's image.
    folder: String,
    /// The folder with the migrations, where the tool's own image runs them.
    files: Option<RepoPath>,
    /// The dialect of SQL that they are written in, as [`MigrationRun::dialect`].
    dialect: Option<&'static str>,
    because: String,
}

/// Keeps each tool's command once, finds for each service how somebody else can run its migrations, and says where
/// nobody seen can: where a service neither calls its tool nor holds it, somebody has to.
pub(super) fn settle(repo: &Repo, services: &mut [ServiceFacts]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for service in services {
        let has_any = service.facts.iter().any(|fact| matches!(fact.what, What::Migration { .. }));
        if !has_any {
            continue;
        }
        if let Some(fact) = by_start_script(repo, service) {
            service.facts.push(fact);
            super::assign::tidy(&mut service.facts);
        }
        let commands = commands(service);
        let lacking = commands.iter().filter(|(_, command, _)| lacks(&service.image, command));
        let lacking: Vec<Vec<String>> = lacking.map(|(_, command, _)| command.clone()).collect();
        let migrates_itself = service
            .facts
            .iter()
            .any(|fact| matches!(&fact.what, What::Migration { command, .. } if command.is_empty()));
        if !migrates_itself {
            match run_of(repo, service, &commands) {
                Ok(run) => service.migration = Some(run),
                Err(Some(missing)) => problems.push(not_run(service, &missing)),
                Err(None) => {}
            }
        }
        let is_found = service.migration.is_some();
        let mut seen = BTreeSet::new();
        service.facts.retain(|fact| {
            let What::Migration { tool, command } = &fact.what else { return true };
            (is_found || !lacking.contains(command))
                && (command.is_empty() || seen.insert((tool.clone(), command.clone())))
        });
    }
    problems
}

/// Tool, command and place of each command that was found, once each.
fn commands(service: &ServiceFacts) -> Vec<(String, Vec<String>, Evidence)> {
    let mut found: Vec<(String, Vec<String>, Evidence)> = Vec::new();
    for fact in &service.facts {
        if let What::Migration { tool, command } = &fact.what
            && !command.is_empty()
            && !found.iter().any(|(_, known, _)| known == command)
        {
            found.push((tool.clone(), command.clone(), fact.at.clone()));
        }
    }
    found
}

/// What a start command such as `npm run start:prod` does before it starts: its scripts may call the tool.
fn by_start_script(repo: &Repo, service: &ServiceFacts) -> Option<Fact> {
    let site = Site::of(repo, service)?;
    let start = site.start();
    let path = service.path.join("package.json").filter(|path| repo.is_file(path))?;
    let manifest = serde_json::from_str(&site.text(&path)).ok()?;
    let names: BTreeSet<&str> = npm::called_scripts(&start).collect();
    let (tool, _) = names.into_iter().find_map(|name| called(&npm::scripts(&manifest, name, 4)))?;
    let at = Evidence { path, line: 1, rule: "node-start-migrates" };
    let what = What::Migration { tool: tool.to_owned(), command: Vec::new() };
    Some(Fact { what, at, subject: Subject::Here })
}

/// Migrations that nobody seen runs.
struct Missing {
    tool: String,
    command: Vec<String>,
    at: Evidence,
    why: String,
}

/// The first way that works; nothing where it is not even known what is missing.
fn run_of(
    repo: &Repo,
    service: &ServiceFacts,
    commands: &[(String, Vec<String>, Evidence)],
) -> Result<MigrationRun, Option<Missing>> {
    let Some(site) = Site::of(repo, service) else { return Err(None) };
    let mut missing = None;
    for (tool, command, at) in commands {
        let several = commands.iter().filter(|(other, ..)| other == tool).count() > 1;
        match way(&site, tool, command, &at.path, several) {
            Ok(Found { command, folder, files, dialect, because }) => {
                let folder = Some(folder).filter(|folder| files.is_none() && folder != site.workdir());
                let (tool, at) = (tool.clone(), at.clone());
                return Ok(MigrationRun { tool, command, folder, files, dialect, at, because });
            }
            Err(why) => {
                let (tool, command, at) = (tool.clone(), command.clone(), at.clone());
                missing.get_or_insert(Missing { tool, command, at, why });
            }
        }
    }
    Err(missing)
}

fn way(
    site: &Site<'_>,
    tool: &str,
    command: &[String],
    at: &RepoPath,
    several: bool,
) -> Result<Found, String> {
    let folder = at.parent().unwrap_or_default();
    let program = command.first().map(String::as_str).unwrap_or_default();
    match (tool, program) {
        (_, "npm" | "npx") => node::run(site, command, at),
        ("alembic", "alembic") if at.name() == "alembic.ini" => python::alembic(site, at),
        ("django", "python") if at.name() == "manage.py" => python::django(site, at),
        ("laravel" | "doctrine" | "rails" | "ecto", _) => others::bundled(site, tool, command, at),
        ("goose" | "golang-migrate", _) if several => {
            Err("it keeps migrations in several folders".to_owned())
        }
        ("goose" | "golang-migrate", _) => others::program(site, tool, &folder),
        ("diesel", _) => match folder.join("migrations").filter(|folder| site.repo.is_folder(folder)) {
            Some(folder) => others::program(site, tool, &folder),
            None => Err("its folder `migrations` is not seen".to_owned()),
        },
        ("flyway", _) => others::flyway(site, at),
        ("liquibase", _) => others::liquibase(site, at),
        ("ef-core", _) => Err("`dotnet ef` is a part of the SDK, which its image has not".to_owned()),
        _ => Err(format!("what {tool} needs in its image is not known")),
    }
}

fn not_run(service: &ServiceFacts, missing: &Missing) -> Problem {
    let (name, Missing { tool, command, at, why }) = (&service.name, missing);
    let message = format!("`{name}` keeps migrations for {tool}, and nothing seen runs them: {why}");
    let fix = format!(
        "run them when the program starts, or set services.{name}.migrate in config.yaml to {{ command: [{}] }}, or to none",
        command.join(", ")
    );
    Problem::new("migrations-not-run", Severity::Note, message).service(name).at(at).fix(fix)
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
mod tests;
