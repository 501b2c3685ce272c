//! Go's libraries that fill a configuration from variables: by the tags of structs (`env`, `envconfig`, `cleanenv`,
//! `conf`) and by flags (`cli`, `ff`); `go_keys` reads those that have keys.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};

use super::go_keys;
use super::records::{Field, MAX_DEPTH, Record, walk, words};
use super::scan::{Comments, Pattern, Words, cut, holds, line_at, uncommented, unquoted};

/// Adds what the file's structs, keys and flags say.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    /// One of those below.
    static ANY: Words =
        Words::new(&["env:\"", "envconfig", "conf:\"", "mapstructure:\"", "koanf", "viper", "EnvVar"]);
    let text = findings.source.text;
    if !ANY.any(text) {
        return;
    }
    let has = |needles: &[&str]| needles.iter().any(|needle| holds(text, needle));
    if has(&["env:\"", "envconfig:\"", "conf:\"", "mapstructure:\"", "koanf:\"", "envconfig."]) {
        tags(findings);
    }
    if has(&["viper"]) {
        go_keys::viper(findings);
    }
    if has(&["koanf"]) {
        go_keys::koanf(findings);
    }
    if has(&["EnvVar"]) {
        flags_of_cli(findings);
    }
    if has(&["ff.WithEnvVar"]) {
        flags_of_ff(findings);
    }
}

/// A struct's head, also of one that is a variable's type.
static HEAD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"(?m)^[ \t]*(?:type[ \t]+|var[ \t]+)?(?P<name>\w+)(?:\[[^\]\n]*\])?[ \t]*(?::?=)?[ \t]*struct[ \t]*\{[ \t]*(?://[^\n]*)?\r?$",
    )
});
/// `envconfig.Process("shop", &config)`, `conf.Parse("SHOP", &config)`.
static PROCESS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b(?P<library>envconfig\.(?:Must)?Process|conf\.Parse)\(\s*(?P<prefix>"[^"\n]*"|[A-Za-z_]\w*)\s*,\s*&"#,
    )
});
/// The prefix of all variables: `env.Options{Prefix: "SHOP_"}`, `envconfig.PrefixLookuper("SHOP_", …)`.
static PREFIX: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\bOptions\{[^}]*?\bPrefix:\s*"(?P<prefix>\w+)"|\bPrefixLookuper\(\s*"(?P<prefix2>\w+)""#)
});

fn structs(text: &str) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    let mut end = 0;
    for head in HEAD.all(text, usize::MAX).take(300) {
        let (Some(whole), Some(name)) = (head.get(0), head.name("name")) else { continue };
        if whole.start() < end {
            continue;
        }
        let mut lines = (line_at(text, whole.end())..).zip(text[whole.end()..].split_inclusive('\n'));
        // What is left of the head's own line.
        lines.next();
        let mut taken = whole.end();
        let mut lines = lines.inspect(|(_, line)| taken += line.len());
        let (fields, _) = fields(&mut lines, 0);
        drop(lines);
        end = taken;
        records.push(Record { name: name.as_str(), fields });
    }
    records
}

/// The fields up to the brace that closes, and the tag behind it.
fn fields<'t>(lines: &mut dyn Iterator<Item = (u32, &'t str)>, depth: usize) -> (Vec<Field<'t>>, &'t str) {
    let mut found = Vec::new();
    while let Some((line, text)) = lines.next() {
        let text = uncommented(text, Comments::Slash).trim();
        if text.starts_with('}') {
            return (found, tag_of(text).1);
        }
        let anonymous = text.strip_suffix('{').and_then(|text| text.trim_end().strip_suffix("struct"));
        match anonymous {
            Some(before) if depth < MAX_DEPTH => {
                let (inner, notes) = fields(lines, depth + 1);
                let name = before.split_whitespace().next().unwrap_or_default();
                // A list of them has no variable for each.
                if !before.contains('[') {
                    found.push(Field { name, notes, line, inner, ..Field::default() });
                }
            }
            Some(_) => return (found, ""),
            None => field(text, line, &mut found),
        }
    }
    (found, "")
}

