//! All systems of this tool on this machine, by the labels of their containers; changes nothing.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::run::docker::Docker;
use crate::run::state::PROJECT_LABEL;

/// A Compose project with containers of this tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// The Compose project.
    pub project: String,
    /// The setup's folder.
    pub folder: String,
    /// Containers that are meant to keep running.
    pub wanted: usize,
    /// Those of them that run and are not unhealthy.
    pub well: usize,
    /// Those of them that run.
    pub running: usize,
    /// Ports on the host, in order.
    pub ports: Vec<u16>,
}

impl System {
    /// `running`, `unhealthy`, `partly running` or `stopped`.
    pub fn state(&self) -> &'static str {
        match (self.running, self.well) {
            (0, _) => "stopped",
            (running, well) if well < running => "unhealthy",
            (running, _) if running < self.wanted => "partly running",
            _ => "running",
        }
    }
}

/// Every system, by its project.
///
/// # Errors
/// When the engine does not answer.
pub fn all(docker: &Docker) -> Result<Vec<System>> {
    let label = |name: &str| format!("{{{{.Label \"{name}\"}}}}");
    let fields = [
        label(PROJECT_LABEL),
        label("com.docker.compose.project.working_dir"),
        label("xtask.role"),
        "{{.State}}".to_owned(),
        "{{.Status}}".to_owned(),
        "{{.Ports}}".to_owned(),
    ];
    let format = fields.join("\t");
    let command = docker.command(["ps", "--all", "--filter", "label=xtask.role", "--format", &format]);
    Ok(parse(&command.ask()?))
}

fn parse(text: &str) -> Vec<System> {
    let mut systems: BTreeMap<&str, System> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [project, folder, role, state, status, ports] = fields.as_slice() else { continue };
        let system = systems.entry(project).or_default();
        (*project).clone_into(&mut system.project);
        (*folder).clone_into(&mut system.folder);
        if *role == "one-shot" {
            continue;
        }
        system.wanted += 1;
        if *state == "running" {
            system.running += 1;
            system.well += usize::from(!status.contains("(unhealthy)"));
            system.ports.extend(host_ports(ports));
        }
    }
    let mut systems: Vec<System> = systems.into_values().collect();
    for system in &mut systems {
        system.ports.sort_unstable();
        system.ports.dedup();
    }
    systems
}

/// From `127.0.0.1:3000->3000/tcp, 5432/tcp`.
fn host_ports(text: &str) -> impl Iterator<Item = u16> {
    let published = text.split(", ").filter_map(|port| port.split_once("->"));
    published.filter_map(|(host, _)| host.rsplit(':').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_become_systems() {
        let text = "a\t/w/a\tservice\trunning\tUp 1 second (healthy)\t127.0.0.1:3001->3000/tcp, 9/tcp\n\
                    b\t/w/b\tservice\texited\tExited (0)\t\n\
                    a\t/w/a\tone-shot\texited\tExited (0)\t\n\
                    a\t/w/a\tcomponent\trunning\tUp 1 second (unhealthy)\t127.0.0.1:3000->5432/tcp\n\
                    c\t/w/c\tservice\trunning\tUp 1 second\t\nc\t/w/c\tservice\tcreated\tCreated\t\n";
        let systems = parse(text);
        let shown: Vec<(&str, &str, usize, usize)> = systems
            .iter()
            .map(|system| (system.project.as_str(), system.state(), system.running, system.wanted))
            .collect();
        assert_eq!(shown, [("a", "unhealthy", 2, 2), ("b", "stopped", 0, 1), ("c", "partly running", 1, 2)]);
        assert_eq!(systems[0].ports, [3000, 3001]);
        assert_eq!(systems[0].folder, "/w/a");
    }
}
