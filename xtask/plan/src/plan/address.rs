//! Addresses and names in values, as far as they can be seen without knowing their form exactly; pure.

use super::names::folded;

/// A name without the words that people add or leave out: `orders-service`, `svc_orders`, `OrdersAPI`.
pub(crate) fn core(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let plain = [
        "service",
        "svc",
        "server",
        "api",
        "app",
        "ms",
        "microservice",
        "client",
        "grpc",
        "http",
        "rpc",
        "tcp",
        "host",
        "base",
        "rest",
    ];
    let kept: String = words.iter().filter(|word| !plain.contains(word)).copied().collect();
    let kept = if kept.is_empty() { folded(text) } else { kept };
    let shorter = ["service", "svc", "api"]
        .iter()
        .find_map(|word| kept.strip_suffix(word))
        .filter(|rest| rest.len() > 2);
    shorter.unwrap_or(&kept).to_owned()
}

pub(crate) fn first_label(host: &str) -> &str {
    host.split('.').next().unwrap_or_default()
}

/// Hosts that mean "somewhere here" and no part of the system.
pub(crate) fn is_local(host: &str) -> bool {
    matches!(host, "" | "localhost" | "127.0.0.1" | "0.0.0.0" | "::1" | "::" | "host.docker.internal")
        || host.contains(['$', '{', '<'])
        || is_bridge(host)
}

/// `172.17.0.1`: the own machine as containers see it, in the pools from which the engine takes its networks.
fn is_bridge(host: &str) -> bool {
    let second = host.strip_prefix("172.").and_then(|rest| rest.strip_suffix(".0.1"));
    second.and_then(|second| second.parse::<u8>().ok()).is_some_and(|second| (16..32).contains(&second))
}

/// A host outside: a name below a public domain, and none that examples are written with.
pub(crate) fn is_remote(host: &str) -> bool {
    let top = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && !["local", "internal", "example", "test", "localhost", "svc", "lan"].contains(&top)
        && !host.contains("example.")
}

/// An address in a value, as far as it can be seen without knowing its form exactly.
pub(crate) struct Address {
    pub(crate) scheme: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

pub(crate) fn address(value: &str) -> Option<Address> {
    let value = value.trim();
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, value),
    };
    if scheme.is_none() && (value.contains([' ', '/', '=', ';', '@']) || value.is_empty()) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let first = authority.rsplit('@').next().unwrap_or_default().split(',').next().unwrap_or_default();
    let (host, port) = match first.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (first, None),
    };
    if scheme.is_none()
        && port.is_none()
        && !host.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return None;
    }
    Some(Address { scheme, host: here(host.trim_matches(['[', ']'])).to_owned(), port })
}

/// `orders` of `orders.localtest.me`: below these domains all names are the own machine, so that a browser and the
/// containers, which have them as aliases, use the same ones.
fn here(host: &str) -> &str {
    const LOOPBACK: &[&str] = &[".localtest.me", ".lvh.me", ".localhost"];
    LOOPBACK.iter().find_map(|domain| host.strip_suffix(domain)).map_or(host, first_label)
}

/// The host that an address or a keyword names.
pub(crate) fn host_of(value: &str) -> Option<String> {
    let host = match address(value) {
        Some(address) => address.host,
        None => value.split([';', ' ']).find_map(|pair| {
            let (key, host) = pair.split_once('=')?;
            let is_key =
                ["host", "server", "data source"].contains(&key.trim().to_ascii_lowercase().as_str());
            is_key.then(|| host.split([',', ':']).next().unwrap_or_default().trim().to_owned())
        })?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// The database that a URL's path or a keyword names.
pub(crate) fn database_of(value: &str) -> Option<String> {
    let valid = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if let Some((_, rest)) = value.split_once("://") {
        let path = rest.split_once('/')?.1;
        let first = path.split(['?', '/', '#']).next().unwrap_or_default();
        return valid(first).then(|| first.to_owned());
    }
    value.split([';', ' ']).find_map(|pair| {
        let (key, database) = pair.split_once('=')?;
        let is_key = ["database", "dbname", "initial catalog", "virtualhost"]
            .contains(&key.trim().to_ascii_lowercase().as_str());
        (is_key && valid(database.trim())).then(|| database.trim().to_owned())
    })
}

/// What an address or its path names, decoded, where slashes belong to a name (`amqp://host/%2Fshop`); empty where it
/// names nothing.
pub(crate) fn space_of(value: &str) -> String {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default().split_once('/');
    let path = path.map(|(_, path)| path).unwrap_or_default();
    path.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_their_ornaments() {
        assert_eq!(core("orders-service"), core("svc_orders"));
        assert_eq!(core("ACCOUNTS_API"), core("accounts"));
        assert_eq!(core("CatalogSvc"), core("catalog"));
        assert_eq!(core("GRPC_PRODUCT"), core("product"));
        assert_eq!(core("PRODUCT_CLIENT"), core("product-service"));
        assert_eq!(core("api"), "api");
        assert_ne!(core("order-history"), core("order"));
    }

    #[test]
    fn gateways_of_the_engines_networks_are_the_own_machine() {
        assert!(is_local("172.17.0.1") && is_local("172.31.0.1"));
        assert!(!is_local("172.32.0.1") && !is_local("172.17.0.2") && !is_local("172.17.1.0.1"));
    }

    #[test]
    fn names_below_domains_of_the_own_machine_are_the_services() {
        for value in
            ["http://orders.localtest.me:6000/x", "orders.lvh.me:6000", "http://orders.localhost:6000"]
        {
            let address = address(value).expect("is an address");
            assert_eq!((address.host.as_str(), address.port), ("orders", Some(6000)), "{value}");
        }
        assert_eq!(address("http://localhost:6000").expect("is an address").host, "localhost");
        assert_eq!(address("http://orders.me").expect("is an address").host, "orders.me");
    }

    #[test]
    fn databases_are_read_from_values() {
        assert_eq!(database_of("postgresql://u:p@h:5432/shop?x=1").as_deref(), Some("shop"));
        assert_eq!(database_of("Host=h;Database=shop;Username=u").as_deref(), Some("shop"));
        assert_eq!(database_of("redis://h:6379"), None);
        for value in
            ["postgresql://u:p@h:5432/shop", "Host=h;Database=shop", "Server=h,1433;Database=shop", "h"]
        {
            assert_eq!(host_of(value).as_deref(), Some("h"), "{value}");
        }
        assert_eq!(host_of("Database=shop;Username=u"), None);
    }
}
