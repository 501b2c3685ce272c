//! The `cargo xtask` commands of a monorepo, as a library so that another monorepo's own xtask can call them.
//!
//! Data flow: [`discover`] reads the repository into facts, [`plan`] turns facts, catalogue and config into a
//! stack, [`render`] turns the stack into files, [`apply`] merges the files into `integration/`;
//! [`run`] knows none of this and only sees what lies in `integration/`.

pub mod adopt;
pub mod apply;
pub mod cli;
pub mod commands;
pub mod render;
pub mod run;
pub mod ui;

pub use cli::main;
pub use xtask_base::{error, model, noise, parallel, repo, search};
pub use xtask_discover::{catalog, discover};
pub use xtask_plan::{config, plan};
