//! `docker-compose.override.yml`: what only local development wants; Compose merges it by itself.

use crate::model::stack::Stack;

use super::compose::port;
use super::yaml::Writer;

const HEADER: &str = "# For local development, merged into docker-compose.yml by Compose itself: ports of databases and queues.\n";

pub(crate) fn render(stack: &Stack) -> String {
    let mut out = Writer::default();
    let published: Vec<_> =
        stack.containers.iter().filter(|container| !container.local_ports.is_empty()).collect();
    if published.is_empty() {
        return format!("{HEADER}services: {{}}\n");
    }
    out.line(0, "services:");
    for (i, container) in published.into_iter().enumerate() {
        if i > 0 {
            out.line(0, "");
        }
        out.line(1, &format!("{}:", super::yaml::scalar(&container.name)));
        let ports: Vec<String> = container.local_ports.iter().map(|each| port(each, &stack.bind)).collect();
        out.list(2, "ports", &ports);
    }
    format!("{HEADER}{}", out.finish())
}
