//! `ringfence exec`, the real program, beside POSIX, the WASI documents, and the engine's own host.
//!
//! `files.rs` lets the guest `conform` run its checks under both hosts; `streams.rs`, `grants.rs` and `ends.rs` look from
//! outside at what passes through, what a program may touch, and how it ends. `page.rs` runs what docs/exec.md shows.
//!
//! **Invariant:** a difference between the two hosts stands in a list, with its reason, or fails a test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may end at once")]

mod ends;
mod files;
mod grants;
mod page;
mod rig;
mod stock;
mod streams;
