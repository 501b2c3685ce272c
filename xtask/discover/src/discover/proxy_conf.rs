//! Reads the configuration of proxies and development servers: whom they pass requests to and where they listen.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::model::fact::{Fact, HealthKind, PortSource, Protocol, Purpose, Subject, What};
use crate::model::path::RepoPath;

use super::findings::{Findings, Read, health_path, is_variable};
use super::placeholder::placeholders;
use super::{Detector, Source};

/// nginx, Caddy, HAProxy and Apache; Envoy; Traefik, Kong and KrakenD; development servers of frontends.
pub const ALL: &[Detector] = &[
    Detector {
        name: "proxy-lines",
        extensions: &[],
        wants: |path| line_proxy(path).is_some(),
        read: read_lines,
    },
    Detector {
        name: "proxy-envoy",
        extensions: &["yaml", "yml", "json", "tmpl", "template"],
        wants: wants_envoy,
        read: read_envoy,
    },
    Detector {
        name: "proxy-urls",
        extensions: &["yml", "yaml", "toml", "json", "tmpl"],
        wants: |path| url_proxy(path).is_some(),
        read: read_urls,
    },
    Detector { name: "dev-server", extensions: &[], wants: wants_dev_server, read: read_dev_server },
    Detector {
        name: "prometheus",
        extensions: &["yml", "yaml"],
        wants: wants_prometheus,
        read: read_prometheus,
    },
];

/// More hits are no configuration that a person wrote.
const MAX_HITS: usize = 500;
/// Longer lines neither.
const MAX_LINE: usize = 2000;

/// Compiles a pattern; a test checks that all are right.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));)*
        #[cfg(test)]
        const PATTERNS: &[&LazyLock<Option<Regex>>] = &[$(&$name),*];
    };
}

patterns! {
    NGINX_PASS = r#"\b(?:proxy|grpc|fastcgi|uwsgi|scgi)_pass\s+"?(?P<to>[^\s;"]+)"#;
    NGINX_SERVER = r"^\s*server\s+(?P<to>[A-Za-z0-9_.$\{\}-]+(?::[0-9$\{\}A-Z_]+)?)(?:\s|;)";
    NGINX_SET = r#"\bset\s+\$[A-Za-z0-9_]+\s+"?(?P<to>[a-z][A-Za-z0-9+.-]*://[^\s;"]+|[A-Za-z][A-Za-z0-9_.-]*:[0-9]{2,5})"#;
    NGINX_LISTEN = r"^\s*listen\s+(?:\[::\]:|[0-9.*]+:)?(?P<port>[0-9]{1,5})\b(?P<rest>[^;]*)";
    NGINX_UPSTREAM = r"^\s*upstream\s+(?P<name>[A-Za-z0-9_.-]+)";
    NGINX_HEALTH = r"location\s+=?\s*(?P<path>/[A-Za-z0-9_/.-]+)\s*\{[^}]{0,300}?\breturn\s+20[0-9]";
    CADDY_PROXY = r"^\s*(?:reverse_proxy|php_fastcgi|to)\s+(?P<to>.+)$";
    CADDY_SITE = r"^(?:https?://)?[A-Za-z0-9.*_-]*:(?P<port>[0-9]{2,5})\b[^{}]*\{";
    HAPROXY_SERVER = r"^\s*server\s+\S+\s+(?P<to>[A-Za-z0-9_.-]+:[0-9]{2,5})";
    HAPROXY_BIND = r"^\s*bind\s+[0-9.*]*:(?P<port>[0-9]{2,5})";
    APACHE_PASS = r#"\b(?:ProxyPass(?:Match)?|BalancerMember)\s+(?:"?/\S*\s+)?"?(?P<to>[a-z]+://[^\s"]+)"#;
    APACHE_LISTEN = r"^\s*Listen\s+(?:[0-9.]+:)?(?P<port>[0-9]{2,5})";
    ENVOY_ADDRESS = r#"address:\s*"?(?P<host>[A-Za-z0-9_.-]+)"?\s*[,\n]\s*"?port_value:?"?:?\s*(?P<port>[0-9]{2,5})"#;
    URL = r#"[a-z][a-z0-9+.-]*://[A-Za-z0-9_.-]+(?::[0-9]{2,5})?"#;
    NODE = r#"^\s*"?(?P<to>[A-Za-z][A-Za-z0-9_.-]*:[0-9]{2,5})"?\s*:\s*[0-9]+\s*,?\s*$"#;
    SCRAPED = r#"["'](?P<host>[A-Za-z][A-Za-z0-9_.-]*):(?P<port>[0-9]{2,5})["']"#;
    CADDY_VARIABLE = r"\{(?:\$|env\.)(?P<name>[A-Z][A-Z0-9_]*)(?::(?P<default>[^}]*))?\}";
    DEV_PORT = r#"(?:^|[\s{,"])port["']?\s*[:=]\s*(?P<port>[0-9]{2,5})\b"#;
}

