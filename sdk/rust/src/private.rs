//! What the attributes and [`plugin!`](crate::plugin) expand to. Not for people; it changes without notice.
//!
//! Owns the way from an exported call to the plugin's function and back: context, panic hook, conversions.
//!
//! **Invariant:** a call that cannot be served (configuration or input that is no JSON) is an error answer, never a
//! trap; a panic's text reaches the host before the instance dies.

use serde_json::Value;

use crate::{
    bindings::{
        decider::exports::ringfence::beat::decide as wit_decide,
        executor::exports::ringfence::beat::act as wit_act,
        gate::exports::ringfence::beat::judge as wit_judge,
        sensor::exports::ringfence::beat::observe as wit_observe,
        shared::ringfence::beat::{log, types},
    },
    change::Change,
    context::Context,
    decision::Decision,
    error::{Error, Result},
    finding::{Finding, Location, Severity},
    observation::{Item, Observation},
    outcome::Outcome,
    situation::Situation,
    verdict::{Ruling, Verdict},
};

/// What stands in every manifest between the plugin's own version and the text of its `plugin.toml`.
pub const MANIFEST_TAIL: &str = concat!(
    "\"\ncontract = \"0.1.0\"\nsdk = \"",
    env!("CARGO_PKG_VERSION"),
    "\"\n"
);

/// The bytes of all parts together.
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut rest = parts;
    let mut len = 0;
    while let [part, tail @ ..] = rest {
        len += part.len();
        rest = tail;
    }
    len
}

/// The parts one after the other; `N` is [`joined_len`] of them.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where an index out of range is a compile error"
)]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let (mut out, mut at, mut rest) = ([0; N], 0, parts);
    while let [part, tail @ ..] = rest {
        let bytes = part.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            out[at] = bytes[index];
            at += 1;
            index += 1;
        }
        rest = tail;
    }
    out
}

/// The sensor's export.
pub mod sensor {
    pub use crate::bindings::sensor as bindings;
    pub use bindings::exports::ringfence::beat::observe::{Guest, Observation as RawObservation};

    use super::*;

    /// What the export returns.
    pub type Answer = std::result::Result<wit_observe::Observation, types::PluginError>;

    /// Calls the plugin's function.
    pub fn call(observe: impl FnOnce(&'static Context) -> Result<Observation>) -> Answer {
        Ok(observe(begin()?)?.into())
    }
}

/// The decider's export.
pub mod decider {
    pub use crate::bindings::decider as bindings;
    pub use bindings::exports::ringfence::beat::decide::Guest;

    use super::*;

    /// What the export returns.
    pub type Answer = std::result::Result<wit_decide::Decision, types::PluginError>;

    /// Calls the plugin's function.
    pub fn call(
        decide: impl FnOnce(&'static Context, &'static Situation) -> Result<Decision>,
        situation: &str,
    ) -> Answer {
        let cx = begin()?;
        let situation: Situation = parse("situation", situation)?;
        Ok(decide(cx, forever(situation))?.into())
    }
}

/// The executor's export.
pub mod executor {
    pub use crate::bindings::executor as bindings;
    pub use bindings::exports::ringfence::beat::act::Guest;

    use super::*;

    /// What the export returns.
    pub type Answer = std::result::Result<wit_act::Outcome, types::PluginError>;

    /// Calls the plugin's function.
    pub fn call(
        act: impl FnOnce(&'static Context, &str, Value) -> Result<Outcome>,
        action: &str,
        input: &str,
    ) -> Answer {
        let cx = begin()?;
        let input = parse("input", input)?;
        Ok(act(cx, action, input)?.into())
    }
}

/// The gate's export.
pub mod gate {
    pub use crate::bindings::gate as bindings;
    pub use bindings::exports::ringfence::beat::judge::Guest;

    use super::*;

    /// What the export returns.
    pub type Answer = std::result::Result<wit_judge::Verdict, types::PluginError>;

    /// Calls the plugin's function.
    pub fn call<V: Into<Verdict>>(
        judge: impl FnOnce(&'static Context, &'static Change) -> Result<V>,
    ) -> Answer {
        let cx = begin()?;
        let verdict: Verdict = judge(cx, forever(Change::of_call()))?.into();
        Ok(verdict.into())
    }
}

/// Holds what a sensor returns to its shape, on every target. The attributes call the function beside this, so one that takes
/// something else is told so in one line.
///
/// ```compile_fail,E0061
/// use ringfence_sdk::prelude::*;
/// #[gate]
/// fn too_little(_: &Change) -> Result<Vec<Finding>> { Ok(vec![]) }
/// fn main() {}
/// ```
///
/// A second function for a role has the same name as the first:
///
/// ```compile_fail,E0428
/// use ringfence_sdk::prelude::*;
/// #[gate]
/// fn one(_: &Context, _: &Change) -> Result<Vec<Finding>> { Ok(vec![]) }
/// #[gate]
/// fn two(_: &Context, _: &Change) -> Result<Vec<Finding>> { Ok(vec![]) }
/// fn main() {}
/// ```
pub fn check_sensor(_: Result<Observation>) {}

/// The same for a decider.
pub fn check_decider(_: Result<Decision>) {}

/// The same for an executor.
pub fn check_executor(_: Result<Outcome>) {}

/// The same for a gate.
pub fn check_gate<V: Into<Verdict>>(_: Result<V>) {}

/// Sets up a call: panics are told to the host, the configuration is read.
fn begin() -> Result<&'static Context> {
    std::panic::set_hook(Box::new(|panic| {
        log::write(log::Level::Error, &panic.to_string());
    }));
    Context::of_call().map(forever)
}

/// Keeps a value for the rest of the instance's life, which is one call.
///
/// `Result<impl Into<Verdict>>` captures the lifetimes of a gate's arguments, so they have to be nameable outside.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("the host's {what} does not parse: {error}")))
}

