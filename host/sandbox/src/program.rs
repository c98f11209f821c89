//! A component with a `main` of its own (`wasi:cli/run`), run under the boundary that plugins get.
//!
//! **Invariant:** a program differs from a plugin in what it is told (arguments, environment, streams, perhaps the
//! machine's time) and in nothing that limits it.

use std::sync::Arc;

use ringfence_core::call::{CallFailure, CallReport};
use ringfence_core::digest::Digest;
use ringfence_core::limits::Limits;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi::p2::bindings::exports::wasi::cli::run::GuestIndices;

use crate::call::{CallError, Ended, Setup, enter};
use crate::compile::LoadError;
use crate::fs::{Links, Mount, Times, Way};
use crate::state::State;
use crate::wasi::cli::Cli;
use crate::wasi::clocks::Clock;
use crate::wasi::streams::Streams;

/// A compiled program with its links resolved. Cheap to clone.
#[derive(Clone)]
pub struct Program {
    pre: InstancePre<State>,
    digest: Digest,
    /// A run waits here until there is room for it.
    places: Arc<Semaphore>,
}

/// Everything one run of a program is given.
#[derive(Debug, Clone)]
pub struct ProgramCall {
    /// What of the host's files it sees. None lies within another.
    pub mounts: Vec<Mount>,
    /// What it may spend.
    pub limits: Limits,
    /// Its arguments, its own name first.
    pub args: Vec<String>,
    /// Its environment: names and values.
    pub env: Vec<(String, String)>,
    /// Its streams.
    pub streams: Streams,
    /// What its random numbers are drawn from; the same seed gives the same numbers.
    pub seed: Digest,
    /// Where its time comes from.
    pub clock: Clock,
    /// Which times files have.
    pub times: Times,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Its exit code, or why the sandbox ended it.
    pub ended: Result<u8, CallFailure>,
    /// What it used and was denied.
    pub report: CallReport,
}

impl Program {
    pub(crate) fn link(
        linker: &Linker<State>,
        component: &Component,
        digest: Digest,
        places: Arc<Semaphore>,
    ) -> Result<Self, LoadError> {
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| LoadError::Import(format!("{error:#}")))?;
        Ok(Self {
            pre,
            digest,
            places,
        })
    }

    /// What it is, by its bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Runs the program to its end, on this thread.
    ///
    /// # Errors
    /// [`CallError`] when the run could not be set up; what the program does wrong is in the answer.
    pub fn run(&self, call: ProgramCall) -> Result<Ran, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| CallError::Store(error.to_string()))?;
        let (ended, report) = runtime.block_on(self.enter(call))?;
        let ended = match ended {
            Ok(Ok(())) => Ok(0),
            Ok(Err(())) => Ok(1),
            Err(Ended::Exited(code)) => Ok(code),
            Err(Ended::Failed(failure) | Ended::OutOfFuel { failure, .. }) => Err(failure),
        };
        Ok(Ran { ended, report })
    }

    async fn enter(
        &self,
        call: ProgramCall,
    ) -> Result<(Result<Result<(), ()>, Ended>, CallReport), CallError> {
        let setup = Setup {
            mounts: call.mounts,
            limits: call.limits,
            times: call.times,
            links: Links::Anywhere,
            way: Way::AtOnce,
            seed: call.seed,
            clock: call.clock,
            cli: Cli {
                args: call.args,
                env: call.env,
                streams: Some(call.streams),
            },
            config: String::new(),
            change: None,
            evidence: None,
        };
        enter(
            &self.pre,
            &self.places,
            setup,
            async |store, instance, pre| {
                let guest = GuestIndices::new(pre)?.load(&mut *store, instance)?;
                guest.call_run(&mut *store).await
            },
        )
        .await
    }
}
