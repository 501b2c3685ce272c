//! `.env` and `.env.example`: reads the lines as Compose does, fills and completes the text; writes no file.

use crate::error::Result;

/// The variable that holds the project's name.
pub const PROJECT_VARIABLE: &str = "COMPOSE_PROJECT_NAME";

/// One variable of an env file with what stands above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The value with its quotes taken off; `${…}` is left as it stands.
    pub value: String,
    /// From 1.
    pub line: usize,
    /// The comment lines directly above and the line itself, as written.
    pub block: Vec<String>,
}

impl Entry {
    /// Whether a comment above says that `up` makes the value up, and in how many hex characters.
    pub fn generated(&self) -> Option<usize> {
        self.comments().find_map(|line| {
            let rest = line.split_once("[generated:")?.1;
            rest.split_once("hex characters]")?.0.trim().parse().ok()
        })
    }

    /// Whether a comment above says that only a third party can give the value.
    pub fn third_party(&self) -> bool {
        self.comments().any(|line| line.contains("[third party]"))
    }

    fn comments(&self) -> impl Iterator<Item = &str> {
        self.block.iter().map(String::as_str).filter(|line| line.starts_with('#'))
    }
}

/// The variables of a text in their order; lines that Compose would not take as a variable are skipped.
pub fn entries(text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut block: Vec<String> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            block.clear();
        } else if trimmed.starts_with('#') {
            block.push(line.to_owned());
        } else {
            block.push(line.to_owned());
            if let Some((name, value)) = assignment(trimmed) {
                found.push(Entry { name, value, line: index + 1, block: block.clone() });
            }
            block.clear();
        }
    }
    found
}

/// The value of a variable, the last one where it is set twice.
pub fn value(text: &str, name: &str) -> Option<String> {
    entries(text).into_iter().rfind(|entry| entry.name == name).map(|entry| entry.value)
}

/// The text of a new env file: the example with its secrets made up and the project's name set.
///
/// # Errors
/// When `hex` fails.
pub fn create(example: &str, project: &str, mut hex: impl FnMut(usize) -> Result<String>) -> Result<String> {
    let mut lines: Vec<String> = example.lines().map(str::to_owned).collect();
    for entry in entries(example) {
        let value = match entry.generated() {
            Some(digits) => hex(digits)?,
            None if entry.name == PROJECT_VARIABLE => project.to_owned(),
            None => continue,
        };
        lines[entry.line - 1] = format!("{}={value}", entry.name);
    }
    let mut text = joined(&lines);
    if value(&text, PROJECT_VARIABLE).is_none() {
        append_block(&mut text, &project_block(project));
    }
    Ok(text)
}

/// The text with what it lacks of the example appended, and the names of that; all else stays byte for byte.
///
/// # Errors
/// When `hex` fails.
pub fn complete(
    text: &str,
    example: &str,
    project: &str,
    mut hex: impl FnMut(usize) -> Result<String>,
) -> Result<(String, Vec<String>)> {
    let mut known: Vec<String> = entries(text).into_iter().map(|entry| entry.name).collect();
    let mut completed = text.to_owned();
    let mut added = Vec::new();
    for entry in entries(example) {
        if known.contains(&entry.name) {
            continue;
        }
        let mut block = entry.block.clone();
        if entry.name == PROJECT_VARIABLE {
            block = project_block(project);
        } else if let (Some(digits), Some(last)) = (entry.generated(), block.last_mut()) {
            *last = format!("{}={}", entry.name, hex(digits)?);
        }
        append_block(&mut completed, &block);
        known.push(entry.name.clone());
        added.push(entry.name);
    }
    if !known.iter().any(|name| name == PROJECT_VARIABLE) {
        append_block(&mut completed, &project_block(project));
        added.push(PROJECT_VARIABLE.to_owned());
    }
    Ok((completed, added))
}

/// The text with these variables set: in their line where they have one, else appended under `why`.
pub fn set(text: &str, values: &[(String, String)], why: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let found = entries(text);
    let mut new = vec![format!("# {why}")];
    for (name, value) in values {
        match found.iter().rfind(|entry| entry.name == *name) {
            Some(entry) => lines[entry.line - 1] = format!("{name}={value}"),
            None => new.push(format!("{name}={value}")),
        }
    }
    let mut text = joined(&lines);
    if new.len() > 1 {
        append_block(&mut text, &new);
    }
    text
}

