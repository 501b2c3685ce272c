//! Health check commands that work in the image at hand, without curl on faith; pure.

use std::collections::BTreeSet;

use crate::model::fact::{HealthKind, Image, ImageHealth, ServiceFacts, What};

/// The folder at which the static busybox is mounted where an image has no tool of its own.
pub(crate) const PROBE_FOLDER: &str = "/xtask-probe";

/// Static in every build (the default `busybox:1.37` is linked against its own C library and runs nowhere else).
pub(crate) const PROBE_IMAGE: &str = "busybox:1.37-musl";

/// What can be run in an image to ask a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Node,
    Python,
    Php,
    Ruby,
    /// The applets `wget` and `nc`; this one with `-z`.
    Alpine,
    /// The same as the image `busybox` has them: its `nc` has no `-z`.
    Busybox,
    Curl,
    Wget,
    /// Nothing: the mounted busybox.
    Mounted,
}

/// A command for `healthcheck.test`, and whether it needs the mounted busybox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) test: Vec<String>,
    pub(crate) mounted: bool,
}

/// The image's own check, unless it names a build argument: the builder leaves HEALTHCHECK as it is, and in a container
/// there is no such variable.
pub(crate) fn own(facts: &ServiceFacts) -> Option<&ImageHealth> {
    let image = &facts.image;
    let check = image.healthcheck.as_ref()?;
    let code = facts.facts.iter().filter(|fact| fact.at.path != facts.dockerfile);
    let known: BTreeSet<&String> = code
        .filter_map(|fact| match &fact.what {
            What::EnvRead { name, .. } | What::EnvValue { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    let names = |name: &String| {
        let is_named = |word: &String| word.contains(&format!("${{{name}}}"));
        check.test.iter().any(is_named)
            && image.env.iter().all(|(known, ..)| known != name)
            && !known.contains(name)
    };
    (!image.args.iter().any(|(name, ..)| names(name))).then_some(check)
}

/// The command that asks `port` in a container of `image`; `None` for kinds that are not asked over a port.
pub(crate) fn check(image: &Image, kind: &HealthKind, port: u16, path: &str) -> Option<Check> {
    let tool = tool(image);
    let words = match kind {
        HealthKind::Http => http(tool, port, path),
        // There is no gRPC client in any base image: a connection is what can be seen from inside.
        HealthKind::Tcp | HealthKind::Grpc => tcp(tool, port),
        HealthKind::Command | HealthKind::Process => return None,
    };
    let mounted = words.first().is_some_and(|program| program.starts_with(PROBE_FOLDER));
    let test = std::iter::once("CMD".to_owned()).chain(words).collect();
    Some(Check { test, mounted })
}

/// The best tool of an image, from its base and from what its final stages install. Checked in the built image by `up`.
fn tool(image: &Image) -> Tool {
    let name = image.base.split('@').next().unwrap_or_default();
    let (name, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((name, ""));
    let last = name.rsplit('/').next().unwrap_or_default();
    let installed = |package: &str| image.installs.iter().any(|name| name == package);
    let bare = name == "scratch"
        || name.contains("distroless")
        || name.contains("chainguard")
        || name.starts_with("cgr.dev");
    if bare {
        return Tool::Mounted;
    }
    match last {
        "node" => return Tool::Node,
        "python" => return Tool::Python,
        "php" => return Tool::Php,
        "ruby" => return Tool::Ruby,
        _ => {}
    }
    if installed("nodejs") {
        return Tool::Node;
    }
    if installed("python3") {
        return Tool::Python;
    }
    if last == "busybox" {
        return Tool::Busybox;
    }
    if last == "alpine" || tag.contains("alpine") {
        return Tool::Alpine;
    }
    if installed("curl") {
        return Tool::Curl;
    }
    if installed("wget") {
        return Tool::Wget;
    }
    // Kept in these images on purpose, say their maintainers; slim variants have none.
    let slim = tag.contains("slim");
    match last {
        "golang" | "rust" | "buildpack-deps" if !slim && !tag.contains("scm") => Tool::Curl,
        "eclipse-temurin" | "nginx" => Tool::Curl,
        _ => Tool::Mounted,
    }
}

fn http(tool: Tool, port: u16, path: &str) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}{path}");
    match tool {
        Tool::Node => script(
            "node",
            "-e",
            format!(
                "require('http').get('{url}', r => {{ console.log('HTTP', r.statusCode); process.exit(r.statusCode < 400 ? 0 : 1) }})\
                 .on('error', e => {{ console.log(e.message); process.exit(1) }})"
            ),
        ),
        Tool::Python => script(
            "python3",
            "-c",
            format!(
                "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', {port}, timeout=2); \
                 c.request('GET', '{path}'); s = c.getresponse().status; print('HTTP', s); sys.exit(s >= 400)"
            ),
        ),
        Tool::Php => script("php", "-r", format!("exit(@file_get_contents('{url}') === false ? 1 : 0);")),
        Tool::Ruby => script(
            "ruby",
            "-rnet/http",
            format!("-eexit Net::HTTP.get_response(URI('{url}')).code.to_i < 400"),
        ),
        Tool::Alpine | Tool::Busybox | Tool::Wget => {
            words(&["wget", "-q", "-T", "2", "-O", "/dev/null", &url])
        }
        Tool::Curl => words(&["curl", "-fsS", "-m", "2", "-o", "/dev/null", &url]),
        Tool::Mounted => {
            words(&[&format!("{PROBE_FOLDER}/busybox"), "wget", "-q", "-T", "2", "-O", "/dev/null", &url])
        }
    }
}

fn tcp(tool: Tool, port: u16) -> Vec<String> {
    let port = port.to_string();
    match tool {
        Tool::Node => script(
            "node",
            "-e",
            format!(
                "require('net').connect({port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"
            ),
        ),
        Tool::Python => script(
            "python3",
            "-c",
            format!("import socket; socket.create_connection(('127.0.0.1', {port}), 2)"),
        ),
        Tool::Php => script("php", "-r", format!("exit(@fsockopen('127.0.0.1', {port}) ? 0 : 1);")),
        Tool::Ruby => script("ruby", "-rsocket", format!("-eTCPSocket.new('127.0.0.1', {port})")),
        Tool::Alpine => words(&["nc", "-z", "-w", "2", "127.0.0.1", &port]),
        Tool::Busybox => words(&["nc", "-w", "2", "127.0.0.1", &port, "-e", "true"]),
        // curl speaks no plain TCP that ends by itself, and wget none at all.
        Tool::Curl | Tool::Wget | Tool::Mounted => {
            let busybox = format!("{PROBE_FOLDER}/busybox");
            words(&[&busybox, "nc", "-w", "2", "127.0.0.1", &port, "-e", &busybox, "true"])
        }
    }
}

/// A program of a language that is given as an argument.
fn script(program: &str, flag: &str, text: String) -> Vec<String> {
    vec![program.to_owned(), flag.to_owned(), text]
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether the image brings an init of its own, which has to be process 1 (or makes ours needless).
pub(crate) fn has_init(image: &Image) -> bool {
    let inits = ["tini", "dumb-init", "s6-svscan", "init", "catatonit", "docker-init", "my_init"];
    let starts = image.entrypoint.first().or(image.command.first());
    let program = starts.and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    inits.contains(&program) || ["s6-overlay", "baseimage"].iter().any(|name| image.base.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(base: &str, installs: &[&str]) -> String {
        let image = Image {
            base: base.to_owned(),
            installs: installs.iter().map(|name| (*name).to_owned()).collect(),
            ..Image::default()
        };
        check(&image, &HealthKind::Http, 8080, "/health").expect("HTTP is asked").test[1].clone()
    }

    #[test]
    fn each_image_gets_a_tool_that_it_has() {
        let table = [
            ("node:20-slim", "node"),
            ("docker.io/library/python:3.13-slim@sha256:00", "python3"),
            ("golang:1.24-alpine", "wget"),
            ("alpine", "wget"),
            ("debian:bookworm-slim", "/xtask-probe/busybox"),
            ("scratch", "/xtask-probe/busybox"),
            ("gcr.io/distroless/nodejs20-debian12", "/xtask-probe/busybox"),
            ("localhost:5000/node:18", "node"),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", "/xtask-probe/busybox"),
            ("eclipse-temurin:21-jre", "curl"),
        ];
        for (base, program) in table {
            assert_eq!(first(base, &[]), program, "{base}");
        }
        assert_eq!(first("debian:bookworm-slim", &["curl"]), "curl");
    }

    #[test]
    fn a_tcp_check_asks_nc_for_nothing_that_this_one_lacks() {
        for (base, wanted) in [
            ("alpine:3.22", "CMD nc -z -w 2 127.0.0.1 9000"),
            ("golang:1.24-alpine", "CMD nc -z -w 2 127.0.0.1 9000"),
            ("busybox:1.37-musl", "CMD nc -w 2 127.0.0.1 9000 -e true"),
        ] {
            let image = Image { base: base.into(), ..Image::default() };
            let check = check(&image, &HealthKind::Tcp, 9000, "").expect("TCP is asked");
            assert_eq!((check.test.join(" ").as_str(), check.mounted), (wanted, false));
        }
    }

    #[test]
    fn a_tcp_check_without_tools_uses_the_mounted_busybox() {
        let image = Image { base: "debian:12".into(), installs: vec!["curl".into()], ..Image::default() };
        let check = check(&image, &HealthKind::Tcp, 50051, "").expect("TCP is asked");
        assert!(check.mounted);
        assert_eq!(check.test[1..3], ["/xtask-probe/busybox", "nc"]);
    }
}