fn field<'t>(text: &'t str, line: u32, found: &mut Vec<Field<'t>>) {
    let (before, notes) = tag_of(text);
    let mut names: Vec<&str> = Vec::new();
    let mut rest = before.split_whitespace();
    for word in rest.by_ref() {
        names.push(word.trim_end_matches(','));
        if !word.ends_with(',') {
            break;
        }
    }
    let kind = rest.next();
    if names.iter().any(|name| name.is_empty() || name.contains('(')) {
        return;
    }
    match kind {
        Some(kind) => {
            let optional = kind.starts_with('*');
            let kind = kind.trim_start_matches('*');
            let kind = if kind.starts_with(['[', 'm']) && kind.contains('[') { "" } else { kind };
            found.extend(names.into_iter().map(|name| Field {
                name,
                kind,
                notes,
                optional,
                line,
                inner: Vec::new(),
            }));
        }
        // Embedded: its fields are the struct's own.
        None => {
            let kind = names.first().map_or("", |name| name.trim_start_matches('*'));
            let kind = kind.rsplit('.').next().unwrap_or_default();
            found.push(Field { kind, notes, line, ..Field::default() });
        }
    }
}

/// What stands before a tag, and the tag without its quotes.
fn tag_of(text: &str) -> (&str, &str) {
    match text.split_once('`') {
        Some((before, rest)) => (before, rest.rsplit_once('`').map_or("", |(tag, _)| tag)),
        None => (text, ""),
    }
}

/// The value of a key in a tag: `info` of `default` in `env:"LEVEL" default:"info"`.
fn tag<'t>(notes: &'t str, key: &str) -> Option<&'t str> {
    let mut from = 0;
    loop {
        let at = from + notes[from..].find(key)?;
        from = at + key.len();
        let rest = notes[from..].strip_prefix(":\"");
        if let Some(rest) = rest.filter(|_| at == 0 || notes[..at].ends_with([' ', '\t'])) {
            return rest.find('"').map(|end| &rest[..end]);
        }
    }
}

fn is_true(notes: &str, key: &str) -> bool {
    tag(notes, key).is_some_and(|value| matches!(value, "true" | "1" | "t" | "T" | "yes" | ""))
}

/// `LEVEL,required`, `LEVEL, default=info`: the name, and what follows it.
struct Options<'t> {
    name: &'t str,
    default: Option<&'t str>,
    prefix: Option<&'t str>,
    required: bool,
}

fn options(value: &str) -> Options<'_> {
    let (name, rest) = value.split_once(',').unwrap_or((value, ""));
    let mut found = Options { name: name.trim(), default: None, prefix: None, required: false };
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        // A default may hold commas: it goes up to the end.
        if let Some(default) = rest.strip_prefix("default=") {
            let end = default.find(",required").or_else(|| default.find(", ")).unwrap_or(default.len());
            found.default = Some(default[..end].trim());
            rest = default[end..].trim_start_matches(',').trim_start();
            continue;
        }
        let (one, more) = rest.split_once(',').unwrap_or((rest, ""));
        match one.trim() {
            "required" | "notEmpty" | "required=true" => found.required = true,
            other => found.prefix = found.prefix.or(other.strip_prefix("prefix=")),
        }
        rest = more.trim_start();
    }
    found
}

/// How the file's structs are filled, as far as the file says.
#[derive(Default)]
struct Filled<'t> {
    /// Before the names in `env` tags.
    prefix: &'t str,
    /// The first argument of `envconfig.Process`.
    envconfig: Option<&'t str>,
    /// That of `conf.Parse`.
    conf: Option<&'t str>,
}

fn tags(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let mut filled = Filled::default();
    if let Some(found) = PREFIX.first(text) {
        filled.prefix =
            found.name("prefix").or_else(|| found.name("prefix2")).map_or("", |prefix| prefix.as_str());
    }
    for call in PROCESS.all(text, usize::MAX).take(10) {
        let (Some(library), Some(prefix)) = (call.name("library"), call.name("prefix")) else { continue };
        let Some(prefix) = literal(text, prefix.as_str()) else { continue };
        let which =
            if library.as_str().starts_with("conf.") { &mut filled.conf } else { &mut filled.envconfig };
        which.get_or_insert(prefix);
    }
    let records = structs(text);
    walk(&records, |_| true, &mut |root, way| filled.field(root, way, findings));
}

/// What an argument says: a literal, or the constant of this file that it names.
pub(super) fn literal<'t>(text: &'t str, argument: &'t str) -> Option<&'t str> {
    if let Some(inner) = unquoted(argument) {
        return Some(inner);
    }
    let mut lines = text.lines().take(2000);
    lines.find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.trim().trim_start_matches("const ").trim().trim_end_matches(':').trim();
        (name.split_whitespace().next() == Some(argument)).then(|| unquoted(value)).flatten()
    })
}

