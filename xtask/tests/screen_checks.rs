//! The screens of the commands that look and test, whole, against a `docker` that is a script: no engine needed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test plays the user at the same disk")]

#[path = "screen/answers.rs"]
mod answers;
#[path = "screen/doctor_checks.rs"]
mod doctor_checks;
#[allow(dead_code, reason = "shared with the screens of the other commands")]
#[path = "screen/fake.rs"]
mod fake;
#[path = "screen/health_table.rs"]
mod health_table;
#[path = "screen/smoke_failure.rs"]
mod smoke_failure;
