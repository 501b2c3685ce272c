//! Reads the names of environment variables: whom they are about, which part of an address they hold; pure.

use crate::catalog::{Catalog, Class};

/// Which part of an address a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The whole address.
    Url,
    /// The host alone.
    Host,
    /// `host:port`, or a list of them.
    HostPort,
    /// The port alone.
    Port,
    /// The database's name.
    Database,
    /// The login's user.
    User,
    /// The login's password.
    Password,
}

/// Whom a variable is about, as far as its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// A kind of the catalogue: `POSTGRES_HOST`.
    Kind(String),
    /// Some component of a class: `DB_HOST`, `CACHE_URL`.
    Class(Class),
    /// Perhaps a service: `ACCOUNTS` of `ACCOUNTS_URL`. Empty where the name is the part alone (`PORT`).
    Other(String),
}

/// Endings of names, longest first within a part.
const ENDINGS: &[(&str, Part)] = &[
    ("CONNECTION_STRING", Part::Url),
    ("CONNECTIONSTRING", Part::Url),
    ("CONNECTION_URL", Part::Url),
    ("CONNECTION_URI", Part::Url),
    ("SERVICE_BASE_URL", Part::Url),
    ("SERVICE_URL", Part::Url),
    ("SERVICE_URI", Part::Url),
    ("BASE_URL", Part::Url),
    ("API_URL", Part::Url),
    // Where the development server of a bundler passes calls on.
    ("API_TARGET", Part::Url),
    ("PROXY_TARGET", Part::Url),
    ("CONN_STR", Part::Url),
    ("CONN", Part::Url),
    ("URL", Part::Url),
    ("URI", Part::Url),
    ("DSN", Part::Url),
    ("BOOTSTRAP_SERVERS", Part::HostPort),
    ("BOOTSTRAP_SERVER", Part::HostPort),
    ("BOOTSTRAP_URLS", Part::HostPort),
    ("BOOTSTRAP_URL", Part::HostPort),
    ("SERVICE_ADDRESS", Part::HostPort),
    ("SERVICE_ADDR", Part::HostPort),
    ("SERVICE_ENDPOINT", Part::HostPort),
    ("SERVICE_GRPC", Part::HostPort),
    ("BROKERS", Part::HostPort),
    ("BROKER", Part::HostPort),
    ("ADDRESS_LIST", Part::HostPort),
    ("ADDRESSES", Part::HostPort),
    ("ADDRESS", Part::HostPort),
    ("ADDR", Part::HostPort),
    ("ENDPOINT", Part::HostPort),
    ("UPSTREAM", Part::HostPort),
    ("HOSTPORT", Part::HostPort),
    ("SERVERS", Part::HostPort),
    ("HOSTS", Part::HostPort),
    ("NODES", Part::HostPort),
    ("SERVICE_HOST", Part::Host),
    ("HOSTNAME", Part::Host),
    ("SERVER", Part::Host),
    ("HOST", Part::Host),
    ("SERVICE_PORT", Part::Port),
    ("PORT", Part::Port),
    ("DATABASE_NAME", Part::Database),
    ("DB_NAME", Part::Database),
    ("DBNAME", Part::Database),
    ("DATABASE", Part::Database),
    ("DB", Part::Database),
    ("NAME", Part::Database),
    ("SECRET_ACCESS_KEY", Part::Password),
    ("SECRET_KEY", Part::Password),
    ("ACCESS_KEY_ID", Part::User),
    ("ACCESS_KEY", Part::User),
    ("USERNAME", Part::User),
    ("USER", Part::User),
    ("PASSWORD", Part::Password),
    ("PASSWD", Part::Password),
    ("PASS", Part::Password),
    ("PWD", Part::Password),
    ("PW", Part::Password),
];

