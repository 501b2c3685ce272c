//! `.env` and `.env.example`: reads the lines as Compose does, fills and completes the text; writes no file.

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
}
