//! Watches a program and all that it begins: how many there are, how much memory they have, and when the first ends.
//!
//! A program names itself and its threads as it likes, with bytes that are no text: what the kernel tells is read as bytes, and
//! by the beginnings of its lines.
//!
//! **Invariant:** when [`Members::end_all`] returns, nothing is left that runs on; whoever gave the order and is gone counts as a
//! limit that was reached.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ringfence_core::evidence::Ended;
use ringfence_core::spec::CommandLimits;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group,
    pidfd_open, wait,
};

/// How often it is counted.
// Limit: in this time a program can take some hundred mebibytes more than it may, or begin some hundred processes.
const TICK: Duration = Duration::from_millis(25);
// Limit: who begins processes as fast as it can has them all ended some time. On a machine that is very busy it takes longer
// to give their memory back.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What `status` says of a process's memory: private, shared without a file or in one that lies in memory, swapped out, of the
/// tables that say where the rest is, and of large pages.
const OWN: &[&str] = &[
    "RssAnon:",
    "RssShmem:",
    "VmSwap:",
    "VmPTE:",
    "HugetlbPages:",
];
/// What of that `smaps_rollup` does not say.
const UNSHARED: &[&str] = &["VmPTE:", "HugetlbPages:"];
/// What it says, of things that several have with the share of one.
const SHARE: &[&str] = &["Pss_Anon:", "Pss_Shmem:", "SwapPss:"];
/// Not there when a thread has ended.
const OF_WHO_HAS_MEMORY: &str = "RssAnon:";
const OF_A_LOOK: &str = "Pss_Anon:";
/// What of a process's `stat` comes after its name: its state, and who began it.
const PARENT_AFTER_NAME: usize = 1;

/// Who belongs to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Every process of this namespace but this one, which is its first.
    Namespace,
    /// Whatever this process began, also through others that have ended since.
    Descendants,
}

/// A program that is running.
pub(super) struct Watch<'l> {
    first: Pid,
    ends: OwnedFd,
    members: Members,
    limits: &'l CommandLimits,
}

impl<'l> Watch<'l> {
    pub(super) fn new(
        child: &Child,
        members: Members,
        limits: &'l CommandLimits,
    ) -> io::Result<Self> {
        let first = Pid::from_child(child);
        Ok(Self {
            first,
            ends: pidfd_open(first, PidfdFlags::empty())?,
            members,
            limits,
        })
    }

    /// How the first process ended, or which limit was reached; none when `orders` is closed.
    pub(super) fn to_the_end(&self, orders: BorrowedFd<'_>) -> io::Result<Option<Ended>> {
        let mut counted = Instant::now();
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(self.ends.as_fd(), PollFlags::IN),
                // Nothing more comes but the end of it.
                PollFd::from_borrowed_fd(orders, PollFlags::IN),
            ];
            let timeout = Timespec::try_from(TICK).map_err(io::Error::other)?;
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [_, closed] = &fds;
            let closed = !closed.revents().is_empty();
            if let Some(ended) = self.reap()? {
                return Ok(Some(ended));
            }
            if closed {
                return Ok(None);
            }
            if counted.elapsed() >= TICK {
                if let Some(ended) = self.count()? {
                    return Ok(Some(ended));
                }
                counted = Instant::now();
            }
        }
    }

    /// Takes what has ended off the kernel's hands; an answer when the first process is among it.
    fn reap(&self) -> io::Result<Option<Ended>> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.first => return Ok(Some(ended(status))),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn count(&self) -> io::Result<Option<Ended>> {
        let all = self.members.all()?;
        if all.len() as u64 > self.limits.processes {
            return Ok(Some(Ended::TooManyProcesses));
        }
        let most = self.limits.memory.0;
        // What processes share is counted once for each, and only looked at closely when that would be too much.
        let more = |memory: fn(&Memory) -> u64| -> io::Result<bool> {
            let mut sum = 0_u64;
            for pid in &all {
                sum = sum.saturating_add(Memory::of(*pid)?.as_ref().map_or(0, memory));
            }
            Ok(sum > most)
        };
        // Between two looks a fork makes shares smaller, and their sum too large: what is too much is so twice.
        let over = more(Memory::own)? && more(Memory::share)? && more(Memory::share)?;
        Ok(over.then_some(Ended::OutOfMemory))
    }
}

