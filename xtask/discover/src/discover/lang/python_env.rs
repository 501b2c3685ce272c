//! Python's libraries that read variables: pydantic's settings, environ, decouple, environs, starlette, dynaconf.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::model::fact::{Naming, What};

use super::records::{Field, Record, walk};
use super::scan::{Comments, Pattern, Words, cut, holds, line_at, uncommented, unquoted};

/// Adds the fields of settings classes, and the calls of the libraries' readers.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    /// One of those below.
    static ANY: Words =
        Words::new(&["BaseSettings", "env", "onfig", "Dynaconf(", "LazySettings(", "settings."]);
    let text = findings.source.text;
    if !ANY.any(text) {
        return;
    }
    if holds(text, "BaseSettings") {
        settings(findings);
    }
    if holds(text, "env") || holds(text, "onfig") {
        calls(findings);
    }
    if holds(text, "Dynaconf(") || holds(text, "LazySettings(") {
        dynaconf(findings);
    }
    if holds(text, "settings.") {
        for found in DYNACONF_KEY.all(text, usize::MAX).take(1000) {
            let Some(key) = found.name("of").or_else(|| found.name("of2")) else { continue };
            let read = Read { name: key.as_str(), ..Read::default() };
            findings.config_key(line_at(text, key.start()), "python-dynaconf", "dynaconf", read);
        }
    }
}

static CLASS: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"(?m)^class[ \t]+(?P<name>\w+)[ \t]*\((?P<bases>[^)]*)\)[ \t]*:"));
static PREFIX: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"env_prefix["']?\s*[=:]\s*["'](?P<prefix>\w*)["']"#));
static DELIMITER: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"env_nested_delimiter["']?\s*[=:]\s*["'](?P<delimiter>[^"'\n]+)["']"#));
static FIELD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"^[ \t]+(?P<name><key>)[ \t]*:[ \t]*(?P<type>[^=#\n]+?)[ \t]*(?:=[ \t]*(?P<value>[^\n]*?))?[ \t\r]*$",
    )
});
static FIELD_DEFAULT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"^(?P<default><lit>)|\bdefault\s*=\s*(?P<default2><lit>)|^Field\(\s*(?P<default3><lit>)")
});
static FIELD_ENV: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?:\benv|validation_alias|alias)\s*=\s*(?:AliasChoices\(\s*|\[\s*)?["'](?P<name><key>)["']"#,
    )
});
/// `Field(...)`, `Field(..., description="x")`, and one that says nothing about a default.
static FIELD_DEMANDED: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"^(?:\w+\.)?Field\(\s*(?:\.\.\.|\)|[a-z_]+\s*=)|^\.\.\.\s*$"));

/// A class with what its own lines say about all of its fields.
struct Class<'t> {
    record: Record<'t>,
    bases: &'t str,
    body: &'t str,
}

/// The fields of pydantic's settings classes: each is a variable of its name in capitals.
fn settings(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let classes: Vec<Class<'_>> = CLASS
        .all(text, usize::MAX)
        .take(200)
        .filter_map(|head| {
            let start = head.get(0)?.end();
            let body = class_body(&text[start..]);
            let record = Record { name: head.name("name")?.as_str(), fields: fields(text, start, body) };
            Some(Class { record, bases: head.name("bases")?.as_str(), body })
        })
        .collect();
    // Once for each class: a file may hold many fields of its kind.
    let of_settings: Vec<&Class<'_>> = classes
        .iter()
        .filter(|class| {
            let mut seen = BTreeSet::new();
            names(class.bases).any(|base| inherits(&classes, base, &mut seen))
        })
        .collect();
    let is_settings = |name: &str| of_settings.iter().any(|class| class.record.name == name);
    let mut records: Vec<Record<'_>> = classes.iter().map(|class| class.record.clone()).collect();
    // A settings class inside another one reads its variables itself, whatever holds it.
    for (record, class) in records.iter_mut().zip(&classes) {
        let reads_itself = |field: &Field<'_>| is_settings(field.kind);
        let is_one = of_settings.iter().any(|other| std::ptr::eq(*other, class));
        if is_one || record.fields.iter().any(reads_itself) {
            record.fields.retain(|field| !reads_itself(field));
        }
    }
    for class in &of_settings {
        let said =
            |pattern: &Pattern, name: &str| of_class(&classes, class, pattern, name, &mut BTreeSet::new());
        let prefix = said(&PREFIX, "prefix").unwrap_or_default();
        let delimiter = said(&DELIMITER, "delimiter");
        walk(&records, |record| record.name == class.record.name, &mut |_, way| {
            field(way, prefix, delimiter, findings);
        });
    }
}

