//! The receipt of one run of gates: everything that decided, by digest, and what came of it, on one line.
//!
//! ```text
//! {"v":1,"ringfence":"0.1.0","engine":"…",…,"outcome":"passed","exit":0,"signed_off_by":"…","sum":"blake3:…"}
//! ```
//!
//! `sum` is the digest of the line up to where the sum begins. That notices damage, not forgery: whoever may write the file can
//! write another line, sum and all. What makes a receipt worth something is that it can be replayed.
//!
//! **Invariant:** a line that is not whole, or of which anything is not understood, is no receipt. No path and no git id in a
//! receipt leads outside the project.

mod differ;
mod schema;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::differ::Difference;
pub use self::schema::receipt_schema;
use super::{HeldFuel, Outcome, Remark, Report, Standing, TreeName};
use crate::digest::Digest;
use crate::evidence;
use crate::failure::FailureClass;
use crate::ids::StepId;
use crate::json;
use crate::quantity::Fuel;
use crate::relpath::RelPath;
use crate::spec::{LockedGates, VerdictRules};
use crate::text;
use crate::verdict::Ruling;

/// Longest receipt in bytes.
// Limit: a gate takes some 700 bytes, and a file of gates has at most a hundred or so.
pub const RECEIPT_BYTES_MAX: usize = 1 << 20;
const VERSION: u32 = 1;
const SUM_START: &str = ",\"sum\":\"";
const SUM_END: &str = "\"}";
// Limit: a name and an address.
const NAME_CHARS_MAX: usize = 200;
// Limit: words of a line of JSON that people look at.
const WORD_CHARS_MAX: usize = 4_096;

/// Where rules were read that were not on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesTree {
    /// The revision as it was asked for.
    pub name: String,
    /// Git id of its tree.
    pub tree: String,
}

/// One side of the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptSide {
    /// As it was asked for.
    pub name: String,
    /// Git id of the commit; none for what is no commit.
    pub commit: Option<String>,
    /// Git id of the tree.
    pub tree: String,
}

/// What a gate was, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateReceipt {
    /// The gate.
    pub gate: StepId,
    /// Its plugin as the gates file spells it.
    pub plugin: String,
    /// The plugin's own name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The contract it was built against.
    pub contract: String,
    /// The digest of the component.
    pub component: Digest,
    /// The digest of its configuration.
    pub config: Digest,
    /// The digest of what it may do.
    pub grant: Digest,
    /// What it ruled; none when it gave no verdict.
    pub ruling: Option<Ruling>,
    /// Where it stood in the end.
    pub standing: Standing,
    /// Why it gave no verdict.
    pub failure: Option<FailureClass>,
    /// The digest of its findings and what they counted for, without excerpts.
    pub findings: Digest,
    /// What it used; none when it could not be called.
    pub fuel: Option<Fuel>,
    /// True when its answer was remembered.
    pub memo: bool,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of the format.
    pub v: u32,
    /// The host's version.
    pub ringfence: String,
    /// What fuel means: `FUEL_RULES` of the host.
    pub engine: String,
    /// When the run ended.
    pub at: Timestamp,
    /// Who ran it, as the system calls them; nothing proves it.
    pub who: String,
    /// What the change was compared with.
    pub base: ReceiptSide,
    /// What was judged.
    pub head: ReceiptSide,
    /// The second that components lived in, since 1970.
    pub clock: i64,
    /// The digest of the change set.
    pub change: Digest,
    /// The file that names the gates, from the top of the project.
    pub file: RelPath,
    /// Of that file's bytes.
    pub file_digest: Digest,
    /// Where that file, its lock file and the baseline were read; none for the disk.
    pub rules_from: Option<RulesTree>,
    /// What failed.
    pub rules: VerdictRules,
    /// Of the baseline's bytes; none when there was none.
    pub baseline: Option<Digest>,
    /// What fuel was held to; none when it was not compared.
    pub fuel: Option<HeldFuel>,
    /// Of what native programs said; none when there were none.
    pub evidence: Option<Digest>,
    /// The digest of what the host itself remarked.
    pub host: Digest,
    /// How many gates the file has.
    pub gates_in_file: u32,
    /// Every gate that was asked: all of them, or a part.
    pub gates: Vec<GateReceipt>,
    /// What became of the change.
    pub outcome: Outcome,
    /// What the program ended with.
    pub exit: u8,
    /// Who answers for the run, in their own words; nothing proves it.
    pub signed_off_by: String,
}

/// What a receipt needs besides the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The host's version.
    pub ringfence: String,
    /// What fuel means here.
    pub engine: String,
    /// When the run ended.
    pub at: Timestamp,
    /// Who ran it.
    pub who: String,
    /// The second that components lived in.
    pub clock: i64,
    /// The file that names the gates.
    pub file: RelPath,
    /// Where it was read, unless on the disk.
    pub rules_from: Option<RulesTree>,
    /// Of the baseline's bytes.
    pub baseline: Option<Digest>,
    /// What fuel was held to.
    pub fuel: Option<HeldFuel>,
    /// What the program ends with.
    pub exit: u8,
    /// Who answers for it.
    pub signed_off_by: String,
}

/// Why a line is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Longer than [`RECEIPT_BYTES_MAX`].
    #[error("it has {0} bytes, at most {RECEIPT_BYTES_MAX} are read")]
    TooLong(usize),
    /// Cut off or altered.
    #[error("it does not match its sum, so it is damaged or cut off")]
    Sum,
    /// Of another version.
    #[error("it is of version {0}, this host reads {VERSION}")]
    Version(String),
    /// Whole, and not understood.
    #[error("{0}")]
    Shape(String),
}

