//! What a loop's history adds up to, for whoever only wants to know when its next beat is due.
//!
//! **Invariant:** no lock is taken and nothing is written. What a bookmark says is believed where a beat would believe it; a last
//! line that is being written does not count yet.

use std::fs::symlink_metadata;

use ringfence_core::journal::{LoopState, decode_of};

use super::BeatError;
use crate::bookmark::{Bookmark, Reach};
use crate::journal_file::read_journal;
use crate::open_loop::OpenLoop;
use crate::state_dir::{LoopDir, Origin, StateDir};

/// The state of a loop; empty when it never ran.
///
/// # Errors
/// [`BeatError`] when the state directory or the journal cannot be used.
pub fn look(open: &OpenLoop) -> Result<LoopState, BeatError> {
    let Some(state) = StateDir::find(&open.project)? else {
        return Ok(LoopState::default());
    };
    let Some(dir) = state.find_loop(&open.spec.loop_id)? else {
        return Ok(LoopState::default());
    };
    match bookmarked(open, &dir) {
        Some(state) => Ok(state),
        None => read(open, &dir),
    }
}

fn bookmarked(open: &OpenLoop, dir: &LoopDir) -> Option<LoopState> {
    (dir.origin().ok()? == Origin::Ours).then_some(())?;
    let journal = symlink_metadata(dir.journal()).ok()?;
    let bookmark = Bookmark::read(dir, &open.spec.budget.timezone)?;
    bookmark.fits(&journal).then_some(bookmark.state)
}

fn read(open: &OpenLoop, dir: &LoopDir) -> Result<LoopState, BeatError> {
    let path = dir.journal();
    let reach = Reach::of(dir);
    let bytes = read_journal(&path)?;
    let journal = decode_of(dir.loop_id(), &bytes).map_err(|source| BeatError::Journal {
        path: path.display().to_string(),
        source,
    })?;
    reach.check(dir, &journal.head)?;
    Ok(LoopState::fold(&journal.entries, &open.timezone))
}
