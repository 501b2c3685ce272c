//! What services name in their variables and a server's setup makes for them: the buckets of a store; pure.

use crate::catalog::Named;
use crate::model::problem::{Problem, Severity};

use super::components::Component;
use super::draft::Draft;
use super::environment::{Environment, escape};
use super::secrets;
use super::settings::{Setting, settings};

/// Last words of names that are about a bucket and hold none.
const ABOUT: &[&str] = &[
    "ACL",
    "ARN",
    "CLASS",
    "DOMAIN",
    "ENABLED",
    "ENDPOINT",
    "FOLDER",
    "HOST",
    "KEY",
    "LIMIT",
    "PASSWORD",
    "PATH",
    "POLICY",
    "PORT",
    "PREFIX",
    "PROVIDER",
    "PUBLIC",
    "RATE",
    "REGION",
    "SECRET",
    "SIZE",
    "TOKEN",
    "TTL",
    "TYPE",
    "URI",
    "URL",
    "USER",
    "USERNAME",
    "VERSIONING",
];

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Of the one-shot's environment: `ORDERS_S3_BUCKET`.
    pub(crate) variable: String,
    /// As Compose reads it, so that it is what the service is told.
    pub(crate) value: String,
}

/// What the clients of a server name, in the order of the variables.
pub(crate) fn wishes(
    component: &Component<'_>,
    drafts: &[Draft<'_>],
    environments: &[Environment],
) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let Some(named) = wanted(component) else { return wishes };
    for (draft, environment) in drafts.iter().zip(environments) {
        for (name, value, _) in names(component, named, draft) {
            if named.fits(value) {
                let told = environment.compose.get(name).cloned().unwrap_or_else(|| escape(value));
                let plain = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_ascii_uppercase();
                wishes.push(Wish { variable: format!("{}_{plain}", draft.prefix), value: told });
            }
        }
    }
    wishes.sort_by(|a, b| a.variable.cmp(&b.variable));
    wishes.dedup_by(|a, b| a.variable == b.variable);
    wishes
}

/// Whether its clients name anything that a setup could make.
pub(crate) fn any(component: &Component<'_>, drafts: &[Draft<'_>]) -> bool {
    let Some(named) = wanted(component) else { return false };
    drafts.iter().any(|draft| names(component, named, draft).iter().any(|(_, value, _)| named.fits(value)))
}

/// Names that the server would refuse.
pub(crate) fn check(components: &[Component<'_>], drafts: &[Draft<'_>], problems: &mut Vec<Problem>) {
    for component in components {
        let Some(named) = wanted(component) else { continue };
        for draft in drafts {
            let bad = names(component, named, draft).into_iter().filter(|(_, value, _)| !named.fits(value));
            for (name, _, setting) in bad {
                let service = &draft.facts.name;
                let title = &named.title;
                let mut problem = Problem::new(
                    "name-refused",
                    Severity::Warning,
                    format!("`{name}` of `{service}` holds what is no name for a {title}; none is created"),
                )
                .service(service)
                .fix(named.rule.clone());
                if let Some(at) = setting.at() {
                    problem = problem.at(at);
                }
                problems.push(problem);
            }
        }
    }
}

fn wanted<'a>(component: &Component<'a>) -> Option<&'a Named> {
    let ours = component.external.is_none() && component.foreign.is_none();
    component.entry.setup.as_ref()?.named.as_ref().filter(|_| ours)
}

/// The variables of a client that name something, with their values.
fn names<'d>(
    component: &Component<'_>,
    named: &Named,
    draft: &'d Draft<'_>,
) -> Vec<(&'d str, &'d str, Setting<'d>)> {
    if !component.clients.contains(&draft.facts.name) {
        return Vec::new();
    }
    let prefixes = &component.entry.recognise.variables;
    let about = |name: &str| is_name_of(&named.word, prefixes, name);
    let all = settings(draft.facts).into_iter().filter(|(name, _)| about(name));
    // What holds a number counts something: `TOKEN_BUCKET=100`.
    let value = |setting: &Setting<'d>| {
        setting
            .value()
            .filter(|value| value.contains(|c: char| c.is_ascii_alphabetic()) && !value.contains('$'))
    };
    let named = all.filter_map(|(name, setting)| Some((name, value(&setting)?, setting)));
    // What is secret is never shown, nor told to anyone as a name.
    named.filter(|(name, value, setting)| secrets::form(name, value, setting.comment()).is_none()).collect()
}

/// Whether a variable holds the name of such a thing: `UPLOADS_BUCKET`, `Minio__BucketName`, `S3_BUCKET_AVATARS`.
fn is_name_of(word: &str, prefixes: &[String], name: &str) -> bool {
    let upper: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let upper = upper.replace(&format!("{word}NAME"), &format!("{word}_NAME"));
    let words: Vec<&str> = upper.split('_').filter(|word| !word.is_empty()).collect();
    let Some(at) = words.iter().position(|other| *other == word) else { return false };
    match words[at + 1..] {
        [] | ["NAME"] => true,
        [.., last] => {
            prefixes.iter().any(|prefix| upper.starts_with(&format!("{prefix}_"))) && !ABOUT.contains(&last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_told_from_what_is_about_one() {
        let prefixes = ["MINIO".to_owned(), "S3".to_owned()];
        for (name, is) in [
            ("S3_BUCKET", true),
            ("AWS_STORAGE_BUCKET_NAME", true),
            ("Minio__BucketName", true),
            ("spring.cloud.aws.s3.bucket", true),
            ("MINIO_BUCKET_AVATARS", true),
            ("BUCKET", true),
            ("S3_BUCKET_REGION", false),
            ("S3_BUCKET_SECRET", false),
            ("S3_BUCKET_PROVIDER", false),
            ("MINIO_BUCKET_USERNAME", false),
            ("RATE_BUCKET_TTL", false),
            ("TOKEN_BUCKET_REFILL", false),
            ("BITBUCKET_USER", false),
        ] {
            assert_eq!(is_name_of("BUCKET", &prefixes, name), is, "{name}");
        }
    }
}
