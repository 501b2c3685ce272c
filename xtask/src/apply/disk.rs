//! The operations that change a disk, one by one, so that a test can stop a run after each; decides nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// What writing a setup does to a disk.
pub trait Disk {
    /// Makes one folder whose parent exists.
    ///
    /// # Errors
    /// Those of the system, here and below.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Writes a new file that must not exist, with the permissions and owner of `like` where that exists.
    fn write_new(&mut self, path: &Path, text: &str, like: &Path) -> io::Result<()>;
    /// Brings a file's, or a folder's, content to the medium.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// Puts a file in another's place, atomically.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Removes a folder if it is empty.
    fn remove_folder(&mut self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

#[allow(clippy::disallowed_methods, reason = "the room in which the setup is written")]
impl Disk for Real {
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn write_new(&mut self, path: &Path, text: &str, like: &Path) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        if let Ok(meta) = like.metadata() {
            adopt_owner(&file, &meta);
            file.set_permissions(meta.permissions())?;
        }
        file.write_all(text.as_bytes())
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }
}

/// Under `sudo` the file stays its owner's; without the right to give it away it becomes ours, as any edit would.
#[cfg(unix)]
fn adopt_owner(file: &File, like: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt;
    let _ = std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()));
}

#[cfg(not(unix))]
fn adopt_owner(_: &File, _: &std::fs::Metadata) {}
