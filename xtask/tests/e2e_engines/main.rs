//! Other engines than the machine's own, each in a container: one that is killed, an old one, one without room, one on
//! another machine.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same machine")]

#[path = "../engine/mod.rs"]
mod engine;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../e2e/lab.rs"]
mod lab;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../e2e/place.rs"]
mod place;

mod cramped;
mod nested;
mod old;
mod survival;
