//! One call of a component, from a fresh store to a report.
//!
//! [`Call`] is what a plugin's step is given, [`Setup`] what any guest is: a program's call becomes one as well.
//!
//! **Invariant:** every call has a store of its own with every limit set, and nothing in it outlives the call. Whatever
//! ends the guest (a trap, fuel, the wall clock, memory) becomes a [`CallFailure`]; what fails on our side is a [`CallError`]
//! and never looks like an answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_core::call::{CallFailure, CallReport, Spent, Usage};
use ringfence_core::digest::Digest;
use ringfence_core::limits::Limits;
use ringfence_core::quantity::{Bytes, Fuel};
use tokio::sync::Semaphore;
use wasmtime::component::{Instance, InstancePre, ResourceTable};
use wasmtime::{CallHook, PoolConcurrencyLimitError, Store, StoreContextMut, Trap};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::sockets::WasiSocketsCtx;

use crate::bindings::ringfence::beat::types;
use crate::change_source::ChangeSource;
use crate::evidence_source::EvidenceSource;
use crate::fs::{Fs, Links, Mount, OPEN_MAX, TOO_MANY_OPEN, Times, Way};
use crate::limiter::{INSTANCES_MAX, Limiter, MEMORIES_MAX, TABLES_MAX};
use crate::meter::Meter;
use crate::output::Output;
use crate::stack;
use crate::state::{Origin, State};
use crate::wasi::cli::Cli;
use crate::wasi::clocks::Clock;
use crate::wasi::random::Randomness;

// Limit: how often a running guest lets the deadline have its say; a fraction of a millisecond.
const FUEL_BETWEEN_YIELDS: u64 = 1_000_000;
// Limit: what the host copies out of a guest for one call or answer; the largest honest answer is some MiB.
const LIFT_BYTES_MAX: usize = 32 << 20;
// Limit: files, streams and pollables together; twice the open files, for each may have both.
const RESOURCES_MAX: usize = 1_000;
// Limit: a workspace is some GiB, a step's own writing far below; a guest must not fill the disk.
const BYTES_WRITTEN_MAX: Bytes = Bytes(256 << 20);

/// Everything one call is given.
#[derive(Clone)]
pub struct Call {
    /// What of the host's files the guest sees; the first is the workspace.
    pub mounts: Vec<Mount>,
    /// What it may spend.
    pub limits: Limits,
    /// The step's configuration as JSON text.
    pub config: String,
    /// Where chance and time begin.
    pub origin: Origin,
    /// Which times files have.
    pub times: Times,
    /// The change to be judged; only for gates.
    pub change: Option<Arc<dyn ChangeSource>>,
    /// What native programs said of it; none is the same as no programs.
    pub evidence: Option<Arc<dyn EvidenceSource>>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Called<T> {
    /// The component's answer, its own refusal, or why the sandbox ended it.
    pub answer: Result<Result<T, PluginError>, CallFailure>,
    /// What it used and was denied.
    pub report: CallReport,
}

/// The component says that it could not do its job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Its configuration is unusable.
    #[error("unusable configuration: {0}")]
    Config(String),
    /// Something it needs is missing or broken.
    #[error("cannot do it now: {0}")]
    Unavailable(String),
    /// A bug of its own.
    #[error("internal error of the plugin: {0}")]
    Internal(String),
}

/// A call could not be set up: our failure, not the component's.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A mount cannot be opened.
    #[error("failed to open {}", path.display())]
    Mount {
        /// The directory on the host.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine cannot make a store.
    #[error("failed to set up the call: {0}")]
    Store(String),
}

impl<T> Called<T> {
    /// The same with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Called<U> {
        Called {
            answer: self.answer.map(|answer| answer.map(change)),
            report: self.report,
        }
    }
}

/// Ends a guest whose time is up when it comes back from the host.
#[derive(Debug, thiserror::Error)]
#[error("the deadline has passed")]
struct DeadlinePassed;

/// Everything a store is made of, whoever the guest is.
pub(crate) struct Setup {
    pub(crate) mounts: Vec<Mount>,
    pub(crate) limits: Limits,
    pub(crate) times: Times,
    pub(crate) links: Links,
    pub(crate) way: Way,
    pub(crate) seed: Digest,
    pub(crate) clock: Clock,
    pub(crate) cli: Cli,
    pub(crate) config: String,
    pub(crate) change: Option<Arc<dyn ChangeSource>>,
    pub(crate) evidence: Option<Arc<dyn EvidenceSource>>,
}

