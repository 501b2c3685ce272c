//! Whether the engine has addresses for the networks about to be made: its pools end after about thirty. Makes and
//! removes none.

use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::run::docker::Docker;
use crate::run::engine;
use crate::run::setup::{Setup, read_text};
use crate::run::spec::Spec;
use crate::ui::count;

/// What an engine takes where nobody has set `default-address-pools` (moby, `libnetwork/ipamutils`).
const DEFAULT_POOLS: [(&str, u8); 6] = [
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/13", 16),
    ("192.168.0.0/16", 20),
];
/// No engine has more than this many pools that are worth to be counted.
const ENOUGH: usize = 4096;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    first: u32,
    last: u32,
}

impl Subnet {
    fn new(address: u32, bits: u8) -> Subnet {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
        Subnet { first: address & mask, last: (address & mask) | !mask }
    }

    fn parse(text: &str) -> Option<Subnet> {
        let (address, bits) = text.trim().split_once('/')?;
        Some(Subnet::new(address.parse::<Ipv4Addr>().ok()?.into(), bits.parse().ok()?))
    }

    fn meets(&self, other: &Subnet) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A network as `docker network inspect` shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    #[serde(rename = "IPAM", default)]
    ipam: Ipam,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    config: Option<Vec<Range>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    #[serde(default)]
    subnet: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pool {
    base: String,
    size: u8,
}

/// Refuses a start whose new networks would not fit.
///
/// # Errors
/// When they do not fit, with the networks that could go; or when the engine does not answer.
pub fn check(docker: &Docker, setup: &Setup, spec: &Spec) -> Result<()> {
    let names = docker.command(["network", "ls", "--format", "{{.Name}}"]).ask()?;
    let names: Vec<&str> = names.lines().collect();
    let new = spec.networks.iter().filter(|name| !names.contains(&name.as_str())).count();
    if new == 0 {
        return Ok(());
    }
    let (networks, pools) = std::thread::scope(|scope| {
        let pools = scope.spawn(|| pools(docker));
        (networks(docker, &names), pools.join().unwrap_or_default())
    });
    let networks = networks?;
    let mut taken: Vec<Subnet> = networks.iter().flat_map(Network::subnets).collect();
    if engine::remote().is_none() {
        taken.extend(routes(&read_text("/proc/net/route".as_ref()).ok().flatten().unwrap_or_default()));
    }
    let free = pools.iter().filter(|pool| !taken.iter().any(|taken| taken.meets(pool))).count();
    if free >= new {
        return Ok(());
    }
    let idle = idle(docker, &names)?;
    Err(failure(setup, new, free, names.len(), &idle).into())
}

impl Network {
    fn subnets(&self) -> impl Iterator<Item = Subnet> {
        self.ipam.config.iter().flatten().filter_map(|range| Subnet::parse(&range.subnet))
    }
}

/// Networks that went between the list and now are left out: the code is 1 then, and the others stand on stdout.
fn networks(docker: &Docker, names: &[&str]) -> Result<Vec<Network>> {
    let command = docker.command(["network", "inspect"]).args(names.iter().copied());
    let output = command.output()?;
    serde_json::from_str(&output.stdout)
        .map_err(|why| Failure::new("cannot understand what `docker network inspect` prints").why(why).into())
}

/// Every subnet that the engine would give away, whether it is taken or not.
fn pools(docker: &Docker) -> Vec<Subnet> {
    let command = docker.command(["info", "--format", "{{json .DefaultAddressPools}}"]);
    let said = command.read().unwrap_or_default();
    let own: Vec<Pool> = serde_json::from_str::<Option<Vec<Pool>>>(&said).ok().flatten().unwrap_or_default();
    if own.is_empty() {
        return DEFAULT_POOLS.iter().flat_map(|(base, size)| spread(base, *size)).collect();
    }
    own.iter().flat_map(|pool| spread(&pool.base, pool.size)).collect()
}

fn spread(base: &str, size: u8) -> Vec<Subnet> {
    let Some(base) = Subnet::parse(base) else { return Vec::new() };
    let step = 1u64 << (32 - u32::from(size.clamp(1, 32)));
    let firsts = (u64::from(base.first)..=u64::from(base.last)).step_by(usize::try_from(step).unwrap_or(1));
    firsts.take(ENOUGH).filter_map(|first| Some(Subnet::new(u32::try_from(first).ok()?, size))).collect()
}

/// Where this machine itself sends packets, from the kernel's table; its default route says nothing.
fn routes(table: &str) -> Vec<Subnet> {
    let hex = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::swap_bytes);
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, mask) = (hex(fields.get(1)?)?, hex(fields.get(7)?)?);
        (mask != 0).then(|| Subnet::new(address, u8::try_from(mask.leading_ones()).unwrap_or(32)))
    });
    routes.collect()
}

/// Networks that no container has, not even a stopped one.
fn idle(docker: &Docker, names: &[&str]) -> Result<Vec<String>> {
    let used = docker.command(["ps", "--all", "--no-trunc", "--format", "{{.Networks}}"]).ask()?;
    let used: Vec<&str> = used.split(['\n', ',']).map(str::trim).collect();
    let spare =
        names.iter().filter(|name| !["bridge", "host", "none"].contains(name) && !used.contains(name));
    Ok(spare.map(|name| (*name).to_owned()).collect())
}

fn failure(setup: &Setup, new: usize, free: usize, all: usize, idle: &[String]) -> Failure {
    let has = match free {
        0 => "no address pool free".to_owned(),
        1 => "1 address pool free".to_owned(),
        free => format!("{free} address pools free"),
    };
    let verb = if new == 1 { "does" } else { "do" };
    let failure = Failure::new(format!(
        "{} of `{}` {verb} not fit: the engine has {has}",
        count(new, "new network"),
        setup.project
    ))
    .why(format!("the engine has {} already", count(all, "network")));
    if idle.is_empty() {
        return failure
            .why("containers use all of them")
            .fix("stop another system (`docker compose ls` shows them), or widen `default-address-pools` in daemon.json");
    }
    failure
        .why(format!("no container uses {}", crate::ui::list(idle)))
        .fix(format!("docker network rm {}", idle.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_without_pools_of_its_own_has_thirty_one() {
        let all: Vec<Subnet> = DEFAULT_POOLS.iter().flat_map(|(base, size)| spread(base, *size)).collect();
        assert_eq!(all.len(), 31);
        assert!(all.contains(&Subnet::parse("172.31.0.0/16").unwrap()));
        assert!(all.contains(&Subnet::parse("192.168.240.0/20").unwrap()));
    }

    #[test]
    fn a_subnet_of_another_size_takes_the_pool_it_lies_in() {
        let pool = Subnet::parse("192.168.16.0/20").unwrap();
        for (other, meets) in [("192.168.31.0/24", true), ("192.168.32.0/24", false), ("192.0.0.0/8", true)] {
            assert_eq!(pool.meets(&Subnet::parse(other).unwrap()), meets, "{other}");
        }
        assert_eq!(Subnet::parse("fd00::/64"), None);
    }

    #[test]
    fn routes_of_the_machine_are_read_and_the_default_one_left() {
        let table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
            eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\neth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
        assert_eq!(routes(table), [Subnet::parse("192.168.1.0/24").unwrap()]);
    }
}