/// The proxies whose configuration is read line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineProxy {
    Nginx,
    Caddy,
    HaProxy,
    Apache,
}

fn line_proxy(path: &RepoPath) -> Option<LineProxy> {
    let name = path.name();
    let stem = name.strip_suffix(".template").or_else(|| name.strip_suffix(".tmpl")).unwrap_or(name);
    if name.starts_with("Caddyfile") {
        Some(LineProxy::Caddy)
    } else if name == "haproxy.cfg" {
        Some(LineProxy::HaProxy)
    } else if matches!(
        name,
        "httpd.conf" | "000-default.conf" | "apache.conf" | "vhost.conf" | "apache2.conf"
    ) {
        Some(LineProxy::Apache)
    } else if stem.ends_with(".conf")
        || stem.ends_with(".nginx")
        || matches!(name, "conf" | "default")
        || name.starts_with("nginx") && !name.ends_with(".md")
    {
        Some(LineProxy::Nginx)
    } else {
        None
    }
}

fn captures<'t>(regex: &LazyLock<Option<Regex>>, text: &'t str) -> Option<Captures<'t>> {
    regex.as_ref().and_then(|regex| regex.captures(text))
}

fn group<'t>(found: &Captures<'t>, name: &str) -> &'t str {
    found.name(name).map_or("", |group| group.as_str())
}

fn read_lines(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let Some(kind) = line_proxy(source.path) else { return };
    let mut findings = Findings::new(source, facts);
    match kind {
        LineProxy::Nginx => nginx(&mut findings),
        LineProxy::Caddy => each_line(&mut findings, caddy),
        LineProxy::HaProxy => each_line(&mut findings, haproxy),
        LineProxy::Apache => each_line(&mut findings, apache),
    }
}

fn each_line(findings: &mut Findings<'_, '_>, read: fn(&mut Findings<'_, '_>, u32, &str)) {
    for (number, line) in (1..).zip(findings.source.text.lines()) {
        if line.len() <= MAX_LINE && !line.trim_start().starts_with('#') {
            read(findings, number, line);
        }
    }
}

/// What nginx is told by a text that holds its configuration among other things: whom it passes requests to.
pub(super) fn read_nginx(source: &Source<'_>, facts: &mut Vec<Fact>) {
    if source.text.contains("_pass ") {
        nginx(&mut Findings::new(source, facts));
    }
}

