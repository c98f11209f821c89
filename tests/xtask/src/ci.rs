//! Everything that CI does, what fails soonest first; `test` is the part that a first visitor runs.
//!
//! Owns the list of steps.
//!
//! **Invariant:** what passes here passes in CI: `.ci/run` does nothing but look for the tools and call this. No step
//! leaves a file of the repository other than it found it.

use anyhow::{Context, Result, bail};

use crate::{
    demo, generate, guests, plugins,
    toolchain::{self, Ways},
    workspace::{self, Workspace},
};

const FMT: &[&str] = &["fmt", "--all", "--check"];
const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--locked",
    "--quiet",
];
const TEST: &[&str] = &["test", "--workspace", "--locked"];
const DOC: &[&str] = &["doc", "--workspace", "--no-deps", "--locked", "--quiet"];
// The bindings generator is behind a feature that the steps over the whole workspace leave out.
const GENERATOR: &[&str] = &["--package", "ringfence-xtask", "--features", "bindings"];
const DENY_WARNINGS: &[&str] = &["--", "-D", "warnings"];

/// All steps.
///
/// # Errors
/// The first step that fails; it has printed why.
pub(crate) fn run(workspace: &Workspace, ways: Ways) -> Result<()> {
    let before = changes(workspace)?;
    step("format", || cargo(workspace, &[FMT]))?;
    step("shipped plugins", || plugins::check(workspace))?;
    step("clippy", || {
        cargo(workspace, &[CLIPPY, DENY_WARNINGS])?;
        cargo(
            workspace,
            &[
                &["clippy", "--all-targets", "--quiet"],
                GENERATOR,
                DENY_WARNINGS,
            ],
        )
    })?;
    step("documentation", || {
        workspace::run(
            workspace
                .cargo()
                .args(DOC)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    step("guests", || guests::run(workspace, ways))?;
    step("plugins built again", || {
        plugins::rebuild(workspace, &toolchain::ensure(workspace, ways)?)
    })?;
    step("tests", || {
        cargo(workspace, &[TEST])?;
        cargo(workspace, &[&["test", "--quiet"], GENERATOR])
    })?;
    step("first beat", || demo::run(workspace))?;
    step("generated files", || generate::run(workspace, true))?;
    if changes(workspace)? != before {
        bail!("a step has changed files of the repository: see `git status`");
    }
    Ok(())
}

/// Sets up and runs all tests.
///
/// # Errors
/// No toolchain, a guest does not compile, or a test fails.
pub(crate) fn test(workspace: &Workspace, ways: Ways) -> Result<()> {
    step("guests", || guests::run(workspace, ways))?;
    step("tests", || cargo(workspace, &[TEST]))
}

/// What git sees as changed: the files, and a digest of how.
fn changes(workspace: &Workspace) -> Result<(String, blake3::Hash)> {
    let status = workspace::output(workspace.command("git").args(["status", "--porcelain"]))?;
    let mut git = workspace.command("git");
    let diff = git.args(["diff", "--binary", "--no-ext-diff"]).output();
    let diff = diff.with_context(|| format!("starting {git:?}"))?;
    Ok((status, blake3::hash(&diff.stdout)))
}

fn cargo(workspace: &Workspace, arguments: &[&[&str]]) -> Result<()> {
    workspace::run(workspace.cargo().args(arguments.concat()))
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = std::time::Instant::now();
    workspace::say(&format!("{name} …"));
    work().with_context(|| format!("step «{name}»"))?;
    workspace::say(&format!("{name}: {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}
