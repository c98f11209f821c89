//! A program that compiles components and is the helper of native programs, and does nothing else: as `ringfence` does it
//! when it starts itself.
//!
//! **Invariant:** there is no code here, so that a test of it is a test of the sandbox's own.

use std::process::ExitCode;

use ringfence_testkit::sandbox::{compiler_main, native};

fn main() -> ExitCode {
    compiler_main(std::env::args_os())
        .or_else(|| native::helper_main(std::env::args_os()))
        .unwrap_or(ExitCode::FAILURE)
}
