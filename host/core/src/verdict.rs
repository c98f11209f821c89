//! Findings, verdicts, and how the verdicts of all gates become one judgement.
//!
//! **Invariant:** a change passes on positive evidence alone: the host's scope check found nothing, at least one gate
//! said `pass`, and no gate said anything worse than `abstain`. A gate that trapped, ran out of fuel or time, is missing
//! or answered nonsense has not passed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::StepId;

mod bounds;
mod judge;

pub use bounds::{FINDINGS_MAX, LOCATIONS_MAX, VerdictError};
pub use judge::{Judgement, SCOPE, judge};

/// How bad a finding is; the levels of SARIF.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For information.
    Note,
    /// Somebody should look.
    Warning,
    /// The change must not go through like this.
    Error,
}

/// A place in the workspace, as a component wrote it: judge `path` before showing or opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// As the component wrote it.
    pub path: String,
    /// 1-based; 0 means the whole file.
    pub line: u32,
    /// 1-based, in code points; 0 means the whole line.
    pub column: u32,
}

/// One remark of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Kebab-case code.
    pub rule: String,
    /// One sentence.
    pub message: String,
    /// Where; empty means the change as a whole.
    pub locations: Vec<Location>,
    /// What to do; may be empty.
    pub help: String,
}

/// What a gate said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// Positive evidence that the change is fine by this gate.
    Pass,
    /// The change must not go through.
    Fail,
    /// None of this gate's business; not a pass.
    Abstain,
}

/// One gate's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Pass, fail or abstain.
    pub ruling: Ruling,
    /// Remarks; a passing gate may have some.
    pub findings: Vec<Finding>,
    /// One line.
    pub summary: String,
}

/// How the call of one gate ended: a verdict, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// The gate.
    pub gate: StepId,
    /// The verdict, or the failure as one line (which counts as «not passed»).
    pub answer: Result<Verdict, String>,
}
