//! Trying whether the kernel keeps its word: a confined thread attempts what it must not be able to do.
//!
//! **Invariant:** what is attempted would do no harm if it succeeded.

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::thread;

use serde::Serialize;

use super::Confinement;

/// One thing that was tried on a confined thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What it was: `open a file`.
    pub what: &'static str,
    /// True when the kernel refused it.
    pub refused: bool,
}

/// Confines a thread that has no roots, tries to get out of it, and says what came of that.
///
/// # Errors
/// When no thread can be begun.
pub fn trial() -> io::Result<(Confinement, Vec<Attempt>)> {
    let trial = thread::Builder::new().name("trial".to_owned()).spawn(|| {
        let confinement = super::thread(&[])?;
        let attempt = |what, got_through: bool| Attempt {
            what,
            refused: !got_through,
        };
        Ok((
            confinement,
            vec![
                attempt("open a file", File::open("/dev/null").is_ok()),
                attempt("start a program", start_program().is_ok()),
                attempt("open a socket", UdpSocket::bind("127.0.0.1:0").is_ok()),
            ],
        ))
    })?;
    trial
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the trial panicked")))
}

fn start_program() -> io::Result<()> {
    let mut nothing = Command::new("/bin/true");
    nothing
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit());
    nothing.status().map(drop)
}
