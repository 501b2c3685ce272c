//! Java and Kotlin: what the source, Maven's and Gradle's files say; `framework_conf` reads the configuration.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::{Fact, HealthKind, PortSource, What};
use crate::model::path::RepoPath;

use super::java_env;
use super::mounted;
use super::noise::is_noise;
use super::rules::{Grammar, Says};
use super::scan::{Comments, Pattern, holds, line_at, line_of};

/// Source files.
pub const SOURCE: Detector = Detector {
    name: "java",
    extensions: &["java", "kt", "scala", "groovy"],
    wants: wants_source,
    read: read_source,
};
/// `pom.xml`, `build.gradle`, `build.gradle.kts`.
pub const MANIFEST: Detector = Detector {
    name: "java-manifest",
    extensions: &["xml", "gradle", "kts"],
    wants: wants_manifest,
    read: read_manifest,
};

/// The agents that an image loads into the runtime.
pub const IMAGE: Detector = Detector {
    name: "java-image",
    extensions: &[],
    wants: |path| holds(path.name(), "Dockerfile"),
    read: read_image,
};

/// Artifact, framework, and the port that it takes when nobody says otherwise.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("spring-boot-starter-web", "spring-boot", Some(8080)),
    ("spring-boot-starter-webflux", "spring-boot", Some(8080)),
    ("spring-boot-starter-webmvc", "spring-boot", Some(8080)),
    ("spring-boot-starter-data-rest", "spring-boot", Some(8080)),
    ("spring-boot-starter", "spring-boot", None),
    ("spring-cloud-starter-gateway", "spring-cloud-gateway", Some(8080)),
    ("spring-cloud-starter-netflix-zuul", "zuul", Some(8080)),
    ("spring-cloud-starter-netflix-eureka-server", "eureka-server", Some(8761)),
    ("spring-cloud-starter-netflix-eureka-client", "eureka-client", None),
    ("spring-cloud-starter-config", "config-client", None),
    ("spring-cloud-config-server", "config-server", Some(8888)),
    ("quarkus-rest", "quarkus", Some(8080)),
    ("quarkus-resteasy", "quarkus", Some(8080)),
    ("quarkus-resteasy-reactive", "quarkus", Some(8080)),
    ("micronaut-http-server-netty", "micronaut", Some(8080)),
    ("ktor-server-netty", "ktor", None),
    ("ktor-server-core", "ktor", None),
    ("vertx-web", "vertx", None),
    ("javalin", "javalin", Some(7070)),
    ("dropwizard-core", "dropwizard", Some(8080)),
    ("helidon-webserver", "helidon", Some(8080)),
    ("h2", "embedded-database", None),
    ("hsqldb", "embedded-database", None),
    ("derby", "embedded-database", None),
    ("grpc-netty-shaded", "grpc", None),
    ("grpc-server-spring-boot-starter", "grpc", Some(9090)),
];

/// Artifact and the path at which it answers without a line of code.
const HEALTH: &[(&str, &str)] = &[
    ("spring-boot-starter-actuator", "/actuator/health"),
    ("quarkus-smallrye-health", "/q/health/ready"),
    ("micronaut-management", "/health"),
];

/// Beginning of a Quarkus extension's name, and the variables by which it is told where its server is; without them it
/// finds one in development mode only.
const EXTENSIONS: &[(&str, &[&str])] = &[
    (
        "quarkus-jdbc-",
        &["QUARKUS_DATASOURCE_JDBC_URL", "QUARKUS_DATASOURCE_USERNAME", "QUARKUS_DATASOURCE_PASSWORD"],
    ),
    (
        "quarkus-reactive-",
        &["QUARKUS_DATASOURCE_REACTIVE_URL", "QUARKUS_DATASOURCE_USERNAME", "QUARKUS_DATASOURCE_PASSWORD"],
    ),
    ("quarkus-mongodb-", &["QUARKUS_MONGODB_CONNECTION_STRING"]),
    ("quarkus-redis-client", &["QUARKUS_REDIS_HOSTS"]),
    ("quarkus-messaging-kafka", &["KAFKA_BOOTSTRAP_SERVERS"]),
    ("quarkus-smallrye-reactive-messaging-kafka", &["KAFKA_BOOTSTRAP_SERVERS"]),
    ("quarkus-kafka-client", &["KAFKA_BOOTSTRAP_SERVERS"]),
    (
        "quarkus-messaging-rabbitmq",
        &["RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_USERNAME", "RABBITMQ_PASSWORD"],
    ),
    ("quarkus-opentelemetry", &["QUARKUS_OTEL_EXPORTER_OTLP_ENDPOINT"]),
];

