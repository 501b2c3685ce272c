//! Which Dockerfiles look like a service and are none, with the reason; sees names, base images and paths only.

use super::files::{DockerName, Rank};
use super::{context, language};
use crate::model::fact::{Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// The reason for folders of templates.
pub(in crate::discover) const TEMPLATE: &str = "a template";

/// Hidden folders in which many keep the Dockerfiles of their services, and a proxy with its configuration.
const DOCKER: &[&str] = &[".caddy", ".docker", ".dockerfiles", ".httpd", ".nginx", ".proxy"];

/// Whether a folder's name is that of a hidden one with Dockerfiles of the product.
pub(in crate::discover) fn holds_images(name: &str) -> bool {
    DOCKER.contains(&name)
}

/// The reason for images in which a machine tries the code; others may lie beside them.
pub(super) const INTEGRATION: &str = "continuous integration";

/// The reason for images that hold no code and are called after development.
pub(super) const MOUNTED: &str = "for development, with the code mounted into it";

/// The reason for images of which the sources are elsewhere.
pub(super) const NOTHING_HERE: &str = "what it is built from is not here";

/// The reason for images of a whole system.
pub(super) const ALL_IN_ONE: &str = "an image that holds all services in one";

/// The reason for images that run nothing themselves.
pub(super) const BASE: &str = "the base of other images";

/// Whether a name says so.
pub(super) fn is_all_in_one(name: &str) -> bool {
    matches!(name, "aio" | "all-in-one" | "all_in_one" | "allinone")
}

/// Folders whose images only serve the development of others.
const FOLDERS: &[(&str, &[&str])] = &[
    (
        "end-to-end tests",
        &["e2e", "e2e-tests", "e2e_tests", "cypress", "playwright", "acceptance", "acceptance-tests"],
    ),
    (
        "a load generator",
        &[
            "benchmark",
            "benchmarks",
            "gatling",
            "jmeter",
            "k6",
            "load-gen",
            "load-generator",
            "load-test",
            "load-tests",
            "loadgen",
            "loadgenerator",
            "loadtest",
            "loadtests",
            "locust",
            "performance-tests",
            "stress-test",
        ],
    ),
    (
        "tests",
        &[
            "__fixtures__",
            "__mocks__",
            "__tests__",
            "fixtures",
            "integration-test",
            "integration-tests",
            "mocks",
            "test",
            "test-fixtures",
            "test-runner",
            "test-runners",
            "testdata",
            "tests",
        ],
    ),
    (INTEGRATION, &["buildkite", "ci", "jenkins"]),
    (TEMPLATE, &["cookiecutter", "skeleton", "template", "templates"]),
];

/// Folders of development containers; hidden, but worth a reason of their own.
const DEV_CONTAINERS: &[&str] = &[".devcontainer", ".gitpod", ".codespaces", "devcontainer"];

/// Why a Dockerfile at that path is no service.
pub(super) fn by_path(file: &RepoPath, name: &DockerName) -> Option<&'static str> {
    if let Some(reason) = file.parent().as_ref().and_then(hidden_or_test) {
        return Some(reason);
    }
    let stem = name.stem.as_deref().unwrap_or_default();
    if is_all_in_one(stem) || file.parts().any(is_all_in_one) {
        return Some(ALL_IN_ONE);
    }
    if matches!(stem, "gitpod" | "devcontainer" | "devbox") {
        return Some("a development container");
    }
    let words = file.name().to_ascii_lowercase();
    if !stem.is_empty() && words.split(['.', '-', '_']).any(|word| word == "base") {
        return Some(BASE);
    }
    (name.rank == Rank::Aside && stem.is_empty()).then_some("for tests, builds or continuous integration")
}

