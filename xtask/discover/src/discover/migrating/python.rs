//! Whether Alembic or Django works in a service's image: the package is installed there, and its files lie where the
//! command looks for them.

use toml::{Table, Value};

use super::Found;
use super::site::{Site, parent};
use crate::model::fact::Image;
use crate::model::path::RepoPath;

/// Words of `env.py` by which it takes the address from the program, and not from `alembic.ini`.
const READS: &[&str] =
    &["environ", "getenv", "set_main_option", "settings", "config.get(", "get_url", "engine", "url="];

/// How the image calls what Python has installed.
struct Runner {
    /// `poetry run`, or the folder of a virtual environment with `/` at its end.
    prefix: Vec<String>,
    bin: String,
}

impl Runner {
    fn command(&self, program: &str, arguments: &[&str]) -> Vec<String> {
        let mut words = self.prefix.clone();
        words.push(format!("{}{program}", self.bin));
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        words
    }
}

/// `alembic upgrade head` in the folder of its configuration.
pub(super) fn alembic(site: &Site<'_>, ini: &RepoPath) -> Result<Found, String> {
    let (package, runner) = installed(site, &["alembic", "flask-migrate"])?;
    let text = site.text(ini);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key))?;
        Some(line.trim_start().strip_prefix('=')?.trim().to_owned())
    };
    let Some(location) = value("script_location") else {
        return Err(format!("{ini} names no folder of migrations: it is another tool's"));
    };
    let place = site.place(ini).ok_or_else(|| format!("{ini} is not seen in its image"))?;
    let folder = ini.parent().unwrap_or_default();
    let scripts = folder.join(location.trim_start_matches("%(here)s/")).unwrap_or_default();
    if location.contains(':') || !site.holds(&scripts) {
        return Err(format!("its migrations, {location}, are not seen in its image"));
    }
    let program = scripts.join("env.py").map(|path| site.text(&path)).unwrap_or_default();
    if !READS.iter().any(|word| program.contains(word)) {
        return Err(format!("the address in {ini} is fixed"));
    }
    // Newer templates put the working folder on the path; `python -m` always does.
    let is_shadowed = || folder.join("alembic/__init__.py").is_some_and(|path| site.repo.is_file(&path));
    let command = match text.contains("\nprepend_sys_path") || is_shadowed() {
        true => runner.command("alembic", &["upgrade", "head"]),
        false => runner.command("python", &["-m", "alembic", "upgrade", "head"]),
    };
    let because = format!("{package}, and {ini} lies in {}", parent(&place));
    Ok(Found { command, folder: parent(&place), files: None, dialect: None, because })
}

/// `manage.py migrate`.
pub(super) fn django(site: &Site<'_>, manage: &RepoPath) -> Result<Found, String> {
    let (package, runner) = installed(site, &["django", "djangorestframework"])?;
    let place = site.place(manage).ok_or_else(|| format!("{manage} is not seen in its image"))?;
    let command = runner.command("python", &["manage.py", "migrate", "--noinput"]);
    let because = format!("{package}, and {manage} lies in {}", parent(&place));
    Ok(Found { command, folder: parent(&place), files: None, dialect: None, because })
}

/// Which manifest names one of the packages, and how the image calls what is installed.
fn installed(site: &Site<'_>, packages: &[&str]) -> Result<(String, Runner), String> {
    if !site.is_built_on(&["python", "uv", "pypy"]) {
        return Err(format!("its image is built on {}, which may have no Python", site.image().base));
    }
    let named = manifests(site).into_iter().find_map(|path| {
        let text = site.text(&path);
        let found = packages.iter().find(|package| names(&path, &text, package))?;
        Some(format!("{found} stands in {path}"))
    });
    let named = named.ok_or_else(|| format!("`{}` stands in none of its manifests", packages[0]))?;
    let installs = |image: &Image| {
        let tools = [
            "pip install",
            "pip3 install",
            "uv sync",
            "uv pip",
            "poetry install",
            "pipenv install",
            "pipenv sync",
            "pdm install",
        ];
        image.runs.iter().any(|run| tools.iter().any(|tool| run.contains(tool)))
    };
    let sources = site.sources();
    let Some(source) = sources.iter().find(|source| installs(source.image)) else {
        return Err("what installs its packages is not seen".to_owned());
    };
    // Libraries alone are no programs.
    let programs = |path: &&str| {
        ["venv", "/bin", "/install", ".local"].iter().any(|part| path.contains(part))
            || ["/usr/local", "/usr", "/", "/app"].contains(&path.trim_end_matches('/'))
    };
    if !source.taken.is_empty() && !source.taken.iter().any(programs) {
        return Err("its image has Python's libraries and not their programs".to_owned());
    }
    Ok((named, runner(site, source.image)?))
}