impl From<Call> for Setup {
    fn from(call: Call) -> Self {
        Self {
            mounts: call.mounts,
            limits: call.limits,
            times: call.times,
            links: Links::Inside,
            way: Way::AtOnce,
            seed: call.origin.seed,
            clock: Clock::Fuel {
                start: call.origin.clock_start,
            },
            cli: Cli::default(),
            config: call.config,
            change: call.change,
            evidence: call.evidence,
        }
    }
}

/// Why a guest did not come back with an answer.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It ended itself with an exit code.
    Exited(u8),
    /// The sandbox ended it.
    Failed(CallFailure),
    /// Its fuel was up.
    OutOfFuel {
        /// As for any other end.
        failure: CallFailure,
        /// Where it was, innermost function first.
        stack: Vec<String>,
    },
}

/// Calls a plugin's function, within the limits, as soon as one of `places` is free. `way` is how its paths are walked.
pub(crate) async fn run<T>(
    pre: &InstancePre<State>,
    places: &Semaphore,
    call: Call,
    way: Way,
    body: impl AsyncFnOnce(
        &mut Store<State>,
        &Instance,
        &InstancePre<State>,
    ) -> wasmtime::Result<Result<T, types::PluginError>>,
) -> Result<Called<T>, CallError> {
    let setup = Setup { way, ..call.into() };
    let (answer, report) = enter(pre, places, setup, body).await?;
    let answer = match answer {
        Ok(answer) => Ok(answer.map_err(PluginError::from)),
        Err(Ended::Failed(failure) | Ended::OutOfFuel { failure, .. }) => Err(failure),
        Err(Ended::Exited(code)) => Err(CallFailure::Trap {
            message: format!("the component ended itself with exit code {code}"),
        }),
    };
    Ok(Called { answer, report })
}

/// The same to find out where the guest is when its fuel is up, innermost function first; none when it ends before.
pub(crate) async fn trace<T>(
    pre: &InstancePre<State>,
    places: &Semaphore,
    call: Call,
    body: impl AsyncFnOnce(&mut Store<State>, &Instance, &InstancePre<State>) -> wasmtime::Result<T>,
) -> Result<Called<Option<Vec<String>>>, CallError> {
    let (answer, report) = enter(pre, places, call.into(), body).await?;
    let answer = match answer {
        Ok(_) | Err(Ended::Exited(_)) => Ok(Ok(None)),
        Err(Ended::OutOfFuel { stack, .. }) => Ok(Ok(Some(stack))),
        Err(Ended::Failed(failure)) => Err(failure),
    };
    Ok(Called { answer, report })
}

/// Instantiates the component and lets `body` use it, within the limits, as soon as one of `places` is free.
pub(crate) async fn enter<T>(
    pre: &InstancePre<State>,
    places: &Semaphore,
    setup: Setup,
    body: impl AsyncFnOnce(&mut Store<State>, &Instance, &InstancePre<State>) -> wasmtime::Result<T>,
) -> Result<(Result<T, Ended>, CallReport), CallError> {
    // Given back after the store: what is dropped last is declared first.
    let _place = places.acquire().await;
    let limits = setup.limits;
    let mut store = set_up(pre, setup)?;
    let work = async {
        let instance = pre.instantiate_async(&mut store).await?;
        body(&mut store, &instance, pre).await
    };
    let ended = tokio::time::timeout(Duration::from_millis(limits.deadline.0), work).await;
    let answer = match ended {
        Err(_) => Err(Ended::Failed(CallFailure::Deadline {
            limit: limits.deadline,
        })),
        Ok(Err(error)) if is_ours(&error) => return Err(CallError::Store(format!("{error:#}"))),
        Ok(Err(error)) => Err(match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => Ended::Exited(u8::try_from(*code).unwrap_or(u8::MAX)),
            None => end(&error, &store, limits),
        }),
        Ok(Ok(answer)) => Ok(answer),
    };
    Ok((answer, report(&mut store, limits)))
}