/// Why nothing in that folder is a service.
pub(in crate::discover) fn hidden_or_test(folder: &RepoPath) -> Option<&'static str> {
    let mut parts = folder.parts().peekable();
    while let Some(part) = parts.next() {
        if DEV_CONTAINERS.contains(&part) {
            return Some("a development container");
        }
        if part.starts_with('.') && !holds_images(part) {
            return Some("in a hidden folder");
        }
        // `Services/Test/Test.API` is about tests as `Services/Orders/Orders.API` is about orders.
        let is_subject = |below: &&str| {
            below.strip_prefix(part).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
        };
        if parts.peek().is_some_and(is_subject) {
            continue;
        }
        let lower = part.to_ascii_lowercase();
        if let Some((reason, _)) = FOLDERS.iter().find(|(_, names)| names.contains(&lower.as_str())) {
            return Some(reason);
        }
    }
    None
}

/// Why a Dockerfile at that path, of the code in `home`, is no service where others are.
pub(super) fn example(file: &RepoPath, home: &RepoPath) -> Option<&'static str> {
    if file
        .parts()
        .any(|part| part.to_ascii_lowercase().split(['.', '-', '_']).any(|word| word == "storybook"))
    {
        return Some("documentation of components");
    }
    let folder = file.parent()?;
    folder.parts().find_map(|part| match part.to_ascii_lowercase().as_str() {
        "example" | "examples" | "sample" | "samples" | "demo" | "demos" | "docs" | "playground" => {
            Some("an example")
        }
        "hack" | "tool" | "tools" | "tooling" | "scripts" | "dev-tools" | "devtools" => {
            // `scripts/docker/Dockerfile.orders` may build what lies in `services/orders`.
            let is_elsewhere = !home.is_root() && !home.parts().any(|other| other == part);
            (!is_elsewhere).then_some("a tool")
        }
        _ => None,
    })
}

/// Images of what looks at the machine and its containers, and asks nothing of the system.
const COLLECTORS: &[&str] = &[
    "beats/",
    "cadvisor",
    "datadog/agent",
    "elastic-agent",
    "filebeat",
    "fluent-bit",
    "fluentd",
    "grafana/alloy",
    "logspout",
    "node-exporter",
    "node_exporter",
    "promtail",
    "telegraf",
];

/// Why an image of that base is no service.
pub(super) fn by_image(image: &Image) -> Option<&'static str> {
    let name = image.base.split(['@', ':']).next().unwrap_or_default();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.contains(prefix));
    if is_all_in_one(name.rsplit('/').next().unwrap_or_default()) {
        Some(ALL_IN_ONE)
    } else if starts(&["locustio/locust", "grafana/k6", "loadimpact/k6", "jmeter", "gatling"]) {
        Some("a load generator")
    } else if starts(&["cypress/", "playwright", "postman/newman", "selenium/", "testcafe"]) {
        Some("end-to-end tests")
    } else if starts(&["devcontainers/", "vscode/devcontainers", "gitpod/workspace"]) {
        Some("a development container")
    } else if starts(&["emscripten/emsdk"]) {
        Some("it builds something for a browser")
    } else if starts(COLLECTORS) {
        Some("it collects what the machine's containers say")
    } else {
        None
    }
}

/// Whether an image starts a database server and programs beside it: a whole system in one container.
pub(super) fn holds_a_system(image: &Image) -> bool {
    const SERVERS: &[&str] = &[
        "redis",
        "redis-server",
        "valkey",
        "postgresql",
        "mysql-server",
        "mariadb-server",
        "rabbitmq-server",
        "mongodb-org",
    ];
    const SUPERVISORS: &[&str] = &["supervisor", "s6", "s6-overlay", "runit"];
    let installs = |names: &[&str]| image.installs.iter().any(|package| names.contains(&package.as_str()));
    installs(SERVERS) && installs(SUPERVISORS)
}

/// Whether an image only starts a tool of deployment, with nothing of the repository in it.
pub(super) fn is_tool_of_deployment(image: &Image) -> bool {
    const TOOLS: &[&str] = &[
        "ansible",
        "ansible-playbook",
        "docker",
        "docker-compose",
        "gcloud",
        "helm",
        "kubectl",
        "terraform",
    ];
    let program = image.entrypoint.first().or(image.command.first());
    image.copies.is_empty()
        && program.is_some_and(|word| TOOLS.contains(&word.rsplit('/').next().unwrap_or_default()))
}

