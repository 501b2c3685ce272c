//! What Flyway and Liquibase are told by their own files, in the words of their command lines; what cannot be passed on
//! that way is refused, as a run that does something else than the repository's own is worse than none.

use toml::Value;

/// Settings of a file: key and value, in its order.
pub(super) type Settings = Vec<(String, String)>;

/// Flyway's settings that a run of ours decides itself, or that change nothing of what `migrate` does.
const FLYWAY_OURS: &[&str] = &[
    "url",
    "user",
    "password",
    "driver",
    "locations",
    "connectRetries",
    "connectRetriesInterval",
    "cleanDisabled",
    "loggers",
    "color",
    "outputFile",
    "outputType",
    "reportEnabled",
    "reportFilename",
];

/// Flyway's settings that are passed on as they are (Flyway 11, "Flyway Namespace").
const FLYWAY_PASSED: &[&str] = &[
    "baselineDescription",
    "baselineOnMigrate",
    "baselineVersion",
    "createSchemas",
    "encoding",
    "executeInTransaction",
    "group",
    "ignoreMigrationPatterns",
    "installedBy",
    "lockRetryCount",
    "mixed",
    "outOfOrder",
    "placeholderPrefix",
    "placeholderReplacement",
    "placeholderSeparator",
    "placeholderSuffix",
    "skipExecutingMigrations",
    "table",
    "target",
    "validateMigrationNaming",
    "validateOnMigrate",
];

/// Liquibase's settings that a run of ours decides itself, or that change nothing of what `update` does.
const LIQUIBASE_OURS: &[&str] = &[
    "changelogfile",
    "driver",
    "loglevel",
    "logfile",
    "password",
    "searchpath",
    "showbanner",
    "url",
    "username",
];

/// The settings of `flyway.conf` or `flyway.toml`, by their names on the command line.
pub(super) fn flyway_settings(name: &str, text: &str) -> Settings {
    if name.ends_with(".toml") {
        let tables: toml::Table = text.parse().unwrap_or_default();
        let mut found = Settings::new();
        for (name, table) in &tables {
            match (name.as_str(), table) {
                ("flyway", table) => flatten("", table, &mut found),
                // What is told of the database is so in the table of an environment, and its name chooses one.
                ("environments", Value::Table(all)) => {
                    all.values().for_each(|one| flatten("", one, &mut found))
                }
                // Those of other programs.
                _ => {}
            }
        }
        return found;
    }
    let all = properties(text).into_iter();
    all.map(|(key, value)| (key.strip_prefix("flyway.").map(str::to_owned).unwrap_or(key), value)).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        // No setting has such a value; a brace is refused.
        _ => "{}".to_owned(),
    }
}

fn flatten(above: &str, value: &Value, found: &mut Settings) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let key = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
                flatten(&key, value, found);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            found.push((above.to_owned(), items.join(",")));
        }
        value => found.push((above.to_owned(), plain(value))),
    }
}

/// The lines `key=value` and `key: value` of a file of properties that say something.
pub(super) fn properties(text: &str) -> Settings {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once(['=', ':']));
    let pairs = pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// The value of a setting.
pub(super) fn setting<'s>(settings: &'s Settings, name: &str) -> Option<&'s str> {
    settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The options by which Flyway is told the same.
///
/// # Errors
/// With the first setting that cannot be passed on.
pub(super) fn flyway_options(settings: &Settings) -> Result<Vec<String>, String> {
    let mut options = Vec::new();
    for (key, value) in settings {
        let is_passed = FLYWAY_PASSED.contains(&key.as_str()) || key.starts_with("placeholders.");
        // On other engines than PostgreSQL, a schema is a database, and the service's may have another name here.
        let is_schema =
            matches!(key.as_str(), "schemas" | "defaultSchema") && dialect(settings) == Some("postgres");
        match () {
            () if FLYWAY_OURS.contains(&key.as_str()) => {}
            () if (is_passed || is_schema) && is_plain(value) => options.push(format!("-{key}={value}")),
            () => return Err(key.clone()),
        }
    }
    Ok(options)
}

/// The options by which Liquibase is told the same, those of the command and what the changelog's parameters are.
///
/// # Errors
/// With the first setting that cannot be passed on.
pub(super) fn liquibase_options(settings: &Settings) -> Result<Vec<String>, String> {
    let mut options = Vec::new();
    for (key, value) in settings {
        if let Some(name) = key.strip_prefix("parameter.").filter(|_| is_plain(value)) {
            options.push(format!("-D{name}={value}"));
            continue;
        }
        let option = match plain_key(key).as_str() {
            "contexts" | "contextfilter" => Some("context-filter"),
            "labels" | "labelfilter" => Some("label-filter"),
            "classpath" if is_driver(value) => None,
            known if LIQUIBASE_OURS.contains(&known) || known.starts_with("reference") => None,
            _ => return Err(key.clone()),
        };
        match option {
            Some(option) if is_plain(value) => options.push(format!("--{option}={value}")),
            Some(_) => return Err(key.clone()),
            None => {}
        }
    }
    Ok(options)
}

/// `liquibase.command.changelog-file`, `changelog-file` and `changeLogFile` are one.
pub(super) fn plain_key(key: &str) -> String {
    let key = key.to_ascii_lowercase().replace(['-', '.', '_'], "");
    let key = key.strip_prefix("liquibase").unwrap_or(&key);
    let key = key.strip_prefix("command").unwrap_or(key);
    key.strip_prefix("update").unwrap_or(key).to_owned()
}

/// The dialect that the address in a tool's own file is of.
pub(super) fn dialect(settings: &Settings) -> Option<&'static str> {
    let url = settings.iter().find(|(key, _)| matches!(plain_key(key).as_str(), "url"))?;
    let scheme = url.1.strip_prefix("jdbc:").unwrap_or(&url.1).split(':').next()?;
    match scheme {
        "postgresql" => Some("postgres"),
        "mysql" | "mariadb" => Some("mysql"),
        "sqlserver" => Some("sqlserver"),
        _ => None,
    }
}

/// Drivers of databases, which the tool's image brings along; anything else could be a part of the migrations.
fn is_driver(classpath: &str) -> bool {
    let jars = classpath.split([':', ';', ',']).map(|jar| jar.rsplit('/').next().unwrap_or_default());
    let known =
        |jar: &str| ["postgresql", "mysql", "mariadb", "mssql"].iter().any(|name| jar.starts_with(name));
    let mut jars = jars.filter(|jar| !jar.is_empty());
    jars.all(known)
}

/// A value that means itself: variables would be those of the tool's container, which has none of the service's.
fn is_plain(value: &str) -> bool {
    !value.contains(['$', '{', '}'])
}
