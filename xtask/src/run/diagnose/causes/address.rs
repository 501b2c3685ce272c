//! A host name that the container's networks do not know.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// What resolvers and clients say; the bracket holds the name.
const UNKNOWN: [&str; 8] = [
    r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([A-Za-z0-9._-]+)",
    r#"could not translate host name "([^"]+)" to address"#,
    r"lookup ([A-Za-z0-9._-]+)(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure)",
    r#"host not found in upstream "([^":/]+)"#,
    r"UnknownHostException: ([A-Za-z0-9._-]+)",
    r"Unknown MySQL server host '([^']+)'",
    r"bad address '([^']+)'",
    r"Could not resolve host: ([A-Za-z0-9._-]+)",
];

/// Only where the name is sure, and the container is not well for it.
pub fn find(facts: &Facts) -> Option<Known> {
    if facts.is_healthy() || facts.exit_code() == Some(0) {
        return None;
    }
    let trace = words::last_of(facts.recent(), &UNKNOWN)?;
    let host = trace.group(1);
    let known = Known::new(format!("it looks for the host `{host}`, which its networks do not know"))
        .at(place(facts, host));
    let names = || facts.system.iter().map(|member| member.service.as_str());
    let then = facts.then_up();
    let known = if names().any(|name| name == host) {
        known.why(format!("`{host}` did not run yet, or shares no network with `{}`", facts.service)).fix(
            format!(
                "add `{host}` to its `depends_on`, or to its `networks`, in {}, {then}",
                facts.places.file()
            ),
        )
    } else if host.contains('.') {
        known.fix(format!("look whether this machine knows `{host}` (getent hosts {host}), {then}"))
    } else {
        let near = crate::error::nearest(host, names()).map(|near| format!(" (did you mean `{near}`?)"));
        known.fix(format!(
            "name a service of {} instead{}, {then}",
            facts.places.file(),
            near.unwrap_or_default()
        ))
    };
    Some(known.said(&trace.line))
}

/// The variable that holds the name.
fn place(facts: &Facts, host: &str) -> Option<String> {
    let holds = |value: &str| {
        let mut words = value.split(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
        words.any(|word| word == host)
    };
    let variable = facts.anatomy.env.iter().find(|(_, value)| holds(value)).map(|(name, _)| name)?;
    facts.places.key(&[variable])
}