/// Files named `*.conf` belong to many programs: only those with nginx's own words are read.
fn nginx(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let passes = ["proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass"]
        .iter()
        .any(|word| text.contains(word));
    let serves = text.contains("server_name") || (text.contains("location ") && text.contains("listen "));
    if !passes && !serves {
        return;
    }
    let name = if passes { "nginx-proxy" } else { "nginx" };
    findings.framework(1, "nginx-conf", name);
    let upstreams: Vec<&str> = text
        .lines()
        .filter_map(|line| captures(&NGINX_UPSTREAM, line))
        .map(|found| group(&found, "name"))
        .collect();
    let mut in_upstream = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.len() > MAX_LINE || line.trim_start().starts_with('#') {
            continue;
        }
        in_upstream = (in_upstream || captures(&NGINX_UPSTREAM, line).is_some()) && !line.contains('}');
        nginx_line(findings, number, line, &upstreams, in_upstream);
    }
    nginx_listeners(findings);
    for found in NGINX_HEALTH.iter().flat_map(|regex| regex.captures_iter(text)).take(MAX_HITS) {
        if let (Some(path), Some(at)) = (health_path(group(&found, "path")), found.get(0)) {
            let line = super::lang::line_at(text, at.start());
            findings.add(
                line,
                "nginx-health",
                What::Health { kind: HealthKind::Http, path: Some(path), port: None },
            );
        }
    }
}

fn nginx_line(
    findings: &mut Findings<'_, '_>,
    number: u32,
    line: &str,
    upstreams: &[&str],
    in_upstream: bool,
) {
    for one in placeholders(line)
        .iter()
        .filter(|one| is_variable(one.name) && one.name.bytes().all(|b| !b.is_ascii_lowercase()))
    {
        findings.env(number, "nginx-variable", Read { name: one.name, default: one.default, required: true });
    }
    if let Some(found) = captures(&NGINX_PASS, line) {
        let to = group(&found, "to");
        let host = to.split("://").last().unwrap_or_default().split([':', '/']).next().unwrap_or_default();
        if !upstreams.contains(&host) {
            pass(findings, number, "nginx-pass", to);
        }
    }
    if let Some(found) = captures(&NGINX_SET, line) {
        pass(findings, number, "nginx-pass", group(&found, "to"));
    }
    if in_upstream || line.contains("upstream") {
        let inner = line.rsplit('{').next().unwrap_or_default();
        if let Some(found) = captures(&NGINX_SERVER, inner) {
            pass(findings, number, "nginx-upstream", group(&found, "to"));
        }
    }
}

/// The plain listeners; those with TLS only where there are no others, because nobody here asks them beside one.
fn nginx_listeners(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.len() <= MAX_LINE);
    let listeners: Vec<(u32, u16, bool)> = lines
        .filter_map(|(number, line)| {
            let found = captures(&NGINX_LISTEN, line)?;
            Some((number, group(&found, "port").parse().ok()?, group(&found, "rest").contains("ssl")))
        })
        .collect();
    let has_plain = listeners.iter().any(|(.., tls)| !tls);
    for (number, port, _) in listeners.into_iter().filter(|(.., tls)| !(has_plain && *tls)) {
        findings.port(number, "nginx-listen", port, PortSource::FrameworkConfig, None);
    }
}

/// Somebody to whom requests are passed; without a port it is the scheme's.
fn pass(findings: &mut Findings<'_, '_>, line: u32, rule: &'static str, to: &str) {
    if to.contains("://") {
        findings.literal(line, rule, to);
    } else {
        findings.host(line, rule, to, None);
    }
}

fn caddy(findings: &mut Findings<'_, '_>, number: u32, line: &str) {
    for found in CADDY_VARIABLE.iter().flat_map(|regex| regex.captures_iter(line)).take(20) {
        let default = found.name("default").map(|default| default.as_str());
        findings.env(
            number,
            "caddy-variable",
            Read { name: group(&found, "name"), default, required: false },
        );
    }
    if let Some(found) = captures(&CADDY_PROXY, line) {
        findings.framework(number, "caddy-proxy", "caddy-proxy");
        for to in
            group(&found, "to").split_whitespace().filter(|to| !to.starts_with(['/', '{', '@', '*', '#']))
        {
            pass(findings, number, "caddy-proxy", to);
        }
    }
    if let Some(found) = captures(&CADDY_SITE, line)
        && let Ok(port) = group(&found, "port").parse()
    {
        findings.port(number, "caddy-site", port, PortSource::FrameworkConfig, None);
    }
}

