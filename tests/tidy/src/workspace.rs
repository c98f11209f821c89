//! Reads the workspace: its texts, and what cargo says of it.
//!
//! **Invariant:** only reads. What is built (`target`), kept by git or by a loop is passed over; a file that cannot be
//! read is an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const PASSED_OVER: &[&str] = &["target", ".git", ".ringfence"];

/// One text file: its path relative to the root, `/`-separated, and what stands in it.
pub type Text = (String, String);

/// The workspace's root folder, found from this crate's own place.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// Every text file below `root`, sorted by path; files that are not UTF-8 are passed over.
///
/// # Errors
/// A folder or file cannot be read.
pub fn texts(root: &Path) -> io::Result<Vec<Text>> {
    let mut texts = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            if kind.is_dir() && !PASSED_OVER.iter().any(|passed| name == *passed) {
                folders.push(entry.path());
            } else if kind.is_file() {
                texts.extend(read(root, &entry.path())?);
            }
        }
    }
    texts.sort();
    Ok(texts)
}

fn read(root: &Path, file: &Path) -> io::Result<Option<Text>> {
    let path = file.strip_prefix(root).unwrap_or(file);
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    let text = String::from_utf8(fs::read(file)?).ok();
    Ok(text.map(|text| (names.join("/"), text)))
}

/// What `cargo metadata --no-deps --offline` answers for the workspace at `root`.
///
/// # Errors
/// Cargo cannot be started, fails, or answers no JSON.
pub fn metadata(root: &Path) -> io::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let answer = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root)
        .output()?;
    if !answer.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&answer.stderr).into_owned(),
        ));
    }
    serde_json::from_slice(&answer.stdout).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_and_read() {
        let texts = texts(&root()).unwrap();
        let has = |path: &str| texts.iter().any(|(found, _)| found == path);
        assert!(has("Cargo.toml") && has("wit/beat.wit") && has("tests/tidy/src/lib.rs"));
        assert!(
            texts
                .iter()
                .all(|(path, _)| !path.starts_with("target/") && !path.starts_with(".git/"))
        );
    }
}
