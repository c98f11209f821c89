//! Prints pages, and notices when nobody reads them any more.
//!
//! **Invariant:** a closed stdout or stderr is no error and never stops a command halfway; any other trouble with stdout
//! makes the command fail at its end.

use std::io::{self, ErrorKind};

use crate::args::Colour;
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, text};
use crate::world::Stream;

/// Both streams.
pub(crate) struct Console<'a> {
    out: Stream<'a>,
    err: Stream<'a>,
    out_coloured: bool,
    err_coloured: bool,
    trouble: Option<io::Error>,
}

impl<'a> Console<'a> {
    /// A console over two streams, with colours as the user wants them.
    pub(crate) fn new(out: Stream<'a>, err: Stream<'a>, colour: Colour, no_color: bool) -> Self {
        let coloured = |stream: &Stream| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => stream.is_terminal && !no_color,
        };
        let (out_coloured, err_coloured) = (coloured(&out), coloured(&err));
        Self {
            out,
            err,
            out_coloured,
            err_coloured,
            trouble: None,
        }
    }

    /// True when stderr takes colours.
    pub(crate) fn err_is_coloured(&self) -> bool {
        self.err_coloured
    }

    /// Prints a result.
    pub(crate) fn print(&mut self, page: &Page) {
        let text = page.print(self.out_coloured);
        self.print_text(&text);
    }

    /// Prints text that is a result as it stands: JSON, a schema, a script.
    pub(crate) fn print_text(&mut self, text: &str) {
        let written = self
            .out
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.out.to.flush());
        if let Err(error) = written {
            self.trouble.get_or_insert(error);
        }
    }

    /// True when stdout is a terminal that takes commands, and colours are wanted.
    pub(crate) fn takes_commands(&self) -> bool {
        self.out.is_terminal && self.out_coloured
    }

    /// True when a person looks at stdout.
    pub(crate) fn is_terminal(&self) -> bool {
        self.out.is_terminal
    }

    /// False once stdout could not be written: nobody reads any more.
    pub(crate) fn is_read(&self) -> bool {
        self.trouble.is_none()
    }

    /// Prints a page, over what was there where the terminal can do that.
    pub(crate) fn draw(&mut self, page: &Page) {
        let text = page.print(self.out_coloured);
        if self.takes_commands() {
            // Home, then the page, each line cleared behind its end, and what is left below.
            let text = text.replace('\n', "\u{1b}[K\n");
            self.print_text(&format!("\u{1b}[H{text}\u{1b}[J"));
        } else {
            self.print_text(&text);
        }
    }

    /// Tells people something besides the result.
    pub(crate) fn say(&mut self, page: &Page) {
        let text = page.print(self.err_coloured);
        self.say_text(&text);
    }

    fn say_text(&mut self, text: &str) {
        let written = self
            .err
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.err.to.flush());
        if let Err(error) = written {
            tracing::debug!(%error, "nobody reads stderr");
        }
    }

    /// Prints what the command line's reader has to say: help on stdout, a wrong command line on stderr.
    pub(crate) fn usage(&mut self, error: &clap::Error) -> Exit {
        let rendered = error.render();
        if error.use_stderr() {
            let text = if self.err_coloured {
                rendered.ansi().to_string()
            } else {
                rendered.to_string()
            };
            self.say_text(&text);
            Exit::Usage
        } else {
            let text = if self.out_coloured {
                rendered.ansi().to_string()
            } else {
                rendered.to_string()
            };
            self.print_text(&text);
            Exit::Done
        }
    }

    /// The exit code, which is the host's failure when a result could not be printed.
    pub(crate) fn finish(&mut self, exit: Exit) -> Exit {
        match self.trouble.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                let mut page = Page::new();
                page.line(text![
                    text!["error"].ink(Ink::Bad),
                    ": stdout cannot be written: ",
                    Safe::error(&error)
                ]);
                self.say(&page);
                Exit::Host
            }
            _ => exit,
        }
    }
}