impl Members {
    /// Everybody who is there now.
    fn all(self) -> io::Result<Vec<Pid>> {
        let this = getpid();
        let mut everybody = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            everybody.extend(number.and_then(Pid::from_raw).filter(|pid| *pid != this));
        }
        if self == Self::Namespace {
            return Ok(everybody);
        }
        let mut parents: Vec<(Pid, Pid)> = Vec::new();
        for pid in everybody {
            parents.extend(parent(pid)?.map(|parent| (pid, parent)));
        }
        let mut found = vec![this];
        let mut at = 0;
        while let Some(one) = found.get(at).copied() {
            let children = parents.iter().filter(|(_, parent)| *parent == one);
            found.extend(children.map(|(pid, _)| *pid));
            at += 1;
        }
        found.retain(|pid| *pid != this);
        Ok(found)
    }

    /// Ends everybody and waits until they are gone. In a namespace of their own none of them runs any further in any case, and
    /// whoever takes longer than that is waited for by the kernel, when this process ends.
    pub(super) fn end_all(self) -> io::Result<()> {
        let until = Instant::now() + ENDS_WITHIN;
        loop {
            match self {
                // All but this process, in one go that nobody is begun in the middle of.
                Self::Namespace => match kill_process_group(Pid::INIT, Signal::KILL) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(error) => return Err(error.into()),
                },
                Self::Descendants => {
                    for pid in self.all()? {
                        // It may be gone already, and its number is not given to another before it is waited for.
                        kill_process(pid, Signal::KILL).unwrap_or_default();
                    }
                }
            }
            loop {
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(_)) | Err(Errno::INTR) => {}
                    Ok(None) => break,
                    Err(Errno::CHILD) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
            if Instant::now() > until {
                return match self {
                    Self::Namespace => Ok(()),
                    Self::Descendants => Err(io::Error::other("processes that do not end")),
                };
            }
            sleep(Duration::from_millis(1));
        }
    }
}

fn ended(status: WaitStatus) -> Ended {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Exited { code: byte(code) },
        (_, Some(signal)) => Ended::Signalled {
            signal: byte(signal),
        },
        // Only these two are waited for.
        (None, None) => Ended::Exited { code: u8::MAX },
    }
}

/// Where a process's memory can be looked at, and what is said of it at first sight; none once it has given that back.
struct Memory {
    /// A thread that still has it. The first one may have ended before the others.
    thread: Pid,
    status: Vec<u8>,
}

impl Memory {
    fn of(pid: Pid) -> io::Result<Option<Self>> {
        if let Some(found) = Self::of_thread(pid)? {
            return Ok(Some(found));
        }
        let Some(threads) = while_there(fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid())))?
        else {
            return Ok(None);
        };
        for thread in threads {
            let Some(thread) = while_there(thread)? else {
                return Ok(None);
            };
            let name = thread.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            if let Some(number) = number.and_then(Pid::from_raw)
                && let Some(found) = Self::of_thread(number)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn of_thread(thread: Pid) -> io::Result<Option<Self>> {
        let path = format!("/proc/{}/status", thread.as_raw_pid());
        let status = while_there(fs::read(path))?;
        let status = status.filter(|status| says(status, OF_WHO_HAS_MEMORY));
        Ok(status.map(|status| Self { thread, status }))
    }

    /// Bytes that it has and no file on a disk has.
    fn own(&self) -> u64 {
        sum(&self.status, OWN)
    }

    /// The same, with its share of what it has with others.
    fn share(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.thread.as_raw_pid());
        match fs::read(path) {
            Ok(rollup) if says(&rollup, OF_A_LOOK) => {
                sum(&rollup, SHARE).saturating_add(sum(&self.status, UNSHARED))
            }
            // One that cannot be looked at has what it seems to have.
            _ => self.own(),
        }
    }
}

