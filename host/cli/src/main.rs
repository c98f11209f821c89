//! The program `ringfence`; all of it is in the library of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    ringfence::main_ambient()
}
