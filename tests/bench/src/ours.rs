//! A component in the boundary, under a policy as a loop has it.

use std::path::Path;
use std::sync::Arc;

use bench::{Sum, Work};
use ringfence_core::change::{ChangeKind, FileChange};
use ringfence_core::digest::Digest;
use ringfence_core::limits::Limits;
use ringfence_core::policy::{
    DenyPattern, DenySource, Layer, PathPolicy, PolicySpec, builtin_denials,
};
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Verdict;
use ringfence_sandbox::{Call, ChangeSource, Mount, Origin, Plugin, Sandbox, Settings, Times};

use crate::Outcome;

/// A component and the boundary around it.
#[derive(Clone)]
pub struct Ours(Plugin);

impl Ours {
    /// Compiles `bytes`.
    ///
    /// # Errors
    /// When they are no plugin.
    pub fn new(bytes: &[u8]) -> Outcome<Self> {
        Ok(Self(Sandbox::new(Settings::default())?.load(bytes)?))
    }

    /// Does `work` as a sensor; the sum of what it saw, and the fuel.
    ///
    /// # Errors
    /// When the component does not answer.
    pub async fn work(&self, work: &Work, mut call: Call) -> Outcome<(Sum, u64)> {
        call.config = serde_json::to_string(work)?;
        let called = self.0.observe(call).await?;
        let fuel = called.report.usage.fuel.used.0;
        let observed = called.answer.map_err(|failure| format!("{failure:?}"))??;
        Ok((serde_json::from_str(&observed.detail)?, fuel))
    }

    /// Judges the change of `call` as a gate.
    ///
    /// # Errors
    /// When the component does not answer.
    pub async fn judge(&self, call: Call) -> Outcome<Verdict> {
        let called = self.0.judge(call).await?;
        Ok(called.answer.map_err(|failure| format!("{failure:?}"))??)
    }
}

/// The limits of the benchmark: never reached, and set all the same.
pub const LIMITS: Limits = Limits {
    fuel: Fuel(1 << 50),
    memory: Bytes(64 << 20),
    deadline: Millis(600_000),
};

/// A call that may read and write everything in `root` that a loop would let it.
#[must_use]
pub fn call(root: &Path, policy: PathPolicy) -> Call {
    Call {
        mounts: vec![Mount {
            guest_path: "/".to_owned(),
            host_path: root.to_owned(),
            policy,
        }],
        limits: LIMITS,
        config: "{}".to_owned(),
        origin: Origin {
            seed: Digest::of(b"bench"),
            clock_start: 0,
        },
        times: Times::Fixed(0),
        change: None,
        evidence: None,
    }
}

/// Everything allowed but what is always denied, and `more` denials.
///
/// # Errors
/// When one of them is no pattern.
pub fn policy(more: &[String]) -> Outcome<PathPolicy> {
    let all = || vec!["**".to_owned()];
    let own = more.iter().map(|pattern| DenyPattern {
        pattern: pattern.clone(),
        source: DenySource::Operator,
    });
    let spec = PolicySpec {
        layers: vec![Layer {
            name: "loop".to_owned(),
            read: all(),
            write: all(),
        }],
        deny: builtin_denials().into_iter().chain(own).collect(),
    };
    PathPolicy::new(&spec).map_err(|errors| format!("{errors:?}").into())
}

/// A change of one file by some hundred bytes.
///
/// # Errors
/// Never; its path is one.
pub fn small_change() -> Outcome<Arc<dyn ChangeSource>> {
    let file = FileChange {
        path: RelPath::lexical("docs/guide.md")?,
        kind: ChangeKind::Modified,
        renamed_from: None,
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        size: 2_345,
        lines_added: 2,
        lines_removed: 1,
        binary: false,
        old_blob: "0".repeat(40),
        new_blob: "1".repeat(40),
    };
    Ok(Arc::new(Change(vec![file])))
}

struct Change(Vec<FileChange>);

impl ChangeSource for Change {
    fn files(&self) -> &[FileChange] {
        &self.0
    }

    fn read_base(&self, _: &RelPath, _: u64) -> std::io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn unified_diff(&self, _: u32, _: &[RelPath], _: u64) -> std::io::Result<String> {
        Ok(String::new())
    }
}
