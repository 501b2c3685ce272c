//! What a program does where a variable that it has just read is not set: takes a default, or ends. Looks at the lines
//! behind the read, in the manner of any language.

use std::sync::LazyLock;

use super::scan::{Line, Pattern, cut, unquoted};

/// What follows where nothing is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise<'t> {
    /// This is taken, without quotes.
    Default(&'t str),
    /// The program ends, or the function that reads its configuration fails.
    Fails,
}

/// How far behind the read.
const MAX_BEHIND: usize = 400;
/// How much a program says before it ends.
const MAX_LINES: usize = 3;

/// `port := os.Getenv(`, `const url: string = process.env.`, `value, ok := os.LookupEnv(`: up to the read.
static ASSIGNED: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"(?:^|[\s;{(])\$?(?P<variable>[A-Za-z_]\w*)\s*(?:,\s*(?P<second>[A-Za-z_]\w*)\s*)?(?::\s*[\w.<>?\[\]| ]+?\s*)?:?=\s*[\w.:(!]*$",
    )
});
static ENDS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(
        r"\b(?:throw|raise|panic!?|abort|die)\b|\b(?:[fF]atal\w*|exit|Exit|bail!)\s*\(|^error\(|\breturn\b.*(?:[eE]rr\b|[eE]rrorf?\(|errors\.)",
    )
});

/// What the program does where the variable that is read in bytes `start..end` of the line is not set.
pub(super) fn otherwise<'t>(line: &Line<'t>, start: usize, end: usize) -> Option<Otherwise<'t>> {
    let found = ASSIGNED.first(line.text.get(..start)?)?;
    let variable = found.name("variable")?.as_str();
    let second = found.name("second").map(|name| name.as_str());
    let behind = cut(line.window.get(end..)?, MAX_BEHIND);
    let mut lines = behind.split('\n').skip(1).filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    let check = first.trim();
    let condition = ["if ", "if(", "unless "].iter().find_map(|word| check.strip_prefix(word))?;
    if !is_about_nothing(condition, variable, second, check.starts_with("unless")) {
        return None;
    }
    // On the same line as in `if (!url) throw …`, else on those that stand further to the right.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let inside = lines.take_while(|line| indent(line) > indent(first)).take(MAX_LINES).map(str::trim);
    std::iter::once(check).chain(inside).find_map(|line| done(line, variable))
}

/// Whether a condition is true where the variable is not set.
fn is_about_nothing(condition: &str, variable: &str, second: Option<&str>, unless: bool) -> bool {
    if is_conjunction(condition) {
        return false;
    }
    let condition = condition.replace(" is None", " == null");
    let text: String = condition.chars().filter(|c| !c.is_whitespace() && *c != '$').collect();
    let text = text.trim_start_matches('(');
    let begins = |start: &str| {
        let rest = text.strip_prefix(start)?;
        (!rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')).then_some(rest)
    };
    if unless {
        return begins(variable).is_some_and(|rest| rest.is_empty());
    }
    let negated = |name: &str| begins(&format!("!{name}")).or_else(|| begins(&format!("not{name}")));
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with([')', '{', ':', '|']);
    if second.is_some_and(|second| negated(second).is_some_and(is_end))
        || negated(variable).is_some_and(is_end)
    {
        return true;
    }
    const NOTHING: &[&str] = &[
        "==\"\"",
        "==''",
        "===''",
        "===\"\"",
        "==null",
        "===null",
        "==undefined",
        "===undefined",
        "==nil",
        ".nil?",
        ".empty?",
        ".blank?",
        ".isEmpty()",
        ".isBlank()",
        ".is_empty()",
    ];
    begins(variable).is_some_and(|rest| NOTHING.iter().any(|nothing| rest.starts_with(nothing)))
        || ["string.IsNullOrEmpty(", "string.IsNullOrWhiteSpace(", "String.IsNullOrEmpty(", "empty("]
            .iter()
            .any(|call| text.strip_prefix(call).is_some_and(|rest| rest.starts_with(&format!("{variable})"))))
}

/// Whether a condition demands more than one thing: `cert == "" && tls`. What stands in quotes or in the block is none of
/// it.
fn is_conjunction(condition: &str) -> bool {
    let mut quote = None;
    let mut bare = String::new();
    for c in condition.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '{' => break,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => bare.push(c),
        }
    }
    bare.contains("&&") || bare.contains(" and ")
}

