//! Each check fails when what it checks is broken, and says what was asked, what came back, and what the services
//! said meanwhile.

use crate::lab::docker;
use crate::shop::{not_passed, shop};

#[test]
fn a_cut_way_is_named_and_so_is_what_cannot_be_proven_any_more() {
    let Some(shop) = shop() else { return };
    let (network, container) = (shop.network("redis"), shop.container("stock"));
    docker(&["network", "disconnect", &network, &container]);

    let screen = shop.fails();

    docker(&["network", "connect", &network, &container]);
    let failed = not_passed(&screen);
    assert!(failed.contains(&"connectivity stock to redis failed".to_owned()), "{failed:?}");
    let said = "error: `stock` does not reach `redis`\n  at integration/tests/connectivity.yaml:";
    assert!(screen.stderr.contains(said), "{}", screen.stderr);
    assert!(
        screen.stderr.contains("why: request:  redis at redis:6379, 0 (as REDIS_URL says)"),
        "{}",
        screen.stderr
    );
    assert!(screen.stderr.contains("response: "), "{}", screen.stderr);
    // Nobody can ask Redis any more, so that others cannot either proves nothing.
    assert!(failed.contains(&"isolation orders not to redis failed".to_owned()), "{failed:?}");
    let unproven = "error: it is not proven that `orders` cannot reach `redis`";
    assert!(screen.stderr.contains(unproven), "{}", screen.stderr);
}

#[test]
fn a_password_that_the_server_does_not_know_is_refused_by_each_engine() {
    let Some(shop) = shop() else { return };
    let (billing, stock) = (shop.variable("BILLING_DB_PASSWORD"), shop.variable("STOCK_DB_PASSWORD"));
    let (rabbit, queue) = (shop.variable("ORDERS_RABBITMQ_PASSWORD"), shop.container("rabbitmq"));
    let rabbit_knows = |password: &str| {
        docker(&["exec", &queue, "rabbitmqctl", "-q", "change_password", "orders", password]);
    };
    shop.psql("postgres", "ALTER ROLE billing PASSWORD 'another'");
    shop.mariadb("ALTER USER 'stock'@'%' IDENTIFIED BY 'another'");
    rabbit_knows("another");

    let screen = shop.fails();

    shop.psql("postgres", &format!("ALTER ROLE billing PASSWORD '{billing}'"));
    shop.mariadb(&format!("ALTER USER 'stock'@'%' IDENTIFIED BY '{stock}'"));
    rabbit_knows(&rabbit);
    assert_eq!(
        not_passed(&screen),
        [
            "connectivity billing to postgres failed",
            "connectivity orders to rabbitmq failed",
            "connectivity stock to mariadb failed",
            "isolation stock not to mariadb/goods skipped",
            "isolation billing not to postgres/orders skipped",
            "isolation orders not to rabbitmq/shelf skipped",
        ]
    );
    for (what, answer, log) in [
        ("`billing` does not reach `postgres`", "password authentication failed", "postgres said meanwhile:"),
        ("`stock` does not reach `mariadb`", "Access denied for user 'stock'", "mariadb said meanwhile:"),
        ("`orders` does not reach `rabbitmq`", "auth_failure", "rabbitmq said meanwhile:"),
    ] {
        let (_, text) =
            screen.stderr.split_once(what).unwrap_or_else(|| panic!("no {what}:\n{}", screen.stderr));
        let text = text.split("\nerror: ").next().unwrap_or_default();
        assert!(text.contains(answer), "{answer} is missing:\n{text}");
        assert!(text.contains(log), "{log} is missing:\n{text}");
    }
    for secret in [&billing, &stock, &rabbit] {
        assert!(!screen.stderr.contains(secret.as_str()), "{}", screen.stderr);
    }
}

