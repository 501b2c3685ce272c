//! Problems found while reading and planning: reported with their place and a way out, never thrown.

use std::fmt;

use serde::Serialize;

/// How much a problem matters. Only a setup that cannot run at all is an error that stops `integrate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A part of the system will not work as the repository says it should.
    Error,
    /// Something was solved or assumed that a person should look at.
    Warning,
    /// Good to know.
    Note,
}

/// One problem, as `inventory --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable, with hyphens: `port-conflict`, `dependency-cycle`.
    pub code: &'static str,
    /// The services concerned, in stable order.
    pub services: Vec<String>,
    /// How much it matters.
    pub severity: Severity,
    /// One line, lower case, names in backticks.
    pub message: String,
    /// `path:line`, relative to the root.
    pub at: Vec<String>,
    /// An exact key, command or edit; empty where none is known.
    pub fix: String,
}

impl Problem {
    /// A problem without place and way out yet.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Problem {
            code,
            services: Vec::new(),
            severity,
            message: message.into(),
            at: Vec::new(),
            fix: String::new(),
        }
    }

    /// Names a service concerned.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.services.push(name.into());
        self
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.at.push(place.to_string());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}
