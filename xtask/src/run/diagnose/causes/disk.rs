//! No space: on the disk, in a small file system in memory, or in one of the kernel's tables.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// How the end of the space is said.
pub const FULL: &str =
    r"(?i)no space left on device|\bENOSPC\b|disk quota exceeded|not enough space on the disk";

/// Only where the process has ended of it, or does not get well.
pub fn find(facts: &Facts) -> Option<Known> {
    if facts.is_healthy() || facts.exit_code() == Some(0) {
        return None;
    }
    if let Some(trace) =
        words::last(facts.recent(), r"ENOSPC: System limit for number of file watchers reached")
    {
        return Some(
            Known::new("this machine's limit of watched files is reached")
                .said(&trace.line)
                .fix("sudo sysctl fs.inotify.max_user_watches=524288"),
        );
    }
    let said: Vec<String> = facts.recent().iter().chain([&facts.details.error]).cloned().collect();
    let trace = words::last(&said, FULL)?;
    let small = in_memory(facts, &trace.line);
    let known = match small {
        Some(target) => Known::new(format!("no space is left in `{target}`, which lies in memory"))
            .at(facts.places.key(&["tmpfs"]))
            .fix(format!("raise its size in {}, {}", facts.places.file(), facts.then_up())),
        None => Known::new("it found no space left on the disk").fix(room()),
    };
    Some(known.said(&trace.line))
}

/// How room is made.
pub fn room() -> &'static str {
    "docker system df shows what Docker holds, docker builder prune frees what builds have kept"
}

/// A path in the line that lies in a `tmpfs`.
fn in_memory(facts: &Facts, line: &str) -> Option<String> {
    let paths = line.split(['\'', '"', ' ', ':', '`']).filter(|word| word.starts_with('/'));
    let mounts = paths.filter_map(|path| facts.anatomy.mount_of(path));
    mounts.into_iter().find(|mount| mount.kind == "tmpfs").map(|mount| mount.target.clone())
}
