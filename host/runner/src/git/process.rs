//! Runs one program: own process group, bounded output and memory, a deadline, and a message from its stderr.
//!
//! **Invariant:** when [`run`] returns, the program has ended and has been waited for, with everything in its group. When this
//! process ends before that, [`minder`] ends them.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::minder;

// Limit: what a person reads of an error; the rest is read and dropped.
const STDERR_BYTES_MAX: usize = 4096;
// How long to wait between looks at a program that has closed its output and not yet ended; normally none is needed.
const REAP_INTERVAL: Duration = Duration::from_millis(1);

/// What a program is given on stdin.
#[derive(Debug)]
pub enum Input {
    /// An empty stream.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// The rest of this file.
    File(std::fs::File),
}

/// What one run may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes on stdout; one more ends the program.
    pub stdout_bytes_max: usize,
    /// Wall-clock time; past it the program is killed.
    pub deadline: Duration,
    /// Bytes of memory that can be written to; none for as much as the user may. Kept on Linux.
    pub memory_bytes_max: Option<u64>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not start.
    #[error("the program did not start")]
    Spawn(#[source] io::Error),
    /// Reading its output or waiting for it failed.
    #[error("the program's output could not be read")]
    Io(#[source] io::Error),
    /// It was killed at its deadline.
    #[error("the program was stopped after {} s", .0.as_secs())]
    Deadline(Duration),
    /// It was killed for printing too much.
    #[error("the program printed more than {0} bytes")]
    TooMuchOutput(usize),
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Process id it had.
    pub pid: u32,
    /// Exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All it printed.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to stderr, as one line without control characters.
    pub stderr: String,
}

enum Report {
    Stdout(io::Result<Vec<u8>>),
    Overflow,
    Stderr(Vec<u8>),
}

/// Runs `command` to its end.
///
/// # Errors
/// [`RunError`]; the program has been killed then, unless it never started.
pub fn run(mut command: Command, input: Input, limits: Limits) -> Result<Finished, RunError> {
    let (stdin, bytes) = match input {
        Input::Nothing => (Stdio::null(), None),
        Input::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
        Input::File(file) => (Stdio::from(file), None),
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(RunError::Spawn)?;
    minder::mind(&child);
    let until = Instant::now() + limits.deadline;
    let pid = child.id();
    if let Some(bytes) = limits.memory_bytes_max
        && let Err(error) = hold_memory(&child, bytes)
    {
        kill(&mut child);
        return Err(RunError::Spawn(error));
    }
    let (sender, reports) = channel();
    thread::scope(|scope| {
        if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), bytes) {
            // A program may end without reading all of it; its exit status says whether that was right.
            scope.spawn(move || {
                stdin
                    .write_all(&bytes)
                    .unwrap_or_else(|error| tracing::debug!(%error, "stdin"))
            });
        }
        if let Some(stdout) = child.stdout.take() {
            let sender = sender.clone();
            scope.spawn(move || read_stdout(stdout, limits.stdout_bytes_max, &sender));
        }
        if let Some(stderr) = child.stderr.take() {
            let sender = sender.clone();
            scope.spawn(move || report(&sender, Report::Stderr(read_tail(stderr))));
        }
        drop(sender);
        let ended = collect(&mut child, &reports, until, limits);
        if ended.is_err() {
            kill(&mut child);
        }
        let (status, stdout, stderr) = ended?;
        Ok(Finished {
            pid,
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr: one_line(&stderr),
        })
    })
}

fn collect(
    child: &mut Child,
    reports: &Receiver<Report>,
    until: Instant,
    limits: Limits,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), RunError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match reports.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Report::Stdout(read)) => stdout = read.map_err(RunError::Io)?,
            Ok(Report::Overflow) => return Err(RunError::TooMuchOutput(limits.stdout_bytes_max)),
            Ok(Report::Stderr(tail)) => stderr = tail,
            Err(RecvTimeoutError::Timeout) => return Err(RunError::Deadline(limits.deadline)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    loop {
        if has_ended(child).map_err(RunError::Io)? {
            // Whatever it has started and left behind goes with it.
            if let Err(error) = kill_process_group(Pid::from_child(child), Signal::KILL) {
                tracing::debug!(%error, "nothing was left of a program's group");
            }
            minder::forget(child);
            let status = child.wait().map_err(RunError::Io)?;
            return Ok((status, stdout, stderr));
        }
        if Instant::now() >= until {
            return Err(RunError::Deadline(limits.deadline));
        }
        thread::sleep(REAP_INTERVAL);
    }
}

