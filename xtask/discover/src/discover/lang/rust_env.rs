//! Rust's libraries that fill a struct from variables: figment, config and envy, with their prefixes and separators.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::model::fact::{Naming, What};

use super::records::{Field, Record, walk};
use super::scan::{Pattern, Words, cut, holds, line_at, unquoted, window_of};

/// The keys of all that fill structs by serde's names.
const LIBRARY: &str = "serde";

/// Adds the libraries' prefixes, and the fields of the structs that they fill.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let naming = naming(text);
    if let Some((at, naming)) = &naming {
        findings.add(line_at(text, *at), "rust-prefixed", What::KeysFromVariables(naming.clone()));
    }
    let stem = findings.source.path.name().trim_end_matches(".rs");
    let is_their_file = ["config", "settings", "configuration", "conf", "cfg", "env"].contains(&stem);
    if naming.is_none() && !(is_their_file && holds(text, "Deserialize")) {
        return;
    }
    let records = structs(text);
    let filled = FILLED.first(text).and_then(|found| found.name("struct")).map(|name| name.as_str());
    let is_root =
        |record: &Record<'_>| match filled.filter(|name| records.iter().any(|one| one.name == *name)) {
            Some(name) => record.name == name,
            None if naming.is_some() => {
                ["Conf", "Settings", "Env", "Args"].iter().any(|word| record.name.contains(word))
            }
            // A struct that another file's one may hold has no variables of its own.
            None => ["Config", "Settings", "Configuration", "AppConfig", "AppSettings", "Env"]
                .contains(&record.name),
        };
    // What nothing but variables can give, the program needs.
    let sources = ["File::", "Toml::", "Yaml::", "Json::", "set_default", "Serialized::", "Default"];
    let is_only_source = naming.is_some() && !sources.iter().any(|source| holds(text, source));
    walk(&records, is_root, &mut |_, way| field(way, is_only_source, findings));
}

fn field(way: &[&Field<'_>], is_only_source: bool, findings: &mut Findings<'_, '_>) {
    let Some(leaf) = way.last() else { return };
    if way.iter().any(|field| SKIPPED.first(field.notes).is_some()) {
        return;
    }
    let part = |field: &&Field<'_>| {
        let renamed =
            RENAMED.first(field.notes).and_then(|found| Some(found.name("name")?.as_str().to_owned()));
        let flat = holds(field.notes, "flatten");
        (!flat).then(|| renamed.unwrap_or_else(|| field.name.to_owned()))
    };
    let parts: Vec<String> = way.iter().filter_map(part).collect();
    let default = DEFAULT.first(leaf.notes);
    let function = default.as_ref().and_then(|found| found.name("function")).map(|name| name.as_str());
    let value = function.and_then(|function| returned(findings.source.text, function));
    // `cache: Option<CacheSettings>`: without the section nothing in it is needed.
    let optional = way.iter().any(|field| field.optional);
    let required = is_only_source && !optional && default.is_none();
    let value = value.or(Some("").filter(|_| optional));
    let read = Read { name: &parts.join("."), default: value, required };
    findings.config_key(leaf.line, "rust-prefixed-field", LIBRARY, read);
}

/// What a function of the file returns, where that is a literal.
fn returned<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    let at = text.find(&format!("fn {function}("))?;
    let body = window_of(&text[at..]).split_once('{')?.1.trim_start();
    let body = ["String::from(", "Some(", "format!("]
        .iter()
        .find_map(|call| body.strip_prefix(call))
        .unwrap_or(body);
    unquoted(LITERAL.first(body)?.name("literal")?.as_str())
}

