//! That people were told of something.

use serde::{Deserialize, Serialize};

/// A message that was sent, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about: one message is sent for each.
    pub about: String,
    /// How it went: none when it was delivered.
    pub error: Option<String>,
}
