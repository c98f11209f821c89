//! The change as a commit to the checked-out branch needs it: path by path, with the bytes before and after.
//!
//! **Invariant:** nothing gets this far that git would convert on its way into the working tree.

use std::path::Path;

use ringfence_core::change::FileChange;
use ringfence_core::relpath::RelPath;

use super::check::{InTheWay, Layout, check};
use super::index::Index;
use super::log::{self, Content, Entry};
use super::tree::Tree;
use super::{Conflict, io_at};
use crate::git::discover::UserRepo;
use crate::git::output::{MODE_EXECUTABLE, MODE_FILE, MODE_LINK, records};
use crate::git::{Git, GitError, unreadable};
use crate::settle::{SettleError, import};
use crate::workspace::Workspace;
use crate::workspace::measure::CHANGED_BYTES_MAX;

/// What would have to be done to a file's bytes on the way into the working tree, and is not done here.
const CONVERSIONS: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

/// What has to be made for the change, if it fits into index and working tree as they are now.
pub(super) fn fits(repo: &UserRepo, git: &Git, entries: &[Entry]) -> Result<Layout, SettleError> {
    let file = repo.git_dir().join("index");
    let index = Index::read(git, repo.top(), &file)?;
    if index.has_conflicts {
        return Err(Conflict::UnderWay("the index has conflicts".to_owned()).into());
    }
    let tree = Tree::open(repo.top()).map_err(io_at(repo.top()))?;
    let found = check(&tree, &index, entries).map_err(io_at(tree.path()))?;
    let converted = converted(repo, git, &file, entries)?;
    match found {
        Ok(layout) if converted.is_empty() => Ok(layout),
        Ok(_) => Err(Conflict::InTheWay(converted).into()),
        Err(paths) => Err(Conflict::InTheWay([paths, converted].concat()).into()),
    }
}

/// The paths whose bytes git would convert, by running a program or otherwise: that is not for a loop to do.
fn converted(
    repo: &UserRepo,
    git: &Git,
    index: &Path,
    entries: &[Entry],
) -> Result<Vec<InTheWay>, GitError> {
    let asked: String = entries
        .iter()
        .filter(|entry| entry.new.is_some())
        .flat_map(|entry| [entry.path.as_str(), "\0"])
        .collect();
    let git = git.with_tree(repo.top(), index);
    let said = git
        .call("check-attr")
        .args(["-z", "--stdin"])
        .args(CONVERSIONS)
        .stdin(asked.into_bytes())
        .run()?;
    let mut found = Vec::new();
    for answer in records("check-attr", &said)?.chunks(3) {
        let [path, _, value] = answer else {
            return Err(unreadable("check-attr", &said));
        };
        if !matches!(*value, b"unspecified" | b"unset") {
            found.push(InTheWay {
                path: String::from_utf8_lossy(path).into_owned(),
                why: "converted by git when it is checked out",
            });
        }
    }
    Ok(found)
}

/// The change path by path, and the new bytes of each.
pub(super) fn entries_of(
    ws: &Workspace,
    files: &[FileChange],
) -> Result<(Vec<Entry>, Vec<Vec<u8>>), SettleError> {
    let olds: Vec<_> = files
        .iter()
        .map(|file| file.old_blob.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    let sizes = ws.store().sizes(&olds)?;
    let sum: u64 = sizes.iter().flatten().sum();
    if sum > CHANGED_BYTES_MAX {
        return Err(SettleError::TooLarge(sum));
    }
    let wanted: Vec<_> = olds
        .iter()
        .zip(&sizes)
        .map(|(id, size)| (*id, size.unwrap_or(0)))
        .collect();
    let mut old_blobs = import::blobs(ws.store(), &wanted)?.into_iter();
    let wanted: Vec<_> = files
        .iter()
        .filter(|file| !file.new_blob.is_empty())
        .map(|file| (file.new_blob.as_str(), file.size))
        .collect();
    let mut new_blobs = import::blobs(ws.store(), &wanted)?.into_iter();
    let (mut entries, mut blobs) = (Vec::new(), Vec::new());
    for file in files {
        let old = side(&file.path, file.old_mode, &file.old_blob, &mut old_blobs)?;
        let new = side(&file.path, file.new_mode, &file.new_blob, &mut new_blobs)?;
        entries.push(Entry {
            path: file.path.clone(),
            old: old.map(|(content, _)| content),
            new: new.as_ref().map(|(content, _)| content.clone()),
        });
        blobs.push(new.map(|(_, bytes)| bytes).unwrap_or_default());
    }
    Ok((entries, blobs))
}

fn side(
    path: &RelPath,
    mode: u32,
    blob: &str,
    blobs: &mut impl Iterator<Item = Vec<u8>>,
) -> Result<Option<(Content, Vec<u8>)>, SettleError> {
    if blob.is_empty() {
        return Ok(None);
    }
    if ![MODE_FILE, MODE_EXECUTABLE, MODE_LINK].contains(&mode) {
        return Err(SettleError::Odd(path.to_string()));
    }
    let bytes = blobs.next().unwrap_or_default();
    let content = Content {
        mode,
        blob: blob.to_owned(),
        digest: log::digest(&bytes),
    };
    Ok(Some((content, bytes)))
}
