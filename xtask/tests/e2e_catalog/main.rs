//! The catalogue against real servers.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.

mod health;
mod one_shot;
mod server;
mod setup;
