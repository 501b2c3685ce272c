//! Gives each fact to the services that it is about; adds and changes no fact.

use std::collections::{BTreeMap, BTreeSet};

use super::services::valid_name;
use crate::model::fact::{Fact, ServiceFacts, Subject};
use crate::model::path::RepoPath;

/// Gives the facts away; returns those that are about nobody here.
pub(super) fn assign(services: &mut [ServiceFacts], facts: Vec<Fact>) -> Vec<Fact> {
    let mut by_folder: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        by_folder.entry(service.path.clone()).or_default().push(at);
    }
    let names = Names::of(services);
    let mut orphans = Vec::new();
    for fact in facts {
        let owners = match &fact.subject {
            Subject::Here => {
                let folders = fact.at.path.ancestors().skip(1);
                let nearest = folders.filter_map(|folder| by_folder.get(&folder)).next();
                match nearest {
                    Some(owners) => owners.clone(),
                    // Code that no service holds: nobody runs it.
                    None => continue,
                }
            }
            Subject::Named(name) => match names.find(name) {
                Some(owner) => vec![owner],
                None => {
                    orphans.push(fact);
                    continue;
                }
            },
        };
        for owner in owners {
            services[owner].facts.push(fact.clone());
        }
    }
    for service in services.iter_mut() {
        tidy(&mut service.facts);
    }
    orphans.sort_by(|a, b| a.at.cmp(&b.at));
    orphans
}

/// By path, line, rule; each once.
fn tidy(facts: &mut Vec<Fact>) {
    facts.sort_by(|a, b| a.at.cmp(&b.at));
    let mut kept: Vec<Fact> = Vec::with_capacity(facts.len());
    for fact in facts.drain(..) {
        let same = kept.iter().rev().take_while(|known| known.at == fact.at);
        if !same.into_iter().any(|known| *known == fact) {
            kept.push(fact);
        }
    }
    *facts = kept;
}

/// Words that people add to a service's name or leave out.
const LOOSE: &[&str] =
    &["api", "app", "ms", "microservice", "server", "service", "srv", "svc", "ts", "web", "mn"];

/// The services by all their names.
struct Names {
    exact: BTreeMap<String, BTreeSet<usize>>,
    loose: BTreeMap<String, BTreeSet<usize>>,
}

impl Names {
    fn of(services: &[ServiceFacts]) -> Names {
        let mut names = Names { exact: BTreeMap::new(), loose: BTreeMap::new() };
        for (at, service) in services.iter().enumerate() {
            for name in std::iter::once(&service.name).chain(&service.aliases) {
                let name = valid_name(name);
                names.loose.entry(loose(&name)).or_default().insert(at);
                names.exact.entry(name).or_default().insert(at);
            }
        }
        names
    }

    /// The one service of that name; none where several could be meant.
    fn find(&self, name: &str) -> Option<usize> {
        let name = valid_name(name);
        let one = |found: Option<&BTreeSet<usize>>| {
            found.filter(|all| all.len() == 1).and_then(|all| all.first().copied())
        };
        one(self.exact.get(&name)).or_else(|| one(self.loose.get(&loose(&name))))
    }
}

fn loose(name: &str) -> String {
    let words: Vec<&str> = name.split('-').filter(|word| !LOOSE.contains(word)).collect();
    if words.is_empty() { name.to_owned() } else { words.concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::{Evidence, What};

    fn service(name: &str, path: &str) -> ServiceFacts {
        ServiceFacts {
            name: name.to_owned(),
            path: RepoPath::new(path).expect("inside the root"),
            dockerfile: RepoPath::root(),
            build: crate::model::fact::Build {
                context: RepoPath::root(),
                target: None,
                args: BTreeMap::new(),
            },
            command: None,
            aliases: Vec::new(),
            language: String::new(),
            image: crate::model::fact::Image::default(),
            facts: Vec::new(),
        }
    }

    fn fact(path: &str, subject: Subject) -> Fact {
        let at = Evidence { path: RepoPath::new(path).expect("inside the root"), line: 1, rule: "test" };
        Fact { what: What::SchemaFile, at, subject }
    }

    #[test]
    fn facts_go_to_the_nearest_service_above() {
        let mut services = [service("outer", "a"), service("inner", "a/b"), service("twin", "a/b")];
        let orphans =
            assign(&mut services, vec![fact("a/b/x.sql", Subject::Here), fact("c.sql", Subject::Here)]);
        assert!(orphans.is_empty());
        assert_eq!(services.map(|service| service.facts.len()), [0, 1, 1]);
    }

    #[test]
    fn names_are_matched_without_the_words_that_people_leave_out() {
        let mut services = [service("orders-service", "a"), service("billing", "b")];
        let named = |name: &str| fact("doc.md", Subject::Named(name.to_owned()));
        let orphans = assign(&mut services, vec![named("Orders API"), named("Billing"), named("Shipping")]);
        assert_eq!(orphans.len(), 1);
        assert_eq!(services.map(|service| service.facts.len()), [1, 1]);
    }
}
