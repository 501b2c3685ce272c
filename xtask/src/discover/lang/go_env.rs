//! Go's libraries that fill a configuration from variables: by the tags of structs (`env`, `envconfig`, `cleanenv`,
//! `conf`), by keys (`viper`, `koanf`), and by flags (`cli`, `ff`).

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::model::fact::{Naming, What};

use super::records::{Field, MAX_DEPTH, Record, walk, words};
use super::scan::{Comments, Pattern, cut, holds, line_at, uncommented, unquoted};

/// Adds what the file's structs, keys and flags say.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let has = |needles: &[&str]| needles.iter().any(|needle| holds(text, needle));
    if has(&["env:\"", "envconfig:\"", "conf:\"", "mapstructure:\"", "koanf:\"", "envconfig."]) {
        tags(findings);
    }
    if has(&["viper"]) {
        viper(findings);
    }
    if has(&["koanf"]) {
        koanf(findings);
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
fn literal<'t>(text: &'t str, argument: &'t str) -> Option<&'t str> {
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
        if said.name.is_empty() || said.name == "-" {
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
        let required =
            said.required || ["required", "env-required"].iter().any(|key| is_true(leaf.notes, key));
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
fn below(prefix: &str) -> String {
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

static VIPER_PREFIX: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bSetEnvPrefix\(\s*(?P<prefix>"[^"\n]*"|[A-Za-z_]\w*)\s*\)"#));
static REPLACER: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\bSetEnvKeyReplacer\(\s*strings\.NewReplacer\((?P<pairs>(?:\s*(?:"[^"\n]*"|`[^`\n]*`)\s*,?)*)\)"#,
    )
});
static VIPER_KEY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b(?:v|vp|\w*[vV]iper\w*)\.(?:Get(?:String|Int|Int32|Int64|Uint|Uint16|Bool|Duration|Float64|StringSlice)?|IsSet|(?P<default_of>SetDefault)|BindPFlag)\(\s*"(?P<of>[\w.-]+)"\s*(?:,\s*(?P<default><lit>))?"#,
    )
});
static VIPER_BIND: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\.(?:Must)?BindEnv\(\s*"(?P<of>[\w.-]+)"(?:\s*,\s*"(?P<name><key>)")?"#)
});

fn viper(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let said = VIPER_PREFIX.first(text);
    let prefix =
        said.as_ref().map(|found| found.name("prefix").and_then(|name| literal(text, name.as_str())));
    let prefix = match prefix {
        // Which prefix it is, stands elsewhere.
        Some(None) => return,
        Some(Some(prefix)) => below(prefix),
        None => String::new(),
    };
    let pairs = REPLACER.first(text).and_then(|found| found.name("pairs")).map_or("", |pairs| pairs.as_str());
    let pairs: Vec<&str> = pairs.split(',').filter_map(unquoted).collect();
    let replaced = pairs.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
    let naming = Naming { library: "viper", prefix, replaced, of_files: true };
    for bound in VIPER_BIND.all(text, usize::MAX).take(1000) {
        let Some(key) = bound.name("of") else { continue };
        let line = line_at(text, key.start());
        let name = match bound.name("name") {
            Some(name) => Some(name.as_str().to_owned()),
            None => naming.variable(key.as_str()),
        };
        if let Some(name) = name {
            findings.env(line, "go-viper", Read { name: &name, ..Read::default() });
        }
    }
    if let Some(at) = text.find("AutomaticEnv(") {
        findings.add(line_at(text, at), "go-viper", What::KeysFromVariables(naming));
    }
    for found in VIPER_KEY.all(text, usize::MAX).take(2000) {
        let Some(key) = found.name("of") else { continue };
        let default = found.name("default_of").and(found.name("default"));
        let default = default.and_then(|default| unquoted(default.as_str()));
        let read = Read { name: key.as_str(), default, required: false };
        findings.config_key(line_at(text, key.start()), "go-viper", "viper", read);
    }
}

/// `env.Provider("SHOP_", ".", func…)`, and since version 2 `env.Provider(".", env.Opt{Prefix: "SHOP_", …})`.
static KOANF: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r#"\benv\.Provider(?:WithValue)?\(\s*"(?P<first>[^"\n]*)"\s*,\s*(?:"(?P<second>[^"\n]*)")?"#)
});
static KOANF_PREFIX: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r#"\bPrefix:\s*"(?P<prefix>\w*)""#));
static KOANF_REPLACES: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#""(?P<separator>__?)"\s*,\s*"\.""#));
static KOANF_KEY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b(?:k|ko|\w*[kK]oanf\w*)\.(?:Must)?(?:String|Int|Int64|Bool|Duration|Float64|Strings|Exists)\(\s*"(?P<of>[\w.-]+)"\s*\)"#,
    )
});

