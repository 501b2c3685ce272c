//! Runs what lies in the setup's folder through `docker compose`; knows nothing of how it was generated.

pub mod again;
pub mod ahead;
pub mod build;
pub mod containers;
pub mod diagnose;
pub mod docker;
pub mod doctor;
pub mod dotenv;
pub mod duration;
pub mod env_file;
pub mod holder;
pub mod host_env;
pub mod http;
pub mod images;
pub mod inspect;
pub mod junit;
pub mod labels;
pub mod live;
pub mod networks;
pub mod pause;
pub mod ports;
pub mod preflight;
pub mod probe;
pub mod scenario;
pub mod setup;
pub mod signals;
pub mod spec;
pub mod start;
pub mod state;
pub mod stop;
#[cfg(test)]
pub(crate) mod testing;
pub mod verify;
pub mod version;
pub mod wait;
