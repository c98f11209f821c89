//! BLAKE3 digests, written as `blake3:<64 hex digits>`, and the one way to hash several parts together.
//!
//! **Invariant:** parts are length-prefixed, so that no two lists of parts share a hash by being cut elsewhere.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A BLAKE3 digest of 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest of the form blake3:<64 hex digits>: {text:?}")]
pub struct DigestError {
    text: String,
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The raw 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex().chars().take(12).collect()
    }

    /// The 64 hex digits without the prefix.
    #[must_use]
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

/// Hashes bytes as they come; the digest of each beginning costs no second reading.
#[derive(Debug, Clone, Default)]
pub struct RunningDigest(blake3::Hasher);

impl RunningDigest {
    /// Goes on by `bytes`.
    pub fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The digest of all bytes so far: what [`Digest::of`] says of them.
    #[must_use]
    pub fn so_far(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// Hashes a list of named parts, each with its length before it.
#[derive(Debug, Clone)]
pub struct PartsHasher(RunningDigest);

impl PartsHasher {
    /// Starts a hash for one purpose; `context` keeps hashes of different purposes apart.
    #[must_use]
    pub fn new(context: &str) -> Self {
        let mut hasher = Self(RunningDigest::default());
        hasher.bytes(context.as_bytes());
        hasher
    }

    /// Adds one part under its name.
    pub fn part(&mut self, name: &str, value: &[u8]) -> &mut Self {
        self.bytes(name.as_bytes());
        self.bytes(value);
        self
    }

    /// The digest of all parts so far.
    #[must_use]
    pub fn finish(&self) -> Digest {
        self.0.so_far()
    }

    fn bytes(&mut self, value: &[u8]) {
        self.0.add(&(value.len() as u64).to_le_bytes()).add(value);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let error = || DigestError {
            text: text.chars().take(80).collect(),
        };
        let hex = text.strip_prefix("blake3:").ok_or_else(error)?;
        let hash = blake3::Hash::from_hex(hex).map_err(|_| error())?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A BLAKE3 digest.",
            "type": "string",
            "pattern": "^blake3:[0-9a-f]{64}$"
        })
    }
}

/// Reads a digest where it stands: a journal has dozens in each line.
struct Text;

impl Visitor<'_> for Text {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in [
            "",
            "blake3:",
            "sha256:00",
            "blake3:zz",
            &format!("{digest}0"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn each_beginning_is_hashed_as_by_itself() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut running = RunningDigest::default();
        let mut read = 0;
        for until in [0, 1, 1024, 4_900, 4_900, 5_000] {
            let found = running.add(&bytes[read..until]).so_far();
            assert_eq!(found, Digest::of(&bytes[..until]), "{until}");
            read = until;
        }
    }

    #[test]
    fn parts_cut_elsewhere_differ() {
        let hash = |parts: &[(&str, &str)]| {
            let mut hasher = PartsHasher::new("test");
            for (name, value) in parts {
                hasher.part(name, value.as_bytes());
            }
            hasher.finish()
        };
        assert_ne!(
            hash(&[("a", "x\n@@ b\ny\n")]),
            hash(&[("a", "x\n"), ("b", "y\n")])
        );
        assert_ne!(hash(&[("ab", "c")]), hash(&[("a", "bc")]));
        assert_eq!(hash(&[("a", "b")]), hash(&[("a", "b")]));
    }
}
