//! What the host keeps of one call of a component: how it ended, what it used, what it was denied.
//!
//! These are plain values: `ringfence-sandbox` fills them in, the journal and the reports read them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Denial;
use crate::quantity::{Bytes, Fuel, Millis};

/// Used and limit of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent<T> {
    /// What the call used.
    pub used: T,
    /// What it was given.
    pub limit: T,
}

/// What one call used; the same on every run of the same call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Guest instructions and host calls together.
    pub fuel: Spent<Fuel>,
    /// The highest linear memory.
    pub memory: Spent<Bytes>,
    /// Bytes read from files.
    pub bytes_read: Bytes,
    /// Bytes written to files.
    pub bytes_written: Bytes,
}

/// One line a component wrote to the log, stdout or stderr, cut at the host's limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// trace, debug, info, warn, error, stdout or stderr.
    pub level: String,
    /// As the component wrote it: escape before showing.
    pub text: String,
}

/// Everything worth keeping of one call besides its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// What it used.
    pub usage: Usage,
    /// Refused accesses in the order they happened, equal ones counted together.
    pub denials: Vec<Denial>,
    /// Denials beyond what the host keeps.
    pub denials_dropped: u64,
    /// What it logged.
    pub log: Vec<LogLine>,
    /// Log bytes beyond what the host keeps.
    pub log_bytes_dropped: u64,
}

/// Why the sandbox ended a call without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "class", rename_all = "kebab-case")]
pub enum CallFailure {
    /// The component used all its fuel.
    #[error("out of fuel: used {} of {}", used.0, limit.0)]
    OutOfFuel {
        /// What it used.
        used: Fuel,
        /// What it was given.
        limit: Fuel,
    },
    /// The wall clock ran out.
    #[error("deadline of {limit} passed")]
    Deadline {
        /// What it was given.
        limit: Millis,
    },
    /// The component asked for more memory than it may have.
    #[error("out of memory: asked for {} of {limit}", asked.approx())]
    Memory {
        /// What it asked for in all.
        asked: Bytes,
        /// What it was given.
        limit: Bytes,
    },
    /// Another bounded resource ran out.
    #[error("too many {resource}: the limit is {limit}")]
    Exhausted {
        /// Which, in the plural: `open files`.
        resource: String,
        /// How many it may have.
        limit: u64,
    },
    /// The engine stopped the component.
    #[error("trap: {message}")]
    Trap {
        /// The trap, with the panic's text where there was one.
        message: String,
    },
    /// The component does not keep the contract: a missing export, an import that is not offered, an answer out of shape.
    #[error("breaks the contract: {message}")]
    Contract {
        /// What is wrong.
        message: String,
    },
}
