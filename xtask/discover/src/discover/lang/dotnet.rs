//! C# and F#: what the source and project files say; `framework_conf` reads `appsettings.json`.

use std::sync::LazyLock;

use regex::Regex;

use crate::discover::findings::{Findings, GRPC_SERVICE, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, What};
use crate::model::path::RepoPath;

use super::mounted;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, line_at};

/// Source files.
pub const SOURCE: Detector = Detector {
    name: "dotnet",
    extensions: &["cs", "fs", "razor", "cshtml"],
    wants: wants_source,
    read: read_source,
};
/// Project files.
pub const MANIFEST: Detector = Detector {
    name: "dotnet-manifest",
    extensions: &["csproj", "fsproj", "props"],
    wants: wants_manifest,
    read: read_manifest,
};

/// Beginning of a package's name and framework.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("Yarp.ReverseProxy", "yarp"),
    ("Ocelot", "ocelot"),
    ("Grpc.AspNetCore", "grpc"),
    ("HotChocolate.AspNetCore", "hotchocolate"),
    ("Microsoft.Orleans", "orleans"),
    ("Hangfire", "hangfire"),
    ("MassTransit", "masstransit"),
    ("Duende.IdentityServer", "identityserver"),
];

fn wants_source(path: &RepoPath) -> bool {
    matches!(path.extension(), "cs" | "fs" | "razor" | "cshtml")
        && !is_noise(path)
        && !path.as_str().contains("/Migrations/")
}

