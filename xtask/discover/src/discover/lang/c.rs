//! C and C++: the variables that the source reads, and nothing else of it.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::{Detector, Source};
use crate::model::fact::Fact;

use super::noise::is_noise;
use super::scan::{Comments, Pattern, holds, line_at, uncommented};

/// Source files.
pub const SOURCE: Detector = Detector {
    name: "c",
    extensions: &["c", "cc", "cpp", "cxx", "h", "hpp", "hxx"],
    wants: |path| !is_noise(path),
    read,
};

static GETENV: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r#"\b(?:secure_)?getenv\(\s*"(?P<name><key>)"\s*\)"#));

fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let text = source.text;
    if !holds(text, "getenv") {
        return;
    }
    let mut findings = Findings::new(source, facts);
    for found in GETENV.all(text, usize::MAX).take(500) {
        let Some(name) = found.name("name") else { continue };
        let start = text[..name.start()].rfind('\n').map_or(0, |end| end + 1);
        let before = &text[start..name.start() - 1];
        if uncommented(before, Comments::Slash).len() == before.len() {
            findings.env(
                line_at(text, name.start()),
                "c-env",
                Read { name: name.as_str(), ..Read::default() },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{say, survives};

    #[test]
    fn reads_of_variables_are_found() {
        let text = "int main() {\n  // getenv(\"NOT_READ\")\n  auto level = std::getenv(\"LEVEL\");\n}\n";
        assert_eq!(say(&[SOURCE], "a/src/main.cpp", text), ["3 c-env env LEVEL -"]);
        assert!(GETENV.is_valid());
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(&[SOURCE], &["a/x.c"]);
    }
}
