//! Which operating system this is, and where its packages come from; from texts, reads nothing.

/// A release of an operating system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// `debian`, `ubuntu`, `fedora`; `macos` on a Mac.
    pub id: String,
    /// Ids of those it descends from.
    pub like: Vec<String>,
    /// `12`, `22.04`; empty for rolling ones.
    pub version: String,
    /// For people: `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
    /// Where apt gets its packages, where it is known.
    pub mirror: Option<Mirror>,
}

/// A source of Debian packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// `http://deb.debian.org/debian`
    pub url: String,
    /// Of the archive's keys; empty where the source names none.
    pub keyring: String,
}

impl System {
    /// From the text of `/etc/os-release` (freedesktop.org's os-release(5)).
    pub fn from_os_release(text: &str) -> System {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
        };
        System {
            id: value("ID"),
            like: value("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
            version: value("VERSION_ID"),
            name: value("PRETTY_NAME"),
            mirror: None,
        }
    }

    /// Major and minor of the release; `None` for rolling ones.
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split('.');
        let major = parts.next()?.parse().ok()?;
        Some((major, parts.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
    }
}

impl Mirror {
    /// The first source of Debian's main archive in a source file of apt, in either of its two formats.
    pub fn from_source(text: &str) -> Option<Mirror> {
        deb822(text).or_else(|| text.lines().find_map(one_line))
    }
}

fn is_main_archive(url: &str) -> bool {
    url.starts_with("http") && url.trim_end_matches('/').ends_with("/debian")
}

fn deb822(text: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|stanza| {
        let value = |key: &str| stanza.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let url = value("URIs:")?.split_whitespace().find(|url| is_main_archive(url))?;
        Some(Mirror { url: url.to_owned(), keyring: value("Signed-By:").unwrap_or_default().to_owned() })
    })
}

fn one_line(line: &str) -> Option<Mirror> {
    let rest = line.trim().strip_prefix("deb ")?.trim();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let url = rest.split_whitespace().next().filter(|url| is_main_archive(url))?;
    let keyring = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    Some(Mirror { url: url.to_owned(), keyring: keyring.unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_read_from_os_release() {
        let text =
            "PRETTY_NAME=\"Linux Mint 22\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22.1\"\n";
        let system = System::from_os_release(text);
        assert_eq!((system.id.as_str(), system.release()), ("linuxmint", Some((22, 1))));
        assert_eq!(
            (system.like, system.name.as_str()),
            (vec!["ubuntu".into(), "debian".into()], "Linux Mint 22")
        );
        assert_eq!(System::from_os_release("ID=arch\n").release(), None);
    }

    #[test]
    fn mirror_is_that_of_the_main_archive() {
        let deb822 = "Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: x\n\nTypes: deb\nURIs: https://mirror.example/debian/\nSigned-By: /k.gpg\n";
        let mirror =
            |url: &str, keyring: &str| Some(Mirror { url: url.to_owned(), keyring: keyring.to_owned() });
        assert_eq!(Mirror::from_source(deb822), mirror("https://mirror.example/debian/", "/k.gpg"));
        let lines = "# deb http://a/debian x main\ndeb http://s/debian-security x main\ndeb [arch=amd64 signed-by=/k.gpg] http://m/debian bookworm main\n";
        assert_eq!(Mirror::from_source(lines), mirror("http://m/debian", "/k.gpg"));
        assert_eq!(Mirror::from_source("deb http://m/debian bookworm main"), mirror("http://m/debian", ""));
        assert_eq!(Mirror::from_source("deb https://deb.nodesource.com/node_20.x nodistro main"), None);
    }
}
