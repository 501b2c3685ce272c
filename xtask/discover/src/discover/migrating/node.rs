//! Whether a migration tool of Node.js works in a service's image: the package is installed there, and its files lie
//! where it looks for them. What a script calls is followed through the scripts of its package.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::dockerfile::words;
use super::Found;
use super::npm::{brings, installs};
use super::site::{Site, parent};
use crate::model::fact::Image;
use crate::model::path::RepoPath;

/// Scripts that call scripts that call scripts: longer chains are not followed.
const MAX_STEPS: usize = 4;

/// Words of scripts that do more than to bring a database up to date: run at each start, they would cost data.
const DESTROYS: &[&str] = &[
    "rollback",
    "revert",
    "undo",
    "down",
    "drop",
    "fresh",
    "reset",
    "refresh",
    "seed",
    "accept-data-loss",
    "sync",
    "force",
    "redo",
    "clean",
    "truncate",
];

/// Programs, the packages that bring them, and the names of files that configure them.
const PROGRAMS: &[(&str, &[&str], &[&str])] = &[
    ("knex", &["knex"], &["knexfile.js", "knexfile.cjs", "knexfile.mjs", "knexfile.ts"]),
    ("sequelize", &["sequelize-cli"], &[".sequelizerc", "config/config.js", "config/config.json"]),
    ("sequelize-cli", &["sequelize-cli"], &[".sequelizerc", "config/config.js", "config/config.json"]),
    ("prisma", &["prisma"], &["prisma/schema.prisma", "schema.prisma"]),
    ("typeorm", &["typeorm"], &[]),
    ("typeorm-ts-node-commonjs", &["typeorm", "ts-node"], &[]),
    ("typeorm-ts-node-esm", &["typeorm", "ts-node"], &[]),
    ("drizzle-kit", &["drizzle-kit"], &["drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs"]),
    ("mikro-orm", &["@mikro-orm/cli"], &["mikro-orm.config.js"]),
    ("migrate-mongo", &["migrate-mongo"], &["migrate-mongo-config.js"]),
    ("db-migrate", &["db-migrate"], &["database.json"]),
    ("node", &[], &[]),
    ("ts-node", &["ts-node"], &[]),
    ("tsx", &["tsx"], &[]),
];

/// A package of the repository, and where it lies in the image.
struct Package<'a> {
    site: &'a Site<'a>,
    folder: RepoPath,
    place: String,
    manifest: Value,
}

/// `npm run NAME` and `npx TOOL …`, seen from the file that says that there are migrations.
pub(super) fn run(site: &Site<'_>, command: &[String], at: &RepoPath) -> Result<Found, String> {
    if !site.is_built_on(&["node"]) {
        return Err(format!("its image is built on {}, of which no npm is known", site.image().base));
    }
    let package = package(site, at)?;
    let seen = &mut BTreeSet::new();
    match command {
        [npm, run, name] if npm == "npm" && run == "run" => package.script(name, MAX_STEPS, seen)?,
        [npx, call @ ..] if npx == "npx" => package.call(call, MAX_STEPS, seen)?,
        _ => return Err("its command is not known".to_owned()),
    }
    let because = format!(
        "{} lies in {}, with the packages that it names",
        package.path("package.json"),
        package.place
    );
    Ok(Found { command: command.to_vec(), folder: package.place, files: None, dialect: None, because })
}

fn package<'a>(site: &'a Site<'a>, at: &RepoPath) -> Result<Package<'a>, String> {
    let inside = |folder: &RepoPath| folder.is_in(&site.service.build.context);
    let manifests = at.ancestors().filter(inside).filter_map(|folder| folder.join("package.json"));
    let Some(path) = manifests.into_iter().find(|path| site.repo.is_file(path)) else {
        return Err("no package.json is above its migrations".to_owned());
    };
    let place = site.place(&path).ok_or_else(|| format!("{path} is not seen in its image"))?;
    let manifest = serde_json::from_str(&site.text(&path)).map_err(|_| format!("{path} cannot be read"))?;
    let folder = path.parent().unwrap_or_default();
    if folder.join(".pnp.cjs").is_some_and(|path| site.repo.is_file(&path)) {
        return Err("its packages are in archives of Yarn, which npm does not read".to_owned());
    }
    Ok(Package { site, folder, place: parent(&place), manifest })
}

