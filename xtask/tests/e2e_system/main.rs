//! The tests of the running system, themselves put to the test on a real engine: they pass on a sound system, and each
//! of them fails when what it checks is broken.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

mod broken;
mod daily;
#[path = "../engine/mod.rs"]
mod engine;
mod isolated;
#[path = "../e2e/lab.rs"]
#[allow(dead_code, reason = "shared with the other tests on an engine")]
mod lab;
#[path = "../e2e/place.rs"]
#[allow(dead_code, reason = "shared with the other tests on an engine")]
mod place;
mod shop;
mod sound;
