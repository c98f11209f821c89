//! What can be seen of the ground from the host: content, metadata and names.
//!
//! **Invariant:** nothing is followed, and nothing but regular files is opened.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::SelftestError;

/// One file, directory or link, without what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    inode: u64,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    /// When anything of it last changed; none for a file with several names, which changes with each of them.
    changed: Option<(i64, i64)>,
    bytes: Vec<u8>,
}

/// Looks at everything below `dir`.
pub(super) fn look_below(
    dir: &Path,
    prefix: &str,
    seen: &mut BTreeMap<String, Seen>,
) -> Result<(), SelftestError> {
    let failed = || SelftestError::at(dir);
    for entry in fs::read_dir(dir).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let found = entry.metadata().map_err(failed())?;
        seen.insert(name.clone(), look(&entry.path(), &found)?);
        if found.is_dir() {
            look_below(&entry.path(), &format!("{name}/"), seen)?;
        }
    }
    Ok(())
}

fn look(path: &Path, found: &fs::Metadata) -> Result<Seen, SelftestError> {
    let bytes = if found.is_file() {
        fs::read(path).map_err(SelftestError::at(path))?
    } else if found.is_symlink() {
        let target = fs::read_link(path).map_err(SelftestError::at(path))?;
        target.into_os_string().into_encoded_bytes()
    } else {
        Vec::new()
    };
    let has_other_names = found.is_file()
        && path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"twice"));
    Ok(Seen {
        inode: found.ino(),
        mode: found.mode(),
        owner: (found.uid(), found.gid()),
        size: if found.is_dir() { 0 } else { found.len() },
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (!has_other_names).then(|| (found.ctime(), found.ctime_nsec())),
        bytes,
    })
}

/// The paths at which two looks differ.
pub(super) fn differing<'a>(
    before: &'a BTreeMap<String, Seen>,
    after: &'a BTreeMap<String, Seen>,
) -> Vec<&'a str> {
    let paths = before.keys().chain(after.keys());
    let mut paths: Vec<&str> = paths
        .filter(|path| before.get(*path) != after.get(*path))
        .map(String::as_str)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}
