//! Who can reach whom: one network for the services, one per set of clients for the components; pure.

use std::collections::{BTreeMap, BTreeSet};

use super::components::Component;

/// The network that all services share.
pub(crate) const SERVICES: &str = "services";

/// The network of each component, by component name.
///
/// Components with the same clients share one: Docker's address pools end after about thirty networks on a machine.
pub(crate) fn of_components(components: &[Component<'_>], isolated: bool) -> BTreeMap<String, String> {
    let mut groups: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for component in components.iter().filter(|component| component.external.is_none()) {
        groups.entry(&component.clients).or_default().push(&component.name);
    }
    let mut names = BTreeMap::new();
    for members in groups.values() {
        let name = if isolated { name(members) } else { SERVICES.to_owned() };
        names.extend(members.iter().map(|member| ((*member).to_owned(), name.clone())));
    }
    names
}

fn name(members: &[&str]) -> String {
    match members {
        [first, _, _, _, ..] => format!("{first}-and-{}-more", members.len() - 1),
        few if few == [SERVICES] => "services-component".to_owned(),
        few => few.join("-"),
    }
}