/// First words of products that no entry of the catalogue is, though what follows sounds like one: `BEANSTALKD_QUEUE_HOST`,
/// `FIREBASE_DATABASE_URL`.
const FOREIGN: &[&str] = &["BEANSTALKD_", "COSMOS_DB_", "DYNAMO_DB_", "FIREBASE_", "PUSHER_", "SNOWFLAKE_"];

/// First words that mean a class of infrastructure and no kind.
const CLASSES: &[(&str, Class)] = &[
    ("DB", Class::Database),
    ("DATABASE", Class::Database),
    ("DATASOURCE", Class::Database),
    ("SPRING_DATASOURCE", Class::Database),
    ("QUARKUS_DATASOURCE", Class::Database),
    ("KNEX", Class::Database),
    ("SEQUELIZE", Class::Database),
    ("TYPEORM", Class::Database),
    ("SQL", Class::Database),
    ("SQLALCHEMY_DATABASE", Class::Database),
    ("RDS", Class::Database),
    ("CONNECTIONSTRINGS", Class::Database),
    ("CACHE", Class::Cache),
    ("BROKER", Class::Queue),
    ("MESSAGE_BROKER", Class::Queue),
    ("MESSAGE_QUEUE", Class::Queue),
    ("CELERY_BROKER", Class::Queue),
    ("QUEUE", Class::Queue),
    ("MQ", Class::Queue),
    ("EVENT_BUS", Class::Queue),
    ("MESSENGER_TRANSPORT", Class::Queue),
    ("SMTP", Class::Mail),
    ("MAIL", Class::Mail),
    ("EMAIL", Class::Mail),
];

/// Last words before `ADDRESS` of the names of people's addresses.
const SENDERS: &[&str] =
    &["FROM", "SENDER", "TO", "REPLY_TO", "REPLYTO", "CC", "BCC", "SUPPORT", "CONTACT", "ADMIN"];

/// `ConnectionStrings__Default`, `db.host`, `DB-HOST` as words with `_`, upper case.
fn upper(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        if c != '_' || !out.ends_with('_') {
            out.push(c);
        }
    }
    out.trim_matches('_').to_owned()
}

/// The key in the last section of .NET's configuration, in words: `GrpcSettings__DiscountUrl` is about `DISCOUNT_URL`.
fn last_section(name: &str) -> Option<String> {
    let (_, last) = name.rsplit_once("__")?;
    Some(in_words(last)).filter(|words| words.contains('_'))
}

/// `RedisConnection` as `Redis_Connection`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            words.push('_');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        words.push(c);
    }
    words
}

/// Whom a variable is about and which part it holds; `None` where its name is no part of an address.
pub(crate) fn classify(name: &str, catalog: &Catalog) -> Option<(About, Part)> {
    let name = without_bundler(name);
    // `Kafka__BootstrapServers`: the section says whose servers they are.
    let in_section = || {
        let (section, _) = name.rsplit_once("__")?;
        of_words(&format!("{section}_{}", last_section(name)?), catalog)
            .filter(|(about, _)| matches!(about, About::Kind(_)))
    };
    of_words(name, catalog)
        .or_else(in_section)
        .or_else(|| of_words(&last_section(name)?, catalog))
        .or_else(|| of_words(&told_apart(name, catalog)?, catalog))
}

/// `RABBIT_HOST` of `RABBITHOST`, as platforms and people write it. The `PG…` of PostgreSQL's own clients are theirs.
fn told_apart(name: &str, catalog: &Catalog) -> Option<String> {
    let plain = name.chars().all(|c| c.is_ascii_uppercase());
    let is_known = |prefix: &str| {
        let mut words = catalog.iter().flat_map(|entry| &entry.recognise.variables);
        prefix == "DB" || (prefix != "PG" && words.any(|word| word == prefix))
    };
    let parts = |(ending, _): &(&str, Part)| {
        let prefix = name.strip_suffix(ending).filter(|prefix| is_known(prefix))?;
        Some(format!("{prefix}_{ending}"))
    };
    if plain { ENDINGS.iter().find_map(parts) } else { None }
}

