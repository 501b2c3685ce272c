//! Reads `config/database.yml` of Rails: the server and the login that each environment has. Knows anchors and aliases,
//! and no template marks: what they hold is read as Ruby.

use std::collections::BTreeMap;

use crate::discover::findings::{Findings, Read};
use crate::model::fact::{Reference, What};

/// A mapping of the file: what it takes over, and its own keys with their lines.
#[derive(Debug, Default)]
struct Block<'t> {
    indent: usize,
    name: &'t str,
    anchor: Option<&'t str>,
    from: Vec<&'t str>,
    keys: BTreeMap<&'t str, (u32, &'t str)>,
}

/// More are no environments.
const MAX_BLOCKS: usize = 100;

/// Adds the servers that the environments name, but those of tests.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    let blocks = blocks(findings.source.text);
    overridden(findings, &blocks);
    let mut known: Vec<String> = Vec::new();
    for block in blocks.iter().filter(|block| !block.name.contains("test")) {
        let keys = resolved(block, &blocks, 0);
        let value = |name: &str| {
            let text = keys.get(name).map(|(_, value)| *value)?;
            (!text.is_empty() && !text.contains(['<', '%', '{', '$'])).then(|| text.to_owned())
        };
        let (Some(host), Some((line, _))) = (value("host"), keys.get("host")) else { continue };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host == "localhost"
            || host.starts_with("127.")
            || !host.chars().all(is_host)
            || known.contains(&host)
        {
            continue;
        }
        let scheme = match value("adapter").as_deref() {
            Some("postgresql" | "postgis") => "postgresql",
            Some("mysql2" | "trilogy" | "mysql") => "mysql",
            _ => "",
        };
        let reference = Reference {
            scheme: scheme.to_owned(),
            port: value("port").and_then(|port| port.parse().ok()),
            database: value("database"),
            user: value("username"),
            password: value("password"),
            raw: host.clone(),
            via: None,
            host: host.clone(),
        };
        findings.add(*line, "rails-database-host", What::Reference(reference));
        known.push(host);
    }
}

/// Rails takes `DATABASE_URL` for whatever the file says (Rails guides, "Configuring a Database"). Where the file fixes the
/// name, or means the own machine, as without a host, nothing else reaches a database here.
fn overridden(findings: &mut Findings<'_, '_>, blocks: &[Block<'_>]) {
    let is_open = |value: Option<&(u32, &str)>| value.is_some_and(|(_, value)| value.contains("ENV"));
    let mut fixed = None;
    for block in blocks.iter().filter(|block| !block.name.contains("test")) {
        let keys = resolved(block, blocks, 0);
        let (Some((line, adapter)), true) = (keys.get("adapter"), keys.contains_key("database")) else {
            continue;
        };
        if !["postgresql", "postgis", "mysql2", "trilogy"].contains(adapter) {
            return;
        }
        let host = keys.get("host").map_or("localhost", |(_, host)| *host);
        if !host.contains("ENV") && host != "localhost" && !host.starts_with("127.") {
            // The file names the server.
            return;
        }
        let is_moved = host.contains("ENV") && is_open(keys.get("database"));
        if !is_moved && !keys.contains_key("url") {
            fixed = fixed.or(Some(*line));
        }
    }
    if let Some(line) = fixed.filter(|_| !findings.source.text.contains("DATABASE_URL")) {
        let read = Read { name: "DATABASE_URL", ..Read::default() };
        findings.env(line, "rails-database-url", read);
    }
}

/// All mappings of the file, in order.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (line, content) in (1..).zip(text.lines()).filter(|(_, content)| content.len() < 500) {
        let plain = content.trim_start_matches(' ');
        let indent = content.len() - plain.len();
        let Some((key, value)) = plain.split_once(':').filter(|_| !plain.starts_with('#')) else { continue };
        let value = value.split(" #").next().unwrap_or_default().trim();
        open.retain(|at| blocks[*at].indent < indent);
        let anchor = value.strip_prefix('&');
        if value.is_empty() || anchor.is_some() {
            if blocks.len() < MAX_BLOCKS {
                open.push(blocks.len());
                blocks.push(Block { indent, name: key.trim(), anchor, ..Block::default() });
            }
        } else if let Some(block) = open.last().map(|at| &mut blocks[*at]) {
            match value.strip_prefix('*').filter(|_| key == "<<") {
                Some(other) => block.from.push(other),
                None => {
                    block.keys.insert(key.trim(), (line, value.trim_matches(['"', '\''])));
                }
            }
        }
    }
    blocks
}

