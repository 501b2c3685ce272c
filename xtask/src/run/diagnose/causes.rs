//! The known causes, as one table: each file judges the facts of one family and says nothing where it is not sure.

use crate::run::diagnose::facts::{Facts, Known};

pub mod address;
pub mod answer;
pub mod disk;
pub mod engine;
pub mod file;
pub mod library;
pub mod listener;
pub mod login;
pub mod memory;
pub mod migration;
pub mod permission;
pub mod program;
pub mod script;
pub mod variable;
pub mod version;

/// Causes that leave like traces.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// For tests and for those who read the table.
    pub name: &'static str,
    /// Looks at the facts of one service.
    pub find: fn(&Facts) -> Option<Known>,
}

/// What the engine and the kernel say comes first, then what a program says of itself, the more exact words before
/// the more general ones; last, what only shows from outside.
pub const FAMILIES: &[Family] = &[
    Family { name: "memory", find: memory::find },
    Family { name: "engine", find: engine::find },
    Family { name: "library", find: library::find },
    Family { name: "program", find: program::find },
    Family { name: "version", find: version::find },
    Family { name: "script", find: script::find },
    Family { name: "variable", find: variable::find },
    Family { name: "login", find: login::find },
    Family { name: "disk", find: disk::find },
    Family { name: "address", find: address::find },
    Family { name: "migration", find: migration::find },
    Family { name: "permission", find: permission::find },
    Family { name: "file", find: file::find },
    Family { name: "answer", find: answer::find },
    Family { name: "listener", find: listener::find },
];

/// The first cause that is sure.
pub fn known(facts: &Facts) -> Option<Known> {
    FAMILIES.iter().find_map(|family| (family.find)(facts))
}

#[cfg(test)]
mod tests;
