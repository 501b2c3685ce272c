//! A password that a server refuses, most often because its volume remembers an older one.

use crate::run::diagnose::facts::{Facts, Known, Member};
use crate::run::diagnose::words;

/// Servers by their kinds, and what their clients print when a login is refused; the bracket holds the user.
struct Refusal {
    kinds: &'static [&'static str],
    pattern: &'static str,
    /// The passwords live in the volume, and the variables count on the first start only.
    remembers: bool,
}

const REFUSALS: [Refusal; 5] = [
    Refusal {
        kinds: &["postgres"],
        pattern: r#"password authentication failed for user \\?"([^"\\]+)"#,
        remembers: true,
    },
    Refusal {
        kinds: &["mariadb", "mysql"],
        pattern: r"Access denied for user '([^']+)'@'[^']*'(?: \(using password)?",
        remembers: true,
    },
    Refusal {
        kinds: &["rabbitmq"],
        pattern: r"ACCESS[_-]REFUSED|Login was refused using authentication mechanism|PLAIN login refused",
        remembers: true,
    },
    Refusal {
        kinds: &["redis", "valkey"],
        pattern: r"WRONGPASS|NOAUTH|Authentication required|ERR invalid password|ERR AUTH|without any password configured",
        remembers: false,
    },
    Refusal { kinds: &["mongodb"], pattern: r"MongoServerError: Authentication failed", remembers: true },
];

/// What a client of a server has printed; the server's own log is no trace of its own fault.
pub fn find(facts: &Facts) -> Option<Known> {
    if facts.is_healthy() {
        return None;
    }
    REFUSALS.iter().find_map(|refusal| {
        let trace = words::last(facts.recent(), refusal.pattern)?;
        let server = server(facts, refusal)?;
        Some(explain(facts, refusal, server, trace.group(1)).said(&trace.line))
    })
}

/// The server that is meant: the one that this service waits for, or the only one of these kinds. A container of a
/// server's own image is a client only where it waits for a server.
fn server<'a>(facts: &'a Facts, refusal: &Refusal) -> Option<&'a Member> {
    let fits = |member: &&Member| refusal.kinds.contains(&member.kind.as_str());
    let own = facts.member(&facts.service).map(|own| own.waits_for.as_slice()).unwrap_or_default();
    let all: Vec<&Member> = facts.system.iter().filter(fits).collect();
    let waited = all.iter().find(|member| own.contains(&member.service));
    let only = match all.as_slice() {
        [one] if !refusal.kinds.contains(&facts.kind()) => Some(one),
        _ => None,
    };
    waited.or(only).copied()
}

fn explain(facts: &Facts, refusal: &Refusal, server: &Member, user: &str) -> Known {
    let name = &server.service;
    let of = if user.is_empty() { String::new() } else { format!(" of the user `{user}`") };
    let known = Known::new(format!("`{name}` refuses the password{of}"));
    // Where a setup sets the users' passwords on each start, only the setup itself can be locked out.
    let is_setup = facts.kind() == "setup";
    let set_anew =
        facts.system.iter().any(|member| member.kind == "setup" && member.waits_for.contains(name));
    let env_file = facts.setup.shown_file(&facts.setup.env_file);
    match &server.old_volume {
        Some((volume, day)) if refusal.remembers && (is_setup || !set_anew) => known
            .why(format!("the volume `{volume}` is older than its container ({day}) and remembers the password it was made with"))
            .fix(format!(
                "put the old password back into {env_file}, or delete that data: {}",
                facts.setup.xtask(&format!("reset {name}"))
            )),
        _ => known
            .at(facts.places.key(&["environment"]))
            .why(format!("what `{}` logs in with is not what `{name}` was given", facts.service))
            .fix(format!("compare the two: {}", facts.setup.xtask(&format!("env show {}", facts.service)))),
    }
}
