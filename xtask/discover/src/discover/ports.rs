//! What is known about port numbers and the variables that hold them; reads no files.

use crate::model::fact::{Protocol, Purpose};

/// A port that a variable gives to the service itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    pub(super) purpose: Purpose,
}

/// What a port number alone suggests.
pub(super) fn kind(port: u16) -> (Protocol, Purpose) {
    match port {
        50051..=50099 => (Protocol::Grpc, Purpose::Main),
        // JDWP, Node's inspector, Delve, debugpy.
        5005 | 9229 | 5858 | 2345 | 40000 | 5678 => (Protocol::Tcp, Purpose::Debug),
        22 | 443 | 8443 | 1883 | 5432 | 3306 | 6379 => (Protocol::Tcp, Purpose::Main),
        _ => (Protocol::Http, Purpose::Main),
    }
}

/// Where PHP's process manager listens.
pub(super) const FASTCGI: u16 = 9000;

/// Words in front of `PORT` that say nothing about whose it is.
const OWN: &[&str] = &[
    "",
    "ADDR",
    "ADMIN",
    "API",
    "APP",
    "APPLICATION",
    "BACKEND",
    "BIND",
    "CONTAINER",
    "DEBUG",
    "EXPOSE",
    "EXPOSED",
    "EXPRESS",
    "FASTAPI",
    "FLASK",
    "FRONTEND",
    "GRAPHQL",
    "GRPC",
    "GRPC_SERVER",
    "HEALTH",
    "HTTP",
    "HTTP_SERVER",
    "LISTEN",
    "LOCAL",
    "MANAGEMENT",
    "MANAGEMENT_SERVER",
    "METRICS",
    "NITRO",
    "NODE",
    "NUXT",
    "PROMETHEUS",
    "PUBLIC",
    "QUARKUS_HTTP",
    "MICRONAUT_SERVER",
    "REST",
    "ROCKET",
    "SERVER",
    "SERVER_HTTP",
    "SERVICE",
    "UVICORN",
    "VITE",
    "WEB",
    "WEBSERVER",
    "WS",
];

/// Whether a variable of that name and value moves the port of the service that reads it.
pub(super) fn of_variable(name: &str, value: &str) -> Option<Found> {
    let upper = name.to_ascii_uppercase();
    match upper.as_str() {
        "ASPNETCORE_URLS" | "URLS" => {
            return value.split(';').find(|url| url.starts_with("http://")).and_then(behind_colon).map(http);
        }
        "ASPNETCORE_HTTP_PORTS" | "HTTP_PORTS" => {
            return value.split(';').next()?.trim().parse().ok().map(http);
        }
        "ADDR" | "ADDRESS" | "BIND" | "BIND_ADDR" | "BIND_ADDRESS" | "LISTEN" | "LISTEN_ADDR"
        | "LISTEN_ADDRESS" | "SERVER_ADDR" | "SERVER_ADDRESS" | "HTTP_ADDR" | "GRPC_ADDR" | "SERVER_BIND" => {
            let host = value.rsplit_once(':').map_or("", |(host, _)| host);
            let own = matches!(host, "" | "0.0.0.0" | "[::]" | "127.0.0.1" | "localhost" | "*");
            return own.then(|| behind_colon(value)).flatten().map(|port| named(&upper, port));
        }
        _ => {}
    }
    // Whatever it is called but after another server: what binds all addresses is this program.
    if ["0.0.0.0:", "[::]:"].iter().any(|all| value.starts_with(all)) && !is_of_a_server(&upper) {
        return behind_colon(value).map(|port| named(&upper, port));
    }
    let prefix = upper.strip_suffix("PORT")?.trim_end_matches('_');
    if !OWN.contains(&prefix) {
        return None;
    }
    let port = value.trim().parse::<u16>().ok().filter(|port| *port > 0)?;
    Some(named(prefix, port))
}

/// Whether a variable is called after a server of another product, and not after where the program itself listens:
/// `REDIS_ADDR=0.0.0.0:6379` is where some developer's Redis is found.
fn is_of_a_server(upper: &str) -> bool {
    const SERVERS: &[&str] = &[
        "AMQP",
        "CASSANDRA",
        "DATABASE",
        "DB",
        "ELASTICSEARCH",
        "KAFKA",
        "MARIADB",
        "MEMCACHED",
        "MONGO",
        "MONGODB",
        "MYSQL",
        "NATS",
        "PG",
        "POSTGRES",
        "POSTGRESQL",
        "RABBITMQ",
        "REDIS",
        "VALKEY",
    ];
    let has = |words: &[&str]| upper.split('_').any(|word| words.contains(&word));
    has(SERVERS) && !has(&["BIND", "LISTEN"])
}

