//! Which Dockerfiles make images that others here are built FROM, found by the names that folders and build scripts give
//! them; decides nothing about services.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::super::dockerfile::Dockerfile;
use super::Roots;
use super::tags::{self, Tagged};
use super::{context, files};
use crate::discover::names::valid_name;
use crate::model::fact::{BaseFacts, Build, Image, Origin};
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Longer chains of images nobody builds.
const MAX_DEPTH: usize = 8;

/// Words of names that say that others are built from it.
const WORDS: &[&str] = &["base", "baseimage", "builder", "common", "foundation", "runtime", "shared"];

/// Registries that hold nothing of a repository's own.
const PUBLIC: &[&str] = &[
    "cgr.dev/",
    "docker.elastic.co/",
    "docker.io/library/",
    "gcr.io/distroless/",
    "library/",
    "mcr.microsoft.com/",
    "nvcr.io/",
    "public.ecr.aws/",
    "quay.io/",
    "registry.access.redhat.com/",
    "registry.redhat.io/",
];

/// What is called so everywhere, and comes from the registry.
const OFFICIAL: &[&str] = &[
    "almalinux",
    "alpine",
    "amazoncorretto",
    "amazonlinux",
    "bash",
    "buildpack-deps",
    "bun",
    "busybox",
    "caddy",
    "cassandra",
    "clojure",
    "composer",
    "consul",
    "couchdb",
    "dart",
    "debian",
    "deno",
    "docker",
    "dotnet",
    "drupal",
    "eclipse-mosquitto",
    "eclipse-temurin",
    "elasticsearch",
    "elixir",
    "erlang",
    "fedora",
    "flink",
    "fluentd",
    "gcc",
    "ghost",
    "golang",
    "gradle",
    "groovy",
    "haproxy",
    "haskell",
    "httpd",
    "ibmjava",
    "influxdb",
    "jenkins",
    "jetty",
    "jruby",
    "julia",
    "kibana",
    "kong",
    "logstash",
    "mariadb",
    "maven",
    "memcached",
    "mono",
    "mongo",
    "mysql",
    "nats",
    "neo4j",
    "nginx",
    "node",
    "openjdk",
    "oraclelinux",
    "perl",
    "php",
    "postgres",
    "pypy",
    "python",
    "r-base",
    "rabbitmq",
    "redis",
    "redmine",
    "registry",
    "rockylinux",
    "ruby",
    "rust",
    "sapmachine",
    "solr",
    "spark",
    "swift",
    "telegraf",
    "tomcat",
    "traefik",
    "ubuntu",
    "varnish",
    "vault",
    "wordpress",
    "zookeeper",
];

/// The images that Dockerfiles here make for others, by what FROM names.
#[derive(Debug, Default)]
pub(in crate::discover) struct Bases {
    made: BTreeMap<String, Made>,
    /// Dockerfiles from which others are built, not only copied out of.
    built_on: BTreeSet<RepoPath>,
}

/// A Dockerfile that makes an image for others.
#[derive(Debug, Clone)]
struct Made {
    file: RepoPath,
    dockerfile: Dockerfile,
    /// As a build script says it.
    context: Option<RepoPath>,
    target: Option<String>,
}

