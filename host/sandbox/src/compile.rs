//! From bytes to code, within bounds.
//!
//! The engine promises nothing about how long a hostile component takes to compile, or how much memory that needs. So
//! compiling is the work of a process of its own, which can be limited and ended: `process` starts it, `child` is what it
//! does. Who compiles nothing but components of their own can do without: see [`Compiler`].
//!
//! **Invariant:** what a component costs here is decided before it is looked at, and when [`code`] returns, nothing of it
//! goes on but what [`Compiler::InProcess`] says.

pub(crate) mod child;
#[cfg(target_os = "linux")]
mod filter;
mod process;
mod thread;

use std::path::PathBuf;
use std::time::Duration;

use ringfence_core::digest::Digest;
use ringfence_core::quantity::Bytes;
use wasmtime::Engine;

use crate::artifact::CODE_BYTES_MAX;
use crate::inspect::InspectError;

/// Who makes code of components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// A thread of this process. It is given up after [`CompileLimits::wall`], but neither stopped nor held to the other
    /// limits: for components that are trusted to compile, such as an author's own.
    #[default]
    InProcess,
    /// A process of its own, held to every limit: this program, whose `main` begins with [`crate::compiler_main`].
    Child(PathBuf),
}

/// What compiling one component may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Time on one processor, in whole seconds.
    pub cpu: Duration,
    /// Time on the clock, whatever else the machine is doing.
    pub wall: Duration,
    /// Memory.
    pub memory: Bytes,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            // Limit: the largest component that may be loaded takes 57 s when it is made of ordinary functions; the largest
            // seen, an interpreter of 18 MB, 15 s.
            cpu: Duration::from_secs(120),
            // Limit: the same on a machine that does two other things besides.
            wall: Duration::from_secs(360),
            // Limit: the same component takes 0.8 GiB.
            memory: Bytes(2 << 30),
        }
    }
}

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its bytes are no plugin.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The engine refuses it.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// It takes too long.
    #[error("compiling the component took more than {} s {clock}", limit.as_secs_f32())]
    Slow {
        /// What is allowed.
        limit: Duration,
        /// By which clock.
        clock: CompileClock,
    },
    /// It needs too much memory.
    #[error("compiling the component needs more memory than {limit}")]
    Memory {
        /// What is allowed.
        limit: Bytes,
    },
    /// There is too much of its code.
    #[error("the component compiles to more code than {limit}")]
    CodeSize {
        /// What is allowed.
        limit: Bytes,
    },
    /// It makes the compiler crash.
    #[error("the compiler crashed on the component: {0}")]
    Crashed(String),
    /// The compiler could not do its work, for no fault of the component.
    #[error("the compiler did not do its work: {0}")]
    Compiler(String),
    /// It imports what no plugin is given.
    #[error("the component imports what is not offered: {0}")]
    Import(String),
}

/// How compile time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompileClock {
    /// What one processor spends.
    Cpu,
    /// What a clock on the wall shows.
    Wall,
}

impl std::fmt::Display for CompileClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cpu => "of processor time",
            Self::Wall => "on the clock",
        })
    }
}

impl LoadError {
    /// True when the component is not to blame, so that the same may go well another time.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Compiler(_)
            | Self::Slow {
                clock: CompileClock::Wall,
                ..
            } => true,
            Self::Inspect(_)
            | Self::Compile(_)
            | Self::Slow {
                clock: CompileClock::Cpu,
                ..
            }
            | Self::Memory { .. }
            | Self::CodeSize { .. }
            | Self::Crashed(_)
            | Self::Import(_) => false,
        }
    }

    /// What can be done about it; none where the message says it.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Slow {
                clock: CompileClock::Cpu,
                ..
            }
            | Self::Memory { .. }
            | Self::CodeSize { .. } => Some(
                "build it with optimisation, split its largest functions, or leave out what it does not use",
            ),
            Self::Slow {
                clock: CompileClock::Wall,
                ..
            } => Some("try again when the machine is less busy"),
            Self::Crashed(_) => Some(
                "build it with another compiler version, and tell us: the component is the proof",
            ),
            Self::Compiler(_) => {
                Some("try again; memory that runs out ends the largest process first")
            }
            Self::Inspect(_) | Self::Compile(_) | Self::Import(_) => None,
        }
    }

    fn code_size() -> Self {
        Self::CodeSize {
            limit: Bytes(CODE_BYTES_MAX as u64),
        }
    }
}

/// Compiles `bytes`, whose digest is `component`.
pub(crate) fn code(
    engine: &Engine,
    compiler: &Compiler,
    limits: CompileLimits,
    bytes: &[u8],
    component: &Digest,
) -> Result<Vec<u8>, LoadError> {
    match compiler {
        Compiler::InProcess => thread::code(engine, limits.wall, bytes),
        Compiler::Child(program) => process::code(engine, program, limits, bytes, component),
    }
}
