//! `integrate --set`, `--unset` and `--mode review` as a script sees them: no terminal, no engine.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;

use place::Place;

const CONFIG: &str = "integration/config.yaml";
const COMPOSE: &str = "integration/docker-compose.yml";

/// Two services on PostgreSQL and Redis.
fn shop() -> Place {
    let place = Place::new("shop");
    let dockerfile = "FROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"app.py\"]\n";
    place.write("api/Dockerfile", dockerfile);
    place.write(
        "api/.env.example",
        "DATABASE_URL=postgres://localhost:5432/shop\nREDIS_URL=redis://localhost:6379\n",
    );
    place.write("web/Dockerfile", dockerfile.replace("8000", "8001"));
    place.write("web/.env.example", "API_URL=http://localhost:8000\n");
    place
}

#[test]
fn set_writes_the_decision_and_applies_it_and_the_second_run_is_quiet() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let mine = "# Ours.\nservices:\n    web:   # the shop window\n        env: { 'A': \"b\" }\n";
    shop.write(CONFIG, mine);
    let sets = ["--set", "services.web.host_port=3010", "--set", "infrastructure.postgres.version=16"];

    let screen = shop.xtask(&[&["integrate"], &sets[..]].concat()).exits(0);

    let cause = "you set services.web.host_port to 3010 and set infrastructure.postgres.version to \"16\"";
    assert!(
        screen.stderr.contains(&format!("Updated integration/config.yaml ({cause})")),
        "{}",
        screen.stderr
    );
    assert_eq!(
        shop.read(CONFIG),
        mine.to_owned()
            + "        host_port: 3010\n\ninfrastructure:\n    postgres:\n        version: \"16\"\n"
    );
    let compose = shop.read(COMPOSE);
    assert!(
        compose.contains("image: postgres:16\n") && compose.contains("${WEB_PORT:-3010}:8001"),
        "{compose}"
    );
    let before = shop.files();
    shop.xtask(&["integrate", "--check"]).exits(0);
    shop.xtask(&[&["integrate"], &sets[..]].concat()).exits(0);
    assert!(shop.files() == before, "the same decisions again change nothing");
}

#[test]
fn unset_goes_back_to_what_is_found() {
    let shop = shop();
    shop.xtask(&["integrate", "--set", "isolation=off"]).exits(0);
    assert!(!shop.read(COMPOSE).contains("      - postgres\n"), "one network for all");
    let first = shop.read(CONFIG);
    assert!(first.ends_with("\nisolation: off\n") && first.starts_with("# Your preferences"), "{first}");

    shop.xtask(&["integrate", "--unset", "isolation"]).exits(0);

    assert!(shop.read(COMPOSE).contains("      - postgres"), "a network for the clients of postgres");
    assert!(!shop.read(CONFIG).contains("\nisolation"));
}

#[test]
fn set_with_check_or_dry_run_writes_nothing() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let before = shop.files();
    let set = ["--set", "services.web.host_port=3010"];

    let check = shop.xtask(&["integrate", "--check", set[0], set[1]]).exits(1);
    let dry = shop.xtask(&["integrate", "--dry-run", set[0], set[1]]).exits(0);

    let added: Vec<&str> = check.stdout.lines().filter(|line| line.starts_with("+ ")).collect();
    assert!(added.contains(&"+    host_port: 3010"), "{}", check.stdout);
    assert!(dry.stderr.contains("Update integration/config.yaml"), "{}", dry.stderr);
    assert!(dry.stderr.contains("nothing was written"), "{}", dry.stderr);
    assert!(shop.files() == before, "something was written");
}

