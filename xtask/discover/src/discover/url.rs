//! Reads addresses out of values and literals, in every notation that drivers take; never decides what they mean.

use crate::model::fact::Reference;

use super::placeholder::{UNKNOWN, resolve};

/// Longer values are no addresses that a person wrote.
const MAX_VALUE: usize = 4096;

/// Schemes whose path is a page and no database.
const PAGES: &[&str] =
    &["http", "https", "ws", "wss", "grpc", "grpcs", "tcp", "ssl", "tls", "lb", "dns", "xds", "ftp", "smtp"];

/// Last words of a variable's or key's name that make a bare word a host.
const HOST_WORDS: &[&str] = &[
    "host",
    "hosts",
    "hostname",
    "addr",
    "addrs",
    "address",
    "addresses",
    "server",
    "servers",
    "broker",
    "brokers",
    "endpoint",
    "endpoints",
    "url",
    "urls",
    "uri",
    "uris",
    "upstream",
    "backend",
    "node",
    "nodes",
    "target",
    "origin",
    "dsn",
];

/// First words of names that say where this program itself listens.
const OWN_WORDS: &[&str] = &["bind", "listen", "listener", "http", "app", "server", "web", "own", "public"];

/// The addresses in `value`, in the order in which they stand there.
///
/// Understood are `scheme://user:password@host:port/database?…` with one or several hosts, several URLs in one value,
/// `jdbc:…`, `Host=…;Port=…;Database=…`, PDO (`mysql:host=…;dbname=…`), Go's `user:pass@tcp(host:3306)/db`, libpq's
/// `host=… dbname=…`, `host:port`, lists of these by commas, and a bare host where the name `via` says that it is one.
/// Placeholders with a default (`${HOST:-db}`, `${HOST:db}`) count as their default. Where one without a default stands
/// for the host, the host is empty and only the scheme speaks; addresses that this program itself binds (`0.0.0.0`) and
/// files are no references.
pub fn references(value: &str, via: Option<&str>) -> Vec<Reference> {
    let trimmed = value.trim().trim_matches(['"', '\'', '`']).trim();
    if trimmed.is_empty() || trimmed.len() > MAX_VALUE || trimmed.contains(['\n', '\0']) {
        return Vec::new();
    }
    let text = resolve(trimmed);
    let mut found = parse(&text, via);
    found.retain(|reference| !is_own(reference, via));
    for reference in &mut found {
        reference.raw = trimmed.to_owned();
        reference.via = via.map(str::to_owned);
    }
    found
}

/// Whether a host lies outside every monorepo: a name below a public top-level domain.
pub fn is_public(host: &str) -> bool {
    const TOP: &[&str] = &[
        "com", "org", "net", "io", "dev", "app", "co", "ai", "gov", "edu", "de", "uk", "fr", "eu", "us",
        "cn", "jp", "ru", "br", "in", "nl", "ch", "at", "it", "es", "se", "no", "pl", "cz", "ca", "au",
        "xyz", "cloud", "me", "info", "biz", "tv", "gg", "so", "sh", "to", "tech", "online", "site", "store",
        "page", "example", "test", "invalid", "be", "fi", "dk", "ir", "kr", "tw", "tr", "ua", "vn", "is",
        "ly", "fm", "gl", "rs",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.rsplit_once('.').is_some_and(|(_, top)| TOP.contains(&top))
}

fn parse(text: &str, via: Option<&str>) -> Vec<Reference> {
    if let Some(found) = key_values(text) {
        return found;
    }
    if let Some(found) = go_mysql(text) {
        return vec![found];
    }
    if text.contains("://") {
        return split_urls(text).into_iter().flat_map(url).collect();
    }
    if let Some(rest) = text.strip_prefix("jdbc:oracle:thin:@") {
        return oracle(rest).into_iter().collect();
    }
    bare_list(text, via)
}

/// Addresses at which this program itself listens, and files.
fn is_own(reference: &Reference, via: Option<&str>) -> bool {
    if matches!(
        reference.scheme.as_str(),
        "file" | "unix" | "sqlite" | "sqlite3" | "data" | "classpath" | "about"
    ) {
        return true;
    }
    match reference.host.as_str() {
        "0.0.0.0" | "::" | "*" | "+" | "[::]" => true,
        "" => reference.scheme.is_empty(),
        "localhost" | "127.0.0.1" | "::1" if reference.scheme.is_empty() => via.is_some_and(is_own_name),
        _ => false,
    }
}

/// Whether a name says where the program itself listens: `HOST`, `SERVER_HOST`, `BIND_ADDR`, `server.address`.
fn is_own_name(via: &str) -> bool {
    let words = words(via);
    match words.as_slice() {
        [one] => HOST_WORDS.contains(&one.as_str()),
        [first, .., last] => {
            HOST_WORDS.contains(&last.as_str()) && words.len() == 2 && OWN_WORDS.contains(&first.as_str())
        }
        [] => false,
    }
}

/// Whether a name says that its value is a host: `DB_HOST`, `spring.rabbitmq.host`, `HostName`.
fn names_host(via: &str) -> bool {
    words(via).last().is_some_and(|last| HOST_WORDS.contains(&last.as_str())) || {
        let lower = via.to_ascii_lowercase();
        lower.ends_with("hostname") || lower.ends_with("contactpoints") || lower.ends_with("bootstrapservers")
    }
}

/// The words of a name in lower case, at `_`, `-`, `.`, `:` and capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if !c.is_ascii_alphanumeric() || starts {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty() && !word.bytes().all(|b| b.is_ascii_digit()));
    words
}

