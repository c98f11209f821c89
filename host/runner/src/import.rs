//! The files of other tools, read for [`ringfence_core::import`].
//!
//! **Invariant:** nothing is written. A file that was found by its name is never a link, a pipe or a device, whatever the
//! repository puts in its place; one that the operator names may be a link.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ringfence_core::import::{FILE_NAMES, IMPORT_BYTES_MAX};

use crate::state_dir::{open_followed, open_plain};

/// A file, and its text or why there is none.
#[derive(Debug)]
pub struct Found {
    /// How it is shown: from the folder that was searched, or as it was named.
    pub name: String,
    /// What it holds.
    pub text: Result<String, io::Error>,
}

/// The files of a folder that have one of the known names, and those that were named themselves.
///
/// # Errors
/// The first of `from` that does not exist or cannot be looked at, with what the system said.
pub fn read(start: &Path, from: &[PathBuf]) -> Result<Vec<Found>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in from {
        let at = start.join(path);
        let meta = fs::metadata(&at).map_err(|error| (at.clone(), error))?;
        if meta.is_dir() {
            found.extend(search(&at));
        } else {
            found.push(Found {
                name: path.to_string_lossy().into_owned(),
                text: text(open_followed(&at)),
            });
        }
    }
    Ok(found)
}

fn search(dir: &Path) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for name in FILE_NAMES {
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        if folder != Path::new("") && dir.join(folder).is_symlink() {
            continue;
        }
        match text(open_plain(&dir.join(name), File::options().read(true))) {
            Err(error) if is_absent(&error) => {}
            text => found.push(Found {
                name: (*name).to_owned(),
                text,
            }),
        }
    }
    found
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn text(opened: io::Result<File>) -> Result<String, io::Error> {
    let file = opened.map_err(named)?;
    let mut bytes = Vec::new();
    // One byte more than is taken, so that core says that it is too long.
    file.take(IMPORT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|error| {
        let what = match error.as_bytes() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "it is UTF-16: save it as UTF-8",
            // Cut in the middle of a character.
            bytes if bytes.len() > IMPORT_BYTES_MAX => "it is too long",
            _ => "it is not UTF-8",
        };
        io::Error::other(what)
    })
}

/// An error in words that say what to do, where the system's own would not.
fn named(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        io::Error::other("it is a link: name the file that is meant")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_by_their_names_and_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("secret"), "secret").unwrap();
        fs::write(at("gate.yaml"), "version: 1").unwrap();
        fs::write(at("loop-budget.md"), b"\xff\xfea\0").unwrap();
        fs::write(at("loop-ledger.json"), b"\x80").unwrap();
        std::os::unix::fs::symlink("secret", at("LOOP.md")).unwrap();
        fs::create_dir(at("elsewhere")).unwrap();
        fs::write(at("elsewhere/safety.md"), "secret").unwrap();
        std::os::unix::fs::symlink("elsewhere", at("docs")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("loop-run-log.md"),
            fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        fs::create_dir(at("LOOP_SPEC.md")).unwrap();
        let found = read(dir.path(), &[PathBuf::from(".")]).unwrap();
        let shown: Vec<String> = found
            .iter()
            .map(|one| match &one.text {
                Ok(text) => format!("{}: {text}", one.name),
                Err(error) => format!("{}: {error}", one.name),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "LOOP_SPEC.md: it is no regular file",
                "LOOP.md: it is a link: name the file that is meant",
                "gate.yaml: version: 1",
                "loop-budget.md: it is UTF-16: save it as UTF-8",
                "loop-ledger.json: it is not UTF-8",
                "loop-run-log.md: it is no regular file",
            ]
        );
        let named = read(dir.path(), &[PathBuf::from("LOOP.md")]).unwrap();
        assert_eq!(named.first().unwrap().text.as_ref().unwrap(), "secret");
        assert!(read(dir.path(), &[PathBuf::from("gone")]).is_err());
    }
}
