//! The whole program on a real engine, as a user types it: the sample, other monorepos, and trouble.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

mod by_hand;
#[path = "../engine/mod.rs"]
mod engine;
mod lab;
mod monorepos;
mod place;
mod renamed;
mod sample;
mod trouble;
