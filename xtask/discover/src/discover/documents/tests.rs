//! Documents of several shapes, and what they say.

use super::*;
use crate::discover::lang::testing::{survives, what};

fn doc(path: &str, text: &str) -> Vec<String> {
    what(ALL, path, text)
}

const ARCHITECTURE: &str = "workspace/output/architecture/architecture.md";
const SERVICE: &str = "workspace/output/services/accounts/service.md";

#[test]
fn tables_of_services_are_read() {
    let text = "## Services\n| Service | Port | Technology | Database | Depends on |\n|---|---|---|---|---|\n\
        | trading | 3000 | Python | PostgreSQL (orders) | accounts, `market` |\n| market | 3002 | Rust | Redis (client 8) | - |\n";
    assert_eq!(
        doc(ARCHITECTURE, text),
        [
            "[trading] mention PostgreSQL orders",
            "[trading] mention accounts -",
            "[trading] mention market -",
            "[trading] port 3000 Document",
            "[market] mention Redis -",
            "[market] port 3002 Document",
        ]
    );
}

#[test]
fn lists_below_a_services_heading_are_read() {
    let text = "# Platform\n### 1. Trading Service\n- **Port**: 3000\n- Health: `GET /health`\n- Depends on: accounts and market\n\n### Overview\n- Port: 1234\n";
    assert_eq!(
        doc(ARCHITECTURE, text),
        [
            "[Trading Service] port 3000 Document",
            "[Trading Service] health Http /health",
            "[Trading Service] mention accounts -",
            "[Trading Service] mention market -",
        ]
    );
}

#[test]
fn nested_lists_and_sentences_are_read() {
    let text = "- trading (port 3000)\n  - Database: PostgreSQL\n- market: port 3002\n- trading → accounts, market\n- trading calls billing\n";
    assert_eq!(
        doc(ARCHITECTURE, text),
        [
            "[trading] port 3000 Document",
            "[trading] mention PostgreSQL -",
            "[market] port 3002 Document",
            "[trading] mention accounts -",
            "[trading] mention market -",
            "[trading] mention billing -",
        ]
    );
}

#[test]
fn a_services_own_document_is_about_it() {
    let text = "# accounts\n- Port: 3001\n- Database: PostgreSQL\n- Health endpoint: `GET /health`\n- Dependencies: none\n\n## Environment\n\
        | Variable | Required | Default | Description |\n|---|---|---|---|\n| `KEY` | yes | | Signs |\n| `PORT` | no | `3001` | Listens |\n\n\
        ## Endpoints\n| Method | Path | Answers |\n|---|---|---|\n| GET | `/health` | 200 |\n| POST | `/status` | 201 |\n";
    assert_eq!(
        doc(SERVICE, text),
        [
            "[accounts] port 3001 Document",
            "[accounts] mention PostgreSQL -",
            "[accounts] health Http /health",
            "[accounts] env KEY - required",
            "[accounts] value KEY= Document",
            "[accounts] port 3001 Document by PORT",
            "[accounts] value PORT=3001 Document",
            "[accounts] health Http /health",
        ]
    );
}

#[test]
fn a_readme_beside_the_code_is_about_that_service() {
    assert_eq!(doc("code/market/README.md", "Port: 3002\n"), ["port 3002 Document"]);
    assert_eq!(doc("README.md", "Port: 3002\n"), Vec::<String>::new());
    assert_eq!(doc("notes/plan.md", "Port: 3002\n"), Vec::<String>::new());
}

#[test]
fn graphs_say_who_needs_whom() {
    let text = "```mermaid\ngraph TD\n  user((User)) --> trading\n  trading[trading :3000] --> A[Accounts Service<br/>port 3001]\n  trading --> db[(PostgreSQL: trading)]\n  kafka{{Kafka}} --> A\n```\n";
    assert_eq!(
        doc(ARCHITECTURE, text),
        [
            "[Accounts Service] port 3001 Document",
            "[trading] mention Accounts Service -",
            "[trading] port 3000 Document",
            "[trading] mention PostgreSQL trading",
            "[Accounts Service] mention Kafka -",
        ]
    );
}

#[test]
fn tables_of_calls_are_read() {
    let text = "| From | To | Protocol |\n|---|---|---|\n| trading | accounts | HTTP |\n";
    assert_eq!(doc("ARCHITECTURE.md", text), ["[trading] mention accounts -"]);
}

#[test]
fn hostile_documents_are_survived() {
    survives(ALL, &["README.md", ARCHITECTURE, "a/README.md"]);
    for text in [
        "|".repeat(20_000),
        "- ".repeat(5_000),
        "[".repeat(20_000),
        format!("```mermaid\ngraph TD\n{}", "a --> ".repeat(20_000)),
    ] {
        let _ = doc(ARCHITECTURE, &text);
    }
}

#[test]
fn table_with_ports_of_hosts_and_of_containers_gives_those_of_containers() {
    let text = "| Service | Host port | Container port | Debug port |\n|---|---|---|---|\n| Trading | 8080 | 80 | 6669 |\n";
    let said = doc("README.md", text);
    assert_eq!(said.iter().filter(|fact| fact.contains("port")).count(), 1, "{said:?}");
    assert!(said.iter().any(|fact| fact.contains("port 80 ")), "{said:?}");
}

#[test]
fn ports_of_databases_beside_services_are_not_theirs() {
    let text = "| Service | DB | Port |\n|---|---|---|\n| auth | auth_db (PostgreSQL) | 5432 |\n| pages | - | 8086 |\n";
    let said = doc("README.md", text);
    let ports: Vec<&String> = said.iter().filter(|fact| fact.contains(" port ")).collect();
    assert_eq!(ports, ["[pages] port 8086 Document"], "{said:?}");
}
