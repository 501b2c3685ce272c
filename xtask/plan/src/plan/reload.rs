//! Which changes of files reach a running container, and how: the rules of `develop.watch`; pure.
//!
//! A change is copied in only where the repository itself says that this works: the language is interpreted, nothing
//! worked on the files after they were copied into the image, and the engine can write as the container's user.
//! Everywhere else the image is built anew, which always works.

use crate::model::fact::{Image, Input, Landing};
use crate::model::inventory::Role;
use crate::model::path::RepoPath;
use crate::model::stack::{HotReload, Reload, ReloadAction};

use super::draft::Draft;

/// The rules for a service; `None` where there is nothing to watch.
pub(crate) fn of(draft: &Draft<'_>) -> Option<HotReload> {
    // A job has ended before anybody changes a file.
    if draft.role == Role::Job || draft.facts.inputs.is_empty() {
        return None;
    }
    let facts = draft.facts;
    let chosen =
        draft.wanted.build.as_ref().is_some_and(|build| build.target.is_some() || build.context.is_some());
    let general = match chosen {
        true => Err("config.yaml chooses how it is built".to_owned()),
        false => interpreted(&facts.language, &facts.image).and_then(|()| user(&facts.image)),
    };
    let command = command(facts.command.as_ref(), &facts.image);
    let mut rules = Vec::new();
    let mut why = general.clone().err();
    for input in &facts.inputs {
        let landing = match &general {
            Ok(()) if !input.is_manifest => match lands(input, &command) {
                Ok(landing) => Some(landing),
                Err(reason) => {
                    why.get_or_insert(reason);
                    None
                }
            },
            _ => None,
        };
        let action = landing.map_or(ReloadAction::Rebuild, |Landing { target, .. }| {
            let target = target.clone();
            match reloads(&command, &facts.image, &target) {
                true => ReloadAction::Sync { target },
                false => ReloadAction::SyncRestart { target },
            }
        });
        let ignore = if input.is_folder { ignored(&facts.language) } else { Vec::new() };
        rules.push(Reload { path: input.path.clone(), action, ignore });
    }
    // A folder that is built anew as a whole needs no rules for what lies in it.
    let whole: Vec<RepoPath> = std::iter::zip(&facts.inputs, &rules)
        .filter(|(input, rule)| input.is_folder && rule.action == ReloadAction::Rebuild)
        .map(|(input, _)| input.path.clone())
        .collect();
    rules.retain(|rule| !whole.iter().any(|folder| *folder != rule.path && rule.path.is_in(folder)));
    let copies = rules.iter().any(|rule| rule.action != ReloadAction::Rebuild);
    let otherwise = match copies {
        true => "its files run as they are copied into the image",
        false => "no file of the repository is in the image as it is",
    };
    Some(HotReload { rules, why: why.unwrap_or_else(|| otherwise.to_owned()) })
}

/// Whether a changed file is a changed program.
fn interpreted(language: &str, image: &Image) -> Result<(), String> {
    match language {
        "node" | "python" | "ruby" | "php" => Ok(()),
        _ if serves_files(&image.base) => Ok(()),
        "" => Err("its language is not known".to_owned()),
        _ => Err("it is compiled".to_owned()),
    }
}

/// Copied files get the container's user, which the engine looks up in the image by its name, or with `getent` by its
/// number. A container with a name in USER does not even start where the image has no such user; for a number, the
/// Dockerfile or the base image has to say it. USER with a group is looked up as one word and never found.
fn user(image: &Image) -> Result<(), String> {
    let base = official(&image.base);
    let Some(user) = image.user.as_deref().filter(|user| !user.is_empty()) else {
        return base
            .map(|_| ())
            .ok_or_else(|| format!("whom the base image {} runs as is not known", image.base));
    };
    if user.contains(':') {
        return Err(format!("the engine cannot copy files in for the user {user}"));
    }
    if !user.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let in_base = match base {
        Some("node") => ["0", "1000", "65534"].contains(&user),
        Some(_) => ["0", "65534"].contains(&user),
        None => false,
    };
    let made = |run: &String| {
        let adds = ["useradd", "adduser"].iter().any(|tool| run.contains(tool));
        adds && run.split(|c: char| !c.is_ascii_digit()).any(|word| word == user)
    };
    if in_base || (base.is_some() && image.runs.iter().any(made)) {
        return Ok(());
    }
    Err(format!("the image has no name for the user {user}"))
}

/// Whether a base image is an official one of those that services are built on.
pub(crate) fn is_official(base: &str) -> bool {
    official(base).is_some()
}

/// The name of an official image that runs as root and has `getent`; `None` for all others.
fn official(base: &str) -> Option<&str> {
    const KNOWN: &[&str] = &[
        "alpine",
        "bun",
        "buildpack-deps",
        "caddy",
        "composer",
        "debian",
        "httpd",
        "nginx",
        "node",
        "php",
        "python",
        "ruby",
        "ubuntu",
    ];
    let name = base.split('@').next().unwrap_or_default();
    let parts: Vec<&str> = name.split('/').collect();
    let is_host = |part: &&str| part.contains(['.', ':']) || *part == "localhost";
    let parts = if parts.len() > 1 && parts.first().is_some_and(is_host) { &parts[1..] } else { &parts[..] };
    let last = match parts {
        [name] | ["library", name] | ["docker", "library", name] | ["oven", name] => *name,
        _ => return None,
    };
    let name = last.split(':').next().unwrap_or_default();
    KNOWN.contains(&name).then_some(name)
}

