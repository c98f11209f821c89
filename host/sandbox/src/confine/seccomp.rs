//! seccomp: the calls of the kernel that running guests takes, and no other.
//!
//! A list of what is let through, not of what is refused: a kernel that learns a new call offers it to nobody here, and
//! nobody has to have thought of it. What is not listed answers as if the kernel had never heard of it (`ENOSYS`), which
//! libraries are made to live with.
//!
//! **Invariant:** every call that `fs` makes is listed, with every argument that it uses: a verb never fails for the lack
//! of one. Nothing listed starts a program, makes memory executable, opens a socket, touches another process, or changes
//! whose a file is and who may use it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::{Layer, Scope};

/// Computing: memory, time, chance, threads, and the files that are open.
const COMPUTING: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_memfd_create,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    // Nobody expects these to fail, so libraries end the program when they do.
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_uname,
    libc::SYS_close,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];

/// What takes a name: Landlock says in which directories.
const NAMING: &[c_long] = &[
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_readlinkat,
    libc::SYS_renameat2,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_renameat,
];

/// `_IOWR('f', 16, struct pm_scan_arg)`: which pages of its own memory a guest has touched.
const PAGEMAP_SCAN: u64 = 0xc060_6610;
/// Whether a file is a terminal; libc has it as a different type on each.
const TCGETS: u64 = 0x5401;
/// What is asked of open files by `fcntl`: their flags, copies of them, seals on our own memory.
const FCNTL: &[i32] = &[
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_ADD_SEALS,
    libc::F_GET_SEALS,
];

const THREAD: i32 = libc::CLONE_THREAD | libc::CLONE_VM;
const NAMESPACES: i32 = libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS;

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Puts the filter on the calling thread, or on all.
pub(super) fn restrict(scope: Scope) -> Layer {
    match try_restrict(scope) {
        Ok(calls) => Layer::On {
            what: format!("{calls} calls"),
        },
        Err(error) => Layer::Missing {
            why: format!("the kernel refused it: {error}"),
        },
    }
}

fn try_restrict(scope: Scope) -> Result<usize, Error> {
    let rules = rules(scope)?;
    let calls = rules.len();
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let program: BpfProgram =
        SeccompFilter::new(rules, unknown, SeccompAction::Allow, arch)?.try_into()?;
    match scope {
        Scope::Thread => seccompiler::apply_filter(&program)?,
        Scope::Process | Scope::Nothing => seccompiler::apply_filter_all_threads(&program)?,
    }
    Ok(calls)
}

fn rules(scope: Scope) -> Result<Rules, BackendError> {
    let naming = match scope {
        Scope::Thread | Scope::Process => NAMING,
        Scope::Nothing => &[],
    };
    let mut rules: Rules = COMPUTING
        .iter()
        .chain(naming)
        .map(|call| (*call, Vec::new()))
        .collect();
    // No new code: guests are compiled elsewhere.
    let not_executable = || when(2, SeccompCmpOp::MaskedEq(number(libc::PROT_EXEC)), 0);
    rules.insert(libc::SYS_mmap, vec![all([not_executable()?])?]);
    rules.insert(libc::SYS_mprotect, vec![all([not_executable()?])?]);
    // A thread of this process, never a process, and in the namespaces of this one.
    let thread = when(
        0,
        SeccompCmpOp::MaskedEq(number(THREAD | NAMESPACES)),
        number(THREAD),
    )?;
    rules.insert(libc::SYS_clone, vec![all([thread])?]);
    // How `abort` ends this process: no other signal, and no other process.
    let own = when(0, SeccompCmpOp::Eq, std::process::id().into())?;
    let abort = when(2, SeccompCmpOp::Eq, u64::from(libc::SIGABRT.unsigned_abs()))?;
    rules.insert(libc::SYS_tgkill, vec![all([own, abort])?]);
    // Looking at a limit of this process, not setting one.
    let this = when(0, SeccompCmpOp::Eq, 0)?;
    let sets_nothing = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![all([this, sets_nothing])?]);
    let asks = |what: &i32| {
        let same = when(1, SeccompCmpOp::Eq, number(*what))?;
        all([same])
    };
    let fcntl: Result<Vec<_>, _> = FCNTL.iter().map(asks).collect();
    rules.insert(libc::SYS_fcntl, fcntl?);
    let is_terminal = when(1, SeccompCmpOp::Eq, TCGETS)?;
    let touched = when(1, SeccompCmpOp::Eq, PAGEMAP_SCAN)?;
    rules.insert(libc::SYS_ioctl, vec![all([is_terminal])?, all([touched])?]);
    Ok(rules)
}

/// A constant of the kernel as it stands in a register.
pub(crate) fn number(constant: i32) -> u64 {
    constant.unsigned_abs().into()
}

/// True for a call whose argument (counted from 0, 32 bits of it) compares so.
pub(crate) fn when(
    argument: u8,
    compare: SeccompCmpOp,
    to: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, to)
}

/// A rule that holds where all conditions do.
pub(crate) fn all<const N: usize>(
    conditions: [SeccompCondition; N],
) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_no_call_that_gets_out() {
        let naming = rules(Scope::Process).unwrap();
        let computing = rules(Scope::Nothing).unwrap();
        for call in [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_clone3,
            libc::SYS_socket,
            libc::SYS_socketpair,
            libc::SYS_connect,
            libc::SYS_sendmsg,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_getfd,
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_mount,
            libc::SYS_move_mount,
            libc::SYS_fsopen,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_chroot,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_open_by_handle_at,
            libc::SYS_name_to_handle_at,
            libc::SYS_kexec_load,
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_reboot,
            libc::SYS_swapon,
            libc::SYS_fchmodat,
            libc::SYS_fchownat,
            libc::SYS_fchmod,
            libc::SYS_fchown,
            libc::SYS_fsetxattr,
            libc::SYS_mknodat,
            libc::SYS_pkey_mprotect,
            libc::SYS_remap_file_pages,
            libc::SYS_prctl,
            libc::SYS_seccomp,
            libc::SYS_rt_sigaction,
            libc::SYS_setuid,
            libc::SYS_capset,
            libc::SYS_personality,
            libc::SYS_chdir,
            libc::SYS_umask,
        ] {
            assert!(!naming.contains_key(&call), "call {call}");
        }
        assert!(NAMING.iter().all(|call| naming.contains_key(call)));
        assert!(NAMING.iter().all(|call| !computing.contains_key(call)));
    }
}