fn wants_source(path: &RepoPath) -> bool {
    matches!(path.extension(), "java" | "kt" | "scala" | "groovy") && !is_noise(path)
}

fn wants_manifest(path: &RepoPath) -> bool {
    matches!(path.name(), "pom.xml" | "build.gradle" | "build.gradle.kts")
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    Grammar::new(
        Comments::Slash,
        ("java-literal", "java-env-call"),
        r#"getenv|\bsys\.env|dotenv|env(?:ironment)?\.get|@Property|@Value\(|@ConfigProperty|\.port\(|embeddedServer\(|\.listen\(|\.start\(|Server\w*\.(?:forPort|create)|@(?:(?:Get|Request)?Mapping|Path|Get)\(<route>|FeignClient\(|@Client\(|@RegisterRestClient|\bget\(\s*"/[^"\n]*<health>|ManagedChannelBuilder|forAddress\(|setHost|setUri|Migrat|HealthStatusManager"#,
        &[
            (
                "java-env",
                "getenv",
                r#"\bgetenv\(\s*"(?P<name><key>)"\s*\)(?:\s*\?:\s*(?:(?P<default><lit>)|(?P<fails>throw\b|error\())|\s*\)\s*\.orElse\(\s*(?P<default2><lit>))?"#,
                Says::Env,
            ),
            (
                "java-env",
                "getenv",
                r#"\bgetenv\(\)\s*\.\s*(?:get|getOrDefault)\(\s*"(?P<name><key>)"\s*(?:,\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "java-env",
                "getenv",
                r#"\bgetenv\(\)\s*\[\s*"(?P<name><key>)"\s*\](?:\s*\?:\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "java-env",
                "sys.env",
                r#"\bsys\.env(?:\.(?:get|getOrElse))?\(\s*"(?P<name><key>)"\s*(?:,\s*(?P<default><lit>)|\)\s*\.getOrElse\(\s*(?P<default2><lit>))?"#,
                Says::Env,
            ),
            (
                "java-env",
                "Property(",
                r#"\benv(?:ironment)?\.get(?:Required)?Property\(\s*"(?P<name><KEY>)"\s*(?:,\s*(?P<default><lit>))?"#,
                Says::Env,
            ),
            (
                "java-value",
                "Property(",
                r#"\benv(?:ironment)?\.get(?:Required)?Property\(\s*"(?P<name>[a-z][\w.-]*)"\s*(?:,\s*"(?P<value>[^"\n]*)")?"#,
                Says::Property,
            ),
            (
                "java-env",
                "dotenv",
                r#"\b\w*dotenv(?:\(\))?(?:\.get\(|\[)\s*"(?P<name><KEY>)"\s*(?:,\s*(?P<default><lit>)|\]\s*\?:\s*(?P<default2><lit>))?"#,
                Says::Env,
            ),
            ("java-env-function", "getenv", r"\bgetenv\(\s*(?P<argument><key>)\s*\)", Says::Wrapper),
            (
                "java-value",
                "@Value(",
                r#"@Value\(\s*(?:value\s*=\s*)?"[^"\n]*?\$\{(?P<name><KEY>)(?::(?P<value>[^}"\n]*))?\}"#,
                Says::EnvText,
            ),
            (
                "java-value",
                "@Value(",
                r#"@Value\(\s*(?:value\s*=\s*)?"[^"\n]*?\$\{(?P<name>[a-z][\w.-]*)(?::(?P<value>[^}"\n]*))?\}"#,
                Says::Property,
            ),
            (
                "java-config-property",
                "@ConfigProperty",
                r#"@ConfigProperty\(\s*name\s*=\s*"(?P<name><KEY>)"(?:\s*,\s*defaultValue\s*=\s*(?P<default><str>))?"#,
                Says::Env,
            ),
            (
                "java-config-property",
                "@ConfigProperty|@Property(",
                r#"@(?:ConfigProperty|Property)\(\s*name\s*=\s*"(?P<name>[a-z][\w.-]*)"(?:\s*,\s*defaultValue\s*=\s*"(?P<value>[^"\n]*)")?"#,
                Says::PropertyOfMicroProfile,
            ),
            (
                "java-listen",
                "embeddedServer(|.port|.listen",
                r"(?:\bembeddedServer\(\s*\w+\s*,\s*port\s*=|\.port|\.listen)\(?\s*(?P<port>\d{2,5}|\w*[pP][oO][rR][tT]\w*)\b",
                Says::Listen,
            ),
            (
                "java-listen",
                "Javalin",
                r"Javalin\.create\([^)]*\)\s*\.start\(\s*(?P<port>\d{2,5}|\w*[pP]ort\w*)",
                Says::Listen,
            ),
            (
                "java-listen",
                "InetSocketAddress",
                r"HttpServer\.create\(\s*new InetSocketAddress\(\s*(?P<port>\d{2,5}|\w*[pP]ort\w*)",
                Says::Listen,
            ),
            (
                "java-grpc-listen",
                "forPort",
                r"Server\w*\.forPort\(\s*(?P<port>\d{2,5}|\w*[pP][oO][rR][tT]\w*)",
                Says::ListenGrpc,
            ),
            (
                "java-route",
                "Mapping(",
                r#"@(?:Get|Request)Mapping\(\s*(?:value\s*=\s*|path\s*=\s*)?\{?\s*"(?P<path>/?[^"\n]*)""#,
                Says::Route,
            ),
            ("java-route", "@Path(|@Get(", r#"@(?:Path|Get)\(\s*"(?P<path>/?[^"\n]*)""#, Says::Route),
            ("java-route", "get(", r#"\bget\(\s*"(?P<path>/[^"\n]*)""#, Says::Route),
            (
                "java-feign",
                "FeignClient(",
                r#"@FeignClient\(\s*(?:(?:name|value|contextId)\s*=\s*)?"(?P<host>[\w.-]+)""#,
                Says::Discovery,
            ),
            (
                "java-feign",
                "FeignClient(",
                r#"@FeignClient\([^)]*?\bname\s*=\s*"(?P<host>[\w.-]+)""#,
                Says::Discovery,
            ),
            (
                "micronaut-client",
                "@Client(",
                r#"@Client\(\s*(?:(?:id|value)\s*=\s*)?"(?P<host>[a-z][\w-]*)""#,
                Says::Discovery,
            ),
            (
                "java-literal",
                "forAddress",
                r#"forAddress\(\s*"(?P<host>[\w.-]+)"\s*,\s*(?P<port>\d{2,5})"#,
                Says::Host,
            ),
            ("java-grpc-health", "Health", r"\bHealthStatusManager\b", Says::GrpcHealth),
        ],
    )
    .below(mounted::java)
});

static GRADLE: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"\b(?P<configuration>\w*(?:[iI]mplementation|[aA]pi|[rR]untimeOnly|[cC]ompile|[cC]ompileOnly|[rR]untime|kapt|annotationProcessor|developmentOnly))\b\s*\(?\s*(?:platform\()?["'](?P<group>[\w.-]+):(?P<artifact>[\w.-]+)"#,
    )
});
static GRADLE_PLUGIN: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\bid\s*\(?\s*["'](?P<plugin>[\w.-]+)["']"#));

fn read_source(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    GRAMMAR.read(&mut findings);
    java_env::read(&mut findings);
}

fn read_manifest(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    if source.path.name() == "pom.xml" { pom(&mut findings) } else { gradle(&mut findings) }
}

/// A library that no manifest names.
fn read_image(source: &Source<'_>, facts: &mut Vec<Fact>) {
    const AGENTS: &[(&str, &str)] =
        &[("opentelemetry-javaagent", "io.opentelemetry.javaagent:opentelemetry-javaagent")];
    for (file, agent) in AGENTS.iter().filter(|(file, _)| holds(source.text, file)) {
        let line = line_of(source.text, file);
        Findings::new(source, facts).package(line, "java-agent", "java", (agent, &[]), false);
    }
}

fn pom(findings: &mut Findings<'_, '_>) {
    let Ok(document) = roxmltree::Document::parse(findings.source.text) else { return };
    let text_of = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.has_tag_name_local(name));
        child.and_then(|child| child.text()).map(str::trim).unwrap_or_default().to_owned()
    };
    let line = |node: roxmltree::Node<'_, '_>| line_at(findings.source.text, node.range().start);
    let root = document.root_element();
    let mut found = Vec::new();
    if let Some(name) = root.children().find(|child| child.has_tag_name_local("artifactId")) {
        found.push((line(name), None, name.text().unwrap_or_default().trim().to_owned(), false));
    }
    for list in root.children().filter(|child| child.has_tag_name_local("dependencies")) {
        for node in list.children().filter(|child| child.has_tag_name_local("dependency")).take(1000) {
            let dev_only = text_of(node, "scope") == "test";
            found.push((line(node), Some(text_of(node, "groupId")), text_of(node, "artifactId"), dev_only));
        }
    }
    for (line, group, artifact, dev_only) in found {
        match group {
            Some(group) => dependency(findings, line, &group, &artifact, dev_only),
            None => findings.alias(line, "maven-artifact", &artifact),
        }
    }
}

