//! Values that refer to other variables, as env files and Spring's configuration write it: `${APP_NAME}`, `${PASSWORD:}`;
//! pure.

use std::collections::BTreeMap;

use super::secrets;
use super::settings::Setting;

/// Deeper nesting is no value that a person wrote.
const MAX_DEPTH: usize = 8;

/// `value` with each `${NAME}` replaced by what `known` says, else by its default (`${NAME:-d}`, `${NAME:d}`); nothing
/// where one has neither.
pub(crate) fn expand(value: &str, known: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    expand_to(value, known, MAX_DEPTH)
}

/// The same by the other variables of the service; secrets are known to nobody.
pub(crate) fn expand_by(value: &str, all: &BTreeMap<&str, Setting<'_>>) -> Option<String> {
    expand(value, &|name| {
        let setting = all.get(name)?;
        let value = setting.value().filter(|value| !value.contains("${"))?;
        secrets::form(name, value, setting.comment()).is_none().then(|| value.to_owned())
    })
}

fn expand_to(value: &str, known: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, inner)) = rest.split_once("${") {
        out.push_str(before);
        let (inner, after) = braces(inner)?;
        let (name, default) = match inner.split_once(':') {
            Some((name, default)) => (name, Some(default.strip_prefix('-').unwrap_or(default))),
            None => (inner, None),
        };
        let by_default = || expand_to(default?, known, depth.checked_sub(1)?);
        out.push_str(&known(name.trim()).or_else(by_default)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The text up to the brace that closes, and what follows it.
fn braces(inner: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return Some((&inner[..at], &inner[at + 1..])),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_by_values_and_defaults() {
        let known = |name: &str| (name == "APP_NAME").then(|| "Shop".to_owned());
        for (value, wanted) in [
            ("${APP_NAME} mails", Some("Shop mails")),
            ("${PASSWORD:}", Some("")),
            ("${LEVEL:-info}", Some("info")),
            ("${A:${APP_NAME}}/${B:b}", Some("Shop/b")),
            ("plain", Some("plain")),
            ("${UNKNOWN}", None),
            ("${APP_NAME", None),
        ] {
            assert_eq!(expand(value, &known).as_deref(), wanted, "{value}");
        }
        assert_eq!(expand(&"${a:".repeat(10_000), &known), None);
    }
}
