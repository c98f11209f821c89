//! Flushes the directories that git does not: those of new objects and those on the way to a new ref.
//!
//! **Invariant:** objects are on disk before a ref names them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use ringfence_core::change::ChangeSet;

use super::SettleError;
use crate::git::output::{is_id, is_zero, records};
use crate::git::unreadable;
use crate::state_dir::sync_dir;
use crate::store::Store;

/// Flushes the folders that hold the commit's new objects, loose or packed.
pub(super) fn objects(
    store: &Store,
    common_dir: &Path,
    commit: &str,
    change: &ChangeSet,
) -> Result<(), SettleError> {
    let call = store.git().call("diff-tree").args([
        "-r",
        "-t",
        "-z",
        "--raw",
        "--no-abbrev",
        "--no-renames",
    ]);
    let said = call
        .args([&change.base_tree, &change.candidate_tree])
        .run()?;
    let mut ids: BTreeSet<String> = [commit.to_owned(), change.candidate_tree.clone()].into();
    for head in records("diff-tree", &said)?
        .into_iter()
        .filter(|record| record.starts_with(b":"))
    {
        let id = std::str::from_utf8(head)
            .ok()
            .and_then(|text| text.split(' ').nth(3));
        // A file name may begin with a colon too; what is then no id is no record.
        ids.extend(id.filter(|id| is_id(id) && !is_zero(id)).map(str::to_owned));
    }
    let objects = common_dir.join("objects");
    let mut fans = BTreeSet::new();
    for id in &ids {
        fans.insert(
            id.get(..2)
                .ok_or_else(|| unreadable("diff-tree", id.as_bytes()))?,
        );
    }
    for dir in fans
        .into_iter()
        .map(|fan| objects.join(fan))
        .chain([objects.join("pack"), objects.clone()])
    {
        sync_if_there(&dir)?;
    }
    Ok(())
}

/// Flushes every folder from the ref's own up to the repository: of loose refs, packed refs and a table of refs alike.
pub(super) fn reference(common_dir: &Path, reference: &str) -> Result<(), SettleError> {
    let path = common_dir.join(reference);
    for dir in path
        .ancestors()
        .skip(1)
        .take_while(|dir| dir.starts_with(common_dir))
    {
        sync_if_there(dir)?;
    }
    sync_if_there(&common_dir.join("reftable"))
}

fn sync_if_there(dir: &Path) -> Result<(), SettleError> {
    match sync_dir(dir) {
        // With a table of refs, `refs/heads` is a file that keeps older gits away.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(())
        }
        synced => synced.map_err(|source| SettleError::Io {
            path: dir.to_owned(),
            source,
        }),
    }
}
