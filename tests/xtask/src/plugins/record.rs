//! `plugins.toml`: what is shipped, and what it was built from.
//!
//! Owns the file's format and the spelling of digests in it.
//!
//! **Invariant:** an unknown key is an error; the file is written by nobody but `cargo xtask plugins`.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::workspace;

const HEADER: &str = "\
# Written by `cargo xtask plugins`. `sources` is a digest over everything a plugin was built from, so that
# `cargo xtask plugins --check` can tell without building whether what is shipped is current.

";

/// The whole file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The stamp of the toolchain that built them.
    pub(crate) toolchain: String,
    /// Sorted by name.
    #[serde(rename = "plugin", default)]
    pub(crate) plugins: Vec<Plugin>,
}

/// One shipped plugin.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugin {
    /// The crate's name, and the file's without `.wasm`.
    pub(crate) name: String,
    /// The crate's version.
    pub(crate) version: String,
    /// Bytes of the component.
    pub(crate) size: usize,
    /// Of the component: `blake3:` and 64 hexadecimal digits.
    pub(crate) digest: String,
    /// Of what it was built from, spelled alike.
    pub(crate) sources: String,
}

impl Plugin {
    /// The component's file name.
    pub(crate) fn file(&self) -> String {
        format!("{}.wasm", self.name)
    }
}

impl Record {
    /// Reads the file.
    ///
    /// # Errors
    /// It is missing or not of this format.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = workspace::read_text(path)?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The file's text.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn to_text(&self) -> Result<String> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }
}

/// The digest of some bytes as it stands in the file.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back() {
        let record = Record {
            toolchain: "rustc 1".to_owned(),
            plugins: vec![Plugin {
                name: "a-b".to_owned(),
                version: "0.1.0".to_owned(),
                size: 3,
                digest: digest(b"abc"),
                sources: digest(b""),
            }],
        };
        let text = record.to_text().unwrap();
        assert_eq!(toml::from_str::<Record>(&text).unwrap(), record);
        assert!(toml::from_str::<Record>(&format!("odd = 1\n{text}")).is_err());
    }
}
