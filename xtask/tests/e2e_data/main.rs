//! Data on real servers: snapshots, lost secrets, other versions, and what survives being killed.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

#[path = "../e2e/docker_that.rs"]
mod docker_that;
#[path = "../engine/mod.rs"]
mod engine;
#[path = "../e2e/lab.rs"]
#[allow(dead_code, reason = "shared with the other tests on an engine")]
mod lab;
mod migrations;
#[path = "../e2e/place.rs"]
#[allow(dead_code, reason = "shared with the other tests on an engine")]
mod place;
mod queue;
mod seeds;
mod shop;
mod snapshots;
mod survival;
mod versions;
