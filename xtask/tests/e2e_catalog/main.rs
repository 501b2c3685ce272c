//! The catalogue against real servers.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.

mod broker;
#[path = "../engine/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests on an engine")]
mod engine;
mod health;
mod one_shot;
mod server;
mod setup;