/// Names of the variables that wait for a third party's value and still hold the example's.
pub fn placeholders(text: &str, example: &str) -> Vec<Entry> {
    let mut open = entries(example);
    open.retain(|entry| {
        entry.third_party() && value(text, &entry.name).as_deref() == Some(entry.value.as_str())
    });
    open
}

fn project_block(project: &str) -> Vec<String> {
    vec![
        "# The Compose project of this checkout: its containers and volumes are found by this name."
            .to_owned(),
        format!("{PROJECT_VARIABLE}={project}"),
    ]
}

fn append_block(text: &mut String, block: &[String]) {
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(&joined(block));
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let valid = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || !name.chars().all(valid) {
        return None;
    }
    Some((name.to_owned(), unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner.to_owned();
        }
    }
    // A comment needs a blank before it.
    value.split_once(" #").map_or(value, |(value, _)| value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_compose_reads_them() {
        let text =
            "\u{23} top\n\nA=1\nexport B = 'x # y' # c\nC=\"a=b\" # c\nD=x#y # c\nE=\nnot a line\nA=2\n";
        let all: Vec<(String, String)> = entries(text).into_iter().map(|e| (e.name, e.value)).collect();
        let expected = [("A", "1"), ("B", "x # y"), ("C", "a=b"), ("D", "x#y"), ("E", ""), ("A", "2")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(all, expected);
        assert_eq!(value(text, "A").as_deref(), Some("2"));
    }

    #[test]
    fn the_marks_stand_in_the_comment_directly_above() {
        let text = "# The key. [generated: 16 hex characters]\nKEY=x\n\n# a\n# From the bank. [third party]\nTOKEN=y\nPLAIN=z\n";
        let all = entries(text);
        assert_eq!(all.iter().map(Entry::generated).collect::<Vec<_>>(), [Some(16), None, None]);
        assert_eq!(all.iter().map(Entry::third_party).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(all[1].block, ["# a", "# From the bank. [third party]", "TOKEN=y"]);
        assert_eq!(all[1].line, 6);
    }

    const EXAMPLE: &str = "# All.\n\n# Key. [generated: 4 hex characters]\nKEY=zzzz\n\n# Bank. [third party]\nTOKEN=your-token\nPORT=3000\n";

    fn four(digits: usize) -> Result<String> {
        Ok("a".repeat(digits))
    }

    #[test]
    fn a_new_file_is_the_example_with_secrets_and_project() {
        assert_eq!(
            create(EXAMPLE, "shop-1a2b", four).unwrap(),
            "# All.\n\n# Key. [generated: 4 hex characters]\nKEY=aaaa\n\n# Bank. [third party]\nTOKEN=your-token\nPORT=3000\n\n\
             # The Compose project of this checkout: its containers and volumes are found by this name.\n\
             COMPOSE_PROJECT_NAME=shop-1a2b\n"
        );
        let named = create("COMPOSE_PROJECT_NAME=shop\n", "shop-1a2b", four).unwrap();
        assert_eq!(named, "COMPOSE_PROJECT_NAME=shop-1a2b\n");
    }

    #[test]
    fn completing_appends_and_changes_nothing_else() {
        let mine = "PORT=9 # mine\nCOMPOSE_PROJECT_NAME=x\nTOKEN='t'";
        let (text, added) = complete(mine, EXAMPLE, "shop-1a2b", four).unwrap();
        assert_eq!(text, format!("{mine}\n\n# Key. [generated: 4 hex characters]\nKEY=aaaa\n"));
        assert_eq!(added, ["KEY"]);
        assert_eq!(complete(&text, EXAMPLE, "shop-1a2b", four).unwrap(), (text.clone(), Vec::new()));
    }

    #[test]
    fn setting_keeps_the_other_lines() {
        let values = [("A_PORT".to_owned(), "31".to_owned()), ("B_PORT".to_owned(), "41".to_owned())];
        assert_eq!(
            set("# x\nA_PORT=30\nC=1\n", &values, "Moved."),
            "# x\nA_PORT=31\nC=1\n\n# Moved.\nB_PORT=41\n"
        );
    }

    #[test]
    fn placeholders_are_those_that_nobody_has_replaced() {
        let open = |text: &str| placeholders(text, EXAMPLE).len();
        assert_eq!((open("TOKEN=your-token\n"), open("TOKEN=real\n"), open("")), (1, 0, 0));
    }
}
