//! Runs a built plugin in the real boundary from an ordinary test.
//!
//! A [`Case`] is a small workspace and what was changed in it, for gates also the commits that the change came in and what
//! commands said of it ([`Case::commits`], [`Case::ran`]); [`Case::fixture`] reads one from a folder. A [`Component`] is called on it and returns a [`Run`]: the
//! answer, the fuel, the denials, the log. Nothing is simulated: the file system, the limits and the policy are those
//! that the plugin gets in a loop.
//!
//! ```no_run
//! use ringfence_testkit::{Case, Component};
//!
//! let gate = Component::built("my-gate"); // after `cargo build --release --target wasm32-wasip2`
//! let case = Case::new().unchanged("README.md", "# Hello").added("docs/new.md", "[broken](nowhere.md)");
//! let run = gate.judge(&case);
//! assert_eq!(run.answer().findings.len(), 1);
//! assert!(run.denials().is_empty());
//! ```
//!
//! Functions here panic with a message when the set-up is wrong: they are made for tests. The engine comes along with this
//! crate, so its first build takes minutes; that of a plugin does not grow.
//!
//! **Invariant:** a call sees the policy of its role (only an executor may write) and of the plugin's own asks.

mod case;
mod change;
mod evidence;
mod fixture;

use std::path::Path;
use std::sync::Arc;

use ringfence_core::call::{CallFailure, LogLine};
use ringfence_core::decision::RawDecision;
use ringfence_core::digest::Digest;
use ringfence_core::manifest::Role;
use ringfence_core::policy::{Denial, Layer, PathPolicy, PolicySpec, builtin_denials};
use ringfence_core::quantity::Fuel;
use ringfence_core::snapshot::RawObservation;
use ringfence_core::verdict::Verdict;
use ringfence_sandbox::{
    ActOutcome, Call, CallError, Called, Guests, Mount, Origin, Plugin, PluginError, Sandbox,
    Settings, Times,
};
use serde_json::Value;

pub use case::Case;
pub use evidence::CommandRun;
pub use ringfence_core as core;
pub use ringfence_sandbox as sandbox;

/// 2026-01-01T00:00:00Z: when every call of a test takes place.
pub const NOW: u64 = 1_767_225_600;

const TARGET: &str = "wasm32-wasip2";
const BUILD: &str = "build it first: `cargo build --release --target wasm32-wasip2`";

/// A built plugin.
pub struct Component(Plugin);

/// How one call ended.
#[derive(Debug)]
pub struct Run<T>(Called<T>);

impl Component {
    /// The component of the crate `name`, as `cargo build --release --target wasm32-wasip2` left it in the target folder that this
    /// test was built into.
    ///
    /// # Panics
    /// When it was not built, or is no plugin.
    #[must_use]
    #[track_caller]
    pub fn built(name: &str) -> Self {
        let test = std::env::current_exe().unwrap_or_else(|error| stop(error));
        let file = format!("{TARGET}/release/{}.wasm", name.replace('-', "_"));
        match test
            .ancestors()
            .map(|folder| folder.join(&file))
            .find(|path| path.is_file())
        {
            Some(path) => Self::load(path),
            None => stop(format!(
                "no {file} above {}; {BUILD}, with the target folder of this test",
                test.display()
            )),
        }
    }

    /// Reads and compiles a component.
    ///
    /// # Panics
    /// When the file is not there or is no plugin.
    #[must_use]
    #[track_caller]
    pub fn load(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match std::fs::read(path) {
            Ok(bytes) => Self::from_bytes(&bytes),
            Err(error) => stop(format!("{}: {error}; {BUILD}", path.display())),
        }
    }