impl Package<'_> {
    fn path(&self, name: &str) -> RepoPath {
        self.folder.join(name).unwrap_or_default()
    }

    fn exists(&self, name: &str) -> bool {
        self.folder
            .join(name)
            .is_some_and(|path| self.site.repo.is_file(&path) || self.site.repo.is_folder(&path))
    }

    /// Whether a file lies in the image where the package expects it.
    fn lands(&self, name: &str) -> Result<(), String> {
        let name = name.trim_start_matches("./");
        let wanted = format!("{}/{name}", self.place.trim_end_matches('/'));
        let path = self.path(name);
        match self.site.place(&path) {
            Some(place) if place == wanted => Ok(()),
            _ => Err(format!("{path} is not seen at {wanted} in its image")),
        }
    }

    fn script_text(&self, name: &str) -> Option<&str> {
        self.manifest.get("scripts")?.get(name)?.as_str()
    }

    /// A script with those that npm runs before and after it; what was `seen` is not looked at again.
    fn script(&self, name: &str, steps: usize, seen: &mut BTreeSet<String>) -> Result<(), String> {
        let script = self.script_text(name).ok_or_else(|| format!("it has no script `{name}`"))?;
        self.checked(name, script, steps, seen)?;
        for name in [format!("pre{name}"), format!("post{name}")] {
            self.script_text(&name).map_or(Ok(()), |script| self.checked(&name, script, steps, seen))?;
        }
        Ok(())
    }

    fn checked(
        &self,
        name: &str,
        script: &str,
        steps: usize,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        if !seen.insert(name.to_owned()) {
            return Ok(());
        }
        if script.contains('|') || script.contains("$(") || steps == 0 {
            return Err(format!("what its script `{name}` does is not clear"));
        }
        let mut words_of = script.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let destroys = |word: &str| {
            DESTROYS.contains(&word.trim_start_matches('-'))
                || word.split('-').any(|part| DESTROYS.contains(&part))
        };
        if let Some(word) = words_of.find(|word| destroys(word)) {
            return Err(format!("its script `{name}` does more than to migrate (`{word}`)"));
        }
        for part in script.split("&&").flat_map(|part| part.split(';')) {
            self.call(&words(part.trim()), steps - 1, seen)?;
        }
        Ok(())
    }

    /// One call of a program, without what only sets variables or finds the program.
    fn call(&self, call: &[String], steps: usize, seen: &mut BTreeSet<String>) -> Result<(), String> {
        let sets = |word: &&String| {
            let is_name =
                |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
            ["cross-env", "npx", "exec"].contains(&word.as_str())
                || word.split_once('=').is_some_and(|(name, _)| is_name(name))
        };
        let skipped = call.iter().take_while(sets).count();
        if call[..skipped].iter().any(|word| word == "cross-env") {
            self.installed("cross-env")?;
        }
        let Some((program, arguments)) = call[skipped..].split_first() else { return Ok(()) };
        if ["npm", "yarn", "pnpm"].contains(&program.as_str()) {
            let name = arguments.iter().find(|word| *word != "run" && !word.starts_with('-'));
            return self.script(name.map_or("", String::as_str), steps, seen);
        }
        let known = PROGRAMS.iter().find(|(known, ..)| known == program);
        let Some((_, packages, files)) = known else {
            return Err(format!("whether `{program}`, which it calls, is in its image is not known"));
        };
        packages.iter().try_for_each(|package| self.installed(package))?;
        let option = |names: &[&str]| {
            let at = arguments.iter().position(|word| names.contains(&word.as_str()))?;
            arguments.get(at + 1).map(String::as_str)
        };
        match program.as_str() {
            "node" | "ts-node" | "tsx" => self.file(arguments),
            "typeorm" | "typeorm-ts-node-commonjs" | "typeorm-ts-node-esm" => {
                let source = option(&["-d", "--dataSource"]).ok_or("it names no data source")?;
                self.program_file(source)
            }
            "prisma" => {
                let given = self.manifest.get("prisma").and_then(|prisma| prisma.get("schema")?.as_str());
                let named = option(&["--schema"]).or(given);
                let schema = named.or_else(|| files.iter().copied().find(|file| self.exists(file)));
                let schema = schema.ok_or("its schema.prisma is not seen")?;
                self.lands(schema)?;
                let folder =
                    schema.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                let words: Vec<&str> = arguments.iter().map(String::as_str).take(2).collect();
                match words.as_slice() {
                    ["migrate", "deploy"] => self.lands(&format!("{folder}migrations")),
                    ["db", "push"] | ["generate", ..] => Ok(()),
                    _ => Err(format!("`prisma {}` is for development", words.join(" "))),
                }
            }
            _ => {
                let named = option(&["--knexfile", "--config", "-f"]);
                let file = named.or_else(|| files.iter().copied().find(|file| self.exists(file)));
                let file = file.ok_or_else(|| format!("no configuration of {program} is seen"))?;
                self.configured(program, file)
            }
        }
    }

    /// A configuration that is in the image and takes its address from the environment.
    fn configured(&self, program: &str, file: &str) -> Result<(), String> {
        self.lands(file)?;
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if program.starts_with("sequelize") && file == ".sequelizerc" {
            let rc = self.site.text(&self.path(file));
            let inside = self.site.repo.files_in(&self.folder);
            let is_named = |path: &&RepoPath| {
                matches!(
                    path.name(),
                    "config.js" | "config.json" | "database.js" | "database.json" | "config.cjs"
                ) && rc.contains(path.name())
            };
            for path in inside.iter().filter(is_named).take(20) {
                self.free(path)?;
            }
            return Ok(());
        }
        if file.ends_with(".ts") && ["knex"].contains(&program) && self.installed("ts-node").is_err() {
            self.installed("tsx")?;
        }
        let migrations = match folder {
            "config" | "" => "migrations".to_owned(),
            folder => format!("{folder}/migrations"),
        };
        if self.exists(&migrations) {
            self.lands(&migrations)?;
        }
        self.free(&self.path(file))
    }

    fn free(&self, path: &RepoPath) -> Result<(), String> {
        let text = self.site.text(path);
        let reads = ["process.env", "env(", "use_env_variable"].iter().any(|word| text.contains(word));
        let fixed = ["localhost", "127.0.0.1", "\"host\"", "host:"].iter().any(|word| text.contains(word));
        if fixed && !reads { Err(format!("the address in {path} is fixed")) } else { Ok(()) }
    }

    /// The first argument that is no option of the runtime.
    fn file(&self, arguments: &[String]) -> Result<(), String> {
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            if matches!(word.as_str(), "-r" | "--require" | "--import" | "--loader") {
                let module = rest.next().map(String::as_str).unwrap_or_default();
                let mut parts = module.split('/');
                let first = parts.next().unwrap_or_default();
                let scoped = parts.next().filter(|_| first.starts_with('@'));
                self.installed(&scoped.map_or_else(|| first.to_owned(), |name| format!("{first}/{name}")))?;
            } else if word.starts_with("./node_modules/") || word.starts_with("node_modules/") {
                let inside = word.trim_start_matches("./").trim_start_matches("node_modules/");
                let package = inside.trim_start_matches(".bin/").split('/').next().unwrap_or_default();
                return self.installed(package).and_then(|()| {
                    match rest.as_slice().iter().position(|w| w == "-d") {
                        Some(at) => self.program_file(rest.as_slice().get(at + 1).map_or("", String::as_str)),
                        None => Ok(()),
                    }
                });
            } else if !word.starts_with('-') {
                return self.program_file(word);
            }
        }
        Err("it names no file".to_owned())
    }

    /// A file of the program: of the repository, or what the build has made of it.
    fn program_file(&self, file: &str) -> Result<(), String> {
        let file = file.trim_start_matches("./");
        let found = ["", ".js", ".ts", ".cjs", ".mjs"].iter().map(|end| format!("{file}{end}"));
        if let Some(file) = found.into_iter().find(|file| self.site.repo.is_file(&self.path(file))) {
            return self.lands(&file);
        }
        let folder = file.split('/').next().unwrap_or_default();
        let made = format!("{}/{folder}", self.place.trim_end_matches('/'));
        let builds =
            |image: &Image| image.runs.iter().any(|run| run.contains("build") || run.contains("tsc"));
        let is_built = ["dist", "build", "lib", "out"].contains(&folder)
            && self
                .site
                .sources()
                .iter()
                .any(|source| builds(source.image) && (source.taken.is_empty() || source.has(&made)));
        if is_built { Ok(()) } else { Err(format!("`{file}` is not seen in its image")) }
    }

    /// Whether a package is in the image: a production dependency, or one of development where all are installed.
    fn installed(&self, package: &str) -> Result<(), String> {
        let section = |name: &str| self.manifest.get(name).and_then(|section| section.get(package)).is_some();
        let everywhere = |image: &Image| {
            let global = |run: &String| {
                (run.contains("-g ") || run.contains("--global") || run.contains("global add"))
                    && run.split([' ', '@', '\n']).any(|word| word == package)
            };
            image.runs.iter().any(global)
        };
        if everywhere(self.site.image()) {
            return Ok(());
        }
        let dev = match (section("dependencies"), section("devDependencies")) {
            (true, _) => false,
            (false, true) => true,
            _ => return Err(format!("`{package}` stands not in {}", self.path("package.json"))),
        };
        let modules = format!("{}/node_modules", self.place.trim_end_matches('/'));
        for source in self.site.sources() {
            if let Some(all) =
                installs(source.image).filter(|_| source.taken.is_empty() || brings(&source.taken, &modules))
            {
                return match dev && !all {
                    true => Err(format!(
                        "`{package}` is a development dependency, and its image has none of these"
                    )),
                    false => Ok(()),
                };
            }
        }
        Err("how its packages get into its image is not seen".to_owned())
    }
}
