//! By what an item of a Compose list is recognised when it changes; merges nothing.

use super::tree::{Data, Value};

/// The identity of each item of the list below `key`; `None` where the list counts as one value.
pub(super) fn identities(key: &str, items: &[Value]) -> Option<Vec<String>> {
    if matches!(key, "command" | "entrypoint" | "test") {
        return None;
    }
    let names: Vec<String> = items.iter().map(|item| identity(key, item)).collect::<Option<_>>()?;
    let mut seen: Vec<&str> = names.iter().map(String::as_str).collect();
    seen.sort_unstable();
    seen.dedup();
    (seen.len() == names.len()).then_some(names)
}

fn identity(key: &str, item: &Value) -> Option<String> {
    if item.tag.is_some() {
        return None;
    }
    if let Data::Map(_) = item.data {
        return long(key, item);
    }
    let text = match &item.data {
        Data::Alias(name) => return Some(name.clone()),
        _ => item.scalar()?,
    };
    let parts = split(text);
    Some(match key {
        "ports" => {
            let target = parts.last().copied().unwrap_or(text);
            let (port, protocol) = target.rsplit_once('/').unwrap_or((target, "tcp"));
            format!("{port}/{protocol}")
        }
        "volumes" => parts.get(1).or(parts.first()).copied().unwrap_or(text).to_owned(),
        "tmpfs" => parts.first().copied().unwrap_or(text).to_owned(),
        "environment" | "labels" | "args" | "annotations" | "sysctls" => before(text, &['=']).to_owned(),
        "extra_hosts" => before(text, &['=', ':']).to_owned(),
        _ => text.to_owned(),
    })
}

/// The long form: a map.
fn long(key: &str, item: &Value) -> Option<String> {
    let field = |name: &str| item.get(name).and_then(Value::scalar).map(str::to_owned);
    match key {
        "ports" => {
            Some(format!("{}/{}", field("target")?, field("protocol").unwrap_or_else(|| "tcp".to_owned())))
        }
        "volumes" => field("target"),
        "secrets" | "configs" => field("target").or_else(|| field("source")),
        "env_file" | "watch" => field("path"),
        _ => None,
    }
}

fn before<'a>(text: &'a str, ends: &[char]) -> &'a str {
    text.find(ends).map_or(text, |end| &text[..end])
}

/// Split at colons outside `${…}`.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    let mut last = ' ';
    for (at, sign) in text.char_indices() {
        match sign {
            '{' if last == '$' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        last = sign;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::plain(Data::Text(text.to_owned()))
    }

    #[test]
    fn items_are_known_by_what_they_hold() {
        for (key, item, id) in [
            ("ports", "${BIND_ADDR:-127.0.0.1}:${TRADING_PORT:-3000}:3000", "3000/tcp"),
            ("ports", "53:53/udp", "53/udp"),
            ("ports", "3000", "3000/tcp"),
            ("volumes", "./a:/data:ro", "/data"),
            ("volumes", "${DATA:-./x}:/data", "/data"),
            ("volumes", "/data", "/data"),
            ("environment", "A=b=c", "A"),
            ("extra_hosts", "host.docker.internal:host-gateway", "host.docker.internal"),
            ("tmpfs", "/run:size=1m", "/run"),
            ("networks", "services", "services"),
        ] {
            assert_eq!(identity(key, &text(item)).as_deref(), Some(id), "{key} {item}");
        }
    }

    #[test]
    fn commands_and_repeated_items_count_as_one_value() {
        assert_eq!(identities("command", &[text("a")]), None);
        assert_eq!(identities("ports", &[text("80:80"), text("81:80")]), None);
    }
}
