//! What people wrote into the setup's folder and cannot be obeyed.

use std::fs;

use crate::{assert_refused, shop};

/// The whole message for a `config.yaml` with this text.
#[track_caller]
fn assert_config_refused(config: impl AsRef<[u8]>, stderr: &str) {
    let shop = shop();
    shop.write("integration/config.yaml", config);
    assert_refused(&shop, "integrate", stderr);
}

#[test]
fn malformed_yaml_in_the_configuration_is_shown_with_its_line() {
    assert_config_refused(
        "name: shop\n\tbind: 127.0.0.1\n",
        "error: cannot read the configuration\n  at integration/config.yaml:2\n  \
         why: found a tab character that violates indentation\n       \
         the line is `bind: 127.0.0.1`\n",
    );
}

#[test]
fn an_unclosed_quote_in_the_configuration_is_found() {
    assert_config_refused(
        "name: \"shop\nbind: 127.0.0.1\n",
        "error: cannot read the configuration\n  at integration/config.yaml:3\n  why: found unexpected end of stream\n",
    );
}

#[test]
fn a_configuration_of_another_shape_is_refused() {
    assert_config_refused(
        "- name\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:1\n  \
         why: invalid type: sequence, expected keys such as `services:`\n       the line is `- name`\n",
    );
    assert_config_refused(
        "services:\n  api: [8000]\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:2\n  \
         why: services.api: invalid type: sequence, expected a service's keys such as `port:`\n       \
         the line is `api: [8000]`\n",
    );
}

#[test]
fn a_wrong_value_in_the_configuration_is_shown_with_its_line() {
    assert_config_refused(
        "services:\n  api:\n    port: eighty\n",
        "error: wrong value in the configuration\n  at integration/config.yaml:3\n  \
         why: services.api.port: invalid type: string \"eighty\", expected a port, a number up to 65535\n       \
         the line is `port: eighty`\n",
    );
}

#[test]
fn an_unknown_key_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "nmae: shop\n",
        "error: unknown key `nmae`\n  at integration/config.yaml:1\n  \
         why: known here: name, services, infrastructure, bind, isolation, hot_reload\n  fix: did you mean `name`?\n",
    );
    assert_config_refused(
        "services:\n  api:\n    prot: 8001\n",
        "error: unknown key `services.api.prot`\n  at integration/config.yaml:3\n  \
         why: known here: port, host_port, health, requires, env, build, migrate\n  fix: did you mean `port`?\n",
    );
}

#[test]
fn an_unknown_service_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "# ours\nservices:\n  roots: [\"*\"]\n  apy:\n    port: 8001\n",
        "error: `services.apy` is no service of this monorepo\n  at integration/config.yaml:4\n  \
         why: there are: api\n  fix: did you mean `api`?\n",
    );
}

#[test]
fn an_unknown_requirement_in_the_configuration_is_answered_with_the_nearest() {
    assert_config_refused(
        "services:\n  api:\n    requires: [+postgress]\n",
        "error: `services.api.requires` names `postgress`, which is neither a service nor a kind of infrastructure\n  \
         at integration/config.yaml:3\n  fix: did you mean `postgres`?\n",
    );
}

#[test]
fn an_unknown_version_in_the_configuration_is_answered_with_those_that_are() {
    assert_config_refused(
        "services:\n  api:\n    requires: [+redis]\ninfrastructure:\n  redis: { version: 3 }\n",
        "error: unknown version `3` of Redis\n  at integration/config.yaml:5\n  why: the catalogue has 6, 7, 8\n  \
         fix: use \"6\", or set infrastructure.redis.image\n",
    );
}

#[test]
fn a_configuration_that_is_not_utf8_is_refused() {
    assert_config_refused(
        b"name: sh\xffp\n",
        "error: `integration/config.yaml` is not valid UTF-8\n  at integration/config.yaml\n  \
         fix: save it as UTF-8, or move it away\n",
    );
}

#[test]
fn a_folder_in_place_of_a_file_of_the_setup_is_refused() {
    let shop = shop();
    fs::create_dir_all(shop.root.join("integration/docker-compose.yml")).expect("the folder is ours");
    assert_refused(
        &shop,
        "integrate",
        "error: `integration/docker-compose.yml` is not a file\n  at integration/docker-compose.yml\n  \
         fix: move it away\n",
    );
}

#[test]
fn what_earlier_runs_assigned_is_refused_where_it_is_broken() {
    let shop = shop();
    shop.write("integration/.generated/state.yaml", "name: [\n");
    let screen = shop.xtask(&["integrate"]);
    assert!(
        screen.stderr.starts_with(
            "error: cannot read what earlier runs assigned\n  at integration/.generated/state.yaml\n  why: "
        ) && screen.stderr.ends_with("\n  fix: git checkout -- integration/.generated/state.yaml\n"),
        "{}",
        screen.stderr
    );
    assert_eq!(screen.code, 1);
}