/// Whether an image of a server starts something else than the server: a client that loads data, or a script in a
/// folder that is called after such work.
pub(super) fn loads_data(image: &Image, folder: &RepoPath) -> bool {
    const CLIENTS: &[&str] = &[
        "mongoimport",
        "mongorestore",
        "mongosh",
        "psql",
        "pg_restore",
        "mysqlimport",
        "redis-cli",
        "cqlsh",
        "cypher-shell",
    ];
    const WORK: &[&str] = &["seed", "import", "migrat"];
    let command = image.start().map(String::as_str).collect::<Vec<_>>().join(" ");
    let calls = |client: &&str| {
        command.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).any(|word| word == *client)
    };
    let folder = folder.name().to_ascii_lowercase();
    CLIENTS.iter().any(calls) || !command.is_empty() && WORK.iter().any(|work| folder.contains(work))
}

/// Whether a folder holds no code, and a manifest that is copied from it is nowhere, or nothing is of what is copied:
/// whatever its image is built from lies in another repository, or somebody has to build it before.
pub(super) fn lacks_its_code(repo: &Repo, folder: &RepoPath, context: &RepoPath, image: &Image) -> bool {
    let is_nowhere = |source: &str| !source.contains(['*', '$']) && !context::exists(repo, context, source);
    let mut copies = image.copies.iter().map(|(source, _)| source.as_str());
    let is_missing = |source: &str| language::is_manifest(source) && is_nowhere(source);
    !folder.is_root()
        && !language::has_code(repo, folder)
        && (copies.clone().any(is_missing) || !image.copies.is_empty() && copies.all(is_nowhere))
}

/// Whether an image is made of a folder without code of its own, whose programs all have images of their own; its command
/// starts none that has not. `homes` are the folders of all services.
pub(super) fn collects(repo: &Repo, service: &ServiceFacts, homes: &[RepoPath]) -> bool {
    let home = &service.path;
    let is_below = |folder: &RepoPath| folder.depth() == home.depth() + 1 && folder.is_in(home);
    let own = repo.files_in(home).iter().filter(|file| file.depth() == home.depth() + 1);
    let is_code = |file: &RepoPath| language::is_source(file) || language::is_manifest(file.name());
    let copies_all = service.image.copies.iter().any(|(source, _)| context::is_everything(source));
    if home.is_root() || !copies_all || own.into_iter().any(is_code) {
        return false;
    }
    let (with, without): (Vec<&RepoPath>, Vec<&RepoPath>) = repo
        .folders_in(home)
        .iter()
        .filter(|folder| is_below(folder))
        .partition(|folder| homes.contains(folder));
    let words = || service.image.start();
    let starts = |folder: &&RepoPath| {
        let name = folder.name();
        words().any(|word| word.split(['/', '.', ' ', ':']).any(|part| part == name))
    };
    with.len() > 1 && words().next().is_some() && !without.iter().any(starts)
}

/// Whether an image is the product of a build of code from here, which another stage made: images in which a machine tries
/// the code bring its tools instead.
pub(super) fn holds_a_product(image: &Image) -> bool {
    let of_stage = |from: &String| {
        image.stages.contains(from) || from.parse::<usize>().is_ok_and(|at| at < image.stages.len())
    };
    let copies_code =
        image.copies.iter().any(|(source, _)| context::is_everything(source) || source.ends_with('/'));
    copies_code && image.brought.iter().any(|one| of_stage(&one.from))
}

/// Whether an image stands on nothing but a system or a compiler, and so starts nothing by itself.
pub(super) fn is_bare(image: &Image) -> bool {
    const BARE: &[&str] = &[
        "alpine",
        "almalinux",
        "buildpack-deps",
        "busybox",
        "debian",
        "eclipse-temurin",
        "fedora",
        "gcc",
        "golang",
        "gradle",
        "maven",
        "node",
        "openjdk",
        "python",
        "ruby",
        "rust",
        "rockylinux",
        "scratch",
        "sdk",
        "ubuntu",
        "elixir",
        "erlang",
    ];
    let name = image.base.split(['@', ':']).next().unwrap_or_default();
    BARE.contains(&name.rsplit('/').next().unwrap_or_default()) && image.expose.is_empty()
}
