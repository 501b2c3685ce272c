//! Rewrites an address inside a value so that it is right inside the network, keeping its form; pure.

use super::address::space_of;
use super::environment::escape;

/// What an address should say. Texts may hold `${VARIABLE:?…}`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// User and password; `None` where there is no login.
    pub(crate) login: Option<(String, String)>,
    pub(crate) database: Option<String>,
    /// The database that an address means which names none.
    pub(crate) common: Option<String>,
}

impl Wanted {
    /// The path of an address: nothing where the database is the one that is meant anyway.
    pub(crate) fn path(&self) -> String {
        match &self.database {
            Some(database) if !self.is_common(database) => format!("/{}", encoded(database)),
            _ => String::new(),
        }
    }

    fn is_common(&self, database: &str) -> bool {
        self.common.as_deref().is_some_and(|common| database.is_empty() || database == common)
    }
}

/// A name as a path holds it; slashes are part of it.
fn encoded(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// The forms in which addresses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `scheme://…`, `jdbc:scheme://…`
    Url,
    /// `Host=…;Port=…`
    Keywords,
    /// `host=… port=…`
    Libpq,
    /// `user:password@tcp(host:3306)/database`
    GoDsn,
    /// `host:port`, or a comma list of them
    HostPort,
    /// A single host name or address
    Host,
}

/// `value` with its address replaced, in the same form; `None` where no address is recognised. What stays of it means
/// to Compose what it meant to its author: `$` is no variable of the setup.
pub(crate) fn rewrite(value: &str, wanted: &Wanted) -> Option<String> {
    let value = &escape(value.trim());
    Some(match form(value)? {
        Form::Url => url(value, wanted)?,
        Form::Keywords => keywords(value, wanted, ';'),
        Form::Libpq => keywords(value, wanted, ' '),
        Form::GoDsn => go_dsn(value, wanted)?,
        Form::HostPort => host_port(value, wanted),
        Form::Host => wanted.host.clone(),
    })
}

fn form(value: &str) -> Option<Form> {
    if value.is_empty() {
        return None;
    }
    if value.contains("://") {
        return Some(Form::Url);
    }
    let lower = value.to_ascii_lowercase();
    let starts_pair =
        |text: &str| HOST_KEYS.iter().any(|key| text.trim_start().starts_with(&format!("{key}=")));
    if value.contains(';') && lower.split(';').any(starts_pair) {
        return Some(Form::Keywords);
    }
    if value.contains("tcp(") {
        return Some(Form::GoDsn);
    }
    if lower.split(' ').any(starts_pair) {
        return Some(if value.contains(' ') { Form::Libpq } else { Form::Keywords });
    }
    let first = value.split(',').next().unwrap_or_default().trim();
    if let Some((host, port)) = first.rsplit_once(':') {
        return (is_host(host) && port.parse::<u16>().is_ok()).then_some(Form::HostPort);
    }
    is_host(value).then_some(Form::Host)
}

fn is_host(text: &str) -> bool {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c))
}

fn url(value: &str, wanted: &Wanted) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // A password may hold an `@` that nobody escaped: the last one divides.
    let had_login = authority.contains('@');
    // These take their login from elsewhere: other variables, headers.
    let apart = scheme.starts_with("jdbc:") || scheme.starts_with("r2dbc:jdbc") || scheme.starts_with("http");
    let mut out = format!("{scheme}://");
    if let Some((user, password)) = wanted.login.as_ref().filter(|_| had_login || !apart) {
        out.push_str(&format!("{user}:{password}@"));
    }
    out.push_str(&wanted.host);
    let had_port = authority.rsplit('@').next().unwrap_or_default().contains(':');
    if had_port || wanted.port != default_port(scheme) {
        out.push_str(&format!(":{}", wanted.port));
    }
    out.push_str(&path(tail, wanted));
    Some(out)
}

/// Path and query with the database replaced where the path names one, and credentials in the query likewise.
fn path(tail: &str, wanted: &Wanted) -> String {
    let (path, query) = tail.split_at(tail.find(['?', '#']).unwrap_or(tail.len()));
    let path = match &wanted.database {
        // Nothing, `/`, `%2F`: whatever already means it stays as it is written.
        Some(database) if wanted.is_common(database) && wanted.is_common(&space_of(path)) => path.to_owned(),
        Some(_) => wanted.path(),
        None => path.to_owned(),
    };
    let query = match (query.strip_prefix('?'), &wanted.login) {
        (Some(pairs), Some((user, password))) => {
            let pairs: Vec<String> = pairs
                .split('&')
                .map(|pair| match pair.split_once('=') {
                    Some((key @ ("user" | "username"), _)) => format!("{key}={user}"),
                    Some((key @ "password", _)) => format!("{key}={password}"),
                    // A user of MongoDB is known in the database in which it was made.
                    Some((key @ "authSource", old)) => {
                        format!("{key}={}", wanted.database.as_deref().unwrap_or(old))
                    }
                    _ => pair.to_owned(),
                })
                .collect();
            format!("?{}", pairs.join("&"))
        }
        _ => query.to_owned(),
    };
    path + &query
}

fn default_port(scheme: &str) -> u16 {
    match scheme {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        _ => 0,
    }
}

const HOST_KEYS: &[&str] = &["host", "server", "data source", "datasource", "address", "addr", "hostname"];

