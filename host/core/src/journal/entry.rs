//! What the lines of a journal say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{BeatNo, ItemId};
use crate::journal::{BeatReceipt, DrillRun, InHand, Notice, OperatorAct, Reservation};

/// One line of a journal, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// When it was written, by the host's clock, which may step back.
    pub at: Timestamp,
    /// What it says.
    pub body: Body,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A beat ended.
    Beat(Box<BeatReceipt>),
    /// Something outside the state directory is about to change.
    Intent(Intent),
    /// What was intended has come to its end.
    Done(Done),
    /// What was intended was cut off, and this was found later.
    Recovered(Recovered),
    /// The operator told the loop something.
    Operator(OperatorAct),
    /// The loop's guards were tried.
    Drill(DrillRun),
    /// People were told something.
    Notice(Notice),
    /// A beat is about to spend.
    Reserve(Reservation),
}

/// What becomes of a change that all gates let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settle {
    /// It is recorded as a patch (level L1).
    Shadow,
    /// It becomes one commit on a branch of its own (level L2).
    Propose,
    /// It becomes one commit on the loop's target branch (level L3).
    Commit,
    /// It is laid aside until a person has answered.
    Hold,
}

/// What is about to be settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The beat that settles.
    pub beat: BeatNo,
    /// How.
    pub settle: Settle,
    /// The full name of the branch, or the patch's path from the loop's state directory.
    pub target: String,
    /// The item that was worked on.
    pub item: Option<ItemId>,
    /// The digest of the change set.
    pub change: Digest,
    /// Git tree id of the base.
    pub base_tree: String,
    /// The commit it begins from; none for a patch that begins from no commit.
    pub base_commit: Option<String>,
    /// Git tree id of what is settled.
    pub candidate_tree: String,
    /// The commit that a branch is moved to from `base_commit`; none where something new is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// True when the user's working tree and index are brought along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub working_tree: bool,
    /// What it has to do with a change that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<InHand>,
}

/// The end of what was intended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The beat of the intent.
    pub beat: BeatNo,
    /// The commit's object id, empty for a patch; none when it failed and nothing was left behind.
    pub settled: Option<String>,
}

/// What was found of an intent without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// The beat of the intent.
    pub beat: BeatNo,
    /// What was found.
    pub found: Found,
    /// For people: what was cleared away.
    pub note: String,
}

/// How far an intent had got when it was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// The target exists whole: the commit's object id, empty for a patch.
    Settled(String),
    /// Nothing that anybody could see.
    Nothing,
}

impl Body {
    /// The line's kind: `beat`, `intent`, `done`, `recovered`, `operator`, `drill`, `notice` or `reserve`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Beat(_) => "beat",
            Self::Intent(_) => "intent",
            Self::Done(_) => "done",
            Self::Recovered(_) => "recovered",
            Self::Operator(_) => "operator",
            Self::Drill(_) => "drill",
            Self::Notice(_) => "notice",
            Self::Reserve(_) => "reserve",
        }
    }
}
