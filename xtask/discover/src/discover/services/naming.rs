//! What services are called beside each other: words that many have in common left out, names that two have told apart,
//! and the names of the programs that they start.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::valid_name;
use super::place;
use crate::model::fact::{Brought, Image, ServiceFacts};
use crate::model::path::RepoPath;
use crate::model::start::belongs_to_init;

/// Fewer services that begin with the same word are called so.
const MANY: usize = 3;

/// Where all services of a folder, or several of them wherever they lie, begin with the same words, each is also known
/// without them.
pub(super) fn names_in_common(services: &mut [ServiceFacts]) {
    let mut groups: BTreeMap<(Option<RepoPath>, String), Vec<usize>> = BTreeMap::new();
    let mut folders: BTreeMap<Option<RepoPath>, usize> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        let first = service.name.split('-').next().unwrap_or_default().to_owned();
        groups.entry((service.path.parent(), first)).or_default().push(at);
        *folders.entry(service.path.parent()).or_default() += 1;
    }
    // `Shop.Orders/Shop.Orders.Api` and `Shop.Users/Shop.Users.Api`: each lies in a folder of its own.
    let mut apart: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for ((_, first), group) in groups.iter().filter(|(_, group)| group.len() == 1) {
        apart.entry(first.clone()).or_default().extend(group);
    }
    groups.extend(
        apart
            .into_iter()
            .map(|(first, group)| ((None, first), group))
            .filter(|(_, group)| group.len() >= MANY),
    );
    for ((folder, _), group) in groups {
        if group.len() < 2 || (group.len() < MANY && folders.get(&folder) != Some(&group.len())) {
            continue;
        }
        shorten(services, &group, 0);
    }
}

/// Leaves out what these names have in common from the word at `from` on, and then what many of them have in common
/// behind it: `Shop.Gateway`, `Shop.Services.Orders`, `Shop.Services.Users`.
fn shorten(services: &mut [ServiceFacts], group: &[usize], from: usize) {
    let names: Vec<Vec<&str>> =
        group.iter().map(|at| services[*at].name.split('-').skip(from).collect()).collect();
    let shortest = names.iter().map(Vec::len).min().unwrap_or_default();
    let same = |word: &usize| names.iter().all(|name| name[*word] == names[0][*word]);
    let common = (0..shortest.saturating_sub(1)).take_while(same).count();
    if common == 0 {
        return;
    }
    let mut below: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut shorter = Vec::new();
    for (at, name) in group.iter().zip(&names) {
        shorter.push(name[common..].join("-"));
        below.entry(name[common].to_owned()).or_default().push(*at);
    }
    for (at, name) in group.iter().zip(shorter) {
        services[*at].aliases.push(name);
    }
    for group in below.into_values().filter(|group| group.len() >= MANY) {
        shorten(services, &group, from + common);
    }
}

/// Names of programs that say nothing about whose they are.
const PLAIN: &[&str] = &[
    "api",
    "app",
    "application",
    "backend",
    "bin",
    "binary",
    "exe",
    "http",
    "main",
    "out",
    "output",
    "program",
    "run",
    "server",
    "service",
    "start",
    "web",
    "worker",
];

/// A service that starts a program that was built for it is also known by the program's name, however its folder is
/// called: `CMD ["./ledger"]`, where an earlier stage built `ledger`.
pub(super) fn programs(services: &mut [ServiceFacts]) {
    let names: BTreeSet<String> = services.iter().map(|service| service.name.clone()).collect();
    for service in services {
        let Some(name) = program(&service.image) else { continue };
        let is_known = names.contains(&name) || service.aliases.contains(&name);
        if !is_known && !PLAIN.contains(&name.as_str()) {
            service.aliases.push(name);
        }
    }
}

/// The program that an image starts, where another stage of its Dockerfile made it.
fn program(image: &Image) -> Option<String> {
    let word = image.start().find(|word| !belongs_to_init(word))?;
    let name = word.rsplit('/').next().unwrap_or(word);
    let is_it = |one: &Brought| {
        image.stages.contains(&one.from)
            && (one.to.rsplit('/').next() == Some(name) || one.source.rsplit('/').next() == Some(name))
    };
    // Scripts and archives have an ending, and are not what others call.
    let is_plain = !name.is_empty() && !name.contains(['.', '$', ' ']);
    (is_plain && image.brought.iter().any(is_it)).then(|| valid_name(name))
}