fn haproxy(findings: &mut Findings<'_, '_>, number: u32, line: &str) {
    if let Some(found) = captures(&HAPROXY_SERVER, line) {
        findings.framework(number, "haproxy-server", "haproxy");
        pass(findings, number, "haproxy-server", group(&found, "to"));
    }
    if let Some(found) = captures(&HAPROXY_BIND, line)
        && let Ok(port) = group(&found, "port").parse()
    {
        findings.port(number, "haproxy-bind", port, PortSource::FrameworkConfig, None);
    }
}

fn apache(findings: &mut Findings<'_, '_>, number: u32, line: &str) {
    if let Some(found) = captures(&APACHE_PASS, line) {
        findings.framework(number, "apache-proxy", "apache-proxy");
        pass(findings, number, "apache-proxy", group(&found, "to"));
    }
    if let Some(found) = captures(&APACHE_LISTEN, line)
        && let Ok(port) = group(&found, "port").parse()
    {
        findings.port(number, "apache-listen", port, PortSource::FrameworkConfig, None);
    }
}

fn wants_envoy(path: &RepoPath) -> bool {
    matches!(path.extension(), "yaml" | "yml" | "json" | "tmpl" | "template") && path.name().contains("envoy")
}

/// Envoy names listeners and clusters alike: what binds all addresses is its own.
fn read_envoy(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    // Filled in by `envsubst` before the start.
    for (number, line) in (1..).zip(source.text.lines()).filter(|(_, line)| line.len() <= MAX_LINE) {
        for one in placeholders(line).into_iter().filter(|one| is_variable(one.name)) {
            let read = Read { name: one.name, default: one.default, required: one.default.is_none() };
            findings.env(number, "envoy-variable", read);
        }
    }
    for found in ENVOY_ADDRESS.iter().flat_map(|regex| regex.captures_iter(source.text)).take(MAX_HITS) {
        let (Some(whole), Ok(port)) = (found.get(0), group(&found, "port").parse::<u16>()) else { continue };
        let line = super::lang::line_at(source.text, whole.start());
        let before = &source.text[..whole.start()];
        match group(&found, "host") {
            "0.0.0.0" | "127.0.0.1" => {
                let admin =
                    before.rfind("admin:").is_some_and(|admin| before[admin..].matches('\n').count() < 6);
                let purpose = if admin { Purpose::Management } else { Purpose::Main };
                findings.framework(line, "envoy-listener", "envoy");
                findings.port_as(
                    line,
                    "envoy-listener",
                    port,
                    PortSource::FrameworkConfig,
                    (None, Protocol::Http, purpose),
                );
            }
            host => findings.host(line, "envoy-cluster", host, Some(port)),
        }
    }
}

/// Gateways whose files name URLs: the framework's name.
fn url_proxy(path: &RepoPath) -> Option<&'static str> {
    if !matches!(path.extension(), "yml" | "yaml" | "toml" | "json" | "tmpl") {
        return None;
    }
    let name = path.name().to_ascii_lowercase();
    let in_traefik = path.parts().rev().skip(1).any(|part| part == "traefik");
    if name.contains("traefik") || in_traefik {
        Some("traefik")
    } else if name.starts_with("kong") {
        Some("kong")
    } else if name.starts_with("apisix") || path.parts().rev().skip(1).any(|part| part == "apisix") {
        Some("apisix")
    } else if name.starts_with("krakend") {
        Some("krakend")
    } else if name == "gateway.config.yml" {
        Some("express-gateway")
    } else if name.starts_with("supergraph") || name == ".meshrc.yaml" {
        Some("graphql-gateway")
    } else {
        None
    }
}

