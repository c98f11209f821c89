//! What this machine gives the boundary to stand on.
//!
//! **Invariant:** what can be tried is tried, not concluded from a version.

use std::io;

use serde::Serialize;

use crate::confine::{Attempt, Confinement, trial};
use crate::fs::kernel_resolves;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// System and release: `Linux 6.18.44`; the system alone where it does not say.
    pub system: String,
    /// Architecture: `x86_64`.
    pub processor: &'static str,
    /// True when this user may do everything on the machine.
    pub is_root: bool,
    /// True when the kernel resolves paths within a directory (`openat2`); elsewhere they are walked name by name.
    pub kernel_resolves: bool,
    /// What a thread can give up here.
    pub confinement: Confinement,
    /// What a thread that had given it up tried to do.
    pub attempts: Vec<Attempt>,
}

/// Looks at the machine. Takes some milliseconds and changes nothing.
///
/// # Errors
/// When no thread can be begun to try things on.
pub fn look() -> io::Result<Machine> {
    let (confinement, attempts) = trial()?;
    Ok(Machine {
        system: system(),
        processor: std::env::consts::ARCH,
        is_root: rustix::process::geteuid().is_root(),
        kernel_resolves: kernel_resolves(),
        confinement,
        attempts,
    })
}

fn system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    match (std::env::consts::OS, release) {
        ("linux", Ok(release)) => format!("Linux {}", release.trim_end()),
        ("linux", Err(_)) => "Linux".to_owned(),
        (other, _) => other.to_owned(),
    }
}
