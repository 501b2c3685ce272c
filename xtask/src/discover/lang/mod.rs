//! One file per language: manifests, framework configuration and source reads; adds facts, decides nothing.

use super::Detector;

/// All detectors of all languages.
pub const ALL: &[Detector] = &[];