/// Several URLs in one value: a comma, semicolon or blank counts where another scheme follows it.
fn split_urls(text: &str) -> Vec<&str> {
    let mut urls = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.find("://").map_or(rest.len(), |at| at + 3);
        let next = rest[first..].find("://").map(|at| first + at);
        let cut = next.and_then(|next| {
            let at = rest[..next].rfind([',', ';', ' ', '\t', '|'])?;
            (at >= first && is_scheme(rest[at + 1..next].trim())).then_some(at)
        });
        let (one, after) = match cut {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        urls.push(one.trim());
        rest = after;
    }
    urls
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':' | b'_'))
}

/// `scheme://user:password@host:port,host:port/database?query`.
fn url(text: &str) -> Vec<Reference> {
    let Some((before, rest)) = text.split_once("://") else { return Vec::new() };
    let scheme = before.rsplit([' ', ',', ';', '=', '"', '\'', '(', '|', UNKNOWN]).next().unwrap_or_default();
    if !is_scheme(scheme) {
        return Vec::new();
    }
    let scheme = scheme.to_ascii_lowercase();
    // `optional:configserver:http`: only of JDBC and its like is what stands before the last colon a part of it.
    let scheme = match scheme.rsplit_once(':') {
        Some((before, last)) if !before.contains("dbc") => last.to_owned(),
        _ => scheme,
    };
    // `dns:///accounts:50051` names the host in the path.
    let rest = if matches!(scheme.as_str(), "dns" | "passthrough" | "discovery" | "xds") {
        rest.trim_start_matches('/')
    } else {
        rest
    };
    let end = authority_end(rest, PAGES.contains(&scheme.as_str()));
    let (authority, tail) = rest.split_at(end);
    let (login, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
    let (user, password) =
        match login.map(|login| login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)))) {
            Some((user, password)) => (known(user), password.and_then(known)),
            None => (None, None),
        };
    let options = options(tail);
    let option = |names: &[&str]| {
        names.iter().find_map(|name| options.iter().find(|(key, _)| key == name)).map(|o| o.1)
    };
    let path =
        tail.strip_prefix('/').map(|path| path.split(['?', '#', ';', '/', ' ']).next().unwrap_or_default());
    let database = match PAGES.contains(&scheme.as_str()) {
        true => None,
        false => {
            path.and_then(known).or_else(|| option(&["database", "databasename", "dbname"]).and_then(known))
        }
    };
    let user = user.or_else(|| option(&["user", "username"]).and_then(known));
    let password = password.or_else(|| option(&["password"]).and_then(known));
    hosts
        .split(',')
        .filter_map(|host| host_port(host.trim()))
        .map(|(host, port)| Reference {
            scheme: scheme.clone(),
            host,
            port,
            database: database.clone(),
            user: user.clone(),
            password: password.clone(),
            ..Reference::default()
        })
        .collect()
}

/// Where user, password and hosts end. A password may hold an unescaped `/`: then the last `@` decides, but in the
/// path of a page an `@` is a part of the path.
fn authority_end(rest: &str, page: bool) -> usize {
    const STOP: [char; 11] = ['/', '?', '#', ';', ' ', '"', '\'', '\\', ')', '<', '>'];
    let stop = |from: usize| rest[from..].find(STOP).map_or(rest.len(), |at| from + at);
    let end = stop(0);
    if page || rest[..end].contains('@') {
        return end;
    }
    rest.split(['?', ' ']).next().unwrap_or_default().rfind('@').map_or(end, stop)
}

