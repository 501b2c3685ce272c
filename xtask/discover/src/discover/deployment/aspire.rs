//! The system that a host project of .NET Aspire describes: programs, who references whom, databases, variables. Reads
//! the chains of calls that people write, and runs nothing.

use std::collections::BTreeMap;

use super::{Unit, constants};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Whether a file of that path may be the program of a host project.
pub(super) fn may_be(file: &RepoPath) -> bool {
    let folder = file.parent().unwrap_or_default();
    match file.name() {
        "AppHost.cs" | "apphost.cs" => true,
        "Program.cs" => folder.name().ends_with("AppHost"),
        _ => false,
    }
}

/// What a call adds, by the word behind `Add`, and the address at which it answers on the developer's
/// machine, in the form of its driver.
const SERVERS: &[(&str, &str)] = &[
    ("AzureManagedRedis", REDIS),
    ("AzurePostgresFlexibleServer", POSTGRES),
    ("AzureRedis", REDIS),
    ("AzureSqlServer", SQL_SERVER),
    ("Garnet", REDIS),
    ("Kafka", "localhost:9092"),
    ("MailPit", "smtp://localhost:1025"),
    ("MongoDB", "mongodb://localhost:27017/{database}"),
    ("MySql", "Server=localhost;Port=3306;User ID=root;Password=root;Database={database}"),
    ("Nats", "nats://localhost:4222"),
    ("Postgres", POSTGRES),
    ("PostgresContainer", POSTGRES),
    ("RabbitMQ", "amqp://localhost:5672"),
    ("RabbitMQContainer", "amqp://localhost:5672"),
    ("Redis", REDIS),
    ("RedisContainer", REDIS),
    ("SqlServer", SQL_SERVER),
    ("SqlServerContainer", SQL_SERVER),
    ("Valkey", REDIS),
];
const POSTGRES: &str = "Host=localhost;Port=5432;Username=postgres;Password=postgres;Database={database}";
const REDIS: &str = "localhost:6379";
const SQL_SERVER: &str =
    "Server=localhost,1433;User ID=sa;Password=sa;Database={database};TrustServerCertificate=true";

/// What adds a program by the path of its folder.
const BY_PATH: &[&str] = &[
    "BunApp",
    "DenoApp",
    "Dockerfile",
    "GolangApp",
    "JavaScriptApp",
    "NodeApp",
    "NpmApp",
    "PnpmApp",
    "PythonApp",
    "SpringApp",
    "UvicornApp",
    "ViteApp",
    "YarnApp",
];

/// One thing that the host adds.
#[derive(Debug, Clone, Default)]
struct Resource {
    name: String,
    /// Of a server, or of a database on one.
    address: Option<&'static str>,
    database: Option<String>,
    /// Of a program.
    code: Option<RepoPath>,
    ports: Vec<u16>,
    references: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A call of a chain.
struct Call<'t> {
    name: &'t str,
    generic: &'t str,
    arguments: &'t str,
}

/// The programs, in the order of the file.
pub(super) fn units(text: &str, file: &RepoPath, repo: &Repo) -> Vec<Unit> {
    if !text.contains("DistributedApplication.CreateBuilder") {
        return Vec::new();
    }
    let folder = file.parent().unwrap_or_default();
    let text = constants::replace(&without_comments(text), repo);
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for statement in text.split(';') {
        read(statement, (&folder, repo), &mut resources, &mut order);
    }
    let programs =
        order.iter().filter_map(|variable| resources.get(variable)).filter(|one| one.code.is_some());
    programs.map(|program| unit(program, &resources)).collect()
}

/// Lines of comments and ends of lines that are one; `//` of an address stays.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let cut = line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'));
        out.push_str(&line[..cut.unwrap_or(line.len())]);
        out.push('\n');
    }
    out
}

fn read(
    statement: &str,
    (folder, repo): (&RepoPath, &Repo),
    resources: &mut BTreeMap<String, Resource>,
    order: &mut Vec<String>,
) {
    let Some(first) = statement.find('.').map(|at| &statement[..at]) else { return };
    // `var api = builder` or `builder` or `api`.
    let (assigned, receiver) = match first.rsplit_once('=') {
        Some((left, right)) => (last_word(left), last_word(right)),
        None => ("", last_word(first)),
    };
    let calls = calls(&statement[first.len()..]);
    let mut variable = if assigned.is_empty() { receiver.to_owned() } else { assigned.to_owned() };
    let mut current = resources.get(receiver).cloned();
    for call in &calls {
        if let Some(word) = call.name.strip_prefix("Add") {
            let Some(added) = add(word, call, current.as_ref(), (assigned, folder, repo)) else { continue };
            if assigned.is_empty() {
                variable.clone_from(&added.name);
            }
            current = Some(added);
        } else if let Some(current) = &mut current {
            with(call, current);
        }
    }
    if let Some(current) = current {
        if !order.contains(&variable) {
            order.push(variable.clone());
        }
        resources.insert(variable, current);
    }
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    &text[start..]
}

