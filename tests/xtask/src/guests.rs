//! The misbehaving components that tests run.
//!
//! Owns `target/guests/NAME.wasm`, one for each crate below `tests/guests` that has a `plugin.toml`. They are never
//! committed: a test that misses one says to run this task.
//!
//! **Invariant:** a file is only written when its bytes changed, so running it again costs little.

use anyhow::Result;

use crate::{
    component, plugins,
    toolchain::{self, Ways},
    workspace::{self, Workspace},
};

/// Builds all guests.
///
/// # Errors
/// No toolchain, or a guest does not compile.
pub(crate) fn run(workspace: &Workspace, ways: Ways) -> Result<()> {
    let toolchain = toolchain::ensure(workspace, ways)?;
    let folder = workspace.path("target/guests");
    for name in plugins::names_below(workspace, "tests/guests")? {
        let built = workspace::read(&component::build(workspace, &toolchain, &name)?)?;
        let path = folder.join(format!("{name}.wasm"));
        if std::fs::read(&path).ok().as_ref() != Some(&built) {
            workspace::write(&path, &built)?;
            workspace::say(&format!("{}: {} bytes", path.display(), built.len()));
        }
    }
    Ok(())
}