fn runner(site: &Site<'_>, installed: &Image) -> Result<Runner, String> {
    let start = site.start();
    for tool in ["poetry run", "uv run", "pipenv run", "pdm run"] {
        if start.contains(tool) {
            let prefix = tool.split(' ').map(str::to_owned).collect();
            return Ok(Runner { prefix, bin: String::new() });
        }
    }
    let is_program = |word: &&str| word.starts_with('/') && word.contains("/bin/") && word.contains("env");
    if let Some((bin, _)) =
        start.split([' ', '\n', '"']).find(is_program).and_then(|word| word.rsplit_once('/'))
    {
        return Ok(Runner { prefix: Vec::new(), bin: format!("{bin}/") });
    }
    let path =
        |image: &Image| image.env.iter().any(|(name, value, _)| name == "PATH" && value.contains("env"));
    let ran = |word: &str| installed.runs.iter().any(|run| run.contains(word));
    let named = |name: &str| installed.env.iter().any(|(known, _, _)| known == name);
    let hidden = (ran("poetry install") && !ran("virtualenvs.create") && !named("POETRY_VIRTUALENVS_CREATE"))
        || (ran("uv sync") && !named("UV_PROJECT_ENVIRONMENT"))
        || ((ran("pipenv install") || ran("pipenv sync")) && !ran("--system"));
    if hidden && !path(site.image()) {
        return Err("its packages are in an environment that its PATH does not name".to_owned());
    }
    Ok(Runner { prefix: Vec::new(), bin: String::new() })
}

/// The manifests of the service and of what it is built from.
fn manifests(site: &Site<'_>) -> Vec<RepoPath> {
    let is_manifest = |path: &&RepoPath| {
        let name = path.name();
        let in_folder = path.parent().is_some_and(|folder| folder.name() == "requirements");
        let dev = ["dev", "test", "lint", "doc"].iter().any(|word| name.contains(word));
        let plain = (name.contains("requirements") || in_folder) && matches!(path.extension(), "txt" | "in");
        (plain && !dev) || matches!(name, "pyproject.toml" | "Pipfile" | "setup.py" | "setup.cfg")
    };
    let context = &site.service.build.context;
    let own = site.repo.files_in(&site.service.path).iter();
    let around = context.join("").map(|context| site.repo.files_in(&context)).unwrap_or_default();
    let direct = around.iter().filter(|path| path.depth() <= context.depth() + 2);
    let mut found: Vec<RepoPath> =
        own.take(20_000).chain(direct.take(20_000)).filter(is_manifest).cloned().collect();
    found.dedup();
    found
}

/// Whether a manifest names a package for more than development.
fn names(path: &RepoPath, text: &str, package: &str) -> bool {
    let is_it = |item: &str| {
        let name = item.trim().trim_matches(['"', '\'']).to_ascii_lowercase().replace('_', "-");
        let rest = name.strip_prefix(package).map(str::to_owned);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
    };
    match path.name() {
        "pyproject.toml" | "Pipfile" => {
            let manifest = text.parse::<Table>();
            manifest.is_ok_and(|manifest| dependencies(&manifest).iter().any(|item| is_it(item)))
        }
        _ => text.lines().any(is_it),
    }
}

/// What `[project]`, Poetry and Pipenv install for production.
fn dependencies(manifest: &Table) -> Vec<String> {
    let get = |keys: &[&str]| {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(manifest.get(*first)?, |value, key| value.get(*key)).cloned()
    };
    let mut found = Vec::new();
    for keys in [&["project", "dependencies"][..], &["tool", "poetry", "dependencies"], &["packages"]] {
        match get(keys) {
            Some(Value::Array(items)) => {
                found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned))
            }
            Some(Value::Table(table)) => found.extend(table.keys().cloned()),
            _ => {}
        }
    }
    found
}
