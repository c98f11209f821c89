//! Native programs in the sandbox that the operating system gives: what gets out, what is too much, what is told.
//!
//! Each program is a script. One that attacks is run unconfined, too, where that does no harm: what fails there as well would
//! prove nothing.
//!
//! **Invariant:** on a machine that does not give the sandbox, each test says so, and that confined programs are refused there is
//! what it tests.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may end at once, and says where it can test little"
)]

#[path = "native/attacks.rs"]
mod attacks;
#[path = "native/cost.rs"]
mod cost;
#[path = "native/ends.rs"]
mod ends;
#[path = "native/helper.rs"]
mod helper;
#[path = "native/plain.rs"]
mod plain;
#[path = "native/rig.rs"]
mod rig;
#[path = "native/scratch.rs"]
mod scratch;
