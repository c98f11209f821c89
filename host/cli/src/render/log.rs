//! What the program says of its own doings: one line for each event of its log.
//!
//! **Invariant:** whatever is in an event (a file's name, what git said of a hostile tree), its line is one line and holds
//! no command for a terminal but our own colours.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::page::Page;
use super::safe::Safe;
use super::text::{Ink, Text, text};

/// Makes lines of events.
pub(crate) struct LogLine {
    /// True when stderr takes colours.
    pub(crate) coloured: bool,
}

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = String::new();
        context.format_fields(Writer::new(&mut said), event)?;
        let mut page = Page::new();
        page.copy(
            0,
            text![
                level(*event.metadata().level()),
                " ",
                text![event.metadata().target(), ":"].ink(Ink::Faint),
                " ",
                Safe::paragraph(&said)
            ],
        );
        out.write_str(&page.print(self.coloured))
    }
}

fn level(level: Level) -> Text {
    match level {
        Level::ERROR => text!["ERROR"].ink(Ink::Bad),
        Level::WARN => text![" WARN"].ink(Ink::Warn),
        Level::INFO => text![" INFO"].ink(Ink::Good),
        Level::DEBUG => text!["DEBUG"],
        _ => text!["TRACE"].ink(Ink::Faint),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::render::safe::is_treacherous;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(coloured: bool, what: impl FnOnce()) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .event_format(LogLine { coloured });
        let logger = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(logger, what);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{202e}x\r\n WARN ringfence: all is well\u{7}";
        let error = io::Error::other(hostile);
        let line = logged(false, || {
            tracing::warn!(path = hostile, %error, ?hostile, "{hostile}");
        });
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.chars().any(is_treacherous), "{line:?}");
        assert!(line.starts_with(" WARN ringfence::render::log::tests: "));
    }

    #[test]
    fn a_line_is_not_broken_and_our_own_colours_show() {
        let line = logged(true, || tracing::warn!(n = 7, "a b"));
        assert_eq!(
            line,
            "\u{1b}[33m WARN\u{1b}[0m \u{1b}[2mringfence::render::log::tests:\u{1b}[0m a b n=7\n"
        );
        let long = "word ".repeat(300);
        let line = logged(false, || tracing::error!("{long}"));
        assert_eq!(line.matches('\n').count(), 1);
    }
}
