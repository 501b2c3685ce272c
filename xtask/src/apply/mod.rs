//! Merges generated files into the setup's folder without losing what people wrote there; renders nothing.
//!
//! [`current`] reads what lies there, [`decide`] compares base, current and new in memory and says for each file
//! what happens and why (a [`plan`]), [`write`](mod@write) does all of it or nothing. [`lock`] keeps two runs apart, [`diff`] shows a plan
//! as a unified diff.
//!
//! Architecture Invariant: `decide`, `merge`, `cause`, `compatibility`, `diff` and `text` touch no disk.
//! Architecture Invariant: nothing is written before every file is decided, and nothing is deleted that was edited.

pub mod cause;
pub mod compatibility;
pub mod current;
pub mod decide;
pub mod diff;
pub mod disk;
pub mod folder;
pub mod lock;
pub mod merge;
pub mod plan;
pub mod take;
pub mod text;
pub mod write;