/// ENTRYPOINT and CMD in one line.
fn command(own: Option<&Vec<String>>, image: &Image) -> String {
    let words = image.entrypoint.iter().chain(own.unwrap_or(&image.command));
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Where a file lands in the image and stays as it is.
fn lands<'a>(input: &'a Input, command: &str) -> Result<&'a Landing, String> {
    let landing = input.landing.as_ref();
    let landing = landing.ok_or_else(|| format!("{} is not in the image as it is", input.path))?;
    if let Some(run) = landing.runs.iter().find(|run| !is_inert(run)) {
        let first = run.lines().next().unwrap_or_default();
        let short: String = first.chars().take(40).collect();
        let dots = if short.len() < first.len() { "…" } else { "" };
        return Err(format!("`RUN {short}{dots}` works on what was copied"));
    }
    // What starts from there was made from the sources, by whomever.
    let made = ["dist/", "build/", "out/", ".next/", ".output/"];
    let starts_made =
        |word: &str| made.iter().any(|folder| word.trim_start_matches("./").starts_with(folder));
    match command.split(' ').find(|word| starts_made(word)) {
        Some(word) => Err(format!("it starts {word}, which is made from the sources")),
        None => Ok(landing),
    }
}

/// Whether a RUN leaves copied sources as they are: it installs packages, or is about users and folders.
fn is_inert(run: &str) -> bool {
    run.split(['\n', ';', '|', '&']).map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let words: Vec<&str> = part
            .split_whitespace()
            .filter(|word| !word.starts_with("--mount") && !word.contains('='))
            .collect();
        let Some((program, rest)) = words.split_first() else { return true };
        let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
        let one_of = |verbs: &[&str]| verbs.contains(&verb);
        match program.rsplit('/').next().unwrap_or_default() {
            "chown"
            | "chmod"
            | "mkdir"
            | "adduser"
            | "addgroup"
            | "useradd"
            | "groupadd"
            | "usermod"
            | "apt-get"
            | "apt"
            | "apk"
            | "ln"
            | "touch"
            | "echo"
            | "true"
            | "set"
            | "test"
            | "rm"
            | "corepack"
            | "gem"
            | "docker-php-ext-install"
            | "docker-php-ext-enable"
            | "pecl"
            | "a2enmod" => true,
            "npm" | "pnpm" => one_of(&["ci", "install", "i", "cache", "prune", "config"]),
            "yarn" => one_of(&["", "install", "cache"]),
            "bundle" => one_of(&["install", "config"]),
            "composer" => one_of(&["install"]),
            "poetry" | "pipenv" | "uv" => one_of(&["install", "sync", "config"]),
            // A package of its own is copied away from the sources, unless it is installed in place.
            "pip" | "pip3" => {
                let own = |word: &&str| matches!(*word, "." | "./");
                let in_place = rest.iter().any(|word| matches!(*word, "-e" | "--editable"));
                one_of(&["install", "cache"]) && (in_place || !rest.iter().any(own))
            }
            _ => false,
        }
    })
}

/// Whether what runs sees a changed file by itself.
fn reloads(command: &str, image: &Image, target: &str) -> bool {
    const TOOLS: &[&str] = &[
        "nodemon",
        "ts-node-dev",
        "tsx watch",
        "node --watch",
        "bun --watch",
        "bun --hot",
        "next dev",
        "nuxt dev",
        "webpack serve",
        "webpack-dev-server",
        "--reload",
        "--autoreload",
        "fastapi dev",
        "flask --debug",
        "flask run --debug",
        "manage.py runserver",
        "watchmedo",
        "watchfiles",
        "php -S",
        "artisan serve",
        "php-fpm",
        "apache2-foreground",
    ];
    let tag = image.base.rsplit(':').next().unwrap_or_default();
    // PHP reads its files at each request; so do servers of plain files, but for their configuration.
    let per_request = official(&image.base) == Some("php")
        && image.command.is_empty()
        && (tag.contains("apache") || tag.contains("fpm"));
    let roots = ["/usr/share/nginx/html", "/usr/local/apache2/htdocs", "/srv"];
    let served = serves_files(&image.base) && roots.iter().any(|root| target.starts_with(root));
    let vite = command.split(' ').any(|word| word == "vite") && !command.contains("vite build");
    per_request || served || vite || TOOLS.iter().any(|tool| command.contains(tool))
}

fn serves_files(base: &str) -> bool {
    official(base).is_some_and(|name| ["nginx", "httpd", "caddy"].contains(&name))
}

/// What changes without being part of the program.
fn ignored(language: &str) -> Vec<String> {
    let names: &[&str] = match language {
        "node" => &["node_modules", ".next", ".nuxt", "coverage"],
        "python" => &["__pycache__", ".venv", "venv", ".*_cache"],
        "ruby" => &[".bundle", "vendor/bundle", "log", "tmp"],
        "php" => &["vendor", "var/cache"],
        "rust" => &["target"],
        "java" => &["target", "build", ".gradle", "out"],
        "dotnet" => &["bin", "obj"],
        "elixir" => &["_build", "deps"],
        "go" => &[],
        _ => &["node_modules"],
    };
    names.iter().map(|name| format!("**/{name}")).collect()
}

#[cfg(test)]
mod tests;