/// The parts of `?a=b&c=d` or `;a=b;c=d`, keys in lower case.
fn options(tail: &str) -> Vec<(String, &str)> {
    let from = tail.find(['?', ';']).map_or(tail.len(), |at| at + 1);
    tail[from..]
        .split(['&', ';'])
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim()))
        .collect()
}

/// `host`, `host:port`, `[::1]:port`; the host is empty where a placeholder stands for it. `None` for anything else.
fn host_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return host
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'%'))
            .then(|| (host.to_owned(), port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port = match port {
        None => None,
        Some(port) if port.contains(UNKNOWN) || port.is_empty() => None,
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
    };
    if host.contains(UNKNOWN) {
        return Some((String::new(), port));
    }
    (is_host(host) || matches!(host, "*" | "+")).then(|| (host.to_owned(), port))
}

/// Letters, digits, `-`, `_` and `.`, as host names and service names have them.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// The text, unless a placeholder without default stands in it.
fn known(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(UNKNOWN)).then(|| text.to_owned())
}

/// `user:pass@tcp(host:3306)/db?…`, as go-sql-driver/mysql writes it.
fn go_mysql(text: &str) -> Option<Reference> {
    let (login, rest) =
        text.split_once("@tcp(").or_else(|| text.strip_prefix("tcp(").map(|rest| ("", rest)))?;
    let (address, tail) = rest.split_once(')')?;
    let (host, port) = host_port(address)?;
    let login = login.rsplit("://").next().unwrap_or_default();
    let (user, password) = login.split_once(':').map_or((login, ""), |(user, password)| (user, password));
    let database = tail.strip_prefix('/').map(|path| path.split('?').next().unwrap_or_default());
    Some(Reference {
        scheme: "mysql".to_owned(),
        host,
        port,
        database: database.and_then(known),
        user: known(user),
        password: known(password),
        ..Reference::default()
    })
}

/// `host:1521:sid`, `//host:1521/service`.
fn oracle(rest: &str) -> Option<Reference> {
    let rest = rest.trim_start_matches('/');
    let mut parts = rest.splitn(3, [':', '/']);
    let host = parts.next().filter(|host| is_host(host) || host.contains(UNKNOWN))?;
    let port = parts.next().and_then(|port| port.parse().ok());
    Some(Reference {
        scheme: "jdbc:oracle".to_owned(),
        host: known(host).unwrap_or_default(),
        port,
        database: parts.next().and_then(known),
        ..Reference::default()
    })
}

/// `Host=…;Port=…`, `Server=tcp:db,1433;…`, `mysql:host=…;dbname=…` and libpq's `host=… port=…`.
fn key_values(text: &str) -> Option<Vec<Reference>> {
    let first = text.split('=').next()?;
    let (scheme, first_key) = match first.split_once(':') {
        Some((scheme, key)) if is_scheme(scheme) && !scheme.contains(':') => (scheme, key),
        Some(_) => return None,
        None => ("", first),
    };
    if first_key.len() == text.len() || !is_key(first_key) {
        return None;
    }
    let body = if scheme.is_empty() { text } else { &text[scheme.len() + 1..] };
    let semicolons = body.contains(';')
        || !body.contains(' ')
        || body.split(' ').filter(|part| part.contains('=')).count() < 2;
    let pairs = if semicolons { pairs_by_semicolon(body) } else { pairs_by_blank(body) };
    let get =
        |names: &[&str]| pairs.iter().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| *value);
    let server = get(&[
        "host",
        "server",
        "data source",
        "datasource",
        "address",
        "addr",
        "hostname",
        "network address",
        "endpoint",
    ])?;
    let libpq = !semicolons && get(&["dbname", "sslmode", "user"]).is_some();
    if semicolons && pairs.len() < 2 && scheme.is_empty() {
        return None;
    }
    let server = server.trim_start_matches("tcp:");
    let port = get(&["port"]).and_then(|port| port.parse().ok());
    let found =
        server.split(',').filter(|host| host.bytes().any(|b| !b.is_ascii_digit())).filter_map(|host| {
            let host = host.split('\\').next().unwrap_or_default().trim();
            let inner =
                if host.contains("://") { url(host).into_iter().next()? } else { Reference::default() };
            let (name, own) = if inner.host.is_empty() { host_port(host)? } else { (inner.host, inner.port) };
            // `Server=db,1433` is SQL Server's way to write a port.
            let comma = server.split_once(',').and_then(|(_, port)| port.trim().parse().ok());
            Some(Reference {
                scheme: match (scheme, libpq) {
                    ("", true) => "postgresql".to_owned(),
                    ("", false) => inner.scheme,
                    (scheme, _) => scheme.to_ascii_lowercase(),
                },
                host: name,
                port: own.or(port).or(comma),
                database: get(&["database", "dbname", "initial catalog", "db"]).and_then(known),
                user: get(&["user id", "username", "user", "uid", "userid", "user name"]).and_then(known),
                password: get(&["password", "pwd"]).and_then(known),
                ..Reference::default()
            })
        });
    Some(found.collect())
}

