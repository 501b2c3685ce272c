//! Files outside of the setup that the user asked for by name: whole or not at all.

use std::io::Write as _;
use std::path::Path;

use crate::error::{Failure, Result};

/// Writes a report, missing folders made; `flag` is what named the file.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, text: &str, flag: &str) -> Result<()> {
    replace(path, text).map_err(|why| {
        Failure::new("cannot write the report")
            .at(path.display())
            .why(why)
            .fix(format!("pass another file to {flag}"))
            .into()
    })
}

#[allow(clippy::disallowed_methods, reason = "a report outside the setup, which the user named")]
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut name = path.file_name().ok_or(std::io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    let written = std::fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_written_whole_with_its_folders_and_no_leftovers() {
        let folder = std::env::temp_dir().join(format!("xtask-report-{}", std::process::id()));
        let path = folder.join("reports/smoke.xml");
        write(&path, "one", "--junit").unwrap();
        write(&path, "two", "--junit").unwrap();
        assert_eq!(crate::run::setup::read_text(&path).unwrap().unwrap(), "two");
        let reports = path.parent().unwrap();
        assert_eq!(reports.read_dir().unwrap().count(), 1);
        let error = write(&reports.join("smoke.xml/inner.xml"), "", "--junit").unwrap_err().to_string();
        assert!(error.starts_with("cannot write the report\n  at "), "{error}");
        assert!(error.ends_with("fix: pass another file to --junit"), "{error}");
        #[allow(clippy::disallowed_methods, reason = "the test's own folder")]
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
