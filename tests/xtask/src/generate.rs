//! Files that are made from code and committed all the same, because people and other tools read them.
//!
//! Owns the list of them. The SDK's bindings are one more, with a module of their own (`bindings`).
//!
//! **Invariant:** with `check` nothing is written; a stale file is an error that says what to run.

use anyhow::{Result, bail};

use crate::workspace::{self, Workspace};

/// The arguments of `ringfence` that print a document, and the file it belongs in. A new generated document is one
/// more line here.
const DOCUMENTS: &[(&[&str], &str)] = &[
    (&["schema", "loop-file"], "docs/loop-file.schema.json"),
    (&["schema", "situation"], "wit/situation.schema.json"),
    (&["schema", "gates-file"], "docs/gates-file.schema.json"),
    (&["schema", "gate-report"], "docs/gate-report.schema.json"),
    (&["schema", "gate-receipt"], "docs/gate-receipt.schema.json"),
];

/// Writes all generated files, or with `check` fails when one of them is stale.
///
/// # Errors
/// The host does not build or print, a file cannot be written, or (with `check`) one is stale.
pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    crate::bindings(workspace, check)?;
    let mut stale = Vec::new();
    for (arguments, file) in DOCUMENTS {
        let mut cargo = workspace.cargo();
        cargo.args(["run", "--quiet", "--locked", "--package", "ringfence", "--"]);
        let text = workspace::output(cargo.args(*arguments))? + "\n";
        let path = workspace.path(file);
        if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            continue;
        }
        if check {
            stale.push(*file);
        } else {
            workspace::write(&path, text.as_bytes())?;
            workspace::say(&format!("wrote {file}"));
        }
    }
    if !stale.is_empty() {
        bail!("{} is stale: run `cargo xtask generate`", stale.join(", "));
    }
    Ok(())
}