fn read_urls(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let Some(name) = url_proxy(source.path) else { return };
    let mut findings = Findings::new(source, facts);
    for (number, line) in (1..).zip(source.text.lines()) {
        if line.len() > MAX_LINE || line.trim_start().starts_with('#') {
            continue;
        }
        for found in URL.iter().flat_map(|regex| regex.find_iter(line)).take(20) {
            findings.framework(number, "gateway-url", name);
            findings.literal(number, "gateway-url", found.as_str());
        }
        // `"orders:8080": 1`, a node with its weight.
        if let Some(found) = captures(&NODE, line) {
            findings.framework(number, "gateway-node", name);
            findings.host(number, "gateway-node", group(&found, "to"), None);
        }
    }
}

fn wants_dev_server(path: &RepoPath) -> bool {
    let name = path.name();
    let is_config = ["vite.", "nuxt.", "vue.", "astro."].iter().any(|tool| name.starts_with(tool));
    (is_config && name.contains(".config.")) || name == "angular.json"
}

/// A development server's port counts only where nothing else says on what the image listens.
fn read_dev_server(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    for (number, line) in (1..).zip(source.text.lines()) {
        if line.len() > MAX_LINE || line.trim_start().starts_with("//") {
            continue;
        }
        if let Some(found) = captures(&DEV_PORT, line)
            && let Ok(port) = group(&found, "port").parse()
        {
            findings.port(number, "dev-server-port", port, PortSource::FrameworkDefault, None);
        }
    }
}

fn wants_prometheus(path: &RepoPath) -> bool {
    matches!(path.extension(), "yml" | "yaml") && path.name().starts_with("prometheus")
}