fn koanf(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    if let Some(found) = KOANF.first(text)
        && let (Some(whole), Some(first)) = (found.get(0), found.name("first"))
    {
        let call = cut(&text[whole.start()..], 800);
        let group =
            |pattern: &Pattern, name: &str| Some(pattern.first(call)?.name(name)?.as_str().to_owned());
        let (prefix, delimiter) = match found.name("second") {
            Some(second) => (first.as_str().to_owned(), second.as_str()),
            None => (group(&KOANF_PREFIX, "prefix").unwrap_or_default(), first.as_str()),
        };
        let separator = group(&KOANF_REPLACES, "separator")
            .or_else(|| Some(delimiter.to_owned()).filter(|text| text.trim_matches('_').is_empty()));
        let replaced = separator.into_iter().map(|separator| (".".to_owned(), separator)).collect();
        let naming = Naming { library: "koanf", prefix, replaced, of_files: true };
        findings.add(line_at(text, whole.start()), "go-koanf", What::KeysFromVariables(naming));
    }
    for found in KOANF_KEY.all(text, usize::MAX).take(2000) {
        let Some(key) = found.name("of") else { continue };
        let read = Read { name: key.as_str(), ..Read::default() };
        findings.config_key(line_at(text, key.start()), "go-koanf", "koanf", read);
    }
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
mod tests {
    use super::*;
    use crate::discover::lang::go::SOURCE;
    use crate::discover::lang::testing::{survives, what};

    fn src(text: &str) -> Vec<String> {
        let mut said = what(&[SOURCE], "a/config.go", text);
        said.retain(|line| ["env ", "key ", "keys "].iter().any(|start| line.starts_with(start)));
        said
    }

    fn of_struct(head: &str, fields: &str) -> Vec<String> {
        src(&format!("{head}\ntype Config struct {{\n{fields}\n}}\n"))
    }

    #[test]
    fn patterns_are_valid() {
        let all = [
            &HEAD,
            &PROCESS,
            &PREFIX,
            &VIPER_PREFIX,
            &REPLACER,
            &VIPER_KEY,
            &VIPER_BIND,
            &KOANF,
            &KOANF_PREFIX,
            &KOANF_REPLACES,
            &KOANF_KEY,
            &CLI,
            &CLI_VALUE,
            &FF_PREFIX,
            &FF_FLAG,
        ];
        assert!(all.iter().all(|pattern| pattern.is_valid()));
    }

    #[test]
    fn tags_name_variables_with_default_and_need() {
        for (field, wanted) in [
            ("Level string `env:\"LEVEL\" envDefault:\"info\"`", "env LEVEL info"),
            ("Level string `json:\"env\" env:\"LEVEL,required\"`", "env LEVEL - required"),
            ("Level string `env:\"LEVEL,notEmpty\" // why`", "env LEVEL - required"),
            ("Level string `env:\"LEVEL,required\" envDefault:\"info\"`", "env LEVEL info"),
            ("Level string `env:\"LEVEL, default=info\"`", "env LEVEL info"),
            ("Hosts []string `env:\"HOSTS, default=a,b\"`", "env HOSTS a,b"),
            ("Level string `env:\"LEVEL\" env-default:\"info\"`", "env LEVEL info"),
            ("Level string `yaml:\"level\" env:\"LEVEL\" env-required:\"true\"`", "env LEVEL - required"),
            ("Level string `envconfig:\"LEVEL\" default:\"info\"`", "env LEVEL info"),
            ("Level string `envconfig:\"level\" required:\"true\"`", "env LEVEL - required"),
            ("Level string `help:\"x\" env:\"LEVEL\" default:\"info\"`", "env LEVEL info"),
        ] {
            assert_eq!(of_struct("", field), [wanted], "{field}");
        }
        assert!(of_struct("", "Level string `env:\"-\"`").is_empty());
        assert!(of_struct("", "Level string `json:\"level\"`").is_empty());
    }

    #[test]
    fn structs_inside_give_their_prefix() {
        for (fields, wanted) in [
            ("DB struct {\n Host string `env:\"HOST\"`\n} `envPrefix:\"DB_\"`", "env DB_HOST -"),
            (
                "DB Database `envPrefix:\"DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
                "env DB_HOST -",
            ),
            (
                "DB *Database `env:\", prefix=DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
                "env DB_HOST -",
            ),
            (
                "DB Database `env-prefix:\"DB_\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
                "env DB_HOST -",
            ),
            ("Database\n}\ntype Database struct {\nHost string `env:\"HOST\"`", "env HOST -"),
            (
                "DB Database `env-namespace:\"DB\"`\n}\ntype Database struct {\nHost string `env:\"HOST\"`",
                "env DB_HOST -",
            ),
        ] {
            assert_eq!(of_struct("", fields), [wanted], "{fields}");
        }
        let options = "func f() { env.ParseWithOptions(&c, env.Options{Prefix: \"SHOP_\"}) }";
        assert_eq!(of_struct(options, "Port int `env:\"PORT\"`"), ["env SHOP_PORT -"]);
    }

    #[test]
    fn envconfig_names_variables_after_fields() {
        let process = |prefix: &str| format!("func f() {{ envconfig.Process(\"{prefix}\", &c) }}");
        for (prefix, fields, wanted) in [
            ("shop", "Port int `default:\"80\"`", "env SHOP_PORT 80"),
            (
                "shop",
                "LogLevel string `split_words:\"true\" required:\"true\"`",
                "env SHOP_LOG_LEVEL - required",
            ),
            ("shop", "LogLevel string", "env SHOP_LOGLEVEL -"),
            ("shop", "Level string `envconfig:\"log_level\"`", "env SHOP_LOG_LEVEL -"),
            ("", "Level string `envconfig:\"LOG_LEVEL\"`", "env LOG_LEVEL -"),
            ("shop", "DB struct {\nHost string\n}", "env SHOP_DB_HOST -"),
            (
                "",
                "DB Database\n}\ntype Database struct {\nHost string `required:\"true\"`",
                "env DB_HOST - required",
            ),
        ] {
            assert_eq!(of_struct(&process(prefix), fields), [wanted], "{fields}");
        }
        assert!(of_struct(&process("shop"), "level string\nSkip string `ignored:\"true\"`").is_empty());
        let constant = "const prefix = \"shop\"\nfunc f() { envconfig.MustProcess(prefix, &c) }";
        assert_eq!(of_struct(constant, "Port int"), ["env SHOP_PORT -"]);
    }

    #[test]
    fn conf_names_variables_after_the_way_to_a_field() {
        let text = "cfg := struct {\n\tconf.Version\n\tWeb struct {\n\t\tAPIHost string `conf:\"default:0.0.0.0:3000\"`\n\t\tDebug string `conf:\"env:DEBUG_HOST,required\"`\n\t}\n}{}\nconst prefix = \"SALES\"\nhelp, err := conf.Parse(prefix, &cfg)\n";
        assert_eq!(src(text), ["env SALES_WEB_API_HOST 0.0.0.0:3000", "env SALES_DEBUG_HOST - required"]);
    }

    #[test]
    fn keys_of_viper_come_with_their_rule() {
        let text = "import \"github.com/spf13/viper\"\nviper.SetEnvPrefix(\"shop\")\nviper.SetEnvKeyReplacer(strings.NewReplacer(\".\", \"_\", \"-\", \"_\"))\nviper.AutomaticEnv()\nviper.SetDefault(\"db.host\", \"db\")\nx := v.GetString(\"log-level\")\nviper.BindEnv(\"port\")\nviper.BindEnv(\"host\", \"HOST\")\n";
        assert_eq!(
            src(text),
            ["keys SHOP_ .>_ ->_", "key db.host db", "key log-level -", "env SHOP_PORT -", "env HOST -"]
        );
        assert_eq!(src("x := cache.GetString(\"viper\")"), Vec::<String>::new());
    }

    #[test]
    fn structs_of_viper_and_koanf_are_keys() {
        let fields = "DB struct {\nHost string `mapstructure:\"host\"`\n} `mapstructure:\"db\"`\nLevel string `koanf:\"level\"`\nSkip string `mapstructure:\"-\"`";
        assert_eq!(of_struct("", fields), ["key db.host -", "key level -"]);
        let text = "type User struct {\nName string `mapstructure:\"name\"`\n}\n";
        assert!(src(text).is_empty());
    }

    #[test]
    fn providers_of_koanf_name_prefix_and_separator() {
        for (call, wanted) in [
            (
                "k.Load(env.Provider(\"SHOP_\", \".\", func(s string) string {\n return strings.ReplaceAll(s, \"__\", \".\")\n}), nil)",
                "keys SHOP_ .>__",
            ),
            ("k.Load(env.Provider(\"SHOP_\", \"_\", nil), nil)", "keys SHOP_ .>_"),
            (
                "k.Load(env.Provider(\".\", env.Opt{Prefix: \"SHOP_\", TransformFunc: func(k, v string) (string, any) {\n return strings.ReplaceAll(k, \"_\", \".\"), v\n}}), nil)",
                "keys SHOP_ .>_",
            ),
        ] {
            let text = format!("import \"github.com/knadh/koanf/v2\"\n{call}\nx := k.String(\"db.host\")\n");
            assert_eq!(src(&text), [wanted, "key db.host -"], "{call}");
        }
    }

    #[test]
    fn flags_name_their_variables() {
        for (text, wanted) in [
            (
                "&cli.StringFlag{Name: \"level\", Value: \"info\", EnvVars: []string{\"LEVEL\"}},",
                "env LEVEL info",
            ),
            (
                "&cli.StringFlag{\n\tName: \"level\",\n\tSources: cli.EnvVars(\"LEVEL\"),\n\tRequired: true,\n},\n&cli.IntFlag{Name: \"n\", Value: 1},",
                "env LEVEL - required",
            ),
            ("cli.StringFlag{Name: \"level\", EnvVar: \"LEVEL\"}", "env LEVEL -"),
            (
                "level := fs.String(\"log-level\", \"info\", \"x\")\nff.Parse(fs, args, ff.WithEnvVarPrefix(\"SHOP\"))",
                "env SHOP_LOG_LEVEL info",
            ),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn hostile_structs_are_survived() {
        survives(&[SOURCE], &["a/x.go"]);
        let deep = "type A struct {\nX string `env:\"X\"`\n".to_owned() + &"A struct {\n".repeat(20_000);
        let _ = src(&deep);
        let wide = "type A struct {\nX A `env:\"X\"`\n}\n".repeat(2_000);
        let _ = src(&wide);
        let _ = src(&"viper.Get(\"a\") koanf EnvVar: \"".repeat(3_000));
    }
}
