//! What `status` found out of a loop, for programs as it is.
//!
//! **Invariant:** fields are added, never changed: `version` stands for their meaning.

use jiff::Timestamp;
use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::journal::Outcome;
use ringfence_core::quantity::Fuel;
use ringfence_core::spec::Level;
use serde::Serialize;

/// Where a loop stands.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    /// The version of this shape.
    pub(crate) version: u32,
    /// The loop.
    #[serde(rename = "loop")]
    pub(crate) loop_id: LoopId,
    /// The loop file from the top of the project.
    pub(crate) file: String,
    /// The project's folder.
    pub(crate) project: String,
    /// When this was found out.
    pub(crate) now: Timestamp,
    /// How far it may go by itself.
    pub(crate) level: LevelNow,
    /// Whether it goes at all.
    pub(crate) mode: ModeNow,
    /// The last beats, newest first.
    pub(crate) beats: Vec<PastBeat>,
    /// Branches and patches that still stand, oldest first.
    pub(crate) proposals: Vec<OpenProposal>,
    /// Items with attempts that came to nothing.
    pub(crate) items: Vec<TriedItem>,
    /// What waits for people, what is most urgent first.
    pub(crate) waiting: Vec<Waiting>,
    /// What today cost.
    pub(crate) today: Today,
    /// Every budget of the day with what is used of it.
    pub(crate) budgets: Vec<Budgeted>,
    /// What the next beat would meet.
    pub(crate) next: Next,
    /// When the next beat is due.
    pub(crate) due: Due,
    /// When the last decision asked to be woken, if that is still to come.
    pub(crate) wake_at: Option<Timestamp>,
    /// The last drills.
    pub(crate) drills: Option<Drills>,
    /// The sensors whose signals go to and fro.
    pub(crate) flapping: Vec<String>,
    /// The journal's length and end.
    pub(crate) journal: JournalEnd,
}

/// How far a loop may go by itself.
#[derive(Debug, Serialize)]
pub(crate) struct LevelNow {
    /// So far now.
    pub(crate) now: Level,
    /// As far as the loop file lets it.
    pub(crate) ceiling: Level,
    /// Why it does not go as far as it was ordered to.
    pub(crate) lapsed: Option<String>,
    /// The order that holds.
    pub(crate) order: Option<LevelOrdered>,
}

/// A level that was ordered.
#[derive(Debug, Serialize)]
pub(crate) struct LevelOrdered {
    /// When.
    pub(crate) at: Timestamp,
    /// By whom.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
    /// The rules that were passed over.
    pub(crate) overrides: Vec<String>,
}

/// Whether a loop goes at all.
#[derive(Debug, Serialize)]
pub(crate) struct ModeNow {
    /// `run`, or what keeps it from that.
    pub(crate) mode: &'static str,
    /// Why.
    pub(crate) why: Option<String>,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// When it ends by itself.
    pub(crate) until: Option<Timestamp>,
}

/// Something that waits for people.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    /// What it is called where it is answered.
    pub(crate) id: String,
    /// Why it waits.
    pub(crate) why: String,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
}

/// One budget.
#[derive(Debug, Serialize)]
pub(crate) struct Budgeted {
    /// Which, as in the loop file.
    pub(crate) budget: &'static str,
    /// What is used.
    pub(crate) used: u64,
    /// The limit.
    pub(crate) limit: u64,
}

/// When the next beat is due, for whoever runs the loop by its cadence.
#[derive(Debug, Serialize)]
pub(crate) struct Due {
    /// When, and why then; past or now, when it is due.
    #[serde(flatten)]
    pub(crate) next: ringfence_core::cadence::Next,
    /// The cadence, in words.
    pub(crate) cadence: String,
}

/// The last drills.
#[derive(Debug, Serialize)]
pub(crate) struct Drills {
    /// When.
    pub(crate) at: Timestamp,
    /// How many went as they must.
    pub(crate) passed: usize,
    /// How many there were.
    pub(crate) all: usize,
    /// The names of those that did not.
    pub(crate) failed: Vec<String>,
    /// Why they prove nothing any more, if so: too old, or of another loop file, plugin or policy.
    pub(crate) void: Option<String>,
}

/// Where a journal ends.
#[derive(Debug, Serialize)]
pub(crate) struct JournalEnd {
    /// How many entries it has.
    pub(crate) entries: u64,
    /// The digest of the last one.
    pub(crate) head: Option<String>,
}

/// One beat of the past.
#[derive(Debug, Serialize)]
pub(crate) struct PastBeat {
    /// Its number.
    pub(crate) beat: BeatNo,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// What it cost.
    pub(crate) fuel: Fuel,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A proposal nobody has dealt with.
#[derive(Debug, Serialize)]
pub(crate) struct OpenProposal {
    /// By which beat.
    pub(crate) beat: BeatNo,
    /// For which item.
    pub(crate) item: Option<String>,
    /// The full name of the branch, or the patch's path from the loop's state directory.
    pub(crate) reference: String,
}

/// An item that was tried in vain.
#[derive(Debug, Serialize)]
pub(crate) struct TriedItem {
    /// The item.
    pub(crate) item: String,
    /// How often.
    pub(crate) attempts: u32,
    /// How often at most.
    pub(crate) attempts_max: u32,
    /// Why it is a person's now.
    pub(crate) escalated: Option<String>,
    /// The last reason, normalised.
    pub(crate) reason: Option<String>,
    /// All reasons, normalised, oldest first, each once.
    pub(crate) reasons: Vec<String>,
}

/// What the day of the loop's time zone cost so far.
#[derive(Debug, Serialize)]
pub(crate) struct Today {
    /// Fuel of all beats.
    pub(crate) fuel: Fuel,
    /// Its limit.
    pub(crate) fuel_max: Fuel,
    /// Beats that got as far as deciding.
    pub(crate) beats: u64,
    /// Their limit.
    pub(crate) beats_max: u64,
    /// Whose days these are.
    pub(crate) timezone: String,
}

/// What the next beat would meet.
#[derive(Debug, Serialize)]
#[serde(tag = "next", rename_all = "kebab-case")]
pub(crate) enum Next {
    /// Nothing stands in its way.
    Free,
    /// Its change would be recorded, not proposed.
    ShadowOnly {
        /// Which guard says so.
        guard: &'static str,
        /// Why.
        why: String,
    },
    /// A guard forbids it.
    Wait {
        /// Which: a budget as in the loop file, `backoff`, `operator` …
        guard: &'static str,
        /// What is used.
        used: String,
        /// The limit.
        limit: String,
        /// When it ends by itself; null when only a person ends it.
        until: Option<Timestamp>,
        /// Why.
        why: String,
    },
    /// It could not begin.
    Broken {
        /// Why.
        why: String,
    },
}
