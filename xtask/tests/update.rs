//! What an update does with what is there: renamed services, versions that hold data, setups written by hand.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;

use place::Place;

const COMPOSE: &str = "integration/docker-compose.yml";
const STATE: &str = "integration/.generated/state.yaml";
const ENV: &str = "integration/.env";

/// Two services with databases, one of them with a volume of its own.
fn shop() -> Place {
    let place = Place::new("shop");
    place.write(
        "market/Dockerfile",
        "FROM python:3.13-slim\nEXPOSE 8000\nVOLUME /data\nCMD [\"python3\", \"m.py\"]\n",
    );
    place.write("market/.env.example", "DATABASE_URL=postgres://localhost:5432/market\nSESSION_SECRET=\n");
    place.write("market/schema.sql", "CREATE TABLE t (id int);\n");
    place.write("web/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"w.py\"]\n");
    place.write("web/.env.example", "MARKET_URL=http://market:8000\n");
    place
}

fn rename(place: &Place, old: &str, new: &str) {
    std::fs::rename(place.root.join(old), place.root.join(new)).expect("both lie in the monorepo");
}

/// Lines that differ, without the context.
fn differences(old: &str, new: &str) -> Vec<String> {
    let patch = diffy::create_patch(old, new);
    let lines = patch.hunks().iter().flat_map(|hunk| hunk.lines());
    lines
        .filter_map(|line| match line {
            diffy::Line::Delete(text) => Some(format!("-{}", text.trim())),
            diffy::Line::Insert(text) => Some(format!("+{}", text.trim())),
            diffy::Line::Context(_) => None,
        })
        .collect()
}

#[test]
fn a_renamed_service_keeps_its_port_variables_data_and_edits() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let edited =
        shop.read(COMPOSE).replace("\n  market:\n", "\n  market:\n    # Ours.\n    restart: always\n");
    shop.write(COMPOSE, &edited);
    rename(&shop, "market", "quotes");
    shop.write("web/.env.example", "QUOTES_URL=http://quotes:8000\n");

    let screen = shop.xtask(&["integrate"]).exits(0);

    let said = "Renamed market to quotes (it keeps port 8000 and the variables MARKET_*, the database market and the \
                volume market-data)";
    assert!(screen.stderr.contains(said) && !screen.stderr.contains("Waits"), "{}", screen.stderr);
    assert_eq!(
        differences(&edited, &shop.read(COMPOSE)),
        [
            "-- ../market/schema.sql:/schemas/market/schema.sql:ro",
            "+- ../quotes/schema.sql:/schemas/market/schema.sql:ro",
            "-xtask.databases: market:market:market:MARKET_DB_PASSWORD",
            "+xtask.databases: quotes:market:market:MARKET_DB_PASSWORD:market",
            "-market:",
            "+quotes:",
            "-context: ../market",
            "+context: ../quotes",
            "-MARKET_URL: http://market:8000",
            "+QUOTES_URL: http://quotes:8000",
            "-market:",
            "+quotes:",
        ]
    );
    assert!(shop.read(STATE).contains("renamed:\n  quotes: market\n"), "{}", shop.read(STATE));
    let before = shop.files();
    let again = shop.xtask(&["integrate"]).exits(0);
    assert!(!again.stderr.contains("Renamed") && shop.files() == before, "{}", again.stderr);
}

#[test]
fn a_service_renamed_twice_still_has_its_first_data_and_its_old_name_is_free_again() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    rename(&shop, "market", "quotes");
    shop.xtask(&["integrate"]).exits(0);
    rename(&shop, "quotes", "prices");
    shop.write(
        "market/Dockerfile",
        "FROM python:3.13-slim\nEXPOSE 8000\nVOLUME /data\nCMD [\"python3\", \"new.py\"]\n",
    );
    shop.write("market/.env.example", "DATABASE_URL=postgres://localhost:5432/\n");

    let screen = shop.xtask(&["integrate"]).exits(0);

    assert!(screen.stderr.contains("Renamed quotes to prices (it keeps port 8000"), "{}", screen.stderr);
    let compose = shop.read(COMPOSE);
    assert!(compose.contains("postgresql://market:") || compose.contains("postgres://market:"), "{compose}");
    assert!(compose.contains("market-data:/data") && compose.contains("market-2-data:/data"), "{compose}");
    assert!(compose.contains("@postgres:5432/market_2"), "the new one has a database of its own\n{compose}");
    assert!(shop.read(STATE).contains("renamed:\n  prices: market\n"));
}

#[test]
fn services_with_the_same_dockerfile_are_not_taken_for_each_other() {
    let place = Place::new("shop");
    let dockerfile = "FROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"m.py\"]\n";
    for name in ["a", "b"] {
        place.write(&format!("{name}/Dockerfile"), dockerfile);
    }
    place.xtask(&["integrate"]).exits(0);
    rename(&place, "a", "c");
    rename(&place, "b", "d");
    let screen = place.xtask(&["integrate"]).exits(0);
    assert!(!screen.stderr.contains("Renamed"), "{}", screen.stderr);
}

