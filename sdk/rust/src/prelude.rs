//! Everything a plugin usually names: `use ringfence_sdk::prelude::*;`.
//!
//! Owns nothing. **Invariant:** it has no `Ok`, `Err` or other name of the standard prelude but [`Result`], which
//! stands for the SDK's own.

pub use serde_json::{Value, json};

pub use crate::{
    ActionInfo, AddedLine, Change, ChangeKind, Commit, Context, Decision, Error, Evidence,
    ExecutorInfo, FileChange, Finding, Item, Level, Location, Observation, Outcome, Receipt,
    Report, Result, Ruling, SensorReport, Severity, Side, Situation, SituationItem, TestFile,
    TestRun, Verdict, count, decider, executor, gate, item_id, sensor, why,
};