fn keywords(value: &str, wanted: &Wanted, separator: char) -> String {
    let mut pairs: Vec<String> = Vec::new();
    for pair in value.split(separator) {
        let Some((key, old)) = pair.split_once('=') else {
            pairs.push(pair.to_owned());
            continue;
        };
        let folded = key.trim().to_ascii_lowercase();
        let new = match folded.as_str() {
            key if HOST_KEYS.contains(&key) => {
                // SQL Server writes its port behind a comma.
                if old.contains(',') {
                    format!("{},{}", wanted.host, wanted.port)
                } else {
                    wanted.host.clone()
                }
            }
            "port" => wanted.port.to_string(),
            "database" | "initial catalog" | "dbname" | "virtualhost" => {
                wanted.database.clone().unwrap_or_else(|| old.to_owned())
            }
            "username" | "user id" | "userid" | "uid" | "user" => {
                wanted.login.as_ref().map_or_else(|| old.to_owned(), |login| login.0.clone())
            }
            "password" | "pwd" => {
                wanted.login.as_ref().map_or_else(|| old.to_owned(), |login| login.1.clone())
            }
            _ => old.to_owned(),
        };
        pairs.push(format!("{key}={new}"));
    }
    pairs.join(&separator.to_string())
}

fn go_dsn(value: &str, wanted: &Wanted) -> Option<String> {
    let open = value.find("tcp(")?;
    let close = value[open..].find(')')? + open;
    let login = match &wanted.login {
        Some((user, password)) => format!("{user}:{password}@"),
        None => value[..open].to_owned(),
    };
    let tail = path(&value[close + 1..], wanted);
    Some(format!("{login}tcp({}:{}){tail}", wanted.host, wanted.port))
}

fn host_port(value: &str, wanted: &Wanted) -> String {
    // `localhost:6379,abortConnect=false`: what is no address in the list stays.
    let rest: Vec<&str> = value.split(',').skip(1).filter(|part| part.contains('=')).collect();
    let mut out = format!("{}:{}", wanted.host, wanted.port);
    for part in rest {
        out.push(',');
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            host: "db".into(),
            port: 5432,
            login: Some(("ann".into(), "${PW}".into())),
            database: Some("shop".into()),
            common: None,
        }
    }

    #[test]
    fn each_form_stays_as_it_is_written() {
        let table = [
            (
                "postgresql://u:p@localhost:5433/x?sslmode=disable",
                "postgresql://ann:${PW}@db:5432/shop?sslmode=disable",
            ),
            ("postgres://localhost/x", "postgres://ann:${PW}@db:5432/shop"),
            (
                "mongodb://u:p@localhost:27017/x?authSource=admin&w=1",
                "mongodb://ann:${PW}@db:5432/shop?authSource=shop&w=1",
            ),
            ("postgres://${H}/x?a=$(b)&c=$d", "postgres://ann:${PW}@db:5432/shop?a=$$(b)&c=$$d"),
            ("jdbc:postgresql://localhost:5432/x", "jdbc:postgresql://db:5432/shop"),
            ("jdbc:mysql://h/x?user=a&password=b", "jdbc:mysql://db:5432/shop?user=ann&password=${PW}"),
            (
                "Host=localhost;Port=5;Database=x;Username=u;Password=p",
                "Host=db;Port=5432;Database=shop;Username=ann;Password=${PW}",
            ),
            ("Server=localhost,1433;User Id=sa;Pwd=p", "Server=db,5432;User Id=ann;Pwd=${PW}"),
            ("root:pw@tcp(127.0.0.1:3306)/x?parseTime=true", "ann:${PW}@tcp(db:5432)/shop?parseTime=true"),
            ("host=localhost port=1 dbname=x", "host=db port=5432 dbname=shop"),
            ("a:9092,b:9092", "db:5432"),
            ("localhost:6379,abortConnect=false", "db:5432,abortConnect=false"),
            ("localhost", "db"),
        ];
        for (value, expected) in table {
            assert_eq!(rewrite(value, &wanted()).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_service_url_keeps_its_path() {
        let wanted = Wanted { host: "accounts".into(), port: 3001, ..Wanted::default() };
        assert_eq!(
            rewrite("http://localhost:3001/api/v1", &wanted).as_deref(),
            Some("http://accounts:3001/api/v1")
        );
        assert_eq!(rewrite("http://accounts", &wanted).as_deref(), Some("http://accounts:3001"));
    }

    #[test]
    fn the_space_in_which_all_meet_stays_as_it_is_written() {
        let in_space = |name: &str| Wanted {
            host: "mq".into(),
            port: 5672,
            database: Some(name.into()),
            common: Some("/".into()),
            login: None,
        };
        for (value, name, expected) in [
            ("amqp://localhost", "/", "amqp://mq:5672"),
            ("amqp://localhost/", "/", "amqp://mq:5672/"),
            ("amqp://localhost:5672//", "/", "amqp://mq:5672//"),
            ("amqp://localhost/%2f?heartbeat=5", "/", "amqp://mq:5672/%2f?heartbeat=5"),
            ("amqp://localhost/old", "/", "amqp://mq:5672"),
            ("amqp://localhost//ops", "/ops", "amqp://mq:5672/%2Fops"),
            ("amqp://localhost/?heartbeat=5", "shop", "amqp://mq:5672/shop?heartbeat=5"),
            ("host=localhost;virtualHost=old", "shop", "host=mq;virtualHost=shop"),
        ] {
            assert_eq!(rewrite(value, &in_space(name)).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn plain_words_are_no_addresses() {
        assert_eq!(rewrite("a value with blanks", &wanted()), None);
        assert_eq!(rewrite("", &wanted()), None);
    }
}
