//! A variable that the program demands and its container does not have.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words::{self, Trace};

/// What languages and their libraries say of a variable that is not set; the first bracket holds its name.
const SAID: [&str; 10] = [
    // Shells: `${NAME:?}` and `set -u`.
    r"(?:^|: )([A-Za-z_][A-Za-z0-9_]*): (?:unbound variable|parameter (?:null or )?not set)",
    // Go, Rust, Node.js and most programs of their own: the name in front.
    r#"\b["'`]?([A-Z][A-Z0-9_]{2,})["'`]?,? (?:(?:env(?:ironment)? )?var(?:iable)? )?(?:must be (?:set|defined|provided)|is not (?:set|defined)|not set\b|is required|is unset|is undefined|was not provided|has to be set)"#,
    // … the name behind: `missing required environment variable NAME`.
    r#"(?i:missing|undefined|unset|required|no)(?i: required)?(?i: env(?:ironment)?)(?i: ?vars?(?:iables?)?)?(?i: is missing)?:? ["'`$]?([A-Z][A-Z0-9_]{2,})\b"#,
    r#"(?i:environment variables?|env vars?) ["'`$]?([A-Z][A-Z0-9_]{2,})["'`]? (?i:is |was )?(?i:not (?:set|found|defined|present)|missing|required|undefined|empty)"#,
    // Elixir.
    r#"could not fetch environment variable "([A-Z][A-Z0-9_]*)""#,
    // Ruby's ENV.fetch.
    r#"key not found: "([A-Z][A-Z0-9_]*)""#,
    // Spring.
    r"Could not resolve placeholder '([A-Za-z][A-Za-z0-9_.]*)' in value",
    // Rust's envy, figment and the like.
    r"missing (?:value for )?(?:field|variable) [`']?([A-Z][A-Z0-9_]{2,})[`']?",
    // Rust, where the message of a failed `expect` holds the name.
    r"NotPresent.*\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b",
    r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b.*NotPresent",
];

/// A name that the program has asked for in vain: said by the program, and really not among its variables.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() || facts.exit_code() == Some(0) {
        return None;
    }
    let (name, trace) =
        python(facts).or_else(|| pydantic(facts)).or_else(|| of_an_image(facts)).or_else(|| said(facts))?;
    if facts.variable(&name).is_some() {
        return None;
    }
    let what = match facts.anatomy.env.contains_key(&name) {
        true => format!("the variable `{name}` is empty"),
        false => format!("the variable `{name}` is not set"),
    };
    let by_hand = format!("set `{name}` in the environment");
    let known = Known::new(what).at(facts.places.key(&[name.as_str(), "environment", "env_file"]));
    Some(known.said(&trace.line).fix(facts.set(&format!("env.{name}"), "", &by_hand)))
}

fn said(facts: &Facts) -> Option<(String, Trace)> {
    SAID.iter().find_map(|pattern| {
        let trace = words::last(&facts.log, pattern)?;
        let name = in_the_environment(trace.group(1));
        (is_a_variable(&name, &trace.line) && !is_a_code(&name)).then_some((name, trace))
    })
}

/// Spring asks for `app.jwt-secret` and takes `APP_JWT_SECRET`.
fn in_the_environment(name: &str) -> String {
    if name.contains('.') { name.replace(['.', '-'], "_").to_uppercase() } else { name.to_owned() }
}

/// `TLS is required` speaks of something else than `TLS_KEY is required`, or than a variable TLS.
fn is_a_variable(name: &str, line: &str) -> bool {
    let line = line.to_lowercase();
    !name.is_empty()
        && (name.contains('_') || ["env", "variable", "parameter"].iter().any(|word| line.contains(word)))
}

/// `KeyError: 'NAME'` out of `os.environ`, and not out of any other dictionary.
fn python(facts: &Facts) -> Option<(String, Trace)> {
    let trace = words::last(&facts.log, r"^KeyError: '([A-Za-z_][A-Za-z0-9_]*)'$")?;
    let before = facts.log.get(trace.at.saturating_sub(8)..trace.at)?;
    words::any(before, &["<frozen os>", "/os.py\"", "os.environ"]).then(|| (trace.group(1).to_owned(), trace))
}

/// Two lines: the field, then `Field required [type=missing, …]`.
fn pydantic(facts: &Facts) -> Option<(String, Trace)> {
    let trace = words::last(&facts.log, r"^\s+Field required \[type=missing")?;
    let settings = words::any(&facts.log, &["for Settings", "for Config", "for AppSettings", "Settings("]);
    let field = facts.log.get(trace.at.checked_sub(1)?)?.trim();
    let plain = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (settings && plain).then(|| (field.to_uppercase(), trace))
}

/// The entry points of the official images name their variables in several lines.
fn of_an_image(facts: &Facts) -> Option<(String, Trace)> {
    const IMAGES: [(&str, &str, &str); 3] = [
        (
            "postgres",
            r"Database is uninitialized and superuser password is not specified",
            "POSTGRES_PASSWORD",
        ),
        (
            "mariadb",
            r"Database is uninitialized and password option is not specified",
            "MARIADB_ROOT_PASSWORD",
        ),
        ("mysql", r"Database is uninitialized and password option is not specified", "MYSQL_ROOT_PASSWORD"),
    ];
    IMAGES.iter().filter(|(kind, ..)| facts.kind() == *kind).find_map(|(_, pattern, name)| {
        words::last(&facts.log, pattern).map(|trace| ((*name).to_owned(), trace))
    })
}

/// Codes of errors are written like variables.
fn is_a_code(name: &str) -> bool {
    name.starts_with("ERR_")
        || ["_ERROR", "_NOT_FOUND", "_FAILED", "_REFUSED"].iter().any(|end| name.ends_with(end))
        || ["ERROR", "FATAL", "WARNING", "INFO", "DEBUG", "PANIC"].contains(&name)
}
