//! Runs what lies in the setup's folder through `docker compose`; knows nothing of how it was generated.

pub mod containers;
pub mod docker;
pub mod dotenv;
pub mod duration;
pub mod env_file;
pub mod holder;
pub mod http;
pub mod junit;
pub mod labels;
pub mod pause;
pub mod ports;
pub mod probe;
pub mod scenario;
pub mod setup;
pub mod signals;
pub mod spec;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
