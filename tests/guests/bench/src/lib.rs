//! Does one kind of work over and over: the configuration is a [`Work`], the answer's detail a [`Sum`].
//!
//! The same component runs in our boundary and in the stock host (`tests/bench`); the works that go through `std::fs`
//! run natively, too, where they are the floor. The others make the calls of `wasi:filesystem` by themselves (`raw.rs`), as
//! a program does that counts them.
//!
//! **Invariant:** every host does the same work and sees the same bytes, or their sums differ.

#[cfg(target_family = "wasm")]
mod raw;
mod standard;
mod think;

use std::io::{Error, Result as IoResult};

use ringfence_sdk::prelude::*;
use serde::{Deserialize, Serialize};

ringfence_sdk::plugin!("../plugin.toml");

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// `read`, `stat`, `list`, `scan` and `write` by calls of WASI, the same with `std-` in front by `std::fs`, or `json`.
    pub kind: String,
    /// How many files, entries or rounds.
    pub count: u64,
    /// Bytes of each file or each call.
    pub bytes: u64,
    /// The folder, or the file of `scan`, relative to the workspace.
    pub path: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Files, entries or rounds.
    pub items: u64,
    /// Bytes read, written or said to be there.
    pub bytes: u64,
    /// Of names and bytes seen, order included.
    pub hash: u64,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        self.items += 1;
        self.bytes += bytes.len() as u64;
        // The ends alone: the host's work is measured, not this.
        let ends = bytes.iter().take(16).chain(bytes.iter().rev().take(16));
        for byte in ends {
            self.hash = self.hash.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }
}

/// The name of file `index` of a folder.
#[must_use]
pub fn name(index: u64) -> String {
    format!("file-{index:05}.txt")
}

/// Does the work on this side of the boundary, natively or in a component.
///
/// # Errors
/// What the file system says, and a kind of work that is none.
pub fn run(work: &Work) -> IoResult<Sum> {
    match work.kind.as_str() {
        "json" => think::json(work),
        kind => match kind.strip_prefix("std-") {
            Some(kind) => standard::run(kind, work),
            None => run_raw(kind, work),
        },
    }
}

#[cfg(target_family = "wasm")]
fn run_raw(kind: &str, work: &Work) -> IoResult<Sum> {
    raw::run(kind, work)
}

#[cfg(not(target_family = "wasm"))]
fn run_raw(kind: &str, _: &Work) -> IoResult<Sum> {
    Err(unknown(kind))
}

fn unknown(kind: &str) -> Error {
    Error::other(format!("no such work: {kind}"))
}

#[sensor]
fn observe(cx: &Context) -> Result<Observation> {
    let sum = run(&cx.config()?)?;
    Ok(Observation {
        detail: serde_json::to_value(sum)?,
        ..Observation::default()
    })
}
