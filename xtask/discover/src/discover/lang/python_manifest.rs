//! Python's manifests: requirements files, `pyproject.toml`, `Pipfile`, `setup.py`, `setup.cfg` and `alembic.ini`.

use std::sync::LazyLock;

use toml::{Table, Value};

use crate::discover::Source;
use crate::discover::findings::Findings;
use crate::model::fact::{Fact, PortSource};
use crate::model::path::RepoPath;

use super::scan::{Pattern, line_of};

/// Package, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("fastapi", "fastapi", Some(8000)),
    ("starlette", "starlette", None),
    ("litestar", "litestar", Some(8000)),
    ("flask", "flask", Some(5000)),
    ("quart", "quart", Some(5000)),
    ("django", "django", Some(8000)),
    ("djangorestframework", "django", None),
    ("sanic", "sanic", Some(8000)),
    ("aiohttp", "aiohttp", None),
    ("tornado", "tornado", None),
    ("falcon", "falcon", None),
    ("bottle", "bottle", None),
    ("nameko", "nameko", None),
    ("uvicorn", "uvicorn", None),
    ("gunicorn", "gunicorn", None),
    ("celery", "celery", None),
    ("dramatiq", "dramatiq", None),
    ("rq", "rq", None),
    ("arq", "arq", None),
    ("grpcio", "grpc", None),
    ("streamlit", "streamlit", Some(8501)),
    ("gradio", "gradio", Some(7860)),
];

const MIGRATIONS: &[(&str, &str, &[&str])] = &[
    ("flask-migrate", "alembic", &["flask", "db", "upgrade"]),
    ("aerich", "aerich", &["aerich", "upgrade"]),
    ("yoyo-migrations", "yoyo", &["yoyo", "apply", "--batch"]),
];

static REQUIREMENT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"^\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[(?P<extras>[\w\s,.-]*)\])?\s*(?:$|[=<>!~;@#(,^ ])")
});
static QUOTED: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"["'](?P<item>[A-Za-z0-9][^"'\n]{0,200})["']"#));

/// Whether a file is one of these manifests.
pub(super) fn wants(path: &RepoPath) -> bool {
    let name = path.name();
    matches!(name, "pyproject.toml" | "Pipfile" | "setup.py" | "setup.cfg" | "alembic.ini")
        || is_requirements(path)
}

/// `requirements.txt`, `requirements-prod.txt`, `requirements/base.in`.
fn is_requirements(path: &RepoPath) -> bool {
    let in_folder = path.parent().is_some_and(|folder| folder.name() == "requirements");
    matches!(path.extension(), "txt" | "in") && (path.name().contains("requirements") || in_folder)
}

/// Adds what a manifest says.
pub(super) fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    match source.path.name() {
        "pyproject.toml" => pyproject(&mut findings),
        "Pipfile" => pipfile(&mut findings),
        "setup.py" | "setup.cfg" => setup(&mut findings),
        "alembic.ini" => {
            findings.migration(1, "alembic-ini", "alembic", &["alembic", "upgrade", "head"]);
            if let Some(url) = source.text.lines().find_map(|line| line.strip_prefix("sqlalchemy.url")) {
                let line = line_of(source.text, "sqlalchemy.url");
                let url = url.trim_start_matches([' ', '=']);
                // The template's own example.
                if !url.contains("driver://") {
                    findings.references(line, "alembic-ini", url, Some("sqlalchemy.url"));
                }
            }
        }
        _ => requirements(&mut findings),
    }
}

fn requirements(findings: &mut Findings<'_, '_>) {
    let name = findings.source.path.name().to_ascii_lowercase();
    let dev_only = ["dev", "test", "lint", "doc", "ci"].iter().any(|word| name.contains(word));
    for (number, line) in (1..).zip(findings.source.text.lines()) {
        requirement(findings, number, line, dev_only);
    }
}

/// One requirement as PEP 508 writes it.
fn requirement(findings: &mut Findings<'_, '_>, number: u32, line: &str, dev_only: bool) {
    let Some(found) = REQUIREMENT.first(line).filter(|_| line.len() < 500) else { return };
    let extras = found.name("extras").map_or("", |extras| extras.as_str());
    let extras: Vec<String> =
        extras.split(',').map(|extra| extra.trim().to_owned()).filter(|e| !e.is_empty()).collect();
    if let Some(name) = found.name("name") {
        package(findings, number, name.as_str(), &extras, dev_only);
    }
}

fn package(findings: &mut Findings<'_, '_>, number: u32, name: &str, extras: &[String], dev_only: bool) {
    let name = name.to_ascii_lowercase().replace('_', "-");
    findings.package(number, "python-dependency", "python", (&name, extras), dev_only);
    if dev_only {
        return;
    }
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| *known == name) {
        findings.framework(number, "python-framework", framework);
        if let Some(port) = port {
            findings.port(number, "python-framework-port", *port, PortSource::FrameworkDefault, None);
        }
    }
    if let Some((_, tool, command)) = MIGRATIONS.iter().find(|(known, ..)| *known == name) {
        findings.migration(number, "python-migration-tool", tool, command);
    }
}

