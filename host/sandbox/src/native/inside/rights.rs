//! What the first process of a sandbox gives up before it begins the program.
//!
//! **Invariant:** after this it is no user 0 anywhere, the program that it begins has no capability and can gain none, and
//! the system calls that it has are those of `calls`.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use super::super::talk::Order;
use super::kernel::{Namespaces, unshare};
use super::{Trouble, USER, calls, landlock, map_user};

// Limit: a runtime has some threads for each process; the watch counts processes, this is what it cannot miss.
const TASKS_FOR_EACH: u64 = 4;
// Limit: each keeps memory of the kernel that nobody counts; build tools, and servers under test, do with so many.
const OPEN_FILES_MAX: u64 = 4096;
// Limit: what programs keep their keys in. More would keep files of the machine in memory, which are not counted.
const LOCKED_BYTES_MAX: u64 = 64 << 10;
// Limit: timers, and signals that wait to be taken, of all processes together.
const SIGNALS_MAX: u64 = 4096;
/// What a process may have, whatever the user who started this may.
const LIMITS: [(Resource, u64); 7] = [
    (Resource::Nofile, OPEN_FILES_MAX),
    (Resource::Memlock, LOCKED_BYTES_MAX),
    (Resource::Sigpending, SIGNALS_MAX),
    // None of these is for a program that shares the machine.
    (Resource::Core, 0),
    (Resource::Msgqueue, 0),
    (Resource::Nice, 0),
    (Resource::Rtprio, 0),
];

/// Gives everything up, `this` first of all: it leads to the machine's own files. What could not be had is noted.
pub(super) fn give_up(
    this: OwnedFd,
    written: BorrowedFd<'_>,
    order: &Order,
    notes: &mut Vec<String>,
) -> Result<(), Trouble> {
    // A namespace below that of the mounts: whoever is something in here is nothing to them.
    unshare(Namespaces::USER)
        .and_then(|()| map_user(&this, USER, 0, 0))
        .map_err(|error| Trouble::missing("user namespaces in user namespaces", error))?;
    drop(this);
    let failed = |error: rustix::io::Errno| Trouble::failed("rights", error);
    // Changing who one is takes this back.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)?;
    for (resource, most) in LIMITS {
        limit(resource, most).map_err(failed)?;
    }
    limit(Resource::Nproc, tasks_max(order)).map_err(failed)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed)?;
    let taken = landlock::restrict(written);
    if let Some(why) = &taken.missing {
        notes.push(format!("without Landlock: {why}"));
    }
    // In the machine's own network, such sockets lead to its services.
    let sockets = if order.network && !taken.named_sockets {
        calls::Sockets::Internet
    } else {
        calls::Sockets::InternetAndLocal
    };
    calls::restrict(sockets).map_err(|error| Trouble::missing("seccomp", error))?;
    notes.push(
        "memory and processes are counted some forty times a second, not held by a control group; what the kernel keeps in sockets, pipes and its own lists is not counted"
            .to_owned(),
    );
    Ok(())
}

/// Processes and threads that the kernel lets be begun.
pub(super) fn tasks_max(order: &Order) -> u64 {
    order.limits.processes.saturating_mul(TASKS_FOR_EACH)
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, to: u64) -> rustix::io::Result<()> {
    let now = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Some(to.min(now));
    setrlimit(
        resource,
        Rlimit {
            current: limit,
            maximum: limit,
        },
    )
}
