//! Go: what the source and `go.mod` say.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, PortSource, Protocol, What};
use crate::model::path::RepoPath;

use super::go_env;
use super::mounted;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern, holds, line_at};

/// Source files.
pub const SOURCE: Detector =
    Detector { name: "go", extensions: &["go"], wants: wants_source, read: read_source };
/// `go.mod`.
pub const MANIFEST: Detector = Detector {
    name: "go-manifest",
    extensions: &["mod"],
    wants: |path| path.name() == "go.mod",
    read: read_manifest,
};

/// Beginning of a module's path, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("github.com/gin-gonic/gin", "gin", None),
    ("github.com/labstack/echo", "echo", None),
    ("github.com/gofiber/fiber", "fiber", None),
    ("github.com/go-chi/chi", "chi", None),
    ("github.com/gorilla/mux", "gorilla", None),
    ("google.golang.org/grpc", "grpc", None),
    ("github.com/go-kratos/kratos", "kratos", None),
    ("github.com/beego/beego", "beego", Some(8080)),
    ("github.com/kataras/iris", "iris", None),
    ("github.com/valyala/fasthttp", "fasthttp", None),
    ("github.com/99designs/gqlgen", "gqlgen", None),
    ("github.com/hibiken/asynq", "asynq", None),
];

fn wants_source(path: &RepoPath) -> bool {
    path.extension() == "go" && !is_noise(path)
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Slash,
        ("go-literal", "go-env-call"),
        r#"Getenv|LookupEnv|ListenAndServe|\.Run\(|\.Start\(|\.Listen\(|\.Serve\(|\bAddr:|Sprintf\(|\.(?:HandleFunc|Handle|Get|GET|Any)\(\s*"[^"\n]*<health>|sqlx?\.(?:Open|Connect)|gorm\.Open|AutoMigrate|goose\.|migrate\.|health\.NewServer|flag\.|\.Database\("|"[a-z0-9.-]+\.[a-z]+/"#,
        &[
            (
                "go-env",
                "env",
                r#"cmp\.Or\(\s*os\.Getenv\(\s*["`](?P<name><key>)["`]\s*\)\s*,\s*(?P<default><str>)\s*\)"#,
                Says::Env,
            ),
            (
                "go-env",
                "Getenv|LookupEnv",
                r#"os\.(?:Getenv|LookupEnv)\(\s*["`](?P<name><key>)["`]\s*\)"#,
                Says::Env,
            ),
            (
                "go-env-function",
                "Getenv|LookupEnv",
                r"os\.(?:Getenv|LookupEnv)\(\s*(?P<argument><key>)\s*\)",
                Says::Wrapper,
            ),
            ("go-listen", "Listen", r#"\bListenAndServe(?:TLS)?\(\s*(?P<port><str>|[\w.]+)"#, Says::Listen),
            (
                "go-listen",
                ".Run|.Start|.Listen",
                r#"\.(?:Run|Start|Listen|RunTLS|StartServer)\(\s*(?P<port>"[\w.\[\]]*:\d{2,5}"|:?\w*[pP]ort\w*|\w*[aA]ddr\w*)\s*[,)]"#,
                Says::Listen,
            ),
            (
                "go-listen",
                "Addr:",
                r#"\bAddr:\s*(?P<port>"[^"\n]*:\d{2,5}"|":"\s*\+\s*[\w.]+|\w*[pP]ort\w*|\w*[aA]ddr\w*)"#,
                Says::Listen,
            ),
            (
                "go-listen",
                "Sprintf",
                r#"\bAddr:\s*fmt\.Sprintf\(\s*"[^"\n]*:%[sdv]"\s*,\s*(?P<port>[\w.]+)\s*\)"#,
                Says::Listen,
            ),
            (
                "go-listen",
                "Sprintf",
                r#"(?:ListenAndServe|Run|Start|Listen)\(\s*fmt\.Sprintf\(\s*"[^"\n]*:%[sdv]"\s*,\s*(?P<port>[\w.]+)\s*\)"#,
                Says::Listen,
            ),
            (
                "go-listen",
                "ListenAndServe(|Run(|Start(|Listen(",
                r#"(?:ListenAndServe|Run|Start|Listen)\(\s*":"\s*\+\s*(?P<port>[\w.]+)"#,
                Says::Listen,
            ),
            (
                "go-net-listen",
                "Listen",
                r#"\bnet\.Listen\(\s*"tcp\d?"\s*,\s*(?P<port><str>|[\w.]+)\s*\)"#,
                Says::Listen,
            ),
            (
                "go-net-listen",
                "Listen",
                r#"\bnet\.Listen\(\s*"tcp\d?"\s*,\s*(?:":"\s*\+|fmt\.Sprintf\(\s*"[^"\n]*:%[sdv]"\s*,)\s*(?P<port>[\w.]+)"#,
                Says::Listen,
            ),
            (
                "go-flag-port",
                "flag.",
                r#"\bflag\.(?:String|Int|Uint)(?:Var)?\(\s*(?:&[\w.]+\s*,\s*)?"(?:[\w-]*-)?(?:port|addr|address|listen|listen-address|http|bind|listen-addr)"\s*,\s*(?P<port><lit>)"#,
                Says::Listen,
            ),
            (
                "go-route",
                ".Handle|.Get(|.GET(|.Any(|.All(",
                r#"\.(?:HandleFunc|Handle|Get|GET|Any|All)\(\s*"(?:GET )?(?P<path>/[^"\n]*)""#,
                Says::Route,
            ),
            (
                "go-sql-driver",
                "sql",
                r#"\bsqlx?\.(?:Open|Connect|MustConnect|MustOpen)\(\s*"(?P<dialect>\w+)""#,
                Says::Dialect,
            ),
            (
                "go-mongo-database",
                ".Database(",
                r#"\.Database\(\s*"(?P<database>[\w-]+)""#,
                Says::DatabaseOf("mongodb"),
            ),
            (
                "go-sql-driver",
                "gorm.Open",
                r#"\bgorm\.Open\(\s*"?(?P<dialect>postgres|mysql|sqlserver)\b"#,
                Says::Dialect,
            ),
            (
                "go-import",
                "/",
                r#"(?m)^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?"(?P<package>[a-z0-9.-]+\.[a-z]+/[\w./@-]+)"[ \t\r]*$"#,
                Says::Package("go"),
            ),
            (
                "go-grpc-health",
                "ealth",
                r"\bhealth\.NewServer\(|grpc_health_v1\.Register|healthpb\.Register|\.RegisterHealthServer\(",
                Says::GrpcHealth,
            ),
            ("go-self-migration", "AutoMigrate", r"\.AutoMigrate\(", Says::Migrates("gorm")),
            (
                "go-self-migration",
                "goose.",
                r"\bgoose\.(?:Up|UpContext|RunContext|Run)\(",
                Says::Migrates("goose"),
            ),
            (
                "go-self-migration",
                "migrate.",
                r"\bmigrate\.(?:New|NewWithDatabaseInstance|NewWithSourceInstance)\(",
                Says::Migrates("golang-migrate"),
            ),
        ],
    )
    .below(mounted::go)
});

