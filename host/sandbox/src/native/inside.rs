//! The helper: a process with one thread that gives up everything and runs one program.
//!
//! A confined run takes two of them. The *outer* one makes a user namespace and the others, and begins the *first process* of
//! them, which builds the root (`root`), gives up its rights (`rights`), begins the program and watches it (`watch`). A plain
//! run takes one, which only watches. The layers of a confined run, each of which a test attacks:
//!
//! - namespaces: processes, mounts, network, shared memory, users, host name, control groups;
//! - nothing of the machine's within reach of the process that becomes the program: no open file (`aside`), and not this
//!   program's own (`own`);
//! - a root that holds nothing but what is listed in `root`, all of it read-only but the scratch tree and `/tmp`, both in
//!   memory of a bounded size;
//! - no user 0, no capability, no way to gain one;
//! - a list of system calls (`calls`), and Landlock where the kernel has it.
//!
//! **Invariant:** one process starts this, over a socket that it made itself; from anybody else the helper takes no order. It
//! does nothing for whoever starts it that they could not do themselves.

mod aside;
mod calls;
mod kernel;
mod landlock;
mod loopback;
mod mounts;
mod own;
mod reports;
mod rights;
mod root;
mod watch;

pub(super) use self::root::{SYSTEM, is_of_etc};

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use ringfence_core::evidence::Ended;
use rustix::process::{
    Signal, getegid, geteuid, getpid, getppid, set_parent_process_death_signal, setsid,
};

use self::aside::Aside;
use self::kernel::Namespaces;
use self::own::Own;
use self::watch::{Members, Watch};
use super::TREE;
use super::talk::{self, End, HIDDEN_BYTES_MAX, ORDER_BYTES_MAX, Order, Told};

// Not words of the command line, which nobody is to type.
const VERB: &str = "__run-native";
const FIRST: &str = "__first-process";
pub(super) const CONFINED: &str = "confined";
pub(super) const PLAIN: &str = "plain";
const NETWORK: &str = "network";
const ALONE: &str = "alone";
/// Nobody started this properly, or it is not what the process was made for.
const NO_COMMAND: u8 = 4;
/// Whom the program believes to be.
const USER: u32 = 1000;

/// With which words the helper is started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin {
    pub(super) how: &'static str,
    pub(super) network: bool,
}

impl Begin {
    pub(super) fn to_args(self) -> [&'static str; 3] {
        [VERB, self.how, if self.network { NETWORK } else { ALONE }]
    }
}

/// Why there is nothing to tell of a program.
#[derive(Debug)]
enum Trouble {
    Missing(String),
    Refused(String),
    Failed(String),
}

impl Trouble {
    /// A part of the sandbox that the machine does not give.
    fn missing(part: &str, error: impl std::fmt::Display) -> Self {
        Self::Missing(format!("{part}: {error}"))
    }

    fn failed(what: &str, error: impl std::fmt::Display) -> Self {
        Self::Failed(format!("{what}: {error}"))
    }
}

/// See [`super::helper_main`].
pub(super) fn main(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    let verb = args.next()?;
    let work: fn(&UnixStream, &[OsString]) -> Result<Option<Outcome>, Trouble> = if verb == VERB {
        outer
    } else if verb == FIRST {
        first
    } else {
        return None;
    };
    let args: Vec<OsString> = args.collect();
    let Some(socket) = socket(verb == FIRST) else {
        // There is nobody to tell more to.
        let told = io::Write::write_all(&mut io::stderr(), b"this is no command for people\n");
        told.unwrap_or_default();
        return Some(ExitCode::from(NO_COMMAND));
    };
    // Whoever began the program that began this one may have left something open for it.
    let alone = kernel::keep_to_itself();
    let alone = alone.map_err(|error| Trouble::missing("close_range", error));
    let (told, reports) = match alone.and_then(|()| work(&socket, &args)) {
        Ok(None) => return Some(ExitCode::SUCCESS),
        Ok(Some(outcome)) => (Told::Ended(outcome.end), outcome.reports),
        Err(Trouble::Missing(what)) => (Told::Missing(what), Vec::new()),
        Err(Trouble::Refused(why)) => (Told::Refused(why), Vec::new()),
        Err(Trouble::Failed(why)) => (Told::Failed(why), Vec::new()),
    };
    let sent = talk::send_json(&socket, &told).and_then(|()| {
        let mut reports = reports.iter();
        reports.try_for_each(|bytes| talk::send(&socket, bytes))
    });
    Some(if sent.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO_COMMAND)
    })
}

/// The socket that orders come over: standard input, and made by this process's parent. In a new process namespace the
/// parent has no number.
fn socket(is_first: bool) -> Option<UnixStream> {
    let socket = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let maker = kernel::maker_of_peer(socket.as_fd()).ok()?;
    let right = if is_first {
        maker == 0 && getpid().is_init() && getppid().is_none()
    } else {
        is_parent(maker)
    };
    right.then(|| UnixStream::from(socket))
}

