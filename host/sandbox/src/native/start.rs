//! Starts the helper, tells it what to run, listens to what comes of that, and ends it.
//!
//! Owns time and output: the helper counts processes and memory, which it can see.
//!
//! **Invariant:** when [`run`] returns, the helper and everything below it has ended, or the answer is an error that says it
//! has not. It knows by the streams: the helper holds them for as long as anything of it lives.

use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use ringfence_core::evidence::{Confinement, Ended};
use ringfence_core::limits::LIMITS_MAX;
use ringfence_core::policy::{Layer, PathPolicy, PolicySpec};
use ringfence_core::quantity::Millis;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{CommandLimits, Sandboxing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::copy::Copy;
use super::hidden;
use super::inside::{Begin, CONFINED, PLAIN};
use super::shown::{covered, shown};
use super::talk::{self, LENGTH_BYTES, Order, TOLD_BYTES_MAX, Told};
use super::{Command, NativeError, Ran};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where a confined program's home is.
const HOME: &str = "/tmp/home";
// Limit: a helper that was told to stop ends everything within a moment; on a machine that is very busy, within some. Hundreds
// of processes with gibibytes between them have taken the kernel ten seconds to clear away.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
// Limit: what a pipe holds at once.
const PIECE_BYTES: usize = 64 << 10;

pub(super) fn run(program: &Path, command: &Command) -> Result<Ran, NativeError> {
    let begun = Instant::now();
    if command.argv.is_empty() {
        return Err(NativeError::Refused("there is no program".to_owned()));
    }
    let (said, confinement) = match command.sandbox {
        Sandboxing::Full => (confined(program, command)?, Confinement::Full),
        Sandboxing::None => (plain(program, command)?, Confinement::None),
    };
    Ok(Ran {
        ended: said.ended,
        confinement,
        stdout: said.out,
        stderr: said.err,
        reports: said.reports,
        took: begun.elapsed(),
        notes: said.notes,
    })
}

pub(super) fn probe(program: &Path) -> Result<(), NativeError> {
    let failed = |error: io::Error| NativeError::Failed(error.to_string());
    let tree = tempfile::tempdir().map_err(failed)?;
    let everything = PolicySpec {
        layers: vec![Layer {
            name: "loop".to_owned(),
            read: vec!["**".to_owned()],
            write: vec![],
        }],
        deny: vec![],
    };
    let nothing = Command {
        argv: Vec::new(),
        env: Default::default(),
        cwd: RelPath::ROOT,
        tree: tree.path().to_owned(),
        policy: PathPolicy::new(&everything)
            .map_err(|_| NativeError::Failed("no policy".to_owned()))?,
        network: false,
        sandbox: Sandboxing::Full,
        limits: CommandLimits {
            time: Millis(LIMITS_MAX.deadline.0),
            ..CommandLimits::default()
        },
        reports: Vec::new(),
        system: Vec::new(),
        private: Vec::new(),
    };
    confined(program, &nothing).map(drop)
}

/// What was heard of a run.
struct Said {
    ended: Ended,
    notes: Vec<String>,
    out: Vec<u8>,
    err: Vec<u8>,
    reports: Vec<(String, Vec<u8>)>,
}

fn confined(program: &Path, command: &Command) -> Result<Said, NativeError> {
    let tree = real(&command.tree)?;
    let covered = covered(&command.private, &tree)?;
    let order = Order {
        argv: command.argv.clone(),
        env: environment(command, HOME),
        cwd: command.cwd.clone(),
        shown: shown(command, &tree, &covered)?,
        covered,
        tree,
        network: command.network,
        limits: command.limits,
        reports: readable_reports(command),
    };
    let hidden = hidden::paths(command)?;
    let begin = Begin {
        how: CONFINED,
        network: command.network,
    };
    converse(program, begin, &order, &hidden)
}

fn plain(program: &Path, command: &Command) -> Result<Said, NativeError> {
    let copy = Copy::of(command)?;
    let order = Order {
        argv: command.argv.clone(),
        env: environment(command, &copy.home().to_string_lossy()),
        cwd: command.cwd.clone(),
        tree: copy.tree(),
        shown: Vec::new(),
        covered: Vec::new(),
        network: true,
        limits: command.limits,
        reports: readable_reports(command),
    };
    let begin = Begin {
        how: PLAIN,
        network: true,
    };
    let mut said = converse(program, begin, &order, &[])?;
    said.notes.insert(
        0,
        "not confined: it could read, write and reach whatever the user can, and `disk` is not enforced".to_owned(),
    );
    Ok(said)
}

/// What every program is told, and what was declared on top.
fn environment(command: &Command, home: &str) -> Vec<(String, String)> {
    let always = [
        ("PATH", PATH),
        ("HOME", home),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
    ];
    let mut all: std::collections::BTreeMap<String, String> = always
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    all.extend(command.env.clone());
    all.into_iter().collect()
}

/// A report where nothing may be read is none.
fn readable_reports(command: &Command) -> Vec<(String, RelPath)> {
    let readable = |path: &RelPath| {
        let access = ringfence_core::policy::Access::Read;
        command.policy.decide(path, access).is_allowed()
    };
    let reports = command.reports.iter();
    reports
        .filter(|(_, path)| readable(path))
        .cloned()
        .collect()
}

fn real(path: &Path) -> Result<PathBuf, NativeError> {
    std::fs::canonicalize(path).map_err(|source| NativeError::Tree {
        path: path.to_owned(),
        source,
    })
}

fn converse(
    program: &Path,
    begin: Begin,
    order: &Order,
    hidden: &[PathBuf],
) -> Result<Said, NativeError> {
    let failed = |error: io::Error| NativeError::Failed(error.to_string());
    let mut helper = Helper::start(program, begin).map_err(failed)?;
    // A helper that cannot do its work says why before it reads any of this.
    let sent = helper.tell(order, hidden);
    let heard = helper.listen(order.limits).map_err(failed)?;
    if !heard.gone {
        return Err(NativeError::Failed("it does not end".to_owned()));
    }
    let mut answer = heard.answer.as_slice();
    let mut notes = Vec::new();
    let mut told: Option<Told> = talk::take_json(&mut answer, TOLD_BYTES_MAX).ok();
    if let Some(Told::Begun(known)) = &mut told {
        notes.append(known);
        told = talk::take_json(&mut answer, TOLD_BYTES_MAX).ok();
    }
    let mut said = Said {
        ended: Ended::NotStarted,
        notes,
        out: heard.out,
        err: heard.err,
        reports: Vec::new(),
    };
    if let Some(stopped) = heard.stopped {
        said.ended = stopped;
        return Ok(said);
    }
    match told {
        Some(Told::Ended(end)) => {
            for name in &end.reports {
                let bytes = talk::take(&mut answer, order.limits.output.0).map_err(failed)?;
                said.reports.push((name.clone(), bytes));
            }
            said.ended = end.ended;
            said.notes.extend(end.notes);
            Ok(said)
        }
        Some(Told::Missing(missing)) => Err(NativeError::NoSandbox { missing }),
        Some(Told::Refused(why)) => Err(NativeError::Refused(why)),
        Some(Told::Failed(why)) => Err(NativeError::Failed(why)),
        Some(Told::Begun(_)) | None => {
            sent.map_err(failed)?;
            let why = "the helper ended without a word".to_owned();
            Err(NativeError::Failed(why))
        }
    }
}

/// A helper that is ended at the latest when this is dropped.
struct Helper {
    child: Child,
    socket: UnixStream,
}

/// What came of a run, as far as it was heard.
struct Heard {
    out: Vec<u8>,
    err: Vec<u8>,
    /// What the helper answered.
    answer: Vec<u8>,
    /// Why it was stopped, if it was.
    stopped: Option<Ended>,
    /// True when nothing of it is left.
    gone: bool,
}

impl Helper {
    fn start(program: &Path, begin: Begin) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = std::process::Command::new(program);
        command
            .arg0("ringfence")
            .args(begin.to_args())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Ok(Self {
            child: command.spawn()?,
            socket: ours,
        })
    }

    fn tell(&self, order: &Order, hidden: &[PathBuf]) -> io::Result<()> {
        let mut paths = Vec::new();
        for path in hidden {
            paths.extend_from_slice(path.as_os_str().as_bytes());
            paths.push(0);
        }
        let within = Duration::from_millis(order.limits.time.0);
        self.socket.set_write_timeout(Some(within))?;
        talk::send_json(&self.socket, order)?;
        talk::send(&self.socket, &paths)
    }

    /// Listens until nothing is left that could say something, and ends what goes on for too long or says too much.
    fn listen(&mut self, limits: CommandLimits) -> io::Result<Heard> {
        let mut until = Instant::now() + Duration::from_millis(limits.time.0);
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let mut socket = Some(self.socket.try_clone()?);
        let most = usize::try_from(limits.output.0).unwrap_or(usize::MAX);
        let answer_most = most
            .saturating_add(2 * TOLD_BYTES_MAX as usize)
            .saturating_add(LENGTH_BYTES << 10);
        let mut heard = Heard {
            out: Vec::new(),
            err: Vec::new(),
            answer: Vec::new(),
            stopped: None,
            gone: false,
        };
        let mut stops = 0;
        while out.is_some() || err.is_some() || socket.is_some() {
            let fds = [fd(&out), fd(&err), fd(&socket)];
            let left = until.saturating_duration_since(Instant::now());
            let Some(ready) = wait(fds, left)? else {
                heard.stopped.get_or_insert(Ended::TimedOut);
                if stops > 1 {
                    return Ok(heard);
                }
                self.stop(stops)?;
                stops += 1;
                until = Instant::now() + STOPS_WITHIN;
                continue;
            };
            let [from_out, from_err, from_socket] = ready;
            let room = most.saturating_sub(heard.out.len() + heard.err.len());
            let answer_room = answer_most.saturating_sub(heard.answer.len());
            let too_much = (from_out && hear(&mut out, &mut heard.out, room)?)
                | (from_err && hear(&mut err, &mut heard.err, room)?)
                | (from_socket && hear(&mut socket, &mut heard.answer, answer_room)?);
            let total = heard.out.len() + heard.err.len();
            if too_much || total > most {
                let surplus = total.saturating_sub(most);
                heard.err.truncate(heard.err.len().saturating_sub(surplus));
                if heard.stopped.is_none() {
                    heard.stopped = Some(Ended::TooMuchOutput);
                    self.stop(stops)?;
                    stops += 1;
                    until = Instant::now() + STOPS_WITHIN;
                }
            }
        }
        heard.gone = true;
        Ok(heard)
    }

    /// First the helper is asked to end everything, and then it is ended itself, which ends the rest.
    fn stop(&mut self, times: u32) -> io::Result<()> {
        if times == 0 {
            match self.socket.shutdown(Shutdown::Write) {
                // It has ended already.
                Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
                done => done,
            }
        } else {
            self.child.kill()
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Whoever listened to the end knows that it is gone; otherwise this is the last that can be done.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

fn fd(stream: &Option<impl AsFd>) -> Option<BorrowedFd<'_>> {
    stream.as_ref().map(AsFd::as_fd)
}

/// Which streams have something to say, or have ended; none when the time is over.
fn wait(fds: [Option<BorrowedFd<'_>>; 3], left: Duration) -> io::Result<Option<[bool; 3]>> {
    if left.is_zero() {
        return Ok(None);
    }
    let mut open: Vec<_> = fds
        .iter()
        .flatten()
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
    match poll(&mut open, Some(&timeout)) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(Some([false; 3])),
        Err(error) => return Err(error.into()),
    }
    let mut happened = open.iter().map(|fd| !fd.revents().is_empty());
    Ok(Some(
        fds.map(|fd| fd.is_some() && happened.next() == Some(true)),
    ))
}

/// Takes a piece, of which no more than `room` is kept; true when there was more. A stream that has ended is closed.
fn hear(from: &mut Option<impl Read>, into: &mut Vec<u8>, room: usize) -> io::Result<bool> {
    let mut piece = [0; PIECE_BYTES];
    let read = match from {
        Some(stream) => stream.read(&mut piece),
        None => return Ok(false),
    };
    match read {
        Ok(0) => *from = None,
        Ok(count) => {
            into.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
            return Ok(count > room);
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => {}
        // The other end was ended while something was on its way to it.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => *from = None,
        Err(error) => return Err(error),
    }
    Ok(false)
}
