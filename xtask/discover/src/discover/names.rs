//! Names of services: made valid for Compose, and matched as people write them; knows no files.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::fact::ServiceFacts;

/// A name as Compose takes it and people write it: `Orders API` is `orders-api`.
pub(super) fn valid_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

/// Words that people add to a service's name or leave out.
const LOOSE: &[&str] =
    &["api", "app", "ms", "microservice", "server", "service", "srv", "svc", "ts", "web", "mn"];

/// The services by all their names.
pub(super) struct Names {
    exact: BTreeMap<String, BTreeSet<usize>>,
    loose: BTreeMap<String, BTreeSet<usize>>,
    /// Without anything between the words.
    joined: BTreeMap<String, BTreeSet<usize>>,
}

impl Names {
    pub(super) fn of(services: &[ServiceFacts]) -> Names {
        let mut names = Names { exact: BTreeMap::new(), loose: BTreeMap::new(), joined: BTreeMap::new() };
        for (at, service) in services.iter().enumerate() {
            for name in std::iter::once(&service.name).chain(&service.aliases) {
                names.loose.entry(loose(name)).or_default().insert(at);
                names.exact.entry(valid_name(name)).or_default().insert(at);
                names.joined.entry(valid_name(name).replace('-', "")).or_default().insert(at);
            }
        }
        names
    }

    /// Whether some service has that very name.
    pub(super) fn is_exact(&self, name: &str) -> bool {
        self.exact.contains_key(&valid_name(name))
    }

    /// All services that have that very name.
    pub(super) fn all_called(&self, name: &str) -> impl Iterator<Item = usize> {
        self.exact.get(&valid_name(name)).into_iter().flatten().copied()
    }

    /// Whether somebody is called so, or in a way that people may mean by it.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.exact.contains_key(&valid_name(name)) || self.loose.contains_key(&loose(name))
    }

    /// The one service of that name; none where several could be meant.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let one = |found: Option<&BTreeSet<usize>>| {
            found.filter(|all| all.len() == 1).and_then(|all| all.first().copied())
        };
        one(self.exact.get(&valid_name(name)))
            .or_else(|| one(self.loose.get(&loose(name))))
            .or_else(|| one(self.joined.get(&valid_name(name).replace('-', ""))))
    }
}

/// A name without the words that people leave out, and without anything between the others.
pub(super) fn loose(name: &str) -> String {
    let name = valid_name(&split_camel(name));
    let words: Vec<&str> = name.split('-').filter(|word| !LOOSE.contains(word)).collect();
    if words.is_empty() { name.replace('-', "") } else { words.concat() }
}

/// `ApiGateway` as `Api-Gateway`.
fn split_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            out.push('-');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_for_compose() {
        assert_eq!(valid_name("Orders API (new)"), "orders-api-new");
        assert_eq!(valid_name("Catalog.API"), "catalog-api");
    }

    #[test]
    fn loose_names_lose_what_people_leave_out() {
        for (a, b) in
            [("api_gateway", "ApiGatewayService"), ("ts-order", "order-svc"), ("orders.api", "orders")]
        {
            assert_eq!(loose(a), loose(b), "{a} {b}");
        }
        assert_ne!(loose("api"), loose("web"));
    }
}
