//! From facts, the catalogue of infrastructure and `config.yaml` to the stack, in which everything is decided.
//!
//! A package of its own because it compares the services of a monorepo with each other, so that it can be compiled
//! otherwise than the stages that see what was decided; the library shows its modules as its own.

pub mod config;
pub mod plan;

use xtask_base::{error, model, parallel};
use xtask_discover::catalog;