fn of_words(given: &str, catalog: &Catalog) -> Option<(About, Part)> {
    let name = upper(given);
    // Clients that are told of a sentinel ask it for the server, and speak to no plain one.
    let is_sentinel = |word: &str| word.starts_with("SENTINEL");
    if FOREIGN.iter().any(|product| name.starts_with(product)) || name.split('_').any(is_sentinel) {
        return None;
    }
    if let Some(rest) = name.strip_prefix("CONNECTIONSTRINGS_") {
        // `ConnectionStrings__RedisConnection__ConnectionString`: the key says whose it is.
        let of_key = || {
            let (_, key) = given.split_once("__")?;
            kind(&upper(&in_words(key.split("__").next()?)), catalog)
        };
        let kind = kind(rest, catalog).or_else(of_key);
        return Some((kind.map_or(About::Class(Class::Database), About::Kind), Part::Url));
    }
    if let Some(kind) = names_a_database(&name, catalog) {
        return Some((About::Kind(kind), Part::Database));
    }
    // `Redis__Configuration`: so .NET tells a client of a cache its servers.
    let cache = name.strip_suffix("_CONFIGURATION").and_then(|prefix| kind(prefix, catalog));
    if let Some(kind) = cache.filter(|kind| catalog.get(kind).is_some_and(|e| e.class == Class::Cache)) {
        return Some((About::Kind(kind), Part::HostPort));
    }
    let (prefix, ending, part) = ENDINGS.iter().find_map(|(ending, part)| {
        let prefix = name.strip_suffix(ending)?;
        (prefix.is_empty() || prefix.ends_with('_'))
            .then(|| (prefix.trim_end_matches('_').to_owned(), *ending, *part))
    })?;
    // `MAIL_FROM_ADDRESS` is somebody's, and no server's; `ADMIN_SERVICE_ADDR` is a server's.
    if matches!(ending, "ADDRESS" | "ADDRESSES")
        && SENDERS.iter().any(|sender| at_end(&prefix, sender) || prefix == *sender)
    {
        return None;
    }
    // `API_URL` is about the API.
    let is_api = prefix.is_empty() && name.starts_with("API_");
    let prefix = if is_api { "API".to_owned() } else { without_section(&prefix).to_owned() };
    // Keys are logins for storage alone; anywhere else they are secrets of their own.
    let is_key = prefix.len() < name.len() && name.ends_with("KEY") || name.ends_with("KEY_ID");
    if is_key {
        let storage = kind(&prefix, catalog)
            .filter(|kind| catalog.get(kind).is_some_and(|e| e.class == Class::Storage));
        return storage.map(|kind| (About::Kind(kind), part));
    }
    // `POSTGRES_DB` holds a database's name; `DB` alone or `USERS_DB` may hold anything.
    let about = match (about(&prefix, catalog), part) {
        (About::Other(prefix), Part::Url | Part::HostPort) => {
            kind_inside(&prefix, catalog).map_or(About::Other(prefix), About::Kind)
        }
        (about, _) => about,
    };
    // `RABBITMQ_QUEUE_NAME`: such a kind has words of its own for what is a database elsewhere.
    if let (About::Kind(kind), Part::Database) = (&about, part)
        && catalog.get(kind).is_some_and(|entry| !entry.databases.variables.is_empty())
    {
        return None;
    }
    if matches!(part, Part::Database | Part::User | Part::Password) && matches!(about, About::Other(_)) {
        return match (part, class(&prefix), name.as_str()) {
            (_, Some(class), _) => Some((About::Class(class), part)),
            (Part::Database, None, "DB_NAME" | "DATABASE_NAME" | "DBNAME") => {
                Some((About::Class(Class::Database), part))
            }
            _ => None,
        };
    }
    Some((about, part))
}