#[test]
fn an_edited_dockerfile_alone_makes_no_setup_stale() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let dockerfile = shop.read("web/Dockerfile");
    shop.write("web/Dockerfile", format!("# Now with a comment.\n{dockerfile}"));
    shop.xtask(&["integrate", "--check"]).exits(0);
}

#[test]
fn preferences_under_the_old_name_still_count() {
    let shop = shop();
    shop.xtask(&["integrate", "--set", "services.market.host_port=3010"]).exits(0);
    rename(&shop, "market", "quotes");
    let screen = shop.xtask(&["integrate"]).exits(0);
    assert!(screen.stderr.contains("config.yaml speaks of `services.market`, which is called `quotes` now"));
    assert!(shop.read(COMPOSE).contains("${MARKET_PORT:-3010}:8000"));
}

#[test]
fn a_newer_default_of_the_catalogue_does_not_start_on_old_data() {
    let shop = shop();
    shop.xtask(&["integrate", "--set", "infrastructure.postgres.version=16"]).exits(0);
    // As an older catalogue would have made it: the same version, and nobody asked for it.
    let unset = shop.xtask(&["integrate", "--unset", "infrastructure.postgres.version"]).exits(0);
    assert!(shop.read(COMPOSE).contains("image: postgres:16\n"), "{}", unset.stderr);
    let inventory = shop.xtask(&["inventory"]).exits(0).stdout;
    assert!(
        inventory.contains("`postgres` stays on version 16, which may hold data; a new setup would get 17")
    );

    // A setup from before versions were recorded is known by what was generated.
    let state = shop.read(STATE);
    let (before, _) = state.split_once("versions:").expect("versions are recorded");
    shop.write(STATE, before);
    shop.xtask(&["integrate"]).exits(0);
    assert!(shop.read(COMPOSE).contains("image: postgres:16\n"));
}

#[test]
fn a_major_that_cannot_open_the_data_is_said_with_the_way_back() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    shop.write(ENV, "COMPOSE_PROJECT_NAME=shop-1234\n");
    let screen = shop.xtask(&["integrate", "--set", "infrastructure.postgres.version=16"]).exits(0);
    let expected = "warning: `postgres:16` cannot open the data of `postgres:17`\n  \
        at integration/docker-compose.yml: services.postgres.image\n  \
        why: an older version does not read what a newer one wrote, and the volume shop-1234_postgres-data keeps them if \
        postgres has run before\n  fix: stay with cargo xtask integrate --set infrastructure.postgres.version=17\n       \
        or, with the old version still running, cargo xtask db snapshot; after the change cargo xtask reset postgres and \
        cargo xtask db restore\n";
    assert!(screen.stderr.contains(expected), "{}", screen.stderr);
}

#[test]
fn an_update_says_what_the_running_system_will_notice() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    shop.write(ENV, "COMPOSE_PROJECT_NAME=shop-1234\nPOSTGRES_PASSWORD=x\nMARKET_DB_PASSWORD=x\nMARKET_SESSION_SECRET=x\n");
    std::fs::remove_dir_all(shop.root.join("market")).expect("is ours");
    shop.write("web/.env.example", "REDIS_URL=redis://localhost:6379\nSIGNING_SECRET=\n");

    let screen = shop.xtask(&["integrate"]).exits(0);

    for expected in [
        "       Waits web for redis now\n",
        "       Waits web no longer for market\n",
        "warning: integration/.env has no value for `WEB_SIGNING_SECRET` yet\n",
        "warning: no service uses shop-1234_market-data, shop-1234_postgres-data and shop-1234_postgres-run any more; the \
         data stay\n  fix: once nobody needs them: docker volume rm shop-1234_market-data shop-1234_postgres-data \
         shop-1234_postgres-run\n",
    ] {
        assert!(screen.stderr.contains(expected), "{expected}\nis not in\n{}", screen.stderr);
    }
    let again = shop.xtask(&["integrate"]).exits(0);
    assert!(!again.stderr.contains("any more"), "{}", again.stderr);
}

#[test]
fn another_database_is_said_and_config_stays_with_the_old_one() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    shop.write("market/.env.example", "DATABASE_URL=postgres://localhost:5432/bazaar\nSESSION_SECRET=\n");
    let said = "warning: `market` gets the database `bazaar` now; what it has stored stays in `market`\n  fix: to stay with \
                that, set the variable that names it below services.market.env in config.yaml\n";

    let screen = shop.xtask(&["integrate"]).exits(0);
    assert!(screen.stderr.contains(said), "{}", screen.stderr);

    let url = "services.market.env.DATABASE_URL=postgres://market:x@postgres:5432/market";
    shop.xtask(&["integrate", "--set", url]).exits(0);
    assert!(shop.read("integration/docker-compose.yml").contains("xtask.databases: market:market:market:"));
}

