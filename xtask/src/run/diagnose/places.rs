//! Where things stand in the setup's files and in a service's Dockerfile: `path:line` out of texts. Reads no file.

/// The texts that a place can be in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    service: String,
    /// Shown path and text of the compose files, those that override first.
    files: Vec<(String, String)>,
    /// Shown path and text of the Dockerfile, where the image is built here.
    dockerfile: Option<(String, String)>,
    /// The shown path of `config.yaml`, where there is one.
    config: Option<String>,
}

impl Places {
    /// The places of a service; the compose files in the order in which they override each other.
    pub fn new(
        service: &str,
        mut files: Vec<(String, String)>,
        dockerfile: Option<(String, String)>,
        config: Option<String>,
    ) -> Places {
        files.reverse();
        Places { service: service.to_owned(), files, dockerfile, config }
    }

    /// Where the service stands, in the base file if it stands there.
    pub fn service(&self) -> String {
        let found =
            self.files.iter().rev().find_map(|(shown, text)| {
                block(text, &self.service).map(|(line, _)| format!("{shown}:{line}"))
            });
        found.unwrap_or_else(|| self.file().to_owned())
    }

    /// The first of the service's keys that a file has, by any of these names, at any depth.
    pub fn key(&self, names: &[&str]) -> Option<String> {
        self.files.iter().find_map(|(shown, text)| {
            let (first, lines) = block(text, &self.service)?;
            let is_key = |line: &&str| {
                let key =
                    line.trim_start().trim_start_matches("- ").split([':', '=']).next().unwrap_or_default();
                names.contains(&key.trim_matches(['"', '\'']))
            };
            let at = lines.iter().position(is_key)?;
            Some(format!("{shown}:{}", first + 1 + at))
        })
    }

    /// The base compose file.
    pub fn file(&self) -> &str {
        self.files.last().map_or("docker-compose.yml", |(shown, _)| shown)
    }

    /// The Dockerfile.
    pub fn dockerfile(&self) -> Option<String> {
        self.dockerfile.as_ref().map(|(shown, _)| shown.clone())
    }

    /// `config.yaml`, where there is one.
    pub fn config(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// The line of the last of these instructions in the Dockerfile.
    pub fn instruction(&self, names: &[&str]) -> Option<String> {
        let (shown, text) = self.dockerfile.as_ref()?;
        let is_it = |line: &str| {
            let word = line.split_whitespace().next().unwrap_or_default();
            names.iter().any(|name| word.eq_ignore_ascii_case(name))
        };
        let at = text.lines().enumerate().filter(|(_, line)| is_it(line)).last()?.0;
        Some(format!("{shown}:{}", at + 1))
    }
}

/// The line of a service in a compose file, and the lines below it that are its own.
fn block<'a>(text: &'a str, service: &str) -> Option<(usize, Vec<&'a str>)> {
    let lines: Vec<&str> = text.lines().collect();
    let start = service_line(text, service)?;
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = depth(lines.get(start - 1)?);
    let inside = |line: &&&str| line.trim().is_empty() || depth(line) > own;
    Some((start, lines[start..].iter().take_while(inside).copied().collect()))
}

/// The line on which a service begins; a namesake among the networks, or in `depends_on`, is none.
pub fn service_line(text: &str, service: &str) -> Option<usize> {
    let mut inside = false;
    let mut depth = None;
    for (index, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            inside = line.starts_with("services:");
            depth = None;
            continue;
        }
        if !inside || line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let own = line.len() - line.trim_start().len();
        if own != *depth.get_or_insert(own) {
            continue;
        }
        let key = line.split(':').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        if key == service {
            return Some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "networks:\n  api: {}\nservices:\n  web:\n    depends_on:\n      api:\n        condition: x\n  \
                        # ours\n  api: # the API\n    image: x\n    environment:\n      A_KEY: b\n\n    healthcheck:\n      test: y\n";

    fn places() -> Places {
        let dockerfile = ("api/Dockerfile".to_owned(), "FROM a\ncmd [\"a\"]\nCMD [\"b\"]\n".to_owned());
        let over = ("o.yml".to_owned(), "services:\n  api:\n    mem_limit: 1m\n".to_owned());
        Places::new("api", vec![("c.yml".to_owned(), FILE.to_owned()), over], Some(dockerfile), None)
    }

    #[test]
    fn a_service_is_found_in_the_file_and_not_its_namesakes() {
        assert_eq!(service_line(FILE, "api"), Some(9));
        assert_eq!(service_line(FILE, "nope"), None);
        assert_eq!(places().service(), "c.yml:9");
    }

    #[test]
    fn keys_are_found_in_the_services_own_block_only() {
        let at = |name: &str| places().key(&[name]);
        assert_eq!(at("healthcheck").as_deref(), Some("c.yml:14"));
        assert_eq!(at("A_KEY").as_deref(), Some("c.yml:12"));
        assert_eq!(at("mem_limit").as_deref(), Some("o.yml:3"));
        assert_eq!(at("depends_on"), None);
    }

    #[test]
    fn the_last_command_of_a_dockerfile_counts() {
        assert_eq!(places().instruction(&["CMD", "ENTRYPOINT"]).as_deref(), Some("api/Dockerfile:3"));
        assert_eq!(places().instruction(&["USER"]), None);
    }
}
