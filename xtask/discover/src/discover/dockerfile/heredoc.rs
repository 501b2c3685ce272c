//! Takes here-documents out of a Dockerfile, so that their lines are not read as instructions; keeps line numbers.

/// A here-document and the line of the instruction that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HereDoc {
    pub(super) line: u32,
    pub(super) body: String,
}

/// Stands in place of `<<`, so that the word behind it is not taken for a path.
pub(super) const MARK: &str = "\u{1}";

/// The text with the bodies emptied and `<<EOF` written as a word, and the bodies.
///
/// The parser reads one here-document at the start of a RUN; BuildKit allows several, anywhere in the line.
pub(super) fn take_out(text: &str) -> (String, Vec<HereDoc>) {
    let mut out = String::with_capacity(text.len());
    let mut docs = Vec::new();
    let mut lines = text.split_inclusive('\n').zip(1u32..);
    let mut start = 1;
    let mut continued = false;
    while let Some((line, number)) = lines.next() {
        if !continued {
            start = number;
        }
        let is_comment = line.trim_start().starts_with('#');
        let words = if is_comment { Vec::new() } else { delimiters(line, continued) };
        out.push_str(&if words.is_empty() { line.to_owned() } else { line.replace("<<", MARK) });
        for (word, strip_tabs) in words {
            let mut body = String::new();
            for (inner, _) in lines.by_ref() {
                out.push('\n');
                let bare = inner.trim_end_matches(['\r', '\n']);
                if (if strip_tabs { bare.trim_start_matches('\t') } else { bare }) == word {
                    break;
                }
                body.push_str(inner);
            }
            docs.push(HereDoc { line: start, body });
        }
        let end = line.trim_end();
        continued = (continued && is_comment) || (!is_comment && end.ends_with(['\\', '`']));
    }
    (out, docs)
}

/// The delimiters that a line of RUN, COPY or ADD opens, and whether tabs are stripped.
fn delimiters(line: &str, continued: bool) -> Vec<(String, bool)> {
    let first = line.split_whitespace().next().unwrap_or_default();
    let takes = ["RUN", "COPY", "ADD"].iter().any(|name| first.eq_ignore_ascii_case(name));
    if !(takes || continued) || !line.contains("<<") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("<<") {
        // `<<<` is a here-string, `1<<2` arithmetic.
        let before = rest[..at].chars().next_back();
        let after = &rest[at + 2..];
        rest = after;
        if before.is_some_and(|c| !c.is_whitespace() && !c.is_ascii_digit()) || after.starts_with('<') {
            rest = after.trim_start_matches('<');
            continue;
        }
        let (strip, after) = after.strip_prefix('-').map_or((false, after), |after| (true, after));
        let quoted = after.trim_start_matches(['"', '\'']);
        let word: String = quoted.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            found.push((word, strip));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_documents_in_one_run_keep_the_lines_below() {
        let (text, docs) =
            take_out("FROM a\nRUN <<ONE cat && <<-TWO sh\nx\nONE\napt-get install curl\n\tTWO\nEXPOSE 80\n");
        assert_eq!(text, "FROM a\nRUN \u{1}ONE cat && \u{1}-TWO sh\n\n\n\n\nEXPOSE 80\n");
        assert_eq!(docs.len(), 2);
        assert_eq!(docs[1], HereDoc { line: 2, body: "apt-get install curl\n".to_owned() });
    }

    #[test]
    fn here_strings_and_shifts_are_none() {
        for line in ["RUN cat <<< word\n", "RUN echo $((1<<2))\n"] {
            assert_eq!(take_out(line), (line.to_owned(), Vec::new()), "{line}");
        }
    }
}
