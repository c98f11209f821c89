//! Starts the compiling process, feeds it, reads what it says, and ends it.
//!
//! **Invariant:** when [`code`] returns, the process has ended and has been waited for, whatever it did; what it said was
//! read up to a bound, and is used only under its label.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ringfence_core::digest::Digest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};
use wasmtime::Engine;

use super::child::{Order, REFUSED};
use super::{CompileClock, CompileLimits, LoadError};
use crate::artifact::{CODE_BYTES_MAX, LABEL_BYTES, Label, engine_key};

// Limit: what a pipe holds at once.
const PIECE_BYTES: usize = 64 << 10;
// Limit: a message of the engine is a few lines, a backtrace some more.
const STDERR_BYTES_MAX: usize = 4 << 10;
// How the standard library says that there is no memory, before it ends the process.
const NO_MEMORY: &str = "memory allocation of";

pub(super) fn code(
    engine: &Engine,
    program: &Path,
    limits: CompileLimits,
    bytes: &[u8],
    component: &Digest,
) -> Result<Vec<u8>, LoadError> {
    let label = Label {
        component: *component,
        maker: engine_key(engine),
    };
    let order = Order {
        parent: std::process::id(),
        component: *component,
        limits,
    };
    let trouble = |error: io::Error| LoadError::Compiler(error.to_string());
    let mut running = Running::start(program, order).map_err(trouble)?;
    let said = running.talk(bytes, limits.wall);
    let status = running.end().map_err(trouble)?;
    let mut said = said.map_err(|stop| match stop {
        Stop::Late => LoadError::Slow {
            limit: limits.wall,
            clock: CompileClock::Wall,
        },
        Stop::TooMuch => LoadError::code_size(),
        Stop::Io(error) => trouble(error),
    })?;
    if let Some(length) = label.code(&said.out).map(<[u8]>::len) {
        said.out.truncate(length);
        return Ok(said.out);
    }
    Err(failure(status, &said.err, limits))
}

/// Why there is no code, by how the process ended and what it said last.
fn failure(status: ExitStatus, err: &[u8], limits: CompileLimits) -> LoadError {
    let err = String::from_utf8_lossy(err).trim().to_owned();
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        return LoadError::Slow {
            limit: limits.cpu,
            clock: CompileClock::Cpu,
        };
    }
    if is(Signal::ABORT) && err.contains(NO_MEMORY) {
        return LoadError::Memory {
            limit: limits.memory,
        };
    }
    let crashes = [
        Signal::ABORT,
        Signal::SEGV,
        Signal::BUS,
        Signal::ILL,
        Signal::FPE,
        Signal::TRAP,
    ];
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(REFUSED) => LoadError::Compile(err),
        // How a panic ends.
        (Some(101), _) => LoadError::Crashed(err),
        (_, Some(_)) if crashes.into_iter().any(is) => {
            LoadError::Crashed(format!("{status}: {err}"))
        }
        (_, Some(_)) => LoadError::Compiler(format!("it was ended by somebody else, {status}")),
        (Some(0), _) => LoadError::Compiler(
            "what it gave back is not this component's code for this engine".to_owned(),
        ),
        _ => LoadError::Compiler(format!("{status}: {err}")),
    }
}

/// A process that is ended at the latest when this is dropped.
struct Running(Child);

/// What the process said.
#[derive(Default)]
struct Said {
    out: Vec<u8>,
    err: Vec<u8>,
}

enum Stop {
    Late,
    TooMuch,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Running {
    fn start(program: &Path, order: Order) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .arg0("ringfence")
            .args(order.to_args())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Ok(Self(command.spawn()?))
    }

