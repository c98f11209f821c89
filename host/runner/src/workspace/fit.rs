//! Whether a tree can be laid out as files at all: a few small objects can name more files than a disk holds, and paths that
//! nobody can open.
//!
//! **Invariant:** a tree is looked at before the first of its files is written.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ringfence_core::quantity::Bytes;

use super::{Workspace, WorkspaceError};
use crate::git::output::records;
use crate::git::process::RunError;
use crate::git::{GitError, unreadable};

/// Most bytes that the files of a tree may have together, for it to be checked out and judged.
// Limit: some times what the largest checkouts of source code have; objects of a few kilobytes can say any number.
pub const CHECKOUT_BYTES_MAX: u64 = 16 << 30;
// Limit: the lines of a million files.
const LISTING_BYTES_MAX: usize = 128 << 20;
// Limit: the kernel's for a path with the zero behind it.
const PATH_BYTES_MAX: usize = 4096 - 1;
// Limit: that of every usual file system for one name.
const NAME_BYTES_MAX: usize = 255;

impl Workspace {
    /// Refuses a tree that is no checkout of reasonable size, or has paths that are too long below this one's folder.
    ///
    /// # Errors
    /// [`WorkspaceError::Unfit`], [`WorkspaceError::Git`]. A tree that is not whole is no error here.
    pub(crate) fn fits(&self, tree: &str) -> Result<(), WorkspaceError> {
        let unfit = |why| Err(WorkspaceError::Unfit(why));
        let listed = self.store.git().call("ls-tree");
        let listed = listed.args(["-r", "-l", "-z", "--full-tree", tree]);
        let listed = match listed.stdout_max(LISTING_BYTES_MAX).run() {
            Ok(listed) => listed,
            Err(GitError::Run {
                source: RunError::TooMuchOutput(most),
                ..
            }) => return unfit(format!("its list of files has more than {most} bytes")),
            // What is missing is found by whoever checks it out.
            Err(GitError::Failed { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut bytes: u64 = 0;
        for record in records("ls-tree", &listed)? {
            let (size, path) =
                size_and_path(record).ok_or_else(|| unreadable("ls-tree", record))?;
            bytes = bytes.saturating_add(size);
            if let Some(why) = too_long(&self.place.dir, path) {
                return unfit(why);
            }
        }
        if bytes > CHECKOUT_BYTES_MAX {
            let (bytes, most) = (Bytes(bytes), Bytes(CHECKOUT_BYTES_MAX));
            return unfit(format!("its files have {bytes}, more than {most}"));
        }
        Ok(())
    }
}

/// Reads `<mode> <type> <id> <size><TAB><path>`; a submodule has `-` for a size.
fn size_and_path(record: &[u8]) -> Option<(u64, &[u8])> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = record.split_at_checked(tab)?;
    let size = std::str::from_utf8(head)
        .ok()?
        .split_ascii_whitespace()
        .nth(3)?;
    let size = if size == "-" { 0 } else { size.parse().ok()? };
    Some((size, path.get(1..)?))
}

fn too_long(below: &Path, path: &[u8]) -> Option<String> {
    let shown = || {
        let shown = path.get(..40).unwrap_or(path);
        OsStr::from_bytes(shown).to_string_lossy().into_owned()
    };
    let whole = below.as_os_str().len() + 1 + path.len();
    if whole > PATH_BYTES_MAX {
        return Some(format!(
            "the path {:?}… has {} bytes, and {whole} below {}: no file can have more than {PATH_BYTES_MAX}",
            shown(),
            path.len(),
            below.display()
        ));
    }
    let longest = path.split(|byte| *byte == b'/').map(<[u8]>::len).max()?;
    (longest > NAME_BYTES_MAX).then(|| {
        format!(
            "the path {:?}… has a name of {longest} bytes: no file can have more than {NAME_BYTES_MAX}",
            shown()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_where_the_kernel_ends_them() {
        let below = Path::new("/x/base");
        let deep = |bytes: usize| [b"d/".repeat(bytes / 2), b"f".repeat(bytes % 2)].concat();
        assert_eq!(too_long(below, b"a/b"), None);
        assert_eq!(too_long(below, &deep(PATH_BYTES_MAX - 8)), None);
        let why = too_long(below, &deep(PATH_BYTES_MAX - 7)).unwrap();
        assert!(why.contains("4088 bytes, and 4096 below /x/base"), "{why}");
        assert_eq!(too_long(below, &b"n".repeat(255)), None);
        assert!(too_long(below, &b"n".repeat(256)).is_some());
    }

    #[test]
    fn lines_are_read() {
        let read = size_and_path(b"100644 blob e69de29     12\ta\tb");
        assert_eq!(read, Some((12, &b"a\tb"[..])));
        assert_eq!(
            size_and_path(b"160000 commit e69de29       -\ts"),
            Some((0, &b"s"[..]))
        );
        for bad in [&b"100644 blob e69de29\ta"[..], b"100644 blob e 12 a", b""] {
            assert_eq!(size_and_path(bad), None);
        }
    }
}
