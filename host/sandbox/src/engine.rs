//! The engine and its settings, one per process.

use std::path::PathBuf;
use std::sync::Arc;

use ringfence_core::digest::Digest;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine};

use crate::cache::Cache;
use crate::compile::{LoadError, compile};
use crate::inspect::{inspect, inspect_program};
use crate::plugin::Plugin;
use crate::pool::{self, Allocation, CALLS_AT_ONCE};
use crate::program::Program;
use crate::state::State;
use crate::wasi;

// Limit: Rust and C need less than 100 KiB; an interpreter inside a component recurses deeper.
const WASM_STACK_BYTES: usize = 1 << 20;
// Limit: the guest's stack and room for the host calls it makes.
const FIBER_STACK_BYTES: usize = 2 << 20;

/// Compiles and runs components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    allocation: Allocation,
    /// What plugins may import.
    linker: Linker<State>,
    /// What programs may import.
    program_linker: Linker<State>,
    cache: Option<Cache>,
    /// A call waits here until there is room for it.
    places: Arc<Semaphore>,
}

/// The sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refuses its settings on this machine.
    #[error("failed to set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The compile cache cannot be used safely.
    #[error("failed to use the compile cache {}: {why}", path.display())]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Sandbox {
    /// Sets up the engine. With `cache`, compiled code is kept in that directory, which must be ours alone.
    ///
    /// # Errors
    /// [`SandboxError`] when the engine cannot run here, or when others can write to the cache.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, SandboxError> {
        Self::with(cache, Allocation::Pooled)
    }

    /// Like [`new`](Self::new), but with a pool of instances only if `allocation` says so.
    ///
    /// # Errors
    /// See [`new`](Self::new).
    pub fn with(cache: Option<PathBuf>, allocation: Allocation) -> Result<Self, SandboxError> {
        let failed = |error: wasmtime::Error| SandboxError::Engine(format!("{error:#}"));
        let (engine, allocation) = match allocation {
            Allocation::Pooled => pool::engine(settings()),
            Allocation::OnDemand => pool::without_pool(settings()),
        }
        .map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasi::link(&mut linker).map_err(failed)?;
        let mut program_linker = linker.clone();
        wasi::link_no_network(&mut program_linker).map_err(failed)?;
        let cache = cache.map(|path| Cache::open(path, &engine)).transpose()?;
        Ok(Self(Arc::new(Inner {
            engine,
            allocation,
            linker,
            program_linker,
            cache,
            places: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
        })))
    }

    /// How instances get their memory: on demand where the machine has no room for a pool.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        self.0.allocation
    }

    /// Checks and compiles a component, or takes its code from the cache.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are no plugin, need what is not offered, or take too long to compile.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let inspection = inspect(bytes)?;
        let component = self.compile(bytes, &inspection.digest)?;
        Plugin::link(&self.0.linker, component, inspection, self.places())
    }

    /// Checks and compiles a program: a component that exports `wasi:cli/run`.
    ///
    /// # Errors
    /// Like [`load`](Self::load).
    pub fn load_program(&self, bytes: &[u8]) -> Result<Program, LoadError> {
        let digest = inspect_program(bytes)?;
        let component = self.compile(bytes, &digest)?;
        Program::link(&self.0.program_linker, &component, digest, self.places())
    }

    fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.places)
    }

    fn compile(&self, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
        compile(&self.0.engine, self.0.cache.as_ref(), bytes, digest)
    }
}

/// Settings that decide what a guest can do and what it costs. Everything a plugin does not need is off.
fn settings() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        // The same bits on every machine: a verdict may not depend on how a processor spells «not a number».
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES);
    config
}
