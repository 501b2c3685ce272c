//! The words with which a container is started.

use super::fact::{Image, ServiceFacts};

/// Programs that start what follows them and reap its children.
const INITS: &[&str] = &["catatonit", "dumb-init", "tini", "tini-static"];

impl Image {
    /// The image's entry point, then its command.
    pub fn start(&self) -> impl Iterator<Item = &String> {
        self.entrypoint.iter().chain(&self.command)
    }
}

impl ServiceFacts {
    /// The words with which a container of it starts: the image's entry point, then the command that it is given, else
    /// the image's own.
    pub fn start(&self) -> impl Iterator<Item = &String> {
        self.image.entrypoint.iter().chain(self.command.as_ref().unwrap_or(&self.image.command))
    }
}

/// Whether a word of a command is an init, by its name or by its path.
pub fn is_init(word: &str) -> bool {
    INITS.contains(&word.rsplit('/').next().unwrap_or_default())
}

/// Whether a word of a command belongs to an init: its name, or an option as it takes them.
pub fn belongs_to_init(word: &str) -> bool {
    word.starts_with('-') || is_init(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_is_known_by_its_name_wherever_it_lies() {
        assert!(is_init("tini") && is_init("/usr/bin/dumb-init") && is_init("/sbin/tini-static"));
        assert!(!is_init("--") && !is_init("/app/tini.sh") && !is_init(""));
        assert!(belongs_to_init("-s") && belongs_to_init("/sbin/tini") && !belongs_to_init("serve"));
    }
}
