//! The table of keys, the parser and the schema say the same; settings are read or refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::config::Config;

fn written(text: &str) -> (String, String) {
    let setting = Setting::set(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (setting.key(), setting.value.unwrap())
}

fn refused(text: &str) -> String {
    Setting::set(text).expect_err(text).to_string()
}

/// The example of a key as a whole file.
fn file(key: &Key) -> String {
    let yaml = key.holds.yaml(key.example).unwrap_or_else(|why| panic!("{}: {why}", key.path));
    let mut text = String::new();
    let parts: Vec<&str> = key.path.split('.').collect();
    for (depth, part) in parts.iter().enumerate() {
        let name = if *part == "*" { "kafka" } else { part };
        let end = if depth + 1 == parts.len() { format!(" {yaml}\n") } else { "\n".to_owned() };
        text.push_str(&format!("{}{name}:{end}", "  ".repeat(depth)));
    }
    // Something that runs elsewhere has an address.
    text.replace("    external: true\n", "    external: true\n    url: x:1\n")
}

#[test]
fn the_parser_takes_every_key_of_the_table_with_its_example() {
    for key in KEYS {
        Config::parse("config.yaml", &file(key))
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", key.path, file(key)));
    }
}

#[test]
fn the_parser_knows_no_key_that_the_table_does_not_have() {
    for (text, path) in [
        ("zz: 1\n", &[][..]),
        ("services: { a: { zz: 1 } }\n", &["services", "a"]),
        ("services: { a: { build: { zz: 1 } } }\n", &["services", "a", "build"]),
        ("infrastructure: { a: { zz: 1 } }\n", &["infrastructure", "a"]),
    ] {
        let error = Config::parse("config.yaml", text).expect_err("is unknown").to_string();
        let line =
            error.lines().find_map(|line| line.trim().strip_prefix("why: known here: ")).expect(&error);
        let mut parsed: Vec<&str> = line.split(", ").collect();
        let mut table = known_at(path);
        parsed.sort_unstable();
        table.sort_unstable();
        assert_eq!(parsed, table, "{text}");
    }
}

/// The schema that follows from the table.
fn schema() -> Value {
    let mut root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "config.yaml of a setup",
        "description": "Preferences for `cargo xtask integrate`; everything is optional.",
    });
    for key in KEYS {
        let parts: Vec<&str> = key.path.split('.').collect();
        let mut place = &mut root;
        for part in parts {
            if !place.is_object() {
                *place = json!({});
            }
            place["type"] = json!("object");
            if part != "*" && place.get("additionalProperties").is_none() {
                place["additionalProperties"] = json!(false);
            }
            place = if part == "*" {
                if place["additionalProperties"] == json!(false) {
                    place["additionalProperties"] = json!({});
                }
                &mut place["additionalProperties"]
            } else {
                &mut place["properties"][part]
            };
        }
        *place = holds(key);
    }
    root
}

fn holds(key: &Key) -> Value {
    let port = json!({ "type": "integer", "minimum": 1, "maximum": 65535 });
    let words = json!({ "type": "array", "items": { "type": "string" } });
    let mut value = match key.holds {
        Holds::Text => json!({ "type": "string", "minLength": 1 }),
        Holds::Port => port.clone(),
        Holds::Switch => json!({ "enum": ["on", "off", true, false] }),
        Holds::Bool => json!({ "type": "boolean" }),
        Holds::Address => json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
        Holds::Version => json!({ "type": ["string", "number"] }),
        Holds::Texts => words.clone(),
        Holds::Variable => json!({ "type": ["string", "number", "boolean"] }),
        Holds::Migrate => json!({ "oneOf": [
            { "const": "none" },
            { "type": "object", "additionalProperties": false, "required": ["command"], "properties": { "command": words } },
        ] }),
        Holds::Health => {
            let one = |kind: &str, of: &Value| json!({ "type": "object", "additionalProperties": false, "required": [kind], "properties": { kind: of } });
            json!({ "oneOf": [
                { "const": "none" },
                one("http", &json!({ "type": "string" })),
                one("tcp", &port),
                one("grpc", &port),
                one("command", &words),
            ] })
        }
    };
    value["description"] = json!(format!("{}{}.", key.about[..1].to_uppercase(), &key.about[1..]));
    value
}

/// `UPDATE=1 cargo test` writes the schema.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "only on request, to accept the schema that follows from the table"
)]
fn the_schema_follows_from_the_table() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/config.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap();
    assert_eq!(there, text, "UPDATE=1 cargo test writes it");
}

