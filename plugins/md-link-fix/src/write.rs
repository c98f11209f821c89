//! Puts new bytes into a file that exists.
//!
//! Owns the order of writing. A temporary file beside it is no help here: a step may be granted this one name and no
//! other, and the workspace is a staged copy that is thrown away when a step fails half-way.
//!
//! **Invariant:** the file keeps its identity and its mode, and is never created.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use ringfence_sdk::prelude::*;

/// Overwrites the file at `path` with `bytes`, then cuts off what is left of the old ones.
pub(crate) fn in_place(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::unavailable(format!("{} cannot be written: {error}", path.display()))
    };
    let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
        .map_err(failed)?;
    file.flush().map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn shorter_and_longer_bytes_replace_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        for bytes in ["first", "a longer text", "x", ""] {
            fs::write(&path, "the old text").unwrap();
            in_place(&path, bytes.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        assert!(in_place(&path, b"x").is_err());
        assert!(!path.exists());
    }
}
