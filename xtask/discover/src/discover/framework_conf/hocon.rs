//! Reads the configuration of Ktor, Play and Akka (`application.conf`): the variables in it with the values beside them.

use std::sync::LazyLock;

use crate::discover::Source;
use crate::discover::findings::{Findings, Read};
use crate::discover::lang::Pattern;
use crate::model::fact::{Fact, PortSource};
use crate::model::path::RepoPath;

/// Deeper is no configuration that a person wrote.
const MAX_DEPTH: usize = 20;

/// `application.conf` and its siblings, and what lies beside them as a resource.
pub(super) fn wants(path: &RepoPath) -> bool {
    let is_resource = path.parent().is_some_and(|folder| matches!(folder.name(), "resources" | "conf"));
    path.extension() == "conf"
        && (path.name().starts_with("application") || is_resource)
        && !["nginx", "httpd", "apache", "supervisor", "redis", "logback"]
            .iter()
            .any(|other| path.as_str().contains(other))
        && !path.as_str().contains("src/test/")
}

/// `port = ${?PORT}`, `url: "jdbc:"${DB_URL}`.
static PLACEHOLDER: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"\$\{(?P<optional>\??)(?P<name><KEY>)\}"));
static SETTING: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"^"?(?P<setting>[\w.-]+)"?\s*(?:[:=]|\+=)\s*(?P<value>.+)$"#));

/// Adds what such a file says.
pub(super) fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    let mut sections: Vec<String> = Vec::new();
    // The setting of the line before with its literal: the one that a variable overrides stands below it.
    let mut before: Option<(String, String)> = None;
    for (line, content) in
        (1..).zip(source.text.lines()).filter(|(_, content)| content.len() < 1000).take(10_000)
    {
        let content = content.trim();
        if content.starts_with('#') || content.starts_with("//") {
            continue;
        }
        let setting = SETTING.first(content);
        let group = |name: &str| Some(setting.as_ref()?.name(name)?.as_str());
        let key = group("setting").map(|key| {
            if sections.is_empty() { key.to_owned() } else { format!("{}.{key}", sections.join(".")) }
        });
        let value = group("value").unwrap_or(content);
        let mut has_variable = false;
        for found in PLACEHOLDER.all(value, usize::MAX).take(20) {
            let Some(name) = found.name("name") else { continue };
            has_variable = true;
            let default = before.as_ref().filter(|(known, _)| Some(known) == key.as_ref());
            let is_whole = found.get(0).is_some_and(|whole| whole.len() == value.trim_matches('"').len());
            let default = default.filter(|_| is_whole).map(|(_, value)| value.as_str());
            let required = found.name("optional").is_none_or(|mark| mark.is_empty());
            findings.env(line, "hocon-placeholder", Read { name: name.as_str(), default, required });
        }
        let literal = value.trim_matches('"');
        if let Some(key) = key.filter(|_| !has_variable && !value.ends_with(['{', '['])) {
            own_port(line, &key, literal, &mut findings);
            before = Some((key, literal.to_owned()));
        }
        // `server {`, `a.b = {`.
        if content.ends_with('{') && sections.len() < MAX_DEPTH {
            let name = content.trim_end_matches(['{', ' ', '=', ':']).trim_matches('"');
            sections.push(name.to_owned());
        } else if content.starts_with('}') {
            sections.pop();
        }
    }
}

fn own_port(line: u32, key: &str, value: &str, findings: &mut Findings<'_, '_>) {
    let is_own = ["ktor.deployment.port", "play.server.http.port", "http.port", "server.port"].contains(&key);
    if let Some(port) = value.parse::<u16>().ok().filter(|_| is_own) {
        findings.port(line, "hocon-port", port, PortSource::FrameworkConfig, None);
    } else if value.contains("://") {
        findings.literal(line, "hocon", value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::framework_conf::ALL;
    use crate::discover::lang::testing::{say, survives, what};

    #[test]
    fn patterns_are_valid() {
        assert!(PLACEHOLDER.is_valid() && SETTING.is_valid());
    }

    #[test]
    fn variables_have_the_value_above_them_as_default() {
        let text = "ktor {\n  deployment {\n    port = 8080\n    port = ${?PORT}\n  }\n}\ndb {\n  host = \"localhost\"\n  host = ${?DB_HOST}\n  password = ${DB_PASSWORD}\n  url = \"jdbc:postgresql://\"${?DB_HOST}\"/shop\"\n}\n";
        assert_eq!(
            say(ALL, "a/src/main/resources/application.conf", text),
            [
                "3 hocon-port port 8080 FrameworkConfig",
                "4 hocon-placeholder env PORT 8080",
                "4 hocon-placeholder port 8080 Listen by PORT",
                "9 hocon-placeholder env DB_HOST localhost",
                "9 hocon-placeholder ref |localhost|-|- via DB_HOST",
                "10 hocon-placeholder env DB_PASSWORD - required",
                "11 hocon-placeholder env DB_HOST -",
            ]
        );
    }

    #[test]
    fn configurations_of_servers_are_left_alone() {
        assert!(what(ALL, "nginx/conf/default.conf", "listen ${PORT_X};").is_empty());
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(ALL, &["a/application.conf"]);
        let _ = what(ALL, "a/application.conf", &"a {\n b = ${A_B}\n".repeat(10_000));
    }
}