/// A block's keys with those of the blocks that it takes over.
fn resolved<'t>(block: &Block<'t>, all: &[Block<'t>], depth: usize) -> BTreeMap<&'t str, (u32, &'t str)> {
    const MAX_DEPTH: usize = 5;
    let mut keys = BTreeMap::new();
    if depth < MAX_DEPTH {
        for name in block.from.iter().take(MAX_DEPTH) {
            if let Some(other) = all.iter().find(|other| other.anchor == Some(*name)) {
                keys.extend(resolved(other, all, depth + 1));
            }
        }
    }
    keys.extend(block.keys.iter().map(|(name, value)| (*name, *value)));
    keys
}

#[cfg(test)]
mod tests {
    use crate::discover::lang::ruby::SOURCE;
    use crate::discover::lang::testing::what;

    fn said(text: &str) -> Vec<String> {
        let all = what(&[SOURCE], "a/config/database.yml", text);
        all.into_iter().filter(|one| one.starts_with("ref ")).collect()
    }

    #[test]
    fn hosts_are_of_the_kind_of_their_adapter_through_anchors() {
        let text = "default: &default\n  pool: <%= ENV.fetch('N') { 5 } %>\nsqlite: &sqlite\n  <<: *default\n  adapter: sqlite3\n\
                    server: &server\n  <<: *default\n  adapter: postgresql\n  host: shop_database # ours\n  username: shop\n  password: \"secret\"\n\
                    test:\n  <<: *sqlite\ndevelopment:\n  <<: *server\n  database: shop_dev\n";
        assert_eq!(said(text), ["ref postgresql|shop_database|-|- via -"]);
        let mysql = "production:\n  primary:\n    adapter: mysql2\n    host: db\n    port: 3307\n    database: shop\n";
        assert_eq!(said(mysql), ["ref mysql|db|3307|shop via -"]);
    }

    #[test]
    fn what_the_file_fixes_the_variable_of_rails_overrides() {
        let reads = |text: &str| {
            let all = what(&[SOURCE], "a/config/database.yml", text);
            all.iter().filter(|one| one.starts_with("env DATABASE_URL")).count()
        };
        let file = |host: &str, database: &str, more: &str| {
            format!(
                "default: &default\n  adapter: postgresql\n{host}development:\n  <<: *default\n  database: {database}\ntest:\n  adapter: sqlite3\n  database: x\n{more}"
            )
        };
        let host = "  host: <%= ENV.fetch('DB_HOST') { 'localhost' } %>\n";
        assert_eq!(reads(&file("", "shop_development", "")), 1);
        assert_eq!(reads(&file(host, "shop_development", "")), 1);
        assert_eq!(reads(&file(host, "<%= ENV['DB_NAME'] %>", "")), 0);
        assert_eq!(reads(&file("  host: shop_database\n", "shop", "")), 0);
        assert_eq!(
            reads(&file("", "shop", "production:\n  adapter: sqlite3\n  database: storage/x.sqlite3\n")),
            0
        );
    }

    #[test]
    fn hosts_of_tests_of_this_machine_and_of_variables_are_none() {
        for text in [
            "test:\n  adapter: postgresql\n  host: db\n",
            "development:\n  adapter: postgresql\n  host: localhost\n",
            "development:\n  adapter: postgresql\n  host: <%= ENV['DB'] %>\n",
            "a: &a\n  <<: *a\n  host: x\nb: *c\n",
        ] {
            let found = said(text);
            assert!(found.iter().all(|one| one.starts_with("ref |x|")), "{text}: {found:?}");
        }
    }
}
