//! Reads the repository into facts with their evidence; decides nothing and touches the disk only through `repo`.

mod api_document;
mod assign;
mod config_keys;
mod deployment;
mod derive;
mod dockerfile;
pub mod documents;
mod elastic;
mod elsewhere;
mod env_file;
pub mod findings;
pub mod framework_conf;
mod glob;
mod idle_settings;
mod imports;
pub mod lang;
mod migrating;
mod migration_files;
mod mounts;
mod names;
pub mod placeholder;
mod ports;
mod procfile;
pub mod proxy_conf;
mod reach;
pub mod relaxed;
mod schema_file;
mod services;
mod start_script;
mod starters;
mod unused;
pub mod url;
mod used;
mod workspace;

pub use services::{RootBuilds, root_builds};

use std::collections::{BTreeMap, BTreeSet};

use self::imports::scripts::{self, Libraries};
use self::imports::{Imports, Modules};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::model::fact::{BaseFacts, ComponentFacts, Fact, Facts, ServiceFacts};
use crate::model::path::RepoPath;
use crate::model::problem::{Problem, Severity};
use crate::parallel::{both, each, in_parallel};
use crate::repo::{Buffer, MAX_FILE_BYTES, Repo, Unread};

/// One file, as a detector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it lies.
    pub path: &'a RepoPath,
    /// Its whole text.
    pub text: &'a str,
    /// To recognise infrastructure.
    pub catalog: &'a Catalog,
}

/// One rule or family of rules for one kind of file.
#[derive(Clone, Copy)]
pub struct Detector {
    /// For messages and tests: the file's name without `.rs`.
    pub name: &'static str,
    /// The extensions of what `wants` may take, `""` for names without a dot, so that most files are asked about by few
    /// detectors; empty where there is no such list.
    pub extensions: &'static [&'static str],
    /// Whether a file of that path is worth reading; must be cheap.
    pub wants: fn(&RepoPath) -> bool,
    /// Adds what the file says.
    pub read: fn(&Source<'_>, &mut Vec<Fact>),
}

impl Detector {
    /// Whether it may want files of that extension.
    fn is_for(&self, extension: &str) -> bool {
        self.extensions.is_empty() || self.extensions.contains(&extension)
    }
}

/// The detectors by the extensions of files.
struct Detectors {
    by_extension: BTreeMap<&'static str, Vec<&'static Detector>>,
    /// For all other extensions.
    any: Vec<&'static Detector>,
}

impl Detectors {
    /// All there are.
    fn all() -> Detectors {
        const OWN: &[Detector] = &[schema_file::SCHEMA, procfile::PROCFILE, migration_files::MIGRATIONS];
        let all =
            || [lang::ALL, documents::ALL, framework_conf::ALL, proxy_conf::ALL, OWN].into_iter().flatten();
        let of = |extension: &'static str| (extension, all().filter(|one| one.is_for(extension)).collect());
        Detectors {
            by_extension: all().flat_map(|one| one.extensions).map(|extension| of(extension)).collect(),
            any: all().filter(|one| one.extensions.is_empty()).collect(),
        }
    }

    /// Those that want a file, in the order of the lists.
    fn of(&self, path: &RepoPath) -> Vec<&'static Detector> {
        let asked = self.by_extension.get(path.extension()).unwrap_or(&self.any);
        asked.iter().filter(|one| (one.wants)(path)).copied().collect()
    }
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where to look, as far as `config.yaml` says.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Globs of service folders; empty means `workspace/code/*` where it exists, else everything.
    pub roots: Vec<String>,
    /// Globs of what to leave out.
    pub exclude: Vec<String>,
}

/// Everything the repository says.
///
/// # Errors
/// Where the tree itself cannot be read; single unreadable files become problems.
pub fn discover(repo: &Repo, catalog: &Catalog, scope: &Scope) -> Result<Facts> {
    let roots = services::Roots::of(repo, scope);
    let modules = Modules::of(repo);
    let libraries = Libraries::of(repo);
    let (read, built) = both(
        || read_files(repo, catalog, &roots, (&modules, &libraries)),
        || Built::from_dockerfiles(repo, catalog, &roots),
    );
    let Built { mut found, bases, deployed, tested } = built;
    let known = read.imports.into_iter().collect();
    let scripts = read.scripts.into_iter().collect();
    let sources =
        imports::Sources { repo, modules: &modules, bases: &bases, known, libraries: &libraries, scripts };
    let mut facts = read.facts;
    facts.extend(deployed);
    found.leave_out_collections(&mut facts);
    let orphans = assign::assign(&sources, catalog, &mut found.services, facts);
    services::settle_tasks(&mut found.services, catalog, &mut found.set_aside);
    elsewhere::settle(repo, catalog, &mut found.services);
    mounts::settle(repo, &mut found.services);
    used::settle(repo, catalog, &mut found.services);
    derive::derive(&mut found.services, catalog);
    each(&mut found.services, |service| assign::tidy(&mut service.facts));
    let mut problems = repo.problems().to_vec();
    problems.extend(migrating::settle(repo, &mut found.services));
    problems.extend(found.problems);
    // A Dockerfile is read for more than one reason; that it cannot be is said once.
    let said = |new: &Problem| new.code == "unreadable" && problems.iter().any(|known| known.at == new.at);
    let new: Vec<Problem> = read.problems.into_iter().filter(|new| !said(new)).collect();
    problems.extend(new);
    let services = &found.services;
    let (scenarios, apis) = both(|| scenarios(repo, services), || api_document::documents(repo, services));
    Ok(Facts {
        scenarios,
        apis,
        services: found.services,
        components: found.components,
        bases,
        tested,
        set_aside: found.set_aside,
        problems,
        orphans,
    })
}

