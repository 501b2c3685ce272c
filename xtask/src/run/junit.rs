//! JUnit XML as CI systems read it: one suite per file, one case per step; knows nothing of scenarios.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::run::report_file;

/// A `<testsuite>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// For people.
    pub name: String,
    /// Relative to the root; empty where the suite comes from no file.
    pub file: String,
    /// In the order in which they ran.
    pub cases: Vec<Case>,
}

/// A `<testcase>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// For people.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How it went.
    pub result: CaseResult,
}

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseResult {
    /// As expected.
    Passed,
    /// The whole text; its first line becomes the message.
    Failed(String),
    /// Not run, and why.
    Skipped(String),
}

/// The whole document.
pub fn render(suites: &[Suite]) -> String {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites {}>", counts(all()));
    for suite in suites {
        let file = match suite.file.as_str() {
            "" => String::new(),
            file => format!(" file=\"{}\"", escaped(file)),
        };
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\"{file} {}>",
            escaped(&suite.name),
            counts(suite.cases.iter())
        );
        for case in &suite.cases {
            render_case(&mut xml, &suite.name, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn render_case(xml: &mut String, suite: &str, case: &Case) {
    let (name, class, time) = (escaped(&case.name), escaped(suite), case.took.as_secs_f64());
    let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time:.3}\"");
    let _ = match &case.result {
        CaseResult::Passed => writeln!(xml, "/>"),
        CaseResult::Skipped(why) => {
            writeln!(xml, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(why))
        }
        CaseResult::Failed(text) => {
            let message = escaped(text.lines().next().unwrap_or_default());
            let text = escaped(text);
            writeln!(xml, ">\n      <failure message=\"{message}\">{text}</failure>\n    </testcase>")
        }
    };
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> String {
    let (mut tests, mut failures, mut skipped, mut took) = (0, 0, 0, Duration::ZERO);
    for case in cases {
        tests += 1;
        took += case.took;
        match case.result {
            CaseResult::Passed => {}
            CaseResult::Failed(_) => failures += 1,
            CaseResult::Skipped(_) => skipped += 1,
        }
    }
    let time = took.as_secs_f64();
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\"")
}

/// For attributes and text; characters that XML 1.0 cannot hold at all become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\r' => escaped.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Writes the document: whole or not at all, missing folders made.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, suites: &[Suite]) -> Result<()> {
    report_file::write(path, &render(suites), "--junit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites() -> Vec<Suite> {
        let case = |name: &str, millis, result| Case {
            name: name.to_owned(),
            took: Duration::from_millis(millis),
            result,
        };
        vec![Suite {
            name: "order \"flow\" & <more>".to_owned(),
            file: "integration/tests/smoke/order.yaml".to_owned(),
            cases: vec![
                case("register", 12, CaseResult::Passed),
                case(
                    "order",
                    1500,
                    CaseResult::Failed("`order` failed\n  got <b>\u{1b}[0m ]]> \u{0}".to_owned()),
                ),
                case("read", 0, CaseResult::Skipped("`order` failed".to_owned())),
            ],
        }]
    }

    #[test]
    fn report_counts_and_escapes() {
        let wanted = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" skipped="1" time="1.512">
  <testsuite name="order &quot;flow&quot; &amp; &lt;more&gt;" file="integration/tests/smoke/order.yaml" tests="3" failures="1" errors="0" skipped="1" time="1.512">
    <testcase name="register" classname="order &quot;flow&quot; &amp; &lt;more&gt;" time="0.012"/>
    <testcase name="order" classname="order &quot;flow&quot; &amp; &lt;more&gt;" time="1.500">
      <failure message="`order` failed">`order` failed
  got &lt;b&gt;�[0m ]]&gt; �</failure>
    </testcase>
    <testcase name="read" classname="order &quot;flow&quot; &amp; &lt;more&gt;" time="0.000">
      <skipped message="`order` failed"/>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(render(&suites()), wanted);
    }

    #[test]
    fn report_is_well_formed_xml() {
        let xml = render(&suites());
        let document = roxmltree::Document::parse(&xml).unwrap();
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert!(failure.text().unwrap().contains("]]>"));
    }
}
