//! Native programs for tests: shell scripts, run in a tree that the test made.
//!
//! **Invariant:** limits are small, so that what runs into one does it in a second.

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_testkit::core::policy::{DenyPattern, DenySource, Layer, PathPolicy, PolicySpec};
use ringfence_testkit::core::quantity::{Bytes, Millis};
use ringfence_testkit::core::relpath::RelPath;
use ringfence_testkit::core::spec::{CommandLimits, Sandboxing};
use ringfence_testkit::sandbox::native::Command;

/// Everything may be read but `.env` files and `secrets/`.
///
/// # Panics
/// Never: the globs are written here.
#[must_use]
pub fn policy() -> PathPolicy {
    let deny = ["**/.env*", "secrets/**"].map(|pattern| DenyPattern {
        pattern: pattern.to_owned(),
        source: DenySource::Operator,
    });
    let layer = Layer {
        name: "loop".to_owned(),
        read: vec!["**".to_owned()],
        write: vec![],
    };
    let spec = PolicySpec {
        layers: vec![layer],
        deny: deny.into(),
    };
    match PathPolicy::new(&spec) {
        Ok(policy) => policy,
        Err(errors) => crate::stop(format!("{errors:?}")),
    }
}

/// `text` as a script of the shell in `tree`, confined, without network.
#[must_use]
pub fn script(tree: &Path, text: &str) -> Command {
    Command {
        argv: ["sh", "-c", text].map(str::to_owned).into(),
        env: BTreeMap::new(),
        cwd: RelPath::ROOT,
        tree: tree.to_owned(),
        policy: policy(),
        network: false,
        sandbox: Sandboxing::Full,
        limits: CommandLimits {
            time: Millis(20_000),
            memory: Bytes(256 << 20),
            output: Bytes(1 << 20),
            processes: 64,
            disk: Bytes(32 << 20),
        },
        reports: Vec::new(),
        system: Vec::new(),
        private: Vec::new(),
    }
}

/// The kernel has no Landlock for this process and whatever it begins.
///
/// # Errors
/// Where it takes no filter.
#[cfg(target_os = "linux")]
pub fn without_landlock() -> std::io::Result<()> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

    const LANDLOCK_CREATE_RULESET: i64 = 444;
    const ENOSYS: u32 = 38;
    let none = SeccompAction::Errno(ENOSYS);
    let arch: TargetArch = std::env::consts::ARCH
        .try_into()
        .map_err(std::io::Error::other)?;
    let calls = BTreeMap::from([(LANDLOCK_CREATE_RULESET, Vec::new())]);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, none, arch);
    let filter: Result<BpfProgram, _> = filter.and_then(TryInto::try_into);
    apply_filter(&filter.map_err(std::io::Error::other)?).map_err(std::io::Error::other)
}
