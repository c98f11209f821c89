//! Ties the generated bindings together. The files below are written by `cargo xtask bindings` from `wit/`.
//!
//! **Invariant:** nobody edits them, and no plugin sees them: `private.rs` converts between their types and ours.

#![expect(
    unsafe_code,
    reason = "generated code lifts and lowers values by the canonical ABI"
)]
#![expect(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the generator's output is kept as it comes"
)]

#[rustfmt::skip]
pub mod decider;
#[rustfmt::skip]
pub mod executor;
#[rustfmt::skip]
pub mod gate;
#[rustfmt::skip]
pub mod sensor;
#[rustfmt::skip]
pub mod shared;