/// Whether `base`, or one of its own bases in this file, is pydantic's; each name is `seen` once.
fn inherits<'t>(classes: &[Class<'t>], base: &'t str, seen: &mut BTreeSet<&'t str>) -> bool {
    base == "BaseSettings"
        || seen.insert(base)
            && classes.iter().any(|class| {
                class.record.name == base && names(class.bases).any(|base| inherits(classes, base, seen))
            })
}

/// Of a class, as far as they are looked at.
const MAX_BASES: usize = 30;

fn names(bases: &str) -> impl Iterator<Item = &str> {
    bases.split(',').take(MAX_BASES).map(|base| base.trim().rsplit('.').next().unwrap_or_default())
}

/// What a class, or the first of its bases in this file that says it, says in its lines or beside its bases;
/// each name is `seen` once.
fn of_class<'t>(
    classes: &[Class<'t>],
    class: &Class<'t>,
    pattern: &Pattern,
    name: &str,
    seen: &mut BTreeSet<&'t str>,
) -> Option<&'t str> {
    let own = |text: &'t str| Some(pattern.first(text)?.name(name)?.as_str());
    let inherited = || {
        names(class.bases).find_map(|base| {
            let base = classes.iter().find(|other| other.record.name == base && seen.insert(base))?;
            of_class(classes, base, pattern, name, seen)
        })
    };
    own(class.bases).or_else(|| own(class.body)).or_else(inherited)
}

fn field(way: &[&Field<'_>], prefix: &str, delimiter: Option<&str>, findings: &mut Findings<'_, '_>) {
    let Some((leaf, above)) = way.split_last() else { return };
    let value = leaf.notes;
    let own = FIELD_ENV.first(value).and_then(|found| found.name("name"));
    let (prefix, name) = match (own, delimiter) {
        (Some(own), _) if above.is_empty() => ("", own.as_str().to_owned()),
        (_, None) if !above.is_empty() => return,
        (_, delimiter) => {
            let parts: Vec<&str> = way.iter().map(|field| field.name).collect();
            (prefix, parts.join(delimiter.unwrap_or_default()))
        }
    };
    let said = FIELD_DEFAULT.first(value);
    let default = said.and_then(|said| {
        ["default", "default2", "default3"].iter().find_map(|name| unquoted(said.name(name)?.as_str()))
    });
    let has_default = holds(value, "default");
    let demanded = value.is_empty() || FIELD_DEMANDED.first(value).is_some() && !has_default;
    let required = demanded && !leaf.optional;
    let (prefix, name) = (prefix.to_ascii_uppercase(), name.to_ascii_uppercase());
    findings.env_below(&prefix, leaf.line, "python-settings", Read { name: &name, default, required });
}

/// The lines after a class's head up to the next one that is not indented.
fn class_body(rest: &str) -> &str {
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        let inside = line.trim().is_empty() || line.starts_with([' ', '\t', '#', ')']);
        if end > 0 && !inside {
            break;
        }
        end += line.len();
    }
    &rest[..end]
}

fn fields<'t>(text: &'t str, start: usize, body: &'t str) -> Vec<Field<'t>> {
    let mut found = Vec::new();
    let mut at = start;
    let mut until = start;
    let mut indent = None;
    for (line, content) in (line_at(text, start)..).zip(body.split_inclusive('\n')) {
        let here = at;
        at += content.len();
        let content = uncommented(content.trim_end_matches(['\n', '\r']), Comments::Hash);
        let own = content.len() - content.trim_start().len();
        if content.trim().is_empty() || here < until || own == 0 || own > *indent.get_or_insert(own) {
            continue;
        }
        let Some(field) = FIELD.first(content).filter(|_| content.len() < 500) else { continue };
        let (Some(name), Some(kind)) = (field.name("name"), field.name("type")) else { continue };
        let kind = kind.as_str();
        if name.as_str() == "model_config"
            || name.as_str().starts_with('_')
            || kind.contains("ClassVar")
            || kind.contains('(') && !kind.contains("Annotated")
            || matches!(name.as_str(), "else" | "try" | "finally" | "lambda")
        {
            continue;
        }
        let notes = field.name("value").map_or("", |value| {
            let whole = balanced(&text[here + value.start()..]);
            until = here + value.start() + whole.len();
            if whole.len() > value.as_str().len() { whole } else { value.as_str() }
        });
        let optional = kind.contains("Optional") || kind.contains("None");
        let kind = kind.split(['[', '|', ' ']).next().unwrap_or_default();
        found.push(Field { name: name.as_str(), kind, notes, optional, line, inner: Vec::new() });
    }
    found
}