/// What is known of the services before any file is read that is about more than building and starting them.
struct Built {
    found: services::Found,
    bases: Vec<BaseFacts>,
    /// What deployment files say.
    deployed: Vec<Fact>,
    /// The images of infrastructure against which the code is tested.
    tested: Vec<ComponentFacts>,
}

impl Built {
    fn from_dockerfiles(repo: &Repo, catalog: &Catalog, roots: &services::Roots) -> Built {
        let mut found = services::find(repo, catalog, roots);
        let deployed = deployment::read(repo, catalog, roots, &mut found);
        services::settle_started(repo, &mut found.services);
        services::settle_unstarted(repo, &mut found);
        services::add_workers(repo, &mut found);
        let own = in_parallel(found.services.iter().collect(), |service| {
            let mut facts =
                dockerfile::facts(&service.dockerfile, &service.image, service.command.as_deref());
            facts.extend(start_script::facts(repo, catalog, service));
            facts.extend(elastic::facts(repo, catalog, service));
            (services::inputs(repo, service), facts)
        });
        for (service, (inputs, facts)) in found.services.iter_mut().zip(own) {
            (service.inputs, service.facts) = (inputs, facts);
        }
        let origins = |service: &ServiceFacts| (service.dockerfile.clone(), service.origins.clone());
        let origins: Vec<_> = found.services.iter().map(origins).collect();
        let bases = name_bases(found.bases.needed(repo, &origins), &found);
        Built { found, bases, deployed, tested: deployment::tested(repo, catalog) }
    }
}

/// Gives each base a name that nothing else in the setup has.
fn name_bases(mut bases: Vec<BaseFacts>, found: &services::Found) -> Vec<BaseFacts> {
    let services = found.services.iter().map(|service| &service.name);
    let components = found.components.iter().map(|component| &component.name);
    let mut taken: BTreeSet<String> = services.chain(components).cloned().collect();
    for base in &mut bases {
        let plain = base.name.clone();
        let longer = (1..).map(|number| match number {
            1 => format!("{plain}-image"),
            number => format!("{plain}-image-{number}"),
        });
        let free = std::iter::once(plain.clone()).chain(longer).find(|name| !taken.contains(name));
        base.name = free.unwrap_or(plain);
        taken.insert(base.name.clone());
    }
    bases
}

/// Scenarios that people keep beside their code: `smoke/*.yaml` or `tests/smoke/*.yaml` in the root, in `workspace` or
/// in a service's folder. They go into the setup as they are.
fn scenarios(repo: &Repo, services: &[ServiceFacts]) -> Vec<(RepoPath, String)> {
    let is_home = |folder: &RepoPath| {
        folder.is_root()
            || folder.as_str() == "workspace"
            || services.iter().any(|service| service.path == *folder)
    };
    let is_scenario = |path: &&RepoPath| {
        let folder =
            path.parent().filter(|folder| folder.name() == "smoke").and_then(|folder| folder.parent());
        let home =
            folder.and_then(|folder| if folder.name() == "tests" { folder.parent() } else { Some(folder) });
        home.is_some_and(|home| is_home(&home))
    };
    let is_scenario = |path: &&RepoPath| matches!(path.extension(), "yaml" | "yml") && is_scenario(path);
    let text = |path: &RepoPath| Some((path.clone(), repo.text(path).ok()?.text));
    repo.files().filter(is_scenario).filter_map(text).filter(|(_, text)| text.contains("steps:")).collect()
}

/// What the files say that are no Dockerfiles.
#[derive(Default)]
struct Said {
    facts: Vec<Fact>,
    problems: Vec<Problem>,
    /// What sources import of their own modules.
    imports: Vec<(RepoPath, Imports)>,
    /// What scripts import from folders beside services.
    scripts: Vec<(RepoPath, Vec<scripts::Import>)>,
    /// Too large to be read.
    skipped: Vec<RepoPath>,
}

/// How many files one core takes at a time: enough that the cores rarely meet, few enough that they end together.
const FILES_AT_ONCE: usize = 64;