impl Bases {
    /// Looks for the makers of everything that `users` are built FROM.
    pub(super) fn of<'d>(
        repo: &Repo,
        roots: &Roots,
        users: impl Iterator<Item = (&'d RepoPath, &'d Dockerfile)>,
    ) -> Bases {
        let mut bases = Bases::default();
        let mut open: Vec<(RepoPath, Vec<String>, bool)> = Vec::new();
        for (file, dockerfile) in users {
            let origins = dockerfile.origins(&BTreeMap::new());
            open.push((file.clone(), origins.from, true));
            open.push((file.clone(), origins.copied, false));
        }
        let wanted = |references: &[String]| references.iter().any(|reference| may_be_ours(reference));
        if !open.iter().any(|(_, references, _)| wanted(references)) {
            return bases;
        }
        let makers = Makers::of(repo, roots);
        let mut depth = 0;
        while !open.is_empty() && depth < MAX_DEPTH {
            depth += 1;
            for (user, references, is_from) in std::mem::take(&mut open) {
                for reference in references.into_iter().filter(|reference| may_be_ours(reference)) {
                    let Some(made) =
                        bases.made.get(&reference).cloned().or_else(|| makers.find(repo, &reference))
                    else {
                        continue;
                    };
                    if made.file == user {
                        continue;
                    }
                    if is_from {
                        bases.built_on.insert(made.file.clone());
                    }
                    if let Entry::Vacant(free) = bases.made.entry(reference) {
                        let origins = made.dockerfile.origins(&BTreeMap::new());
                        open.push((made.file.clone(), origins.from, true));
                        open.push((made.file.clone(), origins.copied, false));
                        free.insert(made);
                    }
                }
            }
        }
        bases
    }

    /// The image behind what FROM names, with all that it inherits itself.
    pub(in crate::discover) fn image(&self, reference: &str) -> Option<Image> {
        self.image_at(reference, 0)
    }

    fn image_at(&self, reference: &str, depth: usize) -> Option<Image> {
        let made = self.made.get(reference).filter(|_| depth < MAX_DEPTH)?;
        let known = |reference: &str| self.image_at(reference, depth + 1);
        Some(made.dockerfile.image_on(made.target.as_deref(), &BTreeMap::new(), &known))
    }

    /// What a Dockerfile needs of the others.
    pub(in crate::discover) fn origins(
        &self,
        file: &RepoPath,
        dockerfile: &Dockerfile,
        args: &BTreeMap<String, String>,
    ) -> Vec<Origin> {
        let origins = dockerfile.origins(args);
        let of = |reference: String| {
            let made = self.made.get(&reference).filter(|made| made.file != *file)?;
            Some(Origin { reference, dockerfile: made.file.clone() })
        };
        origins.from.into_iter().chain(origins.copied).filter_map(of).collect()
    }

    /// Whether that Dockerfile makes nothing but what others are built from: it is called so, or starts no program of its
    /// own.
    pub(super) fn is_base(&self, file: &RepoPath, dockerfile: &Dockerfile) -> bool {
        if !self.built_on.contains(file) {
            return false;
        }
        let image = dockerfile.image(None, &BTreeMap::new());
        let starts = !image.command.is_empty() || !image.entrypoint.is_empty();
        is_called_base(file) || !starts || !dockerfile.copies_code()
    }

    /// The images that are built before those of the services, which are called otherwise; those that a service needs,
    /// and those that these need.
    pub(in crate::discover) fn needed(
        &self,
        repo: &Repo,
        services: &[(RepoPath, Vec<Origin>)],
    ) -> Vec<BaseFacts> {
        let is_service = |file: &RepoPath| services.iter().any(|(dockerfile, _)| dockerfile == file);
        let mut open: Vec<Origin> = services.iter().flat_map(|(_, origins)| origins.clone()).collect();
        let mut found: BTreeMap<RepoPath, BaseFacts> = BTreeMap::new();
        while let Some(origin) = open.pop() {
            if found.contains_key(&origin.dockerfile) || is_service(&origin.dockerfile) {
                continue;
            }
            let Some(made) = self.made.get(&origin.reference) else { continue };
            let image = made.dockerfile.image(None, &BTreeMap::new());
            let module = made.file.parent().unwrap_or_default();
            let context = made
                .context
                .clone()
                .unwrap_or_else(|| context::of(repo, &made.file, &module, &image, &made.dockerfile).0);
            let origins = self.origins(&made.file, &made.dockerfile, &BTreeMap::new());
            open.extend(origins.clone());
            let copied = image.copies.iter().filter(|(source, _)| !context::is_everything(source));
            let brings = copied.filter_map(|(source, _)| context.join(source)).collect();
            let build = Build { context, target: made.target.clone(), args: BTreeMap::new() };
            let name = valid_name(last_of(&origin.reference));
            let dockerfile = made.file.clone();
            found.insert(made.file.clone(), BaseFacts { name, dockerfile, build, origins, brings });
        }
        let mut all: Vec<BaseFacts> = found.into_values().collect();
        all.sort_by(|a, b| (&a.name, &a.dockerfile).cmp(&(&b.name, &b.dockerfile)));
        all
    }
}

/// The Dockerfiles by the names of what they make.
struct Makers {
    tagged: Vec<Tagged>,
    /// With the names that file and folder give it.
    files: Vec<(RepoPath, Vec<String>)>,
}

impl Makers {
    fn of(repo: &Repo, roots: &Roots) -> Makers {
        let named =
            repo.files().filter(|file| files::docker_name(file.name()).is_some() && !roots.excludes(file));
        let files: Vec<(RepoPath, Vec<String>)> = named.map(|file| (file.clone(), names(file))).collect();
        Makers { tagged: tags::of(repo, roots), files }
    }

    /// The one Dockerfile that makes it: what a build script says, else what file and folder are called.
    fn find(&self, repo: &Repo, reference: &str) -> Option<Made> {
        let name = last_of(reference);
        // What stops at a stage is called so as well, with a tag of its own.
        let said = self.tagged.iter().filter(|tagged| last_of(&tagged.reference) == name);
        let said = said.min_by_key(|tagged| (tagged.reference != reference, tagged.target.is_some()));
        if let Some(tagged) = said
            && let Some(dockerfile) = read(repo, &tagged.dockerfile)
        {
            let (file, context) = (tagged.dockerfile.clone(), Some(tagged.context.clone()));
            return Some(Made { file, dockerfile, context, target: tagged.target.clone() });
        }
        let is = |wanted: &dyn Fn(&String) -> bool| {
            let mut found = self.files.iter().filter(|(_, names)| names.iter().any(wanted));
            found.next().filter(|_| found.next().is_none()).map(|(file, _)| file.clone())
        };
        let valid = valid_name(name);
        let exact = is(&|known| *known == valid);
        // `shop-base` is what `docker/base/Dockerfile` makes, and `shop-assets:local` nobody but this machine.
        let is_local = reference.ends_with(":local");
        let ending = || {
            let ends = |known: &String| {
                let is_base = || known.split('-').any(|word| WORDS.contains(&word));
                (is_local || is_base()) && valid.ends_with(&format!("-{known}"))
            };
            is(&ends)
        };
        let file = exact.or_else(ending)?;
        let dockerfile = read(repo, &file)?;
        // Who stands on an image of that name himself makes another one.
        let own = dockerfile.origins(&BTreeMap::new()).from;
        if own.iter().any(|from| last_of(from) == name) {
            return None;
        }
        Some(Made { file, dockerfile, context: None, target: None })
    }
}

