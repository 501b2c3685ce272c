//! `tests/smoke/health-*.yaml`: one scenario for each service that answers over HTTP; and `openapi-*.yaml` for each
//! that has an API document, written once.

use crate::model::fact::{ApiDocument, HealthKind};
use crate::model::stack::Stack;

use super::yaml::{Writer, scalar};

pub(crate) fn render(stack: &Stack) -> Vec<(String, String)> {
    let health = stack.inventory.services.iter().filter_map(|service| {
        let health = service.health.as_ref().filter(|health| health.kind == HealthKind::Http)?;
        let path = health.path.as_deref()?;
        // Only what the host can reach is asked.
        service.ports.iter().find(|port| Some(port.container) == health.port && port.host.is_some())?;
        Some((format!("tests/smoke/health-{}.yaml", service.name), scenario(&service.name, path)))
    });
    let apis = stack.apis.iter();
    health
        .chain(apis.map(|api| (format!("tests/smoke/openapi-{}.yaml", api.service), of_document(api))))
        .collect()
}

fn of_document(api: &ApiDocument) -> String {
    let ApiDocument { service, document, paths } = api;
    let mut out = Writer::default();
    out.pair(0, "name", &format!("{service} answers what its API document lists"));
    let about = format!("Each GET of {document} that needs no parameter is not an error of the server.");
    out.pair(0, "description", &format!("{about} Written once: yours from now on."));
    out.pair(0, "service", service);
    out.line(0, "steps:");
    for path in paths {
        out.line(1, &format!("- request: {{ method: GET, path: {} }}", scalar(path)));
        out.line(1, "  expect: { status: [2xx, 3xx, 4xx] }");
    }
    out.finish()
}

fn scenario(service: &str, path: &str) -> String {
    format!(
        "name: {name}\n\
         steps:\n\
         \x20 - name: ask {service} whether it is healthy\n\
         \x20   service: {service_scalar}\n\
         \x20   request: {{ method: GET, path: {path} }}\n\
         \x20   expect: {{ status: 2xx }}\n",
        name = scalar(&format!("{service} is healthy")),
        service_scalar = scalar(service),
        path = scalar(path),
    )
}
