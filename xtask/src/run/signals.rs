//! Ctrl-C and SIGTERM as a flag that everything which waits looks at; ends nothing by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Failure, Interrupted, Result};

static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From here on the signals that ask the program to end are remembered instead of ending it.
///
/// Called once by the first thing that starts a process; later calls do nothing.
pub fn watch() -> Result<()> {
    if RECEIVED.get().is_some() {
        return Ok(());
    }
    let flag = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let value = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(&flag), value)
            .map_err(|why| Failure::new("cannot watch for Ctrl-C").why(why))?;
    }
    let _ = RECEIVED.set(flag);
    Ok(())
}

/// Whether one of them has come.
pub fn received() -> bool {
    RECEIVED.get().is_some_and(|flag| flag.load(Ordering::Relaxed) != 0)
}

/// An [`Interrupted`] once a signal has come; the command adds what still runs.
pub fn check() -> Result<()> {
    if received() { Err(interrupted()) } else { Ok(()) }
}

/// The error of a wait or of a child that a signal ended.
pub fn interrupted() -> anyhow::Error {
    Interrupted("interrupted".to_owned()).into()
}