static LITERAL: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"^(?P<literal><lit>)"));
/// `Env::prefixed("APP_").split("__")`, `Env::raw()`.
static FIGMENT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bEnv::(?:prefixed\(\s*"(?P<prefix>\w*)"\s*\)|raw\(\s*\))"#));
/// `Environment::with_prefix("APP").prefix_separator("_").separator("__")`, `Environment::default()`.
static CONFIG: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\bEnvironment::(?:with_prefix\(\s*"(?P<prefix>\w*)"\s*\)|default\(\s*\)|new\(\s*\))"#)
});
/// `envy::prefixed("APP_").from_env::<Config>()`.
static ENVY: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\benvy::(?:prefixed\(\s*"(?P<prefix>\w*)"\s*\)|from_env\b)"#));
static FILLED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\b(?:from_env|try_deserialize|extract|try_into)::<(?:\w+::)*(?P<struct>[A-Z]\w*)>\(")
});
static SPLIT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"^[^;]*?\.split\(\s*"(?P<separator>[^"\n]*)"\s*\)"#));
static SEPARATOR: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"^[^;]*?\.separator\(\s*"(?P<separator>[^"\n]*)"\s*\)"#));
static PREFIX_SEPARATOR: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"^[^;]*?\.prefix_separator\(\s*"(?P<separator>[^"\n]*)"\s*\)"#));

/// The place and the rule of the library that the file uses.
fn naming(text: &str) -> Option<(usize, Naming)> {
    static LIBRARIES: Words = Words::new(&["Env::", "Environment::", "envy::"]);
    if !LIBRARIES.any(text) {
        return None;
    }
    let call = |pattern: &Pattern| {
        let found = pattern.first(text)?;
        // Other libraries have a type of that name, too: `minijinja::Environment::new()`.
        let is_library = || holds(text, "config::") || holds(text, "add_source(");
        let whole = found.get(0)?;
        if whole.as_str().starts_with("Environment::") && found.name("prefix").is_none() && !is_library() {
            return None;
        }
        let prefix = found.name("prefix").map_or("", |prefix| prefix.as_str()).to_owned();
        Some((whole.start(), prefix, cut(&text[whole.end()..], 400)))
    };
    let separator =
        |pattern: &Pattern, rest: &str| Some(pattern.first(rest)?.name("separator")?.as_str().to_owned());
    let naming = |prefix: String, separator: Option<String>, of_files: bool| {
        let replaced = separator.into_iter().map(|separator| (".".to_owned(), separator)).collect();
        Naming { library: LIBRARY, prefix: prefix.to_ascii_uppercase(), replaced, of_files }
    };
    if holds(text, "Env::")
        && let Some((at, prefix, rest)) = call(&FIGMENT)
    {
        return Some((at, naming(prefix, separator(&SPLIT, rest), true)));
    }
    if holds(text, "Environment::")
        && let Some((at, prefix, rest)) = call(&CONFIG)
    {
        let inside = separator(&SEPARATOR, rest);
        // Where it is not said, the separator of the keys stands behind the prefix, too.
        let behind =
            separator(&PREFIX_SEPARATOR, rest).or_else(|| inside.clone()).unwrap_or_else(|| "_".to_owned());
        let prefix = if prefix.is_empty() { prefix } else { prefix + &behind };
        return Some((at, naming(prefix, inside, true)));
    }
    if holds(text, "envy::")
        && let Some((at, prefix, _)) = call(&ENVY)
    {
        return Some((at, naming(prefix, None, false)));
    }
    None
}

static STRUCT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\bstruct\s+(?P<name>\w+)(?:<[^{};]*>)?\s*\{"));
static FIELD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"^(?:#\[.*\]\s*)?(?:pub(?:\([a-z ]+\))?[ \t]+)?(?:r#)?(?P<name>[a-z_]\w*)[ \t]*:[ \t]*(?P<type>[^:][^/]*)",
    )
});
static RENAMED: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"serde\([^)]*?\b(?:rename|alias)\s*=\s*"(?P<name>[\w.-]+)""#));
static SKIPPED: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"serde\([^)]*?\bskip(?:_deserializing)?\b\s*[,)]"));
static DEFAULT: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bserde\([^)]*?\bdefault\b(?:\s*=\s*"(?:\w+::)*(?P<function>\w+)")?"#));

fn structs(text: &str) -> Vec<Record<'_>> {
    let heads = STRUCT.all(text, usize::MAX).take(200);
    heads
        .filter_map(|head| {
            let start = head.get(0)?.end();
            Some(Record { name: head.name("name")?.as_str(), fields: fields(text, start) })
        })
        .collect()
}

/// The fields from byte `start` on, with what stands between one and the next as its notes.
fn fields(text: &str, start: usize) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    let (mut at, mut notes) = (start, start);
    let first = line_at(text, start);
    for (line, content) in (first..).zip(text[start..].split_inclusive('\n')).take(2000) {
        let trimmed = content.trim();
        let here = at + (content.len() - content.trim_start().len());
        at += content.len();
        if trimmed.starts_with('}') {
            break;
        }
        if trimmed.starts_with("//") {
            notes = if found.is_empty() || notes == start { at } else { notes };
            continue;
        }
        let Some(field) = FIELD.first(trimmed) else { continue };
        let (Some(name), Some(kind)) = (field.name("name"), field.name("type")) else { continue };
        let (kind, optional) = bare(kind.as_str());
        let own = &text[notes..here + name.start()];
        found.push(Field { name: name.as_str(), kind, notes: own, optional, line, inner: Vec::new() });
        notes = at;
    }
    found
}

