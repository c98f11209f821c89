//! The files that everybody works on.
//!
//! **Invariant:** they lie on the disk of the repository, below `target/`, and go when the value is dropped.

use std::fs;
use std::path::Path;

use bench::name;

use crate::{Outcome, root};

/// Small files in `small/`, an empty `made/`, and a large file `large`.
#[derive(Debug)]
pub struct Tree(tempfile::TempDir);

impl Tree {
    /// Makes `files` small files of `bytes` bytes each, and a large one of `large` bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(files: u64, bytes: usize, large: usize) -> Outcome<Self> {
        let dir = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(root().join("target"))?;
        fs::create_dir(dir.path().join("small"))?;
        fs::create_dir(dir.path().join("made"))?;
        for index in 0..files {
            let mut text = format!("{index} ");
            text.extend(std::iter::repeat_n('x', bytes.saturating_sub(text.len())));
            fs::write(dir.path().join("small").join(name(index)), text)?;
        }
        fs::write(dir.path().join("large"), vec![b'l'; large])?;
        Ok(Self(dir))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Removes what was written into `made/`; how many files there were.
    ///
    /// # Errors
    /// What the file system says.
    pub fn clear(&self) -> Outcome<u64> {
        let made = self.path().join("made");
        let count = fs::read_dir(&made)?.count() as u64;
        fs::remove_dir_all(&made)?;
        fs::create_dir(made)?;
        Ok(count)
    }
}
