//! One file per language: manifests, framework configuration and source reads; adds facts, decides nothing.

pub mod c;
pub mod dotnet;
pub mod elixir;
pub mod go;
mod go_env;
mod go_keys;
pub mod java;
mod java_env;
mod listen;
pub(super) mod mounted;
pub mod node;
mod node_env;
mod node_manifest;
mod otherwise;
pub mod php;
pub mod python;
mod python_env;
mod python_manifest;
mod records;
pub mod ruby;
mod ruby_database;
mod rules;
pub mod rust;
mod rust_env;
#[cfg(test)]
pub(super) mod testing;

pub(super) use listen::value_of;
pub(super) use noise::is_noise;
pub(super) use scan::{Pattern, holds, line_at};

use super::Detector;
use crate::noise;
use crate::search as scan;
use crate::search::needles;

/// All detectors of all languages.
pub const ALL: &[Detector] = &[
    c::SOURCE,
    dotnet::SOURCE,
    dotnet::MANIFEST,
    elixir::SOURCE,
    elixir::MANIFEST,
    go::SOURCE,
    go::MANIFEST,
    java::SOURCE,
    java::MANIFEST,
    java::IMAGE,
    node::SOURCE,
    node::MANIFEST,
    node::PRISMA,
    php::SOURCE,
    php::MANIFEST,
    php::IMAGE,
    php::SYMFONY,
    python::SOURCE,
    python::MANIFEST,
    ruby::SOURCE,
    ruby::MANIFEST,
    rust::SOURCE,
    rust::MANIFEST,
];
