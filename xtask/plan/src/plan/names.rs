//! Names in the forms that Compose, environment files and databases accept; pure.

/// Valid as a Compose project name: `[a-z0-9][a-z0-9_-]*`; `project` where nothing is left.
pub(crate) fn project(text: &str) -> String {
    let name = squeeze(&text.to_lowercase(), |c| c.is_ascii_lowercase() || c.is_ascii_digit(), '-');
    if name.is_empty() { "project".to_owned() } else { name }
}

/// Whether Compose takes a text as a project's name as it is.
pub(crate) fn is_project(text: &str) -> bool {
    let own = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(own) && text.chars().all(|c| own(c) || "-_".contains(c))
}

/// The first part of a service's variables: `order-api` is `ORDER_API`.
pub(crate) fn variable(text: &str) -> String {
    let name = squeeze(&text.to_uppercase(), |c| c.is_ascii_uppercase() || c.is_ascii_digit(), '_');
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("N{name}") } else { name }
}

/// A database or user name that needs no thought anywhere: `[a-z][a-z0-9_]*`, at most 32 characters (MySQL's users).
pub(crate) fn identifier(text: &str) -> String {
    let name = squeeze(&text.to_lowercase(), |c| c.is_ascii_lowercase() || c.is_ascii_digit(), '_');
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("n{name}") } else { name };
    let cut: String = name.chars().take(32).collect();
    if cut.is_empty() { "app".to_owned() } else { cut.trim_end_matches('_').to_owned() }
}

/// Letters and digits only, lower case: for comparing names however they are written.
pub(crate) fn folded(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Keeps what `keep` allows; runs of anything else become one `separator`, none at the ends.
fn squeeze(text: &str, keep: impl Fn(char) -> bool, separator: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if keep(c) {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(separator) {
            out.push(separator);
        }
    }
    out.trim_end_matches(separator).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_where_they_go() {
        assert_eq!(project("My Shop (2)"), "my-shop-2");
        assert_eq!(project("__"), "project");
        assert!(is_project("my_shop-2") && !is_project("My Shop") && !is_project("_x") && !is_project(""));
        assert_eq!(variable("order-api.v2"), "ORDER_API_V2");
        assert_eq!(variable("2fa"), "N2FA");
        assert_eq!(identifier("Order-API"), "order_api");
        assert_eq!(identifier(&"x".repeat(80)).len(), 32);
    }
}