/// Up to the end of the line on which all brackets are closed, within what a call takes.
fn balanced(text: &str) -> &str {
    let text = cut(text, 1500);
    let mut depth = 0_i32;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open || byte == b'\n' => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b'\n') if depth <= 0 => return &text[..at],
            _ => {}
        }
    }
    text
}

/// `env("X")`, `env.int("PORT", default=80)`, `config("X", cast=bool, default=False)`.
static CALL: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b(?P<reader>env(?:\.(?P<method>\w+))?|config|decouple\.config)\(\s*["'](?P<name><KEY>)["']\s*(?P<next>[,)])"#,
    )
});
/// The methods of environ that have a variable of their own.
static BARE: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\benv\.(?P<method>db|db_url|cache|cache_url|email|email_url|search_url)\(\s*\)")
});
/// `environ.Env(DEBUG=(bool, False))`, over many lines and with comments between them.
static SCHEME: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\b(?:FileAware)?Env\(\s*(?:#[^\n]*\s*)*(?P<first>[A-Z][A-Z0-9_]*)\s*=\s*\(")
});
static SCHEME_ITEM: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"(?m)(?:^|[(,])[ \t]*(?P<name><KEY>)\s*=\s*\([^(),]*,\s*(?P<default><lit>)?")
});
/// A longer scheme is not read to its end.
const MAX_SCHEME: usize = 60_000;
static PREFIXED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"(?m)^(?P<indent>[ \t]*)with[ \t]+\w+\.prefixed\(\s*["'](?P<prefix>\w+)["']\s*\)[^\n]*$"#)
});
static STARLETTE: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bConfig\([^)\n]*?\benv_prefix\s*=\s*["'](?P<prefix>\w+)["']"#));
static DEFAULT: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"\bdefault\s*=\s*(?P<default><lit>)"));
static POSITIONAL: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"^\s*(?P<default><lit>)\s*[,)]"));

fn calls(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let prefixes = prefixed(text);
    let starlette =
        STARLETTE.first(text).and_then(|found| found.name("prefix")).map_or("", |name| name.as_str());
    // What ends the program where nothing is set; other functions are called so, too.
    let is_library = ["environ", "decouple", "starlette"].iter().any(|library| holds(text, library));
    let declared = schemes(findings);
    for call in CALL.all(text, usize::MAX).take(2000) {
        let (Some(reader), Some(name), Some(next)) =
            (call.name("reader"), call.name("name"), call.name("next"))
        else {
            continue;
        };
        if is_comment(text, reader.start()) {
            continue;
        }
        let rest = if next.as_str() == "," { balanced_call(&text[next.end()..]) } else { "" };
        let is_config = reader.as_str().ends_with("config");
        let of = |pattern: &Pattern| Some(pattern.first(rest)?.name("default")?.as_str());
        // The second argument of `config` is not its default.
        let default = of(&DEFAULT).or_else(|| of(&POSITIONAL).filter(|_| !is_config));
        let has_default = default.is_some()
            || rest.contains("default")
            || !is_config && !rest.trim().is_empty() && !is_named(rest);
        let around = prefixes.iter().filter(|(from, to, _)| (*from..*to).contains(&reader.start()));
        let mut prefix: String = around.map(|(_, _, prefix)| *prefix).collect();
        if is_config {
            prefix.push_str(starlette);
        }
        let method = call.name("method").map_or("", |method| method.as_str());
        if matches!(method, "read_env" | "prefixed" | "set" | "update") {
            continue;
        }
        let has_default = has_default || declared.contains(name.as_str());
        let required = is_library && !has_default && !matches!(method, "get" | "setdefault" | "pop");
        let rule = if is_config { "python-config" } else { "python-env" };
        let read = Read { name: name.as_str(), default: default.and_then(unquoted), required };
        findings.env_below(&prefix, line_at(text, name.start()), rule, read);
    }
    for found in BARE.all(text, usize::MAX).take(20) {
        let Some(method) = found.name("method").filter(|_| holds(text, "environ")) else { continue };
        let name = match method.as_str().split('_').next() {
            Some("db") => "DATABASE_URL",
            Some("cache") => "CACHE_URL",
            Some("email") => "EMAIL_URL",
            _ => "SEARCH_URL",
        };
        findings.env(
            line_at(text, method.start()),
            "python-env",
            Read { name, default: None, required: true },
        );
    }
}

