//! The services by everything that they can be called, so that a name is looked up and not compared with all; pure.

use std::collections::BTreeMap;

use crate::model::fact::What;
use crate::model::inventory::Role;
use crate::model::path::RepoPath;

use super::address::core;
use super::draft::Draft;
use super::names::folded;

/// Positions of services by their names, aliases, folders and ports.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    services: &'a [Draft<'a>],
    names: BTreeMap<&'a str, usize>,
    /// Names as [`folded`].
    exact: BTreeMap<String, Called>,
    /// Names, folders and aliases as [`folded`].
    called: BTreeMap<String, Called>,
    /// All positions of those that share one of these.
    shared: BTreeMap<String, Vec<usize>>,
    /// The same by their [`core`].
    cores: BTreeMap<String, Called>,
    /// The same by the singular of their [`core`].
    singulars: BTreeMap<String, Called>,
    /// Those that are called after a language too, by the rest of their names.
    spoken: BTreeMap<String, Called>,
    ports: BTreeMap<u16, Called>,
    /// By ports on a developer's machine.
    development: BTreeMap<u16, Called>,
    gateway: Option<Called>,
    /// Those that answer requests with anything but pages.
    server: Option<Called>,
}

/// Who is called so: the first, and whether others are too.
#[derive(Debug, Clone, Copy)]
struct Called {
    first: usize,
    by_others: bool,
}

impl Called {
    fn only(self) -> Option<usize> {
        (!self.by_others).then_some(self.first)
    }
}

impl<'a> Known<'a> {
    /// Of all services.
    pub(crate) fn new(services: &'a [Draft<'a>]) -> Self {
        let mut known = Known {
            services,
            names: BTreeMap::new(),
            exact: BTreeMap::new(),
            called: BTreeMap::new(),
            shared: BTreeMap::new(),
            cores: BTreeMap::new(),
            singulars: BTreeMap::new(),
            spoken: BTreeMap::new(),
            ports: BTreeMap::new(),
            development: BTreeMap::new(),
            gateway: None,
            server: None,
        };
        for (at, service) in services.iter().enumerate() {
            let facts = service.facts;
            known.names.entry(&facts.name).or_insert(at);
            note(&mut known.exact, folded(&facts.name), at);
            let names = [facts.name.as_str(), facts.path.name()].into_iter();
            for name in names.chain(facts.aliases.iter().map(String::as_str)) {
                let word = folded(name);
                if let Some(first) =
                    known.called.get(&word).map(|called| called.first).filter(|first| *first != at)
                {
                    let all = known.shared.entry(word.clone()).or_insert_with(|| vec![first]);
                    if all.last() != Some(&at) {
                        all.push(at);
                    }
                }
                note(&mut known.called, word, at);
                note(&mut known.cores, core(name), at);
                note(&mut known.singulars, singular(&core(name)), at);
                if let Some(rest) = without_language(name) {
                    note(&mut known.spoken, core(rest), at);
                }
            }
            if service.role == Role::Gateway {
                let only = Called { first: at, by_others: false };
                known.gateway = Some(known.gateway.map_or(only, |first| Called { by_others: true, ..first }));
            }
            if matches!(service.role, Role::Service | Role::Gateway) && !service.ports.is_empty() {
                let only = Called { first: at, by_others: false };
                known.server = Some(known.server.map_or(only, |first| Called { by_others: true, ..first }));
            }
            for port in &service.ports {
                note(&mut known.ports, port.container, at);
            }
            for fact in &facts.facts {
                if let What::DevelopmentPort { port } = fact.what {
                    note(&mut known.development, port, at);
                }
            }
            // Where `config.yaml` says another port, others still call the one that the repository says.
            for fact in facts.facts.iter().filter(|_| service.wanted.port.is_some()) {
                if let What::Port { port, .. } = &fact.what {
                    note(&mut known.ports, *port, at);
                }
            }
        }
        known
    }

    /// The service of that very name.
    pub(crate) fn named(&self, name: &str) -> Option<&'a str> {
        self.names.get(name).and_then(|at| self.name(*at))
    }

    /// The service of that name, however it is written.
    pub(crate) fn exactly(&self, text: &str) -> Option<&'a str> {
        self.name(self.exact.get(&folded(text))?.first)
    }

    /// Whether the service of that name is a frontend.
    pub(crate) fn is_frontend(&self, name: &str) -> bool {
        let service = self.names.get(name).and_then(|at| self.services.get(*at));
        service.is_some_and(|service| service.role == Role::Frontend)
    }

    /// The service that a word means: by its name, else by an alias or its folder if only one has it, else by the same
    /// without the words that people leave out, else by the one as the other's plural, else without its language.
    pub(crate) fn meant(&self, text: &str) -> Option<&'a str> {
        let wanted = folded(text);
        let found = self.exact.get(&wanted).map(|called| called.first);
        let found = found.or_else(|| self.called.get(&wanted)?.only());
        let found = found.or_else(|| self.cores.get(&core(text))?.only());
        let found = found.or_else(|| self.singulars.get(&singular(&core(text)))?.only());
        self.name(found.or_else(|| self.spoken.get(&core(text))?.only())?)
    }

    /// Of several services that have the word as their name, alias or folder, the one that lies nearest to `beside`: each
    /// chapter of a course has its own system.
    pub(crate) fn nearest(&self, text: &str, beside: &RepoPath) -> Option<&'a str> {
        let common = |at: &usize| {
            let path = self.services.get(*at).map(|service| &service.facts.path);
            path.map_or(0, |path| path.parts().zip(beside.parts()).take_while(|(a, b)| a == b).count())
        };
        let mut near: Vec<(usize, usize)> =
            self.shared.get(&folded(text))?.iter().map(|at| (common(at), *at)).collect();
        near.sort_by(|a, b| b.cmp(a));
        let ((depth, at), (next, _)) = (near.first()?, near.get(1)?);
        self.name(*at).filter(|_| depth > next)
    }

    /// The first service that has the word as its name, alias or folder.
    pub(crate) fn first_called(&self, text: &str) -> Option<&'a str> {
        self.name(self.called.get(&folded(text))?.first)
    }

    /// The only service that has the word as its name, alias or folder.
    pub(crate) fn only_called(&self, text: &str) -> Option<&'a str> {
        self.name(self.called.get(&folded(text))?.only()?)
    }

    /// The only service that answers there on the machine of the one who develops it, else the only one with that port.
    pub(crate) fn with_port(&self, port: u16) -> Option<&'a str> {
        self.name(self.ports.get(&port)?.only()?)
    }

    /// The only service that listens there on a developer's machine.
    pub(crate) fn developed_on(&self, port: u16) -> Option<&'a str> {
        self.name(self.development.get(&port)?.only()?)
    }

    /// The only gateway.
    pub(crate) fn only_gateway(&self) -> Option<&'a str> {
        self.name(self.gateway?.only()?)
    }

    /// The only one that answers requests with anything but pages.
    pub(crate) fn only_server(&self) -> Option<&'a str> {
        self.name(self.server?.only()?)
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        self.services.get(at).map(|service| service.facts.name.as_str())
    }
}

