//! Keys of a program's configuration become reads of the variables that override them, as the library does it that the
//! service uses; reads no file.

use super::Source;
use super::findings::{Findings, Read, is_variable};
use crate::catalog::Catalog;
use crate::model::fact::{Fact, Naming, Reference, ServiceFacts, Subject, What};
use crate::model::path::RepoPath;

/// Where a file of the configuration says a port or an address, as `framework_conf` calls it.
pub(super) const OF_FILES: &str = "app-config";
pub(super) const PORT_OF_FILES: &str = "app-config-port";

/// Replaces the keys among the facts of a service; where no library reads variables for them, they are gone. What lies in
/// files that `is_shared` holds for is read by several services, of which those listen that serve something.
pub(super) fn settle(service: &mut ServiceFacts, catalog: &Catalog, is_shared: &dyn Fn(&RepoPath) -> bool) {
    let facts = std::mem::take(&mut service.facts);
    let (mut keys, mut namings) = (Vec::new(), Vec::new());
    for fact in facts {
        match fact.what {
            What::ConfigKey { .. } => keys.push(fact),
            What::KeysFromVariables(naming) => namings.push((fact.at.path, naming)),
            _ => service.facts.push(fact),
        }
    }
    let is_server =
        |fact: &Fact| matches!(fact.what, What::Framework { .. }) && fact.at.path.is_in(&service.path);
    let serves = service.facts.iter().any(is_server);
    for key in keys {
        let listens = serves || key.at.path.is_in(&service.path) || !is_shared(&key.at.path);
        settle_one(service, catalog, (key, listens), &namings);
    }
}

fn settle_one(
    service: &mut ServiceFacts,
    catalog: &Catalog,
    (fact, listens): (Fact, bool),
    namings: &[(RepoPath, Naming)],
) {
    let What::ConfigKey { library, key, default, required } = fact.what else { return };
    let (prefix, bare) = match naming(library, &fact.at.path, namings) {
        Some(naming) if variable(naming, &key).is_some() => (naming.prefix.as_str(), written(naming, &key)),
        // Keys in capitals are the variables of a file such as `.env`, or of the environment itself.
        None if library == "viper" && is_capital(&key) => ("", key),
        _ => return,
    };
    let name = format!("{prefix}{bare}");
    let source = Source { path: &fact.at.path, text: "", catalog };
    let mut found = Vec::new();
    let line = fact.at.line;
    let read = Read { name: &bare, default: default.as_deref(), required };
    Findings::new(&source, &mut found).env_below(prefix, line, fact.at.rule, read);
    found.retain(|fact| listens || !matches!(fact.what, What::Port { .. } | What::Listens { .. }));
    // Other keys may stand on the same line.
    let own_port =
        default.as_deref().and_then(|default| default.trim().rsplit(':').next()?.parse::<u16>().ok());
    // The file's reference has the port of the key beside it, too.
    let is_moved = |known: &Reference| {
        found.iter().any(|fact| matches!(&fact.what, What::Reference(moved) if moved.host == known.host))
    };
    service.facts.retain_mut(|known| {
        if known.at.path != fact.at.path || known.at.line != line {
            return true;
        }
        if let What::Port { port, variable, .. } = &mut known.what
            && known.at.rule == PORT_OF_FILES
            && own_port == Some(*port)
        {
            variable.get_or_insert_with(|| name.clone());
        }
        // What the file says as it is, the variable now says with its name.
        !(known.at.rule == OF_FILES && matches!(&known.what, What::Reference(known) if is_moved(known)))
    });
    service.facts.extend(found.into_iter().map(|found| Fact { subject: Subject::Here, ..found }));
}

/// How the variable of a key is called: as the same file says, else as all of the service's files say that say it.
fn naming<'n>(library: &str, path: &RepoPath, namings: &'n [(RepoPath, Naming)]) -> Option<&'n Naming> {
    let fits = |naming: &Naming| if library.is_empty() { naming.of_files } else { naming.library == library };
    let fitting = || namings.iter().filter(|(_, naming)| fits(naming));
    if let Some((_, naming)) = fitting().find(|(at, _)| at == path) {
        return Some(naming);
    }
    let (_, first) = fitting().next()?;
    fitting().all(|(_, other)| other == first).then_some(first)
}

/// The variable that overrides `key`; `None` where its name would be none.
pub(super) fn variable(naming: &Naming, key: &str) -> Option<String> {
    let name = format!("{}{}", naming.prefix, written(naming, key));
    is_variable(&name).then_some(name)
}

fn written(naming: &Naming, key: &str) -> String {
    let replaced =
        naming.replaced.iter().fold(key.to_owned(), |key, (from, to)| key.replace(from.as_str(), to));
    replaced.to_ascii_uppercase()
}