fn is_parent(number: i32) -> bool {
    getppid().is_some_and(|parent| parent.as_raw_pid() == number)
}

/// How it ended, and the bytes of the reports that are named there.
struct Outcome {
    end: End,
    reports: Vec<Vec<u8>>,
}

/// Makes the namespaces and begins their first process; or watches the program itself.
fn outer(socket: &UnixStream, args: &[OsString]) -> Result<Option<Outcome>, Trouble> {
    let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    let network = match args.as_slice() {
        [how, _] if *how == PLAIN => return plain(socket).map(Some),
        [how, network] if *how == CONFINED => *network == NETWORK,
        _ => return Err(Trouble::Failed("an order that nobody gives".to_owned())),
    };
    end_with_parent()?;
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    kernel::unshare(Namespaces::USER)
        .map_err(|error| Trouble::missing("user namespaces", error))?;
    // To the user that this process has outside: files look the same to it, and it may do nothing more.
    let this = io_path("/proc/self")?;
    map_user(&this, 0, user, group).map_err(|error| Trouble::missing("user namespaces", error))?;
    for (part, namespace) in [
        ("mount namespaces", Namespaces::MOUNT),
        ("process namespaces", Namespaces::PROCESS),
        ("IPC namespaces", Namespaces::IPC),
        ("UTS namespaces", Namespaces::UTS),
    ] {
        kernel::unshare(namespace).map_err(|error| Trouble::missing(part, error))?;
    }
    // What is missing of it is told apart by nothing that a program could use.
    kernel::unshare(Namespaces::CGROUP).unwrap_or_default();
    if !network {
        kernel::unshare(Namespaces::NETWORK)
            .map_err(|error| Trouble::missing("network namespaces", error))?;
    }
    end_with_parent()?;
    let own = Own::prepare().map_err(|error| Trouble::missing("this program", error))?;
    let mut first = Command::new(own.program());
    first
        .arg0("ringfence")
        .args([FIRST, own.word()])
        .env_clear()
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit());
    let begun = first.spawn();
    let mut first = begun.map_err(|error| Trouble::missing("process namespaces", error))?;
    // When this returns, the kernel has ended everything in the namespace.
    let status = first
        .wait()
        .map_err(|error| Trouble::failed("waiting", error))?;
    if status.success() {
        return Ok(None);
    }
    Err(Trouble::Failed(format!(
        "the first process of the sandbox ended by itself, {status}"
    )))
}

/// This process ends when the one that began it does.
fn end_with_parent() -> Result<(), Trouble> {
    let set = set_parent_process_death_signal(Some(Signal::KILL));
    set.map_err(|error| Trouble::failed("parent", error))?;
    // Unless it did before.
    if kernel::maker_of_peer(io::stdin().as_fd()).is_ok_and(is_parent) {
        Ok(())
    } else {
        Err(Trouble::Failed("nobody waits for it".to_owned()))
    }
}

fn io_path(path: &str) -> Result<OwnedFd, Trouble> {
    mounts::open_path(Path::new(path)).map_err(|error| Trouble::missing(path, error))
}

/// Says who `outside` is in the new user namespace of this process, whose directory in `/proc` is `this`.
fn map_user(this: &OwnedFd, inside: u32, user: u32, group: u32) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, openat};
    let write = |name: &str, text: String| -> io::Result<()> {
        let file = openat(this, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        let written = rustix::io::write(&file, text.as_bytes())?;
        if written == text.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    };
    // Already so in a namespace below one in which it is.
    write("setgroups", "deny".to_owned())?;
    write("gid_map", format!("{inside} {group} 1"))?;
    write("uid_map", format!("{inside} {user} 1"))
}

/// What the first process of the namespaces does.
fn first(socket: &UnixStream, args: &[OsString]) -> Result<Option<Outcome>, Trouble> {
    let set = set_parent_process_death_signal(Some(Signal::KILL));
    set.map_err(|error| Trouble::failed("parent", error))?;
    let word = args.first().and_then(|word| word.to_str());
    own::leave(word.unwrap_or_default())
        .map_err(|error| Trouble::missing("this program", error))?;
    let (order, hidden) = take_order(socket)?;
    // No terminal of the caller's is this session's.
    setsid().map_err(|error| Trouble::failed("session", error))?;
    let mut notes = Vec::new();
    if !order.network {
        loopback::up().map_err(|error| Trouble::missing("loopback", error))?;
    }
    let root = root::build(&order, &hidden)?;
    rights::give_up(root.this, root.written.as_fd(), &order, &mut notes)?;
    let place = Place {
        tree: PathBuf::from(TREE),
        reports: put_aside(root.written)?,
        members: Members::Namespace,
    };
    if let Some(open) = aside::open_files().map_err(|error| Trouble::failed("open files", error))? {
        return Err(Trouble::Failed(format!("{open} is open")));
    }
    execute(socket, &order, place, notes).map(Some)
}

