//! A gate on a small change: an instance of its own each time, against the same gate as a native program.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ringfence_core::verdict::Ruling;
use ringfence_sandbox::Call;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Runtime;

use super::Scale;
use crate::ours::{Ours, call, policy, small_change};
use crate::report::{Goal, Row};
use crate::rounds::{self, Contender};
use crate::tree::Tree;
use crate::{Outcome, root, runtime};

const NATIVE: &str = "diff-size-native";

/// Calls of the hot loop for each turn of the others.
const HOT: usize = 20;
const SPINS: usize = 100_000;

/// The gate, and the call that it gets.
struct Gate {
    ours: Ours,
    call: Call,
    runtime: Runtime,
    _tree: Tree,
}

impl Gate {
    fn new() -> Outcome<Self> {
        let tree = Tree::new(1, 10, 10)?;
        let path = root().join("host/cli/plugins/diff-size.wasm");
        let mut call = call(tree.path(), policy(&[])?);
        call.change = Some(small_change()?);
        Ok(Self {
            ours: Ours::new(&std::fs::read(path)?)?,
            call,
            runtime: runtime()?,
            _tree: tree,
        })
    }

    fn judge(&self) -> Outcome<()> {
        let verdict = self.runtime.block_on(self.ours.judge(self.call.clone()))?;
        match verdict.ruling {
            Ruling::Pass => Ok(()),
            _ => Err(format!("{verdict:?}").into()),
        }
    }
}

pub(super) fn run(scale: Scale) -> Outcome<Vec<Row>> {
    let gate = Gate::new()?;
    let ours = || gate.judge();
    let apart = rounds::run(
        scale.rounds * 10,
        &mut [
            Contender::new("gate call", ours),
            Contender::new("native gate", native),
            Contender::new("/bin/true", nothing),
        ],
    )?;
    let hot = rounds::run(
        scale.rounds * 10 * HOT,
        &mut [Contender::new("gate call", ours)],
    )?;
    let ([ours, native, nothing], [hot]) = (apart.as_slice(), hot.as_slice()) else {
        return Err("somebody is missing".into());
    };
    let turns = "diff-size on one file, in turns";
    Ok(vec![
        Row::new(turns, native, ours, Goal::AtLeast(10.0)),
        Row::new(turns, nothing, ours, Goal::None),
        Row::micros("diff-size in a hot loop", hot, Goal::AtMost(50.0)),
    ])
}

/// Calls the gate over and over.
///
/// # Errors
/// When it cannot be called.
pub fn spin() -> Outcome<()> {
    let gate = Gate::new()?;
    (0..SPINS).try_for_each(|_| gate.judge())
}

/// What the native gate answers.
#[derive(Debug, Deserialize)]
struct NativeVerdict {
    passes: bool,
}

/// The same gate as a program: the change on its standard input, the verdict on its standard output.
fn native() -> Outcome<()> {
    let mut child = Command::new(native_path()?)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let change = json!({
        "path": "docs/guide.md",
        "before": "# Guide\n\nSee the [setup](setup.md) for more.\n",
        "after": "# Guide\n\nSee the [setup](install/setup.md)\nfor more.\n",
    });
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(&change)?)?;
    }
    let done = child.wait_with_output()?;
    let verdict: NativeVerdict = serde_json::from_slice(&done.stdout)?;
    if verdict.passes {
        Ok(())
    } else {
        Err("the native gate refuses".into())
    }
}

fn native_path() -> Outcome<PathBuf> {
    let here = std::env::current_exe()?;
    Ok(here.with_file_name(NATIVE))
}

fn nothing() -> Outcome<()> {
    let status = Command::new("/bin/true").env_clear().status()?;
    if status.success() {
        Ok(())
    } else {
        Err("/bin/true fails".into())
    }
}
