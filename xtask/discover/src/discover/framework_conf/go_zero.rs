//! What the configuration of programs with go-zero says beside ports and addresses: under which name a server of gRPC is
//! found in the registry, and by which names it finds others. Their files are `etc/NAME.yaml`.

use crate::discover::findings::Findings;
use crate::model::path::RepoPath;

use super::flat::Entry;

const RULE: &str = "go-zero-config";

/// Whether a file may be one of them.
pub(super) fn may_be(path: &RepoPath) -> bool {
    matches!(path.extension(), "yaml" | "yml") && path.parent().is_some_and(|folder| folder.name() == "etc")
}

/// Whether it is: each program has a name, and says where it listens or which servers it calls.
pub(super) fn is(entries: &[Entry]) -> bool {
    let has = |wanted: &[&str]| entries.iter().any(|entry| wanted.contains(&entry.key.as_str()));
    has(&["Name"]) && has(&["ListenOn", "Port", "Host", "Mode", "Brokers"])
}

/// The own names, and those of others below the clients' keys: `UserRpc.Etcd.Key: user.rpc`.
pub(super) fn names(entries: &[Entry], findings: &mut Findings<'_, '_>) {
    for entry in entries {
        match entry.key.as_str() {
            "Name" | "Etcd.Key" => findings.alias(entry.line, RULE, &entry.value),
            key if key.ends_with(".Etcd.Key") => {
                findings.literal(entry.line, RULE, &format!("lb://{}", entry.value));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::discover::framework_conf::ALL;
    use crate::discover::lang::testing::{say, what};

    #[test]
    fn servers_their_registry_and_those_whom_they_call_are_read() {
        let text = "Name: orders.rpc\nListenOn: 0.0.0.0:8080\nEtcd:\n  Hosts:\n    - registry:2379\n  Key: orders.rpc\n\
                    DB:\n  DataSource: root:pw@tcp(db:3306)/orders?parseTime=true\nCache:\n  - Host: cache:6379\n\
                    UsersRpc:\n  Etcd:\n    Hosts:\n      - registry:2379\n    Key: users.rpc\n";
        let mut lines = say(ALL, "orders/rpc/etc/orders.yaml", text);
        lines.retain(|line| !line.contains(" key "));
        assert_eq!(
            lines,
            [
                "1 go-zero-config alias orders.rpc",
                "2 app-config-port port 8080 FrameworkConfig Grpc",
                "5 app-config ref |registry|2379|- via -",
                "6 go-zero-config alias orders.rpc",
                "8 app-config ref mysql|db|3306|orders via -",
                "10 app-config ref |cache|6379|- via -",
                "14 app-config ref |registry|2379|- via -",
                "15 go-zero-config ref lb|users.rpc|-|- via -",
            ]
        );
    }

    #[test]
    fn other_files_in_such_a_folder_say_nothing() {
        assert!(what(ALL, "etc/rules.yaml", "Name: x\nrules:\n  - host: db:3306\n").is_empty());
        assert!(what(ALL, "etc/prices.yaml", "port: 8080\ndb: mysql://db/x\n").is_empty());
    }
}