/// Adds the variables that environ is told with their types and defaults, and returns their names.
fn schemes<'t>(findings: &mut Findings<'t, '_>) -> BTreeSet<&'t str> {
    let text = findings.source.text;
    let mut declared = BTreeSet::new();
    for scheme in SCHEME.all(text, usize::MAX).take(5) {
        let Some(first) = scheme.name("first") else { continue };
        let body = closed(&text[first.start()..], MAX_SCHEME);
        for item in SCHEME_ITEM.all(body, usize::MAX).take(1000) {
            let Some(name) = item.name("name") else { continue };
            // The type has to stand there with a default; an empty one says that there is none.
            let default = item.name("default").and_then(|default| unquoted(default.as_str()));
            let default = default.filter(|default| !default.is_empty());
            let line = line_at(text, first.start() + name.start());
            findings.env(line, "python-env", Read { name: name.as_str(), default, required: false });
            declared.insert(name.as_str());
        }
    }
    declared
}

/// `cast=bool`: the next argument has a name.
fn is_named(rest: &str) -> bool {
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    rest[end..].trim_start().starts_with('=')
}

/// The arguments up to the bracket that closes the call.
fn balanced_call(text: &str) -> &str {
    closed(text, 400)
}

/// The same within the first `most` bytes.
fn closed(text: &str, most: usize) -> &str {
    let text = cut(text, most);
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return &text[..=at],
            b')' => depth -= 1,
            _ => {}
        }
    }
    text
}

fn is_comment(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    uncommented(&text[start..at], Comments::Hash).len() < at - start
}

/// The blocks below `with env.prefixed("APP_"):`, with their prefixes.
fn prefixed(text: &str) -> Vec<(usize, usize, &str)> {
    let heads = PREFIXED.all(text, usize::MAX).take(100);
    heads
        .filter_map(|head| {
            let (whole, indent, prefix) = (head.get(0)?, head.name("indent")?, head.name("prefix")?);
            let mut end = whole.end();
            let body = text[whole.end()..].split_inclusive('\n').skip(1);
            end += text[end..].find('\n').map_or(0, |line| line + 1);
            for line in body {
                let own = line.len() - line.trim_start().len();
                if !line.trim().is_empty() && own <= indent.as_str().len() {
                    break;
                }
                end += line.len();
            }
            Some((whole.end(), end, prefix.as_str()))
        })
        .collect()
}

static DYNACONF_PREFIX: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\benvvar_prefix\s*=\s*(?:["'](?P<prefix>\w*)["']|(?P<none>False|None))"#)
});
static DYNACONF_KEY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\bsettings\.(?:(?P<of>[A-Z][A-Z0-9_]*(?:\.[A-Z][A-Z0-9_]*)*)\b|(?:get|as_\w+)\(\s*["'](?P<of2>[\w.]+)["'])"#,
    )
});

