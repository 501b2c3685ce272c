//! Plain data that travels between the stages; holds no rules and touches nothing outside itself.

pub mod data;
pub mod fact;
pub mod files;
pub mod inventory;
pub mod path;
pub mod problem;
pub mod stack;
pub mod start;
pub mod words;
