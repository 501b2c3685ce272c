//! The addresses that only a library reads, and that a service leaves out of its own environment file while another lists
//! them in its own: the file says what the service needs. Looks at facts only.

use std::collections::{BTreeMap, BTreeSet};

use super::{RULE, stem};
use crate::discover::names::Names;
use crate::model::fact::{EnvSource, Evidence, Fact, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;

/// By service, the facts about such addresses.
pub(super) fn settle(
    services: &[ServiceFacts],
    names: &Names,
    libraries: &BTreeMap<RepoPath, Vec<usize>>,
) -> Vec<(usize, Vec<Fact>)> {
    let lists: Vec<BTreeSet<&str>> = services.iter().map(list).collect();
    let listed: BTreeSet<&str> = lists.iter().flatten().copied().collect();
    let of_one = |(at, service): (usize, &ServiceFacts)| {
        let own = &lists[at];
        let left_out = foreign(service, names, libraries)
            .into_iter()
            .filter(|(name, _)| !own.is_empty() && !own.contains(name) && listed.contains(name));
        let fact = |(name, at): (&str, &Evidence)| Fact {
            what: What::Unused { variable: name.to_owned() },
            at: Evidence { rule: RULE, ..at.clone() },
            subject: Subject::Here,
        };
        (at, left_out.map(fact).collect::<Vec<_>>())
    };
    services.iter().enumerate().map(of_one).filter(|(_, facts)| !facts.is_empty()).collect()
}

/// The variables of a service's own environment file; what stands at the root is for all.
fn list(service: &ServiceFacts) -> BTreeSet<&str> {
    let one = |fact: &'_ Fact| {
        matches!(fact.what, What::EnvValue { source: EnvSource::Example, .. })
            && !service.path.is_root()
            && fact.at.path.is_in(&service.path)
    };
    let of = service.facts.iter().filter(|fact| one(fact));
    of.filter_map(|fact| match &fact.what {
        What::EnvValue { name, .. } => Some(name.as_str()),
        _ => None,
    })
    .collect()
}

/// The addresses of other services that libraries read for this one and its own code does not.
fn foreign<'f>(
    service: &'f ServiceFacts,
    names: &Names,
    libraries: &BTreeMap<RepoPath, Vec<usize>>,
) -> BTreeMap<&'f str, &'f Evidence> {
    let mut found = BTreeMap::new();
    let mut own = BTreeSet::new();
    for fact in &service.facts {
        let What::EnvRead { name, .. } = &fact.what else { continue };
        if fact.at.path.is_in(&service.path) {
            own.insert(name.as_str());
        } else if stem(name).is_some_and(|stem| names.find(stem).is_some())
            && fact.at.path.ancestors().skip(1).any(|folder| libraries.contains_key(&folder))
        {
            found.entry(name.as_str()).or_insert(&fact.at);
        }
    }
    found.retain(|name, _| !own.contains(name));
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::unused;

    fn tree(files: &[(&str, &str)]) -> String {
        let library = "//- /shared/config.ts\nexport function load() {\n  return { users: process.env.USERS_URL, orders: process.env.ORDERS_URL };\n}\n\
            //- /.env.example\nUSERS_URL=http://users:3000\nORDERS_URL=http://orders:3000\n";
        let one = |(name, example): &(&str, &str)| {
            let example = match *example {
                "" => String::new(),
                text => format!("//- /{name}/.env.example\n{text}\n"),
            };
            format!(
                "//- /{name}/Dockerfile\nFROM x\nCOPY {name} .\nCOPY shared shared\n//- /{name}/package.json\n{{}}\n\
                 //- /{name}/main.ts\nload();\n{example}"
            )
        };
        files.iter().map(one).collect::<String>() + library
    }

    #[test]
    fn addresses_that_a_services_own_file_leaves_out_are_for_those_whose_files_list_them() {
        let all = [("web", "USERS_URL=http://localhost:3001"), ("users", "PORT=3001"), ("orders", "")];
        assert_eq!(unused(&tree(&all)), ["users:USERS_URL"]);
    }

    #[test]
    fn addresses_that_nobodys_own_file_lists_may_be_for_all() {
        let all = [("web", "PORT=3002"), ("users", "PORT=3001"), ("orders", "")];
        assert_eq!(unused(&tree(&all)), Vec::<String>::new());
    }
}
