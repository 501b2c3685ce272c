//! The ways that must not work: a service and a component that it does not declare. That nothing answers proves
//! nothing by itself, so each attempt first reaches something else from the same network with the same tool, and the
//! component is seen to answer those who may ask it.

use std::collections::BTreeMap;

use crate::error::Failure;

use super::helpers::{Helpers, Place};
use super::members::Member;
use super::reach::CONNECT;
use super::{Finding, ISOLATION, System, shown};

/// First the control, then each way to the component, by its name and by its addresses. A way counts as open when it is
/// so three times, a second apart: while the engine makes or removes any network, also one of another system, it takes
/// its rule between the networks away for some milliseconds (Docker 26 and older).
const ATTEMPT: &str = r#"
nc -w 3 "$XTASK_CONTROL_HOST" "$XTASK_CONTROL_PORT" -e true || exit 90
reaches() {
    nc -w 1 "$1" "$XTASK_PORT" -e true 2>/dev/null
}
for host in $XTASK_HOSTS; do
    if reaches "$host" && sleep 1 && reaches "$host" && sleep 1 && reaches "$host"; then
        echo "$host:$XTASK_PORT accepts the connection"
        exit 91
    fi
done"#;
const NO_CONTROL: i32 = 90;
const REACHED: i32 = 91;

/// A service and a component that it must not reach.
pub(super) struct Wall<'s> {
    pub(super) from: &'s str,
    pub(super) to: &'s str,
    pub(super) place: Option<Place>,
    at: String,
    way: Result<Way, String>,
}

struct Way {
    values: Vec<(&'static str, String)>,
    control: String,
}

/// A component, and where it can be asked from.
pub(super) struct Target {
    pub(super) place: Place,
    host: String,
    port: u16,
}

/// Every pair of the file.
pub(super) fn walls<'s>(system: &'s System<'s>) -> Vec<Wall<'s>> {
    let pairs = system.wanted.apart.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    pairs
        .map(|(from, to)| {
            let way = way(system, from, to);
            let place = way.as_ref().ok().and_then(|_| system.member(from)).map(|from| system.tools(from));
            Wall { from, to, place, at: system.wanted.place(&["apart", from]), way }
        })
        .collect()
}

fn way(system: &System<'_>, from: &str, to: &str) -> Result<Way, String> {
    let find = |service: &str| system.member(service).ok_or_else(|| format!("`{service}` has no container"));
    let (from, to) = (find(from)?, find(to)?);
    if from.on_host {
        return Err(format!("`{}` runs on the host", from.service));
    }
    if let Some(down) = [from, to].into_iter().find(|member| !member.running) {
        return Err(format!("`{}` does not run", down.service));
    }
    let port = to.port.ok_or_else(|| format!("nothing says on which port `{}` listens", to.service))?;
    let (host, control_port) =
        control(system, from).ok_or("there is nothing else in its networks to compare with")?;
    let mut hosts = vec![to.service.clone()];
    hosts.extend(to.addresses.iter().cloned());
    Ok(Way {
        control: format!("{host}:{control_port}"),
        values: vec![
            ("XTASK_CONTROL_HOST", host),
            ("XTASK_CONTROL_PORT", control_port.to_string()),
            ("XTASK_HOSTS", hosts.join(" ")),
            ("XTASK_PORT", port.to_string()),
        ],
    })
}

/// What a service certainly reaches: something that it needs, else itself by its own address.
fn control(system: &System<'_>, from: &Member) -> Option<(String, u16)> {
    let needed = system.wanted.reaches.get(&from.service).into_iter().flat_map(BTreeMap::keys);
    let needed = needed.filter_map(|service| system.member(service)).filter(|member| member.running);
    let by_name = needed.filter_map(|member| Some((member.service.clone(), member.port?))).next();
    by_name.or_else(|| Some((from.addresses.first()?.clone(), from.port?)))
}

/// The components behind walls, each with a place from which it has to answer: a service that needs it, else its own.
pub(super) fn targets(system: &System<'_>, walls: &[Wall<'_>]) -> BTreeMap<String, Target> {
    let mut targets = BTreeMap::new();
    for to in walls.iter().filter(|wall| wall.way.is_ok()).filter_map(|wall| system.member(wall.to)) {
        let clients = system.wanted.reaches.iter().filter(|(_, needs)| needs.contains_key(&to.service));
        let client = clients
            .filter_map(|(name, _)| system.member(name))
            .find(|member| member.running && !member.on_host);
        let (Some(host), Some(port)) = (to.addresses.first(), to.port) else { continue };
        let place = system.tools(client.unwrap_or(to));
        targets.insert(to.service.clone(), Target { place, host: host.clone(), port });
    }
    targets
}

