//! `tests/smoke/health-*.yaml`: one scenario for each service that answers over HTTP.

use crate::model::fact::HealthKind;
use crate::model::stack::Stack;

use super::yaml::scalar;

pub(crate) fn render(stack: &Stack) -> Vec<(String, String)> {
    stack
        .inventory
        .services
        .iter()
        .filter_map(|service| {
            let health = service.health.as_ref().filter(|health| health.kind == HealthKind::Http)?;
            let path = health.path.as_deref()?;
            // Only what the host can reach is asked.
            service.ports.iter().find(|port| Some(port.container) == health.port && port.host.is_some())?;
            Some((format!("tests/smoke/health-{}.yaml", service.name), scenario(&service.name, path)))
        })
        .collect()
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
