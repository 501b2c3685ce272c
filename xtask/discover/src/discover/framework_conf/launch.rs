//! Reads `launchSettings.json`: where a project of .NET listens when it is started from its sources. Says nothing about the
//! container, in which the file is not read.

use std::collections::BTreeSet;

use crate::discover::Source;
use crate::discover::findings::Findings;
use crate::model::fact::{Fact, What};

use super::flat::{json, plain_json};

/// The profiles of `dotnet run` only: those of IIS are for Windows.
pub(super) fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = source.text.trim_start_matches('\u{feff}');
    let Ok(value) = serde_json::from_str(&plain_json(text)) else { return };
    let entries = json(&value, text);
    let profile = |key: &str, name: &str| {
        let lower = key.to_ascii_lowercase();
        Some(lower.strip_prefix("profiles:")?.strip_suffix(name)?.to_owned())
    };
    let is_project = |entry: &&super::flat::Entry| entry.value.eq_ignore_ascii_case("Project");
    let projects: BTreeSet<String> =
        entries.iter().filter(is_project).filter_map(|entry| profile(&entry.key, ":commandname")).collect();
    let mut findings = Findings::new(source, facts);
    for entry in &entries {
        if !profile(&entry.key, ":applicationurl").is_some_and(|name| projects.contains(&name)) {
            continue;
        }
        for url in entry.value.split(';') {
            let port = url.trim().trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
            if let Some(port) = port.filter(|port| *port > 0) {
                findings.add(entry.line, "dotnet-launch-settings", What::DevelopmentPort { port });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::discover::framework_conf::ALL;
    use crate::discover::lang::testing::{survives, what};

    #[test]
    fn ports_of_dotnet_run_are_read_and_those_of_iis_are_not() {
        let text = r#"{ "iisSettings": { "iisExpress": { "applicationUrl": "http://localhost:1234" } },
            // as the templates write it
            "profiles": {
                "http": { "commandName": "Project", "applicationUrl": "https://localhost:7101;http://localhost:5101" },
                "IIS Express": { "commandName": "IISExpress", "applicationUrl": "http://localhost:1234" } } }"#;
        assert_eq!(
            what(ALL, "a/Properties/launchSettings.json", text),
            ["development port 5101", "development port 7101"]
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/Properties/launchSettings.json"]);
    }
}