    /// Compiles a component, in this process: a test's own components are trusted to compile.
    ///
    /// # Panics
    /// When the bytes are no plugin.
    #[must_use]
    #[track_caller]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // A closure would be the place that is named, and not the caller.
        let sandbox = match Sandbox::new(Settings::default()) {
            Ok(sandbox) => sandbox,
            Err(error) => stop(error),
        };
        match sandbox.load(bytes) {
            Ok(plugin) => Self(plugin),
            Err(error) => stop(error),
        }
    }

    /// A plugin that a sandbox of the caller's has loaded.
    #[must_use]
    pub fn of(plugin: Plugin) -> Self {
        Self(plugin)
    }

    /// The compiled plugin, for calls that a [`Case`] cannot spell.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.0
    }

    /// Calls the sensor.
    ///
    /// # Panics
    /// When the call cannot be set up.
    #[must_use]
    pub fn observe(&self, case: &Case) -> Run<RawObservation> {
        let plugin = self.0.clone();
        run(self.call(case, Role::Sensor), async move |call| {
            plugin.observe(call).await
        })
    }

    /// Calls the decider.
    ///
    /// # Panics
    /// When the call cannot be set up.
    #[must_use]
    pub fn decide(&self, case: &Case, situation: &Value) -> Run<RawDecision> {
        let (plugin, situation) = (self.0.clone(), situation.to_string());
        run(self.call(case, Role::Decider), async move |call| {
            plugin.decide(call, &situation).await
        })
    }

    /// Calls the executor, which changes the files of `case`.
    ///
    /// # Panics
    /// When the call cannot be set up.
    #[must_use]
    pub fn act(&self, case: &Case, action: &str, input: &Value) -> Run<ActOutcome> {
        let plugin = self.0.clone();
        let (action, input) = (action.to_owned(), input.to_string());
        run(self.call(case, Role::Executor), async move |call| {
            plugin.act(call, &action, &input).await
        })
    }

    /// Calls the gate on the change that `case` describes.
    ///
    /// # Panics
    /// When the call cannot be set up.
    #[must_use]
    pub fn judge(&self, case: &Case) -> Run<Verdict> {
        let plugin = self.0.clone();
        run(self.call(case, Role::Gate), async move |call| {
            plugin.judge(call).await
        })
    }

    /// The call that a loop would make of this plugin in `role`.
    ///
    /// # Panics
    /// When a pattern of the case cannot be used.
    #[must_use]
    pub fn call(&self, case: &Case, role: Role) -> Call {
        let asks = &self.0.inspection().manifest.asks;
        let write = |globs: &[String]| {
            if role == Role::Executor {
                globs.to_vec()
            } else {
                Vec::new()
            }
        };
        let mut deny = builtin_denials();
        deny.extend(case.deny.clone());
        let spec = PolicySpec {
            layers: vec![
                Layer {
                    name: "loop".into(),
                    read: case.read.clone(),
                    write: write(&case.write),
                },
                Layer {
                    name: "plugin".into(),
                    read: asks.read.clone(),
                    write: write(&asks.write),
                },
            ],
            deny,
        };
        let policy = PathPolicy::new(&spec).unwrap_or_else(|errors| stop(format!("{errors:?}")));
        Call {
            mounts: vec![Mount {
                guest_path: "/".into(),
                host_path: case.path().to_owned(),
                policy,
            }],
            limits: case.limits,
            config: case.config.to_string(),
            origin: Origin {
                seed: Digest::of(b"ringfence-testkit"),
                clock_start: NOW,
            },
            times: Times::Fixed(NOW),
            change: (role == Role::Gate).then(|| Arc::new(case.change()) as _),
            evidence: (role == Role::Gate).then(|| Arc::new(case.evidence()) as _),
        }
    }
}

impl<T> Run<T> {
    /// The answer.
    ///
    /// # Panics
    /// When there is none, saying why.
    #[must_use]
    pub fn answer(&self) -> &T {
        match &self.0.answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => stop(format!("the plugin says: {error}\n{}", self.log_text())),
            Err(failure) => stop(format!(
                "the sandbox ended the call: {failure}\n{}",
                self.log_text()
            )),
        }
    }

    /// What the plugin refused with.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn refusal(&self) -> &PluginError {
        match &self.0.answer {
            Ok(Err(error)) => error,
            Ok(Ok(_)) => stop("the plugin answered"),
            Err(failure) => stop(format!("the sandbox ended the call: {failure}")),
        }
    }

    /// Why the sandbox ended the call.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn failure(&self) -> &CallFailure {
        match &self.0.answer {
            Err(failure) => failure,
            Ok(_) => stop(format!("the call came to its end\n{}", self.log_text())),
        }
    }

    /// What the call used; the same on every run.
    #[must_use]
    pub fn fuel(&self) -> Fuel {
        self.0.report.usage.fuel.used
    }

    /// What the plugin was denied.
    #[must_use]
    pub fn denials(&self) -> &[Denial] {
        &self.0.report.denials
    }

    /// What the plugin logged and printed.
    #[must_use]
    pub fn log(&self) -> &[LogLine] {
        &self.0.report.log
    }

    /// Everything of the call.
    #[must_use]
    pub fn called(&self) -> &Called<T> {
        &self.0
    }

    fn log_text(&self) -> String {
        self.log()
            .iter()
            .map(|line| format!("{}: {}\n", line.level, line.text))
            .collect()
    }
}

/// As in a loop: on a thread that has given up everything but the workspace.
fn run<T: Send + 'static>(
    call: Call,
    ask: impl AsyncFnOnce(Call) -> Result<Called<T>, CallError> + Send + 'static,
) -> Run<T> {
    Run(Guests::new()
        .run(call, ask)
        .unwrap_or_else(|error| stop(error)))
}

#[expect(clippy::panic, reason = "a test whose set-up is wrong has to end")]
#[track_caller]
fn stop(why: impl std::fmt::Display) -> ! {
    panic!("{why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_was_not_built_says_how() {
        let caught = std::panic::catch_unwind(|| Component::built("no-such-gate"));
        let Err(why) = caught.map(drop) else {
            stop("there is a no-such-gate");
        };
        let text = why.downcast_ref::<String>().map_or("", String::as_str);
        assert!(
            text.contains("wasm32-wasip2/release/no_such_gate.wasm")
                && text.contains("`cargo build --release --target wasm32-wasip2`"),
            "{text}"
        );
    }
}
