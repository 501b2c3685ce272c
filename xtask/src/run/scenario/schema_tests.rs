//! Keeps `schemas/scenario.schema.json` and the parser in step, key by key and value by value.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Kind, expect, parse};

const SCHEMA: &str = include_str!("../../../schemas/scenario.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn schema_and_parser_know_the_same_keys() {
    let schema = schema();
    let definitions = &schema["definitions"];
    for (object, accepted) in [
        (&schema, parse::SCENARIO),
        (&definitions["step"], parse::STEP),
        (&definitions["request"], parse::REQUEST),
        (&definitions["expect"], expect::EXPECT),
        (&definitions["check"]["oneOf"][1], expect::CHECK),
        (&definitions["capture"], parse::CAPTURE),
        (&definitions["retry"], parse::RETRY),
    ] {
        assert_eq!(keys(object), accepted.iter().copied().collect());
        assert_eq!(object["additionalProperties"], false, "{accepted:?}");
    }
}

#[test]
fn schema_and_parser_know_the_same_words() {
    let definitions = &schema()["definitions"];
    assert_eq!(words(&definitions["request"]["properties"]["method"]["enum"]), parse::METHODS);
    let kinds = Kind::NAMES.map(|(name, _)| name);
    assert_eq!(words(&definitions["check"]["oneOf"][1]["properties"]["type"]["enum"]), kinds);
}

/// A scenario without one required key is refused, so what the schema requires the parser requires.
#[test]
fn schema_and_parser_require_the_same_keys() {
    let schema = schema();
    let definitions = &schema["definitions"];
    let whole =
        "{name: n, steps: [{service: s, request: {path: /}, retry: {times: 1}, capture: {a: {header: x}}}]}";
    super::parse(whole, "a.yaml").unwrap();
    let cases = [
        (&schema, "name", "{steps: [{service: s, request: {path: /}}]}"),
        (&schema, "steps", "{name: n}"),
        (&definitions["step"], "request", "{name: n, steps: [{service: s}]}"),
        (&definitions["request"], "path", "{name: n, steps: [{service: s, request: {}}]}"),
        (&definitions["retry"], "times", "{name: n, steps: [{service: s, request: {path: /}, retry: {}}]}"),
        (
            &definitions["capture"],
            "header",
            "{name: n, steps: [{service: s, request: {path: /}, capture: {a: {}}}]}",
        ),
    ];
    for (object, key, without) in &cases {
        assert!(words(&object["required"]).contains(key), "{key}");
        let failures = super::parse(without, "a.yaml").unwrap_err();
        assert!(failures[0].what.contains(key) && failures[0].what.ends_with("is missing"), "{failures:?}");
    }
    let required: usize = [&schema]
        .into_iter()
        .chain(definitions.as_object().unwrap().values())
        .filter_map(|object| object["required"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(required, cases.len());
}

/// The sample scenarios of this repository.
#[test]
fn samples_are_valid() {
    for text in [
        include_str!("../../../../workspace/tests/smoke/user-registration.yaml"),
        include_str!("../../../../workspace/tests/smoke/users-crud.yaml"),
        include_str!("../../../../workspace/tests/smoke/order-flow.yaml"),
    ] {
        super::parse(text, "sample.yaml").unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema="), "{text}");
    }
}