/// What becomes of a file in `/proc` when its process is gone is no error; whatever else happens is.
fn while_there<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                || Errno::from_io_error(&error) == Some(Errno::SRCH) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// True when a line begins with `name`. On another line it may be what somebody calls itself.
fn says(text: &[u8], name: &str) -> bool {
    lines(text).any(|line| line.starts_with(name.as_bytes()))
}

/// The bytes on the lines that begin with `names`, which are given in kibibytes.
fn sum(text: &[u8], names: &[&str]) -> u64 {
    let named = lines(text).filter_map(|line| {
        let rest = names
            .iter()
            .find_map(|name| line.strip_prefix(name.as_bytes()))?;
        let rest = std::str::from_utf8(rest).ok()?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    named.fold(0, |all: u64, one| {
        all.saturating_add(one.saturating_mul(1 << 10))
    })
}

/// Who began it, or took it over; none when it is gone, or nobody did whom this process can name.
fn parent(pid: Pid) -> io::Result<Option<Pid>> {
    let read = fs::read(format!("/proc/{}/stat", pid.as_raw_pid()));
    let Some(stat) = while_there(read.or_else(of_others))? else {
        return Ok(None);
    };
    // Some other user's.
    if stat.is_empty() {
        return Ok(None);
    }
    let number = parent_in(&stat).ok_or_else(|| {
        let what = format!("what is said of process {pid} cannot be read");
        io::Error::other(what)
    })?;
    Ok(Pid::from_raw(number))
}

/// Where `/proc` keeps other users' processes to them, it says nothing of those.
fn of_others(error: io::Error) -> io::Result<Vec<u8>> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Ok(Vec::new()),
        _ => Err(error),
    }
}

/// The name in parentheses may hold anything, what follows it is numbers and a letter.
fn parent_in(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end..)?).ok()?;
    let mut fields = rest.split_whitespace().skip(1);
    fields.nth(PARENT_AFTER_NAME)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_memory_is_added_up() {
        let status = b"Name:\tRssAnon: \xff7\nRssAnon:\t    100 kB\nRssFile:\t 9000 kB\nRssShmem:\t 20 kB\nVmSwap:\t 3 kB\nVmPTE:\t 1 kB\n";
        assert_eq!(sum(status, OWN), 124 << 10);
        assert_eq!(sum(status, UNSHARED), 1 << 10);
        assert_eq!(
            sum(b"Pss: 9 kB\nPss_Shmem:  2 kB\nSwapPss: x kB\n", SHARE),
            2 << 10
        );
    }

    #[test]
    fn a_name_says_nothing_of_memory() {
        assert!(!says(b"Name:\tRssAnon:\nState:\tZ\n", OF_WHO_HAS_MEMORY));
        assert!(says(b"Name:\t\xff\nRssAnon:\t1 kB\n", OF_WHO_HAS_MEMORY));
    }

    #[test]
    fn who_began_a_process_whatever_its_name_is() {
        for name in ["sh", ") S 7 (", "\n) Z 8", "a b", ")"] {
            let stat = format!("12 ({name}) S 34 12 12 0 -1\n");
            assert_eq!(parent_in(stat.as_bytes()), Some(34), "{name}");
        }
        assert_eq!(parent_in(b"12 (\xff\xfe) S 34 12\n"), Some(34));
        assert_eq!(parent_in(b"12 (sh) S 0 12\n"), Some(0));
        for cut in [
            &b""[..],
            b"12 (sh",
            b"12 (sh)",
            b"12 (sh) S",
            b"12 (sh) S x",
        ] {
            assert_eq!(parent_in(cut), None);
        }
        assert_eq!(
            parent(getpid()).unwrap(),
            rustix::process::getppid(),
            "this process"
        );
    }

    #[test]
    fn who_is_gone_has_nothing_and_who_cannot_be_read_is_no_answer() {
        let read = |error: Errno| while_there::<()>(Err(error.into()));
        assert_eq!(read(Errno::SRCH).unwrap(), None);
        assert_eq!(read(Errno::NOENT).unwrap(), None);
        assert!(read(Errno::MFILE).is_err());
        assert!(
            Memory::of(getpid())
                .unwrap()
                .is_some_and(|own| own.own() > 0)
        );
    }
}