/// `.Name<Generic>(arguments)` one after the other, whatever blanks stand between them.
fn calls(mut text: &str) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    while let Some(rest) = text.trim_start().strip_prefix('.') {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, mut rest) = rest.split_at(end);
        let mut generic = "";
        if let Some(inner) = rest.strip_prefix('<')
            && let Some(end) = inner.find('>')
        {
            (generic, rest) = (&inner[..end], &inner[end + 1..]);
        }
        let Some(inner) = rest.trim_start().strip_prefix('(') else { break };
        let Some(end) = closing(inner) else { break };
        calls.push(Call { name, generic, arguments: &inner[..end] });
        text = &inner[end + 1..];
    }
    calls
}

/// Where the bracket closes that is open at the text's begin; brackets in strings do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut open, mut quoted) = (1, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !text[..at].ends_with('\\') => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// The plain strings among the arguments, in order.
fn strings(arguments: &str) -> Vec<&str> {
    arguments.split('"').skip(1).step_by(2).collect()
}

fn add(
    word: &str,
    call: &Call<'_>,
    receiver: Option<&Resource>,
    (assigned, folder, repo): (&str, &RepoPath, &Repo),
) -> Option<Resource> {
    let mut strings = strings(call.arguments);
    // A name that is put together elsewhere: the variable's has to do.
    if !call.arguments.trim_start().starts_with('"') && !call.arguments.trim().is_empty() {
        strings.insert(0, assigned);
    }
    let name = strings.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())?;
    if word == "Database" {
        let server = receiver.filter(|server| server.address.is_some())?;
        let database = strings.get(1).map_or_else(|| name.clone(), |database| (*database).to_owned());
        let address = server.address;
        return Some(Resource { name, address, database: Some(database), ..Resource::default() });
    }
    if let Some((_, address)) = SERVERS.iter().find(|(server, _)| *server == word) {
        return Some(Resource { name, address: Some(address), ..Resource::default() });
    }
    let path = || {
        let path = strings.get(1)?.replace('\\', "/");
        let path = folder.join(&path)?;
        let is_project = path.name().ends_with("proj");
        if is_project { path.parent() } else { Some(path) }
    };
    let code = match word {
        "Project" if !call.generic.is_empty() => project(repo, call.generic),
        "Project" => path(),
        word if BY_PATH.contains(&word) => path(),
        _ => None,
    };
    // Also what is not understood has a name, so that its calls are not taken for another one's.
    Some(Resource { name, code, ..Resource::default() })
}

/// The folder of the project that the generator calls `Projects.Shop_Orders`.
fn project(repo: &Repo, generic: &str) -> Option<RepoPath> {
    let wanted = generic.rsplit('.').next()?.trim();
    let plain = |stem: &str| stem.replace(|c: char| !c.is_alphanumeric(), "_");
    let is_it = |file: &&RepoPath| {
        file.name().rsplit_once('.').is_some_and(|(stem, end)| end.ends_with("proj") && plain(stem) == wanted)
    };
    repo.files().find(is_it)?.parent()
}

fn with(call: &Call<'_>, current: &mut Resource) {
    match call.name {
        "WithReference" => {
            let target = call.arguments.split([',', '.']).next().unwrap_or_default();
            current.references.push(target.trim().to_owned());
        }
        "WithEnvironment" => {
            let strings = strings(call.arguments);
            let behind = call.arguments.split_once(',').map(|(_, rest)| rest.trim()).unwrap_or_default();
            match (strings.first(), strings.get(1)) {
                (Some(name), Some(value)) if behind.starts_with('"') => {
                    current.environment.push(((*name).to_owned(), (*value).to_owned()));
                }
                // A reference under another name: `WithEnvironment("ApiUrl", api.GetEndpoint("http"))`.
                (Some(name), _) if !behind.starts_with(['$', '"']) => {
                    let target: &str = behind.split(['.', ',']).next().unwrap_or_default();
                    current.environment.push(((*name).to_owned(), format!("\u{1}{}", target.trim())));
                }
                _ => {}
            }
        }
        "WithHttpEndpoint" | "WithEndpoint" | "WithHttpsEndpoint" => {
            let port = call.arguments.split(',').find_map(|argument| {
                let (name, value) = argument.split_once(':')?;
                (name.trim() == "targetPort").then(|| value.trim().parse::<u16>().ok()).flatten()
            });
            current.ports.extend(port);
        }
        _ => {}
    }
}

