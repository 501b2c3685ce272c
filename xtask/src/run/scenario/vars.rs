//! `${name}` in texts and JSON: which names a text uses, and the texts with the values in their places.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values known so far: `run` and what was captured.
pub type Vars = BTreeMap<String, Value>;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// Splits a text; `$${` stands for a literal `${`, and a `${` without its `}` is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            pieces.push(Piece::Text(&rest[..start - 1]));
            pieces.push(Piece::Text("${"));
            rest = &rest[start + 2..];
            continue;
        }
        let Some(length) = rest[start..].find('}') else { break };
        pieces.push(Piece::Text(&rest[..start]));
        pieces.push(Piece::Name(rest[start + 2..start + length].trim()));
        rest = &rest[start + length + 1..];
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

/// The names that a text uses, in order.
pub(super) fn names(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| if let Piece::Name(name) = piece { Some(name) } else { None })
        .collect()
}

/// The names that a JSON value uses, in keys and strings.
pub(super) fn names_in(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(names(text).into_iter().map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                found.extend(names(key).into_iter().map(str::to_owned));
                collect(value, found);
            }
        }
        _ => {}
    }
}

/// The text with its values; the parser has made sure that every name is known, an unknown one stays as written.
pub(super) fn fill(text: &str, vars: &Vars) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Name(name) => vars.get(name).map_or_else(|| format!("${{{name}}}"), plain),
        })
        .collect()
}

/// The value with its values filled in. A string that is exactly one `${name}` becomes the captured value itself,
/// so that a number stays a number.
pub(super) fn fill_json(value: &Value, vars: &Vars) -> Value {
    match value {
        Value::String(text) => match pieces(text).as_slice() {
            [Piece::Name(name)] => vars.get(*name).cloned().unwrap_or_else(|| value.clone()),
            _ => Value::String(fill(text, vars)),
        },
        Value::Array(items) => items.iter().map(|item| fill_json(item, vars)).collect(),
        Value::Object(entries) => Value::Object(
            entries.iter().map(|(key, value)| (fill(key, vars), fill_json(value, vars))).collect(),
        ),
        other => other.clone(),
    }
}

/// A value inside a text: strings without quotes, everything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars() -> Vars {
        Vars::from([("run".to_owned(), json!("a1b2")), ("id".to_owned(), json!(7))])
    }

    #[test]
    fn values_take_the_places_of_their_names() {
        assert_eq!(fill("/users/${id}?q=${ run }", &vars()), "/users/7?q=a1b2");
        assert_eq!(fill("$${id} costs $5 ${", &vars()), "${id} costs $5 ${");
        assert_eq!(names("${a}-$${b}-${c}"), ["a", "c"]);
    }

    #[test]
    fn a_number_stays_a_number_in_json() {
        let filled =
            fill_json(&json!({"user": "${id}", "mail": "u-${run}@x", "${run}": ["${id}", 1]}), &vars());
        assert_eq!(filled, json!({"user": 7, "mail": "u-a1b2@x", "a1b2": [7, 1]}));
        assert_eq!(names_in(&json!({"${b}": ["${a}"]})), ["b", "a"]);
    }
}
