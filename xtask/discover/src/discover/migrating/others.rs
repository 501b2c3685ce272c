//! Whether the migration tools of PHP, Ruby, Elixir, and those that are programs of their own, work in a service's
//! image, or in an image of their own.

use super::site::{Site, below, parent};
use super::{Found, configured, dialect};
use crate::model::path::RepoPath;

/// A tool that comes with the program: what brings its libraries, and which files have to be there.
struct Bundled {
    bases: &'static [&'static str],
    installs: &'static [&'static str],
    migrations: &'static [&'static str],
}

const PHP: &[&str] = &["php", "frankenphp", "swoole", "laravel"];

const LARAVEL: Bundled = Bundled {
    bases: PHP,
    installs: &["composer install", "composer update"],
    migrations: &["database/migrations"],
};
const DOCTRINE: Bundled = Bundled {
    bases: PHP,
    installs: &["composer install", "composer update"],
    migrations: &["migrations", "src/Migrations"],
};
const RAILS: Bundled =
    Bundled { bases: &["ruby", "rails"], installs: &["bundle install"], migrations: &["db/migrate"] };
const ECTO: Bundled = Bundled {
    bases: &["elixir"],
    installs: &["mix deps.get", "mix do deps.get", "mix setup"],
    migrations: &["priv/repo/migrations"],
};

/// `php artisan migrate`, `bin/rails db:migrate`, `mix ecto.migrate`: `at` lies in the program's folder, or below it.
pub(super) fn bundled(
    site: &Site<'_>,
    tool: &str,
    command: &[String],
    at: &RepoPath,
) -> Result<Found, String> {
    let (known, program) = match tool {
        "laravel" => (LARAVEL, "artisan"),
        "doctrine" => (DOCTRINE, "bin/console"),
        "rails" => (RAILS, "bin/rails"),
        _ => (ECTO, "mix.exs"),
    };
    if !site.is_built_on(known.bases) {
        return Err(format!(
            "its image is built on {}, which may have no {}",
            site.image().base,
            known.bases[0]
        ));
    }
    let homes = at.ancestors().skip(1);
    let is_home = |folder: &RepoPath| folder.join(program).is_some_and(|path| site.repo.is_file(&path));
    let home =
        homes.into_iter().find(is_home).ok_or_else(|| format!("{program} is not above its migrations"))?;
    let path = home.join(program).unwrap_or_default();
    let place = site.place(&path).ok_or_else(|| format!("{path} is not seen in its image"))?;
    let migrations = known.migrations.iter().filter_map(|folder| home.join(folder));
    let Some(migrations) =
        migrations.into_iter().find(|folder| site.repo.is_folder(folder) && site.holds(folder))
    else {
        return Err(format!("its migrations, {}, are not seen in its image", known.migrations[0]));
    };
    let installs = |run: &String| known.installs.iter().any(|install| run.contains(install));
    if !site.sources().iter().any(|source| source.image.runs.iter().any(installs)) {
        return Err(format!("`{}` is not seen in its build", known.installs[0]));
    }
    let up = if program.contains('/') { parent(&parent(&place)) } else { parent(&place) };
    let because = format!("{path} and {migrations} lie in {up}");
    Ok(Found { command: command.to_vec(), folder: up, files: None, dialect: None, because })
}

/// goose, golang-migrate, sqlx, Diesel and SeaORM: programs of their own, over a folder of files. `folder` is the one
/// with the migrations.
pub(super) fn program(site: &Site<'_>, tool: &str, folder: &RepoPath) -> Result<Found, String> {
    let (program, words): (&str, &[&str]) = match tool {
        "goose" => ("goose", &["-dir", "{files}", "up"]),
        "golang-migrate" => ("migrate", &["-path", "{files}", "-database", "{url}", "-verbose", "up"]),
        "sqlx" => ("sqlx", &["migrate", "run", "--source", "{files}"]),
        _ => ("diesel", &["migration", "run", "--migration-dir", "{files}"]),
    };
    let place = site.place(folder);
    if let (Some(place), true) = (place, has_program(site, program)) {
        let command = std::iter::once(program).chain(words.iter().copied());
        let command = command.map(|word| word.replace("{files}", &place)).collect();
        let because = format!("`{program}` is installed in its image, and {folder} lies in {place}");
        let (inside, dialect) = (site.workdir().to_owned(), dialect::of(site, folder));
        return Ok(Found { command, folder: inside, files: None, dialect, because });
    }
    if tool == "golang-migrate" {
        let command = ["-path", "/migrations", "-database", "{url}", "-verbose", "up"];
        let because = format!("{folder} holds plain files, which the tool's own image runs");
        return Ok(Found { dialect: dialect::of(site, folder), ..of_own_image(&command, folder, because) });
    }
    Err(format!("`{program}` is not seen in its image"))
}

