//! `.env.example`: every variable, grouped and documented; a copy of it works as `.env`.

use crate::model::stack::{SecretForm, Stack, Variable};

const HEADER: &str = "# Every variable of this setup. `cargo xtask up` makes `.env` from it, with random values for what is marked\n\
                      # [generated: …]; a plain copy works too. Lines that start with `# NAME=` show defaults.\n";

pub(crate) fn render(stack: &Stack) -> String {
    let mut out = HEADER.to_owned();
    for group in &stack.variables {
        out.push_str(&format!("\n## {}\n", single_line(&group.title)));
        for variable in &group.variables {
            out.push_str(&lines(variable));
        }
    }
    out
}

fn lines(variable: &Variable) -> String {
    let Variable { name, value, comment, secret, optional } = variable;
    let mut out = String::new();
    for line in comment {
        out.push_str(&format!("# {}\n", single_line(line)));
    }
    match secret {
        Some(SecretForm::Hex(length)) => out.push_str(&format!("# [generated: {length} hex characters]\n")),
        Some(SecretForm::ThirdParty) => out.push_str("# [third party]\n"),
        None => {}
    }
    out.push_str(&format!("{}{name}={}\n", if *optional { "# " } else { "" }, quote(value)));
    out
}

/// Compose expands `$`, and takes ` #` for a comment, outside single quotes.
fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=?&~*;".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else if value.contains(['\'', '\n']) {
        let escaped =
            value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
        format!("\"{escaped}\"")
    } else {
        format!("'{value}'")
    }
}

fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_compose_would_change_them() {
        assert_eq!(quote("http://a:1/b?c=d"), "http://a:1/b?c=d");
        assert_eq!(quote("a #b"), "'a #b'");
        assert_eq!(quote("pa$$word"), "'pa$$word'");
        assert_eq!(quote("it's $5"), "\"it's \\$5\"");
    }
}