/// The kind that has a word of its own for what it gives to services, where a name ends in that: `RABBITMQ_VHOST`.
fn names_a_database(name: &str, catalog: &Catalog) -> Option<String> {
    catalog.iter().find_map(|entry| {
        let prefix = entry.databases.variables.iter().find_map(|word| name.strip_suffix(word.as_str()))?;
        let prefix = without_section(prefix.strip_suffix('_')?);
        (kind(prefix, catalog)? == entry.kind).then(|| entry.kind.clone())
    })
}

/// `RABBITMQOPTIONS`: the word that .NET's sections of options end in says nothing about whom they are about.
fn without_section(prefix: &str) -> &str {
    let ends = ["OPTIONS", "SETTINGS", "CONFIGURATION", "CONFIG", "CREDENTIALS"];
    let plain = ends.iter().find_map(|end| prefix.strip_suffix(end)).map(|rest| rest.trim_end_matches('_'));
    plain.filter(|rest| rest.len() > 2).unwrap_or(prefix)
}

fn about(prefix: &str, catalog: &Catalog) -> About {
    if let Some(kind) = kind(prefix, catalog) {
        let of_mail = CLASSES.iter().filter(|(_, class)| *class == Class::Mail);
        // `KEYCLOAK_SMTP_HOST` is the server for the mails of Keycloak.
        let sends = of_mail.map(|(word, _)| *word).any(|word| at_end(prefix, word));
        let is_mail = catalog.get(&kind).is_some_and(|entry| entry.class == Class::Mail);
        return if sends && !is_mail { About::Class(Class::Mail) } else { About::Kind(kind) };
    }
    match class(prefix) {
        Some(class) => kind_of_class(prefix, class, catalog).map_or(About::Class(class), About::Kind),
        None => About::Other(prefix.to_owned()),
    }
}

/// The kind of that class that a word inside the prefix names: `SHOP_VALKEY_CACHE`.
fn kind_of_class(prefix: &str, class: Class, catalog: &Catalog) -> Option<String> {
    let of_class = catalog.iter().filter(|entry| entry.class == class);
    let mut named = of_class.filter(|entry| {
        prefix.split('_').any(|word| entry.recognise.variables.iter().any(|one| one == word))
    });
    named.next().filter(|_| named.next().is_none()).map(|entry| entry.kind.clone())
}

/// The class that a prefix means at its start or its end: `DB_MAIN`, `ORDERS_DB`.
fn class(prefix: &str) -> Option<Class> {
    CLASSES
        .iter()
        .filter(|(word, _)| at_start(prefix, word) || at_end(prefix, word))
        .max_by_key(|(word, _)| word.len())
        .map(|(_, class)| *class)
}

/// The kind whose words start (or end) the prefix; the longest word wins.
fn kind(prefix: &str, catalog: &Catalog) -> Option<String> {
    catalog
        .iter()
        .flat_map(|entry| entry.recognise.variables.iter().map(move |word| (word, entry)))
        .filter(|(word, _)| at_start(prefix, word) || at_end(prefix, word))
        .max_by_key(|(word, _)| word.len())
        .map(|(_, entry)| entry.kind.clone())
}

/// The kind of a store whose word stands in the middle: `SHOP_S3_UPLOADS` of `SHOP_S3_UPLOADS_ENDPOINT`.
fn kind_inside(prefix: &str, catalog: &Catalog) -> Option<String> {
    let storage = catalog.iter().filter(|entry| entry.class == Class::Storage);
    let words = storage.flat_map(|entry| entry.recognise.variables.iter().map(move |word| (word, entry)));
    let mut inside = words.filter(|(word, _)| prefix.contains(&format!("_{word}_")));
    inside.next().map(|(_, entry)| entry.kind.clone())
}

