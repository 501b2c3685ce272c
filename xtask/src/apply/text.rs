//! A text apart from its byte order mark and line ends, so that these count as nobody's edit; changes no content.

/// A text with line feeds only, and how the file wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The content; line feeds only, unless the file mixes both kinds of line end (then as it is).
    pub body: String,
    style: Style,
}

/// What surrounds the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    bom: bool,
    crlf: bool,
}

const BOM: char = '\u{feff}';

impl Text {
    /// Takes the byte order mark and, where every line ends with it, the carriage return off.
    pub fn new(raw: &str) -> Self {
        let content = raw.strip_prefix(BOM).unwrap_or(raw);
        let feeds = content.matches('\n').count();
        let crlf = feeds > 0 && content.matches("\r\n").count() == feeds;
        let body = if crlf { content.replace("\r\n", "\n") } else { content.to_owned() };
        Text { body, style: Style { bom: content.len() < raw.len(), crlf } }
    }

    /// Another content, written as this file is.
    pub fn write_like(&self, body: &str) -> String {
        let lines = if self.style.crlf { body.replace('\n', "\r\n") } else { body.to_owned() };
        if self.style.bom { format!("{BOM}{lines}") } else { lines }
    }
}

/// The content of a file for comparisons.
pub fn body(raw: &str) -> String {
    Text::new(raw).body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_written_back_byte_for_byte() {
        for raw in ["", "a", "a\nb\n", "a\r\nb\r\n", "\u{feff}a\r\n", "a\r\nb\n", "a\rb\r\n", "\u{feff}"] {
            let text = Text::new(raw);
            assert_eq!(text.write_like(&text.body), raw, "{raw:?}");
        }
    }

    #[test]
    fn carriage_returns_are_no_edit() {
        assert_eq!(body("\u{feff}a: 1\r\nb: 2\r\n"), "a: 1\nb: 2\n");
    }

    #[test]
    fn mixed_line_ends_stay_as_they_are() {
        assert_eq!(body("a\r\nb\n"), "a\r\nb\n");
    }
}