fn set_up(pre: &InstancePre<State>, setup: Setup) -> Result<Store<State>, CallError> {
    let failed = |error: wasmtime::Error| CallError::Store(format!("{error:#}"));
    let limits = setup.limits;
    let started = Instant::now();
    let until = started.checked_add(Duration::from_millis(limits.deadline.0));
    let meter = Arc::new(Meter::new(limits.fuel, BYTES_WRITTEN_MAX).ending(until));
    let by_name = setup.way == Way::NameByName;
    let fs = Fs::new(&setup.mounts, setup.times, by_name, &meter)
        .map_err(|(path, source)| CallError::Mount { path, source })?
        .with_links(setup.links);
    let mut table = ResourceTable::new();
    table.set_max_capacity(RESOURCES_MAX);
    let state = State {
        table,
        limiter: Limiter::new(limits.memory),
        fs,
        output: Output::new(&meter),
        randomness: Randomness::new(&setup.seed),
        clock: setup.clock,
        cli: setup.cli,
        sockets: WasiSocketsCtx::default(),
        config: setup.config,
        change: setup.change,
        evidence: setup.evidence,
        started,
        meter,
    };
    let mut store = Store::new(pre.engine(), state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(LIFT_BYTES_MAX);
    store.set_max_component_handles(RESOURCES_MAX);
    store.set_fuel(limits.fuel.0).map_err(failed)?;
    store
        .fuel_async_yield_interval(Some(FUEL_BETWEEN_YIELDS))
        .map_err(failed)?;
    store.call_hook(charge_host_calls);
    Ok(store)
}

/// Takes what a host call cost from the guest's fuel.
fn charge_host_calls(
    mut store: StoreContextMut<'_, State>,
    hook: CallHook,
) -> wasmtime::Result<()> {
    match hook {
        CallHook::CallingHost => {
            let left = store.get_fuel()?;
            store.data().meter.enter_host(left);
        }
        CallHook::ReturningFromHost => {
            let left = store.get_fuel()?;
            let left_now = store.data().meter.leave_host(left);
            store.set_fuel(left_now.unwrap_or(0))?;
            if left_now.is_none() {
                return Err(Trap::OutOfFuel.into());
            }
            // Setting the fuel begins a new interval, so a guest that calls often enough would never yield to the timer.
            if store.data().meter.is_late() {
                return Err(DeadlinePassed.into());
            }
        }
        CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
    }
    Ok(())
}

/// True when the system failed the engine: no memory image, no file to make one in, no room in the pool. What fails a guest's own file calls
/// comes back to the guest as a code and never ends it.
fn is_ours(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause();
    cause.is::<std::io::Error>()
        || cause.is::<rustix::io::Errno>()
        || cause.is::<PoolConcurrencyLimitError>()
}

fn end(error: &wasmtime::Error, store: &Store<State>, limits: Limits) -> Ended {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Ended::OutOfFuel {
            failure: CallFailure::OutOfFuel {
                used: fuel_used(store, limits),
                limit: limits.fuel,
            },
            stack: stack::of(error, store.data().meter.is_broke()),
        },
        _ => Ended::Failed(classify(error, store, limits)),
    }
}

fn classify(error: &wasmtime::Error, store: &Store<State>, limits: Limits) -> CallFailure {
    let state = store.data();
    if error.downcast_ref::<DeadlinePassed>().is_some() {
        return CallFailure::Deadline {
            limit: limits.deadline,
        };
    }
    if let Some(refused) = state.limiter.refused() {
        return refused.clone();
    }
    let cause = error.root_cause().to_string();
    if let Some((resource, limit)) = exhausted(&cause) {
        return CallFailure::Exhausted {
            resource: resource.to_owned(),
            limit: limit as u64,
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => CallFailure::Trap {
            message: state
                .output
                .last_panic()
                .unwrap_or_else(|| trap.to_string()),
        },
        None => CallFailure::Contract { message: cause },
    }
}

/// What ran out and how much of it there is, by the engine's words: it has no types for these.
fn exhausted(cause: &str) -> Option<(&'static str, usize)> {
    let known = [
        (
            "too much data is being copied",
            "bytes in one call or answer",
            LIFT_BYTES_MAX,
        ),
        (
            "resource table has no free keys",
            "open files, streams and pollables",
            RESOURCES_MAX,
        ),
        ("handle limit exceeded", "handles", RESOURCES_MAX),
        (TOO_MANY_OPEN, "open files", OPEN_MAX),
        ("instance count too high", "core instances", INSTANCES_MAX),
        ("memory count too high", "memories", MEMORIES_MAX),
        ("table count too high", "tables", TABLES_MAX),
    ];
    let (_, resource, limit) = known.into_iter().find(|(text, ..)| cause.contains(text))?;
    Some((resource, limit))
}

fn fuel_used(store: &Store<State>, limits: Limits) -> Fuel {
    limits.fuel.minus(Fuel(store.get_fuel().unwrap_or(0)))
}

fn report(store: &mut Store<State>, limits: Limits) -> CallReport {
    let fuel = Spent {
        used: fuel_used(store, limits),
        limit: limits.fuel,
    };
    let state = store.data_mut();
    let usage = Usage {
        fuel,
        memory: Spent {
            used: state.limiter.peak(),
            limit: limits.memory,
        },
        bytes_read: state.meter.bytes_read(),
        bytes_written: state.meter.bytes_written(),
    };
    let mut report = CallReport {
        usage,
        denials: Vec::new(),
        denials_dropped: 0,
        log: Vec::new(),
        log_bytes_dropped: 0,
    };
    state.fs.report(&mut report);
    state.output.report(&mut report);
    report
}
