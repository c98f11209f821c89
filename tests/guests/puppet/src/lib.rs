//! Answers exactly what its configuration says, in all four roles.
//!
//! One component serves many tests: the configuration is a script of deeds (`script.rs`: log, write, read, panic, …)
//! and of answers (`answers.rs`). Where no answer is scripted, the puppet succeeds and reports what it saw as JSON:
//! in `detail` (sensor, executor), in `reason` (decider) or in `summary` (gate).
//!
//! **Invariant:** it checks nothing: what it is told to answer goes out as it stands, JSON or not. So the exports are
//! written by hand here, where a plugin would use the SDK's attributes.

mod answers;
mod script;

use ringfence_sdk::{
    __private::{decider, executor, gate, sensor},
    prelude::*,
};
use script::{Report, Script};

ringfence_sdk::plugin!("../plugin.toml");

/// Implements every role by its configuration.
#[derive(Debug)]
pub struct Puppet;

impl sensor::Guest for Puppet {
    fn observe() -> sensor::Answer {
        let mut raw = answers::RawObservation::default();
        let mut answer = sensor::call(|cx| {
            let (script, report) = perform(cx)?;
            raw = script.raw_observation;
            Ok(script.observation.map_or_else(
                || Observation {
                    detail: report.to_value(),
                    ..Observation::default()
                },
                Into::into,
            ))
        })?;
        raw.replace(&mut answer);
        Ok(answer)
    }
}

impl decider::Guest for Puppet {
    fn decide(situation: String) -> decider::Answer {
        let mut raw_input = None;
        let mut answer = decider::call(
            |cx, _| {
                let (script, mut report) = perform(cx)?;
                raw_input = script.raw_input;
                report.given = serde_json::from_str(&situation)?;
                Ok(script
                    .decision
                    .map_or_else(|| Decision::noop(report.to_value().to_string()), Into::into))
            },
            &situation,
        )?;
        if let Some(input) = raw_input {
            answer.input = input;
        }
        Ok(answer)
    }
}

impl executor::Guest for Puppet {
    fn act(action: String, input: String) -> executor::Answer {
        let mut raw_detail = None;
        let mut answer = executor::call(
            |cx, action, input| {
                let (script, mut report) = perform(cx)?;
                raw_detail = script.raw_detail;
                let own: Script = serde_json::from_value(input.clone())?;
                own.perform(cx, &mut report)?;
                report.given = json!({ "action": action, "input": input });
                Ok(script.outcome.map_or_else(
                    || Outcome::new("done").detail(report.to_value()),
                    Into::into,
                ))
            },
            &action,
            &input,
        )?;
        if let Some(detail) = raw_detail {
            answer.detail = detail;
        }
        Ok(answer)
    }
}

impl gate::Guest for Puppet {
    fn judge() -> gate::Answer {
        gate::call(|cx, change| {
            let (script, mut report) = perform(cx)?;
            if script.look_at_change {
                report.look_at(change)?;
            }
            Ok(script.verdict.map_or_else(
                || Verdict::pass(report.to_value().to_string()),
                Verdict::from,
            ))
        })
    }
}

/// Does what the configuration says.
fn perform(cx: &Context) -> Result<(Script, Report)> {
    let script: Script = cx.config()?;
    let mut report = Report::default();
    script.perform(cx, &mut report)?;
    Ok((script, report))
}

#[cfg(target_family = "wasm")]
mod exports {
    //! Ties the puppet to the component's exports.

    use super::Puppet;

    ringfence_sdk::__private::sensor::bindings::export_sensor!(
        Puppet with_types_in ringfence_sdk::__private::sensor::bindings
    );
    ringfence_sdk::__private::decider::bindings::export_decider!(
        Puppet with_types_in ringfence_sdk::__private::decider::bindings
    );
    ringfence_sdk::__private::executor::bindings::export_executor!(
        Puppet with_types_in ringfence_sdk::__private::executor::bindings
    );
    ringfence_sdk::__private::gate::bindings::export_gate!(
        Puppet with_types_in ringfence_sdk::__private::gate::bindings
    );
}
