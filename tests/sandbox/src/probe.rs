//! Plans for the guest `probe`, and what came of them.
//!
//! **Invariant:** the probe checks nothing, so an answer is the boundary's own.

use ringfence_testkit::core::policy::{
    Denial, DenyPattern, DenySource, Layer, PathPolicy, PolicySpec,
};
use ringfence_testkit::core::verdict::Verdict;
use ringfence_testkit::sandbox::{Call, Called, Guests};
use ringfence_testkit::{Case, Component, core::manifest::Role};
use serde_json::{Value, json};

use crate::stop;

/// What a probe may do.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Globs of what may be read.
    pub read: &'a [&'a str],
    /// Globs of what may be written.
    pub write: &'a [&'a str],
    /// Globs of what is denied.
    pub deny: &'a [&'a str],
}

/// What came of a plan.
#[derive(Debug)]
pub struct Done {
    /// Each operation's data, or the name of its error code.
    pub results: Vec<Result<Value, String>>,
    /// Everything of the call.
    pub called: Called<Verdict>,
}

/// One operation of a plan; see the guest for the keys.
#[must_use]
pub fn op(verb: &str, keys: Value) -> Value {
    let mut op = json!({ "op": verb });
    if let (Some(op), Value::Object(keys)) = (op.as_object_mut(), keys) {
        op.extend(keys);
    }
    op
}

/// A policy with one layer.
///
/// # Panics
/// When a glob cannot be used.
#[must_use]
pub fn policy(grant: Grant<'_>) -> PathPolicy {
    let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    let deny = |glob: &&str| DenyPattern {
        pattern: (*glob).to_owned(),
        source: DenySource::Operator,
    };
    let spec = PolicySpec {
        layers: vec![Layer {
            name: "loop".to_owned(),
            read: own(grant.read),
            write: own(grant.write),
        }],
        deny: grant.deny.iter().map(deny).collect(),
    };
    PathPolicy::new(&spec).unwrap_or_else(|errors| stop(format!("{errors:?}")))
}

/// The call of a gate on `case` that may also write: gates of a loop never may.
#[must_use]
pub fn writing_call(component: &Component, case: &Case, grant: Grant<'_>) -> Call {
    let mut call = component.call(case, Role::Gate);
    for mount in &mut call.mounts {
        mount.policy = policy(grant);
    }
    call
}

/// Carries out `plan` in `call`, on a confined thread as in a loop.
///
/// # Panics
/// When the call gives no verdict, or the plan is none.
#[must_use]
pub fn carry_out(probe: &Component, mut call: Call, plan: &[Value]) -> Done {
    call.config = json!({ "plan": plan }).to_string();
    let plugin = probe.plugin().clone();
    let called = Guests::new()
        .run(call, async move |call| plugin.judge(call).await)
        .unwrap_or_else(|error| stop(error));
    let Ok(Ok(verdict)) = &called.answer else {
        stop(format!("{:?} for {plan:?}", called.answer))
    };
    let results = verdict
        .findings
        .iter()
        .map(|finding| result(&finding.message));
    Done {
        results: results.collect(),
        called,
    }
}

fn result(message: &str) -> Result<Value, String> {
    let mut told: Value = serde_json::from_str(message).unwrap_or_else(|error| stop(error));
    match told.get("err").and_then(Value::as_str) {
        // What was to be opened first was refused.
        Some(code) if code.starts_with("plan: nothing is open") => Err("unopened".to_owned()),
        Some(code) if code.starts_with("plan:") => stop(code),
        Some(code) => Err(code.to_owned()),
        None => Ok(told.get_mut("ok").map(Value::take).unwrap_or_default()),
    }
}

impl Done {
    /// The result of the last operation.
    ///
    /// # Panics
    /// When the plan was empty.
    pub fn last(&self) -> &Result<Value, String> {
        self.results.last().unwrap_or_else(|| stop("an empty plan"))
    }

    /// What was denied.
    #[must_use]
    pub fn denials(&self) -> &[Denial] {
        &self.called.report.denials
    }
}
