//! A writer for the YAML that people read: block style, one item per line, quotes only where they are needed.

/// A text as a YAML scalar that YAML 1.1, YAML 1.2 and Compose all read as that text.
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Only what nobody can take for something else: no numbers, dates, times, booleans, nulls, indicators or blanks.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let starts_well = first.is_ascii_alphabetic()
        || matches!(first, '/' | '_')
        || (text.starts_with("./") || text.starts_with("../") || text == "..");
    if is_duration(text) {
        return true;
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./@+".contains(c);
    starts_well && text.chars().all(|c| safe(c) || c == ':') && !colon_trap(text) && !is_word(text)
}

/// `500ms`, `10s`, `5m`: no YAML takes it for a number.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len() && ["ms", "s", "m", "h"].contains(&unit)
}

/// A colon is harmless between letters (`postgres:17`), and starts a value before a blank or at the end.
fn colon_trap(text: &str) -> bool {
    text.ends_with(':') || text.contains("::")
}

/// Words that YAML 1.1 or Compose read as booleans, nulls or merge keys, and floats without digits.
fn is_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", ".inf", ".nan"]
        .contains(&lower.as_str())
}

/// Lines at a depth; two blanks a level.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    pub(crate) fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"  ".repeat(depth));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    /// `key: value`
    pub(crate) fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{}: {}", scalar(key), scalar(value)));
    }

    /// `key:` and the pairs below it; nothing where there are none.
    pub(crate) fn map(&mut self, depth: usize, key: &str, pairs: &[(String, String)]) {
        if pairs.is_empty() {
            return;
        }
        self.line(depth, &format!("{}:", scalar(key)));
        for (name, value) in pairs {
            self.pair(depth + 1, name, value);
        }
    }

    /// `key:` and the items below it; nothing where there are none.
    pub(crate) fn list(&mut self, depth: usize, key: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.line(depth, &format!("{}:", scalar(key)));
        for item in items {
            self.line(depth + 1, &format!("- {}", scalar(item)));
        }
    }

    /// `key: !override` and the items below it: instead of what the files before say, and not beside it.
    pub(crate) fn list_instead(&mut self, depth: usize, key: &str, items: &[String]) {
        if items.is_empty() {
            return self.line(depth, &format!("{}: !override []", scalar(key)));
        }
        self.line(depth, &format!("{}: !override", scalar(key)));
        for item in items {
            self.line(depth + 1, &format!("- {}", scalar(item)));
        }
    }

    /// `key: [a, b]`, for what is read as one value.
    pub(crate) fn flow(&mut self, depth: usize, key: &str, items: &[String]) {
        let items: Vec<String> = items.iter().map(|item| flow_scalar(item)).collect();
        self.line(depth, &format!("{}: [{}]", scalar(key), items.join(", ")));
    }

    /// `key: |` and the lines below it, as they are: for scripts, which end with a line end.
    pub(crate) fn block(&mut self, depth: usize, key: &str, text: &str) {
        self.line(depth, &format!("{}: |", scalar(key)));
        for line in text.lines() {
            self.line(if line.is_empty() { 0 } else { depth + 1 }, line);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// In a flow list commas and brackets count too; the plain form has none of them.
fn flow_scalar(text: &str) -> String {
    if is_plain(text) && !text.contains(':') { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let plain = scalar(text);
    if plain.starts_with('"') { plain } else { format!("\"{plain}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_be_something_else_is_quoted() {
        for text in [
            "1_000",
            "2024-01-01",
            "22:22",
            "yes",
            "No",
            "~",
            "null",
            "",
            "0x1f",
            "1e3",
            ".5",
            "- a",
            "a: b",
            "a #b",
            "*x",
            "&x",
            "!t",
            "%d",
            "@x",
            "{a}",
            "[a]",
            "a,b",
            "key:",
            "<<",
            "=",
            "${X:-1}",
            "with blank",
            "tab\t",
            "π",
            "ends ",
            "3000",
            "off",
        ] {
            let written = scalar(text);
            assert!(written.starts_with('"'), "{text} is written as {written}");
        }
        for text in
            ["trading", "postgres:17", "./init", "../workspace", "/var/lib", "GET", "a-b_c.d", "500ms", "10s"]
        {
            assert_eq!(scalar(text), text);
        }
    }

    #[test]
    fn every_text_survives() {
        for text in
            ["a\"b\\c", "line\nline", "\u{1}\u{7f}", "\u{feff}x", "emoji 🦀", "$(rm -rf /)", "'", "\u{2028}"]
        {
            let back: String = serde_yaml::from_str(&scalar(text)).expect("parses");
            assert_eq!(back, text);
        }
    }
}