    /// Sends all of `bytes` and hears all that is said, for as long as `deadline` at most.
    fn talk(&mut self, bytes: &[u8], deadline: Duration) -> Result<Said, Stop> {
        let began = Instant::now();
        let mut said = Said::default();
        let mut send = Send {
            to: self.0.stdin.take(),
            rest: bytes,
        };
        if let Some(to) = &send.to {
            fcntl_setfl(to, OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        let (mut out, mut err) = (self.0.stdout.take(), self.0.stderr.take());
        while out.is_some() || err.is_some() {
            let left = deadline.saturating_sub(began.elapsed());
            let ready = wait(send.to.as_ref(), out.as_ref(), err.as_ref(), left)?;
            if ready.send {
                send.go_on()?;
            }
            if ready.out {
                hear(&mut out, &mut said.out)?;
                if said.out.len() > LABEL_BYTES + CODE_BYTES_MAX {
                    return Err(Stop::TooMuch);
                }
            }
            if ready.err {
                hear(&mut err, &mut said.err)?;
                let surplus = said.err.len().saturating_sub(STDERR_BYTES_MAX);
                said.err.drain(..surplus);
            }
        }
        Ok(said)
    }

    /// How the process ended: by itself, or now. One that has closed its output has no more to say.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // It has not been waited for, so its number is still its own. One that has ended cannot be killed, and need not.
        if kill_process_group(Pid::from_child(&self.0), Signal::KILL).is_err() {
            return self.0.wait();
        }
        self.0.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already done unless something panicked; there is nobody left to tell.
        self.end().map(drop).unwrap_or_default();
    }
}

struct Ready {
    send: bool,
    out: bool,
    err: bool,
}

/// Waits until something can be done with one of the streams.
fn wait(
    to: Option<&ChildStdin>,
    out: Option<&ChildStdout>,
    err: Option<&ChildStderr>,
    left: Duration,
) -> Result<Ready, Stop> {
    if left.is_zero() {
        return Err(Stop::Late);
    }
    let streams = [
        to.map(|to| (to.as_fd(), PollFlags::OUT)),
        out.map(|out| (out.as_fd(), PollFlags::IN)),
        err.map(|err| (err.as_fd(), PollFlags::IN)),
    ];
    let open = streams.iter().flatten();
    let mut open: Vec<_> = open
        .map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
        .collect();
    let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
    match poll(&mut open, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Stop::Io(error.into())),
    }
    // Also when it was closed or broken: reading or writing tells.
    let mut happened = open.iter().map(|fd| !fd.revents().is_empty());
    let [send, out, err] = streams.map(|stream| stream.is_some() && happened.next() == Some(true));
    Ok(Ready { send, out, err })
}

/// What is still to be sent.
struct Send<'a> {
    to: Option<ChildStdin>,
    rest: &'a [u8],
}

impl Send<'_> {
    /// Sends a piece, and closes the stream after the last.
    fn go_on(&mut self) -> io::Result<()> {
        let Some(to) = &mut self.to else {
            return Ok(());
        };
        match to.write(self.rest.get(..PIECE_BYTES).unwrap_or(self.rest)) {
            Ok(sent) => self.rest = self.rest.get(sent..).unwrap_or_default(),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // It reads no more; how it ends says why.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.rest = &[],
            Err(error) => return Err(error),
        }
        if self.rest.is_empty() {
            self.to = None;
        }
        Ok(())
    }
}

/// Reads a piece, and closes the stream at its end.
fn hear(from: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; PIECE_BYTES];
    let read = match from {
        Some(stream) => stream.read(&mut piece),
        None => return Ok(()),
    };
    match read {
        Ok(0) => *from = None,
        Ok(count) => into.extend_from_slice(piece.get(..count).unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(raw: i32, err: &str) -> LoadError {
        failure(
            ExitStatus::from_raw(raw),
            err.as_bytes(),
            CompileLimits::default(),
        )
    }

    #[test]
    fn every_end_has_its_name() {
        let exit = |code: i32| code << 8;
        let text = [
            ended(Signal::XCPU.as_raw(), ""),
            ended(
                Signal::ABORT.as_raw(),
                "memory allocation of 9 bytes failed",
            ),
            ended(Signal::ABORT.as_raw(), "stack overflow"),
            ended(Signal::SEGV.as_raw(), "illegal"),
            ended(exit(101), "thread 'main' panicked"),
            ended(Signal::KILL.as_raw(), ""),
            ended(exit(3), "unknown import"),
            ended(exit(4), "nobody waits for it"),
            ended(exit(0), ""),
        ]
        .map(|error| format!("{}{error}", if error.is_ours() { "host: " } else { "" }));
        insta::assert_snapshot!(text.join("\n"), @r"
        compiling the component took more than 120 s of processor time
        compiling the component needs more memory than 2GiB
        the compiler crashed on the component: signal: 6 (SIGABRT): stack overflow
        the compiler crashed on the component: signal: 11 (SIGSEGV): illegal
        the compiler crashed on the component: thread 'main' panicked
        host: the compiler did not do its work: it was ended by somebody else, signal: 9 (SIGKILL)
        the component does not compile: unknown import
        host: the compiler did not do its work: exit status: 4: nobody waits for it
        host: the compiler did not do its work: what it gave back is not this component's code for this engine
        ");
    }

    #[test]
    fn a_program_that_is_not_there_is_no_fault_of_the_component() {
        let engine = Engine::default();
        let nowhere = Path::new("/nonexistent");
        let error = code(
            &engine,
            nowhere,
            CompileLimits::default(),
            b"",
            &Digest::of(b""),
        );
        assert!(error.unwrap_err().is_ours());
    }
}
