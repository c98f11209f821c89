//! What a journal is worth that was copied, moved, or shipped with the project: a past, and nobody's word.
//!
//! **Invariant:** the journal says so before the folder counts as made here. So no kill in between leaves an approval, a level or
//! a record of good beats that nobody here has given or seen.

use ringfence_core::journal::{Act, Answer, Body, Held, OperatorAct, item_id};

use super::BeatError;
use super::record::Record;
use crate::authority;
use crate::lock::LoopLock;
use crate::state_dir::{LoopDir, Origin};

/// Takes back what the journal of a folder that was brought along says in the name of people: the level, with all that would
/// speak for another one, and every approval. Returns what people should know, one line each.
pub(super) fn doubt(dir: &LoopDir, record: &mut Record<'_>) -> Result<Vec<String>, BeatError> {
    if dir.origin()? == Origin::Ours || record.is_empty() {
        return Ok(Vec::new());
    }
    let demote = authority::disown(record.state());
    record.append(Body::Operator(demote), true)?;
    let state = record.state();
    let changes = state.held.iter().filter(|held| held.approved).map(Held::id);
    let ids: Vec<String> = changes.chain(state.cleared.keys().map(item_id)).collect();
    for id in &ids {
        let act = OperatorAct {
            by: "ringfence".to_owned(),
            reason: "approved before the loop's folder came here: approve it again".to_owned(),
            act: Act::Answer {
                id: id.clone(),
                answer: Answer::Note,
            },
        };
        record.append(Body::Operator(act), true)?;
    }
    let note = |id| format!("{id} was approved before the loop's folder came here, and waits anew");
    Ok(ids.iter().map(note).collect())
}

/// The same before a word of the operator, which is one of this place: from now on the folder counts as made here.
///
/// Where something was begun and its end is not known, it is left to the next beat, which then knows that nobody here began it.
pub(super) fn take_in(
    dir: &LoopDir,
    lock: &LoopLock,
    record: &mut Record<'_>,
) -> Result<(), BeatError> {
    doubt(dir, record)?;
    if record.state().pending.is_none() {
        dir.adopt(lock)?;
    }
    Ok(())
}
