//! Which database a word on the command line means: a service's own, or a server as its administrator.

use crate::catalog::{Catalog, Class, Entry};
use crate::commands::db::servers::entry;
use crate::commands::project::{Project, check_names};
use crate::error::{Failure, Result};
use crate::run::dotenv;
use crate::run::labels::Role;
use crate::run::spec::{ServiceSpec, Spec};
use crate::ui::list;

/// A database and who logs in to it.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The server.
    pub(super) server: &'a ServiceSpec,
    /// Its kind.
    pub(super) entry: &'a Entry,
    /// Empty where there is no login.
    pub(super) user: String,
    /// Empty where the kind has none.
    pub(super) database: String,
    /// Variables of the env file that may hold the password; the first that does counts.
    pub(super) password_variables: Vec<String>,
    /// How the password is made of the variable: `{hex}` stands for it.
    pub(super) form: String,
}

/// Finds what is meant.
///
/// # Errors
/// When there is nothing of this name, or it uses no database, or several.
pub(super) fn find<'a>(
    project: &Project,
    spec: &'a Spec,
    catalog: &'a Catalog,
    name: &str,
) -> Result<Target<'a>> {
    check_names(&[name.to_owned()], &spec.names(), "service")?;
    let Some(service) = spec.service(name) else {
        return Err(Failure::new(format!("there is no service `{name}`")).into());
    };
    if let Some(entry) = entry(catalog, service) {
        return Ok(administrator(service, entry));
    }
    let mut own = own(spec, catalog, name);
    // A queue beside a database is not what `db` means.
    if own.iter().any(|target| target.entry.class == Class::Database) {
        own.retain(|target| target.entry.class == Class::Database);
    }
    if own.is_empty() {
        let used = service.depends_on.iter().filter_map(|(name, _)| spec.service(name));
        own.extend(used.filter_map(|server| Some(administrator(server, entry(catalog, server)?))));
    }
    match own.len() {
        0 => {
            let has_one = |service: &&ServiceSpec| entry(catalog, service).is_some();
            let servers: Vec<&str> =
                spec.services.iter().filter(has_one).map(|server| server.name.as_str()).collect();
            let failure = Failure::new(format!("`{name}` uses no database of this setup"));
            Err(match servers.as_slice() {
                [] => failure.why("there is none"),
                servers => failure.fix(format!("name a server or one of its clients: {}", list(servers))),
            }
            .into())
        }
        1 => Ok(own.remove(0)),
        _ => {
            let servers: Vec<&str> = own.iter().map(|target| target.server.name.as_str()).collect();
            Err(Failure::new(format!("`{name}` uses {}", list(&servers)))
                .fix(format!("name the one that is meant: {}", project.setup.xtask("db shell SERVER")))
                .into())
        }
    }
}

/// The databases that a setup gives to a service.
fn own<'a>(spec: &'a Spec, catalog: &'a Catalog, service: &str) -> Vec<Target<'a>> {
    let mut found = Vec::new();
    for setup in spec.services.iter().filter(|service| service.role == Role::OneShot) {
        let mut servers = setup.depends_on.iter().filter_map(|(name, _)| spec.service(name));
        let server = servers.find_map(|server| Some((server, entry(catalog, server)?)));
        let Some((server, entry)) = server else { continue };
        for given in setup.labels.databases.iter().filter(|given| given.service == service) {
            found.push(Target {
                server,
                entry,
                user: given.user.clone(),
                database: given.database.clone(),
                password_variables: vec![given.password_variable.clone()],
                form: "{hex}".to_owned(),
            });
        }
    }
    found
}

fn administrator<'a>(server: &'a ServiceSpec, entry: &'a Entry) -> Target<'a> {
    let login = entry.login.as_ref();
    let secret = login.map(|login| login.secret.clone()).unwrap_or_default();
    // A second server of a kind has its name before that of the secret.
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let prefix: String = server.name.chars().map(plain).collect();
    Target {
        server,
        entry,
        user: login.map(|login| login.user.clone()).unwrap_or_default(),
        database: login.map(|login| login.database.clone()).unwrap_or_default(),
        form: entry.secret_forms.get(&secret).cloned().unwrap_or_else(|| "{hex}".to_owned()),
        password_variables: vec![format!("{prefix}_{secret}"), secret],
    }
}

impl Target<'_> {
    /// A text of the catalogue with this login filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{user}", &self.user).replace("{database}", &self.database)
    }

    /// The password as the env file has it; empty where there is none.
    pub(super) fn password(&self, env_text: &str) -> String {
        let known = self.password_variables.iter().find_map(|name| dotenv::value(env_text, name));
        known.map(|value| self.form.replace("{hex}", &value)).unwrap_or_default()
    }
}