fn done<'t>(line: &'t str, variable: &str) -> Option<Otherwise<'t>> {
    if ENDS.first(line).is_some() {
        return Some(Otherwise::Fails);
    }
    let rest = line.trim_start_matches('$').strip_prefix(variable)?.trim_start();
    let rest = rest.strip_prefix('=').filter(|rest| !rest.starts_with('='))?;
    unquoted(rest.trim().trim_end_matches(';')).map(Otherwise::Default)
}

#[cfg(test)]
mod tests {
    use super::super::scan::Comments;
    use super::super::scan::lines;
    use super::*;

    fn said(text: &str) -> Option<Otherwise<'_>> {
        let lines = lines(text, &Pattern::new("READ"), Comments::Slash);
        let line = lines[0];
        let start = line.text.find("READ")?;
        otherwise(&line, start, start + 4)
    }

    #[test]
    fn patterns_are_valid() {
        assert!(ASSIGNED.is_valid() && ENDS.is_valid());
    }

    #[test]
    fn defaults_are_found_behind_the_read() {
        for text in [
            "port := READ\n\tif port == \"\" {\n\t\tport = \"80\"\n\t}\n",
            "let port = READ;\nif (!port) {\n  port = '80';\n}\n",
            "port = READ\nif not port:\n    port = \"80\"\n",
            "port = READ\n\nif port is None:\n    port = 80\n",
            "String port = READ;\nif (port == null) {\n  port = \"80\";\n}\n",
            "$port = READ;\nif (empty($port)) {\n  $port = '80';\n}\n",
        ] {
            assert_eq!(said(text), Some(Otherwise::Default("80")), "{text}");
        }
    }

    #[test]
    fn ends_are_found_behind_the_read() {
        for text in [
            "url := READ\nif url == \"\" {\n\tlog.Fatal(\"no url\")\n}\n",
            "url, ok := READ\nif !ok {\n\treturn nil, errors.New(\"no url\")\n}\n",
            "url := READ\nif url == \"\" {\n\treturn fmt.Errorf(\"no url\")\n}\n",
            "const url: string | undefined = READ;\nif (!url) throw new Error('no url');\n",
            "url = READ\nif not url:\n    raise ValueError(\"no url\")\n",
            "const url = READ;\nif (!url) throw new Error('no url and no && host');\n",
            "const url = READ;\nif (!url) {\n  console.error('no url');\n  process.exit(1);\n}\n",
            "val url = READ\nif (url == null) {\n  error(\"no url\")\n}\n",
            "url = READ\nunless url\n  abort \"no url\"\nend\n",
            "var url = READ;\nif (string.IsNullOrEmpty(url))\n    throw new Exception();\n",
        ] {
            assert_eq!(said(text), Some(Otherwise::Fails), "{text}");
        }
    }

    #[test]
    fn what_is_about_something_else_says_nothing() {
        for text in [
            "url := READ\nif url == \"a\" {\n\tpanic(url)\n}\n",
            "url := READ\nif urls == \"\" {\n\tpanic(url)\n}\n",
            "url := READ\nif err != nil {\n\tlog.Fatal(err)\n}\n",
            "url := READ\nif url != \"\" {\n\turl = \"b\"\n}\n",
            "url := READ\nif url == \"\" {\n\tlog.Println(\"none\")\n}\n",
            "cert := READ\nif cert == \"\" && tls {\n\tlog.Fatal(\"no cert\")\n}\n",
            "cert = READ\nif not cert and tls:\n    raise ValueError('no cert')\n",
            "f(READ)\nif f == \"\" {\n\tpanic(f)\n}\n",
            "url = READ\nif not url:\n    logger.error('no url')\nraise_for(url)\n",
            "url := READ\n",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
