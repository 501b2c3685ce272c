//! Which packages RUN lines leave in the image, as far as package managers are called plainly.

use std::collections::BTreeSet;

use super::expand;

/// The packages so far.
#[derive(Debug, Default)]
pub(super) struct Installed {
    packages: BTreeSet<String>,
    /// `apk add --virtual NAME …`, to be taken away again by its name.
    groups: Vec<(String, Vec<String>)>,
}

impl Installed {
    /// Adds what a command installs and takes away what it removes.
    pub(super) fn run(&mut self, command: &str) {
        for part in command.split(['\n', ';', '|', '&']) {
            let words = expand::words(part);
            let manager = words.iter().position(|word| is_manager(word));
            if let Some(at) = manager {
                self.call(&words[at + 1..]);
            }
        }
    }

    fn call(&mut self, words: &[String]) {
        let Some(at) = words.iter().position(|word| verb(word).is_some()) else { return };
        let adds = verb(&words[at]) == Some(true);
        let mut names = Vec::new();
        let mut group = None;
        let mut rest = words.iter().take(at).chain(words.iter().skip(at + 1)).peekable();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-t" | "--virtual" => group = rest.next().cloned(),
                "--repository" | "-X" | "-o" | "-c" => {
                    rest.next();
                }
                word if word.starts_with("--virtual=") => {
                    group = word.split_once('=').map(|(_, name)| name.to_owned())
                }
                word if word.starts_with('-') || word.contains(['$', '/']) => {}
                word => names.push(word.split(['=', '<', '>', '~']).next().unwrap_or_default().to_owned()),
            }
        }
        if adds {
            self.packages.extend(names.iter().cloned());
            self.groups.extend(group.map(|group| (group, names)));
        } else {
            self.remove(&names);
        }
    }

    fn remove(&mut self, names: &[String]) {
        for name in names {
            self.packages.remove(name);
            for (_, members) in self.groups.iter().filter(|(group, _)| group == name) {
                for member in members {
                    self.packages.remove(member);
                }
            }
        }
    }

    /// By name.
    pub(super) fn into_names(self) -> Vec<String> {
        self.packages.into_iter().filter(|name| !name.is_empty()).collect()
    }
}

fn is_manager(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or_default();
    matches!(name, "apt-get" | "apt" | "aptitude" | "apk" | "dnf" | "microdnf" | "yum" | "zypper" | "tdnf")
}

fn verb(word: &str) -> Option<bool> {
    match word {
        "install" | "add" | "in" => Some(true),
        "remove" | "purge" | "del" | "erase" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(commands: &[&str]) -> Vec<String> {
        let mut all = Installed::default();
        commands.iter().for_each(|command| all.run(command));
        all.into_names()
    }

    #[test]
    fn installed_packages_stay_and_purged_ones_go() {
        assert_eq!(
            installed(&[
                "apt-get update && apt-get install -y --no-install-recommends curl=7.* tini && rm -rf /x"
            ]),
            ["curl", "tini"]
        );
        assert_eq!(
            installed(&["apk add --no-cache -t .build gcc make", "apk add wget && apk del .build"]),
            ["wget"]
        );
        assert_eq!(installed(&["npm install express"]), Vec::<String>::new());
    }
}