fn read(repo: &Repo, file: &RepoPath) -> Option<Dockerfile> {
    Dockerfile::parse(&repo.text(file).ok()?.text).ok()
}

/// `node-base` for `images/node-base/Dockerfile` and `node-base.Dockerfile`; `base` and `api-base` for
/// `api/Dockerfile.base`.
fn names(file: &RepoPath) -> Vec<String> {
    let lower = file.name().to_ascii_lowercase();
    let words =
        lower.split(['.', '-', '_']).filter(|word| !matches!(*word, "" | "dockerfile" | "containerfile"));
    let own = words.collect::<Vec<_>>().join("-");
    let folder = file.parent().filter(|folder| !folder.is_root()).map(|folder| valid_name(folder.name()));
    match (own.as_str(), folder) {
        ("", folder) => folder.into_iter().collect(),
        (own, Some(folder)) => vec![own.to_owned(), format!("{folder}-{own}"), format!("{own}-{folder}")],
        (own, None) => vec![own.to_owned()],
    }
}

fn is_called_base(file: &RepoPath) -> bool {
    names(file).iter().any(|name| name.split('-').any(|word| WORDS.contains(&word)))
}

/// `node-base` of `registry.example.org/shop/node-base:1`.
fn last_of(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or_default();
    last.split([':', '@']).next().unwrap_or_default()
}

/// Whether an image of that name can be one of this repository.
fn may_be_ours(reference: &str) -> bool {
    let is_public = PUBLIC.iter().any(|host| reference.starts_with(host));
    let is_official = !reference.contains('/') && OFFICIAL.contains(&last_of(reference));
    let is_template = reference.contains(['{', '<']);
    !(is_public || is_official || is_template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_builds_of_one_name_the_whole_image_is_meant() {
        let tree = "//- /Makefile\nbase:\n\tdocker build --tag shop/base:system --file ./images/base/Dockerfile --target system ./images/\n\
                    \tdocker build --tag $(OWNER)/base:$(TAG) --file ./images/base/Dockerfile ./images/\n\
                    //- /images/base/Dockerfile\nFROM debian AS system\nFROM system\nENV DB_HOST=db\n";
        let repo = Repo::from_fixture(tree);
        let makers = Makers::of(&repo, &Roots::default());
        let target = |reference: &str| makers.find(&repo, reference).and_then(|made| made.target);
        assert_eq!(target("shop/base:edge"), None);
        assert_eq!(target("shop/base:system").as_deref(), Some("system"));
    }

    #[test]
    fn image_of_this_machine_is_made_by_the_dockerfile_whose_name_ends_its_own() {
        let repo = Repo::from_fixture("//- /Dockerfile-assets\nFROM node\n//- /Dockerfile\nFROM node\n");
        let makers = Makers::of(&repo, &Roots::default());
        let file = |reference: &str| makers.find(&repo, reference).map(|made| made.file.to_string());
        assert_eq!(file("shop/web-assets:local").as_deref(), Some("Dockerfile-assets"));
        assert_eq!(file("shop/web-assets:1"), None);
        assert_eq!(file("shop/webassets:local"), None);
    }

    #[test]
    fn files_are_known_by_their_folder_and_their_own_words() {
        for (path, wanted) in [
            ("images/node-base/Dockerfile", "node-base"),
            ("docker/node-base.Dockerfile", "node-base docker-node-base node-base-docker"),
            ("api/Dockerfile.base", "base api-base base-api"),
            ("Dockerfile.base", "base"),
            ("Dockerfile", ""),
        ] {
            let path = RepoPath::new(path).expect("inside the root");
            assert_eq!(names(&path).join(" "), wanted, "{path}");
        }
    }

    #[test]
    fn what_every_registry_has_is_not_ours() {
        for (reference, ours) in [
            ("base", true),
            ("shop/base:1", true),
            ("localhost:5000/base", true),
            ("node:20", false),
            ("gcr.io/distroless/base", false),
            ("shop/node", true),
        ] {
            assert_eq!(may_be_ours(reference), ours, "{reference}");
        }
    }
}