/// The kind that speaks HTTP, as programs do, of which a word stands inside a name, behind another one.
pub(crate) fn names_inside(name: &str, catalog: &Catalog) -> Option<String> {
    let name = format!("{}_", upper(name));
    let is_named = |word: &String| name.contains(&format!("_{word}_"));
    let mut pages = catalog.iter().filter(|entry| entry.url.starts_with("http"));
    pages.find(|entry| entry.recognise.variables.iter().any(is_named)).map(|entry| entry.kind.clone())
}

fn at_end(prefix: &str, word: &str) -> bool {
    prefix.strip_suffix(word).is_some_and(|rest| rest.ends_with('_'))
}

fn at_start(prefix: &str, word: &str) -> bool {
    prefix.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Variables that a browser reads: the bundler writes them into the page, so their hosts are seen from outside.
pub(crate) fn is_for_browsers(name: &str) -> bool {
    FOR_BROWSERS.iter().any(|prefix| name.starts_with(prefix))
}

/// Variables that say from where pages may call the service (CORS): nobody is called at these addresses.
pub(crate) fn names_origins(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.contains("ALLOWED_ORIGIN")
        || upper.split(['_', '.']).any(|word| word.starts_with("CORS") || word.ends_with("ORIGINS"))
}

/// Whether a name is about tests: `TEST_DATABASE_URL`, `DATABASE_TEST_URL`, `users_test`.
pub(crate) fn is_for_tests(name: &str) -> bool {
    let upper = upper(&in_words(name));
    upper.split('_').any(|word| matches!(word, "TEST" | "TESTS" | "TESTDB" | "TESTING" | "E2E"))
}

/// Variables that say where a browser goes after it was sent elsewhere, as for a login: `GOOGLE_REDIRECT_URI`, and
/// `Clients__Orders__RootUrl` of those who may send it to the server of logins.
pub(crate) fn names_a_way_back(name: &str) -> bool {
    if let Some((section, "RootUrl")) = name.rsplit_once("__")
        && section.split("__").any(|part| part.ends_with("Clients"))
    {
        return true;
    }
    let words = in_words(name).to_ascii_uppercase();
    words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| matches!(word, "REDIRECT" | "CALLBACK"))
}