fn pyproject(findings: &mut Findings<'_, '_>) {
    let Ok(manifest) = findings.source.text.parse::<Table>() else { return };
    let project = manifest.get("project").and_then(Value::as_table);
    let poetry = manifest.get("tool").and_then(|tool| tool.get("poetry")).and_then(Value::as_table);
    for section in [project, poetry].into_iter().flatten() {
        if let Some(name) = section.get("name").and_then(Value::as_str) {
            findings.alias(line_of(findings.source.text, "name"), "python-package-name", name);
        }
    }
    listed(findings, project.and_then(|project| project.get("dependencies")), false);
    for group in tables(project.and_then(|project| project.get("optional-dependencies"))) {
        listed(findings, Some(group.1), is_dev(group.0));
    }
    for group in tables(manifest.get("dependency-groups")) {
        listed(findings, Some(group.1), true);
    }
    let Some(poetry) = poetry else { return };
    keyed(findings, poetry.get("dependencies"), false);
    keyed(findings, poetry.get("dev-dependencies"), true);
    for (name, group) in tables(poetry.get("group")) {
        keyed(findings, group.get("dependencies"), is_dev(name));
    }
}

fn is_dev(group: &str) -> bool {
    ["dev", "test", "lint", "doc", "typing"].iter().any(|word| group.contains(word))
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten()
}

/// `dependencies = ["fastapi>=0.1", …]`.
fn listed(findings: &mut Findings<'_, '_>, list: Option<&Value>, dev_only: bool) {
    for item in list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(1000) {
        let line = line_of(findings.source.text, item);
        requirement(findings, line, item, dev_only);
    }
}

/// `celery = { version = "5", extras = ["redis"] }`.
fn keyed(findings: &mut Findings<'_, '_>, table: Option<&Value>, dev_only: bool) {
    for (name, value) in tables(table).take(1000) {
        let extras = value.get("extras").and_then(Value::as_array).into_iter().flatten();
        let extras: Vec<String> = extras.filter_map(Value::as_str).map(str::to_owned).collect();
        let line = line_of(findings.source.text, &format!("\n{name}")) + 1;
        package(findings, line, name, &extras, dev_only);
    }
}

fn pipfile(findings: &mut Findings<'_, '_>) {
    let Ok(manifest) = findings.source.text.parse::<Table>() else { return };
    keyed(findings, manifest.get("packages"), false);
    keyed(findings, manifest.get("dev-packages"), true);
}

/// Only what stands in `install_requires`.
fn setup(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let Some(start) = text.find("install_requires") else { return };
    let rest = &text[start..];
    let first = line_of(text, "install_requires");
    if findings.source.path.extension() == "cfg" {
        for (number, line) in
            (first..).zip(rest.lines()).skip(1).take_while(|(_, line)| line.starts_with([' ', '\t']))
        {
            requirement(findings, number, line, false);
        }
        return;
    }
    let list = rest.split("\n    )").next().unwrap_or_default().split(']').next().unwrap_or_default();
    for (number, line) in (first..).zip(list.lines()).take(300) {
        for found in QUOTED.all(line, usize::MAX) {
            if let Some(item) = found.name("item") {
                requirement(findings, number, item.as_str(), false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::discover::lang::python::MANIFEST;
    use crate::discover::lang::testing::{say, what};

    #[test]
    fn requirements_are_read_with_extras_and_comments() {
        let text = "# web\nFlask==3.0  # the framework\npsycopg[binary,pool]>=3 ; python_version > '3'\n-r base.txt\ncelery[redis]\n";
        assert_eq!(
            say(&[MANIFEST], "a/requirements.txt", text),
            [
                "2 python-framework framework flask",
                "2 python-framework-port port 5000 FrameworkDefault",
                "3 python-dependency driver postgres psycopg",
                "5 python-dependency driver redis celery",
                "5 python-framework framework celery",
            ]
        );
        assert_eq!(what(&[MANIFEST], "a/requirements-dev.txt", "redis\n"), ["driver redis redis dev"]);
    }

    #[test]
    fn every_manifest_is_read() {
        for (path, text) in [
            ("a/pyproject.toml", "[project]\ndependencies = [\n  \"asyncpg>=0.2\",\n]\n"),
            ("a/pyproject.toml", "[tool.poetry.dependencies]\nasyncpg = \"^0.2\"\n"),
            ("a/Pipfile", "[packages]\nasyncpg = \"*\"\n"),
            ("a/setup.py", "setup(\n  install_requires=[\n    'asyncpg>=1',\n  ],\n)"),
            ("a/setup.cfg", "[options]\ninstall_requires =\n  asyncpg\n"),
        ] {
            assert_eq!(what(&[MANIFEST], path, text), ["driver postgres asyncpg"], "{path}");
        }
    }

    #[test]
    fn alembic_brings_its_command() {
        assert_eq!(
            what(&[MANIFEST], "a/alembic.ini", "[alembic]\n"),
            ["migration alembic [alembic upgrade head]"]
        );
    }
}
