//! What Kibana and Logstash are told in their own files, where an image of them is built here: which Elasticsearch they
//! use, and where Logstash listens. Reads no files of other services.

use crate::catalog::Catalog;
use crate::model::fact::{Fact, PortSource, Protocol, Purpose, ServiceFacts};
use crate::model::path::RepoPath;
use crate::repo::Repo;

use super::Source;
use super::findings::Findings;

const RULE: &str = "elastic-settings";

/// More files below one folder are not its settings.
const MAX_FILES: usize = 50;
const MAX_LINES: usize = 2_000;

/// Which of the two an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    Kibana,
    Logstash,
}

impl Product {
    fn of(base: &str) -> Option<Product> {
        let name = base.split('@').next()?.rsplit('/').next()?.split(':').next()?;
        match name.trim_end_matches("-oss") {
            "kibana" => Some(Product::Kibana),
            "logstash" => Some(Product::Logstash),
            _ => None,
        }
    }

    fn reads(self, file: &RepoPath) -> bool {
        let is_settings = matches!(file.extension(), "yml" | "yaml");
        is_settings || self == Product::Logstash && file.extension() == "conf"
    }
}

/// Facts of the files beside the Dockerfile of a service that is one of these.
pub(super) fn facts(repo: &Repo, catalog: &Catalog, service: &ServiceFacts) -> Vec<Fact> {
    let mut facts = Vec::new();
    let Some(product) = Product::of(&service.image.base).filter(|_| !service.path.is_root()) else {
        return facts;
    };
    let files = repo.files_in(&service.path).iter().filter(|file| product.reads(file)).take(MAX_FILES);
    for file in files {
        let Ok(text) = repo.text(file) else { continue };
        let source = Source { path: file, text: &text.text, catalog };
        let mut findings = Findings::new(&source, &mut facts);
        if file.extension() == "conf" {
            pipeline(&text.text, &mut findings);
        } else {
            settings(&text.text, &mut findings);
        }
    }
    facts
}

fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim)).take(MAX_LINES);
    lines.filter(|(_, line)| !line.starts_with('#') && line.len() < 1_000)
}

/// `elasticsearch.hosts: [ http://search:9200 ]`, and a list below the key.
fn settings(text: &str, findings: &mut Findings<'_, '_>) {
    let mut is_inside = false;
    for (number, line) in lines(text) {
        let is_item = line.starts_with('-');
        let is_key = ["elasticsearch.hosts", "elasticsearch.url"].iter().any(|key| line.contains(key));
        is_inside = is_key || is_item && is_inside;
        if is_inside {
            addresses(number, line, findings);
        }
    }
}

/// `input { beats { port => 5044 } }` and `output { elasticsearch { hosts => ["search:9200"] } }`.
fn pipeline(text: &str, findings: &mut Findings<'_, '_>) {
    let mut is_input = false;
    let mut plugin = "";
    for (number, line) in lines(text) {
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || matches!(c, '{' | '}')).collect();
        for word in words.iter().filter(|word| !word.is_empty()) {
            match *word {
                "input" => is_input = true,
                "filter" | "output" => is_input = false,
                "beats" | "elastic_agent" | "http" | "syslog" | "tcp" => plugin = word,
                _ => {}
            }
        }
        if line.contains("hosts") {
            addresses(number, line, findings);
        }
        let port = line.split("port").nth(1).and_then(|rest| rest.trim_start().strip_prefix("=>"));
        let number_of =
            |rest: &str| rest.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok();
        if let Some(port) = port.and_then(number_of).filter(|_| is_input && !plugin.is_empty()) {
            let protocol = if plugin == "http" { Protocol::Http } else { Protocol::Tcp };
            let known = (None, protocol, Purpose::Main);
            findings.port_as(number, RULE, port, PortSource::FrameworkConfig, known);
        }
    }
}

fn addresses(line: u32, text: &str, findings: &mut Findings<'_, '_>) {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\'' | ',' | '>'));
    for word in words.filter(|word| !word.contains('$')) {
        if word.contains("://") {
            findings.literal(line, RULE, word);
        } else if let Some((host, port)) = word.split_once(':')
            && let Ok(port) = port.parse::<u16>()
            && !host.is_empty()
        {
            findings.host(line, RULE, host, Some(port));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::{Fact, What};
    use crate::repo::Repo;

    /// The ports and hosts that the settings of such an image say.
    fn said(base: &str, file: &str, text: &str) -> Vec<String> {
        let tree = format!(
            "//- /logs/Dockerfile\nFROM {base}\nCOPY . /settings\n//- /logs/{file}\n{text}\n//- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/main.py\n\n"
        );
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let say = |fact: &Fact| match &fact.what {
            What::Port { port, protocol, .. } => Some(format!("{port} {protocol:?} {}", fact.at.line)),
            What::Reference(reference) => Some(format!("{} {:?}", reference.host, reference.port)),
            _ => None,
        };
        let logs = facts.services.iter().find(|service| service.name == "logs").expect("is found");
        logs.facts.iter().filter(|fact| fact.at.rule == super::RULE).filter_map(say).collect()
    }

    #[test]
    fn kibana_needs_the_servers_of_its_settings() {
        let text = "server.host: 0.0.0.0\nelasticsearch.hosts: [ http://search:9200 ]\nxpack.fleet.agents.hosts: [ http://fleet:8220 ]";
        let search = ["search Some(9200)"];
        assert_eq!(said("docker.elastic.co/kibana/kibana:8.6.2", "config/kibana.yml", text), search);
        let list = "elasticsearch.hosts:\n  - \"http://search:9200\"\nother:\n  - http://fleet:8220\n# elasticsearch.url: http://old:1";
        assert_eq!(said("kibana:7", "kibana.yml", list), search);
        assert_eq!(said("python:3", "kibana.yml", list), [""; 0]);
    }

    #[test]
    fn logstash_listens_for_its_inputs_and_needs_its_outputs() {
        let text = "input {\n  beats {\n    port => 5044\n  }\n  http { port => 8080 }\n}\nfilter {\n  mutate { add_field => { port => 1 } }\n}\n\
                    output {\n  elasticsearch {\n    hosts => [\"search:9200\", \"${MORE}\"]\n  }\n  tcp { host => \"x\" port => 9 }\n}\n";
        assert_eq!(
            said("logstash:8.6.2", "pipeline/logstash.conf", text),
            ["5044 Tcp 3", "8080 Http 5", "search Some(9200)"]
        );
        let settings = "http.host: 0.0.0.0\nxpack.monitoring.elasticsearch.hosts: http://search:9200";
        assert_eq!(said("logstash:8.6.2", "logstash.yml", settings), ["search Some(9200)"]);
    }
}
