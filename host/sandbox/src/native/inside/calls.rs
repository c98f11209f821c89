//! The system calls that a confined program has.
//!
//! A list of what is let through: compilers, interpreters, test runners and what they start need some three hundred calls, and
//! none of those that change mounts, namespaces, keys, the kernel's programs or other processes' memory. What is not listed
//! answers as if the kernel had never heard of it (`ENOSYS`), which libraries are made to live with. A call by another
//! processor's numbers ends the process. Of memory that belongs to no process there are only files: what is listed holds some where
//! `disk` and the watch do not see it only as the kernel's own notes of what is open, mapped, locked or under way.
//!
//! **Invariant:** nothing listed gets around a namespace, and nothing takes a right that it looks at from memory which the
//! program can change meanwhile: `clone3` is not there, so that every flag can be seen.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::confine::seccomp::{all, number, when};

/// Which sockets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sockets {
    /// To other machines, as far as there is a network, and to itself.
    Internet,
    /// And those of one machine.
    InternetAndLocal,
}

const NAMESPACES: i32 = libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS;

/// Types into somebody's terminal.
const TIOCSTI: u64 = 0x5412;
/// The same for the console, and more.
const TIOCLINUX: u64 = 0x541C;

/// What `personality` may ask for: nothing, Linux 32 bit, no random addresses, and what it is now.
const PERSONALITIES: [u64; 5] = [0, 8, 0x4_0000, 0x2_0000, 0xffff_ffff];

/// Changes how the processes with these numbers run; the first is the one that watches.
const OF_A_PROCESS: [c_long; 5] = [
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];
const WATCH: u64 = 1;
/// Not of a group or a user, to which that one belongs.
const PRIORITY_OF_PROCESS: u64 = 0;

// Limit: one page, for programs that keep a mark of themselves there; the kernel gives a namespace four thousand of them.
const SHARED_BYTES_MAX: u64 = 4 << 10;
/// Makes a page of shared memory a large one.
const SHM_HUGETLB: u64 = 0o4000;

/// What `fcntl` may not do: wait for, or hold up, somebody outside who opens a file that is shown, or watch one without a limit.
const LEASE: u64 = 1024;
const NOTIFY: u64 = 1026;

/// Bits of a socket's type that say how its descriptor behaves.
const DESCRIPTOR_BITS: i32 = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// Calls that get nobody out, whatever they are given.
const FREE: &[c_long] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mlockall,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munlock,
    libc::SYS_munlockall,
    libc::SYS_munmap,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_pkey_mprotect,
    libc::SYS_remap_file_pages,
    // Processes, of which there are none but this sandbox's.
    libc::SYS_capget,
    libc::SYS_capset,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getpriority,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_getsid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_ioprio_get,
    libc::SYS_kill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_prctl,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_rr_get_interval,
    libc::SYS_sched_yield,
    libc::SYS_seccomp,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_setfsgid,
    libc::SYS_setfsuid,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_setpgid,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_setrlimit,
    libc::SYS_setsid,
    libc::SYS_setuid,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_tgkill,
    libc::SYS_tkill,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_waitid,
    // Time and chance.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getitimer,
    libc::SYS_getrandom,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_setitimer,
    libc::SYS_timer_create,
    libc::SYS_timer_delete,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_gettime,
    libc::SYS_timer_settime,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
    libc::SYS_times,
    // Files, as far as there are any.
    libc::SYS_chdir,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchdir,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fdatasync,
    libc::SYS_fgetxattr,
    libc::SYS_flistxattr,
    libc::SYS_flock,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getxattr,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_lgetxattr,
    libc::SYS_linkat,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lseek,
    libc::SYS_lsetxattr,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readahead,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_removexattr,
    libc::SYS_renameat2,
    libc::SYS_sendfile,
    libc::SYS_setxattr,
    libc::SYS_splice,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_sync_file_range,
    libc::SYS_tee,
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
    // Waiting, and talking to each other.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmdt,
    libc::SYS_signalfd4,
    // Sockets, of the kinds that `socket` makes.
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_listen,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
];

/// The same under the names that they had first; newer processors do without.
#[cfg(target_arch = "x86_64")]
const FIRST_NAMES: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_alarm,
    libc::SYS_arch_prctl,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_creat,
    libc::SYS_dup2,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_fork,
    libc::SYS_futimesat,
    libc::SYS_getdents,
    libc::SYS_getpgrp,
    libc::SYS_inotify_init,
    libc::SYS_lchown,
    libc::SYS_link,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_mknod,
    libc::SYS_open,
    libc::SYS_pause,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_rmdir,
    libc::SYS_select,
    libc::SYS_signalfd,
    libc::SYS_stat,
    libc::SYS_symlink,
    libc::SYS_time,
    libc::SYS_unlink,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_vfork,
];
#[cfg(target_arch = "aarch64")]
const FIRST_NAMES: &[c_long] = &[libc::SYS_renameat];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FIRST_NAMES: &[c_long] = &[];

/// Puts the filter on this process, which has one thread, and on whatever it begins.
pub(super) fn restrict(sockets: Sockets) -> Result<(), Error> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let filter = SeccompFilter::new(rules(sockets)?, unknown, SeccompAction::Allow, arch)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