impl Receipt {
    /// The receipt of a run, whose gates were `locked`.
    #[must_use]
    pub fn of(report: &Report, locked: &LockedGates, ran: Ran) -> Self {
        let contract = |gate: &StepId| {
            let locked = locked.gates.iter().find(|locked| locked.id == *gate);
            locked.map(|locked| locked.contract.clone())
        };
        let gates = report.gates.iter().map(|gate| GateReceipt {
            gate: gate.gate.clone(),
            plugin: gate.plugin.clone(),
            name: gate.name.clone(),
            version: gate.version.clone(),
            contract: contract(&gate.gate).unwrap_or_default(),
            component: gate.receipt.plugin,
            config: gate.receipt.config,
            grant: gate.receipt.grant,
            ruling: gate.ruling,
            standing: gate.standing,
            failure: gate.failure.as_ref().map(|failure| failure.class),
            findings: findings(&gate.remarks),
            fuel: gate.receipt.usage.as_ref().map(|usage| usage.fuel.used),
            memo: gate.receipt.memo,
        });
        Self {
            v: VERSION,
            ringfence: ran.ringfence,
            engine: ran.engine,
            at: ran.at,
            who: text::plain(&ran.who, NAME_CHARS_MAX),
            base: side(&report.base),
            head: side(&report.head),
            clock: ran.clock,
            change: report.change.digest,
            file: ran.file,
            file_digest: report.file_digest,
            rules_from: ran.rules_from,
            rules: report.rules,
            baseline: ran.baseline,
            fuel: ran.fuel,
            evidence: match report.commands.as_slice() {
                [] => None,
                commands => Some(evidence::digest(commands)),
            },
            host: findings(&report.host),
            gates_in_file: u32::try_from(locked.gates.len()).unwrap_or(u32::MAX),
            gates: gates.collect(),
            outcome: report.outcome,
            exit: ran.exit,
            signed_off_by: text::plain(&ran.signed_off_by, NAME_CHARS_MAX),
        }
    }

    /// The line of it, with its sum and without a newline.
    ///
    /// # Errors
    /// [`ReceiptError::TooLong`]; [`ReceiptError::Shape`] when it cannot be put into JSON, which none can that
    /// [`of`](Self::of) makes.
    pub fn line(&self) -> Result<String, ReceiptError> {
        let text = serde_json::to_string(self);
        let text = text.map_err(|error| ReceiptError::Shape(error.to_string()))?;
        let open = text.strip_suffix('}').unwrap_or(&text);
        let sum = Digest::of(open.as_bytes());
        let line = format!("{open}{SUM_START}{sum}{SUM_END}");
        if line.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong(line.len()));
        }
        Ok(line)
    }

    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// [`ReceiptError`] for anything but a whole line of this version.
    pub fn read(line: &str) -> Result<Self, ReceiptError> {
        if line.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong(line.len()));
        }
        let ends = line.strip_suffix(SUM_END);
        let (open, sum) = ends
            .and_then(|rest| rest.rsplit_once(SUM_START))
            .ok_or(ReceiptError::Sum)?;
        if Digest::of(open.as_bytes()).to_string() != sum {
            return Err(ReceiptError::Sum);
        }
        let shape = |error: serde_json::Error| {
            ReceiptError::Shape(text::one_line(&error.to_string(), NAME_CHARS_MAX))
        };
        let whole = format!("{open}}}");
        let frame: Frame = serde_json::from_str(&whole).map_err(shape)?;
        if frame.v.as_u64() != Some(u64::from(VERSION)) {
            let found = text::one_line(&frame.v.to_string(), 40);
            return Err(ReceiptError::Version(found));
        }
        let receipt: Self = serde_json::from_str(&whole).map_err(shape)?;
        receipt.check().map_err(ReceiptError::Shape)?;
        // What is left out of a rule, or said twice, is understood by nobody.
        if receipt.line()? != line {
            let why = "it is not spelled as it is written";
            return Err(ReceiptError::Shape(why.to_owned()));
        }
        Ok(receipt)
    }

    /// What serde does not look at.
    fn check(&self) -> Result<(), String> {
        let rules = self.rules_from.as_ref().map(|rules| &rules.tree);
        let sides = [&self.base, &self.head];
        let ids = sides
            .into_iter()
            .flat_map(|side| side.commit.iter().chain([&side.tree]));
        for id in ids.chain(rules) {
            if !super::is_object_id(id) {
                return Err(format!("{:?} is no git id", text::cut(id, 80)));
            }
        }
        for (at, gate) in self.gates.iter().enumerate() {
            if self
                .gates
                .iter()
                .take(at)
                .any(|other| other.gate == gate.gate)
            {
                return Err(format!("gate {} is there twice", gate.gate));
            }
        }
        let names = [
            &self.ringfence,
            &self.engine,
            &self.base.name,
            &self.head.name,
        ];
        if names
            .iter()
            .any(|name| name.chars().nth(WORD_CHARS_MAX).is_some())
        {
            return Err("a word of it is too long".to_owned());
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    v: Value,
}

fn side(tree: &TreeName) -> ReceiptSide {
    ReceiptSide {
        name: text::cut(&tree.name, NAME_CHARS_MAX),
        commit: tree.commit.clone(),
        tree: tree.tree.clone(),
    }
}

/// The digest of remarks: what was found, and what it counted for.
fn findings(remarks: &[Remark]) -> Digest {
    let remarks = remarks.iter().map(|remark| {
        let mut remark = serde_json::to_value(remark).unwrap_or(Value::Null);
        if let Some(fields) = remark.as_object_mut() {
            fields.remove("excerpt");
        }
        remark
    });
    let all = json!(remarks.collect::<Vec<Value>>());
    Digest::of(json::canonical(&all).as_bytes())
}

#[cfg(test)]
mod tests;
