//! What a sensor saw.
//!
//! Owns the observation, its items, and the spelling of item ids.
//!
//! **Invariant:** an id made by [`item_id`] is the same on every machine and in every version of this crate, because
//! the host counts attempts by it.

use serde_json::Value;

/// A sensor's answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// Wakes the loop when it changes: no timestamps, no counters, no unstable order.
    pub signal: Value,
    /// For people and deciders; it does not wake the loop.
    pub detail: Value,
    /// What could be worked on, most urgent first.
    pub items: Vec<Item>,
}

/// Something that could be worked on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// The same from beat to beat: 1 to 128 bytes; no `/`, `\`, leading dot or control character. See [`item_id`].
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Free words that deciders and the loop file's rules look at.
    pub labels: Vec<String>,
    /// Its shape belongs to the sensor that made it.
    pub detail: Value,
}

/// Makes a stable item id from what identifies the item: `prefix-` and 16 hexadecimal digits.
///
/// Paths may not stand in ids, so their hash does. The parts are hashed with their lengths: `["ab", "c"]` and
/// `["a", "bc"]` differ. `prefix` is the caller's, at most 111 bytes, and must itself be fit for an id.
///
/// ```
/// assert_eq!(
///     ringfence_sdk::item_id("broken-link", &["docs/a.md", "b.md", "0"]),
///     "broken-link-992a7ea6e017a172",
/// );
/// ```
pub fn item_id(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Fnv::new();
    for part in parts {
        hash.add(&(part.len() as u64).to_le_bytes());
        hash.add(part.as_bytes());
    }
    format!("{prefix}-{:016x}", hash.0)
}

/// 64-bit FNV-1a. Not against attackers: two items that share an id are one to the host, in attempts, changes and answers.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_parts_apart() {
        let ids = [
            item_id("x", &[]),
            item_id("x", &[""]),
            item_id("x", &["ab", "c"]),
            item_id("x", &["a", "bc"]),
            item_id("x", &["abc"]),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(id.len(), 18);
            assert!(!ids[..at].contains(id), "{id}");
        }
    }

    #[test]
    fn ids_never_change() {
        assert_eq!(item_id("x", &[]), "x-cbf29ce484222325");
    }
}
