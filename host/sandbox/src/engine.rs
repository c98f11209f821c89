//! The engine and its settings, one per process.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_core::digest::Digest;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine};

use crate::artifact::deserialize;
use crate::cache::Cache;
use crate::compile::{self, CompileLimits, Compiler, LoadError};
use crate::inspect::{inspect, inspect_program};
use crate::plugin::Plugin;
use crate::pool::{self, Allocation, CALLS_AT_ONCE};
use crate::program::Program;
use crate::stack::FRAMES_MAX;
use crate::state::State;
use crate::wasi;

// Limit: Rust and C need less than 100 KiB; an interpreter inside a component recurses deeper.
const WASM_STACK_BYTES: usize = 1 << 20;
// Limit: the guest's stack and room for the host calls it makes.
const FIBER_STACK_BYTES: usize = 2 << 20;

/// What may differ from one sandbox to another. What a guest can do, does not.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where compiled code is kept: a directory that must be ours alone. None to compile anew each time.
    pub cache: Option<PathBuf>,
    /// Who compiles.
    pub compiler: Compiler,
    /// What compiling one component may cost.
    pub compile_limits: CompileLimits,
    /// Where instances live.
    pub allocation: Allocation,
}

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
    compiler: Compiler,
    compile_limits: CompileLimits,
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
    /// Sets up the engine.
    ///
    /// # Errors
    /// [`SandboxError`] when the engine cannot run here, or when others can write to the cache.
    pub fn new(wanted: Settings) -> Result<Self, SandboxError> {
        let failed = |error: wasmtime::Error| SandboxError::Engine(format!("{error:#}"));
        let (engine, allocation) = match wanted.allocation {
            Allocation::Pooled => pool::engine(settings()),
            Allocation::OnDemand => pool::without_pool(settings()),
        }
        .map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasi::link(&mut linker).map_err(failed)?;
        let mut program_linker = linker.clone();
        wasi::link_no_network(&mut program_linker).map_err(failed)?;
        let cache = wanted
            .cache
            .map(|path| Cache::open(path, &engine))
            .transpose()?;
        Ok(Self(Arc::new(Inner {
            engine,
            allocation,
            linker,
            program_linker,
            cache,
            places: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
            compiler: wanted.compiler,
            compile_limits: wanted.compile_limits,
        })))
    }

    /// The program that can be the helper of native programs: this one, where it also compiles in a process of its own.
    #[must_use]
    pub fn helper(&self) -> Option<&Path> {
        match &self.0.compiler {
            Compiler::Child(program) => Some(program),
            Compiler::InProcess => None,
        }
    }

    /// How instances get their memory: on demand where the machine has no room for a pool.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        self.0.allocation
    }

    /// Checks and compiles a component, or takes its code from the cache.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are no plugin, need what is not offered, or cost too much to compile.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let inspection = inspect(bytes)?;
        let component = self.component(bytes, &inspection.digest)?;
        Plugin::link(&self.0.linker, component, inspection, self.places())
    }

    /// Checks and compiles a program: a component that exports `wasi:cli/run`.
    ///
    /// # Errors
    /// Like [`load`](Self::load).
    pub fn load_program(&self, bytes: &[u8]) -> Result<Program, LoadError> {
        let digest = inspect_program(bytes)?;
        let component = self.component(bytes, &digest)?;
        Program::link(&self.0.program_linker, &component, digest, self.places())
    }

    fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.places)
    }

    /// The code for `bytes`: from the cache, or made now and kept.
    fn component(&self, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
        let Inner {
            engine,
            cache,
            compiler,
            compile_limits,
            ..
        } = &*self.0;
        if let Some(component) = cache.as_ref().and_then(|cache| cache.get(engine, digest)) {
            return Ok(component);
        }
        let code = compile::code(engine, compiler, *compile_limits, bytes, digest)?;
        let component =
            deserialize(engine, &code).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if let Some(cache) = cache {
            cache.put(digest, &code);
        }
        Ok(component)
    }
}

/// Settings that decide what a guest can do and what it costs. Everything a plugin does not need is off.
pub(crate) fn settings() -> Config {
    let mut config = code_settings();
    config
        .async_stack_size(FIBER_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES_MAX));
    config
}

/// The part of the settings that decides the code, for the process that compiles and runs nothing.
pub(crate) fn code_settings() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        // The same bits on every machine: a verdict may not depend on how a processor spells «not a number».
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .max_wasm_stack(WASM_STACK_BYTES);
    config
}
