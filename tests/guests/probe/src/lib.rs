//! Carries out a plan of filesystem operations and reports each result.
//!
//! The configuration is `{"plan": [{"op": "open", "on": "root", "path": "a", "as": "h"}, …]}`: every verb of
//! `wasi:filesystem/types` with all its flags on named handles (`raw.rs`, and `each.rs` for all flags of `open-at` at
//! once), and a dozen through `std::fs` (`standard.rs`), as a plugin would do them. `root` is the first preopened folder; `root1`, `root2`, … are any others.
//! A result is `{"ok": DATA}` or `{"err": "not-permitted"}` with the error code's (or `std`'s error kind's) name.
//!
//! As a gate it passes, with one note for each operation, in order: its rule is the operation's name, its message the
//! result. As an executor (action `run`) it takes the plan from the input, and its detail is the list of results.
//!
//! **Invariant:** an operation that fails never ends the plan, and nothing is checked before the host is asked.

mod each;
mod plan;
mod raw;
mod standard;

use plan::{Handles, Operation};
use ringfence_sdk::{__private::gate, prelude::*};
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    plan: Vec<Operation>,
}

/// The gate's export, written by hand: the SDK's own leaves out findings that a host does not keep, and each operation is
/// to be told of.
#[derive(Debug)]
pub struct Probe;

impl gate::Guest for Probe {
    fn judge() -> gate::Answer {
        let mut findings = Vec::new();
        let mut answer = gate::call(|cx, change| {
            let config: Config = cx.config()?;
            findings = carry_out(&config.plan, Some(change))
                .map(|(name, result)| Finding::note(name, result.to_string()))
                .collect();
            Ok(Verdict::pass(format!("{} operations", findings.len())))
        })?;
        answer.findings = findings.into_iter().map(Into::into).collect();
        Ok(answer)
    }
}

#[cfg(target_family = "wasm")]
ringfence_sdk::__private::gate::bindings::export_gate!(
    Probe with_types_in ringfence_sdk::__private::gate::bindings
);

#[executor]
fn act(_: &Context, _: &str, input: Value) -> Result<Outcome> {
    let config: Config = serde_json::from_value(input)?;
    let results: Vec<_> = carry_out(&config.plan, None)
        .map(|(_, result)| result)
        .collect();
    Ok(Outcome::new(format!("{} operations", results.len())).detail(Value::from(results)))
}

/// Each operation's name and result, in order.
fn carry_out<'a>(
    plan: &'a [Operation],
    change: Option<&'a Change>,
) -> impl Iterator<Item = (&'a str, Value)> {
    let mut handles = Handles::preopened();
    plan.iter().map(move |operation| {
        let result = match operation.run(&mut handles, change) {
            Ok(data) => json!({ "ok": data }),
            Err(code) => json!({ "err": code }),
        };
        (operation.name(), result)
    })
}