impl Filled<'_> {
    fn field(&self, root: &Record<'_>, way: &[&Field<'_>], findings: &mut Findings<'_, '_>) {
        let Some((leaf, above)) = way.split_last() else { return };
        let notes = leaf.notes;
        if let Some(value) = tag(notes, "env") {
            self.env(value, leaf, above, findings);
        } else if let (Some(value), Some(namespace)) = (tag(notes, "conf"), self.conf) {
            conf(namespace, value, leaf, above, findings);
        } else if tag(notes, "envconfig").is_some() || self.envconfig.is_some() {
            self.of_envconfig(root, leaf, above, findings);
        } else {
            key(root, leaf, above, findings);
        }
    }

    /// The many libraries that name a variable in the tag `env`; those around a struct give a prefix.
    fn env(&self, value: &str, leaf: &Field<'_>, above: &[&Field<'_>], findings: &mut Findings<'_, '_>) {
        let said = options(value);
        // Names in small letters are fields of something else, which is written in such a tag, too.
        let is_variable =
            said.name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if said.name.is_empty() || !is_variable {
            return;
        }
        let mut name = String::new();
        for field in above {
            let prefix =
                ["envPrefix", "env-prefix", "envprefix"].iter().find_map(|key| tag(field.notes, key));
            let prefix = prefix.or_else(|| options(tag(field.notes, "env")?).prefix);
            name.push_str(prefix.unwrap_or_default());
            if let Some(namespace) = tag(field.notes, "env-namespace") {
                name.push_str(&format!("{namespace}_"));
            }
        }
        name.push_str(said.name);
        let default = ["envDefault", "env-default", "default"].iter().find_map(|key| tag(leaf.notes, key));
        // The library reads a file first, whose key satisfies it as well as a variable, and an empty one fails.
        let in_file =
            ["yaml", "toml", "json"].iter().any(|key| tag(leaf.notes, key).is_some_and(|key| key != "-"));
        let required = said.required
            || is_true(leaf.notes, "required")
            || is_true(leaf.notes, "env-required") && !in_file;
        let default = said.default.or(default);
        findings.env_below(self.prefix, leaf.line, "go-env-tag", Read { name: &name, default, required });
    }

    /// envconfig: the names of the fields, below the prefix that the program gives.
    fn of_envconfig(
        &self,
        root: &Record<'_>,
        leaf: &Field<'_>,
        above: &[&Field<'_>],
        findings: &mut Findings<'_, '_>,
    ) {
        let own = ["envconfig", "split_words", "required", "default"];
        let is_told = own.iter().any(|key| tag(leaf.notes, key).is_some()) || is_configuration(root.name);
        let is_public = leaf.name.starts_with(|c: char| c.is_ascii_uppercase());
        if is_true(leaf.notes, "ignored") || !is_told || !is_public {
            return;
        }
        let part = |field: &Field<'_>| {
            let said = tag(field.notes, "envconfig").map(|value| options(value).name);
            match said.filter(|name| !name.is_empty()) {
                Some(name) => name.to_ascii_uppercase(),
                None if is_true(field.notes, "split_words") => words(field.name),
                None => field.name.to_ascii_uppercase(),
            }
        };
        let said = tag(leaf.notes, "envconfig").map(options);
        let (prefix, name) = match self.envconfig {
            Some(prefix) => {
                let above = above.iter().filter(|field| !field.name.is_empty()).map(|field| part(field));
                let parts: Vec<String> = above.chain([part(leaf)]).collect();
                (below(prefix), parts.join("_"))
            }
            // A name in a tag is read as it is, too, whatever the prefix.
            None => (String::new(), part(leaf)),
        };
        let default = tag(leaf.notes, "default").or(said.as_ref().and_then(|said| said.default));
        let required = is_true(leaf.notes, "required") || said.is_some_and(|said| said.required);
        findings.env_below(&prefix, leaf.line, "go-env-tag", Read { name: &name, default, required });
    }
}

/// `SHOP_` for the prefix `shop`.
pub(super) fn below(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{}_", prefix.to_ascii_uppercase()) }
}