/// The name of a type without what is around it, and whether it may be nothing.
fn bare(kind: &str) -> (&str, bool) {
    let mut kind = kind.trim().trim_end_matches(',').trim();
    let mut optional = false;
    while let Some((outer, inner)) = kind.split_once('<') {
        let outer = outer.rsplit("::").next().unwrap_or_default().trim();
        match outer {
            "Option" => optional = true,
            "Arc" | "Box" | "Rc" | "Secret" | "SecretBox" => {}
            _ => return ("", optional),
        }
        kind = inner.trim_end_matches('>').trim();
    }
    (kind.rsplit("::").next().unwrap_or_default(), optional)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::rust::SOURCE;
    use crate::discover::lang::testing::{say, survives, what};

    fn src(text: &str) -> Vec<String> {
        let mut said = what(&[SOURCE], "a/src/configuration.rs", text);
        said.retain(|line| ["env ", "key ", "keys"].iter().any(|start| line.starts_with(start)));
        said
    }

    #[test]
    fn patterns_are_valid() {
        let all = [
            &LITERAL,
            &FIGMENT,
            &CONFIG,
            &ENVY,
            &FILLED,
            &SPLIT,
            &SEPARATOR,
            &PREFIX_SEPARATOR,
            &STRUCT,
            &FIELD,
            &RENAMED,
            &SKIPPED,
            &DEFAULT,
        ];
        assert!(all.iter().all(|pattern| pattern.is_valid()));
    }

    #[test]
    fn libraries_say_prefix_and_separator() {
        for (text, wanted) in [
            ("Figment::new().merge(Env::prefixed(\"APP_\"))", "keys APP_"),
            ("Figment::new().merge(Env::prefixed(\"APP_\").split(\"__\"))", "keys APP_ .>__"),
            ("Figment::from(Env::raw())", "keys"),
            ("b.add_source(Environment::with_prefix(\"app\"))", "keys APP_"),
            ("b.add_source(config::Environment::with_prefix(\"APP\").separator(\"__\"))", "keys APP__ .>__"),
            (
                "b.add_source(Environment::with_prefix(\"APP\")\n  .prefix_separator(\"_\")\n  .separator(\"__\"))",
                "keys APP_ .>__",
            ),
            ("b.add_source(Environment::default().separator(\"__\"))", "keys  .>__"),
            ("envy::prefixed(\"APP_\").from_env::<Config>()?", "keys APP_"),
            ("envy::from_env::<Config>()?", "keys"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn an_environment_of_another_library_reads_no_variables() {
        for text in [
            "use minijinja::Environment;\nlet mut env = Environment::new();",
            "let env = Environment::default();\nenv.add_template(\"a\", \"b\");",
        ] {
            assert!(src(text).is_empty(), "{text}");
        }
        assert_eq!(src("s.merge(config::Environment::new())"), ["keys"]);
    }

    #[test]
    fn fields_of_structs_are_keys() {
        let text = "#[derive(Deserialize)]\npub struct Settings {\n    /// The database: where?\n    pub database: DatabaseSettings,\n    #[serde(flatten)]\n    pub log: Arc<Log>,\n    #[serde(default = \"default_port\")]\n    pub port: u16,\n    pub sentry: Option<String>,\n    #[serde(skip)]\n    pub state: u8,\n}\npub struct DatabaseSettings {\n    #[serde(rename = \"host\")]\n    pub server: String,\n}\nstruct Log {\n    log_level: String,\n}\nfn default_port() -> u16 {\n    3000\n}\nfn load() { Figment::new().merge(Env::prefixed(\"APP_\").split(\"__\")) }\n";
        assert_eq!(
            say(&[SOURCE], "a/src/settings.rs", text)
                .into_iter()
                .filter(|line| line.contains("key"))
                .collect::<Vec<_>>(),
            [
                "8 rust-prefixed-field key port 3000",
                "9 rust-prefixed-field key sentry ",
                "15 rust-prefixed-field key database.host - required",
                "18 rust-prefixed-field key log_level - required",
                "23 rust-prefixed keys APP_ .>__",
            ]
        );
    }

    #[test]
    fn what_files_may_give_is_not_demanded() {
        let text = "struct Config {\n    level: String,\n}\nFigment::new().merge(Toml::file(\"a\")).merge(Env::prefixed(\"APP_\"))";
        assert_eq!(src(text), ["key level -", "keys APP_"]);
    }

    #[test]
    fn sections_that_may_be_left_out_demand_nothing() {
        let text = "struct Config {\n    cache: Option<Cache>,\n    db: Db,\n}\nstruct Cache {\n    url: String,\n}\nstruct Db {\n    url: String,\n}\nFigment::from(Env::raw().split(\"__\"))";
        assert_eq!(src(text), ["key cache.url ", "key db.url - required", "keys  .>__"]);
    }

    #[test]
    fn structs_of_other_files_need_a_plain_name() {
        let text = "#[derive(Deserialize)]\nstruct Settings {\n    level: String,\n}\n#[derive(Deserialize)]\nstruct RetryConfig {\n    max: u8,\n}\n";
        assert_eq!(src(text), ["key level -"]);
        assert!(what(&[SOURCE], "a/src/model.rs", text).is_empty());
    }

    #[test]
    fn hostile_structs_are_survived() {
        survives(&[SOURCE], &["a/src/config.rs"]);
        let _ = src(&("Env::raw()".to_owned() + &"struct Config {\na: Config,\n".repeat(10_000)));
        let _ =
            src(&("Env::raw()\nstruct Config {\n".to_owned() + &"a: Option<Option<Option<\n".repeat(5_000)));
    }
}
