//! From a repository to facts, by the catalogue of infrastructure.
//!
//! A package of its own because every file of a monorepo passes through it, so that it can be compiled otherwise than the
//! stages that see only what it found; the library shows its modules as its own.

pub mod catalog;
pub mod discover;

use xtask_base::{error, model, noise, parallel, repo, search};
