//! What one step may spend: the limits a loop file can set, each finite from the start.
//!
//! Limits that nobody should have to choose (handles, log bytes, findings …) stand in `ringfence-sandbox`, beside the
//! code that enforces them.

use serde::{Deserialize, Serialize};

use crate::quantity::{Bytes, Fuel, Millis};

/// What one call of a component may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Guest instructions and host calls together.
    pub fuel: Fuel,
    /// Linear memory, all memories together.
    pub memory: Bytes,
    /// Wall-clock time of the call, waiting included.
    pub deadline: Millis,
}

// Limit: half a second to a second of one core, enough to read some thousand documents.
const FUEL_DEFAULT: Fuel = Fuel(10_000_000_000);
// Limit: what components of every language tried needed to start, with room for a large file.
const MEMORY_DEFAULT: Bytes = Bytes(64 << 20);
// Limit: ten times what the default fuel takes on a slow machine.
const DEADLINE_DEFAULT: Millis = Millis(10_000);

/// The most that a loop file may give one step.
pub const LIMITS_MAX: Limits = Limits {
    // Limit: a day of one core; beyond it a step is no step.
    fuel: Fuel(1_000_000_000_000_000),
    // Limit: the address space of a 32-bit memory.
    memory: Bytes(4 << 30),
    // Limit: an hour; a beat is one bounded step.
    deadline: Millis(3_600_000),
};

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: FUEL_DEFAULT,
            memory: MEMORY_DEFAULT,
            deadline: DEADLINE_DEFAULT,
        }
    }
}
