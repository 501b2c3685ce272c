//! What the catalogue knows of an engine's data: how a volume betrays it, how it is dumped and put back; holds no rules.

use serde::Deserialize;

/// Commands for a server's own container, as its administrator.
///
/// Placeholders: `{database}`; `{fresh}` and `{old}`, names that belong to nobody else. Each is an argument of its own
/// and not part of a script, so that no name needs quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTools {
    /// Prints the databases that hold somebody's data, one a line. Without it the server is dumped as one.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Prints the roles that a dump of `{database}` names and does not hold, one a line.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Writes a consistent dump to stdout.
    pub dump: Vec<String>,
    /// Of the dump's file: `dump`, `sql.gz`.
    pub extension: String,
    /// Reads the dump on stdin into the new database `{fresh}`, and touches no other. Those of the `{roles}` that are
    /// missing are made; each is an argument.
    #[serde(default)]
    pub load: Vec<String>,
    /// Puts `{fresh}` in the place of `{database}`.
    #[serde(default)]
    pub swap: Vec<String>,
    /// Removes `{fresh}` again.
    #[serde(default)]
    pub discard: Vec<String>,
    /// In place of the three, where only a stopped server takes other data: reads the dump on stdin, in a container
    /// of the same image with the server's volumes.
    #[serde(default)]
    pub replace: Vec<String>,
}

/// How a server takes seed files: scripts for `sh` in its own container.
///
/// They get XTASK_USER, XTASK_PASSWORD and XTASK_DATABASE, a service's own login.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedTools {
    /// A file that fails leaves nothing behind, changes of tables included.
    #[serde(default)]
    pub atomic: bool,
    /// Prints what that login has applied to that database: name and digest of a file, with a blank between, one a line.
    pub applied: String,
    /// Applies the file on stdin, of XTASK_BYTES bytes and nothing where fewer arrive, as that login and records XTASK_FILE
    /// and XTASK_DIGEST; says the line where it fails.
    pub apply: String,
}

/// A file by which a volume betrays the engine that has written it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Below the folder that the volume is; a pattern of the shell, without blanks.
    pub file: String,
    /// A regular expression for the file's text, whose last match counts: its group is the version. Where it does not
    /// match, the file is no mark.
    #[serde(default)]
    pub version: String,
}
