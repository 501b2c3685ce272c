//! The small package that calls this library: its manifest, its program and what git ignores of it.

use toml_edit::Value;

use super::{Edit, Found, Home, once, toml_file};
use crate::error::Failure;

pub(super) const MANIFEST: &str = "xtask/Cargo.toml";
pub(super) const MAIN: &str = "xtask/src/main.rs";
pub(super) const IGNORE: &str = "xtask/.gitignore";
pub(super) const LOCK: &str = "xtask/Cargo.lock";

const PROGRAM: &str = "//! `cargo xtask`: the commands of the library `xtask`, for this monorepo.

fn main() -> std::process::ExitCode {
    xtask::main()
}
";

/// Without the workspace's profile, debug information and slow searching would be the price of a default.
const OWN_WORKSPACE: &str = "
# A workspace of its own: other packages of the monorepo, and how they are built, do not see this one.
[workspace]

[profile.dev]
debug = 0

[profile.dev.package.aho-corasick]
opt-level = 3
debug-assertions = false

[profile.dev.package.globset]
opt-level = 3
debug-assertions = false

[profile.dev.package.ignore]
opt-level = 3
debug-assertions = false

[profile.dev.package.memchr]
opt-level = 3
debug-assertions = false

[profile.dev.package.pulldown-cmark]
opt-level = 2
debug-assertions = false

[profile.dev.package.regex-automata]
opt-level = 3
debug-assertions = false

[profile.dev.package.regex-syntax]
opt-level = 1
debug-assertions = false

[profile.dev.package.xtask-base]
opt-level = 3
debug-assertions = false

[profile.dev.package.xtask-discover]
opt-level = 2
codegen-units = 16
debug-assertions = false

[profile.dev.package.xtask-plan]
opt-level = 2
codegen-units = 16
debug-assertions = false
";

/// Where the library comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder, as seen from the package, or absolute.
    Path {
        /// What the manifest says.
        path: String,
        /// The folder of its workspace from the monorepo's root, where it lies in the monorepo.
        inside: Option<String>,
    },
    /// A git repository, and which commit of it; without one, its newest.
    Git {
        /// As cargo takes it.
        url: String,
        /// A commit.
        rev: Option<String>,
    },
}

impl Source {
    /// What stands behind `xtask = ` in a manifest.
    fn requirement(&self) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        match self {
            Source::Path { path, .. } => format!("{{ path = {} }}", quoted(path)),
            Source::Git { url, rev: None } => format!("{{ git = {} }}", quoted(url)),
            Source::Git { url, rev: Some(rev) } => {
                format!("{{ git = {}, rev = {} }}", quoted(url), quoted(rev))
            }
        }
    }
}

/// The package's name: not `xtask`, as cargo could not tell it from the library then.
pub(super) fn name(found: &Found) -> String {
    let present = toml_file::parse(found, MANIFEST).ok();
    let present = present.as_ref().and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
    if let Some(name) = present {
        return name.to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words: String = found.name.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    match words.join("-") {
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("{name}-xtask"),
        name if name.is_empty() => "monorepo-xtask".to_owned(),
        name => format!("monorepo-{name}-xtask"),
    }
}

/// The manifest; the one that is there, where it depends on the library already.
pub(super) fn manifest(found: &Found, name: &str, source: &Source, home: &Home) -> Result<Edit, Failure> {
    let wanted = source.requirement();
    if found.text(MANIFEST).is_some() {
        present(found, &wanted)?;
        return Ok(once(found, MANIFEST, "", ""));
    }
    let head = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\n# The commands.\nxtask = {wanted}\n"
    );
    match home {
        Home::Joined => Ok(once(found, MANIFEST, head, "a member of the monorepo's workspace")),
        Home::Own(why) => Ok(once(
            found,
            MANIFEST,
            format!("{head}{OWN_WORKSPACE}"),
            &format!("a workspace of its own, as {why}"),
        )),
    }
}

/// Whether the package that is there has the library, and from where it was asked for.
fn present(found: &Found, wanted: &str) -> Result<(), Failure> {
    let manifest = toml_file::parse(found, MANIFEST)?;
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str()).unwrap_or_default();
    let known = manifest.get("dependencies").and_then(|dependencies| dependencies.get("xtask"));
    let Some(known) = known else {
        let mut failure = Failure::new("there is another xtask already")
            .at(found.show(MANIFEST))
            .why(format!("the package `{name}` does not have these commands"));
        let mut fix = format!(
            "write below `[dependencies]`: xtask = {wanted}\nlet its `main` return `xtask::main()` for every command \
             that is not its own"
        );
        if name == "xtask" {
            failure = failure.why("cargo cannot tell a package `xtask` from the library of that name");
            fix.push_str("\ngive the package another name, here and in the alias");
        }
        return Err(failure.fix(fix));
    };
    let read = |text: &str| text.parse::<Value>().ok();
    let same = |key: &str| {
        let wanted = read(wanted);
        let wanted = wanted.as_ref().and_then(|wanted| wanted.as_inline_table()?.get(key)?.as_str());
        wanted.is_none() || wanted == known.get(key).and_then(|value| value.as_str())
    };
    // A package that has the library from git keeps it where nobody asks for another place.
    let is_asked = wanted.contains("git = ");
    if is_asked && !(same("git") && same("rev")) {
        return Err(Failure::new("the package has the commands from another place")
            .at(toml_file::place(found, MANIFEST, &["dependencies", "xtask"]))
            .why(format!("it says: xtask = {}", known.to_string().trim()))
            .fix(format!("write there: xtask = {wanted}")));
    }
    Ok(())
}

pub(super) fn main(found: &Found) -> Edit {
    once(found, MAIN, PROGRAM, "calls the commands")
}

pub(super) fn ignored(found: &Found) -> Edit {
    once(found, IGNORE, "/target\n", "what cargo compiles")
}

/// The versions that the library is tested with; cargo completes it.
pub(super) fn lock(found: &Found, tested: Option<&str>) -> Option<Edit> {
    Some(once(found, LOCK, tested?, "the versions that the commands are tested with"))
}
