//! The small path syntax into JSON: `$`, `$.items[0].id`, `$["odd key"]`; reads values, changes none.

use std::fmt;

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    /// From the front, or from the end where negative.
    Index(i64),
}

impl JsonPath {
    /// Reads a path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        let mut rest = text.strip_prefix('$').ok_or("a path begins with `$`, as in `$.items[0].id`")?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (part, after) = part(rest)?;
            parts.push(part);
            rest = after;
        }
        Ok(JsonPath { text: text.to_owned(), parts })
    }

    /// The value at the path; `None` where there is none.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.parts.iter().try_fold(value, |value, part| match part {
            Part::Key(key) => value.as_object()?.get(key),
            Part::Index(index) => {
                let items = value.as_array()?;
                let index = if *index < 0 { i64::try_from(items.len()).ok()? + index } else { *index };
                items.get(usize::try_from(index).ok()?)
            }
        })
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn part(rest: &str) -> Result<(Part, &str), String> {
    if let Some(rest) = rest.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if key.is_empty() {
            return Err("a name is missing behind `.`".to_owned());
        }
        return Ok((Part::Key(key.to_owned()), after));
    }
    let Some(rest) = rest.strip_prefix('[') else {
        return Err(format!("`.` or `[` is expected before `{rest}`"));
    };
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = &rest[1..];
        let (key, after) = inner
            .split_once(&format!("{quote}]"))
            .ok_or_else(|| format!("`{quote}]` is missing behind `{inner}`"))?;
        return Ok((Part::Key(key.to_owned()), after));
    }
    let (index, after) = rest.split_once(']').ok_or_else(|| format!("`]` is missing behind `{rest}`"))?;
    let index = index.parse().map_err(|_| format!("`{index}` is neither an index nor a quoted name"))?;
    Ok((Part::Index(index), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_reach_into_objects_and_lists() {
        let value = json!({"items": [{"id": 1}, {"id": 2}], "odd.key": {"a b": true}});
        for (path, wanted) in [
            ("$.items[0].id", Some(json!(1))),
            ("$.items[-1].id", Some(json!(2))),
            ("$.items[2]", None),
            ("$.items[-3]", None),
            ("$.items.id", None),
            ("$[\"odd.key\"]['a b']", Some(json!(true))),
            ("$", Some(value.clone())),
        ] {
            assert_eq!(JsonPath::parse(path).unwrap().find(&value).cloned(), wanted, "{path}");
        }
    }

    #[test]
    fn wrong_paths_say_what_is_wrong() {
        for (path, wanted) in [
            ("items", "a path begins with `$`, as in `$.items[0].id`"),
            ("$items", "`.` or `[` is expected before `items`"),
            ("$.", "a name is missing behind `.`"),
            ("$.a..b", "a name is missing behind `.`"),
            ("$[x]", "`x` is neither an index nor a quoted name"),
            ("$[0", "`]` is missing behind `0`"),
            ("$['a", "`']` is missing behind `a`"),
        ] {
            assert_eq!(JsonPath::parse(path).unwrap_err(), wanted, "{path}");
        }
    }
}
