//! One file per language: manifests, framework configuration and source reads; adds facts, decides nothing.

pub mod node;
mod node_manifest;
pub mod python;
mod python_manifest;
mod rules;
pub mod rust;
mod scan;
#[cfg(test)]
pub(super) mod testing;

use super::Detector;

/// All detectors of all languages.
pub const ALL: &[Detector] = &[
    node::SOURCE,
    node::MANIFEST,
    node::PRISMA,
    python::SOURCE,
    python::MANIFEST,
    rust::SOURCE,
    rust::MANIFEST,
];
