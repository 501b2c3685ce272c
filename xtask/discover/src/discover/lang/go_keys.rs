//! Go's viper and koanf, whose keys variables override below a prefix.

use std::sync::LazyLock;

use crate::discover::config_keys::variable;
use crate::discover::findings::{Findings, Read};
use crate::model::fact::{Naming, What};

use super::go_env::{below, literal};
use super::scan::{Pattern, cut, line_at, unquoted};

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

/// Adds viper's keys, and what they are called as variables.
pub(super) fn viper(findings: &mut Findings<'_, '_>) {
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
            None => variable(&naming, key.as_str()),
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

/// The same for koanf.
pub(super) fn koanf(findings: &mut Findings<'_, '_>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_valid() {
        let all = [
            &VIPER_PREFIX,
            &REPLACER,
            &VIPER_KEY,
            &VIPER_BIND,
            &KOANF,
            &KOANF_PREFIX,
            &KOANF_REPLACES,
            &KOANF_KEY,
        ];
        assert!(all.iter().all(|pattern| pattern.is_valid()));
    }
}
