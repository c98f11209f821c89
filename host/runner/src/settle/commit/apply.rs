//! Puts a change into the working tree, and takes it out again.
//!
//! How far it had got is seen from the files beside the log: where the new one still lies, nothing was done.
//!
//! **Invariant:** going back touches nothing unless it can go back everywhere, and no path whose bytes are not those that
//! this beat put there. What was taken out goes back as it is, also if somebody wrote to it meanwhile.

use std::collections::BTreeSet;
use std::io;

use ringfence_core::relpath::RelPath;

use super::check::{InTheWay, ancestors};
use super::index::Index;
use super::log::{Entry, Log, staged_name};
use super::tree::{Found, Moved, Tree};
use crate::steps::{self, Steps};

/// A working tree, and the files beside the log.
pub(super) struct Ground<'a> {
    pub(super) tree: &'a Tree,
    pub(super) staged: &'a Tree,
}

/// How something was done that somebody else can be in the way of.
#[derive(Debug)]
pub(super) enum Applied {
    Done,
    /// These paths changed since they were looked at.
    InTheWay(Vec<InTheWay>),
}

/// What has to be done to one path to have the old state again.
#[derive(Debug, PartialEq, Eq)]
enum Undo {
    Nothing,
    /// Change places with the file beside the log.
    Exchange,
    /// Take the new file away.
    Take,
    /// Put the old file back.
    Put,
    /// Somebody has changed it since.
    Edited(&'static str),
}

impl Ground<'_> {
    /// Brings the working tree from the old state to the new one, and to disk; stops where somebody was faster.
    pub(super) fn apply(&self, log: &Log, steps: &dyn Steps) -> io::Result<Applied> {
        let refused = |path: &RelPath, why| {
            Ok(Applied::InTheWay(vec![InTheWay {
                path: path.to_string(),
                why,
            }]))
        };
        for (number, entry) in numbered(log).filter(|(_, entry)| entry.new.is_none()) {
            let Some(old) = &entry.old else { continue };
            if self
                .tree
                .take(&entry.path, old, self.staged, &staged_name(number))?
                == Moved::Refused
            {
                return refused(&entry.path, "edited");
            }
            steps.at(steps::TREE_FILE_PUT);
        }
        for dir in &log.gone {
            if !self.tree.remove_directory(&dir.path)? {
                return refused(&dir.path, "an untracked file where a folder becomes a file");
            }
        }
        for dir in &log.made {
            self.tree.make_directory(dir, None)?;
        }
        for (number, entry) in numbered(log).filter(|(_, entry)| entry.new.is_some()) {
            let name = staged_name(number);
            let moved = match &entry.old {
                Some(old) => self.tree.exchange(&entry.path, old, self.staged, &name)?,
                None => self.tree.put(&entry.path, self.staged, &name)?,
            };
            if moved == Moved::Refused {
                let why = if entry.old.is_some() {
                    "edited"
                } else {
                    "an untracked file"
                };
                return refused(&entry.path, why);
            }
            steps.at(steps::TREE_FILE_PUT);
        }
        self.sync(log)?;
        steps.at(steps::TREE_PUT);
        Ok(Applied::Done)
    }

    /// Brings the working tree back to the old state, wherever [`Ground::apply`] had got to. A path that has since been
    /// staged as something else is the user's, and stays; one that was edited keeps everything as it is.
    pub(super) fn roll_back(
        &self,
        log: &Log,
        index: &Index,
        steps: &dyn Steps,
    ) -> io::Result<Applied> {
        let mut plan = Vec::new();
        let mut in_the_way = Vec::new();
        for (number, entry) in numbered(log) {
            let undo = self.undo(number, entry, log)?;
            if undo == Undo::Nothing || !index.has(&entry.path, entry.old.as_ref()) {
                continue;
            }
            if let Undo::Edited(why) = undo {
                in_the_way.push(InTheWay {
                    path: entry.path.to_string(),
                    why,
                });
            }
            plan.push((number, entry, undo));
        }
        if !in_the_way.is_empty() {
            return Ok(Applied::InTheWay(in_the_way));
        }
        let (back, out): (Vec<_>, Vec<_>) = plan
            .into_iter()
            .partition(|(_, _, undo)| *undo == Undo::Put);
        for (number, entry, undo) in out {
            if !self.take_out(number, entry, &undo)? {
                return Ok(Applied::InTheWay(vec![InTheWay {
                    path: entry.path.to_string(),
                    why: "edited",
                }]));
            }
            steps.at(steps::TREE_FILE_BACK);
        }
        for dir in log.made.iter().rev() {
            self.tree.remove_directory(dir)?;
        }
        for dir in log.gone.iter().rev() {
            self.tree.make_directory(&dir.path, Some(dir.mode))?;
        }
        for (number, entry, _) in back {
            for dir in ancestors(&entry.path) {
                self.tree.make_directory(&dir, None)?;
            }
            if self
                .tree
                .put(&entry.path, self.staged, &staged_name(number))?
                == Moved::Refused
            {
                return Ok(Applied::InTheWay(vec![InTheWay {
                    path: entry.path.to_string(),
                    why: "made anew",
                }]));
            }
            steps.at(steps::TREE_FILE_BACK);
        }
        self.sync(log)?;
        steps.at(steps::TREE_BACK);
        Ok(Applied::Done)
    }

