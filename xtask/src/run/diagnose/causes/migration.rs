//! A migration that failed: its name as the tool prints it, and what the database said. Names none where only the tool
//! could tell which one it was.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// The traces of a tool.
struct Tool {
    /// The first bracket is the migration's name, a second one more about it.
    name: &'static str,
    /// Also printed of a migration that goes well: counts for a one-shot only, whose failure is the last one's.
    also_when_well: bool,
    /// What the database said, below or in that line; the first bracket.
    said: &'static str,
}

/// What most clients print somewhere behind the name.
const ERROR: &str = r"((?:\b[\w.:\\]*(?:Error|Exception)\b|\bERROR:|\bSQLSTATE).*)";

/// More exact words come first.
const TOOLS: &[Tool] = &[
    // Knex
    Tool {
        name: r#"^migration file "([^"]+)" failed"#,
        also_when_well: false,
        said: r"^migration failed with error: (.+)",
    },
    // TypeORM
    Tool {
        name: r#"Migration "([^"]+)" failed, error: "#,
        also_when_well: false,
        said: r" failed, error: (.+)",
    },
    // Prisma: now, and at an earlier run
    Tool { name: r"^Migration name: (\S+)", also_when_well: false, said: r"^(ERROR: .+)" },
    Tool {
        name: r"^The `(\S+)` migration started at .* failed",
        also_when_well: false,
        said: r"(.* failed)$",
    },
    // Flyway
    Tool {
        name: r"(?:Migration|Script) (V\S+\.sql) failed",
        also_when_well: false,
        said: r"^Message\s*: (.+)",
    },
    Tool {
        name: r#"Migration of schema .* to version "([^"]+)" failed"#,
        also_when_well: false,
        said: r"^Message\s*: (.+)",
    },
    // Liquibase
    Tool {
        name: r"Migration failed for change ?set (\S+?):?$",
        also_when_well: false,
        said: r"Reason: (.+)",
    },
    // goose
    Tool {
        name: r"ERROR:? ([\w.-]+\.(?:sql|go)): failed to run",
        also_when_well: false,
        said: r"(ERROR: .+)",
    },
    // sqlx
    Tool {
        name: r"while executing migrations? (\d+)",
        also_when_well: false,
        said: r"while executing migrations? \d+: (.+)",
    },
    // Diesel
    Tool { name: r"Failed to run (\S+) with: ", also_when_well: false, said: r" with: (.+)" },
    // Doctrine
    Tool { name: r"Migration (\S+) failed during", also_when_well: false, said: r#"Error: "?(.+?)"?$"# },
    // Laravel
    Tool { name: r"^\s*(\d{4}_\d\d_\d\d_\w+) \.+ .*FAIL", also_when_well: false, said: r"(SQLSTATE.+)" },
    // golang-migrate: an earlier run, and this one
    Tool {
        name: r"Dirty database version (\d+)",
        also_when_well: false,
        said: r"(Dirty database version .+)",
    },
    Tool { name: r"Read and execute (\d+/u \S+)", also_when_well: true, said: r"error: (.+)" },
    // Python's traceback goes through the file of the migration.
    Tool {
        name: r#"File "[^"]*/versions/([^/"]+\.py)", line (\d+), in upgrade"#,
        also_when_well: false,
        said: ERROR,
    },
    // Alembic, Django
    Tool { name: r"Running upgrade \S* -> (\w+)(?:, (.+))?", also_when_well: true, said: ERROR },
    Tool { name: r"^\s*Applying ([\w.]+)\.\.\.", also_when_well: true, said: ERROR },
    // Rails, Sequelize
    Tool {
        name: r"^== (\S+ \S+): migrating ==",
        also_when_well: true,
        said: r"((?:\S+Error|\S+::\w+|ERROR): .+)",
    },
    Tool { name: r"^== (\S+): migrating ==", also_when_well: true, said: r"^\s*ERROR: (.+)" },
    // node-pg-migrate
    Tool {
        name: r"^### MIGRATION (\S+) \(UP\) ###",
        also_when_well: true,
        said: r"^(?:error: )?(.*(?:syntax error|does not exist|already exists).*)",
    },
    // Ecto
    Tool {
        name: r"== Running (\d+ [\w.]+)\.(?:change|up)/0 forward",
        also_when_well: true,
        said: r"\*\* (\(.+)",
    },
    // Entity Framework, SeaORM
    Tool { name: r"Applying migration '([^']+)'", also_when_well: true, said: ERROR },
];

/// Of what has ended: the first tool whose traces are there.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() || facts.exit_code().is_none_or(|code| code == 0) {
        return None;
    }
    let is_run = facts.kind() == "migrate"
        || facts.container.as_ref().is_some_and(|container| container.is_one_shot());
    TOOLS.iter().filter(|tool| is_run || !tool.also_when_well).find_map(|tool| of(tool, facts))
}

fn of(tool: &Tool, facts: &Facts) -> Option<Known> {
    let named = words::last(&facts.log, tool.name)?;
    let name = named.group(1);
    let behind = &facts.log[named.at..];
    // Whatever failed afterwards was no migration.
    let done = [format!("{name}: migrated"), format!("{name}... OK"), format!("Finished {name}")];
    if tool.also_when_well && behind.iter().any(|line| done.iter().any(|done| line.contains(done.as_str()))) {
        return None;
    }
    let more = match named.group(2) {
        "" => String::new(),
        line if line.bytes().all(|byte| byte.is_ascii_digit()) => format!(" at line {line}"),
        about => format!(" ({about})"),
    };
    let said = words::last(behind, tool.said).or_else(|| words::last(&facts.log, tool.said));
    let said = said.map_or_else(|| named.line.clone(), |said| said.group(1).to_owned());
    let known = Known::new(format!("the migration `{name}` failed{more}")).said(&said);
    Some(known.fix(format!("correct it, {}", facts.then_up())))
}