/// A name without what a bundler demands in front, which says nothing about whom the variable is about.
pub(crate) fn without_bundler(name: &str) -> &str {
    FOR_BROWSERS.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// What the bundlers of frontends demand in front of such a name.
const FOR_BROWSERS: &[&str] = &[
    "VITE_",
    "NEXT_PUBLIC_",
    "REACT_APP_",
    "NUXT_PUBLIC_",
    "PUBLIC_",
    "VUE_APP_",
    "NG_APP_",
    "GATSBY_",
    "EXPO_PUBLIC_",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whom_they_are_about() {
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let kind = |kind: &str, part| Some((About::Kind(kind.to_owned()), part));
        let class = |class, part| Some((About::Class(class), part));
        let other = |prefix: &str, part| Some((About::Other(prefix.to_owned()), part));
        let table = [
            ("POSTGRES_HOST", kind("postgres", Part::Host)),
            ("POSTGRES_DB", kind("postgres", Part::Database)),
            ("PGPASSWORD", None),
            ("DATABASE_URL", class(Class::Database, Part::Url)),
            ("ORDERS_DB_HOST", class(Class::Database, Part::Host)),
            ("DB_PASSWORD", class(Class::Database, Part::Password)),
            ("POSTGRES_PW", kind("postgres", Part::Password)),
            ("SPRING_DATASOURCE_URL", class(Class::Database, Part::Url)),
            ("ConnectionStrings__Default", class(Class::Database, Part::Url)),
            ("ConnectionStrings__RedisConnection", kind("redis", Part::Url)),
            ("ConnectionStrings__RedisConnection__ConnectionString", kind("redis", Part::Url)),
            ("REDIS_URL", kind("redis", Part::Url)),
            ("GrpcSettings__DiscountUrl", other("DISCOUNT", Part::Url)),
            ("RabbitMqOptions__Host", kind("rabbitmq", Part::Host)),
            ("Kafka__BootstrapServers", kind("kafka", Part::HostPort)),
            ("Redis__Configuration", kind("redis", Part::HostPort)),
            ("Log__Configuration", None),
            ("MongoSettings__DatabaseName", kind("mongodb", Part::Database)),
            ("RABBITMQ_VHOST", kind("rabbitmq", Part::Database)),
            ("SPRING_RABBITMQ_VIRTUAL_HOST", kind("rabbitmq", Part::Database)),
            ("RabbitMqOptions__VirtualHost", kind("rabbitmq", Part::Database)),
            ("RABBITMQ_QUEUE_NAME", None),
            ("BEANSTALKD_QUEUE_HOST", None),
            ("FIREBASE_DATABASE_URL", None),
            ("SHOP_VALKEY_CACHE_URL", kind("valkey", Part::Url)),
            ("SHOP_ORDERS_CACHE_URL", class(Class::Cache, Part::Url)),
            ("REDIS_SENTINEL_HOSTS", None),
            ("REDIS_SENTINELS_PASSWORD", None),
            ("PostgresSettings__ConnectionString", kind("postgres", Part::Url)),
            ("CACHE_HOST", class(Class::Cache, Part::Host)),
            ("ACCOUNTS_URL", other("ACCOUNTS", Part::Url)),
            ("ACCOUNTS_SERVICE_URL", other("ACCOUNTS", Part::Url)),
            ("VITE_ACCOUNTS_API_URL", other("ACCOUNTS", Part::Url)),
            ("VITE_ACCOUNTS_API_TARGET", other("ACCOUNTS", Part::Url)),
            ("BUILD_TARGET", None),
            ("SHOP_S3_UPLOADS_ENDPOINT", kind("minio", Part::HostPort)),
            ("KEYCLOAK_URL", kind("keycloak", Part::Url)),
            ("KEYCLOAK_SMTP_HOST", class(Class::Mail, Part::Host)),
            ("KEYCLOAK_SMTP_PASSWORD", class(Class::Mail, Part::Password)),
            ("MAIL_FROM_ADDRESS", None),
            ("ADMIN_ADDRESSES", None),
            ("ADMIN_SERVICE_ADDR", other("ADMIN", Part::HostPort)),
            ("SUPPORT_SERVICE_ENDPOINT", other("SUPPORT", Part::HostPort)),
            ("SUPPORT_SERVICE_GRPC", other("SUPPORT", Part::HostPort)),
            ("MESSENGER_TRANSPORT_DSN", class(Class::Queue, Part::Url)),
            ("REACT_APP_API_URL", other("API", Part::Url)),
            (
                "QUARKUS_STORK_ACCOUNTS_SERVICE_DISCOVERY_ADDRESS_LIST",
                other("QUARKUS_STORK_ACCOUNTS_SERVICE_DISCOVERY", Part::HostPort),
            ),
            ("RABBITHOST", kind("rabbitmq", Part::Host)),
            ("REDISPORT", kind("redis", Part::Port)),
            ("MYSQLUSER", kind("mysql", Part::User)),
            ("DBHOST", class(Class::Database, Part::Host)),
            ("PGHOST", None),
            ("GHOST", None),
            ("KAFKA_BOOTSTRAP_URLS", kind("kafka", Part::HostPort)),
            ("KAFKA_BOOTSTRAP_SERVER", kind("kafka", Part::HostPort)),
            ("PORT", other("", Part::Port)),
            ("ADMIN_PASSWORD", None),
            ("SERVICE_NAME", None),
            ("LOG_LEVEL", None),
            ("MINIO_ACCESS_KEY", kind("minio", Part::User)),
            ("S3_SECRET_KEY", kind("minio", Part::Password)),
            ("DJANGO_SECRET_KEY", None),
        ];
        for (name, expected) in table {
            assert_eq!(classify(name, &catalog), expected, "{name}");
        }
    }
}
