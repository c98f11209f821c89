//! The pure half of Ringfence: values in, values out.
//!
//! **Invariant:** nothing here reads a file, a clock, the environment or randomness, and nothing waits. What has to
//! happen outside is returned as a value for `ringfence-runner` to carry out.
//!
//! Modules, from the ground up: [`relpath`], [`digest`], [`ids`], [`quantity`], [`limits`] are the words;
//! [`policy`] judges paths; [`change`], [`verdict`] and [`call`] are what comes back from steps; [`cadence`] says when next.

pub mod authority;
pub mod beat;
pub mod cadence;
pub mod call;
pub mod change;
pub mod config;
pub mod decision;
pub mod diagnostic;
pub mod digest;
pub mod estimate;
pub mod evidence;
pub mod failure;
pub mod gating;
pub mod guard;
pub mod ids;
pub mod import;
pub mod inbox;
pub mod journal;
pub mod json;
pub mod json_schema;
pub mod limits;
pub mod manifest;
pub mod notify;
pub mod policy;
pub mod quantity;
pub mod regulator;
pub mod relpath;
pub mod run_log;
pub mod snapshot;
pub mod spec;
pub mod text;
mod toml_doc;
pub mod verdict;