impl Target {
    /// Whether it answers those who may ask, at the address that others must not reach.
    ///
    /// # Errors
    /// With what was said instead.
    pub(super) fn answers(&self, helpers: &Helpers<'_>) -> Result<(), String> {
        let values = [("XTASK_HOST", self.host.clone()), ("XTASK_PORT", self.port.to_string())];
        let said = helpers.run(&self.place, CONNECT, &values)?;
        if said.code == 0 { Ok(()) } else { Err(shown(&said.text)) }
    }
}

impl Wall<'_> {
    /// Tries to climb it.
    pub(super) fn attempt(
        &self,
        helpers: &Helpers<'_>,
        alive: &BTreeMap<String, Result<(), String>>,
    ) -> Finding {
        let Wall { from, to, place, at, way } = self;
        let finding = Finding::new(ISOLATION, format!("{from} not to {to}"), &[from, to]);
        let (way, place) = match (way, place) {
            (Ok(way), Some(place)) => (way, place),
            (way, _) => return finding.skipped(way.as_ref().err().cloned().unwrap_or_default()),
        };
        let unproven = |why: String| {
            Failure::new(format!("it is not proven that `{from}` cannot reach `{to}`")).at(at).why(why)
        };
        match alive.get(*to) {
            Some(Ok(())) => {}
            Some(Err(why)) => {
                return finding
                    .failed(unproven(format!("`{to}` does not answer those either who may ask it: {why}")));
            }
            None => return finding.failed(unproven(format!("`{to}` has no address in any network"))),
        }
        let said = match helpers.run(place, ATTEMPT, &way.values) {
            Ok(said) => said,
            Err(why) => return finding.failed(unproven(why)),
        };
        let answer = shown(&said.text);
        let finding = finding.took(said.took);
        match said.code {
            0 => finding,
            REACHED => finding.failed(
                Failure::new(format!("`{from}` reaches `{to}`, which it does not declare"))
                    .at(at)
                    .why(format!("request:  a TCP connection from the network of `{from}`"))
                    .why(format!("response: {answer}"))
                    .fix(format!(
                        "take `{from}` out of the networks of `{to}`; or, where it needs it, add `{to}` to \
                         services.{from}.requires in config.yaml"
                    )),
            ),
            NO_CONTROL => finding
                .failed(unproven(format!("`{}` cannot be reached from there either: {answer}", way.control))),
            code => finding.failed(unproven(format!("exit code {code}: {answer}"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the script is tried without containers")]
mod tests {
    use super::*;

    /// The script's exit code where the component accepts the first connections, so many of them.
    fn attempt(accepted: u8) -> Option<i32> {
        let nc = format!(
            "tried=0; sleep() {{ :; }}; nc() {{ [ \"$3\" = control ] || {{ tried=$((tried + 1)); [ $tried -le {accepted} ]; }}; }}"
        );
        let script = format!("{nc}\n{ATTEMPT}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-euc", &script]).stdout(std::process::Stdio::null());
        for (name, value) in [
            ("XTASK_CONTROL_HOST", "control"),
            ("XTASK_CONTROL_PORT", "1"),
            ("XTASK_HOSTS", "db"),
            ("XTASK_PORT", "2"),
        ] {
            shell.env(name, value);
        }
        shell.status().expect("there is a shell").code()
    }

    #[test]
    fn a_way_that_is_open_for_a_moment_is_none() {
        assert_eq!([0, 1, 2, 3].map(attempt), [Some(0), Some(0), Some(0), Some(REACHED)]);
    }
}
