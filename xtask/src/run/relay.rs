//! Stands in for a service that runs on the host (`up --without`): under its name in the system's networks, each of its
//! ports is passed on to the one on which it would be published. Writes text for Compose, and starts nothing.

use crate::run::spec::{ServiceSpec, Spec};

/// The kind of a stand-in, as its label says it.
pub const KIND: &str = "relay";
/// Two forms of busybox have two words for a server that takes more than one connection.
const SCRIPT: &str = "case $$(nc --help 2>&1) in *-ll*) many=-ll ;; *) many=-lk ;; esac; \
    for ports; do nc $$many -p $${ports%:*} -e nc host.docker.internal $${ports#*:} & done; wait";

/// Of the services that are left out those that others can call: they need a stand-in.
pub fn called<'s>(spec: &'s Spec, without: &[String]) -> Vec<&'s ServiceSpec> {
    let left_out = spec.services.iter().filter(|service| without.contains(&service.name));
    left_out.filter(|service| !ports(service).is_empty()).collect()
}

/// Container port and host port.
pub fn ports(service: &ServiceSpec) -> Vec<(u16, u16)> {
    let tcp = service.ports.iter().filter(|port| port.protocol == "tcp");
    tcp.filter_map(|port| Some((port.target, port.published?))).collect()
}

/// What Compose is told beside the files: the stand-ins, with the tools of that image.
pub fn overlay(services: &[&ServiceSpec], image: &str) -> String {
    let mut text = "services:\n".to_owned();
    for service in services {
        let all = ports(service);
        let ports: Vec<String> = all.iter().map(|(inside, host)| format!("{inside}:{host}")).collect();
        // For `health` and `smoke`, which ask by the container; the port of the service itself is the host's now.
        let published: Vec<String> =
            all.iter().map(|(inside, _)| format!("${{BIND_ADDR:-127.0.0.1}}::{inside}")).collect();
        text.push_str(&format!(
            "  {name:?}:\n    \
             image: {image:?}\n    \
             build: !reset null\n    \
             entrypoint: !override [\"sh\", \"-c\", {SCRIPT:?}, \"relay\"]\n    \
             command: !override {ports:?}\n    \
             user: !reset null\n    \
             working_dir: !reset null\n    \
             environment: !reset {{}}\n    \
             volumes: !reset []\n    \
             ports: !override {published:?}\n    \
             depends_on: !reset {{}}\n    \
             develop: !reset null\n    \
             init: true\n    \
             extra_hosts: !override [\"host.docker.internal:host-gateway\"]\n    \
             healthcheck: !override {{ test: [\"CMD\", \"true\"], interval: 1s, timeout: 3s, retries: 5 }}\n    \
             labels: {{ xtask.kind: {KIND} }}\n",
            name = service.name,
        ));
    }
    text
}

/// Two overlays about different services as one.
pub fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first + second.strip_prefix("services:\n").unwrap_or(&second)),
        (first, second) => first.or(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"services":{
        "api":{"image":"a","ports":[{"target":3000,"published":"3100","protocol":"tcp"},{"target":53,"published":"53","protocol":"udp"}]},
        "worker":{"image":"b"}}}"#;

    #[test]
    fn only_services_that_others_can_call_get_a_stand_in() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let names = |without: &[&str]| -> Vec<String> {
            let without: Vec<String> = without.iter().map(|name| (*name).to_owned()).collect();
            called(&spec, &without).iter().map(|service| service.name.clone()).collect()
        };
        assert_eq!(names(&["api", "worker"]), ["api"]);
        assert_eq!(names(&["worker"]), Vec::<String>::new());
        assert_eq!(ports(spec.service("api").unwrap()), [(3000, 3100)]);
    }

    #[test]
    fn a_stand_in_keeps_of_the_service_its_name_labels_and_networks() {
        let spec = Spec::parse(CONFIG, "p").unwrap();
        let text = overlay(&called(&spec, &["api".to_owned()]), "busybox:1");
        assert!(
            text.starts_with("services:\n  \"api\":\n    image: \"busybox:1\"\n    build: !reset null\n"),
            "{text}"
        );
        assert!(text.contains("    command: !override [\"3000:3100\"]\n"), "{text}");
        assert!(text.contains("    ports: !override [\"${BIND_ADDR:-127.0.0.1}::3000\"]\n"), "{text}");
        assert!(text.contains("    labels: { xtask.kind: relay }\n") && !text.contains("networks"), "{text}");
    }

    #[test]
    fn overlays_about_different_services_are_one() {
        let text = |name: &str| Some(format!("services:\n  {name}:\n    init: true\n"));
        let both = "services:\n  a:\n    init: true\n  b:\n    init: true\n";
        assert_eq!(joined(text("a"), text("b")).as_deref(), Some(both));
        assert_eq!((joined(None, text("b")), joined(text("a"), None)), (text("b"), text("a")));
    }
}
