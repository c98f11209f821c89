//! Plans for the guest `probe`, and what came of them.
//!
//! The guest is `selftest/probe.wasm`, built from `tests/guests/probe`. It checks nothing, so an answer is the boundary's own.
//!
//! **Invariant:** a plan that the guest does not understand is an error of the suite, never an end of a row.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ringfence_core::change::FileChange;
use ringfence_core::digest::Digest;
use ringfence_core::limits::Limits;
use ringfence_core::policy::PathPolicy;
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Verdict;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::ground::Ground;
use super::{SelftestError, Way};
use crate::{Call, Called, ChangeSource, Mount, Origin, Plugin, Sandbox, Times};

/// The guest that tries: an executor and a gate that carries out a plan of file operations, and reports each result.
pub static PROBE: &[u8] = include_bytes!("../../selftest/probe.wasm");

// Limit: far more than any plan needs; a plan that ends here is a bug of the suite.
const LIMITS: Limits = Limits {
    fuel: Fuel(1_000_000_000_000),
    memory: Bytes(256 << 20),
    deadline: Millis(600_000),
};

/// One operation of a plan; see the guest for the keys.
pub(super) fn op(verb: &str, keys: Value) -> Value {
    let mut op = json!({ "op": verb });
    if let (Some(op), Value::Object(keys)) = (op.as_object_mut(), keys) {
        op.extend(keys);
    }
    op
}

/// What came of a plan.
#[derive(Debug)]
pub(super) struct Done {
    /// Each operation's data, or the name of its error code.
    pub(super) results: Vec<Result<Value, String>>,
    /// Everything of the call.
    pub(super) called: Called<Verdict>,
}

/// The probe, and the sandbox that it runs in.
pub(super) struct Probe {
    plugin: Plugin,
    runtime: Runtime,
    way: Way,
}

impl Probe {
    /// Compiles the probe.
    pub(super) fn new(sandbox: &Sandbox, way: Way) -> Result<Self, SelftestError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        Ok(Self {
            plugin: sandbox.load(PROBE)?,
            runtime: runtime.map_err(|error| SelftestError::Probe(error.to_string()))?,
            way,
        })
    }

    /// Carries out `plan` on `ground`; others do what they do when the plan says `read-base`.
    pub(super) fn carry_out(
        &self,
        ground: &Ground,
        policy: &PathPolicy,
        others: Option<Others>,
        plan: &[Value],
    ) -> Result<Done, SelftestError> {
        let call = Call {
            mounts: vec![Mount {
                guest_path: "/".to_owned(),
                host_path: ground.at("."),
                policy: policy.clone(),
            }],
            limits: LIMITS,
            config: json!({ "plan": plan }).to_string(),
            origin: Origin {
                seed: Digest::of(b"selftest"),
                clock_start: 0,
            },
            times: Times::Real,
            change: others.map(|others| Arc::new(others) as Arc<dyn ChangeSource>),
            evidence: None,
        };
        let called = self
            .runtime
            .block_on(self.plugin.judge_walking(call, self.way))?;
        let Ok(Ok(verdict)) = &called.answer else {
            return Err(SelftestError::Probe(format!("{:?}", called.answer)));
        };
        let results = verdict
            .findings
            .iter()
            .map(|finding| result(&finding.message));
        Ok(Done {
            results: results.collect::<Result<_, _>>()?,
            called,
        })
    }
}

fn result(message: &str) -> Result<Result<Value, String>, SelftestError> {
    let broken = || SelftestError::Probe(message.to_owned());
    let mut told: Value = serde_json::from_str(message).map_err(|_| broken())?;
    match told.get("err").and_then(Value::as_str) {
        // What was to be opened first was refused.
        Some(code) if code.starts_with("plan: nothing is open") => Ok(Err("unopened".to_owned())),
        Some(code) if code.starts_with("plan:") => Err(broken()),
        Some(code) => Ok(Err(code.to_owned())),
        None => Ok(Ok(told.get_mut("ok").map(Value::take).unwrap_or_default())),
    }
}

/// Somebody else, who takes a directory away while the guest runs: in the middle of the host's own answer to `read-base`.
pub(super) struct Others {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

impl ChangeSource for Others {
    fn files(&self) -> &[FileChange] {
        &[]
    }

    fn read_base(&self, _: &RelPath, _: u64) -> io::Result<Option<Vec<u8>>> {
        std::fs::rename(&self.from, &self.to)?;
        Ok(Some(Vec::new()))
    }

    fn unified_diff(&self, _: u32, _: &[RelPath], _: u64) -> io::Result<String> {
        Ok(String::new())
    }
}
