//! What this process holds: open files, threads, memory.
//!
//! **Invariant:** the numbers come from the kernel, so that nothing the code under test counts wrongly can hide.

use std::fs;

use crate::stop;

/// Open files and threads of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Open file descriptors.
    pub open_files: usize,
    /// Threads.
    pub threads: usize,
}

/// Counts what this process holds now.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn census() -> Census {
    let count = |dir: &str| {
        fs::read_dir(dir)
            .unwrap_or_else(|error| stop(error))
            .count()
    };
    Census {
        // The listing itself has one open.
        open_files: count("/proc/self/fd") - 1,
        threads: count("/proc/self/task"),
    }
}

/// The most memory in bytes that this process has had in RAM since the last [`forget_peak`].
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn peak_rss() -> u64 {
    status("VmHWM:") << 10
}

/// Memory in bytes that this process has in RAM.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn rss() -> u64 {
    status("VmRSS:") << 10
}

/// Begins a new peak.
///
/// # Panics
/// Where there is no `/proc`.
pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap_or_else(|error| stop(error));
}

fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_else(|error| stop(error));
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| stop(format!("no {key} in /proc/self/status")))
}
