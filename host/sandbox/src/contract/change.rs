//! The `change` interface: what a gate is told of a change, and what it may read of it.
//!
//! A gate sees which files changed, since that is what it judges, and what the commits say; bytes before the change and diffs
//! are given only of paths that the gate may read, by the same judge as its file calls.

use std::sync::Arc;

use ringfence_core::change::{ChangeKind, Commit, FileChange};
use ringfence_core::policy::Access;
use ringfence_core::relpath::RelPath;

use crate::bindings::ringfence::beat::change;
use crate::change_source::{ChangeSource, HELD_FILE_BYTES_MAX};
use crate::meter::{BASE_FILE, ENTRY, GIT};
use crate::state::State;

// Limit: what the host holds for one answer; a gate that needs more of a file does not judge text.
pub(super) const BYTES_MAX: u64 = 16 << 20;
// Limit: more than a reader looks at around a change; the contract names it.
const CONTEXT_LINES_MAX: u32 = 1_000;

impl change::Host for State {
    fn files(&mut self) -> wasmtime::Result<Vec<change::FileChange>> {
        let source = self.source()?;
        self.meter
            .charge(ENTRY.saturating_mul(source.files().len() as u64));
        Ok(source.files().iter().map(lower).collect())
    }

    fn read_base(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let source = self.source()?;
        self.meter.charge_bytes(path.len());
        let changed = source
            .files()
            .binary_search_by(|file| file.path.as_str().cmp(path.as_str()));
        self.meter
            .charge(if changed.is_ok() { BASE_FILE } else { GIT });
        let path = match RelPath::lexical(&path) {
            Ok(path) => path,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Err(refused) = self.fs.judge_path(&path, Access::Read) {
            return Ok(Err(refused));
        }
        Ok(match source.read_base(&path, BYTES_MAX) {
            Ok(Some(bytes)) => {
                if changed.is_ok() && bytes.len() as u64 > HELD_FILE_BYTES_MAX {
                    self.meter.charge(GIT - BASE_FILE);
                }
                self.meter.read(bytes.len());
                Ok(bytes)
            }
            Ok(None) => Err(format!("{path}: no such file before the change")),
            Err(error) => Err(format!("{path}: {error}")),
        })
    }

    fn unified_diff(&mut self, context_lines: u32) -> wasmtime::Result<Result<String, String>> {
        let source = self.source()?;
        self.meter.charge(GIT);
        let readable: Vec<RelPath> = source
            .files()
            .iter()
            .map(|file| file.path.clone())
            .filter(|path| self.fs.allows(path, Access::Read))
            .collect();
        let context = context_lines.min(CONTEXT_LINES_MAX);
        Ok(match source.unified_diff(context, &readable, BYTES_MAX) {
            Ok(diff) => {
                self.meter.read(diff.len());
                Ok(diff)
            }
            Err(error) => Err(error.to_string()),
        })
    }

    fn commits(&mut self) -> wasmtime::Result<Vec<change::Commit>> {
        let source = self.source()?;
        for commit in source.commits() {
            self.meter.charge(ENTRY);
            self.meter.charge_bytes(commit.bytes());
        }
        Ok(source.commits().iter().map(lower_commit).collect())
    }
}

impl State {
    fn source(&self) -> wasmtime::Result<Arc<dyn ChangeSource>> {
        match &self.change {
            Some(source) => Ok(Arc::clone(source)),
            None => Err(wasmtime::Error::msg("only a gate is given a change")),
        }
    }
}

fn lower(file: &FileChange) -> change::FileChange {
    change::FileChange {
        path: file.path.as_str().to_owned(),
        kind: match file.kind {
            ChangeKind::Added => change::ChangeKind::Added,
            ChangeKind::Modified => change::ChangeKind::Modified,
            ChangeKind::Deleted => change::ChangeKind::Deleted,
        },
        renamed_from: file
            .renamed_from
            .as_ref()
            .map(|path| path.as_str().to_owned())
            .unwrap_or_default(),
        old_mode: file.old_mode,
        new_mode: file.new_mode,
        size: file.size,
        lines_added: file.lines_added,
        lines_removed: file.lines_removed,
        binary: file.binary,
    }
}

fn lower_commit(commit: &Commit) -> change::Commit {
    change::Commit {
        id: commit.id.clone(),
        author: commit.author.clone(),
        message: commit.message.clone(),
        parents: commit.parents,
    }
}
