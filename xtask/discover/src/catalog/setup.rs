//! What a catalogue entry says of creating databases on a server, and of trying the way to it; data, no decisions.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How databases and users come into being on every `up`, idempotently.
///
/// Placeholders of the texts: `{database}`, `{user}`, `{password_variable}` (a variable of the one-shot's environment),
/// `{service}`, `{host}`, `{port}`, `{file}` (a schema file's path in the one-shot). The texts quote nothing: a name is
/// `[A-Za-z0-9_]`, at most 32 characters for a user and 63 for a database, where `Databases::common` is set
/// `[A-Za-z0-9_./-]`, and a file's path is `[A-Za-z0-9._/-]`.
///
/// The one-shot has a tmpfs at each of `Version::volumes` (but for [`Setup::reads_data`]) and [`Setup::tmpfs`], so
/// that no anonymous volume stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-shot's command. The item `{files}` is replaced by [`Setup::per_file`] for each file.
    pub command: Vec<String>,
    /// The command waits for the server itself, so that the one-shot can start beside it.
    #[serde(default)]
    pub waits: bool,
    /// Overrides ENTRYPOINT; the official entrypoints would start a server. `{host}` and `{port}` work.
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// For example `["-f", "{file}"]`; `{file}` is the path in the one-shot.
    #[serde(default)]
    pub per_file: Vec<String>,
    /// Environment beside the passwords of the users.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folder of the server that is shared with the one-shot (a socket): a named volume mounted in both.
    #[serde(default)]
    pub shared: Option<String>,
    /// The one-shot gets the server's volumes, read-only: its way in lies there. Asks for `Entry::tmpfs` to be `false`.
    #[serde(default)]
    pub reads_data: bool,
    /// What services name in their variables and the setup makes, beside or in place of databases.
    #[serde(default)]
    pub named: Option<Named>,
    /// Further folders that the one-shot gets as tmpfs.
    #[serde(default)]
    pub tmpfs: Vec<String>,
    /// What the one-shot runs as.
    #[serde(default)]
    pub user: Option<String>,
    /// The files below `init-scripts/<kind>/`, in order.
    pub files: Vec<SetupFile>,
}

/// Something that services expect to be there under a name that a variable of theirs holds: a bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// For people: `bucket`.
    pub title: String,
    /// The word of the variables' names: `BUCKET` of `S3_BUCKET`, `UPLOADS_BUCKET_NAME`, `Minio__BucketName`.
    pub word: String,
    /// A regular expression for the whole of a name that the server takes.
    pub pattern: String,
    /// The shortest and the longest, in characters.
    pub lengths: (usize, usize),
    /// The same for people, as a piece of advice.
    pub rule: String,
}

impl Named {
    /// Whether the server takes a name.
    pub fn fits(&self, name: &str) -> bool {
        let whole = regex::Regex::new(&format!("^(?:{})$", self.pattern));
        let (shortest, longest) = self.lengths;
        (shortest..=longest).contains(&name.len())
            && whole.is_ok_and(|pattern| pattern.is_match(name))
            && name.parse::<std::net::Ipv4Addr>().is_err()
    }
}

/// How `test` tries the way from a client to the server: a script for `sh`, run beside the client in its own network
/// namespace. What the client's environment says stands in the variables `XTASK_HOST`, `XTASK_PORT`, `XTASK_USER`,
/// `XTASK_PASSWORD` and `XTASK_DATABASE`, empty where it says nothing. The script must not put the password on a command
/// line, where everybody on the machine can read it, and must end with 0 only when the server has really done something.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Runs in the setup's busybox; without it in the server's own image, which brings its client.
    #[serde(default)]
    pub busybox: bool,
    /// The script.
    pub script: String,
    /// Words by which the server refuses a login to another's database; without any, that is not tried.
    #[serde(default)]
    pub refused: Vec<String>,
}

/// A file of a setup.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupFile {
    /// `01-create-databases.sql`.
    pub name: String,
    /// Once at the top.
    #[serde(default)]
    pub header: String,
    /// Once for each database with its user.
    #[serde(default)]
    pub each: String,
    /// After `each`, once for each user of a database that several services share.
    #[serde(default)]
    pub each_shared: String,
    /// Once for each schema file of a service; a file with this and without `each` is left out where there is none.
    #[serde(default)]
    pub each_schema: String,
    /// Once for each variable with a name of [`Setup::named`]; `{variable}` is that of the one-shot's environment.
    #[serde(default)]
    pub each_named: String,
    /// Once at the end.
    #[serde(default)]
    pub footer: String,
}
