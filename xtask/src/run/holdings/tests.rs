//! Tests of what volumes say and of the answers to it.

use super::*;

fn mark(file: &str, version: &str) -> Mark {
    Mark { file: file.to_owned(), version: version.to_owned() }
}

fn engines() -> Vec<Engine> {
    let engine = |kind: &str, title: &str, marks: Vec<Mark>, numbers| Engine {
        kind: kind.to_owned(),
        title: title.to_owned(),
        marks,
        numbers,
        opens: match kind {
            "mariadb" => Opens::Older,
            "mysql" => Opens::Previous,
            _ => Opens::Own,
        },
    };
    let maria = vec![mark("mysql_upgrade_info", r"([\d.]+)-MariaDB"), mark("aria_log_control", "")];
    let mysql = vec![
        mark("mysql_upgrade_history", r#""version":\s*"([\d.]+)"#),
        mark("mysql_upgrade_info", r"^([\d.]+)\s*$"),
    ];
    let postgres = vec![mark("PG_VERSION", r"^(\d+)"), mark("*/docker/PG_VERSION", r"^(\d+)")];
    vec![
        engine("mariadb", "MariaDB", maria, 2),
        engine("mysql", "MySQL", mysql, 2),
        engine("postgres", "PostgreSQL", postgres, 1),
    ]
}

fn seen(text: &str, n: usize) -> Option<(String, Option<String>)> {
    held(&engines(), text, n).map(|held| (held.engine.kind.clone(), held.version))
}

#[test]
fn a_volume_is_known_by_its_marks() {
    let text = "\n== 0/PG_VERSION\n15\n\n== 1/aria_log_control\n\u{1}x\n== 1/mysql_upgrade_info\n10.11.6-MariaDB\n\
                \n== 2/mysql_upgrade_history\n{\"version\":\"8.4.0\",\"x\":1},{\"version\":\"9.1.0\"}\
                \n== 3/18/docker/PG_VERSION\n18\n\n== 10/PG_VERSION\n17\n";
    let found = |kind: &str, version: &str| Some((kind.to_owned(), Some(version.to_owned())));
    assert_eq!(seen(text, 0), found("postgres", "15"));
    assert_eq!(seen(text, 1), found("mariadb", "10.11.6"));
    assert_eq!(seen(text, 2), found("mysql", "9.1.0"));
    assert_eq!(seen(text, 3), found("postgres", "18"));
    assert_eq!(seen(text, 4), None);
    assert_eq!(seen(text, 10), found("postgres", "17"));
}

fn setup() -> Setup {
    Setup {
        out: PathBuf::from("/nowhere"),
        shown: "integration".to_owned(),
        env: "dev".to_owned(),
        files: Vec::new(),
        env_file: PathBuf::from("/nowhere/.env"),
        env_text: String::new(),
        project: "shop".to_owned(),
        overlay: None,
    }
}

fn answer(kind: &str, image: &str, held_kind: &str, version: Option<&str>) -> Option<String> {
    let engines = engines();
    let engine = |kind: &str| engines.iter().find(|engine| engine.kind == kind).unwrap();
    let wanted = Wanted {
        service: "db".to_owned(),
        kind: kind.to_owned(),
        image: image.to_owned(),
        volumes: vec!["shop_db".to_owned()],
    };
    let held = Held { engine: engine(held_kind), version: version.map(str::to_owned) };
    difference(&setup(), &wanted, engine(kind), &held, "shop_db").map(|answer| match answer {
        Answer::Upgrade(text) => text,
        Answer::Refused(failure) => failure.to_string(),
    })
}

#[test]
fn the_same_major_is_no_difference_and_neither_is_one_that_is_unknown() {
    assert_eq!(answer("postgres", "postgres:17.2-alpine", "postgres", Some("17")), None);
    assert_eq!(answer("mariadb", "registry.example:5000/mariadb:11.8", "mariadb", Some("11.8.3")), None);
    assert_eq!(answer("mariadb", "mariadb:11", "mariadb", Some("11.8.3")), None);
    assert_eq!(answer("postgres", "postgres", "postgres", Some("17")), None);
    assert_eq!(answer("mariadb", "mariadb:11.8", "mariadb", None), None);
}

#[test]
fn another_major_is_answered_with_the_choices() {
    assert_eq!(
        answer("postgres", "postgres:17", "postgres", Some("15")).unwrap(),
        "`db` would run postgres:17 on data of PostgreSQL 15\n  at integration/docker-compose.yml\n  \
         why: the volume `shop_db` was written by PostgreSQL 15, which postgres:17 does not read\n  \
         fix: keep the version: cargo xtask integrate --set infrastructure.postgres.version=15\n       \
         or take the data along: cargo xtask db snapshot NAME on the old version, then with the new one\n       \
         cargo xtask reset db --no-snapshot and cargo xtask db restore NAME\n       \
         or delete the data: cargo xtask reset db --no-snapshot"
    );
    for (kind, image, data) in [
        ("mariadb", "mariadb:10.11", "11.8.3"),
        ("mysql", "mysql:8.0", "8.4.0"),
        ("mysql", "mysql:9", "7.9.1"),
        ("postgres", "postgres:15", "17"),
    ] {
        let text = answer(kind, image, kind, Some(data)).unwrap();
        assert!(text.contains(&format!("`db` would run {image} on data of ")), "{text}");
    }
}

#[test]
fn data_that_the_server_opens_by_itself_are_said() {
    assert_eq!(
        answer("mariadb", "mariadb:11.8", "mariadb", Some("10.11.6")).unwrap(),
        "db: data of MariaDB 10.11 by mariadb:11.8, which no older version reads afterwards"
    );
    assert!(
        answer("mysql", "mysql:9", "mysql", Some("8.4.2"))
            .unwrap()
            .starts_with("db: data of MySQL 8.4 by mysql:9")
    );
}

#[test]
fn another_engine_is_answered_with_the_choices() {
    assert_eq!(
        answer("mysql", "mysql:8.4", "mariadb", None).unwrap(),
        "`db` would run mysql:8.4 on data of MariaDB\n  at integration/docker-compose.yml\n  \
         why: the volume `shop_db` was written by MariaDB\n  \
         fix: take MariaDB again for this data\n       or delete the data: cargo xtask reset db --no-snapshot"
    );
}
