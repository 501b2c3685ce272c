//! In which dialect of SQL a folder of migrations is written: by its name, else by words that one engine alone knows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::site::Site;
use crate::model::path::RepoPath;

/// Folders of many migrations show what they are in the first ones.
const MAX_FILES: usize = 20;

/// Names of folders.
const NAMES: &[(&str, &str)] = &[
    ("mariadb", "mysql"),
    ("mssql", "sqlserver"),
    ("mysql", "mysql"),
    ("pg", "postgres"),
    ("pgsql", "postgres"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("psql", "postgres"),
    ("sqlserver", "sqlserver"),
];

/// Words of one dialect.
static WORDS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let dialects = [
        (
            "postgres",
            r"(?i)\b(?:(?:big|small)?serial|timestamptz|jsonb|bytea|plpgsql|create\s+extension|create\s+type|gen_random_uuid|uuid_generate_v4|generated\s+(?:always|by\s+default)\s+as\s+identity)\b",
        ),
        (
            "mysql",
            r"(?i)\b(?:auto_increment|engine\s*=\s*innodb|tinyint|mediumtext|longtext|datetime\(\d\)|utf8mb4)\b",
        ),
        ("sqlserver", r"(?i)\b(?:nvarchar|datetime2|uniqueidentifier|identity\s*\(\s*1)"),
    ];
    dialects.iter().filter_map(|(dialect, words)| Some((*dialect, Regex::new(words).ok()?))).collect()
});

/// The dialect of the files below a folder; nothing where they show none, or several.
pub(super) fn of(site: &Site<'_>, folder: &RepoPath) -> Option<&'static str> {
    let named = |part: &str| NAMES.iter().find(|(name, _)| part.eq_ignore_ascii_case(name));
    if let Some((_, dialect)) = folder.parts().rev().find_map(named) {
        return Some(dialect);
    }
    let files = site.repo.files_in(folder).iter().filter(|path| path.extension() == "sql").take(MAX_FILES);
    let texts = files.map(|path| site.text(path));
    let shown = texts.flat_map(|text| {
        let knows = |(dialect, words): &(&'static str, Regex)| words.is_match(&text).then_some(*dialect);
        WORDS.iter().filter_map(knows).collect::<Vec<_>>()
    });
    let shown: BTreeSet<&'static str> = shown.collect();
    shown.first().copied().filter(|_| shown.len() == 1)
}
