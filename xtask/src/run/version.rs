//! Version numbers, and the oldest of each program that the setup works with; asks nobody.

/// Older ones do not know `!override`.
pub const OLDEST_COMPOSE: Version = Version(2, 24, 4);
/// Older ones lack what the networks and health checks need.
pub const OLDEST_ENGINE: Version = Version(20, 10, 0);
/// The first engine with `start_interval`: full speed.
pub const FAST_ENGINE: Version = Version(25, 0, 0);
/// The first Compose in which a build takes another service's image for what FROM names.
pub const LINKING_COMPOSE: Version = Version(2, 33, 1);
/// `rust-version` of the workspace.
pub const OLDEST_RUST: Version = Version(1, 89, 0);

/// Major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `2.26.1-4`, `v2.24.5-desktop.1`, `26.1.5+dfsg1`, `5.3`.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().trim_start_matches('v');
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Version(major, next(), next()))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        for (text, version) in [
            ("2.26.1-4", Version(2, 26, 1)),
            ("v2.24.5-desktop.1", Version(2, 24, 5)),
            ("26.1.5+dfsg1", Version(26, 1, 5)),
            ("5.3\n", Version(5, 3, 0)),
        ] {
            assert_eq!(Version::parse(text), Some(version), "{text}");
        }
        assert_eq!(Version::parse("dev"), None);
    }

    #[test]
    fn the_oldest_rust_is_the_one_that_the_workspace_names() {
        assert_eq!(Version::parse(env!("CARGO_PKG_RUST_VERSION")), Some(OLDEST_RUST));
    }
}
