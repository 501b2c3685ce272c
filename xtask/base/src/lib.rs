//! The data that all stages share, and what touches every file or line of a monorepo: walking, reading, searching.
//!
//! A package of its own because it is small and optimised also in the development profile, in which `cargo xtask`
//! runs; the stages are many times as large, and whoever uses the commands compiles them.

pub mod error;
pub mod model;
pub mod noise;
pub mod parallel;
pub mod repo;
pub mod search;
