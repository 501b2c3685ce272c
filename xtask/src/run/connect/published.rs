//! Published ports: on this machine alone, unless the setup says otherwise. Asks the engine, and then the ports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::error::Failure;
use crate::run::remote;
use crate::run::state::{Container, HostPort};

use super::file::Published;
use super::pool::in_parallel;
use super::{Finding, ISOLATION, Wanted};

const LIMIT: Duration = Duration::from_millis(500);

/// Whether nothing listens for other machines.
pub(super) fn check(wanted: &Wanted, containers: &[Container]) -> Finding {
    let finding = Finding::new(ISOLATION, "ports on this machine only".to_owned(), &[]);
    if wanted.published == Published::Any {
        return finding.skipped("`published` is `any`");
    }
    let started = Instant::now();
    let all: Vec<(&Container, &HostPort)> = containers
        .iter()
        .flat_map(|container| container.ports.iter().map(move |port| (container, port)))
        .collect();
    if all.is_empty() {
        return finding.skipped("no port is published");
    }
    let bound = all.iter().filter(|(_, port)| !is_loopback(&port.address)).map(|(container, port)| {
        format!("port {} of `{}` listens on {}", port.host, container.service, shown(&port.address))
    });
    let mut wrong: Vec<String> = bound.collect();
    // The engine's word is one thing, a connection another; from here only where the engine runs here.
    if wrong.is_empty() && remote::host().is_none() {
        wrong = outward().map(|address| open(&all, address)).unwrap_or_default();
    }
    let finding = finding.took(started.elapsed());
    if wrong.is_empty() {
        return finding;
    }
    let failure = Failure::new("other machines can reach published ports").at(wanted.place(&["published"]));
    let failure = wrong.iter().fold(failure, Failure::why);
    finding.failed(failure.fix(
        "set BIND_ADDR=127.0.0.1 in the env file and take other addresses out of `ports`; or, where it is meant, \
         set `published: any`",
    ))
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn shown(address: &str) -> &str {
    if address.is_empty() { "every address" } else { address }
}

/// The address by which this machine talks to others; nothing is sent for it.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Reserved for documentation (RFC 5737): no machine has it.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// The ports that answer at that address and, as the control, on this machine itself.
fn open(ports: &[(&Container, &HostPort)], address: IpAddr) -> Vec<String> {
    let connects = |address: IpAddr, port: u16| {
        TcpStream::connect_timeout(&SocketAddr::new(address, port), LIMIT).is_ok()
    };
    let found = in_parallel(ports, |(container, port)| {
        let own = port.address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        (connects(own, port.host) && connects(address, port.host))
            .then(|| format!("port {} of `{}` answers at {address}", port.host, container.service))
    });
    found.into_iter().flatten().collect()
}