/// `KafkaBrokers = "KAFKA_BROKERS"`.
static CONSTANT: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"(?m)^[ \t]*(?:const[ \t]+)?(?P<constant>\w+)[ \t]*(?:string[ \t]*)?=[ \t]*"(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"[ \t\r]*$"#,
    )
});

/// Names of variables that are kept as constants, to be read elsewhere: the constant is named like the variable.
fn constants(findings: &mut Findings<'_, '_>) {
    let path = findings.source.path.as_str();
    if !["const", "env", "config"].iter().any(|word| path.contains(word)) {
        return;
    }
    let folded = |text: &str| text.replace('_', "").to_ascii_lowercase();
    for found in CONSTANT.all(findings.source.text, usize::MAX).take(500) {
        let (Some(constant), Some(name)) = (found.name("constant"), found.name("name")) else { continue };
        let (constant, wanted) = (folded(constant.as_str()), folded(name.as_str()));
        let bare = constant.trim_start_matches("env").trim_end_matches("env").trim_end_matches("key");
        if bare == wanted || constant == wanted {
            let line = line_at(findings.source.text, name.start());
            findings.env(line, "go-env-constant", Read { name: name.as_str(), ..Read::default() });
        }
    }
}

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    constants(&mut Findings::new(source, facts));
    let before = facts.len();
    let mut findings = Findings::new(source, facts);
    GRAMMAR.read(&mut findings);
    go_env::read(&mut findings);
    if !holds(source.text, "grpc.NewServer(") {
        return;
    }
    for fact in &mut facts[before..] {
        if let What::Port { protocol, .. } = &mut fact.what
            && fact.at.rule == "go-net-listen"
        {
            *protocol = Protocol::Grpc;
        }
    }
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    for (number, line) in (1..).zip(source.text.lines().take(5000)) {
        let line = line.trim();
        if let Some(module) = line.strip_prefix("module ") {
            let mut parts = module.trim().trim_matches('"').rsplit('/');
            let is_version = |part: &&str| {
                part.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
            };
            if let Some(name) = parts.find(|part| !is_version(part)) {
                findings.alias(number, "go-module-name", name);
            }
        }
        let line = line.strip_prefix("require ").unwrap_or(line);
        let Some((package, _)) = line.split_once(" v") else { continue };
        if line.contains("// indirect") || !package.contains('.') {
            continue;
        }
        findings.package(number, "go-dependency", "go", (package.trim(), &[]), false);
        if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| package.starts_with(known)) {
            findings.framework(number, "go-framework", framework);
            if let Some(port) = port {
                findings.port(number, "go-framework-port", *port, PortSource::FrameworkDefault, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/cmd/main.go", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid() && CONSTANT.is_valid());
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("x := os.Getenv(\"LEVEL\")", "env LEVEL -"),
            ("x, ok := os.LookupEnv(\"LEVEL\")", "env LEVEL -"),
            ("x := getEnv(\"LEVEL\", \"info\")", "env LEVEL info"),
            ("x := getEnvUint[uint16](\"LEVEL\", 5432)", "env LEVEL 5432"),
            ("x := os.Getenv(\"LEVEL\")\nif x == \"\" {\n\tx = \"info\"\n}", "env LEVEL info"),
            ("x, ok := os.LookupEnv(\"LEVEL\")\nif !ok {\n\tpanic(1)\n}", "env LEVEL - required"),
            ("mustMapEnv(&svc.level, \"LEVEL\")", "env LEVEL - required"),
        ] {
            assert_eq!(src(text).first().map(String::as_str), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_choice_with_a_literal_is_a_default() {
        assert_eq!(src("x := cmp.Or(os.Getenv(\"LEVEL\"), \"info\")"), ["env LEVEL -", "env LEVEL info"]);
    }

    #[test]
    fn calls_of_the_programs_own_reader_count() {
        let text = "func need(key string) string {\n\tv := os.Getenv(key)\n\tif v == \"\" {\n\t\tpanic(key)\n\t}\n\treturn v\n}\nvar a = need(\"KEY_A\")\n";
        assert_eq!(say(ALL, "a/c.go", text), ["8 go-env-call env KEY_A - required"]);
    }

    #[test]
    fn constants_named_like_their_variables_are_reads() {
        let text = "package constants\nconst (\n\tKafkaBrokers = \"KAFKA_BROKERS\"\n\tErrMissing = \"NOT_FOUND\"\n)\n";
        assert_eq!(say(ALL, "pkg/constants/constants.go", text), ["3 go-env-constant env KAFKA_BROKERS -"]);
    }

    #[test]
    fn ports_are_found() {
        for (text, wanted) in [
            ("http.ListenAndServe(\":8080\", r)", &["listens 0.0.0.0", "port 8080 Listen"][..]),
            ("r.Run(\"127.0.0.1:8080\")", &["listens 127.0.0.1", "port 8080 Listen"]),
            (
                "const port = \"8081\"\nhttp.ListenAndServe(\":\"+port, nil)",
                &["port 8081 Listen", "listens 0.0.0.0"],
            ),
            ("srv := &http.Server{Addr: \":8082\"}", &["listens 0.0.0.0", "port 8082 Listen"]),
            ("c := &RedisConfig{Addr: \"redis:6379\"}", &["ref |redis|6379|- via -"]),
            (
                "l, _ := net.Listen(\"tcp\", \":50051\")\ns := grpc.NewServer()",
                &["listens 0.0.0.0", "port 50051 Listen Grpc"],
            ),
            ("addr := flag.String(\"addr\", \":9000\", \"x\")", &["listens 0.0.0.0", "port 9000 Listen"]),
        ] {
            assert_eq!(src(text), wanted, "{text}");
        }
    }

    #[test]
    fn health_routes_and_addresses_are_found() {
        for (text, wanted) in [
            ("r.GET(\"/health\", h)", "health Http /health"),
            ("mux.HandleFunc(\"GET /healthz\", h)", "health Http /healthz"),
            ("r.GET(\n\t\"/hc\", h)", "health Http /hc"),
            ("healthpb.RegisterHealthServer(s, h)", "health Grpc -"),
            ("grpc.Dial(\"accounts:50051\")", "ref |accounts|50051|- via -"),
            ("dsn := \"root:pw@tcp(mysql:3306)/app\"", "ref mysql|mysql|3306|app via -"),
            ("sql.Open(\"postgres\", dsn)", "driver postgres postgres"),
            ("\t\"github.com/redis/go-redis/v9\"", "driver redis github.com/redis/go-redis/v9"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn manifest_names_modules() {
        let text = "module example.org/shop/market/v2\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.0\n\tgithub.com/lib/pq v1.0.0\n\tgithub.com/redis/go-redis/v9 v9.0.0 // indirect\n)\n";
        assert_eq!(
            say(ALL, "a/go.mod", text),
            [
                "1 go-module-name alias market",
                "4 go-framework framework gin",
                "5 go-dependency driver postgres github.com/lib/pq"
            ]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.go", "a/go.mod"]);
    }
}
