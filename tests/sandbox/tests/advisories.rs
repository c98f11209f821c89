//! Each published hole of a sandbox of this kind, tried here.
//!
//! What was wrong elsewhere is said beside each test, with the name that it is known by: [`files`] for what the file system
//! let through, [`engine`] for what the engine did.
//!
//! **Invariant:** a test here never becomes superfluous by an upgrade of the engine: it says what must hold, not what was
//! mended.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

#[path = "advisories/engine.rs"]
mod engine;
#[path = "advisories/files.rs"]
mod files;
