//! Who holds a port of this machine: a container or a process; reads the engine and `/proc`, ends nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use crate::run::state::Publisher;

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A container, of this project or another one.
    Container(Publisher),
    /// A process of this machine.
    Process {
        /// Its id.
        pid: u32,
        /// Its name.
        name: String,
    },
    /// Somebody; the system does not say who.
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Container(publisher) if publisher.project.is_empty() => {
                write!(f, "the container `{}`", publisher.name)
            }
            Holder::Container(publisher) => {
                write!(f, "the container `{}` of the project `{}`", publisher.name, publisher.project)
            }
            Holder::Process { pid, name } => write!(f, "the process `{name}` (pid {pid})"),
            Holder::Unknown => f.write_str("another program"),
        }
    }
}

/// Whether nobody listens there: tried by listening, on both families where `address` is empty.
pub fn is_free(address: &str, port: u16) -> bool {
    let addresses: Vec<IpAddr> = match address.parse() {
        Ok(address) => vec![address],
        Err(_) => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
    };
    addresses.into_iter().all(|address| match TcpListener::bind((address, port)) {
        Ok(_) => true,
        // No right to the port or no such address here is the engine's business, not a taken port.
        Err(why) => why.kind() != std::io::ErrorKind::AddrInUse,
    })
}

/// Who listens on the port, containers first.
pub fn of(port: u16, publishers: &[Publisher]) -> Holder {
    let publisher = publishers.iter().find(|publisher| publisher.ports.iter().any(|own| own.host == port));
    if let Some(publisher) = publisher {
        return Holder::Container(publisher.clone());
    }
    process(port).unwrap_or(Holder::Unknown)
}

#[allow(clippy::disallowed_methods, reason = "reads /proc, not the monorepo")]
fn process(port: u16) -> Option<Holder> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|text| listening_inodes(&text, port))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(open) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = open.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|link| {
            let link = link.to_string_lossy();
            link.strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inode| inodes.iter().any(|known| known == inode))
        });
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(Holder::Process { pid, name: name.trim().to_owned() });
        }
    }
    None
}

/// The sockets that listen on a port, from the text of `/proc/net/tcp` or `tcp6`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let mut inodes = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, "0A", ..] = fields.as_slice() else { continue };
        let own = local.rsplit_once(':').and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
        if own == Some(port)
            && let Some(inode) = fields.get(9)
        {
            inodes.push((*inode).to_owned());
        }
    }
    inodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_found_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n\
             1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n";
        assert_eq!(listening_inodes(table, 3000), ["4711"]);
        assert!(listening_inodes(table, 3001).is_empty());
    }

    #[test]
    fn a_port_that_we_hold_is_not_free_and_is_ours() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free("127.0.0.1", port));
        if cfg!(target_os = "linux") {
            assert!(matches!(of(port, &[]), Holder::Process { pid, .. } if pid == std::process::id()));
        }
        drop(listener);
        assert!(is_free("127.0.0.1", port));
    }
}