/// Where two services have one name, the folder above that says whose they are is put in front, and a number behind if
/// that is not enough.
pub(in crate::discover) fn name_uniquely(services: &mut [ServiceFacts]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for service in services.iter() {
        *count.entry(service.name.clone()).or_default() += 1;
    }
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, number)| **number == 1).map(|(name, _)| name.clone()).collect();
    let mut order: Vec<usize> = (0..services.len()).collect();
    order.sort_by(|a, b| services[*a].dockerfile.cmp(&services[*b].dockerfile));
    order.retain(|at| count.get(&services[*at].name).is_some_and(|number| *number > 1));
    let prefixes = tell_apart(services, &order);
    for (at, above) in order.into_iter().zip(prefixes) {
        let service = &mut services[at];
        let longer =
            if above.is_empty() { service.name.clone() } else { format!("{above}-{}", service.name) };
        let numbered = (2..).map(|number| format!("{longer}-{number}"));
        let name = std::iter::once(longer.clone()).chain(numbered).find(|name| !taken.contains(name));
        let name = name.unwrap_or(longer);
        taken.insert(name.clone());
        service.aliases.push(std::mem::replace(&mut service.name, name));
    }
}

/// For each of the services at these positions the name of the nearest folder above it in which none of those lies that are
/// called alike; where there is none, of the nearest that is called otherwise. `orders/apps/query` beside
/// `users/apps/query` is that of `orders`.
fn tell_apart(services: &[ServiceFacts], order: &[usize]) -> Vec<String> {
    let above = |at: &usize| -> Vec<String> {
        let service = &services[*at];
        let folders = service.path.ancestors().skip(1).filter(|folder| !place::is_holder(folder.name()));
        let names = folders.map(|folder| valid_name(folder.name()));
        // `backends/orders/Orders` beside `pages/orders/Orders`: the name once more tells nobody apart.
        names.filter(|name| *name != service.name && !name.is_empty()).collect()
    };
    let all: Vec<(&str, Vec<String>)> =
        order.iter().map(|at| (services[*at].name.as_str(), above(at))).collect();
    let mut inside: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (name, folders) in &all {
        for folder in folders.iter().collect::<BTreeSet<_>>() {
            *inside.entry((name, folder)).or_default() += 1;
        }
    }
    let one = |(name, folders): &(&str, Vec<String>)| {
        let alone = folders.iter().find(|folder| inside.get(&(*name, folder.as_str())) == Some(&1));
        alone.or(folders.first()).cloned().unwrap_or_default()
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Roots, find};
    use crate::catalog::Catalog;
    use crate::repo::Repo;

    fn aliases(last: &str) -> Vec<String> {
        let tree = format!(
            "//- /api_books/Dockerfile\nFROM golang AS build\nCOPY . .\nRUN go build -o /out/ledger ./cmd/ledger\n{last}\n\
             //- /api_books/go.mod\nmodule shop/books\n//- /api_books/cmd/ledger/main.go\npackage main\n"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        let mut aliases = found.services[0].aliases.clone();
        aliases.retain(|alias| alias != "api_books");
        aliases
    }

    #[test]
    fn service_is_known_by_the_program_that_it_starts() {
        for start in [
            "FROM alpine\nCOPY --from=build /out/ledger .\nCMD [\"./ledger\"]",
            "FROM alpine\nCOPY --from=build /out/ /usr/bin/ledger\nENTRYPOINT [\"tini\", \"-s\", \"--\", \"ledger\", \"serve\"]",
        ] {
            assert_eq!(aliases(start), ["ledger"], "{start}");
        }
    }

    #[test]
    fn names_that_two_have_are_told_apart_by_the_folder_that_is_called_otherwise() {
        let one = |folder: &str| {
            format!(
                "//- /src/{folder}/Dockerfile\nFROM node\nCOPY . .\n//- /src/{folder}/package.json\n{{}}\n"
            )
        };
        let names = |tree: &str| {
            let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
            found.services.into_iter().map(|service| service.name).collect::<Vec<_>>()
        };
        let tree = one("backends/orders/Orders") + &one("pages/orders/Orders") + &one("pages/users/Users");
        assert_eq!(names(&tree), ["backends-orders", "pages-orders", "users"]);
        let layers = one("orders/apps/query") + &one("users/apps/query") + &one("users/apps/command");
        assert_eq!(names(&layers), ["command", "orders-query", "users-query"]);
    }

    #[test]
    fn program_of_a_plain_name_or_of_the_base_image_names_nobody() {
        for start in [
            "FROM alpine\nCOPY --from=build /out/server .\nCMD [\"./server\"]",
            "FROM alpine\nCOPY --from=build /out/ledger .\nCMD [\"caddy\", \"run\"]",
            "FROM alpine\nCOPY --from=build /out/ledger start.sh ./\nCMD [\"./start.sh\"]",
        ] {
            assert_eq!(aliases(start), [""; 0], "{start}");
        }
    }
}