    fn undo(&self, number: usize, entry: &Entry, log: &Log) -> io::Result<Undo> {
        let beside = self.staged.look(&lone(&staged_name(number)))?;
        let there = self.tree.look(&entry.path)?;
        let is = |content: &Option<super::log::Content>, found: &Found| matches!((content, found), (Some(content), Found::File(seen)) if content.is(seen));
        let is_old = match &entry.old {
            Some(_) => is(&entry.old, &there),
            None => there == Found::Nothing,
        };
        Ok(match (&entry.old, &entry.new) {
            // Not begun, or put right by hand.
            (_, Some(_)) if is(&entry.new, &beside) => Undo::Nothing,
            (Some(_), None) if beside == Found::Nothing => Undo::Nothing,
            _ if is_old => Undo::Nothing,
            (Some(_), Some(_)) if beside == Found::Nothing => {
                Undo::Edited("changed, and its old bytes are gone")
            }
            (Some(_), Some(_)) if is(&entry.new, &there) => Undo::Exchange,
            (None, Some(_)) if is(&entry.new, &there) => Undo::Take,
            (Some(_), None) if there == Found::Nothing => Undo::Put,
            (Some(_), None) if there == Found::Directory && self.is_made(&entry.path, log)? => {
                Undo::Put
            }
            (Some(_), None) => Undo::Edited("made anew"),
            _ if there == Found::Nothing => Undo::Edited("deleted"),
            _ => Undo::Edited("edited"),
        })
    }

    /// True when the directory at `path` was made for the change, with nothing in it but what the change brought.
    fn is_made(&self, path: &RelPath, log: &Log) -> io::Result<bool> {
        if !log.made.contains(path) {
            return Ok(false);
        }
        for name in self.tree.names(path)? {
            let Ok(below) = path.join(&name) else {
                return Ok(false);
            };
            let brought = log
                .entries
                .iter()
                .any(|entry| entry.path == below && entry.old.is_none());
            if !brought && !self.is_made(&below, log)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes the new file of an entry out; false when it is not the new one any more.
    fn take_out(&self, number: usize, entry: &Entry, undo: &Undo) -> io::Result<bool> {
        let Some(new) = &entry.new else {
            return Ok(true);
        };
        let name = staged_name(number);
        let moved = match undo {
            Undo::Exchange => self.tree.exchange(&entry.path, new, self.staged, &name)?,
            Undo::Take => self.tree.take(&entry.path, new, self.staged, &name)?,
            Undo::Nothing | Undo::Put | Undo::Edited(_) => Moved::Done,
        };
        Ok(moved == Moved::Done)
    }

    /// Removes the folders that the change has emptied, as git does.
    pub(super) fn prune(&self, log: &Log) -> io::Result<()> {
        let deleted = log.entries.iter().filter(|entry| entry.new.is_none());
        for entry in deleted {
            for dir in ancestors(&entry.path).iter().rev() {
                if !self.tree.remove_directory(dir)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The entries whose old file was written to after it had been taken out, by a program that had it open.
    pub(super) fn written_late<'l>(&self, log: &'l Log) -> io::Result<Vec<(usize, &'l Entry)>> {
        let mut late = Vec::new();
        for (number, entry) in numbered(log) {
            let beside = self.staged.look(&lone(&staged_name(number)))?;
            let expected = match (&entry.old, &beside) {
                (_, Found::Nothing) => true,
                (Some(old), Found::File(seen)) => old.is(seen),
                _ => false,
            };
            if !expected {
                late.push((number, entry));
            }
        }
        Ok(late)
    }

    /// Flushes every directory that a name was changed in.
    fn sync(&self, log: &Log) -> io::Result<()> {
        let gone = log.gone.iter().map(|dir| &dir.path);
        let paths = log
            .entries
            .iter()
            .map(|entry| &entry.path)
            .chain(&log.made)
            .chain(gone);
        let mut seen = BTreeSet::new();
        for path in paths {
            if seen.insert(path.parent()) {
                self.tree.sync_around(path)?;
            }
        }
        self.staged.sync_around(&lone("log.json"))
    }
}

fn numbered(log: &Log) -> impl Iterator<Item = (usize, &Entry)> {
    log.entries.iter().enumerate()
}

/// A name in the top directory.
fn lone(name: &str) -> RelPath {
    RelPath::ROOT.join(name).unwrap_or(RelPath::ROOT)
}
