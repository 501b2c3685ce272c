//! End-to-end scenarios: what a file in `tests/smoke/` says, as data; sends nothing and prints nothing by itself.
//!
//! ```yaml
//! name: order flow
//! service: trading                  # for every step that names none
//! steps:
//!   - name: register a user
//!     service: accounts
//!     request: { method: POST, path: /users, json: { email: "ann-${run}@example.org" } }
//!     expect:
//!       status: 201                 # one, a list, or a class such as 2xx, which is the default
//!       headers: { content-type: { matches: "^application/json" } }
//!       json:
//!         $.id: { type: integer }
//!         $.email: "ann-${run}@example.org"
//!     capture: { user_id: $.id }
//!     retry: { times: 10, every: 500ms }
//! cleanup:                          # always run, last; a step whose captures do not exist is left out
//!   - { service: accounts, request: { method: DELETE, path: "/users/${user_id}" } }
//! ```
//! `schemas/scenario.schema.json` says the same for editors; a test keeps the two in step.

use std::time::Duration;

use serde_json::Value;

mod check;
mod expect;
mod fields;
mod load;
mod parse;
mod path;
mod play;
mod show;
mod uses;
mod vars;
mod yaml;

pub use check::Difference;
pub use load::{load, select};
pub use parse::parse;
pub use path::JsonPath;
pub use play::{BaseUrl, Fault, Played, PlayedStep, Player, Verdict};
pub use show::explain;
pub use vars::Vars;

/// A scenario as its file says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// For people and for `smoke NAME`.
    pub name: String,
    /// Relative to the root: `integration/tests/smoke/order-flow.yaml`.
    pub file: String,
    /// In this order, until one fails.
    pub steps: Vec<Step>,
    /// Afterwards, always, all of them.
    pub cleanup: Vec<Step>,
}

impl Scenario {
    /// The file's name without folder and extension, the other way to name a scenario.
    pub fn stem(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// One request and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// As written, else method and path.
    pub name: String,
    /// Where it begins in the file.
    pub line: usize,
    /// A Compose service.
    pub service: String,
    /// The container port; `None` for the service's main one.
    pub port: Option<u16>,
    /// What is sent.
    pub request: Request,
    /// What must come back.
    pub expect: Expect,
    /// What later steps may use.
    pub capture: Vec<Capture>,
    /// Tries again until the expectations hold.
    pub retry: Option<Retry>,
}

/// What is sent; texts may hold `${name}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// With `/` in front; may have a query.
    pub path: String,
    /// In the order of the file.
    pub headers: Vec<(String, String)>,
    /// At most one of `json` and `body`.
    pub body: Option<Body>,
    /// For the whole answer.
    pub timeout: Duration,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Sent as `application/json`.
    Json(Value),
    /// Sent as it is.
    Text(String),
}

/// What must come back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expect {
    /// Any of these; never empty.
    pub status: Vec<Status>,
    /// Names in lower case.
    pub headers: Vec<(String, Check)>,
    /// Values in the JSON body.
    pub json: Vec<(JsonPath, Check)>,
    /// The body as text.
    pub body: Option<Check>,
}

/// A status that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `201`.
    Exactly(u16),
    /// `2xx`: the first digit.
    Class(u16),
}

impl Status {
    /// Whether a code is that.
    pub fn holds(self, code: u16) -> bool {
        match self {
            Status::Exactly(wanted) => code == wanted,
            Status::Class(first) => code / 100 == first,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Exactly(code) => write!(f, "{code}"),
            Status::Class(first) => write!(f, "{first}xx"),
        }
    }
}

/// What must hold for one value; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Check {
    /// Numbers are compared by value: 1 equals 1.0.
    pub equals: Option<Value>,
    /// The JSON type.
    pub kind: Option<Kind>,
    /// A regular expression on the text; numbers are matched as they are written.
    pub matches: Option<String>,
    /// Whether the value is there at all.
    pub exists: Option<bool>,
    /// Items of a list, keys of an object, characters of a string.
    pub length: Option<usize>,
}

/// A JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`.
    String,
    /// Any number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `null`.
    Null,
}

impl Kind {
    /// The name in scenarios and in the schema.
    pub const NAMES: [(&'static str, Kind); 7] = [
        ("string", Kind::String),
        ("number", Kind::Number),
        ("integer", Kind::Integer),
        ("boolean", Kind::Boolean),
        ("object", Kind::Object),
        ("array", Kind::Array),
        ("null", Kind::Null),
    ];

    /// Whether a value is of this type.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Kind::String => value.is_string(),
            Kind::Number => value.is_number(),
            Kind::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            Kind::Boolean => value.is_boolean(),
            Kind::Object => value.is_object(),
            Kind::Array => value.is_array(),
            Kind::Null => value.is_null(),
        }
    }

    /// The name of this type.
    pub fn name(self) -> &'static str {
        Kind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// A value kept under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// For `${name}`.
    pub name: String,
    /// Where it stands in the response.
    pub from: Source,
}

/// Where a captured value stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// In the JSON body.
    Json(JsonPath),
    /// A response header, in lower case.
    Header(String),
}

/// How often and how fast a step is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, at least 1.
    pub times: u32,
    /// The pause between two.
    pub every: Duration,
}

#[cfg(test)]
mod schema_tests;