/// Reads each wanted file once.
fn read_files(
    repo: &Repo,
    catalog: &Catalog,
    scope: &services::Roots,
    origins: (&Modules, &Libraries),
) -> Said {
    let detectors = Detectors::all();
    let some: Vec<&[RepoPath]> = repo.files_in(&RepoPath::root()).chunks(FILES_AT_ONCE).collect();
    let read = in_parallel(some, |paths| {
        let mut said = Said::default();
        let (mut folder, mut buffer) = (Folder::default(), Buffer::default());
        for path in *paths {
            if let Some(wanted) = wanted(path, &detectors, scope, &mut folder) {
                read_file((repo, &mut buffer), catalog, &wanted, origins, &mut said);
            }
        }
        said
    });
    let facts = read.iter().map(|said| said.facts.len()).sum();
    let mut all = Said { facts: Vec::with_capacity(facts), ..Said::default() };
    for said in read {
        all.facts.extend(said.facts);
        all.problems.extend(said.problems);
        all.imports.extend(said.imports);
        all.scripts.extend(said.scripts);
        all.skipped.extend(said.skipped);
    }
    env_file::drop_weaker(&mut all.facts);
    all.problems.extend(too_large(&all.skipped));
    all
}

/// One note for all files that nobody is likely to miss.
fn too_large(skipped: &[RepoPath]) -> Option<Problem> {
    let first = skipped.first()?;
    let files = if skipped.len() == 1 { "1 file".to_owned() } else { format!("{} files", skipped.len()) };
    let message = format!("{files} of more than {} MiB not read", MAX_FILE_BYTES >> 20);
    Some(Problem::new("large-files", Severity::Note, message).at(first))
}

/// A file that somebody wants to read.
struct Wanted<'a> {
    path: &'a RepoPath,
    env: bool,
    detectors: Vec<&'static Detector>,
}

/// What was last found out about a folder: its files come one after the other.
#[derive(Default)]
struct Folder<'a> {
    path: Option<&'a str>,
    /// Hidden, or of tests.
    left_out: bool,
}

impl<'a> Folder<'a> {
    fn leaves_out(&mut self, path: &'a RepoPath) -> bool {
        let whole = path.as_str();
        let folder = &whole[..whole.len() - path.name().len()];
        if self.path != Some(folder) {
            self.path = Some(folder);
            self.left_out = services::is_test_folder(folder) || in_hidden_folder(path);
        }
        self.left_out
    }
}

fn wanted<'a>(
    path: &'a RepoPath,
    detectors: &Detectors,
    scope: &services::Roots,
    folder: &mut Folder<'a>,
) -> Option<Wanted<'a>> {
    if folder.leaves_out(path) {
        return None;
    }
    let env = env_file::rank(path).is_some();
    let detectors = detectors.of(path);
    if detectors.is_empty() && !env {
        return None;
    }
    // Of the folders above it that is known.
    if scope.excludes(path) || services::is_test_file(path.name()) {
        return None;
    }
    Some(Wanted { path, env, detectors })
}

/// Editors, package managers and continuous integration keep their files there; what lies beside Dockerfiles counts.
fn in_hidden_folder(path: &RepoPath) -> bool {
    path.parent().is_some_and(|folder| {
        folder.parts().any(|part| part.starts_with('.') && !services::holds_images(part))
    })
}

fn read_file(
    (repo, buffer): (&Repo, &mut Buffer),
    catalog: &Catalog,
    wanted: &Wanted<'_>,
    (modules, libraries): (&Modules, &Libraries),
    said: &mut Said,
) {
    let text = match repo.text_of_listed(wanted.path, buffer) {
        Ok(text) => {
            // In sources such bytes are mostly comments; a value would be handed on with them.
            said.problems.extend(text.damaged.filter(|_| wanted.env).map(|line| not_utf8(wanted.path, line)));
            text.text
        }
        Err(why) => {
            said.problems.extend(unread(wanted, &why));
            let quiet = !wanted.env && matches!(why, Unread::TooLarge(_));
            said.skipped.extend(quiet.then(|| wanted.path.clone()));
            return;
        }
    };
    // Detectors look back at what was found in the same file.
    let mut facts = Vec::new();
    if wanted.env {
        env_file::read(wanted.path, &text, &mut facts, &mut said.problems);
    }
    let source = Source { path: wanted.path, text: &text, catalog };
    for detector in &wanted.detectors {
        (detector.read)(&source, &mut facts);
    }
    said.facts.append(&mut facts);
    if imports::is_source(wanted.path) {
        said.imports.push((wanted.path.clone(), Imports::of(repo, modules, wanted.path, &text)));
    }
    let scripts = libraries.imports(repo, wanted.path, &text);
    if !scripts.is_empty() {
        said.scripts.push((wanted.path.clone(), scripts));
    }
}

fn unread(wanted: &Wanted<'_>, why: &Unread) -> Option<Problem> {
    // Large or binary files with a source file's name are generated; nobody misses what stands in them.
    if !wanted.env && matches!(why, Unread::TooLarge(_) | Unread::Binary | Unread::Missing) {
        return None;
    }
    let problem = Problem::new("unreadable", Severity::Warning, format!("a file is not read: {why}"))
        .at(wanted.path)
        .fix("mend it, or leave it out with `services.exclude` in `config.yaml`");
    Some(problem)
}

fn not_utf8(path: &RepoPath, line: u32) -> Problem {
    Problem::new("not-utf8", Severity::Warning, "bytes that are not UTF-8 are read as `\u{fffd}`")
        .at(format!("{path}:{line}"))
        .fix("save the file as UTF-8")
}
