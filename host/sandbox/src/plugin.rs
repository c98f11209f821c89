//! A component ready to be called in each of its roles.

use std::sync::Arc;

use ringfence_core::decision::RawDecision;
use ringfence_core::snapshot::{RawItem, RawObservation};
use ringfence_core::verdict::{Finding, Location, Ruling, Severity, Verdict};
use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::exports::ringfence::beat as exports;
use crate::bindings::ringfence::beat::types;
use crate::call::{Call, CallError, Called, PluginError, run, trace};
use crate::compile::LoadError;
use crate::fs::Way;
use crate::inspect::Inspection;
use crate::state::State;

/// A compiled component with its links resolved. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pre: InstancePre<State>,
    inspection: Inspection,
    places: Arc<Semaphore>,
}

/// What an executor says it did. What it really did, the host measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActOutcome {
    /// One line.
    pub summary: String,
    /// JSON text.
    pub detail: String,
}

/// Calls the only function of a role's interface.
macro_rules! role {
    ($self:ident, $call:ident, $way:expr, $interface:ident, $guest:ident . $function:ident ( $($argument:expr),* )) => {
        run(&$self.pre, &$self.places, $call, $way, async |store, instance, pre| {
            let guest = exports::$interface::GuestIndices::new(pre)?.load(&mut *store, instance)?;
            guest.$function(&mut *store $(, $argument)*).await
        })
        .await
    };
}

impl Plugin {
    pub(crate) fn link(
        linker: &Linker<State>,
        component: Component,
        inspection: Inspection,
        places: Arc<Semaphore>,
    ) -> Result<Self, LoadError> {
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Import(format!("{error:#}")))?;
        Ok(Self {
            pre,
            inspection,
            places,
        })
    }

    /// What the component is, by its bytes.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Calls a sensor.
    ///
    /// # Errors
    /// [`CallError`] when the call could not be set up; what the component does wrong is in the answer.
    pub async fn observe(&self, call: Call) -> Result<Called<RawObservation>, CallError> {
        let called = role!(self, call, Way::AtOnce, observe, guest.call_observe())?;
        Ok(called.map(|answer| RawObservation {
            signal: answer.signal,
            detail: answer.detail,
            items: answer.items.into_iter().map(raise_item).collect(),
        }))
    }

    /// Calls a decider with the situation as JSON text.
    ///
    /// # Errors
    /// See [`observe`](Self::observe).
    pub async fn decide(
        &self,
        call: Call,
        situation: &str,
    ) -> Result<Called<RawDecision>, CallError> {
        let called = role!(
            self,
            call,
            Way::AtOnce,
            decide,
            guest.call_decide(situation)
        )?;
        Ok(called.map(|answer| {
            RawDecision::from_contract(
                answer.item_id,
                answer.executor,
                answer.action,
                answer.input,
                answer.reason,
                answer.next_in,
            )
        }))
    }

    /// Calls an executor with one of its actions and the input as JSON text.
    ///
    /// # Errors
    /// See [`observe`](Self::observe).
    pub async fn act(
        &self,
        call: Call,
        action: &str,
        input: &str,
    ) -> Result<Called<ActOutcome>, CallError> {
        let called = role!(self, call, Way::AtOnce, act, guest.call_act(action, input))?;
        Ok(called.map(|answer| ActOutcome {
            summary: answer.summary,
            detail: answer.detail,
        }))
    }

    /// Calls a gate; `call.change` is what it judges.
    ///
    /// # Errors
    /// See [`observe`](Self::observe).
    pub async fn judge(&self, call: Call) -> Result<Called<Verdict>, CallError> {
        self.judge_walking(call, Way::AtOnce).await
    }

    /// Calls a gate to find out where it is when its fuel is up: the names of its functions, innermost first; none when it
    /// ends before.
    ///
    /// # Errors
    /// See [`observe`](Self::observe).
    pub async fn trace_judge(&self, call: Call) -> Result<Called<Option<Vec<String>>>, CallError> {
        let Self { pre, places, .. } = self;
        trace(pre, places, call, async |store, instance, pre| {
            let guest = exports::judge::GuestIndices::new(pre)?.load(&mut *store, instance)?;
            guest.call_judge(&mut *store).await
        })
        .await
    }

    /// As [`judge`](Self::judge), with paths walked in one way or the other.
    pub(crate) async fn judge_walking(
        &self,
        call: Call,
        way: Way,
    ) -> Result<Called<Verdict>, CallError> {
        let called = role!(self, call, way, judge, guest.call_judge())?;
        Ok(called.map(|answer| Verdict {
            ruling: match answer.ruling {
                exports::judge::Ruling::Pass => Ruling::Pass,
                exports::judge::Ruling::Fail => Ruling::Fail,
                exports::judge::Ruling::Abstain => Ruling::Abstain,
            },
            findings: answer.findings.into_iter().map(raise_finding).collect(),
            summary: answer.summary,
        }))
    }
}

impl From<types::PluginError> for PluginError {
    fn from(error: types::PluginError) -> Self {
        match error {
            types::PluginError::Config(text) => Self::Config(text),
            types::PluginError::Unavailable(text) => Self::Unavailable(text),
            types::PluginError::Internal(text) => Self::Internal(text),
        }
    }
}

fn raise_item(item: types::Item) -> RawItem {
    RawItem {
        id: item.id,
        title: item.title,
        labels: item.labels,
        detail: item.detail,
    }
}

fn raise_finding(finding: types::Finding) -> Finding {
    Finding {
        severity: match finding.severity {
            types::Severity::Error => Severity::Error,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Note => Severity::Note,
        },
        rule: finding.rule,
        message: finding.message,
        locations: finding
            .locations
            .into_iter()
            .map(|location| Location {
                path: location.path,
                line: location.line,
                column: location.column,
            })
            .collect(),
        help: finding.help,
    }
}
