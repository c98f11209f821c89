//! The streams of a program: the process's own, or memory.
//!
//! **Invariant:** every byte costs fuel, and no write outlasts the deadline, however slowly the other side reads. What goes
//! to a terminal cannot command it.

use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use wasmtime_wasi::cli::StdinStream;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, MemoryInputPipe};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use crate::meter::Meter;

// Limit: what a pipe takes without blocking once it says that it takes anything: a page on Linux, POSIX's 512 elsewhere.
const PIECE_MAX: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };
// Limit: what one write of a stream may hold.
const WRITE_MAX: usize = 64 << 10;

/// Where a program's stdin comes from.
#[derive(Debug, Clone, Default)]
pub enum Input {
    /// There is nothing to read.
    #[default]
    Nothing,
    /// This process's own, read only when the program reads.
    Inherited,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Where a program's stdout or stderr goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// This process's own stream of that name.
    Inherited,
    /// Into memory; beyond its size, the program's writes fail.
    Buffer(Buffer),
}

/// Bytes that a program wrote. Cheap to clone; all clones share them.
#[derive(Debug, Clone)]
pub struct Buffer {
    bytes: Arc<Mutex<Vec<u8>>>,
    max: usize,
}

/// The three streams of a program.
#[derive(Debug, Clone)]
pub struct Streams {
    /// What it reads.
    pub stdin: Input,
    /// Where its results go.
    pub stdout: Target,
    /// Where everything else goes.
    pub stderr: Target,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Stdout,
    Stderr,
}

impl Buffer {
    /// An empty buffer for at most `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            bytes: Arc::default(),
            max,
        }
    }

    /// What is in it; it is empty afterwards.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len().saturating_add(bytes.len()) > self.max {
            return Err(Errno::NOSPC.into());
        }
        kept.extend_from_slice(bytes);
        Ok(())
    }
}

impl Streams {
    pub(crate) fn input(&self, meter: &Arc<Meter>) -> DynInputStream {
        let inner: DynInputStream = match &self.stdin {
            Input::Nothing => Box::new(ClosedInputStream),
            Input::Inherited => std::io::stdin().p2_stream(),
            Input::Bytes(bytes) => Box::new(MemoryInputPipe::new(bytes.clone())),
        };
        Box::new(Reader {
            inner,
            meter: Arc::clone(meter),
        })
    }

    pub(crate) fn output(&self, which: Which, meter: &Arc<Meter>) -> DynOutputStream {
        let target = match which {
            Which::Stdout => &self.stdout,
            Which::Stderr => &self.stderr,
        };
        Box::new(Writer {
            sink: match target {
                Target::Buffer(buffer) => Sink::Buffer(buffer.clone()),
                Target::Inherited => Sink::own(which),
            },
            meter: Arc::clone(meter),
        })
    }
}

struct Reader {
    inner: DynInputStream,
    meter: Arc<Meter>,
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.read(size.min(WRITE_MAX))?;
        self.meter.charge_bytes(bytes.len());
        Ok(bytes)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

enum Sink {
    Buffer(Buffer),
    Own { which: Which, is_terminal: bool },
}

impl Sink {
    fn own(which: Which) -> Self {
        Self::Own {
            which,
            is_terminal: match which {
                Which::Stdout => std::io::stdout().is_terminal(),
                Which::Stderr => std::io::stderr().is_terminal(),
            },
        }
    }
}

fn with_fd<T>(which: Which, act: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
    match which {
        Which::Stdout => act(std::io::stdout().as_fd()),
        Which::Stderr => act(std::io::stderr().as_fd()),
    }
}

struct Writer {
    sink: Sink,
    meter: Arc<Meter>,
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.meter.charge_bytes(bytes.len());
        let written = match &self.sink {
            Sink::Buffer(buffer) => buffer.add(&bytes),
            Sink::Own {
                which,
                is_terminal: false,
            } => with_fd(*which, |fd| write_all(fd, &bytes, self.meter.until())),
            Sink::Own {
                which,
                is_terminal: true,
            } => with_fd(*which, |fd| {
                write_all(fd, &harmless(&bytes), self.meter.until())
            }),
        };
        written.map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => StreamError::Closed,
            _ => StreamError::LastOperationFailed(error.into()),
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_MAX)
    }
}

/// Writes in pieces that a pipe takes without blocking, and waits for room no longer than `until`.
fn write_all(fd: BorrowedFd<'_>, bytes: &[u8], until: Option<Instant>) -> std::io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        wait_for_room(fd, until)?;
        let piece = rest.get(..PIECE_MAX).unwrap_or(rest);
        match rustix::io::write(fd, piece) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn wait_for_room(fd: BorrowedFd<'_>, until: Option<Instant>) -> std::io::Result<()> {
    loop {
        let left = until.map_or(Duration::MAX, |until| {
            until.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        let timeout = left.try_into().ok();
        match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The same text without the characters that command a terminal: each is shown by its picture or number.
fn harmless(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => shown.push(c),
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('\u{2421}'),
            '\u{80}'..='\u{9f}' => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_terminal_gets_no_commands() {
        let told = harmless("a\u{1b}[2J\r\n\u{7}\u{9b}31m\u{7f}é".as_bytes());
        assert_eq!(String::from_utf8(told).unwrap(), "a␛[2J\r\n␇\\u{9b}31m␡é");
    }

    #[test]
    fn a_write_to_a_pipe_that_nobody_reads_ends_at_the_deadline() {
        let (reader, writer) = std::io::pipe().unwrap();
        let until = Some(Instant::now() + Duration::from_millis(20));
        let full = write_all(writer.as_fd(), &vec![7; 1 << 20], until);
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        drop(reader);
        let gone = write_all(writer.as_fd(), b"x", None);
        assert_eq!(gone.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn everything_arrives() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 18).collect();
        let expect = bytes.clone();
        let written = std::thread::spawn(move || write_all(writer.as_fd(), &bytes, None));
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        written.join().unwrap().unwrap();
        assert_eq!(got, expect);
    }

    #[test]
    fn a_buffer_holds_what_it_was_made_for() {
        let buffer = Buffer::new(3);
        assert!(buffer.add(b"abc").is_ok());
        assert!(buffer.add(b"d").is_err());
        assert_eq!(buffer.take(), b"abc");
    }
}
