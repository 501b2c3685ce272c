//! What a run remembers for the next one, in files of the setup that git ignores; decides nothing.

use std::path::Path;

/// Writes a file of the cache in one step. Forgetting only makes the next start slower, so that is no error.
#[allow(clippy::disallowed_methods, reason = "caches of run's own, git-ignored")]
pub(super) fn write(file: &Path, text: &str) {
    let temporary = file.with_extension(format!("tmp-{}", std::process::id()));
    if let Some(folder) = file.parent()
        && std::fs::create_dir_all(folder).is_ok()
        && std::fs::write(&temporary, text).is_ok()
    {
        let _ = std::fs::rename(&temporary, file);
    }
}
