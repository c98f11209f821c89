//! Takes more than its share, one way at a time: `{"mode": "spin", "count": …, "bytes": …, "path": …}`.
//!
//! `count` is how often (default 1), `bytes` how much each time (default 0), `path` a file or folder (default `.`).
//! Where a mode can be refused and go on, the verdict's summary is `MODE: N done` or `MODE: N done, then ERROR`. What
//! is opened is never closed. As an executor (action `run`) it takes the same from the input, without the modes that
//! need a change, and answers with the summary alone. Modes that need no host call are in `engine.rs`, the others in `host.rs`.
//!
//! **Invariant:** each mode strains one limit and no other that a test could mistake for it.

mod engine;
mod host;

use ringfence_sdk::{__private::gate, prelude::*};
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// How to strain what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    mode: String,
    #[serde(default = "one")]
    count: u64,
    #[serde(default)]
    bytes: u64,
    #[serde(default = "here")]
    path: String,
}

fn one() -> u64 {
    1
}

fn here() -> String {
    ".".to_owned()
}

impl Config {
    /// `bytes` as a length in memory.
    fn len(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// Does something `count` times, until it fails.
    fn repeat(&self, mut deed: impl FnMut(u64) -> std::result::Result<(), String>) -> Verdict {
        for round in 0..self.count {
            if let Err(error) = deed(round) {
                return Verdict::pass(format!("{}: {round} done, then {error}", self.mode));
            }
        }
        Verdict::pass(format!("{}: {} done", self.mode, self.count))
    }
}

/// The gate's export, written by hand: the SDK's own leaves out findings that a host does not keep, and `huge-list` is
/// there to give them.
#[derive(Debug)]
pub struct Hog;

impl gate::Guest for Hog {
    fn judge() -> gate::Answer {
        let mut findings = Vec::new();
        let mut answer = gate::call(|cx, change| {
            let mut verdict = run(&cx.config()?, cx, Some(change))?;
            findings = std::mem::take(&mut verdict.findings);
            Ok(verdict)
        })?;
        answer.findings = findings.into_iter().map(Into::into).collect();
        Ok(answer)
    }
}

#[cfg(target_family = "wasm")]
ringfence_sdk::__private::gate::bindings::export_gate!(
    Hog with_types_in ringfence_sdk::__private::gate::bindings
);

#[executor]
fn act(cx: &Context, _: &str, input: Value) -> Result<Outcome> {
    let config = serde_json::from_value(input)?;
    Ok(Outcome::new(run(&config, cx, None)?.summary))
}

fn run(config: &Config, cx: &Context, change: Option<&Change>) -> Result<Verdict> {
    engine::run(config)
        .or_else(|| host::run(config, cx, change))
        .ok_or_else(|| Error::config(format!("no such mode: {}", config.mode)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_chosen_by_name() {
        let run = |mode: &str| {
            let cx = Context::test(json!({"mode": mode, "count": 3, "bytes": 2}));
            super::run(&cx.config()?, &cx, Some(&Change::test(vec![])))
        };
        assert_eq!(run("huge-list").unwrap().findings.len(), 3);
        assert_eq!(run("huge-string").unwrap().summary, "xx");
        assert!(matches!(run("odd"), Err(Error::Config(_))));
    }
}
