//! The images that a bake file describes: Dockerfile, context, stage and name of each; evaluates no functions.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{Unit, UnitBuild};
use crate::model::path::RepoPath;

/// Whether a file of that path is one.
pub(super) fn may_be(file: &RepoPath) -> bool {
    let name = file.name();
    name.starts_with("docker-bake.") && matches!(file.extension(), "hcl" | "json")
}

/// Longer chains of `inherits` nobody writes.
const MAX_DEPTH: usize = 8;

/// One unit for each target with a Dockerfile of its own or inherited; none where the file is not understood.
pub(super) fn units(text: &str, folder: &RepoPath) -> Vec<Unit> {
    let targets = match serde_yaml::from_str::<Value>(text) {
        Ok(Value::Mapping(all)) => all
            .get("target")
            .and_then(Value::as_mapping)
            .into_iter()
            .flatten()
            .filter_map(|(name, body)| Some((name.as_str()?.to_owned(), body.clone())))
            .collect(),
        _ => blocks(text),
    };
    targets.keys().filter_map(|name| unit(name, &targets, folder)).collect()
}

fn unit(name: &str, targets: &BTreeMap<String, Value>, folder: &RepoPath) -> Option<Unit> {
    let text =
        |key: &str| of(targets, name, key, 0)?.as_str().map(str::to_owned).filter(|text| !text.contains('$'));
    // Groups of settings that others inherit say nothing about where an image comes from.
    let context = text("context").or_else(|| text("dockerfile").map(|_| ".".to_owned()))?;
    let context = folder.join(&context).filter(|_| !context.contains("://"))?;
    let dockerfile = context.join(&text("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned()))?;
    let tags = of(targets, name, "tags", 0).and_then(Value::as_sequence);
    let image = tags.and_then(|tags| tags.first()?.as_str()).unwrap_or_default().to_owned();
    let args = of(targets, name, "args", 0).and_then(Value::as_mapping).into_iter().flatten();
    let arg = |(name, value): (&Value, &Value)| {
        let value = value.as_str().filter(|value| !value.contains('$'))?;
        Some((name.as_str()?.to_owned(), value.to_owned()))
    };
    let args = args.filter_map(arg).collect();
    let build = Some(UnitBuild { context, dockerfile, target: text("target"), args });
    Some(Unit { name: name.to_owned(), image, build, ..Unit::default() })
}

/// A key of a target, or of the last one that it inherits and that has it.
fn of<'t>(targets: &'t BTreeMap<String, Value>, name: &str, key: &str, depth: usize) -> Option<&'t Value> {
    let target = targets.get(name).filter(|_| depth < MAX_DEPTH)?;
    let inherited = || {
        let parents = target.get("inherits").and_then(Value::as_sequence)?;
        parents.iter().rev().filter_map(Value::as_str).find_map(|parent| of(targets, parent, key, depth + 1))
    };
    target.get(key).or_else(inherited)
}

/// The `target` blocks of HCL, their plain values as YAML's, variables replaced by their defaults.
fn blocks(text: &str) -> BTreeMap<String, Value> {
    let mut tokens = tokens(text).into_iter().peekable();
    let (mut targets, mut variables) = (BTreeMap::new(), BTreeMap::new());
    while let Some(token) = tokens.next() {
        let Token::Word(kind) = token else { continue };
        let Some(Token::Text(name)) = tokens.peek().cloned() else { continue };
        tokens.next();
        if tokens.next() != Some(Token::Mark('{')) {
            continue;
        }
        let body = body(&mut tokens, 0);
        match kind.as_str() {
            "target" => drop(targets.insert(name, body)),
            "variable" => {
                let default = body.get("default").and_then(Value::as_str).map(str::to_owned);
                variables.extend(default.map(|default| (name, default)));
            }
            _ => {}
        }
    }
    targets.values_mut().for_each(|target| fill(target, &variables));
    targets
}

/// `${TAG}` replaced by the variable's default.
fn fill(value: &mut Value, variables: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            for (name, default) in variables {
                *text = text.replace(&format!("${{{name}}}"), default);
            }
        }
        Value::Sequence(list) => list.iter_mut().for_each(|value| fill(value, variables)),
        Value::Mapping(map) => map.values_mut().for_each(|value| fill(value, variables)),
        _ => {}
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// More are no file that a person wrote.
const MAX_TOKENS: usize = 100_000;

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim();
        while let Some(c) = rest.chars().next().filter(|_| tokens.len() < MAX_TOKENS) {
            if rest.starts_with('#') || rest.starts_with("//") {
                break;
            }
            let length = match c {
                '"' => {
                    let end = rest[1..].find('"').map_or(rest.len(), |end| end + 1);
                    tokens.push(Token::Text(rest[1..end].to_owned()));
                    (end + 1).min(rest.len())
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let is_in = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
                    let end = rest.find(|c: char| !is_in(c)).unwrap_or(rest.len());
                    tokens.push(Token::Word(rest[..end].to_owned()));
                    end
                }
                c => {
                    tokens.push(Token::Mark(c));
                    c.len_utf8()
                }
            };
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

/// What stands between braces, up to the closing one: `key = value` or `key: value`.
fn body(tokens: &mut Tokens, depth: usize) -> Value {
    let mut map = serde_yaml::Mapping::new();
    while let Some(token) = tokens.next() {
        let key = match token {
            Token::Mark('}') => break,
            Token::Word(key) | Token::Text(key) => key,
            Token::Mark(_) => continue,
        };
        if tokens.next_if(|next| matches!(next, Token::Mark('=' | ':'))).is_some()
            && let Some(value) = value(tokens, depth + 1)
        {
            map.insert(Value::String(key), value);
        }
    }
    Value::Mapping(map)
}

fn value(tokens: &mut Tokens, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    match tokens.next()? {
        Token::Text(text) => Some(Value::String(text)),
        Token::Mark('{') => Some(body(tokens, depth)),
        Token::Mark('[') => {
            let mut list = Vec::new();
            for next in tokens.by_ref() {
                match next {
                    Token::Mark(']') => break,
                    Token::Text(text) => list.push(Value::String(text)),
                    _ => {}
                }
            }
            Some(Value::Sequence(list))
        }
        // Names of variables and calls of functions.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn targets_name_context_dockerfile_stage_and_image() {
        let text = "variable \"TAG\" { default = \"1\" }\ngroup \"default\" { targets = [\"api\"] }\n\
            target \"common\" {\n  context = \".\" # here\n  args = { A = \"b\", C = TAG }\n}\n\
            target \"api\" {\n  inherits = [\"common\"]\n  dockerfile = \"api/Dockerfile\"\n  target = \"run\"\n  \
            tags = [\"shop/api:${TAG}\", \"shop/api:latest\"]\n}\n";
        let json = r#"{ "target": { "api": { "context": ".", "dockerfile": "api/Dockerfile", "target": "run",
            "args": { "A": "b" }, "tags": ["shop/api:1"] } } }"#;
        for text in [text, json] {
            let units = units(text, &RepoPath::root());
            let api = units.iter().find(|unit| unit.name == "api").expect("is a target");
            let build = api.build.as_ref().expect("is built");
            assert_eq!((build.context.as_str(), build.dockerfile.as_str()), (".", "api/Dockerfile"));
            assert_eq!((api.image.as_str(), build.target.as_deref()), ("shop/api:1", Some("run")));
            assert_eq!(build.args, BTreeMap::from([("A".to_owned(), "b".to_owned())]));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[a-z\"{}\\[\\]=:#$é\n ]{0,80}") {
            units(&format!("target \"x\" {{{text}"), &RepoPath::root());
        }
    }
}
