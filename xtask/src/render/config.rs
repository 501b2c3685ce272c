//! `config.yaml`: written once with everything commented out, then the user's.

use crate::model::stack::Stack;

pub(crate) fn render(stack: &Stack) -> String {
    let Stack { inventory, bind, .. } = stack;
    let service = inventory.services.first();
    let name = service.map_or("orders", |service| service.name.as_str());
    let port = service.and_then(|service| service.ports.first()).map_or(3000, |port| port.container);
    let kind = inventory.infrastructure.first().map_or("postgres", |component| component.kind.as_str());
    let mut out = format!(
        "# Your preferences: `cargo xtask integrate` obeys them, and changes this file only where you say `--set KEY=VALUE`.\n\
         # `cargo xtask integrate --mode review` shows every decision with its reason, and asks.\n\n# name: {}\n",
        stack.name
    );
    let mut block = |lines: &[(String, &str)]| {
        out.push('\n');
        for (key, meaning) in lines {
            let line =
                if meaning.is_empty() { format!("# {key}") } else { format!("# {key:<48} # {meaning}") };
            out.push_str(&line);
            out.push('\n');
        }
    };
    block(&[
        ("services:".to_owned(), ""),
        ("  roots: [\"services/*\"]".to_owned(), "where services are"),
        ("  exclude: [\"services/legacy\"]".to_owned(), "what to leave out"),
        (format!("  {name}:"), ""),
        (format!("    port: {port}"), "in the container"),
        (format!("    host_port: {port}"), "on this machine"),
        (
            "    health: { http: /health }".to_owned(),
            "or { tcp: PORT }, { grpc: PORT }, { command: [...] }, none",
        ),
        (format!("    requires: [+{kind}]"), "+name adds, -name removes; without signs: exactly these"),
        ("    env: { LOG_LEVEL: debug }".to_owned(), "wins over everything found"),
        ("    build: { context: ., target: dev }".to_owned(), "args: too"),
    ]);
    block(&[
        ("infrastructure:".to_owned(), ""),
        (
            format!("  {kind}: {{ version: \"…\", shared: true }}"),
            "also image, host_port; or { external: true, url: \"host:port\" }",
        ),
    ]);
    block(&[
        (format!("bind: {bind}"), "the address on which ports are published"),
        ("isolation: on".to_owned(), "off: one network for all"),
        ("hot_reload: on".to_owned(), ""),
    ]);
    out
}
