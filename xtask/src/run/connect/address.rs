//! Takes an address apart as a service finds it in its environment, whatever its form; asks nobody.

/// What an address says; parts that it does not name are empty.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) user: String,
    pub(super) password: String,
    /// A database's name, or RabbitMQ's virtual host.
    pub(super) database: String,
}

/// Without the password, so that no message can hold it by accident.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Address { host, port, user, password: _, database } = self;
        write!(f, "{user}@{host}:{port:?}/{database}")
    }
}

impl Address {
    /// Reads `scheme://user:password@host:port/database?…`, `jdbc:…`, `Host=…;Port=…`, `host=… port=…`,
    /// `user:password@tcp(host:port)/database`, `host:port` and `host`; of several hosts the first.
    pub(super) fn parse(value: &str) -> Option<Address> {
        let value = value.trim();
        let address = if let Some((scheme, rest)) = value.split_once("://") {
            url(scheme, rest)
        } else if let Some((login, rest)) = value.split_once("tcp(") {
            go_dsn(login, rest)?
        } else if value.contains('=') && !value.contains(',') || value.contains(';') {
            keywords(value)
        } else {
            authority(value.split(',').next().unwrap_or_default())
        };
        (!address.host.is_empty()).then_some(address)
    }
}

fn url(scheme: &str, rest: &str) -> Address {
    let (authority_text, tail) = rest.split_at(rest.find(['/', '?', '#', ';']).unwrap_or(rest.len()));
    // A password may hold an `@` that nobody escaped: the last one divides.
    let (login, hosts) = authority_text.rsplit_once('@').unwrap_or(("", authority_text));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let mut address = authority(hosts.split(',').next().unwrap_or_default());
    address.port = address.port.or(match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    });
    address.user = decoded(user);
    address.password = decoded(password);
    let path = tail.strip_prefix('/').unwrap_or_default();
    address.database = decoded(path.split(['/', '?', '#', ';']).next().unwrap_or_default());
    let pairs = tail.split(['?', ';']).skip(1).flat_map(|pairs| pairs.split('&'));
    for (key, value) in pairs.filter_map(|pair| pair.split_once('=')) {
        set(&mut address, key, &decoded(value));
    }
    address
}

fn go_dsn(login: &str, rest: &str) -> Option<Address> {
    let (host, tail) = rest.split_once(')')?;
    let login = login.strip_suffix('@').unwrap_or(login);
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let database = tail.trim_start_matches('/').split('?').next().unwrap_or_default();
    Some(Address {
        user: user.to_owned(),
        password: password.to_owned(),
        database: database.to_owned(),
        ..authority(host)
    })
}

fn keywords(value: &str) -> Address {
    let separator = if value.contains(';') { ';' } else { ' ' };
    let mut address = Address::default();
    for (key, value) in value.split(separator).filter_map(|pair| pair.split_once('=')) {
        set(&mut address, key, value.trim());
    }
    address
}

fn set(address: &mut Address, key: &str, value: &str) {
    match key.trim().to_ascii_lowercase().as_str() {
        "host" | "server" | "data source" | "datasource" | "address" | "addr" | "hostname" => {
            // SQL Server writes `tcp:host,port`.
            let value = value.strip_prefix("tcp:").unwrap_or(value).replacen(',', ":", 1);
            let Address { host, port, .. } = authority(&value);
            address.host = host;
            address.port = port.or(address.port);
        }
        "port" => address.port = value.parse().ok().or(address.port),
        "user" | "username" | "user id" | "userid" | "uid" => address.user = value.to_owned(),
        "password" | "pwd" => address.password = value.to_owned(),
        "database" | "databasename" | "dbname" | "initial catalog" | "virtualhost" => {
            address.database = value.to_owned()
        }
        _ => {}
    }
}

/// `host:port`, `[::1]:5432`, `host`.
fn authority(text: &str) -> Address {
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
        _ => (text, None),
    };
    Address { host: host.trim_matches(['[', ']']).to_owned(), port, ..Address::default() }
}

/// Without percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_taken_apart() {
        let whole = |user: &str, password: &str, database: &str| Address {
            host: "db".into(),
            port: Some(5432),
            user: user.into(),
            password: password.into(),
            database: database.into(),
        };
        for (value, address) in [
            ("postgresql://ann:p%40ss@db:5432/shop?sslmode=disable", whole("ann", "p@ss", "shop")),
            ("postgres://ann:p@ss@db:5432,other:5432/shop", whole("ann", "p@ss", "shop")),
            ("jdbc:postgresql://db:5432/shop?user=ann&password=pw", whole("ann", "pw", "shop")),
            ("jdbc:sqlserver://db:5432;databaseName=shop;user=ann;password=pw", whole("ann", "pw", "shop")),
            ("Host=db;Port=5432;Database=shop;Username=ann;Password=a=b", whole("ann", "a=b", "shop")),
            ("Server=tcp:db,5432;Initial Catalog=shop;User Id=ann;Pwd=pw", whole("ann", "pw", "shop")),
            ("host=db port=5432 dbname=shop user=ann password=pw", whole("ann", "pw", "shop")),
            ("ann:pw@tcp(db:5432)/shop?parseTime=true", whole("ann", "pw", "shop")),
            ("amqp://ann:pw@db:5432/%2F", whole("ann", "pw", "/")),
            ("db:5432,abortConnect=false", whole("", "", "")),
            ("tcp://[db]:5432", whole("", "", "")),
        ] {
            assert_eq!(Address::parse(value), Some(address), "{value}");
        }
    }

    #[test]
    fn ports_that_are_not_written_are_those_of_the_scheme_or_unknown() {
        let port = |value| Address::parse(value).and_then(|address| address.port);
        assert_eq!((port("http://a/x"), port("redis://a/0"), port("a")), (Some(80), None, None));
    }

    #[test]
    fn what_is_no_address_is_none() {
        assert_eq!(Address::parse(""), None);
        assert_eq!(Address::parse("Database=shop;Port=1"), None);
    }

    #[test]
    fn no_message_holds_the_password() {
        let address = Address::parse("postgresql://ann:hush@db:5432/shop").unwrap();
        assert_eq!(format!("{address:?}"), "ann@db:Some(5432)/shop");
    }
}
