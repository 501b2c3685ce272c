//! What is generated from any monorepo leads somewhere: each required edge stands in the client's environment under a
//! name that it reads, or is a host name that resolves; each address that was written has its server, port, database
//! and user. Runs over the inputs of the other tests' cases and some of its own.

use std::path::{Path, PathBuf};

use xtask::catalog::Catalog;
use xtask::config::Config;
use xtask::discover::{Scope, discover};
use xtask::model::inventory::{EnvFrom, Service, Strength};
use xtask::model::stack::{Container, Stack};
use xtask::plan::{self, plan};
use xtask::repo::Repo;

/// Monorepos in one string, for what no case's folder has: several kinds in several notations.
const TREES: &[&str] = &[
    "//- /api/Dockerfile\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n//- /api/Api.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>\
     <PackageReference Include=\"Npgsql\" /><PackageReference Include=\"RabbitMQ.Client\" /></ItemGroup></Project>\n\
     //- /api/appsettings.json\n{ \"ConnectionStrings\": { \"Main\": \"Host=localhost;Port=5432;Database=shop;Username=u;Password=p\" },\n\
     \"RabbitMqOptions\": { \"Host\": \"localhost\", \"Port\": 5672, \"UserName\": \"guest\" } }\n",
    "//- /orders/Dockerfile\nFROM python:3.13-slim\nEXPOSE 8000\n//- /orders/.env.example\nDATABASE_URL=postgres://u:p@db:5432/orders\nUSERS_URL=http://users:3000/v1\n\
     REDIS_HOST=cache\nREDIS_PORT=6379\n//- /orders/requirements.txt\npsycopg\nredis\n//- /users/Dockerfile\nFROM node:20-slim\nEXPOSE 3000\n\
     //- /users/package.json\n{ \"dependencies\": { \"mongoose\": \"8\", \"mysql2\": \"3\" } }\n//- /users/db.js\nconst url = process.env.MONGO_URL || 'mongodb://localhost:27017/users';\n\
     const dsn = process.env.MYSQL_DSN || 'mysql://root:x@mysql:3306/users';\n",
    "//- /a/Dockerfile\nFROM golang:1.24\nEXPOSE 8080\n//- /a/go.mod\nmodule a\n//- /a/main.go\npackage main\nvar dsn = getenv(\"DB_DSN\", \"root:pw@tcp(127.0.0.1:3306)/shop?parseTime=true\")\n\
     func getenv(key, other string) string { return os.Getenv(key) }\nimport \"github.com/go-sql-driver/mysql\"\n\
     //- /gate/Dockerfile\nFROM nginx:alpine\nCOPY nginx.conf /etc/nginx/nginx.conf\n//- /gate/nginx.conf\nserver { listen 80; location / { proxy_pass http://a:8080; } }\n",
];

fn stack(repo: &Repo) -> Stack {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let facts = discover(repo, &catalog, &Scope::default()).expect("the input can be read");
    let context = plan::Context { folder: "case".to_owned(), ..plan::Context::default() };
    plan(&facts, &catalog, &Config::default(), &context).expect("the input can be planned")
}

fn stacks() -> Vec<(String, Stack)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let cases = ["discover", "generate"].iter().flat_map(|kind| entries(&folder.join(kind)));
    let inputs = cases.map(|case| case.join("input")).filter(|input| input.is_dir());
    let of_cases = inputs.map(|input| {
        (input.display().to_string(), stack(&Repo::open(&input).expect("the case has an input")))
    });
    let of_trees =
        TREES.iter().zip(1..).map(|(tree, n)| (format!("tree {n}"), stack(&Repo::from_fixture(tree))));
    of_cases.chain(of_trees).collect()
}

#[allow(clippy::disallowed_methods, reason = "the tests' own cases, not a monorepo")]
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("can be listed").path()).collect()
}

fn container<'s>(stack: &'s Stack, name: &str) -> Option<&'s Container> {
    stack.containers.iter().find(|container| container.name == name)
}

fn variable<'s>(container: &'s Container, name: &str) -> Option<&'s str> {
    container.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The container that `host` resolves to as seen from `client`.
fn resolve<'s>(stack: &'s Stack, client: &Container, host: &str) -> Option<&'s Container> {
    stack.containers.iter().find(|other| {
        other.networks.iter().any(|(network, aliases)| {
            client.networks.iter().any(|(known, _)| known == network)
                && (other.name == host || aliases.iter().any(|alias| alias == host))
        })
    })
}