/// Its variables have the prefix `DYNACONF_` unless it is told otherwise; `__` leads into a section.
fn dynaconf(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let Some(at) = text.find("Dynaconf(").or_else(|| text.find("LazySettings(")) else { return };
    let call = cut(&text[at..], 1500);
    let prefix = match DYNACONF_PREFIX.first(call) {
        Some(found) => found.name("prefix").map(|prefix| prefix.as_str()).filter(|prefix| !prefix.is_empty()),
        None => Some("DYNACONF"),
    };
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{}_", prefix.to_ascii_uppercase()));
    let mut replaced = Vec::new();
    if holds(call, "environments") {
        // The sections of its files are places, `default` the one for all.
        replaced.push(("default.".to_owned(), String::new()));
    }
    replaced.push((".".to_owned(), "__".to_owned()));
    let naming = Naming { library: "dynaconf", prefix, replaced, of_files: true };
    findings.add(line_at(text, at), "python-dynaconf", What::KeysFromVariables(naming));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::python::SOURCE;
    use crate::discover::lang::testing::{say, survives, what};

    fn src(text: &str) -> Vec<String> {
        let mut said = what(&[SOURCE], "a/config.py", text);
        said.retain(|line| ["env ", "key ", "keys", "port "].iter().any(|start| line.starts_with(start)));
        said
    }

    fn class(body: &str) -> Vec<String> {
        src(&format!("from pydantic_settings import BaseSettings\n\nclass Settings(BaseSettings):\n{body}\n"))
    }

    #[test]
    fn patterns_are_valid() {
        let all = [
            &CLASS,
            &PREFIX,
            &DELIMITER,
            &FIELD,
            &FIELD_DEFAULT,
            &FIELD_ENV,
            &FIELD_DEMANDED,
            &CALL,
            &BARE,
            &SCHEME,
            &SCHEME_ITEM,
            &PREFIXED,
            &STARLETTE,
            &DEFAULT,
            &POSITIONAL,
            &DYNACONF_PREFIX,
            &DYNACONF_KEY,
        ];
        assert!(all.iter().all(|pattern| pattern.is_valid()));
    }

    #[test]
    fn fields_of_settings_classes_are_variables() {
        let text = "from pydantic_settings import BaseSettings\n\nclass Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='APP_')\n    url: str\n    level: str = 'info'\n    key: str = Field(..., env='API_KEY')\n    note: str | None\n\n    def f(self, a: str):\n        b: int = 1\n\nx: int = 1\n";
        assert_eq!(
            say(&[SOURCE], "a/c.py", text),
            [
                "5 python-settings env APP_URL - required",
                "6 python-settings env APP_LEVEL info",
                "7 python-settings env API_KEY - required",
                "8 python-settings env APP_NOTE -",
            ]
        );
    }

    #[test]
    fn fields_say_default_name_and_need() {
        for (body, wanted) in [
            ("    level: str = 'info'  # why", "env LEVEL info"),
            ("    level: str = Field('info', description='x')", "env LEVEL info"),
            ("    level: str = Field(default='info')", "env LEVEL info"),
            ("    level: str = Field(description='x')", "env LEVEL - required"),
            (
                "    level: str = Field(\n        ...,\n        description='x',\n    )",
                "env LEVEL - required",
            ),
            (
                "    level: str = Field(\n        default='info',\n        validation_alias='LOG_LEVEL',\n    )",
                "env LOG_LEVEL info",
            ),
            ("    level: str = Field(alias='LOG_LEVEL')", "env LOG_LEVEL - required"),
            (
                "    level: str = Field(validation_alias=AliasChoices('LOG_LEVEL', 'LEVEL'))",
                "env LOG_LEVEL - required",
            ),
            ("    level: list[str] = Field(default_factory=list)", "env LEVEL -"),
            ("    level: Optional[str] = None", "env LEVEL "),
            ("    level: str = other()", "env LEVEL -"),
        ] {
            assert_eq!(class(body), [wanted], "{body}");
        }
        assert!(class("    _own: int = 1\n    kind: ClassVar[str] = 'x'").is_empty());
    }

    #[test]
    fn ports_below_a_prefix_are_the_services_own() {
        assert_eq!(
            class("    port: int = 8000\n    class Config:\n        env_prefix = 'shop_'"),
            ["env SHOP_PORT 8000", "port 8000 Listen by SHOP_PORT"]
        );
    }

    #[test]
    fn models_inside_are_reached_by_their_delimiter() {
        let models = "class Db(BaseModel):\n    host: str\n    port: int = 5432\n";
        let settings = |config: &str| {
            src(&format!(
                "{models}\nclass Settings(BaseSettings):\n    model_config = SettingsConfigDict({config})\n    db: Db\n"
            ))
        };
        assert_eq!(
            settings("env_prefix='APP_', env_nested_delimiter='__'"),
            ["env APP_DB__HOST - required", "env APP_DB__PORT 5432"]
        );
        assert!(settings("env_prefix='APP_'").is_empty());
    }

    #[test]
    fn classes_of_their_own_and_bases_are_followed() {
        let text = "class Base(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='APP_')\n\nclass Db(Base):\n    host: str\n\nclass Settings(BaseSettings):\n    db: Db = Db()\n    level: str = 'info'\n";
        assert_eq!(src(text), ["env APP_HOST - required", "env LEVEL info"]);
    }

    #[test]
    fn readers_say_default_and_need() {
        for (text, wanted) in [
            ("import environ\nx = env('LEVEL')", "env LEVEL - required"),
            ("x = env('LEVEL', default='info')", "env LEVEL info"),
            ("from environs import Env\nx = env.int('MAX', 10)", "env MAX 10"),
            ("from environs import Env\nx = env.list('HOSTS', default=[])", "env HOSTS -"),
            ("from environs import Env\nx = env.int('MAX', validate=ok)", "env MAX - required"),
            ("from decouple import config\nx = config('LEVEL')", "env LEVEL - required"),
            ("from decouple import config\nx = config('DEBUG', default=False, cast=bool)", "env DEBUG False"),
            (
                "from decouple import config\nx = config(\n    'LEVEL',\n    cast=str,\n    default='info',\n)",
                "env LEVEL info",
            ),
            ("from decouple import config\nx = config('HOSTS', cast=Csv(), default='a,b')", "env HOSTS a,b"),
            (
                "from starlette.config import Config\nconfig = Config('.env', env_prefix='APP_')\nx = config('LEVEL', cast=str)",
                "env APP_LEVEL - required",
            ),
            ("import environ\nenv = environ.Env(DEBUG=(bool, False))", "env DEBUG False"),
            (
                "import environ\nenv = environ.FileAwareEnv(\n    # casting\n    LEVEL=(str, 'info'),\n)",
                "env LEVEL info",
            ),
            ("import environ\nx = {'default': env.db()}", "env DATABASE_URL - required"),
            ("x = config('LEVEL')", "env LEVEL -"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
        assert!(src("# x = env('LEVEL')").is_empty());
    }

    #[test]
    fn blocks_give_their_prefix() {
        let text = "from environs import Env\nwith env.prefixed('APP_'):\n    x = env('LEVEL', 'info')\n    with env.prefixed('DB_'):\n        y = env('HOST')\nz = env('Z_Z', '')\n";
        assert_eq!(src(text), ["env APP_LEVEL info", "env APP_DB_HOST - required", "env Z_Z "]);
    }

    #[test]
    fn dynaconf_names_variables_below_its_prefix() {
        let text = "settings = Dynaconf(\n    envvar_prefix='SHOP',\n    settings_files=['settings.toml'],\n)\nx = settings.DB.HOST\ny = settings.get('level')\n";
        assert_eq!(src(text), ["keys SHOP_ .>__", "key DB.HOST -", "key level -"]);
        assert_eq!(src("settings = Dynaconf()"), ["keys DYNACONF_ .>__"]);
    }

    #[test]
    fn hostile_classes_are_survived() {
        survives(&[SOURCE], &["a/config.py"]);
        let _ = src(&"class A(A, BaseSettings):\n    a: A\n".repeat(3_000));
        let _ = src(&("class A(BaseSettings):\n".to_owned() + &"    a: A = Field((((\n".repeat(3_000)));
        let many = format!("class A({}BaseSetting):\n    a: A\n", "A,".repeat(20));
        let _ = src(&format!("{many}class B({}BaseSettings):\n    a: A\n", "B,A,".repeat(20)));
        let wide = |class| {
            let bases: String = (0..700).map(|base| format!("B{class}x{base},")).collect();
            format!("class A{class}(A{}, {bases}):\n    a: A0\n", class + 1)
        };
        let started = std::time::Instant::now();
        let _ = src(&("# BaseSettings\n".to_owned() + &(0..199).map(wide).collect::<String>()));
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        let _ = src(&"with env.prefixed('A'):\n env('AA'".repeat(3_000));
    }
}