impl From<Error> for types::PluginError {
    fn from(error: Error) -> Self {
        match error {
            Error::Config(message) => Self::Config(message),
            Error::Unavailable(message) => Self::Unavailable(message),
            Error::Internal(message) => Self::Internal(message),
        }
    }
}

impl From<Observation> for wit_observe::Observation {
    fn from(observation: Observation) -> Self {
        Self {
            signal: observation.signal.to_string(),
            detail: observation.detail.to_string(),
            items: observation.items.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Item> for types::Item {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            title: item.title,
            labels: item.labels,
            detail: item.detail.to_string(),
        }
    }
}

impl From<Decision> for wit_decide::Decision {
    fn from(decision: Decision) -> Self {
        Self {
            item_id: decision.item.unwrap_or_default(),
            executor: decision.executor,
            action: decision.action,
            input: decision.input.to_string(),
            reason: decision.reason,
            next_in: decision.next_in,
        }
    }
}

impl From<Outcome> for wit_act::Outcome {
    fn from(outcome: Outcome) -> Self {
        Self {
            summary: outcome.summary,
            detail: outcome.detail.to_string(),
        }
    }
}

impl From<Verdict> for wit_judge::Verdict {
    fn from(verdict: Verdict) -> Self {
        let verdict = verdict.bounded();
        Self {
            ruling: match verdict.ruling {
                Ruling::Pass => wit_judge::Ruling::Pass,
                Ruling::Fail => wit_judge::Ruling::Fail,
                Ruling::Abstain => wit_judge::Ruling::Abstain,
            },
            findings: verdict.findings.into_iter().map(Into::into).collect(),
            summary: verdict.summary,
        }
    }
}

impl From<Finding> for types::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Error => types::Severity::Error,
                Severity::Warning => types::Severity::Warning,
                Severity::Note => types::Severity::Note,
            },
            rule: finding.rule,
            message: finding.message,
            locations: finding.locations.into_iter().map(Into::into).collect(),
            help: finding.help,
        }
    }
}

impl From<Location> for types::Location {
    fn from(location: Location) -> Self {
        Self {
            path: location.path,
            line: location.line,
            column: location.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_joined() {
        const PARTS: &[&str] = &["a", "", "bc"];
        const JOINED: [u8; joined_len(PARTS)] = join(PARTS);
        assert_eq!(&JOINED, b"abc");
    }

    #[test]
    fn an_observation_carries_json_text() {
        let observation = Observation {
            signal: json!({"b": 1, "a": [null]}),
            detail: Value::Null,
            items: vec![Item {
                id: "x-1".to_owned(),
                detail: json!({"n": 1}),
                ..Item::default()
            }],
        };
        let wit = wit_observe::Observation::from(observation);
        assert_eq!(
            (wit.signal.as_str(), wit.detail.as_str()),
            (r#"{"a":[null],"b":1}"#, "null")
        );
        assert_eq!(wit.items[0].detail, r#"{"n":1}"#);
    }

    #[test]
    fn a_noop_has_empty_names() {
        let wit = wit_decide::Decision::from(Decision::noop("quiet"));
        assert_eq!(
            (
                wit.item_id.as_str(),
                wit.executor.as_str(),
                wit.action.as_str(),
                wit.input.as_str()
            ),
            ("", "none", "", "{}")
        );
    }

    #[test]
    fn a_verdict_keeps_its_findings() {
        let findings = vec![Finding::error("r", "m").at_position("a", 1, 2).help("h")];
        let wit = wit_judge::Verdict::from(Verdict::fail("no", findings));
        assert!(matches!(wit.ruling, wit_judge::Ruling::Fail));
        let finding = &wit.findings[0];
        assert!(matches!(finding.severity, types::Severity::Error));
        assert_eq!(
            (finding.locations[0].line, finding.locations[0].column),
            (1, 2)
        );
    }

    #[test]
    fn more_findings_than_a_host_keeps_are_told() {
        let findings = vec![Finding::error("r", "m").at("a"); 1_001];
        let wit = wit_judge::Verdict::from(Verdict::fail("no", findings));
        assert_eq!(wit.findings.len(), 1_000);
        let first = &wit.findings[0];
        assert_eq!(
            (first.rule.as_str(), first.locations.len()),
            ("too-many-findings", 0)
        );
    }

    #[test]
    fn input_that_is_no_json_is_a_bug_of_somebody() {
        let error = parse::<Value>("input", "{").unwrap_err();
        assert!(matches!(error, Error::Internal(text) if text.contains("input")));
    }
}