#[test]
fn a_decision_that_cannot_be_met_is_refused_where_it_was_given() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let before = shop.files();
    for (set, expected) in [
        (
            "infrastructure.postgres.version=3",
            "error: unknown version `3` of PostgreSQL\n  at --set infrastructure.postgres.version=3\n  \
             why: the catalogue has 14, 15, 16, 17, 18\n",
        ),
        (
            "services.wbe.port=3",
            "error: `services.wbe` is no service of this monorepo\n  at --set services.wbe.port=3\n  \
             why: there are: api, web\n  fix: did you mean `web`?\n",
        ),
        (
            "infrastructure.postgers.version=16",
            "error: unknown kind of infrastructure `postgers`\n  at --set infrastructure.postgers.version=16\n",
        ),
        (
            "services.web.requires=+reddis",
            "error: `services.web.requires` names `reddis`, which is neither a service nor a kind of infrastructure\n  \
             at --set services.web.requires=+reddis\n  fix: did you mean `redis`?\n",
        ),
        (
            "isolaton=off",
            "error: unknown key `isolaton`\n  at --set isolaton=off\n  \
             why: known here: name, bind, isolation, hot_reload, services, infrastructure\n  \
             fix: did you mean `isolation`?\n1 error, nothing was written\n",
        ),
    ] {
        let screen = shop.xtask(&["integrate", "--set", set]).exits(1);
        assert!(screen.stderr.starts_with(expected), "{set}:\n{}", screen.stderr);
    }
    assert!(shop.files() == before, "something was written");
}

#[test]
fn review_without_a_terminal_shows_every_decision_with_its_reason_and_how_to_change_it() {
    let shop = shop();
    shop.xtask(&["integrate", "--set", "services.web.host_port=3010"]).exits(0);
    let before = shop.files();

    let screen = shop.xtask(&["integrate", "--mode", "review"]).exits(0);

    let sections: Vec<&str> =
        screen.stdout.lines().filter(|line| line.starts_with(char::is_uppercase)).collect();
    assert_eq!(
        sections,
        ["Services", "Ports", "Networks", "Databases", "Environment", "Images", "Isolation", "Hot reload"]
    );
    for block in [
        "  api: 8000 in the container\n    why: api/Dockerfile:2 says 8000 (dockerfile-expose)\n    \
         or:  --set services.api.port=PORT\n",
        "  web: 3010 on this machine\n    why: integration/config.yaml:",
        "  api: needs redis\n    why: api/.env.example:2 says REDIS_URL=redis://localhost:6379 (env-example)\n    \
         or:  --set services.api.requires=-redis  (does without it)\n",
        "  api: the database shop on postgres, and a user that owns it\n",
        "  postgres: postgres:17\n    why: the version that the catalogue takes by default\n    \
         or:  --set infrastructure.postgres.version=14\n",
        "    or:  --set isolation=off  (one network for all)\n",
        "  web: API_URL = http://api:8000\n    why: points at another part of the system\n",
    ] {
        assert!(screen.stdout.contains(block), "{block}\nis not in\n{}", screen.stdout);
    }
    assert!(screen.stderr.contains("nothing was written"), "{}", screen.stderr);
    assert!(shop.files() == before, "something was written");
}

#[test]
fn review_with_set_shows_the_effect_and_writes_it() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let screen = shop.xtask(&["integrate", "--mode", "review", "--set", "bind=0.0.0.0"]).exits(0);
    assert!(screen.stdout.contains("\n+bind: 0.0.0.0\n"), "{}", screen.stdout);
    assert!(screen.stdout.contains("published on 0.0.0.0"), "{}", screen.stdout);
    assert!(shop.read(COMPOSE).contains("${BIND_ADDR:-0.0.0.0}"));
}

#[test]
fn every_alternative_that_review_names_in_full_can_be_set() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let review = shop.xtask(&["integrate", "--mode", "review"]).exits(0).stdout;
    let mut tried = 0;
    for line in review.lines() {
        let Some((_, setting)) = line.split_once("--set ") else { continue };
        let setting = setting.split("  (").next().unwrap_or_default();
        let (key, value) = setting.split_once('=').expect("is KEY=VALUE");
        let word = value.trim_start_matches('/');
        if word.chars().all(char::is_uppercase) {
            continue;
        }
        let screen =
            shop.xtask(&["integrate", "--dry-run", "--set", &format!("{key}={}", value.trim_matches('\''))]);
        screen.exits(0);
        tried += 1;
    }
    assert!(tried > 8, "only {tried} alternatives");
}
