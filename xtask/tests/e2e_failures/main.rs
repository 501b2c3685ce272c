//! What goes wrong on a real engine, each fault built for real, and the first lines that a user reads of it.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

#[path = "../e2e/docker_that.rs"]
mod docker_that;
#[path = "../engine/mod.rs"]
mod engine;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../e2e/lab.rs"]
mod lab;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../e2e/place.rs"]
mod place;

mod before;
mod data;
mod generated;
mod health;
mod lost;
mod programs;
mod running;
mod system;
mod waking;
