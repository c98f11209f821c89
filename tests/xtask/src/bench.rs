//! Builds what is measured, in release, and runs `tests/bench`.
//!
//! **Invariant:** everything that takes part is built by one call of cargo, with the same settings.

use anyhow::Result;

use crate::{
    guests,
    toolchain::Ways,
    workspace::{self, Workspace},
};

const PARTS: &[&str] = &[
    "--package",
    "ringfence",
    "--package",
    "ringfence-bench",
    "--package",
    "diff-size-native",
];

/// Measures; with `groups`, only those.
///
/// # Errors
/// Something does not build, or a measurement fails.
pub(crate) fn run(workspace: &Workspace, ways: Ways, quick: bool, groups: &[String]) -> Result<()> {
    guests::run(workspace, ways)?;
    let profile = ["--release", "--locked", "--quiet"];
    workspace::say("building in release (the first time takes some minutes)");
    workspace::run(workspace.cargo().arg("build").args(profile).args(PARTS))?;
    let mut bench = workspace.cargo();
    bench.arg("run").args(profile).args(PARTS);
    bench.args(["--bin", "ringfence-bench", "--"]);
    if quick {
        bench.arg("--quick");
    }
    workspace::run(bench.args(groups))
}
