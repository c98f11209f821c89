//! Whether a tree can be laid out as files at all: a few small objects can name more files than a disk holds, and paths that
//! nobody can open.
//!
//! **Invariant:** a tree is looked at before the first of its files is written.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ringfence_core::quantity::Bytes;

use super::{Workspace, WorkspaceError, blob_of};
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
        let listed = listed.args(["-r", "-z", "--full-tree", tree]);
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
        // Each object is asked for once, however many files are made of it.
        let mut files: HashMap<&str, u64> = HashMap::new();
        for record in records("ls-tree", &listed)? {
            let path = path_of(record).ok_or_else(|| unreadable("ls-tree", record))?;
            if let Some(why) = too_long(&self.place.dir, path) {
                return unfit(why);
            }
            if let Some(id) = blob_of(record) {
                *files.entry(id).or_default() += 1;
            }
        }
        let (ids, numbers): (Vec<&str>, Vec<u64>) = files.into_iter().unzip();
        let sizes = self.store.sizes(&ids)?.into_iter();
        let bytes = sizes.zip(numbers).fold(0_u64, |sum, (size, number)| {
            sum.saturating_add(size.unwrap_or_default().saturating_mul(number))
        });
        if bytes > CHECKOUT_BYTES_MAX {
            let (bytes, most) = (Bytes(bytes), Bytes(CHECKOUT_BYTES_MAX));
            return unfit(format!("its files have {bytes}, more than {most}"));
        }
        Ok(())
    }
}

/// The path in `<mode> <type> <id><TAB><path>`.
fn path_of(record: &[u8]) -> Option<&[u8]> {
    record.splitn(2, |byte| *byte == b'\t').nth(1)
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
    use crate::fixture::{Rig, gits};
    use crate::workspace::measure;

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
    fn a_tree_of_more_files_than_anybody_can_count_is_refused_and_not_counted() {
        for git in &gits() {
            let rig = Rig::repository(git);
            let opened = rig.open();
            let store = opened.ws.store();
            let mktree = |listing: String| {
                let made = store.git().call("mktree").stdin(listing.into_bytes());
                crate::git::output::one_id("mktree", &made.run().unwrap()).unwrap()
            };
            let blob = rig.git(&["rev-parse", "HEAD:README.md"]);
            let ten = |kind: &str, id: &str| -> String {
                let line = |n| format!("{kind} {id}\t{n}\n");
                (0..10).map(line).collect()
            };
            let mut bomb = mktree(ten("100644 blob", &blob));
            for _ in 0..9 {
                bomb = mktree(ten("040000 tree", &bomb));
            }
            let base = rig.git(&["rev-parse", "HEAD^{tree}"]);
            let error = measure::differences_within(store, &base, &bomb, 64 << 20).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("more than can be compared with 64MiB"),
                "{error}"
            );
            let error = opened.ws.fits(&bomb).unwrap_err();
            assert!(error.to_string().contains("list of files"), "{error}");
            // What differs is compared, and the rest of the tree is not.
            let with =
                |file: &str| mktree(format!("040000 tree {bomb}\tb\n100644 blob {file}\tf\n"));
            let other = rig.git(&["rev-parse", "HEAD:run.sh"]);
            let (files, _) =
                measure::differences_within(store, &with(&blob), &with(&other), 64 << 20).unwrap();
            assert_eq!(files.len(), 1);
            // A few objects can also be more bytes than a disk has.
            let large = [7; 1 << 20].repeat(64);
            let made = store.git().call("hash-object");
            let made = made.args(["-w", "--stdin"]).stdin(large).run().unwrap();
            let large = crate::git::output::one_id("hash-object", &made).unwrap();
            let mut many = mktree(ten("100644 blob", &large));
            opened.ws.fits(&many).unwrap();
            for _ in 0..2 {
                many = mktree(ten("040000 tree", &many));
            }
            let error = opened.ws.fits(&many).unwrap_err();
            assert!(error.to_string().contains("more than 16GiB"), "{error}");
        }
    }
}
