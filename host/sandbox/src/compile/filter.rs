//! The system calls that compiling needs, and no others.
//!
//! What a bug of the compiler could be used for ends here: no file can be opened, nothing be started, nobody be reached, and
//! nothing that was written can be executed. It does not bound time or memory; the limits of `child` do.
//!
//! **Invariant:** what is not in the list fails with «not permitted». The list names memory, the three streams, and a
//! process's ways to end.

use libc::{PROT_EXEC, c_long};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

const EPERM: u32 = libc::EPERM.unsigned_abs();
/// stderr: the last of the streams.
const STREAM_LAST: u64 = 2;
/// `-1` for a file: memory without one.
const NO_FILE: u64 = u32::MAX as u64;

/// Calls that are harmless whatever they are given.
const FREE: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
];

/// Puts the filter on this thread, and what it starts, for good. `pid` is this process.
///
/// # Errors
/// Where the kernel or the processor has no such filters.
pub(super) fn apply(pid: u32) -> Result<(), seccompiler::Error> {
    let program: BpfProgram = filter(pid)?.try_into()?;
    apply_filter(&program)
}

fn filter(pid: u32) -> Result<SeccompFilter, seccompiler::BackendError> {
    let stream = || when(0, SeccompCmpOp::Le, STREAM_LAST);
    let not_executable = || {
        when(
            2,
            SeccompCmpOp::MaskedEq(u64::from(PROT_EXEC.unsigned_abs())),
            0,
        )
    };
    let mut calls: Vec<(c_long, Vec<SeccompRule>)> =
        FREE.iter().map(|call| (*call, Vec::new())).collect();
    let limited = [
        (libc::SYS_read, vec![stream()?]),
        (libc::SYS_write, vec![stream()?]),
        (libc::SYS_writev, vec![stream()?]),
        (
            libc::SYS_mmap,
            vec![not_executable()?, when(4, SeccompCmpOp::Eq, NO_FILE)?],
        ),
        (libc::SYS_mprotect, vec![not_executable()?]),
        // How a process aborts.
        (
            libc::SYS_tgkill,
            vec![when(0, SeccompCmpOp::Eq, pid.into())?],
        ),
    ];
    for (call, conditions) in limited {
        calls.push((call, vec![SeccompRule::new(conditions)?]));
    }
    SeccompFilter::new(
        calls.into_iter().collect(),
        SeccompAction::Errno(EPERM),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )
}

/// An argument of 32 bits that is as it should be.
fn when(
    argument: u8,
    how: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpListener;
    use std::os::unix::fs::FileExt;
    use std::process::Command;

    use wasmtime::Engine;

    use super::*;
    use crate::engine::code_settings;

    /// Runs `body` under the filter; the other threads of the test stay free.
    fn confined<T: Send>(body: impl FnOnce() -> T + Send) -> T {
        let confined = || {
            apply(std::process::id()).unwrap();
            body()
        };
        std::thread::scope(|scope| scope.spawn(confined).join().unwrap())
    }

    #[test]
    fn compiling_needs_nothing_else() {
        let text =
            "(component (core module (memory 1) (func (export \"f\") (result i32) i32.const 7)))";
        let bytes = wat::parse_str(text).unwrap();
        let engine = Engine::new(&code_settings()).unwrap();
        let free = engine.precompile_component(&bytes).unwrap();
        assert_eq!(
            confined(|| engine.precompile_component(&bytes).unwrap()),
            free
        );
    }

    #[test]
    fn nothing_else_can_be_done() {
        let mut inherited = File::open("/dev/zero").unwrap();
        let refused = confined(move || {
            [
                ("open", File::open("/dev/null").err()),
                ("start", Command::new("/bin/true").spawn().err()),
                ("connect", TcpListener::bind("127.0.0.1:0").err()),
                ("read what was open", inherited.read(&mut [0]).err()),
                ("write what was open", inherited.write(&[0]).err()),
                ("read at a place", inherited.read_at(&mut [0], 0).err()),
                ("look", std::fs::metadata("/").err()),
                ("remove", std::fs::remove_file("/nonexistent").err()),
            ]
        });
        for (what, error) in refused {
            let kind = error.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::PermissionDenied), "{what}");
        }
    }
}
