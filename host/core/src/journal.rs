//! A loop's history: the entries, their one text form, and what they add up to.
//!
//! [`encode`] and [`decode`] own the format; [`LoopState::fold`] is the only way from a history to what guards and the
//! beat look at, so that nothing is stored twice. Reading and writing the file is the runner's.
//!
//! **Invariant:** a history is either read whole, or up to a torn tail that is named, or refused. No cut and no flipped
//! byte yields another history.

mod answers;
mod bounds;
mod codec;
mod drill;
mod entry;
mod evidence;
mod fold;
mod held;
mod history;
mod notice;
mod operator;
mod outcome;
mod receipt;
mod reserve;
mod role_text;
mod select;
mod state;

pub use answers::ANSWERS_MAX;
pub use codec::{
    End, FORMAT_VERSION, Head, Journal, JournalError, JournalProblem, LINE_BYTES_MAX, Newer,
    TornTail, decode, decode_of, decode_on, encode,
};
pub use drill::{DrillResult, DrillRun};
pub use entry::{Body, Done, Entry, Found, Intent, Recovered, Settle};
pub use evidence::{
    DENIED_HOURS, DENIED_MAX, Evidence, FLAPPING_RETURNS, FLAPPING_SIGNALS, GIVEN_UP_MAX, HARM_MAX,
    LastAttempt, NOISE_MAX, NOISE_MOVES, PastMove, REJECTED_MAX, SHIP_RATE_MOVES, SeenSignals,
    Trip, Tripped, Unmetered,
};
pub use fold::normalise_reason;
pub(crate) use held::is_meant;
pub use held::{
    Asked, GivenUp, Held, Hold, InHand, Labelled, Rejected, held_beat, held_id, item_id,
};
pub use history::{
    DayFigures, FindingFigures, GateFigures, History, PastAct, PastBeat, PastSettle, StepFigures,
};
pub use notice::Notice;
pub use operator::{Act, Answer, Answered, LevelOrder, OperatorAct, Order, Orders};
pub use outcome::{Outcome, WaitCause};
pub use receipt::{BaseRef, BeatReceipt, ChangeSummary, FailedAttempt, FileSummary, StepReceipt};
pub use reserve::{Cost, Reservation, Reserved};
pub use select::Selection;
pub use state::{
    Committed, DaySpend, Decided, Drilled, ItemHistory, LabelledSince, LoopState, Noticed,
    Proposal, Said, Shadow,
};

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
