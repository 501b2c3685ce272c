//! Keeps two runs on one setup apart; writes nothing, not even a lock file.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;

use crate::apply::folder::Folder;
use crate::error::{Failure, Result};

/// Held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] Option<File>);

/// Waits until no other run works on a setup in the same monorepo; `waiting` is called once if it has to wait.
///
/// The lock is on the folder that holds the setup's folder, so that it works before the first run creates that and
/// leaves no file behind.
///
/// # Errors
/// Where the folder cannot be opened or locked.
pub fn take(folder: &Folder, waiting: impl FnOnce()) -> Result<Lock> {
    let failure = |why: std::io::Error| Failure::new(format!("cannot lock `{}`", folder.shown)).why(why);
    let Some(home) = folder.path.ancestors().skip(1).find(|path| path.is_dir()) else {
        return Ok(Lock(None));
    };
    let file = File::open(home).map_err(failure)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(Some(file))),
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock().map_err(failure)?;
            Ok(Lock(Some(file)))
        }
        // A file system without locks: going on is better than refusing to work there at all.
        Err(TryLockError::Error(why)) if why.kind() == ErrorKind::Unsupported => Ok(Lock(None)),
        Err(TryLockError::Error(why)) => Err(failure(why).into()),
    }
}
