//! Keys that Compose reads as a map or as a list, written in the other form; merges nothing.

use super::tree::{BlockKind, Data, Value};

/// `key` with `value` in the given form, as a text of its own; `None` where there is no such form.
pub(super) fn rewrite(key: &str, value: &Value, form: BlockKind) -> Option<String> {
    let pairs = matches!(key, "environment" | "labels" | "args" | "annotations" | "sysctls" | "extra_hosts");
    let names = matches!(key, "networks" | "depends_on");
    let lines: Vec<String> = match (&value.data, form) {
        (Data::Map(entries), BlockKind::List) if pairs => {
            entries.iter().map(|(name, value)| pair(name, value)).collect::<Option<_>>()?
        }
        (Data::Map(entries), BlockKind::List) if names => {
            entries.iter().map(|(name, _)| name.scalar().map(item)).collect::<Option<_>>()?
        }
        (Data::List(items), BlockKind::Map) if key == "networks" => {
            items.iter().map(|name| Some(format!("{}:", quoted(name.scalar()?)))).collect::<Option<_>>()?
        }
        _ => return None,
    };
    (!lines.is_empty() && value.tag.is_none()).then(|| format!("{key}:\n  {}\n", lines.join("\n  ")))
}

fn pair(name: &Value, value: &Value) -> Option<String> {
    let name = name.scalar()?;
    Some(match &value.data {
        // Without a value, Compose takes the one of its own environment.
        Data::Other(null) if null == "null" => item(name),
        _ => item(&format!("{name}={}", value.scalar()?)),
    })
}

fn item(text: &str) -> String {
    format!("- {}", quoted(text))
}

/// Plain where no reader of YAML could see anything but this string.
fn quoted(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_-./=$@%+,{}?:".contains(sign);
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let safe = text.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if safe { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_yaml_reads_otherwise_are_quoted() {
        for (text, written) in
            [("A=b", "A=b"), ("A=b c", "\"A=b c\""), ("yes", "\"yes\""), ("3=4", "\"3=4\"")]
        {
            assert_eq!(quoted(text), written);
        }
    }
}