/// `conf:"default:0.0.0.0:3000,env:HOST"`: the names of the fields in words, below the namespace.
fn conf(
    namespace: &str,
    value: &str,
    leaf: &Field<'_>,
    above: &[&Field<'_>],
    findings: &mut Findings<'_, '_>,
) {
    if value == "-" || value.split(',').any(|one| one == "args") {
        return;
    }
    let option = |key: &str| value.split(',').find_map(|one| one.trim().strip_prefix(key));
    let ways = above.iter().chain([&leaf]).filter(|field| !field.name.is_empty());
    let parts: Vec<String> = match option("env:") {
        Some(name) => vec![name.to_owned()],
        None => ways.map(|field| words(field.name)).collect(),
    };
    let required = value.split(',').any(|one| one.trim() == "required");
    let read = Read { name: &parts.join("_"), default: option("default:"), required };
    findings.env_below(&below(namespace), leaf.line, "go-env-tag", read);
}

/// A struct into which viper or koanf put their keys.
fn key(root: &Record<'_>, leaf: &Field<'_>, above: &[&Field<'_>], findings: &mut Findings<'_, '_>) {
    let library = ["mapstructure", "koanf"].into_iter().find(|key| tag(leaf.notes, key).is_some());
    let Some(library) = library.filter(|_| is_configuration(root.name)) else { return };
    // A struct that one of another file may hold has no keys of its own.
    let is_plain = ["Config", "Configuration", "AppConfig", "Conf", "Settings", "Env", "Environment"]
        .contains(&root.name);
    if !is_plain && !["viper", "koanf"].iter().any(|library| holds(findings.source.text, library)) {
        return;
    }
    let part = |field: &Field<'_>| {
        let said = tag(field.notes, library).map(|value| options(value).name);
        // `,squash`: its keys are those of the struct around it.
        said.map_or_else(|| field.name.to_ascii_lowercase(), str::to_owned)
    };
    let parts: Vec<String> = above.iter().map(|field| part(field)).chain([part(leaf)]).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if parts.contains(&"-") {
        return;
    }
    let library = if library == "koanf" { "koanf" } else { "viper" };
    let read = Read { name: &parts.join("."), ..Read::default() };
    findings.config_key(leaf.line, "go-config-tag", library, read);
}

/// Whether a struct is called like one that holds a configuration.
fn is_configuration(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["conf", "cfg", "setting", "option", "env", "spec"].iter().any(|word| lower.contains(word))
}

/// `EnvVars: []string{"PORT"}`, `EnvVar: "PORT"`, `Sources: cli.EnvVars("PORT")`.
static CLI: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\b(?:EnvVars?\s*:\s*(?:\[\]string\{\s*)?|cli\.EnvVars\(\s*)"(?P<name><key>)""#)
});
static CLI_VALUE: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\bValue\s*:\s*(?P<default><lit>)|\b(?P<required>Required)\s*:\s*true"));
/// A flag with its help is shorter.
const MAX_FLAG: usize = 1500;

fn flags_of_cli(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for found in CLI.all(text, usize::MAX).take(500) {
        let Some(name) = found.name("name") else { continue };
        let flag = around(text, name.start());
        let (mut default, mut required) = (None, false);
        for said in CLI_VALUE.all(flag, usize::MAX) {
            default = default.or_else(|| unquoted(said.name("default")?.as_str()));
            required |= said.name("required").is_some();
        }
        let read = Read { name: name.as_str(), default, required };
        findings.env(line_at(text, name.start()), "go-cli", read);
    }
}

/// The literal of the flag around byte `at`, from its `Flag{` up to the next one.
fn around(text: &str, at: usize) -> &str {
    let mut from = at.saturating_sub(MAX_FLAG);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let from = text[from..at].rfind("Flag{").map_or(at, |start| from + start + "Flag{".len());
    let rest = cut(&text[from..], MAX_FLAG);
    rest.find("Flag{").map_or(rest, |end| &rest[..end])
}

static FF_PREFIX: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bff\.WithEnvVarPrefix\(\s*"(?P<prefix>\w+)""#));
static FF_FLAG: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b\w*(?:fs|[fF]lag[sS]?(?:et)?)\.(?:String|Int|Int64|Uint|Bool|Duration|Float64)(?:Var)?\(\s*(?:&[\w.]+\s*,\s*)?"(?P<of>[\w.-]+)"\s*,\s*(?P<default><lit>)?"#,
    )
});

/// Each flag is a variable, below the prefix that the program gives.
fn flags_of_ff(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let prefix = FF_PREFIX.first(text).and_then(|found| found.name("prefix"));
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{}_", prefix.as_str()));
    for flag in FF_FLAG.all(text, usize::MAX).take(500) {
        let Some(key) = flag.name("of") else { continue };
        let name = format!("{prefix}{}", key.as_str().replace(['-', '.'], "_")).to_ascii_uppercase();
        let default = flag.name("default").and_then(|default| unquoted(default.as_str()));
        let read = Read { name: &name, default, required: false };
        findings.env(line_at(text, key.start()), "go-ff", read);
    }
}

#[cfg(test)]
mod tests;