/// What the words of a variable's name and the number say about a port.
pub(super) fn of_name(name: &str, port: u16) -> (Protocol, Purpose) {
    let upper = name.to_ascii_uppercase();
    let found = named(&upper, port);
    let is_tcp = upper.split('_').any(|word| word == "TCP") && found.protocol == Protocol::Http;
    (if is_tcp { Protocol::Tcp } else { found.protocol }, found.purpose)
}

fn named(name: &str, port: u16) -> Found {
    let purpose = match name {
        name if name.contains("METRICS") || name.contains("PROMETHEUS") => Purpose::Metrics,
        name if name.contains("DEBUG") => Purpose::Debug,
        name if name.contains("MANAGEMENT") || name.contains("ADMIN") || name.contains("HEALTH") => {
            Purpose::Management
        }
        _ => Purpose::Main,
    };
    let protocol = if name.contains("GRPC") { Protocol::Grpc } else { kind(port).0 };
    Found { port, protocol, purpose }
}

fn http(port: u16) -> Found {
    Found { port, protocol: Protocol::Http, purpose: Purpose::Main }
}

fn behind_colon(value: &str) -> Option<u16> {
    let port = value.trim().trim_end_matches('/').rsplit(':').next()?;
    port.parse().ok().filter(|port| *port > 0)
}

/// The port on which servers of a base image listen when nobody says otherwise.
pub(super) fn of_base_image(image: &str) -> Option<u16> {
    let image = image.split('@').next().unwrap_or_default();
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    match last {
        "nginx" | "httpd" | "caddy" | "openresty" | "wordpress" | "drupal" | "frankenphp" => Some(80),
        "traefik" => Some(80),
        "kong" => Some(8000),
        "kibana" | "kibana-oss" => Some(5601),
        "krakend" | "swagger-ui" => Some(8080),
        notebook if notebook.ends_with("-notebook") => Some(8888),
        "nginx-unprivileged" | "tomcat" | "jetty" | "wildfly" => Some(8080),
        "php" if tag.contains("apache") => Some(80),
        "php" if tag.contains("fpm") => Some(FASTCGI),
        // Since .NET 8 the images listen on 8080 as another user.
        "aspnet" => {
            let major = tag.split(['.', '-']).next().and_then(|major| major.parse::<u32>().ok());
            Some(if major.is_some_and(|major| major < 8) { 80 } else { 8080 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_service_itself_move_its_port() {
        for (name, value, wanted) in [
            ("PORT", "3000", Some(3000)),
            ("SERVER_PORT", " 8081 ", Some(8081)),
            ("ASPNETCORE_URLS", "https://+:443;http://+:8080", Some(8080)),
            ("LISTEN_ADDR", ":9000", Some(9000)),
            ("BIND_ADDR", "db:5432", None),
            ("SHOP_UWSGI_ENDPOINT", "0.0.0.0:3031", Some(3031)),
            ("DB_PORT", "5432", None),
            ("REDIS_ADDR", "0.0.0.0:6379", None),
            ("REDIS_PROXY_BIND_ADDRESS", "0.0.0.0:6380", Some(6380)),
            ("REDIS_PORT", "6379", None),
            ("PORT", "auto", None),
        ] {
            assert_eq!(of_variable(name, value).map(|found| found.port), wanted, "{name}={value}");
        }
        assert_eq!(of_variable("GRPC_PORT", "9000").map(|found| found.protocol), Some(Protocol::Grpc));
    }

    #[test]
    fn base_images_have_ports() {
        for (image, port) in [
            ("nginx:alpine", Some(80)),
            ("mcr.microsoft.com/dotnet/aspnet:6.0", Some(80)),
            ("mcr.microsoft.com/dotnet/aspnet:9.0-alpine", Some(8080)),
            ("php:8.3-apache", Some(80)),
            ("kong:3.6", Some(8000)),
            ("quay.io/jupyter/base-notebook", Some(8888)),
            ("localhost:5000/node", None),
        ] {
            assert_eq!(of_base_image(image), port, "{image}");
        }
    }
}
