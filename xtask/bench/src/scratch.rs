//! A temporary folder that goes when it is done with, and Ctrl-C as an error, so that everything is cleaned up.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// Cleaning up has begun: it must not be stopped by the mark that began it.
static CLEANING: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C and SIGTERM only set a mark.
pub(crate) fn watch_signals() -> Result<()> {
    let mark = INTERRUPTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(mark)).context("cannot watch for Ctrl-C")?;
    }
    Ok(())
}

/// Whether the mark is set.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|mark| mark.load(Ordering::Relaxed))
}

/// An error where the mark is set.
pub(crate) fn check() -> Result<()> {
    if interrupted() && !CLEANING.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// From now on [`check`] lets everything pass where the mark is set.
pub(crate) fn forgive() {
    CLEANING.store(interrupted(), Ordering::Relaxed);
}

/// A folder of this process's own below the system's temporary one, deleted on drop.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes it.
    pub(crate) fn new(name: &str) -> Result<Scratch> {
        let path = std::env::temp_dir().join(format!("xtask-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        // The engine and the commands see the real path, where the temporary folder is a link.
        Ok(Scratch { path: path.canonicalize().context("cannot resolve the temporary folder")? })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Copies a tree of files, folders and links; a link stays one, wherever it leads.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let walk = ignore::WalkBuilder::new(from).hidden(false).require_git(false).build();
    for entry in walk {
        let entry = entry?;
        let relative = entry.path().strip_prefix(from)?;
        let target = to.join(relative);
        let kind = entry.file_type().context("an entry without a kind")?;
        let copied = if kind.is_dir() {
            std::fs::create_dir_all(&target)
        } else if kind.is_symlink() {
            std::fs::read_link(entry.path()).and_then(|to| std::os::unix::fs::symlink(to, &target))
        } else {
            std::fs::copy(entry.path(), &target).map(|_| ())
        };
        copied.with_context(|| format!("cannot copy to {}", target.display()))?;
    }
    Ok(())
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
