//! What a store holds while one call runs, and nothing that outlives it.

use std::sync::Arc;
use std::time::Instant;

use ringfence_core::digest::Digest;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::WasiSocketsCtx;

use crate::change_source::ChangeSource;
use crate::evidence_source::EvidenceSource;
use crate::fs::Fs;
use crate::limiter::Limiter;
use crate::meter::Meter;
use crate::output::Output;
use crate::wasi::cli::Cli;
use crate::wasi::clocks::Clock;
use crate::wasi::random::Randomness;

/// The data of one call's store.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) meter: Arc<Meter>,
    pub(crate) limiter: Limiter,
    pub(crate) fs: Fs,
    pub(crate) output: Output,
    pub(crate) randomness: Randomness,
    pub(crate) clock: Clock,
    pub(crate) cli: Cli,
    /// Gives nothing: no address, no name, no socket.
    pub(crate) sockets: WasiSocketsCtx,
    /// JSON text.
    pub(crate) config: String,
    pub(crate) change: Option<Arc<dyn ChangeSource>>,
    pub(crate) evidence: Option<Arc<dyn EvidenceSource>>,
    pub(crate) started: Instant,
}

/// Where the guest's chance and time begin.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// What random numbers are drawn from; the same seed gives the same numbers.
    pub seed: Digest,
    /// Seconds since 1970.
    pub clock_start: u64,
}