#[test]
fn settings_become_yaml_of_one_line() {
    let table = BTreeMap::from([
        ("isolation=off", ("isolation", "off")),
        ("infrastructure.postgres.version=16", ("infrastructure.postgres.version", "\"16\"")),
        ("services.market.host_port=3010", ("services.market.host_port", "3010")),
        ("services.market.requires=+redis,-kafka", ("services.market.requires", "[+redis, -kafka]")),
        ("services.market.requires=[redis]", ("services.market.requires", "[redis]")),
        ("services.market.health=/ready", ("services.market.health", "{ http: /ready }")),
        ("services.market.health.tcp=3002", ("services.market.health", "{ tcp: 3002 }")),
        ("services.market.health={ grpc: 50051 }", ("services.market.health", "{ grpc: 50051 }")),
        ("services.market.health=none", ("services.market.health", "none")),
        (
            "services.market.health=command:curl -f x",
            ("services.market.health", "{ command: [curl, \"-f\", x] }"),
        ),
        ("services.market.migrate=none", ("services.market.migrate", "none")),
        (
            "services.market.migrate=npx knex migrate:latest",
            ("services.market.migrate", "{ command: [npx, knex, \"migrate:latest\"] }"),
        ),
        (
            "services.market.migrate={ command: [flask, db, upgrade] }",
            ("services.market.migrate", "{ command: [flask, db, upgrade] }"),
        ),
        ("services.market.env.LOG=a=b # c", ("services.market.env.LOG", "\"a=b # c\"")),
        ("services.market.env.EMPTY=", ("services.market.env.EMPTY", "\"\"")),
        ("services.a.b.port=1", ("services.a.b.port", "1")),
        ("services.api.env.Logging.Level=debug", ("services.api.env.Logging.Level", "debug")),
        (
            "infrastructure.kafka.url=kafka.example.org:9092",
            ("infrastructure.kafka.url", "\"kafka.example.org:9092\""),
        ),
        ("bind=0.0.0.0", ("bind", "0.0.0.0")),
    ]);
    for (given, (key, value)) in table {
        assert_eq!(written(given), (key.to_owned(), value.to_owned()), "{given}");
    }
}

#[test]
fn names_with_dots_are_one_part_of_the_path() {
    assert_eq!(Setting::set("services.a.b.port=1").unwrap().path, ["services", "a.b", "port"]);
    assert_eq!(Setting::set("services.a.env.X.Y=1").unwrap().path, ["services", "a", "env", "X.Y"]);
    assert_eq!(Setting::set("services.a.env.port=1").unwrap().path, ["services", "a", "env", "port"]);
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    assert_eq!(
        refused("services.market.prot=3"),
        "unknown key `services.market.prot`\n  at --set services.market.prot=3\n  \
         why: known here: port, host_port, health, requires, env, build, migrate\n  fix: did you mean `services.market.port`?"
    );
    assert_eq!(
        refused("isolaton=off"),
        "unknown key `isolaton`\n  at --set isolaton=off\n  \
         why: known here: name, bind, isolation, hot_reload, services, infrastructure\n  \
         fix: did you mean `isolation`?"
    );
    assert_eq!(
        refused("services.market=3"),
        "`services.market` holds no value itself\n  at --set services.market=3\n  \
         why: it holds port, host_port, health, requires, env, build, migrate\n  fix: for example --set services.market.port=3002"
    );
    assert_eq!(
        refused("isolation"),
        "`--set isolation` has no value\n  \
         fix: write --set isolation=VALUE, or --unset isolation to go back to what is found"
    );
}

#[test]
fn wrong_values_are_refused_with_an_example() {
    assert_eq!(
        refused("services.market.host_port=70000"),
        "wrong value for `services.market.host_port`\n  at --set services.market.host_port=70000\n  \
         why: `70000` is no port: a number from 1 to 65535\n  fix: for example --set services.market.host_port=3010"
    );
    for (given, why) in [
        ("isolation=maybe", "`maybe` is neither `on` nor `off`"),
        ("bind=here", "`here` is no IP address"),
        ("infrastructure.postgres.shared=some", "`some` is neither `true` nor `false`"),
        ("infrastructure.postgres.version=", "it is empty"),
        ("services.a.health={ htp: /x }", "unknown field `htp`"),
        ("services.a.health.tcp=x", "expected a port"),
    ] {
        assert!(refused(given).contains(why), "{given}: {}", refused(given));
    }
}

#[test]
fn texts_are_quoted_where_yaml_would_read_something_else() {
    for (text, written) in [
        ("debug", "debug"),
        ("/health", "/health"),
        ("17", "\"17\""),
        ("off", "\"off\""),
        ("", "\"\""),
        ("a, b", "\"a, b\""),
        ("kafka:9092", "\"kafka:9092\""),
        ("+redis", "\"+redis\""),
        ("it's \"so\"", "\"it's \\\"so\\\"\""),
    ] {
        assert_eq!(scalar(text), written);
        let back: String = serde_yaml::from_str(&scalar(text)).unwrap();
        assert_eq!(back, text);
    }
}
