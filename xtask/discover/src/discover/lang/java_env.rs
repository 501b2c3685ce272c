//! The classes into which Spring reads properties: each field is a variable by the rules of relaxed binding.

use std::sync::LazyLock;

use crate::discover::findings::{Findings, Read};
use crate::discover::relaxed;

use super::records::{Field, Record, walk};
use super::scan::{Comments, Pattern, holds, line_at, uncommented, unquoted};

/// Adds the fields of the file's classes with `@ConfigurationProperties`.
pub(super) fn read(findings: &mut Findings<'_, '_>) {
    let text = findings.source.text;
    if !holds(text, "@ConfigurationProperties") {
        return;
    }
    let found = PREFIX.first(text);
    let Some(prefix) = found.and_then(|found| found.name("prefix").or_else(|| found.name("prefix2"))) else {
        return;
    };
    let records = if findings.source.path.extension() == "kt" || holds(text, "record ") {
        heads(text)
    } else {
        classes(text)
    };
    // The annotation stands in front of the class that it is about.
    let after = &text[prefix.end()..];
    let Some(root) = NAME.first(after).and_then(|found| Some(found.name("name")?.as_str())) else { return };
    walk(&records, |record| record.name == root, &mut |_, way| {
        let Some(leaf) = way.last() else { return };
        let parts: Vec<&str> = way.iter().map(|field| field.name).collect();
        let key = format!("{}.{}", prefix.as_str(), parts.join("."));
        let default = Some(leaf.notes).filter(|notes| !notes.is_empty()).and_then(unquoted);
        let read = Read { name: &relaxed::java(&key, true), default, required: false };
        findings.env(leaf.line, "java-properties", read);
    });
}

static PREFIX: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r#"@ConfigurationProperties\(\s*(?:"(?P<prefix>[\w.-]+)"|[^)"]*?\b(?:prefix|value)\s*=\s*"(?P<prefix2>[\w.-]+)")"#,
    )
});
static NAME: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"\b(?:class|record)\s+(?P<name>\w+)"));
static CLASS: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(r"\bclass\s+(?P<name>\w+)"));
static FIELD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"^(?:private|protected|public)\s+(?:final\s+)?(?P<type>\w+)\s+(?P<name>[a-z]\w*)\s*(?:=\s*(?P<value>[^;]+?))?\s*;",
    )
});
/// `record X(String a, Y b)`, `data class X(val a: String = "x", val b: Y)`.
static HEAD: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"\b(?:record|class)\s+(?P<name>\w+)\s*\((?P<fields>(?:[^()]|\([^()]*\))*)\)")
});
static PARAMETER: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"^(?:@\w+(?:\([^)]*\))?\s*)*(?:(?:va[lr]\s+)(?P<name>\w+)\s*:\s*(?P<type>\w+)\??\s*(?:=\s*(?P<value>.+))?|(?P<type2>\w+)\s+(?P<name2>[a-z]\w*))$",
    )
});

/// Classes with the fields that stand in their own braces.
fn classes(text: &str) -> Vec<Record<'_>> {
    let mut done: Vec<Record<'_>> = Vec::new();
    // The classes around the line, with the depth at which their fields stand.
    let mut open: Vec<(Record<'_>, i32)> = Vec::new();
    let mut depth = 0_i32;
    for (line, content) in (1..).zip(text.lines()).filter(|(_, content)| content.len() < 500).take(5000) {
        let content = uncommented(content, Comments::Slash).trim();
        if let Some(name) = CLASS.first(content).and_then(|found| found.name("name")) {
            open.push((Record { name: name.as_str(), fields: Vec::new() }, depth + 1));
        } else if let Some((record, at)) = open.last_mut()
            && *at == depth
            && let Some(field) = FIELD.first(content)
            && let (Some(name), Some(kind)) = (field.name("name"), field.name("type"))
        {
            let notes = field.name("value").map_or("", |value| value.as_str());
            let (name, kind) = (name.as_str(), kind.as_str());
            record.fields.push(Field { name, kind, notes, line, ..Field::default() });
        }
        for byte in content.bytes() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
        }
        while open.last().is_some_and(|(_, at)| depth < *at && content.contains('}')) {
            done.extend(open.pop().map(|(record, _)| record));
        }
    }
    done.extend(open.into_iter().map(|(record, _)| record));
    done
}

/// Records and data classes, whose fields are parameters.
fn heads(text: &str) -> Vec<Record<'_>> {
    let heads = HEAD.all(text, usize::MAX).take(100);
    heads
        .filter_map(|head| {
            let list = head.name("fields")?;
            let mut at = list.start();
            let mut fields = Vec::new();
            for item in list.as_str().split(',').take(200) {
                let line = line_at(text, at + (item.len() - item.trim_start().len()));
                at += item.len() + 1;
                let Some(found) = PARAMETER.first(item.trim()) else { continue };
                let group = |one: &str, other: &str| found.name(one).or_else(|| found.name(other));
                let (Some(name), Some(kind)) = (group("name", "name2"), group("type", "type2")) else {
                    continue;
                };
                let (name, kind) = (name.as_str(), kind.as_str());
                let notes = found.name("value").map_or("", |value| value.as_str());
                fields.push(Field { name, kind, notes, line, ..Field::default() });
            }
            Some(Record { name: head.name("name")?.as_str(), fields })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::java::SOURCE;
    use crate::discover::lang::testing::{survives, what};

    fn said(path: &str, text: &str) -> Vec<String> {
        let mut said = what(&[SOURCE], path, text);
        said.retain(|line| line.starts_with("env "));
        said
    }

    #[test]
    fn patterns_are_valid() {
        assert!([&PREFIX, &NAME, &CLASS, &FIELD, &HEAD, &PARAMETER].iter().all(|pattern| pattern.is_valid()));
    }

    #[test]
    fn fields_of_classes_are_variables() {
        let text = "@ConfigurationProperties(prefix = \"shop.mail\")\npublic class MailProperties {\n    private String fromName = \"Shop\";\n    private final Retry retry = new Retry();\n    public String getFromName() {\n        String other = \"x\";\n        return fromName;\n    }\n    public static class Retry {\n        private int max = 3;\n    }\n}\n";
        assert_eq!(said("a/M.java", text), ["env SHOP_MAIL_FROMNAME Shop", "env SHOP_MAIL_RETRY_MAX 3"]);
    }

    #[test]
    fn fields_of_records_and_data_classes_are_variables() {
        let record = "@ConfigurationProperties(\"shop\")\npublic record Shop(String url, Retry retry) {\n  record Retry(int max) {}\n}\n";
        assert_eq!(said("a/S.java", record), ["env SHOP_URL -", "env SHOP_RETRY_MAX -"]);
        let data = "@ConfigurationProperties(prefix = \"shop\")\ndata class Shop(\n    val logLevel: String = \"info\",\n    val limit: Int?,\n)\n";
        assert_eq!(said("a/S.kt", data), ["env SHOP_LOGLEVEL info", "env SHOP_LIMIT -"]);
    }

    #[test]
    fn hostile_classes_are_survived() {
        survives(&[SOURCE], &["a/S.java", "a/S.kt"]);
        for path in ["a/S.java", "a/S.kt"] {
            let _ =
                said(path, &("@ConfigurationProperties(\"a\")".to_owned() + &"class A(a: A, ".repeat(5_000)));
            let _ = said(
                path,
                &("@ConfigurationProperties(\"a\")".to_owned() + &"class A {\nprivate A a;\n".repeat(5_000)),
            );
        }
    }
}
