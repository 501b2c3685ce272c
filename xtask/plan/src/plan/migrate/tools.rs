//! What tools that are programs of their own have to be told, and the images that they have; pure.

/// The image of a tool, and how it is told where the database is.
pub(super) struct OwnImage {
    pub(super) image: &'static str,
    pub(super) environment: &'static [(&'static str, &'static str)],
}

pub(super) fn own_image(tool: &str, kind: &str) -> Option<OwnImage> {
    const FLYWAY: &str = "flyway/flyway:11";
    const LIQUIBASE: &str = "liquibase/liquibase:4.27";
    let (image, environment): (_, &'static [(&str, &str)]) = match (tool, kind) {
        ("golang-migrate", "postgres" | "mysql" | "mariadb") => ("migrate/migrate:v4.18.3", &[]),
        ("flyway", "postgres") => (
            FLYWAY,
            &[
                ("FLYWAY_PASSWORD", "{password}"),
                ("FLYWAY_URL", "jdbc:postgresql://{host}:{port}/{database}"),
                ("FLYWAY_USER", "{user}"),
            ],
        ),
        ("flyway", "mysql") => (
            FLYWAY,
            &[
                ("FLYWAY_PASSWORD", "{password}"),
                (
                    "FLYWAY_URL",
                    "jdbc:mysql://{host}:{port}/{database}?allowPublicKeyRetrieval=true&useSSL=false",
                ),
                ("FLYWAY_USER", "{user}"),
            ],
        ),
        ("flyway", "mariadb") => (
            FLYWAY,
            &[
                ("FLYWAY_PASSWORD", "{password}"),
                ("FLYWAY_URL", "jdbc:mariadb://{host}:{port}/{database}"),
                ("FLYWAY_USER", "{user}"),
            ],
        ),
        // For MySQL, the driver would have to be fetched first.
        ("liquibase", "postgres") => (
            LIQUIBASE,
            &[
                ("LIQUIBASE_COMMAND_PASSWORD", "{password}"),
                ("LIQUIBASE_COMMAND_URL", "jdbc:postgresql://{host}:{port}/{database}"),
                ("LIQUIBASE_COMMAND_USERNAME", "{user}"),
            ],
        ),
        ("liquibase", "mariadb") => (
            LIQUIBASE,
            &[
                ("LIQUIBASE_COMMAND_PASSWORD", "{password}"),
                ("LIQUIBASE_COMMAND_URL", "jdbc:mariadb://{host}:{port}/{database}"),
                ("LIQUIBASE_COMMAND_USERNAME", "{user}"),
            ],
        ),
        _ => return None,
    };
    Some(OwnImage { image, environment })
}

/// Whether the one-shot has to tell the tool which database it works on: others find their own in the service's
/// variables.
pub(super) fn is_told(tool: &str) -> bool {
    matches!(tool, "diesel" | "flyway" | "golang-migrate" | "goose" | "liquibase" | "sqlx")
}

/// What a tool that is a program of its own wants to know beside the service's variables.
pub(super) fn told(tool: &str, kind: &str) -> &'static [(&'static str, &'static str)] {
    match (tool, kind) {
        ("goose", "postgres") => &[("GOOSE_DBSTRING", "{url}"), ("GOOSE_DRIVER", "postgres")],
        ("goose", _) => &[
            ("GOOSE_DBSTRING", "{user}:{password}@tcp({host}:{port})/{database}?parseTime=true"),
            ("GOOSE_DRIVER", "mysql"),
        ],
        ("sqlx" | "diesel", "postgres") => &[("DATABASE_URL", "{url}")],
        ("sqlx" | "diesel", _) => &[("DATABASE_URL", "mysql://{user}:{password}@{host}:{port}/{database}")],
        _ => &[],
    }
}

/// The address as programs in Go want it.
pub(super) fn url(kind: &str) -> &'static str {
    match kind {
        "postgres" => "postgres://{user}:{password}@{host}:{port}/{database}?sslmode=disable",
        _ => "mysql://{user}:{password}@tcp({host}:{port})/{database}",
    }
}