/// Whoever is scraped listens on that port. Under the usual path that may be any exporter; another path means that the
/// program's own server answers there.
fn read_prometheus(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    for job in source.text.split("job_name").skip(1).take(100) {
        let path =
            job.split_once("metrics_path:").map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
        if matches!(path.trim().trim_matches(['"', '\'']), "" | "/metrics") {
            continue;
        }
        let start = job.as_ptr() as usize - source.text.as_ptr() as usize;
        for found in SCRAPED.iter().flat_map(|regex| regex.captures_iter(job)).take(10) {
            let (Some(whole), Ok(port)) = (found.get(0), group(&found, "port").parse::<u16>()) else {
                continue;
            };
            let host = group(&found, "host");
            let before = job[..whole.start()].rsplit('\n').next().unwrap_or_default();
            if before.trim_start().starts_with('#')
                || matches!(host, "localhost" | "127.0.0.1" | "host.docker.internal")
            {
                continue;
            }
            let line = super::lang::line_at(source.text, start + whole.start());
            findings.about(Subject::Named(host.to_owned()));
            findings.port_as(
                line,
                "prometheus-target",
                port,
                PortSource::Caller,
                (None, Protocol::Http, Purpose::Main),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives, what};

    #[test]
    fn patterns_are_valid() {
        assert!(PATTERNS.iter().all(|pattern| pattern.is_some()));
    }

    #[test]
    fn nginx_passes_requests_on() {
        let text = "upstream api {\n  server accounts:3001 weight=1;\n  # server old:1;\n}\nserver {\n  listen 80;\n  listen [::]:443 ssl;\n  server_name _;\n  location /api { proxy_pass http://api/; }\n  location /m { proxy_pass http://market:3002; }\n  location = /healthz { access_log off; return 200; }\n}\n";
        assert_eq!(
            say(ALL, "web/nginx.conf", text),
            [
                "1 nginx-conf framework nginx-proxy",
                "2 nginx-upstream ref |accounts|3001|- via -",
                "6 nginx-listen port 80 FrameworkConfig",
                "10 nginx-pass ref http|market|3002|- via -",
                "11 nginx-health health Http /healthz",
            ]
        );
        assert!(what(ALL, "a/other.conf", "server.port = 1\n").is_empty());
    }

    #[test]
    fn nginx_templates_read_variables() {
        let text = "server {\n  listen 80;\n  location / {\n    proxy_pass http://${API_HOST}:3001;\n    proxy_set_header Host $host;\n  }\n}";
        assert_eq!(
            what(ALL, "web/default.conf.template", text),
            ["framework nginx-proxy", "port 80 FrameworkConfig", "env API_HOST - required"]
        );
    }

    #[test]
    fn other_proxies_pass_requests_on() {
        for (path, text, wanted) in [
            ("g/Caddyfile", ":8080 {", "port 8080 FrameworkConfig"),
            ("g/haproxy.cfg", "  bind *:80", "port 80 FrameworkConfig"),
            ("g/envoy.yaml", "address: 0.0.0.0\n  port_value: 8080\n", "framework envoy"),
        ] {
            assert_eq!(what(ALL, path, text).first().map(String::as_str), Some(wanted), "{path}");
        }
        for (path, text, wanted) in [
            ("g/Caddyfile", "  reverse_proxy /api/* accounts:3001", "ref |accounts|3001|- via -"),
            ("g/haproxy.cfg", "  server a1 accounts:3001 check", "ref |accounts|3001|- via -"),
            ("g/httpd.conf", "ProxyPass /a http://accounts:3001/", "ref http|accounts|3001|- via -"),
            (
                "g/envoy.yaml",
                "socket_address: { address: accounts, port_value: 3001 }",
                "ref |accounts|3001|- via -",
            ),
            ("g/envoy.yaml", "  address: accounts\n  port_value: 3001\n", "ref |accounts|3001|- via -"),
            ("g/traefik/dynamic.yml", "  - url: \"http://accounts:3001\"", "ref http|accounts|3001|- via -"),
            ("g/apisix.yaml", "      nodes:\n        \"accounts:3001\": 1", "ref |accounts|3001|- via -"),
            ("g/krakend.json", "\"host\": [\"http://accounts:3001\"]", "ref http|accounts|3001|- via -"),
        ] {
            assert_eq!(what(ALL, path, text).last().map(String::as_str), Some(wanted), "{path}");
        }
    }

    #[test]
    fn listeners_with_tls_count_where_there_are_no_others() {
        let site = |plain: &str| {
            format!(
                "server {{\n  listen 8443 ssl;\n{plain}  location / {{ proxy_pass http://api:80; }}\n}}\n"
            )
        };
        let ports = |text: &str| -> Vec<String> {
            let all = what(ALL, "web/site.conf", text);
            all.into_iter().filter(|line| line.starts_with("port")).collect()
        };
        assert_eq!(ports(&site("")), ["port 8443 FrameworkConfig"]);
        assert_eq!(ports(&site("  listen 8080;\n")), ["port 8080 FrameworkConfig"]);
    }

    #[test]
    fn whoever_is_scraped_listens() {
        let text = "scrape_configs:\n- job_name: a\n  metrics_path: /actuator/prometheus\n  static_configs:\n  - targets: ['accounts:8081']\n- job_name: b\n  static_configs:\n  - targets: [\"market:9100\", 'localhost:1']\n";
        assert_eq!(say(ALL, "m/prometheus.yml", text), ["5 prometheus-target [accounts] port 8081 Caller"]);
    }

    #[test]
    fn caddy_reads_variables() {
        assert_eq!(what(ALL, "g/Caddyfile", "  root {$BUCKET:files}"), ["env BUCKET files"]);
    }

    #[test]
    fn development_servers_have_ports() {
        assert_eq!(
            what(ALL, "w/vite.config.ts", "  server: { port: 3000 },"),
            ["port 3000 FrameworkDefault"]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(
            ALL,
            &[
                "a/nginx.conf",
                "a/Caddyfile",
                "a/envoy.yaml",
                "a/kong.yml",
                "a/vite.config.js",
                "a/haproxy.cfg",
                "a/prometheus.yml",
            ],
        );
    }
}