/// `orchestrator` of `go-orchestrator` and of `orchestrator_py`: where each service has its language, callers leave it out.
fn without_language(name: &str) -> Option<&str> {
    const LANGUAGES: &[&str] = &[
        "dotnet", "elixir", "go", "golang", "java", "kotlin", "node", "nodejs", "php", "py", "python",
        "ruby", "rust",
    ];
    let is_language = |word: &str| LANGUAGES.iter().any(|known| word.eq_ignore_ascii_case(known));
    let first = name.split_once(['-', '_']).filter(|(word, _)| is_language(word)).map(|(_, rest)| rest);
    let last = || name.rsplit_once(['-', '_']).filter(|(_, word)| is_language(word)).map(|(rest, _)| rest);
    first.or_else(last).filter(|rest| rest.len() > 2)
}

/// `order` of `orders`; what is no English plural comes out the same for both sides of a comparison.
fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn note<K: Ord>(calls: &mut BTreeMap<K, Called>, key: K, at: usize) {
    let called = calls.entry(key).or_insert(Called { first: at, by_others: false });
    called.by_others |= called.first != at;
}

/// The draft of that name. Drafts are sorted by name; where they are not, all are looked at.
pub(crate) fn draft<'d, 'a>(drafts: &'d [Draft<'a>], name: &str) -> Option<&'d Draft<'a>> {
    let at = drafts.binary_search_by(|draft| draft.facts.name.as_str().cmp(name)).ok();
    at.and_then(|at| drafts.get(at)).or_else(|| drafts.iter().find(|draft| draft.facts.name == name))
}