/// Runs the program unconfined, on a copy that somebody made.
fn plain(socket: &UnixStream) -> Result<Outcome, Trouble> {
    let (order, _) = take_order(socket)?;
    rustix::process::set_child_subreaper(Some(getpid()))
        .map_err(|error| Trouble::failed("subreaper", error))?;
    let reports = mounts::open_dir(&order.tree).map_err(|error| Trouble::failed("copy", error))?;
    let place = Place {
        tree: order.tree.clone(),
        reports: put_aside(reports)?,
        members: Members::Descendants,
    };
    execute(socket, &order, place, Vec::new())
}

fn put_aside(file: OwnedFd) -> Result<Aside, Trouble> {
    Aside::put(file).map_err(|error| Trouble::failed("a place for reports", error))
}

fn take_order(socket: &UnixStream) -> Result<(Order, Vec<PathBuf>), Trouble> {
    let failed = |error| Trouble::failed("order", error);
    let order = talk::take_json(socket, ORDER_BYTES_MAX).map_err(failed)?;
    let hidden = talk::take(socket, HIDDEN_BYTES_MAX).map_err(failed)?;
    let paths = hidden.split(|byte| *byte == 0);
    let paths = paths.filter(|path| !path.is_empty());
    let paths = paths.map(|path| PathBuf::from(OsStr::from_bytes(path)));
    Ok((order, paths.collect()))
}

/// Where a program runs.
struct Place {
    tree: PathBuf,
    /// The directory of what it wrote below its tree.
    reports: Aside,
    members: Members,
}

fn execute(
    socket: &UnixStream,
    order: &Order,
    place: Place,
    notes: Vec<String>,
) -> Result<Outcome, Trouble> {
    // Whatever becomes of the rest, these are known.
    talk::send_json(socket, &Told::Begun(notes))
        .map_err(|error| Trouble::failed("notes", error))?;
    let Some((program, args)) = order.argv.split_first() else {
        return Ok(Outcome::without(Ended::Exited { code: 0 }, Vec::new()));
    };
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(order.env.iter().map(|(name, value)| (name, value)))
        .current_dir(place.tree.join(order.cwd.as_str()))
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .process_group(0);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let note = not_started(program, &error, order, place.members);
            return Ok(Outcome::without(Ended::NotStarted, vec![note]));
        }
    };
    let watch = Watch::new(&child, place.members, &order.limits)
        .map_err(|error| Trouble::failed("watching", error))?;
    let ended = watch.to_the_end(socket.as_fd());
    let left = place.members.end_all();
    left.map_err(|error| Trouble::failed("ending what was left", error))?;
    let ended = ended.map_err(|error| Trouble::failed("watching", error))?;
    let Some(ended) = ended else {
        // Whoever ordered this is gone, or knows why it was stopped.
        return Err(Trouble::Failed("it was stopped".to_owned()));
    };
    let written = place.reports.take();
    let written = written.map_err(|error| Trouble::failed("a place for reports", error))?;
    let mut notes = Vec::new();
    let (names, reports) = take_reports(order, written.as_fd(), &mut notes);
    Ok(Outcome {
        end: End {
            ended,
            notes,
            reports: names,
        },
        reports,
    })
}

/// Why there was no run, and what may have been meant.
fn not_started(program: &str, error: &io::Error, order: &Order, members: Members) -> String {
    let mut why = format!("{program} could not be started: {error}");
    if error.kind() != io::ErrorKind::NotFound {
        return why;
    }
    if program.contains('/') {
        why.push_str("; it is not there, or what its first line names is not");
        return why;
    }
    let path = order.env.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or("", |(_, path)| path);
    why.push_str(&format!("; looked for it in PATH={path}"));
    if members == Members::Namespace {
        why.push_str("; your home is not there: name its directory in `system` and in `env.PATH`");
    }
    why
}

/// The reports that are there, as far as all of them together are no more than the limit.
fn take_reports(
    order: &Order,
    written: BorrowedFd<'_>,
    notes: &mut Vec<String>,
) -> (Vec<String>, Vec<Vec<u8>>) {
    let mut room = order.limits.output.0;
    let mut found = (Vec::new(), Vec::new());
    for (name, path) in &order.reports {
        match reports::take(written, path, room) {
            Ok(Some(bytes)) => {
                room = room.saturating_sub(bytes.len() as u64);
                found.0.push(name.clone());
                found.1.push(bytes);
            }
            Ok(None) => {}
            Err(why) => notes.push(format!("the report {name} is left out: {why}")),
        }
    }
    found
}

impl Outcome {
    fn without(ended: Ended, notes: Vec<String>) -> Self {
        Self {
            end: End {
                ended,
                notes,
                reports: Vec::new(),
            },
            reports: Vec::new(),
        }
    }
}

/// `path` below `top`, which both are absolute.
fn below(top: &str, path: &Path) -> PathBuf {
    let relative = path.strip_prefix("/").unwrap_or(path);
    Path::new(top).join(relative)
}
