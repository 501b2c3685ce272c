//! `config.yaml`: written once with everything commented out, then the user's.

use crate::model::stack::Stack;

pub(crate) fn render(stack: &Stack) -> String {
    let Stack { inventory, bind, .. } = stack;
    let service = inventory.services.first();
    let name = service.map_or("orders", |service| service.name.as_str());
    let port = service.and_then(|service| service.ports.first()).map_or(3000, |port| port.container);
    let kind = inventory.infrastructure.first().map_or("postgres", |component| component.kind.as_str());
    format!(
        "# Your preferences; `cargo xtask integrate` obeys them and never rewrites this file.\n\
         # `cargo xtask explain NAME` shows what was found for a service and why.\n\
         \n\
         # name: {project}\n\
         \n\
         # services:\n\
         #   roots: [\"services/*\"]            # where services are\n\
         #   exclude: [\"services/legacy\"]     # what to leave out\n\
         #   {name}:\n\
         #     port: {port}                     # in the container\n\
         #     host_port: {port}                # on this machine\n\
         #     health: {{ http: /health }}       # or {{ tcp: {port} }}, {{ grpc: {port} }}, {{ command: [...] }}, none\n\
         #     requires: [+{kind}]          # +name adds, -name removes; without signs: exactly these\n\
         #     env: {{ LOG_LEVEL: debug }}\n\
         \n\
         # infrastructure:\n\
         #   {kind}: {{ version: \"…\" }}           # or {{ shared: false }}, {{ external: true, url: \"host:port\" }}\n\
         \n\
         # bind: {bind}                   # the address on which ports are published\n\
         # isolation: on                     # off: one network for all\n\
         # hot_reload: on\n",
        project = stack.name,
    )
}
