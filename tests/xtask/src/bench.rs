//! Builds what is measured, in release, and runs `tests/bench` and, as the group `beat`, `tests/bench-beat`.
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
    "ringfence-bench-beat",
    "--package",
    "diff-size-native",
];
/// The group that is a program of its own.
const BEAT: &str = "beat";

/// Measures; with `groups`, only those.
///
/// # Errors
/// Something does not build, or a measurement fails.
pub(crate) fn run(workspace: &Workspace, ways: Ways, quick: bool, groups: &[String]) -> Result<()> {
    guests::run(workspace, ways)?;
    let profile = ["--release", "--locked", "--quiet"];
    workspace::say("building in release (the first time takes some minutes)");
    workspace::run(workspace.cargo().arg("build").args(profile).args(PARTS))?;
    let program = |name: &str| {
        let mut bench = workspace.cargo();
        bench.arg("run").args(profile).args(PARTS);
        bench.args(["--bin", name, "--"]);
        bench
    };
    let others: Vec<&String> = groups.iter().filter(|group| *group != BEAT).collect();
    if groups.is_empty() || !others.is_empty() {
        let mut bench = program("ringfence-bench");
        if quick {
            bench.arg("--quick");
        }
        workspace::run(bench.args(others))?;
    }
    if groups.is_empty() || groups.iter().any(|group| group == BEAT) {
        let amount: &[&str] = if quick {
            &["--beats", "10", "--loops", "1,20", "--seconds", "10"]
        } else {
            &["--beats", "10,1000"]
        };
        workspace::run(program("ringfence-bench-beat").args(amount))?;
    }
    Ok(())
}