/// Holds a program that has just begun to this much memory. What it maps of files to read them does not count.
#[cfg(target_os = "linux")]
fn hold_memory(child: &Child, bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
    let own = getrlimit(Resource::Data).maximum.unwrap_or(u64::MAX);
    let most = Some(bytes.min(own));
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    prlimit(Some(Pid::from_child(child)), Resource::Data, limit)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn hold_memory(_: &Child, _: u64) -> io::Result<()> {
    Ok(())
}

/// True when the program has ended. It is not waited for yet, so that its number still names its group.
fn has_ended(child: &Child) -> io::Result<bool> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = waitid(WaitId::Pid(Pid::from_child(child)), look)?;
    Ok(status.is_some())
}

fn kill(child: &mut Child) {
    // Nobody has waited for the child yet, so its number still names its group.
    let group = Pid::from_child(child);
    if let Err(error) = kill_process_group(group, Signal::KILL) {
        tracing::warn!(%error, "a program could not be killed");
    }
    minder::forget(child);
    if let Err(error) = child.wait() {
        tracing::warn!(%error, "a killed program could not be waited for");
    }
}

fn read_stdout(mut stdout: impl Read, bytes_max: usize, sender: &Sender<Report>) {
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut stdout)
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() > bytes_max => report(sender, Report::Overflow),
        Ok(_) => report(sender, Report::Stdout(Ok(bytes))),
        Err(error) => report(sender, Report::Stdout(Err(error))),
    }
}

fn read_tail(mut stderr: impl Read) -> Vec<u8> {
    let mut tail = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        tail.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let surplus = tail.len().saturating_sub(STDERR_BYTES_MAX);
        tail.drain(..surplus);
    }
    tail
}

fn report(sender: &Sender<Report>, what: Report) {
    if sender.send(what).is_err() {
        tracing::debug!("nobody waits for this program's output any more");
    }
}

/// Text of a hostile program, made fit for one line of a terminal.
fn one_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .join("; ")
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(
        script: &str,
        input: Input,
        stdout_bytes_max: usize,
        deadline: Duration,
    ) -> Result<Finished, RunError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(
            command,
            input,
            Limits {
                stdout_bytes_max,
                deadline,
                memory_bytes_max: Some(64 << 20),
            },
        )
    }

    #[test]
    fn gives_back_what_a_program_said() {
        let minute = Duration::from_secs(60);
        let ended = shell(
            "cat; printf 'a\\n\\033[31mb' >&2; exit 3",
            Input::Bytes(b"in".to_vec()),
            2,
            minute,
        )
        .unwrap();
        assert_eq!((ended.code, ended.signal), (Some(3), None));
        assert_eq!(ended.stdout, b"in");
        assert_eq!(ended.stderr, "a; \u{fffd}[31mb");
        let ended = shell("exec 1>&- 2>&-; kill -9 $$", Input::Nothing, 0, minute).unwrap();
        assert_eq!((ended.code, ended.signal), (None, Some(9)));
        let ended = shell("true", Input::Bytes(vec![0; 1 << 20]), 0, minute).unwrap();
        assert_eq!(ended.code, Some(0));
    }

    #[test]
    fn stops_what_prints_or_runs_too_long() {
        let ended = shell(
            "cat /dev/zero",
            Input::Nothing,
            1000,
            Duration::from_secs(60),
        );
        assert!(matches!(ended, Err(RunError::TooMuchOutput(1000))));
        for script in [
            "sleep 1000",
            "sleep 1000 & exit 0",
            "exec 1>&- 2>&-; sleep 1000",
        ] {
            let ended = shell(script, Input::Nothing, 1000, Duration::from_millis(50));
            assert!(
                matches!(ended, Err(RunError::Deadline(_))),
                "{script}: {ended:?}"
            );
        }
        let ended = run(
            Command::new("/nonexistent"),
            Input::Nothing,
            Limits {
                stdout_bytes_max: 1,
                deadline: Duration::ZERO,
                memory_bytes_max: None,
            },
        );
        assert!(matches!(ended, Err(RunError::Spawn(_))));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_has_an_end() {
        // What is begun before the limit is set does not have it; this waits until then.
        let script =
            |bytes: u32| format!("read go; head -c {bytes} /dev/zero | tail -n 1 >/dev/null");
        let go = || Input::Bytes(b"go\n".to_vec());
        let run = |bytes| shell(&script(bytes), go(), 0, Duration::from_secs(60));
        assert_eq!(run(1 << 20).unwrap().stderr, "");
        // The last line of these is all of them.
        let ended = run(128 << 20).unwrap();
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("memory"), "{}", ended.stderr);
    }

    #[test]
    fn keeps_the_end_of_a_long_complaint() {
        let script = "yes complaint | head -c 100000 >&2; printf last >&2";
        let ended = shell(script, Input::Nothing, 0, Duration::from_secs(60)).unwrap();
        assert!(ended.stderr.ends_with("last"));
        assert!(ended.stderr.len() < 2 * STDERR_BYTES_MAX);
    }
}
