//! Which words in documents name a topic and no service; sees words only.

/// Headings that name a topic and no service.
pub(super) fn is_topic(name: &str) -> bool {
    const TOPICS: &[&str] = &[
        "api",
        "apis",
        "architecture",
        "build",
        "building",
        "communication",
        "components",
        "configuration",
        "config",
        "contributing",
        "data",
        "database",
        "databases",
        "dependencies",
        "deployment",
        "description",
        "design",
        "development",
        "docker",
        "endpoints",
        "environment",
        "example",
        "examples",
        "features",
        "getting",
        "health",
        "infrastructure",
        "installation",
        "introduction",
        "license",
        "links",
        "monitoring",
        "networking",
        "notes",
        "overview",
        "port",
        "ports",
        "prerequisites",
        "quick",
        "requirements",
        "routes",
        "run",
        "running",
        "security",
        "services",
        "setup",
        "start",
        "structure",
        "summary",
        "table",
        "tech",
        "technologies",
        "technology",
        "testing",
        "tests",
        "troubleshooting",
        "usage",
        "variables",
        "service",
        "how",
        "local",
        "production",
        "stack",
        "system",
        "the",
        "what",
        "why",
        "project",
        "diagram",
        "integration",
        "readme",
        "flow",
        "note",
        "step",
        "steps",
        "environments",
        "observability",
        "responsibilities",
        "role",
        "roles",
        "tracing",
        "logging",
    ];
    // `Core Components`, `Prometheus Metrics`: what is told about several.
    const LAST: &[&str] = &[
        "architecture",
        "components",
        "configuration",
        "decisions",
        "dependencies",
        "diagram",
        "documentation",
        "endpoints",
        "flow",
        "metrics",
        "overview",
        "patterns",
        "requirements",
        "structure",
        "variables",
    ];
    // `API Gateway`, `Data Engine`; what begins with a verb is no name.
    const PROGRAMS: &[&str] = &["collector", "engine", "gateway", "processor", "server", "service", "worker"];
    const NOUNS: &[&str] = &["api", "data", "health", "integration", "monitoring", "project", "security"];
    // What a component is for, in tables of technologies.
    const PURPOSES: &[&str] = &[
        "caching",
        "load balancer",
        "message broker",
        "message queue",
        "reverse proxy",
        "search engine",
        "service discovery",
    ];
    let lower = name.to_ascii_lowercase();
    if PURPOSES.contains(&lower.as_str()) {
        return true;
    }
    let mut words = lower.split_whitespace();
    let (first, last) = (words.next().unwrap_or_default(), words.next_back());
    let is_program =
        last.is_some_and(|last| last == "service" || NOUNS.contains(&first) && PROGRAMS.contains(&last));
    last.is_some_and(|last| LAST.contains(&last)) || TOPICS.contains(&first) && !is_program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_from_programs_by_their_first_and_last_words() {
        for topic in [
            "Core Components",
            "API Endpoints",
            "Data Flow",
            "Role",
            "Running Server",
            "Message Broker",
            "Dual-Gateway Configuration",
        ] {
            assert!(is_topic(topic), "{topic}");
        }
        for name in ["API Gateway", "Data Engine", "Security Service", "orders", "metrics", "Orders API"] {
            assert!(!is_topic(name), "{name}");
        }
    }
}
