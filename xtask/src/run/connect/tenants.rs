//! Databases on one server: a service's login opens its own and none of another service. Only what the server itself
//! refuses counts, and only where the same login has just opened its own database from the same place.

use std::collections::BTreeSet;

use crate::error::Failure;

use super::file::Client;
use super::helpers::Helpers;
use super::pool::in_parallel;
use super::reach::{Edge, Way, by_server};
use super::{Finding, ISOLATION, System, Verdict, masked, shown};

/// Before and after what was said about a database.
const MARK: &str = "== xtask";

/// A login and the databases that are not its own.
struct Tenant<'e> {
    edge: &'e Edge<'e>,
    way: &'e Way,
    client: &'e Client,
    others: Vec<&'e str>,
}

/// Tries each login on each database of another; `first` says which logins work at all.
pub(super) fn try_all(
    helpers: &Helpers<'_>,
    system: &System<'_>,
    edges: &[Edge<'_>],
    first: &[Finding],
) -> Vec<Finding> {
    let tenants: Vec<Tenant<'_>> =
        by_server(edges).values().flat_map(|edges| tenants(system, edges)).collect();
    let works = |tenant: &Tenant<'_>| {
        let name = tenant.edge.name();
        first.iter().any(|finding| finding.name == name && finding.verdict == Verdict::Passed)
    };
    in_parallel(&tenants, |tenant| tenant.attempt(helpers, works(tenant))).into_iter().flatten().collect()
}

fn tenants<'e>(system: &'e System<'_>, edges: &[&'e Edge<'e>]) -> Vec<Tenant<'e>> {
    let database = |edge: &&'e Edge<'e>| {
        let common = || system.wanted.clients.get(&edge.wanted.client).map(|client| client.common.as_str());
        let named = Some(edge.way()?.address.database.as_str()).filter(|name| !name.is_empty());
        named.or_else(common).filter(|name| is_plain(name))
    };
    let all: BTreeSet<&str> = edges.iter().filter_map(database).collect();
    let tenant = |edge: &&'e Edge<'e>| {
        let client =
            system.wanted.clients.get(&edge.wanted.client).filter(|client| !client.refused.is_empty())?;
        let own = database(edge)?;
        let others: Vec<&str> = all.iter().copied().filter(|other| *other != own).collect();
        (!others.is_empty()).then_some(Tenant { edge, way: edge.way()?, client, others })
    };
    edges.iter().filter_map(tenant).collect()
}

/// Names that the loop of the script can hold.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
}

impl Tenant<'_> {
    fn attempt(&self, helpers: &Helpers<'_>, works: bool) -> Vec<Finding> {
        let new = |other: &str| {
            let name = format!("{} not to {}/{other}", self.edge.from, self.edge.to);
            Finding::new(ISOLATION, name, &[self.edge.to])
        };
        if !works {
            let why = "its own login does not work, so a refusal would prove nothing";
            return self.others.iter().map(|other| new(other).skipped(why)).collect();
        }
        let findings: Vec<Finding> = self.others.iter().map(|other| new(other)).collect();
        let mut values = self.way.values();
        values.push(("XTASK_OTHERS", self.others.join(" ")));
        let script = format!(
            "for XTASK_DATABASE in $XTASK_OTHERS; do\nexport XTASK_DATABASE\n(\n{}\n) 2>&1\necho \"{MARK} $?\"\ndone",
            self.client.script
        );
        let said = helpers.run(&self.way.place, &script, &values);
        let (answers, took, broken) = match &said {
            Ok(said) => (parts(&said.text), said.took, String::new()),
            Err(why) => (Vec::new(), std::time::Duration::ZERO, why.clone()),
        };
        findings
            .into_iter()
            .zip(&self.others)
            .enumerate()
            .map(|(at, (finding, other))| match answers.get(at) {
                Some((code, text)) => match self.judge(other, *code, text) {
                    Some(failure) => finding.took(took).failed(failure),
                    None => finding.took(took),
                },
                None => finding.took(took).failed(self.unproven(other).why(&broken)),
            })
            .collect()
    }

    fn judge(&self, other: &str, code: i32, text: &str) -> Option<Failure> {
        let (from, to) = (self.edge.from, self.edge.to);
        let answer = shown(&masked(text, &self.way.address.password));
        if code == 0 {
            let user = &self.way.address.user;
            return Some(
                Failure::new(format!("`{from}` can open `{other}` on `{to}`, which is not its own"))
                    .why(format!("request:  {} at {to}, {other} as {user}", self.edge.wanted.client))
                    .why(format!("response: {answer}"))
                    .fix(format!("take from `{user}`, and from everybody, what was granted on `{other}`")),
            );
        }
        let refused = self.client.refused.iter().any(|words| text.contains(words.as_str()));
        (!refused).then(|| self.unproven(other).why(format!("response: {answer}")))
    }

    fn unproven(&self, other: &str) -> Failure {
        let (from, to) = (self.edge.from, self.edge.to);
        Failure::new(format!("it is not proven that `{from}` cannot open `{other}` on `{to}`"))
            .why("the server did not refuse the login in the words that `clients` lists")
    }
}

/// What was said about each database, and the exit code.
fn parts(text: &str) -> Vec<(i32, String)> {
    let mut parts = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix(MARK).and_then(|code| code.trim().parse().ok()) {
            Some(code) => parts.push((code, std::mem::take(&mut lines).join("\n"))),
            None => lines.push(line),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_by_their_marks() {
        assert_eq!(
            parts("FATAL: no\n== xtask 2\n== xtask 0\nlost"),
            [(2, "FATAL: no".to_owned()), (0, String::new())]
        );
    }
}
