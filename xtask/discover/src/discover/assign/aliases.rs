//! What else the services are called, as the facts about them say; looks at names only.

use std::collections::{BTreeMap, BTreeSet};

use crate::discover::findings::{GRPC_CLIENT, GRPC_SERVICE};
use crate::discover::names::{Names, loose};
use crate::model::fact::{Fact, ServiceFacts, What};

/// The rule of the name in a manifest of Node.
const NODE_PACKAGE: &str = "node-package-name";

/// Adds the other names to each service.
pub(super) fn learn(services: &mut [ServiceFacts]) {
    let names: BTreeSet<String> = services.iter().map(|service| service.name.clone()).collect();
    for service in services.iter_mut() {
        let names_program = names_program(service);
        for fact in service.facts.iter().filter(|fact| names_program(fact)) {
            if let What::Alias { name } = &fact.what {
                service.aliases.push(name.to_lowercase());
            }
        }
        service.aliases.sort();
        service.aliases.dedup();
        // A program that shares its manifest with the one of that name is not called so.
        service.aliases.retain(|alias| !names.contains(alias));
    }
    learn_served(services);
}

/// Whether a fact's name is that of the program: where its folder has a manifest of Node, those of the folders in it are of
/// its packages.
fn names_program(service: &ServiceFacts) -> impl Fn(&Fact) -> bool + use<> {
    let folder = service.path.clone();
    let is_own = move |fact: &Fact| fact.at.path.parent().as_ref() == Some(&folder);
    let has_own = service.facts.iter().any(|fact| fact.at.rule == NODE_PACKAGE && is_own(fact));
    move |fact| fact.at.rule != GRPC_SERVICE && (fact.at.rule != NODE_PACKAGE || !has_own || is_own(fact))
}

/// A program is called after the services of gRPC that it alone implements, where no other program has such a name.
fn learn_served(services: &mut [ServiceFacts]) {
    let names = Names::of(services);
    let mut claims: BTreeMap<String, BTreeMap<usize, &str>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        for fact in service.facts.iter().filter(|fact| fact.at.rule == GRPC_SERVICE) {
            if let What::Alias { name } = &fact.what {
                claims.entry(loose(name)).or_default().insert(at, name);
            }
        }
    }
    let only = || claims.iter().filter(|(_, by)| by.len() == 1);
    let free: Vec<(usize, String)> = only()
        .flat_map(|(_, by)| by)
        .filter(|(_, name)| !names.knows(name))
        .map(|(at, name)| (*at, name.to_lowercase()))
        .collect();
    let homes: BTreeMap<String, String> = only()
        .flat_map(|(name, by)| by.keys().map(|at| (name.clone(), services[*at].name.clone())))
        .collect();
    settle_clients(services, &homes);
    for (at, name) in free {
        services[at].aliases.push(name);
        services[at].aliases.sort();
    }
}

/// Makes the services of gRPC that programs call the addresses of those who alone implement them, and takes away what
/// nobody here, several or the program itself implements.
fn settle_clients(services: &mut [ServiceFacts], homes: &BTreeMap<String, String>) {
    for service in services {
        let own = service.name.clone();
        service.facts.retain_mut(|fact| match &mut fact.what {
            What::Reference(reference) if fact.at.rule == GRPC_CLIENT => {
                let home = homes.get(&loose(&reference.host)).filter(|home| **home != own);
                home.is_some_and(|home| {
                    reference.host.clone_from(home);
                    true
                })
            }
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::{Fact, What};
    use crate::repo::Repo;

    #[test]
    fn clients_of_grpc_call_those_who_alone_implement_the_service() {
        let program = |name: &str, code: &str| {
            format!(
                "//- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n//- /{name}/X.cs\n{code}\n"
            )
        };
        let serves = |name: &str| {
            format!("class Impl{name} : Protos.{name}.{name}Base {{ Get(ServerCallContext c) {{ }} }}\n")
        };
        let calls =
            |name: &str| format!("services.AddGrpcClient<{name}.{name}Client>(o => o.Address = Where());\n");
        // An implementation is found by its own name where the two are the same.
        let serves = |name: &str| serves(name).replace(&format!("Impl{name}"), name);
        let tree = program("stores", &(serves("Prices") + &serves("Greeter") + &calls("Prices")))
            + &program("hello", &serves("Greeter"))
            + &program("web", &(calls("Prices") + &calls("Greeter") + &calls("Elsewhere")));
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let called = facts.expect("is read").services.into_iter().flat_map(|service| {
            let name = service.name.clone();
            let host = move |fact: Fact| match fact.what {
                What::Reference(reference) => Some(format!("{name}->{}", reference.host)),
                _ => None,
            };
            service.facts.into_iter().filter_map(host).collect::<Vec<_>>()
        });
        assert_eq!(called.collect::<Vec<_>>(), ["web->stores"]);
    }

    #[test]
    fn packages_inside_a_service_are_no_names_of_it() {
        let tree = "//- /pages/Dockerfile\nFROM node\nCOPY . .\n//- /pages/package.json\n{\"name\": \"site\"}\n\
            //- /pages/projects/orders/package.json\n{\"name\": \"@site/orders\"}\n";
        let facts = discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
        assert_eq!(facts.expect("is read").services[0].aliases, ["site"]);
    }

    #[test]
    fn program_is_called_after_the_services_of_grpc_that_it_alone_implements() {
        let service = |name: &str, served: &[&str]| {
            let class = |served: &&str| {
                format!("class {served} : {served}.{served}Base {{ Get(ServerCallContext c) {{ }} }}\n")
            };
            let code: String = served.iter().map(class).collect();
            format!(
                "//- /{name}/Dockerfile\nFROM x\nCOPY . .\n//- /{name}/{name}.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n\
                 //- /{name}/Grpc.cs\n{code}"
            )
        };
        let tree = service("people", &["PiiService", "OrdersService", "Greeter"])
            + &service("orders", &["OrdersService"])
            + &service("hello", &["Greeter"]);
        let facts = discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default());
        let aliases: Vec<(String, Vec<String>)> =
            facts.expect("is read").services.into_iter().map(|one| (one.name, one.aliases)).collect();
        let of = |name: &str| aliases.iter().find(|(of, _)| of == name).map(|(_, all)| all.clone());
        assert_eq!(of("people"), Some(vec!["piiservice".to_owned()]), "{aliases:?}");
        assert_eq!(of("orders"), Some(Vec::new()));
        assert_eq!(of("hello"), Some(Vec::new()));
    }
}