fn is_capital(key: &str) -> bool {
    key.len() > 1 && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Scope, discover};
    use crate::repo::Repo;

    fn said(tree: &str) -> Vec<String> {
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let facts = discover(&Repo::from_fixture(tree), &catalog, &Scope::default()).expect("is read");
        let shown = |fact: &Fact| match &fact.what {
            What::EnvRead { name, default, .. } => {
                Some(format!("{name} {}", default.as_deref().unwrap_or("-")))
            }
            What::Reference(found) => {
                Some(format!("{} by {}", found.host, found.via.as_deref().unwrap_or("-")))
            }
            What::Port { port, variable, .. } => {
                Some(format!("{port} by {}", variable.as_deref().unwrap_or("-")))
            }
            _ => None,
        };
        facts.services[0].facts.iter().filter_map(shown).collect()
    }

    const FILES: &str = "//- /Dockerfile\nFROM x\n//- /go.mod\nmodule m\n//- /config.yaml\nserver:\n  port: 8080\ndb:\n  host: localhost\n  log-sql: true\n\
        //- /main.go\nimport \"github.com/spf13/viper\"\n";

    #[test]
    fn files_are_overridden_where_a_library_does_so() {
        let tree = format!(
            "{FILES}func f() {{\n\tviper.SetEnvPrefix(\"shop\")\n\tviper.SetEnvKeyReplacer(strings.NewReplacer(\".\", \"_\"))\n\tviper.AutomaticEnv()\n}}\n"
        );
        assert_eq!(
            said(&tree),
            [
                "SHOP_SERVER_PORT 8080",
                "8080 by SHOP_SERVER_PORT",
                "8080 by SHOP_SERVER_PORT",
                "SHOP_DB_HOST localhost",
                "localhost by SHOP_DB_HOST"
            ]
        );
    }

    #[test]
    fn port_in_a_configuration_for_all_is_of_those_who_serve() {
        let program = |name: &str, dependency: &str| {
            format!(
                "//- /{name}/Dockerfile\nFROM x\nCOPY shared shared\n//- /{name}/Cargo.toml\n[package]\nname = \"{name}\"\n[dependencies]\n{dependency}\nshared = {{ path = \"../shared\" }}\n"
            )
        };
        let shared = "//- /shared/Cargo.toml\n[package]\nname = \"shared\"\n//- /shared/src/config.rs\n\
            #[derive(Deserialize)]\nstruct Config {\n    #[serde(default = \"addr\")]\n    addr: String,\n}\nfn addr() -> String {\n    \"0.0.0.0:5000\".into()\n}\n\
            fn load() { Figment::from(Env::prefixed(\"SHOP_\")) }\n";
        let port = |dependency: &str| {
            let tree = format!("{}{}{shared}", program("api", dependency), program("jobs", ""));
            said(&tree).iter().any(|said| said.starts_with("5000"))
        };
        assert!(port("axum = \"0.8\""));
        assert!(!port("serde = \"1\""));
    }

    #[test]
    fn keys_on_one_line_keep_what_is_their_own() {
        let tree = "//- /Dockerfile\nFROM x\n//- /go.mod\nmodule m\n//- /config.json\n{\"server\": {\"host\": \"0.0.0.0\", \"port\": 8080}, \"cache\": {\"host\": \"cache\", \"port\": 6379}}\n\
            //- /main.go\nimport \"github.com/spf13/viper\"\nfunc f() {\n\tviper.SetEnvPrefix(\"app\")\n\tviper.SetEnvKeyReplacer(strings.NewReplacer(\".\", \"_\"))\n\tviper.AutomaticEnv()\n}\n";
        assert_eq!(
            said(tree),
            [
                "APP_SERVER_HOST 0.0.0.0",
                "APP_SERVER_PORT 8080",
                "8080 by APP_SERVER_PORT",
                "APP_CACHE_HOST cache",
                "cache by APP_CACHE_HOST",
                "APP_CACHE_PORT 6379",
                "8080 by APP_SERVER_PORT"
            ]
        );
    }

    #[test]
    fn files_that_no_variable_overrides_stay_what_they_are() {
        assert_eq!(said(FILES), ["8080 by -"]);
    }

    #[test]
    fn two_prefixes_are_none() {
        let more = |prefix: &str| format!("viper.SetEnvPrefix(\"{prefix}\")\nviper.AutomaticEnv()\n");
        let tree = format!(
            "{FILES}{}//- /other.go\nimport \"github.com/spf13/viper\"\n{}//- /third.go\nimport \"github.com/spf13/viper\"\nx := viper.GetString(\"level\")\n",
            more("A"),
            more("B")
        );
        assert_eq!(said(&tree), ["8080 by -"]);
    }
}
