//! Environments, hot reload and updates on a real engine: the sample twice at once, a service that is edited while it
//! runs, and a system that changes under its data.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

#[path = "../engine/mod.rs"]
mod engine;
mod forgetful;
#[path = "../e2e/lab.rs"]
#[allow(dead_code, reason = "shared with the other tests on a real engine")]
mod lab;
#[path = "../e2e/place.rs"]
#[allow(dead_code, reason = "shared with the other tests on a real engine")]
mod place;
mod side_by_side;
mod update;
mod watching;
