//! `tests/connectivity.yaml`: who has to reach whom and who must not, for people to read and for `test` to try.

use crate::model::stack::{Client, Connectivity, Reach};

use super::yaml::{Writer, scalar};

const HEADER: &str = "\
# Who has to reach whom, and who must not: `cargo xtask test` tries every line from inside the service's own network.
# Generated; `integrate` keeps what you change here. `url`, `host`, `port`, `user`, `password` and `database` name
# variables of the service, so that what is tried is what the service is told. `client` is `http`, `tcp` or one of
# `clients` below.
";

pub(crate) fn render(connectivity: &Connectivity) -> String {
    let Connectivity { loopback, busybox, reaches, apart, clients } = connectivity;
    let mut out = Writer::default();
    out.line(0, "version: 1");
    out.line(0, "");
    out.line(0, "# Where published ports may listen: `loopback`, or `any` address of this machine.");
    out.pair(0, "published", if *loopback { "loopback" } else { "any" });
    out.line(0, "");
    out.line(0, "# The image whose tools are used where a server's own image has none.");
    out.pair(0, "busybox", busybox);
    if !reaches.is_empty() {
        out.line(0, "");
        out.line(0, "reaches:");
    }
    for (i, reach) in reaches.iter().enumerate() {
        if i == 0 || reaches[i - 1].from != reach.from {
            out.line(1, &format!("{}:", scalar(&reach.from)));
        }
        edge(&mut out, reach);
    }
    if !apart.is_empty() {
        out.line(0, "");
        out.line(0, "# The networks keep these apart, because nothing says that they need each other.");
        out.line(0, "apart:");
        for (service, components) in apart {
            out.flow(1, service, components);
        }
    }
    if !clients.is_empty() {
        out.line(0, "");
        out.line(
            0,
            "# Run by `sh` with XTASK_HOST, XTASK_PORT, XTASK_USER, XTASK_PASSWORD and XTASK_DATABASE.",
        );
        out.line(0, "clients:");
    }
    clients.iter().for_each(|one| client(&mut out, one));
    format!("{HEADER}{}", out.finish())
}

fn edge(out: &mut Writer, reach: &Reach) {
    let Reach { from: _, to, client, variables } = reach;
    out.line(2, &format!("{}:", scalar(to)));
    out.pair(3, "client", client);
    for (part, variable) in variables {
        out.pair(3, part, variable);
    }
}

fn client(out: &mut Writer, client: &Client) {
    let Client { name, busybox, script, refused, common } = client;
    out.line(1, &format!("{}:", scalar(name)));
    out.pair(2, "in", if *busybox { "busybox" } else { "server" });
    if !refused.is_empty() {
        out.flow(2, "refused", refused);
    }
    if let Some(common) = common {
        out.pair(2, "common", common);
    }
    out.block(2, "script", script);
}
