//! Decides which variables are secrets and of which form; pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::model::stack::SecretForm;
use crate::parallel::in_parallel;

use super::draft::Draft;
use super::settings;

/// Last words of names that hold secrets.
const ENDINGS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "PW",
    "SECRET",
    "TOKEN",
    "KEY",
    "SALT",
    "CREDENTIALS",
    "DSN",
    "PEPPER",
];

/// Words that make such a name harmless.
const HARMLESS: &[&str] =
    &["PUBLIC", "PUBLISHABLE", "PARTITION", "ROUTING", "CACHE", "PRIMARY", "SORT", "FOREIGN", "REGISTRY"];

/// Words of companies and products whose keys nobody can make up.
const THIRD_PARTIES: &[&str] = &[
    "STRIPE",
    "PAYPAL",
    "AWS",
    "AZURE",
    "GCP",
    "GOOGLE",
    "GITHUB",
    "GITLAB",
    "SLACK",
    "TWILIO",
    "SENDGRID",
    "MAILGUN",
    "OPENAI",
    "ANTHROPIC",
    "SENTRY",
    "DATADOG",
    "FIREBASE",
    "FACEBOOK",
    "TWITTER",
    "CLOUDINARY",
    "ALGOLIA",
    "MAPBOX",
    "OAUTH",
    "CLIENT",
    "LICENSE",
    "TELEGRAM",
    "DISCORD",
    "POSTHOG",
    "SEGMENT",
    "NEWRELIC",
    "HUBSPOT",
    "SHOPIFY",
];

static LENGTH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(\d{1,3})[ -]?(?:characters?|chars?|bytes?|byte\b)").expect("a valid pattern")
});

/// The form of the secret that `name` holds, or `None` where it holds none. `comment` is what the example says.
pub(crate) fn form(name: &str, value: &str, comment: &str) -> Option<SecretForm> {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.', ':']).filter(|word| !word.is_empty()).collect();
    let last = *words.last()?;
    // `doctrine://default`: an address without a login.
    if last == "DSN" && value.contains("://") && !value.contains('@') {
        return None;
    }
    let is_secret = ENDINGS.contains(&last) || upper.ends_with("SECRET_KEY_BASE") || ends_like_a_secret(last);
    if !is_secret || words.iter().any(|word| HARMLESS.contains(word)) || is_a_number_or_switch(value) {
        return None;
    }
    if is_third_party(&words, last, comment) {
        return Some(SecretForm::ThirdParty);
    }
    let least = if upper.ends_with("SECRET_KEY_BASE") { 64 } else { 32 };
    let asked = LENGTH.captures(comment).and_then(|found| found[1].parse::<u16>().ok());
    let exactly = asked.filter(|_| !comment.to_ascii_lowercase().contains("at least"));
    Some(SecretForm::Hex(exactly.or(asked.map(|n| n.max(least))).unwrap_or(least).max(1)))
}

/// `PGPASSWORD`, `JWTSECRET`: written as one word.
fn ends_like_a_secret(word: &str) -> bool {
    ["PASSWORD", "SECRET"].iter().any(|ending| word.ends_with(ending))
}

fn is_a_number_or_switch(value: &str) -> bool {
    matches!(value, "true" | "false")
        || (!value.is_empty() && value.len() < 5 && value.parse::<f64>().is_ok())
}

fn is_third_party(words: &[&str], last: &str, comment: &str) -> bool {
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(THIRD_PARTIES) || last == "DSN" {
        return true;
    }
    // Whoever says how to make one up has none from others: `node -e "console.log(crypto.randomBytes(64))"`.
    let comment = comment.to_ascii_lowercase();
    let is_made_up =
        ["openssl rand", "randombytes", "uuidgen", "/dev/urandom"].iter().any(|how| comment.contains(how));
    if !is_made_up
        && ["provider", "obtain", "dashboard", "console", "sign up", "third party", "third-party"]
            .iter()
            .any(|hint| comment.contains(hint))
    {
        return true;
    }
    // An API key is somebody else's unless the system's own parts use it among themselves.
    last == "KEY" && has(&["API"]) && !has(&["INTERNAL", "SERVICE", "APP"])
}

/// Secrets that several services hold together: one name, and one example value or the name of a token's key.
pub(crate) fn shared(drafts: &[Draft<'_>]) -> BTreeSet<String> {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for secret in in_parallel(drafts.iter().collect(), |draft| may_be_shared(draft)).into_iter().flatten() {
        *seen.entry(secret).or_default() += 1;
    }
    seen.into_iter().filter(|(_, services)| *services > 1).map(|((name, _), _)| name).collect()
}

/// The secrets of a service that others may hold too, with what is the same for all who do.
fn may_be_shared(draft: &Draft<'_>) -> Vec<(String, String)> {
    let own = settings::settings(draft.facts).into_iter().filter_map(|(name, setting)| {
        let value = setting.value().unwrap_or_default();
        let is_token = name.contains("JWT");
        let is_own = matches!(form(name, value, setting.comment()), Some(SecretForm::Hex(_)));
        let value = if is_token { "" } else { value };
        (is_own && (is_token || !value.is_empty())).then(|| (name.to_owned(), value.to_owned()))
    });
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_comments_decide() {
        use SecretForm::{Hex, ThirdParty};
        let table = [
            ("JWT_SECRET", "", "", Some(Hex(32))),
            ("JWT_SECRET", "", "node -e \"console.log(crypto.randomBytes(64))\"", Some(Hex(32))),
            ("JWT_SECRET", "", "from the provider's console", Some(ThirdParty)),
            ("SESSION_KEY", "0123456789abcdef", "must be exactly 16 characters", Some(Hex(16))),
            ("SESSION_KEY", "", "at least 48 characters", Some(Hex(48))),
            ("SECRET_KEY_BASE", "", "", Some(Hex(64))),
            ("STRIPE_SECRET_KEY", "", "", Some(ThirdParty)),
            ("MARKET_DATA_API_KEY", "", "", Some(ThirdParty)),
            ("INTERNAL_API_KEY", "", "", Some(Hex(32))),
            ("ADMIN_PW", "", "", Some(Hex(32))),
            ("SENTRY_DSN", "", "", Some(ThirdParty)),
            ("MESSENGER_TRANSPORT_DSN", "doctrine://default?auto_setup=0", "", None),
            ("PUBLIC_KEY", "", "", None),
            ("TOKEN_TTL", "", "", None),
            ("PARTITION_KEY", "", "", None),
            ("USE_TOKEN", "true", "", None),
            ("LOG_LEVEL", "info", "", None),
        ];
        for (name, value, comment, expected) in table {
            assert_eq!(form(name, value, comment), expected, "{name}");
        }
    }
}
