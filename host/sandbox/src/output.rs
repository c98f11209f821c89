//! What a guest says: log messages, stdout and stderr, all of it bounded and kept for the report.
//!
//! What exceeds the bound is dropped and counted. The guest is not told: a program that prints too much has done nothing
//! wrong, and Rust's `println!` would panic.

use std::sync::{Arc, Mutex, PoisonError};

use ringfence_core::call::{CallReport, LogLine};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamResult};

use crate::meter::Meter;

// Limit: more than anybody reads of one step; it goes into the journal.
const BYTES_MAX: usize = 64 << 10;
// Limit: lines of one byte must not cost the host more than long ones.
const LINES_MAX: usize = 2_000;
// Limit: what one write of a stream may hold.
const WRITE_MAX: usize = 64 << 10;

/// The words of one call.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    said: Arc<Mutex<Said>>,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
    /// The last line of this stream is not ended yet.
    open: Option<&'static str>,
}

impl Output {
    pub(crate) fn new(meter: &Arc<Meter>) -> Self {
        Self {
            said: Arc::default(),
            meter: Arc::clone(meter),
        }
    }

    /// One whole message.
    pub(crate) fn message(&self, level: &'static str, text: &str) {
        self.meter.charge_bytes(text.len());
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.open = None;
        said.line(level, text);
    }

    /// Bytes of a stream, which become lines.
    fn stream(&self, name: &'static str, bytes: &[u8]) {
        self.meter.charge_bytes(bytes.len());
        let text = String::from_utf8_lossy(bytes);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in text.split_inclusive('\n') {
            said.append(name, piece);
        }
    }

    /// A stream that keeps what is written to it under `name`.
    pub(crate) fn writer(&self, name: &'static str) -> Writer {
        Writer {
            output: self.clone(),
            name,
        }
    }

    /// The last panic message, for the trap that follows it.
    pub(crate) fn last_panic(&self) -> Option<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let panicked = |line: &&LogLine| {
            matches!(line.level.as_str(), "error" | "stderr") && line.text.contains("panicked")
        };
        said.lines
            .iter()
            .rev()
            .find(panicked)
            .map(|line| line.text.clone())
    }

    /// Moves everything into the report.
    pub(crate) fn report(&self, report: &mut CallReport) {
        let said = std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner));
        report.log = said.lines;
        report.log_bytes_dropped = said.dropped;
    }
}

impl Said {
    fn append(&mut self, name: &'static str, piece: &str) {
        let text = piece.trim_end_matches(['\n', '\r']);
        let goes_on = self.open == Some(name);
        self.open = (!piece.ends_with('\n')).then_some(name);
        match self.lines.last_mut().filter(|_| goes_on) {
            Some(last) => {
                let kept = cut(text, BYTES_MAX.saturating_sub(self.bytes));
                last.text.push_str(kept);
                self.count(text, kept);
            }
            None => {
                if !self.line(name, text) {
                    // What follows would else be put at the end of somebody else's line.
                    self.open = None;
                }
            }
        }
    }

    /// A new line; false when it is dropped as a whole.
    fn line(&mut self, level: &'static str, text: &str) -> bool {
        if self.lines.len() >= LINES_MAX || self.bytes >= BYTES_MAX {
            self.dropped += text.len() as u64;
            return false;
        }
        let kept = cut(text, BYTES_MAX - self.bytes);
        self.lines.push(LogLine {
            level: level.to_owned(),
            text: kept.to_owned(),
        });
        self.count(text, kept);
        true
    }

    fn count(&mut self, text: &str, kept: &str) {
        self.bytes += kept.len();
        self.dropped += (text.len() - kept.len()) as u64;
    }
}

/// The longest start of `text` of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// stdout or stderr.
pub(crate) struct Writer {
    output: Output,
    name: &'static str,
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.stream(self.name, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::quantity::{Bytes, Fuel};

    use super::*;

    fn output() -> Output {
        Output::new(&Arc::new(Meter::new(Fuel(1 << 40), Bytes(1))))
    }

    fn lines(output: &Output) -> Vec<(String, String)> {
        let said = output.said.lock().unwrap();
        said.lines
            .iter()
            .map(|line| (line.level.clone(), line.text.clone()))
            .collect()
    }

    #[test]
    fn streams_become_lines() {
        let output = output();
        output.stream("stdout", b"one\ntw");
        output.stream("stdout", b"o\n\nthree");
        output.message("info", "four");
        output.stream("stdout", b"five\xff");
        let expect = [
            ("stdout", "one"),
            ("stdout", "two"),
            ("stdout", ""),
            ("stdout", "three"),
            ("info", "four"),
            ("stdout", "five\u{fffd}"),
        ];
        assert_eq!(
            lines(&output),
            expect.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn too_much_is_dropped_and_counted() {
        let long = output();
        long.message("info", &"é".repeat(BYTES_MAX));
        long.message("info", "x");
        let said = long.said.lock().unwrap();
        assert_eq!(
            (said.bytes, said.dropped),
            (BYTES_MAX, BYTES_MAX as u64 + 1)
        );
        drop(said);
        let many = output();
        for _ in 0..LINES_MAX + 5 {
            many.message("info", "x");
        }
        assert_eq!(lines(&many).len(), LINES_MAX);
        assert_eq!(many.said.lock().unwrap().dropped, 5);
        many.stream("stdout", b"no end");
        many.stream("stdout", b" of it");
        assert!(lines(&many).iter().all(|(_, text)| text == "x"));
        assert_eq!(many.said.lock().unwrap().dropped, 17);
    }
}
