//! What the names of Dockerfiles say: which are one, which word tells them apart, which are variants.

/// A Dockerfile's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DockerName {
    /// The words that name a service: `api` of `Dockerfile.api` and `api.dev.Dockerfile`.
    pub(super) stem: Option<String>,
    /// How well this one stands for its service: smaller is better.
    pub(super) rank: Rank,
}

/// Which of a service's Dockerfiles to take, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Plain,
    Production,
    Other,
    Development,
    /// For continuous integration, tests and the like: a service only where nothing else is.
    Aside,
}

/// Words that say for what a variant is.
const VARIANTS: &[(&str, Rank)] = &[
    ("aarch64", Rank::Other),
    ("alpine", Rank::Other),
    ("amd64", Rank::Other),
    ("arm", Rank::Other),
    ("arm64", Rank::Other),
    ("aws", Rank::Other),
    ("azure", Rank::Other),
    ("base", Rank::Aside),
    ("build", Rank::Aside),
    ("builder", Rank::Aside),
    ("ci", Rank::Aside),
    ("compile", Rank::Aside),
    ("compose", Rank::Production),
    ("cpu", Rank::Other),
    ("cuda", Rank::Other),
    ("debian", Rank::Other),
    ("debug", Rank::Development),
    ("dev", Rank::Development),
    ("deploy", Rank::Other),
    ("develop", Rank::Development),
    ("development", Rank::Development),
    ("distroless", Rank::Other),
    ("e2e", Rank::Aside),
    ("fast", Rank::Other),
    ("final", Rank::Production),
    ("fly", Rank::Other),
    ("gcp", Rank::Other),
    ("gpu", Rank::Other),
    ("heroku", Rank::Other),
    ("hot", Rank::Development),
    ("http", Rank::Other),
    ("https", Rank::Other),
    ("integration", Rank::Aside),
    ("jar", Rank::Other),
    ("jvm", Rank::Production),
    ("k8s", Rank::Other),
    ("legacy", Rank::Other),
    ("lint", Rank::Aside),
    ("local", Rank::Development),
    ("m1", Rank::Other),
    ("micro", Rank::Other),
    ("minimal", Rank::Other),
    ("mock", Rank::Aside),
    ("multi", Rank::Other),
    ("multiarch", Rank::Other),
    ("multistage", Rank::Other),
    ("native", Rank::Other),
    ("old", Rank::Other),
    ("orig", Rank::Other),
    ("original", Rank::Other),
    ("backup", Rank::Other),
    ("prebuilt", Rank::Other),
    ("prod", Rank::Production),
    ("production", Rank::Production),
    ("release", Rank::Production),
    ("scratch", Rank::Other),
    ("slim", Rank::Other),
    ("stage", Rank::Other),
    ("staging", Rank::Other),
    ("ssl", Rank::Other),
    ("standalone", Rank::Other),
    ("temp", Rank::Other),
    ("test", Rank::Aside),
    ("testing", Rank::Aside),
    ("tests", Rank::Aside),
    ("tmp", Rank::Other),
    ("ubuntu", Rank::Other),
    ("vite", Rank::Development),
    ("watch", Rank::Development),
    ("windows", Rank::Aside),
    ("x64", Rank::Other),
    ("x86", Rank::Other),
];

/// Words that say what an image does once, beside the service for which it does it.
const TASKS: &[&str] = &["migrate", "migration", "migrations", "migrator", "seed", "seeder"];

/// Ends of names that are no Dockerfile although they hold the word.
const FOREIGN: &[&str] = &[
    "adoc",
    "bak",
    "cs",
    "css",
    "dockerignore",
    "erb",
    "ex",
    "exs",
    "go",
    "html",
    "in",
    "j2",
    "java",
    "jinja",
    "jinja2",
    "js",
    "json",
    "jsx",
    "kt",
    "md",
    "mdx",
    "mustache",
    "orig",
    "patch",
    "php",
    "png",
    "py",
    "rb",
    "rs",
    "rst",
    "sh",
    "snap",
    "svelte",
    "svg",
    "swp",
    "template",
    "tf",
    "tmpl",
    "toml",
    "tpl",
    "ts",
    "tsx",
    "txt",
    "vue",
    "xml",
    "yaml",
    "yml",
];

