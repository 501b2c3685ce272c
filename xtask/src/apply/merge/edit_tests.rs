//! What an edit of one value changes, and what it leaves alone.

use super::*;

const CONFIG: &str = "# Ours.\nname:   'shop' # short\n\nservices:\n  market:\n    port: 3002   # by contract\n    # \
                      why not 80\n    requires:\n      - redis # cache\n      # and more\n      - +kafka\n  accounts: \
                      { host_port: 3010, env: { A: b } }\n\ninfrastructure:\n  postgres: { version: \"17\" }\n# end\n";

/// What differs, as lines with `-` and `+`.
fn changed(old: &str, new: &str) -> Vec<String> {
    diffy::create_patch(old, new)
        .hunks()
        .iter()
        .flat_map(|hunk| hunk.lines())
        .filter_map(|line| match line {
            diffy::Line::Delete(text) => Some(format!("-{}", text.trim_end())),
            diffy::Line::Insert(text) => Some(format!("+{}", text.trim_end())),
            diffy::Line::Context(_) => None,
        })
        .collect()
}

fn set_in(text: &str, path: &str, value: &str) -> Vec<String> {
    let path: Vec<&str> = path.split('.').collect();
    let edited = set(text, &path, value).unwrap();
    assert_eq!(set(&edited, &path, value).unwrap(), edited, "twice is once");
    changed(text, &edited)
}

#[test]
fn a_value_changes_in_its_place_with_its_quotes_and_comment() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "services.market.port",
            "4000",
            &["-    port: 3002   # by contract", "+    port: 4000   # by contract"],
        ),
        ("name", "mall", &["-name:   'shop' # short", "+name:   'mall' # short"]),
        (
            "infrastructure.postgres.version",
            "\"16\"",
            &["-  postgres: { version: \"17\" }", "+  postgres: { version: \"16\" }"],
        ),
        (
            "services.accounts.env.A",
            "c",
            &[
                "-  accounts: { host_port: 3010, env: { A: b } }",
                "+  accounts: { host_port: 3010, env: { A: c } }",
            ],
        ),
    ];
    for (path, value, expected) in table {
        assert_eq!(set_in(CONFIG, path, value), *expected, "{path}");
    }
}

#[test]
fn a_missing_key_is_added_in_the_style_of_its_neighbours() {
    let table: &[(&str, &str, &[&str])] = &[
        ("services.market.host_port", "3010", &["+    host_port: 3010"]),
        ("services.trading.port", "3000", &["+  trading:", "+    port: 3000"]),
        (
            "infrastructure.postgres.shared",
            "false",
            &["-  postgres: { version: \"17\" }", "+  postgres: { version: \"17\", shared: false }"],
        ),
        (
            "services.accounts.build.target",
            "dev",
            &[
                "-  accounts: { host_port: 3010, env: { A: b } }",
                "+  accounts: { host_port: 3010, env: { A: b }, build: { target: dev } }",
            ],
        ),
        ("isolation", "off", &["+", "+isolation: off"]),
    ];
    for (path, value, expected) in table {
        assert_eq!(set_in(CONFIG, path, value), *expected, "{path}");
    }
}

#[test]
fn a_block_that_is_replaced_leaves_its_comments() {
    assert_eq!(
        set_in(CONFIG, "services.market.requires", "[redis]"),
        [
            "-    requires:",
            "-      - redis # cache",
            "-      # and more",
            "-      - +kafka",
            "+    # cache",
            "+    # and more",
            "+    requires: [redis]",
        ]
    );
}

#[test]
fn files_without_keys_and_keys_without_values_are_filled() {
    assert_eq!(set("", &["isolation"], "off").unwrap(), "isolation: off\n");
    assert_eq!(set("# only this", &["a", "b"], "1").unwrap(), "# only this\n\na:\n  b: 1\n");
    assert_eq!(set("a:\n", &["a", "b"], "1").unwrap(), "a:\n  b: 1\n");
    assert_eq!(set("a: # why\nc: 1\n", &["a", "b"], "1").unwrap(), "a: # why\n  b: 1\nc: 1\n");
    assert_eq!(set("a: {}\n", &["a", "b"], "1").unwrap(), "a: { b: 1 }\n");
    assert_eq!(set("a:\n", &["a"], "1").unwrap(), "a: 1\n");
    assert_eq!(set("a:\n    b: 1\n", &["c", "d"], "1").unwrap(), "a:\n    b: 1\n\nc:\n    d: 1\n");
}

#[test]
fn what_is_no_map_is_refused_in_words() {
    assert_eq!(set("a: 1\n", &["a", "b"], "1").unwrap_err(), "`a` is no map");
    assert_eq!(
        set("x: &x { c: 1 }\na: *x\n", &["a", "b"], "1").unwrap_err(),
        "`a` is `*x`, a copy of another place"
    );
    assert!(set("a: [\n", &["b"], "1").unwrap_err().contains("not valid YAML"));
}

#[test]
fn a_removed_key_takes_empty_maps_with_it_and_no_comment_of_others() {
    let gone = |path: &str| {
        let path: Vec<&str> = path.split('.').collect();
        changed(CONFIG, &unset(CONFIG, &path).unwrap())
    };
    assert_eq!(gone("services.market.port"), ["-    port: 3002   # by contract"]);
    assert_eq!(
        gone("infrastructure.postgres.version"),
        ["-infrastructure:", "-  postgres: { version: \"17\" }"]
    );
    assert_eq!(
        gone("services.accounts.host_port"),
        ["-  accounts: { host_port: 3010, env: { A: b } }", "+  accounts: { env: { A: b } }"]
    );
    assert_eq!(
        gone("services.accounts.env.A"),
        ["-  accounts: { host_port: 3010, env: { A: b } }", "+  accounts: { host_port: 3010 }"]
    );
    assert_eq!(gone("services.nobody.port"), Vec::<String>::new());
}