/// Maven's files have a namespace, and some leave it out.
trait Local {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Local for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn gradle(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| line.len() < 1000) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for found in GRADLE.all(line, usize::MAX) {
            let group = |name: &str| found.name(name).map_or("", |group| group.as_str());
            let configuration = group("configuration").to_ascii_lowercase();
            let dev_only = configuration.contains("test") || configuration.contains("development");
            dependency(findings, number, group("group"), group("artifact"), dev_only);
        }
        if let Some(plugin) = GRADLE_PLUGIN.first(line).and_then(|found| found.name("plugin")) {
            let framework = match plugin.as_str() {
                "org.springframework.boot" => "spring-boot",
                "io.quarkus" => "quarkus",
                "io.micronaut.application" => "micronaut",
                "io.ktor.plugin" => "ktor",
                _ => continue,
            };
            findings.framework(number, "gradle-plugin", framework);
        }
    }
}

fn dependency(findings: &mut Findings<'_, '_>, line: u32, group: &str, artifact: &str, dev_only: bool) {
    findings.package(line, "java-dependency", "java", (&format!("{group}:{artifact}"), &[]), dev_only);
    if dev_only {
        return;
    }
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(known, ..)| *known == artifact) {
        findings.framework(line, "java-framework", framework);
        if artifact.starts_with("spring-") {
            findings.env(line, "java-framework", Read { name: "SPRING_PROFILES_ACTIVE", ..Read::default() });
        }
        if let Some(port) = port {
            findings.port(line, "java-framework-port", *port, PortSource::FrameworkDefault, None);
        }
    }
    if let Some((_, path)) = HEALTH.iter().find(|(known, _)| *known == artifact) {
        let what = What::Health { kind: HealthKind::Http, path: Some((*path).to_owned()), port: None };
        findings.add(line, "java-health-library", what);
    }
    let known = findings.source.catalog.by_package("java", &format!("{group}:{artifact}"), &[]).is_some();
    if let Some((_, names)) =
        EXTENSIONS.iter().find(|(start, _)| known && group == "io.quarkus" && artifact.starts_with(start))
    {
        for name in *names {
            findings.env(line, "quarkus-extension", Read { name, ..Read::default() });
        }
    }
    for tool in ["flyway", "liquibase"] {
        if artifact.starts_with(tool) || artifact == format!("quarkus-{tool}") {
            // Both run at the application's start unless they are switched off.
            findings.migration(line, "java-migration-library", tool, &[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    const ALL: &[Detector] = &[SOURCE, MANIFEST];

    fn src(text: &str) -> Vec<String> {
        what(ALL, "a/src/main/java/App.java", text)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(GRAMMAR.is_valid() && GRADLE.is_valid() && GRADLE_PLUGIN.is_valid());
    }

    #[test]
    fn classes_that_describe_the_own_api_call_nobody() {
        let text = "@Value(\"${app.url:http://localhost:9090}\") String url;\nnew Server().url(\"http://localhost:9090\");";
        assert_eq!(what(ALL, "a/src/main/java/OpenApiConfig.java", text), ["env APP_URL -"]);
        assert_eq!(what(ALL, "a/src/main/java/UsersConfig.java", text).len(), 4);
    }

    #[test]
    fn reads_of_variables_are_found_with_default_and_need() {
        for (text, wanted) in [
            ("String x = System.getenv(\"LEVEL\");", "env LEVEL -"),
            ("val x = System.getenv(\"LEVEL\") ?: \"info\"", "env LEVEL info"),
            ("System.getenv().getOrDefault(\"LEVEL\", \"info\")", "env LEVEL info"),
            ("@Value(\"${LEVEL:info}\")", "env LEVEL info"),
            ("@Value(\"${LEVEL}\")", "env LEVEL - required"),
            ("@Value(\"${log.level:info}\")", "env LOG_LEVEL info"),
            ("@ConfigProperty(name = \"LEVEL\", defaultValue = \"info\")", "env LEVEL info"),
            ("@ConfigProperty(name = \"log.max-level\", defaultValue = \"info\")", "env LOG_MAX_LEVEL info"),
            ("@Property(name = \"log.level\")", "env LOG_LEVEL -"),
            ("val x = System.getenv(\"LEVEL\") ?: error(\"no level\")", "env LEVEL - required"),
            ("Optional.ofNullable(System.getenv(\"LEVEL\")).orElse(\"info\")", "env LEVEL info"),
            ("val x = sys.env.getOrElse(\"LEVEL\", \"info\")", "env LEVEL info"),
            ("String x = env.getProperty(\"LEVEL\");", "env LEVEL -"),
            ("String x = environment.getProperty(\"log.level\", \"info\");", "env LOG_LEVEL info"),
            ("val x = dotenv[\"LEVEL\"] ?: \"info\"", "env LEVEL info"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn ports_health_routes_and_addresses_are_found() {
        for (text, wanted) in [
            ("embeddedServer(Netty, port = 8081) {", "port 8081 Listen"),
            ("ServerBuilder.forPort(9090)", "port 9090 Listen Grpc"),
            ("@GetMapping(\"/health\")", "health Http /health"),
            ("@Path(\"/healthz\")", "health Http /healthz"),
            ("@GetMapping(\n    value = \"/hc\")", "health Http /hc"),
            ("@GetMapping(path = { \"ping\" })", "health Http /ping"),
            ("@FeignClient(name = \"accounts-service\")", "ref lb|accounts-service|-|- via -"),
            ("@FeignClient(\"accounts\")", "ref lb|accounts|-|- via -"),
            ("@Client(id = \"accounts\", path = \"/v1\")", "ref lb|accounts|-|- via -"),
            ("@Client(\"accounts\")", "ref lb|accounts|-|- via -"),
            ("rest.getForObject(\"http://accounts/users\", X.class)", "ref http|accounts|-|- via -"),
            ("factory.setHost(\"broker\");", "ref |broker|-|- via -"),
            ("ManagedChannelBuilder.forAddress(\"accounts\", 9090)", "ref |accounts|9090|- via -"),
        ] {
            assert_eq!(src(text), [wanted], "{text}");
        }
    }

    #[test]
    fn maven_names_libraries() {
        let text = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n<artifactId>accounts</artifactId>\n<dependencies>\n<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>\n<dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId></dependency>\n<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-actuator</artifactId></dependency>\n</dependencies></project>";
        assert_eq!(
            say(ALL, "a/pom.xml", text),
            [
                "2 maven-artifact alias accounts",
                "4 java-framework env SPRING_PROFILES_ACTIVE -",
                "4 java-framework framework spring-boot",
                "4 java-framework-port port 8080 FrameworkDefault",
                "5 java-dependency driver postgres org.postgresql:postgresql",
                "6 java-health-library health Http /actuator/health",
            ]
        );
    }

    #[test]
    fn extensions_of_quarkus_read_where_their_server_is() {
        let text = "<project><dependencies>\n<dependency><groupId>io.quarkus</groupId><artifactId>quarkus-messaging-kafka</artifactId></dependency>\n<dependency><groupId>io.quarkus</groupId><artifactId>quarkus-reactive-routes</artifactId></dependency>\n</dependencies></project>";
        assert_eq!(
            say(ALL, "a/pom.xml", text),
            [
                "2 java-dependency driver kafka io.quarkus:quarkus-messaging-kafka",
                "2 quarkus-extension env KAFKA_BOOTSTRAP_SERVERS -",
            ]
        );
    }

    #[test]
    fn agents_of_the_image_are_libraries() {
        let text =
            "FROM eclipse-temurin:21\nADD https://example.org/v2/opentelemetry-javaagent.jar /agent.jar\n";
        assert_eq!(
            say(&[IMAGE], "a/Dockerfile", text),
            ["2 java-agent driver otel-collector io.opentelemetry.javaagent:opentelemetry-javaagent"]
        );
    }

    #[test]
    fn gradle_names_libraries() {
        for (text, wanted) in [
            ("  implementation 'org.postgresql:postgresql:42'", "driver postgres org.postgresql:postgresql"),
            ("  runtimeOnly(\"org.postgresql:postgresql\")", "driver postgres org.postgresql:postgresql"),
            (
                "  testImplementation 'org.postgresql:postgresql:42'",
                "driver postgres org.postgresql:postgresql dev",
            ),
            ("  id 'org.springframework.boot' version '3.0'", "framework spring-boot"),
        ] {
            assert_eq!(what(ALL, "a/build.gradle.kts", text), [wanted], "{text}");
        }
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/x.java", "a/x.kt", "a/pom.xml", "a/build.gradle"]);
    }
}