#[test]
fn required_edges_are_wired_under_a_name_that_the_client_reads() {
    let (mut seen, mut bad) = (0, Vec::new());
    for (case, stack) in stacks() {
        for service in &stack.inventory.services {
            let client = container(&stack, &service.name).expect("each service has a container");
            for edge in service.requires.iter().filter(|edge| edge.strength == Strength::Required) {
                let Some(via) = &edge.via else { continue };
                seen += 1;
                let by_value = variable(client, via).is_some_and(|value| !value.is_empty());
                let by_name = resolve(&stack, client, via).is_some();
                if !by_value && !by_name {
                    bad.push(format!("{case}: {} → {} via {via}", service.name, edge.target));
                }
            }
        }
    }
    assert!(seen > 15, "{seen} edges");
    assert_eq!(bad, Vec::<String>::new());
}

#[test]
fn addresses_that_were_written_have_a_server_a_port_a_database_and_a_user() {
    let (mut seen, mut bad) = (0, Vec::new());
    for (case, stack) in stacks() {
        for service in &stack.inventory.services {
            let client = container(&stack, &service.name).expect("each service has a container");
            for wired in service.env.iter().filter(|env| env.from == EnvFrom::Wired) {
                let value = variable(client, &wired.name).unwrap_or_default();
                for address in addresses(value) {
                    seen += 1;
                    if let Some(why) = dangling(&stack, client, &address) {
                        bad.push(format!("{case}: {}.{}={value}: {why}", service.name, wired.name));
                    }
                }
            }
        }
    }
    assert!(seen > 10, "{seen} addresses");
    assert_eq!(bad, Vec::<String>::new());
}

/// An address in a value, in one of the notations that are written.
#[derive(Debug, Default)]
struct Address {
    host: String,
    port: Option<u16>,
    user: Option<String>,
    database: Option<String>,
}

fn addresses(value: &str) -> Vec<Address> {
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && !text.contains('$'));
    if let Some((scheme, rest)) = value.split_once("://") {
        // Browsers see the published port.
        if rest.starts_with("localhost") {
            return Vec::new();
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let database = path.split(['?', '#']).next().and_then(known).filter(|_| !scheme.starts_with("http"));
        let user = login.split(':').next().and_then(known);
        return vec![Address { host: host.to_owned(), port: port.parse().ok(), user, database }];
    }
    if value.contains(';') && value.contains('=') {
        let pairs: Vec<(String, &str)> = value
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (k.to_lowercase(), v))
            .collect();
        let get = |names: &[&str]| {
            pairs.iter().find(|(key, _)| names.contains(&key.trim())).map(|(_, value)| *value)
        };
        let host = get(&["host", "server", "data source"]).unwrap_or_default();
        let (host, port) = host.split_once(',').unwrap_or((host, get(&["port"]).unwrap_or_default()));
        return vec![Address {
            host: host.to_owned(),
            port: port.parse().ok(),
            user: get(&["username", "user id", "uid", "user"]).and_then(known),
            database: get(&["database", "initial catalog"]).and_then(known),
        }];
    }
    if let Some((login, rest)) = value.split_once("@tcp(") {
        let (host, path) = rest.split_once(")/").unwrap_or((rest, ""));
        let (host, port) = host.split_once(':').unwrap_or((host, ""));
        return vec![Address {
            host: host.to_owned(),
            port: port.parse().ok(),
            user: login.split(':').next().and_then(known),
            database: path.split('?').next().and_then(known),
        }];
    }
    let (host, port) = value.split_once(':').unwrap_or((value, ""));
    match port.parse() {
        Ok(port) => vec![Address { host: host.to_owned(), port: Some(port), ..Address::default() }],
        Err(_) => Vec::new(),
    }
}

fn dangling(stack: &Stack, client: &Container, address: &Address) -> Option<String> {
    let Some(server) = resolve(stack, client, &address.host) else {
        return Some(format!("`{}` is no container that it can see", address.host));
    };
    if let Some(port) = address.port
        && !listens(stack, server, port)
    {
        return Some(format!("`{}` does not listen on {port}", server.name));
    }
    let made = |name: &Option<String>| {
        name.as_ref().is_none_or(|name| {
            let in_script = stack.scripts.iter().any(|(_, text)| text.contains(name.as_str()));
            let in_server = server.environment.iter().any(|(_, value)| value == name);
            in_script || in_server || !has_databases(server)
        })
    };
    if !made(&address.database) {
        return Some(format!("nobody creates the database {:?}", address.database));
    }
    (!made(&address.user)).then(|| format!("nobody creates the user {:?}", address.user))
}

/// Engines on which each service has a database of its own.
fn has_databases(server: &Container) -> bool {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    catalog.get(&server.kind).is_some_and(|entry| entry.setup.is_some())
}

fn listens(stack: &Stack, server: &Container, port: u16) -> bool {
    let is_own = |service: &&Service| service.name == server.name;
    if let Some(service) = stack.inventory.services.iter().find(is_own) {
        return service.ports.iter().any(|own| own.container == port);
    }
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    catalog
        .get(&server.kind)
        .is_some_and(|entry| entry.port == port || entry.extra_ports.iter().any(|extra| extra.port == port))
}