/// What a reference tells a program, as Aspire names it.
fn unit(program: &Resource, resources: &BTreeMap<String, Resource>) -> Unit {
    let mut environment = Vec::new();
    for reference in &program.references {
        let Some(target) = resources.get(reference) else { continue };
        if let Some(value) = address(target) {
            let name = match target.address {
                Some(_) => format!("ConnectionStrings__{}", target.name),
                None => format!("services__{}__http__0", target.name),
            };
            environment.push((name, value));
        }
    }
    for (name, value) in &program.environment {
        match value.strip_prefix('\u{1}') {
            Some(variable) => {
                let value = resources.get(variable).and_then(address);
                environment.extend(value.map(|value| (name.clone(), value)));
            }
            None => environment.push((name.clone(), value.clone())),
        }
    }
    Unit {
        name: program.name.clone(),
        code: program.code.clone(),
        ports: program.ports.clone(),
        environment,
        ..Unit::default()
    }
}

fn address(target: &Resource) -> Option<String> {
    if let Some(address) = target.address {
        let database = target.database.as_deref().unwrap_or_default();
        let empty = [";Database={database}", "/{database}"];
        let address = if database.is_empty() {
            empty.iter().fold(address.to_owned(), |a, e| a.replace(e, ""))
        } else {
            address.to_owned()
        };
        return Some(address.replace("{database}", database));
    }
    target.code.as_ref().map(|_| format!("http://{}", target.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let tree = "//- /src/Shop.Orders/Shop.Orders.csproj\n<Project/>\n//- /src/Web/Web.csproj\n<Project/>\n//- /spa/package.json\n{}\n\
            //- /src/Names.cs\npublic static class Names\n{\n  public static class Databases\n  {\n    public const string Orders = \"orders-db\";\n  }\n  \
            public const string Api = \"orders-api\";\n  public const string Server = \"pg\";\n}\n";
        let file = RepoPath::new("src/Shop.AppHost/Program.cs").expect("inside the root");
        let one = |unit: Unit| {
            let code = unit.code.map(|code| code.to_string()).unwrap_or_default();
            format!("{} in {code} {:?} {:?}", unit.name, unit.ports, unit.environment)
        };
        let text = format!(
            "var builder = DistributedApplication.CreateBuilder(args);\n{text}\nbuilder.Build().Run();\n"
        );
        units(&text, &file, &Repo::from_fixture(tree)).into_iter().map(one).collect()
    }

    #[test]
    fn chains_of_calls_tell_who_needs_whom() {
        let text = "var db = builder.AddPostgres(\"pg\").WithPgAdmin().AddDatabase(\"orders-db\", \"orders\");\n\
            // var no = builder.AddRedis(\"no\");\nvar bus = builder.AddRabbitMQ(\"bus\"); var cache = builder.AddRedis(\"cache\");\n\
            var orders = builder.AddProject<Projects.Shop_Orders>(\"orders-api\")\n    .WithReference(db).WaitFor(db)\n    .WithEnvironment(\"Mode\", \"fast\")\n    \
            .WithEnvironment(\"Broker\", bus);\nbuilder.AddProject(\"web\", \"../Web/Web.csproj\").WithReference(orders).WithReference(cache);\n\
            builder.AddNpmApp(\"spa\", \"../../spa\").WithHttpEndpoint(env: \"PORT\", targetPort: 3000).WithEnvironment(\"API\", orders.GetEndpoint(\"http\"));";
        assert_eq!(
            shown(text),
            [
                "orders-api in src/Shop.Orders [] [(\"ConnectionStrings__orders-db\", \"Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders\"), (\"Mode\", \"fast\"), (\"Broker\", \"amqp://localhost:5672\")]",
                "web in src/Web [] [(\"services__orders-api__http__0\", \"http://orders-api\"), (\"ConnectionStrings__cache\", \"localhost:6379\")]",
                "spa in spa [3000] [(\"API\", \"http://orders-api\")]",
            ]
        );
    }

    #[test]
    fn names_that_constants_hold_are_read() {
        let text = "var db = builder.AddPostgres(Names.Server).AddDatabase(Names.Databases.Orders);\n\
            builder.AddProject<Projects.Shop_Orders>(Names.Api).WithReference(db);\n\
            var web = builder.AddProject(MakeName(1), \"../Web/Web.csproj\").WithReference(db);";
        assert_eq!(
            shown(text),
            [
                "orders-api in src/Shop.Orders [] [(\"ConnectionStrings__orders-db\", \"Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders-db\")]",
                "web in src/Web [] [(\"ConnectionStrings__orders-db\", \"Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders-db\")]"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[a-z.()<>\"=;/é ]{0,60}") {
            shown(&text);
        }
    }
}
