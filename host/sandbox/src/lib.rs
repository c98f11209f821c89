//! The boundary: runs components, and decides what each may read, write and spend.
//!
//! [`Sandbox`] holds the engine; [`Sandbox::load`] checks and compiles a component into a [`Plugin`]; each of its calls
//! runs in a store of its own under a [`Call`] and returns a [`Called`]: the answer, or why there is none, and the
//! report of what was used and denied. [`Sandbox::load_program`] does the same for a [`Program`] with a `main` of its own.
//!
//! **Invariant:** there is no way to run a component without every limit set, and none to reach a file but through
//! the `fs` module. Answers come back as data to be judged, never as orders.
//!
//! Modules: `inspect` reads a component without running it, `compile` and `cache` turn it into code
//! (`artifact` is how that is handed over), `call` runs it in memory of the `pool`; `fs`, `wasi` and `contract` are what it may import; `meter`, `limiter` and `output` bound what it costs, `stack` says where it went; `guests` and
//! [`confine`] let the kernel stand behind all that, and [`machine`] says how far it does. [`native`] is the boundary of
//! programs that are no components.
//!
//! ```no_run
//! use ringfence_core::{digest::Digest, limits::Limits, policy::{Layer, PathPolicy, PolicySpec}};
//! use ringfence_sandbox::{Call, Guests, Mount, Origin, Sandbox, Settings, Times};
//!
//! # fn example(bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new(Settings::default())?;
//! let plugin = sandbox.load(bytes)?;
//! let layer = Layer { name: "loop".into(), read: vec!["docs/**".into()], write: vec![] };
//! let policy = PathPolicy::new(&PolicySpec { layers: vec![layer], deny: vec![] }).map_err(|e| format!("{e:?}"))?;
//! let call = Call {
//!     mounts: vec![Mount { guest_path: "/".into(), host_path: ".".into(), policy }],
//!     limits: Limits::default(),
//!     config: "{}".into(),
//!     origin: Origin { seed: Digest::of(b"seed"), clock_start: 0 },
//!     times: Times::Fixed(0),
//!     change: None,
//!     evidence: None,
//! };
//! let called = Guests::new().run(call, async move |call| plugin.observe(call).await)?;
//! println!("{:?} for {} fuel", called.answer, called.report.usage.fuel.used.0);
//! # Ok(())
//! # }
//! ```

mod artifact;
mod asked;
mod bindings;
mod cache;
mod call;
mod change_source;
mod compile;
pub mod confine;
mod contract;
mod engine;
mod evidence_source;
mod fs;
mod guests;
mod inspect;
mod limiter;
pub mod machine;
mod meter;
pub mod native;
mod output;
mod plugin;
mod pool;
mod program;
pub mod selftest;
mod stack;
mod state;
mod wasi;

pub use call::{Call, CallError, Called, PluginError};
pub use change_source::{ChangeSource, HELD_FILE_BYTES_MAX};
pub use compile::child::compiler_main;
pub use compile::{CompileClock, CompileLimits, Compiler, LoadError};
pub use engine::{Sandbox, SandboxError, Settings};
pub use evidence_source::EvidenceSource;
pub use fs::{Mount, Times};
pub use guests::Guests;
pub use inspect::{COMPONENT_BYTES_MAX, InspectError, Inspection, inspect};
pub use meter::FUEL_RULES;
pub use plugin::{ActOutcome, Plugin};
pub use pool::Allocation;
pub use program::{Program, ProgramCall, Ran};
pub use state::Origin;
pub use wasi::clocks::Clock;
pub use wasi::random::random_seed;
pub use wasi::streams::{Buffer, Input, Streams, Target};
