//! Watches a program and all that it begins: how many there are, how much memory they have, and when the first ends.
//!
//! **Invariant:** when [`Members::end_all`] returns, nothing of it is left; whoever gave the order and is gone counts as a limit
//! that was reached.

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
// Limit: who begins processes as fast as it can has them all ended some time.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

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
        let more = |memory: fn(Pid) -> u64| all.iter().map(|pid| memory(*pid)).sum::<u64>() > most;
        // Between two looks a fork makes shares smaller, and their sum too large: what is too much is so twice.
        let over = more(own_memory) && more(share_of_memory) && more(share_of_memory);
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
        let parents: Vec<(Pid, Pid)> = everybody
            .into_iter()
            .filter_map(|pid| Some((pid, parent(pid)?)))
            .collect();
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

    /// Ends everybody and waits until they are gone.
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
                return Err(io::Error::other("processes that do not end"));
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

/// Bytes that a process has and no file has; none once it has ended.
fn own_memory(pid: Pid) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_pid())).unwrap_or_default();
    let mut pages = statm
        .split(' ')
        .skip(1)
        .map(|pages| pages.parse().unwrap_or(0));
    let (resident, shared): (u64, u64) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
    resident.saturating_sub(shared) * rustix::param::page_size() as u64
}

/// Bytes that a process has, its share of what it has with others.
fn share_of_memory(pid: Pid) -> u64 {
    let path = format!("/proc/{}/smaps_rollup", pid.as_raw_pid());
    let Ok(rollup) = fs::read_to_string(path) else {
        // One that cannot be looked at has what it seems to have.
        return own_memory(pid);
    };
    let line = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss_Anon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    match kibibytes {
        Some(kibibytes) => kibibytes << 10,
        None => own_memory(pid),
    }
}

fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    // The name in parentheses may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    Pid::from_raw(rest.split(' ').nth(1)?.parse().ok()?)
}