fn rules(sockets: Sockets) -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let free = FREE.iter().chain(FIRST_NAMES);
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        free.map(|call| (*call, Vec::new())).collect();
    // A process or thread, and no namespace.
    let plain = when(0, SeccompCmpOp::MaskedEq(number(NAMESPACES)), 0)?;
    rules.insert(libc::SYS_clone, vec![all([plain])?]);
    let kinds: &[i32] = match sockets {
        Sockets::Internet => &[libc::AF_INET, libc::AF_INET6],
        Sockets::InternetAndLocal => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
    };
    let one_of = |kinds: &[i32]| -> Result<Vec<SeccompRule>, BackendError> {
        let rule = |kind: &i32| all([when(0, SeccompCmpOp::Eq, number(*kind))?]);
        kinds.iter().map(rule).collect()
    };
    rules.insert(libc::SYS_socket, one_of(kinds)?);
    rules.insert(libc::SYS_socketpair, pairs(sockets)?);
    let files = [LEASE, NOTIFY].map(|what| when(1, SeccompCmpOp::Ne, what));
    let [lease, notify] = files;
    rules.insert(libc::SYS_fcntl, vec![all([lease?, notify?])?]);
    let types = [TIOCSTI, TIOCLINUX].map(|what| when(1, SeccompCmpOp::Ne, what));
    let [terminal, console] = types;
    rules.insert(libc::SYS_ioctl, vec![all([terminal?, console?])?]);
    for call in OF_A_PROCESS {
        let others = when(0, SeccompCmpOp::Ne, WATCH)?;
        rules.insert(call, vec![all([others])?]);
    }
    let process = when(0, SeccompCmpOp::Eq, PRIORITY_OF_PROCESS)?;
    let others = when(1, SeccompCmpOp::Ne, WATCH)?;
    rules.insert(libc::SYS_setpriority, vec![all([process, others])?]);
    let little = SeccompCondition::new(
        1,
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::Le,
        SHARED_BYTES_MAX,
    )?;
    let small_pages = when(2, SeccompCmpOp::MaskedEq(SHM_HUGETLB), 0)?;
    rules.insert(libc::SYS_shmget, vec![all([little, small_pages])?]);
    let personality = PERSONALITIES.map(|what| all([when(0, SeccompCmpOp::Eq, what)?]));
    let personality: Result<_, _> = personality.into_iter().collect();
    rules.insert(libc::SYS_personality, personality?);
    Ok(rules)
}

/// Pairs whose two ends are both here. An end that takes single messages could send them to any name, where names of the machine
/// are within reach.
fn pairs(sockets: Sockets) -> Result<Vec<SeccompRule>, BackendError> {
    let local = || when(0, SeccompCmpOp::Eq, number(libc::AF_UNIX));
    if sockets == Sockets::InternetAndLocal {
        return Ok(vec![all([local()?])?]);
    }
    let connected = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET].map(|kind| {
        let kinds = SeccompCmpOp::MaskedEq(u64::from(u32::MAX) & !number(DESCRIPTOR_BITS));
        all([local()?, when(1, kinds, number(kind))?])
    });
    connected.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_no_call_that_gets_out() {
        let rules = rules(Sockets::InternetAndLocal).unwrap();
        for call in [
            libc::SYS_acct,
            libc::SYS_add_key,
            libc::SYS_adjtimex,
            libc::SYS_bpf,
            libc::SYS_chroot,
            libc::SYS_clock_settime,
            libc::SYS_clone3,
            libc::SYS_delete_module,
            libc::SYS_fanotify_init,
            libc::SYS_finit_module,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fsopen,
            libc::SYS_fspick,
            libc::SYS_init_module,
            libc::SYS_io_cancel,
            libc::SYS_io_destroy,
            libc::SYS_io_getevents,
            libc::SYS_io_setup,
            libc::SYS_io_submit,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_io_uring_setup,
            libc::SYS_ioprio_set,
            libc::SYS_kcmp,
            libc::SYS_kexec_load,
            libc::SYS_keyctl,
            libc::SYS_landlock_add_rule,
            libc::SYS_landlock_create_ruleset,
            libc::SYS_landlock_restrict_self,
            libc::SYS_memfd_create,
            libc::SYS_memfd_secret,
            libc::SYS_mount,
            libc::SYS_mount_setattr,
            libc::SYS_move_mount,
            libc::SYS_mq_open,
            libc::SYS_msgget,
            libc::SYS_name_to_handle_at,
            libc::SYS_open_by_handle_at,
            libc::SYS_open_tree,
            libc::SYS_perf_event_open,
            libc::SYS_pidfd_getfd,
            libc::SYS_pivot_root,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_ptrace,
            libc::SYS_quotactl,
            libc::SYS_reboot,
            libc::SYS_request_key,
            libc::SYS_semget,
            libc::SYS_sethostname,
            libc::SYS_setns,
            libc::SYS_settimeofday,
            libc::SYS_swapoff,
            libc::SYS_swapon,
            libc::SYS_sync,
            libc::SYS_syncfs,
            libc::SYS_syslog,
            libc::SYS_umount2,
            libc::SYS_unshare,
            libc::SYS_userfaultfd,
            libc::SYS_vhangup,
            libc::SYS_vmsplice,
        ] {
            assert!(!rules.contains_key(&call), "call {call}");
        }
        for call in [
            libc::SYS_clone,
            libc::SYS_fcntl,
            libc::SYS_ioctl,
            libc::SYS_prlimit64,
            libc::SYS_sched_setscheduler,
            libc::SYS_setpriority,
            libc::SYS_shmget,
            libc::SYS_socket,
            libc::SYS_socketpair,
        ] {
            assert!(!rules[&call].is_empty(), "call {call} is not looked at");
        }
    }
}
