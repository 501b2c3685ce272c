//! What counts as an address, as a table; property tests for texts that nobody writes.

use proptest::prelude::*;

use super::*;

/// `scheme|host|port|database|user|password` of each reference, `-` for none.
fn show(value: &str, via: Option<&str>) -> Vec<String> {
    let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    references(value, via)
        .iter()
        .map(|r| {
            let port = r.port.map_or_else(|| "-".to_owned(), |port| port.to_string());
            format!(
                "{}|{}|{port}|{}|{}|{}",
                r.scheme,
                r.host,
                text(&r.database),
                text(&r.user),
                text(&r.password)
            )
        })
        .collect()
}

#[test]
fn every_notation_is_read() {
    for (value, wanted) in [
        (
            "postgresql://trading:secret@localhost:5432/trading?sslmode=off",
            "postgresql|localhost|5432|trading|trading|secret",
        ),
        ("postgres://u:p/a@ss@db/x", "postgres|db|-|x|u|p/a@ss"),
        ("redis://cache", "redis|cache|-|-|-|-"),
        ("redis://:pw@cache:6380/2", "redis|cache|6380|2|-|pw"),
        ("http://accounts:3001/users/", "http|accounts|3001|-|-|-"),
        ("amqp://guest:guest@rabbit:5672/orders", "amqp|rabbit|5672|orders|guest|guest"),
        ("jdbc:postgresql://db:5432/app?user=u&password=p", "jdbc:postgresql|db|5432|app|u|p"),
        ("jdbc:sqlserver://mssql:1433;databaseName=app;user=sa", "jdbc:sqlserver|mssql|1433|app|sa|-"),
        ("jdbc:oracle:thin:@ora:1521:xe", "jdbc:oracle|ora|1521|xe|-|-"),
        ("Host=db;Port=5432;Database=app;Username=u;Password=p", "|db|5432|app|u|p"),
        ("Server=tcp:mssql,1433;Initial Catalog=app;User Id=sa;Password=x=y;", "|mssql|1433|app|sa|x=y"),
        ("Data Source=host\\SQLEXPRESS;Initial Catalog=app", "|host|-|app|-|-"),
        ("mysql:host=db;port=3306;dbname=shop", "mysql|db|3306|shop|-|-"),
        ("root:pw@tcp(mysql:3306)/orders?parseTime=true", "mysql|mysql|3306|orders|root|pw"),
        ("host=db port=5433 user=u password='p w' dbname=x", "postgresql|db|5433|x|u|p w"),
        ("mongodb+srv://u:p@cluster.example.org/app", "mongodb+srv|cluster.example.org|-|app|u|p"),
        ("http://[::1]:80/", "http|::1|80|-|-|-"),
        ("kafka:9092", "|kafka|9092|-|-|-"),
        ("optional:configserver:http://config:8888/", "http|config|8888|-|-|-"),
        ("dns:///accounts:50051", "dns|accounts|50051|-|-|-"),
        ("lb://ACCOUNTS-SERVICE", "lb|ACCOUNTS-SERVICE|-|-|-|-"),
        ("${URL:-http://market:3002}", "http|market|3002|-|-|-"),
        ("jdbc:mysql://${H:db}:${P:3306}/${D:app}", "jdbc:mysql|db|3306|app|-|-"),
        ("postgres://${U}:${P}@${H}:${N}/${D}", "postgres||-|-|-|-"),
        ("\"amqp://mq\"", "amqp|mq|-|-|-|-"),
        ("redis:6379,password=x,abortConnect=false", "|redis|6379|-|-|x"),
        ("cache,ssl=False,abortConnect=False", "|cache|6379|-|-|-"),
    ] {
        assert_eq!(show(value, None), [wanted], "{value}");
    }
}

#[test]
fn several_addresses_are_told_apart() {
    for (value, wanted) in [
        ("mongodb://u:p@a:1,b:2/db", vec!["mongodb|a|1|db|u|p", "mongodb|b|2|db|u|p"]),
        ("http://a:9200,http://b:9200", vec!["http|a|9200|-|-|-", "http|b|9200|-|-|-"]),
        ("k1:9092, k2:9092", vec!["|k1|9092|-|-|-", "|k2|9092|-|-|-"]),
    ] {
        assert_eq!(show(value, None), wanted, "{value}");
    }
}

#[test]
fn a_bare_host_needs_a_name_that_says_so() {
    assert_eq!(show("db", Some("DB_HOST")), ["|db|-|-|-|-"]);
    assert_eq!(show("rabbitmq", Some("RabbitMq:HostName")), ["|rabbitmq|-|-|-|-"]);
    assert_eq!(show("redis", Some("spring.redis.host")), ["|redis|-|-|-|-"]);
    assert_eq!(show("localhost", Some("DB_HOST")), ["|localhost|-|-|-|-"]);
    for (value, via) in
        [("db", None), ("db", Some("DB_NAME")), ("true", Some("DB_HOST")), ("postgres:17", Some("DB_IMAGE"))]
    {
        assert_eq!(show(value, via), Vec::<String>::new(), "{value} {via:?}");
    }
}

#[test]
fn what_is_no_other_party_is_left_out() {
    for (value, via) in [
        ("0.0.0.0:8080", Some("ADDR")),
        ("0.0.0.0", Some("HOST")),
        ("localhost", Some("HOST")),
        ("http://+:80;http://*:81", Some("ASPNETCORE_URLS")),
        ("localhost:8080", Some("LISTEN_ADDR")),
        ("file:///etc/passwd", None),
        ("sqlite:///app.db", None),
        ("postgres:17", None),
        ("12:30", None),
        ("width:100px", None),
        ("", None),
        ("{{host}}", Some("DB_HOST")),
        ("a=b", None),
        ("DefaultEndpointsProtocol=https;AccountName=x", None),
    ] {
        assert_eq!(show(value, via), Vec::<String>::new(), "{value}");
    }
}

#[test]
fn the_value_and_its_name_travel_along() {
    let found = references(" 'http://a:80' ", Some("A_URL"));
    assert_eq!(found[0].raw, "http://a:80");
    assert_eq!(found[0].via.as_deref(), Some("A_URL"));
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC{0,200}", via in "[A-Za-z_.]{0,12}") {
        let _ = references(&text, None);
        let _ = references(&text, Some(&via));
    }

    #[test]
    fn any_address_like_text_is_taken(text in "[a-c:/@=;,.?&${}() \\[\\]%'\\\\0-9-]{0,60}") {
        for found in references(&text, Some("X_URL")) {
            prop_assert!(!(found.host.is_empty() && found.scheme.is_empty()));
        }
    }

    #[test]
    fn a_composed_url_is_read_back(
        scheme in "[a-z]{2,8}", user in "[a-z]{1,8}", password in "[A-Za-z0-9/:]{1,12}",
        host in "[a-z][a-z0-9-]{0,8}[a-z0-9]", port in 1_u16.., database in "[a-z_]{1,9}",
    ) {
        prop_assume!(!PAGES.contains(&scheme.as_str()) && !["file", "unix", "data", "sqlite", "about"].contains(&scheme.as_str()));
        let found = references(&format!("{scheme}://{user}:{password}@{host}:{port}/{database}"), None);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&found[0].host, &host);
        prop_assert_eq!(found[0].port, Some(port));
        prop_assert_eq!(found[0].database.as_deref(), Some(database.as_str()));
        prop_assert_eq!(found[0].password.as_deref(), Some(password.as_str()));
    }
}
