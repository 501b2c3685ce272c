//! The catalogue against real servers.
//!
//! Where no engine answers, the tests say so and pass; with `XTASK_REQUIRE_DOCKER=1` they fail instead.

mod health;
mod server;
mod setup;