/// Flyway over the folders with versioned files, in its own image, told what its file tells it.
pub(super) fn flyway(site: &Site<'_>, conf: &RepoPath) -> Result<Found, String> {
    let home = conf.parent().unwrap_or_default();
    let settings = configured::flyway_settings(conf.name(), &site.text(conf));
    let options = configured::flyway_options(&settings).map_err(|key| not_taken_over(conf, &key))?;
    let folders = match configured::setting(&settings, "locations") {
        Some(locations) => {
            let found = locations.split(',').map(|location| location_of(site, &home, location.trim()));
            found.collect::<Option<Vec<RepoPath>>>().ok_or_else(|| not_taken_over(conf, "locations"))?
        }
        None => {
            let mut folders: Vec<RepoPath> = versioned(site, &home).filter_map(RepoPath::parent).collect();
            folders.dedup();
            folders
        }
    };
    let (folder, locations) = match folders.as_slice() {
        [folder] => (folder.clone(), vec!["filesystem:/migrations".to_owned()]),
        [] => return Err("no file as V1__name.sql is seen".to_owned()),
        // The order of several is that of their versions, so all of them are one run, where it is said that they are.
        several if configured::setting(&settings, "locations").is_some() => {
            let places = several.iter().map(|folder| folder.relative_to(&home));
            let places =
                places.collect::<Option<Vec<String>>>().ok_or_else(|| not_taken_over(conf, "locations"))?;
            (home, places.iter().map(|place| format!("filesystem:/migrations/{place}")).collect())
        }
        _ => return Err("it keeps migrations in several folders".to_owned()),
    };
    let locations = format!("-locations={}", locations.join(","));
    let because = format!("{folder} holds plain files, which the tool's own image runs");
    let fixed = [locations.as_str(), "-connectRetries=10"];
    let words = fixed.into_iter().chain(options.iter().map(String::as_str)).chain(["migrate"]);
    let dialect = configured::dialect(&settings).or_else(|| dialect::of(site, &folder));
    Ok(Found { dialect, ..of_own_image(&words.collect::<Vec<_>>(), &folder, because) })
}

/// The files below a folder that Flyway takes for migrations by their names.
fn versioned<'s>(site: &'s Site<'_>, folder: &RepoPath) -> impl Iterator<Item = &'s RepoPath> {
    let is_versioned = |path: &&RepoPath| {
        let version = path.name().strip_prefix('V').and_then(|rest| rest.split_once("__"));
        path.extension() == "sql"
            && version.is_some_and(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()))
    };
    site.repo.files_in(folder).iter().filter(is_versioned)
}

/// The folder that a location of Flyway means: `filesystem:sql` from one of the folders above the file, the end of a
/// path in some container, or a resource of a program in Java.
fn location_of(site: &Site<'_>, home: &RepoPath, location: &str) -> Option<RepoPath> {
    let (kind, path) = location.split_once(':').unwrap_or(("filesystem", location));
    let path = path.trim_end_matches('/');
    let holds = |folder: &RepoPath| versioned(site, folder).next().is_some();
    let below = |path: &str| {
        let ends = |folder: &&RepoPath| format!("/{folder}").ends_with(&format!("/{path}"));
        let mut found = site.repo.folders_in(home).iter().filter(ends).filter(|folder| holds(folder));
        found.next().filter(|_| found.next().is_none()).cloned()
    };
    match kind {
        "filesystem" if !path.starts_with('/') => {
            let found = home.ancestors().filter_map(|above| above.join(path));
            found.into_iter().find(holds)
        }
        "filesystem" => below(path.rsplit('/').next()?),
        "classpath" => below(&format!("resources/{}", path.trim_start_matches('/'))),
        _ => None,
    }
}

fn not_taken_over(file: &RepoPath, key: &str) -> String {
    format!("{file} configures `{key}`, which a run from outside cannot take over")
}

/// Liquibase with the changelog that its properties name, in its own image, told what else they tell it.
pub(super) fn liquibase(site: &Site<'_>, properties: &RepoPath) -> Result<Found, String> {
    let settings = configured::properties(&site.text(properties));
    let is_changelog = |(key, _): &&(String, String)| configured::plain_key(key) == "changelogfile";
    let file = settings.iter().find(is_changelog).map(|(_, value)| value.clone());
    let file = file.ok_or_else(|| format!("{properties} names no changelog"))?;
    let home = properties.parent().unwrap_or_default();
    let inside = home.join(&file).is_some_and(|path| path.is_in(&home) && site.repo.is_file(&path));
    if !inside {
        return Err(format!("the changelog {file} is not seen below {home}"));
    }
    let options = configured::liquibase_options(&settings).map_err(|key| not_taken_over(properties, &key))?;
    let changelog = format!("--changelog-file={file}");
    let because = format!("{home} holds plain files, which the tool's own image runs");
    let fixed = ["--search-path=/migrations", &changelog, "update"];
    let words: Vec<&str> = fixed.into_iter().chain(options.iter().map(String::as_str)).collect();
    Ok(Found { dialect: configured::dialect(&settings), ..of_own_image(&words, &home, because) })
}

fn of_own_image(command: &[&str], files: &RepoPath, because: String) -> Found {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    Found { command, folder: String::new(), files: Some(files.clone()), dialect: None, because }
}

/// Whether a program is installed in the final image, or copied there.
fn has_program(site: &Site<'_>, program: &str) -> bool {
    let image = site.image();
    let brought = image.brought.iter().any(|one| {
        one.source.rsplit('/').next() == Some(program)
            || below(&one.to, "/usr/local/bin").is_some_and(|name| name == program)
    });
    let installs = |run: &String| {
        let fetches = ["install", "curl", "wget", "apk add"].iter().any(|word| run.contains(word));
        fetches
            && run
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .any(|word| word == program)
    };
    brought || image.installs.iter().any(|package| package == program) || image.runs.iter().any(installs)
}