/// Takes a file's name apart; `None` where it is no Dockerfile.
pub(super) fn docker_name(name: &str) -> Option<DockerName> {
    // Asked of every file: first without making a text.
    let bytes = name.as_bytes();
    let is_file = |at: usize| bytes[at..].get(..4).is_some_and(|four| four.eq_ignore_ascii_case(b"file"));
    if !memchr::memchr2_iter(b'f', b'F', bytes).any(is_file) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| matches!(*word, "dockerfile" | "containerfile"))?;
    // `my-dockerfile-notes`: the word stands first or last in the name of a Dockerfile.
    if words.len() > 1 && words.last().is_some_and(|last| FOREIGN.contains(last))
        || (at != 0 && at + 1 != words.len())
    {
        return None;
    }
    let extra = &words[..at].iter().chain(&words[at + 1..]).copied().collect::<Vec<_>>();
    let variants: Vec<Rank> = extra.iter().filter_map(|word| variant(word)).collect();
    let mut stem: Vec<&str> = extra.iter().filter(|word| variant(word).is_none()).copied().collect();
    let rank = variants.into_iter().max().unwrap_or(Rank::Plain);
    // `Dockerfile.e2e-runner`: these are no services that are tested.
    if rank == Rank::Aside {
        stem.retain(|word| !matches!(*word, "report" | "reports" | "runner" | "runners" | "suite"));
    }
    Some(DockerName { stem: (!stem.is_empty()).then(|| stem.join("-")), rank })
}

/// All words beside `Dockerfile` as one name, where some of them say for what a variant is and others do not; `None` where
/// they are about tests.
pub(super) fn whole(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(['.', '-', '_']);
    let words: Vec<&str> =
        words.filter(|word| !matches!(*word, "" | "dockerfile" | "containerfile")).collect();
    let variants = words.iter().filter(|word| variant(word).is_some()).count();
    let is_about_tests =
        words.iter().any(|word| matches!(*word, "e2e" | "lint" | "test" | "testing" | "tests"));
    (variants > 0 && variants < words.len() && !is_about_tests).then(|| words.join("-"))
}

/// What a word says about a variant; `None` for any other word. `jvm21` is a version of `jvm`.
pub(super) fn variant(word: &str) -> Option<Rank> {
    let of = |word: &str| VARIANTS.iter().find(|(known, _)| *known == word).map(|(_, rank)| *rank);
    of(word).or_else(|| of(word.trim_end_matches(|c: char| c.is_ascii_digit())))
}

/// What a service's name is without the task that its last word says: `users` of `users-migrations`, nothing of
/// `migrations`; `None` where it says none.
pub(super) fn without_task(stem: &str) -> Option<&str> {
    let (whose, last) = stem.rsplit_once('-').unwrap_or(("", stem));
    TASKS.contains(&last).then_some(whose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, stem, rank) in [
            ("Dockerfile", None, Rank::Plain),
            ("dockerfile", None, Rank::Plain),
            ("Containerfile", None, Rank::Plain),
            ("Dockerfile.dev", None, Rank::Development),
            ("dev.Dockerfile", None, Rank::Development),
            ("Dockerfile.api", Some("api"), Rank::Plain),
            ("api_gateway.Dockerfile", Some("api-gateway"), Rank::Plain),
            ("Dockerfile-orders.prod", Some("orders"), Rank::Production),
            ("Dockerfile.test", None, Rank::Aside),
            ("Dockerfile.native-micro", None, Rank::Other),
            ("Dockerfile.legacy-jar", None, Rank::Other),
            ("Dockerfile.fast-jar", None, Rank::Other),
            ("Dockerfile.jvm21", None, Rank::Production),
            ("Dockerfile.deploy-ci", None, Rank::Aside),
            ("Dockerfile.temp", None, Rank::Other),
            ("Dockerfile.flyway.M1.dev", Some("flyway"), Rank::Development),
            ("Dockerfile.e2e-runner", None, Rank::Aside),
            ("Dockerfile.runner", Some("runner"), Rank::Plain),
            ("Dockerfile.users-migrations", Some("users-migrations"), Rank::Plain),
        ] {
            let wanted = DockerName { stem: stem.map(str::to_owned), rank };
            assert_eq!(docker_name(name), Some(wanted), "{name}");
        }
        for name in [
            "Dockerfile.dockerignore",
            "dockerfile.go",
            "dockerfile-settings.tsx",
            "dockerfile.mdx",
            "Dockerfile.j2",
            "lint-dockerfile-rules",
            "README.md",
        ] {
            assert_eq!(docker_name(name), None, "{name}");
        }
    }
}