fn is_key(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_'))
}

fn pairs_by_semicolon(body: &str) -> Vec<(String, &str)> {
    body.split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().trim_matches(['"', '\''])))
        .collect()
}

/// libpq's form: values may stand in single quotes.
fn pairs_by_blank(body: &str) -> Vec<(String, &str)> {
    let mut pairs = Vec::new();
    let mut rest = body.trim_start();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start_matches(' ');
        let (value, next) = match after.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => after.split_once([' ', '\t']).unwrap_or((after, "")),
        };
        pairs.push((key.trim().to_ascii_lowercase(), value));
        rest = next.trim_start();
    }
    pairs
}

/// `host:port`, lists of it, and bare hosts where the name says so. Items with `=` are options of the list
/// (`redis:6379,abortConnect=false`).
fn bare_list(text: &str, via: Option<&str>) -> Vec<Reference> {
    if via.is_some_and(is_image_name) {
        return Vec::new();
    }
    let redis = is_of_redis(text);
    let hosts_wanted = via.is_some_and(names_host) || redis;
    let mut found = Vec::new();
    let mut password = None;
    let mut user = None;
    for item in text.split([',', ';']) {
        let item = item.trim();
        if let Some((key, value)) = item.split_once('=') {
            match key.trim().to_ascii_lowercase().as_str() {
                "password" => password = known(value),
                "user" | "username" => user = known(value),
                _ => {}
            }
            continue;
        }
        match bare(item, via.is_some(), hosts_wanted) {
            Some(reference) => found.push(reference),
            None => return Vec::new(),
        }
    }
    for reference in &mut found {
        reference.port = reference.port.or(redis.then_some(REDIS));
        reference.password.clone_from(&password);
        if reference.user.is_none() {
            reference.user.clone_from(&user);
        }
    }
    found
}

/// The port that StackExchange.Redis takes where none is named.
const REDIS: u16 = 6379;

/// Whether a list has options by which StackExchange.Redis alone is configured: `cache,ssl=False,abortConnect=False`.
fn is_of_redis(text: &str) -> bool {
    let is_option = |key: &str| {
        ["abortConnect", "allowAdmin", "syncTimeout", "defaultDatabase", "connectRetry"]
            .iter()
            .any(|known| key.eq_ignore_ascii_case(known))
    };
    text.split(',').skip(1).filter_map(|item| item.split_once('=')).any(|(key, _)| is_option(key.trim()))
}

/// Whether a name holds an image and its tag, which look like a host and its port.
fn is_image_name(via: &str) -> bool {
    words(via)
        .iter()
        .any(|word| matches!(word.as_str(), "image" | "tag" | "version" | "release" | "time" | "cron"))
}

fn bare(item: &str, named: bool, host_wanted: bool) -> Option<Reference> {
    let (login, address) = item.rsplit_once('@').map_or(("", item), |(login, address)| (login, address));
    let (address, path) =
        address.split_once('/').map_or((address, None), |(address, path)| (address, Some(path)));
    let (host, port) = host_port(address)?;
    match port {
        // Smaller numbers are tags and times rather than ports.
        Some(port) if host.is_empty() || !host_is_plain(&host) || port < if named { 20 } else { 80 } => {
            return None;
        }
        Some(_) => {}
        None if host_wanted && path.is_none_or(|_| host.contains('.')) && is_bare_host(&host) => {}
        None => return None,
    }
    let (user, password) = login.split_once(':').map_or((login, ""), |(user, password)| (user, password));
    Some(Reference {
        host,
        port,
        database: path.and_then(|path| known(path.split(['?', '/']).next().unwrap_or_default())),
        user: known(user),
        password: known(password),
        ..Reference::default()
    })
}

/// A letter stands in it, or it is an IPv4 address: `12:30` is a time.
fn host_is_plain(host: &str) -> bool {
    host.bytes().any(|b| b.is_ascii_alphabetic()) || is_ipv4(host)
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_bare_host(host: &str) -> bool {
    const WORDS: &[&str] =
        &["true", "false", "none", "null", "undefined", "default", "auto", "yes", "no", "on", "off"];
    host_is_plain(host) && !WORDS.contains(&host.to_ascii_lowercase().as_str())
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
