//! Telling people who wait what is going on.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::console::Console;
use crate::render::{Ink, Page, Text, text};

// Limit: what is over sooner needs no telling.
const QUIET: Duration = Duration::from_secs(1);

/// Does `work`, which says what it begins with, and meanwhile shows people `words` for it, each with the seconds since the
/// start: nothing in the first [`QUIET`], then what is going on, and from there on everything as it begins.
pub(super) fn meanwhile<P: Send, T>(
    console: &mut Console<'_>,
    words: impl Fn(&P) -> Text + Send,
    work: impl FnOnce(&(dyn Fn(P) + Sync)) -> T,
) -> T {
    let (sender, begun) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || watch(&begun, console, &words, Instant::now()));
        let result = work(&|what| {
            if sender.send(what).is_err() {
                tracing::debug!("nobody watches");
            }
        });
        // Ends the watching.
        drop(sender);
        result
    })
}

fn watch<P>(
    begun: &Receiver<P>,
    console: &mut Console<'_>,
    words: &impl Fn(&P) -> Text,
    start: Instant,
) {
    let mut current = None;
    loop {
        let left = QUIET.saturating_sub(start.elapsed());
        let next = if left.is_zero() {
            begun.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            begun.recv_timeout(left)
        };
        match next {
            Ok(what) => current = Some(what),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let elapsed = start.elapsed();
        if let Some(what) = current.take_if(|_| elapsed >= QUIET) {
            let mut page = Page::new();
            let seconds = text![elapsed.as_secs(), " s: "].ink(Ink::Faint);
            page.line(text![seconds, words(&what)]);
            console.say(&page);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::args::Colour;

    /// What is told of work that began `ago` and is over now.
    fn told(ago: Duration) -> String {
        let (sender, begun) = mpsc::channel();
        for what in ["preparing", "measuring", "settling"] {
            sender.send(what).unwrap();
        }
        drop(sender);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let out = Stream {
            to: &mut out,
            is_terminal: false,
        };
        let stream = Stream {
            to: &mut err,
            is_terminal: false,
        };
        let mut console = Console::new(out, stream, Colour::Auto, false);
        let start = Instant::now().checked_sub(ago).unwrap();
        watch(
            &begun,
            &mut console,
            &|what: &&'static str| text![*what],
            start,
        );
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn only_who_waits_is_told() {
        assert_eq!(told(Duration::ZERO), "");
        assert_eq!(
            told(Duration::from_secs(7)),
            "7 s: preparing\n7 s: measuring\n7 s: settling\n"
        );
    }
}
