//! `docker-compose.test.yml`: the test environment, which runs beside others and forgets its data. Decides nothing.

use crate::model::stack::{Container, InTests, Mount, Stack};

use super::Layout;
use super::compose::mount;
use super::yaml::{Writer, scalar};

const HEADER: &str = "# The test environment, merged into docker-compose.yml by `cargo xtask up --env test`: data on tmpfs, free host ports.\n\
                      # Which ports they are, `cargo xtask status --env test` tells; each start gives others.\n";

pub(crate) fn render(stack: &Stack, layout: &Layout) -> String {
    let mut out = Writer::default();
    let concerned: Vec<&Container> =
        stack.containers.iter().filter(|container| container.in_tests != InTests::default()).collect();
    if concerned.is_empty() {
        return format!("{HEADER}services: {{}}\n");
    }
    out.line(0, "services:");
    for (i, each) in concerned.into_iter().enumerate() {
        if i > 0 {
            out.line(0, "");
        }
        out.line(1, &format!("{}:", scalar(&each.name)));
        container(&mut out, each, &stack.bind, layout);
    }
    format!("{HEADER}{}", out.finish())
}

fn container(out: &mut Writer, container: &Container, bind: &str, layout: &Layout) {
    let InTests { tmpfs, ports } = &container.in_tests;
    if !ports.is_empty() {
        // Without a port of the host, the engine takes a free one.
        let ports: Vec<String> = ports.iter().map(|port| format!("${{BIND_ADDR:-{bind}}}::{port}")).collect();
        out.list_instead(2, "ports", &ports);
    }
    if !tmpfs.is_empty() {
        let stays = |mount: &&Mount| match mount {
            Mount::Volume { target, .. } => !tmpfs.contains(target),
            Mount::Setup { .. } | Mount::Repo { .. } => true,
        };
        let mounts: Vec<String> =
            container.volumes.iter().filter(stays).map(|each| mount(each, layout)).collect();
        out.list_instead(2, "volumes", &mounts);
        out.list(2, "tmpfs", tmpfs);
    }
}
