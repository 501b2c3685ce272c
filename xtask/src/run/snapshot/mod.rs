//! Snapshots of a system's databases: dumped with each engine's own tools, kept in the setup's folder, put back whole.
//! How an engine is dumped stands in the catalogue; nothing here knows one by name.

pub mod manifest;
pub mod restore;
pub mod server;
pub mod store;
pub mod take;

/// A number of bytes for people: `47.2 MB`.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        let shown = [0, 999, 1_000, 47_280_000, 2_000_000_000].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "47.2 MB", "2.0 GB"]);
    }
}
