//! Who listens inside a container, from the kernel's own table of its network namespace; needs no tool in the image
//! and connects to nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::engine;
use crate::run::images::side_by_side;

/// How long a helper may take where the table cannot be read directly.
const LIMIT: Duration = Duration::from_secs(5);
/// Where the engine's own name server listens in every container.
const ENGINE_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// An open door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The address it is bound to.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
}

impl Listener {
    /// Whether only the container itself reaches it.
    pub fn is_loopback(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => {
                address.to_ipv4_mapped().map_or(address.is_loopback(), |mapped| mapped.is_loopback())
            }
        }
    }
}

/// `127.0.0.1:3000`, `[::1]:3000`
impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.address, self.port).fmt(f)
    }
}

/// The TCP listeners of running containers, in the order of the ids; `None` where nobody can tell. `helper` is an
/// image with `cat`, for engines whose processes are not on this machine.
///
/// # Errors
/// When the engine does not answer.
pub fn of(docker: &Docker, ids: &[&str], helper: Option<&str>) -> Result<Vec<Option<Vec<Listener>>>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let command = docker.command(["inspect", "--type", "container", "--format", "{{.Id}} {{.State.Pid}}"]);
    let said = command.args(ids.iter().copied()).output()?.stdout;
    let pid = |id: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(id))?;
        line.trim().parse::<u32>().ok().filter(|pid| *pid != 0)
    };
    let here = engine::remote().is_none();
    let answers = side_by_side(ids, |id| {
        let Some(pid) = pid(id) else { return Ok(None) };
        let direct = here.then(|| process(pid, id)).flatten();
        Ok(direct.or_else(|| through_a_container(docker, id, helper)))
    });
    answers.into_iter().collect()
}

/// From this machine's `/proc`, where that process is surely the container's.
#[allow(clippy::disallowed_methods, reason = "reads /proc, not the monorepo")]
fn process(pid: u32, id: &str) -> Option<Vec<Listener>> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    if !read("cgroup")?.contains(id) {
        return None;
    }
    Some(parse(&format!("{}{}", read("net/tcp")?, read("net/tcp6").unwrap_or_default())))
}

fn through_a_container(docker: &Docker, id: &str, helper: Option<&str>) -> Option<Vec<Listener>> {
    const TABLES: [&str; 3] = ["cat", "/proc/net/tcp", "/proc/net/tcp6"];
    let inside = docker.command(["exec", id]).args(TABLES);
    let network = format!("container:{id}");
    let beside = helper.map(|image| {
        docker.command(["run", "--rm", "--pull", "never", "--network", &network, image]).args(TABLES)
    });
    // Without IPv6 the second table is missing and the code is not 0; the first line of a table is its header.
    let tables = std::iter::once(inside).chain(beside).find_map(|command| {
        let output = command.output_within(LIMIT).ok().flatten()?;
        output.stdout.contains("local_address").then_some(output.stdout)
    })?;
    Some(parse(&tables))
}

/// The listeners in the text of `/proc/net/tcp` and `tcp6`, one after the other.
fn parse(tables: &str) -> Vec<Listener> {
    let mut found: Vec<Listener> = tables.lines().filter_map(listener).collect();
    found.retain(|listener| listener.address != ENGINE_DNS);
    found.sort_unstable();
    found.dedup();
    found
}

fn listener(line: &str) -> Option<Listener> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, local, _, "0A", ..] = fields.as_slice() else { return None };
    let (address, port) = local.rsplit_once(':')?;
    Some(Listener { address: address_of(address)?, port: u16::from_str_radix(port, 16).ok()? })
}

/// Words of 32 bits, each in the byte order of the machine; all machines that we run on have the low byte first.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_le_bytes);
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0
   3: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:0BB9 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
";

    #[test]
    fn listeners_are_read_and_the_engines_own_left_out() {
        let shown: Vec<String> = parse(TABLE)
            .iter()
            .map(|l| format!("{l} {}", if l.is_loopback() { "inside" } else { "all" }))
            .collect();
        assert_eq!(
            shown,
            [
                "0.0.0.0:8080 all",
                "127.0.0.1:3000 inside",
                "[::]:80 all",
                "[::1]:3001 inside",
                "[::ffff:127.0.0.1]:81 inside"
            ]
        );
    }
}