#[test]
fn a_database_that_was_opened_to_others_is_found() {
    let Some(shop) = shop() else { return };
    shop.psql("postgres", "GRANT CONNECT ON DATABASE orders TO PUBLIC");
    shop.mariadb("GRANT SELECT ON stock.* TO 'goods'@'%'");
    let queue = shop.container("rabbitmq");
    docker(&[
        "exec",
        &queue,
        "rabbitmqctl",
        "-q",
        "set_permissions",
        "-p",
        "shelf",
        "orders",
        ".*",
        ".*",
        ".*",
    ]);

    let screen = shop.fails();

    shop.psql("postgres", "REVOKE CONNECT ON DATABASE orders FROM PUBLIC");
    shop.mariadb("REVOKE SELECT ON stock.* FROM 'goods'@'%'");
    docker(&["exec", &queue, "rabbitmqctl", "-q", "clear_permissions", "-p", "shelf", "orders"]);
    assert_eq!(
        not_passed(&screen),
        [
            "isolation goods not to mariadb/stock failed",
            "isolation billing not to postgres/orders failed",
            "isolation orders not to rabbitmq/shelf failed",
        ]
    );
    for what in [
        "error: `billing` can open `orders` on `postgres`, which is not its own\n  why: request:  postgres at postgres, orders as billing\n",
        "error: `goods` can open `stock` on `mariadb`, which is not its own\n  why: request:  mariadb at mariadb, stock as goods\n",
        "error: `orders` can open `shelf` on `rabbitmq`, which is not its own\n  why: request:  rabbitmq at rabbitmq, shelf as orders\n",
    ] {
        assert!(screen.stderr.contains(what), "{}", screen.stderr);
    }
}

#[test]
fn a_way_that_nobody_declared_and_a_port_open_to_others_are_found() {
    let Some(shop) = shop() else { return };
    let (network, container) = (shop.network("redis"), shop.container("billing"));
    let stray = shop.container("stray");
    let project = format!("com.docker.compose.project={}", shop.project());
    docker(&["network", "connect", &network, &container]);
    docker(&[
        "run",
        "--detach",
        "--name",
        &stray,
        "--label",
        &project,
        "--label",
        "com.docker.compose.service=stray",
        "--label",
        "com.docker.compose.oneoff=False",
        "--publish",
        "0.0.0.0::80",
        "busybox:1.37-musl",
        "httpd",
        "-f",
    ]);

    let screen = shop.fails();

    docker(&["rm", "--force", &stray]);
    docker(&["network", "disconnect", &network, &container]);
    assert_eq!(
        not_passed(&screen),
        ["isolation billing not to redis failed", "isolation ports on this machine only failed"]
    );
    let reached = "error: `billing` reaches `redis`, which it does not declare\n  at integration/tests/connectivity.yaml:";
    assert!(screen.stderr.contains(reached), "{}", screen.stderr);
    assert!(screen.stderr.contains("response: redis:6379 accepts the connection"), "{}", screen.stderr);
    let open = "error: other machines can reach published ports\n  at integration/tests/connectivity.yaml:";
    assert!(screen.stderr.contains(open), "{}", screen.stderr);
    assert!(screen.stderr.contains(" of `stray` listens on 0.0.0.0\n"), "{}", screen.stderr);
}

#[test]
fn without_its_tool_nothing_counts_as_kept_apart() {
    let Some(shop) = shop() else { return };
    let name = "integration/tests/connectivity.yaml";
    let text = shop.read(name);
    // An image with a shell and `sleep`, and without `nc` and `wget`.
    shop.write(name, text.replace("busybox: busybox:1.37-musl", "busybox: postgres:17"));

    let screen = shop.fails();

    shop.write(name, text);
    let failed = not_passed(&screen);
    for row in [
        "connectivity orders to billing failed",
        "isolation billing not to redis failed",
        "isolation stock not to rabbitmq failed",
    ] {
        assert!(failed.contains(&row.to_owned()), "{failed:?}");
    }
    let walls = |row: &&String| row.starts_with("isolation") && !row.contains('/') && !row.contains("ports");
    assert_eq!(
        crate::shop::rows(&screen).iter().filter(walls).filter(|row| row.ends_with("passed")).count(),
        0
    );
}

#[test]
fn a_failed_scenario_shows_what_its_service_said() {
    let Some(shop) = shop() else { return };
    let name = "integration/tests/smoke/broken.yaml";
    shop.write(name, "name: broken\nservice: orders\nsteps:\n  - request: { path: /nowhere }\n");

    let screen = shop.fails();

    std::fs::remove_file(shop.root.join(name)).expect("it was just written");
    assert_eq!(not_passed(&screen), ["smoke broken failed at `GET /nowhere`"]);
    let (_, text) =
        screen.stderr.split_once("`GET /nowhere` failed in scenario `broken`").expect("it is told");
    assert!(text.contains("response: 404 Not Found"), "{text}");
    assert!(text.contains("\n  orders said meanwhile:\n"), "{text}");
    assert!(text.contains("response:404"), "what httpd logs is shown:\n{text}");
}