const BY_HAND: &str = "# Ours.\nservices:\n  market:\n    build: ../market\n    ports: [\"8000:8000\"]\n    volumes:\n      \
    - mine:/data\n  postgres:\n    image: postgres:15\n    environment:\n      POSTGRES_PASSWORD: x\n    volumes:\n      \
    - pg:/var/lib/postgresql/data\nvolumes:\n  mine:\n  pg:\n";

#[test]
fn a_setup_written_by_hand_keeps_the_project_under_which_it_ran() {
    for (env, compose, project) in [
        ("", BY_HAND.to_owned(), "integration"),
        ("COMPOSE_PROJECT_NAME=my_shop\n", BY_HAND.to_owned(), "my_shop"),
        ("", format!("name: mall\n{BY_HAND}"), "mall"),
    ] {
        let shop = shop();
        shop.write(ENV, env);
        shop.write(COMPOSE, &compose);

        let screen = shop.xtask(&["integrate"]).exits(0);

        let adopted = shop.read(COMPOSE);
        assert!(adopted.contains(&format!("name: {project}\n")), "{adopted}");
        assert!(adopted.contains("x-xtask-project: exact\n"), "{adopted}");
        assert!(
            adopted.contains("image: postgres:15\n") && adopted.contains("pg:/var/lib/postgresql/data"),
            "{adopted}"
        );
        assert!(screen.stderr.contains("Adopted integration/docker-compose.yml"), "{}", screen.stderr);
        assert!(screen.stderr.contains("services.market.build stays `../market`"), "{}", screen.stderr);
        // What nobody set up so far gets no passwords of ours, which would lock the services out.
        assert!(!adopted.contains("postgres-setup") && !adopted.contains("POSTGRES_PASSWORD:?"), "{adopted}");
        assert!(!shop.read("integration/.env.example").contains("POSTGRES_PASSWORD"));
        let before = shop.files();
        shop.xtask(&["integrate", "--check"]).exits(0);
        shop.xtask(&["integrate"]).exits(0);
        assert!(shop.files() == before, "the second run wrote something");
    }
}

#[test]
fn a_new_service_gets_its_database_on_a_server_that_was_written_by_hand() {
    let shop = shop();
    shop.write(COMPOSE, BY_HAND);
    shop.xtask(&["integrate"]).exits(0);
    shop.write("news/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8005\nCMD [\"python3\", \"n.py\"]\n");
    shop.write("news/.env.example", "DATABASE_URL=postgres://localhost:5432/news\n");

    shop.xtask(&["integrate"]).exits(0);

    let compose: serde_yaml::Value = serde_yaml::from_str(&shop.read(COMPOSE)).expect("is YAML");
    let setup = &compose["services"]["postgres-setup"];
    assert_eq!(setup["image"], "postgres:15");
    assert_eq!(setup["environment"]["POSTGRES_PASSWORD"], "x", "as the server has it");
    let scripts = shop.read("integration/init-scripts/postgres/02-create-users.sql");
    assert!(scripts.contains("\"news\"") && !scripts.contains("\"market\""), "{scripts}");
    assert_eq!(compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"], "x");

    let of_theirs = "      POSTGRES_PASSWORD: x\n      POSTGRES_USER: app\n";
    shop.write(COMPOSE, BY_HAND.replace("      POSTGRES_PASSWORD: x\n", of_theirs));
    std::fs::remove_dir_all(shop.root.join("integration/.generated")).expect("is ours");
    std::fs::remove_dir_all(shop.root.join("news")).expect("is ours");
    shop.xtask(&["integrate"]).exits(0);
    shop.write("news/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8005\nCMD [\"python3\", \"n.py\"]\n");
    shop.write("news/.env.example", "DATABASE_URL=postgres://localhost:5432/news\n");
    let screen = shop.xtask(&["integrate"]).exits(0);
    let said = "`news` needs a database on `postgres`, which has an administrator of yours; none is made";
    assert!(screen.stderr.contains(said), "{}", screen.stderr);
}

#[test]
fn a_lost_record_makes_no_hand_written_setup_of_a_generated_one() {
    let shop = shop();
    shop.xtask(&["integrate"]).exits(0);
    let before = shop.read(COMPOSE);
    shop.write(ENV, "COMPOSE_PROJECT_NAME=shop-1234\n");
    std::fs::remove_file(shop.root.join(STATE)).expect("was written");
    shop.xtask(&["integrate"]).exits(0);
    assert_eq!(shop.read(COMPOSE), before);
    assert!(!shop.read(STATE).contains("adopted"), "{}", shop.read(STATE));
}