fn wants_manifest(path: &RepoPath) -> bool {
    matches!(path.extension(), "csproj" | "fsproj") || path.name() == "Directory.Packages.props"
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Slash,
        ("dotnet-literal", "dotnet-env-call"),
        r#"GetEnvironmentVariable|[cC]onfig(?:uration)?\.Get(?:String|Int|Bool|Long|Double|Required|Setting)|[cC]onfiguration\s*\[|[cC]onfig\s*\[|GetConnectionString|GetValue<|Get(?:Required)?Section\(|UseHttpsRedirection|UseUrls|ListenAnyIP|ListenLocalhost|Listen\(|\.Run\(|MapHealthChecks|UseHealthChecks|(?:MapGet|HttpGet|Route)\(<route>|Migrate|EnsureCreated|\.Host\(|HostName|\.Add[A-Z]\w+(?:Client|DbContext|DataSource|Cache|Producer|Consumer)[(<]|\.Use(?:MySql|Npgsql|SqlServer)\("#,
        &[
            (
                "dotnet-env",
                "GetEnvironmentVariable",
                r#"GetEnvironmentVariable\(\s*"(?P<name><key>)"\s*\)(?:\s*\?\?\s*(?:(?P<default><lit>)|(?P<fails>throw)))?"#,
                Says::Env,
            ),
            (
                "dotnet-env-function",
                "GetEnvironmentVariable",
                r"GetEnvironmentVariable\(\s*(?P<argument><key>)\s*\)",
                Says::Wrapper,
            ),
            (
                "dotnet-configuration",
                "onfig",
                r#"\b\w*[cC]onfig(?:uration)?\s*\[\s*"(?P<name>[A-Za-z_][\w:]*)"\s*\](?:\s*\?\?\s*(?:(?P<default><lit>)|(?P<fails>throw\b)))?"#,
                Says::ConfigKey,
            ),
            (
                "dotnet-configuration",
                "GetValue",
                r#"\.GetValue(?:<[^>\n]*>)?\(\s*"(?P<name>[A-Za-z_][\w:]*)"\s*(?:,\s*(?P<default><lit>))?"#,
                Says::ConfigKey,
            ),
            // Own methods beside those of the framework, which take a key and a default.
            (
                "dotnet-configuration",
                "onfig",
                r#"\b\w*[cC]onfig(?:uration)?\.Get(?:String|Int(?:32|eger)?|Bool(?:ean)?|Long|Double|Required(?:Value|String)?|Setting)(?:<[^>\n]*>)?\(\s*"(?P<name>[A-Za-z_][\w:]*)"\s*(?:,\s*(?P<default><lit>))?"#,
                Says::ConfigKey,
            ),
            (
                "dotnet-configuration",
                "GetRequiredSection",
                r#"GetRequiredSection\(\s*"(?P<name>[A-Za-z_][\w:]*)"\s*\)\s*\.Value\b(?P<fails>)"#,
                Says::ConfigKey,
            ),
            (
                "dotnet-configuration",
                "GetSection",
                r#"GetSection\(\s*"(?P<name>[A-Za-z_][\w:]*)"\s*\)\s*\.(?:Value\b|Get<(?:string|int|bool|double|long)\??>\(\))(?:[^;\n]*?\?\?\s*(?:(?P<default><lit>)|(?P<fails>throw\b)))?"#,
                Says::ConfigKey,
            ),
            (
                "dotnet-https",
                "UseHttpsRedirection",
                r"\.UseHttpsRedirection\(",
                Says::Variable("ASPNETCORE_HTTPS_PORT"),
            ),
            (
                "dotnet-connection-string",
                "GetConnectionString",
                r#"GetConnectionString\(\s*"(?P<name><key>)""#,
                Says::ConnectionString,
            ),
            // The integrations of Aspire for clients, which take the name of a connection string.
            (
                "dotnet-client",
                ".Add",
                r#"\.Add(?:Azure)?(?P<dialect>Elasticsearch|Kafka|MongoDB|MySql|Nats|Npgsql|RabbitMQ|Redis|SqlServer)(?:Client|Consumer|DataSource|DbContext|DistributedCache|OutputCache|Producer)(?:<[^()\n]*>)?\(\s*(?:connectionName:\s*)?"(?P<name>[A-Za-z_][\w-]*)""#,
                Says::Client,
            ),
            (
                "dotnet-listen",
                "UseUrls",
                r#"UseUrls\(\s*"http://(?P<port>[^"/\n]+:\d{2,5})/?""#,
                Says::Listen,
            ),
            (
                "dotnet-listen",
                "Run(",
                r#"\bapp\.Run\(\s*"http://(?P<port>[^"/\n]+:\d{2,5})/?""#,
                Says::Listen,
            ),
            ("dotnet-listen", "Listen", r"\.ListenAnyIP\(\s*(?P<port>\d{2,5}|\w+)", Says::Listen),
            (
                "dotnet-listen",
                "Listen",
                r"\.Listen\(\s*IPAddress\.(?:Any|IPv6Any)\s*,\s*(?P<port>\d{2,5}|\w+)",
                Says::Listen,
            ),
            ("dotnet-route", "Map", r#"\.Map(?:HealthChecks|Get)\(\s*"(?P<path>/?[^"\n]*)""#, Says::Route),
            (
                "dotnet-route",
                "UseHealthChecks",
                r#"\.UseHealthChecks\(\s*"(?P<path>/?[^"\n]*)""#,
                Says::Route,
            ),
            ("dotnet-route", "Http", r#"\[HttpGet\(\s*"(?P<path>/?[^"\n]*)""#, Says::Route),
            ("dotnet-route", "Route(", r#"\[Route\(\s*"(?P<path>/?[^"\n\[]*)""#, Says::Route),
            ("dotnet-literal", "Host(", r#"\.Host\(\s*"(?P<host>[a-z][\w.-]*)""#, Says::Host),
            (
                "dotnet-grpc-health",
                "Health",
                r"MapGrpcHealthChecksService|HealthServiceImpl",
                Says::GrpcHealth,
            ),
            (
                "dotnet-self-migration",
                "Migrate",
                r"\.Database\.Migrate(?:Async)?\(|\bMigrateDatabase|\.MigrateDbContext",
                Says::Migrates("ef-core"),
            ),
            (
                "dotnet-self-migration",
                "EnsureCreated",
                r"\.EnsureCreated(?:Async)?\(",
                Says::Migrates("ef-core"),
            ),
            ("dotnet-driver", ".Use", r"\.Use(?P<dialect>MySql|Npgsql|SqlServer)\(", Says::Dialect),
        ],
    )
    .below(mounted::dotnet)
});

/// The base class that a proto file's service becomes: `PricesService.PricesServiceBase`.
static SERVED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bclass\s+\w+[^{;]*?:\s*(?:\w+\.)*(\w+)\.(\w+)Base\b").ok());

/// The client that a proto file's service becomes: `PricesService.PricesServiceClient`.
static CLIENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:\bAddGrpcClient<\s*|\bnew\s+)(?:\w+\.)*(\w+)\.(\w+)Client\s*[>(]").ok());

/// The services of gRPC that the source calls, wherever the address comes from.
fn read_clients(source: &Source<'_>, facts: &mut Vec<Fact>) {
    if !source.text.contains("AddGrpcClient<") && !source.text.contains("GrpcChannel.") {
        return;
    }
    let mut findings = Findings::new(source, facts);
    for found in CLIENT.iter().flat_map(|client| client.captures_iter(source.text)) {
        if let (Some(name), Some(client)) = (found.get(1), found.get(2))
            && name.as_str() == client.as_str()
        {
            findings.grpc_client(line_at(source.text, name.start()), name.as_str());
        }
    }
}

/// The services of gRPC that the source implements: so do their clients call the program.
fn read_served(source: &Source<'_>, facts: &mut Vec<Fact>) {
    if !source.text.contains("ServerCallContext") {
        return;
    }
    let mut findings = Findings::new(source, facts);
    for found in SERVED.iter().flat_map(|served| served.captures_iter(source.text)) {
        if let (Some(name), Some(base)) = (found.get(1), found.get(2))
            && name.as_str() == base.as_str()
        {
            findings.alias(line_at(source.text, name.start()), GRPC_SERVICE, name.as_str());
        }
    }
}

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    read_served(source, facts);
    read_clients(source, facts);
    let before = facts.len();
    GRAMMAR.read(&mut Findings::new(source, facts));
    // A connection string does not say for which database it is; the library that the file uses does.
    const LIBRARIES: &[(&str, &str)] = &[
        ("Npgsql", "postgresql"),
        ("MySqlConnector", "mysql"),
        ("MySql.Data", "mysql"),
        ("SqlClient", "sqlserver"),
    ];
    let Some((_, scheme)) = LIBRARIES.iter().find(|(library, _)| source.text.contains(library)) else {
        return;
    };
    for fact in &mut facts[before..] {
        if let What::Reference(reference) = &mut fact.what
            && reference.scheme.is_empty()
            && (reference.user.is_some() || reference.database.is_some())
        {
            reference.scheme = (*scheme).to_owned();
        }
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = source.text.trim_start_matches('\u{feff}');
    let Ok(document) = roxmltree::Document::parse(text) else { return };
    let mut findings = Findings::new(source, facts);
    if document.root_element().attribute("Sdk").is_some_and(|sdk| sdk.ends_with(".Web")) {
        findings.framework(1, "dotnet-sdk", "aspnet");
        for name in ["ASPNETCORE_ENVIRONMENT", "ASPNETCORE_URLS"] {
            findings.env(1, "dotnet-sdk", Read { name, ..Read::default() });
        }
    }
    let project = source.path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    if source.path.extension() != "props" {
        findings.alias(1, "dotnet-project", project);
    }
    let dev_only = project.contains("Test");
    for node in document.descendants().filter(|node| node.tag_name().name() == "PackageReference").take(1000)
    {
        let Some(package) = node.attribute("Include") else { continue };
        let line = line_at(text, node.range().start);
        findings.package(line, "dotnet-dependency", "dotnet", (package, &[]), dev_only);
        if let Some((_, framework)) = FRAMEWORKS.iter().find(|(known, _)| package.starts_with(known)) {
            findings.framework(line, "dotnet-framework", framework);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/Program.cs", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid());
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("var x = Environment.GetEnvironmentVariable(\"LEVEL\");", "env LEVEL -"),
            ("var x = Environment.GetEnvironmentVariable(\"LEVEL\") ?? \"info\";", "env LEVEL info"),
            (
                "var x = Environment.GetEnvironmentVariable(\"LEVEL\") ?? throw new X();",
                "env LEVEL - required",
            ),
            ("var x = builder.Configuration[\"Log:Level\"] ?? \"info\";", "env Log__Level info"),
            ("var x = config.GetValue<string>(\"Log:Level\", \"info\");", "env Log__Level info"),
            ("var x = config[\"Log:Level\"] ?? throw new X();", "env Log__Level - required"),
            ("var x = configuration.GetString(\"Log:Level\", \"info\");", "env Log__Level info"),
            ("=> configuration.GetInt(\"LOG_MAX\", DefaultMax);", "env LOG_MAX -"),
            ("var x = config.GetSection(\"Log:Level\").Value;", "env Log__Level -"),
            ("var x = config.GetSection(\"Log:Max\").Get<int?>() ?? 10;", "env Log__Max 10"),
            ("app.UseHttpsRedirection();", "env ASPNETCORE_HTTPS_PORT -"),
            (
                "var x = configuration.GetConnectionString(\"Default\");",
                "env ConnectionStrings__Default - required",
            ),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn ports_health_routes_and_addresses_are_found() {
        for (text, wanted) in [
            ("builder.WebHost.UseUrls(\"http://*:5000\");", &["listens 0.0.0.0", "port 5000 Listen"][..]),
            ("options.ListenAnyIP(5001);", &["port 5001 Listen"]),
            ("app.MapHealthChecks(\"/healthz\");", &["health Http /healthz"]),
            ("app.MapGet(\"/health\", () => 1);", &["health Http /health"]),
            ("app.MapGet(\n    \"/hc\", () => 1);", &["health Http /hc"]),
            (
                "client.BaseAddress = new Uri(\"http://accounts-api:80\");",
                &["ref http|accounts-api|80|- via -"],
            ),
            ("new(\"https+http://catalog-api\")", &["ref https+http|catalog-api|-|- via -"]),
            ("var f = new ConnectionFactory { HostName = \"broker\" };", &["ref |broker|-|- via -"]),
            ("o =>\n  o.UseNpgsql(text);", &["driver postgres Npgsql"]),
            ("o.UseSqlServer(text);", &["driver sqlserver SqlServer"]),
            ("o.UseMySql(text);", &["driver mysql MySql"]),
            ("db.Database.Migrate();", &["migration ef-core []"]),
            ("public const string SqlServer = \"SQLSERVER\";", &[]),
            ("public const string OutOfStock = \"Ordering:1001\";", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_client_is_of_its_kind_and_reads_its_connection_string() {
        for (text, kind, wanted) in [
            ("builder.AddRedisDistributedCache(\"cache\");", "redis Redis", "cache"),
            (
                "builder.AddNpgsqlDbContext<ShopContext>(connectionName: \"shop-db\");",
                "postgres Npgsql",
                "shop-db",
            ),
            ("builder.AddKafkaProducer<string, string>(\"events\");", "kafka Kafka", "events"),
            ("builder.AddRabbitMQClient(\n    \"bus\");", "rabbitmq RabbitMQ", "bus"),
        ] {
            let wanted = format!("env ConnectionStrings__{wanted} - required");
            assert_eq!(src(text), [format!("driver {kind}"), wanted], "{text}");
        }
        assert!(
            src("services.AddNpgsqlDataSource(connectionString); services.AddHttpClient(\"x\");").is_empty()
        );
    }

    #[test]
    fn a_connection_string_is_for_the_library_that_the_file_uses() {
        let text = "using Npgsql;\nvar c = Open(\"Server=db;Username=u;Password=p;\");";
        assert_eq!(src(text), ["ref postgresql|db|-|- via -"]);
    }

    #[test]
    fn services_of_grpc_are_names_of_the_program() {
        for (text, wanted) in [
            (
                "public class Prices(Db db)\n    : Shop.Protos.PricesService.PricesServiceBase\n{ Get(ServerCallContext c) }",
                &["alias PricesService"][..],
            ),
            ("class Prices : PricesService.OtherBase { Get(ServerCallContext c) }", &[]),
            ("class Prices : PricesService.PricesServiceBase { }", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn services_of_grpc_that_a_source_calls_are_found() {
        for (text, wanted) in [
            (
                "services.AddGrpcClient<Protos.Prices.PricesClient>(o => { });",
                &["ref grpc|Prices|-|- via -"][..],
            ),
            (
                "var c = new Prices.PricesClient(GrpcChannel.ForAddress(address));",
                &["ref grpc|Prices|-|- via -"],
            ),
            ("var c = new Prices.PricesClient(channel);", &[]),
            ("services.AddGrpcClient<Prices.OtherClient>();", &[]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn projects_name_packages() {
        let text = "<Project Sdk=\"Microsoft.NET.Sdk.Web\">\n<ItemGroup>\n<PackageReference Include=\"Npgsql.EntityFrameworkCore.PostgreSQL\" Version=\"8\" />\n</ItemGroup></Project>";
        assert_eq!(
            say(ALL, "a/Accounts.Api.csproj", text),
            [
                "1 dotnet-project alias Accounts.Api",
                "1 dotnet-sdk env ASPNETCORE_ENVIRONMENT -",
                "1 dotnet-sdk env ASPNETCORE_URLS -",
                "1 dotnet-sdk framework aspnet",
                "3 dotnet-dependency driver postgres Npgsql.EntityFrameworkCore.PostgreSQL",
            ]
        );
    }

    #[test]
    fn packages_of_a_framework_bring_its_drivers() {
        for (package, kind) in [
            ("Volo.Abp.EntityFrameworkCore.PostgreSql", "postgres"),
            ("Volo.Abp.MongoDB", "mongodb"),
            ("Volo.Abp.Caching.StackExchangeRedis", "redis"),
            ("DistributedLock.Redis", "redis"),
            ("Volo.Abp.EventBus.RabbitMQ", "rabbitmq"),
        ] {
            let text = format!(
                "<Project Sdk=\"Microsoft.NET.Sdk\">\n<PackageReference Include=\"{package}\"/>\n</Project>"
            );
            let found = what(ALL, "a/Data.csproj", &text);
            assert_eq!(found.last(), Some(&format!("driver {kind} {package}")), "{found:?}");
        }
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.cs", "a/x.csproj"]);
    }
}
