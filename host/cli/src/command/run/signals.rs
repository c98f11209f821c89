//! The signals that stop a scheduler.
//!
//! **Invariant:** the first one lets running beats end before their next step; the second one ends this process at once, with
//! exit code 130, whatever it is doing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ringfence_runner::scheduler::Caller;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;
use signal_hook::iterator::Signals;

use crate::exit::Exit;

/// Which signals came.
#[derive(Debug, Clone, Default)]
pub(super) struct Listening {
    stopped: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
}

/// Listens from now on, until this process ends.
pub(super) fn listen(caller: Caller) -> io::Result<Listening> {
    let heard = Listening::default();
    let signals = [SIGINT, SIGTERM, SIGHUP];
    for signal in signals {
        let code = i32::from(Exit::Interrupted.code());
        register_conditional_shutdown(signal, code, Arc::clone(&heard.stopped))?;
    }
    let mut signals = Signals::new(signals)?;
    let told = heard.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                told.interrupted
                    .fetch_or(signal == SIGINT, Ordering::Relaxed);
                told.stopped.store(true, Ordering::Relaxed);
                caller.stop();
            }
        })?;
    Ok(heard)
}

impl Listening {
    /// True when somebody at the terminal stopped it, and not the system.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
