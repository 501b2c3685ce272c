//! Whether the monorepo's own Rust can compile these commands; chooses no toolchain.

use super::{Found, toml_file};
use crate::error::Failure;

pub(super) const FILE: &str = "rust-toolchain.toml";
pub(super) const OLD_FILE: &str = "rust-toolchain";

/// Refuses a monorepo that pins an older Rust than these commands need.
pub(super) fn check(found: &Found) -> Result<(), Failure> {
    let Some((name, channel)) = channel(found)? else { return Ok(()) };
    let needed = env!("CARGO_PKG_RUST_VERSION");
    match (version(&channel), version(needed)) {
        (Some(pinned), Some(least)) if pinned < least => {
            Err(Failure::new(format!("the monorepo pins Rust {channel}"))
                .at(toml_file::place(found, name, &["toolchain", "channel"]))
                .why(format!("these commands need Rust {needed} or newer"))
                .fix(format!("write `channel = \"{needed}\"` or a newer one")))
        }
        _ => Ok(()),
    }
}

/// The file that pins it and the channel; the old one wins, as with rustup.
fn channel(found: &Found) -> Result<Option<(&'static str, String)>, Failure> {
    let Some(name) = [OLD_FILE, FILE].into_iter().find(|name| found.text(name).is_some()) else {
        return Ok(None);
    };
    let text = found.text(name).unwrap_or_default();
    // The old form is the channel alone.
    if name == OLD_FILE && !text.contains('[') {
        return Ok(Some((name, text.trim().to_owned())));
    }
    let document = toml_file::parse(found, name)?;
    let channel = document.get("toolchain").and_then(|table| table.get("channel")?.as_str());
    Ok(channel.map(|channel| (name, channel.to_owned())))
}

/// Major and minor of `1.75`, `1.75.0` or `1.75.0-x86_64-unknown-linux-gnu`; `None` for `stable` and the like.
fn version(channel: &str) -> Option<(u32, u32)> {
    let mut parts = channel.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
